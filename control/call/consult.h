/* Consultation: the agent asks somebody while the customer waits, then leaves the two together, goes back
 * to the customer, or brings all three together.
 *
 *	            consult_start           answers              complete: third -- customer
 *	talking ----------------> RINGING ----------> TALKING -- cancel:   agent -- customer
 *	   \-- key --> NUMBER ------^                            conference: CONFERENCE, all three
 *
 * All of it is in one call and one call of the engine: who hears whom is a matter of the matrix, no phone
 * is told anything. The customer hears music meanwhile, and what agent and third party say is in no
 * recording. An agent who hangs up in RINGING, TALKING or CONFERENCE has completed the transfer.
 *
 * By keys during a conversation: consult, then the number and #; complete, cancel, conference (see
 * feature_codes in the configuration).
 *
 * Thread: libre's loop.
 */
#ifndef CALL_CONSULT_H
#define CALL_CONSULT_H

#include "call/calls.h"

/* `by`, agent or customer of the call and in any case an agent of ours, asks `number`: an agent, the agent
 * of a queue who has been free longest, or somebody outside. Returns 0; -ENOENT when the number leads
 * to nobody, -EPERM when this agent may not call outside, -EBUSY when the call or who is asked is in no state for it, -ENOTCONN without an engine; then with
 * a sentence in `why`. */
int consult_start(struct party *by, const char *number, char *why, size_t why_size);

/* Customer and third party talk on (or the third party rings on for the customer), the agent is let go.
 * Returns 0 or -EBUSY. */
int consult_complete(struct call *call, char *why, size_t why_size);

/* Let go of the third party, or of the number that is being typed; the customer is back. Ends a conference
 * of three likewise. Returns 0 or -EBUSY. */
int consult_cancel(struct call *call, char *why, size_t why_size);

/* All three hear each other. Returns 0, or -EBUSY when the third party has not answered. */
int consult_conference(struct call *call, char *why, size_t why_size);

/* "none", "number", "ringing", "talking", "conference". */
const char *consult_state_name(const struct call *call);

/* What an operator asks: as centre_consult(). */
int consult_act(struct call *call, const char *action, const char *to, const char *by,
		const char **state, char *why, size_t why_size);

/* Keys of an agent: true when `keys` is one of the codes, and done. `begins`: a longer code begins so. */
bool consult_keys(struct party *by, const char *keys, bool *begins);
/* The number that was asked for by key has been typed; "" when it was not. */
void consult_number(struct call *call, const char *digits);
/* A key by INFO while the number is typed. */
void consult_info_digit(struct call *call, char key);

/* The daemon was restarted, the third party is let go: agent and customer are together again. `held`: the
 * customer was waiting meanwhile. */
void consult_restarted(struct call *call, bool held);

/* What becomes of the third party's phone. */
void consult_answered(struct party *p);
void consult_closed(struct party *p, int status);

/* The agent is gone: true when the call goes on with the third party. */
bool consult_agent_left(struct call *call);
/* The call ends, or goes elsewhere: the third party is let go in every book. */
void consult_drop(struct call *call);
/* Another engine: what was heard must be told again. */
void consult_resume(struct call *call);

#endif
