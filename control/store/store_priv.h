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
	char text[]; /* storage of the filter's texts */
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

/* Prepare the statements of all kinds. Returns an SQLite code. */
int store_writer_prepare(struct store *store);

#endif
