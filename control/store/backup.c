/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy of the database while it is written, with SQLite's online backup. The source is the writer's own
 * connection, so that what it writes between two steps goes into the copy as well and the copying never
 * begins again.
 *
 *	FILE.part <--- some pages per step --- database
 *	   | all copied: a thread of its own reads the copy whole (integrity_check), syncs it
 *	   v
 *	FILE
 *
 * The name FILE thus never stands for anything but a whole, verified copy, whenever the process dies.
 */
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { STEP_PAGES = 256, STEP_PAGES_MAX = 65536, PATH_LEN_MAX = 4000 };

struct backup {
	struct store *store;
	struct question *job;
	sqlite3 *copy;
	sqlite3_backup *b;
	char file[PATH_LEN_MAX + 1], part[PATH_LEN_MAX + 8];
	uint64_t began_ns;
	int pages;
	int step_pages, left; /* of the next step; after the one before, 0 at first */
	bool verifying;
	atomic_bool verified;
	pthread_t verifier;
};

static uint64_t mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* What SQLite lays beside a file. */
static void remove_part(const struct backup *b)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char path[PATH_LEN_MAX + 24];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", b->part, ends[i]);
		(void)unlink(path);
	}
}

static void let_go(struct backup *b)
{
	sqlite3_backup_finish(b->b);
	sqlite3_close(b->copy);
	free(b);
}

/* The job is answered with a sentence. Frees the backup. */
static void failed(struct backup *b, const char *why)
{
	snprintf(b->job->error, sizeof(b->job->error), "no backup to %.60s: %.80s", b->file, why);
	log_error("store", "%s", b->job->error);
	remove_part(b);
	store_job_take(b->store);
	store_job_done(b->store, b->job);
	let_go(b);
}

static const char *begin(struct backup *b, sqlite3 *from)
{
	struct stat st;
	int fd;

	if (b->file[0] != '/')
		return "its name must begin with /";
	if (lstat(b->file, &st) == 0)
		return "there is a file of that name";
	remove_part(b);
	fd = open(b->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return strerror(errno);
	close(fd);
	if (sqlite3_open_v2(b->part, &b->copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return sqlite3_errmsg(b->copy);
	/* A copy that is not finished is worth nothing, so nothing of it need be durable before its end. */
	sqlite3_exec(b->copy, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	b->b = sqlite3_backup_init(b->copy, "main", from, "main");
	return b->b ? NULL : sqlite3_errmsg(b->copy);
}

/* Read the copy whole. Returns NULL, or what is wrong, in `why`. */
static const char *verify(const char *path, char *why, size_t size)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	bool ok = false;
	int rc;

	snprintf(why, size, "it cannot be read");
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	/* One file that needs nothing beside it. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL);
	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		snprintf(why, size, "%s", (const char *)sqlite3_column_text(st, 0));
		ok = strcmp(why, "ok") == 0;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return ok ? NULL : why;
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return rc;
}

static int keep(const struct backup *b)
{
	char dir[PATH_LEN_MAX + 1];
	char *slash;
	int rc = sync_path(b->part, O_RDONLY);

	/* link() and not rename(): what has come to be there meanwhile is not replaced. */
	if (rc == 0 && link(b->part, b->file) != 0)
		rc = -errno;
	if (rc != 0)
		return rc;
	(void)unlink(b->part);
	snprintf(dir, sizeof(dir), "%s", b->file);
	slash = strrchr(dir, '/');
	slash[slash == dir ? 1 : 0] = '\0';
	return sync_path(dir, O_RDONLY | O_DIRECTORY);
}

static void *verifier(void *arg)
{
	struct backup *b = arg;
	struct stat st = {0};
	char why[160];
	const char *wrong = verify(b->part, why, sizeof(why));
	int rc = wrong == NULL ? keep(b) : 0;

	if (wrong == NULL && rc != 0)
		wrong = strerror(-rc);
	if (wrong != NULL) {
		snprintf(b->job->error, sizeof(b->job->error), "no backup to %.60s: %.80s", b->file,
			 wrong);
		remove_part(b);
	} else {
		(void)stat(b->file, &st);
		b->job->result = json_pack("{s:s, s:i, s:I, s:I}", "file", b->file, "pages",
					   b->pages, "bytes", (json_int_t)st.st_size, "ms",
					   (json_int_t)((mono_ns() - b->began_ns) / 1000000));
	}
	store_job_done(b->store, b->job);
	atomic_store(&b->verified, true);
	return NULL;
}

/* True when the verifier is at work; else the job has failed and `b` is gone. */
static bool copied(struct backup *b)
{
	int rc;

	b->pages = sqlite3_backup_pagecount(b->b);
	rc = sqlite3_backup_finish(b->b);
	b->b = NULL;
	if (rc != SQLITE_OK) {
		failed(b, sqlite3_errstr(rc));
		return false;
	}
	sqlite3_close(b->copy);
	b->copy = NULL;
	rc = pthread_create(&b->verifier, NULL, verifier, b);
	if (rc != 0) {
		failed(b, strerror(rc));
		return false;
	}
	b->verifying = true;
	store_job_take(b->store);
	return true;
}

/* The verification of the job before. */
static void join_verifier(struct backup **backup)
{
	struct backup *b = *backup;

	pthread_join(b->verifier, NULL);
	let_go(b);
	*backup = NULL;
}

/* A database that grows as fast as it is copied would never be: then the steps become larger. */
static void keep_ahead(struct backup *b)
{
	int left = sqlite3_backup_remaining(b->b);

	if (b->left != 0 && left > b->left - STEP_PAGES / 2 && b->step_pages < STEP_PAGES_MAX)
		b->step_pages *= 2;
	b->left = left;
}

bool store_backup_step(struct store *store, struct question *job, struct backup **backup)
{
	struct backup *b;
	const char *why;
	int rc;

	if (*backup != NULL && (*backup)->verifying) {
		if (!atomic_load(&(*backup)->verified))
			return false;
		join_verifier(backup);
	}
	b = *backup;
	if (b == NULL) {
		b = calloc(1, sizeof(*b));
		if (b == NULL)
			return false;
		b->store = store;
		b->job = job;
		b->began_ns = mono_ns();
		b->step_pages = STEP_PAGES;
		snprintf(b->file, sizeof(b->file), "%.*s", PATH_LEN_MAX, job->text);
		snprintf(b->part, sizeof(b->part), "%s.part", b->file);
		why = begin(b, store->write_db);
		if (why != NULL)
			failed(b, why);
		else
			*backup = b;
		return true;
	}
	rc = sqlite3_backup_step(b->b, b->step_pages);
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return false;
	if (rc == SQLITE_OK) {
		keep_ahead(b);
		return true;
	}
	if (rc == SQLITE_DONE && copied(b))
		return true;
	*backup = NULL;
	if (rc != SQLITE_DONE)
		failed(b, sqlite3_errstr(rc));
	return true;
}

void store_backup_stop(struct backup **backup)
{
	struct backup *b = *backup;

	if (b == NULL)
		return;
	if (b->verifying) {
		join_verifier(backup);
		return;
	}
	remove_part(b);
	let_go(b);
	*backup = NULL;
}
