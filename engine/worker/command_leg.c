/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands about legs: open, set, close, statistics. A leg_config is what was agreed in SDP; here
 * it becomes the few prepared bytes that the packet path reads.
 */
#include <errno.h>
#include <rte_mbuf.h>
#include <string.h>

#include "base/must.h"
#include "codec/codec.h"
#include "port/port.h"
#include "worker/worker_priv.h"

enum { PT_NOISE = 13 }; /* static, RFC 3551; many send it without having negotiated it */

static bool config_valid(const struct worker *w, const struct leg_config *cfg)
{
	const struct net_own *own = w->cfg.lane->own;

	if (cfg->family != 4 && cfg->family != 6)
		return false;
	if (!(cfg->family == 4 ? own->ip4 : own->ip6))
		return false;
	if (cfg->remote.family != 0 && cfg->remote.family != cfg->family)
		return false;
	if (cfg->remote_rtcp.family != 0 && cfg->remote_rtcp.family != cfg->family)
		return false;
	if (cfg->codecs > LEG_CODECS_MAX)
		return false;
	for (unsigned i = 0; i < cfg->codecs; i++)
		if (cfg->codec[i].pt > RTP_PT_MAX || cfg->codec[i].id >= CODEC_COUNT)
			return false;
	return (!cfg->dtmf || cfg->dtmf_pt <= RTP_PT_MAX) &&
	       (!cfg->noise || cfg->noise_pt <= RTP_PT_MAX);
}

static void apply_codecs(struct leg *l, const struct leg_config *cfg)
{
	l->in.codecs = cfg->codecs;
	memset(l->in.pt, LEG_PT_NONE, sizeof(l->in.pt));
	memset(l->out.pt_of, LEG_PT_NONE, sizeof(l->out.pt_of));
	for (unsigned i = cfg->codecs; i-- > 0;) { /* the first of one codec is the one sent */
		l->in.pt[i] = cfg->codec[i].pt;
		l->in.codec[i] = (uint8_t)cfg->codec[i].id;
		l->out.pt_of[cfg->codec[i].id] = cfg->codec[i].pt;
	}
	l->out.codec = cfg->codecs > 0 ? (uint8_t)cfg->codec[0].id : CODEC_PCMU;
	l->in.noise_pt = cfg->noise ? cfg->noise_pt : PT_NOISE;
}

static void apply_dtmf(struct leg *l, const struct leg_config *cfg)
{
	l->in.dtmf_pt = cfg->dtmf ? cfg->dtmf_pt : LEG_PT_NONE;
	l->out.dtmf_pt = l->in.dtmf_pt;
}

static void flag_in(struct leg *l, uint16_t flag, bool on)
{
	l->in.flags = (uint16_t)(on ? l->in.flags | flag : l->in.flags & ~flag);
}

/* A new peer: who may send, where to send, and the latch is open again. */
static void apply_remote(struct worker *w, struct leg *l, const struct leg_config *cfg)
{
	struct leg_media *m = worker_leg_media(w, l);
	bool same_ip = l->way.family == cfg->remote.family &&
		       memcmp(l->way.ip, cfg->remote.ip, sizeof(l->way.ip)) == 0;

	l->in.family = cfg->remote.family;
	memcpy(l->in.ip, cfg->remote.ip, sizeof(l->in.ip));
	l->in.port = cfg->remote.port;
	if (!same_ip) {
		peer_leave(w, l);
		l->way.family = cfg->remote.family;
		memcpy(l->way.ip, cfg->remote.ip, sizeof(l->way.ip));
		m->mac_known = false;
		m->asked_ns = 0;
		peer_join(w, l);
		peer_way_take(w, l);
	}
	l->way.port = cfg->remote.port;
	flag_in(l, LEG_IN_SEEN, false);
	flag_in(l, LEG_IN_LATCH, cfg->source == LEG_SOURCE_LATCH);
	m->rtcp_port = 0;
	m->rtcp_mux = cfg->rtcp_mux;
	way_make(w, l);
	worker_neighbour_want(
		w, l); /* known from another leg, main still keeps count of who is used */
}

static void apply_direction(struct worker *w, struct leg *l, const struct leg_config *cfg)
{
	struct leg_media *m = worker_leg_media(w, l);

	m->direction = (uint8_t)cfg->direction;
	flag_in(l, LEG_IN_RECEIVES, plan_receives(cfg->direction));
	l->arrived.last_ns = w->now_ns; /* silence is counted from now */
	m->timeout_told = false;
}

static uint32_t place(const struct worker *w, const struct leg *l)
{
	return (uint32_t)(l - w->legs.leg);
}

/* Keys, or NULL: plain from now on. 0 or negative errno; on an error nothing has changed. */
static int apply_srtp(struct worker *w, struct leg *l, const struct srtp_keys *keys)
{
	if (keys != NULL) {
		int err = w->srtp != NULL ? srtp_keys_set(w->srtp, place(w, l), keys) : -ENOTSUP;

		if (err != 0)
			return err;
	} else if (w->srtp != NULL) {
		srtp_close(w->srtp, place(w, l));
	}
	flag_in(l, LEG_IN_SRTP, keys != NULL);
	l->out.flags = (uint8_t)(keys != NULL ? l->out.flags | LEG_OUT_SRTP
					      : l->out.flags & ~LEG_OUT_SRTP);
	return 0;
}

/* A place in the call: -ENOSPC when there is none. */
static int place_take(struct worker_call *call, uint32_t leg)
{
	if (call->is_room)
		return room_join(&call->room.row, leg);
	for (uint8_t s = 0; s < CALL_LEGS_MAX; s++) {
		if (call->leg[s] != LEG_INDEX_NONE)
			continue;
		call->leg[s] = leg;
		hear_leg_open(&call->hear, s);
		return s;
	}
	return -ENOSPC;
}

/* The leg's place is free again; monitors that it supervised end. */
static void place_give(struct worker *w, struct worker_call *call, const struct leg *l)
{
	unsigned slot = worker_leg_media(w, l)->slot;
	uint64_t ended[HEAR_MONITORS_MAX];

	if (call->is_room) {
		uint32_t moved = room_leave(&call->room.row, slot);

		if (moved != ROOM_NOBODY)
			worker_leg_media(w, leg_at(&w->legs, moved))->slot = (uint16_t)slot;
		return;
	}

	unsigned n = hear_leg_close(&call->hear, (uint8_t)slot, ended);

	for (unsigned i = 0; i < n; i++) {
		struct worker_event done = worker_leg_event(w, l, EVENT_MONITOR_DONE);

		done.monitor.monitor = ended[i];
		mailbox_done(w, &done);
	}
	call->leg[slot] = LEG_INDEX_NONE;
}

/* -ESTALE: the call is gone. -EINVAL: not this worker's index, generation 0, or a config that contradicts
 * itself or asks for an address family that the port has not. -EBUSY: still open. -ENOSPC: the call
 * has CALL_LEGS_MAX legs, the room ROOM_LEGS_MAX. -ENOTSUP: keys, and the engine runs without SRTP. */
int command_leg_open(struct worker *w, const struct worker_command *c)
{
	struct worker_call *call = command_call(w, c->call);
	struct leg *l = leg_slot(&w->legs, c->leg.index);
	const struct leg_config *cfg = &c->leg_open;

	if (call == NULL)
		return -ESTALE;
	if (l == NULL || c->leg.generation == 0 || !config_valid(w, cfg))
		return -EINVAL;
	if (leg_is_open(l))
		return -EBUSY;

	struct leg_media *m = worker_leg_media(w, l);
	enum codec_id first = cfg->codecs > 0 ? cfg->codec[0].id : CODEC_PCMU;
	struct jbuf_config jc = {.clock_hz = codec_of(first)->clock_hz,
				 .slots = LEG_JBUF_SLOTS,
				 .min_ms = (uint16_t)w->cfg.jbuf_min_ms,
				 .max_ms = (uint16_t)w->cfg.jbuf_max_ms};

	memset(l, 0, sizeof(*l));

	int err = apply_srtp(w, l, c->srtp);

	if (err != 0)
		return err;

	int slot = place_take(call, c->leg.index);

	if (slot < 0) {
		must(apply_srtp(w, l, NULL) == 0);
		return slot;
	}
	leg_media_reset(m);
	must(jbuf_init(m->jbuf, &jc) == 0);
	m->cfg = *cfg;
	m->slot = (uint16_t)slot;
	l->in.generation = c->leg.generation;
	l->in.call = c->call.index;
	l->in.listener = LEG_INDEX_NONE;
	l->way.local_port = (uint16_t)(w->legs.rtp_first + 2 * c->leg.index);
	l->out.ssrc = cfg->ssrc;
	l->out.seq = (uint16_t)worker_random(w);
	l->out.ts = (uint32_t)worker_random(w);
	l->out.flags |= LEG_OUT_ANCHOR;
	/* Far from the wrap: a receiver that misses the first packets must not miss a rollover
	 * (RFC 3711, 3.3.1). */
	if (c->srtp != NULL)
		l->out.seq &= 0x7fff;
	rtp_source_init(&l->source);
	apply_codecs(l, cfg);
	l->in.codec_now = l->out.codec;
	l->in.clock_hz = jc.clock_hz;
	apply_dtmf(l, cfg);
	flag_in(l, LEG_IN_LISTEN, cfg->listen != LEG_LISTEN_OFF);
	apply_direction(w, l, cfg);
	apply_remote(w, l, cfg);
	rtcp_out_plan(w, l, true);
	call->legs++;
	replan(w, call);
	atomic_store_explicit(&w->legs_open,
			      atomic_load_explicit(&w->legs_open, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	return 0;
}

static bool sock_equal(const struct sock_ip *a, const struct sock_ip *b)
{
	return a->family == b->family && a->port == b->port &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* What is named in `new` takes the place of what was. */
static void merge(struct leg_config *cfg, const struct leg_config *new)
{
	if (new->set & LEG_SET_REMOTE) {
		cfg->remote = new->remote;
		cfg->remote_rtcp = new->remote_rtcp;
	}
	if (new->set & LEG_SET_CODECS) {
		cfg->codecs = new->codecs;
		memcpy(cfg->codec, new->codec, sizeof(cfg->codec));
	}
	if (new->set & LEG_SET_DTMF) {
		cfg->dtmf = new->dtmf;
		cfg->dtmf_pt = new->dtmf_pt;
		cfg->dtmf_clock_hz = new->dtmf_clock_hz;
	}
	if (new->set & LEG_SET_NOISE) {
		cfg->noise = new->noise;
		cfg->noise_pt = new->noise_pt;
	}
	if (new->set & LEG_SET_DIRECTION)
		cfg->direction = new->direction;
	if (new->set & LEG_SET_SOURCE)
		cfg->source = new->source;
	if (new->set & LEG_SET_INBAND)
		cfg->inband_dtmf = new->inband_dtmf;
	if (new->set & LEG_SET_HIDE)
		cfg->hide_digits = new->hide_digits;
	if (new->set & LEG_SET_TIMEOUT)
		cfg->media_timeout_ms = new->media_timeout_ms;
	if (new->set & LEG_SET_LISTEN)
		cfg->listen = new->listen;
	if (new->set & LEG_SET_RTCP) {
		cfg->rtcp_mux = new->rtcp_mux;
		cfg->rtcp_xr = new->rtcp_xr;
	}
}

static void take_codecs(struct worker *w, struct leg *l, const struct leg_config *cfg)
{
	apply_codecs(l, cfg);
	if (!(l->in.flags & LEG_IN_SEEN))
		speaker_codec(w, l, (enum codec_id)l->out.codec);
}

/* The leg follows its configuration, which was `old`; `set` names what was asked for. */
static void follow(struct worker *w, struct leg *l, const struct leg_config *old, uint32_t set)
{
	struct leg_media *m = worker_leg_media(w, l);
	const struct leg_config *cfg = &m->cfg;

	if (set & LEG_SET_CODECS) {
		bool sent_other =
			cfg->codecs > 0 && cfg->codec[0].id != (enum codec_id)l->out.codec;

		take_codecs(w, l, cfg);
		if (sent_other)
			l->out.flags |= LEG_OUT_MARK;
	}
	if (set & LEG_SET_NOISE)
		l->in.noise_pt = cfg->noise ? cfg->noise_pt : PT_NOISE;
	if (set & LEG_SET_DTMF)
		apply_dtmf(l, cfg);
	if ((set & LEG_SET_DIRECTION) && old->direction != cfg->direction)
		apply_direction(w, l, cfg);
	flag_in(l, LEG_IN_LISTEN, cfg->listen != LEG_LISTEN_OFF);
	if ((set & LEG_SET_INBAND) && cfg->inband_dtmf && !old->inband_dtmf)
		dtmf_detect_init(m->detect);
	/* An offer that repeats the same address does not undo a latch. */
	if ((set & LEG_SET_REMOTE) && (!sock_equal(&old->remote, &cfg->remote) ||
				       !sock_equal(&old->remote_rtcp, &cfg->remote_rtcp)))
		apply_remote(w, l, cfg);
	else if (set & LEG_SET_SOURCE)
		flag_in(l, LEG_IN_LATCH,
			cfg->source == LEG_SOURCE_LATCH && !(l->in.flags & LEG_IN_SEEN));
	if ((set & LEG_SET_RTCP) && old->rtcp_mux != cfg->rtcp_mux) {
		m->rtcp_mux = cfg->rtcp_mux;
		m->rtcp_port = 0;
		way_make(w, l);
	}
	if ((set & LEG_SET_TIMEOUT) && old->media_timeout_ms != cfg->media_timeout_ms)
		m->timeout_told = false;
}

/* -ESTALE; -EINVAL and -ENOTSUP as of open, nothing is changed then. -ENOBUFS: the codecs or in-band
 * detection need a coder and none is free; these stay as they were. */
int command_leg_set(struct worker *w, const struct worker_command *c)
{
	struct leg *l = command_leg(w, c->leg);
	const struct leg_config *new = &c->leg_open;
	struct worker_call *call;
	struct leg_config cfg, old;
	struct leg_media *m;
	uint8_t starved;

	if (l == NULL)
		return -ESTALE;
	m = worker_leg_media(w, l);
	cfg = old = m->cfg;
	merge(&cfg, new);
	if (!config_valid(w, &cfg))
		return -EINVAL;
	if (new->set & LEG_SET_SRTP) {
		int err = apply_srtp(w, l, c->srtp);

		if (err != 0)
			return err;
	}
	m->cfg = cfg;
	follow(w, l, &old, new->set);
	call = worker_call_of(w, l);
	starved = call->starved;
	replan(w, call);
	if (call->starved <= starved || !(new->set &(LEG_SET_CODECS | LEG_SET_INBAND)))
		return 0;
	/* There are not the coders for it. */
	memcpy(m->cfg.codec, old.codec, sizeof(old.codec));
	m->cfg.codecs = old.codecs;
	m->cfg.inband_dtmf = old.inband_dtmf;
	take_codecs(w, l, &m->cfg);
	replan(w, call);
	return -ENOBUFS;
}

/* -ESTALE. Its play and collect end (PLAY_DONE, COLLECT_DONE), monitors that it supervised end
 * (MONITOR_DONE), a BYE is sent; then the reply with its last statistics. */
int command_leg_close(struct worker *w, const struct worker_command *c, struct worker_event *e)
{
	struct leg *l = command_leg(w, c->leg);

	if (l == NULL)
		return -ESTALE;

	struct worker_call *call = worker_call_of(w, l);

	play_end(w, l, PLAY_END_LEG_CLOSED, 0);
	collect_end(w, l, COLLECT_END_LEG_CLOSED);
	rtcp_out_report(w, l, true);
	leg_stats_fill(w, l, &e->stats);
	record_leg_closed(call, c->leg.index);
	place_give(w, call, l);
	speaker_flush(w, l);
	coding_close(w, l);
	must(apply_srtp(w, l, NULL) == 0); /* its secrets are overwritten */
	peer_leave(w, l);
	call->legs--;
	l->in.generation = 0;
	replan(w, call);
	atomic_store_explicit(&w->legs_open,
			      atomic_load_explicit(&w->legs_open, memory_order_relaxed) - 1,
			      memory_order_relaxed);
	return 0;
}

/* -ESTALE. */
int command_leg_stat(struct worker *w, const struct worker_command *c, struct worker_event *e)
{
	struct leg *l = command_leg(w, c->leg);

	if (l == NULL)
		return -ESTALE;
	leg_stats_fill(w, l, &e->stats);
	return 0;
}
