/* SPDX-License-Identifier: Apache-2.0
 * The section `targets`. */
#include "conf/config_target.h"

#include <stddef.h>
#include <string.h>

#include "conf/config_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OF(member)   offsetof(struct read, member)
#define BIT(of)      (1u << (of))

static const char *const of_names[TARGET_OFS] = {"queue", "agent", "group", "flow"};
static const struct {
	const char *name;
	unsigned of;
	bool share;
} whats[TARGET_WHATS] = {
	[TARGET_ANSWER_RATE] = {"answer_rate", BIT(TARGET_QUEUE), true},
	[TARGET_SERVICE_LEVEL] = {"service_level", BIT(TARGET_QUEUE), true},
	[TARGET_ABANDON_RATE] = {"abandon_rate", BIT(TARGET_QUEUE), true},
	[TARGET_SPEED_OF_ANSWER] = {"speed_of_answer_s", BIT(TARGET_QUEUE), false},
	[TARGET_HANDLE_TIME] = {"handle_time_s",
				BIT(TARGET_QUEUE) | BIT(TARGET_AGENT) | BIT(TARGET_GROUP), false},
	[TARGET_OCCUPANCY] = {"occupancy", BIT(TARGET_AGENT) | BIT(TARGET_GROUP), true},
	[TARGET_CONTAINMENT] = {"containment", BIT(TARGET_FLOW), true},
	[TARGET_CALLS_BACK] = {"calls_back_per_hour", BIT(TARGET_AGENT) | BIT(TARGET_GROUP), false},
};

const char *config_target_what_name(unsigned what)
{
	return whats[what].name;
}

const char *config_target_of_name(unsigned of)
{
	return of_names[of];
}

struct read {
	const char *name;
	uint32_t at_least, at_most;
};

static const struct field target_fields[] = {
	{"of", FIELD_OTHER, 0, 0, 0},
	{"name", FIELD_NAME, OF(name), 0, 0},
	{"what", FIELD_OTHER, 0, 0, 0},
	{"at_least", FIELD_U32, OF(at_least), 1, 86400},
	{"at_most", FIELD_U32, OF(at_most), 1, 86400},
	{"from", FIELD_OTHER, 0, 0, 0},
};

static bool word(const struct schema *s, const struct tree *m, const char *key,
		 const char *const *words, unsigned n, uint8_t *out)
{
	const struct tree *t = tree_get(m, key);
	unsigned i;

	if (t == NULL) {
		complain(s->c, COMPLAINT_ERROR, m->at, "a target needs \"of\" and \"what\"");
		return false;
	}
	if (!schema_word(s, t, key, words, n, &i))
		return false;
	*out = (uint8_t)i;
	return true;
}

static bool known(const struct config *c, const struct config_target *t)
{
	switch ((enum config_target_of)t->of) {
	case TARGET_QUEUE:
		return config_queue_find(c, t->name) != NULL;
	case TARGET_AGENT:
		return config_agent_find(c, t->name) != NULL;
	case TARGET_GROUP:
		for (unsigned i = 0; i < c->n_agents; i++)
			if (strcmp(c->agents[i].group, t->name) == 0)
				return true;
		return false;
	case TARGET_FLOW: /* flows have files of their own */
	case TARGET_OFS:
		break;
	}
	return true;
}

static void check_one(const struct schema *s, const struct config *c, const struct config_target *t,
		      const struct read *r)
{
	if ((whats[t->what].of & BIT(t->of)) == 0)
		complain(s->c, COMPLAINT_ERROR, t->at, "%s is no figure of a %s",
			 whats[t->what].name, of_names[t->of]);
	if ((r->at_least > 0) == (r->at_most > 0))
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "a target needs either \"at_least\" or \"at_most\"");
	if (whats[t->what].share && t->bound > 100)
		complain(s->c, COMPLAINT_ERROR, t->at, "%s is a percentage, at most 100",
			 whats[t->what].name);
	if (t->name[0] != '\0' && !known(c, t))
		complain(s->c, COMPLAINT_WARNING, t->at, "there is no %s \"%s\"", of_names[t->of],
			 t->name);
}

void config_read_targets(const struct schema *s, const struct tree *t, struct config *c)
{
	const char *names[TARGET_WHATS];

	if (t == NULL || !schema_kind(s, t, "targets", TREE_LIST))
		return;
	if (t->n > CONFIG_TARGETS_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d targets", CONFIG_TARGETS_MAX);
		return;
	}
	for (unsigned i = 0; i < TARGET_WHATS; i++)
		names[i] = whats[i].name;
	c->targets = conf_arena_array(s->arena, t->n, sizeof(*c->targets));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_target n = {.from_day = INT32_MIN, .from = "", .at = m->at};
		const struct tree *from = tree_get(m, "from");
		struct read r = {.name = ""};

		if (!schema_fill(s, m, target_fields, COUNT(target_fields), &r) ||
		    !word(s, m, "of", of_names, TARGET_OFS, &n.of) ||
		    !word(s, m, "what", names, TARGET_WHATS, &n.what))
			continue;
		if (from != NULL && (!config_read_date(s, from, &n.from_day) ||
				     !schema_text(s, from, "from", 1, 20, &n.from)))
			continue;
		n.name = r.name;
		n.at_most = r.at_most > 0;
		n.bound = n.at_most ? r.at_most : r.at_least;
		check_one(s, c, &n, &r);
		c->targets[c->n_targets++] = n;
	}
}
