/* SPDX-License-Identifier: Apache-2.0
 *
 * The power fails. What a disk has made durable is what was written before a sync that has
 * succeeded; of all that was written since, any 512 bytes may be there or not, in any order.
 *
 * In virtual time (record_world.h) this is exact. When a sync begins, the volume's segments are copied as
 * they are; when it has succeeded, that copy is what is durable. At a random millisecond the power fails:
 * memory is gone, and each disk is its durable copy with a random choice of newer sectors. Then
 *   - every frame that was reported durable is there;
 *   - with disks that do as usual, so is every frame that is older than the window, to the millisecond;
 *   - with disks that stall or fail, every frame older than the window and the lag that was told;
 *   - and nothing is torn, mixed or twice, though the files had been used before.
 */
#include <sys/stat.h>

#include "record/record_world.h"

enum {
	OLD_CALLS = 3, /* of an earlier run; what they left is finished and used again */
	CALLS = OLD_CALLS + 8,
	ROUNDS_SHORT = 12,
	SECTOR = 512,
	FILES = 64,
	OLD_MS = 6000,
};

struct file {
	char name[32];
	uint8_t *bytes;
	size_t len;
};

struct image {
	struct file file[FILES];
	unsigned n;
};

struct disk {
	struct image durable, syncing, now;
};

struct cut {
	struct disk disk[2];
	uint64_t at_ns; /* when the power fails */
	bool done;
	uint32_t lag_ms;
	struct world_call call[CALLS]; /* as it was then */
	unsigned seed;
};

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245U + 12345U;
	return *seed >> 16 & 0x7fff;
}

/* --- images --- */

static void image_free(struct image *m)
{
	for (unsigned i = 0; i < m->n; i++)
		free(m->file[i].bytes);
	m->n = 0;
}

static struct file *image_find(struct image *m, const char *name)
{
	for (unsigned i = 0; i < m->n; i++)
		if (strcmp(m->file[i].name, name) == 0)
			return &m->file[i];
	return NULL;
}

/* The segments as they are now. */
static void image_take(struct image *m, const char *dir)
{
	DIR *d = opendir(dir);

	image_free(m);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		struct file *to = &m->file[m->n];
		char path[400];
		struct stat st;
		FILE *f;

		snprintf(path, sizeof(path), "%s/%.40s", dir, e->d_name);
		if (strncmp(e->d_name, "seg-", 4) != 0 || stat(path, &st) != 0)
			continue;
		check(m->n < FILES);
		snprintf(to->name, sizeof(to->name), "%.31s", e->d_name);
		to->len = (size_t)st.st_size;
		to->bytes = calloc(1, to->len + 1);
		f = fopen(path, "rb");
		check(to->bytes != NULL && f != NULL);
		check(fread(to->bytes, 1, to->len, f) == to->len);
		fclose(f);
		m->n++;
	}
	if (d != NULL)
		closedir(d);
}

static void file_copy(struct image *m, const struct file *from)
{
	struct file *to = image_find(m, from->name);

	if (to == NULL) {
		check(m->n < FILES);
		to = &m->file[m->n++];
		*to = (struct file){0};
		memcpy(to->name, from->name, sizeof(to->name));
	}
	free(to->bytes);
	to->len = from->len;
	to->bytes = malloc(from->len + 1);
	check(to->bytes != NULL);
	memcpy(to->bytes, from->bytes, from->len);
}

static bool is_sealed(const struct file *f)
{
	struct recording_segment_head h;
	struct recording_index_tail t;

	if (f->len < RECORDING_BLOCK + sizeof(t))
		return false;
	memcpy(&h, f->bytes, sizeof(h));
	memcpy(&t, f->bytes + f->len - sizeof(t), sizeof(t));
	return t.magic == RECORDING_INDEX_MAGIC && t.tag == h.tag;
}

/* --- what becomes durable --- */

static void begins(struct world *w, enum record_op op, unsigned volume)
{
	struct cut *c = w->more;

	if (op == RECORD_OP_SYNC && !c->done)
		image_take(&c->disk[volume].syncing, w->p.volume[volume]);
}

static void ended(struct world *w, enum record_op op, unsigned volume, int result)
{
	struct cut *c = w->more;
	struct disk *d = &c->disk[volume];
	struct image now = {.n = 0};

	if (result != 0 || op == RECORD_OP_WRITE || c->done)
		return;
	for (unsigned i = 0; op == RECORD_OP_SYNC && i < d->syncing.n; i++)
		file_copy(&d->durable, &d->syncing.file[i]);
	if (op == RECORD_OP_SYNC)
		return;
	/* a new segment has its head, whatever is behind it; a sealed one has all */
	image_take(&now, w->p.volume[volume]);
	for (unsigned i = 0; i < now.n; i++)
		if (is_sealed(&now.file[i]) || image_find(&d->durable, now.file[i].name) == NULL)
			file_copy(&d->durable, &now.file[i]);
	image_free(&now);
}

static void tick(struct world *w)
{
	struct cut *c = w->more;

	if (c->done || w->now_ns < c->at_ns)
		return;
	c->done = true;
	c->lag_ms = world_stats(w).lag_ms;
	memcpy(c->call, w->call, sizeof(c->call));
	for (unsigned v = 0; v < 2; v++)
		image_take(&c->disk[v].now, w->p.volume[v]);
}

/* What a disk is when the power is back. A segment that is visible has its head: it was made durable
 * before the file got its name. */
static void come_back(struct cut *c, const char *dir, struct disk *d)
{
	unsigned share = next_random(&c->seed) % 5; /* of the newer sectors: none, some, all */

	place_empty(dir);
	check(mkdir(dir, 0700) == 0);
	for (unsigned i = 0; i < d->now.n; i++) {
		const struct file *now = &d->now.file[i];
		const struct file *old = image_find(&d->durable, now->name);
		uint8_t *mixed = calloc(1, now->len + 1);
		char path[400];
		FILE *f;

		check(mixed != NULL);
		for (size_t at = 0; at < now->len; at += SECTOR) {
			size_t n = now->len - at < SECTOR ? now->len - at : SECTOR;
			bool newer = next_random(&c->seed) % 4 < share || at < RECORDING_BLOCK;

			if (newer)
				memcpy(mixed + at, now->bytes + at, n);
			else if (old != NULL && at + n <= old->len)
				memcpy(mixed + at, old->bytes + at, n);
		}
		snprintf(path, sizeof(path), "%s/%s", dir, now->name);
		f = fopen(path, "wb");
		check(f != NULL && fwrite(mixed, 1, now->len, f) == now->len && fclose(f) == 0);
		free(mixed);
	}
}

/* --- what is there --- */

static void check_call(const struct cut *c, struct recording_store *st, unsigned n,
		       uint64_t must_ms)
{
	const struct world_call *k = &c->call[n];
	struct seen seen = {0};
	struct recording *r;
	uint8_t id[16];
	bool there;

	test_id(id, n);
	there = recording_open(st, id, NULL, NULL, &r) == 0;
	if (there)
		seen = see_recording(r, n); /* each frame to the byte, none twice */
	for (unsigned ch = 0; ch < 2; ch++) {
		check(seen.frames[ch] <= k->written[ch]);
		for (uint32_t i = 0; i < k->sent[ch]; i++) {
			uint64_t at_ns = world_frame_ns(k, i);
			bool old = k->taken[ch][i] && at_ns + must_ms * PB_NS_PER_MS <= c->at_ns;

			check(!seen.have[ch] || !seen.have[ch][i] || k->taken[ch][i]);
			if (k->durable[ch][i] || old)
				check(there && seen.have[ch][i]);
		}
	}
	if (there) {
		seen_free(&seen);
		recording_close(r);
	}
}

/* Of the earlier run there may be anything or nothing, but nothing else. */
static void check_old(struct recording_store *st, unsigned n)
{
	struct recording *r;
	uint8_t id[16];

	test_id(id, n);
	if (recording_open(st, id, NULL, NULL, &r) != 0)
		return;

	struct seen seen = see_recording(r, n);

	seen_free(&seen);
	recording_close(r);
}

static void check_after(struct world *w, const struct cut *c, uint64_t must_ms)
{
	struct recording_store *st;
	struct recording_verdict v;
	struct damages d = {0};

	/* the next engine repairs; nothing is in memory any more */
	w->tick = NULL;
	check_int(record_start(&w->cfg, &w->rec), 0);
	world_end(w, 0);
	st = place_open(&w->p);
	check_int(recording_verify(st, NULL, count_damage, &d, &v), 0);
	check_int(d.of[RECORDING_DAMAGE_EXTENT_TWICE], 0);
	check_int(d.of[RECORDING_DAMAGE_FRAME], 0);
	check_int(d.of[RECORDING_DAMAGE_ACCOUNT], 0);
	check_int(d.of[RECORDING_DAMAGE_INDEX] + d.of[RECORDING_DAMAGE_SEGMENT_HEAD], 0);
	for (unsigned n = 0; n < OLD_CALLS; n++)
		check_old(st, n);
	for (unsigned n = OLD_CALLS; n < CALLS; n++)
		check_call(c, st, n, must_ms);
	recording_store_close(st);
}

/* Stalls and errors, anywhere. */
static void trouble(struct world *w, struct cut *c)
{
	static const int what[] = {WORLD_STALL, WORLD_STALL,       -EIO,
				   -ENOSPC,     RECORD_FAULT_TORN, RECORD_FAULT_SHORT};

	for (unsigned i = 0; i < 4; i++) {
		uint64_t from = OLD_MS + next_random(&c->seed) % 6000;

		world_rule(w, (struct world_rule){
				      .ops = 1 + next_random(&c->seed) % 15,
				      .volumes = 1 + next_random(&c->seed) % 3,
				      .from_ms = from,
				      .to_ms = from + 50 + next_random(&c->seed) % 2000,
				      .what = what[next_random(&c->seed) % 6],
			      });
	}
}

static void one_round(unsigned *seed, bool troubled)
{
	struct cut *c = calloc(1, sizeof(*c));
	struct world w;

	check(c != NULL);
	c->seed = next_random(seed);
	world_make(&w, 2, OLD_CALLS);
	w.cfg.weight[0] = 1;
	w.cfg.weight[1] = next_random(seed) % 3;
	w.cfg.recycle_below = 100;
	w.cfg.fresh = 1;
	world_begin(&w);
	world_run(&w, OLD_MS - 1000);
	world_end(&w, 0);
	for (unsigned v = 0; v < 2; v++)
		place_finish(w.p.volume[v], UINT64_MAX);
	w.now_ns = w.begin_ns + OLD_MS * PB_NS_PER_MS;
	w.calls = CALLS;
	w.late_ms = 0;
	if (troubled)
		trouble(&w, c);
	c->at_ns = w.now_ns + (500 + next_random(seed) % 9000) * PB_NS_PER_MS;
	w.more = c;
	w.begins = begins;
	w.ended = ended;
	w.tick = tick;
	world_begin_from(&w, OLD_CALLS);
	while (!c->done)
		record_turn(w.rec);
	if (!troubled) {
		check(w.late_ms <= WORLD_WINDOW_MS);
		check(c->lag_ms <= WORLD_WINDOW_MS);
	}
	w.begins = NULL;
	w.ended = NULL;
	w.rules = 0;
	world_end(&w, 0);
	for (unsigned v = 0; v < 2; v++)
		come_back(c, w.p.volume[v], &c->disk[v]);
	check_after(&w, c, troubled ? WORLD_WINDOW_MS + c->lag_ms : WORLD_WINDOW_MS);
	for (unsigned v = 0; v < 2; v++) {
		image_free(&c->disk[v].durable);
		image_free(&c->disk[v].syncing);
		image_free(&c->disk[v].now);
	}
	free(c);
	world_free(&w);
}

/* The long version: POWER_ROUNDS=1000. */
static void rounds(bool troubled)
{
	const char *given = getenv("SEED"), *many = getenv("POWER_ROUNDS");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 0) : (unsigned)time(NULL);
	unsigned n = many != NULL ? (unsigned)strtoul(many, NULL, 10) : ROUNDS_SHORT;

	printf("     seed %u\n", seed);
	for (unsigned i = 0; i < n; i++)
		one_round(&seed, troubled);
}

static void a_power_cut_costs_at_most_the_window(void)
{
	rounds(false);
}

static void a_power_cut_amid_faults_costs_nothing_that_was_reported_durable(void)
{
	rounds(true);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_power_cut_costs_at_most_the_window),
	CHECK_CASE(a_power_cut_amid_faults_costs_nothing_that_was_reported_durable),
};
CHECK_MAIN(cases)
