/* Agents who work at an outside number: a mobile, the public network.
 *
 * Signed in with a number (`remote` in the configuration allows it), an agent is reachable without a phone of
 * ours: its calls go to that number through a trunk. Who answers may have to press 1 first, so that an
 * answering machine never gets a caller; no key is no answer.
 *
 *	OFFER -> the number rings -> answered -> "press one" -> 1 -> as any phone that answered
 *	                                            \-> nothing, another key: AGENT_MISS
 *
 * Thread: libre's loop.
 */
#ifndef CALL_REMOTE_H
#define CALL_REMOTE_H

#include "call/calls.h"

/* Sign the agent in at `number` (NULL or "": the configured one). Returns 0; -ENOENT or -EPERM with a
 * sentence in `why`. */
int remote_sign_in(struct centre *c, int agent, const char *number, char *why, size_t why_size);

/* Where the agent works; "" at a phone of ours. */
const char *remote_number(const struct centre *c, int agent);

/* It has signed out: a phone of ours counts again. */
void remote_over(struct centre *c, int agent);

/* The party is a remote agent: it will be rung outside. To be called before party_open(). */
void remote_place(struct party *p);

/* Who answered is asked to press a key first; false: it need not. party_confirmed() or party_unconfirmed()
 * follows. */
bool remote_asks(struct party *p);

/* A collection is done; true when it was that key. */
bool remote_key(struct call *call, const char *collect, const char *digits);

/* Ring it through its trunk. Returns as party_invite(). */
int remote_invite(struct party *p, uint32_t ring_ms);

#endif
