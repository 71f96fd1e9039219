/* SPDX-License-Identifier: Apache-2.0
 * Numbers as a person would say them. */
#include "ivr/say.h"

#include <stdlib.h>

#include "check.h"

static void write_items(const struct ivr_items *items, char *out, size_t size)
{
	out[0] = '\0';
	for (unsigned i = 0; i < items->n; i++) {
		const char *p = items->item[i].prompt;
		const char *slash = strchr(p, '/');

		if (slash != NULL && strncmp(slash, "/num/", 5) == 0)
			p = slash + 5;
		else if (slash != NULL)
			p = slash + 1;
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i > 0 ? " " : "", p);
	}
}

static const struct {
	const char *lang;
	uint64_t n;
	const char *words;
} numbers[] = {
	{"en", 0, "0"},
	{"en", 7, "7"},
	{"en", 13, "13"},
	{"en", 20, "20"},
	{"en", 42, "40 2"},
	{"en", 100, "1 hundred"},
	{"en", 305, "3 hundred and 5"},
	{"en", 1000, "1 thousand"},
	{"en", 1005, "1 thousand and 5"},
	{"en", 1200, "1 thousand 2 hundred"},
	{"en", 95598, "90 5 thousand 5 hundred and 90 8"},
	{"en", 1000000, "1 million"},
	{"en", 2000000017, "2 billion and 17"},
	{"zh", 0, "0"},
	{"zh", 2, "2"},
	{"zh", 10, "ten"},
	{"zh", 12, "ten 2"},
	{"zh", 20, "2 ten"},
	{"zh", 105, "1 hundred 0 5"},
	{"zh", 110, "1 hundred 1 ten"},
	{"zh", 305, "3 hundred 0 5"},
	{"zh", 1005, "1 thousand 0 5"},
	{"zh", 1050, "1 thousand 0 5 ten"},
	{"zh", 2000, "two thousand"},
	{"zh", 10000, "1 wan"},
	{"zh", 10005, "1 wan 0 5"},
	{"zh", 20000, "two wan"},
	{"zh", 95598, "9 wan 5 thousand 5 hundred 9 ten 8"},
	{"zh", 100000, "ten wan"},
	{"zh", 100000000, "1 yi"},
	{"zh", 100010000, "1 yi 0 1 wan"},
	{"xx", 305, "3 0 5"}, /* no rules: digit by digit */
};

static void numbers_are_said_as_people_say_them(void)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct ivr_items items = {0};
		char got[400];

		ivr_say_number(numbers[i].lang, numbers[i].n, &items);
		write_items(&items, got, sizeof(got));
		check_str(got, numbers[i].words);
	}
}

static const struct {
	const char *lang;
	unsigned position;
	int wait_s;
	const char *words;
} places[] = {
	{"zh", 4, -1, "queue/before 3 queue/people"}, /* 您前面还有三位 */
	{"zh", 3, -1, "queue/before two queue/people"},
	{"zh", 2, -1, "queue/before-one"},
	{"zh", 1, 20, "queue/next queue/wait-short"},
	{"zh", 13, 720, "queue/before ten 2 queue/people queue/wait ten 2 queue/minutes"},
	{"en", 4, 130, "queue/before 3 queue/people queue/wait 2 queue/minutes"},
};

static void places_in_a_queue(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct ivr_items items = {0};
		char got[400];

		ivr_say_position(places[i].lang, places[i].position, places[i].wait_s, &items);
		write_items(&items, got, sizeof(got));
		check_str(got, places[i].words);
	}
}

static void money_dates_and_digits(void)
{
	struct ivr_items items = {0};
	char got[400];

	ivr_say_money("zh", 30523, &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "3 hundred 0 5 yuan 2 jiao 3 fen");
	items.n = 0;
	ivr_say_money("en", 205, &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "2 yuan 5 fen");
	items.n = 0;
	ivr_say_money("zh", 5, &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "5 fen");
	items.n = 0;
	ivr_say_date("zh", 2026, 11, 22, &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "2 0 2 6 year ten 1 month 2 ten 2 day");
	items.n = 0;
	ivr_say_date("en", 2026, 11, 22, &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "month/11 20 2 2 thousand and 20 6");
	items.n = 0;
	ivr_say_digits("en", "1001*x#", &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "1 0 0 1 star hash");
}

static bool is_word(const char *lang, const char *prompt)
{
	const char *w;
	char full[IVR_PROMPT_MAX];

	for (unsigned i = 0; (w = ivr_say_word(lang, i)) != NULL; i++) {
		snprintf(full, sizeof(full), "%s/%s", lang, w);
		if (strcmp(full, prompt) == 0)
			return true;
	}
	return false;
}

static void only_listed_words_are_used_and_lists_are_bounded(void)
{
	static const char *const langs[] = {"zh", "en"};
	uint64_t n = 1;

	for (int run = 0; run < 20000; run++) {
		const char *lang = langs[run % 2];
		struct ivr_items items = {0};

		n = n * 6364136223846793005u + 1442695040888963407u;
		ivr_say_number(lang, (n >> 20) % (uint64_t)(run < 10000 ? 20000 : 2000000000000),
			       &items);
		ivr_say_money(lang, (n >> 30) % 1000000, &items);
		ivr_say_date(lang, 1990 + run % 60, 1 + run % 12, 1 + run % 31, &items);
		ivr_say_position(lang, (unsigned)(n >> 50) % 300, (int)(n >> 52) % 3600 - 1,
				 &items);
		check(items.n > 0 && items.n <= IVR_ITEMS_MAX);
		for (unsigned i = 0; i < items.n; i++)
			check(is_word(lang, items.item[i].prompt));
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(numbers_are_said_as_people_say_them),
	CHECK_CASE(places_in_a_queue),
	CHECK_CASE(money_dates_and_digits),
	CHECK_CASE(only_listed_words_are_used_and_lists_are_bounded),
};
CHECK_MAIN(cases)
