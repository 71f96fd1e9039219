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

void srtp_iv_gcm(uint8_t iv[12], const uint8_t *salt, uint32_t ssrc, uint64_t index48)
{
	memcpy(iv, salt, 12);
	xor_be32(iv + 2, ssrc);
	xor_be32(iv + 6, (uint32_t)(index48 >> 16));
	iv[10] = (uint8_t)(iv[10] ^ (index48 >> 8 & 0xff));
	iv[11] = (uint8_t)(iv[11] ^ (index48 & 0xff));
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

	if (s->wide)
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

	if (s->wide)
		IMB_AES256_GCM_DEC(mb, &w->gcm, &c, dst, src, len, iv, aad, aad_len, want, 16);
	else
		IMB_AES128_GCM_DEC(mb, &w->gcm, &c, dst, src, len, iv, aad, aad_len, want, 16);
	return srtp_same(want, tag, sizeof(want));
}
