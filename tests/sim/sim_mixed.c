/* SPDX-License-Identifier: Apache-2.0
 * Mixed trouble. */
#include "sim_mixed.h"

#include <string.h>

#include "base/must.h"
#include "sim_centre.h"

/* A flow of all kinds of nodes, over the queues that every centre has. */
static const char flow_text[] =
	"flow: trouble\nlanguages: [zh, en]\nstart: welcome\nnodes:\n"
	"  welcome: {say: [welcome], interrupt: yes, next: hours}\n"
	"  hours: {hours: office, open: main, closed: message}\n"
	"  main:\n    menu: [main]\n"
	"    digits: {'1': first, '2': second, '3': message, '4': account, '5': later, '9': "
	"repeat, '0': first}\n"
	"    otherwise: first\n"
	"  first: {queue: q0, next: survey, timeout: second, otherwise: no-agent}\n"
	"  second: {queue: q1, priority: 1, next: survey, long: later, otherwise: no-agent}\n"
	"  account: {collect: [account], into: account, min: 2, max: 6, next: ask, otherwise: "
	"first}\n"
	"  ask: {lookup: 'http://x/$account', into: {tier: tier}, next: gold, failed: first}\n"
	"  gold: {if: $tier, equals: gold, then: second, else: first}\n"
	"  later: {callback: q0, next: bye, failed: message}\n"
	"  no-agent:\n    menu: [no-agent]\n    digits: {'1': main, '3': message, '4': room, "
	"'5': mobile, '*': back}\n"
	"    otherwise: message\n"
	"  room: {conference: board, otherwise: message}\n"
	"  mobile: {dial: '13800138000', timeout_s: 20, next: bye, otherwise: message}\n"
	"  message: {voicemail: box, say: [leave], max_s: 60, next: bye}\n"
	"  survey: {collect: [rate], into: score, max: 1, next: keep, otherwise: bye}\n"
	"  keep: {note: {score: $score}, next: bye}\n"
	"  bye: {hangup: normal, say: [bye]}\n";

static struct ivr_flow *read_flow(void)
{
	struct ivr_flow *f = NULL;
	struct complaints k;

	must(ivr_flow_load(flow_text, strlen(flow_text), "trouble", &f, &k) == 0);
	must(ivr_flow_check(f, &(struct ivr_world){0}, &k) == 0);
	return f;
}

static struct sim_people foolish_people(void)
{
	return (struct sim_people){
		.patience = {SIM_EXPONENTIAL, 60, 0},
		.talk = {SIM_LOGNORMAL, 40, 1.2},
		.answer = {SIM_EXPONENTIAL, 4, 0},
		.back = {SIM_EXPONENTIAL, 15, 0},
		.wrap = {SIM_EXPONENTIAL, 15, 0},
		.miss = 0.06,
		.reject = 0.05,
		.lost = 0.03,
		.no_media = 0.02,
		.out_ringing = 0.02,
		.away_ringing = 0.03,
		.hang_up_at_once = 0.05,
		.out_talking = 0.03,
		.away_talking = 0.05,
		.transfer = 0.1,
		.caller_leaves_flow = 0.03,
		.customer_answers = 0.6,
		.regulars = 40,
		.back_again_ms = 30000,
	};
}

void sim_mixed_open(struct sim_mixed *m, uint64_t seed)
{
	struct sim_random r = sim_random_of(seed, 'm', 0);

	*m = (struct sim_mixed){.seed = seed};
	m->queues = 2 + sim_random_below(&r, 4);
	m->agents = 3 + sim_random_below(&r, 12);
	for (unsigned i = 0; i < SIM_CONFIGS_MAX; i++)
		m->config[i] = sim_centre_mixed(seed, i, m->queues, m->agents);
	for (unsigned q = 0; q < m->queues; q++)
		m->overflow_to[q] = (int)sim_random_below(&r, m->queues + 1) - 1;
	m->flow = read_flow();
	m->plan = (struct sim_plan){
		.seed = seed,
		.start_ms = 9 * 3600000,
		.flow = m->flow,
		.calls_max = SIM_MIXED_CALLS,
		.people = foolish_people(),
		.records = true,
		.overflow_to = m->overflow_to,
		.check_every = 1,
		.late_ms_max = seed % 2 * 60,
	};
	for (unsigned i = 0; i < SIM_CONFIGS_MAX; i++)
		m->plan.config[i] = m->config[i];
	/* From a quiet hour to a rush. */
	sim_trouble(m->event, SIM_MIXED_EVENTS, seed, m->queues, m->agents, m->plan.start_ms,
		    600000 + sim_random_below(&r, 3000000), true);
	m->list = (struct sim_list){.event = m->event, .n = SIM_MIXED_EVENTS};
}

int sim_mixed_run(struct sim_mixed *m, const bool *skip, struct sim_result *out)
{
	struct sim *s;
	int rc;

	m->list.skip = skip;
	m->plan.source = sim_list_source(&m->list);
	s = sim_open(&m->plan);
	rc = sim_run(s, out);
	sim_close(s);
	return rc;
}

void sim_mixed_close(struct sim_mixed *m)
{
	ivr_flow_drop(&m->flow);
	for (unsigned i = 0; i < SIM_CONFIGS_MAX; i++)
		config_free(m->config[i]);
}
