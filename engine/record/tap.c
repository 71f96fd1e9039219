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

	clock_gettime(CLOCK_REALTIME, &ts);
	rw->wall_minus_mono_ns =
		(int64_t)((uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec - now_ns);
	rw->wall_read_ns = now_ns;
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

static bool has_holes(const struct rec_tap *tap)
{
	return tap->lost[0] != tap->explained[0] || tap->lost[1] != tap->explained[1];
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
}

/* Close the open extent and give it to the recorder; with LAST the tap is free afterwards. */
static void hand_over(struct rec_tap *tap, uint32_t flags)
{
	struct rec_worker *rw = tap->worker;
	uint32_t index =
		(uint32_t)(atomic_load_explicit(&tap->open, memory_order_relaxed) >> 32) - 1;

	list_remove(rw, &rw->aging, tap);
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

static int put_text(struct rec_tap *tap, uint8_t kind, uint64_t now_ns, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	struct recording_frame_head fh = {.length = (uint16_t)len, .kind = kind};

	if (len > RECORDING_METADATA_MAX)
		return -E2BIG;
	see_time(tap, now_ns);
	if (!have_room(tap, (uint32_t)(sizeof(fh) + recording_pad(len, 8)), now_ns))
		return -ENOBUFS;
	fh.time_us = frame_us(tap, now_ns);
	publish(tap, shared_put_frame(extent_of(tap), used_of(tap), &fh, text));
	return 0;
}

int rec_tap_open(struct rec_worker *rw, const uint8_t id[16], const char *metadata, uint64_t now_ns,
		 struct rec_tap **out)
{
	if (metadata == NULL)
		metadata = "{}";
	if (strlen(metadata) > RECORDING_METADATA_MAX)
		return -E2BIG;
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
	atomic_store_explicit(&tap->state, TAP_OPEN, memory_order_release);

	int err = put_text(tap, RECORDING_FRAME_METADATA, now_ns, metadata);

	if (err != 0) {
		atomic_store_explicit(&tap->state, TAP_FREE, memory_order_release);
		return err;
	}
	rw->free_taps--;
	count32(&rw->taps_open, 1);
	*out = tap;
	return 0;
}

__attribute__((cold)) static enum rec_tap_frame lose(struct rec_tap *tap, const struct rec_frame *f,
						     enum recording_loss why)
{
	struct tap_hole *hole = &tap->hole[f->channel];

	if (tap->lost[f->channel] == tap->explained[f->channel])
		hole->from_mono_ns = f->now_ns;
	hole->to_mono_ns = f->now_ns;
	tap->loss[f->channel] = (uint8_t)why;
	tap->lost[f->channel]++;
	count(&tap->worker->frames_lost, 1);
	return REC_TAP_FRAME_LOST;
}

enum rec_tap_frame rec_tap_frame(struct rec_tap *tap, const struct rec_frame *f)
{
	uint32_t bytes = (uint32_t)(sizeof(struct recording_frame_head) + recording_pad(f->len, 8));
	bool holes = has_holes(tap);

	hot_assert(f->channel < RECORDING_CHANNELS);
	if (tap->paused)
		return REC_TAP_FRAME_PAUSED;
	see_time(tap, f->now_ns);
	if (f->len > REC_FRAME_MAX)
		return lose(tap, f, RECORDING_LOSS_TOO_LARGE);
	/* with holes, twice the reserve: two LOSS frames now, and the promise kept after */
	if (!have_room(tap, bytes + (holes ? (uint32_t)TAP_RESERVE_BYTES : 0), f->now_ns))
		return lose(tap, f, RECORDING_LOSS_NO_EXTENT);

	struct recording_frame_head fh = {
		.length = f->len,
		.kind = RECORDING_FRAME_AUDIO,
		.channel = f->channel,
		.codec = f->codec,
		.seq = f->seq,
		.timestamp = f->timestamp,
		.time_us = frame_us(tap, f->now_ns),
	};
	uint32_t used = used_of(tap);

	if (holes)
		used = put_holes(tap, used, f->now_ns);
	publish(tap, shared_put_frame(extent_of(tap), used, &fh, f->payload));
	tap->written[f->channel]++;
	if (holes)
		forget_holes(tap);
	return REC_TAP_FRAME_WRITTEN;
}

void rec_tap_fetch(const struct rec_tap *tap)
{
	__builtin_prefetch(tap, 1);
	__builtin_prefetch(tap->lost, 0);
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

static void put_plain(struct rec_tap *tap, uint8_t kind, uint64_t now_ns)
{
	see_time(tap, now_ns);
	if (!have_room(tap, sizeof(struct recording_frame_head), now_ns))
		return; /* paused_ns in the heads still tells */

	struct recording_frame_head fh = {.kind = kind, .time_us = frame_us(tap, now_ns)};

	publish(tap, shared_put_frame(extent_of(tap), used_of(tap), &fh, NULL));
}

void rec_tap_pause(struct rec_tap *tap, uint64_t now_ns)
{
	if (tap->paused)
		return;
	put_plain(tap, RECORDING_FRAME_PAUSE, now_ns);
	tap->pause_from_ns = now_ns;
	tap->paused = true;
}

void rec_tap_resume(struct rec_tap *tap, uint64_t now_ns)
{
	if (!tap->paused)
		return;
	tap->paused = false;
	if (now_ns > tap->pause_from_ns)
		tap->paused_ns += now_ns - tap->pause_from_ns;
	put_plain(tap, RECORDING_FRAME_RESUME, now_ns);
}

bool rec_tap_paused(const struct rec_tap *tap)
{
	return tap->paused;
}

int rec_tap_mark(struct rec_tap *tap, uint64_t now_ns, const char *text)
{
	return put_text(tap, RECORDING_FRAME_MARK, now_ns, text);
}

int rec_tap_event(struct rec_tap *tap, uint64_t now_ns, const char *json)
{
	return put_text(tap, RECORDING_FRAME_EVENT, now_ns, json);
}

void rec_tap_account(const struct rec_tap *tap, uint64_t now_ns, struct recording_account *account)
{
	uint64_t paused_ns = tap->paused_ns;

	if (tap->paused && now_ns > tap->pause_from_ns)
		paused_ns += now_ns - tap->pause_from_ns;
	*account = (struct recording_account){.paused_ms = paused_ns / PB_NS_PER_MS};
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		account->channel[ch].written = tap->written[ch];
		account->channel[ch].lost = tap->lost[ch];
		account->channel[ch].accepted = tap->written[ch] + tap->lost[ch];
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
	if (tap->paused && now_ns > tap->pause_from_ns)
		tap->paused_ns += now_ns - tap->pause_from_ns;
	tap->paused = false;
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
