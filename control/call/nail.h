/* A remote agent's line that stays up (`nailed_up`): rung once, when the agent signs in or goes ready, confirmed by
 * a key, and then lent to each call without ringing again.
 *
 *	sign in, or ready -> the number rings -> 1 -> up: reachable, offers are answered at once with a beep
 *	a call            -> the dialog moves into it (re-INVITE to a leg of that call), and back afterwards
 *	the line is lost, not answered, not confirmed -> not ready (unreachable), unreachable until ready again
 *
 * The line is a call of its own (kind "remote") whose customer is the agent's phone; it is in no queue and is
 * not recorded. A colleague's call to the agent rings the number as for others.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_NAIL_H
#define CALL_NAIL_H

#include "call/calls.h"

/* The agent works at a number and its line is to be up: ring it, if it is not up or under way. */
void nail_begin(struct centre *c, int agent);

/* Once a second: who is ready and has no line (the daemon was killed) is rung. */
void nail_second(struct centre *c);

/* It does not any more. */
void nail_over(struct centre *c, int agent);

/* Who answered has pressed the key. */
void nail_up(struct party *p);

/* A call of kind CALL_REMOTE ends. */
void nail_ended(struct call *line);

/* A party of `call` that has the agent's line; `queue_offer_answered()` follows by itself once party_move_open()
 * was called. NULL: the line is not up, or lent. */
struct party *nail_lend(struct call *call, int agent);

/* The party that has a line lets go of it: the dialog goes back. Without a dialog the line is lost. */
void nail_return(struct party *p);

/* Must this agent be reached by such a line? */
bool nail_wanted(const struct centre *c, int agent);

#endif
