/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of the store: rows go in and come out; a killed writer loses nothing that was
 * committed; a broken, locked or full database is said and survived.
 */
#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "check.h"
#include "store/schema.h"
#include "store/store_testing.h"

static void wait_written(struct store *s, uint64_t n)
{
	struct store_status st;

	for (int i = 0; i < 500; i++) {
		store_status(s, &st);
		if (st.written >= n)
			return;
		usleep(10000);
	}
	check(!"rows were not written within 5 s");
}

static struct reply ask(struct store *s, enum store_question what, const struct store_filter *f)
{
	struct reply r = {0};
	struct pollfd p = {.fd = store_fd(s), .events = POLLIN};

	check_int(store_ask(s, what, f, keep_reply, &r), 0);
	check_int(poll(&p, 1, 5000), 1);
	store_dispatch(s);
	check_int(r.calls, 1);
	return r;
}

static struct call_record sample(const char *id, uint64_t at_ms)
{
	struct call_record r;

	call_record_begin(&r, id, CALL_IN, "13800001111", "95598", at_ms);
	call_record_step(&r, CALL_STEP_IVR, "welcome", at_ms);
	call_record_step(&r, CALL_STEP_IVR, "service", at_ms + 1000);
	call_record_step(&r, CALL_STEP_QUEUE, "service", at_ms + 2000);
	call_record_step(&r, CALL_STEP_ANSWER, "1001", at_ms + 5000);
	call_record_end(&r, PARTY_CUSTOMER, CALL_CAUSE_NORMAL, at_ms + 15000);
	return r;
}

static const char *text_at(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static json_int_t int_at(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void a_call_goes_in_and_comes_out(void)
{
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);
	struct call_record r = sample("0190-aaaa", 1000000);
	struct store_leg leg = {.leg = "0190-aaaa.c",
				.call = r.call,
				.role = "customer",
				.party = r.from,
				.started_ms = 1000000,
				.ended_ms = 1015000,
				.stats = "{\"lost\":0}"};
	struct store_recording rec = {.recording = "0190-rec",
				      .call = r.call,
				      .kind = "call",
				      .agent = "1001",
				      .started_ms = 1005000,
				      .ended_ms = 1015000,
				      .complete = true,
				      .accepted = 500,
				      .written = 500};

	check(store_call(s, &r));
	check(store_leg(s, &leg));
	check(store_step(s, r.call, 1000000, CALL_STEP_IVR, "welcome"));
	check(store_step(s, r.call, 1005000, CALL_STEP_ANSWER, "1001"));
	check(store_recording(s, &rec));
	check(store_wrap_up(s, r.call, 4000));
	check(store_agent_state(s, "1001", 1, "ready", NULL, NULL));
	check(store_heard(s, "0190-rec", true));
	wait_written(s, 8);

	struct reply a = ask(s, STORE_ASK_CALL, &(struct store_filter){.call = "aaaa"});

	check_str(text_at(a.result, "agent"), "1001");
	check_int(int_at(a.result, "talk_ms"), 10000);
	check_int(int_at(a.result, "wait_ms"), 3000);
	check_int(int_at(a.result, "wrap_up_ms"), 4000);
	check_int(json_array_size(json_object_get(a.result, "path")), 2);
	check_int(json_array_size(json_object_get(a.result, "steps")), 2);
	check_int(json_array_size(json_object_get(a.result, "legs")), 1);
	check_int(json_array_size(json_object_get(a.result, "recordings")), 1);
	json_decref(a.result);

	a = ask(s, STORE_ASK_RECORDINGS, &(struct store_filter){.agent = "1001"});
	check_int(json_array_size(json_object_get(a.result, "recordings")), 1);
	json_decref(a.result);
	a = ask(s, STORE_ASK_RECORDINGS, &(struct store_filter){.unheard = true});
	check_int(json_array_size(json_object_get(a.result, "recordings")), 0);
	json_decref(a.result);
	a = ask(s, STORE_ASK_CALL, &(struct store_filter){.call = "nobody"});
	check(json_is_null(a.result));
	json_decref(a.result);
	check_int(store_close(s, 1000), 0);
	place_remove(&p);
}

static void history_comes_in_pages_newest_first(void)
{
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	for (int i = 0; i < 5; i++) {
		char id[32];

		snprintf(id, sizeof(id), "0190-%04d", i);
		struct call_record r = sample(id, 1000000 + (uint64_t)i * 1000);

		check(store_call(s, &r));
	}
	wait_written(s, 5);
	struct reply a = ask(s, STORE_ASK_CDR, &(struct store_filter){.limit = 2});
	json_t *list = json_object_get(a.result, "records");

	check_int(json_array_size(list), 2);
	check_str(text_at(json_array_get(list, 0), "call"), "0190-0004");
	check(json_is_true(json_object_get(a.result, "more")));
	struct reply b =
		ask(s, STORE_ASK_CDR,
		    &(struct store_filter){.limit = 200, .after = text_at(a.result, "next")});

	check_int(json_array_size(json_object_get(b.result, "records")), 3);
	check(json_is_false(json_object_get(b.result, "more")));
	json_decref(a.result);
	json_decref(b.result);
	a = ask(s, STORE_ASK_CDR, &(struct store_filter){.number = "' OR 1=1 --", .agent = "1001"});
	check_int(json_array_size(json_object_get(a.result, "records")), 0);
	json_decref(a.result);
	check_int(store_close(s, 1000), 0);
	place_remove(&p);
}

/* A child writes numbered calls and says each number that is committed; it is killed in the middle
 * of writing. Everything that it said must be there, and the file must be sound. */
static void killed_in_mid_write_keeps_what_was_committed(void)
{
	struct place p = {0};
	int pipe_fd[2];

	place_make(&p);
	for (int round = 0; round < 3; round++) {
		check_int(pipe(pipe_fd), 0);
		pid_t pid = fork();

		check(pid >= 0);
		if (pid == 0) {
			struct store *s = NULL;
			char why[200];

			if (store_open(&s, p.file, why, sizeof(why)) != 0)
				_exit(2);
			for (uint64_t i = 1;; i++) {
				char id[32];
				struct store_status st;

				snprintf(id, sizeof(id), "r%d-%08llu", round,
					 (unsigned long long)i);
				struct call_record r = sample(id, i);

				store_call(s, &r);
				if (i % 64 != 0)
					continue;
				store_status(s, &st);
				if (write(pipe_fd[1], &st.written, sizeof(st.written)) < 0)
					_exit(3);
			}
		}
		close(pipe_fd[1]);
		uint64_t committed = 0, n;
		struct timespec start, now;

		clock_gettime(CLOCK_MONOTONIC, &start);
		do {
			check(read(pipe_fd[0], &n, sizeof(n)) == (ssize_t)sizeof(n));
			committed = n;
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while ((now.tv_sec - start.tv_sec) * 1000 +
					 (now.tv_nsec - start.tv_nsec) / 1000000 <
				 200 + round * 70 ||
			 committed == 0);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(pipe_fd[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
			committed = n;
		close(pipe_fd[0]);

		struct store *s = open_store(&p);
		sqlite3 *db;
		sqlite3_stmt *q;
		char sql[96];

		check_int(store_close(s, 1000), 0);
		check_int(sqlite3_open(p.file, &db), SQLITE_OK);
		check_int(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL),
			  SQLITE_OK);
		check_int(sqlite3_step(q), SQLITE_ROW);
		check_str((const char *)sqlite3_column_text(q, 0), "ok");
		sqlite3_finalize(q);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM calls WHERE call LIKE 'r%d-%%'",
			 round);
		check_int(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
		check_int(sqlite3_step(q), SQLITE_ROW);
		check(sqlite3_column_int64(q, 0) >= (int64_t)committed);
		sqlite3_finalize(q);
		sqlite3_close(db);
	}
	place_remove(&p);
}

static void a_locked_database_delays_rows_and_loses_none(void)
{
	struct place p = {0};
	sqlite3 *other;
	struct store_status st;

	place_make(&p);
	struct store *s = open_store(&p);

	check_int(sqlite3_open(p.file, &other), SQLITE_OK);
	check_int(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	struct call_record r = sample("0190-locked", 5);

	check(store_call(s, &r));
	for (int i = 0; i < 100; i++) {
		store_status(s, &st);
		if (st.state == STORE_LOCKED)
			break;
		usleep(20000);
	}
	check_int(st.state, STORE_LOCKED);
	check_int(st.waiting, 1);
	check_int(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	wait_written(s, 1);
	store_status(s, &st);
	check_int(st.state, STORE_OK);
	check_int(store_close(s, 1000), 0);
	place_remove(&p);
}

static void a_full_queue_keeps_room_for_call_records(void)
{
	struct place p = {0};
	sqlite3 *other;
	struct store_status st;
	uint32_t steps = 0;

	place_make(&p);
	struct store *s = open_store(&p);

	check_int(sqlite3_open(p.file, &other), SQLITE_OK);
	check_int(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	while (store_step(s, "c", 1, CALL_STEP_RING, NULL))
		steps++;
	check(steps >= STORE_QUEUE_MAX / 2);
	struct call_record r = sample("0190-kept", 5);

	check(store_call(s, &r));
	store_status(s, &st);
	check(st.dropped == 1);
	sqlite3_close(other);
	check_int(store_close(s, 20000), 0);
	place_remove(&p);
}

static void a_file_that_is_no_database_is_moved_aside(void)
{
	struct place p = {0};
	struct store_status st;
	FILE *f;

	place_make(&p);
	f = fopen(p.file, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is not a database\n", f);
	fclose(f);
	struct store *s = open_store(&p);

	store_status(s, &st);
	check(st.moved_aside);
	struct call_record r = sample("0190-new", 5);

	check(store_call(s, &r));
	check_int(store_close(s, 1000), 0);
	place_remove(&p);
}

static void what_cannot_be_opened_is_said(void)
{
	struct store *s = NULL;
	char why[256] = "";

	check_int(store_open(&s, "/nonexistent/patchbay.db", why, sizeof(why)), -EACCES);
	check(strstr(why, "/nonexistent/patchbay.db") != NULL);
	check(s == NULL);

	struct place p = {0};
	sqlite3 *db;

	place_make(&p);
	check_int(sqlite3_open(p.file, &db), SQLITE_OK);
	check_int(sqlite3_exec(db, "PRAGMA user_version = 9999", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	check_int(store_open(&s, p.file, why, sizeof(why)), -EPROTO);
	check(strstr(why, "newer") != NULL);
	place_remove(&p);
}

static void calls_left_by_a_crash_are_ended(void)
{
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);
	struct call_record r;

	call_record_begin(&r, "0190-left", CALL_IN, "1", "2", 1000);
	check(store_call(s, &r));
	check(store_step(s, r.call, 7000, CALL_STEP_ANSWER, "1001"));
	check(store_recording(s, &(struct store_recording){.recording = "rec-left",
							   .call = r.call,
							   .kind = "call",
							   .started_ms = 5000}));
	check(store_close_orphans(s, 9000));
	wait_written(s, 5);
	struct reply a = ask(s, STORE_ASK_CALL, &(struct store_filter){.call = "0190-left"});

	check_str(text_at(a.result, "cause"), "failed");
	check_int(int_at(a.result, "ended_ms"), 7000);
	json_decref(a.result);
	a = ask(s, STORE_ASK_RECORDINGS, &(struct store_filter){0});
	json_t *rec = json_array_get(json_object_get(a.result, "recordings"), 0);

	check_int(int_at(rec, "duration_ms"), 2000);
	json_decref(a.result);
	check_int(store_close(s, 1000), 0);
	place_remove(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_call_goes_in_and_comes_out),
	CHECK_CASE(history_comes_in_pages_newest_first),
	CHECK_CASE(killed_in_mid_write_keeps_what_was_committed),
	CHECK_CASE(a_locked_database_delays_rows_and_loses_none),
	CHECK_CASE(a_full_queue_keeps_room_for_call_records),
	CHECK_CASE(a_file_that_is_no_database_is_moved_aside),
	CHECK_CASE(what_cannot_be_opened_is_said),
	CHECK_CASE(calls_left_by_a_crash_are_ended),
};
CHECK_MAIN(cases)
