/* May a block hold a key? Asked of every block, so that the detector proper hears only those that may.
 *
 * spandsp finds a key in a block of 102 samples when one low and one high tone are above -42 dBm0 each and hold
 * 82 % of its energy together. The gate asks the same of the same samples with bars 3 % lower, more than the
 * rounding of either: what it refuses spandsp would refuse. Twist and the other tones it leaves to spandsp.
 *
 * Thread: any; pure.
 */
#ifndef DSP_DTMF_GATE_H
#define DSP_DTMF_GATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	DTMF_GATE_SAMPLES = 102, /* spandsp's block at 8 kHz */
	DTMF_GATE_HALF = DTMF_GATE_SAMPLES / 2,
	DTMF_GATE_TONES = 8, /* 697 770 852 941, 1209 1336 1477 1633 Hz (ITU-T Q.23) */
};

/* `pcm` holds DTMF_GATE_SAMPLES. */
bool dtmf_gate_open(const int16_t *pcm);

/* Twice the square of each tone's sum over the block, as spandsp's goertzel_result() has it, and the sum of
 * the squares. */
struct dtmf_gate_sound {
	float tone[DTMF_GATE_TONES];
	float energy;
};

/* The same loop for one vector unit. A block too quiet for a key may be left with its tones at 0. */
typedef void dtmf_gate_fn(struct dtmf_gate_sound *s, const int16_t *pcm);

/* The widest that this CPU runs; never NULL. The single ones, NULL where the CPU has not the unit, are for the
 * test that compares them. */
dtmf_gate_fn *dtmf_gate_kernel(void);
dtmf_gate_fn *dtmf_gate_kernel_plain(void);
dtmf_gate_fn *dtmf_gate_kernel_avx2(void);

/* Cosines and sines of the tones, `i` and a half samples from the block's middle. */
struct dtmf_gate_row {
	float cosine[DTMF_GATE_TONES], sine[DTMF_GATE_TONES];
};

extern const struct dtmf_gate_row dtmf_gate_table[DTMF_GATE_HALF];

#endif
