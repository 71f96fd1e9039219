/* SPDX-License-Identifier: Apache-2.0 */
#include "gen_srtp.h"

#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "srtp/srtp.h"

_Static_assert((int)GEN_SRTP_MANY == (int)SRTP_BURST, "one call of the unit");

struct gen_srtp {
	srtp_t library; /* NULL: it speaks by the unit */
	uint8_t key[30];
};

/* Place 0 is that of the one that is open. */
static struct srtp *unit;

bool gen_srtp_begin(void)
{
	if (srtp_init() != srtp_err_status_ok)
		return false;
	unit = aligned_alloc(64, (srtp_unit_bytes(1) + 63) & ~(size_t)63);
	return unit != NULL && srtp_unit_init(unit, 1, SRTP_WAY_AUTO) == 0;
}

static bool library_open(struct gen_srtp *s, bool sends)
{
	srtp_policy_t policy = {0};

	srtp_crypto_policy_set_rtp_default(&policy.rtp);
	srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	policy.ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
	policy.key = s->key;
	policy.window_size = 1024;
	return srtp_create(&s->library, &policy) == srtp_err_status_ok;
}

static bool unit_open(const struct gen_srtp *s)
{
	struct srtp_keys keys = {.receive.suite = SRTP_CM128_SHA80, .send.suite = SRTP_CM128_SHA80};

	memcpy(keys.receive.master, s->key, sizeof(s->key));
	memcpy(keys.send.master, s->key, sizeof(s->key));
	return srtp_keys_set(unit, 0, &keys) == 0;
}

struct gen_srtp *gen_srtp_open(uint32_t number, const uint8_t *key, bool sends)
{
	struct gen_srtp *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	memcpy(s->key, key, sizeof(s->key));
	if (number % GEN_SRTP_PROOF == 0 ? library_open(s, sends) : unit_open(s))
		return s;
	free(s);
	return NULL;
}

void gen_srtp_close(struct gen_srtp *s)
{
	if (s == NULL)
		return;
	if (s->library != NULL)
		(void)srtp_dealloc(s->library);
	else
		srtp_close(unit, 0);
	free(s);
}

static void by_library(struct gen_srtp *s, struct gen_srtp_packet *p, unsigned n,
		       srtp_err_status_t (*work)(srtp_t session, void *packet, int *len))
{
	for (unsigned i = 0; i < n; i++) {
		int len = p[i].len;

		p[i].good = work(s->library, p[i].data, &len) == srtp_err_status_ok;
		p[i].len = (uint16_t)len;
	}
}

static void by_unit(struct gen_srtp_packet *p, unsigned n,
		    void (*work)(struct srtp *unit, struct srtp_row *row, unsigned n))
{
	struct srtp_row row[GEN_SRTP_MANY];

	for (unsigned i = 0; i < n; i++)
		row[i] = (struct srtp_row){.data = p[i].data, .len = p[i].len};
	work(unit, row, n);
	for (unsigned i = 0; i < n; i++) {
		p[i].good = row[i].verdict == SRTP_OK;
		p[i].len = row[i].len;
	}
}

void gen_srtp_protect(struct gen_srtp *s, struct gen_srtp_packet *p, unsigned n)
{
	if (s->library != NULL)
		by_library(s, p, n, srtp_protect);
	else
		by_unit(p, n, srtp_rtp_seal);
}

void gen_srtp_unprotect(struct gen_srtp *s, struct gen_srtp_packet *p, unsigned n)
{
	if (s->library != NULL)
		by_library(s, p, n, srtp_unprotect);
	else
		by_unit(p, n, srtp_rtp_open);
}

bool gen_srtp_protect_rtcp(struct gen_srtp *s, uint8_t *rtcp, int *len)
{
	uint16_t sealed = (uint16_t)*len;

	if (s->library != NULL)
		return srtp_protect_rtcp(s->library, rtcp, len) == srtp_err_status_ok;
	if (srtp_rtcp_seal(unit, 0, rtcp, &sealed) != SRTP_OK)
		return false;
	*len = sealed;
	return true;
}
