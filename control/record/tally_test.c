/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of single calls at the borders of windows, and random histories against a second book.
 */
#include "record/tally.h"

#include "check.h"
#include "record/tally_kit.h"

enum { Q = TALLY_INTERVAL_MS, FROM = 4 * Q };

struct row {
	uint64_t at_ms;
	enum call_step step;
	const char *detail;
};

static void tell(struct tally *t, const struct row *rows, size_t n, const char *flow, uint64_t now)
{
	struct tally_call c;

	tally_call_begin(&c, t, false);
	for (size_t i = 0; i < n; i++)
		tally_call_step(&c, rows[i].step, rows[i].detail, rows[i].at_ms);
	tally_call_end(&c, flow, now);
}

#define ROWS(a) a, sizeof(a) / sizeof((a)[0])

static uint64_t q(struct tally *t, enum tally_queue_column column)
{
	return tally_row(t, TALLY_QUEUE, "sales", "")->n[column];
}

/* Waits over one border, talks over two. */
static const struct row long_call[] = {
	{FROM - 8000, CALL_STEP_QUEUE, "sales"},
	{FROM - 8000, CALL_STEP_OFFER, "1001"},
	{FROM + 10000, CALL_STEP_ANSWER, "1001"},
	{FROM + Q - 5000, CALL_STEP_HOLD, "1001"},
	{FROM + Q + 5000, CALL_STEP_RESUME, "1001"},
	{FROM + 2 * Q + 1000, CALL_STEP_HANGUP, "agent: normal"},
	{FROM + 2 * Q + 1000, CALL_STEP_WRAP_UP, "1001"},
	{FROM + 2 * Q + 31000, CALL_STEP_WRAP_UP_DONE, "1001"},
};

static void a_call_is_divided_at_the_borders(void)
{
	static const struct {
		uint64_t offered, answered, wait_ms, talk_ms, hold_ms, wrap_up_ms;
	} want[] = {
		{1, 0, 0, 0, 0, 0},
		{0, 1, 18000, Q - 15000, 5000, 0},
		{0, 0, 0, Q - 5000, 5000, 0},
		{0, 0, 0, 1000, 0, 30000},
	};

	for (unsigned i = 0; i < 4; i++) {
		struct tally t;

		tally_begin(&t, FROM + i * Q - Q, FROM + i * Q, NULL, 0);
		tell(&t, ROWS(long_call), "", FROM + 9 * Q);
		check_int(q(&t, TALLY_QUEUE_OFFERED), want[i].offered);
		check_int(q(&t, TALLY_QUEUE_ANSWERED), want[i].answered);
		check_int(q(&t, TALLY_QUEUE_ANSWERED_20S), want[i].answered);
		check_int(q(&t, TALLY_QUEUE_ANSWER_WAIT_MS), want[i].wait_ms);
		check_int(q(&t, TALLY_QUEUE_TALK_MS), want[i].talk_ms);
		check_int(q(&t, TALLY_QUEUE_HOLD_MS), want[i].hold_ms);
		check_int(q(&t, TALLY_QUEUE_WRAP_UP_MS), want[i].wrap_up_ms);
		tally_end(&t);
	}
}

static void what_still_lasts_counts_up_to_now(void)
{
	struct tally t;

	tally_begin(&t, FROM, FROM + Q, NULL, 0);
	tell(&t, long_call, 3, "hotline", FROM + 40000);
	check_int(q(&t, TALLY_QUEUE_TALK_MS), 30000);
	check_int(tally_row(&t, TALLY_FLOW, "hotline", "")->n[TALLY_FLOW_CALLERS], 0);
	tally_end(&t);
}

/* 1000 callers, 200 of whom finish in a node marked resolved (S-02). */
static void contained_callers_are_counted(void)
{
	static const struct row contained[] = {
		{FROM, CALL_STEP_IVR, "balance"},
		{FROM, CALL_STEP_RESOLVED, "balance"},
		{FROM + 9000, CALL_STEP_HANGUP, "customer: normal"},
	};
	static const struct row queued[] = {
		{FROM, CALL_STEP_IVR, "balance"},
		{FROM, CALL_STEP_RESOLVED, "balance"},
		{FROM + 8000, CALL_STEP_QUEUE, "sales"},
		{FROM + 9000, CALL_STEP_HANGUP, "customer: abandoned"},
	};
	const struct tally_row *r;
	struct tally t;

	tally_begin(&t, FROM, FROM + Q, NULL, 0);
	for (unsigned i = 0; i < 1000; i++) {
		if (i < 200)
			tell(&t, ROWS(contained), "hotline", FROM + Q);
		else
			tell(&t, ROWS(queued), "hotline", FROM + Q);
	}
	r = tally_row(&t, TALLY_FLOW, "hotline", "");
	check_int(r->n[TALLY_FLOW_CALLERS], 1000);
	check_int(r->n[TALLY_FLOW_CONTAINED], 200);
	check_int(r->n[TALLY_FLOW_QUEUED], 800);
	check_int(q(&t, TALLY_QUEUE_ABANDONED_SHORT), 800);
	tally_end(&t);
}

static void a_clock_that_steps_back_takes_no_time_away(void)
{
	static const struct row rows[] = {
		{FROM + 5000, CALL_STEP_QUEUE, "sales"},
		{FROM + 9000, CALL_STEP_ANSWER, "1001"},
		{FROM + 2000, CALL_STEP_HOLD, "1001"},
		{FROM + 12000, CALL_STEP_HANGUP, "customer: normal"},
	};
	struct tally t;

	tally_begin(&t, FROM, FROM + Q, NULL, 0);
	tell(&t, ROWS(rows), "", FROM + Q);
	check_int(q(&t, TALLY_QUEUE_TALK_MS), 0);
	check_int(q(&t, TALLY_QUEUE_HOLD_MS), 3000);
	tally_end(&t);
}

/* The states of an agent fill the time signed in, in every window. */
static void states_fill_the_time(const struct tally *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		const uint64_t *n = t->rows[i].n;

		if (t->rows[i].kind != TALLY_AGENT)
			continue;
		check_int(n[TALLY_AGENT_READY_MS] + n[TALLY_AGENT_NOT_READY_MS] +
				  n[TALLY_AGENT_RINGING_MS] + n[TALLY_AGENT_TALKING_MS] +
				  n[TALLY_AGENT_WRAP_UP_MS] + n[TALLY_AGENT_OTHER_MS],
			  n[TALLY_AGENT_SIGNED_IN_MS]);
		check(n[TALLY_AGENT_SIGNED_IN_MS] <= Q);
	}
}

static void fold(const struct kit *k, struct tally *t)
{
	for (size_t i = 0; i < k->n_calls; i++) {
		const struct kit_call *c = &k->calls[i];
		struct tally_call f;

		tally_call_begin(&f, t, c->kind == CALL_CALLBACK);
		for (unsigned n = 0; n < c->n; n++)
			tally_call_step(&f, c->step[n].step, c->step[n].detail, c->step[n].at_ms);
		tally_call_end(&f, c->flow, k->now_ms);
	}
	for (size_t i = 0; i < k->n_states; i++) {
		const struct kit_state *s = &k->states[i];
		bool first = i == 0 || strcmp(s[-1].agent, s->agent) != 0;
		bool last = i + 1 == k->n_states || strcmp(s[1].agent, s->agent) != 0;

		tally_agent_change(t, s->agent, first ? "signed_out" : s[-1].state, s->state,
				   s->at_ms);
		tally_agent_state(t, s->agent, s->state, s->reason, s->at_ms,
				  last ? k->now_ms : s[1].at_ms);
	}
}

static void random_histories_agree_with_a_second_book(void)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct kit *k = kit_make(seed, 1700000100000 / Q * Q, 8, 150);
		struct tally day;

		tally_begin(&day, 0, UINT64_MAX, kit_limits, KIT_QUEUES);
		for (size_t i = 0; i < k->n_want; i++) {
			struct tally t;

			tally_begin(&t, k->want[i].from_ms, k->want[i].to_ms, kit_limits,
				    KIT_QUEUES);
			fold(k, &t);
			if (!kit_same(&t, &k->want[i]))
				printf("seed %llu\n", (unsigned long long)seed);
			check(kit_same(&t, &k->want[i]));
			states_fill_the_time(&t);
			for (size_t n = 0; n < t.n_rows; n++)
				tally_row_add(tally_row(&day, t.rows[n].kind, t.rows[n].key,
							t.rows[n].sub),
					      &t.rows[n]);
			tally_end(&t);
		}
		/* The windows add up to one big one. */
		struct tally whole;

		tally_begin(&whole, 0, UINT64_MAX, kit_limits, KIT_QUEUES);
		fold(k, &whole);
		check(kit_same(&day, &whole));
		tally_end(&whole);
		tally_end(&day);
		kit_free(k);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(a_call_is_divided_at_the_borders),
	CHECK_CASE(what_still_lasts_counts_up_to_now),
	CHECK_CASE(contained_callers_are_counted),
	CHECK_CASE(a_clock_that_steps_back_takes_no_time_away),
	CHECK_CASE(random_histories_agree_with_a_second_book),
};

CHECK_MAIN(cases)
