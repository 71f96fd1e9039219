/* SPDX-License-Identifier: Apache-2.0
 *
 * A tick's frame on its way to one leg: coded at once where a frame is a packet, else through the leg's
 * coder, which packs the ptime that was negotiated.
 *
 * Comfort noise (RFC 3389). Where it was negotiated for G.711 and what is made has been silent for
 * QUIET_TICKS, a description of it goes out in place of the sound, again every NOISE_TICKS, and
 * nothing in between; the first sound after it has the marker bit. Opus and G.729 leave silence out by
 * themselves (DTX), where the peer can take that.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "codec/codec.h"
#include "dsp/level.h"
#include "dsp/noise.h"
#include "path/path.h"
#include "worker/worker_priv.h"

enum {
	QUIET_TICKS = 10,
	NOISE_TICKS = 100, /* between two descriptions */
	QUIET_DBOV = -72,  /* G.711's smallest steps */
};

/* True: the frame is silence that need not be sent as sound; what had to be sent in its place was. */
static bool noise_instead(struct worker *w, struct leg *l, const int16_t *pcm, uint32_t n)
{
	struct leg_media *m = worker_leg_media(w, l);
	uint8_t description[NOISE_PAYLOAD_MAX], *payload;

	if (level_dbov(pcm, n) > QUIET_DBOV) {
		if (m->quiet_ticks >= QUIET_TICKS)
			l->out.flags |= LEG_OUT_MARK;
		m->quiet_ticks = 0;
		return false;
	}
	if (m->quiet_ticks < QUIET_TICKS) {
		m->quiet_ticks++;
		return false;
	}

	bool due = m->quiet_ticks == QUIET_TICKS;
	uint32_t ts = made_clock(w, l);

	m->quiet_ticks =
		(uint16_t)(m->quiet_ticks == QUIET_TICKS + NOISE_TICKS - 1 ? QUIET_TICKS
									   : m->quiet_ticks + 1);
	if (!due)
		return true;

	size_t len = noise_describe(description, pcm, n);
	struct rte_mbuf *pkt = made_begin(w, (uint16_t)len, &payload);

	if (pkt != NULL) {
		memcpy(payload, description, len);
		made_send(w, l, pkt, m->cfg.noise_pt, ts, false, false);
	}
	return true;
}

static bool noise_wanted(const struct leg_media *m, const struct leg *l)
{
	return (m->doing & LEG_DOING_NOISE) && l->out.codec < CODEC_G711_COUNT;
}

void send_coded(struct worker *w, struct leg *l, const uint8_t *coded)
{
	uint32_t ts = made_clock(w, l);
	uint8_t *payload;
	struct rte_mbuf *m = made_begin(w, LEG_FRAME, &payload);

	if (m == NULL)
		return;
	memcpy(payload, coded, LEG_FRAME);
	made_send(w, l, m, l->out.pt_of[l->out.codec], ts, false, true);
}

/* How the leg's encoder is to work now: what the peer can, what it loses, and what time there is. */
static void tune(const struct worker *w, struct leg_media *m)
{
	const struct leg_codec *c = &m->cfg.codec[0];
	const struct codec_tune t = {
		.complexity =
			(uint8_t)atomic_load_explicit(&w->opus_complexity, memory_order_relaxed),
		.loss_percent = m->loss_percent,
		.fec = c->fec,
		.dtx = c->dtx,
		.bits_per_s = c->bits_per_s,
	};

	coder_tune(m->coder, &t);
}

static void send_packet(struct worker *w, struct leg *l, const struct coder_packet *p,
			uint32_t tick_ts)
{
	uint8_t *payload;
	struct rte_mbuf *m;

	if (p->len == 0) { /* the next sound begins a talk spurt */
		l->out.flags |= LEG_OUT_MARK;
		return;
	}
	m = made_begin(w, p->len, &payload);
	if (m == NULL)
		return;
	memcpy(payload, p->payload, p->len);
	made_send(w, l, m, l->out.pt_of[l->out.codec], tick_ts + p->ticks, false, true);
}

/* Through the coder. After a change of source what waited there is not followed by this. */
static void send_through(struct worker *w, struct leg *l, const int16_t *pcm, uint32_t rate_hz)
{
	struct leg_media *m = worker_leg_media(w, l);
	const struct codec *codec = codec_of((enum codec_id)l->out.codec);
	struct coder_packet *p = &w->media->packet;

	coder_speak(m->coder, codec, codec_ptime_ms(codec, m->cfg.codec[0].ptime_ms), rate_hz);
	tune(w, m);
	if (l->out.flags & LEG_OUT_ANCHOR)
		coder_speak_anew(m->coder);

	uint32_t ts = made_clock(w, l);

	l->out.flags = (uint8_t)(l->out.flags & ~LEG_OUT_ANCHOR);
	w->media->coded = true;
	coder_hear(m->coder, pcm);
	while (coder_next(m->coder, p))
		send_packet(w, l, p, ts);
}

void send_pcm(struct worker *w, struct leg *l, const int16_t *pcm, uint32_t rate_hz)
{
	const struct leg_media *media = worker_leg_media(w, l);
	const struct codec *codec = codec_of((enum codec_id)l->out.codec);

	if (noise_wanted(media, l) && noise_instead(w, l, pcm, rate_hz / (1000 / TICK_MS)))
		return;
	if (media->codes_out) {
		send_through(w, l, pcm, rate_hz);
		return;
	}
	if (codec->encoder_bytes != NULL || codec->rate_hz != rate_hz)
		return; /* it needs a coder, and the plan has not given it one yet */

	uint16_t len = (uint16_t)codec_fixed_octets(codec);
	uint32_t ts = made_clock(w, l);
	uint8_t *payload;
	struct rte_mbuf *m = made_begin(w, len, &payload);

	if (m == NULL)
		return;
	codec->encode(NULL, payload, len, pcm, LEG_FRAME);
	made_send(w, l, m, l->out.pt_of[l->out.codec], ts, false, true);
}
