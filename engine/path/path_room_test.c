/* SPDX-License-Identifier: Apache-2.0
 *
 * Rooms: each member hears all others and not itself, whatever was done before; what is said of it in statistics and
 * events; and that a large room is worked on in slices.
 *
 * Members say tones that are orthogonal over the 200 ms that are looked at, so that what a listener got
 * tells exactly who is in it.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "codec/g711.h"
#include "path/path_world.h"
#include "worker/worker_priv.h"

static struct world w;

enum { MEMBERS = 8, LOOK = 10, PROMPT_FRAMES = 2000 };

static int16_t prompt_pcm[PROMPT_FRAMES * PROMPT_FRAME];
static struct prompt prompt;
static struct playlist list;

static struct call_ref room_open(void)
{
	struct worker_command c = {.kind = COMMAND_CALL_OPEN, .call = {0, 1}};

	world_open(&w, 1, 1, NULL);
	c.call_open.room = true;
	check_int(world_do(&w, 0, &c), 0);
	return c.call;
}

static struct world_peer *join(struct call_ref call, unsigned n)
{
	struct world_peer *p = world_peer(&w, 0, call, n);

	p->talks = true;
	p->hz = 300 + 135 * n;
	return p;
}

static int member_set(const struct world_peer *p, bool muted, bool deaf)
{
	struct worker_command c = {.kind = COMMAND_ROOM_MEMBER, .leg = p->leg};

	c.room.set_muted = c.room.set_deaf = true;
	c.room.muted = muted;
	c.room.deaf = deaf;
	return world_do(&w, 0, &c);
}

/* The amplitude of a tone in what the peer got of late; a member's own tone is some 8,000. */
static double amplitude(const struct world_peer *p, double hz)
{
	double re = 0, im = 0;
	unsigned n = 0;

	check(p->got_n >= LOOK);
	for (unsigned k = p->got_n - LOOK; k < p->got_n; k++)
		for (unsigned i = 0; i < p->got[k].len; i++, n++) {
			double s = g711_ulaw_linear[p->got[k].payload[i]];

			re += s * cos(2 * M_PI * hz * n / 8000);
			im += s * sin(2 * M_PI * hz * n / 8000);
		}
	return 2 * sqrt(re * re + im * im) / n;
}

static bool hears(const struct world_peer *p, double hz)
{
	double a = amplitude(p, hz);

	check(a > 1500 || a < 500); /* there, or not there */
	return a > 1500;
}

static void all_hear_all_but_themselves(void)
{
	struct call_ref call = room_open();
	struct world_peer *p[MEMBERS];

	for (unsigned i = 0; i < MEMBERS; i++)
		p[i] = join(call, i);
	for (unsigned i = 4; i < MEMBERS; i++)
		p[i]->hz = 0, p[i]->talks = false; /* four speak: the sum is not clipped much */
	world_run(&w, 600);
	for (unsigned i = 0; i < MEMBERS; i++)
		for (unsigned k = 0; k < 4; k++)
			check(hears(p[i], 300 + 135 * k) == (i != k));
	for (unsigned i = 0; i < MEMBERS; i++)
		world_check_stream(p[i], 0, 160);
	check_int(world_stat(&w, p[0])->plan, LEG_PLAN_MIX);
	check(w.reply.stats.in_room && w.reply.stats.speaking);
	world_close(&w);
}

static void the_floor_is_told_and_talk_counted(void)
{
	struct call_ref call = room_open();
	struct world_peer *p[3];

	for (unsigned i = 0; i < 3; i++) {
		p[i] = join(call, i);
		p[i]->talks = false;
	}
	p[0]->talks = true;
	world_run(&w, 1400);
	check_int(world_count(&w, EVENT_ROOM_FLOOR), 1);
	check_int(world_find(&w, EVENT_ROOM_FLOOR)->leg.index, p[0]->leg.index);
	p[0]->talks = false;
	p[1]->talks = true;
	world_run(&w, 1500);
	check_int(world_find(&w, EVENT_ROOM_FLOOR)->leg.index, p[1]->leg.index);
	p[1]->talks = false;
	world_run(&w, 2500);
	check_int(world_find(&w, EVENT_ROOM_FLOOR)->leg.index, LEG_INDEX_NONE);
	check(world_count(&w, EVENT_ROOM_FLOOR) <= 4);
	check(world_stat(&w, p[0])->sound.speech_ms > 1200 && w.reply.stats.sound.speech_ms < 1900);
	check(world_stat(&w, p[2])->sound.speech_ms == 0 && !w.reply.stats.speaking);
	world_close(&w);
}

static void prompt_make(void)
{
	for (unsigned f = 0; f < PROMPT_FRAMES; f++)
		for (unsigned i = 0; i < PROMPT_FRAME; i++)
			prompt_pcm[f * PROMPT_FRAME + i] =
				(int16_t)(8000 *
					  sin(2 * M_PI * 2825 * (f * PROMPT_FRAME + i) / 8000.0));
	prompt = (struct prompt){.name = "news", .frames = PROMPT_FRAMES, .pcm = prompt_pcm};
	list = (struct playlist){
		.n = 1, .loop = 1, .item = {{.kind = PLAY_PROMPT, .prompt = &prompt}}};
}

static int announce(struct call_ref call, uint64_t play, bool start)
{
	struct worker_command c = {.kind = start ? COMMAND_PLAY_START : COMMAND_PLAY_STOP,
				   .call = call,
				   .leg = {.index = LEG_INDEX_NONE}};

	c.play.play = play;
	c.play.list = &list;
	return world_do(&w, 0, &c);
}

static void an_announcement_is_heard_by_all_over_the_talk(void)
{
	struct call_ref call = room_open();
	struct world_peer *p[3];

	prompt_make();
	for (unsigned i = 0; i < 3; i++)
		p[i] = join(call, i);
	world_run(&w, 400);
	check_int(announce(call, 7, true), 0);
	world_run(&w, 400);
	for (unsigned i = 0; i < 3; i++)
		check(hears(p[i], 2825) && hears(p[i], 300 + 135 * ((i + 1) % 3)));
	check_int(world_count(&w, EVENT_PLAY_DONE), 0);
	check_int(announce(call, 8, true), 0);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_REPLACED);
	check_int(announce(call, 7, false), -ENOENT);
	check_int(announce(call, 8, false), 0);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_STOPPED);
	world_run(&w, 400);
	check(!hears(p[0], 2825));
	prompt.frames = 10;
	check_int(announce(call, 9, true), 0);
	world_run(&w, 400);
	check_int(world_find(&w, EVENT_PLAY_DONE)->play.why, PLAY_END_FINISHED);
	check_int(world_find(&w, EVENT_PLAY_DONE)->leg.index, LEG_INDEX_NONE);
	/* In an ordinary call there is no announcement; in a room no matrix. */
	struct call_ref other = world_call(&w, 0, 1);
	struct worker_command c = {0};

	check_int(announce(other, 10, true), -EOPNOTSUPP);
	world_hears(&c, p[0], p[1], 0);
	check_int(world_hear(&w, 0, call, &c), -EOPNOTSUPP);
	world_close(&w);
}

/* Random joins, leaves, mutings and announcements; after each all hear exactly whom they should. */
static void whatever_was_done_the_right_ones_are_heard(void)
{
	for (unsigned seed = 1; seed <= 6; seed++) {
		struct call_ref call = room_open();
		struct world_peer *p[MEMBERS] = {0};
		bool muted[MEMBERS] = {0}, deaf[MEMBERS] = {0}, news = false;
		uint64_t play = 1;

		srand(seed);
		prompt_make();
		for (unsigned step = 0; step < 25; step++) {
			unsigned i = (unsigned)rand() % 5;

			switch (rand() % 5) {
			case 0:
				if (p[i] == NULL)
					break;
				check_int(world_leg_close(&w, p[i]), 0);
				p[i]->talks = false;
				p[i] = NULL;
				muted[i] = deaf[i] = false;
				break;
			case 1:
				news = !news;
				check_int(announce(call, news ? ++play : play, news), 0);
				break;
			case 2:
				if (p[i] != NULL)
					muted[i] = !muted[i];
				break;
			case 3:
				if (p[i] != NULL)
					deaf[i] = !deaf[i];
				break;
			default:
				if (p[i] != NULL)
					break;
				p[i] = world_peer(&w, 0, call, 8 + step);
				p[i]->talks = true;
				p[i]->hz = 300 + 135 * i;
				break;
			}
			for (unsigned k = 0; k < MEMBERS; k++)
				if (p[k] != NULL)
					check_int(member_set(p[k], muted[k], deaf[k]), 0);
			world_run(&w, 340);
			for (unsigned k = 0; k < MEMBERS; k++) {
				if (p[k] == NULL)
					continue;
				for (unsigned o = 0; o < MEMBERS; o++)
					check(hears(p[k], 300 + 135 * o) ==
					      (p[o] != NULL && o != k && !muted[o] && !deaf[k]));
				check(hears(p[k], 2825) == (news && !deaf[k]));
				world_check_stream(p[k], 0, 160);
			}
		}
		world_close(&w);
	}
}

static void a_large_room_is_cut_into_slices(void)
{
	enum { MANY = 120 };
	struct call_ref call = room_open();
	static struct world_peer *p[MANY];
	uint64_t most = 0;

	for (unsigned i = 0; i < MANY; i++) {
		p[i] = join(call, i);
		p[i]->talks = i == 3 || i == 77;
		p[i]->hz = i == 3 ? 435 : 705;
	}
	world_run(&w, 300);
	/* Turn by turn: no turn sends more than a slice, and all are sent within the millisecond's turns. */
	for (unsigned t = 0; t < 200; t++) {
		w.now_ns += PB_NS_PER_MS / 10;
		uint64_t before = w.worker[0]->made;

		world_turn(&w);
		uint64_t made = w.worker[0]->made - before;

		most = made > most ? made : most;
	}
	check(most > 0 && most <= 96);
	world_run(&w, 400);
	for (unsigned i = 0; i < MANY; i++) {
		check(hears(p[i], 435) == (i != 3));
		check(hears(p[i], 705) == (i != 77));
		world_check_stream(p[i], 0, 160);
	}
	/* Somebody leaves in the middle of a tick. */
	for (unsigned t = 0; t < 40; t++) {
		w.now_ns += PB_NS_PER_MS / 2;
		world_turn(&w);
		if (t % 4 == 0) {
			check_int(world_leg_close(&w, p[20 + t]), 0);
			p[20 + t]->talks = false;
		}
	}
	world_run(&w, 300);
	check(hears(p[119], 435) && hears(p[0], 705));
	world_close(&w);
}

static void a_small_room_with_coders_is_cut_between_members(void)
{
	enum { FEW = 6 };
	struct call_ref call = room_open();
	struct world_peer *p[FEW] = {join(call, 0)};
	uint64_t most = 0, all = w.worker[0]->made;

	p[0]->talks = true;
	p[0]->hz = 435;
	for (unsigned i = 1; i < FEW; i++) {
		struct leg_config cfg = {
			.set = LEG_SET_CODECS, .codecs = 1, .codec = {{CODEC_G722, 9, 20, 8000}}};

		p[i] = join(call, i);
		p[i]->talks = false;
		check_int(world_leg_set(&w, p[i], &cfg), 0);
	}
	world_run(&w, 300);
	all = w.worker[0]->made;
	for (unsigned t = 0; t < 2000; t++) {
		w.now_ns += PB_NS_PER_MS / 10;
		uint64_t before = w.worker[0]->made;

		world_turn(&w);
		uint64_t made = w.worker[0]->made - before;

		most = made > most ? made : most;
	}
	check_int(most, 2); /* who needs no coder, and one who does */
	check(w.worker[0]->made - all >= 10 * FEW);
	for (unsigned i = 1; i < FEW; i++)
		world_check_stream(p[i], 0, 160);
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(all_hear_all_but_themselves),
	CHECK_CASE(the_floor_is_told_and_talk_counted),
	CHECK_CASE(an_announcement_is_heard_by_all_over_the_talk),
	CHECK_CASE(whatever_was_done_the_right_ones_are_heard),
	CHECK_CASE(a_large_room_is_cut_into_slices),
	CHECK_CASE(a_small_room_with_coders_is_cut_between_members),
};
CHECK_MAIN(cases)
