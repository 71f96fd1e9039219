/* Keys in SDP: a=crypto lines of SDES, read and written.
 *
 *	a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4
 *
 * A line is usable when its suite is one that the engine has, it names one key of the right length, an MKI of at
 * most four octets or none, and no session parameter that would change what is sent. Other lines
 * are passed over, as RFC 4568 asks; a key is never logged.
 *
 * libre has an `enum srtp_suite` of its own, so suites are plain numbers here.
 *
 * Thread: any; pure. Source: RFC 4568, 5, 6 and 9.
 */
#ifndef SIP_SIP_CRYPTO_H
#define SIP_SIP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sip/sip_media.h"

struct sip_crypto {
	uint32_t tag;
	uint8_t suite;              /* enum srtp_suite of srtp/srtp_suite.h; 0 = none */
	char key[SIP_SRTP_KEY_MAX]; /* base64, master key and salt */
	char mki[SIP_SRTP_MKI_MAX]; /* hexadecimal, "" = none */
};

/* Read what follows "crypto:". False: not usable, `c` is untouched. */
bool sip_crypto_read(struct sip_crypto *c, const char *value, size_t len);

/* Write what follows "crypto:" into `text`, of at least 128 bytes. */
void sip_crypto_write(char *text, size_t size, const struct sip_crypto *c);

/* A key of the system's randomness for the suite, without MKI. */
void sip_crypto_make(struct sip_crypto *c, uint32_t tag, uint8_t suite);

/* Overwrite keys so that the compiler cannot leave it out. */
void sip_crypto_wipe(void *secret, size_t bytes);

#endif
