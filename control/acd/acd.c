/* SPDX-License-Identifier: Apache-2.0
 * Who is offered to whom.
 *
 * One fact holds between events: no agent who is idle (READY, reachable) may take a call that waits
 * (acd_may_take()). So each event needs to look only at what it freed: an agent that became free takes
 * the first call of its queues, a call that came, came back or opened to more agents by waiting takes
 * the best free one. acd_check() states this and the rest.
 *
 * Order among calls is one number, `key`: the time of entry less priority times
 * priority_step_s. It does not change while a call waits, so queues are sorted lists in which a
 * newcomer is put in from the end and a returning call from the front.
 */
#include "acd/acd.h"

#include <errno.h>
#include <string.h>

#include "acd/acd_priv.h"
#include "base/must.h"

/* --- offering ------------------------------------------------------------------------------ */

/* One phone begins to ring for a call that is in no list. */
static void ring(struct acd *a, int call, int agent, uint64_t now_ms)
{
	struct acd_call *c = &a->calls[call];
	struct acd_agent *g = &a->agents[agent];
	struct acd_queue *q = &a->queues[c->queue];
	enum agent_effect effect;

	c->agent = agent;
	c->ringing++;
	acd_ring_link(a, call, agent);
	g->call = call;
	g->offered_seq = ++a->seq;
	g->wrap_up_s = q->wrap_up_s;

	struct acd_action *o = acd_emit(a, ACD_OFFER, now_ms);

	o->call = c->id;
	o->agent = agent;
	o->queue = c->queue;
	o->callback = c->callback;
	o->ring_ms = q->ring_timeout_s * 1000u;
	o->waited_ms = now_ms - c->entered_ms;
	must(acd_step(a, agent, AGENT_OFFER, 0, now_ms, &effect) == 0);
	due_set(&a->due, (uint32_t)agent, now_ms + q->ring_timeout_s * 1000u);
}

static void offer(struct acd *a, int call, int agent, uint64_t now_ms)
{
	struct acd_call *c = &a->calls[call];
	const struct acd_queue *q = &a->queues[c->queue];

	acd_unlink_call(a, call);
	c->state = ACD_CALL_OFFERED;
	acd_offered_begin(a, call);
	do {
		ring(a, call, agent, now_ms);
		agent = q->strategy == CONFIG_RING_ALL && c->ringing < ACD_RING_ALL_MAX
				? acd_best_agent(a, call, now_ms)
				: NONE;
	} while (agent != NONE);
}

void acd_match_call(struct acd *a, int call, uint64_t now_ms)
{
	int agent = a->frozen ? NONE : acd_best_agent(a, call, now_ms);

	if (agent != NONE)
		offer(a, call, agent, now_ms);
}

void acd_match_agent(struct acd *a, int agent, uint64_t now_ms)
{
	if (!a->agents[agent].idle || a->frozen)
		return;

	int call = acd_best_call(a, agent, now_ms);

	if (call != NONE)
		offer(a, call, agent, now_ms);
}

/* Of those who are idle together each call gets the one who suits it best, and each of them the first of
 * its calls: from one to the other until both agree. Each call on the way goes before the last. */
static bool match_well(struct acd *a, int agent, uint64_t now_ms)
{
	int call = acd_best_call(a, agent, now_ms);

	if (call == NONE)
		return false;
	for (;;) {
		int best = acd_best_agent(a, call, now_ms);
		int first = acd_best_call(a, best, now_ms);

		if (first == call) {
			offer(a, call, best, now_ms);
			return true;
		}
		call = first;
	}
}

/* After a change of skills, or when much was held back, anybody may fit anything. */
void acd_match_idle(struct acd *a, uint64_t now_ms)
{
	for (int i = a->frozen ? NONE : a->idle_first; i != NONE;)
		i = match_well(a, i, now_ms) ? a->idle_first : a->agents[i].next;
}

/* --- leaving ------------------------------------------------------------------------------- */

static void put_out(struct acd *a, int call, enum acd_left why, uint64_t now_ms)
{
	struct acd_call *c = &a->calls[call];
	struct acd_action *o = acd_emit(a, ACD_LEFT, now_ms);

	o->call = c->id;
	o->queue = c->queue;
	o->why = why;
	o->waited_ms = now_ms - c->entered_ms;
	a->queues[c->queue].left++;
	acd_free_call(a, call);
}

/* Everybody out of a queue; those being offered as well when it is gone. */
void acd_expel(struct acd *a, int queue, enum acd_left why, uint64_t now_ms)
{
	struct acd_queue *q = &a->queues[queue];

	while (q->first != NONE) {
		int call = q->first;

		acd_unlink_call(a, call);
		put_out(a, call, why, now_ms);
	}
	for (uint32_t i = 0; q->n_offered > 0 && i < a->n_agents; i++) {
		int call = a->agents[i].call;

		if (call == NONE || a->calls[call].queue != queue ||
		    a->calls[call].state != ACD_CALL_OFFERED)
			continue;
		acd_withdraw_all(a, call, NONE, now_ms);
		put_out(a, call, why, now_ms);
	}
	acd_match_idle(a, now_ms);
}

/* The last one signed out: those who must not wait for nobody go. */
void acd_expel_lonely(struct acd *a, const struct acd_agent *g, uint64_t now_ms)
{
	for (unsigned i = 0; i < g->n_skills; i++) {
		int queue = g->skill[i].queue;

		if (a->queues[queue].signed_in == 0 && !a->queues[queue].wait_without_agents)
			acd_expel(a, queue, ACD_LEFT_EMPTY, now_ms);
	}
}

int acd_leave(struct acd *a, uint64_t id, bool abandoned, uint64_t now_ms)
{
	int call = acd_call_find(a, id);

	if (call == NONE || a->calls[call].state == ACD_CALL_TALKING)
		return -ENOENT;

	struct acd_call *c = &a->calls[call];
	struct acd_queue *q = &a->queues[c->queue];
	int agent = c->ringing > 1 ? NONE : c->agent;

	*(abandoned ? &q->abandoned : &q->left) += 1;
	if (now_ms - c->entered_ms > q->wait_max_ms)
		q->wait_max_ms = now_ms - c->entered_ms;
	if (c->state == ACD_CALL_WAITING) {
		acd_unlink_call(a, call);
		acd_free_call(a, call);
		return 0;
	}
	acd_withdraw_all(a, call, NONE, now_ms);
	acd_free_call(a, call);
	if (agent != NONE)
		acd_match_agent(a, agent, now_ms);
	else
		acd_match_idle(a, now_ms);
	return 0;
}

/* --- entering ------------------------------------------------------------------------------ */

static int may_enter(const struct acd *a, int queue, const struct acd_entry *e)
{
	const struct acd_queue *q = &a->queues[queue];
	int wait_s;

	if (q->max_calls > 0 && q->n_waiting + q->n_offered >= q->max_calls)
		return -ENOSPC;
	if (q->signed_in == 0 && !q->wait_without_agents)
		return -ENOLINK;
	if (a->n_calls >= a->plan.calls_max)
		return -ENOSPC;
	if (q->max_expected_wait_s == 0 || e->callback || q->n_waiting == 0)
		return 0;
	wait_s = acd_expected_wait_s(a, queue, q->n_waiting + q->n_offered + 1);
	return wait_s >= 0 && (uint32_t)wait_s > q->max_expected_wait_s ? -ETIME : 0;
}

/* Kept for the agent whom it prefers only if that can come to something. */
static void keep_for(struct acd *a, struct acd_call *c, int agent, uint64_t now_ms)
{
	const struct acd_queue *q = &a->queues[c->queue];
	enum agent_state beneath;

	c->prefer = NONE;
	c->prefer_until_ms = 0;
	if (agent < 0 || (uint32_t)agent >= a->n_agents || q->sticky_s == 0 ||
	    acd_skill_level(&a->agents[agent], c->queue) == 0 || !a->agents[agent].reachable)
		return;
	beneath = agent_beneath(&a->agents[agent].agent);
	if (beneath == AGENT_OFFLINE || beneath == AGENT_NOT_READY)
		return;
	c->prefer = agent;
	c->prefer_until_ms = now_ms + q->sticky_s * 1000u;
}

static void enter(struct acd *a, int call, int queue, uint64_t now_ms)
{
	struct acd_queue *q = &a->queues[queue];
	struct acd_call *c = &a->calls[call];

	c->queue = queue;
	c->joined_ms = now_ms;
	c->key = (int64_t)c->entered_ms -
		 (int64_t)((c->priority + q->priority) * a->priority_step_ms);
	c->announce_ms = q->announce_every_s > 0 && !c->callback
				 ? now_ms + q->announce_first_s * 1000u
				 : DUE_NEVER;
	acd_wait_from_end(a, call, now_ms);
	acd_match_call(a, call, now_ms);
}

static bool queue_is(const struct acd *a, int queue)
{
	return queue >= 0 && (uint32_t)queue < a->n_queues && a->queues[queue].used &&
	       !a->queues[queue].gone;
}

int acd_enter(struct acd *a, uint64_t id, int queue, const struct acd_entry *entry, uint64_t now_ms)
{
	if (!queue_is(a, queue))
		return -ENOENT;
	if (acd_call_find(a, id) != NONE)
		return -EEXIST;

	struct acd_queue *q = &a->queues[queue];
	int rc = may_enter(a, queue, entry);

	q->offered++;
	if (rc != 0) {
		q->refused++;
		return rc;
	}

	int call = acd_take_call(a, id);
	struct acd_call *c = &a->calls[call];

	c->entered_ms = entry->since_ms > 0 && entry->since_ms < now_ms ? entry->since_ms : now_ms;
	c->seq = ++a->seq;
	c->priority = entry->priority > 9 ? 9 : entry->priority;
	c->callback = entry->callback;
	c->queue = queue;
	keep_for(a, c, entry->prefer, now_ms);
	enter(a, call, queue, now_ms);
	return 0;
}

int acd_callback(struct acd *a, uint64_t id, bool callback, uint64_t now_ms)
{
	int call = acd_call_find(a, id);

	if (call == NONE || a->calls[call].state == ACD_CALL_TALKING)
		return -ENOENT;
	if (a->calls[call].state == ACD_CALL_OFFERED)
		return -EBUSY;

	struct acd_call *c = &a->calls[call];
	struct acd_queue *q = &a->queues[c->queue];

	if (c->callback == callback)
		return 0;
	c->callback = callback;
	q->n_callbacks += callback ? 1u : -1u;
	c->announce_ms = !callback && q->announce_every_s > 0 ? now_ms + q->announce_every_s * 1000u
							      : DUE_NEVER;
	/* What is due already is not put off: the clock has not been looked at since. */
	if (a->due.at[a->plan.agents_max + (uint32_t)call] > now_ms)
		acd_wait_due(a, call, now_ms);
	return 0;
}

int acd_move(struct acd *a, uint64_t id, int queue, uint64_t now_ms)
{
	int call = acd_call_find(a, id);

	if (call == NONE || a->calls[call].state == ACD_CALL_TALKING || !queue_is(a, queue))
		return -ENOENT;
	if (a->calls[call].state == ACD_CALL_OFFERED)
		return -EBUSY;
	if (a->calls[call].queue == queue)
		return 0;

	struct acd_queue *to = &a->queues[queue];

	if (to->max_calls > 0 && to->n_waiting + to->n_offered >= to->max_calls)
		return -ENOSPC;
	if (to->signed_in == 0 && !to->wait_without_agents)
		return -ENOLINK;
	acd_unlink_call(a, call);
	a->queues[a->calls[call].queue].left++;
	to->offered++;
	a->calls[call].prefer_until_ms = 0; /* whom it preferred belonged to the other queue */
	enter(a, call, queue, now_ms);
	return 0;
}

/* --- agents' wishes ------------------------------------------------------------------------ */

int acd_agent_event(struct acd *a, int agent, enum agent_event ev, uint8_t reason, uint64_t now_ms)
{
	enum agent_effect effect;
	bool wish = ev == AGENT_SIGN_IN || ev == AGENT_SIGN_OUT || ev == AGENT_GO_READY ||
		    ev == AGENT_GO_NOT_READY || ev == AGENT_WRAP_END || ev == AGENT_OTHER_BEGIN ||
		    ev == AGENT_OTHER_END;

	if (!wish)
		return -EINVAL;
	if (agent < 0 || (uint32_t)agent >= a->n_agents || !a->agents[agent].used)
		return -ENOENT;

	struct acd_agent *g = &a->agents[agent];

	/* Who is gone signs out after its call, and nothing puts that off. */
	if (g->gone && (ev == AGENT_SIGN_IN || ev == AGENT_GO_READY || ev == AGENT_GO_NOT_READY))
		return -ENOENT;
	if (g->agent.state == AGENT_RINGING && (ev == AGENT_SIGN_OUT || ev == AGENT_GO_NOT_READY)) {
		acd_give_back(a, agent, ev, reason, now_ms);
		return 0;
	}

	if (ev == AGENT_GO_READY && agent_can(&g->agent, ev))
		g->dnd = false; /* who wants calls does not want to be left alone */

	int rc = acd_step(a, agent, ev, reason, now_ms, &effect);

	if (rc != 0)
		return rc;
	if (ev == AGENT_SIGN_IN && g->dnd)
		must(acd_step(a, agent, AGENT_GO_NOT_READY, AGENT_REASON_DND, now_ms, &effect) ==
		     0);
	if (ev == AGENT_SIGN_OUT && g->agent.state != AGENT_TALKING)
		acd_expel_lonely(a, g, now_ms);
	acd_match_agent(a, agent, now_ms);
	return 0;
}

int acd_agent_skill(struct acd *a, int agent, int queue, uint8_t level, uint64_t now_ms)
{
	if (agent < 0 || (uint32_t)agent >= a->n_agents || !a->agents[agent].used ||
	    a->agents[agent].gone || !queue_is(a, queue) || level > 9)
		return -ENOENT;

	struct acd_agent *g = &a->agents[agent];
	unsigned i = 0;

	while (i < g->n_changes && g->change[i].queue != queue)
		i++;
	if (i == CONFIG_AGENT_QUEUES_MAX ||
	    (level > 0 && acd_skill_level(g, queue) == 0 && g->n_skills == CONFIG_AGENT_QUEUES_MAX))
		return -ENOSPC;
	g->change[i] = (struct config_skill){(uint16_t)queue, level};
	if (i == g->n_changes)
		g->n_changes++;
	acd_idle_get_up(a, agent);
	acd_count(a, g, -1);
	acd_lay_changes(a, g);
	acd_count(a, g, +1);
	acd_idle_sit(a, agent);
	if (a->queues[queue].signed_in == 0 && !a->queues[queue].wait_without_agents)
		acd_expel(a, queue, ACD_LEFT_EMPTY, now_ms);
	acd_match_agent(a, agent, now_ms);
	return 0;
}

int acd_queue_pause(struct acd *a, int queue, bool paused, uint64_t now_ms)
{
	if (!queue_is(a, queue))
		return -ENOENT;
	a->queues[queue].paused = paused;
	if (!paused)
		acd_match_idle(a, now_ms);
	return 0;
}

void acd_agent_reachable(struct acd *a, int agent, bool reachable, uint64_t now_ms)
{
	if (agent < 0 || (uint32_t)agent >= a->n_agents)
		return;
	a->agents[agent].reachable = reachable;
	acd_sync_idle(a, agent);
	acd_match_agent(a, agent, now_ms);
}

/* Not ready because of it: only who did not say a reason of its own. */
static void leave_alone(struct acd *a, int agent, uint64_t now_ms)
{
	struct acd_agent *g = &a->agents[agent];
	enum agent_effect effect;
	enum agent_state beneath = agent_beneath(&g->agent);
	uint8_t said = beneath == AGENT_NOT_READY                     ? g->agent.reason
		       : g->agent.after == AGENT_AFTER_CALL_NOT_READY ? g->agent.after_reason
								      : 0;
	bool own = said >= 1 && said <= CONFIG_REASONS_MAX;

	g->dnd_ready = beneath != AGENT_NOT_READY && g->agent.after == AGENT_AFTER_CALL_READY;
	if (beneath == AGENT_RINGING)
		acd_give_back(a, agent, AGENT_GO_NOT_READY, AGENT_REASON_DND, now_ms);
	else if (beneath != AGENT_OFFLINE && !own && g->agent.after != AGENT_AFTER_CALL_OFFLINE)
		must(acd_step(a, agent, AGENT_GO_NOT_READY, AGENT_REASON_DND, now_ms, &effect) ==
		     0);
}

/* As it would be without. */
static void disturb(struct acd *a, int agent, uint64_t now_ms)
{
	struct acd_agent *g = &a->agents[agent];
	enum agent_effect effect;

	if (g->agent.after == AGENT_AFTER_CALL_NOT_READY &&
	    g->agent.after_reason == AGENT_REASON_DND) {
		g->agent.after = g->dnd_ready ? AGENT_AFTER_CALL_READY : AGENT_AFTER_CALL_NOT_READY;
		g->agent.after_reason = AGENT_REASON_NONE;
	}
	if (agent_beneath(&g->agent) != AGENT_NOT_READY || g->agent.reason != AGENT_REASON_DND)
		return;
	must(acd_step(a, agent, g->dnd_ready ? AGENT_GO_READY : AGENT_GO_NOT_READY, 0, now_ms,
		      &effect) == 0);
	acd_match_agent(a, agent, now_ms);
}

int acd_agent_dnd(struct acd *a, int agent, bool on, uint64_t now_ms)
{
	if (agent < 0 || (uint32_t)agent >= a->n_agents || !a->agents[agent].used)
		return -ENOENT;

	struct acd_agent *g = &a->agents[agent];

	if (g->dnd == on)
		return 0;
	g->dnd = on;
	acd_touch(a, agent);
	if (on)
		leave_alone(a, agent, now_ms);
	else
		disturb(a, agent, now_ms);
	return 0;
}

void acd_hold(struct acd *a, bool held, uint64_t now_ms)
{
	a->held = held;
	if (!held)
		acd_match_idle(a, now_ms);
}

/* --- time ---------------------------------------------------------------------------------- */

static void agent_due(struct acd *a, int agent, uint64_t now_ms)
{
	enum agent_effect effect;

	if (a->agents[agent].agent.state == AGENT_RINGING) {
		acd_give_back(a, agent, AGENT_MISS, 0, now_ms);
		return;
	}
	must(acd_step(a, agent, AGENT_WRAP_OVER, 0, now_ms, &effect) == 0);
	acd_match_agent(a, agent, now_ms);
}

static void call_due(struct acd *a, int call, uint64_t now_ms)
{
	struct acd_call *c = &a->calls[call];
	const struct acd_queue *q = &a->queues[c->queue];

	if (acd_patience_ms(a, c) <= now_ms) {
		acd_unlink_call(a, call);
		put_out(a, call, ACD_LEFT_TIMEOUT, now_ms);
		return;
	}

	acd_match_call(a, call, now_ms);
	if (c->state != ACD_CALL_WAITING)
		return;
	acd_wait_due(a, call, now_ms);
	if (c->announce_ms > now_ms)
		return;

	struct acd_action *o = acd_emit(a, ACD_ANNOUNCE, now_ms);

	o->call = c->id;
	o->queue = c->queue;
	o->position = acd_position(a, c->id);
	o->wait_s = acd_expected_wait_s(a, c->queue, o->position);
	o->waited_ms = now_ms - c->entered_ms;
	c->announce_ms = q->announce_every_s > 0 ? now_ms + q->announce_every_s * 1000u : DUE_NEVER;
	acd_wait_due(a, call, now_ms);
}

void acd_tick(struct acd *a, uint64_t now_ms)
{
	uint32_t thing;

	if (a->frozen)
		return;
	/* Leave room for what one thing can cause; what is left is still due. */
	while (a->out_size - a->out_n > 8 + 2 * ACD_RING_ALL_MAX &&
	       due_first(&a->due, &thing) <= now_ms) {
		if (thing < a->plan.agents_max)
			agent_due(a, (int)thing, now_ms);
		else
			call_due(a, (int)(thing - a->plan.agents_max), now_ms);
	}
	if (due_first(&a->due, &thing) > now_ms)
		a->ticked_ms = now_ms;
}

uint64_t acd_deadline(const struct acd *a)
{
	uint32_t thing;

	return a->frozen ? UINT64_MAX : due_first(&a->due, &thing);
}
