/* Conversations, holds and wrap-ups that last too long, in three levels.
 *
 *	|---- talk ---->| limit 1     | limit 2       | limit 3      over
 *	                 leader        controller      manager        cleared
 *
 * Each limit that is passed raises one alarm, for one role; they are cleared together when the thing ends. A limit of 0
 * is none. What passes a limit between two looks is raised when it ends, so that nothing that was longer
 * than a limit is missing in the day's list, whatever the looks' distance.
 *
 * Talk is the whole time from the answer to the end of the conversation, holds included; hold is one hold.
 *
 * Thread: pure; one struct per agent. Times in milliseconds of any clock that never goes back.
 */
#ifndef RECORD_OVERLONG_H
#define RECORD_OVERLONG_H

#include <stdbool.h>
#include <stdint.h>

enum overlong_what { OVERLONG_TALK, OVERLONG_HOLD, OVERLONG_WRAP_UP, OVERLONG_WHATS };

enum { OVERLONG_LEVELS = 3 };

/* "talk", "hold", "wrap_up" */
const char *overlong_what_name(enum overlong_what what);
/* "leader", "controller", "manager"; `level` from 1 to 3 */
const char *overlong_role(unsigned level);

struct overlong_limits {
	uint32_t s[OVERLONG_LEVELS]; /* ascending; 0: none */
};

struct overlong {
	bool on[OVERLONG_WHATS];
	uint64_t since_ms[OVERLONG_WHATS];
	uint8_t level[OVERLONG_WHATS]; /* the highest that was raised */
	struct overlong_limits limits[OVERLONG_WHATS];
};

struct overlong_alarm {
	enum overlong_what what;
	uint8_t level;
	bool raised; /* false: over; `level` is the highest there was */
	uint64_t lasted_ms, limit_ms;
};

/* What one call can give at most: each level once, and the end. */
enum { OVERLONG_ALARMS_MAX = OVERLONG_WHATS * (OVERLONG_LEVELS + 1) };

/* It begins; what was of the same kind before counts as over without a word. */
void overlong_begin(struct overlong *o, enum overlong_what what, struct overlong_limits limits,
		    uint64_t now_ms);
/* It is over. Returns the number of alarms in `out`. */
unsigned overlong_end(struct overlong *o, enum overlong_what what, uint64_t now_ms,
		      struct overlong_alarm out[OVERLONG_LEVELS + 1]);
/* Time has passed. */
unsigned overlong_look(struct overlong *o, uint64_t now_ms,
		       struct overlong_alarm out[OVERLONG_ALARMS_MAX]);

#endif
