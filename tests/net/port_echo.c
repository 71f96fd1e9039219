/* SPDX-License-Identifier: Apache-2.0
 *
 * port_echo SPEC [WORKERS]: a port with the smallest imaginable application behind it, for tests of
 * ports alone. Each UDP packet in 20000-20999 goes back to where it came from, by the link address
 * that the port's neighbour resolution finds (never by the one it came from). SIGTERM ends it; it
 * prints `received sent` then.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/log.h"
#include "base/units.h"
#include "port/port.h"
#include "port/port_eal.h"
#include "port/port_pool.h"

struct peer {
	_Atomic bool known;
	uint8_t family;
	uint8_t ip[16], mac[6];
};

struct echo {
	struct port_lane *lane;
	struct peer *peer; /* one for all: the test has one peer */
	_Atomic bool *stop;
	uint64_t received, sent;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * PB_NS_PER_S + (uint64_t)t.tv_nsec;
}

static void learnt(void *arg, uint8_t family, const uint8_t *ip, const uint8_t mac[6])
{
	struct peer *p = arg;

	(void)family;
	(void)ip;
	memcpy(p->mac, mac, 6);
	atomic_store(&p->known, true);
}

static void echo_one(struct echo *e, struct rte_mbuf *m)
{
	struct port_lane *l = e->lane;
	struct net_head h;
	struct net_view v;
	enum net_verdict verdict =
		net_parse(&v, l->own, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m));

	if (verdict == NET_LOCAL && port_local(l, m))
		return;
	if (verdict != NET_UDP || !atomic_load(&e->peer->known)) {
		if (verdict == NET_UDP && e->peer->family == 0) {
			memcpy(e->peer->ip, v.src_ip, v.family == 4 ? 4 : 16);
			e->peer->family = v.family; /* main polls it */
		}
		rte_pktmbuf_free(m);
		return;
	}
	e->received++;
	net_head_make(&h, l->own, v.family, v.dst_port, v.src_ip, v.src_port, e->peer->mac);
	rte_pktmbuf_adj(m, v.payload_at);
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_data_len(m) - v.payload_len));
	net_head_write(&h, (uint8_t *)rte_pktmbuf_prepend(m, h.len), v.payload_len);
	if (port_send(l, &m, 1) == 1)
		e->sent++;
	else
		rte_pktmbuf_free(m);
}

static int echo_run(void *arg)
{
	struct echo *e = arg;

	while (!atomic_load_explicit(e->stop, memory_order_acquire)) {
		struct rte_mbuf *m[PORT_BURST_MAX];
		uint16_t handed, n = port_receive(e->lane, m, PORT_BURST_MAX, &handed);

		for (uint16_t i = 0; i < n; i++)
			echo_one(e, m[i]);
		port_send_others(e->lane);
		if (n == 0) {
			bell_drowse(e->lane->bell);
			port_wait(e->lane, PB_NS_PER_S);
		}
	}
	return 0;
}

static void house(struct port *port, struct peer *peer)
{
	while (!stopped) {
		struct pollfd fd = {.fd = port_fd(port), .events = POLLIN};

		(void)poll(&fd, 1, 100);
		port_house(port, now_ns());
		if (peer->family != 0 && !atomic_load(&peer->known))
			port_neighbour_want(port, peer->family, peer->ip, now_ns());
	}
}

int main(int argc, char **argv)
{
	struct port_eal_config eal = {.memory_bytes = 64 << 20};
	struct echo echo[PORT_WORKERS_MAX] = {0};
	struct port_spec spec;
	struct port *port;
	struct peer peer = {.family = 0};
	_Atomic bool stop_all = false;
	char why[200];
	uint16_t workers = (uint16_t)(argc > 2 ? atoi(argv[2]) : 1);

	log_setup("port_echo", LOG_LEVEL_INFO);
	if (argc < 2 || port_spec_parse(&spec, argv[1], why, sizeof(why)) < 0) {
		fprintf(stderr, "usage: port_echo SPEC [WORKERS]: %s\n", argc < 2 ? "" : why);
		return 2;
	}
	eal.workers = workers;
	if (port_eal_start(&eal) < 0)
		return 1;

	struct port_config cfg = {
		.workers = workers,
		.rtp_first = 20000,
		.rtp_last = 20999,
		.rx_slots = 2048,
		.tx_slots = 2048,
		.pool = port_pool_create("echo", 8191, port_pool_layout(spec.driver)),
	};

	if (cfg.pool == NULL || port_open(&port, &spec, &cfg) < 0)
		return 1;
	port_set_neighbour_fn(port, learnt, &peer);
	signal(SIGTERM, stop);
	for (uint16_t i = 0; i < workers; i++) {
		echo[i] = (struct echo){port_lane(port, i), &peer, &stop_all, 0, 0};
		rte_eal_remote_launch(echo_run, &echo[i], i + 1u);
	}
	house(port, &peer);
	atomic_store_explicit(&stop_all, true, memory_order_release);
	for (uint16_t i = 0; i < workers; i++)
		bell_ring(echo[i].lane->bell);
	rte_eal_mp_wait_lcore();
	for (uint16_t i = 1; i < workers; i++) {
		echo[0].received += echo[i].received;
		echo[0].sent += echo[i].sent;
	}
	printf("%llu %llu\n", (unsigned long long)echo[0].received,
	       (unsigned long long)echo[0].sent);
	port_close(&port);
	rte_mempool_free(cfg.pool);
	port_eal_stop();
	return 0;
}
