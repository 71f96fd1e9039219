/* SPDX-License-Identifier: Apache-2.0
 *
 * Which trunk, and how long to wait: the two decisions about trunks that need nothing but numbers.
 */
#include "sip/sip_trunk.h"

enum { PAUSE_MS = 4000, PAUSE_MAX_MS = 300000 };

/* Whether `a` belongs to a better group than `b`; equal groups share by weight. */
static int better(const struct sip_trunk_candidate *a, const struct sip_trunk_candidate *b)
{
	if (a->up != b->up)
		return a->up ? 1 : -1;
	if (a->prefix_len != b->prefix_len)
		return a->prefix_len > b->prefix_len ? 1 : -1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? 1 : -1;
	return 0;
}

int sip_trunk_pick(const struct sip_trunk_candidate *c, size_t n, uint32_t lot)
{
	int best = -1;
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (c[i].fits && (best < 0 || better(&c[i], &c[best]) > 0))
			best = (int)i;
	}
	if (best < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (c[i].fits && better(&c[i], &c[best]) == 0)
			sum += c[i].weight;
	}
	if (sum == 0)
		return best;
	lot %= sum;
	for (size_t i = 0; i < n; i++) {
		if (!c[i].fits || better(&c[i], &c[best]) != 0)
			continue;
		if (lot < c[i].weight)
			return (int)i;
		lot -= c[i].weight;
	}
	return best;
}

uint32_t sip_trunk_pause_ms(unsigned failures, uint32_t lot)
{
	uint32_t most = PAUSE_MS;

	while (--failures > 0 && failures < 32 && most < PAUSE_MAX_MS)
		most *= 2;
	if (most > PAUSE_MAX_MS || failures >= 32)
		most = PAUSE_MAX_MS;
	return most / 2 + lot % (most / 2 + 1);
}
