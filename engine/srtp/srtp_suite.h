/* The protection profiles of SRTP that we speak, their names in SDP, and a key as signalling hands it over.
 *
 * Plain data, used by the control socket, the worker and control's SDP alike. A `struct srtp_key` is
 * what one direction of one leg needs, whoever agreed on it: SDES (RFC 4568) carries master key and
 * salt in SDP, DTLS-SRTP (RFC 5764) exports the same two.
 *
 * Thread: any; pure. Sources: RFC 4568, 6.2; RFC 6188; RFC 7714, 12 and 14.2.
 */
#ifndef SRTP_SRTP_SUITE_H
#define SRTP_SRTP_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
/*   id           name in SDP                 key salt tag  SRTCP tag (RFC 4568, 6.2.2: 80 bits for _32, too) */
#define SRTP_SUITE_TABLE(X) \
	X(CM128_SHA80, "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10) \
	X(CM128_SHA32, "AES_CM_128_HMAC_SHA1_32", 16, 14,  4, 10) \
	X(CM256_SHA80, "AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10) \
	X(CM256_SHA32, "AES_256_CM_HMAC_SHA1_32", 32, 14,  4, 10) \
	X(GCM128,      "AEAD_AES_128_GCM",        16, 12, 16, 16) \
	X(GCM256,      "AEAD_AES_256_GCM",        32, 12, 16, 16)
/* clang-format on */

#define SRTP_SUITE_ENUM(id, name, key, salt, tag, rtcp) SRTP_##id,
enum srtp_suite { SRTP_NO_SUITE, SRTP_SUITE_TABLE(SRTP_SUITE_ENUM) SRTP_SUITES };
#undef SRTP_SUITE_ENUM

enum {
	SRTP_MASTER_MAX = 46, /* octets of the longest master key with its salt */
	SRTP_MKI_MAX = 4,     /* octets of a master key identifier that we accept */
	SRTP_RTP_TRAILER_MAX = 16 + SRTP_MKI_MAX,      /* octets that sealing adds to RTP */
	SRTP_RTCP_TRAILER_MAX = 16 + 4 + SRTP_MKI_MAX, /* ... to RTCP */
};

struct srtp_suite_info {
	const char *name;
	uint8_t key_len, salt_len; /* octets */
	uint8_t tag_len, rtcp_tag_len;
	bool aead;
};

/* One direction's master key. suite SRTP_NO_SUITE: none, the direction is plain. Secret: wipe
 * with srtp_key_wipe(), never log or store. */
struct srtp_key {
	uint8_t suite;   /* enum srtp_suite */
	uint8_t mki_len; /* 0: packets carry no MKI */
	uint8_t mki[SRTP_MKI_MAX];
	uint8_t master[SRTP_MASTER_MAX]; /* key, then salt: key_len + salt_len octets */
};

/* Both directions of a leg. */
struct srtp_keys {
	struct srtp_key receive, send;
	bool fresh; /* another peer: its packets and ours begin at rollover counter 0 (RFC 4568, 7.1.4) */
};

/* Never NULL for a suite from 1 below SRTP_SUITES. */
const struct srtp_suite_info *srtp_suite_of(enum srtp_suite suite);

/* "AES_CM_128_HMAC_SHA1_80", in any case; SRTP_NO_SUITE: not one of ours. */
enum srtp_suite srtp_suite_named(const char *name, size_t len);

/* Fill `key` (suite and master; no MKI) from base64 as in SDP's inline:, padding optional. False: not base64,
 * or not exactly the octets that the suite takes; `key` is then empty. */
bool srtp_key_read(struct srtp_key *key, enum srtp_suite suite, const char *text, size_t len);

/* Overwrite so that the compiler cannot leave it out. */
void srtp_key_wipe(void *secret, size_t bytes);

#endif
