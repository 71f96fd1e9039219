/* What is wrong with a text that a person wrote, said so that the person can put it right.
 *
 * A complaint is one sentence with a line and a column. Readers of configuration and flows go on
 * after the first one, so that one look shows them all; only the first COMPLAINTS_KEPT are kept,
 * the others are counted. The words are final: print complaint_line() and nothing around it.
 *
 * Thread: the owner's. Memory: none but the struct itself.
 */
#ifndef CONF_COMPLAINT_H
#define CONF_COMPLAINT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPLAINTS_KEPT = 32, COMPLAINT_TEXT_MAX = 240, COMPLAINT_NAME_MAX = 128 };

enum complaint_level {
	COMPLAINT_ERROR,   /* the text is refused */
	COMPLAINT_WARNING, /* the text is taken; its author should look */
};

/* Where in a text. Both count from 1; {0, 0} is "the text as a whole". */
struct mark {
	uint32_t line;
	uint32_t column;
};

struct complaint {
	enum complaint_level level;
	struct mark at;
	char text[COMPLAINT_TEXT_MAX];
};

struct complaints {
	char name[COMPLAINT_NAME_MAX]; /* what the text is called: a file name */
	unsigned errors;               /* all of them, kept or not */
	unsigned warnings;
	unsigned kept;
	struct complaint list[COMPLAINTS_KEPT];
};

/* Start with none about the text called `name` (copied, cut when too long). */
void complaints_init(struct complaints *c, const char *name);

/* Add one. `fmt` is a sentence without capital and full stop. */
void complain(struct complaints *c, enum complaint_level level, struct mark at, const char *fmt,
	      ...) __attribute__((format(printf, 4, 5)));

/* Complaint `i` as "NAME:LINE:COLUMN: text" ("warning: text" for a warning) into `out`.
 * Returns `out`. i < c->kept. */
const char *complaint_line(const struct complaints *c, unsigned i, char *out, size_t size);

/* The one of `n` `words` that `word` was probably meant to be, or NULL when none is near
 * (Damerau-Levenshtein distance of at most a third of its length, 3 at most). */
const char *complaint_guess(const char *word, const char *const *words, size_t n);

#endif
