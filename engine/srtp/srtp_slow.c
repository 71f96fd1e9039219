/* SPDX-License-Identifier: Apache-2.0
 *
 * What a stream's four cache lines do not say: a source that was not the last one, the key before the
 * present one, a rollover counter that has to be found. One packet, each possibility tried in turn; the one
 * whose tag is right is the truth.
 *
 * A stranger can make a leg that has heard nothing yet, or whose source he imitates, spend some tags
 * per packet; a leg that hears its peer refuses him at the first.
 */
#include <string.h>

#include "srtp/srtp_priv.h"

enum { CANDIDATES = 6, PROBES = 4 };

struct
try {
	const struct srtp_stream *s; /* key schedules and salt */
	const struct srtp_wide *w;
	const struct srtp_session *session;
	uint16_t head, body;
	uint32_t ssrc;
};

static bool open_tag(struct srtp *u, struct srtp_row *row, const struct try *t, uint64_t index)
{
	const struct srtp_suite_info *info = srtp_suite_of((enum srtp_suite)t->s->suite);
	uint8_t *after = row->data + t->head + t->body;
	uint8_t trailer[SRTP_MKI_MAX + 10], digest[SRTP_AUTH_LEN], iv[16];
	size_t len = (size_t)t->s->mki_len + info->tag_len;
	IMB_JOB job;

	memcpy(trailer, after, len);
	be32_put(after, (uint32_t)(index >> 16));
	memset(&job, 0, sizeof(job));
	srtp_job_hash(&job, t->s, row->data, (unsigned)t->head + t->body + 4, digest);
	srtp_jobs_hash(u->mb, &job, 1);
	memcpy(after, trailer, len);
	if (!srtp_tag_same(digest, trailer + t->s->mki_len, info->tag_len))
		return false;
	if (t->body == 0)
		return true;
	srtp_iv_cm(iv, t->s->salt, t->ssrc, index);
	srtp_job_cipher(&job, t->s, t->w, row->data + t->head, t->body, iv);
	srtp_jobs_cipher(u->mb, &job, 1, info->key_len);
	return true;
}

static bool open_aead(struct srtp *u, struct srtp_row *row, const struct try *t, uint64_t index)
{
	uint8_t *body = row->data + t->head;
	uint8_t iv[12];

	srtp_iv_gcm(iv, t->s->salt, t->ssrc, index);
	if (!srtp_gcm_open(u->mb, t->s, t->w, u->scratch->packet, body, t->body, iv, row->data,
			   t->head, body + t->body))
		return false;
	memcpy(body, u->scratch->packet, t->body);
	srtp_key_wipe(u->scratch->packet, t->body);
	return true;
}

/* Where the state of a source is kept: in the stream, among those before it, or nowhere (NULL). */
static struct srtp_index *index_of(struct srtp_stream *s, struct srtp_cold *c, uint32_t ssrc)
{
	if ((s->flags & SRTP_HAS_SOURCE) && s->ssrc == ssrc)
		return &s->index;
	for (unsigned i = 0; i < SRTP_SOURCES; i++)
		if (c->source[i].valid && c->source[i].ssrc == ssrc)
			return &c->source[i].index;
	return NULL;
}

/* Make a source the current one; the one before it is remembered in its place, or in the oldest's. */
static void source_take(struct srtp_stream *s, struct srtp_cold *c, uint32_t ssrc)
{
	struct srtp_source_seen mine = {.ssrc = ssrc, .valid = true};
	unsigned at = 0;

	if ((s->flags & SRTP_HAS_SOURCE) && s->ssrc == ssrc)
		return;
	while (at < SRTP_SOURCES - 1 && !(c->source[at].valid && c->source[at].ssrc == ssrc))
		at++;
	if (c->source[at].valid && c->source[at].ssrc == ssrc)
		mine = c->source[at];
	memmove(&c->source[1], &c->source[0], at * sizeof(c->source[0]));
	c->source[0] = (struct srtp_source_seen){
		.ssrc = s->ssrc, .valid = (s->flags & SRTP_HAS_SOURCE) != 0, .index = s->index};
	s->ssrc = ssrc;
	s->index = mine.index;
	s->flags |= SRTP_HAS_SOURCE;
}

/* The indices that the packet may have, likeliest first. */
static unsigned candidates(struct srtp_cold *c, const struct srtp_index *known, uint16_t seq,
			   bool older, uint64_t *index)
{
	unsigned n = 0;

	if (known != NULL) {
		index[n++] = srtp_index_guess(known, seq);
		index[n] = index[0] + 0x10000; /* a wrap was missed */
		n++;
		if (!older && !c->proven && index[0] > UINT16_MAX)
			index[n++] = seq; /* began again with the new key */
		return n;
	}
	index[n++] = seq;
	for (unsigned i = 0; i < PROBES && !older && !c->proven; i++)
		index[n++] = (uint64_t)(1 + (c->probe + i) % (SRTP_ROC_PROBE - 1)) << 16 | seq;
	return n;
}

static void opened(struct srtp *u, struct srtp_row *row, const struct try *t, bool older,
		   uint64_t index)
{
	struct srtp_stream *s = &u->stream[SRTP_IN][row->leg];
	struct srtp_cold *c = &u->cold[row->leg];
	bool known = index_of(s, c, t->ssrc) != NULL;

	source_take(s, c, t->ssrc);
	if (!known || srtp_index_ask(&s->index, index) != SRTP_INDEX_NEW)
		srtp_index_start(&s->index, (uint32_t)(index >> 16), (uint16_t)index);
	srtp_index_use(&s->index, index);
	row->len = (uint16_t)(t->head + t->body);
	row->verdict = SRTP_OK;
	if (older)
		return;
	c->proven = true;
	if (c->before.suite != SRTP_NO_SUITE && c->settle-- == 0) {
		srtp_key_wipe(&c->before, sizeof(c->before));
		srtp_key_wipe(&c->rtcp_before, sizeof(c->rtcp_before));
	}
	if (c->before.suite == SRTP_NO_SUITE)
		s->flags = (uint8_t)(s->flags & ~SRTP_COLD);
}

/* Try one set of keys. */
static bool try_keys(struct srtp *u, struct srtp_row *row, struct try *t, bool older)
{
	struct srtp_stream *s = &u->stream[SRTP_IN][row->leg];
	struct srtp_cold *c = &u->cold[row->leg];
	const struct srtp_suite_info *info = srtp_suite_of((enum srtp_suite)t->session->suite);
	unsigned trailer = (unsigned)info->tag_len + t->session->mki_len;
	const struct srtp_index *known = index_of(s, c, t->ssrc);
	uint64_t index[CANDIDATES];

	if (row->len < t->head + trailer)
		return false;
	t->body = (uint16_t)(row->len - t->head - trailer);
	if (!srtp_same(row->data + t->head + t->body + (info->aead ? 16 : 0), t->session->mki,
		       t->session->mki_len))
		return false;

	unsigned n = candidates(c, known, be16_get(row->data + 2), older, index);

	for (unsigned i = 0; i < n; i++) {
		bool again = known != NULL && i < 2; /* the third begins anew */

		if (index[i] > SRTP_INDEX_MAX)
			continue;
		if (again && srtp_index_ask(known, index[i]) != SRTP_INDEX_NEW) {
			row->verdict = SRTP_REPLAY;
			continue;
		}
		if (info->aead ? open_aead(u, row, t, index[i]) : open_tag(u, row, t, index[i])) {
			opened(u, row, t, older, index[i]);
			return true;
		}
	}
	if (!older && known == NULL && !c->proven)
		c->probe = (c->probe + PROBES) % (SRTP_ROC_PROBE - 1);
	return false;
}

void srtp_slow_open(struct srtp *u, struct srtp_row *row)
{
	struct srtp_cold *c = &u->cold[row->leg];
	struct try t = {.s = &u->stream[SRTP_IN][row->leg],
			.w = &u->wide[SRTP_IN][row->leg],
			.session = &c->rtp[SRTP_IN],
			.head = srtp_header_len(row->data, row->len),
			.ssrc = be32_get(row->data + 8)};

	row->verdict = SRTP_AUTH;
	if (try_keys(u, row, &t, false) || c->before.suite == SRTP_NO_SUITE)
		return;
	srtp_expand(u->mb, &c->before, &u->scratch->stream, &u->scratch->wide);
	t.s = &u->scratch->stream;
	t.w = &u->scratch->wide;
	t.session = &c->before;
	try_keys(u, row, &t, true);
	srtp_key_wipe(&u->scratch->stream, sizeof(u->scratch->stream));
	srtp_key_wipe(&u->scratch->wide, sizeof(u->scratch->wide));
}
