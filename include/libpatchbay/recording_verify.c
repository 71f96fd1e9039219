/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification, in two passes over what the bytes say.
 *
 * Pass 1 goes through the blocks of every segment, sealed or not, counts the frames of each
 * valid extent, and holds what it finds against the index: an entry without its extent names the
 * recording that was hit even where the extent itself can no longer tell. Pass 2 goes through
 * each recording's extents in order: all numbers there, first and last as they should be, and
 * the account recomputed from the frames against the one in the heads and in the END.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "libpatchbay/recording_catalogue.h"
#include "libpatchbay/recording_store.h"

enum { PAUSE_TOLERANCE_NS = 2000000 };

/* What the frames of one extent come to. */
struct tally {
	uint64_t audio[RECORDING_CHANNELS];
	uint64_t explained[RECORDING_CHANNELS]; /* by LOSS frames */
	uint64_t masked[RECORDING_CHANNELS];
	struct recording_seq seq[RECORDING_CHANNELS];
	uint64_t frames, unknown;
	uint32_t crc; /* of the frames' bytes */
	bool has_metadata, has_end, has_loss;
	struct recording_end_frame end;
	uint64_t paused_ns;     /* pauses that ended here, or since the extent's start */
	uint64_t pause_from_ns; /* begun here and not ended; 0: none */
	uint64_t resumed_ns;    /* RESUME without a PAUSE here: its time; 0: none */
	uint64_t end_ns;
};

struct found {
	struct extent_ref ref;
	struct recording_extent_channel channel[RECORDING_CHANNELS];
	uint64_t masked[RECORDING_CHANNELS]; /* as the head says; of 1.0: not known */
	int64_t missing[RECORDING_CHANNELS];
	uint16_t minor;
	uint64_t paused_ns;
	struct tally t;
};

struct verifier {
	struct recording_store *st;
	const uint8_t *only;
	recording_damage_fn *damage;
	void *ctx;
	struct recording_verdict v;
	struct found *found;
	size_t n, max;
	/* of the segment in work */
	struct recording_segment seg;
	uint32_t index;
	uint32_t entry;               /* next index entry to be met */
	struct recording_damage tail; /* damage after which nothing valid has come yet */
	bool tail_set;
};

static void tell(struct verifier *w, const struct recording_damage *d)
{
	w->v.damages++;
	recording_damage_tell(w->damage, w->ctx, d);
}

static void count_and_tell(void *ctx, const struct recording_damage *d)
{
	tell(ctx, d);
}

__attribute__((format(printf, 5, 6))) static void tell_extent(struct verifier *w,
							      enum recording_damage_kind kind,
							      const struct extent_ref *ref,
							      uint64_t count, const char *fmt, ...)
{
	struct recording_damage d = {
		.kind = kind,
		.path = w->st->segment[ref->segment].path,
		.offset = ref->offset,
		.has_id = true,
		.part_ns = ref->part_ns,
		.seq = ref->seq,
		.count = count,
	};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d.detail, sizeof(d.detail), fmt, ap);
	va_end(ap);
	memcpy(d.id, ref->id, sizeof(d.id));
	tell(w, &d);
}

/* --- pass 1: bytes --- */

static bool plausible(const struct recording_frame_head *fh)
{
	switch ((enum recording_frame_kind)fh->kind) {
	case RECORDING_FRAME_AUDIO:
	case RECORDING_FRAME_METADATA:
	case RECORDING_FRAME_EVENT:
	case RECORDING_FRAME_MARK:
	case RECORDING_FRAME_PAUSE:
	case RECORDING_FRAME_RESUME:
	case RECORDING_FRAME_MASK:
	case RECORDING_FRAME_UNMASK:
		return fh->channel < RECORDING_CHANNELS;
	case RECORDING_FRAME_LOSS:
		return fh->channel < RECORDING_CHANNELS &&
		       fh->length == sizeof(struct recording_loss_frame);
	case RECORDING_FRAME_END:
		return fh->length == sizeof(struct recording_end_frame);
	default:
		return true; /* of a later time; skipped */
	}
}

static void tally_frame(struct tally *t, const struct recording_extent_head *h,
			const struct recording_frame_head *fh, const uint8_t *payload)
{
	uint64_t at_ns = h->first_mono_ns + fh->time_us * UINT64_C(1000);
	struct recording_loss_frame l;

	switch ((enum recording_frame_kind)fh->kind) {
	case RECORDING_FRAME_AUDIO:
		t->audio[fh->channel]++;
		t->masked[fh->channel] += (fh->flags & RECORDING_FRAME_MASKED) != 0;
		recording_seq_see(&t->seq[fh->channel], fh->seq,
				  (fh->flags & RECORDING_FRAME_FRESH) != 0);
		break;
	case RECORDING_FRAME_METADATA:
		t->has_metadata = t->has_metadata || t->frames == 0;
		break;
	case RECORDING_FRAME_LOSS:
		memcpy(&l, payload, sizeof(l));
		t->explained[fh->channel] += l.frames;
		t->has_loss = true;
		break;
	case RECORDING_FRAME_PAUSE:
		t->pause_from_ns = at_ns;
		break;
	case RECORDING_FRAME_RESUME:
		if (t->pause_from_ns != 0)
			t->paused_ns += at_ns - t->pause_from_ns;
		else
			t->resumed_ns = at_ns;
		t->pause_from_ns = 0;
		break;
	case RECORDING_FRAME_END:
		memcpy(&t->end, payload, sizeof(t->end));
		t->has_end = true;
		t->end_ns = at_ns;
		break;
	case RECORDING_FRAME_EVENT:
	case RECORDING_FRAME_MARK:
	case RECORDING_FRAME_MASK:
	case RECORDING_FRAME_UNMASK:
		break;
	default:
		t->unknown++;
		break;
	}
}

static bool tally_extent(const struct recording_extent_head *h, const uint8_t *bytes,
			 struct tally *t)
{
	struct recording_frame_head fh;
	const uint8_t *payload;
	uint32_t at = h->head_bytes;
	int got;

	*t = (struct tally){.crc = crc32c(0, bytes + h->head_bytes, h->used - h->head_bytes)};
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		t->seq[ch].next = h->seq_next[ch];
	while ((got = recording_frame_next(bytes, h->used, &at, &fh, &payload)) == 1) {
		if (!plausible(&fh))
			return false;
		tally_frame(t, h, &fh, payload);
		t->frames++;
	}
	return got == 0;
}

static int keep(struct verifier *w, const struct found *f)
{
	if (w->n == w->max) {
		size_t max = w->max != 0 ? w->max * 2 : 256;
		void *p = realloc(w->found, max * sizeof(*w->found));

		if (p == NULL)
			return -ENOMEM;
		w->found = p;
		w->max = max;
	}
	w->found[w->n++] = *f;
	return 0;
}

static struct extent_ref ref_of_entry(const struct recording_index_entry *e, uint32_t segment)
{
	struct extent_ref r = {
		.part_ns = e->part_ns, .seq = e->seq, .segment = segment, .offset = e->offset};

	memcpy(r.id, e->id, sizeof(r.id));
	return r;
}

static enum recording_damage_kind kind_of(enum recording_extent_verdict v)
{
	switch (v) {
	case RECORDING_EXTENT_CRC:
		return RECORDING_DAMAGE_EXTENT_CRC;
	case RECORDING_EXTENT_CUT:
		return RECORDING_DAMAGE_EXTENT_CUT;
	case RECORDING_EXTENT_VERSION:
		return RECORDING_DAMAGE_VERSION;
	case RECORDING_EXTENT_OK:
	case RECORDING_EXTENT_NONE:
	case RECORDING_EXTENT_BAD:
		break;
	}
	return RECORDING_DAMAGE_EXTENT_HEAD;
}

/* Entries before `offset` whose extents did not turn up. */
static void miss_entries(struct verifier *w, uint64_t offset)
{
	for (; w->entry < w->seg.entries && w->seg.index[w->entry].offset < offset; w->entry++) {
		struct extent_ref r = ref_of_entry(&w->seg.index[w->entry], w->index);

		tell_extent(w, RECORDING_DAMAGE_EXTENT_HEAD, &r, 1,
			    "the index has an extent here, the segment has not");
	}
}

/* A damaged place: with an index, the entry for it says whose. */
static void met_damage(struct verifier *w, enum recording_extent_verdict verdict, uint64_t offset)
{
	if (!w->seg.sealed) {
		if (w->tail_set)
			tell(w, &w->tail);
		w->tail = (struct recording_damage){
			.kind = kind_of(verdict),
			.path = w->st->segment[w->index].path,
			.offset = offset,
			.seq = RECORDING_NOWHERE,
		};
		w->tail_set = true;
		return;
	}
	miss_entries(w, offset);
	if (w->entry < w->seg.entries && w->seg.index[w->entry].offset == offset) {
		struct extent_ref r = ref_of_entry(&w->seg.index[w->entry++], w->index);

		tell_extent(w, kind_of(verdict), &r, 1, "%s", "");
	}
}

/* A valid extent where the index has something else, or nothing. */
static void compare_entry(struct verifier *w, const struct extent_ref *r)
{
	const struct recording_index_entry *e;

	if (!w->seg.sealed)
		return;
	miss_entries(w, r->offset);
	if (w->entry == w->seg.entries || w->seg.index[w->entry].offset != r->offset) {
		tell_extent(w, RECORDING_DAMAGE_INDEX_DISAGREES, r, 1,
			    "the segment has an extent here, the index has not");
		return;
	}
	e = &w->seg.index[w->entry++];
	if (e->crc != r->crc || e->seq != r->seq || memcmp(e->id, r->id, sizeof(r->id)) != 0)
		tell_extent(w, RECORDING_DAMAGE_INDEX_DISAGREES, r, 1,
			    "the index has another extent here");
}

static int met(void *ctx, enum recording_extent_verdict verdict, uint64_t offset,
	       const struct recording_extent_head *h, const uint8_t *bytes)
{
	struct verifier *w = ctx;
	struct found f;

	if (verdict != RECORDING_EXTENT_OK) {
		met_damage(w, verdict, offset);
		return 0;
	}
	if (w->tail_set)
		tell(w, &w->tail);
	w->tail_set = false;
	f.ref = recording_extent_ref(h, w->index, offset, w->seg.live);
	compare_entry(w, &f.ref);
	if (w->only != NULL && memcmp(w->only, h->id, sizeof(h->id)) != 0)
		return 0;
	memcpy(f.channel, h->channel, sizeof(f.channel));
	f.paused_ns = h->paused_ns;
	f.minor = h->minor;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		f.masked[ch] = h->more[ch].masked;
		f.missing[ch] = h->more[ch].missing;
	}
	if (!tally_extent(h, bytes, &f.t))
		tell_extent(w, RECORDING_DAMAGE_FRAME, &f.ref, 1, "%s", "");
	w->v.extents++;
	w->v.frames += f.t.frames;
	w->v.unknown += f.t.unknown;
	w->v.bytes += recording_pad(h->used, RECORDING_BLOCK);
	return keep(w, &f);
}

/* Before it is sealed, a segment is as long as it was made. */
static void check_length(struct verifier *w)
{
	struct recording_damage d = {
		.kind = RECORDING_DAMAGE_LENGTH,
		.path = w->st->segment[w->index].path,
		.offset = w->seg.bytes,
		.seq = RECORDING_NOWHERE,
	};

	if (w->seg.sealed || w->seg.index_bad || w->seg.live || w->seg.made == 0 ||
	    w->seg.made == w->seg.bytes)
		return;
	snprintf(d.detail, sizeof(d.detail), "%" PRIu64 " bytes; it was made with %" PRIu64,
		 w->seg.bytes, w->seg.made);
	tell(w, &d);
}

static int read_segment(struct verifier *w, uint32_t index)
{
	int err = store_open_segment(w->st, index, true, &w->seg, count_and_tell, w);

	if (err != 0)
		return 0; /* told */
	w->index = index;
	w->entry = 0;
	w->tail_set = false;
	w->v.segments++;
	err = recording_segment_scan(&w->seg, met, w);
	if (err == 0)
		miss_entries(w, UINT64_MAX);
	check_length(w);
	if (w->tail_set && !w->seg.live) {
		w->tail.kind = RECORDING_DAMAGE_TORN_TAIL;
		tell(w, &w->tail);
	}
	recording_segment_close(&w->seg);
	return err;
}

/* --- pass 2: recordings --- */

static int found_order(const void *a, const void *b)
{
	return recording_extent_order(&((const struct found *)a)->ref,
				      &((const struct found *)b)->ref);
}

/* What a part has come to so far. */
struct part {
	uint64_t seq; /* expected next */
	uint64_t written[RECORDING_CHANNELS];
	uint64_t lost[RECORDING_CHANNELS];
	uint64_t explained[RECORDING_CHANNELS];
	uint64_t masked[RECORDING_CHANNELS];
	int64_t missing[RECORDING_CHANNELS];
	uint64_t paused_ns, pause_from_ns;
	bool whole; /* no extent was missing so far */
	bool loss;
};

static void check_numbers(struct verifier *w, struct part *p, const struct found *f)
{
	struct recording_damage d = {
		.kind = RECORDING_DAMAGE_EXTENT_MISSING,
		.offset = RECORDING_NOWHERE,
		.has_id = true,
		.part_ns = f->ref.part_ns,
		.seq = p->seq,
		.count = f->ref.seq - p->seq,
	};

	if (f->ref.seq == p->seq)
		return;
	memcpy(d.id, f->ref.id, sizeof(d.id));
	tell(w, &d);
	p->whole = false;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		p->written[ch] = f->channel[ch].written_before;
		p->lost[ch] = f->channel[ch].lost;
		p->masked[ch] = f->masked[ch] - f->t.masked[ch];
		p->missing[ch] = f->missing[ch] - f->t.seq[ch].missing;
	}
}

/* What came with 1.1. */
static void check_more(struct verifier *w, struct part *p, const struct found *f, int ch)
{
	p->masked[ch] += f->t.masked[ch];
	p->missing[ch] += f->t.seq[ch].missing;
	if (f->minor == 0)
		return;
	if (f->masked[ch] != p->masked[ch])
		tell_extent(w, RECORDING_DAMAGE_ACCOUNT, &f->ref, 1,
			    "channel %d: %" PRIu64 " masked frames, the head says %" PRIu64, ch,
			    p->masked[ch], f->masked[ch]);
	if (f->missing[ch] != p->missing[ch])
		tell_extent(w, RECORDING_DAMAGE_ACCOUNT, &f->ref, 1,
			    "channel %d: %" PRId64 " frames missing, the head says %" PRId64, ch,
			    p->missing[ch], f->missing[ch]);
	p->masked[ch] = f->masked[ch];
	p->missing[ch] = f->missing[ch];
}

static void check_channel(struct verifier *w, struct part *p, const struct found *f, int ch)
{
	const struct recording_extent_channel *c = &f->channel[ch];

	if (c->written_before != p->written[ch])
		tell_extent(w, RECORDING_DAMAGE_ACCOUNT, &f->ref, 1,
			    "channel %d: %" PRIu64 " frames before, the head says %" PRIu64, ch,
			    p->written[ch], c->written_before);
	if (c->written - c->written_before != f->t.audio[ch])
		tell_extent(w, RECORDING_DAMAGE_ACCOUNT, &f->ref, 1,
			    "channel %d: %" PRIu64 " frames, the head says %" PRIu64, ch,
			    f->t.audio[ch], c->written - c->written_before);
	p->written[ch] += f->t.audio[ch];
	p->explained[ch] += f->t.explained[ch];
	if (c->lost < p->lost[ch] || (p->whole && c->lost != p->explained[ch]))
		tell_extent(w, RECORDING_DAMAGE_ACCOUNT, &f->ref, 1,
			    "channel %d: %" PRIu64 " lost frames explained, the head says %" PRIu64,
			    ch, p->explained[ch], c->lost);
	p->lost[ch] = c->lost;
}

static void check_pauses(struct verifier *w, struct part *p, const struct found *f)
{
	const struct tally *t = &f->t;
	uint64_t sum;

	p->loss = p->loss || t->has_loss;
	if (t->resumed_ns != 0 && p->pause_from_ns != 0)
		p->paused_ns += t->resumed_ns - p->pause_from_ns;
	if (t->resumed_ns != 0)
		p->pause_from_ns = 0;
	p->paused_ns += t->paused_ns;
	if (t->pause_from_ns != 0)
		p->pause_from_ns = t->pause_from_ns;
	if (!t->has_end || !p->whole || p->loss)
		return; /* a PAUSE may be among what was lost */
	sum = p->paused_ns + (p->pause_from_ns != 0 && t->end_ns > p->pause_from_ns &&
					      t->end.reason != RECORDING_END_ENGINE_DIED
				      ? t->end_ns - p->pause_from_ns
				      : 0);
	if (sum > t->end.paused_ns + PAUSE_TOLERANCE_NS ||
	    t->end.paused_ns > sum + PAUSE_TOLERANCE_NS)
		tell_extent(w, RECORDING_DAMAGE_ACCOUNT, &f->ref, 1,
			    "paused %" PRIu64 " ms, the end says %" PRIu64, sum / 1000000,
			    t->end.paused_ns / 1000000);
}

static void check_end(struct verifier *w, const struct part *p, const struct found *f)
{
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		if (f->t.end.channel[ch].written != p->written[ch] ||
		    f->t.end.channel[ch].lost != p->lost[ch])
			tell_extent(w, RECORDING_DAMAGE_ACCOUNT, &f->ref, 1,
				    "channel %d: %" PRIu64 " written and %" PRIu64
				    " lost, the end says %" PRIu64 " and %" PRIu64,
				    ch, p->written[ch], p->lost[ch], f->t.end.channel[ch].written,
				    f->t.end.channel[ch].lost);
}

static bool same_frames(const struct found *a, const struct found *b)
{
	/* the extents' checksums differ with tag and place; what is in them must not */
	return a->ref.used == b->ref.used && a->t.crc == b->t.crc;
}

/* The extents [from, to) of one part, in order. */
static void check_part(struct verifier *w, size_t from, size_t to)
{
	struct part p = {.whole = true};
	const struct found *last = &w->found[from];

	for (size_t i = from; i < to; i++) {
		const struct found *f = &w->found[i];

		if (i != from && last->ref.seq == f->ref.seq) {
			if (!same_frames(last, f))
				tell_extent(w, RECORDING_DAMAGE_EXTENT_TWICE, &f->ref, 1, "%s", "");
			continue;
		}
		check_numbers(w, &p, f);
		if (f->ref.seq == 0 &&
		    (!f->t.has_metadata || (f->ref.flags & RECORDING_EXTENT_FIRST) == 0) &&
		    !f->t.has_end)
			tell_extent(w, RECORDING_DAMAGE_NO_START, &f->ref, 1, "%s", "");
		for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
			check_channel(w, &p, f, ch);
			check_more(w, &p, f, ch);
			w->v.account.channel[ch].written += f->t.audio[ch];
			w->v.account.channel[ch].lost += f->t.explained[ch];
			w->v.account.channel[ch].masked += f->t.masked[ch];
			if (f->channel[ch].loss != 0)
				w->v.account.channel[ch].loss = f->channel[ch].loss;
		}
		check_pauses(w, &p, f);
		p.seq = f->ref.seq + 1;
		last = f;
	}
	w->v.account.paused_ms += p.paused_ns / 1000000;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		if (p.missing[ch] > 0)
			w->v.account.channel[ch].missing += (uint64_t)p.missing[ch];
	if (last->t.has_end)
		check_end(w, &p, last);
	if ((last->ref.flags & RECORDING_EXTENT_LAST) != 0 && last->t.has_end)
		return;
	if (last->ref.live)
		w->v.running++;
	else
		tell_extent(w, RECORDING_DAMAGE_NO_END, &last->ref, 1, "%s", "");
}

static void check_recordings(struct verifier *w)
{
	size_t from = 0;

	if (w->n == 0)
		return;
	qsort(w->found, w->n, sizeof(*w->found), found_order);
	for (size_t i = 1; i <= w->n; i++) {
		const struct extent_ref *a = &w->found[from].ref;
		bool other = i == w->n || memcmp(a->id, w->found[i].ref.id, sizeof(a->id)) != 0;

		if (!other && w->found[i].ref.part_ns == a->part_ns)
			continue;
		check_part(w, from, i);
		w->v.recordings += other;
		from = i;
	}
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		w->v.account.channel[ch].accepted =
			w->v.account.channel[ch].written + w->v.account.channel[ch].lost;
}

static void check_catalogue(struct verifier *w, uint32_t dir)
{
	unsigned bad = w->st->catalogues_bad[dir];

	if (w->st->catalogue[dir] != NULL)
		bad += catalogue_verify(w->st->catalogue[dir]);
	if (bad != 0)
		store_tell_catalogue(w->st, dir, bad, count_and_tell, w);
}

int recording_verify(struct recording_store *st, const uint8_t *id, recording_damage_fn *damage,
		     void *ctx, struct recording_verdict *verdict)
{
	struct verifier w = {.st = st, .only = id, .damage = damage, .ctx = ctx};
	int err = 0;

	for (uint32_t i = 0; i < st->dirs; i++)
		check_catalogue(&w, i);
	for (uint32_t i = 0; i < st->segments && err == 0; i++)
		err = read_segment(&w, i);
	if (err == 0)
		check_recordings(&w);
	free(w.found);
	if (err == 0 && id != NULL && w.v.recordings == 0 && w.v.damages == 0)
		err = -ENOENT;
	if (err == 0)
		*verdict = w.v;
	return err;
}
