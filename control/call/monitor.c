/* SPDX-License-Identifier: Apache-2.0
 *
 * A supervisor in a call: rung by us or dialled in, joined by monitor.start, led by mode. The
 * supervisor is a party of the call but never of its record's sums; it comes and goes without
 * touching customer and agent. When the agent changes (transfer) the monitor is laid anew; while
 * there is none the supervisor hears the customer alone.
 */
#include "call/calls.h"
#include "sip/registrar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { SUPERVISOR_RING_MS = 30000 };

static void note(struct call *call, const struct party *p, const char *mode)
{
	char detail[CALL_DETAIL_MAX];

	snprintf(detail, sizeof(detail), "%s %s", p->number, mode);
	call_note(call, CALL_STEP_MONITOR, detail);
}

static void on_monitor(struct call *call, struct party *p, int err, const json_t *result,
		       const struct rpc_error *why)
{
	(void)result;
	if (err == 0 || p != call->supervisor)
		return;
	log_warn("call", "[call=%s] %s cannot listen: %s", call->id, p->number,
		 why ? why->message : strerror(-err));
	monitor_closed(p);
	party_end(p, 0, 0, "failed");
}

static void join(struct call *call)
{
	struct party *p = call->supervisor;
	struct ticket *t;

	if (p == NULL || !p->answered || call->agent == NULL || call->customer == NULL)
		return;
	call_make_id(call, 'm', call->monitor);
	t = call_ticket_new(call, p, on_monitor);
	if (t == NULL || engine_monitor_start(call->centre->engine, call->id, call->monitor, p->leg,
					      call->agent->leg, call->customer->leg,
					      call->monitor_mode, call_ticket_reply, t) != 0)
		call_ticket_drop(t);
}

void monitor_answered(struct party *p)
{
	struct call *call = p->call;

	if (call->take_over && takeover_now(p))
		return;
	note(call, p, call->monitor_mode);
	join(call);
	call_publish(call);
}

void monitor_closed(struct party *p)
{
	struct call *call = p->call;

	if (call->supervisor != p)
		return;
	call->supervisor = NULL;
	if (call->monitor[0] != '\0')
		engine_monitor_stop(call->centre->engine, call->monitor);
	call->monitor[0] = '\0';
	call->monitor_mode[0] = '\0';
	call->take_over = false;
	if (p->agent >= 0)
		desk_other(call->centre, p->agent, call->number, false);
	note(call, p, "off");
	if (call->state != CALL_ENDING)
		call_publish(call);
}

void monitor_agent_changed(struct call *call)
{
	if (call->supervisor == NULL)
		return;
	if (call->monitor[0] != '\0' && call->agent != NULL) {
		engine_monitor_stop(call->centre->engine, call->monitor);
		call->monitor[0] = '\0';
	}
	join(call);
}

static void set_mode(struct call *call, const char *mode)
{
	if (strcmp(call->monitor_mode, mode) == 0)
		return;
	snprintf(call->monitor_mode, sizeof(call->monitor_mode), "%s", mode);
	if (call->monitor[0] != '\0')
		engine_monitor_mode(call->centre->engine, call->monitor, mode);
	if (call->supervisor->answered)
		note(call, call->supervisor, mode);
	call_publish(call);
}

void monitor_digit(struct party *p, char digit)
{
	if (digit == '4')
		set_mode(p->call, "listen");
	else if (digit == '5')
		set_mode(p->call, "whisper");
	else if (digit == '6')
		set_mode(p->call, "barge");
	else if (digit == '8')
		(void)takeover_now(p);
}

static void ring(struct party *p)
{
	int err = party_invite(p, p->number, NULL, SUPERVISOR_RING_MS);

	if (err == 0)
		return;
	log_info("call", "[call=%s] %s cannot be rung: %s", p->call->id, p->number, strerror(-err));
	monitor_closed(p);
	party_end(p, 0, 0, "");
}

static void pick_up(struct party *p)
{
	if (party_answer(p) == 0) {
		monitor_answered(p);
		return;
	}
	monitor_closed(p);
	party_end(p, 488, 88, "no codec in common");
}

static bool is_registered(struct centre *c, const char *user)
{
	struct registrar_contact one;

	return registrar_lookup(sip_stack_registrar(c->sip), user, &one, 1) > 0;
}

int monitor_set(struct call *call, const char *by, const char *mode, struct sip_call *dialled,
		const char **state, char *why, size_t why_size)
{
	struct centre *c = call->centre;
	const struct config_agent *who = config_agent_find(c->config, by);
	struct party *p = call->supervisor;

	if (who == NULL || !who->supervisor) {
		snprintf(why, why_size, "%s is not a supervisor", by);
		return who ? -EPERM : -ENOENT;
	}
	if (p != NULL && strcmp(p->number, by) != 0) {
		snprintf(why, why_size, "%s listens already", p->number);
		return -EBUSY;
	}
	if (strcmp(mode, "off") == 0) {
		*state = "off";
		if (p != NULL) {
			monitor_closed(p);
			party_end(p, 487, SIP_CAUSE_NORMAL, "off");
		}
		return 0;
	}
	if (p != NULL && dialled == NULL) {
		set_mode(call, mode);
		*state = p->answered ? "joined" : "ringing";
		return 0;
	}
	if (p != NULL) {
		snprintf(why, why_size, "%s listens already", by);
		return -EBUSY;
	}
	if (call->agent == NULL || (call->state != CALL_TALKING && call->state != CALL_HELD)) {
		snprintf(why, why_size, "call %s is %s; there is no conversation to hear", call->id,
			 call_state_name(call->state));
		return -EBUSY;
	}
	if (!engine_is_up(c->engine)) {
		snprintf(why, why_size, "the engine is not connected");
		return -ENOTCONN;
	}
	if (dialled == NULL && !is_registered(c, by)) {
		snprintf(why, why_size, "the phone of %s is not registered", by);
		return -EBUSY;
	}
	p = party_new(call, PARTY_IS_SUPERVISOR, by, acd_agent_find(c->acd, by));
	if (p == NULL) {
		snprintf(why, why_size, "the call has no room for another party");
		return -EBUSY;
	}
	call->supervisor = p;
	snprintf(call->monitor_mode, sizeof(call->monitor_mode), "%s", mode);
	if (p->agent >= 0)
		desk_other(c, p->agent, call->number, true);
	*state = "ringing";
	if (dialled != NULL)
		party_attach(p, dialled);
	party_open(p, dialled ? pick_up : ring);
	return 0;
}
