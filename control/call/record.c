/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings of a call. A take begins with record.start and is over when its record.done has come
 * with the account of its frames; only then does the row in the store say how it ended. A call
 * waits for its accounts before it is freed.
 */
#include "call/conference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* What became of the frames, over both channels. */
struct sums {
	uint64_t accepted, written, lost;
	const char *reason;
};

static struct sums add_up(const json_t *account)
{
	const json_t *channels = json_object_get(account, "channels");
	struct sums s = {0};

	for (size_t i = 0; i < json_array_size(channels); i++) {
		const json_t *ch = json_array_get(channels, i);
		const char *reason = json_string_value(json_object_get(ch, "lost_reason"));

		s.accepted += (uint64_t)json_integer_value(json_object_get(ch, "accepted"));
		s.written += (uint64_t)json_integer_value(json_object_get(ch, "written"));
		s.lost += (uint64_t)json_integer_value(json_object_get(ch, "lost"));
		if (reason != NULL)
			s.reason = reason;
	}
	return s;
}

static void record_alarm(struct centre *c, const char *text)
{
	c->recorder.well = 0;
	centre_alarm(c, "recording", true, text);
}

/* What the row says where there is no account. */
static const char *no_account(const struct call *call)
{
	return call->no_volume ? "no volume took recordings"
			       : "the engine was lost; what it had accepted is in the store";
}

static void store_row(struct call *call, const struct take *t, uint64_t ended_ms,
		      const json_t *account)
{
	const struct call_record *r = &call->record;
	struct sums s = add_up(account);
	char *text;

	if (call->centre->store == NULL)
		return;
	text = account != NULL ? json_dumps(account, JSON_COMPACT) : NULL;
	store_recording(call->centre->store,
			&(struct store_recording){
				.recording = t->id,
				.call = call->id,
				.kind = t->kind,
				.agent = r->agent_count ? r->agents[r->agent_count - 1] : "",
				.queue = r->queue,
				.from = r->from,
				.to = r->to,
				.started_ms = t->started_ms,
				.ended_ms = ended_ms,
				.complete = ended_ms != 0 && account != NULL && s.lost == 0,
				.accepted = s.accepted,
				.written = s.written,
				.lost = s.lost,
				.lost_reason = account == NULL && ended_ms != 0 ? no_account(call)
										: s.reason,
				.account = text,
			});
	free(text);
}

/* The account of a recording whose call is not here any more. */
static void store_late(struct centre *c, const char *recording, uint64_t ended_ms,
		       const json_t *account)
{
	struct sums s = add_up(account);
	char *text = json_dumps(account, JSON_COMPACT);

	if (c->store != NULL && text != NULL)
		store_account(c->store, &(struct store_recording){
						.recording = recording,
						.ended_ms = ended_ms,
						.complete = s.lost == 0,
						.accepted = s.accepted,
						.written = s.written,
						.lost = s.lost,
						.lost_reason = s.reason,
						.account = text,
					});
	free(text);
}

static void ask_recovered(struct centre *c, json_int_t from);

static void on_recovered(void *arg, int err, const json_t *result, const struct rpc_error *why)
{
	struct centre *c = arg;
	const json_t *list = json_object_get(result, "recordings");
	const json_t *next = json_object_get(result, "next");

	(void)why;
	for (size_t i = 0; err == 0 && i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		const char *id = json_string_value(json_object_get(r, "recording"));
		const json_t *account = json_object_get(r, "account");

		if (id != NULL && json_is_object(account))
			store_late(c, id, 0, account);
	}
	if (err == 0 && json_array_size(list) != 0)
		log_info("call", "%zu recordings of the lost engine have their accounts",
			 json_array_size(list));
	if (err == 0 && json_is_integer(next))
		ask_recovered(c, json_integer_value(next));
}

static void ask_recovered(struct centre *c, json_int_t from)
{
	(void)engine_request(c->engine, "record.recovered", json_pack("{s:I}", "from", from),
			     on_recovered, c);
}

void record_recovered(struct centre *c)
{
	ask_recovered(c, 0);
}

bool record_open(const struct call *call)
{
	for (unsigned i = 0; i < call->takes; i++)
		if (call->take[i].open)
			return true;
	return false;
}

void record_forget_take(struct call *call, unsigned i)
{
	if (!call->take[i].open)
		return;
	call->take[i].open = false;
	store_row(call, &call->take[i], clock_wall_ms(), NULL);
	if (call->running == (int)i)
		call->running = -1;
}

void record_forget(struct call *call)
{
	for (unsigned i = 0; i < call->takes; i++)
		record_forget_take(call, i);
	call->running = -1;
}

static void on_record(struct call *call, struct party *p, int err, const json_t *result,
		      const struct rpc_error *why)
{
	(void)p;
	(void)result;
	if (err != -EREMOTEIO)
		return; /* a lost connection is recover.c's business */
	log_error("call", "[call=%s] is not recorded: %s", call->id, why->message);
	if (why->reason == RPC_NO_VOLUME) {
		call->no_volume = true;
		recorder_ask(call->centre); /* which tells, and when it is over */
	} else {
		record_alarm(call->centre, why->message);
	}
	record_forget(call);
	call_finish(call);
}

void record_begin(struct call *call, bool message)
{
	struct centre *c = call->centre;
	const struct call_record *r = &call->record;
	struct take *take = &call->take[call->takes];
	struct ticket *t;
	json_t *meta;

	if (call->customer == NULL || call->running >= 0)
		return;
	if (call->takes == CALL_TAKES_MAX) {
		log_error("call", "[call=%s] is not recorded: too many recordings of one call",
			  call->id);
		return;
	}
	*take = (struct take){.started_ms = clock_wall_ms(),
			      .kind = message ? "voicemail" : "call"};
	clock_uuid7(&c->uuids, take->id);
	meta = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I}", "call", call->id, "kind", take->kind,
			 "from", r->from, "to", r->to, "queue", r->queue, "agent",
			 call->agent ? call->agent->number : "", "started_ms",
			 (json_int_t)take->started_ms);
	if (meta == NULL) /* a number that is not UTF-8 */
		meta = json_pack("{s:s,s:s}", "call", call->id, "kind", take->kind);
	t = call_ticket_new(call, NULL, on_record);
	if (t == NULL ||
	    engine_record_start(c->engine, conference_engine_call(call), take->id,
				call->customer->leg, meta, call_ticket_reply, t) != 0) {
		call_ticket_drop(t);
		log_error("call", "[call=%s] is not recorded: no engine", call->id);
		return;
	}
	take->open = true;
	call->running = (int)call->takes++;
	call_note(call, message ? CALL_STEP_MESSAGE : CALL_STEP_RECORD, take->id);
	if (message)
		call_record_step(&call->record, CALL_STEP_RECORD, take->id, take->started_ms);
	store_row(call, take, 0, NULL);
}

void record_stop(struct call *call)
{
	if (call->running < 0)
		return;
	engine_record_stop(call->centre->engine, call->take[call->running].id);
	call->running = -1;
}

static struct take *find(struct call *call, const char *recording)
{
	for (unsigned i = 0; i < call->takes; i++)
		if (strcmp(call->take[i].id, recording) == 0)
			return &call->take[i];
	return NULL;
}

void record_adopt(struct call *call, const char *recording)
{
	struct take *t;

	if (find(call, recording) != NULL || call->takes == CALL_TAKES_MAX ||
	    strlen(recording) != CLOCK_UUID_SIZE - 1)
		return;
	t = &call->take[call->takes++];
	*t = (struct take){.started_ms = clock_wall_ms(),
			   .kind = call->state == CALL_MESSAGE ? "voicemail" : "call",
			   .open = true};
	memcpy(t->id, recording, CLOCK_UUID_SIZE);
	if (call->running >= 0) /* it was stopped when this one began */
		engine_record_stop(call->centre->engine, call->take[call->running].id);
	call->running = (int)call->takes - 1;
	call_note(call, CALL_STEP_RECORD, t->id);
	store_row(call, t, 0, NULL);
}

/* A take of somebody in a room: the engine's call is the room's. */
struct search {
	const char *recording;
	struct call *found;
};

static void has_take(struct call *call, void *arg)
{
	struct search *s = arg;

	if (find(call, s->recording) != NULL)
		s->found = call;
}

void record_done(struct centre *c, const json_t *params)
{
	const char *id = json_string_value(json_object_get(params, "call"));
	const char *recording = json_string_value(json_object_get(params, "recording"));
	const char *reason = json_string_value(json_object_get(params, "reason"));
	uint64_t at_ms = (uint64_t)json_integer_value(json_object_get(params, "time_ms"));
	struct call *call = id ? call_find(c, id, NULL) : NULL;
	struct take *t;
	struct search s = {.recording = recording};

	if (call == NULL && recording != NULL) {
		call_each(c, has_take, &s);
		call = s.found;
	}
	t = call && recording ? find(call, recording) : NULL;
	if (t == NULL && recording != NULL && json_object_get(params, "account") != NULL)
		store_late(c, recording, at_ms, json_object_get(params, "account"));
	if (t == NULL || !t->open)
		return;
	if (reason != NULL && strcmp(reason, "failed") == 0) {
		log_error("call", "[call=%s] recording %s failed", call->id, recording);
		record_alarm(c, "a recording failed in mid-call");
	}
	t->open = false;
	if (at_ms < t->started_ms)
		at_ms = t->started_ms;
	store_row(call, t, at_ms, json_object_get(params, "account"));
	if (strcmp(t->kind, "voicemail") == 0)
		centre_publish(c, "voicemail",
			       json_pack("{s:s,s:s,s:s,s:I}", "recording", t->id, "call", call->id,
					 "from", call->record.from, "duration_ms",
					 (json_int_t)(at_ms - t->started_ms)));
	if (call->running >= 0 && t == &call->take[call->running])
		call->running = -1;
	call_finish(call);
}
