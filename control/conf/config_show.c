/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the schema say where each value lies in its struct, so most values are told from there, given or
 * not. What a section reads by other means (FIELD_OTHER) is told as it is written; its default stands in a table
 * here, which a test reads back as a configuration.
 */
#include "conf/config_show.h"

#include <stdio.h>
#include <string.h>

#include "conf/config_priv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PATH_LEN_MAX = 400 };

struct config_show {
	json_t *values;
};

/* Sections that an empty map stands for as well as nothing. */
static const char *const sections[] = {"sip",     "calls",     "feature_codes",
				       "conduct", "keep_days", "archive",
				       "numbers", "customers", "knowledge"};

/* Defaults of what is read by other means: section, key, JSON. "*" is any section. */
static const struct {
	const char *section, *key, *value;
} others[] = {
	{"", "log_level", "\"info\""},
	{"", "record", "\"always\""},
	{"", "record_unavailable", "\"take\""},
	{"", "time_zone", "null"},
	{"", "hotlines", "[]"},
	{"", "trunks", "[]"},
	{"", "queues", "[]"},
	{"", "agents", "[]"},
	{"", "supervisors", "[]"},
	{"", "notify", "[]"},
	{"", "targets", "[]"},
	{"sip", "listen", "[\"udp:0.0.0.0:5060\", \"tcp:0.0.0.0:5060\"]"},
	{"sip", "phone_codecs", "[\"PCMA\", \"PCMU\", \"G722\", \"opus\"]"},
	{"sip", "trunk_codecs", "[\"PCMA\", \"PCMU\"]"},
	{"sip", "srtp", "\"off\""},
	{"trunks", "srtp", "\"off\""},
	{"trunks", "transport", "\"udp\""},
	{"queues", "strategy", "\"longest_idle\""},
	{"queues", "overlong_talk_s", "[]"},
	{"queues", "overlong_hold_s", "[]"},
	{"queues", "overlong_wrap_up_s", "[]"},
	{"hotlines", "record", "null"},
	{"queues", "record", "null"},
	{"agents", "record", "null"},
	{"supervisors", "record", "null"},
	{"targets", "from", "null"},
	{"knowledge", "synonyms", "[]"},
	{"customers", "bulk", "null"},
	{"archive", "store", "[\"/var/lib/patchbay/store\"]"},
	{"archive", "format", "\"opus\""},
	{"archive", "master_keys", "[]"},
	{"archive", "retention", "[]"},
	{"s3", "verify", "\"etag\""},
};

static size_t add_path(char *out, size_t size, size_t len, const struct tree *t)
{
	const struct tree *parent = t->parent;

	if (parent == NULL)
		return len;
	len = add_path(out, size, len, parent);
	if (len >= size)
		return len;
	if (parent->kind == TREE_LIST) {
		unsigned i = 0;

		for (const struct tree *m = parent->first; m != t && m != NULL; m = m->next)
			i++;
		return len + (size_t)snprintf(out + len, size - len, "[%u]", i);
	}
	return len + (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? "." : "", t->key);
}

static void tell(struct config_show *show, const char *path, json_t *value, const char *from,
		 const struct tree *at)
{
	json_t *o = json_pack("{s:s, s:o, s:s}", "path", path, "value", value ? value : json_null(),
			      "from", from);

	if (o == NULL)
		return;
	if (at != NULL) {
		json_object_set_new(o, "line", json_integer(at->at.line));
		json_object_set_new(o, "column", json_integer(at->at.column));
		((struct tree *)(uintptr_t)at)->shown = true;
	}
	json_array_append_new(show->values, o);
}

static json_t *value_of(const struct field *f, const void *base)
{
	const char *at = (const char *)base + f->offset, *text;
	uint16_t n16;
	uint32_t n32;
	bool b;

	switch (f->kind) {
	case FIELD_U8:
		return json_integer(*(const uint8_t *)at);
	case FIELD_U16:
		memcpy(&n16, at, sizeof(n16));
		return json_integer(n16);
	case FIELD_U32:
		memcpy(&n32, at, sizeof(n32));
		return json_integer(n32);
	case FIELD_BOOL:
		memcpy(&b, at, sizeof(b));
		return json_boolean(b);
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_NUMBER:
		memcpy(&text, at, sizeof(text));
		/* A default of "" is "none"; as text it might not be allowed to be written. */
		return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
	case FIELD_OTHER:
		break;
	}
	return NULL;
}

/* The key of the map, or of the list of maps, that `t` is: "" at the root. */
static const char *section_of(const struct tree *t)
{
	if (t->key != NULL)
		return t->key;
	return t->parent != NULL && t->parent->key != NULL ? t->parent->key : "";
}

static const char *other_default(const char *section, const char *key)
{
	for (size_t i = 0; i < COUNT(others); i++)
		if (strcmp(others[i].section, section) == 0 && strcmp(others[i].key, key) == 0)
			return others[i].value;
	return NULL;
}

/* A number below what may be written is nobody's word: it is decided elsewhere. */
static bool is_open(const struct field *f, const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) < (json_int_t)f->min;
}

static void tell_field(struct config_show *show, const struct tree *t, const struct field *f,
		       const void *base, const char *prefix)
{
	const struct tree *m = tree_get(t, f->key);
	const char *section = section_of(t), *other;
	char path[PATH_LEN_MAX];
	json_t *value;

	snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] ? "." : "", f->key);
	if (f->kind == FIELD_OTHER) {
		other = m == NULL ? other_default(section, f->key) : NULL;
		if (other != NULL)
			tell(show, path, json_loads(other, JSON_DECODE_ANY, NULL), "default", NULL);
		return;
	}
	value = value_of(f, base);
	if (m == NULL && is_open(f, value)) {
		json_decref(value);
		value = json_null();
	}
	/* An empty text that is written is one that is allowed. */
	if (m != NULL && json_is_null(value))
		value = json_string("");
	tell(show, path, value, m != NULL ? "file" : "default", m);
}

void config_show_begin(struct config_show *show, struct conf_arena *arena, struct tree *root)
{
	struct tree **tail = &root->first;

	(void)show;
	if (root->kind != TREE_MAP)
		return;
	while (*tail != NULL)
		tail = &(*tail)->next;
	for (size_t i = 0; i < COUNT(sections); i++) {
		struct tree *t;

		if (tree_get(root, sections[i]) != NULL)
			continue;
		t = conf_arena_get(arena, sizeof(*t));
		t->kind = TREE_MAP;
		t->key = sections[i];
		t->parent = root;
		*tail = t;
		tail = &t->next;
		root->n++;
	}
}

void config_show_map(struct config_show *show, const struct tree *t, const struct field *fields,
		     size_t n_fields, const void *base)
{
	char prefix[PATH_LEN_MAX] = "";

	add_path(prefix, sizeof(prefix), 0, t);
	for (size_t i = 0; i < n_fields; i++)
		tell_field(show, t, &fields[i], base, prefix);
}

void config_show_secret(struct config_show *show, const struct tree *m, unsigned kind)
{
	static const char *const from[] = {"file", "environment", "secret_file"};
	char path[PATH_LEN_MAX] = "";
	bool named = kind > 0 && m->kind == TREE_TEXT;

	add_path(path, sizeof(path), 0, m);
	tell(show, path, json_string(named ? m->text : "(hidden)"), from[kind < 3 ? kind : 0], m);
	json_object_set_new(json_array_get(show->values, json_array_size(show->values) - 1),
			    "secret", json_true());
}

/* A list of texts is one value. */
static json_t *plain_list(const struct tree *t)
{
	json_t *list = json_array();

	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		if (m->kind != TREE_TEXT) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, json_string(m->text));
	}
	return list;
}

void config_show_rest(struct config_show *show, const struct tree *t)
{
	char path[PATH_LEN_MAX] = "";
	json_t *value = NULL;

	if (t->shown)
		return;
	if (t->kind == TREE_TEXT)
		value = json_string(t->text);
	else if (t->kind == TREE_LIST)
		value = plain_list(t);
	if (value != NULL) {
		add_path(path, sizeof(path), 0, t);
		tell(show, path, value, "file", t);
		return;
	}
	for (const struct tree *m = t->first; m != NULL; m = m->next)
		config_show_rest(show, m);
}

int config_show(const char *text, size_t len, const char *name, json_t **values,
		struct complaints *complaints)
{
	struct config_show show = {.values = json_array()};
	struct config *c = NULL;
	int rc = config_load_shown(text, len, name, &show, &c, complaints);

	if (rc != 0) {
		json_decref(show.values);
		return rc;
	}
	config_free(c);
	*values = show.values;
	return 0;
}
