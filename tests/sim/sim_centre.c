/* SPDX-License-Identifier: Apache-2.0
 * Configurations are written as an operator would, and read by production's own reader. */
#include "sim_centre.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct text {
	char *bytes;
	size_t len;
	FILE *file;
};

static void open_text(struct text *t)
{
	t->file = open_memstream(&t->bytes, &t->len);
	must(t->file != NULL);
}

static struct config *read_text(struct text *t)
{
	struct config *c = NULL;
	struct complaints k;
	char line[COMPLAINT_TEXT_MAX + COMPLAINT_NAME_MAX + 64];

	fclose(t->file);
	if (config_load(t->bytes, t->len, "centre", &c, &k) != 0) {
		fprintf(stderr, "%s\n%s\n", complaint_line(&k, 0, line, sizeof(line)), t->bytes);
		must(c != NULL);
	}
	free(t->bytes);
	return c;
}

struct config *sim_centre_plain(const struct sim_centre *c)
{
	struct text t;

	open_text(&t);
	fprintf(t.file, "queues:\n");
	for (unsigned q = 0; q < c->queues; q++)
		fprintf(t.file, "- {%s%s%s%s name: q%u}\n", c->queue_rules,
			c->strategies ? "strategy: " : "",
			c->strategies
				? config_strategy_name((enum config_strategy)(q % CONFIG_RING_ALL))
				: "",
			c->strategies ? "," : "", q);
	fprintf(t.file, "agents:\n");
	for (unsigned g = 0; g < c->agents; g++) {
		fprintf(t.file, "- {number: \"%u\", password: x, queues: {", 1000 + g);
		for (unsigned i = 0; i < c->skills && i < c->queues; i++)
			fprintf(t.file, "%sq%u: %u", i > 0 ? ", " : "", (g + i) % c->queues,
				i == 0 || c->levels == 0 ? 1 : 1 + (g + i) % c->levels);
		fprintf(t.file, "}}\n");
	}
	return read_text(&t);
}

static void mixed_queue(FILE *f, struct sim_random *r, unsigned q)
{
	static const unsigned wraps[] = {0, 5, 20, 45};

	fprintf(f,
		"- {name: q%u, strategy: %s, priority: %u, wrap_up_s: %u, ring_timeout_s: %u, "
		"max_wait_s: %u, max_calls: %u, wait_without_agents: %s, announce_every_s: %u, "
		"announce_first_s: %u, sticky_s: %u, level_after_s: %u, max_expected_wait_s: %u, "
		"callback_tries: %u, callback_retry_s: %u}\n",
		q,
		config_strategy_name((enum config_strategy)sim_random_below(r, CONFIG_STRATEGIES)),
		sim_random_below(r, 4) == 0, wraps[sim_random_below(r, 4)],
		5 + sim_random_below(r, 20),
		sim_random_below(r, 2) * (30 + sim_random_below(r, 200)),
		sim_random_below(r, 3) == 0 ? 3 + sim_random_below(r, 10) : 0,
		sim_random_below(r, 2) ? "yes" : "no", sim_random_below(r, 2) * 15,
		1 + sim_random_below(r, 10), sim_random_below(r, 2) * 8, sim_random_below(r, 3) * 6,
		sim_random_below(r, 4) == 0 ? 60 + sim_random_below(r, 200) : 0,
		1 + sim_random_below(r, 3), 10 + sim_random_below(r, 60));
}

struct config *sim_centre_mixed(uint64_t seed, unsigned variant, unsigned queues, unsigned agents)
{
	struct sim_random r = sim_random_of(seed, 'v', variant);
	unsigned step_s = 30 + sim_random_below(&r, 900);
	unsigned no_queue = variant > 0 && queues > 1 ? sim_random_below(&r, 3 * queues) : queues;
	unsigned no_agent = variant > 0 ? sim_random_below(&r, 3 * agents) : agents;
	struct text t;

	open_text(&t);
	fprintf(t.file, "calls: {priority_step_s: %u}\nqueues:\n", step_s);
	for (unsigned q = 0; q < queues; q++)
		if (q != no_queue)
			mixed_queue(t.file, &r, q);
	fprintf(t.file, "agents:\n");
	for (unsigned g = 0; g < agents; g++) {
		unsigned skills = 1 + sim_random_below(&r, queues),
			 first = sim_random_below(&r, queues);
		bool any = false;

		if (g == no_agent)
			continue;
		fprintf(t.file, "- {number: \"%u\", password: x, queues: {", 1000 + g);
		for (unsigned i = 0; i < skills; i++) {
			unsigned level = 1 + sim_random_below(&r, 3);

			if ((first + i) % queues == no_queue)
				continue;
			fprintf(t.file, "%sq%u: %u", any ? ", " : "", (first + i) % queues, level);
			any = true;
		}
		fprintf(t.file, "}}\n");
	}
	return read_text(&t);
}

static void queue_like(FILE *f, const struct config_queue *q)
{
	fprintf(f,
		"- {name: \"%s\", strategy: %s, priority: %u, wrap_up_s: %u, ring_timeout_s: %u, "
		"max_wait_s: %u, max_calls: %u, wait_without_agents: %s, announce_every_s: %u, "
		"announce_first_s: %u, sticky_s: %u, level_after_s: %u, max_expected_wait_s: %u, "
		"callback_tries: %u, callback_retry_s: %u, service_level_s: %u, "
		"service_level_percent: %u, handle_time_s: %u}\n",
		q->name, config_strategy_name(q->strategy), q->priority, q->wrap_up_s,
		q->ring_timeout_s, q->max_wait_s, q->max_calls,
		q->wait_without_agents ? "yes" : "no", q->announce_every_s, q->announce_first_s,
		q->sticky_s, q->level_after_s, q->max_expected_wait_s, q->callback_tries,
		q->callback_retry_s, q->service_level_s, q->service_level_percent,
		q->handle_time_s);
}

struct config *sim_centre_like(const struct config *like, unsigned agents)
{
	struct text t;

	open_text(&t);
	fprintf(t.file, "calls: {priority_step_s: %u}\nqueues:\n", like->priority_step_s);
	for (unsigned q = 0; q < like->n_queues; q++)
		queue_like(t.file, &like->queues[q]);
	fprintf(t.file, "agents:\n");
	for (unsigned g = 0, from = 0; g < agents; from++) {
		const struct config_agent *a = &like->agents[from % like->n_agents];

		if (a->n_skills == 0)
			continue;
		fprintf(t.file, "- {number: \"%u\", password: x, queues: {", 100000 + g++);
		for (unsigned i = 0; i < a->n_skills; i++)
			fprintf(t.file, "%s\"%s\": %u", i > 0 ? ", " : "",
				like->queues[a->skills[i].queue].name, a->skills[i].level);
		fprintf(t.file, "}}\n");
	}
	return read_text(&t);
}
