/* SPDX-License-Identifier: Apache-2.0
 * Mixed trouble from a thousand seeds: everything at once, every belief after every event.
 *
 *	test_sim_trouble              all of them
 *	test_sim_trouble SEED         one, told in sentences
 *	test_sim_trouble FIRST LAST   so many
 *
 * A failure prints its seed first: a belief of the ACD's own aborts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim_mixed.h"

enum { SEEDS = 1000 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool run(uint64_t seed, FILE *story, struct sim_result *sum)
{
	struct sim_mixed m;
	struct sim_result r;
	int rc;

	sim_mixed_open(&m, seed);
	m.plan.story = story;
	rc = sim_mixed_run(&m, NULL, &r);
	if (rc != 0)
		printf("seed %llu: %s\n", (unsigned long long)seed, r.broken);
	sim_mixed_close(&m);
	sum->events += r.events;
	sum->actions += r.actions;
	sum->checks += r.checks;
	sum->arrived += r.arrived;
	sum->served += r.served;
	sum->abandoned += r.abandoned;
	sum->restarts += r.restarts;
	sum->ended_by_failure += r.ended_by_failure;
	sum->blocked += r.blocked;
	sum->lost_trunk += r.lost_trunk;
	return rc == 0;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? first : SEEDS;
	struct sim_result sum = {0};
	double begin_s = now_s(), took_s;
	unsigned broken = 0;
	bool lively;

	for (uint64_t seed = first; seed <= last; seed++) {
		if (seed % 100 == 1 || argc > 1)
			fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
		broken += !run(seed, argc == 2 ? stdout : NULL, &sum);
	}
	took_s = now_s() - begin_s;
	printf("%llu seeds in %.1f s: %llu events, each with the whole book; %llu callers (%llu "
	       "found no place, "
	       "%llu no trunk), %llu served, %llu abandoned, %llu ended by %llu restarts and lost "
	       "engines\n",
	       (unsigned long long)(last - first + 1), took_s, (unsigned long long)sum.events,
	       (unsigned long long)sum.arrived, (unsigned long long)sum.blocked,
	       (unsigned long long)sum.lost_trunk, (unsigned long long)sum.served,
	       (unsigned long long)sum.abandoned, (unsigned long long)sum.ended_by_failure,
	       (unsigned long long)sum.restarts);
	/* Seeds in which nothing happens prove nothing. */
	lively = argc > 1 || (sum.served > 100 * SEEDS && sum.abandoned > 20 * SEEDS &&
			      sum.restarts > SEEDS && sum.checks >= sum.events);
	if (!lively)
		printf("not lively enough\n");
	printf("%s   %u broken\n%d passed, %d failed\n", broken == 0 ? "ok" : "FAIL", broken,
	       broken == 0 && lively, broken > 0 || !lively);
	return broken > 0 || !lively;
}
