/* Who is told of overlong calls, by role: leader, controller, manager (record/overlong.h).
 *
 *	notify:
 *	  - {role: leader, group: counter, phone: '2001'}
 *	  - {role: manager, url: 'https://desk.example/alarms'}
 *
 * Thread: immutable after loading.
 */
#ifndef CONF_CONFIG_NOTIFY_H
#define CONF_CONFIG_NOTIFY_H

#include <stdint.h>

#include "conf/complaint.h"

enum { CONFIG_NOTIFY_MAX = 64 };

struct config_notify {
	uint8_t level;     /* 1 leader, 2 controller, 3 manager */
	const char *group; /* of these agents; "" of all */
	const char *phone; /* somebody with a phone of ours, who gets a line of text; "" nobody */
	const char *url;   /* gets the alarm as JSON by POST; "" none */
	struct mark at;
};

#endif
