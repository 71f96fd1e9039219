/* A line to what is measured: it plays a film and keeps a log. Three kinds behind one interface: a veth
 * interface, by programs inside the kernel; a memif, by a loop over DPDK; and plain UDP sockets, which need
 * nothing and reach every server, and are as slow as what they measure.
 *
 * Thread: open, start, stop and close from one; the playing itself has a thread of its own between
 * start and stop.
 */
#ifndef GEN_LINE_H
#define GEN_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/units.h"
#include "gen_film.h"
#include "gen_wire.h"

/* CLOCK_MONOTONIC, in which the film is due and the log is kept. */
static inline uint64_t gen_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

struct gen_line {
	struct gen_slot *film; /* slots of them, to be filled between open and start */
	struct gen_heard *log;
	uint64_t slots, log_max;
	struct gen_clockwork *clock; /* begin_ns, round_ns, per_round, slots: set before start */
	uint8_t mac[6];
	/* Of the kind. start and stop return false with a sentence on stderr. */
	bool (*start)(struct gen_line *l);
	bool (*stop)(struct gen_line *l);
	void (*close)(struct gen_line *l);
	void *kind;
};

/* Each returns false with a sentence on stderr. `cpu` is where the playing happens.
 * veth: an interface in the caller's namespace, its peer with an XDP program or GRO. */
bool gen_veth_open(struct gen_line *l, const char *iface, uint64_t slots, uint64_t log_max,
		   int cpu);
/* memif: "SOCKET" of the one that listens; this side is the client. */
bool gen_memif_open(struct gen_line *l, const char *socket, uint64_t slots, uint64_t log_max,
		    int cpu);
/* UDP: a socket for each telephone of the script (and its RTCP), bound to its address and port. */
bool gen_udp_open(struct gen_line *l, const struct gen_script *s, uint64_t slots, uint64_t log_max,
		  int cpu);

#endif
