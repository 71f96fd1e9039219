/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports from the interval tables. Up to the mark the tables are read; from there on, that is for the interval
 * that runs and those that a late row has put in doubt, the raw rows are added up for the answer. Both give
 * the same rows, because both are tally.c's.
 */
#include "store/store_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/report.h"

enum { LIVE_MAX = 200 }; /* intervals that are computed for one answer */

/* clang-format off */
static const struct {
	enum tally_kind kind;
	const char *sql; /* the first three columns: start, key, sub */
} tables[] = {
	{TALLY_QUEUE, "SELECT start_ms, queue, '', * FROM interval_queues WHERE start_ms >= ?1 AND start_ms < ?2 AND (?3 IS NULL OR queue = ?3)"},
	{TALLY_AGENT, "SELECT start_ms, agent, '', * FROM interval_agents WHERE start_ms >= ?1 AND start_ms < ?2 AND (?3 IS NULL OR agent = ?3)"},
	{TALLY_REASON, "SELECT start_ms, agent, reason, * FROM interval_reasons WHERE start_ms >= ?1 AND start_ms < ?2 AND (?3 IS NULL OR agent = ?3)"},
	{TALLY_FLOW, "SELECT start_ms, flow, '', * FROM interval_flows WHERE start_ms >= ?1 AND start_ms < ?2 AND (?3 IS NULL OR flow = ?3)"},
};
/* clang-format on */

struct buckets {
	const struct store_report *r;
	struct tally *t; /* borders - 1 */
	unsigned n;
};

static struct tally *bucket_of(struct buckets *b, uint64_t ms)
{
	unsigned from = 0, to = b->n;

	while (from < to) {
		unsigned mid = from + (to - from) / 2;

		if (ms >= b->t[mid].from_ms && ms < b->t[mid].to_ms)
			return &b->t[mid];
		if (ms < b->t[mid].from_ms)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

/* Does the report want such rows? */
static bool wanted(const struct store_report *r, enum tally_kind kind, const char *key)
{
	if (r->key != NULL && strcmp(r->key, key) != 0)
		return false;
	return kind == r->kind || (kind == TALLY_REASON && r->kind == TALLY_AGENT);
}

static int by_agent(const void *key, const void *member)
{
	return strcmp(key, ((const struct store_alias *)member)->agent);
}

/* The group of an agent, "" of one that has none. */
static const char *group_of(const struct store_report *r, const char *agent)
{
	const struct store_alias *a =
		bsearch(agent, r->alias, r->aliases, sizeof(*r->alias), by_agent);

	return a != NULL ? a->group : "";
}

static void add(struct buckets *b, uint64_t start_ms, const struct tally_row *row)
{
	struct tally *t = bucket_of(b, start_ms);
	const char *key =
		b->r->alias != NULL && (row->kind == TALLY_AGENT || row->kind == TALLY_REASON)
			? group_of(b->r, row->key)
			: row->key;

	if (t != NULL && wanted(b->r, row->kind, key))
		tally_row_add(tally_row(t, row->kind, key, row->sub), row);
}

/* Columns by name, so that a column that is added later may stand anywhere. */
static void read_columns(sqlite3_stmt *st, struct tally_row *row)
{
	for (int c = 3; c < sqlite3_column_count(st); c++)
		for (unsigned i = 0; i < tally_columns(row->kind); i++)
			if (strcmp(sqlite3_column_name(st, c), tally_column_name(row->kind, i)) ==
			    0)
				row->n[i] = (uint64_t)sqlite3_column_int64(st, c);
}

static int read_table(sqlite3 *db, struct buckets *b, unsigned table, uint64_t from_ms,
		      uint64_t to_ms)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, tables[table].sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, (int64_t)from_ms);
	sqlite3_bind_int64(st, 2, (int64_t)to_ms);
	if (b->r->key != NULL && b->r->alias == NULL)
		sqlite3_bind_text(st, 3, b->r->key, -1, SQLITE_STATIC);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct tally_row row = {.kind = tables[table].kind};

		snprintf(row.key, sizeof(row.key), "%s", (const char *)sqlite3_column_text(st, 1));
		snprintf(row.sub, sizeof(row.sub), "%s", (const char *)sqlite3_column_text(st, 2));
		read_columns(st, &row);
		add(b, (uint64_t)sqlite3_column_int64(st, 0), &row);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int compute(sqlite3 *db, struct buckets *b, uint64_t from_ms, uint64_t to_ms,
		   const struct tally_limits *limits, size_t n_limits)
{
	int rc = SQLITE_OK;

	for (unsigned n = 0; rc == SQLITE_OK && from_ms < to_ms && n < LIVE_MAX; n++) {
		struct tally t;

		tally_begin(&t, from_ms, from_ms + TALLY_INTERVAL_MS, limits, n_limits);
		rc = store_tabulate_fold(db, &t, t.to_ms < b->r->now_ms ? t.to_ms : b->r->now_ms);
		for (size_t i = 0; rc == SQLITE_OK && i < t.n_rows; i++)
			add(b, from_ms, &t.rows[i]);
		tally_end(&t);
		from_ms += TALLY_INTERVAL_MS;
	}
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const struct tally_row *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void print(const struct buckets *b, json_t *rows)
{
	for (unsigned i = 0; i < b->n; i++) {
		const struct tally *t = &b->t[i];
		const struct tally_row **sorted = calloc(t->n_rows + 1, sizeof(*sorted));
		size_t n = 0;

		for (size_t k = 0; sorted != NULL && k < t->n_rows; k++)
			if (t->rows[k].kind == b->r->kind)
				sorted[n++] = &t->rows[k];
		if (n > 0)
			qsort(sorted, n, sizeof(*sorted), by_key);
		for (size_t k = 0; k < n; k++) {
			json_t *row = report_row(sorted[k], t, t->from_ms, t->to_ms);

			if (b->r->alias != NULL) {
				json_object_set(row, "group", json_object_get(row, "agent"));
				json_object_del(row, "agent");
			}
			json_array_append_new(rows, row);
		}
		free(sorted);
	}
}

json_t *store_report_answer(sqlite3 *db, struct question *q, const struct tally_limits *limits,
			    size_t n_limits)
{
	const struct store_report *r = &q->report;
	struct buckets b = {.r = r, .n = r->borders - 1};
	uint64_t from_ms = r->border[0], to_ms = r->border[r->borders - 1], mark_ms;
	json_t *rows = NULL;
	int rc;

	b.t = calloc(b.n, sizeof(*b.t));
	if (b.t == NULL)
		return NULL;
	for (unsigned i = 0; i < b.n; i++)
		tally_begin(&b.t[i], r->border[i], r->border[i + 1], NULL, 0);
	if (to_ms > r->now_ms)
		to_ms = tally_start(r->now_ms) + TALLY_INTERVAL_MS;
	/* One transaction, so that the mark and the tables are of one moment. */
	rc = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	mark_ms = store_tabulate_mark(db);
	for (unsigned i = 0; rc == SQLITE_OK && i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i].kind == r->kind ||
		    (tables[i].kind == TALLY_REASON && r->kind == TALLY_AGENT))
			rc = read_table(db, &b, i, from_ms, to_ms < mark_ms ? to_ms : mark_ms);
	if (rc == SQLITE_OK && mark_ms == 0)
		mark_ms = store_tabulate_first(db, r->now_ms);
	if (rc == SQLITE_OK && mark_ms != 0)
		rc = compute(db, &b, mark_ms > from_ms ? mark_ms : from_ms, to_ms, limits,
			     n_limits);
	if (rc != SQLITE_OK)
		snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(db));
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		rows = json_array();
		print(&b, rows);
	}
	for (unsigned i = 0; i < b.n; i++)
		tally_end(&b.t[i]);
	free(b.t);
	return rows ? json_pack("{s:o}", "rows", rows) : NULL;
}
