/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker as a whole: hostile packets, two workers, commands about what is gone, RTCP, rings that are
 * full, and how long it may sleep. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/units.h"
#include "path/capture.h"
#include "path/path_world.h"
#include "rtp/rtcp.h"

static struct world w;

static uint32_t lcg(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void each_kind_of_rubbish_is_counted_by_name(void)
{
	static const uint8_t good[12] = {0x80, 0, 0, 1};
	struct {
		uint8_t bytes[16];
		uint16_t len;
		enum packet_fate fate;
	} rows[] = {
		{{0x80}, 1, FATE_RTP_SHORT},
		{{0x80}, 11, FATE_RTP_SHORT},
		{{0x00}, 16, FATE_RTP_VERSION},
		{{0x80, 0}, 12, FATE_RTP_EMPTY},
		{{0x80, 55}, 16, FATE_RTP_PAYLOAD},
		{{0xa0, 0, [15] = 9}, 16, FATE_RTP_PADDING},
		{{0x80, 200, 0, 99}, 16, FATE_RTCP_BAD}, /* RTCP on the RTP port */
		{{0x80, 0}, 16, FATE_UNHEARD},           /* at last a good one */
	};

	(void)good;
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t before = world_fate(&w, rows[i].fate);

		world_send(&w, a, a->port, a->leg_port, rows[i].bytes, rows[i].len);
		world_turn(&w);
		check_int(world_fate(&w, rows[i].fate), before + 1);
	}
	world_send(&w, a, a->port, (uint16_t)(a->leg_port + 2), good, 12);
	world_send(&w, a, a->port, 5060, good, 12);
	world_turn(&w);
	check_int(world_fate(&w, FATE_NO_LEG), 2);
	world_close(&w);
}

static void a_flood_from_strangers_disturbs_nobody(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct world_peer enemy = {.ip = {10, 1, 2, 200}, .port = 9};
	uint32_t seed = 1;

	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 100);
	for (unsigned t = 0; t < 500; t++) {
		for (unsigned k = 0; k < 8; k++) {
			uint8_t bytes[64];
			uint16_t len = (uint16_t)(lcg(&seed) % sizeof(bytes));

			for (unsigned i = 0; i < len; i++)
				bytes[i] = (uint8_t)lcg(&seed);
			if (k % 2)
				bytes[0] = 0x80, bytes[1] = 0;
			world_send(&w, &enemy, 9, (uint16_t)(a->leg_port + lcg(&seed) % 4), bytes,
				   len);
		}
		world_run(&w, 1);
	}
	check_int(a->got_n, 30);
	check_int(b->got_n, 30);
	world_check_stream(a, 0, 160);
	world_check_stream(b, 0, 160);
	check(world_fate(&w, FATE_STRANGER) > 100);
	check_int(world_stat(&w, a)->lost, 0);
	world_close(&w);
}

static void random_bytes_from_the_right_source_end_in_one_fate_each(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *p[3];
	struct worker_command c = {0};
	uint32_t seed = 7;

	for (unsigned i = 0; i < 3; i++)
		p[i] = world_peer(&w, 0, call, i);
	world_hears(&c, p[0], p[1], 0);
	world_hears(&c, p[1], p[0], 0);
	world_hears(&c, p[2], p[0], -20);
	world_hears(&c, p[2], p[1], 10);
	check_int(world_hear(&w, 0, call, &c), 0);
	for (unsigned t = 0; t < 20000; t++) {
		static const uint8_t types[] = {0, 8, 101, 13, 200, 201, 203, 0, 0, 128};
		uint8_t bytes[400];
		struct world_peer *from = p[lcg(&seed) % 3];
		uint16_t len = (uint16_t)(lcg(&seed) % (lcg(&seed) % 4 ? 40 : sizeof(bytes)));

		for (unsigned i = 0; i < len; i++)
			bytes[i] = (uint8_t)lcg(&seed);
		if (len > 11 && lcg(&seed) % 8) {
			bytes[0] = 0x80;
			bytes[1] = types[lcg(&seed) % sizeof(types)];
			be16_put(bytes + 2, (uint16_t)(t + lcg(&seed) % 8));
			be32_put(bytes + 4, t * 160 + lcg(&seed) % 4 * 160);
			be32_put(bytes + 8, lcg(&seed) % 50 == 0 ? 6 : 5);
		}
		world_send(&w, from, from->port,
			   (uint16_t)(from->leg_port + (lcg(&seed) % 10 == 0)), bytes, len);
		if (t % 4 == 0)
			world_run(&w, 5);
		if (t % 500 == 0)
			world_forget(&w);
	}
	world_close(&w);
}

static void a_packet_finds_the_worker_that_owns_its_leg(void)
{
	for (unsigned queues = 1; queues <= 2; queues++) {
		world_open(&w, 2, queues, NULL);
		struct call_ref c0 = world_call(&w, 0, 0), c1 = world_call(&w, 1, 0);
		struct world_peer *a = world_peer(&w, 0, c0, 0), *b = world_peer(&w, 0, c0, 1);
		struct world_peer *c = world_peer(&w, 1, c1, 0), *d = world_peer(&w, 1, c1, 1);

		world_bridge(&w, c0, a, b);
		world_bridge(&w, c1, c, d);
		a->talks = b->talks = c->talks = d->talks = true;
		world_run(&w, 1010); /* all frames enter at worker 0 */
		check_int(atomic_load(&w.worker[0]->received), a->sent * 4);
		check_int(atomic_load(&w.worker[1]->received), 0);
		check_int(atomic_load(&w.worker[1]->fate[FATE_RELAYED]), a->sent * 2);
		check(c->got_n >= 50 && d->got_n >= 50 && a->got_n >= 50);
		world_check_stream(c, 0, 160);
		world_check_stream(d, 0, 160);
		world_close(&w);
	}
}

static void what_is_gone_is_stale(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 3);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	struct worker_command c = {.kind = COMMAND_LEG_OPEN, .call = call, .leg = a->leg};

	c.leg_open = world_config(a);
	check_int(world_do(&w, 0, &c), -EBUSY);
	c.leg.index = 9999;
	check_int(world_do(&w, 0, &c), -EINVAL);
	c.call.generation = 2;
	check_int(world_do(&w, 0, &c), -ESTALE);
	c.kind = COMMAND_CALL_OPEN;
	c.call = call;
	check_int(world_do(&w, 0, &c), -EBUSY);
	check_int(world_call_close(&w, 0, call), -ENOTEMPTY);
	check_int(world_leg_close(&w, a), 0);
	check_int(world_leg_close(&w, a), -ESTALE);
	check_int(world_call_close(&w, 0, call), 0);
	check_int(world_call_close(&w, 0, call), -ESTALE);
	for (enum worker_command_kind k = COMMAND_CALL_CLOSE; k < COMMAND_NEIGHBOUR; k++) {
		c = (struct worker_command){.kind = k, .call = call, .leg = a->leg};
		check_int(world_do(&w, 0, &c), -ESTALE);
	}
	check_int(atomic_load(&w.worker[0]->legs_open), 0);
	check_int(atomic_load(&w.worker[0]->calls_open), 0);

	/* The slot's next owner is not touched by commands about the last one. */
	c = (struct worker_command){.kind = COMMAND_CALL_OPEN, .call = {3, 2}};
	check_int(world_do(&w, 0, &c), 0);
	check_int(world_call_close(&w, 0, call), -ESTALE);
	world_close(&w);
}

static void a_matrix_of_strangers_changes_nothing(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0), other = world_call(&w, 0, 1);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct world_peer *x = world_peer(&w, 0, other, 2);
	struct worker_command c = {0};

	world_bridge(&w, call, a, b);
	world_hears(&c, a, x, 0);
	check_int(world_hear(&w, 0, call, &c), -ENOENT);
	c.hear.n = 0;
	world_hears(&c, a, a, 0);
	check_int(world_hear(&w, 0, call, &c), -EINVAL);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY);
	world_close(&w);
}

static void seventeen_legs_are_one_too_many(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);

	for (unsigned i = 0; i < CALL_LEGS_MAX; i++)
		world_peer(&w, 0, call, i);

	struct worker_command c = {.kind = COMMAND_LEG_OPEN, .call = call, .leg = {40, 1}};

	c.leg_open = world_config(NULL);
	check_int(world_do(&w, 0, &c), -ENOSPC);
	world_close(&w);
}

static void silence_is_told_once_and_again_after_sound(void)
{
	struct leg_config cfg = {.set = LEG_SET_TIMEOUT, .media_timeout_ms = 1000};

	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);

	check_int(world_leg_set(&w, a, &cfg), 0);
	world_run(&w, 5000);
	check_int(world_count(&w, EVENT_LEG_TIMEOUT), 1);
	check(world_find(&w, EVENT_LEG_TIMEOUT)->timeout.silent_ms >= 1000);
	a->talks = true;
	world_run(&w, 500);
	a->talks = false;
	world_run(&w, 5000);
	check_int(world_count(&w, EVENT_LEG_TIMEOUT), 2);
	world_close(&w);
}

static void reports_are_exchanged(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct rtcp_news n;
	uint8_t packet[RTCP_BUILD_MAX];

	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 500);
	a->seq = (uint16_t)(a->seq + 10); /* ten packets lost */
	world_run(&w, 20000);
	check(a->rtcp_n >= 2 && a->rtcp_n <= 9); /* every 2.5 to 7.5 s */
	check_int(rtcp_parse(&n, a->rtcp, a->rtcp_len, a->ssrc, NULL), RTP_OK);
	check(n.has_sender && n.has_block && !n.bye);
	check(n.sender.packets >= 100 && n.sender.octets == n.sender.packets * 160);
	check_int(n.block.lost, 10);

	/* Our answer to that report, 30 ms after it: the engine learns the round trip and our view. */
	struct rtcp_sender sender = {.ntp = rtcp_ntp(1), .packets = 5, .octets = 800};
	struct rtcp_block block = {.ssrc = 0xabcd0000,
				   .lost = 3,
				   .jitter = 80,
				   .lsr = rtcp_ntp_mid(n.sender.ntp),
				   .dlsr = 0};
	struct rtcp_out o = {.ssrc = a->ssrc, .sender = &sender, .block = &block, .cname = "a"};
	unsigned got = a->rtcp_n;

	while (a->rtcp_n == got)
		world_run(&w, 1);
	check_int(rtcp_parse(&n, a->rtcp, a->rtcp_len, a->ssrc, NULL), RTP_OK);
	block.lsr = rtcp_ntp_mid(n.sender.ntp);
	world_run(&w, 30);
	size_t len = rtcp_build(packet, sizeof(packet), &o);

	world_send(&w, a, (uint16_t)(a->port + 1), (uint16_t)(a->leg_port + 1), packet,
		   (uint16_t)len);
	world_turn(&w);
	check_int(world_fate(&w, FATE_RTCP), 1);
	check(world_stat(&w, a)->rtt_us > 29000 && w.reply.stats.rtt_us < 31100);
	check_int(w.reply.stats.remote_lost, 3);
	check_int(w.reply.stats.remote_jitter_us, 10000);
	check_int(w.reply.stats.lost, 10);

	/* A stranger's report and BYE are not believed; the peer's own is told once. */
	struct world_peer enemy = {.ip = {10, 1, 2, 200}, .port = 9};

	o.bye = true;
	len = rtcp_build(packet, sizeof(packet), &o);
	world_send(&w, &enemy, 9, (uint16_t)(a->leg_port + 1), packet, (uint16_t)len);
	world_turn(&w);
	check_int(world_count(&w, EVENT_LEG_BYE), 0);
	for (unsigned i = 0; i < 3; i++)
		world_send(&w, a, (uint16_t)(a->port + 1), (uint16_t)(a->leg_port + 1), packet,
			   (uint16_t)len);
	world_turn(&w);
	check_int(world_count(&w, EVENT_LEG_BYE), 1);

	/* We say goodbye as well. */
	check_int(world_leg_close(&w, a), 0);
	a->talks = false;
	check_int(rtcp_parse(&n, a->rtcp, a->rtcp_len, a->ssrc, NULL), RTP_OK);
	check(n.bye);
	world_close(&w);
}

static void reports_follow_a_peer_that_multiplexes(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	struct rtcp_out o = {.ssrc = a->ssrc, .cname = "a"};
	uint8_t packet[RTCP_BUILD_MAX];
	uint16_t len = (uint16_t)rtcp_build(packet, sizeof(packet), &o);

	a->talks = true;
	world_run(&w, 100);
	world_send(&w, a, a->port, a->leg_port, packet, len);
	world_turn(&w);
	check_int(world_fate(&w, FATE_RTCP), 1);
	check_int(world_leg_close(&w, a), 0);
	check_int(a->rtcp_n, 1); /* the BYE */
	check(a->rtcp_muxed);
	a->talks = false;
	world_close(&w);
}

static void a_full_event_ring_loses_news_but_no_ending(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	struct playlist list = {.n = 1, .loop = 1};
	struct worker_command c = {.kind = COMMAND_PLAY_START, .token = 1, .leg = a->leg};
	struct worker_event e;
	unsigned n = 0, done = 0, replies = 0;

	/* Nobody takes events: turns without world_turn(). */
	list.item[0] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 100};
	c.play.play = 77;
	c.play.list = &list;
	check_int(worker_command_send(w.worker[0], &c), 0);
	worker_turn(w.worker[0], w.now_ns);
	c.kind = COMMAND_LEG_STAT;
	while (worker_command_send(w.worker[0], &c) == 0)
		n++;
	check_int(n, WORKER_COMMANDS);
	for (unsigned i = 0; i < 2000; i++) {
		w.now_ns += PB_NS_PER_MS;
		worker_turn(w.worker[0], w.now_ns);
		if (worker_command_send(w.worker[0], &c) == 0)
			n++;
		while (n < 20000 && worker_command_send(w.worker[0], &c) == 0)
			n++;
	}
	/* The first packet would be news; there is only room for endings and replies. */
	world_rtp(&w, a, 0, false, "x", 1);
	worker_turn(w.worker[0], w.now_ns);
	check_int(atomic_load(&w.worker[0]->events_lost), 1);
	while (worker_event_recv(w.worker[0], &e)) {
		check(e.kind != EVENT_LEG_MEDIA);
		replies += e.kind == EVENT_REPLY;
		done += e.kind == EVENT_PLAY_DONE;
	}
	for (unsigned i = 0; i < 2000; i++) {
		w.now_ns += PB_NS_PER_MS;
		worker_turn(w.worker[0], w.now_ns);
		while (worker_event_recv(w.worker[0], &e)) {
			replies += e.kind == EVENT_REPLY;
			done += e.kind == EVENT_PLAY_DONE;
		}
	}
	check_int(replies, n + 1);
	check_int(done, 1);
	world_close(&w);
}

static void sleeps_until_the_next_thing_is_due(void)
{
	world_open(&w, 1, 1, NULL);
	world_run(&w, 10);
	check_int(worker_next_ns(w.worker[0]) - w.now_ns, PB_NS_PER_S); /* nothing at all */

	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	struct playlist list = {.n = 1, .loop = 0};
	struct worker_command c = {.kind = COMMAND_PLAY_START, .leg = a->leg};
	unsigned due = 0;

	world_run(&w, 10);
	check(worker_next_ns(w.worker[0]) - w.now_ns > 5 * PB_NS_PER_MS); /* housekeeping */
	list.item[0] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 100};
	c.play.list = &list;
	check_int(world_do(&w, 0, &c), 0);
	for (unsigned i = 0; i < 1000; i++) {
		world_run(&w, 1);
		due += worker_next_ns(w.worker[0]) == w.now_ns + PB_NS_PER_MS;
		check(worker_next_ns(w.worker[0]) > w.now_ns);
	}
	check(due >= 49 && due <= 56); /* 20 ms ticks, and 250 ms of housekeeping */
	check_int(atomic_load(&w.worker[0]->ticks_late), 0);
	world_close(&w);
}

static void sleeping_is_not_being_late(void)
{
	world_open(&w, 1, 1, NULL);
	world_run(&w, 10);
	w.now_ns += 5 * PB_NS_PER_S; /* nothing to do for long */
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);

	(void)a;
	for (unsigned i = 0; i < 100; i++) {
		w.now_ns = worker_next_ns(w.worker[0]);
		world_turn(&w);
	}
	check_int(atomic_load(&w.worker[0]->ticks_late), 0);
	check_int(atomic_load(&w.worker[0]->ticks_skipped), 0);
	check(a->rtcp_n >= 2); /* 100 visits of the house are 25 s */
	world_close(&w);
}

/* A frame of IPv6/UDP from fd00::9 to a leg of fd00::3. */
static void frame6(uint16_t from_port, uint16_t to_port, const uint8_t *payload, uint16_t len)
{
	struct net_own own = {.ip6 = true, .mac = {2, 0, 0, 0, 0, 9}};
	struct net_head h;
	uint8_t frame[512];

	own.ip6_addr[0] = 0xfd;
	own.ip6_addr[15] = 9;
	net_head_make(&h, &own, 6, from_port, port_own(w.port)->ip6_addr, to_port,
		      port_own(w.port)->mac);
	memcpy(frame + h.len, payload, len);
	net_head_write(&h, frame, len);
	world_frame(&w, frame, (uint16_t)(h.len + len));
}

static void a_call_may_join_the_two_families(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b;
	struct leg_config cfg = world_config(NULL);
	uint8_t packet[14];

	cfg.family = 6;
	cfg.remote = (struct sock_ip){.family = 6, .ip = {0xfd, [15] = 9}, .port = 7000};
	b = world_peer_with(&w, 0, call, 1, &cfg);
	b->ip6 = true;
	b->port = 7000;
	world_bridge(&w, call, a, b);
	rtp_build(packet, 0, false, 1, 160, 5);
	memcpy(packet + 12, "hi", 2);
	frame6(7000, b->leg_port, packet, sizeof(packet));
	frame6(7002, b->leg_port, packet, sizeof(packet));
	world_rtp(&w, a, 0, false, "ho", 2);
	world_turn(&w);
	check_int(a->got_n, 1);
	check(memcmp(a->got[0].payload, "hi", 2) == 0);
	check_int(b->got_n, 1);
	check(memcmp(b->got[0].payload, "ho", 2) == 0);
	check_int(world_fate(&w, FATE_STRANGER), 1);
	check_int(world_find(&w, EVENT_LEG_MEDIA)->leg.index, a->leg.index);
	world_close(&w);
}

static void a_stall_is_caught_up_within_bounds(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0);
	struct playlist list = {.n = 1, .loop = 0};
	struct worker_command c = {.kind = COMMAND_PLAY_START, .leg = a->leg};

	world_rtp(&w, a, 0, false, "x", 1);
	list.item[0] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 600000};
	c.play.list = &list;
	check_int(world_do(&w, 0, &c), 0);
	world_run(&w, 200);
	w.now_ns += 100 * PB_NS_PER_MS; /* the core was taken away for a moment */
	world_run(&w, 200);
	check_int(a->got_n, 25); /* all of it, late */
	world_check_stream(a, 0, 160);
	w.now_ns += 3000 * PB_NS_PER_MS; /* and for long */
	world_run(&w, 200);
	check(a->got_n >= 35 && a->got_n <= 37);
	world_check_stream(a, 0, 0);
	check(a->got[a->got_n - 1].ts - a->got[0].ts > 8 * 3400);
	check(atomic_load(&w.worker[0]->ticks_skipped) > 2900);
	world_close(&w);
}

static void *run(void *arg)
{
	worker_run(arg);
	return NULL;
}

/* The next event, waiting at most 2 s. */
static bool event_wait(struct worker *worker, struct worker_event *e)
{
	for (unsigned i = 0; i < 2000; i++) {
		struct timespec t = {.tv_nsec = PB_NS_PER_MS};

		if (worker_event_recv(worker, e))
			return true;
		nanosleep(&t, NULL);
	}
	return false;
}

static void a_worker_that_sleeps_is_woken_by_a_command(void)
{
	pthread_t thread;
	struct worker_event e;
	unsigned answered = 0;

	world_open(&w, 1, 1, NULL);
	check_int(pthread_create(&thread, NULL, run, w.worker[0]), 0);
	for (unsigned i = 0; i < 200; i++) {
		struct worker_command c = {.kind = COMMAND_CALL_OPEN, .token = i + 1};

		c.call = (struct call_ref){i % 2, i / 2 + 1};
		if (i >= 2) {
			struct worker_command close = {.kind = COMMAND_CALL_CLOSE, .token = 1000};

			close.call = (struct call_ref){i % 2, i / 2};
			if (worker_command_send(w.worker[0], &close) != 0 ||
			    !event_wait(w.worker[0], &e) || e.result != 0)
				break;
		}
		if (worker_command_send(w.worker[0], &c) != 0 || !event_wait(w.worker[0], &e) ||
		    e.token != i + 1 || e.result != 0)
			break;
		answered++;
	}
	atomic_store_explicit(&w.worker[0]->stop, true, memory_order_release);
	worker_wake(w.worker[0]);
	pthread_join(thread, NULL);
	check_int(answered, 200);
	check(atomic_load(&w.worker[0]->slept_ns) > 0);
	world_close(&w);
}

/* Two calls; one is looked at. What goes in and what goes out is seen once each, as it was. */
static void a_call_is_captured_before_and_after(void)
{
	struct worker_command c = {.kind = COMMAND_CAPTURE_SET, .capture = capture_create()};
	struct capture *k = c.capture;
	struct capture_packet p;
	unsigned in = 0, out = 0;

	world_open(&w, 1, 1, NULL);
	struct call_ref one = world_call(&w, 0, 0), two = world_call(&w, 0, 1);
	struct world_peer *a = world_peer(&w, 0, one, 0), *b = world_peer(&w, 0, one, 1);
	struct world_peer *x = world_peer(&w, 0, two, 2), *y = world_peer(&w, 0, two, 3);
	world_bridge(&w, one, a, b);
	world_bridge(&w, two, x, y);
	c.call = one;
	k->packets_max = 1000;
	check_int(world_do(&w, 0, &c), 0);
	a->talks = x->talks = y->talks = true;
	world_run(&w, 1000);
	a->talks = x->talks = y->talks = false;
	world_run(&w, 20);
	while (spsc_get(&k->ring, &p)) {
		const uint8_t *udp = p.frame + NET_ETHER_BYTES + NET_IP4_BYTES;
		const uint8_t *rtp = udp + NET_UDP_BYTES;
		bool rtcp = rtp[1] >= 200 && rtp[1] <= 207;

		check_int(p.kept, p.len);
		if (p.way == CAPTURE_IN) {
			check_int(p.leg.index, a->leg.index);
			check_int(be16_get(udp + 2), a->leg_port);
			check_int(be32_get(rtp + 8), a->ssrc);
			in++;
		} else if (!rtcp) {
			check_int(p.leg.index, b->leg.index);
			check_int(be16_get(udp), b->leg_port);
			check(be32_get(rtp + 8) != a->ssrc);
			check_int(be16_get(rtp + 2), b->got[out].seq);
			out++;
		}
	}
	check_int(in, a->sent);
	check_int(out, b->got_n);
	check_int(atomic_load(&k->lost), 0);

	/* Nobody reads: the ring fills, calls go on. */
	a->talks = b->talks = true;
	k->packets_max = 100000;
	world_run(&w, 8000);
	a->talks = b->talks = false;
	world_run(&w, 20);
	check_int(b->got_n, a->sent);
	check(atomic_load(&k->lost) > 400);
	c.capture = NULL;
	check_int(world_do(&w, 0, &c), 0);
	a->talks = true;
	uint64_t lost = atomic_load(&k->lost);
	world_run(&w, 100);
	check_int(atomic_load(&k->lost), lost);
	capture_destroy(k);
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_call_is_captured_before_and_after),
	CHECK_CASE(each_kind_of_rubbish_is_counted_by_name),
	CHECK_CASE(a_flood_from_strangers_disturbs_nobody),
	CHECK_CASE(random_bytes_from_the_right_source_end_in_one_fate_each),
	CHECK_CASE(a_packet_finds_the_worker_that_owns_its_leg),
	CHECK_CASE(what_is_gone_is_stale),
	CHECK_CASE(a_matrix_of_strangers_changes_nothing),
	CHECK_CASE(seventeen_legs_are_one_too_many),
	CHECK_CASE(silence_is_told_once_and_again_after_sound),
	CHECK_CASE(reports_are_exchanged),
	CHECK_CASE(reports_follow_a_peer_that_multiplexes),
	CHECK_CASE(a_full_event_ring_loses_news_but_no_ending),
	CHECK_CASE(sleeps_until_the_next_thing_is_due),
	CHECK_CASE(sleeping_is_not_being_late),
	CHECK_CASE(a_call_may_join_the_two_families),
	CHECK_CASE(a_stall_is_caught_up_within_bounds),
	CHECK_CASE(a_worker_that_sleeps_is_woken_by_a_command),
};
CHECK_MAIN(cases)
