/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sip_crypto.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/must.h"
#include "srtp/srtp_suite.h"

struct cut {
	const char *p, *end;
};

/* The next word before a blank; false: none is left. */
static bool word(struct cut *in, struct cut *out)
{
	while (in->p < in->end && (*in->p == ' ' || *in->p == '\t'))
		in->p++;
	out->p = in->p;
	while (in->p < in->end && *in->p != ' ' && *in->p != '\t')
		in->p++;
	out->end = in->p;
	return out->p < out->end;
}

static bool number(const struct cut *c, uint32_t most, uint32_t *v)
{
	uint64_t n = 0;

	if (c->p == c->end || c->end - c->p > 10)
		return false;
	for (const char *p = c->p; p < c->end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (unsigned)(*p - '0');
	}
	*v = (uint32_t)n;
	return n <= most;
}

/* "1:4": a number and the octets it takes in the packet. */
static bool mki(struct sip_crypto *c, const char *p, const char *colon, const char *end)
{
	const struct cut value = {p, colon}, octets = {colon + 1, end};
	uint32_t v, n;

	if (!number(&value, UINT32_MAX, &v) || !number(&octets, SRTP_MKI_MAX, &n) || n == 0 ||
	    (n < 4 && v >> (8 * n) != 0))
		return false;
	snprintf(c->mki, sizeof(c->mki), "%0*x", (int)(2 * n), v);
	return true;
}

/* "inline:" key ["|" lifetime] ["|" MKI ":" length]. */
static bool key(struct sip_crypto *c, struct cut in)
{
	struct srtp_key unused;
	const char *p, *bar;

	if (in.end - in.p < 7 || strncmp(in.p, "inline:", 7) != 0)
		return false;
	p = in.p + 7;
	bar = memchr(p, '|', (size_t)(in.end - p));
	if (bar == NULL)
		bar = in.end;
	if ((size_t)(bar - p) >= sizeof(c->key) ||
	    !srtp_key_read(&unused, (enum srtp_suite)c->suite, p, (size_t)(bar - p)))
		return false;
	srtp_key_wipe(&unused, sizeof(unused));
	memcpy(c->key, p, (size_t)(bar - p));
	c->key[bar - p] = '\0';
	for (p = bar; p < in.end; p = bar) {
		p++;
		bar = memchr(p, '|', (size_t)(in.end - p));
		if (bar == NULL)
			bar = in.end;

		const char *colon = memchr(p, ':', (size_t)(bar - p));

		if (colon != NULL && !mki(c, p, colon, bar))
			return false;
	}
	/* Several keys, of which one is chosen by MKI, are more than we take. */
	return memchr(in.p, ';', (size_t)(in.end - in.p)) == NULL;
}

/* Session parameters that change nothing of what is sent: the window size hint. */
static bool harmless(const struct cut *w)
{
	return w->end - w->p > 4 && strncmp(w->p, "WSH=", 4) == 0;
}

bool sip_crypto_read(struct sip_crypto *c, const char *value, size_t len)
{
	struct cut in = {value, value + len}, w;
	struct sip_crypto got = {0};

	if (!word(&in, &w) || !number(&w, 999999999, &got.tag) || !word(&in, &w))
		return false;
	got.suite = (uint8_t)srtp_suite_named(w.p, (size_t)(w.end - w.p));
	if (got.suite == SRTP_NO_SUITE || !word(&in, &w) || !key(&got, w))
		return false;
	while (word(&in, &w))
		if (!harmless(&w))
			return false;
	*c = got;
	return true;
}

void sip_crypto_write(char *text, size_t size, const struct sip_crypto *c)
{
	int n = snprintf(text, size, "%u %s inline:%s", c->tag,
			 srtp_suite_of((enum srtp_suite)c->suite)->name, c->key);

	must(n > 0 && (size_t)n < size);
}

void sip_crypto_make(struct sip_crypto *c, uint32_t tag, uint8_t suite)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const struct srtp_suite_info *info = srtp_suite_of((enum srtp_suite)suite);
	uint8_t octet[SRTP_MASTER_MAX + 2] = {0};
	size_t n = (size_t)info->key_len + info->salt_len, at = 0;

	must(getrandom(octet, n, 0) == (ssize_t)n);
	*c = (struct sip_crypto){.tag = tag, .suite = suite};
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)octet[i] << 16 | (uint32_t)octet[i + 1] << 8 | octet[i + 2];

		for (int k = 0; k < 4; k++)
			c->key[at++] = i + (size_t)k > n ? '=' : digits[v >> (18 - 6 * k) & 63];
	}
	srtp_key_wipe(octet, sizeof(octet));
}

void sip_crypto_wipe(void *secret, size_t bytes)
{
	srtp_key_wipe(secret, bytes);
}
