/* SPDX-License-Identifier: Apache-2.0
 *
 * patchbay-engine: everything is made here, in order, and unmade in the reverse.
 *
 *   arguments -> plan -> DPDK -> port -> recorder -> prompts -> workers -> control socket -> loop
 *
 * Afterwards this thread is the main lcore: it sleeps in one epoll on the control socket, the workers'
 * bell, the port's affairs (neighbours, ARP, link) and signals. It never touches a packet, except
 * those few that are addressed to the port itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/log.h"
#include "base/must.h"
#include "base/units.h"
#include "engine.h"
#include "port/port_eal.h"
#include "port/port_pool.h"
#include "telemetry.h"

enum {
	RX_SLOTS = 2048,
	TX_SLOTS = 2048,
	/* What the drivers hold beyond their descriptors: the fill ring of AF_XDP. */
	QUEUE_PACKETS = RX_SLOTS + TX_SLOTS + 4096,
	PACKET_BYTES = PORT_POOL_BYTES,
	EXTENT_BYTES = 16384,
	CODERS_PER_WORKER = 256, /* more than a core can transcode */
	PORT_REST_MS = 2000,
	LOOP_MS_MAX = 100,
	NEWS_MAX = 16,
	LATE_MAX_US = 60000, /* what a phone's jitter buffer holds */
};

#define LOOK_EVERY_NS PB_NS_PER_S

static void print_line(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

static void log_plan_line(void *arg, const char *line)
{
	(void)arg;
	log_info("plan", "%s", line);
}

static int make_plan(struct engine *e)
{
	const struct options *o = &e->opt;
	char why[200];
	struct plan_config cfg = {
		.workers = o->workers,
		.rtp_first = o->rtp_first,
		.rtp_last = o->rtp_last,
		.calls = o->calls,
		.queues = port_queues(&o->port, o->workers),
		.queue_packets = QUEUE_PACKETS,
		.handoff_packets = o->workers > 1 ? 2 * PORT_HANDOFF_SLOTS : 256,
		.packet_bytes = PACKET_BYTES,
		.extents = o->stores > 0 ? o->record_mib * (1 << 20) / EXTENT_BYTES : 0,
		.extent_bytes = EXTENT_BYTES,
		.prompt_bytes = (uint64_t)o->prompt_mib << 20,
		.worker_bytes = worker_bytes,
		.coders = o->transcoders >= 0 ? (uint32_t)o->transcoders
					      : CODERS_PER_WORKER * o->workers,
		.coder_bytes = worker_coder_bytes(),
	};

	if (plan_make(&e->plan, &cfg, why, sizeof(why)) < 0) {
		fprintf(stderr, "patchbay-engine: %s\n", why);
		return -EINVAL;
	}
	return 0;
}

/* An engine that answers on our socket is left alone; before anything else is touched. */
static int refuse_second(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers;

	if (fd < 0)
		return -errno;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	answers = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	close(fd);
	if (answers) {
		log_error("engine", "an engine is already running on %s", path);
		return -EBUSY;
	}
	return 0;
}

static int start_port(struct engine *e)
{
	struct port_config cfg = {
		.workers = e->opt.workers,
		.rtp_first = e->plan.rtp_first,
		.rtp_last = e->plan.rtp_last,
		.rx_slots = RX_SLOTS,
		.tx_slots = TX_SLOTS,
		.ports_per_worker = (uint16_t)(2 * e->plan.leg_stride),
	};
	int err;

	e->pool =
		port_pool_create("packets", e->plan.packets, port_pool_layout(e->opt.port.driver));
	if (e->pool == NULL) {
		log_error("engine", "no memory for %u packets: %s", e->plan.packets,
			  rte_strerror(rte_errno));
		return -ENOMEM;
	}
	cfg.pool = e->pool;
	err = port_open(&e->port, &e->opt.port, &cfg);
	if (err < 0) {
		log_error("engine", "without a port there is no engine");
		return err;
	}
	port_set_neighbour_fn(e->port, engine_neighbour_tell, e);
	return 0;
}

static int start_recorder(struct engine *e)
{
	struct record_config cfg = {
		.name = e->opt.shm,
		.volumes = e->opt.stores,
		.workers = e->opt.workers,
		.extents = e->plan.cfg.extents,
		.fresh = e->opt.fresh_segments,
		.recycle_below = e->opt.recycle_below,
		.policy = e->opt.refuse_unrecorded ? RECORD_POLICY_REFUSE : RECORD_POLICY_CARRY_ON,
	};
	int err;

	if (e->opt.stores == 0) {
		log_warn("engine", "no store: nothing can be recorded");
		return 0;
	}
	memcpy(cfg.volume, e->opt.store, sizeof(cfg.volume));
	memcpy(cfg.weight, e->opt.store_weight, sizeof(cfg.weight));
	if (getrandom(cfg.instance, sizeof(cfg.instance), 0) != (ssize_t)sizeof(cfg.instance))
		return -EIO;
	err = record_start(&cfg, &e->record);
	if (err == -EBUSY)
		log_error("engine", "an engine named \"%s\" is already running (--shm)",
			  e->opt.shm);
	else if (err < 0)
		log_error("engine", "the recorder does not start: %s", strerror(-err));
	return err;
}

static int start_prompts(struct engine *e)
{
	e->bank = prompt_bank_create((size_t)e->opt.prompt_mib << 20);
	if (e->bank == NULL)
		return -ENOMEM;
	e->prompts = e->opt.prompts;
	(void)engine_prompts_load(e, NULL, NULL, NULL); /* without prompts all else still works */
	return 0;
}

static const char *srtp_words(const struct worker *w)
{
	if (w->srtp == NULL)
		return "off";
	return srtp_way_of(w->srtp) == SRTP_WAY_BURST
		       ? "by multi-buffer crypto"
		       : "by libsrtp2, a packet at a time (some 20 times the cost)";
}

static int start_workers(struct engine *e)
{
	uint64_t seed = 0;

	(void)!getrandom(&seed, sizeof(seed), 0);
	for (uint16_t i = 0; i < e->opt.workers; i++) {
		struct worker_config cfg = {
			.id = i,
			.workers = e->opt.workers,
			.socket = SOCKET_ID_ANY,
			.lane = port_lane(e->port, i),
			.rtp_first = e->plan.rtp_first,
			.rtp_last = e->plan.rtp_last,
			.leg_stride = e->plan.leg_stride,
			.leg_first = i * e->plan.leg_stride,
			.legs = e->plan.leg_stride,
			.calls = e->plan.calls,
			.pool = e->pool,
			.rec = e->record != NULL ? record_worker(e->record, i) : NULL,
			.main_fd = e->event_fd,
			.coders = e->plan.coders,
			.opus_complexity = e->opt.opus_complexity,
			.media_rate_max_hz = e->opt.media_rate_max_hz,
			.jbuf_min_ms = e->opt.jitter_min_ms,
			.jbuf_max_ms = e->opt.jitter_max_ms,
			.seed = seed + i,
			.srtp = e->opt.srtp,
			.srtp_way = e->opt.srtp_way,
		};

		e->worker[i] = worker_create(&cfg);
		if (e->worker[i] == NULL)
			return -ENOMEM;
	}
	log_info("engine", "SRTP: %s", srtp_words(e->worker[0]));
	for (uint16_t i = 0; i < e->opt.workers; i++)
		must(rte_eal_remote_launch(worker_run, e->worker[i], i + 1u) == 0);
	e->launched = true;
	return 0;
}

static int start_rpc(struct engine *e)
{
	const struct net_own *own = port_own(e->port);
	struct engine_backend backend = engine_backend_of(e);
	struct engine_rpc_config cfg = {
		.path = e->opt.socket,
		.group = e->opt.group,
		.workers = e->opt.workers,
		.rtp_first = e->plan.rtp_first,
		.calls_max = e->plan.calls,
		.reuse_delay_ms = PORT_REST_MS,
		.country = e->opt.country,
		.busy_max = e->opt.busy_limit / 100.0,
		.late_max_us = e->opt.busy_limit < 100 ? LATE_MAX_US : 0,
		.srtp = e->opt.srtp,
	};
	int err;

	for (uint16_t i = 0; i < e->opt.workers; i++) {
		uint32_t first = e->plan.rtp_first + 2 * i * e->plan.leg_stride;

		cfg.slice[i].port_first = (uint16_t)first;
		cfg.slice[i].port_last = (uint16_t)(first + 2 * (e->plan.leg_stride - 1));
	}
	if (own->ip4)
		inet_ntop(AF_INET, own->ip4_addr, cfg.ip4, sizeof(cfg.ip4));
	if (own->ip6)
		inet_ntop(AF_INET6, own->ip6_addr, cfg.ip6, sizeof(cfg.ip6));
	err = engine_rpc_open(&e->rpc, &cfg, &backend);
	if (err == -EADDRINUSE || err == -EBUSY)
		log_error("engine", "an engine is already running on %s", e->opt.socket);
	else if (err < 0)
		log_error("engine", "control socket %s: %s", e->opt.socket, strerror(-err));
	return err;
}

static int watch(struct engine *e, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -errno;
}

/* Signals come as reads; blocked before any thread is made, so that all inherit it. */
static int start_signals(struct engine *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	e->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	e->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return e->signal_fd < 0 || e->event_fd < 0 || e->epoll_fd < 0 ? -errno : 0;
}

/* sd_notify(3): one datagram to the socket that the supervisor named, if there is one. */
static void tell_supervisor(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd;

	if (path == NULL || strlen(path) >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, strlen(path));
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

static int start(struct engine *e)
{
	struct port_eal_config eal = {
		.workers = e->opt.workers,
		.cpus = e->opt.cpus,
		.hugepages = e->opt.hugepages,
		.memory_bytes = e->plan.heap_bytes,
		.telemetry = e->opt.telemetry,
		.pci = e->opt.port.driver == PORT_PCI ? e->opt.port.name : NULL,
	};
	int err = start_signals(e);

	plan_print(&e->plan, log_plan_line, NULL);
	if (err == 0)
		err = refuse_second(e->opt.socket);
	if (err == 0) {
		err = port_eal_start(&eal);
		e->eal = err == 0;
	}
	if (err == 0)
		err = start_port(e);
	if (err == 0)
		err = start_recorder(e);
	if (err == 0)
		err = start_prompts(e);
	if (err == 0)
		err = start_workers(e);
	if (err == 0 && e->opt.telemetry)
		telemetry_start(e);
	if (err == 0)
		err = start_rpc(e);
	if (err == 0)
		err = watch(e, e->signal_fd);
	if (err == 0)
		err = watch(e, e->event_fd);
	if (err == 0)
		err = watch(e, port_fd(e->port));
	if (err == 0)
		err = watch(e, engine_rpc_fd(e->rpc));
	return err;
}

/* Returns false when it is time to go. */
static bool take_signals(struct engine *e)
{
	struct signalfd_siginfo info;

	while (read(e->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGHUP) {
			log_info("engine", "%s: ending",
				 info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
			return false;
		}
		(void)engine_prompts_load(e, NULL, NULL, NULL);
	}
	return true;
}

static void loop(struct engine *e)
{
	uint64_t looked_ns = 0;
	int wait_ms = 0;

	for (;;) {
		struct epoll_event news[NEWS_MAX];
		uint64_t rung, now;
		struct timespec wall;
		int n = epoll_wait(e->epoll_fd, news, NEWS_MAX, wait_ms);

		for (int i = 0; i < n; i++)
			if (news[i].data.fd == e->event_fd)
				(void)!read(e->event_fd, &rung, sizeof(rung));
		if (!take_signals(e))
			return;
		now = engine_now_ns();
		port_house(e->port, now);
		engine_load(e, now);
		clock_gettime(CLOCK_REALTIME, &wall);
		wait_ms = engine_rpc_poll(e->rpc, now / PB_NS_PER_MS,
					  (uint64_t)wall.tv_sec * 1000 +
						  (uint64_t)wall.tv_nsec / PB_NS_PER_MS);
		if (wait_ms < 0 || wait_ms > LOOP_MS_MAX)
			wait_ms = LOOP_MS_MAX;
		if (now - looked_ns >= LOOK_EVERY_NS) {
			looked_ns = now;
			engine_look(e, now);
		}
	}
}

/* From whatever was reached, backwards. Returns 0, or -EIO when the recorder could not finish. */
static int stop(struct engine *e)
{
	int err = 0;

	if (e->launched) {
		for (uint16_t i = 0; i < e->opt.workers; i++) {
			atomic_store_explicit(&e->worker[i]->stop, true, memory_order_release);
			worker_wake(e->worker[i]);
		}
		rte_eal_mp_wait_lcore();
	}
	telemetry_stop();
	engine_rpc_close(e->rpc); /* gives the prompts back that nobody plays any more */
	if (e->record != NULL && record_stop(e->record) < 0) {
		log_error("engine",
			  "not all recordings could be written: the next start will try again");
		err = -EIO;
	}
	for (uint16_t i = 0; i < e->opt.workers; i++)
		if (e->worker[i] != NULL)
			worker_destroy(e->worker[i]);
	prompt_bank_destroy(e->bank);
	free(e->prompts_copy);
	port_close(&e->port);
	rte_mempool_free(e->pool);
	for (int *fd = (int[]){e->epoll_fd, e->event_fd, e->signal_fd, -1}; *fd >= 0; fd++)
		close(*fd);
	return err;
}

int main(int argc, char **argv)
{
	struct engine *e = calloc(1, sizeof(*e));
	int err;

	if (e == NULL)
		return 1;
	err = options_parse(&e->opt, argc, argv);
	if (err == 0)
		err = make_plan(e) < 0 ? -EINVAL : 0;
	if (err == 0 && e->opt.plan_only) {
		plan_print(&e->plan, print_line, NULL);
		err = 1;
	}
	if (err != 0) {
		free(e);
		return err == 1 ? 0 : 2;
	}

	log_setup("patchbay-engine", e->opt.log_level);
	err = start(e);
	if (err == 0) {
		log_info("engine", "patchbay-engine %s is ready on %s", PATCHBAY_VERSION,
			 e->opt.socket);
		tell_supervisor("READY=1");
		loop(e);
		tell_supervisor("STOPPING=1");
	}
	if (stop(e) < 0)
		err = -EIO;
	if (e->eal)
		port_eal_stop();
	free(e);
	return err == 0 ? 0 : 1;
}
