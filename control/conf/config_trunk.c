/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `trunks`: where calls to and from numbers outside go.
 */
#include <string.h>

#include "conf/config_priv.h"

#define OF(type, member) offsetof(struct type, member)
#define COUNT(a)         (sizeof(a) / sizeof((a)[0]))

static const struct field trunk_fields[] = {
	{"name", FIELD_NAME, OF(config_trunk, name), 0, 0},
	{"host", FIELD_TEXT, OF(config_trunk, host), 1, 253},
	{"port", FIELD_U16, OF(config_trunk, port), 1, 65535},
	{"transport", FIELD_OTHER, 0, 0, 0},
	{"srtp", FIELD_OTHER, 0, 0, 0},
	{"prefix", FIELD_NUMBER, OF(config_trunk, prefix), 0, 0},
	{"priority", FIELD_U8, OF(config_trunk, priority), 0, 9},
	{"weight", FIELD_U16, OF(config_trunk, weight), 0, 1000},
	{"trusted", FIELD_BOOL, OF(config_trunk, trusted), 0, 0},
	{"tls_verify", FIELD_BOOL, OF(config_trunk, tls_verify), 0, 0},
	{"register", FIELD_BOOL, OF(config_trunk, registers), 0, 0},
	{"require_100rel", FIELD_BOOL, OF(config_trunk, require_100rel), 0, 0},
	{"register_s", FIELD_U32, OF(config_trunk, register_s), 60, 86400},
	{"calls_max", FIELD_U32, OF(config_trunk, calls_max), 0, 100000},
	{"options_s", FIELD_U32, OF(config_trunk, options_s), 0, 3600},
	{"callbacks", FIELD_BOOL, OF(config_trunk, callbacks), 0, 0},
	{"user", FIELD_TEXT, OF(config_trunk, user), 1, 63},
	{"password", FIELD_OTHER, 0, 0, 0},
	{"password_env", FIELD_OTHER, 0, 0, 0},
	{"password_file", FIELD_OTHER, 0, 0, 0},
};

static bool listens_by_tls(const struct config *c)
{
	for (unsigned i = 0; i < c->n_listen; i++)
		if (c->listen[i].transport == CONFIG_TLS)
			return true;
	return false;
}

/* False: it cannot be a trunk, and was complained about. */
static bool fits(const struct schema *s, const struct config *c, const struct config_trunk *k)
{
	if (k->name == NULL || k->host == NULL) {
		complain(s->c, COMPLAINT_ERROR, k->at, "a trunk needs a \"name\" and a \"host\"");
		return false;
	}
	if (config_trunk_named(c, k->name) != NULL) {
		complain(s->c, COMPLAINT_ERROR, k->at, "trunk %s is there twice", k->name);
		return false;
	}
	if (k->transport == CONFIG_TLS && !listens_by_tls(c))
		complain(s->c, COMPLAINT_ERROR, k->at,
			 "trunk %s: transport tls needs a tls: listener in \"sip\"", k->name);
	if (k->registers && k->user[0] == '\0')
		complain(s->c, COMPLAINT_ERROR, k->at,
			 "trunk %s: to register it needs \"user\" and a password", k->name);
	return true;
}

void config_read_trunks(const struct schema *s, const struct tree *t, struct config *c)
{
	static const char *const transports[] = {"udp", "tcp", "tls"};

	if (t == NULL || !schema_kind(s, t, "trunks", TREE_LIST))
		return;
	if (t->n > CONFIG_TRUNKS_MAX) {
		complain(s->c, COMPLAINT_ERROR, t->at, "more than %d trunks", CONFIG_TRUNKS_MAX);
		return;
	}
	c->trunks = conf_arena_array(s->arena, t->n, sizeof(*c->trunks));
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct config_trunk k = {.prefix = "",
					 .user = "",
					 .weight = 1,
					 .trusted = true,
					 .tls_verify = true,
					 .register_s = 3600,
					 .at = m->at};
		const struct tree *transport = tree_get(m, "transport");
		unsigned i;

		if (!schema_fill(s, m, trunk_fields, COUNT(trunk_fields), &k))
			continue;
		config_read_secret(s, m, &k.password);
		if (transport != NULL && schema_word(s, transport, "transport", transports, 3, &i))
			k.transport = (enum config_transport)i;
		k.srv = k.port == 0;
		if (k.srv)
			k.port = k.transport == CONFIG_TLS ? 5061 : 5060;
		config_read_srtp(s, m, &k.srtp);
		if (fits(s, c, &k))
			c->trunks[c->n_trunks++] = k;
	}
}

const struct config_trunk *config_trunk_named(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_trunks; i++)
		if (strcmp(c->trunks[i].name, name) == 0)
			return &c->trunks[i];
	return NULL;
}

const struct config_trunk *config_trunk_for(const struct config *c, const char *number)
{
	const struct config_trunk *best = NULL;

	for (unsigned i = 0; i < c->n_trunks; i++) {
		const struct config_trunk *k = &c->trunks[i];
		size_t len = strlen(k->prefix);

		if (strncmp(number, k->prefix, len) == 0 &&
		    (best == NULL || len > strlen(best->prefix)))
			best = k;
	}
	return best;
}
