/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/shelf_priv.h"
#include "patchbay/recording.h"

static const char zeros[DIGEST_TEXT] =
	"0000000000000000000000000000000000000000000000000000000000000000";

static int hash_line(const char *before, uint64_t n, uint64_t at_ms, const struct audit_line *l,
		     char hash[DIGEST_TEXT])
{
	char id[RECORDING_ID_TEXT] = "";
	char *text, *both;
	json_t *o;

	if (l->id != NULL)
		recording_id_text(l->id, id);
	o = json_pack("[I, I, s, s, s, s, s, s]", (json_int_t)n, (json_int_t)at_ms, l->actor,
		      l->source, l->action, id, l->result, l->detail);
	text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (text == NULL)
		return -EINVAL; /* not UTF-8 */
	both = malloc(DIGEST_TEXT + strlen(text) + 1);
	if (both != NULL) {
		size_t len = (size_t)sprintf(both, "%s\n%s", before, text);

		digest_text(both, len, hash);
	}
	free(text);
	free(both);
	return both != NULL ? 0 : -ENOMEM;
}

int audit_head(struct shelf *c, uint64_t *n, char head[DIGEST_TEXT])
{
	sqlite3_stmt *st = shelf_sql(c, "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1");
	const char *hash;

	*n = 0;
	memcpy(head, zeros, DIGEST_TEXT);
	if (st == NULL)
		return -EIO;
	if (sqlite3_step(st) == SQLITE_ROW) {
		*n = (uint64_t)sqlite3_column_int64(st, 0);
		hash = (const char *)sqlite3_column_text(st, 1);
		if (hash != NULL && strlen(hash) == DIGEST_TEXT - 1)
			memcpy(head, hash, DIGEST_TEXT);
	}
	sqlite3_reset(st);
	return 0;
}

static int add(struct shelf *c, const struct audit_line *l, uint64_t at_ms)
{
	char before[DIGEST_TEXT], hash[DIGEST_TEXT];
	sqlite3_stmt *st;
	uint64_t n;
	int err = audit_head(c, &n, before);

	if (err == 0)
		err = hash_line(before, n + 1, at_ms, l, hash);
	if (err != 0)
		return err;
	st = shelf_sql(c, "INSERT INTO audit(n, at_ms, actor, source, action, recording, "
			  "result, detail, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, (int64_t)n + 1);
	sqlite3_bind_int64(st, 2, (int64_t)at_ms);
	sqlite3_bind_text(st, 3, l->actor, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, l->source, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, l->action, -1, SQLITE_STATIC);
	if (l->id != NULL)
		sqlite3_bind_blob(st, 6, l->id, 16, SQLITE_STATIC);
	sqlite3_bind_text(st, 7, l->result, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 8, l->detail, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 9, hash, -1, SQLITE_STATIC);
	return shelf_run(c, st);
}

int audit_add(struct shelf *c, const struct audit_line *line, uint64_t at_ms)
{
	struct audit_line l = *line;
	int err = shelf_begin(c);

	l.result = l.result != NULL ? l.result : "ok";
	l.detail = l.detail != NULL ? l.detail : "";
	if (err != 0)
		return err;
	err = add(c, &l, at_ms);
	if (err == 0)
		return shelf_commit(c);
	shelf_rollback(c);
	return err;
}

static const char *column(sqlite3_stmt *st, int i)
{
	const char *text = (const char *)sqlite3_column_text(st, i);

	return text != NULL ? text : "";
}

int audit_list(struct shelf *c, const struct audit_filter *f, json_t **page)
{
	uint32_t limit = f->limit != 0 ? f->limit : 50;
	json_t *list = json_array();
	uint64_t next = 0;
	bool more = false;
	sqlite3_stmt *st = shelf_sql(
		c, "SELECT n, at_ms, actor, source, action, recording, result, detail FROM audit "
		   "WHERE (?1 IS NULL OR recording = ?1) AND (?2 IS NULL OR actor = ?2) AND (?3 IS "
		   "NULL OR action = ?3) AND (?4 = 0 OR n < ?4) AND (?6 = 0 OR result <> 'ok') "
		   "ORDER BY n DESC LIMIT ?5");

	if (st == NULL || list == NULL) {
		json_decref(list);
		return -EIO;
	}
	if (f->id != NULL)
		sqlite3_bind_blob(st, 1, f->id, 16, SQLITE_STATIC);
	if (f->actor != NULL)
		sqlite3_bind_text(st, 2, f->actor, -1, SQLITE_STATIC);
	if (f->action != NULL)
		sqlite3_bind_text(st, 3, f->action, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, (int64_t)f->after);
	sqlite3_bind_int64(st, 5, (int64_t)limit + 1);
	sqlite3_bind_int(st, 6, f->refused);
	while (sqlite3_step(st) == SQLITE_ROW) {
		char id[RECORDING_ID_TEXT] = "";

		if (json_array_size(list) == limit) {
			more = true;
			break;
		}
		if (sqlite3_column_bytes(st, 5) == 16)
			recording_id_text(sqlite3_column_blob(st, 5), id);
		next = (uint64_t)sqlite3_column_int64(st, 0);
		json_array_append_new(list,
				      json_pack("{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "n",
						(json_int_t)next, "at_ms",
						(json_int_t)sqlite3_column_int64(st, 1), "actor",
						column(st, 2), "source", column(st, 3), "action",
						column(st, 4), "recording", id, "result",
						column(st, 6), "detail", column(st, 7)));
	}
	sqlite3_reset(st);
	*page = json_pack("{s:o, s:b, s:o}", "lines", list, "more", more, "next",
			  more ? json_integer((json_int_t)next) : json_null());
	return 0;
}

int audit_verify(struct shelf *c, uint64_t *lines, uint64_t *wrong, char head[DIGEST_TEXT])
{
	sqlite3_stmt *st = shelf_sql(c, "SELECT n, at_ms, actor, source, action, recording, "
					"result, detail, hash FROM audit ORDER BY n");
	char hash[DIGEST_TEXT];

	*lines = *wrong = 0;
	memcpy(head, zeros, DIGEST_TEXT);
	if (st == NULL)
		return -EIO;
	while (*wrong == 0 && sqlite3_step(st) == SQLITE_ROW) {
		struct audit_line l = {
			.actor = column(st, 2),
			.source = column(st, 3),
			.action = column(st, 4),
			.id = sqlite3_column_bytes(st, 5) == 16 ? sqlite3_column_blob(st, 5) : NULL,
			.result = column(st, 6),
			.detail = column(st, 7),
		};
		uint64_t n = (uint64_t)sqlite3_column_int64(st, 0);

		if (n != *lines + 1 ||
		    hash_line(head, n, (uint64_t)sqlite3_column_int64(st, 1), &l, hash) != 0 ||
		    strcmp(hash, column(st, 8)) != 0) {
			*wrong = *lines + 1;
			break;
		}
		memcpy(head, hash, DIGEST_TEXT);
		*lines = n;
	}
	sqlite3_reset(st);
	return 0;
}
