/* SPDX-License-Identifier: Apache-2.0
 *
 * What the writer does beside rows: interval tables, and jobs (a backup, deleting what is old, customers and articles). Rows go
 * first, then jobs that are one short step, then what takes many; a chore is done in steps of some milliseconds, one after each batch, so that under load
 * both make progress. A step that fails (a locked or full database) is tried again half a second later.
 */
#include "store/store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/log.h"

enum { RETRY_NS = 500000000 };

static uint64_t mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool pending(const struct store *store)
{
	const struct chores *c = &store->chores;

	return !store->stop_writer &&
	       (c->writes != NULL || c->jobs != NULL || c->tabulate_to_ms > c->tabulated_ms);
}

bool store_chores_wait(const struct store *store)
{
	return pending(store) && mono_ns() >= store->chores.retry_ns;
}

void store_chores_sleep(struct store *store)
{
	uint64_t ns = store->chores.retry_ns;
	struct timespec until = {.tv_sec = (time_t)(ns / 1000000000U),
				 .tv_nsec = (long)(ns % 1000000000U)};

	if (pending(store))
		(void)pthread_cond_timedwait(&store->rows_wait, &store->lock, &until);
	else
		pthread_cond_wait(&store->rows_wait, &store->lock);
}

void store_job_done(struct store *store, struct question *job)
{
	pthread_mutex_lock(&store->lock);
	job->next = NULL;
	*store->answers_tail = job;
	store->answers_tail = &job->next;
	if (eventfd_write(store->event_fd, 1) != 0)
		log_warn("store", "eventfd: %s", strerror(errno));
	pthread_mutex_unlock(&store->lock);
}

/* Called unlocked; the limits are a copy, because the loop may replace them meanwhile. */
static int tabulate(struct store *store)
{
	struct chores *c = &store->chores;
	struct tally_limits *limits = NULL;
	uint64_t to_ms, reached_ms = 0;
	size_t n;
	int rc;

	pthread_mutex_lock(&store->lock);
	to_ms = c->tabulate_to_ms;
	n = c->n_limits;
	if (n > 0)
		limits = malloc(n * sizeof(*limits));
	if (limits != NULL)
		memcpy(limits, c->limits, n * sizeof(*limits));
	else
		n = 0;
	pthread_mutex_unlock(&store->lock);

	rc = store_tabulate_step(store->write_db, to_ms, limits, n, &reached_ms);
	free(limits);
	if (rc == SQLITE_DONE) {
		/* Up to date. The table is asked again when the next interval is over: a late row may have
		 * taken the mark back. */
		pthread_mutex_lock(&store->lock);
		c->tabulated_ms = to_ms;
		pthread_mutex_unlock(&store->lock);
	}
	return rc;
}

void store_job_take(struct store *store)
{
	struct chores *c = &store->chores;

	pthread_mutex_lock(&store->lock);
	c->jobs = c->jobs->next;
	if (c->jobs == NULL)
		c->jobs_tail = &c->jobs;
	pthread_mutex_unlock(&store->lock);
}

static int purge(struct store *store, struct question *job)
{
	struct chores *c = &store->chores;
	int rc;

	if (c->purged == NULL) {
		c->purged = json_object();
		c->purge_table = 0;
	}
	rc = store_purge_step(store->write_db, &job->keep, &c->purge_table, c->purged);
	if (rc == SQLITE_DONE) {
		job->result = c->purged;
		c->purged = NULL;
		store_job_take(store);
		store_job_done(store, job);
	}
	return rc;
}

static bool is_write(const struct question *q)
{
	return q->kind == STORE_DO_CUSTOMERS || q->kind == STORE_DO_KNOWLEDGE;
}

/* The first of the short jobs, whole. */
static int write_rows(struct store *store, struct question *job)
{
	struct chores *c = &store->chores;
	int rc = job->kind == STORE_DO_CUSTOMERS ? store_customers_step(store->write_db, job)
						 : store_knowledge_step(store->write_db, job);

	if (rc != SQLITE_OK)
		return rc;
	pthread_mutex_lock(&store->lock);
	c->writes = job->next;
	if (c->writes == NULL)
		c->writes_tail = &c->writes;
	pthread_mutex_unlock(&store->lock);
	store_job_done(store, job);
	return rc;
}

/* Rows alone for a while. */
static void rest(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	store->chores.retry_ns = mono_ns() + RETRY_NS;
	pthread_mutex_unlock(&store->lock);
}

void store_chores_step(struct store *store)
{
	struct chores *c = &store->chores;
	struct question *job, *write;
	bool due;
	int rc = SQLITE_OK;

	pthread_mutex_lock(&store->lock);
	write = c->writes;
	job = c->jobs;
	due = c->tabulate_to_ms > c->tabulated_ms;
	pthread_mutex_unlock(&store->lock);

	if (write != NULL) {
		rc = write_rows(store, write);
	} else if (due) {
		rc = tabulate(store);
	} else if (job != NULL && job->kind == STORE_DO_PURGE) {
		rc = purge(store, job);
	} else if (job != NULL && !store_backup_step(store, job, &c->backup)) {
		rest(store);
	}
	if (rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE) {
		log_warn("store", "a chore waits: %s", sqlite3_errmsg(store->write_db));
		rest(store);
	}
}

void store_chores_stop(struct store *store)
{
	struct chores *c = &store->chores;

	store_backup_stop(&c->backup);
	json_decref(c->purged);
	c->purged = NULL;
}

void store_limits(struct store *store, const struct tally_limits *limits, size_t n)
{
	struct tally_limits *copy = n > 0 ? malloc(n * sizeof(*copy)) : NULL, *old;

	if (copy != NULL)
		memcpy(copy, limits, n * sizeof(*copy));
	pthread_mutex_lock(&store->lock);
	old = store->chores.limits;
	store->chores.limits = copy;
	store->chores.n_limits = copy ? n : 0;
	pthread_mutex_unlock(&store->lock);
	free(old);
}

void store_tabulate(struct store *store, uint64_t now_ms)
{
	uint64_t to_ms = now_ms > STORE_SETTLE_MS ? tally_start(now_ms - STORE_SETTLE_MS) : 0;

	pthread_mutex_lock(&store->lock);
	if (to_ms > store->chores.tabulate_to_ms)
		store->chores.tabulate_to_ms = to_ms;
	if (store_chores_wait(store))
		pthread_cond_signal(&store->rows_wait);
	pthread_mutex_unlock(&store->lock);
}

int store_ask_job(struct store *store, struct question *q)
{
	bool fits;

	pthread_mutex_lock(&store->lock);
	fits = store->question_count < STORE_ASK_MAX;
	if (fits) {
		store->question_count++;
		struct question ***tail =
			is_write(q) ? &store->chores.writes_tail : &store->chores.jobs_tail;

		**tail = q;
		*tail = &q->next;
		pthread_cond_signal(&store->rows_wait);
	}
	pthread_mutex_unlock(&store->lock);
	if (!fits)
		store_question_free(q);
	return fits ? 0 : -ENOBUFS;
}

int store_backup(struct store *store, const char *file, store_answer_fn *fn, void *arg)
{
	size_t len = strlen(file) + 1;
	struct question *q = calloc(1, sizeof(*q) + len);

	if (q == NULL)
		return -ENOBUFS;
	q->kind = STORE_DO_BACKUP;
	q->fn = fn;
	q->arg = arg;
	memcpy(q->text, file, len);
	return store_ask_job(store, q);
}

int store_purge(struct store *store, const struct store_keep *keep, store_answer_fn *fn, void *arg)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return -ENOBUFS;
	q->kind = STORE_DO_PURGE;
	q->fn = fn;
	q->arg = arg;
	q->keep = *keep;
	return store_ask_job(store, q);
}
