/* SPDX-License-Identifier: Apache-2.0
 *
 * What recording costs: N calls of both directions at 50 frames a second each, for some seconds of
 * real time, into the directory given. Prints the worker's nanoseconds per frame, the recorder
 * thread's share of a core, and how soon audio was durable.
 *
 *	bench_record DIRECTORY [CALLS [SECONDS]]
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "record/record.h"

enum { PAYLOAD = 160, FRAMES_PER_S = 50, PHASES = 20 };

static uint64_t clock_ns(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* CPU time of the thread named `name`, in nanoseconds. */
static uint64_t thread_ns(const char *name)
{
	DIR *d = opendir("/proc/self/task");
	uint64_t ns = 0;

	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char path[300], comm[32] = "";
		unsigned long long run = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fscanf(f, "%31s", comm) != 1)
			comm[0] = '\0';
		fclose(f);
		if (strcmp(comm, name) != 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", e->d_name);
		f = fopen(path, "r");
		if (f != NULL && fscanf(f, "%llu", &run) == 1)
			ns = run;
		if (f != NULL)
			fclose(f);
	}
	if (d != NULL)
		closedir(d);
	return ns;
}

struct load {
	struct rec_worker *rw;
	struct rec_tap **tap;
	unsigned calls;
	uint64_t frames, lost, spent_ns;
};

/* One twentieth of the calls: both directions of each. */
static void one_phase(struct load *l, uint32_t round, unsigned phase, uint64_t now_ns)
{
	static const uint8_t payload[PAYLOAD] = {0xd5};
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	for (unsigned c = phase; c < l->calls; c += PHASES)
		for (uint8_t ch = 0; ch < RECORDING_CHANNELS; ch++) {
			struct rec_frame f = {
				.now_ns = now_ns,
				.timestamp = round * PAYLOAD,
				.seq = (uint16_t)round,
				.channel = ch,
				.codec = RECORDING_CODEC_PCMU,
				.len = PAYLOAD,
				.payload = payload,
			};

			l->lost += rec_tap_frame(l->tap[c], &f) != REC_TAP_FRAME_WRITTEN;
			l->frames++;
		}
	rec_tap_age(l->rw, now_ns);
	l->spent_ns += clock_ns(CLOCK_MONOTONIC) - begin;
}

static void run(struct load *l, unsigned seconds)
{
	uint64_t next = clock_ns(CLOCK_MONOTONIC);

	for (uint32_t round = 0; round < seconds * FRAMES_PER_S; round++)
		for (unsigned phase = 0; phase < PHASES; phase++) {
			uint64_t now = clock_ns(CLOCK_MONOTONIC);

			if (now < next)
				usleep((useconds_t)((next - now) / 1000));
			one_phase(l, round, phase, clock_ns(CLOCK_MONOTONIC));
			next += PB_NS_PER_MS;
		}
}

int main(int argc, char **argv)
{
	struct load l = {.calls = argc > 2 ? (unsigned)atoi(argv[2]) : 1000};
	unsigned seconds = argc > 3 ? (unsigned)atoi(argv[3]) : 10;
	struct record_config cfg = {
		.name = "bench",
		.volume = {argc > 1 ? argv[1] : NULL},
		.volumes = 1,
		.workers = 1,
		.taps = l.calls,
		.extents = l.calls * 4 + 1024,
	};
	struct record_stats st;
	struct record *rec;
	int err;

	if (argc < 2) {
		fprintf(stderr, "usage: bench_record DIRECTORY [CALLS [SECONDS]]\n");
		return 2;
	}
	err = record_start(&cfg, &rec);
	if (err != 0) {
		fprintf(stderr, "cannot start: %s\n", strerror(-err));
		return 1;
	}
	usleep(2000000);

	uint64_t idle_ns = thread_ns("recorder");

	l.rw = record_worker(rec, 0);
	l.tap = calloc(l.calls, sizeof(struct rec_tap *));
	if (l.tap == NULL)
		return 1;
	for (unsigned c = 0; c < l.calls; c++) {
		uint8_t id[16] = {(uint8_t)(c >> 8), (uint8_t)c};

		if (rec_tap_open(l.rw, id, "{}", clock_ns(CLOCK_MONOTONIC), &l.tap[c]) != 0)
			return 1;
	}
	run(&l, seconds);

	uint64_t busy_ns = thread_ns("recorder") - idle_ns;

	record_stats(rec, &st);
	printf("calls %u, frames %llu, lost %llu, worker %.0f ns a frame\n", l.calls,
	       (unsigned long long)l.frames, (unsigned long long)l.lost,
	       (double)l.spent_ns / (double)l.frames);
	printf("recorder: %.2f %% of a core (idle %.2f %%), %.1f MB/s, %.1f writes/s, %.4f writes "
	       "per "
	       "second and call, durable after %u ms at most\n",
	       (double)busy_ns / 1e7 / seconds, (double)idle_ns / 2e7,
	       (double)st.bytes_written / 1e6 / seconds, (double)st.writes / seconds,
	       (double)st.writes / seconds / l.calls, st.durable_ms_max);
	err = record_stop(rec);
	free(l.tap);
	return err != 0;
}
