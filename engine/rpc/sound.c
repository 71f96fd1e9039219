/* SPDX-License-Identifier: Apache-2.0
 *
 * play.*, collect.* and prompt.*.
 *
 * A playlist and a reference to each of its prompts are held from play.start until the worker has said
 * PLAY_DONE (or refused PLAY_START): in between the worker reads them.
 */
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include "base/log.h"
#include "base/must.h"
#include "dsp/tone_plan.h"
#include "leg/leg.h"
#include "rpc/rpc_priv.h"
#include "rtp/telephone_event.h"

/* --- digits named in a text --- */

/* "none", "any", or digits and ranges as in "0-9*#", into a bit set. */
static bool digits_read(const char *text, uint16_t *bits)
{
	*bits = 0;
	if (strcmp(text, "none") == 0)
		return true;
	if (strcmp(text, "any") == 0) {
		*bits = UINT16_MAX;
		return true;
	}
	for (const char *p = text; *p != '\0'; p++) {
		int from = dtmf_code_of(*p), to = from;

		if (p[1] == '-') {
			to = dtmf_code_of(p[2]);
			if (from > 9 || to > 9 || to < from)
				return false;
			p += 2;
		}
		if (from < 0)
			return false;
		for (int d = from; d <= to; d++)
			*bits = (uint16_t)(*bits | 1U << d);
	}
	return true;
}

/* --- play --- */

static void playlist_free(struct engine_rpc *rpc, struct playlist *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (list->item[i].kind == PLAY_PROMPT)
			rpc->backend.prompt_put(rpc->backend.arg, list->item[i].prompt);
	free(list);
}

void sound_play_free(struct engine_rpc *rpc, struct play_object *play)
{
	struct play_object **at = play->leg != NULL ? &play->leg->plays : &play->call->plays;

	while (*at != play)
		at = &(*at)->next;
	*at = play->next;
	registry_remove(&rpc->objects, &play->object);
	playlist_free(rpc, play->list);
	json_decref(play->params);
	free(play);
}

/* "busy" of a country, or a cadence as it was written. NULL with the error set. */
static const char *cadence_of(const struct engine_rpc *rpc, const json_t *item,
			      struct rpc_error *err)
{
	const char *tone = rpc_param_text(item, "tone", NULL), *cadence;
	const char *country = rpc_param_text(item, "country", rpc->cfg.country);

	if (tone == NULL)
		return rpc_param_text(item, "cadence", NULL);
	cadence = tone_plan_find(country, tone);
	if (cadence == NULL)
		rpc_error_set(
			err, RPC_INVALID_PARAMS,
			"no tone \"%s\" is known of country \"%s\"; prompt.tones lists them, or "
			"write a cadence",
			tone, country);
	return cadence;
}

static const struct prompt *tone_read(struct engine_rpc *rpc, const json_t *item, size_t i,
				      struct rpc_error *err)
{
	const char *cadence = cadence_of(rpc, item, err);
	const struct prompt *p = NULL;
	char why[160];

	if (cadence == NULL)
		return NULL;
	p = rpc->backend.tone_get(rpc->backend.arg, cadence, why, sizeof(why));
	if (p == NULL)
		rpc_error_set(err, RPC_INVALID_PARAMS, "params.items[%zu]: %s", i, why);
	return p;
}

static bool item_read(struct engine_rpc *rpc, const json_t *item, size_t i, struct play_item *out,
		      struct rpc_error *err)
{
	const char *prompt = rpc_param_text(item, "prompt", NULL);
	bool country = json_object_get(item, "country") != NULL;
	bool tone = json_object_get(item, "tone") != NULL;

	if (json_object_size(item) != 1U + country || (country && !tone)) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params.items[%zu] must be one of prompt, tone (with a country or "
			      "without), "
			      "cadence or silence_ms",
			      i);
		return false;
	}
	if (json_object_get(item, "silence_ms") != NULL) {
		*out = (struct play_item){.kind = PLAY_SILENCE,
					  .silence_ms =
						  (uint32_t)rpc_param_int(item, "silence_ms", 0)};
		return true;
	}
	*out = (struct play_item){.kind = PLAY_PROMPT};
	if (prompt == NULL) {
		out->prompt = tone_read(rpc, item, i, err);
		return out->prompt != NULL;
	}
	out->prompt = rpc->backend.prompt_get(rpc->backend.arg, prompt);
	if (out->prompt == NULL)
		rpc_error_not_found(err, "prompt", prompt);
	return out->prompt != NULL;
}

/* "none", "any", digits, or {digits, speech}. */
static bool interrupt_read(const json_t *params, struct playlist *list, struct rpc_error *err)
{
	const json_t *v = json_object_get(params, "interrupt");
	const char *digits = json_is_object(v) ? rpc_param_text(v, "digits", "none")
					       : rpc_param_text(params, "interrupt", "none");

	list->speech = json_is_object(v) && rpc_param_bool(v, "speech", false);
	if (digits_read(digits, &list->interrupt))
		return true;
	rpc_error_set(err, RPC_INVALID_PARAMS,
		      "params.interrupt must be none, any or digits such as 0-9*#");
	return false;
}

static int16_t centibel(double db)
{
	return (int16_t)lround(db * 10.0);
}

static struct playlist *playlist_read(struct engine_rpc *rpc, const json_t *params,
				      struct rpc_error *err)
{
	const json_t *items = json_object_get(params, "items");
	struct playlist *list = calloc(1, sizeof(*list));

	must(list != NULL);
	list->loop = (uint32_t)rpc_param_int(params, "loop", 1);
	list->gain_cb = centibel(rpc_param_real(params, "gain_db", 0.0));
	list->paused = rpc_param_bool(params, "paused", false);
	list->position_ms = (uint32_t)rpc_param_int(params, "position_ms", 0);
	if (!interrupt_read(params, list, err)) {
		free(list);
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		if (!item_read(rpc, json_array_get(items, i), i, &list->item[list->n], err)) {
			playlist_free(rpc, list);
			return NULL;
		}
		list->n++;
	}
	return list;
}

static struct play_object *play_of(const struct engine_rpc *rpc, uint64_t number)
{
	return (struct play_object *)registry_number(&rpc->objects, OBJECT_PLAY, number);
}

static void play_started(struct engine_rpc *rpc, struct open_command *oc,
			 const struct worker_event *ev)
{
	struct play_object *play = play_of(rpc, oc->number);

	engine_rpc_finish(rpc, oc, ev, NULL, "play", play != NULL ? play->object.id : "(ended)");
	if (play != NULL && ev->result != 0)
		sound_play_free(rpc, play);
}

/* Where a play is to be heard: at a leg, or in a room. */
struct play_place {
	struct call_object *call;
	struct leg_object *leg; /* NULL: the room */
	struct play_object **plays;
};

static bool place_find(struct engine_rpc *rpc, const json_t *params, struct play_place *p,
		       struct rpc_error *err)
{
	bool has_leg = json_object_get(params, "leg") != NULL;

	*p = (struct play_place){0};
	if (has_leg == (json_object_get(params, "call") != NULL)) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params must have leg, or call for an announcement to a room");
		return false;
	}
	if (has_leg) {
		if ((p->leg = leg_find(rpc, params, "leg", err)) == NULL)
			return false;
		p->call = p->leg->call;
		p->plays = &p->leg->plays;
		return true;
	}
	if ((p->call = call_find(rpc, params, "call", err)) == NULL)
		return false;
	p->plays = &p->call->plays;
	if (!p->call->room)
		rpc_error_set(err, RPC_OUT_OF_ORDER, "call %s is no room: name a leg",
			      p->call->object.id);
	else if (json_object_get(params, "interrupt") != NULL)
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params.interrupt: no digit ends an announcement to a room");
	else
		return true;
	return false;
}

static struct leg_ref place_leg(const struct leg_object *leg)
{
	return leg != NULL ? leg->ref : (struct leg_ref){.index = LEG_INDEX_NONE};
}

enum rpc_answer rpc_play_start(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "play", "");
	struct play_object *play =
		(struct play_object *)registry_find(&rpc->objects, OBJECT_PLAY, id);
	struct playlist *list;
	struct play_place at;

	(void)result;
	if (!place_find(rpc, c->params, &at, err))
		return RPC_ANSWER_ERROR;
	if (play != NULL && json_equal(play->params, c->params))
		return RPC_ANSWER_RESULT;
	if (play != NULL) {
		rpc_error_set(err, RPC_EXISTS, "play %s runs with other parameters", id);
		return RPC_ANSWER_ERROR;
	}
	const struct admission_wish wish = {.kind = ADMISSION_PLAY, .runs = true};
	bool more = *at.plays == NULL; /* one that replaces another costs nothing more */

	if (!(more ? admit(rpc, at.call->worker, &wish, err)
		   : engine_rpc_room(rpc, at.call->worker, err)) ||
	    (list = playlist_read(rpc, c->params, err)) == NULL)
		return RPC_ANSWER_ERROR;

	play = calloc(1, sizeof(*play));
	must(play != NULL);
	*play = (struct play_object){.object.kind = OBJECT_PLAY,
				     .call = at.call,
				     .leg = at.leg,
				     .next = *at.plays,
				     .params = json_deep_copy(c->params),
				     .list = list};
	registry_add(&rpc->objects, &play->object, id);
	*at.plays = play;

	struct worker_command cmd = {
		.kind = COMMAND_PLAY_START, .call = at.call->ref, .leg = place_leg(at.leg)};
	const struct open_command oc = {.request = c->ref,
					.done = play_started,
					.leg = cmd.leg,
					.number = play->object.number};

	cmd.play.play = play->object.number;
	cmd.play.list = list;
	engine_rpc_send(rpc, at.call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* For play.stop and collect.stop: that it had ended by itself is no error. */
static void stopped(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	rpc_server_answer(rpc->server, oc->request, json_pack("{s:b}", "stopped", ev->result == 0));
}

enum rpc_answer rpc_play_stop(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "play", "");
	const struct play_object *play =
		(struct play_object *)registry_find(&rpc->objects, OBJECT_PLAY, id);

	if (play == NULL) {
		*result = json_pack("{s:b}", "stopped", 0);
		return RPC_ANSWER_RESULT;
	}
	if (!engine_rpc_room(rpc, play->call->worker, err))
		return RPC_ANSWER_ERROR;

	struct worker_command cmd = {
		.kind = COMMAND_PLAY_STOP, .call = play->call->ref, .leg = place_leg(play->leg)};
	const struct open_command oc = {.request = c->ref, .done = stopped};

	cmd.play.play = play->object.number;
	engine_rpc_send(rpc, play->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

static void play_was_set(struct engine_rpc *rpc, struct open_command *oc,
			 const struct worker_event *ev)
{
	rpc_server_answer(rpc->server, oc->request, json_pack("{s:b}", "set", ev->result == 0));
}

enum rpc_answer rpc_play_set(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "play", "");
	const struct play_object *play =
		(struct play_object *)registry_find(&rpc->objects, OBJECT_PLAY, id);
	bool at = json_object_get(c->params, "position_ms") != NULL;
	bool by = json_object_get(c->params, "by_ms") != NULL;

	(void)result;
	if (play == NULL) {
		rpc_error_not_found(err, "play", id);
		return RPC_ANSWER_ERROR;
	}
	if (at && by) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params.position_ms and params.by_ms exclude each other");
		return RPC_ANSWER_ERROR;
	}
	if (!engine_rpc_room(rpc, play->call->worker, err))
		return RPC_ANSWER_ERROR;

	struct worker_command cmd = {
		.kind = COMMAND_PLAY_SET, .call = play->call->ref, .leg = place_leg(play->leg)};
	const struct open_command oc = {.request = c->ref, .done = play_was_set};

	cmd.play.play = play->object.number;
	if (json_object_get(c->params, "paused") != NULL)
		cmd.play.set |= PLAY_SET_PAUSED;
	if (json_object_get(c->params, "gain_db") != NULL)
		cmd.play.set |= PLAY_SET_GAIN;
	cmd.play.set |= at ? (uint32_t)PLAY_SET_POSITION : by ? (uint32_t)PLAY_SET_BY : 0;
	cmd.play.paused = rpc_param_bool(c->params, "paused", false);
	cmd.play.gain_cb = centibel(rpc_param_real(c->params, "gain_db", 0.0));
	cmd.play.position_ms = (int32_t)rpc_param_int(c->params, at ? "position_ms" : "by_ms", 0);
	engine_rpc_send(rpc, play->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- collect --- */

void sound_collect_free(struct engine_rpc *rpc, struct collect_object *collect)
{
	if (collect->leg->collect == collect)
		collect->leg->collect = NULL;
	registry_remove(&rpc->objects, &collect->object);
	json_decref(collect->params);
	free(collect);
}

static void collect_started(struct engine_rpc *rpc, struct open_command *oc,
			    const struct worker_event *ev)
{
	struct collect_object *collect =
		(struct collect_object *)registry_number(&rpc->objects, OBJECT_COLLECT, oc->number);

	engine_rpc_finish(rpc, oc, ev, NULL, "collect",
			  collect != NULL ? collect->object.id : "(ended)");
	if (collect != NULL && ev->result != 0)
		sound_collect_free(rpc, collect);
}

static bool collect_read(struct worker_command *cmd, const json_t *params, struct rpc_error *err)
{
	cmd->collect.max = (uint8_t)rpc_param_int(params, "max", 1);
	cmd->collect.min = (uint8_t)rpc_param_int(params, "min", 1);
	cmd->collect.first_timeout_ms = (uint32_t)rpc_param_int(params, "first_timeout_ms", 5000);
	cmd->collect.inter_timeout_ms = (uint32_t)rpc_param_int(params, "inter_timeout_ms", 3000);
	cmd->collect.secret = rpc_param_bool(params, "secret", false);
	if (cmd->collect.min > cmd->collect.max) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "params.min is above params.max");
		return false;
	}
	if (!digits_read(rpc_param_text(params, "terminators", "#"), &cmd->collect.terminators)) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "params.terminators must be none, any or digits such as *#");
		return false;
	}
	return true;
}

enum rpc_answer rpc_collect_start(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "collect", "");
	struct leg_object *leg = leg_find(rpc, c->params, "leg", err);
	struct collect_object *collect =
		(struct collect_object *)registry_find(&rpc->objects, OBJECT_COLLECT, id);
	struct worker_command cmd = {.kind = COMMAND_COLLECT_START};

	(void)result;
	if (leg == NULL)
		return RPC_ANSWER_ERROR;
	if (collect != NULL && json_equal(collect->params, c->params))
		return RPC_ANSWER_RESULT;
	if (collect != NULL) {
		rpc_error_set(err, RPC_EXISTS, "collect %s runs with other parameters", id);
		return RPC_ANSWER_ERROR;
	}
	if (leg->collect != NULL) {
		rpc_error_set(err, RPC_OUT_OF_ORDER, "collect %s runs on leg %s; stop it first",
			      leg->collect->object.id, leg->object.id);
		return RPC_ANSWER_ERROR;
	}
	if (!engine_rpc_room(rpc, leg->call->worker, err) || !collect_read(&cmd, c->params, err))
		return RPC_ANSWER_ERROR;

	collect = calloc(1, sizeof(*collect));
	must(collect != NULL);
	*collect = (struct collect_object){
		.object.kind = OBJECT_COLLECT, .leg = leg, .params = json_deep_copy(c->params)};
	registry_add(&rpc->objects, &collect->object, id);
	leg->collect = collect;

	const struct open_command oc = {.request = c->ref,
					.done = collect_started,
					.leg = leg->ref,
					.number = collect->object.number};

	cmd.call = leg->call->ref;
	cmd.leg = leg->ref;
	cmd.collect.collect = collect->object.number;
	engine_rpc_send(rpc, leg->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

enum rpc_answer rpc_collect_stop(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "collect", "");
	const struct collect_object *collect =
		(struct collect_object *)registry_find(&rpc->objects, OBJECT_COLLECT, id);

	if (collect == NULL) {
		*result = json_pack("{s:b}", "stopped", 0);
		return RPC_ANSWER_RESULT;
	}
	if (!engine_rpc_room(rpc, collect->leg->call->worker, err))
		return RPC_ANSWER_ERROR;

	struct worker_command cmd = {.kind = COMMAND_COLLECT_STOP,
				     .call = collect->leg->call->ref,
				     .leg = collect->leg->ref};
	const struct open_command oc = {.request = c->ref, .done = stopped};

	cmd.collect.collect = collect->object.number;
	engine_rpc_send(rpc, collect->leg->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- prompts --- */

static void list_one(void *to, const char *name, uint32_t duration_ms)
{
	json_array_append_new(to, json_pack("{s:s, s:I}", "prompt", name, "duration_ms",
					    (json_int_t)duration_ms));
}

enum rpc_answer rpc_prompt_list(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	json_t *list = json_array();

	(void)err;
	rpc->backend.prompt_each(rpc->backend.arg, list_one, list);
	*result = json_pack("{s:o}", "prompts", list);
	return RPC_ANSWER_RESULT;
}

enum rpc_answer rpc_prompt_tones(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	const struct engine_rpc *rpc = c->owner;
	json_t *list = json_array();

	(void)err;
	for (unsigned k = 0; tone_plan_country(k) != NULL; k++) {
		json_t *row = json_pack("{s:s}", "country", tone_plan_country(k));

		for (unsigned i = 0; tone_plan_name(i) != NULL; i++)
			json_object_set_new(row, tone_plan_name(i),
					    json_string(tone_plan_find(tone_plan_country(k),
								       tone_plan_name(i))));
		json_array_append_new(list, row);
	}
	*result = json_pack("{s:s, s:o}", "country", rpc->cfg.country, "tones", list);
	return RPC_ANSWER_RESULT;
}

static void failed_one(void *to, const char *file, const char *message)
{
	/* File names are any bytes; JSON is UTF-8. */
	json_t *name = json_string(file);

	json_array_append_new(to, json_pack("{s:o, s:s}", "file",
					    name != NULL ? name : json_string("(not UTF-8)"),
					    "message", message));
}

enum rpc_answer rpc_prompt_load(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *directory = rpc_param_text(c->params, "directory", NULL);
	json_t *failed = json_array();
	int n = rpc->backend.prompt_load(rpc->backend.arg, directory, failed_one, failed);

	if (n < 0) {
		json_decref(failed);
		rpc_error_set(err, RPC_IO, "prompts cannot be read from %s: %s",
			      directory != NULL ? directory : "their directory", strerror(-n));
		return RPC_ANSWER_ERROR;
	}
	log_info("rpc", "%d prompts loaded, %zu failed", n, json_array_size(failed));
	*result = json_pack("{s:i, s:o}", "loaded", n, "failed", failed);
	return RPC_ANSWER_RESULT;
}
