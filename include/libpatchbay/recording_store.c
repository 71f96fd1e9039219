/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: segments, and the way to the extents in them. Segments are opened when they are
 * needed, so a store of any size needs few descriptors; a segment that vanishes meanwhile (recycled
 * by its engine) is simply not there.
 *
 * Where the extents of one recording are is told by three, in this order:
 *   the catalogue of each directory, for the segments that it covers;
 *   the index of a sealed segment that it does not cover;
 *   the blocks of the one or two that are not sealed.
 * The latter two are remembered, and of an unsealed segment only what is new is looked at again.
 */
#include "libpatchbay/recording_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libpatchbay/recording_catalogue.h"
#include "libpatchbay/recording_live.h"

enum { NO_SEGMENT = UINT32_MAX, KEPT_MAX = 1 << 20 /* entries in memory, 64 bytes each */ };

/* --- directories --- */

static int segment_order(const void *a, const void *b)
{
	const struct store_segment *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->dir < y->dir ? -1 : x->dir > y->dir;
}

/* The place of a segment, or of where it would be. */
static uint32_t place_of(const struct recording_store *st, uint32_t dir, uint64_t number)
{
	struct store_segment key = {.number = number, .dir = dir};
	uint32_t lo = 0, hi = st->sorted;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (segment_order(&st->segment[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t find_segment(const struct recording_store *st, uint32_t dir, uint64_t number)
{
	uint32_t at = place_of(st, dir, number);

	if (at < st->sorted && st->segment[at].number == number && st->segment[at].dir == dir)
		return at;
	for (at = st->sorted; at < st->segments; at++)
		if (st->segment[at].number == number && st->segment[at].dir == dir)
			return at;
	return NO_SEGMENT;
}

static int add_segment(struct recording_store *st, uint32_t dir, const char *name, uint64_t number)
{
	size_t len = strlen(st->dir[dir]) + strlen(name) + 2;
	char *path;

	if (st->segments == st->segments_max) {
		uint32_t max = st->segments_max != 0 ? st->segments_max * 2 : 256;
		void *p = realloc(st->segment, max * sizeof(*st->segment));

		if (p == NULL)
			return -ENOMEM;
		st->segment = p;
		st->segments_max = max;
	}
	path = malloc(len);
	if (path == NULL)
		return -ENOMEM;
	snprintf(path, len, "%s/%s", st->dir[dir], name);
	st->segment[st->segments++] =
		(struct store_segment){.path = path, .number = number, .dir = dir};
	return 0;
}

static void open_catalogue(struct recording_store *st, uint32_t dir)
{
	if (st->catalogue[dir] != NULL)
		catalogue_close(st->catalogue[dir]);
	/* without memory for it the store is read as if there were none */
	(void)catalogue_open(&st->catalogue[dir], st->dir[dir], &st->catalogues_bad[dir]);
	for (uint32_t i = 0; i < st->segments; i++)
		if (st->segment[i].dir == dir)
			st->segment[i].catalogued =
				!st->segment[i].distrusted && st->catalogue[dir] != NULL &&
				catalogue_covers(st->catalogue[dir], st->segment[i].number, NULL);
}

/* Is the file another segment than the one that the catalogue knows under its number? */
static bool exchanged(struct recording_store *st, uint32_t segment)
{
	const struct store_segment *g = &st->segment[segment];
	struct recording_segment s;
	uint64_t tag;
	bool other;

	if (st->catalogue[g->dir] == NULL ||
	    !catalogue_covers(st->catalogue[g->dir], g->number, &tag) ||
	    store_open_segment(st, segment, false, &s, NULL, NULL) != 0)
		return false;
	other = s.tag != tag;
	recording_segment_close(&s);
	return other;
}

bool store_distrust(struct recording_store *st, uint32_t segment)
{
	struct store_segment *g = &st->segment[segment];
	bool all;

	if (!g->catalogued)
		return false;
	/* where one file is another, nothing is known of the rest either */
	all = exchanged(st, segment);
	for (uint32_t i = 0; i < st->segments; i++)
		if (i == segment || (all && st->segment[i].dir == g->dir)) {
			st->segment[i].distrusted = true;
			st->segment[i].catalogued = false;
		}
	return true;
}

bool store_compare(struct recording_store *st, uint32_t segment)
{
	struct store_segment *g = &st->segment[segment];

	if (g->compared || !g->catalogued)
		return false;
	g->compared = true;
	return exchanged(st, segment) && store_distrust(st, segment);
}

/* Returns 1 when the directory could be read. */
static int look(struct recording_store *st, uint32_t dir)
{
	DIR *d = opendir(st->dir[dir]);
	int err = 0;

	if (d == NULL)
		return 0; /* a volume may be away; the others are read */
	for (const struct dirent *e; err == 0 && (e = readdir(d)) != NULL;) {
		uint64_t number;

		if (recording_segment_number(e->d_name, &number) &&
		    (st->sorted == 0 || find_segment(st, dir, number) == NO_SEGMENT))
			err = add_segment(st, dir, e->d_name, number);
	}
	closedir(d);
	if (err == 0)
		open_catalogue(st, dir);
	return err != 0 ? err : 1;
}

int recording_store_refresh(struct recording_store *st)
{
	bool any = false;

	for (uint32_t i = 0; i < st->dirs; i++) {
		int got = look(st, i);

		if (got < 0)
			return got;
		any = any || got == 1;
	}
	return any ? 0 : -ENOENT;
}

int recording_store_open(struct recording_store **out, const char *const *dir, size_t n)
{
	struct recording_store *st = calloc(1, sizeof(*st));
	int err = 0;

	if (st == NULL)
		return -ENOMEM;
	st->open_index = NO_SEGMENT;
	st->dir = calloc(n + 1, sizeof(*st->dir));
	st->catalogue = calloc(n + 1, sizeof(struct catalogue *));
	st->catalogues_bad = calloc(n + 1, sizeof(*st->catalogues_bad));
	if (st->dir == NULL || st->catalogue == NULL || st->catalogues_bad == NULL)
		err = -ENOMEM;
	for (size_t i = 0; i < n && err == 0; i++) {
		st->dir[i] = strdup(dir[i]);
		err = st->dir[i] != NULL ? 0 : -ENOMEM;
		st->dirs += err == 0;
	}
	if (err == 0)
		err = recording_store_refresh(st);
	if (err != 0) {
		recording_store_close(st);
		return err;
	}
	/* In order once; what comes later stands behind, so that places stay what they are. */
	if (st->segments != 0)
		qsort(st->segment, st->segments, sizeof(*st->segment), segment_order);
	st->sorted = st->segments;
	*out = st;
	return 0;
}

void recording_store_close(struct recording_store *st)
{
	if (st->open_index != NO_SEGMENT)
		recording_segment_close(&st->open);
	recording_live_close(&st->live);
	for (uint32_t i = 0; i < st->segments; i++) {
		free(st->segment[i].path);
		free(st->segment[i].entry);
	}
	for (uint32_t i = 0; i < st->dirs; i++) {
		if (st->catalogue[i] != NULL)
			catalogue_close(st->catalogue[i]);
		free(st->dir[i]);
	}
	free(st->segment);
	free(st->catalogue);
	free(st->catalogues_bad);
	free(st->dir);
	free(st);
}

int recording_store_attach(struct recording_store *st, const char *extents)
{
	struct stat dir;

	recording_live_close(&st->live);
	if (strlen(extents) >= sizeof(st->live.path))
		return -ENAMETOOLONG;
	strcpy(st->live.path, extents);
	st->live.owner = st->dirs > 0 && stat(st->dir[0], &dir) == 0 ? dir.st_uid : 0;
	return 0;
}

/* --- segments --- */

static void tell_segment(const struct store_segment *seg, enum recording_damage_kind kind, int err,
			 recording_damage_fn *damage, void *ctx)
{
	struct recording_damage d = {
		.kind = kind,
		.path = seg->path,
		.offset = kind == RECORDING_DAMAGE_SEGMENT_HEAD ? 0 : RECORDING_NOWHERE,
		.seq = RECORDING_NOWHERE,
	};

	if (kind == RECORDING_DAMAGE_VERSION)
		snprintf(d.detail, sizeof(d.detail), "format %d; this program reads up to %d", err,
			 RECORDING_VERSION);
	else if (err != 0)
		snprintf(d.detail, sizeof(d.detail), "%s", strerror(-err));
	recording_damage_tell(damage, ctx, &d);
}

int store_open_segment(struct recording_store *st, uint32_t index, bool want_index,
		       struct recording_segment *s, recording_damage_fn *damage, void *ctx)
{
	const struct store_segment *seg = &st->segment[index];
	int err = recording_segment_open(s, seg->path, seg->number, want_index);

	if (err == -ENOENT)
		return err; /* recycled since we looked */
	if (err == -EPROTONOSUPPORT) {
		tell_segment(seg, RECORDING_DAMAGE_VERSION, s->version, damage, ctx);
		return err;
	}
	if (err == -EBADMSG || err == -ENODATA) {
		int head = err;

		err = recording_segment_guess(s, seg->path, seg->number);
		if (err == 0)
			tell_segment(seg, RECORDING_DAMAGE_SEGMENT_HEAD, 0, damage, ctx);
		else if (head == -EBADMSG)
			tell_segment(seg, RECORDING_DAMAGE_SEGMENT_UNREADABLE, head, damage, ctx);
	} else if (err != 0) {
		tell_segment(seg, RECORDING_DAMAGE_SEGMENT_UNREADABLE, err, damage, ctx);
	}
	if (err == 0 && want_index && s->index_bad)
		tell_segment(seg, RECORDING_DAMAGE_INDEX, 0, damage, ctx);
	return err;
}

struct extent_ref recording_extent_ref(const struct recording_extent_head *h, uint32_t segment,
				       uint64_t offset, bool live)
{
	struct extent_ref r = {
		.part_ns = h->part_ns,
		.seq = h->seq,
		.first_wall_ns = h->first_wall_ns,
		.span_ns = h->last_mono_ns >= h->first_mono_ns ? h->last_mono_ns - h->first_mono_ns
							       : 0,
		.segment = segment,
		.offset = (uint32_t)offset,
		.used = h->used,
		.flags = h->flags,
		.crc = h->crc,
		.live = live,
	};

	memcpy(r.id, h->id, sizeof(r.id));
	return r;
}

static int keep_entry(struct store_segment *g, const struct recording_index_entry *e)
{
	if (g->entries == g->entries_max) {
		uint32_t max = g->entries_max != 0 ? g->entries_max * 2 : 256;
		void *p = realloc(g->entry, max * sizeof(*g->entry));

		if (p == NULL)
			return -ENOMEM;
		g->entry = p;
		g->entries_max = max;
	}
	g->entry[g->entries++] = *e;
	return 0;
}

static int keep_scanned(void *ctx, enum recording_extent_verdict verdict, uint64_t offset,
			const struct recording_extent_head *h, const uint8_t *bytes)
{
	struct store_segment *g = ctx;
	struct extent_ref r;
	struct recording_index_entry e;

	(void)bytes;
	if (verdict != RECORDING_EXTENT_OK)
		return 0;
	r = recording_extent_ref(h, 0, offset, false);
	e = (struct recording_index_entry){
		.part_ns = r.part_ns,
		.seq = r.seq,
		.first_wall_ns = r.first_wall_ns,
		.span_ns = r.span_ns,
		.offset = r.offset,
		.used = r.used,
		.flags = r.flags,
		.crc = r.crc,
	};
	memcpy(e.id, r.id, sizeof(e.id));
	int err = keep_entry(g, &e);

	/* A write may be done before the one in front of it: what is behind such a hole is looked
	 * at again the next time, and the hole too. */
	if (err == 0 && offset == (g->scanned != 0 ? g->scanned : RECORDING_BLOCK)) {
		g->scanned = offset + recording_pad(h->used, RECORDING_BLOCK);
		g->solid = g->entries;
	}
	return err;
}

static void forget_entries(struct recording_store *st, struct store_segment *g)
{
	st->kept -= g->entries;
	free(g->entry);
	g->entry = NULL;
	g->entries = g->entries_max = g->solid = 0;
	g->scanned = 0;
	g->whole = false;
}

/* Know the entries of a segment as it is now. */
static int learn(struct recording_store *st, uint32_t index, recording_damage_fn *damage, void *ctx)
{
	struct store_segment *g = &st->segment[index];
	struct recording_segment s;
	uint32_t before = g->entries;
	int err;

	if (g->whole)
		return 0;
	err = store_open_segment(st, index, true, &s, damage, ctx);
	if (err != 0) {
		forget_entries(st, g);
		return 0; /* told */
	}
	g->live = s.live;
	if (s.sealed) {
		forget_entries(st, g);
		before = 0;
		g->entry = s.index;
		g->entries = g->entries_max = s.entries;
		g->whole = true;
		s.index = NULL;
	} else {
		/* a tag that changed means that the file is another one now */
		if (g->tag != s.tag)
			forget_entries(st, g);
		st->kept -= g->entries - g->solid;
		before = g->entries = g->solid;
		err = recording_segment_scan_from(&s, g->scanned, keep_scanned, g);
	}
	g->tag = s.tag;
	st->kept += g->entries - before;
	recording_segment_close(&s);
	return err;
}

struct each {
	struct recording_store *st;
	const uint8_t *only; /* NULL: all */
	unsigned digits;     /* of `only` */
	uint32_t dir;
	store_extent_fn *fn;
	void *ctx;
};

static bool wanted(const struct each *e, const uint8_t id[16])
{
	unsigned half = e->digits / 2;

	return e->only == NULL || (memcmp(e->only, id, half) == 0 &&
				   (e->digits % 2 == 0 || (e->only[half] ^ id[half]) >> 4 == 0));
}

static int each_segment(const struct each *e, uint32_t index)
{
	const struct store_segment *g = &e->st->segment[index];
	int err = 0;

	for (uint32_t i = 0; i < g->entries && err == 0; i++) {
		const struct recording_index_entry *x = &g->entry[i];
		struct extent_ref r = {
			.part_ns = x->part_ns,
			.seq = x->seq,
			.first_wall_ns = x->first_wall_ns,
			.span_ns = x->span_ns,
			.segment = index,
			.offset = x->offset,
			.used = x->used,
			.flags = x->flags,
			.crc = x->crc,
			.live = g->live && !g->whole,
		};

		if (!wanted(e, x->id))
			continue;
		memcpy(r.id, x->id, sizeof(r.id));
		err = e->fn(e->ctx, &r);
	}
	return err;
}

static int each_catalogued(void *ctx, const struct catalogue_entry *c, uint64_t number)
{
	const struct each *e = ctx;
	uint32_t segment = find_segment(e->st, e->dir, number);
	struct extent_ref r = {
		.part_ns = c->part_ns,
		.seq = c->seq,
		.first_wall_ns = c->first_wall_ns,
		.span_ns = c->span_us * UINT64_C(1000),
		.segment = segment,
		.offset = c->offset,
		.used = c->used,
		.flags = c->flags,
		.crc = c->crc,
	};

	if (segment == NO_SEGMENT || !e->st->segment[segment].catalogued)
		return 0; /* gone, or not believed */
	memcpy(r.id, c->id, sizeof(r.id));
	return e->fn(e->ctx, &r);
}

void store_tell_catalogue(const struct recording_store *st, uint32_t dir, uint64_t runs,
			  recording_damage_fn *damage, void *ctx)
{
	struct recording_damage d = {
		.kind = RECORDING_DAMAGE_CATALOGUE,
		.path = st->dir[dir],
		.offset = RECORDING_NOWHERE,
		.seq = RECORDING_NOWHERE,
		.count = runs,
	};

	recording_damage_tell(damage, ctx, &d);
}

/* Ask the catalogues. One that is damaged is told, and its segments are read themselves. */
static int ask_catalogues(struct each *e, recording_damage_fn *damage, void *damage_ctx)
{
	struct recording_store *st = e->st;

	for (e->dir = 0; e->dir < st->dirs; e->dir++) {
		int err;

		if (st->catalogues_bad[e->dir] != 0)
			store_tell_catalogue(st, e->dir, st->catalogues_bad[e->dir], damage,
					     damage_ctx);
		st->catalogues_bad[e->dir] = 0; /* told once */
		if (st->catalogue[e->dir] == NULL)
			continue;
		err = catalogue_find(st->catalogue[e->dir], e->only, e->digits, each_catalogued, e);
		if (err != -EBADMSG && err != 0)
			return err;
		if (err == 0)
			continue;
		store_tell_catalogue(st, e->dir, 1, damage, damage_ctx);
		catalogue_close(st->catalogue[e->dir]);
		st->catalogue[e->dir] = NULL;
		for (uint32_t i = 0; i < st->segments; i++)
			if (st->segment[i].dir == e->dir)
				st->segment[i].catalogued = false;
	}
	return 0;
}

int store_each_prefix(struct recording_store *st, const uint8_t *only, unsigned digits,
		      store_extent_fn *fn, recording_damage_fn *damage, void *ctx)
{
	struct each e = {.st = st, .only = only, .digits = digits, .fn = fn, .ctx = ctx};
	int err = only != NULL ? ask_catalogues(&e, damage, ctx) : 0;

	for (uint32_t i = 0; i < st->segments && err == 0; i++) {
		struct store_segment *g = &st->segment[i];

		if (only != NULL && g->catalogued)
			continue;
		err = learn(st, i, damage, ctx);
		if (err == 0)
			err = each_segment(&e, i);
		if (st->kept > KEPT_MAX)
			forget_entries(st, g);
	}
	return err;
}

int store_each(struct recording_store *st, const uint8_t *only, store_extent_fn *fn,
	       recording_damage_fn *damage, void *ctx)
{
	return store_each_prefix(st, only, 32, fn, damage, ctx);
}

int store_read(struct recording_store *st, const struct extent_ref *ref, uint8_t *buf,
	       struct recording_extent_head *head)
{
	if (ref->bytes != NULL) {
		memcpy(buf, ref->bytes, ref->used);
		memcpy(head, buf, sizeof(*head));
		return RECORDING_EXTENT_OK;
	}
	if (st->open_index != ref->segment) {
		if (st->open_index != NO_SEGMENT)
			recording_segment_close(&st->open);
		st->open_index = NO_SEGMENT;

		int err = store_open_segment(st, ref->segment, false, &st->open, NULL, NULL);

		if (err != 0)
			return err == -ENOENT ? -ESTALE : err;
		st->open_index = ref->segment;
	}

	int v = recording_segment_read(&st->open, ref->offset, buf, head);

	if (v == RECORDING_EXTENT_OK || !recording_segment_changed(&st->open))
		return v;
	recording_segment_close(&st->open);
	st->open_index = NO_SEGMENT;
	return -ESTALE;
}

int recording_extent_order(const void *a, const void *b)
{
	const struct extent_ref *x = a, *y = b;
	int id = memcmp(x->id, y->id, sizeof(x->id));

	if (id != 0)
		return id;
	if (x->part_ns != y->part_ns)
		return x->part_ns < y->part_ns ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int recording_extents_add(struct extent_refs *refs, const struct extent_ref *ref)
{
	if (refs->n == refs->max) {
		size_t max = refs->max != 0 ? refs->max * 2 : 64;
		void *p = realloc(refs->ref, max * sizeof(*refs->ref));

		if (p == NULL)
			return -ENOMEM;
		refs->ref = p;
		refs->max = max;
	}
	refs->ref[refs->n++] = *ref;
	return 0;
}
