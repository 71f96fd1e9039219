/* What the files of a conference share: conference.c, its life; conference_desk.c, moderation.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_CONFERENCE_PRIV_H
#define CALL_CONFERENCE_PRIV_H

#include "call/conference.h"

struct conference {
	struct le le; /* of centre.conferences */
	char name[CALL_RECORD_NAME_MAX];
	char id[CLOCK_UUID_SIZE]; /* in the engine */
	struct list members;      /* calls, by room.le */
	unsigned n;
	bool locked;
	uint64_t since_ms;           /* wall */
	uint32_t serial;             /* of its announcements */
	char floor[CLOCK_UUID_SIZE]; /* call of who leads the talk; "" nobody */
};

/* The room `name` while somebody is in it; NULL. */
struct conference *conference_find(const struct centre *c, const char *name);

/* Tell the engine whether the member is heard: neither muted nor holding. */
void conference_mute(struct call *call);

/* Something of the room has changed that each member's row tells. */
void conference_touch(const struct conference *k);

/* Tell subscribers what happened to the member of room.name. */
void conference_publish(struct call *call, const char *what);

#endif
