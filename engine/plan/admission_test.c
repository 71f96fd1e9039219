/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/admission.h"

#include "base/units.h"
#include "check.h"
#include "plan/load.h"

static const uint64_t none[ADMISSION_PARTS];
static const struct admission_config usual = {.busy_max = 0.9, .late_max_us = 20000};
static const struct admission_wish a_leg = {.kind = ADMISSION_RELAY};
static const struct admission_wish a_prompt = {.kind = ADMISSION_PLAY, .runs = true};

/* --- load --- */

/* `seconds` of a worker whose turns cost 300 ns empty, of which `turns` a second find work and need
 * `work_ns` each on top. */
static void work(struct load *l, struct load_counts *c, uint64_t *now, double seconds,
		 uint64_t turns, uint64_t work_ns)
{
	for (unsigned i = 0; i < seconds * 10; i++) {
		uint64_t busy = turns / 10 * (300 + work_ns), whole = PB_NS_PER_S / 10;

		*now += whole;
		c->busy_turns += turns / 10;
		c->busy_ns += busy;
		c->empty_turns += (whole - busy) / 300;
		c->empty_ns += (whole - busy) / 300 * 300;
		load_take(l, c, *now);
	}
}

static bool near(double a, double b, double by)
{
	return a - b <= by && b - a <= by;
}

static void turning_itself_is_not_work(void)
{
	static const struct {
		uint64_t turns, work_ns;
		double share;
	} rows[] = {
		{0, 0, 0},
		{1000000, 100,
		 0.143}, /* a million lone packets: 40 % of its time, 14 % of its power */
		{100000, 3000, 0.309},
		{300000, 3033, 1.0}, /* every turn is full */
		{10, 50000000, 0.5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct load l = {.share = 0};
		struct load_counts c = {.busy_ns = 5, .empty_ns = 70000, .empty_turns = 100};
		uint64_t now = PB_NS_PER_S;

		work(&l, &c, &now, 1, 0, 0);
		work(&l, &c, &now, 12, rows[i].turns, rows[i].work_ns);
		if (!near(l.share, rows[i].share, 0.01))
			printf("row %zu: %.3f\n", i, l.share);
		check(near(l.share, rows[i].share, 0.01));
	}
}

static void the_average_forgets_within_seconds(void)
{
	struct load l = {.share = 0};
	struct load_counts c = {.busy_ns = 0};
	uint64_t now = PB_NS_PER_S;

	work(&l, &c, &now, 5, 100, 10000000); /* it is full */
	check(l.share > 0.98);
	work(&l, &c, &now, 1, 0, 0);
	check(near(l.share, 0.38, 0.05));
	work(&l, &c, &now, 4, 0, 0);
	check(l.share < 0.02);
}

static void lateness_is_a_mean_over_slots(void)
{
	struct load l = {.share = 0};
	struct load_counts c = {.slots = 0};
	uint64_t now = PB_NS_PER_S;

	load_take(&l, &c, now);
	for (unsigned i = 0; i < 100; i++) {
		c.slots += 100;
		c.slots_late_ns += 100 * 3 * PB_NS_PER_MS;
		load_take(&l, &c, now += PB_NS_PER_S / 10);
	}
	check(near(l.late_us, 3000, 10));
	for (unsigned i = 0; i < 100; i++) /* no slots: nobody is late */
		load_take(&l, &c, now += PB_NS_PER_S / 10);
	check(l.late_us < 1);
}

/* --- admission --- */

static void a_crowd_is_stopped_before_it_is_measured(void)
{
	struct admission a;
	unsigned in = 0;

	admission_init(&a, &usual);
	admission_take(&a, PB_NS_PER_S, 0.1, 0, none, none, 0);
	while (in < 1000000 && admission_ask(&a, &a_leg).admitted)
		in++;
	/* 370 ns x 50 a second each; 0.8 of a core is free. */
	check(near(in, 0.8 / (370e-9 * 50), 2));
}

static void what_it_admitted_melts_into_what_is_measured(void)
{
	struct admission a;
	uint64_t now = PB_NS_PER_S;
	double share = 0;

	admission_init(&a, &usual);
	admission_take(&a, now, 0, 0, none, none, 0);
	for (unsigned i = 0; i < 10000; i++)
		check(admission_ask(&a, &a_leg).admitted);
	double all = a.pending;
	for (unsigned i = 0; i < 100; i++) {
		share += load_weight(PB_NS_PER_S / 10) * (all - share);
		admission_take(&a, now += PB_NS_PER_S / 10, share, 0, none, none, 0);
		check(near(a.share + a.pending, all, 0.001)); /* never twice, never missing */
	}
	check(a.pending < 0.001);
}

static void who_was_refused_is_not_let_in_by_chance(void)
{
	struct admission a;
	struct admission_verdict v;

	admission_init(&a, &usual);
	admission_take(&a, PB_NS_PER_S, 0.91, 0, none, none, 0);
	v = admission_ask(&a, &a_leg);
	check(!v.admitted && !v.late && a.pending == 0);
	check(near(v.limit, 0.9, 1e-9) && v.projected > 0.91);
	admission_take(&a, 2 * PB_NS_PER_S, 0.88, 0, none, none, 0);
	check(!admission_ask(&a, &a_leg).admitted);
	check(admission_refuses(&a));
	admission_take(&a, 3 * PB_NS_PER_S, 0.849, 0, none, none, 0);
	check(!admission_refuses(&a));
	check(admission_ask(&a, &a_leg).admitted);
	admission_take(&a, 4 * PB_NS_PER_S, 0.88, 0, none, none, 0);
	check(admission_ask(&a, &a_leg).admitted); /* below the limit again: no refusal yet */
}

static void calls_that_run_may_go_further(void)
{
	struct admission a;

	admission_init(&a, &usual);
	admission_take(&a, PB_NS_PER_S, 0.93, 0, none, none, 0);
	check(!admission_ask(&a, &a_leg).admitted);
	check(admission_ask(&a, &a_prompt).admitted);
	check(a.refusing); /* which says nothing about newcomers */
	admission_take(&a, 2 * PB_NS_PER_S, 0.96, 0, none, none, 0);
	check(!admission_ask(&a, &a_prompt).admitted);
}

static void lateness_refuses_newcomers(void)
{
	struct admission a;
	struct admission_verdict v;

	admission_init(&a, &usual);
	admission_take(&a, PB_NS_PER_S, 0.2, 25000, none, none, 0);
	v = admission_ask(&a, &a_leg);
	check(!v.admitted && v.late);
	check(admission_ask(&a, &a_prompt).admitted);
	admission_take(&a, 2 * PB_NS_PER_S, 0.2, 15000, none, none, 0);
	check(!admission_ask(&a, &a_leg).admitted);
	admission_take(&a, 3 * PB_NS_PER_S, 0.2, 9000, none, none, 0);
	check(admission_ask(&a, &a_leg).admitted);
}

static void costs_are_learnt_from_the_stages(void)
{
	struct admission a;
	uint64_t packets[ADMISSION_PARTS] = {0}, cycles[ADMISSION_PARTS] = {0}, now = PB_NS_PER_S;
	double before;

	admission_init(&a, &usual);
	admission_take(&a, now, 0, 0, packets, cycles, 2000000000);
	before = admission_cost(&a, &a_leg);
	for (unsigned i = 0; i < 200; i++) {
		packets[ADMISSION_PART_RELAY] += 1000;
		cycles[ADMISSION_PART_RELAY] += 1000 * 2000; /* a microsecond each at 2 GHz */
		packets[ADMISSION_PART_IN] += 3;             /* too few to say much about */
		cycles[ADMISSION_PART_IN] += 3000000;
		admission_take(&a, now += PB_NS_PER_S / 10, 0, 0, packets, cycles, 2000000000);
	}
	check(near(a.part_ns[ADMISSION_PART_RELAY], 1000, 5));
	check(a.part_ns[ADMISSION_PART_IN] > 250); /* they add up in the end */
	check(admission_cost(&a, &a_leg) > before);
	check(near(admission_cost(&a, &(struct admission_wish){.kind = ADMISSION_CALL}), 0, 1e-12));
}

static void dearer_kinds_cost_more(void)
{
	struct admission a;
	struct admission_wish secure = {.kind = ADMISSION_RELAY, .srtp = true};
	struct admission_wish mixed = {.kind = ADMISSION_MIX};
	struct admission_wish opus = {.kind = ADMISSION_MIX, .coding_us = 120};

	admission_init(&a, &usual);
	check(admission_cost(&a, &secure) > admission_cost(&a, &a_leg));
	check(admission_cost(&a, &mixed) > admission_cost(&a, &a_leg));
	check(near(admission_cost(&a, &opus) - admission_cost(&a, &mixed), 0.006, 1e-6));
}

static void a_limit_of_one_never_refuses(void)
{
	struct admission a;

	admission_init(&a, &(struct admission_config){.busy_max = 1});
	admission_take(&a, PB_NS_PER_S, 1, 1e6, none, none, 0);
	check(admission_ask(&a, &a_leg).admitted);
}

static const struct check_case cases[] = {
	CHECK_CASE(turning_itself_is_not_work),
	CHECK_CASE(the_average_forgets_within_seconds),
	CHECK_CASE(lateness_is_a_mean_over_slots),
	CHECK_CASE(a_crowd_is_stopped_before_it_is_measured),
	CHECK_CASE(what_it_admitted_melts_into_what_is_measured),
	CHECK_CASE(who_was_refused_is_not_let_in_by_chance),
	CHECK_CASE(calls_that_run_may_go_further),
	CHECK_CASE(lateness_refuses_newcomers),
	CHECK_CASE(costs_are_learnt_from_the_stages),
	CHECK_CASE(dearer_kinds_cost_more),
	CHECK_CASE(a_limit_of_one_never_refuses),
};
CHECK_MAIN(cases)
