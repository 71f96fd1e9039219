/* SPDX-License-Identifier: Apache-2.0
 * What becomes of an offer: taken, failed, withdrawn, void; and calls that an agent takes unasked. Who is
 * offered what is decided in acd.c. */
#include <errno.h>

#include "acd/acd_priv.h"
#include "base/must.h"

void acd_ring_link(struct acd *a, int call, int agent)
{
	int *link = &a->calls[call].ring_first;

	while (*link != NONE && *link < agent)
		link = &a->agents[*link].ring_next;
	a->agents[agent].ring_next = *link;
	*link = agent;
}

static void ring_unlink(struct acd *a, int call, int agent)
{
	int *link = &a->calls[call].ring_first;

	while (*link != agent)
		link = &a->agents[*link].ring_next;
	*link = a->agents[agent].ring_next;
	a->agents[agent].ring_next = NONE;
}

/* One for whom the call rings, but not `except`; NONE when nobody is left. */
static int another_ringing(const struct acd *a, int call, int except)
{
	int first = a->calls[call].ring_first;

	return first != NONE && first == except ? a->agents[first].ring_next : first;
}

/* The phone stops ringing and agent and call know nothing of each other any more. */
static void withdraw(struct acd *a, int agent, enum agent_event why, uint64_t now_ms)
{
	struct acd_agent *g = &a->agents[agent];
	int call = g->call;
	struct acd_call *c = &a->calls[call];
	struct acd_action *o = acd_emit(a, ACD_WITHDRAW, now_ms);

	o->call = c->id;
	o->agent = agent;
	o->queue = c->queue;
	o->withdrawn = why;
	g->call = NONE;
	ring_unlink(a, call, agent);
	due_set(&a->due, (uint32_t)agent, DUE_NEVER);
	if (--c->ringing == 0)
		acd_offered_end(a, call);
	if (c->agent == agent)
		c->agent = another_ringing(a, call, NONE);
}

/* All phones but `except` (NONE: all) stop ringing for the call; their agents are as before it. */
void acd_withdraw_all(struct acd *a, int call, int except, uint64_t now_ms)
{
	const struct acd_call *c = &a->calls[call];
	unsigned stay = except != NONE ? 1 : 0;
	enum agent_effect effect;

	while (c->ringing > stay) {
		int agent = c->agent != except ? c->agent : another_ringing(a, call, except);

		withdraw(a, agent, AGENT_CANCEL, now_ms);
		must(acd_step(a, agent, AGENT_CANCEL, 0, now_ms, &effect) == 0);
	}
}

static bool holds(const struct acd *a, int agent, uint64_t id, enum acd_call_state state)
{
	if (agent < 0 || (uint32_t)agent >= a->n_agents || a->agents[agent].call == NONE)
		return false;

	const struct acd_call *c = &a->calls[a->agents[agent].call];

	return c->state == state && c->id == id;
}

/* The agent has the call, which is in no list and rings nowhere else. */
static void take(struct acd *a, int agent, int call, uint64_t now_ms)
{
	struct acd_agent *g = &a->agents[agent];
	struct acd_call *c = &a->calls[call];
	struct acd_queue *q = &a->queues[c->queue];
	uint64_t waited_ms = now_ms - c->entered_ms;

	g->call = call;
	c->state = ACD_CALL_TALKING;
	c->answered_ms = now_ms;
	c->agent = agent;
	c->ringing = 0;
	q->answered++;
	q->answered_in_time += waited_ms <= q->service_level_s * 1000u;
	q->wait_sum_ms += waited_ms;
	if (waited_ms > q->wait_max_ms)
		q->wait_max_ms = waited_ms;
	g->answered++;
	g->since_sign_in++;

	struct acd_action *o = acd_emit(a, ACD_ANSWERED, now_ms);

	o->call = c->id;
	o->agent = agent;
	o->queue = c->queue;
	o->callback = c->callback;
	o->waited_ms = waited_ms;
}

int acd_offer_answered(struct acd *a, int agent, uint64_t id, uint64_t now_ms)
{
	enum agent_effect effect;

	if (!holds(a, agent, id, ACD_CALL_OFFERED))
		return -EPROTO;

	int call = a->agents[agent].call;
	bool others = a->calls[call].ringing > 1;

	acd_withdraw_all(a, call, agent, now_ms);
	ring_unlink(a, call, agent);
	acd_offered_end(a, call);
	take(a, agent, call, now_ms);
	must(acd_step(a, agent, AGENT_ANSWER, 0, now_ms, &effect) == 0);
	if (others)
		acd_match_idle(a, now_ms);
	return 0;
}

int acd_pick_up(struct acd *a, int agent, uint64_t id, uint64_t now_ms)
{
	int call = acd_call_find(a, id);
	enum agent_effect effect;

	if (agent < 0 || (uint32_t)agent >= a->n_agents || !a->agents[agent].used)
		return -ENOENT;
	if (call == NONE || a->calls[call].state == ACD_CALL_TALKING)
		return -ENOENT;

	struct acd_agent *g = &a->agents[agent];

	if (g->gone || g->call != NONE || !agent_can(&g->agent, AGENT_PICK_UP))
		return -EPROTO;
	if (a->calls[call].state == ACD_CALL_WAITING)
		acd_unlink_call(a, call);
	else
		acd_withdraw_all(a, call, NONE, now_ms);
	g->wrap_up_s = a->queues[a->calls[call].queue].wrap_up_s;
	take(a, agent, call, now_ms);
	must(acd_step(a, agent, AGENT_PICK_UP, 0, now_ms, &effect) == 0);
	acd_match_idle(a, now_ms); /* those whose phones rang */
	return 0;
}

/* The offer is over and not taken: the agent goes where `ev` says, the call back to its place. */
void acd_give_back(struct acd *a, int agent, enum agent_event ev, uint8_t reason, uint64_t now_ms)
{
	struct acd_agent *g = &a->agents[agent];
	int call = g->call;
	enum agent_effect effect;

	g->missed += ev == AGENT_MISS || ev == AGENT_LOST;
	g->rejected += ev == AGENT_REJECT;
	withdraw(a, agent, ev, now_ms);
	if (a->calls[call].ringing == 0)
		acd_wait_from_front(a, call, now_ms);
	must(acd_step(a, agent, ev, reason, now_ms, &effect) == 0);
	must(effect == AGENT_DO_REQUEUE);
	if (ev == AGENT_SIGN_OUT)
		acd_expel_lonely(a, g, now_ms);
	if (a->calls[call].state == ACD_CALL_WAITING)
		acd_match_call(a, call, now_ms);
}

int acd_offer_failed(struct acd *a, int agent, uint64_t id, enum agent_event how, uint64_t now_ms)
{
	if (how != AGENT_REJECT && how != AGENT_MISS && how != AGENT_LOST)
		return -EINVAL;
	if (!holds(a, agent, id, ACD_CALL_OFFERED))
		return -EPROTO;
	acd_give_back(a, agent, how, 0, now_ms);
	return 0;
}

int acd_offer_void(struct acd *a, int agent, uint64_t id, uint64_t now_ms)
{
	enum agent_effect effect;

	if (!holds(a, agent, id, ACD_CALL_OFFERED))
		return -EPROTO;

	int call = a->agents[agent].call;

	withdraw(a, agent, AGENT_CANCEL, now_ms);
	if (a->calls[call].ringing == 0) {
		a->calls[call].void_until_ms = now_ms + ACD_VOID_MS;
		acd_wait_from_front(a, call, now_ms);
	}
	must(acd_step(a, agent, AGENT_CANCEL, 0, now_ms, &effect) == 0);
	acd_match_agent(a, agent, now_ms);
	return 0;
}

void acd_learn(struct acd_queue *q, uint64_t talk_ms)
{
	uint64_t handled = talk_ms + q->wrap_up_s * 1000u;

	if (handled > 3600000)
		handled = 3600000;
	q->handle_ms = (uint32_t)((q->handle_ms * 7u + handled) / 8);
	q->talk_sum_ms += talk_ms;
}

void acd_let_go(struct acd *a, int agent, uint64_t now_ms)
{
	struct acd_agent *g = &a->agents[agent];
	enum agent_effect effect;

	must(acd_step(a, agent, AGENT_HANGUP, 0, now_ms, &effect) == 0);
	if (effect == AGENT_DO_WRAP)
		due_set(&a->due, (uint32_t)agent, now_ms + g->wrap_up_s * 1000u);
	if (g->agent.state == AGENT_OFFLINE)
		acd_expel_lonely(a, g, now_ms);
	acd_match_agent(a, agent, now_ms);
}

int acd_agent_done(struct acd *a, int agent, uint64_t now_ms)
{
	if (agent < 0 || (uint32_t)agent >= a->n_agents)
		return -ENOENT;

	struct acd_agent *g = &a->agents[agent];

	if (g->call == NONE || a->calls[g->call].state != ACD_CALL_TALKING)
		return -EPROTO;

	struct acd_call *c = &a->calls[g->call];

	acd_learn(&a->queues[c->queue], now_ms - c->answered_ms);
	g->talk_ms += now_ms - c->answered_ms;
	acd_free_call(a, g->call);
	g->call = NONE;
	acd_let_go(a, agent, now_ms);
	return 0;
}
