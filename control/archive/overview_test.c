/* SPDX-License-Identifier: Apache-2.0
 *
 * The overview: loudness per bucket, silence and talk-over of speech that is known beforehand.
 */
#include "archive/overview.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <jansson.h>

#include "check.h"

enum { RATE = 8000 };

/* Who speaks from when to when, in ms. */
struct speech {
	int channel;
	int from_ms, to_ms;
};

struct story {
	const char *name;
	int ms;
	struct speech speech[6];
	int silences, talk_overs;
	int silent_ms, over_ms; /* expected, within 700 ms */
};

static const struct story stories[] = {
	{"nobody says anything", 10000, {{-1, 0, 0}}, 1, 0, 10000, 0},
	{"one speaks all the time", 10000, {{0, 0, 10000}, {-1, 0, 0}}, 0, 0, 0, 0},
	{"both in turns", 10000, {{0, 0, 5000}, {1, 5400, 10000}, {-1, 0, 0}}, 0, 0, 0, 0},
	{"both at once", 10000, {{0, 0, 6000}, {1, 4000, 10000}, {-1, 0, 0}}, 0, 1, 0, 2000},
	{"a word in between", 10000, {{0, 0, 10000}, {1, 4000, 4100}, {-1, 0, 0}}, 0, 0, 0, 0},
	{"a long pause", 20000, {{0, 0, 5000}, {1, 11000, 20000}, {-1, 0, 0}}, 1, 0, 6000, 0},
	{"short pauses",
	 9000,
	 {{0, 0, 3000}, {0, 4000, 6000}, {0, 7000, 9000}, {-1, 0, 0}},
	 0,
	 0,
	 0,
	 0},
};

static int16_t sample(const struct story *s, int ch, int i)
{
	for (const struct speech *p = s->speech; p->channel >= 0; p++)
		if (p->channel == ch && i >= p->from_ms * RATE / 1000 && i < p->to_ms * RATE / 1000)
			return (int16_t)(8000 * sin(i * 0.3));
	return (int16_t)(i % 7 - 3); /* a line's noise */
}

static struct overview *tell(const struct story *s, uint32_t bucket_ms)
{
	struct overview *o = overview_new(RATE, bucket_ms);
	int16_t pairs[2 * 333];
	int n = 0;

	check(o != NULL);
	for (int i = 0; i < s->ms * RATE / 1000; i++) {
		pairs[2 * n] = sample(s, 0, i);
		pairs[2 * n + 1] = sample(s, 1, i);
		if (++n == 333) {
			check_int(overview_put(o, pairs, 333), 0);
			n = 0;
		}
	}
	check_int(overview_put(o, pairs, (size_t)n), 0);
	overview_end(o);
	return o;
}

static bool near(double share, int ms, int of)
{
	return fabs(share * of - ms) <= 700;
}

static void silence_and_talk_over_are_found(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		for (uint32_t bucket = 10; bucket <= 100; bucket += 30) {
			const struct story *s = &stories[i];
			struct overview *o = tell(s, bucket);
			struct overview_sums sums;

			overview_sums(o, &sums);
			if (sums.silences != (uint32_t)s->silences ||
			    sums.talk_overs != (uint32_t)s->talk_overs)
				printf("   %s, %u ms: %u silences, %u talk-overs\n", s->name,
				       bucket, sums.silences, sums.talk_overs);
			check_int(sums.silences, s->silences);
			check_int(sums.talk_overs, s->talk_overs);
			check(near(sums.silence, s->silent_ms, s->ms));
			check(near(sums.talk_over, s->over_ms, s->ms));
			check_int(sums.duration_ms, s->ms);
			overview_free(o);
		}
}

static void the_binary_form_tells_the_same_as_the_text(void)
{
	struct overview *o = tell(&stories[3], 50);
	uint8_t *bytes;
	size_t n = overview_pack(o, &bytes);
	json_t *doc, *ch;
	char *text;

	check_int(n, OVERVIEW_HEAD_BYTES + 200 * 6 + 12);
	text = overview_json(bytes, n, 0);
	check(text != NULL);
	doc = json_loads(text, 0, NULL);
	free(text);
	ch = json_array_get(json_object_get(doc, "channels"), 1);
	check_int(json_array_size(json_object_get(ch, "rms")), 200);
	check_int(json_integer_value(json_array_get(json_object_get(ch, "max"), 10)), 0);
	check_int(json_integer_value(json_array_get(json_object_get(ch, "max"), 150)), 31);
	check_int(json_integer_value(json_array_get(json_object_get(ch, "min"), 150)), -31);
	check_int(json_integer_value(json_array_get(json_object_get(ch, "rms"), 150)), 44);
	check_int(json_array_size(json_object_get(doc, "talk_over")), 1);
	check_int(json_integer_value(json_object_get(doc, "duration_ms")), 10000);
	json_decref(doc);
	text = overview_json(bytes, n, 30);
	doc = json_loads(text, 0, NULL);
	free(text);
	ch = json_array_get(json_object_get(doc, "channels"), 0);
	check_int(json_array_size(json_object_get(ch, "min")), 29); /* 7 buckets each */
	json_decref(doc);
	for (size_t cut = 0; cut < n; cut += 5)
		check(overview_json(bytes, cut, 0) == NULL);
	bytes[0] ^= 1;
	check(overview_json(bytes, n, 0) == NULL);
	free(bytes);
	overview_free(o);
}

static void an_empty_recording_has_an_overview_too(void)
{
	struct overview *o = overview_new(RATE, 50);
	struct overview_sums sums;
	uint8_t *bytes;
	char *text;
	size_t n;

	overview_end(o);
	overview_sums(o, &sums);
	check_int(sums.duration_ms, 0);
	n = overview_pack(o, &bytes);
	text = overview_json(bytes, n, 100);
	check(text != NULL);
	free(text);
	free(bytes);
	overview_free(o);
	check(overview_new(RATE, 5) == NULL && overview_new(RATE, 101) == NULL);
	check(overview_new(0, 50) == NULL);
}

static const struct check_case cases[] = {
	CHECK_CASE(silence_and_talk_over_are_found),
	CHECK_CASE(the_binary_form_tells_the_same_as_the_text),
	CHECK_CASE(an_empty_recording_has_an_overview_too),
};
CHECK_MAIN(cases)
