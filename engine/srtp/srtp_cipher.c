/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of libipsec-mb. Its bursts of one cipher or one hash need nothing of a job but what is set
 * here, and finish all jobs before they return.
 */
#include <string.h>

#include "base/must.h"
#include "srtp/srtp_priv.h"

static void xor_be32(uint8_t *p, uint32_t v)
{
	be32_put(p, be32_get(p) ^ v);
}

void srtp_iv_cm(uint8_t iv[16], const uint8_t *salt, uint32_t ssrc, uint64_t index)
{
	memcpy(iv, salt, SRTP_SALT_MAX);
	iv[14] = iv[15] = 0;
	xor_be32(iv + 4, ssrc);
	xor_be32(iv + 8, (uint32_t)(index >> 16));
	iv[12] = (uint8_t)(iv[12] ^ (index >> 8 & 0xff));
	iv[13] = (uint8_t)(iv[13] ^ (index & 0xff));
}

void srtp_iv_gcm(uint8_t iv[12], const uint8_t *salt, uint32_t ssrc, uint64_t index48)
{
	memcpy(iv, salt, 12);
	xor_be32(iv + 2, ssrc);
	xor_be32(iv + 6, (uint32_t)(index48 >> 16));
	iv[10] = (uint8_t)(iv[10] ^ (index48 >> 8 & 0xff));
	iv[11] = (uint8_t)(iv[11] ^ (index48 & 0xff));
}

static bool is_long(const struct srtp_stream *s)
{
	return srtp_suite_of((enum srtp_suite)s->suite)->key_len == 32;
}

void srtp_job_cipher(IMB_JOB *job, const struct srtp_stream *s, const struct srtp_wide *w,
		     uint8_t *data, unsigned len, const uint8_t *iv)
{
	bool wide = is_long(s);

	job->src = data;
	job->dst = data;
	job->enc_keys = wide ? w->aes256[0] : s->aes128[0];
	job->key_len_in_bytes = wide ? 32 : 16;
	job->cipher_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = len;
	job->iv = iv;
	job->iv_len_in_bytes = 16;
}

void srtp_job_hash(IMB_JOB *job, const struct srtp_stream *s, const uint8_t *data, unsigned len,
		   uint8_t *digest)
{
	job->src = data;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = len;
	job->auth_tag_output = digest;
	job->auth_tag_output_len_in_bytes = SRTP_AUTH_LEN;
	job->u.HMAC._hashed_auth_key_xor_ipad = s->inner;
	job->u.HMAC._hashed_auth_key_xor_opad = s->outer;
}

void srtp_jobs_cipher(IMB_MGR *mb, IMB_JOB *jobs, unsigned n, unsigned key_len)
{
	if (n == 0)
		return;

	uint32_t done = IMB_SUBMIT_CIPHER_BURST_NOCHECK(
		mb, jobs, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
		key_len == 16 ? IMB_KEY_128_BYTES : IMB_KEY_256_BYTES);

	must(done == n);
}

void srtp_jobs_hash(IMB_MGR *mb, IMB_JOB *jobs, unsigned n)
{
	if (n == 0)
		return;

	uint32_t done = IMB_SUBMIT_HASH_BURST_NOCHECK(mb, jobs, n, IMB_AUTH_HMAC_SHA_1);

	must(done == n);
}

void srtp_gcm_seal(IMB_MGR *mb, const struct srtp_stream *s, const struct srtp_wide *w,
		   uint8_t *data, unsigned len, const uint8_t *iv, const uint8_t *aad,
		   unsigned aad_len, uint8_t *tag)
{
	struct gcm_context_data c;

	if (is_long(s))
		IMB_AES256_GCM_ENC(mb, &w->gcm, &c, data, data, len, iv, aad, aad_len, tag, 16);
	else
		IMB_AES128_GCM_ENC(mb, &w->gcm, &c, data, data, len, iv, aad, aad_len, tag, 16);
}

bool srtp_gcm_open(IMB_MGR *mb, const struct srtp_stream *s, const struct srtp_wide *w,
		   uint8_t *dst, const uint8_t *src, unsigned len, const uint8_t *iv,
		   const uint8_t *aad, unsigned aad_len, const uint8_t *tag)
{
	struct gcm_context_data c;
	uint8_t want[16];

	if (is_long(s))
		IMB_AES256_GCM_DEC(mb, &w->gcm, &c, dst, src, len, iv, aad, aad_len, want, 16);
	else
		IMB_AES128_GCM_DEC(mb, &w->gcm, &c, dst, src, len, iv, aad, aad_len, want, 16);
	return srtp_same(want, tag, sizeof(want));
}
