/* SPDX-License-Identifier: Apache-2.0
 * The lists: calls that wait, calls that are offered, actions that are to be carried out; and the one
 * step by which an agent changes its state. What to do with them is decided in acd.c. */
#include <string.h>

#include "acd/acd_priv.h"
#include "base/must.h"

/* --- actions ------------------------------------------------------------------------------- */

struct acd_action *acd_emit(struct acd *a, enum acd_action_kind kind, uint64_t now_ms)
{
	must(a->out_n < a->out_size);

	struct acd_action *o = &a->out[(a->out_first + a->out_n++) % a->out_size];

	*o = (struct acd_action){.kind = kind, .at_ms = now_ms, .agent = NONE, .queue = NONE};
	return o;
}

bool acd_next(struct acd *a, struct acd_action *out)
{
	if (a->out_n == 0)
		return false;
	*out = a->out[a->out_first];
	a->out_first = (a->out_first + 1) % a->out_size;
	a->out_n--;
	return true;
}

/* --- calls in lists ------------------------------------------------------------------------ */

static uint32_t hash_of(const struct acd *a, uint64_t id)
{
	return (uint32_t)(id * 0x9e3779b97f4a7c15u >> 32) & a->call_hash_mask;
}

int acd_call_find(const struct acd *a, uint64_t id)
{
	int i = a->call_hash[hash_of(a, id)];

	while (i != NONE && a->calls[i].id != id)
		i = a->calls[i].hash_next;
	return i;
}

int acd_take_call(struct acd *a, uint64_t id)
{
	int i = a->free_call;
	uint32_t h = hash_of(a, id);

	a->free_call = a->calls[i].next;
	a->calls[i] = (struct acd_call){.id = id,
					.agent = NONE,
					.ring_first = NONE,
					.prefer = NONE,
					.next = NONE,
					.prev = NONE,
					.hash_next = a->call_hash[h]};
	a->call_hash[h] = i;
	a->n_calls++;
	return i;
}

static void due_call(struct acd *a, int i, uint64_t at_ms)
{
	due_set(&a->due, a->plan.agents_max + (uint32_t)i, at_ms);
}

static void unhash(struct acd *a, int i)
{
	int *link = &a->call_hash[hash_of(a, a->calls[i].id)];

	while (*link != i)
		link = &a->calls[*link].hash_next;
	*link = a->calls[i].hash_next;
}

void acd_name_call(struct acd *a, int i, uint64_t id)
{
	unhash(a, i);
	a->calls[i].id = id;
	a->calls[i].hash_next = a->call_hash[hash_of(a, id)];
	a->call_hash[hash_of(a, id)] = i;
}

void acd_free_call(struct acd *a, int i)
{
	unhash(a, i);
	due_call(a, i, DUE_NEVER);
	a->calls[i].state = ACD_CALL_FREE;
	a->calls[i].next = a->free_call;
	a->free_call = i;
	a->n_calls--;
}

bool acd_goes_before(const struct acd_call *x, const struct acd_call *y)
{
	return x->key < y->key || (x->key == y->key && x->seq < y->seq);
}

static void link_call(struct acd *a, int i, int before)
{
	struct acd_call *c = &a->calls[i];
	struct acd_queue *q = &a->queues[c->queue];
	int after = before == NONE ? q->last : a->calls[before].prev;

	c->next = before;
	c->prev = after;
	*(before == NONE ? &q->last : &a->calls[before].prev) = i;
	*(after == NONE ? &q->first : &a->calls[after].next) = i;
	q->n_waiting++;
	q->n_callbacks += c->callback;
}

uint64_t acd_patience_ms(const struct acd *a, const struct acd_call *c)
{
	uint32_t max_s = a->queues[c->queue].max_wait_s;

	return max_s > 0 && !c->callback ? c->joined_ms + max_s * 1000u : DUE_NEVER;
}

/* When something is due for a waiting call: an announcement, the end of its patience, or that more
 * agents may take it. */
void acd_wait_due(struct acd *a, int i, uint64_t now_ms)
{
	const struct acd_call *c = &a->calls[i];
	uint64_t opens = acd_opens_ms(a, c, now_ms), ends = acd_patience_ms(a, c);
	uint64_t at = c->announce_ms;

	if (opens < at)
		at = opens;
	due_call(a, i, ends < at ? ends : at);
}

/* A newcomer is nearly always the last, or with a priority among the first: it is looked for from the
 * end to which it is nearer. */
void acd_wait_from_end(struct acd *a, int i, uint64_t now_ms)
{
	const struct acd_call *c = &a->calls[i];
	const struct acd_queue *q = &a->queues[c->queue];
	int before = NONE, at = q->last;

	if (at != NONE && c->key - a->calls[q->first].key < a->calls[at].key - c->key) {
		for (before = q->first; before != NONE && acd_goes_before(&a->calls[before], c);)
			before = a->calls[before].next;
	} else {
		for (; at != NONE && acd_goes_before(c, &a->calls[at]); at = a->calls[at].prev)
			before = at;
	}
	a->calls[i].state = ACD_CALL_WAITING;
	link_call(a, i, before);
	acd_wait_due(a, i, now_ms);
}

/* Whoever comes back was the first. */
void acd_wait_from_front(struct acd *a, int i, uint64_t now_ms)
{
	int at = a->queues[a->calls[i].queue].first;

	while (at != NONE && acd_goes_before(&a->calls[at], &a->calls[i]))
		at = a->calls[at].next;
	a->calls[i].state = ACD_CALL_WAITING;
	a->calls[i].agent = NONE;
	link_call(a, i, at);
	acd_wait_due(a, i, now_ms);
}

void acd_unlink_call(struct acd *a, int i)
{
	struct acd_call *c = &a->calls[i];
	struct acd_queue *q = &a->queues[c->queue];

	*(c->next == NONE ? &q->last : &a->calls[c->next].prev) = c->prev;
	*(c->prev == NONE ? &q->first : &a->calls[c->prev].next) = c->next;
	c->next = c->prev = NONE;
	q->n_waiting--;
	q->n_callbacks -= c->callback;
	due_call(a, i, DUE_NEVER);
}

void acd_offered_begin(struct acd *a, int i)
{
	struct acd_call *c = &a->calls[i];
	struct acd_queue *q = &a->queues[c->queue];

	c->prev = NONE;
	c->next = q->offered_first;
	if (c->next != NONE)
		a->calls[c->next].prev = i;
	q->offered_first = i;
	q->n_offered++;
}

void acd_offered_end(struct acd *a, int i)
{
	struct acd_call *c = &a->calls[i];
	struct acd_queue *q = &a->queues[c->queue];

	*(c->prev == NONE ? &q->offered_first : &a->calls[c->prev].next) = c->next;
	if (c->next != NONE)
		a->calls[c->next].prev = c->prev;
	c->next = c->prev = NONE;
	q->n_offered--;
}

/* --- agents -------------------------------------------------------------------------------- */

int acd_skill_level(const struct acd_agent *g, int queue)
{
	for (unsigned i = 0; i < g->n_skills; i++)
		if (g->skill[i].queue == queue)
			return g->skill[i].level;
	return 0;
}

bool acd_agent_serves(const struct acd *a, int agent, int queue)
{
	return agent >= 0 && (uint32_t)agent < a->n_agents &&
	       acd_skill_level(&a->agents[agent], queue) > 0;
}

bool acd_callbacks_wait(const struct acd *a, int agent)
{
	if (agent < 0 || (uint32_t)agent >= a->n_agents)
		return false;

	const struct acd_agent *g = &a->agents[agent];

	for (unsigned i = 0; i < g->n_skills; i++) {
		const struct acd_queue *q = &a->queues[g->skill[i].queue];

		if (q->n_callbacks > 0 && !q->paused && g->skill[i].level > 0)
			return true;
	}
	return false;
}

/* Add to, or take from (`by` -1), the counts of the queues that `g` serves. */
void acd_count(struct acd *a, const struct acd_agent *g, int by)
{
	for (unsigned i = 0; i < g->n_skills; i++) {
		struct acd_queue *q = &a->queues[g->skill[i].queue];

		q->assigned += (uint32_t)by;
		q->by_state[g->agent.state] += (uint32_t)by;
		if (agent_beneath(&g->agent) != AGENT_OFFLINE)
			q->signed_in += (uint32_t)by;
	}
}

void acd_touch(struct acd *a, int agent)
{
	struct acd_agent *g = &a->agents[agent];

	if (g->changed)
		return;
	g->changed = true;
	g->changed_next = a->changed_first;
	a->changed_first = agent + 1;
}

/* One event for one agent: state, counts, the list of the idle, the report. What the effect asks
 * beyond that is the caller's. */
int acd_step(struct acd *a, int agent, enum agent_event ev, uint8_t reason, uint64_t now_ms,
	     enum agent_effect *effect)
{
	struct acd_agent *g = &a->agents[agent];
	struct agent next = g->agent;
	int rc = agent_step(&next, ev, reason, g->wrap_up_s > 0, now_ms, effect);

	if (rc != 0)
		return rc;

	enum agent_state was = g->agent.state;
	bool told = was != next.state || g->agent.reason != next.reason;

	acd_count(a, g, -1);
	g->agent = next;
	acd_count(a, g, +1);
	if (ev == AGENT_SIGN_IN) {
		g->since_sign_in = 0;
		g->talk_ms = 0;
	}
	if (next.state == AGENT_READY && *effect != AGENT_DO_RELEASE)
		g->idle_since_ms = now_ms;
	acd_sync_idle(a, agent);
	acd_touch(a, agent);
	if (agent_beneath(&next) != AGENT_WRAP_UP && next.state != AGENT_RINGING)
		due_set(&a->due, (uint32_t)agent, DUE_NEVER);
	if (told) {
		struct acd_action *o = acd_emit(a, ACD_AGENT_STATE, now_ms);

		o->agent = agent;
		o->was = was;
		o->state = next.state;
		o->reason = next.reason;
		if (g->call != NONE) {
			o->call = a->calls[g->call].id;
			o->queue = a->calls[g->call].queue;
		}
	}
	return 0;
}
