/* SPDX-License-Identifier: Apache-2.0
 *
 * The same sums on wider vectors: mix_loops.h compiled once more with the unit switched on. By hand is what the
 * compiler does not find: saturation, and the energy, for which PMADDWD makes two squares and their sum at once
 * (the sum of two squares of -32,768 needs the 32nd bit, unsigned).
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

/* Saturation is an instruction of its own, which the compiler does not find. */
AVX2 static void two(int16_t *out, const int16_t *a, const int16_t *b, size_t n)
{
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(a + i));
		__m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(b + i));

		_mm256_storeu_si256((__m256i *)(void *)(out + i), _mm256_adds_epi16(x, y));
	}
	mix_loop_two(out + i, a + i, b + i, n - i);
}

/* Sixteen sums held to 16 bits; PACKSSDW works on halves, which are put in order again. */
AVX2 static inline __m256i held(__m256i low, __m256i high)
{
	return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
}

AVX2 static inline __m256i sums(const int32_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline __m256i wide(const int16_t *p)
{
	return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}

AVX2 static void less(int16_t *out, const int32_t *sum, const int16_t *pcm, size_t n)
{
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m256i low = _mm256_sub_epi32(sums(sum + i), wide(pcm + i));
		__m256i high = _mm256_sub_epi32(sums(sum + i + 8), wide(pcm + i + 8));

		_mm256_storeu_si256((__m256i *)(void *)(out + i), held(low, high));
	}
	mix_loop_less(out + i, sum + i, pcm + i, n - i);
}

AVX2 static void saturate(int16_t *out, const int32_t *sum, size_t n)
{
	size_t i = 0;

	for (; i + 16 <= n; i += 16)
		_mm256_storeu_si256((__m256i *)(void *)(out + i),
				    held(sums(sum + i), sums(sum + i + 8)));
	mix_loop_saturate(out + i, sum + i, n - i);
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

AVX2 static void add_avx2(int32_t *sum, const int16_t *pcm, size_t n)
{
	mix_loop_add(sum, pcm, n);
}

AVX2 static void sub_avx2(int32_t *sum, const int16_t *pcm, size_t n)
{
	mix_loop_sub(sum, pcm, n);
}

AVX512 static void add_avx512(int32_t *sum, const int16_t *pcm, size_t n)
{
	mix_loop_add(sum, pcm, n);
}

AVX512 static void sub_avx512(int32_t *sum, const int16_t *pcm, size_t n)
{
	mix_loop_sub(sum, pcm, n);
}

static const struct mix_kernel avx2 = {
	"avx2", add_avx2, sub_avx2, less, saturate, two, energy,
};

/* 160 samples are no more than ten steps of 256 bits: what is written by hand serves both. */
static const struct mix_kernel avx512 = {
	"avx512", add_avx512, sub_avx512, less, saturate, two, energy,
};

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
