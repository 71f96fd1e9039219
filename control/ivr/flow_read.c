/* SPDX-License-Identifier: Apache-2.0
 * From text to a flow. Variables are made before the nodes, so that a node may speak what a later
 * one collects; targets are bound after them, when all names are known. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ivr/flow_read.h"

#define OTHER(key)                                                                                 \
	{                                                                                          \
		key, FIELD_OTHER, 0, 0, 0                                                          \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- the whole ----------------------------------------------------------------------------- */

static void bind(struct reading *r, struct target *t, const char *const *names)
{
	static const struct {
		const char *word;
		int to;
	} words[] = {{"repeat", TO_REPEAT},
		     {"back", TO_BACK},
		     {"return", TO_RETURN},
		     {"hangup", TO_HANGUP}};
	struct ivr_flow *f = r->f;

	if (t->name == NULL) {
		t->to = TO_HANGUP; /* what must not be left out was complained about */
		return;
	}
	for (unsigned i = 0; i < f->n_nodes; i++) {
		if (strcmp(names[i], t->name) == 0) {
			t->to = (int)i;
			return;
		}
	}
	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(words[i].word, t->name) == 0) {
			t->to = words[i].to;
			return;
		}
	}

	const char *guess = complaint_guess(t->name, names, f->n_nodes);

	complain(r->s.c, COMPLAINT_ERROR, t->at, "there is no node \"%s\"%s%s%s", t->name,
		 guess != NULL ? "; did you mean \"" : "", guess != NULL ? guess : "",
		 guess != NULL ? "\"?" : "");
}

static void bind_all(struct reading *r)
{
	struct ivr_flow *f = r->f;
	const char **names = conf_arena_array(r->s.arena, f->n_nodes, sizeof(*names));

	for (unsigned i = 0; i < f->n_nodes; i++)
		names[i] = f->node[i].name;
	bind(r, &f->start, names);
	if (f->start.name != NULL && f->start.to < 0 && f->start.to != TO_NOWHERE)
		complain(r->s.c, COMPLAINT_ERROR, f->start.at, "start must name a node");
	for (unsigned i = 0; i < f->n_nodes; i++) {
		struct node *n = &f->node[i];

		for (unsigned w = 0; w < WAYS; w++) {
			bool inherit = n->way[w].name == NULL && w >= WAY_FULL &&
				       n->way[WAY_OTHERWISE].name != NULL;

			if (inherit)
				n->way[w] = n->way[WAY_OTHERWISE];
			else
				bind(r, &n->way[w], names);
		}
		for (unsigned k = 0; k < KEYS; k++)
			if (n->key[k].name != NULL)
				bind(r, &n->key[k], names);
	}
}

static void read_languages(struct reading *r, const struct tree *t)
{
	struct ivr_flow *f = r->f;

	if (t == NULL || !schema_kind(&r->s, t, "languages", TREE_LIST)) {
		if (t == NULL)
			complain(r->s.c, COMPLAINT_ERROR, (struct mark){1, 1},
				 "a flow needs \"languages\", such as [zh, en]");
		return;
	}
	if (t->n == 0 || t->n > IVR_LANGUAGES_MAX) {
		complain(r->s.c, COMPLAINT_ERROR, t->at, "a flow has 1 to %d languages",
			 IVR_LANGUAGES_MAX);
		return;
	}
	f->language = conf_arena_array(r->s.arena, t->n, sizeof(*f->language));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		const char *name;

		if (!schema_name(&r->s, m, "a language", &name))
			continue;
		if (ivr_read_language(f, name) >= 0)
			complain(r->s.c, COMPLAINT_ERROR, m->at, "language \"%s\" is there twice",
				 name);
		f->language[f->n_languages++] = name;
	}
}

/* Variables exist wherever they are filled, also further down: make them first. */
static void make_variables(struct reading *r, const struct tree *nodes)
{
	for (const struct tree *m = nodes->first; m != NULL; m = m->next) {
		const struct tree *set = tree_get(m, "set"), *into = tree_get(m, "into");

		if (into != NULL && into->kind == TREE_TEXT && into->text[0] != '\0')
			ivr_read_variable(r, into->text, into->at, true);
		if (into != NULL && into->kind == TREE_MAP)
			for (const struct tree *k = into->first; k != NULL; k = k->next)
				ivr_read_variable(r, k->key, k->key_at, true);
		if (set == NULL || set->kind != TREE_MAP)
			continue;
		for (const struct tree *k = set->first; k != NULL; k = k->next)
			if (strcmp(k->key, "priority") != 0)
				ivr_read_variable(r, k->key, k->key_at, true);
	}
}

static void read_flow(struct reading *r, const struct tree *root)
{
	static const struct field keys[] = {OTHER("flow"), OTHER("languages"), OTHER("start"),
					    OTHER("nodes")};
	const struct tree *nodes = tree_get(root, "nodes"), *start = tree_get(root, "start"),
			  *name = tree_get(root, "flow");
	struct ivr_flow *f = r->f;

	if (!schema_fill(&r->s, root, keys, COUNT(keys), f))
		return;
	f->name = "flow";
	if (name != NULL)
		schema_name(&r->s, name, "flow", &f->name);
	read_languages(r, tree_get(root, "languages"));
	if (start == NULL)
		complain(r->s.c, COMPLAINT_ERROR, (struct mark){1, 1},
			 "a flow needs \"start\", the first node");
	else
		ivr_read_target(r, start, "start", &f->start);
	if (nodes == NULL) {
		complain(r->s.c, COMPLAINT_ERROR, (struct mark){1, 1}, "a flow needs \"nodes\"");
		return;
	}
	if (!schema_kind(&r->s, nodes, "nodes", TREE_MAP))
		return;
	if (nodes->n == 0 || nodes->n > IVR_NODES_MAX) {
		complain(r->s.c, COMPLAINT_ERROR, nodes->at, "a flow has 1 to %d nodes",
			 IVR_NODES_MAX);
		return;
	}
	make_variables(r, nodes);
	f->node = conf_arena_array(r->s.arena, nodes->n, sizeof(*f->node));
	for (const struct tree *m = nodes->first; m != NULL; m = m->next) {
		struct node *n = &f->node[f->n_nodes++];

		if (strlen(m->key) == 0 || strlen(m->key) >= IVR_NAME_MAX)
			complain(r->s.c, COMPLAINT_ERROR, m->key_at,
				 "the name of a node has 1 to %d bytes", IVR_NAME_MAX - 1);
		else if (strcmp(m->key, "repeat") == 0 || strcmp(m->key, "back") == 0 ||
			 strcmp(m->key, "return") == 0 || strcmp(m->key, "hangup") == 0)
			complain(r->s.c, COMPLAINT_ERROR, m->key_at,
				 "\"%s\" has a meaning of its own and cannot name a node", m->key);
		ivr_read_node(r, m, n);
	}
	bind_all(r);
}

int ivr_flow_load(const char *text, size_t len, const char *name, struct ivr_flow **out,
		  struct complaints *complaints)
{
	complaints_init(complaints, name);
	if (len > IVR_TEXT_MAX) {
		complain(complaints, COMPLAINT_ERROR, (struct mark){0}, "longer than %d bytes",
			 IVR_TEXT_MAX);
		return -E2BIG;
	}

	struct conf_arena *arena = conf_arena_open();
	struct reading r = {.s = {.arena = arena, .c = complaints},
			    .f = conf_arena_get(arena, sizeof(struct ivr_flow))};
	struct tree *root = NULL;
	int rc = tree_read(text, len, arena, &root, complaints);

	if (rc == 0) {
		r.f->arena = arena;
		r.f->holders = 1;
		read_flow(&r, root);
		rc = complaints->errors > 0 ? -EINVAL : 0;
	}
	if (rc != 0) {
		conf_arena_close(arena);
		return rc;
	}
	*out = r.f;
	return 0;
}
