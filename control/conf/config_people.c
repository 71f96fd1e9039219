/* SPDX-License-Identifier: Apache-2.0
 * Queues, agents, supervisors, reasons and feature codes. */
#include <stdlib.h>
#include <string.h>

#include "conf/config_priv.h"

#define OF(type, member) offsetof(struct type, member)
#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))

static const struct field queue_fields[] = {
	{"name", FIELD_NAME, OF(config_queue, name), 0, 0},
	{"title", FIELD_TEXT, OF(config_queue, title), 1, 100},
	{"number", FIELD_NUMBER, OF(config_queue, number), 0, 0},
	{"strategy", FIELD_OTHER, 0, 0, 0},
	{"music", FIELD_NAME, OF(config_queue, music), 0, 0},
	{"caller_id", FIELD_NUMBER, OF(config_queue, caller_id), 0, 0},
	{"priority", FIELD_U8, OF(config_queue, priority), 0, 9},
	{"ring_timeout_s", FIELD_U16, OF(config_queue, ring_timeout_s), 3, 600},
	{"wrap_up_s", FIELD_U16, OF(config_queue, wrap_up_s), 0, 3600},
	{"max_wait_s", FIELD_U32, OF(config_queue, max_wait_s), 0, 86400},
	{"max_calls", FIELD_U32, OF(config_queue, max_calls), 0, 1000000},
	{"wait_without_agents", FIELD_BOOL, OF(config_queue, wait_without_agents), 0, 0},
	{"announce_every_s", FIELD_U16, OF(config_queue, announce_every_s), 0, 3600},
	{"announce_first_s", FIELD_U16, OF(config_queue, announce_first_s), 0, 3600},
	{"service_level_s", FIELD_U16, OF(config_queue, service_level_s), 1, 3600},
	{"service_level_percent", FIELD_U8, OF(config_queue, service_level_percent), 1, 100},
	{"short_abandon_s", FIELD_U16, OF(config_queue, short_abandon_s), 0, 600},
	{"overlong_talk_s", FIELD_OTHER, 0, 0, 0},
	{"overlong_hold_s", FIELD_OTHER, 0, 0, 0},
	{"overlong_wrap_up_s", FIELD_OTHER, 0, 0, 0},
	{"sticky_s", FIELD_U16, OF(config_queue, sticky_s), 0, 600},
	{"level_after_s", FIELD_U16, OF(config_queue, level_after_s), 0, 3600},
	{"max_expected_wait_s", FIELD_U32, OF(config_queue, max_expected_wait_s), 0, 86400},
	{"callback_tries", FIELD_U8, OF(config_queue, callback_tries), 1, 9},
	{"callback_retry_s", FIELD_U16, OF(config_queue, callback_retry_s), 0, 36000},
	{"callback_dial_s", FIELD_U16, OF(config_queue, callback_dial_s), 0, 600},
	{"agent_announcement", FIELD_NAME, OF(config_queue, agent_announcement), 0, 0},
	{"handle_time_s", FIELD_U16, OF(config_queue, handle_time_s), 1, 36000},
	{"record", FIELD_OTHER, 0, 0, 0},
	{"record_percent", FIELD_U8, OF(config_queue, record.percent), 1, 100},
};

static const struct field agent_fields[] = {
	{"number", FIELD_NUMBER, OF(config_agent, number), 0, 0},
	{"name", FIELD_TEXT, OF(config_agent, name), 1, 100},
	{"remote", FIELD_OTHER, 0, 0, 0},
	{"outbound", FIELD_BOOL, OF(config_agent, outbound), 0, 0},
	{"group", FIELD_NAME, OF(config_agent, group), 0, 0},
	{"password", FIELD_OTHER, 0, 0, 0},
	{"password_env", FIELD_OTHER, 0, 0, 0},
	{"password_file", FIELD_OTHER, 0, 0, 0},
	{"queues", FIELD_OTHER, 0, 0, 0},
	{"record", FIELD_OTHER, 0, 0, 0},
	{"record_percent", FIELD_U8, OF(config_agent, record.percent), 1, 100},
};

static const struct field reason_fields[] = {
	{"code", FIELD_U8, OF(config_reason, code), 1, 9},
	{"name", FIELD_NAME, OF(config_reason, name), 0, 0},
	{"title", FIELD_TEXT, OF(config_reason, title), 1, 100},
	{"counts", FIELD_BOOL, OF(config_reason, counts), 0, 0},
	{"budget_min", FIELD_OTHER, 0, 0, 0},
	{"budget_percent", FIELD_OTHER, 0, 0, 0},
	{"refuse", FIELD_OTHER, 0, 0, 0},
};

static const struct field feature_fields[] = {
	{"sign_in", FIELD_NUMBER, OF(config_features, sign_in), 0, 0},
	{"sign_out", FIELD_NUMBER, OF(config_features, sign_out), 0, 0},
	{"ready", FIELD_NUMBER, OF(config_features, ready), 0, 0},
	{"not_ready", FIELD_NUMBER, OF(config_features, not_ready), 0, 0},
	{"wrap_up_end", FIELD_NUMBER, OF(config_features, wrap_up_end), 0, 0},
	{"dnd_on", FIELD_NUMBER, OF(config_features, dnd_on), 0, 0},
	{"dnd_off", FIELD_NUMBER, OF(config_features, dnd_off), 0, 0},
	{"call_as", FIELD_NUMBER, OF(config_features, call_as), 0, 0},
	{"park", FIELD_NUMBER, OF(config_features, park), 0, 0},
	{"pick_up", FIELD_NUMBER, OF(config_features, pick_up), 0, 0},
	{"listen", FIELD_NUMBER, OF(config_features, listen), 0, 0},
	{"whisper", FIELD_NUMBER, OF(config_features, whisper), 0, 0},
	{"barge", FIELD_NUMBER, OF(config_features, barge), 0, 0},
	{"record_start", FIELD_NUMBER, OF(config_features, record_start), 0, 0},
	{"record_stop", FIELD_NUMBER, OF(config_features, record_stop), 0, 0},
	{"record_pause", FIELD_NUMBER, OF(config_features, record_pause), 0, 0},
	{"record_resume", FIELD_NUMBER, OF(config_features, record_resume), 0, 0},
	{"record_mask", FIELD_NUMBER, OF(config_features, record_mask), 0, 0},
	{"record_unmask", FIELD_NUMBER, OF(config_features, record_unmask), 0, 0},
	{"consult", FIELD_NUMBER, OF(config_features, consult), 0, 0},
	{"consult_complete", FIELD_NUMBER, OF(config_features, consult_complete), 0, 0},
	{"consult_cancel", FIELD_NUMBER, OF(config_features, consult_cancel), 0, 0},
	{"consult_conference", FIELD_NUMBER, OF(config_features, consult_conference), 0, 0},
	{"conference", FIELD_NUMBER, OF(config_features, conference), 0, 0},
};

void config_read_queues(const struct schema *s, const struct tree *t, struct config *c)
{
	const char *words[CONFIG_STRATEGIES];

	if (t == NULL || !schema_kind(s, t, "queues", TREE_LIST))
		return;
	for (unsigned i = 0; i < CONFIG_STRATEGIES; i++)
		words[i] = config_strategy_name((enum config_strategy)i);
	if (t->n > CONFIG_QUEUES_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d queues", CONFIG_QUEUES_MAX);
		return;
	}
	c->queues = conf_arena_array(s->arena, t->n, sizeof(*c->queues));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_queue q = {
			.number = "",
			.strategy = CONFIG_LONGEST_IDLE,
			.music = "music/default",
			.caller_id = "",
			.ring_timeout_s = 15,
			.wrap_up_s = 30,
			.max_wait_s = 600,
			.wait_without_agents = true,
			.announce_every_s = 30,
			.announce_first_s = 10,
			.service_level_s = 20,
			.service_level_percent = 80,
			.short_abandon_s = 5,
			.callback_tries = 3,
			.callback_retry_s = 300,
			.agent_announcement = "",
			.handle_time_s = 180,
			.record = {CONFIG_RECORD_INHERIT, 0},
			.at = m->at,
		};
		const struct tree *strategy = tree_get(m, "strategy");
		unsigned i;

		if (!schema_fill(s, m, queue_fields, COUNT(queue_fields), &q))
			continue;
		if (strategy != NULL &&
		    schema_word(s, strategy, "strategy", words, CONFIG_STRATEGIES, &i))
			q.strategy = (enum config_strategy)i;
		if (tree_get(m, "name") == NULL)
			complain(s->c, COMPLAINT_ERROR, m->at, "a queue needs a \"name\"");
		config_read_record(s, m, &q.record);
		config_read_overlong(s, m, &q);
		if (q.name == NULL)
			continue;
		if (q.title == NULL)
			q.title = q.name;
		if (config_queue_find(c, q.name) != NULL)
			complain(s->c, COMPLAINT_ERROR, m->at, "queue \"%s\" is there twice",
				 q.name);
		else
			c->queues[c->n_queues++] = q;
	}
}

/* A queue's index from its name, or a complaint with a guess. */
static bool find_queue(const struct schema *s, const struct config *c, const char *name,
		       struct mark at, uint16_t *out)
{
	const struct config_queue *q = config_queue_find(c, name);
	const char *names[CONFIG_QUEUES_MAX];

	if (q != NULL) {
		*out = (uint16_t)(q - c->queues);
		return true;
	}
	for (unsigned i = 0; i < c->n_queues; i++)
		names[i] = c->queues[i].name;

	const char *guess = complaint_guess(name, names, c->n_queues);

	complain(s->c, COMPLAINT_ERROR, at, "there is no queue \"%.40s\"%s%s%s", name,
		 guess != NULL ? "; did you mean \"" : "", guess != NULL ? guess : "",
		 guess != NULL ? "\"?" : "");
	return false;
}

/* `[sales, service]` or `{sales: 1, service: 2}`, queue to level. */
static void read_skills(const struct schema *s, const struct tree *t, const struct config *c,
			struct config_agent *a)
{
	if (t->kind == TREE_TEXT) {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "queues must be a list such as [sales] or a map from queue to level");
		return;
	}
	if (t->n > CONFIG_AGENT_QUEUES_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "an agent serves %d queues at most",
			 CONFIG_AGENT_QUEUES_MAX);
		return;
	}
	a->skills = conf_arena_array(s->arena, t->n, sizeof(*a->skills));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_skill k = {.level = 1};
		const char *name = m->key;
		uint32_t level = 1;

		if (t->kind == TREE_LIST && !schema_name(s, m, "a queue", &name))
			continue;
		if (t->kind == TREE_MAP && !schema_u32(s, m, "a level", 1, 9, &level))
			continue;
		k.level = (uint8_t)level;
		if (!find_queue(s, c, name, t->kind == TREE_MAP ? m->key_at : m->at, &k.queue))
			continue;
		for (unsigned i = 0; i < a->n_skills; i++)
			if (a->skills[i].queue == k.queue)
				complain(s->c, COMPLAINT_ERROR, m->at,
					 "queue \"%s\" is there twice", name);
		a->skills[a->n_skills++] = k;
	}
}

static void read_person(const struct schema *s, const struct tree *t, bool supervisor,
			struct config *c)
{
	struct config_agent a = {.outbound = true,
				 .group = "",
				 .supervisor = supervisor,
				 .record = {CONFIG_RECORD_INHERIT, 0},
				 .at = t->at};
	const struct tree *queues = tree_get(t, "queues");
	const char *kind = supervisor ? "a supervisor" : "an agent";

	if (!schema_fill(s, t, agent_fields, COUNT(agent_fields), &a))
		return;
	config_read_secret(s, t, &a.password);
	config_read_remote(s, t, &a.remote);
	config_read_record(s, t, &a.record);
	if (queues != NULL)
		read_skills(s, queues, c, &a);
	if (tree_get(t, "number") == NULL)
		complain(s->c, COMPLAINT_ERROR, t->at, "%s needs a \"number\"", kind);
	if (a.number == NULL)
		return;
	if (a.password.kind == CONFIG_SECRET_NONE)
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "%s %s needs a password (password, password_env or password_file)", kind,
			 a.number);
	if (!supervisor && a.n_skills == 0 && queues == NULL)
		complain(s->c, COMPLAINT_WARNING, t->at, "agent %s serves no queue", a.number);
	if (a.name == NULL)
		a.name = a.number;
	c->agents[c->n_agents++] = a;
}

struct numbered {
	const char *number;
	uint32_t index;
};

static int by_number(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int order = strcmp(x->number, y->number);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static void index_numbers(const struct schema *s, struct config *c)
{
	struct numbered *list = conf_arena_array(s->arena, c->n_agents, sizeof(*list));
	uint32_t *sorted = conf_arena_array(s->arena, c->n_agents, sizeof(*sorted));

	for (uint32_t i = 0; i < c->n_agents; i++)
		list[i] = (struct numbered){c->agents[i].number, i};
	qsort(list, c->n_agents, sizeof(*list), by_number);
	for (uint32_t i = 0; i < c->n_agents; i++) {
		sorted[i] = list[i].index;
		if (i > 0 && strcmp(list[i].number, list[i - 1].number) == 0)
			complain(s->c, COMPLAINT_ERROR, c->agents[list[i].index].at,
				 "number %s is there twice, first in line %u", list[i].number,
				 (unsigned)c->agents[list[i - 1].index].at.line);
	}
	c->by_number = sorted;
}

void config_read_people(const struct schema *s, const struct tree *agents,
			const struct tree *supervisors, struct config *c)
{
	uint32_t n = 0;

	if (agents != NULL && !schema_kind(s, agents, "agents", TREE_LIST))
		agents = NULL;
	if (supervisors != NULL && !schema_kind(s, supervisors, "supervisors", TREE_LIST))
		supervisors = NULL;
	n += agents != NULL ? agents->n : 0;
	n += supervisors != NULL ? supervisors->n : 0;
	if (n > CONFIG_AGENTS_MAX) {
		complain(s->c, COMPLAINT_ERROR, agents != NULL ? agents->at : supervisors->at,
			 "more than %d agents and supervisors", CONFIG_AGENTS_MAX);
		n = 0;
		agents = supervisors = NULL;
	}
	c->agents = conf_arena_array(s->arena, n, sizeof(*c->agents));
	for (const struct tree *m = agents != NULL ? agents->first : NULL; m != NULL; m = m->next)
		read_person(s, m, false, c);
	for (const struct tree *m = supervisors != NULL ? supervisors->first : NULL; m != NULL;
	     m = m->next)
		read_person(s, m, true, c);
	index_numbers(s, c);
}

static const struct config_reason default_reasons[] = {
	{.code = 1, .name = "break", .title = "break", .counts = true},
	{.code = 2, .name = "lunch", .title = "lunch", .counts = true},
	{.code = 3, .name = "training", .title = "training", .counts = true},
	{.code = 4, .name = "meeting", .title = "meeting", .counts = true},
};

void config_read_reasons(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t == NULL) {
		memcpy(c->reasons, default_reasons, sizeof(default_reasons));
		c->n_reasons = (uint8_t)COUNT(default_reasons);
		return;
	}
	if (!schema_kind(s, t, "not_ready_reasons", TREE_LIST))
		return;
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_reason r = {.counts = true};

		if (!schema_fill(s, m, reason_fields, COUNT(reason_fields), &r))
			continue;
		if (tree_get(m, "code") == NULL || tree_get(m, "name") == NULL)
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "a reason needs a \"code\" from 1 to 9 and a \"name\"");
		if (r.code == 0 || r.name == NULL)
			continue;
		if (config_reason_find(c, r.code) != NULL) {
			complain(s->c, COMPLAINT_ERROR, m->at, "reason %u is there twice", r.code);
			continue;
		}
		if (r.title == NULL)
			r.title = r.name;
		config_read_budget(s, m, &r.budget);
		c->reasons[c->n_reasons++] = r;
	}
}

void config_read_features(const struct schema *s, const struct tree *t, struct config *c)
{
	if (t != NULL)
		schema_fill(s, t, feature_fields, COUNT(feature_fields), &c->features);

	for (size_t i = 0; i < COUNT(feature_fields); i++) {
		const char *a, *b;

		memcpy(&a, (const char *)&c->features + feature_fields[i].offset, sizeof(a));
		if (config_agent_find(c, a) != NULL || config_hotline_find(c, a) != NULL)
			complain(s->c, COMPLAINT_ERROR, t != NULL ? t->at : (struct mark){0},
				 "feature code %s is also the number of an agent or a hotline", a);
		for (size_t k = 0; k < i; k++) {
			memcpy(&b, (const char *)&c->features + feature_fields[k].offset,
			       sizeof(b));
			if (strcmp(a, b) == 0)
				complain(s->c, COMPLAINT_ERROR,
					 t != NULL ? t->at : (struct mark){0},
					 "%s and %s have the same feature code %s",
					 feature_fields[k].key, feature_fields[i].key, a);
		}
	}
}
