/* SPDX-License-Identifier: Apache-2.0
 * Callers, and the shell that carries out for them what the ACD says; as control/call/queue.c,
 * callback.c and talk.c do it.
 *
 *	arrive -> flow -> WAITING <-> OFFERED -> TALKING -> flow again, or over
 *	             ^------ LEFT --+------ gives up -> over
 *
 * A call has one time of its own (`next`): whatever happens to it next by itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim_priv.h"

enum { CUSTOMER_RINGS_MS = 8000, RETRY_MIN_MS = 10000 };

struct sim_call *sim_call_find(struct sim *s, uint64_t id)
{
	uint64_t slot = id & ((1u << SIM_SLOT_BITS) - 1);
	struct sim_call *c = slot < s->plan->calls_max ? &s->call[slot] : NULL;

	return c != NULL && c->place != SIM_FREE && c->id == id ? c : NULL;
}

void sim_call_next(struct sim *s, struct sim_call *c, enum sim_next next, uint64_t at_ms)
{
	c->next = next;
	due_set(&s->due, sim_thing_of_call(s, c), at_ms);
}

void sim_call_step(struct sim *s, struct sim_call *c, enum call_step step, const char *detail)
{
	bool waits = step == CALL_STEP_QUEUE || step == CALL_STEP_OFFER;

	if (c->record == NULL)
		return;
	call_record_step(c->record, step, detail, s->now_ms);
	if (step == CALL_STEP_NO_ANSWER || step == CALL_STEP_CALLBACK)
		return;
	if (c->waits_since_ms != 0 && !waits) {
		c->waited_ms += s->now_ms - c->waits_since_ms;
		c->waits_since_ms = 0;
	} else if (c->waits_since_ms == 0 && waits) {
		c->waits_since_ms = s->now_ms;
	}
}

/* --- coming and going ---------------------------------------------------------------------- */

static struct sim_call *begin(struct sim *s, uint64_t salt, bool callback)
{
	struct ivr_session *ivr;
	struct call_record *record;
	struct sim_call *c;

	if (s->free_call == SIM_NONE) {
		s->result.blocked++;
		return NULL;
	}
	c = &s->call[s->free_call];
	s->free_call = c->link;
	ivr = c->ivr;
	record = c->record;
	*c = (struct sim_call){.place = SIM_IN_FLOW,
			       .serial = ++s->serial,
			       .queue = SIM_NONE,
			       .agent = SIM_NONE,
			       .prefer = SIM_NONE,
			       .callback = callback,
			       .kept_promise = callback,
			       .arrived_ms = s->now_ms,
			       .gives_up_ms = UINT64_MAX,
			       .random = sim_random_of(s->plan->seed, salt, callback),
			       .ivr = ivr,
			       .record = record,
			       .link = SIM_NONE};
	c->id = (uint64_t)c->serial << SIM_SLOT_BITS | (uint64_t)(c - s->call);
	s->n_calls++;
	s->result.arrived++;
	if (s->n_calls > s->result.calls_peak)
		s->result.calls_peak = s->n_calls;
	if (s->plan->people.regulars > 0)
		c->number = 1 + sim_random_below(&c->random, s->plan->people.regulars);
	if (record != NULL)
		call_record_begin(record, "c", callback ? CALL_CALLBACK : CALL_IN, "", "",
				  s->now_ms);
	return c;
}

void sim_call_arrive(struct sim *s, const struct sim_event *e)
{
	struct sim_call *c;

	if (s->now_ms < s->trunk_back_ms || s->now_ms < s->control_back_ms) {
		s->result.lost_trunk++;
		return;
	}
	c = begin(s, e->salt, false);
	if (c == NULL)
		return;
	c->priority = e->value;
	if (e->queue >= 0) {
		sim_call_enter(s, c, e->queue, e->value);
	} else {
		sim_tell(s, "caller %u dials the hotline", c->serial);
		sim_flow_begin(s, c);
	}
}

static const char *name_of_caller(const struct sim_call *c, char *out)
{
	snprintf(out, 16, "%u", 10000 + c->number);
	return out;
}

static int who_served(struct sim *s, const struct sim_call *c)
{
	char number[16];
	const char *agent;

	if (c->number == 0 || s->regulars == NULL)
		return SIM_NONE;
	agent = regulars_get(s->regulars, name_of_caller(c, number), s->now_ms, 7 * 86400000u);
	return agent != NULL ? acd_agent_find(s->acd, agent) : SIM_NONE;
}

static void refused(struct sim *s, struct sim_call *c, int queue, int err)
{
	sim_book_refused(s, c, queue, err);
	sim_tell(s, "queue %s does not take caller %u: %s", sim_queue_name(s, queue), c->serial,
		 err == -ENOSPC    ? "it is full"
		 : err == -ETIME   ? "the wait would be too long"
		 : err == -ENOLINK ? "nobody is signed in"
				   : "it is gone");
	if (c->callback) {
		if (err == -ENOENT || c->joined_ms == 0) /* the promise is not made */
			sim_call_end(s, c, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		else
			sim_call_later(s, c, RETRY_MIN_MS);
		return;
	}
	c->place = SIM_IN_FLOW;
	c->queue = queue;
	c->left = err == -ENOSPC    ? IVR_QUEUE_FULL
		  : err == -ETIME   ? IVR_QUEUE_LONG
		  : err == -ENOLINK ? IVR_QUEUE_EMPTY
				    : IVR_QUEUE_FAILED;
	sim_call_next(s, c, SIM_NEXT_LEFT, s->now_ms);
}

void sim_call_enter(struct sim *s, struct sim_call *c, int queue, uint8_t priority)
{
	struct acd_entry entry = {.priority = priority,
				  .since_ms = c->queued_ms,
				  .prefer = who_served(s, c),
				  .callback = c->callback};
	int err;

	/* The book first: the ACD's answer may be an offer of this very call. */
	c->prefer = entry.prefer;
	c->priority = priority;
	c->since_ms = c->queued_ms > 0 && c->queued_ms < s->now_ms ? c->queued_ms : s->now_ms;
	if (c->queued_ms == 0)
		c->gives_up_ms = sim_law_ms(&s->plan->people.patience, &c->random);
	if (c->queued_ms == 0 && c->gives_up_ms != UINT64_MAX)
		c->gives_up_ms += s->now_ms;
	if (c->gives_up_ms < s->now_ms) /* it was lost meanwhile, in the flow */
		c->gives_up_ms = s->now_ms;
	err = acd_enter(s->acd, c->id, queue, &entry, s->now_ms);
	if (err != 0) {
		refused(s, c, queue, err);
		return;
	}
	sim_book_entered(s, c, queue, true);
	if (c->queued_ms == 0)
		c->queued_ms = s->now_ms;
	sim_tell(s, "caller %u joins queue %s%s%s", c->serial, sim_queue_name(s, queue),
		 priority > 0 ? " with priority" : "",
		 c->callback ? " and will be called back" : "");
	sim_call_step(s, c, CALL_STEP_QUEUE, s->queue[queue].rule->name);
	if (c->callback)
		sim_call_next(s, c, SIM_NEXT_GIVE_UP, c->arrived_ms + SIM_EXPIRES_MS);
	else
		sim_call_next(s, c, SIM_NEXT_GIVE_UP, c->gives_up_ms);
	sim_drain(s);
}

static void go(struct sim *s, struct sim_call *c)
{
	due_set(&s->due, sim_thing_of_call(s, c), DUE_NEVER);
	if (c->ivr != NULL)
		sim_flow_end(s, c);
	c->place = SIM_FREE;
	c->link = s->free_call;
	s->free_call = (int)(c - s->call);
	s->n_calls--;
	s->result.over++;
}

void sim_call_end(struct sim *s, struct sim_call *c, enum call_party by, enum call_cause cause)
{
	bool waits = c->place == SIM_WAITING || c->place == SIM_OFFERED;
	bool abandons = waits && by == PARTY_CUSTOMER;

	if (waits) {
		sim_book_left(s, c, abandons);
		if (acd_leave(s->acd, c->id, abandons, s->now_ms) != 0)
			sim_breaks(s, "caller %u waits and cannot leave", c->serial);
		sim_drain(s);
	} else if (c->place == SIM_TALKING || c->place == SIM_DIALLING) {
		sim_call_release(s, c);
	}
	s->result.abandoned += abandons;
	s->result.served += c->answered_ms != 0;
	if (c->record != NULL) {
		if (c->waits_since_ms != 0)
			c->waited_ms += s->now_ms - c->waits_since_ms;
		call_record_end(c->record, by, cause, s->now_ms);
		sim_check_record(s, c);
	}
	sim_tell(s, "caller %u is gone: %s", c->serial, call_cause_text(cause));
	go(s, c);
}

/* --- talking ------------------------------------------------------------------------------- */

/* Goes on once the agent is heard, by the customer or (`a`, from the drain) by the caller. */
static void talk(struct sim *s, struct sim_call *c)
{
	const struct sim_people *p = &s->plan->people;
	struct sim_random *r = &c->random;
	uint64_t talk_ms = sim_law_ms(&p->talk, r);
	struct sim_agent *g = &s->agent[c->agent];

	c->place = SIM_TALKING;
	c->answered_ms = s->now_ms;
	sim_call_step(s, c, CALL_STEP_ANSWER, sim_agent_number(s, c->agent));
	c->queued_ms = 0; /* should it wait again, that is another waiting */
	if (sim_random_chance(r, p->hang_up_at_once))
		talk_ms = sim_random_below(r, 1000);
	sim_call_next(s, c, SIM_NEXT_TALKED, s->now_ms + talk_ms);
	if (sim_random_chance(r, p->out_talking))
		sim_agent_person(s, c->agent, AGENT_SIGN_OUT, s->now_ms + talk_ms / 2);
	else if (sim_random_chance(r, p->away_talking))
		sim_agent_person(s, c->agent, AGENT_GO_NOT_READY, s->now_ms + talk_ms / 2);
	if (!g->reachable)
		sim_call_next(s, c, SIM_NEXT_TALKED, s->now_ms + SIM_MEDIA_TIMEOUT_MS);
}

void sim_call_talks(struct sim *s, struct sim_call *c, const struct acd_action *a)
{
	char number[16];

	c->agent = a->agent;
	c->ringing = 0;
	if (s->regulars != NULL && c->number != 0)
		regulars_put(s->regulars, name_of_caller(c, number), sim_agent_number(s, a->agent),
			     s->now_ms);
	if (!c->callback) {
		talk(s, c);
		return;
	}
	c->place = SIM_DIALLING;
	sim_call_next(s, c, SIM_NEXT_CUSTOMER,
		      s->now_ms + sim_random_below(&c->random, CUSTOMER_RINGS_MS));
}

void sim_call_release(struct sim *s, struct sim_call *c)
{
	struct sim_agent *g = &s->agent[c->agent];
	uint64_t talked_ms = c->place == SIM_TALKING ? s->now_ms - c->answered_ms : 0;
	struct acd_agent_view v;
	int agent = c->agent;

	c->talked_ms += talked_ms;
	s->queue[c->queue].sums.talk_ms += talked_ms;
	c->agent = SIM_NONE;
	c->place = SIM_IN_FLOW;
	g->call = 0;
	if (acd_agent_done(s->acd, agent, s->now_ms) != 0)
		sim_breaks(s, "agent %s talks with caller %u and cannot be done",
			   sim_agent_number(s, agent), c->serial);
	if (acd_agent_view(s->acd, agent, &v))
		g->talk_ms = v.talk_ms;
	sim_drain(s);
}

static void talked(struct sim *s, struct sim_call *c)
{
	bool passed_on = s->n_queues > 1 && !c->kept_promise &&
			 sim_random_chance(&c->random, s->plan->people.transfer);
	int to = (int)sim_random_below(&c->random, s->n_queues);

	if (passed_on) {
		sim_tell(s, "agent %s passes caller %u on to queue %s",
			 sim_agent_number(s, c->agent), c->serial, sim_queue_name(s, to));
		sim_call_step(s, c, CALL_STEP_TRANSFER, NULL);
		sim_call_release(s, c);
		sim_call_enter(s, c, to, c->priority);
		return;
	}
	if (!c->flow_runs) {
		sim_call_end(s, c, PARTY_CUSTOMER, CALL_CAUSE_NORMAL);
		return;
	}
	sim_call_step(s, c, CALL_STEP_TRANSFER, NULL);
	sim_call_release(s, c);
	sim_flow_tell(s, c,
		      &(struct ivr_event){.kind = IVR_EV_QUEUE_LEFT, .queue = IVR_QUEUE_SERVED});
}

/* --- calls back ---------------------------------------------------------------------------- */

void sim_call_later(struct sim *s, struct sim_call *c, uint64_t ms)
{
	uint64_t at_ms = s->now_ms + ms, expires_ms = c->arrived_ms + SIM_EXPIRES_MS;

	if (at_ms < s->control_back_ms)
		at_ms = s->control_back_ms;
	if (at_ms > expires_ms)
		at_ms = expires_ms > s->now_ms ? expires_ms : s->now_ms;
	c->place = SIM_PROMISED;
	sim_call_next(s, c, SIM_NEXT_RETRY, at_ms);
}

bool sim_call_promise(struct sim *s, const struct sim_call *c, int queue, uint8_t priority)
{
	struct sim_random r = c->random;
	struct sim_call *back = begin(s, sim_random_bits(&r), true);
	uint64_t id;

	if (back == NULL)
		return false;
	back->queued_ms = c->queued_ms != 0 ? c->queued_ms : s->now_ms;
	back->since_ms = back->queued_ms;
	back->number = c->number;
	id = back->id;
	sim_tell(s, "caller %u asks to be called back: it waits on as %u", c->serial, back->serial);
	sim_call_enter(s, back, queue, priority);
	return sim_call_find(s, id) != NULL;
}

static void customer_rung(struct sim *s, struct sim_call *c)
{
	const struct config_queue *rule = s->queue[c->queue].rule;
	unsigned tries_max = rule != NULL ? rule->callback_tries : 1;
	uint64_t retry_ms = rule != NULL ? rule->callback_retry_s * UINT64_C(1000) : 0;

	if (sim_random_chance(&c->random, s->plan->people.customer_answers)) {
		sim_tell(s, "caller %u is called back and answers", c->serial);
		c->callback = false;
		talk(s, c);
		return;
	}
	sim_tell(s, "caller %u is called back and does not answer", c->serial);
	if (++c->tries >= tries_max) {
		sim_call_end(s, c, PARTY_SYSTEM, CALL_CAUSE_NO_ANSWER);
		return;
	}
	sim_call_release(s, c);
	sim_call_later(s, c, retry_ms);
}

static void retry(struct sim *s, struct sim_call *c)
{
	if (s->now_ms >= c->arrived_ms + SIM_EXPIRES_MS)
		sim_call_end(s, c, PARTY_SYSTEM, CALL_CAUSE_NO_ANSWER);
	else if (s->now_ms < s->engine_back_ms)
		sim_call_later(s, c, 1000);
	else
		sim_call_enter(s, c, c->queue, c->priority);
}

/* --- what happens next --------------------------------------------------------------------- */

static void left(struct sim *s, struct sim_call *c)
{
	int to = s->plan->overflow_to != NULL ? s->plan->overflow_to[c->queue] : SIM_NONE;

	if (c->callback) {
		if (s->queue[c->queue].rule == NULL)
			sim_call_end(s, c, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		else
			sim_call_later(s, c, RETRY_MIN_MS);
	} else if (c->flow_runs) {
		sim_flow_tell(s, c,
			      &(struct ivr_event){.kind = IVR_EV_QUEUE_LEFT, .queue = c->left});
	} else if (to >= 0 && c->hops < s->n_queues) {
		c->hops++;
		s->queue[c->queue].sums.overflowed++;
		sim_call_enter(s, c, to, c->priority);
	} else {
		sim_call_end(s, c, PARTY_SYSTEM,
			     c->left == IVR_QUEUE_FULL ? CALL_CAUSE_BUSY : CALL_CAUSE_NO_ANSWER);
	}
}

void sim_call_due(struct sim *s, struct sim_call *c)
{
	must(c->place != SIM_FREE);
	switch (c->next) {
	case SIM_NEXT_PLAYED:
	case SIM_NEXT_KEYS:
	case SIM_NEXT_DO:
	case SIM_NEXT_DONE:
		sim_flow_due(s, c);
		break;
	case SIM_NEXT_LEFT:
		left(s, c);
		break;
	case SIM_NEXT_GIVE_UP:
		if (c->callback)
			sim_call_end(s, c, PARTY_SYSTEM, CALL_CAUSE_NO_ANSWER);
		else
			sim_call_end(s, c, PARTY_CUSTOMER, CALL_CAUSE_NORMAL);
		break;
	case SIM_NEXT_TALKED:
		talked(s, c);
		break;
	case SIM_NEXT_CUSTOMER:
		customer_rung(s, c);
		break;
	case SIM_NEXT_RETRY:
		retry(s, c);
		break;
	case SIM_NEXT_NOTHING:
		break;
	}
}

/* --- from outside -------------------------------------------------------------------------- */

struct sim_call *sim_call_waiting(struct sim *s, int queue, unsigned n)
{
	uint64_t id[64];
	uint32_t have = acd_waiting(s->acd, queue, id, 64);

	have = have < 64 ? have : 64;
	return have > 0 ? sim_call_find(s, id[n % have]) : NULL;
}

void sim_call_lost(struct sim *s, struct sim_call *c, bool restart)
{
	bool promised = c->callback;

	if (!promised) {
		s->result.ended_by_failure++;
		sim_call_end(s, c, PARTY_SYSTEM,
			     restart ? CALL_CAUSE_SHUTDOWN : CALL_CAUSE_ENGINE_LOST);
		return;
	}
	if (c->place == SIM_WAITING && !restart)
		return; /* nobody holds the line, nothing is lost */
	if (c->place == SIM_WAITING || c->place == SIM_OFFERED) {
		sim_book_left(s, c, false);
		(void)acd_leave(s->acd, c->id, false, s->now_ms);
		sim_drain(s);
	} else if (c->place == SIM_DIALLING) {
		sim_call_release(s, c);
	}
	sim_call_later(s, c, 0);
}
