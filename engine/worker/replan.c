/* SPDX-License-Identifier: Apache-2.0
 *
 * From the call's matrix to what its legs' packets meet: plan_derive() decides, this file puts the
 * result where the packet path reads it. A leg whose source of sound changed is re-anchored, so
 * that its peer sees one unbroken stream; the others are not touched at all.
 */
#include "worker/worker_priv.h"

static uint8_t accepts(const struct leg *l)
{
	uint8_t set = 0;

	for (unsigned c = 0; c < CODEC_COUNT; c++)
		set |= (uint8_t)((l->out.pt_of[c] != LEG_PT_NONE) << c);
	return set;
}

static void inputs(const struct worker *w, const struct worker_call *call,
		   struct plan_input in[CALL_LEGS_MAX])
{
	for (unsigned s = 0; s < CALL_LEGS_MAX; s++) {
		const struct leg *l = worker_call_leg(w, call, s);

		in[s] = (struct plan_input){0};
		if (l == NULL)
			continue;

		const struct leg_media *m = worker_leg_media(w, l);
		bool samples =
			m->cfg.listen == LEG_LISTEN_FULL || (play_runs(m) && m->play.list->speech);
		bool in_packets = !m->cfg.hide_digits && l->in.codec_now < CODEC_G711_COUNT;

		in[s] = (struct plan_input){
			.direction = (enum leg_direction)m->direction,
			.remote_known = l->way.family != 0 && m->cfg.codecs > 0,
			.playing = play_runs(m),
			.inband = samples || (m->cfg.inband_dtmf && !in_packets),
			.keys = m->cfg.inband_dtmf && in_packets,
			.masked = m->cfg.inband_dtmf && m->cfg.hide_digits,
			.codec_in = (enum codec_id)l->in.codec_now,
			.codec_out = (enum codec_id)l->out.codec,
			.accepts = accepts(l),
			.short_only = m->cfg.codecs > 0 && m->cfg.codec[0].ptime_max_ms != 0 &&
				      m->cfg.codec[0].ptime_max_ms < TICK_MS,
		};
	}
}

/* A leg that is sent tones in place of sound cannot be relayed to meanwhile. */
static void tones_override(const struct worker *w, const struct worker_call *call, struct plan *p)
{
	for (unsigned s = 0; s < CALL_LEGS_MAX; s++) {
		const struct leg *l = worker_call_leg(w, call, s);

		if (l == NULL)
			continue;

		const struct leg_media *m = worker_leg_media(w, l);
		struct plan_leg *pl = &p->leg[s];

		if (!m->digits.tones || !plan_sends((enum leg_direction)m->direction) ||
		    l->way.family == 0 || pl->kind == LEG_PLAN_PLAY || pl->kind == LEG_PLAN_MIX)
			continue;
		if (pl->kind == LEG_PLAN_RELAY)
			p->relay_to[pl->relay_of] = HEAR_NONE;
		*pl = (struct plan_leg){.kind = LEG_PLAN_MIX, .relay_of = HEAR_NONE};
		p->ticking |= (uint16_t)(1u << s);
	}
}

bool replan_doing(struct leg_media *m)
{
	unsigned doing = 0;

	if (m->play.list != NULL)
		doing |= LEG_DOING_PLAY;
	if (m->collect.active)
		doing |= LEG_DOING_COLLECT;
	if (m->digits.tones || m->digits.events.active)
		doing |= LEG_DOING_DIGITS;
	if (m->cfg.inband_dtmf)
		doing |= LEG_DOING_KEYS;
	if (m->cfg.inband_dtmf && m->cfg.hide_digits)
		doing |= LEG_DOING_MASK;
	if (m->cfg.listen == LEG_LISTEN_FULL)
		doing |= LEG_DOING_LINE;
	if (m->cfg.noise)
		doing |= LEG_DOING_NOISE;
	m->doing = (uint8_t)doing;
	return (doing & LEG_DOING_TIMED) != 0;
}

static void apply(struct worker *w, const struct worker_call *call, struct leg *l, unsigned s,
		  const struct plan *p, const struct plan_leg *old)
{
	const struct plan_leg *pl = &p->leg[s];
	uint8_t to = p->relay_to[s];

	if (pl->kind != (enum leg_plan)l->out.plan ||
	    (pl->kind == LEG_PLAN_RELAY && pl->relay_of != old->relay_of))
		l->out.flags |= LEG_OUT_ANCHOR | LEG_OUT_MARK;
	l->out.plan = (uint8_t)pl->kind;
	l->in.listener = to == HEAR_NONE ? LEG_INDEX_NONE : call->leg[to];
	if (p->keyed & (1u << s))
		l->in.flags |= LEG_IN_KEYS;
	else
		l->in.flags = (uint16_t)(l->in.flags & ~LEG_IN_KEYS);
	if (p->decode & (1u << s)) {
		l->in.flags |= LEG_IN_BUFFER;
	} else if (l->in.flags & LEG_IN_BUFFER) {
		l->in.flags = (uint16_t)(l->in.flags & ~LEG_IN_BUFFER);
		speaker_flush(w, l);
	}
}

void replan(struct worker *w, struct worker_call *call)
{
	struct worker_media *wm = w->media;
	struct plan_input in[CALL_LEGS_MAX];
	struct plan p;
	uint32_t index = (uint32_t)(call - wm->call);
	bool ticks;

	if (call->is_room) {
		room_replan(w, call);
		return;
	}
	call->stale = false;
	inputs(w, call, in);
	plan_derive(&p, &call->hear, in);
	tones_override(w, call, &p);
	call->starved = (uint8_t)coding_settle(w, call, &p);
	ticks = p.ticking != 0 || p.decode != 0;
	for (unsigned s = 0; s < CALL_LEGS_MAX; s++) {
		struct leg *l = worker_call_leg(w, call, s);

		if (l == NULL)
			continue;
		apply(w, call, l, s, &p, &call->plan.leg[s]);
		ticks |= replan_doing(worker_leg_media(w, l));
	}
	call->plan = p;
	call->decode = p.decode;
	record_secrets(w, call);
	if (!ticks)
		wheel_remove(&wm->tick, index);
	else if (!wm->tick_link[index].inside)
		wheel_add(&wm->tick, index, wheel_quiet(&wm->tick, index));
}
