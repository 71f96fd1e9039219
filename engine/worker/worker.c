/* SPDX-License-Identifier: Apache-2.0
 *
 * Making and releasing a worker. Everything it will ever use is allocated here: after this file
 * the packet path only moves what exists. It is one block, cut into cache-line aligned pieces.
 */
#include "worker/worker.h"

#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/must.h"
#include "base/units.h"
#include "codec/codec.h"
#include "dsp/dtmf_detect.h"
#include "port/port.h"
#include "port/port_memory.h"
#include "worker/worker_priv.h"

enum { LINE = 64 };

static const char *const stage_names[STAGE_COUNT] = {
#define STAGE_NAME(id, name) [STAGE_##id] = name,
	WORKER_STAGE_TABLE(STAGE_NAME)
#undef STAGE_NAME
};

const char *worker_stage_name(enum worker_stage stage)
{
	must(stage < STAGE_COUNT);
	return stage_names[stage];
}

uint64_t worker_random(struct worker *w)
{
	uint64_t x = w->media->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	w->media->random = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

struct worker_event worker_leg_event(const struct worker *w, const struct leg *l,
				     enum worker_event_kind kind)
{
	struct worker_event e;

	memset(&e, 0, sizeof(e));
	e.kind = kind;
	e.call = worker_call_ref(w, worker_call_of(w, l));
	e.leg = worker_leg_ref(w, l);
	return e;
}

/* Each piece begins a cache line. */
static size_t lines(size_t bytes)
{
	return (bytes + LINE - 1) & ~(size_t)(LINE - 1);
}

size_t worker_bytes(uint32_t legs, uint32_t calls)
{
	return lines(sizeof(struct worker)) + lines(sizeof(struct worker_media)) +
	       lines(room_work_bytes()) + lines(legs * sizeof(struct leg)) +
	       lines(legs * sizeof(struct leg_media)) + lines(legs * leg_media_block_bytes()) +
	       lines(srtp_unit_bytes(legs)) + lines(calls * sizeof(struct worker_call)) +
	       2 * lines(calls * sizeof(struct wheel_link)) + lines(peer_table_bytes(legs)) +
	       lines(WORKER_COMMANDS * sizeof(struct worker_command)) +
	       lines(WORKER_EVENTS * sizeof(struct worker_event));
}

static uint64_t clock_read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void *cut(uint8_t **at, size_t n, size_t bytes)
{
	uint8_t *piece = *at;

	*at += lines(n * bytes);
	return piece;
}

/* A worker and all its tables in one piece of memory, zeroed. */
static struct worker *memory_take(const struct worker_config *cfg)
{
	size_t unused = cfg->srtp ? 0 : lines(srtp_unit_bytes(cfg->legs));
	uint8_t *at = port_memory_take(worker_bytes(cfg->legs, cfg->calls) - unused, cfg->socket);

	if (at == NULL)
		return NULL;

	struct worker *w = cut(&at, 1, sizeof(*w));
	struct worker_media *wm = cut(&at, 1, sizeof(*wm));

	w->media = wm;
	w->legs.leg = cut(&at, cfg->legs, sizeof(struct leg));
	w->legs.media = cut(&at, cfg->legs, sizeof(struct leg_media));
	wm->blocks = cut(&at, cfg->legs, leg_media_block_bytes());
	if (cfg->srtp)
		w->srtp = cut(&at, 1, srtp_unit_bytes(cfg->legs));
	wm->call = cut(&at, cfg->calls, sizeof(struct worker_call));
	wm->tick_link = cut(&at, cfg->calls, sizeof(struct wheel_link));
	wm->house_link = cut(&at, cfg->calls, sizeof(struct wheel_link));
	wm->room = cut(&at, 1, room_work_bytes());
	peer_table_init(w, cut(&at, 1, peer_table_bytes(cfg->legs)), cfg->legs);
	wm->command_slots = cut(&at, WORKER_COMMANDS, sizeof(struct worker_command));
	wm->event_slots = cut(&at, WORKER_EVENTS, sizeof(struct worker_event));
	return w;
}

static void memory_put(struct worker *w)
{
	coding_free(w);
	port_memory_put(w);
}

struct worker *worker_create(const struct worker_config *cfg)
{
	struct worker *w = memory_take(cfg);

	dtmf_detect_prepare();
	must(cfg->lane != NULL && cfg->pool != NULL && cfg->rtp_first % 2 == 0);
	if (w == NULL)
		goto fail;
	w->cfg = *cfg;
	if (w->cfg.jbuf_max_ms == 0) {
		w->cfg.jbuf_min_ms = 20;
		w->cfg.jbuf_max_ms = 200;
	}
	if (w->srtp != NULL && srtp_unit_init(w->srtp, cfg->legs, cfg->srtp_way) != 0) {
		log_error("worker", "worker %u: no SRTP by %s on this machine", cfg->id,
			  cfg->srtp_way == SRTP_WAY_BURST ? "multi-buffer crypto" : "libsrtp2");
		memory_put(w);
		return NULL;
	}

	struct worker_media *wm = w->media;

	w->legs.first = cfg->leg_first;
	w->legs.n = cfg->legs;
	w->legs.rtp_first = cfg->rtp_first;
	for (uint32_t i = 0; i < cfg->legs; i++)
		leg_media_bind(&w->legs.media[i],
			       (uint8_t *)wm->blocks + i * leg_media_block_bytes());
	wheel_init(&wm->tick, TICK_MS, wm->tick_link);
	wheel_init(&wm->house, HOUSE_MS, wm->house_link);
	wm->random = cfg->seed * UINT64_C(0x9e3779b97f4a7c15) + cfg->id + 1;
	if (wm->random == 0)
		wm->random = 1;
	wm->wall_offset_ns = clock_read_ns(CLOCK_REALTIME) - clock_read_ns(CLOCK_MONOTONIC);
	snprintf(wm->cname, sizeof(wm->cname), "%016llx@patchbay",
		 (unsigned long long)worker_random(w));
	if (!coding_make(w)) {
		memory_put(w);
		goto fail;
	}
	for (unsigned c = 0; c < CODEC_G711_COUNT; c++)
		memset(wm->quiet[c], codec_of((enum codec_id)c)->quiet, sizeof(wm->quiet[c]));
	spsc_init(&w->command, wm->command_slots, WORKER_COMMANDS, sizeof(struct worker_command));
	spsc_init(&w->event, wm->event_slots, WORKER_EVENTS, sizeof(struct worker_event));
	return w;
fail:
	log_error("worker", "no memory for worker %u: %zu bytes for %u legs and %u calls", cfg->id,
		  worker_bytes(cfg->legs, cfg->calls), cfg->legs, cfg->calls);
	return NULL;
}

void worker_destroy(struct worker *w)
{
	if (w == NULL)
		return;
	for (uint32_t i = 0; i < w->legs.n; i++)
		if (leg_is_open(&w->legs.leg[i]))
			speaker_flush(w, &w->legs.leg[i]);
	if (w->srtp != NULL)
		srtp_unit_fini(w->srtp);
	for (uint16_t i = 0; i < w->tx.n; i++)
		rte_pktmbuf_free(w->tx.pkt[i]);
	memory_put(w);
}
