/* SPDX-License-Identifier: Apache-2.0
 *
 * Ringing a phone without the ACD: an internal call, a flow's `dial`, a transfer. The called agent
 * counts as busy with something else from the first ring, so that the ACD offers it nothing.
 *
 * A transfer that nobody answers does not lose the customer: who came from a queue goes back to it,
 * before all others.
 */
#include "call/calls.h"
#include "call/emergency.h"
#include "call/park.h"
#include "call/pop.h"
#include "call/remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { RING_S = 30, CONFIRM_MS = 8000 };

bool dial_is_busy(struct centre *c, int agent)
{
	struct acd_agent_view v;

	if (agent < 0 || !acd_agent_view(c->acd, agent, &v))
		return false;
	return v.agent.state == AGENT_RINGING || v.agent.state == AGENT_TALKING ||
	       v.agent.state == AGENT_OTHER;
}

const struct config_trunk *dial_trunk(const struct party *p)
{
	const struct config *cfg = p->call->centre->config;

	if (p->agent >= 0)
		return NULL;
	/* Which one takes a call for help is asked for again at each try; any one stands for "outside". */
	return p->call->emergency ? &cfg->trunks[0] : config_trunk_for(cfg, p->number);
}

static void invite(struct party *p)
{
	int err;

	pop_ring(p);
	err = p->at[0] != '\0' ? remote_invite(p, p->ring_ms)
			       : party_invite(p, p->number, dial_trunk(p), p->ring_ms);

	if (err != 0) {
		log_info("call", "[call=%s] %s cannot be rung: %s", p->call->id, p->number,
			 strerror(-err));
		dial_closed(p, err == -ENOENT ? 480 : err == -EBUSY ? 503 : 500);
	}
}

/* How the ringing ended, to whoever wanted it. The customer is still there. */
static void tell(struct call *call, enum dial_purpose why, int status)
{
	bool no_answer = status == 408 || status == 487;
	bool busy = status == 486 || status == 600 || status == 603;
	enum call_cause cause =
		no_answer ? CALL_CAUSE_NO_ANSWER : call_cause_of_sip((unsigned)status);
	const char *queue = call->record.queue;

	emergency_transfer_failed(call);
	json_decref(call->confirm); /* it was for this ringing only */
	call->confirm = NULL;
	if (call->customer != NULL && call->customer->play_use == PLAY_RING)
		party_play_stop(call->customer);
	switch (why) {
	case DIAL_FLOW:
		flow_tell(call, &(struct ivr_event){.kind = IVR_EV_DIAL_DONE,
						    .dial = no_answer ? IVR_DIAL_NO_ANSWER
							    : busy    ? IVR_DIAL_BUSY
								      : IVR_DIAL_FAILED});
		break;
	case DIAL_TRANSFER:
		if (queue[0] != '\0') {
			queue_enter(call, queue, BACK_TO_QUEUE_PRIORITY);
			break;
		}
		call_end(call, PARTY_SYSTEM, cause);
		break;
	case DIAL_PARKED:
		park_again(call);
		break;
	case DIAL_INTERNAL:
	case DIAL_NONE:
		call_end(call, PARTY_SYSTEM, cause);
		break;
	}
}

void dial_start(struct call *call, const char *number, uint32_t timeout_s, enum dial_purpose why)
{
	struct centre *c = call->centre;
	const struct config_agent *known = config_agent_find(c->config, number);
	int agent = known ? acd_agent_find(c->acd, number) : -1;
	struct party *p;

	/* Agents and operators transfer; where a flow leads, nobody has looked at who calls. */
	if (why == DIAL_TRANSFER && known == NULL && c->config->n_trunks > 0 &&
	    emergency_number(c, number)) {
		emergency_transfer(call, number);
	} else if (known == NULL && config_trunk_for(c->config, number) == NULL) {
		tell(call, why, 404);
		return;
	}
	call_note(call, CALL_STEP_OFFER, number);
	if (dial_is_busy(c, agent) || desk_has_dnd(c, agent) ||
	    (call->customer->agent >= 0 && agent == call->customer->agent)) {
		call_note(call, CALL_STEP_REJECT, number);
		tell(call, why, 486);
		return;
	}
	p = party_new(call, PARTY_IS_AGENT, number, agent);
	if (p == NULL) {
		tell(call, why, 500);
		return;
	}
	remote_place(p);
	call->dialled = p;
	call->dial = why;
	p->ring_ms = (timeout_s ? timeout_s : RING_S) * 1000;
	if (agent >= 0)
		desk_other(c, agent, call->number, true);
	call_set_state(call, why == DIAL_TRANSFER ? CALL_TRANSFERRING : CALL_OFFERING);
	if (call->customer->answered)
		party_play(call->customer, PLAY_RING, party_tone("ringback"), 0, NULL);
	party_open(p, invite);
}

static void on_confirm(struct call *call, struct party *p, int err, const json_t *result,
		       const struct rpc_error *why)
{
	(void)result;
	(void)why;
	if (err != 0 && p == call->dialled && call->confirm_collect[0] != '\0')
		dial_confirmed(call, "");
}

/* A machine, or somebody else, may have picked up: only who presses 1 gets the caller. */
static void ask_to_confirm(struct call *call, struct party *p)
{
	struct engine_collect how = {.max = 1,
				     .min = 1,
				     .terminators = "",
				     .first_timeout_ms = CONFIRM_MS,
				     .inter_timeout_ms = CONFIRM_MS};
	struct ticket *t = call_ticket_new(call, p, on_confirm);

	party_play(p, PLAY_CONFIRM, call->confirm, 1, "0123456789*#");
	call->confirm = NULL;
	call_make_id(call, 'c', call->confirm_collect);
	if (t == NULL || engine_collect_start(call->centre->engine, p->leg, call->confirm_collect,
					      &how, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		dial_confirmed(call, ""); /* no engine: nobody will hear the key */
	}
}

void dial_confirmed(struct call *call, const char *digits)
{
	struct party *p = call->dialled;

	call->confirm_collect[0] = '\0';
	if (p == NULL)
		return;
	if (strcmp(digits, "1") == 0)
		dial_answered(p);
	else
		dial_closed(p, 408); /* as if nobody had answered */
}

void dial_answered(struct party *p)
{
	struct call *call = p->call;

	if (call->confirm != NULL) {
		ask_to_confirm(call, p);
		return;
	}
	call->dialled = NULL;
	if (party_answer(call->customer) != 0) {
		call->agent = p; /* so that the end finds it in every book */
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		return;
	}
	talk_begin(call, p, NULL);
}

void dial_closed(struct party *p, int status)
{
	struct call *call = p->call;
	enum dial_purpose why = call->dial;
	char detail[CALL_DETAIL_MAX];

	call->dialled = NULL;
	call->dial = DIAL_NONE;
	call->confirm_collect[0] = '\0';
	if (p->agent >= 0)
		desk_other(call->centre, p->agent, call->number, false);
	snprintf(detail, sizeof(detail), "%s %d", p->number, status);
	call_note(call, status == 408 || status == 487 ? CALL_STEP_NO_ANSWER : CALL_STEP_REJECT,
		  detail);
	party_end(p, 487, SIP_CAUSE_NO_ANSWER, "no answer");
	tell(call, why, status);
}

/* The customer is gone or goes elsewhere; what rings stops. */
void dial_withdraw(struct call *call)
{
	struct party *p = call->dialled;

	json_decref(call->confirm);
	call->confirm = NULL;
	call->confirm_collect[0] = '\0';
	if (p == NULL)
		return;
	call->dialled = NULL;
	call->dial = DIAL_NONE;
	if (p->agent >= 0)
		desk_other(call->centre, p->agent, call->number, false);
	party_end(p, 487, SIP_CAUSE_NORMAL, "not wanted any more");
}

void dial_cancel(struct call *call)
{
	dial_withdraw(call);
	call->dial = DIAL_NONE;
}
