/* SPDX-License-Identifier: Apache-2.0
 *
 * A call from its row, the second step: take up what can go on and let go of what cannot. adopt.h has the rules.
 */
#include "call/adopt_priv.h"
#include "call/emergency.h"
#include "call/journal.h"
#include "call/park.h"

#include <stdio.h>
#include <string.h>

#include "acd/acd_restore.h"
#include "base/log.h"
#include "record/kept.h"
#include "sip/sip_store.h"

enum { CAUSE_RESTART = SIP_CAUSE_OUT_OF_ORDER };

static const char restarted[] = "the switchboard was restarted";

static void renounce(struct draft *d, const struct party *p)
{
	const json_t **dialog = &d->dialog[p - d->call->party];

	if (*dialog != NULL)
		sip_call_renounce(d->call->centre->sip, *dialog, CAUSE_RESTART, restarted);
	*dialog = NULL; /* once is enough */
}

/* The phone stops ringing, or is hung up; the leg is closed when the engine is there. */
static void let_go(struct draft *d, struct party *p)
{
	struct call *call = d->call;

	renounce(d, p);
	p->offered = false;
	p->state = PARTY_ENDING;
	if (p->ended_ms == 0)
		p->ended_ms = call->kept_ms;
	party_gone(p);
}

static void let_go_of_all(struct draft *d)
{
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (d->call->party[i].state != PARTY_FREE && d->call->party[i].sip == NULL)
			let_go(d, &d->call->party[i]);
}

/* The password that a trunk asked us for is in the configuration. */
static const char *password_of(struct centre *c, const json_t *dialog, char *out, size_t size)
{
	const char *user = sip_call_kept_user(dialog);

	for (unsigned i = 0; user[0] != '\0' && i < c->config->n_trunks; i++)
		if (strcmp(c->config->trunks[i].user, user) == 0 &&
		    centre_secret(&c->config->trunks[i].password, out, size))
			return out;
	return NULL;
}

/* False when the party was part of the conversation and cannot be taken up. */
static bool take_up(struct draft *d, struct party *p)
{
	struct call *call = d->call;
	const json_t *dialog = d->dialog[p - call->party];
	char password[SIP_TEXT_MAX];

	if (p->state == PARTY_UP && p->answered && !p->offered && sip_call_kept_runs(dialog) &&
	    !d->stranger[p - call->party]) {
		bool up = party_restore(p, dialog,
					password_of(call->centre, dialog, password,
						    sizeof(password))) == 0;

		if (p != d->third)
			return up;
		d->third_up = up;
		if (up)
			return true;
	}
	if (p == call->customer || p == call->agent)
		return false;
	if (p == call->dialled) { /* adopt_go_on() tells that nobody answered */
		renounce(d, p);
		p->state = PARTY_RINGING;
		call->confirm_collect[0] = '\0';
		call->adopt_next = ADOPT_DIAL_LOST;
		return true;
	}
	if (p == call->supervisor) {
		call->supervisor = NULL;
		call->monitor[0] = call->monitor_mode[0] = '\0';
	}
	let_go(d, p);
	return true;
}

static bool acd_take_up(struct draft *d)
{
	struct call *call = d->call;
	struct centre *c = call->centre;
	const char *queue = json_string_value(json_object_get(d->acd, "queue"));
	struct acd_call_kept k = {.queue = queue != NULL ? acd_queue_find(c->acd, queue) : -1,
				  .talking = d->from_queue,
				  .agent = d->from_queue && call->agent ? call->agent->agent : -1};
	bool ok = KEPT_NUMBER(d->acd, "priority", 9, k.priority);

	ok = kept_flag(d->acd, "callback", &k.callback) && ok;
	ok = KEPT_NUMBER(d->acd, "entered_ms", INT64_MAX, k.entered_ms) && ok;
	ok = KEPT_NUMBER(d->acd, "joined_ms", INT64_MAX, k.joined_ms) && ok;
	ok = KEPT_NUMBER(d->acd, "answered_ms", INT64_MAX, k.answered_ms) && ok;
	ok = KEPT_NUMBER(d->acd, "seq", INT64_MAX, k.seq) && ok;
	k.entered_ms = journal_mono_ms(k.entered_ms);
	k.joined_ms = journal_mono_ms(k.joined_ms);
	k.answered_ms = journal_mono_ms(k.answered_ms);
	if (!ok || acd_call_restore(c->acd, call->number, &k, clock_mono_ms()) != 0)
		return false;
	call->queue = k.queue;
	return true;
}

/* Whom this call keeps from others. */
static void tell_desks(struct call *call)
{
	struct party *const busy[] = {call->customer, call->from_queue ? NULL : call->agent,
				      call->dialled, call->supervisor, call->consult.party};

	for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++)
		if (busy[i] != NULL && busy[i]->agent >= 0)
			desk_other(call->centre, busy[i]->agent, call->number, true);
}

static void flow_take_up(struct draft *d)
{
	struct call *call = d->call;

	if (call->flow_runs) {
		if (d->lookup)
			call->adopt_next = ADOPT_LOOKUP_LOST;
		return;
	}
	if (call->state == CALL_MESSAGE || call->state == CALL_IVR) {
		call->state = CALL_IVR;
		call->message_since_ms = 0;
		call->adopt_next = ADOPT_FLOW_ANEW;
	}
}

static bool can_go_on(const struct draft *d, enum call_state state)
{
	const struct call *call = d->call;

	if (d->strange || call->customer == NULL || state == CALL_NEW ||
	    (d->consulting && (call->agent == NULL || d->third == call->agent)) ||
	    call->record.kind == CALL_FEATURE || call->record.kind == CALL_MONITOR)
		return false;
	if (call->callback.promised && !call->answered)
		return false;
	if (state == CALL_WAITING || state == CALL_OFFERING)
		return d->in_acd || call->dialled != NULL;
	if (state == CALL_TRANSFERRING)
		return call->dialled != NULL;
	if (state == CALL_PARKED)
		return call->park.place >= 0 &&
		       call->park.place < call->centre->config->parking.places;
	if (state == CALL_TALKING || state == CALL_HELD)
		return call->agent != NULL && call->agent != call->customer;
	return true;
}

static bool go_on(struct draft *d, enum call_state state)
{
	struct call *call = d->call;

	if (!can_go_on(d, state))
		return false;
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE && !take_up(d, &call->party[i]))
			return false;
	if (state == CALL_CONFERENCE && !conference_adopt(call, &d->place))
		return false;
	call->state = state == CALL_OFFERING && call->dialled == NULL ? CALL_WAITING : state;
	flow_take_up(d);
	if (call->emergency)
		emergency_begins(call);
	if (d->from_queue)
		call->from_queue = call->agent != NULL && acd_take_up(d);
	if (d->in_acd) {
		call->in_acd = acd_take_up(d);
		if (!call->in_acd) {
			call->state = CALL_IVR;
			call->adopt_next = ADOPT_QUEUE_LOST;
		}
	}
	if (d->third_up) {
		call->consult.party = d->third;
		call->consult.state = d->conference ? CONSULT_CONFERENCE : CONSULT_TALKING;
	} else if (d->consulting) {
		if (d->third != NULL && strcmp(d->third->number, call->help) == 0)
			emergency_transfer_failed(call);
		call->adopt_next = d->conference ? ADOPT_THREE_LOST : ADOPT_THIRD_LOST;
	}
	tell_desks(call);
	if (call->state == CALL_MESSAGE && call->message_since_ms != 0)
		message_resume(call);
	if (call->state == CALL_PARKED)
		park_resume(call, d->park_until_ms > clock_wall_ms()
					  ? d->park_until_ms - clock_wall_ms()
					  : 0);
	call->adopted = ADOPT_KEPT;
	return true;
}

/* It had ended: what is left is to say goodbye once more, to the dialogs now, to the engine when it is there. */
static void goodbye(struct draft *d, uint64_t ended_ms)
{
	struct call *call = d->call;

	if (call->record.ended_ms == 0) {
		/* The end was stored and did not come into the journal any more: it stands. */
		call->record.ended_ms = ended_ms;
		call->record_final = true;
	}
	call->state = CALL_ENDING;
	call->adopted = ADOPT_KEPT;
	call->flow_runs = false;
	ivr_end(&call->ivr);
	call_linger(call);
	let_go_of_all(d);
	call_finish(call);
}

static void give_up(struct draft *d)
{
	struct call *call = d->call;

	log_warn("call", "[call=%s] cannot go on after the restart", call->id);
	call->callback.promised = false; /* the promise stands, see callback.c */
	call->adopted = ADOPT_KEPT;      /* its legs are closed when the engine is there */
	call->adopt_next = ADOPT_NOTHING;
	call->agent = call->dialled = call->supervisor = NULL;
	call->monitor[0] = '\0';
	call->flow_runs = false;
	call->collect[0] = '\0';
	park_over(call);
	let_go_of_all(d);
	call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
}

/* Nothing is known of the call but, maybe, some of its dialogs. */
static void let_go_unread(struct centre *c, const json_t *body)
{
	const json_t *list = json_object_get(body, "parties");

	for (size_t i = 0; i < json_array_size(list) && i < CALL_PARTIES_MAX; i++)
		sip_call_renounce(c->sip, json_object_get(json_array_get(list, i), "dialog"),
				  CAUSE_RESTART, restarted);
}

struct call *adopt_call(struct centre *c, const json_t *row)
{
	const char *id = json_string_value(json_object_get(row, "id"));
	const char *text = json_string_value(json_object_get(row, "body"));
	json_int_t ended_ms = json_integer_value(json_object_get(row, "ended_ms"));
	bool known = json_integer_value(json_object_get(row, "version")) == JOURNAL_VERSION;
	json_t *body = text != NULL ? json_loads(text, 0, NULL) : NULL;
	struct draft d = {.body = body};
	struct call_record record;
	enum call_state state;

	if (id == NULL || !call_record_kept(&record, json_object_get(body, "record")) || !known ||
	    strcmp(record.call, id) != 0 || strlen(id) != CLOCK_UUID_SIZE - 1 ||
	    call_find(c, id, NULL) != NULL ||
	    (d.call = call_again(c, id, record.started_ms)) == NULL) {
		let_go_unread(c, body);
		json_decref(body);
		return NULL;
	}
	d.call->record = record;
	d.call->kept_ms = (uint64_t)json_integer_value(json_object_get(row, "at_ms"));
	adopt_read_steps(d.call, row);
	if (!adopt_read(&d, &state)) {
		let_go_unread(c, body);
		json_decref(body);
		call_forget(d.call);
		return NULL;
	}
	if (record.ended_ms != 0 || ended_ms != 0)
		goodbye(&d, (uint64_t)ended_ms);
	else if (!go_on(&d, state))
		give_up(&d);
	json_decref(body);
	return d.call;
}
