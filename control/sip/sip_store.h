/* A call leg over a restart of the program: written down while it runs, taken up again by the next.
 *
 *	sip_call_keep()  -> JSON ->  sip_call_kept()     it goes on: every request and answer inside the
 *	                                                 dialog works, both ways
 *	                             sip_call_renounce() it is not wanted any more: BYE, CANCEL or 503
 *
 * What is kept is the dialog (RFC 3261, 12: identifiers, sequence numbers, route set, target), both
 * descriptions of the session with the version of ours, and the session timer. The media's keys are never
 * kept: the engine goes on with those it has, and the next offer or answer, whoever begins, agrees on new
 * ones. Until then sip_call_remote() has `srtp_agreed` but empty keys.
 *
 * Sequence numbers jump ahead, so that what was said after the last keeping is not said twice. A peer on
 * TCP or TLS has lost its connection: requests go to its Contact over a new one, until the peer itself
 * speaks again; who listens nowhere (behind NAT) is not reached before.
 *
 * What is read back is not trusted: everything is bounded, and nothing of it can end a header.
 *
 * Thread: libre's loop.
 */
#ifndef SIP_SIP_STORE_H
#define SIP_SIP_STORE_H

#include <jansson.h>

#include "sip/registrar.h"
#include "sip/sip_call.h"

/* Media without keys; a new reference. And back; false for what cannot be. */
json_t *sip_media_keep(const struct sip_media *m);
bool sip_media_kept(struct sip_media *m, const json_t *o);

/* The call as it is now, at `now_ms` of a clock that goes on over the restart. A new reference; NULL when
 * there is nothing that the next program could do with it. */
json_t *sip_call_keep(const struct sip_call *call, uint64_t now_ms);

/* True when the kept call was answered, so that sip_call_kept() may take it up. */
bool sip_call_kept_runs(const json_t *o);

/* Whose password sip_call_kept() wants: "" when the peer never challenged us. */
const char *sip_call_kept_user(const json_t *o);

/* Take up a running call. `password` (may be NULL) belongs to sip_call_kept_user(). On success `*out` is
 * the call and events come to `fn`. Returns 0; -EINVAL for what is not such a call; -ENOSPC at calls_max;
 * -EEXIST when this dialog is here already; -ENOMEM. */
int sip_call_kept(struct sip_call **out, struct sip_stack *s, const json_t *o, const char *password,
		  uint64_t now_ms, sip_call_event_fn *fn, void *arg);

/* End whatever it was, as far as it can be understood: an answered call by BYE, one that rings by CANCEL
 * (a 200 that crosses it is confirmed and hung up), an unanswered one of a caller by 503. `cause` and
 * `text` travel as Reason. Nobody is told how it ended. */
void sip_call_renounce(struct sip_stack *s, const json_t *o, int cause, const char *text);

/* A binding of before. Those over TCP and TLS are taken only if the Contact has the address the phone
 * came from: its connection is gone. Handlers are not called. Returns 0; -EINVAL; -ENOSPC; -ENOTCONN. */
int registrar_kept(struct registrar *r, const char *user, const struct registrar_contact *contact);

#endif
