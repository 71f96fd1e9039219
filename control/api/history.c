/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions whose answer comes from elsewhere: the database's reader thread, the engine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "call/calls.h"

/* A request that waits for its answer. */
struct waiting {
	struct api *api;
	struct rpc_ref ref;
	char call[64]; /* ASK_CALL: what was asked for */
};

static struct waiting *later(struct api *api, const struct rpc_call *call)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w != NULL)
		*w = (struct waiting){.api = api, .ref = call->ref};
	return w;
}

static void on_store(void *arg, const json_t *result, const char *error)
{
	struct waiting *w = arg;
	struct rpc_error err = {0};

	if (error != NULL) {
		rpc_error_set(&err, RPC_STORE, "%s", error);
		rpc_server_fail(w->api->server, w->ref, &err);
	} else if (json_is_null(result)) {
		rpc_error_not_found(&err, "call", w->call);
		rpc_server_fail(w->api->server, w->ref, &err);
	} else {
		rpc_server_answer(w->api->server, w->ref, json_deep_copy(result));
	}
	free(w);
}

static enum rpc_answer ask(const struct rpc_call *call, enum store_question what,
			   struct rpc_error *err)
{
	struct api *api = call->owner;
	const json_t *p = call->params;
	struct store_filter f = {
		.call = rpc_param_text(p, "call", NULL),
		.agent = rpc_param_text(p, "agent", NULL),
		.queue = rpc_param_text(p, "queue", NULL),
		.number = rpc_param_text(p, "number", NULL),
		.kind = rpc_param_text(p, "kind", NULL),
		.after = rpc_param_text(p, "after", NULL),
		.from_ms = (uint64_t)rpc_param_int(p, "from_ms", 0),
		.to_ms = (uint64_t)rpc_param_int(p, "to_ms", 0),
		.unheard = rpc_param_bool(p, "unheard", false),
		.limit = (uint32_t)rpc_param_int(p, "limit", 0),
	};
	struct waiting *w = later(api, call);

	if (w != NULL && f.call != NULL)
		strncpy(w->call, f.call, sizeof(w->call) - 1);
	if (w == NULL || api->c->store == NULL ||
	    store_ask(api->c->store, what, &f, on_store, w) != 0) {
		free(w);
		rpc_error_set(err, RPC_STORE, "too many questions to the database wait");
		return RPC_ANSWER_ERROR;
	}
	return RPC_ANSWER_LATER;
}

enum rpc_answer api_recordings(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)result;
	return ask(call, STORE_ASK_RECORDINGS, err);
}

enum rpc_answer api_cdr(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)result;
	return ask(call, STORE_ASK_CDR, err);
}

enum rpc_answer api_ask_call(struct api *api, const struct rpc_call *call, struct rpc_error *err)
{
	(void)api;
	return ask(call, STORE_ASK_CALL, err);
}

static void fail_engine(struct waiting *w, int code, const struct rpc_error *why)
{
	struct rpc_error err = {0};

	if (why != NULL)
		rpc_error_set(&err, why->reason < RPC_REASON_COUNT ? why->reason : RPC_IO, "%s",
			      why->message);
	else
		rpc_error_set(&err, RPC_ENGINE_DOWN, "the engine did not answer: %s",
			      strerror(-code));
	rpc_server_fail(w->api->server, w->ref, &err);
}

static void on_engine(void *arg, int code, const json_t *result, const struct rpc_error *why)
{
	struct waiting *w = arg;

	if (code != 0)
		fail_engine(w, code, why);
	else
		rpc_server_answer(w->api->server, w->ref, json_deep_copy(result));
	free(w);
}

static enum rpc_answer forward(const struct rpc_call *call, const char *method, engine_reply_fn *fn,
			       struct rpc_error *err)
{
	struct api *api = call->owner;
	struct waiting *w = later(api, call);

	if (w == NULL || engine_request(api->c->engine, method, NULL, fn, w) != 0) {
		free(w);
		rpc_error_set(err, RPC_ENGINE_DOWN, "the engine is not connected");
		return RPC_ANSWER_ERROR;
	}
	return RPC_ANSWER_LATER;
}

enum rpc_answer api_drops(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)result;
	return forward(call, "stat.drops", on_engine, err);
}

enum rpc_answer api_engine(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)result;
	return forward(call, "stat.engine", on_engine, err);
}

static void add_legs(struct call *call, void *list)
{
	json_t *rows = view_leg_rows(call);

	json_array_extend(list, rows);
	json_decref(rows);
}

/* Our legs, each with what the engine says of it. */
static json_t *join(struct centre *c, const json_t *stats)
{
	json_t *rows = json_array(), *by_leg = json_object();
	size_t i;
	json_t *row;

	for (i = 0; i < json_array_size(stats); i++) {
		json_t *one = json_array_get(stats, i);
		const char *leg = json_string_value(json_object_get(one, "leg"));

		if (leg != NULL)
			json_object_set(by_leg, leg, one);
	}
	call_each(c, add_legs, rows);
	json_array_foreach(rows, i, row)
	{
		const char *leg = json_string_value(json_object_get(row, "leg"));
		json_t *one = leg ? json_object_get(by_leg, leg) : NULL;

		if (one == NULL)
			continue;
		json_object_update_missing(row, one);
		json_object_set_new(row, "stats", json_deep_copy(one));
	}
	json_decref(by_leg);
	return json_pack("{s:o}", "legs", rows);
}

static void on_legs(void *arg, int code, const json_t *result, const struct rpc_error *why)
{
	struct waiting *w = arg;

	if (code != 0 && why != NULL)
		fail_engine(w, code, why);
	else
		rpc_server_answer(w->api->server, w->ref,
				  join(w->api->c, json_object_get(result, "legs")));
	free(w);
}

enum rpc_answer api_legs(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;

	if (!engine_is_up(api->c->engine)) {
		*result = join(api->c, NULL);
		return RPC_ANSWER_RESULT;
	}
	return forward(call, "stat.legs", on_legs, err);
}
