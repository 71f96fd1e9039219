/* SPDX-License-Identifier: Apache-2.0
 *
 * First everything but relays: who is silent, who hears a playlist, who could be relayed and who
 * must mix. Then the relays are given out, to legs of the matrix before legs of a monitor, and who
 * goes without mixes its one speaker.
 */
#include "call/plan.h"

#include <string.h>

#include "dsp/mix.h"

/* Fill the list of speakers; returns it as a set, those that may not speak left out. */
static uint16_t list_speakers(struct plan_leg *l, const struct hear *h,
			      const struct plan_input in[CALL_LEGS_MAX], uint8_t listener)
{
	int16_t gain_cb[CALL_LEGS_MAX];
	uint16_t row = hear_row(h, listener, gain_cb);

	for (uint8_t s = 0; s < CALL_LEGS_MAX; s++) {
		if (!(row >> s & 1))
			continue;
		if (!plan_receives(in[s].direction)) {
			row &= (uint16_t) ~(1U << s);
			continue;
		}
		l->speaker[l->speakers++] = (struct plan_speaker){
			.slot = s,
			.gain_cb = gain_cb[s],
			.gain_q12 = mix_gain_q12(gain_cb[s]),
		};
	}
	return row;
}

/* The one speaker whose packets could be sent on as they are, or HEAR_NONE. */
static uint8_t relayable(const struct plan_leg *l, const struct plan_input in[CALL_LEGS_MAX],
			 uint8_t listener)
{
	if (l->kind != LEG_PLAN_MIX || l->speakers != 1 || l->speaker[0].gain_cb != 0)
		return HEAR_NONE;

	uint8_t s = l->speaker[0].slot;

	if (in[listener].short_only || in[s].masked)
		return HEAR_NONE;
	return in[s].codec_in == in[listener].codec_out ||
			       (in[listener].accepts >> in[s].codec_in & 1)
		       ? s
		       : HEAR_NONE;
}

/* Legs whose row a monitor lays a hand on. */
static uint16_t monitored(const struct hear *h)
{
	uint16_t set = 0;

	for (unsigned i = 0; i < HEAR_MONITORS_MAX; i++) {
		const struct hear_monitor *m = &h->monitor[i];

		if (m->id == 0)
			continue;
		set |= (uint16_t)(1U << m->supervisor);
		if (m->mode != MONITOR_LISTEN && m->agent != HEAR_NONE)
			set |= (uint16_t)(1U << m->agent);
		if ((m->mode == MONITOR_BARGE || m->mode == MONITOR_COACH) &&
		    m->customer != HEAR_NONE)
			set |= (uint16_t)(1U << m->customer);
	}
	return set;
}

static void give_relays(struct plan *p, const struct plan_input in[CALL_LEGS_MAX], uint16_t to)
{
	for (uint8_t i = 0; i < CALL_LEGS_MAX; i++) {
		uint8_t s = to >> i & 1 ? relayable(&p->leg[i], in, i) : HEAR_NONE;

		if (s == HEAR_NONE || p->relay_to[s] != HEAR_NONE)
			continue;
		p->leg[i].kind = LEG_PLAN_RELAY;
		p->leg[i].relay_of = s;
		p->relay_to[s] = i;
	}
}

void plan_derive(struct plan *p, const struct hear *h, const struct plan_input in[CALL_LEGS_MAX])
{
	memset(p, 0, sizeof(*p));
	memset(p->relay_to, HEAR_NONE, sizeof(p->relay_to));

	for (uint8_t i = 0; i < CALL_LEGS_MAX; i++) {
		struct plan_leg *l = &p->leg[i];

		l->kind = LEG_PLAN_SILENT;
		l->relay_of = HEAR_NONE;
		if (!(h->open >> i & 1))
			continue;
		if (in[i].inband && plan_receives(in[i].direction))
			p->decode |= (uint16_t)(1U << i);
		if (!plan_sends(in[i].direction) || !in[i].remote_known)
			continue;
		if (in[i].playing) {
			l->kind = LEG_PLAN_PLAY;
			continue;
		}

		uint16_t row = list_speakers(l, h, in, i);

		p->heard |= row;
		if (row != 0)
			l->kind = LEG_PLAN_MIX;
	}

	uint16_t hands = monitored(h);

	give_relays(p, in, (uint16_t)~hands);
	give_relays(p, in, hands);

	for (uint8_t i = 0; i < CALL_LEGS_MAX; i++) {
		struct plan_leg *l = &p->leg[i];

		if (l->kind == LEG_PLAN_MIX || l->kind == LEG_PLAN_PLAY)
			p->ticking |= (uint16_t)(1U << i);
		for (uint8_t j = 0; j < l->speakers && l->kind == LEG_PLAN_MIX; j++)
			p->decode |= (uint16_t)(1U << l->speaker[j].slot);
	}
	for (uint8_t i = 0; i < CALL_LEGS_MAX; i++)
		if ((h->open >> i & 1) && in[i].keys && plan_receives(in[i].direction))
			p->keyed |= (uint16_t)(1U << i & ~p->decode);
}
