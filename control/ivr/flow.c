/* SPDX-License-Identifier: Apache-2.0
 * A flow's life, and its picture. */
#include "ivr/flow.h"

#include <stdarg.h>
#include <stdio.h>

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

/* --- the picture --------------------------------------------------------------------------- */

struct page {
	char *out;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct page *p, const char *fmt, ...)
{
	va_list ap;
	size_t room = p->len < p->size ? p->size - p->len : 0;

	va_start(ap, fmt);

	int n = vsnprintf(room > 0 ? p->out + p->len : NULL, room, fmt, ap);

	va_end(ap);
	p->len += n > 0 ? (size_t)n : 0;
}

/* Text inside double quotes. */
static void put_quoted(struct page *p, const char *text)
{
	for (; *text != '\0'; text++)
		put(p, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void put_edge(struct page *p, const struct ivr_flow *f, unsigned from,
		     const struct target *t, const char *label)
{
	if (t->to == TO_NOWHERE || t->name == NULL)
		return;
	put(p, "\tn%u -> ", from);
	if (t->to >= 0)
		put(p, "n%d", t->to);
	else if (t->to == TO_REPEAT)
		put(p, "n%u", from);
	else
		put(p, "%s", t->to == TO_BACK ? "back" : t->to == TO_RETURN ? "return" : "hangup");
	put(p, " [label=\"%s\"];\n", label);
	(void)f;
}

size_t ivr_flow_draw(const struct ivr_flow *f, char *out, size_t size)
{
	static const char *const shape[NODE_KINDS] = {
		[NODE_SAY] = "note",       [NODE_MENU] = "house",      [NODE_COLLECT] = "house",
		[NODE_HOURS] = "diamond",  [NODE_SET] = "box",         [NODE_IF] = "diamond",
		[NODE_QUEUE] = "cds",      [NODE_VOICEMAIL] = "tab",   [NODE_DIAL] = "cds",
		[NODE_RUN] = "component",  [NODE_LOOKUP] = "cylinder", [NODE_NOTE] = "note",
		[NODE_CALLBACK] = "tab",   [NODE_RECORD] = "cds",      [NODE_GOTO] = "point",
		[NODE_HANGUP] = "octagon",
	};
	static const char *const way[WAYS] = {
		[WAY_RUN] = "run",
		[WAY_NEXT] = "",
		[WAY_OTHERWISE] = "otherwise",
		[WAY_CLOSED] = "else",
		[WAY_FULL] = "full",
		[WAY_LONG] = "long",
		[WAY_EMPTY] = "empty",
		[WAY_TIMEOUT] = "timeout",
		[WAY_BUSY] = "busy",
		[WAY_NO_ANSWER] = "no answer",
		[WAY_FAILED] = "failed",
	};
	struct page p = {.out = out, .size = size};

	put(&p, "digraph \"");
	put_quoted(&p, f->name);
	put(&p,
	    "\" {\n\trankdir=LR;\n\tstart [shape=circle];\n\thangup [shape=octagon];\n"
	    "\tback [shape=plaintext];\n\treturn [shape=plaintext];\n\tstart -> n%d;\n",
	    f->start.to);
	for (unsigned i = 0; i < f->n_nodes; i++) {
		const struct node *n = &f->node[i];

		put(&p, "\tn%u [shape=%s, label=\"", i, shape[n->kind]);
		put_quoted(&p, n->name);
		put(&p, "\"];\n");
		for (unsigned k = 0; k < KEYS; k++) {
			char label[2] = {"0123456789*#"[k], '\0'};

			put_edge(&p, f, i, &n->key[k], label);
		}
		for (unsigned w = 0; w < WAYS; w++)
			if (w < WAY_FULL || n->way[w].name != n->way[WAY_OTHERWISE].name)
				put_edge(&p, f, i, &n->way[w], way[w]);
	}
	put(&p, "}\n");
	if (size > 0 && p.len >= size)
		out[size - 1] = '\0';
	return p.len;
}
