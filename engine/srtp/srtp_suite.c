/* SPDX-License-Identifier: Apache-2.0 */
#include "srtp/srtp_suite.h"

#include <string.h>

#include "base/must.h"

static const struct srtp_suite_info suites[SRTP_SUITES] = {
#define SUITE(id, name, key, salt, tag, rtcp)                                                      \
	[SRTP_##id] = {name, key, salt, tag, rtcp, (salt) == 12},
	SRTP_SUITE_TABLE(SUITE)
#undef SUITE
};

const struct srtp_suite_info *srtp_suite_of(enum srtp_suite suite)
{
	must(suite > SRTP_NO_SUITE && suite < SRTP_SUITES);
	return &suites[suite];
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

enum srtp_suite srtp_suite_named(const char *name, size_t len)
{
	for (unsigned s = SRTP_NO_SUITE + 1; s < SRTP_SUITES; s++) {
		size_t i = 0;

		if (strlen(suites[s].name) != len)
			continue;
		while (i < len && upper(name[i]) == suites[s].name[i])
			i++;
		if (i == len)
			return (enum srtp_suite)s;
	}
	return SRTP_NO_SUITE;
}

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

bool srtp_key_read(struct srtp_key *key, enum srtp_suite suite, const char *text, size_t len)
{
	const struct srtp_suite_info *info = srtp_suite_of(suite);
	size_t digits = (((size_t)info->key_len + info->salt_len) * 8 + 5) / 6, n = 0, i = 0;
	uint32_t bits = 0;
	unsigned held = 0;

	*key = (struct srtp_key){.suite = (uint8_t)suite};
	if (len == (digits + 3) / 4 * 4)
		while (len > digits && text[len - 1] == '=')
			len--;
	for (; len == digits && i < len && digit(text[i]) >= 0; i++) {
		bits = bits << 6 | (uint32_t)digit(text[i]);
		held += 6;
		if (held >= 8) {
			held -= 8;
			key->master[n++] = (uint8_t)(bits >> held);
		}
	}
	if (len == digits && i == len)
		return true;
	srtp_key_wipe(key, sizeof(*key));
	return false;
}

void srtp_key_wipe(void *secret, size_t bytes)
{
	memset(secret, 0, bytes);
	__asm__ volatile("" : : "r"(secret) : "memory");
}
