/* What bench_worker's two halves share: the run (bench_worker.c) fills it in, the result (bench_result.c) tells of it.
 *
 * Thread: each core has a thread while it is measured; the result is made when all have ended.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "bench_paced.h"
#include "bench_scene.h"
#include "port/port.h"
#include "record/record.h"

enum { WORLDS_MAX = 4, CORES_MAX = 2 }; /* a world is a worker with an address of its own */

struct options {
	const struct bench_scene_kind *kind;
	const char *store;
	uint32_t legs, rounds;
	unsigned cores;
	int cpu;
	double load; /* 0: how much, not how soon */
};

struct stage_sum {
	uint64_t packets, cycles;
};

/* Sums over the steps (milliseconds) of one core that count. */
struct core {
	struct bench *bench;
	struct bench_world *world;
	unsigned worlds;
	int cpu;
	pthread_t thread;
	struct stage_sum stage[STAGE_COUNT];
	uint64_t cycles, turns, received, sent;
	uint32_t steps, disturbed;
	uint32_t *turn; /* cycles of each */
	uint32_t turn_n;
	uint64_t heard; /* in all measured steps, disturbed ones too */
};

struct bench {
	struct options opt;
	struct bench_world world[WORLDS_MAX];
	unsigned worlds;
	struct core core[CORES_MAX];
	struct port_config port_cfg[WORLDS_MAX];
	struct port *port[WORLDS_MAX];
	struct record *rec;
	struct bench_paced paced;
	pthread_barrier_t begin;
	_Atomic unsigned measuring; /* cores that have not ended; who has goes on unmeasured */
};

/* Nanoseconds of the turns of one round (20 ms of media) of a core. */
double bench_round_ns(const struct core *c);

/* The result as one JSON object to stdout; sorts the cores' turns. */
void bench_print(struct bench *b);

#endif
