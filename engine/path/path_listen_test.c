/* SPDX-License-Identifier: Apache-2.0
 *
 * What is heard of whole legs, relayed and decoded: level, silence, talking over, one way, a line's tones.
 */
#include <stdlib.h>

#include "path/path_world.h"

static struct world w;
static struct world_peer *a, *b;

static struct call_ref bridge(void)
{
	world_open(&w, 1, 1, NULL);

	struct call_ref call = world_call(&w, 0, 0);

	a = world_peer(&w, 0, call, 0);
	b = world_peer(&w, 0, call, 1);
	world_bridge(&w, call, a, b);
	return call;
}

static void listen_as(struct world_peer *p, enum leg_listen listen)
{
	struct leg_config cfg = world_config(p);

	cfg.set = LEG_SET_LISTEN;
	cfg.listen = listen;
	check_int(world_leg_set(&w, p, &cfg), 0);
}

static const struct leg_sound *sound(struct world_peer *p)
{
	return &world_stat(&w, p)->sound;
}

static bool about(uint32_t v, uint32_t want, uint32_t by)
{
	return v + by >= want && v <= want + by;
}

static void a_relayed_leg_is_heard_by_table(void)
{
	bridge();
	a->talks = b->talks = true;
	a->hz = 437;
	b->hz = 0; /* counts: all octets alike, which is loud direct current or nothing */
	for (unsigned i = 0; i < 5; i++) {
		a->talks = true;
		world_run(&w, 1000);
		a->talks = false;
		world_run(&w, 1000);
	}
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY);

	struct leg_sound s = *sound(a);

	check(s.speech_dbov <= -3 && s.speech_dbov >= -20);
	check(about(s.heard_ms, 10000, 1400));
	check(about(s.speech_ms, 5000, 1300));
	check(about(s.silence_max_ms, 800, 400));
	check_int(s.clipped_ms, 0);
	check(w.reply.stats.level_dbov == -127);
	world_close(&w);
}

static void off_is_off(void)
{
	bridge();
	listen_as(a, LEG_LISTEN_OFF);
	a->talks = true;
	a->hz = 437;
	world_run(&w, 1000);
	check_int(sound(a)->heard_ms, 0);
	world_close(&w);
}

/* The same talk, relayed and mixed: the numbers may differ by the sampling alone. */
static void talking_over_is_told_relayed_and_mixed(void)
{
	for (unsigned mixed = 0; mixed < 2; mixed++) {
		struct call_ref call = bridge();

		a->hz = 437;
		b->hz = 613;
		if (mixed) {
			struct worker_command c = {0};

			world_hears(&c, a, b, -10);
			world_hears(&c, b, a, -10);
			world_hear(&w, 0, call, &c);
		}
		a->talks = true;
		world_run(&w, 300);
		b->talks = true;
		world_run(&w, 1000);
		a->talks = false;
		world_run(&w, 300);
		check_int(world_stat(&w, a)->plan, mixed ? LEG_PLAN_MIX : LEG_PLAN_RELAY);
		check(about(sound(a)->talk_over_ms, 1000, 450));
		check(about(sound(b)->talk_over_ms, 1000, 450));
		world_close(&w);
	}
}

static void one_way_is_told(void)
{
	bridge();
	a->talks = true;
	a->hz = 437;
	world_run(&w, 5000); /* b gets sound and sends none */
	check(about(sound(b)->one_way_ms, 4000, 500));
	check_int(sound(a)->one_way_ms, 0);
	check(about(sound(b)->silence_max_ms, 5000, 500));
	world_close(&w);
}

static void a_line_that_is_busy_is_named(void)
{
	bridge();
	listen_as(b, LEG_LISTEN_FULL);
	a->talks = b->talks = true;
	for (unsigned i = 0; i < 6; i++) {
		b->hz = 450;
		world_run(&w, 360);
		b->hz = 0;
		b->talks = false;
		world_run(&w, 360);
		b->talks = true;
	}
	check_int(world_count(&w, EVENT_LEG_TONE), 1);
	check_int(world_find(&w, EVENT_LEG_TONE)->tone.kind, LISTEN_TONE_BUSY);
	check(sound(b)->tones[LISTEN_TONE_BUSY] >= 1);
	check_int(sound(b)->answer, LISTEN_ANSWER_UNKNOWN);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY); /* it is relayed all the same */
	world_close(&w);
}

/* Noise as speech: the payload of each packet. */
static void speak(struct world_peer *p, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += 20) {
		uint8_t payload[160];

		for (unsigned i = 0; i < sizeof(payload); i++)
			payload[i] = (uint8_t)(0x90 | (rand() & 0x8f));
		world_rtp(&w, p, 0, false, payload, sizeof(payload));
		world_run(&w, 20);
	}
}

static void a_greeting_and_a_beep_are_a_machine(void)
{
	bridge();
	listen_as(b, LEG_LISTEN_FULL);
	speak(b, 1000);
	world_run(&w, 1700);
	b->ts += 13600;
	check_int(world_count(&w, EVENT_LEG_ANSWER), 1);
	check_int(world_find(&w, EVENT_LEG_ANSWER)->answer.who, LISTEN_ANSWER_PERSON);
	world_forget(&w);
	b->hz = 1000;
	b->talks = true;
	world_run(&w, 400);
	b->talks = false;
	world_run(&w, 600);
	check_int(world_count(&w, EVENT_LEG_ANSWER), 1);
	check_int(world_find(&w, EVENT_LEG_ANSWER)->answer.who, LISTEN_ANSWER_MACHINE);
	check(sound(b)->beep);
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_relayed_leg_is_heard_by_table),
	CHECK_CASE(off_is_off),
	CHECK_CASE(talking_over_is_told_relayed_and_mixed),
	CHECK_CASE(one_way_is_told),
	CHECK_CASE(a_line_that_is_busy_is_named),
	CHECK_CASE(a_greeting_and_a_beep_are_a_machine),
};
CHECK_MAIN(cases)
