/* SPDX-License-Identifier: Apache-2.0
 *
 * Rooms over a restart of the daemon: each member's row tells of its room, and the first one that is read makes it.
 */
#include "call/conference_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/kept.h"

void conference_keep(const struct call *call, json_t *o)
{
	const struct conference *k = call->room.in;

	kept_put_text(o, "room", call->room.name);
	kept_put_number(o, "room_tries", call->room.tries);
	kept_put_number(o, "room_since_ms", call->room.since_ms);
	kept_put_flag(o, "room_muted", call->room.muted);
	if (k == NULL)
		return;
	kept_put_text(o, "room_id", k->id);
	kept_put_number(o, "room_began_ms", k->since_ms);
	kept_put_flag(o, "room_locked", k->locked);
}

bool conference_kept(const json_t *o, struct conference_place *place)
{
	bool ok = kept_text(o, "room", place->name, sizeof(place->name));

	ok = KEPT_NUMBER(o, "room_tries", UINT8_MAX, place->tries) && ok;
	ok = KEPT_NUMBER(o, "room_since_ms", INT64_MAX, place->since_ms) && ok;
	ok = kept_flag(o, "room_muted", &place->muted) && ok;
	ok = kept_text(o, "room_id", place->room, sizeof(place->room)) && ok;
	ok = KEPT_NUMBER(o, "room_began_ms", INT64_MAX, place->began_ms) && ok;
	return kept_flag(o, "room_locked", &place->locked) && ok;
}

bool conference_adopt(struct call *call, const struct conference_place *place)
{
	struct centre *c = call->centre;
	struct conference *k = conference_find(c, place->name);

	if (place->name[0] == '\0' || (k != NULL && strcmp(k->id, place->room) != 0))
		return false;
	if (k == NULL && place->room[0] != '\0') {
		k = calloc(1, sizeof(*k));
		if (k == NULL)
			return false;
		memcpy(k->name, place->name, sizeof(k->name));
		memcpy(k->id, place->room, sizeof(k->id));
		k->since_ms = place->began_ms;
		k->serial = (uint32_t)(clock_wall_ms() / 1000); /* above those of before */
		list_append(&c->conferences, &k->le, k);
	}
	memcpy(call->room.name, place->name, sizeof(call->room.name));
	call->room.tries = place->tries;
	call->room.muted = place->muted;
	call->room.since_ms = place->since_ms;
	if (place->room[0] == '\0')
		return true; /* the PIN was asked for, and is again */
	k->locked = k->locked || place->locked;
	call->room.in = k;
	list_append(&k->members, &call->room.le, call);
	k->n++;
	return true;
}

void conference_meet(struct call *call, const json_t *room)
{
	struct conference *k = call->room.in;
	const char *floor = json_string_value(json_object_get(room, "floor"));

	if (k == NULL)
		return;
	if (room == NULL) /* its first leg was on its way */
		engine_request(call->centre->engine, "call.open",
			       json_pack("{s:s,s:b}", "call", k->id, "room", 1), NULL, NULL);
	else if (floor != NULL)
		snprintf(k->floor, sizeof(k->floor), "%.*s", CLOCK_UUID_SIZE - 1, floor);
}
