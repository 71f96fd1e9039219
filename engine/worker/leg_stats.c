/* SPDX-License-Identifier: Apache-2.0
 *
 * A leg's numbers put together: counters, what RTCP told, and what both make of the connection (E-model).
 *
 * Quality is told for both directions: `mos` is how the peer is heard here and beyond, with the loss that
 * was measured and the delay up to the jitter buffer's end; `remote_mos` how the peer hears us, in its own words
 * where it sends VoIP metrics (RFC 3611), else from its reports.
 */
#include <string.h>

#include "codec/codec.h"
#include "rtp/emodel.h"
#include "worker/worker_priv.h"

enum { PACKET_MS = 20 };

/* What stands in the report of losses: came since the newest. */
static struct loss_runs_result bursts(const struct leg *l, const struct leg_media *m)
{
	uint32_t came = l->source.runs > 0 ? l->source.seq_max - m->loss_seq : 0;

	return loss_runs_result(&m->losses, came, PACKET_MS);
}

/* Too late or too early to be played, of those that came. */
static uint32_t discarded(const struct leg *l, const struct leg_media *m)
{
	const struct jbuf_counts *jc = jbuf_counts(m->jbuf);

	(void)l;
	return jc->late + jc->discarded + jc->far;
}

/* From the peer's mouth to the end of our jitter buffer; where nothing is decoded, of the one that
 * must follow. */
static double delay_ms(const struct leg_stats *s)
{
	double way = s->rtt_us == UINT32_MAX ? 0 : s->rtt_us / 2000.0;
	double buffer = s->jbuf_ms != 0 ? s->jbuf_ms : 2.0 * s->jitter_us / 1000.0;

	return way + buffer + PACKET_MS;
}

static double remote_mos(const struct leg *l, const struct leg_media *m, const struct leg_stats *s)
{
	if (m->remote_voip_known && m->remote_voip.mos_cq >= 10 && m->remote_voip.mos_cq <= 50)
		return m->remote_voip.mos_cq / 10.0;
	if (m->remote_voip_known && m->remote_voip.mos_lq >= 10 && m->remote_voip.mos_lq <= 50)
		return m->remote_voip.mos_lq / 10.0;
	if (!m->remote_known || s->packets_out == 0)
		return 0;

	const struct emodel_input in = {
		.codec = emodel_codec_of(codec_of((enum codec_id)l->out.codec)->name),
		.loss_share = (double)s->remote_lost / (double)s->packets_out,
		.burst_ratio = 1,
		.delay_ms = (s->rtt_us == UINT32_MAX ? 0 : s->rtt_us / 2000.0) +
			    2.0 * s->remote_jitter_us / 1000.0 + PACKET_MS,
	};

	return emodel_mos(emodel_r(&in));
}

static void sound_fill(const struct leg_media *m, struct leg_sound *s)
{
	*s = (struct leg_sound){
		.listen = m->cfg.listen,
		.heard_ms = m->listen.heard_ms,
		.speech_ms = m->listen.speech_ms,
		.silence_max_ms = m->listen.silence_max_ms,
		.talk_over_ms = m->listen.talk_over_ms,
		.clipped_ms = m->listen.clipped_ms,
		.one_way_ms = m->one_way_ms,
		.speech_dbov = listen_speech_dbov(&m->listen),
		.noise_dbov = listen_noise_dbov(&m->listen),
		.peak_dbov = listen_peak_dbov(&m->listen),
		.answer = (enum listen_answer)m->tones.answer,
		.greeting_ms = m->tones.greeting_ms,
		.beep = m->tones.beep,
	};
	memcpy(s->tones, m->tones.count, sizeof(s->tones));
	memcpy(s->first_ms, m->tones.first_ms, sizeof(s->first_ms));
}

static void quality_fill(const struct worker *w, const struct leg *l, struct leg_stats *s)
{
	const struct leg_media *m = worker_leg_media(w, l);
	struct loss_runs_result runs = bursts(l, m);

	s->discarded = discarded(l, m);
	s->burst_ms = runs.burst_ms;
	s->gap_ms = runs.gap_ms;
	s->burst_density = runs.burst_density;
	s->gap_density = runs.gap_density;
	s->burst_ratio = runs.burst_ratio;
	if (s->expected > 0) {
		const struct emodel_input in = {
			.codec = emodel_codec_of(codec_of((enum codec_id)l->in.codec_now)->name),
			.loss_share = (double)(s->lost + s->discarded) / (double)s->expected,
			.burst_ratio = runs.burst_ratio,
			.delay_ms = delay_ms(s),
		};

		s->r_factor = emodel_r(&in);
		s->mos = emodel_mos(s->r_factor);
	}
	s->remote_mos = remote_mos(l, m, s);
}

static struct leg_jbuf_stats jbuf_stats(const struct jbuf *jb, uint32_t clock_hz)
{
	const struct jbuf_counts *c = jbuf_counts(jb);
	struct jbuf_delay d = jbuf_delay(jb);

	return (struct leg_jbuf_stats){
		.delay_ms = d.now_ms,
		.target_ms = d.target_ms,
		.min_ms = d.min_ms,
		.max_ms = d.max_ms,
		.mean_ms = d.mean_ms,
		.played = c->played,
		.lost = c->lost,
		.late = c->late,
		.duplicate = c->duplicate,
		.reordered = c->reordered,
		.far = c->far,
		.discarded = c->discarded,
		.underruns = c->underruns,
		.expansions = c->expansions,
		.compressions = c->compressions,
		.expanded_ms = (uint32_t)(c->expanded_ticks * 1000 / clock_hz),
		.compressed_ms = (uint32_t)(c->compressed_ticks * 1000 / clock_hz),
	};
}

void leg_stats_fill(const struct worker *w, const struct leg *l, struct leg_stats *s)
{
	const struct leg_media *m = worker_leg_media(w, l);
	const struct jbuf_counts *jc = jbuf_counts(m->jbuf);
	uint32_t clock_hz = codec_of((enum codec_id)l->in.codec_now)->clock_hz;

	*s = (struct leg_stats){
		.packets_in = rtp_source_received(&l->source),
		.octets_in = l->arrived.octets,
		.packets_out = l->out.packets,
		.octets_out = l->out.octets,
		.lost = rtp_source_lost(&l->source),
		.expected = rtp_source_expected(&l->source),
		.late = jc->late,
		.duplicate = l->source.duplicates,
		.reordered = l->source.reordered,
		.concealed_ms = m->concealed / 8,
		.dropped = l->dropped,
		.jitter_us = rtp_source_jitter_us(&l->source, clock_hz),
		.rtt_us = m->rtt_us,
		.jbuf_ms = l->in.flags & LEG_IN_BUFFER ? jbuf_delay_ms(m->jbuf) : 0,
		.jbuf = jbuf_stats(m->jbuf, l->in.clock_hz),
		.remote_lost = m->remote_lost,
		.remote_jitter_us = m->remote_jitter_us,
		.level_dbov = listen_dbov(m->listen.power),
		.codec = l->out.codec,
		.plan = (enum leg_plan)l->out.plan,
	};
	quality_fill(w, l, s);
	sound_fill(m, &s->sound);
	s->in_room = worker_call_of(w, l)->is_room;
	s->muted = m->room.muted;
	s->deaf = m->room.deaf;
	s->speaking = m->listen.speaking;
	if (l->out.flags & LEG_OUT_SRTP) {
		uint32_t place = (uint32_t)(l - w->legs.leg);
		struct srtp_counts c = srtp_counts_of(w->srtp, place);

		s->srtp_suite = (uint8_t)srtp_suite_in_use(w->srtp, place);
		s->srtp_burst = srtp_way_of(w->srtp) == SRTP_WAY_BURST;
		s->srtp_auth_failed = c.auth_failed;
		s->srtp_replayed = c.replayed;
	}
	if (l->in.flags & LEG_IN_SEEN) {
		s->source.family = l->in.family;
		s->source.port = l->in.port;
		memcpy(s->source.ip, l->in.ip, sizeof(s->source.ip));
	}
}

static uint8_t of_256(uint64_t part, uint64_t whole)
{
	uint64_t v = whole == 0 ? 0 : part * 256 / whole;

	return (uint8_t)(v > 255 ? 255 : v);
}

static uint16_t held16(double v)
{
	return v > UINT16_MAX ? UINT16_MAX : (uint16_t)v;
}

/* 0 dBov is +3.17 dBm0 (G.711). */
static int8_t dbm0(int16_t dbov)
{
	return dbov == LISTEN_UNKNOWN_DBOV ? RTCP_XR_UNKNOWN : (int8_t)(dbov + 3);
}

void leg_stats_voip(const struct worker *w, const struct leg *l, struct rtcp_voip *v)
{
	const struct leg_media *m = worker_leg_media(w, l);
	struct leg_stats s;

	leg_stats_fill(w, l, &s);
	*v = (struct rtcp_voip){
		.ssrc = l->source.ssrc,
		.loss_rate = of_256(s.lost, s.expected),
		.discard_rate = of_256(s.discarded, s.expected),
		.burst_density = s.burst_density,
		.gap_density = s.gap_density,
		.burst_ms = s.burst_ms,
		.gap_ms = s.gap_ms,
		.rtt_ms = s.rtt_us == UINT32_MAX ? 0 : held16(s.rtt_us / 1000.0),
		.system_ms =
			held16(delay_ms(&s) - (s.rtt_us == UINT32_MAX ? 0 : s.rtt_us / 2000.0)),
		.signal_dbm0 = dbm0(s.sound.speech_dbov),
		.noise_dbm0 = dbm0(s.sound.noise_dbov),
		.rerl = RTCP_XR_UNKNOWN,
		.gmin = LOSS_RUNS_GMIN,
		.r_factor = s.mos > 0 ? (uint8_t)(s.r_factor + 0.5) : RTCP_XR_UNKNOWN,
		.ext_r_factor = RTCP_XR_UNKNOWN,
		.mos_lq = RTCP_XR_UNKNOWN,
		.mos_cq = s.mos > 0 ? (uint8_t)(s.mos * 10 + 0.5) : RTCP_XR_UNKNOWN,
		.rx_config = RTCP_XR_RX_ADAPTIVE,
		.jb_nominal_ms = held16(jbuf_target_ms(m->jbuf)),
		.jb_max_ms = held16(jbuf_target_ms(m->jbuf)),
		.jb_abs_max_ms = held16(w->cfg.jbuf_max_ms),
	};
}
