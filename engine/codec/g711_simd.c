/* SPDX-License-Identifier: Apache-2.0
 *
 * The same sums on wider vectors. Encoding, and decoding u-law with AVX-512, is g711_loops.h compiled
 * once more with the wider unit switched on; the compiler makes the vectors. Decoding with AVX2,
 * which cannot shift 16-bit lanes by different amounts, multiplies instead: a segment's power of two
 * and its offset come from 16-entry tables by PSHUFB.
 *
 *   u-law   (16 * step * 2^s + 264 * 2^s) / 2 - 132   as ((step << 3) + 132) * 2^s - 132
 *   A-law   ((step << 4) + offset[s]) * 2^max(s - 1, 0), offset 8 in segment 0, else 264
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "codec/g711.h"
#include "codec/g711_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2   __attribute__((target("avx2,fma,bmi2")))
#define AVX512 __attribute__((target("avx2,fma,bmi2,avx512f,avx512bw,avx512vl,avx512dq")))

/* A factor or an offset for each of 16 octets' segments, which lie in bits 4 to 6. */
AVX2 static inline __m256i by_segment(__m256i octet16, __m128i table)
{
	/* A 16-bit lane's low octet picks from the table; its high octet, with bit 7 set, gives 0. */
	__m256i index = _mm256_and_si256(_mm256_srli_epi16(octet16, 4), _mm256_set1_epi16(7));

	index = _mm256_or_si256(index, _mm256_set1_epi16((short)0x8000));
	return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), index);
}

AVX2 static void ulaw_decode_avx2(int16_t *restrict out, const uint8_t *restrict in, size_t n)
{
	const __m128i power =
		_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i bias = _mm256_set1_epi16(ULAW_BIAS);
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m128i octet = _mm_loadu_si128((const __m128i *)(const void *)(in + i));
		__m256i u = _mm256_cvtepu8_epi16(_mm_xor_si128(octet, _mm_set1_epi8(-1)));
		__m256i step = _mm256_slli_epi16(_mm256_and_si256(u, _mm256_set1_epi16(0xf)), 3);
		__m256i v = _mm256_mullo_epi16(_mm256_add_epi16(step, bias), by_segment(u, power));
		__m256i sign = _mm256_srai_epi16(_mm256_slli_epi16(u, 8), 15);

		v = _mm256_sub_epi16(v, bias);
		v = _mm256_sub_epi16(_mm256_xor_si256(v, sign), sign);
		_mm256_storeu_si256((__m256i *)(void *)(out + i), v);
	}
	g711_loop_ulaw_decode(out + i, in + i, n - i);
}

AVX2 static void alaw_decode_avx2(int16_t *restrict out, const uint8_t *restrict in, size_t n)
{
	const __m128i power = _mm_setr_epi8(1, 1, 2, 4, 8, 16, 32, 64, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m128i upper = _mm_setr_epi8(0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m128i octet = _mm_loadu_si128((const __m128i *)(const void *)(in + i));
		__m256i a = _mm256_cvtepu8_epi16(_mm_xor_si128(octet, _mm_set1_epi8(ALAW_TOGGLE)));
		__m256i step = _mm256_slli_epi16(_mm256_and_si256(a, _mm256_set1_epi16(0xf)), 4);
		__m256i offset = _mm256_slli_epi16(by_segment(a, upper), 8);
		__m256i v = _mm256_add_epi16(_mm256_add_epi16(step, offset), _mm256_set1_epi16(8));
		/* Set for what is not negative: in A-law the sign bit means plus. */
		__m256i sign = _mm256_xor_si256(_mm256_srai_epi16(_mm256_slli_epi16(a, 8), 15),
						_mm256_set1_epi16(-1));

		v = _mm256_mullo_epi16(v, by_segment(a, power));
		v = _mm256_sub_epi16(_mm256_xor_si256(v, sign), sign);
		_mm256_storeu_si256((__m256i *)(void *)(out + i), v);
	}
	g711_loop_alaw_decode(out + i, in + i, n - i);
}

AVX2 static void ulaw_encode_avx2(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	g711_loop_ulaw_encode(out, in, n);
}

AVX2 static void alaw_encode_avx2(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	g711_loop_alaw_encode(out, in, n);
}

AVX512 static void ulaw_decode_avx512(int16_t *restrict out, const uint8_t *restrict in, size_t n)
{
	g711_loop_ulaw_decode(out, in, n);
}

AVX512 static void ulaw_encode_avx512(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	g711_loop_ulaw_encode(out, in, n);
}

AVX512 static void alaw_encode_avx512(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	g711_loop_alaw_encode(out, in, n);
}

static const struct g711_kernel avx2 = {
	"avx2", ulaw_decode_avx2, alaw_decode_avx2, ulaw_encode_avx2, alaw_encode_avx2,
};

/* A-law by shifts of 16-bit lanes takes twice as long (Zen 4: 33 ns a frame) as by AVX2's tables. */
static const struct g711_kernel avx512 = {
	"avx512", ulaw_decode_avx512, alaw_decode_avx2, ulaw_encode_avx512, alaw_encode_avx512,
};

const struct g711_kernel *g711_kernel_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
			       __builtin_cpu_supports("bmi2")
		       ? &avx2
		       : NULL;
}

const struct g711_kernel *g711_kernel_avx512(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
			       __builtin_cpu_supports("avx512dq") && g711_kernel_avx2() != NULL
		       ? &avx512
		       : NULL;
}

#else

const struct g711_kernel *g711_kernel_avx2(void)
{
	return NULL;
}

const struct g711_kernel *g711_kernel_avx512(void)
{
	return NULL;
}

#endif
