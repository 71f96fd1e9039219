/* The engine's control socket: strings and JSON on one side, workers' rings on the other.
 *
 * This module owns every id. It validates a request, chooses the worker, the call's and the leg's
 * index (a leg's index is its port pair), sends the command, and answers the client when the
 * worker has replied. Workers' events become numbered events for all clients. It knows nothing of
 * DPDK: what it needs of the rest of the engine comes through `struct engine_backend`, which
 * main.c fills with the real thing and tests with a fake.
 *
 * Nothing is lost when a worker's command ring is full: commands wait here, in order, and are
 * offered again at each engine_rpc_poll(). While more than ENGINE_RPC_QUEUE_MAX wait for a worker, new requests
 * for it are refused with `overloaded`.
 *
 * Thread: the main lcore.
 */
#ifndef RPC_ENGINE_RPC_H
#define RPC_ENGINE_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patchbay/fate.h"
#include "patchbay/recording_account.h"
#include "worker/command.h"

enum {
	ENGINE_WORKERS_MAX = 64,
	ENGINE_STAGES_MAX = 16,
	ENGINE_RPC_QUEUE_MAX = 4096, /* commands waiting for one worker's ring */
};

/* Counters of one worker at this moment. */
struct engine_worker_stats {
	uint32_t lcore;
	double busy_share;  /* 0..1, an average over the last second or so (plan/load.h) */
	double late_us;     /* how late the slots of its wheel are run, the same average */
	uint64_t cycles_hz; /* of the stages' cycles */
	uint64_t turns, received, sent, mbufs_free;
	uint64_t coders, coders_used, coders_missed; /* legs transcoded: at most, now, refused */
	uint32_t opus_complexity;
	uint64_t fate[FATE_COUNT];
	uint32_t stages;
	struct {
		const char *name; /* static text */
		uint64_t packets, cycles;
	} stage[ENGINE_STAGES_MAX];
};

struct engine_port_stats {
	char name[32], driver[32], mac[18], ip[64], ip6[64];
	bool link;
	char fallback[256]; /* why it is not the device that was asked for; "" if it is */
	uint64_t rx_missed, rx_nombuf; /* what the device could not deliver */
};

enum { ENGINE_VOLUMES_MAX = 8 };

struct engine_volume_stats {
	const char *path;  /* valid as long as the recorder */
	const char *state; /* "untried", "works", "full" or "failed" */
	const char *error; /* a sentence, or NULL */
	uint64_t weight, free_bytes, total_bytes;
	uint64_t segments, fresh, finished, made, recycled, failures;
	bool in_use;
};

struct engine_recorder_stats {
	bool enabled;
	bool recording; /* a volume takes recordings */
	bool refuses;   /* without one, new recordings are refused */
	uint64_t extents, extents_free, extents_waiting, bytes_written, writes, syncs, segment;
	uint64_t errors, rewritten;
	uint64_t recordings, recordings_now, refused;
	/* frames over all recordings of this run */
	uint64_t frames_written, frames_durable, frames_masked, frames_lost;
	uint64_t lost[RECORDING_LOSSES]; /* of the lost, by enum recording_loss */
	int64_t frames_missing;
	uint64_t pauses, masks;
	uint64_t durable_ms_p50, durable_ms_p99, durable_ms_max, lag_ms;
	char alarm[256]; /* "" when all is well */
	unsigned volumes;
	struct engine_volume_stats volume[ENGINE_VOLUMES_MAX];
};

/* A prompt's entry for prompt.list, and a file that prompt.load could not read. */
typedef void engine_prompt_fn(void *to, const char *name, uint32_t duration_ms);
typedef void engine_prompt_failed_fn(void *to, const char *file, const char *message);

/* What the control socket needs of the rest of the engine. All functions are called on the main
 * lcore and must not block. `arg` is handed back. */
struct engine_backend {
	void *arg;

	/* Copy the command into the worker's ring. Returns 0, or -EAGAIN when it is full. */
	int (*command_send)(void *arg, unsigned worker, const struct worker_command *command);

	/* Take one event out of the worker's ring. Returns false when there is none. */
	bool (*event_recv)(void *arg, unsigned worker, struct worker_event *event);

	/* An event that is not this module's: EVENT_NEIGHBOUR_WANTED. May be NULL. */
	void (*event_other)(void *arg, unsigned worker, const struct worker_event *event);

	/* The prompt of this name with a reference for the caller, or NULL; and its return. */
	const struct prompt *(*prompt_get)(void *arg, const char *name);
	/* A tone by its cadence (dsp/tone_plan.h), as a prompt with a reference, or NULL with a sentence in
	 * `why`. */
	const struct prompt *(*tone_get)(void *arg, const char *cadence, char *why,
					 size_t why_size);
	void (*prompt_put)(void *arg, const struct prompt *prompt);
	void (*prompt_each)(void *arg, engine_prompt_fn *fn, void *to);

	/* Read the directory (NULL: the one known) again. Returns the number of prompts loaded, or
	 * negative errno when the directory cannot be read. */
	int (*prompt_load)(void *arg, const char *directory, engine_prompt_failed_fn *failed,
			   void *to);

	void (*worker_stats)(void *arg, unsigned worker, struct engine_worker_stats *stats);

	/* Fill the stats of port `i`; false when there is no such port. */
	bool (*port_stats)(void *arg, unsigned i, struct engine_port_stats *stats);
	void (*recorder_stats)(void *arg, struct engine_recorder_stats *stats);

	/* Recording `i` of those that the engine before this one had left unfinished; false when
	 * there are not so many. `reason`: enum recording_end. */
	bool (*recorder_recovered)(void *arg, uint32_t i, uint8_t id[16], uint32_t *reason,
				   struct recording_account *account);
};

/* The slice of ports of one worker: RTP ports port_first, port_first + 2, ... port_last (even). */
struct engine_slice {
	uint16_t port_first, port_last;
};

struct engine_rpc_config {
	const char *path; /* of the socket */
	int group;        /* gid that the socket is given to, or -1 */
	unsigned workers;
	struct engine_slice slice[ENGINE_WORKERS_MAX]; /* disjoint; all of one range */
	uint16_t rtp_first;                            /* leg index 0 is this port */
	uint32_t calls_max;      /* per worker: worker w has call indexes w * calls_max and on */
	char ip4[16], ip6[46];   /* what `local` says; "" = that family is not available */
	uint32_t reuse_delay_ms; /* a closed leg's port rests this long: late packets of the old
				   * peer must not meet a new leg */
	bool srtp;               /* legs may have keys */
	const char *country;     /* of tones that name none; not NULL */
	double busy_max;         /* refuse new calls, legs and plays above this share; 1: never */
	uint32_t late_max_us;    /* ... and above this mean lateness; 0: never */
};

struct engine_rpc;

/* Open the socket and start with no calls. Returns 0, -EINVAL for a config that contradicts
 * itself, or as rpc_server_open(). */
int engine_rpc_open(struct engine_rpc **rpc, const struct engine_rpc_config *cfg,
		    const struct engine_backend *backend);

/* Close the socket and forget everything; sends nothing to the workers, which must have stopped: the
 * playlists they read are freed here. NULL is fine. */
void engine_rpc_close(struct engine_rpc *rpc);

/* Readable when clients want something. Events in workers' rings do not show here: the main loop
 * must call engine_rpc_poll() when a worker has signalled, too. */
int engine_rpc_fd(const struct engine_rpc *rpc);

/* Take the workers' events, offer waiting commands again, serve the clients. Never blocks.
 * `now_ms` is a monotonic clock, `wall_ms` the time of day. Returns the number of milliseconds after
 * which it wants to be called again even if nothing happens, or -1 for never. */
int engine_rpc_poll(struct engine_rpc *rpc, uint64_t now_ms, uint64_t wall_ms);

/* Tell all clients that something is wrong, or right again. An alarm is known by its area: raising
 * it twice with the same text is one event. */
void engine_rpc_alarm(struct engine_rpc *rpc, const char *area, const char *text, bool raised);

/* Counts, for the log and tests. */
struct engine_rpc_counts {
	uint32_t calls, legs, plays, collects, recordings, monitors;
	uint32_t legs_resting;  /* ports that wait for reuse_delay_ms */
	uint32_t commands_open; /* sent or waiting, not yet replied */
};

void engine_rpc_counts(const struct engine_rpc *rpc, struct engine_rpc_counts *counts);

#endif
