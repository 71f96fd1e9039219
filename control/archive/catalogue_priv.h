/* What the files of the catalogue share.
 *
 * Thread: the catalogue's.
 */
#ifndef ARCHIVE_CATALOGUE_PRIV_H
#define ARCHIVE_CATALOGUE_PRIV_H

#include <sqlite3.h>

#include "archive/catalogue.h"

enum { CATALOGUE_STATEMENTS = 64 };

struct catalogue {
	sqlite3 *db;
	char error[300];
	/* prepared once, by the address of their text */
	struct {
		const char *sql;
		sqlite3_stmt *st;
	} prepared[CATALOGUE_STATEMENTS];
	char how[4096];      /* SQL of the last search */
	unsigned steps_left; /* of the search that runs, in thousands */
};

extern const char *const catalogue_migrations[];
extern const int catalogue_version;

/* Kinds of words; their numbers are in the file. */
enum catalogue_word { WORD_AGENT = 1, WORD_TEAM, WORD_QUEUE, WORD_RESULT, WORD_KIND, WORD_CLASS };

/* Note the database's complaint; returns the errno that stands for it. */
int catalogue_fail(struct catalogue *c, int rc);

/* A statement of a constant text, kept; reset and unbound. NULL after an error. */
sqlite3_stmt *catalogue_sql(struct catalogue *c, const char *sql);

/* Step a statement that gives no rows. Returns 0 or negative errno. */
int catalogue_run(struct catalogue *c, sqlite3_stmt *st);

/* The number of a word; made when it is new and `make`, else 0 when it is not known. "" is 0.
 * Negative errno on failure. */
int64_t catalogue_word(struct catalogue *c, enum catalogue_word kind, const char *text, bool make);

/* The row `n` as an object. Returns 0, -ENOENT or negative errno. */
int catalogue_row(struct catalogue *c, uint64_t n, json_t **row);

/* n of an id. Returns 0, -ENOENT or negative errno. */
int catalogue_number(struct catalogue *c, const uint8_t id[16], uint64_t *n);

/* Chinese and Japanese have no spaces: each of their characters becomes a word, so that a search
 * for some of them is a search for a phrase. Returns text to free(), or NULL. */
char *catalogue_spread(const char *text);

#endif
