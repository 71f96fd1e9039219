/* SPDX-License-Identifier: Apache-2.0 */
#include "acd/regulars.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static void the_last_one_counts_and_age_ends_it(void)
{
	struct regulars *r = calloc(1, sizeof(*r));

	check(regulars_get(r, "139", 0, 1000) == NULL);
	regulars_put(r, "139", "1001", 1000);
	regulars_put(r, "139", "1002", 2000);
	regulars_put(r, "138", "1003", 2000);
	regulars_put(r, "", "1003", 2000);
	regulars_put(r, "137", "a number that is longer than any agent has", 2000);
	check_str(regulars_get(r, "139", 2500, 1000), "1002");
	check_str(regulars_get(r, "138", 2500, 1000), "1003");
	check(regulars_get(r, "139", 3001, 1000) == NULL);
	check(regulars_get(r, "", 2500, 1000) == NULL);
	check(regulars_get(r, "137", 2500, 1000) == NULL);
	free(r);
}

/* However many call, the newest are known and nobody is taken for another. */
static void the_oldest_are_forgotten_first(void)
{
	struct regulars *r = calloc(1, sizeof(*r));
	enum { CALLERS = 200000, NEWEST = REGULARS_ROWS };
	unsigned known = 0;
	char caller[24], agent[12];

	for (unsigned i = 0; i < CALLERS; i++) {
		snprintf(caller, sizeof(caller), "139%08u", i);
		snprintf(agent, sizeof(agent), "%u", 1000 + i % 97);
		regulars_put(r, caller, agent, i + 1);
	}
	for (unsigned i = 0; i < CALLERS; i++) {
		snprintf(caller, sizeof(caller), "139%08u", i);

		const char *got = regulars_get(r, caller, CALLERS, CALLERS);

		if (got == NULL)
			continue;
		snprintf(agent, sizeof(agent), "%u", 1000 + i % 97);
		check_str(got, agent);
		known += i >= CALLERS - NEWEST;
	}
	check(known > NEWEST * 95 / 100);
	free(r);
}

static const struct check_case cases[] = {
	CHECK_CASE(the_last_one_counts_and_age_ends_it),
	CHECK_CASE(the_oldest_are_forgotten_first),
};

CHECK_MAIN(cases)
