/* SPDX-License-Identifier: Apache-2.0
 *
 * What 20 ms cost: each codec both ways at each rate, concealment, resampling, the kernels of G.711.
 * Prints tab-separated lines: what, rate_hz, nanoseconds (median of rounds), cycles of the time stamp counter.
 *
 *   ninja -C build bench_codec && build/bench_codec
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "base/must.h"
#include "codec/codec.h"
#include "codec/g711.h"
#include "dsp/conceal.h"
#include "dsp/noise.h"
#include "dsp/resample.h"

enum { ROUNDS = 15, FRAMES = 50 };

static uint64_t cycles_now(void)
{
#if defined(__x86_64__)
	return __rdtsc();
#else
	return 0;
#endif
}

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

struct job {
	const struct codec *codec;
	void *decoder, *encoder;
	uint32_t rate_hz;
	const struct g711_kernel *kernel;
	struct resample resample;
	struct conceal *conceal;
	struct noise noise;
	int16_t pcm[FRAMES][960], out[5760];
	uint8_t payload[FRAMES][CODEC_PAYLOAD_MAX];
	size_t len[FRAMES];
};

typedef void frame_fn(struct job *j, unsigned frame);

static void measure(const char *what, const char *how, struct job *j, frame_fn *fn, unsigned times)
{
	double ns[ROUNDS], cycles[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		double t = ns_now();
		uint64_t c = cycles_now();

		for (unsigned k = 0; k < times; k++)
			for (unsigned f = 0; f < FRAMES; f++)
				fn(j, f);
		cycles[r] = (double)(cycles_now() - c) / FRAMES / times;
		ns[r] = (ns_now() - t) / FRAMES / times;
	}
	qsort(ns, ROUNDS, sizeof(*ns), by_size);
	qsort(cycles, ROUNDS, sizeof(*cycles), by_size);
	printf("%s %s\t%u\t%.0f\t%.0f\n", what, how, j->rate_hz, ns[ROUNDS / 2],
	       cycles[ROUNDS / 2]);
}

static void encode(struct job *j, unsigned f)
{
	j->len[f] = j->codec->encode(j->encoder, j->payload[f], CODEC_PAYLOAD_MAX, j->pcm[f],
				     j->rate_hz / 50);
}

static void decode(struct job *j, unsigned f)
{
	j->codec->decode(j->decoder, j->out, j->rate_hz / 50, j->payload[f], j->len[f]);
}

static void conceal(struct job *j, unsigned f)
{
	if (f % 10 == 0)
		decode(j, f);
	else
		j->codec->conceal(j->decoder, j->out, j->rate_hz / 50);
}

static void plc_good(struct job *j, unsigned f)
{
	conceal_good(j->conceal, j->pcm[f], 160);
}

static void plc_lost(struct job *j, unsigned f)
{
	conceal_good(j->conceal, j->pcm[f], 160);
	conceal_lost(j->conceal, j->out, 160);
}

static void resample(struct job *j, unsigned f)
{
	resample_run(&j->resample, j->out, j->pcm[f], j->rate_hz / 50);
}

static void ulaw_decode(struct job *j, unsigned f)
{
	j->kernel->ulaw_decode(j->out, j->payload[f], 160);
}

static void alaw_decode(struct job *j, unsigned f)
{
	j->kernel->alaw_decode(j->out, j->payload[f], 160);
}

static void ulaw_encode(struct job *j, unsigned f)
{
	j->kernel->ulaw_encode(j->payload[f], j->pcm[f], 160);
}

static void alaw_encode(struct job *j, unsigned f)
{
	j->kernel->alaw_encode(j->payload[f], j->pcm[f], 160);
}

static void noise(struct job *j, unsigned f)
{
	(void)f;
	noise_next(&j->noise, j->out, j->rate_hz / 50);
}

static void *memory(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 127) & ~(size_t)63);

	must(p != NULL);
	return memset(p, 0, (bytes + 127) & ~(size_t)63);
}

/* A voice-like sound: harmonics of a moving pitch, and some noise. */
static void sound(struct job *j)
{
	double phase = 0;
	uint32_t seed = 1;

	for (unsigned i = 0; i < FRAMES * (j->rate_hz / 50); i++) {
		double t = (double)i / j->rate_hz, v = 0;

		phase += 2 * 3.14159265 * (130 + 30 * sin(7 * t)) / j->rate_hz;
		for (unsigned k = 1; k < 12; k++)
			v += sin(phase * k) / k;
		seed = seed * 1664525 + 1013904223;
		j->pcm[i / (j->rate_hz / 50)][i % (j->rate_hz / 50)] =
			(int16_t)(4000 * v * fabs(sin(9 * t)) + (double)(seed >> 24));
	}
}

static void codec_measure(struct job *j, enum codec_id id, uint32_t rate_hz)
{
	const struct codec *c = codec_of(id);
	struct codec_tune tune = {.complexity = 0};

	j->codec = c;
	j->rate_hz = rate_hz;
	j->decoder = memory(codec_decoder_bytes(c));
	j->encoder = memory(codec_encoder_bytes(c));
	must(c->decoder_make == NULL || c->decoder_make(j->decoder) == 0);
	must(c->encoder_make == NULL || c->encoder_make(j->encoder) == 0);
	if (c->decoder_init != NULL) {
		c->decoder_init(j->decoder, rate_hz);
		c->encoder_init(j->encoder, rate_hz);
	}
	sound(j);
	for (tune.complexity = 0; tune.complexity <= 9; tune.complexity++) {
		char how[32] = "encode";

		if (id == CODEC_OPUS) {
			if (tune.complexity != 0 && tune.complexity != 3 && tune.complexity != 5 &&
			    tune.complexity != 9)
				continue;
			snprintf(how, sizeof(how), "encode, complexity %u", tune.complexity);
			c->encoder_tune(j->encoder, &tune);
		}
		measure(c->name, how, j, encode, c->encoder_bytes != NULL ? 1 : 50);
		if (id != CODEC_OPUS)
			break;
	}
	measure(c->name, "decode", j, decode, c->decoder_bytes != NULL ? 1 : 50);
	if (c->conceal != NULL)
		measure(c->name, "conceal", j, conceal, 1);
	if (c->decoder_free != NULL) {
		c->decoder_free(j->decoder);
		c->encoder_free(j->encoder);
	}
	free(j->decoder);
	free(j->encoder);
}

int main(void)
{
	static const uint32_t rates[] = {8000, 16000, 48000};
	const struct g711_kernel *kernel[] = {&g711_kernel_plain, g711_kernel_avx2(),
					      g711_kernel_avx512()};
	struct job *j = memory(sizeof(*j));

	printf("what\trate_hz\tns_per_20ms\tcycles\n");
	j->rate_hz = 8000;
	sound(j);
	for (unsigned k = 0; k < 3; k++) {
		if (kernel[k] == NULL)
			continue;
		j->kernel = kernel[k];
		measure("PCMU encode,", kernel[k]->name, j, ulaw_encode, 200);
		measure("PCMU decode,", kernel[k]->name, j, ulaw_decode, 200);
		measure("PCMA encode,", kernel[k]->name, j, alaw_encode, 200);
		measure("PCMA decode,", kernel[k]->name, j, alaw_decode, 200);
	}
	j->conceal = memory(conceal_bytes());
	conceal_init(j->conceal);
	measure("concealment,", "good frame", j, plc_good, 50);
	measure("concealment,", "good and first lost", j, plc_lost, 1);
	noise_init(&j->noise, 1);
	noise_hear(&j->noise, (const uint8_t *)"\x28\x60\x90\x80", 4);
	measure("noise,", "3 coefficients", j, noise, 5);
	for (unsigned id = 0; id < CODEC_COUNT; id++)
		for (unsigned r = 0; r < 3; r++)
			if (codec_rate_for(codec_of((enum codec_id)id), rates[r]) == rates[r])
				codec_measure(j, (enum codec_id)id, rates[r]);
	for (unsigned a = 0; a < 3; a++)
		for (unsigned b = 0; b < 3; b++) {
			char how[16];

			if (a == b)
				continue;
			j->rate_hz = rates[a];
			sound(j);
			must(resample_init(&j->resample, rates[a], rates[b]));
			snprintf(how, sizeof(how), "to %u", rates[b]);
			measure("resample", how, j, resample, 5);
		}
	free(j->conceal);
	free(j);
	return 0;
}
