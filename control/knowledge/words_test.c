/* SPDX-License-Identifier: Apache-2.0 */
#include "knowledge/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

static void a_text_has_words(void)
{
	static const struct {
		const char *text, *spaced;
	} cases[] = {
		{"", ""},
		{" ,.! ", ""},
		{"Refund policy (14 days).", "refund policy 14 days"},
		{"\xc3\x89T\xc3\x89-2026", "\xc3\xa9t\xc3\xa9 2026"},
		{"\xe9\x80\x80\xe6\xac\xbe"
		 "abc",
		 "\xe9\x80\x80 \xe6\xac\xbe abc"},
		{"VIP\xe5\x8d\xa1", "vip \xe5\x8d\xa1"},
		{"\xef\xbc\xb6\xef\xbc\xa9\xef\xbc\xb0\xef\xbc\x8c\xe5\x8d\xa1",
		 "vip \xe5\x8d\xa1"},
		{"it\xe2\x80\x99s a\xe3\x80\x82", "it s a"},
		{"\xd0\x9f\xd0\xa0\xd0\x98 \xce\x91\xce\x92 \xc5\x81\xc5\xb9",
		 "\xd0\xbf\xd1\x80\xd0\xb8 \xce\xb1\xce\xb2 \xc5\x82\xc5\xba"},
		{"a\xff\xe9"
		 "b \xc3",
		 "a b"},
	};
	char *got;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = words_spaced(cases[i].text);
		check_str(got, cases[i].spaced);
		free(got);
	}
}

static void a_long_word_is_cut(void)
{
	char text[3 * WORDS_BYTES_MAX], word[WORDS_BYTES_MAX];
	const char *p = text;

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 3, " y", 3);
	check_int(words_next(&p, word), WORDS_BYTES_MAX - 1);
	check_int(words_next(&p, word), 1);
	check_str(word, "y");
	check_int(words_next(&p, word), 0);
}

static void words_are_alike(void)
{
	static const struct {
		const char *asked, *term;
		enum words_likeness like;
	} cases[] = {
		{"refund", "refund", WORDS_SAME},
		{"refnud", "refund", WORDS_MISSPELT}, /* swapped */
		{"refun", "refund", WORDS_BEGIN},
		{"refunnd", "refund", WORDS_MISSPELT}, /* one more */
		{"rexund", "refund", WORDS_MISSPELT},  /* another */
		{"rexnud", "refund", WORDS_APART},     /* two of six */
		{"acomodation", "accommodation", WORDS_MISSPELT},
		{"invoicing", "invoice", WORDS_APART},
		{"refunding", "refund", WORDS_MISSPELT}, /* an ending */
		{"fund", "refunds", WORDS_PART},
		{"un", "refunds", WORDS_APART},
		{"r", "refund", WORDS_APART},
		{"cat", "car", WORDS_APART}, /* too short to guess */
		{"\xc3\xa9t\xc3\xa9s",
		 "ete"
		 "s",
		 WORDS_APART},
		{"caf\xc3\xa9", "cafe", WORDS_MISSPELT}, /* characters, not bytes */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_int(words_like(cases[i].asked, cases[i].term), cases[i].like);
}

/* Any bytes: words stay in bounds, are never empty, have an end, and a word is one word. */
static void any_bytes_are_words_or_none(void)
{
	uint32_t seed = 7;

	for (int round = 0; round < 20000; round++) {
		char text[60], word[WORDS_BYTES_MAX], again[WORDS_BYTES_MAX], *spaced;
		const char *p = text;
		size_t n = 0;

		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 1664525u + 1013904223u;
			text[i] = (char)(seed >> 24);
		}
		text[seed % sizeof(text)] = '\0';
		text[sizeof(text) - 1] = '\0';
		spaced = words_spaced(text);
		while (words_next(&p, word) > 0) {
			const char *w = word;

			check(words_next(&w, again) == strlen(word));
			check(*w == '\0');
			n += strlen(word) + 1;
		}
		check(*p == '\0');
		check_int(strlen(spaced), n > 0 ? n - 1 : 0);
		free(spaced);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(a_text_has_words),
	CHECK_CASE(a_long_word_is_cut),
	CHECK_CASE(words_are_alike),
	CHECK_CASE(any_bytes_are_words_or_none),
};

CHECK_MAIN(cases)
