/* SPDX-License-Identifier: Apache-2.0 */
#include "gen_srtp.h"

#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

struct gen_srtp {
	srtp_t session;
	uint8_t key[30];
};

bool gen_srtp_begin(void)
{
	return srtp_init() == srtp_err_status_ok;
}

struct gen_srtp *gen_srtp_open(const uint8_t *key, bool sends)
{
	struct gen_srtp *s = calloc(1, sizeof(*s));
	srtp_policy_t policy = {0};

	if (s == NULL)
		return NULL;
	memcpy(s->key, key, sizeof(s->key));
	srtp_crypto_policy_set_rtp_default(&policy.rtp);
	srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	policy.ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
	policy.key = s->key;
	policy.window_size = 1024;
	if (srtp_create(&s->session, &policy) == srtp_err_status_ok)
		return s;
	free(s);
	return NULL;
}

void gen_srtp_close(struct gen_srtp *s)
{
	if (s == NULL)
		return;
	(void)srtp_dealloc(s->session);
	free(s);
}

bool gen_srtp_protect(struct gen_srtp *s, uint8_t *rtp, int *len)
{
	return srtp_protect(s->session, rtp, len) == srtp_err_status_ok;
}

bool gen_srtp_protect_rtcp(struct gen_srtp *s, uint8_t *rtcp, int *len)
{
	return srtp_protect_rtcp(s->session, rtcp, len) == srtp_err_status_ok;
}

bool gen_srtp_unprotect(struct gen_srtp *s, uint8_t *rtp, int *len)
{
	return srtp_unprotect(s->session, rtp, len) == srtp_err_status_ok;
}
