/* SPDX-License-Identifier: Apache-2.0
 * 500 calls to 20 agents, as each strategy promises.
 *
 * Light enough that most agents are idle when a call comes, so the strategy decides and not who happens to be
 * free. Agent 19 is signed in and never ready.
 */
#include <stdlib.h>

#include "check.h"
#include "sim_centre.h"
#include "sim_load.h"

enum { AGENTS = 20, CALLS = 500, EVERY_MS = 12000 };

struct spread {
	uint32_t fewest, most;
	uint64_t least_ms, most_ms, sum_ms;
	uint32_t not_ready; /* answered by him who is not */
	struct sim_queue_sums sums[2];
	struct sim_result r;
};

static struct sim_event event[2 * AGENTS + CALLS];

static size_t sign_in(void)
{
	size_t n = 0;

	for (int g = 0; g < AGENTS; g++) {
		event[n++] = (struct sim_event){
			.at_ms = 1000, .kind = SIM_SIGN_IN, .queue = -1, .agent = g};
		event[n++] = (struct sim_event){.at_ms = 1000,
						.kind = g == 19 ? SIM_NOT_READY : SIM_READY,
						.queue = -1,
						.agent = g,
						.value = 1};
	}
	return n;
}

static void run(const char *rules, struct sim_people people, unsigned every_ms, struct spread *out)
{
	struct config *c = sim_centre_plain(&(struct sim_centre){
		.queues = 2, .agents = AGENTS, .skills = 2, .queue_rules = rules});
	struct sim_plan plan = {.seed = 1,
				.start_ms = 1000,
				.config = {c},
				.calls_max = 2000,
				.people = people,
				.records = true,
				.check_every = 1};
	struct sim_list list = {.event = event, .n = sign_in()};
	struct sim *s;

	for (uint64_t i = 0; i < CALLS; i++)
		event[list.n++] = (struct sim_event){.at_ms = 20000 + i * every_ms,
						     .kind = SIM_CALL,
						     .agent = -1,
						     .value = i % 10 == 9,
						     .salt = i};
	*out = (struct spread){.fewest = UINT32_MAX, .least_ms = UINT64_MAX};
	plan.source = sim_list_source(&list);
	s = sim_open(&plan);
	if (sim_run(s, &out->r) != 0)
		printf("%s\n", out->r.broken);
	for (int g = 0; g < AGENTS; g++) {
		struct sim_agent_sums a = sim_agent_sums(s, g);

		if (g == 19) {
			out->not_ready = a.answered;
			continue;
		}
		out->fewest = a.answered < out->fewest ? a.answered : out->fewest;
		out->most = a.answered > out->most ? a.answered : out->most;
		out->least_ms = a.talk_ms < out->least_ms ? a.talk_ms : out->least_ms;
		out->most_ms = a.talk_ms > out->most_ms ? a.talk_ms : out->most_ms;
		out->sum_ms += a.talk_ms;
	}
	out->sums[0] = sim_queue_sums(s, 0);
	out->sums[1] = sim_queue_sums(s, 1);
	sim_close(s);
	config_free(c);
}

static const struct sim_people decent = {
	.patience = {.kind = SIM_NEVER},
	.talk = {SIM_LOGNORMAL, 60, 1.5},
	.answer = {SIM_FIXED, 2, 0},
	.back = {.kind = SIM_NEVER},
	.wrap = {.kind = SIM_NEVER},
};

static void all_are_answered_and_none_by_who_is_not_ready(void)
{
	static const char *const strategies[] = {"longest_idle", "round_robin", "least_calls",
						 "least_talk", "ring_all"};

	for (unsigned i = 0; i < 5; i++) {
		char rules[128];
		struct spread m;

		snprintf(rules, sizeof(rules), "wrap_up_s: 5, max_wait_s: 0, strategy: %s, ",
			 strategies[i]);
		run(rules, decent, EVERY_MS, &m);
		printf("     %-12s %u to %u calls, %llu to %llu s of talk\n", strategies[i],
		       m.fewest, m.most, (unsigned long long)m.least_ms / 1000,
		       (unsigned long long)m.most_ms / 1000);
		check_str(m.r.broken, "");
		check_int(m.sums[0].answered, CALLS);
		check_int(m.not_ready, 0);
		/* 26 each are fair; one by one is exact. */
		if (i == 1 || i == 2)
			check(m.most - m.fewest <= 2);
		if (i == 0)
			check(m.most - m.fewest <= 6);
		/* Nobody has talked more than the longest talk ahead of the others. */
		if (i == 3)
			check((m.most_ms - m.least_ms) * 19 < m.sum_ms);
	}
}

/* More calls than agents can take: those with priority wait less, everybody is served in the end. */
static void priority_overtakes(void)
{
	struct spread m;

	run("wrap_up_s: 5, max_wait_s: 0, announce_every_s: 30, ", decent, 3000, &m);
	check_str(m.r.broken, ""); /* the book has compared every offer with who goes before */
	check_int(m.sums[0].answered, CALLS);
	check(m.sums[0].delayed > 100);
}

/* To the millisecond: whoever leaves a queue for having waited too long has waited so long. */
static void queue_timers_are_exact(void)
{
	struct spread m;
	struct sim_people nobody = decent;

	nobody.miss = 1;
	run("wrap_up_s: 0, max_wait_s: 45, ring_timeout_s: 7, announce_every_s: 0, ", nobody,
	    EVERY_MS, &m);
	check_str(m.r.broken, "");
	check_int(m.sums[0].answered, 0);
	check_int(m.sums[0].left, CALLS);
	/* 19 phones ring for seven seconds, one after the other, then everybody waits his 45 to the end. */
	check_int(m.r.ringing_ms, 19 * 7000);
	check_int(m.r.end_ms, 20000 + (CALLS - 1) * (uint64_t)EVERY_MS + 45000);
}

static const struct check_case cases[] = {
	CHECK_CASE(all_are_answered_and_none_by_who_is_not_ready),
	CHECK_CASE(priority_overtakes),
	CHECK_CASE(queue_timers_are_exact),
};
CHECK_MAIN(cases)
