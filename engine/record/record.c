/* SPDX-License-Identifier: Apache-2.0
 *
 * Start and stop of the recorder. Extents and taps are dealt to the workers in contiguous
 * shares, so that each free list has one owner. An extent file with something to recover keeps
 * its size for this run; the next start after a clean stop uses the configured one.
 */
#include "record/record.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/units.h"
#include "record/recorder.h"

enum {
	EXTENTS_DEFAULT = 4096,
	TAPS_MIN = 64,
	WINDOW_DEFAULT_MS = 1000,
	FLUSH_DEFAULT_MS = 250,
	RETRY_DEFAULT_MS = 5000,
	/* Polling, twice, and the write itself; within the window. More would hand over extents that are less full,
	 * and memory would last for a shorter stall: 320 ms lost frames with 10,000 calls in 400 MiB. */
	SLACK_MS = 200,
	AGE_MIN_MS = 20,
	CLOSING_WAIT_MS = 5000,
	COUNT_MAX = 1 << 22,
};
#define SEGMENT_DEFAULT (UINT64_C(64) << 20)

static bool name_ok(const char *name)
{
	if (name == NULL || name[0] == '\0' || strlen(name) > 60)
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
			return false;
	return true;
}

static int settle_config(struct record *rec, const struct record_config *cfg)
{
	struct record_config *c = &rec->cfg;

	*c = *cfg;
	if (!name_ok(c->name) || c->volumes > RECORD_VOLUMES_MAX || c->workers == 0 ||
	    c->workers > RECORD_WORKERS_MAX || c->extents > COUNT_MAX || c->taps > COUNT_MAX)
		return -EINVAL;
	if (c->shm_dir == NULL)
		c->shm_dir = "/dev/shm";
	c->extents = c->extents != 0 ? c->extents : EXTENTS_DEFAULT;
	if (c->taps == 0) /* a recording has one extent with the worker and one on its way */
		c->taps = c->extents / 2 > TAPS_MIN ? c->extents / 2 : TAPS_MIN;
	c->window_ms = c->window_ms != 0 ? c->window_ms : WINDOW_DEFAULT_MS;
	c->flush_ms = c->flush_ms != 0 ? c->flush_ms : FLUSH_DEFAULT_MS;
	c->retry_ms = c->retry_ms != 0 ? c->retry_ms : RETRY_DEFAULT_MS;
	c->segment_bytes = c->segment_bytes != 0 ? c->segment_bytes : SEGMENT_DEFAULT;
	c->segment_bytes = recording_pad(c->segment_bytes, RECORDING_BLOCK);
	if (c->segment_bytes < RECORDING_SEGMENT_MIN || c->segment_bytes > RECORDING_SEGMENT_MAX ||
	    c->extents < c->workers || c->taps < c->workers)
		return -EINVAL;
	for (unsigned i = 0; i < c->volumes; i++) {
		if (c->volume[i] == NULL ||
		    (size_t)snprintf(rec->volume_path[i], sizeof(rec->volume_path[i]), "%s",
				     c->volume[i]) >= sizeof(rec->volume_path[i]))
			return -EINVAL;
		c->volume[i] = rec->volume_path[i];
	}
	return 0;
}

static uint64_t age_ns(const struct record_config *c)
{
	uint32_t spent_ms = c->flush_ms + SLACK_MS;

	return (c->window_ms > spent_ms + AGE_MIN_MS ? c->window_ms - spent_ms : AGE_MIN_MS) *
	       PB_NS_PER_MS;
}

static uint64_t clock_ns(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint32_t share(uint32_t n, uint16_t workers, uint16_t i)
{
	return (uint32_t)((uint64_t)n * i / workers);
}

static bool is_free(struct record *rec, uint32_t extent)
{
	struct recording_extent_head *h = shared_extent(rec->shared.extent_base, extent);

	return atomic_load_explicit(&shared_live(h)->state, memory_order_relaxed) == SHARED_FREE;
}

/* A queue with room for `extents` numbers at once: it can never be full. */
static int ring_make(struct spsc *ring, uint32_t extents)
{
	uint32_t size = 2;

	while (size < extents)
		size *= 2;

	void *memory = calloc(size, sizeof(uint32_t));

	if (memory == NULL)
		return -ENOMEM;
	spsc_init(ring, memory, size, sizeof(uint32_t));
	return 0;
}

static int deal(struct record *rec, uint16_t i)
{
	struct rec_worker *w = &rec->worker[i];
	uint32_t extents = rec->shared.head->extents, taps = rec->shared.head->taps;
	uint32_t first = share(extents, rec->cfg.workers, i);
	uint32_t end = share(extents, rec->cfg.workers, (uint16_t)(i + 1));
	uint32_t tap_first = share(taps, rec->cfg.workers, i);
	uint32_t tap_end = share(taps, rec->cfg.workers, (uint16_t)(i + 1));
	uint32_t n = 0;

	w->extent_base = rec->shared.extent_base;
	w->tap_base = rec->shared.tap;
	w->age_ns = age_ns(&rec->cfg);
	w->refuses = rec->cfg.policy == RECORD_POLICY_REFUSE;
	w->wall_fixed = rec->cfg.clock.now_ns != NULL;
	atomic_store_explicit(&w->no_volume, rec->cfg.volumes == 0, memory_order_relaxed);
	w->free_extent = calloc(end - first + 1, sizeof(uint32_t));
	w->free_tap = calloc(tap_end - tap_first + 1, sizeof(uint32_t));
	if (w->free_extent == NULL || w->free_tap == NULL ||
	    ring_make(&w->full, end - first) != 0 || ring_make(&w->freed, end - first) != 0)
		return -ENOMEM;
	for (uint32_t e = end; e-- > first;) {
		rec->owner[e] = i;
		if (is_free(rec, e))
			w->free_extent[n++] = e;
	}
	atomic_store_explicit(&w->free_extents, n, memory_order_relaxed);
	for (uint32_t t = tap_end; t-- > tap_first;) {
		struct rec_tap *tap = &rec->shared.tap[t];

		if (atomic_load_explicit(&tap->state, memory_order_relaxed) == TAP_FREE)
			w->free_tap[w->free_taps++] = t;
		else
			rec_tap_adopt(w, tap);
	}
	if (!w->wall_fixed)
		w->wall_minus_mono_ns =
			(int64_t)(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC));
	return 0;
}

static int allocate(struct record *rec)
{
	uint32_t extents = rec->shared.head->extents;
	size_t workers_bytes = rec->cfg.workers * sizeof(struct rec_worker);

	rec->worker = aligned_alloc(alignof(struct rec_worker), workers_bytes);
	rec->owner = calloc(extents, sizeof(*rec->owner));
	rec->pending = calloc(extents, sizeof(*rec->pending));
	rec->written = calloc(extents, sizeof(*rec->written));
	rec->last = calloc(rec->shared.head->taps, sizeof(*rec->last));
	if (rec->worker != NULL)
		memset(rec->worker, 0, workers_bytes);
	if (rec->worker == NULL || rec->owner == NULL || rec->pending == NULL ||
	    rec->written == NULL || rec->last == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < rec->cfg.workers; i++)
		if (deal(rec, i) != 0)
			return -ENOMEM;
	for (uint32_t e = 0; e < extents; e++)
		if (!is_free(rec, e))
			rec->pending[rec->pending_n++] = e;
	return 0;
}

static void release(struct record *rec)
{
	for (uint16_t i = 0; rec->worker != NULL && i < rec->cfg.workers; i++) {
		free(rec->worker[i].free_extent);
		free(rec->worker[i].free_tap);
		free(rec->worker[i].full.slot);
		free(rec->worker[i].freed.slot);
	}
	free(rec->worker);
	free(rec->owner);
	free(rec->pending);
	free(rec->written);
	free(rec->last);
	free(rec->recovered_list);
	pthread_mutex_destroy(&rec->told_lock);
	free(rec);
}

/* Returns how much there is to do with this file. */
static uint32_t recover(struct record *rec)
{
	struct recover_report r;

	recover_all(&rec->shared, &r);
	rec->recovered = r.extents;
	free(rec->recovered_list);
	rec->recovered_list = r.list;
	rec->recovered_listed = r.listed;
	if (r.extents + r.recordings + r.damaged != 0)
		log_warn("record",
			 "left by the last engine: %u extents recovered, %u recordings ended (%u "
			 "of them as soon as there is room), %u extents damaged",
			 r.extents, r.recordings, r.later, r.damaged);
	return r.extents + r.recordings;
}

/* Recording goes on without it. */
static void start_cataloguer(struct record *rec)
{
	const char *path[RECORD_VOLUMES_MAX];

	for (unsigned i = 0; i < rec->cfg.volumes; i++)
		path[i] = rec->volume_path[i];
	if (!rec->cfg.no_catalogue && rec->cfg.volumes != 0 &&
	    cataloguer_start(&rec->cataloguer, path, rec->cfg.volumes) != 0)
		log_warn("record", "no cataloguer: recordings are found more slowly");
}

int record_start(const struct record_config *cfg, struct record **out)
{
	struct record *rec = aligned_alloc(64, recording_pad(sizeof(*rec), 64));
	bool used = false;
	int err;

	if (rec == NULL)
		return -ENOMEM;
	memset(rec, 0, sizeof(*rec));
	rec->seg.fd = -1;
	pthread_mutex_init(&rec->told_lock, NULL);
	err = settle_config(rec, cfg);
	if (err != 0)
		goto fail;
again:
	err = shared_open(&rec->shared, rec->cfg.shm_dir, rec->cfg.name, rec->cfg.extents,
			  rec->cfg.taps, &used);
	if (err != 0)
		goto fail;
	if (used) {
		rec->after_death = true;
		memcpy(rec->dead, rec->shared.head->instance, sizeof(rec->dead));
		if (recover(rec) == 0) {
			/* nothing in it: make one of the size that is wanted now */
			shared_close(&rec->shared, true);
			goto again;
		}
		/* it must serve this run, too */
		if (rec->shared.head->extents < rec->cfg.workers ||
		    rec->shared.head->taps < rec->cfg.workers) {
			shared_close(&rec->shared, false);
			err = -EINVAL;
			goto fail;
		}
	}
	memcpy(rec->shared.head->instance, rec->cfg.instance, sizeof(rec->cfg.instance));
	err = allocate(rec);
	if (err != 0)
		goto fail_shared;
	rec->stats.extents = rec->shared.head->extents;
	rec->stats.extents_free = rec->stats.extents - rec->pending_n;
	rec->stats.taps = rec->shared.head->taps;
	rec->stats.recovered = rec->recovered;
	rec->stats.policy = rec->cfg.policy;
	rec->stats.recording = rec->cfg.volumes != 0;
	rec->told = rec->stats;
	start_cataloguer(rec);
	if (rec->cfg.clock.now_ns != NULL)
		err = recorder_begin(rec);
	else
		err = -pthread_create(&rec->thread, NULL, recorder_run, rec);
	if (err != 0) {
		cataloguer_stop(rec->cataloguer);
		goto fail_shared;
	}
	*out = rec;
	return 0;

fail_shared:
	shared_close(&rec->shared, !used);
fail:
	release(rec);
	return err;
}

void record_turn(struct record *rec)
{
	must(rec->cfg.clock.now_ns != NULL);
	recorder_turn(rec);
}

struct rec_worker *record_worker(struct record *rec, uint16_t index)
{
	must(index < rec->cfg.workers);
	return &rec->worker[index];
}

uint32_t record_recovered(const struct record *rec, const struct recovered **list)
{
	*list = rec->recovered_list;
	return rec->recovered_listed;
}

void record_stats(const struct record *rec, struct record_stats *st)
{
	/* only the lock is written */
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&rec->told_lock;

	pthread_mutex_lock(lock);
	*st = rec->told;
	pthread_mutex_unlock(lock);
}

/* End what is still open; an END that finds no extent waits a while for the disk. */
static void close_taps(struct record *rec)
{
	uint64_t until_ns = recorder_mono_ns(rec) + CLOSING_WAIT_MS * PB_NS_PER_MS;

	for (uint32_t t = 0; t < rec->shared.head->taps; t++) {
		struct rec_tap *tap = &rec->shared.tap[t];

		if (atomic_load_explicit(&tap->state, memory_order_relaxed) == TAP_OPEN)
			rec_tap_close(tap, RECORDING_END_ENGINE_STOPPED, tap->worker->now_ns, NULL);
	}
	for (uint16_t i = 0; i < rec->cfg.workers; i++) {
		struct rec_worker *w = &rec->worker[i];

		while (w->closing.first != 0 && recorder_mono_ns(rec) < until_ns) {
			rec_tap_age(w, w->now_ns);
			if (rec->cfg.clock.now_ns != NULL)
				recorder_turn(rec);
			else
				usleep(1000);
		}
		if (w->closing.first != 0)
			log_error("record",
				  "some recordings stay without an end: no extent is free");
	}
}

int record_stop(struct record *rec)
{
	close_taps(rec);
	atomic_store_explicit(&rec->stop, true, memory_order_release);
	if (rec->cfg.clock.now_ns != NULL)
		recorder_end(rec);
	else
		pthread_join(rec->thread, NULL);
	cataloguer_stop(rec->cataloguer);

	int err = rec->result;

	shared_close(&rec->shared, err == 0);
	release(rec);
	return err;
}
