/* SPDX-License-Identifier: Apache-2.0
 * Sources of events. */
#include "sim_load.h"

#include <math.h>
#include <stdlib.h>

/* --- lists --------------------------------------------------------------------------------- */

static bool list_next(void *arg, struct sim_event *out)
{
	struct sim_list *l = arg;

	while (l->at < l->n && l->skip != NULL && l->skip[l->at])
		l->at++;
	if (l->at == l->n)
		return false;
	*out = l->event[l->at++];
	return true;
}

struct sim_source sim_list_source(struct sim_list *l)
{
	l->at = 0;
	return (struct sim_source){list_next, l};
}

/* --- callers ------------------------------------------------------------------------------- */

/* The next point of a Poisson process: so much of the area under the curve further on. */
static bool poisson(struct sim_load *l)
{
	double area = -log(1 - sim_random_unit(&l->random));

	while (l->at_ms < (double)l->to_ms) {
		double since_ms = l->at_ms - (double)l->from_ms;
		unsigned i = (unsigned)(since_ms / l->interval_ms);
		double end_ms = (double)l->from_ms + (i + 1.0) * l->interval_ms;
		double per_ms =
			l->calls_per_hour[i < l->n_intervals ? i : l->n_intervals - 1] / 3600e3;
		double room = per_ms * (end_ms - l->at_ms);

		if (i >= l->n_intervals - 1 || end_ms > (double)l->to_ms) {
			end_ms = (double)l->to_ms;
			room = per_ms * (end_ms - l->at_ms);
		}
		if (area <= room) {
			l->at_ms += area / per_ms;
			return true;
		}
		area -= room;
		l->at_ms = end_ms;
	}
	return false;
}

static int which_queue(struct sim_load *l)
{
	double x = sim_random_unit(&l->random);
	unsigned q = 0;

	if (l->share == NULL)
		return -1;
	while (q + 1 < l->n_queues && x >= l->share[q])
		x -= l->share[q++];
	return (int)q;
}

static void next_call(struct sim_load *l)
{
	uint64_t at_ms;

	l->has_call = poisson(l);
	at_ms = (uint64_t)l->at_ms;
	if (l->burst_every_s > 0 && l->burst_left == 0 && at_ms >= l->burst_ms) {
		l->burst_left = l->burst_calls;
		l->burst_ms += l->burst_every_s * UINT64_C(1000);
	}
	l->call = (struct sim_event){.at_ms = at_ms,
				     .kind = SIM_CALL,
				     .queue = which_queue(l),
				     .agent = -1,
				     .value = sim_random_chance(&l->random, l->urgent),
				     .salt = ++l->serial};
}

/* Calls of a burst come between the others, right after the one that set it off. */
static void next_of_burst(struct sim_load *l)
{
	l->burst_left--;
	l->call.queue = which_queue(l);
	l->call.salt = ++l->serial;
	l->call.at_ms += sim_random_below(&l->random, 2 * 10000 / (l->burst_calls + 1) + 1);
	if ((double)l->call.at_ms > l->at_ms)
		l->at_ms = (double)l->call.at_ms;
}

static bool load_next(void *arg, struct sim_event *out)
{
	struct sim_load *l = arg;

	if (!l->begun) {
		l->begun = true;
		l->random = sim_random_of(l->seed, 'c', 0);
		l->at_ms = (double)l->from_ms;
		l->burst_ms = l->from_ms + l->burst_every_s * UINT64_C(1000);
		l->has_listed = list_next(&l->list, &l->listed);
		next_call(l);
	}
	if (l->has_listed && (!l->has_call || l->listed.at_ms <= l->call.at_ms)) {
		*out = l->listed;
		l->has_listed = list_next(&l->list, &l->listed);
		return true;
	}
	if (!l->has_call)
		return false;
	*out = l->call;
	if (l->burst_left > 0)
		next_of_burst(l);
	else
		next_call(l);
	return true;
}

struct sim_source sim_load_source(struct sim_load *l)
{
	l->begun = false;
	l->serial = 0;
	l->burst_left = 0;
	l->list.at = 0;
	return (struct sim_source){load_next, l};
}

/* --- rosters and trouble ------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct sim_event *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->salt < y->salt ? -1 : x->salt > y->salt;
}

size_t sim_roster(struct sim_event *out, size_t max, unsigned agents, uint64_t from_ms,
		  uint64_t to_ms, uint64_t shift_ms, uint64_t step_ms)
{
	static const enum sim_event_kind kinds[] = {SIM_SIGN_IN, SIM_READY, SIM_SIGN_OUT};
	const uint64_t day_ms = 86400000;
	unsigned groups = (unsigned)(day_ms / step_ms);
	size_t n = 0;

	for (unsigned g = 0; g < agents; g++) {
		uint64_t begin_ms = from_ms + g % groups * step_ms + g / groups % 60 * 1000;

		for (; begin_ms < to_ms; begin_ms += day_ms) {
			for (unsigned k = 0; k < 3; k++, n++)
				if (n < max)
					out[n] = (struct sim_event){
						.at_ms = begin_ms + (k == 2 ? shift_ms : 0),
						.kind = kinds[k],
						.queue = -1,
						.agent = (int)g,
						.salt = n};
		}
	}
	qsort(out, n < max ? n : max, sizeof(*out), by_time);
	return n;
}

static enum sim_event_kind draw_kind(struct sim_random *r)
{
	static const struct {
		enum sim_event_kind kind;
		unsigned weight;
	} often[] = {
		{SIM_CALL, 500},      {SIM_SIGN_IN, 40},    {SIM_SIGN_OUT, 25},
		{SIM_READY, 70},      {SIM_NOT_READY, 50},  {SIM_WRAP_END, 40},
		{SIM_UNPLUG, 40},     {SIM_OTHER, 35},      {SIM_HANG_UP, 50},
		{SIM_PAUSE, 10},      {SIM_MOVE_CALL, 30},  {SIM_TAKE_CALL, 15},
		{SIM_CALLBACK, 30},   {SIM_MOVE_AGENT, 40}, {SIM_RELOAD, 8},
		{SIM_ENGINE_AWAY, 6}, {SIM_TRUNK_AWAY, 6},  {SIM_RESTART, 3},
		{SIM_DND, 20},        {SIM_PICK_UP, 25},    {SIM_HAND_OVER, 25},
		{SIM_KILLED, 4},
	};
	unsigned x = sim_random_below(r, 1072), i = 0;

	while (x >= often[i].weight)
		x -= often[i++].weight;
	return often[i].kind;
}

static struct sim_event draw(struct sim_random *r, unsigned queues, unsigned agents, bool flow)
{
	struct sim_event e = {.kind = draw_kind(r), .queue = -1, .agent = -1};

	e.salt = sim_random_bits(r);
	e.to = (int)sim_random_below(r, queues);
	e.value = (uint8_t)sim_random_below(r, 10);
	e.for_ms = 1000 + sim_random_below(r, 40000);
	if (e.kind == SIM_CALL) {
		e.queue =
			flow && sim_random_below(r, 3) == 0 ? -1 : (int)sim_random_below(r, queues);
		e.value = sim_random_below(r, 8) == 0 ? (uint8_t)(e.value % 3) : 0;
	} else if (e.kind <= SIM_HANG_UP || e.kind == SIM_MOVE_AGENT || e.kind == SIM_DND ||
		   e.kind == SIM_PICK_UP || e.kind == SIM_HAND_OVER) {
		e.agent = (int)sim_random_below(r, agents);
	}
	if (e.kind == SIM_PAUSE || e.kind == SIM_PICK_UP ||
	    (e.kind >= SIM_MOVE_CALL && e.kind <= SIM_MOVE_AGENT))
		e.queue = (int)sim_random_below(r, queues);
	if (e.kind == SIM_NOT_READY)
		e.value %= 5;
	if (e.kind == SIM_RELOAD)
		e.value %= SIM_CONFIGS_MAX;
	if (e.kind == SIM_MOVE_AGENT && sim_random_below(r, 3) == 0)
		e.value = 0;
	return e;
}

void sim_trouble(struct sim_event *out, size_t n, uint64_t seed, unsigned queues, unsigned agents,
		 uint64_t from_ms, uint64_t for_ms, bool flow)
{
	struct sim_random r = sim_random_of(seed, 'e', n);

	for (size_t i = 0; i < n; i++) {
		/* Everybody comes to work first, one after the other. */
		if (i / 2 < agents) {
			out[i] = (struct sim_event){.kind = i % 2 ? SIM_READY : SIM_SIGN_IN,
						    .at_ms = from_ms + i * 100,
						    .queue = -1,
						    .agent = (int)(i / 2),
						    .salt = i};
			continue;
		}
		out[i] = draw(&r, queues, agents, flow);
		out[i].at_ms = from_ms + (uint64_t)(sim_random_unit(&r) * (double)for_ms);
	}
	qsort(out, n, sizeof(*out), by_time);
}
