/* SPDX-License-Identifier: Apache-2.0
 *
 * The next 20 ms of a leg that is decoded.
 *
 * Packets of any length are decoded into a queue of samples, from which the tick takes LEG_FRAME;
 * what is left over waits for the next tick. Sound that is missing is made up.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "codec/codec.h"
#include "dsp/slip.h"
#include "worker/worker_priv.h"

enum {
	SAMPLE_HZ = 8000,
	DETECT_MS = 26
}; /* a key's tones are recognised this long after they began */

static uint32_t decode(struct leg_media *m, struct rte_mbuf *pkt, int16_t *at, uint32_t room)
{
	const struct codec *codec = codec_of((enum codec_id)pkt->hash.usr);
	size_t n = codec->decode(NULL, at, room, rte_pktmbuf_mtod(pkt, const uint8_t *),
				 rte_pktmbuf_data_len(pkt));

	conceal_good(m->conceal, at, n);
	rte_pktmbuf_free(pkt);
	return (uint32_t)n;
}

/* The packet is one tick long, as nearly all are. */
static bool is_frame(const struct rte_mbuf *pkt)
{
	const struct codec *codec = codec_of((enum codec_id)pkt->hash.usr);

	return codec->rate_hz == 8000 && codec->ticks(rte_pktmbuf_mtod(pkt, const uint8_t *),
						      rte_pktmbuf_data_len(pkt)) == LEG_FRAME;
}

/* The delay is to change: make what was just decoded longer or shorter, if it can be done unheard.
 * Returns how many samples there are now. */
static uint32_t slip(struct leg_media *m, int16_t *at, uint32_t n, uint32_t room, int32_t wish)
{
	uint32_t most = (uint32_t)(wish < 0 ? -wish : wish);
	uint32_t by;

	if (wish < 0) {
		by = (uint32_t)slip_shorten(at, n, most, SAMPLE_HZ);
		if (by > 0)
			jbuf_slipped(m->jbuf, -(int32_t)by);
		return n - by;
	}
	if (n + most > room)
		return n;
	by = (uint32_t)slip_lengthen(at, n, most, SAMPLE_HZ);
	if (by > 0)
		jbuf_slipped(m->jbuf, (int32_t)by);
	return n + by;
}

/* Fill the queue with a tick's samples. True: it was empty, and the tick's packet has been decoded
 * to `pcm` past it. */
static bool fill(struct worker *w, struct leg_media *m, int16_t *pcm)
{
	while (m->fifo_n < LEG_FRAME) {
		uint32_t want = LEG_FRAME - m->fifo_n;
		uint32_t room = LEG_FIFO_MAX - m->fifo_n;
		int16_t *at = m->fifo + m->fifo_n;
		struct jbuf_out out = {0};
		uint32_t n = 0;

		switch (jbuf_get(m->jbuf, w->now_ns, want, &out)) {
		case JBUF_GET_READY:
			if (m->fifo_n == 0 && out.slip == 0 && is_frame(out.pkt)) {
				decode(m, out.pkt, pcm, LEG_FRAME);
				return true;
			}
			n = decode(m, out.pkt, at, room);
			if (out.slip != 0)
				n = slip(m, at, n, room, out.slip);
			break;
		case JBUF_GET_LOST:
		case JBUF_GET_UNDERRUN:
			n = out.ticks < room ? out.ticks : room;
			conceal_lost(m->conceal, at, n);
			m->concealed += n;
			break;
		case JBUF_GET_SILENCE:
			n = out.ticks < room ? out.ticks : room;
			memset(at, 0, n * sizeof(*at));
			break;
		case JBUF_GET_DISCARD:
			rte_pktmbuf_free(out.pkt);
			break;
		}
		m->fifo_n += n;
	}
	return false;
}

static void keys_listen(struct worker *w, struct leg *l, const int16_t *pcm)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct dtmf_detect_news news[4];
	size_t n = dtmf_detect_listen(m->detect, pcm, LEG_FRAME, news, 4);

	for (size_t i = 0; i < n; i++)
		if (news[i].pressed)
			dtmf_pressed(w, l, news[i].code, DTMF_SOURCE_INBAND, DETECT_MS);
}

/* The tones of a line, and who answered: each is told when it is first heard. */
static void line_listen(struct worker *w, const struct leg *l, struct leg_media *m,
			const int16_t *pcm)
{
	unsigned heard = listen_tone_take(&m->tones, pcm, LEG_FRAME, 8000, TICK_MS);

	for (; heard != 0; heard &= heard - 1) {
		unsigned kind = (unsigned)__builtin_ctz(heard);
		struct worker_event e = worker_leg_event(w, l, EVENT_LEG_TONE);

		e.tone.kind = (enum listen_tone_kind)kind;
		if (m->tones.count[kind] == 1)
			worker_event_put(w, &e);
	}
	if (m->tones.answer == m->answer_told)
		return;
	m->answer_told = m->tones.answer;

	struct worker_event e = worker_leg_event(w, l, EVENT_LEG_ANSWER);

	e.answer.who = (enum listen_answer)m->tones.answer;
	e.answer.greeting_ms = m->tones.greeting_ms;
	e.answer.beep = m->tones.beep;
	worker_event_put(w, &e);
}

/* Once per decoded frame. */
static void listen_to(struct worker *w, const struct leg *l, struct leg_media *m,
		      const int16_t *pcm)
{
	struct listen_frame f = listen_measure(pcm, LEG_FRAME);

	listen_take(&m->listen, &f, TICK_MS);
	if (m->cfg.listen == LEG_LISTEN_FULL)
		line_listen(w, l, m, pcm);
}

void speaker_frame(struct worker *w, struct leg *l, int16_t *pcm)
{
	struct leg_media *m = worker_leg_media(w, l);

	if (!fill(w, m, pcm)) {
		memcpy(pcm, m->fifo, LEG_FRAME * sizeof(*pcm));
		m->fifo_n -= LEG_FRAME;
		memmove(m->fifo, m->fifo + LEG_FRAME, m->fifo_n * sizeof(m->fifo[0]));
	}
	if (m->cfg.listen != LEG_LISTEN_OFF)
		listen_to(w, l, m, pcm);
	if (m->cfg.inband_dtmf)
		keys_listen(w, l, pcm);
}

void speaker_flush(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct rte_mbuf *pkt;

	while ((pkt = jbuf_drain(m->jbuf)) != NULL)
		rte_pktmbuf_free(pkt);
	jbuf_restart(m->jbuf);
	m->fifo_n = 0;
	conceal_init(m->conceal);
	m->listen.power = 0;
	m->listen.speaking = false;
}
