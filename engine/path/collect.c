/* SPDX-License-Identifier: Apache-2.0
 *
 * Collects: digits until there are enough, a terminator comes or time is up. The end is told as that
 * of a play is (play.c).
 */
#include <string.h>

#include "base/units.h"
#include "worker/worker_priv.h"

static bool collect_tell(struct worker *w, struct leg *l)
{
	struct leg_collect *c = &worker_leg_media(w, l)->collect;
	struct worker_event e = worker_leg_event(w, l, EVENT_COLLECT_DONE);

	e.collect.collect = c->collect;
	e.collect.why = (enum collect_end)c->why;
	e.collect.n = c->n;
	memcpy(e.collect.code, c->code, c->n);
	if (!mailbox_done(w, &e))
		return false;
	memset(c, 0, sizeof(*c)); /* digits may be secret: none stays behind */
	return true;
}

void collect_end(struct worker *w, struct leg *l, enum collect_end why)
{
	struct leg_collect *c = &worker_leg_media(w, l)->collect;

	if (!c->active)
		return;
	if (!c->over) {
		c->over = true;
		c->why = (uint8_t)why;
		worker_call_of(w, l)->stale = true;
	}
	collect_tell(w, l);
}

void collect_digit(struct worker *w, struct leg *l, uint8_t code)
{
	struct leg_collect *c = &worker_leg_media(w, l)->collect;

	if (c->terminators & (1u << code)) {
		/* Too early to end, and no digit either. */
		if (c->n >= c->min)
			collect_end(w, l, COLLECT_END_TERMINATOR);
		return;
	}
	c->code[c->n++] = code;
	c->deadline_ns = w->now_ns + c->inter_timeout_ms * PB_NS_PER_MS;
	if (c->n == c->max)
		collect_end(w, l, COLLECT_END_COMPLETE);
}

void collect_tick(struct worker *w, struct leg *l)
{
	struct leg_media *m = worker_leg_media(w, l);
	struct leg_collect *c = &m->collect;

	if (!c->active)
		return;
	if (c->over) {
		collect_tell(w, l);
	} else if (c->n == 0 && play_runs(m)) {
		c->deadline_ns = 0; /* the first timeout starts when no play runs */
	} else if (c->deadline_ns == 0) {
		c->deadline_ns = w->now_ns + c->first_timeout_ms * PB_NS_PER_MS;
	} else if (w->now_ns >= c->deadline_ns) {
		collect_end(w, l,
			    c->n == 0 ? COLLECT_END_FIRST_TIMEOUT : COLLECT_END_INTER_TIMEOUT);
	}
}
