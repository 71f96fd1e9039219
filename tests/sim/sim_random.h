/* Chance, repeatable: generators from seeds, and the laws by which people behave.
 *
 * Everything that is drawn in a run comes from a generator whose seed is made of the run's seed and
 * of what it is drawn for (sim_random_of()). So the tenth caller is as patient as he was when the
 * ninth is taken out of the list of events, and a failing run can be cut without becoming another one.
 *
 * Thread: any; pure.
 * Source: Blackman and Vigna's splitmix64; Box and Muller for the normal law.
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_random {
	uint64_t state;
};

/* A generator for thing `what`, number `which`, of the run `seed`. */
struct sim_random sim_random_of(uint64_t seed, uint64_t what, uint64_t which);

uint64_t sim_random_bits(struct sim_random *r);

/* 0 <= x < 1 and 0 <= x < n (`n` not 0). */
double sim_random_unit(struct sim_random *r);
uint32_t sim_random_below(struct sim_random *r, uint32_t n);

/* True in `share` (0..1) of all cases. */
bool sim_random_chance(struct sim_random *r, double share);

enum sim_law_kind {
	SIM_NEVER,       /* no such time: for ever */
	SIM_FIXED,       /* always the mean */
	SIM_EXPONENTIAL, /* without memory */
	SIM_LOGNORMAL,   /* `shape`: standard deviation by mean; as talk times really are */
	SIM_UNIFORM,     /* from 0 to twice the mean */
	SIM_WEIBULL,     /* `shape` k: below 1 the impatient go at once and the others stay */
};

struct sim_law {
	enum sim_law_kind kind;
	double mean_s;
	double shape;
};

/* Draw a time in milliseconds, at most a year; UINT64_MAX for SIM_NEVER. */
uint64_t sim_law_ms(const struct sim_law *law, struct sim_random *r);

/* Read "exponential:180", "lognormal:240:1.2", "fixed:30", "uniform:10", "weibull:120:0.7", "never" or
 * "180" (exponential). False: it is none of these, and `*law` is as before. */
bool sim_law_read(const char *text, struct sim_law *law);

#endif
