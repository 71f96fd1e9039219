/* SPDX-License-Identifier: Apache-2.0
 *
 * Below 8 us a bucket is one microsecond; above, three bits after the highest one choose it.
 */
#include "loop/latency.h"

static unsigned bucket_of(uint64_t us)
{
	unsigned top = 0;
	unsigned i;

	if (us < 8)
		return (unsigned)us;
	while (top < 63 && us >> (top + 1) != 0)
		top++;
	i = (top - 2) * 8 + (unsigned)(us >> (top - 3) & 7);
	return i < LATENCY_BUCKETS ? i : LATENCY_BUCKETS - 1;
}

/* The first time that belongs to the next bucket. */
static uint64_t end_of(unsigned i)
{
	unsigned top = i / 8 + 2;

	if (i < 8)
		return i + 1u;
	return (UINT64_C(8) + i % 8 + 1) << (top - 3);
}

void latency_add(struct latency *l, uint64_t us)
{
	l->count++;
	l->bucket[bucket_of(us)]++;
	if (us > l->max_us)
		l->max_us = us;
}

uint64_t latency_quantile_us(const struct latency *l, double share)
{
	double want = share * (double)l->count;
	uint64_t seen = 0;

	for (unsigned i = 0; i < LATENCY_BUCKETS && l->count > 0; i++) {
		seen += l->bucket[i];
		if ((double)seen < want || seen == 0)
			continue;
		return end_of(i) < l->max_us ? end_of(i) : l->max_us;
	}
	return l->max_us;
}
