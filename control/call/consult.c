/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's consultation: see consult.h. The matrix follows call->consult.state by talk_hear(); here
 * are the steps from one state to the next, and what the three hear by plays.
 */
#include "call/consult.h"
#include "call/attended.h"
#include "call/emergency.h"
#include "call/outbound.h"
#include "call/pop.h"
#include "call/remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { RING_MS = 45000, NUMBER_MAX = 32, NUMBER_FIRST_MS = 8000, NUMBER_NEXT_MS = 4000 };

const char *consult_state_name(const struct call *call)
{
	static const char *const names[] = {
		[CONSULT_NONE] = "none",
		[CONSULT_NUMBER] = "number",
		[CONSULT_RINGING] = "ringing",
		[CONSULT_TALKING] = "talking",
		[CONSULT_CONFERENCE] = "conference",
	};

	return names[call->consult.state];
}

/* --- what they hear ------------------------------------------------------------------------ */

static void hold(struct call *call)
{
	const char *music = talk_hold_music(call);

	if (call->state != CALL_HELD)
		call_note(call, CALL_STEP_HOLD, call->agent->number);
	call_set_state(call, CALL_HELD);
	if (music[0] != '\0')
		party_play(call->customer, PLAY_HOLD, party_prompt(music), 0, NULL);
	else
		party_play_stop(call->customer);
	talk_hear(call);
}

/* Agent and customer again. `tone`: what the agent hears first, or NULL. */
static void back(struct call *call, enum consult_state was, const char *tone)
{
	call->consult.state = CONSULT_NONE;
	call->consult.party = NULL;
	if (call->agent->play_use == PLAY_RING)
		party_play_stop(call->agent);
	if (call->customer->play_use == PLAY_HOLD)
		party_play_stop(call->customer);
	if (tone != NULL)
		party_play(call->agent, PLAY_RING, party_tone(tone), 1, NULL);
	talk_hear(call);
	if (was != CONSULT_CONFERENCE)
		call_note(call, CALL_STEP_RESUME, call->agent->number);
	call_set_state(call, CALL_TALKING);
	call_publish(call);
	/* Either may have been put on hold by its phone meanwhile. */
	if (call->agent->held)
		talk_held(call->agent, true);
	if (call->customer->held)
		talk_held(call->customer, true);
}

void consult_restarted(struct call *call, bool held)
{
	back(call, held ? CONSULT_TALKING : CONSULT_CONFERENCE, NULL);
}

void consult_resume(struct call *call)
{
	switch (call->consult.state) {
	case CONSULT_NUMBER: /* what was typed is lost */
		consult_number(call, "");
		break;
	case CONSULT_RINGING:
		party_play(call->agent, PLAY_RING, party_tone("ringback"), 0, NULL);
		hold(call);
		break;
	case CONSULT_TALKING:
		hold(call);
		break;
	case CONSULT_CONFERENCE:
	case CONSULT_NONE:
		break;
	}
}

/* --- whom ---------------------------------------------------------------------------------- */

/* Who of the queue has been free longest; -1: nobody is. */
static int free_agent_of(struct centre *c, int queue)
{
	struct acd_agent_view v;
	uint64_t since_ms = UINT64_MAX;
	int best = -1;

	for (uint32_t i = 0; i < acd_agents(c->acd); i++) {
		if (!acd_agent_view(c->acd, (int)i, &v) || v.agent.state != AGENT_READY ||
		    !v.reachable || !acd_agent_serves(c->acd, (int)i, queue) ||
		    v.idle_since_ms >= since_ms)
			continue;
		best = (int)i;
		since_ms = v.idle_since_ms;
	}
	return best;
}

/* The agent that `number` means, -1 for somebody outside. Returns 0, -ENOENT or -EBUSY. */
static int find(struct centre *c, const char **number, int *agent, char *why, size_t why_size)
{
	const struct config_queue *q = route_queue(c, *number);
	struct acd_agent_view v;

	*agent = -1;
	if (emergency_number(c, *number))
		return 0;
	if (q != NULL) {
		*agent = free_agent_of(c, acd_queue_find(c->acd, q->name));
		if (*agent < 0 || !acd_agent_view(c->acd, *agent, &v)) {
			snprintf(why, why_size, "nobody of queue %s is free", q->name);
			return -EBUSY;
		}
		*number = v.number;
		return 0;
	}
	if (config_agent_find(c->config, *number) != NULL) {
		*agent = acd_agent_find(c->acd, *number);
		if (!dial_is_busy(c, *agent) && !desk_has_dnd(c, *agent))
			return 0;
		snprintf(why, why_size, "%s is busy", *number);
		return -EBUSY;
	}
	if (config_trunk_for(c->config, *number) != NULL)
		return 0;
	snprintf(why, why_size, "%s is no agent, queue or number that a trunk takes", *number);
	return -ENOENT;
}

/* --- asking -------------------------------------------------------------------------------- */

static void invite(struct party *p)
{
	int err;

	pop_ring(p);
	err = p->at[0] != '\0' ? remote_invite(p, RING_MS)
			       : party_invite(p, p->number, dial_trunk(p), RING_MS);

	if (err == 0)
		return;
	log_info("call", "[call=%s] %s cannot be rung: %s", p->call->id, p->number, strerror(-err));
	consult_closed(p, err == -ENOENT ? 480 : 500);
	party_end(p, 0, 0, "");
}

/* May `by` ask somebody now? Then it is call->agent afterwards. */
static int may_ask(struct party *by, char *why, size_t why_size)
{
	struct call *call = by->call;

	if (call->customer == NULL || call->agent == NULL || by->agent < 0 ||
	    (by != call->agent && by != call->customer) ||
	    (call->state != CALL_TALKING && call->state != CALL_HELD) ||
	    call->agent->play_use == PLAY_WHISPER) {
		snprintf(why, why_size, "call %s is %s; only an agent who talks can ask somebody",
			 call->id, call_state_name(call->state));
		return -EBUSY;
	}
	if (call->consult.state > CONSULT_NUMBER) {
		snprintf(why, why_size, "call %s has a third party already: %s", call->id,
			 call->consult.party->number);
		return -EBUSY;
	}
	if (!engine_is_up(call->centre->engine)) {
		snprintf(why, why_size, "the engine is not connected");
		return -ENOTCONN;
	}
	if (by == call->customer)
		attended_swap(call);
	return 0;
}

static void stop_typing(struct call *call)
{
	if (call->consult.collect[0] != '\0')
		engine_collect_stop(call->centre->engine, call->consult.collect);
	call->consult.collect[0] = '\0';
	call->consult.typed[0] = '\0';
}

int consult_start(struct party *by, const char *number, char *why, size_t why_size)
{
	struct call *call = by->call;
	struct centre *c = call->centre;
	struct party *p;
	int agent, err = find(c, &number, &agent, why, why_size);
	const struct config_agent *who = config_agent_find(c->config, by->number);
	bool help = emergency_number(c, number);

	if (err == 0 && agent < 0 && !help && who != NULL &&
	    !outbound_allowed(c, who, NULL, why, why_size))
		err = -EPERM;
	if (err == 0)
		err = may_ask(by, why, why_size);
	if (err != 0)
		return err;
	p = party_new(call, PARTY_IS_AGENT, number, agent);
	if (p == NULL) {
		snprintf(why, why_size, "the call has no room for another party");
		return -EBUSY;
	}
	stop_typing(call);
	call->consult.state = CONSULT_RINGING;
	call->consult.party = p;
	p->ring_ms = RING_MS;
	remote_place(p);
	if (help)
		emergency_transfer(call, number);
	if (agent >= 0)
		desk_other(c, agent, call->number, true);
	party_play(call->agent, PLAY_RING, party_tone("ringback"), 0, NULL);
	hold(call);
	call_note(call, CALL_STEP_CONSULT, number);
	call_publish(call);
	party_open(p, invite);
	return 0;
}

void consult_answered(struct party *p)
{
	struct call *call = p->call;
	char detail[CALL_DETAIL_MAX];

	call->consult.state = CONSULT_TALKING;
	if (call->agent->play_use == PLAY_RING)
		party_play_stop(call->agent);
	talk_hear(call);
	snprintf(detail, sizeof(detail), "%s answered", p->number);
	call_note(call, CALL_STEP_CONSULT, detail);
	call_publish(call);
}

/* The third party in no book any more. */
static void forget(struct call *call)
{
	struct party *p = call->consult.party;

	call->consult.party = NULL;
	if (p != NULL && p->agent >= 0)
		desk_other(call->centre, p->agent, call->number, false);
	if (p != NULL && strcmp(p->number, call->help) == 0)
		emergency_transfer_failed(
			call); /* it was asked, and is no part of the call any more */
}

void consult_closed(struct party *p, int status)
{
	struct call *call = p->call;
	enum consult_state was = call->consult.state;
	char detail[CALL_DETAIL_MAX];

	forget(call);
	if (was == CONSULT_RINGING)
		snprintf(detail, sizeof(detail), "%s %d", p->number, status);
	else
		snprintf(detail, sizeof(detail), "%s left", p->number);
	call_note(call, CALL_STEP_CONSULT, detail);
	back(call, was, was == CONSULT_RINGING ? "busy" : NULL);
}

void consult_drop(struct call *call)
{
	struct party *p = call->consult.party;

	stop_typing(call);
	call->consult.state = CONSULT_NONE;
	forget(call);
	if (p != NULL)
		party_end(p, 487, SIP_CAUSE_NORMAL, "not wanted any more");
}

/* --- what comes of it ---------------------------------------------------------------------- */

static void leave_to_third(struct call *call)
{
	struct party *agent = call->agent, *third = call->consult.party;
	bool rings = call->consult.state == CONSULT_RINGING;
	char detail[CALL_DETAIL_MAX];

	snprintf(detail, sizeof(detail), "%.32s by %.32s", third->number, agent->number);
	call_note(call, CALL_STEP_TRANSFER, detail);
	call->consult.state = CONSULT_NONE;
	call->consult.party = NULL;
	call->dial = DIAL_NONE;
	flow_stop(call);
	call_set_state(call, CALL_TRANSFERRING);
	if (call->customer->play_use != PLAY_NOTHING)
		party_play_stop(call->customer);
	if (rings) {
		talk_release_agent(call);
		call->dialled = third;
		call->dial = DIAL_TRANSFER;
		party_play(call->customer, PLAY_RING, party_tone("ringback"), 0, NULL);
		monitor_agent_changed(call);
	} else {
		talk_pass(call, third, NULL);
	}
	party_end(agent, 0, SIP_CAUSE_NORMAL, "transferred");
	if (!rings)
		talk_begin(call, third, NULL);
	else
		record_follow(call);
}

static int refused(const struct call *call, char *why, size_t why_size)
{
	snprintf(why, why_size, "call %s has no consultation for this (it is: %s)", call->id,
		 consult_state_name(call));
	return -EBUSY;
}

int consult_complete(struct call *call, char *why, size_t why_size)
{
	if (call->consult.state < CONSULT_RINGING)
		return refused(call, why, why_size);
	leave_to_third(call);
	return 0;
}

int consult_cancel(struct call *call, char *why, size_t why_size)
{
	enum consult_state was = call->consult.state;
	char detail[CALL_DETAIL_MAX];

	if (was == CONSULT_NONE)
		return refused(call, why, why_size);
	if (call->consult.party != NULL) {
		snprintf(detail, sizeof(detail), "%s let go", call->consult.party->number);
		call_note(call, CALL_STEP_CONSULT, detail);
	}
	consult_drop(call);
	back(call, was, NULL);
	return 0;
}

int consult_conference(struct call *call, char *why, size_t why_size)
{
	if (call->consult.state != CONSULT_TALKING)
		return refused(call, why, why_size);
	call->consult.state = CONSULT_CONFERENCE;
	if (call->customer->play_use == PLAY_HOLD)
		party_play_stop(call->customer);
	talk_hear(call);
	call_note(call, CALL_STEP_RESUME, call->agent->number);
	call_note(call, CALL_STEP_CONFERENCE, call->consult.party->number);
	call_set_state(call, CALL_TALKING);
	call_publish(call);
	return 0;
}

/* Who asks when an operator says so; NULL with a sentence in `why`. */
static struct party *asking(struct call *call, const char *by, char *why, size_t why_size)
{
	struct party *sides[] = {call->agent, call->customer};

	for (unsigned i = 0; i < 2; i++)
		if (sides[i] != NULL && sides[i]->agent >= 0 &&
		    (by == NULL || strcmp(sides[i]->number, by) == 0))
			return sides[i];
	if (by != NULL)
		snprintf(why, why_size, "agent %s does not talk in call %s", by, call->id);
	else
		snprintf(why, why_size, "call %s is %s; no agent talks in it", call->id,
			 call_state_name(call->state));
	return NULL;
}

int consult_act(struct call *call, const char *action, const char *to, const char *by,
		const char **state, char *why, size_t why_size)
{
	struct party *p;
	int err = -EBUSY;

	if (strcmp(action, "start") == 0) {
		p = asking(call, by, why, why_size);
		if (p != NULL)
			err = consult_start(p, to, why, why_size);
	} else if (strcmp(action, "complete") == 0) {
		err = consult_complete(call, why, why_size);
	} else if (strcmp(action, "cancel") == 0) {
		err = consult_cancel(call, why, why_size);
	} else {
		err = consult_conference(call, why, why_size);
	}
	*state = consult_state_name(call);
	return err;
}

bool consult_agent_left(struct call *call)
{
	if (call->consult.state < CONSULT_RINGING || call->customer == NULL) {
		stop_typing(call);
		call->consult.state = CONSULT_NONE;
		return false;
	}
	leave_to_third(call);
	return true;
}

/* --- by keys ------------------------------------------------------------------------------- */

static void on_collect(struct call *call, struct party *p, int err, const json_t *result,
		       const struct rpc_error *why)
{
	(void)p;
	(void)result;
	(void)why;
	if (err != 0 && call->consult.state == CONSULT_NUMBER)
		consult_number(call, "");
}

static int ask_number(struct party *by, char *why, size_t why_size)
{
	struct call *call = by->call;
	struct engine_collect how = {.max = NUMBER_MAX,
				     .min = 1,
				     .terminators = "#",
				     .first_timeout_ms = NUMBER_FIRST_MS,
				     .inter_timeout_ms = NUMBER_NEXT_MS};
	struct ticket *t;
	int err = may_ask(by, why, why_size);

	if (err != 0 || call->consult.state != CONSULT_NONE)
		return err;
	call->consult.state = CONSULT_NUMBER;
	hold(call);
	party_play(by, PLAY_RING, party_tone("beep"), 1, NULL);
	call_make_id(call, 'c', call->consult.collect);
	t = call_ticket_new(call, by, on_collect);
	if (t == NULL || engine_collect_start(call->centre->engine, by->leg, call->consult.collect,
					      &how, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		consult_number(call, "");
	}
	return 0;
}

void consult_number(struct call *call, const char *digits)
{
	char number[NUMBER_MAX + IVR_DIGITS_MAX + 2], why[160] = "nothing was typed";

	if (call->consult.state != CONSULT_NUMBER)
		return;
	/* Keys come by INFO or by the engine, whatever the phone does; never both. */
	snprintf(number, sizeof(number), "%s", digits[0] != '\0' ? digits : call->consult.typed);
	stop_typing(call);
	/* A star is no number: the agent has thought better of it. */
	if (number[0] != '\0' && number[0] != '*' &&
	    consult_start(call->agent, number, why, sizeof(why)) == 0)
		return;
	log_info("call", "[call=%s] %s asks nobody: %s", call->id, call->agent->number, why);
	back(call, CONSULT_NUMBER, number[0] == '*' ? NULL : "busy");
}

void consult_info_digit(struct call *call, char key)
{
	size_t n = strlen(call->consult.typed);

	if (key == '#') {
		consult_number(call, "");
	} else if (n + 1 < sizeof(call->consult.typed)) {
		call->consult.typed[n] = key;
		call->consult.typed[n + 1] = '\0';
	}
}

bool consult_keys(struct party *by, const char *keys, bool *begins)
{
	const struct config_features *f = &by->call->centre->config->features;
	const char *const codes[] = {f->consult, f->consult_complete, f->consult_cancel,
				     f->consult_conference};
	char why[200] = "";
	int found = -1, err = 0;

	for (int i = 0; i < 4; i++) {
		if (strcmp(codes[i], keys) == 0)
			found = i;
		else if (strncmp(codes[i], keys, strlen(keys)) == 0)
			*begins = true;
	}
	if (found < 0)
		return false;
	/* Only who asked may say what comes of it. */
	if (found > 0 && by != by->call->agent)
		return true;
	if (found == 0)
		err = ask_number(by, why, sizeof(why));
	else if (found == 1)
		err = consult_complete(by->call, why, sizeof(why));
	else if (found == 2)
		err = consult_cancel(by->call, why, sizeof(why));
	else
		err = consult_conference(by->call, why, sizeof(why));
	if (err != 0)
		log_info("call", "[call=%s] %s pressed %s: %s", by->call->id, by->number, keys,
			 why);
	return true;
}
