/* SPDX-License-Identifier: Apache-2.0
 *
 * Encrypted legs among whole workers. The phones speak SRTP by libsrtp2, the engine by its bursts: what
 * one seals the other must open.
 */
#include <stdlib.h>

#include "base/units.h"
#include "path/path_world.h"
#include "rtp/rtcp.h"
#include "srtp/srtp.h"

static struct world w;
static struct srtp *phones; /* place = the peer's number */

static uint32_t number(const struct world_peer *p)
{
	return (uint32_t)(p - w.peer);
}

static struct srtp_key key_of(uint32_t n, uint8_t change)
{
	struct srtp_key k = {.suite = SRTP_CM128_SHA80};

	if (n % 2 == 1)
		k.suite = SRTP_GCM256;
	for (unsigned i = 0; i < SRTP_MASTER_MAX; i++)
		k.master[i] = (uint8_t)(i * 5 + n * 16 + change);
	return k;
}

static void world_begin(void)
{
	world_open(&w, 1, 1, NULL);
	phones = aligned_alloc(64, (srtp_unit_bytes(WORLD_PEERS_MAX) + 63) & ~(size_t)63);
	check(phones != NULL);
	check_int(srtp_unit_init(phones, WORLD_PEERS_MAX, SRTP_WAY_LIBRARY), 0);
}

static void world_end(void)
{
	srtp_unit_fini(phones);
	free(phones);
	world_close(&w);
}

/* Keys for a leg (NULL: plain) and, the other way round, for its phone. */
static void keys_set(struct world_peer *p, uint8_t change)
{
	struct srtp_keys k = {.receive = key_of(number(p), change),
			      .send = key_of(number(p), (uint8_t)(change + 100))};
	struct srtp_keys turned = {.receive = k.send, .send = k.receive};
	struct worker_command c = {.kind = COMMAND_LEG_SET, .leg = p->leg, .srtp = &k};

	c.leg_open.set = LEG_SET_SRTP;
	check_int(world_do(&w, 0, &c), 0);
	check_int(srtp_keys_set(phones, number(p), &turned), 0);
}

/* A phone's next packet, sealed, into `out`. */
static uint16_t sealed(struct world_peer *p, uint8_t *out, uint8_t fill)
{
	struct srtp_row row = {.data = out, .leg = number(p), .len = 172};

	rtp_build(out, 0, false, p->seq, p->ts, p->ssrc);
	memset(out + 12, fill, 160);
	p->seq++;
	p->ts += 160;
	srtp_rtp_seal(phones, &row, 1);
	check_int(row.verdict, SRTP_OK);
	return row.len;
}

static void say(struct world_peer *p, uint8_t fill)
{
	uint8_t out[256];
	uint16_t len = sealed(p, out, fill);

	world_send(&w, p, p->port, p->leg_port, out, len);
	world_turn(&w);
}

/* The `i`-th packet that a phone got, opened by its key: 160 octets, all `fill`. */
static bool heard(const struct world_peer *p, unsigned i, uint8_t fill)
{
	const struct world_packet *g = &p->got[i];
	uint8_t in[WORLD_PAYLOAD_MAX + 12];
	struct srtp_row row = {.data = in, .leg = number(p), .len = (uint16_t)(g->len + 12)};

	check(i < p->got_n);
	rtp_build(in, g->pt, g->marker, g->seq, g->ts, g->ssrc);
	memcpy(in + 12, g->payload, g->len);
	check(memmem(in, row.len, (uint8_t[4]){fill, fill, fill, fill}, 4) == NULL);
	srtp_rtp_open(phones, &row, 1);
	return row.verdict == SRTP_OK && row.len == 172 && in[12] == fill && in[171] == fill;
}

static void bridged_both_encrypted(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);

	world_bridge(&w, call, a, b);
	keys_set(a, 1);
	keys_set(b, 2);
	for (unsigned i = 0; i < 40; i++) { /* past the wrap of a's numbers */
		say(a, (uint8_t)(0x30 + i));
		say(b, (uint8_t)(0x80 + i));
	}
	check_int(a->got_n, 40);
	check_int(b->got_n, 40);
	for (unsigned i = 0; i < 40; i++) {
		check_int(b->got[i].len, 176);
		check_int(a->got[i].len, 170);
		check(heard(b, i, (uint8_t)(0x30 + i)));
		check(heard(a, i, (uint8_t)(0x80 + i)));
	}
	check_int(world_stat(&w, a)->srtp_suite, SRTP_CM128_SHA80);
	check_int(world_stat(&w, b)->srtp_suite, SRTP_GCM256);
	check_int(w.reply.stats.srtp_auth_failed, 0);
	check_int(world_fate(&w, FATE_RELAYED), 80);
	world_end();
}

static void bridged_to_a_plain_leg(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	uint8_t plain[160];

	world_bridge(&w, call, a, b);
	keys_set(a, 1);
	say(a, 0x41);
	memset(plain, 0x42, sizeof(plain));
	world_rtp(&w, b, 0, false, plain, sizeof(plain));
	world_turn(&w);
	check_int(b->got_n, 1);
	check_int(b->got[0].len, 160);
	check(b->got[0].payload[0] == 0x41 && b->got[0].payload[159] == 0x41);
	check_int(a->got_n, 1);
	check(heard(a, 0, 0x42));
	check_int(world_stat(&w, b)->srtp_suite, SRTP_NO_SUITE);
	world_end();
}

static void what_is_not_sealed_with_the_key_is_refused_by_name(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	uint8_t plain[160] = {0}, out[256], copy[256];
	uint16_t len;

	world_bridge(&w, call, a, b);
	keys_set(a, 1);
	world_rtp(&w, a, 0, false, plain, sizeof(plain));
	world_turn(&w);
	check_int(world_fate(&w, FATE_SRTP_AUTH), 1);
	len = sealed(a, out, 0x41);
	memcpy(copy, out, len);
	copy[60] ^= 1;
	world_send(&w, a, a->port, a->leg_port, copy, len);
	world_send(&w, a, a->port, a->leg_port, out, len);
	world_send(&w, a, a->port, a->leg_port, out, len);
	world_turn(&w);
	check_int(world_fate(&w, FATE_SRTP_AUTH), 2);
	check_int(world_fate(&w, FATE_SRTP_REPLAY), 1);
	check_int(b->got_n, 1);
	/* From elsewhere: refused by its address once the leg knows its peer. */
	len = sealed(a, out, 0x42);
	world_send(&w, a, (uint16_t)(a->port + 40), a->leg_port, out, len);
	world_turn(&w);
	check_int(world_fate(&w, FATE_STRANGER), 1);
	check_int(world_stat(&w, a)->srtp_auth_failed, 2);
	check_int(w.reply.stats.srtp_replayed, 1);
	world_end();
}

/* A forger cannot take the latch: the first packet that is believed is one with the key. */
static void a_latch_waits_for_the_key(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	uint8_t plain[172], out[256];
	uint16_t len;

	world_bridge(&w, call, a, b);
	keys_set(a, 1);
	memset(plain, 0, sizeof(plain));
	rtp_build(plain, 0, false, 1, 1, 1);
	world_send(&w, a, 7777, a->leg_port, plain, sizeof(plain));
	world_turn(&w);
	check_int(world_count(&w, EVENT_LEG_MEDIA), 0);
	len = sealed(a, out, 0x41);
	world_send(&w, a, 8888, a->leg_port, out, len);
	world_turn(&w);
	check_int(world_count(&w, EVENT_LEG_MEDIA), 1);
	check_int(world_find(&w, EVENT_LEG_MEDIA)->source.port, 8888);
	check_int(b->got_n, 1);
	world_end();
}

static void new_keys_in_mid_call_lose_nothing(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	uint8_t flying[256];
	uint16_t len;

	world_bridge(&w, call, a, b);
	keys_set(a, 1);
	keys_set(b, 2);
	for (unsigned i = 0; i < 10; i++)
		say(a, 0x41);
	len = sealed(a, flying, 0x42);
	keys_set(a, 30);
	world_send(&w, a, a->port, a->leg_port, flying, len);
	for (unsigned i = 0; i < 10; i++)
		say(a, 0x43);
	check_int(b->got_n, 21);
	check(heard(b, 9, 0x41) && heard(b, 10, 0x42) && heard(b, 20, 0x43));
	check_int(world_fate(&w, FATE_SRTP_AUTH), 0);
	world_end();
}

/* Opened on the way in, mixed, sealed on the way out, in the turn of its tick. */
static void three_in_a_room(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *p[3];
	struct worker_command c = {.kind = COMMAND_CALL_HEAR, .hear.whole = true};

	for (uint32_t i = 0; i < 3; i++) {
		p[i] = world_peer(&w, 0, call, i);
		keys_set(p[i], (uint8_t)(i + 1));
	}
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < 3; k++)
			if (i != k)
				world_hears(&c, p[i], p[k], 0);
	check_int(world_hear(&w, 0, call, &c), 0);
	for (unsigned i = 0; i < 30; i++) {
		say(p[0], 0x20);
		say(p[1], 0xff);
		world_run(&w, 20);
	}
	check(p[2]->got_n >= 25);
	check(heard(p[2], 20, 0x20)); /* the one with silence beside it: itself */
	check(heard(p[1], 20, 0x20));
	world_end();
}

static void reports_are_sealed_to_the_last(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct rtcp_out o = {.ssrc = a->ssrc, .cname = "phone"};
	struct rtcp_news n;
	uint8_t out[RTCP_BUILD_MAX + SRTP_RTCP_TRAILER_MAX];
	uint16_t len;

	world_bridge(&w, call, a, b);
	keys_set(a, 1);
	for (unsigned i = 0; i < 5; i++)
		say(a, 0x41);
	/* A plain one is refused, a sealed one is taken. */
	len = (uint16_t)rtcp_build(out, RTCP_BUILD_MAX, &o);
	world_send(&w, a, (uint16_t)(a->port + 1), (uint16_t)(a->leg_port + 1), out, len);
	world_turn(&w);
	check_int(world_fate(&w, FATE_SRTP_AUTH), 1);
	check_int(srtp_rtcp_seal(phones, number(a), out, &len), SRTP_OK);
	world_send(&w, a, (uint16_t)(a->port + 1), (uint16_t)(a->leg_port + 1), out, len);
	world_turn(&w);
	check_int(world_fate(&w, FATE_RTCP), 1);
	/* Ours, the last one too. */
	a->rtcp_n = 0;
	check_int(world_leg_close(&w, a), 0);
	world_turn(&w);
	check_int(a->rtcp_n, 1);
	len = a->rtcp_len;
	check(rtcp_parse(&n, a->rtcp, len, a->ssrc, NULL) != RTP_OK);
	check_int(srtp_rtcp_open(phones, number(a), a->rtcp, &len), SRTP_OK);
	check_int(rtcp_parse(&n, a->rtcp, len, a->ssrc, NULL), RTP_OK);
	check(n.bye);
	world_end();
}

/* What is closed leaves no keys to the next leg of its place. */
static void a_place_is_used_again_without_keys(void)
{
	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1), *c;
	uint8_t plain[160] = {0x55};

	keys_set(a, 1);
	check_int(world_leg_close(&w, a), 0);
	c = world_peer(&w, 0, call, 0);
	world_bridge(&w, call, b, c);
	world_rtp(&w, c, 0, false, plain, sizeof(plain));
	world_turn(&w);
	check_int(b->got_n, 1);
	check_int(world_stat(&w, c)->srtp_suite, SRTP_NO_SUITE);
	world_end();
}

/* A key ends one play, and the next one comes to its end; all of it encrypted. */
static void keys_and_plays(void)
{
	static struct playlist first = {.n = 1, .loop = 0, .interrupt = 0xffff};
	static struct playlist second = {.n = 1, .loop = 1};
	struct worker_command c = {.kind = COMMAND_PLAY_START};

	world_begin();
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	uint8_t out[256];

	keys_set(a, 1);
	first.item[0] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 5000};
	second.item[0] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 400};
	c.leg = a->leg;
	c.play.play = 1;
	c.play.list = &first;
	check_int(world_do(&w, 0, &c), 0);
	for (unsigned i = 0; i < 25; i++) {
		say(a, 0x41);
		world_run(&w, 20);
	}
	check(a->got_n >= 20);
	for (unsigned i = 0; i < 6; i++) {
		const uint8_t event[4] = {1, i >= 3 ? 0x8a : 0x0a, 0,
					  (uint8_t)(160 * (i + 1) > 255 ? 255 : 160)};
		struct srtp_row row = {.data = out, .leg = number(a), .len = 16};

		rtp_build(out, 101, i == 0, a->seq++, a->ts, a->ssrc);
		memcpy(out + 12, event, 4);
		srtp_rtp_seal(phones, &row, 1);
		check_int(row.verdict, SRTP_OK);
		world_send(&w, a, a->port, a->leg_port, out, row.len);
		world_run(&w, 20);
	}
	check_int(world_count(&w, EVENT_DTMF), 1);
	check_int(world_count(&w, EVENT_PLAY_DONE), 1);
	c.play.play = 2;
	c.play.list = &second;
	check_int(world_do(&w, 0, &c), 0);
	for (unsigned i = 0; i < 40; i++) {
		say(a, 0x41);
		world_run(&w, 20);
	}
	check_int(world_count(&w, EVENT_PLAY_DONE), 2);
	world_end();
}

static const struct check_case cases[] = {
	CHECK_CASE(bridged_both_encrypted),
	CHECK_CASE(bridged_to_a_plain_leg),
	CHECK_CASE(what_is_not_sealed_with_the_key_is_refused_by_name),
	CHECK_CASE(a_latch_waits_for_the_key),
	CHECK_CASE(new_keys_in_mid_call_lose_nothing),
	CHECK_CASE(keys_and_plays),
	CHECK_CASE(three_in_a_room),
	CHECK_CASE(reports_are_sealed_to_the_last),
	CHECK_CASE(a_place_is_used_again_without_keys),
};

CHECK_MAIN(cases)
