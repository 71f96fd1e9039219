/* SPDX-License-Identifier: Apache-2.0
 *
 * Jitter buffer: a ring of slots addressed by sequence number, played by a cursor.
 *
 *                 seq_next, ts_next          seq_newest
 *                    v                          v
 *      ... played |  A  .  C  v  v  .  G  .  .  H | not seen ...
 *                    |<------- fewer than `slots` ----->|
 *
 * A slot is empty, holds a packet, or is void: its number was seen and is not sound. Sequence
 * numbers and timestamps are widened to 64 bits on entry, so nothing below thinks about wrap. Facts
 * that hold between calls:
 *   - every slot in use has seq_next <= seq < seq_next + slots, so two never share a slot;
 *   - `held` is the number of slots with a packet.
 *
 * In a talk spurt the cursor also stands at a media time, ts_next: a packet that begins there plays
 * at once. When the caller's clock asks and nothing is there, time passes that no packet has paid
 * for: the `debt`. If the missing packets turn out to be lost, their time has been played already
 * and the debt is what they are paid with; if they come after all, they play, the debt is forgiven,
 * and everything is later by that much. A debt of the largest delay ends the spurt.
 */
#include "jbuf/jbuf.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "base/ext.h"
#include "base/must.h"
#include "base/units.h"

enum {
	ROUND_PACKETS = 50,
	CAUTION_ROUNDS = 10, /* after something was late */
	NS_SHIFT = 8,        /* ns_per_tick has so many fractional bits */
};

struct slot {
	void *pkt; /* NULL: empty or void */
	uint64_t arrival_ns;
	uint64_t ts;
	uint16_t ticks;
	bool is_void;
};

struct jbuf {
	/* Settled by jbuf_init(). */
	uint64_t mask; /* slots - 1 */
	uint64_t min_ns, max_ns;
	uint64_t ns_per_tick_q8;
	uint32_t max_ticks;

	uint16_t held;
	bool started;  /* the fields below mean something */
	bool begun;    /* the cursor has moved: the start can no more move back */
	bool in_spurt; /* ts_next and debt mean something */
	bool trim;     /* discard one packet when it does no harm */
	uint8_t caution;
	uint8_t round; /* packets played in this round */
	uint16_t last_ticks;
	uint32_t debt;
	uint64_t seq_next, seq_newest;
	uint64_t ts_next, ts_newest;

	/* Measured. */
	bool timed; /* last_put_ns and last_put_ts are of a packet */
	uint64_t last_put_ns, last_put_ts;
	uint64_t jitter_ns, boost_ns;
	uint64_t wait_min_ns; /* of this round */
	uint64_t delay_ns;    /* of the packet played last */
	struct jbuf_counts counts;

	alignas(64) struct slot slot[];
};

static struct slot *slot_of(struct jbuf *jb, uint64_t seq)
{
	return &jb->slot[seq & jb->mask];
}

static uint64_t ns_of(const struct jbuf *jb, uint32_t ticks)
{
	return (ticks * jb->ns_per_tick_q8) >> NS_SHIFT;
}

static uint64_t target_ns(const struct jbuf *jb)
{
	uint64_t t = jb->min_ns + 3 * jb->jitter_ns + jb->boost_ns;

	return t < jb->max_ns ? t : jb->max_ns;
}

size_t jbuf_bytes(uint16_t slots)
{
	return sizeof(struct jbuf) + slots * sizeof(struct slot);
}

int jbuf_init(struct jbuf *jb, const struct jbuf_config *cfg)
{
	if (cfg->clock_hz < 1000 || cfg->clock_hz > 1000000 || cfg->slots < JBUF_SLOTS_MIN ||
	    cfg->slots > JBUF_SLOTS_MAX || (cfg->slots & (cfg->slots - 1)) != 0 ||
	    cfg->max_ms > JBUF_DELAY_MS_MAX || cfg->min_ms > cfg->max_ms)
		return -EINVAL;
	memset(jb, 0, jbuf_bytes(cfg->slots));
	jb->mask = cfg->slots - 1U;
	jb->min_ns = cfg->min_ms * PB_NS_PER_MS;
	jb->max_ns = cfg->max_ms * PB_NS_PER_MS;
	jb->ns_per_tick_q8 = (PB_NS_PER_S << NS_SHIFT) / cfg->clock_hz;
	jb->max_ticks = (uint32_t)((uint64_t)cfg->max_ms * cfg->clock_hz / 1000);
	jb->wait_min_ns = UINT64_MAX;
	return 0;
}

/* RFC 3550, A.8, in nanoseconds. A step of more than the largest delay there can be is a new time
 * base. */
static void measure(struct jbuf *jb, uint64_t ts, uint64_t now_ns)
{
	if (jb->timed) {
		uint64_t media_ns = ts > jb->last_put_ts
					    ? ns_of(jb, (uint32_t)(ts - jb->last_put_ts))
					    : 0 - ns_of(jb, (uint32_t)(jb->last_put_ts - ts));
		uint64_t d = now_ns - jb->last_put_ns - media_ns;

		if (d >> 63)
			d = 0 - d;
		if (d < JBUF_DELAY_MS_MAX * PB_NS_PER_MS)
			jb->jitter_ns += (d >> 4) - (jb->jitter_ns >> 4);
	}
	jb->last_put_ns = now_ns;
	jb->last_put_ts = ts;
	jb->timed = true;
}

static void late(struct jbuf *jb, uint32_t ticks)
{
	jb->counts.late++;
	jb->caution = CAUTION_ROUNDS;
	jb->boost_ns += ns_of(jb, ticks);
	if (jb->boost_ns > jb->max_ns)
		jb->boost_ns = jb->max_ns;
}

/* Nothing is held and the stream goes on somewhere ahead, further than the ring reaches. */
static void jump(struct jbuf *jb, uint64_t seq)
{
	uint64_t lost = seq - jb->seq_next;

	for (uint64_t i = 0; i <= jb->mask; i++)
		jb->slot[i].is_void = false;
	jb->counts.lost += (uint32_t)lost;
	jb->seq_next = seq;
	jb->in_spurt = false;
	jb->begun = true;
}

static void start(struct jbuf *jb, uint16_t seq, uint32_t ts)
{
	jb->seq_next = jb->seq_newest = EXT_ORIGIN + seq;
	jb->ts_newest = EXT_ORIGIN + ts;
	jb->started = true;
	jb->begun = false;
	jb->in_spurt = false;
}

enum jbuf_put jbuf_put(struct jbuf *jb, void *pkt, uint16_t seq, uint32_t ts, uint32_t ticks,
		       uint64_t now_ns)
{
	hot_assert(pkt != NULL && ticks > 0 && ticks <= UINT16_MAX);
	if (!jb->started)
		start(jb, seq, ts);

	uint64_t seq_ext = ext16(jb->seq_newest, seq);
	uint64_t ts_ext = ext32(jb->ts_newest, ts);

	/* Until the cursor moves the start may still move back: the network may well have swapped
	 * the first two packets. */
	if (!jb->begun && seq_ext < jb->seq_next && jb->seq_newest - seq_ext <= jb->mask)
		jb->seq_next = seq_ext;

	if (seq_ext < jb->seq_next) {
		late(jb, ticks);
		return JBUF_PUT_LATE;
	}
	if (seq_ext - jb->seq_next > jb->mask) {
		if (jb->held > 0) {
			jb->counts.far++;
			return JBUF_PUT_FAR;
		}
		jump(jb, seq_ext);
	}

	struct slot *s = slot_of(jb, seq_ext);

	if (s->pkt != NULL || s->is_void) {
		jb->counts.duplicate++;
		return JBUF_PUT_DUP;
	}
	measure(jb, ts_ext, now_ns);
	s->pkt = pkt;
	s->arrival_ns = now_ns;
	s->ts = ts_ext;
	s->ticks = (uint16_t)ticks;
	jb->held++;
	if (seq_ext >= jb->seq_newest) {
		jb->seq_newest = seq_ext;
		jb->ts_newest = ts_ext;
	}
	return JBUF_PUT_KEPT;
}

void jbuf_note(struct jbuf *jb, uint16_t seq)
{
	if (!jb->started)
		return;

	uint64_t seq_ext = ext16(jb->seq_newest, seq);

	if (seq_ext < jb->seq_next)
		return;
	if (seq_ext - jb->seq_next > jb->mask) {
		if (jb->held > 0)
			return;
		jump(jb, seq_ext);
	}

	struct slot *s = slot_of(jb, seq_ext);

	if (s->pkt != NULL)
		return;
	s->is_void = true;
	if (seq_ext > jb->seq_newest)
		jb->seq_newest = seq_ext;
}

/* The cursor passes one number. */
static void advance(struct jbuf *jb)
{
	struct slot *s = slot_of(jb, jb->seq_next);

	if (s->pkt != NULL)
		jb->held--;
	s->pkt = NULL;
	s->is_void = false;
	jb->seq_next++;
	jb->begun = true;
}

/* Void numbers at the cursor take no time and end the spurt. */
static void pass_voids(struct jbuf *jb)
{
	while (slot_of(jb, jb->seq_next)->is_void) {
		advance(jb);
		jb->in_spurt = false;
	}
}

static enum jbuf_get silence(struct jbuf_out *out, uint32_t want)
{
	*out = (struct jbuf_out){.ticks = want};
	return JBUF_GET_SILENCE;
}

/* Nothing is held. */
static enum jbuf_get run_dry(struct jbuf *jb, uint32_t want, struct jbuf_out *out)
{
	if (!jb->in_spurt)
		return silence(out, want);
	if (jb->debt >= jb->max_ticks) {
		jb->in_spurt = false;
		return silence(out, want);
	}
	jb->debt += want;
	jb->counts.void_ticks += want;
	*out = (struct jbuf_out){.ticks = want};
	return JBUF_GET_UNDERRUN;
}

/* One number is missing at the cursor while later ones are held: how much of its time is still to
 * be played? `next` is the first slot in use after it. */
static uint32_t hole_ticks(struct jbuf *jb, const struct slot *next)
{
	if (!jb->in_spurt || next->is_void || next->ts <= jb->ts_next)
		return 0;

	uint64_t room = next->ts - jb->ts_next;
	uint32_t ticks = room < jb->last_ticks ? (uint32_t)room : jb->last_ticks;
	uint32_t paid = jb->debt < ticks ? jb->debt : ticks;

	jb->ts_next += ticks;
	jb->debt -= paid;
	return ticks - paid;
}

/* The first of a spurt waits out the target delay, unless the ring is about to overflow. */
static bool is_due(const struct jbuf *jb, const struct slot *s, uint64_t now_ns)
{
	return now_ns - s->arrival_ns >= target_ns(jb) || jb->seq_newest - jb->seq_next >= jb->mask;
}

static void end_round(struct jbuf *jb, uint64_t packet_ns)
{
	uint64_t enough = (jb->caution > 0 ? target_ns(jb) : jb->min_ns) + packet_ns;

	jb->trim = jb->wait_min_ns > enough;
	jb->boost_ns -= jb->boost_ns < packet_ns / 4 ? jb->boost_ns : packet_ns / 4;
	if (jb->caution > 0)
		jb->caution--;
	jb->wait_min_ns = UINT64_MAX;
	jb->round = 0;
}

/* Hand over the packet at the cursor, to be played or not. */
static enum jbuf_get take(struct jbuf *jb, struct slot *s, bool play, uint64_t now_ns,
			  struct jbuf_out *out)
{
	uint64_t wait_ns = now_ns - s->arrival_ns;

	*out = (struct jbuf_out){.pkt = s->pkt, .ticks = s->ticks};
	jb->ts_next = s->ts + s->ticks;
	jb->last_ticks = s->ticks;
	advance(jb);
	if (!play) {
		jb->trim = false;
		jb->counts.discarded++;
		return JBUF_GET_DISCARD;
	}
	jb->counts.played++;
	jb->delay_ns = wait_ns;
	if (wait_ns < jb->wait_min_ns)
		jb->wait_min_ns = wait_ns;
	if (++jb->round == ROUND_PACKETS)
		end_round(jb, ns_of(jb, jb->last_ticks));
	return JBUF_GET_READY;
}

/* A packet is at the cursor. */
static enum jbuf_get next_packet(struct jbuf *jb, struct slot *s, uint64_t now_ns, uint32_t want,
				 struct jbuf_out *out)
{
	bool starts = !jb->in_spurt || s->ts > jb->ts_next;

	if (now_ns - s->arrival_ns > jb->max_ns + ns_of(jb, s->ticks))
		return take(jb, s, false, now_ns, out);
	if (starts) {
		if (!is_due(jb, s, now_ns))
			return silence(out, want);
		jb->in_spurt = true;
	} else if (jb->debt > 0) {
		jb->counts.underruns++;
		jb->caution = CAUTION_ROUNDS;
	} else if (jb->trim && jb->held > 1) {
		return take(jb, s, false, now_ns, out);
	}
	jb->debt = 0;
	return take(jb, s, true, now_ns, out);
}

enum jbuf_get jbuf_get(struct jbuf *jb, uint64_t now_ns, uint32_t want, struct jbuf_out *out)
{
	hot_assert(want > 0);
	if (!jb->started)
		return silence(out, want);

	for (;;) {
		pass_voids(jb);
		if (jb->held == 0)
			return run_dry(jb, want, out);

		struct slot *s = slot_of(jb, jb->seq_next);

		if (s->pkt != NULL)
			return next_packet(jb, s, now_ns, want, out);

		uint64_t seq = jb->seq_next + 1;

		while (slot_of(jb, seq)->pkt == NULL && !slot_of(jb, seq)->is_void)
			seq++;
		s = slot_of(jb, seq);
		/* Before a spurt the missing one may yet come. */
		if (!jb->in_spurt && s->pkt != NULL && !is_due(jb, s, now_ns))
			return silence(out, want);

		uint32_t ticks = hole_ticks(jb, s);

		advance(jb);
		jb->counts.lost++;
		if (ticks > 0) {
			jb->counts.void_ticks += ticks;
			*out = (struct jbuf_out){.ticks = ticks};
			return JBUF_GET_LOST;
		}
	}
}

void jbuf_fetch(const struct jbuf *jb)
{
	for (size_t at = 0; at < sizeof(*jb); at += 64)
		__builtin_prefetch((const uint8_t *)jb + at, 1);
}

void jbuf_fetch_slot(const struct jbuf *jb, uint16_t seq)
{
	__builtin_prefetch(&jb->slot[seq & jb->mask], 1);
}

const void *jbuf_peek(const struct jbuf *jb)
{
	return jb->held > 0 ? jb->slot[jb->seq_next & jb->mask].pkt : NULL;
}

void jbuf_restart(struct jbuf *jb)
{
	must(jb->held == 0);
	for (uint64_t i = 0; i <= jb->mask; i++)
		jb->slot[i].is_void = false;
	jb->started = false;
	jb->in_spurt = false;
	jb->timed = false;
	jb->trim = false;
	jb->debt = 0;
}

void *jbuf_drain(struct jbuf *jb)
{
	while (jb->held > 0) {
		void *pkt = slot_of(jb, jb->seq_next)->pkt;

		advance(jb);
		jb->in_spurt = false;
		if (pkt != NULL)
			return pkt;
	}
	return NULL;
}

uint16_t jbuf_held(const struct jbuf *jb)
{
	return jb->held;
}

uint32_t jbuf_target_ms(const struct jbuf *jb)
{
	return (uint32_t)(target_ns(jb) / PB_NS_PER_MS);
}

uint32_t jbuf_delay_ms(const struct jbuf *jb)
{
	return (uint32_t)(jb->delay_ns / PB_NS_PER_MS);
}

const struct jbuf_counts *jbuf_counts(const struct jbuf *jb)
{
	return &jb->counts;
}
