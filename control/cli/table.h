/* Text in columns for a terminal, whatever the script it is written in.
 *
 * Widths are those of a terminal: a Chinese character takes two columns, a combining mark none
 * (Unicode's East Asian Width, in ranges). What comes from outside is made harmless: control characters,
 * among them the escape that begins a terminal's commands, and broken UTF-8 become '?'.
 *
 * Thread: one owner; pure but for memory and the stream it is printed to.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 24 };

enum table_side { TABLE_LEFT, TABLE_RIGHT };

struct table;

/* An empty table. Never NULL. */
struct table *table_new(void);
void table_free(struct table *t);

void table_column(struct table *t, const char *title, enum table_side side);

/* The next cell, row by row. NULL and "" are shown as "-". */
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Rows so far. */
size_t table_rows(const struct table *t);

/* Print the titles and all rows; the last cell of a row has no blanks behind it. */
void table_print(const struct table *t, FILE *out);

/* Columns that `text` takes on a terminal, as table_clean() would print it. */
size_t table_width(const char *text);

/* Copy with everything dangerous replaced, as described above. The caller frees it. */
char *table_clean(const char *text);

/* Read one character of UTF-8 at *p and go behind it; 0xfffd for what is none. *p must not be at the
 * closing NUL. */
uint32_t table_utf8(const char **p);

#endif
