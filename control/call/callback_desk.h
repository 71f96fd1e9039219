/* Calls back from the controller's desk: asked for at once or at a time, listed, dialled for an agent.
 *
 * callback.c is their life.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_CALLBACK_DESK_H
#define CALL_CALLBACK_DESK_H

#include "call/calls.h"

/* So many may be promised at a time by the desk; callers' own are bounded by the callers. */
enum { CALLBACKS_MAX = 2000 };

/* What is promised. Texts are the caller's. */
struct callback_wish {
	const char *queue, *number;
	const char *from; /* shown to the customer, where the trunk lets it */
	uint8_t priority, tries;
	uint64_t queued_ms; /* mono, of its place; 0: now */
	uint64_t due_ms;    /* wall: not before this; 0: as soon as an agent is free */
	bool stands;        /* also when the queue is full or empty now: it is tried again later */
};

/* NULL: the queue is not there or does not take it, or no memory. */
struct call *callback_begin(struct centre *c, const struct callback_wish *w);

/* The promise to call `number` for `queue` that is not kept yet; NULL: there is none. */
struct call *callback_find(struct centre *c, const char *queue, const char *number);

/* Is it something that can be dialled? */
bool callback_number(const char *number);

/* The agent who has the task dials now. `how`: for the record. False: nobody has it, or it has been dialled. */
bool callback_dial_now(struct call *call, const char *how);

#endif
