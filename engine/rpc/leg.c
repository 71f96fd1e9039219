/* SPDX-License-Identifier: Apache-2.0
 *
 * leg.*, dtmf.send and stat.legs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/must.h"
#include "rpc/rpc_priv.h"
#include "rtp/telephone_event.h"
#include "srtp/srtp_suite.h"

struct leg_object *leg_by_ref(const struct engine_rpc *rpc, struct leg_ref ref)
{
	struct leg_object *leg = ref.index < rpc->legs ? rpc->leg[ref.index] : NULL;

	return leg != NULL && leg->ref.generation == ref.generation ? leg : NULL;
}

struct leg_object *leg_find(const struct engine_rpc *rpc, const json_t *params, const char *member,
			    struct rpc_error *err)
{
	const char *id = rpc_param_text(params, member, "");
	struct leg_object *leg = (struct leg_object *)registry_find(&rpc->objects, OBJECT_LEG, id);

	if (leg != NULL && !leg->closing)
		return leg;
	rpc_error_not_found(err, "leg", id);
	return NULL;
}

json_t *leg_local_json(const struct engine_rpc *rpc, const struct leg_object *leg)
{
	return json_pack("{s:s, s:i}", "ip", leg->cfg.family == 6 ? rpc->cfg.ip6 : rpc->cfg.ip4,
			 "port", rpc->cfg.rtp_first + 2 * (int)leg->ref.index);
}

void leg_free(struct engine_rpc *rpc, struct leg_object *leg)
{
	struct engine_worker *w = &rpc->worker[leg->call->worker];

	while (leg->plays != NULL)
		sound_play_free(rpc, leg->plays);
	if (leg->collect != NULL)
		sound_collect_free(rpc, leg->collect);
	for (unsigned i = 0; i < leg->call->legs_max; i++)
		if (leg->call->leg[i] == leg)
			leg->call->leg[i] = NULL;
	rpc->leg[leg->ref.index] = NULL;
	pool_give(&w->legs, leg->ref.index, rpc->now_ms + rpc->cfg.reuse_delay_ms);
	w->legs_open--;
	registry_remove(&rpc->objects, &leg->object);
	json_decref(leg->opened);
	json_decref(leg->current);
	free(leg);
}

/* --- open --- */

static void opened(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct leg_object *leg = leg_by_ref(rpc, oc->leg);

	if (leg == NULL) {
		engine_rpc_finish(rpc, oc, ev, NULL, "leg", "(its call was closed)");
		return;
	}
	engine_rpc_finish(rpc, oc, ev,
			  json_pack("{s:s, s:o, s:I}", "leg", leg->object.id, "local",
				    leg_local_json(rpc, leg), "ssrc", (json_int_t)leg->cfg.ssrc),
			  "leg", leg->object.id);
	if (ev->result != 0)
		leg_free(rpc, leg);
}

/* What leg.open means by leaving a member out. */
static struct leg_config defaults(void)
{
	struct leg_config cfg = {
		.codecs = 2, /* the static payload types of RFC 3551, 6 */
		.codec = {{.id = CODEC_PCMU, .pt = 0, .ptime_ms = 20, .clock_hz = 8000},
			  {.id = CODEC_PCMA, .pt = 8, .ptime_ms = 20, .clock_hz = 8000}},
		.dtmf_clock_hz = 8000,
		.direction = LEG_SENDRECV,
		.source = LEG_SOURCE_LATCH,
	};

	do
		must(getrandom(&cfg.ssrc, sizeof(cfg.ssrc), 0) == sizeof(cfg.ssrc));
	while (cfg.ssrc == 0);
	return cfg;
}

static bool admitted(struct engine_rpc *rpc, const struct call_object *call,
		     const struct leg_config *cfg, const json_t *params, struct rpc_error *err)
{
	const struct admission_wish wish = {
		.kind = ADMISSION_RELAY, /* what most legs become; the load will tell */
		.srtp = json_object_get(params, "srtp") != NULL,
		.urgent = rpc_param_bool(params, "urgent", false),
		.coding_us = admit_coding_us(leg_codec_name((enum codec_id)cfg->codec[0].id)),
	};

	return admit(rpc, call->worker, &wish, err);
}

/* The leg exists already: the same again is answered alike, anything else is an error. */
static enum rpc_answer again(const struct engine_rpc *rpc, const struct leg_object *leg,
			     const json_t *params, json_t **result, struct rpc_error *err)
{
	if (leg->closing) {
		rpc_error_set(err, RPC_OUT_OF_ORDER, "leg %s is being closed", leg->object.id);
		return RPC_ANSWER_ERROR;
	}
	json_t *shown = leg_params_shown(params);
	bool same = json_equal(leg->opened, shown) == 1;

	json_decref(shown);
	if (!same) {
		rpc_error_set(err, RPC_EXISTS, "leg %s is open with other parameters",
			      leg->object.id);
		return RPC_ANSWER_ERROR;
	}
	*result = json_pack("{s:s, s:o, s:I}", "leg", leg->object.id, "local",
			    leg_local_json(rpc, leg), "ssrc", (json_int_t)leg->cfg.ssrc);
	return RPC_ANSWER_RESULT;
}

static unsigned free_place(const struct call_object *call)
{
	unsigned i = 0;

	while (i < call->legs_max && call->leg[i] != NULL)
		i++;
	return i;
}

enum rpc_answer rpc_leg_open(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "leg", "");
	struct leg_object *leg = (struct leg_object *)registry_find(&rpc->objects, OBJECT_LEG, id);

	if (leg != NULL)
		return again(rpc, leg, c->params, result, err);

	struct call_object *call = call_find(rpc, c->params, "call", err);
	struct leg_config cfg = defaults();
	uint8_t family = rpc_param_word(c->params, "family", "ip4|ip6", 0) == 1 ? 6 : 4;
	struct srtp_keys *keys;
	struct leg_ref ref;

	if (call == NULL || !leg_config_read(&cfg, c->params, family, err) ||
	    !admitted(rpc, call, &cfg, c->params, err))
		return RPC_ANSWER_ERROR;
	if ((family == 6 ? rpc->cfg.ip6 : rpc->cfg.ip4)[0] == '\0') {
		rpc_error_set(err, RPC_NO_RESOURCE, "the engine has no IPv%u address", family);
		return RPC_ANSWER_ERROR;
	}
	if (free_place(call) == call->legs_max) {
		rpc_error_set(err, RPC_NO_RESOURCE, "call %s has %u legs already", call->object.id,
			      call->legs_max);
		return RPC_ANSWER_ERROR;
	}

	struct engine_worker *w = &rpc->worker[call->worker];

	if (!leg_srtp_read(rpc, &keys, c->params, err))
		return RPC_ANSWER_ERROR;
	if (!pool_take(&w->legs, rpc->now_ms, &ref.index, &ref.generation)) {
		uint32_t resting = pool_resting(&w->legs, rpc->now_ms);

		rpc_error_set(err, RPC_NO_RESOURCE,
			      "no free port pair on worker %u: %u in use, %u resting", call->worker,
			      pool_used(&w->legs), resting);
		if (resting > 0)
			rpc_error_add(err, "retry_after_s",
				      json_integer((rpc->cfg.reuse_delay_ms + 999) / 1000));
		leg_srtp_free(keys);
		return RPC_ANSWER_ERROR;
	}

	leg = calloc(1, sizeof(*leg));
	must(leg != NULL);
	*leg = (struct leg_object){.object.kind = OBJECT_LEG, .call = call, .ref = ref, .cfg = cfg};
	leg->opened = leg_params_shown(c->params);
	leg->current = json_deep_copy(leg->opened);
	must(leg->current != NULL);
	registry_add(&rpc->objects, &leg->object, id);
	rpc->leg[ref.index] = leg;
	call->leg[free_place(call)] = leg;
	w->legs_open++;

	struct worker_command cmd = {.kind = COMMAND_LEG_OPEN,
				     .call = call->ref,
				     .leg = ref,
				     .srtp = keys,
				     .leg_open = cfg};
	const struct open_command oc = {
		.request = c->ref, .done = opened, .call = call->ref, .leg = ref, .keys = keys};

	engine_rpc_send(rpc, call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- set --- */

/* What is asked for shows at once. Returns what it takes to undo that: the members as they are shown now, and
 * as they were. */
static json_t *set_show(struct leg_object *leg, const json_t *params)
{
	json_t *shown = leg_params_shown(params), *before = json_object(), *undo;
	const char *key;
	json_t *value;

	must(before != NULL);
	json_object_foreach(shown, key, value) json_object_set(
		before, key, json_object_get(leg->current, key)); /* NULL: was not there */
	must(json_object_update(leg->current, shown) == 0);
	undo = json_pack("{s:o, s:o}", "shown", shown, "before", before);
	must(undo != NULL);
	return undo;
}

/* The worker refused, everything or (-ENOBUFS) what needs a coder: what is shown is again what it has. What
 * has been asked for anew since is left alone. */
static void set_undo(struct leg_object *leg, const json_t *undo, int result)
{
	struct leg_config cfg = defaults();
	struct rpc_error err;
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(undo, "shown"), key, value)
	{
		json_t *old = json_object_get(json_object_get(undo, "before"), key);

		if (json_object_get(leg->current, key) != value ||
		    (result == -ENOBUFS && strcmp(key, "codecs") != 0 &&
		     strcmp(key, "inband_dtmf") != 0))
			continue;
		if (old != NULL)
			json_object_set(leg->current, key, old);
		else
			json_object_del(leg->current, key);
	}
	cfg.ssrc = leg->cfg.ssrc;
	if (leg_config_read(&cfg, leg->current, leg->cfg.family, &err))
		leg->cfg = cfg;
}

static void set_done(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct leg_object *leg = leg_by_ref(rpc, oc->leg);

	if (leg != NULL && ev->result != 0)
		set_undo(leg, oc->undo, ev->result);
	engine_rpc_done_plain(rpc, oc, ev);
}

enum rpc_answer rpc_leg_set(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct leg_object *leg = leg_find(rpc, c->params, "leg", err);

	if (leg == NULL || !engine_rpc_room(rpc, leg->call->worker, err))
		return RPC_ANSWER_ERROR;

	struct sock_ip remote = leg->cfg.remote;
	struct srtp_keys *keys;

	if (!leg_srtp_read(rpc, &keys, c->params, err))
		return RPC_ANSWER_ERROR;
	if (!leg_config_read(&leg->cfg, c->params, leg->cfg.family, err)) {
		leg_srtp_free(keys);
		return RPC_ANSWER_ERROR;
	}
	/* Another peer has not heard what the last one did. */
	if (keys != NULL)
		keys->fresh = (leg->cfg.set & LEG_SET_REMOTE) != 0 && remote.family != 0 &&
			      memcmp(&remote, &leg->cfg.remote, sizeof(remote)) != 0;

	json_t *undo = set_show(leg, c->params);

	if (leg->cfg.set == 0) {
		json_decref(undo);
		return RPC_ANSWER_RESULT; /* nothing, or a name only: that is kept here */
	}

	struct worker_command cmd = {.kind = COMMAND_LEG_SET,
				     .call = leg->call->ref,
				     .leg = leg->ref,
				     .srtp = keys,
				     .leg_open = leg->cfg};
	const struct open_command oc = {.request = c->ref,
					.done = set_done,
					.call = leg->call->ref,
					.leg = leg->ref,
					.keys = keys,
					.undo = undo};

	(void)result;
	engine_rpc_send(rpc, leg->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- close, stat --- */

static void closed(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct leg_object *leg = leg_by_ref(rpc, oc->leg);
	json_t *stats = ev->result == 0 ? leg_stats_json(&ev->stats) : NULL;

	if (leg != NULL) {
		engine_rpc_event(rpc, "leg.closed",
				 json_pack("{s:s, s:s, s:O?}", "call", leg->call->object.id, "leg",
					   leg->object.id, "stats", stats));
		leg_free(rpc, leg);
	}
	/* Whatever the worker said: the leg is gone now. */
	if (oc->request.generation != 0)
		rpc_server_answer(rpc->server, oc->request,
				  json_pack("{s:b, s:O*}", "closed", 1, "stats", stats));
	json_decref(stats);
}

void leg_close(struct engine_rpc *rpc, struct leg_object *leg, struct rpc_ref request)
{
	struct worker_command cmd = {
		.kind = COMMAND_LEG_CLOSE, .call = leg->call->ref, .leg = leg->ref};
	const struct open_command oc = {
		.request = request, .done = closed, .call = leg->call->ref, .leg = leg->ref};

	leg->closing = true;
	engine_rpc_send(rpc, leg->call->worker, &cmd, &oc);
}

enum rpc_answer rpc_leg_close(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct leg_object *leg = leg_find(rpc, c->params, "leg", err);

	if (leg == NULL) {
		rpc_error_clear(err);
		*result = json_pack("{s:b}", "closed", 0);
		return RPC_ANSWER_RESULT;
	}
	leg_close(rpc, leg, c->ref);
	return RPC_ANSWER_LATER;
}

static void stat_done(struct engine_rpc *rpc, struct open_command *oc,
		      const struct worker_event *ev)
{
	const struct leg_object *leg = leg_by_ref(rpc, oc->leg);

	engine_rpc_finish(rpc, oc, ev, ev->result == 0 ? leg_stats_json(&ev->stats) : NULL, "leg",
			  leg != NULL ? leg->object.id : "(closed)");
}

enum rpc_answer rpc_leg_stat(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct leg_object *leg = leg_find(rpc, c->params, "leg", err);

	(void)result;
	if (leg == NULL || !engine_rpc_room(rpc, leg->call->worker, err))
		return RPC_ANSWER_ERROR;

	struct worker_command cmd = {
		.kind = COMMAND_LEG_STAT, .call = leg->call->ref, .leg = leg->ref};
	const struct open_command oc = {.request = c->ref, .done = stat_done, .leg = leg->ref};

	engine_rpc_send(rpc, leg->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

enum rpc_answer rpc_dtmf_send(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct leg_object *leg = leg_find(rpc, c->params, "leg", err);
	const char *digits = rpc_param_text(c->params, "digits", "");

	(void)result;
	if (leg == NULL || !engine_rpc_room(rpc, leg->call->worker, err))
		return RPC_ANSWER_ERROR;

	struct worker_command cmd = {
		.kind = COMMAND_DTMF_SEND, .call = leg->call->ref, .leg = leg->ref};

	cmd.dtmf.duration_ms = (uint16_t)rpc_param_int(c->params, "duration_ms", 100);
	cmd.dtmf.gap_ms = (uint16_t)rpc_param_int(c->params, "gap_ms", 60);
	for (; digits[cmd.dtmf.n] != '\0'; cmd.dtmf.n++) {
		int code = dtmf_code_of(digits[cmd.dtmf.n]);

		if (code < 0) {
			rpc_error_set(err, RPC_INVALID_PARAMS,
				      "params.digits: %c is not one of 0-9 * # A-D",
				      digits[cmd.dtmf.n]);
			return RPC_ANSWER_ERROR;
		}
		cmd.dtmf.code[cmd.dtmf.n] = (uint8_t)code;
	}

	const struct open_command oc = {.request = c->ref,
					.done = engine_rpc_done_plain,
					.call = leg->call->ref,
					.leg = leg->ref};

	engine_rpc_send(rpc, leg->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- stat.legs: one LEG_STAT per leg, a few at a time --- */

struct gather {
	struct rpc_ref request;
	struct leg_ref *leg;
	uint32_t legs, next, under_way;
	json_t *list;
};

static void gather_more(struct engine_rpc *rpc, struct gather *g);

static void gathered(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct gather *g = oc->gather;
	const struct leg_object *leg = leg_by_ref(rpc, oc->leg);

	if (leg != NULL && ev->result == 0) {
		json_t *row = json_pack("{s:s, s:s, s:o}", "leg", leg->object.id, "call",
					leg->call->object.id, "local", leg_local_json(rpc, leg));
		json_t *stats = leg_stats_json(&ev->stats);

		json_object_update(row, stats);
		json_decref(stats);
		json_array_append_new(g->list, row);
	}
	g->under_way--;
	gather_more(rpc, g);
}

static void gather_more(struct engine_rpc *rpc, struct gather *g)
{
	while (g->under_way < GATHER_AT_ONCE && g->next < g->legs) {
		struct leg_object *leg = leg_by_ref(rpc, g->leg[g->next++]);

		if (leg == NULL)
			continue;

		struct worker_command cmd = {
			.kind = COMMAND_LEG_STAT, .call = leg->call->ref, .leg = leg->ref};
		const struct open_command oc = {.done = gathered, .leg = leg->ref, .gather = g};

		g->under_way++;
		engine_rpc_send(rpc, leg->call->worker, &cmd, &oc);
	}
	if (g->under_way > 0 || g->next < g->legs)
		return;
	rpc_server_answer(rpc->server, g->request, json_pack("{s:o}", "legs", g->list));
	free(g->leg);
	free(g);
}

void leg_gather_forget(struct gather *g)
{
	if (g == NULL || --g->under_way > 0)
		return;
	json_decref(g->list);
	free(g->leg);
	free(g);
}

enum rpc_answer rpc_stat_legs(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const struct call_object *call = NULL;

	if (json_object_get(c->params, "call") != NULL) {
		call = call_find(rpc, c->params, "call", err);
		if (call == NULL)
			return RPC_ANSWER_ERROR;
	}
	(void)result;

	struct gather *g = calloc(1, sizeof(*g));

	must(g != NULL);
	g->request = c->ref;
	g->list = json_array();
	g->leg = calloc(rpc->objects.count[OBJECT_LEG] + 1, sizeof(*g->leg));
	must(g->leg != NULL && g->list != NULL);
	for (uint32_t i = 0; i < rpc->legs; i++)
		if (rpc->leg[i] != NULL && (call == NULL || rpc->leg[i]->call == call))
			g->leg[g->legs++] = rpc->leg[i]->ref;
	gather_more(rpc, g);
	return RPC_ANSWER_LATER;
}
