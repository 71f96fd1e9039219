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

void srtp_key_wipe(void *secret, size_t bytes)
{
	memset(secret, 0, bytes);
	__asm__ volatile("" : : "r"(secret) : "memory");
}
