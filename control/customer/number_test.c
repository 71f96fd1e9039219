/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as people and lines write them, brought to one form.
 */
#include "customer/number.h"

#include <stdint.h>
#include <string.h>

#include "check.h"

static const struct config_numbers beijing = {.country = "86",
					      .area = "10",
					      .national_prefix = "0",
					      .international_prefix = "00",
					      .local_digits = 8};
static const struct config_numbers none = {.country = "",
					   .area = "",
					   .national_prefix = "0",
					   .international_prefix = "00",
					   .local_digits = 8};

static const struct {
	const struct config_numbers *rules;
	const char *text, *want; /* NULL: no number */
} t[] = {
	{&beijing, "+861088881234", "+861088881234"},
	{&beijing, "+86 (10) 8888-1234", "+861088881234"},
	{&beijing, "tel:+86-10-8888-1234", "+861088881234"},
	{&beijing, "008610 88881234", "+861088881234"},
	{&beijing, "(010) 8888.1234", "+861088881234"},
	{&beijing, "010-88881234 ext. 12", "+861088881234"},
	{&beijing, "010-88881234x12", "+861088881234"},
	{&beijing,
	 "010-88881234\xe8\xbd\xac"
	 "12",
	 "+861088881234"},
	{&beijing, "88881234", "+861088881234"},
	{&beijing, "88881234,,9", "+861088881234"},
	{&beijing, "861088881234", "+861088881234"},
	{&beijing, "13800138000", "+8613800138000"},
	{&beijing, "013800138000", "+8613800138000"},
	{&beijing, "8613800138000", "+8613800138000"},
	{&beijing, "86123456",
	 "+861086123456"}, /* a local number that begins as the country does */
	{&beijing, "+44 (0)20 7946 0000", "+442079460000"},
	{&beijing, "95598", "95598"},
	{&beijing, "1001", "1001"},
	{&none, "+49 (0)30 123456", "+4930123456"},
	{&none, "030/123456", "030123456"},
	{&none, "13800138000", "13800138000"},
	{&beijing, "", NULL},
	{&beijing, "   ", NULL},
	{&beijing, "+", NULL},
	{&beijing, "x12", NULL},
	{&beijing, "anonymous", NULL},
	{&beijing, "13800138000a", NULL},
	{&beijing, "138001;DROP", "138001"},
	{&beijing, "1234567890123456", NULL},
	{&beijing, "123456789012345678901", NULL},
};

static void each_has_its_form(void)
{
	char out[NUMBER_CANONICAL_MAX];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool is = number_canonical(t[i].rules, t[i].text, out);

		check_str(out, t[i].want != NULL ? t[i].want : "");
		check_int(is, t[i].want != NULL);
	}
}

/* What is in its form stays as it is, whatever was put in. */
static void the_form_is_final(void)
{
	static const char alphabet[] = "0123456789+-() x,#8610";
	char text[32], once[NUMBER_CANONICAL_MAX], twice[NUMBER_CANONICAL_MAX];
	uint32_t seed = 1;

	for (int i = 0; i < 200000; i++) {
		size_t n = 0;

		do {
			seed = seed * 1664525U + 1013904223U;
			text[n++] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		} while (n < sizeof(text) - 1 && (seed >> 8) % 14 != 0);
		text[n] = '\0';
		if (!number_canonical(&beijing, text, once) || once[0] != '+')
			continue;
		check(number_canonical(&beijing, once, twice));
		check_str(twice, once);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(each_has_its_form),
	CHECK_CASE(the_form_is_final),
};
CHECK_MAIN(cases)
