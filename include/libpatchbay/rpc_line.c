/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { KEEP_BYTES = 128 * 1024 }; /* an empty queue larger than this gives its memory back */

char *rpc_bytes_room(struct rpc_bytes *b, size_t n)
{
	if (b->head > 0 && b->size - b->tail < n) {
		memmove(b->data, b->data + b->head, b->tail - b->head);
		b->tail -= b->head;
		b->head = 0;
	}
	if (b->size - b->tail < n) {
		size_t want = b->size != 0 ? b->size : 4096;

		while (want - b->tail < n)
			want *= 2;
		b->data = realloc(b->data, want);
		must(b->data != NULL);
		b->size = want;
	}
	return b->data + b->tail;
}

void rpc_bytes_add(struct rpc_bytes *b, const char *p, size_t n)
{
	memcpy(rpc_bytes_room(b, n), p, n);
	b->tail += n;
}

void rpc_bytes_free(struct rpc_bytes *b)
{
	free(b->data);
	*b = (struct rpc_bytes){0};
}

void rpc_bytes_drop(struct rpc_bytes *b, size_t n)
{
	must(n <= b->tail - b->head);
	b->head += n;
	if (b->head != b->tail)
		return;
	b->head = b->tail = 0;
	if (b->size > KEEP_BYTES)
		rpc_bytes_free(b);
}

static int append(const char *p, size_t n, void *to)
{
	rpc_bytes_add(to, p, n);
	return 0;
}

void rpc_bytes_json(struct rpc_bytes *b, const json_t *value)
{
	must(json_dump_callback(value, append, b, JSON_COMPACT | JSON_ENCODE_ANY) == 0);
	rpc_bytes_add(b, "\n", 1);
}

enum rpc_line rpc_lines_next(struct rpc_lines *l, const char **line, size_t *len)
{
	for (;;) {
		size_t held = rpc_bytes_held(&l->in);

		if (held == 0) {
			rpc_bytes_drop(&l->in, 0);
			return RPC_LINE_NONE;
		}

		char *start = l->in.data + l->in.head;
		char *end = memchr(start + l->seen, '\n', held - l->seen);

		if (end == NULL && l->skipping) {
			rpc_bytes_drop(&l->in, held);
			l->seen = 0;
			return RPC_LINE_NONE;
		}
		if (end == NULL && held < l->line_max) {
			l->seen = held;
			return RPC_LINE_NONE;
		}
		if (end == NULL) {
			rpc_bytes_drop(&l->in, held);
			l->seen = 0;
			l->skipping = true;
			return RPC_LINE_LONG;
		}

		size_t n = (size_t)(end - start);
		bool was_skipping = l->skipping;

		l->seen = 0;
		l->skipping = false;
		/* The bytes stay where they are until more are read. */
		l->in.head += n + 1;
		if (was_skipping)
			continue;
		if (n + 1 > l->line_max)
			return RPC_LINE_LONG;
		if (n > 0 && start[n - 1] == '\r')
			n--;
		*line = start;
		*len = n;
		return RPC_LINE_READY;
	}
}
