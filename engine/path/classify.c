/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage 2: whose is it.
 *
 * In: whole frames. Out: rows with an open leg of this worker, the mbuf cut down to its UDP payload.
 *
 * Two walks over the rows. The first reads the headers, ends what is not RTP of ours, hands over
 * what another worker owns, and begins to fetch the lines of the legs; the second finds them in
 * the cache. A leg is found by arithmetic on the local port alone, so a packet to a closed port
 * costs one line of the leg table and nothing else.
 *
 * A handed-over frame is parsed again by its owner: cheaper than carrying a view along, and the owner
 * trusts nobody.
 */
#include <string.h>

#include <rte_mbuf.h>

#include "base/units.h"
#include "path/path.h"
#include "port/port.h"
#include "worker/worker.h"

enum { LOCAL_HZ = 10000, LOCAL_AT_ONCE = 200 };

static enum packet_fate fate_of(enum net_verdict verdict)
{
	switch (verdict) {
	case NET_FRAGMENT:
		return FATE_FRAGMENT;
	case NET_MALFORMED:
		return FATE_MALFORMED;
	case NET_NOT_OURS:
	case NET_LOCAL:
	case NET_UDP:
		break;
	}
	return FATE_NOT_OURS;
}

/* ARP, ND and ICMP go to main as long as they are few: a flood of them must not take main's time, nor, by
 * waking it and by its answers, ours. */
static void give_local(struct worker *w, struct rte_mbuf *m)
{
	if (!leg_pays(&w->local_paid_ns, w->now_ns, PB_NS_PER_S / LOCAL_HZ, LOCAL_AT_ONCE))
		path_end(w, NULL, m, FATE_RATE);
	else if (port_local(w->cfg.lane, m))
		worker_fate(w, FATE_LOCAL, 1);
	else
		path_end(w, NULL, m, FATE_HANDOFF_FULL);
}

/* To the worker whose slice of the indices has this one. Its fate is counted there. */
static void give_owner(struct worker *w, struct rte_mbuf *m, uint32_t index)
{
	uint32_t owner = index / w->cfg.leg_stride;

	if (owner >= w->cfg.workers || owner == w->cfg.id)
		path_end(w, NULL, m, FATE_NO_LEG);
	else if (port_handoff(w->cfg.lane, (uint16_t)owner, m))
		w->handed_to |= UINT64_C(1) << owner;
	else
		path_end(w, NULL, m, FATE_HANDOFF_FULL);
}

/* The slot of the leg that a frame belongs to, with `v` filled; NULL when it ended here. */
static struct leg *find_leg(struct worker *w, struct rte_mbuf *m, struct net_view *v)
{
	enum net_verdict verdict = NET_MALFORMED;

	if (m->nb_segs == 1)
		verdict = net_parse(v, w->cfg.lane->own, rte_pktmbuf_mtod(m, const uint8_t *),
				    rte_pktmbuf_data_len(m));
	if (verdict == NET_LOCAL) {
		give_local(w, m);
		return NULL;
	}
	if (verdict != NET_UDP) {
		path_end(w, NULL, m, fate_of(verdict));
		return NULL;
	}
	if (v->dst_port < w->cfg.rtp_first || v->dst_port > w->cfg.rtp_last) {
		path_end(w, NULL, m, FATE_NO_LEG);
		return NULL;
	}

	uint32_t index = leg_index_of(w->cfg.rtp_first, v->dst_port);
	struct leg *leg = leg_slot(&w->legs, index);

	if (leg == NULL)
		give_owner(w, m, index);
	return leg;
}

static void fill_from(struct packet_from *from, const struct net_view *v)
{
	from->family = v->family;
	from->rtcp = v->dst_port & 1;
	from->port = v->src_port;
	if (v->family == 4) {
		memset(from->ip + 4, 0, 12);
		memcpy(from->ip, v->src_ip, 4);
	} else {
		memcpy(from->ip, v->src_ip, 16);
	}
	memcpy(from->mac, v->src_mac, 6);
}

static void cut_to_payload(struct rte_mbuf *m, const struct net_view *v)
{
	m->data_off = (uint16_t)(m->data_off + v->payload_at);
	m->data_len = v->payload_len;
	m->pkt_len = v->payload_len;
}

void classify_burst(struct worker *w, struct burst *b)
{
	uint16_t found = 0, open = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct net_view v;
		struct rte_mbuf *m = b->pkt[i];
		struct leg *leg = find_leg(w, m, &v);

		if (leg == NULL)
			continue;
		leg_fetch_in(leg);
		fill_from(&b->from[found], &v);
		cut_to_payload(m, &v);
		b->pkt[found] = m;
		b->leg[found] = leg;
		found++;
	}
	if (w->handed_to != 0) {
		port_handoff_flush(w->cfg.lane, w->handed_to);
		w->handed_to = 0;
	}
	for (uint16_t i = 0; i < found; i++) {
		if (!leg_is_open(b->leg[i])) {
			path_end(w, NULL, b->pkt[i], FATE_NO_LEG);
			continue;
		}
		burst_move(b, open++, i);
	}
	b->n = open;
}
