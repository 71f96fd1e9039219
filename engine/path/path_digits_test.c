/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that reach the other side in the kind that it wants, and those that do not.
 */
#include "base/units.h"
#include "codec/codec.h"
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

/* `packets` of a key's tones, the one with this number lost on the way (none: -1). */
static void sound(struct world_peer *p, uint8_t code, int packets, int lost)
{
	struct tone t;

	tone_start_dtmf(&t, code);
	for (int i = 0; i < packets; i++) {
		int16_t pcm[160];
		uint8_t payload[160];

		tone_next(&t, pcm, 160);
		codec_of(CODEC_PCMU)->encode(NULL, payload, 160, pcm, 160);
		if (i == lost)
			p->seq++;
		else
			world_rtp(&w, p, 0, false, payload, 160);
		p->ts += 160;
		world_run(&w, 20);
	}
}

static void pause(struct world_peer *p, unsigned ms)
{
	p->ts += ms * 8;
	world_run(&w, ms);
}

static void tones_are_found_in_packets_that_nobody_decodes(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = peer(call, 0, false), *b = peer(call, 1, false);
	struct leg_config cfg = {.set = LEG_SET_INBAND, .inband_dtmf = true};

	world_bridge(&w, call, a, b);
	check_int(world_leg_set(&w, a, &cfg), 0);
	sound(a, 5, 9, 4);
	check_int(world_count(&w, EVENT_DTMF), 1); /* lost time does not make two of it */
	check_int(world_find(&w, EVENT_DTMF)->dtmf.code, 5);
	check_int(b->got_n, 8);
	pause(a, 300); /* who speaks with pauses sends no silence either */
	sound(a, 5, 5, -1);
	check_int(world_count(&w, EVENT_DTMF), 2);
	pause(a, 300);
	a->ssrc++;
	a->ts = 0;
	sound(a, 5, 5, -1); /* and so does another source */
	check_int(world_count(&w, EVENT_DTMF), 3);
	check_int(world_fate(&w, FATE_BUFFERED), 0);
	/* Once its samples are wanted anyway, they are looked for there. */
	hide(a);
	pause(a, 300);
	sound(a, 5, 6, -1);
	world_run(&w, 200);
	check_int(world_count(&w, EVENT_DTMF), 4);
	check(world_fate(&w, FATE_BUFFERED) > 0);
	world_close(&w);
}

/* One packet of a press on another clock: `step` of 0 .. 7, the last three its end. */
static void event_packet(struct world_peer *p, uint8_t code, uint32_t ts, unsigned step,
			 uint32_t clock_hz)
{
	uint16_t duration = (uint16_t)(clock_hz / 50 * (step < 5 ? step + 1 : 5));
	uint8_t e[4] = {code, (uint8_t)(10 | (step >= 5 ? 0x80 : 0)), (uint8_t)(duration >> 8),
			(uint8_t)duration};

	p->ts = ts;
	world_rtp(&w, p, 101, step == 0, e, sizeof(e));
}

static struct world_peer *peer_at(struct call_ref call, uint32_t clock_hz)
{
	struct world_peer *p = world_peer(&w, 0, call, 0);
	struct leg_config cfg = world_config(p);

	cfg.set = LEG_SET_DTMF;
	cfg.dtmf = true;
	cfg.dtmf_clock_hz = clock_hz;
	check_int(world_leg_set(&w, p, &cfg), 0);
	return p;
}

/* RFC 4733, 2.1: the clock is that of the sound beside it. Whichever packets of a press are lost, it is one press, and
 * its length is told in milliseconds. */
static void a_press_on_any_clock_with_any_packets_lost(void)
{
	static const uint32_t clocks[] = {8000, 16000, 48000};

	for (unsigned c = 0; c < sizeof(clocks) / sizeof(clocks[0]); c++) {
		world_open(&w, 1, 1, NULL);
		struct call_ref call = world_call(&w, 0, 0);
		struct world_peer *p = peer_at(call, clocks[c]);

		for (unsigned arrive = 1; arrive < 256; arrive++) {
			world_forget(&w);
			for (unsigned step = 0; step < 8; step++) {
				if (arrive & 1u << step)
					event_packet(p, 7, arrive * clocks[c], step, clocks[c]);
				else
					p->seq++;
				world_run(&w, 20);
			}
			world_run(&w, 300);
			check_int(world_count(&w, EVENT_DTMF), 1);
			check_int(world_find(&w, EVENT_DTMF)->dtmf.code, 7);
			if ((arrive & 0x1f) == 0) /* its end alone came */
				check_int(world_find(&w, EVENT_DTMF)->dtmf.duration_ms, 100);
		}
		world_close(&w);
	}
}

/* The second key goes down before the first one's end has been repeated, and the network shuffles what belongs to
 * both. */
static void presses_that_overlap_are_two(void)
{
	uint32_t seed = 5;

	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *p = peer_at(call, 16000);

	for (unsigned round = 1; round < 100; round++) {
		uint32_t ts = round * 160000;
		unsigned a = 0, b = 0;

		world_forget(&w);
		while (a < 8 || b < 8) {
			seed = seed * 1664525u + 1013904223u;
			/* the second begins after the first one's third packet */
			if (b < 8 && a >= 3 && (a == 8 || seed >> 31))
				event_packet(p, 2, ts + 16000 / 50 * 4, b++, 16000);
			else
				event_packet(p, 1, ts, a++, 16000);
			world_run(&w, 10);
		}
		world_run(&w, 300);

		unsigned told[3] = {0};

		for (unsigned i = 0; i < w.events; i++)
			if (w.event[i].kind == EVENT_DTMF)
				told[w.event[i].dtmf.code]++;
		check_int(told[1], 1);
		check_int(told[2], 1);
	}
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(an_event_becomes_tones_for_who_has_no_events),
	CHECK_CASE(an_event_passes_to_who_has_events),
	CHECK_CASE(in_a_room_each_gets_its_kind),
	CHECK_CASE(hidden_digits_are_told_and_not_passed_on),
	CHECK_CASE(tones_are_found_in_packets_that_nobody_decodes),
	CHECK_CASE(a_press_on_any_clock_with_any_packets_lost),
	CHECK_CASE(presses_that_overlap_are_two),
};
CHECK_MAIN(cases)
