/* Where SIP listens: from --listen or the configuration into the centre's table.
 *
 * "Any" address (0.0.0.0, ::) becomes this machine's own first one, because a Contact must name a
 * real address; that is logged. The texts of the addresses lie in the caller's `store`.
 *
 * Thread: before the loop.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include "call/centre.h"

/* Add one. Returns 0 or -EINVAL (logged) when there are too many. */
int listen_add(struct centre *c, enum sip_transport transport, const char *ip, uint16_t port,
	       char store[SIP_LISTEN_MAX][SIP_IP_MAX]);

/* Add those of "udp:192.0.2.1:5060,tcp:[2001:db8::1]:5060,192.0.2.1:5060"; without a transport both.
 * Returns 0 or -EINVAL (logged). */
int listen_parse(struct centre *c, const char *list, char store[SIP_LISTEN_MAX][SIP_IP_MAX]);

#endif
