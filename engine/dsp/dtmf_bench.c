/* SPDX-License-Identifier: Apache-2.0
 *
 * What it costs to listen for keys to 20 ms of sound, by spandsp alone and behind the gate.
 * Prints tab-separated lines: sound, streams heard in turn, nanoseconds of a frame alone and gated (median of
 * rounds), streams that one core's whole time would do, gated.
 *
 *   ninja -C build bench_dtmf && build/bench_dtmf
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <spandsp.h>

#include "base/must.h"
#include "dsp/dtmf_detect.h"
#include "dsp/dtmf_sound.h"
#include "dsp/tone.h"

enum { ROUNDS = 101, FRAME = 160, FRAMES = 500, SAMPLES = FRAME * FRAMES, MANY = 20000 };

static double ns_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void nothing(void *arg, int digit, int level, int delay)
{
	(void)arg;
	(void)digit;
	(void)level;
	(void)delay;
}

/* Frame after frame goes to the next of `streams`. */
static void measure(const char *what, const int16_t *pcm, unsigned streams)
{
	struct dtmf_detect **d = malloc(streams * sizeof(struct dtmf_detect *));
	dtmf_rx_state_t **rx = malloc(streams * sizeof(dtmf_rx_state_t *));
	double alone[ROUNDS], gated[ROUNDS];
	unsigned a = 0, g = 0;

	must(d != NULL && rx != NULL);
	for (unsigned i = 0; i < streams; i++) {
		d[i] = malloc(dtmf_detect_bytes());
		rx[i] = dtmf_rx_init(NULL, NULL, NULL);
		must(d[i] != NULL && rx[i] != NULL);
		dtmf_rx_set_realtime_callback(rx[i], nothing, NULL);
		dtmf_detect_init(d[i]);
	}
	for (unsigned r = 0; r < ROUNDS; r++) {
		struct dtmf_detect_news news[4];
		double at = ns_now();

		for (unsigned f = 0; f < FRAMES; f++, a = (a + 1) % streams)
			dtmf_rx(rx[a], pcm + f * FRAME, FRAME);
		alone[r] = (ns_now() - at) / FRAMES;
		at = ns_now();
		for (unsigned f = 0; f < FRAMES; f++, g = (g + 1) % streams)
			dtmf_detect_listen(d[g], pcm + f * FRAME, FRAME, news, 4);
		gated[r] = (ns_now() - at) / FRAMES;
	}
	qsort(alone, ROUNDS, sizeof(alone[0]), by_size);
	qsort(gated, ROUNDS, sizeof(gated[0]), by_size);
	printf("%s\t%u\t%.0f\t%.1f\t%.0f\n", what, streams, alone[ROUNDS / 2], gated[ROUNDS / 2],
	       2e7 / gated[ROUNDS / 2]);
	for (unsigned i = 0; i < streams; i++) {
		dtmf_rx_free(rx[i]);
		free(d[i]);
	}
	free(rx);
	free(d);
}

/* One stream is always in the nearest cache, so many never are. */
static void compare(const char *what, const int16_t *pcm)
{
	measure(what, pcm, 1);
	measure(what, pcm, MANY);
}

int main(void)
{
	static double x[SAMPLES];
	static int16_t pcm[SAMPLES];
	struct sound s = {.seed = 1};

	printf("sound\theard\talone_ns\tgated_ns\tstreams\n");
	compare("silence", pcm);
	for (unsigned i = 0; i < SAMPLES; i++)
		pcm[i] = sound_sample(sound_rms(-20) * sound_gauss(&s));
	compare("noise", pcm);
	sound_speech(&s, x, SAMPLES, -20);
	for (unsigned i = 0; i < SAMPLES; i++)
		pcm[i] = sound_sample(x[i]);
	compare("speech", pcm);
	sound_music(&s, x, SAMPLES, -20);
	for (unsigned i = 0; i < SAMPLES; i++)
		pcm[i] = sound_sample(x[i]);
	compare("music", pcm);

	struct tone t;

	tone_start_dtmf(&t, 5);
	tone_next(&t, pcm, SAMPLES);
	compare("key", pcm);
	return 0;
}
