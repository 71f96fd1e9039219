/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls back: a caller who does not want to wait hangs up and keeps its place.
 *
 *	promised -> WAITING in the ACD (when it is due), nobody on the line
 *	         -> OFFERING: phones of agents ring as for any caller
 *	         -> an agent answered, and dials by a key or on its screen where the queue leaves that to it
 *	            (callback_dial_s: it is dialled for it when that is over)
 *	         -> the customer is rung, the agent hears the ringing
 *	         -> TALKING, or the customer did not answer: WAITING again after a while, some times
 *
 * No agent ends a promise: who hangs up before the customer is reached gives it to the next one, and after an
 * attempt in vain the next one is due by itself.
 *
 * A call back is a call of its own (kind "callback") whose customer is rung last. It is kept in the
 * store from the promise to its end, so that a restart of the daemon does not forget it.
 */
#include "call/callback_desk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "call/watch.h"

enum {
	CUSTOMER_RINGS_MS = 30000,
	EXPIRES_MS = 24 * 3600 * 1000,
	NO_ENGINE_MS = 1000,
	RETRY_MIN_MS = 10000,
	DIAL_KEY = '1'
};

static const struct config_queue *queue_of(const struct call *call)
{
	return config_queue_find(call->centre->config, call->record.queue);
}

static void keep(struct call *call, const char *state)
{
	struct centre *c = call->centre;

	if (c->store != NULL)
		store_callback(c->store, &(struct store_callback){
						 .call = call->id,
						 .queue = call->record.queue,
						 .number = call->record.to,
						 .from = call->record.from,
						 .priority = call->callback.priority,
						 .tries = call->callback.tries,
						 .promised_ms = call->callback.promised_ms,
						 .due_ms = call->callback.due_ms,
						 .state = state,
					 });
}

void callback_over(struct call *call, enum call_cause cause)
{
	if (!call->callback.promised || cause == CALL_CAUSE_SHUTDOWN)
		return; /* after a restart it goes on */
	keep(call, call->record.answered_ms != 0 ? "done" : "failed");
}

/* Into the queue, at the place that the promise was for. */
static int wait_in_queue(struct call *call)
{
	struct centre *c = call->centre;
	int queue = acd_queue_find(c->acd, call->record.queue);
	struct acd_entry entry = {
		.priority = call->callback.priority,
		.since_ms = call->queued_ms,
		.prefer = -1,
		.callback = true,
	};
	int err = acd_enter(c->acd, call->number, queue, &entry, clock_mono_ms());

	if (err != 0)
		return err;
	call->queue = queue;
	call->in_acd = true;
	call_set_state(call, CALL_WAITING);
	return 0;
}

/* Nobody was reached all day, or (once they talk) the longest allowed time is over. */
static void on_expired(void *arg)
{
	struct call *call = arg;

	call_end(call, PARTY_SYSTEM, call->answered ? CALL_CAUSE_NORMAL : CALL_CAUSE_NO_ANSWER);
}

static void on_retry(void *arg);

/* The queue does not take it now: full, or nobody is signed in. The promise stands. */
static void try_later(struct call *call)
{
	const struct config_queue *q = queue_of(call);
	uint64_t ms = q != NULL ? q->callback_retry_s * UINT64_C(1000) : 0;

	call_set_state(call, CALL_WAITING);
	tmr_start(&call->retry, ms > RETRY_MIN_MS ? ms : RETRY_MIN_MS, on_retry, call);
}

struct call *callback_begin(struct centre *c, const struct callback_wish *w)
{
	struct call *call = call_begin(c, CALL_CALLBACK, w->from, w->number);
	uint64_t now_ms = clock_mono_ms(), wall_ms = clock_wall_ms();
	uint64_t ago_ms = w->queued_ms != 0 && w->queued_ms < now_ms ? now_ms - w->queued_ms : 0;
	uint64_t later_ms = w->due_ms > wall_ms ? w->due_ms - wall_ms : 0;
	int err;

	if (call == NULL)
		return NULL;
	call->callback.promised = true;
	call->callback.priority = w->priority;
	call->callback.tries = w->tries;
	call->callback.promised_ms = wall_ms - ago_ms;
	call->callback.due_ms = w->due_ms;
	call->queued_ms = w->queued_ms != 0 ? w->queued_ms : now_ms;
	tmr_start(&call->limit, later_ms + (ago_ms < EXPIRES_MS ? EXPIRES_MS - ago_ms : 0),
		  on_expired, call);
	call_note(call, CALL_STEP_QUEUE, w->queue);
	if (later_ms > 0) {
		call_set_state(call, CALL_WAITING);
		tmr_start(&call->retry, later_ms, on_retry, call);
		keep(call, "waiting");
		return call;
	}
	err = wait_in_queue(call);
	if (err != 0 && w->stands && err != -ENOENT) {
		try_later(call);
	} else if (err != 0) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		return NULL;
	}
	keep(call, "waiting");
	return call;
}

struct search {
	const char *queue, *number;
	struct call *found;
};

static void is_promised(struct call *call, void *arg)
{
	struct search *s = arg;

	if (call->callback.promised && call->state != CALL_ENDING &&
	    strcmp(call->record.to, s->number) == 0 && strcmp(call->record.queue, s->queue) == 0)
		s->found = call;
}

struct call *callback_find(struct centre *c, const char *queue, const char *number)
{
	struct search s = {.queue = queue, .number = number};

	call_each(c, is_promised, &s);
	return s.found;
}

bool callback_number(const char *number)
{
	return number[0] != '\0' && number[strspn(number, "0123456789*#+")] == '\0';
}

bool callback_promise(struct call *call, const char *queue, const char *number, uint8_t priority)
{
	struct centre *c = call->centre;
	char detail[CALL_DETAIL_MAX];
	struct call *back;

	/* A caller's number can be made up: only trunks that are meant for it are dialled, or who wants
	 * to have a costly number rung at our expense need only ask. */
	const struct config_trunk *trunk = config_trunk_for(c->config, number);

	if (!callback_number(number) || (config_agent_find(c->config, number) == NULL &&
					 (trunk == NULL || !trunk->callbacks))) {
		log_info("call",
			 "[call=%s] %s cannot be called back: no trunk with `callbacks: yes` leads "
			 "there",
			 call->id, number[0] ? number : "a caller without a number");
		return false;
	}
	back = callback_find(c, queue, number);
	/* The place is the caller's own if it has waited. */
	if (back == NULL)
		back = callback_begin(c, &(struct callback_wish){.queue = queue,
								 .from = call->record.to,
								 .number = number,
								 .priority = priority,
								 .queued_ms = call->queued_ms});
	if (back == NULL)
		return false;
	snprintf(detail, sizeof(detail), "%s", back->id);
	call_note(call, CALL_STEP_CALLBACK, detail);
	queue_drain(c);
	return true;
}

/* --- an agent is there --------------------------------------------------------------------- */

static void invite_customer(struct party *p)
{
	struct call *call = p->call;
	const struct config_trunk *trunk =
		p->agent >= 0 ? NULL : config_trunk_for(call->centre->config, p->number);
	int err = party_invite(p, p->number, trunk, CUSTOMER_RINGS_MS);

	if (err != 0) {
		log_info("call", "[call=%s] %s cannot be rung: %s", call->id, p->number,
			 strerror(-err));
		callback_failed(p, 503);
	}
}

static void dial(struct call *call, const char *how)
{
	struct party *agent = call->agent;
	const char *number = call->record.to;
	int known = acd_agent_find(call->centre->acd, number);
	uint64_t took_ms = clock_mono_ms() - call->callback.task_ms;
	char detail[CALL_DETAIL_MAX];
	struct party *p;

	call->callback.task_ms = 0;
	tmr_cancel(&call->retry);
	snprintf(detail, sizeof(detail), "%s after %llu ms, %s", agent->number,
		 (unsigned long long)took_ms, how);
	call_note(call, CALL_STEP_DIAL, detail);
	watch_dialled(agent, took_ms);
	p = party_new(call, PARTY_IS_CUSTOMER, number, known);
	if (p == NULL) {
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		return;
	}
	call->customer = p;
	party_play(agent, PLAY_RING, party_tone("ringback"), 0, NULL);
	party_open(p, invite_customer);
}

static void on_dial_limit(void *arg)
{
	dial(arg, "by the limit");
}

void callback_dial(struct call *call, struct party *agent)
{
	const struct config_queue *q = queue_of(call);
	uint32_t dial_s = q != NULL ? q->callback_dial_s : 0;

	call->agent = agent;
	call->callback.task_ms = clock_mono_ms();
	call_set_state(call, CALL_TRANSFERRING);
	if (dial_s == 0) {
		dial(call, "at once");
		return;
	}
	party_play(agent, PLAY_WHISPER, party_tone("beep"), 1, NULL);
	centre_publish(call->centre, "callback",
		       json_pack("{s:s,s:s,s:s,s:s,s:i,s:i}", "call", call->id, "queue",
				 call->record.queue, "agent", agent->number, "number",
				 call->record.to, "tries", (int)call->callback.tries, "dial_s",
				 (int)dial_s));
	tmr_start(&call->retry, dial_s * UINT64_C(1000), on_dial_limit, call);
}

bool callback_dial_now(struct call *call, const char *how)
{
	if (call->callback.task_ms == 0 || call->state == CALL_ENDING)
		return false;
	dial(call, how);
	return true;
}

bool callback_key(struct party *p, char key)
{
	if (p->call->callback.task_ms == 0 || p != p->call->agent)
		return false;
	if (key == DIAL_KEY)
		(void)callback_dial_now(p->call, "by key");
	return true;
}

void callback_answered(struct party *p)
{
	struct call *call = p->call;
	struct party *agent = call->agent;

	call->answered = true;
	tmr_cancel(&call->limit);
	if (call->centre->config->call_max_s > 0)
		tmr_start(&call->limit, (uint64_t)call->centre->config->call_max_s * 1000,
			  on_expired, call);
	if (agent->play_use == PLAY_RING)
		party_play_stop(agent);
	keep(call, "done");
	talk_begin(call, agent, NULL);
}

/* --- and then not -------------------------------------------------------------------------- */

static void on_retry(void *arg)
{
	struct call *call = arg;
	int err;

	if (call->state == CALL_ENDING)
		return;
	if (call->callback.due_ms != 0 && call->callback.tries == 0) {
		/* An appointment: its place is counted from it. */
		call->callback.promised_ms = call->callback.due_ms;
		call->queued_ms = clock_mono_ms();
	}
	call->callback.due_ms = 0;
	if (!engine_is_up(call->centre->engine)) {
		/* An offer that no leg can be had for would be laid to the agent's charge. */
		tmr_start(&call->retry, NO_ENGINE_MS, on_retry, call);
		return;
	}
	err = wait_in_queue(call);
	if (err != 0 && err != -ENOENT) {
		try_later(call);
		return;
	}
	if (err != 0) {
		log_info("call", "[call=%s] queue %s does not take it: %s", call->id,
			 call->record.queue, strerror(-err));
		call_end(call, PARTY_SYSTEM, CALL_CAUSE_FAILED);
		return;
	}
	queue_drain(call->centre);
}

/* Everybody lets go; the promise stands. */
static void let_go(struct call *call)
{
	struct party *agent = call->agent, *customer = call->customer;

	call->callback.task_ms = 0;
	talk_release_agent(call);
	call->customer = NULL;
	if (agent != NULL)
		party_end(agent, 0, SIP_CAUSE_NORMAL, "the customer was not reached");
	if (customer != NULL)
		party_end(customer, 487, SIP_CAUSE_NORMAL, "not wanted any more");
	call_set_state(call, CALL_WAITING);
}

void callback_failed(struct party *p, int status)
{
	struct call *call = p->call;
	const struct config_queue *q = queue_of(call);
	unsigned tries_max = q != NULL ? q->callback_tries : 1;
	uint32_t retry_s = q != NULL ? q->callback_retry_s : 0;
	char detail[CALL_DETAIL_MAX];

	snprintf(detail, sizeof(detail), "%s %d", p->number, status);
	call_note(call, status == 408 || status == 487 ? CALL_STEP_NO_ANSWER : CALL_STEP_REJECT,
		  detail);
	call->callback.tries++;
	if (call->callback.tries >= tries_max) {
		call_end(call, PARTY_SYSTEM,
			 status == 408 || status == 487 ? CALL_CAUSE_NO_ANSWER
							: call_cause_of_sip((unsigned)status));
		return;
	}
	let_go(call);
	call->callback.due_ms = clock_wall_ms() + (uint64_t)retry_s * 1000;
	keep(call, "waiting");
	tmr_start(&call->retry, (uint64_t)retry_s * 1000, on_retry, call);
}

bool callback_agent_left(struct call *call, enum call_party by)
{
	if (!call->callback.promised || call->answered || call->state == CALL_ENDING)
		return false;
	if (by == PARTY_AGENT && call->agent != NULL)
		watch_left_callback(call->agent, call->callback.task_ms);
	let_go(call);
	tmr_start(&call->retry, 0, on_retry, call);
	return true;
}

bool callback_put_out(struct call *call)
{
	if (!call->callback.promised || call->answered || call->state == CALL_ENDING)
		return false;
	try_later(call);
	return true;
}

bool callback_waits(const struct call *call)
{
	return call->callback.promised && call->customer == NULL && call->state != CALL_ENDING;
}

bool callback_engine_lost(struct call *call)
{
	if (!call->callback.promised || call->answered)
		return false;
	/* Phones stop ringing, and their agents are as before: it was not their fault. */
	if (queue_offered(call, -1) != NULL) {
		queue_leave(call, false);
		call_set_state(call, CALL_WAITING);
		tmr_start(&call->retry, 0, on_retry, call);
	}
	if (call->agent != NULL || call->customer != NULL)
		(void)callback_agent_left(call, PARTY_SYSTEM);
	call->opened = false;
	for (unsigned i = 0; i < CALL_PARTIES_MAX; i++) {
		call->party[i].leg_wanted = false;
		party_gone(&call->party[i]);
	}
	return true;
}

/* --- after a restart ----------------------------------------------------------------------- */

static void on_kept(void *arg, const json_t *result, const char *error)
{
	struct centre *c = arg;
	const json_t *list = json_object_get(result, "callbacks"), *row;
	size_t i;

	if (error != NULL) {
		log_error("call", "promised calls back cannot be read: %s", error);
		return;
	}
	json_array_foreach(list, i, row)
	{
		const char *queue = json_string_value(json_object_get(row, "queue"));
		const char *number = json_string_value(json_object_get(row, "number"));
		const char *from = json_string_value(json_object_get(row, "from"));
		const char *old = json_string_value(json_object_get(row, "call"));
		uint64_t promised_ms =
			(uint64_t)json_integer_value(json_object_get(row, "promised_ms"));
		uint64_t due_ms = (uint64_t)json_integer_value(json_object_get(row, "due_ms"));
		uint64_t tries = (uint64_t)json_integer_value(json_object_get(row, "tries"));
		uint64_t since_ms = tries == 0 && due_ms > promised_ms ? due_ms : promised_ms;
		uint64_t ago_ms = clock_wall_ms() > since_ms ? clock_wall_ms() - since_ms : 0;
		uint64_t mono_ms = clock_mono_ms();

		if (queue == NULL || number == NULL || old == NULL)
			continue;
		store_callback(c->store, &(struct store_callback){.call = old, .state = "moved"});
		if (ago_ms > EXPIRES_MS)
			continue;
		(void)callback_begin(c,
				     &(struct callback_wish){
					     .queue = queue,
					     .from = from ? from : "",
					     .number = number,
					     .priority = (uint8_t)json_integer_value(
						     json_object_get(row, "priority")),
					     .tries = (uint8_t)tries,
					     .queued_ms = mono_ms > ago_ms ? mono_ms - ago_ms : 1,
					     .due_ms = due_ms,
					     .stands = true,
				     });
	}
	if (json_array_size(list) > 0)
		log_info("call", "%zu promised calls back go on", json_array_size(list));
	queue_drain(c);
}

void callback_resume(struct centre *c)
{
	if (c->store != NULL &&
	    store_ask(c->store, STORE_ASK_CALLBACKS,
		      &(struct store_filter){.limit = STORE_LIMIT_MAX}, on_kept, c) != 0)
		log_error("call", "promised calls back cannot be read: the database is busy");
}
