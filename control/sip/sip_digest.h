/* Digest authentication as a server: nonces, checks, and what is done about guessing.
 *
 * Nonces carry their own time and a MAC under a key of this process, so a challenge costs no memory
 * and a storm of requests without credentials leaves nothing behind. What is remembered is bounded:
 * one table of recently used nonce counts against replay, one of failures per source. Both are
 * direct-mapped; a collision forgets the older entry, which errs on the side of asking again.
 *
 * Thread: libre's loop. Private to control/sip.
 * Source: RFC 7616, RFC 8760 (SHA-256 in SIP), RFC 3261, 22.
 */
#ifndef SIP_SIP_DIGEST_H
#define SIP_SIP_DIGEST_H

#include "sip/sip.h"

struct sip_digest;
struct sip_msg;
struct pl;

enum sip_digest_verdict {
	SIP_DIGEST_OK,      /* `user` is who the request proves to be */
	SIP_DIGEST_MISSING, /* no credentials for our realm: challenge */
	SIP_DIGEST_STALE,   /* right or not, the nonce is too old or used up: challenge, stale */
	SIP_DIGEST_WRONG,   /* wrong password, unknown user, wrong form: challenge again */
	SIP_DIGEST_BLOCKED, /* failed too often; not looked at */
};

struct sip_digest_config {
	const char *realm;
	bool offer_sha256;
	uint32_t failures_user, failures_source;
	bool (*secret)(void *arg, const char *user, struct sip_secret *secret);
	void *arg;
};

/* The realm is copied. Freed with mem_deref(). Returns 0 or -ENOMEM. */
int sip_digest_new(struct sip_digest **out, const struct sip_digest_config *cfg);

/* Judge `msg`. `trusted_source` exempts from blocking: a phone that is already registered from this
 * very address. On OK, `user` (SIP_USER_MAX bytes) is the proved name. */
enum sip_digest_verdict sip_digest_check(struct sip_digest *d, const struct sip_msg *msg,
					 bool trusted_source, char *user);

/* Write WWW-Authenticate lines for `msg` into `out`, CRLF after each. */
void sip_digest_challenge(struct sip_digest *d, const struct sip_msg *msg, bool stale, char *out,
			  size_t size);

/* For tests: move this module's clock forward. */
void sip_digest_skip_ms(struct sip_digest *d, uint64_t ms);

#endif
