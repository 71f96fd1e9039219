/* SPDX-License-Identifier: Apache-2.0
 *
 * Each method does the least that the protocol promises. What takes time in the real engine (a
 * prompt, a collection) ends ENGINE_KIT_PLAY_MS later by a timer of the kit's list.
 */
#include "call/engine_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/re.h"

#include "loop/clock.h"

/* Something that ends by itself. */
struct later {
	struct le le; /* of engine_kit.later */
	struct engine_kit *k;
	struct tmr tmr;
	char leg[64], id[64];
	bool play;
	char digits[32];
	bool timed_out;
};

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static struct engine_kit_leg *find(struct engine_kit *k, const char *leg)
{
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		if (k->leg[i].used && strcmp(k->leg[i].leg, leg) == 0)
			return &k->leg[i];
	return NULL;
}

void engine_kit_event(struct engine_kit *k, const char *type, json_t *members)
{
	rpc_server_event(k->server, clock_wall_ms(), type, members);
}

static void note(struct engine_kit *k, const char *method, const char *what)
{
	int n = snprintf(k->log + k->log_len, sizeof(k->log) - k->log_len, "%s %s\n", method, what);

	if (n > 0 && k->log_len + (size_t)n < sizeof(k->log))
		k->log_len += (size_t)n;
}

static void play_over(struct engine_kit *k, struct engine_kit_leg *l, const char *reason)
{
	char play[64];

	if (l->play[0] == '\0')
		return;
	memcpy(play, l->play, sizeof(play));
	l->play[0] = l->prompt[0] = '\0';
	engine_kit_event(k, "play.done",
			 json_pack("{s:s,s:s,s:s,s:s,s:i}", "call", l->call, "leg", l->leg, "play",
				   play, "reason", reason, "played_ms", 20));
}

static void on_later(void *arg)
{
	struct later *w = arg;
	struct engine_kit_leg *l = find(w->k, w->leg);

	if (l != NULL && w->play && strcmp(l->play, w->id) == 0)
		play_over(w->k, l, "finished");
	if (l != NULL && !w->play && strcmp(l->collect, w->id) == 0) {
		l->collect[0] = '\0';
		engine_kit_event(w->k, "collect.done",
				 json_pack("{s:s,s:s,s:s,s:s,s:s}", "call", l->call, "leg", l->leg,
					   "collect", w->id, "digits", w->digits, "reason",
					   w->timed_out ? "first_timeout" : "complete"));
	}
	list_unlink(&w->le);
	free(w);
}

static struct later *later(struct engine_kit *k, const char *leg, const char *id, bool play)
{
	struct later *w = calloc(1, sizeof(*w));

	w->k = k;
	w->play = play;
	snprintf(w->leg, sizeof(w->leg), "%s", leg);
	snprintf(w->id, sizeof(w->id), "%s", id);
	tmr_init(&w->tmr);
	list_append(&k->later, &w->le, w);
	return w;
}

static enum rpc_answer not_found(struct rpc_error *err, const char *kind, const char *id)
{
	rpc_error_not_found(err, kind, id);
	return RPC_ANSWER_ERROR;
}

/* The row of a call, made when it is first asked for. */
static json_t *row_of(json_t *list, const char *call)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		if (strcmp(text(row, "call"), call) == 0)
			return row;
	}
	row = json_pack("{s:s,s:[],s:[],s:[],s:[],s:[],s:[]}", "call", call, "legs", "hear",
			"plays", "collects", "recordings", "monitors");
	json_array_append_new(list, row);
	return row;
}

static void add_row(json_t *call, const char *list, const char *name, const char *id)
{
	if (id[0] != '\0')
		json_array_append_new(json_object_get(call, list), json_pack("{s:s}", name, id));
}

static json_t *call_rows(struct engine_kit *k)
{
	json_t *list = json_array(), *row;

	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++) {
		const struct engine_kit_leg *l = &k->leg[i];

		if (!l->used)
			continue;
		row = row_of(list, l->call);
		add_row(row, "legs", "leg", l->leg);
		add_row(row, "plays", "play", l->play);
		add_row(row, "collects", "collect", l->collect);
	}
	for (unsigned i = 0; i < ENGINE_KIT_RECORDINGS; i++)
		if (k->recording[i].id[0] != '\0')
			add_row(row_of(list, k->recording[i].call), "recordings", "recording",
				k->recording[i].id);
	for (unsigned i = 0; i < k->hear_count; i++) {
		const struct engine_kit_leg *l = find(k, k->hear[i][0]);

		if (l != NULL)
			json_array_append_new(json_object_get(row_of(list, l->call), "hear"),
					      json_pack("{s:s,s:s}", "listener", k->hear[i][0],
							"speaker", k->hear[i][1]));
	}
	return list;
}

static enum rpc_answer do_snapshot(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit *k = c->owner;

	(void)err;
	*result = json_pack("{s:I,s:o}", "seq", (json_int_t)event_log_newest(k->events), "calls",
			    call_rows(k));
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_call_open(const struct rpc_call *c, json_t **result,
				    struct rpc_error *err)
{
	struct engine_kit *k = c->owner;

	(void)err;
	k->calls++;
	note(k, c->method, text(c->params, "call"));
	*result = json_pack("{s:s,s:i,s:b}", "call", text(c->params, "call"), "worker", 0,
			    "created", 1);
	return RPC_ANSWER_RESULT;
}

/* The recording `id`, or any of `call`; -1. */
static int find_recording(const struct engine_kit *k, const char *id, const char *call)
{
	for (int i = 0; i < ENGINE_KIT_RECORDINGS; i++)
		if (k->recording[i].id[0] != '\0' &&
		    strcmp(id != NULL ? k->recording[i].id : k->recording[i].call,
			   id != NULL ? id : call) == 0)
			return i;
	return -1;
}

static void recording_over(struct engine_kit *k, int i, const char *reason)
{
	engine_kit_event(k, "record.done",
			 json_pack("{s:s,s:s,s:s,s:{s:[{s:i,s:i,s:i,s:n},{s:i,s:i,s:i,s:n}]}}",
				   "call", k->recording[i].call, "recording", k->recording[i].id,
				   "reason", reason, "account", "channels", "accepted", 50,
				   "written", 50, "lost", 0, "lost_reason", "accepted", 50,
				   "written", 50, "lost", 0, "lost_reason"));
	k->recording[i].id[0] = '\0';
	k->recordings_done++;
}

static enum rpc_answer do_call_close(const struct rpc_call *c, json_t **result,
				     struct rpc_error *err)
{
	struct engine_kit *k = c->owner;
	const char *call = text(c->params, "call");

	(void)err;
	note(k, c->method, call);
	for (int i; (i = find_recording(k, NULL, call)) >= 0;)
		recording_over(k, i, "call_closed");
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		if (k->leg[i].used && strcmp(k->leg[i].call, call) == 0)
			k->leg[i].used = false;
	*result = json_pack("{s:b}", "closed", 1);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_hear(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit *k = c->owner;
	const json_t *list = json_object_get(c->params, "hear");

	(void)result;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *ends[] = {text(json_array_get(list, i), "listener"),
				      text(json_array_get(list, i), "speaker")};

		for (unsigned e = 0; e < 2; e++) {
			const struct engine_kit_leg *l = find(k, ends[e]);

			if (l == NULL || strcmp(l->call, text(c->params, "call")) != 0)
				return not_found(err, "leg", ends[e]);
		}
	}
	k->hears++;
	k->hear_count = 0;
	for (size_t i = 0; i < json_array_size(list) && i < 8; i++) {
		const json_t *h = json_array_get(list, i);

		snprintf(k->hear[i][0], 64, "%s", text(h, "listener"));
		snprintf(k->hear[i][1], 64, "%s", text(h, "speaker"));
		k->hear_count++;
	}
	note(k, c->method, text(c->params, "call"));
	return RPC_ANSWER_RESULT;
}

static void apply(struct engine_kit_leg *l, const json_t *p)
{
	const json_t *remote = json_object_get(p, "remote");

	if (remote != NULL)
		l->remote_port = (int)json_integer_value(json_object_get(remote, "port"));
	if (json_object_get(p, "direction") != NULL)
		snprintf(l->direction, sizeof(l->direction), "%s", text(p, "direction"));
}

static enum rpc_answer do_leg_open(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit *k = c->owner;
	struct engine_kit_leg *l = NULL;

	note(k, c->method, text(c->params, "leg"));
	if (k->fail_leg_open > 0 && !json_is_true(json_object_get(c->params, "urgent"))) {
		k->fail_leg_open--;
		rpc_error_set(err, RPC_OVERLOADED, "the engine is at its limit");
		rpc_error_add(err, "retry_after_s", json_integer(17));
		return RPC_ANSWER_ERROR;
	}
	for (unsigned i = 0; l == NULL && i < ENGINE_KIT_LEGS; i++)
		if (!k->leg[i].used)
			l = &k->leg[i];
	if (l == NULL) {
		rpc_error_set(err, RPC_NO_RESOURCE, "no free leg");
		return RPC_ANSWER_ERROR;
	}
	*l = (struct engine_kit_leg){.used = true};
	snprintf(l->call, sizeof(l->call), "%s", text(c->params, "call"));
	snprintf(l->leg, sizeof(l->leg), "%s", text(c->params, "leg"));
	apply(l, c->params);
	k->port_next = (uint16_t)(k->port_next + 2);
	*result = json_pack("{s:s,s:{s:s,s:i},s:i}", "leg", l->leg, "local", "ip",
			    strcmp(text(c->params, "family"), "ip6") == 0 ? "::1" : "127.0.0.1",
			    "port", (int)k->port_next, "ssrc", 1);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_leg_set(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit_leg *l = find(c->owner, text(c->params, "leg"));

	(void)result;
	if (l == NULL)
		return not_found(err, "leg", text(c->params, "leg"));
	apply(l, c->params);
	note(c->owner, c->method, text(c->params, "direction"));
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_leg_close(const struct rpc_call *c, json_t **result,
				    struct rpc_error *err)
{
	struct engine_kit_leg *l = find(c->owner, text(c->params, "leg"));

	(void)err;
	note(c->owner, c->method, text(c->params, "leg"));
	if (l == NULL) {
		*result = json_pack("{s:b}", "closed", 0);
		return RPC_ANSWER_RESULT;
	}
	l->used = false;
	*result = json_pack("{s:b,s:{s:f,s:f,s:f,s:i}}", "closed", 1, "stats", "lost_share", 0.01,
			    "jitter_ms", 2.5, "rtt_ms", 12.0, "packets_in", 100);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_leg_stat(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	const struct engine_kit *k = c->owner;

	(void)err;
	*result = json_pack("{s:i,s:{s:i,s:i}}", "level_dbov", -20, "sound", "one_way_ms",
			    (int)k->one_way_ms, "silence_max_ms", 0);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_play(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit *k = c->owner;
	struct engine_kit_leg *l = find(k, text(c->params, "leg"));
	const json_t *first = json_array_get(json_object_get(c->params, "items"), 0);
	const char *what = text(first, "prompt")[0] ? text(first, "prompt") : text(first, "tone");
	struct later *w;

	(void)result;
	if (l == NULL &&
	    json_object_get(c->params, "leg") == NULL) { /* an announcement to a room */
		note(k, "announce", what);
		return RPC_ANSWER_RESULT;
	}
	if (l == NULL)
		return not_found(err, "leg", text(c->params, "leg"));
	note(k, c->method, what);
	play_over(k, l, "replaced");
	snprintf(l->play, sizeof(l->play), "%s", text(c->params, "play"));
	snprintf(l->prompt, sizeof(l->prompt), "%s", what);
	l->loops = json_integer_value(json_object_get(c->params, "loop")) == 0;
	if (!l->loops) {
		w = later(k, l->leg, l->play, true);
		tmr_start(&w->tmr, ENGINE_KIT_PLAY_MS, on_later, w);
	}
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_play_stop(const struct rpc_call *c, json_t **result,
				    struct rpc_error *err)
{
	struct engine_kit *k = c->owner;

	(void)err;
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		if (k->leg[i].used && strcmp(k->leg[i].play, text(c->params, "play")) == 0)
			play_over(k, &k->leg[i], "stopped");
	*result = json_pack("{s:b}", "stopped", 1);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_collect(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit *k = c->owner;
	struct engine_kit_leg *l = find(k, text(c->params, "leg"));
	size_t n = strcspn(k->digits, ",");
	struct later *w;

	(void)result;
	if (l == NULL)
		return not_found(err, "leg", text(c->params, "leg"));
	snprintf(l->collect, sizeof(l->collect), "%s", text(c->params, "collect"));
	w = later(k, l->leg, l->collect, false);
	w->timed_out = n == 0;
	snprintf(w->digits, sizeof(w->digits), "%.*s", (int)n, k->digits);
	memmove(k->digits, k->digits + n + (k->digits[n] == ','),
		strlen(k->digits + n + (k->digits[n] == ',')) + 1);
	note(k, c->method, w->digits);
	tmr_start(&w->tmr, ENGINE_KIT_PLAY_MS + (w->timed_out ? k->think_ms : 0), on_later, w);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_collect_stop(const struct rpc_call *c, json_t **result,
				       struct rpc_error *err)
{
	struct engine_kit *k = c->owner;

	(void)err;
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		if (strcmp(k->leg[i].collect, text(c->params, "collect")) == 0)
			k->leg[i].collect[0] = '\0';
	*result = json_pack("{s:b}", "stopped", 1);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_record(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit *k = c->owner;
	const struct engine_kit_leg *l = find(k, text(c->params, "customer"));
	int i = 0;

	(void)result;
	if (l == NULL || strcmp(l->call, text(c->params, "call")) != 0)
		return not_found(err, "leg", text(c->params, "customer"));
	if (k->no_volume) {
		rpc_error_set(err, RPC_NO_VOLUME, "no volume takes recordings");
		return RPC_ANSWER_ERROR;
	}
	while (i < ENGINE_KIT_RECORDINGS && k->recording[i].id[0] != '\0')
		i++;
	if (i == ENGINE_KIT_RECORDINGS) {
		rpc_error_set(err, RPC_NO_RESOURCE, "too many recordings");
		return RPC_ANSWER_ERROR;
	}
	k->recordings++;
	snprintf(k->recording[i].id, 64, "%s", text(c->params, "recording"));
	snprintf(k->recording[i].call, 64, "%s", text(c->params, "call"));
	snprintf(k->recording[i].customer, 64, "%s", text(c->params, "customer"));
	note(k, c->method, text(json_object_get(c->params, "metadata"), "kind"));
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_record_stop(const struct rpc_call *c, json_t **result,
				      struct rpc_error *err)
{
	struct engine_kit *k = c->owner;
	int i = find_recording(k, text(c->params, "recording"), NULL);

	(void)err;
	(void)result;
	note(k, c->method, "");
	if (i >= 0)
		recording_over(k, i, "stopped");
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_record_change(const struct rpc_call *c, json_t **result,
					struct rpc_error *err)
{
	struct engine_kit *k = c->owner;

	(void)result;
	if (find_recording(k, text(c->params, "recording"), NULL) < 0) {
		rpc_error_not_found(err, "recording", text(c->params, "recording"));
		return RPC_ANSWER_ERROR;
	}
	note(k, c->method, text(c->params, "reason"));
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_monitor(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit *k = c->owner;

	(void)err;
	(void)result;
	snprintf(k->monitor_mode, sizeof(k->monitor_mode), "%s", text(c->params, "mode"));
	note(k, c->method, k->monitor_mode);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_room_set(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct engine_kit_leg *l = find(c->owner, text(c->params, "leg"));

	(void)result;
	if (l == NULL)
		return not_found(err, "leg", text(c->params, "leg"));
	l->muted = json_is_true(json_object_get(c->params, "muted"));
	note(c->owner, c->method, l->muted ? "muted" : "unmuted");
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer do_prompts(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)err;
	(void)c;
	*result = json_pack("{s:[{s:s,s:i}]}", "prompts", "prompt", "zh/recorded", "duration_ms",
			    900);
	return RPC_ANSWER_RESULT;
}

static const struct rpc_param element[] = {
	RPC_PARAM_INT("pt", RPC_OPTIONAL, 0, 127),
	RPC_PARAM_TEXT("name", RPC_OPTIONAL, 0, 32),
	RPC_PARAM_INT("clock_hz", RPC_OPTIONAL, 1, 192000),
	RPC_PARAM_INT("ptime_ms", RPC_OPTIONAL, 10, 60),
	RPC_PARAM_INT("ptime_max_ms", RPC_OPTIONAL, 10, 240),
	RPC_PARAM_INT("rate_max_hz", RPC_OPTIONAL, 8000, 48000),
	RPC_PARAM_INT("bits_per_s", RPC_OPTIONAL, 6000, 510000),
	RPC_PARAM_BOOL("fec", RPC_OPTIONAL),
	RPC_PARAM_BOOL("dtx", RPC_OPTIONAL),
	RPC_PARAM_ID("listener", RPC_OPTIONAL),
	RPC_PARAM_ID("speaker", RPC_OPTIONAL),
	RPC_PARAM_TEXT("prompt", RPC_OPTIONAL, 1, 128),
	RPC_PARAM_TEXT("tone", RPC_OPTIONAL, 1, 32),
	RPC_PARAM_INT("silence_ms", RPC_OPTIONAL, 0, 60000),
	RPC_PARAM_END,
};

static const struct rpc_param interrupt_params[] = {
	RPC_PARAM_TEXT("digits", RPC_OPTIONAL, 0, 32),
	RPC_PARAM_BOOL("speech", RPC_OPTIONAL),
	RPC_PARAM_END,
};
static const struct rpc_param anything[] = {
	RPC_PARAM_BOOL("urgent", RPC_OPTIONAL),
	RPC_PARAM_ID("call", RPC_OPTIONAL),
	RPC_PARAM_ID("leg", RPC_OPTIONAL),
	RPC_PARAM_TEXT("name", RPC_OPTIONAL, 0, 255),
	RPC_PARAM_TEXT("family", RPC_OPTIONAL, 0, 8),
	RPC_PARAM_TEXT("reason", RPC_OPTIONAL, 0, 255),
	RPC_PARAM_OBJECT("remote", RPC_OPTIONAL, NULL),
	RPC_PARAM_OBJECT("dtmf", RPC_OPTIONAL, NULL),
	RPC_PARAM_OBJECT("noise", RPC_OPTIONAL, NULL),
	RPC_PARAM_OBJECT("metadata", RPC_OPTIONAL, NULL),
	RPC_PARAM_LIST("codecs", RPC_OPTIONAL, 0, 16, element),
	RPC_PARAM_LIST("hear", RPC_OPTIONAL, 0, 64, element),
	RPC_PARAM_LIST("items", RPC_OPTIONAL, 1, 128, element),
	RPC_PARAM_WORD("direction", RPC_OPTIONAL, "sendrecv|sendonly|recvonly|inactive"),
	RPC_PARAM_BOOL("inband_dtmf", RPC_OPTIONAL),
	RPC_PARAM_BOOL("room", RPC_OPTIONAL),
	RPC_PARAM_BOOL("muted", RPC_OPTIONAL),
	RPC_PARAM_OBJECT("srtp", RPC_NULLABLE, NULL),
	RPC_PARAM_INT("media_timeout_ms", RPC_OPTIONAL, 0, 86400000),
	RPC_PARAM_ID("play", RPC_OPTIONAL),
	RPC_PARAM_INT("loop", RPC_OPTIONAL, 0, 1000),
	RPC_PARAM_TEXT_OR_OBJECT("interrupt", RPC_OPTIONAL, 0, 32, interrupt_params),
	RPC_PARAM_ID("collect", RPC_OPTIONAL),
	RPC_PARAM_INT("max", RPC_OPTIONAL, 1, 64),
	RPC_PARAM_INT("min", RPC_OPTIONAL, 0, 64),
	RPC_PARAM_TEXT("terminators", RPC_OPTIONAL, 0, 12),
	RPC_PARAM_INT("first_timeout_ms", RPC_OPTIONAL, 0, 600000),
	RPC_PARAM_INT("inter_timeout_ms", RPC_OPTIONAL, 0, 600000),
	RPC_PARAM_BOOL("secret", RPC_OPTIONAL),
	RPC_PARAM_ID("customer", RPC_OPTIONAL),
	RPC_PARAM_ID("agent", RPC_OPTIONAL),
	RPC_PARAM_ID("supervisor", RPC_OPTIONAL),
	RPC_PARAM_ID("monitor", RPC_OPTIONAL),
	RPC_PARAM_WORD("mode", RPC_OPTIONAL, "listen|whisper|barge|coach"),
	RPC_PARAM_UUID("recording", RPC_OPTIONAL),
	RPC_PARAM_END,
};

static enum rpc_answer do_stat(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	const struct engine_kit *k = c->owner;

	(void)err;
	*result = json_pack("{s:{s:b,s:i}, s:[{s:i,s:i}], s:[{s:s}]}", "recorder", "recording",
			    !k->no_volume, "extents", 8, "workers", "port_first", k->takes_first,
			    "port_last", k->takes_last, "ports", "ip", "127.0.0.1");
	return RPC_ANSWER_RESULT;
}

static const struct rpc_method methods[] = {
	{"snapshot", rpc_params_none, do_snapshot},
	{"call.open", anything, do_call_open},
	{"call.close", anything, do_call_close},
	{"call.hear", anything, do_hear},
	{"leg.open", anything, do_leg_open},
	{"leg.set", anything, do_leg_set},
	{"leg.close", anything, do_leg_close},
	{"leg.stat", anything, do_leg_stat},
	{"play.start", anything, do_play},
	{"play.stop", anything, do_play_stop},
	{"collect.start", anything, do_collect},
	{"collect.stop", anything, do_collect_stop},
	{"record.start", anything, do_record},
	{"record.stop", anything, do_record_stop},
	{"record.pause", anything, do_record_change},
	{"record.resume", anything, do_record_change},
	{"record.mask", anything, do_record_change},
	{"monitor.start", anything, do_monitor},
	{"monitor.mode", anything, do_monitor},
	{"monitor.stop", anything, do_monitor},
	{"room.set", anything, do_room_set},
	{"prompt.list", rpc_params_none, do_prompts},
	{"stat.engine", rpc_params_none, do_stat},
	{NULL, NULL, NULL},
};

static void on_readable(int flags, void *arg)
{
	struct engine_kit *k = arg;

	(void)flags;
	rpc_server_poll(k->server);
}

int engine_kit_open(struct engine_kit *k, const char *path)
{
	struct rpc_server_config cfg;
	int err;

	*k = (struct engine_kit){.port_next = 20000};
	snprintf(k->path, sizeof(k->path), "%s", path);
	k->events = event_log_new(4096, 1 << 20);
	cfg = (struct rpc_server_config){.name = "engine",
					 .version = "0.0.0",
					 .protocol = 1,
					 .methods = methods,
					 .owner = k,
					 .events = k->events,
					 .group = -1};
	err = rpc_server_open(&k->server, path, &cfg);
	if (err != 0)
		return err;
	k->fd = rpc_server_fd(k->server);
	return -fd_listen(k->fd, FD_READ, on_readable, k);
}

void engine_kit_close(struct engine_kit *k)
{
	if (k->server == NULL)
		return;
	while (k->later.head != NULL) {
		struct later *w = k->later.head->data;

		tmr_cancel(&w->tmr);
		list_unlink(&w->le);
		free(w);
	}
	fd_close(k->fd);
	rpc_server_close(k->server);
	event_log_free(k->events);
	k->server = NULL;
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		k->leg[i].used = false;
}

const char *engine_kit_playing(const struct engine_kit *k, const char *leg)
{
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		if (k->leg[i].used && strcmp(k->leg[i].leg, leg) == 0)
			return k->leg[i].prompt;
	return "";
}

unsigned engine_kit_recordings(const struct engine_kit *k, const char *call)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENGINE_KIT_RECORDINGS; i++)
		n += k->recording[i].id[0] != '\0' &&
		     (call == NULL || strcmp(k->recording[i].call, call) == 0);
	return n;
}

bool engine_kit_hears(const struct engine_kit *k, const char *listener, const char *speaker)
{
	for (unsigned i = 0; i < k->hear_count; i++)
		if (strcmp(k->hear[i][0], listener) == 0 && strcmp(k->hear[i][1], speaker) == 0)
			return true;
	return false;
}

unsigned engine_kit_legs(const struct engine_kit *k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		n += k->leg[i].used;
	return n;
}

bool engine_kit_was(const struct engine_kit *k, const char *what)
{
	return strstr(k->log, what) != NULL;
}

struct engine_kit_leg *engine_kit_leg_at(struct engine_kit *k, unsigned n)
{
	for (unsigned i = 0; i < ENGINE_KIT_LEGS; i++)
		if (k->leg[i].used && n-- == 0)
			return &k->leg[i];
	return NULL;
}
