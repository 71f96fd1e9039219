/* SPDX-License-Identifier: Apache-2.0
 *
 * What is heard before anybody answers: a carrier's own ringing, "the number you have dialled is not in
 * service". It goes to whoever waits for the call, one way only: who has not been answered says nothing.
 */
#include "call/calls.h"

void dial_early(struct party *p, const struct sip_media *m)
{
	struct call *call = p->call;
	struct party *customer = call->customer;
	const struct engine_hear hear = {.listener = customer ? customer->leg : "",
					 .speaker = p->leg};
	const struct sip_media *theirs;

	/* Only trunks: a phone's ringing is made by the other phone. */
	if (p != call->dialled || !p->outside || customer == NULL || customer->sip == NULL ||
	    !customer->has_local || !p->has_local)
		return;
	party_apply_media(p, m);
	if (!customer->answered) {
		party_srtp_answer(customer);
		if (sip_call_progress(customer->sip, 183, &customer->local) != 0)
			return;
		theirs = sip_call_remote(customer->sip);
		if (theirs != NULL)
			party_apply_media(customer, theirs);
	} else if (customer->play_use == PLAY_RING) {
		party_play_stop(customer);
	}
	if (engine_call_hear(call->centre->engine, call->id, &hear, 1) != 0)
		call->untold = true;
}
