/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct table {
	unsigned columns;
	const char *title[TABLE_COLUMNS_MAX];
	enum table_side side[TABLE_COLUMNS_MAX];
	char **cell; /* rows * columns, the last row may be unfinished */
	size_t cells, room;
};

struct table *table_new(void)
{
	struct table *t = calloc(1, sizeof(*t));

	must(t != NULL);
	return t;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->cells; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}

void table_column(struct table *t, const char *title, enum table_side side)
{
	must(t->columns < TABLE_COLUMNS_MAX && t->cells == 0);
	t->title[t->columns] = title;
	t->side[t->columns++] = side;
}

uint32_t table_utf8(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	unsigned more = s[0] < 0x80 ? 0 : s[0] < 0xc2 ? 9 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	uint32_t c = s[0];

	(*p)++;
	if (more == 0)
		return c;
	if (more == 9 || s[0] > 0xf4)
		return 0xfffd;
	c = s[0] & (0x3fU >> more);
	for (unsigned i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return 0xfffd;
	*p += more;
	return c;
}

struct range {
	uint32_t first, last;
};

static bool inside(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].first && c <= r[i].last)
			return true;
	return false;
}

/* Combining marks, joiners, variation selectors. */
static const struct range narrow_0[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489},   {0x0591, 0x05bd},   {0x064b, 0x065f},
	{0x0e31, 0x0e31}, {0x0e34, 0x0e3a},   {0x0e47, 0x0e4e},   {0x200b, 0x200d},
	{0x20d0, 0x20f0}, {0x302a, 0x302d},   {0x3099, 0x309a},   {0xfe00, 0xfe0f},
	{0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef},
};

/* Wide and full-width (UAX 11: W and F). */
static const struct range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
	{0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},
	{0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
	{0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
	{0x20000, 0x2fffd}, {0x30000, 0x3fffd},
};

/* What must not reach a terminal as it is: C0 and C1 controls, and what turns the direction of writing. */
static bool harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static size_t width_of(uint32_t c)
{
	if (harmful(c))
		return 1; /* shown as '?' */
	if (c < 0x300)
		return 1;
	if (inside(narrow_0, sizeof(narrow_0) / sizeof(narrow_0[0]), c))
		return 0;
	return inside(wide, sizeof(wide) / sizeof(wide[0]), c) ? 2 : 1;
}

size_t table_width(const char *text)
{
	size_t n = 0;

	while (*text != '\0')
		n += width_of(table_utf8(&text));
	return n;
}

char *table_clean(const char *text)
{
	char *out = malloc(strlen(text) + 1), *to = out;

	must(out != NULL);
	while (*text != '\0') {
		const char *from = text;

		if (harmful(table_utf8(&text))) {
			*to++ = '?';
		} else {
			memcpy(to, from, (size_t)(text - from));
			to += text - from;
		}
	}
	*to = '\0';
	return out;
}

void table_cell(struct table *t, const char *text)
{
	if (t->cells == t->room) {
		t->room = t->room != 0 ? t->room * 2 : 64;
		t->cell = realloc(t->cell, t->room * sizeof(*t->cell));
		must(t->cell != NULL);
	}
	t->cell[t->cells++] = table_clean(text != NULL && *text != '\0' ? text : "-");
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_cell(t, text);
}

size_t table_rows(const struct table *t)
{
	return t->columns != 0 ? t->cells / t->columns : 0;
}

static void blanks(FILE *out, size_t n)
{
	while (n-- > 0)
		fputc(' ', out);
}

static void print_row(const struct table *t, const size_t *width, const char *const *cell,
		      FILE *out)
{
	for (unsigned c = 0; c < t->columns; c++) {
		size_t pad = width[c] - table_width(cell[c]);

		if (t->side[c] == TABLE_RIGHT)
			blanks(out, pad);
		fputs(cell[c], out);
		if (c + 1 < t->columns)
			blanks(out, (t->side[c] == TABLE_LEFT ? pad : 0) + 2);
	}
	fputc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
	size_t width[TABLE_COLUMNS_MAX], rows = table_rows(t);

	must(t->columns > 0 && t->cells % t->columns == 0);
	for (unsigned c = 0; c < t->columns; c++) {
		width[c] = table_width(t->title[c]);
		for (size_t r = 0; r < rows; r++) {
			size_t w = table_width(t->cell[r * t->columns + c]);

			if (w > width[c])
				width[c] = w;
		}
	}
	print_row(t, width, t->title, out);
	for (size_t r = 0; r < rows; r++)
		print_row(t, width, (const char *const *)&t->cell[r * t->columns], out);
}
