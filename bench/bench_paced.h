/* How long a packet stays in the worker at a given load.
 *
 * Packets come evenly, one each `gap_ns`, whether the worker is ready or not; time is a number that grows by
 * what each turn really took (time stamp counter) and jumps to the next packet when there is none.
 * So it is a queue with true service times, without a second core and without the host's pauses: a
 * turn during which the core was taken away (by the scheduler; or by the host, when it took longer than any turn
 * can) adds no time and no sample, and is counted. A packet's
 * delay is from when it came to the end of the turn that sent it.
 *
 * For scenes that pass payloads on unchanged.
 */
#ifndef BENCH_PACED_H
#define BENCH_PACED_H

#include <jansson.h>

#include "bench_scene.h"

struct bench_paced {
	double p50_us, p99_us; /* p99: the middle one of those of every 20,000 packets */
	double p99_all_us, p999_us, max_us;
	double busy_share;
	uint64_t packets, lost, turns, disturbed;
};

/* Ends the program when there is no memory. */
void bench_paced(struct bench_paced *r, struct bench_world *w, double gap_ns, uint64_t packets);

/* Adds "delay_us", "busy_share" and "turns_disturbed" to an object. */
void bench_paced_json(const struct bench_paced *r, json_t *o);

#endif
