/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder thread: closed extents in, durable extents out.
 *
 *   rings ─► pending ─► batch (checksummed copy, one big write) ─► written ─► sync ─► freed
 *               ▲            │ error                                 │ error
 *               └────────────┴───────────────────────────────────────┘
 *
 * Until a sync that began after its write has succeeded, an extent stays in shared memory; so
 * whatever a volume says, all that it has not made durable simply becomes pending again, for the
 * next volume. (After a failed sync the kernel may have dropped any page written before it: those
 * extents are written again too.)
 *
 * The thread never waits for anything in any other place than pump() (breathe() rests for a moment), and pump() goes on emptying rings and
 * telling the operator while a disk stalls. What else may wait for a disk is the keeper's work. No worker ever wakes it: it comes by every POLL_MS.
 */
#include "record/recorder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/units.h"
#include "libpatchbay/recording_segment.h"

enum {
	POLL_MS = 50,
	SEGMENT_POLL_MS = 5,
	SLICE_US = 150, /* of work, and the rest after it; see breathe() */
	REST_US = 100,
	NICENESS = -10,
	STOP_WAIT_S = 30, /* for a stalled disk, at the end */
};

static uint64_t clock_ns(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t recorder_mono_ns(const struct record *rec)
{
	if (rec->cfg.clock.now_ns != NULL)
		return rec->cfg.clock.now_ns(rec->cfg.clock.ctx);
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t recorder_wall_ns(const struct record *rec)
{
	/* of a test's clock it is the same */
	return rec->cfg.clock.now_ns != NULL ? recorder_mono_ns(rec) : clock_ns(CLOCK_REALTIME);
}

/* Calls that began together hand over together, many megabytes at once. Where a worker shares this thread's CPU,
 * a kernel that does not preempt would let its packets wait until all of that is staged, or for a tick of 4 ms; so
 * this thread goes to sleep for a moment by itself after each slice of work. */
static void breathe(struct record *rec)
{
	const struct timespec rest = {.tv_nsec = REST_US * 1000L};

	if (rec->cfg.clock.now_ns != NULL ||
	    clock_ns(CLOCK_MONOTONIC) - rec->slice_ns < SLICE_US * 1000ull)
		return;
	nanosleep(&rest, NULL);
	rec->slice_ns = clock_ns(CLOCK_MONOTONIC);
}

/* --- extents in and out --- */

static void pending_append(struct record *rec, uint32_t extent)
{
	must(rec->pending_n < rec->shared.head->extents);
	rec->pending[(rec->pending_first + rec->pending_n++) % rec->shared.head->extents] = extent;
}

static void pending_prepend(struct record *rec, uint32_t extent)
{
	uint32_t size = rec->shared.head->extents;

	must(rec->pending_n < size);
	rec->pending_first = (rec->pending_first + size - 1) % size;
	rec->pending[rec->pending_first] = extent;
	rec->pending_n++;
}

static uint32_t pending_take(struct record *rec)
{
	uint32_t extent = rec->pending[rec->pending_first];

	rec->pending_first = (rec->pending_first + 1) % rec->shared.head->extents;
	rec->pending_n--;
	return extent;
}

static void collect(struct record *rec)
{
	uint32_t extent;

	for (uint16_t i = 0; i < rec->cfg.workers; i++)
		while (spsc_get(&rec->worker[i].full, &extent))
			pending_append(rec, extent);
}

static struct recording_extent_head *head_of(struct record *rec, uint32_t extent)
{
	return shared_extent(rec->shared.extent_base, extent);
}

static void give_back(struct record *rec, uint32_t extent, uint64_t wall_ns)
{
	struct recording_extent_head *h = head_of(rec, extent);
	uint64_t ms = wall_ns > h->first_wall_ns ? (wall_ns - h->first_wall_ns) / PB_NS_PER_MS : 0;

	if ((h->flags & RECORDING_EXTENT_RECOVERED) == 0) {
		if (ms > rec->stats.durable_ms_max)
			rec->stats.durable_ms_max = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
		rec->durable[ms < DURABLE_MS_MAX ? ms : DURABLE_MS_MAX - 1]++;
	}
	rec->stats.extents_written++;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++)
		rec->stats.frames_durable += h->channel[ch].written - h->channel[ch].written_before;
	if (rec->cfg.durable != NULL)
		rec->cfg.durable(rec->cfg.fault_ctx, h);
	atomic_store_explicit(&shared_live(h)->state, SHARED_FREE, memory_order_release);
	must(spsc_put(&rec->worker[rec->owner[extent]].freed, &extent));
}

/* --- what the volume said --- */

static void wrote(struct record *rec, struct batch *b)
{
	if (rec->written_n == rec->covered && b->n != 0)
		rec->unsynced_since_ns = recorder_mono_ns(rec);
	for (uint32_t i = 0; i < b->n; i++)
		rec->written[rec->written_n++] = b->extent[i];
	b->n = 0;
}

static void synced(struct record *rec)
{
	uint64_t wall_ns = recorder_wall_ns(rec);

	for (uint32_t i = 0; i < rec->covered; i++) {
		give_back(rec, rec->written[i], wall_ns);
		breathe(rec);
	}
	rec->stats.syncs++;
	rec->written_n -= rec->covered;
	memmove(rec->written, rec->written + rec->covered,
		rec->written_n * sizeof(rec->written[0]));
	rec->covered = 0;
}

static void broke(struct record *rec, int err)
{
	rec->stats.errors++;
	if (rec->broken == 0)
		rec->broken = err;
}

static void complete(struct record *rec, const struct rec_io_done *done)
{
	if (done->slot == REC_IO_SYNC) {
		rec->syncing = false;
		if (done->result == 0 && rec->broken == 0)
			synced(rec);
		else
			broke(rec, done->result != 0 ? done->result : rec->broken);
		return;
	}

	struct batch *b = &rec->batch[done->slot];

	b->busy = false;
	if (done->result == 0)
		wrote(rec, b);
	else
		broke(rec, done->result);
}

uint32_t recorder_waiting(const struct record *rec)
{
	uint32_t n = rec->pending_n + rec->written_n;

	for (unsigned i = 0; i < REC_IO_BUFFERS; i++)
		n += rec->batch[i].n;
	return n;
}

/* Sleep, take what is done, keep the rings empty and the operator told. */
static void pump(struct record *rec, uint32_t timeout_ms)
{
	struct rec_io_done done[REC_IO_BUFFERS + 1];
	unsigned n = rec_io_wait(rec->io, timeout_ms, done, REC_IO_BUFFERS + 1);

	for (unsigned i = 0; i < n; i++)
		complete(rec, &done[i]);
	collect(rec);
	recorder_tell(rec);
}

static void settle(struct record *rec)
{
	while (rec_io_busy(rec->io) != 0)
		pump(rec, POLL_MS);
}

/* --- writing --- */

static void start_sync(struct record *rec)
{
	rec->covered = rec->written_n;
	rec->syncing = true;
	rec_io_sync(rec->io);
}

/* Copy an extent into the batch's buffer as it will stand on disk. */
static uint32_t stage(struct record *rec, uint32_t extent, uint8_t *dst)
{
	struct recording_extent_head *src = head_of(rec, extent);
	struct recording_extent_head *h = (struct recording_extent_head *)(void *)dst;
	struct segment *s = &rec->seg;
	struct tap_last *last = &rec->last[shared_live(src)->tap];

	must(src->used >= sizeof(*src) && src->used <= RECORDING_EXTENT_BYTES);

	uint32_t bytes = (uint32_t)recording_pad(src->used, RECORDING_BLOCK);

	memcpy(dst, src, src->used);
	memset(dst + src->used, 0, bytes - src->used);
	memset(h->reserved, 0, sizeof(h->reserved));
	h->tag = s->tag;
	if (h->seq != 0 && last->part_ns == h->part_ns && last->seq + 1 == h->seq) {
		h->prev_segment = last->segment;
		h->prev_offset = last->offset;
	}
	h->crc = recording_extent_crc(dst, h->used);
	*last = (struct tap_last){h->part_ns, h->seq, s->number, s->at};

	struct recording_index_entry *e = &s->index[s->entries++];

	*e = (struct recording_index_entry){
		.part_ns = h->part_ns,
		.seq = h->seq,
		.first_wall_ns = h->first_wall_ns,
		.span_ns = h->last_mono_ns - h->first_mono_ns,
		.offset = (uint32_t)s->at,
		.used = h->used,
		.flags = h->flags,
		.crc = h->crc,
	};
	memcpy(e->id, h->id, sizeof(e->id));
	s->at += bytes;
	return bytes;
}

static uint64_t next_bytes(struct record *rec)
{
	return recording_pad(head_of(rec, rec->pending[rec->pending_first])->used, RECORDING_BLOCK);
}

/* Fill one buffer with what is pending and send it off. */
static void write_batch(struct record *rec, unsigned slot)
{
	struct batch *b = &rec->batch[slot];
	uint8_t *buf = rec_io_buffer(rec->io, slot);
	uint64_t at = rec->seg.at;
	uint32_t len = 0;

	b->n = 0;
	while (rec->pending_n > 0 && b->n < BUFFER_EXTENTS) {
		uint64_t bytes = next_bytes(rec);

		if (len + bytes > REC_IO_BUFFER_BYTES || !volume_segment_fits(&rec->seg, bytes))
			break;
		b->extent[b->n] = pending_take(rec);
		len += stage(rec, b->extent[b->n++], buf + len);
		breathe(rec);
	}
	b->busy = true;
	rec->stats.writes++;
	rec->stats.bytes_written += len;
	rec_io_write(rec->io, slot, len, at);
}

/* The segment's volume has failed: all that is not durable becomes pending again. */
static void retreat(struct record *rec)
{
	int err = rec->broken;

	settle(rec);
	rec->stats.rewritten += recorder_waiting(rec) - rec->pending_n;
	while (rec->written_n > 0)
		pending_prepend(rec, rec->written[--rec->written_n]);
	for (unsigned i = 0; i < REC_IO_BUFFERS; i++)
		while (rec->batch[i].n > 0)
			pending_prepend(rec, rec->batch[i].extent[--rec->batch[i].n]);
	rec->covered = 0;
	rec->broken = 0;
	rec_io_target(rec->io, -1, 0);
	keeper_failed(rec->keeper, &rec->seg, err);
	rec->seg.fd = -1;
}

/* Everything durable; the index is the keeper's work. What fails on the way is left to retreat(). */
static void leave_segment(struct record *rec, bool shorten)
{
	settle(rec);
	if (rec->broken == 0 && rec->written_n > 0) {
		start_sync(rec);
		settle(rec);
	}
	if (rec->broken != 0)
		return;
	rec_io_target(rec->io, -1, 0);
	keeper_seal(rec->keeper, &rec->seg, shorten);
	rec->seg.fd = -1;
}

static bool take_segment(struct record *rec)
{
	if (!keeper_take(rec->keeper, &rec->seg))
		return false;
	rec_io_target(rec->io, rec->seg.fd, rec->seg.volume);
	log_debug("record", "segment %08x on %s", (unsigned)rec->seg.number,
		  rec->cfg.volume[rec->seg.volume]);
	return true;
}

static void write_pending(struct record *rec)
{
	for (unsigned i = 0; i < REC_IO_BUFFERS && rec->pending_n > 0 && rec->broken == 0; i++) {
		if (rec->seg.fd >= 0 && !volume_segment_fits(&rec->seg, next_bytes(rec)))
			leave_segment(rec, false);
		if (rec->broken != 0 || (rec->seg.fd < 0 && !take_segment(rec)))
			return;
		if (!rec->batch[i].busy)
			write_batch(rec, i);
	}
}

static bool sync_due(const struct record *rec, bool at_once)
{
	if (rec->written_n == 0 || rec->syncing || rec->broken != 0)
		return false;
	return at_once ||
	       recorder_mono_ns(rec) - rec->unsynced_since_ns >= rec->cfg.flush_ms * PB_NS_PER_MS;
}

/* Until the next poll, or the next sync if that is due before, or a segment may be ready. */
static uint32_t nap_ms(const struct record *rec)
{
	uint64_t since_ms = (recorder_mono_ns(rec) - rec->unsynced_since_ns) / PB_NS_PER_MS;

	if (rec->seg.fd < 0 && rec->pending_n != 0 && !rec->no_volume)
		return SEGMENT_POLL_MS;
	if (rec->written_n == rec->covered || rec->syncing)
		return POLL_MS;
	if (since_ms >= rec->cfg.flush_ms)
		return 0;
	return rec->cfg.flush_ms - since_ms < POLL_MS ? rec->cfg.flush_ms - (uint32_t)since_ms
						      : POLL_MS;
}

static void turn(struct record *rec, bool stopping)
{
	if (rec->cfg.clock.now_ns != NULL)
		keeper_work(rec->keeper);
	if (rec->seg.fd >= 0 && rec->broken == 0)
		rec->broken = keeper_gone(rec->keeper, rec->seg.volume);
	if (rec->broken != 0)
		retreat(rec);
	if (rec->seg.fd >= 0 && keeper_better(rec->keeper, rec->seg.volume))
		leave_segment(rec, true);
	write_pending(rec);
	if (sync_due(rec, stopping))
		start_sync(rec);
	pump(rec, nap_ms(rec));
}

/* At the end: each volume is tried once more; what none takes stays in the extent file. */
static int finish(struct record *rec)
{
	uint64_t until_ns = recorder_mono_ns(rec) + STOP_WAIT_S * PB_NS_PER_S;

	keeper_retry_now(rec->keeper);
	collect(rec);
	while (recorder_waiting(rec) > 0 && recorder_mono_ns(rec) < until_ns) {
		turn(rec, true);
		if (rec->seg.fd < 0 && rec->broken == 0 && keeper_hopeless(rec->keeper))
			break;
	}
	if (recorder_waiting(rec) > 0) {
		log_error("record", "%u extents are on no disk; they stay in %s",
			  recorder_waiting(rec), rec->shared.path);
		return -EIO;
	}
	if (rec->seg.fd >= 0)
		leave_segment(rec, true);
	if (rec->broken != 0)
		retreat(rec);
	return 0;
}

static void sealed(void *ctx)
{
	struct record *rec = ctx;

	cataloguer_sealed(rec->cataloguer);
}

int recorder_begin(struct record *rec)
{
	const struct keeper_config cfg = {.record = &rec->cfg,
					  .dead = rec->after_death ? rec->dead : NULL,
					  .sealed = sealed,
					  .ctx = rec};

	if (rec_io_open(&rec->io, &rec->cfg) != 0 || keeper_start(&rec->keeper, &cfg) != 0) {
		log_error("record", "no memory or thread for the recorder");
		rec->result = -ENOMEM;
		return -ENOMEM;
	}
	log_info("record", "recorder uses %s", rec_io_text(rec->io));
	return 0;
}

void recorder_turn(struct record *rec)
{
	turn(rec, false);
}

void recorder_end(struct record *rec)
{
	rec->result = finish(rec);
	recorder_tell(rec);
	keeper_stop(rec->keeper);
	volume_segment_close(&rec->seg);
	rec_io_close(rec->io);
}

void *recorder_run(void *arg)
{
	struct record *rec = arg;

	pthread_setname_np(pthread_self(), "recorder"); /* for top and perf */
	/* it needs little, but soon; without the right to it the window is kept by a machine that is not busy */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
	if (recorder_begin(rec) != 0)
		return NULL;
	while (!atomic_load_explicit(&rec->stop, memory_order_acquire))
		turn(rec, false);
	recorder_end(rec);
	return NULL;
}
