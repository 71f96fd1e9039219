/* SPDX-License-Identifier: Apache-2.0
 *
 * Jitter buffers side by side, on the same traces.
 *
 *	bench_jbuf [--json FILE] [TRACE...]
 *	bench_jbuf --record SECONDS FILE
 *
 * A trace is what a line did to packets of 20 ms: the transit of each in microseconds, or lost. Some are
 * made from a seed (bench_jbuf_trace.c); TRACE is a recorded one. Each is played by
 *   ours      engine/jbuf with its default bounds, 20 to 200 ms, and a caller that slips as dsp/slip.c can
 *   fixed     a buffer whose delay never changes, set to the mean delay that ours had on this trace
 *   speexdsp  libspeexdsp's adaptive jitter buffer as it comes
 *   matched   ours with the bounds that conceal least among those whose mean delay is at most 1 ms above
 *             speexdsp's
 *
 * The listener asks each 20 ms. Concealed: time for which sound had to be made up, of all time. Late:
 * packets that arrived and were never heard. Delay: from a packet's sending to the instant at
 * which it is heard, less the transit of the fastest packet.
 *
 * Verdicts: "better", "equal" (the shares of concealed sound differ by less than 0.1 points or a
 * twentieth), "worse". The exit code is 0 whatever they are, 2 when something could not be run.
 */
#include <errno.h>
#include <math.h>
#include <speex/speex_jitter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/units.h"
#include "bench_jbuf.h"
#include "jbuf/jbuf.h"

enum { TICK_US = 20000, TICKS = 160, PHASE_US = 7000, AFTER_US = 500000, NEAR_MS = 1 };

struct result {
	double concealed, late; /* shares of time, of packets that arrived */
	double mean_ms, p99_ms;
	uint32_t heard, arrived;
	double slipped; /* share of time put in or taken out */
};

/* What a run collects. */
struct run {
	const struct jbuf_trace *t;
	uint64_t asked, concealed; /* ticks of 125 us */
	uint32_t heard;
	uint32_t *delay_us; /* of those heard */
};

static void heard(struct run *r, uint32_t i, double at_us)
{
	double d = at_us - jbuf_trace_sent_us(r->t, i) - r->t->least_us;

	r->delay_us[r->heard++] = d > 0 ? (uint32_t)d : 0;
}

/* What is asked for after the last packet was sent does not count. */
static void ask(struct run *r, uint64_t now_us, uint32_t ticks)
{
	if (now_us < r->t->end_us)
		r->asked += ticks;
}

static void conceal(struct run *r, uint64_t now_us, uint32_t ticks)
{
	if (now_us < r->t->end_us)
		r->concealed += ticks;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static struct run begin(const struct jbuf_trace *t)
{
	struct run r = {.t = t, .delay_us = calloc(t->n + 1, sizeof(uint32_t))};

	must(r.delay_us != NULL);
	return r;
}

static struct result end(struct run *r)
{
	struct result x = {.heard = r->heard, .arrived = r->t->arrived};
	double sum = 0;

	qsort(r->delay_us, r->heard, sizeof(uint32_t), by_size);
	for (uint32_t i = 0; i < r->heard; i++)
		sum += r->delay_us[i];
	if (r->heard > 0) {
		x.mean_ms = sum / r->heard / 1000;
		x.p99_ms = r->delay_us[(uint64_t)r->heard * 99 / 100] / 1000.0;
	}
	x.concealed = r->asked ? (double)r->concealed / (double)r->asked : 1;
	x.late = r->t->arrived ? 1 - (double)r->heard / r->t->arrived : 0;
	free(r->delay_us);
	return x;
}

/* ---- ours ---- */

static struct result ours(const struct jbuf_trace *t, uint16_t min_ms, uint16_t max_ms)
{
	struct jbuf_config cfg = {
		.clock_hz = 8000, .slots = 64, .min_ms = min_ms, .max_ms = max_ms};
	struct jbuf *jb = aligned_alloc(64, (jbuf_bytes(64) + 63) & ~(size_t)63);
	struct run r = begin(t);
	uint32_t fifo = 0, dice = 1, next = 0, last = 0;
	bool begun = false;

	must(jb != NULL && jbuf_init(jb, &cfg) == 0);
	for (uint64_t now_us = PHASE_US; now_us < t->end_us + AFTER_US; now_us += TICK_US) {
		for (; next < t->arrived && t->order[next].at_us <= now_us; next++) {
			uint32_t i = t->order[next].packet;

			jbuf_put(jb, (void *)(uintptr_t)(i + 1), (uint16_t)(i + 65000),
				 jbuf_trace_ts(t, i), TICKS, t->order[next].at_us * PB_NS_PER_US);
		}
		while (fifo < TICKS) {
			struct jbuf_out out;
			enum jbuf_get got = jbuf_get(jb, now_us * PB_NS_PER_US, TICKS - fifo, &out);

			if (got == JBUF_GET_DISCARD)
				continue;
			if (got == JBUF_GET_READY) {
				begun = true;
				last = (uint32_t)(uintptr_t)out.pkt - 1;
				heard(&r, last, (double)now_us + fifo * 125.0);
				dice = dice * 1664525U + 1013904223U;
				/* A pitch period of 2.5 to 10 ms; one sound in four has none. */
				uint32_t period = 20 + (dice >> 8) % 61;
				uint32_t wish = (uint32_t)abs(out.slip);

				if (period > wish)
					period = wish;
				if (period >= 20 && (dice >> 28) < 12) {
					int32_t by =
						out.slip < 0 ? -(int32_t)period : (int32_t)period;

					jbuf_slipped(jb, by);
					out.ticks = (uint32_t)((int32_t)out.ticks + by);
				}
			}
			if (got != JBUF_GET_READY && begun && !jbuf_trace_pauses(t, last))
				conceal(&r, now_us, out.ticks);
			fifo += out.ticks;
			if (begun)
				ask(&r, now_us, out.ticks);
		}
		fifo -= TICKS;
	}

	const struct jbuf_counts *c = jbuf_counts(jb);
	double slipped =
		(double)(c->expanded_ticks + c->compressed_ticks) / (double)(r.asked ? r.asked : 1);
	struct result x;

	while (jbuf_drain(jb) != NULL)
		;
	free(jb);
	x = end(&r);
	x.slipped = slipped;
	return x;
}

/* ---- fixed ---- */

/* Packet i plays at `start` + i times 20 ms by the listener's clock, or never. */
static struct result fixed_from(const struct jbuf_trace *t, double start_us)
{
	struct run r = begin(t);

	for (uint32_t i = 0; i < t->n; i++) {
		double at = start_us + jbuf_trace_ts(t, i) * 125.0 - jbuf_trace_ts(t, 0) * 125.0;

		r.asked += TICKS;
		if (t->transit_us[i] >= 0 &&
		    jbuf_trace_sent_us(t, i) + (double)t->transit_us[i] <= at)
			heard(&r, i, at);
		else
			r.concealed += TICKS;
	}
	return end(&r);
}

static struct result fixed(const struct jbuf_trace *t, double mean_ms)
{
	double low = 0, high = 2e6;

	for (unsigned i = 0; i < 40; i++) {
		double middle = (low + high) / 2;

		if (fixed_from(t, middle).mean_ms < mean_ms)
			low = middle;
		else
			high = middle;
	}
	return fixed_from(t, high);
}

/* ---- speexdsp ---- */

static struct result speexdsp(const struct jbuf_trace *t)
{
	JitterBuffer *jb = jitter_buffer_init(TICKS);
	struct run r = begin(t);
	uint32_t next = 0, last = 0;
	bool begun = false;

	for (uint64_t now_us = PHASE_US; now_us < t->end_us + AFTER_US; now_us += TICK_US) {
		uint32_t number = 0;
		spx_int32_t offset = 0;
		JitterBufferPacket in = {
			.data = (char *)&number, .len = sizeof(number), .span = TICKS};
		JitterBufferPacket out = {.data = (char *)&number, .len = sizeof(number)};

		for (; next < t->arrived && t->order[next].at_us <= now_us; next++) {
			number = t->order[next].packet;
			in.timestamp = jbuf_trace_ts(t, number);
			in.sequence = (uint16_t)number;
			jitter_buffer_put(jb, &in);
		}

		int got = jitter_buffer_get(jb, &out, TICKS, &offset);

		if (got == JITTER_BUFFER_OK) {
			begun = true;
			last = number;
			heard(&r, number, (double)now_us + offset * 125.0);
		} else if (begun && !jbuf_trace_pauses(t, last)) {
			conceal(&r, now_us, TICKS);
		}
		if (begun)
			ask(&r, now_us, TICKS);
		jitter_buffer_tick(jb);
	}
	jitter_buffer_destroy(jb);
	return end(&r);
}

/* Ours with the bounds that conceal least among those whose mean delay is not above `mean_ms`. */
static struct result matched(const struct jbuf_trace *t, double mean_ms)
{
	static const uint16_t largest[] = {200, 160, 130, 100, 80, 60, 50, 40, 30, 20, 10, 5};
	struct result best = {.concealed = 2};

	for (unsigned i = 0; i < sizeof(largest) / sizeof(largest[0]); i++) {
		for (uint16_t least = 0; least <= largest[i]; least = (uint16_t)(least + 5)) {
			struct result x = ours(t, least, largest[i]);

			if (x.mean_ms > mean_ms + NEAR_MS)
				break;
			if (x.concealed < best.concealed)
				best = x;
		}
	}
	return best;
}

static const char *verdict(const struct result *a, const struct result *b)
{
	double near = fmax(0.001, 0.05 * fmax(a->concealed, b->concealed));

	if (fabs(a->concealed - b->concealed) <= near)
		return "equal";
	return a->concealed < b->concealed ? "better" : "worse";
}

static void show(const char *who, const struct result *x, const char *word)
{
	printf("    %-9s concealed %6.2f %%  late %6.2f %%  delay mean %6.1f ms, p99 %6.1f ms", who,
	       x->concealed * 100, x->late * 100, x->mean_ms, x->p99_ms);
	if (x->slipped > 0)
		printf("  slipped %.2f %%", x->slipped * 100);
	printf("%s%s\n", *word ? "  " : "", word);
}

static void write_one(FILE *json, const char *who, const struct result *x)
{
	fprintf(json,
		"\"%s\": {\"concealed_share\": %.6f, \"late_share\": %.6f, \"delay_mean_ms\": "
		"%.2f, "
		"\"delay_p99_ms\": %.2f, \"slipped_share\": %.6f}",
		who, x->concealed, x->late, x->mean_ms, x->p99_ms, x->slipped);
}

static void compare(const struct jbuf_trace *t, FILE *json, bool first)
{
	struct result o = ours(t, 20, 200), f = fixed(t, o.mean_ms), s = speexdsp(t);
	struct result m = matched(t, s.mean_ms);

	printf("  %s: %s; %.2f %% lost\n", t->name, t->what, 100 - 100.0 * t->arrived / t->n);
	show("ours", &o, verdict(&o, &f));
	show("fixed", &f, "");
	show("speexdsp", &s, "");
	show("matched", &m, verdict(&m, &s));
	if (json == NULL)
		return;
	fprintf(json, "%s\n  {\"trace\": \"%s\", \"packets\": %u, \"lost_share\": %.6f, ",
		first ? "" : ",", t->name, t->n, 1 - (double)t->arrived / t->n);
	write_one(json, "ours", &o);
	fputs(", ", json);
	write_one(json, "fixed", &f);
	fputs(", ", json);
	write_one(json, "speexdsp", &s);
	fputs(", ", json);
	write_one(json, "matched", &m);
	fprintf(json, ", \"against_fixed\": \"%s\", \"against_speexdsp\": \"%s\"}", verdict(&o, &f),
		verdict(&m, &s));
}

static int usage(void)
{
	fputs("usage: bench_jbuf [--json FILE] [TRACE...]\n       bench_jbuf --record SECONDS "
	      "FILE\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct jbuf_trace t;
	FILE *json = NULL;
	int arg = 1;

	if (argc == 4 && strcmp(argv[1], "--record") == 0) {
		int err = jbuf_trace_record(argv[3], (unsigned)atoi(argv[2]));

		if (err != 0)
			fprintf(stderr, "bench_jbuf: %s: %s\n", argv[3], strerror(-err));
		return err != 0 ? 2 : 0;
	}
	if (argc > 2 && strcmp(argv[1], "--json") == 0) {
		json = fopen(argv[2], "w");
		if (json == NULL) {
			fprintf(stderr, "bench_jbuf: %s: %s\n", argv[2], strerror(errno));
			return 2;
		}
		arg = 3;
	} else if (argc > 1 && argv[1][0] == '-') {
		return usage();
	}
	if (json != NULL)
		fputs("{\"format\": 1, \"traces\": [", json);
	for (unsigned i = 0; jbuf_trace_make(&t, i); i++) {
		compare(&t, json, i == 0);
		jbuf_trace_free(&t);
	}
	for (; arg < argc; arg++) {
		int err = jbuf_trace_read(&t, argv[arg]);

		if (err != 0) {
			fprintf(stderr, "bench_jbuf: %s: %s\n", argv[arg], strerror(-err));
			return 2;
		}
		compare(&t, json, false);
		jbuf_trace_free(&t);
	}
	if (json != NULL) {
		fputs("]}\n", json);
		if (fclose(json) != 0)
			return 2;
	}
	return 0;
}
