/* SPDX-License-Identifier: Apache-2.0
 *
 * The tap: frames into the open extent, extents to the recorder.
 *
 * A tap holds at most one extent, taken when a frame needs it and given up when it is full or
 * old. Taps with an extent stand in the worker's age list in the order in which they took it, so
 * what is due next is always first. When no extent is free the frame is lost, the hole is noted
 * in the tap, and the next frame that finds an extent is preceded by a LOSS frame telling of it;
 * frame and explanation become visible with one store. TAP_RESERVE_BYTES at the end of each
 * extent make sure that LOSS and END frames never need an extent of their own while one is open.
 *
 * The order of stores is that of the ordering note in shared.h.
 *
 * Nearly every frame is the next one of its stream, in an extent with room, and finds nothing
 * unusual: it touches one line of the tap and the lines it is copied to, and is done. All others
 * go through frame_slowly().
 */
#include "record/tap.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "base/units.h"
#include "record/shared.h"

enum {
	REFILL = 64,         /* extents taken back from the recorder at once */
	WALL_READ_S = 1,     /* how often the time of day is read */
	EXTENT_SPAN_S = 3600 /* time_us of a frame has 32 bits */
};

static struct recording_extent_head *extent_of(const struct rec_tap *tap)
{
	return (struct recording_extent_head *)(void *)tap->base;
}

static uint32_t used_of(const struct rec_tap *tap)
{
	return (uint32_t)atomic_load_explicit(&tap->open, memory_order_relaxed);
}

static bool has_extent(const struct rec_tap *tap)
{
	return atomic_load_explicit(&tap->open, memory_order_relaxed) != 0;
}

/* Make the frames up to `used` exist. Pairs with the death of the process (ordering note). */
static void publish(struct rec_tap *tap, uint32_t used)
{
	uint64_t word = atomic_load_explicit(&tap->open, memory_order_relaxed);

	word = (word & ~UINT64_C(0xffffffff)) | used;
	atomic_store_explicit(&tap->open, word, memory_order_release);
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static void count32(_Atomic uint32_t *counter, int32_t n)
{
	atomic_store_explicit(counter,
			      atomic_load_explicit(counter, memory_order_relaxed) + (uint32_t)n,
			      memory_order_relaxed);
}

static void list_append(struct rec_worker *rw, struct tap_list *l, struct rec_tap *tap)
{
	tap->prev = l->last;
	tap->next = 0;
	if (l->last != 0)
		rw->tap_base[l->last - 1].next = tap->index + 1;
	else
		l->first = tap->index + 1;
	l->last = tap->index + 1;
}

static void list_remove(struct rec_worker *rw, struct tap_list *l, struct rec_tap *tap)
{
	if (tap->prev != 0)
		rw->tap_base[tap->prev - 1].next = tap->next;
	else
		l->first = tap->next;
	if (tap->next != 0)
		rw->tap_base[tap->next - 1].prev = tap->prev;
	else
		l->last = tap->prev;
	tap->prev = 0;
	tap->next = 0;
}

static void refill(struct rec_worker *rw)
{
	uint32_t n = atomic_load_explicit(&rw->free_extents, memory_order_relaxed);
	uint32_t start = n;

	while (n - start < REFILL && spsc_get(&rw->freed, &rw->free_extent[n]))
		n++;
	atomic_store_explicit(&rw->free_extents, n, memory_order_relaxed);
}

static bool take_extent(struct rec_worker *rw, uint32_t *index)
{
	uint32_t n = atomic_load_explicit(&rw->free_extents, memory_order_relaxed);

	if (n == 0) {
		refill(rw);
		n = atomic_load_explicit(&rw->free_extents, memory_order_relaxed);
		if (n == 0)
			return false;
	}
	*index = rw->free_extent[n - 1];
	atomic_store_explicit(&rw->free_extents, n - 1, memory_order_relaxed);
	return true;
}

static void read_wall(struct rec_worker *rw, uint64_t now_ns)
{
	struct timespec ts;

	rw->wall_read_ns = now_ns;
	if (rw->wall_fixed)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	rw->wall_minus_mono_ns =
		(int64_t)((uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec - now_ns);
}

static uint64_t wall_ns(const struct rec_worker *rw, uint64_t now_ns)
{
	return now_ns + (uint64_t)rw->wall_minus_mono_ns;
}

static bool open_extent(struct rec_tap *tap, uint64_t now_ns)
{
	struct rec_worker *rw = tap->worker;
	uint32_t index;

	if (!take_extent(rw, &index))
		return false;
	tap->base = rw->extent_base + (size_t)index * RECORDING_EXTENT_BYTES;
	tap->first_mono_ns = now_ns;
	shared_extent_init(extent_of(tap), tap, now_ns, wall_ns(rw, now_ns));
	atomic_store_explicit(&tap->open, tap_word(index, sizeof(struct recording_extent_head)),
			      memory_order_release);
	tap->seq++;
	list_append(rw, &rw->aging, tap);
	return true;
}

/* Put LOSS frames for what no LOSS frame tells of yet; the reserve has the room. */
static uint32_t put_holes(const struct rec_tap *tap, uint32_t used, uint64_t now_ns)
{
	for (uint8_t ch = 0; ch < RECORDING_CHANNELS; ch++)
		if (tap->lost[ch] != tap->explained[ch])
			used = shared_put_loss(extent_of(tap), used, tap, ch,
					       tap->lost[ch] - tap->explained[ch], now_ns);
	return used;
}

/* After they have been published. */
static void forget_holes(struct rec_tap *tap)
{
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		tap->explained[ch] = tap->lost[ch];
	tap->unusual &= (uint8_t)~TAP_HOLES;
}

/* What this extent adds to what was counted: its head still tells what was before it. */
static void count_extent(struct rec_counts *c, const struct recording_extent_head *h,
			 const struct rec_tap *tap)
{
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		count(&c->written, tap->written[ch] - h->channel[ch].written_before);
		count(&c->masked, tap->masked[ch] - h->more[ch].masked);
		count(&c->missing, (uint64_t)(tap->missing[ch] - h->more[ch].missing));
	}
}

/* Close the open extent and give it to the recorder; with LAST the tap is free afterwards. */
static void hand_over(struct rec_tap *tap, uint32_t flags)
{
	struct rec_worker *rw = tap->worker;
	uint32_t index =
		(uint32_t)(atomic_load_explicit(&tap->open, memory_order_relaxed) >> 32) - 1;

	list_remove(rw, &rw->aging, tap);
	count_extent(&rw->counts, extent_of(tap), tap);
	shared_extent_close(extent_of(tap), tap, used_of(tap), flags);
	atomic_store_explicit(&tap->open, 0, memory_order_release);
	if ((flags & RECORDING_EXTENT_LAST) != 0) {
		atomic_store_explicit(&tap->state, TAP_FREE, memory_order_release);
		rw->free_tap[rw->free_taps++] = tap->index;
		count32(&rw->taps_open, -1);
	}
	must(spsc_put(&rw->full, &index)); /* the ring holds all extents */
}

static void hand_over_now(struct rec_tap *tap, uint64_t now_ns)
{
	uint32_t used = put_holes(tap, used_of(tap), now_ns);

	publish(tap, used);
	forget_holes(tap);
	hand_over(tap, 0);
}

/* An open extent with room for `bytes` of frames beside the reserve. */
static bool have_room(struct rec_tap *tap, uint32_t bytes, uint64_t now_ns)
{
	if (has_extent(tap)) {
		if (used_of(tap) + bytes + TAP_RESERVE_BYTES <= RECORDING_EXTENT_BYTES &&
		    now_ns - tap->first_mono_ns < EXTENT_SPAN_S * PB_NS_PER_S)
			return true;
		hand_over_now(tap, now_ns);
	}
	return open_extent(tap, now_ns);
}

static void see_time(struct rec_tap *tap, uint64_t now_ns)
{
	if (now_ns > tap->last_mono_ns)
		tap->last_mono_ns = now_ns;
	tap->worker->now_ns = tap->last_mono_ns;
}

static uint32_t frame_us(const struct rec_tap *tap, uint64_t now_ns)
{
	return now_ns > tap->first_mono_ns ? (uint32_t)((now_ns - tap->first_mono_ns) / 1000) : 0;
}

static int put_text(struct rec_tap *tap, const struct recording_frame_head *what, uint64_t now_ns,
		    const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	struct recording_frame_head fh = *what;

	if (len > RECORDING_METADATA_MAX)
		return -E2BIG;
	see_time(tap, now_ns);
	if (!have_room(tap, (uint32_t)(sizeof(fh) + recording_pad(len, 8)), now_ns))
		return -ENOBUFS;
	fh.length = (uint16_t)len;
	fh.time_us = frame_us(tap, now_ns);
	publish(tap, shared_put_frame(extent_of(tap), used_of(tap), &fh, text));
	return 0;
}

static int put_kind(struct rec_tap *tap, enum recording_frame_kind kind, uint64_t now_ns,
		    const char *text)
{
	return put_text(tap, &(struct recording_frame_head){.kind = (uint8_t)kind}, now_ns, text);
}

static bool no_volume(const struct rec_worker *rw)
{
	return atomic_load_explicit(&rw->no_volume, memory_order_relaxed);
}

static int refuse(struct rec_worker *rw)
{
	count(&rw->counts.refused, 1);
	return -ENXIO;
}

int rec_tap_open(struct rec_worker *rw, const uint8_t id[16], const char *metadata, uint64_t now_ns,
		 struct rec_tap **out)
{
	if (metadata == NULL)
		metadata = "{}";
	if (strlen(metadata) > RECORDING_METADATA_MAX)
		return -E2BIG;
	if (rw->refuses && no_volume(rw))
		return refuse(rw);
	if (rw->free_taps == 0)
		return -ENFILE;

	uint32_t index = rw->free_tap[rw->free_taps - 1];
	struct rec_tap *tap = &rw->tap_base[index];

	must(atomic_load_explicit(&tap->state, memory_order_relaxed) == TAP_FREE);
	read_wall(rw, now_ns);
	memset(tap, 0, sizeof(*tap));
	tap->index = index;
	tap->worker = rw;
	memcpy(tap->id, id, sizeof(tap->id));
	tap->part_ns = wall_ns(rw, now_ns);
	tap->part_mono_ns = now_ns;
	tap->unusual = TAP_FRESH << 0 | TAP_FRESH << 1;
	atomic_store_explicit(&tap->state, TAP_OPEN, memory_order_release);

	int err = put_kind(tap, RECORDING_FRAME_METADATA, now_ns, metadata);

	if (err != 0) {
		atomic_store_explicit(&tap->state, TAP_FREE, memory_order_release);
		return err == -ENOBUFS && no_volume(rw) ? refuse(rw) : err;
	}
	rw->free_taps--;
	count32(&rw->taps_open, 1);
	count(&rw->counts.recordings, 1);
	*out = tap;
	return 0;
}

__attribute__((cold)) static enum rec_tap_frame lose(struct rec_tap *tap, const struct rec_frame *f,
						     enum recording_loss why)
{
	struct tap_hole *hole = &tap->hole[f->channel];

	bool fresh = tap->lost[f->channel] == tap->explained[f->channel];

	if (fresh)
		hole->from_mono_ns = f->now_ns;
	hole->to_mono_ns = f->now_ns;
	/* a hole has one reason: that there was no volume explains the full memory before and after */
	if (fresh || tap->loss[f->channel] != RECORDING_LOSS_IO)
		tap->loss[f->channel] = (uint8_t)why;
	tap->lost[f->channel]++;
	tap->unusual |= (uint8_t)(TAP_HOLES | TAP_FRESH << f->channel);
	count(&tap->worker->counts.lost[why], 1);
	return REC_TAP_FRAME_LOST;
}

static enum recording_loss why_no_extent(const struct rec_worker *rw)
{
	return no_volume(rw) ? RECORDING_LOSS_IO : RECORDING_LOSS_NO_EXTENT;
}

static struct recording_frame_head audio_head(const struct rec_tap *tap, const struct rec_frame *f,
					      uint8_t flags)
{
	return (struct recording_frame_head){
		.length = f->len,
		.kind = RECORDING_FRAME_AUDIO,
		.channel = f->channel,
		.codec = f->codec,
		.flags = flags,
		.seq = f->seq,
		.timestamp = f->timestamp,
		.time_us = frame_us(tap, f->now_ns),
	};
}

static bool is_fresh(const struct rec_tap *tap, uint8_t channel)
{
	return (tap->unusual & TAP_FRESH << channel) != 0;
}

static void see_seq(struct rec_tap *tap, uint8_t channel, uint16_t seq)
{
	struct recording_seq s = {.missing = tap->missing[channel], .next = tap->seq_next[channel]};

	recording_seq_see(&s, seq, is_fresh(tap, channel));
	tap->missing[channel] = s.missing;
	tap->seq_next[channel] = s.next;
	tap->unusual &= (uint8_t) ~(TAP_FRESH << channel);
}

/* The octet that means silence; -1: there is none. */
static int silence_octet(uint8_t codec)
{
	switch ((enum recording_codec)codec) {
	case RECORDING_CODEC_PCMU:
		return 0xff;
	case RECORDING_CODEC_PCMA:
		return 0xd5;
	case RECORDING_CODEC_L16:
	case RECORDING_CODEC_L16_16K:
		return 0;
	case RECORDING_CODEC_NONE:
	case RECORDING_CODEC_G722:
	case RECORDING_CODEC_OPUS:
	case RECORDING_CODEC_G729:
	default: /* a frame of these is left empty */
		return -1;
	}
}

/* The frame's time and number with silence for its sound. */
static uint32_t put_silence(const struct rec_tap *tap, uint32_t used,
			    struct recording_frame_head *fh)
{
	int octet = silence_octet(fh->codec);
	uint8_t *p = tap->base + used;
	uint32_t padded;

	fh->length = octet >= 0 ? fh->length : 0;
	padded = (uint32_t)recording_pad(fh->length, 8);
	memcpy(p, fh, sizeof(*fh));
	memset(p + sizeof(*fh), 0, padded);
	memset(p + sizeof(*fh), octet, fh->length);
	return used + (uint32_t)sizeof(*fh) + padded;
}

static bool is_masked(const struct rec_tap *tap, uint8_t channel)
{
	return (tap->unusual & TAP_MASKED << channel) != 0;
}

static void apply_masks(struct rec_tap *tap, const char *why, uint64_t now_ns);

__attribute__((noinline)) static enum rec_tap_frame frame_slowly(struct rec_tap *tap,
								 const struct rec_frame *f)
{
	uint32_t bytes = (uint32_t)(sizeof(struct recording_frame_head) + recording_pad(f->len, 8));
	bool holes = (tap->unusual & TAP_HOLES) != 0;

	if ((tap->unusual & TAP_PAUSED) != 0)
		return REC_TAP_FRAME_PAUSED;
	see_time(tap, f->now_ns);
	if (tap->unmask_ns != 0 && f->now_ns >= tap->unmask_ns)
		apply_masks(tap, "secret digits are over", f->now_ns);
	if (f->len > REC_FRAME_MAX)
		return lose(tap, f, RECORDING_LOSS_TOO_LARGE);
	/* with holes, twice the reserve: two LOSS frames now, and the promise kept after */
	if (!have_room(tap, bytes + (holes ? (uint32_t)TAP_RESERVE_BYTES : 0), f->now_ns))
		return lose(tap, f, why_no_extent(tap->worker));

	bool masked = is_masked(tap, f->channel);
	struct recording_frame_head fh =
		audio_head(tap, f,
			   (uint8_t)((masked ? RECORDING_FRAME_MASKED : 0) |
				     (is_fresh(tap, f->channel) ? RECORDING_FRAME_FRESH : 0)));
	uint32_t used = used_of(tap);

	if (holes)
		used = put_holes(tap, used, f->now_ns);
	publish(tap, masked ? put_silence(tap, used, &fh)
			    : shared_put_frame(extent_of(tap), used, &fh, f->payload));
	tap->written[f->channel]++;
	tap->masked[f->channel] += masked;
	see_seq(tap, f->channel, f->seq);
	if (holes)
		forget_holes(tap);
	return REC_TAP_FRAME_WRITTEN;
}

enum rec_tap_frame rec_tap_frame(struct rec_tap *tap, const struct rec_frame *f)
{
	uint32_t used = used_of(tap);
	uint32_t padded = (uint32_t)recording_pad(f->len, 8);
	uint32_t bytes = (uint32_t)sizeof(struct recording_frame_head) + padded;

	hot_assert(f->channel < RECORDING_CHANNELS);
	if (tap->unusual != 0 || f->seq != tap->seq_next[f->channel] || used == 0 ||
	    f->len > REC_FRAME_MAX || used + bytes + TAP_RESERVE_BYTES > RECORDING_EXTENT_BYTES ||
	    f->now_ns - tap->first_mono_ns >= EXTENT_SPAN_S * PB_NS_PER_S)
		return frame_slowly(tap, f);

	struct recording_frame_head fh = audio_head(tap, f, 0);
	uint8_t *p = tap->base + used;

	see_time(tap, f->now_ns);
	memcpy(p, &fh, sizeof(fh));
	p += sizeof(fh);
	if (f->len == 160) { /* 20 ms of G.711: without a call */
		memcpy(p, f->payload, 160);
	} else {
		memset(p + padded - (padded != 0 ? 8 : 0), 0, padded != 0 ? 8 : 0);
		memcpy(p, f->payload, f->len);
	}
	publish(tap, used + bytes);
	tap->written[f->channel]++;
	tap->seq_next[f->channel]++;
	return REC_TAP_FRAME_WRITTEN;
}

void rec_tap_no_sound(struct rec_tap *tap, uint8_t channel)
{
	tap->unusual |= (uint8_t)(TAP_FRESH << channel);
}

void rec_tap_fetch(const struct rec_tap *tap)
{
	__builtin_prefetch(tap, 1);
}

void rec_tap_fetch_frame(const struct rec_tap *tap)
{
	uint32_t used = used_of(tap);

	if (used == 0)
		return;
	/* Three lines hold 20 ms of G.711 with its head, or four. */
	for (uint32_t i = 0; i < 4; i++)
		__builtin_prefetch(tap->base + used + (size_t)i * 64, 1);
}

void rec_tap_pause(struct rec_tap *tap, uint64_t now_ns)
{
	if (rec_tap_paused(tap))
		return;
	(void)put_kind(tap, RECORDING_FRAME_PAUSE, now_ns, NULL); /* the heads tell, too */
	count(&tap->worker->counts.pauses, 1);
	tap->pause_from_ns = now_ns;
	tap->unusual |= TAP_PAUSED;
}

static void end_pause(struct rec_tap *tap, uint64_t now_ns)
{
	if (rec_tap_paused(tap) && now_ns > tap->pause_from_ns)
		tap->paused_ns += now_ns - tap->pause_from_ns;
	tap->unusual &= (uint8_t)~TAP_PAUSED;
}

void rec_tap_resume(struct rec_tap *tap, uint64_t now_ns)
{
	if (!rec_tap_paused(tap))
		return;
	end_pause(tap, now_ns);
	(void)put_kind(tap, RECORDING_FRAME_RESUME, now_ns, NULL);
	tap->unusual |= TAP_FRESH << 0 | TAP_FRESH << 1;
}

bool rec_tap_paused(const struct rec_tap *tap)
{
	return (tap->unusual & TAP_PAUSED) != 0;
}

/* --- masks --- */

static void apply_masks(struct rec_tap *tap, const char *why, uint64_t now_ns)
{
	uint8_t want;

	if (now_ns >= tap->unmask_ns) {
		tap->lingering = 0;
		tap->unmask_ns = 0;
	}
	want = tap->lingering;
	for (int who = 0; who < REC_MASKS; who++)
		want |= tap->mask_by[who];
	for (uint8_t ch = 0; ch < RECORDING_CHANNELS; ch++) {
		bool on = (want & 1U << ch) != 0;
		struct recording_frame_head fh = {
			.kind = on ? RECORDING_FRAME_MASK : RECORDING_FRAME_UNMASK,
			.channel = ch,
		};

		if (on == is_masked(tap, ch))
			continue;
		/* without an extent the frames' own flags still tell */
		(void)put_text(tap, &fh, now_ns, why);
		count(&tap->worker->counts.masks, on);
		if (on)
			tap->unusual |= (uint8_t)(TAP_MASKED << ch);
		else
			tap->unusual &= (uint8_t) ~(TAP_MASKED << ch);
	}
}

void rec_tap_mask(struct rec_tap *tap, enum rec_mask who, uint8_t channels, const char *why,
		  uint64_t now_ns)
{
	uint8_t ended = (uint8_t)(tap->mask_by[who] & ~channels);

	tap->mask_by[who] = channels;
	if (who == REC_MASK_SECRET && ended != 0) {
		tap->lingering |= ended;
		tap->unmask_ns = now_ns + REC_MASK_LINGER_MS * PB_NS_PER_MS;
	}
	apply_masks(tap, why, now_ns);
}

uint8_t rec_tap_masked(const struct rec_tap *tap)
{
	return (uint8_t)((is_masked(tap, 0) ? REC_MASK_SAID : 0) |
			 (is_masked(tap, 1) ? REC_MASK_HEARD : 0));
}

int rec_tap_mark(struct rec_tap *tap, uint64_t now_ns, const char *text)
{
	return put_kind(tap, RECORDING_FRAME_MARK, now_ns, text);
}

int rec_tap_event(struct rec_tap *tap, uint64_t now_ns, const char *json)
{
	return put_kind(tap, RECORDING_FRAME_EVENT, now_ns, json);
}

void rec_tap_account(const struct rec_tap *tap, uint64_t now_ns, struct recording_account *account)
{
	uint64_t paused_ns = tap->paused_ns;

	if (rec_tap_paused(tap) && now_ns > tap->pause_from_ns)
		paused_ns += now_ns - tap->pause_from_ns;
	*account = (struct recording_account){.paused_ms = paused_ns / PB_NS_PER_MS};
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		account->channel[ch].written = tap->written[ch];
		account->channel[ch].lost = tap->lost[ch];
		account->channel[ch].accepted = tap->written[ch] + tap->lost[ch];
		account->channel[ch].masked = tap->masked[ch];
		account->channel[ch].missing =
			tap->missing[ch] > 0 ? (uint64_t)tap->missing[ch] : 0;
		account->channel[ch].loss = tap->loss[ch];
	}
}

/* Write the END into the open extent, or into a fresh one. Returns false when there is none. */
static bool finish(struct rec_tap *tap, uint64_t now_ns)
{
	if (!has_extent(tap) && !open_extent(tap, now_ns))
		return false;

	uint32_t used = put_holes(tap, used_of(tap), now_ns);

	used = shared_put_end(extent_of(tap), used, tap, (enum recording_end)tap->end_reason,
			      now_ns);
	publish(tap, used);
	forget_holes(tap);
	hand_over(tap, RECORDING_EXTENT_LAST);
	return true;
}

void rec_tap_close(struct rec_tap *tap, enum recording_end reason, uint64_t now_ns,
		   struct recording_account *account)
{
	struct rec_worker *rw = tap->worker;

	see_time(tap, now_ns);
	end_pause(tap, now_ns);
	if (account != NULL)
		rec_tap_account(tap, now_ns, account);
	tap->end_reason = (uint8_t)reason;
	atomic_store_explicit(&tap->state, TAP_CLOSING, memory_order_release);
	if (!finish(tap, now_ns))
		list_append(rw, &rw->closing, tap);
}

static void finish_closing(struct rec_worker *rw)
{
	while (rw->closing.first != 0) {
		struct rec_tap *tap = &rw->tap_base[rw->closing.first - 1];

		refill(rw);
		if (atomic_load_explicit(&rw->free_extents, memory_order_relaxed) == 0)
			return;
		list_remove(rw, &rw->closing, tap);
		must(finish(tap, tap->last_mono_ns));
	}
}

void rec_tap_adopt(struct rec_worker *rw, struct rec_tap *tap)
{
	tap->worker = rw;
	count32(&rw->taps_open, 1);
	list_append(rw, &rw->closing, tap);
}

void rec_tap_age(struct rec_worker *rw, uint64_t now_ns)
{
	rw->now_ns = now_ns;
	while (rw->aging.first != 0) {
		struct rec_tap *tap = &rw->tap_base[rw->aging.first - 1];

		if (now_ns < tap->first_mono_ns + rw->age_ns)
			break;
		hand_over_now(tap, now_ns);
	}
	if (rw->closing.first != 0)
		finish_closing(rw);
	if (now_ns - rw->wall_read_ns >= WALL_READ_S * PB_NS_PER_S && rw->aging.first != 0)
		read_wall(rw, now_ns);
}

uint32_t rec_tap_due_ms(const struct rec_worker *rw, uint64_t now_ns)
{
	if (rw->closing.first != 0)
		return 1;
	if (rw->aging.first == 0)
		return UINT32_MAX;

	uint64_t due_ns = rw->tap_base[rw->aging.first - 1].first_mono_ns + rw->age_ns;

	return due_ns <= now_ns ? 0
				: (uint32_t)((due_ns - now_ns + PB_NS_PER_MS - 1) / PB_NS_PER_MS);
}
