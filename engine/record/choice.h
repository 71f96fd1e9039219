/* Which volume gets the next segment.
 *
 * Among those that work and have a weight, segments go round in proportion to weight times the share
 * of the volume that is free: each round everyone earns its part of one segment, and who has earned
 * most gets it. (Smooth weighted round robin: two of equal weight take turns.) Spares, which have no
 * weight, are used in their order while nobody with a weight works.
 *
 * Thread: any; pure.
 */
#ifndef RECORD_CHOICE_H
#define RECORD_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

enum { CHOICE_MAX = 8 };

struct choice_offer {
	bool works;
	uint32_t weight; /* 0: a spare */
	uint64_t free_bytes, total_bytes;
};

struct choice {
	int64_t earned[CHOICE_MAX]; /* millionths of a segment */
};

/* The volume for one more segment, or -1: none works. */
int choice_next(struct choice *c, const struct choice_offer *o, unsigned n);

/* Is it better to write to `a` than to `b`? False for equals. */
bool choice_better(const struct choice_offer *o, unsigned a, unsigned b);

#endif
