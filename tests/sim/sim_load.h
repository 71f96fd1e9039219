/* Where events come from: callers at random by a curve of rates, lists, and trouble.
 *
 * Thread: one; pure.
 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "sim.h"

/* A list in order of time; skips those whose `skip` is set (for shrinking; NULL: none). */
struct sim_list {
	const struct sim_event *event;
	size_t n, at;
	const bool *skip;
};

struct sim_source sim_list_source(struct sim_list *l);

/* Callers: a Poisson process whose rate is constant within an interval, and a list beside it (rosters). */
struct sim_load {
	uint64_t seed, from_ms, to_ms;
	const double
		*calls_per_hour; /* of each interval, from `from_ms` on; the last one goes on */
	unsigned n_intervals;
	uint32_t interval_ms;
	const double *share; /* of each queue, summing to 1; NULL: all through the flow */
	unsigned n_queues;
	double urgent;          /* share of calls with priority 1 */
	uint32_t burst_every_s; /* 0: none. So often `burst_calls` more come within ten seconds */
	unsigned burst_calls;
	struct sim_list list; /* merged */

	/* private */
	struct sim_random random;
	double at_ms;
	uint64_t serial, burst_ms;
	unsigned burst_left;
	bool begun, has_call, has_listed;
	struct sim_event call, listed;
};

struct sim_source sim_load_source(struct sim_load *l);

/* A roster: agents in groups of `group`, every group's shift of `shift_ms` beginning `step_ms` later, round
 * the clock of `day_ms`; each signs in, is ready, and signs out. Writes at most `max` events in order of
 * time and returns how many there are. */
size_t sim_roster(struct sim_event *out, size_t max, unsigned agents, uint64_t from_ms,
		  uint64_t to_ms, uint64_t shift_ms, uint64_t step_ms);

/* Mixed trouble from a seed: callers and everything else that sim_event knows, `n` events within `for_ms`,
 * for a centre of so many queues and agents that begins signed out. In order of time. */
void sim_trouble(struct sim_event *out, size_t n, uint64_t seed, unsigned queues, unsigned agents,
		 uint64_t from_ms, uint64_t for_ms, bool flow);

#endif
