/* SPDX-License-Identifier: Apache-2.0
 * Faults are planted in the ACD itself, found by trouble, cut, and told.
 *
 * Linked with two of its functions wrapped. What is planted needs circumstances, as real faults do.
 */
#include "sim_shrink.h"

#include <stdlib.h>
#include <string.h>

#include "acd/acd_priv.h"
#include "check.h"

enum { SEEDS = 40 };

static enum { NOTHING, BLIND, LOSES_PLACE, MISCOUNTS } planted;

int __real_acd_best_call(const struct acd *a, int agent, uint64_t now_ms);
int __wrap_acd_best_call(const struct acd *a, int agent, uint64_t now_ms);
void __real_acd_wait_from_front(struct acd *a, int i, uint64_t now_ms);
void __wrap_acd_wait_from_front(struct acd *a, int i, uint64_t now_ms);

/* Planted: who becomes free does not see calls of priority 2. */
int __wrap_acd_best_call(const struct acd *a, int agent, uint64_t now_ms)
{
	int call = __real_acd_best_call(a, agent, now_ms);

	return planted == BLIND && call != NONE && a->calls[call].priority == 2 ? NONE : call;
}

/* Planted: a call that comes back goes to the end; or is counted as ringing still, which aborts. */
void __wrap_acd_wait_from_front(struct acd *a, int i, uint64_t now_ms)
{
	if (planted == LOSES_PLACE)
		a->calls[i].key = (int64_t)now_ms;
	__real_acd_wait_from_front(a, i, now_ms);
	if (planted == MISCOUNTS)
		a->calls[i].ringing = 1;
}

/* The first seed that fails, cut; and its story, to be freed. */
static char *found(struct sim_shrunk *cut)
{
	struct sim_mixed m;
	char *story = NULL;
	size_t len = 0;

	for (uint64_t seed = 1; seed <= SEEDS && story == NULL; seed++) {
		sim_mixed_open(&m, seed);
		if (sim_shrink_mixed(&m, cut)) {
			FILE *f = tmpfile();

			sim_shrink_tell(&m, cut, f);
			fseek(f, 0, SEEK_END);
			len = (size_t)ftell(f);
			story = calloc(1, len + 1);
			rewind(f);
			if (fread(story, 1, len, f) != len)
				story[0] = '\0';
			fclose(f);
		}
		sim_mixed_close(&m);
	}
	if (story != NULL)
		printf("%s\n", story);
	return story;
}

static void nothing_planted_nothing_found(void)
{
	struct sim_shrunk cut;
	struct sim_mixed m;

	planted = NOTHING;
	sim_mixed_open(&m, 1);
	check(!sim_shrink_mixed(&m, &cut));
	sim_mixed_close(&m);
}

static void an_agent_who_is_blind_is_found_and_told(void)
{
	struct sim_shrunk cut;
	char *story;

	planted = BLIND;
	story = found(&cut);
	check(story != NULL);
	/* Somebody signs in, a caller comes, the agent becomes free. */
	check(cut.events <= 4);
	check(strstr(cut.broken, "is idle while caller") != NULL);
	check(strstr(story, "joins queue") != NULL && strstr(story, " is ready\n") != NULL);
	check(strstr(story, "BROKEN: agent") != NULL);
	free(story);
}

static void a_lost_place_is_found_and_told(void)
{
	struct sim_shrunk cut;
	char *story;

	planted = LOSES_PLACE;
	story = found(&cut);
	check(story != NULL);
	/* One that was offered and not answered, and one that came after it. */
	check(cut.events <= 12);
	check(strstr(story, "BROKEN: ") != NULL);
	free(story);
}

static void what_aborts_is_cut_as_well(void)
{
	struct sim_shrunk cut;
	char *story;

	planted = MISCOUNTS;
	story = found(&cut);
	check(story != NULL);
	check(cut.events <= 5);
	check(strstr(cut.broken, "broken belief") != NULL);
	check(strstr(story, "phone rings for caller") != NULL);
	free(story);
}

/* The algorithm alone: what fails is any list with events 3, 17 and 18. */
static bool three_of_them(void *arg, const bool *skip)
{
	(void)arg;
	return !skip[3] && !skip[17] && !skip[18];
}

static void only_what_is_needed_remains(void)
{
	bool skip[50] = {false};
	unsigned runs = 0;

	check_int(sim_shrink(skip, 50, three_of_them, NULL, &runs), 3);
	check(!skip[3] && !skip[17] && !skip[18] && skip[0] && skip[49]);
	check(runs < 80);
}

static const struct check_case cases[] = {
	CHECK_CASE(only_what_is_needed_remains),
	CHECK_CASE(nothing_planted_nothing_found),
	CHECK_CASE(an_agent_who_is_blind_is_found_and_told),
	CHECK_CASE(a_lost_place_is_found_and_told),
	CHECK_CASE(what_aborts_is_cut_as_well),
};
CHECK_MAIN(cases)
