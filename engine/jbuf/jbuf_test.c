/* SPDX-License-Identifier: Apache-2.0 */
#include "jbuf/jbuf.h"

#include <errno.h>
#include <stdlib.h>

#include "base/ext.h"
#include "base/units.h"
#include "check.h"

/* Handles are the sequence numbers plus one. */
static void *handle_of(uint16_t seq)
{
	return (void *)(uintptr_t)(seq + 1U);
}

static uint16_t seq_of(const void *pkt)
{
	return (uint16_t)((uintptr_t)pkt - 1U);
}

static struct jbuf *make(uint16_t slots, uint16_t min_ms, uint16_t max_ms)
{
	struct jbuf_config cfg = {
		.clock_hz = 8000, .slots = slots, .min_ms = min_ms, .max_ms = max_ms};
	struct jbuf *jb = aligned_alloc(64, (jbuf_bytes(slots) + 63) & ~(size_t)63);

	check(jb != NULL);
	check_int(jbuf_init(jb, &cfg), 0);
	return jb;
}

enum op { PUT, NOTE, GET, RESTART };

struct row {
	uint32_t ms;
	enum op op;
	uint16_t seq; /* PUT, NOTE: given; GET of a packet: expected */
	uint32_t arg; /* PUT: timestamp; GET: expected ticks */
	int expected; /* enum jbuf_put or enum jbuf_get */
};

#define KEPT     JBUF_PUT_KEPT
#define DUP      JBUF_PUT_DUP
#define LATE     JBUF_PUT_LATE
#define AWAY     JBUF_PUT_FAR
#define READY    JBUF_GET_READY
#define LOST     JBUF_GET_LOST
#define UNDERRUN JBUF_GET_UNDERRUN
#define SILENCE  JBUF_GET_SILENCE
#define DISCARD  JBUF_GET_DISCARD
#define ROWS(...)                                                                                  \
	(const struct row[]){__VA_ARGS__},                                                         \
		sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row)

/* 20 ms packets of 160 ticks, delay 40 to 100 ms, 8 slots. */
static const struct story {
	const char *what;
	const struct row *row;
	size_t rows;
	struct jbuf_counts counts;
} stories[] = {
	/* clang-format off */
	{"the first waits, the next follow at once", ROWS(
		{  0, GET, 0, 160, SILENCE},
		{  5, PUT, 1,   0, KEPT},
		{ 20, GET, 0, 160, SILENCE},
		{ 25, PUT, 2, 160, KEPT},
		{ 44, GET, 0, 160, SILENCE},
		{ 45, GET, 1, 160, READY},
		{ 46, PUT, 3, 320, KEPT},
		{ 65, GET, 2, 160, READY},
		{ 85, GET, 3, 160, READY}),
		{.played = 3}},
	{"first two swapped", ROWS(
		{  0, PUT, 2, 160, KEPT},
		{  1, PUT, 1,   0, KEPT},
		{ 19, GET, 0, 160, SILENCE},
		{ 20, GET, 1, 160, READY}, /* it has lost 21 ms on its way */
		{ 40, GET, 2, 160, READY}),
		{.played = 2, .reordered = 1}},
	{"first two swapped over the wrap", ROWS(
		{  0, PUT, 0,        160, KEPT},
		{  1, PUT, 65535,      0, KEPT},
		{ 45, GET, 65535,    160, READY},
		{ 65, GET, 0,        160, READY}),
		{.played = 2, .reordered = 1}},
	{"the start moves back only until it plays", ROWS(
		{  0, PUT, 2, 160, KEPT},
		{ 40, GET, 2, 160, READY},
		{ 41, PUT, 1,   0, LATE}),
		{.played = 1, .late = 1, .reordered = 1}},
	{"swapped in the middle", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, PUT, 3, 320, KEPT},
		{ 41, GET, 1, 160, READY},
		{ 45, PUT, 2, 160, KEPT},
		{ 61, GET, 2, 160, READY},
		{ 81, GET, 3, 160, READY}),
		{.played = 3, .reordered = 1}},
	{"one lost, known at its turn; late when it comes", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, PUT, 3, 320, KEPT},
		{ 41, GET, 1, 160, READY},
		{ 61, GET, 0, 160, LOST},
		{ 62, PUT, 2, 160, LATE},
		{ 81, GET, 3, 160, READY}),
		{.played = 2, .lost = 1, .late = 1, .void_ticks = 160, .reordered = 1}},
	{"two lost in a row", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 41, GET, 1, 160, READY},
		{ 60, PUT, 4, 480, KEPT},
		{ 61, GET, 0, 160, LOST},
		{ 81, GET, 0, 160, LOST},
		{101, GET, 4, 160, READY}),
		{.played = 2, .lost = 2, .void_ticks = 320}},
	{"a duplicate is refused", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{  1, PUT, 1,   0, DUP},
		{ 20, PUT, 2, 160, KEPT},
		{ 21, PUT, 2, 160, DUP},
		{ 40, GET, 1, 160, READY}),
		{.played = 1, .duplicate = 2}},
	{"over the wrap of sequence and timestamp", ROWS(
		{  0, PUT, 65534, 0xffffff00, KEPT},
		{ 20, PUT, 65535, 0xffffffa0, KEPT},
		{ 40, PUT, 0,           0x40, KEPT},
		{ 41, GET, 65534, 160, READY},
		{ 61, GET, 65535, 160, READY},
		{ 81, GET, 0,     160, READY}),
		{.played = 3}},
	{"a talk-spurt gap is silence, not loss; the next spurt waits again", ROWS(
		{   0, PUT, 1,     0, KEPT},
		{  40, GET, 1,   160, READY},
		{ 100, PUT, 2,  1000, KEPT}, /* 105 ms of silence between */
		{ 120, GET, 0,   160, SILENCE},
		{ 139, GET, 0,   160, SILENCE},
		{ 145, GET, 2,   160, READY}), /* +40, and 3 x 25/16 for the jitter */
		{.played = 2}},
	{"a packet that comes after an underrun plays later", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, GET, 1, 160, READY},
		{ 60, GET, 0, 160, UNDERRUN},
		{ 65, PUT, 2, 160, KEPT},
		{ 80, GET, 2, 160, READY}),
		{.played = 2, .underruns = 1, .void_ticks = 160}},
	{"an underrun pays for the packet that turns out lost", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, GET, 1, 160, READY},
		{ 60, GET, 0, 160, UNDERRUN},
		{ 65, PUT, 3, 320, KEPT},
		{ 80, GET, 3, 160, READY}),
		{.played = 2, .lost = 1, .void_ticks = 160}},
	{"an underrun pays for a part of it", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, GET, 1, 160, READY},
		{ 60, GET, 0, 160, UNDERRUN},
		{ 65, PUT, 4, 480, KEPT},
		{ 80, GET, 0, 160, LOST},
		{100, GET, 4, 160, READY}),
		{.played = 2, .lost = 2, .void_ticks = 320}},
	{"a long underrun ends the spurt", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, GET, 1, 160, READY},
		{ 60, GET, 0, 160, UNDERRUN},
		{ 80, GET, 0, 160, UNDERRUN},
		{100, GET, 0, 160, UNDERRUN},
		{120, GET, 0, 160, UNDERRUN},
		{140, GET, 0, 160, UNDERRUN},
		{160, GET, 0, 160, SILENCE},
		{165, PUT, 2, 160, KEPT},
		{180, GET, 0, 160, SILENCE}, /* slower than any line may be: its clock stood still */
		{240, GET, 2, 160, READY}),
		{.played = 2, .void_ticks = 800}},
	{"a long underrun, then a spurt whose first packet is lost", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, GET, 1, 160, READY},
		{ 60, GET, 0, 160, UNDERRUN},
		{ 80, GET, 0, 160, UNDERRUN},
		{100, GET, 0, 160, UNDERRUN},
		{120, GET, 0, 160, UNDERRUN},
		{140, GET, 0, 160, UNDERRUN},
		{160, GET, 0, 160, SILENCE},
		{165, PUT, 3, 1320, KEPT},
		{180, GET, 0, 160, SILENCE},
		{206, GET, 3, 160, READY}),
		{.played = 2, .lost = 1, .void_ticks = 800}},
	{"a lost packet was shorter than the others", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 30, PUT, 3, 240, KEPT},
		{ 40, GET, 1, 160, READY},
		{ 60, GET, 0,  80, LOST},
		{ 70, GET, 3, 160, READY}),
		{.played = 2, .lost = 1, .void_ticks = 80}},
	{"the first two of a later spurt swapped", ROWS(
		{  0, PUT, 1,    0, KEPT},
		{ 40, GET, 1,  160, READY},
		{ 41, NOTE, 2,   0, 0},
		{ 60, GET, 0,  160, SILENCE},
		{120, PUT, 4,  960, KEPT},
		{121, GET, 0,  160, SILENCE},
		{122, PUT, 3,  800, KEPT},
		{169, GET, 3,  160, READY},
		{189, GET, 4,  160, READY}),
		{.played = 3, .reordered = 1}},
	{"the start does not move back further than the ring", ROWS(
		{  0, PUT, 100, 16000, KEPT},
		{  1, PUT,  50,  8000, LATE},
		{ 63, GET,   0,   160, SILENCE},
		{ 64, GET, 100,   160, READY}),
		{.played = 1, .late = 1, .reordered = 1}},
	{"a jump forgets the events before it", ROWS(
		{  0, PUT,  1,   0, KEPT},
		{ 40, GET,  1, 160, READY},
		{ 41, NOTE, 3,   0, 0},
		{ 60, PUT, 50, 160, KEPT},
		{ 61, PUT, 51, 320, KEPT},
		{ 62, GET,  0, 160, SILENCE}, /* a new spurt, though its timestamp would follow */
		{115, GET, 50, 160, READY},
		{135, GET, 51, 160, READY}),
		{.played = 3, .lost = 48}},
	{"the timestamp jumps ahead without a gap in the sequence", ROWS(
		{  0, PUT, 1,          0, KEPT},
		{ 20, PUT, 2, 0x40000000, KEPT},
		{ 40, GET, 1,        160, READY},
		{ 60, GET, 2,        160, READY}),
		{.played = 2}},
	{"the timestamp jumps back", ROWS(
		{  0, PUT, 1, 0x40000000, KEPT},
		{ 39, PUT, 2,          0, KEPT},
		{ 40, GET, 1,        160, READY},
		{ 59, PUT, 3,        160, KEPT},
		{ 60, GET, 2,        160, READY},
		{ 80, GET, 3,        160, READY}),
		{.played = 3}},
	{"a hole before a timestamp jump back takes no time", ROWS(
		{  0, PUT, 1, 0x40000000, KEPT},
		{ 20, PUT, 3,          0, KEPT},
		{ 41, GET, 1,        160, READY},
		{ 61, GET, 3,        160, READY}),
		{.played = 2, .lost = 1}},
	{"events use numbers but are not lost", ROWS(
		{  0, PUT,  1,    0, KEPT},
		{ 20, NOTE, 2,    0, 0},
		{ 30, NOTE, 3,    0, 0},
		{ 40, GET,  1,  160, READY},
		{ 60, GET,  0,  160, SILENCE},
		{ 61, NOTE, 4,    0, 0},
		{ 80, PUT,  5, 1000, KEPT},
		{ 90, GET,  0,  160, SILENCE},
		{130, GET,  5,  160, READY},
		{131, PUT, 10, 1800, KEPT}, /* the slot of number 2 is free again */
		{132, PUT, 12, 2120, KEPT}),
		{.played = 2}},
	{"events beside the sound do not interrupt it", ROWS(
		{  0, PUT,  1,    0, KEPT},
		{ 20, PUT,  2,  160, KEPT},
		{ 20, NOTE, 3,    0, 0},
		{ 40, GET,  1,  160, READY},
		{ 41, PUT,  4,  320, KEPT},
		{ 42, NOTE, 5,    0, 0},
		{ 60, GET,  2,  160, READY},
		{ 80, GET,  4,  160, READY}, /* at once, though only 39 ms old */
		{100, GET,  0,  160, SILENCE}),
		{.played = 3}},
	{"a lost packet among events", ROWS(
		{  0, PUT,  1,    0, KEPT},
		{ 20, NOTE, 2,    0, 0},
		{ 30, NOTE, 4,    0, 0},
		{ 40, GET,  1,  160, READY},
		{ 60, PUT,  5, 1000, KEPT},
		{135, GET,  5,  160, READY}),
		{.played = 2, .lost = 1}},
	{"the first packet after an event is lost", ROWS(
		{  0, PUT,  1,    0, KEPT},
		{ 20, NOTE, 2,    0, 0},
		{ 40, GET,  1,  160, READY},
		{ 60, GET,  0,  160, SILENCE},
		{ 80, PUT,  4,  640, KEPT},
		{120, GET,  4,  160, READY}),
		{.played = 2, .lost = 1}},
	{"an event that was a packet, and a packet that was an event", ROWS(
		{  0, NOTE, 9,   0, 0}, /* nothing has started: forgotten */
		{  0, PUT,  1,   0, KEPT},
		{  1, NOTE, 1,   0, 0},
		{  2, NOTE, 2,   0, 0},
		{  3, PUT,  2, 160, DUP},
		{ 40, GET,  1, 160, READY},
		{ 41, NOTE, 1,   0, 0},
		{ 60, GET,  0, 160, SILENCE}),
		{.played = 1, .duplicate = 1}},
	{"far ahead while something is held, from anywhere when nothing is", ROWS(
		{  0, PUT,  1,    0, KEPT},
		{  1, PUT,  8, 1120, KEPT},
		{  2, PUT,  9, 1280, AWAY},
		{ 40, GET,  1,  160, READY},
		{ 41, PUT,  9, 1280, KEPT},
		{ 60, GET,  0,  160, LOST},
		{ 60, GET,  0,  160, LOST},
		{ 60, GET,  0,  160, LOST},
		{ 60, GET,  0,  160, LOST},
		{ 60, GET,  0,  160, LOST},
		{ 60, GET,  0,  160, LOST},
		{ 61, GET,  8,  160, READY},
		{ 62, GET,  9,  160, READY},
		{ 70, PUT, 50, 8000, KEPT},
		{ 71, GET,  0,  160, SILENCE},
		{170, GET, 50,  160, READY}),
		{.played = 4, .lost = 46, .far = 1, .void_ticks = 960}},
	{"a full ring plays before its time", ROWS(
		{  0, PUT, 1,    0, KEPT},
		{  1, PUT, 2,  160, KEPT},
		{  1, PUT, 3,  320, KEPT},
		{  1, PUT, 4,  480, KEPT},
		{  1, PUT, 5,  640, KEPT},
		{  1, PUT, 6,  800, KEPT},
		{  1, PUT, 7,  960, KEPT},
		{  2, GET, 0,  160, SILENCE},
		{  2, PUT, 8, 1120, KEPT},
		{  3, GET, 1,  160, READY}),
		{.played = 1}},
	{"full, though the newest number came before the last", ROWS(
		{  0, PUT, 1,    0, KEPT},
		{  1, PUT, 8, 1120, KEPT},
		{  2, PUT, 7,  960, KEPT},
		{  3, GET, 1,  160, READY}),
		{.played = 1, .reordered = 1}},
	{"full of events", ROWS(
		{  0, PUT, 1,  0, KEPT},
		{  1, NOTE, 8, 0, 0},
		{  3, GET, 1, 160, READY}),
		{.played = 1}},
	{"older than the largest delay is discarded", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 20, PUT, 2, 160, KEPT},
		{121, GET, 1, 160, DISCARD},
		{121, GET, 2, 160, READY}),
		{.played = 1, .discarded = 1}},
	{"played twice is a duplicate, not late", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, GET, 1, 160, READY},
		{ 41, PUT, 1,   0, DUP},
		{ 60, PUT, 3, 320, KEPT},
		{ 61, GET, 0, 160, LOST},
		{ 62, PUT, 1,   0, DUP},
		{ 63, PUT, 2, 160, LATE}),
		{.played = 1, .lost = 1, .late = 1, .duplicate = 2, .reordered = 1, .void_ticks = 160}},
	{"a jump forgets what was played before it", ROWS(
		{  0, PUT, 1,    0, KEPT},
		{ 40, GET, 1,  160, READY},
		{ 60, PUT, 50, 7840, KEPT},
		{170, GET, 50, 160, READY},
		{171, PUT, 49, 7680, LATE}),
		{.played = 2, .lost = 48, .late = 1, .reordered = 1}},
	{"another source", ROWS(
		{  0, PUT, 1,         0, KEPT},
		{ 40, GET, 1,       160, READY},
		{ 41, NOTE, 3,        0, 0},
		{ 41, RESTART, 0,     0, 0},
		{ 42, GET, 0,       160, SILENCE},
		{ 45, PUT, 40003,  3000, KEPT}, /* its clock says nothing about jitter */
		{ 60, GET, 0,       160, SILENCE},
		{ 85, GET, 40003,   160, READY}),
		{.played = 2}},
	/* clang-format on */
};

/* Returns whether the row went as it says. */
static bool play_row(struct jbuf *jb, const struct row *r)
{
	uint64_t now_ns = (r->ms + 1000000) * PB_NS_PER_MS;
	struct jbuf_out out = {0};
	const void *first = jbuf_peek(jb);
	int got = 0;

	switch (r->op) {
	case PUT:
		jbuf_fetch(jb);
		jbuf_fetch_slot(jb, r->seq);
		got = (int)jbuf_put(jb, handle_of(r->seq), r->seq, r->arg, 160, now_ns);
		break;
	case NOTE:
		jbuf_note(jb, r->seq);
		break;
	case RESTART:
		check(jbuf_drain(jb) == NULL);
		jbuf_restart(jb);
		break;
	case GET:
		got = (int)jbuf_get(jb, now_ns, 160, &out);
		if (got == READY || got == DISCARD) {
			if (seq_of(out.pkt) != r->seq)
				return false;
		} else if (out.pkt != NULL) {
			return false;
		}
		if (out.ticks != r->arg || (first != NULL && out.pkt != NULL && out.pkt != first))
			return false;
		break;
	}
	if (got != r->expected)
		printf("answered %d, expected %d\n", got, r->expected);
	return got == r->expected;
}

static bool counts_are(const struct jbuf_counts *got, const struct jbuf_counts *want)
{
	return got->played == want->played && got->lost == want->lost && got->late == want->late &&
	       got->duplicate == want->duplicate && got->reordered == want->reordered &&
	       got->far == want->far && got->discarded == want->discarded &&
	       got->underruns == want->underruns && got->void_ticks == want->void_ticks;
}

/* All that fail are told, then the test fails. */
static void stories_of_packets(void)
{
	unsigned failed = 0;

	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *st = &stories[i];
		struct jbuf *jb = make(8, 40, 100);
		bool good = true;

		for (size_t j = 0; j < st->rows && good; j++) {
			good = play_row(jb, &st->row[j]);
			if (!good)
				printf("story: %s, row %zu\n", st->what, j);
		}
		if (good && !counts_are(jbuf_counts(jb), &st->counts)) {
			printf("story: %s, counts (reordered %u)\n", st->what,
			       jbuf_counts(jb)->reordered);
			good = false;
		}
		failed += !good;
		free(jb);
	}
	check_int(failed, 0);
}

static void settings_out_of_range_are_refused(void)
{
	static const struct jbuf_config bad[] = {
		{0, 32, 20, 200, 0},   {8000, 4, 20, 200, 0},     {8000, 33, 20, 200, 0},
		{8000, 0, 20, 200, 0}, {8000, 32, 201, 200, 0},   {8000, 32, 20, 1001, 0},
		{8000, 2048, 0, 0, 0}, {2000000, 32, 20, 200, 0}, {8000, 32, 20, 200, 1001},
	};
	struct jbuf *jb = make(JBUF_SLOTS_MAX, 0, JBUF_DELAY_MS_MAX);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_int(jbuf_init(jb, &bad[i]), -EINVAL);
	free(jb);
}

static void everything_held_is_handed_back(void)
{
	struct jbuf *jb = make(8, 40, 100);
	unsigned n = 0;

	jbuf_put(jb, handle_of(1), 1, 0, 160, 0);
	jbuf_put(jb, handle_of(4), 4, 480, 160, 0);
	jbuf_note(jb, 5);
	jbuf_put(jb, handle_of(6), 6, 800, 160, 0);
	check_int(jbuf_held(jb), 3);
	while (jbuf_drain(jb) != NULL)
		n++;
	check_int(n, 3);
	check_int(jbuf_held(jb), 0);
	jbuf_restart(jb);
	free(jb);
}

static const struct check_case cases[] = {
	CHECK_CASE(stories_of_packets),
	CHECK_CASE(settings_out_of_range_are_refused),
	CHECK_CASE(everything_held_is_handed_back),
};
CHECK_MAIN(cases)
