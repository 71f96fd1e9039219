/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening, one round, and the table of methods: read that first.
 */
#include "rpc/engine_rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "rpc/rpc_priv.h"

enum { EVENTS_PER_ROUND = 4096, REGISTRY_BUCKETS = 16384 };

/* --- what the methods take --- */

static const struct rpc_param call_open_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_ID("near", RPC_OPTIONAL),
	RPC_PARAM_BOOL("room", RPC_OPTIONAL),
	RPC_PARAM_BOOL("urgent", RPC_OPTIONAL),
	RPC_PARAM_END,
};
static const struct rpc_param call_params[] = {RPC_PARAM_ID("call", RPC_REQUIRED), RPC_PARAM_END};
static const struct rpc_param call_optional[] = {RPC_PARAM_ID("call", RPC_OPTIONAL), RPC_PARAM_END};
static const struct rpc_param leg_params[] = {RPC_PARAM_ID("leg", RPC_REQUIRED), RPC_PARAM_END};
enum { PLAY_POSITION_MAX_MS = 24 * 3600 * 1000 };

static const struct rpc_param play_params[] = {RPC_PARAM_ID("play", RPC_REQUIRED), RPC_PARAM_END};
static const struct rpc_param collect_params[] = {RPC_PARAM_ID("collect", RPC_REQUIRED),
						  RPC_PARAM_END};
static const struct rpc_param recording_params[] = {RPC_PARAM_UUID("recording", RPC_REQUIRED),
						    RPC_PARAM_END};
static const struct rpc_param monitor_params[] = {RPC_PARAM_ID("monitor", RPC_REQUIRED),
						  RPC_PARAM_END};
static const struct rpc_param capture_start_params[] = {
	RPC_PARAM_ID("capture", RPC_REQUIRED),
	RPC_PARAM_ID("call", RPC_OPTIONAL),
	RPC_PARAM_ID("leg", RPC_OPTIONAL),
	RPC_PARAM_INT("packets", RPC_OPTIONAL, 1, 1000000),
	RPC_PARAM_END,
};
static const struct rpc_param capture_params[] = {RPC_PARAM_ID("capture", RPC_REQUIRED),
						  RPC_PARAM_END};
static const struct rpc_param prompt_load_params[] = {
	RPC_PARAM_TEXT("directory", RPC_OPTIONAL, 1, 4095),
	RPC_PARAM_END,
};

static const struct rpc_param hear_entry_params[] = {
	RPC_PARAM_ID("listener", RPC_OPTIONAL),
	RPC_PARAM_ID("speaker", RPC_REQUIRED),
	RPC_PARAM_REAL("gain_db", RPC_OPTIONAL, -60, 20),
	RPC_PARAM_END,
};
static const struct rpc_param call_hear_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_ID("listener", RPC_OPTIONAL),
	RPC_PARAM_LIST("hear", RPC_REQUIRED, 0, CALL_HEAR_MAX, hear_entry_params),
	RPC_PARAM_END,
};
static const struct rpc_param monitor_start_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_ID("monitor", RPC_REQUIRED),
	RPC_PARAM_ID("supervisor", RPC_REQUIRED),
	RPC_PARAM_ID("agent", RPC_REQUIRED),
	RPC_PARAM_ID("customer", RPC_REQUIRED),
	RPC_PARAM_WORD("mode", RPC_REQUIRED, "listen|whisper|barge|coach"),
	RPC_PARAM_END,
};
static const struct rpc_param monitor_mode_params[] = {
	RPC_PARAM_ID("monitor", RPC_REQUIRED),
	RPC_PARAM_WORD("mode", RPC_REQUIRED, "listen|whisper|barge|coach"),
	RPC_PARAM_END,
};
static const struct rpc_param dtmf_send_params[] = {
	RPC_PARAM_ID("leg", RPC_REQUIRED),
	RPC_PARAM_TEXT("digits", RPC_REQUIRED, 1, COLLECT_DIGITS_MAX),
	RPC_PARAM_INT("duration_ms", RPC_OPTIONAL, 40, 5000),
	RPC_PARAM_INT("gap_ms", RPC_OPTIONAL, 40, 5000),
	RPC_PARAM_END,
};
static const struct rpc_param play_item_params[] = {
	RPC_PARAM_TEXT("prompt", RPC_OPTIONAL, 1, 127),
	RPC_PARAM_TEXT("tone", RPC_OPTIONAL, 1, 16),
	RPC_PARAM_TEXT("country", RPC_OPTIONAL, 2, 2),
	RPC_PARAM_TEXT("cadence", RPC_OPTIONAL, 1, 255),
	RPC_PARAM_INT("silence_ms", RPC_OPTIONAL, 20, 600000),
	RPC_PARAM_END,
};
static const struct rpc_param room_set_params[] = {
	RPC_PARAM_ID("leg", RPC_REQUIRED),
	RPC_PARAM_BOOL("muted", RPC_OPTIONAL),
	RPC_PARAM_BOOL("deaf", RPC_OPTIONAL),
	RPC_PARAM_END,
};
static const struct rpc_param play_interrupt_params[] = {
	RPC_PARAM_TEXT("digits", RPC_OPTIONAL, 0, 48),
	RPC_PARAM_BOOL("speech", RPC_OPTIONAL),
	RPC_PARAM_END,
};
static const struct rpc_param play_start_params[] = {
	RPC_PARAM_ID("leg", RPC_OPTIONAL),
	RPC_PARAM_ID("call", RPC_OPTIONAL),
	RPC_PARAM_ID("play", RPC_REQUIRED),
	RPC_PARAM_LIST("items", RPC_REQUIRED, 1, PLAY_ITEMS_MAX, play_item_params),
	RPC_PARAM_INT("loop", RPC_OPTIONAL, 0, 1000000),
	RPC_PARAM_TEXT_OR_OBJECT("interrupt", RPC_OPTIONAL, 0, 48, play_interrupt_params),
	RPC_PARAM_REAL("gain_db", RPC_OPTIONAL, -60, 20),
	RPC_PARAM_BOOL("paused", RPC_OPTIONAL),
	RPC_PARAM_INT("position_ms", RPC_OPTIONAL, 0, PLAY_POSITION_MAX_MS),
	RPC_PARAM_END,
};
static const struct rpc_param play_set_params[] = {
	RPC_PARAM_ID("play", RPC_REQUIRED),
	RPC_PARAM_BOOL("paused", RPC_OPTIONAL),
	RPC_PARAM_REAL("gain_db", RPC_OPTIONAL, -60, 20),
	RPC_PARAM_INT("position_ms", RPC_OPTIONAL, 0, PLAY_POSITION_MAX_MS),
	RPC_PARAM_INT("by_ms", RPC_OPTIONAL, -PLAY_POSITION_MAX_MS, PLAY_POSITION_MAX_MS),
	RPC_PARAM_END,
};
static const struct rpc_param collect_start_params[] = {
	RPC_PARAM_ID("leg", RPC_REQUIRED),
	RPC_PARAM_ID("collect", RPC_REQUIRED),
	RPC_PARAM_INT("max", RPC_REQUIRED, 1, COLLECT_DIGITS_MAX),
	RPC_PARAM_INT("min", RPC_OPTIONAL, 0, COLLECT_DIGITS_MAX),
	RPC_PARAM_TEXT("terminators", RPC_OPTIONAL, 0, 48),
	RPC_PARAM_INT("first_timeout_ms", RPC_OPTIONAL, 0, 600000),
	RPC_PARAM_INT("inter_timeout_ms", RPC_OPTIONAL, 0, 600000),
	RPC_PARAM_BOOL("secret", RPC_OPTIONAL),
	RPC_PARAM_END,
};
static const struct rpc_param record_start_params[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_UUID("recording", RPC_REQUIRED),
	RPC_PARAM_ID("customer", RPC_REQUIRED),
	RPC_PARAM_OBJECT("metadata", RPC_OPTIONAL, NULL),
	RPC_PARAM_END,
};
static const struct rpc_param record_mark_params[] = {
	RPC_PARAM_UUID("recording", RPC_REQUIRED),
	RPC_PARAM_TEXT("text", RPC_REQUIRED, 1, 255),
	RPC_PARAM_END,
};
static const struct rpc_param record_mask_params[] = {
	RPC_PARAM_UUID("recording", RPC_REQUIRED),
	RPC_PARAM_WORD("channel", RPC_OPTIONAL, "said|heard|both"),
	RPC_PARAM_TEXT("reason", RPC_OPTIONAL, 1, 255),
	RPC_PARAM_END,
};

static const struct rpc_param record_recovered_params[] = {
	RPC_PARAM_INT("from", RPC_OPTIONAL, 0, INT32_MAX),
	RPC_PARAM_END,
};

/* --- the methods, in the order of the protocol document --- */

static const struct rpc_method methods[] = {
	{"snapshot", rpc_params_none, rpc_snapshot},
	{"call.open", call_open_params, rpc_call_open},
	{"call.close", call_params, rpc_call_close},
	{"call.hear", call_hear_params, rpc_call_hear},
	{"room.set", room_set_params, rpc_room_set},
	{"monitor.start", monitor_start_params, rpc_monitor_start},
	{"monitor.mode", monitor_mode_params, rpc_monitor_mode},
	{"monitor.stop", monitor_params, rpc_monitor_stop},
	{"leg.open", leg_open_params, rpc_leg_open},
	{"leg.set", leg_set_params, rpc_leg_set},
	{"leg.close", leg_params, rpc_leg_close},
	{"leg.stat", leg_params, rpc_leg_stat},
	{"dtmf.send", dtmf_send_params, rpc_dtmf_send},
	{"play.start", play_start_params, rpc_play_start},
	{"play.stop", play_params, rpc_play_stop},
	{"play.set", play_set_params, rpc_play_set},
	{"collect.start", collect_start_params, rpc_collect_start},
	{"collect.stop", collect_params, rpc_collect_stop},
	{"prompt.tones", rpc_params_none, rpc_prompt_tones},
	{"prompt.list", rpc_params_none, rpc_prompt_list},
	{"prompt.load", prompt_load_params, rpc_prompt_load},
	{"record.start", record_start_params, rpc_record_start},
	{"record.pause", recording_params, rpc_record_pause},
	{"record.resume", recording_params, rpc_record_resume},
	{"record.stop", recording_params, rpc_record_stop},
	{"record.mark", record_mark_params, rpc_record_mark},
	{"record.mask", record_mask_params, rpc_record_mask},
	{"record.unmask", recording_params, rpc_record_unmask},
	{"capture.start", capture_start_params, rpc_capture_start},
	{"capture.read", capture_params, rpc_capture_read},
	{"capture.stop", capture_params, rpc_capture_stop},
	{"record.recovered", record_recovered_params, rpc_record_recovered},
	{"stat.engine", rpc_params_none, rpc_stat_engine},
	{"stat.drops", rpc_params_none, rpc_stat_drops},
	{"stat.legs", call_optional, rpc_stat_legs},
	{NULL, NULL, NULL},
};

/* --- opening and closing --- */

static uint32_t index_of(const struct engine_rpc_config *cfg, uint16_t port)
{
	return (uint32_t)(port - cfg->rtp_first) / 2;
}

static bool config_valid(const struct engine_rpc_config *cfg)
{
	if (cfg->workers == 0 || cfg->workers > ENGINE_WORKERS_MAX || cfg->calls_max == 0 ||
	    cfg->rtp_first % 2 != 0)
		return false;
	for (unsigned i = 0; i < cfg->workers; i++) {
		const struct engine_slice *s = &cfg->slice[i];

		if (s->port_first < cfg->rtp_first || s->port_first % 2 != 0 ||
		    s->port_last % 2 != 0 || s->port_last < s->port_first)
			return false;
		for (unsigned k = 0; k < i; k++)
			if (s->port_first <= cfg->slice[k].port_last &&
			    cfg->slice[k].port_first <= s->port_last)
				return false;
	}
	return true;
}

static void pools_init(struct engine_rpc *rpc)
{
	for (unsigned i = 0; i < rpc->cfg.workers; i++) {
		struct engine_worker *w = &rpc->worker[i];
		const struct engine_slice *s = &rpc->cfg.slice[i];
		uint32_t first = index_of(&rpc->cfg, s->port_first),
			 last = index_of(&rpc->cfg, s->port_last);

		pool_init(&w->legs, first, last - first + 1);
		pool_init(&w->calls, i * rpc->cfg.calls_max, rpc->cfg.calls_max);
		w->last = &w->first;
		if (last + 1 > rpc->legs)
			rpc->legs = last + 1;
	}
	rpc->calls = rpc->cfg.workers * rpc->cfg.calls_max;
	rpc->leg = calloc(rpc->legs, sizeof(struct leg_object *));
	rpc->call = calloc(rpc->calls, sizeof(struct call_object *));
	must(rpc->leg != NULL && rpc->call != NULL);
}

int engine_rpc_open(struct engine_rpc **out, const struct engine_rpc_config *cfg,
		    const struct engine_backend *backend)
{
	struct engine_rpc *rpc;
	int rc;

	if (!config_valid(cfg))
		return -EINVAL;
	rpc = calloc(1, sizeof(*rpc));
	must(rpc != NULL);
	rpc->cfg = *cfg;
	rpc->backend = *backend;
	rpc->free_open = UINT32_MAX;
	rpc->events = event_log_new(EVENT_LOG_EVENTS, EVENT_LOG_BYTES);
	rpc->alarms = json_object();
	must(rpc->alarms != NULL);
	registry_init(&rpc->objects, REGISTRY_BUCKETS);
	pools_init(rpc);
	admit_init(rpc);

	const struct rpc_server_config server = {
		.name = "engine",
		.version = PATCHBAY_VERSION,
		.protocol = 1,
		.methods = methods,
		.owner = rpc,
		.events = rpc->events,
		.group = cfg->group,
	};

	rc = rpc_server_open(&rpc->server, cfg->path, &server);
	if (rc != 0) {
		engine_rpc_close(rpc);
		return rc;
	}
	*out = rpc;
	return 0;
}

void engine_rpc_close(struct engine_rpc *rpc)
{
	if (rpc == NULL)
		return;
	rpc_server_close(rpc->server);
	for (uint32_t i = 0; rpc->calls > 0 && i < rpc->calls; i++)
		if (rpc->call[i] != NULL)
			call_free(rpc, rpc->call[i]);
	engine_rpc_send_fini(rpc);
	capture_fini(rpc);
	for (unsigned i = 0; i < rpc->cfg.workers; i++) {
		pool_fini(&rpc->worker[i].legs);
		pool_fini(&rpc->worker[i].calls);
	}
	registry_fini(&rpc->objects);
	event_log_free(rpc->events);
	json_decref(rpc->alarms);
	free(rpc->leg);
	free(rpc->call);
	free(rpc);
}

int engine_rpc_fd(const struct engine_rpc *rpc)
{
	return rpc_server_fd(rpc->server);
}

/* --- one round --- */

static bool take_events(struct engine_rpc *rpc, unsigned worker)
{
	struct worker_event ev;

	for (int i = 0; i < EVENTS_PER_ROUND; i++) {
		if (!rpc->backend.event_recv(rpc->backend.arg, worker, &ev))
			return false;
		engine_rpc_worker_event(rpc, worker, &ev);
	}
	return true;
}

int engine_rpc_poll(struct engine_rpc *rpc, uint64_t now_ms, uint64_t wall_ms)
{
	bool more = false;

	if (rpc->opened_ms == 0)
		rpc->opened_ms = now_ms;
	rpc->now_ms = now_ms;
	rpc->wall_ms = wall_ms;
	admit_look(rpc);
	capture_look(rpc);
	for (unsigned i = 0; i < rpc->cfg.workers; i++)
		more |= take_events(rpc, i);

	bool waiting = engine_rpc_resend(rpc);

	rpc_server_poll(rpc->server);
	if (more)
		return 0;
	return waiting ? 1 : -1;
}

void engine_rpc_event(struct engine_rpc *rpc, const char *type, json_t *members)
{
	rpc_server_event(rpc->server, rpc->wall_ms, type, members);
}

void engine_rpc_alarm(struct engine_rpc *rpc, const char *area, const char *text, bool raised)
{
	const char *known = json_string_value(json_object_get(rpc->alarms, area));

	if (raised ? known != NULL && strcmp(known, text) == 0 : known == NULL)
		return;
	if (raised)
		json_object_set_new(rpc->alarms, area, json_string(text));
	else
		json_object_del(rpc->alarms, area);
	engine_rpc_event(
		rpc, "alarm",
		json_pack("{s:s, s:s, s:b}", "area", area, "text", text, "raised", raised));
}

void engine_rpc_counts(const struct engine_rpc *rpc, struct engine_rpc_counts *counts)
{
	*counts = (struct engine_rpc_counts){
		.calls = rpc->objects.count[OBJECT_CALL],
		.legs = rpc->objects.count[OBJECT_LEG],
		.plays = rpc->objects.count[OBJECT_PLAY],
		.collects = rpc->objects.count[OBJECT_COLLECT],
		.recordings = rpc->objects.count[OBJECT_RECORDING],
		.monitors = rpc->objects.count[OBJECT_MONITOR],
		.commands_open = rpc->opens_used,
	};
	for (unsigned i = 0; i < rpc->cfg.workers; i++)
		counts->legs_resting += pool_resting(&rpc->worker[i].legs, rpc->now_ms);
}
