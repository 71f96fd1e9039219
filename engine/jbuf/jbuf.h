/* Reordering and playout of one incoming RTP stream.
 *
 * Packets enter in arrival order and leave in sequence order when the listener's clock asks for
 * more sound: the caller's tick drives playout, the buffer only decides what comes next. It keeps
 * handles and never looks inside them; it holds no clock, takes no lock and allocates nothing.
 *
 * At its tick the caller asks until it has enough samples (every answer but DISCARD stands for at
 * least one tick of media time, so this ends):
 *
 *	while (have < need) {
 *		switch (jbuf_get(jb, now_ns, need - have, &out)) {
 *		case JBUF_GET_READY:    decode out.pkt, free it; have += samples; break;
 *		case JBUF_GET_LOST:
 *		case JBUF_GET_UNDERRUN: conceal out.ticks; have += out.ticks; break;
 *		case JBUF_GET_SILENCE:  out.ticks of silence; have += out.ticks; break;
 *		case JBUF_GET_DISCARD:  free out.pkt; break;
 *		}
 *	}
 *
 * Delay. The first packet of a talk spurt (first of all, after a gap in the timestamps, after a
 * long underrun) is held for the target delay; what follows plays without a gap.
 *   target = min + 3 x jitter + boost, at most max. `jitter` is the smoothed one of RFC 3550, A.8,
 *   measured here; a packet that came too late adds one packet time to `boost`, and each round of
 *   50 packets takes a quarter of one off again.
 *   The delay grows by itself when a packet comes after an underrun: it plays, later.
 *   It shrinks by at most one packet in a round: when even the packet that waited least waited
 *   longer than min + one packet time, and for ten rounds nothing was late or underran (else:
 *   longer than target + one packet time), the next one is discarded. A packet that has waited
 *   longer than max + one packet time is always discarded.
 * Clock difference needs no more than this: a slow sender underruns, a fast one is discarded from.
 *
 * Thread: one owner, the worker that owns the leg. Source: RFC 3550, 5.1. The statistics that RTCP
 * reports are measured in rtp/, before packets are refused here.
 */
#ifndef JBUF_JBUF_H
#define JBUF_JBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JBUF_SLOTS_MIN = 8, JBUF_SLOTS_MAX = 1024, JBUF_DELAY_MS_MAX = 1000 };

struct jbuf_config {
	uint32_t clock_hz; /* RTP clock: 8000 for G.711 */
	uint16_t slots;    /* capacity in packets, a power of two; 32 holds 640 ms of 20 ms */
	uint16_t min_ms;   /* smallest delay, may be 0 */
	uint16_t max_ms;   /* largest delay, at least min_ms */
};

enum jbuf_put {
	JBUF_PUT_KEPT, /* the buffer owns the packet; in the other cases the caller does */
	JBUF_PUT_DUP,  /* this sequence number is already held */
	JBUF_PUT_LATE, /* its turn has passed */
	JBUF_PUT_FAR,  /* `slots` or more ahead while packets are held; once these have played, a
			* packet from anywhere ahead is kept and begins a spurt */
};

enum jbuf_get {
	JBUF_GET_READY,    /* out: pkt, which now belongs to the caller, and its ticks */
	JBUF_GET_LOST,     /* out: ticks. A packet is missing here and later ones are held */
	JBUF_GET_UNDERRUN, /* out: ticks, at most what was asked for. More was expected by now */
	JBUF_GET_SILENCE,  /* out: ticks, as above. Nothing is to be heard: before the first packet,
	                    * between talk spurts, while the first of one is held */
	JBUF_GET_DISCARD,  /* out: pkt, which now belongs to the caller: free it, do not play it */
};

struct jbuf_out {
	void *pkt;
	uint32_t ticks;
};

/* What became of packets since jbuf_init(); 32 bits outlast any call. */
struct jbuf_counts {
	uint32_t played;
	uint32_t lost; /* numbers that were passed over */
	uint32_t late;
	uint32_t duplicate;
	uint32_t far;
	uint32_t discarded;  /* dropped to shorten the delay */
	uint32_t underruns;  /* times that a packet came after its time and was played later */
	uint64_t void_ticks; /* time for which LOST or UNDERRUN was answered */
};

struct jbuf;

/* Bytes that a buffer of `slots` packets needs, for a cache-line aligned block. */
size_t jbuf_bytes(uint16_t slots);

/* Prepare a buffer in jbuf_bytes(cfg->slots) bytes of the caller's memory; whatever was there is
 * overwritten. Returns 0, or -EINVAL when a field of `cfg` is out of its range. */
int jbuf_init(struct jbuf *jb, const struct jbuf_config *cfg);

/* Offer one packet of `ticks` (1..0xffff) of media time. `pkt` is not NULL. `now_ns` is the
 * worker's clock and never decreases between calls. */
enum jbuf_put jbuf_put(struct jbuf *jb, void *pkt, uint16_t seq, uint32_t ts, uint32_t ticks,
		       uint64_t now_ns);

/* A packet with this number came but is not sound (telephone-event, comfort noise): its absence
 * here is not a loss. Playing past it ends a talk spurt. */
void jbuf_note(struct jbuf *jb, uint16_t seq);

/* What comes next. `want` (not 0) bounds the ticks of UNDERRUN and SILENCE. A pair may be one
 * packet longer than was asked for: READY and LOST stand for whole packets. */
enum jbuf_get jbuf_get(struct jbuf *jb, uint64_t now_ns, uint32_t want, struct jbuf_out *out);

/* Begin to fetch what jbuf_put() and jbuf_get() will touch: the buffer's own lines, then, when those
 * have come, the place of a number, and what stands at the cursor. */
void jbuf_fetch(const struct jbuf *jb);
void jbuf_fetch_slot(const struct jbuf *jb, uint16_t seq);

/* The packet at the cursor, which jbuf_get() may give next, or NULL. Nothing changes. */
const void *jbuf_peek(const struct jbuf *jb);

/* Another source or a restart of the sequence: call jbuf_drain() until NULL, freeing, then this (it
 * is a must() that nothing is held). The next packet begins a new stream. Counts and what was
 * learnt of the jitter stay. */
void jbuf_restart(struct jbuf *jb);

/* Hand back any one held packet, or NULL when none is left. For teardown and restart. */
void *jbuf_drain(struct jbuf *jb);

/* Packets held now. */
uint16_t jbuf_held(const struct jbuf *jb);

/* Target delay now, and how long the packet played last had waited. */
uint32_t jbuf_target_ms(const struct jbuf *jb);
uint32_t jbuf_delay_ms(const struct jbuf *jb);

const struct jbuf_counts *jbuf_counts(const struct jbuf *jb);

#endif
