/* What the engine will need, reckoned before anything is allocated.
 *
 * All memory is taken at start. The plan turns the operator's words (workers, port range, ...) into
 * counts and bytes; main.c allocates exactly that and prints the table, so that an operator sees
 * what the process is going to weigh and why. Running out later is a verdict at the door.
 *
 * Thread: any; pure.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stddef.h>
#include <stdint.h>

enum {
	PLAN_WORKERS_MAX = 64,
	/* Packets that wait in an average jitter buffer, rounded up: 60 ms of 20 ms packets, and
	 * copies on their way out. */
	PLAN_PACKETS_PER_LEG = 4,
};

/* Bytes that a worker takes for so many legs and calls. */
typedef size_t plan_worker_bytes_fn(uint32_t legs, uint32_t calls);

struct plan_config {
	uint16_t workers;
	uint16_t rtp_first, rtp_last; /* as given; inclusive */
	uint32_t calls;               /* wanted over all workers; 0: half as many as legs */
	uint16_t queues;              /* of the device */
	uint32_t queue_packets;       /* that one queue holds in its descriptors, both ways */
	uint32_t handoff_packets;     /* that one worker's hand-off and send rings hold */
	uint32_t packet_bytes;        /* of one mbuf, everything included */
	uint32_t extents, extent_bytes;
	uint64_t prompt_bytes;
	uint32_t coders;    /* legs transcoded at once, wanted over all workers */
	size_t coder_bytes; /* of one */
	plan_worker_bytes_fn *worker_bytes;
};

struct plan {
	struct plan_config cfg;
	uint16_t rtp_first, rtp_last; /* first even, last odd: whole pairs */
	uint32_t legs;                /* over all workers; a multiple of them */
	uint32_t leg_stride;          /* per worker */
	uint32_t calls;               /* per worker */
	uint32_t coders;              /* per worker; never more than legs */
	uint32_t packets;
	uint64_t packets_bytes, workers_bytes, coders_bytes;
	uint64_t heap_bytes; /* both and slack: what DPDK is given */
	uint64_t extents_bytes;
	uint64_t total_bytes;
};

/* Returns 0, or -EINVAL with a sentence when the words contradict each other. */
int plan_make(struct plan *plan, const struct plan_config *cfg, char *why, size_t why_size);

/* The table, a line at a time. */
typedef void plan_line_fn(void *arg, const char *line);
void plan_print(const struct plan *plan, plan_line_fn *fn, void *arg);

#endif
