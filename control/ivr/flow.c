/* SPDX-License-Identifier: Apache-2.0
 * A flow's life. */
#include "ivr/flow.h"

#include "base/must.h"
#include "ivr/flow_priv.h"

struct ivr_flow *ivr_flow_hold(struct ivr_flow *f)
{
	must(f->holders > 0);
	f->holders++;
	return f;
}

void ivr_flow_drop(struct ivr_flow **f)
{
	struct ivr_flow *was = *f;

	*f = NULL;
	if (was == NULL)
		return;
	must(was->holders > 0);
	if (--was->holders == 0)
		conf_arena_close(was->arena);
}

const char *ivr_flow_name(const struct ivr_flow *f)
{
	return f->name;
}

unsigned ivr_flow_nodes(const struct ivr_flow *f)
{
	return f->n_nodes;
}

const char *ivr_flow_node_name(const struct ivr_flow *f, unsigned node)
{
	return node < f->n_nodes ? f->node[node].name : "";
}

unsigned ivr_flow_languages(const struct ivr_flow *f)
{
	return f->n_languages;
}

const char *ivr_flow_language(const struct ivr_flow *f, unsigned i)
{
	return i < f->n_languages ? f->language[i] : "";
}

bool ivr_node_automatic(const struct node *n)
{
	return n->kind == NODE_SAY || n->kind == NODE_HOURS || n->kind == NODE_SET ||
	       n->kind == NODE_IF || n->kind == NODE_RECORD || n->kind == NODE_RUN ||
	       n->kind == NODE_NOTE || n->kind == NODE_GOTO;
}

size_t ivr_variable_len(const char *text)
{
	size_t n = 0;

	while ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
	       (text[n] >= '0' && text[n] <= '9') || text[n] == '_')
		n++;
	return n;
}
