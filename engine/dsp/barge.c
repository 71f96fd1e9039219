/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/barge.h"

#include <string.h>

enum {
	SILENCE_DBOV = -127,
	NOISE_MIN_DBOV = -65,
	NOISE_MAX_DBOV = -30,
	NOISE_RISE_Q4 = 1,
	NOT_LOUD = 1,
};

/* What is heard first is taken for noise: speech has gaps that soon show how little it is. */
static void begin(struct barge *b, int heard_dbov)
{
	memset(b->played, SILENCE_DBOV, sizeof(b->played));
	memset(b->heard, NOT_LOUD, sizeof(b->heard));
	b->noise_q4 = (int16_t)((heard_dbov < NOISE_MAX_DBOV ? heard_dbov : NOISE_MAX_DBOV) * 16);
	b->begun = true;
}

/* The floor of what is heard: follows downwards at once, upwards by 3 dB a second. */
static void noise(struct barge *b, int heard_dbov)
{
	int q4 = heard_dbov * 16;

	if (q4 < b->noise_q4)
		b->noise_q4 = (int16_t)(q4 > NOISE_MIN_DBOV * 16 ? q4 : NOISE_MIN_DBOV * 16);
	else if (b->noise_q4 < NOISE_MAX_DBOV * 16)
		b->noise_q4 = (int16_t)(b->noise_q4 + NOISE_RISE_Q4);
}

/* The loudest that the prompt has been while it may still echo. */
static int echo_of(struct barge *b, int played_dbov)
{
	int loudest = SILENCE_DBOV;

	b->played[b->played_at] = (int8_t)played_dbov;
	b->played_at = (uint8_t)((b->played_at + 1) % BARGE_ECHO_FRAMES);
	for (unsigned i = 0; i < BARGE_ECHO_FRAMES; i++)
		loudest = b->played[i] > loudest ? b->played[i] : loudest;
	return loudest;
}

static bool is_speech(const struct barge *b)
{
	unsigned n = 0;
	int high = SILENCE_DBOV, low = 0;

	for (unsigned i = 0; i < BARGE_WINDOW; i++) {
		int level = b->heard[i];

		if (level == NOT_LOUD)
			continue;
		n++;
		high = level > high ? level : high;
		low = level < low ? level : low;
	}
	return n >= BARGE_LOUD_FRAMES && high - low >= BARGE_SPREAD_DB;
}

bool barge_frame(struct barge *b, int heard_dbov, int played_dbov)
{
	if (!b->begun)
		begin(b, heard_dbov);

	bool is_loud = heard_dbov > echo_of(b, played_dbov) - BARGE_ECHO_LOSS_DB &&
		       heard_dbov > BARGE_LOUD_DBOV &&
		       heard_dbov * 16 > b->noise_q4 + BARGE_OVER_NOISE_DB * 16;

	noise(b, heard_dbov);
	b->heard[b->heard_at] = (int8_t)(is_loud ? heard_dbov : NOT_LOUD);
	b->heard_at = (uint8_t)((b->heard_at + 1) % BARGE_WINDOW);
	return is_speech(b);
}
