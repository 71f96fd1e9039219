/* SPDX-License-Identifier: Apache-2.0
 *
 * One loop: send what is due, take what has come. The other side listens on the memif's socket; this one is
 * its client and leaves first, because a memif server may crash when its client is gone while it
 * still sends (DPDK 22.11).
 */
#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "gen_line.h"
#include "net/net.h"

enum {
	BURST = 64,
	RING = 2048,
	PACKETS = 16383,
	CONNECT_MS = 5000,
	ARP_BYTES = 42,
	ETH_ARP = 0x0806,
};

struct memif {
	struct gen_line *line;
	struct rte_mempool *pool;
	pthread_t thread;
	bool running;
	int cpu;
	uint16_t port;
};

/* Frames that are due, at most a burst of them. */
static unsigned due(struct memif *m, uint64_t now, struct rte_mbuf **burst)
{
	struct gen_clockwork *c = m->line->clock;
	unsigned n = 0;

	while (n < BURST && c->next < c->slots &&
	       now >= c->begin_ns + c->next * c->round_ns / c->per_round) {
		struct gen_slot *s = &m->line->film[c->next];

		if (s->len > 0) {
			struct rte_mbuf *b = rte_pktmbuf_alloc(m->pool);

			if (b == NULL)
				break;
			memcpy(rte_pktmbuf_append(b, s->len), s->frame, s->len);
			s->sent_ns = now;
			burst[n++] = b;
		}
		c->next++;
	}
	return n;
}

/* "Who has": we have, whatever the address. */
static void arp_answer(struct memif *m, struct rte_mbuf *b)
{
	uint8_t *p = rte_pktmbuf_mtod(b, uint8_t *), ip[4];

	if (rte_pktmbuf_data_len(b) < ARP_BYTES || be16_get(p + 20) != 1) {
		rte_pktmbuf_free(b);
		return;
	}
	memcpy(ip, p + 38, 4);
	memcpy(p, p + 6, 6);
	memcpy(p + 6, m->line->mac, 6);
	be16_put(p + 20, 2);
	memcpy(p + 32, p + 22, 10); /* the asker is the target now */
	memcpy(p + 22, m->line->mac, 6);
	memcpy(p + 28, ip, 4);
	if (rte_eth_tx_burst(m->port, 0, &b, 1) == 0)
		rte_pktmbuf_free(b);
}

static void hear(struct memif *m, struct rte_mbuf *b, uint64_t now)
{
	struct gen_clockwork *c = m->line->clock;
	const uint8_t *p = rte_pktmbuf_mtod(b, const uint8_t *);
	uint16_t len = rte_pktmbuf_data_len(b);

	if (len > GEN_ETH_BYTES && be16_get(p + 12) == ETH_ARP) {
		arp_answer(m, b);
		return;
	}
	if (len > GEN_ETH_BYTES + NET_IP4_BYTES && now >= c->begin_ns && now < c->end_ns &&
	    c->heard++ < m->line->log_max) {
		struct gen_heard *h = &m->line->log[c->heard - 1];

		h->heard_ns = now;
		h->len = (uint16_t)(len - GEN_ETH_BYTES);
		if (h->len > GEN_HEARD_MAX)
			h->len = GEN_HEARD_MAX;
		h->kept = h->len;
		if (h->len > GEN_HEARD_SHORT && !c->whole && c->heard % GEN_WHOLE_EVERY != 0)
			h->kept = GEN_HEARD_SHORT;
		memcpy(h->packet, p + GEN_ETH_BYTES, h->kept);
	}
	rte_pktmbuf_free(b);
}

static void *play(void *arg)
{
	struct memif *m = arg;
	struct rte_mbuf *burst[BURST];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)m->cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	(void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
	while (!__atomic_load_n(&m->line->clock->quit, __ATOMIC_RELAXED)) {
		unsigned n = due(m, gen_clock_ns(), burst), sent = 0;

		/* A full ring is the engine's lateness, not a loss: the frame's time of sending
		 * stands. */
		while (sent < n && !__atomic_load_n(&m->line->clock->quit, __ATOMIC_RELAXED))
			sent += rte_eth_tx_burst(m->port, 0, burst + sent, (uint16_t)(n - sent));
		rte_pktmbuf_free_bulk(burst + sent, n - sent);
		n = rte_eth_rx_burst(m->port, 0, burst, BURST);

		uint64_t now = n > 0 ? gen_clock_ns() : 0;

		for (unsigned i = 0; i < n; i++)
			hear(m, burst[i], now);
	}
	return NULL;
}

static bool start(struct gen_line *l)
{
	struct memif *m = l->kind;

	m->running = pthread_create(&m->thread, NULL, play, m) == 0;
	return m->running;
}

static bool stop(struct gen_line *l)
{
	struct memif *m = l->kind;

	if (m->running) {
		__atomic_store_n(&l->clock->quit, 1, __ATOMIC_RELAXED);
		pthread_join(m->thread, NULL);
		m->running = false;
	}
	return true;
}

static void memif_close(struct gen_line *l)
{
	struct memif *m = l->kind;

	if (m == NULL)
		return;
	(void)stop(l);
	(void)rte_eth_dev_stop(m->port);
	(void)rte_eth_dev_close(m->port);
	free(l->film);
	free(l->log);
	free(l->clock);
	free(m);
	l->kind = NULL;
}

static bool complain(const char *what)
{
	fprintf(stderr, "bench_gen: memif: %s\n", what);
	return false;
}

static bool eal_start(const char *socket)
{
	char vdev[300], prefix[64];
	char *argv[] = {(char[]){"bench_gen"},
			(char[]){"--no-huge"},
			(char[]){"-m"},
			(char[]){"128"},
			(char[]){"--no-pci"},
			(char[]){"--log-level=4"},
			(char[]){"-l"},
			(char[]){"0"},
			(char[]){"--no-telemetry"},
			prefix,
			(char[]){"--vdev"},
			vdev};

	snprintf(prefix, sizeof(prefix), "--file-prefix=bench_gen%d", (int)getpid());
	snprintf(vdev, sizeof(vdev),
		 "net_memif0,role=client,id=0,socket=%s,socket-abstract=no,bsize=2048,rsize=11,"
		 "mac=02:00:00:00:00:09",
		 socket);
	return rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])), argv) >= 0 ||
	       complain("DPDK does not start");
}

static bool connect_memif(struct memif *m)
{
	struct rte_eth_conf conf = {0};
	struct rte_eth_link link = {0};

	m->pool = rte_pktmbuf_pool_create("gen", PACKETS, 256, 0, 2176, SOCKET_ID_ANY);
	if (m->pool == NULL || rte_eth_dev_get_port_by_name("net_memif0", &m->port) != 0 ||
	    rte_eth_dev_configure(m->port, 1, 1, &conf) != 0 ||
	    rte_eth_rx_queue_setup(m->port, 0, RING, (unsigned)SOCKET_ID_ANY, NULL, m->pool) != 0 ||
	    rte_eth_tx_queue_setup(m->port, 0, RING, (unsigned)SOCKET_ID_ANY, NULL) != 0 ||
	    rte_eth_dev_start(m->port) != 0)
		return complain("the interface cannot be set up");
	for (unsigned ms = 0; ms < CONNECT_MS && link.link_status != RTE_ETH_LINK_UP; ms += 10) {
		usleep(10000);
		(void)rte_eth_link_get_nowait(m->port, &link);
	}
	return link.link_status == RTE_ETH_LINK_UP || complain("nobody answers at the socket");
}

bool gen_memif_open(struct gen_line *l, const char *socket, uint64_t slots, uint64_t log_max,
		    int cpu)
{
	struct memif *m = calloc(1, sizeof(*m));
	struct rte_ether_addr mac;

	*l = (struct gen_line){.slots = slots,
			       .log_max = log_max,
			       .start = start,
			       .stop = stop,
			       .close = memif_close,
			       .kind = m};
	if (m == NULL)
		return false;
	m->line = l;
	m->cpu = cpu;
	l->film = calloc(slots, sizeof(*l->film));
	l->log = calloc(log_max, sizeof(*l->log));
	l->clock = calloc(1, sizeof(*l->clock));
	if (l->film == NULL || l->log == NULL || l->clock == NULL)
		return complain("no memory for film and log");
	if (!eal_start(socket) || !connect_memif(m))
		return false;
	(void)rte_eth_macaddr_get(m->port, &mac);
	memcpy(l->mac, mac.addr_bytes, 6);
	return true;
}
