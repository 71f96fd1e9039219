/* SPDX-License-Identifier: Apache-2.0
 * What happens from outside: people's wishes, supervisors, and failures. */
#include <errno.h>

#include "base/must.h"
#include "sim_priv.h"

/* --- supervisors --------------------------------------------------------------------------- */

static void pause_queue(struct sim *s, int queue, uint32_t for_ms)
{
	if (acd_queue_pause(s->acd, queue, true, s->now_ms) != 0)
		return;
	s->queue[queue].paused = true;
	due_set(&s->due, SIM_THING_QUEUES + (uint32_t)queue, s->now_ms + for_ms);
}

void sim_act_queue_due(struct sim *s, int queue)
{
	/* The book first: resuming offers at once. */
	if (!s->queue[queue].paused)
		return;
	/* One that is gone from the configuration stays paused until it is back. */
	if (s->queue[queue].rule == NULL) {
		due_set(&s->due, SIM_THING_QUEUES + (uint32_t)queue, s->now_ms + 10000);
		return;
	}
	s->queue[queue].paused = false;
	sim_tell(s, "queue %s is resumed", sim_queue_name(s, queue));
	if (acd_queue_pause(s->acd, queue, false, s->now_ms) != 0)
		sim_breaks(s, "queue %s cannot be resumed", sim_queue_name(s, queue));
}

/* As acd_move() and control/call/queue.c: the time waited stays. */
static void move_call(struct sim *s, const struct sim_event *e)
{
	struct sim_call *c = sim_call_waiting(s, e->queue, e->value);
	int from, err;

	if (c == NULL)
		return;
	from = c->queue;
	err = acd_move(s->acd, c->id, e->to, s->now_ms);
	if (err == 0 && from != e->to) {
		sim_book_left(s, c, false);
		s->queue[from].sums.overflowed++;
		sim_book_entered(s, c, e->to, false);
		sim_call_step(s, c, CALL_STEP_QUEUE, s->queue[e->to].rule->name);
		sim_tell(s, "a supervisor moves caller %u from queue %s to %s", c->serial,
			 sim_queue_name(s, from), sim_queue_name(s, e->to));
	} else if (err == -EBUSY    ? c->place != SIM_OFFERED
		   : err == -ENOENT ? s->queue[e->to].rule != NULL
				    : err != 0 && err != -ENOSPC && err != -ENOLINK) {
		sim_breaks(s, "caller %u cannot be moved (%d)", c->serial, err);
	}
}

static void call_back(struct sim *s, const struct sim_event *e)
{
	struct sim_call *c = sim_call_waiting(s, e->queue, e->value);
	int err = c != NULL ? acd_callback(s->acd, c->id, true, s->now_ms) : -ENOENT;

	if (err == -EBUSY && c->place != SIM_OFFERED)
		sim_breaks(s, "caller %u is not offered, and may not hang up", c->serial);
	if (err != 0 || c->callback)
		return;
	sim_tell(s, "caller %u hangs up and keeps its place", c->serial);
	if (c->ivr != NULL)
		sim_flow_end(s, c);
	sim_call_step(s, c, CALL_STEP_CALLBACK, NULL);
	c->callback = c->kept_promise = true;
	c->gives_up_ms = UINT64_MAX;
	sim_call_next(s, c, SIM_NEXT_GIVE_UP, c->arrived_ms + SIM_EXPIRES_MS);
}

static void move_agent(struct sim *s, const struct sim_event *e)
{
	size_t at = (size_t)e->agent * s->n_queues + (size_t)e->queue;

	if (acd_agent_skill(s->acd, e->agent, e->queue, e->value, s->now_ms) == 0)
		s->level[at] = s->change[at] = e->value;
}

/* A colleague takes a call that waits or rings elsewhere. */
static void pick_up(struct sim *s, const struct sim_event *e)
{
	struct sim_call *c = sim_call_waiting(s, e->queue, e->value);
	int rc;

	if (c == NULL)
		return;
	rc = acd_pick_up(s->acd, e->agent, c->id, s->now_ms);
	s->picks = e->agent;
	sim_drain(s);
	s->picks = SIM_NONE;
	if (rc != 0 && rc != -EPROTO)
		sim_breaks(s, "caller %u waits and cannot be picked up (%d)", c->serial, rc);
	if (rc == 0 && c->place != SIM_TALKING && c->place != SIM_DIALLING)
		sim_breaks(s, "caller %u was picked up and does not talk", c->serial);
}

static void reload(struct sim *s, unsigned which)
{
	const struct config *c = s->plan->config[which % SIM_CONFIGS_MAX];
	int err;

	if (c == NULL)
		return;
	sim_take_config(s, c);
	err = acd_configure(s->acd, c, s->now_ms);
	if (err != 0)
		sim_breaks(s, "configuration %u does not fit (%d)", which, err);
}

/* --- failures ------------------------------------------------------------------------------ */

/* As control/call does: nothing is offered meanwhile. */
static void engine_away(struct sim *s, uint32_t for_ms)
{
	if (s->now_ms + for_ms > s->engine_back_ms)
		s->engine_back_ms = s->now_ms + for_ms;
	s->held = true;
	acd_hold(s->acd, true, s->now_ms);
	due_set(&s->due, SIM_THING_BACK, s->engine_back_ms);
	if (s->engine_back_ms - s->now_ms >= SIM_ENGINE_GRACE_MS)
		due_set(&s->due, SIM_THING_ENGINE, s->now_ms + SIM_ENGINE_GRACE_MS);
}

void sim_act_engine_back(struct sim *s)
{
	due_set(&s->due, SIM_THING_BACK, DUE_NEVER);
	due_set(&s->due, SIM_THING_ENGINE, DUE_NEVER);
	s->engine_back_ms = 0;
	if (!s->held)
		return;
	sim_tell(s, "the engine is back");
	s->held = false;
	acd_hold(s->acd, false, s->now_ms);
}

/* Nobody waits longer for it. */
void sim_act_engine_due(struct sim *s)
{
	if (s->now_ms >= s->engine_back_ms)
		return;
	sim_tell(s, "the engine does not come back: its calls end");
	for (uint32_t i = 0; i < s->plan->calls_max; i++)
		if (s->call[i].place != SIM_FREE && s->call[i].place != SIM_PROMISED)
			sim_call_lost(s, &s->call[i], false);
}

static void trunk_away(struct sim *s, const struct sim_event *e)
{
	struct sim_random r = sim_random_of(s->plan->seed, 't', e->salt);

	if (s->now_ms + e->for_ms > s->trunk_back_ms)
		s->trunk_back_ms = s->now_ms + e->for_ms;
	for (uint32_t i = 0; i < s->plan->calls_max; i++)
		if (s->call[i].place == SIM_TALKING && sim_random_below(&r, 4) == 0)
			sim_call_end(s, &s->call[i], PARTY_SYSTEM, CALL_CAUSE_MEDIA_TIMEOUT);
}

/* --- all of them --------------------------------------------------------------------------- */

static void tell(struct sim *s, const struct sim_event *e)
{
	if (e->kind == SIM_CALL || s->plan->story == NULL)
		return;
	sim_tell(s, "%s%s%s%s%s", sim_event_name(e->kind), e->agent >= 0 ? ": agent " : "",
		 e->agent >= 0 ? sim_agent_number(s, e->agent) : "",
		 e->queue >= 0 ? ", queue " : "", e->queue >= 0 ? sim_queue_name(s, e->queue) : "");
}

/* By a transfer: the caller goes on talking, with another; each has talked for his time. */
static void hand_over(struct sim *s, int from, int to)
{
	struct sim_agent *g = &s->agent[from], *h = &s->agent[to];
	struct sim_call *c = g->call != 0 ? sim_call_find(s, g->call) : NULL;
	struct acd_agent_view v;
	int rc;

	if (c == NULL || c->place != SIM_TALKING)
		return;
	rc = acd_hand_over(s->acd, c->id, to, s->now_ms);
	if (rc == -EPROTO || rc == -ENOENT)
		return;
	if (rc != 0)
		sim_breaks(s, "caller %u cannot be handed over (%d)", c->serial, rc);
	c->talked_ms += s->now_ms - c->answered_ms;
	s->queue[c->queue].sums.talk_ms += s->now_ms - c->answered_ms;
	c->answered_ms = s->now_ms;
	c->agent = to;
	g->call = 0;
	h->call = c->id;
	h->wrap_s = s->queue[c->queue].wrap_s;
	h->since_sign_in++;
	if (acd_agent_view(s->acd, from, &v))
		g->talk_ms = v.talk_ms;
	sim_drain(s);
}

static void hang_up(struct sim *s, int agent)
{
	struct sim_call *c =
		s->agent[agent].call != 0 ? sim_call_find(s, s->agent[agent].call) : NULL;

	if (c != NULL && c->place == SIM_TALKING)
		sim_call_next(s, c, SIM_NEXT_TALKED, s->now_ms);
}

void sim_act(struct sim *s, const struct sim_event *e)
{
	static const enum agent_event wish[] = {
		[SIM_SIGN_IN] = AGENT_SIGN_IN,   [SIM_SIGN_OUT] = AGENT_SIGN_OUT,
		[SIM_READY] = AGENT_GO_READY,    [SIM_NOT_READY] = AGENT_GO_NOT_READY,
		[SIM_WRAP_END] = AGENT_WRAP_END,
	};
	struct sim_call *c;

	tell(s, e);
	if (s->now_ms < s->control_back_ms && e->kind != SIM_CALL && e->kind != SIM_UNPLUG)
		return;
	switch (e->kind) {
	case SIM_CALL:
		sim_call_arrive(s, e);
		break;
	case SIM_SIGN_IN:
	case SIM_SIGN_OUT:
	case SIM_READY:
	case SIM_NOT_READY:
	case SIM_WRAP_END:
		(void)sim_agent_wish(s, e->agent, wish[e->kind], e->value);
		break;
	case SIM_UNPLUG:
		sim_agent_unplug(s, e->agent, e->for_ms);
		break;
	case SIM_OTHER:
		sim_agent_private(s, e->agent, e->for_ms);
		break;
	case SIM_HANG_UP:
		hang_up(s, e->agent);
		break;
	case SIM_PAUSE:
		pause_queue(s, e->queue, e->for_ms);
		break;
	case SIM_MOVE_CALL:
		move_call(s, e);
		break;
	case SIM_TAKE_CALL:
		c = sim_call_waiting(s, e->queue, e->value);
		if (c != NULL)
			sim_call_end(s, c, PARTY_OPERATOR, CALL_CAUSE_OPERATOR);
		break;
	case SIM_CALLBACK:
		call_back(s, e);
		break;
	case SIM_MOVE_AGENT:
		move_agent(s, e);
		break;
	case SIM_RELOAD:
		reload(s, e->value);
		break;
	case SIM_ENGINE_AWAY:
		engine_away(s, e->for_ms);
		break;
	case SIM_TRUNK_AWAY:
		trunk_away(s, e);
		break;
	case SIM_DND:
		(void)acd_agent_dnd(s->acd, e->agent, e->value % 2 == 1, s->now_ms);
		break;
	case SIM_PICK_UP:
		pick_up(s, e);
		break;
	case SIM_HAND_OVER:
		hand_over(s, e->agent, (int)(e->salt % s->n_agents));
		break;
	case SIM_RESTART:
		sim_restart(s, e->for_ms);
		break;
	case SIM_KILLED:
		sim_killed(s, e->for_ms % 5000);
		break;
	case SIM_EVENTS:
		break;
	}
}
