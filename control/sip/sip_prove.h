/* Digest authentication as a client: what we answer to who challenges us.
 *
 * Keeps the newest challenge of each realm, of a proxy and of the callee apart, and answers all of them
 * in every later request of the call, counting each nonce upwards. Of several algorithms in one response the
 * first that we have is taken, as RFC 8760, 2.4 asks: SHA-256, MD5.
 *
 * Thread: libre's loop. Private to control/sip.
 * Source: RFC 7616, RFC 8760, RFC 3261, 22.
 */
#ifndef SIP_SIP_PROVE_H
#define SIP_SIP_PROVE_H

#include <stdbool.h>
#include <stddef.h>

struct sip_prove;
struct sip_msg;

/* User and password are copied. Freed with mem_deref(), which wipes them. Returns 0 or -ENOMEM. */
int sip_prove_new(struct sip_prove **out, const char *user, const char *password);

/* Take the challenges of a 401 or 407. True when there is one that we can answer. */
bool sip_prove_challenged(struct sip_prove *p, const struct sip_msg *msg);

/* Authorization and Proxy-Authorization lines for a request, CRLF after each; "" without a challenge.
 * NULL `p` gives "". A header that does not fit is left out. */
void sip_prove_write(struct sip_prove *p, const char *method, const char *uri, char *out,
		     size_t size);

#endif
