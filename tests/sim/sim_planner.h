/* What would happen: an operator's configuration under a load, answered in the planner's words.
 *
 * The queues' rules and the agents' skills are the configuration's; everybody who has a skill is at work all the
 * time, or so many as asked: of fewer the first ones work, of more the skills are dealt out again from the
 * first.
 *
 * Thread: one.
 */
#ifndef SIM_PLANNER_H
#define SIM_PLANNER_H

#include "sim.h"

enum { SIM_HOURS = 24, SIM_KEYS = 12 };

struct sim_question {
	const struct config *config;
	struct ivr_flow *flow;      /* callers come through it; NULL: straight to their queues */
	double per_hour[SIM_HOURS]; /* calls, by the hour of the day */
	double share
		[CONFIG_QUEUES_MAX]; /* of each queue of `config`, summing to 1; without a flow */
	struct sim_people people;
	unsigned agents; /* 0: as the configuration has them */
	unsigned days;
	uint64_t seed;
};

struct sim_row {
	char name[48];
	struct sim_queue_sums sums;
	unsigned within_s;
	double service_level;                      /* answered in time, of the offered */
	double answered, abandoned, left, refused; /* of the offered */
	double speed_s;                            /* mean wait of the answered */
	double talk_s;                             /* mean, of the answered */
};

struct sim_answer {
	struct sim_row queue[CONFIG_QUEUES_MAX], total;
	unsigned n_queues, agents;
	struct sim_result result;
	double occupancy; /* talking, ringing and wrapping up, of the time at work */
};

/* Agents of the configuration who have a skill. */
unsigned sim_planner_agents(const struct config *c);

/* Returns 0; -EINVAL when nobody has a skill or there is no queue; -EPROTO when a belief broke, which
 * `out->result.broken` tells. */
int sim_planner_ask(const struct sim_question *q, struct sim_answer *out);

#endif
