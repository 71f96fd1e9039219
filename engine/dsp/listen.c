/* SPDX-License-Identifier: Apache-2.0
 *
 * Power is the mean square in 32 bits; all thresholds are compared in power, logarithms are taken only
 * when somebody asks.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "dsp/listen.h"

#include <math.h>

#include "dsp/mix.h"
enum {
	STEP = 7,             /* octets from one looked at to the next */
	SPEECH_POWER = 10737, /* 2^30 at -50 dBov */
	OVER_NOISE = 4,       /* 6 dB */
	SMOOTH_SHIFT = 2,     /* 1/4 of a frame's weight */
	WINDOW_MS = 1500,
	FULL_SCALE = 1 << 15,
};

struct listen_frame listen_measure(const int16_t *pcm, size_t n)
{
	uint16_t peak;
	uint64_t sum = mix_energy(pcm, n, &peak);

	return (struct listen_frame){n == 0 ? 0 : (uint32_t)(sum / n), peak};
}

struct listen_frame listen_payload(const uint8_t *payload, size_t len, const int16_t law[256],
				   unsigned turn)
{
	uint64_t sum = 0;
	uint32_t n = 0;
	uint16_t peak = 0;

	for (size_t at = (turn * 2654435761U >> 16) % STEP; at < len; at += STEP, n++) {
		int32_t v = law[payload[at]];
		uint16_t size = (uint16_t)(v < 0 ? -v : v);

		sum += (uint32_t)(v * v);
		peak = size > peak ? size : peak;
	}
	return (struct listen_frame){n == 0 ? 0 : (uint32_t)(sum / n), peak};
}

static void noise_take(struct listen *l, uint16_t ms)
{
	if (l->least == 0 || l->smooth < l->least)
		l->least = l->smooth > 0 ? l->smooth : 1;
	l->window_ms = (uint16_t)(l->window_ms + ms);
	if (l->window_ms < WINDOW_MS)
		return;
	l->least_before = l->least;
	l->least = 0;
	l->window_ms = 0;
}

static uint32_t noise_power(const struct listen *l)
{
	if (l->least_before == 0)
		return 0; /* the first window: not known */
	return l->least != 0 && l->least < l->least_before ? l->least : l->least_before;
}

static void silent(struct listen *l, uint16_t ms)
{
	l->silence_ms += ms;
	if (l->silence_ms > l->silence_max_ms)
		l->silence_max_ms = l->silence_ms;
}

bool listen_take(struct listen *l, const struct listen_frame *f, uint16_t ms)
{
	uint64_t noise = noise_power(l);
	bool loud = f->power > SPEECH_POWER && f->power > noise * OVER_NOISE;

	l->power = f->power;
	l->smooth = l->heard_ms == 0
			    ? f->power
			    : l->smooth - (l->smooth >> SMOOTH_SHIFT) + (f->power >> SMOOTH_SHIFT);
	l->heard_ms += ms;
	noise_take(l, ms);
	if (f->peak > l->peak)
		l->peak = f->peak;
	if (f->peak >= LISTEN_CLIP)
		l->clipped_ms += ms;
	if (loud)
		l->hang_ms = (uint16_t)(LISTEN_HANG_MS + ms);
	l->hang_ms = (uint16_t)(l->hang_ms > ms ? l->hang_ms - ms : 0);
	l->speaking = loud || l->hang_ms > 0;
	if (!l->speaking) {
		silent(l, ms);
		return false;
	}
	l->silence_ms = 0;
	l->speech_ms += ms;
	if (loud)
		l->speech_power_ms += (uint64_t)f->power * ms;
	return true;
}

void listen_pause(struct listen *l, uint16_t ms)
{
	l->heard_ms += ms;
	l->power = 0;
	l->hang_ms = 0;
	l->speaking = false;
	/* Who sends nothing while silent shows no noise either. */
	l->least = l->least_before = 0;
	l->window_ms = 0;
	silent(l, ms);
}

int16_t listen_dbov(uint64_t power)
{
	if (power == 0)
		return LISTEN_UNKNOWN_DBOV;

	double db = 10 * log10((double)power / ((double)FULL_SCALE * FULL_SCALE));

	return (int16_t)(db < LISTEN_UNKNOWN_DBOV ? LISTEN_UNKNOWN_DBOV : lround(db));
}

int16_t listen_speech_dbov(const struct listen *l)
{
	return l->speech_ms == 0 ? LISTEN_UNKNOWN_DBOV
				 : listen_dbov(l->speech_power_ms / l->speech_ms);
}

int16_t listen_noise_dbov(const struct listen *l)
{
	return listen_dbov(noise_power(l));
}

int16_t listen_peak_dbov(const struct listen *l)
{
	return listen_dbov((uint64_t)l->peak * l->peak);
}
