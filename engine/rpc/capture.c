/* SPDX-License-Identifier: Apache-2.0
 *
 * capture.*: an operator looks at one call. A worker serves one capture at a time; one that
 * nobody reads any more ends by itself. Its memory belongs to the worker until that has confirmed that it
 * let go.
 */
#include <string.h>

#include <openssl/evp.h>

#include "base/must.h"
#include "path/capture.h"
#include "rpc/rpc_priv.h"

enum {
	PACKETS_MAX = 1000000,
	UNREAD_MS = 10000,
	READ_BYTES = 48000, /* of text in one answer, below the line's 65,536 */
	ROW_BYTES = 200,    /* of an answer's row besides the frame */
};

static struct capture_object *find(struct engine_rpc *rpc, const json_t *params,
				   struct rpc_error *err)
{
	const char *id = rpc_param_text(params, "capture", "");

	for (unsigned i = 0; i < rpc->cfg.workers; i++) {
		struct capture_object *o = &rpc->worker[i].capture;

		if (o->capture != NULL && !o->stopping && strcmp(o->id, id) == 0)
			return o;
	}
	if (err != NULL)
		rpc_error_not_found(err, "capture", id);
	return NULL;
}

static void set_done(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	engine_rpc_finish(rpc, oc, ev, NULL, "capture", rpc->worker[oc->number].capture.id);
}

/* The worker has let go. */
static void unset_done(struct engine_rpc *rpc, struct open_command *oc,
		       const struct worker_event *ev)
{
	struct capture_object *o = &rpc->worker[oc->number].capture;

	if (oc->request.generation != 0)
		engine_rpc_finish(rpc, oc, ev,
				  json_pack("{s:b, s:I, s:I}", "stopped", 1, "packets",
					    (json_int_t)atomic_load(&o->capture->taken), "lost",
					    (json_int_t)atomic_load(&o->capture->lost)),
				  "capture", o->id);
	capture_destroy(o->capture);
	*o = (struct capture_object){.capture = NULL};
}

static void send_set(struct engine_rpc *rpc, unsigned worker, struct capture *capture,
		     struct rpc_ref request)
{
	struct worker_command cmd = {.kind = COMMAND_CAPTURE_SET,
				     .call = rpc->worker[worker].capture.call,
				     .capture = capture};
	const struct open_command oc = {.request = request,
					.done = capture != NULL ? set_done : unset_done,
					.number = worker};

	engine_rpc_send(rpc, worker, &cmd, &oc);
}

static void end(struct engine_rpc *rpc, struct capture_object *o, struct rpc_ref request)
{
	o->stopping = true;
	send_set(rpc, o->worker, NULL, request);
}

enum rpc_answer rpc_capture_start(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	bool of_leg = json_object_get(c->params, "leg") != NULL;
	const struct leg_object *leg = NULL;
	const struct call_object *call;
	struct capture_object *o;

	(void)result;
	if (of_leg == (json_object_get(c->params, "call") != NULL)) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "params must have one of call and leg");
		return RPC_ANSWER_ERROR;
	}
	if (of_leg && (leg = leg_find(rpc, c->params, "leg", err)) == NULL)
		return RPC_ANSWER_ERROR;
	call = of_leg ? leg->call : call_find(rpc, c->params, "call", err);
	if (call == NULL || !engine_rpc_room(rpc, call->worker, err))
		return RPC_ANSWER_ERROR;
	if (find(rpc, c->params, NULL) != NULL) {
		rpc_error_set(err, RPC_EXISTS, "capture %s runs",
			      rpc_param_text(c->params, "capture", ""));
		return RPC_ANSWER_ERROR;
	}
	o = &rpc->worker[call->worker].capture;
	if (o->capture != NULL) {
		rpc_error_set(err, RPC_NO_RESOURCE,
			      "capture %s runs on worker %u, which can do one at a time: stop it, "
			      "or try again when it has ended",
			      o->id, call->worker);
		return RPC_ANSWER_ERROR;
	}
	o->capture = capture_create();
	if (o->capture == NULL) {
		rpc_error_set(err, RPC_NO_RESOURCE, "no memory for a capture");
		return RPC_ANSWER_ERROR;
	}
	snprintf(o->id, sizeof(o->id), "%s", rpc_param_text(c->params, "capture", ""));
	if (of_leg)
		o->capture->leg = leg->ref;
	o->capture->packets_max = (uint64_t)rpc_param_int(c->params, "packets", PACKETS_MAX);
	o->call = call->ref;
	o->worker = call->worker;
	o->read_ms = rpc->now_ms;
	send_set(rpc, call->worker, o->capture, c->ref);
	return RPC_ANSWER_LATER;
}

static json_t *packet_row(const struct engine_rpc *rpc, const struct capture_packet *p)
{
	unsigned char text[4 * ((CAPTURE_BYTES + 2) / 3) + 1];
	const struct leg_object *leg = leg_by_ref(rpc, p->leg);

	EVP_EncodeBlock(text, p->frame, p->kept);
	return json_pack("{s:I, s:s?, s:s, s:i, s:s}", "time_ns", (json_int_t)p->wall_ns, "leg",
			 leg != NULL ? leg->object.id : NULL, "way",
			 p->way == CAPTURE_IN ? "in" : "out", "length", (int)p->len, "frame",
			 (const char *)text);
}

enum rpc_answer rpc_capture_read(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct capture_object *o = find(rpc, c->params, err);
	json_t *rows = json_array();
	struct capture_packet p;
	size_t bytes = 0;

	if (o == NULL) {
		json_decref(rows);
		return RPC_ANSWER_ERROR;
	}
	o->read_ms = rpc->now_ms;

	uint64_t taken = atomic_load(&o->capture->taken);
	bool full = taken >= o->capture->packets_max;
	bool over = call_by_ref(rpc, o->call) == NULL;

	while (bytes < READ_BYTES && spsc_get(&o->capture->ring, &p)) {
		bytes += 4u * p.kept / 3 + ROW_BYTES;
		json_array_append_new(rows, packet_row(rpc, &p));
	}
	*result = json_pack("{s:o, s:b, s:b, s:I}", "packets", rows, "more",
			    spsc_ready(&o->capture->ring), "ended", full || over, "lost",
			    (json_int_t)atomic_load(&o->capture->lost));
	return RPC_ANSWER_RESULT;
}

enum rpc_answer rpc_capture_stop(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct capture_object *o = find(rpc, c->params, NULL);

	(void)err;
	if (o == NULL) {
		*result = json_pack("{s:b}", "stopped", 0);
		return RPC_ANSWER_RESULT;
	}
	end(rpc, o, c->ref);
	return RPC_ANSWER_LATER;
}

void capture_look(struct engine_rpc *rpc)
{
	for (unsigned i = 0; i < rpc->cfg.workers; i++) {
		struct capture_object *o = &rpc->worker[i].capture;

		if (o->capture != NULL && !o->stopping && rpc->now_ms - o->read_ms > UNREAD_MS)
			end(rpc, o, (struct rpc_ref){0});
	}
}

void capture_fini(struct engine_rpc *rpc)
{
	for (unsigned i = 0; i < rpc->cfg.workers; i++)
		capture_destroy(rpc->worker[i].capture.capture);
}
