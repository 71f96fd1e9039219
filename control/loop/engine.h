/* The engine as the daemon sees it: one connection that comes back by itself, and a function for
 * each method.
 *
 *	DOWN --socket there--> HELLO --ok--> SUBSCRIBE/SNAPSHOT --ok--> UP --connection ends--> DOWN
 *	  ^ tries again after 100 ms, 200 ms ... 2 s                                             |
 *	  +--------------------------------------------------------------------------------------+
 *
 * When UP is reached `up` is told whether this is the engine that was known (then the snapshot says
 * what it holds) or another instance (then nothing of before exists in it). Events that happened
 * while the connection was away, in the same instance, are delivered after `up`.
 *
 * Commands may be sent one after the other without waiting: the engine carries out the requests of
 * one connection in order. Where the answer matters there is a callback, which is called exactly
 * once, never from inside the function that asked; while DOWN every command returns -ENOTCONN and
 * calls nothing. Refusals without a callback are logged with the engine's sentence.
 *
 * Thread: libre's loop. Source: include/patchbay/engine-protocol.md.
 */
#ifndef LOOP_ENGINE_H
#define LOOP_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "patchbay/rpc_error.h"

enum { ENGINE_REPLY_MS = 5000, ENGINE_RETRY_MIN_MS = 100, ENGINE_RETRY_MAX_MS = 2000 };

struct engine;

/* An answer. `err` is 0 with `result`; -EREMOTEIO with `why` when the engine refused; -ETIMEDOUT or
 * -ECONNRESET otherwise. Borrowed. */
typedef void engine_reply_fn(void *arg, int err, const json_t *result, const struct rpc_error *why);

struct engine_handlers {
	/* Ready for commands. `same`: the instance is the one of before. `snapshot` is borrowed. */
	void (*up)(void *arg, bool same, const json_t *snapshot);
	void (*down)(void *arg);
	/* One event: its params. */
	void (*event)(void *arg, const char *type, const json_t *params);
	void *arg;
};

/* Start to connect to the socket at `path`. Never fails but for memory (-ENOMEM). */
int engine_open(struct engine **engine, const char *path, const struct engine_handlers *handlers);

/* Before the loop runs: the engine that a daemon before us knew, and the newest event that it heard. If it
 * is there still, `up` says `same`, and events since then follow. */
void engine_expect(struct engine *engine, const char *instance, uint64_t seq);

/* Disconnect; open requests are answered with -ECONNRESET. NULL is fine. */
void engine_close(struct engine *engine);

bool engine_is_up(const struct engine *engine);

struct engine_view {
	bool connected;
	char path[108];
	char version[32];
	char instance[40];
	uint64_t since_ms; /* wall clock of the last change of `connected` */
	uint32_t reconnects;
};
void engine_view(const struct engine *engine, struct engine_view *view);

/* Any method. Takes `params`. `fn` may be NULL. Returns 0, -ENOTCONN or -ENOBUFS. */
int engine_request(struct engine *engine, const char *method, json_t *params, engine_reply_fn *fn,
		   void *arg);

/* --- one function per method that calls use --------------------------------------------------- */

int engine_call_open(struct engine *e, const char *call, engine_reply_fn *fn, void *arg);
/* The same for a call for help: the engine lets it in whatever its load. */
int engine_call_open_urgent(struct engine *e, const char *call, engine_reply_fn *fn, void *arg);
int engine_call_close(struct engine *e, const char *call, engine_reply_fn *fn, void *arg);

/* The whole matrix: each pair hears each other. `pairs` of leg ids, 2 * n texts. */
struct engine_hear {
	const char *listener, *speaker;
};
int engine_call_hear(struct engine *e, const char *call, const struct engine_hear *hear,
		     unsigned n);

/* `members` is an object with the optional members of leg.open or leg.set; taken. */
int engine_leg_open(struct engine *e, const char *call, const char *leg, json_t *members,
		    engine_reply_fn *fn, void *arg);
int engine_leg_set(struct engine *e, const char *leg, json_t *members, engine_reply_fn *fn,
		   void *arg);
int engine_leg_close(struct engine *e, const char *leg, engine_reply_fn *fn, void *arg);
int engine_leg_stat(struct engine *e, const char *leg, engine_reply_fn *fn, void *arg);

/* What may interrupt a play: keys, and behind them the caller's voice. */
#define ENGINE_ANY_KEY   "0123456789*#"
#define ENGINE_OR_SPEECH "+speech"

/* `items` is an array, taken. `loop` 0 repeats for ever. `interrupt` NULL: none; else keys, with
 * ENGINE_OR_SPEECH behind them also speech. */
int engine_play_start(struct engine *e, const char *leg, const char *play, json_t *items,
		      unsigned loop, const char *interrupt, engine_reply_fn *fn, void *arg);
int engine_play_stop(struct engine *e, const char *play);

struct engine_collect {
	unsigned max, min;
	const char *terminators;
	uint32_t first_timeout_ms, inter_timeout_ms;
	bool secret;
};
int engine_collect_start(struct engine *e, const char *leg, const char *collect,
			 const struct engine_collect *c, engine_reply_fn *fn, void *arg);
int engine_collect_stop(struct engine *e, const char *collect);

/* `metadata` is an object, taken. */
int engine_record_start(struct engine *e, const char *call, const char *recording,
			const char *customer, json_t *metadata, engine_reply_fn *fn, void *arg);
int engine_record_stop(struct engine *e, const char *recording);
/* `verb`: pause, resume, mask, unmask; `reason` is kept with a mask. */
int engine_record_change(struct engine *e, const char *verb, const char *recording,
			 const char *reason, engine_reply_fn *fn, void *arg);

int engine_monitor_start(struct engine *e, const char *call, const char *monitor,
			 const char *supervisor, const char *agent, const char *customer,
			 const char *mode, engine_reply_fn *fn, void *arg);
int engine_monitor_mode(struct engine *e, const char *monitor, const char *mode);
int engine_monitor_stop(struct engine *e, const char *monitor);

#endif
