/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine's recorder is up to: asked for when the engine comes, when its alarm changes and every
 * few seconds; kept for `status`, and for the question whether a call that must be recorded can be. While
 * nothing is known, calls are taken: an engine that has just come is not accused.
 */
#include "call/calls.h"

#include <stdio.h>

enum { ASK_EVERY_S = 5, WELL_AGAIN = 12 };

static void judge(struct centre *c)
{
	bool refuse = c->config->record_unavailable == CONFIG_UNRECORDED_REFUSE;
	char text[160];

	snprintf(text, sizeof(text), "no volume takes recordings: calls %s",
		 refuse ? "that are to be recorded are refused" : "are taken unrecorded");
	centre_alarm(c, "no volume", c->recorder.known && c->recorder.lacks, text);
}

static void on_stat(void *arg, int err, const json_t *result, const struct rpc_error *why)
{
	struct centre *c = arg;
	const json_t *row = json_object_get(result, "recorder");
	const json_t *recording = json_object_get(row, "recording");

	(void)why;
	if (err != 0)
		return;
	json_decref(c->recorder.row);
	c->recorder.row = json_is_object(row) ? json_incref((json_t *)(uintptr_t)row) : NULL;
	c->recorder.known = true;
	/* an engine without a recorder says null */
	c->recorder.lacks = json_is_null(row) || json_is_false(recording);
	judge(c);
	/* a recording that failed is an alarm until nothing has been wrong for a minute */
	if (c->recorder.lacks || json_is_string(json_object_get(row, "alarm")))
		c->recorder.well = 0;
	else if (++c->recorder.well >= WELL_AGAIN)
		centre_alarm(c, "recording", false, "");
}

void recorder_ask(struct centre *c)
{
	c->recorder.beats = ASK_EVERY_S;
	(void)engine_request(c->engine, "stat.engine", NULL, on_stat, c);
}

void recorder_second(struct centre *c)
{
	if (c->engine == NULL || !engine_is_up(c->engine)) {
		if (c->recorder.known) {
			recorder_forget(c);
			judge(c);
		}
		return;
	}
	if (c->recorder.beats > 0)
		c->recorder.beats--;
	if (c->recorder.beats == 0)
		recorder_ask(c);
}

void recorder_forget(struct centre *c)
{
	json_decref(c->recorder.row);
	c->recorder = (struct centre_recorder){0};
}

bool recorder_refuses(const struct call *call)
{
	const struct centre *c = call->centre;

	return c->config->record_unavailable == CONFIG_UNRECORDED_REFUSE && c->recorder.known &&
	       c->recorder.lacks && record_planned(call);
}
