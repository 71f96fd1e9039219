/* SPDX-License-Identifier: Apache-2.0
 *
 * From a master key to session keys, and from those to what the ciphers want.
 *
 * Each session key is a piece of AES counter mode's key stream under the master key, the label of its use
 * in the initialisation vector (RFC 3711, 4.3.1 and 4.3.3; key derivation rate 0). GCM's salt of
 * 96 bits stands where the 112 of the others do, zeros behind it (RFC 7714, 11).
 */
#include <string.h>

#include "srtp/srtp_priv.h"

enum { LABEL_KEY, LABEL_AUTH, LABEL_SALT, LABELS_RTCP = 3 };

static void key_schedule(IMB_MGR *mb, const uint8_t *key, unsigned key_len, uint8_t *schedule)
{
	alignas(16) uint8_t unused[15][16];

	if (key_len == 16)
		IMB_AES_KEYEXP_128(mb, key, schedule, unused);
	else
		IMB_AES_KEYEXP_256(mb, key, schedule, unused);
	srtp_key_wipe(unused, sizeof(unused));
}

static void key_stream(IMB_MGR *mb, const uint8_t *schedule, unsigned key_len,
		       const uint8_t salt[SRTP_SALT_MAX], uint8_t label, uint8_t *out, unsigned len)
{
	uint8_t iv[16] = {0};
	IMB_JOB job = {.src = out,
		       .dst = out,
		       .enc_keys = schedule,
		       .key_len_in_bytes = key_len,
		       .msg_len_to_cipher_in_bytes = len,
		       .iv = iv,
		       .iv_len_in_bytes = 16};

	memcpy(iv, salt, SRTP_SALT_MAX);
	iv[7] ^= label;
	memset(out, 0, len);
	srtp_jobs_cipher(mb, &job, 1, key_len);
}

void srtp_derive(IMB_MGR *mb, const struct srtp_key *key, struct srtp_session *rtp,
		 struct srtp_session *rtcp)
{
	const struct srtp_suite_info *info = srtp_suite_of((enum srtp_suite)key->suite);
	alignas(16) uint8_t schedule[15][16];
	uint8_t salt[SRTP_SALT_MAX] = {0};
	struct srtp_session *half[] = {rtp, rtcp};

	memcpy(salt, key->master + info->key_len, info->salt_len);
	key_schedule(mb, key->master, info->key_len, schedule[0]);
	for (unsigned i = 0; i < 2; i++) {
		struct srtp_session *s = half[i];
		uint8_t first = (uint8_t)(i * LABELS_RTCP);

		memset(s, 0, sizeof(*s));
		s->suite = key->suite;
		s->mki_len = key->mki_len;
		memcpy(s->mki, key->mki, sizeof(s->mki));
		key_stream(mb, schedule[0], info->key_len, salt, first + LABEL_KEY, s->key,
			   info->key_len);
		key_stream(mb, schedule[0], info->key_len, salt, first + LABEL_SALT, s->salt,
			   info->salt_len);
		if (!info->aead)
			key_stream(mb, schedule[0], info->key_len, salt, first + LABEL_AUTH,
				   s->auth, SRTP_AUTH_LEN);
	}
	srtp_key_wipe(schedule, sizeof(schedule));
	srtp_key_wipe(salt, sizeof(salt));
}

static void hmac_states(IMB_MGR *mb, const uint8_t auth[SRTP_AUTH_LEN], struct srtp_stream *s)
{
	uint8_t block[IMB_SHA1_BLOCK_SIZE];

	memset(block, 0x36, sizeof(block));
	for (unsigned i = 0; i < SRTP_AUTH_LEN; i++)
		block[i] ^= auth[i];
	IMB_SHA1_ONE_BLOCK(mb, block, s->inner);
	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	IMB_SHA1_ONE_BLOCK(mb, block, s->outer);
	srtp_key_wipe(block, sizeof(block));
}

void srtp_expand(IMB_MGR *mb, const struct srtp_session *from, struct srtp_stream *s,
		 struct srtp_wide *w)
{
	const struct srtp_suite_info *info = srtp_suite_of((enum srtp_suite)from->suite);

	s->suite = from->suite;
	s->mki_len = from->mki_len;
	s->tag_len = info->tag_len;
	s->aead = info->aead;
	s->wide = info->key_len == 32;
	memcpy(s->salt, from->salt, sizeof(s->salt));
	if (!info->aead) {
		hmac_states(mb, from->auth, s);
		key_schedule(mb, from->key, info->key_len,
			     info->key_len == 16 ? s->aes128[0] : w->aes256[0]);
	} else if (info->key_len == 16) {
		IMB_AES128_GCM_PRE(mb, from->key, &w->gcm);
	} else {
		IMB_AES256_GCM_PRE(mb, from->key, &w->gcm);
	}
}
