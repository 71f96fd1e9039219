/* SPDX-License-Identifier: Apache-2.0
 * From a text and a language's rules to recorded words. */
#include "ivr/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ivr/say_priv.h"

static const char *const kind_names[IVR_SAY_KINDS] = {
	[IVR_SAY_NUMBER] = "number",     [IVR_SAY_COUNT] = "count", [IVR_SAY_ORDINAL] = "ordinal",
	[IVR_SAY_DIGITS] = "digits",     [IVR_SAY_PHONE] = "phone", [IVR_SAY_MONEY] = "money",
	[IVR_SAY_DATE] = "date",         [IVR_SAY_TIME] = "time",   [IVR_SAY_YEAR] = "year",
	[IVR_SAY_DURATION] = "duration",
};

const char *ivr_say_kind_name(enum ivr_say_kind kind)
{
	return (unsigned)kind < IVR_SAY_KINDS ? kind_names[kind] : NULL;
}

/* --- items --------------------------------------------------------------------------------- */

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

/* --- rules --------------------------------------------------------------------------------- */

int say_set_of(const struct say_lang *l, const char *name)
{
	for (unsigned i = 0; i < l->n_sets; i++)
		if (strcmp(l->set[i].name, name) == 0)
			return (int)i;
	return -1;
}

static const struct say_rule *rule_for(const struct say_set *set, uint64_t n)
{
	const struct say_rule *found = NULL;

	for (unsigned i = 0; i < set->n && set->rule[i].from <= n; i++)
		found = &set->rule[i];
	return found != NULL && n <= found->to ? found : NULL;
}

/* A word with its number: "num/#" of 7 is num/7. */
static void say_word(const struct say_lang *l, const char *word, uint64_t n, struct ivr_items *out)
{
	const char *hash = strchr(word, '#');
	char name[IVR_PROMPT_MAX];

	if (hash != NULL) {
		snprintf(name, sizeof(name), "%.*s%llu%s", (int)(hash - word), word,
			 (unsigned long long)n, hash + 1);
		word = name;
	}
	ivr_say_prompt(l->name, word, out);
}

static void digits(const struct say_lang *l, int set, const char *lang, const char *text,
		   struct ivr_items *out);

static bool apply(const struct say_lang *l, unsigned set, uint64_t n, unsigned depth,
		  struct ivr_items *out)
{
	const struct say_rule *r = rule_for(&l->set[set], n);
	char text[24];
	bool good = true;

	if (r == NULL || depth == SAY_DEPTH_MAX)
		return false;
	for (unsigned i = 0; i < r->n && good; i++) {
		const struct say_piece *p = &r->piece[i];

		switch (p->kind) {
		case SAY_WORD:
			say_word(l, p->word, n, out);
			break;
		case SAY_HIGH:
			good = apply(l, p->set, n / r->divisor, depth + 1, out);
			break;
		case SAY_LOW:
			if (n % r->divisor != 0)
				good = apply(l, p->set, n % r->divisor, depth + 1, out);
			else if (p->word != NULL)
				say_word(l, p->word, n, out);
			break;
		case SAY_SAME:
			good = apply(l, p->set, n, depth + 1, out);
			break;
		case SAY_DIGITS:
			snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
			digits(l, l->use[USE_DIGIT], l->name, text, out);
			break;
		}
	}
	return good;
}

bool say_by_set(const struct say_lang *l, unsigned set, uint64_t n, struct ivr_items *out)
{
	return apply(l, set, n, 0, out);
}

/* --- kinds --------------------------------------------------------------------------------- */

const struct say_lang *say_find(const struct ivr_say *say, const char *lang)
{
	for (unsigned i = 0; say != NULL && i < say->n; i++)
		if (strcmp(say->lang[i]->name, lang) == 0)
			return say->lang[i];
	return NULL;
}

const char *ivr_say_language(const struct ivr_say *say, unsigned i)
{
	return i < say->n ? say->lang[i]->name : NULL;
}

const char *ivr_say_word(const struct ivr_say *say, const char *lang, unsigned i)
{
	static const char *const plain[] = {"num/0", "num/1", "num/2",    "num/3",
					    "num/4", "num/5", "num/6",    "num/7",
					    "num/8", "num/9", "num/star", "num/hash"};
	const struct say_lang *l = say_find(say, lang);

	if (l != NULL)
		return i < l->words ? l->word[i] : NULL;
	return i < sizeof(plain) / sizeof(plain[0]) ? plain[i] : NULL;
}

/* Digits, star and hash one by one; `set` -1 (or `l` NULL): the prompts num/0 to num/9. */
static void digits(const struct say_lang *l, int set, const char *lang, const char *text,
		   struct ivr_items *out)
{
	for (; *text != '\0'; text++) {
		char name[16];

		if (*text >= '0' && *text <= '9') {
			if (l != NULL && set >= 0 &&
			    say_by_set(l, (unsigned)set, (uint64_t)(*text - '0'), out))
				continue;
			snprintf(name, sizeof(name), "num/%c", *text);
			ivr_say_prompt(lang, name, out);
		} else if (*text == '*') {
			ivr_say_prompt(lang, "num/star", out);
		} else if (*text == '#') {
			ivr_say_prompt(lang, "num/hash", out);
		}
	}
}

/* A whole number of at most 18 digits from `*p`, which moves behind it. False: there is none. */
static bool whole(const char **p, uint64_t *n)
{
	unsigned count = 0;

	for (*n = 0; **p >= '0' && **p <= '9'; (*p)++) {
		if (++count > 18)
			return false;
		*n = *n * 10 + (uint64_t)(**p - '0');
	}
	return count > 0;
}

/* By the set of a use. What it said of a number that it does not cover is taken back. */
static bool by_use(const struct say_lang *l, enum say_use use, uint64_t n, struct ivr_items *out)
{
	unsigned before = out->n;

	if (l->use[use] >= 0 && say_by_set(l, (unsigned)l->use[use], n, out))
		return true;
	out->n = before;
	return false;
}

static bool number(const struct say_lang *l, enum say_use use, const char *text,
		   struct ivr_items *out)
{
	unsigned before = out->n;
	bool minus = *text == '-';
	uint64_t n;

	text += minus;
	if (!whole(&text, &n) || (*text != '\0' && *text != '.'))
		return false;
	if (minus && l->minus != NULL)
		ivr_say_prompt(l->name, l->minus, out);
	if (!by_use(l, use, n, out)) {
		out->n = before;
		return false;
	}
	if (*text == '.' && l->point != NULL && text[1] != '\0') {
		ivr_say_prompt(l->name, l->point, out);
		digits(l, l->use[USE_DIGIT], l->name, text + 1, out);
	}
	return true;
}

/* "30523" or "USD 30523", hundredths of the language's or the named currency. */
static bool money(const struct say_lang *l, const char *text, struct ivr_items *out)
{
	char name[16];
	uint64_t cents;
	unsigned before = out->n;
	bool minus;

	snprintf(name, sizeof(name), "money-%.3s", l->currency);
	if (strlen(text) > 4 && text[3] == ' ') {
		snprintf(name, sizeof(name), "money-%.3s", text);
		text += 4;
	}
	minus = *text == '-';
	text += minus;

	int set = say_set_of(l, name);

	if (set < 0 || !whole(&text, &cents) || *text != '\0')
		return false;
	if (minus && l->minus != NULL)
		ivr_say_prompt(l->name, l->minus, out);
	if (say_by_set(l, (unsigned)set, cents, out))
		return true;
	out->n = before;
	return false;
}

static void phone(const struct say_lang *l, const char *text, struct ivr_items *out)
{
	int set = l->use[USE_PHONE_DIGIT] >= 0 ? l->use[USE_PHONE_DIGIT] : l->use[USE_DIGIT];
	size_t length = strspn(text, "0123456789*#");
	const struct say_phone *p = NULL;

	for (unsigned i = 0; i < l->phones && text[length] == '\0'; i++)
		if (l->phone[i].length == length)
			p = &l->phone[i];
	if (p == NULL) {
		digits(l, set, l->name, text, out);
		return;
	}
	for (unsigned g = 0; g < p->n; text += p->group[g++]) {
		char part[32];

		snprintf(part, sizeof(part), "%.*s", (int)p->group[g], text);
		if (g > 0 && l->pause_ms > 0)
			ivr_say_silence((uint16_t)l->pause_ms, out);
		digits(l, set, l->name, part, out);
	}
}

static void steps(const struct say_lang *l, const struct say_steps *s, const unsigned field[FIELDS],
		  struct ivr_items *out)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct say_step *step = &s->step[i];

		if (step->field == FIELD_WORD)
			ivr_say_prompt(l->name, step->word, out);
		else
			say_by_set(l, step->set, field[step->field], out);
	}
}

static unsigned days_of(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* The digits of `text` without '-' and ':'; 0 when there is anything else. */
static size_t compact(const char *text, char out[12])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == ':')
			continue;
		if (*text < '0' || *text > '9' || n == 11)
			return 0;
		out[n++] = *text;
	}
	out[n] = '\0';
	return n;
}

static void date(const struct say_lang *l, const char *text, struct ivr_items *out)
{
	char d[12];
	size_t n = compact(text, d);
	unsigned long v = strtoul(d, NULL, 10);
	unsigned field[FIELDS] = {0};
	bool year = n == 8;

	if (n != 8 && n != 4)
		return;
	field[FIELD_YEAR] = (unsigned)(v / 10000);
	field[FIELD_MONTH] = (unsigned)(v / 100 % 100);
	field[FIELD_DAY] = (unsigned)(v % 100);
	if (field[FIELD_MONTH] < 1 || field[FIELD_MONTH] > 12 || field[FIELD_DAY] < 1 ||
	    field[FIELD_DAY] > days_of(year ? field[FIELD_YEAR] : 2000, field[FIELD_MONTH]) ||
	    (year && field[FIELD_YEAR] < 1000))
		return;
	steps(l, year ? &l->date : &l->short_date, field, out);
}

static void time_of_day(const struct say_lang *l, const char *text, struct ivr_items *out)
{
	char d[12];
	unsigned field[FIELDS] = {0};

	if (compact(text, d) != 4)
		return;
	field[FIELD_HOUR] = (unsigned)strtoul(d, NULL, 10) / 100;
	field[FIELD_MINUTE] = (unsigned)strtoul(d, NULL, 10) % 100;
	if (field[FIELD_HOUR] < 24 && field[FIELD_MINUTE] < 60)
		steps(l, &l->time, field, out);
}

/* Without rules; a digit is a digit in any language that has prompts. */
static void plainly(const char *lang, const char *text, struct ivr_items *out)
{
	digits(NULL, -1, lang, text, out);
}

void ivr_say(const struct ivr_say *say, const char *lang, enum ivr_say_kind kind, const char *text,
	     struct ivr_items *out)
{
	static const enum say_use uses[IVR_SAY_KINDS] = {
		[IVR_SAY_NUMBER] = USE_NUMBER,     [IVR_SAY_COUNT] = USE_COUNT,
		[IVR_SAY_ORDINAL] = USE_ORDINAL,   [IVR_SAY_YEAR] = USE_YEAR,
		[IVR_SAY_DURATION] = USE_DURATION,
	};
	const struct say_lang *l = say_find(say, lang);

	if (l == NULL) {
		plainly(lang, text, out);
		return;
	}
	switch (kind) {
	case IVR_SAY_NUMBER:
	case IVR_SAY_COUNT:
	case IVR_SAY_ORDINAL:
	case IVR_SAY_YEAR:
	case IVR_SAY_DURATION:
		if (!number(l, uses[kind], text, out))
			digits(l, l->use[USE_DIGIT], lang, text, out);
		break;
	case IVR_SAY_DIGITS:
		digits(l, l->use[USE_DIGIT], lang, text, out);
		break;
	case IVR_SAY_PHONE:
		phone(l, text, out);
		break;
	case IVR_SAY_MONEY:
		if (!money(l, text, out))
			digits(l, l->use[USE_DIGIT], lang, text, out);
		break;
	case IVR_SAY_DATE:
		date(l, text, out);
		break;
	case IVR_SAY_TIME:
		time_of_day(l, text, out);
		break;
	case IVR_SAY_KINDS:
		break;
	}
}

void ivr_say_position(const struct ivr_say *say, const char *lang, unsigned position, int wait_s,
		      struct ivr_items *out)
{
	const struct say_lang *l = say_find(say, lang);
	unsigned before = position > 0 ? position - 1 : 0;

	if (l == NULL)
		return;
	by_use(l, USE_POSITION, before, out);
	if (wait_s >= 0)
		by_use(l, USE_WAIT, ((unsigned)wait_s + 30) / 60, out);
}
