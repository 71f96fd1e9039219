/* Two calls become one, and a phone takes the place of another: attended transfer as phones do it.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_ATTENDED_H
#define CALL_ATTENDED_H

#include "call/calls.h"

/* REFER with Replaces on the dialog of `p`. Answers it by NOTIFY: 200 when the two far ends are joined,
 * 481 when the call that is named is not ours, 403 when it is somebody else's, 603 when one of them
 * is in no state for it, 404 when the place that was called leads nowhere. `p` may be gone after. */
void attended_refer(struct party *p, const struct sip_refer *refer);

/* INVITE of `agent` (NULL: of nobody who proved a name) that names the dialog `old`. Takes the place of an
 * agent's phone that talks, or answers for one that is rung without the ACD. Refused with 403 (not an
 * agent; the line of somebody outside), 481 or 603. */
void attended_replace(struct centre *c, struct sip_call *sip, const char *agent,
		      struct sip_call *old);

/* The agent is `customer` of a call that it made: let it be `agent`, and who was called the customer, so
 * that it can go on with somebody else. Both must be there and answered. Ends one take of the
 * recording and begins another. */
void attended_swap(struct call *call);

#endif
