/* SPDX-License-Identifier: Apache-2.0
 *
 * Which target is a row's, by name and by day, and whether it is met.
 */
#include "record/target.h"

#include <stdlib.h>

#include "check.h"

static struct config_target targets[] = {
	{.of = TARGET_QUEUE,
	 .what = TARGET_SERVICE_LEVEL,
	 .bound = 80,
	 .name = "",
	 .from = "",
	 .from_day = INT32_MIN},
	{.of = TARGET_QUEUE,
	 .what = TARGET_SERVICE_LEVEL,
	 .bound = 90,
	 .name = "",
	 .from = "2027-01-01",
	 .from_day = 100},
	{.of = TARGET_QUEUE,
	 .what = TARGET_SERVICE_LEVEL,
	 .bound = 70,
	 .name = "team",
	 .from = "",
	 .from_day = INT32_MIN},
	{.of = TARGET_QUEUE,
	 .what = TARGET_SPEED_OF_ANSWER,
	 .at_most = true,
	 .bound = 20,
	 .name = "sales",
	 .from = "2027-02-01",
	 .from_day = 131},
	{.of = TARGET_AGENT,
	 .what = TARGET_HANDLE_TIME,
	 .at_most = true,
	 .bound = 240,
	 .name = "",
	 .from = "",
	 .from_day = INT32_MIN},
	{.of = TARGET_GROUP,
	 .what = TARGET_CALLS_BACK,
	 .bound = 12,
	 .name = "desk",
	 .from = "",
	 .from_day = INT32_MIN},
};

static const struct {
	const char *row;
	enum config_target_of of;
	int32_t day;
	const char *want;
} t[] = {
	{"{'queue':'sales','service_level':0.8}", TARGET_QUEUE, 99,
	 "[{'what':'service_level','at_least':80,'from':null,'met':true}]"},
	{"{'queue':'sales','service_level':0.8999}", TARGET_QUEUE, 100,
	 "[{'what':'service_level','at_least':90,'from':'2027-01-01','met':false}]"},
	{"{'queue':'team','service_level':0.71}", TARGET_QUEUE, 100,
	 "[{'what':'service_level','at_least':70,'from':null,'met':true}]"},
	{"{'queue':'sales','service_level':null,'speed_of_answer_ms':20000}", TARGET_QUEUE, 131,
	 "[{'what':'service_level','at_least':90,'from':'2027-01-01','met':null},"
	 "{'what':'speed_of_answer_s','at_most':20,'from':'2027-02-01','met':true}]"},
	{"{'agent':'1001','handle_time_ms':240001}", TARGET_AGENT, 0,
	 "[{'what':'handle_time_s','at_most':240,'from':null,'met':false}]"},
	{"{'group':'1001','handle_time_ms':1}", TARGET_GROUP, 0, "[]"},
	{"{'group':'desk','calls_back_per_hour':11.9}", TARGET_GROUP, 0,
	 "[{'what':'calls_back_per_hour','at_least':12,'from':null,'met':false}]"},
};

static void quoted(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
	for (; *to != '\0'; to++)
		*to = *to == '\'' ? '"' : *to;
}

static void each_row_has_its_target(void)
{
	const struct config c = {.targets = targets,
				 .n_targets = sizeof(targets) / sizeof(targets[0])};
	char text[400];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		json_t *row;
		char *got;

		quoted(text, sizeof(text), t[i].row);
		row = json_loads(text, 0, NULL);
		target_judge(&c, t[i].of, row, t[i].day);
		got = json_dumps(json_object_get(row, "targets"), JSON_COMPACT);
		quoted(text, sizeof(text), t[i].want);
		check_str(got, text);
		free(got);
		json_decref(row);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(each_row_has_its_target),
};
CHECK_MAIN(cases)
