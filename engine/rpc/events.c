/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers' events: replies go to the request that waits, news become numbered events. News about a leg
 * or a play that is gone already are late and say nothing to anybody.
 */
#include "base/log.h"
#include "base/must.h"
#include "rpc/rpc_priv.h"
#include "rtp/telephone_event.h"

static json_t *digit_json(uint8_t code)
{
	const char text[2] = {dtmf_char_of(code), '\0'};

	return json_string(text);
}

static json_t *leg_members(const struct leg_object *leg)
{
	return json_pack("{s:s, s:s}", "call", leg->call->object.id, "leg", leg->object.id);
}

static void leg_news(struct engine_rpc *rpc, const struct worker_event *ev)
{
	const struct leg_object *leg = leg_by_ref(rpc, ev->leg);
	const char *type = "leg.bye";
	json_t *j;

	if (leg == NULL)
		return;
	j = leg_members(leg);
	if (ev->kind == EVENT_LEG_MEDIA) {
		type = "leg.media";
		json_object_set_new(j, "source", leg_address_json(&ev->source));
	} else if (ev->kind == EVENT_LEG_TIMEOUT) {
		type = "leg.timeout";
		json_object_set_new(j, "silent_ms", json_integer(ev->timeout.silent_ms));
	} else if (ev->kind == EVENT_LEG_TONE) {
		type = "leg.tone";
		json_object_set_new(j, "tone", json_string(listen_tone_name(ev->tone.kind)));
	} else if (ev->kind == EVENT_LEG_ANSWER) {
		type = "leg.answer";
		json_object_set_new(j, "answer", json_string(listen_answer_name(ev->answer.who)));
		json_object_set_new(j, "greeting_ms", json_integer(ev->answer.greeting_ms));
		json_object_set_new(j, "beep", json_boolean(ev->answer.beep));
	}
	engine_rpc_event(rpc, type, j);
}

/* Who leads in a room, or nobody. */
static void floor_news(struct engine_rpc *rpc, const struct worker_event *ev)
{
	struct call_object *call = call_by_ref(rpc, ev->call);
	const struct leg_object *leg;

	if (call == NULL)
		return;
	call->floor = ev->leg;
	leg = ev->leg.generation != 0 ? leg_by_ref(rpc, ev->leg) : NULL;
	engine_rpc_event(rpc, "room.floor",
			 json_pack("{s:s, s:s?}", "call", call->object.id, "leg",
				   leg != NULL ? leg->object.id : NULL));
}

static void dtmf_news(struct engine_rpc *rpc, const struct worker_event *ev)
{
	const struct leg_object *leg = leg_by_ref(rpc, ev->leg);
	json_t *j;

	if (leg == NULL)
		return;
	j = leg_members(leg);
	/* A secret digit is known to its collect only. */
	json_object_set_new(j, "digit", ev->dtmf.secret ? json_null() : digit_json(ev->dtmf.code));
	json_object_set_new(j, "secret", json_boolean(ev->dtmf.secret));
	json_object_set_new(
		j, "source",
		json_string(ev->dtmf.source == DTMF_SOURCE_INBAND ? "inband" : "rfc4733"));
	json_object_set_new(j, "duration_ms", json_integer(ev->dtmf.duration_ms));
	engine_rpc_event(rpc, "dtmf", j);
}

static void play_done(struct engine_rpc *rpc, const struct worker_event *ev)
{
	static const char *const reasons[] = {
		[PLAY_END_FINISHED] = "finished",     [PLAY_END_STOPPED] = "stopped",
		[PLAY_END_REPLACED] = "replaced",     [PLAY_END_DIGIT] = "digit",
		[PLAY_END_LEG_CLOSED] = "leg_closed", [PLAY_END_SPEECH] = "speech",
	};
	struct play_object *play =
		(struct play_object *)registry_number(&rpc->objects, OBJECT_PLAY, ev->play.play);
	json_t *j;

	if (play == NULL)
		return;
	must(ev->play.why <= PLAY_END_SPEECH);
	j = play->leg != NULL ? leg_members(play->leg)
			      : json_pack("{s:s, s:n}", "call", play->call->object.id, "leg");
	json_object_set_new(j, "play", json_string(play->object.id));
	json_object_set_new(j, "reason", json_string(reasons[ev->play.why]));
	if (ev->play.why == PLAY_END_DIGIT)
		json_object_set_new(j, "digit",
				    ev->play.digit == PLAY_DIGIT_SECRET
					    ? json_null()
					    : digit_json(ev->play.digit));
	json_object_set_new(j, "played_ms", json_integer(ev->play.played_ms));
	json_object_set_new(j, "position_ms", json_integer(ev->play.position_ms));
	sound_play_free(rpc, play);
	engine_rpc_event(rpc, "play.done", j);
}

static void collect_done(struct engine_rpc *rpc, const struct worker_event *ev)
{
	static const char *const reasons[] = {
		[COLLECT_END_COMPLETE] = "complete",
		[COLLECT_END_TERMINATOR] = "terminator",
		[COLLECT_END_FIRST_TIMEOUT] = "first_timeout",
		[COLLECT_END_INTER_TIMEOUT] = "inter_timeout",
		[COLLECT_END_STOPPED] = "stopped",
		[COLLECT_END_LEG_CLOSED] = "leg_closed",
	};
	struct collect_object *collect = (struct collect_object *)registry_number(
		&rpc->objects, OBJECT_COLLECT, ev->collect.collect);
	char digits[COLLECT_DIGITS_MAX + 1] = "";
	json_t *j;

	if (collect == NULL)
		return;
	must(ev->collect.why <= COLLECT_END_LEG_CLOSED && ev->collect.n <= COLLECT_DIGITS_MAX);
	for (unsigned i = 0; i < ev->collect.n; i++)
		digits[i] = dtmf_char_of(ev->collect.code[i]);
	j = leg_members(collect->leg);
	json_object_set_new(j, "collect", json_string(collect->object.id));
	json_object_set_new(j, "digits", json_string(digits));
	json_object_set_new(j, "reason", json_string(reasons[ev->collect.why]));
	sound_collect_free(rpc, collect);
	engine_rpc_event(rpc, "collect.done", j);
}

static void monitor_done(struct engine_rpc *rpc, const struct worker_event *ev)
{
	struct call_child *m = (struct call_child *)registry_number(&rpc->objects, OBJECT_MONITOR,
								    ev->monitor.monitor);

	/* While it is being stopped, the reply to that makes the event. */
	if (m == NULL || m->stopping)
		return;
	engine_rpc_event(rpc, "monitor.done",
			 json_pack("{s:s, s:s, s:s}", "call", m->call->object.id, "monitor",
				   m->object.id, "reason",
				   m->call->closing ? "call_closed" : "leg_closed"));
	call_child_free(rpc, m);
}

static void record_done(struct engine_rpc *rpc, const struct worker_event *ev)
{
	static const char *const reasons[] = {
		[RECORD_END_STOPPED] = "stopped",
		[RECORD_END_CALL_CLOSED] = "call_closed",
		[RECORD_END_FAILED] = "failed",
	};
	char key[37];

	rpc_uuid_print(ev->record.id, key);

	struct call_child *r =
		(struct call_child *)registry_find(&rpc->objects, OBJECT_RECORDING, key);

	if (r == NULL)
		return;
	must(ev->record.why <= RECORD_END_FAILED);
	recording_done(rpc, r, reasons[ev->record.why], &ev->record.account);
}

void engine_rpc_worker_event(struct engine_rpc *rpc, unsigned worker, const struct worker_event *ev)
{
	switch (ev->kind) {
	case EVENT_REPLY:
		engine_rpc_reply(rpc, ev);
		return;
	case EVENT_LEG_MEDIA:
	case EVENT_LEG_TIMEOUT:
	case EVENT_LEG_BYE:
	case EVENT_LEG_TONE:
	case EVENT_LEG_ANSWER:
		leg_news(rpc, ev);
		return;
	case EVENT_ROOM_FLOOR:
		floor_news(rpc, ev);
		return;
	case EVENT_DTMF:
		dtmf_news(rpc, ev);
		return;
	case EVENT_PLAY_DONE:
		play_done(rpc, ev);
		return;
	case EVENT_COLLECT_DONE:
		collect_done(rpc, ev);
		return;
	case EVENT_MONITOR_DONE:
		monitor_done(rpc, ev);
		return;
	case EVENT_RECORD_DONE:
		record_done(rpc, ev);
		return;
	case EVENT_NEIGHBOUR_WANTED:
		if (rpc->backend.event_other != NULL)
			rpc->backend.event_other(rpc->backend.arg, worker, ev);
		return;
	}
	log_error("rpc", "worker %u sent an event of unknown kind %d", worker, (int)ev->kind);
}
