/* SPDX-License-Identifier: Apache-2.0
 *
 * port_flood SPEC KIND IP PORT PPS SECONDS: a bounded flood for tests, sent by a port of our own.
 * KIND is what it is made of:
 *
 *	rtp        RTP with SSRC, sequence and timestamp that go on, from one source port
 *	strangers  the same, each packet from another source port
 *	rubbish    UDP with random payloads and lengths
 *	broken     frames whose IP or UDP lengths lie
 *	arp, echo  questions for IP's link address, echo requests
 *
 * Ends after SECONDS (at most 60) or by SIGTERM; prints how many frames the port took. Never sends
 * more than 1,000,000 frames.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/log.h"
#include "base/units.h"
#include "net/neigh.h"
#include "port/port.h"
#include "port/port_eal.h"
#include "port/port_pool.h"
#include "rtp/rtp.h"

enum { FRAMES_MAX = 1000000, SECONDS_MAX = 60, PAYLOAD = 172, RESOLVE_MS = 5000 };

struct flood {
	struct port *port;
	struct rte_mempool *pool;
	const char *kind;
	uint8_t ip[4], mac[6];
	uint16_t to;
	bool known;
	uint64_t random;
	uint32_t made;
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
	struct flood *f = arg;

	(void)family;
	(void)ip;
	memcpy(f->mac, mac, 6);
	f->known = true;
}

static uint32_t any(struct flood *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return (uint32_t)(f->random >> 16);
}

static bool is(const struct flood *f, const char *kind)
{
	return strcmp(f->kind, kind) == 0;
}

/* An echo request of 64 bytes in what is a UDP frame so far. */
static void make_echo(uint8_t *p)
{
	uint8_t *icmp = p + NET_ETHER_BYTES + NET_IP4_BYTES;

	p[NET_ETHER_BYTES + 9] = NET_PROTO_ICMP;
	be16_put(p + NET_ETHER_BYTES + 10, 0);
	be16_put(p + NET_ETHER_BYTES + 10, net_sum_fold(net_sum(0, p + NET_ETHER_BYTES, 20)));
	memset(icmp, 0, 8);
	icmp[0] = 8;
	be16_put(icmp + 2, net_sum_fold(net_sum(0, icmp, PAYLOAD + 8)));
}

static uint16_t fill(struct flood *f, uint8_t *p)
{
	uint16_t from = is(f, "strangers") ? (uint16_t)(1024 + any(f) % 60000) : 4000;
	uint16_t len = is(f, "rubbish") ? (uint16_t)(any(f) % 300) : PAYLOAD;
	struct net_head h;

	if (is(f, "arp"))
		return neigh_ask(port_own(f->port), 4, f->ip, p);
	net_head_make(&h, port_own(f->port), 4, from, f->ip, f->to, f->mac);
	for (uint16_t i = 0; i < len; i++)
		p[h.len + i] = is(f, "rubbish") ? (uint8_t)any(f) : 0x55;
	if (!is(f, "rubbish"))
		rtp_build(p + h.len, 0, false, (uint16_t)f->made, f->made * 160, 0x666);
	net_head_write(&h, p, len);
	if (is(f, "broken"))
		p[NET_ETHER_BYTES + (any(f) & 1 ? 3 : NET_IP4_BYTES + 5)] ^=
			(uint8_t)(1 + any(f) % 255);
	if (is(f, "echo"))
		make_echo(p);
	return (uint16_t)(h.len + len);
}

static struct rte_mbuf *make(struct flood *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(f->pool);

	if (m == NULL)
		return NULL;
	m->data_len = fill(f, rte_pktmbuf_mtod(m, uint8_t *));
	m->pkt_len = m->data_len;
	f->made++;
	return m;
}

/* Take in what comes, for ARP must go on. */
static void serve(struct flood *f)
{
	struct rte_mbuf *m[PORT_BURST_MAX];
	struct port_lane *l = port_lane(f->port, 0);
	struct net_view v;
	uint16_t handed, n = port_receive(l, m, PORT_BURST_MAX, &handed);

	for (uint16_t i = 0; i < n; i++)
		if (net_parse(&v, l->own, rte_pktmbuf_mtod(m[i], uint8_t *),
			      rte_pktmbuf_data_len(m[i])) != NET_LOCAL ||
		    !port_local(l, m[i]))
			rte_pktmbuf_free(m[i]);
	port_house(f->port, now_ns());
	port_send_others(l);
}

static bool resolve(struct flood *f)
{
	uint64_t end = now_ns() + RESOLVE_MS * PB_NS_PER_MS;

	while (!f->known && !stopped && now_ns() < end) {
		port_neighbour_want(f->port, 4, f->ip, now_ns());
		serve(f);
		(void)poll(NULL, 0, 1);
	}
	return f->known;
}

static uint32_t run(struct flood *f, uint32_t pps, uint32_t seconds)
{
	uint64_t begin = now_ns(), end = begin + seconds * PB_NS_PER_S, now;
	uint32_t sent = 0;

	while (!stopped && (now = now_ns()) < end && f->made < FRAMES_MAX) {
		uint64_t due = (now - begin) * pps / PB_NS_PER_S;
		struct rte_mbuf *m;

		serve(f);
		for (unsigned i = 0; i < PORT_BURST_MAX && f->made < due; i++) {
			m = make(f);
			if (m == NULL)
				break;
			if (port_send(port_lane(f->port, 0), &m, 1) == 1)
				sent++;
			else
				rte_pktmbuf_free(m);
		}
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct flood f = {.random = 88172645463325252u};
	struct port_eal_config eal = {.workers = 1, .memory_bytes = 64 << 20};
	struct port_spec spec;
	char why[200] = "";
	uint32_t pps, seconds;

	log_setup("port_flood", LOG_LEVEL_WARN);
	if (argc != 7 || port_spec_parse(&spec, argv[1], why, sizeof(why)) < 0 ||
	    inet_pton(AF_INET, argv[3], f.ip) != 1) {
		fprintf(stderr, "usage: port_flood SPEC KIND IP PORT PPS SECONDS: %s\n", why);
		return 2;
	}
	f.kind = argv[2];
	f.to = (uint16_t)atoi(argv[4]);
	pps = (uint32_t)atoi(argv[5]);
	seconds = (uint32_t)atoi(argv[6]);
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	if (port_eal_start(&eal) < 0)
		return 1;

	struct port_config cfg = {
		.workers = 1,
		.rtp_first = 4000,
		.rtp_last = 4001,
		.rx_slots = 1024,
		.tx_slots = 1024,
		.pool = port_pool_create("flood", 8191, port_pool_layout(spec.driver)),
	};

	f.pool = cfg.pool;
	if (cfg.pool == NULL || port_open(&f.port, &spec, &cfg) < 0)
		return 1;
	port_set_neighbour_fn(f.port, learnt, &f);
	signal(SIGTERM, stop);
	if (!resolve(&f))
		fprintf(stderr, "port_flood: nobody has %s\n", argv[3]);
	else
		printf("%u\n", run(&f, pps, seconds));
	port_close(&f.port);
	port_eal_stop();
	return f.known ? 0 : 1;
}
