/* SPDX-License-Identifier: Apache-2.0
 *
 * What is now: answered from memory.
 */
#include <string.h>

#include "api/api_priv.h"
#include "call/watch.h"
#include "loop/clock.h"
#include "sip/sip_trunk.h"

static json_t *text(const char *s)
{
	json_t *v = json_string(s);

	return v ? v : json_string("?");
}

json_t *api_alarm_rows(const struct centre *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < c->alarm_count; i++) {
		const struct centre_alarm *a = &c->alarms[i];
		json_t *o = json_object();

		json_object_set_new(o, "area", text(a->area));
		json_object_set_new(o, "text", text(a->text));
		json_object_set_new(o, "since_ms", json_integer((json_int_t)a->since_ms));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *engine_part(const struct centre *c)
{
	struct engine_view v;

	engine_view(c->engine, &v);
	return json_pack("{s:b,s:s,s:s,s:s,s:I,s:i}", "connected", v.connected, "version",
			 v.version, "instance", v.instance, "socket", v.path, "since_ms",
			 (json_int_t)v.since_ms, "reconnects", (int)v.reconnects);
}

static json_t *sip_part(const struct centre *c)
{
	struct sip_stack_stats s = {0};
	json_t *listen = json_array();

	sip_stack_stats(c->sip, &s);
	for (size_t i = 0; i < c->listens; i++)
		json_array_append_new(listen, json_pack("{s:s,s:s,s:i}", "transport",
							sip_transport_name(c->listen[i].transport),
							"address", c->listen[i].ip, "port",
							(int)sip_stack_port(c->sip, i)));
	return json_pack("{s:o,s:i,s:i,s:I,s:I,s:I,s:I,s:I}", "listen", listen, "registered",
			 (int)s.bindings_now, "calls", (int)s.calls_now, "requests",
			 (json_int_t)s.requests, "refused_overload", (json_int_t)s.refused_overload,
			 "refused_auth", (json_int_t)s.refused_auth, "refused_blocked",
			 (json_int_t)s.refused_blocked, "refused_malformed",
			 (json_int_t)s.refused_malformed);
}

static json_t *agents_part(const struct centre *c)
{
	unsigned n[AGENT_STATES] = {0}, total = 0;
	struct acd_agent_view v;

	for (uint32_t i = 0; i < acd_agents(c->acd); i++) {
		if (!acd_agent_view(c->acd, (int)i, &v))
			continue;
		n[v.agent.state]++;
		total++;
	}
	return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "total", (int)total, "ready",
			 (int)n[AGENT_READY], "not_ready", (int)n[AGENT_NOT_READY], "ringing",
			 (int)n[AGENT_RINGING], "talking", (int)n[AGENT_TALKING], "wrap_up",
			 (int)n[AGENT_WRAP_UP], "other", (int)n[AGENT_OTHER], "signed_out",
			 (int)n[AGENT_OFFLINE]);
}

static json_t *store_part(const struct centre *c)
{
	struct store_status s = {0};

	if (c->store == NULL)
		return json_null();
	store_status(c->store, &s);
	return json_pack("{s:s,s:s,s:s,s:i,s:i,s:I,s:I,s:i,s:o}", "file", c->database, "state",
			 store_state_name(s.state), "text", s.text, "waiting", (int)s.waiting,
			 "waiting_max", (int)s.waiting_max, "dropped", (json_int_t)s.dropped,
			 "written", (json_int_t)s.written, "schema", s.schema, "purged",
			 watch_purged(c));
}

static json_t *flow_part(const struct centre *c)
{
	const struct centre_flow *f = c->flow_count ? &c->flows[0] : NULL;

	return json_pack("{s:s?,s:I,s:b,s:i}", "file", f ? f->name : NULL, "loaded_ms",
			 (json_int_t)(f ? f->loaded_ms : 0), "embedded",
			 f && strcmp(f->name, "example") == 0, "flows", (int)c->flow_count);
}

static unsigned waiting_now(const struct centre *c)
{
	struct acd_queue_view q;
	unsigned n = 0;

	for (uint32_t i = 0; i < acd_queues(c->acd); i++)
		if (acd_queue_view(c->acd, (int)i, clock_mono_ms(), &q))
			n += q.waiting;
	return n;
}

static json_t *acd_part(const struct centre *c)
{
	const struct latency *l = &c->decision;

	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "offers", (json_int_t)l->count, "p50_us",
			 (json_int_t)latency_quantile_us(l, 0.5), "p99_us",
			 (json_int_t)latency_quantile_us(l, 0.99), "p999_us",
			 (json_int_t)latency_quantile_us(l, 0.999), "max_us",
			 (json_int_t)l->max_us);
}

static void count_trunk(const struct sip_trunk_view *v, void *arg)
{
	unsigned *n = arg;

	n[v->state]++;
}

static json_t *trunks_part(const struct centre *c)
{
	unsigned n[3] = {0};

	sip_trunk_each(c->sip, count_trunk, n);
	return json_pack("{s:i,s:i,s:i}", "total",
			 (int)(n[SIP_TRUNK_UP] + n[SIP_TRUNK_DOWN] + n[SIP_TRUNK_UNKNOWN]), "up",
			 (int)n[SIP_TRUNK_UP], "down", (int)n[SIP_TRUNK_DOWN]);
}

enum rpc_answer api_trunks(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;

	(void)err;
	*result = json_pack("{s:o}", "trunks", view_trunk_rows(api->c));
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_status(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	struct centre *c = api->c;
	uint64_t now_ms = clock_wall_ms(), start_ms = rpc_server_started_ms(api->server);
	json_t *o = json_object();

	(void)err;
	json_object_set_new(o, "version", text(PATCHBAY_VERSION));
	json_object_set_new(o, "instance", text(rpc_server_instance(api->server)));
	json_object_set_new(o, "started_ms", json_integer((json_int_t)start_ms));
	json_object_set_new(o, "uptime_ms",
			    json_integer(now_ms > start_ms ? (json_int_t)(now_ms - start_ms) : 0));
	json_object_set_new(o, "healthy",
			    json_boolean(c->alarm_count == 0 && engine_is_up(c->engine)));
	json_object_set_new(o, "alarms", api_alarm_rows(c));
	json_object_set_new(o, "engine", engine_part(c));
	json_object_set(o, "recorder", c->recorder.row != NULL ? c->recorder.row : json_null());
	json_object_set_new(o, "sip", sip_part(c));
	json_object_set_new(o, "calls",
			    json_pack("{s:i,s:I,s:I,s:I}", "now", (int)c->calls_now, "total",
				      (json_int_t)c->numbers.calls_total, "refused",
				      (json_int_t)c->numbers.calls_refused, "engine_lost",
				      (json_int_t)c->numbers.calls_engine_lost));
	json_object_set_new(o, "agents", agents_part(c));
	json_object_set_new(o, "queues", json_pack("{s:i}", "waiting", (int)waiting_now(c)));
	json_object_set_new(o, "trunks", trunks_part(c));
	json_object_set_new(o, "acd", acd_part(c));
	json_object_set_new(o, "store", store_part(c));
	json_object_set_new(o, "config",
			    json_pack("{s:s?,s:I,s:b}", "file", c->paths.config, "loaded_ms",
				      (json_int_t)c->config_loaded_ms, "embedded",
				      c->paths.config == NULL));
	json_object_set_new(o, "flow", flow_part(c));
	*result = o;
	return RPC_ANSWER_RESULT;
}

static void add_call(struct call *call, void *list)
{
	json_array_append_new(list, view_call_row(call));
}

enum rpc_answer api_calls(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	json_t *list = json_array();

	(void)err;
	call_each(api->c, add_call, list);
	*result = json_pack("{s:o}", "calls", list);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_call_one(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	bool several;
	struct call *found = call_find(api->c, rpc_param_text(call->params, "call", ""), &several);

	if (found == NULL && !several)
		return api_ask_call(api, call, err); /* perhaps it is over */
	found = api_call(api, call->params, err);
	if (found == NULL)
		return RPC_ANSWER_ERROR;
	*result = view_call_detail(found);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_queues(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	json_t *list = json_array();

	(void)err;
	for (uint32_t i = 0; i < acd_queues(api->c->acd); i++) {
		json_t *row = view_queue_row(api->c, (int)i);

		if (row != NULL)
			json_array_append_new(list, row);
	}
	*result = json_pack("{s:o}", "queues", list);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer api_agents(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	struct api *api = call->owner;
	json_t *list = json_array();

	(void)err;
	for (uint32_t i = 0; i < acd_agents(api->c->acd); i++) {
		json_t *row = view_agent_row(api->c, (int)i);

		if (row != NULL)
			json_array_append_new(list, row);
	}
	*result = json_pack("{s:o}", "agents", list);
	return RPC_ANSWER_RESULT;
}
