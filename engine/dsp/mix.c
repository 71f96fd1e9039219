/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops without a dependence between samples (mix_loops.h), which the compiler turns into vector code:
 * here of the 128 bits that every CPU has, in mix_simd.c of the widths that some have. Which one is taken is
 * asked at each call, a load and a test.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "dsp/mix.h"

#include <math.h>

#include "dsp/mix_loops.h"

enum { GAIN_SHIFT = 12 };

int32_t mix_gain_q12(int16_t gain_cb)
{
	if (gain_cb < MIX_GAIN_CB_MIN)
		return 0;
	if (gain_cb > MIX_GAIN_CB_MAX)
		gain_cb = MIX_GAIN_CB_MAX;
	return (int32_t)lround(MIX_GAIN_ONE * pow(10.0, gain_cb / 200.0));
}

void mix_set(int32_t *restrict sum, const int16_t *restrict pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] = pcm[i];
}

static void add_plain(int32_t *sum, const int16_t *pcm, size_t n)
{
	mix_loop_add(sum, pcm, n);
}

static void sub_plain(int32_t *sum, const int16_t *pcm, size_t n)
{
	mix_loop_sub(sum, pcm, n);
}

static void less_plain(int16_t *out, const int32_t *sum, const int16_t *pcm, size_t n)
{
	mix_loop_less(out, sum, pcm, n);
}

static void saturate_plain(int16_t *out, const int32_t *sum, size_t n)
{
	mix_loop_saturate(out, sum, n);
}

static void two_plain(int16_t *out, const int16_t *a, const int16_t *b, size_t n)
{
	mix_loop_two(out, a, b, n);
}

static uint64_t energy_plain(const int16_t *pcm, size_t n, uint16_t *peak)
{
	return mix_loop_energy(pcm, n, peak);
}

const struct mix_kernel mix_kernel_plain = {
	"plain", add_plain, sub_plain, less_plain, saturate_plain, two_plain, energy_plain,
};

const struct mix_kernel *mix_kernel(void)
{
	const struct mix_kernel *k = mix_kernel_avx512();

	if (k == NULL)
		k = mix_kernel_avx2();
	return k != NULL ? k : &mix_kernel_plain;
}

void mix_add(int32_t *restrict sum, const int16_t *restrict pcm, size_t n)
{
	mix_kernel()->add(sum, pcm, n);
}

void mix_sub(int32_t *restrict sum, const int16_t *restrict pcm, size_t n)
{
	mix_kernel()->sub(sum, pcm, n);
}

void mix_add_gain(int32_t *restrict sum, const int16_t *restrict pcm, size_t n, int32_t gain_q12)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += (pcm[i] * gain_q12) >> GAIN_SHIFT;
}

void mix_less(int16_t *restrict out, const int32_t *restrict sum, const int16_t *restrict pcm,
	      size_t n)
{
	mix_kernel()->less(out, sum, pcm, n);
}

void mix_saturate(int16_t *restrict out, const int32_t *restrict sum, size_t n)
{
	mix_kernel()->saturate(out, sum, n);
}

void mix_two(int16_t *restrict out, const int16_t *restrict a, const int16_t *restrict b, size_t n)
{
	mix_kernel()->two(out, a, b, n);
}

uint64_t mix_energy(const int16_t *pcm, size_t n, uint16_t *peak)
{
	return mix_kernel()->energy(pcm, n, peak);
}

void mix_scale(int16_t *pcm, size_t n, int32_t gain_q12)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = mix_saturated((pcm[i] * gain_q12) >> GAIN_SHIFT);
}
