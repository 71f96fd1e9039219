/* SPDX-License-Identifier: Apache-2.0
 *
 * A port on rings: the test is the network. Three workers, two of which have a queue. */
#include "port/port.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/log.h"
#include "base/units.h"
#include "check.h"
#include "net/neigh.h"
#include "port/port_eal.h"
#include "port/port_memory.h"
#include "port/port_pool.h"

enum { WORKERS = 3, QUEUES = 2 };

static const struct net_own them = {
	.mac = {2, 0, 0, 0, 0, 9},
	.exclusive = true,
	.ip4 = true,
	.ip4_addr = {10, 1, 2, 9},
	.ip4_prefix = 24,
	.ip6 = true,
	.ip6_addr = {0xfd, [15] = 9},
	.ip6_prefix = 64,
};

/* The world that each case sets up for itself. */
struct world {
	struct rte_mempool *pool;
	struct port *port;
	struct port_config cfg;
	unsigned told;
	uint8_t told_family, told_ip[16], told_mac[6];
};

static void told(void *arg, uint8_t family, const uint8_t *ip, const uint8_t mac[6])
{
	struct world *w = arg;

	w->told++;
	w->told_family = family;
	memcpy(w->told_ip, ip, family == 4 ? 4 : 16);
	memcpy(w->told_mac, mac, 6);
}

static void world_open(struct world *w)
{
	struct port_spec spec;
	char why[200];

	memset(w, 0, sizeof(*w));
	w->pool = rte_mempool_lookup("test");
	if (w->pool == NULL)
		w->pool = port_pool_create("test", 2047, port_pool_layout(PORT_RING));
	check(w->pool != NULL);
	w->cfg = (struct port_config){
		.workers = WORKERS,
		.rtp_first = 20000,
		.rtp_last = 20999,
		.rx_slots = 64,
		.tx_slots = 64,
		.pool = w->pool,
	};
	for (unsigned i = 0; i < QUEUES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "in%u", i);
		w->cfg.to_engine[i] = rte_ring_create(name, 64, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "out%u", i);
		w->cfg.from_engine[i] = rte_ring_create(name, 64, SOCKET_ID_ANY, 0);
	}
	check_int(port_spec_parse(&spec,
				  "ring:,ip=10.1.2.3/24,gw=10.1.2.9,ip6=fd00::3/64,"
				  "mac=02:00:00:00:00:03",
				  why, sizeof(why)),
		  0);
	check_int(port_open(&w->port, &spec, &w->cfg), 0);
	port_set_neighbour_fn(w->port, told, w);
}

static void world_close(struct world *w)
{
	struct rte_mbuf *m;

	port_close(&w->port);
	for (unsigned i = 0; i < QUEUES; i++) {
		while (rte_ring_dequeue(w->cfg.from_engine[i], (void **)&m) == 0)
			rte_pktmbuf_free(m);
		rte_ring_free(w->cfg.to_engine[i]);
		rte_ring_free(w->cfg.from_engine[i]);
	}
	check_int(rte_mempool_in_use_count(w->pool), 0); /* nothing was lost on the way */
}

static struct rte_mbuf *frame_make(const struct world *w, uint8_t mark)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);

	check(m != NULL);

	char *bytes = rte_pktmbuf_append(m, 60);

	check(bytes != NULL);
	memset(bytes, mark, 60);
	return m;
}

static uint8_t frame_take(struct rte_ring *from)
{
	struct rte_mbuf *m;
	uint8_t mark;

	check_int(rte_ring_dequeue(from, (void **)&m), 0);
	mark = *rte_pktmbuf_mtod(m, uint8_t *);
	rte_pktmbuf_free(m);
	return mark;
}

/* What a worker does with a frame that is LOCAL, then the main lcore. */
static void carry_local(struct world *w, uint64_t now_ns)
{
	struct port_lane *l = port_lane(w->port, 0);
	struct rte_mbuf *m[PORT_BURST_MAX];
	uint16_t handed, n = port_receive(l, m, PORT_BURST_MAX, &handed);
	struct pollfd fd = {.fd = port_fd(w->port), .events = POLLIN};

	check(n > 0);
	for (uint16_t i = 0; i < n; i++) {
		struct net_view v;

		check_int(net_parse(&v, l->own, rte_pktmbuf_mtod(m[i], uint8_t *),
				    rte_pktmbuf_data_len(m[i])),
			  NET_LOCAL);
		check(port_local(l, m[i]));
	}
	check_int(poll(&fd, 1, 0), 1);
	port_house(w->port, now_ns);
	check_int(poll(&fd, 1, 0), 0);
	port_send_others(l);
}

/* Take the question that the engine sent and put the network's answer in. */
static void answer_as(struct world *w, const struct net_own *who)
{
	struct rte_mbuf *m;
	struct neigh_news news;

	check_int(rte_ring_dequeue(w->cfg.from_engine[0], (void **)&m), 0);
	neigh_local(&news, who, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m), 200);
	check(news.reply);
	m->data_len = news.len;
	m->pkt_len = news.len;
	check_int(rte_ring_enqueue(w->cfg.to_engine[0], m), 0);
}

static void answer(struct world *w)
{
	answer_as(w, &them);
}

static void a_neighbour_is_asked_for_and_told(void)
{
	static const struct {
		uint8_t family, ip[16];
	} rows[] = {
		{4, {10, 1, 2, 9}},   /* on the link */
		{4, {192, 0, 2, 77}}, /* by the gateway */
		{6, {0xfd, [15] = 9}},
	};

	for (unsigned i = 0; i < 3; i++) {
		struct world w;

		world_open(&w);
		port_neighbour_want(w.port, rows[i].family, rows[i].ip, PB_NS_PER_S);
		port_neighbour_want(w.port, rows[i].family, rows[i].ip, PB_NS_PER_S + 1);
		port_send_others(port_lane(w.port, 0));
		check_int(w.told, 0);
		answer(&w);
		check_int(rte_ring_count(w.cfg.from_engine[0]), 0); /* asked once, not twice */
		carry_local(&w, PB_NS_PER_S + 2);
		check_int(w.told, 1);
		check_int(w.told_family, rows[i].family);
		check(memcmp(w.told_ip, rows[i].ip, rows[i].family == 4 ? 4 : 16) == 0);
		check(memcmp(w.told_mac, them.mac, 6) == 0);

		port_neighbour_want(w.port, rows[i].family, rows[i].ip, PB_NS_PER_S + 3);
		check_int(w.told, 2); /* known: told at once */
		port_neighbour_used(w.port, rows[i].family, rows[i].ip, PB_NS_PER_S + 4);
		check_int(w.told, 2); /* who sends there knows it */
		world_close(&w);
	}
}

/* Two destinations behind one gateway, which is then replaced by another box. */
static void a_gateway_that_was_replaced_is_found_out(void)
{
	const uint8_t ip[2][4] = {{192, 0, 2, 77}, {198, 51, 100, 1}};
	struct net_own another = them;
	struct rte_mbuf *m;
	struct world w;
	uint64_t now = PB_NS_PER_S;
	unsigned asked = 0;

	another.mac[5] = 0x77;
	world_open(&w);
	for (unsigned i = 0; i < 2; i++) {
		port_neighbour_want(w.port, 4, ip[i], now);
		port_send_others(port_lane(w.port, 0));
		answer(&w);
		carry_local(&w, now);
	}
	check_int(w.told, 2);
	for (unsigned t = 0; t < 290; t++) {
		port_house(w.port, now += 100 * PB_NS_PER_MS);
		port_send_others(port_lane(w.port, 0));
		check_int(rte_ring_count(w.cfg.from_engine[0]), 0); /* not before its time */
	}
	for (unsigned t = 0; t < 20; t++) {
		port_house(w.port, now += 100 * PB_NS_PER_MS);
		port_send_others(port_lane(w.port, 0));
		asked += rte_ring_count(w.cfg.from_engine[0]);
		while (rte_ring_count(w.cfg.from_engine[0]) > 0) {
			answer_as(&w, &another);
			carry_local(&w, now);
		}
	}
	check_int(asked, 1); /* one question for the gateway, not one each */
	check_int(w.told, 4);
	check(memcmp(w.told_mac, another.mac, 6) == 0);
	while (rte_ring_dequeue(w.cfg.from_engine[0], (void **)&m) == 0)
		rte_pktmbuf_free(m);
	world_close(&w);
}

static void silence_is_asked_again_but_not_for_ever(void)
{
	const uint8_t ip[4] = {10, 1, 2, 50};
	struct world w;
	unsigned asked = 0;

	world_open(&w);
	port_neighbour_want(w.port, 4, ip, PB_NS_PER_S);
	for (uint64_t t = 1; t < 300; t++) {
		struct rte_mbuf *m;

		port_house(w.port, PB_NS_PER_S + t * 100 * PB_NS_PER_MS);
		port_send_others(port_lane(w.port, 0));
		while (rte_ring_dequeue(w.cfg.from_engine[0], (void **)&m) == 0) {
			rte_pktmbuf_free(m);
			asked++;
		}
	}
	check_int(w.told, 0);
	check_int(asked, 20);
	world_close(&w);
}

static void an_echo_is_answered_by_the_main_lcore(void)
{
	struct world w;
	struct net_head h;
	struct rte_mbuf *m;

	world_open(&w);
	m = frame_make(&w, 0); /* 60 bytes: more than the 50 that are used */
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	net_head_make(&h, &them, 4, 0, port_own(w.port)->ip4_addr, 0, port_own(w.port)->mac);
	net_head_write(&h, p, 8);
	p[23] = 1;
	be16_put(p + 24, 0);
	be16_put(p + 24, net_sum_fold(net_sum(0, p + 14, 20)));
	memset(p + 34, 0, 16);
	p[34] = 8;
	be16_put(p + 36, net_sum_fold(net_sum(0, p + 34, 16)));
	rte_ring_enqueue(w.cfg.to_engine[0], m);
	carry_local(&w, PB_NS_PER_S);
	check_int(rte_ring_dequeue(w.cfg.from_engine[0], (void **)&m), 0);
	check_int(*rte_pktmbuf_mtod_offset(m, uint8_t *, 34), 0);
	rte_pktmbuf_free(m);
	world_close(&w);
}

static void a_frame_goes_to_the_worker_that_owns_it(void)
{
	struct world w;
	struct rte_mbuf *m[PORT_BURST_MAX];
	uint16_t handed;

	world_open(&w);
	for (uint8_t to = 1; to < WORKERS; to++) {
		check(port_handoff(port_lane(w.port, 0), to, frame_make(&w, to)));
		port_handoff_flush(port_lane(w.port, 0), UINT64_C(1) << to);
		check_int(port_receive(port_lane(w.port, to), m, PORT_BURST_MAX, &handed), 1);
		check_int(handed, 1);
		check_int(*rte_pktmbuf_mtod(m[0], uint8_t *), to);
		rte_pktmbuf_free(m[0]);
	}
	for (unsigned i = 0; i < PORT_HANDOFF_SLOTS - 1; i++)
		check(port_handoff(port_lane(w.port, 0), 1, frame_make(&w, 1)));
	m[0] = frame_make(&w, 1);
	check(!port_handoff(port_lane(w.port, 0), 1, m[0])); /* full: ours still */
	rte_pktmbuf_free(m[0]);
	world_close(&w);
}

static void a_worker_without_a_queue_sends_by_another(void)
{
	struct world w;
	struct rte_mbuf *m;

	world_open(&w);
	check(!port_lane(w.port, 2)->has_queue && port_lane(w.port, 1)->has_queue);
	m = frame_make(&w, 42);
	check_int(port_send(port_lane(w.port, 2), &m, 1), 1);
	check_int(rte_ring_count(w.cfg.from_engine[0]), 0);
	check_int(port_send_others(port_lane(w.port, 0)), 0);
	check_int(frame_take(w.cfg.from_engine[0]), 42);

	m = frame_make(&w, 43);
	check_int(port_send(port_lane(w.port, 1), &m, 1), 1);
	check_int(frame_take(w.cfg.from_engine[1]), 43);
	world_close(&w);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * PB_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Lane 2 has no queue, so only its bell and its rings can end the sleep. */
static void sleep_ends_by_bell_work_or_time(void)
{
	struct world w;
	struct port_lane *l;
	uint64_t t;

	world_open(&w);
	l = port_lane(w.port, 2);

	bell_drowse(l->bell);
	t = now_ns();
	port_wait(l, 20 * PB_NS_PER_MS);
	check(now_ns() - t >= 19 * PB_NS_PER_MS);

	bell_ring(l->bell); /* awake: costs nothing, and is not remembered */
	bell_drowse(l->bell);
	t = now_ns();
	port_wait(l, 20 * PB_NS_PER_MS);
	check(now_ns() - t >= 19 * PB_NS_PER_MS);

	bell_drowse(l->bell);
	bell_ring(l->bell);
	t = now_ns();
	port_wait(l, 5 * PB_NS_PER_S);
	check(now_ns() - t < PB_NS_PER_S);

	bell_drowse(l->bell);
	check(port_handoff(port_lane(w.port, 0), 2, frame_make(&w, 1)));
	t = now_ns();
	port_wait(l, 5 * PB_NS_PER_S);
	check(now_ns() - t < PB_NS_PER_S);
	world_close(&w);
}

static void lists_of_cpus_are_read(void)
{
	uint16_t cpu[4];

	check_int(port_eal_parse_cpus("1", cpu, 4), 1);
	check_int(port_eal_parse_cpus("0,2-3", cpu, 4), 3);
	check(cpu[0] == 0 && cpu[1] == 2 && cpu[2] == 3);
	check_int(port_eal_parse_cpus("", cpu, 4), -EINVAL);
	check_int(port_eal_parse_cpus("1,", cpu, 4), -EINVAL);
	check_int(port_eal_parse_cpus("3-1", cpu, 4), -EINVAL);
	check_int(port_eal_parse_cpus("0-4", cpu, 4), -EINVAL);
	check_int(port_eal_parse_cpus("1x", cpu, 4), -EINVAL);
}

/* The AF_XDP driver shows the kernel `count x object size` bytes from the first object on; with gaps
 * between objects the last of them, which this pool gives out first, were not among these. */
static void no_packet_lies_outside_what_the_kernel_is_shown(void)
{
	enum { N = 1000 };
	static struct rte_mbuf *m[N];
	struct rte_mempool *pool = port_pool_create("pages", N, port_pool_layout(PORT_AF_XDP));
	uintptr_t low = UINTPTR_MAX, high = 0;

	check(pool != NULL);
	check_int(pool->nb_mem_chunks, 1);
	check_int(rte_pktmbuf_alloc_bulk(pool, m, N), 0);
	for (unsigned i = 0; i < N; i++) {
		uintptr_t at = (uintptr_t)m[i] - pool->header_size;

		low = at < low ? at : low;
		high = at > high ? at : high;
		check_int(at % 4096, 0); /* and none crosses a page */
	}
	check_int(high - low, (N - 1) * (uintptr_t)rte_mempool_calc_obj_size(pool->elt_size,
									     pool->flags, NULL));
	check(rte_pktmbuf_tailroom(m[0]) >= PORT_POOL_ROOM_MIN);
	rte_pktmbuf_free(m[7]);
	check(rte_pktmbuf_alloc(pool) == m[7]); /* the last freed comes first */
	rte_pktmbuf_free_bulk(m, N);
	rte_mempool_free(pool);
}

/* The kernel has been asked for large pages in the mapping that holds `at` (proc(5), smaps). */
static bool is_advised(const void *at)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	uintptr_t where = (uintptr_t)at, from, to;
	bool here = false, advised = false;
	char line[512];

	check(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			here = where >= from && where < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			advised = strstr(line, " hg") != NULL;
	}
	fclose(f);
	return advised;
}

static void tables_and_packets_lie_on_large_pages(void)
{
	enum { BYTES = 5 << 20, N = 1000 };
	uint8_t *table = port_memory_take(BYTES, SOCKET_ID_ANY), *again;
	struct rte_mempool *pool = port_pool_create("large", N, port_pool_layout(PORT_RING));
	struct rte_mbuf *m;

	check(table != NULL && pool != NULL);
	check_int((uintptr_t)table % 64, 0);
	for (unsigned i = 0; i < BYTES; i++)
		check(table[i] == 0);
	memset(table, 0xff, BYTES);
	m = rte_pktmbuf_alloc(pool);
	check(is_advised(table));
	check(is_advised(m));
	rte_pktmbuf_free(m);
	rte_mempool_free(pool);
	port_memory_put(table);
	again = port_memory_take(BYTES, SOCKET_ID_ANY);
	check(again != NULL && again[BYTES - 1] == 0);
	port_memory_put(again);
	port_memory_put(NULL);
	check(port_memory_take(SIZE_MAX / 2, SOCKET_ID_ANY) == NULL);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_neighbour_is_asked_for_and_told),
	CHECK_CASE(a_gateway_that_was_replaced_is_found_out),
	CHECK_CASE(silence_is_asked_again_but_not_for_ever),
	CHECK_CASE(an_echo_is_answered_by_the_main_lcore),
	CHECK_CASE(a_frame_goes_to_the_worker_that_owns_it),
	CHECK_CASE(a_worker_without_a_queue_sends_by_another),
	CHECK_CASE(sleep_ends_by_bell_work_or_time),
	CHECK_CASE(lists_of_cpus_are_read),
	CHECK_CASE(no_packet_lies_outside_what_the_kernel_is_shown),
	CHECK_CASE(tables_and_packets_lie_on_large_pages),
};

int main(void)
{
	int failed;

	log_setup("port_test", LOG_LEVEL_WARN);
	if (port_eal_start(&(struct port_eal_config){.memory_bytes = 64 << 20}) < 0)
		return 1;
	failed = check_run(cases, sizeof(cases) / sizeof(cases[0]));
	port_eal_stop();
	return failed;
}
