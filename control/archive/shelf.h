/* The shelf: what is known of every finished recording, made for finding.
 *
 * An SQLite file of its own (WAL) beside the finished files: patchbayd's database is never written
 * to by the archive, and losing the shelf loses nothing that `patchbay recordings rebuild` could
 * not read again from the files and the ledger, notes and tags apart.
 *
 * ROWS are numbered by time, n = started_ms * 4096 + k, so every index ends in time order and a page
 * goes on behind the n of its last row. Beside its columns a row has `traits`, its small facts packed
 * into 59 bits (shelf_traits.h), and every index carries them: a search by two filters walks
 * the index of one and tests the other without touching the table. Which one to walk is not
 * estimated: shelf_search() gives each a budget of steps, in turns, until one is through.
 *
 * Rows cross this header as JSON objects: see shelf_put().
 *
 * Thread: one at a time per struct; any number of structs on one file.
 */
#ifndef ARCHIVE_SHELF_H
#define ARCHIVE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { SHELF_TAGS_MAX = 4, SHELF_LIMIT_MAX = 1000, SHELF_BUSY_MS = 10000 };

struct shelf;

/* Open, or make. Returns 0 or negative errno with a sentence in `why`: -EPROTO when a later version
 * made it. */
int shelf_open(struct shelf **c, const char *file, char *why, size_t why_size);
void shelf_close(struct shelf *c);

/* What the last call that returned -EIO complained of. */
const char *shelf_error(const struct shelf *c);

/* Several changes as one; nesting is not allowed. Returns 0 or negative errno. */
int shelf_begin(struct shelf *c);
int shelf_commit(struct shelf *c);
void shelf_rollback(struct shelf *c);

/* Insert or replace the row of `row`'s recording. Members, all but the first three optional:
 *
 *	recording, started_ms, duration_ms
 *	call, kind, direction ("in", "out", "internal"), result, caller, called, agent, team, queue,
 *	work_order   texts
 *	holds, lost  counts;  silence, talk_over  shares;  mos
 *	class, keep_until_ms (0: for ever), format ("wav", "opus"), path, bytes, stored_bytes, sealed,
 *	sha256, stored_sha256, ledger_n, ledger_offset   the finished file
 *	anything else is kept and shown
 *
 * Returns 0, -EINVAL (a member is missing or of the wrong kind), or negative errno. */
int shelf_put(struct shelf *c, const json_t *row);

/* The row of a recording, with tags, notes, holds and uploads; *row is the caller's. Returns 0, -ENOENT
 * or negative errno. */
int shelf_get(struct shelf *c, const uint8_t id[16], json_t **row);

/* The one whose id begins so (4 digits at least). Returns 0, -EINVAL, -ENOENT, -ENOTUNIQ. */
int shelf_find(struct shelf *c, const char *prefix, uint8_t id[16]);

/* Is it there (also as deleted)? 1, 0 or negative errno. */
int shelf_has(struct shelf *c, const uint8_t id[16]);

/* The row becomes a tombstone: who and what is wiped, times and the proof stay. Refused with -EPERM
 * by the database itself while it is held. */
int shelf_bury(struct shelf *c, const uint8_t id[16], uint64_t at_ms, uint64_t ledger_n);

/* Change the retention of a row. */
int shelf_keep(struct shelf *c, const uint8_t id[16], const char *cls, uint64_t keep_until_ms);

/* --- search --- */

struct shelf_filter {
	const char *call, *kind, *direction, *result, *caller, *called, *agent, *team, *queue;
	const char *work_order, *text;   /* of the notes */
	const char *tag[SHELF_TAGS_MAX]; /* all of them */
	uint64_t from_ms, to_ms;         /* started in [from, to); 0: open */
	int64_t duration_min_ms, duration_max_ms;
	int64_t holds_min, holds_max;
	double silence_min, silence_max, talk_over_min, mos_min, mos_max;
	bool held, deleted; /* only those under legal hold; only tombstones */
	uint64_t after;     /* `next` of the page before */
	uint32_t limit;     /* 0: 50 */
};

/* No restriction at all. */
void shelf_filter_init(struct shelf_filter *f);

/* Set one restriction by name, as written by a person or in a URL: the members above without _ms as
 * seconds ("duration_min=30"), from and to as "2026-11-25", "2026-11-25T10:00[:00][Z]", "2h", "7d"
 * ago. `value` must live as long as the filter. Returns 0, or -EINVAL with a sentence in `why`. */
int shelf_filter_set(struct shelf_filter *f, const char *name, const char *value, uint64_t now_ms,
		     char *why, size_t why_size);

/* -> {recordings: [...], more, next}, newest first; the caller's. Returns 0 or negative errno. */
int shelf_search(struct shelf *c, const struct shelf_filter *f, json_t **page);

/* The numbers of a page only (at most `max`), as shelf_search() finds them, and how: the SQL that
 * got through, borrowed until the next call. Returns how many or negative errno. */
int shelf_search_rows(struct shelf *c, const struct shelf_filter *f, uint64_t *n, uint32_t max,
		      const char **how);

/* --- what people add --- */

int shelf_tag(struct shelf *c, const uint8_t id[16], const char *tag, bool on);
int shelf_note(struct shelf *c, const uint8_t id[16], const char *author, const char *text,
	       uint64_t at_ms);
int shelf_set_work_order(struct shelf *c, const uint8_t id[16], const char *work_order);

/* Legal hold. Several may be placed; a release ends all that stand. Each is named by its line of the
 * ledger, so that a line applied twice counts once. release returns -ENOENT when none is on it. */
int shelf_hold(struct shelf *c, const uint8_t id[16], const char *by, const char *reason,
	       uint64_t at_ms, uint64_t ledger_n, uint64_t *number);
int shelf_release(struct shelf *c, const uint8_t id[16], const char *by, const char *reason,
		  uint64_t at_ms, uint64_t ledger_n);
/* 1: held, 0: not, or negative errno. */
int shelf_held(struct shelf *c, const uint8_t id[16]);
/* Is anything held? As shelf_held(). */
int shelf_holds(struct shelf *c);

/* --- work lists --- */

/* Ids (at most `max`) that are due for deletion at `now_ms` and not held; or not uploaded and not
 * deleted. Returns how many or negative errno. */
int shelf_due(struct shelf *c, uint64_t now_ms, uint8_t (*id)[16], int max);
int shelf_not_uploaded(struct shelf *c, uint8_t (*id)[16], int max, uint64_t now_ms);
/* Deleted here, and the copy elsewhere not yet: what to remove is in the upload's state. */
int shelf_remote_left(struct shelf *c, uint8_t (*id)[16], int max, uint64_t now_ms);

/* After id `after` (NULL: from the first), in order of their ids; state 1: there, 2: deleted, 0: both.
 * Returns how many or negative errno. */
int shelf_ids(struct shelf *c, const uint8_t *after, uint8_t (*id)[16], int max, int state);

/* Uploads. `state` is a JSON text (upload id, parts) or "" when it is done. */
int shelf_upload_get(struct shelf *c, const uint8_t id[16], json_t **state);
int shelf_upload_put(struct shelf *c, const uint8_t id[16], const char *state, const char *error,
		     uint64_t retry_at_ms, uint64_t done_ms);

/* Work that failed and is tried again later. Returns 1 when it is not yet time. */
int shelf_failed(struct shelf *c, const uint8_t id[16], const char *error, uint64_t now_ms);
int shelf_failing(struct shelf *c, const uint8_t id[16], uint64_t now_ms);
int shelf_failures(struct shelf *c, json_t **list);

/* Small values that outlive the process. "" when there is none. */
int shelf_value(struct shelf *c, const char *name, char *value, size_t size);
int shelf_set_value(struct shelf *c, const char *name, const char *value);

#endif
