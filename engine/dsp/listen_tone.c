/* SPDX-License-Identifier: Apache-2.0
 *
 * One sinusoid obeys x[n] + x[n-2] = c x[n-1] with c = 2 cos w, whatever its phase and level. The best c
 * in the sense of least squares gives the frequency, and how much of the signal it leaves unexplained tells
 * whether there is one sinusoid at all. Two sinusoids are looked for at the pairs of the North American and
 * the British plan only, with one Goertzel filter each.
 *
 * Rhythm is told in runs: a run of tone begins with two frames that agree and ends with one that does not,
 * so that a click neither begins nor ends anything.
 */
#include "dsp/listen_tone.h"

#include <math.h>

#define PI 3.14159265358979323846

enum {
	SILENCE_POWER = 3400, /* -55 dBov */
	RUN_SILENCE = 0,
	RUN_SOUND,
	RUN_PROGRESS, /* 400 to 450 Hz, or a pair */
	RUN_TONE,     /* any other */
	NEAR_HZ = 15,
	SOUND_MS = 60, /* shorter is the edge of a tone, or a click */
	PAUSE_MS = 1200,
	MACHINE_MS = 2500,
};

static const char *const tone_names[LISTEN_TONE_KINDS] = {"busy", "ringback", "sit", "cng", "ced"};

const char *listen_tone_name(enum listen_tone_kind kind)
{
	return kind < LISTEN_TONE_KINDS ? tone_names[kind] : "?";
}

const char *listen_answer_name(enum listen_answer answer)
{
	static const char *const names[] = {"unknown", "person", "machine"};

	return answer <= LISTEN_ANSWER_MACHINE ? names[answer] : "?";
}

/* Share of the frame's power at one frequency. */
static double share(const int16_t *pcm, size_t n, double w, double energy)
{
	double c = 2 * cos(w), s1 = 0, s2 = 0;

	for (size_t i = 0; i < n; i++) {
		double s0 = pcm[i] + c * s1 - s2;

		s2 = s1;
		s1 = s0;
	}
	return 2 * (s1 * s1 + s2 * s2 - c * s1 * s2) / ((double)n * energy);
}

/* Two frequencies, each with at least a fifth of what there is, together nearly all. */
static bool pair(const int16_t *pcm, size_t n, double rate_hz, double energy, double a_hz,
		 double b_hz)
{
	double a = share(pcm, n, 2 * PI * a_hz / rate_hz, energy);
	double b = share(pcm, n, 2 * PI * b_hz / rate_hz, energy);

	return a > 0.2 && b > 0.2 && a + b > 0.75;
}

enum listen_tone_frame listen_tone_frame(const int16_t *pcm, size_t n, uint32_t rate_hz,
					 uint16_t *hz)
{
	double energy = 0, mid = 0, cross = 0, outer = 0;

	for (size_t i = 0; i < n; i++)
		energy += (double)pcm[i] * pcm[i];
	if (n < 3 || energy < (double)SILENCE_POWER * (double)n)
		return LISTEN_FRAME_SILENCE;
	for (size_t i = 1; i + 1 < n; i++) {
		double ends = (double)pcm[i - 1] + pcm[i + 1];

		mid += (double)pcm[i] * pcm[i];
		cross += ends * pcm[i];
		outer += ends * ends;
	}

	/* What is left of the ends when c times the middle is taken off, against what there was. Near
	 * a quarter of the rate c is near 0 and the ends cancel: hold it against the middle then. */
	double c = mid > 0 ? cross / mid : 2;
	double left = outer - c * cross;

	if (fabs(c) < 2 && left < 0.02 * mid) {
		double w = acos(c / 2), f = w * rate_hz / (2 * PI);

		/* Low frequencies lie close together in c: one filter confirms. */
		if (f > 300 && f < 3000 && share(pcm, n, w, energy) > 0.85) {
			*hz = (uint16_t)lround(f);
			return LISTEN_FRAME_TONE;
		}
	}
	if (pair(pcm, n, rate_hz, energy, 480, 620))
		return LISTEN_FRAME_BUSY;
	if (pair(pcm, n, rate_hz, energy, 440, 480) || pair(pcm, n, rate_hz, energy, 400, 450))
		return LISTEN_FRAME_RING;
	return LISTEN_FRAME_SOUND;
}

static bool near(uint16_t hz, uint16_t want)
{
	return hz + NEAR_HZ >= want && hz <= want + NEAR_HZ;
}

static bool between(uint32_t v, uint32_t min, uint32_t max)
{
	return v >= min && v <= max;
}

static unsigned count(struct listen_tone *t, enum listen_tone_kind kind)
{
	if (t->count[kind] == 0)
		t->first_ms[kind] = t->at_ms;
	if (t->count[kind] < UINT16_MAX)
		t->count[kind]++;
	return 1u << kind;
}

/* A burst of progress tone ended. */
static void burst_over(struct listen_tone *t)
{
	bool like = between(t->on_ms, 150, 750) && between(t->run_ms, 150, 750) &&
		    between(t->off_ms, 150, 750);

	t->beats = (uint8_t)(like ? t->beats + (t->beats < 100) : 1);
	t->on_ms = t->run_ms;
	t->off_ms = 0;
}

/* The frequencies of a part differ by up to 40 Hz between networks (E.180). */
static bool part_like(uint16_t hz, uint16_t want)
{
	return hz + 45 >= want && hz <= want + 45;
}

/* A run of a single tone that is not of the progress band ended. */
static void tone_over(struct listen_tone *t)
{
	static const uint16_t sit_hz[3] = {950, 1400, 1800};
	bool long_enough = between(t->run_ms, 160, 560);

	if (long_enough && part_like(t->hz, sit_hz[t->sit % 3]))
		t->sit++;
	else
		t->sit = long_enough && part_like(t->hz, sit_hz[0]);
}

/* A tone after sound, of a length that a machine's signal has. */
static void beep_look(struct listen_tone *t)
{
	if (!t->greeted && t->greeting_ms < 300)
		return;
	if (!between(t->run_ms, 120, 1500) || !between(t->hz, 350, 2300) || t->sit > 0 || t->told)
		return;
	t->beep = true;
	t->answer = LISTEN_ANSWER_MACHINE;
}

static void run_over(struct listen_tone *t)
{
	if (t->now == RUN_PROGRESS)
		burst_over(t);
	else if (t->now == RUN_SILENCE)
		t->off_ms = t->run_ms;
	if (t->now == RUN_PROGRESS || (t->now == RUN_SOUND && t->run_ms >= SOUND_MS))
		t->sit = 0;
	if (t->now == RUN_TONE) {
		beep_look(t);
		tone_over(t);
	}
	/* One burst of the progress band is as good a beep as any, when nobody heard it twice. */
	if (t->now == RUN_PROGRESS && t->beats <= 1 && t->greeting_ms >= 1000)
		beep_look(t);
	if (t->now == RUN_SOUND && t->run_ms >= SOUND_MS)
		t->beats = 0;
}

/* What has gone on for long enough to be recognised while it goes on. */
static unsigned run_look(struct listen_tone *t)
{
	if (t->told)
		return 0;
	if (t->now == RUN_SILENCE && between(t->on_ms, 350, 2500) && t->run_ms >= 1500 &&
	    t->beats > 0) {
		t->told = true;
		t->beats = 0;
		return count(t, LISTEN_TONE_RINGBACK);
	}
	if (t->now == RUN_SILENCE && t->beats >= 3 && t->run_ms >= 100 && t->on_ms <= 750) {
		t->told = true;
		t->beats = 1;
		return count(t, LISTEN_TONE_BUSY);
	}
	if (t->now == RUN_SILENCE && t->sit == 3) {
		t->told = true;
		t->sit = 0;
		return count(t, LISTEN_TONE_SIT);
	}
	if (t->now == RUN_TONE && near(t->hz, 1100) && t->run_ms >= 400) {
		t->told = true;
		return count(t, LISTEN_TONE_CNG);
	}
	if (t->now == RUN_TONE && near(t->hz, 2100) && t->run_ms >= 600) {
		t->told = true;
		return count(t, LISTEN_TONE_CED);
	}
	return 0;
}

/* The first greeting: sound with pauses of less than PAUSE_MS. */
static void answer_look(struct listen_tone *t, bool sound, uint16_t ms)
{
	if (t->greeted)
		return;
	if (sound) {
		if (t->greeting_ms == 0)
			t->greeted_from_ms = t->at_ms - ms;
		t->greeting_ms = t->at_ms - t->greeted_from_ms;
		t->quiet_ms = 0;
	} else {
		t->quiet_ms += ms;
	}
	if (t->greeting_ms >= MACHINE_MS && t->answer == LISTEN_ANSWER_UNKNOWN)
		t->answer = LISTEN_ANSWER_MACHINE;
	if (t->greeting_ms < 100 || t->quiet_ms < PAUSE_MS)
		return;
	t->greeted = true;
	if (t->answer == LISTEN_ANSWER_UNKNOWN)
		t->answer = LISTEN_ANSWER_PERSON;
}

unsigned listen_tone_take(struct listen_tone *t, const int16_t *pcm, size_t n, uint32_t rate_hz,
			  uint16_t ms)
{
	uint16_t hz = 0;
	enum listen_tone_frame frame = listen_tone_frame(pcm, n, rate_hz, &hz);
	uint8_t run = RUN_SILENCE;

	if (frame == LISTEN_FRAME_BUSY || frame == LISTEN_FRAME_RING ||
	    (frame == LISTEN_FRAME_TONE && hz >= 390 && hz <= 465))
		run = RUN_PROGRESS;
	else if (frame == LISTEN_FRAME_TONE)
		run = RUN_TONE;
	else if (frame == LISTEN_FRAME_SOUND)
		run = RUN_SOUND;

	bool goes_on = run == t->now && (run != RUN_TONE || near(hz, t->hz));

	/* The frame in which a tone begins or ends is part tone, part silence, and no pure tone. */
	if (run == RUN_SOUND && (t->now == RUN_PROGRESS || t->now == RUN_TONE) && !t->edge) {
		t->edge = true;
		goes_on = true;
	} else {
		t->edge = false;
	}
	t->at_ms += ms;
	if (!goes_on) {
		run_over(t);
		t->now = run;
		t->hz = hz;
		t->run_ms = 0;
		t->told = false;
	}
	t->run_ms += ms;
	answer_look(t, t->now == RUN_SOUND && t->run_ms >= SOUND_MS, ms);
	return run_look(t);
}
