/* SPDX-License-Identifier: Apache-2.0
 *
 * Floods. Each is many times what a call brings, and each time two things are asked: that every packet of it
 * is accounted for by name, to the last one; and that a call that runs beside it does not lose,
 * repeat or delay one packet.
 */
#include <rte_mbuf.h>

#include "base/units.h"
#include "check.h"
#include "net/neigh.h"
#include "path/path_world.h"

enum { SECONDS = 3, PER_MS = 100, FLOOD = SECONDS * 1000 * PER_MS, LEG_HZ = LEG_PACKETS_HZ };

static struct world w;
static struct world_peer *a, *b;
static struct call_ref call;
static uint64_t random_state;

static uint32_t any(void)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(random_state >> 33);
}

/* A call that talks both ways. */
static void begin(void)
{
	world_open(&w, 1, 1, NULL);
	random_state = 1;
	call = world_call(&w, 0, 0);
	a = world_peer(&w, 0, call, 0);
	b = world_peer(&w, 0, call, 1);
	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 200);
	check(a->got_n >= 9 && b->got_n >= 9);
}

/* Each millisecond of SECONDS, `one` is called PER_MS times, spread over several turns. */
static void flood(void (*one)(void))
{
	for (unsigned ms = 0; ms < SECONDS * 1000; ms++) {
		for (unsigned i = 0; i < PER_MS; i++) {
			one();
			if (i % 25 == 24)
				world_turn(&w);
		}
		world_run(&w, 1);
		port_house(w.port, w.now_ns);
	}
	for (unsigned i = 0; i < 32; i++) {
		world_turn(&w);
		port_house(w.port, w.now_ns);
	}
	a->talks = b->talks = false;
	world_run(&w, 40);
}

static void check_unharmed(const struct world_peer *from, const struct world_peer *to)
{
	check_int(to->got_n, from->sent); /* all */
	for (unsigned i = 1; i < to->got_n; i++) {
		check_int((uint16_t)(to->got[i].seq - to->got[i - 1].seq), 1); /* in order */
		check_int(to->got[i].at_ns - to->got[i - 1].at_ns, 20 * PB_NS_PER_MS); /* in time */
	}
}

static void end(void)
{
	check_unharmed(a, b);
	check_unharmed(b, a);
	check_int(world_stat(&w, a)->lost, 0);
	check_int(world_stat(&w, b)->lost, 0);
	check_int(world_stat(&w, a)->packets_in, a->sent);
	check_int(world_leg_close(&w, a), 0);
	check_int(world_leg_close(&w, b), 0);
	check_int(world_call_close(&w, 0, call), 0);
	world_close(&w);
}

static void rtp_from(uint16_t from_port, uint16_t to_port, uint32_t ssrc)
{
	uint8_t p[RTP_HEADER_LEN + 160] = {0};

	rtp_build(p, 0, false, (uint16_t)any(), any(), ssrc);
	world_send(&w, a, from_port, to_port, p, sizeof(p));
}

static void stranger_sends(void)
{
	rtp_from((uint16_t)(4002 + any() % 60000), a->leg_port, any());
}

static void strangers(void)
{
	begin();
	/* The latch has closed on the first packet: nobody takes the leg over any more. */
	flood(stranger_sends);
	check_int(world_fate(&w, FATE_STRANGER), FLOOD);
	check_int(world_stat(&w, a)->dropped, FLOOD);
	end();
}

static void nobody_is_there(void)
{
	rtp_from(4000, (uint16_t)(WORLD_RTP_FIRST + 4 + any() % (2 * WORLD_LEGS - 4)), any());
}

static void closed_ports(void)
{
	begin();
	flood(nobody_is_there);
	check_int(world_fate(&w, FATE_NO_LEG), FLOOD);
	end();
}

/* Random bytes to the leg's two ports, and frames with lying lengths. */
static void rubbish_comes(void)
{
	uint8_t p[300];
	uint16_t len = (uint16_t)(any() % sizeof(p));

	for (uint16_t i = 0; i < len; i++)
		p[i] = (uint8_t)any();
	if (len > 0)
		p[0] &= 0x7f; /* never version 2: neither RTP nor RTCP */
	if (any() % 2 == 0) {
		world_send(&w, a, (uint16_t)(5000 + any() % 1000),
			   (uint16_t)(a->leg_port + any() % 2), p, len);
		return;
	}

	uint8_t frame[400] = {0};
	struct net_own own = {.ip4 = true, .mac = {2}, .ip4_addr = {10, 1, 2, 99}};
	struct net_head h;

	net_head_make(&h, &own, 4, 4000, port_own(w.port)->ip4_addr, a->leg_port,
		      port_own(w.port)->mac);
	net_head_write(&h, frame, len);
	frame[16 + any() % 22] ^= (uint8_t)(1 + any() % 255);
	world_frame(&w, frame, (uint16_t)(14 + any() % 60));
}

static void rubbish(void)
{
	uint64_t bad = 0, used;

	begin();
	w.unclaimed_ok = true;
	flood(rubbish_comes);
	used = world_fate(&w, FATE_RELAYED) + world_fate(&w, FATE_BUFFERED) +
	       world_fate(&w, FATE_RTCP) + world_fate(&w, FATE_LOCAL);
	for (unsigned f = FATE_FIRST_DROP; f < FATE_COUNT; f++)
		bad += world_fate(&w, (enum packet_fate)f);
	check_int(used, a->sent + b->sent);
	check_int(bad, FLOOD);
	end();
}

static struct world_peer *loud;

static void loud_peer_sends(void)
{
	uint8_t payload[160] = {0};

	world_rtp(&w, loud, 0, false, payload, sizeof(payload));
}

/* The right source, another call's leg: it gets what a leg may have, and not a packet more. */
static void the_right_source(void)
{
	struct call_ref other;
	uint64_t taken;

	begin();
	other = world_call(&w, 0, 1);
	loud = world_peer(&w, 0, other, 2);
	flood(loud_peer_sends);
	taken = FLOOD - world_fate(&w, FATE_RATE);
	check(taken >= LEG_PACKETS_AT_ONCE + (SECONDS - 1) * LEG_HZ);
	check(taken <= LEG_PACKETS_AT_ONCE + (SECONDS + 1) * LEG_HZ);
	check_int(world_fate(&w, FATE_UNHEARD), taken);
	check_int(world_leg_close(&w, loud), 0);
	check_int(world_call_close(&w, 0, other), 0);
	end();
}

static void question_comes(void)
{
	struct net_own own = {.ip4 = true,
			      .ip4_addr = {10, 1, 2, (uint8_t)(100 + any() % 100)},
			      .ip4_prefix = 24,
			      .ip6 = true,
			      .ip6_addr = {0xfd, [15] = 77},
			      .mac = {2, 0, 0, 0, 7, 7}};
	uint8_t frame[NEIGH_FRAME_MIN];
	bool four = any() % 2 == 0;
	uint16_t len =
		neigh_ask(&own, four ? 4 : 6,
			  four ? port_own(w.port)->ip4_addr : port_own(w.port)->ip6_addr, frame);

	world_frame(&w, frame, len);
}

static void questions(void)
{
	uint64_t answered, dropped;

	begin();
	w.answers_ok = true;
	flood(question_comes);
	answered = world_fate(&w, FATE_LOCAL);
	dropped = world_fate(&w, FATE_RATE) + world_fate(&w, FATE_HANDOFF_FULL);
	check_int(answered + dropped, FLOOD);
	/* Some thousands a second are still answered: among them those of the peers themselves. */
	check(answered > SECONDS * 5000 && answered <= 200 + (SECONDS + 1) * 10000);
	end();
}

static void a_second_of_silence_may_come_all_at_once(void)
{
	uint8_t payload[160] = {0};

	begin();
	for (unsigned i = 0; i < 50; i++) /* a second that the network had held back */
		world_rtp(&w, a, 0, false, payload, sizeof(payload));
	world_run(&w, 20);
	check_int(world_fate(&w, FATE_RATE), 0);
	a->talks = b->talks = false;
	world_run(&w, 40);
	check_int(b->got_n, a->sent);
	check_int(world_leg_close(&w, a), 0);
	check_int(world_leg_close(&w, b), 0);
	check_int(world_call_close(&w, 0, call), 0);
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(strangers), CHECK_CASE(closed_ports),
	CHECK_CASE(rubbish),   CHECK_CASE(the_right_source),
	CHECK_CASE(questions), CHECK_CASE(a_second_of_silence_may_come_all_at_once),
};
CHECK_MAIN(cases)
