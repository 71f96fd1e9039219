/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys for the other side, in the kind that it wants.
 *
 *   pressed as        heard by a leg with telephone-event    without
 *   telephone-event   relayed: passes by itself; mixed: made   tones, in place of the sound
 *   tones             telephone-event, beside the sound      the tones are in the sound
 *
 * A press is passed on when it is known, as DIGIT_MS of its own, whatever its length; presses that come
 * faster than that wait for each other. Secret digits and those of a leg with `hide_digits` stay here, and so do those of the members of a
 * room, which has no plan of who hears whom.
 */
#include "rtp/dtmf_code.h"
#include "worker/worker_priv.h"

enum { DIGIT_MS = 100, GAP_MS = 60, SAMPLES_PER_MS = 8 };

static bool hears(const struct plan_leg *pl, uint8_t slot)
{
	if (pl->kind == LEG_PLAN_RELAY)
		return pl->relay_of == slot;
	for (unsigned i = 0; pl->kind == LEG_PLAN_MIX && i < pl->speakers; i++)
		if (pl->speaker[i].slot == slot)
			return true;
	return false;
}

static void add_tone(struct leg_digits *d, uint8_t code)
{
	if (!d->tones) {
		d->tones = true;
		d->n = d->at = 0;
		d->on_samples = DIGIT_MS * SAMPLES_PER_MS;
		d->gap_samples = GAP_MS * SAMPLES_PER_MS;
		d->done_samples = 0;
		tone_start_dtmf(&d->tone, code);
	}
	if (d->n < COLLECT_DIGITS_MAX)
		d->code[d->n++] = code;
}

static void add_event(struct leg_media *m, uint8_t code)
{
	struct telephone_event_sender *s = &m->digits.events;
	uint32_t clock_hz = m->cfg.dtmf_clock_hz ? m->cfg.dtmf_clock_hz : 8000;

	if (!s->active)
		(void)telephone_event_send_start(s, &code, 1, DIGIT_MS, GAP_MS, clock_hz, TICK_MS);
	else if (s->n < TELEPHONE_EVENT_DIGITS_MAX)
		s->code[s->n++] = code;
}

void dtmf_pass_on(struct worker *w, const struct leg *l, uint8_t code, enum dtmf_source source)
{
	struct worker_call *c = worker_call_of(w, l);
	const struct leg_media *from = worker_leg_media(w, l);

	if (c->is_room || from->cfg.hide_digits || (collect_runs(from) && from->collect.secret))
		return;
	for (unsigned s = 0; s < CALL_LEGS_MAX; s++) {
		struct leg *to = worker_call_leg(w, c, s);
		bool events, relayed = c->plan.leg[s].kind == LEG_PLAN_RELAY;

		if (to == NULL || to == l || !hears(&c->plan.leg[s], (uint8_t)from->slot))
			continue;
		events = to->out.dtmf_pt != LEG_PT_NONE;
		if (events && (source == DTMF_SOURCE_INBAND || !relayed))
			add_event(worker_leg_media(w, to), code);
		else if (!events && source == DTMF_SOURCE_RFC4733)
			add_tone(&worker_leg_media(w, to)->digits, code);
		else
			continue;
		c->stale = true;
	}
}
