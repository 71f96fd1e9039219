/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfer, blind or after a consultation, and what comes of the consultation.
 */
#include <string.h>

#include "api/api_priv.h"

enum rpc_answer api_transfer(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	const char *to = rpc_param_text(call->params, "to", "");
	const char *by = rpc_param_text(call->params, "by", NULL);
	const char *mode = rpc_param_text(call->params, "mode", "blind");
	const char *state = "";
	char why[200] = "";
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	*result = json_pack("{s:s,s:s,s:s}", "call", centre_call_id(found), "to", to, "mode", mode);
	if (strcmp(mode, "attended") == 0)
		code = centre_consult(api->c, found, "start", to, by, &state, why, sizeof(why));
	else
		code = centre_transfer(api->c, found, to, why, sizeof(why));
	if (code == 0)
		return RPC_ANSWER_RESULT;
	json_decref(*result);
	*result = NULL;
	return api_refused(err, code, why);
}

enum rpc_answer api_consult(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	const char *action = rpc_param_text(call->params, "action", "");
	const char *state = "";
	char why[200] = "";
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	code = centre_consult(api->c, found, action, NULL, NULL, &state, why, sizeof(why));
	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s,s:s}", "call", centre_call_id(found), "action", action,
			    "state", state);
	return RPC_ANSWER_RESULT;
}
