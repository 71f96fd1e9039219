/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of the engine, one function per type. An event that concerns nothing we know (a call that
 * has just ended, a play that was replaced) means nothing.
 */
#include "call/conference.h"
#include "call/consult.h"
#include "call/journal.h"
#include "call/park.h"
#include "call/remote.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void play_done(struct call *call, const json_t *e)
{
	struct party *p = party_by_play(call, text(e, "play"));
	enum play_use use;

	if (p == NULL || strcmp(text(e, "reason"), "leg_closed") == 0)
		return;
	use = p->play_use;
	p->play_use = PLAY_NOTHING;
	p->play[0] = '\0';
	switch (use) {
	case PLAY_FLOW:
		flow_play_done(call);
		break;
	case PLAY_ANNOUNCE:
		if (call->in_acd && p == call->customer)
			queue_music(call);
		break;
	case PLAY_BEEP:
		message_beep_done(call);
		break;
	case PLAY_WHISPER:
		queue_whisper_done(call);
		break;
	case PLAY_PARTING:
		party_end(p, 0, 0, "");
		break;
	case PLAY_GOODBYE:
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_NORMAL);
		break;
	case PLAY_CONFIRM:
	case PLAY_MUSIC:
	case PLAY_HOLD:
	case PLAY_RING:
	case PLAY_NOTHING:
		break;
	}
}

static void collect_done(struct call *call, const json_t *e)
{
	const char *reason = text(e, "reason");
	char digits[2 * IVR_DIGITS_MAX + 2];

	if (call->confirm_collect[0] != '\0' &&
	    strcmp(call->confirm_collect, text(e, "collect")) == 0) {
		dial_confirmed(call, text(e, "digits"));
		return;
	}
	if (remote_key(call, text(e, "collect"), text(e, "digits")))
		return;
	if (call->consult.collect[0] != '\0' &&
	    strcmp(call->consult.collect, text(e, "collect")) == 0) {
		consult_number(call, text(e, "digits"));
		return;
	}
	if (call->room.collect[0] != '\0' && strcmp(call->room.collect, text(e, "collect")) == 0) {
		if (strcmp(reason, "leg_closed") != 0)
			conference_pin(call, text(e, "digits"));
		return;
	}
	if (strcmp(call->collect, text(e, "collect")) != 0 || strcmp(reason, "leg_closed") == 0)
		return;
	call->collect[0] = '\0';
	snprintf(digits, sizeof(digits), "%s%.*s", call->info_digits, IVR_DIGITS_MAX,
		 text(e, "digits"));
	if (digits[0] != '\0')
		call_note(call, CALL_STEP_DIGITS, call->collect_how.secret ? "***" : digits);
	flow_tell(call, &(struct ivr_event){
				.kind = IVR_EV_COLLECTED,
				.digits = digits,
				.timed_out = strcmp(reason, "first_timeout") == 0 ||
					     strcmp(reason, "inter_timeout") == 0,
			});
}

static void dtmf(struct call *call, const json_t *e)
{
	struct party *p = party_by_leg(call, text(e, "leg"));
	char key = text(e, "digit")[0];

	if (p == NULL || key == '\0')
		return;
	if (p == call->supervisor)
		monitor_digit(p, key);
	else if (p == call->agent || (p == call->customer && p->agent >= 0 && call->agent != NULL))
		talk_key(p, key);
	else if (p == call->customer && call->message_since_ms != 0)
		message_digit(call, key);
	else if (p == call->customer)
		flow_typed_ahead(call, key);
}

static void timeout(struct call *call, const json_t *e)
{
	struct party *p = party_by_leg(call, text(e, "leg"));

	if (p == NULL || p->state != PARTY_UP || p->held)
		return;
	call_note(call, CALL_STEP_MEDIA_TIMEOUT, p->number);
	if (p == call->customer) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_MEDIA_TIMEOUT);
	} else if (p == call->supervisor) {
		monitor_closed(p);
		party_end(p, 0, 41, "media timeout");
	} else if (p == call->consult.party) {
		consult_closed(p, 408);
		party_end(p, 0, 41, "media timeout");
	} else if (p == call->agent) {
		/* The customer is not to blame: it goes on as if the agent had hung up. */
		party_end(p, 0, 41, "media timeout");
		talk_agent_left(call, PARTY_SYSTEM);
	}
}

static void alarm_of_engine(struct centre *c, const json_t *e)
{
	char area[40] = "engine ";

	strncat(area, text(e, "area"), sizeof(area) - strlen(area) - 1);
	centre_alarm(c, area, json_is_true(json_object_get(e, "raised")), text(e, "text"));
}

void engine_event(void *arg, const char *type, const json_t *e)
{
	struct centre *c = arg;
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(e, "seq"));
	char id[CLOCK_UUID_SIZE];
	struct call *call;

	c->engine_seq = seq;
	if (strcmp(type, "alarm") == 0) {
		alarm_of_engine(c, e);
		if (strcmp(text(e, "area"), "recorder") == 0)
			recorder_ask(c);
		return;
	}
	if (strcmp(type, "record.done") == 0) {
		record_done(c, e);
		return;
	}
	if (strcmp(type, "room.floor") == 0) {
		conference_floor(c, e);
		return;
	}
	call = call_find(c, text(e, "call"), NULL);
	/* In a room the engine's call is the room's; the leg's name begins with ours. */
	if (call == NULL && strlen(text(e, "leg")) >= CLOCK_UUID_SIZE) {
		snprintf(id, sizeof(id), "%s", text(e, "leg"));
		call = call_find(c, id, NULL);
	}
	if (call == NULL || call->state == CALL_ENDING || seq <= call->event_seq)
		return; /* after a restart events may come that the call has heard */
	call->event_seq = seq;
	journal_touch(call);
	if (strcmp(type, "play.done") == 0)
		play_done(call, e);
	else if (strcmp(type, "collect.done") == 0)
		collect_done(call, e);
	else if (strcmp(type, "dtmf") == 0)
		dtmf(call, e);
	else if (strcmp(type, "leg.timeout") == 0)
		timeout(call, e);
}
