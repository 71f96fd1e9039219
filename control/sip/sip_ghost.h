/* INVITEs of the program before us, which have no transaction here any more. Private to control/sip.
 *
 * An INVITE that we sent is cancelled, and what its peer still answers is dealt with: a refusal is
 * confirmed, a 200 that crossed the CANCEL is confirmed and hung up. An INVITE that we were sent is
 * answered 503. Nobody is told.
 *
 * Thread: libre's loop.
 */
#ifndef SIP_SIP_GHOST_H
#define SIP_SIP_GHOST_H

#include <jansson.h>

#include "sip/sip_dlg.h"

struct sip_stack;

/* Say CANCEL for `d`, a dialog with a Via kept, until it is answered; `reason` is header lines. Takes a
 * reference of `d`. */
void sip_ghost_cancel(struct sip_stack *s, struct sip_dlg *d, const char *reason);

/* A response that belongs to no transaction: true when it was a ghost's. */
bool sip_ghost_response(struct sip_stack *s, const struct sip_msg *msg);

/* Of an INVITE, what an answer needs; a new reference. */
json_t *sip_ghost_invite_keep(const struct sip_msg *msg);

/* Answer it. `dialog` has the tag that was told already. */
void sip_ghost_refuse(struct sip_stack *s, const json_t *invite, const json_t *dialog,
		      const char *reason);

#endif
