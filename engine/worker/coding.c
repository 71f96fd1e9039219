/* SPDX-License-Identifier: Apache-2.0
 *
 * Who needs a coder, at which rate a call is mixed, and how much time encoders may take.
 *
 * A call is mixed at no higher rate than somebody says and somebody can hear: the lower of the widest
 * speaker that is mixed and the widest listener of a mix, at most the engine's limit. So an Opus phone
 * that talks to a G.711 trunk costs a decoder at 8 kHz, and a call of G.711 costs what it always did.
 *
 * A leg needs a coder to be decoded when the call's rate or its codec is not plain 8 kHz, and to be made for when
 * besides its packets are not 20 ms. Coders are taken when a plan needs them and given back by the plan that
 * does not. When none is left the command that wanted it is refused (its caller undoes it); where no
 * command did - the peer changed its codec - the leg is silent until one is free.
 *
 * Load. Above 70 % busy the complexity of Opus goes down a step in 250 ms, below 50 % up again:
 * encoding is most of what transcoding costs, and complexity 0 costs half of 5.
 */
#include <errno.h>

#include "base/must.h"
#include "base/units.h"
#include "codec/codec.h"
#include "port/port_memory.h"
#include "worker/worker_priv.h"

enum {
	RATE_MAX_HZ =
		16000, /* unless told: speech has little above 8 kHz that is worth its price */
	LOAD_HIGH_PERCENT = 70,
	LOAD_LOW_PERCENT = 50,
};

bool coding_make(struct worker *w)
{
	struct worker_media *wm = w->media;
	uint32_t n = w->cfg.coders;

	if (w->cfg.media_rate_max_hz == 0)
		w->cfg.media_rate_max_hz = RATE_MAX_HZ;
	atomic_store_explicit(&w->opus_complexity, w->cfg.opus_complexity, memory_order_relaxed);
	if (n == 0)
		return true;
	wm->coders = port_memory_take(n * coder_bytes(), w->cfg.socket);
	wm->coder_free = port_memory_take(n * sizeof(*wm->coder_free), w->cfg.socket);
	if (wm->coders == NULL || wm->coder_free == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (coder_make((struct coder *)(void *)(wm->coders + i * coder_bytes())) != 0)
			return false;
		wm->coder_free[wm->coders_free++] = i;
	}
	return true;
}

void coding_free(struct worker *w)
{
	struct worker_media *wm = w->media;

	for (uint32_t i = 0; wm->coders != NULL && i < w->cfg.coders; i++)
		coder_free((struct coder *)(void *)(wm->coders + i * coder_bytes()));
	port_memory_put(wm->coders);
	port_memory_put(wm->coder_free);
}

size_t worker_coder_bytes(void)
{
	return coder_bytes() + sizeof(uint32_t);
}

static void used(struct worker *w)
{
	atomic_store_explicit(&w->coders_used, w->cfg.coders - w->media->coders_free,
			      memory_order_relaxed);
}

static bool take(struct worker *w, struct leg_media *m)
{
	struct worker_media *wm = w->media;

	if (m->coder != NULL)
		return true;
	if (wm->coders_free == 0) {
		worker_count(&w->coders_missed, 1);
		return false;
	}

	uint32_t i = wm->coder_free[--wm->coders_free];

	m->coder = (struct coder *)(void *)(wm->coders + i * coder_bytes());
	coder_begin(m->coder, m->conceal);
	used(w);
	return true;
}

static void give(struct worker *w, struct leg_media *m)
{
	struct worker_media *wm = w->media;

	if (m->coder == NULL)
		return;
	wm->coder_free[wm->coders_free++] =
		(uint32_t)((size_t)((uint8_t *)m->coder - wm->coders) / coder_bytes());
	m->coder = NULL;
	m->codes_in = false;
	m->codes_out = false;
	used(w);
}

void coding_close(struct worker *w, struct leg *l)
{
	give(w, worker_leg_media(w, l));
}

/* --- who needs what --- */

/* No state, 8 kHz: a table or a loop does it. */
static bool plain(enum codec_id id)
{
	const struct codec *c = codec_of(id);

	return c->decoder_bytes == NULL && c->rate_hz == 8000;
}

static const struct leg_codec *sent(const struct leg_media *m)
{
	return &m->cfg.codec[0];
}

static bool tick_long(const struct leg_media *m, const struct leg *l)
{
	return codec_ptime_ms(codec_of((enum codec_id)l->out.codec), sent(m)->ptime_ms) == TICK_MS;
}

/* The rate that a leg's sound of this codec is worth. */
static uint32_t natural_hz(const struct worker *w, const struct leg_media *m, enum codec_id id)
{
	uint32_t most = w->cfg.media_rate_max_hz;
	uint32_t hz = codec_of(id)->rate_hz;

	for (unsigned i = 0; i < m->cfg.codecs; i++)
		if (m->cfg.codec[i].id == id && m->cfg.codec[i].rate_max_hz != 0 &&
		    m->cfg.codec[i].rate_max_hz < hz)
			hz = m->cfg.codec[i].rate_max_hz;
	hz = hz < most ? hz : most;
	return hz >= 48000 ? 48000 : hz >= 16000 ? 16000 : 8000;
}

static uint32_t call_rate(const struct worker *w, const struct worker_call *c, const struct plan *p)
{
	uint32_t said = 8000, heard = 8000;

	for (unsigned s = 0; s < CALL_LEGS_MAX; s++) {
		const struct leg *l = worker_call_leg(w, c, s);

		if (l == NULL)
			continue;

		const struct leg_media *m = worker_leg_media(w, l);
		uint32_t hz;

		if (p->decode >> s & 1) {
			hz = natural_hz(w, m, (enum codec_id)l->in.codec_now);
			said = hz > said ? hz : said;
		}
		if (p->leg[s].kind == LEG_PLAN_MIX) {
			hz = natural_hz(w, m, (enum codec_id)l->out.codec);
			heard = hz > heard ? hz : heard;
		}
	}
	return said < heard ? said : heard;
}

static bool needs_in(const struct leg *l, const struct plan *p, unsigned s, uint32_t rate_hz)
{
	return (p->decode >> s & 1) && (rate_hz != 8000 || !plain((enum codec_id)l->in.codec_now));
}

static bool made_plainly(const struct leg *l, const struct leg_media *m)
{
	return plain((enum codec_id)l->out.codec) && tick_long(m, l);
}

static bool needs_out(const struct leg *l, const struct leg_media *m, const struct plan *p,
		      unsigned s, uint32_t rate_hz)
{
	switch (p->leg[s].kind) {
	case LEG_PLAN_MIX:
		return rate_hz != 8000 || !made_plainly(l, m);
	case LEG_PLAN_PLAY:
		return !made_plainly(l, m);
	case LEG_PLAN_SILENT:
	case LEG_PLAN_RELAY:
		break;
	}
	return false;
}

/* The leg goes without: it is not heard and hears nothing. */
static void starve(struct plan *p, unsigned s, bool in, bool out)
{
	if (in)
		p->decode &= (uint16_t) ~(1u << s);
	if (out) {
		p->leg[s] = (struct plan_leg){.kind = LEG_PLAN_SILENT, .relay_of = HEAR_NONE};
		p->ticking &= (uint16_t) ~(1u << s);
	}
}

/* Take or give the leg's coder. False: none is free. */
static bool settle(struct worker *w, struct leg_media *m, bool in, bool out)
{
	m->starved = (in || out) && !take(w, m);
	if (m->starved)
		return false;
	if (in && !m->codes_in)
		coder_restart(m->coder);
	if (out && !m->codes_out)
		coder_speak_anew(m->coder);
	m->codes_in = in;
	m->codes_out = out;
	if (!in && !out)
		give(w, m);
	return true;
}

unsigned coding_settle(struct worker *w, struct worker_call *c, struct plan *p)
{
	uint32_t rate_hz = call_rate(w, c, p);
	unsigned missed = 0;

	c->rate_hz = rate_hz;
	for (unsigned s = 0; s < CALL_LEGS_MAX; s++) {
		struct leg *l = worker_call_leg(w, c, s);

		if (l == NULL)
			continue;

		struct leg_media *m = worker_leg_media(w, l);
		bool in = needs_in(l, p, s, rate_hz), out = needs_out(l, m, p, s, rate_hz);

		if (!settle(w, m, in, out)) {
			starve(p, s, in, out);
			missed++;
		}
	}
	return missed;
}

bool coding_member(struct worker *w, struct leg *l, bool decoded, enum leg_plan kind)
{
	struct leg_media *m = worker_leg_media(w, l);
	bool sent_sound = kind == LEG_PLAN_MIX || kind == LEG_PLAN_PLAY;

	return settle(w, m, decoded && !plain((enum codec_id)l->in.codec_now),
		      sent_sound && !made_plainly(l, m));
}

int coding_can_play(const struct worker *w, const struct leg *l)
{
	const struct leg_media *m = worker_leg_media(w, l);

	return m->coder != NULL || made_plainly(l, m) || w->media->coders_free > 0 ? 0 : -ENOBUFS;
}

/* --- load --- */

void coding_load(struct worker *w)
{
	struct worker_media *wm = w->media;
	uint64_t busy_ns = atomic_load_explicit(&w->busy_ns, memory_order_relaxed);
	uint64_t passed_ns = w->now_ns - wm->busy_at_ns;

	if (w->cfg.coders == 0 || passed_ns < 250 * PB_NS_PER_MS)
		return;

	uint64_t percent = (busy_ns - wm->busy_ns) * 100 / passed_ns;
	uint32_t now = atomic_load_explicit(&w->opus_complexity, memory_order_relaxed);

	if (percent > LOAD_HIGH_PERCENT && now > 0)
		now--;
	else if (percent < LOAD_LOW_PERCENT && now < w->cfg.opus_complexity)
		now++;
	atomic_store_explicit(&w->opus_complexity, now, memory_order_relaxed);
	wm->busy_at_ns = w->now_ns;
	wm->busy_ns = busy_ns;
}
