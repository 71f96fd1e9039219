/* SPDX-License-Identifier: Apache-2.0
 *
 * One recording, frame by frame: its extents in order, each once, damaged ones told and passed
 * over. An extent that is damaged in one place may still be good in another (it was written twice);
 * so all places of a number are tried before it counts as missing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libpatchbay/recording_live.h"

enum { GATHER_AGAIN = 8 };

struct recording {
	struct recording_store *store;
	recording_damage_fn *damage;
	void *ctx;
	uint8_t id[16];
	struct extent_refs refs;
	struct recording_info info;
	char metadata[RECORDING_METADATA_MAX + 1];

	size_t next; /* reference to be read next */
	uint32_t part;
	uint64_t part_ns;      /* of the extent in `buf` */
	uint64_t part_mono_ns; /* engine clock that stands for part_time_ns */
	uint64_t part_time_ns; /* on the recording's time line */
	bool gap;
	bool stale; /* what came next has been used again; to be told */
	bool loaded;
	struct recording_extent_head head;
	uint32_t at;
	uint8_t buf[RECORDING_EXTENT_BYTES];
};

static int collect(void *ctx, const struct extent_ref *ref)
{
	struct recording *r = ctx;

	return recording_extents_add(&r->refs, ref);
}

static void pass_on(void *ctx, const struct recording_damage *d)
{
	const struct recording *r = ctx;

	recording_damage_tell(r->damage, r->ctx, d);
}

static void refs_free(struct extent_refs *refs)
{
	for (size_t i = 0; i < refs->n; i++)
		free(refs->ref[i].bytes);
	free(refs->ref);
	*refs = (struct extent_refs){0};
}

/* While we went through the memory, an extent may have been opened behind us, and the next one
 * before us: then there is a hole before one that is in memory. */
static bool overtaken(const struct extent_refs *refs)
{
	for (size_t i = 0; i < refs->n; i++) {
		const struct extent_ref *x = &refs->ref[i], *before = i != 0 ? x - 1 : NULL;
		bool same = before != NULL && before->part_ns == x->part_ns;

		if (x->bytes != NULL && x->seq > (same ? before->seq + 1 : 0))
			return true;
	}
	return false;
}

/* An extent that was open when we copied it is the last we know: those after it, seen a moment
 * later, are newer than our copy. */
static void cut_behind_open(struct extent_refs *refs)
{
	for (size_t i = 0; i + 1 < refs->n; i++) {
		const struct extent_ref *x = &refs->ref[i];
		bool written = i != 0 && x[-1].part_ns == x->part_ns && x[-1].seq == x->seq;

		if (!x->open || written || x[1].part_ns != x->part_ns)
			continue;
		for (size_t k = i + 1; k < refs->n; k++)
			free(refs->ref[k].bytes);
		refs->n = i + 1;
	}
}

/* Files that are not what the catalogue takes them for. */
static bool misled(const struct recording *r)
{
	bool was = false;

	for (size_t i = 0; i < r->refs.n; i++)
		if (r->refs.ref[i].bytes == NULL)
			was = store_compare(r->store, r->refs.ref[i].segment) || was;
	return was;
}

/* All places of all extents, in order: where one is in memory and in a segment, the segment first,
 * which has the whole of it. Memory first, then the directories, then the segments: what has left
 * the one since is in the others. */
static int gather(struct recording *r, bool refresh)
{
	for (int again = 0;; again++) {
		int err = recording_live_collect(&r->store->live, r->id, &r->refs);

		if (err == 0 && (refresh || r->store->live.path[0] != '\0'))
			err = recording_store_refresh(r->store);
		if (err == 0)
			err = store_each(r->store, r->id, collect, again == 0 ? pass_on : NULL, r);
		if (err == 0 && r->refs.n == 0)
			err = -ENOENT;
		if (err != 0)
			return err;
		qsort(r->refs.ref, r->refs.n, sizeof(*r->refs.ref), recording_extent_order);
		if (again == GATHER_AGAIN || (!misled(r) && !overtaken(&r->refs)))
			break;
		refs_free(&r->refs);
	}
	cut_behind_open(&r->refs);
	recording_describe(r->store, r->refs.ref, r->refs.n, &r->info, r->metadata);
	return 0;
}

int recording_open(struct recording_store *st, const uint8_t id[16], recording_damage_fn *damage,
		   void *ctx, struct recording **out)
{
	struct recording *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	r->store = st;
	r->damage = damage;
	r->ctx = ctx;
	memcpy(r->id, id, sizeof(r->id));
	err = gather(r, false);
	if (err != 0) {
		recording_close(r);
		return err;
	}
	recording_seek(r, 0);
	*out = r;
	return 0;
}

void recording_close(struct recording *r)
{
	refs_free(&r->refs);
	free(r);
}

static bool is_of(const struct recording_extent_head *h, const struct extent_ref *ref)
{
	return memcmp(h->id, ref->id, sizeof(h->id)) == 0 && h->part_ns == ref->part_ns &&
	       h->seq == ref->seq;
}

bool recording_runs(const struct recording *r)
{
	return !r->info.ended && r->refs.ref[r->refs.n - 1].live;
}

static int place_order(const struct extent_ref *ref, uint64_t part_ns, uint64_t seq)
{
	if (ref->part_ns != part_ns)
		return ref->part_ns < part_ns ? -1 : 1;
	return ref->seq < seq ? -1 : ref->seq > seq;
}

/* The extent in `buf` may have been taken from memory before it was full: the same extent, then,
 * as it is now, and on from the same frame. */
static bool reload(struct recording *r)
{
	struct recording_extent_head h;
	uint8_t buf[RECORDING_EXTENT_BYTES];
	bool more = false;
	size_t i = 0;

	while (i < r->refs.n && place_order(&r->refs.ref[i], r->head.part_ns, r->head.seq) < 0)
		i++;
	for (; i < r->refs.n && place_order(&r->refs.ref[i], r->head.part_ns, r->head.seq) == 0;
	     i++)
		if (store_read(r->store, &r->refs.ref[i], buf, &h) == RECORDING_EXTENT_OK &&
		    is_of(&h, &r->refs.ref[i]) && h.used > r->head.used) {
			memcpy(r->buf, buf, h.used);
			r->head = h;
			more = true;
		}
	r->next = i;
	return more || i < r->refs.n;
}

int recording_refresh(struct recording *r)
{
	struct extent_refs before = r->refs;
	int err;

	r->refs = (struct extent_refs){0};
	err = gather(r, true);
	if (err != 0) {
		refs_free(&r->refs);
		r->refs = before;
		return err;
	}
	refs_free(&before);
	if (!r->loaded) {
		r->next = 0;
		return 1;
	}
	return reload(r);
}

const struct recording_info *recording_info(const struct recording *r)
{
	return &r->info;
}

void recording_seek(struct recording *r, uint64_t time_ns)
{
	uint64_t wall_ns = r->info.start_ns + time_ns;
	size_t i = 0;

	r->loaded = false;
	r->gap = false;
	r->part = 0;
	r->part_ns = 0;
	while (time_ns != 0 && i + 1 < r->refs.n &&
	       r->refs.ref[i].first_wall_ns + r->refs.ref[i].span_ns < wall_ns)
		i++;
	r->next = i;
	for (size_t k = 1; k <= i; k++)
		if (r->refs.ref[k].part_ns != r->refs.ref[k - 1].part_ns)
			r->part++;
}

static void tell(const struct recording *r, enum recording_damage_kind kind,
		 const struct extent_ref *ref, uint64_t seq, uint64_t count)
{
	struct recording_damage d = {
		.kind = kind,
		.path = kind == RECORDING_DAMAGE_EXTENT_MISSING || ref->bytes != NULL
				? NULL
				: r->store->segment[ref->segment].path,
		.offset = kind == RECORDING_DAMAGE_EXTENT_MISSING ? RECORDING_NOWHERE : ref->offset,
		.has_id = true,
		.part_ns = ref->part_ns,
		.seq = seq,
		.count = count,
	};

	memcpy(d.id, ref->id, sizeof(d.id));
	recording_damage_tell(r->damage, r->ctx, &d);
}

static enum recording_damage_kind kind_of(int verdict)
{
	switch (verdict) {
	case RECORDING_EXTENT_CRC:
		return RECORDING_DAMAGE_EXTENT_CRC;
	case RECORDING_EXTENT_CUT:
		return RECORDING_DAMAGE_EXTENT_CUT;
	case RECORDING_EXTENT_VERSION:
		return RECORDING_DAMAGE_VERSION;
	default:
		return verdict < 0 ? RECORDING_DAMAGE_SEGMENT_UNREADABLE
				   : RECORDING_DAMAGE_EXTENT_HEAD;
	}
}

/* Read any good copy of the extent at r->next; moves past all its places. *again: the catalogue was wrong. */
static bool load_one(struct recording *r, bool *again)
{
	const struct extent_ref *ref = &r->refs.ref[r->next];
	bool got = false;

	*again = false;

	for (; r->next < r->refs.n; r->next++) {
		const struct extent_ref *x = &r->refs.ref[r->next];

		if (x->part_ns != ref->part_ns || x->seq != ref->seq)
			break;
		if (got)
			continue;

		int v = store_read(r->store, x, r->buf, &r->head);

		got = v == RECORDING_EXTENT_OK && is_of(&r->head, x);
		r->stale = !got && (r->stale || v == -ESTALE);
		if (!got && x->bytes == NULL)
			*again = store_distrust(r->store, x->segment) || *again;
		if (!got && v != -ESTALE)
			tell(r,
			     v == RECORDING_EXTENT_OK ? RECORDING_DAMAGE_INDEX_DISAGREES
						      : kind_of(v),
			     x, x->seq, 1);
	}
	return got;
}

/* A new part begins: tie its clock to the recording's time line. */
static void enter_part(struct recording *r)
{
	const struct recording_extent_head *h = &r->head;

	if (r->part_ns != 0)
		r->part++;
	r->part_ns = h->part_ns;
	r->part_mono_ns = h->first_mono_ns;
	r->part_time_ns =
		h->first_wall_ns > r->info.start_ns ? h->first_wall_ns - r->info.start_ns : 0;
}

/* Look for the extents anew, and go on at the one with this number. */
static bool gather_again(struct recording *r, uint64_t part_ns, uint64_t seq)
{
	struct extent_refs before = r->refs;

	r->refs = (struct extent_refs){0};
	if (gather(r, false) != 0) {
		refs_free(&r->refs);
		r->refs = before;
		return false;
	}
	refs_free(&before);
	r->next = 0;
	while (r->next < r->refs.n && place_order(&r->refs.ref[r->next], part_ns, seq) < 0)
		r->next++;
	return true;
}

/* The next extent that can be read. Returns false at the end. */
static bool load(struct recording *r)
{
	bool again;

	while (r->next < r->refs.n) {
		const struct extent_ref *ref = &r->refs.ref[r->next];
		const struct extent_ref *before = r->next != 0 ? ref - 1 : NULL;
		bool same = before != NULL && before->part_ns == ref->part_ns;
		uint64_t expected = same ? before->seq + 1 : 0;

		if (ref->seq > expected) {
			tell(r, RECORDING_DAMAGE_EXTENT_MISSING, ref, expected,
			     ref->seq - expected);
			r->gap = true;
		}
		uint64_t part_ns = ref->part_ns, seq = ref->seq;

		if (!load_one(r, &again)) {
			if (again && gather_again(r, part_ns, seq))
				continue;
			r->gap = true;
			if (r->stale)
				return false;
			continue;
		}
		if (r->head.part_ns != r->part_ns || !r->loaded)
			enter_part(r);
		r->loaded = true;
		r->at = r->head.head_bytes;
		return true;
	}
	return false;
}

static uint64_t time_of(const struct recording *r, const struct recording_frame_head *fh)
{
	uint64_t mono_ns = r->head.first_mono_ns + fh->time_us * UINT64_C(1000);

	/* a clock that ran backwards within a part is damage that a checksum cannot show */
	return r->part_time_ns + (mono_ns > r->part_mono_ns ? mono_ns - r->part_mono_ns : 0);
}

int recording_next(struct recording *r, struct recording_frame *f)
{
	struct recording_frame_head fh;
	const uint8_t *payload;

	for (;;) {
		int got = r->loaded ? recording_frame_next(r->buf, r->head.used, &r->at, &fh,
							   &payload)
				    : 0;

		if (got < 0 || (got == 1 && fh.channel >= RECORDING_CHANNELS)) {
			tell(r, RECORDING_DAMAGE_FRAME, &r->refs.ref[r->next - 1], r->head.seq, 1);
			if (got < 0)
				r->at = r->head.used;
			r->gap = true;
			continue;
		}
		if (got == 1)
			break;
		if (!load(r)) {
			got = r->stale ? -ESTALE : 0;
			r->stale = false;
			return got;
		}
	}
	*f = (struct recording_frame){
		.kind = (enum recording_frame_kind)fh.kind,
		.channel = fh.channel,
		.codec = fh.codec,
		.seq = fh.seq,
		.timestamp = fh.timestamp,
		.time_ns = time_of(r, &fh),
		.part = r->part,
		.after_gap = r->gap,
		.masked = fh.kind == RECORDING_FRAME_AUDIO &&
			  (fh.flags & RECORDING_FRAME_MASKED) != 0,
		.len = fh.length,
		.payload = payload,
	};
	r->gap = false;
	return 1;
}
