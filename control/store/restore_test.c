/* SPDX-License-Identifier: Apache-2.0
 *
 * What a restore refuses, and that a refusal changes nothing; what it keeps.
 */
#include "store/restore.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "check.h"
#include "store/schema.h"
#include "store/store.h"

static char dir[64], database[96], backup[96], why[300];

static void begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/patchbay-restore-XXXXXX");
	check(mkdtemp(dir) != NULL);
	snprintf(database, sizeof(database), "%s/patchbay.db", dir);
	snprintf(backup, sizeof(backup), "%s/backup.db", dir);
}

static void finish(void)
{
	char cmd[160];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	check(system(cmd) == 0);
}

static struct store *fill(const char *file, unsigned calls)
{
	struct store *s = NULL;
	struct store_status st;

	check_int(store_open(&s, file, why, sizeof(why)), 0);
	for (unsigned i = 0; i < calls; i++) {
		struct call_record r;
		char id[20];

		snprintf(id, sizeof(id), "call-%u", i);
		call_record_begin(&r, id, CALL_IN, "138", "95598", 1000 + i);
		check(store_call(s, &r));
	}
	do {
		usleep(1000);
		store_status(s, &st);
	} while (st.waiting > 0);
	return s;
}

static void make_backup(unsigned calls)
{
	check_int(store_close(fill(backup, calls), 3000), 0);
}

static long long calls_in(const char *file)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	long long n = -1;

	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "SELECT count(*) FROM calls", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void sql(const char *file, const char *text)
{
	sqlite3 *db = NULL;

	check_int(sqlite3_open(file, &db), SQLITE_OK);
	check_int(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void the_former_database_is_kept(void)
{
	struct restore_done done;

	begin();
	make_backup(7);
	check_int(store_close(fill(database, 3), 3000), 0);
	check_int(restore_database(backup, database, &done, why, sizeof(why)), 0);
	check_int(done.calls, 7);
	check_int(done.schema, store_schema_version);
	check_int(calls_in(database), 7);
	check_int(calls_in(done.kept), 3);
	/* It is a database like any other. */
	check_int(store_close(fill(database, 9), 3000), 0);
	check_int(calls_in(database), 9);
	check_int(calls_in(backup), 7);
	finish();
}

static void a_running_daemon_is_refused(void)
{
	struct restore_done done;
	struct store *s;

	begin();
	make_backup(7);
	s = fill(database, 3);
	check_int(restore_database(backup, database, &done, why, sizeof(why)), -EBUSY);
	check(strstr(why, "is in use: stop patchbayd first") != NULL);
	check_int(store_close(s, 3000), 0);
	check_int(calls_in(database), 3);
	finish();
}

static void what_is_no_backup_is_refused(void)
{
	struct restore_done done;
	FILE *f;
	char text[80];

	begin();
	check_int(store_close(fill(database, 3), 3000), 0);
	check_int(restore_database(backup, database, &done, why, sizeof(why)), -ENOENT);
	f = fopen(backup, "w");
	fputs("this is a letter to my aunt, and much longer than any header of a database would be",
	      f);
	fclose(f);
	check_int(restore_database(backup, database, &done, why, sizeof(why)), -EBADMSG);
	check(strstr(why, "is no database") != NULL);
	unlink(backup);
	sql(backup, "CREATE TABLE recipes (name TEXT)");
	check_int(restore_database(backup, database, &done, why, sizeof(why)), -EBADMSG);
	check(strstr(why, "not one of patchbayd") != NULL);
	unlink(backup);
	make_backup(7);
	snprintf(text, sizeof(text), "PRAGMA user_version = %d", store_schema_version + 1);
	sql(backup, text);
	check_int(restore_database(backup, database, &done, why, sizeof(why)), -EPROTO);
	check(strstr(why, "newer version") != NULL);
	check_int(calls_in(database), 3);
	check_int(done.kept[0], 0);
	finish();
}

static void a_damaged_backup_is_refused(void)
{
	struct restore_done done;
	FILE *f;

	begin();
	make_backup(2000);
	sql(backup, "PRAGMA journal_mode=DELETE");
	f = fopen(backup, "r+");
	check(f != NULL && fseek(f, 40960, SEEK_SET) == 0);
	for (int i = 0; i < 40000; i++)
		fputc(i * 7, f);
	fclose(f);
	check_int(restore_database(backup, database, &done, why, sizeof(why)), -EBADMSG);
	check(access(database, F_OK) != 0);
	finish();
}

static void where_nothing_was_nothing_is_kept(void)
{
	struct restore_done done;

	begin();
	make_backup(7);
	check_int(restore_database(backup, database, &done, why, sizeof(why)), 0);
	check_str(done.kept, "");
	check_int(calls_in(database), 7);
	finish();
}

static const struct check_case cases[] = {
	CHECK_CASE(the_former_database_is_kept),       CHECK_CASE(a_running_daemon_is_refused),
	CHECK_CASE(what_is_no_backup_is_refused),      CHECK_CASE(a_damaged_backup_is_refused),
	CHECK_CASE(where_nothing_was_nothing_is_kept),
};

int main(void)
{
	log_setup("test", LOG_LEVEL_ERROR);
	return check_run(cases, sizeof(cases) / sizeof(cases[0]));
}
