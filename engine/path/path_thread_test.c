/* SPDX-License-Identifier: Apache-2.0
 *
 * Two workers that really run, each on a thread of its own, while main commands them, hands them packets, reads
 * their counters and takes their events and captured packets, all at once: what the mailbox, the bells, the
 * hand-off rings and the counters are there for. Built with -Db_sanitize=thread it is the proof that
 * nothing else is shared (tests/tsan.supp says what is kept out of the judgement, and why).
 *
 * Frames go in by the hand-off ring, whose code is compiled with this program, and not by the port, whose
 * driver ThreadSanitizer cannot look into.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <rte_mbuf.h>

#include "base/units.h"
#include "path/capture.h"
#include "path/path_world.h"

enum { ROUNDS = 12, PACKETS = 3000, PATIENCE_MS = 10000 };

static struct world w;
static struct rte_mempool *frames; /* handed in once each: never taken twice */
static uint64_t events[EVENT_NEIGHBOUR_WANTED + 1];
static struct worker_event reply;

static void nap(unsigned us)
{
	const struct timespec t = {.tv_nsec = (long)us * 1000};

	nanosleep(&t, NULL);
}

static void take_events(void)
{
	struct worker_event e;
	struct rte_mbuf *m;

	for (unsigned i = 0; i < w.workers; i++) {
		while (worker_event_recv(w.worker[i], &e)) {
			check(e.kind <= EVENT_NEIGHBOUR_WANTED);
			events[e.kind]++;
			if (e.kind == EVENT_REPLY)
				reply = e;
		}
		while (rte_ring_dequeue(w.port_cfg.from_engine[i], (void **)&m) == 0)
			rte_pktmbuf_free(m);
	}
}

static int command(unsigned worker, struct worker_command *c)
{
	c->token = ++w.token;
	while (worker_command_send(w.worker[worker], c) == -EAGAIN)
		take_events();
	for (unsigned i = 0; i < PATIENCE_MS * 10 && reply.token != c->token; i++) {
		take_events();
		nap(100);
	}
	check_int(reply.token, c->token);
	return reply.result;
}

static void *run(void *worker)
{
	worker_run(worker);
	return NULL;
}

/* One packet of the phone `n` to a leg of `worker`, handed to it as another worker would. */
static void hand(unsigned worker, uint32_t index, unsigned n, uint16_t seq)
{
	struct net_own own = {.ip4 = true, .mac = {2, 0, 0, 0, 1, 1}, .ip4_addr = {10, 1, 2, 10}};
	uint16_t port = (uint16_t)(WORLD_RTP_FIRST + 2 * (WORLD_LEGS * worker + index));
	struct rte_mbuf *m = rte_pktmbuf_alloc(frames);
	struct net_head h;

	check(m != NULL);
	net_head_make(&h, &own, 4, (uint16_t)(4000 + 2 * n), port_own(w.port)->ip4_addr, port,
		      port_own(w.port)->mac);

	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(h.len + RTP_HEADER_LEN + 160));

	check(p != NULL);
	memset(p + h.len, 0xd5, RTP_HEADER_LEN + 160);
	rtp_build(p + h.len, 0, false, seq, (uint32_t)seq * 160, 0x1000 + n);
	net_head_write(&h, p, RTP_HEADER_LEN + 160);
	while (!port_handoff(port_lane(w.port, (uint16_t)worker), (uint16_t)worker, m)) {
		take_events();
		nap(100);
	}
	port_handoff_flush(port_lane(w.port, 0), UINT64_C(1) << worker);
}

static uint64_t counters_read(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w.workers; i++) {
		const struct worker *k = w.worker[i];

		sum += atomic_load_explicit(&k->turns, memory_order_relaxed);
		for (unsigned f = 0; f < FATE_COUNT; f++)
			sum += atomic_load_explicit(&k->fate[f], memory_order_relaxed);
		for (unsigned s = 0; s < STAGE_COUNT; s++)
			sum += atomic_load_explicit(&k->stage[s].cycles, memory_order_relaxed);
		sum += atomic_load_explicit(&k->busy_ns, memory_order_relaxed);
		sum += spsc_held(&k->event);
	}
	return sum;
}

static void leg_open(unsigned worker, struct call_ref call, uint32_t index, uint32_t generation,
		     unsigned phone)
{
	struct worker_command c = {.kind = COMMAND_LEG_OPEN, .call = call};

	c.leg = (struct leg_ref){WORLD_LEGS * worker + index, generation};
	c.leg_open = world_config(NULL);
	c.leg_open.remote.family = 4;
	memcpy(c.leg_open.remote.ip, (uint8_t[4]){10, 1, 2, 10}, 4);
	c.leg_open.remote.port = (uint16_t)(4000 + 2 * phone);
	check_int(command(worker, &c), 0);
	c = (struct worker_command){.kind = COMMAND_NEIGHBOUR, .neighbour = {.family = 4}};
	memcpy(c.neighbour.ip, (uint8_t[4]){10, 1, 2, 10}, 4);
	c.neighbour.mac[0] = 2;
	check_int(command(worker, &c), 0);
}

static void leg_close(unsigned worker, uint32_t index, uint32_t generation)
{
	struct worker_command c = {.kind = COMMAND_LEG_CLOSE};

	c.leg = (struct leg_ref){WORLD_LEGS * worker + index, generation};
	check_int(command(worker, &c), 0);
}

/* A call on each worker, from open to close, with packets, a capture and readers of its counters. */
static void round_run(uint32_t generation)
{
	for (unsigned k = 0; k < w.workers; k++) {
		struct call_ref call = {0, generation};
		struct worker_command c = {.kind = COMMAND_CALL_OPEN, .call = call};
		struct capture *look = capture_create();
		struct capture_packet p;
		unsigned seen = 0;

		check_int(command(k, &c), 0);
		leg_open(k, call, 0, generation, 0);
		leg_open(k, call, 1, generation, 1);
		c = (struct worker_command){.kind = COMMAND_CALL_HEAR, .call = call};
		c.hear.whole = true;
		c.hear.n = 1;
		c.hear.entry[0] = (struct hear_entry){WORLD_LEGS * k + 1, WORLD_LEGS * k, 0};
		check_int(command(k, &c), 0);
		look->packets_max = 1000000;
		c = (struct worker_command){
			.kind = COMMAND_CAPTURE_SET, .call = call, .capture = look};
		check_int(command(k, &c), 0);
		for (uint16_t i = 0; i < PACKETS / ROUNDS / 2; i++) {
			hand(k, 0, 0, i);
			check(counters_read() > 0);
			take_events();
			while (spsc_get(&look->ring, &p))
				seen++;
			if (i % 64 == 63)
				nap(2000); /* it falls asleep, and is woken */
		}
		/* What was handed over last is still on its way, longer under a sanitizer. */
		for (unsigned i = 0; i < 2500 && seen < PACKETS / ROUNDS / 2; i++) {
			take_events();
			while (spsc_get(&look->ring, &p))
				seen++;
			nap(2000);
		}
		c = (struct worker_command){.kind = COMMAND_CAPTURE_SET, .call = call};
		check_int(command(k, &c), 0);
		while (spsc_get(&look->ring, &p))
			seen++;
		check(seen >= PACKETS / ROUNDS / 2);
		capture_destroy(look);
		leg_close(k, 0, generation);
		leg_close(k, 1, generation);
		c = (struct worker_command){.kind = COMMAND_CALL_CLOSE, .call = call};
		check_int(command(k, &c), 0);
	}
}

static void workers_and_main_share_only_what_they_should(void)
{
	pthread_t thread[2];
	uint64_t relayed;

	world_open(&w, 2, 2, NULL);
	frames = rte_pktmbuf_pool_create("frames", 8191, 0, 0, 2176, SOCKET_ID_ANY);
	check(frames != NULL);
	for (unsigned i = 0; i < w.workers; i++)
		check_int(pthread_create(&thread[i], NULL, run, w.worker[i]), 0);
	for (uint32_t g = 1; g <= ROUNDS; g++)
		round_run(g);
	for (unsigned i = 0; i < w.workers; i++) {
		atomic_store_explicit(&w.worker[i]->stop, true, memory_order_release);
		worker_wake(w.worker[i]);
		pthread_join(thread[i], NULL);
	}
	take_events();
	relayed = world_fate(&w, FATE_RELAYED);
	check(relayed >= PACKETS - PACKETS / 10 && relayed <= PACKETS);
	check(events[EVENT_LEG_MEDIA] == ROUNDS * 2);
	world_release(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(workers_and_main_share_only_what_they_should),
};
CHECK_MAIN(cases)
