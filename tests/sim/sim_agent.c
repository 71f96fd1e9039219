/* SPDX-License-Identifier: Apache-2.0
 * Agents and their telephones.
 *
 * A phone that rings is answered after a while; or is let ring, refuses, does not respond, or its owner
 * signs out or goes away just then. Answers that cross a withdrawal on the wire arrive too late, and
 * must be refused. Who was put out of READY comes back by himself.
 */
#include <errno.h>

#include "sim_priv.h"

static void phone(struct sim *s, int agent, enum sim_phone does, uint64_t call, uint64_t at_ms)
{
	s->agent[agent].phone = does;
	s->agent[agent].phone_call = call;
	due_set(&s->due, sim_thing_of_agent(s, agent, SIM_PHONE), at_ms);
}

void sim_agent_person(struct sim *s, int agent, enum agent_event ev, uint64_t at_ms)
{
	s->agent[agent].person = ev;
	due_set(&s->due, sim_thing_of_agent(s, agent, SIM_PERSON), at_ms);
}

/* Drawn from caller, agent and how often the call was offered: the same whatever else happens. */
void sim_agent_rings(struct sim *s, int agent, struct sim_call *c)
{
	const struct sim_people *p = &s->plan->people;
	struct sim_random r = c->random;
	struct sim_random own = sim_random_of(sim_random_bits(&r), (uint64_t)agent, c->offers);
	double what = sim_random_unit(&own);
	uint64_t answer_ms = sim_law_ms(&p->answer, &own), at_ms = s->now_ms + answer_ms;

	if (answer_ms == UINT64_MAX || !s->agent[agent].reachable ||
	    (what -= p->miss) < 0) /* lets it ring */
		phone(s, agent, SIM_PHONE_QUIET, c->id, DUE_NEVER);
	else if (s->held || (what -= p->no_media) < 0)
		phone(s, agent, SIM_PHONE_VOID, c->id, s->now_ms);
	else if ((what -= p->lost) < 0)
		phone(s, agent, SIM_PHONE_LOST, c->id, s->now_ms);
	else if ((what -= p->reject) < 0)
		phone(s, agent, SIM_PHONE_REJECTS, c->id, at_ms);
	else if ((what -= p->out_ringing) < 0)
		phone(s, agent, SIM_PHONE_OUT, c->id, at_ms);
	else if (what - p->away_ringing < 0)
		phone(s, agent, SIM_PHONE_AWAY, c->id, at_ms);
	else
		phone(s, agent, SIM_PHONE_ANSWERS, c->id, at_ms);
}

int sim_agent_wish(struct sim *s, int agent, enum agent_event ev, uint8_t reason)
{
	int rc = acd_agent_event(s->acd, agent, ev, reason, s->now_ms);

	if (rc == 0 && ev == AGENT_SIGN_IN) {
		s->agent[agent].since_sign_in = 0;
		s->agent[agent].talk_ms = 0;
	}
	if (rc != 0 && rc != -EPROTO && rc != -ENOENT)
		sim_breaks(s, "agent %s asks for something and is told %d",
			   sim_agent_number(s, agent), rc);
	return rc;
}

static void phone_due(struct sim *s, int agent)
{
	struct sim_agent *g = &s->agent[agent];
	enum sim_phone does = g->phone;
	uint64_t call = g->phone_call;
	bool ours = g->state == AGENT_RINGING && g->call == call;
	struct sim_call *c;
	int rc = 0;

	g->phone = does == SIM_PHONE_LOST ? SIM_PHONE_LOST : SIM_PHONE_QUIET;
	c = sim_call_find(s, call);
	switch (does) {
	case SIM_PHONE_ANSWERS:
		rc = acd_offer_answered(s->acd, agent, call, s->now_ms);
		break;
	case SIM_PHONE_REJECTS:
		rc = acd_offer_failed(s->acd, agent, call, AGENT_REJECT, s->now_ms);
		break;
	case SIM_PHONE_LOST:
		rc = acd_offer_failed(s->acd, agent, call, AGENT_LOST, s->now_ms);
		break;
	case SIM_PHONE_OUT:
		if (ours)
			rc = sim_agent_wish(s, agent, AGENT_SIGN_OUT, 0);
		break;
	case SIM_PHONE_AWAY:
		if (ours)
			rc = sim_agent_wish(s, agent, AGENT_GO_NOT_READY, 1);
		break;
	case SIM_PHONE_VOID:
		rc = acd_offer_void(s->acd, agent, call, s->now_ms);
		if (rc == 0 && c != NULL && c->ringing == 1)
			c->void_until_ms = s->now_ms + ACD_VOID_MS;
		break;
	case SIM_PHONE_QUIET:
		return;
	}
	if (ours && rc != 0)
		sim_breaks(s, "agent %s's phone rings, and what it does is refused (%d)",
			   sim_agent_number(s, agent), rc);
	if (!ours && rc != -EPROTO && rc != 0)
		sim_breaks(s, "agent %s's late answer is told %d", sim_agent_number(s, agent), rc);
	if (!ours && rc == 0 && (does <= SIM_PHONE_LOST || does == SIM_PHONE_VOID))
		sim_breaks(s, "agent %s's answer to an offer that is over is taken",
			   sim_agent_number(s, agent));
}

/* --- by themselves ------------------------------------------------------------------------- */

void sim_agent_state(struct sim *s, int agent, enum agent_state was)
{
	const struct sim_people *p = &s->plan->people;
	struct sim_agent *g = &s->agent[agent];
	uint64_t ms;

	if (was == AGENT_RINGING && g->phone != SIM_PHONE_LOST && (s->now_ms & 7) != 0)
		phone(s, agent, SIM_PHONE_QUIET, 0, DUE_NEVER); /* the rest cross on the wire */
	switch (g->state) {
	case AGENT_NOT_READY:
		ms = sim_law_ms(&p->back, &g->random);
		sim_agent_person(s, agent, AGENT_GO_READY,
				 ms == UINT64_MAX ? DUE_NEVER : s->now_ms + ms);
		break;
	case AGENT_WRAP_UP:
		ms = sim_law_ms(&p->wrap, &g->random);
		sim_agent_person(s, agent, AGENT_WRAP_END,
				 ms < g->wrap_s * UINT64_C(1000) ? s->now_ms + ms : DUE_NEVER);
		break;
	case AGENT_OFFLINE:
		sim_agent_person(s, agent, AGENT_SIGN_IN,
				 p->back_again_ms > 0 ? s->now_ms + p->back_again_ms : DUE_NEVER);
		break;
	case AGENT_READY:
	case AGENT_RINGING:
	case AGENT_OTHER:
		sim_agent_person(s, agent, AGENT_GO_READY, DUE_NEVER);
		break;
	case AGENT_TALKING: /* what he does in mid-call stands already */
	case AGENT_STATES:
		break;
	}
}

void sim_agent_unplug(struct sim *s, int agent, uint32_t for_ms)
{
	struct sim_agent *g = &s->agent[agent];
	struct sim_call *c = g->call != 0 ? sim_call_find(s, g->call) : NULL;

	g->reachable = false;
	acd_agent_reachable(s->acd, agent, false, s->now_ms);
	phone(s, agent, SIM_PHONE_QUIET, 0, DUE_NEVER);
	if (c != NULL && c->place == SIM_TALKING)
		sim_call_next(s, c, SIM_NEXT_TALKED, s->now_ms + SIM_MEDIA_TIMEOUT_MS);
	due_set(&s->due, sim_thing_of_agent(s, agent, SIM_PLUG), s->now_ms + for_ms);
}

void sim_agent_private(struct sim *s, int agent, uint32_t for_ms)
{
	struct sim_agent *g = &s->agent[agent];

	if (g->private_call || sim_agent_wish(s, agent, AGENT_OTHER_BEGIN, 0) != 0)
		return;
	g->private_call = true;
	due_set(&s->due, sim_thing_of_agent(s, agent, SIM_PRIVATE), s->now_ms + for_ms);
}

void sim_agent_due(struct sim *s, int agent, enum sim_timer t)
{
	struct sim_agent *g = &s->agent[agent];

	switch (t) {
	case SIM_PERSON:
		if (s->now_ms < s->control_back_ms) {
			sim_agent_person(s, agent, g->person, s->control_back_ms);
			break;
		}
		(void)sim_agent_wish(s, agent, g->person, g->person == AGENT_GO_NOT_READY);
		break;
	case SIM_PHONE:
		phone_due(s, agent);
		break;
	case SIM_PLUG:
		g->reachable = true;
		acd_agent_reachable(s->acd, agent, true, s->now_ms);
		break;
	case SIM_PRIVATE:
		g->private_call = false;
		if (sim_agent_wish(s, agent, AGENT_OTHER_END, 0) != 0)
			sim_breaks(s, "agent %s's private call cannot end",
				   sim_agent_number(s, agent));
		break;
	case SIM_TIMERS:
		break;
	}
}
