/* SPDX-License-Identifier: Apache-2.0
 *
 * What is changed after a row was put: tags, notes, holds, retention, burial; and the work lists.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/shelf_priv.h"

/* A statement whose ?1 is the row of `id`; NULL with *err set. */
static sqlite3_stmt *for_row(struct shelf *c, const uint8_t id[16], const char *sql, int *err)
{
	sqlite3_stmt *st = NULL;
	uint64_t n;

	*err = shelf_number(c, id, &n);
	if (*err == 0) {
		st = shelf_sql(c, sql);
		if (st == NULL)
			*err = -EIO;
		else
			sqlite3_bind_int64(st, 1, (int64_t)n);
	}
	return st;
}

int shelf_tag(struct shelf *c, const uint8_t id[16], const char *tag, bool on)
{
	int err;
	sqlite3_stmt *st = for_row(c, id,
				   on ? "INSERT OR IGNORE INTO tags(tag, n, traits) SELECT ?2, n, "
					"traits FROM recordings WHERE n = ?1 AND state = 1"
				      : "DELETE FROM tags WHERE n = ?1 AND tag = ?2",
				   &err);

	if (st == NULL)
		return err;
	sqlite3_bind_text(st, 2, tag, -1, SQLITE_STATIC);
	return shelf_run(c, st);
}

int shelf_set_work_order(struct shelf *c, const uint8_t id[16], const char *work_order)
{
	int err;
	sqlite3_stmt *st = for_row(
		c, id, "UPDATE recordings SET work_order = nullif(?2, '') WHERE n = ?1", &err);

	if (st == NULL)
		return err;
	sqlite3_bind_text(st, 2, work_order, -1, SQLITE_STATIC);
	return shelf_run(c, st);
}

/* The length of one UTF-8 character and whether it is written without spaces (CJK, kana). */
static size_t character(const char *p, bool *alone)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	uint32_t code = 0;

	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			n = i;
	if (n == 3)
		code = (uint32_t)(u[0] & 15) << 12 | (uint32_t)(u[1] & 63) << 6 | (u[2] & 63);
	*alone = n == 4 || (code >= 0x2e80 && code < 0xa000) || (code >= 0xf900 && code < 0xfb00);
	return n;
}

char *shelf_spread(const char *text)
{
	char *out = malloc(3 * strlen(text) + 1), *q = out;

	if (out == NULL)
		return NULL;
	for (const char *p = text; *p != '\0';) {
		bool alone;
		size_t n = character(p, &alone);

		if (alone)
			*q++ = ' ';
		memcpy(q, p, n);
		q += n;
		p += n;
		if (alone)
			*q++ = ' ';
	}
	*q = '\0';
	return out;
}

/* The words of a note join those of the recording's other notes. */
static int index_note(struct shelf *c, uint64_t n, const char *text)
{
	char *spread = shelf_spread(text);
	sqlite3_stmt *st =
		shelf_sql(c, "UPDATE notes_index SET text = text || ' ' || ?2 WHERE rowid = ?1");
	int err = -ENOMEM;

	if (spread == NULL || st == NULL)
		goto out;
	sqlite3_bind_int64(st, 1, (int64_t)n);
	sqlite3_bind_text(st, 2, spread, -1, SQLITE_STATIC);
	err = shelf_run(c, st);
	if (err == 0 && sqlite3_changes(c->db) == 0) {
		st = shelf_sql(c, "INSERT INTO notes_index(rowid, text) VALUES(?1, ?2)");
		if (st == NULL) {
			err = -EIO;
			goto out;
		}
		sqlite3_bind_int64(st, 1, (int64_t)n);
		sqlite3_bind_text(st, 2, spread, -1, SQLITE_STATIC);
		err = shelf_run(c, st);
	}
out:
	free(spread);
	return err;
}

int shelf_note(struct shelf *c, const uint8_t id[16], const char *author, const char *text,
	       uint64_t at_ms)
{
	uint64_t n;
	int err = shelf_number(c, id, &n);
	sqlite3_stmt *st;

	if (err == 0)
		err = shelf_begin(c);
	if (err != 0)
		return err;
	st = shelf_sql(c, "INSERT INTO notes(n, at_ms, author, text) VALUES(?1, ?2, ?3, ?4)");
	if (st != NULL) {
		sqlite3_bind_int64(st, 1, (int64_t)n);
		sqlite3_bind_int64(st, 2, (int64_t)at_ms);
		sqlite3_bind_text(st, 3, author, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 4, text, -1, SQLITE_STATIC);
	}
	err = shelf_run(c, st);
	if (err == 0)
		err = index_note(c, n, text);
	if (err == 0)
		return shelf_commit(c);
	shelf_rollback(c);
	return err;
}

/* --- holds --- */

int shelf_held(struct shelf *c, const uint8_t id[16])
{
	int err, held;
	sqlite3_stmt *st = for_row(
		c, id, "SELECT count(*) FROM holds WHERE n = ?1 AND released_ms IS NULL", &err);

	if (st == NULL)
		return err;
	held = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int(st, 0) > 0 : -EIO;
	sqlite3_reset(st);
	return held;
}

int shelf_holds(struct shelf *c)
{
	sqlite3_stmt *st =
		shelf_sql(c, "SELECT EXISTS(SELECT 1 FROM holds WHERE released_ms IS NULL)");
	int held;

	if (st == NULL)
		return -EIO;
	held = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int(st, 0) : -EIO;
	sqlite3_reset(st);
	return held;
}

static int count_holds(struct shelf *c, const uint8_t id[16])
{
	int err;
	sqlite3_stmt *st =
		for_row(c, id,
			"UPDATE files SET held = (SELECT count(*) FROM holds h WHERE h.n "
			"= ?1 AND released_ms IS NULL) WHERE n = ?1",
			&err);

	return st == NULL ? err : shelf_run(c, st);
}

int shelf_hold(struct shelf *c, const uint8_t id[16], const char *by, const char *reason,
	       uint64_t at_ms, uint64_t ledger_n, uint64_t *number)
{
	int err;
	sqlite3_stmt *st =
		for_row(c, id,
			"INSERT INTO holds(n, placed_ms, placed_by, reason, ledger_n) "
			"SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM holds "
			"WHERE n = ?1 AND ledger_n = ?5)",
			&err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 2, (int64_t)at_ms);
	sqlite3_bind_text(st, 3, by, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, (int64_t)ledger_n);
	err = shelf_run(c, st);
	if (err == 0 && number != NULL)
		*number = (uint64_t)sqlite3_last_insert_rowid(c->db);
	return err != 0 ? err : count_holds(c, id);
}

int shelf_release(struct shelf *c, const uint8_t id[16], const char *by, const char *reason,
		  uint64_t at_ms, uint64_t ledger_n)
{
	int err;
	sqlite3_stmt *st = for_row(
		c, id,
		"UPDATE holds SET released_ms = ?2, released_by = ?3, release_reason = ?4, "
		"release_ledger_n = ?5 WHERE n = ?1 AND released_ms IS NULL AND ledger_n < ?5",
		&err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 2, (int64_t)at_ms);
	sqlite3_bind_text(st, 3, by, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, (int64_t)ledger_n);
	err = shelf_run(c, st);
	if (err == 0 && sqlite3_changes(c->db) == 0)
		err = -ENOENT;
	return err != 0 ? err : count_holds(c, id);
}

int shelf_keep(struct shelf *c, const uint8_t id[16], const char *cls, uint64_t keep_until_ms)
{
	int64_t word = shelf_word(c, WORD_CLASS, cls, true);
	sqlite3_stmt *st;
	int err;

	if (word < 0)
		return (int)word;
	st = for_row(c, id, "UPDATE files SET class = ?2, keep_until_ms = ?3 WHERE n = ?1", &err);
	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 2, word);
	sqlite3_bind_int64(st, 3, (int64_t)keep_until_ms);
	return shelf_run(c, st);
}

int shelf_bury(struct shelf *c, const uint8_t id[16], uint64_t at_ms, uint64_t ledger_n)
{
	static const char *const wipe[] = {
		"UPDATE recordings SET state=2, traits=0, direction=0, result=0, kind=0, agent=0,"
		" team=0, queue=0, caller=NULL, called=NULL, call=NULL, work_order=NULL, "
		"silence=NULL,"
		" talk_over=NULL, mos=NULL, holds=0 WHERE n=?1",
		"UPDATE files SET path=NULL, more=NULL, deleted_ms=?2, deleted_ledger_n=?3 WHERE "
		"n=?1",
		"DELETE FROM tags WHERE n=?1",
		"DELETE FROM notes WHERE n=?1",
		"DELETE FROM notes_index WHERE rowid=?1",
	};
	bool own = sqlite3_get_autocommit(c->db) != 0;
	int err = own ? shelf_begin(c) : 0;

	for (size_t i = 0; err == 0 && i < sizeof(wipe) / sizeof(wipe[0]); i++) {
		sqlite3_stmt *st = for_row(c, id, wipe[i], &err);

		if (st == NULL)
			break;
		if (i == 1) {
			sqlite3_bind_int64(st, 2, (int64_t)at_ms);
			sqlite3_bind_int64(st, 3, (int64_t)ledger_n);
		}
		err = shelf_run(c, st);
	}
	if (!own)
		return err;
	if (err == 0)
		return shelf_commit(c);
	shelf_rollback(c);
	return err;
}

/* --- work lists --- */

static int take_ids(struct shelf *c, sqlite3_stmt *st, uint8_t (*id)[16], int max)
{
	int n = 0, rc = SQLITE_DONE;

	while (n < max && (rc = sqlite3_step(st)) == SQLITE_ROW)
		if (sqlite3_column_bytes(st, 0) == 16)
			memcpy(id[n++], sqlite3_column_blob(st, 0), 16);
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? n : shelf_fail(c, rc);
}

int shelf_due(struct shelf *c, uint64_t now_ms, uint8_t (*id)[16], int max)
{
	sqlite3_stmt *st = shelf_sql(
		c,
		"SELECT r.id FROM files f JOIN recordings r ON r.n = f.n WHERE f.keep_until_ms > "
		"0 AND f.keep_until_ms <= ?1 AND f.deleted_ms IS NULL AND f.held = 0 LIMIT ?2");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, (int64_t)now_ms);
	sqlite3_bind_int(st, 2, max);
	return take_ids(c, st, id, max);
}

int shelf_not_uploaded(struct shelf *c, uint8_t (*id)[16], int max, uint64_t now_ms)
{
	sqlite3_stmt *st = shelf_sql(
		c,
		"SELECT r.id FROM files f CROSS JOIN recordings r ON r.n = f.n LEFT JOIN uploads u "
		"ON u.n = f.n WHERE f.deleted_ms IS NULL AND f.path IS NOT NULL AND u.done_ms IS "
		"NULL AND coalesce(u.retry_ms, 0) <= ?1 ORDER BY f.n LIMIT ?2");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, (int64_t)now_ms);
	sqlite3_bind_int(st, 2, max);
	return take_ids(c, st, id, max);
}

int shelf_remote_left(struct shelf *c, uint8_t (*id)[16], int max, uint64_t now_ms)
{
	sqlite3_stmt *st = shelf_sql(
		c,
		"SELECT r.id FROM files f INDEXED BY files_deleted CROSS JOIN recordings r ON r.n "
		"= f.n JOIN uploads u ON u.n = f.n WHERE f.deleted_ms IS NOT NULL AND u.state IS "
		"NOT NULL AND coalesce(u.retry_ms, 0) <= ?1 LIMIT ?2");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, (int64_t)now_ms);
	sqlite3_bind_int(st, 2, max);
	return take_ids(c, st, id, max);
}

int shelf_ids(struct shelf *c, const uint8_t *after, uint8_t (*id)[16], int max, int state)
{
	sqlite3_stmt *st = shelf_sql(c, "SELECT id FROM recordings WHERE id > ?1 AND (?2 = 0 OR "
					"state = ?2) ORDER BY id LIMIT ?3");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_blob(st, 1, after != NULL ? (const void *)after : "", after != NULL ? 16 : 0,
			  SQLITE_STATIC);
	sqlite3_bind_int(st, 2, state);
	sqlite3_bind_int(st, 3, max);
	return take_ids(c, st, id, max);
}

int shelf_upload_get(struct shelf *c, const uint8_t id[16], json_t **state)
{
	int err;
	sqlite3_stmt *st = for_row(c, id, "SELECT state FROM uploads WHERE n = ?1", &err);

	*state = NULL;
	if (st == NULL)
		return err;
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0) != NULL)
		*state = json_loads((const char *)sqlite3_column_text(st, 0), 0, NULL);
	sqlite3_reset(st);
	return 0;
}

int shelf_upload_put(struct shelf *c, const uint8_t id[16], const char *state, const char *error,
		     uint64_t retry_at_ms, uint64_t done_ms)
{
	int err;
	sqlite3_stmt *st = for_row(
		c, id,
		"INSERT OR REPLACE INTO uploads(n, state, error, retry_ms, done_ms) VALUES(?1, "
		"nullif(?2, ''), nullif(?3, ''), nullif(?4, 0), nullif(?5, 0))",
		&err);

	if (st == NULL)
		return err;
	sqlite3_bind_text(st, 2, state, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, error, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, (int64_t)retry_at_ms);
	sqlite3_bind_int64(st, 5, (int64_t)done_ms);
	return shelf_run(c, st);
}

int shelf_failed(struct shelf *c, const uint8_t id[16], const char *error, uint64_t now_ms)
{
	/* 10 s, 20 s, 40 s, ... an hour */
	sqlite3_stmt *st = shelf_sql(
		c, error != NULL
			   ? "INSERT INTO failures(id, tries, retry_ms, error) VALUES(?1, 1, ?3 + "
			     "10000, ?2) ON CONFLICT(id) DO UPDATE SET tries = tries + 1, error = "
			     "?2, retry_ms = ?3 + min(3600000, 10000 << min(tries, 10))"
			   : "DELETE FROM failures WHERE id = ?1");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
	if (error != NULL) {
		sqlite3_bind_text(st, 2, error, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 3, (int64_t)now_ms);
	}
	return shelf_run(c, st);
}

int shelf_failing(struct shelf *c, const uint8_t id[16], uint64_t now_ms)
{
	sqlite3_stmt *st = shelf_sql(c, "SELECT 1 FROM failures WHERE id = ?1 AND retry_ms > ?2");
	int rc;

	if (st == NULL)
		return -EIO;
	sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (int64_t)now_ms);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? 1 : 0;
}

int shelf_value(struct shelf *c, const char *name, char *value, size_t size)
{
	sqlite3_stmt *st = shelf_sql(c, "SELECT value FROM meta WHERE name = ?1");

	value[0] = '\0';
	if (st == NULL)
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		snprintf(value, size, "%s", (const char *)sqlite3_column_text(st, 0));
	sqlite3_reset(st);
	return 0;
}

int shelf_set_value(struct shelf *c, const char *name, const char *value)
{
	sqlite3_stmt *st = shelf_sql(c, "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
	return shelf_run(c, st);
}
