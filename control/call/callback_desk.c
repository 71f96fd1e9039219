/* SPDX-License-Identifier: Apache-2.0
 *
 * What a controller does with calls back.
 */
#include "call/callback_desk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool promised(const struct call *call)
{
	return call->callback.promised && !call->answered && call->state != CALL_ENDING;
}

static void count(struct call *call, void *arg)
{
	*(unsigned *)arg += promised(call);
}

int centre_callback_add(struct centre *c, const char *queue, const char *number, uint64_t due_ms,
			uint8_t priority, const char **id, char *why, size_t why_size)
{
	const struct config_queue *q = config_queue_find(c->config, queue);
	struct call *call;
	unsigned n = 0;

	if (q == NULL) {
		snprintf(why, why_size, "there is no queue %s", queue);
		return -ENOENT;
	}
	if (!callback_number(number) || (config_agent_find(c->config, number) == NULL &&
					 config_trunk_for(c->config, number) == NULL)) {
		snprintf(why, why_size,
			 "%s cannot be called: it is no agent and no trunk leads there", number);
		return -EINVAL;
	}
	call = callback_find(c, queue, number);
	if (call != NULL) {
		snprintf(why, why_size, "%s is to be called back for %s already (call %s)", number,
			 queue, call->id);
		return -EEXIST;
	}
	call_each(c, count, &n);
	if (n >= CALLBACKS_MAX) {
		snprintf(why, why_size, "%u calls back wait already", n);
		return -ENOSPC;
	}
	call = callback_begin(c, &(struct callback_wish){.queue = queue,
							 .number = number,
							 .from = q->caller_id,
							 .priority = priority,
							 .due_ms = due_ms,
							 .stands = true});
	if (call == NULL) {
		snprintf(why, why_size, "queue %s does not take it", queue);
		return -EBUSY;
	}
	*id = call->id;
	queue_drain(c);
	return 0;
}

int centre_callback_dial(struct call *call, char *why, size_t why_size)
{
	if (callback_dial_now(call, "by the desk"))
		return 0;
	snprintf(why, why_size, "call %s is no call back that an agent has and has not dialled",
		 call->id);
	return -EBUSY;
}

static const char *state_of(const struct call *call)
{
	if (call->callback.task_ms != 0)
		return "task";
	if (call->agent != NULL)
		return "dialled";
	if (call->state == CALL_OFFERING)
		return "offered";
	return call->callback.due_ms > clock_wall_ms() ? "due" : "waiting";
}

static json_t *ms_or_null(uint64_t ms)
{
	return ms != 0 ? json_integer((json_int_t)ms) : json_null();
}

static void row(struct call *call, void *arg)
{
	const struct config_queue *q = config_queue_find(call->centre->config, call->record.queue);
	uint64_t task_ms = call->callback.task_ms;

	if (!promised(call))
		return;
	json_array_append_new(
		arg,
		json_pack("{s:s,s:s,s:s,s:s,s:s?,s:i,s:i,s:I,s:o,s:o}", "call", call->id, "queue",
			  call->record.queue, "number", call->record.to, "state", state_of(call),
			  "agent", call->agent != NULL ? call->agent->number : NULL, "tries",
			  (int)call->callback.tries, "tries_max",
			  q != NULL ? (int)q->callback_tries : 1, "promised_ms",
			  (json_int_t)call->callback.promised_ms, "due_ms",
			  ms_or_null(call->callback.due_ms), "task_ms",
			  task_ms != 0 ? json_integer((json_int_t)(clock_mono_ms() - task_ms))
				       : json_null()));
}

json_t *centre_callbacks(struct centre *c)
{
	json_t *rows = json_array();

	call_each(c, row, rows);
	return rows;
}
