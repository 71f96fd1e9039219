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
		{ 40, GET, 0, 160, SILENCE}, /* the swap counts as jitter: 3 x 21/16 ms more */
		{ 45, GET, 1, 160, READY},
		{ 65, GET, 2, 160, READY}),
		{.played = 2}},
	{"first two swapped over the wrap", ROWS(
		{  0, PUT, 0,        160, KEPT},
		{  1, PUT, 65535,      0, KEPT},
		{ 45, GET, 65535,    160, READY},
		{ 65, GET, 0,        160, READY}),
		{.played = 2}},
	{"the start moves back only until it plays", ROWS(
		{  0, PUT, 2, 160, KEPT},
		{ 40, GET, 2, 160, READY},
		{ 41, PUT, 1,   0, LATE}),
		{.played = 1, .late = 1}},
	{"swapped in the middle", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, PUT, 3, 320, KEPT},
		{ 41, GET, 1, 160, READY},
		{ 45, PUT, 2, 160, KEPT},
		{ 61, GET, 2, 160, READY},
		{ 81, GET, 3, 160, READY}),
		{.played = 3}},
	{"one lost, known at its turn; late when it comes", ROWS(
		{  0, PUT, 1,   0, KEPT},
		{ 40, PUT, 3, 320, KEPT},
		{ 41, GET, 1, 160, READY},
		{ 61, GET, 0, 160, LOST},
		{ 62, PUT, 2, 160, LATE},
		{ 81, GET, 3, 160, READY}),
		{.played = 2, .lost = 1, .late = 1, .void_ticks = 160}},
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
		{180, GET, 0, 160, SILENCE},
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
		{.played = 3}},
	{"the start does not move back further than the ring", ROWS(
		{  0, PUT, 100, 16000, KEPT},
		{  1, PUT,  50,  8000, LATE},
		{ 60, GET, 100,   160, READY}),
		{.played = 1, .late = 1}},
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
	{"a lost packet among events", ROWS(
		{  0, PUT,  1,    0, KEPT},
		{ 20, NOTE, 2,    0, 0},
		{ 30, NOTE, 4,    0, 0},
		{ 40, GET,  1,  160, READY},
		{ 60, PUT,  5, 1000, KEPT},
		{130, GET,  5,  160, READY}),
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
		{.played = 1}},
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

static void stories_of_packets(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *st = &stories[i];
		struct jbuf *jb = make(8, 40, 100);
		bool good = true;

		for (size_t j = 0; j < st->rows && good; j++) {
			good = play_row(jb, &st->row[j]);
			if (!good)
				printf("story: %s, row %zu\n", st->what, j);
		}
		struct jbuf_counts got = *jbuf_counts(jb), want = st->counts;

		free(jb);
		check(good);
		if (memcmp(&got, &want, sizeof(got)) != 0)
			printf("story: %s, counts\n", st->what);
		check_int(got.played, want.played);
		check_int(got.lost, want.lost);
		check_int(got.late, want.late);
		check_int(got.duplicate, want.duplicate);
		check_int(got.far, want.far);
		check_int(got.discarded, want.discarded);
		check_int(got.underruns, want.underruns);
		check_int(got.void_ticks, want.void_ticks);
	}
}

static void settings_out_of_range_are_refused(void)
{
	static const struct jbuf_config bad[] = {
		{0, 32, 20, 200},   {8000, 4, 20, 200},     {8000, 33, 20, 200},
		{8000, 0, 20, 200}, {8000, 32, 201, 200},   {8000, 32, 20, 1001},
		{8000, 2048, 0, 0}, {2000000, 32, 20, 200},
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

/* A sender and a network: packet i leaves at i x ptime by the sender's clock and takes
 * delay_ms[]. */
struct line {
	uint32_t ptime_ms;
	uint32_t jitter_ms; /* uniform, 0 to this */
	uint32_t loss_of_100;
	int32_t skew_ppm;           /* sender's clock is so much faster */
	uint32_t gap_every, gap_ms; /* a talk-spurt gap after each so many packets */
	uint32_t seconds;
	uint16_t min_ms, max_ms;
};

struct heard {
	struct jbuf_counts counts;
	uint32_t sent, arrived;
	uint64_t asked, silence, underrun; /* ticks */
	uint64_t wait_max_ns, wait_last_ns;
	uint32_t target_ms;
};

enum { LINE_PACKETS_MAX = 100000 };

static uint32_t dice_state;

static uint32_t dice(uint32_t n)
{
	dice_state = dice_state * 1664525U + 1013904223U;
	return (dice_state >> 8) % n;
}

static uint64_t arrivals[LINE_PACKETS_MAX];

/* Run a line against a 20 ms listener, checking what must hold of any. */
static struct heard run(const struct line *l)
{
	struct jbuf *jb = make(64, l->min_ms, l->max_ms);
	uint32_t ticks = l->ptime_ms * 8, n = l->seconds * 1000 / l->ptime_ms;
	static uint32_t stamps[LINE_PACKETS_MAX];
	static uint64_t order[LINE_PACKETS_MAX]; /* arrival (ns) << 17 | packet, sorted */
	struct heard h = {.sent = n};
	uint32_t stamp = 0xfffff000;
	int64_t at_ns = 0;
	uint32_t in_order = 0;

	for (uint32_t i = 0; i < n; i++) {
		stamps[i] = stamp;
		arrivals[i] = (uint64_t)at_ns + dice(l->jitter_ms * 1000 + 1) * PB_NS_PER_US;
		uint64_t step_ms = l->ptime_ms;

		if (l->gap_every && i % l->gap_every == l->gap_every - 1)
			step_ms += l->gap_ms;
		stamp += (uint32_t)step_ms * 8;
		at_ns += (int64_t)(step_ms * 1000000) - (int64_t)step_ms * l->skew_ppm;
		if (dice(100) < l->loss_of_100)
			continue;
		/* Insert in order of arrival. */
		uint32_t j = h.arrived++;

		for (; j > 0 && arrivals[order[j - 1]] > arrivals[i]; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}

	uint64_t last_seq = 0;
	uint32_t next = 0, fifo = 0, handed = 0;

	for (uint64_t now_ns = 3 * PB_NS_PER_MS; next < h.arrived || jbuf_held(jb) > 0;
	     now_ns += 20 * PB_NS_PER_MS) {
		for (; next < h.arrived && arrivals[order[next]] <= now_ns; next++) {
			uint32_t i = (uint32_t)order[next];

			if (jbuf_put(jb, (void *)(uintptr_t)(i + 1), (uint16_t)(i + 65000),
				     stamps[i], ticks, arrivals[i]) == KEPT)
				handed++;
		}
		h.asked += 160;
		while (fifo < 160) {
			struct jbuf_out out;
			enum jbuf_get got = jbuf_get(jb, now_ns, 160 - fifo, &out);

			if (got != DISCARD)
				fifo += out.ticks;
			h.silence += got == SILENCE ? out.ticks : 0;
			h.underrun += got == UNDERRUN ? out.ticks : 0;
			check(got == DISCARD || out.ticks > 0);
			if (got != READY && got != DISCARD)
				continue;
			uint64_t seq = (uint64_t)(uintptr_t)out.pkt;

			check(seq > last_seq); /* in order, each once */
			last_seq = seq;
			in_order++;
			check_int(out.ticks, ticks);
			h.wait_last_ns = now_ns - arrivals[seq - 1];
			if (got == READY && h.wait_last_ns > h.wait_max_ns)
				h.wait_max_ns = h.wait_last_ns;
		}
		fifo -= 160;
	}
	h.counts = *jbuf_counts(jb);
	h.target_ms = jbuf_target_ms(jb);
	check_int(in_order, handed); /* what went in came out, once */
	check_int(h.counts.played + h.counts.discarded, handed);
	check_int(h.counts.late + h.counts.far + handed, h.arrived);
	check(h.wait_max_ns <= (l->max_ms + l->ptime_ms) * PB_NS_PER_MS);
	free(jb);
	return h;
}

static void a_perfect_line_plays_everything_at_every_packet_time(void)
{
	for (uint32_t ptime = 10; ptime <= 60; ptime += 10) {
		struct line l = {.ptime_ms = ptime, .seconds = 60, .min_ms = 20, .max_ms = 200};
		struct heard h = run(&l);

		check_int(h.counts.played, h.sent);
		check(h.counts.lost == 0 && h.counts.discarded == 0 && h.counts.underruns == 0);
		/* 20 ms, and what the grid of the listener costs. */
		check(h.wait_max_ns <= (20 + 20 + ptime) * PB_NS_PER_MS);
	}
}

static void losses_are_concealed_in_their_place(void)
{
	struct line l = {
		.ptime_ms = 20, .loss_of_100 = 5, .seconds = 120, .min_ms = 40, .max_ms = 200};
	struct heard h = run(&l);
	uint32_t lost = h.sent - h.arrived;

	check_int(h.counts.played, h.arrived);
	check_int(h.counts.late, 0);
	/* The last ones may be lost without anybody knowing. */
	check(h.counts.lost <= lost && h.counts.lost + 5 >= lost);
	check(h.counts.void_ticks <= (uint64_t)lost * 160 + 3 * 160);
	check_int(h.counts.discarded, 0);
}

static void jitter_is_learnt_and_rarely_heard(void)
{
	struct line l = {
		.ptime_ms = 20, .jitter_ms = 60, .seconds = 300, .min_ms = 20, .max_ms = 200};
	struct heard h = run(&l);

	check(h.target_ms >= 60 && h.target_ms <= 120);
	check(h.counts.late + h.counts.discarded < h.sent / 100);
	check(h.underrun / 160 < h.sent / 100);
}

static void a_different_clock_neither_starves_nor_piles_up(void)
{
	for (int32_t ppm = -200; ppm <= 200; ppm += 400) {
		struct line l = {.ptime_ms = 20,
				 .skew_ppm = ppm,
				 .seconds = 600,
				 .min_ms = 20,
				 .max_ms = 200};
		struct heard h = run(&l);

		/* 600 s x 200 ppm = 120 ms = 6 packets. */
		check(h.counts.discarded + h.underrun / 160 >= 3);
		check(h.counts.discarded + h.underrun / 160 <= 8);
		check(h.counts.late == 0 && h.counts.lost == 0);
		check(h.wait_last_ns <= 65 * PB_NS_PER_MS);
	}
}

static void gaps_in_the_talk_are_neither_loss_nor_underrun_for_long(void)
{
	struct line l = {.ptime_ms = 20,
			 .gap_every = 50,
			 .gap_ms = 1500,
			 .seconds = 60,
			 .min_ms = 40,
			 .max_ms = 200};
	struct heard h = run(&l);

	check_int(h.counts.lost, 0);
	check_int(h.counts.late, 0);
	check_int(h.counts.played, h.sent);
	check_int(h.counts.underruns, 0);
	check(h.silence > 0);
}

/* Half a second of nothing, then all of it at once: the delay comes back down. */
static void a_stall_is_worked_off(void)
{
	struct jbuf *jb = make(64, 20, 400);
	uint64_t ms = 0;
	uint16_t seq = 0, stalled = 0;
	uint32_t peak = 0;
	struct jbuf_out out;

	for (unsigned tick = 0; tick < 6000; tick++, ms += 20) {
		bool stall = tick >= 100 && tick < 115;

		stalled = (uint16_t)(stall ? stalled + 1 : stalled);
		if (!stall) {
			for (; stalled > 0; stalled--, seq++)
				jbuf_put(jb, handle_of(seq), seq, seq * 160U, 160,
					 ms * PB_NS_PER_MS);
			jbuf_put(jb, handle_of(seq), seq, seq * 160U, 160, ms * PB_NS_PER_MS);
			seq++;
		}
		while (jbuf_get(jb, (ms + 5) * PB_NS_PER_MS, 160, &out) == DISCARD)
			;
		if (jbuf_delay_ms(jb) > peak)
			peak = jbuf_delay_ms(jb);
	}
	uint32_t delay = jbuf_delay_ms(jb);
	struct jbuf_counts c = *jbuf_counts(jb);
	uint16_t held = jbuf_held(jb);

	free(jb);
	check(peak > 250);
	check(delay <= 45);
	check_int(c.played + c.discarded + held, seq);
	check(c.discarded >= 10 && c.lost == 0 && c.late == 0);
}

/* A sender of 20 ms packets and its listener, who asks 19 ms after a packet could come. */
struct pair {
	struct jbuf *jb;
	uint32_t ms;
	uint16_t seq;
	uint32_t ts;
};

/* One packet time: a packet that arrives `late_ms` (0 to 19) after its time, and a question. */
static enum jbuf_get step(struct pair *p, uint32_t late_ms)
{
	struct jbuf_out out;
	enum jbuf_get got;
	uint64_t arrival_ns = (p->ms + late_ms) * PB_NS_PER_MS;
	uint64_t now_ns = (p->ms + 19) * PB_NS_PER_MS;

	jbuf_put(p->jb, handle_of(p->seq), p->seq, p->ts, 160, arrival_ns);
	p->seq++;
	p->ts += 160;
	p->ms += 20;
	do
		got = jbuf_get(p->jb, now_ns, 160, &out);
	while (got == DISCARD);
	return got;
}

/* Silence of a second: everything plays out, the next packet begins a spurt. */
static void pause(struct pair *p)
{
	struct jbuf_out out;

	for (unsigned i = 0; i < 50; i++, p->ms += 20, p->ts += 160)
		jbuf_get(p->jb, (p->ms + 19) * PB_NS_PER_MS, 160, &out);
}

static void packets_that_come_early_are_jitter_too(void)
{
	struct jbuf *jb = make(64, 20, 200);

	for (uint16_t i = 0; i < 60; i++)
		jbuf_put(jb, handle_of(i), i, i * 160U, 160, i * 10 * PB_NS_PER_MS);
	uint32_t target = jbuf_target_ms(jb);

	free(jb);
	check(target >= 48 && target <= 50); /* 20 + 3 x 10 */
}

static void a_late_packet_raises_the_target_for_four_rounds(void)
{
	struct pair p = {.jb = make(64, 20, 200)};
	uint32_t target[4];

	for (unsigned i = 0; i < 60; i++)
		step(&p, 0);
	target[0] = jbuf_target_ms(p.jb);
	check_int(jbuf_put(p.jb, handle_of(9), 9, 9 * 160, 160, p.ms * PB_NS_PER_MS), LATE);
	target[1] = jbuf_target_ms(p.jb);
	for (unsigned i = 0; i < 100; i++)
		step(&p, 0);
	check_int(jbuf_target_ms(p.jb), 30);
	for (unsigned i = 0; i < 100; i++)
		step(&p, 0);
	target[2] = jbuf_target_ms(p.jb);
	/* Never beyond the largest delay, nor for longer than that takes: 40 rounds. */
	for (unsigned i = 0; i < 100; i++)
		jbuf_put(p.jb, handle_of(9), 9, 9 * 160, 160, p.ms * PB_NS_PER_MS);
	target[3] = jbuf_target_ms(p.jb);
	for (unsigned i = 0; i < 40 * 50; i++)
		step(&p, 0);
	check_int(target[0], 20);
	check_int(target[1], 40);
	check_int(target[2], 20);
	check_int(target[3], 200);
	check_int(jbuf_target_ms(p.jb), 20);
	while (jbuf_drain(p.jb) != NULL)
		;
	free(p.jb);
}

/* The first packet was slow, so all others wait 15 ms longer than need be. */
static uint32_t discarded_after_a_slow_start(unsigned packets, uint32_t spike_ms)
{
	struct pair p = {.jb = make(64, 10, 200)};
	uint32_t discarded;

	step(&p, 15);
	for (unsigned i = 1; i < packets; i++)
		step(&p, i % 50 == 25 ? spike_ms : 0);
	discarded = jbuf_counts(p.jb)->discarded;
	check_int(jbuf_counts(p.jb)->underruns, 0);
	free(p.jb);
	return discarded;
}

static void the_delay_shrinks_when_even_the_slowest_waits_too_long(void)
{
	check_int(discarded_after_a_slow_start(90, 0), 0); /* the slow one is in the first round */
	check_int(discarded_after_a_slow_start(110, 0), 1);
	check_int(discarded_after_a_slow_start(2000, 0), 1);
	check_int(discarded_after_a_slow_start(2000, 15), 0);
}

/* Every other packet is 10 ms late: 30 ms of target above the least. After something was late
 * that reserve is left alone for ten rounds. */
static void what_was_late_makes_cautious(void)
{
	for (int was_late = 0; was_late <= 1; was_late++) {
		struct pair p = {.jb = make(64, 20, 200)};
		uint32_t before, after9, after12;

		for (unsigned i = 0; i < 150; i++)
			step(&p, i % 2 ? 10 : 0);
		if (was_late)
			check_int(
				jbuf_put(p.jb, handle_of(9), 9, 9 * 160, 160, p.ms * PB_NS_PER_MS),
				LATE);
		pause(&p);
		before = jbuf_counts(p.jb)->discarded;
		for (unsigned i = 0; i < 9 * 50; i++)
			step(&p, i % 2 ? 10 : 0);
		after9 = jbuf_counts(p.jb)->discarded;
		for (unsigned i = 0; i < 4 * 50; i++)
			step(&p, i % 2 ? 10 : 0);
		after12 = jbuf_counts(p.jb)->discarded;
		free(p.jb);
		if (was_late)
			check(after9 == before && after12 > before);
		else
			check(after9 > before && after12 == after9);
	}
}

/* A reference that is nothing but a list: any order of any operations, and what may be answered. */
struct model {
	struct {
		uint64_t seq;
		void *pkt;
	} held[2048];
	unsigned n;
	uint64_t noted[4096];
	unsigned notes;
	uint64_t passed; /* numbers below have been answered for */
	bool started;
};

static unsigned lowest(const struct model *m)
{
	unsigned at = 0;

	for (unsigned i = 1; i < m->n; i++)
		if (m->held[i].seq < m->held[at].seq)
			at = i;
	return at;
}

static void random_life(uint32_t seed)
{
	static struct model m;
	struct jbuf *jb = make(16, 30, 120);
	uint64_t now_ns = 0, seq = EXT_ORIGIN + 65500;
	uintptr_t name = 0;

	dice_state = seed;
	m.n = 0;
	m.notes = 0;
	m.passed = 0;
	m.started = false;
	for (unsigned turn = 0; turn < 3000; turn++) {
		now_ns += dice(12) * PB_NS_PER_MS;
		if (dice(3) == 0) {
			struct jbuf_out out;
			uint16_t held = jbuf_held(jb);
			enum jbuf_get got = jbuf_get(jb, now_ns, 1 + dice(200), &out);

			check_int(held, m.n);
			if (got == READY || got == DISCARD) {
				unsigned at = lowest(&m);

				check(m.n > 0 && m.held[at].pkt == out.pkt);
				check(m.held[at].seq >= m.passed);
				m.passed = m.held[at].seq + 1;
				m.held[at] = m.held[--m.n];
			} else if (got == LOST) {
				check(m.n > 0 && m.held[lowest(&m)].seq > m.passed);
				check(out.ticks > 0);
			} else if (got == UNDERRUN) {
				check(m.n == 0);
			} else {
				check(got == SILENCE && out.ticks > 0);
			}
			continue;
		}
		uint64_t s = seq + dice(6) - 3;
		void *pkt = (void *)++name;
		bool known = false;

		seq += dice(20) == 0 ? dice(40) : 1;
		for (unsigned i = 0; i < m.n; i++)
			known = known || m.held[i].seq == s;
		for (unsigned i = 0; i < m.notes; i++)
			known = known || m.noted[i] == s;
		if (dice(10) == 0) {
			jbuf_note(jb, (uint16_t)s);
			m.noted[m.notes++] = s;
			continue;
		}
		enum jbuf_put put = jbuf_put(jb, pkt, (uint16_t)s,
					     (uint32_t)(s * 160 + (dice(50) == 0 ? dice(9000) : 0)),
					     1 + dice(400), now_ns);

		check_int(jbuf_held(jb), m.n + (put == KEPT));
		check(put != DUP || known);
		if (known)
			check(put != KEPT || s < m.passed || m.notes > 0);
		if (put == KEPT) {
			check(s >= m.passed || !m.started);
			m.held[m.n].seq = s;
			m.held[m.n++].pkt = pkt;
		}
		check(put != AWAY || m.n > 0);
		m.started = true;
		if (dice(500) == 0) {
			while (m.n > 0) {
				unsigned at = lowest(&m);

				check(jbuf_drain(jb) == m.held[at].pkt);
				m.held[at] = m.held[--m.n];
			}
			check(jbuf_drain(jb) == NULL);
			jbuf_restart(jb);
			m.passed = 0;
			m.notes = 0;
			seq += dice(3000);
		}
	}
	free(jb);
}

static void any_life_agrees_with_a_list(void)
{
	for (uint32_t seed = 1; seed <= 200; seed++)
		random_life(seed);
}

static const struct check_case cases[] = {
	CHECK_CASE(stories_of_packets),
	CHECK_CASE(settings_out_of_range_are_refused),
	CHECK_CASE(everything_held_is_handed_back),
	CHECK_CASE(a_perfect_line_plays_everything_at_every_packet_time),
	CHECK_CASE(losses_are_concealed_in_their_place),
	CHECK_CASE(jitter_is_learnt_and_rarely_heard),
	CHECK_CASE(a_different_clock_neither_starves_nor_piles_up),
	CHECK_CASE(gaps_in_the_talk_are_neither_loss_nor_underrun_for_long),
	CHECK_CASE(a_stall_is_worked_off),
	CHECK_CASE(packets_that_come_early_are_jitter_too),
	CHECK_CASE(a_late_packet_raises_the_target_for_four_rounds),
	CHECK_CASE(the_delay_shrinks_when_even_the_slowest_waits_too_long),
	CHECK_CASE(what_was_late_makes_cautious),
	CHECK_CASE(any_life_agrees_with_a_list),
};
CHECK_MAIN(cases)
