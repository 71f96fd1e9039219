/* SPDX-License-Identifier: Apache-2.0
 *
 * Open and migrate, close, hand out answers. What is put is in rows.c, what is asked in ask.c.
 */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "store/schema.h"
#include "store/store_priv.h"

enum { OPEN_BUSY_MS = 5000, WRITE_BUSY_MS = 250 };

const char *store_state_name(enum store_state state)
{
	switch (state) {
	case STORE_OK:
		return "ok";
	case STORE_LOCKED:
		return "locked";
	case STORE_FULL:
		return "full";
	case STORE_FAILED:
		break;
	}
	return "failed";
}

static int errno_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int read_int(sqlite3 *db, const char *sql, int *value)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*value = sqlite3_column_int(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc;
}

/* Bring the tables to the newest version, each step in a transaction of its own.
 * Returns an SQLite code; SQLITE_SCHEMA when the file is newer than this program. */
static int migrate(sqlite3 *db)
{
	int version = 0;
	int rc = read_int(db, "PRAGMA user_version", &version);

	if (rc != SQLITE_OK)
		return rc;
	if (version > store_schema_version)
		return SQLITE_SCHEMA;
	for (; version < store_schema_version; version++) {
		char stamp[48];

		snprintf(stamp, sizeof(stamp), "PRAGMA user_version = %d", version + 1);
		rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db, store_migrations[version], NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db, stamp, NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

static int open_writer(struct store *store)
{
	int rc = sqlite3_open_v2(store->file, &store->write_db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
					 SQLITE_OPEN_EXRESCODE,
				 NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(store->write_db, OPEN_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->write_db,
				  "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
				  "PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit="
				  "67108864; PRAGMA foreign_keys=OFF",
				  NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = migrate(store->write_db);
	if (rc == SQLITE_OK)
		rc = store_writer_prepare(store);
	return rc;
}

static void close_writer(struct store *store)
{
	for (int k = 0; k < ROW_KINDS; k++) {
		sqlite3_finalize(store->insert[k]);
		store->insert[k] = NULL;
	}
	sqlite3_close(store->write_db);
	store->write_db = NULL;
}

/* Move a file that is no database out of the way, with its journal. */
static int move_aside(struct store *store)
{
	char to[4200], side[4200];
	size_t len = strlen(store->file);

	if (len > 4096)
		return -ENAMETOOLONG;
	snprintf(to, sizeof(to), "%s.corrupt-%lld", store->file, (long long)time(NULL));
	if (rename(store->file, to) != 0)
		return -errno;
	log_error("store", "%s is not a usable database; it was moved to %s and a new one begun",
		  store->file, to);
	for (int i = 0; i < 2; i++) {
		char from[4200];
		const char *end = i == 0 ? "-wal" : "-shm";

		snprintf(from, sizeof(from), "%s%s", store->file, end);
		snprintf(side, sizeof(side), "%.4150s%s", to, end);
		if (rename(from, side) != 0 && errno != ENOENT)
			return -errno;
	}
	store->moved_aside = true;
	return 0;
}

static int open_reader(struct store *store)
{
	int rc = sqlite3_open_v2(store->file, &store->read_db,
				 SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(store->read_db, WRITE_BUSY_MS);
	return rc;
}

static int start_threads(struct store *store)
{
	pthread_condattr_t attr;
	int rc;

	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->rows_wait, &attr);
	pthread_cond_init(&store->questions_wait, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&store->writer, NULL, store_writer, store);
	if (rc != 0)
		return -rc;
	rc = pthread_create(&store->reader, NULL, store_reader, store);
	if (rc == 0)
		return 0;
	pthread_mutex_lock(&store->lock);
	store->stop_writer = true;
	pthread_cond_signal(&store->rows_wait);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->writer, NULL);
	return -rc;
}

int store_open(struct store **out, const char *file, char *why, size_t why_size)
{
	struct store *store = calloc(1, sizeof(*store));
	int rc, err;

	if (store == NULL)
		return -ENOMEM;
	store->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	store->file = strdup(file);
	store->rows.tail = &store->rows.head;
	store->questions_tail = &store->questions;
	store->answers_tail = &store->answers;
	store->chores.jobs_tail = &store->chores.jobs;
	store->chores.writes_tail = &store->chores.writes;
	if (store->event_fd < 0 || store->file == NULL) {
		err = -ENOMEM;
		goto fail;
	}

	rc = open_writer(store);
	if ((rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT) {
		close_writer(store);
		err = move_aside(store);
		if (err < 0) {
			snprintf(why, why_size, "%s is corrupt and cannot be moved aside: %s", file,
				 strerror(-err));
			goto fail;
		}
		rc = open_writer(store);
	}
	if (rc == SQLITE_SCHEMA) {
		snprintf(why, why_size, "%s was written by a newer version of patchbayd", file);
		err = -EPROTO;
		goto fail;
	}
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(store->write_db, WRITE_BUSY_MS);
		rc = open_reader(store);
	}
	if (rc != SQLITE_OK) {
		snprintf(why, why_size, "%s: %s", file,
			 store->write_db ? sqlite3_errmsg(store->write_db) : sqlite3_errstr(rc));
		err = errno_of(rc);
		goto fail;
	}
	err = start_threads(store);
	if (err < 0) {
		snprintf(why, why_size, "cannot start a thread: %s", strerror(-err));
		goto fail;
	}
	*out = store;
	return 0;

fail:
	close_writer(store);
	sqlite3_close(store->read_db);
	if (store->event_fd >= 0)
		close(store->event_fd);
	free(store->file);
	free(store);
	return err;
}

/* Answer what the reader will not answer any more. */
static void refuse_questions(struct question *q)
{
	while (q != NULL) {
		struct question *next = q->next;

		q->fn(q->arg, NULL, "the store is closing");
		store_question_free(q);
		q = next;
	}
}

uint32_t store_close(struct store *store, uint32_t wait_ms)
{
	uint32_t left;

	if (store == NULL)
		return 0;
	pthread_mutex_lock(&store->lock);
	clock_gettime(CLOCK_MONOTONIC, &store->give_up);
	store->give_up.tv_sec += wait_ms / 1000;
	store->give_up.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (store->give_up.tv_nsec >= 1000000000) {
		store->give_up.tv_nsec -= 1000000000;
		store->give_up.tv_sec++;
	}
	store->stop_writer = store->stop_reader = true;
	pthread_cond_signal(&store->rows_wait);
	pthread_cond_signal(&store->questions_wait);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->writer, NULL);
	pthread_join(store->reader, NULL);

	store_dispatch(store);
	refuse_questions(store->questions);
	refuse_questions(store->chores.writes);
	refuse_questions(store->chores.jobs);
	left = store->rows.count + store->writing;
	for (struct row *row = store->rows.head; row != NULL;) {
		struct row *next = row->next;

		free(row);
		row = next;
	}
	close_writer(store);
	sqlite3_close(store->read_db);
	close(store->event_fd);
	pthread_cond_destroy(&store->rows_wait);
	pthread_cond_destroy(&store->questions_wait);
	pthread_mutex_destroy(&store->lock);
	free(store->chores.limits);
	free(store->file);
	free(store);
	return left;
}

void store_status(const struct store *store, struct store_status *status)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&store->lock;

	pthread_mutex_lock(lock);
	*status = (struct store_status){
		.state = store->state,
		.schema = store_schema_version,
		.waiting = store->rows.count + store->writing,
		.waiting_max = STORE_QUEUE_MAX,
		.written = store->written,
		.dropped = store->dropped,
		.moved_aside = store->moved_aside,
	};
	memcpy(status->text, store->text, sizeof(status->text));
	pthread_mutex_unlock(lock);
}

int store_fd(const struct store *store)
{
	return store->event_fd;
}

void store_dispatch(struct store *store)
{
	eventfd_t n;
	struct question *q;

	(void)eventfd_read(store->event_fd, &n); /* -EAGAIN when nothing was announced: fine */
	pthread_mutex_lock(&store->lock);
	q = store->answers;
	store->answers = NULL;
	store->answers_tail = &store->answers;
	for (struct question *i = q; i != NULL; i = i->next)
		store->question_count--;
	pthread_mutex_unlock(&store->lock);
	while (q != NULL) {
		struct question *next = q->next;

		q->fn(q->arg, q->result, q->result ? NULL : q->error);
		store_question_free(q);
		q = next;
	}
}
