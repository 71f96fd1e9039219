/* What figures of a report ought to be, and since when (S-36): for all queues, agents, groups or flows, or for one.
 *
 *	targets:
 *	  - {of: queue, what: service_level, at_least: 80}
 *	  - {of: queue, what: service_level, at_least: 90, from: 2027-01-01}
 *	  - {of: group, name: counter, what: handle_time_s, at_most: 240}
 *
 * A target is changed by one more line with a later `from`: what was reached before is judged by what was asked for then.
 *
 * Thread: immutable after loading.
 */
#ifndef CONF_CONFIG_TARGET_H
#define CONF_CONFIG_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/complaint.h"

enum { CONFIG_TARGETS_MAX = 1000 };

enum config_target_of { TARGET_QUEUE, TARGET_AGENT, TARGET_GROUP, TARGET_FLOW, TARGET_OFS };

/*	what               of whom                          unit */
enum config_target_what {
	TARGET_ANSWER_RATE,     /* queue                  percent */
	TARGET_SERVICE_LEVEL,   /* queue                  percent */
	TARGET_ABANDON_RATE,    /* queue                  percent */
	TARGET_SPEED_OF_ANSWER, /* queue                  seconds */
	TARGET_HANDLE_TIME,     /* queue, agent, group    seconds */
	TARGET_OCCUPANCY,       /* agent, group           percent */
	TARGET_CONTAINMENT,     /* flow                   percent */
	TARGET_CALLS_BACK,      /* agent, group           calls back in an hour signed in */
	TARGET_WHATS
};

struct config_target {
	uint8_t of, what; /* the enums above */
	bool at_most;     /* else at least */
	uint32_t bound;
	const char *name; /* of one; "" of all */
	int32_t from_day; /* hours_day_number(); INT32_MIN: always */
	const char *from; /* as written; "" always */
	struct mark at;
};

/* "service_level"; "queue". */
const char *config_target_what_name(unsigned what);
const char *config_target_of_name(unsigned of);

#endif
