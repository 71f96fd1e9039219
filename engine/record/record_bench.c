/* SPDX-License-Identifier: Apache-2.0
 *
 * What recording costs: N calls of both directions at 50 frames a second each, for some seconds of
 * real time, into the directory given. The worker's nanoseconds per frame, the recorder thread's
 * share of a core, operations a second and call, and how soon audio was durable.
 *
 *	bench_record DIRECTORY [CALLS [SECONDS]] [--recycled] [--json]
 *
 * With --recycled the segments have been written before, as in a store whose retention takes
 * away as much as comes: they are made first, and given back while the calls run.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "record/record.h"

enum {
	PAYLOAD = 160,
	FRAMES_PER_S = 50,
	PHASES = 20,
	EXTENTS_PER_2_CALLS = 5, /* 40 KiB a call: one being filled, one on its way, half a spare */
};

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

/* --- segments that are used again --- */

enum { RECYCLED_FIRST = 24, RECYCLED_KEEP = 8, SEGMENT_MIB = 64 };

struct recycler {
	const char *dir;
	pthread_t thread;
	_Atomic bool stop;
};

static bool make_free(const char *dir, unsigned i)
{
	static _Alignas(4096) uint8_t zeros[1 << 20];
	char path[300];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "%s/free-%08x.pbseg", dir, i);
	fd = open(path, O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0640);
	ok = fd >= 0;
	for (unsigned k = 0; ok && k < SEGMENT_MIB; k++)
		ok = write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros);
	ok = ok && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* All but the newest segments are free again. */
static void give_back(const char *dir)
{
	unsigned newest = 0, n;
	DIR *d = opendir(dir);
	char from[300], to[300];

	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (sscanf(e->d_name, "seg-%8x.pbseg", &n) == 1 && n > newest)
			newest = n;
	if (d != NULL)
		rewinddir(d);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (sscanf(e->d_name, "seg-%8x.pbseg", &n) != 1 || n + RECYCLED_KEEP > newest)
			continue;
		snprintf(from, sizeof(from), "%s/seg-%08x.pbseg", dir, n);
		snprintf(to, sizeof(to), "%s/free-%08x.pbseg", dir, n);
		(void)rename(from, to);
	}
	if (d != NULL)
		closedir(d);
}

static void *recycle(void *arg)
{
	struct recycler *r = arg;

	while (!atomic_load(&r->stop)) {
		give_back(r->dir);
		usleep(250000);
	}
	return NULL;
}

static bool recycler_start(struct recycler *r)
{
	(void)mkdir(r->dir, 0750);
	for (unsigned i = 0; i < RECYCLED_FIRST; i++)
		if (!make_free(r->dir, 0x10000000 + i))
			return false;
	return pthread_create(&r->thread, NULL, recycle, r) == 0;
}

/* --- the disk by itself --- */

enum { PROBE_BYTES = 4096, PROBE_EVERY_US = 100000, PROBES_MAX = 36000 };

/* Small durable writes beside the recorder's: what takes them long is the disk, not the recorder. */
struct probe {
	const char *dir;
	pthread_t thread;
	_Atomic bool stop;
	unsigned n;
	uint32_t us[PROBES_MAX];
};

static void *probe_disk(void *arg)
{
	static _Alignas(4096) uint8_t block[PROBE_BYTES];
	struct probe *p = arg;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/probe", p->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0640);
	while (fd >= 0 && p->n < PROBES_MAX && !atomic_load(&p->stop)) {
		uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);

		if (pwrite(fd, block, sizeof(block), 0) != sizeof(block) || fdatasync(fd) != 0)
			break;
		p->us[p->n++] = (uint32_t)((clock_ns(CLOCK_MONOTONIC) - began_ns) / 1000);
		usleep(PROBE_EVERY_US);
	}
	if (fd >= 0)
		close(fd);
	unlink(path);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void probe_start(struct probe *p, const char *dir)
{
	p->dir = dir;
	if (pthread_create(&p->thread, NULL, probe_disk, p) != 0)
		p->dir = NULL;
}

static void probe_end(struct probe *p)
{
	if (p->dir == NULL)
		return;
	atomic_store(&p->stop, true);
	pthread_join(p->thread, NULL);
	qsort(p->us, p->n, sizeof(p->us[0]), by_size);
}

static double probe_ms(const struct probe *p, double share)
{
	return p->n > 0 ? p->us[(unsigned)((p->n - 1) * share)] / 1e3 : 0;
}

struct result {
	unsigned calls, seconds;
	uint64_t frames, lost, worker_ns;
	uint64_t recorder_ns, idle_ns; /* of CPU; idle in 2 s */
	uint64_t memory_bytes;         /* extents and taps */
	struct record_stats before, after;
	struct probe disk;
};

static void print(const struct result *r, bool json)
{
	const struct record_stats *a = &r->before, *b = &r->after;
	double s = r->seconds, mb = (double)(b->bytes_written - a->bytes_written) / 1e6 / s;
	double writes = (double)(b->writes - a->writes) / s;
	double iops = writes + (double)(b->syncs - a->syncs) / s;
	double cpu = (double)r->recorder_ns / 1e9 / s, idle = (double)r->idle_ns / 2e9;
	double ns = (double)r->worker_ns / (double)r->frames;

	if (json) {
		printf("{\"calls\": %u, \"streams\": %u, \"seconds\": %u, \"frames\": %llu, "
		       "\"frames_lost\": %llu, \"worker_ns_per_frame\": %.1f, \"cpu_share\": %.4f, "
		       "\"idle_cpu_share\": %.4f, \"mb_per_s\": %.2f, \"writes_per_s\": %.2f, "
		       "\"iops\": %.2f, \"iops_per_call\": %.5f, \"durable_ms_p50\": %u, "
		       "\"durable_ms_p99\": %u, \"durable_ms_max\": %u, "
		       "\"disk_ms_p99\": %.1f, \"disk_ms_max\": %.1f, "
		       "\"memory_kib_per_call\": %.1f, \"errors\": %llu}\n",
		       r->calls, 2 * r->calls, r->seconds, (unsigned long long)r->frames,
		       (unsigned long long)r->lost, ns, cpu, idle, mb, writes, iops,
		       iops / r->calls, b->durable_ms_p50, b->durable_ms_p99, b->durable_ms_max,
		       probe_ms(&r->disk, 0.99), probe_ms(&r->disk, 1),
		       (double)r->memory_bytes / 1024 / r->calls, (unsigned long long)b->errors);
		return;
	}
	printf("calls %u, frames %llu, lost %llu, worker %.0f ns a frame\n", r->calls,
	       (unsigned long long)r->frames, (unsigned long long)r->lost, ns);
	printf("recorder: %.2f %% of a core (idle %.2f %%), %.1f MB/s, %.1f writes/s, %.4f writes "
	       "per "
	       "second and call, durable after %u ms at most\n",
	       cpu * 100, idle * 100, mb, writes, writes / r->calls, b->durable_ms_max);
	printf("%.1f operations/s, %.5f per second and call; durable p50 %u ms, p99 %u ms; %.1f "
	       "KiB "
	       "of memory a call\n",
	       iops, iops / r->calls, b->durable_ms_p50, b->durable_ms_p99,
	       (double)r->memory_bytes / 1024 / r->calls);
	printf("4 KiB written beside it: p99 %.1f ms, at most %.1f ms\n", probe_ms(&r->disk, 0.99),
	       probe_ms(&r->disk, 1));
}

static bool open_all(struct load *l)
{
	l->tap = calloc(l->calls, sizeof(struct rec_tap *));
	for (unsigned c = 0; l->tap != NULL && c < l->calls; c++) {
		uint8_t id[16] = {(uint8_t)(c >> 8), (uint8_t)c};

		if (rec_tap_open(l->rw, id, "{}", clock_ns(CLOCK_MONOTONIC), &l->tap[c]) != 0)
			return false;
	}
	return l->tap != NULL;
}

static int measure(struct record *rec, const char *dir, struct result *r, bool json)
{
	struct load l = {.calls = r->calls, .rw = record_worker(rec, 0)};

	usleep(2000000);
	r->idle_ns = thread_ns("recorder");
	if (!open_all(&l))
		return 1;
	record_stats(rec, &r->before);
	probe_start(&r->disk, dir);
	run(&l, r->seconds);
	r->recorder_ns = thread_ns("recorder") - r->idle_ns;
	record_stats(rec, &r->after);
	probe_end(&r->disk);
	r->frames = l.frames;
	r->lost = l.lost;
	r->worker_ns = l.spent_ns;
	r->memory_bytes =
		(uint64_t)r->after.extents * RECORDING_EXTENT_BYTES + r->after.taps * UINT64_C(320);
	print(r, json);
	free(l.tap);
	return 0;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[argc - 1], "--json") == 0;
	bool recycled = argc > 1 + json && strcmp(argv[argc - 1 - json], "--recycled") == 0;
	int args = argc - json - recycled;
	struct recycler rc = {.dir = args > 1 ? argv[1] : NULL};
	static struct result r;
	unsigned calls = args > 2 ? (unsigned)atoi(argv[2]) : 1000;
	struct record_config cfg = {
		.name = "bench",
		.volume = {args > 1 ? argv[1] : NULL},
		.volumes = 1,
		.workers = 1,
		.taps = calls,
		.extents = calls * EXTENTS_PER_2_CALLS / 2 + 512,
	};
	struct record *rec;
	int err;

	r.calls = calls;
	r.seconds = args > 3 ? (unsigned)atoi(argv[3]) : 10;
	if (args < 2 || r.calls == 0 || r.seconds == 0) {
		fprintf(stderr, "usage: bench_record DIRECTORY [CALLS [SECONDS]] [--recycled] "
				"[--json]\n");
		return 2;
	}
	if (recycled && !recycler_start(&rc)) {
		fprintf(stderr, "cannot make segments in %s\n", argv[1]);
		return 1;
	}
	err = record_start(&cfg, &rec);
	if (err != 0) {
		fprintf(stderr, "cannot start: %s\n", strerror(-err));
		return 1;
	}
	err = measure(rec, argv[1], &r, json);
	err = record_stop(rec) != 0 || err != 0;
	if (recycled) {
		atomic_store(&rc.stop, true);
		pthread_join(rc.thread, NULL);
	}
	return err;
}
