/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/pool.h"

#include <stdlib.h>

#include "base/must.h"

void pool_init(struct pool *p, uint32_t first, uint32_t count)
{
	*p = (struct pool){.first = first, .count = count, .held = count};
	p->entry = calloc(count + 1, sizeof(*p->entry));
	p->queue = calloc(count + 1, sizeof(*p->queue));
	must(p->entry != NULL && p->queue != NULL);
	for (uint32_t i = 0; i < count; i++)
		p->queue[i] = first + i;
}

void pool_fini(struct pool *p)
{
	free(p->entry);
	free(p->queue);
	*p = (struct pool){0};
}

bool pool_take(struct pool *p, uint64_t now_ms, uint32_t *index, uint32_t *generation)
{
	if (p->held == 0)
		return false;

	uint32_t i = p->queue[p->head];
	struct pool_entry *e = &p->entry[i - p->first];

	if (e->ready_ms > now_ms)
		return false; /* the others have rested less */
	p->head = (p->head + 1) % p->count;
	p->held--;
	must(!e->used);
	e->used = true;
	if (++e->generation == 0)
		e->generation = 1;
	*index = i;
	*generation = e->generation;
	return true;
}

void pool_give(struct pool *p, uint32_t index, uint64_t ready_ms)
{
	must(index >= p->first && index - p->first < p->count);

	struct pool_entry *e = &p->entry[index - p->first];

	must(e->used && p->held < p->count);
	e->used = false;
	e->ready_ms = ready_ms;
	p->queue[(p->head + p->held++) % p->count] = index;
}

uint32_t pool_used(const struct pool *p)
{
	return p->count - p->held;
}

uint32_t pool_resting(const struct pool *p, uint64_t now_ms)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->count; i++)
		n += !p->entry[i].used && p->entry[i].ready_ms > now_ms;
	return n;
}
