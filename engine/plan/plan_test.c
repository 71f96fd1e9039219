/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include <errno.h>

#include "check.h"

static size_t bytes(uint32_t legs, uint32_t calls)
{
	return 1000 + legs * 100u + calls * 10u;
}

static struct plan_config config(void)
{
	return (struct plan_config){
		.workers = 2,
		.rtp_first = 20000,
		.rtp_last = 20999,
		.queues = 2,
		.queue_packets = 1000,
		.handoff_packets = 100,
		.packet_bytes = 2432,
		.extents = 64,
		.extent_bytes = 16384,
		.prompt_bytes = 1 << 20,
		.worker_bytes = bytes,
	};
}

static void words_become_counts_and_bytes(void)
{
	struct plan_config c = config();
	struct plan p;
	char why[200];

	check_int(plan_make(&p, &c, why, sizeof(why)), 0);
	check_int(p.legs, 500);
	check_int(p.leg_stride, 250);
	check_int(p.calls, 125);
	check_int(p.packets, 2 * 1000 + 2 * 100 + 500 * PLAN_PACKETS_PER_LEG);
	check_int(p.workers_bytes, 2 * (1000 + 25000 + 1250));
	check(p.heap_bytes > p.workers_bytes + p.packets_bytes);
	check(p.total_bytes == p.heap_bytes + 64 * 16384 + (1 << 20));
	c.calls = 301;
	check_int(plan_make(&p, &c, why, sizeof(why)), 0);
	check_int(p.calls, 151);
}

static void ports_are_used_in_whole_pairs(void)
{
	static const struct {
		uint16_t first, last, want_first, want_last;
		uint32_t legs;
	} rows[] = {
		{20000, 20999, 20000, 20999, 500}, {20001, 20999, 20002, 20999, 498},
		{20000, 20998, 20000, 20997, 498}, {65000, 65535, 65000, 65535, 268},
		{20000, 20009, 20000, 20009, 4}, /* five pairs, two workers */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan_config c = config();
		struct plan p;
		char why[200];

		c.rtp_first = rows[i].first;
		c.rtp_last = rows[i].last;
		check_int(plan_make(&p, &c, why, sizeof(why)), 0);
		check_int(p.rtp_first, rows[i].want_first);
		check_int(p.rtp_last, rows[i].want_last);
		check_int(p.legs, rows[i].legs);
	}
}

static void contradictions_are_named(void)
{
	struct plan_config c = config();
	struct plan p;
	char why[200] = "";

	c.rtp_last = c.rtp_first;
	check_int(plan_make(&p, &c, why, sizeof(why)), -EINVAL);
	check(strstr(why, "too few") != NULL);
	c = config();
	c.rtp_first = 30000;
	check_int(plan_make(&p, &c, why, sizeof(why)), -EINVAL);
	c = config();
	c.workers = 0;
	check_int(plan_make(&p, &c, why, sizeof(why)), -EINVAL);
	check(strstr(why, "workers") != NULL);
	c.workers = 65;
	check_int(plan_make(&p, &c, why, sizeof(why)), -EINVAL);
	c = config();
	c.rtp_first = 65535;
	c.rtp_last = 65535;
	check_int(plan_make(&p, &c, why, sizeof(why)), -EINVAL);
}

static void count(void *arg, const char *line)
{
	check(strlen(line) < 120);
	(*(int *)arg)++;
}

static void the_table_is_short(void)
{
	struct plan_config c = config();
	struct plan p;
	char why[200];
	int lines = 0;

	check_int(plan_make(&p, &c, why, sizeof(why)), 0);
	plan_print(&p, count, &lines);
	check_int(lines, 7);
}

static const struct check_case cases[] = {
	CHECK_CASE(words_become_counts_and_bytes),
	CHECK_CASE(ports_are_used_in_whole_pairs),
	CHECK_CASE(contradictions_are_named),
	CHECK_CASE(the_table_is_short),
};
CHECK_MAIN(cases)
