/* SPDX-License-Identifier: Apache-2.0
 *
 * What is recorded, when: the rules and wishes of record/record_policy.h laid upon one call, again
 * after everything that may change the answer (answered, in a queue, talking, agent gone, asked for). A
 * stop and a start are two takes; a pause or a mask is inside one.
 *
 * An agent asks by keys during the conversation (*83 pauses, *84 goes on, ...): each key of its
 * telephone that fits a code is held against the codes, what fits none is forgotten.
 */
#include "call/consult.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { KEYS_GAP_MS = 3000 };

static struct config_record_rule rule_of(const struct call *call)
{
	const struct config *c = call->centre->config;

	return record_policy_rule(c, config_hotline_find(c, call->record.to),
				  config_queue_find(c, call->record.queue),
				  call->agent ? config_agent_find(c, call->agent->number) : NULL);
}

void record_follow(struct call *call)
{
	bool message = call->running >= 0 && strcmp(call->take[call->running].kind, "call") != 0;
	bool answered = call->customer != NULL && call->customer->answered;
	enum record_reason why;

	if (call->state == CALL_ENDING || message || call->state == CALL_MESSAGE || !answered)
		return;
	why = record_policy_decide(rule_of(call), call->wish, record_policy_lot(call->id),
				   call->agent != NULL || call->room.in != NULL);
	if (why == RECORD_REASON_NONE) {
		if (call->running < 0)
			record_begin(call, false);
	} else if (call->running >= 0) {
		record_stop(call);
	}
}

bool record_planned(const struct call *call)
{
	struct config_record_rule rule = rule_of(call);

	return record_policy_decide(rule, call->wish, record_policy_lot(call->id), true) ==
	       RECORD_REASON_NONE;
}

const char *record_missing(const struct call *call)
{
	enum record_reason why;

	if (call->takes > 0)
		return "";
	if (call->record.kind == CALL_FEATURE || call->record.kind == CALL_REMOTE ||
	    call->record.kind == CALL_MONITOR)
		return record_reason_name(RECORD_REASON_NOT_A_CALL);
	if (!call->answered)
		return record_reason_name(RECORD_REASON_NOT_ANSWERED);
	why = record_policy_decide(rule_of(call), call->wish, record_policy_lot(call->id),
				   call->record.agent_count > 0);
	/* It should have been recorded and is not: the engine was not there, or had no volume. */
	if (why == RECORD_REASON_NONE)
		why = call->no_volume ? RECORD_REASON_NO_VOLUME : RECORD_REASON_FAILED;
	return record_reason_name(why);
}

const char *record_state_name(const struct call *call)
{
	if (call->running < 0)
		return "off";
	return call->take[call->running].paused   ? "paused"
	       : call->take[call->running].masked ? "masked"
						  : "running";
}

static void on_changed(struct call *call, struct party *p, int err, const json_t *result,
		       const struct rpc_error *why)
{
	struct take *t = call->running >= 0 ? &call->take[call->running] : NULL;

	(void)p;
	(void)result;
	if (err == 0 || t == NULL)
		return;
	log_error("call", "[call=%s] %s cannot be %s: %s", call->id, t->id,
		  t->paused   ? "paused, and is stopped"
		  : t->masked ? "masked, and is stopped"
			      : "resumed",
		  why ? why->message : strerror(-err));
	/* What must not be in a recording must not be there because of an error either. */
	if (t->paused || t->masked) {
		call->wish.stopped = true;
		record_stop(call);
	}
}

/* Pause, resume, mask or unmask the take that runs. */
static int change(struct call *call, enum record_verb verb, const char *by, char *why,
		  size_t why_size)
{
	struct take *t = call->running >= 0 ? &call->take[call->running] : NULL;
	struct ticket *ticket;
	bool pause = verb == RECORD_VERB_PAUSE || verb == RECORD_VERB_RESUME;
	bool on = verb == RECORD_VERB_PAUSE || verb == RECORD_VERB_MASK;
	bool *flag;

	if (t == NULL) {
		snprintf(why, why_size, "call %s is not being recorded", call->id);
		return -EBUSY;
	}
	flag = pause ? &t->paused : &t->masked;
	if (*flag == on)
		return 0;
	ticket = call_ticket_new(call, NULL, on_changed);
	if (ticket == NULL || engine_record_change(call->centre->engine, record_verb_names[verb],
						   t->id, by, call_ticket_reply, ticket) != 0) {
		call_ticket_drop(ticket);
		snprintf(why, why_size, "the engine is not connected");
		return -ENOTCONN;
	}
	*flag = on;
	return 0;
}

int record_control(struct call *call, enum record_verb verb, const char *by, char *why,
		   size_t why_size)
{
	char detail[CALL_DETAIL_MAX];
	enum record_reason no;
	int err = 0;

	if (call->state == CALL_ENDING) {
		snprintf(why, why_size, "call %s has ended", call->id);
		return -EBUSY;
	}
	if (call->state == CALL_MESSAGE) {
		snprintf(why, why_size, "call %s leaves a message; that is its recording",
			 call->id);
		return -EBUSY;
	}
	if (verb != RECORD_VERB_START && verb != RECORD_VERB_STOP && verb != RECORD_VERB_REFUSE) {
		err = change(call, verb, by, why, why_size);
	} else {
		no = record_policy_ask(rule_of(call), &call->wish, verb);
		if (no != RECORD_REASON_NONE) {
			snprintf(why, why_size, "call %s cannot be recorded: %s", call->id,
				 record_reason_text(no));
			err = -EPERM;
		} else {
			record_follow(call);
		}
	}
	if (err != 0)
		return err;
	snprintf(detail, sizeof(detail), "%s by %s", record_verb_names[verb], by);
	call_note(call, CALL_STEP_RECORD_CONTROL, detail);
	call_publish(call);
	return 0;
}

/* --- keys ---------------------------------------------------------------------------------- */

/* The verb of a code; RECORD_VERBS: none. `begins` tells whether a longer one begins so. */
static enum record_verb verb_of(const struct config_features *f, const char *keys, bool *begins)
{
	const struct {
		const char *code;
		enum record_verb verb;
	} codes[] = {
		{f->record_start, RECORD_VERB_START}, {f->record_stop, RECORD_VERB_STOP},
		{f->record_pause, RECORD_VERB_PAUSE}, {f->record_resume, RECORD_VERB_RESUME},
		{f->record_mask, RECORD_VERB_MASK},   {f->record_unmask, RECORD_VERB_UNMASK},
	};
	enum record_verb found = RECORD_VERBS;

	*begins = false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(codes[i].code, keys) == 0)
			found = codes[i].verb;
		else if (strncmp(codes[i].code, keys, strlen(keys)) == 0)
			*begins = true;
	}
	return found;
}

void record_key(struct party *p, char key)
{
	struct call *call = p->call;
	struct agent_keys *k = &call->agent_keys;
	uint64_t now_ms = clock_mono_ms();
	char why[160] = "";
	enum record_verb verb;
	bool begins;

	if (now_ms - k->at_ms > KEYS_GAP_MS || k->n + 1 >= sizeof(k->key))
		k->n = 0;
	k->at_ms = now_ms;
	k->key[k->n++] = key;
	k->key[k->n] = '\0';
	verb = verb_of(&call->centre->config->features, k->key, &begins);
	if (verb == RECORD_VERBS) {
		if (consult_keys(p, k->key, &begins) || !begins)
			k->n = 0;
		return;
	}
	k->n = 0;
	if (p != call->agent)
		return; /* a caller does not decide this */
	if (record_control(call, verb, p->number, why, sizeof(why)) != 0)
		log_info("call", "[call=%s] %s asked to %s the recording: %s", call->id, p->number,
			 record_verb_names[verb], why);
}
