/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtp_source.h"

#include "check.h"

/* A packet every 20 ms whose timestamp and arrival agree. */
static enum rtp_source_heard hear(struct rtp_source *s, uint32_t ssrc, uint16_t seq)
{
	struct rtp_view v = {.ssrc = ssrc, .seq = seq, .ts = seq * 160U};

	return rtp_source_update(s, &v, seq * 160U + 77, true);
}

struct row {
	uint16_t seq;
	enum rtp_source_heard heard;
};

struct story {
	const char *what;
	uint32_t expected, lost, duplicates, reordered;
	struct row row[8];
	unsigned rows;
};

#define NEW      RTP_SOURCE_NEW
#define NEXT     RTP_SOURCE_NEXT
#define BACK     RTP_SOURCE_REORDERED
#define DUP      RTP_SOURCE_DUPLICATE
#define FAR_AWAY RTP_SOURCE_FAR

/* clang-format off */
static const struct story stories[] = {
	{"in order",                3, 0, 0, 0, {{1, NEW}, {2, NEXT}, {3, NEXT}}, 3},
	{"one lost",                3, 1, 0, 0, {{1, NEW}, {3, NEXT}}, 2},
	{"one swapped",             3, 0, 0, 1, {{1, NEW}, {3, NEXT}, {2, BACK}}, 3},
	{"first two swapped",       3, 0, 0, 1, {{2, NEW}, {1, BACK}, {3, NEXT}}, 3},
	{"newest twice",            2, 0, 1, 0, {{1, NEW}, {2, NEXT}, {2, DUP}}, 3},
	{"older twice",             3, 0, 1, 0, {{1, NEW}, {2, NEXT}, {3, NEXT}, {2, DUP}}, 4},
	{"swapped one twice",       3, 0, 1, 1, {{1, NEW}, {3, NEXT}, {2, BACK}, {2, DUP}}, 4},
	{"over the wrap",           4, 0, 0, 0, {{0xfffe, NEW}, {0xffff, NEXT}, {0, NEXT}, {1, NEXT}}, 4},
	{"swapped over the wrap",   4, 0, 0, 1, {{0xfffe, NEW}, {0, NEXT}, {0xffff, BACK}, {1, NEXT}}, 4},
	{"first swapped at zero",   2, 0, 0, 1, {{0, NEW}, {0xffff, BACK}}, 2},
	{"63 back is remembered",  65, 62, 0, 1, {{1, NEW}, {65, NEXT}, {2, BACK}}, 3},
	{"64 back is not",         66, 64, 1, 0, {{1, NEW}, {66, NEXT}, {2, DUP}}, 3},
	{"64 ahead, nothing seen", 65, 62, 0, 1, {{1, NEW}, {65, NEXT}, {64, BACK}}, 3},
	{"the very first twice",    1, 0, 1, 0, {{1, NEW}, {1, DUP}}, 2},
	{"63 back was seen",       64, 62, 1, 0, {{1, NEW}, {64, NEXT}, {1, DUP}}, 3},
	{"99 back is too old",      1, 0, 1, 0, {{200, NEW}, {101, DUP}}, 2},
	{"100 back is a jump",      1, 0, 0, 0, {{200, NEW}, {100, FAR_AWAY}}, 2},
	{"3,000 ahead is a jump",   1, 0, 0, 0, {{1, NEW}, {3001, FAR_AWAY}}, 2},
	{"a stray far ahead",       2, 0, 0, 0, {{1, NEW}, {9000, FAR_AWAY}, {2, NEXT}}, 3},
	{"a stray does not stay",   3, 0, 0, 0, {{1, NEW}, {9000, FAR_AWAY}, {2, NEXT}, {9001, FAR_AWAY}, {3, NEXT}}, 5},
	{"a restart is confirmed",  4, 0, 0, 0, {{1, NEW}, {2, NEXT}, {9000, FAR_AWAY}, {9001, NEW}, {9002, NEXT}}, 5},
	{"a restart behind",        3, 0, 0, 0, {{5000, NEW}, {100, FAR_AWAY}, {101, NEW}, {102, NEXT}}, 4},
	{"2,999 ahead is a loss", 3000, 2998, 0, 0, {{1, NEW}, {3000, NEXT}}, 2},
};
/* clang-format on */

static void sequences_are_counted_as_rfc3550_says(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *st = &stories[i];
		struct rtp_source s;

		rtp_source_init(&s);
		for (unsigned j = 0; j < st->rows; j++) {
			enum rtp_source_heard heard = hear(&s, 7, st->row[j].seq);

			if (heard != st->row[j].heard)
				printf("story: %s, row %u\n", st->what, j);
			check_int(heard, st->row[j].heard);
		}
		if (rtp_source_lost(&s) != st->lost || rtp_source_expected(&s) != st->expected)
			printf("story: %s\n", st->what);
		check_int(rtp_source_expected(&s), st->expected);
		check_int(rtp_source_lost(&s), st->lost);
		check_int(s.duplicates, st->duplicates);
		check_int(s.reordered, st->reordered);
		check_int(s.jitter_q4, 0);
	}
}

static void another_ssrc_is_another_source_and_the_count_goes_on(void)
{
	struct rtp_source s = {0};
	struct rtcp_block b;

	check(hear(&s, 7, 10) == NEW);
	check(hear(&s, 7, 12) == NEXT);
	check(hear(&s, 8, 500) == NEW);
	check(hear(&s, 8, 501) == NEXT);
	check_int(rtp_source_received(&s), 4);
	check_int(rtp_source_expected(&s), 5);
	check_int(rtp_source_lost(&s), 1);
	check_int(s.runs, 2);
	check(rtp_source_report(&s, &b));
	check_int(b.ssrc, 8);
	check_int(b.lost, 0); /* the report is about the new source alone */
}

static void wraps_are_counted_into_the_report(void)
{
	struct rtp_source s = {0};
	struct rtcp_block b;

	hear(&s, 1, 0);
	for (uint32_t i = 1; i <= 200000; i++)
		check(hear(&s, 1, (uint16_t)i) == NEXT);
	check(rtp_source_report(&s, &b));
	check_int(b.seq_max, 200000);
	check_int(rtp_source_expected(&s), 200001);
	check_int(rtp_source_lost(&s), 0);
}

static void fraction_lost_is_of_the_interval(void)
{
	struct rtp_source s = {0};
	struct rtcp_block b;

	check(!rtp_source_report(&s, &b));
	for (uint16_t i = 0; i < 100; i++)
		hear(&s, 1, i);
	check(rtp_source_report(&s, &b) && b.fraction_lost == 0 && b.lost == 0);
	for (uint16_t i = 100; i < 200; i++)
		if (i % 4 != 1)
			hear(&s, 1, i);
	check(rtp_source_report(&s, &b));
	check_int(b.fraction_lost, 64); /* a quarter of 256 */
	check_int(b.lost, 25);
	for (uint16_t i = 200; i < 300; i++)
		hear(&s, 1, i);
	check(rtp_source_report(&s, &b));
	check_int(b.fraction_lost, 0);
	check_int(b.lost, 25);
	check(rtp_source_report(&s, &b) && b.fraction_lost == 0); /* nothing in between */
}

static void a_new_source_begins_its_own_interval_and_jitter(void)
{
	struct rtp_source s = {0};
	struct rtcp_block b;

	for (uint16_t i = 0; i < 100; i++) {
		struct rtp_view v = {.ssrc = 1, .seq = i, .ts = i * 160U};

		rtp_source_update(&s, &v, i * 160U + (i % 2 ? 50 : 0), true);
	}
	check(rtp_source_report(&s, &b) && b.jitter > 30);
	for (uint16_t i = 0; i < 8; i++)
		if (i != 4 && i != 5)
			hear(&s, 2, (uint16_t)(i + 500));
	check(rtp_source_report(&s, &b));
	check_int(b.fraction_lost, 64);
	check_int(b.lost, 2);
	check_int(b.jitter, 0);
}

static void lost_fits_into_24_bits(void)
{
	struct rtp_source s = {.runs = 1, .seq_max = 0x2000000, .received = 1};
	struct rtcp_block b;

	check(rtp_source_report(&s, &b));
	check_int(b.lost, 0x7fffff);
	check_int(b.fraction_lost, 255);
}

static void a_late_swap_never_makes_the_fraction_wild(void)
{
	struct rtp_source s = {0};
	struct rtcp_block b;

	hear(&s, 1, 1);
	hear(&s, 1, 3);
	check(rtp_source_report(&s, &b) && b.fraction_lost == 85 && b.lost == 1);
	hear(&s, 1, 2); /* more received than expected in this interval */
	check(rtp_source_report(&s, &b) && b.fraction_lost == 0 && b.lost == 0);
}

/* Against the sentence of A.8 in floating point. */
static void jitter_follows_the_formula(void)
{
	struct rtp_source s = {0};
	double j = 0;
	uint32_t noise = 1;
	int32_t last = 0;

	for (uint16_t i = 0; i < 2000; i++) {
		struct rtp_view v = {.ssrc = 1, .seq = i, .ts = 0xfffff000U + i * 160U};

		noise = noise * 1664525U + 1013904223U;
		int32_t late = (int32_t)(noise >> 24); /* 0..255 ticks */

		rtp_source_update(&s, &v, v.ts + (uint32_t)late, true);
		if (i > 0) {
			double d = late > last ? late - last : last - late;

			j += (d - j) / 16;
		}
		last = late;
	}
	double got = s.jitter_q4 / 16.0;

	check(got > j - 1 && got < j + 1);
	check(rtp_source_jitter_us(&s, 8000) > (j - 1) * 125 &&
	      rtp_source_jitter_us(&s, 8000) < (j + 1) * 125);
}

static void jitter_ignores_a_new_time_base_and_events(void)
{
	struct rtp_source s = {0};
	struct rtp_view v = {.ssrc = 1, .seq = 1, .ts = 1000};

	rtp_source_update(&s, &v, 0, true);
	v = (struct rtp_view){.ssrc = 1, .seq = 2, .ts = 0x80000000};
	rtp_source_update(&s, &v, 160, true); /* a jump of the timestamp */
	v = (struct rtp_view){.ssrc = 1, .seq = 3, .ts = 0x80000000 + 160};
	rtp_source_update(&s, &v, 320, true);
	v = (struct rtp_view){.ssrc = 1, .seq = 4, .ts = 0x80000000 + 160};
	rtp_source_update(&s, &v, 3000, false); /* an event: its timestamp stands still */
	v = (struct rtp_view){.ssrc = 1, .seq = 5, .ts = 0x80000000 + 480};
	rtp_source_update(&s, &v, 640, true);
	check_int(s.jitter_q4, 0);
}

static const struct check_case cases[] = {
	CHECK_CASE(sequences_are_counted_as_rfc3550_says),
	CHECK_CASE(another_ssrc_is_another_source_and_the_count_goes_on),
	CHECK_CASE(wraps_are_counted_into_the_report),
	CHECK_CASE(fraction_lost_is_of_the_interval),
	CHECK_CASE(a_new_source_begins_its_own_interval_and_jitter),
	CHECK_CASE(lost_fits_into_24_bits),
	CHECK_CASE(a_late_swap_never_makes_the_fraction_wild),
	CHECK_CASE(jitter_follows_the_formula),
	CHECK_CASE(jitter_ignores_a_new_time_base_and_events),
};
CHECK_MAIN(cases)
