/* SPDX-License-Identifier: Apache-2.0
 *
 * How soon the first sound of any stored recording is there: N tiny recordings are made in the
 * directory given, catalogued, and some of them opened at random, each in a store that was opened
 * for it alone. `cold` drops the files from the page cache before each.
 *
 *	bench_record_lookup DIRECTORY [RECORDINGS [LOOKUPS]] [--json]
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "patchbay/recording.h"
#include "record/record.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void id_of(uint8_t id[16], uint32_t n)
{
	uint64_t x = n * UINT64_C(0x9e3779b97f4a7c15);

	memset(id, 0, 16);
	memcpy(id, &x, sizeof(x)); /* spread over all ids */
	memcpy(id + 8, &n, sizeof(n));
}

static int make(const char *dir, uint32_t recordings)
{
	struct record_config cfg = {.name = "lookup",
				    .volume = {dir},
				    .volumes = 1,
				    .workers = 1,
				    .extents = 16384,
				    .taps = 64,
				    .no_catalogue = true};
	uint8_t payload[160] = {0};
	struct record *rec;
	int err = record_start(&cfg, &rec);

	for (uint32_t n = 0; err == 0 && n < recordings; n++) {
		struct rec_worker *rw = record_worker(rec, 0);
		struct rec_tap *tap;
		uint8_t id[16];

		id_of(id, n);
		while ((err = rec_tap_open(rw, id, "{}", now_ns(), &tap)) == -ENOBUFS ||
		       err == -ENFILE) {
			rec_tap_age(rw, now_ns());
			usleep(1000);
		}
		for (uint16_t i = 0; err == 0 && i < 10; i++)
			rec_tap_frame(tap, &(struct rec_frame){.now_ns = now_ns(),
							       .timestamp = i * 160U,
							       .seq = i,
							       .codec = RECORDING_CODEC_PCMU,
							       .len = 160,
							       .payload = payload});
		if (err == 0)
			rec_tap_close(tap, RECORDING_END_STOPPED, now_ns(), NULL);
	}
	return err == 0 ? record_stop(rec) : err;
}

static void forget_pages(const char *dir)
{
	DIR *d = opendir(dir);
	char path[600];

	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	if (d != NULL)
		closedir(d);
}

/* Nanoseconds from nothing to the first samples of recording `n`; 0: it was not found. */
static uint64_t look_up(const char *dir, uint32_t n)
{
	const char *dirs[1] = {dir};
	struct recording_store *st;
	struct recording_stream *s;
	struct recording *r;
	uint64_t begin = now_ns(), took = 0;
	int16_t pcm[2 * 160];
	uint8_t id[16];

	id_of(id, n);
	if (recording_store_open(&st, dirs, 1) != 0)
		return 0;
	if (recording_open(st, id, NULL, NULL, &r) == 0) {
		if (recording_stream_open(r, 8000, &s) == 0) {
			if (recording_stream_read(s, pcm, 160) > 0)
				took = now_ns() - begin;
			recording_stream_close(s);
		}
		recording_close(r);
	}
	recording_store_close(st);
	return took;
}

static int order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct spread {
	double p50, p99, max; /* milliseconds */
	unsigned missed;
};

static struct spread measure(const char *dir, uint32_t recordings, unsigned lookups, bool cold)
{
	uint64_t *took = calloc(lookups + 1, sizeof(*took));
	struct spread s = {0};
	uint64_t x = 88172645463325252U;

	for (unsigned i = 0; took != NULL && i < lookups; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		if (cold)
			forget_pages(dir);
		took[i] = look_up(dir, (uint32_t)(x % recordings));
		s.missed += took[i] == 0;
	}
	if (took != NULL && lookups != 0) {
		qsort(took, lookups, sizeof(*took), order);
		s.p50 = (double)took[lookups / 2] / 1e6;
		s.p99 = (double)took[(uint64_t)lookups * 99 / 100] / 1e6;
		s.max = (double)took[lookups - 1] / 1e6;
	}
	free(took);
	return s;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[argc - 1], "--json") == 0;
	int args = argc - json;
	uint32_t recordings = args > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000;
	unsigned lookups = args > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 200;
	struct spread warm, cold;
	uint64_t begin;
	double catalogued_s;
	int err;

	if (args < 2 || recordings == 0 || lookups == 0) {
		fprintf(stderr, "usage: bench_record_lookup DIRECTORY [RECORDINGS [LOOKUPS]] "
				"[--json]\n");
		return 2;
	}
	err = make(argv[1], recordings);
	begin = now_ns();
	if (err == 0)
		err = recording_catalogue_update(argv[1], 0);
	catalogued_s = (double)(now_ns() - begin) / 1e9;
	if (err < 0) {
		fprintf(stderr, "cannot make the store: %s\n", strerror(-err));
		return 1;
	}
	cold = measure(argv[1], recordings, lookups, true);
	warm = measure(argv[1], recordings, lookups, false);
	printf(json ? "{\"recordings\": %u, \"lookups\": %u, \"catalogue_s\": %.2f, "
		      "\"cold_ms_p50\": "
		      "%.3f, \"cold_ms_p99\": %.3f, \"cold_ms_max\": %.3f, \"warm_ms_p50\": %.3f, "
		      "\"warm_ms_p99\": %.3f, \"warm_ms_max\": %.3f, \"missed\": %u}\n"
		    : "%u recordings, %u lookups, catalogued in %.2f s; first sound cold p50 %.3f "
		      "ms, "
		      "p99 %.3f, max %.3f; warm p50 %.3f ms, p99 %.3f, max %.3f; %u missed\n",
	       recordings, lookups, catalogued_s, cold.p50, cold.p99, cold.max, warm.p50, warm.p99,
	       warm.max, cold.missed + warm.missed);
	return cold.missed + warm.missed != 0;
}
