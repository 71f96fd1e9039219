/* Telling people of overlong calls: whoever has the role for the agent's group gets a line of text on the phone (SIP
 * MESSAGE) or the alarm by HTTP. A phone that is not there and a system that does not answer are logged; the alarm itself stands
 * in the list, the event stream and the store whatever becomes of it.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_NOTIFY_H
#define CALL_NOTIFY_H

#include "call/calls.h"

/* Tell who is responsible at `level` (1..3) for `agent`. `alarm` is the event's body; its `call`, `what`, `queue` and
 * `limit_ms` make the text. Returns whom it was sent to, a list of phones and URLs; the caller's. */
json_t *notify_overlong(struct centre *c, const char *agent, unsigned level, const json_t *alarm);

#endif
