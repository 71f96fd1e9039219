/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop's side: open and migrate, put rows, ask questions, hand out answers.
 */
#include "store/store.h"

#include <errno.h>
#include <stdarg.h>
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

void store_question_free(struct question *q)
{
	json_decref(q->result);
	json_decref(q->json);
	free(q);
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

/* How many rows may wait before one of this kind: some are missed less than others. */
static uint32_t room_for(enum row_kind kind)
{
	if (kind == ROW_JOURNAL) /* large, and the next one says it all again */
		return STORE_QUEUE_MAX / 8;
	if (kind == ROW_SEARCH || kind == ROW_STEP || kind == ROW_AGENT_STATE || kind == ROW_LEG)
		return STORE_QUEUE_MAX / 4 * 3;
	return STORE_QUEUE_MAX;
}

bool store_put(struct store *store, enum row_kind kind, const struct value *values, unsigned n)
{
	size_t bytes = sizeof(struct row) + n * sizeof(struct value);
	struct row *row;
	char *text;

	for (unsigned i = 0; i < n; i++)
		if (values[i].kind == VALUE_TEXT)
			bytes += strlen(values[i].s) + 1;
	row = malloc(bytes);
	if (row == NULL)
		return false;
	row->next = NULL;
	row->kind = kind;
	row->n = n;
	text = (char *)&row->values[n];
	for (unsigned i = 0; i < n; i++) {
		row->values[i] = values[i];
		if (values[i].kind != VALUE_TEXT)
			continue;
		size_t len = strlen(values[i].s) + 1;

		memcpy(text, values[i].s, len);
		row->values[i].s = text;
		text += len;
	}

	pthread_mutex_lock(&store->lock);
	uint32_t waiting = store->rows.count + store->writing;
	uint32_t room = room_for(kind);
	bool fits = waiting < room;

	if (fits) {
		*store->rows.tail = row;
		store->rows.tail = &row->next;
		store->rows.count++;
		pthread_cond_signal(&store->rows_wait);
	} else {
		store->dropped++;
	}
	pthread_mutex_unlock(&store->lock);
	if (!fits)
		free(row);
	return fits;
}

static struct value text(const char *s)
{
	return (struct value){.kind = VALUE_TEXT, .s = s ? s : ""};
}

static struct value text_or_null(const char *s)
{
	return s && s[0] ? text(s) : (struct value){.kind = VALUE_NULL};
}

static struct value number(uint64_t i)
{
	return (struct value){.kind = VALUE_INT, .i = i > INT64_MAX ? INT64_MAX : (int64_t)i};
}

static struct value ms_or_null(uint64_t ms)
{
	return ms ? number(ms) : (struct value){.kind = VALUE_NULL};
}

static struct value real_or_null(bool known, double d)
{
	return known ? (struct value){.kind = VALUE_REAL, .d = d}
		     : (struct value){.kind = VALUE_NULL};
}

#define PUT(store, kind, ...)                                                                      \
	store_put((store), (kind), (const struct value[]){__VA_ARGS__},                            \
		  sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value))

bool store_call(struct store *store, const struct call_record *r)
{
	json_t *agents = json_array();
	bool ended = r->ended_ms != 0, ok;

	for (unsigned i = 0; i < r->agent_count; i++)
		json_array_append_new(agents, json_string(r->agents[i]));

	char *list = json_dumps(agents, JSON_COMPACT);

	json_decref(agents);
	ok = PUT(store, ROW_CALL, text(r->call), text(call_kind_name(r->kind)), text(r->from),
		 text(r->to), text(r->queue),
		 text(r->agent_count ? r->agents[r->agent_count - 1] : ""),
		 text(list ? list : "[]"), text(r->path), number(r->started_ms),
		 ms_or_null(r->answered_ms), ms_or_null(r->ended_ms), number(r->wait_ms),
		 number(r->talk_ms), number(r->hold_ms), number(r->offers),
		 text(call_party_name(r->hung_up_by)), text(ended ? call_cause_name(r->cause) : ""),
		 text(ended ? call_cause_text(r->cause) : ""),
		 ended ? number(call_cause_q850(r->cause)) : text_or_null(NULL),
		 text_or_null(r->recording), real_or_null(r->quality.known, r->quality.lost_share),
		 real_or_null(r->quality.known, r->quality.jitter_ms),
		 real_or_null(r->quality.rtt_known, r->quality.rtt_ms),
		 real_or_null(r->quality.known, r->quality.mos), text(r->flow),
		 text(r->not_recorded));
	free(list);
	return ok;
}

bool store_leg(struct store *store, const struct store_leg *l)
{
	return PUT(store, ROW_LEG, text(l->leg), text(l->call), text(l->role), text(l->party),
		   text(l->sip_call_id), number(l->started_ms), ms_or_null(l->answered_ms),
		   ms_or_null(l->ended_ms), text_or_null(l->stats), text_or_null(l->codec),
		   text_or_null(l->remote), text(l->ended_by), ms_or_null(l->sip_status),
		   ms_or_null(l->q850), text(l->ended_text), number(l->held_ms));
}

bool store_step(struct store *store, const char *call, uint64_t at_ms, enum call_step step,
		const char *detail)
{
	return PUT(store, ROW_STEP, text(call), number(at_ms), text(call_step_name(step)),
		   text_or_null(detail));
}

bool store_note(struct store *store, const char *call, uint64_t at_ms, const char *key,
		const char *value)
{
	return PUT(store, ROW_NOTE, text(call), number(at_ms), text(key), text(value));
}

bool store_callback(struct store *store, const struct store_callback *b)
{
	return PUT(store, ROW_CALLBACK, text(b->call), text(b->queue ? b->queue : ""),
		   text(b->number ? b->number : ""), text(b->from ? b->from : ""),
		   number(b->priority), number(b->tries), number(b->promised_ms), text(b->state),
		   number(b->due_ms));
}

bool store_wrap_up(struct store *store, const char *call, uint64_t wrap_up_ms)
{
	return PUT(store, ROW_WRAP_UP, text(call), number(wrap_up_ms));
}

bool store_agent_state(struct store *store, const char *agent, uint64_t at_ms, const char *state,
		       const char *reason, const char *call)
{
	return PUT(store, ROW_AGENT_STATE, text(agent), number(at_ms), text(state),
		   text_or_null(reason), text_or_null(call));
}

bool store_recording(struct store *store, const struct store_recording *r)
{
	return PUT(store, ROW_RECORDING, text(r->recording), text(r->call), text(r->kind),
		   text(r->agent), text(r->queue), text(r->from), text(r->to),
		   number(r->started_ms), ms_or_null(r->ended_ms), number(r->complete),
		   number(r->accepted), number(r->written), number(r->lost),
		   text_or_null(r->lost_reason), text_or_null(r->account));
}

bool store_account(struct store *store, const struct store_recording *r)
{
	return PUT(store, ROW_ACCOUNT, text(r->recording), number(r->complete), number(r->accepted),
		   number(r->written), number(r->lost), text_or_null(r->lost_reason),
		   text_or_null(r->account), ms_or_null(r->ended_ms));
}

bool store_heard(struct store *store, const char *recording, bool heard)
{
	return PUT(store, ROW_HEARD, text(recording), number(heard));
}

bool store_finding(struct store *store, const struct store_finding *f)
{
	return PUT(store, ROW_FINDING, text(f->agent), number(f->at_ms), text(f->rule),
		   text_or_null(f->call), number(f->count), number(f->lasted_ms),
		   text(f->evidence));
}

bool store_overlong(struct store *store, const struct store_overlong *o)
{
	return PUT(store, ROW_OVERLONG, text(o->call), text(o->agent), text(o->what),
		   number(o->began_ms), text(o->queue), number(o->level), number(o->limit_ms),
		   number(o->lasted_ms), text(o->told));
}

bool store_close_orphans(struct store *store, uint64_t now_ms)
{
	return PUT(store, ROW_ORPHAN_CALLS, number(now_ms)) &&
	       PUT(store, ROW_ORPHAN_RECORDINGS, number(now_ms)) &&
	       PUT(store, ROW_ORPHAN_WRAP_UPS, number(now_ms)) &&
	       PUT(store, ROW_ORPHAN_AGENTS, number(now_ms));
}

static const char *keep(char **at, const char *s)
{
	size_t n;
	char *start = *at;

	if (s == NULL)
		return NULL;
	n = strlen(s) + 1;
	memcpy(start, s, n);
	*at += n;
	return start;
}

static size_t len(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

int store_ask_question(struct store *store, struct question *q)
{
	bool fits;

	pthread_mutex_lock(&store->lock);
	fits = store->question_count < STORE_ASK_MAX;
	if (fits) {
		store->question_count++;
		*store->questions_tail = q;
		store->questions_tail = &q->next;
		pthread_cond_signal(&store->questions_wait);
	}
	pthread_mutex_unlock(&store->lock);
	if (!fits)
		store_question_free(q);
	return fits ? 0 : -ENOBUFS;
}

int store_report(struct store *store, const struct store_report *r, store_answer_fn *fn, void *arg)
{
	size_t borders = r->borders * sizeof(*r->border);
	size_t aliases = r->aliases * sizeof(*r->alias);
	struct question *q;
	char *at;

	must(r->borders >= 2 && r->borders <= STORE_BORDERS_MAX);
	q = calloc(1, sizeof(*q) + borders + aliases + 16 + len(r->key));
	if (q == NULL)
		return -ENOBUFS;
	q->kind = STORE_ASK_REPORT;
	q->fn = fn;
	q->arg = arg;
	q->report = *r;
	at = q->text + (8 - (uintptr_t)q->text % 8) % 8;
	memcpy(at, r->border, borders);
	q->report.border = (const uint64_t *)(const void *)at;
	at += borders;
	if (aliases > 0)
		memcpy(at, r->alias, aliases);
	q->report.alias = r->alias ? (const struct store_alias *)(const void *)at : NULL;
	at += aliases;
	q->report.key = keep(&at, r->key);
	return store_ask_question(store, q);
}

struct question *store_question(enum store_question kind, json_t *json, store_answer_fn *fn,
				void *arg)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		json_decref(json);
		return NULL;
	}
	q->kind = kind;
	q->fn = fn;
	q->arg = arg;
	q->json = json;
	return q;
}

int store_ask(struct store *store, enum store_question kind, const struct store_filter *f,
	      store_answer_fn *fn, void *arg)
{
	struct question *q;
	char *at;

	q = calloc(1, sizeof(*q) + len(f->call) + len(f->agent) + len(f->queue) + len(f->number) +
			      len(f->kind) + len(f->after));
	if (q == NULL)
		return -ENOBUFS;
	q->kind = kind;
	q->fn = fn;
	q->arg = arg;
	q->filter = *f;
	at = q->text;
	q->filter.call = keep(&at, f->call);
	q->filter.agent = keep(&at, f->agent);
	q->filter.queue = keep(&at, f->queue);
	q->filter.number = keep(&at, f->number);
	q->filter.kind = keep(&at, f->kind);
	q->filter.after = keep(&at, f->after);
	return store_ask_question(store, q);
}
