/* SPDX-License-Identifier: Apache-2.0 */
#include "path/capture.h"

#include <string.h>

#include <rte_mbuf.h>

#include "base/units.h"
#include "port/port.h"
#include "worker/worker_priv.h"

/* Our UDP port in a frame that comes to it, or in one that was made here; 0: none. */
static uint16_t port_in(const struct worker *w, const struct rte_mbuf *m)
{
	struct net_view v;

	if (m->nb_segs != 1 || net_parse(&v, w->cfg.lane->own, rte_pktmbuf_mtod(m, const uint8_t *),
					 rte_pktmbuf_data_len(m)) != NET_UDP)
		return 0;
	return v.dst_port;
}

static uint16_t port_out(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t at = NET_ETHER_BYTES, type = be16_get(p + 12);

	if (type == NET_ETHERTYPE_VLAN) {
		type = be16_get(p + 16);
		at = (uint16_t)(at + NET_VLAN_BYTES);
	}
	at = (uint16_t)(at + (type == NET_ETHERTYPE_IP4 ? NET_IP4_BYTES : NET_IP6_BYTES));
	return rte_pktmbuf_data_len(m) < at + 2 ? 0 : be16_get(p + at);
}

/* The captured leg that has this port, or NULL. */
static const struct leg *leg_of(const struct worker *w, uint16_t port)
{
	const struct capture *c = w->capture;
	const struct leg *l;

	if (port < w->cfg.rtp_first || port > w->cfg.rtp_last)
		return NULL;
	l = leg_slot(&w->legs, leg_index_of(w->cfg.rtp_first, port));
	if (l == NULL || !leg_is_open(l))
		return NULL;
	if (c->leg.generation != 0)
		return leg_index(&w->legs, l) == c->leg.index &&
				       l->in.generation == c->leg.generation
			       ? l
			       : NULL;
	return l->in.call == c->call.index && worker_call_of(w, l)->generation == c->call.generation
		       ? l
		       : NULL;
}

static void copy(struct worker *w, const struct rte_mbuf *m, const struct leg *l,
		 enum capture_way way)
{
	struct capture *c = w->capture;
	struct capture_packet p = {
		.wall_ns = w->now_ns + w->media->wall_offset_ns,
		.leg = worker_leg_ref(w, l),
		.way = (uint8_t)way,
		.len = rte_pktmbuf_data_len(m),
	};

	p.kept = p.len < CAPTURE_BYTES ? p.len : CAPTURE_BYTES;
	memcpy(p.frame, rte_pktmbuf_mtod(m, const void *), p.kept);
	if (spsc_put(&c->ring, &p))
		worker_count(&c->taken, 1);
	else
		worker_count(&c->lost, 1);
}

void capture_frames(struct worker *w, struct rte_mbuf *const *pkt, uint16_t n, enum capture_way way)
{
	const struct capture *c = w->capture;

	for (uint16_t i = 0; i < n; i++) {
		const struct leg *l =
			leg_of(w, way == CAPTURE_IN ? port_in(w, pkt[i]) : port_out(pkt[i]));

		if (l == NULL)
			continue;
		if (atomic_load_explicit(&c->taken, memory_order_relaxed) >= c->packets_max)
			return;
		copy(w, pkt[i], l, way);
	}
}
