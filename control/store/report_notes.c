/* SPDX-License-Identifier: Apache-2.0
 *
 * A report of what flows noted with calls under one key, such as a survey's score: how often which value, and the
 * mean of those that are numbers, in each period and beside the period before. It is counted from the notes as
 * they are, because there are few of them.
 */
#include "store/store_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 100 }; /* different ones of a group that are told one by one */

/* The first column is the group; a value that is not a number has no number. */
static const char notes_sql[] =
	"SELECT CASE ?4 WHEN 1 THEN coalesce(c.queue,'') WHEN 2 THEN coalesce(c.agent,'') ELSE '' "
	"END, n.value, count(*),"
	" CASE WHEN n.value GLOB '*[0-9]*' AND NOT n.value GLOB '*[^0-9.+-]*' THEN CAST(n.value AS "
	"REAL) END"
	" FROM call_notes n LEFT JOIN calls c ON c.call = n.call"
	" WHERE n.key = ?1 AND n.at_ms >= ?2 AND n.at_ms < ?3 GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2";

struct group {
	json_t *row, *values;
	int64_t answers, numbers;
	double sum, low, high;
};

/* The mean of the same group in the period before; NULL: it had none. */
static const json_t *mean_before(const json_t *rows, size_t from, size_t to, const char *name,
				 const char *group)
{
	for (size_t i = from; i < to; i++) {
		const json_t *row = json_array_get(rows, i);
		const char *of = name ? json_string_value(json_object_get(row, name)) : "";

		if (of != NULL && strcmp(of, group) == 0)
			return json_object_get(row, "mean");
	}
	return NULL;
}

static void finish(struct group *g, const json_t *before)
{
	double mean;

	if (g->row == NULL)
		return;
	json_object_set_new(g->row, "answers", json_integer(g->answers));
	if (g->numbers > 0) {
		mean = g->sum / (double)g->numbers;
		json_object_set_new(g->row, "mean", json_real(mean));
		json_object_set_new(g->row, "lowest", json_real(g->low));
		json_object_set_new(g->row, "highest", json_real(g->high));
		json_object_set_new(g->row, "change",
				    json_is_real(before) ? json_real(mean - json_real_value(before))
							 : json_null());
	} else {
		json_object_set_new(g->row, "mean", json_null());
		json_object_set_new(g->row, "lowest", json_null());
		json_object_set_new(g->row, "highest", json_null());
		json_object_set_new(g->row, "change", json_null());
	}
	json_object_set_new(g->row, "values", g->values);
	*g = (struct group){0};
}

static void count(struct group *g, sqlite3_stmt *st)
{
	int64_t n = sqlite3_column_int64(st, 2);

	g->answers += n;
	if (json_object_size(g->values) < VALUES_MAX)
		json_object_set_new(g->values, (const char *)sqlite3_column_text(st, 1),
				    json_integer(n));
	if (sqlite3_column_type(st, 3) == SQLITE_NULL)
		return;

	double value = sqlite3_column_double(st, 3);

	g->low = g->numbers == 0 || value < g->low ? value : g->low;
	g->high = g->numbers == 0 || value > g->high ? value : g->high;
	g->numbers += n;
	g->sum += value * (double)n;
}

/* One period. *before is where the rows of the period before begin. */
static int period(sqlite3_stmt *st, const struct store_report *r, unsigned i, const char *name,
		  json_t *rows, size_t *before)
{
	size_t first = json_array_size(rows);
	struct group g = {0};
	char group[CALL_RECORD_NAME_MAX] = "";
	int rc;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 2, (int64_t)r->border[i]);
	sqlite3_bind_int64(st, 3, (int64_t)r->border[i + 1]);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *of = (const char *)sqlite3_column_text(st, 0);

		if (g.row == NULL || strcmp(of, group) != 0) {
			finish(&g, mean_before(rows, *before, first, name, group));
			snprintf(group, sizeof(group), "%s", of);
			g.row = json_pack("{s:I,s:I,s:s}", "from_ms", (json_int_t)r->border[i],
					  "to_ms", (json_int_t)r->border[i + 1], "note", r->key);
			g.values = json_object();
			if (name != NULL)
				json_object_set_new(g.row, name, json_string(group));
			json_array_append_new(rows, g.row);
		}
		count(&g, st);
	}
	finish(&g, mean_before(rows, *before, first, name, group));
	*before = first;
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

json_t *store_report_notes(sqlite3 *db, struct question *q)
{
	static const char *const names[] = {[STORE_NOTES] = NULL,
					    [STORE_NOTES_BY_QUEUE] = "queue",
					    [STORE_NOTES_BY_AGENT] = "agent"};
	const struct store_report *r = &q->report;
	json_t *rows = json_array();
	sqlite3_stmt *st = NULL;
	size_t before = 0;
	int rc = sqlite3_prepare_v2(db, notes_sql, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_text(st, 1, r->key, -1, SQLITE_STATIC);
		sqlite3_bind_int(st, 4, (int)r->notes - STORE_NOTES);
	}
	for (unsigned i = 0; rc == SQLITE_OK && i + 1 < r->borders; i++)
		rc = period(st, r, i, names[r->notes], rows, &before);
	if (rc != SQLITE_OK)
		snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(db));
	sqlite3_finalize(st);
	if (rc == SQLITE_OK)
		return json_pack("{s:o}", "rows", rows);
	json_decref(rows);
	return NULL;
}
