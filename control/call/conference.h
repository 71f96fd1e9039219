/* Conference rooms: many calls, one room of the engine, everybody hears everybody.
 *
 * Each member is a call of its own, with its record and its recording (what it said, and the whole room as it
 * heard it); only its leg is in the room's call of the engine. A room begins with its first member and
 * ends with its last. Who comes types the PIN, if there is one. A member that is ejected is hung up.
 *
 *	any state --conference_enter--> CONFERENCE (PIN? -> leg moves -> in the room) --> ENDING
 *
 * After a restart of the daemon the members go on in their room; who was typing the PIN is asked again, and who was being
 * brought in and had not answered is let go.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_CONFERENCE_H
#define CALL_CONFERENCE_H

#include "call/calls.h"

/* The room that `number` means for who is inside: its number, its name, or the feature code and one of
 * these. NULL: none. */
const struct config_conference *conference_dialled(const struct centre *c, const char *number);

/* The customer of the call comes to the room `name`; it is answered if it was not. A room that is full or
 * locked, or a PIN that is wrong three times, is told to the flow, or to the caller, who is hung up. */
void conference_enter(struct call *call, const char *name);

/* Ring `number`, an agent or somebody outside, and bring who answers into the room, locked or not. Returns 0;
 * -ENOENT when there is no such room or the number leads to nobody, -EBUSY when the room is full or the
 * agent is busy, -ENOTCONN without an engine; then with a sentence in `why`. */
int conference_add(struct centre *c, const char *name, const char *number, char *why,
		   size_t why_size);
/* Whom conference_add() rings has answered. */
void conference_answered(struct party *p);

/* The PIN was typed, or was not (""). */
void conference_pin(struct call *call, const char *digits);

/* The phone of a member holds, or goes on. */
void conference_held(struct call *call);

/* The call ends: what must happen before its leg is closed, and after. Safe at any time. */
void conference_leave(struct call *call);
void conference_left(struct call *call);

/* The call is freed, whatever it was: nobody is told. */
void conference_forget(struct call *call);

/* The engine's name for the call in which the legs of `call` are: the room's, or its own. */
const char *conference_engine_call(const struct call *call);

/* Is this call of the engine a room of ours? */
bool conference_is(const struct centre *c, const char *engine_call);

/* Somebody leads the talk now: an event of the engine. */
void conference_floor(struct centre *c, const json_t *event);

/* Another engine: the rooms are made in it, before the calls are. And once the legs of a call are there. */
void conference_remake(struct centre *c);
void conference_resume(struct call *call);

/* conference_kept.c: a member's place, into its row and out of it. */
struct conference_place {
	char name[CALL_RECORD_NAME_MAX];
	char room[CLOCK_UUID_SIZE]; /* in the engine; "" not in yet */
	uint64_t since_ms, began_ms;
	uint8_t tries;
	bool muted, locked;
};
void conference_keep(const struct call *call, json_t *row);
bool conference_kept(const json_t *row, struct conference_place *place);
/* Take the place again. False: it cannot be had; nothing is changed then. */
bool conference_adopt(struct call *call, const struct conference_place *place);
/* The engine is there; `room`: what it has of the room, NULL when that is not there. */
void conference_meet(struct call *call, const json_t *room);

#endif
