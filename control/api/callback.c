/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls back.
 */
#include "api/api_priv.h"

enum rpc_answer api_callbacks(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;

	(void)err;
	*result = json_pack("{s:o}", "callbacks", centre_callbacks(api->c));
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_callback_add(const struct rpc_call *call, json_t **result,
				 struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *queue = rpc_param_text(call->params, "queue", "");
	const char *number = rpc_param_text(call->params, "number", "");
	const char *id = "";
	char why[200] = "";
	int code = centre_callback_add(
		api->c, queue, number, (uint64_t)rpc_param_int(call->params, "at_ms", 0),
		(uint8_t)rpc_param_int(call->params, "priority", 0), &id, why, sizeof(why));

	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s,s:s}", "call", id, "queue", queue, "number", number);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_callback_dial(const struct rpc_call *call, json_t **result,
				  struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	char why[200] = "";
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	code = centre_callback_dial(found, why, sizeof(why));
	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s}", "call", centre_call_id(found));
	return RPC_ANSWER_RESULT;
}
