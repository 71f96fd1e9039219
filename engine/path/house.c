/* SPDX-License-Identifier: Apache-2.0
 *
 * Housekeeping of a call's legs, four times a second: silence that lasts too long, and RTCP reports that
 * are due.
 */
#include "base/units.h"
#include "worker/worker_priv.h"

enum { ONE_WAY_MS = 1000 };

static void silence_check(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	uint64_t silent_ms = (w->now_ns - l->arrived.last_ns) / PB_NS_PER_MS;

	if (m->cfg.media_timeout_ms == 0 || !(l->in.flags & LEG_IN_RECEIVES))
		return;
	if (silent_ms < m->cfg.media_timeout_ms) {
		m->timeout_told = false;
		return;
	}
	if (m->timeout_told)
		return;
	m->timeout_told = true;

	struct worker_event e = worker_leg_event(w, l, EVENT_LEG_TIMEOUT);

	e.timeout.silent_ms = silent_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)silent_ms;
	worker_event_put(w, &e);
}

/* While we send and nothing comes: one way. A leg that is decoded hears its own silence at the tick. */
static void pause_check(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	bool sent = l->out.packets != m->house_out;
	uint64_t silent_ns = w->now_ns - l->arrived.last_ns;

	m->house_out = l->out.packets;
	if (!(l->in.flags & LEG_IN_RECEIVES) || silent_ns < HOUSE_MS * PB_NS_PER_MS)
		return;
	if (sent && silent_ns > ONE_WAY_MS * PB_NS_PER_MS)
		m->one_way_ms += HOUSE_MS;
	if ((l->in.flags & (LEG_IN_LISTEN | LEG_IN_BUFFER)) == LEG_IN_LISTEN)
		listen_pause(&m->listen, HOUSE_MS);
}

void house_tick(struct worker *w, struct worker_call *c)
{
	for (unsigned s = 0; s < worker_call_slots(c); s++) {
		struct leg *l = worker_call_leg(w, c, s);

		if (l == NULL)
			continue;
		silence_check(w, l);
		pause_check(w, l);
		worker_leg_media(w, l)->asked_of_it = 0;
		if (w->now_ns >= worker_leg_media(w, l)->rtcp_next_ns) {
			rtcp_out_report(w, l, false);
			rtcp_out_plan(w, l, false);
		}
	}
}
