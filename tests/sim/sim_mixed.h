/* A run of mixed trouble: everything from one seed.
 *
 * Thread: one.
 */
#ifndef SIM_MIXED_H
#define SIM_MIXED_H

#include "sim.h"
#include "sim_load.h"

enum { SIM_MIXED_EVENTS = 700, SIM_MIXED_CALLS = 48 };

struct sim_mixed {
	uint64_t seed;
	unsigned queues, agents;
	struct config *config[SIM_CONFIGS_MAX];
	struct ivr_flow *flow;
	int overflow_to[8];
	struct sim_event event[SIM_MIXED_EVENTS];
	struct sim_list list;
	struct sim_plan plan; /* ready for sim_open(), its source at the beginning of `list` */
};

/* Make everything that `seed` stands for. Must be closed. */
void sim_mixed_open(struct sim_mixed *m, uint64_t seed);

/* Run it from its beginning, without the events that `skip` says (NULL: with all). */
int sim_mixed_run(struct sim_mixed *m, const bool *skip, struct sim_result *out);

void sim_mixed_close(struct sim_mixed *m);

#endif
