/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate before spandsp's key detector against spandsp alone: the same news at the same samples, whatever is heard.
 */
#include <stdlib.h>

#include <spandsp.h>

#include "check.h"
#include "dsp/dtmf_detect.h"
#include "dsp/dtmf_gate.h"
#include "dsp/dtmf_sound.h"
#include "rtp/dtmf_code.h"

enum { FRAME = 160, BLOCK = DTMF_GATE_SAMPLES, NEWS = 512, LONG = 60 * SOUND_RATE_HZ };

static const double tone_hz[] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};

/* What spandsp alone says of blocks. */
struct alone {
	dtmf_rx_state_t *rx;
	uint64_t heard;
	int held; /* code, or -1 */
	struct dtmf_detect_news news[NEWS];
	size_t n;
};

static void note(struct alone *a, bool pressed, int code, int level)
{
	if (a->n < NEWS)
		a->news[a->n++] = (struct dtmf_detect_news){
			.pressed = pressed,
			.code = (uint8_t)code,
			.level_dbm0 = (int8_t)level,
			.at_sample = a->heard > 2 * BLOCK ? a->heard - 2 * BLOCK : 0,
		};
}

static void alone_changed(void *arg, int digit, int level, int delay)
{
	struct alone *a = arg;
	int code = dtmf_code_of((char)digit);

	(void)delay;
	if (a->held >= 0 && code != a->held) {
		note(a, false, a->held, 0);
		a->held = -1;
	}
	if (code >= 0 && a->held < 0) {
		a->held = code;
		note(a, true, code, level);
	}
}

/* Both hear `n` samples, the gated one in frames; how many presses there were. */
static unsigned heard_alike(const int16_t *pcm, size_t n, size_t frame)
{
	struct dtmf_detect *d = malloc(dtmf_detect_bytes());
	struct alone *a = calloc(1, sizeof(*a));
	static struct dtmf_detect_news news[NEWS];
	size_t got = 0, wanted;
	unsigned presses = 0;

	check(d != NULL && a != NULL);
	dtmf_detect_init(d);
	for (size_t i = 0; i < n; i += frame)
		got += dtmf_detect_listen(d, pcm + i, n - i < frame ? n - i : frame, news + got,
					  NEWS - got);
	a->rx = dtmf_rx_init(NULL, NULL, NULL);
	a->held = -1;
	check(a->rx != NULL);
	dtmf_rx_set_realtime_callback(a->rx, alone_changed, a);
	for (size_t i = 0; i + BLOCK <= n; i += BLOCK) {
		a->heard = i + BLOCK;
		dtmf_rx(a->rx, pcm + i, BLOCK);
	}
	dtmf_rx_free(a->rx);

	bool same = got == a->n;

	for (size_t i = 0; same && i < got; i++) {
		same = news[i].pressed == a->news[i].pressed && news[i].code == a->news[i].code &&
		       news[i].level_dbm0 == a->news[i].level_dbm0 &&
		       news[i].at_sample == a->news[i].at_sample;
		presses += news[i].pressed;
	}
	wanted = a->n;
	free(a);
	free(d);
	check_int(got, wanted);
	check(same);
	return presses;
}

/* Blocks that spandsp is asked about, in a thousand: those that may hold a key and each that follows one. */
static unsigned open_of_1000(const int16_t *pcm, size_t n)
{
	size_t asked = 0, blocks = 0;
	bool before = false;

	for (size_t i = 0; i + BLOCK <= n; i += BLOCK, blocks++) {
		bool may = dtmf_gate_open(pcm + i);

		asked += may || before;
		before = may;
	}
	return (unsigned)(asked * 1000 / blocks);
}

struct key {
	double low_dbm0, high_dbm0; /* a tone each */
	double off;                 /* of the frequencies, a factor */
	unsigned samples;
};

static void press(struct sound *s, double *x, unsigned code, const struct key *k)
{
	static const uint8_t row[] = {3, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 0, 1, 2, 3};
	static const uint8_t column[] = {1, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 2, 3, 3, 3, 3};
	double a = sqrt(2) * sound_rms(k->low_dbm0), b = sqrt(2) * sound_rms(k->high_dbm0);
	double p = sound_between(s, 0, 6.3), q = sound_between(s, 0, 6.3);
	double w = 2 * sound_pi * k->off / SOUND_RATE_HZ;

	for (unsigned i = 0; i < k->samples; i++)
		x[i] += a * sin(p + w * tone_hz[row[code]] * i) +
			b * sin(q + w * tone_hz[4 + column[code]] * i);
}

static void table_is_the_tones(void)
{
	for (unsigned i = 0; i < DTMF_GATE_HALF; i++) {
		for (unsigned k = 0; k < DTMF_GATE_TONES; k++) {
			double at = 2 * sound_pi * tone_hz[k] / 8000 * (i + 0.5);

			check(fabs(dtmf_gate_table[i].cosine[k] - cos(at)) < 1e-7);
			check(fabs(dtmf_gate_table[i].sine[k] - sin(at)) < 1e-7);
		}
	}
}

/* What dtmf_gate.c says of energy: the sums of cosines and of sines are at right angles by symmetry, so
 * each pair of tones has two matrices of two by two. */
static void a_pair_of_tones_is_nearly_at_right_angles(void)
{
	double most = 0;

	for (unsigned pair = 0; pair < 32; pair++) {
		unsigned low = pair & 3, high = 4 + (pair >> 2 & 3);
		double p = 0, q = 0, both = 0;

		for (unsigned i = 0; i < DTMF_GATE_HALF; i++) {
			const struct dtmf_gate_row *r = &dtmf_gate_table[i];
			const float *v = pair < 16 ? r->cosine : r->sine;

			p += 2 * (double)v[low] * (double)v[low];
			q += 2 * (double)v[high] * (double)v[high];
			both += 2 * (double)v[low] * (double)v[high];
		}
		most = fmax(most, (p + q) / 2 + hypot((p - q) / 2, both));
	}
	check(most > 51 * 1.10 && most < 51 * 1.107);
}

/* Every kernel against Goertzel's recursion as spandsp has it. */
static void sums_are_goertzels(void)
{
	dtmf_gate_fn *const kernels[] = {dtmf_gate_kernel(), dtmf_gate_kernel_plain(),
					 dtmf_gate_kernel_avx2()};
	struct sound s = {.seed = 7};

	for (unsigned round = 0; round < 500; round++) {
		int16_t pcm[BLOCK];
		double energy = 0, x[BLOCK] = {0};
		struct key k = {sound_between(&s, -30, 0), sound_between(&s, -30, 0),
				sound_between(&s, 0.9, 1.1), BLOCK};

		press(&s, x, round % 16, &k);
		for (unsigned i = 0; i < BLOCK; i++) {
			pcm[i] = round == 0   ? INT16_MIN
				 : round == 1 ? (i % 2 ? INT16_MAX : INT16_MIN)
					      : sound_sample(x[i] + 300 * sound_gauss(&s));
			energy += (double)pcm[i] * pcm[i];
		}
		for (unsigned v = 0; v < 3; v++) {
			struct dtmf_gate_sound got;

			if (kernels[v] == NULL)
				continue;
			kernels[v](&got, pcm);
			check(fabs((double)got.energy / energy - 1) < 1e-5);
			for (unsigned f = 0; f < DTMF_GATE_TONES; f++) {
				goertzel_descriptor_t t;
				goertzel_state_t g;

				make_goertzel_descriptor(&t, (float)tone_hz[f], BLOCK);
				goertzel_init(&g, &t);
				goertzel_update(&g, pcm, BLOCK);
				double want = (double)goertzel_result(&g);

				check(fabs((double)got.tone[f] - want) <
				      1e-3 * want + 1e-4 * energy);
			}
		}
	}
}

/* A story is keys with pauses, in noise, perhaps with speech before and after. Random over all of what
 * may be heard, beyond what spandsp accepts: at the edges it says yes to one block and no to the next. */
static void nothing_is_missed_that_spandsp_hears(void)
{
	static double x[SOUND_RATE_HZ * 4];
	static int16_t pcm[SOUND_RATE_HZ * 4];
	unsigned presses = 0, keys = 0;

	for (unsigned story = 0; story < 600; story++) {
		struct sound s = {.seed = 1000 + story};
		double level = sound_between(&s, -40, 0), twist = sound_between(&s, -4, 8);
		double off = 1 + sound_between(&s, -0.015, 0.015), snr = sound_between(&s, 10, 30);
		bool clean = story % 4 == 0, talk = story % 2;
		unsigned at = (unsigned)sound_between(&s, 0, 400), n = sizeof(pcm) / sizeof(pcm[0]);

		memset(x, 0, sizeof(x));
		if (talk) {
			at += SOUND_RATE_HZ / 2;
			sound_speech(&s, x, at, sound_between(&s, -30, -6));
		}
		for (unsigned code = 0; code < 16; code++) {
			struct key k = {level + fmin(twist, 0), level - fmax(twist, 0), off,
					(unsigned)sound_between(&s, 320, 800)};

			press(&s, x + at, (code + story) % 16, &k);
			at += k.samples + (unsigned)sound_between(&s, 240, 800);
			keys++;
		}
		if (talk)
			sound_speech(&s, x + at, n - at, sound_between(&s, -30, -6));
		for (unsigned i = 0; i < n; i++) {
			double hiss = clean ? 0 : sound_rms(level - snr) * sound_gauss(&s);

			pcm[i] = sound_sample(x[i] + hiss);
		}
		presses += heard_alike(pcm, n, story % 5 == 4 ? 80 : FRAME);
	}
	/* The comparison is of something: spandsp hears most keys of these. */
	check(presses > keys / 2);
}

/* Levels around the bar, where the least rounding decides. */
static void at_the_bar_they_agree(void)
{
	static double x[SOUND_RATE_HZ * 4];
	static int16_t pcm[SOUND_RATE_HZ * 4];
	unsigned presses = 0;

	for (unsigned story = 0; story < 200; story++) {
		struct sound s = {.seed = 5000 + story};
		double level = -43 + story * 0.01;
		struct key k = {level, level, 1 + sound_between(&s, -0.03, 0.03), 700};

		memset(x, 0, sizeof(x));
		for (unsigned i = 0; i < 32; i++)
			press(&s, x + i * 1000, i % 16, &k);
		for (unsigned i = 0; i < SOUND_RATE_HZ * 4; i++)
			pcm[i] = sound_sample(x[i]);
		presses += heard_alike(pcm, SOUND_RATE_HZ * 4, FRAME);
	}
	check(presses > 0 && presses < 200 * 32);
}

enum kind { SILENCE, HISS, SPEECH, MUSIC };

/* A minute each: no keys, and spandsp is hardly asked. */
static void talk_is_no_key_and_closes_the_gate(void)
{
	static const struct {
		enum kind kind;
		double dbm0;
		unsigned open_max; /* blocks in a thousand */
	} table[] = {
		{SILENCE, 0, 0},   {HISS, -60, 0},    {HISS, -20, 5},  {SPEECH, -10, 60},
		{SPEECH, -20, 60}, {SPEECH, -30, 60}, {MUSIC, -15, 5}, {MUSIC, -25, 5},
	};
	static double x[LONG];
	static int16_t pcm[LONG];

	for (unsigned t = 0; t < sizeof(table) / sizeof(table[0]); t++) {
		struct sound s = {.seed = 77 + t};

		memset(x, 0, sizeof(x));
		if (table[t].kind == SPEECH)
			sound_speech(&s, x, LONG, table[t].dbm0);
		if (table[t].kind == MUSIC)
			sound_music(&s, x, LONG, table[t].dbm0);
		for (unsigned i = 0; i < LONG; i++) {
			if (table[t].kind == HISS)
				x[i] = sound_rms(table[t].dbm0) * sound_gauss(&s);
			pcm[i] = sound_sample(x[i]);
		}
		unsigned open = open_of_1000(pcm, LONG);

		if (getenv("GATE_SHOW") != NULL)
			printf("kind %d at %.0f dBm0: %u of 1000\n", (int)table[t].kind,
			       table[t].dbm0, open);
		check_int(heard_alike(pcm, LONG, FRAME), 0);
		check(open <= table[t].open_max);
	}
}

static void begun_anew_it_has_forgotten(void)
{
	struct dtmf_detect *d = malloc(dtmf_detect_bytes());
	struct dtmf_detect_news news[4];
	struct sound s = {.seed = 3};
	double x[1000] = {0};
	int16_t pcm[1000];
	struct key k = {-10, -10, 1, 1000};
	size_t n[2];

	check(d != NULL);
	press(&s, x, 5, &k);
	for (unsigned i = 0; i < 1000; i++)
		pcm[i] = sound_sample(x[i]);
	for (unsigned i = 0; i < 2; i++) {
		dtmf_detect_init(d);
		n[i] = dtmf_detect_listen(d, pcm, 1000, news, 4);
	}
	uint64_t at = news[0].at_sample;

	free(d);
	check(n[0] == 1 && n[1] == 1 && at == 0);
}

static const struct check_case cases[] = {
	CHECK_CASE(table_is_the_tones),
	CHECK_CASE(a_pair_of_tones_is_nearly_at_right_angles),
	CHECK_CASE(sums_are_goertzels),
	CHECK_CASE(nothing_is_missed_that_spandsp_hears),
	CHECK_CASE(at_the_bar_they_agree),
	CHECK_CASE(talk_is_no_key_and_closes_the_gate),
	CHECK_CASE(begun_anew_it_has_forgotten),
};
CHECK_MAIN(cases)
