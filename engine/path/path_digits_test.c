/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that reach the other side in the kind that it wants, and those that do not.
 */
#include "base/units.h"
#include "dsp/tone.h"
#include "path/path_world.h"

static struct world w;

static bool hears_five(const struct world_peer *p)
{
	for (unsigned i = 0; i + 3 <= p->got_n; i++)
		if (world_tone(p, i, i + 3, 770) > 0.2 && world_tone(p, i, i + 3, 1336) > 0.2)
			return true;
	return false;
}

static unsigned events_of(const struct world_peer *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->got_n; i++)
		n += p->got[i].pt == 101 && p->got[i].marker;
	return n;
}

static struct world_peer *peer(struct call_ref call, uint32_t index, bool events)
{
	struct world_peer *p = world_peer(&w, 0, call, index);
	struct leg_config cfg = world_config(p);

	cfg.set = LEG_SET_DTMF;
	cfg.dtmf = events;
	check_int(world_leg_set(&w, p, &cfg), 0);
	return p;
}

static void hide(struct world_peer *p)
{
	struct leg_config cfg = world_config(p);

	cfg.set = LEG_SET_HIDE;
	cfg.hide_digits = true;
	check_int(world_leg_set(&w, p, &cfg), 0);
}

/* A press of `a`, and half a second for what follows. */
static void press(struct world_peer *a)
{
	world_forget(&w);
	world_key(&w, a, 5);
	world_run(&w, 500);
	check_int(world_count(&w, EVENT_DTMF), 1);
}

static void an_event_becomes_tones_for_who_has_no_events(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = peer(call, 0, true), *b = peer(call, 1, false);

	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 200);
	press(a);
	check(hears_five(b));
	check_int(events_of(b), 0);
	/* Afterwards it is relayed to again. */
	check_int(world_stat(&w, b)->plan, LEG_PLAN_RELAY);
	world_close(&w);
}

static void an_event_passes_to_who_has_events(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = peer(call, 0, true), *b = peer(call, 1, true);

	world_bridge(&w, call, a, b);
	a->talks = b->talks = true;
	world_run(&w, 200);
	press(a);
	check_int(events_of(b), 1);
	check(!hears_five(b));
	world_close(&w);
}

static void in_a_room_each_gets_its_kind(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *p[3] = {peer(call, 0, true), peer(call, 1, true), peer(call, 2, false)};
	struct worker_command c = {.kind = COMMAND_CALL_HEAR, .hear.whole = true};

	for (unsigned i = 0; i < 3; i++) {
		p[i]->talks = true;
		for (unsigned k = 0; k < 3; k++)
			if (i != k)
				world_hears(&c, p[i], p[k], 0);
	}
	check_int(world_hear(&w, 0, call, &c), 0);
	world_run(&w, 300);
	press(p[0]);
	check_int(events_of(p[1]), 1);
	check(hears_five(p[2]));
	world_close(&w);
}

static void hidden_digits_are_told_and_not_passed_on(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = peer(call, 0, true), *b = peer(call, 1, true),
			  *d = peer(call, 2, false);

	a->talks = b->talks = d->talks = true;
	world_bridge(&w, call, a, b);
	hide(a);
	world_run(&w, 200);
	press(a);
	check_int(events_of(b), 0);
	world_bridge(&w, call, a, d);
	world_run(&w, 200);
	press(a);
	check(!hears_five(d));
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(an_event_becomes_tones_for_who_has_no_events),
	CHECK_CASE(an_event_passes_to_who_has_events),
	CHECK_CASE(in_a_room_each_gets_its_kind),
	CHECK_CASE(hidden_digits_are_told_and_not_passed_on),
};
CHECK_MAIN(cases)
