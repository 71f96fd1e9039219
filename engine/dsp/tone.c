/* SPDX-License-Identifier: Apache-2.0
 *
 * A sine is the recurrence y[n] = 2 cos(w) y[n-1] - y[n-2], begun at phase 0 with each burst so
 * that every period is the same, and so that rounding has no more than a second in which to grow.
 * Continuous tones are begun anew each second, on a whole number of cycles (DTMF's frequencies are
 * whole hertz).
 */
#include "dsp/tone.h"

#include <math.h>
#include <string.h>

#define TWO_PI 6.283185307179586

/* Peak of a sine of 0 dBm0 in 16-bit samples: 3.14 dB below full scale (G.711's u-law overload is
 * +3.17 dBm0, A-law's +3.14). */
#define PEAK_0DBM0 22826.0

struct cadence {
	uint16_t hz;
	int16_t level_dbm0;
	uint32_t on, period;
};

static const struct cadence cadences[TONE_KINDS] = {
	[TONE_RINGBACK] = {450, -10, 8000, 40000},
	[TONE_BUSY] = {450, -10, 2800, 5600},
	[TONE_BEEP] = {1000, -10, 3200, 4000},
};

/* By code: rows and columns of ITU-T Q.23. */
static const uint16_t low_hz[16] = {941, 697, 697, 697, 770, 770, 770, 852,
				    852, 852, 941, 941, 697, 770, 852, 941};
static const uint16_t high_hz[16] = {1336, 1209, 1336, 1477, 1209, 1336, 1477, 1209,
				     1336, 1477, 1209, 1477, 1633, 1633, 1633, 1633};

uint32_t tone_period(enum tone_kind kind)
{
	return cadences[kind].period;
}

static void component(struct tone *t, unsigned i, unsigned hz, int level_dbm0)
{
	double w = TWO_PI * hz / TONE_RATE_HZ;

	t->coeff[i] = 2 * cos(w);
	t->start[i] = -PEAK_0DBM0 * pow(10.0, level_dbm0 / 20.0) * sin(w);
}

void tone_start(struct tone *t, enum tone_kind kind)
{
	const struct cadence *c = &cadences[kind];

	memset(t, 0, sizeof(*t));
	component(t, 0, c->hz, c->level_dbm0);
	t->on = c->on;
	t->period = c->period;
}

void tone_start_dtmf(struct tone *t, uint8_t code)
{
	memset(t, 0, sizeof(*t));
	t->on = TONE_RATE_HZ;
	t->period = TONE_RATE_HZ;
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
		pcm[i] = t->at < t->on ? sample(t) : 0;
		if (++t->at == t->period)
			t->at = 0;
	}
}
