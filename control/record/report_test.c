/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures of rows, and their ranking.
 */
#include "record/report.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static void who_calls_back_is_measured(void)
{
	struct tally_row row = {.kind = TALLY_AGENT, .key = "1001"};
	json_t *o;

	row.n[TALLY_AGENT_SIGNED_IN_MS] = 1800000;
	row.n[TALLY_AGENT_CALLS_BACK] = 4;
	row.n[TALLY_AGENT_REACHED] = 3;
	row.n[TALLY_AGENT_DIAL_MS] = 10000;
	o = report_row(&row, NULL, 0, 3600000);
	check(json_real_value(json_object_get(o, "calls_back_per_hour")) == 8.0);
	check(json_real_value(json_object_get(o, "reached_share")) == 0.75);
	check_int(json_integer_value(json_object_get(o, "dial_time_ms")), 2500);
	json_decref(o);

	row = (struct tally_row){.kind = TALLY_AGENT, .key = "1002"};
	o = report_row(&row, NULL, 0, 3600000);
	check(json_is_null(json_object_get(o, "calls_back_per_hour")));
	check(json_is_null(json_object_get(o, "reached_share")));
	check(json_is_null(json_object_get(o, "dial_time_ms")));
	json_decref(o);
}

static const char rows[] =
	"[{\"from_ms\":0,\"a\":\"x\",\"f\":2},{\"from_ms\":0,\"a\":\"y\",\"f\":null},"
	"{\"from_ms\":0,\"a\":\"z\",\"f\":3.5},{\"from_ms\":0,\"a\":\"w\",\"f\":3.5},"
	"{\"from_ms\":9,\"a\":\"v\",\"f\":1}]";

static const struct {
	bool lowest_first;
	const char *want;
} t[] = {
	{false, "z1 w1 x3 y- v1 "},
	{true, "x1 z2 w2 y- v1 "},
};

static void rows_are_ranked_within_their_interval(void)
{
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		json_t *list = json_loads(rows, 0, NULL);
		char got[80] = "";

		check(report_rank(list, "f", t[i].lowest_first));
		for (size_t k = 0; k < json_array_size(list); k++) {
			const json_t *row = json_array_get(list, k);
			const json_t *rank = json_object_get(row, "rank");
			size_t n = strlen(got);

			snprintf(got + n, sizeof(got) - n, "%s",
				 json_string_value(json_object_get(row, "a")));
			n = strlen(got);
			if (json_is_null(rank))
				snprintf(got + n, sizeof(got) - n, "- ");
			else
				snprintf(got + n, sizeof(got) - n, "%d ",
					 (int)json_integer_value(rank));
		}
		check_str(got, t[i].want);
		check(!report_rank(list, "nothing", false));
		json_decref(list);
	}
}

static void nothing_to_rank_is_no_fault(void)
{
	json_t *list = json_array();

	check(report_rank(list, "anything", false));
	json_decref(list);
}

static const struct check_case cases[] = {
	CHECK_CASE(who_calls_back_is_measured),
	CHECK_CASE(rows_are_ranked_within_their_interval),
	CHECK_CASE(nothing_to_rank_is_no_fault),
};
CHECK_MAIN(cases)
