/* SPDX-License-Identifier: Apache-2.0
 *
 * Who did what by the control socket: each request that changes something, or takes customers out by the many, is kept with
 * the user of this machine who made it. What only looks is not.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/log.h"
#include "loop/clock.h"
#include "store/acts.h"

enum { PARAMS_MAX = 1000 };

/* A method that is not here is an act. */
static const char *const only_look[] = {
	"status",      "calls",      "call",     "legs",           "queues",
	"agents",      "trunks",     "parked",   "callbacks",      "knowledge",
	"conferences", "recordings", "cdr",      "knowledge.read", "knowledge.searches",
	"report",      "agent.log",  "overlong", "agent.conduct",  "alarms",
	"audit",       "drops",      "engine",   "flow.check",     "config.show",
};

static bool is_act(const struct rpc_call *call)
{
	if (strcmp(call->method, "customers") == 0)
		return api_customers_bulk(call->params);
	for (size_t i = 0; i < sizeof(only_look) / sizeof(only_look[0]); i++)
		if (strcmp(call->method, only_look[i]) == 0)
			return false;
	return true;
}

void api_user(uint32_t uid, char out[API_USER_MAX])
{
	struct passwd entry, *found = NULL;
	char buf[2048];

	if (getpwuid_r((uid_t)uid, &entry, buf, sizeof(buf), &found) == 0 && found != NULL)
		snprintf(out, API_USER_MAX, "%s", entry.pw_name);
	else
		snprintf(out, API_USER_MAX, "user %u", (unsigned)uid);
}

/* Many rows are only counted. */
static void describe(const struct rpc_call *call, char *out, size_t size)
{
	const json_t *rows = json_object_get(call->params, "rows");
	char *text;

	if (json_array_size(rows) > 1) {
		snprintf(out, size, "{\"rows\":%zu}", json_array_size(rows));
		return;
	}
	text = json_dumps(call->params, JSON_COMPACT);
	if (text != NULL && strlen(text) < size)
		snprintf(out, size, "%s", text);
	else
		snprintf(out, size, "{\"bytes\":%zu}", text != NULL ? strlen(text) : 0);
	free(text);
}

void api_audit(const struct rpc_call *call, enum rpc_answer answer, const struct rpc_error *err)
{
	struct api *api = call->owner;
	char who[API_USER_MAX], params[PARAMS_MAX];
	struct store_act act = {
		.at_ms = clock_wall_ms(),
		.who = who,
		.method = call->method,
		.params = params,
		.result = answer == RPC_ANSWER_ERROR ? rpc_reason_word(err->reason) : "ok",
	};

	if (api->c->store == NULL || !is_act(call))
		return;
	api_user(call->uid, who);
	describe(call, params, sizeof(params));
	if (!store_act(api->c->store, &act))
		log_warn("api", "not noted: %s by %s: %s", call->method, who, act.result);
}

enum rpc_answer api_acts(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	static const char *const members[] = {"from_ms", "to_ms", "who", "method", "refused", NULL};

	(void)result;
	return api_ask_store(call, store_acts, api_filter(call->params, 50, members), err);
}
