/* SPDX-License-Identifier: Apache-2.0
 * Numbers as a person would say them. */
#include "ivr/say.h"

#include <stdlib.h>

#include "check.h"
#include "example/example.h"

static void write_items(const struct ivr_items *items, char *out, size_t size)
{
	out[0] = '\0';
	for (unsigned i = 0; i < items->n; i++) {
		const char *p =
			items->item[i].kind == IVR_ITEM_SILENCE ? "~" : items->item[i].prompt;
		const char *slash = strchr(p, '/');

		if (slash != NULL && strncmp(slash, "/num/", 5) == 0)
			p = slash + 5;
		else if (slash != NULL)
			p = slash + 1;
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i > 0 ? " " : "", p);
	}
}

static struct ivr_say *say;

/* What people say, kind by kind. A ~ is a pause. */
static const struct {
	const char *lang, *kind, *text, *words;
} said[] = {
	{"en", "number", "0", "0"},
	{"en", "number", "13", "13"},
	{"en", "number", "20", "20"},
	{"en", "number", "42", "40 2"},
	{"en", "number", "100", "1 hundred"},
	{"en", "number", "305", "3 hundred and 5"},
	{"en", "number", "1000", "1 thousand"},
	{"en", "number", "1005", "1 thousand and 5"},
	{"en", "number", "1200", "1 thousand 2 hundred"},
	{"en", "number", "95598", "90 5 thousand 5 hundred and 90 8"},
	{"en", "number", "1000000", "1 million"},
	{"en", "number", "2000000017", "2 billion and 17"},
	{"en", "number", "-3.05", "minus 3 point 0 5"},
	{"en", "number", "1000000000000", "1 0 0 0 0 0 0 0 0 0 0 0 0"},
	{"en", "number", "99999999999999999999", "9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9"},
	{"zh", "number", "0", "0"},
	{"zh", "number", "2", "2"},
	{"zh", "number", "10", "ten"},
	{"zh", "number", "12", "ten 2"},
	{"zh", "number", "20", "2 ten"},
	{"zh", "number", "105", "1 hundred 0 5"},
	{"zh", "number", "110", "1 hundred 1 ten"},
	{"zh", "number", "200", "2 hundred"},
	{"zh", "number", "1005", "1 thousand 0 5"},
	{"zh", "number", "1010", "1 thousand 0 1 ten"},
	{"zh", "number", "1050", "1 thousand 0 5 ten"},
	{"zh", "number", "2000", "two thousand"},
	{"zh", "number", "10000", "1 wan"},
	{"zh", "number", "10005", "1 wan 0 5"},
	{"zh", "number", "10100", "1 wan 0 1 hundred"},
	{"zh", "number", "12345", "1 wan two thousand 3 hundred 4 ten 5"},
	{"zh", "number", "20000", "two wan"},
	{"zh", "number", "95598", "9 wan 5 thousand 5 hundred 9 ten 8"},
	{"zh", "number", "100000", "ten wan"},
	{"zh", "number", "20000000", "two thousand wan"},
	{"zh", "number", "100000000", "1 yi"},
	{"zh", "number", "100010000", "1 yi 0 1 wan"},
	{"zh", "number", "200000002", "two yi 0 2"},
	{"zh", "number", "-0.5", "minus 0 point 5"},
	{"zh", "count", "2", "two"},
	{"zh", "count", "12", "ten 2"},
	{"zh", "ordinal", "2", "ordinal 2"},
	{"en", "ordinal", "1", "th/1"},
	{"en", "ordinal", "20", "th/20"},
	{"en", "ordinal", "42", "40 th/2"},
	{"en", "ordinal", "105", "number 1 hundred and 5"},
	{"xx", "number", "305", "3 0 5"}, /* no rules: digit by digit */
	{"zh", "digits", "1001*x#", "1 0 0 1 star hash"},
	{"zh", "phone", "13800138000", "yao 3 8 ~ 0 0 yao 3 ~ 8 0 0 0"},
	{"zh", "phone", "95598", "9 5 5 9 8"},
	{"zh", "phone", "+8613", "8 6 yao 3"},
	{"en", "phone", "5550123", "5 5 5 ~ oh 1 2 3"},
	{"zh", "money", "30523", "3 hundred 0 5 yuan 2 jiao 3 fen"},
	{"zh", "money", "205", "two yuan 0 5 fen"},
	{"zh", "money", "250", "two yuan 5 jiao"},
	{"zh", "money", "5", "5 fen"},
	{"zh", "money", "50", "5 jiao"},
	{"zh", "money", "0", "0 yuan"},
	{"zh", "money", "-100", "minus 1 yuan"},
	{"zh", "money", "USD 1999", "ten 9 dollar 9 ten 9 cent"},
	{"en", "money", "205", "2 yuan 5 fen"},
	{"en", "money", "USD 100", "1 dollar"},
	{"en", "money", "USD 20501", "2 hundred and 5 dollars and 1 cent"},
	{"en", "money", "QQQ 5", "5"}, /* no such currency */
	{"zh", "date", "20261122", "2 0 2 6 year ten 1 month 2 ten 2 day"},
	{"zh", "date", "1122", "ten 1 month 2 ten 2 day"},
	{"en", "date", "2026-11-22", "month/11 20 th/2 20 20 6"},
	{"en", "date", "19050301", "month/3 th/1 19 oh 5"},
	{"en", "date", "20000229", "month/2 20 th/9 2 thousand"},
	{"en", "date", "20010229", ""}, /* there was none */
	{"en", "date", "20261322", ""},
	{"en", "date", "tomorrow", ""},
	{"zh", "time", "0030", "before-dawn 0 oclock half"},
	{"zh", "time", "09:05", "morning 9 oclock 0 5 minute"},
	{"zh", "time", "1200", "noon ten 2 oclock sharp"},
	{"zh", "time", "1410", "afternoon two oclock ten minute"},
	{"zh", "time", "2359", "evening ten 1 oclock 5 ten 9 minute"},
	{"en", "time", "0000", "12 oclock am"},
	{"en", "time", "1405", "2 oh 5 pm"},
	{"en", "time", "2500", ""},
	{"en", "year", "1900", "19 hundred"},
	{"en", "year", "2026", "20 20 6"},
	{"zh", "year", "2026", "2 0 2 6"},
	{"zh", "duration", "59", "5 ten 9 second"},
	{"zh", "duration", "3725", "1 hours two queue/minutes 5 second"},
	{"en", "duration", "61", "1 minute and 1 second"},
	{"en", "duration", "7200", "2 hours"},
};

static enum ivr_say_kind kind_of(const char *name)
{
	for (int k = 0; k < IVR_SAY_KINDS; k++)
		if (strcmp(ivr_say_kind_name((enum ivr_say_kind)k), name) == 0)
			return (enum ivr_say_kind)k;
	return IVR_SAY_KINDS;
}

static void people_say_it_like_this(void)
{
	unsigned failed = 0;

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct ivr_items items = {0};
		char got[600];

		ivr_say(say, said[i].lang, kind_of(said[i].kind), said[i].text, &items);
		write_items(&items, got, sizeof(got));
		if (strcmp(got, said[i].words) != 0) {
			printf("%s %s %s: \"%s\", not \"%s\"\n", said[i].lang, said[i].kind,
			       said[i].text, got, said[i].words);
			failed++;
		}
	}
	check_int(failed, 0);
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

		ivr_say_position(say, places[i].lang, places[i].position, places[i].wait_s, &items);
		write_items(&items, got, sizeof(got));
		check_str(got, places[i].words);
	}
}

/* Nothing is said that the checker did not ask for. */
static void every_word_that_is_said_is_listed(void)
{
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct ivr_items items = {0};

		ivr_say(say, said[i].lang, kind_of(said[i].kind), said[i].text, &items);
		for (unsigned k = 0; k < items.n; k++) {
			const char *word, *p = items.item[k].prompt;
			bool found = items.item[k].kind != IVR_ITEM_PROMPT;

			for (unsigned w = 0;
			     !found && (word = ivr_say_word(say, said[i].lang, w)) != NULL; w++)
				found = strcmp(p + 3, word) == 0;
			if (!found)
				printf("%s is said and not listed\n", p);
			check(found);
		}
	}
}

/* make-prompts has a text for everything that the rules may ask for, and no rule asks for more. */
static void every_word_has_a_text(void)
{
	static const struct {
		const char *lang, *texts;
	} all[] = {{"zh", example_words_zh}, {"en", example_words_en}};

	for (size_t l = 0; l < 2; l++) {
		const char *word;
		unsigned i = 0;

		for (; (word = ivr_say_word(say, all[l].lang, i)) != NULL; i++) {
			char line[80];

			snprintf(line, sizeof(line), "\n%s: ", word);
			if (strstr(all[l].texts, line) == NULL)
				printf("%s has no text for %s\n", all[l].lang, word);
			check(strstr(all[l].texts, line) != NULL);
		}
		check(i > 40);
	}
}

#define SETS                                                                                       \
	"  digit: {0-9: num/#}\n  duration: {0: digits}\n  position: {0: digits}\n  wait: {0: "    \
	"digits}\n"                                                                                \
	"  money-CNY: {0: digits}\n"
#define TAIL "date: [year number]\ntime: [hour number]\n"

/* A language in a few lines; and what is wrong with others. */
static const struct {
	const char *text, *complaint;
} texts[] = {
	{"language: de\nsets:\n  number: {0: digits}\n" SETS TAIL, NULL},
	{"sets:\n  number: {0: digits}\n" SETS TAIL, "\"language\" is missing"},
	{"language: de\n" TAIL, "\"sets\" is missing"},
	{"language: de\nsets:\n" SETS TAIL, "there is no set \"number\""},
	{"language: de\nsets:\n  number: {1: digits}\n" SETS TAIL,
	 "3:3: set \"number\" says nothing of 0"},
	{"language: de\nsets:\n  number: {0: '= number'}\n" SETS TAIL,
	 "set \"number\" says nothing of 0"},
	{"language: de\nsets:\n  number: {0: [num/x, '= number']}\n" SETS TAIL, "says no end of 0"},
	{"language: de\nsets:\n  number: {0: '= nubmer'}\n" SETS TAIL,
	 "there is no set \"nubmer\""},
	{"language: de\nsets:\n  number: {0: hundred}\n" SETS TAIL, "\"hundred\" is no prompt"},
	{"language: de\nsets:\n  number: {0: num/#}\n" SETS TAIL, "# needs a rule of a range"},
	{"language: de\nsets:\n  number: {5: digits, 0: digits}\n" SETS TAIL,
	 "does not come after"},
	{"language: de\nsets:\n  number: {0-4: num/#}\n" SETS TAIL, "says nothing of 5"},
	{"language: de\nsets:\n  number: {zero: digits}\n" SETS TAIL,
	 "\"zero\" is no rule's number"},
	{"language: de\nsets:\n  number: {10/0: digits}\n" SETS TAIL, "is no rule's number"},
	{"language: de\nsets:\n  number: {0: '< x else num/y'}\n" SETS TAIL, "can have an else"},
	{"language: de\nsets:\n  number: {0: digits}\n" SETS
	 "date: [yaer number]\ntime: [hour number]\n",
	 "does not begin with year"},
	{"language: de\nsets:\n  number: {0: digits}\n" SETS TAIL "phones: {11: '3 4 5'}\n",
	 "must add up"},
	{"language: de\nsets:\n  number: {0: digits}\n" SETS "currency: EUR\n" TAIL, "money-EUR"},
	{"language: de\nset: {}\n", "did you mean \"sets\"?"},
};

static void a_language_is_proved_when_it_is_read(void)
{
	unsigned failed = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ivr_say *fresh = ivr_say_open();
		struct complaints c;
		char line[600] = "";
		bool told = false;
		int rc = ivr_say_load(fresh, texts[i].text, strlen(texts[i].text), "t", &c);

		for (unsigned k = 0; k < c.kept && texts[i].complaint != NULL; k++)
			told = told || strstr(complaint_line(&c, k, line, sizeof(line)),
					      texts[i].complaint) != NULL;
		if ((rc == 0) != (texts[i].complaint == NULL) ||
		    (texts[i].complaint != NULL && !told)) {
			printf("text %zu: \"%s\", not \"%s\"\n", i, line,
			       texts[i].complaint ? texts[i].complaint : "");
			failed++;
		}
		check((ivr_say_language(fresh, 0) != NULL) == (rc == 0));
		ivr_say_close(fresh);
	}
	check_int(failed, 0);
}

/* One that is wrong leaves what was there; one that is right replaces it. */
static void a_language_can_be_replaced(void)
{
	struct ivr_say *fresh = ivr_say_builtin();
	struct ivr_items items = {0};
	struct complaints c;
	char got[100];
	const char *wrong = "language: zh\n",
		   *right = "language: zh\nsets:\n  number: {0: digits}\n" SETS TAIL;

	check(ivr_say_load(fresh, wrong, strlen(wrong), "t", &c) != 0);
	ivr_say(fresh, "zh", IVR_SAY_NUMBER, "12", &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "ten 2");
	check_int(ivr_say_load(fresh, right, strlen(right), "t", &c), 0);
	items.n = 0;
	ivr_say(fresh, "zh", IVR_SAY_NUMBER, "12", &items);
	write_items(&items, got, sizeof(got));
	check_str(got, "1 2");
	check(ivr_say_language(fresh, 2) == NULL);
	ivr_say_close(fresh);
}

static void more_than_fits_is_cut_and_said_so(void)
{
	struct ivr_items items = {0};

	ivr_say(say, "zh", IVR_SAY_DIGITS,
		"000000000000000000000000000000000000000000000000000000000000", &items);
	check_int(items.n, IVR_ITEMS_MAX);
	check(items.cut);
}

static const struct check_case cases[] = {
	CHECK_CASE(people_say_it_like_this),
	CHECK_CASE(places_in_a_queue),
	CHECK_CASE(every_word_that_is_said_is_listed),
	CHECK_CASE(every_word_has_a_text),
	CHECK_CASE(a_language_is_proved_when_it_is_read),
	CHECK_CASE(a_language_can_be_replaced),
	CHECK_CASE(more_than_fits_is_cut_and_said_so),
};

int main(void)
{
	int failed;

	say = ivr_say_builtin();
	failed = check_run(cases, sizeof(cases) / sizeof(cases[0]));
	ivr_say_close(say);
	return failed;
}
