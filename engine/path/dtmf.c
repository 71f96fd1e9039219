/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys: what a press does.
 *
 * A press may be heard twice, as a telephone-event and as a tone in the sound; the second report comes up to
 * a jitter buffer's delay after the first. Each report by one way is remembered as open; a report of
 * the same key by the other way closes it and is not a press of its own. So two real presses, heard
 * by both ways, are two, whatever the order in which the four reports come.
 *
 * What follows is decided here, without a round trip: the play that this digit interrupts ends, the collect
 * takes the digit.
 */
#include <string.h>

#include "base/units.h"
#include "worker/worker_priv.h"

enum { SAME_PRESS_MS = 500 };

/* True: this is the other report of a press that is known. */
static bool known_press(struct leg_media *m, uint8_t code, enum dtmf_source source, uint64_t now_ns)
{
	for (unsigned i = 0; i < LEG_PRESSES; i++) {
		struct leg_press *p = &m->press[i];

		if (p->open && p->code == code && p->source != source &&
		    now_ns - p->at_ns < SAME_PRESS_MS * PB_NS_PER_MS) {
			p->open = false;
			return true;
		}
	}
	m->press[m->press_at] = (struct leg_press){
		.at_ns = now_ns, .code = code, .source = (uint8_t)source, .open = true};
	m->press_at = (uint8_t)((m->press_at + 1) % LEG_PRESSES);
	return false;
}

void dtmf_pressed(struct worker *w, struct leg *l, uint8_t code, enum dtmf_source source,
		  uint16_t duration_ms)
{
	struct leg_media *m = worker_leg_media(w, l);

	if (code >= DTMF_CODES || known_press(m, code, source, w->now_ns))
		return;

	struct worker_event e = worker_leg_event(w, l, EVENT_DTMF);

	e.dtmf.code = code;
	e.dtmf.source = source;
	e.dtmf.duration_ms = duration_ms;
	e.dtmf.secret = collect_runs(m) && m->collect.secret;
	worker_event_put(w, &e);
	dtmf_pass_on(w, l, code, source);
	if (play_runs(m) && (m->play.list->interrupt & (1u << code)))
		play_end(w, l, PLAY_END_DIGIT, e.dtmf.secret ? PLAY_DIGIT_SECRET : code);
	if (collect_runs(m))
		collect_digit(w, l, code);
}

void dtmf_event_in(struct worker *w, struct leg *l, const struct rtp_view *v,
		   const uint8_t *payload)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct telephone_event_news news = telephone_event_heard(
		&m->events, payload, v->payload_len, v->ts, v->marker, w->now_ns);

	if (news.heard == TELEPHONE_EVENT_STARTED || news.heard == TELEPHONE_EVENT_WHOLE) {
		uint32_t clock_hz = m->cfg.dtmf_clock_hz ? m->cfg.dtmf_clock_hz : 8000;
		uint64_t ms = (uint64_t)news.duration_ticks * 1000 / clock_hz;

		dtmf_pressed(w, l, news.code, DTMF_SOURCE_RFC4733,
			     ms > UINT16_MAX ? UINT16_MAX : (uint16_t)ms);
	}
}
