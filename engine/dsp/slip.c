/* SPDX-License-Identifier: Apache-2.0
 *
 *	shorten  | A B C D      ->  | A~B C D       A~B: from A at its begin to B at its end
 *	lengthen | A B C D      ->  | A B~A B C D
 *
 * each letter one period of p samples.
 */
#include "dsp/slip.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUIET = 60, /* mean magnitude below which nothing is heard: about -55 dBov */
	COARSE_HZ =
		8000, /* likeness is looked for at this rate, then about the best place at the full one */
	PERIOD_SAMPLES_MAX = 600,
};

/* As alike as two periods must be; 1 is the same. */
#define ALIKE 0.8F

static size_t samples(uint32_t us, uint32_t rate_hz)
{
	return (size_t)((uint64_t)us * rate_hz / 1000000);
}

static bool is_quiet(const int16_t *pcm, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (uint64_t)abs(pcm[i]);
	return sum < (uint64_t)QUIET * n;
}

/* Of x[0 .. p) and x[p .. 2 p), looked at each `step` samples. */
static float likeness(const int16_t *x, size_t p, size_t step)
{
	float xy = 0, xx = 1, yy = 1;

	for (size_t i = 0; i < p; i += step) {
		float a = x[i], b = x[i + p];

		xy += a * b;
		xx += a * a;
		yy += b * b;
	}
	return xy / sqrtf(xx * yy);
}

/* The period at which the piece is most like itself, or 0. */
static size_t period(const int16_t *x, size_t low, size_t high, uint32_t rate_hz)
{
	size_t step = rate_hz > COARSE_HZ ? rate_hz / COARSE_HZ : 1, best = 0;
	float most = 0;

	for (size_t p = low; p <= high; p += step) {
		float like = likeness(x, p, step);

		if (like > most) {
			most = like;
			best = p;
		}
	}
	if (step > 1 && best != 0) {
		size_t from = best > low + step ? best - step : low;
		size_t to = best + step < high ? best + step : high;

		most = 0;
		for (size_t p = from; p <= to; p++) {
			float like = likeness(x, p, 1);

			if (like > most) {
				most = like;
				best = p;
			}
		}
	}
	return most >= ALIKE ? best : 0;
}

static void cross_fade(int16_t *out, const int16_t *from, const int16_t *to, size_t p)
{
	float a = 0, by = 1.0F / (float)p;

	for (size_t i = 0; i < p; i++, a += by)
		out[i] = (int16_t)lrintf((float)from[i] + a * (float)(to[i] - from[i]));
}

static int32_t step_max(const int16_t *x, size_t n)
{
	int32_t most = 0;

	for (size_t i = 1; i < n; i++) {
		int32_t d = abs(x[i] - x[i - 1]);

		most = d > most ? d : most;
	}
	return most;
}

/* The period to work with, or 0: nothing can be done unheard. */
static size_t choose(const int16_t *pcm, size_t n, size_t most, uint32_t rate_hz)
{
	size_t low = samples(SLIP_PERIOD_MIN_US, rate_hz),
	       high = samples(SLIP_PERIOD_MAX_US, rate_hz);

	high = high < n / 2 ? high : n / 2;
	high = high < most ? high : most;
	high = high < PERIOD_SAMPLES_MAX ? high : PERIOD_SAMPLES_MAX;
	if (high < low)
		return 0;
	return is_quiet(pcm, n) ? high : period(pcm, low, high, rate_hz);
}

size_t slip_shorten(int16_t *pcm, size_t n, size_t most, uint32_t rate_hz)
{
	int16_t faded[PERIOD_SAMPLES_MAX + 1];
	size_t p = choose(pcm, n, most, rate_hz);

	if (p == 0)
		return 0;
	cross_fade(faded, pcm, pcm + p, p);

	bool more = n > 2 * p;

	if (more)
		faded[p] = pcm[2 * p];
	if (step_max(faded, p + more) > step_max(pcm, n))
		return 0;
	/* With nothing behind it the piece must end as it did. */
	if (!more)
		faded[p - 1] = pcm[n - 1];
	memcpy(pcm, faded, p * sizeof(*pcm));
	memmove(pcm + p, pcm + 2 * p, (n - 2 * p) * sizeof(*pcm));
	return p;
}

size_t slip_lengthen(int16_t *pcm, size_t n, size_t most, uint32_t rate_hz)
{
	int16_t faded[PERIOD_SAMPLES_MAX + 2];
	size_t p = choose(pcm, n, most, rate_hz);

	if (p == 0)
		return 0;
	/* Between the last of A and the first of B, which follows. */
	faded[0] = pcm[p - 1];
	cross_fade(faded + 1, pcm + p, pcm, p);
	faded[p + 1] = pcm[p];
	if (step_max(faded, p + 2) > step_max(pcm, n))
		return 0;
	memmove(pcm + 2 * p, pcm + p, (n - p) * sizeof(*pcm));
	memcpy(pcm + p, faded + 1, p * sizeof(*pcm));
	return p;
}
