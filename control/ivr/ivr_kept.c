/* SPDX-License-Identifier: Apache-2.0
 *
 * A session over a restart: where the caller is, by names, so that a flow that was edited meanwhile
 * is noticed. What was collected as a secret is not kept; a session that holds such a value cannot be
 * read back, and its caller begins the flow anew.
 */
#include "ivr/ivr.h"

#include <errno.h>
#include <string.h>

#include "ivr/flow_priv.h"
#include "ivr/ivr_priv.h"
#include "record/kept.h"

/* By enum ivr_waiting: its word, and the kinds of nodes where it can be. */
static const struct {
	const char *word;
	uint32_t kinds;
} waits[] = {
	[IVR_WAIT_NONE] = {"", 0},
	[IVR_WAIT_PLAY] = {"play", ~0u},
	[IVR_WAIT_COLLECT] = {"collect", 1u << NODE_MENU | 1u << NODE_COLLECT},
	[IVR_WAIT_QUEUE] = {"queue", 1u << NODE_QUEUE},
	[IVR_WAIT_VOICEMAIL] = {"voicemail", 1u << NODE_VOICEMAIL},
	[IVR_WAIT_DIAL] = {"dial", 1u << NODE_DIAL | 1u << NODE_CONFERENCE},
	[IVR_WAIT_LOOKUP] = {"lookup", 1u << NODE_LOOKUP},
	[IVR_WAIT_CALLBACK] = {"callback", 1u << NODE_CALLBACK},
};

static const char *wait_word(unsigned i)
{
	return waits[i].word;
}

static json_t *node_names(const struct ivr_flow *f, const uint16_t *node, unsigned n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, json_string(f->node[node[i]].name));
	return list;
}

json_t *ivr_session_keep(const struct ivr_session *s)
{
	json_t *o, *values;

	if (s->flow == NULL || s->over)
		return NULL;
	o = json_object();
	values = json_object();
	kept_put_text(o, "called", s->called);
	kept_put_text(o, "caller", s->caller);
	kept_put_text(o, "language", ivr_session_language(s));
	kept_put_number(o, "priority", s->priority);
	kept_put_flag(o, "answered", s->answered);
	kept_put_text(o, "waiting", waits[s->waiting].word);
	kept_put_number(o, "tries", s->tries);
	kept_put_text(o, "node", ivr_session_node(s));
	json_object_set_new(o, "back", node_names(s->flow, s->back, s->back_n));
	json_object_set_new(o, "run", node_names(s->flow, s->run, s->run_n));
	kept_put_number(o, "turns", s->turns);
	kept_put_flag(o, "said", s->said);
	for (unsigned i = 0; i < s->flow->n_variables; i++) {
		const struct variable *v = &s->flow->variable[i];

		if (s->value[i][0] != '\0' && v->secret)
			kept_put_flag(o, "secret", true);
		else
			kept_put_text(values, v->name, s->value[i]);
	}
	json_object_set_new(o, "values", values);
	return o;
}

static int node_named(const struct ivr_flow *f, const char *name)
{
	for (unsigned i = 0; name != NULL && i < f->n_nodes; i++)
		if (strcmp(f->node[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool read_nodes(const struct ivr_flow *f, const json_t *list, uint32_t kinds, uint16_t *out,
		       uint8_t *n, unsigned max)
{
	*n = 0;
	if (json_array_size(list) > max)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		int at = node_named(f, json_string_value(json_array_get(list, i)));

		if (at < 0 || (kinds >> f->node[at].kind & 1) == 0)
			return false;
		out[(*n)++] = (uint16_t)at;
	}
	return true;
}

static bool read_values(struct ivr_session *s, const json_t *values)
{
	size_t found = 0;

	for (unsigned i = 0; i < s->flow->n_variables; i++) {
		const char *name = s->flow->variable[i].name;

		if (json_object_get(values, name) == NULL)
			continue;
		found++;
		if (s->flow->variable[i].secret ||
		    !kept_text(values, name, s->value[i], sizeof(s->value[i])))
			return false;
	}
	return found == json_object_size(values); /* else the flow has other variables now */
}

static bool read_session(struct ivr_session *s, const json_t *o)
{
	const struct ivr_flow *f = s->flow;
	const char *language = json_string_value(json_object_get(o, "language"));
	int node = node_named(f, json_string_value(json_object_get(o, "node")));
	unsigned i = 0, waiting;
	bool secret, ok;

	ok = kept_flag(o, "secret", &secret) && !secret && node >= 0 && language != NULL;
	while (ok && i < f->n_languages && strcmp(f->language[i], language) != 0)
		i++;
	if (!ok || i == f->n_languages ||
	    !kept_word(o, "waiting", wait_word, sizeof(waits) / sizeof(waits[0]), &waiting) ||
	    (waits[waiting].kinds >> f->node[node].kind & 1) == 0)
		return false;
	s->language = (uint8_t)i;
	s->node = (uint16_t)node;
	s->waiting = (uint8_t)waiting;
	ok = kept_text(o, "called", s->called, sizeof(s->called)) && ok;
	ok = kept_text(o, "caller", s->caller, sizeof(s->caller)) && ok;
	ok = KEPT_NUMBER(o, "priority", 9, s->priority) && ok;
	ok = kept_flag(o, "answered", &s->answered) && ok;
	ok = KEPT_NUMBER(o, "tries", UINT8_MAX, s->tries) && ok;
	ok = KEPT_NUMBER(o, "turns", IVR_TURNS_MAX, s->turns) && ok;
	ok = kept_flag(o, "said", &s->said) && ok;
	ok = read_nodes(f, json_object_get(o, "back"), 1u << NODE_MENU | 1u << NODE_COLLECT,
			s->back, &s->back_n, IVR_BACK_MAX) &&
	     ok;
	ok = read_nodes(f, json_object_get(o, "run"), 1u << NODE_RUN, s->run, &s->run_n,
			IVR_RUNS_MAX) &&
	     ok;
	return read_values(s, json_object_get(o, "values")) && ok;
}

int ivr_session_kept(struct ivr_session *s, struct ivr_flow *flow, const json_t *o)
{
	memset(s, 0, sizeof(*s));
	s->flow = ivr_flow_hold(flow);
	if (read_session(s, o))
		return 0;
	ivr_flow_drop(&s->flow);
	memset(s, 0, sizeof(*s));
	return -ENOENT;
}
