/* Copies of packets for an operator's eyes: one call or one leg, both directions, as they are on the
 * wire (SRTP stays SRTP).
 *
 * Where: IN is taken behind rx, when a frame is whole and nobody has touched it; OUT in front of the
 * port, when all headers are written. So a relayed packet is seen twice, before and after it
 * was rewritten. A packet that another worker received is taken by the worker that owns the leg.
 *
 * Main makes a capture, gives it to the worker by COMMAND_CAPTURE_SET, takes packets out of its ring and
 * frees it when the worker has confirmed that it let go. When the ring is full a copy is left out and
 * counted; the packet itself never waits. While nothing is captured, it costs one test per burst.
 *
 * Thread: as said at each.
 */
#ifndef PATH_CAPTURE_H
#define PATH_CAPTURE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/spsc.h"
#include "worker/command.h"

struct rte_mbuf;
struct worker;

enum {
	CAPTURE_BYTES = 1536, /* of a frame, at most */
	CAPTURE_SLOTS = 1024, /* packets that may wait for main: five seconds of a call */
};

enum capture_way { CAPTURE_IN, CAPTURE_OUT };

struct capture_packet {
	uint64_t wall_ns; /* since the epoch */
	struct leg_ref leg;
	uint8_t way;  /* enum capture_way */
	uint16_t len; /* bytes on the wire */
	uint16_t kept;
	uint8_t frame[CAPTURE_BYTES];
};

struct capture {
	struct call_ref call; /* what is captured: the call of the command ... */
	/* Set by main before it is given to the worker. */
	struct leg_ref leg;   /* ... or with a generation other than 0 only this leg */
	uint64_t packets_max; /* ends by itself after so many */
	/* Worker to main. */
	struct spsc ring; /* of struct capture_packet */
	_Atomic uint64_t taken, lost;
};

/* main: make one, all memory included; NULL: no memory. And free it, when no worker has it. */
struct capture *capture_create(void);
void capture_destroy(struct capture *c);

/* worker: copy those of these frames that are of the captured legs. Only with w->capture. */
void capture_frames(struct worker *w, struct rte_mbuf *const *pkt, uint16_t n,
		    enum capture_way way);

#endif
