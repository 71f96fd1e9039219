/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines are written as what is heard on them, part after part: frequencies, level and time. Everything goes
 * through G.711 and back first, as it does in life.
 */
#include "dsp/listen.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "codec/g711.h"
#include "dsp/listen_tone.h"

#define PI 3.14159265358979323846

enum { RATE = 8000, FRAME = 160, FRAME_MS = 20 };

/* --- signals --- */

struct part {
	double a_hz, b_hz; /* 0: none; both 0 with a level: speech-like sound */
	double dbov;       /* of each; 0 with no frequency: silence */
	unsigned ms;
};

static uint32_t seed;

static double noise(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (double)(int32_t)seed / 2147483648.0;
}

/* A voice: harmonics of a pitch that wanders, in syllables. */
static double voice(unsigned i)
{
	double t = (double)i / RATE, v = 0;
	double pitch = 130 + 25 * sin(2 * PI * 0.7 * t);
	double syllable = 0.55 + 0.45 * sin(2 * PI * 3.1 * t);

	for (unsigned k = 1; k <= 12; k++)
		v += sin(2 * PI * k * pitch * t + k * k) /
		     (1 + 0.3 * k * (1.2 + sin(2 * PI * 1.7 * t)));
	return (v * 0.35 + 0.15 * noise()) * syllable;
}

static int16_t line(int32_t v)
{
	v = v > 32767 ? 32767 : v < -32768 ? -32768 : v;
	return g711_ulaw_linear[g711_ulaw_encode((int16_t)v)];
}

static int16_t sample(const struct part *p, unsigned i)
{
	double amplitude = p->dbov == 0 && p->a_hz == 0 ? 0 : 32768 * pow(10, p->dbov / 20);
	double v = noise() * 20; /* some noise on any line: about -69 dBov */

	if (p->a_hz > 0)
		v += amplitude * 1.4142135623730951 * sin(2 * PI * p->a_hz * i / RATE);
	if (p->b_hz > 0)
		v += amplitude * 1.4142135623730951 * sin(2 * PI * p->b_hz * i / RATE);
	if (p->a_hz == 0 && p->b_hz == 0)
		v += amplitude * 2 * voice(i);
	return line((int32_t)lround(v));
}

/* Play the parts `times` over to `t` and, when given, to `l`. Frames do not begin with parts: `shift`
 * samples stand before. */
static void play(struct listen_tone *t, struct listen *l, const struct part *part, unsigned times,
		 unsigned shift)
{
	int16_t pcm[FRAME];
	unsigned n = 0;

	for (; n < shift; n++)
		pcm[n] = 0;
	for (unsigned k = 0; k < times; k++) {
		for (const struct part *p = part; p->ms > 0; p++) {
			for (unsigned i = 0; i < p->ms * (RATE / 1000); i++) {
				pcm[n++] = sample(p, i);
				if (n < FRAME)
					continue;
				n = 0;
				if (t != NULL)
					listen_tone_take(t, pcm, FRAME, RATE, FRAME_MS);
				if (l != NULL) {
					struct listen_frame f = listen_measure(pcm, FRAME);

					listen_take(l, &f, FRAME_MS);
				}
			}
		}
	}
}

/* --- levels --- */

static void power_is_the_mean_square(void)
{
	int16_t pcm[480];

	for (unsigned n = 0; n < 480; n++) {
		uint64_t sum = 0;
		uint16_t peak = 0;

		for (unsigned i = 0; i < n; i++) {
			pcm[i] = (int16_t)(noise() * 32768);
			if (n % 7 == 0)
				pcm[i] = INT16_MIN;
			sum += (uint64_t)((int64_t)pcm[i] * pcm[i]);
			if (abs(pcm[i]) > peak)
				peak = (uint16_t)abs(pcm[i]);
		}
		struct listen_frame f = listen_measure(pcm, n);

		check_int(f.power, n ? sum / n : 0);
		check_int(f.peak, peak);
	}
}

static void a_payload_is_estimated_from_its_seventh(void)
{
	static const double tones[] = {300, 1000, 1143, 8000 / 7.0, 2000, 3400};

	for (unsigned k = 0; k < sizeof(tones) / sizeof(tones[0]); k++) {
		struct part p = {.a_hz = tones[k], .dbov = -20, .ms = 1};
		double mean = 0;

		for (unsigned frame = 0; frame < 70; frame++) {
			uint8_t payload[FRAME];

			for (unsigned i = 0; i < FRAME; i++)
				payload[i] = g711_ulaw_encode(sample(&p, frame * FRAME + i));
			mean += listen_payload(payload, FRAME, g711_ulaw_linear, frame).power /
				70.0;
		}
		/* To half a decibel over 70 packets, whatever the tone. */
		check(fabs(10 * log10(mean / (32768.0 * 32768.0)) + 20) < 0.5);
	}
	check_int(listen_payload(NULL, 0, g711_ulaw_linear, 3).power, 0);
}

static void speech_and_silence_are_told_apart(void)
{
	static const struct part talk[] = {
		{.a_hz = 440, .dbov = -24, .ms = 1200}, {.ms = 3000}, {.ms = 0}};
	struct listen l = {0};

	play(NULL, &l, talk, 4, 0);
	check_int(l.heard_ms, 16800);
	check(l.speech_ms >= 5500 && l.speech_ms <= 5800);
	check(l.silence_max_ms >= 2600 && l.silence_max_ms <= 3000);
	check(listen_speech_dbov(&l) >= -26 && listen_speech_dbov(&l) <= -23);
	check(listen_noise_dbov(&l) >= -78 && listen_noise_dbov(&l) <= -62);
	check(l.clipped_ms == 0 && listen_peak_dbov(&l) < -3);
}

static void loud_noise_is_not_speech(void)
{
	struct listen l = {0};
	int16_t pcm[FRAME];

	for (unsigned frame = 0; frame < 500; frame++) {
		for (unsigned i = 0; i < FRAME; i++)
			pcm[i] = (int16_t)(noise() * 500); /* some -41 dBov, all the time */
		struct listen_frame f = listen_measure(pcm, FRAME);

		listen_take(&l, &f, FRAME_MS);
	}
	check(l.speech_ms <= 2000); /* until it was known to be noise */
	check(listen_noise_dbov(&l) >= -43 && listen_noise_dbov(&l) <= -39);
}

static void clipping_and_talk_over_are_counted(void)
{
	static const struct part loud[] = {
		{.a_hz = 300, .dbov = 2, .ms = 1000}, {.ms = 1000}, {.ms = 0}};
	struct listen l = {0};

	play(NULL, &l, loud, 1, 0);
	check(l.clipped_ms >= 980 && l.clipped_ms <= 1020);
	listen_together(&l, 20);
	check_int(l.talk_over_ms, 0); /* it is silent now */
	play(NULL, &l, loud, 1, 0);
	l.speaking = true;
	listen_together(&l, 20);
	check_int(l.talk_over_ms, 20);
	listen_pause(&l, 5000);
	check(l.silence_max_ms >= 5800 && !l.speaking);
}

/* --- tones --- */

static const struct part cn_busy[] = {
	{.a_hz = 450, .dbov = -14, .ms = 350}, {.ms = 350}, {.ms = 0}};
static const struct part cn_congestion[] = {
	{.a_hz = 450, .dbov = -14, .ms = 700}, {.ms = 700}, {.ms = 0}};
static const struct part eu_busy[] = {
	{.a_hz = 425, .dbov = -20, .ms = 500}, {.ms = 500}, {.ms = 0}};
static const struct part us_busy[] = {
	{.a_hz = 480, .b_hz = 620, .dbov = -24, .ms = 500}, {.ms = 500}, {.ms = 0}};
static const struct part us_reorder[] = {
	{.a_hz = 480, .b_hz = 620, .dbov = -24, .ms = 250}, {.ms = 250}, {.ms = 0}};
static const struct part cn_ring[] = {
	{.a_hz = 450, .dbov = -14, .ms = 1000}, {.ms = 4000}, {.ms = 0}};
static const struct part us_ring[] = {
	{.a_hz = 440, .b_hz = 480, .dbov = -22, .ms = 2000}, {.ms = 4000}, {.ms = 0}};
static const struct part uk_ring[] = {{.a_hz = 400, .b_hz = 450, .dbov = -22, .ms = 400},
				      {.ms = 200},
				      {.a_hz = 400, .b_hz = 450, .dbov = -22, .ms = 400},
				      {.ms = 2000},
				      {.ms = 0}};
static const struct part sit[] = {{.a_hz = 950, .dbov = -17, .ms = 330},
				  {.a_hz = 1400, .dbov = -17, .ms = 330},
				  {.a_hz = 1800, .dbov = -17, .ms = 330},
				  {.ms = 1000},
				  {.ms = 0}};
static const struct part us_sit[] = {{.a_hz = 913.8, .dbov = -24, .ms = 274},
				     {.a_hz = 1428.5, .dbov = -24, .ms = 380},
				     {.a_hz = 1776.7, .dbov = -24, .ms = 380},
				     {.ms = 1000},
				     {.ms = 0}};
static const struct part cng[] = {{.a_hz = 1100, .dbov = -20, .ms = 500}, {.ms = 3000}, {.ms = 0}};
static const struct part ced[] = {{.a_hz = 2100, .dbov = -20, .ms = 3000}, {.ms = 500}, {.ms = 0}};
static const struct part speech[] = {{.dbov = -22, .ms = 12000}, {.ms = 0}};
static const struct part quiet[] = {{.ms = 8000}, {.ms = 0}};
static const struct part key[] = {
	{.a_hz = 697, .b_hz = 1209, .dbov = -18, .ms = 200}, {.ms = 200}, {.ms = 0}};
static const struct part dial[] = {{.a_hz = 450, .dbov = -14, .ms = 10000}, {.ms = 0}};
static const struct part ring_then_busy_needs_more[] = {{.a_hz = 450, .dbov = -14, .ms = 350},
							{.ms = 350},
							{.a_hz = 450, .dbov = -14, .ms = 350},
							{.ms = 300},
							{.ms = 0}};

static void rhythms_are_named(void)
{
	static const struct {
		const struct part *part;
		unsigned times;
		unsigned kinds;
	} rows[] = {
		{cn_busy, 6, 1 << LISTEN_TONE_BUSY},
		{cn_congestion, 5, 1 << LISTEN_TONE_BUSY},
		{eu_busy, 6, 1 << LISTEN_TONE_BUSY},
		{us_busy, 6, 1 << LISTEN_TONE_BUSY},
		{us_reorder, 8, 1 << LISTEN_TONE_BUSY},
		{cn_ring, 2, 1 << LISTEN_TONE_RINGBACK},
		{us_ring, 2, 1 << LISTEN_TONE_RINGBACK},
		{uk_ring, 3, 1 << LISTEN_TONE_RINGBACK},
		{sit, 1, 1 << LISTEN_TONE_SIT},
		{us_sit, 1, 1 << LISTEN_TONE_SIT},
		{cng, 2, 1 << LISTEN_TONE_CNG},
		{ced, 1, 1 << LISTEN_TONE_CED},
		{speech, 1, 0},
		{quiet, 1, 0},
		{key, 20, 0},
		{dial, 1, 0},
		{ring_then_busy_needs_more, 1, 0},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned shift = 0; shift < FRAME; shift += 97) {
			struct listen_tone t = {0};
			unsigned kinds = 0;

			play(&t, NULL, rows[i].part, rows[i].times, shift);
			for (unsigned k = 0; k < LISTEN_TONE_KINDS; k++)
				kinds |= (unsigned)(t.count[k] > 0) << k;
			if (kinds != rows[i].kinds)
				printf("row %u shift %u: kinds %x, expected %x\n", i, shift, kinds,
				       rows[i].kinds);
			check_int(kinds, rows[i].kinds);
		}
	}
}

static void each_ring_is_counted_once(void)
{
	struct listen_tone t = {0};

	play(&t, NULL, cn_ring, 5, 30);
	check_int(t.count[LISTEN_TONE_RINGBACK], 5);
	check(t.first_ms[LISTEN_TONE_RINGBACK] >= 2400 && t.first_ms[LISTEN_TONE_RINGBACK] <= 2700);
}

static void who_answered_is_guessed(void)
{
	static const struct part hello[] = {
		{.ms = 500}, {.dbov = -22, .ms = 700}, {.ms = 2000}, {.ms = 0}};
	static const struct part greeting[] = {
		{.ms = 300}, {.dbov = -22, .ms = 6000}, {.ms = 2000}, {.ms = 0}};
	static const struct part beep[] = {{.dbov = -22, .ms = 1500},
					   {.ms = 300},
					   {.a_hz = 1000, .dbov = -16, .ms = 400},
					   {.ms = 1500},
					   {.ms = 0}};
	static const struct part nobody[] = {{.ms = 9000}, {.ms = 0}};
	static const struct {
		const struct part *part;
		enum listen_answer answer;
		bool beep;
		unsigned greeting_min, greeting_max;
	} rows[] = {
		{hello, LISTEN_ANSWER_PERSON, false, 500, 900},
		{greeting, LISTEN_ANSWER_MACHINE, false, 5700, 6300},
		{beep, LISTEN_ANSWER_MACHINE, true, 1200, 1700},
		{nobody, LISTEN_ANSWER_UNKNOWN, false, 0, 0},
		{cn_ring, LISTEN_ANSWER_UNKNOWN, false, 0, 0},
		{cn_busy, LISTEN_ANSWER_UNKNOWN, false, 0, 0},
		{us_ring, LISTEN_ANSWER_UNKNOWN, false, 0, 0},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct listen_tone t = {0};

		play(&t, NULL, rows[i].part, rows[i].part == cn_busy ? 10 : 1, 0);
		if (t.answer != rows[i].answer || t.beep != rows[i].beep)
			printf("row %u: %s, beep %d, greeting %u ms\n", i,
			       listen_answer_name((enum listen_answer)t.answer), t.beep,
			       t.greeting_ms);
		check_int(t.answer, rows[i].answer);
		check_int(t.beep, rows[i].beep);
		check(t.greeting_ms >= rows[i].greeting_min &&
		      t.greeting_ms <= rows[i].greeting_max);
	}
}

/* Any samples whatever: no name out of range, no time lost. */
static void any_bytes_are_taken(void)
{
	struct listen_tone t = {0};
	struct listen l = {0};

	for (unsigned frame = 0; frame < 3000; frame++) {
		int16_t pcm[FRAME];
		uint16_t hz = 0;

		for (unsigned i = 0; i < FRAME; i++)
			pcm[i] = frame % 3 == 0   ? (int16_t)(noise() * 32767)
				 : frame % 3 == 1 ? INT16_MIN
						  : (int16_t)(i % 2 ? 32767 : -32768);
		check(listen_tone_frame(pcm, FRAME, RATE, &hz) <= LISTEN_FRAME_SOUND && hz < 4000);
		listen_tone_take(&t, pcm, FRAME, RATE, FRAME_MS);
		struct listen_frame f = listen_measure(pcm, FRAME);

		listen_take(&l, &f, FRAME_MS);
	}
	check_int(t.at_ms, 60000);
	check_int(l.heard_ms, 60000);
	check(l.speech_ms + l.silence_ms <= 60000 && l.talk_over_ms == 0);
}

static const struct check_case cases[] = {
	CHECK_CASE(power_is_the_mean_square),
	CHECK_CASE(a_payload_is_estimated_from_its_seventh),
	CHECK_CASE(speech_and_silence_are_told_apart),
	CHECK_CASE(loud_noise_is_not_speech),
	CHECK_CASE(clipping_and_talk_over_are_counted),
	CHECK_CASE(rhythms_are_named),
	CHECK_CASE(each_ring_is_counted_once),
	CHECK_CASE(who_answered_is_guessed),
	CHECK_CASE(any_bytes_are_taken),
};
CHECK_MAIN(cases)
