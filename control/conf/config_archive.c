/* SPDX-License-Identifier: Apache-2.0
 * The section `archive:`. */
#include <string.h>

#include "conf/config_priv.h"

#define OF(type, member) offsetof(struct type, member)
#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))

static const struct field archive_fields[] = {
	{"directory", FIELD_TEXT, OF(config_archive, directory), 1, 1000},
	{"store", FIELD_OTHER, 0, 0, 0},
	{"format", FIELD_OTHER, 0, 0, 0},
	{"overview_bucket_ms", FIELD_U32, OF(config_archive, overview_bucket_ms), 10, 100},
	{"scan_every_s", FIELD_U32, OF(config_archive, scan_every_s), 1, 3600},
	{"master_keys", FIELD_OTHER, 0, 0, 0},
	{"active_key", FIELD_TEXT, OF(config_archive, active_key), 1, 15},
	{"keep_days", FIELD_U32, OF(config_archive, keep_days), 0, 36500},
	{"retention", FIELD_OTHER, 0, 0, 0},
	{"http", FIELD_OTHER, 0, 0, 0},
	{"s3", FIELD_OTHER, 0, 0, 0},
};

static const struct field key_fields[] = {
	{"id", FIELD_TEXT, OF(config_master_key, id), 1, 15},
	{"file", FIELD_TEXT, OF(config_master_key, file), 1, 1000},
};

static const struct field retention_fields[] = {
	{"class", FIELD_NAME, OF(config_retention, name), 0, 0},
	{"keep_days", FIELD_U32, OF(config_retention, keep_days), 0, 36500},
	{"queue", FIELD_NAME, OF(config_retention, queue), 0, 0},
	{"agent", FIELD_NUMBER, OF(config_retention, agent), 0, 0},
	{"kind", FIELD_NAME, OF(config_retention, kind), 0, 0},
	{"tag", FIELD_TEXT, OF(config_retention, tag), 1, 64},
};

static const struct field http_fields[] = {
	{"listen", FIELD_TEXT, OF(config_archive, listen), 1, 100},
	{"certificate", FIELD_TEXT, OF(config_archive, certificate), 1, 1000},
	{"private_key", FIELD_TEXT, OF(config_archive, private_key), 1, 1000},
	{"tokens", FIELD_OTHER, 0, 0, 0},
};

static const struct field token_fields[] = {
	{"name", FIELD_NAME, OF(config_token, name), 0, 0},
	{"role", FIELD_OTHER, 0, 0, 0},
	{"token", FIELD_OTHER, 0, 0, 0},
	{"token_env", FIELD_OTHER, 0, 0, 0},
	{"token_file", FIELD_OTHER, 0, 0, 0},
};

static const struct field s3_fields[] = {
	{"endpoint", FIELD_TEXT, OF(config_s3, endpoint), 1, 500},
	{"region", FIELD_TEXT, OF(config_s3, region), 1, 60},
	{"bucket", FIELD_TEXT, OF(config_s3, bucket), 3, 63},
	{"prefix", FIELD_TEXT, OF(config_s3, prefix), 0, 500},
	{"access_key", FIELD_TEXT, OF(config_s3, access_key), 1, 200},
	{"secret", FIELD_OTHER, 0, 0, 0},
	{"secret_env", FIELD_OTHER, 0, 0, 0},
	{"secret_file", FIELD_OTHER, 0, 0, 0},
	{"part_mb", FIELD_U32, OF(config_s3, part_mb), 5, 1024},
	{"verify", FIELD_OTHER, 0, 0, 0},
};

/* A list of at most `max` members; NULL when it is absent or no list. */
static const struct tree *list(const struct schema *s, const struct tree *t, const char *key,
			       unsigned max)
{
	const struct tree *l = tree_get(t, key);

	if (l == NULL || !schema_kind(s, l, key, TREE_LIST))
		return NULL;
	if (l->n > max) {
		complain(s->c, COMPLAINT_ERROR, l->at, "%s has more than %u members", key, max);
		return NULL;
	}
	return l->first;
}

static void read_keys(const struct schema *s, const struct tree *t, struct config_archive *a)
{
	for (const struct tree *m = list(s, t, "master_keys", CONFIG_MASTER_KEYS_MAX); m != NULL;
	     m = m->next) {
		struct config_master_key k = {"", ""};

		if (!schema_fill(s, m, key_fields, COUNT(key_fields), &k))
			continue;
		if (k.id[0] == '\0' || k.file[0] == '\0')
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "a master key needs an \"id\" and a \"file\"");
		a->keys[a->n_keys++] = k;
	}
	if (a->active_key[0] != '\0') {
		bool there = false;

		for (unsigned i = 0; i < a->n_keys; i++)
			there |= strcmp(a->keys[i].id, a->active_key) == 0;
		if (!there)
			complain(s->c, COMPLAINT_ERROR, tree_get(t, "active_key")->at,
				 "no master key has the id \"%s\"", a->active_key);
	}
}

static void read_retention(const struct schema *s, const struct tree *t, struct config_archive *a)
{
	for (const struct tree *m = list(s, t, "retention", CONFIG_RETENTION_MAX); m != NULL;
	     m = m->next) {
		struct config_retention r = {"", 0, "", "", "", ""};

		if (!schema_fill(s, m, retention_fields, COUNT(retention_fields), &r))
			continue;
		if (r.name[0] == '\0')
			complain(s->c, COMPLAINT_ERROR, m->at, "retention needs a \"class\"");
		if (tree_get(m, "keep_days") == NULL)
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "retention needs \"keep_days\"; 0 keeps for ever");
		a->retention[a->n_retention++] = r;
	}
}

static void read_http(const struct schema *s, const struct tree *t, struct config_archive *a)
{
	static const char *const roles[] = {"reader", "listener", "exporter", "officer"};
	static const char *const keys[] = {"token", "token_env", "token_file"};

	if (t == NULL || !schema_fill(s, t, http_fields, COUNT(http_fields), a))
		return;
	if ((a->certificate[0] != '\0') != (a->private_key[0] != '\0'))
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "certificate and private_key belong together");
	for (const struct tree *m = list(s, t, "tokens", CONFIG_TOKENS_MAX); m != NULL;
	     m = m->next) {
		struct config_token k = {.name = ""};
		const struct tree *role = tree_get(m, "role");
		unsigned i;

		if (!schema_fill(s, m, token_fields, COUNT(token_fields), &k))
			continue;
		config_read_any_secret(s, m, keys, &k.token);
		if (role != NULL && schema_word(s, role, "role", roles, COUNT(roles), &i))
			k.role = (enum config_role)i;
		if (k.name[0] == '\0' || k.token.kind == CONFIG_SECRET_NONE || role == NULL)
			complain(s->c, COMPLAINT_ERROR, m->at,
				 "a token needs a \"name\", a \"role\" and a \"token\"");
		a->tokens[a->n_tokens++] = k;
	}
}

static void read_s3(const struct schema *s, const struct tree *t, struct config_s3 *s3)
{
	static const char *const keys[] = {"secret", "secret_env", "secret_file"};
	static const char *const verify[] = {"etag", "read_back"};
	const struct tree *m;
	unsigned i;

	if (t == NULL || !schema_fill(s, t, s3_fields, COUNT(s3_fields), s3))
		return;
	config_read_any_secret(s, t, keys, &s3->secret);
	m = tree_get(t, "verify");
	if (m != NULL && schema_word(s, m, "verify", verify, COUNT(verify), &i))
		s3->read_back = i == 1;
	if (s3->endpoint[0] == '\0' || s3->bucket[0] == '\0' || s3->access_key[0] == '\0' ||
	    s3->secret.kind == CONFIG_SECRET_NONE)
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "s3 needs \"endpoint\", \"bucket\", \"access_key\" and \"secret\"");
}

void config_read_archive(const struct schema *s, const struct tree *t, struct config *c)
{
	static const char *const formats[] = {"opus", "wav"};
	struct config_archive *a = conf_arena_get(s->arena, sizeof(*a));
	const struct tree *m;
	unsigned i;

	*a = (struct config_archive){
		.directory = "/var/lib/patchbay/archive",
		.overview_bucket_ms = 50,
		.scan_every_s = 5,
		.active_key = "",
		.listen = "",
		.certificate = "",
		.private_key = "",
		.s3 = {.endpoint = "",
		       .region = "us-east-1",
		       .bucket = "",
		       .prefix = "",
		       .access_key = "",
		       .part_mb = 8},
	};
	c->archive = a;
	if (t != NULL && schema_fill(s, t, archive_fields, COUNT(archive_fields), a)) {
		for (m = list(s, t, "store", CONFIG_STORES_MAX); m != NULL; m = m->next)
			if (schema_text(s, m, "store", 1, 1000, &a->store[a->n_store]))
				a->n_store++;
		m = tree_get(t, "format");
		if (m != NULL && schema_word(s, m, "format", formats, COUNT(formats), &i))
			a->wav = i == 1;
		read_keys(s, t, a);
		read_retention(s, t, a);
		read_http(s, tree_get(t, "http"), a);
		read_s3(s, tree_get(t, "s3"), &a->s3);
	}
	if (a->n_store == 0)
		a->store[a->n_store++] = "/var/lib/patchbay/store";
}
