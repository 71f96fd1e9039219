/* How long something takes, over all times that it happened: a histogram that is right to 1/8.
 *
 * Buckets are eighths of a power of two of microseconds, from 1 us to an hour; what is longer counts as the
 * longest. Pure: the caller brings the times.
 *
 * Thread: one owner. Source: the layout is HdrHistogram's with three significant bits.
 */
#ifndef LOOP_LATENCY_H
#define LOOP_LATENCY_H

#include <stdint.h>

enum { LATENCY_BUCKETS = 256 };

struct latency {
	uint64_t count, max_us;
	uint32_t bucket[LATENCY_BUCKETS];
};

/* One more that took `us`. */
void latency_add(struct latency *l, uint64_t us);

/* The time that `share` (0..1) of all stay within: the upper end of its bucket, at most the longest seen. 0
 * when nothing was counted. */
uint64_t latency_quantile_us(const struct latency *l, double share);

#endif
