/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_telemetry.h>

#include "base/log.h"
#include "engine.h"

/* DPDK's functions take no argument. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct engine *shown;

static uint64_t count(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void info(const struct engine *e, struct rte_tel_data *d)
{
	struct port_info port;

	port_describe(e->port, &port);
	rte_tel_data_add_dict_string(d, "version", PATCHBAY_VERSION);
	rte_tel_data_add_dict_u64(d, "workers", e->opt.workers);
	rte_tel_data_add_dict_string(d, "port", port.name);
	rte_tel_data_add_dict_string(d, "driver", port.driver);
	rte_tel_data_add_dict_int(d, "link", port.link);
	rte_tel_data_add_dict_u64(d, "rx_missed", port.rx_missed);
	rte_tel_data_add_dict_u64(d, "rx_nombuf", port.rx_nombuf);
	rte_tel_data_add_dict_u64(d, "mbufs_free", rte_mempool_avail_count(e->pool));
	rte_tel_data_add_dict_u64(d, "cycles_hz", rte_get_tsc_hz());
}

static void fates(const struct engine *e, struct rte_tel_data *d)
{
	for (unsigned f = 0; f < FATE_COUNT; f++) {
		uint64_t n = 0;

		for (unsigned i = 0; i < e->opt.workers; i++)
			n += count(&e->worker[i]->fate[f]);
		rte_tel_data_add_dict_u64(d, packet_fate_name((enum packet_fate)f), n);
	}
}

static void worker(const struct engine *e, unsigned i, struct rte_tel_data *d)
{
	const struct worker *w = e->worker[i];

	rte_tel_data_add_dict_u64(d, "busy_permille", (uint64_t)(e->pulse[i].load.share * 1000));
	rte_tel_data_add_dict_u64(d, "late_us", (uint64_t)e->pulse[i].load.late_us);
	rte_tel_data_add_dict_u64(d, "calls", atomic_load(&w->calls_open));
	rte_tel_data_add_dict_u64(d, "legs", atomic_load(&w->legs_open));
	rte_tel_data_add_dict_u64(d, "turns", count(&w->turns));
	rte_tel_data_add_dict_u64(d, "received", count(&w->received));
	rte_tel_data_add_dict_u64(d, "sent", count(&w->sent));
	rte_tel_data_add_dict_u64(d, "made", count(&w->made));
	rte_tel_data_add_dict_u64(d, "made_lost", count(&w->made_lost));
	rte_tel_data_add_dict_u64(d, "ticks_late", count(&w->ticks_late));
	rte_tel_data_add_dict_u64(d, "ticks_skipped", count(&w->ticks_skipped));
	rte_tel_data_add_dict_u64(d, "events_lost", count(&w->events_lost));
}

static void stages(const struct engine *e, unsigned i, struct rte_tel_data *d)
{
	for (unsigned s = 0; s < STAGE_COUNT; s++) {
		const struct worker_stage_count *at = &e->worker[i]->stage[s];
		struct rte_tel_data *row = rte_tel_data_alloc();

		if (row == NULL)
			return;
		rte_tel_data_start_dict(row);
		rte_tel_data_add_dict_u64(row, "packets", count(&at->packets));
		rte_tel_data_add_dict_u64(row, "cycles", count(&at->cycles));
		rte_tel_data_add_dict_container(d, worker_stage_name((enum worker_stage)s), row, 0);
	}
}

static void recorder_volumes(const struct record_stats *r, struct rte_tel_data *d)
{
	for (unsigned i = 0; i < r->volumes; i++) {
		const struct record_volume *v = &r->volume_of[i];
		struct rte_tel_data *row = rte_tel_data_alloc();
		char name[16];

		if (row == NULL)
			return;
		snprintf(name, sizeof(name), "volume_%u", i);
		rte_tel_data_start_dict(row);
		rte_tel_data_add_dict_string(row, "path", v->path);
		rte_tel_data_add_dict_int(row, "works", v->state == RECORD_VOLUME_WORKS);
		rte_tel_data_add_dict_u64(row, "weight", v->weight);
		rte_tel_data_add_dict_u64(row, "free_bytes", v->free_bytes);
		rte_tel_data_add_dict_u64(row, "segments", v->segments);
		rte_tel_data_add_dict_u64(row, "fresh", v->fresh);
		rte_tel_data_add_dict_u64(row, "finished", v->finished);
		rte_tel_data_add_dict_u64(row, "recycled", v->recycled);
		rte_tel_data_add_dict_u64(row, "failures", v->failures);
		rte_tel_data_add_dict_container(d, name, row, 0);
	}
}

static void recorder(const struct engine *e, struct rte_tel_data *d)
{
	struct record_stats r;

	if (e->record == NULL)
		return;
	record_stats(e->record, &r);
	rte_tel_data_add_dict_int(d, "recording", r.recording);
	rte_tel_data_add_dict_u64(d, "recordings", r.recordings);
	rte_tel_data_add_dict_u64(d, "recordings_now", r.taps_open);
	rte_tel_data_add_dict_u64(d, "refused", r.refused);
	rte_tel_data_add_dict_u64(d, "frames_accepted", r.frames_written + r.frames_lost);
	rte_tel_data_add_dict_u64(d, "frames_written", r.frames_written);
	rte_tel_data_add_dict_u64(d, "frames_durable", r.frames_durable);
	rte_tel_data_add_dict_u64(d, "frames_masked", r.frames_masked);
	rte_tel_data_add_dict_u64(d, "lost_no_extent", r.lost[RECORDING_LOSS_NO_EXTENT]);
	rte_tel_data_add_dict_u64(d, "lost_io", r.lost[RECORDING_LOSS_IO]);
	rte_tel_data_add_dict_u64(d, "lost_too_large", r.lost[RECORDING_LOSS_TOO_LARGE]);
	rte_tel_data_add_dict_u64(d, "extents", r.extents);
	rte_tel_data_add_dict_u64(d, "extents_free", r.extents_free);
	rte_tel_data_add_dict_u64(d, "extents_waiting", r.extents_waiting);
	rte_tel_data_add_dict_u64(d, "lag_ms", r.lag_ms);
	rte_tel_data_add_dict_u64(d, "durable_ms_p99", r.durable_ms_p99);
	rte_tel_data_add_dict_u64(d, "bytes_written", r.bytes_written);
	rte_tel_data_add_dict_u64(d, "errors", r.errors);
	recorder_volumes(&r, d);
}

/* The worker that `params` names; -EINVAL. */
static int worker_number(const struct engine *e, const char *params)
{
	char *end;
	unsigned long n;

	if (params == NULL || *params < '0' || *params > '9')
		return -EINVAL;
	n = strtoul(params, &end, 10);
	return *end == '\0' && n < e->opt.workers ? (int)n : -EINVAL;
}

static int answer(const char *cmd, const char *params, struct rte_tel_data *d)
{
	int n = 0;

	pthread_mutex_lock(&lock);
	if (shown == NULL)
		n = -EAGAIN;
	else if (cmd[sizeof("/patchbay/") - 1] == 'w' || cmd[sizeof("/patchbay/") - 1] == 's')
		n = worker_number(shown, params);
	if (n >= 0) {
		rte_tel_data_start_dict(d);
		switch (cmd[sizeof("/patchbay/") - 1]) {
		case 'i':
			info(shown, d);
			break;
		case 'r':
			recorder(shown, d);
			break;
		case 'f':
			fates(shown, d);
			break;
		case 'w':
			worker(shown, (unsigned)n, d);
			break;
		default:
			stages(shown, (unsigned)n, d);
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	return n < 0 ? n : 0;
}

void telemetry_start(struct engine *e)
{
	static const struct {
		const char *command, *help;
	} commands[] = {
		{"/patchbay/info", "Version, port, packet memory. No parameters."},
		{"/patchbay/fates", "Packets by what became of them. No parameters."},
		{"/patchbay/recorder", "Recordings, frames, volumes. No parameters."},
		{"/patchbay/worker", "Load and counters of a worker. Parameter: its number."},
		{"/patchbay/stages", "Packets and cycles by stage. Parameter: a worker's number."},
	};

	pthread_mutex_lock(&lock);
	shown = e;
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (rte_telemetry_register_cmd(commands[i].command, answer, commands[i].help) != 0)
			log_warn("engine", "telemetry has no room for %s", commands[i].command);
}

void telemetry_stop(void)
{
	pthread_mutex_lock(&lock);
	shown = NULL;
	pthread_mutex_unlock(&lock);
}
