/* SPDX-License-Identifier: Apache-2.0
 *
 * Recovery after SIGKILL, a crash or a bus error: from the order of stores (shared.h) follows what
 * each thing in the file can mean.
 *
 *   extent FREE    nothing
 *   extent OPEN    named by its tap's word: its frames up to the word's `used` are all there.
 *                  Not named: just opened, no frame yet: freed.
 *   extent CLOSED  whole; perhaps already on disk, then it is written twice and readers drop one
 *   tap OPEN       ended here: END goes into its open extent, which has a reserve for it. The
 *                  account: what the extent says it had before, plus the frames counted in it;
 *                  losses from the tap. Without an open extent the tap becomes CLOSING, and its
 *                  worker ends it as soon as an extent is free.
 *   tap CLOSING    the same with its own reason
 *   tap whose LAST extent is CLOSED: was being freed: free
 *
 * Each step leaves one of these states behind, so recovery may be killed and run again.
 */
#include "record/recover.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* What the frames of one extent say. */
struct tally {
	uint64_t audio[RECORDING_CHANNELS];
	uint64_t explained[RECORDING_CHANNELS]; /* by LOSS frames */
	uint64_t masked[RECORDING_CHANNELS];
	struct recording_seq seq[RECORDING_CHANNELS];
	bool ended;
	uint64_t last_us;
};

static void tally_frame(struct tally *t, const struct recording_frame_head *fh, const uint8_t *p)
{
	struct recording_loss_frame l;

	if (fh->kind == RECORDING_FRAME_AUDIO) {
		t->audio[fh->channel]++;
		t->masked[fh->channel] += (fh->flags & RECORDING_FRAME_MASKED) != 0;
		recording_seq_see(&t->seq[fh->channel], fh->seq,
				  (fh->flags & RECORDING_FRAME_FRESH) != 0);
	}
	if (fh->kind == RECORDING_FRAME_LOSS && fh->length == sizeof(l)) {
		memcpy(&l, p, sizeof(l));
		t->explained[fh->channel] += l.frames;
	}
}

/* Go through the frames in [head, used). Returns false when they do not fit together. */
static bool tally_frames(const struct recording_extent_head *h, uint32_t used, struct tally *t)
{
	const uint8_t *bytes = (const uint8_t *)h;
	uint32_t at = sizeof(*h);

	*t = (struct tally){0};
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		t->seq[ch].next = h->seq_next[ch];
	if (used < sizeof(*h) || used > RECORDING_EXTENT_BYTES || used % 8 != 0)
		return false;
	while (at < used) {
		struct recording_frame_head fh;

		if (used - at < sizeof(fh))
			return false;
		memcpy(&fh, bytes + at, sizeof(fh));
		at += (uint32_t)sizeof(fh);
		if (recording_pad(fh.length, 8) > used - at)
			return false;
		if (fh.channel < RECORDING_CHANNELS)
			tally_frame(t, &fh, bytes + at);
		t->ended = fh.kind == RECORDING_FRAME_END;
		t->last_us = fh.time_us;
		at += (uint32_t)recording_pad(fh.length, 8);
	}
	return true;
}

static bool head_sane(const struct recording_extent_head *h)
{
	return h->magic == RECORDING_EXTENT_MAGIC && h->version == RECORDING_VERSION &&
	       h->head_bytes == sizeof(*h) && h->used >= sizeof(*h) &&
	       h->used <= RECORDING_EXTENT_BYTES;
}

static uint32_t state_of(struct recording_extent_head *h)
{
	return atomic_load_explicit(&shared_live(h)->state, memory_order_acquire);
}

static void set_state(struct recording_extent_head *h, enum shared_state state)
{
	atomic_store_explicit(&shared_live(h)->state, (uint32_t)state, memory_order_release);
}

static bool same_part(const struct recording_extent_head *h, const struct rec_tap *tap)
{
	return memcmp(h->id, tap->id, sizeof(h->id)) == 0 && h->part_ns == tap->part_ns;
}

/* The extent that the tap's word names, if it really is that tap's open extent. */
static struct recording_extent_head *open_extent_of(struct shared *s, struct rec_tap *tap,
						    uint32_t *used)
{
	uint64_t word = atomic_load_explicit(&tap->open, memory_order_acquire);
	uint64_t index = (word >> 32) - 1;

	if (word == 0 || index >= s->head->extents)
		return NULL;

	struct recording_extent_head *h = shared_extent(s->extent_base, (uint32_t)index);

	if (state_of(h) != SHARED_OPEN || !head_sane(h) || !same_part(h, tap))
		return NULL;
	*used = (uint32_t)word;
	return h;
}

static enum recording_end reason_of(const struct rec_tap *tap)
{
	return atomic_load_explicit(&tap->state, memory_order_relaxed) == TAP_CLOSING
		       ? (enum recording_end)tap->end_reason
		       : RECORDING_END_ENGINE_DIED;
}

/* Write what is missing at the end of the tap's open extent and close it. */
static void end_in(struct recording_extent_head *h, struct rec_tap *tap, uint32_t used,
		   const struct tally *t)
{
	uint64_t last_ns = h->first_mono_ns + t->last_us * 1000;
	struct rec_tap sum = *tap; /* the tap itself stays as it is until the extent is closed */

	sum.last_mono_ns = last_ns;
	for (uint8_t ch = 0; ch < RECORDING_CHANNELS; ch++) {
		uint64_t explained = h->channel[ch].lost + t->explained[ch];

		sum.written[ch] = h->channel[ch].written_before + t->audio[ch];
		sum.masked[ch] = h->more[ch].masked + t->masked[ch];
		sum.missing[ch] = h->more[ch].missing + t->seq[ch].missing;
		if (sum.lost[ch] < explained)
			sum.lost[ch] = explained;
		if (!t->ended && sum.lost[ch] > explained) {
			used = shared_put_loss(h, used, &sum, ch, sum.lost[ch] - explained,
					       last_ns);
		}
	}
	if (!t->ended)
		used = shared_put_end(h, used, &sum, reason_of(tap), last_ns);
	shared_extent_close(h, &sum, used, RECORDING_EXTENT_LAST | RECORDING_EXTENT_RECOVERED);
}

static void free_tap(struct rec_tap *tap)
{
	atomic_store_explicit(&tap->open, 0, memory_order_release);
	atomic_store_explicit(&tap->state, TAP_FREE, memory_order_release);
}

/* No extent is open: the worker that gets the tap will write the END. */
static void end_later(struct rec_tap *tap)
{
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		if (tap->explained[ch] > tap->lost[ch])
			tap->explained[ch] = tap->lost[ch];
	tap->end_reason = (uint8_t)reason_of(tap);
	tap->unusual = 0;
	tap->prev = 0;
	tap->next = 0;
	atomic_store_explicit(&tap->open, 0, memory_order_release);
	atomic_store_explicit(&tap->state, TAP_CLOSING, memory_order_release);
}

static void end_tap(struct shared *s, struct rec_tap *tap, struct recover_report *r)
{
	struct recording_extent_head *h;
	struct tally t = {0};
	uint32_t used = sizeof(*h);

	h = open_extent_of(s, tap, &used);
	if (h == NULL && tap->seq == 0) {
		free_tap(tap); /* just opened: not a frame, not even its metadata */
		return;
	}
	r->recordings++;
	if (h == NULL) {
		r->later++;
		end_later(tap);
		return;
	}
	if (tally_frames(h, used, &t) &&
	    used + (t.ended ? 0 : TAP_RESERVE_BYTES) <= RECORDING_EXTENT_BYTES) {
		end_in(h, tap, used, &t);
	} else {
		r->damaged++;
		log_error("record", "an open extent in %s is damaged; its frames are lost",
			  s->path);
	}
	free_tap(tap);
}

static void list_closed(struct recover_report *r, const struct recording_extent_head *h)
{
	const uint8_t *bytes = (const uint8_t *)h;
	struct recording_end_frame end;
	struct recovered *to = &r->list[r->listed];

	/* the END is the last frame; its size was checked with the others */
	if (h->used < sizeof(*h) + sizeof(end))
		return;
	memcpy(&end, bytes + h->used - sizeof(end), sizeof(end));
	*to = (struct recovered){.reason = (enum recording_end)end.reason};
	memcpy(to->id, h->id, sizeof(to->id));
	to->account.paused_ms = h->paused_ns / 1000000;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		to->account.channel[ch].written = h->channel[ch].written;
		to->account.channel[ch].lost = h->channel[ch].lost;
		to->account.channel[ch].accepted = h->channel[ch].written + h->channel[ch].lost;
		to->account.channel[ch].loss = h->channel[ch].loss;
		to->account.channel[ch].masked = h->more[ch].masked;
		if (h->more[ch].missing > 0)
			to->account.channel[ch].missing = (uint64_t)h->more[ch].missing;
	}
	r->listed++;
}

/* Without an open extent: what the tap says. */
static void list_later(struct recover_report *r, const struct rec_tap *tap)
{
	struct recovered *to = &r->list[r->listed++];

	*to = (struct recovered){.reason = (enum recording_end)tap->end_reason};
	memcpy(to->id, tap->id, sizeof(to->id));
	rec_tap_account(tap, tap->last_mono_ns, &to->account);
}

void recover_all(struct shared *s, struct recover_report *report)
{
	/* every tap may have ended in an extent, and every extent may be an end */
	size_t most = (size_t)s->head->taps + s->head->extents;
	struct recover_report r = {.list = calloc(most, sizeof(*r.list))};

	for (uint32_t i = 0; i < s->head->extents; i++) {
		struct recording_extent_head *h = shared_extent(s->extent_base, i);
		uint32_t tap = shared_live(h)->tap;

		if (state_of(h) == SHARED_CLOSED && head_sane(h) && tap < s->head->taps &&
		    (h->flags & RECORDING_EXTENT_LAST) != 0 && same_part(h, &s->tap[tap]))
			free_tap(&s->tap[tap]);
	}
	for (uint32_t i = 0; i < s->head->taps; i++) {
		struct rec_tap *tap = &s->tap[i];

		tap->index = i;
		if (atomic_load_explicit(&tap->state, memory_order_acquire) != TAP_FREE)
			end_tap(s, tap, &r);
		if (atomic_load_explicit(&tap->state, memory_order_acquire) == TAP_CLOSING &&
		    r.list != NULL)
			list_later(&r, tap);
	}
	for (uint32_t i = 0; i < s->head->extents; i++) {
		struct recording_extent_head *h = shared_extent(s->extent_base, i);
		struct tally t;

		if (state_of(h) == SHARED_FREE)
			continue;
		if (state_of(h) == SHARED_CLOSED && head_sane(h) && tally_frames(h, h->used, &t)) {
			r.extents++;
			if (t.ended && r.list != NULL)
				list_closed(&r, h);
			continue;
		}
		if (state_of(h) != SHARED_OPEN) {
			r.damaged++;
			log_error("record", "extent %u in %s makes no sense and is dropped", i,
				  s->path);
		}
		set_state(h, SHARED_FREE);
	}
	*report = r;
}
