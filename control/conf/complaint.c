/* SPDX-License-Identifier: Apache-2.0
 * Complaints: a bounded list, and the guess at what a misspelt word was meant to be. */
#include "conf/complaint.h"

#include <stdio.h>
#include <string.h>

enum { GUESS_WORD_MAX = 48 };

void complaints_init(struct complaints *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "%s", name);
}

/* Bytes of the UTF-8 character at `p`, 0 when it is none (cut in the middle, say). */
static unsigned utf8_len(const unsigned char *p)
{
	unsigned n = *p < 0x80                 ? 1
		     : *p >= 0xc2 && *p < 0xe0 ? 2
		     : *p >= 0xe0 && *p < 0xf0 ? 3
		     : *p >= 0xf0 && *p < 0xf5 ? 4
					       : 0;

	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* What is quoted comes from outside: keep it on its line and fit for JSON. */
static void clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0';) {
		unsigned n = utf8_len(p);

		if (n == 0 || *p < 0x20 || *p == 0x7f) {
			*p = '?';
			n = 1;
		}
		p += n;
	}
}

void complain(struct complaints *c, enum complaint_level level, struct mark at, const char *fmt,
	      ...)
{
	va_list ap;

	if (level == COMPLAINT_ERROR)
		c->errors++;
	else
		c->warnings++;
	if (c->kept == COMPLAINTS_KEPT)
		return;

	struct complaint *k = &c->list[c->kept++];

	k->level = level;
	k->at = at;
	va_start(ap, fmt);
	vsnprintf(k->text, sizeof(k->text), fmt, ap);
	va_end(ap);

	clean(k->text);
}

const char *complaint_line(const struct complaints *c, unsigned i, char *out, size_t size)
{
	const struct complaint *k = &c->list[i];
	const char *word = k->level == COMPLAINT_WARNING ? "warning: " : "";

	if (k->at.line == 0)
		snprintf(out, size, "%s: %s%s", c->name, word, k->text);
	else
		snprintf(out, size, "%s:%u:%u: %s%s", c->name, (unsigned)k->at.line,
			 (unsigned)k->at.column, word, k->text);
	return out;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that turn `a` into `b`. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned row[3][GUESS_WORD_MAX + 1];
	unsigned *before = row[0], *above = row[1], *here = row[2];

	for (unsigned j = 0; j <= nb; j++)
		above[j] = j;
	memset(before, 0, sizeof(row[0]));
	for (unsigned i = 1; i <= na; i++) {
		here[0] = i;
		for (unsigned j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			here[j] = least(least(above[j] + 1, here[j - 1] + 1), above[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				here[j] = least(here[j], before[j - 2] + 1);
		}

		unsigned *t = before;

		before = above;
		above = here;
		here = t;
	}
	return above[nb];
}

const char *complaint_guess(const char *word, const char *const *words, size_t n)
{
	size_t len = strlen(word);
	unsigned best = 4;
	const char *guess = NULL;

	if (len == 0 || len > GUESS_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(words[i]);

		if (other > GUESS_WORD_MAX)
			continue;

		unsigned d = distance(word, len, words[i], other);

		if (d < best && d * 3 <= (len > other ? len : other)) {
			best = d;
			guess = words[i];
		}
	}
	return guess;
}
