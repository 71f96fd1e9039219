/* SPDX-License-Identifier: Apache-2.0 */
#include "customer/number.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 15 /* E.164 */, DIGITS_READ_MAX = 20 /* with prefixes */ };

struct digits {
	char text[DIGITS_READ_MAX + 1];
	size_t n;
	bool plus;
};

/* Where an extension begins, or the text's end. */
static bool extension(const char *p)
{
	return *p == '\0' || strchr(",;#xX", *p) != NULL || strncmp(p, "ext", 3) == 0 ||
	       strncmp(p, "Ext", 3) == 0 || strncmp(p, "EXT", 3) == 0 ||
	       strncmp(p, "\xe8\xbd\xac", 3) == 0;
}

static bool read_digits(const char *p, struct digits *d)
{
	*d = (struct digits){0};
	p += strspn(p, " \t");
	if (strncmp(p, "tel:", 4) == 0)
		p += 4;
	if (*p == '+') {
		d->plus = true;
		p++;
	}
	for (; d->n == 0 || !extension(p); p++) {
		if (d->plus && d->n > 0 && strncmp(p, "(0)", 3) == 0) {
			p += 2;
			continue;
		}
		if (*p != '\0' && strchr(" \t-./()", *p) != NULL)
			continue;
		if (*p < '0' || *p > '9' || d->n == DIGITS_READ_MAX)
			return false;
		d->text[d->n++] = *p;
	}
	return true;
}

static bool begins(const struct digits *d, const char *prefix)
{
	size_t n = strlen(prefix);

	return n > 0 && d->n > n && strncmp(d->text, prefix, n) == 0;
}

bool number_canonical(const struct config_numbers *r, const char *text,
		      char out[NUMBER_CANONICAL_MAX])
{
	size_t country = strlen(r->country), area = strlen(r->area);
	const char *lead = "", *more = "", *rest;
	struct digits d;

	out[0] = '\0';
	if (!read_digits(text, &d))
		return false;
	rest = d.text;
	if (d.plus) {
		lead = "+";
	} else if (country > 0 && begins(&d, r->international_prefix)) {
		lead = "+";
		rest += strlen(r->international_prefix);
	} else if (country > 0 && begins(&d, r->national_prefix)) {
		lead = "+";
		more = r->country;
		rest += strlen(r->national_prefix);
	} else if (begins(&d, r->country) &&
		   d.n >= country + r->local_digits + (area > 0 ? area : 1)) {
		lead = "+";
	} else if (country > 0 && d.n > r->local_digits) {
		lead = "+";
		more = r->country;
	} else if (country > 0 && area > 0 && d.n == r->local_digits) {
		snprintf(out, NUMBER_CANONICAL_MAX, "+%s%s%s", r->country, r->area, rest);
		return true;
	}
	if (strlen(more) + strlen(rest) > DIGITS_MAX)
		return false;
	snprintf(out, NUMBER_CANONICAL_MAX, "%s%s%s", lead, more, rest);
	return true;
}
