/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>

#include "base/spsc.h"
#include "tests/check.h"

static uint64_t memory[8];
static struct spsc q;

static void holds_n_and_not_one_more(void)
{
	uint64_t v = 0, got = 0;

	spsc_init(&q, memory, 8, sizeof(v));
	check(!spsc_ready(&q));
	check(!spsc_get(&q, &got));
	for (v = 0; v < 8; v++)
		check(spsc_put(&q, &v));
	check(!spsc_put(&q, &v));
	check_int(spsc_room(&q), 0);
	check(spsc_get(&q, &got));
	check_int(got, 0);
	check_int(spsc_room(&q), 1);
	check(spsc_put(&q, &v));
	for (uint64_t want = 1; want <= 8; want++) {
		check(spsc_get(&q, &got));
		check_int(got, want);
	}
	check(!spsc_get(&q, &got));
}

static void keeps_order_over_the_wrap_of_its_counters(void)
{
	uint64_t v, got;

	spsc_init(&q, memory, 8, sizeof(v));
	atomic_store(&q.head, UINT32_MAX - 3);
	atomic_store(&q.tail, UINT32_MAX - 3);
	q.head_seen = q.tail_seen = UINT32_MAX - 3;
	for (v = 0; v < 100; v++) {
		check(spsc_put(&q, &v));
		check(spsc_get(&q, &got));
		check_int(got, v);
	}
}

enum { MANY = 200000 };

static void *produce(void *arg)
{
	(void)arg;
	for (uint64_t v = 1; v <= MANY; v++)
		while (!spsc_put(&q, &v))
			sched_yield();
	return NULL;
}

static void two_threads_lose_nothing(void)
{
	pthread_t thread;
	uint64_t got = 0, want = 1;

	spsc_init(&q, memory, 8, sizeof(got));
	check_int(pthread_create(&thread, NULL, produce, NULL), 0);
	while (want <= MANY) {
		if (!spsc_get(&q, &got)) {
			sched_yield();
			continue;
		}
		if (got != want)
			break;
		want++;
	}
	/* On failure the producer would wait for room for ever: drain before joining. */
	while (got != MANY)
		if (!spsc_get(&q, &got))
			sched_yield();
	pthread_join(thread, NULL);
	check_int(want, MANY + 1);
}

static const struct check_case cases[] = {
	CHECK_CASE(holds_n_and_not_one_more),
	CHECK_CASE(keeps_order_over_the_wrap_of_its_counters),
	CHECK_CASE(two_threads_lose_nothing),
};
CHECK_MAIN(cases)
