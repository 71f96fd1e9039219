/* SPDX-License-Identifier: Apache-2.0
 *
 * A message: beep, record what the caller says, stop by key, length or silence. Silence is judged
 * once a second from the level that the engine measures on the leg.
 */
#include "call/calls.h"

#include <string.h>

#include "base/log.h"

enum { QUIET_DBOV = -45, LOOK_MS = 1000 };

static void on_level(struct call *call, struct party *p, int err, const json_t *result,
		     const struct rpc_error *why)
{
	const json_t *level = json_object_get(result, "level_dbov");

	(void)p;
	(void)why;
	if (err != 0 || call->message_since_ms == 0 || !json_is_number(level))
		return;
	if (json_number_value(level) > QUIET_DBOV) {
		call->message_quiet_s = 0;
		return;
	}
	if (++call->message_quiet_s >= call->message_silence_s)
		message_end(call, "silence");
}

static void look(void *arg)
{
	struct call *call = arg;
	uint64_t said_ms = clock_mono_ms() - call->message_since_ms;
	struct ticket *t;

	if (call->message_since_ms == 0 || call->customer == NULL)
		return;
	if (call->message_max_s > 0 && said_ms >= (uint64_t)call->message_max_s * 1000) {
		message_end(call, "longest allowed");
		return;
	}
	tmr_start(&call->message_timer, LOOK_MS, look, call);
	if (call->message_silence_s == 0)
		return;
	t = call_ticket_new(call, call->customer, on_level);
	if (t == NULL ||
	    engine_leg_stat(call->centre->engine, call->customer->leg, call_ticket_reply, t) != 0)
		call_ticket_drop(t);
}

void message_begin(struct call *call, const struct ivr_action *a)
{
	call->message_max_s = a->voicemail.max_s;
	call->message_silence_s = a->voicemail.silence_s;
	call->message_min_s = a->voicemail.min_s;
	call->message_quiet_s = 0;
	call_set_state(call, CALL_MESSAGE);
	if (a->voicemail.beep)
		party_play(call->customer, PLAY_BEEP, party_tone("beep"), 1, NULL);
	else
		message_beep_done(call);
}

void message_beep_done(struct call *call)
{
	if (call->state != CALL_MESSAGE || call->message_since_ms != 0)
		return;
	record_stop(call);
	record_begin(call, true);
	call->message_since_ms = clock_mono_ms();
	tmr_start(&call->message_timer, LOOK_MS, look, call);
}

void message_digit(struct call *call, char digit)
{
	(void)digit;
	if (call->message_since_ms != 0)
		message_end(call, "key");
}

void message_resume(struct call *call)
{
	tmr_start(&call->message_timer, LOOK_MS, look, call);
}

/* What was said so far is a message, or too short for one. */
void message_keep(struct call *call, const char *why)
{
	uint64_t said_ms = clock_mono_ms() - call->message_since_ms;

	tmr_cancel(&call->message_timer);
	call->message_since_ms = 0;
	log_info("call", "[call=%s] message of %llu ms ended: %s", call->id,
		 (unsigned long long)said_ms, why);
	if (call->running >= 0 && said_ms < (uint64_t)call->message_min_s * 1000)
		call->take[call->running].kind = "discarded";
	else
		call->message_left = true;
}

void message_end(struct call *call, const char *why)
{
	if (call->message_since_ms == 0)
		return;
	message_keep(call, why);
	record_stop(call);
	call_set_state(call, CALL_IVR);
	record_follow(call);
	flow_tell(call, &(struct ivr_event){.kind = IVR_EV_VOICEMAIL_DONE});
}
