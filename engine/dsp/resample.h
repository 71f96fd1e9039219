/* Between 8, 16 and 48 kHz, live: factors of 2, 3 and 6 either way.
 *
 * A polyphase filter of 32 taps at the lower rate: flat to 0.41 of that rate (3.3 kHz of 8), 60 dB
 * down from 0.53 on (4.2 kHz), 2 ms of delay at 8 kHz, 1 ms at 16. For whole factors that is all a
 * resampler needs, and its state is a struct of its owner, without the heap.
 *
 * Thread: the owner of the struct; pure.
 */
#ifndef DSP_RESAMPLE_H
#define DSP_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESAMPLE_HISTORY = 32 * 6 };

struct resample {
	uint8_t up, down; /* the factor; the other is 1; both 1: samples pass unchanged */
	int16_t history[RESAMPLE_HISTORY]; /* newest input of before, oldest first */
};

/* Begin with silence. False: the rates have no such factor. */
bool resample_init(struct resample *r, uint32_t in_hz, uint32_t out_hz);

/* Samples that come out of `n`; exact when `n` is a multiple of the factor down. */
size_t resample_len(const struct resample *r, size_t n);

/* `n` samples in, a multiple of the factor down; resample_len(n) out. Not in place. */
void resample_run(struct resample *r, int16_t *out, const int16_t *in, size_t n);

#endif
