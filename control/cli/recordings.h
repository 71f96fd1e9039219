/* `patchbay recordings list|export|verify`: the store on the terminal.
 *
 * Reads the store's directories and nothing else, so it works while the engine runs, when it is
 * down, and on a copy. Results go to `out`, complaints to stderr; with `json` the result is one
 * JSON document (progress and complaints stay text).
 *
 * Each returns the exit code: 0, 1 when damage was found or nothing matched, 2 when it could not
 * be done at all.
 *
 * Thread: any.
 */
#ifndef CLI_RECORDINGS_H
#define CLI_RECORDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct recordings_options {
	const char *const *store; /* the volumes' directories */
	size_t stores;
	bool json;
	FILE *out; /* NULL = stdout */
};

/* One line per recording, oldest first: id, start, length, state, frames of each channel, lost,
 * call. */
int recordings_list(const struct recordings_options *opt);

/* Write the recording whose id begins with `id` to `path`; its end names the format (.wav, .opus,
 * .ogg). Shows progress when stderr is a terminal. `path` NULL: ID.wav in the working directory. */
int recordings_export(const struct recordings_options *opt, const char *id, const char *path);

/* Read every byte and recompute every account; with `id` (or NULL) of that recording only. */
int recordings_verify(const struct recordings_options *opt, const char *id);

#endif
