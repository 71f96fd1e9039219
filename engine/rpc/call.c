/* SPDX-License-Identifier: Apache-2.0
 *
 * call.* and monitor.*: what a call is made of and who hears whom.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "rpc/rpc_priv.h"

#define MODE_WORDS "listen|whisper|barge|coach" /* enum monitor_mode from 1 */

struct call_object *call_by_ref(const struct engine_rpc *rpc, struct call_ref ref)
{
	struct call_object *call = ref.index < rpc->calls ? rpc->call[ref.index] : NULL;

	return call != NULL && call->ref.generation == ref.generation ? call : NULL;
}

struct call_object *call_find(const struct engine_rpc *rpc, const json_t *params,
			      const char *member, struct rpc_error *err)
{
	const char *id = rpc_param_text(params, member, "");
	struct call_object *call =
		(struct call_object *)registry_find(&rpc->objects, OBJECT_CALL, id);

	if (call != NULL && !call->closing)
		return call;
	rpc_error_not_found(err, "call", id);
	return NULL;
}

void call_child_free(struct engine_rpc *rpc, struct call_child *child)
{
	struct call_child **at = &child->call->children;

	while (*at != child)
		at = &(*at)->next;
	*at = child->next;
	registry_remove(&rpc->objects, &child->object);
	json_decref(child->params);
	free(child);
}

void call_free(struct engine_rpc *rpc, struct call_object *call)
{
	for (unsigned i = 0; i < call->legs_max; i++)
		if (call->leg[i] != NULL)
			leg_free(rpc, call->leg[i]);
	while (call->plays != NULL)
		sound_play_free(rpc, call->plays);
	while (call->children != NULL)
		call_child_free(rpc, call->children);
	rpc->call[call->ref.index] = NULL;
	pool_give(&rpc->worker[call->worker].calls, call->ref.index, 0);
	registry_remove(&rpc->objects, &call->object);
	free(call->leg);
	free(call);
}

/* --- open, close --- */

static void opened(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct call_object *call = call_by_ref(rpc, oc->call);

	if (call == NULL) {
		engine_rpc_finish(rpc, oc, ev, NULL, "call", "(closed)");
		return;
	}
	engine_rpc_finish(rpc, oc, ev,
			  json_pack("{s:s, s:i, s:b}", "call", call->object.id, "worker",
				    (int)call->worker, "created", 1),
			  "call", call->object.id);
	if (ev->result != 0)
		call_free(rpc, call);
}

static bool less_loaded(const struct engine_worker *a, const struct engine_worker *b)
{
	return a->legs_open < b->legs_open ||
	       (a->legs_open == b->legs_open && pool_used(&a->calls) < pool_used(&b->calls));
}

/* The worker with the fewest legs among those that take calls; of all when none does. */
static unsigned least_loaded(struct engine_rpc *rpc)
{
	unsigned best = 0;
	bool best_takes = rpc->cfg.workers == 1 || admit_would(rpc, 0);

	for (unsigned i = 1; i < rpc->cfg.workers; i++) {
		bool takes = admit_would(rpc, i);

		if (takes == best_takes ? less_loaded(&rpc->worker[i], &rpc->worker[best])
					: takes) {
			best = i;
			best_takes = takes;
		}
	}
	return best;
}

enum rpc_answer rpc_call_open(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "call", "");
	struct call_object *call =
		(struct call_object *)registry_find(&rpc->objects, OBJECT_CALL, id);
	bool room = rpc_param_bool(c->params, "room", false);
	unsigned worker;
	struct call_ref ref;

	if (call != NULL && call->closing) {
		rpc_error_set(err, RPC_OUT_OF_ORDER, "call %s is being closed", id);
		return RPC_ANSWER_ERROR;
	}
	if (call != NULL && call->room != room) {
		rpc_error_set(err, RPC_EXISTS, "call %s is %s", id,
			      call->room ? "a room" : "no room");
		return RPC_ANSWER_ERROR;
	}
	if (call != NULL) {
		*result = json_pack("{s:s, s:i, s:b}", "call", id, "worker", (int)call->worker,
				    "created", 0);
		return RPC_ANSWER_RESULT;
	}
	if (json_object_get(c->params, "near") != NULL) {
		const struct call_object *near = call_find(rpc, c->params, "near", err);

		if (near == NULL)
			return RPC_ANSWER_ERROR;
		worker = near->worker;
	} else {
		worker = least_loaded(rpc);
	}
	if (!admit(rpc, worker,
		   &(struct admission_wish){.kind = ADMISSION_CALL,
					    .runs = json_object_get(c->params, "near") != NULL,
					    .urgent = rpc_param_bool(c->params, "urgent", false)},
		   err))
		return RPC_ANSWER_ERROR;
	if (!pool_take(&rpc->worker[worker].calls, rpc->now_ms, &ref.index, &ref.generation)) {
		rpc_error_set(err, RPC_NO_RESOURCE, "worker %u has %u calls already", worker,
			      rpc->cfg.calls_max);
		return RPC_ANSWER_ERROR;
	}
	call = calloc(1, sizeof(*call));
	must(call != NULL);
	call->object.kind = OBJECT_CALL;
	call->worker = worker;
	call->ref = ref;
	call->room = room;
	call->legs_max = room ? ROOM_LEGS_MAX : CALL_LEGS_MAX;
	call->leg = calloc(call->legs_max, sizeof(struct leg_object *));
	must(call->leg != NULL);
	registry_add(&rpc->objects, &call->object, id);
	rpc->call[ref.index] = call;

	struct worker_command cmd = {.kind = COMMAND_CALL_OPEN, .call = ref};
	const struct open_command oc = {.request = c->ref, .done = opened, .call = ref};

	cmd.call_open.room = room;
	engine_rpc_send(rpc, worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

static void closed(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct call_object *call = call_by_ref(rpc, oc->call);

	if (ev->result != 0 && ev->result != -ESTALE)
		log_error("rpc", "a worker could not close a call: %s", strerror(-ev->result));
	if (call != NULL)
		call_free(rpc, call);
	if (oc->request.generation != 0)
		rpc_server_answer(rpc->server, oc->request, json_pack("{s:b}", "closed", 1));
}

enum rpc_answer rpc_call_close(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct call_object *call = call_find(rpc, c->params, "call", err);

	if (call == NULL) {
		rpc_error_clear(err);
		*result = json_pack("{s:b}", "closed", 0);
		return RPC_ANSWER_RESULT;
	}
	for (unsigned i = 0; i < call->legs_max; i++)
		if (call->leg[i] != NULL && !call->leg[i]->closing)
			leg_close(rpc, call->leg[i], (struct rpc_ref){0});
	call->closing = true;

	struct worker_command cmd = {.kind = COMMAND_CALL_CLOSE, .call = call->ref};
	const struct open_command oc = {.request = c->ref, .done = closed, .call = call->ref};

	engine_rpc_send(rpc, call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- who hears whom --- */

/* A leg of this very call by the member's id. */
static struct leg_object *leg_of(const struct engine_rpc *rpc, const struct call_object *call,
				 const json_t *params, const char *member, struct rpc_error *err)
{
	struct leg_object *leg = leg_find(rpc, params, member, err);

	if (leg == NULL || leg->call == call)
		return leg;
	rpc_error_set(err, RPC_INVALID_PARAMS, "leg %s belongs to call %s, not to %s",
		      leg->object.id, leg->call->object.id, call->object.id);
	return NULL;
}

static bool hear_entry_read(const struct engine_rpc *rpc, const struct call_object *call,
			    const struct leg_object *row, const json_t *entry,
			    struct call_hear *out, struct rpc_error *err)
{
	bool has_listener = json_object_get(entry, "listener") != NULL;
	const struct leg_object *listener = row, *speaker;

	if (has_listener == (row != NULL)) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      row != NULL ? "params.hear: listener stands outside already"
					  : "params.hear: an entry has no listener");
		return false;
	}
	if (row == NULL && (listener = leg_of(rpc, call, entry, "listener", err)) == NULL)
		return false;
	speaker = leg_of(rpc, call, entry, "speaker", err);
	if (speaker == NULL)
		return false;
	if (speaker == listener) {
		rpc_error_set(err, RPC_INVALID_PARAMS, "leg %s cannot hear itself",
			      speaker->object.id);
		return false;
	}
	*out = (struct call_hear){listener->ref, speaker->ref,
				  (int16_t)lround(rpc_param_real(entry, "gain_db", 0.0) * 10.0)};
	return true;
}

/* What call.hear wishes, kept until the worker has done it: it may have no transcoder left. */
struct hear_wish {
	bool whole;
	uint32_t listener; /* leg index, unless whole */
	unsigned n;
	struct call_hear entry[CALL_HEAR_MAX];
};

/* Put the new entries in the place of the whole matrix, or of one row. */
static void hear_store(struct call_object *call, const struct hear_wish *wish)
{
	unsigned kept = 0;

	for (unsigned i = 0; !wish->whole && i < call->hears; i++)
		if (call->hear[i].listener.index != wish->listener)
			call->hear[kept++] = call->hear[i];
	/* Pairs of legs that are long closed make room last. */
	for (unsigned i = 0; i < wish->n && kept < CALL_LEGS_MAX * CALL_LEGS_MAX; i++)
		call->hear[kept++] = wish->entry[i];
	call->hears = kept;
}

/* Forget pairs of which a leg is gone. */
static void hear_tidy(const struct engine_rpc *rpc, struct call_object *call)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < call->hears; i++)
		if (leg_by_ref(rpc, call->hear[i].listener) != NULL &&
		    leg_by_ref(rpc, call->hear[i].speaker) != NULL)
			call->hear[kept++] = call->hear[i];
	call->hears = kept;
}

static void heard(struct engine_rpc *rpc, struct open_command *oc, const struct worker_event *ev)
{
	struct call_object *call = call_by_ref(rpc, oc->call);

	if (call != NULL && ev->result == 0) {
		hear_tidy(rpc, call);
		hear_store(call, (const struct hear_wish *)oc->memory);
	}
	engine_rpc_done_plain(rpc, oc, ev);
}

/* In a room everybody hears everybody. */
static bool matrix_has(const struct call_object *call, struct rpc_error *err)
{
	if (!call->room)
		return true;
	rpc_error_set(err, RPC_OUT_OF_ORDER,
		      "call %s is a room: who hears whom is changed with room.set",
		      call->object.id);
	return false;
}

enum rpc_answer rpc_room_set(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct leg_object *leg = leg_find(rpc, c->params, "leg", err);

	(void)result;
	if (leg == NULL || !engine_rpc_room(rpc, leg->call->worker, err))
		return RPC_ANSWER_ERROR;
	if (!leg->call->room) {
		rpc_error_set(err, RPC_OUT_OF_ORDER, "call %s of leg %s is no room",
			      leg->call->object.id, leg->object.id);
		return RPC_ANSWER_ERROR;
	}

	struct worker_command cmd = {
		.kind = COMMAND_ROOM_MEMBER, .call = leg->call->ref, .leg = leg->ref};
	const struct open_command oc = {
		.request = c->ref, .done = engine_rpc_done_plain, .call = leg->call->ref};

	cmd.room.set_muted = json_object_get(c->params, "muted") != NULL;
	cmd.room.set_deaf = json_object_get(c->params, "deaf") != NULL;
	cmd.room.muted = rpc_param_bool(c->params, "muted", false);
	cmd.room.deaf = rpc_param_bool(c->params, "deaf", false);
	leg->muted = cmd.room.set_muted ? cmd.room.muted : leg->muted;
	leg->deaf = cmd.room.set_deaf ? cmd.room.deaf : leg->deaf;
	engine_rpc_send(rpc, leg->call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

enum rpc_answer rpc_call_hear(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct call_object *call = call_find(rpc, c->params, "call", err);
	const json_t *list = json_object_get(c->params, "hear");
	const struct leg_object *row = NULL;
	struct call_hear entry[CALL_HEAR_MAX];
	size_t n = json_array_size(list);

	(void)result;
	if (call == NULL || !matrix_has(call, err) || !engine_rpc_room(rpc, call->worker, err))
		return RPC_ANSWER_ERROR;
	if (json_object_get(c->params, "listener") != NULL &&
	    (row = leg_of(rpc, call, c->params, "listener", err)) == NULL)
		return RPC_ANSWER_ERROR;
	for (size_t i = 0; i < n; i++) {
		if (!hear_entry_read(rpc, call, row, json_array_get(list, i), &entry[i], err))
			return RPC_ANSWER_ERROR;
		for (size_t k = 0; k < i; k++)
			if (entry[k].listener.index == entry[i].listener.index &&
			    entry[k].speaker.index == entry[i].speaker.index) {
				rpc_error_set(err, RPC_INVALID_PARAMS,
					      "params.hear has a pair twice");
				return RPC_ANSWER_ERROR;
			}
	}

	struct hear_wish *wish = calloc(1, sizeof(*wish));

	must(wish != NULL);
	wish->whole = row == NULL;
	wish->listener = row != NULL ? row->ref.index : 0;
	wish->n = (unsigned)n;
	memcpy(wish->entry, entry, n * sizeof(entry[0]));

	struct worker_command cmd = {.kind = COMMAND_CALL_HEAR, .call = call->ref};
	const struct open_command oc = {
		.request = c->ref, .done = heard, .call = call->ref, .memory = wish};

	cmd.hear.whole = row == NULL;
	cmd.hear.listener = row != NULL ? row->ref.index : 0;
	cmd.hear.n = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		cmd.hear.entry[i] = (struct hear_entry){entry[i].listener.index,
							entry[i].speaker.index, entry[i].gain_cb};
	engine_rpc_send(rpc, call->worker, &cmd, &oc);
	return RPC_ANSWER_LATER;
}

/* --- monitors --- */

static void monitor_end(struct engine_rpc *rpc, struct call_child *m, const char *reason)
{
	engine_rpc_event(rpc, "monitor.done",
			 json_pack("{s:s, s:s, s:s}", "call", m->call->object.id, "monitor",
				   m->object.id, "reason", reason));
	call_child_free(rpc, m);
}

static struct call_child *monitor_of(const struct engine_rpc *rpc, uint64_t number)
{
	return (struct call_child *)registry_number(&rpc->objects, OBJECT_MONITOR, number);
}

static void monitor_started(struct engine_rpc *rpc, struct open_command *oc,
			    const struct worker_event *ev)
{
	struct call_child *m = monitor_of(rpc, oc->number);

	engine_rpc_finish(rpc, oc, ev, NULL, "monitor", m != NULL ? m->object.id : "(ended)");
	if (m != NULL && ev->result != 0)
		call_child_free(rpc, m);
}

static void monitor_changed(struct engine_rpc *rpc, struct open_command *oc,
			    const struct worker_event *ev)
{
	const struct call_child *m = monitor_of(rpc, oc->number);

	engine_rpc_finish(rpc, oc, ev, NULL, "monitor", m != NULL ? m->object.id : "(ended)");
}

static void monitor_stopped(struct engine_rpc *rpc, struct open_command *oc,
			    const struct worker_event *ev)
{
	struct call_child *m = monitor_of(rpc, oc->number);

	(void)ev;
	rpc_server_answer(rpc->server, oc->request, json_pack("{s:b}", "stopped", m != NULL));
	if (m != NULL)
		monitor_end(rpc, m, "stopped");
}

static void monitor_send(struct engine_rpc *rpc, const struct rpc_call *c,
			 const struct call_child *m, struct worker_command *cmd,
			 void (*done)(struct engine_rpc *, struct open_command *,
				      const struct worker_event *))
{
	const struct open_command oc = {
		.request = c->ref, .done = done, .call = m->call->ref, .number = m->object.number};

	cmd->kind = COMMAND_MONITOR_SET;
	cmd->call = m->call->ref;
	cmd->monitor.monitor = m->object.number;
	engine_rpc_send(rpc, m->call->worker, cmd, &oc);
}

enum rpc_answer rpc_monitor_start(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	const char *id = rpc_param_text(c->params, "monitor", "");
	struct call_object *call = call_find(rpc, c->params, "call", err);
	const struct leg_object *supervisor, *agent, *customer;

	(void)result;
	if (call == NULL || !matrix_has(call, err) || !engine_rpc_room(rpc, call->worker, err) ||
	    (supervisor = leg_of(rpc, call, c->params, "supervisor", err)) == NULL ||
	    (agent = leg_of(rpc, call, c->params, "agent", err)) == NULL ||
	    (customer = leg_of(rpc, call, c->params, "customer", err)) == NULL)
		return RPC_ANSWER_ERROR;
	if (supervisor == agent || supervisor == customer || agent == customer) {
		rpc_error_set(err, RPC_INVALID_PARAMS,
			      "supervisor, agent and customer must be three legs");
		return RPC_ANSWER_ERROR;
	}

	struct call_child *m =
		(struct call_child *)registry_find(&rpc->objects, OBJECT_MONITOR, id);

	if (m != NULL && !m->stopping && json_equal(m->params, c->params))
		return RPC_ANSWER_RESULT;
	if (m != NULL) {
		rpc_error_set(err, RPC_EXISTS, "monitor %s runs with other parameters", id);
		return RPC_ANSWER_ERROR;
	}
	m = calloc(1, sizeof(*m));
	must(m != NULL);
	*m = (struct call_child){.object.kind = OBJECT_MONITOR,
				 .call = call,
				 .next = call->children,
				 .params = json_deep_copy(c->params)};
	call->children = m;
	registry_add(&rpc->objects, &m->object, id);

	struct worker_command cmd = {0};

	cmd.monitor.supervisor = supervisor->ref;
	cmd.monitor.agent = agent->ref;
	cmd.monitor.customer = customer->ref;
	cmd.monitor.mode = (enum monitor_mode)(MONITOR_LISTEN +
					       rpc_param_word(c->params, "mode", MODE_WORDS, 0));
	monitor_send(rpc, c, m, &cmd, monitor_started);
	return RPC_ANSWER_LATER;
}

/* The refs of the monitor's legs as far as they are still open. */
static void monitor_legs(const struct engine_rpc *rpc, const struct call_child *m,
			 struct worker_command *cmd)
{
	struct rpc_error err = {0};
	struct leg_ref *to[] = {&cmd->monitor.supervisor, &cmd->monitor.agent,
				&cmd->monitor.customer};
	static const char *const names[] = {"supervisor", "agent", "customer"};

	for (int i = 0; i < 3; i++) {
		const struct leg_object *leg = leg_find(rpc, m->params, names[i], &err);

		rpc_error_clear(&err);
		if (leg != NULL && leg->call == m->call)
			*to[i] = leg->ref;
	}
}

static struct call_child *monitor_find(const struct engine_rpc *rpc, const json_t *params,
				       struct rpc_error *err)
{
	const char *id = rpc_param_text(params, "monitor", "");
	struct call_child *m =
		(struct call_child *)registry_find(&rpc->objects, OBJECT_MONITOR, id);

	if (m != NULL && !m->stopping)
		return m;
	rpc_error_not_found(err, "monitor", id);
	return NULL;
}

enum rpc_answer rpc_monitor_mode(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct call_child *m = monitor_find(rpc, c->params, err);
	struct worker_command cmd = {0};

	(void)result;
	if (m == NULL || !engine_rpc_room(rpc, m->call->worker, err))
		return RPC_ANSWER_ERROR;
	monitor_legs(rpc, m, &cmd);
	cmd.monitor.mode = (enum monitor_mode)(MONITOR_LISTEN +
					       rpc_param_word(c->params, "mode", MODE_WORDS, 0));
	must(json_object_set(m->params, "mode", json_object_get(c->params, "mode")) == 0);
	monitor_send(rpc, c, m, &cmd, monitor_changed);
	return RPC_ANSWER_LATER;
}

enum rpc_answer rpc_monitor_stop(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_rpc *rpc = c->owner;
	struct call_child *m = monitor_find(rpc, c->params, err);
	struct worker_command cmd = {0};

	if (m == NULL) {
		rpc_error_clear(err);
		*result = json_pack("{s:b}", "stopped", 0);
		return RPC_ANSWER_RESULT;
	}
	m->stopping = true;
	monitor_legs(rpc, m, &cmd);
	cmd.monitor.mode = MONITOR_OFF;
	monitor_send(rpc, c, m, &cmd, monitor_stopped);
	return RPC_ANSWER_LATER;
}
