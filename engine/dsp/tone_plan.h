/* Tones of the telephone networks, by country and name; and any other, from its cadence.
 *
 * A cadence is written as exchanges' engineers (and Asterisk's indications) write it:
 *
 *   480+620/500,0/500      both frequencies for half a second, silence for half a second
 *   425*25/1000,0/4000     425 Hz, its level moved up and down 25 times a second
 *   350+440                without end
 *
 * Parts are separated by commas: up to TONE_TONES_MAX frequencies (Hz, 20 to 3800, 0 alone is silence), then
 * after a slash the milliseconds (1 to 60000). One frequency is sent at -10 dBm0, of several each at -13.
 * Each part begins at phase 0, so that a period is the same each time.
 *
 * Thread: any; pure. Source of the plan: ITU-T E.180 supplement 2, GB/T 3380 for cn; SIT: E.180, 4.8.
 */
#ifndef DSP_TONE_PLAN_H
#define DSP_TONE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TONE_TONES_MAX = 4,
	TONE_PARTS_MAX = 16,
	TONE_PERIOD_MAX_MS = 120000,
	TONE_ENDLESS_MS =
		1000, /* what an endless part lasts in tone_render(): whole cycles of any Hz */
};

struct tone_part {
	uint8_t tones;  /* 0: silence */
	bool modulated; /* hz[1] moves the level of hz[0] */
	uint16_t hz[TONE_TONES_MAX];
	uint32_t ms;
};

struct tone_cadence {
	uint8_t parts;
	struct tone_part part[TONE_PARTS_MAX];
};

/* Read a cadence. Returns 0, or -EINVAL with a sentence in `why`. */
int tone_parse(struct tone_cadence *c, const char *text, char *why, size_t why_size);

/* Samples at 8 kHz of as many whole periods as make whole frames of `frame` samples. */
uint32_t tone_samples(const struct tone_cadence *c, uint32_t frame);

/* The first `n` samples. */
void tone_render(const struct tone_cadence *c, int16_t *pcm, uint32_t n);

/* The cadence of `name` in `country` (two letters as in ISO 3166, or "uk"), or NULL: unknown country or no
 * such tone. Names: tone_plan_name(). "reorder" is congestion, "info" is sit. */
const char *tone_plan_find(const char *country, const char *name);

/* Country codes and names of tones by number; NULL after the last. */
const char *tone_plan_country(unsigned i);
const char *tone_plan_name(unsigned i);

#endif
