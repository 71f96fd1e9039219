/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batch.h"

#include <stdlib.h>

#include "base/must.h"

static const char *const verdict_name[BATCH_VERDICTS] = {
	[BATCH_ADDED] = "added",
	[BATCH_UPDATED] = "updated",
	[BATCH_DELETED] = "deleted",
	[BATCH_REFUSED] = "refused",
};

sqlite3_stmt *batch_statement(struct batch *b, unsigned which)
{
	sqlite3_reset(b->st[which]);
	sqlite3_clear_bindings(b->st[which]);
	return b->st[which];
}

bool batch_step(struct batch *b, sqlite3_stmt *st, bool *row)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		b->rc = rc;
	if (row != NULL)
		*row = rc == SQLITE_ROW;
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

void batch_done(struct batch *b, enum batch_verdict verdict, json_t *about, const char *why)
{
	b->n[verdict]++;
	json_object_set_new(about, "done", json_string(verdict_name[verdict]));
	if (why != NULL)
		json_object_set_new(about, "why", json_string(why));
	json_array_append_new(b->rows, about);
}

void batch_bind(sqlite3_stmt *st, int at, const json_t *v)
{
	if (json_is_string(v))
		sqlite3_bind_text(st, at, json_string_value(v), -1, SQLITE_STATIC);
	else if (json_is_integer(v))
		sqlite3_bind_int64(st, at, json_integer_value(v));
}

void batch_bind_json(sqlite3_stmt *st, int at, const json_t *v)
{
	char *text = v != NULL ? json_dumps(v, JSON_COMPACT) : NULL;

	if (text != NULL)
		sqlite3_bind_text(st, at, text, -1, free);
}

int batch_run(sqlite3 *db, struct question *job, const char *const *sql, unsigned statements,
	      batch_row_fn *fn)
{
	struct batch b = {.rows = json_array()};

	must(statements <= BATCH_STATEMENTS_MAX);
	b.rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (unsigned i = 0; i < statements && b.rc == SQLITE_OK; i++)
		b.rc = sqlite3_prepare_v2(db, sql[i], -1, &b.st[i], NULL);
	for (size_t i = 0; i < json_array_size(job->json) && b.rc == SQLITE_OK; i++)
		fn(&b, json_array_get(job->json, i));
	for (unsigned i = 0; i < statements; i++)
		sqlite3_finalize(b.st[i]);
	if (b.rc == SQLITE_OK)
		b.rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (b.rc == SQLITE_OK) {
		job->result = json_pack("{s:O}", "rows", b.rows);
		for (unsigned i = 0; i < BATCH_VERDICTS; i++)
			json_object_set_new(job->result, verdict_name[i],
					    json_integer((json_int_t)b.n[i]));
	} else if (!sqlite3_get_autocommit(db)) {
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	}
	json_decref(b.rows);
	return b.rc;
}
