/* Calls that agents make outside: whether they may, and whose number is shown.
 *
 * The number shown is that of a queue (`caller_id`) which the agent serves: the first one that has a number,
 * or the one that was chosen by dialling the code call_as, the queue's number and the number to call.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_OUTBOUND_H
#define CALL_OUTBOUND_H

#include "call/calls.h"

/* The queue whose number `agent` shows if it chooses none; NULL: none has one. */
const struct config_queue *outbound_queue(struct centre *c, const struct config_agent *agent);

/* May `agent` call outside, as `queue` (NULL: as its first one)? Else a sentence in `why`. */
bool outbound_allowed(struct centre *c, const struct config_agent *agent,
		      const struct config_queue *queue, char *why, size_t why_size);

/* The call shows the number of `queue` outside, and belongs to it. NULL: as it is. */
void outbound_show(struct call *call, const struct config_queue *queue);

/* Are as many calls on trunk `i` of the configuration as it takes? */
bool outbound_trunk_full(struct centre *c, unsigned i);

/* The newest call on it that is no emergency; one that is not answered before one that is. NULL: none. */
struct call *outbound_trunk_newest(struct centre *c, unsigned i);

#endif
