/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: from bytes to RTP of a known source.
 *
 * In: rows with a leg, data = UDP payload that is not RTCP. Out: rows of sound (codec = a codec) and
 * telephone-events on their way to a listener (codec = PATH_EVENT), checked in this order:
 *
 *   header (rtp_parse) -> payload type negotiated -> source accepted -> direction -> sequence
 *
 * Order matters: a packet of a stranger must not touch the counters of the source, and the latch
 * must not close on a packet that means nothing to the leg. What is cold (first packet, another
 * source, another codec) leaves the loop through functions marked so.
 */
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <string.h>

#include "base/units.h"
#include "codec/codec.h"
#include "codec/g711.h"
#include "path/path.h"
#include "rtp/rtp_source.h"
#include "worker/worker_priv.h"

enum {
	IN_EVENT = PATH_EVENT,
	IN_NOISE = 0xfe,   /* comfort noise, RFC 3389 */
	IN_UNKNOWN = 0xfd, /* not negotiated */
	LISTEN_OF = 4,     /* packets of which one is looked at */
};

static uint8_t kind_of(const struct leg_in *in, uint8_t pt)
{
	for (unsigned i = 0; i < in->codecs; i++)
		if (in->pt[i] == pt)
			return in->codec[i];
	if (pt == in->dtmf_pt)
		return IN_EVENT;
	return pt == in->noise_pt && in->codecs > 0 ? IN_NOISE : IN_UNKNOWN;
}

static bool from_source(const struct leg_in *in, const struct packet_from *from)
{
	return in->port == from->port && in->family == from->family &&
	       memcmp(in->ip, from->ip, sizeof(in->ip)) == 0;
}

static bool mac_zero(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, sizeof(zero)) == 0;
}

/* The first packet that is accepted since the leg was opened or got a new remote: it closes the
 * latch, shows the way back and is told to main once. */
__attribute__((cold)) static void first_packet(struct worker *w, struct leg *l,
					       const struct packet_from *from)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct worker_call *call = worker_call_of(w, l);

	l->in.flags |= LEG_IN_SEEN;
	l->in.flags = (uint16_t)(l->in.flags & ~LEG_IN_LATCH);
	if (!from_source(&l->in, from)) {
		bool moved = l->way.family != from->family ||
			     memcmp(l->way.ip, from->ip, sizeof(l->way.ip)) != 0;

		l->in.family = from->family;
		l->in.port = from->port;
		memcpy(l->in.ip, from->ip, sizeof(l->in.ip));
		l->way.port = from->port;
		if (moved) {
			peer_leave(w, l);
			l->way.family = from->family;
			memcpy(l->way.ip, from->ip, sizeof(l->way.ip));
			m->mac_known = false;
			peer_join(w, l);
		}
		way_make(w, l);
	}
	if (!m->mac_known && !mac_zero(from->mac)) {
		memcpy(m->mac, from->mac, sizeof(m->mac));
		m->mac_known = true;
		way_make(w, l);
	}
	replan(w, call);
	if (m->media_told)
		return;
	m->media_told = true;

	struct worker_event e = worker_leg_event(w, l, EVENT_LEG_MEDIA);

	e.source.family = from->family;
	e.source.port = from->port;
	memcpy(e.source.ip, from->ip, sizeof(e.source.ip));
	worker_event_put(w, &e);
}

/* Another SSRC or a restart of the sequence: what hangs on the old numbers begins anew. */
__attribute__((cold)) static void another_source(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);

	if (l->in.flags & LEG_IN_BUFFER)
		speaker_flush(w, l);
	m->loss_seq = l->source.seq_base - 1;
	telephone_event_reset(&m->events);
	if (l->in.listener != LEG_INDEX_NONE)
		leg_at(&w->legs, l->in.listener)->out.flags |= LEG_OUT_ANCHOR;
}

__attribute__((cold)) static void another_codec(struct worker *w, struct leg *l, uint8_t codec)
{
	speaker_codec(w, l, (enum codec_id)codec);
	replan(w, worker_call_of(w, l));
}

/* Packets that left the window of `source` without ever having come: `before` is the window as it
 * was with `max` its newest number. */
__attribute__((cold)) static void losses_count(struct worker *w, const struct leg *l,
					       uint64_t before, uint32_t max)
{
	struct leg_media *m = worker_leg_media(w, l);
	uint32_t step = l->source.seq_max - max;

	for (uint32_t i = 0; i < step; i++) {
		/* The oldest leave first; past the old window come those that were jumped over. */
		uint32_t seq = max - 63 + i;
		bool came = i < 64 ? before >> (63 - i) & 1 : false;

		if (came || (int32_t)(seq - l->source.seq_base) < 0)
			continue;

		int32_t between = (int32_t)(seq - m->loss_seq - 1);

		loss_runs_lost(&m->losses, between > 0 ? (uint32_t)between : 0);
		m->loss_seq = seq;
	}
}

/* A packet that is consumed here leaves no gap in what its listener gets. */
static void listener_skip(struct worker *w, const struct leg *l, enum rtp_source_heard heard)
{
	if (l->in.listener == LEG_INDEX_NONE || heard != RTP_SOURCE_NEXT)
		return;

	struct leg_out *out = &leg_at(&w->legs, l->in.listener)->out;

	if (!(out->flags & LEG_OUT_ANCHOR))
		out->seq_add--;
}

/* Telephone-event: heard by the leg itself; goes on to a listener that negotiated it too, unless the
 * digits are secret. */
static enum packet_fate event_in(struct worker *w, struct leg *l, const struct rtp_view *v,
				 const uint8_t *p, enum rtp_source_heard heard)
{
	struct leg_media *m = worker_leg_media(w, l);

	if (l->in.flags & LEG_IN_BUFFER)
		jbuf_note(m->jbuf, v->seq);

	bool secret = collect_runs(m) && m->collect.secret;

	dtmf_event_in(w, l, v, p + v->payload_at);
	if (worker_call_of(w, l)->stale)
		replan(w, worker_call_of(w, l));
	if (!secret && !m->cfg.hide_digits && l->in.listener != LEG_INDEX_NONE &&
	    leg_at(&w->legs, l->in.listener)->out.dtmf_pt != LEG_PT_NONE)
		return RTP_OK;
	listener_skip(w, l, heard);
	return FATE_DTMF_EVENT;
}

static enum packet_fate noise_in(struct worker *w, struct leg *l, const struct rtp_view *v,
				 const uint8_t *p, enum rtp_source_heard heard)
{
	struct leg_media *m = worker_leg_media(w, l);

	listener_skip(w, l, heard);
	if (!(l->in.flags & LEG_IN_BUFFER))
		return FATE_UNHEARD;
	m->noise_heard |= noise_hear(&m->noise, p + v->payload_at, v->payload_len);
	jbuf_note(m->jbuf, v->seq);
	return FATE_BUFFERED;
}

/* Whether `step` numbers more push one out of the window that never came. At the start of a run
 * the window is not full; losses_count() looks closer. */
static inline bool losses_leave(uint64_t window, uint32_t step)
{
	return step > 64 || (step > 0 && ~window >> (64 - step) != 0);
}

/* One packet of LISTEN_OF is looked at where nobody decodes. */
static inline bool listens(const struct leg *l, uint16_t seq)
{
	return (l->in.flags & (LEG_IN_LISTEN | LEG_IN_BUFFER)) == LEG_IN_LISTEN &&
	       seq % LISTEN_OF == 0;
}

/* Its level by table; and whether the one who hears it speaks as well. */
static void level_take(struct worker *w, const struct leg *l, uint8_t kind, uint16_t seq,
		       const uint8_t *payload, uint16_t len)
{
	struct leg_media *m = worker_leg_media(w, l);
	const int16_t *law = kind == CODEC_PCMA ? g711_alaw_linear : g711_ulaw_linear;
	uint16_t ms = (uint16_t)(len / 8 * LISTEN_OF);

	if (kind != CODEC_PCMU && kind != CODEC_PCMA)
		return;

	struct listen_frame f = listen_payload(payload, len, law, seq);

	if (listen_take(&m->listen, &f, ms) && l->in.listener != LEG_INDEX_NONE &&
	    worker_leg_media(w, leg_at(&w->legs, l->in.listener))->listen.speaking)
		listen_together(&m->listen, ms);
}

/* One row. Returns RTP_OK when it goes on, else its fate. */
static enum packet_fate row_in(struct worker *w, struct burst *b, uint16_t i)
{
	const uint8_t *p = rte_pktmbuf_mtod(b->pkt[i], const uint8_t *);
	struct rtp_view *v = &b->rtp[i];
	struct leg *l = b->leg[i];
	enum packet_fate fate = rtp_parse(v, p, rte_pktmbuf_data_len(b->pkt[i]));

	if (fate != RTP_OK)
		return fate;

	uint8_t kind = kind_of(&l->in, v->pt);

	if (kind == IN_UNKNOWN)
		return FATE_RTP_PAYLOAD;
	if (!from_source(&l->in, &b->from[i]) && !(l->in.flags & LEG_IN_LATCH))
		return FATE_STRANGER;
	if (!leg_pays(&l->arrived.paid_ns, w->now_ns, PB_NS_PER_S / LEG_PACKETS_HZ,
		      LEG_PACKETS_AT_ONCE))
		return FATE_RATE;
	if (!(l->in.flags & LEG_IN_RECEIVES))
		return FATE_PAUSED;

	uint64_t window = l->source.seen;
	uint32_t newest = l->source.seq_max;
	enum rtp_source_heard heard = rtp_source_update(
		&l->source, v, rtp_ticks(w->now_ns, l->in.clock_hz), kind < CODEC_COUNT);

	if (heard == RTP_SOURCE_DUPLICATE)
		return FATE_DUPLICATE;
	if (heard == RTP_SOURCE_FAR)
		return FATE_FAR;
	if (!(l->in.flags & LEG_IN_SEEN))
		first_packet(w, l, &b->from[i]);
	if (heard == RTP_SOURCE_NEW)
		another_source(w, l);
	else if (heard == RTP_SOURCE_NEXT && losses_leave(window, l->source.seq_max - newest))
		losses_count(w, l, window, newest);
	l->arrived.octets += v->payload_len;
	l->arrived.last_ns = w->now_ns;
	b->codec[i] = kind;
	if ((l->in.flags & LEG_IN_TAP) && kind >= CODEC_COUNT)
		tap_no_sound(w, l, 0);
	if (kind == IN_EVENT)
		return event_in(w, l, v, p, heard);
	if (kind == IN_NOISE)
		return noise_in(w, l, v, p, heard);
	if (kind != l->in.codec_now)
		another_codec(w, l, kind);
	if (l->in.flags & LEG_IN_TAP)
		tap_frame(w, l, 0, kind, v->seq, v->ts, p + v->payload_at, v->payload_len);
	if ((l->in.flags & LEG_IN_KEYS) && heard != RTP_SOURCE_REORDERED)
		keys_take(w, l, kind, v, p + v->payload_at,
			  heard == RTP_SOURCE_NEW ? 0 : l->source.seq_max - newest);
	if (listens(l, v->seq))
		level_take(w, l, kind, v->seq, p + v->payload_at, v->payload_len);
	return RTP_OK;
}

/* What level_take() will touch. */
static void listen_fetch(const struct worker *w, const struct leg *l, const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	if (rte_pktmbuf_data_len(m) < RTP_HEADER_LEN || !listens(l, be16_get(p + 2)))
		return;
	rte_prefetch0(&worker_leg_media(w, l)->listen);
	if (l->in.listener != LEG_INDEX_NONE)
		rte_prefetch0(&worker_leg_media(w, leg_at(&w->legs, l->in.listener))->listen);
}

void rtp_in_burst(struct worker *w, struct burst *b)
{
	struct leg *tapped[BURST_MAX], *keyed[BURST_MAX];
	uint16_t kept = 0, taps = 0, keys = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		listen_fetch(w, b->leg[i], b->pkt[i]);
		if (b->leg[i]->in.flags & LEG_IN_TAP)
			tapped[taps++] = b->leg[i];
		if (b->leg[i]->in.flags & LEG_IN_KEYS)
			keyed[keys++] = b->leg[i];
	}
	tap_fetch(tapped, taps, 0);
	keys_fetch(w, keyed, keys);
	for (uint16_t i = 0; i < b->n; i++) {
		/* What the relay will touch. */
		if (b->leg[i]->in.listener != LEG_INDEX_NONE)
			leg_fetch_out(leg_at(&w->legs, b->leg[i]->in.listener));

		enum packet_fate fate = row_in(w, b, i);

		if (fate == RTP_OK)
			burst_move(b, kept++, i);
		else
			path_end(w, b->leg[i], b->pkt[i], fate);
	}
	b->n = kept;
}
