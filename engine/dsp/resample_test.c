/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling (tones through, images and aliases out, seamless over any cutting) and comfort noise (as loud and as
 * coloured as it was described).
 */
#include "dsp/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dsp/level.h"
#include "dsp/noise.h"
#include "dsp/resample_tables.h"

#define PI 3.14159265358979

enum { SECOND_MAX = 48000 };

static int16_t in[SECOND_MAX], out[SECOND_MAX], again[SECOND_MAX];

static const uint32_t rates[] = {8000, 16000, 48000};

static void tone(int16_t *pcm, size_t n, uint32_t rate_hz, double hz, double amplitude)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)lrint(amplitude * sin(2 * PI * hz * (double)i / rate_hz));
}

static double rms(const int16_t *pcm, size_t n)
{
	return sqrt((double)level_energy(pcm, n) / (double)n);
}

/* Amplitude of what is at `hz`. */
static double amplitude(const int16_t *pcm, size_t n, uint32_t rate_hz, double hz)
{
	double re = 0, im = 0;

	for (size_t i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * PI * hz * (double)i / rate_hz);
		im += pcm[i] * sin(2 * PI * hz * (double)i / rate_hz);
	}
	return 2 * sqrt(re * re + im * im) / (double)n;
}

static void every_pair_of_rates_has_a_factor(void)
{
	struct resample r;

	for (unsigned a = 0; a < 3; a++)
		for (unsigned b = 0; b < 3; b++) {
			check(resample_init(&r, rates[a], rates[b]));
			check_int(resample_len(&r, rates[a] / 50), rates[b] / 50);
		}
	check(!resample_init(&r, 8000, 12000));
	check(!resample_init(&r, 8000, 0));
	check(!resample_init(&r, 0, 8000));
	check(!resample_init(&r, 8000, 32000));
	check(!resample_init(&r, 44100, 48000));
}

/* A tone within 0.41 of the lower rate keeps its amplitude and gets no company. */
static void tones_pass_alone(void)
{
	for (unsigned a = 0; a < 3; a++)
		for (unsigned b = 0; b < 3; b++)
			for (unsigned k = 1; k <= 4; k++) {
				uint32_t low = rates[a] < rates[b] ? rates[a] : rates[b];
				double hz = low * 0.1 * k;
				struct resample r;

				check(resample_init(&r, rates[a], rates[b]));
				tone(in, rates[a], rates[a], hz, 10000);
				resample_run(&r, out, in, rates[a]);

				size_t half = rates[b] / 2;
				double got = amplitude(out + half, half, rates[b], hz);

				check(got > 9800 && got < 10100);
				double all = rms(out + half, half) * sqrt(2);

				check(all <
				      got * 1.0005); /* the rest is 30 dB down in power, at least */
			}
}

/* What the lower rate cannot hold does not come back as something else. */
static void aliases_are_kept_out(void)
{
	for (unsigned a = 1; a < 3; a++)
		for (unsigned b = 0; b < a; b++) {
			struct resample r;

			check(resample_init(&r, rates[a], rates[b]));
			for (double hz = 0.54 * rates[b]; hz < 0.49 * rates[a]; hz += 517) {
				tone(in, rates[a], rates[a], hz, 10000);
				resample_run(&r, out, in, rates[a]);
				check(rms(out + rates[b] / 2, rates[b] / 2) < 10000 * 0.0015);
			}
		}
}

static void cutting_does_not_matter(void)
{
	for (unsigned a = 0; a < 3; a++)
		for (unsigned b = 0; b < 3; b++) {
			struct resample r;
			size_t made = 0, n = rates[a] / 10 / 6 * 6;
			uint32_t seed = 7;

			tone(in, n, rates[a], 440, 32000);
			check(resample_init(&r, rates[a], rates[b]));
			resample_run(&r, out, in, n);
			check(resample_init(&r, rates[a], rates[b]));
			for (size_t at = 0, k; at < n; at += k) {
				seed = seed * 1664525 + 1013904223;
				k = (seed >> 20) % 200 * 6;
				k = k < n - at ? k : n - at;
				resample_run(&r, again + made, in + at, k);
				made += resample_len(&r, k);
			}
			check_int(made, resample_len(&r, n));
			check(memcmp(out, again, made * sizeof(*out)) == 0);
		}
}

static void the_loudest_square_wave_does_not_wrap(void)
{
	struct resample r;

	for (unsigned a = 0; a < 3; a++)
		for (unsigned b = 0; b < 3; b++) {
			uint32_t ratio = rates[b] > rates[a] ? rates[b] / rates[a] : 1;

			check(resample_init(&r, rates[a], rates[b]));
			for (size_t i = 0; i < 4800; i++)
				in[i] = i / 240 % 2 ? INT16_MIN : INT16_MAX;
			resample_run(&r, out, in, 4800);
			/* In the middle of each half wave the sign is the input's. */
			for (size_t i = 0; i + 240 <= 4800; i += 240) {
				size_t at = resample_len(&r, i + 120) + 16 * ratio;

				check((out[at] < 0) == (i / 240 % 2 == 1));
			}
		}
}

static double bessel(double x)
{
	double sum = 1, term = 1;

	for (unsigned k = 1; k < 60; k++) {
		term *= x / 2 / k * (x / 2 / k);
		sum += term;
	}
	return sum;
}

static void the_tables_are_what_their_head_says(void)
{
	static const struct {
		unsigned factor;
		const int16_t *fir;
	} row[] = {{2, resample_fir_2}, {3, resample_fir_3}, {6, resample_fir_6}};

	for (unsigned f = 0; f < 3; f++) {
		unsigned n = RESAMPLE_TAPS * row[f].factor;
		double h[RESAMPLE_TAPS * 6], sum = 0, cut = 0.468 / row[f].factor;

		for (unsigned i = 0; i < n; i++) {
			double t = i - (n - 1) / 2.0, edge = 2 * t / (n - 1);

			h[i] = sin(2 * PI * cut * t) / (PI * t) *
			       bessel(5.653 * sqrt(fmax(0, 1 - edge * edge))) / bessel(5.653);
			sum += h[i];
		}
		for (unsigned i = 0; i < n; i++)
			check(fabs(h[i] / sum * row[f].factor * 32768 - row[f].fir[i]) < 0.51);
	}
}

static void noise_is_as_loud_as_told(void)
{
	static const uint8_t payload[][4] = {{30}, {50}, {60}, {40, 200, 60, 127}, {127}};
	static const uint8_t len[] = {1, 1, 1, 4, 1};
	struct noise g;

	for (unsigned i = 0; i < sizeof(len); i++) {
		noise_init(&g, i);
		check(noise_hear(&g, payload[i], len[i]));
		noise_next(&g, out, 16000);

		int16_t dbov = level_dbov(out, 16000);

		check(abs(dbov + payload[i][0]) <= 1);
	}
	check(!noise_hear(&g, payload[0], 0));
	noise_init(&g, 1);
	noise_next(&g, out, 160);
	check_int(level_dbov(out, 160), LEVEL_SILENCE_DBOV);
}

/* Describe a sound, make noise of the description, describe that: level and colour stay. */
static void noise_keeps_its_colour(void)
{
	uint8_t first[NOISE_PAYLOAD_MAX], second[NOISE_PAYLOAD_MAX];
	struct noise g;
	int32_t low = 0;
	uint32_t seed = 3;

	for (size_t i = 0; i < 16000; i++) { /* low-passed noise */
		seed = seed * 1664525 + 1013904223;
		low += ((int32_t)(seed >> 20) - 2048 - low) / 4;
		in[i] = (int16_t)low;
	}
	check_int(noise_describe(first, in, 16000), NOISE_PAYLOAD_MAX);
	noise_init(&g, 5);
	check(noise_hear(&g, first, NOISE_PAYLOAD_MAX));
	noise_next(&g, out, 16000);
	check_int(noise_describe(second, out, 16000), NOISE_PAYLOAD_MAX);
	check(abs(first[0] - second[0]) <= 1);
	check(first[1] < 60); /* strongly coloured: neighbours are alike */
	for (unsigned i = 1; i < 4; i++)
		check(abs(first[i] - second[i]) < 12);
	memset(in, 0, sizeof(in));
	check_int(noise_describe(first, in, 160), 1);
	check_int(first[0], 127);
}

static void any_description_is_survived(void)
{
	struct noise g;
	uint32_t seed = 9;

	noise_init(&g, 1);
	for (unsigned round = 0; round < 500; round++) {
		uint8_t payload[40];

		for (size_t i = 0; i < sizeof(payload); i++) {
			seed = seed * 1664525 + 1013904223;
			payload[i] = (uint8_t)(seed >> 24);
		}
		check(noise_hear(&g, payload, 1 + round % 39));
		noise_next(&g, out, 320);
		for (unsigned i = 0; i < g.order; i++)
			check(isfinite(g.delay[i]));
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(every_pair_of_rates_has_a_factor),
	CHECK_CASE(tones_pass_alone),
	CHECK_CASE(aliases_are_kept_out),
	CHECK_CASE(cutting_does_not_matter),
	CHECK_CASE(the_loudest_square_wave_does_not_wrap),
	CHECK_CASE(the_tables_are_what_their_head_says),
	CHECK_CASE(noise_is_as_loud_as_told),
	CHECK_CASE(noise_keeps_its_colour),
	CHECK_CASE(any_description_is_survived),
};
CHECK_MAIN(cases)
