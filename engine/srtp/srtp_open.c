/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a burst of RTP.
 *
 *   each row: header, source, index, replayed?   -> a hash job, the rollover counter in the tag's place
 *   all hashes at once
 *   each row, in order: tag right? still new?    -> a cipher job (GCM: both at once, here)
 *   all ciphers at once
 *
 * The rows are judged in order only after the hashes, because two of them may be of one leg: a packet and its
 * copy in one burst are one packet and one replay. What the stream alone cannot decide (another
 * source, an older key, a rollover counter that nobody knows) takes the slow way, one by one.
 */
#include <string.h>

#include "srtp/srtp_priv.h"

enum work_kind { WORK_DONE, WORK_SLOW, WORK_TAG, WORK_AEAD };

/* What was found out about a row. */
struct work {
	enum work_kind kind;
	uint32_t ssrc;
	uint64_t index;
	uint16_t head, body; /* octets in the clear, and of cipher text */
	uint8_t tag_len;
	uint8_t tag[10]; /* as received; the rollover counter stands in its place meanwhile */
	const uint8_t *digest;
};

uint16_t srtp_header_len(const uint8_t *p, uint16_t len)
{
	if (len < SRTP_RTP_MIN || p[0] >> 6 != 2)
		return 0;

	uint32_t head = SRTP_RTP_MIN + 4u * (p[0] & 0xf);

	if (p[0] & 0x10) {
		if (head + 4 > len)
			return 0;
		head += 4 + 4u * be16_get(p + head + 2);
	}
	return head <= len ? (uint16_t)head : 0;
}

/* So far from the newest that a wrap may have been missed. */
static bool is_far(const struct srtp_stream *s, uint64_t index)
{
	int64_t by = (int64_t)index - (int64_t)s->index.top;

	return by > 0x4000 || by < -0x4000;
}

static void prepare(struct srtp *u, struct srtp_row *row, struct work *k, unsigned *hashes)
{
	const struct srtp_stream *s = &u->stream[SRTP_IN][row->leg];
	uint16_t head = srtp_header_len(row->data, row->len);

	k->kind = WORK_DONE;
	row->verdict = SRTP_SHORT;
	if (head == 0 || row->len > SRTP_PACKET_MAX || !(s->flags & SRTP_HAS_KEYS))
		return;

	k->ssrc = be32_get(row->data + 8);
	if ((s->flags & SRTP_COLD) || !(s->flags & SRTP_HAS_SOURCE) || s->ssrc != k->ssrc) {
		k->kind = WORK_SLOW;
		return;
	}
	if (row->len < head + s->tag_len + s->mki_len)
		return;
	k->head = head;
	k->tag_len = s->tag_len;
	k->body = (uint16_t)(row->len - head - s->tag_len - s->mki_len);
	k->index = srtp_index_guess(&s->index, be16_get(row->data + 2));
	row->verdict = SRTP_REPLAY;
	if (srtp_index_ask(&s->index, k->index) != SRTP_INDEX_NEW) {
		/* Perhaps it only seems old, beside a packet far ahead in this same burst. */
		if (is_far(s, k->index))
			k->kind = WORK_SLOW;
		return;
	}
	row->verdict = SRTP_AUTH;
	if (k->index > SRTP_INDEX_MAX)
		return;

	uint8_t *after = row->data + head + k->body;

	if (s->mki_len != 0 &&
	    !srtp_same(after + (s->aead ? 16 : 0), u->cold[row->leg].rtp[SRTP_IN].mki, s->mki_len))
		return;
	k->kind = s->aead ? WORK_AEAD : WORK_TAG;
	if (s->aead)
		return;
	/* The tag is last; without an MKI the counter takes its place, so it is put aside. */
	srtp_tag_copy(k->tag, after + s->mki_len, s->tag_len);
	k->digest = u->scratch->digest[*hashes];
	be32_put(after, (uint32_t)(k->index >> 16));
	srtp_job_hash(&u->scratch->hash[*hashes], s, row->data, (unsigned)head + k->body + 4,
		      u->scratch->digest[*hashes]);
	(*hashes)++;
}

/* The packet again as it came. */
static void restore(const struct srtp *u, struct srtp_row *row, const struct work *k)
{
	const struct srtp_session *session = &u->cold[row->leg].rtp[SRTP_IN];
	uint8_t *after = row->data + k->head + k->body;

	if (k->kind != WORK_TAG)
		return;
	memcpy(after, session->mki, session->mki_len);
	srtp_tag_copy(after + session->mki_len, k->tag, k->tag_len);
}

static bool open_aead(struct srtp *u, const struct srtp_row *row, const struct work *k)
{
	const struct srtp_stream *s = &u->stream[SRTP_IN][row->leg];
	uint8_t *body = row->data + k->head;
	uint8_t iv[12];

	srtp_iv_gcm(iv, s->salt, k->ssrc, k->index);
	return srtp_gcm_open(u->mb, s, &u->wide[SRTP_IN][row->leg], body, body, k->body, iv,
			     row->data, k->head, body + k->body);
}

static void judge(struct srtp *u, struct srtp_row *row, struct work *k)
{
	struct srtp_stream *s = &u->stream[SRTP_IN][row->leg];
	bool same = !(s->flags & SRTP_COLD) && s->ssrc == k->ssrc;

	if (k->kind == WORK_SLOW || !same) {
		restore(u, row, k);
		k->kind = WORK_DONE;
		srtp_slow_open(u, row);
		return;
	}
	row->verdict = SRTP_REPLAY;
	if (srtp_index_ask(&s->index, k->index) != SRTP_INDEX_NEW) {
		k->kind = WORK_DONE; /* its copy was in this burst */
		return;
	}

	bool right = k->kind == WORK_AEAD ? open_aead(u, row, k)
					  : srtp_tag_same(k->digest, k->tag, k->tag_len);

	if (!right) {
		bool again = k->kind == WORK_TAG && is_far(s, k->index);

		row->verdict = SRTP_AUTH;
		if (again)
			restore(u, row, k);
		k->kind = WORK_DONE;
		if (again)
			srtp_slow_open(u, row);
		return;
	}
	srtp_index_use(&s->index, k->index);
	row->verdict = SRTP_OK;
	row->len = (uint16_t)(k->head + k->body);
}

static void decrypt(struct srtp *u, struct srtp_row *row, const struct work *work, unsigned n)
{
	struct srtp_scratch *x = u->scratch;
	unsigned shorts = 0, longs = SRTP_BURST;

	for (unsigned i = 0; i < n; i++) {
		const struct work *k = &work[i];

		if (k->kind != WORK_TAG || k->body == 0)
			continue;

		const struct srtp_stream *s = &u->stream[SRTP_IN][row[i].leg];
		unsigned at = s->wide ? --longs : shorts++;

		srtp_iv_cm(x->iv[at], s->salt, k->ssrc, k->index);
		srtp_job_cipher(&x->cipher[at], s, &u->wide[SRTP_IN][row[i].leg],
				row[i].data + k->head, k->body, x->iv[at]);
	}
	srtp_jobs_cipher(u->mb, x->cipher, shorts, 16);
	srtp_jobs_cipher(u->mb, x->cipher + longs, SRTP_BURST - longs, 32);
}

static void count(struct srtp *u, const struct srtp_row *row, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (row[i].verdict == SRTP_AUTH)
			u->cold[row[i].leg].counts.auth_failed++;
		else if (row[i].verdict == SRTP_REPLAY)
			u->cold[row[i].leg].counts.replayed++;
	}
}

void srtp_rtp_open(struct srtp *u, struct srtp_row *row, unsigned n)
{
	struct work work[SRTP_BURST];
	unsigned hashes = 0;

	if (u->way == SRTP_WAY_LIBRARY) {
		for (unsigned i = 0; i < n; i++)
			srtp_library_rtp_open(u, &row[i]);
		count(u, row, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		prepare(u, &row[i], &work[i], &hashes);
	/* The ciphers' keys come while the hashes are made. */
	for (unsigned i = 0; i < n; i++) {
		__builtin_prefetch(u->stream[SRTP_IN][row[i].leg].aes128[0], 0);
		__builtin_prefetch(u->stream[SRTP_IN][row[i].leg].aes128[4], 0);
	}
	srtp_jobs_hash(u->mb, u->scratch->hash, hashes);
	for (unsigned i = 0; i < n; i++)
		if (work[i].kind != WORK_DONE)
			judge(u, &row[i], &work[i]);
	decrypt(u, row, work, n);
	count(u, row, n);
}
