/* What the files of store/ share: the queues between the loop and the two threads.
 *
 * store.c owns the object, the queues and the loop's side; writer.c and reader.c are a thread
 * each. One mutex guards what both sides touch; it is held for pointer work only, never across a
 * call into SQLite.
 */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include <sqlite3.h>

#include "record/tally.h"
#include "store/store.h"

enum { ROW_VALUES_MAX = 26 };

enum row_kind {
	ROW_CALL,
	ROW_LEG,
	ROW_STEP,
	ROW_NOTE,
	ROW_CALLBACK,
	ROW_WRAP_UP,
	ROW_AGENT_STATE,
	ROW_RECORDING,
	ROW_ACCOUNT,
	ROW_HEARD,
	ROW_JOURNAL,
	ROW_JOURNAL_DROP,
	ROW_ORPHAN_CALLS,
	ROW_ORPHAN_RECORDINGS,
	ROW_ORPHAN_WRAP_UPS,
	ROW_ORPHAN_AGENTS,
	ROW_FINDING,
	ROW_OVERLONG,
	ROW_SEARCH,
	ROW_ACT,
	ROW_KINDS,
};

enum value_kind { VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_TEXT };

struct value {
	enum value_kind kind;
	int64_t i;
	double d;
	const char *s;
};

/* One row on its way to the writer. Texts lie behind `values` in the same block. */
struct row {
	struct row *next;
	enum row_kind kind;
	unsigned n;
	struct value values[];
};

struct question {
	struct question *next;
	enum store_question kind;
	struct store_filter filter; /* its texts are this block's own */
	store_answer_fn *fn;
	void *arg;
	json_t *result; /* filled by the reader */
	char error[160];
	struct store_report
		report; /* STORE_ASK_REPORT; its texts and borders are this block's own, too */
	struct store_keep keep; /* STORE_DO_PURGE */
	json_t *json;           /* customers.h, knowledge.h: rows or filter, this question's own */
	char text[];            /* storage of the filter's texts */
};

/* Work of the writer beside rows, done in small steps between batches (chores.c). */
struct chores {
	/* Guarded by the store's lock. */
	uint64_t tabulate_to_ms; /* wanted; 0: nothing */
	struct tally_limits *limits;
	size_t n_limits;
	struct question *jobs, **jobs_tail;     /* the first is under way */
	struct question *writes, **writes_tail; /* short jobs, which go before: a step each */
	uint64_t tabulated_ms;                  /* up to here the tables were seen to be complete */
	uint64_t retry_ns; /* after a failure nothing is tried before this (CLOCK_MONOTONIC) */

	/* The writer thread's alone. */
	struct backup *backup;
	unsigned purge_table;
	json_t *purged;
};

struct row_list {
	struct row *head, **tail;
	uint32_t count;
};

struct store {
	/* Set before the threads start; read only after. */
	char *file;
	int event_fd; /* answers are ready */
	bool moved_aside;

	sqlite3 *write_db; /* writer thread's alone once it runs */
	sqlite3 *read_db;  /* reader thread's alone once it runs */
	sqlite3_stmt *insert[ROW_KINDS];
	pthread_t writer, reader;

	/* Guarded by `lock`. */
	pthread_mutex_t lock;
	pthread_cond_t rows_wait, questions_wait;
	struct row_list rows;
	uint32_t writing; /* rows the writer has taken and not yet committed */
	struct question *questions, **questions_tail;
	uint32_t question_count;
	struct question *answers, **answers_tail;
	struct chores chores;
	bool stop_writer, stop_reader;
	struct timespec give_up; /* when stopping: after this the writer leaves its rows */
	enum store_state state;
	char text[160];
	uint64_t written, dropped;
};

/* Copy a row into the queue. False: refused. */
bool store_put(struct store *store, enum row_kind kind, const struct value *values, unsigned n);

/* Thread bodies; `arg` is the store. */
void *store_writer(void *arg);
void *store_reader(void *arg);

/* chores.c. Called locked: is there something to do beside rows? */
bool store_chores_wait(const struct store *store);
/* Nothing is to be done now: wait until something is. Called locked by the writer. */
void store_chores_sleep(struct store *store);
/* One small step. Called unlocked by the writer. */
void store_chores_step(struct store *store);
/* The writer is about to end: what is half done is undone. */
void store_chores_stop(struct store *store);
/* The first job is over for the writer: the next may begin. Called unlocked by the writer, before its answer. */
void store_job_take(struct store *store);
/* Hand over the answer of a job. Called unlocked, by any thread. */
void store_job_done(struct store *store, struct question *job);

/* tabulate.c. Add up the raw rows of the tally's window. Returns an SQLite code. */
int store_tabulate_fold(sqlite3 *db, struct tally *t, uint64_t now_ms);
/* Compute the next interval before `to_ms` and move the mark. Returns SQLITE_ROW when there is another,
 * SQLITE_DONE when there is none, or an SQLite error (nothing changed then). */
int store_tabulate_step(sqlite3 *db, uint64_t to_ms, const struct tally_limits *limits,
			size_t n_limits, uint64_t *reached_ms);
/* End of what is computed; 0 when nothing is. */
uint64_t store_tabulate_mark(sqlite3 *db);
/* The end of what has ever been computed: what is more than a day before it changes no table any more. */
uint64_t store_tabulate_highest(sqlite3 *db);
/* Where a database begins that has no tables: with its first raw row before `to_ms`. 0: there is none. */
uint64_t store_tabulate_first(sqlite3 *db, uint64_t to_ms);

/* customers.c. Write the job's rows in one transaction and set its result; an SQLite error: nothing was changed. */
int store_customers_step(sqlite3 *db, struct question *job);
json_t *store_customers_answer(sqlite3 *db, struct question *q);
/* knowledge.c; likewise */
int store_knowledge_step(sqlite3 *db, struct question *job);
json_t *store_knowledge_answer(struct store *store, struct question *q);
json_t *store_knowledge_log(struct store *store, struct question *q);
/* acts.c */
json_t *store_acts_answer(sqlite3 *db, struct question *q);

/* A question about `json`, which the call takes; NULL: no memory. */
struct question *store_question(enum store_question kind, json_t *json, store_answer_fn *fn,
				void *arg);

/* A question into the reader's queue, or a job into the writer's; they take `q`. Return as store_ask(). */
int store_ask_question(struct store *store, struct question *q);
int store_ask_job(struct store *store, struct question *q);
/* And out of it again, answered. */
void store_question_free(struct question *q);

/* reader.c: all rows of a statement as objects; NULL with q->error when it fails. */
json_t *store_rows(sqlite3 *db, struct question *q, sqlite3_stmt *st);

/* report_notes.c */
json_t *store_report_notes(sqlite3 *db, struct question *q);

/* report.c */
json_t *store_report_answer(sqlite3 *db, struct question *q, const struct tally_limits *limits,
			    size_t n_limits);

/* purge.c. Delete a few rows of one table; SQLITE_ROW: call again, SQLITE_DONE, or an error. */
int store_purge_step(sqlite3 *db, const struct store_keep *keep, unsigned *table, json_t *purged);

/* backup.c. One step of the first job; false when it must wait. Its answer comes by store_job_done(), perhaps
 * from the thread that verifies. */
bool store_backup_step(struct store *store, struct question *job, struct backup **backup);
/* Give it up and remove what there is of the copy; waits for a verification. NULL is fine. */
void store_backup_stop(struct backup **backup);

/* Prepare the statements of all kinds. Returns an SQLite code. */
int store_writer_prepare(struct store *store);

#endif
