/* SPDX-License-Identifier: Apache-2.0
 *
 * One call as text, for the daemon after us. Enums go by words: a number would mean something else to a
 * program that knows one more of them. A state without a word here is one that nobody has taught adopt.c to go
 * on with: the call is ended when it is read back.
 */
#include "call/journal.h"

#include "acd/acd_restore.h"
#include "call/conference.h"
#include "record/kept.h"
#include "sip/sip_store.h"

#define NAME_OF(names, i) ((i) < sizeof(names) / sizeof((names)[0]) ? (names)[i] : NULL)

const char *journal_state_name(unsigned state)
{
	/* A state that is not named here is not kept: its calls are hung up after a restart. */
	static const bool kept[CALL_ENDING + 1] = {
		[CALL_NEW] = true,          [CALL_IVR] = true,     [CALL_WAITING] = true,
		[CALL_OFFERING] = true,     [CALL_TALKING] = true, [CALL_HELD] = true,
		[CALL_TRANSFERRING] = true, [CALL_MESSAGE] = true, [CALL_PARKED] = true,
		[CALL_CONFERENCE] = true,   [CALL_ENDING] = true,
	};

	return state <= CALL_ENDING && kept[state] ? call_state_name((enum call_state)state) : NULL;
}

const char *journal_role_name(unsigned role)
{
	static const char *const names[] = {
		[PARTY_IS_CUSTOMER] = "customer",
		[PARTY_IS_AGENT] = "agent",
		[PARTY_IS_SUPERVISOR] = "supervisor",
	};

	return NAME_OF(names, role);
}

const char *journal_party_name(unsigned state)
{
	static const char *const names[] = {
		[PARTY_OPENING] = "opening",
		[PARTY_RINGING] = "ringing",
		[PARTY_UP] = "up",
		[PARTY_ENDING] = "ending",
	};

	return NAME_OF(names, state);
}

const char *journal_play_name(unsigned use)
{
	static const char *const names[] = {
		[PLAY_NOTHING] = "nothing", [PLAY_FLOW] = "flow",
		[PLAY_MUSIC] = "music",     [PLAY_ANNOUNCE] = "announce",
		[PLAY_HOLD] = "hold",       [PLAY_RING] = "ring",
		[PLAY_BEEP] = "beep",       [PLAY_WHISPER] = "whisper",
		[PLAY_CONFIRM] = "confirm", [PLAY_PARTING] = "parting",
		[PLAY_GOODBYE] = "goodbye",
	};

	return NAME_OF(names, use);
}

const char *journal_dial_name(unsigned purpose)
{
	static const char *const names[] = {
		[DIAL_NONE] = "none",         [DIAL_INTERNAL] = "internal", [DIAL_FLOW] = "flow",
		[DIAL_TRANSFER] = "transfer", [DIAL_PARKED] = "parked",
	};

	return NAME_OF(names, purpose);
}

/* What may wait for the end of a prompt. */
const char *journal_action_name(unsigned kind)
{
	static const char *const names[] = {
		[IVR_QUEUE] = "queue",   [IVR_VOICEMAIL] = "voicemail", [IVR_DIAL] = "dial",
		[IVR_LOOKUP] = "lookup", [IVR_CALLBACK] = "callback",   [IVR_HANGUP] = "hangup",
	};

	return NAME_OF(names, kind);
}

static json_t *party_row(const struct party *p)
{
	json_t *o = json_object(), *dialog;
	const char *state = journal_party_name(p->state);

	kept_put_number(o, "slot", (uint64_t)(p - p->call->party) + 1);
	kept_put_number(o, "serial", p->serial);
	kept_put_text(o, "role", journal_role_name(p->role));
	kept_put_text(o, "state", state != NULL ? state : "strange");
	kept_put_text(o, "number", p->number);
	kept_put_flag(o, "is_agent", p->agent >= 0);
	kept_put_text(o, "sip_call_id", p->sip_call_id);
	kept_put_text(o, "leg", p->leg);
	kept_put_text(o, "codec", p->codec);
	kept_put_text(o, "remote", p->remote);
	kept_put_flag(o, "leg_wanted", p->leg_wanted);
	kept_put_flag(o, "answered", p->answered);
	kept_put_flag(o, "held", p->held);
	kept_put_flag(o, "incoming", p->incoming);
	kept_put_flag(o, "offered", p->offered);
	kept_put_flag(o, "strange", p->picks_up || p->replaces != 0);
	if (p->has_local)
		json_object_set_new(o, "local", sip_media_keep(&p->local));
	kept_put_text(o, "play", p->play);
	kept_put_text(o, "play_use", journal_play_name(p->play_use));
	kept_put_number(o, "started_ms", p->started_ms);
	kept_put_number(o, "answered_ms", p->answered_ms);
	kept_put_number(o, "ended_ms", p->ended_ms);
	dialog = p->sip != NULL ? sip_call_keep(p->sip, clock_wall_ms()) : NULL;
	if (dialog != NULL)
		json_object_set_new(o, "dialog", dialog);
	return o;
}

static void put_slot(json_t *o, const char *name, const struct call *call, const struct party *p)
{
	if (p != NULL)
		kept_put_number(o, name, (uint64_t)(p - call->party) + 1);
}

static void put_parties(json_t *o, const struct call *call)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE)
			json_array_append_new(list, party_row(&call->party[i]));
	json_object_set_new(o, "parties", list);
	put_slot(o, "customer", call, call->customer);
	put_slot(o, "agent", call, call->agent);
	put_slot(o, "dialled", call, call->dialled);
	put_slot(o, "supervisor", call, call->supervisor);
	put_slot(o, "third", call, call->consult.party);
}

static json_t *collect_row(const struct ivr_collect *k)
{
	json_t *o = json_object();

	kept_put_number(o, "max", k->max);
	kept_put_number(o, "min", k->min);
	kept_put_text(o, "terminators", k->terminators);
	kept_put_number(o, "first_timeout_ms", k->first_timeout_ms);
	kept_put_number(o, "inter_timeout_ms", k->inter_timeout_ms);
	kept_put_flag(o, "secret", k->secret);
	return o;
}

/* A lookup's address and body may hold what the caller typed: it is not kept, and fails when its turn comes. */
static json_t *next_row(const struct ivr_action *a)
{
	json_t *o = json_object();

	kept_put_text(o, "kind", journal_action_name(a->kind));
	kept_put_text(o, "name", a->name);
	kept_put_text(o, "value", a->value);
	kept_put_number(o, "priority", a->priority);
	kept_put_number(o, "cause", a->cause);
	kept_put_number(o, "max_s", a->voicemail.max_s);
	kept_put_number(o, "silence_s", a->voicemail.silence_s);
	kept_put_number(o, "min_s", a->voicemail.min_s);
	kept_put_flag(o, "beep", a->voicemail.beep);
	kept_put_number(o, "timeout_s", a->dial.timeout_s);
	kept_put_flag(o, "confirm", a->items.n > 0);
	return o;
}

static void put_flow(json_t *o, const struct call *call)
{
	json_t *session = call->flow_runs ? ivr_session_keep(&call->ivr) : NULL;

	if (session == NULL)
		return;
	kept_put_text(o, "flow", ivr_flow_name(call->ivr.flow));
	json_object_set_new(o, "session", session);
	if (call->after_play)
		json_object_set_new(o, "next", next_row(&call->next));
	kept_put_text(o, "collect", call->collect);
	if (call->collect[0] != '\0')
		json_object_set_new(o, "collect_how", collect_row(&call->collect_how));
	kept_put_flag(o, "lookup", call->lookup != 0);
}

static void put_place(json_t *o, const struct call *call)
{
	struct acd_call_kept k;
	struct acd_queue_view v;
	json_t *acd;

	kept_put_number(o, "queued_ms", journal_wall_ms(call->queued_ms));
	kept_put_flag(o, "emergency", call->emergency);
	kept_put_text(o, "help", call->help);
	kept_put_text(o, "caller_id", call->caller_id);
	kept_put_flag(o, "in_acd", call->in_acd);
	kept_put_flag(o, "from_queue", call->from_queue);
	if (!acd_call_keep(call->centre->acd, call->number, &k) ||
	    !acd_queue_view(call->centre->acd, k.queue, clock_mono_ms(), &v))
		return;
	acd = json_object();
	kept_put_text(acd, "queue", v.name);
	kept_put_flag(acd, "talking", k.talking);
	kept_put_number(acd, "priority", k.priority);
	kept_put_flag(acd, "callback", k.callback);
	kept_put_number(acd, "entered_ms", journal_wall_ms(k.entered_ms));
	kept_put_number(acd, "joined_ms", journal_wall_ms(k.joined_ms));
	kept_put_number(acd, "answered_ms", journal_wall_ms(k.answered_ms));
	kept_put_number(acd, "seq", k.seq);
	json_object_set_new(o, "acd", acd);
}

static void put_takes(json_t *o, const struct call *call)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < call->takes; i++) {
		const struct take *t = &call->take[i];
		json_t *row = json_object();

		kept_put_text(row, "id", t->id);
		kept_put_text(row, "kind", t->kind);
		kept_put_number(row, "started_ms", t->started_ms);
		kept_put_flag(row, "open", t->open);
		kept_put_flag(row, "paused", t->paused);
		kept_put_flag(row, "masked", t->masked);
		json_array_append_new(list, row);
	}
	json_object_set_new(o, "takes", list);
	kept_put_number(o, "running", (uint64_t)(call->running + 1));
	kept_put_flag(o, "wish_refused", call->wish.refused);
	kept_put_flag(o, "wish_asked", call->wish.asked);
	kept_put_flag(o, "wish_stopped", call->wish.stopped);
}

static void put_message(json_t *o, const struct call *call)
{
	kept_put_number(o, "message_max_s", call->message_max_s);
	kept_put_number(o, "message_silence_s", call->message_silence_s);
	kept_put_number(o, "message_min_s", call->message_min_s);
	kept_put_number(o, "message_since_ms", journal_wall_ms(call->message_since_ms));
	kept_put_flag(o, "message_left", call->message_left);
}

static void put_parking(json_t *o, const struct call *call)
{
	kept_put_number(o, "park_place", (uint64_t)(call->park.place + 1));
	kept_put_number(o, "park_ringbacks", call->park.ringbacks);
	kept_put_number(o, "park_since_ms", call->park.since_ms);
	kept_put_text(o, "park_by", call->park.by);
	if (tmr_isrunning(&call->park.timer))
		kept_put_number(o, "park_until_ms",
				clock_wall_ms() + tmr_get_expire(&call->park.timer));
}

/* Of a kind that adopt.c has not been taught to go on with. */
static bool strange(const struct call *call)
{
	return journal_state_name(call->state) == NULL || journal_dial_name(call->dial) == NULL;
}

json_t *journal_call(const struct call *call)
{
	const char *state = journal_state_name(call->state);
	const char *dial = journal_dial_name(call->dial);
	json_t *o = json_object();

	json_object_set_new(o, "record", call_record_keep(&call->record));
	kept_put_text(o, "state", state != NULL ? state : "strange");
	kept_put_flag(o, "strange", strange(call));
	kept_put_number(o, "serial", call->serial);
	kept_put_number(o, "event_seq", call->event_seq);
	put_parties(o, call);
	put_flow(o, call);
	put_place(o, call);
	kept_put_flag(o, "consulting", call->consult.state != CONSULT_NONE);
	kept_put_flag(o, "conference", call->consult.state == CONSULT_CONFERENCE);
	kept_put_flag(o, "served", call->served);
	kept_put_flag(o, "answered", call->answered);
	kept_put_flag(o, "announced", call->announced);
	kept_put_flag(o, "promised", call->callback.promised);
	kept_put_text(o, "dial", dial != NULL ? dial : "none");
	kept_put_text(o, "confirm_collect", call->confirm_collect);
	put_takes(o, call);
	put_message(o, call);
	put_parking(o, call);
	conference_keep(call, o);
	kept_put_text(o, "monitor", call->monitor);
	kept_put_text(o, "monitor_mode", call->monitor_mode);
	kept_put_flag(o, "opened", call->opened);
	return o;
}
