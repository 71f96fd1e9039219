/* Going on after the daemon was killed: the journal (journal.h) becomes calls again.
 *
 *	start:      agents and bindings as they were; each call as it was, its dialogs live, the ACD frozen
 *	engine up:  each call meets what the engine has of it and goes on, or ends
 *	then:       what ended in the engine meanwhile is told to the calls, the ACD goes on
 *
 * Until the engine is up the calls are as if its connection had been lost (recover.c), with the same
 * grace: another engine gets them anew, none at all ends them.
 *
 *	what there was                         what becomes of it
 *	------------------------------------   ------------------------------------------------------------
 *	two talk, also on hold or recorded     go on; step "adopted"
 *	parked                                 stays in its place
 *	consulting, or three together          go on; a third party that rings yet, or whose number is typed, is let
 *	                                       go: agent and customer talk
 *	in a conference room                   stays there, muted or not; the PIN is asked for again
 *	waiting in a queue                     waits on in its place
 *	offered to agents                      their phones stop ringing, it waits on; the agents are ready
 *	in the flow                            the same node; keys and prompts that ended meanwhile count.
 *	                                       With a secret value, or when the flow was changed: the flow anew
 *	a lookup                               has failed
 *	leaving a message                      goes on
 *	a phone rings without the ACD          stops; as if nobody had answered
 *	a supervisor listens / rings           goes on / stops
 *	customer not answered yet, feature     refused or hung up, ended as failed
 *	codes
 *	promised call back                     its phones are let go; the promise stands (callback.c)
 *	ending                                 goodbyes are said again
 *	gone from the engine that had it       ended as failed, at the time of its last row
 *	row damaged, or of a newer daemon      what can be read of its dialogs is hung up; ended as failed
 *
 * Thread: libre's loop.
 */
#ifndef CALL_ADOPT_H
#define CALL_ADOPT_H

#include "call/calls.h"

/* At start, when store, engine and SIP are open and the loop does not run yet. */
void adopt_begin(struct centre *c);

/* The engine that had the call is there. `known`: what it has, the rows of the snapshot by their id. */
void adopt_meet(struct call *call, const json_t *known);

/* The call was made anew in another engine, or has met its own: do what could not go on by itself. True when
 * that was something, and nothing else is to be resumed. */
bool adopt_go_on(struct call *call);

/* All calls have met the engine, or there will be none. */
void adopt_end(struct centre *c);

/* adopt_call.c: one call from its row. NULL: it cannot be read, and what could be of its dialogs was let
 * go. `row`: see store_journal_read(). */
struct call *adopt_call(struct centre *c, const json_t *row);

#endif
