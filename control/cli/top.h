/* What the engine does per second: two answers of its counters, and their difference.
 *
 * Thread: one; pure but for memory.
 */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include <jansson.h>

/* From `stat.engine` and `stat.drops`, asked twice `seconds` apart, to
 *	{version, uptime_ms, seconds, ports, alarms,
 *	 workers: [{worker, busy_share, late_ms, refuses, calls, legs, mbufs_free, received_s, sent_s,
 *		    stages: [{stage, packets_s, cycles_packet, share}]}],
 *	 fates: [{name, text, drop, count, packets_s}],
 *	 recorder: {extents, extents_free, alarm, bytes_s, writes_s} or null}
 * `share` is the part of a worker's time; cycles_packet is null when none passed. The caller owns it. */
json_t *top_difference(const json_t *engine_a, const json_t *drops_a, const json_t *engine_b,
		       const json_t *drops_b, double seconds);

/* The packet's path with these numbers in the language of Graphviz. All workers together. The caller frees
 * the text. */
char *top_graph(const json_t *difference);

#endif
