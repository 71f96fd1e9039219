/* The catalogue: what is known of every finished recording, made for finding.
 *
 * An SQLite file of its own (WAL) beside the finished files: patchbayd's database is never written
 * to by the archive, and losing the catalogue loses nothing that `patchbay recordings rebuild` could
 * not read again from the files and the ledger, notes and tags apart.
 *
 * ROWS are numbered by time, n = started_ms * 4096 + k, so every index ends in time order and a page
 * goes on behind the n of its last row. Beside its columns a row has `traits`, its small facts packed
 * into 59 bits (catalogue_traits.h), and every index carries them: a search by two filters walks
 * the index of one and tests the other without touching the table. Which one to walk is not
 * estimated: catalogue_search() gives each a budget of steps, in turns, until one is through.
 *
 * Rows cross this header as JSON objects: see catalogue_put().
 *
 * Thread: one at a time per struct; any number of structs on one file.
 */
#ifndef ARCHIVE_CATALOGUE_H
#define ARCHIVE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { CATALOGUE_TAGS_MAX = 4, CATALOGUE_LIMIT_MAX = 1000, CATALOGUE_BUSY_MS = 10000 };

struct catalogue;

/* Open, or make. Returns 0 or negative errno with a sentence in `why`: -EPROTO when a later version
 * made it. */
int catalogue_open(struct catalogue **c, const char *file, char *why, size_t why_size);
void catalogue_close(struct catalogue *c);

/* What the last call that returned -EIO complained of. */
const char *catalogue_error(const struct catalogue *c);

/* Several changes as one; nesting is not allowed. Returns 0 or negative errno. */
int catalogue_begin(struct catalogue *c);
int catalogue_commit(struct catalogue *c);
void catalogue_rollback(struct catalogue *c);

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
int catalogue_put(struct catalogue *c, const json_t *row);

/* The row of a recording, with tags, notes, holds and uploads; *row is the caller's. Returns 0, -ENOENT
 * or negative errno. */
int catalogue_get(struct catalogue *c, const uint8_t id[16], json_t **row);

/* The one whose id begins so (4 digits at least). Returns 0, -EINVAL, -ENOENT, -ENOTUNIQ. */
int catalogue_find(struct catalogue *c, const char *prefix, uint8_t id[16]);

/* Is it there (also as deleted)? 1, 0 or negative errno. */
int catalogue_has(struct catalogue *c, const uint8_t id[16]);

/* The row becomes a tombstone: who and what is wiped, times and the proof stay. Refused with -EPERM
 * by the database itself while it is held. */
int catalogue_bury(struct catalogue *c, const uint8_t id[16], uint64_t at_ms, uint64_t ledger_n);

/* Change the retention of a row. */
int catalogue_keep(struct catalogue *c, const uint8_t id[16], const char *cls,
		   uint64_t keep_until_ms);

/* --- search --- */

struct catalogue_filter {
	const char *call, *kind, *direction, *result, *caller, *called, *agent, *team, *queue;
	const char *work_order, *text;       /* of the notes */
	const char *tag[CATALOGUE_TAGS_MAX]; /* all of them */
	uint64_t from_ms, to_ms;             /* started in [from, to); 0: open */
	int64_t duration_min_ms, duration_max_ms;
	int64_t holds_min, holds_max;
	double silence_min, silence_max, talk_over_min, mos_min, mos_max;
	bool held, deleted; /* only those under legal hold; only tombstones */
	uint64_t after;     /* `next` of the page before */
	uint32_t limit;     /* 0: 50 */
};

/* No restriction at all. */
void catalogue_filter_init(struct catalogue_filter *f);

/* Set one restriction by name, as written by a person or in a URL: the members above without _ms as
 * seconds ("duration_min=30"), from and to as "2026-11-25", "2026-11-25T10:00[:00][Z]", "2h", "7d"
 * ago. `value` must live as long as the filter. Returns 0, or -EINVAL with a sentence in `why`. */
int catalogue_filter_set(struct catalogue_filter *f, const char *name, const char *value,
			 uint64_t now_ms, char *why, size_t why_size);

/* -> {recordings: [...], more, next}, newest first; the caller's. Returns 0 or negative errno. */
int catalogue_search(struct catalogue *c, const struct catalogue_filter *f, json_t **page);

/* The numbers of a page only (at most `max`), as catalogue_search() finds them, and how: the SQL that
 * got through, borrowed until the next call. Returns how many or negative errno. */
int catalogue_search_rows(struct catalogue *c, const struct catalogue_filter *f, uint64_t *n,
			  uint32_t max, const char **how);

/* --- what people add --- */

int catalogue_tag(struct catalogue *c, const uint8_t id[16], const char *tag, bool on);
int catalogue_note(struct catalogue *c, const uint8_t id[16], const char *author, const char *text,
		   uint64_t at_ms);
int catalogue_set_work_order(struct catalogue *c, const uint8_t id[16], const char *work_order);

/* Legal hold. Several may be placed; a release ends all that stand. Each is named by its line of the
 * ledger, so that a line applied twice counts once. release returns -ENOENT when none is on it. */
int catalogue_hold(struct catalogue *c, const uint8_t id[16], const char *by, const char *reason,
		   uint64_t at_ms, uint64_t ledger_n, uint64_t *number);
int catalogue_release(struct catalogue *c, const uint8_t id[16], const char *by, const char *reason,
		      uint64_t at_ms, uint64_t ledger_n);
/* 1: held, 0: not, or negative errno. */
int catalogue_held(struct catalogue *c, const uint8_t id[16]);

/* --- work lists --- */

/* Ids (at most `max`) that are due for deletion at `now_ms` and not held; or not uploaded and not
 * deleted. Returns how many or negative errno. */
int catalogue_due(struct catalogue *c, uint64_t now_ms, uint8_t (*id)[16], int max);
int catalogue_not_uploaded(struct catalogue *c, uint8_t (*id)[16], int max, uint64_t now_ms);
/* Deleted here, and the copy elsewhere not yet: what to remove is in the upload's state. */
int catalogue_remote_left(struct catalogue *c, uint8_t (*id)[16], int max, uint64_t now_ms);

/* After id `after` (NULL: from the first), in order of their ids; state 1: there, 2: deleted, 0: both.
 * Returns how many or negative errno. */
int catalogue_ids(struct catalogue *c, const uint8_t *after, uint8_t (*id)[16], int max, int state);

/* Uploads. `state` is a JSON text (upload id, parts) or "" when it is done. */
int catalogue_upload_get(struct catalogue *c, const uint8_t id[16], json_t **state);
int catalogue_upload_put(struct catalogue *c, const uint8_t id[16], const char *state,
			 const char *error, uint64_t retry_at_ms, uint64_t done_ms);

/* Work that failed and is tried again later. Returns 1 when it is not yet time. */
int catalogue_failed(struct catalogue *c, const uint8_t id[16], const char *error, uint64_t now_ms);
int catalogue_failing(struct catalogue *c, const uint8_t id[16], uint64_t now_ms);
int catalogue_failures(struct catalogue *c, json_t **list);

/* Small values that outlive the process. "" when there is none. */
int catalogue_value(struct catalogue *c, const char *name, char *value, size_t size);
int catalogue_set_value(struct catalogue *c, const char *name, const char *value);

#endif
