/* What agents and their phones may do beyond answering: parking places, and what follows here.
 *
 * A parking place is a number: FIRST, FIRST + 1, ... A caller who is parked there hears music until somebody
 * dials the number, or the time is over and the phone of who parked it rings.
 *
 * Thread: immutable after loading.
 */
#ifndef CONF_CONFIG_DESK_H
#define CONF_CONFIG_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;

enum { CONFIG_PARKING_MAX = 100 };

struct config_parking {
	uint32_t first;     /* number of the first place */
	uint16_t places;    /* 0: nothing can be parked */
	uint16_t timeout_s; /* then the phone of who parked it rings */
	uint8_t ringbacks;  /* so often at most; then the queue it came from, or the end */
	const char *music;
};

/* An agent who may work at an outside number. */
struct config_remote {
	bool allowed;       /* there is a section `remote` */
	bool any_number;    /* the agent names the number when it signs in */
	bool confirm;       /* who answers there must press 1 */
	bool nailed_up;     /* rung once; the line stays up between calls */
	const char *number; /* unless it names another; "" none */
};

enum { CONFIG_EMERGENCY_MAX = 32 };

/* Numbers that are dialled for help. */
struct config_emergency {
	uint8_t n_numbers, n_trunks;
	bool preempt; /* a trunk that is full loses its newest other call first */
	const char *number[CONFIG_EMERGENCY_MAX];
	uint16_t trunk
		[CONFIG_EMERGENCY_MAX]; /* indexes into trunks, tried in this order; none: all */
	const char *caller_id;          /* shown; "" the agent's queue's */
};

/* How long an agent may be not ready in a day. */
struct config_budget {
	uint16_t minutes; /* 0: not told in minutes */
	uint16_t share; /* of the shift, in hundredths of a percent: 370 is 3.7 %; 0: not told so */
	bool refuse;    /* when it is used up the state is refused; else only told */
};

/* The budget in seconds, a share rounded half up; UINT32_MAX: no limit. */
uint32_t config_budget_s(const struct config_budget *b, uint16_t shift_min);

/* The place whose number this is; -1: none. */
int config_parking_place(const struct config *c, const char *number);

/* The number of a place that exists. */
void config_parking_number(const struct config *c, int place, char *out, size_t size);

#endif
