/* For tests: an engine that moves no packet. It speaks the engine's protocol on a socket in the
 * test's own loop, keeps the objects it is told of, plays prompts in no time, types the digits that
 * the test gave it, and writes down every request.
 */
#ifndef CALL_ENGINE_KIT_H
#define CALL_ENGINE_KIT_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/re.h"

#include "patchbay/rpc_server.h"

enum {
	ENGINE_KIT_RECORDINGS = 16,
	ENGINE_KIT_LEGS = 1024,
	ENGINE_KIT_LOG = 262144,
	ENGINE_KIT_PLAY_MS = 20
};

struct engine_kit_leg {
	bool used;
	char call[64], leg[64];
	char play[64]; /* runs now; "" none */
	char prompt[96];
	bool loops, muted;
	char collect[64];
	char direction[16];
	int remote_port;
};

struct engine_kit {
	struct rpc_server *server;
	struct event_log *events;
	struct list later; /* what ends by itself, and has not yet */
	int fd;
	char path[108];
	struct engine_kit_leg leg[ENGINE_KIT_LEGS];
	char digits[64];     /* typed into the next collections, one string each, split by ',' */
	uint32_t think_ms;   /* a collection without digits times out after so long; 0: at once */
	unsigned one_way_ms; /* what each leg.stat says */
	unsigned fail_leg_open;           /* so many leg.open are refused as overloaded */
	bool no_volume;                   /* its recorder has none, and refuses */
	uint16_t takes_first, takes_last; /* its UDP ports at 127.0.0.1 */
	unsigned calls, recordings, recordings_done, hears;
	struct {
		char id[64], call[64], customer[64];
	} recording[ENGINE_KIT_RECORDINGS]; /* those that run; id "" is free */
	char monitor_mode[16];
	char hear[8][2][64]; /* of the last call.hear */
	unsigned hear_count;
	uint16_t port_next;
	char log[ENGINE_KIT_LOG];
	size_t log_len;
};

/* Listen at `path`. Returns 0 or negative errno. */
int engine_kit_open(struct engine_kit *k, const char *path);

/* As if killed: everything is gone. */
void engine_kit_close(struct engine_kit *k);

/* Emit one event; takes `members`. */
void engine_kit_event(struct engine_kit *k, const char *type, json_t *members);

/* What the leg of this kind hears by a play now: prompt name or "". Finds by the leg's id. */
const char *engine_kit_playing(const struct engine_kit *k, const char *leg);

/* How many recordings run; of call `call`, or in all with NULL. */
unsigned engine_kit_recordings(const struct engine_kit *k, const char *call);

/* Does `listener` hear `speaker` by the last call.hear? */
bool engine_kit_hears(const struct engine_kit *k, const char *listener, const char *speaker);

/* How many legs are open. */
unsigned engine_kit_legs(const struct engine_kit *k);

/* Was a line with this text logged ("play.start music/default")? */
bool engine_kit_was(const struct engine_kit *k, const char *text);

/* The open leg number `n` of the only call, in order of opening; NULL. */
struct engine_kit_leg *engine_kit_leg_at(struct engine_kit *k, unsigned n);

#endif
