/* SPDX-License-Identifier: Apache-2.0
 *
 * The next 20 ms of a leg that is decoded.
 *
 * Packets of any length are decoded into a queue of samples, from which the tick takes a frame;
 * what is left over waits for the next tick. Sound that is missing is made up.
 *
 * There are two ways: plain, for codecs without memory at 8 kHz in a call of that rate, and through
 * the leg's coder for everything else. Levels and keys are always listened for at 8 kHz.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "codec/codec.h"
#include "dsp/slip.h"
#include "worker/worker_priv.h"

enum { SAMPLE_HZ = 8000 };

static const struct codec *codec_of_packet(const struct rte_mbuf *pkt)
{
	return codec_of((enum codec_id)pkt->hash.usr);
}

static const uint8_t *payload_of(const struct rte_mbuf *pkt)
{
	return rte_pktmbuf_mtod(pkt, const uint8_t *);
}

/* Decoded without a coder. */
static bool is_plain(const struct codec *codec)
{
	return codec->decoder_bytes == NULL && codec->rate_hz == 8000;
}

static uint32_t decode(struct leg_media *m, struct rte_mbuf *pkt, int16_t *at, uint32_t room)
{
	const struct codec *codec = codec_of_packet(pkt);
	size_t n = codec->decode(NULL, at, room, payload_of(pkt), rte_pktmbuf_data_len(pkt));

	conceal_good(m->conceal, at, n);
	rte_pktmbuf_free(pkt);
	return (uint32_t)n;
}

static uint32_t make_up(struct leg_media *m, int16_t *at, uint32_t n)
{
	conceal_lost(m->conceal, at, n);
	m->concealed += n;
	return n;
}

/* The packet is one tick long, as nearly all are. */
static bool is_frame(const struct rte_mbuf *pkt)
{
	const struct codec *codec = codec_of_packet(pkt);

	return is_plain(codec) &&
	       codec->ticks(payload_of(pkt), rte_pktmbuf_data_len(pkt)) == LEG_FRAME;
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
			if (is_plain(codec_of_packet(out.pkt))) {
				n = decode(m, out.pkt, at, room);
				if (out.slip != 0)
					n = slip(m, at, n, room, out.slip);
				break;
			}
			/* It waited here while its leg changed to a plain codec. */
			rte_pktmbuf_free(out.pkt);
			n = make_up(m, at, out.ticks < room ? out.ticks : room);
			break;
		case JBUF_GET_LOST:
		case JBUF_GET_UNDERRUN:
			n = make_up(m, at, out.ticks < room ? out.ticks : room);
			break;
		case JBUF_GET_SILENCE:
			n = out.ticks < room ? out.ticks : room;
			if (m->noise_heard)
				noise_next(&m->noise, at, n);
			else
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

/* --- through the coder --- */

struct clocks {
	uint32_t rate_khz, clock_khz;
};

static uint32_t samples_of(struct clocks c, uint32_t ticks)
{
	uint32_t n = (uint32_t)((uint64_t)ticks * c.rate_khz / c.clock_khz);

	return n == 0 ? 1 : n;
}

static uint32_t ticks_of(struct clocks c, uint32_t samples)
{
	uint32_t n = samples * c.clock_khz / c.rate_khz;

	return n == 0 ? 1 : n;
}

/* `n` samples did not come; the packet behind them may tell what they were. */
static void missing(struct leg_media *m, struct clocks c, uint32_t n, const struct rte_mbuf *next)
{
	bool recovered = next == NULL ? coder_missing(m->coder, n, NULL, NULL, 0)
				      : coder_missing(m->coder, n, codec_of_packet(next),
						      payload_of(next), rte_pktmbuf_data_len(next));

	if (!recovered)
		m->concealed += n * 8 / c.rate_khz;
}

static void pause_fill(struct worker *w, struct leg_media *m, uint32_t n)
{
	int16_t *pcm = w->media->noise;

	if (!m->noise_heard) {
		coder_pause(m->coder, n);
		return;
	}
	n = n < LEG_FRAME_MAX ? n : LEG_FRAME_MAX;
	noise_next(&m->noise, pcm, n);
	coder_queue(m->coder, pcm, n);
}

/* As slip(), of the `n` samples decoded last. */
static void slip_through(struct leg_media *m, struct clocks c, uint32_t n, int32_t wish)
{
	int32_t rate = (int32_t)c.rate_khz, clock = (int32_t)c.clock_khz;
	int32_t by = coder_slip(m->coder, n, wish * rate / clock);

	if (by != 0)
		jbuf_slipped(m->jbuf, by * clock / rate);
}

static void fill_through(struct worker *w, struct leg *l, struct leg_media *m)
{
	struct clocks c = {w->media->rate_hz / 1000, l->in.clock_hz / 1000};

	coder_listen_at(m->coder, w->media->rate_hz);
	while (coder_queued(m->coder) < w->media->frame) {
		uint32_t want = w->media->frame - coder_queued(m->coder);
		struct jbuf_out out = {0};
		struct rte_mbuf *pkt;
		uint32_t n;

		switch (jbuf_get(m->jbuf, w->now_ns, ticks_of(c, want), &out)) {
		case JBUF_GET_READY:
			pkt = out.pkt;
			n = coder_decode(m->coder, codec_of_packet(pkt), payload_of(pkt),
					 rte_pktmbuf_data_len(pkt));
			if (n == 0)
				missing(m, c, samples_of(c, out.ticks), NULL);
			else if (out.slip != 0)
				slip_through(m, c, n, out.slip);
			rte_pktmbuf_free(pkt);
			break;
		case JBUF_GET_LOST:
			missing(m, c, samples_of(c, out.ticks), out.next);
			break;
		case JBUF_GET_UNDERRUN:
			missing(m, c, samples_of(c, out.ticks), NULL);
			break;
		case JBUF_GET_SILENCE:
			pause_fill(w, m, samples_of(c, out.ticks));
			break;
		case JBUF_GET_DISCARD:
			rte_pktmbuf_free(out.pkt);
			break;
		}
	}
	w->media->coded = true;
}

/* The tones of a hidden key, from the moment it is known: before that, some 26 ms of them are out, too
 * short for a key (ITU-T Q.24 asks for 40). */
static void keys_mask(const struct leg_media *m, int16_t *pcm, uint32_t n)
{
	if ((m->doing & LEG_DOING_MASK) && dtmf_detect_pressed(m->detect))
		memset(pcm, 0, n * sizeof(*pcm));
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
	if (m->doing & LEG_DOING_LINE)
		line_listen(w, l, m, pcm);
}

void speaker_frame(struct worker *w, struct leg *l, int16_t *pcm)
{
	struct leg_media *m = worker_leg_media(w, l);
	const int16_t *narrow = pcm;

	if (m->codes_in) {
		fill_through(w, l, m);
		coder_frame(m->coder, pcm, w->media->narrow);
		narrow = w->media->narrow;
	} else if (!fill(w, m, pcm)) {
		memcpy(pcm, m->fifo, LEG_FRAME * sizeof(*pcm));
		m->fifo_n -= LEG_FRAME;
		memmove(m->fifo, m->fifo + LEG_FRAME, m->fifo_n * sizeof(m->fifo[0]));
	}
	/* A play that the caller's voice ends needs the level whatever else is looked at. */
	if ((l->in.flags & LEG_IN_LISTEN) ||
	    ((m->doing & LEG_DOING_PLAY) && play_runs(m) && m->play.list->speech)) {
		listen_to(w, l, m, narrow);
	} else {
		m->listen.power = 0;
		m->listen.speaking = false;
	}
	if (m->doing & LEG_DOING_KEYS)
		keys_hear(w, l, narrow, LEG_FRAME);
	keys_mask(m, pcm, w->media->frame);
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
	m->noise_heard = false;
	if (m->codes_in)
		coder_restart(m->coder);
}

void speaker_codec(struct worker *w, struct leg *l, enum codec_id codec)
{
	struct leg_media *m = worker_leg_media(w, l);
	uint32_t clock_hz = codec_of(codec)->clock_hz;

	l->in.codec_now = (uint8_t)codec;
	if (l->in.clock_hz == clock_hz)
		return;
	/* Timestamps before and after do not compare. */
	speaker_flush(w, l);
	jbuf_clock(m->jbuf, clock_hz);
	rtp_source_clock(&l->source);
	l->in.clock_hz = clock_hz;
}
