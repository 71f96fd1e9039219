/* SPDX-License-Identifier: Apache-2.0
 * A binary heap whose members know their place in it. */
#include "acd/due.h"

static int before(const struct due *d, uint32_t a, uint32_t b)
{
	return d->at[a] < d->at[b] || (d->at[a] == d->at[b] && a < b);
}

static void put(struct due *d, uint32_t i, uint32_t thing)
{
	d->heap[i] = thing;
	d->place[thing] = i;
}

static void up(struct due *d, uint32_t i)
{
	uint32_t thing = d->heap[i];

	for (; i > 0 && before(d, thing, d->heap[(i - 1) / 2]); i = (i - 1) / 2)
		put(d, i, d->heap[(i - 1) / 2]);
	put(d, i, thing);
}

static void down(struct due *d, uint32_t i)
{
	uint32_t thing = d->heap[i];

	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= d->n)
			break;
		if (k + 1 < d->n && before(d, d->heap[k + 1], d->heap[k]))
			k++;
		if (!before(d, d->heap[k], thing))
			break;
		put(d, i, d->heap[k]);
		i = k;
	}
	put(d, i, thing);
}

size_t due_bytes(uint32_t things)
{
	return (size_t)things * (sizeof(uint64_t) + 2 * sizeof(uint32_t));
}

void due_init(struct due *d, void *memory, uint32_t things)
{
	d->n = 0;
	d->at = memory;
	d->heap = (uint32_t *)(d->at + things);
	d->place = d->heap + things;
	for (uint32_t i = 0; i < things; i++) {
		d->at[i] = DUE_NEVER;
		d->place[i] = UINT32_MAX;
	}
}

void due_set(struct due *d, uint32_t thing, uint64_t at)
{
	uint32_t i = d->place[thing];

	d->at[thing] = at;
	if (at == DUE_NEVER) {
		if (i == UINT32_MAX)
			return;
		d->place[thing] = UINT32_MAX;
		if (i == --d->n)
			return;
		put(d, i, d->heap[d->n]);
	} else if (i == UINT32_MAX) {
		i = d->n++;
		put(d, i, thing);
	}
	up(d, i);
	down(d, d->place[d->heap[i]]);
}

uint64_t due_first(const struct due *d, uint32_t *thing)
{
	if (d->n == 0)
		return DUE_NEVER;
	*thing = d->heap[0];
	return d->at[d->heap[0]];
}
