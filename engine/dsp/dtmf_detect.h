/* In-band key detection at 8 kHz: when each press began and ended, in samples.
 *
 * spandsp's detector in the caller's memory, behind a gate (dtmf_gate.h) that spares it what cannot be a key and
 * changes nothing of what it reports. It works in blocks of 102 samples, so a time is
 * exact to 12.75 ms; a press is reported about 26 ms after it began. Talk-off and twist limits are
 * spandsp's, which meet ITU-T Q.24; tones below -42 dBm0 are not keys.
 *
 * Thread: the leg's owner. dtmf_detect_init() must have run once in the process before two threads
 * run it at the same time (spandsp computes its tables at the first; see dtmf_detect_prepare()).
 */
#ifndef DSP_DTMF_DETECT_H
#define DSP_DTMF_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dtmf_detect;

struct dtmf_detect_news {
	bool pressed;       /* else released */
	uint8_t code;       /* 0..15, of the key pressed or released */
	int8_t level_dbm0;  /* of the pressed key's tones; 0 at release */
	uint64_t at_sample; /* since init, the block's first sample: begin or end of the press */
};

/* Main thread, once, before workers start. */
void dtmf_detect_prepare(void);

/* Bytes and alignment (16) of the caller's memory. */
size_t dtmf_detect_bytes(void);

/* Begin listening at sample 0; also to begin anew. */
void dtmf_detect_init(struct dtmf_detect *d);

/* Listen to `n` samples. Writes at most `max` news and returns how many; further ones of this frame
 * are lost (a 20 ms frame holds at most 4). `pcm` is not changed. */
size_t dtmf_detect_listen(struct dtmf_detect *d, const int16_t *pcm, size_t n,
			  struct dtmf_detect_news *news, size_t max);

/* Begin to fetch what listening touches while no key is pressed. */
void dtmf_detect_fetch(const struct dtmf_detect *d);

/* A key is held down. */
bool dtmf_detect_pressed(const struct dtmf_detect *d);

#endif
