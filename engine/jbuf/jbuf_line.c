/* SPDX-License-Identifier: Apache-2.0 */
#include "jbuf/jbuf_line.h"

#include <string.h>

#include "base/units.h"

enum {
	TOTAL_MAX = 800, /* counts are halved here */
	SETTLE = 16,     /* packets from one look at the bins to the next */
};

#define TOGETHER_NS ((uint64_t)4 * PB_NS_PER_MS)
#define ABSURD_NS   ((int64_t)PB_NS_PER_S)

void jbuf_line_init(struct jbuf_line *l, uint64_t max_ns)
{
	memset(l, 0, sizeof(*l));
	l->bin_shift = 16;
	while (((uint64_t)JBUF_LINE_SPAN << l->bin_shift) < max_ns)
		l->bin_shift++;
}

void jbuf_line_restart(struct jbuf_line *l)
{
	l->timed = false;
	l->odd = 0;
}

void jbuf_line_paused(struct jbuf_line *l)
{
	l->paused = true;
}

static void begin(struct jbuf_line *l, uint64_t transit_ns)
{
	l->base_ns = l->counted_ns = transit_ns;
	l->low_ns[0] = l->low_ns[1] = transit_ns;
	l->in_window = 0;
	l->odd = 0;
	l->timed = true;
}

/* Move all counts by `bins`; what falls off an end stays in the last bin there. */
static void shift(struct jbuf_line *l, int64_t bins)
{
	uint16_t moved[JBUF_LINE_BINS] = {0};

	for (int64_t i = 0; i < JBUF_LINE_BINS; i++) {
		int64_t to = i + bins;

		to = to < 0 ? 0 : to;
		to = to >= JBUF_LINE_BINS ? JBUF_LINE_BINS - 1 : to;
		moved[to] = (uint16_t)(moved[to] + l->bin[i]);
	}
	memcpy(l->bin, moved, sizeof(moved));
}

static void settle(struct jbuf_line *l)
{
	uint32_t may_be_late = l->total / JBUF_LINE_LATE, late = 0;
	unsigned i = JBUF_LINE_BINS;

	while (i > 0 && (late += l->bin[i - 1]) <= may_be_late)
		i--;
	l->enough_ns = (uint32_t)(i << l->bin_shift);
	l->unsettled = 0;
}

/* The base follows the least transit of two windows; whole bins of its way are taken over into the
 * counts. */
static void rebase(struct jbuf_line *l, uint64_t transit_ns)
{
	if ((int64_t)(transit_ns - l->low_ns[0]) < 0)
		l->low_ns[0] = transit_ns;
	l->base_ns = (int64_t)(l->low_ns[0] - l->low_ns[1]) < 0 ? l->low_ns[0] : l->low_ns[1];
	if (++l->in_window == JBUF_LINE_WINDOW) {
		l->low_ns[1] = l->low_ns[0];
		l->low_ns[0] = transit_ns;
		l->in_window = 0;
	}

	/* An arithmetic shift: the base lies within the bin above what the counts refer to. */
	int64_t bins = (int64_t)(l->base_ns - l->counted_ns) >> l->bin_shift;

	if (bins == 0)
		return;
	/* Much faster than anything known: what was counted was another line, or another clock. */
	if (bins > -JBUF_LINE_BINS / 4)
		shift(l, -bins);
	l->counted_ns += (uint64_t)bins << l->bin_shift;
	settle(l);
}

static void count(struct jbuf_line *l, uint64_t lag_ns)
{
	uint64_t i = lag_ns >> l->bin_shift;

	l->bin[i < JBUF_LINE_BINS ? i : JBUF_LINE_BINS - 1]++;
	if (++l->total == TOTAL_MAX) {
		l->total = 0;
		for (unsigned b = 0; b < JBUF_LINE_BINS; b++) {
			l->bin[b] /= 2;
			l->total = (uint16_t)(l->total + l->bin[b]);
		}
	}
	if (++l->unsettled >= SETTLE || l->total < SETTLE)
		settle(l);
}

uint32_t jbuf_line_packet(struct jbuf_line *l, uint64_t transit_ns, uint64_t now_ns)
{
	if (!l->timed)
		begin(l, transit_ns);

	int64_t lag = (int64_t)(transit_ns - l->base_ns);

	if (l->paused && lag > ((int64_t)JBUF_LINE_SPAN << l->bin_shift)) {
		begin(l, transit_ns);
		lag = 0;
	}
	l->paused = false;
	/* Far too early: its clock has jumped ahead. Far too late may also be a stall: wait and see. */
	if (lag < -ABSURD_NS || (lag > ABSURD_NS && ++l->odd == JBUF_LINE_ODD)) {
		begin(l, transit_ns);
		lag = 0;
	} else if (lag > ABSURD_NS) {
		return 0;
	}
	l->odd = 0;
	rebase(l, transit_ns);
	lag = (int64_t)(transit_ns - l->base_ns);

	uint32_t lag_us = (uint32_t)((uint64_t)(lag > 0 ? lag : 0) / PB_NS_PER_US);

	if (now_ns - l->last_ns > TOGETHER_NS || lag_us >= l->last_lag_us)
		count(l, (uint64_t)(lag > 0 ? lag : 0));
	l->last_ns = now_ns;
	l->last_lag_us = lag_us;
	return lag_us;
}

uint64_t jbuf_line_enough_ns(const struct jbuf_line *l)
{
	/* The base may have moved a part of a bin since. */
	int64_t enough = (int64_t)l->enough_ns - (int64_t)(l->base_ns - l->counted_ns);

	return enough > 0 ? (uint64_t)enough : 0;
}
