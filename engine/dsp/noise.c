/* SPDX-License-Identifier: Apache-2.0
 *
 * White noise through a lattice of one-multiplier sections; a reflection coefficient k of RFC 3389 is
 * octet / 127 - 1 (with 127 meaning 0). Each section multiplies the variance by 1 / (1 - k^2), which
 * the gain takes back, so that the level is as told whatever the filter.
 */
#include "dsp/noise.h"

#include <math.h>
#include <string.h>

#include "dsp/level.h"

enum { LEVEL_MASK = 0x7f, COEFFICIENT_ZERO = 127, QUIET_FLOOR = 1 };

#define REFLECT_MAX 0.98f

void noise_init(struct noise *g, uint32_t seed)
{
	memset(g, 0, sizeof(*g));
	g->level = NOISE_SILENT_DBOV;
	g->random = seed * 2654435761u + 1;
}

/* RMS of a level: 0 dBov is a square wave at full scale (RFC 6465, 3, as in level.h). */
static float rms_of(uint8_t level)
{
	return 32768.0f * powf(10.0f, -(float)level / 20.0f);
}

static void gain_set(struct noise *g)
{
	float variance = 1.0f;

	for (unsigned i = 0; i < g->order; i++)
		variance *= 1.0f - g->reflect[i] * g->reflect[i];
	g->gain = g->level >= NOISE_SILENT_DBOV ? 0.0f : rms_of(g->level) * sqrtf(variance);
}

bool noise_hear(struct noise *g, const uint8_t *payload, size_t len)
{
	if (len == 0)
		return false;
	g->level = payload[0] & LEVEL_MASK;
	g->order = (uint8_t)(len - 1 < NOISE_ORDER ? len - 1 : NOISE_ORDER);
	for (unsigned i = 0; i < g->order; i++) {
		float k = ((float)payload[1 + i] - COEFFICIENT_ZERO) / COEFFICIENT_ZERO;

		k = k > REFLECT_MAX ? REFLECT_MAX : k;
		g->reflect[i] = k < -REFLECT_MAX ? -REFLECT_MAX : k;
	}
	memset(g->delay, 0, sizeof(g->delay));
	gain_set(g);
	return true;
}

/* Nearly normal, mean 0 and variance 1: four uniform numbers. */
static float white(uint32_t *random)
{
	int32_t sum = 0;

	for (unsigned i = 0; i < 2; i++) {
		*random = *random * 1664525u + 1013904223u;
		sum += (int32_t)(*random >> 16) + (int32_t)(*random & 0xffff) - 0xffff;
	}
	return (float)sum * (1.0f / 37837.0f); /* sqrt(4 / 12) * 65,536 */
}

static int16_t rounded(float v)
{
	long n = lrintf(v);

	return (int16_t)(n > INT16_MAX ? INT16_MAX : n < INT16_MIN ? INT16_MIN : n);
}

void noise_next(struct noise *g, int16_t *pcm, size_t n)
{
	if (g->level >= NOISE_SILENT_DBOV) {
		memset(pcm, 0, n * sizeof(*pcm));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		float f = white(&g->random) * g->gain;

		/* delay[m]: the backward prediction of order m, one sample ago. */
		for (unsigned m = g->order; m-- > 0;) {
			f -= g->reflect[m] * g->delay[m];
			if (m + 1 < g->order)
				g->delay[m + 1] = g->delay[m] + g->reflect[m] * f;
		}
		if (g->order > 0)
			g->delay[0] = f;
		pcm[i] = rounded(f);
	}
}

/* Levinson and Durbin: the reflection coefficients of a frame's autocorrelation. */
static unsigned reflections(float k[NOISE_ORDER], const int16_t *pcm, size_t n)
{
	double r[NOISE_ORDER + 1], a[NOISE_ORDER + 1] = {1.0}, error;

	for (unsigned lag = 0; lag <= NOISE_ORDER; lag++) {
		int64_t sum = 0;

		for (size_t i = lag; i < n; i++)
			sum += pcm[i] * pcm[i - lag];
		r[lag] = (double)sum;
	}
	if (r[0] < (double)n * QUIET_FLOOR)
		return 0;
	r[0] *= 1.0001; /* against a spectrum with holes */
	error = r[0];
	for (unsigned m = 0; m < NOISE_ORDER; m++) {
		double sum = r[m + 1];

		for (unsigned i = 1; i <= m; i++)
			sum += a[i] * r[m + 1 - i];
		k[m] = (float)(-sum / error);
		for (unsigned i = 1; 2 * i <= m + 1; i++) {
			double low = a[i], high = a[m + 1 - i];

			a[i] = low + k[m] * high;
			a[m + 1 - i] = high + k[m] * low;
		}
		a[m + 1] = k[m];
		error *= 1.0 - (double)k[m] * k[m];
		if (error <= 0.0)
			return m;
	}
	return NOISE_ORDER;
}

size_t noise_describe(uint8_t payload[NOISE_PAYLOAD_MAX], const int16_t *pcm, size_t n)
{
	float k[NOISE_ORDER];
	unsigned order = reflections(k, pcm, n);
	int level = -level_dbov(pcm, n);

	payload[0] = (uint8_t)(level < 0 ? 0 : level);
	for (unsigned i = 0; i < order; i++)
		payload[1 + i] = (uint8_t)(lrintf(k[i] * COEFFICIENT_ZERO) + COEFFICIENT_ZERO);
	return 1 + order;
}
