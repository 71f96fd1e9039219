/* How loaded a worker is, from what it counts.
 *
 * Two numbers, each an exponential average over about a second:
 *   share    the part of the worker's time that its work needs, 0 to 1. A turn costs something even
 *            when it finds nothing, and at low load most turns find one packet; that part is not
 *            work and is taken out, or a worker at a third of what it can do would look busy to
 *            two thirds. At saturation, when every turn finds a full burst, share is 1.
 *   late_us  how much later than due the slots of its wheel are run: the harm itself, whatever
 *            the reason (work, a stolen CPU, a slow disk).
 *
 * Thread: one owner; pure.
 */
#ifndef PLAN_LOAD_H
#define PLAN_LOAD_H

#include <stdint.h>

/* What a worker has counted since it started. */
struct load_counts {
	uint64_t busy_ns, busy_turns;   /* turns that found work */
	uint64_t empty_ns, empty_turns; /* turns that did not, sleeping left out */
	uint64_t slots, slots_late_ns;  /* wheel slots run, and the sum of their lateness */
};

/* All zero at first. */
struct load {
	double share;   /* 0..1 */
	double late_us; /* mean lateness */
	double empty_turn_ns;
	uint64_t at_ns;
	struct load_counts last;
};

/* Take in the counts of the instant `now_ns` (monotonic). Nothing happens within 10 ms of the last time. */
void load_take(struct load *l, const struct load_counts *c, uint64_t now_ns);

/* The weight of a sample that is `dt_ns` long in an average over a second; 0..1. */
double load_weight(uint64_t dt_ns);

#endif
