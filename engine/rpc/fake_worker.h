/* Test tool: workers that are a model, behind the interface by which the control socket sees the real ones.
 *
 * It keeps what a worker would keep (which call and leg is open with which generation, which play and
 * collect runs), answers every command, and checks the promises of command.h with must(): indexes
 * within the slice, no leg opened over an open one, no call closed before its legs.
 */
#ifndef RPC_FAKE_WORKER_H
#define RPC_FAKE_WORKER_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "patchbay/recording_format.h"
#include "rpc/engine_rpc.h"
#include "srtp/srtp_suite.h"

enum { FAKE_WORKERS = 2, FAKE_LEGS = 64, FAKE_CALLS = 16, FAKE_EVENTS = 4096, FAKE_PROMPTS = 3 };

struct prompt {
	const char *name;
	int holds;
};

struct fake_leg {
	uint32_t generation; /* 0: closed */
	uint32_t newest;     /* the last one used */
	uint32_t call;
	uint64_t play, collect;
};

struct fake_call {
	uint64_t announcement;
	uint32_t generation;
	uint32_t legs;
	uint64_t recording_used;
	uint8_t recording[16];
};

struct fake_engine {
	struct worker_event event[FAKE_WORKERS][FAKE_EVENTS];
	uint32_t first[FAKE_WORKERS], held[FAKE_WORKERS];
	struct fake_leg leg[FAKE_WORKERS * FAKE_LEGS];
	struct fake_call call[FAKE_WORKERS * FAKE_CALLS];
	struct prompt prompt[FAKE_PROMPTS];
	char cadence[64];           /* asked for last */
	struct worker_command last; /* the newest command taken */
	struct srtp_keys keys;      /* the newest that came */
	uint64_t commands;
	uint32_t room;  /* commands that are taken before the ring is full */
	int refuse;     /* negative errno: answer the next command with it */
	uint32_t flaky; /* not 0: the ring is now full and now not, as when the worker takes out */
	double busy;
	double late_ms;
	uint32_t neighbours;
};

static inline struct worker_event *fake_put(struct fake_engine *f, unsigned w,
					    const struct worker_event *ev)
{
	must(f->held[w] < FAKE_EVENTS);

	struct worker_event *at = &f->event[w][(f->first[w] + f->held[w]++) % FAKE_EVENTS];

	*at = *ev;
	return at;
}

static inline void fake_play_end(struct fake_engine *f, unsigned w, struct leg_ref ref,
				 enum play_end why)
{
	struct fake_leg *leg = &f->leg[ref.index];
	struct worker_event ev = {.kind = EVENT_PLAY_DONE, .leg = ref};

	if (leg->play == 0)
		return;
	ev.play.play = leg->play;
	ev.play.why = why;
	ev.play.digit = 5;
	ev.play.played_ms = 40;
	leg->play = 0;
	fake_put(f, w, &ev);
}

static inline void fake_collect_end(struct fake_engine *f, unsigned w, struct leg_ref ref,
				    enum collect_end why)
{
	struct fake_leg *leg = &f->leg[ref.index];
	struct worker_event ev = {.kind = EVENT_COLLECT_DONE, .leg = ref};

	if (leg->collect == 0)
		return;
	ev.collect.collect = leg->collect;
	ev.collect.why = why;
	ev.collect.n = 2;
	ev.collect.code[0] = 9;
	ev.collect.code[1] = 11;
	leg->collect = 0;
	fake_put(f, w, &ev);
}

static inline void fake_record_end(struct fake_engine *f, unsigned w, struct fake_call *call,
				   enum record_end why)
{
	struct worker_event ev = {.kind = EVENT_RECORD_DONE};

	memcpy(ev.record.id, call->recording, 16);
	ev.record.why = why;
	ev.record.account.channel[0].accepted = 7;
	call->recording_used = 0;
	fake_put(f, w, &ev);
}

static inline int fake_record(struct fake_engine *f, unsigned w, struct fake_call *call,
			      const struct worker_command *c)
{
	bool same = call->recording_used != 0 && memcmp(call->recording, c->record.id, 16) == 0;

	if (c->kind == COMMAND_RECORD_START) {
		if (call->recording_used != 0)
			return -EBUSY;
		must(c->record.text != NULL);
		call->recording_used = 1;
		memcpy(call->recording, c->record.id, 16);
		return 0;
	}
	if (!same)
		return -ENOENT;
	if (c->kind == COMMAND_RECORD_STOP)
		fake_record_end(f, w, call, RECORD_END_STOPPED);
	return 0;
}

/* An announcement to a room. */
static inline void fake_announce_end(struct fake_engine *f, unsigned w, struct fake_call *call,
				     enum play_end why)
{
	struct worker_event ev = {.kind = EVENT_PLAY_DONE, .leg = {.index = UINT32_MAX}};

	if (call->announcement == 0)
		return;
	ev.play.play = call->announcement;
	ev.play.why = why;
	call->announcement = 0;
	fake_put(f, w, &ev);
}

static inline int fake_announce(struct fake_engine *f, unsigned w, const struct worker_command *c)
{
	struct fake_call *call = &f->call[c->call.index];

	if (call->generation != c->call.generation)
		return -ESTALE;
	if (c->kind == COMMAND_PLAY_STOP && call->announcement != c->play.play)
		return -ENOENT;
	fake_announce_end(f, w, call,
			  c->kind == COMMAND_PLAY_STOP ? PLAY_END_STOPPED : PLAY_END_REPLACED);
	if (c->kind == COMMAND_PLAY_START)
		call->announcement = c->play.play;
	return 0;
}

static inline int fake_leg_command(struct fake_engine *f, unsigned w,
				   const struct worker_command *c)
{
	struct fake_leg *leg = &f->leg[c->leg.index];
	struct fake_call *call = &f->call[c->call.index];

	if (c->kind == COMMAND_LEG_OPEN) {
		must(c->leg.index / FAKE_LEGS == w && leg->generation == 0);
		must(c->leg.generation != leg->newest && c->leg_open.ssrc != 0);
		if (call->generation != c->call.generation)
			return -ESTALE;
		leg->generation = leg->newest = c->leg.generation;
		leg->call = c->call.index;
		call->legs++;
		return 0;
	}
	if (leg->generation != c->leg.generation)
		return -ESTALE;
	switch ((int)c->kind) {
	case COMMAND_LEG_CLOSE:
		fake_play_end(f, w, c->leg, PLAY_END_LEG_CLOSED);
		fake_collect_end(f, w, c->leg, COLLECT_END_LEG_CLOSED);
		f->call[leg->call].legs--;
		leg->generation = 0;
		return 0;
	case COMMAND_PLAY_START:
		must(c->play.list->n > 0);
		fake_play_end(f, w, c->leg, PLAY_END_REPLACED);
		leg->play = c->play.play;
		return 0;
	case COMMAND_PLAY_STOP:
		if (leg->play != c->play.play)
			return -ENOENT;
		fake_play_end(f, w, c->leg, PLAY_END_STOPPED);
		return 0;
	case COMMAND_COLLECT_START:
		must(leg->collect == 0);
		leg->collect = c->collect.collect;
		return 0;
	case COMMAND_COLLECT_STOP:
		if (leg->collect != c->collect.collect)
			return -ENOENT;
		fake_collect_end(f, w, c->leg, COLLECT_END_STOPPED);
		return 0;
	default:
		return 0;
	}
}

static inline int fake_call_command(struct fake_engine *f, unsigned w,
				    const struct worker_command *c)
{
	struct fake_call *call = &f->call[c->call.index];

	if (c->kind == COMMAND_CALL_OPEN) {
		must(c->call.index / FAKE_CALLS == w && call->generation == 0);
		call->generation = c->call.generation;
		return 0;
	}
	if (call->generation != c->call.generation)
		return -ESTALE;
	if (c->kind == COMMAND_CALL_CLOSE) {
		must(call->legs == 0);
		fake_announce_end(f, w, call, PLAY_END_LEG_CLOSED);
		if (call->recording_used != 0)
			fake_record_end(f, w, call, RECORD_END_CALL_CLOSED);
		call->generation = 0;
		return 0;
	}
	for (uint32_t i = 0; c->kind == COMMAND_CALL_HEAR && i < c->hear.n; i++) {
		must(f->leg[c->hear.entry[i].speaker].call == c->call.index);
		must(!c->hear.whole || f->leg[c->hear.entry[i].listener].call == c->call.index);
	}
	return 0;
}

static inline int fake_send(void *arg, unsigned w, const struct worker_command *c)
{
	struct fake_engine *f = arg;
	struct worker_event reply = {
		.kind = EVENT_REPLY, .token = c->token, .call = c->call, .leg = c->leg};

	if (f->flaky != 0)
		f->flaky = f->flaky * 1664525U + 1013904223U;
	if (f->room == 0 || (f->flaky >> 16) % 3 == 1)
		return -EAGAIN;
	f->room--;
	f->commands++;
	f->last = *c;
	if (c->srtp != NULL)
		f->keys = *c->srtp;
	must(c->call.index / FAKE_CALLS == w || c->kind == COMMAND_LEG_STAT);
	if (f->refuse != 0) {
		reply.result = f->refuse;
		f->refuse = 0;
	} else if (c->kind == COMMAND_CALL_OPEN || c->kind == COMMAND_CALL_CLOSE ||
		   c->kind == COMMAND_CALL_HEAR || c->kind == COMMAND_MONITOR_SET) {
		reply.result = fake_call_command(f, w, c);
	} else if (c->kind >= COMMAND_RECORD_START && c->kind <= COMMAND_RECORD_MASK) {
		/* As in the engine, the reply comes before RECORD_DONE. */
		uint32_t at = f->held[w];

		fake_put(f, w, &reply);
		reply.result = fake_record(f, w, &f->call[c->call.index], c);
		f->event[w][(f->first[w] + at) % FAKE_EVENTS].result = reply.result;
		return 0;
	} else if (c->kind == COMMAND_CAPTURE_SET) {
		reply.result = 0;
	} else if (c->leg.index == UINT32_MAX) {
		reply.result = fake_announce(f, w, c);
	} else {
		reply.result = fake_leg_command(f, w, c);
		reply.stats.packets_in = 11;
		reply.stats.rtt_us = UINT32_MAX;
	}
	fake_put(f, w, &reply);
	return 0;
}

static inline bool fake_recv(void *arg, unsigned w, struct worker_event *ev)
{
	struct fake_engine *f = arg;

	if (f->held[w] == 0)
		return false;
	*ev = f->event[w][f->first[w]];
	f->first[w] = (f->first[w] + 1) % FAKE_EVENTS;
	f->held[w]--;
	return true;
}

static inline void fake_other(void *arg, unsigned w, const struct worker_event *ev)
{
	struct fake_engine *f = arg;

	(void)w, (void)ev;
	f->neighbours++;
}

static inline const struct prompt *fake_prompt_get(void *arg, const char *name)
{
	struct fake_engine *f = arg;

	for (int i = 0; i < FAKE_PROMPTS; i++)
		if (strcmp(f->prompt[i].name, name) == 0) {
			f->prompt[i].holds++;
			return &f->prompt[i];
		}
	return NULL;
}

static inline const struct prompt *fake_tone_get(void *arg, const char *cadence, char *why,
						 size_t size)
{
	struct fake_engine *f = arg;

	if (strcmp(cadence, "bad") == 0) {
		snprintf(why, size, "a frequency is 20 to 3800 Hz");
		return NULL;
	}
	snprintf(f->cadence, sizeof(f->cadence), "%s", cadence);
	f->prompt[2].holds++;
	return &f->prompt[2];
}

static inline void fake_prompt_put(void *arg, const struct prompt *p)
{
	struct fake_engine *f = arg;

	must(p->holds > 0);
	f->prompt[p - f->prompt].holds--;
}

static inline void fake_prompt_each(void *arg, engine_prompt_fn *fn, void *to)
{
	struct fake_engine *f = arg;

	for (int i = 0; i < FAKE_PROMPTS; i++)
		fn(to, f->prompt[i].name, 1000);
}

static inline int fake_prompt_load(void *arg, const char *directory,
				   engine_prompt_failed_fn *failed, void *to)
{
	(void)arg;
	if (directory != NULL && strcmp(directory, "/none") == 0)
		return -ENOENT;
	failed(to, "bad\xff.wav", "lies about its length");
	return FAKE_PROMPTS;
}

static inline void fake_worker_stats(void *arg, unsigned w, struct engine_worker_stats *st)
{
	const struct fake_engine *f = arg;

	*st = (struct engine_worker_stats){.lcore = w + 1,
					   .busy_share = f->busy,
					   .late_us = f->late_ms * 1000,
					   .received = 10};
	st->fate[FATE_RELAYED] = 6;
	st->fate[FATE_NO_LEG] = 3;
	st->stages = 1;
	st->stage[0].name = "rx";
}

static inline bool fake_port_stats(void *arg, unsigned i, struct engine_port_stats *st)
{
	(void)arg;
	if (i > 0)
		return false;
	*st = (struct engine_port_stats){.name = "p0", .driver = "fake", .ip = "192.0.2.1"};
	return true;
}

/* 150 of them: more than one answer holds. */
static inline bool fake_recorder_recovered(void *arg, uint32_t i, uint8_t id[16], uint32_t *reason,
					   struct recording_account *account)
{
	(void)arg;
	memset(id, 0, 16);
	id[0] = (uint8_t)i;
	*reason = RECORDING_END_ENGINE_DIED;
	*account = (struct recording_account){.channel = {{.accepted = i, .written = i}}};
	return i < 150;
}

static inline void fake_recorder_stats(void *arg, struct engine_recorder_stats *st)
{
	(void)arg;
	*st = (struct engine_recorder_stats){.enabled = true, .extents = 8, .extents_free = 8};
}

static inline struct engine_backend fake_backend(struct fake_engine *f)
{
	f->room = UINT32_MAX;
	f->prompt[0].name = "zh/welcome";
	f->prompt[1].name = "en/welcome";
	f->prompt[2].name = "moh";
	return (struct engine_backend){
		.arg = f,
		.command_send = fake_send,
		.event_recv = fake_recv,
		.event_other = fake_other,
		.prompt_get = fake_prompt_get,
		.tone_get = fake_tone_get,
		.prompt_put = fake_prompt_put,
		.prompt_each = fake_prompt_each,
		.prompt_load = fake_prompt_load,
		.worker_stats = fake_worker_stats,
		.port_stats = fake_port_stats,
		.recorder_stats = fake_recorder_stats,
		.recorder_recovered = fake_recorder_recovered,
	};
}

#endif
