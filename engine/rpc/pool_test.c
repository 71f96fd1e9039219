/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/pool.h"

#include "tests/check.h"

static void the_one_longest_at_rest_comes_first(void)
{
	struct pool p;
	uint32_t i, g;

	pool_init(&p, 10, 3);
	check(pool_take(&p, 0, &i, &g) && i == 10 && g == 1);
	check(pool_take(&p, 0, &i, &g) && i == 11 && g == 1);
	pool_give(&p, 10, 100);
	pool_give(&p, 11, 200);
	check(pool_take(&p, 0, &i, &g) && i == 12 && g == 1);
	check(!pool_take(&p, 99, &i, &g));
	check_int(pool_resting(&p, 99), 2);
	check_int(pool_resting(&p, 100), 1);
	check(pool_take(&p, 100, &i, &g) && i == 10 && g == 2);
	check(!pool_take(&p, 100, &i, &g));
	check(pool_take(&p, 200, &i, &g) && i == 11 && g == 2);
	check_int(pool_used(&p), 3);
	pool_fini(&p);
}

static void a_generation_is_never_zero(void)
{
	struct pool p;
	uint32_t i, g;

	pool_init(&p, 0, 1);
	p.entry[0].generation = UINT32_MAX;
	check(pool_take(&p, 0, &i, &g) && g == 1);
	pool_fini(&p);
}

static const struct check_case cases[] = {
	CHECK_CASE(the_one_longest_at_rest_comes_first),
	CHECK_CASE(a_generation_is_never_zero),
};
CHECK_MAIN(cases)
