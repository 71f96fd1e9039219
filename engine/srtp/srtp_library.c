/* SPDX-License-Identifier: Apache-2.0
 *
 * The library way: libsrtp2, a session per leg and direction, a packet at a time.
 *
 * It follows the same contract with three shades: an unknown rollover counter is not searched for;
 * sources are remembered without bound, as the library does; and with the _32 suites and an MKI, what comes
 * in as SRTCP is refused, because libsrtp2 2.5 looks for its MKI in front of a tag as short as RTP's.
 *
 * libsrtp2 keeps sources apart by itself once it has a template for any source; a source whose rollover
 * counter must go on under a new key gets a stream of its own before its first packet.
 */
#include <errno.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "srtp/srtp_priv.h"

static void suite_set(srtp_policy_t *p, enum srtp_suite suite)
{
	static void (*const set[SRTP_SUITES])(srtp_crypto_policy_t *) = {
		[SRTP_CM128_SHA80] = srtp_crypto_policy_set_rtp_default,
		[SRTP_CM128_SHA32] = srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
		[SRTP_CM256_SHA80] = srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		[SRTP_CM256_SHA32] = srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
		[SRTP_GCM128] = srtp_crypto_policy_set_aes_gcm_128_16_auth,
		[SRTP_GCM256] = srtp_crypto_policy_set_aes_gcm_256_16_auth,
	};

	set[suite](&p->rtp);
	if (suite == SRTP_CM128_SHA32)
		srtp_crypto_policy_set_rtcp_default(&p->rtcp);
	else if (suite == SRTP_CM256_SHA32)
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
	else
		set[suite](&p->rtcp);
}

/* A session; with `roc`, one whose source `ssrc` goes on at that rollover counter. */
static srtp_t session_make(const struct srtp_key *key, bool out, const uint32_t *roc, uint32_t ssrc)
{
	struct srtp_key mine = *key;
	srtp_master_key_t master = {
		.key = mine.master, .mki_id = mine.mki, .mki_size = mine.mki_len};
	srtp_master_key_t *masters[] = {&master};
	srtp_policy_t p;
	srtp_t session = NULL;

	memset(&p, 0, sizeof(p));
	suite_set(&p, (enum srtp_suite)key->suite);
	p.ssrc.type = out ? ssrc_any_outbound : ssrc_any_inbound;
	p.window_size = SRTP_WINDOW;
	if (mine.mki_len != 0) {
		p.keys = masters;
		p.num_master_keys = 1;
	} else {
		p.key = mine.master;
	}
	if (srtp_create(&session, &p) != srtp_err_status_ok)
		session = NULL;
	if (session != NULL && roc != NULL && *roc != 0) {
		p.ssrc = (srtp_ssrc_t){.type = ssrc_specific, .value = ssrc};
		if (srtp_add_stream(session, &p) != srtp_err_status_ok ||
		    srtp_set_stream_roc(session, ssrc, *roc) != srtp_err_status_ok) {
			srtp_dealloc(session);
			session = NULL;
		}
	}
	srtp_key_wipe(&mine, sizeof(mine));
	return session;
}

/* The library starts once for the process and calls a second time an error; whether it works is seen by
 * using it. */
int srtp_library_start(void)
{
	const struct srtp_key any = {.suite = SRTP_CM128_SHA80};
	srtp_t trial;

	(void)srtp_init();
	trial = session_make(&any, true, NULL, 0);
	if (trial == NULL)
		return -ENOMEM;
	srtp_dealloc(trial);
	return 0;
}

static void drop(void **session)
{
	if (*session != NULL)
		srtp_dealloc((srtp_t)*session);
	*session = NULL;
}

/* The master key is kept as the session key would be, to know it again. */
static bool key_same(const struct srtp_session *s, const struct srtp_key *k)
{
	return s->suite == k->suite && s->mki_len == k->mki_len &&
	       srtp_same(s->mki, k->mki, sizeof(s->mki)) &&
	       srtp_same(s->key, k->master, sizeof(s->key)) &&
	       srtp_same(s->salt, k->master + sizeof(s->key), sizeof(s->salt));
}

static void key_keep(struct srtp_session *s, const struct srtp_key *k)
{
	s->suite = k->suite;
	s->mki_len = k->mki_len;
	memcpy(s->mki, k->mki, sizeof(s->mki));
	memcpy(s->key, k->master, sizeof(s->key));
	memcpy(s->salt, k->master + sizeof(s->key), sizeof(s->salt));
}

static int way_set(struct srtp *u, uint32_t leg, unsigned way, const struct srtp_key *key,
		   bool fresh)
{
	struct srtp_cold *c = &u->cold[leg];
	uint32_t roc = 0, ssrc = c->library_ssrc[way];
	void *old = c->library[way];
	bool go_on = old != NULL && !fresh &&
		     srtp_get_stream_roc((srtp_t)old, ssrc, &roc) == srtp_err_status_ok;

	if (old != NULL && key_same(&c->rtp[way], key))
		return 0;

	srtp_t session = session_make(key, way == SRTP_OUT, go_on ? &roc : NULL, ssrc);

	if (session == NULL)
		return -ENOMEM;
	if (way == SRTP_IN && old != NULL && !fresh) {
		drop(&c->library_before);
		c->library_before = old;
		c->before = c->rtp[way];
		c->settle = SRTP_SETTLE;
	} else {
		drop(&c->library[way]);
	}
	c->library[way] = session;
	key_keep(&c->rtp[way], key);
	u->stream[way][leg].suite = key->suite;
	u->stream[way][leg].mki_len = key->mki_len;
	u->stream[way][leg].flags |= SRTP_HAS_KEYS;
	return 0;
}

int srtp_library_set(struct srtp *u, uint32_t leg, const struct srtp_keys *keys)
{
	int err = way_set(u, leg, SRTP_IN, &keys->receive, keys->fresh);

	if (err == 0)
		err = way_set(u, leg, SRTP_OUT, &keys->send, keys->fresh);
	if (err != 0)
		srtp_close(u, leg);
	return err;
}

void srtp_library_close(struct srtp *u, uint32_t leg)
{
	struct srtp_cold *c = &u->cold[leg];

	drop(&c->library[SRTP_IN]);
	drop(&c->library[SRTP_OUT]);
	drop(&c->library_before);
}

static enum srtp_verdict verdict_of(srtp_err_status_t status)
{
	if (status == srtp_err_status_ok)
		return SRTP_OK;
	if (status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old ||
	    status == srtp_err_status_key_expired || status == srtp_err_status_pkt_idx_old)
		return SRTP_REPLAY;
	if (status == srtp_err_status_bad_param || status == srtp_err_status_parse_err)
		return SRTP_SHORT;
	return SRTP_AUTH;
}

static void settle(struct srtp_cold *c)
{
	if (c->library_before == NULL || c->settle-- != 0)
		return;
	drop(&c->library_before);
	srtp_key_wipe(&c->before, sizeof(c->before));
}

void srtp_library_rtp_open(struct srtp *u, struct srtp_row *row)
{
	struct srtp_cold *c = &u->cold[row->leg];
	uint8_t *copy = u->scratch->packet;
	int len = row->len;

	row->verdict = SRTP_SHORT;
	if (srtp_header_len(row->data, row->len) == 0 || row->len > SRTP_PACKET_MAX ||
	    c->library[SRTP_IN] == NULL)
		return;
	if (c->library_before != NULL)
		memcpy(copy, row->data, row->len);
	row->verdict = (uint8_t)verdict_of(srtp_unprotect_mki(
		(srtp_t)c->library[SRTP_IN], row->data, &len, c->rtp[SRTP_IN].mki_len != 0));
	if (row->verdict == SRTP_OK) {
		c->library_ssrc[SRTP_IN] = be32_get(row->data + 8);
		settle(c);
	} else if (c->library_before != NULL) {
		len = row->len;
		memcpy(row->data, copy, row->len);
		row->verdict = (uint8_t)verdict_of(srtp_unprotect_mki(
			(srtp_t)c->library_before, row->data, &len, c->before.mki_len != 0));
	}
	if (row->verdict == SRTP_OK)
		row->len = (uint16_t)len;
}

void srtp_library_rtp_seal(struct srtp *u, struct srtp_row *row)
{
	struct srtp_cold *c = &u->cold[row->leg];
	int len = row->len;

	row->verdict = SRTP_SHORT;
	if (srtp_header_len(row->data, row->len) == 0 || row->len > SRTP_PACKET_MAX ||
	    c->library[SRTP_OUT] == NULL)
		return;
	row->verdict = (uint8_t)verdict_of(srtp_protect_mki(
		(srtp_t)c->library[SRTP_OUT], row->data, &len, c->rtp[SRTP_OUT].mki_len != 0, 0));
	c->library_ssrc[SRTP_OUT] = be32_get(row->data + 8);
	if (row->verdict == SRTP_OK)
		row->len = (uint16_t)len;
}

enum srtp_verdict srtp_library_rtcp(struct srtp *u, uint32_t leg, uint8_t *data, uint16_t *len,
				    bool seal)
{
	struct srtp_cold *c = &u->cold[leg];
	void *session = c->library[seal ? SRTP_OUT : SRTP_IN];
	unsigned mki = c->rtp[seal ? SRTP_OUT : SRTP_IN].mki_len != 0;
	int n = *len;
	enum srtp_verdict verdict;

	if (session == NULL || *len < SRTP_RTCP_MIN || *len > SRTP_PACKET_MAX || data[0] >> 6 != 2)
		return SRTP_SHORT;
	memcpy(u->scratch->packet, data, *len);
	verdict = verdict_of(seal ? srtp_protect_rtcp_mki((srtp_t)session, data, &n, mki, 0)
				  : srtp_unprotect_rtcp_mki((srtp_t)session, data, &n, mki));
	if (verdict != SRTP_OK && !seal && c->library_before != NULL) {
		n = *len;
		memcpy(data, u->scratch->packet, *len);
		verdict = verdict_of(srtp_unprotect_rtcp_mki((srtp_t)c->library_before, data, &n,
							     c->before.mki_len != 0));
	}
	if (verdict == SRTP_OK)
		*len = (uint16_t)n;
	return verdict;
}
