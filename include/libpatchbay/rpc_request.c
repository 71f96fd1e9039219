/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc_request.h"

#include <string.h>

#include "base/must.h"

enum { ID_TEXT_MAX = 255, METHOD_MAX = 63 };

static bool id_valid(const json_t *id)
{
	if (json_is_string(id))
		return json_string_length(id) <= ID_TEXT_MAX;
	return json_is_integer(id) || json_is_null(id);
}

static bool version_valid(const json_t *whole)
{
	const char *v = json_string_value(json_object_get(whole, "jsonrpc"));

	return v != NULL && strcmp(v, "2.0") == 0;
}

/* A member that no JSON-RPC request has, or NULL. */
static const char *stray_member(json_t *whole)
{
	const char *key;
	json_t *value;

	json_object_foreach(whole, key, value) if (strcmp(key, "jsonrpc") != 0 &&
						   strcmp(key, "id") != 0 &&
						   strcmp(key, "method") != 0 &&
						   strcmp(key, "params") != 0) return key;
	return NULL;
}

bool rpc_request_read(struct rpc_request *rq, const char *line, size_t len, struct rpc_error *err)
{
	json_error_t where;

	*rq = (struct rpc_request){0};
	rq->whole = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
	if (rq->whole == NULL) {
		rpc_error_set(err, RPC_PARSE, "not JSON at column %d: %s", where.column,
			      where.text);
		return false;
	}
	if (json_is_array(rq->whole)) {
		rpc_error_set(err, RPC_INVALID_REQUEST, "batches are not spoken here");
		return false;
	}
	if (!json_is_object(rq->whole)) {
		rpc_error_set(err, RPC_INVALID_REQUEST, "a request is an object");
		return false;
	}

	json_t *id = json_object_get(rq->whole, "id");

	if (id != NULL && !id_valid(id)) {
		rpc_error_set(err, RPC_INVALID_REQUEST,
			      "id must be an integer, null or a string of at most %d bytes",
			      ID_TEXT_MAX);
		return false;
	}
	rq->id = id;

	const char *stray = stray_member(rq->whole);
	const json_t *method = json_object_get(rq->whole, "method");

	if (!version_valid(rq->whole)) {
		rpc_error_set(err, RPC_INVALID_REQUEST, "jsonrpc must be \"2.0\"");
		return false;
	}
	if (!json_is_string(method) || json_string_length(method) > METHOD_MAX) {
		rpc_error_set(err, RPC_INVALID_REQUEST,
			      "method must be a string of at most %d bytes", METHOD_MAX);
		return false;
	}
	if (stray != NULL) {
		rpc_error_set(err, RPC_INVALID_REQUEST, "a request has no member %.64s", stray);
		return false;
	}
	rq->method = json_string_value(method);
	rq->params = json_object_get(rq->whole, "params");
	if (rq->params == NULL) {
		rq->no_params = json_object();
		must(rq->no_params != NULL);
		rq->params = rq->no_params;
	}
	if (!json_is_object(rq->params)) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "params must be an object");
		return false;
	}
	return true;
}

void rpc_request_clear(struct rpc_request *rq)
{
	json_decref(rq->whole);
	json_decref(rq->no_params);
	*rq = (struct rpc_request){0};
}

static json_t *reply(json_t *id, const char *name, json_t *value)
{
	json_t *r = json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id",
			      id != NULL ? id : json_null(), name, value);

	must(r != NULL);
	return r;
}

json_t *rpc_reply_result(json_t *id, json_t *result)
{
	return reply(id, "result", result != NULL ? result : json_object());
}

json_t *rpc_reply_error(json_t *id, struct rpc_error *err)
{
	rpc_error_add(err, "reason",
		      json_string(err->reason < RPC_REASON_COUNT ? rpc_reason_word(err->reason)
								 : "other"));

	/* The message may quote what a client sent: make sure that it is UTF-8. */
	json_t *text = json_string(err->message);

	if (text == NULL)
		text = json_string("(a message that is not UTF-8)");
	json_t *e =
		json_pack("{s:i, s:o, s:o}", "code", err->code, "message", text, "data", err->data);

	must(e != NULL);
	err->data = NULL;
	return reply(id, "error", e);
}
