/* Acts: who changed what by the control socket, and what was refused.
 *
 * Thread: libre's loop.
 */
#ifndef STORE_ACTS_H
#define STORE_ACTS_H

#include "store/store.h"

struct store_act {
	uint64_t at_ms;
	const char *who;    /* a user of this machine */
	const char *method; /* of the control socket */
	const char *params; /* JSON, or what it was about */
	const char *result; /* "ok", or the reason of the refusal */
};
bool store_act(struct store *store, const struct store_act *act);

/* Read, the newest first. `filter`, which the call takes: {from_ms?, to_ms?, who?, method?, refused?: true, limit}.
 * Answer: {acts: [{at_ms, who, method, params, result}]}. Returns as store_ask(). */
int store_acts(struct store *store, json_t *filter, store_answer_fn *fn, void *arg);

#endif
