/* Mixing: sums of 16-bit frames in 32 bits, saturated once at the end.
 *
 * A call has at most 16 speakers at no more than +20 dB, a room at most 500 at 0 dB and one announcement;
 * 16 x 10 x 32,768 and 510 x 32,768 are far below 2^31: a sum cannot overflow.
 *
 * Thread: any; pure.
 */
#ifndef DSP_MIX_H
#define DSP_MIX_H

#include <stddef.h>
#include <stdint.h>

enum {
	MIX_GAIN_ONE = 4096,    /* 0 dB in the Q12 that mix_add_gain() takes */
	MIX_GAIN_CB_MIN = -600, /* below this: silence */
	MIX_GAIN_CB_MAX = 200,
};

/* Q12 factor of a gain in centibel (tenths of a decibel), clamped to MIX_GAIN_CB_MAX; below
 * MIX_GAIN_CB_MIN it is 0. For set-up, not per frame. */
int32_t mix_gain_q12(int16_t gain_cb);

/* sum = pcm (the first speaker). */
void mix_set(int32_t *sum, const int16_t *pcm, size_t n);

/* sum += pcm */
void mix_add(int32_t *sum, const int16_t *pcm, size_t n);

/* sum -= pcm: what everybody says less what one says himself. */
void mix_sub(int32_t *restrict sum, const int16_t *restrict pcm, size_t n);

/* sum += pcm * gain */
void mix_add_gain(int32_t *sum, const int16_t *pcm, size_t n, int32_t gain_q12);

/* out = sum - pcm, held to -32,768..32,767: what one member of a room hears. */
void mix_less(int16_t *out, const int32_t *sum, const int16_t *pcm, size_t n);

/* out = sum, held to -32,768..32,767. */
void mix_saturate(int16_t *out, const int32_t *sum, size_t n);

/* out = a + b, held to -32,768..32,767: a mix of two at 0 dB, as most are. */
void mix_two(int16_t *out, const int16_t *a, const int16_t *b, size_t n);

/* Sum of the squares, and the largest magnitude (0 of no samples). */
uint64_t mix_energy(const int16_t *pcm, size_t n, uint16_t *peak);

/* The same loops for one vector unit; nothing overlaps. */
struct mix_kernel {
	const char *name; /* "plain", "avx2", "avx512" */
	void (*add)(int32_t *sum, const int16_t *pcm, size_t n);
	void (*sub)(int32_t *sum, const int16_t *pcm, size_t n);
	void (*less)(int16_t *out, const int32_t *sum, const int16_t *pcm, size_t n);
	void (*saturate)(int16_t *out, const int32_t *sum, size_t n);
	void (*two)(int16_t *out, const int16_t *a, const int16_t *b, size_t n);
	uint64_t (*energy)(const int16_t *pcm, size_t n, uint16_t *peak);
};

/* The widest that this CPU runs; never NULL. The single ones, NULL where the CPU has not the unit, are for the test that
 * compares them. */
const struct mix_kernel *mix_kernel(void);
extern const struct mix_kernel mix_kernel_plain;
const struct mix_kernel *mix_kernel_avx2(void);
const struct mix_kernel *mix_kernel_avx512(void);

/* pcm = pcm * gain, saturated. */
void mix_scale(int16_t *pcm, size_t n, int32_t gain_q12);

#endif
