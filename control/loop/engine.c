/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection. rpc_client does framing, matching and timeouts; here are the states between "no
 * socket" and "up", and the rule that nothing of the daemon is told before the handshake, the
 * snapshot and the subscription agree on one sequence number.
 */
#include "loop/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/re.h"

#include "base/log.h"
#include "base/must.h"
#include "loop/clock.h"
#include "patchbay/rpc_client.h"

enum state { DOWN, HELLO, SNAPSHOT, SUBSCRIBE, UP };

struct engine {
	struct engine_handlers h;
	char path[108];
	enum state state;
	struct rpc_client *client;
	int fd; /* that fd_listen() knows, -1 none */
	struct tmr retry;
	uint32_t retry_ms;
	bool said_down; /* the failure to connect was logged once */
	char version[32];
	char instance[40];
	char instance_before[40];
	uint64_t seq; /* newest event delivered */
	uint64_t since_ms;
	uint32_t reconnects;
	json_t *snapshot; /* between SNAPSHOT and UP */
	json_t *early;    /* events that came before the answer to `subscribe` */
	uint64_t snapshot_seq;
	bool failed; /* drop the connection when the library's callback is over */
};

/* A request on its way: what rpc_client hands back. */
struct request {
	struct engine *e;
	engine_reply_fn *fn;
	void *arg;
	const char *method;
};

static void try_connect(void *arg);

static void lose(struct engine *e)
{
	bool was_up = e->state == UP;

	if (e->fd >= 0) {
		fd_close(e->fd);
		e->fd = -1;
	}
	e->state = DOWN;
	e->failed = false;
	json_decref(e->snapshot);
	json_decref(e->early);
	e->snapshot = e->early = NULL;
	if (e->client != NULL) {
		struct rpc_client *client = e->client;

		e->client = NULL;
		rpc_client_close(client);
	}
	if (was_up) {
		e->since_ms = clock_wall_ms();
		if (e->h.down) /* else it is we who leave */
			log_warn("engine", "connection to %s ended", e->path);
		e->retry_ms = ENGINE_RETRY_MIN_MS;
	}
	tmr_start(&e->retry, e->retry_ms, try_connect, e);
	e->retry_ms = e->retry_ms * 2 > ENGINE_RETRY_MAX_MS ? ENGINE_RETRY_MAX_MS : e->retry_ms * 2;
	if (was_up && e->h.down)
		e->h.down(e->h.arg);
}

static void say_down(struct engine *e, const char *what, const char *why)
{
	if (e->said_down)
		return;
	log_warn("engine", "%s at %s: %s; trying again", what, e->path, why);
	e->said_down = true;
}

static const char *why_of(const struct rpc_reply *r)
{
	switch (r->kind) {
	case RPC_REPLY_ERROR:
		return r->error->message;
	case RPC_REPLY_TIMEOUT:
		return "no answer in time";
	case RPC_REPLY_GONE:
		return "the connection ended";
	case RPC_REPLY_RESULT:
		break;
	}
	return "an answer that this protocol does not have";
}

static bool same_instance(const struct engine *e)
{
	return e->instance_before[0] != '\0' && strcmp(e->instance, e->instance_before) == 0;
}

static void deliver(struct engine *e, const json_t *params)
{
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(params, "seq"));
	const char *type = json_string_value(json_object_get(params, "type"));

	if (type == NULL || seq <= e->seq)
		return;
	e->seq = seq;
	if (e->h.event)
		e->h.event(e->h.arg, type, params);
}

static void become_up(struct engine *e)
{
	bool same = same_instance(e);
	json_t *snapshot = e->snapshot, *early = e->early;

	if (e->instance_before[0] != '\0')
		e->reconnects++;
	memcpy(e->instance_before, e->instance, sizeof(e->instance_before));
	e->state = UP;
	e->since_ms = clock_wall_ms();
	e->retry_ms = ENGINE_RETRY_MIN_MS;
	e->said_down = false;
	e->snapshot = e->early = NULL;
	log_info("engine", "connected to %s, version %s, instance %s%s", e->path, e->version,
		 e->instance, same ? ", as before" : "");
	if (e->h.up)
		e->h.up(e->h.arg, same, snapshot);
	for (size_t i = 0; i < json_array_size(early); i++)
		deliver(e, json_array_get(early, i));
	json_decref(snapshot);
	json_decref(early);
}

static void subscribe(struct engine *e, uint64_t after);

static void on_subscribe(void *arg, const struct rpc_reply *r)
{
	struct engine *e = arg;

	if (r->kind == RPC_REPLY_RESULT) {
		become_up(e);
		return;
	}
	if (r->kind == RPC_REPLY_ERROR && r->error->reason == RPC_EVENTS_LOST &&
	    e->seq != e->snapshot_seq) {
		log_warn("engine",
			 "events between %llu and %llu are gone; going on from the snapshot",
			 (unsigned long long)e->seq, (unsigned long long)e->snapshot_seq);
		e->seq = e->snapshot_seq;
		subscribe(e, e->seq);
		return;
	}
	say_down(e, "subscribe", why_of(r));
	e->failed = true;
}

static void subscribe(struct engine *e, uint64_t after)
{
	e->state = SUBSCRIBE;
	if (rpc_client_request(e->client, "subscribe",
			       json_pack("{s:I}", "after", (json_int_t)after), ENGINE_REPLY_MS,
			       on_subscribe, e) != 0)
		e->failed = true;
}

static void on_snapshot(void *arg, const struct rpc_reply *r)
{
	struct engine *e = arg;

	if (r->kind != RPC_REPLY_RESULT) {
		say_down(e, "snapshot", why_of(r));
		e->failed = true;
		return;
	}
	json_decref(e->snapshot);
	e->snapshot = json_deep_copy(r->result);
	e->snapshot_seq = (uint64_t)json_integer_value(json_object_get(r->result, "seq"));
	/* The same engine still has what happened meanwhile; another one begins anew. */
	if (!same_instance(e) || e->seq > e->snapshot_seq)
		e->seq = e->snapshot_seq;
	subscribe(e, e->seq);
}

static void on_hello(void *arg, const struct rpc_reply *r)
{
	struct engine *e = arg;
	const char *instance, *version;

	if (r->kind != RPC_REPLY_RESULT) {
		say_down(e, "hello", why_of(r));
		e->failed = true;
		return;
	}
	instance = json_string_value(json_object_get(r->result, "instance"));
	version = json_string_value(json_object_get(r->result, "engine"));
	snprintf(e->instance, sizeof(e->instance), "%s", instance ? instance : "");
	snprintf(e->version, sizeof(e->version), "%s", version ? version : "");
	e->state = SNAPSHOT;
	if (rpc_client_request(e->client, "snapshot", NULL, ENGINE_REPLY_MS, on_snapshot, e) != 0)
		e->failed = true;
}

static void on_event(void *arg, const json_t *params)
{
	struct engine *e = arg;

	if (e->state == UP) {
		deliver(e, params);
		return;
	}
	if (e->early == NULL)
		e->early = json_array();
	json_array_append_new(e->early, json_deep_copy(params));
}

static void on_readable(int flags, void *arg)
{
	struct engine *e = arg;
	int err;

	(void)flags;
	if (e->client == NULL)
		return;
	err = rpc_client_poll(e->client);
	if (err != 0 || e->failed)
		lose(e);
}

static void try_connect(void *arg)
{
	struct engine *e = arg;
	int err = rpc_client_open(&e->client, e->path);

	if (err == 0) {
		rpc_client_on_event(e->client, on_event, e);
		e->fd = rpc_client_fd(e->client);
		err = -fd_listen(e->fd, FD_READ, on_readable, e);
	}
	if (err == 0) {
		e->state = HELLO;
		err = rpc_client_request(
			e->client, "hello",
			json_pack("{s:i,s:s}", "protocol", 1, "client", "patchbayd"),
			ENGINE_REPLY_MS, on_hello, e);
	}
	if (err != 0) {
		say_down(e, "no engine", strerror(-err));
		lose(e);
	}
}

int engine_open(struct engine **out, const char *path, const struct engine_handlers *handlers)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -ENOMEM;
	e->h = *handlers;
	e->fd = -1;
	e->retry_ms = ENGINE_RETRY_MIN_MS;
	e->since_ms = clock_wall_ms();
	snprintf(e->path, sizeof(e->path), "%s", path);
	tmr_init(&e->retry);
	tmr_start(&e->retry, 0, try_connect, e);
	*out = e;
	return 0;
}

void engine_expect(struct engine *e, const char *instance, uint64_t seq)
{
	must(e->state == DOWN);
	snprintf(e->instance_before, sizeof(e->instance_before), "%s", instance);
	e->seq = seq;
}

void engine_close(struct engine *e)
{
	if (e == NULL)
		return;
	e->h = (struct engine_handlers){0};
	lose(e);
	tmr_cancel(&e->retry);
	free(e);
}

bool engine_is_up(const struct engine *e)
{
	return e != NULL && e->state == UP;
}

void engine_view(const struct engine *e, struct engine_view *view)
{
	*view = (struct engine_view){
		.connected = e->state == UP,
		.since_ms = e->since_ms,
		.reconnects = e->reconnects,
	};
	memcpy(view->path, e->path, sizeof(view->path));
	memcpy(view->version, e->version, sizeof(view->version));
	memcpy(view->instance, e->instance, sizeof(view->instance));
}

static void on_reply(void *arg, const struct rpc_reply *r)
{
	struct request *q = arg;
	int err = 0;

	switch (r->kind) {
	case RPC_REPLY_RESULT:
		break;
	case RPC_REPLY_ERROR:
		err = -EREMOTEIO;
		break;
	case RPC_REPLY_TIMEOUT:
		err = -ETIMEDOUT;
		break;
	case RPC_REPLY_GONE:
		err = -ECONNRESET;
		break;
	}
	if (err == -ETIMEDOUT)
		log_error("engine", "%s: no answer within %d ms", q->method, ENGINE_REPLY_MS);
	if (q->fn)
		q->fn(q->arg, err, r->result, r->kind == RPC_REPLY_ERROR ? r->error : NULL);
	else if (err == -EREMOTEIO)
		log_warn("engine", "%s refused: %s", q->method, r->error->message);
	free(q);
}

int engine_request(struct engine *e, const char *method, json_t *params, engine_reply_fn *fn,
		   void *arg)
{
	struct request *q;
	int err;

	if (e == NULL || e->state != UP) {
		json_decref(params);
		return -ENOTCONN;
	}
	q = malloc(sizeof(*q));
	if (q == NULL) {
		json_decref(params);
		return -ENOBUFS;
	}
	*q = (struct request){.e = e, .fn = fn, .arg = arg, .method = method};
	err = rpc_client_request(e->client, method, params, ENGINE_REPLY_MS, on_reply, q);
	if (err != 0) {
		free(q);
		log_warn("engine", "%s not sent: %s", method, strerror(-err));
		return err == -ENOBUFS ? -ENOBUFS : -ENOTCONN;
	}
	return 0;
}
