/* What a receiver knows of one incoming RTP source: sequence, loss, duplicates, jitter.
 *
 * Sixty-four bytes per leg, of which a packet in order moves the first RTP_SOURCE_OFTEN and no others. The 64 newest sequence numbers are remembered,
 * so a duplicate and a reordered packet are told apart without a table. A jump of the sequence by
 * RTP_SOURCE_DROPOUT_MAX or more is believed only when the next packet continues it: one stray
 * packet cannot move the counters. Counts go on over restarts and changes of SSRC: they are the
 * leg's.
 *
 * Thread: the leg's owner. Sources: RFC 3550, 6.4.1, A.1 (without the probation of new sources: a
 * packet reaches this only after the leg's source check), A.3, A.8.
 */
#ifndef RTP_RTP_SOURCE_H
#define RTP_RTP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/rtcp.h"
#include "rtp/rtp.h"

enum {
	RTP_SOURCE_DROPOUT_MAX = 3000, /* a larger step forward is a restart (RFC 3550, A.1) */
	RTP_SOURCE_MISORDER_MAX = 100, /* a larger step back is a restart */
};

struct rtp_source {
	uint64_t seen; /* bit i: seq_max - i was received */
	uint32_t ssrc;
	uint32_t seq_max;      /* highest received, wraps counted in the upper half */
	uint32_t seq_base;     /* first of this run of the sequence */
	uint32_t received;     /* of this run, without duplicates */
	uint32_t transit;      /* arrival minus timestamp of the newest packet, ticks */
	uint32_t jitter_q4;    /* interarrival jitter in ticks, 4 fractional bits */
	uint32_t bad_seq;      /* the next number that would confirm a jump; > 0xffff: none */
	uint16_t runs;         /* sources and restarts seen, 0 = no packet yet; stays at 0xffff */
	uint8_t transit_known; /* `transit` holds a packet's value */
	uint8_t spare;

	/* Here ends what each packet moves. */
	uint32_t expected_before, received_before; /* of earlier runs of this leg */
	uint32_t expected_prior, received_prior;   /* at the last report */
	uint32_t duplicates;
	uint32_t reordered;
};

#define RTP_SOURCE_OFTEN offsetof(struct rtp_source, expected_before)
_Static_assert(sizeof(struct rtp_source) == 64, "the size of a cache line");

enum rtp_source_heard {
	RTP_SOURCE_NEXT,      /* in order; a gap before it may have been left */
	RTP_SOURCE_REORDERED, /* older than the newest, first time seen */
	RTP_SOURCE_DUPLICATE, /* seen before, or so old that we cannot know; fate DUPLICATE */
	RTP_SOURCE_FAR,       /* a jump not yet confirmed; not counted; fate FAR */
	RTP_SOURCE_NEW, /* first packet, another SSRC, or a confirmed restart: reset the jitter
	                       * buffer, the telephone-event receiver and the relay's anchor */
};

/* No packet yet. All zero bytes are this state too. */
void rtp_source_init(struct rtp_source *s);

/* Count one valid packet. `arrival` is rtp_ticks(now_ns, clock_hz) of the packet's clock. `timed`:
 * measure jitter with it; false for telephone-event, whose timestamp stands still. */
enum rtp_source_heard rtp_source_update(struct rtp_source *s, const struct rtp_view *v,
					uint32_t arrival, bool timed);

/* Packets received since the leg was opened, without duplicates; expected; and of these missing (never negative; duplicates do
 * not make up for losses). */
uint64_t rtp_source_received(const struct rtp_source *s);
uint64_t rtp_source_expected(const struct rtp_source *s);
uint64_t rtp_source_lost(const struct rtp_source *s);

/* The RTP clock is another from here on: jitter is measured anew (RFC 7160). */
void rtp_source_clock(struct rtp_source *s);

/* Interarrival jitter in microseconds. `clock_hz` not 0. */
uint32_t rtp_source_jitter_us(const struct rtp_source *s, uint32_t clock_hz);

/* Fill the report block about this source and begin the next interval of `fraction_lost`. `lsr` and
 * `dlsr` are left 0: the caller knows the sender reports (rtcp_block_since()). Returns false,
 * nothing filled, when nothing was ever received. */
bool rtp_source_report(struct rtp_source *s, struct rtcp_block *b);

#endif
