/* SPDX-License-Identifier: Apache-2.0 */
#include "knowledge/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knowledge/words.h"

enum { EXPR_MAX = 4096 };
enum { LIKE_PART, LIKE_MISSPELT, LIKES };

/* What a word of the index is worth, beside the word itself. */
static const double weight_begin = 0.7, weight_like[LIKES] = {0.5, 0.4}, weight_synonym = 0.8,
		    weight_one_of_two = 0.2;

struct asked {
	char word[WORDS_BYTES_MAX];
	bool han;
	char like[LIKES][QUERY_LIKE_MAX][WORDS_BYTES_MAX];
	unsigned n[LIKES];
};

struct query {
	struct asked asked[QUERY_WORDS_MAX];
	unsigned words;
	const json_t *synonyms;
};

struct query *query_new(const char *text, const json_t *synonyms)
{
	struct query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->synonyms = synonyms;
	while (q->words < QUERY_WORDS_MAX && words_next(&text, q->asked[q->words].word) > 0) {
		struct asked *a = &q->asked[q->words++];

		a->han = words_han(a->word);
	}
	return q;
}

void query_free(struct query *q)
{
	free(q);
}

bool query_empty(const struct query *q)
{
	return q->words == 0;
}

/* Of too many the shorter ones are kept: what is asked for is more of them. */
static void keep(struct asked *a, unsigned which, const char *word)
{
	size_t len = strlen(word), longest = 0;
	unsigned at = a->n[which];

	if (len >= WORDS_BYTES_MAX)
		return;
	if (at == QUERY_LIKE_MAX) {
		for (unsigned i = 0; i < QUERY_LIKE_MAX; i++) {
			size_t n = strlen(a->like[which][i]);

			if (n > longest) {
				longest = n;
				at = i;
			}
		}
		if (len >= longest)
			return;
	} else {
		a->n[which]++;
	}
	memcpy(a->like[which][at], word, len + 1);
}

void query_word(struct query *q, const char *word)
{
	for (unsigned i = 0; i < q->words; i++) {
		struct asked *a = &q->asked[i];
		enum words_likeness like = a->han ? WORDS_APART : words_like(a->word, word);

		if (like == WORDS_PART)
			keep(a, LIKE_PART, word);
		else if (like == WORDS_MISSPELT)
			keep(a, LIKE_MISSPELT, word);
	}
}

/* --- questions ------------------------------------------------------------------------------ */

static void ask(json_t *list, unsigned word, double weight, const char *expr)
{
	json_array_append_new(list, json_pack("{s:i,s:f,s:s}", "word", (int)word, "weight", weight,
					      "expr", expr));
}

/* Half the vocabulary may begin with one letter. */
static bool is_one_letter(const char *word)
{
	do
		word++;
	while (((unsigned char)*word & 0xc0) == 0x80);
	return *word == '\0';
}

/* Words have letters and digits only, so nothing in them means anything to FTS5 between quotes. */
static void ask_word(json_t *list, const struct query *q, unsigned at)
{
	const struct asked *a = &q->asked[at];
	char expr[EXPR_MAX];

	snprintf(expr, sizeof(expr), "\"%s\"", a->word);
	ask(list, at, 1, expr);
	if (!is_one_letter(a->word)) {
		snprintf(expr, sizeof(expr), "\"%s\" *", a->word);
		ask(list, at, weight_begin, expr);
	}
	for (unsigned which = 0; which < LIKES; which++) {
		size_t len = 0;

		for (unsigned i = 0; i < a->n[which]; i++)
			len += (size_t)snprintf(expr + len, sizeof(expr) - len, "%s\"%s\"",
						i > 0 ? " OR " : "", a->like[which][i]);
		if (len > 0)
			ask(list, at, weight_like[which], expr);
	}
}

static void ask_pair(json_t *list, const struct query *q, unsigned at)
{
	const char *a = q->asked[at].word, *b = q->asked[at + 1].word;
	char expr[EXPR_MAX];

	snprintf(expr, sizeof(expr), "\"%s %s\"", a, b);
	ask(list, at, 1, expr);
	snprintf(expr, sizeof(expr), "\"%s\" OR \"%s\"", a, b);
	ask(list, at, weight_one_of_two, expr);
}

/* Where the words of `phrase` stand in what is asked, or -1. */
static int place_of(const struct query *q, const char *phrase)
{
	for (unsigned at = 0; at < q->words; at++) {
		const char *p = phrase;
		char word[WORDS_BYTES_MAX];
		unsigned n = 0;

		while (words_next(&p, word) > 0 && at + n < q->words &&
		       strcmp(word, q->asked[at + n].word) == 0)
			n++;
		if (n > 0 && word[0] == '\0')
			return (int)at;
	}
	return -1;
}

static void ask_synonyms(json_t *list, const struct query *q, const json_t *group)
{
	const json_t *member, *other;
	size_t i, k;

	json_array_foreach(group, i, member)
	{
		int at = place_of(q, json_string_value(member));

		if (at < 0)
			continue;
		json_array_foreach(group, k, other)
		{
			char *spaced = k != i ? words_spaced(json_string_value(other)) : NULL;
			char expr[EXPR_MAX];

			if (spaced != NULL && spaced[0] != '\0' &&
			    snprintf(expr, sizeof(expr), "\"%s\"", spaced) < EXPR_MAX)
				ask(list, (unsigned)at, weight_synonym, expr);
			free(spaced);
		}
	}
}

json_t *query_asks(const struct query *q)
{
	json_t *list = json_array();
	const json_t *group;
	size_t i;

	for (unsigned at = 0; at < q->words; at++) {
		bool han = q->asked[at].han;
		bool pair = han && at + 1 < q->words && q->asked[at + 1].han;
		bool second = han && at > 0 && q->asked[at - 1].han;

		if (pair)
			ask_pair(list, q, at);
		else if (!second)
			ask_word(list, q, at);
	}
	json_array_foreach(q->synonyms, i, group) ask_synonyms(list, q, group);
	return list;
}

/* --- excerpt -------------------------------------------------------------------------------- */

/* How many of the words asked for are among those between `p` and `end`. */
static unsigned words_in(const struct query *q, const char *p, const char *end)
{
	char word[WORDS_BYTES_MAX];
	unsigned seen = 0;

	while (p < end && words_next(&p, word) > 0 && p <= end)
		for (unsigned i = 0; i < q->words; i++)
			if ((seen & 1u << i) == 0 &&
			    words_like(q->asked[i].word, word) != WORDS_APART)
				seen |= 1u << i;
	return (unsigned)__builtin_popcount(seen);
}

void query_excerpt(const struct query *q, const char *text, char out[QUERY_EXCERPT_MAX])
{
	const char *line = text, *best = text, *stop;
	unsigned most = 0;
	size_t len = strlen(text);

	stop = text + (len < QUERY_READ_MAX ? len : QUERY_READ_MAX);
	while (line < stop) {
		const char *end = line + strcspn(line, "\n");
		unsigned n = words_in(q, line, end);

		if (n > most) {
			most = n;
			best = line;
		}
		line = end + (*end == '\n');
	}
	best += strspn(best, " \t#\n");
	len = strcspn(best, "\n");
	if (len >= QUERY_EXCERPT_MAX) {
		static const char more[] = "\xe2\x80\xa6"; /* an ellipsis */

		len = QUERY_EXCERPT_MAX - sizeof(more);
		while (len > 0 && ((unsigned char)best[len] & 0xc0) == 0x80)
			len--;
		memcpy(out, best, len);
		memcpy(out + len, more, sizeof(more));
		return;
	}
	memcpy(out, best, len);
	out[len] = '\0';
}
