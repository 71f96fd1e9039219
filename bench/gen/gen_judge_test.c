/* SPDX-License-Identifier: Apache-2.0
 *
 * Stories of what came back: two telephones that hear each other, and what the judge says when the path did
 * something to their frames.
 */
#include "gen_judge.h"

#include <stdlib.h>

#include "check.h"
#include "gen_srtp.h"
#include "net/net.h"
#include "rtp/rtp.h"

enum { STREAMS = 2, ROUNDS = 20, WARM = 5, SLOTS = STREAMS * ROUNDS, DELAY_US = 100 };

#define BEGIN_NS UINT64_C(1000000000)

static struct gen_stream streams[STREAMS];
static int32_t places[STREAMS] = {0, 1};
static struct gen_script script = {.stream = streams,
				   .streams = STREAMS,
				   .per_round = STREAMS,
				   .at = places,
				   .rounds = ROUNDS,
				   .warm = WARM};
static struct gen_slot film[SLOTS];
static struct gen_heard heard[2 * SLOTS];
static uint64_t n;

static void stream_make(uint32_t i, bool secure)
{
	streams[i] = (struct gen_stream){.ip = {10, 0, 0, 1},
					 .peer_ip = {10, 0, 0, 2},
					 .port = (uint16_t)(2000 + 2 * i),
					 .peer_port = (uint16_t)(3000 + 2 * i),
					 .hears = (int32_t)(i ^ 1),
					 .talks = true,
					 .secure = secure,
					 .ssrc = 7 + i,
					 .seq = (uint16_t)(0x3ff0 + i),
					 .place = i};
	for (unsigned k = 0; k < GEN_SRTP_KEY; k++)
		streams[i].send_key[k] = (uint8_t)(k + 40 * i);
	memcpy(streams[i].hear_key, streams[i].send_key, GEN_SRTP_KEY);
}

static void srtp_begin(void)
{
	static bool begun;

	check(begun || gen_srtp_begin());
	begun = true;
}

/* The frames come back, each to the other telephone, a while later. */
static void reflect(bool secure)
{
	n = 0;
	if (secure) /* a relay that passes the same key on: each hears what the other sealed */
		for (uint32_t i = 0; i < STREAMS; i++)
			memcpy(streams[i].hear_key, streams[i ^ 1].send_key, GEN_SRTP_KEY);
	check(gen_film_make(&script, film));
	for (uint64_t k = 0; k < SLOTS; k++) {
		const struct gen_stream *to = &streams[k % STREAMS ^ 1];
		struct gen_heard *h = &heard[n++];

		film[k].sent_ns = BEGIN_NS + k * GEN_ROUND_NS / STREAMS;
		h->heard_ns = film[k].sent_ns + DELAY_US * 1000;
		h->len = (uint16_t)(film[k].len - GEN_ETH_BYTES);
		h->kept = h->len;
		memcpy(h->packet, film[k].frame + GEN_ETH_BYTES, h->len);
		memcpy(h->packet + 16, to->ip, 4);
		be16_put(h->packet + NET_IP4_BYTES + 2, to->port);
	}
}

/* What a perfect relay of plain voice gives back. */
static void relay(bool secure)
{
	srtp_begin();
	for (uint32_t i = 0; i < STREAMS; i++)
		stream_make(i, secure);
	reflect(secure);
}

/* The same with a key pressed now and then by the first. */
static void relay_keys(void)
{
	relay(false);
	streams[0].press = 17;
	streams[0].ssrc = 17 * 9; /* presses at round 0, and would at 17 */
	reflect(false);
}

static struct gen_verdict judge(void)
{
	struct gen_verdict v;

	check(gen_judge(&v, &script, film, heard, n, BEGIN_NS));
	return v;
}

static void forget(uint64_t k)
{
	memmove(&heard[k], &heard[k + 1], (n - k - 1) * sizeof(heard[0]));
	n--;
}

static void nothing_happened(void)
{
	relay(false);
	struct gen_verdict v = judge();

	check_int(v.due, STREAMS * (ROUNDS - WARM));
	check_int(v.heard, v.due);
	check_int(v.lost + v.repeated + v.reordered + v.corrupt + v.strange, 0);
	check(v.delay.p50 > DELAY_US - 1 && v.delay.max < DELAY_US + 1);
	check(v.late.max < 1 && v.window.loss_ppm == 0);
}

static void one_is_lost(void)
{
	relay(false);
	forget(SLOTS - 4);
	struct gen_verdict v = judge();

	check_int(v.lost, 1);
	check_int(v.heard, v.due - 1);
}

static void lost_before_it_counts(void)
{
	relay(false);
	forget(3);
	check_int(judge().lost, 0);
}

static void one_comes_twice(void)
{
	relay(false);
	heard[n] = heard[n - 1];
	n++;
	struct gen_verdict v = judge();

	check_int(v.repeated, 1);
	check_int(v.heard, v.due);
}

static void two_change_places(void)
{
	relay(false);
	struct gen_heard x = heard[SLOTS - 3];

	heard[SLOTS - 3] = heard[SLOTS - 5];
	heard[SLOTS - 5] = x;
	check_int(judge().reordered, 1);
}

static void a_bit_is_changed(void)
{
	relay(false);
	heard[SLOTS - 1].packet[120] ^= 1;
	struct gen_verdict v = judge();

	check_int(v.corrupt, 1);
	check_int(v.lost, 1);
}

static void most_are_kept_in_part(void)
{
	relay(false);
	for (uint64_t k = 0; k < n; k++)
		if (k % GEN_WHOLE_EVERY != 0)
			heard[k].kept = GEN_HEARD_SHORT;
	heard[SLOTS - 1].packet[GEN_HEARD_SHORT - 6] ^= 1;
	struct gen_verdict v = judge();

	check_int(v.corrupt, 1);
	check_int(v.heard, v.due - 1);
}

static void one_telephone_hears_the_wrong_one(void)
{
	relay(false);
	streams[0].hears = 0;
	check_int(judge().corrupt, ROUNDS - WARM);
}

static void one_frame_takes_its_time(void)
{
	relay(false);
	heard[SLOTS - 1].heard_ns += 5000000;
	struct gen_verdict v = judge();

	check(v.delay.max > 5000 && v.delay.p50 < DELAY_US + 1);
	check(v.jitter.max > 4999);
}

static void the_generator_is_late_itself(void)
{
	relay(false);
	film[SLOTS - 1].sent_ns += 3000000;
	heard[SLOTS - 1].heard_ns += 3000000;
	struct gen_verdict v = judge();

	check(v.late.max > 2999);
	check(v.delay.max < DELAY_US + 1);
}

static void a_tenth_of_a_second_of_bad_luck(void)
{
	relay(false);
	for (uint64_t k = SLOTS - 10; k < SLOTS; k++)
		heard[k].heard_ns += 9000000;
	struct gen_verdict v = judge();

	check(v.delay.p99 > 9000);
	check(v.window.delay_p99 < DELAY_US + 1);
}

static void sealed_and_opened(void)
{
	relay(true);
	struct gen_verdict v = judge();

	check_int(v.heard, v.due);
	check_int(v.corrupt + v.lost, 0);
}

static void sealed_and_changed(void)
{
	relay(true);
	heard[SLOTS - 2].packet[80] ^= 4;
	struct gen_verdict v = judge();

	check_int(v.corrupt, 1);
	check_int(v.lost, 1);
}

static void any_sound_with_a_gap(void)
{
	relay(false);
	streams[0].hears = streams[1].hears = -1;
	forget(SLOTS - 6);
	struct gen_verdict v = judge();

	check_int(v.lost, 1);
	check_int(v.deaf, 0);
}

static void a_deaf_telephone(void)
{
	relay(false);
	streams[0].hears = streams[1].hears = -1;
	for (uint64_t k = SLOTS; k-- > STREAMS * (WARM + 2);)
		if (k % STREAMS == 0)
			forget(k);
	check_int(judge().deaf, 1);
}

static void keys_are_heard_once(void)
{
	relay_keys();
	struct gen_verdict v = judge();

	check_int(v.keys, 1); /* the second would not end in the film: it is not made */
	check_int(v.keys_lost, 0);
	check_int(v.lost + v.corrupt, 0);
}

static void a_key_without_most_of_its_packets(void)
{
	relay_keys();
	for (uint64_t k = SLOTS; k-- > 0;)
		if (k % STREAMS == 0 && k / STREAMS < 8 && k / STREAMS != 6)
			forget(k);
	check_int(judge().keys_lost, 0);
}

static void a_key_is_lost(void)
{
	relay_keys();
	for (uint64_t k = SLOTS; k-- > 0;)
		if (k % STREAMS == 0 && k / STREAMS < 8)
			forget(k);
	check_int(judge().keys_lost, 1);
}

static void sound_without_sound(void)
{
	relay(false);
	streams[0].hears = streams[1].hears = -1;
	check_int(judge().silent, 0);
	for (uint64_t k = 1; k < n; k += STREAMS)
		memset(heard[k].packet + NET_IP4_BYTES + NET_UDP_BYTES + RTP_HEADER_LEN, 0xff,
		       GEN_PAYLOAD);
	check_int(judge().silent, 1);
}

static void any_sound_that_comes_late_for_its_number(void)
{
	relay(false);
	streams[0].hears = streams[1].hears = -1;
	heard[SLOTS - 1].heard_ns += 7000000;
	struct gen_verdict v = judge();

	check(v.delay.p50 < 1 && v.delay.max > 6999 && v.delay.max < 7001);
}

static void reports_have_slots_of_their_own(void)
{
	enum { MANY = 600, SHOTS = 250 };
	struct gen_script s = {.streams = MANY, .rounds = SHOTS, .rtcp = true};
	struct gen_slot *reel;
	unsigned reports = 0, voices = 0;

	s.stream = calloc(MANY, sizeof(*s.stream));
	check(s.stream != NULL);
	for (uint32_t i = 0; i < MANY; i++)
		s.stream[i] = (struct gen_stream){.port = (uint16_t)(2 * i), .talks = true};
	check(gen_script_shuffle(&s));
	check_int(s.per_round, MANY + 3);
	reel = calloc((size_t)SHOTS * s.per_round, sizeof(*reel));
	check(reel != NULL && gen_film_make(&s, reel));
	for (uint64_t k = 0; k < (uint64_t)SHOTS * s.per_round; k++) {
		const uint8_t *udp = reel[k].frame + GEN_ETH_BYTES + NET_IP4_BYTES;
		bool rtcp = reel[k].len > 0 && udp[NET_UDP_BYTES + 1] == 200;

		check_int(rtcp, reel[k].len > 0 && be16_get(udp) % 2 == 1);
		check(!rtcp || s.at[k % s.per_round] == GEN_NOBODY);
		check(!rtcp || s.stream[gen_reporter(&s, k)].port + 1 == be16_get(udp));
		reports += rtcp;
		voices += reel[k].len > 0 && !rtcp;
	}
	check_int(reports, MANY);
	check_int(voices, MANY * SHOTS);
	free(reel);
	gen_script_free(&s);
}

static void mail_for_nobody(void)
{
	relay(false);
	heard[n] = heard[n - 1];
	be16_put(heard[n].packet + NET_IP4_BYTES + 2, 5000);
	n++;
	check_int(judge().strange, 1);
}

static const struct check_case cases[] = {
	CHECK_CASE(nothing_happened),
	CHECK_CASE(one_is_lost),
	CHECK_CASE(lost_before_it_counts),
	CHECK_CASE(one_comes_twice),
	CHECK_CASE(two_change_places),
	CHECK_CASE(a_bit_is_changed),
	CHECK_CASE(most_are_kept_in_part),
	CHECK_CASE(one_telephone_hears_the_wrong_one),
	CHECK_CASE(one_frame_takes_its_time),
	CHECK_CASE(the_generator_is_late_itself),
	CHECK_CASE(a_tenth_of_a_second_of_bad_luck),
	CHECK_CASE(sealed_and_opened),
	CHECK_CASE(sealed_and_changed),
	CHECK_CASE(any_sound_with_a_gap),
	CHECK_CASE(a_deaf_telephone),
	CHECK_CASE(keys_are_heard_once),
	CHECK_CASE(a_key_without_most_of_its_packets),
	CHECK_CASE(a_key_is_lost),
	CHECK_CASE(sound_without_sound),
	CHECK_CASE(any_sound_that_comes_late_for_its_number),
	CHECK_CASE(reports_have_slots_of_their_own),
	CHECK_CASE(mail_for_nobody),
};
CHECK_MAIN(cases)
