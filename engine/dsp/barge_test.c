/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/barge.h"

#include "check.h"

/* Levels for so many frames; `wave` dB up and down, as syllables go. */
struct span {
	unsigned frames;
	int heard, wave, played;
};

static const struct story {
	const char *what;
	struct span span[4];
	int heard_after; /* frames until speech is found; -1: never */
} stories[] = {
	{"speech over a prompt", {{50, -70, 2, -20}, {50, -22, 8, -20}}, 50 + 9},
	{"speech after the prompt was quiet", {{50, -70, 2, -60}, {50, -30, 8, -60}}, 50 + 9},
	{"quiet speech", {{50, -70, 2, -60}, {50, -36, 6, -60}}, 50 + 9},
	{"nobody speaks", {{500, -70, 3, -20}}, -1},
	{"nothing comes at all", {{500, -127, 0, -20}}, -1},
	{"the prompt's echo, 15 dB weaker", {{500, -33, 8, -20}}, -1},
	{"an echo that outlives the prompt by a quarter of a second",
	 {{100, -34, 6, -20}, {12, -34, 6, -127}, {100, -70, 2, -127}},
	 -1},
	{"a click", {{50, -70, 2, -20}, {2, -10, 3, -20}, {100, -70, 2, -20}}, -1},
	{"a cough of 140 ms", {{50, -70, 2, -20}, {7, -15, 8, -20}, {100, -70, 2, -20}}, -1},
	{"a fan from the beginning", {{500, -32, 1, -60}}, -1},
	{"a fan that is switched on", {{50, -70, 2, -60}, {500, -32, 1, -60}}, -1},
	{"speech over the fan", {{200, -38, 1, -60}, {100, -20, 8, -60}}, 200 + 9},
	{"a caller who speaks already", {{100, -25, 30, -60}}, 30},
};

static void stories_of_callers(void)
{
	unsigned failed = 0;

	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *st = &stories[i];
		struct barge b = {0};
		int at = 0, found = -1;

		for (unsigned k = 0; k < 4; k++) {
			const struct span *s = &st->span[k];

			for (unsigned f = 0; f < s->frames; f++, at++) {
				int heard =
					s->heard + (int)((f * 7) % 11) * s->wave / 10 - s->wave / 2;

				if (barge_frame(&b, heard < -127 ? -127 : heard, s->played) &&
				    found < 0)
					found = at + 1;
			}
		}
		/* Once it is found, a syllable earlier or later does not matter. */
		bool good = st->heard_after < 0 ? found < 0
						: found >= st->heard_after - 30 &&
							  found <= st->heard_after + 10 &&
							  found >= BARGE_LOUD_FRAMES;

		if (!good)
			printf("%s: found after %d, expected %d\n", st->what, found,
			       st->heard_after);
		failed += !good;
	}
	check_int(failed, 0);
}

static const struct check_case cases[] = {CHECK_CASE(stories_of_callers)};
CHECK_MAIN(cases)
