/* SPDX-License-Identifier: Apache-2.0
 * The chances themselves: laws have their means and shapes, arrivals their curve, rosters their shifts. */
#include "sim_load.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"

enum { DRAWS = 400000, HOUR = 3600000 };

static void laws_have_their_mean_and_shape(void)
{
	static const struct {
		const char *text;
		double mean_s, cv;
	} laws[] = {
		{"fixed:30", 30, 0},
		{"180", 180, 1},
		{"exponential:0.5", 0.5, 1},
		{"uniform:10", 10, 0.57735},
		{"lognormal:200:0.8", 200, 0.8},
		{"weibull:120:2", 120, 0.5227},
		{"weibull:60:0.7", 60, 1.4624},
	};

	for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
		struct sim_random r = sim_random_of(5, i, 0);
		struct sim_law law;
		double sum = 0, squares = 0, mean, cv;

		check(sim_law_read(laws[i].text, &law));
		for (int k = 0; k < DRAWS; k++) {
			double s = (double)sim_law_ms(&law, &r) / 1000;

			sum += s;
			squares += s * s;
		}
		mean = sum / DRAWS;
		cv = sqrt(squares / DRAWS - mean * mean + 1e-12) / mean;
		check(fabs(mean / laws[i].mean_s - 1) < 0.02);
		check(fabs(cv - laws[i].cv) < 0.03 * (laws[i].cv + 0.1));
	}
}

static void what_is_no_law_is_refused(void)
{
	static const char *const texts[] = {
		"",         "x",           "fixed",         "fixed:",      "fixed:-1",
		"fixed:1x", "lognormal:3", "lognormal:3:0", "weibull:3:x", "gauss:3",
		"1e9",      "fixed:nan",   "fixed:1:2"};
	struct sim_law law = {SIM_FIXED, 7, 0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check(!sim_law_read(texts[i], &law));
		check(law.kind == SIM_FIXED && law.mean_s == 7);
	}
	check(sim_law_read("never", &law) && law.kind == SIM_NEVER);
	check(sim_law_ms(&law, &(struct sim_random){1}) == UINT64_MAX);
}

/* What is drawn for one thing does not depend on what was drawn for others, nor on the order. */
static void everybody_has_his_own_chance(void)
{
	struct sim_random a = sim_random_of(1, 'c', 5), b = sim_random_of(1, 'c', 6),
			  again = sim_random_of(1, 'c', 5), other = sim_random_of(2, 'c', 5);
	uint64_t first = sim_random_bits(&a);

	check(first == sim_random_bits(&again));
	check(first != sim_random_bits(&b) && first != sim_random_bits(&other));
}

static void callers_come_by_the_curve(void)
{
	static const double per_hour[] = {1000, 0, 4000, 500}, share[] = {0.75, 0.25};
	struct sim_load load = {.seed = 8,
				.from_ms = HOUR,
				.to_ms = 7 * (uint64_t)HOUR,
				.calls_per_hour = per_hour,
				.n_intervals = 4,
				.interval_ms = HOUR,
				.share = share,
				.n_queues = 2,
				.urgent = 0.1};
	struct sim_source source = sim_load_source(&load);
	unsigned in_hour[6] = {0}, first = 0, urgent = 0, n = 0;
	struct sim_event e;
	uint64_t before_ms = 0;

	while (source.next(source.arg, &e)) {
		check(e.kind == SIM_CALL && e.at_ms >= before_ms && e.at_ms < 7 * (uint64_t)HOUR);
		before_ms = e.at_ms;
		in_hour[e.at_ms / HOUR - 1]++;
		first += e.queue == 0;
		urgent += e.value;
		n++;
	}
	/* Three standard deviations of a Poisson count; the last rate goes on. */
	check(fabs(in_hour[0] - 1000.0) < 95);
	check_int(in_hour[1], 0);
	check(fabs(in_hour[2] - 4000.0) < 190);
	for (int h = 3; h < 6; h++)
		check(fabs(in_hour[h] - 500.0) < 68);
	check(fabs(first / (double)n - 0.75) < 0.02 && fabs(urgent / (double)n - 0.1) < 0.015);
}

/* 200 more every hour, within ten seconds or so. */
static void bursts_come_together(void)
{
	static const double per_hour = 600, share = 1;
	struct sim_load load = {.seed = 3,
				.from_ms = 1000,
				.to_ms = 5 * (uint64_t)HOUR,
				.calls_per_hour = &per_hour,
				.n_intervals = 1,
				.interval_ms = HOUR,
				.share = &share,
				.n_queues = 1,
				.burst_every_s = 3600,
				.burst_calls = 200};
	struct sim_source source = sim_load_source(&load);
	static uint64_t at[8000];
	unsigned n = 0, bursts = 0, last = 0;
	struct sim_event e;

	while (source.next(source.arg, &e) && n < 8000)
		at[n++] = e.at_ms;
	for (unsigned i = 0; i + 150 < n; i++)
		if (at[i + 150] - at[i] < 15000 && (bursts == 0 || at[i] - at[last] > 60000)) {
			bursts++;
			last = i;
		}
	check(bursts >= 3 && bursts <= 4);
	check(fabs(n - (5 * 600.0 + bursts * 200)) < 200);
}

static void shifts_follow_each_other(void)
{
	static struct sim_event e[3000];
	size_t n = sim_roster(e, 3000, 90, 1000, 2 * 86400000u, 8 * (uint64_t)HOUR, HOUR);
	unsigned present = 0, most = 0, least = 90;

	check_int(n, 90 * 2 * 3);
	for (size_t i = 0; i < n; i++) {
		check(i == 0 || e[i].at_ms >= e[i - 1].at_ms);
		present += e[i].kind == SIM_SIGN_IN;
		present -= e[i].kind == SIM_SIGN_OUT;
		most = present > most ? present : most;
		if (e[i].at_ms > 9 * (uint64_t)HOUR && e[i].at_ms < 20 * (uint64_t)HOUR)
			least = present < least ? present : least;
	}
	/* A third of them at any time. */
	check(most <= 36 && least >= 26 && present == 0);
}

static void trouble_is_of_every_kind_and_the_same_again(void)
{
	static struct sim_event a[5000], b[5000];
	unsigned of[SIM_EVENTS] = {0};

	sim_trouble(a, 5000, 3, 4, 10, 1000, HOUR, true);
	sim_trouble(b, 5000, 3, 4, 10, 1000, HOUR, true);
	for (unsigned i = 0; i < 5000; i++) {
		check(a[i].at_ms == b[i].at_ms && a[i].kind == b[i].kind && a[i].salt == b[i].salt);
		check(a[i].queue < 4 && a[i].agent < 10 &&
		      (i == 0 || a[i].at_ms >= a[i - 1].at_ms));
		of[a[i].kind]++;
	}
	for (unsigned k = 0; k < SIM_EVENTS; k++)
		check(of[k] > 0);
}

static const struct check_case cases[] = {
	CHECK_CASE(laws_have_their_mean_and_shape),
	CHECK_CASE(what_is_no_law_is_refused),
	CHECK_CASE(everybody_has_his_own_chance),
	CHECK_CASE(callers_come_by_the_curve),
	CHECK_CASE(bursts_come_together),
	CHECK_CASE(shifts_follow_each_other),
	CHECK_CASE(trouble_is_of_every_kind_and_the_same_again),
};
CHECK_MAIN(cases)
