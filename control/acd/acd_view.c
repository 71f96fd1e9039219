/* SPDX-License-Identifier: Apache-2.0
 * Looking at an ACD, and stating what must be true of it. */
#include <string.h>

#include "acd/acd_priv.h"
#include "base/must.h"

int acd_agent_find(const struct acd *a, const char *number)
{
	int i = a->agent_hash[acd_number_slot(a, number)];

	return i != NONE && !a->agents[i].gone ? i : NONE;
}

int acd_queue_find(const struct acd *a, const char *name)
{
	for (uint32_t i = 0; i < a->n_queues; i++)
		if (a->queues[i].used && !a->queues[i].gone && strcmp(a->queues[i].name, name) == 0)
			return (int)i;
	return NONE;
}

uint32_t acd_queues(const struct acd *a)
{
	return a->n_queues;
}

uint32_t acd_agents(const struct acd *a)
{
	return a->n_agents;
}

bool acd_queue_view(const struct acd *a, int queue, uint64_t now_ms, struct acd_queue_view *out)
{
	if (queue < 0 || (uint32_t)queue >= a->n_queues || a->queues[queue].gone)
		return false;

	const struct acd_queue *q = &a->queues[queue];
	uint64_t longest = 0;

	for (int i = q->first; i != NONE; i = a->calls[i].next)
		if (now_ms - a->calls[i].entered_ms > longest)
			longest = now_ms - a->calls[i].entered_ms;
	for (int i = q->offered_first; i != NONE; i = a->calls[i].next)
		if (now_ms - a->calls[i].entered_ms > longest)
			longest = now_ms - a->calls[i].entered_ms;
	*out = (struct acd_queue_view){
		.name = q->name,
		.paused = q->paused,
		.callbacks = q->n_callbacks,
		.service_level_s = q->service_level_s,
		.service_level_percent = q->service_level_percent,
		.waiting = q->n_waiting + q->n_offered,
		.longest_wait_ms = longest,
		.assigned = q->assigned,
		.signed_in = q->signed_in,
		.ready = q->by_state[AGENT_READY],
		.ringing = q->by_state[AGENT_RINGING],
		.talking = q->by_state[AGENT_TALKING],
		.wrap_up = q->by_state[AGENT_WRAP_UP],
		.not_ready = q->by_state[AGENT_NOT_READY],
		.offered = q->offered,
		.answered = q->answered,
		.answered_in_time = q->answered_in_time,
		.abandoned = q->abandoned,
		.left = q->left,
		.refused = q->refused,
		.wait_sum_ms = q->wait_sum_ms,
		.wait_max_ms = q->wait_max_ms > longest ? q->wait_max_ms : longest,
		.talk_sum_ms = q->talk_sum_ms,
	};
	return true;
}

bool acd_agent_view(const struct acd *a, int agent, struct acd_agent_view *out)
{
	if (agent < 0 || (uint32_t)agent >= a->n_agents || !a->agents[agent].used)
		return false;

	const struct acd_agent *g = &a->agents[agent];

	if (g->gone && g->agent.state == AGENT_OFFLINE)
		return false;
	*out = (struct acd_agent_view){
		.number = g->number,
		.name = g->name,
		.agent = g->agent,
		.reachable = g->reachable,
		.supervisor = g->supervisor,
		.dnd = g->dnd,
		.call = g->call != NONE ? a->calls[g->call].id : 0,
		.queue = g->call != NONE ? a->calls[g->call].queue : NONE,
		.answered = g->answered,
		.missed = g->missed,
		.rejected = g->rejected,
		.idle_since_ms = g->idle_since_ms,
		.talk_ms = g->talk_ms,
	};
	return true;
}

unsigned acd_position(const struct acd *a, uint64_t id)
{
	int call = acd_call_find(a, id);

	if (call == NONE || a->calls[call].state == ACD_CALL_TALKING)
		return 0;

	const struct acd_call *c = &a->calls[call];

	if (c->state == ACD_CALL_OFFERED)
		return 1;

	unsigned place = 1 + a->queues[c->queue].n_offered;

	for (int i = a->queues[c->queue].first; i != call; i = a->calls[i].next)
		place++;
	return place;
}

int acd_expected_wait_s(const struct acd *a, int queue, unsigned position)
{
	if (queue < 0 || (uint32_t)queue >= a->n_queues)
		return -1;

	const struct acd_queue *q = &a->queues[queue];
	uint32_t serving = q->signed_in - q->by_state[AGENT_NOT_READY];

	if (q->signed_in <= q->by_state[AGENT_NOT_READY] || position == 0)
		return -1;
	return (int)((uint64_t)position * q->handle_ms / serving / 1000);
}

uint32_t acd_waiting(const struct acd *a, int queue, uint64_t *calls, uint32_t max)
{
	if (queue < 0 || (uint32_t)queue >= a->n_queues)
		return 0;

	const struct acd_queue *q = &a->queues[queue];
	uint32_t n = 0, offered = q->n_offered;

	for (uint32_t i = 0; offered > 0 && i < a->n_agents; i++) {
		int c = a->agents[i].call;

		if (c == NONE || a->calls[c].queue != queue || a->calls[c].agent != (int)i ||
		    a->calls[c].state != ACD_CALL_OFFERED)
			continue;
		if (n < max)
			calls[n++] = a->calls[c].id;
		offered--;
	}
	for (int i = q->first; i != NONE && n < max; i = a->calls[i].next)
		calls[n++] = a->calls[i].id;
	return q->n_waiting + q->n_offered;
}

/* --- beliefs ------------------------------------------------------------------------------- */

static void check_queue(const struct acd *a, int queue)
{
	const struct acd_queue *q = &a->queues[queue];
	uint32_t waiting = 0, offered = 0, callbacks = 0, listed = 0;

	for (int i = q->first, prev = NONE; i != NONE; prev = i, i = a->calls[i].next) {
		const struct acd_call *c = &a->calls[i];

		must(c->state == ACD_CALL_WAITING && c->queue == queue && c->agent == NONE);
		must(c->prev == prev && (prev == NONE || acd_goes_before(&a->calls[prev], c)));
		must(acd_call_find(a, c->id) == i);
		must(c->ringing == 0);
		waiting++;
		callbacks += c->callback;
	}
	for (uint32_t i = 0; i < a->n_agents; i++) {
		int c = a->agents[i].call;

		offered += a->agents[i].used && c != NONE && a->calls[c].queue == queue &&
			   a->calls[c].agent == (int)i && a->calls[c].state == ACD_CALL_OFFERED;
	}
	for (int i = q->offered_first, prev = NONE; i != NONE; prev = i, i = a->calls[i].next) {
		must(a->calls[i].state == ACD_CALL_OFFERED && a->calls[i].queue == queue);
		must(a->calls[i].prev == prev);
		listed++;
	}
	must(callbacks == q->n_callbacks && listed == offered);
	must(waiting == q->n_waiting && offered == q->n_offered);
	must(q->offered == waiting + offered + q->answered + q->abandoned + q->left + q->refused);
	must(!q->gone || waiting + offered == 0);
}

static void check_ringing(const struct acd *a, int call)
{
	unsigned ringing = 0, linked = 0;

	for (uint32_t i = 0; i < a->n_agents; i++)
		ringing += a->agents[i].used && a->agents[i].call == call;
	for (int i = a->calls[call].ring_first; i != NONE; i = a->agents[i].ring_next) {
		must(a->agents[i].call == call && a->agents[i].ring_next != i);
		linked++;
	}
	must(ringing == a->calls[call].ringing && linked == ringing);
}

static void check_agent(const struct acd *a, int agent)
{
	const struct acd_agent *g = &a->agents[agent];
	enum agent_state s = g->agent.state;

	must((g->call != NONE) == (s == AGENT_RINGING || s == AGENT_TALKING));
	if (g->call != NONE) {
		const struct acd_call *c = &a->calls[g->call];

		must(c->agent == agent || (c->state == ACD_CALL_OFFERED && c->ringing > 1));
		must(c->state == (s == AGENT_RINGING ? ACD_CALL_OFFERED : ACD_CALL_TALKING));
		must(acd_call_find(a, c->id) == g->call);
		if (c->state == ACD_CALL_OFFERED && c->agent == agent)
			check_ringing(a, g->call);
	}
	must(g->idle == (s == AGENT_READY && g->reachable));
	must(!g->dnd || agent_beneath(&g->agent) != AGENT_READY);
	must(!g->dnd || s != AGENT_RINGING);

	/* Nobody is idle while a call waits that he might have taken when the clock was looked at last. */
	for (unsigned i = 0; g->idle && !a->frozen && i < g->n_skills; i++)
		for (int c = a->queues[g->skill[i].queue].first; c != NONE; c = a->calls[c].next)
			must(!acd_may_take(a, &a->calls[c], agent, g->skill[i].level,
					   a->ticked_ms));

	/* Nobody rings or wraps up for ever. */
	bool timed = s == AGENT_RINGING || agent_beneath(&g->agent) == AGENT_WRAP_UP;

	must((a->due.at[agent] != DUE_NEVER) == timed);
}

void acd_check(const struct acd *a)
{
	uint32_t calls = 0, idle = 0;

	for (uint32_t i = 0; i < a->n_queues; i++) {
		check_queue(a, (int)i);
		calls += a->queues[i].n_waiting;
	}
	for (uint32_t i = 0; i < a->n_agents; i++) {
		if (!a->agents[i].used)
			continue;
		check_agent(a, (int)i);
		calls += a->agents[i].call != NONE && a->calls[a->agents[i].call].agent == (int)i;
		idle += a->agents[i].idle;
	}
	must(calls == a->n_calls);
	for (int i = a->idle_first, prev = NONE; i != NONE; prev = i, i = a->agents[i].next) {
		must(a->agents[i].prev == prev);
		must(prev == NONE || a->agents[prev].idle_since_ms <= a->agents[i].idle_since_ms);
		idle--;
	}
	must(idle == 0);
	acd_idle_check(a);
}
