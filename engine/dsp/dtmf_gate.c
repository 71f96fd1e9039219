/* SPDX-License-Identifier: Apache-2.0
 *
 * Goertzel's recursion is one tone's sum over the block, and each of its steps waits for the one before. The block is
 * whole when it is asked about, so the sum is taken as it stands, seen from the block's middle: there a cosine
 * needs only the even half of the samples and a sine only the odd half, 51 products each.
 *
 *   samples   0 ..... 50 | 51 ..... 101       even[i] = pcm[51 + i] + pcm[50 - i]
 *             <-- i = 50-0 0-50 -->           odd[i]  = pcm[51 + i] - pcm[50 - i]
 *
 *   |X(f)|^2 = (sum even[i] cos w(i + 1/2))^2 + (sum odd[i] sin w(i + 1/2))^2
 *
 * The eight tones are the eight lanes of a vector, and three sums of 17 run beside each other because one
 * would wait for its own additions.
 *
 * Energy comes first: it is what closes the gate on silence. Two tones of a block are nearly at right angles. The largest
 * eigenvalue of what the 16 pairs have in common is 1.106 times that of right angles (the test computes it), so
 * low + high <= 102 * 1.106 * energy, and a block with less energy than two tones at their bar need holds no key.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3,fp-contract=fast") /* strict C17 has no multiply-add of its own accord */
#endif

#include "dsp/dtmf_gate.h"

#include <string.h>

enum { SUMS = 3, TERMS = DTMF_GATE_HALF / SUMS, ROWS = DTMF_GATE_HALF / 8 };

/* spandsp 0.0.6, dtmf.c: DTMF_THRESHOLD and DTMF_TO_TOTAL_ENERGY, less 3 %. */
#define TONE_MIN  (171032462.0f * 0.97f)
#define SHARE_MIN (83.868f * 0.97f)
/* 1.106, and a little for rounding. */
#define ENERGY_MIN (2.0f * TONE_MIN / (102.0f * 1.12f))

typedef float lanes __attribute__((vector_size(32)));

union half {
	float at[DTMF_GATE_HALF];
	lanes row[ROWS];
};

static inline __attribute__((always_inline)) void listen(struct dtmf_gate_sound *s,
							 const int16_t *pcm)
{
	union half even, odd;
	lanes energy = {0}, c[SUMS] = {{0}}, d[SUMS] = {{0}};

	for (unsigned i = 0; i < DTMF_GATE_HALF; i++) {
		int after = pcm[DTMF_GATE_HALF + i], before = pcm[DTMF_GATE_HALF - 1 - i];

		even.at[i] = (float)(after + before);
		odd.at[i] = (float)(after - before);
	}
	for (unsigned i = 0; i < ROWS; i++)
		energy += even.row[i] * even.row[i] + odd.row[i] * odd.row[i];
	s->energy = ((energy[0] + energy[4]) + (energy[1] + energy[5])) +
		    ((energy[2] + energy[6]) + (energy[3] + energy[7]));
	/* Apart, for a vector cannot be read at once from where single floats were just written. */
	for (unsigned i = ROWS * 8; i < DTMF_GATE_HALF; i++)
		s->energy += even.at[i] * even.at[i] + odd.at[i] * odd.at[i];
	s->energy *= 0.5f; /* (a + b)^2 + (a - b)^2 = 2 (a^2 + b^2) */
	memset(s->tone, 0, sizeof(s->tone));
	if (s->energy < ENERGY_MIN)
		return;

	for (unsigned i = 0; i < TERMS; i++) {
		for (unsigned k = 0; k < SUMS; k++) {
			const struct dtmf_gate_row *t = &dtmf_gate_table[i * SUMS + k];
			lanes cosine, sine;

			memcpy(&cosine, t->cosine, sizeof(cosine));
			memcpy(&sine, t->sine, sizeof(sine));
			c[k] += cosine * even.at[i * SUMS + k];
			d[k] += sine * odd.at[i * SUMS + k];
		}
	}
	c[0] += c[1] + c[2];
	d[0] += d[1] + d[2];
	c[0] = 2.0f * (c[0] * c[0] + d[0] * d[0]);
	memcpy(s->tone, &c[0], sizeof(s->tone));
}

static void listen_plain(struct dtmf_gate_sound *s, const int16_t *pcm)
{
	listen(s, pcm);
}

dtmf_gate_fn *dtmf_gate_kernel_plain(void)
{
	return listen_plain;
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) static void listen_avx2(struct dtmf_gate_sound *s,
							    const int16_t *pcm)
{
	listen(s, pcm);
}

dtmf_gate_fn *dtmf_gate_kernel_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? listen_avx2 : NULL;
}

#else

dtmf_gate_fn *dtmf_gate_kernel_avx2(void)
{
	return NULL;
}

#endif

dtmf_gate_fn *dtmf_gate_kernel(void)
{
	dtmf_gate_fn *wide = dtmf_gate_kernel_avx2();

	return wide != NULL ? wide : listen_plain;
}

static float largest(const float *v)
{
	float a = v[0] > v[1] ? v[0] : v[1], b = v[2] > v[3] ? v[2] : v[3];

	return a > b ? a : b;
}

bool dtmf_gate_open(const int16_t *pcm)
{
	struct dtmf_gate_sound s;

	dtmf_gate_kernel()(&s, pcm);
	float low = largest(s.tone), high = largest(s.tone + 4);

	return low >= TONE_MIN && high >= TONE_MIN && low + high >= SHARE_MIN * s.energy;
}
