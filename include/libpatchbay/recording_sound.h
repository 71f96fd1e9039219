/* Inside the library: where exported sound goes, a WAV or an Ogg Opus file.
 *
 * Thread: one owner.
 */
#ifndef LIBPATCHBAY_RECORDING_SOUND_H
#define LIBPATCHBAY_RECORDING_SOUND_H

#include <stddef.h>
#include <stdint.h>

#include "patchbay/recording.h"

struct sound;

/* Make `path`, stereo, 16 bits at `rate_hz`, tagged with what `info` tells. Returns 0 or
 * negative errno. */
int sound_open(struct sound **s, const char *path, enum recording_format format, uint32_t rate_hz,
	       const struct recording_info *info);

/* The same into an open, empty file, which stays the caller's. Seekable for WAV. */
int sound_open_fd(struct sound **s, int fd, enum recording_format format, uint32_t rate_hz,
		  const struct recording_info *info);

/* Write `n` samples of each channel, interleaved. Returns 0 or negative errno. */
int sound_write(struct sound *s, const int16_t *pcm, size_t n);

/* Finish the file. Returns 0 or negative errno; the struct is gone either way. */
int sound_close(struct sound *s);

#endif
