/* One sound file to 8 kHz mono samples.
 *
 * Thread: the main lcore. Source: libsndfile for formats, soxr for rates.
 */
#ifndef PROMPT_PROMPT_FILE_H
#define PROMPT_PROMPT_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { PROMPT_RATE_HZ = 8000 };

struct prompt_sound {
	int16_t *pcm; /* malloc'ed; the caller frees it */
	uint32_t samples;
};

/* Read the open file `fd` (which stays open and is left at any offset) of at most `seconds_max`
 * seconds. Returns 0 and fills `sound`, or negative errno with a sentence in `why`:
 * -EINVAL not a sound file or not one of ours, -EMSGSIZE too long, -EILSEQ it lies about its
 * length, -ENOMEM. */
int prompt_file_read(struct prompt_sound *sound, int fd, uint32_t seconds_max, char *why,
		     size_t why_size);

#endif
