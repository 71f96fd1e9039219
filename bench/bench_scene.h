/* What the legs of a measurement are doing: the calls, set up with the commands that the control
 * socket sends, one scene each.
 *
 * Thread: the one that also turns the worker.
 */
#ifndef BENCH_SCENE_H
#define BENCH_SCENE_H

#include "bench_net.h"
#include "codec/codec_id.h"
#include "prompt/prompt.h"
#include "srtp/srtp_suite.h"
#include "worker/worker.h"

/* What its numbers are counted in. */
enum bench_unit { BENCH_STREAM, BENCH_LEG, BENCH_CALL };

struct bench_scene_kind {
	const char *name;
	uint8_t legs_per_call;
	enum bench_unit unit;
	bool records;
	bool silent;        /* the telephones stop talking when the scene has begun */
	uint8_t frames_out; /* voice frames that a call's telephones hear in 20 ms */
	bool inband;        /* digits are looked for in the sound of every leg */
	bool srtp;          /* every leg is encrypted */
	/* Not PCMU: the second leg's codec. Only that one hears, the first. */
	enum codec_id codec;
};

/* NULL when there is none of this name. */
const struct bench_scene_kind *bench_scene_find(const char *name);
/* All of them in order; NULL after the last. */
const struct bench_scene_kind *bench_scene_at(unsigned i);
const char *bench_unit_name(enum bench_unit unit);

struct bench_prompts; /* what is played in the prompt scenes */

struct bench_world {
	struct worker *worker;
	struct bench_net net;
	struct bench_prompts *prompts;
	struct srtp_keys keys; /* of the leg that is being opened */
	uint64_t now_ns;
	uint64_t token, answered;
	uint32_t calls;
};

/* Open calls and legs, let every telephone speak so that its address is known, then connect them
 * as the scene wants. Ends the program when a command is refused. */
void bench_scene_begin(struct bench_world *b, const struct bench_scene_kind *kind);

/* Close all. */
void bench_scene_end(struct bench_world *b, const struct bench_scene_kind *kind);

/* One millisecond without measuring. */
void bench_world_step(struct bench_world *b);

/* Take the worker's events; wanted neighbours are answered. */
void bench_world_events(struct bench_world *b);

#endif
