/* SPDX-License-Identifier: Apache-2.0
 * How fast a large call centre runs in virtual time: a day of 10,000 agents and 1,000,000 calls by
 * default, on one core. Production's ACD makes every decision, the book of tests/sim is compared now
 * and then; memory is looked at on the way, and `decisions` shows whether two builds decide alike.
 *
 *	bench_sim [--agents N] [--calls N] [--queues N] [--days N] [--seed N] [--check-every N] [--json]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/must.h"
#include "sim.h"
#include "sim_centre.h"
#include "sim_load.h"

struct options {
	unsigned agents, queues, days;
	uint64_t calls, seed;
	unsigned check_every;
	bool json;
};

/* Share of a day's calls in each hour, times 24: quiet nights, two rushes. */
static const double day_curve[24] = {0.25, 0.20, 0.15, 0.15, 0.20, 0.35, 0.60, 0.95,
				     1.40, 1.75, 1.80, 1.55, 1.30, 1.35, 1.60, 1.70,
				     1.60, 1.45, 1.30, 1.20, 1.10, 0.90, 0.70, 0.45};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double peak_rss_mib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss / 1024;
}

/* The source, with a look at the memory when a tenth and when all of the calls have come. */
struct watched {
	struct sim_source source;
	uint64_t calls, expected;
	double early_mib;
};

static bool watched_next(void *arg, struct sim_event *out)
{
	struct watched *w = arg;

	if (w->calls == w->expected / 10)
		w->early_mib = peak_rss_mib();
	if (!w->source.next(w->source.arg, out))
		return false;
	w->calls += out->kind == SIM_CALL;
	return true;
}

static struct sim_event *roster(const struct options *o, uint64_t to_ms, size_t *n)
{
	const uint64_t hour_ms = 3600000;
	size_t max = 3 * (size_t)o->agents * (o->days + 1);
	struct sim_event *e = malloc(max * sizeof(*e));

	must(e != NULL);
	*n = sim_roster(e, max, o->agents, 1000, to_ms, 8 * hour_ms, hour_ms / 2);
	must(*n <= max);
	return e;
}

static void report(const struct options *o, const struct sim *s, const struct sim_result *r,
		   double took_s, const struct watched *w)
{
	struct sim_queue_sums sum = {0};

	for (unsigned q = 0; q < o->queues; q++) {
		struct sim_queue_sums one = sim_queue_sums(s, (int)q);

		sum.offered += one.offered;
		sum.in_time += one.in_time;
		sum.answered += one.answered;
		sum.abandoned += one.abandoned;
	}
	printf(o->json ? "{\"agents\": %u, \"queues\": %u, \"calls\": %llu, \"events\": %llu, "
			 "\"decisions_made\": %llu, \"seconds\": %.2f, \"calls_per_second\": %.0f, "
			 "\"events_per_second\": %.0f, \"peak_rss_mib\": %.1f, "
			 "\"rss_growth_mib\": %.1f, \"world_mib\": %.1f, \"book_compared\": %llu, "
			 "\"answered_in_time\": %.4f, \"abandoned\": %.4f, \"calls_at_once\": "
			 "%llu, "
			 "\"decisions\": \"%016llx\", \"broken\": \"%s\"}\n"
		       : "%u agents, %u queues, %llu calls: %llu events, %llu actions of the ACD\n"
			 "%.2f s of one core: %.0f calls and %.0f events a second\n"
			 "%.1f MiB at most, %.1f of it since a tenth of the calls (the world is "
			 "%.1f)\n"
			 "the book was compared %llu times; %.4f answered in time, %.4f abandoned, "
			 "%llu calls at once\n"
			 "decisions %016llx%s\n",
	       o->agents, o->queues, (unsigned long long)r->arrived, (unsigned long long)r->events,
	       (unsigned long long)r->actions, took_s, (double)r->arrived / took_s,
	       (double)r->events / took_s, peak_rss_mib(), peak_rss_mib() - w->early_mib,
	       (double)sim_bytes(s) / 1048576, (unsigned long long)r->checks,
	       (double)sum.in_time / (double)sum.offered,
	       (double)sum.abandoned / (double)sum.offered, (unsigned long long)r->calls_peak,
	       (unsigned long long)r->decisions, r->broken);
}

static int run(const struct options *o)
{
	const uint64_t to_ms = 1000 + o->days * UINT64_C(86400000);
	struct config *c = sim_centre_plain(&(struct sim_centre){
		.queues = o->queues,
		.agents = o->agents,
		.skills = 4,
		.levels = 3,
		.strategies = true,
		.queue_rules = "wrap_up_s: 30, max_wait_s: 600, announce_every_s: 30, "
			       "wait_without_agents: yes, sticky_s: 5, "});
	double *rate = malloc(o->days * 24 * sizeof(*rate));
	double *share = malloc(o->queues * sizeof(*share));
	struct sim_load load = {.seed = o->seed,
				.from_ms = 1000,
				.to_ms = to_ms,
				.calls_per_hour = rate,
				.n_intervals = o->days * 24,
				.interval_ms = 3600000,
				.share = share,
				.n_queues = o->queues,
				.urgent = 0.02,
				.burst_every_s = 3600,
				.burst_calls = o->agents / 20};
	size_t n_roster;
	struct sim_event *shifts = roster(o, to_ms, &n_roster);
	struct watched w = {.expected = o->calls};
	struct sim_plan plan = {
		.seed = o->seed,
		.start_ms = 1000,
		.config = {c},
		.calls_max = 2 * o->agents + 1000,
		.people = {.patience = {SIM_EXPONENTIAL, 150, 0},
			   .talk = {SIM_LOGNORMAL, 180, 1.1},
			   .answer = {SIM_LOGNORMAL, 4, 0.6},
			   .back = {SIM_EXPONENTIAL, 60, 0},
			   .wrap = {SIM_EXPONENTIAL, 40, 0},
			   .miss = 0.01,
			   .reject = 0.005,
			   .lost = 0.002,
			   .transfer = 0.02,
			   .regulars = (uint32_t)(o->calls / 4 + 1)},
		.check_every = o->check_every,
	};
	struct sim_result r;
	struct sim *s;
	double begin_s;
	int rc;

	must(rate != NULL && share != NULL);
	for (unsigned h = 0; h < o->days * 24; h++)
		rate[h] = (double)o->calls / o->days / 24 * day_curve[h % 24];
	for (unsigned q = 0; q < o->queues; q++)
		share[q] = 1.0 / o->queues;
	load.list = (struct sim_list){.event = shifts, .n = n_roster};
	w.source = sim_load_source(&load);
	plan.source = (struct sim_source){watched_next, &w};
	s = sim_open(&plan);
	begin_s = now_s();
	rc = sim_run(s, &r);
	report(o, s, &r, now_s() - begin_s, &w);
	sim_close(s);
	free(shifts);
	free(rate);
	free(share);
	config_free(c);
	return rc != 0;
}

int main(int argc, char **argv)
{
	static const struct option words[] = {
		{"agents", 1, NULL, 'a'},      {"calls", 1, NULL, 'c'},
		{"queues", 1, NULL, 'q'},      {"days", 1, NULL, 'd'},
		{"seed", 1, NULL, 's'},        {"json", 0, NULL, 'j'},
		{"check-every", 1, NULL, 'e'}, {0},
	};
	struct options o = {.agents = 10000,
			    .queues = 50,
			    .days = 1,
			    .calls = 1000000,
			    .seed = 1,
			    .check_every = 20000};
	int w;

	while ((w = getopt_long(argc, argv, "", words, NULL)) != -1) {
		unsigned long n = optarg != NULL ? strtoul(optarg, NULL, 10) : 0;

		switch (w) {
		case 'a':
			o.agents = (unsigned)n;
			break;
		case 'c':
			o.calls = n;
			break;
		case 'q':
			o.queues = (unsigned)n;
			break;
		case 'd':
			o.days = (unsigned)n;
			break;
		case 's':
			o.seed = n;
			break;
		case 'e':
			o.check_every = (unsigned)n;
			break;
		case 'j':
			o.json = true;
			break;
		default:
			return 2;
		}
	}
	if (o.agents == 0 || o.agents > CONFIG_AGENTS_MAX || o.queues == 0 ||
	    o.queues > CONFIG_QUEUES_MAX || o.days == 0 || o.days > 366 || o.calls < 100) {
		fprintf(stderr,
			"bench_sim: 1 to %d agents, 1 to %d queues, 1 to 366 days, 100 calls or "
			"more\n",
			CONFIG_AGENTS_MAX, CONFIG_QUEUES_MAX);
		return 2;
	}
	return run(&o);
}
