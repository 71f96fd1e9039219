/* SPDX-License-Identifier: Apache-2.0
 * The simulated centre against queueing theory: no number of ours stands on both sides.
 *
 * Everything but the queue is made simple (phones are answered at once, no wrap-up, one queue), so what
 * is compared is the ACD: its order, its counts, its service level, its waiting times.
 */
#include "sim_erlang.h"

#include <math.h>
#include <stdlib.h>

#include "base/must.h"
#include "check.h"
#include "sim_centre.h"
#include "sim_load.h"

#define RULES                                                                                      \
	"wrap_up_s: 0, max_wait_s: 0, wait_without_agents: yes, announce_every_s: 0, "             \
	"service_level_s: 20, "

struct measured {
	struct sim_queue_sums q;
	struct sim_result r;
	double waits, wait_s, wait_served_s, abandons, in_time, occupancy;
};

static struct measured run(double per_hour, struct sim_law talk, unsigned agents,
			   struct sim_law patience, double days, uint64_t seed)
{
	static const double all = 1;
	struct config *c = sim_centre_plain(&(struct sim_centre){
		.queues = 1, .agents = agents, .skills = 1, .queue_rules = RULES});
	struct sim_load load = {.seed = seed,
				.from_ms = 1000,
				.to_ms = (uint64_t)(days * 86400e3),
				.calls_per_hour = &per_hour,
				.n_intervals = 1,
				.interval_ms = 3600000,
				.share = &all,
				.n_queues = 1};
	struct sim_plan plan = {
		.seed = seed,
		.start_ms = 1000,
		.config = {c},
		.calls_max = 5000,
		.people = {.patience = patience, .talk = talk, .answer = {SIM_FIXED, 0, 0}},
		.staffed = true,
		.check_every = 100003};
	struct measured m = {0};
	struct sim *s;

	plan.source = sim_load_source(&load);
	s = sim_open(&plan);
	if (sim_run(s, &m.r) != 0)
		printf("%s\n", m.r.broken);
	m.q = sim_queue_sums(s, 0);
	sim_close(s);
	config_free(c);
	m.waits = (double)m.q.delayed / (double)m.q.offered;
	m.wait_s = (double)m.q.wait_all_ms / 1e3 / (double)m.q.offered;
	m.wait_served_s = (double)m.q.wait_answered_ms / 1e3 / (double)m.q.answered;
	m.abandons = (double)m.q.abandoned / (double)m.q.offered;
	m.in_time = (double)m.q.in_time / (double)m.q.offered;
	m.occupancy = (double)m.r.talking_ms / (double)(m.r.talking_ms + m.r.ready_ms);
	return m;
}

static bool within(const char *what, double got, double want, double share)
{
	double off = want != 0 ? fabs(got / want - 1) : fabs(got);

	printf("     %-28s %10.4f, theory %10.4f, %+.2f %%\n", what, got, want,
	       want != 0 ? (got / want - 1) * 100 : 0);
	return off <= share;
}

static const struct {
	double per_hour, talk_s;
	unsigned agents;
	double days;
} c_cases[] = {
	{160, 180, 10, 600},  /* load 8 on 10 */
	{450, 120, 20, 250},  /* 15 on 20 */
	{1000, 180, 60, 100}, /* 50 on 60 */
};

static void erlang_c_is_met_within_two_percent(void)
{
	for (size_t i = 0; i < sizeof(c_cases) / sizeof(c_cases[0]); i++) {
		double talk_s = c_cases[i].talk_s;
		struct sim_erlang t =
			sim_erlang_c(c_cases[i].per_hour / 3600, talk_s, c_cases[i].agents, 20);
		struct measured m =
			run(c_cases[i].per_hour, (struct sim_law){SIM_EXPONENTIAL, talk_s, 0},
			    c_cases[i].agents, (struct sim_law){.kind = SIM_NEVER}, c_cases[i].days,
			    7 + i);

		printf("     %u agents, %.0f calls/h: %llu calls\n", c_cases[i].agents,
		       c_cases[i].per_hour, (unsigned long long)m.q.offered);
		check_str(m.r.broken, "");
		check(within("share that waits", m.waits, t.waits, 0.02));
		check(within("average speed of answer, s", m.wait_served_s, t.wait_served_s, 0.02));
		check(within("answered within 20 s", m.in_time, t.in_time, 0.02));
		check(within("occupancy", m.occupancy, t.occupancy, 0.02));
	}
}

static const struct {
	double per_hour, talk_s, patience_s;
	unsigned agents;
	double days;
} a_cases[] = {
	{200, 180, 120, 10, 500}, /* as many as can be served */
	{480, 180, 60, 20, 150},  /* a fifth more */
	{1000, 180, 180, 54, 120},
};

static void erlang_a_is_met_within_two_percent(void)
{
	for (size_t i = 0; i < sizeof(a_cases) / sizeof(a_cases[0]); i++) {
		struct sim_erlang t = sim_erlang_a(a_cases[i].per_hour / 3600, a_cases[i].talk_s,
						   a_cases[i].agents, a_cases[i].patience_s, 20);
		struct measured m = run(a_cases[i].per_hour,
					(struct sim_law){SIM_EXPONENTIAL, a_cases[i].talk_s, 0},
					a_cases[i].agents,
					(struct sim_law){SIM_EXPONENTIAL, a_cases[i].patience_s, 0},
					a_cases[i].days, 3 + i);

		printf("     %u agents, %.0f calls/h, patience %.0f s: %llu calls\n",
		       a_cases[i].agents, a_cases[i].per_hour, a_cases[i].patience_s,
		       (unsigned long long)m.q.offered);
		check_str(m.r.broken, "");
		check(within("share that abandons", m.abandons, t.abandons, 0.02));
		check(within("mean wait of all, s", m.wait_s, t.wait_s, 0.02));
		check(within("mean wait of the served, s", m.wait_served_s, t.wait_served_s, 0.02));
		check(within("answered within 20 s", m.in_time, t.in_time, 0.02));
		check(within("occupancy", m.occupancy, t.occupancy, 0.02));
	}
}

/* Service that is not exponential: Pollaczek and Khinchine's mean wait of one agent. */
static void one_agent_with_any_service_time(void)
{
	static const struct sim_law laws[] = {
		{SIM_FIXED, 60, 0}, {SIM_LOGNORMAL, 60, 0.8}, {SIM_UNIFORM, 60, 0}};
	static const double square[] = {1, 1 + 0.8 * 0.8, 4.0 / 3}; /* of the mean's square */

	for (unsigned i = 0; i < 3; i++) {
		double per_s = 0.6 / 60, want = per_s * square[i] * 3600 / (2 * (1 - 0.6));
		struct measured m = run(per_s * 3600, laws[i], 1,
					(struct sim_law){.kind = SIM_NEVER}, 1500, 11);

		check_str(m.r.broken, "");
		check(within("mean wait of M/G/1, s", m.wait_s, want, 0.02));
	}
}

/* The formulas themselves, against numbers that others have printed or that can be reckoned by hand. */
static void the_formulas_are_right(void)
{
	struct sim_erlang t = sim_erlang_c(100.0 / 1800, 180, 14, 20);
	struct sim_erlang m = sim_erlang_c(0.5, 1, 1, 0), a;

	/* 200 calls an hour of three minutes, 14 agents: 88.8 % within 20 s in every textbook's example. */
	check(fabs(t.in_time - 0.888) < 0.001 && fabs(t.waits - 0.174) < 0.001);
	/* M/M/1 at one half. */
	check(fabs(m.waits - 0.5) < 1e-12 && fabs(m.wait_s - 1) < 1e-12);
	check(isinf(sim_erlang_c(1, 1, 1, 0).wait_s));
	/* Patience as long as service: as if everybody were served at once, M/M/infinity of load 2. */
	a = sim_erlang_a(2, 1, 1, 1, 5);
	check(fabs(a.waits - (1 - exp(-2))) < 1e-9);
	check(fabs(a.abandons - (2 - (1 - exp(-2))) / 2) < 1e-9);
	check(fabs(a.occupancy - (1 - exp(-2))) < 1e-9);
	/* Endless patience is Erlang's C. */
	a = sim_erlang_a(100.0 / 1800, 180, 14, 1e9, 20);
	check(fabs(a.waits - t.waits) < 1e-4 && fabs(a.in_time - t.in_time) < 1e-4);
	check(fabs(a.wait_served_s / t.wait_s - 1) < 1e-3);
	check(fabs(a.occupancy - t.occupancy) < 1e-4);
}

static const struct check_case cases[] = {
	CHECK_CASE(the_formulas_are_right),
	CHECK_CASE(erlang_c_is_met_within_two_percent),
	CHECK_CASE(erlang_a_is_met_within_two_percent),
	CHECK_CASE(one_agent_with_any_service_time),
};
CHECK_MAIN(cases)
