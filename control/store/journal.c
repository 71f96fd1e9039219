/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing is putting rows; reading opens the file once more, so that neither thread's connection is
 * touched from outside.
 */
#include "store/journal.h"

#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "store/store_priv.h"

enum { READ_BUSY_MS = 5000 };

const char *journal_kind_name(enum journal_kind kind)
{
	static const char *const names[JOURNAL_KINDS] = {
		[JOURNAL_CALL] = "call",       [JOURNAL_AGENT] = "agent",
		[JOURNAL_BINDING] = "binding", [JOURNAL_ENGINE] = "engine",
		[JOURNAL_QUEUE] = "queue",     [JOURNAL_SKILL] = "skill",
	};

	must(kind < JOURNAL_KINDS);
	return names[kind];
}

static struct value text(const char *s)
{
	return (struct value){.kind = VALUE_TEXT, .s = s};
}

static struct value number(uint64_t i)
{
	return (struct value){.kind = VALUE_INT, .i = (int64_t)(i & INT64_MAX)};
}

bool store_journal_put(struct store *store, enum journal_kind kind, const char *id, int version,
		       uint64_t at_ms, const char *body)
{
	const struct value values[] = {text(journal_kind_name(kind)), text(id),
				       number((uint64_t)version), number(at_ms), text(body)};

	if (strlen(body) > JOURNAL_BODY_MAX)
		return false;
	return store_put(store, ROW_JOURNAL, values, sizeof(values) / sizeof(values[0]));
}

bool store_journal_drop(struct store *store, enum journal_kind kind, const char *id)
{
	const struct value values[] = {text(journal_kind_name(kind)), text(id)};

	return store_put(store, ROW_JOURNAL_DROP, values, sizeof(values) / sizeof(values[0]));
}

static const char *column(sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s != NULL ? s : "";
}

/* Add the steps of a call to its row. */
static int read_steps(sqlite3_stmt *st, const char *call, json_t *row)
{
	json_t *steps = json_array();
	json_int_t missed = 0;
	int rc;

	sqlite3_reset(st);
	rc = sqlite3_bind_text(st, 1, call, -1, SQLITE_TRANSIENT);
	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		rc = SQLITE_OK;
		if (json_array_size(steps) == JOURNAL_STEPS_MAX)
			missed++;
		else
			json_array_append_new(
				steps, json_pack("[I,s,s]", (json_int_t)sqlite3_column_int64(st, 0),
						 column(st, 1), column(st, 2)));
	}
	json_object_set_new(row, "steps", steps);
	json_object_set_new(row, "steps_missed", json_integer(missed));
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A body that is not UTF-8 was damaged: it reads as no text, and its reader will say so. */
static json_t *row_of(sqlite3_stmt *st)
{
	json_t *row = json_object();
	json_t *id = json_string(column(st, 1)), *body = json_string(column(st, 4));

	json_object_set_new(row, "kind", json_string(column(st, 0)));
	json_object_set_new(row, "id", id != NULL ? id : json_string(""));
	json_object_set_new(row, "version", json_integer(sqlite3_column_int64(st, 2)));
	json_object_set_new(row, "at_ms", json_integer(sqlite3_column_int64(st, 3)));
	json_object_set_new(row, "body", body != NULL ? body : json_string(""));
	if (sqlite3_column_type(st, 5) == SQLITE_INTEGER)
		json_object_set_new(row, "ended_ms", json_integer(sqlite3_column_int64(st, 5)));
	return row;
}

static int read_rows(sqlite3 *db, json_t *list)
{
	static const char rows[] =
		"SELECT j.kind,j.id,j.version,j.at_ms,j.body,c.ended_ms"
		" FROM journal j LEFT JOIN calls c ON j.kind='call' AND c.call=j.id"
		" ORDER BY j.kind,j.id";
	static const char steps[] = "SELECT at_ms,step,detail FROM call_steps WHERE call=?1"
				    " ORDER BY rowid";
	sqlite3_stmt *st = NULL, *of_call = NULL;
	int rc = sqlite3_prepare_v2(db, rows, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, steps, -1, &of_call, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		json_t *row = row_of(st);

		rc = SQLITE_OK;
		if (strcmp(column(st, 0), journal_kind_name(JOURNAL_CALL)) == 0)
			rc = read_steps(of_call, column(st, 1), row);
		json_array_append_new(list, row);
	}
	sqlite3_finalize(st);
	sqlite3_finalize(of_call);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

json_t *store_journal_read(const struct store *store)
{
	json_t *list = json_array();
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(store->file, &db,
				 SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, READ_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = read_rows(db, list);
	if (rc != SQLITE_OK) {
		log_error("store", "the journal cannot be read: %s",
			  db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
		json_decref(list);
		list = NULL;
	}
	sqlite3_close(db);
	return list;
}
