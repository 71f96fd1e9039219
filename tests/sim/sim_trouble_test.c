/* SPDX-License-Identifier: Apache-2.0
 * Mixed trouble from a thousand seeds: everything at once, every belief after every event.
 *
 *	test_sim_trouble              all of them
 *	test_sim_trouble SEED         one, told in sentences
 *	test_sim_trouble FIRST LAST   so many
 *
 * They run in a child, whose seed is known also when a belief of the ACD's own aborts. The first seed that fails is
 * cut to what it needs and told as a story.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "sim_shrink.h"

enum { SEEDS = 1000 };

/* Shared with the child. */
struct progress {
	uint64_t seed, first_broken;
	unsigned broken;
	struct sim_result sum;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(uint64_t seed, FILE *story, struct progress *p)
{
	struct sim_result *sum = &p->sum, r;
	struct sim_mixed m;

	p->seed = seed;
	sim_mixed_open(&m, seed);
	m.plan.story = story;
	if (sim_mixed_run(&m, NULL, &r) != 0) {
		printf("seed %llu: %s\n", (unsigned long long)seed, r.broken);
		if (p->broken++ == 0)
			p->first_broken = seed;
	}
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
}

static void run_all(uint64_t first, uint64_t last, bool story, struct progress *p)
{
	double begin_s = now_s();

	for (uint64_t seed = first; seed <= last; seed++)
		run(seed, story ? stdout : NULL, p);
	printf("%llu seeds in %.1f s of one core: %llu events, each with the whole book\n",
	       (unsigned long long)(last - first + 1), now_s() - begin_s,
	       (unsigned long long)p->sum.events);
	printf("%llu callers (%llu found no place, %llu no trunk), %llu served, %llu abandoned, "
	       "%llu ended by %llu restarts and by lost engines\n",
	       (unsigned long long)p->sum.arrived, (unsigned long long)p->sum.blocked,
	       (unsigned long long)p->sum.lost_trunk, (unsigned long long)p->sum.served,
	       (unsigned long long)p->sum.abandoned, (unsigned long long)p->sum.ended_by_failure,
	       (unsigned long long)p->sum.restarts);
}

static void shrink(uint64_t seed)
{
	struct sim_mixed m;
	struct sim_shrunk cut;

	sim_mixed_open(&m, seed);
	if (sim_shrink_mixed(&m, &cut))
		sim_shrink_tell(&m, &cut, stdout);
	sim_mixed_close(&m);
}

/* Seeds in which nothing happens prove nothing. */
static bool lively(const struct sim_result *sum)
{
	return sum->served > 100 * SEEDS && sum->abandoned > 20 * SEEDS && sum->restarts > SEEDS &&
	       sum->checks >= sum->events;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? first : SEEDS;
	struct progress *p =
		mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t child;
	bool ok;

	must(p != MAP_FAILED);
	fflush(NULL);
	child = fork();
	must(child >= 0);
	if (child == 0) {
		run_all(first, last, argc == 2, p);
		fflush(NULL);
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		printf("seed %llu: the program ended\n", (unsigned long long)p->seed);
		if (p->broken++ == 0)
			p->first_broken = p->seed;
	}
	if (p->broken > 0 && argc != 2)
		shrink(p->first_broken);
	ok = p->broken == 0 && (argc > 1 || lively(&p->sum));
	printf("%s   %u seeds broken\n%d passed, %d failed\n", ok ? "ok" : "FAIL", p->broken, ok,
	       !ok);
	return !ok;
}
