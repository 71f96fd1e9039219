/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a party's media may be encrypted, by configuration and by the way its signalling goes: keys in SDP are
 * worth something only where the SDP is hidden.
 */
#include <string.h>

#include "call/calls.h"
#include "sip/registrar.h"
#include "srtp/srtp_suite.h"

/* All phones of a user are rung with one offer: over TLS only if every one is reached so. */
static bool phones_by_tls(const struct centre *c, const char *user)
{
	struct registrar_contact contact[REGISTRAR_CONTACTS_MAX];
	size_t n = registrar_lookup(sip_stack_registrar(c->sip), user, contact,
				    REGISTRAR_CONTACTS_MAX);

	for (size_t i = 0; i < n; i++)
		if (contact[i].source.transport != SIP_OVER_TLS)
			return false;
	return n > 0;
}

static void set(struct party *p, enum config_srtp policy, bool tls)
{
	const struct config *c = p->call->centre->config;

	if (!tls && !c->srtp_without_tls && policy == CONFIG_SRTP_OPTIONAL)
		policy = CONFIG_SRTP_OFF;
	p->local.srtp = (enum sip_srtp)policy;
	p->local.srtp_suites = c->n_srtp_suites;
	memcpy(p->local.srtp_suite_list, c->srtp_suites, sizeof(p->local.srtp_suite_list));
}

void party_srtp_invite(struct party *p, const char *user, const struct config_trunk *trunk)
{
	const struct centre *c = p->call->centre;

	if (trunk != NULL)
		set(p, trunk->srtp, trunk->transport == CONFIG_TLS);
	else
		set(p, c->config->srtp, phones_by_tls(c, user));
}

void party_srtp_answer(struct party *p)
{
	const struct config *c = p->call->centre->config;
	const struct sip_call_info *info = sip_call_info(p->sip);
	const struct config_trunk *trunk = config_trunk_named(c, info->trunk_name);

	set(p, trunk != NULL ? trunk->srtp : c->srtp, info->peer.transport == SIP_OVER_TLS);
}

void party_srtp_again(struct party *p)
{
	const struct sip_media *m = p->sip != NULL ? sip_call_remote(p->sip) : NULL;

	if (m == NULL)
		return;
	set(p, m->srtp_agreed != SRTP_NO_SUITE ? CONFIG_SRTP_REQUIRED : CONFIG_SRTP_OFF, true);
}

bool party_srtp_known(const struct sip_media *m)
{
	return m->srtp_agreed == SRTP_NO_SUITE || m->srtp_send[0] != '\0';
}

json_t *party_srtp_json(const struct sip_media *m)
{
	json_t *receive;

	if (m->srtp_agreed == SRTP_NO_SUITE)
		return json_null();
	receive = json_pack("{s:s}", "key", m->srtp_receive);
	if (m->srtp_mki[0] != '\0')
		json_object_set_new(receive, "mki", json_string(m->srtp_mki));
	return json_pack("{s:s, s:o, s:{s:s}}", "suite",
			 srtp_suite_of((enum srtp_suite)m->srtp_agreed)->name, "receive", receive,
			 "send", "key", m->srtp_send);
}

const char *party_srtp_name(const struct party *p)
{
	const struct sip_media *m = p->sip != NULL ? sip_call_remote(p->sip) : NULL;

	if (m == NULL || m->srtp_agreed == SRTP_NO_SUITE)
		return NULL;
	return srtp_suite_of((enum srtp_suite)m->srtp_agreed)->name;
}
