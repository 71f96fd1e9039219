/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of the journal: what is put comes back after a restart, what is dropped does not, and calls that
 * it knows are nobody's orphans.
 */
#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "check.h"
#include "store/schema.h"

static char dir[64], file[96];
static struct store *store;

static void begin(void)
{
	char why[256] = "";

	check_int(store_open(&store, file, why, sizeof(why)), 0);
}

static void begin_anew(void)
{
	snprintf(dir, sizeof(dir), "/tmp/patchbay-journal-XXXXXX");
	check(mkdtemp(dir) != NULL);
	snprintf(file, sizeof(file), "%s/patchbay.db", dir);
	begin();
}

/* Everything that waits is written. */
static void restart(void)
{
	check_int(store_close(store, 2000), 0);
	begin();
}

static void end(void)
{
	char cmd[128];

	check_int(store_close(store, 2000), 0);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	check(system(cmd) == 0);
}

static const char *text_of(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static void sql(const char *text)
{
	sqlite3 *db = NULL;

	check_int(sqlite3_open(file, &db), SQLITE_OK);
	check_int(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void the_newest_body_of_each_thing_comes_back(void)
{
	json_t *rows;

	begin_anew();
	check(store_journal_put(store, JOURNAL_CALL, "0190-a", 1, 1000, "{\"n\":1}"));
	check(store_journal_put(store, JOURNAL_AGENT, "1001", 1, 1000, "{}"));
	check(store_journal_put(store, JOURNAL_CALL, "0190-a", 2, 2000, "{\"n\":2}"));
	check(store_journal_put(store, JOURNAL_CALL, "0190-b", 1, 2000, "gone"));
	check(store_journal_drop(store, JOURNAL_CALL, "0190-b"));
	check(store_journal_drop(store, JOURNAL_AGENT, "0190-a")); /* another kind's id */
	restart();
	rows = store_journal_read(store);
	check_int(json_array_size(rows), 2);
	check_str(text_of(json_array_get(rows, 0), "kind"), "agent");
	check_str(text_of(json_array_get(rows, 1), "id"), "0190-a");
	check_str(text_of(json_array_get(rows, 1), "body"), "{\"n\":2}");
	check_int(json_integer_value(json_object_get(json_array_get(rows, 1), "version")), 2);
	check_int(json_integer_value(json_object_get(json_array_get(rows, 1), "at_ms")), 2000);
	check(json_object_get(json_array_get(rows, 1), "ended_ms") == NULL);
	json_decref(rows);
	end();
}

static void a_call_comes_with_its_steps_and_its_end(void)
{
	struct call_record r;
	json_t *rows, *row, *steps;

	begin_anew();
	call_record_begin(&r, "0190-a", CALL_IN, "1", "2", 1000);
	store_call(store, &r);
	store_step(store, "0190-a", 1000, CALL_STEP_RING, "2");
	store_step(store, "0190-a", 1500, CALL_STEP_IVR, NULL);
	store_step(store, "0190-b", 1500, CALL_STEP_IVR, "of another");
	store_journal_put(store, JOURNAL_CALL, "0190-a", 1, 1000, "{}");
	restart();
	rows = store_journal_read(store);
	row = json_array_get(rows, 0);
	steps = json_object_get(row, "steps");
	check_int(json_array_size(steps), 2);
	check_str(json_string_value(json_array_get(json_array_get(steps, 0), 2)), "2");
	check_str(json_string_value(json_array_get(json_array_get(steps, 1), 2)), "");
	check_int(json_integer_value(json_object_get(row, "steps_missed")), 0);
	json_decref(rows);
	for (int i = 0; i < JOURNAL_STEPS_MAX; i++)
		store_step(store, "0190-a", 2000, CALL_STEP_DIGITS, "1");
	call_record_end(&r, PARTY_CUSTOMER, CALL_CAUSE_NORMAL, 3000);
	store_call(store, &r);
	restart();
	rows = store_journal_read(store);
	row = json_array_get(rows, 0);
	check_int(json_array_size(json_object_get(row, "steps")), JOURNAL_STEPS_MAX);
	check_int(json_integer_value(json_object_get(row, "steps_missed")), 2);
	check_int(json_integer_value(json_object_get(row, "ended_ms")), 3000);
	json_decref(rows);
	end();
}

static int64_t number(const char *query)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t n = -1;

	check_int(sqlite3_open(file, &db), SQLITE_OK);
	check_int(sqlite3_prepare_v2(db, query, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void who_is_in_the_journal_is_no_orphan(void)
{
	static const char *const calls[] = {"0190-kept", "0190-lost"};
	struct call_record r;

	begin_anew();
	for (int i = 0; i < 2; i++) {
		call_record_begin(&r, calls[i], CALL_IN, "1", "2", 1000);
		store_call(store, &r);
		store_recording(store, &(struct store_recording){.recording = calls[i],
								 .call = calls[i],
								 .kind = "call",
								 .started_ms = 1500});
	}
	store_journal_put(store, JOURNAL_CALL, "0190-kept", 1, 1000, "{}");
	store_close_orphans(store, 9000);
	restart();
	check_int(number("SELECT count(*) FROM calls WHERE call='0190-kept' AND ended_ms IS NULL"),
		  1);
	check_int(number("SELECT count(*) FROM recordings WHERE call='0190-kept' AND ended_ms IS "
			 "NULL"),
		  1);
	check_int(number("SELECT count(*) FROM calls WHERE call='0190-lost' AND cause='failed'"),
		  1);
	check_int(number("SELECT count(*) FROM recordings WHERE call='0190-lost' AND ended_ms IS "
			 "NULL"),
		  0);
	end();
}

/* A database of before the journal gets one; nothing else in it changes. */
static void an_older_database_gets_a_journal(void)
{
	char text[96];
	int before = 0;
	json_t *rows;

	while (strstr(store_migrations[before], "CREATE TABLE journal") == NULL)
		before++;
	snprintf(dir, sizeof(dir), "/tmp/patchbay-journal-XXXXXX");
	check(mkdtemp(dir) != NULL);
	snprintf(file, sizeof(file), "%s/patchbay.db", dir);
	for (int i = 0; i < before; i++)
		sql(store_migrations[i]);
	snprintf(text, sizeof(text), "PRAGMA user_version=%d", before);
	sql(text);
	sql("INSERT INTO calls(call,kind,from_number,to_number,started_ms)"
	    " VALUES('0190-old','in','1','2',5)");
	begin();
	rows = store_journal_read(store);
	check(rows != NULL);
	check_int(json_array_size(rows), 0);
	json_decref(rows);
	check(store_journal_put(store, JOURNAL_AGENT, "1001", 1, 1, "{}"));
	restart();
	check_int(number("SELECT count(*) FROM journal"), 1);
	check_int(number("SELECT count(*) FROM calls"), 1);
	end();
}

/* Bytes that are no text, and no rows at all. */
static void damage_is_read_as_what_it_is(void)
{
	char *huge = malloc(JOURNAL_BODY_MAX + 2);
	json_t *rows;

	begin_anew();
	sql("INSERT INTO journal VALUES('call',x'ff00fe',1,1,x'fffe'),('?','b',-5,1,''),"
	    "('agent','1001',1,'x',7)");
	rows = store_journal_read(store);
	check_int(json_array_size(rows), 3);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		check(text_of(json_array_get(rows, i), "id") != NULL);
		check(text_of(json_array_get(rows, i), "body") != NULL);
	}
	json_decref(rows);
	memset(huge, 'x', JOURNAL_BODY_MAX + 1);
	huge[JOURNAL_BODY_MAX + 1] = '\0';
	check(!store_journal_put(store, JOURNAL_AGENT, "1002", 1, 1, huge));
	free(huge);
	sql("DROP TABLE journal");
	check(store_journal_read(store) == NULL);
	end();
}

static const struct check_case cases[] = {
	CHECK_CASE(the_newest_body_of_each_thing_comes_back),
	CHECK_CASE(a_call_comes_with_its_steps_and_its_end),
	CHECK_CASE(who_is_in_the_journal_is_no_orphan),
	CHECK_CASE(an_older_database_gets_a_journal),
	CHECK_CASE(damage_is_read_as_what_it_is),
};
CHECK_MAIN(cases)
