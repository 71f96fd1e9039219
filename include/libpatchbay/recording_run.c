/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs of the catalogue, made: from segments' indexes, and from other runs.
 *
 *   segments in no run ──sort──► run of tier 0 ─┐ eight of a tier ──merge──► one of the next
 *                                               └─ segments that are gone are left out
 *
 * A run is written under another name, made durable, and given its name; then the runs it is made
 * of go. Whatever dies in between, every segment is in a run or in none, and in two at the worst,
 * which readers do not mind.
 */
#include "libpatchbay/recording_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "libpatchbay/recording_segment.h"

enum {
	BATCH_SEGMENTS = 64, /* at once from segments */
	FAN = 8,             /* runs of a tier that become one */
	TIERS = 8,
	TIER_0_ENTRIES = BATCH_SEGMENTS * 4096,
};

/* --- writing one --- */

struct run_writer {
	FILE *f;
	char part[4096];
	const struct catalogue_segment *table;
	uint32_t segments;
	struct catalogue_fence *fence;
	uint32_t blocks, blocks_max;
	uint64_t entries;
	uint32_t in_block;
	uint8_t block[RECORDING_BLOCK];
	int err;
};

static void put_padded(struct run_writer *w, const void *p, size_t bytes)
{
	static const uint8_t zero[RECORDING_BLOCK];
	size_t pad = (size_t)(recording_pad(bytes, RECORDING_BLOCK) - bytes);

	if ((bytes != 0 && fwrite(p, bytes, 1, w->f) != 1) ||
	    (pad != 0 && fwrite(zero, pad, 1, w->f) != 1))
		w->err = -errno;
}

static int writer_open(struct run_writer *w, const char *dir, const struct catalogue_segment *table,
		       uint32_t segments)
{
	static const uint8_t zero[RECORDING_BLOCK];

	memset(w, 0, sizeof(*w));
	w->table = table;
	w->segments = segments;
	if ((size_t)snprintf(w->part, sizeof(w->part), "%s/catalogue.part", dir) >= sizeof(w->part))
		return -ENAMETOOLONG;
	w->f = fopen(w->part, "wbe");
	if (w->f == NULL)
		return -errno;
	put_padded(w, zero, sizeof(zero)); /* the head comes last */
	put_padded(w, table, segments * sizeof(*table));
	return 0;
}

static void flush_block(struct run_writer *w)
{
	uint32_t crc;

	if (w->in_block == 0)
		return;
	memcpy(w->block + sizeof(crc), &w->in_block, sizeof(w->in_block));
	crc = crc32c(0, w->block + sizeof(crc), RECORDING_BLOCK - sizeof(crc));
	memcpy(w->block, &crc, sizeof(crc));
	put_padded(w, w->block, RECORDING_BLOCK);
	memset(w->block, 0, sizeof(w->block));
	w->in_block = 0;
	w->blocks++;
}

static void put_fence(struct run_writer *w, const struct catalogue_entry *e)
{
	if (w->blocks == w->blocks_max) {
		uint32_t max = w->blocks_max != 0 ? w->blocks_max * 2 : 256;
		void *p = realloc(w->fence, max * sizeof(*w->fence));

		if (p == NULL) {
			w->err = -ENOMEM;
			return;
		}
		w->fence = p;
		w->blocks_max = max;
	}
	w->fence[w->blocks] = (struct catalogue_fence){.part_ns = e->part_ns, .seq = e->seq};
	memcpy(w->fence[w->blocks].id, e->id, sizeof(e->id));
}

static void put_entry(struct run_writer *w, const struct catalogue_entry *e)
{
	if (w->err != 0)
		return;
	if (w->in_block == 0)
		put_fence(w, e);
	memcpy(w->block + CATALOGUE_BLOCK_HEAD + w->in_block * sizeof(*e), e, sizeof(*e));
	w->entries++;
	if (++w->in_block == CATALOGUE_BLOCK_ENTRIES)
		flush_block(w);
}

static void put_head(struct run_writer *w)
{
	uint8_t block[RECORDING_BLOCK] = {0};
	struct catalogue_head h = {
		.magic = CATALOGUE_MAGIC,
		.version = CATALOGUE_VERSION,
		.table_crc = crc32c(0, w->table, w->segments * sizeof(*w->table)),
		.fences_crc = crc32c(0, w->fence, w->blocks * sizeof(*w->fence)),
		.segments = w->segments,
		.blocks = w->blocks,
		.entries = w->entries,
		.blocks_at = RECORDING_BLOCK +
			     recording_pad(w->segments * sizeof(*w->table), RECORDING_BLOCK),
	};

	h.fences_at = h.blocks_at + (uint64_t)w->blocks * RECORDING_BLOCK;
	h.bytes = h.fences_at + recording_pad(w->blocks * sizeof(*w->fence), RECORDING_BLOCK);
	memcpy(block, &h, sizeof(h));
	h.crc = catalogue_head_crc(block);
	memcpy(block, &h, sizeof(h));
	if (fseek(w->f, 0, SEEK_SET) != 0)
		w->err = -errno;
	else
		put_padded(w, block, sizeof(block));
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) != 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* Durable and under its name, or gone. */
static int writer_close(struct run_writer *w, const char *dir, uint32_t serial)
{
	uint64_t highest = w->segments != 0 ? w->table[w->segments - 1].number : 0;
	char path[4096];

	flush_block(w);
	put_padded(w, w->fence, w->blocks * sizeof(*w->fence));
	put_head(w);
	if (w->err == 0 && (fflush(w->f) != 0 || fsync(fileno(w->f)) != 0))
		w->err = -errno;
	fclose(w->f);
	free(w->fence);
	if ((size_t)snprintf(path, sizeof(path), "%s/catalogue-%08x-%08x.pbcat", dir,
			     (unsigned)serial, (unsigned)highest) >= sizeof(path))
		w->err = -ENAMETOOLONG;
	if (w->err == 0 && rename(w->part, path) != 0)
		w->err = -errno;
	if (w->err == 0)
		return sync_dir(dir);
	unlink(w->part);
	return w->err;
}

static int entry_order(const void *a, const void *b)
{
	const struct catalogue_entry *x = a, *y = b;
	int id = memcmp(x->id, y->id, sizeof(x->id));

	if (id != 0)
		return id;
	if (x->part_ns != y->part_ns)
		return x->part_ns < y->part_ns ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->segment < y->segment ? -1 : x->segment > y->segment;
}

/* --- the directory --- */

struct named_run {
	uint32_t serial, highest;
	struct catalogue_run run;
};

struct update {
	const char *dir;
	const _Atomic bool *stop;
	struct named_run run[CATALOGUE_RUNS_MAX];
	unsigned runs;
	uint32_t serial; /* next */
	uint64_t *number;
	uint32_t numbers, numbers_max;
};

static int add_number(struct update *u, uint64_t number)
{
	if (u->numbers == u->numbers_max) {
		uint32_t max = u->numbers_max != 0 ? u->numbers_max * 2 : 1024;
		void *p = realloc(u->number, max * sizeof(*u->number));

		if (p == NULL)
			return -ENOMEM;
		u->number = p;
		u->numbers_max = max;
	}
	u->number[u->numbers++] = number;
	return 0;
}

static void take_run(struct update *u, const char *name, uint32_t serial, uint32_t highest)
{
	struct named_run *r = &u->run[u->runs];
	char path[4096];
	int err;

	if (serial >= u->serial)
		u->serial = serial + 1;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", u->dir, name) >= sizeof(path))
		return;
	err = u->runs < CATALOGUE_RUNS_MAX ? catalogue_run_open(&r->run, path) : -EBADMSG;
	if (err == -EBADMSG)
		unlink(path); /* its segments are in no run now, and come into a new one */
	if (err != 0)
		return;
	r->serial = serial;
	r->highest = highest;
	u->runs++;
}

static int number_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int look(struct update *u)
{
	DIR *d = opendir(u->dir);
	int err = 0;

	if (d == NULL)
		return -errno;
	for (const struct dirent *e; err == 0 && (e = readdir(d)) != NULL;) {
		uint32_t serial, highest;
		uint64_t number;

		if (catalogue_name(e->d_name, &serial, &highest))
			take_run(u, e->d_name, serial, highest);
		else if (recording_segment_number(e->d_name, &number))
			err = add_number(u, number);
	}
	closedir(d);
	if (u->numbers != 0)
		qsort(u->number, u->numbers, sizeof(*u->number), number_order);
	return err;
}

static bool exists(const struct update *u, uint64_t number)
{
	return u->numbers != 0 &&
	       bsearch(&number, u->number, u->numbers, sizeof(number), number_order) != NULL;
}

static bool covered(const struct update *u, uint64_t number)
{
	uint64_t tag;

	for (unsigned i = 0; i < u->runs; i++)
		if (catalogue_run_covers(&u->run[i].run, number, &tag))
			return true;
	return false;
}

/* --- from segments --- */

struct gathered {
	struct catalogue_segment table[BATCH_SEGMENTS];
	uint32_t segments;
	struct catalogue_entry *entry;
	uint64_t n, max;
};

static int gather_entries(struct gathered *g, const struct recording_segment *s)
{
	if (g->n + s->entries > g->max) {
		uint64_t max = 2 * (g->n + s->entries);
		void *p = realloc(g->entry, max * sizeof(*g->entry));

		if (p == NULL)
			return -ENOMEM;
		g->entry = p;
		g->max = max;
	}
	for (uint32_t i = 0; i < s->entries; i++) {
		const struct recording_index_entry *x = &s->index[i];
		struct catalogue_entry *e = &g->entry[g->n++];

		*e = (struct catalogue_entry){
			.part_ns = x->part_ns,
			.first_wall_ns = x->first_wall_ns,
			.seq = (uint32_t)x->seq,
			.segment = g->segments,
			.offset = x->offset,
			.span_us = (uint32_t)(x->span_ns / 1000),
			.crc = x->crc,
			.used = (uint16_t)x->used,
			.flags = (uint16_t)x->flags,
		};
		memcpy(e->id, x->id, sizeof(e->id));
	}
	g->table[g->segments++] = (struct catalogue_segment){s->number, s->tag};
	return 0;
}

/* Take the index of a segment, if it has one. */
static int gather(struct gathered *g, const char *dir, uint64_t number)
{
	struct recording_segment s;
	char path[4096];
	int err = 0;

	snprintf(path, sizeof(path), "%s/seg-%08x.pbseg", dir, (unsigned)number);
	if (recording_segment_open(&s, path, number, true) != 0)
		return 0;
	if (s.sealed && !s.live)
		err = gather_entries(g, &s);
	recording_segment_close(&s);
	return err;
}

static int write_gathered(struct update *u, struct gathered *g)
{
	struct run_writer w;
	int err;

	if (g->n != 0)
		qsort(g->entry, g->n, sizeof(*g->entry), entry_order);
	err = writer_open(&w, u->dir, g->table, g->segments);
	if (err != 0)
		return err;
	for (uint64_t i = 0; i < g->n; i++)
		put_entry(&w, &g->entry[i]);
	return writer_close(&w, u->dir, u->serial++);
}

static bool stopped(const struct update *u)
{
	return u->stop != NULL && atomic_load_explicit(u->stop, memory_order_relaxed);
}

/* Segments that are in no run, some of them, into a new one. Returns how many. */
static int add_segments(struct update *u, unsigned least)
{
	struct gathered g = {.segments = 0};
	unsigned wanted = 0;
	int err = 0;

	for (uint32_t i = 0; i < u->numbers; i++)
		wanted += !covered(u, u->number[i]);
	for (uint32_t i = 0; i < u->numbers && err == 0 && wanted >= least && wanted != 0 &&
			     g.segments < BATCH_SEGMENTS;
	     i++) {
		if (covered(u, u->number[i]))
			continue;
		err = stopped(u) ? -ECANCELED : gather(&g, u->dir, u->number[i]);
	}
	if (err == 0 && g.segments != 0)
		err = write_gathered(u, &g);
	free(g.entry);
	return err != 0 ? err : (int)g.segments;
}

/* --- from runs --- */

struct cursor {
	const struct catalogue_run *run;
	uint32_t block, at, n;
	const struct catalogue_entry *entry;
	uint32_t *place; /* in the new table, by old place; UINT32_MAX: gone */
};

/* At the next entry; false at the end. *err when a block is damaged. */
static bool cursor_next(struct cursor *c, int *err)
{
	if (c->entry != NULL && ++c->at < c->n)
		return true;
	c->at = 0;
	c->entry = NULL;
	if (c->block == c->run->head.blocks)
		return false;
	c->entry = catalogue_run_block(c->run, c->block++, &c->n);
	if (c->entry == NULL)
		*err = -EBADMSG;
	return c->entry != NULL;
}

static int table_order(const void *a, const void *b)
{
	const struct catalogue_segment *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* The segments of all that still exist. Returns their number; places are filled. */
static uint32_t merge_tables(const struct update *u, struct cursor *c, unsigned n,
			     struct catalogue_segment *table)
{
	uint32_t segments = 0;

	for (unsigned k = 0; k < n; k++)
		for (uint32_t i = 0; i < c[k].run->head.segments; i++)
			if (exists(u, c[k].run->table[i].number))
				table[segments++] = c[k].run->table[i];
	if (segments != 0)
		qsort(table, segments, sizeof(*table), table_order);
	for (unsigned k = 0; k < n; k++)
		for (uint32_t i = 0; i < c[k].run->head.segments; i++) {
			const struct catalogue_segment *s =
				segments != 0 ? bsearch(&c[k].run->table[i], table, segments,
							sizeof(*table), table_order)
					      : NULL;

			c[k].place[i] = s != NULL ? (uint32_t)(s - table) : UINT32_MAX;
		}
	return segments;
}

static int merge_entries(const struct update *u, struct run_writer *w, struct cursor *c, unsigned n)
{
	int err = 0;

	for (unsigned k = 0; k < n; k++)
		(void)cursor_next(&c[k], &err);
	while (err == 0) {
		struct cursor *least = NULL;
		struct catalogue_entry e;

		for (unsigned k = 0; k < n; k++)
			if (c[k].entry != NULL &&
			    (least == NULL ||
			     entry_order(&c[k].entry[c[k].at], &least->entry[least->at]) < 0))
				least = &c[k];
		if (least == NULL)
			break;
		if (least->at == 0 && stopped(u))
			return -ECANCELED;
		e = least->entry[least->at];
		(void)cursor_next(least, &err);
		if (e.segment >= least->run->head.segments) {
			err = -EBADMSG;
		} else if (least->place[e.segment] != UINT32_MAX) {
			e.segment = least->place[e.segment];
			put_entry(w, &e);
		}
	}
	return err;
}

static void unlink_run(const struct update *u, const struct named_run *r)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/catalogue-%08x-%08x.pbcat", u->dir, (unsigned)r->serial,
		 (unsigned)r->highest);
	unlink(path);
}

/* One run in place of these. A damaged one among them is given up: its segments are in no run then,
 * and the next update takes them anew. */
static int merge(struct update *u, struct named_run *const *of, unsigned n)
{
	struct cursor c[FAN] = {0};
	struct catalogue_segment *table;
	struct run_writer w;
	uint64_t all = 0;
	uint32_t *place;
	int err;

	for (unsigned k = 0; k < n; k++)
		all += of[k]->run.head.segments;
	table = calloc(all + 1, sizeof(*table));
	place = calloc(all + 1, sizeof(*place));
	all = 0;
	for (unsigned k = 0; k < n && place != NULL; k++) {
		c[k].run = &of[k]->run;
		c[k].place = place + all;
		all += of[k]->run.head.segments;
	}
	err = table != NULL && place != NULL ? 0 : -ENOMEM;
	if (err == 0)
		err = writer_open(&w, u->dir, table, merge_tables(u, c, n, table));
	if (err == 0) {
		w.err = merge_entries(u, &w, c, n);
		err = writer_close(&w, u->dir, u->serial++);
	}
	for (unsigned k = 0; k < n && (err == 0 || err == -EBADMSG); k++)
		unlink_run(u, of[k]);
	free(table);
	free(place);
	return err;
}

static unsigned tier_of(const struct named_run *r)
{
	uint64_t size = TIER_0_ENTRIES;
	unsigned tier = 0;

	while (r->run.head.entries > size && tier < TIERS - 1) {
		size *= FAN;
		tier++;
	}
	return tier;
}

static int merge_tiers(struct update *u)
{
	for (unsigned tier = 0; tier < TIERS; tier++) {
		struct named_run *of[FAN];
		unsigned n = 0;

		for (unsigned i = 0; i < u->runs && n < FAN; i++)
			if (tier_of(&u->run[i]) == tier)
				of[n++] = &u->run[i];
		if (n == FAN)
			return merge(u, of, n); /* the next update sees the rest */
	}
	return 0;
}

static void forget(struct update *u)
{
	for (unsigned i = 0; i < u->runs; i++)
		catalogue_run_close(&u->run[i].run);
	free(u->number);
}

/* One look at the directory: merge what is to be merged, then add what is new. */
static int update_once(const char *dir, unsigned least, const _Atomic bool *stop)
{
	struct update *u = calloc(1, sizeof(*u));
	int err, added = 0;

	if (u == NULL)
		return -ENOMEM;
	u->dir = dir;
	u->stop = stop;
	err = look(u);
	if (err == 0)
		err = merge_tiers(u);
	if (err == 0) {
		added = add_segments(u, least);
		err = added < 0 ? added : 0;
	}
	forget(u);
	free(u);
	return err != 0 ? err : added;
}

int recording_run_update(const char *dir, unsigned least, const _Atomic bool *stop)
{
	char path[4096];
	int fd, added;

	if ((size_t)snprintf(path, sizeof(path), "%s/catalogue.lock", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -EAGAIN;
	}
	added = update_once(dir, least, stop);
	if (added > 0) /* what that made may be the eighth of its tier */
		(void)update_once(dir, UINT32_MAX, stop);
	else if (added == -EBADMSG)
		added = update_once(dir, least, stop);
	close(fd);
	return added;
}
