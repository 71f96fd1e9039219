/* SPDX-License-Identifier: Apache-2.0
 * What becomes of the delay: whole lines of packets, played to a listener. */
#include "jbuf/jbuf.h"

#include <stdlib.h>

#include "base/units.h"
#include "check.h"

#define KEPT     JBUF_PUT_KEPT
#define READY    JBUF_GET_READY
#define UNDERRUN JBUF_GET_UNDERRUN
#define SILENCE  JBUF_GET_SILENCE
#define DISCARD  JBUF_GET_DISCARD

static struct jbuf *make(uint16_t min_ms, uint16_t max_ms, uint32_t clock_hz)
{
	struct jbuf_config cfg = {
		.clock_hz = clock_hz, .slots = 64, .min_ms = min_ms, .max_ms = max_ms};
	struct jbuf *jb = aligned_alloc(64, (jbuf_bytes(64) + 63) & ~(size_t)63);

	check(jb != NULL);
	check_int(jbuf_init(jb, &cfg), 0);
	return jb;
}

/* A sender and a network: packet i leaves at i x ptime by the sender's clock and takes
 * delay_ms[]. */
struct line {
	uint32_t ptime_ms;
	uint32_t jitter_ms; /* uniform, 0 to this */
	uint32_t loss_of_100;
	int32_t skew_ppm;           /* sender's clock is so much faster */
	uint32_t gap_every, gap_ms; /* a talk-spurt gap after each so many packets */
	uint32_t seconds;
	uint16_t min_ms, max_ms;
	uint32_t clock_hz; /* 0: 8000 */
	bool slips;        /* the caller can make sound longer and shorter */
};

struct heard {
	struct jbuf_counts counts;
	uint32_t sent, arrived;
	uint64_t asked, silence, underrun; /* ticks */
	uint64_t wait_max_ns, wait_last_ns;
	uint32_t target_ms;
};

enum { LINE_PACKETS_MAX = 100000 };

static uint32_t dice_state;

static uint32_t dice(uint32_t n)
{
	dice_state = dice_state * 1664525U + 1013904223U;
	return (dice_state >> 8) % n;
}

static uint64_t arrivals[LINE_PACKETS_MAX];

/* Up to half of a packet, if the line's caller can. Returns what the sound grew by, modulo 2^32. */
static uint32_t slip(struct jbuf *jb, const struct line *l, const struct jbuf_out *out,
		     uint32_t ticks)
{
	int32_t by = out->slip;

	if (!l->slips || by == 0)
		return 0;
	if (by > (int32_t)ticks / 2)
		by = (int32_t)ticks / 2;
	if (by < -(int32_t)ticks / 2)
		by = -(int32_t)ticks / 2;
	jbuf_slipped(jb, by);
	return (uint32_t)by;
}

/* Run a line against a 20 ms listener, checking what must hold of any. */
static struct heard run(const struct line *l)
{
	uint32_t per_ms = (l->clock_hz ? l->clock_hz : 8000) / 1000, tick = 20 * per_ms;
	struct jbuf *jb = make(l->min_ms, l->max_ms, per_ms * 1000);
	uint32_t ticks = l->ptime_ms * per_ms, n = l->seconds * 1000 / l->ptime_ms;
	static uint32_t stamps[LINE_PACKETS_MAX];
	static uint64_t order[LINE_PACKETS_MAX]; /* arrival (ns) << 17 | packet, sorted */
	struct heard h = {.sent = n};
	uint32_t stamp = 0xfffff000;
	int64_t at_ns = 0;
	uint32_t in_order = 0;

	for (uint32_t i = 0; i < n; i++) {
		stamps[i] = stamp;
		arrivals[i] = (uint64_t)at_ns + dice(l->jitter_ms * 1000 + 1) * PB_NS_PER_US;
		uint64_t step_ms = l->ptime_ms;

		if (l->gap_every && i % l->gap_every == l->gap_every - 1)
			step_ms += l->gap_ms;
		stamp += (uint32_t)step_ms * per_ms;
		at_ns += (int64_t)(step_ms * 1000000) - (int64_t)step_ms * l->skew_ppm;
		if (dice(100) < l->loss_of_100)
			continue;
		/* Insert in order of arrival. */
		uint32_t j = h.arrived++;

		for (; j > 0 && arrivals[order[j - 1]] > arrivals[i]; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}

	uint64_t last_seq = 0;
	uint32_t next = 0, fifo = 0, handed = 0;

	for (uint64_t now_ns = 3 * PB_NS_PER_MS; next < h.arrived || jbuf_held(jb) > 0;
	     now_ns += 20 * PB_NS_PER_MS) {
		for (; next < h.arrived && arrivals[order[next]] <= now_ns; next++) {
			uint32_t i = (uint32_t)order[next];

			if (jbuf_put(jb, (void *)(uintptr_t)(i + 1), (uint16_t)(i + 65000),
				     stamps[i], ticks, arrivals[i]) == KEPT)
				handed++;
		}
		h.asked += tick;
		while (fifo < tick) {
			struct jbuf_out out;
			enum jbuf_get got = jbuf_get(jb, now_ns, tick - fifo, &out);

			if (got != DISCARD)
				fifo += out.ticks;
			h.silence += got == SILENCE ? out.ticks : 0;
			h.underrun += got == UNDERRUN ? out.ticks : 0;
			check(got == DISCARD || out.ticks > 0);
			if (got != READY && got != DISCARD)
				continue;
			uint64_t seq = (uint64_t)(uintptr_t)out.pkt;

			check(seq > last_seq); /* in order, each once */
			last_seq = seq;
			in_order++;
			check_int(out.ticks, ticks);
			fifo += slip(jb, l, &out, ticks);
			h.wait_last_ns = now_ns - arrivals[seq - 1];
			if (got == READY && h.wait_last_ns > h.wait_max_ns)
				h.wait_max_ns = h.wait_last_ns;
		}
		fifo -= tick;
	}
	h.counts = *jbuf_counts(jb);
	h.target_ms = jbuf_target_ms(jb);
	check_int(in_order, handed); /* what went in came out, once */
	check_int(h.counts.played + h.counts.discarded, handed);
	check_int(h.counts.late + h.counts.far + handed, h.arrived);
	check(h.wait_max_ns <= (l->max_ms + l->ptime_ms) * PB_NS_PER_MS);
	free(jb);
	return h;
}

static void a_perfect_line_plays_everything_at_every_packet_time(void)
{
	for (uint32_t ptime = 10; ptime <= 60; ptime += 10) {
		struct line l = {.ptime_ms = ptime, .seconds = 60, .min_ms = 20, .max_ms = 200};
		struct heard h = run(&l);

		check_int(h.counts.played, h.sent);
		check(h.counts.lost == 0 && h.counts.discarded == 0 && h.counts.underruns == 0);
		/* 20 ms, and what the grid of the listener costs. */
		check(h.wait_max_ns <= (20 + 20 + ptime) * PB_NS_PER_MS);
	}
}

static void losses_are_concealed_in_their_place(void)
{
	struct line l = {
		.ptime_ms = 20, .loss_of_100 = 5, .seconds = 120, .min_ms = 40, .max_ms = 200};
	struct heard h = run(&l);
	uint32_t lost = h.sent - h.arrived;

	check_int(h.counts.played, h.arrived);
	check_int(h.counts.late, 0);
	/* The last ones may be lost without anybody knowing. */
	check(h.counts.lost <= lost && h.counts.lost + 5 >= lost);
	check(h.counts.void_ticks <= (uint64_t)lost * 160 + 3 * 160);
	check_int(h.counts.discarded, 0);
}

static void jitter_is_learnt_and_rarely_heard(void)
{
	struct line l = {
		.ptime_ms = 20, .jitter_ms = 60, .seconds = 300, .min_ms = 20, .max_ms = 200};
	struct heard h = run(&l);

	check(h.target_ms >= 60 && h.target_ms <= 120);
	check(h.counts.late + h.counts.discarded < h.sent / 100);
	check(h.underrun / 160 < h.sent / 100);
}

static void a_different_clock_neither_starves_nor_piles_up(void)
{
	for (int i = 0; i < 4; i++) {
		struct line l = {.ptime_ms = 20,
				 .skew_ppm = i & 1 ? 200 : -200,
				 .slips = i >= 2,
				 .seconds = 1200,
				 .min_ms = 20,
				 .max_ms = 200};
		struct heard h = run(&l);
		uint64_t slipped = h.counts.expanded_ticks + h.counts.compressed_ticks;

		/* 1200 s x 200 ppm = 240 ms, by whole packets or by what can be slipped. */
		check(h.counts.discarded + h.underrun / 160 <= (l.slips ? 1 : 13));
		check(l.slips ? slipped >= 1000 && slipped <= 3000 : slipped == 0);
		check(h.counts.late == 0 && h.counts.lost == 0);
		check(h.wait_last_ns <= (l.slips ? 62 : 92) * PB_NS_PER_MS);
		check(h.wait_last_ns < h.wait_max_ns + 1);
	}
}

static void gaps_in_the_talk_are_neither_loss_nor_underrun_for_long(void)
{
	struct line l = {.ptime_ms = 20,
			 .gap_every = 50,
			 .gap_ms = 1500,
			 .seconds = 60,
			 .min_ms = 40,
			 .max_ms = 200};
	struct heard h = run(&l);

	check_int(h.counts.lost, 0);
	check_int(h.counts.late, 0);
	check_int(h.counts.played, h.sent);
	check_int(h.counts.underruns, 0);
	check(h.silence > 0);
}

/* Every ptime, every clock, over the wrap of both counters. */
static void clocks_and_packet_times(void)
{
	static const uint32_t clocks[] = {8000, 16000, 48000};

	for (unsigned c = 0; c < 3; c++) {
		for (uint32_t ptime = 10; ptime <= 60; ptime += 10) {
			struct line l = {.ptime_ms = ptime,
					 .jitter_ms = 30,
					 .loss_of_100 = 2,
					 .clock_hz = clocks[c],
					 .slips = true,
					 .seconds = 100,
					 .min_ms = 20,
					 .max_ms = 200};
			struct heard h = run(&l);

			check(h.counts.late + h.counts.discarded <= h.sent / 50);
			check(h.target_ms >= 20 && h.target_ms <= 60);
			check(h.wait_last_ns <= 120 * PB_NS_PER_MS);
		}
	}
}

/* A listener with 20 ms packets from a line whose packets take what the test says. */
struct pair {
	struct jbuf *jb;
	uint64_t ms;
	uint16_t seq;
	uint32_t fifo;
	bool slips;
	uint32_t void_ticks, lag_max_ms;
};

/* One packet time: packets that have come by now, and a question. */
static void tick(struct pair *p, uint16_t packets)
{
	for (; packets > 0; packets--, p->seq++)
		check_int(jbuf_put(p->jb, (void *)(uintptr_t)(p->seq + 1), p->seq, p->seq * 160U,
				   160, p->ms * PB_NS_PER_MS),
			  KEPT);
	while (p->fifo < 160) {
		struct jbuf_out out;
		enum jbuf_get got =
			jbuf_get(p->jb, (p->ms + 5) * PB_NS_PER_MS, 160 - p->fifo, &out);

		if (got == DISCARD)
			continue;
		if (got == READY && p->slips && out.slip != 0) {
			int32_t by = out.slip > 60 ? 60 : out.slip < -60 ? -60 : out.slip;

			jbuf_slipped(p->jb, by);
			out.ticks = (uint32_t)((int32_t)out.ticks + by);
		}
		if (got == UNDERRUN)
			p->void_ticks += out.ticks;
		p->fifo += out.ticks;
	}
	p->fifo -= 160;
	p->ms += 20;
	if (jbuf_delay_ms(p->jb) > p->lag_max_ms)
		p->lag_max_ms = jbuf_delay_ms(p->jb);
}

static void close_pair(struct pair *p)
{
	while (jbuf_drain(p->jb) != NULL)
		;
	free(p->jb);
}

/* 300 ms of nothing, then all of it at once: nothing is thrown away, and the delay comes back. */
static void a_stall_is_worked_off_without_loss(void)
{
	struct pair p = {.jb = make(20, 400, 8000), .slips = true};

	for (unsigned i = 0; i < 100; i++)
		tick(&p, 1);
	for (unsigned i = 0; i < 15; i++)
		tick(&p, 0);
	tick(&p, 16);
	for (unsigned i = 0; i < 50; i++)
		tick(&p, 1);
	check(p.lag_max_ms > 200);
	check_int(jbuf_counts(p.jb)->discarded, 0);
	check_int(jbuf_counts(p.jb)->lost, 0);
	check(p.void_ticks >= 13 * 160 && p.void_ticks <= 16 * 160);
	for (unsigned i = 0; i < 2000; i++)
		tick(&p, 1);
	check(jbuf_delay_ms(p.jb) <= 45);
	check(p.fifo < 20); /* nothing is left over that would only wait */
	check(jbuf_delay(p.jb).max_ms >= p.lag_max_ms);
	check(jbuf_delay(p.jb).min_ms <= 25 && jbuf_delay(p.jb).mean_ms < 60);
	close_pair(&p);
}

/* The same for a caller who cannot slip: whole packets are dropped, one in about a second. */
static void a_stall_is_worked_off_by_who_cannot_slip(void)
{
	struct pair p = {.jb = make(20, 400, 8000)};

	for (unsigned i = 0; i < 100; i++)
		tick(&p, 1);
	for (unsigned i = 0; i < 15; i++)
		tick(&p, 0);
	tick(&p, 16);
	for (unsigned i = 0; i < 2000; i++)
		tick(&p, 1);
	check(jbuf_delay_ms(p.jb) <= 85);
	check(jbuf_counts(p.jb)->discarded >= 8 && jbuf_counts(p.jb)->discarded <= 20);
	close_pair(&p);
}

/* A tenth of a second longer for good: the buffer grows once, is not late again, and forgets the
 * shorter way. */
static void a_longer_route_becomes_the_rule(void)
{
	struct pair p = {.jb = make(20, 200, 8000), .slips = true};

	for (unsigned i = 0; i < 100; i++)
		tick(&p, 1);
	for (unsigned i = 0; i < 5; i++)
		tick(&p, 0);
	for (unsigned i = 0; i < 1200; i++)
		tick(&p, 1);
	check(jbuf_delay_ms(p.jb) <= 45); /* what waits here; the line itself is longer */
	check(jbuf_target_ms(p.jb) <= 25);
	check(p.void_ticks <= 6 * 160);
	close_pair(&p);
}

static void a_late_packet_raises_the_target_for_a_while(void)
{
	struct pair p = {.jb = make(20, 200, 8000)};

	for (unsigned i = 0; i < 20; i++)
		tick(&p, 1);
	p.seq = (uint16_t)(p.seq + 1); /* one is missing */
	tick(&p, 1);
	tick(&p, 1);
	tick(&p, 1);
	check(jbuf_target_ms(p.jb) <= 26);
	check_int(jbuf_put(p.jb, &p, 20, 20 * 160, 160, p.ms * PB_NS_PER_MS), JBUF_PUT_LATE);
	check(jbuf_target_ms(p.jb) >= 40);
	for (unsigned i = 0; i < 1000; i++)
		tick(&p, 1);
	check(jbuf_target_ms(p.jb) <= 26);
	close_pair(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_perfect_line_plays_everything_at_every_packet_time),
	CHECK_CASE(losses_are_concealed_in_their_place),
	CHECK_CASE(jitter_is_learnt_and_rarely_heard),
	CHECK_CASE(a_different_clock_neither_starves_nor_piles_up),
	CHECK_CASE(gaps_in_the_talk_are_neither_loss_nor_underrun_for_long),
	CHECK_CASE(clocks_and_packet_times),
	CHECK_CASE(a_stall_is_worked_off_without_loss),
	CHECK_CASE(a_stall_is_worked_off_by_who_cannot_slip),
	CHECK_CASE(a_longer_route_becomes_the_rule),
	CHECK_CASE(a_late_packet_raises_the_target_for_a_while),
};
CHECK_MAIN(cases)
