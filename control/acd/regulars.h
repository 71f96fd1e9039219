/* Who served whom last: callers and the agent they talked with, for queues with `sticky_s`.
 *
 * A table of fixed size, four places to a row; a newcomer takes the place that was not touched for
 * longest in its row, so that old callers are forgotten first and memory never grows. It is a memory,
 * not a record: after a restart it is filled from the newest calls that were stored.
 *
 * Thread: pure.
 */
#ifndef ACD_REGULARS_H
#define ACD_REGULARS_H

#include <stddef.h>
#include <stdint.h>

enum { REGULARS_ROWS = 4096, REGULARS_WAYS = 4, REGULARS_NUMBER_MAX = 32 };

struct regulars {
	struct regular {
		uint64_t caller; /* hash of the number; 0: free */
		uint64_t at_ms;
		char agent[REGULARS_NUMBER_MAX];
	} row[REGULARS_ROWS][REGULARS_WAYS];
};

/* `caller` was served by `agent`. Numbers that are empty or too long are not remembered. */
void regulars_put(struct regulars *r, const char *caller, const char *agent, uint64_t now_ms);

/* The number of the agent who served `caller` within `max_age_ms`, or NULL. Valid until the next put. */
const char *regulars_get(const struct regulars *r, const char *caller, uint64_t now_ms,
			 uint64_t max_age_ms);

#endif
