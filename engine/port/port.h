/* Ports: how packets reach the engine and leave it.
 *
 * A port is an Ethernet device of DPDK together with the addresses that the engine speaks for on
 * it. Two manners:
 *   shared     AF_XDP or AF_PACKET on a kernel interface. The kernel keeps its addresses, answers
 *              ARP, ND and ICMP and resolves next hops; the engine takes the RTP port range.
 *   exclusive  PCI device, kernel interface without addresses, tap, memif, any virtual device, ring
 *              pair. The engine answers for the address itself.
 *
 * A worker sees its share of the port, a *lane*: a queue to receive from and to send by, or, when the device
 * has fewer queues than there are workers, a ring to the lane that has one; a ring for packets that
 * other workers received for it; descriptors to sleep on.
 *
 * The main lcore sees the port itself: it opens and closes it, resolves neighbours, answers what
 * is LOCAL, and watches the link.
 */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"
#include "port/bell.h"
#include "port/port_spec.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

enum {
	PORT_WORKERS_MAX = 64,
	PORT_BURST_MAX = 32,
	PORT_LANE_FDS_MAX = 4,
	PORT_HANDOFF_SLOTS = 1024, /* packets that may wait for the worker that owns them */
};

struct port;

/* One worker's share of the port. Set up by port_open(); read only afterwards except `bell`. */
struct port_lane {
	struct port *port;
	const struct net_own *own; /* addresses; constant while the port is open */
	struct bell *bell;         /* this worker's; ring it after putting work into its mailbox */
	uint16_t worker;           /* 0.. */
	uint16_t workers;
	uint16_t dev;   /* DPDK's port id */
	bool has_queue; /* else packets come by `handoff` and leave by `tx_out` */
	uint16_t
		queue; /* its first one; sends by this, receives from every `workers`-th from here */
	uint16_t queues;          /* of the device */
	struct rte_ring *handoff; /* to this worker: frames that others received (many producers) */
	struct rte_ring *tx_in;   /* to this worker: frames of workers without a queue */
	struct rte_ring *tx_out;  /* the tx_in of the worker that sends for this one, or NULL */
	struct bell *tx_bell;     /* ... and its bell */
	/* memif: written by the worker, read by DPDK's interrupt thread; see port_memif.c */
	bool guarded;
	_Atomic bool in_burst;
	uint8_t fds;
	int fd[PORT_LANE_FDS_MAX]; /* readable when the queue has packets; none for ring ports */
};

/* ---- a worker's calls; thread: the worker that owns the lane ---- */

/* Receive up to `n` (<= PORT_BURST_MAX) frames: first what other workers handed over, then the
 * queue's. `*handed` of those returned (they stand first) came from other workers and have been
 * counted as received there. The caller owns them. */
uint16_t port_receive(struct port_lane *l, struct rte_mbuf **pkt, uint16_t n, uint16_t *handed);

/* Give a whole frame to the worker that owns its leg. Takes `m` when it returns true; false =
 * ring full, the caller keeps it. The receiver is woken by port_handoff_flush(). */
bool port_handoff(struct port_lane *l, uint16_t worker, struct rte_mbuf *m);

/* Wake those who were handed something since the last flush. `woken` is a bit set of workers that
 * the caller kept. Once per turn. */
void port_handoff_flush(struct port_lane *l, uint64_t workers);

/* Give a LOCAL frame (ARP, ND, ICMP) to the main lcore. As port_handoff(). */
bool port_local(struct port_lane *l, struct rte_mbuf *m);

/* Send up to `n` frames. Returns how many were taken, from the front; the caller keeps the others.
 * Lanes without a queue put them into another's ring and wake it. */
uint16_t port_send(struct port_lane *l, struct rte_mbuf **pkt, uint16_t n);

/* Forward what lanes without a queue want sent by this one. Returns how many frames could not be
 * sent and were freed. Once per turn. */
uint16_t port_send_others(struct port_lane *l);

/* Sleep until a packet comes, the bell rings or `timeout_ns` have passed. Order of use:
 *	bell_drowse(l->bell); look at your own mailboxes; port_wait(l, t) or bell_wake(l->bell).
 * Returns at once when a hand-off ring has work. Awake (bell_wake) on return. Ring ports have no
 * descriptor to wait on and sleep at most 500 us. */
void port_wait(struct port_lane *l, uint64_t timeout_ns);

/* ---- the main lcore's calls ---- */

struct port_config {
	uint16_t workers;
	uint16_t rtp_first, rtp_last; /* UDP ports that the engine takes */
	uint16_t ports_per_worker;    /* consecutive ones belong to one worker; 0: not known */
	uint16_t rx_slots, tx_slots;  /* descriptors per queue */
	struct rte_mempool *pool;     /* packet memory of all queues; outlives the port */
	/* Ring ports only: rings made by the test, one per worker. Frames put into to_engine[i]
	 * are received by lane i; what lane i sends comes out of from_engine[i]. */
	struct rte_ring *to_engine[PORT_WORKERS_MAX];
	struct rte_ring *from_engine[PORT_WORKERS_MAX];
};

/* How many queues the port will have at most, for the plan of packet memory. */
uint16_t port_queues(const struct port_spec *spec, uint16_t workers);

/* Open and start the port, trying the drivers that `spec` allows in order; each fall-back is logged.
 * Returns 0 and `*port`, or negative errno after logging why every driver refused. */
int port_open(struct port **port, const struct port_spec *spec, const struct port_config *cfg);

/* Stop, detach and free. The workers must have ended. */
void port_close(struct port **port);

/* The lane of a worker; lives as long as the port. */
struct port_lane *port_lane(struct port *port, uint16_t worker);

const struct net_own *port_own(const struct port *port);

/* For `stat.engine`. */
struct port_info {
	const char *name;     /* interface or device */
	const char *driver;   /* "af_xdp" ...: port_driver_name() */
	const char *fallback; /* why a better driver was not used, or NULL */
	bool link;
	bool steered; /* the NIC puts each worker's ports into its queue */
	uint16_t queues;
	uint64_t rx_missed, rx_nombuf; /* the device's own counts of what it could not deliver */
};
void port_describe(const struct port *port, struct port_info *info);

/* A next hop's link address became known. `ip` has 4 or 16 bytes by `family` and is the destination
 * that was asked for, not the gateway. */
typedef void port_neighbour_fn(void *arg, uint8_t family, const uint8_t *ip, const uint8_t mac[6]);

/* Who wants to know. Set before the first port_neighbour_want(). */
void port_set_neighbour_fn(struct port *port, port_neighbour_fn *fn, void *arg);

/* Begin to resolve the way to `ip`; the answer comes from port_house() by the callback, perhaps
 * before this returns. Asking again while it runs is cheap and changes nothing. */
void port_neighbour_want(struct port *port, uint8_t family, const uint8_t *ip, uint64_t now_ns);

/* Somebody sends to `ip` and knows the way: it is looked after as if it had been wanted, but told only when it
 * changes. */
void port_neighbour_used(struct port *port, uint8_t family, const uint8_t *ip, uint64_t now_ns);

/* A descriptor for the main loop: readable when port_house() has something to do. */
int port_fd(const struct port *port);

/* Answer LOCAL frames, carry neighbour resolution on, notice the link. Call when port_fd() is
 * readable and every 100 ms or so. */
void port_house(struct port *port, uint64_t now_ns);

#endif
