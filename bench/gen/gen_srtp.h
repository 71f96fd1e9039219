/* SRTP for the telephones, AES_CM_128_HMAC_SHA1_80 only.
 *
 * One telephone in GEN_SRTP_PROOF speaks by libsrtp2, which the engine's burst path does not share, so that
 * two programs that were not written together must agree in every measurement. The others speak by the
 * engine's bursts (which tests compare with libsrtp2 packet by packet): at some 15 us a packet the library
 * would take ten times as long as what is measured.
 */
#ifndef GEN_SRTP_H
#define GEN_SRTP_H

#include <stdbool.h>
#include <stdint.h>

enum { GEN_SRTP_PROOF = 16, GEN_SRTP_MANY = 32 };

struct gen_srtp;

struct gen_srtp_packet {
	uint8_t *data;
	uint16_t len; /* in and out */
	bool good;    /* out */
};

/* Once, first; the libraries test themselves. */
bool gen_srtp_begin(void);

/* One direction of telephone `number`; `key` has 30 octets. NULL when a library refuses. Of those that speak
 * by bursts only one may be open at a time. */
struct gen_srtp *gen_srtp_open(uint32_t number, const uint8_t *key, bool sends);
void gen_srtp_close(struct gen_srtp *s);

/* Up to GEN_SRTP_MANY packets of RTP in their order, in place; sealing needs 20 free octets behind each. */
void gen_srtp_protect(struct gen_srtp *s, struct gen_srtp_packet *p, unsigned n);
void gen_srtp_unprotect(struct gen_srtp *s, struct gen_srtp_packet *p, unsigned n);
bool gen_srtp_protect_rtcp(struct gen_srtp *s, uint8_t *rtcp, int *len);

#endif
