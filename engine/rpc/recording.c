/* SPDX-License-Identifier: Apache-2.0
 *
 * record.*. A recording's id is its UUID; the text form in lower case is its key. It lives from
 * record.start to the worker's RECORD_DONE; the newest that ended are remembered, so that a late
 * request for one is told "ended" and not "never heard of".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "patchbay/recording.h"
#include "record/tap.h"
#include "rpc/rpc_priv.h"

enum { METADATA_MAX = 4096, RECOVERED_AT_ONCE = 100, RETRY_AFTER_S = 5 };

const char *recording_loss_word(uint8_t loss)
{
	switch ((enum recording_loss)loss) {
	case RECORDING_LOSS_NONE:
		return NULL;
	case RECORDING_LOSS_NO_EXTENT:
		return "no_extent";
	case RECORDING_LOSS_IO:
		return "io";
	case RECORDING_LOSS_TOO_LARGE:
		return "too_large";
	}
	return "other";
}

json_t *recording_account_json(const struct recording_account *a)
{
	json_t *channels = json_array();

	for (unsigned i = 0; i < RECORDING_CHANNELS; i++)
		json_array_append_new(channels,
				      json_pack("{s:I, s:I, s:I, s:s?, s:I, s:I}", "accepted",
						(json_int_t)a->channel[i].accepted, "written",
						(json_int_t)a->channel[i].written, "lost",
						(json_int_t)a->channel[i].lost, "lost_reason",
						recording_loss_word(a->channel[i].loss), "masked",
						(json_int_t)a->channel[i].masked, "missing",
						(json_int_t)a->channel[i].missing));
	return json_pack("{s:o, s:I}", "channels", channels, "paused_ms", (json_int_t)a->paused_ms);
}

static bool has_ended(const struct engine_rpc *rpc, const uint8_t uuid[16])
{
	static const uint8_t none[16];

	if (memcmp(uuid, none, 16) == 0)
		return false;
	for (unsigned i = 0; i < ENDED_RECORDINGS; i++)
		if (memcmp(rpc->ended[i], uuid, 16) == 0)
			return true;
	return false;
}

static bool ended_error(const struct engine_rpc *rpc, const char *id, struct rpc_error *err)
{
	uint8_t uuid[16];

	if (!rpc_uuid_parse(id, uuid) || !has_ended(rpc, uuid))
		return false;
	rpc_error_set(err, RPC_OUT_OF_ORDER, "recording %s has ended", id);
	return true;
}

/* The key of the request's recording. */
static void key_of(const json_t *params, uint8_t uuid[16], char key[37])
{
	must(rpc_uuid_parse(rpc_param_text(params, "recording", ""), uuid));
	rpc_uuid_print(uuid, key);
}

static struct call_child *recording_of(const struct engine_rpc *rpc, uint64_t number)
{
	return (struct call_child *)registry_number(&rpc->objects, OBJECT_RECORDING, number);
}

void recording_done(struct engine_rpc *rpc, struct call_child *recording, const char *reason,
		    const struct recording_account *a)
{
	uint8_t *place = rpc->ended[rpc->ended_next++ % ENDED_RECORDINGS];

	engine_rpc_event(rpc, "record.done",
			 json_pack("{s:s, s:s, s:o, s:s}", "call", recording->call->object.id,
				   "recording", recording->object.id, "account",
				   recording_account_json(a), "reason", reason));
	must(rpc_uuid_parse(recording->object.id, place));
	call_child_free(rpc, recording);
}

/* --- start --- */

static void started(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct call_child *r = recording_of(rpc, oc->number);

	if (ev->result == -ENODEV && oc->request.generation != 0) {
		struct rpc_error err = {0};

		rpc_error_set(&err, RPC_NO_RESOURCE, "this engine runs without a recorder");
		rpc_server_fail(rpc->server, oc->request, &err);
	} else if (ev->result == -ENXIO && oc->request.generation != 0) {
		struct rpc_error err = {0};

		rpc_error_set(&err, RPC_NO_VOLUME, "no volume takes recordings");
		rpc_error_add(&err, "retry_after_s", json_integer(RETRY_AFTER_S));
		rpc_server_fail(rpc->server, oc->request, &err);
	} else {
		engine_rpc_finish(rpc, oc, ev, NULL, "recording",
				  r != NULL ? r->object.id : "(ended)");
	}
	if (r != NULL && ev->result != 0)
		call_child_free(rpc, r);
}

static char *metadata_text(const json_t *params, struct rpc_error *err)
{
	const json_t *metadata = json_object_get(params, "metadata");
	char *text = metadata != NULL ? json_dumps(metadata, JSON_COMPACT) : strdup("{}");

	must(text != NULL);
	if (strlen(text) <= METADATA_MAX)
		return text;
	rpc_error_set(err, RPC_INVALID_PARAMS, "params.metadata has %zu bytes; the limit is %d",
		      strlen(text), METADATA_MAX);
	free(text);
	return NULL;
}

enum rpc_answer rpc_record_start(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct call_object *call = call_find(rpc, c->params, "call", err);
	struct leg_object *leg;
	struct worker_command cmd = {.kind = COMMAND_RECORD_START};
	char key[37], *text;

	(void)result;
	if (call == NULL || (leg = leg_find(rpc, c->params, "customer", err)) == NULL ||
	    !engine_rpc_room(rpc, call->worker, err))
		return RPC_ANSWER_ERROR;
	if (leg->call != call) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "leg %s belongs to call %s, not to %s",
			      leg->object.id, leg->call->object.id, call->object.id);
		return RPC_ANSWER_ERROR;
	}
	key_of(c->params, cmd.record.id, key);

	struct call_child *r =
		(struct call_child *)registry_find(&rpc->objects, OBJECT_RECORDING, key);

	if (r != NULL && json_equal(r->params, c->params))
		return RPC_ANSWER_RESULT;
	if (r != NULL) {
		rpc_error_set(err, RPC_EXISTS, "recording %s runs with other parameters", key);
		return RPC_ANSWER_ERROR;
	}
	if (ended_error(rpc, key, err) || (text = metadata_text(c->params, err)) == NULL)
		return RPC_ANSWER_ERROR;

	r = calloc(1, sizeof(*r));
	must(r != NULL);
	*r = (struct call_child){.object.kind = OBJECT_RECORDING,
				 .call = call,
				 .next = call->children,
				 .params = json_deep_copy(c->params)};
	call->children = r;
	registry_add(&rpc->objects, &r->object, key);

	const struct open_command oc = {.request = c->ref,
					.done = started,
					.call = call->ref,
					.leg = leg->ref,
					.number = r->object.number,
					.memory = text};

	cmd.call = call->ref;
	cmd.leg = leg->ref;
	cmd.record.text = text;
	engine_rpc_send(rpc, call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- pause, resume, stop, mark, mask --- */

static void account_done(struct engine_rpc *rpc, struct open_command *oc,
			 const struct worker_event *ev)
{
	const struct call_child *r = recording_of(rpc, oc->number);
	json_t *result = ev->result == 0 ? json_pack("{s:o}", "account",
						     recording_account_json(&ev->account))
					 : NULL;

	engine_rpc_finish(rpc, oc, ev, result, "recording", r != NULL ? r->object.id : "(ended)");
}

static void marked(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	const struct call_child *r = recording_of(rpc, oc->number);

	engine_rpc_finish(rpc, oc, ev, NULL, "recording", r != NULL ? r->object.id : "(ended)");
}

static struct leg_ref customer_ref(const struct engine_rpc *rpc, const struct call_child *r)
{
	const char *id = rpc_param_text(r->params, "customer", "");
	const struct leg_object *leg =
		(struct leg_object *)registry_find(&rpc->objects, OBJECT_LEG, id);

	return leg != NULL && leg->call == r->call ? leg->ref : (struct leg_ref){0};
}

static enum rpc_answer act(const struct rpc_call *c, enum worker_command_kind kind,
			   uint8_t channels, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct worker_command cmd = {.kind = kind};
	char key[37];

	key_of(c->params, cmd.record.id, key);

	struct call_child *r =
		(struct call_child *)registry_find(&rpc->objects, OBJECT_RECORDING, key);

	if (r == NULL) {
		if (!ended_error(rpc, key, err))
			rpc_error_not_found(err, "recording", key);
		return RPC_ANSWER_ERROR;
	}
	if (r->stopping) {
		rpc_error_set(err, RPC_OUT_OF_ORDER, "recording %s is being stopped", key);
		return RPC_ANSWER_ERROR;
	}
	if (!engine_rpc_room(rpc, r->call->worker, err))
		return RPC_ANSWER_ERROR;

	bool mark = kind == COMMAND_RECORD_MARK, mask = kind == COMMAND_RECORD_MASK;
	const struct open_command oc = {
		.request = c->ref,
		.done = mark ? marked : account_done,
		.call = r->call->ref,
		.number = r->object.number,
		.memory = mark   ? strdup(rpc_param_text(c->params, "text", ""))
			  : mask ? strdup(rpc_param_text(c->params, "reason", "requested"))
				 : NULL};

	r->stopping = kind == COMMAND_RECORD_STOP;
	cmd.call = r->call->ref;
	cmd.leg = customer_ref(rpc, r);
	cmd.record.text = oc.memory;
	cmd.record.channels = channels;
	engine_rpc_send(rpc, r->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

enum rpc_answer rpc_record_recovered(const struct rpc_call *c, json_t **result,
				     struct rpc_error *err)
{
	const struct engine_rpc *rpc = c->owner;
	uint32_t at = (uint32_t)rpc_param_int(c->params, "from", 0), n = 0, reason;
	json_t *list = json_array();
	struct recording_account a;
	uint8_t id[16];
	char text[37];
	bool more = true;

	(void)err;
	while (n < RECOVERED_AT_ONCE &&
	       (more = rpc->backend.recorder_recovered(rpc->backend.arg, at, id, &reason, &a))) {
		rpc_uuid_print(id, text);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "recording", text,
						      "reason", recording_end_name(reason),
						      "account", recording_account_json(&a)));
		at++;
		n++;
	}
	*result = json_pack("{s:o, s:o}", "recordings", list, "next",
			    more ? json_integer(at) : json_null());
	return RPC_ANSWER_RESULT;
}

enum rpc_answer rpc_record_mask(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	const char *which = rpc_param_text(c->params, "channel", "both");
	uint8_t channels = REC_MASK_SAID | REC_MASK_HEARD;

	(void)result;
	if (strcmp(which, "both") != 0)
		channels = strcmp(which, "said") == 0 ? REC_MASK_SAID : REC_MASK_HEARD;
	return act(c, COMMAND_RECORD_MASK, channels, err);
}

enum rpc_answer rpc_record_unmask(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)result;
	return act(c, COMMAND_RECORD_MASK, 0, err);
}

enum rpc_answer rpc_record_pause(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)result;
	return act(c, COMMAND_RECORD_PAUSE, 0, err);
}

enum rpc_answer rpc_record_resume(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)result;
	return act(c, COMMAND_RECORD_RESUME, 0, err);
}

enum rpc_answer rpc_record_stop(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)result;
	return act(c, COMMAND_RECORD_STOP, 0, err);
}

enum rpc_answer rpc_record_mark(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)result;
	return act(c, COMMAND_RECORD_MARK, 0, err);
}
