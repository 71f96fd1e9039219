/* A room: a call of many legs in which everybody hears everybody else, at 0 dB.
 *
 * There is no matrix. What a member hears is the sum of all less what it says itself; a member may
 * be muted (nobody hears it) or deaf (it hears nothing). Members are kept in a row without gaps, by leg
 * index; when one leaves the last takes its place.
 *
 * The floor says who leads the talk: it goes to the loudest who speaks, stays while its holder speaks,
 * and passes when the holder has been silent for ROOM_FLOOR_HOLD_MS or another has been twice as loud
 * for ROOM_FLOOR_TAKE_MS.
 *
 * Thread: the worker that owns the call; pure.
 */
#ifndef CALL_ROOM_H
#define CALL_ROOM_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ROOM_LEGS_MAX = 500,
	ROOM_FLOOR_HOLD_MS = 1000,
	ROOM_FLOOR_TAKE_MS = 300,
};

#define ROOM_NOBODY UINT32_MAX

/* Who leads. */
struct room_floor {
	uint32_t holder;     /* leg index, ROOM_NOBODY */
	uint32_t challenger; /* louder than the holder of late */
	uint16_t silent_ms;  /* of the holder */
	uint16_t ahead_ms;   /* of the challenger */
};

struct room {
	uint16_t n;
	struct room_floor floor;
	uint32_t member[ROOM_LEGS_MAX]; /* leg index */
};

/* What a leg has of its room. */
struct room_member {
	bool muted, deaf;
	uint32_t loudness; /* power, smoothed over some 160 ms; 0 while it does not speak */
};

/* Nobody is there. */
void room_init(struct room *r);

/* A leg comes. Returns its place, or -ENOSPC. */
int room_join(struct room *r, uint32_t leg);

/* The one at `place` leaves. Returns the leg that took the place (and was last before), or
 * ROOM_NOBODY. It gives up the floor. */
uint32_t room_leave(struct room *r, unsigned place);

/* Take in a member's newest frame: it spoke with this power, or it did not. */
void room_member_take(struct room_member *m, bool speaks, uint32_t power);

/* After a tick of `ms`: the loudest member that spoke (ROOM_NOBODY: none), how loud, and how loud the
 * holder is (0: silent). Returns whether the floor has passed. */
bool room_floor_take(struct room_floor *f, uint32_t loudest, uint32_t loudness,
		     uint32_t holder_loudness, uint16_t ms);

#endif
