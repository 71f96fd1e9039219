/* SPDX-License-Identifier: Apache-2.0
 *
 * A unit: its memory, and keys that come, change and go.
 */
#include "srtp/srtp.h"

#include <errno.h>
#include <string.h>

#include "base/must.h"
#include "srtp/srtp_priv.h"

static size_t lines(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

size_t srtp_unit_bytes(uint32_t legs)
{
	return lines(sizeof(struct srtp)) + lines(sizeof(struct srtp_scratch)) +
	       legs * (SRTP_WAYS * (sizeof(struct srtp_stream) + sizeof(struct srtp_wide)) +
		       lines(sizeof(struct srtp_cold)));
}

static bool usable(const IMB_MGR *mb)
{
	const uint64_t need = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AVX |
			      IMB_FEATURE_SELF_TEST | IMB_FEATURE_SELF_TEST_PASS;

	return mb != NULL && (mb->features & need) == need &&
	       (mb->features & IMB_FEATURE_AESNI_EMU) == 0;
}

static IMB_MGR *manager(void)
{
	IMB_MGR *mb = alloc_mb_mgr(0);

	if (mb != NULL)
		init_mb_mgr_auto(mb, NULL);
	if (usable(mb))
		return mb;
	if (mb != NULL)
		free_mb_mgr(mb);
	return NULL;
}

bool srtp_burst_works(void)
{
	IMB_MGR *mb = manager();

	if (mb == NULL)
		return false;
	free_mb_mgr(mb);
	return true;
}

int srtp_unit_init(struct srtp *u, uint32_t legs, enum srtp_way way)
{
	uint8_t *at = (uint8_t *)u + lines(sizeof(*u));

	memset(u, 0, srtp_unit_bytes(legs));
	u->legs = legs;
	u->scratch = (struct srtp_scratch *)(void *)at;
	at += lines(sizeof(*u->scratch));
	for (unsigned i = 0; i < SRTP_WAYS; i++, at += legs * sizeof(struct srtp_stream))
		u->stream[i] = (struct srtp_stream *)(void *)at;
	for (unsigned i = 0; i < SRTP_WAYS; i++, at += legs * sizeof(struct srtp_wide))
		u->wide[i] = (struct srtp_wide *)(void *)at;
	u->cold = (struct srtp_cold *)(void *)at;
	if (way != SRTP_WAY_LIBRARY)
		u->mb = manager();
	if (way == SRTP_WAY_BURST && u->mb == NULL)
		return -ENOTSUP;
	u->way = u->mb != NULL ? SRTP_WAY_BURST : SRTP_WAY_LIBRARY;
	return u->way == SRTP_WAY_LIBRARY ? srtp_library_start() : 0;
}

void srtp_unit_fini(struct srtp *u)
{
	for (uint32_t leg = 0; leg < u->legs; leg++)
		srtp_close(u, leg);
	if (u->mb != NULL)
		free_mb_mgr(u->mb);
	u->mb = NULL;
	srtp_key_wipe(u->scratch, sizeof(*u->scratch));
}

enum srtp_way srtp_way_of(const struct srtp *u)
{
	return u->way;
}

static bool key_valid(const struct srtp_key *k)
{
	return k->suite > SRTP_NO_SUITE && k->suite < SRTP_SUITES && k->mki_len <= SRTP_MKI_MAX;
}

static bool session_same(const struct srtp_session *a, const struct srtp_session *b)
{
	return a->suite == b->suite && a->mki_len == b->mki_len &&
	       srtp_same(a->mki, b->mki, sizeof(a->mki)) &&
	       srtp_same(a->key, b->key, sizeof(a->key)) &&
	       srtp_same(a->auth, b->auth, sizeof(a->auth)) &&
	       srtp_same(a->salt, b->salt, sizeof(a->salt));
}

static void use(struct srtp *u, uint32_t leg, unsigned way, const struct srtp_session *rtp,
		const struct srtp_session *rtcp)
{
	struct srtp_stream *s = &u->stream[way][leg];
	struct srtp_cold *c = &u->cold[leg];

	c->rtp[way] = *rtp;
	c->rtcp[way] = *rtcp;
	srtp_expand(u->mb, rtp, s, &u->wide[way][leg]);
	s->flags |= SRTP_HAS_KEYS;
}

static void receive_set(struct srtp *u, uint32_t leg, const struct srtp_keys *keys)
{
	struct srtp_stream *s = &u->stream[SRTP_IN][leg];
	struct srtp_cold *c = &u->cold[leg];
	struct srtp_session rtp, rtcp;

	srtp_derive(u->mb, &keys->receive, &rtp, &rtcp);
	if (!session_same(&rtp, &c->rtp[SRTP_IN])) {
		if (keys->fresh) { /* nobody who has the old key sends any more */
			s->flags = (uint8_t)(s->flags & ~SRTP_HAS_SOURCE);
			memset(c->source, 0, sizeof(c->source));
			c->proven = false;
		} else if (c->proven) {
			c->before = c->rtp[SRTP_IN];
			c->rtcp_before = c->rtcp[SRTP_IN];
			c->settle = SRTP_SETTLE;
			c->proven = false;
		}
		memset(c->rtcp_source, 0, sizeof(c->rtcp_source));
		use(u, leg, SRTP_IN, &rtp, &rtcp);
		s->flags |= SRTP_COLD;
	}
	srtp_key_wipe(&rtp, sizeof(rtp));
	srtp_key_wipe(&rtcp, sizeof(rtcp));
}

static void send_set(struct srtp *u, uint32_t leg, const struct srtp_keys *keys)
{
	struct srtp_stream *s = &u->stream[SRTP_OUT][leg];
	struct srtp_cold *c = &u->cold[leg];
	struct srtp_session rtp, rtcp;

	srtp_derive(u->mb, &keys->send, &rtp, &rtcp);
	if (!session_same(&rtp, &c->rtp[SRTP_OUT])) {
		if (keys->fresh)
			s->flags = (uint8_t)(s->flags & ~SRTP_HAS_SOURCE);
		use(u, leg, SRTP_OUT, &rtp, &rtcp);
	}
	srtp_key_wipe(&rtp, sizeof(rtp));
	srtp_key_wipe(&rtcp, sizeof(rtcp));
}

int srtp_keys_set(struct srtp *u, uint32_t leg, const struct srtp_keys *keys)
{
	must(leg < u->legs);
	if (!key_valid(&keys->receive) || !key_valid(&keys->send))
		return -EINVAL;
	if (u->way == SRTP_WAY_LIBRARY)
		return srtp_library_set(u, leg, keys);
	receive_set(u, leg, keys);
	send_set(u, leg, keys);
	return 0;
}

void srtp_close(struct srtp *u, uint32_t leg)
{
	if (!srtp_has_keys(u, leg))
		return;
	if (u->way == SRTP_WAY_LIBRARY)
		srtp_library_close(u, leg);
	for (unsigned i = 0; i < SRTP_WAYS; i++) {
		srtp_key_wipe(&u->stream[i][leg], sizeof(u->stream[i][leg]));
		srtp_key_wipe(&u->wide[i][leg], sizeof(u->wide[i][leg]));
	}
	srtp_key_wipe(&u->cold[leg], sizeof(u->cold[leg]));
}

bool srtp_has_keys(const struct srtp *u, uint32_t leg)
{
	return (u->stream[SRTP_IN][leg].flags & SRTP_HAS_KEYS) != 0;
}

enum srtp_suite srtp_suite_in_use(const struct srtp *u, uint32_t leg)
{
	return (enum srtp_suite)u->stream[SRTP_OUT][leg].suite;
}

struct srtp_counts srtp_counts_of(const struct srtp *u, uint32_t leg)
{
	return u->cold[leg].counts;
}

void srtp_fetch(const struct srtp *u, uint32_t leg, bool seal)
{
	const struct srtp_stream *s = &u->stream[seal ? SRTP_OUT : SRTP_IN][leg];
	const uint8_t *at = (const uint8_t *)s;

	/* The index and the states of the hash. */
	__builtin_prefetch(at + 192, 1);
	__builtin_prefetch(at + 128, 0);
	if (!seal)
		return; /* the cipher's keys come later: srtp_rtp_open() fetches them beside the hashes */
	__builtin_prefetch(at, 0);
	__builtin_prefetch(at + 64, 0);
}
