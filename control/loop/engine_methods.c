/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods, one function each: their params as the protocol spells them.
 */
#include <string.h>

#include "loop/engine.h"

#include <stdio.h>
#include <string.h>

static void put_text(json_t *o, const char *name, const char *text)
{
	json_object_set_new(o, name, json_string(text));
}

int engine_call_open(struct engine *e, const char *call, engine_reply_fn *fn, void *arg)
{
	return engine_request(e, "call.open", json_pack("{s:s}", "call", call), fn, arg);
}

int engine_call_open_urgent(struct engine *e, const char *call, engine_reply_fn *fn, void *arg)
{
	return engine_request(e, "call.open", json_pack("{s:s,s:b}", "call", call, "urgent", 1), fn,
			      arg);
}

int engine_call_close(struct engine *e, const char *call, engine_reply_fn *fn, void *arg)
{
	return engine_request(e, "call.close", json_pack("{s:s}", "call", call), fn, arg);
}

int engine_call_hear(struct engine *e, const char *call, const struct engine_hear *hear, unsigned n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "listener", hear[i].listener,
						      "speaker", hear[i].speaker));
	return engine_request(e, "call.hear", json_pack("{s:s,s:o}", "call", call, "hear", list),
			      NULL, NULL);
}

int engine_leg_open(struct engine *e, const char *call, const char *leg, json_t *members,
		    engine_reply_fn *fn, void *arg)
{
	put_text(members, "call", call);
	put_text(members, "leg", leg);
	return engine_request(e, "leg.open", members, fn, arg);
}

int engine_leg_set(struct engine *e, const char *leg, json_t *members, engine_reply_fn *fn,
		   void *arg)
{
	put_text(members, "leg", leg);
	return engine_request(e, "leg.set", members, fn, arg);
}

int engine_leg_close(struct engine *e, const char *leg, engine_reply_fn *fn, void *arg)
{
	return engine_request(e, "leg.close", json_pack("{s:s}", "leg", leg), fn, arg);
}

int engine_leg_stat(struct engine *e, const char *leg, engine_reply_fn *fn, void *arg)
{
	return engine_request(e, "leg.stat", json_pack("{s:s}", "leg", leg), fn, arg);
}

int engine_play_start(struct engine *e, const char *leg, const char *play, json_t *items,
		      unsigned loop, const char *interrupt, engine_reply_fn *fn, void *arg)
{
	json_t *p = json_pack("{s:s,s:s,s:o,s:i}", "leg", leg, "play", play, "items", items, "loop",
			      (int)loop);

	const char *speech = interrupt != NULL ? strstr(interrupt, ENGINE_OR_SPEECH) : NULL;

	if (speech != NULL)
		json_object_set_new(p, "interrupt",
				    json_pack("{s:s%, s:b}", "digits", interrupt,
					      (size_t)(speech - interrupt), "speech", 1));
	else if (interrupt != NULL)
		put_text(p, "interrupt", interrupt);
	return engine_request(e, "play.start", p, fn, arg);
}

int engine_play_stop(struct engine *e, const char *play)
{
	return engine_request(e, "play.stop", json_pack("{s:s}", "play", play), NULL, NULL);
}

int engine_collect_start(struct engine *e, const char *leg, const char *collect,
			 const struct engine_collect *c, engine_reply_fn *fn, void *arg)
{
	json_t *p = json_pack("{s:s,s:s,s:i,s:i,s:I,s:I,s:b}", "leg", leg, "collect", collect,
			      "max", (int)c->max, "min", (int)c->min, "first_timeout_ms",
			      (json_int_t)c->first_timeout_ms, "inter_timeout_ms",
			      (json_int_t)c->inter_timeout_ms, "secret", c->secret);

	put_text(p, "terminators", c->terminators);
	return engine_request(e, "collect.start", p, fn, arg);
}

int engine_collect_stop(struct engine *e, const char *collect)
{
	return engine_request(e, "collect.stop", json_pack("{s:s}", "collect", collect), NULL,
			      NULL);
}

int engine_record_start(struct engine *e, const char *call, const char *recording,
			const char *customer, json_t *metadata, engine_reply_fn *fn, void *arg)
{
	return engine_request(e, "record.start",
			      json_pack("{s:s,s:s,s:s,s:o}", "call", call, "recording", recording,
					"customer", customer, "metadata", metadata),
			      fn, arg);
}

int engine_record_stop(struct engine *e, const char *recording)
{
	return engine_request(e, "record.stop", json_pack("{s:s}", "recording", recording), NULL,
			      NULL);
}

int engine_record_change(struct engine *e, const char *verb, const char *recording,
			 const char *reason, engine_reply_fn *fn, void *arg)
{
	char method[32];

	snprintf(method, sizeof(method), "record.%s", verb);
	/* Who asked is told for a mask; a pause is a gap without words. */
	return engine_request(e, method,
			      json_pack("{s:s,s:s*}", "recording", recording, "reason",
					strcmp(verb, "mask") == 0 ? reason : NULL),
			      fn, arg);
}

int engine_monitor_start(struct engine *e, const char *call, const char *monitor,
			 const char *supervisor, const char *agent, const char *customer,
			 const char *mode, engine_reply_fn *fn, void *arg)
{
	json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:s}", "call", call, "monitor", monitor,
			      "supervisor", supervisor, "customer", customer, "mode", mode);

	put_text(p, "agent", agent);
	return engine_request(e, "monitor.start", p, fn, arg);
}

int engine_monitor_mode(struct engine *e, const char *monitor, const char *mode)
{
	return engine_request(e, "monitor.mode",
			      json_pack("{s:s,s:s}", "monitor", monitor, "mode", mode), NULL, NULL);
}

int engine_monitor_stop(struct engine *e, const char *monitor)
{
	return engine_request(e, "monitor.stop", json_pack("{s:s}", "monitor", monitor), NULL,
			      NULL);
}
