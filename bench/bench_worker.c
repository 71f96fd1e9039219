/* SPDX-License-Identifier: Apache-2.0
 *
 * What one worker core does, measured: a real worker on a ring port, N legs in one scene, its turns timed
 * and nothing else.
 *
 *	bench_worker SCENE [--legs N] [--rounds N] [--store DIR] [--cpu N] [--load SHARE] [--cores N]
 *	bench_worker --list
 *
 * Time of the media is stepped by milliseconds as fast as the worker allows; with a recording it
 * keeps to real time, because the disk does. A round is 20 ms of media: every leg's packet once. A
 * millisecond of it in which the kernel took the core away is left out and counted; README.md tells
 * the rest. More legs than the UDP ports of one address carry live on a second worker with an address of
 * its own, or on four, which the same core turns; with --cores 2 a core of its own turns it, at the same time, each with half
 * of the legs: what is left of the one's speed tells how the cores get on with one memory. With --load it measures delay at that share of what it has just
 * found a core to carry: bench_paced.h. The result is one JSON object on stdout.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/log.h"
#include "base/must.h"
#include "base/units.h"
#include "bench_paced.h"
#include "bench_scene.h"
#include "bench_worker.h"
#include "port/port.h"
#include "port/port_eal.h"
#include "port/port_pool.h"
#include "record/record.h"

enum {
	RING = 8192,
	PACKETS = 65535,
	WARM_ROUNDS = 15,
	TURNS_MAX = 1 << 20, /* durations that are kept */
	OPUS_COMPLEXITY = 3,
	PACED_TIMES = 4, /* as many frames as before */
};

/* The worker's counters and ours around one step. */
struct mark {
	struct stage_sum stage[STAGE_COUNT];
	uint64_t received, sent;
	long switches;
};

static void usage(FILE *to)
{
	fprintf(to, "usage: bench_worker SCENE [--legs N] [--rounds N] [--store DIR] [--cpu N]\n"
		    "                    [--load SHARE] [--cores N]\n"
		    "       bench_worker --list\n");
}

static bool options_read(struct options *o, int argc, char **argv)
{
	static const struct option words[] = {{"legs", required_argument, NULL, 'l'},
					      {"rounds", required_argument, NULL, 'r'},
					      {"store", required_argument, NULL, 's'},
					      {"cpu", required_argument, NULL, 'c'},
					      {"load", required_argument, NULL, 'g'},
					      {"cores", required_argument, NULL, 'n'},
					      {"list", no_argument, NULL, 'L'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	const struct bench_scene_kind *k;
	int c;

	*o = (struct options){.legs = 10000, .rounds = 100, .cores = 1, .cpu = -1};
	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->legs = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'r':
			o->rounds = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 's':
			o->store = optarg;
			break;
		case 'c':
			o->cpu = atoi(optarg);
			break;
		case 'g':
			o->load = atof(optarg);
			break;
		case 'n':
			o->cores = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'L':
			for (unsigned i = 0; (k = bench_scene_at(i)) != NULL; i++)
				puts(k->name);
			exit(0);
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return false;
		}
	}
	if (optind != argc - 1)
		return false;
	o->kind = bench_scene_find(argv[optind]);
	return o->kind != NULL && o->rounds > 0 && o->legs >= o->kind->legs_per_call &&
	       o->legs <= (o->kind->records || o->load > 0 ? 1 : WORLDS_MAX) * BENCH_LEGS_MAX &&
	       (!o->kind->records || o->store != NULL) && o->cores >= 1 && o->cores <= CORES_MAX &&
	       (o->cores == 1 || (!o->kind->records && o->load == 0)) &&
	       o->legs >= o->cores * o->kind->legs_per_call;
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void fail(const char *what, int err)
{
	fprintf(stderr, "bench_worker: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		fail("--cpu", errno);
	/* Before ordinary programs, if we may: a step that is interrupted does not count. */
	(void)sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
}

static void recorder_open(struct bench *b)
{
	struct record_config cfg = {.name = "bench-worker",
				    .volume = {b->opt.store},
				    .volumes = 1,
				    .workers = 1,
				    .taps = b->world[0].calls,
				    .extents = b->world[0].calls * 4 + 1024};
	int err = record_start(&cfg, &b->rec);

	if (err != 0)
		fail("the recorder does not start", err);
}

static void port_make(struct bench *b, unsigned i)
{
	static const char *const specs[WORLDS_MAX] = {
		"ring:one,ip=10.0.0.1/8,mac=02:00:00:00:00:03",
		"ring:two,ip=10.0.0.2/8,mac=02:00:00:00:00:04",
		"ring:three,ip=10.0.0.3/8,mac=02:00:00:00:00:05",
		"ring:four,ip=10.0.0.4/8,mac=02:00:00:00:00:06"};
	struct port_spec spec;
	char why[200], name[16];
	struct bench_net *n = &b->world[i].net;

	snprintf(name, sizeof(name), "bench%u", i);
	n->pool = port_pool_create(name, PACKETS, port_pool_layout(PORT_RING));
	snprintf(name, sizeof(name), "in%u", i);
	n->in = rte_ring_create(name, RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "out%u", i);
	n->out = rte_ring_create(name, RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	must(n->pool != NULL && n->in != NULL && n->out != NULL);
	b->port_cfg[i] = (struct port_config){.workers = 1,
					      .rtp_first = BENCH_RTP_FIRST,
					      .rtp_last = 65535,
					      .rx_slots = 512,
					      .tx_slots = 512,
					      .pool = n->pool,
					      .to_engine = {n->in},
					      .from_engine = {n->out}};
	must(port_spec_parse(&spec, specs[i], why, sizeof(why)) == 0);
	must(port_open(&b->port[i], &spec, &b->port_cfg[i]) == 0);
}

static void world_make(struct bench *b, unsigned i)
{
	struct bench_world *w = &b->world[i];
	struct worker_config cfg = {.workers = 1,
				    .socket = SOCKET_ID_ANY,
				    .rtp_first = BENCH_RTP_FIRST,
				    .rtp_last = 65535,
				    .main_fd = -1,
				    .seed = 1};

	cfg.legs = cfg.leg_stride = w->calls * b->opt.kind->legs_per_call;
	cfg.calls = w->calls;
	port_make(b, i);
	cfg.lane = port_lane(b->port[i], 0);
	cfg.pool = w->net.pool;
	cfg.rec = b->rec != NULL ? record_worker(b->rec, 0) : NULL;
	cfg.srtp = b->opt.kind->srtp;
	cfg.coders = b->opt.kind->codec != CODEC_PCMU ? cfg.legs : 0;
	cfg.opus_complexity = OPUS_COMPLEXITY;
	w->net.any_length = b->opt.kind->codec != CODEC_PCMU;
	bench_net_make(&w->net, cfg.legs, port_own(b->port[i]));
	if (cfg.srtp)
		bench_net_secure(&w->net, port_own(b->port[i]));
	w->now_ns = clock_ns();
	w->worker = worker_create(&cfg);
	if (w->worker == NULL)
		exit(1);
}

static void worlds_make(struct bench *b)
{
	const struct bench_scene_kind *kind = b->opt.kind;
	struct port_eal_config eal = {.workers = 1};
	uint32_t calls = b->opt.legs / kind->legs_per_call;

	b->worlds = b->opt.cores;
	while (b->worlds * BENCH_LEGS_MAX < calls * kind->legs_per_call)
		b->worlds *= 2; /* each core turns as many */
	eal.memory_bytes = 0;
	for (unsigned i = 0; i < b->worlds; i++) {
		b->world[i].calls = calls / b->worlds;
		eal.memory_bytes +=
			worker_bytes(b->world[i].calls * kind->legs_per_call, b->world[i].calls) +
			(UINT64_C(700) << 20);
	}
	if (port_eal_start(&eal) != 0)
		exit(1);
	if (kind->records)
		recorder_open(b);
	if (b->opt.cpu >= 0)
		pin(b->opt.cpu); /* after the recorder's thread was made: that floats */
	for (unsigned i = 0; i < b->worlds; i++)
		world_make(b, i);
	for (unsigned i = 0; i < b->opt.cores; i++) {
		unsigned worlds = b->worlds / b->opt.cores;

		b->core[i] = (struct core){.bench = b,
					   .world = &b->world[i * worlds],
					   .worlds = worlds,
					   .cpu = b->opt.cpu,
					   .turn = calloc(TURNS_MAX, sizeof(uint32_t))};
		must(b->core[i].turn != NULL);
	}
}

/* A CPU that this process may use and that is not the first core's. */
static int another_cpu(int cpu, const cpu_set_t *allowed)
{
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (i != cpu && CPU_ISSET((unsigned)i, allowed))
			return i;
	fprintf(stderr, "bench_worker: --cores 2 needs a second CPU\n");
	exit(1);
}

static void mark(const struct core *b, struct mark *m)
{
	struct rusage ru;

	*m = (struct mark){0};
	for (unsigned i = 0; i < b->worlds; i++) {
		const struct worker *w = b->world[i].worker;

		for (unsigned s = 0; s < STAGE_COUNT; s++) {
			m->stage[s].packets += atomic_load(&w->stage[s].packets);
			m->stage[s].cycles += atomic_load(&w->stage[s].cycles);
		}
		m->received += atomic_load(&w->received);
		m->sent += atomic_load(&w->sent);
	}
	getrusage(RUSAGE_THREAD, &ru);
	m->switches = ru.ru_nivcsw + ru.ru_nvcsw;
}

/* Add the step since `from` to the sums. */
static void add(struct core *b, const struct mark *from, uint64_t cycles, uint64_t turns)
{
	struct mark to;

	mark(b, &to);
	if (to.switches != from->switches) {
		b->disturbed++;
		return;
	}
	for (unsigned s = 0; s < STAGE_COUNT; s++) {
		b->stage[s].packets += to.stage[s].packets - from->stage[s].packets;
		b->stage[s].cycles += to.stage[s].cycles - from->stage[s].cycles;
	}
	b->received += to.received - from->received;
	b->sent += to.sent - from->sent;
	b->cycles += cycles;
	b->turns += turns;
	b->steps++;
}

/* One millisecond of media: speak, turn until nothing waits, hear. Returns the cycles of its turns. */
static uint64_t step_turns(struct core *b, struct bench_world *w, uint64_t *turns)
{
	uint64_t sum = 0;

	do {
		uint64_t begin = rte_rdtsc_precise();

		worker_turn(w->worker, w->now_ns);

		uint64_t spent = rte_rdtsc_precise() - begin;

		sum += spent;
		(*turns)++;
		if (b->turn_n < TURNS_MAX)
			b->turn[b->turn_n++] = spent > UINT32_MAX ? UINT32_MAX : (uint32_t)spent;
	} while (!rte_ring_empty(w->net.in));
	return sum;
}

static void step(struct core *b)
{
	struct mark m;
	uint64_t turns = 0, cycles = 0;
	uint32_t turn_n = b->turn_n, disturbed = b->disturbed;

	for (unsigned i = 0; i < b->worlds; i++) {
		struct bench_world *w = &b->world[i];

		bench_net_speak(&w->net, (unsigned)(w->now_ns / PB_NS_PER_MS % BENCH_PHASES));
		w->now_ns += PB_NS_PER_MS;
	}
	mark(b, &m);
	for (unsigned i = 0; i < b->worlds; i++)
		cycles += step_turns(b, &b->world[i], &turns);
	add(b, &m, cycles, turns);
	if (b->disturbed != disturbed)
		b->turn_n = turn_n;
	for (unsigned i = 0; i < b->worlds; i++) {
		bench_net_hear(&b->world[i].net);
		bench_world_events(&b->world[i]);
	}
}

/* Not faster than real time, when a disk is to keep up. */
static void keep_time(const struct bench *b)
{
	while (b->rec != NULL && clock_ns() < b->world[0].now_ns)
		rte_pause(); /* a worker with work to do polls; who sleeps finds the caches full of others' */
}

static void *core_run(void *arg)
{
	struct core *c = arg;
	struct bench *b = c->bench;

	for (unsigned w = 0; w < c->worlds; w++) {
		for (unsigned i = 0; i < WARM_ROUNDS * BENCH_PHASES; i++)
			bench_world_step(&c->world[w]);
		c->world[w].net.heard = c->world[w].net.strange = 0;
	}
	(void)pthread_barrier_wait(&b->begin);
	for (uint32_t i = 0; i < b->opt.rounds * BENCH_PHASES; i++) {
		keep_time(b);
		step(c);
	}
	for (unsigned w = 0; w < c->worlds; w++)
		c->heard += c->world[w].net.heard;
	/* The others are measured beside a core that works. */
	atomic_fetch_sub(&b->measuring, 1);
	while (atomic_load(&b->measuring) > 0)
		for (unsigned w = 0; w < c->worlds; w++)
			bench_world_step(&c->world[w]);
	return NULL;
}

/* A further core: a thread of its own, known to DPDK so that it has its own cache of packets. */
static void *core_main(void *arg)
{
	struct core *c = arg;

	pin(c->cpu);
	must(rte_thread_register() == 0);
	(void)core_run(c);
	rte_thread_unregister();
	return NULL;
}

static void measure(struct bench *b, const cpu_set_t *allowed)
{
	must(pthread_barrier_init(&b->begin, NULL, b->opt.cores) == 0);
	b->measuring = b->opt.cores;
	for (unsigned i = 1; i < b->opt.cores; i++) {
		b->core[i].cpu = another_cpu(b->opt.cpu, allowed);
		must(pthread_create(&b->core[i].thread, NULL, core_main, &b->core[i]) == 0);
	}
	(void)core_run(&b->core[0]);
	for (unsigned i = 1; i < b->opt.cores; i++)
		pthread_join(b->core[i].thread, NULL);
	if (b->opt.load > 0 && b->core[0].steps > 0)
		bench_paced(&b->paced, &b->world[0],
			    bench_round_ns(&b->core[0]) / b->opt.legs / b->opt.load,
			    (uint64_t)b->opt.rounds * b->opt.legs * PACED_TIMES);
}

int main(int argc, char **argv)
{
	static struct bench b;
	cpu_set_t allowed;

	log_setup("bench_worker", LOG_LEVEL_WARN);
	if (!options_read(&b.opt, argc, argv)) {
		usage(stderr);
		return 2;
	}
	(void)sched_getaffinity(0, sizeof(allowed), &allowed);
	worlds_make(&b);
	for (unsigned i = 0; i < b.worlds; i++)
		bench_scene_begin(&b.world[i], b.opt.kind);
	measure(&b, &allowed);
	bench_print(&b);
	for (unsigned i = 0; i < b.worlds; i++) {
		bench_scene_end(&b.world[i], b.opt.kind);
		worker_destroy(b.world[i].worker);
	}
	if (b.rec != NULL)
		(void)record_stop(b.rec);
	for (unsigned i = 0; i < b.worlds; i++) {
		port_close(&b.port[i]);
		bench_net_free(&b.world[i].net);
	}
	for (unsigned i = 0; i < b.opt.cores; i++)
		free(b.core[i].turn);
	return 0;
}
