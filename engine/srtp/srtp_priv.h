/* What the files of srtp/ share: the memory of a unit.
 *
 * Three tables by leg. What a packet of the commonest suites touches is one struct srtp_stream, four
 * cache lines. The key schedules that do not fit in there (AES-256, GCM with its powers of the hash
 * key) lie beside it in struct srtp_wide; all that is rarely needed in struct srtp_cold, where
 * session keys are kept short and expanded at use.
 */
#ifndef SRTP_SRTP_PRIV_H
#define SRTP_SRTP_PRIV_H

#include <intel-ipsec-mb.h>
#include <stdalign.h>
#include <string.h>

#include "base/units.h"
#include "srtp/srtp.h"
#include "srtp/srtp_index.h"

enum {
	SRTP_IN, /* index of the pairs below */
	SRTP_OUT,
	SRTP_WAYS,
	SRTP_SALT_MAX = 14,
	SRTP_AUTH_LEN = 20, /* octets of an HMAC-SHA1 key and of its state */
	SRTP_RTP_MIN = 12,
	SRTP_RTCP_MIN = 8,
	SRTP_E = 0x80, /* first octet of the SRTCP index word: encrypted */
};

/* srtp_stream.flags */
enum {
	SRTP_HAS_KEYS = 1 << 0,
	SRTP_HAS_SOURCE = 1 << 1, /* ssrc and index are of a source that was opened (or sealed) */
	SRTP_COLD = 1 << 2,       /* the slow way knows more: an older key, or a peer never heard */
};

struct srtp_stream {
	alignas(64) uint8_t aes128[11][16];                 /* round keys */
	uint8_t inner[SRTP_AUTH_LEN], outer[SRTP_AUTH_LEN]; /* HMAC states after ipad and opad */
	uint8_t salt[SRTP_SALT_MAX];
	uint8_t suite, mki_len;
	struct srtp_index index;
	uint32_t ssrc;
	uint8_t flags;
	uint8_t tag_len; /* of the suite, as the two below: one line less to look at */
	bool aead, wide; /* wide: a 256 bit key, whose schedule lies in struct srtp_wide */
};

_Static_assert(sizeof(struct srtp_stream) == 256, "a stream is four cache lines");

struct srtp_wide {
	union {
		alignas(64) uint8_t aes256[15][16];
		struct gcm_key_data gcm;
	};
};

/* Session keys, not yet expanded. */
struct srtp_session {
	uint8_t suite, mki_len;
	uint8_t mki[SRTP_MKI_MAX];
	uint8_t key[32], auth[SRTP_AUTH_LEN], salt[SRTP_SALT_MAX];
};

struct srtp_source_seen {
	uint32_t ssrc;
	bool valid;
	struct srtp_index index;
};

struct srtp_cold {
	struct srtp_session rtp[SRTP_WAYS], rtcp[SRTP_WAYS];
	struct srtp_session before,
		rtcp_before; /* receive keys before the last change; suite 0: none */
	struct srtp_source_seen source[SRTP_SOURCES]; /* received; [0] is the current one's place */
	struct srtp_source_seen rtcp_source[SRTP_SOURCES];
	uint32_t rtcp_out_index; /* next to be sent, 31 bits */
	uint32_t settle;         /* packets under the new receive key until `before` is forgotten */
	uint32_t probe;          /* rollover counter that is tried next for a source never heard */
	bool proven;             /* something was opened under the receive key */
	struct srtp_counts counts;
	void *library[SRTP_WAYS]; /* srtp_t */
	void *library_before;
	uint32_t library_ssrc[SRTP_WAYS]; /* last opened or sealed */
};

struct srtp_scratch {
	IMB_JOB hash[SRTP_BURST], cipher[SRTP_BURST];
	uint8_t digest[SRTP_BURST][SRTP_AUTH_LEN];
	uint8_t iv[SRTP_BURST][16];
	alignas(64) uint8_t packet[SRTP_PACKET_MAX + 64];
	struct srtp_stream stream;
	struct srtp_wide wide;
};

struct srtp {
	uint32_t legs;
	enum srtp_way way;
	IMB_MGR *mb;
	struct srtp_stream *stream[SRTP_WAYS];
	struct srtp_wide *wide[SRTP_WAYS];
	struct srtp_cold *cold;
	struct srtp_scratch *scratch;
};

/* Octets of the RTP header with contributing sources and extension: what stays in the clear. 0: the `len`
 * octets are less than that, or not version 2. */
uint16_t srtp_header_len(const uint8_t *p, uint16_t len);

static inline uint64_t srtp_be48(const uint8_t *p)
{
	return (uint64_t)be16_get(p) << 32 | be32_get(p + 2);
}

/* The tags of the suites with a hash have 4 or 10 octets. A copy of a length that the compiler does not know
 * would become a string instruction, which takes longer than a whole block of the cipher. */
static inline void srtp_tag_copy(uint8_t *to, const uint8_t *from, unsigned len)
{
	if (len == 10)
		memcpy(to, from, 10);
	else
		memcpy(to, from, 4);
}

static inline bool srtp_tag_same(const uint8_t *a, const uint8_t *b, unsigned len)
{
	uint64_t x = 0, y = 0;
	uint16_t v = 0, w = 0;

	if (len != 10) {
		memcpy(&x, a, 4);
		memcpy(&y, b, 4);
		return x == y;
	}
	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	memcpy(&v, a + 8, 2);
	memcpy(&w, b + 8, 2);
	return ((x ^ y) | (uint64_t)(v ^ w)) == 0;
}

/* Compare without a branch on the contents. */
static inline bool srtp_same(const uint8_t *a, const uint8_t *b, unsigned len)
{
	uint8_t differs = 0;

	for (unsigned i = 0; i < len; i++)
		differs |= (uint8_t)(a[i] ^ b[i]);
	return differs == 0;
}

/* ---- srtp_derive.c ---- */

/* The session keys for RTP and RTCP that follow from a master key (RFC 3711, 4.3). */
void srtp_derive(IMB_MGR *mb, const struct srtp_key *key, struct srtp_session *rtp,
		 struct srtp_session *rtcp);

/* Prepare key schedules and HMAC states; index, source and flags of `s` stay as they are. */
void srtp_expand(IMB_MGR *mb, const struct srtp_session *from, struct srtp_stream *s,
		 struct srtp_wide *w);

/* ---- srtp_cipher.c ---- */

/* Initialisation vectors (RFC 3711, 4.1.1; RFC 7714, 8.1 and 9.1): 16 and 12 octets. */
static inline void srtp_iv_cm(uint8_t iv[16], const uint8_t salt[SRTP_SALT_MAX], uint32_t ssrc,
			      uint64_t index)
{
	uint64_t low = (uint64_t)be32_get(salt + 8) << 32 | (uint32_t)be16_get(salt + 12) << 16;

	low ^= index << 16;
	be32_put(iv, be32_get(salt));
	be32_put(iv + 4, be32_get(salt + 4) ^ ssrc);
	be32_put(iv + 8, (uint32_t)(low >> 32));
	be32_put(iv + 12, (uint32_t)low);
}

void srtp_iv_gcm(uint8_t iv[12], const uint8_t *salt, uint32_t ssrc, uint64_t index48);

/* Jobs to be handed over in bursts, which need nothing but this. */
static inline void srtp_job_cipher(IMB_JOB *job, const struct srtp_stream *s,
				   const struct srtp_wide *w, uint8_t *data, unsigned len,
				   const uint8_t *iv)
{
	job->src = data;
	job->dst = data;
	job->enc_keys = s->wide ? w->aes256[0] : s->aes128[0];
	job->key_len_in_bytes = s->wide ? 32 : 16;
	job->cipher_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = len;
	job->iv = iv;
	job->iv_len_in_bytes = 16;
}

static inline void srtp_job_hash(IMB_JOB *job, const struct srtp_stream *s, const uint8_t *data,
				 unsigned len, uint8_t *digest)
{
	job->src = data;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = len;
	job->auth_tag_output = digest;
	job->auth_tag_output_len_in_bytes = SRTP_AUTH_LEN;
	job->u.HMAC._hashed_auth_key_xor_ipad = s->inner;
	job->u.HMAC._hashed_auth_key_xor_opad = s->outer;
}

void srtp_jobs_cipher(IMB_MGR *mb, IMB_JOB *jobs, unsigned n, unsigned key_len);
void srtp_jobs_hash(IMB_MGR *mb, IMB_JOB *jobs, unsigned n);

/* AES-GCM: `tag` is written; opening compares it and leaves false with `dst` garbage. */
void srtp_gcm_seal(IMB_MGR *mb, const struct srtp_stream *s, const struct srtp_wide *w,
		   uint8_t *data, unsigned len, const uint8_t *iv, const uint8_t *aad,
		   unsigned aad_len, uint8_t *tag);
bool srtp_gcm_open(IMB_MGR *mb, const struct srtp_stream *s, const struct srtp_wide *w,
		   uint8_t *dst, const uint8_t *src, unsigned len, const uint8_t *iv,
		   const uint8_t *aad, unsigned aad_len, const uint8_t *tag);

/* ---- srtp_open.c, srtp_slow.c ---- */

/* One packet by the slow way: other sources, older keys, unknown rollover counters. */
void srtp_slow_open(struct srtp *u, struct srtp_row *row);

/* ---- srtp_library.c ---- */

int srtp_library_set(struct srtp *u, uint32_t leg, const struct srtp_keys *keys);
void srtp_library_close(struct srtp *u, uint32_t leg);
void srtp_library_rtp_open(struct srtp *u, struct srtp_row *row);
void srtp_library_rtp_seal(struct srtp *u, struct srtp_row *row);
enum srtp_verdict srtp_library_rtcp(struct srtp *u, uint32_t leg, uint8_t *data, uint16_t *len,
				    bool seal);
int srtp_library_start(void);

#endif
