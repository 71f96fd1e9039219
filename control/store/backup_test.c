/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups under load: whole, verified, never half; a process that is killed in the middle leaves the
 * running database unharmed and no file of the backup's name.
 */
#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "check.h"
#include "store/customers.h"
#include "store/store_testing.h"

/* Rows that take room, so that the copy takes many steps. */
static void write_rows(struct store *s, unsigned *next, unsigned n)
{
	char detail[1000];

	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	for (unsigned i = 0; i < n; i++, (*next)++)
		while (!store_step(s, "call", *next, CALL_STEP_IVR, detail))
			usleep(1000);
}

static long long number_of(const char *file, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	long long n = -1;

	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static bool is_sound(const char *file)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	bool ok = false;

	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		ok = strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return ok;
}

static void a_backup_under_load_is_whole(void)
{
	struct reply r = {0};
	unsigned next = 1, before;
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	write_rows(s, &next, 20000);
	settle(s);
	before = next - 1;
	check_int(store_backup(s, p.copy, keep_reply, &r), 0);
	for (int i = 0; i < 20000 && r.calls == 0; i++) {
		write_rows(s, &next, 20);
		store_dispatch(s);
		usleep(500);
	}
	check_int(r.calls, 1);
	check_str(r.error, "");
	check_str(json_string_value(json_object_get(r.result, "file")), p.copy);
	json_decref(r.result);
	check(is_sound(p.copy));

	/* A whole beginning of what was written, and at least all of before. */
	long long n = number_of(p.copy, "SELECT count(*) FROM call_steps");

	check(n >= before);
	check_int(number_of(p.copy, "SELECT max(at_ms) FROM call_steps"), n);
	settle(s);
	check_int(number_of(p.file, "SELECT count(*) FROM call_steps"), next - 1);
	check_int(store_close(s, 5000), 0);
	check(access(p.copy, R_OK) == 0);
	place_remove(&p);
}

/* Who waits for an answer does not wait for the copy. */
static void a_short_job_goes_before_a_backup(void)
{
	struct reply backup = {0}, write = {0};
	struct place p = {0};
	unsigned next = 1;

	place_make(&p);
	struct store *s = open_store(&p);

	write_rows(s, &next, 20000);
	settle(s);
	check_int(store_backup(s, p.copy, keep_reply, &backup), 0);
	check_int(store_customers_write(s,
					json_pack("[{s:s,s:s,s:s,s:i}]", "do", "put", "name",
						  "Wang", "new_id", "k", "at_ms", 1),
					keep_reply, &write),
		  0);
	wait_reply(s, &write);
	check_str(write.error, "");
	check_int(backup.calls, 0);
	wait_reply(s, &backup);
	check_str(backup.error, "");
	check_int(number_of(p.copy, "SELECT count(*) FROM customers"), 1);
	json_decref(write.result);
	json_decref(backup.result);
	check_int(store_close(s, 5000), 0);
	place_remove(&p);
}

static void a_file_that_is_there_is_not_replaced(void)
{
	struct reply r = {0}, r2 = {0}, r3 = {0};
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	check_int(store_backup(s, p.copy, keep_reply, &r), 0);
	check_int(store_backup(s, p.copy, keep_reply, &r2), 0);
	wait_reply(s, &r);
	check_str(r.error, "");
	wait_reply(s, &r2);
	check(strstr(r2.error, "there is a file of that name") != NULL);
	check_int(store_backup(s, "/nonexistent-directory/x.db", keep_reply, &r3), 0);
	wait_reply(s, &r3);
	check(strstr(r3.error, "No such file or directory") != NULL);
	json_decref(r.result);
	check_int(store_close(s, 5000), 0);
	place_remove(&p);
}

static void closing_gives_a_backup_up(void)
{
	struct reply r = {0};
	unsigned next = 1;
	char part[120];
	struct place p = {0};

	place_make(&p);
	struct store *s = open_store(&p);

	write_rows(s, &next, 30000);
	settle(s);
	check_int(store_backup(s, p.copy, keep_reply, &r), 0);
	check_int(store_close(s, 5000), 0);
	check_int(r.calls, 1);
	snprintf(part, sizeof(part), "%s.part", p.copy);
	check(access(part, F_OK) != 0);
	check((r.result != NULL) == (access(p.copy, F_OK) == 0));
	json_decref(r.result);
	place_remove(&p);
}

/* A process that writes and backs up, until it is killed. */
static void write_for_ever(const struct place *p, int tell)
{
	struct store *s = open_store(p);
	struct reply r = {0};
	unsigned next = 1;

	write_rows(s, &next, 40000);
	settle(s);
	if (store_backup(s, p->copy, keep_reply, &r) != 0 || write(tell, "b", 1) != 1)
		_exit(1);
	for (;;) {
		write_rows(s, &next, 50);
		store_dispatch(s);
		usleep(200);
	}
}

static void a_kill_in_the_middle_harms_nothing(void)
{
	for (unsigned i = 0; i < 5; i++) {
		struct reply r = {0};
		struct place p = {0};
		int tell[2];
		char byte;

		place_make(&p);
		check(pipe(tell) == 0);

		pid_t child = fork();

		if (child == 0)
			write_for_ever(&p, tell[1]);
		close(tell[1]);
		check(read(tell[0], &byte, 1) == 1);
		close(tell[0]);
		usleep(2000 + 7000 * i);
		check(kill(child, SIGKILL) == 0);
		check(waitpid(child, NULL, 0) == child);

		check(is_sound(p.file));
		check(number_of(p.file, "SELECT count(*) FROM call_steps") >= 40000);
		/* Either it had been finished or it is not there. */
		check(access(p.copy, F_OK) != 0 || is_sound(p.copy));
		(void)unlink(p.copy);

		/* What is left of the killed one is in nobody's way. */
		struct store *s = open_store(&p);

		check_int(store_backup(s, p.copy, keep_reply, &r), 0);
		wait_reply(s, &r);
		check_str(r.error, "");
		check(is_sound(p.copy));
		json_decref(r.result);
		check_int(store_close(s, 5000), 0);
		place_remove(&p);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(a_backup_under_load_is_whole),
	CHECK_CASE(a_short_job_goes_before_a_backup),
	CHECK_CASE(a_file_that_is_there_is_not_replaced),
	CHECK_CASE(closing_gives_a_backup_up),
	CHECK_CASE(a_kill_in_the_middle_harms_nothing),
};

int main(void)
{
	log_setup("test", LOG_LEVEL_ERROR);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
