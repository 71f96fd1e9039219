/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtcp.h"

#include <stdlib.h>

#include "base/units.h"
#include "check.h"
#include "rtp/rtp.h"

static const struct rtcp_sender sender = {
	.ntp = 0x83aa7e8012345678, .ts = 0xfedcba98, .packets = 50, .octets = 8000};
static const struct rtcp_block block = {.ssrc = 0x11111111,
					.fraction_lost = 12,
					.lost = -3,
					.seq_max = 0x00021234,
					.jitter = 99,
					.lsr = 0xaabbccdd,
					.dlsr = 65536};

/* The SSRC that is heard; NULL: none yet. */
static const uint32_t *heard;

/* Parse an exact copy, so that a sanitizer sees a read past its end. */
static enum packet_fate parse(struct rtcp_news *n, const uint8_t *p, size_t len, uint32_t ours)
{
	uint8_t *copy = malloc(len + 1);

	check(copy != NULL);
	memcpy(copy + 1, p, len);
	enum packet_fate fate = rtcp_parse(n, copy + 1, len, ours, heard);
	free(copy);
	return fate;
}

static void what_is_built_is_read_back(void)
{
	for (unsigned with = 0; with < 8; with++) {
		uint8_t p[RTCP_BUILD_MAX];
		struct rtcp_out o = {.ssrc = 0x22222222,
				     .sender = with & 1 ? &sender : NULL,
				     .block = with & 2 ? &block : NULL,
				     .cname = "leg@patchbay",
				     .bye = with & 4};
		struct rtcp_news n;
		size_t len = rtcp_build(p, sizeof(p), &o);

		check(len > 0 && len % 4 == 0);
		check(rtp_is_rtcp(p, len));
		check_int(parse(&n, p, len, 0x11111111), RTP_OK);
		check(n.ssrc == 0x22222222 && n.bye == ((with & 4) != 0));
		check(n.has_sender == ((with & 1) != 0) && n.has_block == ((with & 2) != 0));
		if (n.has_sender)
			check(n.sender.ntp == sender.ntp && n.sender.ts == sender.ts &&
			      n.sender.packets == 50 && n.sender.octets == 8000);
		if (n.has_block)
			check(n.block.lost == -3 && n.block.fraction_lost == 12 &&
			      n.block.seq_max == 0x21234 && n.block.jitter == 99 &&
			      n.block.lsr == 0xaabbccdd && n.block.dlsr == 65536);
		/* About somebody else. */
		check(parse(&n, p, len, 0x33333333) == RTP_OK && !n.has_block);
		/* Too little room, by any amount, is refused; every cut is bad or a shorter
		 * compound. */
		for (size_t room = 0; room < len; room++)
			check_int(rtcp_build(p, room, &o), 0);
		rtcp_build(p, sizeof(p), &o);
		for (size_t cut = 0; cut < len; cut++)
			check(parse(&n, p, cut, 0) == FATE_RTCP_BAD || cut % 4 == 0);
	}
}

static void a_name_of_any_length_ends_on_a_word(void)
{
	char name[300];
	uint8_t p[RTCP_BUILD_MAX];

	for (size_t i = 0; i < sizeof(name) - 1; i++) {
		memset(name, 'x', i);
		name[i] = 0;
		struct rtcp_out o = {
			.ssrc = 1, .sender = &sender, .block = &block, .cname = name, .bye = true};
		size_t len = rtcp_build(p, sizeof(p), &o);
		struct rtcp_news n;

		check(len > 0 && parse(&n, p, len, 1) == RTP_OK && n.bye);
		const uint8_t *sdes = p + 28 + 24;
		size_t want = i > 255 ? 255 : i;

		check_int(sdes[1], RTCP_SDES);
		check_int(sdes[9], want);
		check(sdes[10 + want] == 0); /* the end of the list */
	}
}

struct story {
	const char *what;
	enum packet_fate fate;
	size_t len;
	uint8_t bytes[48];
};

/* clang-format off */
static const struct story stories[] = {
	{"nothing",                 FATE_RTCP_BAD, 0, {0}},
	{"half a header",           FATE_RTCP_BAD, 3, {0x80, 201, 0}},
	{"an empty RR",             RTP_OK,        8, {0x80, 201, 0, 1, 0, 0, 0, 9}},
	{"version 1",               FATE_RTCP_BAD, 8, {0x40, 201, 0, 1, 0, 0, 0, 9}},
	{"RTP, not RTCP",           FATE_RTCP_BAD, 8, {0x80, 0, 0, 1, 0, 0, 0, 9}},
	{"a type above RTCP's",     FATE_RTCP_BAD, 8, {0x80, 224, 0, 1, 0, 0, 0, 9}},
	{"longer than it is",       FATE_RTCP_BAD, 8, {0x80, 201, 0, 2, 0, 0, 0, 9}},
	{"a tail",                  FATE_RTCP_BAD, 10, {0x80, 201, 0, 1, 0, 0, 0, 9, 0x80, 201}},
	{"a block that is missing", FATE_RTCP_BAD, 8, {0x81, 201, 0, 1, 0, 0, 0, 9}},
	{"an SR without sender",    FATE_RTCP_BAD, 8, {0x80, 200, 0, 1, 0, 0, 0, 9}},
	{"an RR without SSRC",      FATE_RTCP_BAD, 4, {0x80, 201, 0, 0}},
	{"feedback alone",          RTP_OK,        12, {0x81, 206, 0, 2, 0, 0, 0, 9, 0, 0, 0, 1}},
	{"XR is stepped over",      RTP_OK,        16, {0x80, 201, 0, 1, 0, 0, 0, 9, 0x80, 207, 0, 1, 0, 0, 0, 9}},
	{"a BYE of 31 with one",    FATE_RTCP_BAD, 8, {0x9f, 203, 0, 1, 0, 0, 0, 9}},
	{"a BYE of none",           RTP_OK,        4, {0x80, 203, 0, 0}},
	{"padding at the end",      RTP_OK,        12, {0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4}},
	{"padding takes the SSRC",  FATE_RTCP_BAD, 12, {0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 8}},
	{"padding of half words",   FATE_RTCP_BAD, 12, {0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 3}},
	{"padding of none",         FATE_RTCP_BAD, 12, {0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0}},
	{"padding past the header", FATE_RTCP_BAD, 12, {0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 12}},
	{"padding not at the end",  FATE_RTCP_BAD, 20, {0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4, 0x80, 201, 0, 1, 0, 0, 0, 9}},
};
/* clang-format on */

static void hostile_compounds_are_refused(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		struct rtcp_news n = {.ssrc = 0x5a5a5a5a};
		enum packet_fate fate = parse(&n, stories[i].bytes, stories[i].len, 1);

		if (fate != stories[i].fate)
			printf("story: %s\n", stories[i].what);
		check_int(fate, stories[i].fate);
		check((n.ssrc == 0x5a5a5a5a) == (fate != RTP_OK));
	}
}

static void nothing_of_a_compound_with_a_bad_end_is_believed(void)
{
	uint8_t p[RTCP_BUILD_MAX];
	struct rtcp_out o = {.ssrc = 1, .sender = &sender, .cname = "x", .bye = true};
	size_t len = rtcp_build(p, sizeof(p), &o);
	struct rtcp_news n = {.ssrc = 0x5a5a5a5a};

	p[len - 5]++; /* the BYE's length */
	check_int(parse(&n, p, len, 1), FATE_RTCP_BAD);
	check(n.ssrc == 0x5a5a5a5a && !n.has_sender);
}

static void ntp_of_the_epoch_and_its_fractions(void)
{
	check(rtcp_ntp(0) == UINT64_C(2208988800) << 32);
	check(rtcp_ntp(PB_NS_PER_S / 2) == (UINT64_C(2208988800) << 32 | 0x80000000));
	check((uint32_t)rtcp_ntp(PB_NS_PER_S - 1) > 0xfffffff0);
	check_int(rtcp_ntp_mid(0x1122334455667788), 0x33445566);
}

/* RFC 3550, figure 2: A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 5.250 s, round trip 6.125 s. */
static void the_round_trip_of_figure_2(void)
{
	struct rtcp_block b = {.lsr = 0xb7052000, .dlsr = 0x00054000};

	check_int(rtcp_rtt_us(&b, 0xb7108000), 6125000);
}

static void a_round_trip_that_cannot_be_is_unknown(void)
{
	struct rtcp_block none = {0};
	struct rtcp_block b = {.lsr = 0x10000, .dlsr = 0x20000};

	check(rtcp_rtt_us(&none, 0x10000) == UINT32_MAX);
	check(rtcp_rtt_us(&b, 0x10000) == UINT32_MAX);              /* negative */
	check(rtcp_rtt_us(&b, 0x30000 + (61 << 16)) == UINT32_MAX); /* too long */
	check(rtcp_rtt_us(&b, 0x30000 - 60) == 0);                  /* clocks read a hair apart */
	check(rtcp_rtt_us(&b, 0x30000 + 65536 / 10) > 99900);
	b.lsr = 0xffff0000; /* over the wrap */
	check_int(rtcp_rtt_us(&b, 0x20000), 1000000);
}

static void time_since_the_last_report_fills_the_block(void)
{
	struct rtcp_block b = {0};

	rtcp_block_since(&b, 0x1122334455667788, 1500 * PB_NS_PER_MS);
	check_int(b.lsr, 0x33445566);
	check_int(b.dlsr, 65536 + 32768);
	rtcp_block_since(&b, 0, UINT64_MAX);
	check(b.dlsr == UINT32_MAX);
}

static void extended_reports_are_read_back(void)
{
	static const struct rtcp_voip voip = {.ssrc = 0x11111111,
					      .loss_rate = 3,
					      .discard_rate = 4,
					      .burst_density = 5,
					      .gap_density = 6,
					      .burst_ms = 700,
					      .gap_ms = 8000,
					      .rtt_ms = 90,
					      .system_ms = 100,
					      .signal_dbm0 = -20,
					      .noise_dbm0 = -65,
					      .rerl = RTCP_XR_UNKNOWN,
					      .gmin = 16,
					      .r_factor = 89,
					      .ext_r_factor = RTCP_XR_UNKNOWN,
					      .mos_lq = 42,
					      .mos_cq = 41,
					      .rx_config = RTCP_XR_RX_ADAPTIVE,
					      .jb_nominal_ms = 40,
					      .jb_max_ms = 80,
					      .jb_abs_max_ms = 200};
	struct rtcp_xr_out xr = {.ssrc = 5,
				 .ntp = 0x0102030405060708,
				 .dlrr_ssrc = 0x11111111,
				 .lrr = 0xabcdef01,
				 .dlrr = 65536,
				 .voip = &voip};
	struct rtcp_out o = {.ssrc = 5, .cname = "x", .xr = &xr};
	uint8_t p[RTCP_BUILD_MAX];
	struct rtcp_news n;
	size_t len = rtcp_build(p, sizeof(p), &o);

	check_int(parse(&n, p, len, 0x11111111), RTP_OK);
	check(n.xr.has_rrtr && n.xr.rrtr_ntp == 0x0102030405060708);
	check(n.xr.has_dlrr && n.xr.lrr == 0xabcdef01 && n.xr.dlrr == 65536);
	check(n.xr.has_voip && memcmp(&n.xr.voip, &voip, sizeof(voip)) == 0);
	/* About somebody else: only the reference time concerns everybody. */
	check_int(parse(&n, p, len, 0x22222222), RTP_OK);
	check(n.xr.has_rrtr && !n.xr.has_dlrr && !n.xr.has_voip);
}

/* XR of one block with a length that lies. */
static void a_block_that_passes_the_end_is_refused(void)
{
	static const struct {
		uint8_t kind, words;
		bool good;
	} rows[] = {
		{4, 2, true},  {4, 3, false}, {4, 1, false},  {5, 0, true}, {5, 2, false},
		{7, 2, false}, {99, 2, true}, {99, 3, false}, {1, 0, true},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t p[20] = {0x80, RTCP_XR, 0, 4, 0, 0, 0, 1};
		struct rtcp_news n;

		p[8] = rows[i].kind;
		p[11] = rows[i].words;
		if (rows[i].words < 2) /* what follows is a second, empty block */
			p[12 + 4 * rows[i].words] = 99,
				   p[15 + 4 * rows[i].words] = (uint8_t)(1 - rows[i].words);
		check_int(parse(&n, p, sizeof(p), 1), rows[i].good ? RTP_OK : FATE_RTCP_BAD);
	}
}

static void feedback_is_read_back_and_about_us_only(void)
{
	const struct rtcp_feedback f = {.nacks = 2,
					.pli = true,
					.fir = true,
					.fir_seq = 7,
					.nack = {{100, 0x8001}, {65535, 0}}};
	struct rtcp_out o = {.ssrc = 5, .cname = "x", .feedback = &f, .media = 77};
	uint8_t p[RTCP_BUILD_MAX];
	struct rtcp_news n;
	size_t len = rtcp_build(p, sizeof(p), &o);

	check_int(parse(&n, p, len, 77), RTP_OK);
	check(n.feedback.nacks == 2 && n.feedback.pli && n.feedback.fir && n.feedback.fir_seq == 7);
	check(n.feedback.nack[0].pid == 100 && n.feedback.nack[0].blp == 0x8001 &&
	      n.feedback.nack[1].pid == 65535);
	check_int(parse(&n, p, len, 78), RTP_OK);
	check(!rtcp_feedback_any(&n.feedback));
}

static void a_moved_request_asks_for_the_speakers_numbers(void)
{
	static const struct {
		uint16_t pid, blp, add, first;
		bool left;
		uint16_t pid_then, blp_then;
	} rows[] = {
		{100, 0x0003, 1000, 50, true, 1100, 0x0003},
		{100, 0, 0xffff, 100, true, 99, 0},
		{100, 0, 0, 101, false, 0, 0},        /* sent before */
		{100, 0x0001, 0, 101, true, 101, 0},  /* only the one after */
		{100, 0x8001, 10, 102, true, 126, 0}, /* bit 15 is 116 */
		{100, 0x0006, 0, 102, true, 102, 0x0001},
		{100, 0x8000, 0, 116, true, 116, 0},
		{100, 0xffff, 0, 117, false, 0, 0},
		{65534, 0x0007, 5, 0, true, 5, 0x0001}, /* over the wrap */
		{100, 0, 0, 100 + 0x8000, false, 0, 0}, /* as far before as after */
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtcp_feedback f = {.nacks = 1, .nack = {{rows[i].pid, rows[i].blp}}};

		rtcp_feedback_move(&f, rows[i].add, rows[i].first);
		check_int(f.nacks, rows[i].left);
		if (!rows[i].left)
			continue;
		check_int(f.nack[0].pid, rows[i].pid_then);
		check_int(f.nack[0].blp, rows[i].blp_then);
	}
}

/* A peer that changed its SSRC says goodbye to the old one and still reports for it. */
static void only_the_source_that_is_heard_counts(void)
{
	static const uint32_t now = 0x22222222, other = 0x44444444;
	struct rtcp_out o = {.ssrc = now, .sender = &sender, .cname = "x", .bye = true};
	uint8_t p[RTCP_BUILD_MAX];
	struct rtcp_news n;
	size_t len = rtcp_build(p, sizeof(p), &o);

	heard = &other;
	check(parse(&n, p, len, 1) == RTP_OK && !n.bye && !n.has_sender);
	heard = &now;
	check(parse(&n, p, len, 1) == RTP_OK && n.bye && n.has_sender);
	heard = NULL;
	check(parse(&n, p, len, 1) == RTP_OK && n.bye && n.has_sender);
}

static void intervals_are_those_of_the_rfc(void)
{
	check_int(rtcp_interval_ms(false, 0), 2052);
	check_int(rtcp_interval_ms(false, UINT32_MAX), 6156);
	check_int(rtcp_interval_ms(true, 0), 1026);
	check_int(rtcp_interval_ms(true, UINT32_MAX), 3078);
}

static const struct check_case cases[] = {
	CHECK_CASE(what_is_built_is_read_back),
	CHECK_CASE(a_name_of_any_length_ends_on_a_word),
	CHECK_CASE(hostile_compounds_are_refused),
	CHECK_CASE(nothing_of_a_compound_with_a_bad_end_is_believed),
	CHECK_CASE(ntp_of_the_epoch_and_its_fractions),
	CHECK_CASE(the_round_trip_of_figure_2),
	CHECK_CASE(a_round_trip_that_cannot_be_is_unknown),
	CHECK_CASE(time_since_the_last_report_fills_the_block),
	CHECK_CASE(extended_reports_are_read_back),
	CHECK_CASE(a_block_that_passes_the_end_is_refused),
	CHECK_CASE(feedback_is_read_back_and_about_us_only),
	CHECK_CASE(a_moved_request_asks_for_the_speakers_numbers),
	CHECK_CASE(only_the_source_that_is_heard_counts),
	CHECK_CASE(intervals_are_those_of_the_rfc),
};
CHECK_MAIN(cases)
