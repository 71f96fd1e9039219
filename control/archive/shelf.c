/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening, statements, words, and rows in and out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/digest.h"
#include "archive/shelf_priv.h"
#include "archive/shelf_traits.h"
#include "patchbay/recording.h"

int shelf_fail(struct shelf *c, int rc)
{
	if (c->db != NULL)
		snprintf(c->error, sizeof(c->error), "%s", sqlite3_errmsg(c->db));
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return -EACCES;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return strstr(c->error, "legal hold") != NULL ? -EPERM : -EINVAL;
	default:
		return -EIO;
	}
}

const char *shelf_error(const struct shelf *c)
{
	return c->error;
}

static int migrate(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	int version = 0, rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);
	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	if (rc == SQLITE_OK && version > shelf_version)
		rc = SQLITE_SCHEMA;
	for (; rc == SQLITE_OK && version < shelf_version; version++) {
		char stamp[48];

		snprintf(stamp, sizeof(stamp), "PRAGMA user_version = %d", version + 1);
		rc = sqlite3_exec(db, shelf_migrations[version], NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db, stamp, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (sqlite3_get_autocommit(db) == 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int shelf_open(struct shelf **out, const char *file, char *why, size_t why_size)
{
	struct shelf *c = calloc(1, sizeof(*c));
	int rc, err;

	if (c == NULL)
		return -ENOMEM;
	rc = sqlite3_open_v2(file, &c->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				     SQLITE_OPEN_EXRESCODE,
			     NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(c->db, SHELF_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->db,
				  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				  "PRAGMA cache_size=-65536; PRAGMA mmap_size=4294967296;"
				  "PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=ON",
				  NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = migrate(c->db);
	if (rc == SQLITE_OK) {
		*out = c;
		return 0;
	}
	err = shelf_fail(c, rc);
	snprintf(why, why_size, "shelf %s: %s", file,
		 rc == SQLITE_SCHEMA ? "a later version of Patchbay made it" : c->error);
	shelf_close(c);
	return rc == SQLITE_SCHEMA ? -EPROTO : err;
}

void shelf_close(struct shelf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SHELF_STATEMENTS; i++)
		sqlite3_finalize(c->prepared[i].st);
	sqlite3_close(c->db);
	free(c);
}

sqlite3_stmt *shelf_sql(struct shelf *c, const char *sql)
{
	size_t i = 0;
	int rc;

	while (i < SHELF_STATEMENTS && c->prepared[i].sql != NULL && c->prepared[i].sql != sql)
		i++;
	if (i == SHELF_STATEMENTS) { /* more texts than places: the first goes */
		i = 0;
		sqlite3_finalize(c->prepared[0].st);
		c->prepared[0].sql = NULL;
		c->prepared[0].st = NULL;
	}
	if (c->prepared[i].sql == NULL) {
		rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					&c->prepared[i].st, NULL);
		if (rc != SQLITE_OK) {
			(void)shelf_fail(c, rc);
			return NULL;
		}
		c->prepared[i].sql = sql;
	}
	sqlite3_reset(c->prepared[i].st);
	sqlite3_clear_bindings(c->prepared[i].st);
	return c->prepared[i].st;
}

int shelf_run(struct shelf *c, sqlite3_stmt *st)
{
	int rc;

	if (st == NULL)
		return -EIO;
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : shelf_fail(c, rc);
}

int shelf_begin(struct shelf *c)
{
	return shelf_run(c, shelf_sql(c, "BEGIN IMMEDIATE"));
}

int shelf_commit(struct shelf *c)
{
	int err = shelf_run(c, shelf_sql(c, "COMMIT"));

	if (err != 0)
		shelf_rollback(c);
	return err;
}

void shelf_rollback(struct shelf *c)
{
	if (sqlite3_get_autocommit(c->db) == 0)
		(void)shelf_run(c, shelf_sql(c, "ROLLBACK"));
}

/* --- words --- */

static int64_t find_word(struct shelf *c, enum shelf_word kind, const char *text)
{
	sqlite3_stmt *st = shelf_sql(c, "SELECT id FROM words WHERE kind = ?1 AND text = ?2");
	int64_t id = 0;
	int rc;

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int(st, 1, (int)kind);
	sqlite3_bind_text(st, 2, text, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		id = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		id = shelf_fail(c, rc);
	sqlite3_reset(st);
	return id;
}

int64_t shelf_word(struct shelf *c, enum shelf_word kind, const char *text, bool make)
{
	sqlite3_stmt *st;
	int64_t id;
	int err;

	if (text == NULL || text[0] == '\0')
		return 0;
	id = find_word(c, kind, text);
	if (id != 0 || !make)
		return id;
	st = shelf_sql(c, "INSERT INTO words(kind, id, text) VALUES(?1, 1 + coalesce((SELECT "
			  "max(id) FROM words WHERE kind = ?1), 0), ?2)");
	if (st == NULL)
		return -EIO;
	sqlite3_bind_int(st, 1, (int)kind);
	sqlite3_bind_text(st, 2, text, -1, SQLITE_STATIC);
	err = shelf_run(c, st);
	return err != 0 ? err : find_word(c, kind, text);
}

/* --- numbers of rows --- */

int shelf_number(struct shelf *c, const uint8_t id[16], uint64_t *n)
{
	sqlite3_stmt *st = shelf_sql(c, "SELECT n FROM recordings WHERE id = ?1");
	int rc, err = -ENOENT;

	if (st == NULL)
		return -EIO;
	sqlite3_bind_blob(st, 1, id, 16, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*n = (uint64_t)sqlite3_column_int64(st, 0);
		err = 0;
	} else if (rc != SQLITE_DONE) {
		err = shelf_fail(c, rc);
	}
	sqlite3_reset(st);
	return err;
}

/* A millisecond has 4096 numbers; what begins in a full one (files that were copied in one go) is numbered as
 * if it had begun a little later. */
static int new_number(struct shelf *c, uint64_t started_ms, uint64_t *n)
{
	sqlite3_stmt *st =
		shelf_sql(c, "SELECT max(n) FROM recordings WHERE n >= ?1 AND n < ?1 + 4096");

	if (st == NULL)
		return -EIO;
	for (uint64_t from = started_ms * 4096;; from += 4096) {
		uint64_t last;
		int rc;

		sqlite3_bind_int64(st, 1, (int64_t)from);
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			return shelf_fail(c, rc);
		last = (uint64_t)sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		*n = last >= from ? last + 1 : from;
		if (*n < from + 4096)
			return 0;
	}
}

int shelf_has(struct shelf *c, const uint8_t id[16])
{
	uint64_t n;
	int err = shelf_number(c, id, &n);

	return err == 0 ? 1 : err == -ENOENT ? 0 : err;
}

int shelf_find(struct shelf *c, const char *prefix, uint8_t id[16])
{
	uint8_t from[16] = {0}, to[16];
	sqlite3_stmt *st;
	int digits = 0, found = 0;

	memset(to, 0xff, sizeof(to));
	for (const char *p = prefix; *p != '\0'; p++) {
		const char *hex = "0123456789abcdef", *at;
		int shift = digits % 2 == 0 ? 4 : 0;

		if (*p == '-')
			continue;
		at = strchr(hex, *p | 0x20);
		if (at == NULL || digits == 32 || (*p | 0x20) == 0)
			return -EINVAL;
		from[digits / 2] |= (uint8_t)((at - hex) << shift);
		to[digits / 2] = (uint8_t)((to[digits / 2] & ~(15 << shift)) | (at - hex) << shift);
		digits++;
	}
	if (digits < 4)
		return -EINVAL;
	st = shelf_sql(c, "SELECT id FROM recordings WHERE id >= ?1 AND id <= ?2 LIMIT 2");
	if (st == NULL)
		return -EIO;
	sqlite3_bind_blob(st, 1, from, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, to, 16, SQLITE_STATIC);
	while (sqlite3_step(st) == SQLITE_ROW && found < 2 && sqlite3_column_bytes(st, 0) == 16) {
		memcpy(id, sqlite3_column_blob(st, 0), 16);
		found++;
	}
	sqlite3_reset(st);
	return found == 1 ? 0 : found == 0 ? -ENOENT : -ENOTUNIQ;
}

/* --- in --- */

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text != NULL && text[0] != '\0' ? text : NULL;
}

static int64_t int_of(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	if (text != NULL)
		sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, at);
}

static void bind_real(sqlite3_stmt *st, int at, const json_t *v)
{
	if (json_is_number(v))
		sqlite3_bind_double(st, at, json_number_value(v));
	else
		sqlite3_bind_null(st, at);
}

static const char *const directions[] = {"", "in", "out", "internal"};

static unsigned direction_of(const char *text)
{
	for (unsigned i = 1; text != NULL && i < 4; i++)
		if (strcmp(directions[i], text) == 0)
			return i;
	return 0;
}

struct words {
	int64_t agent, team, queue, result, kind;
};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int row_words(struct shelf *c, const json_t *row, struct words *w)
{
	w->agent = shelf_word(c, WORD_AGENT, text_of(row, "agent"), true);
	w->team = shelf_word(c, WORD_TEAM, text_of(row, "team"), true);
	w->queue = shelf_word(c, WORD_QUEUE, text_of(row, "queue"), true);
	w->result = shelf_word(c, WORD_RESULT, text_of(row, "result"), true);
	w->kind = shelf_word(c, WORD_KIND, text_of(row, "kind"), true);
	return (int)least(
		0, least(least(w->agent, w->team), least(w->queue, least(w->result, w->kind))));
}

static uint64_t row_traits(const json_t *row, const struct words *w)
{
	const json_t *mos = json_object_get(row, "mos");

	return trait_put(trait_direction, direction_of(text_of(row, "direction"))) |
	       trait_put(trait_result, (uint64_t)w->result) |
	       trait_put(trait_kind, (uint64_t)w->kind) |
	       trait_put(trait_duration, shelf_duration_class(int_of(row, "duration_ms"))) |
	       trait_put(trait_holds, (uint64_t)int_of(row, "holds")) |
	       trait_put(trait_silence,
			 shelf_silence_class(json_number_value(json_object_get(row, "silence")))) |
	       trait_put(trait_quality, shelf_quality_class(json_number_value(mos))) |
	       trait_put(trait_queue, (uint64_t)w->queue) |
	       trait_put(trait_team, (uint64_t)w->team) |
	       trait_put(trait_agent, (uint64_t)w->agent);
}

static int put_search(struct shelf *c, const json_t *row, const uint8_t id[16], uint64_t n)
{
	sqlite3_stmt *st;
	struct words w;
	uint64_t traits;
	int err = row_words(c, row, &w);

	if (err != 0)
		return err;
	traits = row_traits(row, &w);
	st = shelf_sql(
		c, "INSERT OR REPLACE INTO recordings(n,id,traits,started_ms,duration_ms,direction,"
		   "result,kind,agent,team,queue,caller,called,call,work_order,holds,lost,silence,"
		   "talk_over,mos) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,"
		   "?17,?18,?19,?20)");
	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, (int64_t)n);
	sqlite3_bind_blob(st, 2, id, 16, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (int64_t)traits);
	sqlite3_bind_int64(st, 4, int_of(row, "started_ms"));
	sqlite3_bind_int64(st, 5, int_of(row, "duration_ms"));
	sqlite3_bind_int(st, 6, (int)direction_of(text_of(row, "direction")));
	sqlite3_bind_int64(st, 7, w.result);
	sqlite3_bind_int64(st, 8, w.kind);
	sqlite3_bind_int64(st, 9, w.agent);
	sqlite3_bind_int64(st, 10, w.team);
	sqlite3_bind_int64(st, 11, w.queue);
	bind_text(st, 12, text_of(row, "caller"));
	bind_text(st, 13, text_of(row, "called"));
	bind_text(st, 14, text_of(row, "call"));
	bind_text(st, 15, text_of(row, "work_order"));
	sqlite3_bind_int64(st, 16, int_of(row, "holds"));
	sqlite3_bind_int64(st, 17, int_of(row, "lost"));
	bind_real(st, 18, json_object_get(row, "silence"));
	bind_real(st, 19, json_object_get(row, "talk_over"));
	bind_real(st, 20, json_object_get(row, "mos"));
	return shelf_run(c, st);
}

/* What has no column of its own, as text; NULL when there is nothing. */
static char *more_of(const json_t *row)
{
	static const char *const known[] = {
		"recording", "started_ms",    "duration_ms", "call",          "kind",
		"direction", "result",        "caller",      "called",        "agent",
		"team",      "queue",         "work_order",  "holds",         "lost",
		"silence",   "talk_over",     "mos",         "class",         "keep_until_ms",
		"format",    "path",          "bytes",       "stored_bytes",  "sealed",
		"sha256",    "stored_sha256", "ledger_n",    "ledger_offset",
	};
	json_t *more = json_copy((json_t *)(uintptr_t)row);
	char *text = NULL;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		json_object_del(more, known[i]);
	if (json_object_size(more) > 0)
		text = json_dumps(more, JSON_COMPACT);
	json_decref(more);
	return text;
}

static int put_file(struct shelf *c, const json_t *row, uint64_t n)
{
	int64_t cls = shelf_word(c, WORD_CLASS, text_of(row, "class"), true);
	sqlite3_stmt *st;
	char *more;
	int err;

	if (cls < 0)
		return (int)cls;
	st = shelf_sql(
		c, "INSERT INTO files(n,class,keep_until_ms,format,path,bytes,stored_bytes,sealed,"
		   "sha256,stored_sha256,ledger_n,ledger_offset,more) "
		   "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)"
		   " ON CONFLICT(n) DO UPDATE SET class=?2,keep_until_ms=?3,format=?4,path=?5,"
		   "bytes=?6,stored_bytes=?7,sealed=?8,sha256=?9,stored_sha256=?10,ledger_n=?11,"
		   "ledger_offset=?12,more=?13");
	if (st == NULL)
		return -EIO;
	more = more_of(row);
	sqlite3_bind_int64(st, 1, (int64_t)n);
	sqlite3_bind_int64(st, 2, cls);
	sqlite3_bind_int64(st, 3, int_of(row, "keep_until_ms"));
	bind_text(st, 4, text_of(row, "format"));
	bind_text(st, 5, text_of(row, "path"));
	sqlite3_bind_int64(st, 6, int_of(row, "bytes"));
	sqlite3_bind_int64(st, 7, int_of(row, "stored_bytes"));
	sqlite3_bind_int(st, 8, json_is_true(json_object_get(row, "sealed")));
	bind_text(st, 9, text_of(row, "sha256"));
	bind_text(st, 10, text_of(row, "stored_sha256"));
	sqlite3_bind_int64(st, 11, int_of(row, "ledger_n"));
	sqlite3_bind_int64(st, 12, int_of(row, "ledger_offset"));
	bind_text(st, 13, more);
	err = shelf_run(c, st);
	free(more);
	return err;
}

int shelf_put(struct shelf *c, const json_t *row)
{
	const char *text = json_string_value(json_object_get(row, "recording"));
	bool own = sqlite3_get_autocommit(c->db) != 0;
	uint8_t id[16];
	uint64_t n;
	int err;

	if (text == NULL || recording_id_parse(text, id) != 0 || int_of(row, "started_ms") <= 0 ||
	    !json_is_integer(json_object_get(row, "duration_ms")))
		return -EINVAL;
	err = own ? shelf_begin(c) : 0;
	if (err != 0)
		return err;
	err = shelf_number(c, id, &n);
	if (err == -ENOENT)
		err = new_number(c, (uint64_t)int_of(row, "started_ms"), &n);
	if (err == 0)
		err = put_search(c, row, id, n);
	if (err == 0)
		err = put_file(c, row, n);
	if (!own)
		return err;
	if (err == 0)
		return shelf_commit(c);
	shelf_rollback(c);
	return err;
}

/* --- out --- */

static void out_text(json_t *row, const char *name, sqlite3_stmt *st, int at)
{
	const char *text = (const char *)sqlite3_column_text(st, at);

	if (text != NULL && text[0] != '\0')
		json_object_set_new(row, name, json_string(text));
}

static void out_real(json_t *row, const char *name, sqlite3_stmt *st, int at)
{
	if (sqlite3_column_type(st, at) != SQLITE_NULL)
		json_object_set_new(row, name, json_real(sqlite3_column_double(st, at)));
}

static void out_int(json_t *row, const char *name, sqlite3_stmt *st, int at)
{
	if (sqlite3_column_type(st, at) != SQLITE_NULL)
		json_object_set_new(row, name, json_integer(sqlite3_column_int64(st, at)));
}

static json_t *row_json(sqlite3_stmt *st)
{
	static const char *const words[] = {"result", "kind", "agent", "team", "queue", "class"};
	const char *more = (const char *)sqlite3_column_text(st, 31);
	char id[RECORDING_ID_TEXT] = "";
	json_t *row = json_object(), *rest = more ? json_loads(more, 0, NULL) : NULL;
	bool deleted = sqlite3_column_int(st, 1) != 1;

	if (sqlite3_column_bytes(st, 0) == 16)
		recording_id_text(sqlite3_column_blob(st, 0), id);
	json_object_set_new(row, "recording", json_string(id));
	json_object_set_new(row, "state", json_string(deleted ? "deleted" : "finished"));
	out_int(row, "started_ms", st, 2);
	out_int(row, "duration_ms", st, 3);
	if (sqlite3_column_int(st, 4) > 0 && sqlite3_column_int(st, 4) < 4)
		json_object_set_new(row, "direction",
				    json_string(directions[sqlite3_column_int(st, 4)]));
	for (int i = 0; i < 6; i++)
		out_text(row, words[i], st, 5 + i);
	out_text(row, "caller", st, 11);
	out_text(row, "called", st, 12);
	out_text(row, "call", st, 13);
	out_text(row, "work_order", st, 14);
	out_int(row, "holds", st, 15);
	out_int(row, "lost", st, 16);
	out_real(row, "silence", st, 17);
	out_real(row, "talk_over", st, 18);
	out_real(row, "mos", st, 19);
	out_int(row, "keep_until_ms", st, 20);
	out_text(row, "format", st, 21);
	out_text(row, "path", st, 22);
	out_int(row, "bytes", st, 23);
	out_int(row, "stored_bytes", st, 24);
	json_object_set_new(row, "sealed", json_boolean(sqlite3_column_int(st, 25)));
	out_text(row, "sha256", st, 26);
	out_text(row, "stored_sha256", st, 27);
	out_int(row, "ledger_n", st, 28);
	out_int(row, "ledger_offset", st, 29);
	json_object_set_new(row, "held", json_boolean(sqlite3_column_int(st, 30)));
	out_int(row, "uploaded_ms", st, 32);
	out_int(row, "deleted_ms", st, 33);
	out_int(row, "deleted_ledger_n", st, 34);
	json_object_update_missing(row, rest);
	json_decref(rest);
	return row;
}

int shelf_row(struct shelf *c, uint64_t n, json_t **row)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT r.id,r.state,r.started_ms,r.duration_ms,r.direction,"
		"(SELECT text FROM words WHERE kind=4 AND id=r.result),(SELECT text FROM words WHERE kind=5 AND id=r.kind),"
		"(SELECT text FROM words WHERE kind=1 AND id=r.agent),(SELECT text FROM words WHERE kind=2 AND id=r.team),"
		"(SELECT text FROM words WHERE kind=3 AND id=r.queue),(SELECT text FROM words WHERE kind=6 AND id=f.class),"
		"r.caller,r.called,r.call,r.work_order,r.holds,r.lost,r.silence,r.talk_over,r.mos,"
		"f.keep_until_ms,f.format,f.path,f.bytes,f.stored_bytes,f.sealed,f.sha256,f.stored_sha256,"
		"f.ledger_n,f.ledger_offset,f.held,f.more,u.done_ms,f.deleted_ms,f.deleted_ledger_n"
		" FROM recordings r LEFT JOIN files f ON f.n=r.n LEFT JOIN uploads u ON u.n=r.n WHERE r.n=?1";
	/* clang-format on */
	sqlite3_stmt *st = shelf_sql(c, sql);
	int rc, err = -ENOENT;

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, (int64_t)n);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*row = row_json(st);
		err = 0;
	} else if (rc != SQLITE_DONE) {
		err = shelf_fail(c, rc);
	}
	sqlite3_reset(st);
	return err;
}

/* Rows of a statement that is bound, as objects or, with one column, as values. */
static json_t *list_of(sqlite3_stmt *st)
{
	json_t *list = json_array();
	int columns = st != NULL ? sqlite3_column_count(st) : 0;

	while (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
		json_t *o = json_object();

		for (int i = 0; i < columns; i++) {
			const char *name = sqlite3_column_name(st, i);

			if (sqlite3_column_type(st, i) == SQLITE_INTEGER)
				out_int(o, name, st, i);
			else
				out_text(o, name, st, i);
		}
		if (columns == 1)
			json_array_append(list, json_object_get(o, sqlite3_column_name(st, 0)));
		else
			json_array_append(list, o);
		json_decref(o);
	}
	sqlite3_reset(st);
	return list;
}

static json_t *list_for(struct shelf *c, const char *sql, uint64_t n)
{
	sqlite3_stmt *st = shelf_sql(c, sql);

	if (st != NULL)
		sqlite3_bind_int64(st, 1, (int64_t)n);
	return list_of(st);
}

int shelf_get(struct shelf *c, const uint8_t id[16], json_t **row)
{
	uint64_t n;
	int err = shelf_number(c, id, &n);

	if (err == 0)
		err = shelf_row(c, n, row);
	if (err != 0)
		return err;
	json_object_set_new(*row, "tags",
			    list_for(c, "SELECT tag FROM tags WHERE n = ?1 ORDER BY tag", n));
	json_object_set_new(*row, "notes",
			    list_for(c,
				     "SELECT at_ms, author, text FROM notes WHERE n = ?1 ORDER BY "
				     "id",
				     n));
	json_object_set_new(
		*row, "legal_holds",
		list_for(c,
			 "SELECT placed_ms, placed_by, reason, released_ms, released_by, "
			 "release_reason FROM holds WHERE n = ?1 ORDER BY id",
			 n));
	return 0;
}

int shelf_failures(struct shelf *c, json_t **list)
{
	*list = list_of(shelf_sql(c, "SELECT lower(hex(id)) AS recording, tries, retry_ms, "
				     "error FROM failures ORDER BY retry_ms LIMIT 1000"));
	return 0;
}
