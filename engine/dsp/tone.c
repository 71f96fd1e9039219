/* SPDX-License-Identifier: Apache-2.0
 *
 * A sine is the recurrence y[n] = 2 cos(w) y[n-1] - y[n-2], begun anew each second, on a whole number of
 * cycles (the frequencies are whole hertz), so that rounding has no longer in which to grow.
 */
#include "dsp/tone.h"

#include <math.h>
#include <string.h>

#define TWO_PI 6.283185307179586

/* Peak of a sine of 0 dBm0 in 16-bit samples: 3.14 dB below full scale (G.711's u-law overload is
 * +3.17 dBm0, A-law's +3.14). */
#define PEAK_0DBM0 22826.0

/* By code: rows and columns of ITU-T Q.23. */
static const uint16_t low_hz[16] = {941, 697, 697, 697, 770, 770, 770, 852,
				    852, 852, 941, 941, 697, 770, 852, 941};
static const uint16_t high_hz[16] = {1336, 1209, 1336, 1477, 1209, 1336, 1477, 1209,
				     1336, 1477, 1209, 1477, 1633, 1633, 1633, 1633};

static void component(struct tone *t, unsigned i, unsigned hz, int level_dbm0)
{
	double w = TWO_PI * hz / TONE_RATE_HZ;

	t->coeff[i] = 2 * cos(w);
	t->start[i] = -PEAK_0DBM0 * pow(10.0, level_dbm0 / 20.0) * sin(w);
}

void tone_start_dtmf(struct tone *t, uint8_t code)
{
	memset(t, 0, sizeof(*t));
	if (code >= 16)
		return;
	component(t, 0, low_hz[code], -6);
	component(t, 1, high_hz[code], -4);
}

static int16_t sample(struct tone *t)
{
	double sum = 0;

	for (unsigned i = 0; i < 2; i++) {
		double y = t->coeff[i] * t->y1[i] - t->y2[i];

		t->y2[i] = t->y1[i];
		t->y1[i] = y;
		sum += t->y2[i];
	}
	return (int16_t)lrint(sum);
}

/* y[0] = 0 is the first sample out, y[-1] = -A sin w. */
static void begin_burst(struct tone *t)
{
	for (unsigned i = 0; i < 2; i++) {
		t->y1[i] = 0;
		t->y2[i] = t->start[i];
	}
}

void tone_next(struct tone *t, int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (t->at == 0)
			begin_burst(t);
		pcm[i] = sample(t);
		if (++t->at == TONE_RATE_HZ)
			t->at = 0;
	}
}
