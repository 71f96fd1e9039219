/* SPDX-License-Identifier: Apache-2.0
 *
 * Housekeeping of a call's legs, four times a second: silence that lasts too long, and RTCP reports.
 *
 * Source: RFC 3550, 6.2 (interval), 6.3.1 (its randomisation), 6.4 (reports).
 */
#include <rte_mbuf.h>

#include "base/units.h"
#include "path/path.h"
#include "rtp/rtcp.h"
#include "worker/worker_priv.h"

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

static void silence_check(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	uint64_t silent_ms = (w->now_ns - l->count.last_in_ns) / PB_NS_PER_MS;

	if (m->cfg.media_timeout_ms == 0 || !(l->in.flags & LEG_IN_RECEIVES))
		return;
	if (silent_ms < m->cfg.media_timeout_ms) {
		m->timeout_told = false;
		return;
	}
	if (m->timeout_told)
		return;
	m->timeout_told = true;

	struct worker_event e = worker_leg_event(w, l, EVENT_LEG_TIMEOUT);

	e.timeout.silent_ms = silent_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)silent_ms;
	worker_event_put(w, &e);
}

void house_tick(struct worker *w, struct worker_call *c)
{
	for (unsigned s = 0; s < CALL_LEGS_MAX; s++) {
		struct leg *l = worker_call_leg(w, c, s);

		if (l == NULL)
			continue;
		silence_check(w, l);
		if (w->now_ns >= worker_leg_media(w, l)->rtcp_next_ns) {
			rtcp_send(w, l, false);
			rtcp_plan(w, l);
		}
	}
}
