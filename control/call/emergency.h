/* Calls for help: numbers that go out at once, whatever else is true.
 *
 * An agent's phone that dials one is not asked for its state, its right to call outside, do not disturb, or
 * whether there is room: not in the centre, not in the SIP stack, not in the engine. The trunks are tried in
 * the order that the configuration gives, the next one after any failure; a trunk whose calls_max is reached
 * takes it nevertheless, and with `preempt` its newest other call is ended first. An alarm stands as
 * long as the call. The same is true of who is transferred to such a number, by phone, command line or API, and while an
 * agent consults one; not of where a flow dials, because there nobody has looked at who calls.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_EMERGENCY_H
#define CALL_EMERGENCY_H

#include "call/calls.h"

/* Is it a number for help? For the SIP stack as well. */
bool emergency_number(void *centre, const char *number);

/* `by` dials one. Takes the dialog. */
void emergency_call(struct centre *c, struct sip_call *sip, const char *by, const char *number);

/* A conversation is transferred to a number for help, or its agent consults one: from here on it is a call for help
 * itself. */
void emergency_transfer(struct call *call, const char *number);

/* No trunk took it, or who was consulted has left: it is an ordinary call again. Others: nothing happens. */
void emergency_transfer_failed(struct call *call);

/* What is shown outside in the caller's place, in any call: in one for help the number that the configuration has for
 * them, else the call's. "": the caller's. */
const char *emergency_caller_id(const struct call *call);

/* The next trunk for it that is not among the bits of `tried`; -1: none. May end another call of it. */
int emergency_trunk(struct centre *c, uint64_t tried);

/* The alarm of a call for help, which stands as long as the call. */
void emergency_begins(struct call *call);

/* The call is over: so is its alarm. */
void emergency_over(struct call *call);

#endif
