/* SPDX-License-Identifier: Apache-2.0 */
#include "knowledge/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_WORD = 8, SHORT_WORD = 4, BEGIN_LEAST = 2, PART_LEAST = 3, ENDING_MAX = 3 };

/* --- characters ----------------------------------------------------------------------------- */

/* One character of UTF-8; bytes that are none are taken one by one, as 0xFFFD. Never reads past the NUL. */
static uint32_t take(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	unsigned more = p[0] < 0x80    ? 0
			: p[0] >= 0xf0 ? 3
			: p[0] >= 0xe0 ? 2
			: p[0] >= 0xc0 ? 1
				       : 4;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);

	*text += 1;
	for (unsigned i = 1; more < 4 && i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (more == 4)
		return 0xfffd;
	*text += more;
	return c;
}

static bool is_han(uint32_t c)
{
	return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
	       (c >= 0x3041 && c <= 0x30ff && c != 0x30fb) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0x20000 && c <= 0x3ffff) || c == 0x3005;
}

/* Above ASCII everything is a letter but what stands in these blocks of Unicode: punctuation, symbols, pictures. */
static const struct {
	uint32_t first, last;
} no_letters[] = {
	{0x0080, 0x00a9}, {0x00ab, 0x00b4}, {0x00b6, 0x00b9}, {0x00bb, 0x00bf},   {0x00d7, 0x00d7},
	{0x00f7, 0x00f7}, {0x2000, 0x2bff}, {0x2e00, 0x2e7f}, {0x3000, 0x3004},   {0x3008, 0x3020},
	{0x3030, 0x3030}, {0x30fb, 0x30fb}, {0xfe10, 0xfe6f}, {0xff00, 0xff0f},   {0xff1a, 0xff20},
	{0xff3b, 0xff40}, {0xff5b, 0xff65}, {0xffe0, 0xffff}, {0x1f000, 0x1faff},
};

static bool is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	for (size_t i = 0; i < sizeof(no_letters) / sizeof(no_letters[0]); i++)
		if (c >= no_letters[i].first && c <= no_letters[i].last)
			return false;
	return true;
}

/* Of Latin, Greek and Cyrillic; what has no small letter here the index still takes for the same (FTS5's unicode61). */
static uint32_t lower(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e) /* full width, as Chinese keyboards write Latin */
		c = c - 0xff01 + '!';
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde) || (c >= 0x391 && c <= 0x3a9) ||
	    (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	return c;
}

static size_t put(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* --- words ---------------------------------------------------------------------------------- */

size_t words_next(const char **text, char word[WORDS_BYTES_MAX])
{
	const char *p = *text;
	size_t len = 0;

	while (*p != '\0') {
		const char *before = p;
		uint32_t c = take(&p);
		char bytes[4];
		size_t n;

		if (!is_letter(c)) {
			if (len > 0)
				break;
			continue;
		}
		if (is_han(c) && len > 0) {
			p = before;
			break;
		}
		n = put(lower(c), bytes);
		if (len + n < WORDS_BYTES_MAX) {
			memcpy(word + len, bytes, n);
			len += n;
		}
		if (is_han(c))
			break;
	}
	word[len] = '\0';
	*text = p;
	return len;
}

bool words_han(const char *word)
{
	return word[0] != '\0' && is_han(take(&word));
}

char *words_spaced(const char *text)
{
	char word[WORDS_BYTES_MAX];
	/* No letter grows, and each may be a word of its own. */
	char *out = malloc(2 * strlen(text) + 1);
	size_t len = 0, n;

	if (out == NULL)
		return NULL;
	while ((n = words_next(&text, word)) > 0) {
		if (len > 0)
			out[len++] = ' ';
		memcpy(out + len, word, n);
		len += n;
	}
	out[len] = '\0';
	return out;
}

/* --- likeness ------------------------------------------------------------------------------- */

static size_t characters(const char *word, uint32_t out[WORDS_BYTES_MAX])
{
	size_t n = 0;

	while (*word != '\0' && n < WORDS_BYTES_MAX)
		out[n++] = take(&word);
	return n;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Is the distance `max` at most? Three rows of the table suffice. */
static bool near(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, unsigned max)
{
	unsigned row[3][WORDS_BYTES_MAX + 1];

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
		unsigned best = now[0] = (unsigned)i;

		for (size_t j = 1; j <= nb; j++) {
			now[j] = least(least(before[j], now[j - 1]) + 1,
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], two[j - 2] + 1);
			best = least(best, now[j]);
		}
		if (best > max)
			return false;
	}
	return row[na % 3][nb] <= max;
}

enum words_likeness words_like(const char *asked, const char *term)
{
	uint32_t a[WORDS_BYTES_MAX], b[WORDS_BYTES_MAX];
	const char *inside = strstr(term, asked);
	size_t na, nb, apart;
	unsigned max;

	if (strcmp(asked, term) == 0)
		return WORDS_SAME;
	na = characters(asked, a);
	if (inside == term && na >= BEGIN_LEAST)
		return WORDS_BEGIN;
	if (inside != NULL && na >= PART_LEAST)
		return WORDS_PART;
	nb = characters(term, b);
	apart = na > nb ? na - nb : nb - na;
	if (nb >= SHORT_WORD && na > nb && apart <= ENDING_MAX &&
	    strncmp(asked, term, strlen(term)) == 0)
		return WORDS_MISSPELT;
	max = na >= LONG_WORD ? 2 : na >= SHORT_WORD ? 1 : 0;
	if (max == 0 || apart > max || !near(a, na, b, nb, max))
		return WORDS_APART;
	return WORDS_MISSPELT;
}
