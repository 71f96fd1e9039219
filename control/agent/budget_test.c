/* SPDX-License-Identifier: Apache-2.0
 * Days of an agent's account, with sums made by hand. */
#include "agent/budget.h"

#include <stdlib.h>

#include "check.h"

enum { MIN_MS = 60000, DAY_MS = 86400000 };

static struct config *load(const char *text)
{
	struct complaints k;
	struct config *c = NULL;
	int err = config_load(text, strlen(text), "t", &c, &k);

	if (err != 0)
		printf("%s\n", k.list[0].text);
	check_int(err, 0);
	return c;
}

static const char reasons[] = "not_ready_reasons:\n"
			      "- {code: 1, name: break, budget_min: 30, refuse: yes}\n"
			      "- {code: 2, name: lunch, counts: no}\n"
			      "- {code: 3, name: training, budget_percent: 12.5}\n"
			      "- {code: 4, name: water}\n"
			      "not_ready: {budget_percent: 3.7, shift_min: 480}\n";

static void a_day_is_added_up_by_reason(void)
{
	struct config *c = load(reasons);
	struct budget_day day = {.day = 100, .begin_ms = 5 * DAY_MS};
	struct budget b = {0};
	uint64_t t = day.begin_ms + 8 * 60 * MIN_MS;
	unsigned line = 99;

	budget_state(&b, AGENT_NOT_READY, 0, &day, t);
	budget_state(&b, AGENT_READY, 0, &day, t + 2000);
	budget_state(&b, AGENT_NOT_READY, 1, &day, t + 10000);
	budget_state(&b, AGENT_NOT_READY, 2, &day, t + 15000);
	budget_state(&b, AGENT_TALKING, 0, &day, t + 75000);
	budget_state(&b, AGENT_NOT_READY, 1, &day, t + 100000);
	check_int(budget_used_ms(&b, c, 0, &day, t + 101000), 2000);
	check_int(budget_used_ms(&b, c, 1, &day, t + 101000), 5000 + 1000); /* it runs */
	check_int(budget_used_ms(&b, c, 2, &day, t + 101000), 60000);
	check_int(budget_used_ms(&b, c, BUDGET_TOTAL, &day, t + 101000), 8000); /* but lunch */
	budget_state(&b, AGENT_NOT_READY, AGENT_REASON_NO_ANSWER, &day, t + 101000);
	budget_state(&b, AGENT_READY, 0, &day, t + 104000);
	check_int(budget_used_ms(&b, c, BUDGET_OTHERS, &day, t + 200000), 3000);
	check_int(budget_used_ms(&b, c, BUDGET_TOTAL, &day, t + 200000), 11000);
	check(budget_allows(&b, c, 1, &day, t + 200000, &line));
	config_free(c);
}

static void midnight_parts_a_state_in_two(void)
{
	struct config *c = load(reasons);
	struct budget_day monday = {.day = 1, .begin_ms = DAY_MS},
			  tuesday = {.day = 2, .begin_ms = 2 * DAY_MS};
	struct budget b = {0};

	budget_state(&b, AGENT_NOT_READY, 1, &monday, tuesday.begin_ms - 40 * MIN_MS);
	check_int(budget_used_up(&b, c, &monday, tuesday.begin_ms - 9 * MIN_MS), 1);
	check_int(budget_used_up(&b, c, &monday, tuesday.begin_ms - 8 * MIN_MS), BUDGET_TOTAL);
	check_int(budget_used_ms(&b, c, 1, &monday, tuesday.begin_ms - 1), 40 * MIN_MS - 1);
	check_int(budget_used_ms(&b, c, 1, &tuesday, tuesday.begin_ms + 7000), 7000);
	check_int(budget_used_up(&b, c, &tuesday, tuesday.begin_ms + 7000), -1);
	budget_state(&b, AGENT_READY, 0, &tuesday, tuesday.begin_ms + 9000);
	check_int(budget_used_ms(&b, c, 1, &tuesday, tuesday.begin_ms + 90000), 9000);
	config_free(c);
}

static void what_is_used_up_is_told_once_and_refused(void)
{
	struct config *c = load(reasons);
	struct budget_day day = {.day = 1, .begin_ms = DAY_MS};
	struct budget b = {0};
	uint64_t t = DAY_MS + 1000;
	unsigned line = 99;

	budget_restore(&b, 1, 29 * MIN_MS, &day);
	budget_state(&b, AGENT_NOT_READY, 1, &day, t);
	check_int(budget_used_up(&b, c, &day, t), BUDGET_TOTAL); /* 29 min of 17:46 */
	check_int(budget_used_up(&b, c, &day, t + MIN_MS - 1), -1);
	check(budget_allows(&b, c, 1, &day, t + MIN_MS - 1, &line));
	check_int(budget_used_up(&b, c, &day, t + MIN_MS), 1);
	check_int(budget_used_up(&b, c, &day, t + MIN_MS), -1);
	check(!budget_allows(&b, c, 1, &day, t + MIN_MS, &line));
	check_int(line, 1);
	check(budget_allows(&b, c, 4, &day, t + MIN_MS, &line)); /* the total only tells */
	c->not_ready_budget.refuse = true;
	check(!budget_allows(&b, c, 4, &day, t + MIN_MS, &line));
	check_int(line, BUDGET_TOTAL);
	check(budget_allows(&b, c, 2, &day, t + MIN_MS, &line)); /* lunch does not count */
	config_free(c);
}

/* 3.7 % of 480 min is 17.76 min: 1065.6 s, as whole seconds rounded half up. */
static void shares_of_a_shift_are_whole_seconds(void)
{
	static const struct {
		struct config_budget b;
		uint16_t shift_min;
		uint32_t s;
	} rows[] = {
		{{.share = 370}, 480, 1066},  {{.share = 253}, 480, 729}, /* 728.64 */
		{{.share = 1250}, 480, 3600}, {{.share = 1}, 480, 3},     /* 2.88 */
		{{.share = 10000}, 60, 3600}, {{.minutes = 30}, 480, 1800}, {{0}, 480, UINT32_MAX},
	};
	struct config *c = load(reasons);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_int(config_budget_s(&rows[i].b, rows[i].shift_min), rows[i].s);
	check_int(budget_limit_ms(c, BUDGET_TOTAL), 1066000);
	check_int(budget_limit_ms(c, 3), 3600000);
	check(budget_limit_ms(c, 4) == UINT64_MAX);
	check(budget_limit_ms(c, BUDGET_OTHERS) == UINT64_MAX);
	config_free(c);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_day_is_added_up_by_reason),
	CHECK_CASE(midnight_parts_a_state_in_two),
	CHECK_CASE(what_is_used_up_is_told_once_and_refused),
	CHECK_CASE(shares_of_a_shift_are_whole_seconds),
};
CHECK_MAIN(cases)
