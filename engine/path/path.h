/* The packet's way through the worker: one file per stage, called in this order.
 *
 *   rx_burst        rx.c        port, and other workers' hand-offs -> rows
 *   classify_burst  classify.c  row -> leg, or local (ARP, ND, ICMP), or hand-off, or a drop
 *   srtp_open_burst srtp_open.c SRTP -> RTP, SRTCP -> RTCP, on legs that have keys (RFC 3711)
 *   rtcp_burst      rtcp.c      takes the RTCP out (own port, or multiplexed: RFC 5761)
 *   rtp_in_burst    rtp_in.c    bytes -> rtp_view, source check, statistics, DTMF, recording
 *   relay_burst     relay.c     rewritten in place and sent on; copied when also buffered
 *   deliver_burst   deliver.c    what is left goes into its leg's jitter buffer
 *   playout         playout.c   the wheel: what is due now is decoded, mixed, encoded, sent
 *   srtp_seal_burst srtp_seal.c what leaves by legs that have keys: RTP -> SRTP
 *   tx_flush        tx.c        rows -> port
 *
 * Each stage reads the columns of the stages before it, fills its own and keeps rows at the
 * front: after a stage rows 0..n-1 are alive and nothing else is. A packet that leaves a stage for good
 * meets exactly one fate: path_end() frees it and counts; the stage after tx knows its own.
 *
 * Hot-path rule: no allocation, no lock, no system call, no log line in any of these.
 */
#ifndef PATH_PATH_H
#define PATH_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "leg/leg.h"
#include "net/net.h"
#include "patchbay/fate.h"
#include "rtp/rtp.h"

struct rte_mbuf;
struct worker;

enum { BURST_MAX = 32 };

/* Where a packet came from. */
struct packet_from {
	uint8_t family; /* 4 or 6 */
	bool rtcp;      /* it came to the odd port */
	uint16_t port;  /* host order */
	uint8_t ip[16];
	uint8_t mac[6]; /* link source: also the way back (all zero when the link has none) */
};

/* One receive burst. */
struct burst {
	uint16_t n;
	struct rte_mbuf *pkt[BURST_MAX];    /* rx.c: a frame; after classify.c the UDP payload:
					     * data and length adjusted, one segment */
	struct leg *leg[BURST_MAX];         /* classify.c: open and ours */
	struct packet_from from[BURST_MAX]; /* classify.c */
	struct rtp_view rtp[BURST_MAX];     /* rtp_in.c */
	uint8_t codec[BURST_MAX];           /* rtp_in.c: enum codec_id, or PATH_EVENT */
};

enum { PATH_EVENT = 0xff }; /* burst.codec: telephone-event on its way to the listener */

void rx_burst(struct worker *w, struct burst *b);
void classify_burst(struct worker *w, struct burst *b);
void srtp_open_burst(struct worker *w, struct burst *b);
void rtcp_burst(struct worker *w, struct burst *b);
void rtp_in_burst(struct worker *w, struct burst *b);
void relay_burst(struct worker *w, struct burst *b);
void deliver_burst(struct worker *w, struct burst *b);
void playout(struct worker *w);
void srtp_seal_burst(struct worker *w);
void tx_flush(struct worker *w);

/* Whether a packet on its way out was received (its fate is still open: RELAYED when it is sent,
 * NO_NEIGHBOUR or TX_FULL when it is not) or made here (only counters of the worker move). */
enum tx_origin { TX_RECEIVED, TX_MADE };

/* tx.c: takes `m`, whose data is an RTP or RTCP packet, puts `head` in front of it (the mbuf has
 * room for it) and queues it until tx_flush(). `head` is &leg->head, or for RTCP leg_media's; when
 * its `len` is 0 the packet ends as NO_NEIGHBOUR and worker_neighbour_want(w, leg) is told. */
void tx_put(struct worker *w, struct leg *leg, const struct net_head *head, struct rte_mbuf *m,
	    enum tx_origin origin);

/* tx.c: it cannot go out: free it; of a received one `fate` is counted. */
void tx_give_up(struct worker *w, struct rte_mbuf *m, enum tx_origin origin, enum packet_fate fate);

/* srtp_seal.c: takes an RTP packet of an encrypted leg; srtp_seal_burst() hands it to tx_put(). */
void srtp_seal_put(struct worker *w, struct leg *leg, struct rte_mbuf *m, enum tx_origin origin);

/* Takes an RTP packet that leaves by `leg`, whole and plain: sealed if the leg has keys, then sent. Every RTP
 * packet leaves this way. */
static inline void path_send(struct worker *w, struct leg *leg, struct rte_mbuf *m,
			     enum tx_origin origin)
{
	if (leg->out.flags & LEG_OUT_SRTP)
		srtp_seal_put(w, leg, m, origin);
	else
		tx_put(w, leg, &leg->head, m, origin);
}

/* A received packet ends here: free it and count its fate; with `leg` a drop also counts there. */
void path_end(struct worker *w, struct leg *leg, struct rte_mbuf *m, enum packet_fate fate);

/* Move row `from` to row `to` (to <= from), all columns. */
static inline void burst_move(struct burst *b, uint16_t to, uint16_t from)
{
	if (to == from)
		return;
	b->pkt[to] = b->pkt[from];
	b->leg[to] = b->leg[from];
	b->from[to] = b->from[from];
	b->rtp[to] = b->rtp[from];
	b->codec[to] = b->codec[from];
}

#endif
