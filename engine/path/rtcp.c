/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: RTCP is taken out of the burst: what came to the odd port, and what RTCP looks like on the
 * even one (RFC 5761, 4). It must come from the address that RTP is accepted from, any port; where
 * none is known yet nobody is believed.
 *
 * What we send is rtcp_out.c's.
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

/* The round trip by a report about us, or by the answer to our reference time. */
static void rtt_take(const struct worker *w, struct leg_media *m, const struct rtcp_block *b)
{
	uint64_t ntp = rtcp_ntp(w->now_ns + w->media->wall_offset_ns);
	uint32_t rtt_us = rtcp_rtt_us(b, rtcp_ntp_mid(ntp));

	if (rtt_us != UINT32_MAX)
		m->rtt_us = rtt_us;
}

/* A report about what we send counts in the RTP clock of that. */
static uint32_t ticks_us(const struct worker *w, const struct leg *l, uint32_t ticks)
{
	uint64_t us = (uint64_t)ticks * 1000000 / made_clock_hz(w, l);

	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void xr_take(const struct worker *w, struct leg_media *m, const struct rtcp_xr_news *n,
		    bool has_block)
{
	if (n->has_rrtr) {
		m->rrtr_ntp = n->rrtr_ntp;
		m->rrtr_at_ns = w->now_ns;
	}
	if (n->has_dlrr && !has_block) {
		const struct rtcp_block b = {.lsr = n->lrr, .dlsr = n->dlrr};

		rtt_take(w, m, &b);
	}
	if (n->has_voip) {
		m->remote_voip = n->voip;
		m->remote_voip_known = true;
	}
}

static void news_take(struct worker *w, struct leg *l, const struct rtcp_news *n)
{
	struct leg_media *m = worker_leg_media(w, l);

	if (n->has_sender) {
		m->sr_ntp = n->sender.ntp;
		m->sr_at_ns = w->now_ns;
	}
	if (n->has_block) {
		rtt_take(w, m, &n->block);
		m->remote_known = true;
		m->loss_percent = (uint8_t)(n->block.fraction_lost * 100 / 256);
		m->remote_lost = n->block.lost > 0 ? (uint32_t)n->block.lost : 0;
		m->remote_jitter_us = ticks_us(w, l, n->block.jitter);
	}
	xr_take(w, m, &n->xr, n->has_block);
	if (rtcp_feedback_any(&n->feedback))
		rtcp_out_ask(w, l, &n->feedback);
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

	enum packet_fate fate =
		rtcp_parse(&news, rte_pktmbuf_mtod(pkt, const uint8_t *), rte_pktmbuf_data_len(pkt),
			   l->out.ssrc, l->source.runs > 0 ? &l->source.ssrc : NULL);

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
