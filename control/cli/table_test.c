/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdlib.h>

#include "tests/check.h"

static const struct {
	const char *text;
	size_t width;
	const char *clean;
} rows[] = {
	{"", 0, ""},
	{"abc", 3, "abc"},
	{"\xe5\xae\xa2\xe6\x88\xb7", 4, "\xe5\xae\xa2\xe6\x88\xb7"}, /* two Han characters */
	{"e\xcc\x81", 1, "e\xcc\x81"},                               /* combining acute */
	{"\xc3\xbc", 1, "\xc3\xbc"},                                 /* u umlaut */
	{"\xef\xbc\xa1", 2, "\xef\xbc\xa1"},                         /* full-width A */
	{"\xf0\x9f\x98\x80", 2, "\xf0\x9f\x98\x80"},                 /* emoji */
	{"\xed\x95\x9c", 2, "\xed\x95\x9c"},                         /* Hangul */
	{"a\033[2Jb", 6, "a?[2Jb"},                                  /* an escape sequence */
	{"a\tb\nc", 5, "a?b?c"},
	{"\xc2\x9b"
	 "31m",
	 4, "?31m"}, /* C1: CSI */
	{"\xe2\x80\xae"
	 "x",
	 2, "?x"},                  /* right-to-left override */
	{"\xff\xfe", 2, "??"},      /* not UTF-8 */
	{"\xe5\xae", 2, "??"},      /* cut off */
	{"\xc0\xaf", 2, "??"},      /* overlong */
	{"\xed\xa0\x80", 3, "???"}, /* a surrogate */
};

static void widths_are_those_of_a_terminal_and_nothing_harmful_passes(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *clean = table_clean(rows[i].text);

		check_str(clean, rows[i].clean);
		check_int(table_width(rows[i].text), rows[i].width);
		check_int(table_width(clean), rows[i].width);
		free(clean);
	}
}

static void columns_stand_under_each_other(void)
{
	struct table *t = table_new();
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	table_column(t, "NAME", TABLE_LEFT);
	table_column(t, "N", TABLE_RIGHT);
	table_column(t, "NOTE", TABLE_LEFT);
	table_cell(t, "\xe5\xae\xa2\xe6\x88\xb7\xe7\xbb\x8f");
	table_cellf(t, "%d", 5);
	table_cell(t, "x");
	table_cell(t, "li");
	table_cellf(t, "%d", 1234);
	table_cell(t, NULL);
	check_int(table_rows(t), 2);
	table_print(t, out);
	fclose(out);
	check_str(text, "NAME       N  NOTE\n"
			"\xe5\xae\xa2\xe6\x88\xb7\xe7\xbb\x8f     5  x\n"
			"li      1234  -\n");
	free(text);
	table_free(t);
}

static const struct check_case cases[] = {
	CHECK_CASE(widths_are_those_of_a_terminal_and_nothing_harmful_passes),
	CHECK_CASE(columns_stand_under_each_other),
};
CHECK_MAIN(cases)
