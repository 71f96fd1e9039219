/* SPDX-License-Identifier: Apache-2.0
 * sim: what happens in a call centre under a load, for planners. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "example/example.h"
#include "sim_planner.h"

static const char help[] =
	"usage: sim [CONFIG] [OPTION...]\n"
	"\n"
	"Runs the call centre of CONFIG (patchbay.yaml; without it the built-in example) in "
	"virtual time, with\n"
	"production's own distribution of calls, and says what happens to callers and agents.\n"
	"\n"
	"load\n"
	"  --calls N           calls an hour, spread evenly over the queues (60)\n"
	"  --queue NAME=N      calls an hour for this queue; may be given for several, instead of "
	"--calls\n"
	"  --curve N,N,...     calls an hour in each hour of the day, 24 numbers; with --queue "
	"only its shares count\n"
	"  --flow FILE         callers come through this flow and press keys\n"
	"  --keys K=N,...      how often each key is pressed there: 1=60,2=30,0=10\n"
	"people (times are SECONDS, or a law: exponential:S, fixed:S, uniform:S, lognormal:S:CV, "
	"weibull:S:K, never)\n"
	"  --patience T        of callers who wait (exponential:180)\n"
	"  --talk T            conversation (lognormal:180:1)\n"
	"  --answer T          until an agent takes a ringing call (fixed:3)\n"
	"  --wrap T            work after the call, at most the queue's wrap_up_s (never: all of "
	"it)\n"
	"  --no-answer SHARE   0..1: phones that ring for nothing (0)\n"
	"  --agents N[..M[:K]] so many at work all the time, with the skills of those of CONFIG; a "
	"range gives a row\n"
	"                      for each number, in steps of K\n"
	"run\n"
	"  --days N            so many days (5)\n"
	"  --seed N            another seed is another week; the same is the same (1)\n"
	"  --json              one object, or one a line for a range\n"
	"\n"
	"  sim patchbay.yaml --queue sales=300 --queue service=120 --talk lognormal:200:1 "
	"--patience 120\n"
	"  sim patchbay.yaml --calls 400 --agents 20..40:2\n"
	"\n"
	"SL: answered within the queue's service_level_s, of all who came. ASA: mean wait of the "
	"answered. Occupancy:\n"
	"ringing, talking and wrapping up, of the time at work. Put out: waited too long or nobody "
	"was signed in.\n";

struct command {
	struct sim_question q;
	struct config *config;
	unsigned from, to, step;
	double calls;
	bool curve, shares, json;
};

static int usage(const char *what, const char *value)
{
	fprintf(stderr, "sim: %s: %s; see sim --help\n", what, value);
	return 2;
}

static char *read_file(const char *path, size_t max, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = f != NULL ? malloc(max + 1) : NULL;

	if (text != NULL)
		*len = fread(text, 1, max + 1, f);
	if (text == NULL || ferror(f)) {
		fprintf(stderr, "sim: %s: %s\n", path, strerror(errno));
		free(text);
		text = NULL;
	}
	if (f != NULL)
		fclose(f);
	return text;
}

static void complain_all(const struct complaints *k)
{
	char line[COMPLAINT_TEXT_MAX + COMPLAINT_NAME_MAX + 64];

	for (unsigned i = 0; i < k->kept; i++)
		fprintf(stderr, "%s\n", complaint_line(k, i, line, sizeof(line)));
}

static struct config *read_config(const char *path)
{
	size_t len = example_config_len;
	char *text = path != NULL ? read_file(path, CONFIG_TEXT_MAX, &len) : NULL;
	struct config *c = NULL;
	struct complaints k;

	if (path != NULL && text == NULL)
		return NULL;
	if (config_load(text != NULL ? text : example_config, len, path != NULL ? path : "example",
			&c, &k) != 0)
		complain_all(&k);
	free(text);
	return c;
}

static struct ivr_flow *read_flow(const char *path)
{
	size_t len;
	char *text = read_file(path, IVR_TEXT_MAX, &len);
	struct ivr_flow *f = NULL;
	struct complaints k;

	if (text == NULL)
		return NULL;
	if (ivr_flow_load(text, len, path, &f, &k) != 0 ||
	    ivr_flow_check(f, &(struct ivr_world){0}, &k) != 0) {
		complain_all(&k);
		ivr_flow_drop(&f);
	}
	free(text);
	return f;
}

/* --- options ------------------------------------------------------------------------------- */

static bool number(const char *text, double min, double max, double *out)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end != '\0' || !(x >= min && x <= max))
		return false;
	*out = x;
	return true;
}

static bool take_queue(struct command *c, const char *text)
{
	const char *equals = strchr(text, '=');
	double x;

	if (equals == NULL || !number(equals + 1, 0, 1e6, &x))
		return false;
	for (unsigned q = 0; q < c->config->n_queues; q++) {
		const char *name = c->config->queues[q].name;

		if (strlen(name) != (size_t)(equals - text) ||
		    strncmp(name, text, strlen(name)) != 0)
			continue;
		c->q.share[q] += x;
		c->shares = true;
		return true;
	}
	return false;
}

static bool take_curve(struct command *c, char *text)
{
	unsigned n = 0;

	for (char *save = NULL, *one = strtok_r(text, ",", &save); one != NULL;
	     one = strtok_r(NULL, ",", &save), n++)
		if (n == SIM_HOURS || !number(one, 0, 1e6, &c->q.per_hour[n]))
			return false;
	c->curve = n == SIM_HOURS;
	return c->curve;
}

static bool take_keys(struct command *c, char *text)
{
	static const char keys[] = "0123456789*#";

	for (char *save = NULL, *one = strtok_r(text, ",", &save); one != NULL;
	     one = strtok_r(NULL, ",", &save)) {
		const char *key = strchr(keys, one[0]);

		if (key == NULL || one[0] == '\0' || one[1] != '=' ||
		    !number(one + 2, 0, 1e6, &c->q.people.key[key - keys]))
			return false;
	}
	return true;
}

static bool take_agents(struct command *c, const char *text)
{
	char rest;
	int n = sscanf(text, "%u..%u:%u%c", &c->from, &c->to, &c->step, &rest);

	if (n == 1 && strspn(text, "0123456789") == strlen(text))
		c->to = c->from;
	else if (n < 2 || n > 3 || (n == 2 && strchr(text, ':') != NULL))
		return false;
	if (n < 3)
		c->step = 1;
	return c->from > 0 && c->to >= c->from && c->to <= CONFIG_AGENTS_MAX && c->step > 0;
}

enum word {
	CALLS = 1,
	QUEUE,
	CURVE,
	FLOW,
	KEYS,
	PATIENCE,
	TALK,
	ANSWER,
	WRAP,
	NO_ANSWER,
	AGENTS,
	DAYS,
	SEED,
	JSON,
	HELP
};

static bool take(struct command *c, enum word w, char *arg)
{
	struct sim_people *p = &c->q.people;
	double x;

	switch (w) {
	case CALLS:
		return number(arg, 0, 1e6, &c->calls);
	case QUEUE:
		return take_queue(c, arg);
	case CURVE:
		return take_curve(c, arg);
	case FLOW:
		ivr_flow_drop(&c->q.flow);
		c->q.flow = read_flow(arg);
		return c->q.flow != NULL;
	case KEYS:
		return take_keys(c, arg);
	case PATIENCE:
		return sim_law_read(arg, &p->patience);
	case TALK:
		return sim_law_read(arg, &p->talk) && p->talk.kind != SIM_NEVER;
	case ANSWER:
		return sim_law_read(arg, &p->answer);
	case WRAP:
		return sim_law_read(arg, &p->wrap);
	case NO_ANSWER:
		return number(arg, 0, 1, &p->miss);
	case AGENTS:
		return take_agents(c, arg);
	case DAYS:
		if (!number(arg, 1, 3660, &x))
			return false;
		c->q.days = (unsigned)x;
		return true;
	case SEED:
		if (!number(arg, 0, 1e15, &x))
			return false;
		c->q.seed = (uint64_t)x;
		return true;
	case JSON:
		c->json = true;
		return true;
	case HELP:
		break;
	}
	return false;
}

static void settle_load(struct command *c)
{
	double sum = 0;

	for (unsigned q = 0; q < c->config->n_queues; q++)
		sum += c->q.share[q];
	for (unsigned h = 0; h < SIM_HOURS && !c->curve; h++)
		c->q.per_hour[h] = c->shares ? sum : c->calls;
	for (unsigned q = 0; q < c->config->n_queues; q++)
		c->q.share[q] = sum > 0 ? c->q.share[q] / sum : 1.0 / c->config->n_queues;
}

/* --- answers ------------------------------------------------------------------------------- */

static json_t *row_json(const struct sim_row *r)
{
	return json_pack("{s:s,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "queue", r->name, "offered",
			 (json_int_t)r->sums.offered, "service_level", r->service_level, "answered",
			 r->answered, "abandoned", r->abandoned, "put_out", r->left, "refused",
			 r->refused, "asa_s", r->speed_s, "talk_s", r->talk_s);
}

static void print_json(const struct command *c, const struct sim_answer *a)
{
	json_t *list = json_array(), *all;
	char decisions[20];

	for (unsigned q = 0; q < a->n_queues; q++)
		json_array_append_new(list, row_json(&a->queue[q]));
	snprintf(decisions, sizeof(decisions), "%016llx", (unsigned long long)a->result.decisions);
	all = json_pack("{s:i,s:i,s:I,s:f,s:o,s:o,s:s}", "agents", (int)a->agents, "days",
			(int)c->q.days, "seed", (json_int_t)c->q.seed, "occupancy", a->occupancy,
			"total", row_json(&a->total), "queues", list, "decisions", decisions);
	json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(all);
}

static void print_row(const struct sim_row *r)
{
	char within[24] = "";

	if (r->within_s > 0)
		snprintf(within, sizeof(within), " in %us", r->within_s);
	printf("%-16s %9llu %6.1f%%%-8s %8.1fs %8.1f%% %9.1f%% %7.1f%% %7.0fs\n", r->name,
	       (unsigned long long)r->sums.offered, 100 * r->service_level, within, r->speed_s,
	       100 * r->abandoned, 100 * r->left, 100 * r->refused, r->talk_s);
}

static void print_table(const struct command *c, const struct sim_answer *a)
{
	printf("%u agents, %u day%s, seed %llu\n\n%-16s %9s %-15s %9s %9s %10s %8s %8s\n",
	       a->agents, c->q.days, c->q.days == 1 ? "" : "s", (unsigned long long)c->q.seed,
	       "queue", "offered", " SL", "ASA", "abandoned", "put out", "refused", "talk");
	for (unsigned q = 0; q < a->n_queues; q++)
		print_row(&a->queue[q]);
	if (a->n_queues > 1)
		print_row(&a->total);
	printf("\noccupancy %.1f %%, at most %llu calls at once\n", 100 * a->occupancy,
	       (unsigned long long)a->result.calls_peak);
}

static int answer_all(struct command *c)
{
	static struct sim_answer a;
	bool range = c->to > c->from;
	int rc;

	if (range && !c->json)
		printf("%7s %9s %8s %9s %10s %9s %9s %10s\n", "agents", "offered", "SL", "ASA",
		       "abandoned", "put out", "refused", "occupancy");
	for (unsigned n = c->from; n <= c->to; n += c->step) {
		c->q.agents = n;
		rc = sim_planner_ask(&c->q, &a);
		if (rc == -EINVAL)
			return usage("the configuration",
				     "needs a queue and an agent who serves one");
		if (rc != 0) {
			fprintf(stderr, "sim: %s\n", a.result.broken);
			return 1;
		}
		if (c->json)
			print_json(c, &a);
		else if (!range)
			print_table(c, &a);
		else
			printf("%7u %9llu %7.1f%% %8.1fs %9.1f%% %8.1f%% %8.1f%% %9.1f%%\n", n,
			       (unsigned long long)a.total.sums.offered,
			       100 * a.total.service_level, a.total.speed_s,
			       100 * a.total.abandoned, 100 * a.total.left, 100 * a.total.refused,
			       100 * a.occupancy);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option words[] = {
		{"calls", 1, NULL, CALLS},   {"queue", 1, NULL, QUEUE},
		{"curve", 1, NULL, CURVE},   {"flow", 1, NULL, FLOW},
		{"keys", 1, NULL, KEYS},     {"patience", 1, NULL, PATIENCE},
		{"talk", 1, NULL, TALK},     {"answer", 1, NULL, ANSWER},
		{"wrap", 1, NULL, WRAP},     {"no-answer", 1, NULL, NO_ANSWER},
		{"agents", 1, NULL, AGENTS}, {"days", 1, NULL, DAYS},
		{"seed", 1, NULL, SEED},     {"json", 0, NULL, JSON},
		{"help", 0, NULL, HELP},     {0},
	};
	struct command c = {
		.q = {.people = {.patience = {SIM_EXPONENTIAL, 180, 0},
				 .talk = {SIM_LOGNORMAL, 180, 1},
				 .answer = {SIM_FIXED, 3, 0},
				 .back = {SIM_EXPONENTIAL, 60, 0},
				 .wrap = {.kind = SIM_NEVER},
				 .customer_answers = 0.7},
		      .days = 5,
		      .seed = 1},
		.calls = 60,
	};
	int w, at, rc = 0;

	/* The file first: queues are known by their names. getopt moves it to the end. */
	for (opterr = 0; (w = getopt_long(argc, argv, "h", words, NULL)) != -1;)
		if (w == HELP || w == 'h') {
			fputs(help, stdout);
			return 0;
		}
	if (argc - optind > 1)
		return usage(argv[optind + 1], "one configuration is enough");
	c.config = read_config(argv[optind]);
	if (c.config == NULL)
		return 2;
	c.q.config = c.config;
	c.from = c.to = sim_planner_agents(c.config);
	c.step = 1;
	for (optind = 1, opterr = 1, at = 1; rc == 0; at = optind) {
		w = getopt_long(argc, argv, "h", words, NULL);
		if (w == -1)
			break;
		if (w == '?')
			rc = 2;
		else if (!take(&c, (enum word)w, optarg))
			rc = usage(argv[at], optarg != NULL ? optarg : "");
	}
	if (rc == 0) {
		settle_load(&c);
		rc = answer_all(&c);
	}
	ivr_flow_drop(&c.q.flow);
	config_free(c.config);
	return rc;
}
