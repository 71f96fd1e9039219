/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine went away, and what becomes of the calls.
 *
 *	connection lost, same engine again:  media went on; what the engine holds and we do not is
 *	                                     closed, what we hold and it does not is made anew, and
 *	                                     what could not be told it meanwhile is told now
 *	another engine:                      every call is made anew in it: legs with new addresses,
 *	                                     re-INVITE to the phones, then whatever played or talked
 *	none within CENTRE_ENGINE_GRACE_MS:  every call ends with engine_lost
 *
 * A question that was on its way when the connection ended was answered with an error already, so
 * nothing here waits for the old engine.
 */
#include "call/adopt.h"
#include "call/conference.h"
#include "call/consult.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

static void end_lost(struct call *call, void *arg)
{
	(void)arg;
	if (callback_engine_lost(call))
		return;
	record_forget(call);
	call->opened = false;
	call_end(call, PARTY_SYSTEM, CALL_CAUSE_ENGINE_LOST);
	call_finish(call);
}

static void on_grace(void *arg)
{
	struct centre *c = arg;

	log_error("engine", "no engine for %u ms: %u calls end", c->engine_grace_ms, c->calls_now);
	call_each(c, end_lost, NULL);
	adopt_end(c);
	queue_drain(c);
}

void recover_wait(struct centre *c)
{
	tmr_start(&c->engine_grace, c->engine_grace_ms, on_grace, c);
}

void recover_down(void *arg)
{
	struct centre *c = arg;
	struct engine_view v;

	acd_hold(c->acd, true, clock_mono_ms()); /* offers without media would be laid to agents */
	engine_view(c->engine, &v);
	centre_publish(c, "engine", json_pack("{s:b,s:s}", "connected", 0, "instance", v.instance));
	centre_alarm(c, "engine", true, "the engine is not connected");
	if (c->calls_now > 0)
		recover_wait(c);
}

void recover_go_on(struct call *call)
{
	struct party *customer = call->customer;

	if (adopt_go_on(call))
		return;
	if (call->confirm_collect[0] != '\0') { /* the key that was waited for will not come */
		dial_confirmed(call, "");
		return;
	}
	switch (call->state) {
	case CALL_WAITING:
	case CALL_OFFERING:
		if (call->in_acd)
			queue_music(call);
		else if (customer->answered)
			party_play(customer, PLAY_RING, party_tone("ringback"), 0, NULL);
		break;
	case CALL_TRANSFERRING:
		if (call->dialled != NULL)
			party_play(customer, PLAY_RING, party_tone("ringback"), 0, NULL);
		break;
	case CALL_PARKED:
		party_play(customer, PLAY_MUSIC, party_prompt(call->centre->config->parking.music),
			   0, NULL);
		break;
	case CALL_TALKING:
	case CALL_HELD:
		talk_hear(call);
		consult_resume(call);
		if (call->agent != NULL && call->agent->play_use == PLAY_WHISPER) {
			call->agent->play_use = PLAY_NOTHING; /* or it was never begun */
			queue_whisper_done(call);
		}
		monitor_agent_changed(call);
		if (customer->held)
			talk_held(customer, true);
		if (call->agent != NULL && call->agent->held)
			talk_held(call->agent, true);
		break;
	case CALL_CONFERENCE:
		conference_resume(call);
		break;
	case CALL_MESSAGE:
		if (call->message_since_ms != 0)
			message_end(call, "engine lost");
		else
			message_beep_done(call);
		break;
	case CALL_IVR:
	case CALL_NEW:
		if (call->goodbye != NULL) {
			call_end(call, PARTY_SYSTEM, CALL_CAUSE_NORMAL);
		} else if (call->collect[0] != '\0') {
			call->collect[0] = '\0';
			flow_tell(call, &(struct ivr_event){.kind = IVR_EV_COLLECTED,
							    .digits = "",
							    .timed_out = true});
		} else {
			flow_play_done(call);
		}
		break;
	case CALL_ENDING:
		break;
	}
}

/* All legs are there again: go on where the call was. What the caller was hearing or typing is
 * lost; the flow is told so and asks again. */
static void resume(struct call *call)
{
	call->untold = false;
	call_note(call, CALL_STEP_ENGINE_BACK, NULL);
	record_follow(call);
	recover_go_on(call);
}

static void one_done(struct call *call)
{
	if (call->reopening > 0 && --call->reopening == 0 && call->state != CALL_ENDING &&
	    call->customer != NULL)
		resume(call);
}

static void on_reopened(struct call *call, struct party *p, int err, const json_t *result,
			const struct rpc_error *why)
{
	const json_t *local = json_object_get(result, "local");
	const char *ip = json_string_value(json_object_get(local, "ip"));
	json_int_t port = json_integer_value(json_object_get(local, "port"));
	const struct sip_media *remote;

	if (call->state == CALL_ENDING || p->state == PARTY_ENDING) {
		party_gone(p);
		return;
	}
	if (err != 0 || ip == NULL || party_local(p, ip, (uint16_t)port) != 0) {
		log_warn("call", "[call=%s] %s cannot be taken into the new engine: %s", call->id,
			 p->number, why ? why->message : strerror(-err));
		end_lost(call, NULL);
		return;
	}
	p->has_local = true;
	if (p->answered && p->sip != NULL) {
		remote = sip_call_remote(p->sip);
		/* Keys that are not known any more: nothing is sent until there are new ones. */
		if (remote != NULL && party_srtp_known(remote))
			party_apply_media(p, remote);
		party_srtp_again(p);
		sip_call_modify(p->sip, &p->local);
	} else {
		p->moved = true;
	}
	one_done(call);
}

void recover_reopen(struct call *call, struct party *p)
{
	struct ticket *t = call_ticket_new(call, p, on_reopened);

	p->play_use = PLAY_NOTHING;
	p->play[0] = '\0';
	p->leg_closing = false;
	call->reopening++;
	if (t == NULL || engine_leg_open(call->centre->engine, conference_engine_call(call), p->leg,
					 party_leg_members(p), call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		call->reopening--;
		return;
	}
	p->leg_wanted = true;
}

static void remake(struct call *call, void *arg)
{
	struct centre *c = call->centre;

	(void)arg;
	call->event_seq = 0; /* another engine counts anew */
	if (call->adopted == ADOPT_KEPT) {
		call->adopted = ADOPT_DONE;
		if (call->state != CALL_ENDING)
			call_note(call, CALL_STEP_ADOPTED, "another engine");
	}
	if (call->state == CALL_ENDING) {
		/* Nothing of it is in this engine: only the dialogs' goodbyes are left. */
		record_forget(call);
		call->opened = false;
		for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
			call->party[i].leg_wanted = false;
			party_gone(&call->party[i]);
		}
		call_finish(call);
		return;
	}
	if (callback_engine_lost(call))
		return;
	if (call->record.kind ==
	    CALL_REMOTE) { /* its dialog may be lent; the agent is rung again */
		end_lost(call, NULL);
		return;
	}
	call_note(call, CALL_STEP_ENGINE_LOST, NULL);
	record_forget(call);
	call->monitor[0] = '\0';
	call->reopening = 0;
	if (call->customer == NULL || call->customer->sip == NULL ||
	    (call->emergency ? engine_call_open_urgent : engine_call_open)(c->engine, call->id,
									   NULL, NULL) != 0) {
		end_lost(call, NULL);
		return;
	}
	call->opened = true;
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (p->state != PARTY_FREE && p->play_use == PLAY_PARTING)
			party_end(p, 0, 0, ""); /* it will not hear the rest */
		if (p->state != PARTY_FREE && p->collect[0] != '\0') {
			p->collect[0] = '\0'; /* the key that was waited for will not come */
			party_unconfirmed(p, true);
		}
		if (p->state == PARTY_ENDING) {
			p->leg_wanted = false;
			party_gone(p);
		} else if (p->state != PARTY_FREE && p->sip != NULL) {
			recover_reopen(call, p);
		}
	}
	if (call->reopening == 0)
		end_lost(call, NULL);
}

static void remake_unknown(struct call *call, void *arg)
{
	const json_t *known = arg;

	if (call->adopted == ADOPT_KEPT)
		adopt_meet(call, known);
	else if (json_object_get(known, call->id) == NULL)
		remake(call, NULL);
	else if (call->untold && call->state != CALL_ENDING && call->customer != NULL)
		resume(call); /* the engine went on, but not with what we wanted of it meanwhile */
}

/* Calls that the engine has and we do not: of a daemon before us, or ended while away. */
static void close_strangers(struct centre *c, const json_t *known)
{
	const char *id;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)known, id, value)
	{
		if (call_find(c, id, NULL) != NULL || conference_is(c, id))
			continue;
		log_info("engine", "[call=%s] is nobody's; closing it", id);
		engine_call_close(c->engine, id, NULL, NULL);
	}
}

static void on_prompts(void *arg, int err, const json_t *result, const struct rpc_error *why)
{
	struct centre *c = arg;
	const json_t *list = json_object_get(result, "prompts");

	(void)why;
	if (err != 0)
		return;
	json_decref(c->prompts);
	c->prompts = json_object();
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(list, i), "prompt"));

		if (name != NULL)
			json_object_set_new(c->prompts, name, json_true());
	}
	log_info("engine", "%zu prompts", json_object_size(c->prompts));
	centre_check_prompts(c);
}

void recover_up(void *arg, bool same, const json_t *snapshot)
{
	struct centre *c = arg;
	const json_t *list = json_object_get(snapshot, "calls");
	json_t *known = json_object();
	struct engine_view v;

	tmr_cancel(&c->engine_grace);
	engine_view(c->engine, &v);
	centre_publish(c, "engine", json_pack("{s:b,s:s}", "connected", 1, "instance", v.instance));
	centre_alarm(c, "engine", false, "");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);
		const char *id = json_string_value(json_object_get(entry, "call"));

		if (id != NULL)
			json_object_set(known, id, entry);
	}
	close_strangers(c, known);
	if (!same)
		c->engine_seq = (uint64_t)json_integer_value(json_object_get(snapshot, "seq"));
	if (same)
		call_each(c, remake_unknown, known);
	else {
		conference_remake(c);
		call_each(c, remake, NULL);
	}
	c->journal_engine = true;
	adopt_end(c);
	json_decref(known);
	record_recovered(c);
	recorder_ask(c);
	acd_hold(c->acd, false, clock_mono_ms());
	queue_drain(c);
	engine_request(c->engine, "prompt.list", NULL, on_prompts, c);
}
