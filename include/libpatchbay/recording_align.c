/* SPDX-License-Identifier: Apache-2.0
 *
 * Alignment. With d = arrival - media time, a frame belongs at media time + min d, the minimum
 * over all frames of its source that arrived within HOLD of it, before or after:
 *
 *    d |    .  *        .
 *      |  .   .   . *  .   .    .         jitter only ever adds
 *      | ._.__.______.______.___ .__      the minimum: path delay, drifting with the clocks
 *      +------------------------------ arrival
 *
 * At 200 ppm the minimum of +-4 s is at most 0.8 ms beside the truth. Between frames that follow
 * each other without a gap the offset in use moves by one output sample per frame (a frame is then
 * stretched or shrunk by that sample, which nobody hears) towards that minimum; at a gap it may
 * jump, for there silence takes up the difference.
 *
 * A change of d beyond all jitter is another source: a new SSRC, a restarted sender, a stream that
 * stood still while its timestamps did too. It gets its own minimum. A packet delayed
 * more than that opens a "source" too, which does no harm: those that follow it bring its minimum
 * back to where it was.
 */
#include "libpatchbay/recording_align.h"

#include <string.h>

#include "base/ext.h"
#include "base/units.h"

void align_init(struct align *a, uint32_t rate_hz)
{
	memset(a, 0, sizeof(*a));
	a->rate_hz = rate_hz;
}

static int64_t media_ns(uint64_t ts, uint32_t clock_hz)
{
	int64_t ticks = (int64_t)(ts - EXT_ORIGIN);

	/* in two steps: ticks * 1e9 would overflow after days */
	return ticks / clock_hz * (int64_t)PB_NS_PER_S +
	       ticks % clock_hz * (int64_t)PB_NS_PER_S / clock_hz;
}

static int64_t to_samples(const struct align *a, int64_t ns)
{
	int64_t s = ns / (int64_t)PB_NS_PER_S, rest = ns % (int64_t)PB_NS_PER_S;

	return s * a->rate_hz +
	       (rest * a->rate_hz + (rest >= 0 ? 1 : -1) * (int64_t)PB_NS_PER_S / 2) /
		       (int64_t)PB_NS_PER_S;
}

/* Does the frame continue this source? Then *ts and *delay_ns are as seen by it. */
static bool continues(const struct align_source *s, const struct align_frame *f, uint64_t *ts,
		      int64_t *delay_ns)
{
	int64_t jump;

	if (s->number == 0 || s->clock_hz != f->clock_hz)
		return false;
	*ts = ext32(s->ts, f->timestamp);
	*delay_ns = (int64_t)f->arrival_ns - media_ns(*ts, f->clock_hz);
	jump = *delay_ns - s->delay_ns;
	return jump < ALIGN_JUMP_MS * (int64_t)PB_NS_PER_MS &&
	       jump > -ALIGN_JUMP_MS * (int64_t)PB_NS_PER_MS;
}

static struct align_source *source_of(struct align *a, const struct align_frame *f, uint64_t *ts,
				      int64_t *delay_ns)
{
	if (continues(&a->current, f, ts, delay_ns))
		return &a->current;
	if (continues(&a->previous, f, ts, delay_ns))
		return &a->previous;
	a->previous = a->current;
	*ts = EXT_ORIGIN + f->timestamp;
	*delay_ns = (int64_t)f->arrival_ns - media_ns(*ts, f->clock_hz);
	a->current = (struct align_source){
		.number = ++a->sources, .ts = *ts, .delay_ns = *delay_ns, .clock_hz = f->clock_hz};
	return &a->current;
}

bool align_full(const struct align *a)
{
	return a->held_n == ALIGN_HELD_MAX;
}

static bool before(const struct align_held *x, const struct align_held *y)
{
	return x->source != y->source ? x->source < y->source : x->ts < y->ts;
}

bool align_put(struct align *a, const struct align_frame *f)
{
	struct align_held h = {.f = *f};
	struct align_source *s = source_of(a, f, &h.ts, &h.delay_ns);
	size_t at = a->held_n;

	h.source = s->number;
	while (at > 0 && before(&h, &a->held[at - 1]))
		at--;
	if (at > 0 && !before(&a->held[at - 1], &h))
		return false;
	memmove(&a->held[at + 1], &a->held[at], (a->held_n - at) * sizeof(h));
	a->held[at] = h;
	a->held_n++;
	if (h.ts >= s->ts) {
		s->ts = h.ts;
		s->delay_ns = h.delay_ns;
	}
	return true;
}

static bool near(uint64_t x_ns, uint64_t y_ns)
{
	uint64_t d = x_ns > y_ns ? x_ns - y_ns : y_ns - x_ns;

	return d <= ALIGN_HOLD_MS * PB_NS_PER_MS;
}

/* The least delay around the frame, over its source. */
static int64_t least_delay(const struct align *a, const struct align_held *h)
{
	int64_t least = h->delay_ns;
	uint64_t n = a->past_n < ALIGN_PAST_MAX ? a->past_n : ALIGN_PAST_MAX;

	for (size_t i = 0; i < a->held_n && a->held[i].source == h->source; i++)
		if (a->held[i].delay_ns < least && near(a->held[i].f.arrival_ns, h->f.arrival_ns))
			least = a->held[i].delay_ns;
	for (uint64_t i = 1; i <= n; i++) {
		size_t k = (a->past_n - i) % ALIGN_PAST_MAX;

		if (a->past[k].source != h->source || !near(a->past[k].arrival_ns, h->f.arrival_ns))
			break;
		if (a->past[k].delay_ns < least)
			least = a->past[k].delay_ns;
	}
	return least;
}

/* One sample towards `goal_ns`, once the error is worth it, until it is not. */
static int slip(struct align *a, int64_t goal_ns)
{
	int64_t error = goal_ns - a->offset_ns;
	int64_t size = error < 0 ? -error : error;
	int64_t step = (int64_t)(PB_NS_PER_S / a->rate_hz);

	if (size >= ALIGN_SLIP_BEGIN_US * 1000)
		a->slipping = true;
	if (size < ALIGN_SLIP_END_US * 1000 || size < step)
		a->slipping = false;
	if (!a->slipping)
		return 0;
	a->offset_ns += error < 0 ? -step : step;
	return error < 0 ? -1 : 1;
}

static void place(struct align *a, const struct align_held *h, struct align_place *p)
{
	int64_t goal_ns = least_delay(a, h);
	uint32_t own = (uint32_t)((uint64_t)h->f.ticks * a->rate_hz / h->f.clock_hz);
	int64_t overlap_max = (int64_t)a->rate_hz * ALIGN_OVERLAP_MS / 1000;

	*p = (struct align_place){.length = own, .restart = h->source != a->placed_source};
	if (!p->restart && h->ts == a->placed_end_ts) {
		p->slip = own > 1 ? slip(a, goal_ns) : 0;
		p->length = (uint32_t)((int64_t)own + p->slip);
		p->at = a->cursor;
		return;
	}
	a->offset_ns = goal_ns;
	a->slipping = false;
	p->at = to_samples(a, media_ns(h->ts, h->f.clock_hz) + a->offset_ns);
	if (p->at >= a->cursor)
		return;

	int64_t over = a->cursor - p->at;

	p->at = a->cursor;
	if (over <= overlap_max && p->restart) {
		/* a little late, and slipping back; nothing is cut off */
		a->offset_ns += over * (int64_t)PB_NS_PER_S / a->rate_hz;
		return;
	}
	p->skip = over < own ? (uint32_t)over : own;
	p->length = own - p->skip;
}

bool align_get(struct align *a, uint64_t now_ns, struct align_frame *f, struct align_place *p)
{
	if (a->held_n == 0)
		return false;

	struct align_held h = a->held[0];

	if (now_ns != UINT64_MAX && !align_full(a) &&
	    h.f.arrival_ns + ALIGN_HOLD_MS * PB_NS_PER_MS > now_ns)
		return false;
	place(a, &h, p);
	*f = h.f;
	if (p->length != 0) {
		a->placed_source = h.source;
		a->placed_end_ts = h.ts + h.f.ticks;
		a->cursor = p->at + p->length;
	}
	a->past[a->past_n % ALIGN_PAST_MAX].source = h.source;
	a->past[a->past_n % ALIGN_PAST_MAX].arrival_ns = h.f.arrival_ns;
	a->past[a->past_n % ALIGN_PAST_MAX].delay_ns = h.delay_ns;
	a->past_n++;
	memmove(&a->held[0], &a->held[1], --a->held_n * sizeof(h));
	return true;
}

void align_pass(struct align *a, int64_t at)
{
	if (at <= a->cursor)
		return;
	a->cursor = at;
	a->placed_end_ts = UINT64_MAX; /* what comes next does not follow on */
}
