/* SPDX-License-Identifier: Apache-2.0
 *
 * Picking up: an agent's phone dials in and takes a call that rings at a colleague's, or that is parked.
 * Who belongs to whose group is the configuration's; what the ACD makes of it is the ACD's.
 */
#include "call/park.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* --- what there is to pick up -------------------------------------------------------------- */

struct ringing {
	const struct config_agent *by;
	const char *agent; /* "": anybody */
	bool queues;       /* the ACD lets it take calls of queues */
	struct call *found;
	uint64_t since_ms;
};

static bool of_the_group(const struct config_agent *by, const struct config_agent *other)
{
	return by->supervisor || (by->group[0] != '\0' && strcmp(by->group, other->group) == 0);
}

static bool rings(const struct call *call, const struct party *p)
{
	return p->state != PARTY_FREE && p->state != PARTY_ENDING && !p->answered &&
	       p->agent >= 0 && (p->offered || p == call->dialled);
}

/* The phone that has rung longest. */
static void look(struct call *call, void *arg)
{
	struct ringing *r = arg;

	if (call->customer != NULL && strcmp(call->customer->number, r->by->number) == 0)
		return;
	for (unsigned i = 0; call->state != CALL_ENDING && i < CALL_PARTIES_MAX; i++) {
		const struct party *p = &call->party[i];
		const struct config_agent *other;

		if (!rings(call, p) || (p->offered && !r->queues) ||
		    strcmp(p->number, r->by->number) == 0 ||
		    (r->agent[0] != '\0' && strcmp(p->number, r->agent) != 0))
			continue;
		other = config_agent_find(call->centre->config, p->number);
		if (other == NULL || !of_the_group(r->by, other) ||
		    (r->found != NULL && r->since_ms <= p->started_ms))
			continue;
		r->found = call;
		r->since_ms = p->started_ms;
	}
}

/* --- taking it ----------------------------------------------------------------------------- */

static void note(struct party *p, const char *from)
{
	char detail[CALL_DETAIL_MAX];

	snprintf(detail, sizeof(detail), "%.31s by %.31s", from, p->number);
	call_note(p->call, CALL_STEP_PICK_UP, detail);
}

/* It rings for the ACD, at one phone or at many. */
static bool take_offered(struct party *p)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	const struct party *other = queue_offered(call, -1);
	char from[SIP_USER_MAX];

	snprintf(from, sizeof(from), "%s", other->number);
	if (acd_pick_up(c->acd, p->agent, call->number, clock_mono_ms()) != 0)
		return false;
	p->picks_up = false;
	p->offered = true; /* whom the ACD's answer will find */
	note(p, from);
	queue_drain(c);
	return true;
}

/* It rings without the ACD: that phone stops, this one has answered. */
static bool take_dialled(struct party *p)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	struct party *other = call->dialled;

	p->picks_up = false;
	note(p, other->number);
	call->dialled = p;
	if (other->agent >= 0)
		desk_other(c, other->agent, call->number, false);
	party_end(other, 487, SIP_CAUSE_ELSEWHERE, "picked up by another phone");
	json_decref(call->confirm);
	call->confirm = NULL;
	desk_other(c, p->agent, call->number, true);
	dial_answered(p);
	return true;
}

static bool take_parked(struct party *p)
{
	struct call *call = p->call;
	char number[16], detail[CALL_DETAIL_MAX];

	p->picks_up = false;
	config_parking_number(call->centre->config, call->park.place, number, sizeof(number));
	snprintf(detail, sizeof(detail), "%.31s by %.31s", number, p->number);
	call_note(call, CALL_STEP_UNPARK, detail);
	desk_other(call->centre, p->agent, call->number, true);
	call->dial = DIAL_PARKED;
	talk_begin(call, p, NULL);
	return true;
}

/* The leg is there: what is the call now? */
static void take(struct party *p)
{
	struct call *call = p->call;
	bool parked = call->state == CALL_PARKED;
	bool offered = call->in_acd && queue_offered(call, -1) != NULL;
	bool dialled = call->dialled != NULL && !call->dialled->answered;

	if ((parked || offered || dialled) && party_answer(p) == 0 &&
	    (parked    ? take_parked(p)
	     : offered ? take_offered(p)
		       : take_dialled(p)))
		return;
	log_info("call", "[call=%s] %s comes too late to pick it up", call->id, p->number);
	party_end(p, 480, SIP_CAUSE_ELSEWHERE, "too late");
}

static bool begin(struct call *call, struct sip_call *sip, const char *by)
{
	struct centre *c = call->centre;
	struct party *p = NULL;
	int agent = acd_agent_find(c->acd, by);

	if (agent >= 0 && engine_is_up(c->engine))
		p = party_new(call, PARTY_IS_AGENT, by, agent);
	if (p == NULL)
		return false;
	p->picks_up = true;
	party_attach(p, sip);
	party_open(p, take);
	return true;
}

struct place {
	int place;
	struct call *found;
};

static void at_place(struct call *call, void *arg)
{
	struct place *s = arg;

	if (call->state == CALL_PARKED && call->park.place == s->place)
		s->found = call;
}

bool pick_up_place(struct centre *c, struct sip_call *sip, const char *by, const char *number)
{
	struct place s = {.place = config_parking_place(c->config, number)};

	if (s.place >= 0)
		call_each(c, at_place, &s);
	return s.found != NULL && begin(s.found, sip, by);
}

bool pick_up_phone(struct centre *c, struct sip_call *sip, const char *by, const char *agent)
{
	struct ringing r = {.by = config_agent_find(c->config, by), .agent = agent};
	struct acd_agent_view v;

	if (acd_agent_view(c->acd, acd_agent_find(c->acd, by), &v))
		r.queues = agent_can(&v.agent, AGENT_PICK_UP);
	if (r.by != NULL)
		call_each(c, look, &r);
	return r.found != NULL && begin(r.found, sip, by);
}
