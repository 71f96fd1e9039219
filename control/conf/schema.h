/* What a map may hold, as a table; and readers of single values that complain for themselves.
 *
 * Each reader returns true when `*out` was set. False means that it has complained (or that the
 * value was absent, for schema_fill()); the caller goes on, so that one look shows all mistakes.
 *
 * Thread: pure.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/tree.h"

struct config_show;

struct schema {
	struct conf_arena *arena;
	struct complaints *c;
	struct config_show *show; /* is told of every field (config_show.h); or NULL */
};

enum field_kind {
	FIELD_U8, /* whole numbers from `min` to `max` */
	FIELD_U16,
	FIELD_U32,
	FIELD_BOOL,   /* true, false, yes, no */
	FIELD_TEXT,   /* any text, `min` to `max` bytes */
	FIELD_NAME,   /* A-Z a-z 0-9 _ . - and /, 1 to 47 bytes */
	FIELD_NUMBER, /* what can be dialled: 0-9 * # +, 1 to 31 */
	FIELD_OTHER,  /* known; read by other means */
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset; /* into the struct */
	uint32_t min, max;
};

/* Refuse what is not a map and every key that `fields` does not name, with a guess; then fill
 * `*base` with those that are there. False when `t` is no map. */
bool schema_fill(const struct schema *s, const struct tree *t, const struct field *fields,
		 size_t n_fields, void *base);

bool schema_u32(const struct schema *s, const struct tree *t, const char *what, uint32_t min,
		uint32_t max, uint32_t *out);
bool schema_bool(const struct schema *s, const struct tree *t, const char *what, bool *out);
bool schema_text(const struct schema *s, const struct tree *t, const char *what, uint32_t min,
		 uint32_t max, const char **out);
bool schema_name(const struct schema *s, const struct tree *t, const char *what, const char **out);
bool schema_number(const struct schema *s, const struct tree *t, const char *what,
		   const char **out);

/* One of `words`; sets its index. */
bool schema_word(const struct schema *s, const struct tree *t, const char *what,
		 const char *const *words, unsigned n, unsigned *out);

/* Complain when `t` is not of `kind`. */
bool schema_kind(const struct schema *s, const struct tree *t, const char *what,
		 enum tree_kind kind);

#endif
