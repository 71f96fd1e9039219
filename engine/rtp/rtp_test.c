/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtp.h"

#include <stdlib.h>

#include "check.h"

struct story {
	const char *what;
	enum packet_fate fate;
	uint16_t at, payload;
	size_t len;
	uint8_t bytes[40];
};

/* clang-format off */
#define FIXED(b0) b0, 0x80, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef
static const struct story stories[] = {
	{"plain",                      RTP_OK,           12, 2, 14, {FIXED(0x80), 1, 2}},
	{"nothing at all",             FATE_RTP_SHORT,    0, 0,  0, {0}},
	{"one byte short of a header", FATE_RTP_SHORT,    0, 0, 11, {FIXED(0x80)}},
	{"header only",                FATE_RTP_EMPTY,    0, 0, 12, {FIXED(0x80)}},
	{"version 1",                  FATE_RTP_VERSION,  0, 0, 14, {FIXED(0x40), 1, 2}},
	{"version 3",                  FATE_RTP_VERSION,  0, 0, 14, {FIXED(0xc0), 1, 2}},
	{"two sources",                RTP_OK,           20, 1, 21, {FIXED(0x82), 0,0,0,1, 0,0,0,2, 9}},
	{"sources pass the end",       FATE_RTP_SHORT,    0, 0, 19, {FIXED(0x82), 0,0,0,1, 0,0,0}},
	{"extension of one word",      RTP_OK,           20, 1, 21, {FIXED(0x90), 0xbe,0xde,0,1, 5,6,7,8, 9}},
	{"extension of no words",      RTP_OK,           16, 1, 17, {FIXED(0x90), 0xbe,0xde,0,0, 9}},
	{"half an extension header",   FATE_RTP_SHORT,    0, 0, 14, {FIXED(0x90), 0xbe,0xde}},
	{"extension passes the end",   FATE_RTP_SHORT,    0, 0, 19, {FIXED(0x90), 0xbe,0xde,0,1, 5,6,7}},
	{"extension of 65,535 words",  FATE_RTP_SHORT,    0, 0, 20, {FIXED(0x90), 0xbe,0xde,0xff,0xff, 5,6,7,8}},
	{"extension fills it",         FATE_RTP_EMPTY,    0, 0, 20, {FIXED(0x90), 0xbe,0xde,0,1, 5,6,7,8}},
	{"padding of two",             RTP_OK,           12, 2, 16, {FIXED(0xa0), 1, 2, 0, 2}},
	{"padding of none",            FATE_RTP_PADDING,  0, 0, 16, {FIXED(0xa0), 1, 2, 0, 0}},
	{"padding is all there is",    FATE_RTP_EMPTY,    0, 0, 16, {FIXED(0xa0), 0, 0, 0, 4}},
	{"padding reaches the header", FATE_RTP_PADDING,  0, 0, 16, {FIXED(0xa0), 0, 0, 0, 5}},
	{"padding of an empty packet", FATE_RTP_PADDING,  0, 0, 12, {FIXED(0xa0)}},
	{"all three",                  RTP_OK,           24, 1, 27, {FIXED(0xb1), 0,0,0,1, 0,0,0,1, 5,6,7,8, 9, 0,2}},
};
/* clang-format on */

static void headers_are_read_or_refused_by_name(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *s = &stories[i];
		struct rtp_view v = {.payload_at = 0xaaaa};
		/* Exactly as long as it says, so that a sanitizer sees a read past the end. */
		uint8_t *p = malloc(s->len + 1);

		check(p != NULL);
		memcpy(p + 1, s->bytes, s->len);
		enum packet_fate fate = rtp_parse(&v, p + 1, s->len);
		free(p);
		if (fate != s->fate)
			printf("story: %s\n", s->what);
		check_int(fate, s->fate);
		check_int(v.payload_at, fate == RTP_OK ? s->at : 0xaaaa);
		if (fate != RTP_OK)
			continue;
		check_int(v.payload_len, s->payload);
		check(v.marker && v.pt == 0 && v.seq == 0x1234 && v.ts == 160);
		check(v.ssrc == 0xdeadbeef);
	}
}

static void what_is_built_is_read_back(void)
{
	uint8_t p[RTP_HEADER_LEN + 1];
	struct rtp_view v;

	memset(p, 0xff, sizeof(p));
	rtp_build(p, 101, false, 0xfffe, 0xfffffff0, 0x01020304);
	check(rtp_parse(&v, p, sizeof(p)) == RTP_OK);
	check(v.pt == 101 && !v.marker && v.seq == 0xfffe && v.ts == 0xfffffff0);
	check(v.ssrc == 0x01020304 && v.payload_at == 12 && v.payload_len == 1);
	rtp_build(p, 0xff, true, 0, 0, 0);
	check(p[1] == 0xff);
}

static void a_jumbo_longer_than_its_offsets_is_refused(void)
{
	uint8_t *p = calloc(1, 65536);
	struct rtp_view v;

	check(p != NULL);
	p[0] = 0x80;
	enum packet_fate longer = rtp_parse(&v, p, 65536), longest = rtp_parse(&v, p, 65535);
	free(p);
	check(longer == FATE_RTP_SHORT && longest == RTP_OK);
}

static void rtcp_is_told_from_rtp_by_its_second_byte(void)
{
	for (unsigned b = 0; b < 256; b++) {
		uint8_t p[2] = {0x80, (uint8_t)b};

		check(rtp_is_rtcp(p, 2) == (b >= 192 && b <= 223));
		check(!rtp_is_rtcp(p, 1));
	}
}

static void ticks_do_not_drift_or_overflow(void)
{
	uint64_t year_ns = UINT64_C(365) * 86400 * PB_NS_PER_S;

	check(rtp_ticks(PB_NS_PER_S, 8000) == 8000);
	check(rtp_ticks(20 * PB_NS_PER_MS, 8000) == 160);
	check(rtp_ticks(year_ns + 20 * PB_NS_PER_MS, 8000) - rtp_ticks(year_ns, 8000) == 160);
	check(rtp_ticks(year_ns + 20 * PB_NS_PER_MS, 48000) - rtp_ticks(year_ns, 48000) == 960);
	check(rtp_ticks(124999, 8000) == 0 && rtp_ticks(125000, 8000) == 1);
}

static const struct check_case cases[] = {
	CHECK_CASE(headers_are_read_or_refused_by_name),
	CHECK_CASE(what_is_built_is_read_back),
	CHECK_CASE(a_jumbo_longer_than_its_offsets_is_refused),
	CHECK_CASE(rtcp_is_told_from_rtp_by_its_second_byte),
	CHECK_CASE(ticks_do_not_drift_or_overflow),
};
CHECK_MAIN(cases)
