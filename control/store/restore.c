/* SPDX-License-Identifier: Apache-2.0
 *
 *	backup --checked--> NAME.restoring --renamed--> NAME
 *	                          NAME (in nobody's use) --renamed--> NAME.before-TIME
 *
 * Whether anybody has the database open is asked of SQLite itself: an exclusive lock is taken, which also brings
 * home what its write-ahead log holds, so that the file that is kept is whole by itself.
 */
#include "store/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/schema.h"

static long long number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	long long n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* Read all of it. */
static int check_backup(const char *file, struct restore_done *done, char *why, size_t size)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int err = -EBADMSG;

	if (access(file, R_OK) != 0) {
		snprintf(why, size, "%s: %s", file, strerror(errno));
		return -errno;
	}
	snprintf(why, size, "%s is no database", file);
	if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		goto out;
	if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0) {
		snprintf(why, size, "%s is damaged: %s", file,
			 (const char *)sqlite3_column_text(st, 0));
		goto out;
	}
	done->schema = (int)number(db, "PRAGMA user_version");
	done->calls = number(db, "SELECT count(*) FROM calls");
	if (done->schema < 1 || done->calls < 0) {
		snprintf(why, size, "%s is a database, but not one of patchbayd", file);
		goto out;
	}
	if (done->schema > store_schema_version) {
		snprintf(why, size,
			 "%s was written by a newer version of patchbayd (tables %d, this one "
			 "knows %d)",
			 file, done->schema, store_schema_version);
		err = -EPROTO;
		goto out;
	}
	err = 0;
out:
	sqlite3_finalize(st);
	sqlite3_close(db);
	return err;
}

/* Nobody else has it open; its log is in the file. A file that is no database is in nobody's use. */
static int close_former(const char *file, char *why, size_t size)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db,
				  "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE;"
				  "BEGIN EXCLUSIVE; COMMIT",
				  NULL, NULL, NULL);
	sqlite3_close(db);
	if (rc == SQLITE_OK || rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT)
		return 0;
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) {
		snprintf(why, size, "%s is in use: stop patchbayd first", file);
		return -EBUSY;
	}
	snprintf(why, size, "%s: %s", file, sqlite3_errstr(rc));
	return -EIO;
}

static int copy_bytes(int from, int to)
{
	char block[65536];
	ssize_t n;

	while ((n = read(from, block, sizeof(block))) > 0)
		for (ssize_t at = 0; at < n;) {
			ssize_t w = write(to, block + at, (size_t)(n - at));

			if (w < 0)
				return -errno;
			at += w;
		}
	return n < 0 ? -errno : fsync(to) == 0 ? 0 : -errno;
}

/* With the owner and mode of the database that was there. */
static int copy(const char *backup, const char *to, const struct stat *like)
{
	int from = open(backup, O_RDONLY | O_CLOEXEC), fd, err;

	if (from < 0)
		return -errno;
	(void)unlink(to);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : copy_bytes(from, fd);
	if (err == 0 && like != NULL &&
	    (fchmod(fd, like->st_mode & 07777) != 0 || fchown(fd, like->st_uid, like->st_gid) != 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	close(from);
	if (err != 0)
		(void)unlink(to);
	return err;
}

static int sync_directory_of(const char *file)
{
	char dir[RESTORE_PATH_MAX + 1];
	char *slash;
	int fd, err;

	snprintf(dir, sizeof(dir), "%s", file);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir ? 1 : 0] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return err;
}

int restore_database(const char *backup, const char *database, struct restore_done *done, char *why,
		     size_t why_size)
{
	char fresh[RESTORE_PATH_MAX + 40], side[RESTORE_PATH_MAX + 60];
	struct stat st;
	bool there = lstat(database, &st) == 0;
	int err;

	*done = (struct restore_done){0};
	if (strlen(database) > RESTORE_PATH_MAX)
		return -ENAMETOOLONG;
	err = check_backup(backup, done, why, why_size);
	if (err == 0 && there)
		err = close_former(database, why, why_size);
	if (err != 0)
		return err;
	snprintf(fresh, sizeof(fresh), "%s.restoring", database);
	snprintf(why, why_size, "%s cannot be written", fresh);
	err = copy(backup, fresh, there ? &st : NULL);
	if (err == 0 && there) {
		snprintf(done->kept, sizeof(done->kept), "%s.before-%lld", database,
			 (long long)time(NULL));
		if (rename(database, done->kept) != 0)
			err = -errno;
		/* A log that belongs to a file which is no database would be taken for the new one's. */
		for (int i = 0; err == 0 && i < 2; i++) {
			snprintf(side, sizeof(side), "%s%s", database, i ? "-wal" : "-shm");
			if (unlink(side) != 0 && errno != ENOENT)
				err = -errno;
		}
	}
	if (err == 0 && rename(fresh, database) != 0)
		err = -errno;
	if (err == 0)
		err = sync_directory_of(database);
	if (err != 0) {
		size_t len = strlen(why);

		snprintf(why + len, why_size - len, ": %s", strerror(-err));
		(void)unlink(fresh);
	}
	return err;
}
