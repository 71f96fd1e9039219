/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/load.h"

#include "base/units.h"

#define LEAST_NS (10 * PB_NS_PER_MS)

enum {
	EMPTY_TURN_MAX_NS = 2000, /* more was not the turn's own: another process ran meanwhile */
};

double load_weight(uint64_t dt_ns)
{
	double dt = (double)dt_ns / (double)PB_NS_PER_S;

	return dt / (1.0 + dt); /* 1 - exp(-dt) near 0, and still below 1 after a long gap */
}

static double clamp(double x, double least, double most)
{
	return x < least ? least : x > most ? most : x;
}

/* An empty turn's cost moves down at once and up slowly: what disturbs it makes it longer only. */
static void learn_empty(struct load *l, uint64_t ns, uint64_t turns)
{
	double each;

	if (turns == 0)
		return;
	each = clamp((double)ns / (double)turns, 1, EMPTY_TURN_MAX_NS);
	if (l->empty_turn_ns == 0 || each < l->empty_turn_ns)
		l->empty_turn_ns = each;
	else
		l->empty_turn_ns += 0.02 * (each - l->empty_turn_ns);
}

void load_take(struct load *l, const struct load_counts *c, uint64_t now_ns)
{
	const struct load_counts *b = &l->last;
	uint64_t dt_ns = now_ns - l->at_ns;
	double weight, share, late;

	if (l->at_ns == 0) {
		l->at_ns = now_ns;
		l->last = *c;
		return;
	}
	if (dt_ns < LEAST_NS)
		return;
	learn_empty(l, c->empty_ns - b->empty_ns, c->empty_turns - b->empty_turns);

	double turning = (double)(c->busy_turns - b->busy_turns) * l->empty_turn_ns;
	double busy = (double)(c->busy_ns - b->busy_ns) - turning;
	double whole = (double)dt_ns - turning;

	share = whole <= 0 ? 1 : clamp(busy / whole, 0, 1);
	late = c->slots == b->slots ? 0
				    : (double)(c->slots_late_ns - b->slots_late_ns) / 1000.0 /
					      (double)(c->slots - b->slots);
	weight = load_weight(dt_ns);
	l->share += weight * (share - l->share);
	l->late_us += weight * (late - l->late_us);
	l->at_ns = now_ns;
	l->last = *c;
}
