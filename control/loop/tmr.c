/* SPDX-License-Identifier: Apache-2.0
 *
 * libre's timers as a heap. libre keeps them in one sorted list and looks for a timer's place from its end: each
 * short timer steps over all long ones, of registrations, sessions and transactions that linger for 32 s.
 * At 50 calls a second that was half of the daemon's work, and it grows with every phone that registers.
 *
 * The functions here have the names of libre's and take their place in the program, for libre's own calls as
 * well, which go by the linker's table. What is kept of a timer stands in its list element: `prev` is its place
 * in the heap, `next` a number that grows, so that timers of one moment run in the order in which they
 * were started, as they did.
 *
 * Thread: each has its own, as in libre.
 */
#include <stdlib.h>
#include <string.h>

#include <re.h>

#include "base/must.h"

struct heap {
	struct tmr **tmr;
	size_t n, room;
	uintptr_t serial;
};

static _Thread_local struct heap timers;

static void put(struct heap *h, size_t i, struct tmr *t)
{
	h->tmr[i] = t;
	t->le.prev = (struct le *)i;
}

static bool before(const struct tmr *a, const struct tmr *b)
{
	if (a->jfs != b->jfs)
		return a->jfs < b->jfs;
	return (uintptr_t)a->le.next < (uintptr_t)b->le.next;
}

static void rise(struct heap *h, size_t i, struct tmr *t)
{
	for (; i > 0 && before(t, h->tmr[(i - 1) / 2]); i = (i - 1) / 2)
		put(h, i, h->tmr[(i - 1) / 2]);
	put(h, i, t);
}

static void sink(struct heap *h, size_t i, struct tmr *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < h->n && before(h->tmr[child + 1], h->tmr[child]))
			child++;
		if (child >= h->n || !before(h->tmr[child], t))
			break;
		put(h, i, h->tmr[child]);
		i = child;
	}
	put(h, i, t);
}

static void take_out(struct heap *h, const struct tmr *t)
{
	size_t i = (size_t)t->le.prev;
	struct tmr *last;

	must(i < h->n && h->tmr[i] == t);
	last = h->tmr[--h->n];
	if (last == t)
		return;
	if (i > 0 && before(last, h->tmr[(i - 1) / 2]))
		rise(h, i, last);
	else
		sink(h, i, last);
}

void tmr_start(struct tmr *tmr, uint64_t delay, tmr_h *th, void *arg)
{
	struct heap *h = &timers;

	if (tmr == NULL)
		return;
	if (tmr->th != NULL)
		take_out(h, tmr);
	tmr->th = th;
	tmr->arg = arg;
	if (th == NULL)
		return;
	if (h->n == h->room) {
		h->room = h->room ? 2 * h->room : 1024;
		h->tmr = realloc(h->tmr, h->room * sizeof(struct tmr *));
		must(h->tmr != NULL);
	}
	tmr->jfs = tmr_jiffies() + delay;
	tmr->le.next = (struct le *)++h->serial;
	rise(h, h->n++, tmr);
}

void tmr_cancel(struct tmr *tmr)
{
	tmr_start(tmr, 0, NULL, NULL);
}

void tmr_poll(struct list *tmrl)
{
	struct heap *h = &timers;
	const uint64_t now_ms = tmr_jiffies();

	(void)tmrl; /* libre's list, in which nothing is */
	while (h->n > 0 && h->tmr[0]->jfs <= now_ms) {
		struct tmr *t = h->tmr[0];
		tmr_h *th = t->th;

		take_out(h, t);
		t->th = NULL;
		th(t->arg);
	}
	if (h->n == 0) { /* nothing is left behind by a loop that has ended */
		free(h->tmr);
		*h = (struct heap){.serial = h->serial};
	}
}

uint64_t tmr_next_timeout(struct list *tmrl)
{
	const struct heap *h = &timers;
	const uint64_t now_ms = tmr_jiffies();

	(void)tmrl;
	if (h->n == 0)
		return 0;
	return h->tmr[0]->jfs <= now_ms ? 1 : h->tmr[0]->jfs - now_ms;
}
