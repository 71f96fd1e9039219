/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealing a burst of RTP: numbers, all ciphers, all hashes, tags.
 *
 * The index is used when the row is numbered. A second packet with an index that was used is refused: under
 * one key stream two plain texts would reveal each other.
 */
#include <string.h>

#include "srtp/srtp_priv.h"

struct work {
	bool tag; /* cipher and hash are still to be done */
	uint64_t index;
	uint16_t head;
};

/* The index of the next packet of a source, used from now on. */
static enum srtp_verdict number(struct srtp_stream *s, uint32_t ssrc, uint16_t seq, uint64_t *index)
{
	if (!(s->flags & SRTP_HAS_SOURCE) || s->ssrc != ssrc) {
		srtp_index_start(&s->index, 0, seq);
		s->ssrc = ssrc;
		s->flags |= SRTP_HAS_SOURCE;
	}
	*index = srtp_index_guess(&s->index, seq);
	if (*index > SRTP_INDEX_MAX || srtp_index_ask(&s->index, *index) != SRTP_INDEX_NEW)
		return SRTP_REPLAY;
	srtp_index_use(&s->index, *index);
	return SRTP_OK;
}

static void seal_aead(struct srtp *u, struct srtp_row *row, const struct work *k)
{
	const struct srtp_stream *s = &u->stream[SRTP_OUT][row->leg];
	uint8_t *body = row->data + k->head;
	unsigned len = (unsigned)row->len - k->head;
	uint8_t iv[12];

	srtp_iv_gcm(iv, s->salt, s->ssrc, k->index);
	srtp_gcm_seal(u->mb, s, &u->wide[SRTP_OUT][row->leg], body, len, iv, row->data, k->head,
		      body + len);
	memcpy(body + len + 16, u->cold[row->leg].rtp[SRTP_OUT].mki, s->mki_len);
	row->len = (uint16_t)(row->len + 16 + s->mki_len);
}

static void prepare(struct srtp *u, struct srtp_row *row, struct work *k)
{
	struct srtp_stream *s = &u->stream[SRTP_OUT][row->leg];

	k->tag = false;
	k->head = srtp_header_len(row->data, row->len);
	row->verdict = SRTP_SHORT;
	if (k->head == 0 || row->len > SRTP_PACKET_MAX || !(s->flags & SRTP_HAS_KEYS))
		return;
	row->verdict = number(s, be32_get(row->data + 8), be16_get(row->data + 2), &k->index);
	if (row->verdict != SRTP_OK)
		return;
	if (s->aead)
		seal_aead(u, row, k);
	else
		k->tag = true;
}

static void encrypt(struct srtp *u, const struct srtp_row *row, const struct work *work, unsigned n)
{
	struct srtp_scratch *x = u->scratch;
	unsigned shorts = 0, longs = SRTP_BURST;

	for (unsigned i = 0; i < n; i++) {
		const struct work *k = &work[i];
		unsigned len = (unsigned)row[i].len - k->head;

		if (!k->tag || len == 0)
			continue;

		const struct srtp_stream *s = &u->stream[SRTP_OUT][row[i].leg];
		unsigned at = s->wide ? --longs : shorts++;

		srtp_iv_cm(x->iv[at], s->salt, be32_get(row[i].data + 8), k->index);
		srtp_job_cipher(&x->cipher[at], s, &u->wide[SRTP_OUT][row[i].leg],
				row[i].data + k->head, len, x->iv[at]);
	}
	srtp_jobs_cipher(u->mb, x->cipher, shorts, 16);
	srtp_jobs_cipher(u->mb, x->cipher + longs, SRTP_BURST - longs, 32);
}

static void tag(struct srtp *u, struct srtp_row *row, const struct work *work, unsigned n)
{
	struct srtp_scratch *x = u->scratch;
	unsigned hashes = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!work[i].tag)
			continue;
		be32_put(row[i].data + row[i].len, (uint32_t)(work[i].index >> 16));
		srtp_job_hash(&x->hash[hashes], &u->stream[SRTP_OUT][row[i].leg], row[i].data,
			      row[i].len + 4u, x->digest[hashes]);
		hashes++;
	}
	srtp_jobs_hash(u->mb, x->hash, hashes);
	hashes = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!work[i].tag)
			continue;

		const struct srtp_stream *s = &u->stream[SRTP_OUT][row[i].leg];
		uint8_t *after = row[i].data + row[i].len;

		if (s->mki_len != 0)
			memcpy(after, u->cold[row[i].leg].rtp[SRTP_OUT].mki, s->mki_len);
		srtp_tag_copy(after + s->mki_len, x->digest[hashes++], s->tag_len);
		row[i].len = (uint16_t)(row[i].len + s->mki_len + s->tag_len);
	}
}

void srtp_rtp_seal(struct srtp *u, struct srtp_row *row, unsigned n)
{
	struct work work[SRTP_BURST];

	if (u->way == SRTP_WAY_LIBRARY) {
		for (unsigned i = 0; i < n; i++)
			srtp_library_rtp_seal(u, &row[i]);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		prepare(u, &row[i], &work[i]);
	encrypt(u, row, work, n);
	tag(u, row, work, n);
}
