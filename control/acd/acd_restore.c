/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting things where they were, without the events that brought them there: nobody is told of what
 * has not changed, and nothing is counted twice. What comes out is consistent in itself, whatever went
 * in; acd_check() says so in the simulator. */
#include "acd/acd_restore.h"

#include <errno.h>

#include "acd/acd_priv.h"
#include "base/must.h"

static bool agent_is(const struct acd *a, int agent)
{
	return agent >= 0 && (uint32_t)agent < a->n_agents && a->agents[agent].used;
}

bool acd_agent_keep(const struct acd *a, int agent, struct acd_agent_kept *out)
{
	const struct acd_agent *g;

	if (!agent_is(a, agent))
		return false;
	g = &a->agents[agent];
	*out = (struct acd_agent_kept){
		.agent = g->agent,
		.idle_since_ms = g->idle_since_ms,
		.wrap_until_ms = agent_beneath(&g->agent) == AGENT_WRAP_UP ? a->due.at[agent] : 0,
		.wrap_up_s = g->wrap_up_s,
		.answered = g->answered,
		.missed = g->missed,
		.rejected = g->rejected,
		.since_sign_in = g->since_sign_in,
		.talk_ms = g->talk_ms,
		.dnd = g->dnd,
		.dnd_ready = g->dnd_ready,
	};
	return true;
}

bool acd_call_keep(const struct acd *a, uint64_t id, struct acd_call_kept *out)
{
	int call = acd_call_find(a, id);
	const struct acd_call *c;

	if (call == NONE)
		return false;
	c = &a->calls[call];
	*out = (struct acd_call_kept){
		.queue = c->queue,
		.talking = c->state == ACD_CALL_TALKING,
		.agent = c->state == ACD_CALL_TALKING ? c->agent : NONE,
		.priority = c->priority,
		.callback = c->callback,
		.entered_ms = c->entered_ms,
		.joined_ms = c->joined_ms,
		.answered_ms = c->answered_ms,
		.seq = c->seq,
	};
	return true;
}

int acd_changed(struct acd *a)
{
	int agent = a->changed_first - 1;

	if (agent < 0)
		return NONE;
	a->changed_first = a->agents[agent].changed_next;
	a->agents[agent].changed = false;
	return agent;
}

void acd_freeze(struct acd *a, bool frozen, uint64_t now_ms)
{
	a->frozen = frozen;
	if (frozen)
		return;
	for (uint32_t i = 0; i < a->n_queues; i++) {
		const struct acd_queue *q = &a->queues[i];

		if (q->used && !q->gone && q->signed_in == 0 && !q->wait_without_agents)
			acd_expel(a, (int)i, ACD_LEFT_EMPTY, now_ms);
	}
	acd_match_idle(a, now_ms); /* who became due meanwhile comes after who was here */
	acd_tick(a, now_ms);
}

static uint64_t at_most(uint64_t ms, uint64_t now_ms)
{
	return ms < now_ms ? ms : now_ms;
}

/* The state to begin with, from the one that was shown. */
static struct agent without_what_is_over(const struct agent *was, uint64_t now_ms)
{
	struct agent g = *was;

	g.state = agent_beneath(was);
	g.others = 0;
	if (g.state == AGENT_RINGING)
		g.state = AGENT_READY;
	if (g.state != AGENT_TALKING && g.state != AGENT_WRAP_UP) {
		g.after = AGENT_AFTER_CALL_READY;
		g.after_reason = AGENT_REASON_NONE;
	}
	g.resume = g.state;
	if (g.state != AGENT_NOT_READY)
		g.reason = AGENT_REASON_NONE;
	g.since_ms = at_most(g.since_ms, now_ms);
	return g;
}

static bool can_be(const struct agent *g)
{
	return g->state < AGENT_STATES && g->after <= AGENT_AFTER_CALL_OFFLINE &&
	       (g->state != AGENT_OTHER || (g->resume < AGENT_OTHER && g->resume != AGENT_RINGING &&
					    g->resume != AGENT_TALKING));
}

int acd_agent_restore(struct acd *a, int agent, const struct acd_agent_kept *kept, uint64_t now_ms)
{
	struct acd_agent *g;

	if (!agent_is(a, agent) || a->agents[agent].gone)
		return -ENOENT;
	if (!can_be(&kept->agent))
		return -EINVAL;
	g = &a->agents[agent];
	if (g->agent.state != AGENT_OFFLINE || g->agent.others > 0 || g->call != NONE)
		return -EPROTO;

	acd_count(a, g, -1);
	g->agent = without_what_is_over(&kept->agent, now_ms);
	acd_count(a, g, +1);
	/* Who comes from a private call is idle from now on. */
	g->idle_since_ms =
		kept->agent.state == AGENT_OTHER ? now_ms : at_most(kept->idle_since_ms, now_ms);
	g->wrap_up_s = kept->wrap_up_s;
	g->answered = kept->answered;
	g->missed = kept->missed;
	g->rejected = kept->rejected;
	g->since_sign_in = kept->since_sign_in;
	g->talk_ms = kept->talk_ms;
	g->dnd = kept->dnd && g->agent.state != AGENT_READY;
	g->dnd_ready = kept->dnd_ready;
	if (g->agent.state == AGENT_WRAP_UP)
		due_set(&a->due, (uint32_t)agent,
			at_most(kept->wrap_until_ms, now_ms + g->wrap_up_s * 1000u));
	acd_sync_idle(a, agent);
	if (g->agent.state != kept->agent.state) {
		struct acd_action *o = acd_emit(a, ACD_AGENT_STATE, now_ms);

		o->agent = agent;
		o->was = kept->agent.state;
		o->state = g->agent.state;
		o->reason = g->agent.reason;
	}
	acd_touch(a, agent);
	return 0;
}

static void take_up_waiting(struct acd *a, int call, uint64_t now_ms)
{
	struct acd_call *c = &a->calls[call];
	struct acd_queue *q = &a->queues[c->queue];

	c->key = (int64_t)c->entered_ms -
		 (int64_t)((c->priority + q->priority) * a->priority_step_ms);
	c->announce_ms = q->announce_every_s > 0 && !c->callback
				 ? now_ms + q->announce_every_s * 1000u
				 : DUE_NEVER;
	q->offered++;
	acd_wait_from_end(a, call, now_ms);
}

int acd_call_restore(struct acd *a, uint64_t id, const struct acd_call_kept *kept, uint64_t now_ms)
{
	struct acd_call *c;
	int call;

	if (kept->queue < 0 || (uint32_t)kept->queue >= a->n_queues ||
	    !a->queues[kept->queue].used || a->queues[kept->queue].gone)
		return -ENOENT;
	if (acd_call_find(a, id) != NONE)
		return -EEXIST;
	if (a->n_calls >= a->plan.calls_max)
		return -ENOSPC;
	if (kept->talking &&
	    (!agent_is(a, kept->agent) || a->agents[kept->agent].agent.state != AGENT_TALKING ||
	     a->agents[kept->agent].call != NONE))
		return -EPROTO;

	call = acd_take_call(a, id);
	c = &a->calls[call];
	c->queue = kept->queue;
	c->priority = kept->priority > 9 ? 9 : kept->priority;
	c->callback = kept->callback;
	c->entered_ms = at_most(kept->entered_ms, now_ms);
	c->joined_ms = at_most(kept->joined_ms, now_ms);
	c->seq = kept->seq;
	if (a->seq < c->seq)
		a->seq = c->seq;
	if (!kept->talking) {
		take_up_waiting(a, call, now_ms);
		return 0;
	}
	c->state = ACD_CALL_TALKING;
	c->agent = kept->agent;
	c->answered_ms = at_most(kept->answered_ms, now_ms);
	a->agents[kept->agent].call = call;
	return 0;
}

void acd_restore_end(struct acd *a, uint64_t now_ms)
{
	enum agent_effect effect;

	for (uint32_t i = 0; i < a->n_agents; i++) {
		struct acd_agent *g = &a->agents[i];

		if (!g->used || g->call != NONE || g->agent.state != AGENT_TALKING)
			continue;
		must(acd_step(a, (int)i, AGENT_HANGUP, 0, now_ms, &effect) == 0);
		if (effect == AGENT_DO_WRAP)
			due_set(&a->due, i, now_ms + g->wrap_up_s * 1000u);
	}
}
