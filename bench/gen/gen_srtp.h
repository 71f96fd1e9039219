/* SRTP for the telephones: libsrtp2, which the engine's burst path does not share, so that two programs that
 * were not written together must agree. AES_CM_128_HMAC_SHA1_80 only.
 */
#ifndef GEN_SRTP_H
#define GEN_SRTP_H

#include <stdbool.h>
#include <stdint.h>

struct gen_srtp;

/* Once, first; the library tests itself. */
bool gen_srtp_begin(void);

/* NULL when the library refuses. `key` has 30 octets. */
struct gen_srtp *gen_srtp_open(const uint8_t *key, bool sends);
void gen_srtp_close(struct gen_srtp *s);

/* In place; 20 octets must be free behind `*len`. */
bool gen_srtp_protect(struct gen_srtp *s, uint8_t *rtp, int *len);
bool gen_srtp_protect_rtcp(struct gen_srtp *s, uint8_t *rtcp, int *len);
bool gen_srtp_unprotect(struct gen_srtp *s, uint8_t *rtp, int *len);

#endif
