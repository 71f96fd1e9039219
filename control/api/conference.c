/* SPDX-License-Identifier: Apache-2.0
 *
 * Conference rooms: who is where, and what a moderator may do.
 */
#include "api/api_priv.h"

enum rpc_answer api_conferences(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;

	(void)err;
	*result = json_pack("{s:o}", "conferences", centre_conferences(api->c));
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_conference(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	const char *name = rpc_param_text(call->params, "conference", "");
	const char *action = rpc_param_text(call->params, "action", "");
	const char *member = rpc_param_text(call->params, "member", NULL);
	char why[200] = "";
	int code = centre_conference(api->c, name, action, member, why, sizeof(why));

	if (code != 0)
		return api_refused(err, code, why);
	*result =
		json_pack("{s:s,s:s,s:s?}", "conference", name, "action", action, "member", member);
	return RPC_ANSWER_RESULT;
}
