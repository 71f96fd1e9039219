/* Call-progress and key tones at 8 kHz, the same samples every time.
 *
 * Cadences are those of the Chinese network (GB/T 3380, YD/T 1034): 450 Hz at -10 dBm0.
 *   ringback  1 s on, 4 s off      busy  0.35 s on, 0.35 s off
 *   beep      1,000 Hz for 0.4 s, then 0.1 s of silence
 * A tone has a period after which it repeats sample for sample. DTMF follows ITU-T Q.23 with -6 and
 * -4 dBm0 a component (low, high), and does not end by itself.
 *
 * Thread: the owner of the struct; pure.
 */
#ifndef DSP_TONE_H
#define DSP_TONE_H

#include <stddef.h>
#include <stdint.h>

/* The order is that of enum play_tone (worker/command.h). */
enum tone_kind { TONE_RINGBACK, TONE_BUSY, TONE_BEEP, TONE_KINDS };

enum { TONE_RATE_HZ = 8000 };

struct tone {
	double coeff[2]; /* 2 cos w of each component, for y[n] = coeff y[n-1] - y[n-2] */
	double start[2]; /* y[-1] when a burst begins: the phase is 0 there */
	double y1[2], y2[2];
	uint32_t at;         /* sample within the period */
	uint32_t on, period; /* samples; on == period: continuous */
};

/* Samples of one period of a tone: 40,000, 5,600 or 4,000. A playlist's item lasts one period. */
uint32_t tone_period(enum tone_kind kind);

/* Begin a tone at its first sample. */
void tone_start(struct tone *t, enum tone_kind kind);

/* Begin the tones of a key, `code` below 16 (others are silence). */
void tone_start_dtmf(struct tone *t, uint8_t code);

/* The next `n` samples. */
void tone_next(struct tone *t, int16_t *pcm, size_t n);

#endif
