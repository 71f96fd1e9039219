/* SPDX-License-Identifier: Apache-2.0
 *
 * SRTCP: a few packets a minute, one at a time, their keys expanded at use.
 *
 *   AES-CM   header (8) | cipher text | E, index | MKI | tag over all before the MKI
 *   GCM      header (8) | cipher text | tag      | E, index | MKI
 *
 * The index is in the packet, so there is nothing to guess; each source has a window of its own. The
 * key before the present one is good for as long as RTP's is.
 *
 * Sources: RFC 3711, 3.4; RFC 7714, 9.
 */
#include <string.h>

#include "srtp/srtp_priv.h"

enum { INDEX_LEN = 4 };
#define INDEX_MASK UINT32_C(0x7fffffff)

struct parts {
	uint32_t ssrc, index;
	unsigned body, tag_at, index_at, mki_at; /* octets of cipher text; where the others stand */
	bool encrypted;
};

static void expand(struct srtp *u, const struct srtp_session *session)
{
	srtp_expand(u->mb, session, &u->scratch->stream, &u->scratch->wide);
}

static void forget(struct srtp *u)
{
	srtp_key_wipe(&u->scratch->stream, sizeof(u->scratch->stream));
	srtp_key_wipe(&u->scratch->wide, sizeof(u->scratch->wide));
}

static void digest_of(struct srtp *u, const uint8_t *data, unsigned len, uint8_t *digest)
{
	IMB_JOB job;

	memset(&job, 0, sizeof(job));
	srtp_job_hash(&job, &u->scratch->stream, data, len, digest);
	srtp_jobs_hash(u->mb, &job, 1);
}

static void cipher(struct srtp *u, uint8_t *data, const struct parts *p)
{
	struct srtp_scratch *x = u->scratch;
	uint8_t iv[16];
	IMB_JOB job;

	if (p->body == 0)
		return;
	memset(&job, 0, sizeof(job));
	srtp_iv_cm(iv, x->stream.salt, p->ssrc, p->index);
	srtp_job_cipher(&job, &x->stream, &x->wide, data + SRTP_RTCP_MIN, p->body, iv);
	srtp_jobs_cipher(u->mb, &job, 1, srtp_suite_of((enum srtp_suite)x->stream.suite)->key_len);
}

/* What GCM authenticates beside the cipher text: header and index, or all when nothing is encrypted. */
static unsigned associated(uint8_t *aad, const uint8_t *data, const struct parts *p)
{
	unsigned len = p->encrypted ? SRTP_RTCP_MIN : p->tag_at;

	memcpy(aad, data, len);
	be32_put(aad + len, (p->encrypted ? UINT32_C(1) << 31 : 0) | p->index);
	return len + INDEX_LEN;
}

static bool take_apart(const struct srtp_session *session, const uint8_t *data, unsigned len,
		       struct parts *p)
{
	const struct srtp_suite_info *info = srtp_suite_of((enum srtp_suite)session->suite);
	unsigned tag = info->rtcp_tag_len, mki = session->mki_len;

	if (len < SRTP_RTCP_MIN + INDEX_LEN + tag + mki || len > SRTP_PACKET_MAX ||
	    data[0] >> 6 != 2)
		return false;
	p->body = len - SRTP_RTCP_MIN - INDEX_LEN - tag - mki;
	p->tag_at = info->aead ? SRTP_RTCP_MIN + p->body : len - tag;
	p->index_at = SRTP_RTCP_MIN + p->body + (info->aead ? tag : 0);
	p->mki_at = p->index_at + INDEX_LEN;
	p->ssrc = be32_get(data + 4);
	p->index = be32_get(data + p->index_at);
	p->encrypted = (p->index & ~INDEX_MASK) != 0;
	p->index &= INDEX_MASK;
	return true;
}

static struct srtp_source_seen *seen(struct srtp_cold *c, uint32_t ssrc)
{
	for (unsigned i = 0; i < SRTP_SOURCES; i++)
		if (c->rtcp_source[i].valid && c->rtcp_source[i].ssrc == ssrc)
			return &c->rtcp_source[i];
	return NULL;
}

static void use(struct srtp_cold *c, const struct parts *p)
{
	struct srtp_source_seen *s = seen(c, p->ssrc);

	if (s == NULL) {
		s = &c->rtcp_source[0];
		memmove(s + 1, s, (SRTP_SOURCES - 1) * sizeof(*s));
		*s = (struct srtp_source_seen){.ssrc = p->ssrc, .valid = true};
		s->index.top = p->index;
	}
	srtp_index_use(&s->index, p->index);
}

static bool try_keys(struct srtp *u, const struct srtp_session *session, uint8_t *data,
		     const struct parts *p)
{
	struct srtp_scratch *x = u->scratch;
	uint8_t digest[SRTP_AUTH_LEN], iv[12], aad[SRTP_PACKET_MAX + INDEX_LEN];
	bool right;

	if (!srtp_same(data + p->mki_at, session->mki, session->mki_len))
		return false;
	expand(u, session);
	if (srtp_suite_of((enum srtp_suite)session->suite)->aead) {
		unsigned aad_len = associated(aad, data, p);
		unsigned body = p->encrypted ? p->body : 0;

		srtp_iv_gcm(iv, session->salt, p->ssrc, p->index);
		right = srtp_gcm_open(u->mb, &x->stream, &x->wide, x->packet, data + SRTP_RTCP_MIN,
				      body, iv, aad, aad_len, data + p->tag_at);
		if (right)
			memcpy(data + SRTP_RTCP_MIN, x->packet, body);
		srtp_key_wipe(x->packet, body);
	} else {
		digest_of(u, data, p->mki_at, digest);
		right = srtp_tag_same(digest, data + p->tag_at,
				      srtp_suite_of((enum srtp_suite)session->suite)->rtcp_tag_len);
		if (right && p->encrypted)
			cipher(u, data, p);
	}
	forget(u);
	return right;
}

static enum srtp_verdict open_one(struct srtp *u, uint32_t leg, uint8_t *data, uint16_t *len)
{
	struct srtp_cold *c = &u->cold[leg];
	const struct srtp_session *keys[] = {&c->rtcp[SRTP_IN], &c->rtcp_before};
	enum srtp_verdict verdict = SRTP_SHORT;

	for (unsigned i = 0; i < 2; i++) {
		struct parts p;
		const struct srtp_source_seen *s;

		if (keys[i]->suite == SRTP_NO_SUITE || !take_apart(keys[i], data, *len, &p))
			continue;
		s = seen(c, p.ssrc);
		if (s != NULL && srtp_index_ask(&s->index, p.index) != SRTP_INDEX_NEW) {
			verdict = SRTP_REPLAY;
			continue;
		}
		if (verdict == SRTP_SHORT)
			verdict = SRTP_AUTH;
		if (try_keys(u, keys[i], data, &p)) {
			use(c, &p);
			*len = (uint16_t)(SRTP_RTCP_MIN + p.body);
			return SRTP_OK;
		}
	}
	return verdict;
}

enum srtp_verdict srtp_rtcp_open(struct srtp *u, uint32_t leg, uint8_t *data, uint16_t *len)
{
	enum srtp_verdict verdict = u->way == SRTP_WAY_LIBRARY
					    ? srtp_library_rtcp(u, leg, data, len, false)
					    : open_one(u, leg, data, len);

	if (verdict == SRTP_AUTH)
		u->cold[leg].counts.auth_failed++;
	else if (verdict == SRTP_REPLAY)
		u->cold[leg].counts.replayed++;
	return verdict;
}

enum srtp_verdict srtp_rtcp_seal(struct srtp *u, uint32_t leg, uint8_t *data, uint16_t *len)
{
	struct srtp_cold *c = &u->cold[leg];
	const struct srtp_session *session = &c->rtcp[SRTP_OUT];
	struct srtp_scratch *x = u->scratch;

	if (u->way == SRTP_WAY_LIBRARY)
		return srtp_library_rtcp(u, leg, data, len, true);
	if (session->suite == SRTP_NO_SUITE || *len < SRTP_RTCP_MIN || *len > SRTP_PACKET_MAX)
		return SRTP_SHORT;
	if (c->rtcp_out_index > INDEX_MASK)
		return SRTP_REPLAY;

	const struct srtp_suite_info *info = srtp_suite_of((enum srtp_suite)session->suite);
	struct parts p = {.ssrc = be32_get(data + 4),
			  .index = c->rtcp_out_index++,
			  .body = *len - (unsigned)SRTP_RTCP_MIN,
			  .encrypted = true};

	p.index_at = *len + (info->aead ? info->rtcp_tag_len : 0u);
	p.mki_at = p.index_at + INDEX_LEN;
	p.tag_at = info->aead ? *len : p.mki_at + session->mki_len;
	expand(u, session);
	be32_put(data + p.index_at, UINT32_C(1) << 31 | p.index);
	memcpy(data + p.mki_at, session->mki, session->mki_len);
	if (info->aead) {
		uint8_t iv[12], aad[SRTP_RTCP_MIN + INDEX_LEN];
		unsigned aad_len = associated(aad, data, &p);

		srtp_iv_gcm(iv, session->salt, p.ssrc, p.index);
		srtp_gcm_seal(u->mb, &x->stream, &x->wide, data + SRTP_RTCP_MIN, p.body, iv, aad,
			      aad_len, data + p.tag_at);
	} else {
		uint8_t digest[SRTP_AUTH_LEN];

		cipher(u, data, &p);
		digest_of(u, data, p.mki_at, digest);
		memcpy(data + p.tag_at, digest, info->rtcp_tag_len);
	}
	forget(u);
	*len = (uint16_t)(*len + info->rtcp_tag_len + INDEX_LEN + session->mki_len);
	return SRTP_OK;
}
