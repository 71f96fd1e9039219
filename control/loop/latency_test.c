/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/latency.h"

#include "check.h"

static void quantiles_are_right_to_an_eighth(void)
{
	static const uint64_t times[] = {1, 7, 8, 9, 15, 16, 100, 999, 1000, 4096, 5000, 123456};

	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct latency l = {0};

		latency_add(&l, times[i]);
		latency_add(&l, 1u << 30);
		check(latency_quantile_us(&l, 0.5) > times[i]);
		check(latency_quantile_us(&l, 0.5) <= times[i] + times[i] / 8 + 1);
		check_int(l.max_us, 1 << 30);
	}
}

static void of_many(void)
{
	struct latency l = {0};

	check_int(latency_quantile_us(&l, 0.99), 0);
	for (uint64_t us = 1; us <= 1000; us++)
		latency_add(&l, us);
	check_int(l.count, 1000);
	check(latency_quantile_us(&l, 0.5) >= 500 && latency_quantile_us(&l, 0.5) <= 576);
	check(latency_quantile_us(&l, 0.99) >= 990 && latency_quantile_us(&l, 0.99) <= 1000);
	check_int(latency_quantile_us(&l, 1.0), 1000);
	latency_add(&l, UINT64_MAX);
	check_int(latency_quantile_us(&l, 1.0) > 1000, 1);
}

static const struct check_case cases[] = {
	CHECK_CASE(quantiles_are_right_to_an_eighth),
	CHECK_CASE(of_many),
};
CHECK_MAIN(cases)
