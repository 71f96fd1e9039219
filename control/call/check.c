/* SPDX-License-Identifier: Apache-2.0
 *
 * What must be true of all calls between two turns of the loop.
 */
#include "call/calls.h"

#include "base/must.h"

static void one(struct call *call, void *arg)
{
	struct centre *c = arg;
	unsigned used = 0;

	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		const struct party *p = &call->party[i];

		must(p->call == call);
		if (p->state == PARTY_FREE)
			continue;
		used++;
		/* A party has something that will call back: a dialog or a leg. */
		must(p->sip != NULL || p->leg_wanted);
	}
	if (call->state == CALL_ENDING) {
		/* It waits for somebody, and not for ever. */
		must(tmr_isrunning(&call->linger) || call->reaped);
		must(call->record.ended_ms != 0);
		must(!call->in_acd && !call->flow_runs);
		return;
	}
	if (!callback_waits(call)) {
		must(used > 0);
		must(call->customer != NULL && call->customer->state != PARTY_FREE);
	}
	must(call->record.ended_ms == 0);
	must(queue_offered(call, -1) == NULL || call->in_acd);
	must(!call->in_acd || acd_position(c->acd, call->number) > 0);
	must(call->agent == NULL || call->agent != call->customer);
	must((call->consult.party != NULL) == (call->consult.state > CONSULT_NUMBER));
	must(call->consult.state == CONSULT_NONE ||
	     (call->agent != NULL && (call->state == CALL_HELD || call->state == CALL_TALKING)));
	if (call->from_queue) {
		struct acd_agent_view v;

		must(call->agent != NULL);
		must(acd_agent_view(c->acd, call->agent->agent, &v));
		must(v.call == call->number);
	}
	if (call->state == CALL_WAITING || call->state == CALL_OFFERING)
		must(call->in_acd || call->dialled != NULL ||
		     (callback_waits(call) && tmr_isrunning(&call->retry)));
	if (call->state == CALL_TALKING || call->state == CALL_HELD)
		must(call->agent != NULL);
	if (call->state == CALL_PARKED)
		must(call->park.place >= 0 && tmr_isrunning(&call->park.timer));
	must((call->state == CALL_CONFERENCE) == (call->room.name[0] != '\0'));
	must(call->room.in == NULL || call->state == CALL_CONFERENCE);
	if (call->state == CALL_MESSAGE)
		must(call->message_since_ms == 0 || tmr_isrunning(&call->message_timer));
}

void centre_check(struct centre *c)
{
	acd_check(c->acd);
	call_each(c, one, c);
}
