/* Conference rooms: numbers at which people meet. Who is inside may dial them, flows lead others there.
 *
 * Thread: immutable after loading.
 */
#ifndef CONF_CONFIG_CONFERENCE_H
#define CONF_CONFIG_CONFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/complaint.h"

struct config;

enum { CONFIG_CONFERENCES_MAX = 64, CONFIG_PIN_MAX = 16 };

struct config_conference {
	const char *name;
	const char *title;    /* for people; the name when left out */
	const char *number;   /* can be dialled and transferred to; "" when it has none */
	const char *pin;      /* digits that who comes must type; "" none */
	const char *music;    /* prompt for who is alone; "" silence */
	uint16_t members_max; /* one more is refused */
	bool announce;        /* those who are there hear that somebody comes or leaves */
	struct mark at;
};

/* By name or number; NULL when there is none. */
const struct config_conference *config_conference_find(const struct config *c, const char *name);

#endif
