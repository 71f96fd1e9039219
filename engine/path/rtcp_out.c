/* SPDX-License-Identifier: Apache-2.0
 *
 * RTCP that we send: reports, when house.c says that it is time or a leg closes; and what a listener asks of its
 * sender, passed on to the speaker behind it.
 *
 * Every RTCP packet leaves through leave().
 *
 * Sources: RFC 3550, 6.2 and 6.3 (interval, BYE), 6.4 (reports); RFC 3611, 4.5 and 4.7; RFC 4585, 3.
 */
#include <rte_mbuf.h>

#include "base/units.h"
#include "codec/codec.h"
#include "path/path.h"
#include "rtp/rtcp.h"
#include "srtp/srtp.h"
#include "worker/worker_priv.h"

enum { ASKS_PER_HOUSE = 16 }; /* feedback packets to one peer per 250 ms */

void rtcp_out_plan(struct worker *w, struct leg *l, bool first)
{
	uint64_t ms = rtcp_interval_ms(first, (uint32_t)(worker_random(w) >> 32));

	worker_leg_media(w, l)->rtcp_next_ns = w->now_ns + ms * PB_NS_PER_MS;
}

/* The RTP time that the leg's sound has at this instant. */
static uint32_t ts_now(const struct worker *w, const struct leg *l)
{
	uint64_t last_ns = l->out.last_ns;

	return l->out.ts + (w->now_ns > last_ns
				    ? codec_ticks_of_ns(made_clock_hz(w, l), w->now_ns - last_ns)
				    : 0);
}

static bool seal(struct worker *w, const struct leg *l, struct rte_mbuf *m)
{
	uint16_t plain = rte_pktmbuf_data_len(m), len = plain;

	if (rte_pktmbuf_tailroom(m) < SRTP_RTCP_TRAILER_MAX ||
	    srtp_rtcp_seal(w->srtp, (uint32_t)(l - w->legs.leg), rte_pktmbuf_mtod(m, uint8_t *),
			   &len) != SRTP_OK)
		return false;
	return rte_pktmbuf_append(m, (uint16_t)(len - plain)) != NULL;
}

/* A compound packet goes out. */
static void leave(struct worker *w, struct leg *l, const struct rtcp_out *o)
{
	uint8_t *rest;
	struct rte_mbuf *pkt = made_begin(w, RTCP_BUILD_MAX - RTP_HEADER_LEN, &rest);

	if (pkt == NULL)
		return;

	size_t len = rtcp_build(rte_pktmbuf_mtod(pkt, uint8_t *), RTCP_BUILD_MAX, o);

	rte_pktmbuf_trim(pkt, (uint16_t)(RTCP_BUILD_MAX - len));
	if ((l->out.flags & LEG_OUT_SRTP) && !seal(w, l, pkt)) {
		worker_count(&w->made, 1);
		tx_give_up(w, pkt, TX_MADE, FATE_SRTP_AGAIN);
		return;
	}
	tx_put(w, l, &worker_leg_media(w, l)->rtcp_head, pkt, TX_MADE);
}

/* What a compound packet of the leg begins with. */
struct report {
	struct rtcp_sender sender;
	struct rtcp_block block;
	struct rtcp_voip voip;
	struct rtcp_xr_out xr;
};

/* Who sent something since the report before the last one is a sender (6.4). */
static void sender_fill(const struct worker *w, const struct leg *l, struct report *r,
			struct rtcp_out *o)
{
	r->sender = (struct rtcp_sender){
		.ntp = rtcp_ntp(w->now_ns + w->media->wall_offset_ns),
		.ts = ts_now(w, l),
		.packets = (uint32_t)l->out.packets,
		.octets = (uint32_t)l->out.octets,
	};
	o->sender = &r->sender;
}

/* Extended reports: metrics; the reference time of one who sends nothing, and the answer to the
 * peer's. */
static void xr_fill(const struct worker *w, const struct leg *l, struct report *r,
		    struct rtcp_out *o)
{
	const struct leg_media *m = worker_leg_media(w, l);

	r->xr = (struct rtcp_xr_out){.ssrc = l->out.ssrc};
	if (m->cfg.rtcp_xr && o->block != NULL) {
		leg_stats_voip(w, l, &r->voip);
		r->xr.voip = &r->voip;
	}
	if (m->cfg.rtcp_xr && o->sender == NULL)
		r->xr.ntp = rtcp_ntp(w->now_ns + w->media->wall_offset_ns);
	if (m->rrtr_at_ns != 0 && l->source.runs > 0) {
		struct rtcp_block since = {0};

		rtcp_block_since(&since, m->rrtr_ntp, w->now_ns - m->rrtr_at_ns);
		r->xr.dlrr_ssrc = l->source.ssrc;
		r->xr.lrr = since.lsr;
		r->xr.dlrr = since.dlsr;
	}
	o->xr = &r->xr;
}

void rtcp_out_report(struct worker *w, struct leg *l, bool bye)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct report r;
	struct rtcp_out o = {.ssrc = l->out.ssrc, .cname = w->media->cname, .bye = bye};

	if (l->way.family == 0 || m->rtcp_head.len == 0)
		return;
	if (l->out.packets != m->rtcp_sent_packets)
		sender_fill(w, l, &r, &o);
	else if (bye && l->out.packets == 0 && l->source.runs == 0)
		return; /* 6.3.7: who never took part says nothing */
	m->rtcp_sent_packets = l->out.packets;
	if (rtp_source_report(&l->source, &r.block)) {
		if (m->sr_at_ns != 0)
			rtcp_block_since(&r.block, m->sr_ntp, w->now_ns - m->sr_at_ns);
		o.block = &r.block;
	}
	xr_fill(w, l, &r, &o);
	leave(w, l, &o);
}

/* The numbers of a listener are those of the speaker plus seq_add, as long as nothing was put
 * between; what was sent before the relay began is nobody's to send again. */
void rtcp_out_ask(struct worker *w, const struct leg *l, const struct rtcp_feedback *f)
{
	const struct leg_media *m = worker_leg_media(w, l);
	const struct worker_call *c = worker_call_of(w, l);
	struct rtcp_feedback asked = *f;

	if (l->out.plan != LEG_PLAN_RELAY || (l->out.flags & LEG_OUT_ANCHOR))
		return;

	struct leg *speaker = worker_call_leg(w, c, c->plan.leg[m->slot].relay_of);

	if (speaker == NULL || speaker->source.runs == 0)
		return;

	struct leg_media *sm = worker_leg_media(w, speaker);
	struct rtcp_out o = {.ssrc = speaker->out.ssrc,
			     .cname = w->media->cname,
			     .feedback = &asked,
			     .media = speaker->source.ssrc};

	rtcp_feedback_move(&asked, (uint16_t)(0U - l->out.seq_add), m->relay_seq);
	if (!rtcp_feedback_any(&asked) || sm->asked_of_it >= ASKS_PER_HOUSE ||
	    speaker->way.family == 0 || sm->rtcp_head.len == 0)
		return;
	sm->asked_of_it++;
	/* An empty report first, since we do not know whether the peer takes less (RFC 5506). */
	leave(w, speaker, &o);
}
