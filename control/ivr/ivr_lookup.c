/* SPDX-License-Identifier: Apache-2.0
 * What a lookup asks and what its answer fills.
 *
 * Values of variables go into the address percent-encoded (RFC 3986, 2.1), so that a caller cannot
 * type himself into another path; what is posted is JSON. Of the answer only the members that `into`
 * names are taken, as text; one that is missing empties its variable.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ivr/flow_priv.h"
#include "ivr/ivr_priv.h"

static void put_encoded(char *out, size_t size, size_t *at, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;

		if (*at + 4 > size)
			return;
		*at += (size_t)snprintf(out + *at, size - *at, plain ? "%c" : "%%%02X", c);
	}
}

static int variable(const struct ivr_session *s, const char *name, size_t len)
{
	static const struct {
		const char *name;
		int var;
	} fixed[] = {{"caller", VAR_CALLER}, {"called", VAR_CALLED}, {"language", VAR_LANGUAGE}};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strlen(fixed[i].name) == len && memcmp(fixed[i].name, name, len) == 0)
			return fixed[i].var;
	for (unsigned i = 0; i < s->flow->n_variables; i++)
		if (strlen(s->flow->variable[i].name) == len &&
		    memcmp(s->flow->variable[i].name, name, len) == 0)
			return (int)i;
	return VAR_NONE;
}

static void make_url(const struct ivr_session *s, const char *text, char *out, size_t size)
{
	size_t at = 0;

	for (; *text != '\0' && at + 1 < size; text++) {
		size_t len = *text == '$' ? ivr_variable_len(text + 1) : 0;

		if (len > 0) {
			put_encoded(out, size, &at, ivr_value_of(s, variable(s, text + 1, len)));
			text += len;
			continue;
		}
		out[at++] = *text;
		text += text[0] == '$' && text[1] == '$';
	}
	out[at] = '\0';
}

void ivr_lookup_make(const struct ivr_session *s, const struct node *n, struct ivr_action *a)
{
	json_t *body;

	make_url(s, n->what, a->lookup.url, sizeof(a->lookup.url));
	a->lookup.body[0] = '\0';
	if (n->n_sends == 0)
		return;
	body = json_object();
	for (unsigned i = 0; i < n->n_sends; i++) {
		int var = n->send[i];
		const char *name = var == VAR_CALLER     ? "caller"
				   : var == VAR_CALLED   ? "called"
				   : var == VAR_LANGUAGE ? "language"
							 : s->flow->variable[var].name;
		json_t *text = json_string(ivr_value_of(s, var));

		json_object_set_new(body, name, text ? text : json_string(""));
	}

	char *dumped = json_dumps(body, JSON_COMPACT);

	/* Eight values of some seventy bytes always fit. */
	if (dumped != NULL)
		snprintf(a->lookup.body, sizeof(a->lookup.body), "%s", dumped);
	free(dumped);
	json_decref(body);
}

/* "customer.tier" inside an answer. */
static const json_t *member(const json_t *at, const char *path)
{
	char name[64];

	while (at != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		at = json_object_get(at, name);
		path += len + (path[len] == '.');
	}
	return at;
}

void ivr_lookup_take(struct ivr_session *s, const struct node *n, const json_t *answer)
{
	for (unsigned i = 0; i < n->n_pairs; i++) {
		const json_t *v = member(answer, n->pair[i].text);
		char *out;

		if (n->pair[i].var < 0)
			continue;
		out = s->value[n->pair[i].var];
		if (json_is_string(v))
			snprintf(out, IVR_VALUE_MAX, "%s", json_string_value(v));
		else if (json_is_integer(v))
			snprintf(out, IVR_VALUE_MAX, "%" JSON_INTEGER_FORMAT,
				 json_integer_value(v));
		else if (json_is_real(v))
			snprintf(out, IVR_VALUE_MAX, "%.6g", json_real_value(v));
		else if (json_is_boolean(v))
			snprintf(out, IVR_VALUE_MAX, "%s", json_is_true(v) ? "true" : "false");
		else
			out[0] = '\0';
	}
}
