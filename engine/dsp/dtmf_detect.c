/* SPDX-License-Identifier: Apache-2.0
 *
 * spandsp judges blocks of 102 samples, each by itself, and calls back inside dtmf_rx() when one changed its mind.
 * It is given whole blocks, put together from the frames, so what is said during a block is said at its end.
 *
 *   samples   |----- block -----|----- block -----|----- block -----|
 *   pieces    |--frame--|-------|---frame---|-----|
 *
 * A key is confirmed by its second block: the press began at most two blocks before the report. A
 * release is confirmed by the second block without it.
 *
 * Most blocks cannot hold a key, and dtmf_gate.h says so for a tenth of what spandsp takes. Leaving such a block
 * out changes nothing if spandsp would only have noted "none" where it has that already: when no key is held,
 * and the block before was none either. So after the gate closed it hears one block more, and as long as it
 * holds a key all of them. What is reported, and when, is the same as without the gate, to the sample.
 */
#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include "dsp/dtmf_detect.h"

#include <spandsp.h>
#include <string.h>

#include "base/must.h"
#include "dsp/dtmf_gate.h"
#include "rtp/dtmf_code.h"

enum { BLOCK_SAMPLES = DTMF_GATE_SAMPLES, CONFIRM_SAMPLES = 2 * BLOCK_SAMPLES };

struct dtmf_detect {
	uint64_t heard; /* samples since init */
	uint8_t held;   /* samples of the current block */
	uint8_t code;   /* of the key held, valid when pressed */
	bool pressed;
	bool may; /* spandsp may have found a key in the block before */

	/* Of the frame at hand, for the callback. */
	struct dtmf_detect_news *news;
	size_t n, max;

	int16_t block[BLOCK_SAMPLES]; /* its beginning, of frames past */
	dtmf_rx_state_t rx;           /* last: untouched as long as the gate is closed */
};

static void tell(struct dtmf_detect *d, bool pressed, uint8_t code, int level)
{
	uint64_t at = d->heard > CONFIRM_SAMPLES ? d->heard - CONFIRM_SAMPLES : 0;

	if (d->n == d->max)
		return;
	d->news[d->n++] = (struct dtmf_detect_news){
		.pressed = pressed,
		.code = code,
		.level_dbm0 = (int8_t)(level < INT8_MIN ? INT8_MIN
							: (level > INT8_MAX ? INT8_MAX : level)),
		.at_sample = at,
	};
}

/* spandsp: `digit` is a character when a key was confirmed, 0 when none is held any more. */
static void changed(void *arg, int digit, int level, int delay)
{
	struct dtmf_detect *d = arg;
	int code = dtmf_code_of((char)digit);

	(void)delay;
	if (d->pressed && (code < 0 || code != d->code)) {
		d->pressed = false;
		tell(d, false, d->code, 0);
	}
	if (code >= 0 && !d->pressed) {
		d->pressed = true;
		d->code = (uint8_t)code;
		tell(d, true, d->code, level);
	}
}

void dtmf_detect_prepare(void)
{
	struct dtmf_detect d;

	dtmf_detect_init(&d);
}

size_t dtmf_detect_bytes(void)
{
	return (sizeof(struct dtmf_detect) + 15) & ~(size_t)15;
}

void dtmf_detect_init(struct dtmf_detect *d)
{
	memset(d, 0, sizeof(*d));
	must(dtmf_rx_init(&d->rx, NULL, NULL) == &d->rx);
	dtmf_rx_set_realtime_callback(&d->rx, changed, d);
}

void dtmf_detect_fetch(const struct dtmf_detect *d)
{
	for (size_t at = 0; at < offsetof(struct dtmf_detect, rx); at += 64)
		__builtin_prefetch((const uint8_t *)d + at, 1);
}

static void judge(struct dtmf_detect *d, const int16_t *block)
{
	bool may = dtmf_gate_open(block);

	if (may || d->may || d->pressed)
		dtmf_rx(&d->rx, block, BLOCK_SAMPLES);
	d->may = may;
}

size_t dtmf_detect_listen(struct dtmf_detect *d, const int16_t *pcm, size_t n,
			  struct dtmf_detect_news *news, size_t max)
{
	d->news = news;
	d->n = 0;
	d->max = max;
	while (n > 0) {
		size_t left = BLOCK_SAMPLES - (size_t)d->held, piece = n < left ? n : left;

		d->heard += piece;
		if (piece == BLOCK_SAMPLES) {
			judge(d, pcm);
		} else {
			memcpy(d->block + d->held, pcm, piece * sizeof(*pcm));
			d->held = (uint8_t)(d->held + piece);
			if (d->held == BLOCK_SAMPLES) {
				judge(d, d->block);
				d->held = 0;
			}
		}
		pcm += piece;
		n -= piece;
	}
	d->news = NULL;
	return d->n;
}

bool dtmf_detect_pressed(const struct dtmf_detect *d)
{
	return d->pressed;
}
