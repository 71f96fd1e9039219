/* SPDX-License-Identifier: Apache-2.0
 *
 * From every codec to every other, at every rate and ptime, through two coders: what is said is heard, in
 * packets of the right length at the right times.
 */
#include "leg/coder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dsp/conceal.h"

#define PI 3.14159265358979

static struct coder *coder(struct conceal **conceal)
{
	size_t bytes = (coder_bytes() + 63) & ~(size_t)63;
	struct coder *c = aligned_alloc(64, bytes);

	memset(c, 0, bytes);
	check_int(coder_make(c), 0);
	*conceal = aligned_alloc(64, (conceal_bytes() + 63) & ~(size_t)63);
	conceal_init(*conceal);
	coder_begin(c, *conceal);
	return c;
}

static void drop(struct coder *c, struct conceal *conceal)
{
	coder_free(c);
	free(c);
	free(conceal);
}

static void tone(int16_t *pcm, uint32_t rate_hz, unsigned tick, double hz)
{
	for (unsigned i = 0; i < rate_hz / 50; i++)
		pcm[i] = (int16_t)lrint(
			8000 * sin(2 * PI * hz * ((double)tick * rate_hz / 50 + i) / rate_hz));
}

static double purity(const int16_t *pcm, size_t n, uint32_t rate_hz, double hz)
{
	double re = 0, im = 0, all = 1e-9;

	for (size_t i = 0; i < n; i++) {
		re += pcm[i] * cos(2 * PI * hz * (double)i / rate_hz);
		im += pcm[i] * sin(2 * PI * hz * (double)i / rate_hz);
		all += (double)pcm[i] * pcm[i];
	}
	return 2 * (re * re + im * im) / (double)n / all;
}

static int16_t heard[48000 * 2];

/* One second: frames at `in_hz` to `codec`, `ptime`, decoded at `out_hz`. Every `lose`th packet is lost
 * (0: none). Returns the samples heard. */
static size_t second(enum codec_id id, uint32_t in_hz, uint32_t out_hz, uint16_t ptime_ms,
		     unsigned lose, int16_t *narrow_last)
{
	const struct codec *codec = codec_of(id);
	struct conceal *ca, *cb;
	struct coder *a = coder(&ca), *b = coder(&cb);
	uint32_t clock = codec->clock_hz, next = 0;
	uint16_t ms = codec_ptime_ms(codec, ptime_ms);
	size_t n = 0;
	unsigned packets = 0;

	coder_speak(a, codec, ms, in_hz);
	coder_listen_at(b, out_hz);
	for (unsigned tick = 0; tick < 60; tick++) {
		int16_t frame[CODER_FRAME_MAX];
		struct coder_packet p;

		tone(frame, in_hz, tick, 600);
		coder_hear(a, frame);
		while (coder_next(a, &p)) {
			check(p.len > 0);
			check_int((uint32_t)(tick * (clock / 50) + p.ticks), next);
			check_int(codec->ticks(p.payload, p.len), clock / 1000 * ms);
			next += clock / 1000 * ms;
			packets++;
			if (lose != 0 && packets % lose == 0)
				coder_missing(b, out_hz / 1000 * ms, codec, NULL, 0);
			else
				check_int(coder_decode(b, codec, p.payload, p.len),
					  out_hz / 1000 * ms);
		}
		while (coder_queued(b) >= out_hz / 50 &&
		       n + CODER_FRAME_MAX <= sizeof(heard) / sizeof(*heard)) {
			coder_frame(b, heard + n, narrow_last);
			n += out_hz / 50;
		}
	}
	check_int(packets, 1200 / ms);
	drop(a, ca);
	drop(b, cb);
	return n;
}

static void every_codec_every_rate_every_ptime(void)
{
	static const uint32_t rates[] = {8000, 16000, 48000};
	int16_t narrow[CODER_NARROW_FRAME];

	for (unsigned id = 0; id < CODEC_COUNT; id++)
		for (unsigned in = 0; in < 3; in++)
			for (unsigned out = 0; out < 3; out++)
				for (uint16_t ms = 10; ms <= 60; ms = (uint16_t)(ms + 10)) {
					if (ms % 20 != 0 && in != out)
						continue; /* enough is enough */
					size_t n = second((enum codec_id)id, rates[in], rates[out],
							  ms, 0, narrow);

					check(n >= rates[out]);
					check(purity(heard + n / 2, n / 4, rates[out], 600) >
					      (id == CODEC_G729 ? 0.75 : 0.93));
					check(purity(narrow, CODER_NARROW_FRAME, 8000, 600) > 0.7);
				}
}

/* With losses the tone goes on: a codec without a concealment of its own leaves no hole. (Opus and G.729
 * fade as they think right; codec_test hears that they conceal a voice.) */
static void losses_are_filled(void)
{
	static const uint32_t rates[] = {8000, 16000};
	int16_t narrow[CODER_NARROW_FRAME];

	for (unsigned id = 0; id < CODEC_COUNT; id++)
		for (unsigned r = 0; r < 2 && codec_of((enum codec_id)id)->conceal == NULL; r++) {
			size_t n = second((enum codec_id)id, rates[r], rates[r], 20, 10, narrow);
			size_t step = rates[r] / 50;

			for (size_t at = n / 2; at + step <= n; at += step) {
				double sum = 0;

				for (size_t i = 0; i < step; i++)
					sum += (double)heard[at + i] * heard[at + i];
				check(sqrt(sum / (double)step) > 1500); /* a full tone is 5,657 */
			}
			check(purity(heard + n / 2, n / 4, rates[r], 600) > 0.6);
		}
}

static void a_change_of_codec_rate_or_ptime_goes_on(void)
{
	struct conceal *ca, *cb;
	struct coder *a = coder(&ca), *b = coder(&cb);
	uint32_t seed = 11;
	unsigned packets = 0;

	for (unsigned tick = 0; tick < 600; tick++) {
		int16_t frame[CODER_FRAME_MAX], narrow[CODER_NARROW_FRAME];
		static const uint32_t rates[] = {8000, 16000, 48000};
		struct coder_packet p;
		const struct codec *codec;

		if (tick % 7 == 0)
			seed = seed * 1664525 + 1013904223;
		codec = codec_of((enum codec_id)((seed >> 10) % CODEC_COUNT));

		uint32_t in = rates[(seed >> 16) % 3], out = rates[(seed >> 20) % 3];

		coder_speak(a, codec, codec_ptime_ms(codec, (uint16_t)(10 + (seed >> 24) % 6 * 10)),
			    in);
		coder_listen_at(b, out);
		tone(frame, in, tick, 600);
		coder_hear(a, frame);
		while (coder_next(a, &p)) {
			packets++;
			if ((seed >> 28) == 3)
				coder_missing(b, 17 + tick, codec, p.payload, p.len);
			else
				coder_decode(b, codec, p.payload, p.len);
			coder_pause(b, tick % 50);
		}
		while (coder_queued(b) >= out / 50)
			coder_frame(b, frame, narrow);
	}
	check(packets > 200);
	drop(a, ca);
	drop(b, cb);
}

static void a_queue_that_is_full_takes_no_more(void)
{
	struct conceal *cc;
	struct coder *c = coder(&cc);
	static uint8_t payload[1920];

	coder_listen_at(c, 48000);
	for (unsigned i = 0; i < 20; i++) {
		coder_decode(c, codec_of(CODEC_PCMU), payload, 960);
		coder_missing(c, 5000, codec_of(CODEC_PCMU), NULL, 0);
		coder_pause(c, 5000);
	}
	check(coder_queued(c) <= 48 * 140);
	coder_restart(c);
	check_int(coder_queued(c), 0);
	drop(c, cc);
}

static const struct check_case cases[] = {
	CHECK_CASE(every_codec_every_rate_every_ptime),
	CHECK_CASE(losses_are_filled),
	CHECK_CASE(a_change_of_codec_rate_or_ptime_goes_on),
	CHECK_CASE(a_queue_that_is_full_takes_no_more),
};
CHECK_MAIN(cases)
