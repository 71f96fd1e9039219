/* SPDX-License-Identifier: Apache-2.0
 * A list of chunks, the newest first; each is filled from its beginning. */
#include "conf/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { CHUNK_BYTES = 16 << 10 };

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

struct conf_arena {
	struct chunk *chunk;
};

struct conf_arena *conf_arena_open(void)
{
	struct conf_arena *a = calloc(1, sizeof(*a));

	must(a != NULL);
	return a;
}

void *conf_arena_get(struct conf_arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);

	must(size < SIZE_MAX / 2);
	size = (size + align - 1) / align * align;
	if (size == 0)
		size = align;
	if (a->chunk == NULL || a->chunk->size - a->chunk->used < size) {
		size_t room = size > CHUNK_BYTES ? size : (size_t)CHUNK_BYTES;
		struct chunk *c = calloc(1, sizeof(*c) + room);

		must(c != NULL);
		c->size = room;
		c->next = a->chunk;
		a->chunk = c;
	}

	void *p = a->chunk->bytes + a->chunk->used;

	a->chunk->used += size;
	return p;
}

void *conf_arena_array(struct conf_arena *a, size_t n, size_t size)
{
	must(n == 0 || size <= SIZE_MAX / 4 / n);
	return conf_arena_get(a, n * size);
}

const char *conf_arena_text(struct conf_arena *a, const char *text, size_t len)
{
	char *copy = conf_arena_get(a, len + 1);

	memcpy(copy, text, len);
	return copy;
}

void conf_arena_close(struct conf_arena *a)
{
	if (a == NULL)
		return;
	while (a->chunk != NULL) {
		struct chunk *c = a->chunk;

		a->chunk = c->next;
		free(c);
	}
	free(a);
}
