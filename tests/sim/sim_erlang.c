/* SPDX-License-Identifier: Apache-2.0
 * The birth-and-death process of a queue, summed up state by state.
 *
 * Whoever finds k waiting before him is served after k + 1 steps, the last k + 1 rates of
 * agents / handle + i / patience; his own patience runs against each. So he is served with probability
 * (agents / handle) / (agents / handle + (k + 1) / patience), and his waiting is, served or not, a sum of
 * exponential times with those rates, own patience added.
 */
#include "sim_erlang.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/must.h"

enum { QUEUE_MAX = 20000 };

struct sim_erlang sim_erlang_c(double per_s, double handle_s, unsigned agents, double within_s)
{
	double load = per_s * handle_s, blocked = 1, free_per_s = agents / handle_s - per_s, c;

	if (free_per_s <= 0)
		return (struct sim_erlang){
			.waits = 1, .wait_s = HUGE_VAL, .wait_served_s = HUGE_VAL, .occupancy = 1};
	for (unsigned n = 1; n <= agents; n++) /* Erlang's B by its recursion */
		blocked = load * blocked / (n + load * blocked);
	c = blocked / (1 - load / agents * (1 - blocked));
	return (struct sim_erlang){.waits = c,
				   .wait_s = c / free_per_s,
				   .wait_served_s = c / free_per_s,
				   .in_time = 1 - c * exp(-free_per_s * within_s),
				   .occupancy = load / agents};
}

/* within[k]: the share of those with k before them whose k + 1 steps take no longer than `t`; Runge-Kutta
 * over within'[k] = rate[k] (within[k - 1] - within[k]). */
static void steps_within(double *within, const double *rate, unsigned n, double t)
{
	double *f[4], *at = calloc(5 * (size_t)n, sizeof(double)), *mid = at + 4 * (size_t)n;
	unsigned steps = (unsigned)(t * rate[n - 1] * 4) + 20;
	double h = t / steps;

	must(at != NULL);
	for (unsigned i = 0; i < 4; i++)
		f[i] = at + i * (size_t)n;
	for (unsigned k = 0; k < n; k++)
		within[k] = 0;
	for (unsigned s = 0; s < steps; s++) {
		for (unsigned i = 0; i < 4; i++) {
			double part = i == 0 ? 0 : i == 3 ? h : h / 2;

			for (unsigned k = 0; k < n; k++)
				mid[k] = within[k] + (i > 0 ? part * f[i - 1][k] : 0);
			for (unsigned k = 0; k < n; k++)
				f[i][k] = rate[k] * ((k > 0 ? mid[k - 1] : 1) - mid[k]);
		}
		for (unsigned k = 0; k < n; k++)
			within[k] += h / 6 * (f[0][k] + 2 * f[1][k] + 2 * f[2][k] + f[3][k]);
	}
	free(at);
}

struct sim_erlang sim_erlang_a(double per_s, double handle_s, unsigned agents, double patience_s,
			       double within_s)
{
	double served_per_s = agents / handle_s, p = 1, sum = 1, full = 1, *share, *rate, *within;
	struct sim_erlang r = {0};
	double waiting = 0, served = 0, waited_s = 0, busy = 0, step_s = 0;
	unsigned n = 0;

	share = calloc(3 * (size_t)QUEUE_MAX, sizeof(double));
	must(share != NULL);
	rate = share + QUEUE_MAX;
	within = share + 2 * QUEUE_MAX;
	/* Relative to the state with all agents busy and nobody waiting. */
	for (unsigned k = agents; k > 0; k--) {
		p *= k / (per_s * handle_s);
		sum += p;
		busy += p * (k - 1);
	}
	for (; n < QUEUE_MAX && (n < 10 || full > 1e-12 * sum); n++) {
		share[n] = full;
		rate[n] = served_per_s + (n + 1) / patience_s;
		if (n > 0)
			sum += full;
		full *= per_s / rate[n];
	}
	steps_within(within, rate, n, within_s);
	for (unsigned k = 0; k < n; k++) {
		double is_served = share[k] / sum * served_per_s / rate[k];

		r.waits += share[k] / sum;
		waiting += share[k] / sum * k;
		step_s += 1 / rate[k];
		served += is_served;
		waited_s += is_served * step_s;
		r.in_time += is_served * within[k];
	}
	served += 1 - r.waits;
	r.in_time += 1 - r.waits;
	r.wait_s = waiting / per_s;
	r.abandons = waiting / patience_s / per_s;
	r.wait_served_s = waited_s / served;
	r.occupancy = busy / sum / agents + r.waits;
	free(share);
	return r;
}
