/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets made here: played, mixed, key events.
 *
 * The timestamp of made sound follows the ticks of the wheel, 20 ms each, and not the instant at which a
 * tick happened to run; after a change of plan it first moves on by the time that has passed.
 */
#include <rte_mbuf.h>

#include "codec/codec.h"
#include "path/path.h"
#include "worker/worker_priv.h"

struct rte_mbuf *made_begin(struct worker *w, uint16_t len, uint8_t **payload)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->cfg.pool);
	uint8_t *p = NULL;

	if (m != NULL)
		p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(RTP_HEADER_LEN + len));
	if (p == NULL) {
		rte_pktmbuf_free(m); /* NULL is fine */
		worker_count(&w->made, 1);
		worker_count(&w->made_lost, 1);
		return NULL;
	}
	*payload = p + RTP_HEADER_LEN;
	return m;
}

uint32_t made_clock_hz(const struct worker *w, const struct leg *l)
{
	if (l->out.plan == LEG_PLAN_RELAY) {
		const struct worker_call *c = worker_call_of(w, l);
		const struct plan_leg *pl = &c->plan.leg[worker_leg_media(w, l)->slot];
		const struct leg *speaker =
			pl->relay_of < CALL_LEGS_MAX ? worker_call_leg(w, c, pl->relay_of) : NULL;

		if (speaker != NULL)
			return speaker->in.clock_hz;
	}
	return codec_of((enum codec_id)l->out.codec)->clock_hz;
}

uint32_t made_clock(struct worker *w, struct leg *l)
{
	uint64_t tick_ns = w->media->tick_ns;
	uint64_t last_ns = l->out.last_ns;
	uint32_t clock_hz = made_clock_hz(w, l);
	uint32_t ticks = 0;

	if (last_ns != 0) {
		uint32_t frame = clock_hz / (1000 / TICK_MS);

		ticks = tick_ns > last_ns ? codec_ticks_of_ns(clock_hz, tick_ns - last_ns) : 0;
		if (ticks < frame)
			ticks = frame;
	}
	/* While a source is relayed its own timestamps rule; this is only asked for an event. */
	if (l->out.plan == LEG_PLAN_RELAY)
		return l->out.ts + ticks;
	l->out.ts += ticks;
	l->out.last_ns = tick_ns;
	return l->out.ts;
}

void made_send(struct worker *w, struct leg *l, struct rte_mbuf *m, uint8_t pt, uint32_t ts,
	       bool marker, bool audio)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t len = (uint16_t)(rte_pktmbuf_data_len(m) - RTP_HEADER_LEN);

	l->out.seq++;
	if (l->out.plan == LEG_PLAN_RELAY)
		l->out.seq_add++; /* what is relayed comes after it */
	if (audio) {
		marker = (l->out.flags & LEG_OUT_MARK) != 0;
		l->out.flags = (uint8_t)(l->out.flags & ~(LEG_OUT_MARK | LEG_OUT_ANCHOR));
	}
	rtp_build(p, pt, marker, l->out.seq, ts, l->out.ssrc);
	l->out.packets++;
	l->out.octets += len;
	if (!audio && (l->out.flags & LEG_OUT_TAP))
		tap_no_sound(w, l, 1);
	else if (l->out.flags & LEG_OUT_TAP)
		tap_frame(w, l, 1, l->out.codec, l->out.seq, ts, p + RTP_HEADER_LEN, len);
	path_send(w, l, m, TX_MADE);
}
