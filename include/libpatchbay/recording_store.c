/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: segments by number, their extents one after the other, recordings put together from
 * them. Segments are opened when they are needed, so a store of any size needs few descriptors; a
 * segment that vanishes meanwhile (recycled by its engine) is simply not there.
 */
#include "libpatchbay/recording_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_SEGMENT = UINT32_MAX };

static int segment_order(const void *a, const void *b)
{
	const struct store_segment *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int add_segment(struct recording_store *st, const char *dir, const char *name,
		       uint64_t number)
{
	size_t len = strlen(dir) + strlen(name) + 2;
	char *path = malloc(len);
	void *grown = realloc(st->segment, (st->segments + 1) * sizeof(*st->segment));

	if (grown != NULL)
		st->segment = grown;
	if (path == NULL || grown == NULL) {
		free(path);
		return -ENOMEM;
	}
	snprintf(path, len, "%s/%s", dir, name);
	st->segment[st->segments++] = (struct store_segment){.path = path, .number = number};
	return 0;
}

int recording_store_open(struct recording_store **out, const char *const *dir, size_t n)
{
	struct recording_store *st = calloc(1, sizeof(*st));
	bool any = false;
	int err = 0;

	if (st == NULL)
		return -ENOMEM;
	st->open_index = NO_SEGMENT;
	for (size_t i = 0; i < n && err == 0; i++) {
		DIR *d = opendir(dir[i]);

		if (d == NULL)
			continue; /* a volume may be away; the others are read */
		any = true;
		for (const struct dirent *e; err == 0 && (e = readdir(d)) != NULL;) {
			uint64_t number;

			if (recording_segment_number(e->d_name, &number))
				err = add_segment(st, dir[i], e->d_name, number);
		}
		closedir(d);
	}
	if (err == 0 && !any)
		err = -ENOENT;
	if (err != 0) {
		recording_store_close(st);
		return err;
	}
	if (st->segments != 0)
		qsort(st->segment, st->segments, sizeof(*st->segment), segment_order);
	*out = st;
	return 0;
}

void recording_store_close(struct recording_store *st)
{
	if (st->open_index != NO_SEGMENT)
		recording_segment_close(&st->open);
	for (uint32_t i = 0; i < st->segments; i++)
		free(st->segment[i].path);
	free(st->segment);
	free(st);
}

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

struct each {
	const uint8_t *only;
	uint32_t segment;
	bool live;
	store_extent_fn *fn;
	void *ctx;
};

static int each_scanned(void *ctx, enum recording_extent_verdict verdict, uint64_t offset,
			const struct recording_extent_head *head, const uint8_t *bytes)
{
	struct each *e = ctx;
	struct extent_ref r;

	(void)bytes;
	if (verdict != RECORDING_EXTENT_OK ||
	    (e->only != NULL && memcmp(e->only, head->id, sizeof(head->id)) != 0))
		return 0;
	r = recording_extent_ref(head, e->segment, offset, e->live);
	return e->fn(e->ctx, &r);
}

static int each_indexed(struct each *e, const struct recording_segment *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->entries && err == 0; i++) {
		const struct recording_index_entry *x = &s->index[i];
		struct extent_ref r = {
			.part_ns = x->part_ns,
			.seq = x->seq,
			.first_wall_ns = x->first_wall_ns,
			.span_ns = x->span_ns,
			.segment = e->segment,
			.offset = x->offset,
			.used = x->used,
			.flags = x->flags,
			.crc = x->crc,
		};

		if (e->only != NULL && memcmp(e->only, x->id, sizeof(x->id)) != 0)
			continue;
		memcpy(r.id, x->id, sizeof(r.id));
		err = e->fn(e->ctx, &r);
	}
	return err;
}

int store_each(struct recording_store *st, const uint8_t *only, store_extent_fn *fn,
	       recording_damage_fn *damage, void *ctx)
{
	for (uint32_t i = 0; i < st->segments; i++) {
		struct recording_segment s;

		if (store_open_segment(st, i, true, &s, damage, ctx) != 0)
			continue;

		struct each e = {only, i, s.live, fn, ctx};
		int err = s.sealed ? each_indexed(&e, &s)
				   : recording_segment_scan(&s, each_scanned, &e);

		recording_segment_close(&s);
		if (err != 0)
			return err;
	}
	return 0;
}

int store_read(struct recording_store *st, const struct extent_ref *ref, uint8_t *buf,
	       struct recording_extent_head *head)
{
	if (st->open_index != ref->segment) {
		if (st->open_index != NO_SEGMENT)
			recording_segment_close(&st->open);
		st->open_index = NO_SEGMENT;

		int err = store_open_segment(st, ref->segment, false, &st->open, NULL, NULL);

		if (err != 0)
			return err;
		st->open_index = ref->segment;
	}
	return recording_segment_read(&st->open, ref->offset, buf, head);
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

/* --- one recording from its references --- */

static void read_metadata(struct recording_store *st, const struct extent_ref *ref, char *text)
{
	uint8_t buf[RECORDING_EXTENT_BYTES];
	struct recording_extent_head h;
	struct recording_frame_head fh;
	const uint8_t *payload;

	if (store_read(st, ref, buf, &h) != RECORDING_EXTENT_OK)
		return;

	uint32_t at = h.head_bytes;

	if (recording_frame_next(buf, h.used, &at, &fh, &payload) == 1 &&
	    fh.kind == RECORDING_FRAME_METADATA && fh.length <= RECORDING_METADATA_MAX) {
		memcpy(text, payload, fh.length);
		text[fh.length] = '\0';
	}
}

/* Add the account in the head of a part's last extent; with an END, its reason. */
static bool read_account(struct recording_store *st, const struct extent_ref *ref,
			 struct recording_info *info)
{
	uint8_t buf[RECORDING_EXTENT_BYTES];
	struct recording_extent_head h;
	struct recording_frame_head fh;
	const uint8_t *payload;

	if (store_read(st, ref, buf, &h) != RECORDING_EXTENT_OK)
		return false;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		info->account.channel[ch].written += h.channel[ch].written;
		info->account.channel[ch].lost += h.channel[ch].lost;
		info->account.channel[ch].accepted += h.channel[ch].written + h.channel[ch].lost;
		if (h.channel[ch].loss != 0)
			info->account.channel[ch].loss = h.channel[ch].loss;
		if (h.minor == 0)
			continue;
		info->account.channel[ch].masked += h.more[ch].masked;
		if (h.more[ch].missing > 0)
			info->account.channel[ch].missing += (uint64_t)h.more[ch].missing;
	}
	info->account.paused_ms += h.paused_ns / 1000000;
	for (uint32_t at = h.head_bytes;
	     recording_frame_next(buf, h.used, &at, &fh, &payload) == 1;)
		if (fh.kind == RECORDING_FRAME_END &&
		    fh.length == sizeof(struct recording_end_frame))
			memcpy(&info->end, payload, sizeof(info->end));
	return true;
}

void store_describe(struct recording_store *st, const struct extent_ref *ref, size_t n,
		    struct recording_info *info, char *text)
{
	struct recording_info i = {.parts = 0, .complete = true, .account_known = true};
	uint64_t end_ns = 0;

	memcpy(i.id, ref[0].id, sizeof(i.id));
	strcpy(text, "{}");
	i.start_ns = ref[0].first_wall_ns;
	for (size_t k = 0; k < n; k++) {
		bool begins = k == 0 || ref[k].part_ns != ref[k - 1].part_ns;
		bool ends = k + 1 == n || ref[k + 1].part_ns != ref[k].part_ns;

		if (begins)
			i.parts++;
		if (begins ? ref[k].seq != 0 : ref[k].seq > ref[k - 1].seq + 1)
			i.complete = false;
		if (begins || ref[k].seq != ref[k - 1].seq) { /* not the same extent again */
			i.extents++;
			i.bytes += recording_pad(ref[k].used, RECORDING_BLOCK);
		}
		if (ref[k].first_wall_ns + ref[k].span_ns > end_ns)
			end_ns = ref[k].first_wall_ns + ref[k].span_ns;
		if (begins && k == 0 && ref[k].seq == 0)
			read_metadata(st, &ref[k], text);
		if (!ends)
			continue;
		i.ended = (ref[k].flags & RECORDING_EXTENT_LAST) != 0;
		if (!i.ended)
			i.complete = false;
		if (!read_account(st, &ref[k], &i))
			i.account_known = false;
	}
	i.duration_ns = end_ns > i.start_ns ? end_ns - i.start_ns : 0;
	i.metadata = text;
	*info = i;
}

/* --- list and find --- */

static int collect(void *ctx, const struct extent_ref *ref)
{
	return recording_extents_add(ctx, ref);
}

struct list_order {
	uint64_t start_ns;
	size_t first, n;
};

static int list_order(const void *a, const void *b)
{
	const struct list_order *x = a, *y = b;

	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

/* Groups of references with the same id, oldest recording first. */
static struct list_order *group(const struct extent_refs *refs, size_t *groups)
{
	struct list_order *g = malloc((refs->n + 1) * sizeof(*g));
	size_t n = 0;

	for (size_t i = 0; g != NULL && i < refs->n; i++) {
		if (i != 0 && memcmp(refs->ref[i].id, refs->ref[i - 1].id, 16) == 0) {
			g[n - 1].n++;
			continue;
		}
		g[n++] = (struct list_order){refs->ref[i].first_wall_ns, i, 1};
	}
	if (g != NULL && n != 0)
		qsort(g, n, sizeof(*g), list_order);
	*groups = n;
	return g;
}

struct told {
	struct extent_refs refs;
	recording_damage_fn *damage;
	void *ctx;
};

static int collect_told(void *ctx, const struct extent_ref *ref)
{
	return collect(&((struct told *)ctx)->refs, ref);
}

static void damage_told(void *ctx, const struct recording_damage *d)
{
	const struct told *t = ctx;

	recording_damage_tell(t->damage, t->ctx, d);
}

int recording_store_list(struct recording_store *st, recording_info_fn *fn,
			 recording_damage_fn *damage, void *ctx)
{
	struct told t = {.damage = damage, .ctx = ctx};
	struct list_order *g = NULL;
	size_t groups = 0;
	int err = store_each(st, NULL, collect_told, damage_told, &t);

	if (err == 0 && t.refs.n != 0) {
		qsort(t.refs.ref, t.refs.n, sizeof(*t.refs.ref), recording_extent_order);
		g = group(&t.refs, &groups);
		err = g != NULL ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < groups && err == 0; i++) {
		struct recording_info info;
		char text[RECORDING_METADATA_MAX + 1];

		store_describe(st, t.refs.ref + g[i].first, g[i].n, &info, text);
		err = fn(ctx, &info);
	}
	free(g);
	free(t.refs.ref);
	return err;
}

struct finding {
	char prefix[33];
	size_t len;
	bool found;
	uint8_t id[16];
};

static int find_one(void *ctx, const struct extent_ref *ref)
{
	struct finding *f = ctx;
	char text[RECORDING_ID_TEXT], plain[33];
	size_t n = 0;

	if (f->found && memcmp(f->id, ref->id, sizeof(f->id)) == 0)
		return 0;
	recording_id_text(ref->id, text);
	for (const char *p = text; *p != '\0'; p++)
		if (*p != '-')
			plain[n++] = *p;
	if (memcmp(plain, f->prefix, f->len) != 0)
		return 0;
	if (f->found)
		return -ENOTUNIQ;
	f->found = true;
	memcpy(f->id, ref->id, sizeof(f->id));
	return 0;
}

int recording_find(struct recording_store *st, const char *prefix, uint8_t id[16])
{
	struct finding f = {.len = 0};

	for (const char *p = prefix; *p != '\0'; p++) {
		if (*p == '-')
			continue;
		if (f.len == 32 || strchr("0123456789abcdefABCDEF", *p) == NULL)
			return -EINVAL;
		f.prefix[f.len++] = (char)(*p >= 'A' && *p <= 'F' ? *p - 'A' + 'a' : *p);
	}
	if (f.len < 4)
		return -EINVAL;

	int err = store_each(st, NULL, find_one, NULL, &f);

	if (err == 0 && !f.found)
		err = -ENOENT;
	if (err == 0)
		memcpy(id, f.id, sizeof(f.id));
	return err;
}
