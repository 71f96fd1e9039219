/* SPDX-License-Identifier: Apache-2.0
 *
 * The turn: the table of contents of the engine.
 *
 * Each line is bounded, so the longest turn is the sum of the bounds: WORKER_COMMANDS_PER_TURN
 * commands, one burst, TICK_SLOTS_PER_TURN slots of the wheel, one flush. A worker that has nothing to
 * do spins through here IDLE_TURNS times and then sleeps on its port's descriptor until a packet
 * comes, the bell rings or the wheel has work.
 */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "path/capture.h"
#include "port/port.h"
#include "worker/worker_priv.h"

enum {
	WORKER_NICE = -15,
	IDLE_TURNS = 32,
	/* Not worth a system call and a wake-up: spin instead. */
	SLEEP_MIN_NS = 30 * 1000,
};

/* Charge a stage with what it did and begin timing the next. */
static void stage_end(struct worker *w, enum worker_stage stage, uint64_t packets, uint64_t *since)
{
	uint64_t now = rte_rdtsc();

	if (packets > 0) {
		worker_count(&w->stage[stage].packets, packets);
		worker_count(&w->stage[stage].cycles, now - *since);
		w->turn_worked = true;
	}
	*since = now;
}

void worker_turn(struct worker *w, uint64_t now_ns)
{
	struct burst b;
	uint64_t t = rte_rdtsc();
	uint64_t sent = atomic_load_explicit(&w->sent, memory_order_relaxed);

	w->now_ns = now_ns;
	w->turn_worked = false;
	b.n = 0;
	uint16_t n;

	stage_end(w, STAGE_MAILBOX, mailbox_take(w, WORKER_COMMANDS_PER_TURN), &t);

	rx_burst(w, &b);
	if (w->capture != NULL)
		capture_frames(w, b.pkt, b.n, CAPTURE_IN);
	n = b.n;
	stage_end(w, STAGE_RX, n, &t);
	if (n > 0) {
		classify_burst(w, &b);
		stage_end(w, STAGE_CLASSIFY, n, &t);
		n = b.n;
		srtp_open_burst(w, &b);
		stage_end(w, STAGE_SRTP_OPEN, n, &t);
		n = b.n;
		rtcp_burst(w, &b);
		stage_end(w, STAGE_RTCP, n, &t);
		n = b.n;
		rtp_in_burst(w, &b);
		stage_end(w, STAGE_RTP_IN, n, &t);
		n = b.n;
		relay_burst(w, &b);
		stage_end(w, STAGE_RELAY, n, &t);
		n = b.n;
		deliver_burst(w, &b);
		stage_end(w, STAGE_JBUF, n, &t);
	}

	uint64_t made = atomic_load_explicit(&w->made, memory_order_relaxed);

	playout(w);
	stage_end(w, STAGE_PLAYOUT, atomic_load_explicit(&w->made, memory_order_relaxed) - made,
		  &t);

	n = w->seal.n;
	srtp_seal_burst(w);
	stage_end(w, STAGE_SRTP_SEAL, n, &t);

	tx_flush(w);
	stage_end(w, STAGE_TX, atomic_load_explicit(&w->sent, memory_order_relaxed) - sent, &t);

	if (w->cfg.rec != NULL)
		rec_tap_age(w->cfg.rec, w->now_ns);
	mailbox_flush(w);
	worker_count(&w->turns, 1);
}

uint64_t worker_next_ns(const struct worker *w)
{
	const struct worker_media *wm = w->media;
	uint64_t next = w->now_ns + PB_NS_PER_S;

	if (w->tx.n > 0 || room_waits(w))
		return w->now_ns;
	if (wm->house.items > 0) {
		uint32_t tick = wheel_ahead(&wm->tick, wm->next_ms);
		uint32_t house = wheel_ahead(&wm->house, wm->next_ms);
		uint32_t ahead = tick < house ? tick : house;

		if (ahead != UINT32_MAX && (wm->next_ms + ahead) * PB_NS_PER_MS < next)
			next = (wm->next_ms + ahead) * PB_NS_PER_MS;
	}
	if (w->cfg.rec != NULL) {
		uint32_t due = rec_tap_due_ms(w->cfg.rec, w->now_ns);

		if (due != UINT32_MAX && w->now_ns + due * PB_NS_PER_MS < next)
			next = w->now_ns + due * PB_NS_PER_MS;
	}
	return next < w->now_ns ? w->now_ns : next;
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static bool stopped(struct worker *w)
{
	/* Pairs with main's release store: what it did before is seen by the last turn. */
	return atomic_load_explicit(&w->stop, memory_order_acquire);
}

/* Nothing has happened for a while: sleep until something is due. */
static void sleep_until_due(struct worker *w)
{
	struct bell *bell = w->cfg.lane->bell;
	uint64_t now = clock_ns();
	uint64_t next = worker_next_ns(w);

	if (next < now + SLEEP_MIN_NS) {
		rte_pause();
		return;
	}
	bell_drowse(bell);
	if (spsc_ready(&w->command) || stopped(w)) {
		bell_wake(bell);
		return;
	}
	port_wait(w->cfg.lane, next - now);
	worker_count(&w->slept_ns, clock_ns() - now);
}

/* Sound cannot wait for a compiler or a backup on the same machine: go before ordinary processes
 * where that is allowed. Not a real-time class: a worker at full load must leave the kernel's own
 * network threads their share. */
static void go_first(const struct worker *w)
{
	pid_t thread = (pid_t)syscall(SYS_gettid);

	if (setpriority(PRIO_PROCESS, (id_t)thread, WORKER_NICE) != 0)
		log_info("worker", "worker %u runs at ordinary priority: %s", w->cfg.id,
			 strerror(errno));
}

int worker_run(void *arg)
{
	struct worker *w = arg;
	uint64_t begin = clock_ns();

	go_first(w);
	while (!stopped(w)) {
		worker_turn(w, begin);

		uint64_t end = clock_ns();

		worker_count(w->turn_worked ? &w->busy_ns : &w->empty_ns, end - begin);
		worker_count(w->turn_worked ? &w->busy_turns : &w->empty_turns, 1);
		if (w->turn_worked) {
			w->idle_turns = 0;
		} else if (++w->idle_turns >= IDLE_TURNS) {
			sleep_until_due(w);
			end = clock_ns();
		}
		begin = end;
	}
	return 0;
}
