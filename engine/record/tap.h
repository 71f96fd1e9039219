/* The tap: where a worker hands frames of a call to its recording.
 *
 * A tap is one recording in progress. Its frames are copied, both channels in arrival order,
 * into an extent of the shared-memory file (shared.h), which outlives the engine: a frame for
 * which rec_tap_frame() has returned WRITTEN is in the store after the next start whatever kills
 * the process. Full extents, and those older than the hand-over age, go to the recorder thread.
 *
 *	rec_tap_open(rw, id, "{\"call\":\"c1\"}", w->now_ns, &tap);
 *	rec_tap_frame(tap, &(struct rec_frame){.channel = 0, .codec = ..., ...});
 *	rec_tap_close(tap, RECORDING_END_STOPPED, w->now_ns, &account);
 *	every turn or millisecond: rec_tap_age(rw, w->now_ns);
 *
 * Thread: everything here belongs to the one worker whose struct rec_worker it is. rec_tap_frame()
 * and rec_tap_age() take no lock, make no system call and allocate nothing; the others neither, but
 * they read the time of day (vDSO).
 *
 * Time: `now_ns` is CLOCK_MONOTONIC or a clock that runs like it, the same one in all calls of all
 * workers, and never decreases within one worker.
 */
#ifndef RECORD_TAP_H
#define RECORD_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "leg/leg_config.h"
#include "patchbay/recording_account.h"
#include "patchbay/recording_format.h"

struct rec_worker; /* one per worker; from record_worker(), record.h */
struct rec_tap;

/* One RTP payload. */
struct rec_frame {
	uint64_t now_ns;    /* arrival (channel 0) or transmission (channel 1) */
	uint32_t timestamp; /* RTP timestamp, low 32 bits */
	uint16_t seq;
	uint8_t channel; /* 0 = what the customer says, 1 = what the customer hears */
	uint16_t len;    /* at most REC_FRAME_MAX */
	uint8_t codec; /* enum recording_codec; rec_tap_codec(). Not beside `channel`: the two would be read as one
			  * just after they were written as two, which stalls */
	const uint8_t *payload;
};

enum { REC_FRAME_MAX = 4096 };

enum rec_tap_frame {
	REC_TAP_FRAME_WRITTEN, /* it, or while masked its silence, will be in the store */
	REC_TAP_FRAME_PAUSED,  /* the recording is paused: not accepted, not counted */
	REC_TAP_FRAME_LOST,    /* accepted and lost: no extent was free, or too large; it is in the
				  account */
};

/* The format's number for a codec of the engine. */
static inline uint8_t rec_tap_codec(enum codec_id id)
{
	switch (id) {
	case CODEC_PCMU:
		return RECORDING_CODEC_PCMU;
	case CODEC_PCMA:
		return RECORDING_CODEC_PCMA;
	case CODEC_G722:
		return RECORDING_CODEC_G722;
	case CODEC_OPUS:
		return RECORDING_CODEC_OPUS;
	case CODEC_G729:
		return RECORDING_CODEC_G729;
	case CODEC_L16:
		return RECORDING_CODEC_L16;
	case CODEC_L16_16K:
		return RECORDING_CODEC_L16_16K;
	case CODEC_COUNT:
		break;
	}
	return RECORDING_CODEC_NONE;
}

/* Begin a recording, or a further part of one that an earlier engine had begun. `metadata` is a
 * JSON object of at most RECORDING_METADATA_MAX bytes, copied; NULL stands for {}.
 * Returns 0 and sets *tap, or -ENFILE (all taps of this worker are in use), -ENOBUFS (no extent is
 * free: the disk does not keep up), -ENXIO (no volume takes recordings, and the policy is to refuse
 * or no extent is free any more),
 * -E2BIG (metadata). */
int rec_tap_open(struct rec_worker *rw, const uint8_t id[16], const char *metadata, uint64_t now_ns,
		 struct rec_tap **tap);

/* Copy one frame. */
enum rec_tap_frame rec_tap_frame(struct rec_tap *tap, const struct rec_frame *f);

/* A packet of the channel's stream came (or was sent) that is no sound: its sequence number is not
 * missing. */
void rec_tap_no_sound(struct rec_tap *tap, uint8_t channel);

/* Begin to fetch what rec_tap_frame() will touch; a caller with several frames in hand does this for
 * all of them first: the one line of the tap, then, when that has come, the place of its next
 * frame. */
void rec_tap_fetch(const struct rec_tap *tap);
void rec_tap_fetch_frame(const struct rec_tap *tap);

/* Stop and go on accepting frames. Doing what is already so is not an error. */
void rec_tap_pause(struct rec_tap *tap, uint64_t now_ns);
void rec_tap_resume(struct rec_tap *tap, uint64_t now_ns);
bool rec_tap_paused(const struct rec_tap *tap);

/* Who wants a channel masked. A channel is silence in the recording as long as one of them does. */
enum rec_mask {
	REC_MASK_REQUEST, /* the control socket */
	REC_MASK_SECRET,  /* digits are collected in secret */
	REC_MASKS,
};

enum {
	REC_MASK_SAID = 1 << 0,  /* channel 0 */
	REC_MASK_HEARD = 1 << 1, /* channel 1 */
	REC_MASK_LINGER_MS = 400 /* SECRET: the last key is still down when its digit is known */
};

/* From now on these channels (0: none) are what `who` wants masked: their frames are accepted,
 * counted and timed, but the silence of their codec stands in their place (nothing, where no octet
 * of a codec means silence). `why` is put into the recording where a channel's mask begins or
 * ends; at most RECORDING_METADATA_MAX bytes of it. An end of SECRET takes effect
 * REC_MASK_LINGER_MS later. */
void rec_tap_mask(struct rec_tap *tap, enum rec_mask who, uint8_t channels, const char *why,
		  uint64_t now_ns);

/* The channels that are masked now. */
uint8_t rec_tap_masked(const struct rec_tap *tap);

/* Put a text or a JSON object into the recording at this moment. Returns 0, -E2BIG (longer than
 * RECORDING_METADATA_MAX) or -ENOBUFS (no extent is free; nothing was put). */
int rec_tap_mark(struct rec_tap *tap, uint64_t now_ns, const char *text);
int rec_tap_event(struct rec_tap *tap, uint64_t now_ns, const char *json);

/* The account so far; a running pause is counted up to `now_ns`. */
void rec_tap_account(const struct rec_tap *tap, uint64_t now_ns, struct recording_account *account);

/* End the recording and give its final account (NULL: not wanted). The tap is gone for the caller;
 * where no extent is free for the END frame, rec_tap_age() writes that as soon as one is. */
void rec_tap_close(struct rec_tap *tap, enum recording_end reason, uint64_t now_ns,
		   struct recording_account *account);

/* Hand over what is due: extents older than the hand-over age. Call once a turn or once a
 * millisecond; costs a few nanoseconds when nothing is. A worker that sleeps must come by at least
 * every rec_tap_due_ms() while a tap is open, or audio is durable that much later. */
void rec_tap_age(struct rec_worker *rw, uint64_t now_ns);

/* Milliseconds until rec_tap_age() has something to do; UINT32_MAX when nothing is open. */
uint32_t rec_tap_due_ms(const struct rec_worker *rw, uint64_t now_ns);

#endif
