/* A YAML text as a tree in which every value knows where it was written.
 *
 * The tree is what conf/ and ivr/ read with their own schema (schema.h): plain scalars stay
 * text until the schema says what they are, so `no` is the word "no" and 0123 keeps its zero.
 * Refused, with the place: keys twice in one map, anchors and aliases, tags, a second document,
 * a NUL character, more than TREE_DEPTH_MAX levels or TREE_NODES_MAX values.
 *
 * Thread: pure. Memory: the arena's.
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/complaint.h"

enum { TREE_DEPTH_MAX = 24, TREE_NODES_MAX = 300000 };

enum tree_kind { TREE_TEXT, TREE_LIST, TREE_MAP };

struct tree {
	enum tree_kind kind;
	struct mark at;
	const char *text; /* TREE_TEXT: UTF-8 with a NUL behind and none inside */
	bool plain;       /* TREE_TEXT: written without quotes */
	const char *key;  /* when it is a member of a map */
	struct mark key_at;
	uint32_t n;         /* TREE_LIST, TREE_MAP */
	struct tree *first; /* members in the order in which they are written */
	struct tree *next;
	struct tree *parent; /* NULL at the root */
	bool shown;          /* config_show.c has told of it */
};

/* Read a text. Returns 0 and sets `*root` (an empty text is an empty map), or -EINVAL or
 * -ENOMEM with a complaint. */
int tree_read(const char *text, size_t len, struct conf_arena *arena, struct tree **root,
	      struct complaints *c);

/* Member of a map, or NULL (also when `t` is NULL or no map). */
const struct tree *tree_get(const struct tree *t, const char *key);

/* "text", "a list", "a map". */
const char *tree_kind_name(enum tree_kind k);

#endif
