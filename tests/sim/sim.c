/* SPDX-License-Identifier: Apache-2.0
 * The world's turn: the next thing whose time has come, what it does, what the ACD says to that.
 *
 * Actions are taken one by one and written into the book, which judges them in the order in which they
 * were decided; what callers and phones make of them has its own time, be it this very millisecond.
 */
#include "sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim_priv.h"

/* --- memory, once -------------------------------------------------------------------------- */

static void *take(struct sim *s, size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size);

	must(p != NULL && s->n_memory < sizeof(s->memory) / sizeof(s->memory[0]));
	s->memory[s->n_memory++] = p;
	s->bytes += n * size;
	return p;
}

static int level_in(const struct config_agent *g, int queue)
{
	for (unsigned i = 0; i < g->n_skills; i++)
		if (g->skills[i].queue == queue)
			return g->skills[i].level;
	return 0;
}

/* Queues and agents are those of the first configuration, by their names. */
void sim_take_config(struct sim *s, const struct config *c)
{
	const struct config *first = s->plan->config[0];

	s->config = c;
	for (uint32_t q = 0; q < s->n_queues; q++) {
		s->queue[q].rule = config_queue_find(c, first->queues[q].name);
		if (s->queue[q].rule != NULL)
			s->queue[q].wrap_s = s->queue[q].rule->wrap_up_s;
	}
	for (uint32_t g = 0; g < s->n_agents; g++) {
		const struct config_agent *has = config_agent_find(c, first->agents[g].number);
		uint8_t *level = s->level + (size_t)g * s->n_queues;

		memset(level, 0, s->n_queues);
		for (unsigned i = 0; has != NULL && i < has->n_skills; i++) {
			const char *name = c->queues[has->skills[i].queue].name;

			for (uint32_t q = 0; q < s->n_queues; q++)
				if (s->queue[q].rule != NULL &&
				    strcmp(s->queue[q].rule->name, name) == 0)
					level[q] = (uint8_t)level_in(has, has->skills[i].queue);
		}
		for (uint32_t q = 0; q < s->n_queues; q++) {
			uint8_t *by_hand = &s->change[(size_t)g * s->n_queues + q];

			if (s->queue[q].rule == NULL && has != NULL)
				*by_hand = SIM_UNCHANGED;
			else if (*by_hand != SIM_UNCHANGED && has != NULL)
				level[q] = *by_hand;
		}
	}
}

/* A new one, as after a start of the control plane; places are those of the first configuration. */
void sim_acd_make(struct sim *s, const struct config *now)
{
	acd_init(s->acd, &s->acd_plan);
	memset(s->change, SIM_UNCHANGED, (size_t)s->n_agents * s->n_queues);
	sim_take_config(s, s->plan->config[0]);
	must(acd_configure(s->acd, s->config, s->now_ms) == 0);
	for (uint32_t q = 0; q < s->n_queues; q++) {
		struct sim_queue *b = &s->queue[q];

		b->acd = acd_queue_find(s->acd, b->rule->name);
		must(b->acd == (int)q);
		b->paused = false;
		must(b->waiting == 0 && b->offered_now == 0);
	}
	for (uint32_t g = 0; g < s->n_agents; g++)
		must(acd_agent_find(s->acd, s->config->agents[g].number) == (int)g);
	if (now != s->config) {
		sim_take_config(s, now);
		must(acd_configure(s->acd, now, s->now_ms) == 0);
	}
	s->ticked_ms = 0;
}

static void people_begin(struct sim *s)
{
	for (uint32_t g = 0; g < s->n_agents; g++) {
		struct sim_agent *b = &s->agent[g];

		b->random = sim_random_of(s->plan->seed, 'a', g);
		b->since_ms = s->now_ms;
		b->reachable = true;
		acd_agent_reachable(s->acd, (int)g, true, s->now_ms);
		if (s->plan->staffed) {
			must(acd_agent_event(s->acd, (int)g, AGENT_SIGN_IN, 0, s->now_ms) == 0);
			must(acd_agent_event(s->acd, (int)g, AGENT_GO_READY, 0, s->now_ms) == 0);
		}
	}
}

static void make_calls(struct sim *s)
{
	const struct sim_plan *p = s->plan;

	s->call = take(s, p->calls_max, sizeof(*s->call));
	if (p->flow != NULL)
		s->session = take(s, p->calls_max, sizeof(*s->session));
	if (p->records)
		s->record = take(s, p->calls_max, sizeof(*s->record));
	s->free_call = SIM_NONE;
	for (uint32_t i = p->calls_max; i-- > 0;) {
		s->call[i].link = s->free_call;
		s->free_call = (int)i;
		s->call[i].ivr = s->session != NULL ? &s->session[i] : NULL;
		s->call[i].record = s->record != NULL ? &s->record[i] : NULL;
	}
}

struct sim *sim_open(const struct sim_plan *plan)
{
	struct sim *s = calloc(1, sizeof(*s));
	const struct config *c = plan->config[0];

	must(s != NULL && plan->start_ms > 0 && plan->calls_max < 1u << SIM_SLOT_BITS);
	s->plan = plan;
	s->picks = SIM_NONE;
	s->bytes = sizeof(*s);
	s->now_ms = plan->start_ms;
	s->n_queues = c->n_queues;
	s->n_agents = c->n_agents;
	s->acd_plan = (struct acd_plan){
		.agents_max = s->n_agents, .queues_max = s->n_queues, .calls_max = plan->calls_max};
	s->acd = take(s, 1, acd_bytes(&s->acd_plan));
	s->queue = take(s, s->n_queues, sizeof(*s->queue));
	s->agent = take(s, s->n_agents, sizeof(*s->agent));
	s->free_agent = take(s, s->n_agents, sizeof(*s->free_agent));
	s->level = take(s, (size_t)s->n_agents * s->n_queues, 1);
	s->change = take(s, (size_t)s->n_agents * s->n_queues, 1);
	s->todo = take(s, 1, sizeof(*s->todo));
	if (plan->people.regulars > 0)
		s->regulars = take(s, 1, sizeof(*s->regulars));
	make_calls(s);

	uint32_t things =
		SIM_THING_QUEUES + s->n_queues + s->n_agents * SIM_TIMERS + plan->calls_max;

	due_init(&s->due, take(s, 1, due_bytes(things)), things);
	s->answer = json_pack("{s:s,s:i,s:{s:s}}", "tier", "gold", "balance", 30523, "customer",
			      "name", "Li");
	s->say = ivr_say_builtin();
	sim_acd_make(s, s->plan->config[0]);
	people_begin(s);
	sim_drain(s);
	s->dry = !plan->source.next(plan->source.arg, &s->pending);
	if (!s->dry)
		due_set(&s->due, SIM_THING_SOURCE, s->pending.at_ms);
	return s;
}

void sim_close(struct sim *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->plan->calls_max; i++)
		if (s->call[i].place != SIM_FREE && s->call[i].ivr != NULL)
			ivr_end(s->call[i].ivr);
	for (unsigned i = 0; i < s->n_memory; i++)
		free(s->memory[i]);
	json_decref(s->answer);
	ivr_say_close(s->say);
	free(s);
}

size_t sim_bytes(const struct sim *s)
{
	return s->bytes;
}

/* --- what the ACD says --------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

static void remember(struct sim *s, const struct acd_action *a)
{
	uint64_t h = s->result.decisions;

	h = mix(h, (uint64_t)a->kind << 56 | (uint64_t)a->state << 48 | (uint64_t)a->was << 40 |
			   (uint64_t)a->why << 32 | (uint64_t)a->withdrawn << 24 |
			   (uint64_t)a->reason << 16 | a->callback);
	h = mix(h, a->at_ms);
	h = mix(h, a->call);
	h = mix(h, (uint64_t)(uint32_t)a->agent << 32 | (uint32_t)a->queue);
	h = mix(h, (uint64_t)a->position << 32 | (uint32_t)a->wait_s);
	s->result.decisions = mix(h, a->waited_ms);
	s->result.actions++;
}

void sim_drain(struct sim *s)
{
	struct acd_action a;

	must(!s->draining);
	s->draining = true;
	while (acd_next(s->acd, &a)) {
		remember(s, &a);
		if (s->plan->plant != NULL && !s->plan->plant(s->plan->plant_arg, &a))
			continue;
		sim_book_write(s, &a);
	}
	s->draining = false;
}

/* --- the turn ------------------------------------------------------------------------------ */

static void source_due(struct sim *s)
{
	struct sim_event e = s->pending;

	s->dry = !s->plan->source.next(s->plan->source.arg, &s->pending);
	if (!s->dry && s->pending.at_ms < s->now_ms)
		s->pending.at_ms = s->now_ms;
	due_set(&s->due, SIM_THING_SOURCE, s->dry ? DUE_NEVER : s->pending.at_ms);
	sim_act(s, &e);
}

static void dispatch(struct sim *s, uint32_t thing)
{
	uint32_t i = thing - SIM_THING_QUEUES;

	due_set(&s->due, thing, DUE_NEVER);
	if (thing == SIM_THING_SOURCE) {
		source_due(s);
	} else if (thing == SIM_THING_ACD) {
		acd_tick(s->acd, s->now_ms);
	} else if (thing == SIM_THING_ENGINE) {
		sim_act_engine_due(s);
	} else if (thing == SIM_THING_BACK) {
		sim_act_engine_back(s);
	} else if (thing == SIM_THING_THAW) {
		sim_thaw(s);
	} else if (i < s->n_queues) {
		sim_act_queue_due(s, (int)i);
	} else if (i - s->n_queues < s->n_agents * SIM_TIMERS) {
		i -= s->n_queues;
		sim_agent_due(s, (int)(i / SIM_TIMERS), (enum sim_timer)(i % SIM_TIMERS));
	} else {
		sim_call_due(s, &s->call[i - s->n_queues - s->n_agents * SIM_TIMERS]);
	}
}

/* When the loop's timer will fire for the ACD: not before, maybe a little late. */
static void follow_acd(struct sim *s)
{
	uint64_t due_ms = acd_deadline(s->acd);

	if (due_ms != DUE_NEVER && s->plan->late_ms_max > 0) {
		struct sim_random r = sim_random_of(s->plan->seed, 'l', due_ms);

		due_ms += sim_random_below(&r, s->plan->late_ms_max + 1);
	}
	if (due_ms != DUE_NEVER && due_ms < s->now_ms)
		due_ms = s->now_ms;
	if (s->due.at[SIM_THING_ACD] != due_ms)
		due_set(&s->due, SIM_THING_ACD, due_ms);
}

/* No more from outside: whatever waits must now come to an end. */
static void close_up(struct sim *s)
{
	s->closing = true;
	sim_tell(s, "nothing more comes from outside; whoever is away comes back");
	s->trunk_back_ms = s->control_back_ms = 0;
	sim_act_engine_back(s);
	sim_drain(s);
	sim_thaw(s);
	sim_drain(s);
	for (uint32_t q = 0; q < s->n_queues; q++) {
		sim_act_queue_due(s, (int)q);
		sim_drain(s);
	}
	for (uint32_t g = 0; g < s->n_agents && s->n_calls > 0; g++)
		if (s->agent[g].state == AGENT_OFFLINE && s->plan->people.back_again_ms > 0)
			sim_agent_person(s, (int)g, AGENT_SIGN_IN, s->now_ms + 1000);
	sim_drain(s);
	follow_acd(s);
}

static void account_agents(struct sim *s)
{
	for (uint32_t g = 0; g < s->n_agents; g++) {
		s->state_ms[s->agent[g].state] += s->now_ms - s->agent[g].since_ms;
		s->agent[g].since_ms = s->now_ms;
	}
	s->result.ready_ms = s->state_ms[AGENT_READY];
	s->result.ringing_ms = s->state_ms[AGENT_RINGING];
	s->result.talking_ms = s->state_ms[AGENT_TALKING];
	s->result.wrap_up_ms = s->state_ms[AGENT_WRAP_UP];
	s->result.not_ready_ms = s->state_ms[AGENT_NOT_READY] + s->state_ms[AGENT_OTHER];
}

static bool turn(struct sim *s)
{
	const struct sim_plan *p = s->plan;
	uint32_t thing = 0;
	uint64_t at_ms;
	bool ticked;

	if (s->dry && s->n_calls == 0)
		return false;
	if (s->dry && !s->closing)
		close_up(s);
	at_ms = due_first(&s->due, &thing);
	ticked = thing == SIM_THING_ACD;
	if (at_ms == DUE_NEVER) {
		sim_breaks(s, "%u calls are left, and nothing will ever happen to them",
			   s->n_calls);
		return false;
	}
	if (p->stop_ms > 0 && at_ms >= p->stop_ms) {
		s->now_ms = p->stop_ms;
		return false;
	}
	must(at_ms >= s->now_ms);
	s->now_ms = at_ms;
	dispatch(s, thing);
	sim_drain(s);
	if (ticked)
		s->ticked_ms = s->now_ms;
	follow_acd(s);
	s->result.events++;
	if (p->check_every > 0 && s->result.events % p->check_every == 0)
		sim_check_all(s);
	return s->result.broken[0] == '\0';
}

int sim_run(struct sim *s, struct sim_result *out)
{
	follow_acd(s);
	while (turn(s))
		;
	if (s->result.broken[0] == '\0')
		sim_check_all(s);
	account_agents(s);
	s->result.end_ms = s->now_ms;
	*out = s->result;
	return out->broken[0] == '\0' ? 0 : -EPROTO;
}

struct sim_queue_sums sim_queue_sums(const struct sim *s, int queue)
{
	const struct sim_queue *q = &s->queue[queue];
	struct sim_queue_sums a = q->sums;
	const struct sim_queue_sums *b = &q->before;

	a.offered += b->offered;
	a.answered += b->answered;
	a.in_time += b->in_time;
	a.abandoned += b->abandoned;
	a.left += b->left;
	a.refused += b->refused;
	a.delayed += b->delayed;
	a.overflowed += b->overflowed;
	a.wait_answered_ms += b->wait_answered_ms;
	a.wait_all_ms += b->wait_all_ms;
	a.talk_ms += b->talk_ms;
	return a;
}

struct sim_agent_sums sim_agent_sums(const struct sim *s, int agent)
{
	return (struct sim_agent_sums){.answered = s->agent[agent].since_sign_in,
				       .talk_ms = s->agent[agent].talk_ms};
}

void sim_breaks(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->result.broken[0] != '\0')
		return;
	char why[SIM_BROKEN_MAX];

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	sim_tell(s, "BROKEN: %s", why);
	memcpy(s->result.broken, why, sizeof(why));
	s->result.broken_ms = s->now_ms;
}
