/* SPDX-License-Identifier: Apache-2.0
 * The agent that the heaps have at hand is the one that looking at everybody would find.
 *
 * Linked with acd_best_agent() wrapped: each of the ACD's choices in these runs is made twice, the second
 * time by going through the list of all who are idle, as the ACD did before it had heaps.
 */
#include <stdlib.h>

#include "acd/acd_priv.h"
#include "check.h"
#include "sim_centre.h"
#include "sim_load.h"
#include "sim_mixed.h"

enum { SEEDS = 150 };

int __real_acd_best_agent(const struct acd *a, int call, uint64_t now_ms);
int __wrap_acd_best_agent(const struct acd *a, int call, uint64_t now_ms);

static uint64_t choices, found, different;

static bool better(const struct acd_queue *q, const struct acd_agent *x, int x_level,
		   const struct acd_agent *y, int y_level)
{
	if (x_level != y_level)
		return x_level < y_level;
	if (q->strategy == CONFIG_ROUND_ROBIN)
		return x->offered_seq < y->offered_seq;
	if (q->strategy == CONFIG_LEAST_CALLS)
		return x->since_sign_in < y->since_sign_in;
	if (q->strategy == CONFIG_LEAST_TALK)
		return x->talk_ms < y->talk_ms;
	return false; /* the list is in order of idle time */
}

static int by_looking_at_all(const struct acd *a, int call, uint64_t now_ms)
{
	const struct acd_call *c = &a->calls[call];
	const struct acd_queue *q = &a->queues[c->queue];
	int best = NONE, best_level = 0;

	for (int i = a->idle_first; i != NONE; i = a->agents[i].next) {
		int level = acd_skill_level(&a->agents[i], c->queue);

		if (!acd_may_take(a, c, i, level, now_ms))
			continue;
		if (i == c->prefer && c->prefer_until_ms > 0)
			return i;
		if (best != NONE && !better(q, &a->agents[i], level, &a->agents[best], best_level))
			continue;
		best = i;
		best_level = level;
	}
	return best;
}

int __wrap_acd_best_agent(const struct acd *a, int call, uint64_t now_ms)
{
	int agent = __real_acd_best_agent(a, call, now_ms);

	choices++;
	found += agent != NONE;
	if (agent != by_looking_at_all(a, call, now_ms) && different++ == 0)
		printf("at %llu ms agent %d was chosen, and %d would have been\n",
		       (unsigned long long)now_ms, agent, by_looking_at_all(a, call, now_ms));
	return agent;
}

static void in_mixed_trouble(void)
{
	choices = found = different = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_mixed m;
		struct sim_result r;

		sim_mixed_open(&m, 5000 + seed);
		m.plan.check_every = 0;
		check_int(sim_mixed_run(&m, NULL, &r), 0);
		sim_mixed_close(&m);
	}
	printf("     %llu choices, %llu of them an agent\n", (unsigned long long)choices,
	       (unsigned long long)found);
	check_int(different, 0);
	check(found > 100 * SEEDS);
}

static void among_many_who_are_idle(void)
{
	static const double per_hour[] = {40000, 90000, 30000};
	static const double share[6] = {0.3, 0.3, 0.1, 0.1, 0.1, 0.1};
	struct config *c = sim_centre_plain(&(struct sim_centre){
		.queues = 6,
		.agents = 900,
		.skills = 4,
		.levels = 3,
		.strategies = true,
		.queue_rules = "wrap_up_s: 5, level_after_s: 2, sticky_s: 3, "});
	struct sim_load load = {.seed = 3,
				.from_ms = 1000,
				.to_ms = 3 * 3600000,
				.calls_per_hour = per_hour,
				.n_intervals = 3,
				.interval_ms = 3600000,
				.share = share,
				.n_queues = 6};
	struct sim_plan plan = {.seed = 3,
				.start_ms = 1000,
				.config = {c},
				.calls_max = 5000,
				.people = {.patience = {SIM_EXPONENTIAL, 60, 0},
					   .talk = {SIM_LOGNORMAL, 30, 1},
					   .answer = {SIM_EXPONENTIAL, 2, 0},
					   .back = {SIM_EXPONENTIAL, 20, 0},
					   .wrap = {SIM_EXPONENTIAL, 3, 0},
					   .miss = 0.01,
					   .regulars = 2000},
				.staffed = true};
	struct sim_result r;
	struct sim *s;

	plan.source = sim_load_source(&load);
	choices = found = different = 0;
	s = sim_open(&plan);
	check_int(sim_run(s, &r), 0);
	sim_close(s);
	config_free(c);
	printf("     %llu choices, %llu of them an agent\n", (unsigned long long)choices,
	       (unsigned long long)found);
	check_int(different, 0);
	check(found > 100000);
}

static const struct check_case cases[] = {
	CHECK_CASE(in_mixed_trouble),
	CHECK_CASE(among_many_who_are_idle),
};
CHECK_MAIN(cases)
