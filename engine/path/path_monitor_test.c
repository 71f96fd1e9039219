/* SPDX-License-Identifier: Apache-2.0
 *
 * Who hears whom in ordinary calls, whatever was done: random matrices, gains, monitors and their modes, against a
 * model of a few lines. Above all: the customer never hears a whisper, and so no recording of the customer holds one.
 *
 * Everybody says a tone of their own, orthogonal to the others over the 200 ms that are looked at.
 */
#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "codec/g711.h"
#include "path/path_world.h"

enum { LEGS = 5, CUSTOMER = 0, AGENT = 1, SUPERVISORS = 2, LOOK = 10, STEPS = 40 };

static struct world w;
static struct world_peer *p[LEGS];

static double amplitude(const struct world_peer *peer, double hz)
{
	double re = 0, im = 0;
	unsigned n = 0;

	if (peer->got_n < LOOK || w.now_ns - peer->got[peer->got_n - 1].at_ns > 40 * PB_NS_PER_MS)
		return 0; /* it is sent nothing */
	for (unsigned k = peer->got_n - LOOK; k < peer->got_n; k++)
		for (unsigned i = 0; i < peer->got[k].len; i++, n++) {
			double s = g711_ulaw_linear[peer->got[k].payload[i]];

			re += s * cos(2 * M_PI * hz * n / 8000);
			im += s * sin(2 * M_PI * hz * n / 8000);
		}
	return 2 * sqrt(re * re + im * im) / n;
}

static bool hears(unsigned listener, unsigned speaker)
{
	double a = amplitude(p[listener], p[speaker]->hz);

	check(a > 1500 || a < 500); /* there, or not there */
	return a > 1500;
}

/* --- the model: what hear.h says, in words of its own --- */

struct model {
	bool pair[LEGS][LEGS];        /* [listener][speaker] */
	enum monitor_mode mode[LEGS]; /* by supervisor */
};

static bool should_hear(const struct model *m, unsigned listener, unsigned speaker)
{
	bool hears_it = m->pair[listener][speaker];

	for (unsigned s = SUPERVISORS; s < LEGS; s++) {
		if (m->mode[s] == MONITOR_OFF)
			continue;
		if (listener == s && (speaker == AGENT || speaker == CUSTOMER))
			hears_it = true;
		if (listener == AGENT && speaker == s && m->mode[s] != MONITOR_LISTEN)
			hears_it = true;
		if (listener == CUSTOMER && speaker == s && m->mode[s] == MONITOR_BARGE)
			hears_it = true;
	}
	for (unsigned s = SUPERVISORS; s < LEGS; s++)
		if (listener == CUSTOMER && speaker == AGENT && m->mode[s] == MONITOR_COACH)
			hears_it = false;
	return hears_it && listener != speaker;
}

static void matrix_change(struct call_ref call, struct model *m)
{
	static const int16_t gains[] = {0, 0, -60, 30};
	struct worker_command c = {0};

	for (unsigned l = 0; l < LEGS; l++)
		for (unsigned s = 0; s < LEGS; s++) {
			/* No supervisor is in the matrix of the customer: then it would not be whispering. */
			m->pair[l][s] =
				l != s && rand() % 3 == 0 && !(l == CUSTOMER && s >= SUPERVISORS);
			if (m->pair[l][s])
				world_hears(&c, p[l], p[s], gains[rand() % 4]);
		}
	check_int(world_hear(&w, 0, call, &c), 0);
}

static void monitor_change(struct call_ref call, struct model *m)
{
	unsigned s = SUPERVISORS + (unsigned)rand() % (LEGS - SUPERVISORS);
	enum monitor_mode mode = (enum monitor_mode)(rand() % 5);

	if (mode == MONITOR_OFF && m->mode[s] == MONITOR_OFF)
		return;
	check_int(world_monitor(&w, call, s, p[s], p[AGENT], p[CUSTOMER], mode), 0);
	m->mode[s] = mode;
}

static struct call_ref everybody_talks(void)
{
	world_open(&w, 1, 1, NULL);

	struct call_ref call = world_call(&w, 0, 0);

	for (unsigned i = 0; i < LEGS; i++) {
		p[i] = world_peer(&w, 0, call, i);
		p[i]->talks = true;
		p[i]->hz = 400 + 235 * i;
	}
	return call;
}

static void whatever_was_done_the_right_ones_are_heard(void)
{
	for (unsigned seed = 1; seed <= 8; seed++) {
		struct call_ref call = everybody_talks();
		struct model m = {0};

		srand(seed);
		for (unsigned step = 0; step < STEPS; step++) {
			if (rand() % 3 == 0)
				matrix_change(call, &m);
			else
				monitor_change(call, &m);
			world_run(&w, 340);
			for (unsigned l = 0; l < LEGS; l++)
				for (unsigned s = 0; s < LEGS; s++) {
					if (l != s && hears(l, s) != should_hear(&m, l, s))
						printf("seed %u step %u: %u hears %u\n", seed, step,
						       l, s);
					check(l == s || hears(l, s) == should_hear(&m, l, s));
				}
		}
		for (unsigned l = 0; l < LEGS; l++)
			world_check_stream(p[l], 0, 0);
		world_close(&w);
	}
}

/* Packets that hold next to nothing, at most so many in a row from `from` on. */
static unsigned silent_run(const struct world_peer *peer, unsigned from)
{
	unsigned run = 0, most = 0;

	for (unsigned k = from; k < peer->got_n; k++) {
		double power = 0;

		for (unsigned i = 0; i < peer->got[k].len; i++)
			power += pow(g711_ulaw_linear[peer->got[k].payload[i]], 2);
		run = power / peer->got[k].len < 500.0 * 500.0 ? run + 1 : 0;
		most = run > most ? run : most;
	}
	return most;
}

static void no_change_of_mode_leaves_a_gap(void)
{
	struct call_ref call = everybody_talks();
	unsigned from[LEGS];

	world_bridge(&w, call, p[CUSTOMER], p[AGENT]);
	world_run(&w, 300);
	check_int(world_monitor(&w, call, 9, p[2], p[AGENT], p[CUSTOMER], MONITOR_LISTEN), 0);
	world_run(&w, 300);
	for (unsigned i = 0; i < 3; i++)
		from[i] = p[i]->got_n;
	srand(3);
	for (unsigned step = 0; step < 60; step++) {
		check_int(world_monitor(&w, call, 9, p[2], p[AGENT], p[CUSTOMER],
					(enum monitor_mode)(MONITOR_LISTEN + rand() % 3)),
			  0);
		world_run(&w, 60 + (unsigned)rand() % 40);
	}
	for (unsigned i = 0; i < 3; i++) {
		check(silent_run(p[i], from[i]) <= 1);
		for (unsigned k = from[i]; k < p[i]->got_n; k++)
			check(p[i]->got[k].at_ns - p[i]->got[k - 1].at_ns <= 41 * PB_NS_PER_MS);
		world_check_stream(p[i], 0, 0);
	}
	world_close(&w);
}

/* The customer's stream does not change at all while somebody listens, whispers or coaches: but for coaching, in
 * which the agent is taken away. */
static void the_customer_is_relayed_while_somebody_whispers(void)
{
	struct call_ref call = everybody_talks();

	world_bridge(&w, call, p[CUSTOMER], p[AGENT]);
	world_run(&w, 300);
	check_int(world_monitor(&w, call, 9, p[2], p[AGENT], p[CUSTOMER], MONITOR_WHISPER), 0);
	world_run(&w, 400);
	check_int(world_stat(&w, p[CUSTOMER])->plan, LEG_PLAN_RELAY);
	check_int(world_stat(&w, p[AGENT])->plan, LEG_PLAN_MIX);
	check(hears(CUSTOMER, AGENT) && !hears(CUSTOMER, 2) && hears(AGENT, 2));
	check_int(world_monitor(&w, call, 9, p[2], p[AGENT], p[CUSTOMER], MONITOR_COACH), 0);
	world_run(&w, 400);
	check(!hears(CUSTOMER, AGENT) && !hears(CUSTOMER, 2));
	check(hears(AGENT, 2) && hears(AGENT, CUSTOMER) && hears(2, AGENT) && hears(2, CUSTOMER));
	check_int(world_monitor(&w, call, 9, p[2], p[AGENT], p[CUSTOMER], MONITOR_OFF), 0);
	world_run(&w, 400);
	check(hears(CUSTOMER, AGENT) && hears(AGENT, CUSTOMER) && !hears(AGENT, 2));
	world_close(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(whatever_was_done_the_right_ones_are_heard),
	CHECK_CASE(no_change_of_mode_leaves_a_gap),
	CHECK_CASE(the_customer_is_relayed_while_somebody_whispers),
};
CHECK_MAIN(cases)
