/* What the files of the shelf share.
 *
 * Thread: the shelf's.
 */
#ifndef ARCHIVE_SHELF_PRIV_H
#define ARCHIVE_SHELF_PRIV_H

#include <sqlite3.h>

#include "archive/shelf.h"

enum { SHELF_STATEMENTS = 64 };

struct shelf {
	sqlite3 *db;
	char error[300];
	/* prepared once, by the address of their text */
	struct {
		const char *sql;
		sqlite3_stmt *st;
	} prepared[SHELF_STATEMENTS];
	char how[4096];      /* SQL of the last search */
	unsigned steps_left; /* of the search that runs, in thousands */
};

extern const char *const shelf_migrations[];
extern const int shelf_version;

/* Kinds of words; their numbers are in the file. */
enum shelf_word { WORD_AGENT = 1, WORD_TEAM, WORD_QUEUE, WORD_RESULT, WORD_KIND, WORD_CLASS };

/* Note the database's complaint; returns the errno that stands for it. */
int shelf_fail(struct shelf *c, int rc);

/* A statement of a constant text, kept; reset and unbound. NULL after an error. */
sqlite3_stmt *shelf_sql(struct shelf *c, const char *sql);

/* Step a statement that gives no rows. Returns 0 or negative errno. */
int shelf_run(struct shelf *c, sqlite3_stmt *st);

/* The number of a word; made when it is new and `make`, else 0 when it is not known. "" is 0.
 * Negative errno on failure. */
int64_t shelf_word(struct shelf *c, enum shelf_word kind, const char *text, bool make);

/* The row `n` as an object. Returns 0, -ENOENT or negative errno. */
int shelf_row(struct shelf *c, uint64_t n, json_t **row);

/* n of an id. Returns 0, -ENOENT or negative errno. */
int shelf_number(struct shelf *c, const uint8_t id[16], uint64_t *n);

/* Chinese and Japanese have no spaces: each of their characters becomes a word, so that a search
 * for some of them is a search for a phrase. Returns text to free(), or NULL. */
char *shelf_spread(const char *text);

#endif
