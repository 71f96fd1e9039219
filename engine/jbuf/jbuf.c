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
 *
 * The playout lag of a packet is how long after the fastest packet's instant it plays: what the line
 * cost it (jbuf_line.h) and what it waited here. The least of a group of packets is compared with
 * the target; the difference is what the caller is asked to take out of the sound or to put in.
 */
#include "jbuf/jbuf.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "base/ext.h"
#include "base/must.h"
#include "base/units.h"
#include "jbuf/jbuf_line.h"

enum {
	GROUP = 4,         /* packets whose least lag is looked at */
	PATIENCE = 12,     /* groups much too late that nobody shortened: a packet is dropped */
	BOOST_GROUPS = 12, /* a quarter of a packet time off the boost, so often */
	NS_SHIFT = 8,      /* ns_per_tick has so many fractional bits */
	PLAYED_KNOWN = 64, /* numbers passed of which we know whether they came */
};

/* So much more than the target must be left when a tick is taken away, and be there when a spurt begins
 * on a line whose lags are more than the least delay: about a bin of jbuf_line.h. */
#define OVER_NS (4 * PB_NS_PER_MS)
/* Further off than this every packet may be shortened; less, one in a group. */
#define HURRY_NS   (30 * PB_NS_PER_MS)
#define FAR_OFF_NS (30 * PB_NS_PER_MS)

struct slot {
	void *pkt; /* NULL: empty or void */
	uint64_t arrival_ns;
	uint64_t ts;
	uint32_t lag_us; /* what the line cost it */
	uint16_t ticks;
	bool is_void;
};

struct jbuf {
	/* Settled by jbuf_init(). */
	uint64_t mask; /* slots - 1 */
	uint64_t min_ns, max_ns;
	uint64_t ns_per_tick_q8;
	uint64_t tick_ns;    /* the listener's */
	uint32_t tick_ticks; /* the same in RTP time */
	uint32_t max_ticks;

	uint16_t held;
	bool started;    /* the fields below mean something */
	bool begun;      /* the cursor has moved: the start can no more move back */
	bool in_spurt;   /* ts_next and debt mean something */
	bool voided;     /* and void numbers were passed since: the spurt goes on only at ts_next */
	bool trim;       /* discard one packet when it does no harm */
	uint8_t group;   /* packets played in this group */
	uint8_t unheard; /* groups in a row that were much too late */
	uint8_t fading;  /* groups until the boost shrinks */
	uint16_t last_ticks;
	uint32_t debt;
	uint64_t seq_next, seq_newest;
	uint64_t ts_next, ts_newest;

	uint64_t came; /* bit i: number seq_next - 1 - i was played or void */

	/* Measured. */
	uint64_t boost_ns;
	uint64_t lag_low_ns;  /* least playout lag of this group */
	uint64_t wait_low_ns; /* least time that one of it waited */
	bool hurry;           /* slip with every packet */
	int32_t slip;         /* ticks that the sound should become longer by */
	uint64_t delay_ns;    /* of the packet played last */
	uint64_t delay_sum_ns, delay_min_ns, delay_max_ns;
	struct jbuf_counts counts;
	struct jbuf_line line;

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
	uint64_t enough = jbuf_line_enough_ns(&jb->line);
	uint64_t t = (enough > jb->min_ns ? enough : jb->min_ns) + jb->boost_ns;

	return t < jb->max_ns ? t : jb->max_ns;
}

size_t jbuf_bytes(uint16_t slots)
{
	return sizeof(struct jbuf) + slots * sizeof(struct slot);
}

static void clock_set(struct jbuf *jb, uint32_t clock_hz)
{
	jb->ns_per_tick_q8 = (PB_NS_PER_S << NS_SHIFT) / clock_hz;
	jb->tick_ticks = (uint32_t)(jb->tick_ns / PB_NS_PER_MS * clock_hz / 1000);
	jb->max_ticks = (uint32_t)(jb->max_ns / PB_NS_PER_MS * clock_hz / 1000);
}

int jbuf_init(struct jbuf *jb, const struct jbuf_config *cfg)
{
	if (cfg->clock_hz < 1000 || cfg->clock_hz > 1000000 || cfg->slots < JBUF_SLOTS_MIN ||
	    cfg->slots > JBUF_SLOTS_MAX || (cfg->slots & (cfg->slots - 1)) != 0 ||
	    cfg->max_ms > JBUF_DELAY_MS_MAX || cfg->min_ms > cfg->max_ms ||
	    cfg->tick_ms > JBUF_DELAY_MS_MAX)
		return -EINVAL;
	memset(jb, 0, jbuf_bytes(cfg->slots));
	jb->mask = cfg->slots - 1U;
	jb->min_ns = cfg->min_ms * PB_NS_PER_MS;
	jb->max_ns = cfg->max_ms * PB_NS_PER_MS;
	jb->tick_ns = (cfg->tick_ms ? cfg->tick_ms : 20U) * PB_NS_PER_MS;
	clock_set(jb, cfg->clock_hz);
	jb->lag_low_ns = jb->wait_low_ns = jb->delay_min_ns = UINT64_MAX;
	jbuf_line_init(&jb->line, jb->max_ns);
	return 0;
}

/* Its time has passed. Once more what has been played is a duplicate and tells nothing. */
static enum jbuf_put refuse(struct jbuf *jb, uint64_t seq, uint64_t transit_ns, uint32_t ticks,
			    uint64_t now_ns)
{
	uint64_t back = jb->seq_next - 1 - seq;

	if (back < PLAYED_KNOWN && (jb->came >> back & 1)) {
		jb->counts.duplicate++;
		return JBUF_PUT_DUP;
	}
	jb->counts.late++;
	if (seq < jb->seq_newest)
		jb->counts.reordered++;
	jbuf_line_packet(&jb->line, transit_ns, now_ns);
	jb->boost_ns += ns_of(jb, ticks);
	if (jb->boost_ns > jb->max_ns)
		jb->boost_ns = jb->max_ns;
	return JBUF_PUT_LATE;
}

/* Nothing is held and the stream goes on somewhere ahead, further than the ring reaches. */
static void jump(struct jbuf *jb, uint64_t seq)
{
	uint64_t lost = seq - jb->seq_next;

	for (uint64_t i = 0; i <= jb->mask; i++)
		jb->slot[i].is_void = false;
	jb->counts.lost += (uint32_t)lost;
	jb->seq_next = seq;
	jb->came = 0;
	jb->in_spurt = false;
	jb->begun = true;
	jb->voided = false;
}

static void start(struct jbuf *jb, uint16_t seq, uint32_t ts)
{
	jb->seq_next = jb->seq_newest = EXT_ORIGIN + seq;
	jb->ts_newest = EXT_ORIGIN + ts;
	jb->started = true;
	jb->begun = false;
	jb->in_spurt = false;
	jb->voided = false;
}

enum jbuf_put jbuf_put(struct jbuf *jb, void *pkt, uint16_t seq, uint32_t ts, uint32_t ticks,
		       uint64_t now_ns)
{
	hot_assert(pkt != NULL && ticks > 0 && ticks <= UINT16_MAX);
	if (!jb->started)
		start(jb, seq, ts);

	uint64_t seq_ext = ext16(jb->seq_newest, seq);
	uint64_t ts_ext = ext32(jb->ts_newest, ts);
	uint64_t transit_ns = now_ns - (ts_ext * jb->ns_per_tick_q8 >> NS_SHIFT);

	/* Until the cursor moves the start may still move back: the network may well have swapped
	 * the first two packets. */
	if (!jb->begun && seq_ext < jb->seq_next && jb->seq_newest - seq_ext <= jb->mask)
		jb->seq_next = seq_ext;

	if (seq_ext < jb->seq_next)
		return refuse(jb, seq_ext, transit_ns, ticks, now_ns);
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
	s->lag_us = jbuf_line_packet(&jb->line, transit_ns, now_ns);
	s->pkt = pkt;
	s->arrival_ns = now_ns;
	s->ts = ts_ext;
	s->ticks = (uint16_t)ticks;
	jb->held++;
	if (seq_ext >= jb->seq_newest) {
		jb->seq_newest = seq_ext;
		jb->ts_newest = ts_ext;
	} else {
		jb->counts.reordered++;
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
	jb->came = jb->came << 1 | (s->pkt != NULL || s->is_void);
	s->pkt = NULL;
	s->is_void = false;
	jb->seq_next++;
	jb->begun = true;
}

/* Void numbers at the cursor take no time. They end the spurt, unless sound goes on right where it was:
 * some send key events beside the sound. */
static void pass_voids(struct jbuf *jb)
{
	while (slot_of(jb, jb->seq_next)->is_void) {
		advance(jb);
		jb->voided = true;
	}
}

static bool in_talk(const struct jbuf *jb)
{
	return jb->in_spurt && !jb->voided;
}

static enum jbuf_get silence(struct jbuf_out *out, uint32_t want)
{
	*out = (struct jbuf_out){.ticks = want};
	return JBUF_GET_SILENCE;
}

/* Nothing is held. */
static enum jbuf_get run_dry(struct jbuf *jb, uint32_t want, struct jbuf_out *out)
{
	if (!in_talk(jb) || jb->debt >= jb->max_ticks) {
		jb->in_spurt = false;
		jbuf_line_paused(&jb->line);
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
	if (!in_talk(jb) || next->is_void || next->ts <= jb->ts_next)
		return 0;

	uint64_t room = next->ts - jb->ts_next;
	uint32_t ticks = room < jb->last_ticks ? (uint32_t)room : jb->last_ticks;
	uint32_t paid = jb->debt < ticks ? jb->debt : ticks;

	jb->ts_next += ticks;
	jb->debt -= paid;
	return ticks - paid;
}

/* How long after the fastest packet's instant this one would play now. */
static uint64_t lag_ns(const struct slot *s, uint64_t now_ns)
{
	return now_ns - s->arrival_ns + s->lag_us * PB_NS_PER_US;
}

/* The first of a spurt waits out the target delay, unless the ring is about to overflow. */
static bool is_due(const struct jbuf *jb, const struct slot *s, uint64_t now_ns)
{
	uint64_t target = target_ns(jb);

	if (target > jb->min_ns)
		target = target + OVER_NS < jb->max_ns ? target + OVER_NS : jb->max_ns;
	return lag_ns(s, now_ns) >= target || jb->seq_newest - jb->seq_next >= jb->mask;
}

/* What is missing to one more tick; less than half a tick is too little to be done well. */
static int32_t longer(const struct jbuf *jb, uint32_t over)
{
	uint32_t missing = jb->tick_ticks - over % jb->tick_ticks;

	return (int32_t)(missing > jb->tick_ticks / 2 ? missing : jb->tick_ticks / 2);
}

/* A group has been played: what should become of the delay? The listener takes a tick at a time:
 * what the last packet had more than was asked for (`over`) waits for the next tick. So the lag can be
 * had in whole ticks only, and `over` is delay that helps nobody. */
static void end_group(struct jbuf *jb, uint32_t over, uint64_t packet_ns)
{
	uint64_t target = target_ns(jb), low = jb->lag_low_ns, spare = jb->wait_low_ns;

	jb->group = 0;
	jb->lag_low_ns = jb->wait_low_ns = UINT64_MAX;
	jb->hurry = low > target + jb->tick_ns + HURRY_NS;
	if (low < target)
		jb->slip = longer(jb, over);
	else if (low >= target + jb->tick_ns + OVER_NS && spare >= jb->tick_ns + OVER_NS)
		jb->slip = -(int32_t)(over + jb->tick_ticks);
	else
		jb->slip = -(int32_t)over;
	if (low > target + FAR_OFF_NS + packet_ns && spare > packet_ns)
		jb->unheard++;
	else
		jb->unheard = 0;
	if (jb->unheard == PATIENCE) {
		jb->unheard = 0;
		jb->trim = true;
	}
	if (++jb->fading == BOOST_GROUPS) {
		jb->fading = 0;
		jb->boost_ns -= jb->boost_ns < packet_ns / 4 ? jb->boost_ns : packet_ns / 4;
	}
}

static void measure(struct jbuf *jb, uint64_t wait_ns, uint64_t lag, uint32_t want)
{
	uint32_t before = want < jb->tick_ticks ? jb->tick_ticks - want : 0;
	uint64_t delay_ns = wait_ns + ns_of(jb, before);

	jb->delay_ns = delay_ns;
	jb->delay_sum_ns += delay_ns;
	if (delay_ns < jb->delay_min_ns)
		jb->delay_min_ns = delay_ns;
	if (delay_ns > jb->delay_max_ns)
		jb->delay_max_ns = delay_ns;
	if (lag < jb->lag_low_ns)
		jb->lag_low_ns = lag;
	if (wait_ns < jb->wait_low_ns)
		jb->wait_low_ns = wait_ns;
	if (++jb->group == GROUP)
		end_group(jb, jb->last_ticks > want ? jb->last_ticks - want : 0,
			  ns_of(jb, jb->last_ticks));
}

/* Hand over the packet at the cursor, to be played or not. */
static enum jbuf_get take(struct jbuf *jb, struct slot *s, bool play, uint64_t now_ns,
			  uint32_t want, struct jbuf_out *out)
{
	uint64_t wait_ns = now_ns - s->arrival_ns, lag = lag_ns(s, now_ns);

	*out = (struct jbuf_out){.pkt = s->pkt, .ticks = s->ticks};
	jb->voided = false;
	jb->ts_next = s->ts + s->ticks;
	jb->last_ticks = s->ticks;
	advance(jb);
	if (!play) {
		jb->trim = false;
		jb->counts.discarded++;
		return JBUF_GET_DISCARD;
	}
	jb->counts.played++;
	measure(jb, wait_ns, lag, want);
	out->slip = jb->slip;
	return JBUF_GET_READY;
}

void jbuf_slipped(struct jbuf *jb, int32_t ticks)
{
	jb->unheard = 0;
	if (ticks > 0) {
		jb->counts.expansions++;
		jb->counts.expanded_ticks += (uint32_t)ticks;
	} else {
		jb->counts.compressions++;
		jb->counts.compressed_ticks += (uint32_t)-ticks;
	}
	jb->slip = jb->hurry ? jb->slip - ticks : 0;
}

/* A packet is at the cursor. */
static enum jbuf_get next_packet(struct jbuf *jb, struct slot *s, uint64_t now_ns, uint32_t want,
				 struct jbuf_out *out)
{
	bool starts = !jb->in_spurt || s->ts > jb->ts_next;

	if (now_ns - s->arrival_ns > jb->max_ns + ns_of(jb, s->ticks))
		return take(jb, s, false, now_ns, want, out);
	if (starts) {
		if (!is_due(jb, s, now_ns))
			return silence(out, want);
		jb->in_spurt = true;
	} else if (jb->debt > 0) {
		jb->counts.underruns++;
	} else if (jb->trim && jb->held > 1) {
		return take(jb, s, false, now_ns, want, out);
	}
	jb->debt = 0;
	return take(jb, s, true, now_ns, want, out);
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
		if (!in_talk(jb) && s->pkt != NULL && !is_due(jb, s, now_ns))
			return silence(out, want);

		uint32_t ticks = hole_ticks(jb, s);

		advance(jb);
		jb->counts.lost++;
		if (ticks > 0) {
			jb->counts.void_ticks += ticks;
			*out = (struct jbuf_out){.ticks = ticks,
						 .next = slot_of(jb, jb->seq_next)->pkt};
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
	jb->voided = false;
	jb->trim = false;
	jb->debt = 0;
	jb->came = 0;
	jb->slip = 0;
	jb->group = 0;
	jb->lag_low_ns = jb->wait_low_ns = UINT64_MAX;
	jbuf_line_restart(&jb->line);
}

void jbuf_clock(struct jbuf *jb, uint32_t clock_hz)
{
	must(clock_hz >= 1000 && clock_hz <= 1000000);
	jbuf_restart(jb);
	clock_set(jb, clock_hz);
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

struct jbuf_delay jbuf_delay(const struct jbuf *jb)
{
	if (jb->counts.played == 0)
		return (struct jbuf_delay){0};
	return (struct jbuf_delay){
		.now_ms = (uint32_t)(jb->delay_ns / PB_NS_PER_MS),
		.target_ms = jbuf_target_ms(jb),
		.min_ms = (uint32_t)(jb->delay_min_ns / PB_NS_PER_MS),
		.max_ms = (uint32_t)(jb->delay_max_ns / PB_NS_PER_MS),
		.mean_ms = (uint32_t)(jb->delay_sum_ns / jb->counts.played / PB_NS_PER_MS),
	};
}

const struct jbuf_counts *jbuf_counts(const struct jbuf *jb)
{
	return &jb->counts;
}
