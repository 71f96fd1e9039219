/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays, collects and keys: what is heard, what is told, and exactly once. */
#include <errno.h>

#include "base/units.h"
#include "codec/codec.h"
#include "dsp/tone.h"
#include "dsp/tone_plan.h"
#include "path/path_world.h"
#include "prompt/prompt.h"

static struct world w;
static struct call_ref call;
static struct world_peer *a, *b;

/* A prompt of `frames` frames of a tone (DTMF code when below 16 is asked for by `key`). */
enum { PROMPT_FRAMES = 25 };
static int16_t prompt_pcm[PROMPT_FRAMES * PROMPT_FRAME];
static uint8_t prompt_coded[CODEC_G711_COUNT][PROMPT_FRAMES * PROMPT_FRAME];
static struct prompt prompt;

static void prompt_make(void)
{
	struct tone_cadence beep;
	char why[100];

	check_int(tone_parse(&beep, "1000/400,0/100", why, sizeof(why)), 0);
	tone_render(&beep, prompt_pcm, PROMPT_FRAMES * PROMPT_FRAME);
	prompt = (struct prompt){
		.name = "beep", .frames = PROMPT_FRAMES, .duration_ms = 500, .pcm = prompt_pcm};
	for (unsigned c = 0; c < CODEC_G711_COUNT; c++) {
		codec_of((enum codec_id)c)
			->encode(NULL, prompt_coded[c], sizeof(prompt_coded[c]), prompt_pcm,
				 PROMPT_FRAMES * PROMPT_FRAME);
		prompt.coded[c] = prompt_coded[c];
	}
}

static void begin(void)
{
	prompt_make();
	world_open(&w, 1, 1, NULL);
	call = world_call(&w, 0, 0);
	a = world_peer(&w, 0, call, 0);
	b = world_peer(&w, 0, call, 1);
	world_bridge(&w, call, a, b);
	/* The way to both becomes known by a packet. */
	world_rtp(&w, a, 0, false, "x", 1);
	world_rtp(&w, b, 0, false, "x", 1);
	world_run(&w, 1);
	world_forget(&w);
}

static int play(uint64_t id, struct playlist *list)
{
	struct worker_command c = {.kind = COMMAND_PLAY_START, .leg = a->leg};

	c.play.play = id;
	c.play.list = list;
	return world_do(&w, 0, &c);
}

static struct playlist list_of(unsigned n)
{
	struct playlist list = {.n = n, .loop = 1};

	for (unsigned i = 0; i < n; i++)
		list.item[i] = (struct play_item){.kind = PLAY_PROMPT, .prompt = &prompt};
	return list;
}

static int collect(uint64_t id, uint8_t min, uint8_t max, bool secret)
{
	struct worker_command c = {.kind = COMMAND_COLLECT_START, .leg = a->leg};

	c.collect.collect = id;
	c.collect.min = min;
	c.collect.max = max;
	c.collect.terminators = 1u << 11; /* # */
	c.collect.first_timeout_ms = 1000;
	c.collect.inter_timeout_ms = 600;
	c.collect.secret = secret;
	return world_do(&w, 0, &c);
}

static void done(void)
{
	world_close(&w);
}

static void a_prompt_is_heard_byte_by_byte_and_the_call_after_it(void)
{
	struct playlist list = list_of(1);

	begin();
	b->talks = true;
	world_run(&w, 100);
	unsigned at = a->got_n;

	check_int(play(7, &list), 0);
	world_run(&w, 505);
	for (unsigned i = 0; i < PROMPT_FRAMES; i++)
		check(memcmp(a->got[at + i].payload, prompt_coded[0] + i * 160, 160) == 0);
	check_int(a->got[at].marker, 1);
	world_run(&w, 200);
	check_int(world_count(&w, EVENT_PLAY_DONE), 1);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_FINISHED);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.play, 7);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.played_ms, 500);
	check_int(world_stat(&w, a)->plan, LEG_PLAN_RELAY);
	world_check_stream(a, 0, 0);
	for (unsigned i = at; i + 1 < a->got_n; i++)
		check(a->got[i + 1].at_ns - a->got[i].at_ns <= 20 * PB_NS_PER_MS);
	done();
}

static void lists_loop_and_have_tones_and_silence(void)
{
	struct playlist list = {.n = 3, .loop = 2};
	struct prompt_bank *bank = prompt_bank_create(1 << 20);
	char why[100];

	begin();
	list.item[0] = (struct play_item){.kind = PLAY_PROMPT, .prompt = &prompt};
	list.item[1] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 90}; /* 5 frames */
	list.item[2] =
		(struct play_item){.kind = PLAY_PROMPT,
				   .prompt = prompt_tone(bank, "450/350,0/350", why, sizeof(why))};
	check(list.item[2].prompt != NULL);
	check_int(play(1, &list), 0);
	world_run(&w, 3000);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.played_ms, 2 * (25 + 5 + 35) * 20);
	check_int(a->got_n, 2 * (25 + 5 + 35));
	world_check_stream(a, 0, 160);
	for (unsigned i = 25; i < 30; i++)
		check(a->got[i].payload[0] == 0xff && a->got[i].payload[159] == 0xff);
	check(world_tone(a, 30, 47, 450) > 0.9);
	done();
	prompt_bank_destroy(bank);
}

static void a_list_for_ever_plays_until_stopped(void)
{
	struct playlist list = list_of(1);
	struct worker_command c = {.kind = COMMAND_PLAY_STOP};

	begin();
	list.loop = 0;
	check_int(play(1, &list), 0);
	world_run(&w, 4000);
	check_int(world_count(&w, EVENT_PLAY_DONE), 0);
	check_int(a->got_n, 200);
	c.leg = a->leg;
	c.play.play = 2;
	check_int(world_do(&w, 0, &c), -ENOENT);
	c.play.play = 1;
	check_int(world_do(&w, 0, &c), 0);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_STOPPED);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.played_ms, 4000);
	world_run(&w, 100);
	check_int(a->got_n, 200);
	done();
}

static int set_play(uint32_t set, bool paused, int32_t ms, int16_t gain_cb)
{
	struct worker_command c = {.kind = COMMAND_PLAY_SET, .leg = a->leg};

	c.play.play = 1;
	c.play.set = set;
	c.play.paused = paused;
	c.play.position_ms = ms;
	c.play.gain_cb = gain_cb;
	return world_do(&w, 0, &c);
}

/* The list is a tone of 400 ms, a gap of 100, twice. */
static void a_play_is_paused_moved_and_made_quieter(void)
{
	struct playlist list = {.n = 2, .loop = 1};

	begin();
	list.item[0] = list.item[1] = (struct play_item){.kind = PLAY_PROMPT, .prompt = &prompt};
	check_int(set_play(PLAY_SET_PAUSED, true, 0, 0), -ENOENT);
	check_int(play(1, &list), 0);
	world_run(&w, 200);
	check_int(set_play(PLAY_SET_PAUSED, true, 0, 0), 0);
	unsigned paused_at = a->got_n;
	world_run(&w, 1000); /* silence, and the position stands */
	check_int(a->got_n, paused_at + 50);
	check(a->got[paused_at + 10].payload[0] == 0xff &&
	      a->got[paused_at + 40].payload[80] == 0xff);
	check_int(set_play(PLAY_SET_PAUSED | PLAY_SET_GAIN, false, 0, -200), 0);
	world_run(&w, 100);
	check(world_tone(a, paused_at + 51, paused_at + 54, 1000) > 0.9);
	check_int(set_play(PLAY_SET_POSITION, false, 900, 0), 0);
	world_run(&w, 100); /* the second one's gap, and its end */
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_FINISHED);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.played_ms, 200 + 100 + 100);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.position_ms, 0);
	done();
}

static void a_play_begins_where_it_is_told_and_goes_back(void)
{
	struct playlist list = {.n = 2, .loop = 1, .position_ms = 760};

	begin();
	list.item[0] = list.item[1] = (struct play_item){.kind = PLAY_PROMPT, .prompt = &prompt};
	check_int(play(1, &list), 0);
	world_run(&w, 100);
	check_int(set_play(PLAY_SET_BY, false, -500, 0), 0); /* to 360 */
	world_run(&w, 200);
	check_int(world_count(&w, EVENT_PLAY_DONE), 0);
	check_int(set_play(PLAY_SET_BY, false, -5000, 0), 0); /* not before the beginning */
	world_run(&w, 980);
	check_int(world_count(&w, EVENT_PLAY_DONE), 0);
	world_run(&w, 40);
	check_int(world_count(&w, EVENT_PLAY_DONE), 1);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.played_ms, 100 + 200 + 1000);
	done();
	begin();
	list.position_ms = 100000; /* behind the end */
	check_int(play(1, &list), 0);
	world_run(&w, 40);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_FINISHED);
	done();
}

/* The caller's telephone: `loud` frames of a voice among `n`. */
static void caller_says(unsigned n, unsigned loud)
{
	for (unsigned i = 0; i < n; i++) {
		int16_t pcm[160];
		uint8_t payload[160];

		for (unsigned k = 0; k < 160; k++)
			pcm[k] = (int16_t)(i < loud ? (int)((k % 40) * 200 * (1 + i % 3)) - 8000
						    : (int)(k % 3) * 4);
		codec_of(CODEC_PCMU)->encode(NULL, payload, 160, pcm, 160);
		world_rtp(&w, a, 0, false, payload, 160);
		world_run(&w, 20);
	}
}

static void speech_ends_a_play_that_allows_it(void)
{
	struct playlist list = {.n = 1, .loop = 0, .speech = true};

	begin();
	list.item[0] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 60000};
	check_int(play(1, &list), 0);
	caller_says(50, 0);
	caller_says(50, 4); /* a cough */
	check_int(world_count(&w, EVENT_PLAY_DONE), 0);
	caller_says(40, 40);
	check_int(world_count(&w, EVENT_PLAY_DONE), 1);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_SPEECH);
	world_forget(&w);
	list.speech = false;
	check_int(play(2, &list), 0);
	caller_says(60, 60);
	check_int(world_count(&w, EVENT_PLAY_DONE), 0);
	done();
}

static void a_list_without_sound_ends_at_once(void)
{
	struct playlist list = {.n = 1, .loop = 0};

	begin();
	list.item[0] = (struct play_item){.kind = PLAY_SILENCE, .silence_ms = 0};
	check_int(play(1, &list), 0);
	world_run(&w, 40);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_FINISHED);
	list.n = 0;
	check_int(play(2, &list), -EINVAL);
	done();
}

static void a_new_play_replaces_the_old_one(void)
{
	struct playlist one = list_of(1), two = list_of(1);

	begin();
	check_int(play(1, &one), 0);
	world_run(&w, 100);
	check_int(play(2, &two), 0);
	check_int(world_count(&w, EVENT_PLAY_DONE), 1);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.play, 1);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_REPLACED);
	world_run(&w, 700);
	check_int(world_count(&w, EVENT_PLAY_DONE), 2);
	world_check_stream(a, 0, 160);
	done();
}

static void gain_makes_it_quieter(void)
{
	struct playlist list = list_of(1);

	begin();
	list.gain_cb = -200;
	check_int(play(1, &list), 0);
	world_run(&w, 300);
	check(world_tone(a, 0, 15, 1000) > 0.9);
	check(memcmp(a->got[3].payload, prompt_coded[0] + 3 * 160, 160) != 0);
	done();
}

static void a_digit_interrupts_only_where_asked(void)
{
	struct playlist list = list_of(4);

	begin();
	list.interrupt = 1u << 5;
	check_int(play(1, &list), 0);
	world_run(&w, 100);
	world_key(&w, a, 4);
	check_int(world_count(&w, EVENT_PLAY_DONE), 0);
	world_key(&w, a, 5);
	check_int(world_count(&w, EVENT_PLAY_DONE), 1);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_DIGIT);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.digit, 5);
	check_int(world_count(&w, EVENT_DTMF), 2); /* one per press */
	done();
}

static void a_secret_digit_that_interrupts_is_not_told(void)
{
	struct playlist list = list_of(4);

	begin();
	list.interrupt = 1u << 5;
	check_int(play(1, &list), 0);
	check_int(collect(2, 1, 4, true), 0);
	world_run(&w, 100);
	world_key(&w, a, 5);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_DIGIT);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.digit, PLAY_DIGIT_SECRET);
	done();
}

static void closing_the_leg_ends_play_and_collect(void)
{
	struct playlist list = list_of(4);

	begin();
	check_int(play(1, &list), 0);
	check_int(collect(2, 1, 4, false), 0);
	world_run(&w, 100);
	check_int(world_leg_close(&w, a), 0);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_LEG_CLOSED);
	check_int(world_find(&w, EVENT_COLLECT_DONE)->collect.why, COLLECT_END_LEG_CLOSED);
	check(w.reply.stats.packets_out >= 4);
	check_int(world_leg_close(&w, a), -ESTALE);
	done();
}

static void collects_end_in_each_way(void)
{
	static const struct {
		uint8_t min, max, keys[4];
		unsigned n, wait_ms;
		enum collect_end why;
		unsigned digits;
	} rows[] = {
		{1, 3, {1, 2, 3}, 3, 0, COLLECT_END_COMPLETE, 3},
		{1, 4, {1, 2, 11}, 3, 0, COLLECT_END_TERMINATOR, 2},
		{1, 4, {11, 2, 11}, 3, 0, COLLECT_END_TERMINATOR, 1}, /* too early: no effect */
		{0, 4, {11}, 1, 0, COLLECT_END_TERMINATOR, 0},
		{1, 4, {0}, 0, 1100, COLLECT_END_FIRST_TIMEOUT, 0},
		{1, 4, {9}, 1, 700, COLLECT_END_INTER_TIMEOUT, 1},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct worker_event *e;

		begin();
		check_int(collect(5, rows[i].min, rows[i].max, false), 0);
		for (unsigned k = 0; k < rows[i].n; k++) {
			check_int(world_count(&w, EVENT_COLLECT_DONE), 0);
			world_key(&w, a, rows[i].keys[k]);
		}
		world_run(&w, rows[i].wait_ms);
		e = world_find(&w, EVENT_COLLECT_DONE);
		check(e != NULL);
		check_int(e->collect.why, rows[i].why);
		check_int(e->collect.n, rows[i].digits);
		for (unsigned k = 0; k < e->collect.n; k++)
			check(e->collect.code[k] != 11);
		world_run(&w, 3000);
		check_int(world_count(&w, EVENT_COLLECT_DONE), 1);
		check_int(world_count(&w, EVENT_DTMF), rows[i].n);
		done();
	}
}

static void the_first_timeout_waits_for_the_play(void)
{
	struct playlist list = list_of(4); /* 2 s */

	begin();
	check_int(collect(5, 1, 4, false), 0);
	world_run(&w, 500); /* it has begun to wait */
	check_int(play(1, &list), 0);
	world_run(&w, 2900);
	check_int(world_count(&w, EVENT_COLLECT_DONE), 0);
	world_run(&w, 200);
	check_int(world_find(&w, EVENT_COLLECT_DONE)->collect.why, COLLECT_END_FIRST_TIMEOUT);
	done();
}

static void a_secret_digit_goes_nowhere(void)
{
	begin();
	check_int(collect(5, 1, 4, true), 0);
	world_key(&w, a, 3);
	check_int(b->got_n, 0); /* b is bridged and has telephone-event */
	check_int(world_find(&w, EVENT_DTMF)->dtmf.secret, true);
	world_run(&w, 1000);
	check_int(world_find(&w, EVENT_COLLECT_DONE)->collect.n, 1);
	world_key(&w, a, 3);
	check_int(b->got_n, 8);
	check_int(world_find(&w, EVENT_DTMF)->dtmf.secret, false);
	done();
}

/* Tones of a key as sound, 100 ms, then 100 ms of silence. */
static void sound_key(uint8_t code, bool event_too)
{
	struct tone t;

	tone_start_dtmf(&t, code);
	for (unsigned i = 0; i < 10; i++) {
		int16_t pcm[160] = {0};
		uint8_t payload[160];
		uint16_t duration = (uint16_t)(160 * (i + 1));
		uint8_t e[4] = {code, (uint8_t)(10 | (i >= 5 ? 0x80 : 0)), (uint8_t)(duration >> 8),
				(uint8_t)duration};
		uint32_t ts = a->ts;

		if (i < 5)
			tone_next(&t, pcm, 160);
		codec_of(CODEC_PCMU)->encode(NULL, payload, 160, pcm, 160);
		world_rtp(&w, a, 0, false, payload, 160);
		if (event_too && i < 8) {
			a->ts = ts - i * 160;
			world_rtp(&w, a, 101, i == 0, e, 4);
		}
		a->ts = ts + 160;
		world_run(&w, 20);
	}
}

static void keys_in_the_sound_are_found_and_counted_once(void)
{
	struct leg_config cfg = {.set = LEG_SET_INBAND, .inband_dtmf = true};

	begin();
	sound_key(7, false);
	world_run(&w, 400);
	check_int(world_count(&w, EVENT_DTMF), 0); /* not asked for */
	check_int(world_leg_set(&w, a, &cfg), 0);
	sound_key(7, false);
	world_run(&w, 400);
	check_int(world_count(&w, EVENT_DTMF), 1);
	check_int(world_find(&w, EVENT_DTMF)->dtmf.code, 7);
	check_int(world_find(&w, EVENT_DTMF)->dtmf.source, DTMF_SOURCE_INBAND);
	check(b->got_n > 15); /* relayed meanwhile, as a copy */
	check_int(world_stat(&w, b)->plan, LEG_PLAN_RELAY);
	world_forget(&w);
	sound_key(7, true); /* both ways at once: two presses are two events */
	sound_key(7, true);
	sound_key(8, true);
	world_run(&w, 600);
	check_int(world_count(&w, EVENT_DTMF), 3);
	check_int(world_find(&w, EVENT_DTMF)->dtmf.code, 8);
	done();
}

static void a_press_whose_event_was_lost_is_still_heard(void)
{
	struct leg_config cfg = {.set = LEG_SET_INBAND, .inband_dtmf = true};

	begin();
	check_int(world_leg_set(&w, a, &cfg), 0);
	sound_key(7, true);
	sound_key(7, false); /* within half a second of the first report */
	world_run(&w, 400);
	check_int(world_count(&w, EVENT_DTMF), 2);
	done();
}

static int dtmf_send(const uint8_t *code, uint8_t n)
{
	struct worker_command c = {.kind = COMMAND_DTMF_SEND, .leg = b->leg};

	c.dtmf.n = n;
	memcpy(c.dtmf.code, code, n);
	c.dtmf.duration_ms = 100;
	c.dtmf.gap_ms = 60;
	return world_do(&w, 0, &c);
}

static void digits_are_sent_as_events_within_the_stream(void)
{
	static const uint8_t codes[] = {1, 10};
	unsigned events = 0, begun = 0;

	begin();
	a->talks = true;
	world_run(&w, 100);
	check_int(dtmf_send(codes, 2), 0);
	world_run(&w, 600);
	for (unsigned i = 0; i < b->got_n; i++) {
		events += b->got[i].pt == 101;
		begun += b->got[i].pt == 101 && b->got[i].marker;
		if (i > 0) {
			check_int((uint16_t)(b->got[i].seq - b->got[i - 1].seq), 1);
			check_int(b->got[i].ssrc, b->got[0].ssrc);
		}
	}
	check(events >= 2 * 7);
	check_int(begun, 2);
	check_int(b->got_n - events, a->sent - 1); /* nothing that was relayed is missing */
	done();
}

static void digits_are_sent_as_tones_without_telephone_event(void)
{
	static const uint8_t codes[] = {1, 10};
	struct leg_config cfg = {.set = LEG_SET_DTMF};

	begin();
	check_int(world_leg_set(&w, b, &cfg), 0);
	a->talks = true;
	world_run(&w, 200);
	world_forget(&w);
	check_int(dtmf_send(codes, 2), 0);
	world_run(&w, 320);
	check(world_tone(b, 0, 5, 697) > 0.3);
	check(world_tone(b, 0, 5, 1209) > 0.3);
	check(world_tone(b, 8, 13, 941) > 0.3);
	world_run(&w, 200);
	check_int(world_stat(&w, b)->plan, LEG_PLAN_RELAY);
	world_check_stream(b, 0, 0);
	check_int(dtmf_send(codes, 0), -EINVAL);
	done();
}

static const struct check_case cases[] = {
	CHECK_CASE(a_prompt_is_heard_byte_by_byte_and_the_call_after_it),
	CHECK_CASE(lists_loop_and_have_tones_and_silence),
	CHECK_CASE(a_list_for_ever_plays_until_stopped),
	CHECK_CASE(a_play_is_paused_moved_and_made_quieter),
	CHECK_CASE(a_play_begins_where_it_is_told_and_goes_back),
	CHECK_CASE(speech_ends_a_play_that_allows_it),
	CHECK_CASE(a_list_without_sound_ends_at_once),
	CHECK_CASE(a_new_play_replaces_the_old_one),
	CHECK_CASE(gain_makes_it_quieter),
	CHECK_CASE(a_digit_interrupts_only_where_asked),
	CHECK_CASE(a_secret_digit_that_interrupts_is_not_told),
	CHECK_CASE(closing_the_leg_ends_play_and_collect),
	CHECK_CASE(collects_end_in_each_way),
	CHECK_CASE(the_first_timeout_waits_for_the_play),
	CHECK_CASE(a_secret_digit_goes_nowhere),
	CHECK_CASE(keys_in_the_sound_are_found_and_counted_once),
	CHECK_CASE(a_press_whose_event_was_lost_is_still_heard),
	CHECK_CASE(digits_are_sent_as_events_within_the_stream),
	CHECK_CASE(digits_are_sent_as_tones_without_telephone_event),
};
CHECK_MAIN(cases)
