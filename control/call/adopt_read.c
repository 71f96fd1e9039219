/* SPDX-License-Identifier: Apache-2.0
 *
 * A call from its row, the first step: read all of it, trusting nothing and changing nothing outside. What does not
 * fit makes the row unreadable; a word that only a newer daemon knows makes it strange.
 */
#include "call/adopt_priv.h"

#include <stdio.h>
#include <string.h>

#include "call/journal.h"
#include "record/kept.h"
#include "sip/sip_store.h"

static bool party_read(struct draft *d, const json_t *o)
{
	struct call *call = d->call;
	unsigned role, state, use;
	uint64_t slot;
	bool is_agent, ok = kept_number(o, "slot", CALL_PARTIES_MAX, &slot);
	struct party *p;

	if (!ok || slot == 0 || call->party[slot - 1].state != PARTY_FREE)
		return false;
	p = &call->party[slot - 1];
	ok = kept_word(o, "role", journal_role_name, PARTY_IS_SUPERVISOR + 1, &role);
	ok = kept_word(o, "state", journal_party_name, PARTY_ENDING + 1, &state) && ok;
	ok = kept_word(o, "play_use", journal_play_name, PLAY_GOODBYE + 1, &use) && ok;
	if (!ok || state == PARTY_FREE)
		return false;
	*p = (struct party){.call = call,
			    .role = (enum party_role)role,
			    .state = (enum party_state)state,
			    .play_use = (enum play_use)use};
	ok = KEPT_NUMBER(o, "serial", UINT32_MAX, p->serial);
	ok = kept_text(o, "number", p->number, sizeof(p->number)) && ok;
	ok = kept_text(o, "sip_call_id", p->sip_call_id, sizeof(p->sip_call_id)) && ok;
	ok = kept_text(o, "leg", p->leg, sizeof(p->leg)) && ok && p->leg[0] != '\0';
	ok = kept_text(o, "codec", p->codec, sizeof(p->codec)) && ok;
	ok = kept_text(o, "remote", p->remote, sizeof(p->remote)) && ok;
	ok = kept_flag(o, "leg_wanted", &p->leg_wanted) && ok;
	ok = kept_flag(o, "answered", &p->answered) && ok;
	ok = kept_flag(o, "held", &p->held) && ok;
	ok = kept_flag(o, "incoming", &p->incoming) && ok;
	ok = kept_flag(o, "offered", &p->offered) && ok;
	ok = kept_flag(o, "strange", &d->stranger[slot - 1]) && ok;
	ok = kept_flag(o, "is_agent", &is_agent) && ok;
	ok = kept_text(o, "play", p->play, sizeof(p->play)) && ok;
	ok = KEPT_NUMBER(o, "started_ms", INT64_MAX, p->started_ms) && ok;
	ok = KEPT_NUMBER(o, "answered_ms", INT64_MAX, p->answered_ms) && ok;
	ok = KEPT_NUMBER(o, "ended_ms", INT64_MAX, p->ended_ms) && ok;
	p->has_local = json_object_get(o, "local") != NULL;
	if (p->has_local)
		ok = sip_media_kept(&p->local, json_object_get(o, "local")) && ok;
	p->agent = is_agent ? acd_agent_find(call->centre->acd, p->number) : -1;
	d->dialog[slot - 1] = json_object_get(o, "dialog");
	return ok;
}

static bool slot_read(struct call *call, const json_t *o, const char *name, struct party **p)
{
	uint64_t slot;

	*p = NULL;
	if (!kept_number(o, name, CALL_PARTIES_MAX, &slot))
		return false;
	if (slot == 0)
		return true;
	*p = &call->party[slot - 1];
	return (*p)->state != PARTY_FREE;
}

static bool parties_read(struct draft *d)
{
	const json_t *list = json_object_get(d->body, "parties");
	struct call *call = d->call;
	bool ok = json_array_size(list) <= CALL_PARTIES_MAX;

	for (size_t i = 0; ok && i < json_array_size(list); i++)
		ok = party_read(d, json_array_get(list, i));
	ok = ok && slot_read(call, d->body, "customer", &call->customer);
	ok = ok && slot_read(call, d->body, "agent", &call->agent);
	ok = ok && slot_read(call, d->body, "dialled", &call->dialled);
	ok = ok && slot_read(call, d->body, "supervisor", &call->supervisor);
	return ok && slot_read(call, d->body, "third", &d->third);
}

static bool collect_read(struct ivr_collect *k, const json_t *o)
{
	bool ok = KEPT_NUMBER(o, "max", IVR_DIGITS_MAX, k->max);

	ok = KEPT_NUMBER(o, "min", IVR_DIGITS_MAX, k->min) && ok;
	ok = kept_text(o, "terminators", k->terminators, sizeof(k->terminators)) && ok;
	ok = KEPT_NUMBER(o, "first_timeout_ms", UINT32_MAX, k->first_timeout_ms) && ok;
	ok = KEPT_NUMBER(o, "inter_timeout_ms", UINT32_MAX, k->inter_timeout_ms) && ok;
	return kept_flag(o, "secret", &k->secret) && ok;
}

static bool next_read(struct ivr_action *a, const json_t *o)
{
	unsigned kind;
	uint64_t cause;
	bool confirm, ok = kept_word(o, "kind", journal_action_name, IVR_HANGUP + 1, &kind);

	*a = (struct ivr_action){.kind = (enum ivr_action_kind)kind};
	ok = kept_text(o, "name", a->name, sizeof(a->name)) && ok;
	ok = kept_text(o, "value", a->value, sizeof(a->value)) && ok;
	ok = KEPT_NUMBER(o, "priority", 9, a->priority) && ok;
	ok = kept_number(o, "cause", IVR_CAUSE_FAILED, &cause) && ok;
	ok = KEPT_NUMBER(o, "max_s", UINT32_MAX, a->voicemail.max_s) && ok;
	ok = KEPT_NUMBER(o, "silence_s", UINT32_MAX, a->voicemail.silence_s) && ok;
	ok = KEPT_NUMBER(o, "min_s", UINT32_MAX, a->voicemail.min_s) && ok;
	ok = kept_flag(o, "beep", &a->voicemail.beep) && ok;
	ok = KEPT_NUMBER(o, "timeout_s", UINT32_MAX, a->dial.timeout_s) && ok;
	ok = kept_flag(o, "confirm", &confirm) && ok;
	a->cause = (enum ivr_cause)cause;
	/* Nobody may have the caller unasked: what asks was not kept, so this dial fails. */
	if (confirm)
		a->name[0] = '\0';
	return ok;
}

static struct ivr_flow *flow_named(struct centre *c, const char *name)
{
	for (unsigned i = 0; name != NULL && i < c->flow_count; i++)
		if (strcmp(ivr_flow_name(c->flows[i].flow), name) == 0)
			return c->flows[i].flow;
	return NULL;
}

static bool flow_read(struct draft *d)
{
	const json_t *o = d->body, *next = json_object_get(o, "next"),
		     *how = json_object_get(o, "collect_how");
	const char *name = json_string_value(json_object_get(o, "flow"));
	struct call *call = d->call;
	struct ivr_flow *flow = flow_named(call->centre, name);
	bool ok = kept_text(o, "collect", call->collect, sizeof(call->collect));

	ok = kept_flag(o, "lookup", &d->lookup) && ok;
	if (how != NULL)
		ok = collect_read(&call->collect_how, how) && ok;
	call->after_play = next != NULL;
	if (next != NULL)
		ok = next_read(&call->next, next) && ok;
	if (flow != NULL && ok)
		call->flow_runs =
			ivr_session_kept(&call->ivr, flow, json_object_get(o, "session")) == 0;
	if (!call->flow_runs) {
		call->after_play = d->lookup = false;
		call->collect[0] = '\0';
	}
	return ok;
}

static bool takes_read(struct call *call, const json_t *o)
{
	static const char *const kinds[] = {"call", "voicemail", "discarded"};
	const json_t *list = json_object_get(o, "takes");
	uint64_t running;
	bool ok = json_array_size(list) <= CALL_TAKES_MAX;

	for (size_t i = 0; ok && i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		const char *kind = json_string_value(json_object_get(row, "kind"));
		struct take *t = &call->take[call->takes++];

		t->kind = kinds[0];
		for (size_t k = 0; kind != NULL && k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (strcmp(kinds[k], kind) == 0)
				t->kind = kinds[k];
		ok = kept_text(row, "id", t->id, sizeof(t->id)) && t->id[0] != '\0';
		ok = KEPT_NUMBER(row, "started_ms", INT64_MAX, t->started_ms) && ok;
		ok = kept_flag(row, "open", &t->open) && ok;
		ok = kept_flag(row, "paused", &t->paused) && ok;
		ok = kept_flag(row, "masked", &t->masked) && ok;
	}
	ok = kept_number(o, "running", call->takes, &running) && ok;
	call->running = (int)running - 1;
	ok = kept_flag(o, "wish_refused", &call->wish.refused) && ok;
	ok = kept_flag(o, "wish_asked", &call->wish.asked) && ok;
	return kept_flag(o, "wish_stopped", &call->wish.stopped) && ok;
}

static bool parking_read(struct draft *d)
{
	const json_t *o = d->body;
	struct call *call = d->call;
	uint64_t place;
	bool ok = kept_number(o, "park_place", CONFIG_PARKING_MAX, &place);

	ok = KEPT_NUMBER(o, "park_ringbacks", UINT8_MAX, call->park.ringbacks) && ok;
	ok = KEPT_NUMBER(o, "park_since_ms", INT64_MAX, call->park.since_ms) && ok;
	ok = KEPT_NUMBER(o, "park_until_ms", INT64_MAX, d->park_until_ms) && ok;
	ok = kept_text(o, "park_by", call->park.by, sizeof(call->park.by)) && ok;
	call->park.place = (int)place - 1;
	return ok;
}

static bool rest_read(struct draft *d)
{
	const json_t *o = d->body;
	struct call *call = d->call;
	uint64_t queued_ms, message_ms;
	bool ok = KEPT_NUMBER(o, "serial", UINT32_MAX - 1000, call->serial), strange;

	ok = KEPT_NUMBER(o, "event_seq", INT64_MAX, call->event_seq) && ok;
	ok = kept_number(o, "queued_ms", INT64_MAX, &queued_ms) && ok;
	ok = kept_flag(o, "emergency", &call->emergency) && ok;
	ok = kept_text(o, "help", call->help, sizeof(call->help)) && ok;
	ok = kept_text(o, "caller_id", call->caller_id, sizeof(call->caller_id)) && ok;
	ok = kept_flag(o, "in_acd", &d->in_acd) && ok;
	ok = kept_flag(o, "from_queue", &d->from_queue) && ok;
	ok = kept_flag(o, "consulting", &d->consulting) && ok;
	ok = kept_flag(o, "conference", &d->conference) && ok;
	ok = kept_flag(o, "served", &call->served) && ok;
	ok = kept_flag(o, "answered", &call->answered) && ok;
	ok = kept_flag(o, "announced", &call->announced) && ok;
	ok = kept_flag(o, "promised", &call->callback.promised) && ok;
	ok = kept_flag(o, "strange", &strange) && ok;
	ok = kept_text(o, "confirm_collect", call->confirm_collect,
		       sizeof(call->confirm_collect)) &&
	     ok;
	ok = KEPT_NUMBER(o, "message_max_s", UINT32_MAX, call->message_max_s) && ok;
	ok = KEPT_NUMBER(o, "message_silence_s", UINT32_MAX, call->message_silence_s) && ok;
	ok = KEPT_NUMBER(o, "message_min_s", UINT32_MAX, call->message_min_s) && ok;
	ok = kept_number(o, "message_since_ms", INT64_MAX, &message_ms) && ok;
	ok = kept_flag(o, "message_left", &call->message_left) && ok;
	ok = conference_kept(o, &d->place) && ok;
	ok = kept_text(o, "monitor", call->monitor, sizeof(call->monitor)) && ok;
	ok = kept_text(o, "monitor_mode", call->monitor_mode, sizeof(call->monitor_mode)) && ok;
	ok = kept_flag(o, "opened", &call->opened) && ok;
	call->queued_ms = journal_mono_ms(queued_ms);
	call->message_since_ms = journal_mono_ms(message_ms);
	d->strange = d->strange || strange;
	d->acd = json_object_get(o, "acd");
	return ok;
}

void adopt_read_steps(struct call *call, const json_t *row)
{
	const json_t *list = json_object_get(row, "steps");

	for (size_t i = 0; i < json_array_size(list) && i < CALL_STEPS_KEPT; i++) {
		const json_t *one = json_array_get(list, i);
		const char *name = json_string_value(json_array_get(one, 1));
		const char *detail = json_string_value(json_array_get(one, 2));
		struct step_kept *s = &call->steps[call->step_count];

		s->at_ms = (uint64_t)json_integer_value(json_array_get(one, 0));
		for (unsigned k = 0; name != NULL && k < CALL_STEPS; k++) {
			if (strcmp(call_step_name((enum call_step)k), name) != 0)
				continue;
			s->step = (enum call_step)k;
			snprintf(s->detail, sizeof(s->detail), "%.*s", CALL_DETAIL_MAX - 1,
				 detail != NULL ? detail : "");
			call->step_count++;
		}
	}
	call->steps_missed = (unsigned)json_integer_value(json_object_get(row, "steps_missed"));
}

bool adopt_read(struct draft *d, enum call_state *state)
{
	unsigned word, dial;
	bool ok = kept_word(d->body, "state", journal_state_name, CALL_ENDING + 1, &word);

	/* A state of another daemon: it is understood as far as letting go of it needs. */
	d->strange = !ok;
	ok = kept_word(d->body, "dial", journal_dial_name, DIAL_PARKED + 1, &dial);
	*state = (enum call_state)word;
	d->call->dial = (enum dial_purpose)dial;
	return parties_read(d) && rest_read(d) && parking_read(d) && takes_read(d->call, d->body) &&
	       flow_read(d) && ok;
}
