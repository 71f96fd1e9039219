/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine's recorder is up to: asked for when the engine comes, when its alarm changes and every
 * few seconds; kept for `status`, and for the question whether a call that must be recorded can be. While
 * nothing is known, calls are taken: an engine that has just come is not accused. The same answer says which
 * UDP ports the engine takes from the kernel; SIP that listens on one of them hears nothing.
 */
#include "call/calls.h"

#include <stdio.h>
#include <string.h>

enum { ASK_EVERY_S = 5, WELL_AGAIN = 12 };

static void judge(struct centre *c)
{
	bool refuse = c->config->record_unavailable == CONFIG_UNRECORDED_REFUSE;
	char text[160];

	snprintf(text, sizeof(text), "no volume takes recordings: calls %s",
		 refuse ? "that are to be recorded are refused" : "are taken unrecorded");
	centre_alarm(c, "no volume", c->recorder.known && c->recorder.lacks, text);
}

static bool is_at(const json_t *port, const char *ip)
{
	const char *ip4 = json_string_value(json_object_get(port, "ip"));
	const char *ip6 = json_string_value(json_object_get(port, "ip6"));

	return (ip4 != NULL && strcmp(ip4, ip) == 0) || (ip6 != NULL && strcmp(ip6, ip) == 0);
}

/* The worker among whose RTP ports on `ip` is `port`; NULL: none. */
static const json_t *taken_by(const json_t *stat, const char *ip, uint16_t port)
{
	const json_t *row, *worker;
	bool there = false;
	size_t i;

	json_array_foreach(json_object_get(stat, "ports"), i, row) there = there || is_at(row, ip);
	json_array_foreach(json_object_get(stat, "workers"), i, worker)
	{
		if (there && port >= json_integer_value(json_object_get(worker, "port_first")) &&
		    port <= json_integer_value(json_object_get(worker, "port_last")))
			return worker;
	}
	return NULL;
}

static void judge_ports(struct centre *c, const json_t *stat)
{
	enum sip_transport transport;
	char ip[SIP_IP_MAX], text[160] = "";

	for (size_t i = 0; sip_stack_bound(c->sip, i, &transport, ip) == 0; i++) {
		uint16_t port = sip_stack_port(c->sip, i);
		const json_t *w = transport == SIP_OVER_UDP ? taken_by(stat, ip, port) : NULL;

		if (w != NULL)
			snprintf(text, sizeof(text),
				 "SIP on udp:%s:%u hears nothing: the engine takes ports %d-%d "
				 "there; give it other --rtp-ports",
				 ip, (unsigned)port,
				 (int)json_integer_value(json_object_get(w, "port_first")),
				 (int)json_integer_value(json_object_get(w, "port_last")));
	}
	centre_alarm(c, "sip port", text[0] != '\0', text);
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
	judge_ports(c, result);
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
