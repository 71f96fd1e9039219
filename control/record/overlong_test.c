/* SPDX-License-Identifier: Apache-2.0
 *
 * Alarms in virtual time: a second passes at a time.
 */
#include "record/overlong.h"

#include "check.h"

static const struct overlong_limits talk = {{300, 600, 900}}, hold = {{60, 0, 120}}, none;

/* What was raised and cleared, in order: "+talk1@301 ..." */
static void tell(char *log, size_t size, const struct overlong_alarm *a, unsigned n, uint64_t s)
{
	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(log);

		snprintf(log + len, size - len, "%s%c%s%u@%llu", len > 0 ? " " : "",
			 a[i].raised ? '+' : '-', overlong_what_name(a[i].what), a[i].level,
			 (unsigned long long)s);
	}
}

static void the_leader_first_then_the_controller_then_the_manager(void)
{
	struct overlong_alarm a[OVERLONG_ALARMS_MAX];
	struct overlong o = {0};
	char log[400] = "";

	overlong_begin(&o, OVERLONG_TALK, talk, 0);
	for (uint64_t s = 1; s <= 1000; s++)
		tell(log, sizeof(log), a, overlong_look(&o, s * 1000, a), s);
	tell(log, sizeof(log), a, overlong_end(&o, OVERLONG_TALK, 1000500, a), 1000);
	check_str(log, "+talk1@301 +talk2@601 +talk3@901 -talk3@1000");
	check_str(overlong_role(1), "leader");
	check_str(overlong_role(2), "controller");
	check_str(overlong_role(3), "manager");
}

static void what_is_short_alarms_nobody(void)
{
	struct overlong_alarm a[OVERLONG_ALARMS_MAX];
	struct overlong o = {0};

	overlong_begin(&o, OVERLONG_TALK, talk, 0);
	check_int(overlong_look(&o, 300000, a), 0);
	check_int(overlong_end(&o, OVERLONG_TALK, 300000, a), 0);
	check_int(overlong_look(&o, 9000000, a), 0);
	overlong_begin(&o, OVERLONG_WRAP_UP, none, 0);
	check_int(overlong_look(&o, 9000000, a), 0);
	check_int(overlong_end(&o, OVERLONG_WRAP_UP, 9000000, a), 0);
}

/* The list of the day holds just the calls above the limit, though nobody looked in between. */
static void what_passes_between_two_looks_is_not_missed(void)
{
	struct overlong_alarm a[OVERLONG_ALARMS_MAX];
	struct overlong o = {0};

	overlong_begin(&o, OVERLONG_TALK, talk, 500);
	check_int(overlong_look(&o, 300000, a), 0);
	check_int(overlong_end(&o, OVERLONG_TALK, 300501, a), 2);
	check(a[0].raised && a[0].level == 1);
	check(!a[1].raised && a[1].level == 1);
	check_int(a[1].lasted_ms, 300001);
	check_int(a[1].limit_ms, 300000);
}

static void each_hold_counts_for_itself_and_levels_may_be_left_out(void)
{
	struct overlong_alarm a[OVERLONG_ALARMS_MAX];
	struct overlong o = {0};
	char log[400] = "";

	overlong_begin(&o, OVERLONG_TALK, talk, 0);
	for (uint64_t s = 1; s <= 400; s++) {
		if (s == 10 || s == 100)
			overlong_begin(&o, OVERLONG_HOLD, hold, s * 1000);
		tell(log, sizeof(log), a, overlong_look(&o, s * 1000, a), s);
		if (s == 50 || s == 300)
			tell(log, sizeof(log), a, overlong_end(&o, OVERLONG_HOLD, s * 1000, a), s);
	}
	check_str(log, "+hold1@161 +hold3@221 -hold3@300 +talk1@301");
}

static const struct check_case cases[] = {
	CHECK_CASE(the_leader_first_then_the_controller_then_the_manager),
	CHECK_CASE(what_is_short_alarms_nobody),
	CHECK_CASE(what_passes_between_two_looks_is_not_missed),
	CHECK_CASE(each_hold_counts_for_itself_and_levels_may_be_left_out),
};

CHECK_MAIN(cases)
