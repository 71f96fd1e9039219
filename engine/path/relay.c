/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: relay. A leg that is heard by exactly one other at 0 dB in its own codec is sent on at once:
 * the payload stays where it is, a new RTP header is written right in front of it, and the
 * headers of the listener's flow are put before that. Extensions, contributing sources and padding
 * are thereby left behind.
 *
 * The listener's peer sees one SSRC whatever is relayed, mixed or played to it. While one
 * source is relayed, `seq_add` and `ts_add` turn its numbers into ours, so that loss, order and
 * spacing of the source stay as they are; after a change the next packet anchors them anew at the
 * number after the one sent last and the time that has passed since.
 *
 * When the speaker is also decoded (somebody mixes it), the listener gets a copy and the original
 * goes on to the jitter buffer.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "base/units.h"
#include "codec/codec.h"
#include "path/path.h"
#include "worker/worker_priv.h"

/* Ticks since the last packet was sent; at least one frame's. */
static uint32_t ticks_since(const struct leg *l, uint64_t now_ns, uint32_t clock_hz)
{
	if (l->out.last_ns == 0)
		return 0;

	uint64_t ns = now_ns > l->out.last_ns ? now_ns - l->out.last_ns : 0;
	uint32_t ticks = codec_ticks_of_ns(clock_hz, ns);
	uint32_t frame = clock_hz / 50;

	return ticks < frame ? frame : ticks;
}

__attribute__((cold)) static void anchor(const struct worker *w, struct leg *l,
					 const struct rtp_view *v, uint32_t clock_hz)
{
	struct leg_out *out = &l->out;

	worker_leg_media(w, l)->relay_seq = (uint16_t)(out->seq + 1);

	out->seq_add = (uint16_t)(out->seq + 1 - v->seq);
	out->ts_add = out->ts + ticks_since(l, w->now_ns, clock_hz) - v->ts;
	out->in_ssrc = v->ssrc;
	out->flags = (uint8_t)((out->flags & ~LEG_OUT_ANCHOR) | LEG_OUT_MARK);
}

/* Write the listener's RTP header to the 12 bytes at `p` and move its numbers on. */
static void header_put(struct worker *w, struct leg *l, const struct leg *from,
		       const struct rtp_view *v, uint8_t pt, uint8_t *p)
{
	struct leg_out *out = &l->out;

	if ((out->flags & LEG_OUT_ANCHOR) || out->in_ssrc != v->ssrc)
		anchor(w, l, v, from->in.clock_hz);

	uint16_t seq = (uint16_t)(v->seq + out->seq_add);
	uint32_t ts = v->ts + out->ts_add;
	bool mark = v->marker || (out->flags & LEG_OUT_MARK) != 0;

	rtp_build(p, pt, mark, seq, ts, out->ssrc);
	out->flags = (uint8_t)(out->flags & ~LEG_OUT_MARK);
	if ((int16_t)(uint16_t)(seq - out->seq) > 0) {
		out->seq = seq;
		out->ts = ts;
		l->out.last_ns = w->now_ns;
	}
	l->out.packets++;
	l->out.octets += v->payload_len;
}

/* A copy of the payload with room for the headers in front; NULL: no memory. */
static struct rte_mbuf *copy(struct worker *w, const struct rte_mbuf *m, const struct rtp_view *v)
{
	uint8_t *payload;
	struct rte_mbuf *c = made_begin(w, v->payload_len, &payload);

	if (c != NULL)
		memcpy(payload, rte_pktmbuf_mtod_offset(m, const uint8_t *, v->payload_at),
		       v->payload_len);
	return c;
}

/* Cut the packet down to 12 bytes and its payload, where it lies. */
static void trim(struct rte_mbuf *m, const struct rtp_view *v)
{
	rte_pktmbuf_adj(m, (uint16_t)(v->payload_at - RTP_HEADER_LEN));
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_data_len(m) - RTP_HEADER_LEN - v->payload_len));
}

static void send_on(struct worker *w, struct leg *to, const struct leg *from, struct rte_mbuf *m,
		    const struct rtp_view *v, uint8_t pt, uint8_t codec, enum tx_origin origin)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	header_put(w, to, from, v, pt, p);
	if ((to->out.flags & LEG_OUT_TAP) && codec == PATH_EVENT)
		tap_no_sound(w, to, 1);
	else if (to->out.flags & LEG_OUT_TAP)
		tap_frame(w, to, 1, codec, be16_get(p + 2), be32_get(p + 4), p + RTP_HEADER_LEN,
			  v->payload_len);
	path_send(w, to, m, origin);
}

/* One row with a listener. True: the row goes on to the jitter buffer. */
static bool relay(struct worker *w, struct burst *b, uint16_t i, struct leg *to)
{
	struct rte_mbuf *m = b->pkt[i];
	struct leg *l = b->leg[i];
	const struct rtp_view *v = &b->rtp[i];
	uint8_t codec = b->codec[i];
	uint8_t pt = codec == PATH_EVENT ? to->out.dtmf_pt : to->out.pt_of[codec];

	if (pt == LEG_PT_NONE) {
		path_end(w, l, m, codec == PATH_EVENT ? FATE_DTMF_EVENT : FATE_UNHEARD);
		return false;
	}
	if (!(l->in.flags & LEG_IN_BUFFER) || codec == PATH_EVENT) {
		trim(m, v);
		send_on(w, to, l, m, v, pt, codec, TX_RECEIVED);
		return false;
	}

	struct rte_mbuf *c = copy(w, m, v);

	if (c == NULL) {
		path_end(w, l, m, FATE_NO_MBUF);
		return false;
	}
	send_on(w, to, l, c, v, pt, codec, TX_MADE);
	return true;
}

void relay_burst(struct worker *w, struct burst *b)
{
	struct leg *tapped[BURST_MAX];
	uint16_t kept = 0, taps = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		if (b->leg[i]->in.listener == LEG_INDEX_NONE)
			continue;

		struct leg *to = leg_at(&w->legs, b->leg[i]->in.listener);

		if (to->out.flags & LEG_OUT_TAP)
			tapped[taps++] = to;
	}
	tap_fetch(tapped, taps, 1);
	for (uint16_t i = 0; i < b->n; i++) {
		struct leg *l = b->leg[i];

		if (l->in.listener != LEG_INDEX_NONE) {
			if (relay(w, b, i, leg_at(&w->legs, l->in.listener)))
				burst_move(b, kept++, i);
		} else if (b->codec[i] == PATH_EVENT) {
			path_end(w, l, b->pkt[i], FATE_DTMF_EVENT);
		} else if (l->in.flags & LEG_IN_BUFFER) {
			burst_move(b, kept++, i);
		} else {
			path_end(w, l, b->pkt[i], FATE_UNHEARD);
		}
	}
	b->n = kept;
}
