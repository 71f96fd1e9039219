/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines as formulas of a seeded dice. `queue` lines keep order: a packet does not overtake the one
 * before it.
 */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "bench_jbuf.h"

enum { PACKET_US = JBUF_TRACE_MS * 1000, BASE_US = 20000 };

static uint64_t state;

static double dice(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (double)((state * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(dice() + 1e-12)) * cos(6.283185307179586 * dice());
}

static void quiet(struct jbuf_trace *t, double jitter_us)
{
	for (uint32_t i = 0; i < t->n; i++)
		t->transit_us[i] = (int64_t)(BASE_US + jitter_us * dice());
}

/* No packet arrives before the one sent before it. */
static void queue(struct jbuf_trace *t)
{
	for (uint32_t i = 1; i < t->n; i++)
		if (t->transit_us[i] < t->transit_us[i - 1] - PACKET_US)
			t->transit_us[i] = t->transit_us[i - 1] - PACKET_US;
}

static void uniform60(struct jbuf_trace *t)
{
	quiet(t, 60000);
}

static void normal12(struct jbuf_trace *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		t->transit_us[i] = (int64_t)(BASE_US + fabs(normal()) * 12000);
	queue(t);
}

static void lan(struct jbuf_trace *t)
{
	quiet(t, 2000);
}

/* Gilbert and Elliott: a good state that loses 0.2 %, a bad one that loses half. */
static void bursts(struct jbuf_trace *t)
{
	bool bad = false;

	quiet(t, 8000);
	for (uint32_t i = 0; i < t->n; i++) {
		bad = dice() < (bad ? 0.15 : 0.01) ? !bad : bad;
		if (dice() < (bad ? 0.5 : 0.002))
			t->transit_us[i] = -1;
	}
}

/* Each ten seconds or so everything stands still for 200 ms. */
static void spikes(struct jbuf_trace *t)
{
	quiet(t, 6000);
	for (uint32_t i = 100; i + 20 < t->n; i += 300 + (uint32_t)(dice() * 400))
		t->transit_us[i] += 200000;
	queue(t);
}

static void reorder(struct jbuf_trace *t)
{
	quiet(t, 5000);
	for (uint32_t i = 0; i < t->n; i++)
		if (dice() < 0.05)
			t->transit_us[i] += (int64_t)(1 + dice() * 2.5) * PACKET_US;
}

/* A radio shared with others: packets wait for seconds of contention in batches, some are lost. */
static void wifi(struct jbuf_trace *t)
{
	uint32_t i = 0;

	quiet(t, 4000);
	while (i < t->n) {
		uint32_t calm = 50 + (uint32_t)(dice() * 250), busy = 10 + (uint32_t)(dice() * 60);

		for (i += calm; busy > 0 && i < t->n; busy--, i++) {
			t->transit_us[i] += (int64_t)(dice() * dice() * 110000);
			if (dice() < 0.03)
				t->transit_us[i] = -1;
		}
	}
	for (i = 1; i < t->n; i++)
		if (t->transit_us[i] >= 0 && t->transit_us[i] < t->transit_us[i - 1] - PACKET_US)
			t->transit_us[i] = t->transit_us[i - 1] - PACKET_US;
}

/* A cell: retransmissions of 8 ms each, and a load that comes and goes within seconds. */
static void cell(struct jbuf_trace *t)
{
	double load = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		double again = 0;

		load += (0.3 - load) * 0.004 + normal() * 0.02;
		load = load < 0 ? 0 : load > 0.9 ? 0.9 : load;
		while (dice() < load && again < 10)
			again++;
		t->transit_us[i] = (int64_t)(BASE_US + again * 8000 + dice() * 4000);
	}
	queue(t);
}

/* A full buffer in front of a slow line fills within a quarter of a minute and empties at once. */
static void congestion(struct jbuf_trace *t)
{
	quiet(t, 5000);
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t phase = i % 1500;

		if (phase < 700)
			t->transit_us[i] +=
				(int64_t)(phase * 150000.0 / 700 * (0.8 + 0.2 * dice()));
	}
	queue(t);
}

static void route(struct jbuf_trace *t)
{
	quiet(t, 8000);
	for (uint32_t i = t->n / 3; i < t->n * 2 / 3; i++)
		t->transit_us[i] += 80000;
}

static void talk(struct jbuf_trace *t)
{
	normal12(t);
	t->gap_every = 120;
	t->gap_n = 80;
}

static void fast(struct jbuf_trace *t)
{
	quiet(t, 5000);
	t->skew_ppm = 200;
}

static void slow(struct jbuf_trace *t)
{
	quiet(t, 5000);
	t->skew_ppm = -200;
}

static const struct {
	const char *name, *what;
	void (*make)(struct jbuf_trace *t);
} lines[] = {
	{"lan", "2 ms of jitter", lan},
	{"uniform", "0 to 60 ms, each for itself", uniform60},
	{"normal", "a half normal of 12 ms, in order", normal12},
	{"bursts", "Gilbert-Elliott loss", bursts},
	{"spikes", "200 ms, every 10 s", spikes},
	{"reorder", "5 % come 1 to 3 later", reorder},
	{"wifi", "contention and loss", wifi},
	{"cell", "retransmissions under a load", cell},
	{"congestion", "a buffer of 150 ms fills", congestion},
	{"route", "80 ms longer for a while", route},
	{"talk", "normal, with pauses", talk},
	{"fast", "sender 200 ppm fast", fast},
	{"slow", "sender 200 ppm slow", slow},
};

uint32_t jbuf_trace_ts(const struct jbuf_trace *t, uint32_t i)
{
	uint32_t gaps = t->gap_every ? i / t->gap_every * t->gap_n : 0;

	return (i + gaps) * (JBUF_TRACE_MS * 8);
}

double jbuf_trace_sent_us(const struct jbuf_trace *t, uint32_t i)
{
	return jbuf_trace_ts(t, i) * 125.0 * (1 - t->skew_ppm * 1e-6);
}

bool jbuf_trace_pauses(const struct jbuf_trace *t, uint32_t i)
{
	return t->gap_every != 0 && (i + 1) % t->gap_every == 0;
}

static int by_arrival(const void *a, const void *b)
{
	const struct jbuf_arrival *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->packet < y->packet ? -1 : 1;
}

static void finish(struct jbuf_trace *t)
{
	t->order = calloc(t->n, sizeof(*t->order));
	must(t->order != NULL);
	t->least_us = 1e18;
	for (uint32_t i = 0; i < t->n; i++) {
		if (t->transit_us[i] < 0)
			continue;
		if ((double)t->transit_us[i] < t->least_us)
			t->least_us = (double)t->transit_us[i];
		t->order[t->arrived++] = (struct jbuf_arrival){
			(uint64_t)(jbuf_trace_sent_us(t, i) + (double)t->transit_us[i]), i};
	}
	qsort(t->order, t->arrived, sizeof(*t->order), by_arrival);
	t->end_us = (uint64_t)jbuf_trace_sent_us(t, t->n - 1);
}

bool jbuf_trace_make(struct jbuf_trace *t, unsigned number)
{
	if (number >= sizeof(lines) / sizeof(lines[0]))
		return false;
	*t = (struct jbuf_trace){.name = lines[number].name,
				 .what = lines[number].what,
				 .n = JBUF_TRACE_PACKETS,
				 .transit_us = calloc(JBUF_TRACE_PACKETS, sizeof(int64_t))};
	must(t->transit_us != NULL);
	state = UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
	lines[number].make(t);
	finish(t);
	return true;
}

int jbuf_trace_read(struct jbuf_trace *t, const char *path)
{
	FILE *f = fopen(path, "r");
	const char *slash = strrchr(path, '/');
	char line[64];
	uint32_t room = 0;

	if (f == NULL)
		return -errno;
	*t = (struct jbuf_trace){.name = slash != NULL ? slash + 1 : path, .what = "recorded"};
	while (fgets(line, sizeof(line), f) != NULL) {
		char *end;
		long long us = strtoll(line, &end, 10);

		if (line[0] == '#' || end == line)
			continue;
		if (t->n == room) {
			room = room ? room * 2 : 4096;
			t->transit_us = realloc(t->transit_us, room * sizeof(int64_t));
			must(t->transit_us != NULL);
		}
		t->transit_us[t->n++] = us < 0 ? -1 : us;
	}
	fclose(f);
	if (t->n < 100) {
		free(t->transit_us);
		return -EINVAL;
	}
	finish(t);
	return 0;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Packets carry their number. Take what has come. */
static void take_all(int fd, int64_t *arrived, uint32_t n)
{
	uint32_t number;

	while (recv(fd, &number, sizeof(number), MSG_DONTWAIT) == (ssize_t)sizeof(number))
		if (number < n && arrived[number] < 0)
			arrived[number] = (int64_t)now_us();
}

/* The sender is a process of its own, so that the scheduler of a busy machine comes between. */
static void send_all(int fd, uint64_t begin, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = begin + (uint64_t)i * PACKET_US;
		struct timespec ts = {(time_t)(at / 1000000), (long)(at % 1000000) * 1000};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		(void)send(fd, &i, sizeof(i), 0);
	}
}

int jbuf_trace_record(const char *path, unsigned seconds)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	uint32_t n = seconds * 1000 / JBUF_TRACE_MS;
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
	int64_t *arrived = calloc(n ? n : 1, sizeof(*arrived));
	uint64_t begin = now_us() + 100000;
	FILE *f = fopen(path, "w");

	if (n == 0 || in < 0 || out < 0 || arrived == NULL || f == NULL)
		return f == NULL ? -errno : -EINVAL;
	if (bind(in, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    getsockname(in, (struct sockaddr *)&a, &len) != 0 ||
	    connect(out, (struct sockaddr *)&a, sizeof(a)) != 0)
		return -errno;
	memset(arrived, 0xff, n * sizeof(*arrived));

	pid_t child = fork();

	if (child == 0) {
		send_all(out, begin, n);
		_exit(0);
	}
	while (now_us() < begin + (uint64_t)n * PACKET_US + 500000) {
		struct pollfd p = {.fd = in, .events = POLLIN};

		(void)poll(&p, 1, 5);
		take_all(in, arrived, n);
	}
	fprintf(f, "# microseconds from the instant a packet should be sent to its arrival, each "
		   "20 ms\n");
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "%lld\n",
			arrived[i] < 0 ? -1LL
				       : (long long)(arrived[i] -
						     (int64_t)(begin + (uint64_t)i * PACKET_US)));
	free(arrived);
	close(in);
	close(out);
	return fclose(f) == 0 ? 0 : -EIO;
}

void jbuf_trace_free(struct jbuf_trace *t)
{
	free(t->transit_us);
	free(t->order);
	*t = (struct jbuf_trace){0};
}
