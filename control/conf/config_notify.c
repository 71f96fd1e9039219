/* SPDX-License-Identifier: Apache-2.0
 * The section `notify`. */
#include "conf/config_notify.h"

#include <stddef.h>
#include <string.h>

#include "conf/config_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OF(member)   offsetof(struct config_notify, member)

static const struct field notify_fields[] = {
	{"role", FIELD_OTHER, 0, 0, 0},
	{"group", FIELD_NAME, OF(group), 0, 0},
	{"phone", FIELD_NUMBER, OF(phone), 0, 0},
	{"url", FIELD_TEXT, OF(url), 1, 1000},
};

static bool group_exists(const struct config *c, const char *group)
{
	for (unsigned i = 0; i < c->n_agents; i++)
		if (strcmp(c->agents[i].group, group) == 0)
			return true;
	return false;
}

static bool role_of(const struct schema *s, const struct tree *m, uint8_t *level)
{
	static const char *const roles[] = {"leader", "controller", "manager"};
	const struct tree *role = tree_get(m, "role");
	unsigned i;

	if (role == NULL) {
		complain(s->c, COMPLAINT_ERROR, m->at,
			 "who is told needs a \"role\": leader, controller or manager");
		return false;
	}
	if (!schema_word(s, role, "role", roles, COUNT(roles), &i))
		return false;
	*level = (uint8_t)(i + 1);
	return true;
}

static void check_one(const struct schema *s, const struct config *c, const struct config_notify *n)
{
	if (n->phone[0] == '\0' && n->url[0] == '\0')
		complain(s->c, COMPLAINT_ERROR, n->at,
			 "who is told needs a \"phone\" or a \"url\"");
	if (n->phone[0] != '\0' && config_agent_find(c, n->phone) == NULL)
		complain(s->c, COMPLAINT_ERROR, n->at,
			 "phone \"%s\" is none of the agents and supervisors", n->phone);
	if (n->url[0] != '\0' && strncmp(n->url, "http://", 7) != 0 &&
	    strncmp(n->url, "https://", 8) != 0)
		complain(s->c, COMPLAINT_ERROR, n->at, "url must begin with http:// or https://");
	if (n->group[0] != '\0' && !group_exists(c, n->group))
		complain(s->c, COMPLAINT_WARNING, n->at, "no agent is of group \"%s\"", n->group);
}

void config_read_notify(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t == NULL || !schema_kind(s, t, "notify", TREE_LIST))
		return;
	if (t->n > CONFIG_NOTIFY_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d who are told",
			 CONFIG_NOTIFY_MAX);
		return;
	}
	c->notify = conf_arena_array(s->arena, t->n, sizeof(*c->notify));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_notify n = {.group = "", .phone = "", .url = "", .at = m->at};

		if (!schema_fill(s, m, notify_fields, COUNT(notify_fields), &n) ||
		    !role_of(s, m, &n.level))
			continue;
		check_one(s, c, &n);
		c->notify[c->n_notify++] = n;
	}
}
