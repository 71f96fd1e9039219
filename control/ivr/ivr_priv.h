/* What the files of the interpreter share; for this module only. */
#ifndef IVR_IVR_PRIV_H
#define IVR_IVR_PRIV_H

#include "ivr/ivr.h"

struct node;

/* What a session sleeps for. */
enum ivr_waiting {
	IVR_WAIT_NONE,
	IVR_WAIT_PLAY,
	IVR_WAIT_COLLECT,
	IVR_WAIT_QUEUE,
	IVR_WAIT_VOICEMAIL,
	IVR_WAIT_DIAL,
	IVR_WAIT_LOOKUP,
	IVR_WAIT_CALLBACK,
};

/* The value of a variable, VAR_* included; "" for none. */
const char *ivr_value_of(const struct ivr_session *s, int var);

/* ivr_lookup.c: fill `a->lookup` with address and body; take an answer into the variables. */
void ivr_lookup_make(const struct ivr_session *s, const struct node *n, struct ivr_action *a);
void ivr_lookup_take(struct ivr_session *s, const struct node *n, const json_t *answer);

#endif
