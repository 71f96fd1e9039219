/* Callers who are parked, and phones that are picked up by others.
 *
 *	TALKING --park--> PARKED (music) --dial the place--> TALKING
 *	                     |  ^
 *	             time-out v  | nobody answers
 *	                  the phone of who parked it rings ... at last its queue again, or the end
 *
 * Who dials a place, or picks up a phone that rings, is at first a party with `picks_up`: it has a phone
 * and no part in the call yet. When its leg is there the call is looked at again, and it takes what is
 * to be had, or is too late.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_PARK_H
#define CALL_PARK_H

#include "call/calls.h"

/* Is `number` a way to park: the code (`*place` is -1, any free one) or a place? */
bool park_dialled(const struct centre *c, const char *number, int *place);

/* Park the customer of a call that talks or holds; the agent's side is let go, and hears the number of
 * the place if `tell`. `place` -1: the first free one. Returns 0; -EBUSY or -ENOENT with a sentence
 * in `why`. */
int park_call(struct call *call, int place, bool tell, char *why, size_t why_size);

/* The same with the number of a place (NULL: the first free one); the number that it got into `number`. */
int park_named(struct call *call, const char *place, char *number, size_t number_size, char *why,
	       size_t why_size);

/* The phone of `to` rings for who is parked at `place`. Returns 0 or as park_call(). */
int park_retrieve(struct centre *c, const char *place, const char *to, char *why, size_t why_size);

/* {slot, call, from, by, since_ms, timeout_ms} of each; a new reference. */
json_t *park_rows(struct centre *c);

/* The phone of `p` transfers (REFER) to `to`. True when that is parking, and done or refused. */
bool park_refer(struct party *p, const char *to);

/* A key of who talks; true when it ended the code, and the caller is parked. */
bool park_key(struct party *p, char key);

/* Nobody answered who was rung for it. */
void park_again(struct call *call);

/* Parked before a restart: `left_ms` until somebody is rung. */
void park_resume(struct call *call, uint64_t left_ms);

/* It is not parked any more, whatever comes. Safe at any time. */
void park_over(struct call *call);

/* An agent's phone dials a place or the code that picks up a ringing phone (`agent` "": any of the group).
 * True when the dialog is taken; false: there is nothing to be had. */
bool pick_up_place(struct centre *c, struct sip_call *sip, const char *by, const char *number);
bool pick_up_phone(struct centre *c, struct sip_call *sip, const char *by, const char *agent);

#endif
