/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of methods, and the server on libre's loop.
 */
#include "api/api.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/re.h"

#include "api/api_priv.h"
#include "base/log.h"
#include "loop/clock.h"
#include "store/customers.h"
#include "store/knowledge.h"

#define AGENT_STATES_WORDS "sign_in|sign_out|ready|not_ready|wrap_up_done|dnd_on|dnd_off"

static const struct rpc_param call_params[] = {RPC_PARAM_ID("call", RPC_REQUIRED), RPC_PARAM_END};
static const struct rpc_param agent_set_params[] = {
	RPC_PARAM_ID("agent", RPC_REQUIRED),
	RPC_PARAM_WORD("state", RPC_REQUIRED, AGENT_STATES_WORDS),
	RPC_PARAM_TEXT("reason", RPC_OPTIONAL | RPC_NULLABLE, 0, 63),
	RPC_PARAM_TEXT("phone", RPC_OPTIONAL | RPC_NULLABLE, 0, 31),
	RPC_PARAM_END,
};
static const struct rpc_param monitor_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_ID("by", RPC_REQUIRED),
	RPC_PARAM_WORD("mode", RPC_REQUIRED, "listen|whisper|coach|barge|off"),
	RPC_PARAM_END,
};
static const struct rpc_param report_params[] = {
	RPC_PARAM_WORD("of", RPC_REQUIRED, "queues|agents|flows|groups|notes"),
	RPC_PARAM_TEXT("key", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_WORD("by", RPC_OPTIONAL, "call|queue|agent"),
	RPC_PARAM_INT("from_ms", RPC_REQUIRED, 0, INT64_MAX),
	RPC_PARAM_INT("to_ms", RPC_REQUIRED, 1, INT64_MAX),
	RPC_PARAM_WORD("interval", RPC_OPTIONAL, "15m|30m|1h|1d|all"),
	RPC_PARAM_TEXT("rank", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_BOOL("lowest_first", RPC_OPTIONAL | RPC_NULLABLE),
	RPC_PARAM_TEXT("zone", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_END,
};
static const struct rpc_param log_params[] = {
	RPC_PARAM_ID("agent", RPC_REQUIRED),
	RPC_PARAM_INT("from_ms", RPC_OPTIONAL | RPC_NULLABLE, 0, INT64_MAX),
	RPC_PARAM_INT("to_ms", RPC_OPTIONAL | RPC_NULLABLE, 0, INT64_MAX),
	RPC_PARAM_INT("limit", RPC_OPTIONAL | RPC_NULLABLE, 1, STORE_LIMIT_MAX),
	RPC_PARAM_ID("after", RPC_OPTIONAL | RPC_NULLABLE),
	RPC_PARAM_END,
};
static const struct rpc_param watch_params[] = {
	RPC_PARAM_TEXT("agent", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("queue", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_INT("from_ms", RPC_OPTIONAL | RPC_NULLABLE, 0, INT64_MAX),
	RPC_PARAM_INT("to_ms", RPC_OPTIONAL | RPC_NULLABLE, 0, INT64_MAX),
	RPC_PARAM_INT("limit", RPC_OPTIONAL | RPC_NULLABLE, 1, STORE_LIMIT_MAX),
	RPC_PARAM_ID("after", RPC_OPTIONAL | RPC_NULLABLE),
	RPC_PARAM_END,
};
static const struct rpc_param backup_params[] = {
	RPC_PARAM_TEXT("file", RPC_REQUIRED, 1, 1000),
	RPC_PARAM_END,
};
static const struct rpc_param takeover_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_ID("by", RPC_REQUIRED),
	RPC_PARAM_END,
};
static const struct rpc_param record_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_WORD("action", RPC_REQUIRED, "start|stop|pause|resume|mask|unmask|refuse"),
	RPC_PARAM_TEXT("by", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_END,
};
static const struct rpc_param move_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_TEXT("queue", RPC_REQUIRED, 1, 63),
	RPC_PARAM_END,
};
static const struct rpc_param agent_queue_params[] = {
	RPC_PARAM_ID("agent", RPC_REQUIRED),
	RPC_PARAM_TEXT("queue", RPC_REQUIRED, 1, 63),
	RPC_PARAM_INT("level", RPC_REQUIRED, 0, 9),
	RPC_PARAM_END,
};
static const struct rpc_param queue_set_params[] = {
	RPC_PARAM_TEXT("queue", RPC_REQUIRED, 1, 63),
	RPC_PARAM_BOOL("paused", RPC_REQUIRED),
	RPC_PARAM_END,
};
static const struct rpc_param transfer_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_TEXT("to", RPC_REQUIRED, 1, 63),
	RPC_PARAM_WORD("mode", RPC_OPTIONAL, "blind|attended"),
	RPC_PARAM_ID("by", RPC_OPTIONAL),
	RPC_PARAM_END,
};
static const struct rpc_param conference_params[] = {
	RPC_PARAM_TEXT("conference", RPC_REQUIRED, 1, 63),
	RPC_PARAM_WORD("action", RPC_REQUIRED, "add|mute|unmute|eject|lock|unlock|end"),
	RPC_PARAM_TEXT("member", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_END,
};
static const struct rpc_param consult_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_WORD("action", RPC_REQUIRED, "complete|cancel|conference"),
	RPC_PARAM_END,
};
static const struct rpc_param park_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_TEXT("slot", RPC_OPTIONAL | RPC_NULLABLE, 1, 31),
	RPC_PARAM_END,
};
static const struct rpc_param unpark_params[] = {
	RPC_PARAM_TEXT("slot", RPC_REQUIRED, 1, 31),
	RPC_PARAM_ID("to", RPC_REQUIRED),
	RPC_PARAM_END,
};
static const struct rpc_param callback_add_params[] = {
	RPC_PARAM_TEXT("queue", RPC_REQUIRED, 1, 63),
	RPC_PARAM_TEXT("number", RPC_REQUIRED, 1, 31),
	RPC_PARAM_INT("at_ms", RPC_OPTIONAL | RPC_NULLABLE, 0, INT64_MAX / 2),
	RPC_PARAM_INT("priority", RPC_OPTIONAL | RPC_NULLABLE, 0, 9),
	RPC_PARAM_END,
};
static const struct rpc_param customers_params[] = {
	RPC_PARAM_TEXT("customer", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("number", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("text", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("field", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("value", RPC_OPTIONAL | RPC_NULLABLE, 0, 255),
	RPC_PARAM_TEXTS("sort", RPC_OPTIONAL, 0, 2),
	RPC_PARAM_INT("limit", RPC_OPTIONAL | RPC_NULLABLE, 1, STORE_LIMIT_MAX),
	RPC_PARAM_INT("offset", RPC_OPTIONAL | RPC_NULLABLE, 0, INT32_MAX),
	RPC_PARAM_TEXT("after", RPC_OPTIONAL | RPC_NULLABLE, 0, 63),
	RPC_PARAM_END,
};
static const struct rpc_param customer_field_params[] = {
	RPC_PARAM_TEXT("name", RPC_REQUIRED, 1, 63),
	RPC_PARAM_TEXT("value", RPC_REQUIRED | RPC_NULLABLE, 0, 1000),
	RPC_PARAM_END,
};
static const struct rpc_param customer_row_params[] = {
	RPC_PARAM_WORD("do", RPC_OPTIONAL, "put|delete"),
	RPC_PARAM_TEXT("customer", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("name", RPC_OPTIONAL | RPC_NULLABLE, 0, 200),
	RPC_PARAM_TEXTS("numbers", RPC_OPTIONAL, 0, STORE_CUSTOMER_NUMBERS_MAX),
	RPC_PARAM_LIST("fields", RPC_OPTIONAL, 0, STORE_CUSTOMER_FIELDS_MAX, customer_field_params),
	RPC_PARAM_INT("line", RPC_OPTIONAL, 0, INT32_MAX),
	RPC_PARAM_END,
};
static const struct rpc_param customers_write_params[] = {
	RPC_PARAM_LIST("rows", RPC_REQUIRED, 1, STORE_CUSTOMER_ROWS_MAX, customer_row_params),
	RPC_PARAM_WORD("duplicates", RPC_OPTIONAL, "refuse|update|allow"),
	RPC_PARAM_END,
};
static const struct rpc_param knowledge_params[] = {
	RPC_PARAM_TEXT("text", RPC_OPTIONAL, 1, 255),
	RPC_PARAM_TEXT("who", RPC_OPTIONAL, 0, 63),
	RPC_PARAM_INT("limit", RPC_OPTIONAL, 1, 50),
	RPC_PARAM_END,
};
static const struct rpc_param article_params[] = {
	RPC_PARAM_TEXT("article", RPC_REQUIRED, 1, 63),
	RPC_PARAM_END,
};
static const struct rpc_param article_line_params[] = {
	RPC_PARAM_TEXT("line", RPC_REQUIRED, 0, 1000),
	RPC_PARAM_END,
};
static const struct rpc_param article_row_params[] = {
	RPC_PARAM_WORD("do", RPC_OPTIONAL, "put|delete"),
	RPC_PARAM_TEXT("article", RPC_REQUIRED, 1, 63),
	RPC_PARAM_TEXT("title", RPC_OPTIONAL, 1, 200),
	RPC_PARAM_TEXTS("keywords", RPC_OPTIONAL, 0, STORE_ARTICLE_KEYWORDS_MAX),
	RPC_PARAM_LIST("text", RPC_OPTIONAL, 0, 10000, article_line_params),
	RPC_PARAM_END,
};
static const struct rpc_param knowledge_write_params[] = {
	RPC_PARAM_LIST("rows", RPC_REQUIRED, 1, STORE_ARTICLE_ROWS_MAX, article_row_params),
	RPC_PARAM_END,
};
static const struct rpc_param searches_params[] = {
	RPC_PARAM_INT("from_ms", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_INT("to_ms", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_BOOL("in_vain", RPC_OPTIONAL),
	RPC_PARAM_INT("limit", RPC_OPTIONAL, 1, STORE_LIMIT_MAX),
	RPC_PARAM_END,
};
static const struct rpc_param acts_params[] = {
	RPC_PARAM_INT("from_ms", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_INT("to_ms", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_TEXT("who", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("method", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_BOOL("refused", RPC_OPTIONAL),
	RPC_PARAM_INT("limit", RPC_OPTIONAL, 1, STORE_LIMIT_MAX),
	RPC_PARAM_END,
};
static const struct rpc_param history_params[] = {
	RPC_PARAM_ID("call", RPC_OPTIONAL | RPC_NULLABLE),
	RPC_PARAM_TEXT("agent", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("queue", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("number", RPC_OPTIONAL | RPC_NULLABLE, 1, 63),
	RPC_PARAM_TEXT("kind", RPC_OPTIONAL | RPC_NULLABLE, 1, 31),
	RPC_PARAM_INT("from_ms", RPC_OPTIONAL | RPC_NULLABLE, 0, INT64_MAX),
	RPC_PARAM_INT("to_ms", RPC_OPTIONAL | RPC_NULLABLE, 0, INT64_MAX),
	RPC_PARAM_BOOL("unheard", RPC_OPTIONAL | RPC_NULLABLE),
	RPC_PARAM_INT("limit", RPC_OPTIONAL | RPC_NULLABLE, 1, STORE_LIMIT_MAX),
	RPC_PARAM_ID("after", RPC_OPTIONAL | RPC_NULLABLE),
	RPC_PARAM_END,
};
static const struct rpc_param heard_params[] = {
	RPC_PARAM_UUID("recording", RPC_REQUIRED),
	RPC_PARAM_BOOL("heard", RPC_OPTIONAL),
	RPC_PARAM_END,
};
static const struct rpc_param file_params[] = {
	RPC_PARAM_TEXT("file", RPC_OPTIONAL | RPC_NULLABLE, 1, 1000),
	RPC_PARAM_END,
};

static const struct rpc_method methods[] = {
	{"status", rpc_params_none, api_status},
	{"calls", rpc_params_none, api_calls},
	{"call", call_params, api_call_one},
	{"legs", rpc_params_none, api_legs},
	{"queues", rpc_params_none, api_queues},
	{"agents", rpc_params_none, api_agents},
	{"trunks", rpc_params_none, api_trunks},
	{"agent.set", agent_set_params, api_agent_set},
	{"agent.queue", agent_queue_params, api_agent_queue},
	{"queue.set", queue_set_params, api_queue_set},
	{"queue.move", move_params, api_queue_move},
	{"monitor", monitor_params, api_monitor},
	{"takeover", takeover_params, api_takeover},
	{"record", record_params, api_record},
	{"transfer", transfer_params, api_transfer},
	{"park", park_params, api_park},
	{"parked", rpc_params_none, api_parked},
	{"unpark", unpark_params, api_unpark},
	{"callbacks", rpc_params_none, api_callbacks},
	{"callback.add", callback_add_params, api_callback_add},
	{"callback.dial", call_params, api_callback_dial},
	{"customers", customers_params, api_customers},
	{"customers.write", customers_write_params, api_customers_write},
	{"knowledge", knowledge_params, api_knowledge},
	{"knowledge.read", article_params, api_knowledge_read},
	{"knowledge.write", knowledge_write_params, api_knowledge_write},
	{"knowledge.searches", searches_params, api_knowledge_searches},
	{"consult", consult_params, api_consult},
	{"conferences", rpc_params_none, api_conferences},
	{"conference", conference_params, api_conference},
	{"hangup", call_params, api_hangup},
	{"recordings", history_params, api_recordings},
	{"cdr", history_params, api_cdr},
	{"report", report_params, api_report},
	{"agent.log", log_params, api_agent_log},
	{"agent.conduct", watch_params, api_agent_conduct},
	{"overlong", watch_params, api_overlong},
	{"alarms", rpc_params_none, api_alarms},
	{"backup", backup_params, api_backup},
	{"audit", acts_params, api_acts},
	{"voicemail.heard", heard_params, api_heard},
	{"drops", rpc_params_none, api_drops},
	{"engine", rpc_params_none, api_engine},
	{"flow.check", file_params, api_flow_check},
	{"flow.reload", file_params, api_flow_reload},
	{"config.show", rpc_params_none, api_config_show},
	{"config.reload", rpc_params_none, api_config_reload},
	{NULL, NULL, NULL},
};

static void publish(void *arg, const char *type, json_t *members)
{
	struct api *api = arg;

	rpc_server_event(api->server, clock_wall_ms(), type, members);
}

static void on_readable(int flags, void *arg)
{
	struct api *api = arg;

	(void)flags;
	rpc_server_poll(api->server);
}

int api_open(struct api **out, struct centre *c, const char *path, int group)
{
	struct api *api = calloc(1, sizeof(*api));
	struct rpc_server_config cfg;
	int err;

	if (api == NULL)
		return -ENOMEM;
	api->c = c;
	api->events = event_log_new(EVENT_LOG_EVENTS, EVENT_LOG_BYTES);
	cfg = (struct rpc_server_config){
		.name = "daemon",
		.version = PATCHBAY_VERSION,
		.protocol = 1,
		.methods = methods,
		.owner = api,
		.events = api->events,
		.group = group,
		.handled = api_audit,
	};
	err = rpc_server_open(&api->server, path, &cfg);
	if (err == 0) {
		api->fd = rpc_server_fd(api->server);
		err = -fd_listen(api->fd, FD_READ, on_readable, api);
	}
	if (err != 0) {
		rpc_server_close(api->server);
		event_log_free(api->events);
		free(api);
		return err;
	}
	c->publish = publish;
	c->publish_arg = api;
	*out = api;
	return 0;
}

void api_close(struct api *api)
{
	if (api == NULL)
		return;
	api->c->publish = NULL;
	fd_close(api->fd);
	rpc_server_close(api->server);
	event_log_free(api->events);
	free(api);
}

struct call *api_call(struct api *api, const json_t *params, struct rpc_error *err)
{
	const char *id = rpc_param_text(params, "call", "");
	bool several;
	struct call *call = call_find(api->c, id, &several);

	if (call == NULL && several)
		rpc_error_set(err, RPC_INVALID_PARAMS, "params.call: more than one call ends in %s",
			      id);
	else if (call == NULL)
		rpc_error_not_found(err, "call", id);
	return call;
}
