/* SPDX-License-Identifier: Apache-2.0
 *
 * Mixing and supervision, told from what each phone hears: every peer sends its own tone. */
#include <errno.h>
#include <stdlib.h>

#include "path/path_world.h"

static struct world w;

static void three_hear_each_other_and_not_themselves(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *p[3];
	struct worker_command c = {0};
	static const double hz[] = {400, 700, 1100};

	for (unsigned i = 0; i < 3; i++) {
		p[i] = world_peer(&w, 0, call, i);
		p[i]->hz = hz[i];
		p[i]->talks = true;
	}
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < 3; k++)
			if (i != k)
				world_hears(&c, p[i], p[k], 0);
	check_int(world_hear(&w, 0, call, &c), 0);
	world_run(&w, 1000);
	for (unsigned i = 0; i < 3; i++) {
		check(p[i]->got_n >= 48);
		world_check_stream(p[i], 0, 160);
		for (unsigned k = 0; k < 3; k++)
			check_int(world_hears_tone(p[i], hz[k]), i != k);
		check_int(world_stat(&w, p[i])->plan, LEG_PLAN_MIX);
		check_int(w.reply.stats.concealed_ms, 0);
	}
	world_close(&w);
}

struct supervised {
	struct call_ref call;
	struct world_peer *customer, *agent, *supervisor;
};

static struct supervised supervised_open(void)
{
	struct supervised s;

	world_open(&w, 1, 1, NULL);
	s.call = world_call(&w, 0, 0);
	s.customer = world_peer(&w, 0, s.call, 0);
	s.agent = world_peer(&w, 0, s.call, 1);
	s.supervisor = world_peer(&w, 0, s.call, 2);
	s.customer->hz = 400;
	s.agent->hz = 700;
	s.supervisor->hz = 1100;
	s.customer->talks = s.agent->talks = s.supervisor->talks = true;
	world_bridge(&w, s.call, s.customer, s.agent);
	return s;
}

static void who_hears_whom_in_each_mode(void)
{
	static const struct {
		enum monitor_mode mode;
		const char *customer, *agent, *supervisor; /* c, a, s: hears that one */
	} rows[] = {
		{MONITOR_LISTEN, "a", "c", "ca"},  {MONITOR_WHISPER, "a", "cs", "ca"},
		{MONITOR_BARGE, "as", "cs", "ca"}, {MONITOR_LISTEN, "a", "c", "ca"},
		{MONITOR_OFF, "a", "c", ""},
	};
	struct supervised s = supervised_open();
	const struct world_peer *who[] = {s.customer, s.agent, s.supervisor};

	world_run(&w, 200);
	for (unsigned i = 0; i < 5; i++) {
		const char *want[] = {rows[i].customer, rows[i].agent, rows[i].supervisor};

		check_int(world_monitor(&w, s.call, 9, s.supervisor, s.agent, s.customer,
					rows[i].mode),
			  0);
		world_run(&w, 100); /* what was under way */
		world_forget(&w);
		world_run(&w, 600);
		for (unsigned k = 0; k < 3; k++) {
			check_int(world_hears_tone(who[k], 400), strchr(want[k], 'c') != NULL);
			check_int(world_hears_tone(who[k], 700), strchr(want[k], 'a') != NULL);
			check_int(world_hears_tone(who[k], 1100), strchr(want[k], 's') != NULL);
		}
	}
	world_check_stream(s.agent, 0, 0);
	world_close(&w);
}

/* The customer's stream of a run in which the supervisor does `mode` from 200 ms on. */
static unsigned customer_stream(enum monitor_mode mode, struct world_packet *out)
{
	struct supervised s = supervised_open();
	unsigned n;

	world_run(&w, 200);
	if (mode != MONITOR_OFF)
		check_int(world_monitor(&w, s.call, 9, s.supervisor, s.agent, s.customer, mode), 0);
	world_run(&w, 600);
	if (mode != MONITOR_OFF)
		check_int(world_monitor(&w, s.call, 9, s.supervisor, s.agent, s.customer,
					MONITOR_OFF),
			  0);
	world_run(&w, 200);
	n = s.customer->got_n;
	memcpy(out, s.customer->got, n * sizeof(*out));
	world_close(&w);
	return n;
}

static void the_customer_cannot_tell_that_anybody_listens(void)
{
	struct world_packet *alone = calloc(128, sizeof(*alone));
	struct world_packet *other = calloc(128, sizeof(*other));
	unsigned n = customer_stream(MONITOR_OFF, alone);

	check_int(n, 50);
	for (enum monitor_mode mode = MONITOR_LISTEN; mode <= MONITOR_WHISPER; mode++) {
		check_int(customer_stream(mode, other), n);
		check(memcmp(alone, other, n * sizeof(*alone)) == 0); /* header, payload, time */
	}
	free(alone);
	free(other);
}

static void a_monitor_ends_with_its_supervisor(void)
{
	struct supervised s = supervised_open();

	check_int(world_monitor(&w, s.call, 9, s.supervisor, s.agent, s.customer, MONITOR_WHISPER),
		  0);
	world_run(&w, 300);
	check_int(world_leg_close(&w, s.supervisor), 0);
	s.supervisor->talks = false;
	check_int(world_count(&w, EVENT_MONITOR_DONE), 1);
	check_int(world_find(&w, EVENT_MONITOR_DONE)->monitor.monitor, 9);
	check_int(world_monitor(&w, s.call, 9, s.supervisor, s.agent, s.customer, MONITOR_OFF),
		  -ENOENT);
	check_int(world_stat(&w, s.agent)->plan, LEG_PLAN_RELAY);
	w.unclaimed_ok = true;
	world_close(&w);
}

static void other_packet_times_and_codecs_are_heard(void)
{
	static const struct {
		uint16_t ptime_ms;
		bool alaw;
	} rows[] = {{10, false}, {30, false}, {40, true}, {20, true}, {60, true}};

	for (unsigned i = 0; i < 5; i++) {
		world_open(&w, 1, 1, NULL);
		struct call_ref call = world_call(&w, 0, 0);
		struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
		struct worker_command c = {0};

		b->ptime_ms = rows[i].ptime_ms;
		b->alaw = rows[i].alaw;
		b->hz = 900;
		b->talks = true;
		world_hears(&c, a, b, -30); /* a gain: decoded and coded again */
		check_int(world_hear(&w, 0, call, &c), 0);
		world_run(&w, 1500);
		world_forget(&w);
		world_run(&w, 500);
		check_int(a->got_n, 25);
		world_check_stream(a, 0, 160);
		check_int(a->got[0].pt, 0);
		check(world_tone(a, 0, 25, 900) > 0.95); /* clean: no gap, no repetition */
		world_close(&w);
	}
}

static void a_codec_that_was_negotiated_is_relayed_another_is_mixed(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct leg_config only_ulaw = world_config(NULL);

	only_ulaw.codecs = 1;

	struct world_peer *b = world_peer(&w, 0, call, 1);
	struct world_peer *a = world_peer_with(&w, 0, call, 0, &only_ulaw);

	a->talks = true; /* that shows where it is */

	world_bridge(&w, call, a, b);
	b->talks = true;
	b->hz = 900;
	world_run(&w, 300);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY);
	b->alaw = true; /* the phone changes to its other codec in mid-call */
	world_run(&w, 600);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_MIX);
	check_int(a->got[a->got_n - 1].pt, 0);
	check(world_tone(a, a->got_n - 20, a->got_n, 900) > 0.95);
	b->alaw = false;
	world_run(&w, 300);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY);
	world_check_stream(a, 0, 0);

	struct worker_command both = {.kind = COMMAND_LEG_SET, .leg = a->leg};

	both.leg_open = world_config(a);
	both.leg_open.set = LEG_SET_CODECS;
	check_int(world_do(&w, 0, &both), 0);
	b->alaw = true;
	world_run(&w, 300);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY);
	check_int(a->got[a->got_n - 1].pt, 8);
	world_check_stream(a, 0, 0);
	world_close(&w);
}

static void loss_is_concealed_and_counted(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct worker_command c = {0};

	world_hears(&c, a, b, -10);
	world_hear(&w, 0, call, &c);
	b->talks = true;
	b->hz = 400;
	world_run(&w, 500);
	b->seq++; /* one packet lost on the way */
	b->ts += 160;
	world_run(&w, 500);
	check_int(world_stat(&w, b)->lost, 1);
	check(w.reply.stats.concealed_ms >= 20 && w.reply.stats.concealed_ms <= 40);
	check(w.reply.stats.level_dbov < -5 && w.reply.stats.level_dbov > -30);
	world_check_stream(a, 0, 160);
	world_close(&w);
}

static void comfort_noise_is_silence(void)
{
	world_open(&w, 1, 1, NULL);
	struct call_ref call = world_call(&w, 0, 0);
	struct world_peer *a = world_peer(&w, 0, call, 0), *b = world_peer(&w, 0, call, 1);
	struct worker_command c = {0};
	uint8_t noise = 60;

	world_hears(&c, a, b, -10);
	world_hear(&w, 0, call, &c);
	b->talks = true;
	b->hz = 400;
	world_run(&w, 500);
	b->talks = false;
	world_rtp(&w, b, 13, false, &noise, 1);
	world_run(&w, 400);
	b->ts += 3200;
	b->mark = b->talks = true;
	b->due_ms = 0;
	world_run(&w, 400);
	check(world_hears_tone(a, 400));
	check_int(world_stat(&w, b)->lost, 0);
	check(world_fate(&w, FATE_BUFFERED) == b->sent);
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(three_hear_each_other_and_not_themselves),
	CHECK_CASE(who_hears_whom_in_each_mode),
	CHECK_CASE(the_customer_cannot_tell_that_anybody_listens),
	CHECK_CASE(a_monitor_ends_with_its_supervisor),
	CHECK_CASE(other_packet_times_and_codecs_are_heard),
	CHECK_CASE(a_codec_that_was_negotiated_is_relayed_another_is_mixed),
	CHECK_CASE(loss_is_concealed_and_counted),
	CHECK_CASE(comfort_noise_is_silence),
};
CHECK_MAIN(cases)
