/* SPDX-License-Identifier: Apache-2.0
 *
 * What the lines of a client mean: request, schema, handler, answer; hello, ping, subscribe.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/must.h"
#include "rpc_request.h"
#include "rpc_server_priv.h"

#define NOBODY UINT32_MAX

/* What waits for this client and is not its own wish: unsent answers, and events beyond those it
 * asked to have again when it subscribed. */
static uint64_t lag(const struct rpc_server *s, const struct rpc_peer *p)
{
	uint64_t bytes = rpc_bytes_held(&p->out);

	if (p->subscribed) {
		uint64_t end = event_log_position(s->cfg.events, UINT64_MAX);
		uint64_t at = event_log_position(s->cfg.events, p->cursor - 1);

		bytes += end - (at > p->backlog_end ? at : p->backlog_end);
	}
	return bytes;
}

static bool too_slow(struct rpc_server *s, struct rpc_peer *p)
{
	if (p->dead)
		return true;

	uint64_t bytes = lag(s, p);

	if (bytes < RPC_OUT_MAX)
		return false;
	log_warn("rpc", "client %u does not read: %llu bytes wait for it; disconnected", p->number,
		 (unsigned long long)bytes);
	s->stats.disconnected_slow++;
	rpc_peer_kill(s, p);
	return true;
}

static void send_json(struct rpc_server *s, uint32_t slot, json_t *reply)
{
	struct rpc_peer *p = s->peer[slot];

	if (!too_slow(s, p)) {
		rpc_bytes_json(&p->out, reply);
		rpc_peer_arm(s, slot);
	}
	json_decref(reply);
}

void rpc_session_events(struct rpc_server *s, uint32_t slot)
{
	struct rpc_peer *p = s->peer[slot];
	const char *line;
	size_t len;

	if (!p->subscribed || too_slow(s, p))
		return;
	if (p->cursor < event_log_oldest(s->cfg.events)) {
		log_warn("rpc",
			 "client %u does not read: its events were overwritten; disconnected",
			 p->number);
		s->stats.disconnected_slow++;
		rpc_peer_kill(s, p);
		return;
	}
	while (rpc_bytes_held(&p->out) < RPC_OUT_EVENTS &&
	       event_log_get(s->cfg.events, p->cursor, &line, &len)) {
		rpc_bytes_add(&p->out, line, len);
		p->cursor++;
	}
	rpc_peer_arm(s, slot);
}

/* --- requests that wait for their answer --- */

static struct rpc_ref waiting_add(struct rpc_server *s, uint32_t slot, json_t *id)
{
	if (s->free_waiting == NOBODY) {
		uint32_t n = s->waitings != 0 ? s->waitings * 2 : 64;

		s->waiting = realloc(s->waiting, n * sizeof(*s->waiting));
		must(s->waiting != NULL);
		for (uint32_t i = n; i-- > s->waitings;) {
			s->waiting[i] = (struct rpc_waiting){.next_free = s->free_waiting};
			s->free_waiting = i;
		}
		s->waitings = n;
	}

	uint32_t i = s->free_waiting;
	struct rpc_waiting *w = &s->waiting[i];

	s->free_waiting = w->next_free;
	w->generation++;
	w->peer = s->peer[slot]->number;
	w->slot = slot;
	w->id = json_incref(id);
	s->peer[slot]->pending++;
	return (struct rpc_ref){i, w->generation};
}

static void waiting_free(struct rpc_server *s, uint32_t i)
{
	struct rpc_waiting *w = &s->waiting[i];

	json_decref(w->id);
	w->id = NULL;
	w->generation++;
	w->next_free = s->free_waiting;
	s->free_waiting = i;
}

/* Take the request out of the waiting ones. Returns its client's slot, or NOBODY; `*id` is a
 * reference of the caller. */
static uint32_t waiting_take(struct rpc_server *s, struct rpc_ref ref, json_t **id)
{
	if (ref.index >= s->waitings || (ref.generation & 1) == 0 ||
	    s->waiting[ref.index].generation != ref.generation)
		return NOBODY;

	struct rpc_waiting *w = &s->waiting[ref.index];
	uint32_t slot = w->slot;
	struct rpc_peer *p = s->peer[slot];

	must(p != NULL && p->number == w->peer);
	*id = json_incref(w->id);
	waiting_free(s, ref.index);
	/* Reading stopped when too many were open; whatever it sent in between goes on now. */
	if (p->pending-- == RPC_PENDING_MAX) {
		p->more = true;
		rpc_server_wake(s);
	}
	return slot;
}

void rpc_session_forget(struct rpc_server *s, struct rpc_peer *p)
{
	for (uint32_t i = 0; i < s->waitings && p->pending > 0; i++)
		if ((s->waiting[i].generation & 1) != 0 && s->waiting[i].peer == p->number) {
			waiting_free(s, i);
			p->pending--;
		}
}

bool rpc_server_answer(struct rpc_server *s, struct rpc_ref ref, json_t *result)
{
	json_t *id;
	uint32_t slot = waiting_take(s, ref, &id);

	if (slot == NOBODY) {
		json_decref(result);
		return false;
	}
	if (id != NULL)
		send_json(s, slot, rpc_reply_result(id, result));
	else
		json_decref(result);
	rpc_peer_arm(s, slot);
	json_decref(id);
	return true;
}

bool rpc_server_fail(struct rpc_server *s, struct rpc_ref ref, struct rpc_error *err)
{
	json_t *id;
	uint32_t slot = waiting_take(s, ref, &id);

	if (slot == NOBODY) {
		rpc_error_clear(err);
		return false;
	}
	s->stats.errors++;
	if (id != NULL)
		send_json(s, slot, rpc_reply_error(id, err));
	else
		rpc_error_clear(err);
	rpc_peer_arm(s, slot);
	json_decref(id);
	return true;
}

uint64_t rpc_server_event(struct rpc_server *s, uint64_t time_ms, const char *type, json_t *members)
{
	must(s->cfg.events != NULL);

	uint64_t seq = event_log_append(s->cfg.events, time_ms, type, members);

	for (uint32_t slot = 0; slot < RPC_CLIENTS_MAX; slot++)
		if (s->peer[slot] != NULL)
			rpc_session_events(s, slot);
	return seq;
}

/* --- built-in methods --- */

static const struct rpc_param hello_params[] = {
	RPC_PARAM_INT("protocol", RPC_REQUIRED, 0, INT32_MAX),
	RPC_PARAM_TEXT("client", RPC_OPTIONAL, 1, 64),
	RPC_PARAM_END,
};

static const struct rpc_param subscribe_params[] = {
	RPC_PARAM_INT("after", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_END,
};

static uint64_t newest(const struct rpc_server *s)
{
	return s->cfg.events != NULL ? event_log_newest(s->cfg.events) : 0;
}

static enum rpc_answer hello(struct rpc_server *s, struct rpc_peer *p, const json_t *params,
			     json_t **result, struct rpc_error *err)
{
	if (rpc_param_int(params, "protocol", 0) != s->cfg.protocol) {
		rpc_error_set(err, RPC_VERSION, "this side speaks protocol %d only",
			      s->cfg.protocol);
		rpc_error_add(err, "supported", json_pack("[i]", s->cfg.protocol));
		return RPC_ANSWER_ERROR;
	}
	p->hello = true;
	*result = json_pack("{s:i, s:s, s:s, s:I, s:I}", "protocol", s->cfg.protocol, s->cfg.name,
			    s->cfg.version, "instance", s->instance, "seq", (json_int_t)newest(s),
			    "started_ms", (json_int_t)s->started_ms);
	must(*result != NULL);
	log_debug("rpc", "client %u is %s", p->number, rpc_param_text(params, "client", "unnamed"));
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer subscribe(struct rpc_server *s, struct rpc_peer *p, const json_t *params,
				 json_t **result, struct rpc_error *err)
{
	uint64_t seq = newest(s), oldest = event_log_oldest(s->cfg.events);
	uint64_t after = (uint64_t)rpc_param_int(params, "after", (int64_t)seq);

	if (after > seq) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "params.after: event %llu has not happened",
			      (unsigned long long)after);
		rpc_error_add(err, "newest", json_integer((json_int_t)seq));
		return RPC_ANSWER_ERROR;
	}
	if (after + 1 < oldest) {
		rpc_error_set(err, RPC_EVENTS_LOST,
			      "events up to %llu are no longer kept; take a snapshot",
			      (unsigned long long)(oldest - 1));
		rpc_error_add(err, "oldest", json_integer((json_int_t)oldest));
		return RPC_ANSWER_ERROR;
	}
	p->subscribed = true;
	p->cursor = after + 1;
	p->backlog_end = event_log_position(s->cfg.events, seq);
	*result = json_pack("{s:I}", "seq", (json_int_t)seq);
	return RPC_ANSWER_RESULT;
}

/* --- a request's way --- */

static const struct rpc_method *method_find(const struct rpc_server *s, const char *name)
{
	for (const struct rpc_method *m = s->cfg.methods; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static enum rpc_answer dispatch(struct rpc_server *s, uint32_t slot, const struct rpc_request *rq,
				json_t **result, struct rpc_error *err)
{
	struct rpc_peer *p = s->peer[slot];

	if (strcmp(rq->method, "hello") == 0)
		return rpc_params_check(hello_params, rq->params, err)
			       ? hello(s, p, rq->params, result, err)
			       : RPC_ANSWER_ERROR;
	if (!p->hello) {
		rpc_error_set(err, RPC_NO_HELLO,
			      "say hello first: {\"method\":\"hello\","
			      "\"params\":{\"protocol\":%d}}",
			      s->cfg.protocol);
		return RPC_ANSWER_ERROR;
	}
	if (strcmp(rq->method, "ping") == 0)
		return rpc_params_check(rpc_params_none, rq->params, err) ? RPC_ANSWER_RESULT
									  : RPC_ANSWER_ERROR;
	if (s->cfg.events != NULL && strcmp(rq->method, "subscribe") == 0)
		return rpc_params_check(subscribe_params, rq->params, err)
			       ? subscribe(s, p, rq->params, result, err)
			       : RPC_ANSWER_ERROR;

	const struct rpc_method *m = method_find(s, rq->method);

	if (m == NULL) {
		rpc_error_set(err, RPC_UNKNOWN_METHOD, "there is no method %s", rq->method);
		return RPC_ANSWER_ERROR;
	}
	if (!rpc_params_check(m->params, rq->params, err))
		return RPC_ANSWER_ERROR;

	struct rpc_ref ref = waiting_add(s, slot, rq->id);
	const struct rpc_call call = {s, s->cfg.owner, m->name, rq->params, p->number, ref, p->uid};
	enum rpc_answer a = m->handle(&call, result, err);
	json_t *id;

	if (s->cfg.handled != NULL)
		s->cfg.handled(&call, a, err);
	if (a != RPC_ANSWER_LATER && waiting_take(s, ref, &id) != NOBODY)
		json_decref(id);
	return a;
}

static void request(struct rpc_server *s, uint32_t slot, const char *line, size_t len)
{
	struct rpc_request rq;
	struct rpc_error err = {0};
	json_t *result = NULL;
	enum rpc_answer a = RPC_ANSWER_ERROR;
	bool wants_answer = true;

	s->stats.requests++;
	if (rpc_request_read(&rq, line, len, &err)) {
		wants_answer = rq.id != NULL;
		a = dispatch(s, slot, &rq, &result, &err);
	}
	if (a == RPC_ANSWER_ERROR)
		s->stats.errors++;
	if (a == RPC_ANSWER_RESULT && wants_answer)
		send_json(s, slot, rpc_reply_result(rq.id, result));
	else if (a == RPC_ANSWER_ERROR && wants_answer)
		send_json(s, slot, rpc_reply_error(rq.id, &err));
	else
		json_decref(result);
	rpc_error_clear(&err);
	rpc_request_clear(&rq);
	/* What a new subscriber missed comes after the answer that says so. */
	rpc_session_events(s, slot);
}

void rpc_session_lines(struct rpc_server *s, uint32_t slot)
{
	struct rpc_peer *p = s->peer[slot];
	const char *line;
	size_t len;

	p->more = false;
	for (int n = 0; !p->dead && p->pending < RPC_PENDING_MAX; n++) {
		if (n == RPC_LINES_PER_ROUND) {
			p->more = true;
			rpc_server_wake(s);
			break;
		}

		enum rpc_line got = rpc_lines_next(&p->in, &line, &len);

		if (got == RPC_LINE_NONE)
			break;
		if (got == RPC_LINE_READY) {
			if (len > 0)
				request(s, slot, line, len);
			continue;
		}

		struct rpc_error err = {0};

		s->stats.errors++;
		rpc_error_set(&err, RPC_TOO_LARGE,
			      "the line is longer than %d bytes and is skipped", RPC_LINE_MAX);
		send_json(s, slot, rpc_reply_error(NULL, &err));
	}
	rpc_peer_arm(s, slot);
}
