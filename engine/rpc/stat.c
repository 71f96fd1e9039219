/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot, stat.engine, stat.drops: what is, and what was counted.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/must.h"
#include "rpc/rpc_priv.h"

/* A copy of `params` without the members that stand outside already. */
static json_t *without(const json_t *params, const char *a, const char *b)
{
	json_t *j = json_copy((json_t *)(uintptr_t)params);

	json_object_del(j, a);
	json_object_del(j, b);
	return j;
}

static json_t *leg_row(const struct engine_rpc *rpc, const struct leg_object *leg)
{
	static const char *const directions[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
	json_t *j = without(leg->current, "call", "family");

	json_object_set_new(j, "local", leg_local_json(rpc, leg));
	json_object_set_new(j, "remote", leg_address_json(&leg->cfg.remote));
	json_object_set_new(j, "codec", json_string(leg_codec_name(leg->cfg.codec[0].id)));
	json_object_set_new(j, "direction", json_string(directions[leg->cfg.direction]));
	json_object_set_new(j, "ssrc", json_integer(leg->cfg.ssrc));
	json_object_set_new(j, "opened", json_incref(leg->opened));
	if (leg->call->room) {
		json_object_set_new(j, "muted", json_boolean(leg->muted));
		json_object_set_new(j, "deaf", json_boolean(leg->deaf));
	}
	return j;
}

static json_t *hear_rows(const struct engine_rpc *rpc, const struct call_object *call)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < call->hears; i++) {
		const struct leg_object *listener = leg_by_ref(rpc, call->hear[i].listener),
					*speaker = leg_by_ref(rpc, call->hear[i].speaker);

		if (listener != NULL && speaker != NULL)
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:f}", "listener", listener->object.id,
						"speaker", speaker->object.id, "gain_db",
						(double)call->hear[i].gain_cb / 10.0));
	}
	return list;
}

/* A play as it was started, and where it is. */
static json_t *play_row(const struct play_object *play)
{
	json_t *row = json_copy(play->params);

	json_object_set_new(
		row, "played_ms",
		json_integer(atomic_load_explicit(&play->list->played_ms, memory_order_relaxed)));
	json_object_set_new(
		row, "position_now_ms",
		json_integer(atomic_load_explicit(&play->list->at_ms, memory_order_relaxed)));
	return row;
}

static json_t *call_row(const struct engine_rpc *rpc, const struct call_object *call)
{
	json_t *legs = json_array(), *plays = json_array(), *collects = json_array(),
	       *recordings = json_array(), *monitors = json_array();

	for (const struct play_object *p = call->plays; p != NULL; p = p->next)
		json_array_append_new(plays, play_row(p));
	for (unsigned i = 0; i < call->legs_max; i++) {
		const struct leg_object *leg = call->leg[i];

		if (leg == NULL || leg->closing)
			continue;
		json_array_append_new(legs, leg_row(rpc, leg));
		if (leg->plays != NULL)
			json_array_append_new(plays, play_row(leg->plays));
		if (leg->collect != NULL)
			json_array_append(collects, leg->collect->params);
	}
	for (const struct call_child *ch = call->children; ch != NULL; ch = ch->next)
		json_array_append_new(ch->object.kind == OBJECT_RECORDING ? recordings : monitors,
				      without(ch->params, "call", "metadata"));
	const struct leg_object *floor =
		call->floor.generation != 0 ? leg_by_ref(rpc, call->floor) : NULL;

	return json_pack("{s:s, s:b, s:s?, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "call",
			 call->object.id, "room", (int)call->room, "floor",
			 floor != NULL ? floor->object.id : NULL, "worker", (int)call->worker,
			 "legs", legs, "hear", hear_rows(rpc, call), "plays", plays, "collects",
			 collects, "recordings", recordings, "monitors", monitors);
}

enum rpc_answer rpc_snapshot(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	const struct engine_rpc *rpc = c->owner;
	json_t *calls = json_array();

	(void)err;
	for (const struct object *o = NULL;
	     (o = registry_next(&rpc->objects, OBJECT_CALL, o)) != NULL;) {
		const struct call_object *call = (const struct call_object *)o;

		if (!call->closing)
			json_array_append_new(calls, call_row(rpc, call));
	}
	*result = json_pack("{s:I, s:o}", "seq", (json_int_t)event_log_newest(rpc->events), "calls",
			    calls);
	return RPC_ANSWER_RESULT;
}

static json_t *worker_row(const struct engine_rpc *rpc, unsigned i)
{
	struct engine_worker_stats st = {0};
	json_t *stages = json_array();

	rpc->backend.worker_stats(rpc->backend.arg, i, &st);
	must(st.stages <= ENGINE_STAGES_MAX);
	for (uint32_t k = 0; k < st.stages; k++)
		json_array_append_new(stages,
				      json_pack("{s:s, s:I, s:I}", "stage", st.stage[k].name,
						"packets", (json_int_t)st.stage[k].packets,
						"cycles", (json_int_t)st.stage[k].cycles));

	json_t *j = json_pack(
		"{s:i, s:I, s:i, s:i, s:I, s:I, s:f, s:f, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
		"worker", (int)i, "lcore", (json_int_t)st.lcore, "port_first",
		(int)rpc->cfg.slice[i].port_first, "port_last", (int)rpc->cfg.slice[i].port_last,
		"legs", (json_int_t)rpc->worker[i].legs_open, "calls",
		(json_int_t)pool_used(&rpc->worker[i].calls), "busy_share", st.busy_share,
		"late_ms", st.late_us / 1000.0, "refuses", (int)rpc->worker[i].admission.refusing,
		"turns", (json_int_t)st.turns, "received", (json_int_t)st.received, "sent",
		(json_int_t)st.sent, "mbufs_free", (json_int_t)st.mbufs_free, "commands_waiting",
		(json_int_t)rpc->worker[i].queued, "cycles_hz", (json_int_t)st.cycles_hz, "stages",
		stages);

	must(j != NULL);
	json_object_set_new(j, "transcoders",
			    json_pack("{s:I, s:I, s:I, s:I}", "legs_max", (json_int_t)st.coders,
				      "legs", (json_int_t)st.coders_used, "missed",
				      (json_int_t)st.coders_missed, "opus_complexity",
				      (json_int_t)st.opus_complexity));
	return j;
}

static json_t *port_row(const struct engine_port_stats *p)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b, s:s?, s:I, s:I}", "name", p->name,
			 "driver", p->driver, "mac", p->mac, "ip", p->ip, "ip6",
			 p->ip6[0] != '\0' ? p->ip6 : NULL, "link", p->link, "fallback",
			 p->fallback[0] != '\0' ? p->fallback : NULL, "rx_missed",
			 (json_int_t)p->rx_missed, "rx_nombuf", (json_int_t)p->rx_nombuf);
}

static json_t *volume_row(const struct engine_volume_stats *v)
{
	return json_pack("{s:s, s:s, s:s?, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "path", v->path, "state", v->state, "error", v->error, "in_use", v->in_use,
			 "weight", (json_int_t)v->weight, "free_bytes", (json_int_t)v->free_bytes,
			 "total_bytes", (json_int_t)v->total_bytes, "segments",
			 (json_int_t)v->segments, "fresh", (json_int_t)v->fresh, "finished",
			 (json_int_t)v->finished, "made", (json_int_t)v->made, "recycled",
			 (json_int_t)v->recycled, "failures", (json_int_t)v->failures);
}

static json_t *lost_row(const struct engine_recorder_stats *r)
{
	json_t *row = json_object();

	for (unsigned i = 0; i < RECORDING_LOSSES; i++)
		if (recording_loss_word((uint8_t)i) != NULL)
			json_object_set_new(row, recording_loss_word((uint8_t)i),
					    json_integer((json_int_t)r->lost[i]));
	return row;
}

static json_t *frames_row(const struct engine_recorder_stats *r)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "accepted",
			 (json_int_t)(r->frames_written + r->frames_lost), "written",
			 (json_int_t)r->frames_written, "durable", (json_int_t)r->frames_durable,
			 "masked", (json_int_t)r->frames_masked, "missing",
			 (json_int_t)(r->frames_missing > 0 ? r->frames_missing : 0), "lost",
			 (json_int_t)r->frames_lost, "lost_by", lost_row(r));
}

static json_t *recorder_row(const struct engine_rpc *rpc)
{
	struct engine_recorder_stats r = {0};
	json_t *volumes, *row;

	rpc->backend.recorder_stats(rpc->backend.arg, &r);
	if (!r.enabled)
		return json_null();
	volumes = json_array();
	for (unsigned i = 0; i < r.volumes; i++)
		json_array_append_new(volumes, volume_row(&r.volume[i]));
	row = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?}", "extents",
			(json_int_t)r.extents, "extents_free", (json_int_t)r.extents_free,
			"extents_waiting", (json_int_t)r.extents_waiting, "bytes_written",
			(json_int_t)r.bytes_written, "writes", (json_int_t)r.writes, "syncs",
			(json_int_t)r.syncs, "errors", (json_int_t)r.errors, "rewritten",
			(json_int_t)r.rewritten, "segment", (json_int_t)r.segment, "frames_lost",
			(json_int_t)r.frames_lost, "alarm", r.alarm[0] != '\0' ? r.alarm : NULL);
	json_object_update_new(
		row,
		json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
			  "recording", r.recording, "policy", r.refuses ? "refuse" : "carry_on",
			  "recordings", (json_int_t)r.recordings, "recordings_now",
			  (json_int_t)r.recordings_now, "refused", (json_int_t)r.refused, "pauses",
			  (json_int_t)r.pauses, "masks", (json_int_t)r.masks, "durable_ms_p50",
			  (json_int_t)r.durable_ms_p50, "durable_ms_p99",
			  (json_int_t)r.durable_ms_p99, "durable_ms_max",
			  (json_int_t)r.durable_ms_max, "lag_ms", (json_int_t)r.lag_ms, "frames",
			  frames_row(&r), "volumes", volumes));
	must(row != NULL);
	return row;
}

enum rpc_answer rpc_stat_engine(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	const struct engine_rpc *rpc = c->owner;
	json_t *workers = json_array(), *ports = json_array();
	struct rpc_server_stats clients;

	(void)err;
	for (unsigned i = 0; i < rpc->cfg.workers; i++)
		json_array_append_new(workers, worker_row(rpc, i));
	for (unsigned i = 0;; i++) {
		struct engine_port_stats p = {0};

		if (!rpc->backend.port_stats(rpc->backend.arg, i, &p))
			break;
		json_array_append_new(ports, port_row(&p));
	}
	rpc_server_stats(rpc->server, &clients);
	*result = json_pack(
		"{s:s, s:s, s:I, s:o, s:o, s:o, s:O, s:{s:I, s:I, s:I, s:I, s:I}}", "version",
		PATCHBAY_VERSION, "instance", rpc_server_instance(rpc->server), "uptime_ms",
		(json_int_t)(rpc->now_ms - rpc->opened_ms), "workers", workers, "ports", ports,
		"recorder", recorder_row(rpc), "alarms", rpc->alarms, "socket", "clients",
		(json_int_t)clients.clients, "refused", (json_int_t)clients.refused, "disconnected",
		(json_int_t)clients.disconnected_slow, "requests", (json_int_t)clients.requests,
		"errors", (json_int_t)clients.errors);
	must(*result != NULL);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer rpc_stat_drops(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	const struct engine_rpc *rpc = c->owner;
	uint64_t received = 0, met = 0, fate[FATE_COUNT] = {0};
	json_t *rows = json_array();

	(void)err;
	for (unsigned i = 0; i < rpc->cfg.workers; i++) {
		struct engine_worker_stats st = {0};

		rpc->backend.worker_stats(rpc->backend.arg, i, &st);
		received += st.received;
		for (unsigned f = 0; f < FATE_COUNT; f++)
			fate[f] += st.fate[f];
	}
	for (unsigned f = 0; f < FATE_COUNT; f++) {
		met += fate[f];
		json_array_append_new(rows,
				      json_pack("{s:s, s:s, s:I, s:b}", "name",
						packet_fate_name((enum packet_fate)f), "text",
						packet_fate_text((enum packet_fate)f), "count",
						(json_int_t)fate[f], "drop", f >= FATE_FIRST_DROP));
	}
	/* The workers go on while we read: a packet may be counted on one side only. */
	*result = json_pack("{s:I, s:o, s:I}", "received", (json_int_t)received, "fates", rows,
			    "in_flight", (json_int_t)received - (json_int_t)met);
	return RPC_ANSWER_RESULT;
}
