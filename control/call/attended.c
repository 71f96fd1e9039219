/* SPDX-License-Identifier: Apache-2.0
 *
 * Two calls become one: a phone has two dialogs with us and asks, by REFER with Replaces (RFC 3515,
 * 3891), that those at their far ends talk with each other. Both end here, so nothing is asked of
 * anybody: the call that has the customer goes on, who was asked moves into it (party_move.c), the
 * transferring phone is let go, and the other call is over with cause `transferred`.
 *
 *	before:  customer -- A -- agent     agent -- B -- third
 *	after:   customer -- A -- third
 *
 * Who was asked and still rings moves ringing; one who waits in a queue or a menu at the far end is
 * nobody yet, and the customer goes there instead (blind).
 *
 * And INVITE with Replaces: a phone that takes the place of an agent's, in the same call.
 */
#include "call/attended.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* The end of the call that `p` talks with, or rings for it; NULL. */
static struct party *far_end(struct party *p)
{
	struct call *call = p->call;

	if (p == call->agent)
		return call->customer;
	if (p != call->customer)
		return NULL;
	return call->agent != NULL ? call->agent : call->dialled;
}

void attended_swap(struct call *call)
{
	struct party *agent = call->customer;

	call->customer = call->agent;
	call->agent = agent;
	call->customer->role = PARTY_IS_CUSTOMER;
	agent->role = PARTY_IS_AGENT;
	call->answered = true;
	/* A take is of one customer's leg. */
	record_stop(call);
	record_follow(call);
	monitor_agent_changed(call);
}

/* Who came in is on the line: from here on the call talks. */
static void together(struct party *p)
{
	struct call *call = p->call;

	if (p == call->agent && call->customer != NULL)
		talk_begin(call, p, NULL);
}

static void rings_on(struct party *p)
{
	struct call *call = p->call;

	if (p == call->dialled && call->customer != NULL)
		party_play(call->customer, PLAY_RING, party_tone("ringback"), 0, NULL);
}

/* The transferring agent leaves `call`, its customer stays for `to`. */
static void let_go(struct call *call, const char *to, const struct call *other)
{
	struct party *agent = call->agent;
	char detail[CALL_DETAIL_MAX];

	snprintf(detail, sizeof(detail), "%.16s by %.16s from %s", to, agent->number, other->id);
	call_note(call, CALL_STEP_TRANSFER, detail);
	call_set_state(call, CALL_TRANSFERRING);
	if (call->customer->play_use != PLAY_NOTHING)
		party_play_stop(call->customer);
	flow_stop(call);
}

/* `other` is over; its far end has moved to `call`. */
static void close_other(struct call *other, const struct call *call)
{
	char detail[CALL_DETAIL_MAX];

	snprintf(detail, sizeof(detail), "to %s", call->id);
	call_note(other, CALL_STEP_TRANSFER, detail);
	call_end(other, PARTY_AGENT, CALL_CAUSE_TRANSFERRED);
}

/* What is to be done. */
struct plan {
	struct call *call;   /* goes on */
	struct call *other;  /* is over */
	bool swap;           /* the agent made `call`: it is its customer still */
	struct party *third; /* moves into `call`; NULL: the customer follows the other call */
};

/* The third party comes to the customer. */
static void join(struct call *call, struct party *third)
{
	struct call *other = third->call;
	struct party *agent = call->agent;
	bool rings = !third->answered, served = third == other->agent;
	struct party *p = party_move(third, call, PARTY_IS_AGENT, rings ? rings_on : together);

	if (p == NULL) /* the plan has seen a free slot */
		return;
	let_go(call, p->number, other);
	call->dial = DIAL_NONE;
	if (rings) {
		talk_release_agent(call);
		call->dialled = p;
		call->dial = DIAL_TRANSFER;
		json_decref(call->confirm);
		call->confirm = other->confirm;
		other->confirm = NULL;
		other->dialled = NULL;
		other->dial = DIAL_NONE;
		desk_other_moves(call->centre, p->agent, other->number, call->number);
	} else {
		talk_pass(call, p, served ? other : NULL);
		if (served)
			other->agent = NULL;
		else
			other->customer = NULL;
	}
	party_end(agent, 0, SIP_CAUSE_NORMAL, "transferred");
	party_move_open(p);
	party_end(third, 0, 0, ""); /* its dialog has moved: lets go of the leg */
	close_other(other, call);
}

static void carry_out(const struct plan *plan)
{
	char to[CALL_RECORD_NAME_MAX], why[160];

	if (plan->swap)
		attended_swap(plan->call);
	if (plan->third != NULL) {
		join(plan->call, plan->third);
		return;
	}
	snprintf(to, sizeof(to), "%s", plan->other->record.to);
	close_other(plan->other, plan->call);
	(void)transfer_call(plan->call, to, why, sizeof(why));
}

static bool is_running(const struct call *call)
{
	return call->customer != NULL && call->agent != NULL &&
	       call->consult.state == CONSULT_NONE &&
	       (call->state == CALL_TALKING || call->state == CALL_HELD);
}

static bool has_room(const struct call *call)
{
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state == PARTY_FREE)
			return true;
	return false;
}

/* The status line for the phone of `a`, whose other dialog is `b`; 200 with a plan. */
static int make_plan(struct party *a, struct party *b, struct plan *plan, const char **why)
{
	struct call *first = a->call, *second = b->call;
	struct party *far_a = far_end(a), *far_b = far_end(b);

	*why = "Not In A Call That Can Be Transferred";
	if (a->agent < 0 || a->agent != b->agent) {
		*why = "Not Your Call";
		return 403;
	}
	if (first == second || !is_running(first) || far_a == NULL || second->state == CALL_ENDING)
		return 603;
	if (far_b != NULL && far_b == second->dialled && far_b->answered) {
		*why = "The Other Side Has Not Confirmed"; /* it is asked for a key */
		return 480;
	}
	*plan = (struct plan){.call = first, .other = second, .swap = a == first->customer};
	*why = "OK";
	if (far_b != NULL && (is_running(second) || far_b == second->dialled)) {
		plan->third = far_b;
		/* The customer is on the other line: who is on this one goes there. */
		if (far_a != first->customer && far_b == second->customer)
			*plan = (struct plan){.call = second, .other = first, .third = far_a};
		if (has_room(plan->call))
			return 200;
		*why = "No Room";
		return 503;
	}
	if (b == second->customer && far_b == NULL &&
	    route_known(first->centre, second->record.to, true))
		return 200;
	*why = "Number Leads Nowhere";
	return 404;
}

void attended_refer(struct party *p, const struct sip_refer *refer)
{
	struct party *other = refer->with != NULL ? party_of(refer->with) : NULL;
	const char *why = "Call Does Not Exist";
	struct plan plan;
	int status = 481;

	if (other != NULL && other->state != PARTY_ENDING)
		status = make_plan(p, other, &plan, &why);
	if (status != 200)
		log_info("call", "[call=%s] %s may not connect its calls: %d %s", p->call->id,
			 p->number, status, why);
	/* Told first: from here on the calls are ours, and the phone's dialogs end. */
	sip_call_refer_progress(p->sip, status, why);
	if (status == 200)
		carry_out(&plan);
}

/* --- INVITE with Replaces ------------------------------------------------------------------ */

static struct party *replaced_by(struct party *p)
{
	struct call *call = p->call;

	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE && call->party[i].serial == p->replaces)
			return &call->party[i];
	return NULL;
}

/* A telephone of an agent that talks: the call goes on with the other one. */
static void take_place(struct party *p, struct party *old)
{
	struct call *call = p->call;
	char detail[CALL_DETAIL_MAX];

	snprintf(detail, sizeof(detail), "%.32s by %.32s", p->number, old->number);
	call_note(call, CALL_STEP_TRANSFER, detail);
	if (call->customer->play_use == PLAY_HOLD)
		party_play_stop(call->customer);
	if (old->agent != p->agent)
		talk_pass(call, p, NULL);
	call->agent = p;
	party_end(old, 0, SIP_CAUSE_NORMAL, "replaced");
	talk_begin(call, p, NULL);
}

/* A telephone that rings: answered by another one. */
static void pick_up(struct party *p, struct party *old)
{
	struct call *call = p->call;

	call->dialled = NULL;
	if (old->agent >= 0 && old->agent != p->agent) {
		desk_other(call->centre, old->agent, call->number, false);
		desk_other(call->centre, p->agent, call->number, true);
	}
	party_end(old, 487, SIP_CAUSE_ELSEWHERE, "answered elsewhere");
	call->dialled = p;
	dial_answered(p);
}

static void on_leg(struct party *p)
{
	struct party *old = replaced_by(p);
	struct call *call = p->call;
	bool talks = old != NULL && old == call->agent && is_running(call);
	bool rings = old != NULL && old == call->dialled && call->customer != NULL;

	p->replaces = 0;
	if (!talks && !rings) {
		party_end(p, 481, 0, "Call Does Not Exist");
		return;
	}
	if (party_answer(p) != 0) {
		party_end(p, 488, SIP_CAUSE_INCOMPATIBLE, "no codec in common");
		return;
	}
	if (talks)
		take_place(p, old);
	else
		pick_up(p, old);
}

/* Why not, as a status; 0: it may. */
static int may_replace(const struct party *old, const char *agent)
{
	const struct call *call = old != NULL ? old->call : NULL;

	if (call == NULL || call->state == CALL_ENDING || old->state == PARTY_ENDING)
		return 481;
	/* The line of somebody outside is nobody's to take; and who takes must have proved its name. */
	if (agent == NULL || old->agent < 0 ||
	    config_agent_find(call->centre->config, agent) == NULL)
		return 403;
	if (call->consult.state != CONSULT_NONE || call->confirm_collect[0] != '\0')
		return 603;
	return (old == call->agent && is_running(call)) || (old == call->dialled && !old->answered)
		       ? 0
		       : 603;
}

void attended_replace(struct centre *c, struct sip_call *sip, const char *agent,
		      struct sip_call *old_sip)
{
	struct party *old = party_of(old_sip), *p = NULL;
	int status = may_replace(old, agent);

	if (status == 0) {
		p = party_new(old->call, PARTY_IS_AGENT, agent, acd_agent_find(c->acd, agent));
		status = p == NULL ? 503 : 0;
	}
	if (status != 0) {
		log_info("call", "%s may not take the place of another phone: %d",
			 agent != NULL ? agent : "a stranger", status);
		sip_call_end(sip, status, 0, "");
		return;
	}
	p->replaces = old->serial;
	party_attach(p, sip);
	party_open(p, on_leg);
}
