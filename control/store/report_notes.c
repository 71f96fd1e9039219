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

/* The first column is the group. Groups ascend, as they do in the rows that are made of them. */
static const char notes_sql[] =
	"SELECT CASE ?4 WHEN 1 THEN coalesce(c.queue,'') WHEN 2 THEN coalesce(c.agent,'') ELSE '' "
	"END, n.value, count(*)"
	" FROM call_notes n LEFT JOIN calls c ON c.call = n.call"
	" WHERE n.key = ?1 AND n.at_ms >= ?2 AND n.at_ms < ?3 GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2";

struct group {
	json_t *row, *values;
	char name[CALL_RECORD_NAME_MAX];
	int64_t answers, numbers;
	double sum, low, high;
};

/* The rows of the period before, and how far they have been walked. */
struct before {
	size_t at, end;
};

/* The mean of the same group in the period before; NULL: it had none. */
static const json_t *mean_before(const json_t *rows, struct before *b, const char *by,
				 const char *group)
{
	for (; b->at < b->end; b->at++) {
		const json_t *row = json_array_get(rows, b->at);
		const char *of = by ? json_string_value(json_object_get(row, by)) : "";
		int order = strcmp(of != NULL ? of : "", group);

		if (order >= 0)
			return order == 0 ? json_object_get(row, "mean") : NULL;
	}
	return NULL;
}

static json_t *number_or_null(bool known, double n)
{
	return known ? json_real(n) : json_null();
}

static void finish(struct group *g, const json_t *before)
{
	bool any = g->numbers > 0;
	double mean = any ? g->sum / (double)g->numbers : 0;

	json_object_set_new(g->row, "answers", json_integer(g->answers));
	json_object_set_new(g->row, "mean", number_or_null(any, mean));
	json_object_set_new(g->row, "lowest", number_or_null(any, g->low));
	json_object_set_new(g->row, "highest", number_or_null(any, g->high));
	json_object_set_new(
		g->row, "change",
		number_or_null(any && json_is_real(before), mean - json_real_value(before)));
	json_object_set_new(g->row, "values", g->values);
}

static bool is_number(const char *text, double *n)
{
	char *end;

	*n = strtod(text, &end);
	return end != text && *end == '\0' && strspn(text, "+-.0123456789") == strlen(text);
}

static void count(struct group *g, const char *text, int64_t n)
{
	double value;

	g->answers += n;
	if (json_object_size(g->values) < VALUES_MAX)
		json_object_set_new(g->values, text, json_integer(n));
	if (!is_number(text, &value))
		return;
	g->low = g->numbers == 0 || value < g->low ? value : g->low;
	g->high = g->numbers == 0 || value > g->high ? value : g->high;
	g->numbers += n;
	g->sum += value * (double)n;
}

static void begin(struct group *g, const struct store_report *r, unsigned i, const char *by,
		  const char *name)
{
	*g = (struct group){.values = json_object()};
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->row = json_pack("{s:I,s:I,s:s}", "from_ms", (json_int_t)r->border[i], "to_ms",
			   (json_int_t)r->border[i + 1], "note", r->key);
	if (by != NULL)
		json_object_set_new(g->row, by, json_string(name));
}

static int period(sqlite3_stmt *st, const struct store_report *r, unsigned i, const char *by,
		  json_t *rows, struct before *before)
{
	size_t first = json_array_size(rows);
	struct group g = {0};
	int rc;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 2, (int64_t)r->border[i]);
	sqlite3_bind_int64(st, 3, (int64_t)r->border[i + 1]);
	do {
		rc = sqlite3_step(st);

		const char *name =
			rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;

		if (g.row != NULL && (name == NULL || strcmp(name, g.name) != 0)) {
			finish(&g, mean_before(rows, before, by, g.name));
			json_array_append_new(rows, g.row);
			g.row = NULL;
		}
		if (name != NULL && g.row == NULL)
			begin(&g, r, i, by, name);
		if (name != NULL)
			count(&g, (const char *)sqlite3_column_text(st, 1),
			      sqlite3_column_int64(st, 2));
	} while (rc == SQLITE_ROW);
	*before = (struct before){first, json_array_size(rows)};
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
	struct before before = {0};
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
