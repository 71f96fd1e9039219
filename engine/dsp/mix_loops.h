/* The loops of mix.h and of listen_measure(), written once and compiled for each vector unit (mix.c plain,
 * mix_simd.c). Included by these files only.
 *
 * Thread: any; pure.
 */
#ifndef DSP_MIX_LOOPS_H
#define DSP_MIX_LOOPS_H

#include <stddef.h>
#include <stdint.h>

static inline int16_t mix_saturated(int32_t v)
{
	v = v > INT16_MAX ? INT16_MAX : v;
	v = v < INT16_MIN ? INT16_MIN : v;
	return (int16_t)v;
}

static inline void mix_loop_add(int32_t *restrict sum, const int16_t *restrict pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += pcm[i];
}

static inline void mix_loop_sub(int32_t *restrict sum, const int16_t *restrict pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] -= pcm[i];
}

static inline void mix_loop_less(int16_t *restrict out, const int32_t *restrict sum,
				 const int16_t *restrict pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = mix_saturated(sum[i] - pcm[i]);
}

static inline void mix_loop_saturate(int16_t *restrict out, const int32_t *restrict sum, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = mix_saturated(sum[i]);
}

/* Two frames, as most mixes are: out = a + b. */
static inline void mix_loop_two(int16_t *restrict out, const int16_t *restrict a,
				const int16_t *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = mix_saturated((int32_t)a[i] + b[i]);
}

/* Sum of squares, in runs that 32 bits hold by halves; and the largest magnitude. */
static inline uint64_t mix_loop_energy(const int16_t *pcm, size_t n, uint16_t *peak)
{
	uint64_t sum = 0;
	uint16_t most = 0;

	for (size_t at = 0; at < n;) {
		size_t end = n - at > 64 ? at + 64 : n;
		uint32_t low = 0, high = 0;

		for (; at < end; at++) {
			int32_t v = pcm[at];
			uint32_t square = (uint32_t)(v * v);
			uint16_t size = (uint16_t)(v < 0 ? -v : v);

			low += square & 0xffff;
			high += square >> 16;
			most = size > most ? size : most;
		}
		sum += low + ((uint64_t)high << 16);
	}
	*peak = most;
	return sum;
}

#endif
