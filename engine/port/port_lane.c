/* SPDX-License-Identifier: Apache-2.0
 *
 * What a worker calls. Queue q belongs to worker q modulo the number of workers, so that a device
 * with more queues than workers loses nothing; with fewer, the last workers have none.
 */
#include <poll.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/units.h"
#include "port/port_priv.h"

enum { RING_PORT_SLEEP_NS = 500000 };

static void burst_begin(struct port_lane *l)
{
	if (l->guarded) {
		atomic_store_explicit(&l->in_burst, true, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
	}
}

static void burst_end(struct port_lane *l)
{
	if (l->guarded)
		atomic_store_explicit(&l->in_burst, false, memory_order_release);
}

static uint16_t transmit(struct port_lane *l, struct rte_mbuf **pkt, uint16_t n)
{
	uint16_t sent;

	burst_begin(l);
	sent = rte_eth_tx_burst(l->dev, l->queue, pkt, n);
	burst_end(l);
	return sent;
}

uint16_t port_receive(struct port_lane *l, struct rte_mbuf **pkt, uint16_t n, uint16_t *handed)
{
	uint16_t got = 0;

	if (l->workers > 1)
		got = (uint16_t)rte_ring_sc_dequeue_burst(l->handoff, (void **)pkt, n / 2, NULL);
	*handed = got;
	if (!l->has_queue)
		return got;
	burst_begin(l);
	for (uint16_t q = l->queue; q < l->queues && got < n; q = (uint16_t)(q + l->workers))
		got = (uint16_t)(got + rte_eth_rx_burst(l->dev, q, pkt + got, (uint16_t)(n - got)));
	burst_end(l);
	return got;
}

bool port_handoff(struct port_lane *l, uint16_t worker, struct rte_mbuf *m)
{
	return rte_ring_mp_enqueue(port_lane(l->port, worker)->handoff, m) == 0;
}

void port_handoff_flush(struct port_lane *l, uint64_t workers)
{
	for (; workers != 0; workers &= workers - 1)
		bell_ring(port_lane(l->port, (uint16_t)__builtin_ctzll(workers))->bell);
}

bool port_local(struct port_lane *l, struct rte_mbuf *m)
{
	if (rte_ring_mp_enqueue(l->port->local, m) != 0)
		return false;
	bell_ring(&l->port->house_bell);
	return true;
}

uint16_t port_send(struct port_lane *l, struct rte_mbuf **pkt, uint16_t n)
{
	if (l->has_queue)
		return transmit(l, pkt, n);

	uint16_t sent = (uint16_t)rte_ring_mp_enqueue_burst(l->tx_out, (void **)pkt, n, NULL);

	if (sent > 0)
		bell_ring(l->tx_bell);
	return sent;
}

uint16_t port_send_others(struct port_lane *l)
{
	struct rte_mbuf *pkt[PORT_BURST_MAX];
	uint16_t n, sent;

	if (!l->has_queue || rte_ring_empty(l->tx_in))
		return 0;
	n = (uint16_t)rte_ring_sc_dequeue_burst(l->tx_in, (void **)pkt, PORT_BURST_MAX, NULL);
	sent = transmit(l, pkt, n);
	if (sent < n)
		rte_pktmbuf_free_bulk(pkt + sent, (unsigned)(n - sent));
	return (uint16_t)(n - sent);
}

void port_wait(struct port_lane *l, uint64_t timeout_ns)
{
	struct pollfd fd[PORT_LANE_FDS_MAX + 1] = {{.fd = l->bell->fd, .events = POLLIN}};
	nfds_t n = 1;

	if (!rte_ring_empty(l->handoff) || !rte_ring_empty(l->tx_in)) {
		bell_wake(l->bell);
		return;
	}
	for (uint8_t i = 0; i < l->fds; i++)
		fd[n++] = (struct pollfd){.fd = l->fd[i], .events = POLLIN};
	/* A lane that must look for packets itself (no descriptor tells it) cannot sleep long. */
	if (l->has_queue && l->fds == 0 && timeout_ns > RING_PORT_SLEEP_NS)
		timeout_ns = RING_PORT_SLEEP_NS;

	const struct timespec t = {
		.tv_sec = (time_t)(timeout_ns / PB_NS_PER_S),
		.tv_nsec = (long)(timeout_ns % PB_NS_PER_S),
	};

	(void)ppoll(fd, n, &t, NULL);
	bell_wake(l->bell);
}
