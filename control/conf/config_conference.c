/* SPDX-License-Identifier: Apache-2.0
 * The section `conferences`. */
#include "conf/config_conference.h"

#include <stddef.h>
#include <string.h>

#include "conf/config_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OF(member)   offsetof(struct config_conference, member)

static const struct field conference_fields[] = {
	{"name", FIELD_NAME, OF(name), 0, 0},
	{"title", FIELD_TEXT, OF(title), 1, 100},
	{"number", FIELD_NUMBER, OF(number), 0, 0},
	{"pin", FIELD_NUMBER, OF(pin), 0, 0},
	{"music", FIELD_NAME, OF(music), 0, 0},
	{"members_max", FIELD_U16, OF(members_max), 2, 500},
	{"announce", FIELD_BOOL, OF(announce), 0, 0},
};

static bool is_pin(const char *pin)
{
	size_t n = strspn(pin, "0123456789");

	return n >= 3 && n <= CONFIG_PIN_MAX && pin[n] == '\0';
}

void config_read_conferences(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t == NULL || !schema_kind(s, t, "conferences", TREE_LIST))
		return;
	if (t->n > CONFIG_CONFERENCES_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d conferences",
			 CONFIG_CONFERENCES_MAX);
		return;
	}
	c->conferences = conf_arena_array(s->arena, t->n, sizeof(*c->conferences));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_conference k = {.number = "",
					      .pin = "",
					      .music = "music/default",
					      .members_max = 50,
					      .announce = true,
					      .at = m->at};

		if (!schema_fill(s, m, conference_fields, COUNT(conference_fields), &k))
			continue;
		if (k.name == NULL) {
			complain(s->c, COMPLAINT_ERROR, m->at, "a conference needs a \"name\"");
			continue;
		}
		if (k.pin[0] != '\0' && !is_pin(k.pin))
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "the pin of conference \"%s\" must be 3 to %d digits", k.name,
				 CONFIG_PIN_MAX);
		if (k.title == NULL)
			k.title = k.name;
		if (config_conference_find(c, k.name) != NULL ||
		    (k.number[0] != '\0' && config_conference_find(c, k.number) != NULL))
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "conference \"%s\" has the name or number of another", k.name);
		else
			c->conferences[c->n_conferences++] = k;
	}
}

void config_check_conferences(const struct schema *s, const struct config *c)
{
	for (unsigned i = 0; i < c->n_conferences; i++) {
		const struct config_conference *k = &c->conferences[i];

		if (k->number[0] == '\0')
			continue;
		if (config_agent_find(c, k->number) != NULL ||
		    config_hotline_find(c, k->number) != NULL ||
		    config_queue_by_number(c, k->number) != NULL ||
		    config_parking_place(c, k->number) >= 0)
			complain(s->c, COMPLAINT_ERROR, k->at,
				 "%s is the number of conference \"%s\" and of an agent, a queue, "
				 "a hotline or a parking place",
				 k->number, k->name);
	}
}

const struct config_conference *config_conference_find(const struct config *c, const char *name)
{
	for (unsigned i = 0; name[0] != '\0' && i < c->n_conferences; i++)
		if (strcmp(c->conferences[i].name, name) == 0 ||
		    strcmp(c->conferences[i].number, name) == 0)
			return &c->conferences[i];
	return NULL;
}
