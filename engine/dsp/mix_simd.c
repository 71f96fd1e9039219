/* SPDX-License-Identifier: Apache-2.0
 *
 * The same sums on wider vectors: mix_loops.h compiled once more with the unit switched on. Only the energy is
 * written by hand: PMADDWD makes two squares and their sum at once, which the compiler may not, since the
 * sum of two squares of -32,768 needs the 32nd bit.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "dsp/mix.h"
#include "dsp/mix_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2   __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512dq")))

#define MIX_KERNEL(UNIT, unit)                                                                     \
	UNIT static void add_##unit(int32_t *sum, const int16_t *pcm, size_t n)                    \
	{                                                                                          \
		mix_loop_add(sum, pcm, n);                                                         \
	}                                                                                          \
	UNIT static void sub_##unit(int32_t *sum, const int16_t *pcm, size_t n)                    \
	{                                                                                          \
		mix_loop_sub(sum, pcm, n);                                                         \
	}                                                                                          \
	UNIT static void less_##unit(int16_t *out, const int32_t *sum, const int16_t *pcm,         \
				     size_t n)                                                     \
	{                                                                                          \
		mix_loop_less(out, sum, pcm, n);                                                   \
	}                                                                                          \
	UNIT static void saturate_##unit(int16_t *out, const int32_t *sum, size_t n)               \
	{                                                                                          \
		mix_loop_saturate(out, sum, n);                                                    \
	}                                                                                          \
	UNIT static void two_##unit(int16_t *out, const int16_t *a, const int16_t *b, size_t n)    \
	{                                                                                          \
		mix_loop_two(out, a, b, n);                                                        \
	}                                                                                          \
	static const struct mix_kernel unit = {                                                    \
		#unit, add_##unit, sub_##unit, less_##unit, saturate_##unit, two_##unit, energy,   \
	}

/* Sixteen samples a step. */
AVX2 static uint64_t energy(const int16_t *pcm, size_t n, uint16_t *peak)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i sum = _mm256_setzero_si256(), most = _mm256_setzero_si256();
	uint64_t part[4], all = 0;
	uint16_t size[16], rest = 0;
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(pcm + i));
		__m256i pairs = _mm256_madd_epi16(v, v); /* up to 2^31, unsigned */

		sum = _mm256_add_epi64(sum, _mm256_and_si256(pairs, low));
		sum = _mm256_add_epi64(sum, _mm256_srli_epi64(pairs, 32));
		most = _mm256_max_epu16(most, _mm256_abs_epi16(v));
	}
	_mm256_storeu_si256((__m256i *)(void *)part, sum);
	_mm256_storeu_si256((__m256i *)(void *)size, most);
	all = mix_loop_energy(pcm + i, n - i, &rest);
	for (unsigned k = 0; k < 4; k++)
		all += part[k];
	for (unsigned k = 0; k < 16; k++)
		rest = size[k] > rest ? size[k] : rest;
	*peak = rest;
	return all;
}

MIX_KERNEL(AVX2, avx2);
MIX_KERNEL(AVX512, avx512);

const struct mix_kernel *mix_kernel_avx2(void)
{
	return __builtin_cpu_supports("avx2") ? &avx2 : NULL;
}

const struct mix_kernel *mix_kernel_avx512(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
			       __builtin_cpu_supports("avx512dq")
		       ? &avx512
		       : NULL;
}

#else

const struct mix_kernel *mix_kernel_avx2(void)
{
	return NULL;
}

const struct mix_kernel *mix_kernel_avx512(void)
{
	return NULL;
}

#endif
