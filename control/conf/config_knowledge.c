/* SPDX-License-Identifier: Apache-2.0
 * The section `knowledge`. */
#include "conf/config_knowledge.h"

#include <stddef.h>

#include "conf/config_priv.h"

static const struct field knowledge_fields[] = {
	{"synonyms", FIELD_OTHER, 0, 0, 0},
};

static void read_group(const struct schema *s, const struct tree *t, struct config_synonyms *out)
{
	*out = (struct config_synonyms){0};
	if (!schema_kind(s, t, "synonyms", TREE_LIST))
		return;
	if (t->n < 2 || t->n > CONFIG_SYNONYM_WORDS_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "synonyms: 2 to %d words stand for each other, not %u",
			 CONFIG_SYNONYM_WORDS_MAX, (unsigned)t->n);
		return;
	}
	out->word = conf_arena_array(s->arena, t->n, sizeof(*out->word));
	for (const struct tree *m = t->first; m != NULL; m = m->next)
		if (schema_text(s, m, "a synonym", 1, 100, &out->word[out->n]))
			out->n++;
}

void config_read_knowledge(const struct schema *s, const struct tree *t, struct config *c)
{
	struct config_knowledge *k = &c->knowledge;
	const struct tree *list;

	if (t == NULL || !schema_fill(s, t, knowledge_fields, 1, k))
		return;
	list = tree_get(t, "synonyms");
	if (list == NULL || !schema_kind(s, list, "synonyms", TREE_LIST))
		return;
	if (list->n > CONFIG_SYNONYMS_MAX) {
		complain(s->c, COMPLAINT_ERROR, list->at, "more than %d groups of synonyms",
			 CONFIG_SYNONYMS_MAX);
		return;
	}
	k->synonyms = conf_arena_array(s->arena, list->n, sizeof(*k->synonyms));
	for (const struct tree *m = list->first; m != NULL; m = m->next)
		read_group(s, m, &k->synonyms[k->n_synonyms++]);
}
