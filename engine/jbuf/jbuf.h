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
 *		case JBUF_GET_READY:    decode out.pkt, free it; have += samples;
 *		                        if out.slip, make it longer or shorter (see below); break;
 *		case JBUF_GET_LOST:     out.next: decode its redundancy where there is some (Opus FEC), else
 *		case JBUF_GET_UNDERRUN: conceal out.ticks; have += out.ticks; break;
 *		case JBUF_GET_SILENCE:  out.ticks of silence; have += out.ticks; break;
 *		case JBUF_GET_DISCARD:  free out.pkt; break;
 *		}
 *	}
 *
 * Delay. A packet's lag is how much longer than the fastest it took (jbuf_line.h); its playout lag is
 * that and what it waits here. The first packet of a talk spurt (first of all, after a gap in the
 * timestamps, after a long underrun) is held until its playout lag is the target; what follows
 * plays without a gap.
 *   target = what would have let all but 2 % of the last ten to twenty seconds' packets be in time, at
 *   least min, plus boost, at most max. A packet that came too late adds one packet time to `boost`, and
 *   each 48 packets take a quarter of one off again.
 *   The delay grows by itself when a packet comes after an underrun: it plays, later.
 *   When the least playout lag of four packets is not the target, `slip` asks the caller to make the
 *   packet's sound so many ticks longer (> 0) or shorter (< 0), as well as can be done without being
 *   heard (dsp/slip.h), and to say with jbuf_slipped() how much it was. Once in four packets; with every
 *   one when more than a tick and 30 ms are to go. A caller who never does: where the delay stays more than
 *   30 ms and a packet time above the target, one packet in 48 is discarded.
 *   A packet that has waited longer than max + one packet time is always discarded.
 * A difference of clocks moves the line's base, and so is no more than a slow change of the delay.
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
	uint16_t tick_ms;  /* how often, and for how much, the caller asks; 0: 20 */
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
	const void
		*next; /* LOST: the packet right behind the lost one, still the buffer's, or NULL */
	int32_t slip;  /* READY: ticks by which its sound should become longer; 0: leave it */
};

/* What became of packets since jbuf_init(); 32 bits outlast any call. */
struct jbuf_counts {
	uint32_t played;
	uint32_t lost;      /* numbers that were passed over */
	uint32_t late;      /* came after that */
	uint32_t duplicate; /* held or already played */
	uint32_t reordered; /* came after a later one; kept or late */
	uint32_t far;
	uint32_t discarded; /* dropped to shorten the delay */
	uint32_t underruns; /* times that a packet came after its time and was played later */
	uint32_t expansions, compressions; /* as the caller said */
	uint64_t expanded_ticks, compressed_ticks;
	uint64_t void_ticks; /* time for which LOST or UNDERRUN was answered: to be concealed */
};

/* Waiting times of the packets played since jbuf_init(); all 0 before the first. */
struct jbuf_delay {
	uint32_t now_ms, target_ms, min_ms, max_ms, mean_ms;
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
 * here is not a loss. Playing past it ends a talk spurt, unless the next packet's sound begins right where
 * the last one's ended. */
void jbuf_note(struct jbuf *jb, uint16_t seq);

/* What comes next. `want` (not 0) bounds the ticks of UNDERRUN and SILENCE. A pair may be one
 * packet longer than was asked for: READY and LOST stand for whole packets. */
enum jbuf_get jbuf_get(struct jbuf *jb, uint64_t now_ns, uint32_t want, struct jbuf_out *out);

/* The sound of the packet that was READY last became `ticks` (not 0) longer, or shorter when below. */
void jbuf_slipped(struct jbuf *jb, int32_t ticks);

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

/* The RTP clock of packets from here on. Nothing may be held; what is known of jitter stays. */
void jbuf_clock(struct jbuf *jb, uint32_t clock_hz);

/* Hand back any one held packet, or NULL when none is left. For teardown and restart. */
void *jbuf_drain(struct jbuf *jb);

/* Packets held now. */
uint16_t jbuf_held(const struct jbuf *jb);

/* Target delay now, and how long the packet played last had waited. */
uint32_t jbuf_target_ms(const struct jbuf *jb);
uint32_t jbuf_delay_ms(const struct jbuf *jb);

struct jbuf_delay jbuf_delay(const struct jbuf *jb);

const struct jbuf_counts *jbuf_counts(const struct jbuf *jb);

#endif
