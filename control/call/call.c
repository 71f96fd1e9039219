/* SPDX-License-Identifier: Apache-2.0
 *
 * A call's life: made, noted, ended, settled, freed. call_end() is the one door out: it lets go of
 * everything that could call back (queue, flow, timers), starts the goodbyes, and leaves the rest
 * to call_finish(), which every later event of the call asks again.
 */
#include "call/conference.h"
#include "call/consult.h"
#include "call/emergency.h"
#include "call/journal.h"
#include "call/nail.h"
#include "call/park.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"

struct ticket {
	struct centre *c;
	uint64_t call;
	uint32_t party;
	call_reply_fn *fn;
};

const char *call_state_name(enum call_state state)
{
	static const char *const names[] = {
		[CALL_NEW] = "new",
		[CALL_IVR] = "ivr",
		[CALL_WAITING] = "waiting",
		[CALL_OFFERING] = "offering",
		[CALL_TALKING] = "talking",
		[CALL_HELD] = "held",
		[CALL_TRANSFERRING] = "transferring",
		[CALL_PARKED] = "parked",
		[CALL_MESSAGE] = "message",
		[CALL_CONFERENCE] = "conference",
		[CALL_ENDING] = "ending",
	};

	return names[state];
}

int call_status_of(enum call_cause cause)
{
	switch (cause) {
	case CALL_CAUSE_BUSY:
		return 486;
	case CALL_CAUSE_REJECTED:
		return 603;
	case CALL_CAUSE_NO_ROUTE:
		return 404;
	case CALL_CAUSE_NOT_ALLOWED:
		return 403;
	case CALL_CAUSE_OVERLOADED:
	case CALL_CAUSE_UNRECORDABLE:
	case CALL_CAUSE_ENGINE_LOST:
	case CALL_CAUSE_PREEMPTED:
	case CALL_CAUSE_SHUTDOWN:
		return 503;
	case CALL_CAUSE_FAILED:
		return 500;
	case CALL_CAUSE_NORMAL:
	case CALL_CAUSE_ABANDONED:
	case CALL_CAUSE_NO_ANSWER:
	case CALL_CAUSE_UNREACHABLE:
	case CALL_CAUSE_MEDIA_TIMEOUT:
	case CALL_CAUSE_FLOW_ENDED:
	case CALL_CAUSE_MESSAGE_LEFT:
	case CALL_CAUSE_TRANSFERRED:
	case CALL_CAUSE_OPERATOR:
	case CALL_CAUSES:
		break;
	}
	return 480;
}

static uint32_t bucket_of_id(const char *id)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (; *id != '\0'; id++)
		h = (h ^ (uint8_t)*id) * 16777619U;
	return h & (CENTRE_BUCKETS - 1);
}

struct call *centre_call(struct centre *c, uint64_t number)
{
	struct le *le;

	LIST_FOREACH(&c->by_number[number & (CENTRE_BUCKETS - 1)], le) {
		struct call *call = le->data;

		if (call->number == number)
			return call;
	}
	return NULL;
}

struct call *call_find(struct centre *c, const char *id, bool *several)
{
	size_t len = strlen(id);
	struct call *found = NULL;
	struct le *le;

	if (several != NULL)
		*several = false;
	LIST_FOREACH(&c->by_id[bucket_of_id(id)], le) {
		struct call *call = le->data;

		if (strcmp(call->id, id) == 0)
			return call;
	}
	if (len < 4 || len >= CLOCK_UUID_SIZE - 1)
		return NULL;
	for (unsigned b = 0; b < CENTRE_BUCKETS; b++) {
		LIST_FOREACH(&c->by_id[b], le) {
			struct call *call = le->data;

			if (strcmp(call->id + CLOCK_UUID_SIZE - 1 - len, id) != 0)
				continue;
			if (found != NULL) {
				if (several != NULL)
					*several = true;
				return NULL;
			}
			found = call;
		}
	}
	return found;
}

void call_each(struct centre *c, void (*visit)(struct call *call, void *arg), void *arg)
{
	for (unsigned b = 0; b < CENTRE_BUCKETS; b++) {
		struct le *le = list_head(&c->by_number[b]);

		while (le != NULL) {
			struct call *call = le->data;

			le = le->next; /* the visitor may end the call */
			visit(call, arg);
		}
	}
}

static void on_limit(void *arg)
{
	struct call *call = arg;

	log_warn("call", "[call=%s] reached the longest allowed time", call->id);
	call_end(call, PARTY_SYSTEM, CALL_CAUSE_NORMAL);
}

/* In the tables, and nothing more. `id` NULL: a new one. */
static struct call *enter(struct centre *c, const char *id)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->steps = calloc(CALL_STEPS_KEPT, sizeof(*call->steps));
	if (call->steps == NULL) {
		free(call);
		return NULL;
	}
	call->centre = c;
	call->number = ++c->next_number;
	call->queue = -1;
	call->running = -1;
	call->park.place = -1;
	if (id == NULL)
		clock_uuid7(&c->uuids, call->id);
	else
		snprintf(call->id, sizeof(call->id), "%s", id);
	call->bucket_id = bucket_of_id(call->id);
	list_append(&c->by_number[call->number & (CENTRE_BUCKETS - 1)], &call->le_number, call);
	list_append(&c->by_id[call->bucket_id], &call->le_id, call);
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		call->party[i].call = call;
	tmr_init(&call->limit);
	tmr_init(&call->linger);
	tmr_init(&call->message_timer);
	tmr_init(&call->retry);
	tmr_init(&call->park.timer);
	c->calls_now++;
	c->numbers.calls_total++;
	return call;
}

/* The longest allowed time, counted from the beginning. */
static void limit(struct call *call, uint64_t since_ms)
{
	uint64_t max_ms = (uint64_t)call->centre->config->call_max_s * 1000;
	uint64_t now_ms = clock_wall_ms(), gone_ms = now_ms > since_ms ? now_ms - since_ms : 0;

	if (max_ms > 0)
		tmr_start(&call->limit, max_ms > gone_ms ? max_ms - gone_ms : 0, on_limit, call);
}

struct call *call_again(struct centre *c, const char *id, uint64_t started_ms)
{
	struct call *call = enter(c, id);

	if (call != NULL)
		limit(call, started_ms);
	return call;
}

void call_forget(struct call *call)
{
	call->centre->calls_now--;
	call_free(call);
}

struct call *call_begin(struct centre *c, enum call_kind kind, const char *from, const char *to)
{
	struct call *call = enter(c, NULL);

	if (call == NULL)
		return NULL;
	limit(call, clock_wall_ms());
	call_record_begin(&call->record, call->id, kind, from, to, clock_wall_ms());
	log_info("call", "[call=%s] %s from %s to %s", call->id, call_kind_name(kind),
		 call->record.from, call->record.to);
	call_note(call, CALL_STEP_RING, to);
	if (c->store)
		store_call(c->store, &call->record);
	call_publish(call);
	return call;
}

void call_publish(struct call *call)
{
	const struct call_record *r = &call->record;
	bool ended = r->ended_ms != 0;
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "call", call->id, "state",
			      ended ? "ended" : call_state_name(call->state), "kind",
			      call_kind_name(r->kind), "from", r->from, "to", r->to, "queue",
			      r->queue, "agent", call->agent ? call->agent->number : "");

	if (ended) {
		json_object_set_new(o, "hung_up_by", json_string(call_party_name(r->hung_up_by)));
		json_object_set_new(o, "cause", json_string(call_cause_name(r->cause)));
	}
	centre_publish(call->centre, "call", o);
}

void call_note(struct call *call, enum call_step step, const char *detail)
{
	uint64_t now_ms = clock_wall_ms();
	struct centre *c = call->centre;

	call_record_step(&call->record, step, detail, now_ms);
	log_info("call", "[call=%s] %s%s%s", call->id, call_step_name(step), detail ? " " : "",
		 detail ? detail : "");
	if (call->step_count < CALL_STEPS_KEPT) {
		struct step_kept *s = &call->steps[call->step_count++];

		s->at_ms = now_ms;
		s->step = step;
		snprintf(s->detail, sizeof(s->detail), "%s", detail ? detail : "");
	} else {
		call->steps_missed++;
	}
	if (c->store)
		store_step(c->store, call->id, now_ms, step, detail);
	journal_touch(call);
	centre_publish(c, "call.step",
		       json_pack("{s:s,s:s,s:s}", "call", call->id, "step", call_step_name(step),
				 "detail", detail ? detail : ""));
}

void call_keep_note(struct call *call, const char *key, const char *value)
{
	struct centre *c = call->centre;

	if (c->store)
		store_note(c->store, call->id, clock_wall_ms(), key, value);
	centre_publish(c, "call.note",
		       json_pack("{s:s,s:s,s:s}", "call", call->id, "key", key, "value", value));
}

void call_set_state(struct call *call, enum call_state state)
{
	if (call->state == state || call->state == CALL_ENDING)
		return;
	call->state = state;
	journal_touch(call);
	if (state != CALL_ENDING)
		call_publish(call);
}

void call_make_id(struct call *call, char kind, char out[CALL_ID_MAX])
{
	snprintf(out, CALL_ID_MAX, "%s.%c%u", call->id, kind, ++call->serial);
}

static void ignore_close(struct call *call, struct party *p, int err, const json_t *result,
			 const struct rpc_error *why)
{
	(void)p;
	(void)result;
	(void)why;
	if (err == 0 || err == -EREMOTEIO)
		call->opened = false;
	call_finish(call);
}

void call_close_in_engine(struct call *call)
{
	struct centre *c = call->centre;
	struct ticket *t;

	if (!call->opened)
		return;
	t = call_ticket_new(call, NULL, ignore_close);
	if (t == NULL || engine_call_close(c->engine, call->id, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		call->opened = false;
	}
}

static void ignore_dialog(struct sip_call *sip, const struct sip_call_event *ev, void *arg)
{
	(void)sip;
	(void)ev;
	(void)arg;
}

static void on_linger(void *arg)
{
	struct call *call = arg;

	log_warn("call", "[call=%s] goodbyes were not answered in %d ms; letting go", call->id,
		 CENTRE_LINGER_MS);
	call->opened = false;
	record_forget(call);
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (p->state == PARTY_FREE)
			continue;
		if (p->sip != NULL)
			sip_call_attach(p->sip, ignore_dialog, NULL);
		p->sip = NULL;
		p->leg_wanted = false;
		party_gone(p);
	}
	call_finish(call);
}

void call_linger(struct call *call)
{
	tmr_start(&call->linger, CENTRE_LINGER_MS, on_linger, call);
}

void call_end(struct call *call, enum call_party by, enum call_cause cause)
{
	call_end_at(call, by, cause, clock_wall_ms());
}

void call_end_at(struct call *call, enum call_party by, enum call_cause cause, uint64_t at_ms)
{
	struct centre *c = call->centre;
	char detail[CALL_DETAIL_MAX];

	if (call->state == CALL_ENDING)
		return;
	if (call->message_since_ms != 0)
		message_keep(call, "hung up");
	if (call->message_left && cause == CALL_CAUSE_NORMAL)
		cause = CALL_CAUSE_MESSAGE_LEFT;
	snprintf(call->record.not_recorded, sizeof(call->record.not_recorded), "%s",
		 record_missing(call));
	call_record_end(&call->record, by, cause, at_ms);
	cause = call->record.cause;
	snprintf(detail, sizeof(detail), "%s: %s", call_party_name(by), call_cause_name(cause));
	call_note(call, CALL_STEP_HANGUP, detail);
	call->state = CALL_ENDING;
	journal_touch(call);
	tmr_cancel(&call->limit);
	tmr_cancel(&call->retry);
	park_over(call);
	emergency_over(call);
	nail_ended(call);

	queue_leave(call, by == PARTY_CUSTOMER);
	flow_stop(call);
	dial_cancel(call);
	consult_drop(call);
	conference_leave(call);
	if (call->supervisor != NULL)
		monitor_closed(call->supervisor);
	talk_release_agent(call);
	if (call->customer != NULL && call->customer->agent >= 0)
		desk_other(c, call->customer->agent, call->number, false);

	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE)
			party_end(&call->party[i], call_status_of(cause), call_cause_q850(cause),
				  call_cause_name(cause));
	conference_left(call);
	call_close_in_engine(call);
	callback_over(call, cause);
	if (c->store)
		store_call(c->store, &call->record);
	call_publish(call);
	if (cause == CALL_CAUSE_ENGINE_LOST)
		c->numbers.calls_engine_lost++;
	call_linger(call);
	call_finish(call);
}

static void on_reap(void *arg)
{
	struct centre *c = arg;

	while (c->reap.head != NULL)
		call_free(c->reap.head->data);
	if (c->shutting_down && c->calls_now == 0 && c->drained) {
		void (*drained)(void *) = c->drained;

		c->drained = NULL;
		drained(c->drained_arg);
	}
}

void call_finish(struct call *call)
{
	struct centre *c = call->centre;

	if (call->state != CALL_ENDING || call->reaped || call->opened || record_open(call))
		return;
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE)
			return;
	call->reaped = true;
	tmr_cancel(&call->linger);
	if (c->store && !call->record_final)
		store_call(c->store, &call->record);
	journal_gone(call);
	/* From here nobody finds it any more. */
	list_unlink(&call->le_number);
	list_unlink(&call->le_id);
	list_append(&c->reap, &call->le_number, call);
	c->calls_now--;
	tmr_start(&c->reaper, 0, on_reap, c);
}

void call_free(struct call *call)
{
	list_unlink(&call->le_touched);
	list_unlink(&call->le_number);
	list_unlink(&call->le_id);
	tmr_cancel(&call->limit);
	tmr_cancel(&call->linger);
	tmr_cancel(&call->message_timer);
	tmr_cancel(&call->retry);
	tmr_cancel(&call->park.timer);
	conference_forget(call);
	ivr_end(&call->ivr);
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++)
		json_decref(call->party[i].stats);
	json_decref(call->confirm);
	free(call->steps);
	free(call);
}

struct ticket *call_ticket_new(struct call *call, struct party *p, call_reply_fn *fn)
{
	struct ticket *t = malloc(sizeof(*t));

	if (t != NULL)
		*t = (struct ticket){.c = call->centre,
				     .call = call->number,
				     .party = p ? p->serial : 0,
				     .fn = fn};
	return t;
}

void call_ticket_drop(struct ticket *t)
{
	free(t);
}

void call_ticket_reply(void *arg, int err, const json_t *result, const struct rpc_error *why)
{
	struct ticket *t = arg;
	struct call *call = t->c->deaf ? NULL : centre_call(t->c, t->call);
	struct party *p = NULL;

	for (unsigned i = 0; call != NULL && t->party != 0 && i < CALL_PARTIES_MAX; i++)
		if (call->party[i].state != PARTY_FREE && call->party[i].serial == t->party)
			p = &call->party[i];
	if (call != NULL && (t->party == 0 || p != NULL))
		t->fn(call, p, err, result, why);
	if (call != NULL && (call = centre_call(t->c, t->call)) != NULL)
		journal_touch(call);
	free(t);
}
