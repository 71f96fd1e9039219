/* Made-up sound that the test of the key detector and its bench hear: voices, a music bed, noise. Not for the engine. */
#ifndef DSP_DTMF_SOUND_H
#define DSP_DTMF_SOUND_H

#include <math.h>
#include <stdint.h>

enum { SOUND_RATE_HZ = 8000 };

static const double sound_pi = 3.14159265358979323846;

struct sound {
	uint64_t seed;
};

/* 0 to 1 (Knuth's MMIX generator). */
static inline double sound_random(struct sound *s)
{
	s->seed = s->seed * 6364136223846793005U + 1442695040888963407U;
	return (double)(s->seed >> 11) * 0x1p-53;
}

static inline double sound_between(struct sound *s, double a, double b)
{
	return a + (b - a) * sound_random(s);
}

/* Mean 0, deviation 1. */
static inline double sound_gauss(struct sound *s)
{
	double r = sqrt(-2 * log(1 - sound_random(s)));

	return r * cos(2 * sound_pi * sound_random(s));
}

/* Root of the mean square of a level; a sine that fills 16 bits is +3.14 dBm0 (ITU-T G.711). */
static inline double sound_rms(double dbm0)
{
	return 32768 / sqrt(2) * pow(10, (dbm0 - 3.14) / 20);
}

static inline int16_t sound_sample(double v)
{
	return (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : lrint(v));
}

static inline void sound_level(double *x, unsigned n, double dbm0)
{
	double sum = 1e-9;

	for (unsigned i = 0; i < n; i++)
		sum += x[i] * x[i];
	sum = sound_rms(dbm0) / sqrt(sum / n);
	for (unsigned i = 0; i < n; i++)
		x[i] *= sum;
}

/* One voice: sounds of 60 to 250 ms, four of five a train of pulses with a gliding pitch through three resonators (the
 * formants of some vowel), the fifth hissed; between words 50 to 300 ms of nothing. */
static inline void sound_speech(struct sound *s, double *x, unsigned n, double dbm0)
{
	double y1[3] = {0}, y2[3] = {0}, due = 0, pitch_hz = sound_between(s, 80, 300);

	for (unsigned i = 0; i < n;) {
		unsigned len = (unsigned)sound_between(s, 480, 2000);
		double formant_hz[] = {sound_between(s, 250, 900), sound_between(s, 800, 2400),
				       sound_between(s, 2200, 3300)};
		double glide = sound_between(s, -0.1, 0.1) / len, loud = sound_between(s, 0.3, 1);
		unsigned hissed = sound_random(s) < 0.2, pause = sound_random(s) < 0.25;
		double c1[3], c2[3];

		for (unsigned k = 0; k < 3; k++) {
			double r = exp(-sound_pi * (50 + 40 * k) / SOUND_RATE_HZ);

			c1[k] = 2 * r * cos(2 * sound_pi * formant_hz[k] / SOUND_RATE_HZ);
			c2[k] = -r * r;
		}
		for (unsigned j = 0; j < len && i < n; j++, i++) {
			double in = 0;

			pitch_hz *= 1 + glide;
			due -= pitch_hz / SOUND_RATE_HZ;
			if (due <= 0) {
				due += 1;
				in = hissed ? 0 : 1;
			}
			if (hissed)
				in = 0.2 * sound_gauss(s);
			x[i] = 0;
			for (unsigned k = 0; k < 3; k++) {
				double y = in + c1[k] * y1[k] + c2[k] * y2[k];

				y2[k] = y1[k];
				y1[k] = y;
				x[i] += loud * y / (1 + k);
			}
		}
		len = (unsigned)sound_between(s, 400, 2400);
		for (unsigned j = 0; pause && j < len && i < n; j++, i++)
			x[i] = 0;
		if (pitch_hz < 70 || pitch_hz > 400)
			pitch_hz = sound_between(s, 80, 300);
	}
	sound_level(x, n, dbm0);
}

/* Chords of three notes with their overtones, a new one every half second, fading. */
static inline void sound_music(struct sound *s, double *x, unsigned n, double dbm0)
{
	double hz[3] = {0}, at[3] = {0};

	for (unsigned i = 0; i < n; i++) {
		double fade = exp(-(double)(i % 4000) / 3000);

		if (i % 4000 == 0) {
			int root = (int)sound_between(s, 0, 24);
			static const int chords[2][3] = {{0, 4, 7}, {0, 3, 7}};
			const int *chord = chords[sound_random(s) < 0.5];

			for (unsigned k = 0; k < 3; k++)
				hz[k] = 130.8 * pow(2, (root + chord[k]) / 12.0);
		}
		x[i] = 0;
		for (unsigned k = 0; k < 3; k++) {
			at[k] += 2 * sound_pi * hz[k] / SOUND_RATE_HZ;
			for (unsigned h = 1; h <= 6; h++)
				x[i] += fade / h * sin(at[k] * h);
		}
	}
	sound_level(x, n, dbm0);
}

#endif
