/* The tones of keys at 8 kHz (ITU-T Q.23), the same samples every time: -6 and -4 dBm0 a component (low,
 * high). They do not end by themselves. Tones of networks are tone_plan.h's.
 *
 * Thread: the owner of the struct; pure.
 */
#ifndef DSP_TONE_H
#define DSP_TONE_H

#include <stddef.h>
#include <stdint.h>

enum { TONE_RATE_HZ = 8000 };

struct tone {
	double coeff[2]; /* 2 cos w of each component, for y[n] = coeff y[n-1] - y[n-2] */
	double start[2]; /* y[-1] when a burst begins: the phase is 0 there */
	double y1[2], y2[2];
	uint32_t at; /* sample within the second */
};

/* Begin the tones of a key, `code` below 16 (others are silence). */
void tone_start_dtmf(struct tone *t, uint8_t code);

/* The next `n` samples. */
void tone_next(struct tone *t, int16_t *pcm, size_t n);

#endif
