/* What a packet costs by either way: `ninja bench_srtp`, then bench_srtp [SESSIONS...].
 *
 * Each session seals and opens a packet of 160 octets of speech in turn, in bursts of 32 over all
 * sessions, as relayed calls do. Numbers are nanoseconds a packet, the median of nine rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/must.h"
#include "base/units.h"
#include "srtp/srtp.h"

enum { ROUNDS = 9, PACKETS = 20000, LEN = 172 };

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct srtp *unit_make(uint32_t legs, enum srtp_way way, enum srtp_suite suite)
{
	size_t bytes = (srtp_unit_bytes(legs) + (2u << 20)) & ~(size_t)((2u << 20) - 1);
	struct srtp *u = aligned_alloc(2u << 20, bytes);
	struct srtp_keys keys = {.receive = {.suite = (uint8_t)suite}};

	must(u != NULL && srtp_unit_init(u, legs, way) == 0);
	for (uint32_t leg = 0; leg < legs; leg++) {
		memcpy(keys.receive.master, &leg, sizeof(leg));
		keys.send = keys.receive;
		must(srtp_keys_set(u, leg, &keys) == 0);
	}
	return u;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(uint32_t legs, enum srtp_way way, enum srtp_suite suite)
{
	static uint8_t p[SRTP_BURST][256];
	struct srtp *u = unit_make(legs, way, suite);
	uint16_t *seq = calloc(legs, sizeof(*seq));
	double seal[ROUNDS] = {0}, open[ROUNDS] = {0};
	uint32_t at = 0;

	must(seq != NULL);
	for (int r = -1; r < ROUNDS; r++) { /* the first is not counted */
		double t_seal = 0, t_open = 0;
		unsigned n = legs > PACKETS ? legs : PACKETS;

		for (unsigned done = 0; done < n; done += SRTP_BURST) {
			struct srtp_row row[SRTP_BURST];
			double t0, t1, t2;

			for (unsigned i = 0; i < SRTP_BURST;
			     i++, at = at + 1 == legs ? 0 : at + 1) {
				memset(p[i], (int)i, LEN);
				p[i][0] = 0x80;
				be16_put(p[i] + 2, seq[at]++);
				be32_put(p[i] + 8, at);
				row[i] = (struct srtp_row){.data = p[i], .leg = at, .len = LEN};
			}
			t0 = now_ns();
			for (unsigned i = 0; i < SRTP_BURST; i++)
				srtp_fetch(u, row[i].leg, true);
			srtp_rtp_seal(u, row, SRTP_BURST);
			t1 = now_ns();
			for (unsigned i = 0; i < SRTP_BURST; i++)
				srtp_fetch(u, row[i].leg, false);
			srtp_rtp_open(u, row, SRTP_BURST);
			t2 = now_ns();
			for (unsigned i = 0; i < SRTP_BURST; i++)
				must(row[i].verdict == SRTP_OK && row[i].len == LEN);
			t_seal += t1 - t0;
			t_open += t2 - t1;
		}
		if (r >= 0) {
			seal[r] = t_seal / n;
			open[r] = t_open / n;
		}
	}
	qsort(seal, ROUNDS, sizeof(*seal), by_size);
	qsort(open, ROUNDS, sizeof(*open), by_size);
	printf("%-24s %-8s %6u  %8.0f %8.0f\n", srtp_suite_of(suite)->name,
	       way == SRTP_WAY_BURST ? "burst" : "library", legs, seal[ROUNDS / 2],
	       open[ROUNDS / 2]);
	fflush(stdout);
	free(seq);
	srtp_unit_fini(u);
	free(u);
}

int main(int argc, char **argv)
{
	static const uint32_t usual[] = {1, 1000, 10000};
	unsigned n = argc > 1 ? (unsigned)argc - 1 : 3;

	printf("%-24s %-8s %6s  %8s %8s\n", "suite", "way", "legs", "seal ns", "open ns");
	for (unsigned i = 0; i < n; i++) {
		uint32_t legs = argc > 1 ? (uint32_t)atol(argv[1 + i]) : usual[i];

		for (unsigned s = 1; s < SRTP_SUITES; s++)
			for (enum srtp_way way = SRTP_WAY_BURST; way <= SRTP_WAY_LIBRARY; way++)
				if (legs > 0)
					measure(legs, way, (enum srtp_suite)s);
	}
	return 0;
}
