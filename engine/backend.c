/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket's view of the engine: thin functions from its questions to the modules.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include "base/log.h"
#include "base/units.h"
#include "engine.h"
#include "record/recover.h"

#define STUCK_NS (5 * PB_NS_PER_S)

uint64_t engine_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * PB_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* A leg with a new peer. Where the next hop's link address is known, and it mostly is, for the peer
 * has just spoken SIP to us, the worker learns it right behind the command, before anybody's
 * sound is sent there. */
static void find_the_way(struct engine *e, const struct worker_command *c)
{
	const struct leg_config *cfg = &c->leg_open;

	if (c->kind != COMMAND_LEG_OPEN &&
	    (c->kind != COMMAND_LEG_SET || !(cfg->set & LEG_SET_REMOTE)))
		return;
	if (cfg->remote.family != 0)
		port_neighbour_used(e->port, cfg->remote.family, cfg->remote.ip, engine_now_ns());
}

/* The control socket numbers calls over all workers, each worker its own from 0. */
static int command_send(void *arg, unsigned worker, const struct worker_command *command)
{
	struct engine *e = arg;
	struct worker_command c = *command;

	c.call.index -= worker * e->plan.calls;

	int err = worker_command_send(e->worker[worker], &c);

	if (err == 0)
		find_the_way(e, &c);
	return err;
}

static bool event_recv(void *arg, unsigned worker, struct worker_event *event)
{
	struct engine *e = arg;

	if (!worker_event_recv(e->worker[worker], event))
		return false;
	event->call.index += worker * e->plan.calls;
	return true;
}

static void event_other(void *arg, unsigned worker, const struct worker_event *event)
{
	struct engine *e = arg;

	(void)worker;
	if (event->kind != EVENT_NEIGHBOUR_WANTED)
		return;
	if (event->neighbour.known)
		port_neighbour_used(e->port, event->neighbour.family, event->neighbour.ip,
				    engine_now_ns());
	else
		port_neighbour_want(e->port, event->neighbour.family, event->neighbour.ip,
				    engine_now_ns());
}

/* To all, because any worker may have legs with that peer. One whose ring is full misses it and
 * asks again within a second. */
void engine_neighbour_tell(void *arg, uint8_t family, const uint8_t *ip, const uint8_t mac[6])
{
	struct engine *e = arg;
	struct worker_command c = {.kind = COMMAND_NEIGHBOUR, .neighbour = {.family = family}};

	memcpy(c.neighbour.ip, ip, family == 4 ? 4 : 16);
	memcpy(c.neighbour.mac, mac, 6);
	for (uint16_t i = 0; i < e->opt.workers; i++)
		if (worker_command_send(e->worker[i], &c) < 0)
			log_debug("engine", "worker %u has no room for a neighbour", i);
}

/* ---- prompts ---- */

static const struct prompt *prompt_get(void *arg, const char *name)
{
	struct engine *e = arg;
	const struct prompt *p = prompt_find(e->bank, name);

	if (p != NULL)
		prompt_hold(e->bank, p);
	return p;
}

static const struct prompt *tone_get(void *arg, const char *cadence, char *why, size_t why_size)
{
	struct engine *e = arg;
	const struct prompt *p = prompt_tone(e->bank, cadence, why, why_size);

	if (p != NULL)
		prompt_hold(e->bank, p);
	return p;
}

static void prompt_put(void *arg, const struct prompt *p)
{
	struct engine *e = arg;

	prompt_release(e->bank, p);
}

struct each {
	engine_prompt_fn *fn;
	void *to;
};

static void each_one(void *arg, const struct prompt *p)
{
	const struct each *each = arg;

	each->fn(each->to, p->name, p->duration_ms);
}

static void prompts_each(void *arg, engine_prompt_fn *fn, void *to)
{
	struct engine *e = arg;
	struct each each = {fn, to};

	prompt_each(e->bank, each_one, &each);
}

struct failed {
	engine_prompt_failed_fn *fn; /* may be NULL */
	void *to;
};

static void failed_one(void *arg, const char *file, const char *message)
{
	const struct failed *f = arg;

	log_warn("prompt", "%s: %s", file, message);
	if (f->fn != NULL)
		f->fn(f->to, file, message);
}

int engine_prompts_load(struct engine *e, const char *directory, engine_prompt_failed_fn *failed,
			void *to)
{
	struct failed f = {failed, to};
	char *copy = directory != NULL ? strdup(directory) : NULL;
	const char *from = copy != NULL ? copy : e->prompts;
	int n;

	if (directory != NULL && copy == NULL)
		return -ENOMEM;
	n = prompt_bank_load(e->bank, from, failed_one, &f);
	if (n < 0) {
		log_warn("prompt", "%s: %s", from, strerror(-n));
		free(copy);
		return n;
	}
	log_info("prompt", "%d prompts from %s, %.1f MiB", n, from,
		 (double)prompt_bank_bytes(e->bank) / (1 << 20));
	if (copy != NULL) {
		free(e->prompts_copy);
		e->prompts_copy = copy;
		e->prompts = copy;
	}
	return n;
}

static int prompts_load(void *arg, const char *directory, engine_prompt_failed_fn *failed, void *to)
{
	return engine_prompts_load(arg, directory, failed, to);
}

/* ---- numbers ---- */

static void worker_stats(void *arg, unsigned worker, struct engine_worker_stats *s)
{
	struct engine *e = arg;
	struct worker *w = e->worker[worker];

	memset(s, 0, sizeof(*s));
	s->lcore = worker + 1;
	s->busy_share = e->pulse[worker].load.share;
	s->late_us = e->pulse[worker].load.late_us;
	s->cycles_hz = rte_get_tsc_hz();
	s->turns = atomic_load_explicit(&w->turns, memory_order_relaxed);
	s->received = atomic_load_explicit(&w->received, memory_order_relaxed);
	s->sent = atomic_load_explicit(&w->sent, memory_order_relaxed);
	s->mbufs_free = rte_mempool_avail_count(e->pool);
	s->coders = e->plan.coders;
	s->coders_used = atomic_load_explicit(&w->coders_used, memory_order_relaxed);
	s->coders_missed = atomic_load_explicit(&w->coders_missed, memory_order_relaxed);
	s->opus_complexity = atomic_load_explicit(&w->opus_complexity, memory_order_relaxed);
	for (unsigned i = 0; i < FATE_COUNT; i++)
		s->fate[i] = atomic_load_explicit(&w->fate[i], memory_order_relaxed);
	for (unsigned i = 0; i < STAGE_COUNT && i < ENGINE_STAGES_MAX; i++) {
		s->stage[i].name = worker_stage_name((enum worker_stage)i);
		s->stage[i].packets =
			atomic_load_explicit(&w->stage[i].packets, memory_order_relaxed);
		s->stage[i].cycles =
			atomic_load_explicit(&w->stage[i].cycles, memory_order_relaxed);
		s->stages = i + 1;
	}
}

static bool port_stats(void *arg, unsigned i, struct engine_port_stats *s)
{
	struct engine *e = arg;
	const struct net_own *own = port_own(e->port);
	const uint8_t *m = own->mac;
	struct port_info info;

	if (i != 0)
		return false;
	port_describe(e->port, &info);
	*s = (struct engine_port_stats){
		.link = info.link, .rx_missed = info.rx_missed, .rx_nombuf = info.rx_nombuf};
	snprintf(s->name, sizeof(s->name), "%s", info.name);
	snprintf(s->driver, sizeof(s->driver), "%s", info.driver);
	snprintf(s->mac, sizeof(s->mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
		 m[4], m[5]);
	if (own->ip4)
		inet_ntop(AF_INET, own->ip4_addr, s->ip, sizeof(s->ip));
	if (own->ip6)
		inet_ntop(AF_INET6, own->ip6_addr, s->ip6, sizeof(s->ip6));
	if (info.fallback != NULL)
		snprintf(s->fallback, sizeof(s->fallback), "%s", info.fallback);
	return true;
}

static struct engine_volume_stats volume_stats(const struct record_volume *v, const char *path)
{
	static const char *const states[] = {
		[RECORD_VOLUME_UNTRIED] = "untried",
		[RECORD_VOLUME_WORKS] = "works",
		[RECORD_VOLUME_FULL] = "full",
		[RECORD_VOLUME_FAILED] = "failed",
	};

	return (struct engine_volume_stats){
		.path = path,
		.state = states[v->state],
		.error = v->error != 0 ? strerror(-v->error) : NULL,
		.weight = v->weight,
		.free_bytes = v->free_bytes,
		.total_bytes = v->total_bytes,
		.segments = v->segments,
		.fresh = v->fresh,
		.finished = v->finished,
		.made = v->made,
		.recycled = v->recycled,
		.failures = v->failures,
		.in_use = v->in_use,
	};
}

static void recorder_stats(void *arg, struct engine_recorder_stats *s)
{
	struct engine *e = arg;
	struct record_stats r;

	*s = (struct engine_recorder_stats){.enabled = e->record != NULL};
	if (e->record == NULL)
		return;
	record_stats(e->record, &r);
	s->recording = r.recording;
	s->refuses = r.policy == RECORD_POLICY_REFUSE;
	s->extents = r.extents;
	s->extents_free = r.extents_free;
	s->extents_waiting = r.extents_waiting;
	s->bytes_written = r.bytes_written;
	s->writes = r.writes;
	s->syncs = r.syncs;
	s->segment = r.segment;
	s->errors = r.errors;
	s->rewritten = r.rewritten;
	s->recordings = r.recordings;
	s->recordings_now = r.taps_open;
	s->refused = r.refused;
	s->frames_written = r.frames_written;
	s->frames_durable = r.frames_durable;
	s->frames_masked = r.frames_masked;
	s->frames_missing = r.frames_missing;
	s->frames_lost = r.frames_lost;
	memcpy(s->lost, r.lost, sizeof(s->lost));
	s->pauses = r.pauses;
	s->masks = r.masks;
	s->durable_ms_p50 = r.durable_ms_p50;
	s->durable_ms_p99 = r.durable_ms_p99;
	s->durable_ms_max = r.durable_ms_max;
	s->lag_ms = r.lag_ms;
	snprintf(s->alarm, sizeof(s->alarm), "%s", r.alarm_text);
	s->volumes = r.volumes < ENGINE_VOLUMES_MAX ? r.volumes : ENGINE_VOLUMES_MAX;
	for (unsigned i = 0; i < s->volumes; i++)
		s->volume[i] = volume_stats(&r.volume_of[i], e->opt.store[i]);
}

static bool recorder_recovered(void *arg, uint32_t i, uint8_t id[16], uint32_t *reason,
			       struct recording_account *account)
{
	const struct engine *e = arg;
	const struct recovered *list;

	if (e->record == NULL || i >= record_recovered(e->record, &list))
		return false;
	memcpy(id, list[i].id, sizeof(list[i].id));
	*reason = (uint32_t)list[i].reason;
	*account = list[i].account;
	return true;
}

struct engine_backend engine_backend_of(struct engine *e)
{
	return (struct engine_backend){
		.arg = e,
		.command_send = command_send,
		.event_recv = event_recv,
		.event_other = event_other,
		.prompt_get = prompt_get,
		.tone_get = tone_get,
		.prompt_put = prompt_put,
		.prompt_each = prompts_each,
		.prompt_load = prompts_load,
		.worker_stats = worker_stats,
		.port_stats = port_stats,
		.recorder_stats = recorder_stats,
		.recorder_recovered = recorder_recovered,
	};
}

/* ---- once a second ---- */

static uint64_t count_of(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void engine_load(struct engine *e, uint64_t now_ns)
{
	for (uint16_t i = 0; i < e->opt.workers; i++) {
		const struct worker *w = e->worker[i];
		const struct load_counts c = {
			.busy_ns = count_of(&w->busy_ns),
			.busy_turns = count_of(&w->busy_turns),
			.empty_ns = count_of(&w->empty_ns),
			.empty_turns = count_of(&w->empty_turns),
			.slots = count_of(&w->slots_run),
			.slots_late_ns = count_of(&w->slots_late_ns),
		};

		load_take(&e->pulse[i].load, &c, now_ns);
	}
}

static void look_at_worker(struct engine *e, uint16_t i, uint64_t now_ns)
{
	struct engine_pulse *p = &e->pulse[i];
	struct worker *w = e->worker[i];
	uint64_t turns = atomic_load_explicit(&w->turns, memory_order_relaxed);
	char text[100];

	if (turns != p->turns || p->turned_ns == 0) {
		p->turns = turns;
		p->turned_ns = now_ns;
	}
	/* The longest sleep of a worker is one second. */
	if (p->stuck == (now_ns - p->turned_ns >= STUCK_NS))
		return;
	p->stuck = !p->stuck;
	snprintf(text, sizeof(text), "worker %u %s", i,
		 p->stuck ? "has not made a turn for 5 seconds" : "turns again");
	log_line(p->stuck ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "engine", "%s", text);
	engine_rpc_alarm(e->rpc, "worker", text, p->stuck);
}

void engine_look(struct engine *e, uint64_t now_ns)
{
	struct port_info info;
	char text[100];

	for (uint16_t i = 0; i < e->opt.workers; i++)
		look_at_worker(e, i, now_ns);

	port_describe(e->port, &info);
	if (info.link == e->link_alarm) {
		e->link_alarm = !info.link;
		snprintf(text, sizeof(text), "%s: link is %s", info.name,
			 info.link ? "up" : "down");
		engine_rpc_alarm(e->rpc, "port", text, e->link_alarm);
	}
	if (e->record != NULL) {
		struct record_stats r;

		record_stats(e->record, &r);
		if (r.alarm != e->record_alarm) {
			bool raised = r.alarm != RECORD_ALARM_NONE;

			e->record_alarm = r.alarm;
			engine_rpc_alarm(e->rpc, "recorder",
					 raised ? r.alarm_text : "recording is well again", raised);
		}
	}
}
