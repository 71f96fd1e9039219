/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on their way. A command that wants an answer has a place in `open`; its token is the place
 * and the place's generation, so that a reply can never be taken for another's. A worker's queue is
 * first in, first out: once one command waits, all later ones wait behind it, because their order is
 * part of their meaning (LEG_CLOSE before CALL_CLOSE).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "rpc/rpc_priv.h"

#define NONE UINT32_MAX

static struct open_command *open_add(struct engine_rpc *rpc, uint64_t *token)
{
	if (rpc->free_open == NONE) {
		uint32_t n = rpc->opens != 0 ? rpc->opens * 2 : 256;

		rpc->open = realloc(rpc->open, n * sizeof(*rpc->open));
		must(rpc->open != NULL);
		for (uint32_t i = n; i-- > rpc->opens;) {
			rpc->open[i] = (struct open_command){.next_free = rpc->free_open};
			rpc->free_open = i;
		}
		rpc->opens = n;
	}

	uint32_t i = rpc->free_open;
	struct open_command *oc = &rpc->open[i];

	rpc->free_open = oc->next_free;
	rpc->opens_used++;
	*token = (uint64_t)(oc->generation + 1) << 32 | (i + 1);
	return oc;
}

void engine_rpc_send(struct engine_rpc *rpc, unsigned worker, struct worker_command *c,
		     const struct open_command *oc)
{
	struct engine_worker *w = &rpc->worker[worker];

	c->token = 0;
	if (oc != NULL) {
		struct open_command *place = open_add(rpc, &c->token);

		*place = *oc;
		place->used = true;
		place->generation = (uint32_t)(c->token >> 32);
	}
	if (w->first == NULL && rpc->backend.command_send(rpc->backend.arg, worker, c) == 0)
		return;

	struct queued_command *q = malloc(sizeof(*q));

	must(q != NULL);
	*q = (struct queued_command){.command = *c};
	*w->last = q;
	w->last = &q->next;
	w->queued++;
}

bool engine_rpc_room(const struct engine_rpc *rpc, unsigned worker, struct rpc_error *err)
{
	if (rpc->worker[worker].queued < ENGINE_RPC_QUEUE_MAX)
		return true;
	rpc_error_set(err, RPC_OVERLOADED, "%u commands wait for worker %u",
		      rpc->worker[worker].queued, worker);
	return false;
}

bool engine_rpc_resend(struct engine_rpc *rpc)
{
	bool waiting = false;

	for (unsigned i = 0; i < rpc->cfg.workers; i++) {
		struct engine_worker *w = &rpc->worker[i];

		while (w->first != NULL) {
			struct queued_command *q = w->first;

			if (rpc->backend.command_send(rpc->backend.arg, i, &q->command) != 0) {
				waiting = true;
				break;
			}
			w->first = q->next;
			if (w->first == NULL)
				w->last = &w->first;
			w->queued--;
			free(q);
		}
	}
	return waiting;
}

void engine_rpc_reply(struct engine_rpc *rpc, const struct worker_event *ev)
{
	uint32_t i = (uint32_t)ev->token - 1, generation = (uint32_t)(ev->token >> 32);

	if (ev->token == 0 || i >= rpc->opens || !rpc->open[i].used ||
	    rpc->open[i].generation != generation) {
		log_error("rpc", "a worker answered command %llx, which nobody sent",
			  (unsigned long long)ev->token);
		return;
	}

	/* done() may send further commands and so move the table: work on a copy. */
	struct open_command oc = rpc->open[i];

	rpc->open[i] = (struct open_command){.generation = generation, .next_free = rpc->free_open};
	rpc->free_open = i;
	rpc->opens_used--;
	oc.done(rpc, &oc, ev);
	free(oc.memory);
	leg_srtp_free(oc.keys);
	json_decref(oc.undo);
}

void engine_rpc_send_fini(struct engine_rpc *rpc)
{
	for (uint32_t i = 0; i < rpc->opens; i++)
		if (rpc->open[i].used) {
			free(rpc->open[i].memory);
			leg_srtp_free(rpc->open[i].keys);
			json_decref(rpc->open[i].undo);
			leg_gather_forget(rpc->open[i].gather);
		}
	free(rpc->open);
	for (unsigned i = 0; i < rpc->cfg.workers; i++)
		while (rpc->worker[i].first != NULL) {
			struct queued_command *q = rpc->worker[i].first;

			rpc->worker[i].first = q->next;
			free(q);
		}
}

static enum rpc_reason reason_of(int result)
{
	switch (result) {
	case -ESTALE:
	case -ENOENT:
		return RPC_NOT_FOUND;
	case -EEXIST:
		return RPC_EXISTS;
	case -EINVAL:
		return RPC_INVALID_PARAMS;
	case -EBUSY:
	case -EALREADY:
	case -EPROTO:
	case -EOPNOTSUPP:
		return RPC_OUT_OF_ORDER;
	case -ENOSPC:
	case -ENOMEM:
	case -ENOBUFS: /* the worker's transcoders */
		return RPC_NO_RESOURCE;
	default:
		return RPC_IO;
	}
}

void engine_rpc_finish(struct engine_rpc *rpc, const struct open_command *oc,
		       const struct worker_event *ev, json_t *result, const char *kind,
		       const char *id)
{
	struct rpc_error err = {0};

	if (oc->request.generation == 0) {
		json_decref(result);
		return;
	}
	if (ev->result == 0) {
		rpc_server_answer(rpc->server, oc->request, result);
		return;
	}
	json_decref(result);

	enum rpc_reason reason = reason_of(ev->result);

	if (reason == RPC_NOT_FOUND)
		rpc_error_not_found(&err, kind, id);
	else
		rpc_error_set(&err, reason, "%s %s: %s", kind, id, strerror(-ev->result));
	rpc_server_fail(rpc->server, oc->request, &err);
}

void engine_rpc_done_plain(struct engine_rpc *rpc, struct open_command *oc,
			   const struct worker_event *ev)
{
	const struct leg_object *leg = leg_by_ref(rpc, oc->leg);
	const struct call_object *call = call_by_ref(rpc, oc->call);

	if (leg != NULL)
		engine_rpc_finish(rpc, oc, ev, NULL, "leg", leg->object.id);
	else
		engine_rpc_finish(rpc, oc, ev, NULL, "call",
				  call != NULL ? call->object.id : "(closed)");
}
