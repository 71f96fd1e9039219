/* What the files that take up one call share: adopt_read.c understands its row, adopt_call.c acts on it.
 *
 * Thread: libre's loop.
 */
#ifndef CALL_ADOPT_PRIV_H
#define CALL_ADOPT_PRIV_H

#include "call/adopt.h"
#include "call/conference.h"

/* What was read and is not in struct call. */
struct draft {
	struct call *call;
	const json_t *body;
	const json_t *dialog[CALL_PARTIES_MAX];
	bool stranger[CALL_PARTIES_MAX]; /* has no part in the call yet: dials in to pick up, say */
	bool strange, lookup, consulting, conference;
	struct party *third;
	bool third_up; /* and goes on */
	struct conference_place place;
	bool in_acd, from_queue;
	uint64_t park_until_ms;
	const json_t *acd;
};

/* Fill `d->call`, which is new, and the rest of the draft from `d->body`, and `state`. False: it cannot be understood. Nothing
 * outside is changed. */
bool adopt_read(struct draft *d, enum call_state *state);

/* The steps, which are beside the body. */
void adopt_read_steps(struct call *call, const json_t *row);

#endif
