/* SPDX-License-Identifier: Apache-2.0
 *
 * The power fails. What a disk has made durable is what was written before a sync that has
 * succeeded; of all that was written since, any 512 bytes may be there or not, in any order.
 *
 * The volume is watched at every operation: when a sync begins, the segments are copied as they
 * are (no write is changed after it was completed); when the next operation finds that the sync
 * has succeeded, that copy is what is durable. At a random moment the calls stop, memory is thrown
 * away, and the disk becomes the durable copy with a random choice of newer sectors.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "record/record_testing.h"

enum { CALLS = 6, ROUNDS_SHORT = 6, SECTOR = 512, FILES = 32, WINDOW_MS = 300, SLOW_MS = 1500 };

struct image {
	char name[FILES][32];
	uint8_t *bytes[FILES];
	size_t len[FILES];
	unsigned n;
};

struct watch {
	const struct place *p;
	pthread_mutex_t lock;
	struct image durable, syncing;
	uint64_t syncs; /* asked for */
	bool sync_runs;
	uint64_t sync_at_ns, durable_at_ns; /* when what is in the image had been written */
};

static void image_free(struct image *m)
{
	for (unsigned i = 0; i < m->n; i++)
		free(m->bytes[i]);
	m->n = 0;
}

/* The segments as they are now. */
static void image_take(struct image *m, const char *dir)
{
	DIR *d = opendir(dir);

	image_free(m);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char path[400];
		struct stat st;
		unsigned i = m->n;

		snprintf(path, sizeof(path), "%s/%.40s", dir, e->d_name);
		if (strncmp(e->d_name, "seg-", 4) != 0 || stat(path, &st) != 0 || i == FILES)
			continue;
		snprintf(m->name[i], sizeof(m->name[i]), "%.31s", e->d_name);
		m->len[i] = (size_t)st.st_size;
		m->bytes[i] = calloc(1, m->len[i] + 1);

		FILE *f = fopen(path, "rb");

		check(m->bytes[i] != NULL && f != NULL);
		m->len[i] = fread(m->bytes[i], 1, m->len[i], f);
		fclose(f);
		m->n++;
	}
	if (d != NULL)
		closedir(d);
}

/* An operation begins. The recorder asks for one sync at a time, so one that begins after it, or
 * whatever comes when no sync runs, finds the last one done. */
static int watching(void *ctx, enum record_op op, unsigned volume)
{
	struct watch *w = ctx;

	(void)volume;
	pthread_mutex_lock(&w->lock);
	if (op == RECORD_OP_SYNC) {
		if (w->sync_runs) {
			struct image old = w->durable;

			w->durable = w->syncing;
			w->syncing = old;
			w->durable_at_ns = w->sync_at_ns;
		}
		image_take(&w->syncing, w->p->volume[0]);
		w->sync_at_ns = mono_now_ns();
		w->sync_runs = true;
		w->syncs++;
	}
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 16 & 0x7fff;
}

static const uint8_t *find(const struct image *m, const char *name, size_t *len)
{
	for (unsigned i = 0; i < m->n; i++)
		if (strcmp(m->name[i], name) == 0) {
			*len = m->len[i];
			return m->bytes[i];
		}
	*len = 0;
	return NULL;
}

/* What the disk is after the power came back. A segment that became visible has its head: it was
 * made durable before it got its name. */
static void power_cut(const struct place *p, const struct image *durable, const struct image *now,
		      unsigned *seed)
{
	unsigned share = next_random(seed) % 5; /* of the newer sectors: none, some, all */

	place_empty(p->volume[0]);
	check(mkdir(p->volume[0], 0700) == 0);
	for (unsigned i = 0; i < now->n; i++) {
		char path[400];
		size_t old_len, len = now->len[i];
		const uint8_t *old = find(durable, now->name[i], &old_len);
		uint8_t *mixed = calloc(1, len + 1);

		check(mixed != NULL);
		for (size_t at = 0; at < len; at += SECTOR) {
			size_t n = len - at < SECTOR ? len - at : SECTOR;
			bool newer = next_random(seed) % 4 < share || at < RECORDING_BLOCK;

			if (newer)
				memcpy(mixed + at, now->bytes[i] + at, n);
			else if (old != NULL && at + n <= old_len)
				memcpy(mixed + at, old + at, n);
		}
		snprintf(path, sizeof(path), "%s/%s", p->volume[0], now->name[i]);

		FILE *f = fopen(path, "wb");

		check(f != NULL && fwrite(mixed, 1, len, f) == len && fclose(f) == 0);
		free(mixed);
	}
}

struct sent {
	uint32_t frames[CALLS];
	uint64_t at_ns[CALLS][20000];
};

static void check_after(const struct place *p, const struct sent *s, uint64_t cut_ns)
{
	struct recording_store *st;
	struct recording_verdict v;
	struct record *rec;
	struct damages d = {0};
	struct record_config cfg = place_config(p, 1);

	/* the next engine repairs; nothing is in memory any more */
	check_int(record_start(&cfg, &rec), 0);
	check_int(record_stop(rec), 0);
	st = place_open(p);
	check_int(recording_verify(st, NULL, count_damage, &d, &v), 0);
	check_int(d.of[RECORDING_DAMAGE_EXTENT_TWICE], 0);
	check_int(d.of[RECORDING_DAMAGE_FRAME], 0);
	for (unsigned c = 0; c < CALLS; c++) {
		struct recording *r;
		uint8_t id[16];
		uint32_t due = 0;

		while (due < s->frames[c] &&
		       s->at_ns[c][due] + (WINDOW_MS + SLOW_MS) * PB_NS_PER_MS < cut_ns)
			due++;
		test_id(id, c);
		if (recording_open(st, id, NULL, NULL, &r) != 0) {
			check_int(due, 0);
			continue;
		}

		struct seen seen = see_recording(r, c); /* each frame to the byte */

		for (uint32_t i = 0; i < due; i++)
			check(seen.have[0][i]);
		seen_free(&seen);
		recording_close(r);
	}
	recording_store_close(st);
}

static void one_round(unsigned *seed)
{
	static struct sent sent;
	struct place p;
	struct watch w = {.p = &p, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct record *rec;
	struct rec_tap *tap[CALLS];
	struct image now = {.n = 0};
	uint64_t begin = mono_now_ns(), cut_ns, ms = 600 + next_random(seed) % 1200;

	place_make(&p);
	memset(&sent, 0, sizeof(sent));

	struct record_config cfg = place_config(&p, 1);

	cfg.window_ms = WINDOW_MS;
	cfg.extents = 2048;
	cfg.fault = watching;
	cfg.fault_ctx = &w;
	check_int(record_start(&cfg, &rec), 0);
	for (unsigned c = 0; c < CALLS; c++) {
		uint8_t id[16];

		test_id(id, c);
		check_int(rec_tap_open(record_worker(rec, 0), id, "{}", mono_now_ns(), &tap[c]), 0);
	}
	while (mono_now_ns() < begin + ms * PB_NS_PER_MS) {
		for (unsigned c = 0; c < CALLS; c++) {
			uint32_t i = sent.frames[c]++;

			sent.at_ns[c][i] = mono_now_ns();
			check_int(test_frame(tap[c], c, 0, i, sent.at_ns[c][i]),
				  REC_TAP_FRAME_WRITTEN);
		}
		rec_tap_age(record_worker(rec, 0), mono_now_ns());
		usleep(1000);
	}
	pthread_mutex_lock(&w.lock); /* the recorder stands still: nothing is written any more */
	cut_ns = mono_now_ns();
	image_take(&now, p.volume[0]);

	struct image durable = w.durable;

	w.durable = (struct image){.n = 0};
	pthread_mutex_unlock(&w.lock);
	(void)record_stop(rec);
	unlink(p.shm);
	power_cut(&p, &durable, &now, seed);
	check_after(&p, &sent, cut_ns);
	image_free(&durable);
	image_free(&now);
	image_free(&w.durable);
	image_free(&w.syncing);
	place_remove(&p);
}

/* The long version: POWER_ROUNDS=200. */
static void a_power_cut_costs_the_window_and_mixes_nothing(void)
{
	const char *given = getenv("SEED"), *rounds = getenv("POWER_ROUNDS");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);
	unsigned n = rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : ROUNDS_SHORT;

	printf("     seed %u\n", seed);
	for (unsigned i = 0; i < n; i++)
		one_round(&seed);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_power_cut_costs_the_window_and_mixes_nothing),
};
CHECK_MAIN(cases)
