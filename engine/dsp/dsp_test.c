/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "dsp/conceal.h"
#include "dsp/dtmf_detect.h"
#include "dsp/level.h"
#include "dsp/mix.h"
#include "dsp/tone.h"

enum { FRAME = 160 };

static uint32_t noise_state = 1;

static int16_t noise(void)
{
	noise_state = noise_state * 1664525U + 1013904223U;
	return (int16_t)(noise_state >> 16);
}

static void gains_are_decibels(void)
{
	check_int(mix_gain_q12(0), MIX_GAIN_ONE);
	check_int(mix_gain_q12(200), 10 * MIX_GAIN_ONE);
	check_int(mix_gain_q12(INT16_MAX), 10 * MIX_GAIN_ONE);
	check_int(mix_gain_q12(-200), 410); /* a tenth of 4,096 */
	check_int(mix_gain_q12(-60), 2053);
	check_int(mix_gain_q12(-600), 4);
	check_int(mix_gain_q12(-601), 0);
}

/* Every length to 67, every gain: against one sample at a time in 64 bits. */
static void sums_are_exact_and_held_to_16_bits(void)
{
	static const int32_t gains[] = {0, 4, 410, 2053, 4095, 4096, 4097, 40960};

	for (size_t n = 0; n < 68; n++) {
		for (size_t g = 0; g < sizeof(gains) / sizeof(gains[0]); g++) {
			int16_t a[68], b[68], c[68], out[68];
			int32_t sum[68];

			for (size_t i = 0; i < n; i++) {
				a[i] = noise();
				b[i] = noise();
				c[i] = i % 3 ? noise() : i % 2 ? INT16_MAX : INT16_MIN;
			}
			mix_set(sum, a, n);
			mix_add(sum, b, n);
			mix_add_gain(sum, c, n, gains[g]);
			mix_saturate(out, sum, n);
			for (size_t i = 0; i < n; i++) {
				int64_t scaled = ((int64_t)c[i] * gains[g]) >> 12;
				int64_t want = a[i] + (int64_t)b[i] + scaled;

				check_int(sum[i], want);
				want = want > 32767 ? 32767 : want < -32768 ? -32768 : want;
				check_int(out[i], want);
			}
			mix_sub(sum, b, n);
			for (size_t i = 0; i < n; i++)
				check_int(sum[i], a[i] + ((int64_t)c[i] * gains[g] >> 12));
			memcpy(out, c, sizeof(out));
			mix_scale(out, n, gains[g]);
			for (size_t i = 0; i < n; i++) {
				int64_t want = ((int64_t)c[i] * gains[g]) >> 12;

				want = want > 32767 ? 32767 : want < -32768 ? -32768 : want;
				check_int(out[i], want);
			}
		}
	}
}

static void sixteen_loudest_speakers_do_not_overflow(void)
{
	int16_t pcm[4] = {INT16_MIN, INT16_MAX, INT16_MIN, INT16_MAX}, out[4];
	int32_t sum[4] = {0};

	for (unsigned i = 0; i < 16; i++)
		mix_add_gain(sum, pcm, 4, mix_gain_q12(MIX_GAIN_CB_MAX));
	check_int(sum[0], -16 * 327680);
	mix_saturate(out, sum, 4);
	check(out[0] == INT16_MIN && out[1] == INT16_MAX);
}

static void levels_are_dbov(void)
{
	int16_t pcm[FRAME] = {0};

	check_int(level_dbov(pcm, FRAME), -127);
	check_int(level_dbov(pcm, 0), -127);
	for (unsigned i = 0; i < FRAME; i++)
		pcm[i] = i % 2 ? 32767 : -32768;
	check_int(level_dbov(pcm, FRAME), 0);
	for (unsigned i = 0; i < FRAME; i++)
		pcm[i] = (int16_t)lrint(32767 * sin(6.283185307 * 1000 * i / 8000));
	check_int(level_dbov(pcm, FRAME), -3);
	for (unsigned i = 0; i < FRAME; i++)
		pcm[i] = i % 2 ? 328 : -328;
	check_int(level_dbov(pcm, FRAME), -40);
	memset(pcm, 0, sizeof(pcm));
	pcm[0] = 1;
	check_int(level_dbov(pcm, FRAME), -112);
}

static void energy_is_the_sum_of_squares(void)
{
	int16_t pcm[131];

	for (size_t n = 0; n <= 131; n++) {
		uint64_t want = 0, got;

		for (size_t i = 0; i < n; i++) {
			pcm[i] = i == 3 ? INT16_MIN : noise();
			want += (uint64_t)((int64_t)pcm[i] * pcm[i]);
		}
		got = level_energy(pcm, n);
		check(got == want);
	}
}

static void tones_do_not_depend_on_the_frame(void)
{
	int16_t whole[9000], pieces[9000];
	struct tone a, b;

	tone_start_dtmf(&a, 7);
	tone_start_dtmf(&b, 7);
	tone_next(&a, whole, 9000);
	for (size_t i = 0, n = 1; i < 9000; i += n, n = n % 7 + 1) {
		if (i + n > 9000)
			n = 9000 - i;
		tone_next(&b, pieces + i, n);
	}
	check(memcmp(whole, pieces, sizeof(whole)) == 0);
	tone_start_dtmf(&a, 16);
	tone_next(&a, whole, 100);
	check_int(level_dbov(whole, 100), -127);
}

/* Each key for 80 ms with 80 ms pauses, in frames of every size: heard once, near its time. */
static void every_key_is_heard_once_and_in_time(void)
{
	static const size_t frames[] = {80, 160, 240, 320, 102, 1};
	struct dtmf_detect *d = malloc(dtmf_detect_bytes());

	check(d != NULL);
	dtmf_detect_prepare();
	for (size_t f = 0; f < 6; f++) {
		static int16_t pcm[16 * 1280 + 1280];
		struct dtmf_detect_news news[64];
		size_t n = 0;

		memset(pcm, 0, sizeof(pcm));
		for (uint8_t code = 0; code < 16; code++) {
			struct tone t;

			tone_start_dtmf(&t, code);
			tone_next(&t, pcm + 640 + code * 1280, 640);
		}
		dtmf_detect_init(d);
		for (size_t i = 0; i < sizeof(pcm) / 2; i += frames[f]) {
			size_t left = sizeof(pcm) / 2 - i;

			n += dtmf_detect_listen(d, pcm + i, left < frames[f] ? left : frames[f],
						news + n, 64 - n);
		}
		check_int(n, 32);
		for (size_t i = 0; i < 32; i++) {
			int64_t at = 640 + (int64_t)(i / 2) * 1280 + (i % 2 ? 640 : 0);
			int64_t off = (int64_t)news[i].at_sample - at;

			check_int(news[i].pressed, i % 2 == 0);
			check_int(news[i].code, i / 2);
			check(off >= -102 && off <= 204);
			if (news[i].pressed)
				check(news[i].level_dbm0 < 3 && news[i].level_dbm0 > -12);
		}
		check(!dtmf_detect_pressed(d));
	}
	free(d);
}

static void noise_and_single_tones_are_no_keys(void)
{
	struct dtmf_detect *d = malloc(dtmf_detect_bytes());
	struct dtmf_detect_news news[8];
	struct tone t;
	size_t n = 0;

	check(d != NULL);
	dtmf_detect_init(d);
	tone_start_dtmf(&t, 1);
	t.coeff[1] = t.start[1] = 0; /* the low tone alone */
	for (unsigned f = 0; f < 500; f++) {
		int16_t pcm[FRAME];

		if (f < 250)
			tone_next(&t, pcm, FRAME);
		else
			for (unsigned i = 0; i < FRAME; i++)
				pcm[i] = noise();
		n += dtmf_detect_listen(d, pcm, FRAME, news, 8);
	}
	free(d);
	check_int(n, 0);
}

static void news_without_room_do_not_overflow(void)
{
	struct dtmf_detect *d = malloc(dtmf_detect_bytes());
	int16_t pcm[1600];
	struct tone t;

	check(d != NULL);
	dtmf_detect_init(d);
	tone_start_dtmf(&t, 5);
	tone_next(&t, pcm, 1600);
	size_t n = dtmf_detect_listen(d, pcm, 1600, NULL, 0);
	bool pressed = dtmf_detect_pressed(d);

	free(d);
	check(n == 0 && pressed);
}

static void a_lost_frame_sounds_on_and_fades(void)
{
	struct conceal *c = malloc(conceal_bytes());
	int16_t pcm[FRAME];
	int16_t level[10];
	unsigned at = 0;

	check(c != NULL);
	conceal_init(c);
	conceal_lost(c, pcm, FRAME);
	level[0] = level_dbov(pcm, FRAME); /* nothing is known: silence */
	for (unsigned f = 0; f < 10; f++) {
		for (unsigned i = 0; i < FRAME; i++, at++)
			pcm[i] = (int16_t)lrint(8000 * sin(6.283185307 * 200 * at / 8000));
		conceal_good(c, pcm, FRAME);
	}
	for (unsigned f = 1; f <= 5; f++) {
		conceal_lost(c, pcm, FRAME);
		level[f] = level_dbov(pcm, FRAME);
	}
	for (unsigned i = 0; i < FRAME; i++, at++)
		pcm[i] = (int16_t)lrint(8000 * sin(6.283185307 * 200 * at / 8000));
	conceal_good(c, pcm, FRAME);
	level[6] = level_dbov(pcm, FRAME);
	free(c);
	check_int(level[0], -127);
	check(level[1] >= -19 && level[1] <= -15); /* the tone's is -15 */
	check(level[2] < level[1]);
	check_int(level[5], -127);
	check(level[6] >= -18);
}

/* spandsp's ring is 280 samples long: frames that fill it exactly, and ones that never do. */
static void concealment_takes_frames_of_any_length(void)
{
	struct conceal *c = malloc(conceal_bytes());
	int16_t pcm[480];

	check(c != NULL);
	conceal_init(c);
	for (size_t n = 1; n <= 480; n++) {
		for (unsigned round = 0; round < 12; round++) {
			for (size_t i = 0; i < n; i++)
				pcm[i] = noise();
			if (round % 3 == 2)
				conceal_lost(c, pcm, n);
			else
				conceal_good(c, pcm, n);
		}
	}
	free(c);
}

/* Each vector unit gives what the plain loops give, at every length and with the loudest samples. */
static void all_vector_units_agree(void)
{
	const struct mix_kernel *kernel[] = {mix_kernel_avx2(), mix_kernel_avx512(), mix_kernel()};
	enum { N = 165 };

	srand(11);
	for (unsigned k = 0; k < sizeof(kernel) / sizeof(kernel[0]); k++) {
		const struct mix_kernel *u = kernel[k], *p = &mix_kernel_plain;

		if (u == NULL)
			continue; /* this CPU has not got it */
		for (size_t n = 0; n <= N; n++) {
			int16_t a[N], b[N], out[2][N] = {{0}};
			int32_t sum[2][N];
			uint16_t peak[2];

			for (size_t i = 0; i < N; i++) {
				a[i] = n % 5 == 0 ? INT16_MIN : (int16_t)rand();
				b[i] = n % 7 == 0 ? INT16_MAX : (int16_t)rand();
				sum[0][i] = sum[1][i] = (rand() % 40000000) - 20000000;
			}
			p->add(sum[0], a, n);
			u->add(sum[1], a, n);
			check(memcmp(sum[0], sum[1], sizeof(sum[0])) == 0);
			p->sub(sum[0], b, n);
			u->sub(sum[1], b, n);
			check(memcmp(sum[0], sum[1], sizeof(sum[0])) == 0);
			for (size_t i = 0; i < n; i++) /* near the ends of the range */
				sum[0][i] = (rand() % 140000) - 70000;
			p->less(out[0], sum[0], a, n);
			u->less(out[1], sum[0], a, n);
			check(memcmp(out[0], out[1], sizeof(out[0])) == 0);
			p->saturate(out[0], sum[0], n);
			u->saturate(out[1], sum[0], n);
			check(memcmp(out[0], out[1], sizeof(out[0])) == 0);
			p->two(out[0], a, b, n);
			u->two(out[1], a, b, n);
			check(memcmp(out[0], out[1], sizeof(out[0])) == 0);
			check(p->energy(a, n, &peak[0]) == u->energy(a, n, &peak[1]));
			check_int(peak[0], peak[1]);
		}
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(gains_are_decibels),
	CHECK_CASE(sums_are_exact_and_held_to_16_bits),
	CHECK_CASE(sixteen_loudest_speakers_do_not_overflow),
	CHECK_CASE(levels_are_dbov),
	CHECK_CASE(energy_is_the_sum_of_squares),
	CHECK_CASE(tones_do_not_depend_on_the_frame),
	CHECK_CASE(every_key_is_heard_once_and_in_time),
	CHECK_CASE(noise_and_single_tones_are_no_keys),
	CHECK_CASE(news_without_room_do_not_overflow),
	CHECK_CASE(a_lost_frame_sounds_on_and_fades),
	CHECK_CASE(concealment_takes_frames_of_any_length),
	CHECK_CASE(all_vector_units_agree),
};
CHECK_MAIN(cases)
