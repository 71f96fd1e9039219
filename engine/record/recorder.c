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
 * The thread never waits in any other place than pump(), and pump() goes on emptying rings and
 * telling the operator while a disk stalls. No worker ever wakes it: it comes by every POLL_MS.
 */
#include "record/recorder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/units.h"
#include "libpatchbay/recording_segment.h"

enum {
	POLL_MS = 50,
	STOP_WAIT_S = 30,  /* for a stalled disk, at the end */
	LOSS_ALARM_S = 10, /* the alarm stays this long after the last loss */
};

static uint64_t clock_ns(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
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
	atomic_store_explicit(&shared_live(h)->state, SHARED_FREE, memory_order_release);
	must(spsc_put(&rec->worker[rec->owner[extent]].freed, &extent));
}

/* --- what the volume said --- */

static void wrote(struct record *rec, struct batch *b)
{
	if (rec->written_n == rec->covered && b->n != 0)
		rec->unsynced_since_ns = mono_ns();
	for (uint32_t i = 0; i < b->n; i++)
		rec->written[rec->written_n++] = b->extent[i];
	b->n = 0;
}

static void synced(struct record *rec)
{
	uint64_t wall_ns = clock_ns(CLOCK_REALTIME);

	for (uint32_t i = 0; i < rec->covered; i++)
		give_back(rec, rec->written[i], wall_ns);
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

/* --- the operator --- */

static const struct volume *first_failed(const struct record *rec)
{
	for (unsigned i = 0; i < rec->cfg.volumes; i++)
		if (rec->volume[i].failed)
			return &rec->volume[i];
	return NULL;
}

static bool all_failed(const struct record *rec)
{
	for (unsigned i = 0; i < rec->cfg.volumes; i++)
		if (!rec->volume[i].failed)
			return false;
	return true;
}

static uint32_t waiting(const struct record *rec)
{
	uint32_t n = rec->pending_n + rec->written_n;

	for (unsigned i = 0; i < REC_IO_BUFFERS; i++)
		n += rec->batch[i].n;
	return n;
}

static enum record_alarm judge(struct record *rec, uint64_t lost, char *text, size_t max)
{
	const struct volume *bad = first_failed(rec);
	uint64_t now = mono_ns();

	if (lost != rec->lost_seen) {
		rec->lost_seen = lost;
		rec->lost_at_ns = now;
	}
	text[0] = '\0';
	if (rec->lost_at_ns != 0 && now - rec->lost_at_ns < LOSS_ALARM_S * PB_NS_PER_S) {
		snprintf(text, max, "frames are being lost%s%s%.80s",
			 rec->stats.extents_free == 0 ? ": no extent is free" : "",
			 bad != NULL ? "; failed volume: " : "", bad != NULL ? bad->path : "");
		return RECORD_ALARM_LOSS;
	}
	if (rec->cfg.volumes == 0 || (rec->seg.fd < 0 && all_failed(rec))) {
		if (bad == NULL)
			snprintf(text, max, "no volume is configured: nothing can be recorded");
		else
			snprintf(text, max, "no volume takes recordings; %.80s: %s", bad->path,
				 strerror(-bad->error));
		return RECORD_ALARM_NO_VOLUME;
	}
	if (bad != NULL) {
		snprintf(text, max, "volume %.80s: %s; another one is used", bad->path,
			 strerror(-bad->error));
		return RECORD_ALARM_VOLUME;
	}
	if (waiting(rec) > rec->shared.head->extents / 2) {
		snprintf(text, max, "the disk does not keep up: %u of %u extents wait for it",
			 waiting(rec), rec->shared.head->extents);
		return RECORD_ALARM_SLOW;
	}
	return RECORD_ALARM_NONE;
}

/* How long `percent` of the extents took at most. */
static uint32_t durable_ms(const struct record *rec, unsigned percent)
{
	uint64_t all = 0, n = 0;
	uint32_t ms = 0;

	for (uint32_t i = 0; i < DURABLE_MS_MAX; i++)
		all += rec->durable[i];
	while (ms < DURABLE_MS_MAX && (n += rec->durable[ms]) * 100 < all * percent)
		ms++;
	return ms;
}

static void tell(struct record *rec)
{
	struct record_stats *st = &rec->stats;
	uint32_t free_extents = 0, open = 0;
	uint64_t lost = 0;

	for (uint16_t i = 0; i < rec->cfg.workers; i++) {
		struct rec_worker *w = &rec->worker[i];

		free_extents += atomic_load_explicit(&w->free_extents, memory_order_relaxed) +
				spsc_held(&w->freed);
		open += atomic_load_explicit(&w->taps_open, memory_order_relaxed);
		lost += atomic_load_explicit(&w->frames_lost, memory_order_relaxed);
	}
	st->extents_free = free_extents;
	st->taps_open = open;
	st->frames_lost = lost;
	st->segment = rec->seg.number;
	st->volume = rec->seg.volume;
	if (st->syncs != rec->syncs_told) {
		st->durable_ms_p50 = durable_ms(rec, 50);
		st->durable_ms_p99 = durable_ms(rec, 99);
		rec->syncs_told = st->syncs;
	}
	st->alarm = judge(rec, lost, st->alarm_text, sizeof(st->alarm_text));
	pthread_mutex_lock(&rec->told_lock);
	rec->told = *st;
	pthread_mutex_unlock(&rec->told_lock);
	if (st->alarm != rec->logged) {
		if (st->alarm == RECORD_ALARM_NONE)
			log_info("record", "recording works again as it should");
		else if (st->alarm == RECORD_ALARM_LOSS || st->alarm == RECORD_ALARM_NO_VOLUME)
			log_error("record", "%s", st->alarm_text);
		else
			log_warn("record", "%s", st->alarm_text);
		rec->logged = st->alarm;
	}
}

/* Sleep, take what is done, keep the rings empty and the operator told. */
static void pump(struct record *rec, uint32_t timeout_ms)
{
	struct rec_io_done done[REC_IO_BUFFERS + 1];
	unsigned n = rec_io_wait(rec->io, timeout_ms, done, REC_IO_BUFFERS + 1);

	for (unsigned i = 0; i < n; i++)
		complete(rec, &done[i]);
	collect(rec);
	tell(rec);
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
	}
	b->busy = true;
	rec->stats.writes++;
	rec->stats.bytes_written += len;
	rec_io_write(rec->io, slot, len, at);
}

static void fail_volume(struct record *rec, unsigned index, int err)
{
	struct volume *v = &rec->volume[index];

	if (!v->failed || v->error != err)
		log_error("record", "volume %s: %s", v->path, strerror(-err));
	v->failed = true;
	v->error = err;
	v->retry_at_ns = mono_ns() + rec->cfg.retry_ms * PB_NS_PER_MS;
}

/* The segment's volume has failed: all that is not durable becomes pending again. */
static void retreat(struct record *rec)
{
	int err = rec->broken;

	settle(rec);
	while (rec->written_n > 0)
		pending_prepend(rec, rec->written[--rec->written_n]);
	for (unsigned i = 0; i < REC_IO_BUFFERS; i++)
		while (rec->batch[i].n > 0)
			pending_prepend(rec, rec->batch[i].extent[--rec->batch[i].n]);
	rec->covered = 0;
	rec->broken = 0;
	fail_volume(rec, rec->seg.volume, err);
	rec_io_target(rec->io, -1, 0);
	volume_segment_close(&rec->seg, 0);
}

/* Everything durable, then the index, then that durable. Whatever fails on the way is left to
 * retreat(). */
static void seal(struct record *rec, bool shorten)
{
	uint64_t offset;

	settle(rec);
	if (rec->broken == 0) {
		start_sync(rec);
		settle(rec);
	}
	if (rec->broken != 0)
		return;

	size_t len = volume_segment_index(&rec->seg, rec_io_buffer(rec->io, 0), shorten, &offset);

	rec->batch[0].busy = true;
	rec_io_write(rec->io, 0, len, offset);
	settle(rec);
	if (rec->broken == 0) {
		start_sync(rec);
		settle(rec);
	}
	if (rec->broken != 0)
		return;
	rec_io_target(rec->io, -1, 0);
	volume_segment_close(&rec->seg, shorten ? offset + len : 0);
	cataloguer_sealed(rec->cataloguer);
}

static int try_volume(struct record *rec, unsigned index, struct segment *out)
{
	struct volume *v = &rec->volume[index];
	int err = rec->cfg.fault != NULL
			  ? rec->cfg.fault(rec->cfg.fault_ctx, RECORD_OP_CREATE, index)
			  : 0;

	if (err >= 0 && !v->seen)
		err = volume_open(v, rec->volume_path[index], &rec->next_number);
	if (err >= 0)
		err = volume_segment_create(out, v, index, &rec->next_number,
					    rec->cfg.segment_bytes, rec->cfg.instance,
					    rec_io_buffer(rec->io, 0));
	if (err < 0) {
		rec->stats.errors++;
		fail_volume(rec, index, err);
		return err;
	}
	if (v->failed)
		log_info("record", "volume %s works again", v->path);
	v->failed = false;
	v->error = 0;
	if (!out->direct && !v->buffered)
		log_info("record", "%s has no direct I/O; writing through the page cache", v->path);
	v->buffered = !out->direct;
	return 0;
}

static void use_segment(struct record *rec, const struct segment *s)
{
	rec->seg = *s;
	rec_io_target(rec->io, s->fd, s->volume);
	log_debug("record", "segment %08x on %s", (unsigned)s->number, rec->volume[s->volume].path);
}

/* A segment on the best volume that works or is due for a try. Buffer 0 must be idle. */
static bool new_segment(struct record *rec)
{
	struct segment s;

	for (unsigned i = 0; i < rec->cfg.volumes; i++) {
		if (rec->volume[i].failed && mono_ns() < rec->volume[i].retry_at_ns)
			continue;
		if (try_volume(rec, i, &s) == 0) {
			use_segment(rec, &s);
			return true;
		}
	}
	return false;
}

/* While a worse volume is in use, try the better ones again when their time has come. */
static void return_to_better(struct record *rec)
{
	struct segment s;

	for (unsigned i = 0; i < rec->seg.volume; i++) {
		if (mono_ns() < rec->volume[i].retry_at_ns)
			continue;
		settle(rec); /* buffer 0 is needed */
		if (rec->broken != 0 || try_volume(rec, i, &s) != 0)
			return;
		seal(rec, true);
		if (rec->broken != 0)
			retreat(rec);
		use_segment(rec, &s);
		return;
	}
}

static void write_pending(struct record *rec)
{
	for (unsigned i = 0; i < REC_IO_BUFFERS && rec->pending_n > 0 && rec->broken == 0; i++) {
		if (rec->seg.fd >= 0 && !volume_segment_fits(&rec->seg, next_bytes(rec)))
			seal(rec, false);
		if (rec->broken != 0 || (rec->seg.fd < 0 && !new_segment(rec)))
			return;
		if (!rec->batch[i].busy)
			write_batch(rec, i);
	}
}

static bool sync_due(const struct record *rec, bool at_once)
{
	if (rec->written_n == 0 || rec->syncing || rec->broken != 0)
		return false;
	return at_once || mono_ns() - rec->unsynced_since_ns >= rec->cfg.flush_ms * PB_NS_PER_MS;
}

/* Until the next poll, or the next sync if that is due before. */
static uint32_t nap_ms(const struct record *rec)
{
	uint64_t since_ms = (mono_ns() - rec->unsynced_since_ns) / PB_NS_PER_MS;

	if (rec->written_n == rec->covered || rec->syncing)
		return POLL_MS;
	if (since_ms >= rec->cfg.flush_ms)
		return 0;
	return rec->cfg.flush_ms - since_ms < POLL_MS ? rec->cfg.flush_ms - (uint32_t)since_ms
						      : POLL_MS;
}

static void turn(struct record *rec, bool stopping)
{
	if (rec->broken != 0)
		retreat(rec);
	if (rec->seg.fd >= 0 && rec->seg.volume > 0)
		return_to_better(rec);
	write_pending(rec);
	if (sync_due(rec, stopping))
		start_sync(rec);
	pump(rec, nap_ms(rec));
}

/* At the end: each volume is tried once more; what none takes stays in the extent file. */
static int finish(struct record *rec)
{
	uint64_t until_ns = mono_ns() + STOP_WAIT_S * PB_NS_PER_S;

	for (unsigned i = 0; i < rec->cfg.volumes; i++)
		rec->volume[i].retry_at_ns = 0;
	collect(rec);
	while (waiting(rec) > 0 && mono_ns() < until_ns) {
		turn(rec, true);
		if (rec->seg.fd < 0 && rec->broken == 0 && all_failed(rec))
			break;
	}
	if (waiting(rec) > 0) {
		log_error("record", "%u extents are on no disk; they stay in %s", waiting(rec),
			  rec->shared.path);
		return -EIO;
	}
	if (rec->seg.fd >= 0)
		seal(rec, true);
	if (rec->broken != 0)
		retreat(rec);
	return 0;
}

static void open_volumes(struct record *rec)
{
	for (unsigned i = 0; i < rec->cfg.volumes; i++) {
		int err = volume_open(&rec->volume[i], rec->volume_path[i], &rec->next_number);

		if (err < 0)
			fail_volume(rec, i, err);
	}
}

void *recorder_run(void *arg)
{
	struct record *rec = arg;

	pthread_setname_np(pthread_self(), "recorder"); /* for top and perf */
	if (rec_io_open(&rec->io, rec->cfg.plain_io, rec->cfg.fault, rec->cfg.fault_ctx) != 0) {
		log_error("record", "no memory for the recorder's buffers");
		rec->result = -ENOMEM;
		return NULL;
	}
	log_info("record", "recorder uses %s", rec_io_text(rec->io));
	open_volumes(rec);
	while (!atomic_load_explicit(&rec->stop, memory_order_acquire))
		turn(rec, false);
	rec->result = finish(rec);
	tell(rec);
	volume_segment_close(&rec->seg, 0);
	rec_io_close(rec->io);
	return NULL;
}
