/* SPDX-License-Identifier: Apache-2.0
 * Languages as data: how a number is cut into groups, what the groups are called, and which words
 * stand for zeros between them. A new language that counts in groups of three or four is a row
 * of `rules`. */
#include "ivr/say.h"

#include <stdio.h>
#include <string.h>

struct scale {
	uint64_t worth;
	const char *word;
};

struct rule {
	const char *lang;
	struct scale group[4]; /* the largest first; 0 ends */
	bool teens;            /* 11..19 and the tens have words of their own */
	bool and;              /* "hundred AND five" */
	bool zero;             /* a missing place between others is spoken: 三百零五 */
	bool two;              /* before large scales and counted things, two is "num/two": 两 */
	bool jiao;             /* a tenth of a yuan is counted by itself */
	bool year_first;       /* 2026 11 22; otherwise month, day, year */
};

static const struct rule rules[] = {
	{
		.lang = "zh",
		.group = {{100000000, "num/yi"}, {10000, "num/wan"}},
		.zero = true,
		.two = true,
		.jiao = true,
		.year_first = true,
	},
	{
		.lang = "en",
		.group = {{1000000000, "num/billion"},
			  {1000000, "num/million"},
			  {1000, "num/thousand"}},
		.teens = true,
		.and = true,
	},
};

static const struct rule *rule_of(const char *lang)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].lang, lang) == 0)
			return &rules[i];
	return NULL;
}

static struct ivr_item *add(struct ivr_items *out)
{
	if (out->n == IVR_ITEMS_MAX) {
		out->cut = true;
		return NULL;
	}
	out->item[out->n] = (struct ivr_item){.kind = IVR_ITEM_PROMPT};
	return &out->item[out->n++];
}

void ivr_say_prompt(const char *lang, const char *name, struct ivr_items *out)
{
	struct ivr_item *it = add(out);

	if (it == NULL)
		return;
	if (strncmp(name, "music/", 6) == 0)
		snprintf(it->prompt, sizeof(it->prompt), "%s", name);
	else
		snprintf(it->prompt, sizeof(it->prompt), "%.40s/%.48s", lang, name);
}

void ivr_say_silence(uint16_t ms, struct ivr_items *out)
{
	struct ivr_item *it = add(out);

	if (it != NULL) {
		it->kind = IVR_ITEM_SILENCE;
		it->silence_ms = ms;
	}
}

void ivr_say_beep(struct ivr_items *out)
{
	struct ivr_item *it = add(out);

	if (it != NULL)
		it->kind = IVR_ITEM_BEEP;
}

static void say_unit(const char *lang, unsigned n, struct ivr_items *out)
{
	char name[16];

	snprintf(name, sizeof(name), "num/%u", n);
	ivr_say_prompt(lang, name, out);
}

/* Below 1000, as languages with words for teens and tens say it. */
static void say_hundreds(const struct rule *r, unsigned n, bool follows, struct ivr_items *out)
{
	if (n >= 100) {
		say_unit(r->lang, n / 100, out);
		ivr_say_prompt(r->lang, "num/hundred", out);
		n %= 100;
		follows = true;
		if (n == 0)
			return;
	}
	if (r->and &&follows)
		ivr_say_prompt(r->lang, "num/and", out);
	if (n >= 20) {
		say_unit(r->lang, n / 10 * 10, out);
		n %= 10;
		if (n == 0)
			return;
	}
	say_unit(r->lang, n, out);
}

/* Below 10000, place by place, with one zero for each run of empty places inside. `follows`
 * tells that larger groups were said. */
static void say_places(const struct rule *r, unsigned n, bool follows, struct ivr_items *out)
{
	static const struct scale places[] = {
		{1000, "num/thousand"}, {100, "num/hundred"}, {10, "num/ten"}, {1, NULL}};
	bool gap = false, said = follows;

	for (unsigned i = 0; i < 4; i++) {
		unsigned digit = n / (unsigned)places[i].worth % 10;

		if (digit == 0) {
			gap = true;
			continue;
		}
		if (gap && said && r->zero)
			ivr_say_prompt(r->lang, "num/0", out);
		/* 十二, not 一十二, when nothing stands before it. */
		if (places[i].worth != 10 || digit != 1 || said) {
			if (digit == 2 && r->two && places[i].worth == 1000)
				ivr_say_prompt(r->lang, "num/two", out);
			else
				say_unit(r->lang, digit, out);
		}
		if (places[i].word != NULL)
			ivr_say_prompt(r->lang, places[i].word, out);
		gap = false;
		said = true;
	}
}

static void say_group(const struct rule *r, unsigned n, bool follows, struct ivr_items *out)
{
	if (r->teens)
		say_hundreds(r, n, follows, out);
	else
		say_places(r, n, follows, out);
}

/* A count of things: two of them is another word than the number two in some languages. */
static void say_count(const char *lang, uint64_t n, struct ivr_items *out)
{
	const struct rule *r = rule_of(lang);

	if (r != NULL && r->two && n == 2)
		ivr_say_prompt(lang, "num/two", out);
	else
		ivr_say_number(lang, n, out);
}

void ivr_say_number(const char *lang, uint64_t n, struct ivr_items *out)
{
	const struct rule *r = rule_of(lang);
	bool follows = false;

	if (r == NULL || n >= 1000000000000u) {
		char digits[24];

		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
		ivr_say_digits(lang, digits, out);
		return;
	}
	if (n == 0) {
		say_unit(lang, 0, out);
		return;
	}
	for (unsigned i = 0; r->group[i].worth != 0; i++) {
		uint64_t worth = r->group[i].worth;

		if (n < worth)
			continue;
		if (n / worth == 2 && r->two && !follows)
			ivr_say_prompt(lang, "num/two", out);
		else
			say_group(r, (unsigned)(n / worth), follows && r->zero, out);
		ivr_say_prompt(lang, r->group[i].word, out);
		n %= worth;
		follows = true;
	}
	/* "thousand AND five", but "thousand two hundred". */
	if (n > 0)
		say_group(r, (unsigned)n, follows && (r->zero || n < 100), out);
}

void ivr_say_digits(const char *lang, const char *digits, struct ivr_items *out)
{
	for (; *digits != '\0'; digits++) {
		if (*digits >= '0' && *digits <= '9')
			say_unit(lang, (unsigned)(*digits - '0'), out);
		else if (*digits == '*')
			ivr_say_prompt(lang, "num/star", out);
		else if (*digits == '#')
			ivr_say_prompt(lang, "num/hash", out);
	}
}

void ivr_say_money(const char *lang, uint64_t cents, struct ivr_items *out)
{
	const struct rule *r = rule_of(lang);
	unsigned rest = (unsigned)(cents % 100);

	if (cents >= 100 || rest == 0) {
		say_count(lang, cents / 100, out);
		ivr_say_prompt(lang, "num/yuan", out);
	}
	if (r != NULL && r->jiao) {
		if (rest >= 10) {
			say_unit(lang, rest / 10, out);
			ivr_say_prompt(lang, "num/jiao", out);
		} else if (rest > 0 && cents >= 100) {
			say_unit(lang, 0, out);
		}
		rest %= 10;
	}
	if (rest > 0) {
		ivr_say_number(lang, rest, out);
		ivr_say_prompt(lang, "num/fen", out);
	}
}

void ivr_say_date(const char *lang, int year, int month, int day, struct ivr_items *out)
{
	const struct rule *r = rule_of(lang);
	char text[32];

	if (year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
		return;
	if (r != NULL && r->year_first) {
		snprintf(text, sizeof(text), "%d", year);
		ivr_say_digits(lang, text, out);
		ivr_say_prompt(lang, "num/year", out);
		ivr_say_number(lang, (uint64_t)month, out);
		ivr_say_prompt(lang, "num/month", out);
		ivr_say_number(lang, (uint64_t)day, out);
		ivr_say_prompt(lang, "num/day", out);
		return;
	}
	snprintf(text, sizeof(text), "month/%d", month);
	ivr_say_prompt(lang, text, out);
	ivr_say_number(lang, (uint64_t)day, out);
	ivr_say_number(lang, (uint64_t)year, out);
}

void ivr_say_position(const char *lang, unsigned position, int wait_s, struct ivr_items *out)
{
	unsigned minutes = wait_s < 0 ? 0 : (unsigned)(wait_s + 30) / 60;

	if (position <= 1) {
		ivr_say_prompt(lang, "queue/next", out);
	} else if (position == 2) {
		ivr_say_prompt(lang, "queue/before-one", out);
	} else {
		ivr_say_prompt(lang, "queue/before", out);
		say_count(lang, position - 1, out);
		ivr_say_prompt(lang, "queue/people", out);
	}
	if (wait_s < 0)
		return;
	if (minutes <= 1) {
		ivr_say_prompt(lang, "queue/wait-short", out);
	} else {
		ivr_say_prompt(lang, "queue/wait", out);
		say_count(lang, minutes, out);
		ivr_say_prompt(lang, "queue/minutes", out);
	}
}

static const char *const words_common[] = {
	"num/0",
	"num/1",
	"num/2",
	"num/3",
	"num/4",
	"num/5",
	"num/6",
	"num/7",
	"num/8",
	"num/9",
	"num/hundred",
	"num/thousand",
	"num/yuan",
	"num/fen",
	"num/star",
	"num/hash",
	"queue/next",
	"queue/before",
	"queue/before-one",
	"queue/people",
	"queue/wait",
	"queue/wait-short",
	"queue/minutes",
};

static const char *const words_zh[] = {
	"num/ten", "num/two", "num/wan", "num/yi", "num/jiao", "num/year", "num/month", "num/day",
};

static const char *const words_teens[] = {
	"num/10",  "num/11",  "num/12",   "num/13",   "num/14",   "num/15",      "num/16",
	"num/17",  "num/18",  "num/19",   "num/20",   "num/30",   "num/40",      "num/50",
	"num/60",  "num/70",  "num/80",   "num/90",   "num/and",  "num/million", "num/billion",
	"month/1", "month/2", "month/3",  "month/4",  "month/5",  "month/6",     "month/7",
	"month/8", "month/9", "month/10", "month/11", "month/12",
};

const char *ivr_say_word(const char *lang, unsigned i)
{
	const struct rule *r = rule_of(lang);
	unsigned common = sizeof(words_common) / sizeof(words_common[0]);

	if (i < common)
		return words_common[i];
	i -= common;
	if (r == NULL)
		return NULL;
	if (r->teens)
		return i < sizeof(words_teens) / sizeof(words_teens[0]) ? words_teens[i] : NULL;
	return i < sizeof(words_zh) / sizeof(words_zh[0]) ? words_zh[i] : NULL;
}
