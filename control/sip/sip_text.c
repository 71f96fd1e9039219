/* SPDX-License-Identifier: Apache-2.0
 *
 * What is dangerous about text from the network is handled here once: no NUL at the end, control
 * characters that would forge log lines, %-escapes that hide either.
 */
#include <string.h>
#include <strings.h>

#include <re.h>

#include "sip/sip_text.h"

static char safe(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f ? '.' : c;
}

void sip_text_clean(char *out, size_t size, const char *p, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = safe(p[i]);
	out[n] = '\0';
}

void sip_text_pl(char *out, size_t size, const struct pl *pl)
{
	sip_text_clean(out, size, pl->p, pl->p ? pl->l : 0);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void sip_text_unescape(char *out, size_t size, const struct pl *pl)
{
	size_t n = 0;

	for (size_t i = 0; pl->p && i < pl->l && n < size - 1; i++) {
		char c = pl->p[i];

		if (c == '%' && i + 2 < pl->l && hex(pl->p[i + 1]) >= 0 && hex(pl->p[i + 2]) >= 0) {
			c = (char)(hex(pl->p[i + 1]) << 4 | hex(pl->p[i + 2]));
			i += 2;
		}
		out[n++] = safe(c);
	}
	out[n] = '\0';
}

void sip_text_display(char *out, size_t size, const struct pl *pl)
{
	size_t n = 0;

	for (size_t i = 0; pl->p && i < pl->l && n < size - 1; i++) {
		char c = pl->p[i];

		if (c == '"')
			continue;
		if (c == '\\' && i + 1 < pl->l)
			c = pl->p[++i];
		out[n++] = safe(c);
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

void sip_text_quotable(char *out, size_t size, const char *in)
{
	size_t n = 0;

	for (; *in && n < size - 1; in++) {
		if (*in != '"' && *in != '\\')
			out[n++] = safe(*in);
	}
	out[n] = '\0';
}

bool sip_text_is_user(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s; s++) {
		bool alnum = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
			     (*s >= 'A' && *s <= 'Z');

		if (!alnum && strchr("-_.!~*'()&=+$,;?/", *s) == NULL)
			return false;
	}
	return true;
}

/* One element of the list: name, then optionally '=' and a value. `*p` is left after it. */
static bool next_param(const char **p, const char *end, struct pl *name, struct pl *value)
{
	const char *s = *p;

	while (s < end &&
	       (*s == ' ' || *s == '\t' || *s == ',' || *s == ';' || *s == '\r' || *s == '\n'))
		s++;
	if (s == end)
		return false;

	name->p = s;
	while (s < end && *s != '=' && *s != ',' && *s != ';' && *s != ' ')
		s++;
	name->l = (size_t)(s - name->p);
	*value = (struct pl){s, 0};

	while (s < end && *s == ' ')
		s++;
	if (s < end && *s == '=') {
		s++;
		while (s < end && *s == ' ')
			s++;
		if (s < end && *s == '"') {
			value->p = ++s;
			while (s < end && *s != '"')
				s += *s == '\\' && s + 1 < end ? 2 : 1;
			value->l = (size_t)(s - value->p);
			s += s < end ? 1 : 0;
		} else {
			value->p = s;
			while (s < end && *s != ',' && *s != ';' && *s != ' ' && *s != '\r')
				s++;
			value->l = (size_t)(s - value->p);
		}
	}
	*p = s;
	return true;
}

bool sip_text_param(const struct pl *list, const char *name, struct pl *value)
{
	const char *p = list->p, *end = p ? p + list->l : NULL;
	struct pl n, v;

	while (p != NULL && p < end && next_param(&p, end, &n, &v)) {
		if (pl_strcasecmp(&n, name) == 0) {
			*value = v;
			return true;
		}
	}
	return false;
}
