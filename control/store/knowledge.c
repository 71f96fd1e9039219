/* SPDX-License-Identifier: Apache-2.0
 *
 * Articles lie in one table as they were written, and in a full-text index (SQLite's FTS5) as words with spaces between, so
 * that every script has words there. A search reads the index's vocabulary once, for words like those asked for, and then
 * asks the index for all of them in one statement.
 */
#include "store/knowledge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "knowledge/query.h"
#include "knowledge/words.h"
#include "store/batch.h"

/* clang-format off */
enum { ARTICLE_FIND, ARTICLE_INSERT, ARTICLE_UPDATE, ARTICLE_DELETE, INDEX_DELETE, INDEX_INSERT, STATEMENTS };
static const char *const statements[STATEMENTS] = {
	[ARTICLE_FIND] = "SELECT id, title, keywords, text FROM articles WHERE article=?1",
	[ARTICLE_INSERT] =
		"INSERT INTO articles(article,title,keywords,text,created_ms,changed_ms)"
		" VALUES(?1,?2,coalesce(?3,'[]'),coalesce(?4,''),?5,?5)",
	[ARTICLE_UPDATE] =
		"UPDATE articles SET title=coalesce(?2,title), keywords=coalesce(?3,keywords), text=coalesce(?4,text), changed_ms=?5"
		" WHERE article=?1",
	[ARTICLE_DELETE] = "DELETE FROM articles WHERE id=?1",
	[INDEX_DELETE] = "DELETE FROM articles_index WHERE rowid=?1",
	[INDEX_INSERT] = "INSERT INTO articles_index(rowid,title,keywords,text) VALUES(?1,?2,?3,?4)",
};

/* A word in the title is worth eight in the text, one of the keywords six. */
static const char search_sql[] =
	"WITH hit AS MATERIALIZED (SELECT j.value->>'word' AS word, f.rowid AS id,"
	"  -bm25(articles_index, 8.0, 6.0, 1.0) * (j.value->>'weight') AS points"
	"  FROM json_each(?1) j JOIN articles_index f ON f.articles_index MATCH (j.value->>'expr')),"
	" best AS (SELECT id, max(points) AS points FROM hit GROUP BY word, id)"
	" SELECT a.article, a.title, a.keywords AS \"keywords:json\", a.text, p.points, a.created_ms, a.changed_ms"
	" FROM (SELECT id, sum(points) AS points FROM best GROUP BY id ORDER BY points DESC, id LIMIT ?2) p"
	" JOIN articles a ON a.id = p.id ORDER BY p.points DESC, p.id";
static const char one_sql[] =
	"SELECT article, title, keywords AS \"keywords:json\", text, created_ms, changed_ms FROM articles WHERE article=?1 LIMIT ?2";
static const char newest_sql[] =
	"SELECT article, title, keywords AS \"keywords:json\", created_ms, changed_ms FROM articles"
	" WHERE ?1 IS NULL ORDER BY changed_ms DESC, id DESC LIMIT ?2";
static const char searches_sql[] =
	"SELECT at_ms, who, text, found, first, took_ms FROM searches"
	" WHERE (?1 IS NULL OR at_ms >= ?1) AND (?2 IS NULL OR at_ms < ?2) AND (?3 = 0 OR found = 0)"
	" ORDER BY at_ms DESC, rowid DESC LIMIT ?4";
/* clang-format on */

/* --- writing, by the writer's thread -------------------------------------------------------- */

static void done(struct batch *b, const char *article, enum batch_verdict verdict, const char *why)
{
	batch_done(b, verdict, json_pack("{s:s}", "article", article), why);
}

static void bind_words(struct batch *b, sqlite3_stmt *st, int at, const char *text)
{
	char *spaced = text != NULL ? words_spaced(text) : NULL;

	if (spaced == NULL)
		b->rc = SQLITE_NOMEM;
	else
		sqlite3_bind_text(st, at, spaced, -1, free);
}

/* The article's words anew, as it stands in its table. */
static void index_article(struct batch *b, const char *article)
{
	sqlite3_stmt *from = batch_statement(b, ARTICLE_FIND),
		     *to = batch_statement(b, INDEX_INSERT),
		     *old = batch_statement(b, INDEX_DELETE);
	bool found;

	sqlite3_bind_text(from, 1, article, -1, SQLITE_STATIC);
	if (!batch_step(b, from, &found) || !found)
		return;
	sqlite3_bind_int64(old, 1, sqlite3_column_int64(from, 0));
	(void)batch_step(b, old, NULL);
	sqlite3_bind_int64(to, 1, sqlite3_column_int64(from, 0));
	for (int i = 1; i <= 3; i++)
		bind_words(b, to, i + 1, (const char *)sqlite3_column_text(from, i));
	if (b->rc == SQLITE_OK)
		(void)batch_step(b, to, NULL);
	sqlite3_reset(from);
}

static bool exists(struct batch *b, const char *article, sqlite3_int64 *id)
{
	sqlite3_stmt *st = batch_statement(b, ARTICLE_FIND);
	bool found, row;

	sqlite3_bind_text(st, 1, article, -1, SQLITE_STATIC);
	found = batch_step(b, st, &row) && row;
	if (found)
		*id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return found;
}

static void put(struct batch *b, const json_t *row, const char *article)
{
	sqlite3_int64 id;
	bool known = exists(b, article, &id);
	sqlite3_stmt *st = batch_statement(b, known ? ARTICLE_UPDATE : ARTICLE_INSERT);

	if (b->rc != SQLITE_OK)
		return;
	if (!known && json_object_get(row, "title") == NULL) {
		done(b, article, BATCH_REFUSED, "a new article needs a title");
		return;
	}
	sqlite3_bind_text(st, 1, article, -1, SQLITE_STATIC);
	batch_bind(st, 2, json_object_get(row, "title"));
	batch_bind_json(st, 3, json_object_get(row, "keywords"));
	batch_bind(st, 4, json_object_get(row, "text"));
	batch_bind(st, 5, json_object_get(row, "at_ms"));
	(void)batch_step(b, st, NULL);
	if (b->rc == SQLITE_OK)
		index_article(b, article);
	done(b, article, known ? BATCH_UPDATED : BATCH_ADDED, NULL);
}

static void erase(struct batch *b, const char *article)
{
	static const unsigned from[] = {INDEX_DELETE, ARTICLE_DELETE};
	sqlite3_int64 id;

	if (!exists(b, article, &id)) {
		done(b, article, BATCH_REFUSED, "there is no such article");
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		sqlite3_stmt *st = batch_statement(b, from[i]);

		sqlite3_bind_int64(st, 1, id);
		(void)batch_step(b, st, NULL);
	}
	done(b, article, BATCH_DELETED, NULL);
}

static void do_row(struct batch *b, const json_t *row)
{
	const char *what = json_string_value(json_object_get(row, "do"));
	const char *article = json_string_value(json_object_get(row, "article"));

	if (what != NULL && strcmp(what, "delete") == 0)
		erase(b, article);
	else
		put(b, row, article);
}

int store_knowledge_step(sqlite3 *db, struct question *job)
{
	return batch_run(db, job, statements, STATEMENTS, do_row);
}

/* --- reading, by the reader's thread -------------------------------------------------------- */

static uint64_t mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

static sqlite3_stmt *prepare(struct store *store, struct question *q, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(store->read_db, sql, -1, &st, NULL) != SQLITE_OK)
		snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(store->read_db));
	return st;
}

/* The rows of a statement that is over with them; NULL: the question has an error. */
static json_t *rows_of(struct store *store, struct question *q, sqlite3_stmt *st)
{
	json_t *list = st != NULL ? store_rows(store->read_db, q, st) : NULL;

	sqlite3_finalize(st);
	return list;
}

static bool read_vocabulary(struct store *store, struct question *q, struct query *query)
{
	sqlite3_stmt *st = prepare(store, q, "SELECT term FROM articles_words");
	int rc = SQLITE_ERROR;

	while (st != NULL && (rc = sqlite3_step(st)) == SQLITE_ROW)
		query_word(query, (const char *)sqlite3_column_text(st, 0));
	if (st != NULL && rc != SQLITE_DONE)
		snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(store->read_db));
	sqlite3_finalize(st);
	return rc == SQLITE_DONE;
}

static void excerpts(const struct query *query, json_t *list)
{
	char excerpt[QUERY_EXCERPT_MAX];
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		query_excerpt(query, json_string_value(json_object_get(row, "text")), excerpt);
		json_object_del(row, "text");
		json_object_set_new(row, "excerpt", json_string(excerpt));
	}
}

static json_t *search(struct store *store, struct question *q, json_int_t limit)
{
	const json_t *f = q->json;
	struct query *query = query_new(json_string_value(json_object_get(f, "text")),
					json_object_get(f, "synonyms"));
	char *asks = NULL;
	json_t *list = NULL;

	if (query == NULL) {
		snprintf(q->error, sizeof(q->error), "no memory");
	} else if (query_empty(query)) {
		list = json_array();
	} else if (read_vocabulary(store, q, query)) {
		json_t *v = query_asks(query);
		sqlite3_stmt *st = prepare(store, q, search_sql);

		asks = json_dumps(v, JSON_COMPACT);
		json_decref(v);
		sqlite3_bind_text(st, 1, asks, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, limit);
		list = rows_of(store, q, st);
		excerpts(query, list);
	}
	query_free(query);
	free(asks);
	return list;
}

static json_t *listed(struct store *store, struct question *q, json_int_t limit)
{
	const json_t *article = json_object_get(q->json, "article");
	sqlite3_stmt *st = prepare(store, q, article != NULL ? one_sql : newest_sql);

	batch_bind(st, 1, article);
	sqlite3_bind_int64(st, 2, limit);
	return rows_of(store, q, st);
}

/* For whoever wants to know what people look for, and do not find. */
static void note(struct store *store, const json_t *f, const json_t *list, uint64_t took_ms)
{
	const json_t *first = json_object_get(json_array_get(list, 0), "article");
	const char *who = json_string_value(json_object_get(f, "who"));
	const struct value values[] = {
		{.kind = VALUE_INT, .i = json_integer_value(json_object_get(f, "at_ms"))},
		{.kind = VALUE_TEXT, .s = who != NULL ? who : ""},
		{.kind = VALUE_TEXT, .s = json_string_value(json_object_get(f, "text"))},
		{.kind = VALUE_INT, .i = (int64_t)json_array_size(list)},
		{.kind = VALUE_TEXT, .s = first != NULL ? json_string_value(first) : ""},
		{.kind = VALUE_INT, .i = (int64_t)took_ms},
	};

	(void)store_put(store, ROW_SEARCH, values, sizeof(values) / sizeof(values[0]));
}

json_t *store_knowledge_answer(struct store *store, struct question *q)
{
	json_int_t limit = json_integer_value(json_object_get(q->json, "limit"));
	uint64_t began_ms = mono_ms(), took_ms;
	json_t *list;

	if (json_object_get(q->json, "text") == NULL) {
		list = listed(store, q, limit);
		return list != NULL ? json_pack("{s:o}", "articles", list) : NULL;
	}
	list = search(store, q, limit);
	if (list == NULL)
		return NULL;
	took_ms = mono_ms() - began_ms;
	note(store, q->json, list, took_ms);
	return json_pack("{s:o,s:I}", "articles", list, "took_ms", (json_int_t)took_ms);
}

json_t *store_knowledge_log(struct store *store, struct question *q)
{
	sqlite3_stmt *st = prepare(store, q, searches_sql);
	json_t *list;

	batch_bind(st, 1, json_object_get(q->json, "from_ms"));
	batch_bind(st, 2, json_object_get(q->json, "to_ms"));
	sqlite3_bind_int(st, 3, json_is_true(json_object_get(q->json, "in_vain")));
	sqlite3_bind_int64(st, 4, json_integer_value(json_object_get(q->json, "limit")));
	list = rows_of(store, q, st);
	return list != NULL ? json_pack("{s:o}", "searches", list) : NULL;
}

/* --- asking --------------------------------------------------------------------------------- */

int store_knowledge_write(struct store *store, json_t *rows, store_answer_fn *fn, void *arg)
{
	struct question *q = store_question(STORE_DO_KNOWLEDGE, rows, fn, arg);

	return q != NULL ? store_ask_job(store, q) : -ENOBUFS;
}

int store_knowledge_find(struct store *store, json_t *filter, store_answer_fn *fn, void *arg)
{
	struct question *q = store_question(STORE_ASK_KNOWLEDGE, filter, fn, arg);

	return q != NULL ? store_ask_question(store, q) : -ENOBUFS;
}

int store_knowledge_searches(struct store *store, json_t *filter, store_answer_fn *fn, void *arg)
{
	struct question *q = store_question(STORE_ASK_SEARCHES, filter, fn, arg);

	return q != NULL ? store_ask_question(store, q) : -ENOBUFS;
}
