/* SPDX-License-Identifier: Apache-2.0
 *
 * h is the filter at the higher rate, x the input:
 *
 *   up    y[L i + p] = sum over k < 32    h[L k + p] x[i - k]     L phases of 32 taps
 *   down  y[i]       = sum over k < 32 M  h[k] x[M i - k] / M     one filter of 32 M taps
 *
 * Both filters are symmetric, so that down may run forward over the input, and phase p of up, run
 * forward, is phase L - 1 - p: the taps h[L k + (L - 1 - p)] meet x[i - 31 + k].
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#include "dsp/resample.h"

#include <string.h>

#include "base/must.h"
#include "dsp/resample_tables.h"

enum { PIECE = 960, Q15 = 15 };

static const int16_t *filter_of(unsigned factor)
{
	return factor == 2 ? resample_fir_2 : factor == 3 ? resample_fir_3 : resample_fir_6;
}

static inline int16_t saturate(int32_t v)
{
	v = v > INT16_MAX ? INT16_MAX : v;
	v = v < INT16_MIN ? INT16_MIN : v;
	return (int16_t)v;
}

bool resample_init(struct resample *r, uint32_t in_hz, uint32_t out_hz)
{
	if (in_hz == 0 || out_hz == 0)
		return false;

	uint32_t up = out_hz % in_hz == 0 ? out_hz / in_hz : 1;
	uint32_t down = in_hz % out_hz == 0 ? in_hz / out_hz : 1;
	uint32_t factor = up > down ? up : down;

	if (in_hz * up != out_hz * down ||
	    (factor != 1 && factor != 2 && factor != 3 && factor != 6))
		return false;
	memset(r, 0, sizeof(*r));
	r->up = (uint8_t)up;
	r->down = (uint8_t)down;
	return true;
}

size_t resample_len(const struct resample *r, size_t n)
{
	return n * r->up / r->down;
}

/* The phases of `fir`, each with its taps in the order in which they meet the input. */
static inline void phases(int16_t *taps, const int16_t *fir, unsigned up)
{
	for (unsigned p = 0; p < up; p++)
		for (unsigned k = 0; k < RESAMPLE_TAPS; k++)
			taps[p * RESAMPLE_TAPS + k] = fir[k * up + (up - 1 - p)];
}

static void run_up(int16_t *restrict out, const int16_t *restrict x, size_t n, unsigned up)
{
	int16_t taps[RESAMPLE_TAPS * 6];

	phases(taps, filter_of(up), up);
	for (size_t i = 0; i < n; i++) {
		const int16_t *at = x + i + 1; /* the newest of its 32 is x[i + 32] */

		for (unsigned p = 0; p < up; p++) {
			const int16_t *h = taps + p * RESAMPLE_TAPS;
			int32_t sum = 1 << (Q15 - 1);

			for (unsigned k = 0; k < RESAMPLE_TAPS; k++)
				sum += at[k] * h[k];
			*out++ = saturate(sum >> Q15);
		}
	}
}

/* The filter with a gain of one: no sum of its products passes 31 bits. */
static inline void scaled(int16_t *taps, const int16_t *fir, int down)
{
	for (int k = 0; k < RESAMPLE_TAPS * down; k++)
		taps[k] = (int16_t)((fir[k] + (fir[k] < 0 ? -down / 2 : down / 2)) / down);
}

static void run_down(int16_t *restrict out, const int16_t *restrict x, size_t n, unsigned down)
{
	int16_t h[RESAMPLE_TAPS * 6];
	unsigned taps = RESAMPLE_TAPS * down;

	/* Each with a constant factor, so that nothing is divided at run time. */
	if (down == 2)
		scaled(h, resample_fir_2, 2);
	else if (down == 3)
		scaled(h, resample_fir_3, 3);
	else
		scaled(h, resample_fir_6, 6);
	for (size_t i = 0; i + down <= n; i += down) {
		const int16_t *at = x + RESAMPLE_HISTORY + i + down - taps;
		int32_t sum = 1 << (Q15 - 1);

		for (unsigned k = 0; k < taps; k++)
			sum += at[k] * h[k];
		*out++ = saturate(sum >> Q15);
	}
}

void resample_run(struct resample *r, int16_t *out, const int16_t *in, size_t n)
{
	int16_t x[RESAMPLE_HISTORY + PIECE];

	must(n % r->down == 0);
	if (r->up == r->down) {
		memcpy(out, in, n * sizeof(*out));
		return;
	}
	while (n > 0) {
		size_t k = n < PIECE ? n : PIECE;

		memcpy(x, r->history, sizeof(r->history));
		memcpy(x + RESAMPLE_HISTORY, in, k * sizeof(*in));
		if (r->up > 1)
			run_up(out, x + RESAMPLE_HISTORY - RESAMPLE_TAPS, k, r->up);
		else
			run_down(out, x, k, r->down);
		memcpy(r->history, x + k, sizeof(r->history));
		out += resample_len(r, k);
		in += k;
		n -= k;
	}
}
