/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers: in the order of their times, equal ones as they were started; started, stopped and started again
 * from their own handlers; libre's own by the same heap.
 */
#include <stdlib.h>

#include <re.h>

#include "check.h"

enum { MANY = 5000 };

struct world {
	struct tmr tmr[MANY];
	unsigned serial[MANY];
	uint64_t due_ms[MANY];
	unsigned ran, wrong;
	uint64_t last_due_ms;
	unsigned last_serial;
};

static struct world *w;

static void ran(void *arg)
{
	unsigned i = (unsigned)((struct tmr *)arg - w->tmr);

	w->ran++;
	if (tmr_jiffies() < w->due_ms[i] || w->due_ms[i] < w->last_due_ms ||
	    (w->due_ms[i] == w->last_due_ms && w->serial[i] < w->last_serial))
		w->wrong++;
	w->last_due_ms = w->due_ms[i];
	w->last_serial = w->serial[i];
}

static void stop(void *arg)
{
	(void)arg;
	re_cancel();
}

static void run_for(uint64_t ms)
{
	struct tmr end;

	tmr_init(&end);
	tmr_start(&end, ms, stop, NULL);
	(void)re_main(NULL);
	tmr_cancel(&end);
}

static void start(unsigned i, unsigned serial, uint64_t delay_ms)
{
	w->serial[i] = serial;
	tmr_start(&w->tmr[i], delay_ms, ran, &w->tmr[i]);
	w->due_ms[i] = w->tmr[i].jfs;
}

static void in_order_whatever_was_stopped(void)
{
	unsigned serial = 0, left = 0;

	w = calloc(1, sizeof(*w));
	(void)libre_init();
	srand(7);
	for (unsigned i = 0; i < MANY; i++)
		tmr_init(&w->tmr[i]);
	for (unsigned round = 0; round < 4 * MANY; round++) {
		unsigned i = (unsigned)rand() % MANY;

		if (rand() % 3 == 0)
			tmr_cancel(&w->tmr[i]);
		else
			start(i, ++serial, (uint64_t)(rand() % 60));
	}
	for (unsigned i = 0; i < MANY; i++)
		left += tmr_isrunning(&w->tmr[i]) ? 1 : 0;
	run_for(100);
	check_int(w->ran, left);
	check_int(w->wrong, 0);
	for (unsigned i = 0; i < MANY; i++)
		check(!tmr_isrunning(&w->tmr[i]));
	check_int(tmr_next_timeout(NULL), 0);
	libre_close();
	free(w);
}

static struct tmr again, other;
static unsigned times;

static void once_more(void *arg)
{
	(void)arg;
	times++;
	tmr_cancel(&other);
	if (times < 5)
		tmr_start(&again, 2, once_more, NULL);
}

static void never(void *arg)
{
	(void)arg;
	times += 100;
}

static void from_their_own_handlers(void)
{
	(void)libre_init();
	tmr_init(&again);
	tmr_init(&other);
	tmr_start(&again, 0, once_more, NULL);
	tmr_start(&other, 5, never, NULL);
	check(tmr_next_timeout(NULL) == 1);
	check(tmr_get_expire(&other) > 0);
	run_for(40);
	check_int(times, 5);
	check(!tmr_isrunning(&other));
	libre_close();
}

static const struct check_case cases[] = {
	CHECK_CASE(in_order_whatever_was_stopped),
	CHECK_CASE(from_their_own_handlers),
};
CHECK_MAIN(cases)
