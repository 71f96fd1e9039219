/* Inside the library: both channels of a recording, aligned and decoded, as stereo samples that
 * are handed on as soon as they are ready. What recording_export() and recording_stream share;
 * in recording_export.c.
 *
 * Thread: the recording's.
 */
#ifndef LIBPATCHBAY_RECORDING_MIX_H
#define LIBPATCHBAY_RECORDING_MIX_H

#include "patchbay/recording.h"

struct recording_mix;

/* `n` samples of each channel, interleaved. Returns 0 or negative errno, which ends the step. */
typedef int recording_mix_fn(void *ctx, const int16_t *pairs, size_t n);

/* Begin at the sample `from` of the recording: the first that is handed to `fn`. Frames that began
 * before it have no sound. Returns 0 or -ENOMEM. */
int recording_mix_open(struct recording_mix **m, struct recording *r, uint32_t rate_hz,
		       uint64_t from, recording_mix_fn *fn, void *ctx);
void recording_mix_close(struct recording_mix *m);

/* Take one frame. Returns 1, 0 (there is none now), or negative errno. */
int recording_mix_step(struct recording_mix *m);

/* There will be no more frames: hand on all that is held, both channels to the same end. */
int recording_mix_finish(struct recording_mix *m);

#endif
