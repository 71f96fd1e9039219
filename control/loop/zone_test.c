/* SPDX-License-Identifier: Apache-2.0
 *
 * Days and hours of other places, those with a change of the clock too.
 */
#include "loop/zone.h"

#include <stdlib.h>
#include <time.h>

#include "check.h"

#define HOUR UINT64_C(3600000)

static const struct row {
	const char *zone;
	uint64_t from_s; /* local midnight */
	enum zone_unit unit;
	uint64_t span_h;
	uint32_t borders;
	uint64_t second_h; /* the second border, hours after the first */
} rows[] = {
	{"Europe/Berlin", 1761343200, ZONE_1D, 48, 3,
	 24}, /* 2025-10-25 and 26, the 26th has 25 hours */
	{"Europe/Berlin", 1761429600, ZONE_1D, 25, 2, 25}, /* 2025-10-26 */
	{"Europe/Berlin", 1761429600, ZONE_1H, 25, 26, 1}, /* 25 hours, of which one comes twice */
	{"Europe/Berlin", 1761429600, ZONE_15M, 25, 101, 0},
	{"Europe/Berlin", 1774738800, ZONE_1H, 23, 24, 1}, /* 2026-03-29 has 23 */
	{"Europe/Berlin", 1774738800, ZONE_1D, 23, 2, 23},
	{"Asia/Shanghai", 1761321600, ZONE_1D, 72, 4, 24},
	{"Asia/Kathmandu", 1761329700, ZONE_1H, 24, 25, 1}, /* 5:45 ahead */
	{"Asia/Kathmandu", 1761329700, ZONE_1D, 48, 3, 24},
	{"America/St_Johns", 1761359400, ZONE_30M, 2, 5, 0}, /* 2:30 behind */
	{"Europe/Berlin", 1761343200, ZONE_ALL, 480, 2, 480},
};

static void borders_are_those_of_the_place(void)
{
	uint64_t border[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		uint64_t from = r->from_s * 1000;
		uint32_t n =
			zone_borders(r->zone, r->unit, from, from + r->span_h * HOUR, border, 200);

		if (n != r->borders)
			printf("row %zu\n", i);
		check_int(n, r->borders);
		check_int(border[0], from);
		check_int(border[n - 1], from + r->span_h * HOUR);
		if (r->second_h != 0)
			check_int(border[1], from + r->second_h * HOUR);
		for (uint32_t k = 1; k < n; k++)
			check(border[k] > border[k - 1] && border[k] % ZONE_STEP_MS == 0);
	}
}

static void the_own_zone_is_what_it_was(void)
{
	uint64_t border[10];
	time_t at = 1761343200;
	struct tm tm;

	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	check(zone_borders("Europe/Berlin", ZONE_1D, 1761343200000, 1761343200000 + HOUR, border,
			   10) == 2);
	localtime_r(&at, &tm);
	check_int(tm.tm_hour, 6);
	check_str(getenv("TZ"), "Asia/Shanghai");
}

static void spans_that_cannot_be(void)
{
	uint64_t border[4];

	check_int(zone_borders(NULL, ZONE_15M, 5, 5, border, 4), 0);
	check_int(zone_borders(NULL, ZONE_15M, 0, 4 * HOUR, border, 4), 0); /* no room */
	check_int(zone_borders(NULL, ZONE_ALL, 0, UINT64_MAX / 2, border, 4), 0);
	check_int(zone_borders(NULL, ZONE_ALL, 1, 2, border, 4), 2);
	check(zone_known("Europe/Berlin") && zone_known(NULL));
	check(!zone_known("Europe/Bielefeld") && !zone_known("../../etc/passwd"));
}

static const struct check_case cases[] = {
	CHECK_CASE(borders_are_those_of_the_place),
	CHECK_CASE(the_own_zone_is_what_it_was),
	CHECK_CASE(spans_that_cannot_be),
};

CHECK_MAIN(cases)
