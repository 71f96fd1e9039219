/* SPDX-License-Identifier: Apache-2.0
 *
 * What an operator may change.
 */
#include <errno.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/log.h"

/* A refusal of the centre as an error of the protocol. */
enum rpc_answer api_refused(struct rpc_error *err, int code, const char *why)
{
	enum rpc_reason reason = code == -ENOENT     ? RPC_NOT_FOUND
				 : code == -ENOTCONN ? RPC_ENGINE_DOWN
						     : RPC_REFUSED;

	rpc_error_set(err, reason, "%s", why);
	return RPC_ANSWER_ERROR;
}

enum rpc_answer api_agent_set(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *agent = rpc_param_text(call->params, "agent", "");
	const char *state = rpc_param_text(call->params, "state", "");
	const char *phone = rpc_param_text(call->params, "phone", NULL);
	char why[200] = "";
	int code = phone != NULL && strcmp(state, "sign_in") == 0
			   ? centre_sign_in_at(api->c, agent, phone, why, sizeof(why))
			   : desk_agent_set(api->c, agent, state,
					    rpc_param_text(call->params, "reason", NULL), why,
					    sizeof(why));
	struct acd_agent_view v;
	int index;

	if (code != 0)
		return api_refused(err, code, why);
	index = acd_agent_find(api->c->acd, agent);
	if (!acd_agent_view(api->c->acd, index, &v)) {
		rpc_error_not_found(err, "agent", agent);
		return RPC_ANSWER_ERROR;
	}
	*result = json_pack(
		"{s:s,s:s,s:s}", "agent", agent, "state", agent_state_name(v.agent.state), "reason",
		v.agent.state == AGENT_NOT_READY ? desk_reason_name(api->c, v.agent.reason) : "");
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_agent_queue(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *agent = rpc_param_text(call->params, "agent", "");
	const char *queue = rpc_param_text(call->params, "queue", "");
	uint8_t level = (uint8_t)rpc_param_int(call->params, "level", 0);
	char why[200] = "";
	int code = centre_agent_queue(api->c, agent, queue, level, why, sizeof(why));

	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s,s:i}", "agent", agent, "queue", queue, "level", (int)level);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_queue_set(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *queue = rpc_param_text(call->params, "queue", "");
	bool paused = rpc_param_bool(call->params, "paused", false);
	char why[200] = "";
	int code = centre_queue_pause(api->c, queue, paused, why, sizeof(why));

	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:b}", "queue", queue, "paused", paused);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_queue_move(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	const char *queue = rpc_param_text(call->params, "queue", "");
	char why[200] = "";
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	code = centre_queue_move(api->c, found, queue, why, sizeof(why));
	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s}", "call", centre_call_id(found), "queue", queue);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_monitor(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	const char *by = rpc_param_text(call->params, "by", "");
	const char *mode = rpc_param_text(call->params, "mode", "");
	const char *state = "";
	char why[200] = "";
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	code = centre_monitor(api->c, found, by, mode, &state, why, sizeof(why));
	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s,s:s,s:s}", "call", centre_call_id(found), "by", by, "mode",
			    mode, "state", state);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_takeover(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	const char *by = rpc_param_text(call->params, "by", "");
	const char *state = "";
	char why[200] = "";
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	code = centre_takeover(api->c, found, by, &state, why, sizeof(why));
	if (code != 0)
		return api_refused(err, code, why);
	*result =
		json_pack("{s:s,s:s,s:s}", "call", centre_call_id(found), "by", by, "state", state);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_record(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	const char *action = rpc_param_text(call->params, "action", "");
	const char *by = rpc_param_text(call->params, "by", "operator");
	const char *state = "";
	char why[200] = "";
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	code = centre_record(api->c, found, action, by, &state, why, sizeof(why));
	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s,s:s}", "call", centre_call_id(found), "action", action,
			    "state", state);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_hangup(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	*result = json_pack("{s:s}", "call", centre_call_id(found));
	centre_hang_up(api->c, found);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_heard(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;

	(void)result;
	if (api->c->store == NULL ||
	    !store_heard(api->c->store, rpc_param_text(call->params, "recording", ""),
			 rpc_param_bool(call->params, "heard", true))) {
		rpc_error_set(err, RPC_STORE, "the queue to the database is full");
		return RPC_ANSWER_ERROR;
	}
	return RPC_ANSWER_RESULT;
}

static const char *flow_in_use(const struct api *api)
{
	return api->c->flow_count ? api->c->flows[0].name : "example";
}

enum rpc_answer api_flow_check(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *file = rpc_param_text(call->params, "file", flow_in_use(api));
	json_t *problems = json_array();
	unsigned errors = centre_check_flow(api->c, file, problems);

	(void)err;
	*result = json_pack("{s:s,s:b,s:o}", "file", file, "ok", errors == 0, "problems", problems);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer invalid(struct rpc_error *err, json_t *problems, const char *what)
{
	const json_t *first = json_array_get(problems, 0);

	rpc_error_set(err, RPC_INVALID_FILE, "%s: line %d: %s (nothing was changed)",
		      json_string_value(json_object_get(first, "file"))
			      ? json_string_value(json_object_get(first, "file"))
			      : what,
		      (int)json_integer_value(json_object_get(first, "line")),
		      json_string_value(json_object_get(first, "message"))
			      ? json_string_value(json_object_get(first, "message"))
			      : "not usable");
	rpc_error_add(err, "problems", problems);
	return RPC_ANSWER_ERROR;
}

enum rpc_answer api_flow_reload(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *file = rpc_param_text(call->params, "file", NULL);
	json_t *problems = NULL;
	unsigned nodes = 0;

	if (centre_reload_flows(api->c, file, &problems) != 0)
		return invalid(err, problems, "flow");
	for (unsigned i = 0; i < api->c->flow_count; i++)
		nodes += ivr_flow_nodes(api->c->flows[i].flow);
	*result = json_pack("{s:s,s:i,s:o}", "file", flow_in_use(api), "nodes", (int)nodes,
			    "warnings", problems);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_config_show(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	json_t *problems = json_array();

	*result = centre_show_config(api->c, problems);
	if (*result == NULL)
		return invalid(err, problems, "configuration");
	json_decref(problems);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_config_reload(const struct rpc_call *call, json_t **result,
				  struct rpc_error *err)
{
	struct api *api = call->owner;
	json_t *problems = json_array(), *changed = json_array(), *ignored = json_array();
	int code = centre_reload_config(api->c, problems, changed, ignored);

	if (code != 0) {
		json_decref(changed);
		json_decref(ignored);
		return invalid(err, problems, "configuration");
	}
	*result = json_pack("{s:s?,s:o,s:o,s:o}", "file", api->c->paths.config, "changed", changed,
			    "ignored", ignored, "warnings", problems);
	return RPC_ANSWER_RESULT;
}
