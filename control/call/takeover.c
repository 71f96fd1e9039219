/* SPDX-License-Identifier: Apache-2.0
 *
 * A supervisor takes a conversation over: from here on it is the agent. Who listens already takes the agent's place at
 * once; else its phone rings, and it does so when it answers. The agent's side is let go as after any
 * call, with wrap-up; the caller hears no more than a voice that changes.
 */
#include "call/calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool talks(const struct call *call)
{
	return call->customer != NULL && call->agent != NULL &&
	       (call->state == CALL_TALKING || call->state == CALL_HELD);
}

bool takeover_now(struct party *p)
{
	struct call *call = p->call;
	struct party *old = call->agent;

	call->take_over = false;
	if (!talks(call) || p != call->supervisor)
		return false;
	if (call->monitor[0] != '\0')
		engine_monitor_stop(call->centre->engine, call->monitor);
	call->monitor[0] = call->monitor_mode[0] = '\0';
	call->supervisor = NULL;
	p->role = PARTY_IS_AGENT;
	call_note(call, CALL_STEP_TAKEOVER, p->number);
	if (call->customer->play_use == PLAY_HOLD)
		party_play_stop(call->customer);
	call->dial = DIAL_NONE;
	talk_pass(call, p, NULL);
	party_end(old, 0, SIP_CAUSE_NORMAL, "taken over");
	call->state = CALL_TALKING; /* a hold was the agent's */
	talk_begin(call, p, NULL);
	call_publish(call);
	return true;
}

int takeover_set(struct call *call, const char *by, const char **state, char *why, size_t why_size)
{
	struct party *p = call->supervisor;
	int err;

	if (p == NULL || !p->answered) {
		err = monitor_set(call, by, "listen", NULL, state, why, why_size);
		if (err == 0)
			call->take_over = true;
		return err;
	}
	if (strcmp(p->number, by) != 0) {
		snprintf(why, why_size, "%s listens already", p->number);
		return -EBUSY;
	}
	if (!talks(call)) {
		snprintf(why, why_size, "call %s is %s; there is no conversation to take over",
			 call->id, call_state_name(call->state));
		return -EBUSY;
	}
	(void)takeover_now(p);
	*state = "taken";
	return 0;
}
