/* SPDX-License-Identifier: Apache-2.0
 *
 * customer_numbers is kept by triggers (schema.c), so that it cannot differ from what the customers' rows say. Field names in
 * a JSON path are quoted and were checked when they came in, so no text of a filter is ever read as SQL.
 */
#include "store/customers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/batch.h"

/* clang-format off */
enum { CUSTOMER_EXISTS, CUSTOMER_OWNER, CUSTOMER_OWNERS, CUSTOMER_INSERT, CUSTOMER_UPDATE, CUSTOMER_DELETE, STATEMENTS };
static const char *const statements[STATEMENTS] = {
	[CUSTOMER_EXISTS] = "SELECT 1 FROM customers WHERE customer=?1",
	/* Who else has one of these numbers? */
	[CUSTOMER_OWNER] =
		"SELECT c.customer, c.name, n.number FROM json_each(?1) j JOIN customer_numbers n ON n.number=j.value"
		" JOIN customers c ON c.customer=n.customer WHERE c.customer<>?2 LIMIT 1",
	[CUSTOMER_OWNERS] =
		"SELECT count(DISTINCT n.customer) FROM json_each(?1) j JOIN customer_numbers n ON n.number=j.value",
	[CUSTOMER_INSERT] = "INSERT INTO customers(customer,name,numbers,fields,created_ms,changed_ms) VALUES(?1,?2,?3,?4,?5,?5)",
	[CUSTOMER_UPDATE] =
		"UPDATE customers SET name=coalesce(?2,name), numbers=CASE WHEN ?3 IS NULL THEN numbers WHEN ?6=0 THEN ?3 ELSE"
		" (SELECT json_group_array(value) FROM (SELECT value FROM json_each(customers.numbers) UNION SELECT value FROM json_each(?3))) END,"
		" fields=json_patch(fields,?4), changed_ms=?5 WHERE customer=?1",
	[CUSTOMER_DELETE] = "DELETE FROM customers WHERE customer=?1",
};

#define KEY(at) "CASE ?" at " WHEN 'name' THEN name WHEN 'created' THEN created_ms WHEN 'changed' THEN changed_ms" \
	" ELSE json_extract(fields, '$.\"' || ?" at " || '\"') END"
#define FIND(where, order) \
	"SELECT customer, name, numbers AS \"numbers:json\", fields AS \"fields:json\", created_ms, changed_ms FROM customers WHERE " where \
	" AND (?1 IS NULL OR customer = ?1)" \
	" AND (?2 IS NULL OR customer IN (SELECT customer FROM customer_numbers WHERE number = ?2))" \
	" AND (?3 IS NULL OR instr(lower(name), lower(?3)) OR EXISTS (SELECT 1 FROM json_each(numbers) j WHERE instr(j.value, ?3))" \
	"  OR EXISTS (SELECT 1 FROM json_each(fields) j WHERE instr(lower(j.value), lower(?3))))" \
	" AND (?4 IS NULL OR json_extract(fields, '$.\"' || ?4 || '\"') = ?5)" \
	" ORDER BY " order " customer LIMIT ?10 OFFSET ?11"
#define SORTED \
	"CASE WHEN ?7 = 0 THEN " KEY("6") " END, CASE WHEN ?7 = 1 THEN " KEY("6") " END DESC," \
	" CASE WHEN ?9 = 0 THEN " KEY("8") " END, CASE WHEN ?9 = 1 THEN " KEY("8") " END DESC,"
/* Of all customers only a search reads each: an id and a number have an index, and so has the page that follows another. */
enum { FIND_ONE, FIND_NUMBER, FIND_AFTER, FIND_ALL, FINDS };
static const char *const find_sql[FINDS] = {
	[FIND_ONE] = FIND("customer = ?1", SORTED),
	[FIND_NUMBER] = FIND("customer IN (SELECT customer FROM customer_numbers WHERE number = ?2)", SORTED),
	[FIND_AFTER] = FIND("customer > ?12", ""),
	[FIND_ALL] = FIND("1", SORTED),
};
/* clang-format on */

/* --- writing, by the writer's thread -------------------------------------------------------- */

static void done(struct batch *b, const json_t *row, enum batch_verdict verdict,
		 const char *customer, const char *why)
{
	const json_t *line = json_object_get(row, "line");

	batch_done(b, verdict, json_pack("{s:O?,s:s?}", "line", line, "customer", customer), why);
}

static void refuse(struct batch *b, const json_t *row, const char *why)
{
	done(b, row, BATCH_REFUSED, NULL, why);
}

static bool exists(struct batch *b, const json_t *id)
{
	sqlite3_stmt *st = batch_statement(b, CUSTOMER_EXISTS);
	bool found;

	batch_bind(st, 1, id);
	return batch_step(b, st, &found) && found;
}

static void update(struct batch *b, const json_t *row, const char *id, bool add_numbers)
{
	sqlite3_stmt *st = batch_statement(b, CUSTOMER_UPDATE);
	json_t *none = json_object(), *fields = json_object_get(row, "fields");

	sqlite3_bind_text(st, 1, id, -1, SQLITE_TRANSIENT);
	batch_bind(st, 2, json_object_get(row, "name"));
	batch_bind_json(st, 3, json_object_get(row, "numbers"));
	batch_bind_json(st, 4, fields != NULL ? fields : none);
	batch_bind(st, 5, json_object_get(row, "at_ms"));
	sqlite3_bind_int(st, 6, add_numbers);
	json_decref(none);
	if (!batch_step(b, st, NULL))
		return;
	done(b, row, BATCH_UPDATED, id, NULL);
}

static void insert(struct batch *b, const json_t *row, const json_t *id)
{
	sqlite3_stmt *st = batch_statement(b, CUSTOMER_INSERT);
	json_t *numbers = json_object_get(row, "numbers"), *fields = json_object_get(row, "fields");
	json_t *no_numbers = json_array(), *no_fields = json_object();
	const json_t *name = json_object_get(row, "name");

	batch_bind(st, 1, id);
	sqlite3_bind_text(st, 2, name != NULL ? json_string_value(name) : "", -1, SQLITE_STATIC);
	batch_bind_json(st, 3, numbers != NULL ? numbers : no_numbers);
	batch_bind_json(st, 4, fields != NULL ? fields : no_fields);
	batch_bind(st, 5, json_object_get(row, "at_ms"));
	json_decref(no_numbers);
	json_decref(no_fields);
	if (!batch_step(b, st, NULL))
		return;
	done(b, row, BATCH_ADDED, json_string_value(id), NULL);
}

/* A new one whose number somebody has. False: nobody has, or it does not matter. */
static bool duplicate(struct batch *b, const json_t *row)
{
	const char *then = json_string_value(json_object_get(row, "duplicates"));
	sqlite3_stmt *st = batch_statement(b, CUSTOMER_OWNER);
	char why[400], id[80];
	int several;

	if (then == NULL || strcmp(then, "allow") == 0)
		return false;
	batch_bind_json(st, 1, json_object_get(row, "numbers"));
	sqlite3_bind_text(st, 2, "", -1, SQLITE_STATIC);
	if (!batch_step(b, st, NULL) || sqlite3_data_count(st) == 0)
		return b->rc != SQLITE_OK;
	snprintf(id, sizeof(id), "%s", (const char *)sqlite3_column_text(st, 0));
	snprintf(why, sizeof(why), "%s is the number of %s (customer %s)",
		 (const char *)sqlite3_column_text(st, 2), (const char *)sqlite3_column_text(st, 1),
		 id);
	if (strcmp(then, "update") != 0) {
		refuse(b, row, why);
		return true;
	}
	st = batch_statement(b, CUSTOMER_OWNERS);
	batch_bind_json(st, 1, json_object_get(row, "numbers"));
	if (!batch_step(b, st, NULL))
		return true;
	several = sqlite3_column_int(st, 0);
	if (several > 1)
		refuse(b, row, "several customers have these numbers");
	else
		update(b, row, id, true);
	return true;
}

static void put(struct batch *b, const json_t *row)
{
	const json_t *id = json_object_get(row, "customer");

	if (id != NULL && exists(b, id))
		update(b, row, json_string_value(id), false);
	else if (b->rc == SQLITE_OK && id != NULL)
		insert(b, row, id);
	else if (b->rc == SQLITE_OK && !duplicate(b, row))
		insert(b, row, json_object_get(row, "new_id"));
}

static void erase(struct batch *b, const json_t *row)
{
	const json_t *id = json_object_get(row, "customer");
	sqlite3_stmt *st;

	if (!exists(b, id)) {
		if (b->rc == SQLITE_OK)
			refuse(b, row, "there is no such customer");
		return;
	}
	st = batch_statement(b, CUSTOMER_DELETE);
	batch_bind(st, 1, id);
	if (!batch_step(b, st, NULL))
		return;
	done(b, row, BATCH_DELETED, json_string_value(id), NULL);
}

static void do_row(struct batch *b, const json_t *row)
{
	const char *what = json_string_value(json_object_get(row, "do"));

	if (what != NULL && strcmp(what, "refuse") == 0)
		refuse(b, row, json_string_value(json_object_get(row, "why")));
	else if (what != NULL && strcmp(what, "delete") == 0)
		erase(b, row);
	else
		put(b, row);
}

int store_customers_step(sqlite3 *db, struct question *job)
{
	return batch_run(db, job, statements, STATEMENTS, do_row);
}

/* --- reading, by the reader's thread -------------------------------------------------------- */

static void bind_sort(sqlite3_stmt *st, int at, const json_t *sort, size_t i)
{
	const char *key = json_string_value(json_array_get(sort, i));
	bool down = key != NULL && key[0] == '-';

	sqlite3_bind_text(st, at, key != NULL ? key + down : "name", -1, SQLITE_STATIC);
	sqlite3_bind_int(st, at + 1, down);
}

json_t *store_customers_answer(sqlite3 *db, struct question *q)
{
	static const char *const texts[] = {"customer", "number", "text", "field", "value"};
	const json_t *f = q->json, *sort = json_object_get(f, "sort");
	json_int_t limit = json_integer_value(json_object_get(f, "limit"));
	sqlite3_stmt *st = NULL;
	unsigned way;
	json_t *list;
	bool more;

	way = json_object_get(f, "after") != NULL      ? FIND_AFTER
	      : json_object_get(f, "number") != NULL   ? FIND_NUMBER
	      : json_object_get(f, "customer") != NULL ? FIND_ONE
						       : FIND_ALL;
	if (sqlite3_prepare_v2(db, find_sql[way], -1, &st, NULL) != SQLITE_OK) {
		snprintf(q->error, sizeof(q->error), "%s", sqlite3_errmsg(db));
		return NULL;
	}
	for (int i = 0; i < 5; i++)
		batch_bind(st, i + 1, json_object_get(f, texts[i]));
	/* A statement has not all of these; what it has not is not bound. */
	bind_sort(st, 6, sort, 0);
	bind_sort(st, 8, sort, 1);
	batch_bind(st, 12, json_object_get(f, "after"));
	sqlite3_bind_int64(st, 10, limit + 1);
	sqlite3_bind_int64(st, 11, json_integer_value(json_object_get(f, "offset")));
	list = store_rows(db, q, st);
	sqlite3_finalize(st);
	if (list == NULL)
		return NULL;
	more = json_array_size(list) > (size_t)limit;
	if (more)
		json_array_remove(list, (size_t)limit);
	return json_pack("{s:o,s:b}", "customers", list, "more", more);
}

/* --- asking --------------------------------------------------------------------------------- */

int store_customers_write(struct store *store, json_t *rows, store_answer_fn *fn, void *arg)
{
	struct question *q = store_question(STORE_DO_CUSTOMERS, rows, fn, arg);

	return q != NULL ? store_ask_job(store, q) : -ENOBUFS;
}

int store_customers_find(struct store *store, json_t *filter, store_answer_fn *fn, void *arg)
{
	struct question *q = store_question(STORE_ASK_CUSTOMERS, filter, fn, arg);

	return q != NULL ? store_ask_question(store, q) : -ENOBUFS;
}
