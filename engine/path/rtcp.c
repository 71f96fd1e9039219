/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: RTCP is taken out of the burst: what came to the odd port, and what RTCP looks like on the
 * even one (RFC 5761, 4). It must come from the address that RTP is accepted from, any port; where
 * none is known yet nobody is believed.
 *
 * Below the stage: what we send, when house.c says that it is time or a leg closes.
 *
 * Source: RFC 3550, 6.2 (interval), 6.3.1 (its randomisation), 6.4 (reports).
 */
#include <rte_mbuf.h>
#include <string.h>

#include "base/units.h"
#include "path/path.h"
#include "rtp/rtcp.h"
#include "worker/worker_priv.h"

/* Reports go back to where theirs come from. */
static void way_back(struct worker *w, struct leg *l, const struct packet_from *from)
{
	struct leg_media *m = worker_leg_media(w, l);
	bool mux = !from->rtcp;

	if (m->cfg.source == LEG_SOURCE_STRICT && !mux)
		return;
	if ((l->in.flags & LEG_IN_RTCP_SEEN) && m->rtcp_mux == mux &&
	    (mux || m->rtcp_port == from->port))
		return;
	l->in.flags |= LEG_IN_RTCP_SEEN;
	m->rtcp_mux = mux;
	m->rtcp_port = mux ? 0 : from->port;
	way_make(w, l);
}

static void news_take(struct worker *w, struct leg *l, const struct rtcp_news *n)
{
	struct leg_media *m = worker_leg_media(w, l);

	if (n->has_sender) {
		m->sr_ntp = n->sender.ntp;
		m->sr_at_ns = w->now_ns;
	}
	if (n->has_block) {
		uint64_t ntp = rtcp_ntp(w->now_ns + w->media->wall_offset_ns);
		uint32_t rtt_us = rtcp_rtt_us(&n->block, rtcp_ntp_mid(ntp));

		if (rtt_us != UINT32_MAX)
			m->rtt_us = rtt_us;
		m->remote_lost = n->block.lost > 0 ? (uint32_t)n->block.lost : 0;
		m->remote_jitter_us = (uint32_t)((uint64_t)n->block.jitter * 125);
	}
	if (n->bye && !m->bye_told) {
		struct worker_event e = worker_leg_event(w, l, EVENT_LEG_BYE);

		m->bye_told = true;
		worker_event_put(w, &e);
	}
}

static enum packet_fate row_in(struct worker *w, struct burst *b, uint16_t i)
{
	const struct rte_mbuf *pkt = b->pkt[i];
	const struct packet_from *from = &b->from[i];
	struct leg *l = b->leg[i];
	struct rtcp_news news;

	if (l->in.family != from->family || memcmp(l->in.ip, from->ip, sizeof(l->in.ip)) != 0)
		return FATE_STRANGER;

	enum packet_fate fate = rtcp_parse(&news, rte_pktmbuf_mtod(pkt, const uint8_t *),
					   rte_pktmbuf_data_len(pkt), l->out.ssrc);

	if (fate != RTP_OK)
		return fate;
	way_back(w, l, from);
	news_take(w, l, &news);
	return FATE_RTCP;
}

void rtcp_burst(struct worker *w, struct burst *b)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		const struct rte_mbuf *m = b->pkt[i];

		if (b->from[i].rtcp ||
		    rtp_is_rtcp(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m)))
			path_end(w, b->leg[i], b->pkt[i], row_in(w, b, i));
		else
			burst_move(b, kept++, i);
	}
	b->n = kept;
}

void rtcp_plan(struct worker *w, struct leg *l)
{
	uint64_t ms = RTCP_INTERVAL_MS / 2 + worker_random(w) % RTCP_INTERVAL_MS;

	worker_leg_media(w, l)->rtcp_next_ns = w->now_ns + ms * PB_NS_PER_MS;
}

/* The RTP time that the leg's sound has at this instant. */
static uint32_t ts_now(const struct worker *w, const struct leg *l)
{
	uint64_t last_ns = l->count.last_out_ns;

	return l->out.ts + (w->now_ns > last_ns ? (uint32_t)((w->now_ns - last_ns) / 125000) : 0);
}

void rtcp_send(struct worker *w, struct leg *l, bool bye)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct rtcp_sender sender;
	struct rtcp_block block;
	struct rtcp_out o = {.ssrc = l->out.ssrc, .cname = w->media->cname, .bye = bye};

	if (l->out.family == 0 || m->rtcp_head.len == 0)
		return;
	/* Sent something since the report before the last one: a sender (6.4). */
	if (l->count.packets_out != m->rtcp_sent_packets) {
		sender = (struct rtcp_sender){
			.ntp = rtcp_ntp(w->now_ns + w->media->wall_offset_ns),
			.ts = ts_now(w, l),
			.packets = (uint32_t)l->count.packets_out,
			.octets = (uint32_t)l->count.octets_out,
		};
		o.sender = &sender;
	} else if (bye && l->count.packets_out == 0 && l->count.packets_in == 0) {
		return; /* 6.3.7: who never took part says nothing */
	}
	m->rtcp_sent_packets = l->count.packets_out;
	if (rtp_source_report(&l->source, &block)) {
		if (m->sr_at_ns != 0)
			rtcp_block_since(&block, m->sr_ntp, w->now_ns - m->sr_at_ns);
		o.block = &block;
	}

	uint8_t *rest;
	struct rte_mbuf *pkt = made_begin(w, RTCP_BUILD_MAX - RTP_HEADER_LEN, &rest);

	if (pkt == NULL)
		return;

	size_t len = rtcp_build(rte_pktmbuf_mtod(pkt, uint8_t *), RTCP_BUILD_MAX, &o);

	rte_pktmbuf_trim(pkt, (uint16_t)(RTCP_BUILD_MAX - len));
	tx_put(w, l, &m->rtcp_head, pkt, TX_MADE);
}
