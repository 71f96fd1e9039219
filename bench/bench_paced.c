/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_paced.h"

#include <rte_cycles.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/must.h"

enum {
	STAMPS = 256,
	WINDOW = 20000, /* packets */
	BACKLOG_MAX = 4096,
	PAUSE_NS = 3000000, /* no turn is that long by itself: the host took the core away */
};

struct pace {
	struct bench_world *w;
	struct bench_paced *r;
	double now, next, gap; /* ns since it began */
	double busy;
	uint64_t base; /* of w->now_ns */
	uint64_t spoken;
	uint32_t *sample; /* ns */
	uint64_t samples;
};

static long switches(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_nivcsw + ru.ru_nvcsw;
}

/* Everything that has come by now. */
static void arrive(struct pace *p, uint64_t packets)
{
	struct bench_net *n = &p->w->net;

	while (p->next <= p->now && p->spoken < packets && rte_ring_count(n->in) < BACKLOG_MAX) {
		bench_net_say(n, n->order[p->spoken % n->legs], (uint64_t)p->next);
		p->spoken++;
		p->next += p->gap;
	}
}

static void depart(struct pace *p, bool disturbed)
{
	uint64_t stamp[STAMPS];
	unsigned n;

	while ((n = bench_net_hear_stamps(&p->w->net, stamp, STAMPS)) > 0)
		for (unsigned i = 0; i < n; i++)
			if (!disturbed)
				p->sample[p->samples++] = (uint32_t)(p->now - (double)stamp[i]);
}

/* What waited while the core was away is not the worker's doing: it is passed on unmeasured. */
static void forget(struct pace *p)
{
	while (!rte_ring_empty(p->w->net.in))
		worker_turn(p->w->worker, p->w->now_ns);
	depart(p, true);
	if (p->next < p->now)
		p->next = p->now;
}

static void turn(struct pace *p)
{
	long before = switches();
	uint64_t begin = rte_rdtsc_precise(), spent;
	bool disturbed;

	p->w->now_ns = p->base + (uint64_t)p->now;
	worker_turn(p->w->worker, p->w->now_ns);
	spent = rte_rdtsc_precise() - begin;
	double ns = (double)spent * 1e9 / (double)rte_get_tsc_hz();

	disturbed = switches() != before || ns > PAUSE_NS;
	p->r->turns++;
	p->r->disturbed += disturbed;
	if (!disturbed) {
		p->now += ns;
		p->busy += ns;
	}
	depart(p, disturbed);
	if (disturbed)
		forget(p);
	bench_world_events(p->w);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double at(const uint32_t *sample, uint64_t n, double quantile)
{
	return n > 0 ? sample[(uint64_t)(quantile * (double)(n - 1))] / 1e3 : 0;
}

/* The middle one of the windows' 99th percentiles; their order is lost. */
static double window_p99(struct pace *p)
{
	uint32_t *p99 = malloc((p->samples / WINDOW + 1) * sizeof(*p99)), n = 0;
	double middle;

	must(p99 != NULL);
	for (uint64_t i = 0; i + WINDOW <= p->samples; i += WINDOW) {
		qsort(p->sample + i, WINDOW, sizeof(*p->sample), by_size);
		p99[n++] = p->sample[i + WINDOW - WINDOW / 100];
	}
	qsort(p99, n, sizeof(*p99), by_size);
	middle = n > 0 ? p99[n / 2] / 1e3 : 0;
	free(p99);
	return middle;
}

void bench_paced(struct bench_paced *r, struct bench_world *w, double gap_ns, uint64_t packets)
{
	struct pace p = {.w = w, .r = r, .gap = gap_ns, .base = w->now_ns};

	*r = (struct bench_paced){.packets = packets};
	p.sample = malloc(packets * sizeof(*p.sample));
	must(p.sample != NULL);
	w->net.heard = 0;
	while (p.spoken < packets) {
		if (p.next > p.now && rte_ring_empty(w->net.in))
			p.now = p.next;
		arrive(&p, packets);
		turn(&p);
	}
	while (!rte_ring_empty(w->net.in))
		turn(&p);
	r->lost = packets > w->net.heard ? packets - w->net.heard : 0;
	r->busy_share = p.busy / p.now;
	r->p99_us = window_p99(&p);
	qsort(p.sample, p.samples, sizeof(*p.sample), by_size);
	r->p50_us = at(p.sample, p.samples, 0.5);
	r->p99_all_us = at(p.sample, p.samples, 0.99);
	r->p999_us = at(p.sample, p.samples, 0.999);
	r->max_us = at(p.sample, p.samples, 1);
	free(p.sample);
}

void bench_paced_json(const struct bench_paced *r, json_t *o)
{
	json_object_set_new(o, "delay_us",
			    json_pack("{s:f, s:f, s:f, s:f, s:f}", "p50", r->p50_us, "p99",
				      r->p99_us, "p99_all", r->p99_all_us, "p999", r->p999_us,
				      "max", r->max_us));
	json_object_set_new(o, "busy_share", json_real(r->busy_share));
	json_object_set_new(o, "turns_disturbed", json_integer((json_int_t)r->disturbed));
	json_object_set_new(o, "turns", json_integer((json_int_t)r->turns));
}
