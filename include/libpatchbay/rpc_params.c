/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks a value and its table together and carries the path ("params.hear[3]") along, so that the
 * first thing that is wrong can be named. Depth is bounded by the tables, not by the sender.
 */
#include "patchbay/rpc_params.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/must.h"

enum { PATH_MAX_BYTES = 160 };

struct path {
	char text[PATH_MAX_BYTES];
};

const struct rpc_param rpc_params_none[] = {RPC_PARAM_END};

/* Names from outside may hold anything: print what is harmless. */
static void name_print(char *out, size_t size, const char *name)
{
	size_t n = 0;

	for (; *name != '\0' && n + 1 < size && n < 64; name++)
		out[n++] = (char)(*name >= ' ' && *name <= '~' ? *name : '?');
	out[n] = '\0';
}

static struct path path_member(const struct path *at, const char *name)
{
	struct path p;
	char safe[80];

	name_print(safe, sizeof(safe), name);
	snprintf(p.text, sizeof(p.text), "%.79s.%s", at->text, safe);
	return p;
}

static struct path path_element(const struct path *at, size_t i)
{
	struct path p;

	snprintf(p.text, sizeof(p.text), "%.120s[%zu]", at->text, i);
	return p;
}

__attribute__((format(printf, 3, 4))) static bool
refuse(struct rpc_error *err, const struct path *at, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	rpc_error_set(err, RPC_INVALID_PARAMS, "%s %s", at->text, why);
	rpc_error_add(err, "member", json_string(at->text));
	return false;
}

bool rpc_id_valid(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > RPC_ID_MAX)
		return false;
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool rpc_uuid_parse(const char *s, uint8_t uuid[16])
{
	uint8_t v[16];
	size_t n = 0;

	if (strlen(s) != 36)
		return false;
	for (size_t i = 0; i < 36;) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i++] != '-')
				return false;
			continue;
		}
		int hi = hex_digit(s[i]), lo = hex_digit(s[i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		v[n++] = (uint8_t)(hi << 4 | lo);
		i += 2;
	}
	memcpy(uuid, v, 16);
	return true;
}

void rpc_uuid_print(const uint8_t uuid[16], char out[37])
{
	char *p = out;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = "0123456789abcdef"[uuid[i] >> 4];
		*p++ = "0123456789abcdef"[uuid[i] & 15];
	}
	*p = '\0';
}

void rpc_uuid_make(uint8_t uuid[16])
{
	must(getrandom(uuid, 16, 0) == 16);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static bool text_check(const char *s, size_t len, int64_t min, int64_t max, const struct path *at,
		       struct rpc_error *err)
{
	if ((int64_t)len < min || (int64_t)len > max)
		return refuse(err, at, "has %zu bytes, not %" PRId64 " to %" PRId64, len, min, max);
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)s[i]))
			return refuse(err, at, "has a control character at byte %zu", i);
	return true;
}

static bool word_find(const char *words, const char *s, int *place)
{
	size_t len = strlen(s);
	int n = 0;

	for (const char *w = words;; n++) {
		size_t wlen = strcspn(w, "|");

		if (wlen == len && memcmp(w, s, len) == 0) {
			*place = n;
			return true;
		}
		if (w[wlen] == '\0')
			return false;
		w += wlen + 1;
	}
}

static bool members_check(const struct rpc_param *table, const json_t *object,
			  const struct path *at, struct rpc_error *err);

static bool list_check(const struct rpc_param *p, const json_t *v, const struct path *at,
		       struct rpc_error *err)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return refuse(err, at, "must be a list");
	if ((int64_t)n < p->min || (int64_t)n > p->max)
		return refuse(err, at, "has %zu elements, not %" PRId64 " to %" PRId64, n, p->min,
			      p->max);
	for (size_t i = 0; i < n; i++) {
		const json_t *e = json_array_get(v, i);
		struct path here = path_element(at, i);

		if (p->kind == RPC_KIND_TEXTS) {
			if (!json_is_string(e))
				return refuse(err, &here, "must be a string");
			if (!text_check(json_string_value(e), json_string_length(e), 0, 255, &here,
					err))
				return false;
		} else if (!json_is_object(e)) {
			return refuse(err, &here, "must be an object");
		} else if (!members_check(p->members, e, &here, err)) {
			return false;
		}
	}
	return true;
}

static bool number_check(const struct rpc_param *p, const json_t *v, const struct path *at,
			 struct rpc_error *err)
{
	if (p->kind == RPC_KIND_INT && !json_is_integer(v))
		return refuse(err, at, "must be an integer");
	if (!json_is_number(v))
		return refuse(err, at, "must be a number");

	double got = json_number_value(v);
	bool inside = json_is_integer(v)
			      ? json_integer_value(v) >= p->min && json_integer_value(v) <= p->max
			      : got >= (double)p->min && got <= (double)p->max;

	if (!inside)
		return refuse(err, at, "is %g, not in %" PRId64 "..%" PRId64, got, p->min, p->max);
	return true;
}

static bool string_check(const struct rpc_param *p, const json_t *v, const struct path *at,
			 struct rpc_error *err)
{
	const char *s = json_string_value(v);
	uint8_t uuid[16];
	int place;

	if (s == NULL)
		return refuse(err, at, "must be a string");
	if (p->kind == RPC_KIND_TEXT)
		return text_check(s, json_string_length(v), p->min, p->max, at, err);
	if (p->kind == RPC_KIND_WORD && !word_find(p->words, s, &place))
		return refuse(err, at, "must be one of %s", p->words);
	if (p->kind == RPC_KIND_UUID && !rpc_uuid_parse(s, uuid))
		return refuse(err, at, "must be a UUID (8-4-4-4-12 hexadecimal digits)");
	if (p->kind == RPC_KIND_ID && !rpc_id_valid(s))
		return refuse(err, at, "must be 1 to 63 characters of A-Z a-z 0-9 . _ : -");
	return true;
}

static bool value_check(const struct rpc_param *p, const json_t *v, const struct path *at,
			struct rpc_error *err)
{
	if (json_is_null(v) && (p->flags & RPC_NULLABLE) != 0)
		return true;
	switch (p->kind) {
	case RPC_KIND_TEXT:
		if (p->members != NULL && json_is_object(v))
			return members_check(p->members, v, at, err);
		return string_check(p, v, at, err);
	case RPC_KIND_ID:
	case RPC_KIND_WORD:
	case RPC_KIND_UUID:
		return string_check(p, v, at, err);
	case RPC_KIND_INT:
	case RPC_KIND_REAL:
		return number_check(p, v, at, err);
	case RPC_KIND_BOOL:
		return json_is_boolean(v) || refuse(err, at, "must be true or false");
	case RPC_KIND_OBJECT:
		if (!json_is_object(v))
			return refuse(err, at, "must be an object");
		return p->members == NULL || members_check(p->members, v, at, err);
	case RPC_KIND_LIST:
	case RPC_KIND_TEXTS:
		return list_check(p, v, at, err);
	case RPC_KIND_END:
		break;
	}
	must(!"a kind that rpc_params_check knows");
	return false;
}

static const struct rpc_param *param_find(const struct rpc_param *table, const char *name)
{
	for (; table->kind != RPC_KIND_END; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static bool members_check(const struct rpc_param *table, const json_t *object,
			  const struct path *at, struct rpc_error *err)
{
	for (void *it = json_object_iter((json_t *)(uintptr_t)object); it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)object, it)) {
		const char *name = json_object_iter_key(it);
		const struct rpc_param *p = param_find(table, name);
		struct path here = path_member(at, name);

		if (p == NULL)
			return refuse(err, &here, "is not known here");
		if (!value_check(p, json_object_iter_value(it), &here, err))
			return false;
	}
	for (const struct rpc_param *p = table; p->kind != RPC_KIND_END; p++) {
		struct path here = path_member(at, p->name);

		if ((p->flags & RPC_REQUIRED) != 0 && json_object_get(object, p->name) == NULL)
			return refuse(err, &here, "is missing");
	}
	return true;
}

bool rpc_params_check(const struct rpc_param *table, const json_t *params, struct rpc_error *err)
{
	struct path top = {"params"};

	if (!json_is_object(params))
		return refuse(err, &top, "must be an object");
	return members_check(table, params, &top, err);
}

const char *rpc_param_text(const json_t *params, const char *name, const char *missing)
{
	const char *s = json_string_value(json_object_get(params, name));

	return s != NULL ? s : missing;
}

int64_t rpc_param_int(const json_t *params, const char *name, int64_t missing)
{
	const json_t *v = json_object_get(params, name);

	return json_is_integer(v) ? json_integer_value(v) : missing;
}

double rpc_param_real(const json_t *params, const char *name, double missing)
{
	const json_t *v = json_object_get(params, name);

	return json_is_number(v) ? json_number_value(v) : missing;
}

bool rpc_param_bool(const json_t *params, const char *name, bool missing)
{
	const json_t *v = json_object_get(params, name);

	return json_is_boolean(v) ? json_is_true(v) : missing;
}

int rpc_param_word(const json_t *params, const char *name, const char *words, int missing)
{
	const char *s = json_string_value(json_object_get(params, name));
	int place;

	return s != NULL && word_find(words, s, &place) ? place : missing;
}
