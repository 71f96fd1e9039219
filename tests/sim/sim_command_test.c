/* SPDX-License-Identifier: Apache-2.0
 * What a planner asks, and what theory answers to the same.
 *
 *	test_sim_command PATH-OF-SIM
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sim_erlang.h"

static const char *program;
static char config[] = "/tmp/sim-command-XXXXXX";
static char said[20000];

/* Run `sim ARGS`, keep what it says on both channels, return its exit code. */
static int sim(const char *args)
{
	char line[600];
	FILE *f;
	size_t n;

	snprintf(line, sizeof(line), "%s %s 2>&1", program, args);
	f = popen(line, "r");
	check(f != NULL);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';

	int status = pclose(f);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static double member(const json_t *of, const char *name)
{
	const json_t *v = json_object_get(of, name);

	check(json_is_number(v));
	return json_number_value(v);
}

static void one_queue_is_as_theory_says(void)
{
	struct sim_erlang t = sim_erlang_a(100.0 / 3600, 180, 7, 120, 20);
	char args[400];
	json_t *a;
	const json_t *total;

	snprintf(args, sizeof(args),
		 "%s --queue help=100 --talk exponential:180 --patience exponential:120 --answer "
		 "fixed:0 "
		 "--agents 7 --days 200 --json",
		 config);
	check_int(sim(args), 0);
	a = json_loads(said, 0, NULL);
	total = json_object_get(a, "total");
	check(fabs(member(total, "service_level") / t.in_time - 1) < 0.02);
	check(fabs(member(total, "abandoned") / t.abandons - 1) < 0.03);
	check(fabs(member(total, "asa_s") / t.wait_served_s - 1) < 0.03);
	check(fabs(member(a, "occupancy") / t.occupancy - 1) < 0.02);
	check(fabs(member(total, "talk_s") - 180) < 3);
	json_decref(a);
}

static void the_same_seed_is_the_same_and_another_is_another(void)
{
	static char first[sizeof(said)];
	char args[200];

	snprintf(args, sizeof(args), "%s --calls 200 --days 1 --json --seed 4", config);
	check_int(sim(args), 0);
	memcpy(first, said, sizeof(first));
	check_int(sim(args), 0);
	check_str(said, first);
	snprintf(args, sizeof(args), "%s --calls 200 --days 1 --json --seed 5", config);
	check_int(sim(args), 0);
	check(strcmp(said, first) != 0);
}

/* More agents: more answered in time, fewer busy. */
static void a_range_of_agents_is_a_table(void)
{
	double level, before = 0;
	char args[200], *line;
	unsigned rows = 0, agents;

	snprintf(args, sizeof(args), "%s --queue help=150 --days 10 --agents 6..14:4", config);
	check_int(sim(args), 0);
	line = strchr(said, '\n');
	while (line != NULL && sscanf(line + 1, "%u %*u %lf%%", &agents, &level) == 2) {
		check_int(agents, 6 + 4 * rows);
		check(level > before);
		before = level;
		rows++;
		line = strchr(line + 1, '\n');
	}
	check_int(rows, 3);
}

/* Calls come in the hour in which the curve has them, and to the queues that were named. */
static void a_curve_and_shares_are_kept(void)
{
	char args[300];
	json_t *a;
	const json_t *q;

	snprintf(args, sizeof(args),
		 "%s --curve 0,0,0,0,0,0,0,0,0,600,0,0,0,0,0,0,0,0,0,0,0,0,0,0 --queue help=3 "
		 "--queue sales=1 --days 4 --json",
		 config);
	check_int(sim(args), 0);
	a = json_loads(said, 0, NULL);
	check(fabs(member(json_object_get(a, "total"), "offered") / 2400 - 1) < 0.1);
	q = json_array_get(json_object_get(a, "queues"), 0);
	check_str(json_string_value(json_object_get(q, "queue")), "help");
	check(fabs(member(q, "offered") / 1800 - 1) < 0.1);
	json_decref(a);
}

static void what_cannot_be_is_told(void)
{
	static const struct {
		const char *args, *says;
	} cases[] = {
		{"--queue nobody=3", "--queue: nobody=3"},
		{"--calls many", "--calls"},
		{"--curve 1,2,3", "--curve"},
		{"--talk lognormal:180", "--talk"},
		{"--agents 9..3", "--agents"},
		{"--agents 0", "--agents"},
		{"--keys x=1", "--keys"},
		{"--days 0", "--days"},
		{"/nonexistent.yaml", "/nonexistent.yaml: No such file"},
		{"a.yaml b.yaml", "one configuration is enough"},
		{"--flow /nonexistent.yaml", "/nonexistent.yaml"},
		{"--nothing", "--nothing"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_int(sim(cases[i].args), 2);
		check(strstr(said, cases[i].says) != NULL);
	}
	check_int(sim("--help"), 0);
	check(strstr(said, "usage: sim [CONFIG]") == said);
}

/* The built-in centre, and its flow's keys. */
static void callers_may_come_through_a_flow(void)
{
	char flow[] = "/tmp/sim-flow-XXXXXX";
	int fd = mkstemp(flow);
	FILE *f = fdopen(fd, "w");
	char args[200];
	json_t *a;
	const json_t *queues;

	fputs("languages: [en]\nstart: m\nnodes:\n"
	      "  m: {menu: x, digits: {'1': s, '2': o}, otherwise: s}\n"
	      "  s: {queue: sales, otherwise: z}\n  o: {queue: operator, otherwise: z}\n"
	      "  z: {hangup: normal}\n",
	      f);
	fclose(f);
	snprintf(args, sizeof(args), "--flow %s --keys 1=20,2=80 --days 3 --json", flow);
	check_int(sim(args), 0);
	unlink(flow);
	a = json_loads(said, 0, NULL);
	queues = json_object_get(a, "queues");
	check(member(json_array_get(queues, 0), "offered") <
	      member(json_array_get(queues, 2), "offered"));
	check_int(member(json_array_get(queues, 1), "offered"), 0);
	json_decref(a);
}

static const struct check_case cases[] = {
	CHECK_CASE(one_queue_is_as_theory_says),
	CHECK_CASE(the_same_seed_is_the_same_and_another_is_another),
	CHECK_CASE(a_range_of_agents_is_a_table),
	CHECK_CASE(a_curve_and_shares_are_kept),
	CHECK_CASE(what_cannot_be_is_told),
	CHECK_CASE(callers_may_come_through_a_flow),
};

int main(int argc, char **argv)
{
	int fd = mkstemp(config), failed;
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (argc != 2 || f == NULL) {
		fprintf(stderr, "usage: test_sim_command PATH-OF-SIM\n");
		return 2;
	}
	program = argv[1];
	fputs("queues:\n"
	      "- {name: help, wrap_up_s: 0, max_wait_s: 0, announce_every_s: 0}\n"
	      "- {name: sales, wrap_up_s: 20}\n"
	      "agents:\n"
	      "- {number: '1', password: x, queues: {help: 1}}\n"
	      "- {number: '2', password: x, queues: {help: 1, sales: 2}}\n"
	      "- {number: '3', password: x, queues: {help: 1, sales: 1}}\n",
	      f);
	fclose(f);
	failed = check_run(cases, sizeof(cases) / sizeof(cases[0]));
	unlink(config);
	return failed;
}
