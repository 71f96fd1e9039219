/* SPDX-License-Identifier: Apache-2.0
 * The tree is built from libyaml's events with a stack of open lists and maps, because the events
 * carry the marks, arrive one at a time and so can be bounded before memory is spent on them.
 * Keys of a map are compared through a hash table per reading, so a file of ten thousand keys is
 * read in linear time. */
#include "conf/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

enum { SEEN_MIN = 1024 };

struct open {
	struct tree *node;
	struct tree **tail;
	const char *key; /* of a map: read, its value is next */
	struct mark key_at;
};

/* Keys of all open and closed maps: (map, key) by open addressing. */
struct seen {
	const struct tree **map;
	const char **key;
	struct mark *at;
	size_t size, used;
};

struct building {
	struct conf_arena *arena;
	struct complaints *c;
	struct open open[TREE_DEPTH_MAX];
	unsigned depth;
	unsigned nodes;
	struct tree *root;
	struct seen seen;
};

static struct mark mark_of(yaml_mark_t m)
{
	return (struct mark){(uint32_t)(m.line + 1), (uint32_t)(m.column + 1)};
}

static size_t hash(const struct tree *map, const char *key)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)(uintptr_t)map;

	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return (size_t)(h ^ h >> 29);
}

static size_t slot_of(const struct seen *s, const struct tree *map, const char *key)
{
	size_t i = hash(map, key) & (s->size - 1);

	while (s->map[i] != NULL && (s->map[i] != map || strcmp(s->key[i], key) != 0))
		i = (i + 1) & (s->size - 1);
	return i;
}

static void seen_grow(struct building *b)
{
	struct seen old = b->seen;

	b->seen.size = old.size == 0 ? SEEN_MIN : old.size * 2;
	b->seen.map = conf_arena_array(b->arena, b->seen.size, sizeof(*b->seen.map));
	b->seen.key = conf_arena_array(b->arena, b->seen.size, sizeof(*b->seen.key));
	b->seen.at = conf_arena_array(b->arena, b->seen.size, sizeof(*b->seen.at));
	for (size_t i = 0; i < old.size; i++) {
		if (old.map[i] == NULL)
			continue;

		size_t to = slot_of(&b->seen, old.map[i], old.key[i]);

		b->seen.map[to] = old.map[i];
		b->seen.key[to] = old.key[i];
		b->seen.at[to] = old.at[i];
	}
}

static int take_key(struct building *b, struct open *o, const char *key, struct mark at)
{
	if (b->seen.used * 2 >= b->seen.size)
		seen_grow(b);

	size_t i = slot_of(&b->seen, o->node, key);

	if (b->seen.map[i] != NULL) {
		complain(b->c, COMPLAINT_ERROR, at, "key \"%s\" was given before, in line %u", key,
			 (unsigned)b->seen.at[i].line);
		return -EINVAL;
	}
	b->seen.map[i] = o->node;
	b->seen.key[i] = key;
	b->seen.at[i] = at;
	b->seen.used++;
	o->key = key;
	o->key_at = at;
	return 0;
}

/* Hang a value where it belongs. Returns NULL after a complaint. */
static struct tree *add(struct building *b, enum tree_kind kind, struct mark at)
{
	struct open *o = b->depth > 0 ? &b->open[b->depth - 1] : NULL;

	if (++b->nodes > TREE_NODES_MAX) {
		complain(b->c, COMPLAINT_ERROR, at, "more than %d values in one file",
			 TREE_NODES_MAX);
		return NULL;
	}
	if (o != NULL && o->node->kind == TREE_MAP && o->key == NULL) {
		complain(b->c, COMPLAINT_ERROR, at, "a key must be text, not %s",
			 tree_kind_name(kind));
		return NULL;
	}

	struct tree *t = conf_arena_get(b->arena, sizeof(*t));

	t->kind = kind;
	t->at = at;
	if (o == NULL) {
		b->root = t;
		return t;
	}
	t->parent = o->node;
	t->key = o->key;
	t->key_at = o->key_at;
	o->key = NULL;
	o->node->n++;
	*o->tail = t;
	o->tail = &t->next;
	return t;
}

static int enter(struct building *b, enum tree_kind kind, struct mark at)
{
	if (b->depth == TREE_DEPTH_MAX) {
		complain(b->c, COMPLAINT_ERROR, at, "more than %d levels inside each other",
			 TREE_DEPTH_MAX);
		return -EINVAL;
	}

	struct tree *t = add(b, kind, at);

	if (t == NULL)
		return -EINVAL;
	b->open[b->depth++] = (struct open){.node = t, .tail = &t->first};
	return 0;
}

static int take_scalar(struct building *b, const yaml_event_t *ev, struct mark at)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct open *o = b->depth > 0 ? &b->open[b->depth - 1] : NULL;

	if (memchr(text, '\0', len) != NULL) {
		complain(b->c, COMPLAINT_ERROR, at, "text with a NUL character in it");
		return -EINVAL;
	}

	const char *copy = conf_arena_text(b->arena, text, len);

	if (o != NULL && o->node->kind == TREE_MAP && o->key == NULL)
		return take_key(b, o, copy, at);

	struct tree *t = add(b, TREE_TEXT, at);

	if (t == NULL)
		return -EINVAL;
	t->text = copy;
	t->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

static int refuse_extras(struct building *b, const void *anchor, const void *tag, struct mark at)
{
	if (anchor != NULL)
		complain(b->c, COMPLAINT_ERROR, at, "anchors (&name) are not understood here");
	else if (tag != NULL)
		complain(b->c, COMPLAINT_ERROR, at, "tags (!name) are not understood here");
	return anchor != NULL || tag != NULL ? -EINVAL : 0;
}

static int take(struct building *b, const yaml_event_t *ev)
{
	struct mark at = mark_of(ev->start_mark);
	int rc;

	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		rc = refuse_extras(b, ev->data.scalar.anchor, ev->data.scalar.tag, at);
		return rc != 0 ? rc : take_scalar(b, ev, at);
	case YAML_SEQUENCE_START_EVENT:
		rc = refuse_extras(b, ev->data.sequence_start.anchor, ev->data.sequence_start.tag,
				   at);
		return rc != 0 ? rc : enter(b, TREE_LIST, at);
	case YAML_MAPPING_START_EVENT:
		rc = refuse_extras(b, ev->data.mapping_start.anchor, ev->data.mapping_start.tag,
				   at);
		return rc != 0 ? rc : enter(b, TREE_MAP, at);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	case YAML_ALIAS_EVENT:
		complain(b->c, COMPLAINT_ERROR, at,
			 "aliases (*name) are not understood here; text that begins with * needs "
			 "quotes");
		return -EINVAL;
	case YAML_DOCUMENT_START_EVENT:
		if (b->root == NULL)
			return 0;
		complain(b->c, COMPLAINT_ERROR, at, "a second document begins here");
		return -EINVAL;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

static int refuse_syntax(const yaml_parser_t *p, struct complaints *c)
{
	const char *problem = p->problem != NULL ? p->problem : "cannot be read";

	if (p->error == YAML_MEMORY_ERROR) {
		complain(c, COMPLAINT_ERROR, (struct mark){0}, "not enough memory");
		return -ENOMEM;
	}
	if (p->error == YAML_READER_ERROR)
		complain(c, COMPLAINT_ERROR, mark_of(p->mark), "%s (byte %zu)", problem,
			 p->problem_offset);
	else
		complain(c, COMPLAINT_ERROR, mark_of(p->problem_mark), "%s%s%s", problem,
			 p->context != NULL ? " " : "", p->context != NULL ? p->context : "");
	return -EINVAL;
}

int tree_read(const char *text, size_t len, struct conf_arena *arena, struct tree **root,
	      struct complaints *c)
{
	struct building b = {.arena = arena, .c = c};
	yaml_parser_t parser;
	int rc = 0;

	if (!yaml_parser_initialize(&parser)) {
		complain(c, COMPLAINT_ERROR, (struct mark){0}, "not enough memory");
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	for (bool done = false; rc == 0 && !done;) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&parser, &ev)) {
			rc = refuse_syntax(&parser, c);
			break;
		}
		rc = take(&b, &ev);
		done = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	if (rc != 0)
		return rc;
	if (b.root == NULL ||
	    (b.root->kind == TREE_TEXT && b.root->plain && b.root->text[0] == '\0')) {
		b.root = conf_arena_get(arena, sizeof(*b.root));
		b.root->kind = TREE_MAP;
	}
	*root = b.root;
	return 0;
}

const struct tree *tree_get(const struct tree *t, const char *key)
{
	if (t == NULL || t->kind != TREE_MAP)
		return NULL;
	for (const struct tree *m = t->first; m != NULL; m = m->next)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

const char *tree_kind_name(enum tree_kind k)
{
	static const char *const name[] = {
		[TREE_TEXT] = "text", [TREE_LIST] = "a list", [TREE_MAP] = "a map"};

	return name[k];
}
