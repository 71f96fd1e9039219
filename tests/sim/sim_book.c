/* SPDX-License-Identifier: Apache-2.0
 * The second book: where every caller is and what every agent does, by what the ACD has said.
 *
 * Each action is a step that some places allow and others do not; one that does not fit is a broken
 * belief: a call would be in two places, or an agent have two calls. Times that the ACD promises
 * (ringing, wrap-up, the patience of a queue) are looked at when they end.
 */
#include <errno.h>
#include <string.h>

#include "sim_priv.h"

static uint64_t late_ms(const struct sim *s)
{
	return s->plan->late_ms_max;
}

/* --- offers -------------------------------------------------------------------------------- */

static void write_offer(struct sim *s, const struct acd_action *a, struct sim_call *c)
{
	struct sim_agent *g = &s->agent[a->agent];
	struct sim_queue *q = &s->queue[a->queue];

	if (c == NULL || (c->place != SIM_WAITING && c->place != SIM_OFFERED)) {
		sim_breaks(s, "a call is offered to agent %s that does not wait",
			   sim_agent_number(s, a->agent));
		return;
	}
	sim_check_offer(s, a);
	if (c->ringing == 0) {
		c->place = SIM_OFFERED;
		q->waiting--;
		q->offered_now++;
	}
	c->ringing++;
	c->offers = (uint8_t)(c->offers + (c->offers < UINT8_MAX));
	g->call = c->id;
	g->offered_seq = ++s->seq;
	g->wrap_s = q->wrap_s;
	g->ring_until_ms = a->at_ms + a->ring_ms;
	sim_call_step(s, c, CALL_STEP_OFFER, NULL);
	sim_agent_rings(s, a->agent, c);
}

/* One phone fewer rings for the call; of a call that is over only the agent is told. */
static void write_withdraw(struct sim *s, const struct acd_action *a, struct sim_call *c)
{
	struct sim_agent *g = &s->agent[a->agent];

	if (g->call != a->call) {
		sim_breaks(s, "an offer is withdrawn from agent %s, who has another call or none",
			   sim_agent_number(s, a->agent));
		return;
	}
	if (a->withdrawn == AGENT_MISS && a->at_ms < g->ring_until_ms && g->phone != SIM_PHONE_LOST)
		sim_breaks(s, "agent %s's phone rang %llu ms less than it should",
			   sim_agent_number(s, a->agent),
			   (unsigned long long)(g->ring_until_ms - a->at_ms));
	if (a->at_ms > g->ring_until_ms + late_ms(s))
		sim_breaks(s, "agent %s's phone rang longer than the queue allows",
			   sim_agent_number(s, a->agent));
	g->call = 0;
	if (c == NULL || c->place != SIM_OFFERED)
		return;
	if (--c->ringing == 0) {
		c->place = SIM_WAITING;
		s->queue[c->queue].waiting++;
		s->queue[c->queue].offered_now--;
	}
}

static void write_answered(struct sim *s, const struct acd_action *a, struct sim_call *c)
{
	struct sim_agent *g = &s->agent[a->agent];
	struct sim_queue *q = &s->queue[a->queue];

	if (c != NULL && c->place == SIM_WAITING && a->agent == s->picks && g->call == 0) {
		/* Taken unasked: as if it had rung there. */
		c->place = SIM_OFFERED;
		c->ringing = 1;
		q->waiting--;
		q->offered_now++;
		g->call = c->id;
		g->wrap_s = q->wrap_s;
	}
	if (c == NULL || c->place != SIM_OFFERED || g->call != a->call || c->ringing != 1) {
		sim_breaks(s, "agent %s answers a call that does not ring there alone",
			   sim_agent_number(s, a->agent));
		return;
	}
	if (a->waited_ms != a->at_ms - c->since_ms)
		sim_breaks(s, "caller %u waited %llu ms, the queue says %llu", c->serial,
			   (unsigned long long)(a->at_ms - c->since_ms),
			   (unsigned long long)a->waited_ms);
	q->offered_now--;
	q->sums.answered++;
	q->sums.in_time += q->rule != NULL && a->waited_ms <= q->rule->service_level_s * 1000u;
	q->sums.delayed += a->waited_ms > 0;
	q->sums.wait_answered_ms += a->waited_ms;
	q->sums.wait_all_ms += a->waited_ms;
	g->since_sign_in++;
	sim_call_talks(s, c, a);
}

static void write_left(struct sim *s, const struct acd_action *a, struct sim_call *c)
{
	static const enum ivr_queue_left why[] = {
		[ACD_LEFT_TIMEOUT] = IVR_QUEUE_TIMEOUT,
		[ACD_LEFT_EMPTY] = IVR_QUEUE_EMPTY,
		[ACD_LEFT_REMOVED] = IVR_QUEUE_FAILED,
	};

	if (c == NULL || c->place != SIM_WAITING || c->queue != a->queue) {
		sim_breaks(s, "a call is put out of queue %s in which it does not wait",
			   sim_queue_name(s, a->queue));
		return;
	}

	struct sim_queue *q = &s->queue[a->queue];
	uint64_t limit_ms = q->rule != NULL ? q->rule->max_wait_s * UINT64_C(1000) : 0;

	if (a->why == ACD_LEFT_TIMEOUT && (limit_ms == 0 || a->at_ms < c->joined_ms + limit_ms))
		sim_breaks(s, "caller %u is put out of queue %s before its time", c->serial,
			   sim_queue_name(s, a->queue));
	q->waiting--;
	q->sums.left++;
	c->place = SIM_IN_FLOW;
	c->left = why[a->why];
	sim_call_next(s, c, SIM_NEXT_LEFT, s->now_ms);
}

/* --- agents -------------------------------------------------------------------------------- */

static void write_state(struct sim *s, const struct acd_action *a)
{
	struct sim_agent *g = &s->agent[a->agent];
	enum agent_state was = g->state;

	if (was != a->was) {
		sim_breaks(s, "agent %s goes from %s, but was %s", sim_agent_number(s, a->agent),
			   agent_state_name(a->was), agent_state_name(was));
		return;
	}
	if (a->state == AGENT_RINGING && g->call == 0)
		sim_breaks(s, "agent %s's phone rings for nobody", sim_agent_number(s, a->agent));
	if (was == AGENT_WRAP_UP && s->thaws_ms == 0 && a->at_ms > g->wrap_until_ms + late_ms(s))
		sim_breaks(s, "agent %s's wrap-up lasted %llu ms too long",
			   sim_agent_number(s, a->agent),
			   (unsigned long long)(a->at_ms - g->wrap_until_ms));
	s->state_ms[was] += a->at_ms - g->since_ms;
	g->since_ms = a->at_ms;
	g->state = a->state;
	g->reason = a->reason;
	if (was == AGENT_TALKING) /* beneath a private call, too */
		g->wrap_until_ms = a->at_ms + g->wrap_s * UINT64_C(1000);
	/* Withdrawn from a ringing phone, the agent loses no idle time. */
	if (a->state == AGENT_READY && was != AGENT_RINGING)
		g->idle_since_ms = a->at_ms;
	sim_agent_state(s, a->agent, was);
}

void sim_book_write(struct sim *s, const struct acd_action *a)
{
	struct sim_call *c = a->call != 0 ? sim_call_find(s, a->call) : NULL;
	bool agent = a->kind == ACD_OFFER || a->kind == ACD_WITHDRAW || a->kind == ACD_ANSWERED ||
		     a->kind == ACD_AGENT_STATE;

	if ((agent && (a->agent < 0 || (uint32_t)a->agent >= s->n_agents)) ||
	    (a->kind != ACD_AGENT_STATE && (a->queue < 0 || (uint32_t)a->queue >= s->n_queues))) {
		sim_breaks(s, "an action names an agent or a queue that does not exist");
		return;
	}
	if (s->plan->story != NULL)
		sim_tell_action(s, a);
	switch (a->kind) {
	case ACD_OFFER:
		write_offer(s, a, c);
		break;
	case ACD_WITHDRAW:
		write_withdraw(s, a, c);
		break;
	case ACD_ANSWERED:
		write_answered(s, a, c);
		break;
	case ACD_LEFT:
		write_left(s, a, c);
		break;
	case ACD_AGENT_STATE:
		write_state(s, a);
		break;
	case ACD_ANNOUNCE:
		if (c == NULL || c->place != SIM_WAITING || c->callback || a->position == 0 ||
		    a->position > s->queue[a->queue].waiting + s->queue[a->queue].offered_now)
			sim_breaks(s, "place %u in queue %s is announced to one who has it not",
				   a->position, sim_queue_name(s, a->queue));
		break;
	}
}

/* --- by the world's own doing -------------------------------------------------------------- */

/* Whom the call should be kept for, by the queue's rule. */
static void prefer(struct sim *s, struct sim_call *c, int agent, const struct sim_queue *q)
{
	struct acd_agent_view v;
	enum agent_state beneath;

	c->prefer = SIM_NONE;
	c->prefer_until_ms = 0;
	if (agent < 0 || q->rule->sticky_s == 0 ||
	    s->level[(size_t)agent * s->n_queues + (size_t)c->queue] == 0 ||
	    !s->agent[agent].reachable || !acd_agent_view(s->acd, agent, &v))
		return;
	beneath = agent_beneath(&v.agent);
	if (beneath == AGENT_OFFLINE || beneath == AGENT_NOT_READY)
		return;
	c->prefer = agent;
	c->prefer_until_ms = s->now_ms + q->rule->sticky_s * UINT64_C(1000);
}

/* `c->prefer` names whom the caller knows; afterwards whom the queue keeps it for. */
void sim_book_entered(struct sim *s, struct sim_call *c, int queue, bool afresh)
{
	struct sim_queue *q = &s->queue[queue];

	c->queue = queue;
	c->place = SIM_WAITING;
	c->ringing = 0;
	c->joined_ms = s->now_ms;
	if (afresh) {
		c->seq = ++s->seq;
		c->void_until_ms = 0;
		prefer(s, c, c->prefer, q);
	} else {
		c->prefer_until_ms = 0; /* whom it preferred belonged to the other queue */
	}
	c->key = (int64_t)c->since_ms - (int64_t)(c->priority + q->rule->priority) *
						(int64_t)s->config->priority_step_s * 1000;
	q->waiting++;
	q->sums.offered++;
}

void sim_book_left(struct sim *s, struct sim_call *c, bool abandoned)
{
	struct sim_queue *q = &s->queue[c->queue];

	*(abandoned ? &q->sums.abandoned : &q->sums.left) += 1;
	if (abandoned)
		q->sums.wait_all_ms += s->now_ms - c->since_ms;
	*(c->place == SIM_OFFERED ? &q->offered_now : &q->waiting) -= 1;
	c->place = SIM_IN_FLOW;
}

static bool anybody_signed_in(const struct sim *s, int queue)
{
	struct acd_agent_view v;

	for (uint32_t g = 0; g < s->n_agents; g++)
		if (s->level[(size_t)g * s->n_queues + (size_t)queue] > 0 &&
		    acd_agent_view(s->acd, (int)g, &v) && agent_beneath(&v.agent) != AGENT_OFFLINE)
			return true;
	return false;
}

/* A door that was closed must have had its reason. */
void sim_book_refused(struct sim *s, struct sim_call *c, int queue, int err)
{
	struct sim_queue *q = &s->queue[queue];
	const struct config_queue *rule = q->rule;
	uint32_t inside = q->waiting + q->offered_now;

	if (err != -ENOENT) {
		q->sums.offered++;
		q->sums.refused++;
	}
	if (err == -ENOENT   ? rule != NULL
	    : rule == NULL   ? true
	    : err == -ENOSPC ? (rule->max_calls == 0 || inside < rule->max_calls) &&
				       s->n_calls < s->acd_plan.calls_max
	    : err == -ENOLINK ? rule->wait_without_agents || anybody_signed_in(s, queue)
	    : err == -ETIME   ? rule->max_expected_wait_s == 0 || q->waiting == 0
			      : true)
		sim_breaks(s, "queue %s refuses caller %u (%s) without a reason",
			   sim_queue_name(s, queue), c->serial, strerror(-err));
}
