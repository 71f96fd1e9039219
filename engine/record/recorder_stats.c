/* SPDX-License-Identifier: Apache-2.0
 *
 * What the recorder tells: numbers to whoever asks, alarms to the log, and to the workers whether
 * there is any volume, which is the reason of what they lose.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "record/recorder.h"

enum { LOSS_ALARM_S = 10 /* the alarm stays this long after the last loss */ };

static const struct record_volume *first_failed(const struct record *rec)
{
	for (unsigned i = 0; i < rec->cfg.volumes; i++)
		if (rec->stats.volume_of[i].state >= RECORD_VOLUME_FULL)
			return &rec->stats.volume_of[i];
	return NULL;
}

static enum record_alarm judge(struct record *rec, char *text, size_t max)
{
	const struct record_volume *bad = first_failed(rec);
	uint64_t now = recorder_mono_ns(rec);

	if (rec->stats.frames_lost != rec->lost_seen) {
		rec->lost_seen = rec->stats.frames_lost;
		rec->lost_at_ns = now;
	}
	text[0] = '\0';
	if (rec->lost_at_ns != 0 && now - rec->lost_at_ns < LOSS_ALARM_S * PB_NS_PER_S) {
		snprintf(text, max, "frames are being lost%s%s%.80s",
			 rec->stats.extents_free == 0 ? ": no extent is free" : "",
			 bad != NULL ? "; failed volume: " : "", bad != NULL ? bad->path : "");
		return RECORD_ALARM_LOSS;
	}
	if (!rec->stats.recording) {
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
	if (rec->stats.extents_waiting > rec->shared.head->extents / 2) {
		snprintf(text, max, "the disk does not keep up: %u of %u extents wait for it",
			 rec->stats.extents_waiting, rec->shared.head->extents);
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

static uint64_t first_wall_ns(struct record *rec, uint32_t extent)
{
	return shared_extent(rec->shared.extent_base, extent)->first_wall_ns;
}

/* Age of the oldest extent that waits. */
static uint32_t lag_ms(struct record *rec)
{
	uint64_t now = recorder_wall_ns(rec), oldest = now;

	if (rec->written_n != 0)
		oldest = first_wall_ns(rec, rec->written[0]);
	for (unsigned i = 0; i < REC_IO_BUFFERS; i++)
		if (rec->batch[i].n != 0 && first_wall_ns(rec, rec->batch[i].extent[0]) < oldest)
			oldest = first_wall_ns(rec, rec->batch[i].extent[0]);
	if (rec->pending_n != 0 && first_wall_ns(rec, rec->pending[rec->pending_first]) < oldest)
		oldest = first_wall_ns(rec, rec->pending[rec->pending_first]);
	return oldest < now ? (uint32_t)((now - oldest) / PB_NS_PER_MS) : 0;
}

static uint64_t read_count(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_worker(struct record_stats *st, const struct rec_worker *w)
{
	const struct rec_counts *c = &w->counts;

	st->extents_free +=
		atomic_load_explicit(&w->free_extents, memory_order_relaxed) + spsc_held(&w->freed);
	st->taps_open += atomic_load_explicit(&w->taps_open, memory_order_relaxed);
	st->frames_written += read_count(&c->written);
	st->frames_masked += read_count(&c->masked);
	st->frames_missing += (int64_t)read_count(&c->missing);
	st->recordings += read_count(&c->recordings);
	st->pauses += read_count(&c->pauses);
	st->masks += read_count(&c->masks);
	st->refused += read_count(&c->refused);
	for (int i = 0; i < RECORDING_LOSSES; i++) {
		st->lost[i] += read_count(&c->lost[i]);
		st->frames_lost += read_count(&c->lost[i]);
	}
}

static void add_workers(struct record *rec)
{
	struct record_stats *st = &rec->stats;

	st->extents_free = st->taps_open = 0;
	st->frames_written = st->frames_masked = st->frames_lost = 0;
	st->recordings = st->pauses = st->masks = st->refused = 0;
	st->frames_missing = 0;
	memset(st->lost, 0, sizeof(st->lost));
	for (uint16_t i = 0; i < rec->cfg.workers; i++)
		add_worker(st, &rec->worker[i]);
}

static void see_volumes(struct record *rec)
{
	struct record_stats *st = &rec->stats;
	bool any = keeper_stats(rec->keeper, st->volume_of);

	st->volumes = rec->cfg.volumes;
	st->segment = rec->seg.number;
	st->volume = rec->seg.volume;
	for (unsigned i = 0; i < rec->cfg.volumes; i++)
		st->volume_of[i].in_use = rec->seg.fd >= 0 && rec->seg.volume == i;
	st->recording = rec->seg.fd >= 0 || any;
	rec->no_volume = !st->recording;
	for (uint16_t i = 0; i < rec->cfg.workers; i++)
		atomic_store_explicit(&rec->worker[i].no_volume, rec->no_volume,
				      memory_order_relaxed);
}

static void log_alarm(struct record *rec)
{
	const struct record_stats *st = &rec->stats;

	if (st->alarm == rec->logged)
		return;
	if (st->alarm == RECORD_ALARM_NONE)
		log_info("record", "recording works again as it should");
	else if (st->alarm == RECORD_ALARM_LOSS || st->alarm == RECORD_ALARM_NO_VOLUME)
		log_error("record", "%s", st->alarm_text);
	else
		log_warn("record", "%s", st->alarm_text);
	rec->logged = st->alarm;
}

void recorder_tell(struct record *rec)
{
	struct record_stats *st = &rec->stats;

	st->told++;
	add_workers(rec);
	see_volumes(rec);
	st->extents_waiting = recorder_waiting(rec);
	st->lag_ms = lag_ms(rec);
	if (st->syncs != rec->syncs_told) {
		st->durable_ms_p50 = durable_ms(rec, 50);
		st->durable_ms_p99 = durable_ms(rec, 99);
		rec->syncs_told = st->syncs;
	}
	st->alarm = judge(rec, st->alarm_text, sizeof(st->alarm_text));
	pthread_mutex_lock(&rec->told_lock);
	rec->told = *st;
	pthread_mutex_unlock(&rec->told_lock);
	log_alarm(rec);
}
