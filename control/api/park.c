/* SPDX-License-Identifier: Apache-2.0
 *
 * Parking places.
 */
#include "api/api_priv.h"

enum rpc_answer api_park(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct call *found = api_call(api, call->params, err);
	char why[200] = "", place[32];
	int code;

	if (found == NULL)
		return RPC_ANSWER_ERROR;
	code = centre_park(api->c, found, rpc_param_text(call->params, "slot", NULL), place,
			   sizeof(place), why, sizeof(why));
	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s}", "call", centre_call_id(found), "slot", place);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_unpark(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *place = rpc_param_text(call->params, "slot", "");
	const char *to = rpc_param_text(call->params, "to", "");
	char why[200] = "";
	int code = centre_unpark(api->c, place, to, why, sizeof(why));

	if (code != 0)
		return api_refused(err, code, why);
	*result = json_pack("{s:s,s:s}", "slot", place, "to", to);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_parked(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;

	(void)err;
	*result = json_pack("{s:o}", "parked", centre_parked(api->c));
	return RPC_ANSWER_RESULT;
}
