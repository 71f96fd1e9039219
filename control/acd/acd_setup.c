/* SPDX-License-Identifier: Apache-2.0
 * Memory once, configuration many times. A new configuration is first looked at (does it fit?)
 * and then applied; agents and queues are recognised by number and name. */
#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "acd/acd_priv.h"
#include "base/must.h"

static uint32_t power_of_two(uint32_t least)
{
	uint32_t n = 16;

	while (n < least)
		n *= 2;
	return n;
}

static uint32_t actions_of(const struct acd_plan *p)
{
	return 4 * (p->agents_max + p->calls_max) + 64;
}

/* Cut `size` bytes from the front of a block; with `*p` NULL only count. */
static void *cut(char **p, size_t *total, size_t size)
{
	const size_t align = alignof(max_align_t);
	void *at = *p;

	size = (size + align - 1) / align * align;
	*total += size;
	if (*p != NULL)
		*p += size;
	return at;
}

static size_t lay_out(struct acd *a, char *p, const struct acd_plan *plan)
{
	uint32_t things = plan->agents_max + plan->calls_max;
	size_t total = 0;
	struct acd draft = {.plan = *plan};

	(void)cut(&p, &total, sizeof(*a));
	draft.agents = cut(&p, &total, plan->agents_max * sizeof(*draft.agents));
	draft.queues = cut(&p, &total, plan->queues_max * sizeof(*draft.queues));
	draft.calls = cut(&p, &total, plan->calls_max * sizeof(*draft.calls));
	draft.seats = cut(&p, &total, plan->queues_max * ACD_LEVELS_MAX * sizeof(*draft.seats));
	draft.call_hash_mask = power_of_two(plan->calls_max) - 1;
	draft.call_hash = cut(&p, &total, (draft.call_hash_mask + 1) * sizeof(int));
	draft.agent_hash_mask = power_of_two(2 * plan->agents_max) - 1;
	draft.agent_hash = cut(&p, &total, (draft.agent_hash_mask + 1) * sizeof(int));
	draft.out_size = actions_of(plan);
	draft.out = cut(&p, &total, draft.out_size * sizeof(*draft.out));

	void *due = cut(&p, &total, due_bytes(things));

	if (a != NULL) {
		*a = draft;
		due_init(&a->due, due, things);
	}
	return total;
}

size_t acd_bytes(const struct acd_plan *plan)
{
	return lay_out(NULL, NULL, plan);
}

struct acd *acd_init(void *memory, const struct acd_plan *plan)
{
	struct acd *a = memory;

	memset(memory, 0, acd_bytes(plan));
	lay_out(a, memory, plan);
	a->idle_first = a->idle_last = NONE;
	a->free_call = NONE;
	for (uint32_t i = 0; i < plan->queues_max * ACD_LEVELS_MAX; i++)
		a->seats[i] = NONE;
	for (uint32_t i = plan->calls_max; i-- > 0;) {
		a->calls[i].next = a->free_call;
		a->free_call = (int)i;
	}
	for (uint32_t i = 0; i <= a->call_hash_mask; i++)
		a->call_hash[i] = NONE;
	for (uint32_t i = 0; i <= a->agent_hash_mask; i++)
		a->agent_hash[i] = NONE;
	a->priority_step_ms = 86400000;
	return a;
}

/* Where `number` is in the table, or would be. */
uint32_t acd_number_slot(const struct acd *a, const char *number)
{
	uint32_t h = 2166136261u;

	for (const char *p = number; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	h &= a->agent_hash_mask;
	while (a->agent_hash[h] != NONE && strcmp(a->agents[a->agent_hash[h]].number, number) != 0)
		h = (h + 1) & a->agent_hash_mask;
	return h;
}

static void hash_agents(struct acd *a)
{
	for (uint32_t i = 0; i <= a->agent_hash_mask; i++)
		a->agent_hash[i] = NONE;
	for (uint32_t i = 0; i < a->n_agents; i++)
		if (a->agents[i].used)
			a->agent_hash[acd_number_slot(a, a->agents[i].number)] = (int)i;
}

static int queue_named(const struct acd *a, const char *name)
{
	for (uint32_t i = 0; i < a->n_queues; i++)
		if (a->queues[i].used && strcmp(a->queues[i].name, name) == 0)
			return (int)i;
	return NONE;
}

/* May this place be given to a newcomer? */
static bool queue_free(const struct acd_queue *q, const struct acd *a)
{
	if (!q->used)
		return true;
	if (!q->gone || q->n_waiting + q->n_offered > 0)
		return false;
	for (uint32_t i = 0; i < a->n_agents; i++)
		if (a->agents[i].call != NONE && a->agents[i].used &&
		    &a->queues[a->calls[a->agents[i].call].queue] == q)
			return false;
	return true;
}

static bool agent_free(const struct acd_agent *g)
{
	return !g->used || (g->gone && g->call == NONE && g->agent.state == AGENT_OFFLINE);
}

static bool fits(const struct acd *a, const struct config *c)
{
	uint32_t queues = a->plan.queues_max, agents = a->plan.agents_max, want_q = 0, want_a = 0;

	for (uint32_t i = 0; i < a->n_queues; i++)
		queues -= !queue_free(&a->queues[i], a);
	for (uint32_t i = 0; i < a->n_agents; i++)
		agents -= !agent_free(&a->agents[i]);
	for (unsigned i = 0; i < c->n_queues; i++) {
		int q = queue_named(a, c->queues[i].name);

		want_q += q == NONE || queue_free(&a->queues[q], a);
	}
	for (uint32_t i = 0; i < c->n_agents; i++) {
		int g = a->agent_hash[acd_number_slot(a, c->agents[i].number)];

		want_a += g == NONE || agent_free(&a->agents[g]);
	}
	return want_q <= queues && want_a <= agents;
}

static int place_queue(struct acd *a, const char *name)
{
	int at = queue_named(a, name);

	if (at != NONE)
		return at;
	for (at = 0; (uint32_t)at < a->n_queues && !queue_free(&a->queues[at], a);)
		at++;
	must((uint32_t)at < a->plan.queues_max);
	if ((uint32_t)at == a->n_queues)
		a->n_queues++;

	struct acd_queue *q = &a->queues[at];

	memset(q, 0, sizeof(*q));
	q->used = true;
	q->first = q->last = q->offered_first = NONE;
	memcpy(q->name, name, strlen(name) + 1);
	return at;
}

static void take_queue(struct acd *a, const struct config_queue *c)
{
	struct acd_queue *q = &a->queues[place_queue(a, c->name)];

	q->gone = false;
	q->strategy = c->strategy;
	q->priority = c->priority;
	q->wait_without_agents = c->wait_without_agents;
	q->ring_timeout_s = c->ring_timeout_s;
	q->wrap_up_s = c->wrap_up_s;
	q->announce_every_s = c->announce_every_s;
	q->announce_first_s = c->announce_first_s;
	q->service_level_s = c->service_level_s;
	q->max_wait_s = c->max_wait_s;
	q->max_calls = c->max_calls;
	q->sticky_s = c->sticky_s;
	q->level_after_s = c->level_after_s;
	q->max_expected_wait_s = c->max_expected_wait_s;
	q->service_level_percent = c->service_level_percent;
	if (q->handle_ms == 0)
		q->handle_ms = c->handle_time_s * 1000u;
}

static int place_agent(struct acd *a, const char *number, uint32_t *from)
{
	int at = a->agent_hash[acd_number_slot(a, number)];

	if (at != NONE)
		return at;
	while (*from < a->n_agents && !agent_free(&a->agents[*from]))
		(*from)++;
	must(*from < a->plan.agents_max);
	at = (int)*from;
	if (*from == a->n_agents)
		a->n_agents++;

	struct acd_agent *g = &a->agents[at];
	struct acd_agent was = *g;

	memset(g, 0, sizeof(*g));
	g->used = true;
	g->changed = was.changed; /* it may be in that list already */
	g->changed_next = was.changed_next;
	g->call = g->next = g->prev = g->ring_next = NONE;
	memcpy(g->number, number, strlen(number) + 1);
	(*from)++;
	return at;
}

void acd_lay_changes(struct acd *a, struct acd_agent *g)
{
	uint16_t kept = 0;

	for (unsigned i = 0; i < g->n_changes; i++) {
		const struct config_skill *by = &g->change[i];
		unsigned at = 0;

		if (a->queues[by->queue].gone)
			continue;
		g->change[kept++] = *by;
		while (at < g->n_skills && g->skill[at].queue != by->queue)
			at++;
		if (by->level > 0 && at < CONFIG_AGENT_QUEUES_MAX) {
			g->skill[at] = *by;
			g->n_skills = (uint16_t)(at == g->n_skills ? at + 1 : g->n_skills);
		} else if (by->level == 0 && at < g->n_skills) {
			g->skill[at] = g->skill[--g->n_skills];
		}
	}
	g->n_changes = kept;
}

static void take_agent(struct acd *a, const struct config *c, const struct config_agent *from,
		       uint32_t *place)
{
	struct acd_agent *g = &a->agents[place_agent(a, from->number, place)];
	size_t len = strlen(from->name);

	if (len >= sizeof(g->name))
		len = sizeof(g->name) - 1;
	memcpy(g->name, from->name, len);
	g->name[len] = '\0';
	g->gone = false;
	g->supervisor = from->supervisor;
	acd_idle_get_up(a, (int)(g - a->agents)); /* became idle a moment ago, without a skill */
	g->n_skills = from->n_skills;
	for (unsigned i = 0; i < from->n_skills; i++) {
		int queue = queue_named(a, c->queues[from->skills[i].queue].name);

		g->skill[i] = (struct config_skill){(uint16_t)queue, from->skills[i].level};
	}
	acd_lay_changes(a, g);
	acd_count(a, g, +1);
	acd_idle_sit(a, (int)(g - a->agents));
}

/* Patience and levels may have other times now. */
static void due_anew(struct acd *a, uint64_t now_ms)
{
	for (uint32_t q = 0; q < a->n_queues; q++)
		for (int i = a->queues[q].first; i != NONE; i = a->calls[i].next)
			acd_wait_due(a, i, now_ms);
}

int acd_configure(struct acd *a, const struct config *c, uint64_t now_ms)
{
	uint32_t place = 0;
	bool frozen = a->frozen;

	if (!fits(a, c))
		return -ENOSPC;
	a->frozen = true; /* nothing is offered before everybody has his skills */
	a->priority_step_ms = c->priority_step_s * 1000u;

	/* Skills are taken from all and given anew; between the two nobody counts anywhere. */
	for (uint32_t i = 0; i < a->n_agents; i++) {
		struct acd_agent *g = &a->agents[i];

		acd_idle_get_up(a, (int)i);
		acd_count(a, g, -1);
		g->n_skills = 0;
		g->gone = config_agent_find(c, g->number) == NULL;
	}
	for (uint32_t i = 0; i < a->n_queues; i++) {
		struct acd_queue *q = &a->queues[i];

		if (!q->used || q->gone || config_queue_find(c, q->name) != NULL)
			continue;
		q->gone = true;
		acd_expel(a, (int)i, ACD_LEFT_REMOVED, now_ms);
	}
	for (uint32_t i = 0; i < c->n_queues; i++)
		take_queue(a, &c->queues[i]);
	for (uint32_t i = 0; i < c->n_agents; i++)
		take_agent(a, c, &c->agents[i], &place);
	hash_agents(a);
	for (uint32_t i = 0; i < a->n_agents; i++)
		acd_idle_sit(a, (int)i); /* also those who are gone, without a skill */
	for (uint32_t i = 0; i < a->n_agents; i++)
		if (a->agents[i].gone && a->agents[i].agent.state != AGENT_OFFLINE)
			(void)acd_agent_event(a, (int)i, AGENT_SIGN_OUT, 0, now_ms);
	for (uint32_t i = 0; i < a->n_queues; i++)
		if (!a->queues[i].gone && a->queues[i].signed_in == 0 &&
		    !a->queues[i].wait_without_agents)
			acd_expel(a, (int)i, ACD_LEFT_EMPTY, now_ms);
	due_anew(a, now_ms);
	a->frozen = frozen;
	acd_match_idle(a, now_ms);
	return 0;
}
