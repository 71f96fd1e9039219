/* What the files of the interpreter share; for this module only. */
#ifndef IVR_IVR_PRIV_H
#define IVR_IVR_PRIV_H

#include "ivr/ivr.h"

struct node;

/* The value of a variable, VAR_* included; "" for none. */
const char *ivr_value_of(const struct ivr_session *s, int var);

/* ivr_lookup.c: fill `a->lookup` with address and body; take an answer into the variables. */
void ivr_lookup_make(const struct ivr_session *s, const struct node *n, struct ivr_action *a);
void ivr_lookup_take(struct ivr_session *s, const struct node *n, const json_t *answer);

#endif
