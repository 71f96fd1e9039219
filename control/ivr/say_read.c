/* SPDX-License-Identifier: Apache-2.0
 * A language's rules from YAML, and the proof that they say something and end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "conf/schema.h"
#include "ivr/say_priv.h"

struct reading {
	struct schema s;
	struct say_lang *l;
};

static const char *const use_names[USES] = {
	[USE_NUMBER] = "number",     [USE_COUNT] = "count",       [USE_ORDINAL] = "ordinal",
	[USE_DIGIT] = "digit",       [USE_PHONE_DIGIT] = "phone", [USE_YEAR] = "year",
	[USE_DURATION] = "duration", [USE_POSITION] = "position", [USE_WAIT] = "wait",
};

static const char *const field_names[FIELD_WORD] = {
	[FIELD_YEAR] = "year", [FIELD_MONTH] = "month",   [FIELD_DAY] = "day",
	[FIELD_HOUR] = "hour", [FIELD_MINUTE] = "minute",
};

static void wrong(struct reading *r, struct mark at, const char *fmt, const char *a)
{
	char text[COMPLAINT_TEXT_MAX];

	snprintf(text, sizeof(text), fmt, a);
	complain(r->s.c, COMPLAINT_ERROR, at, "%s", text);
}

/* A prompt's name as rules write it: has a slash, and letters that files may have. */
static bool is_word(const char *text)
{
	return strchr(text, '/') != NULL && strlen(text) < 48 &&
	       strspn(text,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/#") ==
		       strlen(text);
}

static const char *copy(struct reading *r, const char *text, size_t len)
{
	return conf_arena_text(r->s.arena, text, len);
}

/* "< set", "> set else word", "= set", "digits" or a word. */
static bool read_piece(struct reading *r, const struct tree *t, struct say_piece *out)
{
	static const char marks[] = "<>=";
	const char *text, *mark, *otherwise;

	if (!schema_text(&r->s, t, "what a rule says", 1, 100, &text))
		return false;
	*out = (struct say_piece){.kind = SAY_WORD, .at = t->at, .word = text};
	if (strcmp(text, "digits") == 0) {
		out->kind = SAY_DIGITS;
		out->word = NULL;
		return true;
	}
	mark = strchr(marks, text[0]);
	if (mark == NULL) {
		if (!is_word(text))
			wrong(r, t->at,
			      "\"%.40s\" is no prompt (num/hundred), nor \"< set\", \"> set\", "
			      "\"= set\" or digits",
			      text);
		return is_word(text);
	}
	out->kind = (enum say_kind)(SAY_HIGH + (mark - marks));
	out->word = NULL;
	text += 1 + strspn(text + 1, " ");
	otherwise = strstr(text, "else ");
	if (otherwise != NULL) {
		if (out->kind != SAY_LOW || !is_word(otherwise + 5)) {
			wrong(r, t->at, "\"%.40s\": only \"> set\" can have an else, with a prompt",
			      text);
			return false;
		}
		out->word = copy(r, otherwise + 5, strlen(otherwise + 5));
	}
	size_t len = otherwise != NULL ? (size_t)(otherwise - text) : strlen(text);

	while (len > 0 && text[len - 1] == ' ')
		len--;
	out->set_name = len > 0 ? copy(r, text, len) : NULL;
	return true;
}

/* "100", "1-9" or "1100/100". The divisor is the highest power of ten that is not above the first
 * number, unless it is given. */
static bool read_key(struct reading *r, const struct tree *t, struct say_rule *out)
{
	char *end;

	*out = (struct say_rule){.to = UINT64_MAX, .divisor = 1};
	out->from = strtoull(t->key, &end, 10);
	if (end == t->key || strlen(t->key) > 20)
		goto bad;
	while (out->divisor <= out->from / 10)
		out->divisor *= 10;
	if (*end == '-') {
		const char *to = end + 1;

		out->to = strtoull(to, &end, 10);
		if (end == to || out->to < out->from || out->to - out->from > 100)
			goto bad;
	} else if (*end == '/') {
		const char *by = end + 1;

		out->divisor = strtoull(by, &end, 10);
		if (end == by || out->divisor < 2)
			goto bad;
	}
	if (*end == '\0')
		return true;
bad:
	wrong(r, t->key_at,
	      "\"%.30s\" is no rule's number: 100, 1-9 (at most 100 of them) or 1100/100", t->key);
	return false;
}

static void read_rule(struct reading *r, const struct tree *t, struct say_set *set)
{
	struct say_rule rule;
	unsigned n = t->kind == TREE_LIST ? t->n : 1;
	const struct tree *m = t->kind == TREE_LIST ? t->first : t;

	if (!read_key(r, t, &rule))
		return;
	if (set->n > 0 &&
	    (rule.from <= set->rule[set->n - 1].from ||
	     (set->rule[set->n - 1].to != UINT64_MAX && rule.from <= set->rule[set->n - 1].to))) {
		wrong(r, t->key_at, "rule %.30s does not come after the one before it", t->key);
		return;
	}
	rule.piece = conf_arena_array(r->s.arena, n, sizeof(*rule.piece));
	for (; m != NULL; m = t->kind == TREE_LIST ? m->next : NULL) {
		struct say_piece *p = &rule.piece[rule.n];

		if (!read_piece(r, m, p))
			continue;
		if (p->word != NULL && strchr(p->word, '#') != NULL && rule.to == UINT64_MAX)
			wrong(r, m->at, "\"%.40s\": # needs a rule of a range, such as 1-9",
			      p->word);
		rule.n++;
	}
	set->rule[set->n++] = rule;
}

static void read_sets(struct reading *r, const struct tree *t)
{
	if (t == NULL || !schema_kind(&r->s, t, "sets", TREE_MAP)) {
		if (t == NULL)
			complain(r->s.c, COMPLAINT_ERROR, (struct mark){0, 0},
				 "\"sets\" is missing");
		return;
	}
	r->l->set = conf_arena_array(r->s.arena, t->n ? t->n : 1, sizeof(*r->l->set));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct say_set *set = &r->l->set[r->l->n_sets++];

		*set = (struct say_set){.name = m->key, .at = m->key_at};
		if (!schema_kind(&r->s, m, "a set", TREE_MAP))
			continue;
		set->rule = conf_arena_array(r->s.arena, m->n ? m->n : 1, sizeof(*set->rule));
		for (const struct tree *k = m->first; k != NULL; k = k->next)
			read_rule(r, k, set);
		if (m->n == 0)
			wrong(r, m->at, "set \"%.30s\" has no rules", m->key);
	}
}

static bool find_set(struct reading *r, const char *name, struct mark at, unsigned *out)
{
	int i = say_set_of(r->l, name);

	if (i < 0)
		wrong(r, at, "there is no set \"%.40s\"", name);
	else
		*out = (unsigned)i;
	return i >= 0;
}

static void resolve(struct reading *r)
{
	for (unsigned s = 0; s < r->l->n_sets; s++)
		for (unsigned i = 0; i < r->l->set[s].n; i++)
			for (unsigned k = 0; k < r->l->set[s].rule[i].n; k++) {
				struct say_piece *p = &r->l->set[s].rule[i].piece[k];

				p->set = s;
				if (p->set_name != NULL)
					find_set(r, p->set_name, p->at, &p->set);
			}
}

/* A list of "FIELD SET" and prompts. */
static void read_steps(struct reading *r, const struct tree *t, struct say_steps *out)
{
	if (t == NULL || !schema_kind(&r->s, t, t->key, TREE_LIST))
		return;
	out->step = conf_arena_array(r->s.arena, t->n ? t->n : 1, sizeof(*out->step));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct say_step step = {.field = FIELD_WORD};
		const char *text, *space;

		if (!schema_text(&r->s, m, "a step", 1, 60, &text))
			continue;
		space = strchr(text, ' ');
		if (space == NULL) {
			step.word = text;
			if (!is_word(text))
				wrong(r, m->at, "\"%.40s\" is neither a prompt nor \"FIELD SET\"",
				      text);
			else
				out->step[out->n++] = step;
			continue;
		}
		for (unsigned f = 0; f < FIELD_WORD; f++)
			if (strlen(field_names[f]) == (size_t)(space - text) &&
			    strncmp(field_names[f], text, (size_t)(space - text)) == 0)
				step.field = (enum say_field)f;
		if (step.field == FIELD_WORD)
			wrong(r, m->at,
			      "\"%.40s\" does not begin with year, month, day, hour or minute",
			      text);
		else if (find_set(r, space + 1, m->at, &step.set))
			out->step[out->n++] = step;
	}
}

/* {11: "3 4 4", pause_ms: 250} */
static void read_phones(struct reading *r, const struct tree *t)
{
	if (t == NULL || !schema_kind(&r->s, t, "phones", TREE_MAP))
		return;
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct say_phone p = {.length = (unsigned)strtoul(m->key, NULL, 10)};
		unsigned sum = 0;
		const char *text;

		if (strcmp(m->key, "pause_ms") == 0) {
			schema_u32(&r->s, m, "pause_ms", 0, 2000, &r->l->pause_ms);
			continue;
		}
		if (!schema_text(&r->s, m, "groups", 1, 30, &text))
			continue;
		for (const char *c = text; *c != '\0' && p.n < SAY_GROUPS_MAX; c++)
			if (*c >= '1' && *c <= '9')
				sum += p.group[p.n++] = (uint8_t)(*c - '0');
		if (p.length == 0 || sum != p.length || r->l->phones == SAY_PHONES_MAX)
			wrong(r, m->key_at,
			      "groups of %.10s digits must add up to that, as in 11: \"3 4 4\"",
			      m->key);
		else
			r->l->phone[r->l->phones++] = p;
	}
}

/* --- the proof ----------------------------------------------------------------------------- */

static void try_one(struct reading *r, unsigned set, uint64_t n, bool *bad)
{
	struct ivr_items items = {.n = 0};

	if (*bad || (say_by_set(r->l, set, n, &items) && items.n > 0 && !items.cut))
		return;
	*bad = true;
	complain(r->s.c, COMPLAINT_ERROR, r->l->set[set].at, "set \"%.30s\" says %s of %llu",
		 r->l->set[set].name,
		 items.n == 0 ? "nothing"
		 : items.cut  ? "too much"
			      : "no end",
		 (unsigned long long)n);
}

/* Every number to 2000, and around the powers of ten up to `most`. */
static void try_numbers(struct reading *r, unsigned set, uint64_t from, uint64_t most)
{
	bool bad = false;

	for (uint64_t n = from; n <= 2000 && n <= most; n++)
		try_one(r, set, n, &bad);
	for (uint64_t p = 10000; p <= most; p *= 10)
		for (uint64_t k = 1; k < 10; k++) {
			try_one(r, set, p * k, &bad);
			try_one(r, set, p * k - 1, &bad);
			try_one(r, set, p * k + 5, &bad);
		}
}

static void prove(struct reading *r)
{
	static const struct {
		enum say_use use;
		uint64_t from, most;
		bool needed;
	} uses[] = {
		{USE_NUMBER, 0, 999999999999, true}, {USE_COUNT, 0, 999999999, false},
		{USE_ORDINAL, 1, 1000, false},       {USE_DIGIT, 0, 9, true},
		{USE_PHONE_DIGIT, 0, 9, false},      {USE_YEAR, 1000, 2000, false},
		{USE_DURATION, 0, 1000000, true},    {USE_POSITION, 0, 100000, true},
		{USE_WAIT, 0, 100000, true},
	};

	for (unsigned i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		int set = r->l->use[uses[i].use];

		if (set >= 0)
			try_numbers(r, (unsigned)set, uses[i].from, uses[i].most);
		else if (uses[i].needed)
			wrong(r, (struct mark){0, 0}, "set \"%.20s\" is missing",
			      use_names[uses[i].use]);
	}
	for (unsigned s = 0; s < r->l->n_sets; s++)
		if (strncmp(r->l->set[s].name, "money-", 6) == 0)
			try_numbers(r, s, 0, 999999999999);

	char name[16];

	snprintf(name, sizeof(name), "money-%.3s", r->l->currency);
	if (say_set_of(r->l, name) < 0)
		wrong(r, (struct mark){0, 0},
		      "set \"%.20s\" is missing: amounts of the language's currency", name);
	if (r->l->date.n == 0 || r->l->time.n == 0)
		wrong(r, (struct mark){0, 0}, "%s", "\"date\" and \"time\" must say something");
}

static void add_word(struct say_lang *l, const char *word)
{
	for (unsigned i = 0; i < l->words; i++)
		if (strcmp(l->word[i], word) == 0)
			return;
	if (l->words < SAY_WORDS_MAX)
		l->word[l->words++] = word;
}

static void add_rule_words(struct reading *r, const struct say_rule *rule)
{
	for (unsigned k = 0; k < rule->n; k++) {
		const char *word = rule->piece[k].word, *hash;

		if (word == NULL)
			continue;
		hash = strchr(word, '#');
		if (hash == NULL) {
			add_word(r->l, word);
			continue;
		}
		for (uint64_t n = rule->from; rule->to != UINT64_MAX && n <= rule->to; n++) {
			char name[IVR_PROMPT_MAX];
			int len = snprintf(name, sizeof(name), "%.*s%llu%s", (int)(hash - word),
					   word, (unsigned long long)n, hash + 1);

			add_word(r->l, copy(r, name, (size_t)len));
		}
	}
}

static void collect_words(struct reading *r)
{
	struct say_lang *l = r->l;

	l->word = conf_arena_array(r->s.arena, SAY_WORDS_MAX, sizeof(*l->word));
	for (unsigned s = 0; s < l->n_sets; s++)
		for (unsigned i = 0; i < l->set[s].n; i++)
			add_rule_words(r, &l->set[s].rule[i]);
	for (unsigned k = 0; k < 3; k++) {
		const struct say_steps *s = k == 0 ? &l->date : k == 1 ? &l->short_date : &l->time;

		for (unsigned i = 0; i < s->n; i++)
			if (s->step[i].word != NULL)
				add_word(l, s->step[i].word);
	}
	if (l->minus != NULL)
		add_word(l, l->minus);
	if (l->point != NULL)
		add_word(l, l->point);
	add_word(l, "num/star");
	add_word(l, "num/hash");
}

static void read_lang(struct reading *r, const struct tree *root)
{
	static const struct field fields[] = {
		{"language", FIELD_NAME, offsetof(struct say_lang, name), 0, 0},
		{"currency", FIELD_TEXT, offsetof(struct say_lang, currency), 3, 3},
		{"minus", FIELD_TEXT, offsetof(struct say_lang, minus), 3, 47},
		{"point", FIELD_TEXT, offsetof(struct say_lang, point), 3, 47},
		{"sets", FIELD_OTHER, 0, 0, 0},
		{"date", FIELD_OTHER, 0, 0, 0},
		{"short_date", FIELD_OTHER, 0, 0, 0},
		{"time", FIELD_OTHER, 0, 0, 0},
		{"phones", FIELD_OTHER, 0, 0, 0},
	};
	struct say_lang *l = r->l;

	if (!schema_fill(&r->s, root, fields, sizeof(fields) / sizeof(fields[0]), l))
		return;
	if (l->name == NULL)
		complain(r->s.c, COMPLAINT_ERROR, (struct mark){0, 0},
			 "\"language\" is missing: a name such as zh");
	if (l->currency == NULL)
		l->currency = "CNY";
	read_sets(r, tree_get(root, "sets"));
	resolve(r);
	read_steps(r, tree_get(root, "date"), &l->date);
	read_steps(r, tree_get(root, "short_date"), &l->short_date);
	read_steps(r, tree_get(root, "time"), &l->time);
	read_phones(r, tree_get(root, "phones"));
	for (unsigned u = 0; u < USES; u++)
		l->use[u] = say_set_of(l, use_names[u]);
	for (enum say_use u = USE_COUNT; u <= USE_ORDINAL; u++)
		if (l->use[u] < 0)
			l->use[u] = l->use[USE_NUMBER];
	if (l->use[USE_YEAR] < 0)
		l->use[USE_YEAR] = l->use[USE_NUMBER];
	if (r->s.c->errors == 0)
		prove(r);
	if (r->s.c->errors == 0)
		collect_words(r);
}

static void lang_free(struct say_lang *l)
{
	if (l == NULL)
		return;
	conf_arena_close(l->arena);
	free(l);
}

int ivr_say_load(struct ivr_say *say, const char *text, size_t len, const char *name,
		 struct complaints *complaints)
{
	struct say_lang *l = calloc(1, sizeof(*l));
	struct reading r = {.l = l};
	struct tree *root;
	unsigned at = 0;

	must(l != NULL);
	l->arena = conf_arena_open();
	r.s = (struct schema){.arena = l->arena, .c = complaints};
	complaints_init(complaints, name);
	if (len > IVR_SAY_TEXT_MAX)
		complain(complaints, COMPLAINT_ERROR, (struct mark){0, 0}, "longer than %d bytes",
			 IVR_SAY_TEXT_MAX);
	else if (tree_read(text, len, l->arena, &root, complaints) == 0)
		read_lang(&r, root);
	if (complaints->errors > 0) {
		lang_free(l);
		return -EINVAL;
	}
	while (at < say->n && strcmp(say->lang[at]->name, l->name) != 0)
		at++;
	if (at == IVR_SAY_LANGUAGES_MAX) {
		lang_free(l);
		return -ENOSPC;
	}
	lang_free(say->lang[at]);
	say->lang[at] = l;
	if (at == say->n)
		say->n++;
	return 0;
}

struct ivr_say *ivr_say_open(void)
{
	struct ivr_say *say = calloc(1, sizeof(*say));

	must(say != NULL);
	return say;
}

void ivr_say_close(struct ivr_say *say)
{
	for (unsigned i = 0; say != NULL && i < say->n; i++)
		lang_free(say->lang[i]);
	free(say);
}
