/* The audit: who looked for, heard, copied, changed or deleted what, when, from where, and what was
 * refused. A table that the database only lets grow, each line with the hash of all before it:
 *
 *	hash = SHA-256(hash of the line before, newline, JSON array of the line's columns)
 *
 * The newest hash goes into the ledger from time to time (archive_anchor_audit()), so lines cut off
 * at the end show too.
 *
 * Thread: the shelf's.
 */
#ifndef ARCHIVE_AUDIT_H
#define ARCHIVE_AUDIT_H

#include "archive/digest.h"
#include "archive/shelf.h"

struct audit_line {
	const char *actor;  /* a token's name, or a user of this machine */
	const char *source; /* an address, or "cli" */
	const char *action; /* "listen", "export", "delete", ... */
	const uint8_t *id;  /* recording, or NULL */
	const char *result; /* "ok", or why it was refused */
	const char *detail;
};

/* Add a line, durably. Returns 0 or negative errno: then the act must not be done. */
int audit_add(struct shelf *c, const struct audit_line *line, uint64_t at_ms);

struct audit_filter {
	const uint8_t *id;
	const char *actor, *action;
	bool refused;   /* only what was refused */
	uint64_t after; /* lines before this number; 0: from the newest */
	uint32_t limit;
};

/* -> {lines: [...], more, next}, newest first. */
int audit_list(struct shelf *c, const struct audit_filter *f, json_t **page);

/* Recompute every hash. Returns 0 with *wrong 0, or the number of the first line that is not
 * right; `lines` and `head` of what is whole. */
int audit_verify(struct shelf *c, uint64_t *lines, uint64_t *wrong, char head[DIGEST_TEXT]);

/* Number and hash of the newest line; 0 and zeros when there is none. */
int audit_head(struct shelf *c, uint64_t *n, char head[DIGEST_TEXT]);

#endif
