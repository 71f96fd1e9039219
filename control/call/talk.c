/* SPDX-License-Identifier: Apache-2.0
 *
 * Two people talk: who hears whom, hold, recording, and what follows when the agent goes.
 *
 * The matrix is the same while they talk and while one holds: a play that runs on a leg (music)
 * takes the place of what it would hear, so hold is "play music" and resume is "stop it".
 */
#include "call/consult.h"
#include "call/park.h"
#include "call/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"

void talk_hear(struct call *call)
{
	const struct party *third = call->consult.party;
	enum consult_state asks = call->consult.state;
	struct engine_hear hear[6];
	unsigned n = 0;

	if (call->customer == NULL || call->agent == NULL)
		return;
	if (asks == CONSULT_NONE || asks == CONSULT_CONFERENCE) {
		hear[n++] = (struct engine_hear){call->customer->leg, call->agent->leg};
		hear[n++] = (struct engine_hear){call->agent->leg, call->customer->leg};
	}
	if (asks == CONSULT_TALKING || asks == CONSULT_CONFERENCE) {
		hear[n++] = (struct engine_hear){call->agent->leg, third->leg};
		hear[n++] = (struct engine_hear){third->leg, call->agent->leg};
	}
	if (asks == CONSULT_CONFERENCE) {
		hear[n++] = (struct engine_hear){call->customer->leg, third->leg};
		hear[n++] = (struct engine_hear){third->leg, call->customer->leg};
	}
	if (engine_call_hear(call->centre->engine, call->id, hear, n) != 0)
		call->untold = true;
}

void talk_begin(struct call *call, struct party *agent, json_t *whisper)
{
	struct centre *c = call->centre;

	call->agent = agent;
	call->queued_ms = 0;
	park_over(call);
	if (whisper != NULL)
		party_play(agent, PLAY_WHISPER, whisper, 1, NULL);
	else
		party_play_stop(call->customer);
	talk_hear(call);
	if (agent->agent >= 0 && (unsigned)agent->agent < c->desks_max)
		memcpy(c->desks[agent->agent].last_call, call->id, CLOCK_UUID_SIZE);
	call_note(call, CALL_STEP_ANSWER, agent->number);
	record_follow(call);
	call_set_state(call, CALL_TALKING);
	if (c->store)
		store_call(c->store, &call->record);
	monitor_agent_changed(call);
	/* Either may have been put on hold before this. */
	if (call->customer->held)
		talk_held(call->customer, true);
	if (agent->held)
		talk_held(agent, true);
}

/* Let the agent side go in every book that knows it; the dialog is the caller's business. */
void talk_release_agent(struct call *call)
{
	struct centre *c = call->centre;
	struct party *p = call->agent;

	call->agent = NULL;
	if (p == NULL || p->agent < 0)
		return;
	if (call->from_queue) {
		call->from_queue = false;
		queue_tell(c);
		if (acd_agent_done(c->acd, p->agent, clock_mono_ms()) != 0)
			log_warn("call", "[call=%s] agent %s was not talking", call->id, p->number);
		queue_drain(c);
	} else {
		desk_other(c, p->agent, call->number, false);
	}
}

void talk_pass(struct call *call, struct party *to, struct call *was)
{
	struct centre *c = call->centre;
	struct party *from = call->agent;
	uint64_t there = was != NULL ? was->number : call->number;
	bool found = was != NULL && was->from_queue;

	if (found) {
		/* The ACD gave `to` to the call that asked: it goes on as this one. */
		was->from_queue = false;
		talk_release_agent(call);
		call->from_queue = acd_rename(c->acd, there, call->number) == 0;
	} else if (call->from_queue && from != NULL && to->agent >= 0 &&
		   acd_hand_over(c->acd, call->number, to->agent, clock_mono_ms()) == 0) {
		desk_other(c, to->agent, there, false);
	} else {
		talk_release_agent(call);
		desk_other_moves(c, to->agent, there, call->number);
		desk_other(c, to->agent, call->number, true);
	}
	call->agent = to;
	queue_drain(c);
}

void talk_key(struct party *p, char key)
{
	if (p->call->consult.state == CONSULT_NUMBER)
		return; /* the engine collects these */
	if (callback_key(p, key))
		return;
	if (!park_key(p, key))
		record_key(p, key);
}

void talk_agent_left(struct call *call, enum call_party by)
{
	bool queue = call->from_queue;
	/* Gone before it heard the caller: the caller waits on. */
	bool unheard = call->agent != NULL && call->agent->play_use == PLAY_WHISPER;
	enum dial_purpose dial = call->dial;

	if (call->state == CALL_ENDING || callback_agent_left(call, by) || consult_agent_left(call))
		return;
	talk_release_agent(call);
	call->dial = DIAL_NONE;
	record_follow(call);
	if (call->customer != NULL && call->customer->play_use == PLAY_HOLD)
		party_play_stop(call->customer);
	monitor_agent_changed(call);
	if (queue && unheard) {
		queue_enter(call, call->record.queue, BACK_TO_QUEUE_PRIORITY);
		return;
	}
	if (!call->flow_runs || dial == DIAL_TRANSFER) {
		call_end(call, by, CALL_CAUSE_NORMAL);
		return;
	}
	call->served = true;
	/* Who took the conversation over may be nobody of the ACD's; the flow waits for the queue all the same. */
	if (queue || ivr_session_in_queue(&call->ivr))
		flow_tell(call, &(struct ivr_event){.kind = IVR_EV_QUEUE_LEFT,
						    .queue = IVR_QUEUE_SERVED});
	else
		flow_tell(call,
			  &(struct ivr_event){.kind = IVR_EV_DIAL_DONE, .dial = IVR_DIAL_SERVED});
}

const char *talk_hold_music(const struct call *call)
{
	const struct centre *c = call->centre;
	const struct config_queue *q = config_queue_find(c->config, call->record.queue);

	if (q == NULL && c->config->n_queues > 0)
		q = &c->config->queues[0];
	return q ? q->music : "";
}

void talk_held(struct party *p, bool held)
{
	struct call *call = p->call;
	struct party *other = p == call->customer ? call->agent
			      : p == call->agent  ? call->customer
						  : NULL;
	const char *music;

	/* During a consultation the customer waits anyhow, and three go on without the one. */
	if (other == NULL || call->state == CALL_ENDING || call->consult.state != CONSULT_NONE)
		return;
	if (held) {
		music = talk_hold_music(call);
		if (call->state != CALL_HELD)
			call_note(call, CALL_STEP_HOLD, p->number);
		watch_hold(p, true);
		call_set_state(call, CALL_HELD);
		if (music[0] != '\0')
			party_play(other, PLAY_HOLD, party_prompt(music), 0, NULL);
		return;
	}
	if (other->play_use == PLAY_HOLD)
		party_play_stop(other);
	if (!other->held) {
		call_note(call, CALL_STEP_RESUME, p->number);
		watch_hold(p, false);
		call_set_state(call, CALL_TALKING);
	}
}
