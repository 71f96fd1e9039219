/* Bytes in, lines out; and bytes that wait to be written.
 *
 * Thread: one owner; pure.
 */
#ifndef LIBPATCHBAY_RPC_LINE_H
#define LIBPATCHBAY_RPC_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* A queue of bytes: [head, tail) of `data` are held. {0} is empty. */
struct rpc_bytes {
	char *data;
	size_t size, head, tail;
};

static inline size_t rpc_bytes_held(const struct rpc_bytes *b)
{
	return b->tail - b->head;
}

/* Room for `n` more bytes at the tail; where they go. */
char *rpc_bytes_room(struct rpc_bytes *b, size_t n);

void rpc_bytes_add(struct rpc_bytes *b, const char *p, size_t n);

/* The first `n` held bytes are done with. Gives memory back when a large burst is over. */
void rpc_bytes_drop(struct rpc_bytes *b, size_t n);
void rpc_bytes_free(struct rpc_bytes *b);

/* Append `value` as one line. */
void rpc_bytes_json(struct rpc_bytes *b, const json_t *value);

enum rpc_line {
	RPC_LINE_READY, /* *line, *len: without the newline (nor a CR before it) */
	RPC_LINE_NONE,  /* no whole line is held */
	RPC_LINE_LONG,  /* the line is longer than allowed; said once, then it is skipped */
};

/* Splits what was read into lines of at most `line_max` bytes with their newline. */
struct rpc_lines {
	struct rpc_bytes in;
	size_t seen; /* held bytes already searched for a newline */
	size_t line_max;
	bool skipping; /* inside a line that was too long */
};

/* Take the next line; the pointers are valid until the next call on `l`. */
enum rpc_line rpc_lines_next(struct rpc_lines *l, const char **line, size_t *len);

#endif
