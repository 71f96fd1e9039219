/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/telephone_event.h"

#include <errno.h>

#include "base/units.h"
#include "check.h"

/* A row is a packet, or with `expire` the passing of time. */
struct row {
	uint32_t ms;
	uint32_t ts;
	uint16_t duration;
	uint8_t code;
	char flags[3]; /* M marker, E end, X expire */
	enum telephone_event_heard heard;
	uint32_t ticks;
};

#define BAD       TELEPHONE_EVENT_BAD
#define NOTHING   TELEPHONE_EVENT_NOTHING
#define STARTED   TELEPHONE_EVENT_STARTED
#define CONTINUES TELEPHONE_EVENT_CONTINUES
#define ENDED     TELEPHONE_EVENT_ENDED
#define WHOLE     TELEPHONE_EVENT_WHOLE
#define ROWS(...)                                                                                  \
	(const struct row[]){__VA_ARGS__},                                                         \
		sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row)

static const struct story {
	const char *what;
	const struct row *row;
	size_t rows;
} stories[] = {
	/* clang-format off */
	{"a press as it should be", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{ 20, 1000,  320, 5, "",  CONTINUES, 320},
		{ 40, 1000,  480, 5, "E", ENDED,     480},
		{ 60, 1000,  480, 5, "E", NOTHING,   480},
		{ 80, 1000,  480, 5, "E", NOTHING,   480})},
	{"the start lost", ROWS(
		{ 20, 1000,  320, 5, "",  STARTED,   320},
		{ 40, 1000,  480, 5, "E", ENDED,     480})},
	{"only an end came", ROWS(
		{ 40, 1000,  480, 5, "E", WHOLE,     480},
		{ 60, 1000,  480, 5, "E", NOTHING,   480})},
	{"an update after the end", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{ 40, 1000,  480, 5, "E", ENDED,     480},
		{ 41, 1000,  320, 5, "",  NOTHING,   480},
		{400,    0,    0, 0, "X", NOTHING,   480})},
	{"updates out of order do not shrink it", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{ 40, 1000,  480, 5, "",  CONTINUES, 480},
		{ 41, 1000,  320, 5, "",  CONTINUES, 480})},
	{"all ends lost: by time, once", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{ 20, 1000,  320, 5, "",  CONTINUES, 320},
		{219,    0,    0, 0, "X", NOTHING,   320},
		{220,    0,    0, 0, "X", ENDED,     320},
		{300,    0,    0, 0, "X", NOTHING,   320},
		{301, 1000,  480, 5, "E", NOTHING,   320})},
	{"all ends lost: by the next press", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{100, 1800,  160, 6, "M", STARTED,   160},
		{105, 1000,  480, 5, "E", NOTHING,   160},
		{140, 1800,  480, 6, "E", ENDED,     480})},
	{"the same key twice is two presses", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{ 40, 1000,  480, 5, "E", ENDED,     480},
		{100, 1800,  160, 5, "M", STARTED,   160},
		{140, 1800,  480, 5, "E", ENDED,     480})},
	{"the same key twice, marker and ends lost", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{120, 1960,  320, 5, "",  STARTED,   320})},
	{"same timestamp, another key: a sender without a clock", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{ 40, 1000,  480, 5, "E", ENDED,     480},
		{100, 1000,  160, 6, "M", STARTED,   160})},
	{"over the wrap of the timestamp", ROWS(
		{  0, 0xffffffb0, 160, 5, "M", STARTED,   160},
		{ 40, 0xffffffb0, 480, 5, "E", ENDED,     480},
		{100,       0x400, 160, 5, "M", STARTED,   160},
		{101, 0xffffffb0, 480, 5, "E", NOTHING,   160})},
	{"held for longer than a segment", ROWS(
		{   0,          0,   160, 5, "M", STARTED,   160},
		{8180,          0, 65440, 5, "",  CONTINUES, 65440},
		{8191,          0, 65535, 5, "",  CONTINUES, 65535},
		{8211,      65535,   160, 5, "",  CONTINUES, 65695},
		{8231,      65535,   320, 5, "E", ENDED,     65855},
		{8251,      65535,   320, 5, "E", NOTHING,   65855})},
	{"a long one, last update of the segment lost", ROWS(
		{   0,          0,   160, 5, "M", STARTED,   160},
		{8180,          0, 65280, 5, "",  CONTINUES, 65280},
		{8211,      65535,   160, 5, "",  CONTINUES, 65695})},
	{"the same key eight seconds after its end is no segment", ROWS(
		{   0,     0,   160, 5, "M", STARTED,   160},
		{  40,     0,   480, 5, "E", ENDED,     480},
		{8000, 64000,   320, 5, "",  STARTED,   320})},
	{"a marker begins a press wherever it stands", ROWS(
		{   0,     0,   160, 5, "M", STARTED,   160},
		{8000, 64000,   160, 5, "M", STARTED,   160})},
	{"further than a segment is a new press", ROWS(
		{   0,     0,   160, 5, "M", STARTED,   160},
		{9000, 72000,   320, 5, "",  STARTED,   320})},
	{"a sender that moves the timestamp along", ROWS(
		{  0, 1000,  160, 5, "M", STARTED,   160},
		{ 20, 1160,  320, 5, "",  CONTINUES, 320},
		{ 40, 1320,  480, 5, "",  CONTINUES, 480},
		{ 60, 1480,  640, 5, "E", ENDED,     640},
		{ 80, 1480,  640, 5, "E", NOTHING,   640},
		{100, 1640,  640, 5, "E", NOTHING,   640})},
	{"a jump far back is another time line", ROWS(
		{  0, 0x40000000, 160, 5, "M", STARTED, 160},
		{ 40, 0x40000000, 480, 5, "E", ENDED,   480},
		{100,       5000, 160, 5, "M", STARTED, 160})},
	{"a flash is passed on by its code", ROWS(
		{  0, 1000,  160, 16, "M", STARTED,  160})},
	/* clang-format on */
};

static void one_press_is_one_start(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		struct telephone_event e = {0};

		for (size_t j = 0; j < stories[i].rows; j++) {
			const struct row *r = &stories[i].row[j];
			uint8_t p[4] = {r->code, strchr(r->flags, 'E') ? 0x8a : 0x0a};
			uint64_t now_ns = (r->ms + 5000) * PB_NS_PER_MS;
			struct telephone_event_news n;

			be16_put(p + 2, r->duration);
			n = strchr(r->flags, 'X')
				    ? telephone_event_expire(&e, now_ns)
				    : telephone_event_heard(&e, p, 4, r->ts,
							    strchr(r->flags, 'M') != NULL, now_ns);
			if (n.heard != r->heard || n.duration_ticks != r->ticks)
				printf("story: %s, row %zu\n", stories[i].what, j);
			check_int(n.heard, r->heard);
			check_int(n.duration_ticks, r->ticks);
			if (n.heard >= STARTED && !strchr(r->flags, 'X'))
				check_int(n.code, r->code);
		}
	}
}

static void fewer_than_four_octets_change_nothing(void)
{
	struct telephone_event e = {0}, before;
	uint8_t p[4] = {5, 0x0a, 0, 160};

	telephone_event_heard(&e, p, 4, 1000, true, 0);
	before = e;
	for (size_t len = 0; len < 4; len++)
		check_int(telephone_event_heard(&e, p, len, 9000, true, 1).heard, BAD);
	check(memcmp(&e, &before, sizeof(e)) == 0);
	check(telephone_event_pressed(&e));
	telephone_event_reset(&e);
	check(!telephone_event_pressed(&e));
}

static void codes_and_characters_are_each_other(void)
{
	for (uint8_t c = 0; c < DTMF_CODES; c++)
		check_int(dtmf_code_of(dtmf_char_of(c)), c);
	check_int(dtmf_code_of('*'), 10);
	check_int(dtmf_code_of('#'), 11);
	check_int(dtmf_code_of('A'), 12);
	check_int(dtmf_code_of('d'), 15);
	check_int(dtmf_code_of('e'), -1);
	check_int(dtmf_code_of('\0'), -1);
	check_int(dtmf_code_of(' '), -1);
	check(dtmf_char_of(16) == '?');
}

struct sent {
	enum telephone_event_send what;
	uint32_t ts;
	uint16_t duration;
	uint8_t code;
	bool end, marker;
};

static struct sent send_one(struct telephone_event_sender *s, uint32_t now_ts)
{
	struct telephone_event_packet p;
	enum telephone_event_send what = telephone_event_send_next(s, now_ts, &p);

	if (what != TELEPHONE_EVENT_SEND_PACKET)
		return (struct sent){.what = what};
	return (struct sent){
		what, p.ts, be16_get(p.payload + 2), p.payload[0], p.payload[1] >> 7, p.marker};
}

static void a_row_of_two_digits_packet_by_packet(void)
{
	/* clang-format off */
	static const struct sent want[] = {
		{TELEPHONE_EVENT_SEND_PACKET,  100,  160, 1, false, true},
		{TELEPHONE_EVENT_SEND_PACKET,  100,  320, 1, false, false},
		{TELEPHONE_EVENT_SEND_PACKET,  100,  480, 1, true,  false},
		{TELEPHONE_EVENT_SEND_PACKET,  100,  480, 1, true,  false},
		{TELEPHONE_EVENT_SEND_PACKET,  100,  480, 1, true,  false},
		{TELEPHONE_EVENT_SEND_GAP, 0, 0, 0, false, false},
		{TELEPHONE_EVENT_SEND_GAP, 0, 0, 0, false, false},
		{TELEPHONE_EVENT_SEND_PACKET, 1220,  160, 11, false, true},
		{TELEPHONE_EVENT_SEND_PACKET, 1220,  320, 11, false, false},
		{TELEPHONE_EVENT_SEND_PACKET, 1220,  480, 11, true,  false},
		{TELEPHONE_EVENT_SEND_PACKET, 1220,  480, 11, true,  false},
		{TELEPHONE_EVENT_SEND_PACKET, 1220,  480, 11, true,  false},
		{TELEPHONE_EVENT_SEND_DONE, 0, 0, 0, false, false},
	};
	/* clang-format on */
	struct telephone_event_sender s;
	uint8_t codes[] = {1, 11};

	check_int(telephone_event_send_start(&s, codes, 2, 60, 80, 8000, 20), 0);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct sent got = send_one(&s, 100 + (uint32_t)i * 160);

		check_int(got.what, want[i].what);
		check_int(got.ts, want[i].ts);
		check_int(got.duration, want[i].duration);
		check_int(got.code, want[i].code);
		check_int(got.end, want[i].end);
		check_int(got.marker, want[i].marker);
	}
}

/* Whatever the times, what we send is heard as exactly the digits, even with packets missing. */
static void what_is_sent_is_heard_once_each(void)
{
	static const uint32_t times_ms[] = {0, 1, 20, 50, 60, 100, 9000};
	uint8_t codes[TELEPHONE_EVENT_DIGITS_MAX];

	for (size_t i = 0; i < sizeof(codes); i++)
		codes[i] = (uint8_t)(i / 2 % 16); /* each key twice */
	for (size_t d = 0; d < 7; d++) {
		for (uint32_t ptime = 10; ptime <= 60; ptime += 10) {
			struct telephone_event_sender s;
			struct telephone_event e = {0};
			struct telephone_event_packet p;
			enum telephone_event_send what;
			uint32_t ts = 0xfffff000;
			uint64_t now_ns = 0;
			size_t heard = 0, n = 0;

			check_int(telephone_event_send_start(&s, codes, sizeof(codes), times_ms[d],
							     times_ms[6 - d] % 1000, 8000, ptime),
				  0);
			while ((what = telephone_event_send_next(&s, ts, &p)) !=
			       TELEPHONE_EVENT_SEND_DONE) {
				/* Every third packet is lost. */
				if (what == TELEPHONE_EVENT_SEND_PACKET && n++ % 3 != 2) {
					struct telephone_event_news got = telephone_event_heard(
						&e, p.payload, 4, p.ts, p.marker, now_ns);

					if (got.heard == STARTED || got.heard == WHOLE) {
						check(heard < sizeof(codes));
						check_int(got.code, codes[heard]);
						heard++;
					}
				}
				ts += ptime * 8;
				now_ns += ptime * PB_NS_PER_MS;
			}
			check_int(heard, sizeof(codes));
		}
	}
}

static void nonsense_is_not_sent(void)
{
	struct telephone_event_sender s = {0};
	uint8_t codes[TELEPHONE_EVENT_DIGITS_MAX + 1] = {0}, bad = 16;
	struct telephone_event_packet p;

	check_int(telephone_event_send_start(&s, codes, 0, 100, 60, 8000, 20), -EINVAL);
	check_int(telephone_event_send_start(&s, codes, sizeof(codes), 100, 60, 8000, 20), -EINVAL);
	check_int(telephone_event_send_start(&s, &bad, 1, 100, 60, 8000, 20), -EINVAL);
	check_int(telephone_event_send_start(&s, codes, 1, 100, 60, 8000, 0), -EINVAL);
	check_int(telephone_event_send_start(&s, codes, 1, 100, 60, 0, 20), -EINVAL);
	check_int(telephone_event_send_next(&s, 0, &p), TELEPHONE_EVENT_SEND_DONE);
	check_int(telephone_event_send_start(&s, codes, 1, UINT32_MAX, UINT32_MAX, 48000, 60), 0);
	check_int(s.length_ticks, 0xffff);
	check_int(telephone_event_send_start(&s, codes, 1, 50, 90, 8000, 20), 0);
	check_int(s.length_ticks, 480);
	check_int(s.gap_ticks, 800);
}

static const struct check_case cases[] = {
	CHECK_CASE(one_press_is_one_start),
	CHECK_CASE(fewer_than_four_octets_change_nothing),
	CHECK_CASE(codes_and_characters_are_each_other),
	CHECK_CASE(a_row_of_two_digits_packet_by_packet),
	CHECK_CASE(what_is_sent_is_heard_once_each),
	CHECK_CASE(nonsense_is_not_sent),
};
CHECK_MAIN(cases)
