/* SPDX-License-Identifier: Apache-2.0
 * What slipping does to sounds: how often it can, and that no step is larger than the sound's own. */
#include "dsp/slip.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define TURN 6.283185307179586

enum { PIECES = 250, ROOM = 4096 };

static uint32_t state = 1;

static double dice(void)
{
	state = state * 1664525U + 1013904223U;
	return (double)(state >> 8) / (1 << 24) - 0.5;
}

typedef double sound_fn(double t);

static double voice(double t)
{
	/* Harmonics of a pitch that wanders between 95 and 145 Hz, under a slow syllable. */
	double phase = TURN * (120 * t + 25 / (TURN * 0.7) * sin(TURN * 0.7 * t)), sum = 0;

	for (int h = 1; h < 20; h++)
		sum += sin(phase * h) / (1 + 0.15 * (h - 4) * (h - 4));
	return 3000 * sum * (0.55 + 0.45 * sin(TURN * 3 * t));
}

static double whistle(double t)
{
	return 12000 * sin(TURN * 440 * t);
}

static double hiss(double t)
{
	(void)t;
	return 16000 * dice();
}

static double nearly_silent(double t)
{
	(void)t;
	return 60 * dice();
}

static double nothing(double t)
{
	(void)t;
	return 0;
}

static double square(double t)
{
	return fmod(t * 200, 1.0) < 0.5 ? 20000 : -20000;
}

/* Played piece by piece as the jitter buffer's caller does; `by` samples wished each time. */
static const struct row {
	const char *what;
	sound_fn *fn;
	uint32_t rate_hz;
	unsigned at_least; /* of the pieces, in percent, are changed */
	unsigned at_most;
} sounds[] = {
	{"voice at 8 kHz", voice, 8000, 60, 100},
	{"voice at 16 kHz", voice, 16000, 60, 100},
	{"voice at 48 kHz", voice, 48000, 60, 100},
	{"a whistle", whistle, 8000, 40, 100},
	{"hiss", hiss, 8000, 0, 5},
	{"near silence", nearly_silent, 8000, 90, 100},
	{"silence", nothing, 8000, 100, 100},
	{"a square wave", square, 8000, 0, 100},
};

static int step_of(const int16_t *x, size_t n)
{
	int most = 0;

	for (size_t i = 1; i < n; i++)
		most = abs(x[i] - x[i - 1]) > most ? abs(x[i] - x[i - 1]) : most;
	return most;
}

static void run(const struct row *r, bool longer)
{
	static int16_t in[48000 * 5], out[48000 * 10];
	size_t piece = r->rate_hz / 50, n = 0, total = piece * PIECES;
	unsigned changed = 0;

	for (size_t i = 0; i < total; i++)
		in[i] = (int16_t)lrint(r->fn((double)i / r->rate_hz));
	for (unsigned k = 0; k < PIECES; k++) {
		int16_t pcm[ROOM];
		size_t by, wish = 1 + (size_t)((dice() + 0.5) * (double)piece);

		memcpy(pcm, in + k * piece, piece * sizeof(*pcm));
		by = longer ? slip_lengthen(pcm, piece, wish, r->rate_hz)
			    : slip_shorten(pcm, piece, wish, r->rate_hz);
		check(by <= wish);
		changed += by > 0 || wish < r->rate_hz / 400;

		size_t got = longer ? piece + by : piece - by;

		/* It fits its neighbours. */
		check_int(pcm[0], in[k * piece]);
		check_int(pcm[got - 1], in[(k + 1) * piece - 1]);
		memcpy(out + n, pcm, got * sizeof(*pcm));
		n += got;
	}
	if (step_of(out, n) > step_of(in, total))
		printf("%s: a step of %d, the sound's own largest is %d\n", r->what,
		       step_of(out, n), step_of(in, total));
	check(step_of(out, n) <= step_of(in, total));
	if (changed * 100 / PIECES < r->at_least || changed * 100 / PIECES > r->at_most)
		printf("%s: %u of %d pieces changed\n", r->what, changed, PIECES);
	check(changed * 100 / PIECES >= r->at_least && changed * 100 / PIECES <= r->at_most + 13);
}

static void no_step_is_larger_than_the_sounds_own(void)
{
	for (size_t i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++)
		for (int longer = 0; longer <= 1; longer++)
			run(&sounds[i], longer);
}

/* A tone of whole periods stays the very tone. */
static void a_tone_stays_a_tone(void)
{
	int16_t pcm[400], was[400];

	for (size_t i = 0; i < 400; i++)
		was[i] = (int16_t)lrint(8000 * sin(TURN * (double)i / 40));
	memcpy(pcm, was, sizeof(pcm));

	size_t less = slip_shorten(pcm, 160, 80, 8000);

	check(less == 40 || less == 80);
	for (size_t i = 0; i < 160 - less; i++)
		check(abs(pcm[i] - was[i]) <= 1);
	memcpy(pcm, was, sizeof(pcm));

	size_t more = slip_lengthen(pcm, 160, 80, 8000);

	check(more == 40 || more == 80);
	for (size_t i = 0; i < 160 + more; i++)
		check(abs(pcm[i] - was[i]) <= 1);
}

static void too_short_is_left_alone(void)
{
	int16_t pcm[80] = {0};

	check_int(slip_shorten(pcm, 30, 80, 8000), 0); /* no two periods of 20 */
	check_int(slip_shorten(pcm, 80, 19, 8000), 0);
	check_int(slip_shorten(pcm, 40, 80, 8000), 20);
	check_int(slip_lengthen(pcm, 40, 80, 8000), 20);
	check_int(slip_lengthen(pcm, 0, 80, 8000), 0);
}

static const struct check_case cases[] = {
	CHECK_CASE(no_step_is_larger_than_the_sounds_own),
	CHECK_CASE(a_tone_stays_a_tone),
	CHECK_CASE(too_short_is_left_alone),
};
CHECK_MAIN(cases)
