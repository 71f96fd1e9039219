/* SPDX-License-Identifier: Apache-2.0
 * Tables of keys and readers of values. Every complaint names the key it is about. */
#include "conf/schema.h"
#include "conf/config_show.h"

#include <string.h>

bool schema_kind(const struct schema *s, const struct tree *t, const char *what,
		 enum tree_kind kind)
{
	if (t->kind == kind)
		return true;
	complain(s->c, COMPLAINT_ERROR, t->at, "%s must be %s, not %s", what, tree_kind_name(kind),
		 tree_kind_name(t->kind));
	return false;
}

bool schema_u32(const struct schema *s, const struct tree *t, const char *what, uint32_t min,
		uint32_t max, uint32_t *out)
{
	uint64_t n = 0;
	size_t digits = 0;

	if (!schema_kind(s, t, what, TREE_TEXT))
		return false;
	for (const char *p = t->text; *p >= '0' && *p <= '9' && digits < 11; p++, digits++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (digits == 0 || t->text[digits] != '\0') {
		complain(s->c, COMPLAINT_ERROR, t->at, "%s must be a whole number, not \"%.40s\"",
			 what, t->text);
		return false;
	}
	if (n < min || n > max) {
		complain(s->c, COMPLAINT_ERROR, t->at, "%s must be from %u to %u, not %.40s", what,
			 (unsigned)min, (unsigned)max, t->text);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

bool schema_bool(const struct schema *s, const struct tree *t, const char *what, bool *out)
{
	static const char *const words[] = {"false", "true", "no", "yes"};
	unsigned i;

	if (!schema_word(s, t, what, words, 4, &i))
		return false;
	*out = i % 2 == 1;
	return true;
}

bool schema_text(const struct schema *s, const struct tree *t, const char *what, uint32_t min,
		 uint32_t max, const char **out)
{
	if (!schema_kind(s, t, what, TREE_TEXT))
		return false;

	size_t len = strlen(t->text);

	if (len < min && len == 0) {
		complain(s->c, COMPLAINT_ERROR, t->at, "%s must not be empty", what);
		return false;
	}
	if (len < min || len > max) {
		complain(s->c, COMPLAINT_ERROR, t->at, "%s must have %u to %u bytes, not %zu", what,
			 (unsigned)min, (unsigned)max, len);
		return false;
	}
	for (const char *p = t->text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			complain(s->c, COMPLAINT_ERROR, t->at, "%s has a control character in it",
				 what);
			return false;
		}
	}
	*out = t->text;
	return true;
}

static bool made_of(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

bool schema_name(const struct schema *s, const struct tree *t, const char *what, const char **out)
{
	const char *text;

	if (!schema_text(s, t, what, 1, 47, &text))
		return false;
	if (!made_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/") ||
	    strstr(text, "..") != NULL || text[0] == '/') {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "%s may be made of letters, digits, \"_\", \"-\", \".\" and \"/\", not "
			 "\"%s\"",
			 what, text);
		return false;
	}
	*out = text;
	return true;
}

bool schema_number(const struct schema *s, const struct tree *t, const char *what, const char **out)
{
	const char *text;

	if (!schema_text(s, t, what, 1, 31, &text))
		return false;
	if (!made_of(text, "0123456789*#+")) {
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "%s must be a number that can be dialled (0-9 * # +), not \"%s\"", what,
			 text);
		return false;
	}
	*out = text;
	return true;
}

bool schema_word(const struct schema *s, const struct tree *t, const char *what,
		 const char *const *words, unsigned n, unsigned *out)
{
	if (!schema_kind(s, t, what, TREE_TEXT))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(words[i], t->text) == 0) {
			*out = i;
			return true;
		}
	}

	const char *guess = complaint_guess(t->text, words, n);

	if (guess != NULL)
		complain(s->c, COMPLAINT_ERROR, t->at,
			 "%s cannot be \"%.40s\"; did you mean \"%s\"?", what, t->text, guess);
	else {
		char all[160] = "";

		for (unsigned i = 0; i < n; i++) {
			size_t len = strlen(all);

			if (len + strlen(words[i]) + 3 < sizeof(all)) {
				strcat(all, i > 0 ? ", " : "");
				strcat(all, words[i]);
			}
		}
		complain(s->c, COMPLAINT_ERROR, t->at, "%s cannot be \"%.40s\"; it is one of %s",
			 what, t->text, all);
	}
	return false;
}

static void unknown_key(const struct schema *s, const struct tree *m, const struct field *fields,
			size_t n)
{
	const char *keys[64];

	if (n > 64)
		n = 64;
	for (size_t i = 0; i < n; i++)
		keys[i] = fields[i].key;

	const char *guess = complaint_guess(m->key, keys, n);

	if (guess != NULL)
		complain(s->c, COMPLAINT_ERROR, m->key_at,
			 "unknown key \"%.40s\"; did you mean \"%s\"?", m->key, guess);
	else
		complain(s->c, COMPLAINT_ERROR, m->key_at, "unknown key \"%.40s\"", m->key);
}

static void fill(const struct schema *s, const struct tree *t, const struct field *f, void *base)
{
	char *at = (char *)base + f->offset;
	const char *text;
	uint32_t n;
	bool b;

	switch (f->kind) {
	case FIELD_U8:
		if (schema_u32(s, t, f->key, f->min, f->max, &n))
			*(uint8_t *)at = (uint8_t)n;
		break;
	case FIELD_U16:
		if (schema_u32(s, t, f->key, f->min, f->max, &n))
			memcpy(at, &(uint16_t){(uint16_t)n}, sizeof(uint16_t));
		break;
	case FIELD_U32:
		if (schema_u32(s, t, f->key, f->min, f->max, &n))
			memcpy(at, &n, sizeof(n));
		break;
	case FIELD_BOOL:
		if (schema_bool(s, t, f->key, &b))
			memcpy(at, &b, sizeof(b));
		break;
	case FIELD_TEXT:
		if (schema_text(s, t, f->key, f->min, f->max, &text))
			memcpy(at, &text, sizeof(text));
		break;
	case FIELD_NAME:
		if (schema_name(s, t, f->key, &text))
			memcpy(at, &text, sizeof(text));
		break;
	case FIELD_NUMBER:
		if (schema_number(s, t, f->key, &text))
			memcpy(at, &text, sizeof(text));
		break;
	case FIELD_OTHER:
		break;
	}
}

bool schema_fill(const struct schema *s, const struct tree *t, const struct field *fields,
		 size_t n_fields, void *base)
{
	if (!schema_kind(s, t, t->key != NULL ? t->key : "this", TREE_MAP))
		return false;
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		size_t i = 0;

		while (i < n_fields && strcmp(fields[i].key, m->key) != 0)
			i++;
		if (i == n_fields)
			unknown_key(s, m, fields, n_fields);
		else
			fill(s, m, &fields[i], base);
	}
	if (s->show != NULL)
		config_show_map(s->show, t, fields, n_fields, base);
	return true;
}
