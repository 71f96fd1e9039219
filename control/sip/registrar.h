/* The registrar: where each user's phones can be reached now.
 *
 * REGISTER is answered by the stack (sip.h) with this table behind it. A binding keeps the contact
 * URI as the phone wrote it and the address the request really came from, so that a phone behind NAT
 * is called through the hole it opened (RFC 3581); over TCP and TLS the phone's own connection is
 * used. Bindings end by their time, by REGISTER with Expires 0, or by `Contact: *`.
 *
 * A phone behind NAT that speaks UDP is sent two line ends every 25 s, so that the hole stays open.
 *
 * A phone behind an edge proxy registers with Path (RFC 3327): calls to it take that way as their Route.
 *
 * Passwords: digest with SHA-256 and MD5 offered, nonce of our own making valid for five minutes
 * (then `stale=true`), each nonce count accepted once. A wrong password and an unknown user look the
 * same from outside. Who fails too often from one address is refused unseen for 30 s, with one log
 * line that names address and user; a phone whose binding came from that very address and port is
 * not affected.
 *
 * Thread: libre's loop. Source: RFC 3261, 10; RFC 7616; RFC 3581; RFC 3327.
 */
#ifndef SIP_REGISTRAR_H
#define SIP_REGISTRAR_H

#include "sip/sip.h"

enum { REGISTRAR_CONTACTS_MAX = 16, REGISTRAR_PATH_MAX = 512 };

struct registrar_contact {
	char uri[SIP_URI_MAX]; /* as registered */
	struct sip_peer source;
	char user_agent[SIP_TEXT_MAX];
	bool by_source;     /* reach it by `source`: behind NAT, or over its own connection */
	float q;            /* preference, 0..1; 1 if not said */
	uint32_t expires_s; /* seconds left */
	char path
		[REGISTRAR_PATH_MAX]; /* the way to it (RFC 3327), as Route takes it; "" = direct */
	uint64_t changed_ms;          /* libre's clock (tmr_jiffies) at the last REGISTER */
};

/* Copy up to `max` live contacts of `user`, best q first, then newest first. Returns how many; 0 =
 * the user is not registered. */
size_t registrar_lookup(const struct registrar *r, const char *user, struct registrar_contact *out,
			size_t max);

/* Drop all bindings of `user`, as an operator may ask. Each is reported as unregistered. Returns
 * how many there were. */
size_t registrar_remove(struct registrar *r, const char *user);

/* Visit all bindings in no order. The visitor must not change the table. */
void registrar_each(const struct registrar *r,
		    void (*visit)(const char *user, const struct registrar_contact *c, void *arg),
		    void *arg);

#endif
