/* The ledger: what was ever archived, deleted or held, in a file that only grows and in which
 * nothing can be changed, taken out or put in between without that showing.
 *
 * It is text, one JSON object per line, so that any program can check it:
 *
 *	{"n":17,"at_ms":1764100000000,"op":"finish", ... ,"prev":"HASH","hash":"HASH"}
 *
 * `n` counts from 1. `hash` is the SHA-256 of the line's bytes before `,"hash":`. `prev` is the hash
 * of the line before (64 zeros in the first). The first line has the op "begin" and a random
 * `ledger`, the name of this ledger. A line is durable (fdatasync) before ledger_append() returns.
 * What stands behind the last newline was never acknowledged and is cut off by the next writer.
 *
 * Who holds a copy of one line's number and hash, an ANCHOR, can later prove that everything up
 * to that line is as it was. ledger_head() gives the newest.
 *
 * Several processes may append: writers take turns by flock().
 *
 * Thread: any; a struct belongs to one at a time.
 */
#ifndef ARCHIVE_LEDGER_H
#define ARCHIVE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "archive/digest.h"

enum { LEDGER_LINE_MAX = 65536 };

struct ledger;

/* Where a line is. */
struct ledger_place {
	uint64_t n;
	uint64_t offset; /* of its first byte */
	char hash[DIGEST_TEXT];
};

/* Open, or begin. Looks at the last line only. Returns 0; -EBADMSG when that line is none of a
 * ledger; or what the file system said. */
int ledger_open(struct ledger **l, const char *path);
void ledger_close(struct ledger *l);

/* Take the writer's turn, so that what is looked up stays true until ledger_unlock(). Turns nest
 * in one struct. Returns 0 or negative errno. */
int ledger_lock(struct ledger *l);
void ledger_unlock(struct ledger *l);

/* Add a line: `op` and the members of `body` (taken; none of n, at_ms, op, prev, hash). Returns
 * 0 and where it is; -E2BIG; or negative errno, and nothing was added. */
int ledger_append(struct ledger *l, uint64_t at_ms, const char *op, json_t *body,
		  struct ledger_place *place);

/* The newest line. Returns 0 or negative errno. */
int ledger_head(struct ledger *l, struct ledger_place *place);

/* The line at `offset`, checked against its own hash. Returns 0 with an object that is the
 * caller's, -EBADMSG, or negative errno. */
int ledger_read(struct ledger *l, uint64_t offset, json_t **line);

/* Return other than 0 to end. `line` is borrowed. */
typedef int ledger_line_fn(void *ctx, const struct ledger_place *place, const json_t *line);

struct ledger_verdict {
	uint64_t lines;
	struct ledger_place head;
	uint64_t wrong_n;      /* 0: the chain is whole; else the first line that is not right */
	uint64_t wrong_offset; /* where it is */
	char why[120];
};

/* Follow the chain from the first line (`from` NULL) or from behind a line that is trusted, and
 * tell of each good line (`fn` may be NULL). Stops at the first line that is wrong. Returns 0 (see
 * the verdict), what `fn` returned, or negative errno. */
int ledger_verify(struct ledger *l, const struct ledger_place *from, ledger_line_fn *fn, void *ctx,
		  struct ledger_verdict *verdict);

#endif
