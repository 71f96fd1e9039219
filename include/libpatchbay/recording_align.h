/* Inside the library: one channel's frames onto the common time line.
 *
 * A frame's RTP timestamp tells how far it is from its neighbours, to the sample; its arrival tells
 * where all of them are on the engine's clock, but with the network's jitter added and seen through
 * the sender's own clock, which runs a little fast or slow. The least delayed frames of a few
 * seconds around a frame show where it belongs: their delay is the constant of the path, and
 * following it over time is following the sender's clock.
 *
 * Frames go in in arrival order; they come out in the order of their timestamps, HOLD later, each
 * with its place on the time line. The aligner keeps the caller's handles and never looks inside.
 *
 * Thread: one owner. Pure.
 */
#ifndef LIBPATCHBAY_RECORDING_ALIGN_H
#define LIBPATCHBAY_RECORDING_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ALIGN_HELD_MAX = 1024,     /* frames; more in HOLD are let go early */
	ALIGN_PAST_MAX = 1024,     /* remembered delays of frames that went out */
	ALIGN_HOLD_MS = 4000,      /* seen ahead and behind */
	ALIGN_JUMP_MS = 100,       /* a change of delay that is no jitter: another source */
	ALIGN_OVERLAP_MS = 10,     /* of another source over the last one that is not cut off */
	ALIGN_SLIP_BEGIN_US = 500, /* error at which slipping begins, and at which it ends */
	ALIGN_SLIP_END_US = 125,
};

struct align_frame {
	uint64_t arrival_ns; /* on the time line */
	uint32_t timestamp;
	uint32_t clock_hz;
	uint32_t ticks; /* media time, in clock_hz */
	void *handle;
};

/* Where a frame goes, in samples of the output. `length` samples from `at`, made from the frame
 * after its first `skip` output samples are thrown away; before it the channel is silent since
 * the last one. */
struct align_place {
	int64_t at;
	uint32_t length;
	uint32_t skip;
	int slip;     /* +1 or -1: `length` is one more or less than the frame's own */
	bool restart; /* first of another source */
};

struct align_held {
	struct align_frame f;
	uint64_t source;
	uint64_t ts;      /* widened */
	int64_t delay_ns; /* arrival minus media time */
};

struct align_source {
	uint64_t number; /* 0: none yet */
	uint64_t ts;     /* newest, widened */
	int64_t delay_ns;
	uint32_t clock_hz;
};

struct align {
	uint32_t rate_hz;
	struct align_source current, previous;
	uint64_t sources;
	struct align_held held[ALIGN_HELD_MAX]; /* by (source, ts) */
	size_t held_n;
	struct {
		uint64_t source;
		uint64_t arrival_ns;
		int64_t delay_ns;
	} past[ALIGN_PAST_MAX];
	uint64_t past_n;
	/* of what was placed last */
	uint64_t placed_source;
	uint64_t placed_end_ts;
	int64_t offset_ns; /* time line minus media time, as used */
	bool slipping;
	int64_t cursor; /* end of it, in output samples */
};

void align_init(struct align *a, uint32_t rate_hz);

/* Offer a frame. Returns false when it is a duplicate; the caller keeps the handle then. When
 * align_full(), take one out first. */
bool align_put(struct align *a, const struct align_frame *f);
bool align_full(const struct align *a);

/* Take the next frame whose surroundings are known at `now_ns` (UINT64_MAX: all). Returns false
 * when there is none. `place->length` is 0 when its time has passed. */
bool align_get(struct align *a, uint64_t now_ns, struct align_frame *f, struct align_place *place);

/* Nothing will be placed before output sample `at`: what comes later for earlier is cut off. */
void align_pass(struct align *a, int64_t at);

#endif
