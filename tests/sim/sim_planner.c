/* SPDX-License-Identifier: Apache-2.0
 * The planner's question as a run. */
#include "sim_planner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim_centre.h"
#include "sim_load.h"

unsigned sim_planner_agents(const struct config *c)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < c->n_agents; i++)
		n += c->agents[i].n_skills > 0;
	return n;
}

static void sum_up(struct sim_row *r)
{
	const struct sim_queue_sums *s = &r->sums;
	double offered = s->offered > 0 ? (double)s->offered : 1;
	double answered = s->answered > 0 ? (double)s->answered : 1;

	r->service_level = (double)s->in_time / offered;
	r->answered = (double)s->answered / offered;
	r->abandoned = (double)s->abandoned / offered;
	r->left = (double)s->left / offered;
	r->refused = (double)s->refused / offered;
	r->speed_s = (double)s->wait_answered_ms / 1e3 / answered;
	r->talk_s = (double)s->talk_ms / 1e3 / answered;
}

static void take_down(const struct sim *s, const struct config *c, struct sim_answer *out)
{
	const struct sim_result *r = &out->result;
	double busy = (double)(r->talking_ms + r->ringing_ms + r->wrap_up_ms);

	out->n_queues = c->n_queues;
	for (unsigned q = 0; q < c->n_queues; q++) {
		struct sim_row *row = &out->queue[q];
		struct sim_queue_sums *t = &out->total.sums;

		snprintf(row->name, sizeof(row->name), "%s", c->queues[q].name);
		row->within_s = c->queues[q].service_level_s;
		row->sums = sim_queue_sums(s, (int)q);
		t->offered += row->sums.offered;
		t->answered += row->sums.answered;
		t->in_time += row->sums.in_time;
		t->abandoned += row->sums.abandoned;
		t->left += row->sums.left;
		t->refused += row->sums.refused;
		t->wait_answered_ms += row->sums.wait_answered_ms;
		t->talk_ms += row->sums.talk_ms;
		sum_up(row);
	}
	snprintf(out->total.name, sizeof(out->total.name), "all");
	out->total.within_s = c->n_queues == 1 ? c->queues[0].service_level_s : 0;
	sum_up(&out->total);
	out->occupancy = busy / (busy + (double)(r->ready_ms + r->not_ready_ms) + 1e-9);
}

int sim_planner_ask(const struct sim_question *q, struct sim_answer *out)
{
	const uint64_t start_ms = 86400000; /* midnight; not 0 */
	struct sim_load load = {.seed = q->seed,
				.from_ms = start_ms,
				.to_ms = start_ms + q->days * UINT64_C(86400000),
				.n_intervals = q->days * SIM_HOURS,
				.interval_ms = 3600000,
				.share = q->flow == NULL ? q->share : NULL,
				.n_queues = q->config->n_queues};
	struct sim_plan plan = {.seed = q->seed,
				.start_ms = start_ms,
				.flow = q->flow,
				.people = q->people,
				.staffed = true,
				.check_every = 50000};
	struct config *c;
	double *rate;
	struct sim *s;
	int rc;

	memset(out, 0, sizeof(*out));
	if (q->config->n_queues == 0 || sim_planner_agents(q->config) == 0 || q->days == 0)
		return -EINVAL;
	out->agents = q->agents > 0 ? q->agents : sim_planner_agents(q->config);
	c = sim_centre_like(q->config, out->agents);
	rate = malloc(load.n_intervals * sizeof(*rate));
	must(rate != NULL);
	for (unsigned h = 0; h < load.n_intervals; h++)
		rate[h] = q->per_hour[h % SIM_HOURS];
	load.calls_per_hour = rate;
	plan.config[0] = c;
	plan.calls_max = 100000 + 4 * out->agents;
	plan.source = sim_load_source(&load);
	s = sim_open(&plan);
	rc = sim_run(s, &out->result);
	take_down(s, c, out);
	sim_close(s);
	free(rate);
	config_free(c);
	return rc;
}
