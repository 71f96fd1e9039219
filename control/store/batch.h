/* Many rows written in one transaction, each judged by itself: what customers.c and knowledge.c have in common.
 *
 * Thread: the writer's; batch_bind() and batch_bind_json() any.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/store_priv.h"

enum { BATCH_STATEMENTS_MAX = 8 };

enum batch_verdict { BATCH_ADDED, BATCH_UPDATED, BATCH_DELETED, BATCH_REFUSED, BATCH_VERDICTS };

struct batch {
	sqlite3_stmt *st[BATCH_STATEMENTS_MAX];
	json_t *rows; /* of the answer */
	unsigned n[BATCH_VERDICTS];
	int rc; /* what does not go well is the whole batch's failure: nothing of it is kept */
};

/* What to do with one row of the job; not called again once `rc` is not SQLITE_OK. */
typedef void batch_row_fn(struct batch *b, const json_t *row);

/* Do all rows of the job and set its result {added, updated, deleted, refused, rows}. Returns an SQLite code; an error:
 * nothing was changed. */
int batch_run(sqlite3 *db, struct question *job, const char *const *sql, unsigned statements,
	      batch_row_fn *fn);

/* The statement with nothing bound. */
sqlite3_stmt *batch_statement(struct batch *b, unsigned which);

/* One step. True when it went well; *row, which may be NULL, is whether there is a row. */
bool batch_step(struct batch *b, sqlite3_stmt *st, bool *row);

/* Note what became of a row: `about`, which the call takes, gets members `done` and, if not NULL, `why`. */
void batch_done(struct batch *b, enum batch_verdict verdict, json_t *about, const char *why);

/* A text or an integer; anything else, and NULL, binds NULL. Of a text the value must outlive the step. */
void batch_bind(sqlite3_stmt *st, int at, const json_t *v);
/* A list or an object as JSON; NULL binds NULL. */
void batch_bind_json(sqlite3_stmt *st, int at, const json_t *v);

#endif
