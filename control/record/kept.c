/* SPDX-License-Identifier: Apache-2.0
 *
 * Small readers and writers. The bytes of a text that is not UTF-8 go as ["c3a4..."].
 */
#include "record/kept.h"

#include <string.h>

#include "base/must.h"

enum { HEX_MAX = 4096 };

static json_t *hex_of(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * HEX_MAX + 1];
	size_t n = strlen(text);

	if (n > HEX_MAX)
		n = HEX_MAX;
	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digits[(unsigned char)text[i] >> 4];
		hex[2 * i + 1] = digits[(unsigned char)text[i] & 15];
	}
	hex[2 * n] = '\0';
	return json_pack("[s]", hex);
}

void kept_put_text(json_t *o, const char *name, const char *text)
{
	json_t *s;

	if (text == NULL || text[0] == '\0')
		return;
	s = json_string(text);
	json_object_set_new(o, name, s != NULL ? s : hex_of(text));
}

void kept_put_number(json_t *o, const char *name, uint64_t n)
{
	if (n != 0)
		json_object_set_new(o, name,
				    json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

void kept_put_flag(json_t *o, const char *name, bool on)
{
	if (on)
		json_object_set_new(o, name, json_true());
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *hex, char *out, size_t size)
{
	size_t n = strlen(hex);

	if (n % 2 != 0 || n / 2 >= size)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (char)(high << 4 | low);
	}
	out[n / 2] = '\0';
	return true;
}

/* Nothing in it may end a header, a line of the log or the text itself. */
static bool printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return true;
}

bool kept_text(const json_t *o, const char *name, char *out, size_t size)
{
	const json_t *v = json_object_get(o, name);
	const char *hex = json_string_value(json_array_get(v, 0));
	bool ok = v == NULL;

	out[0] = '\0';
	if (json_is_string(v) && json_string_length(v) < size) {
		memcpy(out, json_string_value(v), json_string_length(v));
		out[json_string_length(v)] = '\0';
		ok = printable(out, json_string_length(v));
	} else if (hex != NULL) {
		ok = from_hex(hex, out, size) && printable(out, strlen(hex) / 2);
	}
	if (!ok)
		out[0] = '\0';
	return ok;
}

bool kept_number(const json_t *o, const char *name, uint64_t max, uint64_t *out)
{
	const json_t *v = json_object_get(o, name);
	json_int_t n = json_integer_value(v);

	*out = 0;
	if (v == NULL)
		return true;
	if (!json_is_integer(v) || n < 0 || (uint64_t)n > max)
		return false;
	*out = (uint64_t)n;
	return true;
}

bool kept_flag(const json_t *o, const char *name, bool *out)
{
	const json_t *v = json_object_get(o, name);

	*out = json_is_true(v);
	return v == NULL || json_is_boolean(v);
}

bool kept_narrow(const json_t *o, const char *name, uint64_t max, void *to, size_t size)
{
	uint64_t n;
	bool ok = kept_number(o, name, max, &n);

	switch (size) {
	case 1:
		must(max <= UINT8_MAX);
		*(uint8_t *)to = (uint8_t)n;
		break;
	case 2:
		must(max <= UINT16_MAX);
		*(uint16_t *)to = (uint16_t)n;
		break;
	case 4:
		must(max <= UINT32_MAX);
		*(uint32_t *)to = (uint32_t)n;
		break;
	default:
		must(size == 8);
		*(uint64_t *)to = n;
		break;
	}
	return ok;
}

bool kept_word(const json_t *o, const char *name, const char *(*name_of)(unsigned), unsigned n,
	       unsigned *out)
{
	const char *word = json_string_value(json_object_get(o, name));

	*out = 0;
	for (unsigned i = 0; word != NULL && i < n; i++) {
		const char *one = name_of(i);

		if (one != NULL && strcmp(one, word) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}
