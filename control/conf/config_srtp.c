/* SPDX-License-Identifier: Apache-2.0
 *
 * Encryption: whose media, with which suites, and the certificate of the listeners that carry the keys.
 */
#include <string.h>

#include "conf/config_priv.h"
#include "srtp/srtp_suite.h"

void config_read_srtp(const struct schema *s, const struct tree *t, enum config_srtp *out)
{
	static const char *const words[] = {"off", "optional", "required"};
	const struct tree *m = tree_get(t, "srtp");
	unsigned i;

	if (m != NULL && schema_word(s, m, "srtp", words, 3, &i))
		*out = (enum config_srtp)i;
}

void config_read_srtp_suites(const struct schema *s, const struct tree *t, struct config *c)
{
	const struct tree *list = tree_get(t, "srtp_suites");

	if (list == NULL || !schema_kind(s, list, "srtp_suites", TREE_LIST))
		return;
	for (const struct tree *m = list->first; m != NULL; m = m->next) {
		const char *text;
		enum srtp_suite suite;

		if (!schema_text(s, m, "a suite", 1, 40, &text))
			return;
		suite = srtp_suite_named(text, strlen(text));
		if (suite == SRTP_NO_SUITE || c->n_srtp_suites == CONFIG_SRTP_SUITES_MAX) {
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "\"%s\" is no suite, or one too many; there are "
				 "AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32, "
				 "AES_256_CM_HMAC_SHA1_80, AES_256_CM_HMAC_SHA1_32, "
				 "AEAD_AES_128_GCM and AEAD_AES_256_GCM",
				 text);
			return;
		}
		for (unsigned i = 0; i < c->n_srtp_suites; i++)
			if (c->srtp_suites[i] == suite) {
				complain(s->c, COMPLAINT_ERROR, m->at, "%s is there twice", text);
				return;
			}
		c->srtp_suites[c->n_srtp_suites++] = (uint8_t)suite;
	}
}

/* Keys that anybody on the way can read protect nobody. */
void config_check_srtp(const struct schema *s, const struct tree *sip, const struct config *c)
{
	bool tls = false;

	for (unsigned i = 0; i < c->n_listen; i++)
		tls = tls || c->listen[i].transport == CONFIG_TLS;
	if (tls && c->tls_certificate[0] == '\0')
		complain(s->c, COMPLAINT_ERROR, sip->at,
			 "a tls: listener needs \"tls_certificate\", a PEM file with certificate "
			 "and key");
	if (c->srtp == CONFIG_SRTP_REQUIRED && !tls && !c->srtp_without_tls)
		complain(s->c, COMPLAINT_ERROR, sip->at,
			 "srtp: required without a tls: listener lets nobody call; add one, or say "
			 "\"srtp_without_tls: true\"");
}
