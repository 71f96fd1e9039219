/* SPDX-License-Identifier: Apache-2.0
 *
 * Blind transfer (the other kind: attended.c): the agent lets go, the customer goes to another number. By REFER from the agent's
 * phone, or by an operator's word. The agent's side is released as soon as the target is known to
 * lead somewhere (RFC 3515: the NOTIFY says 200, because from here on the call is ours).
 */
#include "call/attended.h"
#include "call/consult.h"
#include "call/park.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static void go(struct call *call, const char *to)
{
	struct party *agent = call->agent;

	consult_drop(call);
	call_note(call, CALL_STEP_TRANSFER, to);
	call_set_state(call, CALL_TRANSFERRING);
	talk_release_agent(call);
	call->dial = DIAL_NONE;
	if (agent != NULL)
		party_end(agent, 0, SIP_CAUSE_NORMAL, "transferred");
	monitor_agent_changed(call);
	if (call->customer->play_use != PLAY_NOTHING)
		party_play_stop(call->customer);
	flow_stop(call);
	record_follow(call);
	route_customer(call, to);
}

static bool talks(const struct call *call)
{
	return call->customer != NULL && call->agent != NULL &&
	       (call->state == CALL_TALKING || call->state == CALL_HELD);
}

void transfer_refer(struct party *p, const struct sip_refer *refer)
{
	struct call *call = p->call;
	int status = 0;
	const char *why = "";

	if (refer->attended) {
		attended_refer(p, refer);
		return;
	}
	if (park_refer(p, refer->user))
		return;
	if ((p != call->agent && (p != call->customer || p->agent < 0)) || !talks(call)) {
		status = 603;
		why = "Not In A Call That Can Be Transferred";
	} else if (!route_known(call->centre, refer->user, true)) {
		status = 404;
		why = "Number Leads Nowhere";
	}
	if (status != 0) {
		log_info("call", "[call=%s] %s may not transfer to %s: %s", call->id, p->number,
			 refer->user, why);
		sip_call_refer_progress(p->sip, status, why);
		return;
	}
	sip_call_refer_progress(p->sip, 200, "OK");
	if (p == call->customer)
		attended_swap(call);
	go(call, refer->user);
}

int transfer_call(struct call *call, const char *to, char *why, size_t why_size)
{
	int place;

	if (park_dialled(call->centre, to, &place))
		return park_call(call, place, true, why, why_size);
	if (!talks(call)) {
		snprintf(why, why_size, "call %s is %s; only a call that talks can be transferred",
			 call->id, call_state_name(call->state));
		return -EBUSY;
	}
	if (!route_known(call->centre, to, true)) {
		snprintf(why, why_size,
			 "%s is no agent, queue, hotline or number that a trunk takes", to);
		return -ENOENT;
	}
	go(call, to);
	return 0;
}
