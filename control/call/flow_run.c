/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries out what the interpreter says and tells it what came of it. A prompt that stands before
 * a queue, a message or a dial is heard first: the action waits in call->next until the prompt's
 * play.done.
 */
#include "call/conference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"

static struct ivr_now now_of(struct call *call)
{
	return (struct ivr_now){.now_ms = clock_mono_ms(),
				.arg = call->centre,
				.say = call->centre->say,
				.open = centre_hours_open};
}

static void carry_out(struct call *call, const struct ivr_actions *todo);

static void hang_up(struct call *call, enum ivr_cause why)
{
	call->flow_runs = false;
	switch (why) {
	case IVR_CAUSE_NORMAL:
		if (call->served)
			call_end(call, PARTY_AGENT, CALL_CAUSE_NORMAL);
		else
			call_end(call, PARTY_SYSTEM,
				 call->message_left ? CALL_CAUSE_MESSAGE_LEFT
						    : CALL_CAUSE_FLOW_ENDED);
		break;
	case IVR_CAUSE_BUSY:
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_BUSY);
		break;
	case IVR_CAUSE_REJECTED:
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_REJECTED);
		break;
	case IVR_CAUSE_FAILED:
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		break;
	}
}

static void on_collect(struct call *call, struct party *p, int err, const json_t *result,
		       const struct rpc_error *why)
{
	(void)p;
	(void)result;
	if (err == 0 || call->collect[0] == '\0')
		return;
	log_warn("call", "[call=%s] digits cannot be collected: %s", call->id,
		 why ? why->message : strerror(-err));
	call->collect[0] = '\0';
	flow_tell(call,
		  &(struct ivr_event){.kind = IVR_EV_COLLECTED, .digits = "", .timed_out = true});
}

/* Keys pressed before they were asked for answer now. */
static void use_typed(struct call *call)
{
	char typed[sizeof(call->typed)], collect[CALL_ID_MAX];

	memcpy(typed, call->typed, sizeof(typed));
	memcpy(collect, call->collect, sizeof(collect));
	call->typed[0] = '\0';
	for (size_t i = 0; typed[i] != '\0'; i++) {
		if (strcmp(call->collect, collect) != 0) {
			/* This collection is complete; the rest is for the next. */
			snprintf(call->typed, sizeof(call->typed), "%s", typed + i);
			return;
		}
		flow_info_digit(call, typed[i]);
	}
}

void flow_typed_ahead(struct call *call, char digit)
{
	size_t have = strlen(call->typed);

	if (!call->flow_runs || call->collect[0] != '\0' || have >= IVR_DIGITS_MAX)
		return;
	call->typed[have] = digit;
	call->typed[have + 1] = '\0';
}

static void collect(struct call *call, const struct ivr_action *a)
{
	struct engine_collect how = {
		.max = a->collect.max,
		.min = a->collect.min,
		.terminators = a->collect.terminators,
		.first_timeout_ms = a->collect.first_timeout_ms,
		.inter_timeout_ms = a->collect.inter_timeout_ms,
		.secret = a->collect.secret,
	};
	struct ticket *t = call_ticket_new(call, call->customer, on_collect);

	call_make_id(call, 'c', call->collect);
	call->collect_how = a->collect;
	call->collect_lost = false;
	call->info_digits[0] = '\0';
	if (t == NULL || engine_collect_start(call->centre->engine, call->customer->leg,
					      call->collect, &how, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		call->untold = true;
	}
	use_typed(call);
}

/* An answer that finds its call again, if it is still there and still waits for it. */
struct asked {
	struct centre *c;
	uint64_t call;
	uint32_t serial;
};

static void on_answer(void *arg, const json_t *answer, const char *error)
{
	struct asked *q = arg;
	struct call *call = centre_call(q->c, q->call);
	uint32_t serial = q->serial;

	free(q);
	if (call == NULL || call->lookup != serial)
		return;
	call->lookup = 0;
	if (error != NULL)
		log_warn("call", "[call=%s] lookup of node %s: %s", call->id,
			 ivr_session_node(&call->ivr), error);
	flow_tell(call, &(struct ivr_event){.kind = IVR_EV_LOOKUP_DONE, .answer = answer});
}

/* The address is not logged: a flow may put into it what the caller typed. */
static void lookup(struct call *call, const struct ivr_action *a)
{
	struct centre *c = call->centre;
	struct asked *q = malloc(sizeof(*q));

	if (q != NULL && (c->fetcher != NULL || fetcher_open(&c->fetcher) == 0)) {
		call->lookup = ++call->serial;
		*q = (struct asked){c, call->number, call->lookup};
		if (fetch_start(c->fetcher, a->lookup.url, a->lookup.body, a->lookup.timeout_ms,
				on_answer, q) == 0)
			return;
	}
	free(q);
	call->lookup = 0;
	log_warn("call", "[call=%s] node %s: too many lookups at once", call->id,
		 ivr_session_node(&call->ivr));
	flow_tell(call, &(struct ivr_event){.kind = IVR_EV_LOOKUP_DONE});
}

/* What begins when the prompt before it has been heard. */
static void begin(struct call *call, const struct ivr_action *a)
{
	call->typed[0] = '\0';
	switch (a->kind) {
	case IVR_QUEUE:
		queue_enter(call, a->name, a->priority);
		break;
	case IVR_VOICEMAIL:
		message_begin(call, a);
		break;
	case IVR_DIAL:
		json_decref(call->confirm);
		call->confirm = a->items.n > 0 ? party_items(&a->items) : NULL;
		dial_start(call, a->name, a->dial.timeout_s, DIAL_FLOW);
		break;
	case IVR_CONFERENCE:
		conference_enter(call, a->name);
		break;
	case IVR_HANGUP:
		hang_up(call, a->cause);
		break;
	case IVR_ANSWER:
	case IVR_PLAY:
	case IVR_COLLECT:
	case IVR_RECORD:
	case IVR_NOTE:
	case IVR_RESOLVED:
		break;
	case IVR_LOOKUP:
		lookup(call, a);
		break;
	case IVR_CALLBACK:
		flow_tell(call, &(struct ivr_event){.kind = IVR_EV_CALLBACK_DONE,
						    .taken = callback_promise(
							    call, a->name, a->value, a->priority)});
		break;
	}
}

/* Returns false when the call cannot be answered and has ended. */
static bool answer(struct call *call)
{
	int err = party_answer(call->customer);

	if (err != 0) {
		call_end(call, PARTY_SYSTEM,
			 err == -EINVAL ? CALL_CAUSE_NOT_ALLOWED : CALL_CAUSE_FAILED);
		return false;
	}
	record_follow(call);
	return true;
}

/* "This call is recorded": once, before the first thing that a caller hears whose call is going to
 * be recorded, in the caller's language. */
static bool must_announce(const struct call *call)
{
	return !call->announced && call->centre->config->record_announcement[0] != '\0' &&
	       record_planned(call);
}

/* The items with the announcement in front when it is due. Takes and returns the list. */
static json_t *announced(struct call *call, json_t *items)
{
	struct centre *c = call->centre;
	struct ivr_items one = {0};
	json_t *first;

	if (!must_announce(call))
		return items;
	call->announced = true;
	ivr_say_prompt(ivr_session_language(&call->ivr), c->config->record_announcement, &one);
	if (c->prompts != NULL && json_object_get(c->prompts, one.item[0].prompt) == NULL) {
		/* A caller who hears nothing at all would be worse. */
		centre_alarm(c, "announcement", true,
			     "the prompt that tells callers of the recording is missing");
		return items;
	}
	first = party_items(&one);
	json_array_extend(first, items);
	json_decref(items);
	return first;
}

static void flow_record(struct call *call, enum record_verb verb)
{
	char why[160] = "";

	if (record_control(call, verb, "flow", why, sizeof(why)) != 0)
		log_warn("call", "[call=%s] node %s: %s", call->id, ivr_session_node(&call->ivr),
			 why);
}

static void note_node(struct call *call)
{
	const char *node = ivr_session_node(&call->ivr);
	size_t len = strlen(node), have = strlen(call->record.path);

	/* Told again only when it changed: a node gives several lists of actions. */
	if (have >= len && strcmp(call->record.path + have - len, node) == 0 &&
	    (have == len || call->record.path[have - len - 1] == ' '))
		return;
	call_note(call, CALL_STEP_IVR, node);
}

static void carry_out(struct call *call, const struct ivr_actions *todo)
{
	bool playing = false;

	if (todo->n > 0 && todo->action[0].kind != IVR_HANGUP)
		note_node(call);
	for (unsigned i = 0; i < todo->n && call->state != CALL_ENDING; i++) {
		const struct ivr_action *a = &todo->action[i];

		switch (a->kind) {
		case IVR_ANSWER:
			if (!answer(call))
				return;
			break;
		case IVR_PLAY:
			call_set_state(call, CALL_IVR);
			party_play(call->customer, PLAY_FLOW,
				   announced(call, party_items(&a->items)), 1,
				   !a->interrupt ? NULL
				   : a->speech   ? ENGINE_ANY_KEY ENGINE_OR_SPEECH
						 : ENGINE_ANY_KEY);
			playing = true;
			break;
		case IVR_RECORD:
			flow_record(call, a->verb);
			break;
		case IVR_COLLECT:
			call_set_state(call, CALL_IVR);
			collect(call, a);
			break;
		case IVR_NOTE:
			call_keep_note(call, a->name, a->value);
			break;
		case IVR_RESOLVED:
			call_note(call, CALL_STEP_RESOLVED, a->name);
			break;
		case IVR_QUEUE:
		case IVR_VOICEMAIL:
		case IVR_DIAL:
		case IVR_CONFERENCE:
		case IVR_LOOKUP:
		case IVR_CALLBACK:
		case IVR_HANGUP:
			if (!playing && a->kind != IVR_HANGUP && must_announce(call)) {
				party_play(call->customer, PLAY_FLOW, announced(call, json_array()),
					   1, NULL);
				playing = true;
			}
			if (playing) {
				call->after_play = true;
				call->next = *a;
			} else {
				begin(call, a);
			}
			break;
		}
	}
}

void flow_begin(struct call *call, struct ivr_flow *flow, const char *language)
{
	struct ivr_now now = now_of(call);
	struct ivr_actions todo = {0};

	flow_stop(call);
	call->flow_runs = true;
	call->served = false;
	call_record_flow(&call->record, ivr_flow_name(flow));
	ivr_start(&call->ivr, flow, call->record.from, call->record.to, language, &now, &todo);
	carry_out(call, &todo);
}

void flow_tell(struct call *call, const struct ivr_event *ev)
{
	struct ivr_now now = now_of(call);
	struct ivr_actions todo = {0};

	if (!call->flow_runs || call->state == CALL_ENDING)
		return;
	if (ivr_event(&call->ivr, ev, &now, &todo) != 0) {
		log_debug("call", "[call=%s] the flow did not wait for event %d", call->id,
			  (int)ev->kind);
		return;
	}
	carry_out(call, &todo);
}

void flow_play_done(struct call *call)
{
	if (call->after_play) {
		struct ivr_action next = call->next;

		call->after_play = false;
		begin(call, &next);
		return;
	}
	if (call->collect[0] != '\0')
		return; /* the collection answers */
	flow_tell(call, &(struct ivr_event){.kind = IVR_EV_PLAY_DONE});
}

static void info_complete(struct call *call)
{
	char digits[IVR_DIGITS_MAX + 1];

	memcpy(digits, call->info_digits, sizeof(digits));
	engine_collect_stop(call->centre->engine, call->collect);
	call->collect[0] = '\0';
	call_note(call, CALL_STEP_DIGITS, call->collect_how.secret ? "***" : digits);
	flow_tell(call, &(struct ivr_event){.kind = IVR_EV_COLLECTED, .digits = digits});
}

/* Keys that came as SIP INFO never reach the engine: what they complete is completed here, and
 * the engine's own collection, which only keeps the time, is stopped. */
void flow_info_digit(struct call *call, char key)
{
	size_t have = strlen(call->info_digits);

	if (call->message_since_ms != 0) {
		message_digit(call, key);
		return;
	}
	if (call->customer->play_use == PLAY_FLOW)
		party_play_stop(call->customer);
	if (call->collect[0] == '\0') {
		flow_typed_ahead(call, key);
		return;
	}
	if (strchr(call->collect_how.terminators, key) != NULL) {
		info_complete(call);
		return;
	}
	if (have < IVR_DIGITS_MAX) {
		call->info_digits[have] = key;
		call->info_digits[have + 1] = '\0';
		have++;
	}
	if (have >= call->collect_how.max)
		info_complete(call);
}

void flow_stop(struct call *call)
{
	struct ivr_now now = now_of(call);
	struct ivr_actions todo;

	if (call->flow_runs)
		(void)ivr_event(&call->ivr, &(struct ivr_event){.kind = IVR_EV_HUNG_UP}, &now,
				&todo);
	call->flow_runs = false;
	call->after_play = false;
	call->lookup = 0;
	if (call->collect[0] != '\0')
		engine_collect_stop(call->centre->engine, call->collect);
	call->collect[0] = '\0';
	ivr_end(&call->ivr);
}
