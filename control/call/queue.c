/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the ACD, which decides, and phones and callers. Every function that tells the ACD
 * something ends with queue_drain(), which carries out what it answered and sets one timer for
 * what it will want to do next. Draining does not nest: an action may cause further events, whose
 * actions the same loop takes.
 */
#include "call/calls.h"
#include "call/journal.h"
#include "call/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/dnd.h"
#include "base/log.h"
#include "base/must.h"
#include "call/nail.h"
#include "call/pop.h"
#include "call/remote.h"

static void publish_queue(struct centre *c, int queue)
{
	struct acd_queue_view v;

	if (queue >= 0 && acd_queue_view(c->acd, queue, clock_mono_ms(), &v))
		centre_publish(c, "queue",
			       json_pack("{s:s,s:i}", "queue", v.name, "waiting", (int)v.waiting));
}

static const char *queue_name(struct centre *c, int queue)
{
	struct acd_queue_view v;

	return acd_queue_view(c->acd, queue, clock_mono_ms(), &v) ? v.name : "?";
}

void queue_music(struct call *call)
{
	struct centre *c = call->centre;
	const struct config_queue *q =
		call->queue >= 0 ? config_queue_find(c->config, queue_name(c, call->queue)) : NULL;
	const char *music = q ? q->music : "";

	if (call->customer == NULL)
		return;
	if (music[0] == '\0')
		party_play_stop(call->customer);
	else
		party_play(call->customer, PLAY_MUSIC, party_prompt(music), 0, NULL);
}

struct party *queue_offered(struct call *call, int agent)
{
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		struct party *p = &call->party[i];

		if (p->state != PARTY_FREE && p->offered && (agent < 0 || p->agent == agent))
			return p;
	}
	return NULL;
}

/* The ACD would not let the call in, or has put it out. */
static void left(struct call *call, const char *queue, enum ivr_queue_left why)
{
	char detail[CALL_DETAIL_MAX];
	static const char *const words[] = {
		[IVR_QUEUE_SERVED] = "served",   [IVR_QUEUE_FULL] = "full",
		[IVR_QUEUE_LONG] = "long",       [IVR_QUEUE_EMPTY] = "empty",
		[IVR_QUEUE_TIMEOUT] = "timeout", [IVR_QUEUE_FAILED] = "failed",
	};

	snprintf(detail, sizeof(detail), "%s %s", queue, words[why]);
	call_note(call, CALL_STEP_QUEUE_LEFT, detail);
	if (call->customer != NULL && call->customer->play_use == PLAY_MUSIC)
		party_play_stop(call->customer);
	if (call->flow_runs)
		flow_tell(call, &(struct ivr_event){.kind = IVR_EV_QUEUE_LEFT, .queue = why});
	else
		call_end(call, PARTY_SYSTEM,
			 why == IVR_QUEUE_FULL ? CALL_CAUSE_BUSY : CALL_CAUSE_NO_ANSWER);
}

void queue_enter(struct call *call, const char *name, uint8_t priority)
{
	struct centre *c = call->centre;
	uint64_t now_ms = clock_mono_ms();
	int queue = acd_queue_find(c->acd, name);
	const char *regular = call_withheld(call) ? NULL
						  : regulars_get(c->regulars, call->record.from,
								 now_ms, CENTRE_REGULAR_MS);
	struct acd_entry entry = {
		.priority = priority,
		.since_ms = call->queued_ms,
		.prefer = regular ? acd_agent_find(c->acd, regular) : -1,
	};
	int err;

	queue_tell(c);
	err = queue < 0 ? -ENOENT : acd_enter(c->acd, call->number, queue, &entry, now_ms);

	if (err != 0) {
		log_info("call", "[call=%s] queue %s did not take it: %s", call->id, name,
			 strerror(-err));
		left(call, name,
		     err == -ENOSPC    ? IVR_QUEUE_FULL
		     : err == -ETIME   ? IVR_QUEUE_LONG
		     : err == -ENOLINK ? IVR_QUEUE_EMPTY
				       : IVR_QUEUE_FAILED);
		queue_drain(c);
		return;
	}
	call->queue = queue;
	call->in_acd = true;
	if (call->queued_ms == 0)
		call->queued_ms = now_ms;
	call_note(call, CALL_STEP_QUEUE, name);
	call_set_state(call, CALL_WAITING);
	record_follow(call);
	queue_music(call);
	publish_queue(c, queue);
	queue_drain(c);
}

void queue_leave(struct call *call, bool abandoned)
{
	struct centre *c = call->centre;

	if (!call->in_acd)
		return;
	call->in_acd = false;
	if (acd_leave(c->acd, call->number, abandoned, clock_mono_ms()) != 0)
		log_debug("call", "[call=%s] was not waiting", call->id);
	publish_queue(c, call->queue);
	queue_drain(c);
}

static enum agent_event how_of(const struct sip_call_event *ev)
{
	switch (ev->status) {
	case 486:
	case 600:
	case 603:
	case 403:
		return AGENT_REJECT;
	case 487:
		return AGENT_MISS;
	case 408:
		return ev->cause == SIP_CAUSE_NO_ANSWER ? AGENT_MISS : AGENT_LOST;
	default:
		return ev->status == 0 && ev->by_peer ? AGENT_REJECT : AGENT_LOST;
	}
}

void queue_offer_failed(struct party *p, enum agent_event how)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	char detail[CALL_DETAIL_MAX];

	p->offered = false;
	snprintf(detail, sizeof(detail), "%s%s", p->number,
		 how == AGENT_LOST     ? " unreachable"
		 : how == AGENT_REJECT ? " rejected"
				       : "");
	call_note(call, how == AGENT_MISS ? CALL_STEP_NO_ANSWER : CALL_STEP_REJECT, detail);
	if (queue_offered(call, -1) == NULL)
		call_set_state(call, CALL_WAITING);
	queue_tell(c);
	if (acd_offer_failed(c->acd, p->agent, call->number, how, clock_mono_ms()) != 0)
		log_debug("call", "[call=%s] the offer to %s was over already", call->id,
			  p->number);
	party_end(p, 487, SIP_CAUSE_NO_ANSWER, "no answer");
	queue_drain(c);
}

void queue_offer_void(struct party *p, const char *why)
{
	struct call *call = p->call;
	struct centre *c = call->centre;
	char detail[CALL_DETAIL_MAX];

	p->offered = false;
	snprintf(detail, sizeof(detail), "%s: %s", p->number, why);
	call_note(call, CALL_STEP_OFFER_VOID, detail);
	if (queue_offered(call, -1) == NULL)
		call_set_state(call, CALL_WAITING);
	queue_tell(c);
	if (acd_offer_void(c->acd, p->agent, call->number, clock_mono_ms()) != 0)
		log_debug("call", "[call=%s] the offer to %s was over already", call->id,
			  p->number);
	party_end(p, 487, SIP_CAUSE_NORMAL, why);
	queue_drain(c);
}

/* The phone says that it is not to be disturbed: nobody rejected anything. */
static void offer_disturbed(struct party *p)
{
	struct call *call = p->call;
	char detail[CALL_DETAIL_MAX];

	p->offered = false;
	snprintf(detail, sizeof(detail), "%s do not disturb", p->number);
	call_note(call, CALL_STEP_REJECT, detail);
	if (queue_offered(call, -1) == NULL)
		call_set_state(call, CALL_WAITING);
	(void)desk_dnd(call->centre, p->agent, true); /* takes the offer back */
	party_end(p, 487, SIP_CAUSE_NORMAL, "do not disturb");
}

void queue_offer_closed(struct party *p, const struct sip_call_event *ev)
{
	if (ev->by_peer && dnd_said(ev->status, ev->text)) {
		offer_disturbed(p);
	} else {
		watch_refused(p, how_of(ev), (unsigned)ev->status);
		queue_offer_failed(p, how_of(ev));
	}
}

static void invite_agent(struct party *p)
{
	/* The ACD ends the ringing by itself; the dialog's own limit lies behind it. */
	bool outside = p->at[0] != '\0';
	int err = outside ? remote_invite(p, p->ring_ms + 5000)
			  : party_invite(p, p->number, NULL, p->ring_ms + 5000);

	if (err != 0) {
		log_info("call", "[call=%s] %s cannot be rung: %s", p->call->id, p->number,
			 strerror(-err));
		/* A trunk that takes no more would else be asked for ever for the same agent. */
		if (err == -ENOENT || outside) {
			watch_refused(p, AGENT_LOST, 0);
			queue_offer_failed(p, AGENT_LOST);
		} else {
			queue_offer_void(p, strerror(-err));
		}
	}
}

static void offer(struct centre *c, const struct acd_action *a)
{
	struct call *call = centre_call(c, a->call);
	struct acd_agent_view v;
	struct party *p = NULL;

	if (call != NULL && call->state != CALL_ENDING && acd_agent_view(c->acd, a->agent, &v))
		p = nail_wanted(c, a->agent) ? nail_lend(call, a->agent)
					     : party_new(call, PARTY_IS_AGENT, v.number, a->agent);
	if (p == NULL) {
		acd_offer_void(c->acd, a->agent, a->call, clock_mono_ms());
		return;
	}
	p->ring_ms = a->ring_ms;
	p->offered = true;
	if (!p->nailed)
		remote_place(p);
	call_note(call, CALL_STEP_OFFER, p->number);
	watch_offer(p);
	pop_ring(p);
	call_set_state(call, CALL_OFFERING);
	if (p->nailed)
		party_move_open(p);
	else
		party_open(p, invite_agent);
}

static void withdraw(struct centre *c, const struct acd_action *a)
{
	struct call *call = centre_call(c, a->call);
	struct party *p = call ? queue_offered(call, a->agent) : NULL;

	if (p == NULL)
		return;
	p->offered = false;
	if (a->withdrawn == AGENT_MISS) {
		call_note(call, CALL_STEP_NO_ANSWER, p->number);
		watch_refused(p, AGENT_MISS, 0);
	}
	if (call->state == CALL_OFFERING && queue_offered(call, -1) == NULL)
		call_set_state(call, CALL_WAITING);
	party_end(p, 487, SIP_CAUSE_NO_ANSWER, "no answer");
}

void queue_offer_answered(struct party *p)
{
	struct call *call = p->call;
	struct centre *c = call->centre;

	if (acd_offer_answered(c->acd, p->agent, call->number, clock_mono_ms()) != 0) {
		p->offered = false;
		party_end(p, 0, SIP_CAUSE_NORMAL, "too late");
	}
	queue_drain(c);
}

/* What the agent hears before the caller, as its queue wants it: which queue, and how long the caller has
 * waited; NULL: nothing. The caller's music goes on meanwhile. */
static json_t *whisper(struct call *call, uint64_t waited_ms)
{
	struct centre *c = call->centre;
	const struct config_queue *q = config_queue_find(c->config, queue_name(c, call->queue));
	const char *lang = call->flow_runs ? ivr_session_language(&call->ivr) : "en";
	struct ivr_items items = {0};
	char minutes[24];

	if (q == NULL || q->agent_announcement[0] == '\0')
		return NULL;
	ivr_say_prompt(lang, q->agent_announcement, &items);
	if (waited_ms >= 60000) {
		ivr_say_prompt(lang, "queue/waited", &items);
		snprintf(minutes, sizeof(minutes), "%llu", (unsigned long long)(waited_ms / 60000));
		ivr_say(c->say, lang, IVR_SAY_COUNT, minutes, &items);
		ivr_say_prompt(lang, "queue/minutes", &items);
	}
	return party_items(&items);
}

static void answered(struct centre *c, const struct acd_action *a)
{
	struct call *call = centre_call(c, a->call);
	struct party *p = call ? queue_offered(call, a->agent) : NULL;
	json_t *said;

	if (p == NULL) {
		acd_agent_done(c->acd, a->agent, clock_mono_ms());
		return;
	}
	p->offered = false;
	call->in_acd = false;
	call->from_queue = true;
	if (!call_withheld(call))
		regulars_put(c->regulars, call->record.from, p->number, clock_mono_ms());
	publish_queue(c, a->queue);
	if (call->callback.promised) {
		callback_dial(call, p);
		return;
	}
	said = whisper(call, a->waited_ms);
	if (said == NULL && p->nailed)
		said = party_tone("beep"); /* nothing rang */
	talk_begin(call, p, said);
}

void queue_whisper_done(struct call *call)
{
	if (call->customer != NULL && call->customer->play_use == PLAY_MUSIC)
		party_play_stop(call->customer);
}

int queue_move(struct call *call, const char *name, char *why, size_t why_size)
{
	struct centre *c = call->centre;
	int queue = acd_queue_find(c->acd, name), from = call->queue;
	int err = call->in_acd ? acd_move(c->acd, call->number, queue, clock_mono_ms()) : -EPROTO;

	switch (err) {
	case 0:
		break;
	case -ENOENT:
		snprintf(why, why_size, "there is no queue %s", name);
		return -ENOENT;
	case -ENOSPC:
		snprintf(why, why_size, "queue %s is full", name);
		return -EBUSY;
	case -ENOLINK:
		snprintf(why, why_size, "nobody is signed in to queue %s", name);
		return -EBUSY;
	default:
		snprintf(why, why_size, "call %s is %s; only a waiting call can be moved", call->id,
			 call_state_name(call->state));
		return -EBUSY;
	}
	call->queue = queue;
	call_note(call, CALL_STEP_QUEUE, name);
	record_follow(call);
	queue_music(call);
	publish_queue(c, from);
	publish_queue(c, queue);
	queue_drain(c);
	return 0;
}

static void announce(struct centre *c, const struct acd_action *a)
{
	struct call *call = centre_call(c, a->call);
	struct ivr_items items = {0};
	char detail[CALL_DETAIL_MAX];
	const char *lang;

	if (call == NULL || call->customer == NULL || call->state == CALL_ENDING)
		return;
	lang = call->flow_runs ? ivr_session_language(&call->ivr) : "en";
	ivr_say_position(c->say, lang, a->position, a->wait_s, &items);
	snprintf(detail, sizeof(detail), "%u", a->position);
	call_note(call, CALL_STEP_ANNOUNCE, detail);
	party_play(call->customer, PLAY_ANNOUNCE, party_items(&items), 1, NULL);
}

static void put_out(struct centre *c, const struct acd_action *a)
{
	struct call *call = centre_call(c, a->call);

	if (call == NULL || call->state == CALL_ENDING)
		return;
	call->in_acd = false;
	publish_queue(c, a->queue);
	switch (a->why) {
	case ACD_LEFT_TIMEOUT:
		left(call, queue_name(c, a->queue), IVR_QUEUE_TIMEOUT);
		break;
	case ACD_LEFT_EMPTY:
		if (!callback_put_out(call))
			left(call, queue_name(c, a->queue), IVR_QUEUE_EMPTY);
		break;
	case ACD_LEFT_REMOVED:
		left(call, queue_name(c, a->queue), IVR_QUEUE_FAILED);
		break;
	}
}

static void on_acd_timer(void *arg)
{
	struct centre *c = arg;

	queue_tell(c);
	acd_tick(c->acd, clock_mono_ms());
	queue_drain(c);
}

void queue_tell(struct centre *c)
{
	if (c->acd_told_us == 0)
		c->acd_told_us = clock_mono_us();
}

void queue_drain(struct centre *c)
{
	struct acd_action a;
	uint64_t now_ms, due_ms;

	if (c->draining_acd)
		return;
	queue_tell(c);
	c->draining_acd = true;
	while (acd_next(c->acd, &a)) {
		switch (a.kind) {
		case ACD_OFFER:
			latency_add(&c->decision, clock_mono_us() - c->acd_told_us);
			offer(c, &a);
			break;
		case ACD_WITHDRAW:
			withdraw(c, &a);
			break;
		case ACD_ANSWERED:
			answered(c, &a);
			break;
		case ACD_ANNOUNCE:
			announce(c, &a);
			break;
		case ACD_LEFT:
			put_out(c, &a);
			break;
		case ACD_AGENT_STATE:
			desk_state_changed(c, &a);
			break;
		}
	}
	c->draining_acd = false;
	c->acd_told_us = 0;
	journal_soon(c);
	due_ms = acd_deadline(c->acd);
	now_ms = clock_mono_ms();
	if (due_ms == UINT64_MAX)
		tmr_cancel(&c->acd_timer);
	else
		tmr_start(&c->acd_timer, due_ms > now_ms ? due_ms - now_ms : 0, on_acd_timer, c);
}
