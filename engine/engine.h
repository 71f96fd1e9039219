/* The whole engine, as main.c puts it together and backend.c shows it to the control socket.
 *
 * Thread: main lcore.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "plan/load.h"
#include "plan/plan.h"
#include "port/port.h"
#include "prompt/prompt.h"
#include "record/record.h"
#include "rpc/engine_rpc.h"
#include "worker/worker.h"

struct rte_mempool;

/* How loaded a worker is, and whether it still turns. */
struct engine_pulse {
	struct load load;
	uint64_t turns, turned_ns; /* the last count that was new, and when */
	bool stuck;
};

struct engine {
	struct options opt;
	struct plan plan;
	struct rte_mempool *pool;
	struct port *port;
	struct record *record;
	struct prompt_bank *bank;
	const char *prompts; /* directory read last */
	char *prompts_copy;  /* owns it when it did not come from the command line */
	struct worker *worker[WORKERS_MAX];
	struct engine_pulse pulse[WORKERS_MAX];
	struct engine_rpc *rpc;
	bool eal;      /* DPDK runs */
	bool launched; /* the workers run */
	int epoll_fd;
	int event_fd; /* workers ring it when events wait */
	int signal_fd;
	bool link_alarm;
	enum record_alarm record_alarm;
};

/* CLOCK_MONOTONIC. */
uint64_t engine_now_ns(void);

/* What the control socket asks of the engine; `arg` of its functions is `e`. */
struct engine_backend engine_backend_of(struct engine *e);

/* Read the prompts again from `directory` (NULL: the one known); failures are also told to
 * `failed` (may be NULL). Returns how many there are, or negative errno. */
int engine_prompts_load(struct engine *e, const char *directory, engine_prompt_failed_fn *failed,
			void *to);

/* A next hop became known: tell all workers. port_neighbour_fn. */
void engine_neighbour_tell(void *arg, uint8_t family, const uint8_t *ip, const uint8_t mac[6]);

/* Every LOAD_EVERY_MS or so: how loaded the workers are. */
void engine_load(struct engine *e, uint64_t now_ns);

/* Once a second: whether something is wrong. */
void engine_look(struct engine *e, uint64_t now_ns);

#endif
