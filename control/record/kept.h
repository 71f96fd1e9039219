/* What this program writes down for its own restart, as JSON, and how it reads it back: without
 * trusting it, since a disk may return anything.
 *
 * A member that is not there reads as "", 0 or false; one that does not fit (another type, too long,
 * too large, control characters) makes the reader say false. So a reader is a chain of these, joined
 * by `ok = ... && ok`, and says at its end what must not be empty.
 *
 * Text need not be UTF-8 (a display name from the wire): what JSON cannot say is kept as a list with
 * its bytes in hexadecimal.
 *
 * Thread: any. Pure.
 */
#ifndef RECORD_KEPT_H
#define RECORD_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Add a member; nothing is added for "" or NULL, 0 and false. */
void kept_put_text(json_t *o, const char *name, const char *text);
void kept_put_number(json_t *o, const char *name, uint64_t n);
void kept_put_flag(json_t *o, const char *name, bool on);

/* Read a member of `o` (NULL: of nothing, all is missing). On false `*out` is "" or 0. */
bool kept_text(const json_t *o, const char *name, char *out, size_t size);
bool kept_number(const json_t *o, const char *name, uint64_t max, uint64_t *out);
bool kept_flag(const json_t *o, const char *name, bool *out);

/* A number into a narrower type: `max` is its bound. */
#define KEPT_NUMBER(o, name, max, to) kept_narrow((o), (name), (max), &(to), sizeof(to))
bool kept_narrow(const json_t *o, const char *name, uint64_t max, void *to, size_t size);

/* A word of `names` (`n` of them) to its place; missing or unknown: false, and `*out` is 0. */
bool kept_word(const json_t *o, const char *name, const char *(*name_of)(unsigned), unsigned n,
	       unsigned *out);

#endif
