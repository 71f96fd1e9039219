/* SPDX-License-Identifier: Apache-2.0
 *
 * Relay: what goes in comes out, byte by byte, in one unbroken stream; and only from whom it may. */
#include "path/path_world.h"
#include "worker/worker_priv.h"

static struct world w;

/* Payloads that a counting peer (hz 0) sends: byte i of packet k is 7k + i. */
static bool is_packet(const struct world_packet *g, uint32_t k)
{
	for (unsigned i = 0; i < g->len; i++)
		if (g->payload[i] != (uint8_t)(k * 7 + i))
			return false;
	return true;
}

static void both_directions_byte_by_byte(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);

	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 1000);
	check_int(a->got_n, 50);
	check_int(b->got_n, 50);
	for (unsigned i = 0; i < 50; i++) {
		check_int(a->got[i].len, 160);
		check(is_packet(&a->got[i], i));
		check(is_packet(&b->got[i], i));
		check_int(a->got[i].marker, i == 0);
	}
	world_check_stream(a, 0, 160);
	world_check_stream(b, 0, 160);
	check_int(world_fate(&w, FATE_RELAYED), 100);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY);
	check_int(w.reply.stats.packets_in, 50);
	check_int(w.reply.stats.packets_out, 50);
	check_int(w.reply.stats.lost, 0);
	check_int(w.reply.stats.source.port, a->port);
	world_close(&w);
}

static void extensions_and_padding_stay_behind(void)
{
	static const uint8_t packet[] = {
		0xb1, 0x00, 0x00, 0x07, 0, 0, 1, 0, 0, 0, 0, 9, /* V2, padding, extension, 1 CSRC */
		1,    2,    3,    4,                            /* CSRC */
		0xbe, 0xde, 0,    1,    9, 9, 9, 9,             /* extension of one word */
		'a',  'b',  'c',  'd',  0, 0, 3};
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);

	world_bridge(&w, call, a, b);
	world_send(&w, a, a->port, a->leg_port, packet, sizeof(packet));
	world_turn(&w);
	world_send(&w, b, b->port, b->leg_port, packet, sizeof(packet));
	world_turn(&w);
	check_int(a->got_n, 1);
	check_int(a->got[0].len, 4);
	check(memcmp(a->got[0].payload, "abcd", 4) == 0);
	world_close(&w);
}

static void one_stream_whoever_is_heard(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct world_peer *c = world_peer(&w, 0, call, 2);

	b->talks = c->talks = true;
	b->hz = 400;
	c->hz = 700;
	world_bridge(&w, call, a, b);
	world_run(&w, 500);
	check(world_hears_tone(a, 400));

	unsigned at = a->got_n;

	world_bridge(&w, call, a, c);
	world_run(&w, 500);
	check(world_hears_tone(a, 700));
	check(!world_hears_tone(a, 400));
	check_int(a->got[at].marker, 1);
	check_int(a->got[at + 1].marker, 0);
	/* Silence for a while, then back: the timestamp has moved on with the time. */
	struct worker_command none = {0};
	uint32_t ts = a->got[a->got_n - 1].ts;

	world_hear(&w, 0, call, &none);
	world_run(&w, 400);
	at = a->got_n;
	world_bridge(&w, call, a, b);
	world_run(&w, 500);
	check(a->got_n > at);
	check(a->got[at].ts - ts > 3000 && a->got[at].ts - ts < 3600);
	world_check_stream(a, 0, 0);
	world_close(&w);
}

static void a_source_that_restarts_is_no_break(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);

	world_bridge(&w, call, a, b);
	b->talks = true;
	world_run(&w, 200);
	b->ssrc = 77; /* the phone restarted its stream */
	b->seq = 5;
	b->ts = 12345;
	world_run(&w, 200);
	check_int(a->got_n, 20);
	world_check_stream(a, 0, 160);
	b->seq = 30000; /* and now it kept the SSRC: believed from the second packet on */
	b->ts = 777;
	world_run(&w, 200);
	check_int(a->got_n, 29);
	world_check_stream(a, 0, 0);
	world_close(&w);
}

static void a_late_packet_before_a_change_takes_nothing_back(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct world_peer *c = world_peer(&w, 0, call, 2);
	static const uint16_t order[] = {1, 2, 4, 3};
	uint16_t newest;

	world_bridge(&w, call, a, b);
	for (unsigned i = 0; i < 4; i++) {
		b->seq = order[i];
		world_rtp(&w, b, 0, false, "x", 1);
		world_turn(&w);
	}
	newest = a->got[2].seq;
	world_bridge(&w, call, a, c);
	world_rtp(&w, c, 0, false, "x", 1);
	world_turn(&w);
	check_int(a->got_n, 5);
	check_int((uint16_t)(a->got[4].seq - newest), 1);
	world_close(&w);
}

static void loss_and_order_of_the_source_are_kept(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	static const int order[] = {0, 1, 3, 2, 4, 7, 7};
	uint16_t seq0;

	world_bridge(&w, call, a, b);
	for (unsigned i = 0; i < 7; i++) {
		uint8_t payload = (uint8_t)order[i];

		b->seq = (uint16_t)(65534 + order[i]);
		b->ts = (uint32_t)order[i] * 160;
		world_rtp(&w, b, 0, false, &payload, 1);
		world_run(&w, 20);
	}
	check_int(a->got_n, 6); /* the second 7 is a duplicate */
	seq0 = a->got[0].seq;
	for (unsigned i = 0; i < 6; i++) {
		check_int((uint16_t)(a->got[i].seq - seq0), order[i]);
		check_int(a->got[i].payload[0], order[i]);
	}
	check_int(world_fate(&w, FATE_DUPLICATE), 1);
	check_int(world_stat(&w, b)->lost, 2);
	check_int(w.reply.stats.reordered, 1);
	world_close(&w);
}

static void payload_types_are_the_listeners_own(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer next = {.ip = {10, 1, 2, 11}, .port = 4000};
	struct leg_config cfg = world_config(&next);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b;

	cfg.codec[0].pt = 96; /* PCMU under a dynamic number */
	cfg.dtmf_pt = 97;
	b = world_peer_with(&w, 0, call, 1, &cfg);
	world_bridge(&w, call, a, b);
	a->talks = true;
	world_run(&w, 100);
	a->talks = false;
	check_int(b->got[0].pt, 96);
	world_forget(&w);
	world_key(&w, a, 5);
	check_int(b->got_n, 8);
	for (unsigned i = 0; i < 8; i++) {
		check_int(b->got[i].pt, 97);
		check_int(b->got[i].payload[0], 5);
		check_int(b->got[i].ts, b->got[0].ts);
	}
	check_int(b->got[0].marker, 1);
	world_close(&w);
}

static void an_event_that_is_not_passed_on_leaves_no_gap(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer next = {.ip = {10, 1, 2, 11}, .port = 4000};
	struct leg_config cfg = world_config(&next);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b;
	struct leg_config hide = world_config(a);

	hide.set = LEG_SET_HIDE;
	hide.hide_digits = true;
	check_int(world_leg_set(&w, a, &hide), 0);
	b = world_peer_with(&w, 0, call, 1, &cfg);
	world_bridge(&w, call, a, b);
	a->talks = true;
	world_run(&w, 100);
	a->talks = false;
	world_key(&w, a, 5);
	a->talks = true;
	world_run(&w, 100);
	check_int(b->got_n, 10);
	world_check_stream(b, 0, 0);
	check_int(world_fate(&w, FATE_DTMF_EVENT), 8);
	check_int(world_count(&w, EVENT_DTMF), 1);
	world_close(&w);
}

static void the_first_valid_source_is_latched_and_no_other(void)
{
	world_open(&w, 1, 1, NULL);
	w.no_neighbours = true;
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct world_peer real = *a; /* behind a NAT: another address than it signalled */
	uint8_t payload[160] = {0};

	world_bridge(&w, call, a, b);
	b->talks = true;
	world_run(&w, 100);
	a->ip[3] = 99;
	a->port = 6000;
	world_rtp(&w, a, 77, false, payload, 160); /* not negotiated: does not latch */
	world_turn(&w);
	check_int(world_count(&w, EVENT_LEG_MEDIA), 1); /* of b */
	world_rtp(&w, a, 0, false, payload, 160);
	world_turn(&w);
	check_int(world_count(&w, EVENT_LEG_MEDIA), 2);
	check_int(world_find(&w, EVENT_LEG_MEDIA)->source.port, 6000);
	check_int(world_find(&w, EVENT_LEG_MEDIA)->source.ip[3], 99);
	world_forget(&w);
	world_run(&w, 100);
	check_int(a->got_n, 5);                                      /* sound goes there now */
	world_send(&w, &real, real.port, a->leg_port, payload, 160); /* malformed version: 0 */
	payload[0] = 0x80;
	world_send(&w, &real, real.port, a->leg_port, payload, 160);
	world_run(&w, 1);
	check_int(world_fate(&w, FATE_STRANGER), 1);
	check_int(world_fate(&w, FATE_RTP_PAYLOAD), 1);
	check_int(world_stat(&w, a)->dropped, 3);

	/* The same remote again changes nothing; a new one unlatches. */
	struct leg_config cfg = world_config(&real);

	cfg.set = LEG_SET_REMOTE;
	check_int(world_leg_set(&w, a, &cfg), 0);
	world_forget(&w);
	world_run(&w, 100);
	check_int(a->got_n, 5);
	cfg.remote.port = 4002;
	check_int(world_leg_set(&w, a, &cfg), 0);
	a->ip[3] = real.ip[3];
	a->port = 4002;
	world_forget(&w);
	world_run(&w, 100);
	check_int(a->got_n, 0); /* nobody knows the way yet: it is asked for */
	check(world_find(&w, EVENT_NEIGHBOUR_WANTED) == NULL); /* asked at the set, forgotten */
	world_rtp(&w, a, 0, false, payload + 1, 159);
	world_run(&w, 100);
	check_int(a->got_n, 5);
	world_close(&w);
}

static void strict_means_the_signalled_one_only(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer first = {.ip = {10, 1, 2, 10}, .port = 4000};
	struct leg_config cfg = world_config(&first);
	uint8_t payload[160] = {0};

	cfg.source = LEG_SOURCE_STRICT;

	struct world_peer *a = world_peer_with(&w, 0, call, 0, &cfg);

	a->port = 4444;
	world_rtp(&w, a, 0, false, payload, 160);
	a->port = 4000;
	a->ip[3] = 77;
	world_rtp(&w, a, 0, false, payload, 160);
	world_turn(&w);
	check_int(world_fate(&w, FATE_STRANGER), 2);
	check_int(world_count(&w, EVENT_LEG_MEDIA), 0);
	a->ip[3] = 10;
	world_rtp(&w, a, 0, false, payload, 160);
	world_turn(&w);
	check_int(world_fate(&w, FATE_UNHEARD), 1);
	check_int(world_count(&w, EVENT_LEG_MEDIA), 1);
	world_close(&w);
}

static void a_leg_on_hold_neither_speaks_nor_hears(void)
{
	static const struct {
		enum leg_direction direction;
		bool speaks, hears;
	} rows[] = {
		{LEG_SENDONLY, false, true},
		{LEG_RECVONLY, true, false},
		{LEG_INACTIVE, false, false},
		{LEG_SENDRECV, true, true},
	};

	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);

	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 100);
	for (unsigned i = 0; i < 4; i++) {
		struct leg_config cfg = {.set = LEG_SET_DIRECTION, .direction = rows[i].direction};
		uint64_t paused = world_fate(&w, FATE_PAUSED);

		check_int(world_leg_set(&w, a, &cfg), 0);
		world_forget(&w);
		world_run(&w, 100);
		check_int(a->got_n, rows[i].hears ? 5 : 0);
		check_int(b->got_n, rows[i].speaks ? 5 : 0);
		check_int(world_fate(&w, FATE_PAUSED) - paused, rows[i].speaks ? 0 : 5);
	}
	world_close(&w);
}

static void without_a_remote_nothing_is_sent_until_it_is_named(void)
{
	world_open(&w, 1, 1, NULL);
	w.no_neighbours = true;
	struct call_ref call = world_call(&w, 0, 0);
	struct leg_config cfg = world_config(NULL);
	struct world_peer *a = world_peer_with(&w, 0, call, 0, &cfg),
			  *b = world_peer(&w, 0, call, 1);

	world_bridge(&w, call, a, b);
	b->talks = true;
	world_run(&w, 100);
	check_int(a->got_n, 0);
	check_int(world_fate(&w, FATE_UNHEARD), 5);

	struct worker_command c = {.kind = COMMAND_NEIGHBOUR};

	cfg = world_config(a);
	cfg.set = LEG_SET_REMOTE;
	check_int(world_leg_set(&w, a, &cfg), 0);
	check_int(world_count(&w, EVENT_NEIGHBOUR_WANTED), 2); /* b's was asked for as well */
	check(memcmp(world_find(&w, EVENT_NEIGHBOUR_WANTED)->neighbour.ip, a->ip, 4) == 0);
	world_run(&w, 100);
	check_int(world_fate(&w, FATE_NO_NEIGHBOUR), 5);
	c.neighbour.family = 4;
	memcpy(c.neighbour.ip, a->ip, 4);
	c.neighbour.mac[5] = 1;
	check_int(world_do(&w, 0, &c), 0);
	world_run(&w, 100);
	check_int(a->got_n, 5);
	world_close(&w);
}

static int next_hop_is(const uint8_t ip[4], uint8_t last)
{
	struct worker_command c = {.kind = COMMAND_NEIGHBOUR, .neighbour = {.family = 4}};

	memcpy(c.neighbour.ip, ip, 4);
	c.neighbour.mac[0] = 2;
	c.neighbour.mac[5] = last;
	return world_do(&w, 0, &c);
}

/* The first leg of a gateway asks for the way, the next ones know it; all learn of another next hop. */
static void legs_of_one_peer_share_the_way(void)
{
	static const uint8_t gateway[4] = {192, 0, 2, 1};
	struct leg_config cfg;

	world_open(&w, 1, 1, NULL);
	w.no_neighbours = true;
	cfg = world_config(NULL);
	cfg.remote.family = 4;
	cfg.remote.port = 4000;
	memcpy(cfg.remote.ip, gateway, 4);

	struct call_ref call = world_call(&w, 0, 0);
	const struct leg *leg = w.worker[0]->legs.leg;

	world_peer_with(&w, 0, call, 0, &cfg);
	check(!world_find(&w, EVENT_NEIGHBOUR_WANTED)->neighbour.known);
	cfg.remote.port = 4002;
	world_peer_with(&w, 0, call, 1, &cfg);
	check_int(world_count(&w, EVENT_NEIGHBOUR_WANTED), 1); /* the answer is for both */
	check_int(leg[0].head.len + leg[1].head.len, 0);
	check_int(next_hop_is(gateway, 1), 0);
	check(leg[0].head.len != 0 && leg[1].head.len != 0);
	world_forget(&w);
	cfg.remote.port = 4004;
	world_peer_with(&w, 0, call, 2, &cfg);
	check(world_find(&w, EVENT_NEIGHBOUR_WANTED)->neighbour.known);
	check(leg[2].head.len != 0);
	check_int(next_hop_is(gateway, 9), 0);
	for (unsigned i = 0; i < 3; i++)
		check_int(w.worker[0]->legs.media[i].mac[5], 9);
	world_close(&w);
}

static void leg_to(uint32_t index, enum worker_command_kind kind, struct call_ref call,
		   uint8_t peer)
{
	struct worker_command c = {.kind = kind, .call = call, .leg = {index, 1}};

	c.leg_open = world_config(NULL);
	c.leg_open.set = LEG_SET_REMOTE;
	c.leg_open.remote.family = 4;
	c.leg_open.remote.port = 4000;
	memcpy(c.leg_open.remote.ip, (uint8_t[4]){192, 0, 2, peer}, 4);
	check_int(world_do(&w, 0, &c), 0);
}

/* Legs come, go and move between three peers; each peer's next hop reaches its own legs and no others. */
static void the_way_finds_its_legs_whatever_happened(void)
{
	enum { LEGS = 6, PEERS = 3 };
	uint8_t at[LEGS] = {0}; /* 0: closed */
	uint32_t lot = 1;

	world_open(&w, 1, 1, NULL);
	w.no_neighbours = true;

	struct call_ref call = world_call(&w, 0, 0);
	const struct leg_media *m = w.worker[0]->legs.media;

	for (uint32_t round = 0; round < 400; round++) {
		lot = lot * 1664525 + 1013904223;

		uint32_t i = (lot >> 8) % LEGS;
		uint8_t to = (uint8_t)(1 + (lot >> 16) % PEERS);
		bool open = at[i] != 0, close = open && (lot >> 24) % 2 == 0;

		leg_to(i,
		       close  ? COMMAND_LEG_CLOSE
		       : open ? COMMAND_LEG_SET
			      : COMMAND_LEG_OPEN,
		       call, to);
		at[i] = close ? 0 : to;
		world_forget(&w);
		for (uint8_t k = 1; k <= PEERS; k++)
			check_int(next_hop_is((uint8_t[4]){192, 0, 2, k},
					      (uint8_t)(round * PEERS + k)),
				  0);
		for (unsigned k = 0; k < LEGS; k++)
			if (at[k] != 0)
				check_int(m[k].mac[5], (uint8_t)(round * PEERS + at[k]));
	}
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(both_directions_byte_by_byte),
	CHECK_CASE(extensions_and_padding_stay_behind),
	CHECK_CASE(one_stream_whoever_is_heard),
	CHECK_CASE(a_source_that_restarts_is_no_break),
	CHECK_CASE(a_late_packet_before_a_change_takes_nothing_back),
	CHECK_CASE(loss_and_order_of_the_source_are_kept),
	CHECK_CASE(payload_types_are_the_listeners_own),
	CHECK_CASE(an_event_that_is_not_passed_on_leaves_no_gap),
	CHECK_CASE(the_first_valid_source_is_latched_and_no_other),
	CHECK_CASE(strict_means_the_signalled_one_only),
	CHECK_CASE(a_leg_on_hold_neither_speaks_nor_hears),
	CHECK_CASE(without_a_remote_nothing_is_sent_until_it_is_named),
	CHECK_CASE(legs_of_one_peer_share_the_way),
	CHECK_CASE(the_way_finds_its_legs_whatever_happened),
};
CHECK_MAIN(cases)
