/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures of catalogue row S-83, and what lies beside them.
 */
#include "record/seats.h"

#include <math.h>

#include "check.h"

static const struct seats_wish county = {.users = 130000,
					 .users_per_seat = 20000,
					 .elsewhere = 3,
					 .hours_a_day = 14,
					 .days_a_month = 30,
					 .hours_of_one_person = 166.64};

static void as_the_county_planned(void)
{
	struct seats_plan p;

	seats_plan(&p, &county);
	check(fabs(p.seats_exact - 6.5) < 1e-9);
	check_int(p.seats, 6);
	check_int(p.at_first, 3);
	check(fabs(p.people_per_seat_exact - 2.52) < 0.005);
	check_int(p.people_per_seat, 3);
	check_int(p.people, 18);
	check_int(p.people_at_first, 9);
}

static void borders(void)
{
	struct seats_wish w = county;
	struct seats_plan p;

	w.users = 139999;
	seats_plan(&p, &w);
	check_int(p.seats, 6);
	w.users = 140000;
	seats_plan(&p, &w);
	check_int(p.seats, 7);
	w.users = 1; /* somebody must answer */
	seats_plan(&p, &w);
	check_int(p.seats, 1);
	check_int(p.at_first, 0);
	w.users = 0;
	seats_plan(&p, &w);
	check_int(p.seats + p.people, 0);
	w = county;
	w.hours_a_day = 2.1;
	w.days_a_month = 1;
	w.hours_of_one_person = 0.7; /* 3.0000000000000004 in binary */
	seats_plan(&p, &w);
	check_int(p.people_per_seat, 3);
}

static bool seat_due(const double *week, size_t n)
{
	return seats_fell(week, n, SEATS_ANSWER_RATE_FALLS, SEATS_ANSWER_RATE_WEEKS, NULL);
}

static void three_weeks_are_an_alert_two_are_none(void)
{
	static const double stays[] = {0.92, 0.90, 0.85, 0.85, 0.85},
			    falls[] = {0.90, 0.85, 0.80, 0.75},
			    one_good[] = {0.90, 0.85, 0.86, 0.85},
			    less[] = {0.90, 0.86, 0.86, 0.86};
	double base;

	check(seat_due(stays, 5));
	check(!seat_due(stays, 4)); /* two of them only */
	check(seat_due(falls, 4));
	check(!seat_due(falls, 3)); /* no week before them */
	check(!seat_due(one_good, 4));
	check(!seat_due(less, 4));
	check(seats_fell(stays, 5, 0.05, 3, &base));
	check(fabs(base - 0.90) < 1e-9);
	check(!seat_due(stays, 0));
}

static void lines_may_be_given_up(void)
{
	static const double calls[] = {4100, 4000, 3500, 3400, 3500, 3300};

	check(seats_fell(calls, 6, SEATS_VOLUME_FALLS, SEATS_VOLUME_WEEKS, NULL));
	check(!seats_fell(calls, 5, SEATS_VOLUME_FALLS, SEATS_VOLUME_WEEKS, NULL));
}

static const struct check_case cases[] = {
	CHECK_CASE(as_the_county_planned),
	CHECK_CASE(borders),
	CHECK_CASE(three_weeks_are_an_alert_two_are_none),
	CHECK_CASE(lines_may_be_given_up),
};
CHECK_MAIN(cases)
