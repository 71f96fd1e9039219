/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments over volumes.
 */
#include "record/choice.h"

#include "check.h"

#define GIB (UINT64_C(1) << 30)

static void count(const struct choice_offer *o, unsigned n, unsigned segments,
		  unsigned got[CHOICE_MAX])
{
	struct choice c = {0};

	for (unsigned i = 0; i < CHOICE_MAX; i++)
		got[i] = 0;
	for (unsigned i = 0; i < segments; i++) {
		int v = choice_next(&c, o, n);

		if (v >= 0)
			got[v]++;
	}
}

static void segments_follow_weight_and_free_space(void)
{
	static const struct {
		const char *story;
		struct choice_offer o[3];
		unsigned got[3]; /* of 120 */
	} t[] = {
		{"equals take turns",
		 {{true, 1, GIB, GIB}, {true, 1, GIB, GIB}, {true, 1, GIB, GIB}},
		 {40, 40, 40}},
		{"three to two to one",
		 {{true, 3, GIB, GIB}, {true, 2, GIB, GIB}, {true, 1, GIB, GIB}},
		 {60, 40, 20}},
		{"the emptier gets more",
		 {{true, 1, GIB, 4 * GIB}, {true, 1, 3 * GIB, 4 * GIB}, {false, 1, GIB, GIB}},
		 {30, 90, 0}},
		{"weight outweighs space",
		 {{true, 6, GIB, 4 * GIB}, {true, 1, 2 * GIB, 4 * GIB}, {false, 9, GIB, GIB}},
		 {90, 30, 0}},
		{"a spare waits", {{true, 1, 1, GIB}, {true, 0, GIB, GIB}}, {120, 0, 0}},
		{"the first spare takes over",
		 {{false, 1, GIB, GIB}, {true, 0, 1, GIB}, {true, 0, GIB, GIB}},
		 {0, 120, 0}},
		{"nobody works", {{false, 1, GIB, GIB}, {false, 0, GIB, GIB}}, {0, 0, 0}},
		{"sizes unknown", {{true, 1, 0, 0}, {true, 2, 0, 0}}, {40, 80, 0}},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned got[CHOICE_MAX];

		count(t[i].o, 3, 120, got);
		for (unsigned v = 0; v < 3; v++) {
			if (got[v] + 1 < t[i].got[v] || got[v] > t[i].got[v] + 1)
				printf("     %s: volume %u got %u\n", t[i].story, v, got[v]);
			check(got[v] + 1 >= t[i].got[v] && got[v] <= t[i].got[v] + 1);
		}
	}
}

static void equals_take_turns_one_by_one(void)
{
	const struct choice_offer o[2] = {{true, 5, GIB, GIB}, {true, 5, GIB, GIB}};
	struct choice c = {0};
	int last = choice_next(&c, o, 2);

	for (int i = 0; i < 100; i++) {
		int v = choice_next(&c, o, 2);

		check(v == 1 - last);
		last = v;
	}
}

static void who_comes_back_has_no_claim(void)
{
	struct choice_offer o[2] = {{true, 1, GIB, GIB}, {true, 1, GIB, GIB}};
	struct choice c = {0};
	unsigned got[2] = {0};

	o[0].works = false;
	for (int i = 0; i < 100; i++)
		check_int(choice_next(&c, o, 2), 1);
	o[0].works = true;
	for (int i = 0; i < 20; i++)
		got[choice_next(&c, o, 2)]++;
	check(got[0] >= 9 && got[0] <= 11);
}

static void better_is_weight_then_order_of_spares(void)
{
	const struct choice_offer o[4] = {
		{.weight = 0}, {.weight = 1}, {.weight = 7}, {.weight = 0}};

	check(choice_better(o, 1, 0));
	check(!choice_better(o, 0, 1));
	check(!choice_better(o, 1, 2) && !choice_better(o, 2, 1));
	check(choice_better(o, 0, 3) && !choice_better(o, 3, 0));
	check(!choice_better(o, 2, 2));
}

static const struct check_case cases[] = {
	CHECK_CASE(segments_follow_weight_and_free_space),
	CHECK_CASE(equals_take_turns_one_by_one),
	CHECK_CASE(who_comes_back_has_no_claim),
	CHECK_CASE(better_is_weight_then_order_of_spares),
};
CHECK_MAIN(cases)
