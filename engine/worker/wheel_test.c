/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check.h"
#include "worker/wheel.h"

static struct wheel_link links[300];
static struct wheel wh;

static void begin(uint32_t slots)
{
	memset(links, 0, sizeof(links));
	wheel_init(&wh, slots, links);
}

static void an_empty_wheel_has_nothing_ahead(void)
{
	begin(20);
	check_int(wheel_ahead(&wh, 0), UINT32_MAX);
	check_int(wheel_ahead(&wh, 12345), UINT32_MAX);
}

static void finds_the_next_slot_round_the_end(void)
{
	begin(250);
	wheel_add(&wh, 7, 3);
	check_int(wheel_ahead(&wh, 0), 3);
	check_int(wheel_ahead(&wh, 3), 0);
	check_int(wheel_ahead(&wh, 4), 249);
	check_int(wheel_ahead(&wh, 249), 4);
	wheel_add(&wh, 8, 249);
	check_int(wheel_ahead(&wh, 4), 245);
	check_int(wheel_ahead(&wh, 250 + 4), 245);
	wheel_remove(&wh, 8);
	check_int(wheel_ahead(&wh, 4), 249);
}

static void every_distance_is_right(void)
{
	begin(250);
	for (uint32_t slot = 0; slot < 250; slot++) {
		wheel_add(&wh, 1, slot);
		for (uint32_t at = 0; at < 250; at++)
			check_int(wheel_ahead(&wh, at), (slot + 250 - at) % 250);
		wheel_remove(&wh, 1);
	}
}

static void removes_from_front_middle_and_end(void)
{
	static const uint32_t order[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};

	for (unsigned k = 0; k < 4; k++) {
		begin(20);
		for (uint32_t i = 0; i < 3; i++)
			wheel_add(&wh, i, 5);
		for (unsigned i = 0; i < 3; i++) {
			unsigned n = 0;

			wheel_remove(&wh, order[k][i]);
			for (uint32_t at = wh.head[5]; at != WHEEL_NONE; at = wh.link[at].next)
				n++;
			check_int(n, 2 - i);
		}
		check_int(wheel_ahead(&wh, 0), UINT32_MAX);
		wheel_remove(&wh, 0); /* not inside: nothing happens */
		check_int(wh.items, 0);
	}
}

static void newcomers_spread_evenly(void)
{
	begin(20);
	for (uint32_t i = 0; i < 200; i++)
		wheel_add(&wh, i, wheel_quiet(&wh, i));
	for (uint32_t s = 0; s < 20; s++)
		check_int(wh.held[s], 10);
}

static const struct check_case cases[] = {
	CHECK_CASE(an_empty_wheel_has_nothing_ahead), CHECK_CASE(finds_the_next_slot_round_the_end),
	CHECK_CASE(every_distance_is_right),          CHECK_CASE(removes_from_front_middle_and_end),
	CHECK_CASE(newcomers_spread_evenly),
};
CHECK_MAIN(cases)
