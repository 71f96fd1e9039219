/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "call/hear.h"
#include "call/plan.h"
#include "check.h"

/* The people of the stories, by slot. */
enum { CUSTOMER, AGENT, SUPERVISOR, OTHER };

enum { SILENT = LEG_PLAN_SILENT, RELAY = LEG_PLAN_RELAY, PLAY = LEG_PLAN_PLAY, MIX = LEG_PLAN_MIX };

struct world {
	struct hear h;
	struct plan_input in[CALL_LEGS_MAX];
	struct plan p;
};

static void leg(struct world *w, uint8_t slot)
{
	hear_leg_open(&w->h, slot);
	w->in[slot] = (struct plan_input){.direction = LEG_SENDRECV, .remote_known = true};
}

/* Customer and agent talk, the supervisor is there. */
static struct world talking(void)
{
	struct world w = {0};

	hear_init(&w.h);
	leg(&w, CUSTOMER);
	leg(&w, AGENT);
	leg(&w, SUPERVISOR);
	hear_set(&w.h, CUSTOMER, AGENT, 0);
	hear_set(&w.h, AGENT, CUSTOMER, 0);
	plan_derive(&w.p, &w.h, w.in);
	return w;
}

/* Speakers of a leg's plan, as a set. */
static unsigned hears(const struct world *w, uint8_t slot)
{
	unsigned set = 0;

	for (unsigned i = 0; i < w->p.leg[slot].speakers; i++)
		set |= 1U << w->p.leg[slot].speaker[i].slot;
	return set;
}

#define SLOT(s) (1U << (s))

static void two_who_talk_are_relayed(void)
{
	struct world w = talking();

	check_int(w.p.leg[CUSTOMER].kind, RELAY);
	check_int(w.p.leg[CUSTOMER].relay_of, AGENT);
	check_int(w.p.leg[AGENT].kind, RELAY);
	check_int(w.p.relay_to[CUSTOMER], AGENT);
	check_int(w.p.leg[SUPERVISOR].kind, SILENT);
	check(w.p.decode == 0 && w.p.ticking == 0);
	check_int(w.p.heard, SLOT(CUSTOMER) | SLOT(AGENT));
}

static void each_mode_of_a_monitor(void)
{
	struct world w = talking(), before = w;

	check_int(hear_monitor_start(&w.h, 7, SUPERVISOR, AGENT, CUSTOMER, MONITOR_LISTEN), 0);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[SUPERVISOR].kind, MIX);
	check_int(hears(&w, SUPERVISOR), SLOT(CUSTOMER) | SLOT(AGENT));
	check(memcmp(&w.p.leg[CUSTOMER], &before.p.leg[CUSTOMER], sizeof(struct plan_leg)) == 0);
	check(memcmp(&w.p.leg[AGENT], &before.p.leg[AGENT], sizeof(struct plan_leg)) == 0);
	check_int(w.p.decode, SLOT(CUSTOMER) | SLOT(AGENT));
	check_int(w.p.ticking, SLOT(SUPERVISOR));

	check_int(hear_monitor_mode(&w.h, 7, MONITOR_WHISPER), 0);
	plan_derive(&w.p, &w.h, w.in);
	check(memcmp(&w.p.leg[CUSTOMER], &before.p.leg[CUSTOMER], sizeof(struct plan_leg)) == 0);
	check_int(w.p.leg[AGENT].kind, MIX);
	check_int(hears(&w, AGENT), SLOT(CUSTOMER) | SLOT(SUPERVISOR));

	check_int(hear_monitor_mode(&w.h, 7, MONITOR_BARGE), 0);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, MIX);
	check_int(hears(&w, CUSTOMER), SLOT(AGENT) | SLOT(SUPERVISOR));

	check_int(hear_monitor_stop(&w.h, 7), 0);
	plan_derive(&w.p, &w.h, w.in);
	check(memcmp(&w.p, &before.p, sizeof(w.p)) == 0);
	check(memcmp(w.h.base, before.h.base, sizeof(w.h.base)) == 0);
	check_int(hear_monitor_stop(&w.h, 7), -ENOENT);
}

static void the_agent_hangs_up_and_the_supervisor_stays(void)
{
	struct world w = talking();
	uint64_t ended[HEAR_MONITORS_MAX];

	hear_monitor_start(&w.h, 7, SUPERVISOR, AGENT, CUSTOMER, MONITOR_WHISPER);
	check_int(hear_leg_close(&w.h, AGENT, ended), 0);
	plan_derive(&w.p, &w.h, w.in);
	check_int(hears(&w, SUPERVISOR), SLOT(CUSTOMER));
	check_int(w.p.leg[SUPERVISOR].kind, RELAY);
	check_int(w.p.leg[CUSTOMER].kind, SILENT);
	/* Somebody else in the same slot is not that agent. */
	leg(&w, AGENT);
	plan_derive(&w.p, &w.h, w.in);
	check_int(hears(&w, SUPERVISOR), SLOT(CUSTOMER));
	check_int(hears(&w, AGENT), 0);
	check_int(hear_monitor_mode(&w.h, 7, MONITOR_BARGE), 0);
	plan_derive(&w.p, &w.h, w.in);
	check_int(hears(&w, CUSTOMER), SLOT(SUPERVISOR));
	check_int(w.p.leg[CUSTOMER].kind, RELAY);
}

static void the_supervisor_hangs_up_and_the_monitor_ends(void)
{
	struct world w = talking(), before = w;
	uint64_t ended[HEAR_MONITORS_MAX];

	hear_monitor_start(&w.h, 7, SUPERVISOR, AGENT, CUSTOMER, MONITOR_BARGE);
	check_int(hear_leg_close(&w.h, SUPERVISOR, ended), 1);
	check_int(ended[0], 7);
	leg(&w, SUPERVISOR);
	plan_derive(&w.p, &w.h, w.in);
	check(memcmp(&w.p, &before.p, sizeof(w.p)) == 0);
	check_int(hear_leg_close(&w.h, OTHER, ended), 0);
}

static void the_matrix_changes_under_a_monitor(void)
{
	struct world w = talking();

	hear_monitor_start(&w.h, 7, SUPERVISOR, AGENT, CUSTOMER, MONITOR_LISTEN);
	hear_clear(&w.h);
	plan_derive(&w.p, &w.h, w.in);
	check_int(hears(&w, CUSTOMER), 0);
	check_int(hears(&w, SUPERVISOR), SLOT(CUSTOMER) | SLOT(AGENT));
	hear_set(&w.h, SUPERVISOR, CUSTOMER, -100); /* the matrix's gain stays */
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[SUPERVISOR].speaker[0].gain_cb, -100);
	check_int(w.p.leg[SUPERVISOR].speaker[1].gain_cb, 0);
	hear_clear_row(&w.h, SUPERVISOR);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[SUPERVISOR].speaker[0].gain_cb, 0);
}

static void what_makes_a_relay_a_mix(void)
{
	struct world w = talking();

	w.in[AGENT].codec_in = CODEC_PCMA;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, MIX);
	check_int(w.p.leg[AGENT].kind, RELAY);
	w.in[CUSTOMER].codec_out = CODEC_PCMA;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, RELAY);

	w = talking();
	hear_set(&w.h, CUSTOMER, AGENT, -60);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, MIX);
	check_int(w.p.leg[CUSTOMER].speaker[0].gain_q12, 2053);

	w = talking();
	leg(&w, OTHER);
	hear_set(&w.h, CUSTOMER, OTHER, 0);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, MIX);
	check_int(w.p.leg[AGENT].kind, RELAY);
}

static void a_playlist_goes_before_the_speakers(void)
{
	struct world w = talking();

	w.in[CUSTOMER].playing = true;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, PLAY);
	check_int(w.p.leg[CUSTOMER].speakers, 0);
	check_int(w.p.relay_to[AGENT], HEAR_NONE);
	check_int(w.p.heard, SLOT(CUSTOMER));
	check_int(w.p.ticking, SLOT(CUSTOMER));
	w.in[CUSTOMER].direction = LEG_RECVONLY; /* we may send nothing */
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, SILENT);
}

static void hold_silences_one_way_or_both(void)
{
	static const struct {
		enum leg_direction d;
		int customer, agent;
	} rows[] = {
		{LEG_SENDRECV, RELAY, RELAY},
		{LEG_SENDONLY, RELAY, SILENT}, /* the customer hears, and is not heard */
		{LEG_RECVONLY, SILENT, RELAY},
		{LEG_INACTIVE, SILENT, SILENT},
	};
	struct world w = talking();

	for (unsigned i = 0; i < 4; i++) {
		w.in[CUSTOMER].direction = rows[i].d;
		plan_derive(&w.p, &w.h, w.in);
		check_int(w.p.leg[CUSTOMER].kind, rows[i].customer);
		check_int(w.p.leg[AGENT].kind, rows[i].agent);
	}
	w = talking();
	w.in[CUSTOMER].remote_known = false;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[CUSTOMER].kind, SILENT);
	check_int(w.p.leg[AGENT].kind, RELAY);
}

static void keys_in_the_sound_need_decoding_and_nothing_else(void)
{
	struct world w = talking();

	w.in[CUSTOMER].inband = true;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.decode, SLOT(CUSTOMER));
	check_int(w.p.leg[AGENT].kind, RELAY);
	check_int(w.p.ticking, 0);
	w.in[CUSTOMER].direction = LEG_SENDONLY;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.decode, 0);
}

static void keys_are_looked_for_in_packets_while_nobody_needs_samples(void)
{
	struct world w = talking();

	w.in[CUSTOMER].keys = true;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.keyed, SLOT(CUSTOMER));
	check_int(w.p.decode, 0);
	check_int(w.p.ticking, 0);
	check_int(w.p.leg[AGENT].kind, RELAY);
	w.in[CUSTOMER].inband = true; /* its line's tones are listened for as well */
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.keyed, 0);
	check_int(w.p.decode, SLOT(CUSTOMER));
	w.in[CUSTOMER].inband = false;
	leg(&w, OTHER);
	hear_set(&w.h, OTHER, CUSTOMER, 0);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.keyed, 0); /* the second listener gets a mix */
	check_int(w.p.decode, SLOT(CUSTOMER));
	w = talking();
	w.in[CUSTOMER].keys = true;
	w.in[CUSTOMER].direction = LEG_SENDONLY;
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.keyed, 0);
}

static void one_speaker_is_relayed_to_one_listener(void)
{
	struct world w = talking();

	leg(&w, OTHER);
	hear_set(&w.h, OTHER, CUSTOMER, 0);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.relay_to[CUSTOMER], AGENT);
	check_int(w.p.leg[OTHER].kind, MIX);
	check_int(w.p.decode, SLOT(CUSTOMER));
}

/* The supervisor sits in the lower slot and hears the agent alone: the customer keeps the relay. */
static void a_monitor_never_takes_the_customers_relay(void)
{
	struct world w = {0};

	leg(&w, 0); /* supervisor */
	leg(&w, 1); /* agent */
	leg(&w, 2); /* customer, who may not be heard now */
	w.in[2].direction = LEG_SENDONLY;
	hear_set(&w.h, 2, 1, 0);
	hear_monitor_start(&w.h, 1, 0, 1, 2, MONITOR_LISTEN);
	plan_derive(&w.p, &w.h, w.in);
	check_int(w.p.leg[2].kind, RELAY);
	check_int(w.p.leg[0].kind, MIX);
	check_int(w.p.leg[0].speakers, 1);
}

static void nonsense_is_refused(void)
{
	struct world w = talking();
	int16_t gain_cb[CALL_LEGS_MAX];

	check_int(hear_set(&w.h, CUSTOMER, CUSTOMER, 0), -EINVAL);
	check_int(hear_set(&w.h, CUSTOMER, OTHER, 0), -EINVAL);
	check_int(hear_set(&w.h, 16, CUSTOMER, 0), -EINVAL);
	check_int(hear_set(&w.h, CUSTOMER, HEAR_NONE, 0), -EINVAL);
	check_int(hear_monitor_start(&w.h, 0, SUPERVISOR, AGENT, CUSTOMER, MONITOR_LISTEN),
		  -EINVAL);
	check_int(hear_monitor_start(&w.h, 1, SUPERVISOR, AGENT, AGENT, MONITOR_LISTEN), -EINVAL);
	check_int(hear_monitor_start(&w.h, 1, AGENT, AGENT, CUSTOMER, MONITOR_LISTEN), -EINVAL);
	check_int(hear_monitor_start(&w.h, 1, SUPERVISOR, AGENT, CUSTOMER, MONITOR_OFF), -EINVAL);
	check_int(hear_monitor_start(&w.h, 1, SUPERVISOR, AGENT, 200, MONITOR_LISTEN), -EINVAL);
	for (uint64_t id = 1; id <= HEAR_MONITORS_MAX; id++)
		check_int(hear_monitor_start(&w.h, id, SUPERVISOR, AGENT, CUSTOMER, MONITOR_LISTEN),
			  0);
	check_int(hear_monitor_start(&w.h, 4, SUPERVISOR, AGENT, CUSTOMER, MONITOR_LISTEN),
		  -EEXIST);
	check_int(hear_monitor_start(&w.h, 5, SUPERVISOR, AGENT, CUSTOMER, MONITOR_LISTEN),
		  -ENOSPC);
	check_int(hear_monitor_mode(&w.h, 9, MONITOR_BARGE), -ENOENT);
	check_int(hear_row(&w.h, HEAR_NONE, gain_cb), 0);
	hear_leg_open(&w.h, 16);
	hear_clear_row(&w.h, 16);
	hear_set(&w.h, AGENT, SUPERVISOR, INT16_MIN);
	hear_row(&w.h, AGENT, gain_cb);
	check_int(gain_cb[SUPERVISOR], HEAR_GAIN_CB_MIN);
	hear_set(&w.h, AGENT, SUPERVISOR, INT16_MAX);
	hear_row(&w.h, AGENT, gain_cb);
	check_int(gain_cb[SUPERVISOR], HEAR_GAIN_CB_MAX);
}

/* The same things, kept as plainly as one can: a square of booleans, and monitors in a list that is
 * laid over a copy of it. */
struct naive {
	bool open[16], pair[16][16];
	int gain[16][16];
	struct {
		uint64_t id;
		int supervisor, agent, customer; /* -1: gone */
		enum monitor_mode mode;
	} monitor[4];
};

static uint32_t dice_state;

static unsigned dice(unsigned n)
{
	dice_state = dice_state * 1664525U + 1013904223U;
	return (dice_state >> 8) % n;
}

static void naive_close(struct naive *v, int s)
{
	for (int i = 0; i < 16; i++)
		v->pair[i][s] = v->pair[s][i] = false;
	v->open[s] = false;
	for (int i = 0; i < 4; i++) {
		if (v->monitor[i].supervisor == s)
			v->monitor[i].id = 0;
		if (v->monitor[i].agent == s)
			v->monitor[i].agent = -1;
		if (v->monitor[i].customer == s)
			v->monitor[i].customer = -1;
	}
}

static void naive_matrix(const struct naive *v, bool pair[16][16], int gain[16][16])
{
	memcpy(pair, v->pair, sizeof(v->pair));
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 16; j++)
			gain[i][j] = v->pair[i][j] ? v->gain[i][j] : 0;
	for (int i = 0; i < 4; i++) {
		int s = v->monitor[i].supervisor, a = v->monitor[i].agent;
		int c = v->monitor[i].customer;

		if (v->monitor[i].id == 0)
			continue;
		if (a >= 0)
			pair[s][a] = true;
		if (c >= 0)
			pair[s][c] = true;
		if (a >= 0 && v->monitor[i].mode >= MONITOR_WHISPER)
			pair[a][s] = true;
		if (c >= 0 && v->monitor[i].mode == MONITOR_BARGE)
			pair[c][s] = true;
	}
}

static void random_step(struct world *w, struct naive *v)
{
	uint8_t a = (uint8_t)dice(6), b = (uint8_t)dice(6), c = (uint8_t)dice(6);
	uint64_t id = 1 + dice(5), ended[HEAR_MONITORS_MAX];
	enum monitor_mode mode = (enum monitor_mode)dice(4);
	int16_t gain = (int16_t)((int)dice(3) * 10 - 10);

	switch (dice(9)) {
	case 0:
		if (!v->open[a])
			leg(w, a);
		v->open[a] = true;
		break;
	case 1:
		if (dice(4) == 0) {
			hear_leg_close(&w->h, a, ended);
			naive_close(v, a);
		}
		break;
	case 2:
	case 3:
	case 4:
		if (hear_set(&w->h, a, b, gain) == 0) {
			v->pair[a][b] = true;
			v->gain[a][b] = gain;
		}
		break;
	case 5:
		hear_clear_row(&w->h, a);
		memset(v->pair[a], 0, sizeof(v->pair[a]));
		break;
	case 6:
		for (int i = 0; i < 4; i++) {
			if (v->monitor[i].id != 0)
				continue;
			if (hear_monitor_start(&w->h, id, a, b, c, mode) == 0) {
				v->monitor[i].id = id;
				v->monitor[i].supervisor = a;
				v->monitor[i].agent = b;
				v->monitor[i].customer = c;
				v->monitor[i].mode = mode;
			}
			break;
		}
		break;
	case 7:
		hear_monitor_mode(&w->h, id, mode);
		for (int i = 0; i < 4; i++) {
			if (v->monitor[i].id == id) {
				v->monitor[i].mode = mode;
				if (mode == MONITOR_OFF)
					v->monitor[i].id = 0;
			}
		}
		break;
	default:
		w->in[a].direction = (enum leg_direction)dice(4);
		w->in[a].playing = dice(5) == 0;
		w->in[a].inband = dice(5) == 0;
		w->in[a].remote_known = dice(8) != 0;
		w->in[a].codec_in = (enum codec_id)dice(2);
		w->in[a].codec_out = (enum codec_id)dice(2);
		break;
	}
}

static void compare(const struct world *w, const struct naive *v)
{
	bool pair[16][16];
	int gain[16][16];
	unsigned heard = 0, decode = 0, ticking = 0, relayed = 0;

	naive_matrix(v, pair, gain);
	for (uint8_t i = 0; i < 16; i++) {
		const struct plan_leg *l = &w->p.leg[i];
		bool can = v->open[i] && plan_sends(w->in[i].direction) && w->in[i].remote_known;
		unsigned n = 0;

		for (uint8_t s = 0; s < 16 && can && !w->in[i].playing; s++) {
			if (!v->open[s] || !pair[i][s] || !plan_receives(w->in[s].direction))
				continue;
			check(n < l->speakers && l->speaker[n].slot == s);
			check_int(l->speaker[n].gain_cb, gain[i][s]);
			n++;
			heard |= SLOT(s);
			if (l->kind == LEG_PLAN_MIX)
				decode |= SLOT(s);
		}
		check_int(l->speakers, n);
		check((l->kind == LEG_PLAN_SILENT) == (!can || (!w->in[i].playing && n == 0)));
		check((l->kind == LEG_PLAN_PLAY) == (can && w->in[i].playing));
		check((l->kind == LEG_PLAN_RELAY) == (l->relay_of != HEAR_NONE));
		if (l->kind == LEG_PLAN_RELAY) {
			uint8_t s = l->relay_of;

			check(n == 1 && l->speaker[0].slot == s && l->speaker[0].gain_cb == 0);
			check(w->in[s].codec_in == w->in[i].codec_out);
			check_int(w->p.relay_to[s], i);
			check(!(relayed & SLOT(s)));
			relayed |= SLOT(s);
		} else if (n == 1 && l->speaker[0].gain_cb == 0 &&
			   w->in[l->speaker[0].slot].codec_in == w->in[i].codec_out) {
			/* It could be relayed: then somebody else is. */
			check(w->p.relay_to[l->speaker[0].slot] != HEAR_NONE);
		}
		if (v->open[i] && w->in[i].inband && plan_receives(w->in[i].direction))
			decode |= SLOT(i);
		if (l->kind == LEG_PLAN_MIX || l->kind == LEG_PLAN_PLAY)
			ticking |= SLOT(i);
	}
	check_int(w->p.heard, heard);
	check_int(w->p.decode, decode);
	check_int(w->p.ticking, ticking);
}

static void whatever_is_done_the_plan_is_the_naive_one(void)
{
	for (uint32_t seed = 1; seed <= 300; seed++) {
		struct world w = {0};
		struct naive v = {0};

		dice_state = seed;
		for (unsigned i = 0; i < 4; i++)
			v.monitor[i].supervisor = v.monitor[i].agent = v.monitor[i].customer = -1;
		for (unsigned i = 0; i < 200; i++) {
			random_step(&w, &v);
			plan_derive(&w.p, &w.h, w.in);
			compare(&w, &v);
		}
	}
}

/* In any call: a listener changes nobody's plan but the supervisor's, a whisperer nobody's but the
 * supervisor's and the agent's. */
static void a_customer_is_never_touched_by_listen_or_whisper(void)
{
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		struct world w = {0};
		struct naive v = {0};

		dice_state = seed;
		for (unsigned i = 0; i < 60; i++)
			random_step(&w, &v);
		/* The supervisor is somebody new, whom nobody hears and who hears nobody. */
		leg(&w, 9);
		leg(&w, 10);
		leg(&w, 11);
		hear_set(&w.h, 10, 11, 0);
		hear_set(&w.h, 11, 10, 0);
		plan_derive(&w.p, &w.h, w.in);
		struct plan before = w.p;

		for (unsigned i = 0; i < HEAR_MONITORS_MAX; i++)
			hear_monitor_stop(&w.h, w.h.monitor[i].id);
		plan_derive(&before, &w.h, w.in);
		for (enum monitor_mode m = MONITOR_LISTEN; m <= MONITOR_WHISPER; m++) {
			check_int(hear_monitor_start(&w.h, 77, 9, 10, 11, m), 0);
			plan_derive(&w.p, &w.h, w.in);
			for (unsigned s = 0; s < 16; s++)
				if (s != 9 && (s != 10 || m == MONITOR_LISTEN))
					check(memcmp(&w.p.leg[s], &before.leg[s],
						     sizeof(before.leg[s])) == 0);
			check_int(hear_monitor_stop(&w.h, 77), 0);
		}
		plan_derive(&w.p, &w.h, w.in);
		check(memcmp(&w.p, &before, sizeof(before)) == 0);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(two_who_talk_are_relayed),
	CHECK_CASE(each_mode_of_a_monitor),
	CHECK_CASE(the_agent_hangs_up_and_the_supervisor_stays),
	CHECK_CASE(the_supervisor_hangs_up_and_the_monitor_ends),
	CHECK_CASE(the_matrix_changes_under_a_monitor),
	CHECK_CASE(what_makes_a_relay_a_mix),
	CHECK_CASE(a_playlist_goes_before_the_speakers),
	CHECK_CASE(hold_silences_one_way_or_both),
	CHECK_CASE(keys_in_the_sound_need_decoding_and_nothing_else),
	CHECK_CASE(keys_are_looked_for_in_packets_while_nobody_needs_samples),
	CHECK_CASE(one_speaker_is_relayed_to_one_listener),
	CHECK_CASE(a_monitor_never_takes_the_customers_relay),
	CHECK_CASE(nonsense_is_refused),
	CHECK_CASE(whatever_is_done_the_plan_is_the_naive_one),
	CHECK_CASE(a_customer_is_never_touched_by_listen_or_whisper),
};
CHECK_MAIN(cases)
