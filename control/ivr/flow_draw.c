/* SPDX-License-Identifier: Apache-2.0
 * A flow as a graph of boxes and ways, and as the text of a Graphviz file. */
#include "ivr/flow_draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record/record_policy.h"

void ivr_draw_put(struct draw_page *p, const char *fmt, ...)
{
	va_list ap;
	size_t room = p->len < p->size ? p->size - p->len : 0;

	va_start(ap, fmt);

	int n = vsnprintf(room > 0 ? p->out + p->len : NULL, room, fmt, ap);

	va_end(ap);
	p->len += n > 0 ? (size_t)n : 0;
}

int ivr_draw_leads_to(unsigned from, const struct target *t)
{
	return t->to >= 0 ? t->to : t->to == TO_REPEAT ? (int)from : -1;
}

const char *ivr_draw_end(const struct target *t)
{
	return t->to == TO_BACK ? "back" : t->to == TO_RETURN ? "return" : "hangup";
}

unsigned ivr_draw_ways(const struct ivr_flow *f, unsigned node, struct draw_way *out)
{
	const struct node *n = &f->node[node];
	unsigned ways = 0;

	for (unsigned k = 0; k < KEYS; k++) {
		const char key[] = {' ', "0123456789*#"[k], '\0'};
		unsigned i = 0;

		if (n->key[k].name == NULL)
			continue;
		while (i < ways && strcmp(out[i].to->name, n->key[k].name) != 0)
			i++;
		if (i < ways) {
			strcat(out[i].label, key); /* twelve keys have room */
			continue;
		}
		out[ways].to = &n->key[k];
		memcpy(out[ways++].label, key + 1, 2);
	}
	for (unsigned w = 0; w < WAYS; w++) {
		const struct target *t = &n->way[w];
		const char *word = ivr_way_key(n->kind, (enum way)w);

		/* What `otherwise` stands for is drawn once. */
		if (t->name == NULL || (w >= WAY_FULL && t->name == n->way[WAY_OTHERWISE].name))
			continue;
		out[ways].to = t;
		snprintf(out[ways++].label, DRAW_LABEL_MAX, "%s",
			 word == NULL || strcmp(word, "next") == 0 ? "" : word);
	}
	return ways;
}

/* --- what a node does ---------------------------------------------------------------------- */

/* Add a word; what does not fit ends in "...", between characters. */
static void add(char *out, const char *word)
{
	size_t have = strlen(out), len = strlen(word), room = DRAW_TEXT_MAX - 5;

	if (have + 1 + len <= room) {
		snprintf(out + have, DRAW_TEXT_MAX - have, " %s", word);
		return;
	}
	if (have >= 4 && strcmp(out + have - 3, "...") == 0)
		return;
	len = have < room ? room - have : 0;
	while (len > 0 && ((unsigned char)word[len] & 0xc0) == 0x80)
		len--;
	snprintf(out + have, DRAW_TEXT_MAX - have, " %.*s...", (int)len, word);
}

static void add_variable(const struct ivr_flow *f, int var, char *out)
{
	char name[IVR_NAME_MAX + 1];

	snprintf(name, sizeof(name), "$%s",
		 var >= 0            ? f->variable[var].name
		 : var == VAR_CALLER ? "caller"
		 : var == VAR_CALLED ? "called"
				     : "language");
	add(out, name);
}

static void add_pieces(const struct ivr_flow *f, const struct pieces *p, char *out)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct piece *q = &p->piece[i];

		if (q->kind == PIECE_SILENCE || q->kind == PIECE_BEEP)
			continue;
		if (q->kind == PIECE_SAID && q->var != VAR_NONE)
			add_variable(f, q->var, out);
		else
			add(out, q->text);
	}
}

static void add_assigns(const struct ivr_flow *f, const struct node *n, char *out)
{
	for (unsigned i = 0; i < n->n_assigns; i++) {
		const struct assign *a = &n->assign[i];
		char number[16];

		switch (a->kind) {
		case SET_LANGUAGE:
			add(out, f->language[a->number]);
			break;
		case SET_PRIORITY:
			snprintf(number, sizeof(number), "priority %u", a->number);
			add(out, number);
			break;
		case SET_VARIABLE:
			add_variable(f, a->var, out);
			break;
		}
	}
}

void ivr_draw_says(const struct ivr_flow *f, unsigned node, char out[DRAW_TEXT_MAX])
{
	static const char *const causes[] = {"normal", "busy", "rejected"};
	const struct node *n = &f->node[node];

	snprintf(out, DRAW_TEXT_MAX, "%s", ivr_node_kind_key(n->kind));
	if (n->kind == NODE_SET)
		add_assigns(f, n, out);
	else if (n->kind == NODE_IF)
		add_variable(f, n->var, out);
	else if (n->kind == NODE_RECORD)
		add(out, record_verb_names[n->verb]);
	else if (n->kind == NODE_HANGUP)
		add(out, n->cause < 3 ? causes[n->cause] : "");
	else if (n->kind == NODE_DIAL && n->what_var != VAR_NONE)
		add_variable(f, n->what_var, out);
	else if (n->kind == NODE_NOTE)
		for (unsigned i = 0; i < n->n_pairs; i++)
			add(out, n->pair[i].key);
	else if (n->what != NULL && n->what[0] != '\0')
		add(out, n->what);
	else
		add_pieces(f, &n->say, out);
}

/* --- Graphviz ------------------------------------------------------------------------------ */

/* Text inside double quotes. */
static void put_quoted(struct draw_page *p, const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= ' ')
			ivr_draw_put(p, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void dot(const struct ivr_flow *f, struct draw_page *p)
{
	static const char *const shape[NODE_KINDS] = {
		[NODE_SAY] = "note",      [NODE_MENU] = "house",      [NODE_COLLECT] = "house",
		[NODE_HOURS] = "diamond", [NODE_IF] = "diamond",      [NODE_QUEUE] = "cds",
		[NODE_VOICEMAIL] = "tab", [NODE_DIAL] = "cds",        [NODE_CONFERENCE] = "cds",
		[NODE_RUN] = "component", [NODE_LOOKUP] = "cylinder", [NODE_NOTE] = "note",
		[NODE_CALLBACK] = "tab",  [NODE_HANGUP] = "octagon",
	};
	struct draw_way way[DRAW_WAYS_MAX];
	char says[DRAW_TEXT_MAX];

	ivr_draw_put(p, "digraph \"");
	put_quoted(p, f->name);
	ivr_draw_put(p, "\" {\n\trankdir=LR;\n\tstart [shape=circle];\n\tstart -> n%d;\n",
		     f->start.to);
	for (unsigned i = 0; i < f->n_nodes; i++) {
		const struct node *n = &f->node[i];
		unsigned ways = ivr_draw_ways(f, i, way);

		ivr_draw_says(f, i, says);
		ivr_draw_put(p, "\tn%u [shape=%s, label=\"", i,
			     shape[n->kind] != NULL ? shape[n->kind] : "box");
		put_quoted(p, n->name);
		ivr_draw_put(p, "\\n");
		put_quoted(p, says);
		ivr_draw_put(p, "\"];\n");
		for (unsigned w = 0; w < ways; w++) {
			int to = ivr_draw_leads_to(i, way[w].to);

			/* Ends have no place of their own: all lines to one would cover the rest. */
			if (to < 0)
				ivr_draw_put(p,
					     "\tn%u_%u [shape=plaintext, label=\"%s\"];\n"
					     "\tn%u -> n%u_%u [label=\"",
					     i, w, ivr_draw_end(way[w].to), i, i, w);
			else
				ivr_draw_put(p, "\tn%u -> n%d [label=\"", i, to);
			put_quoted(p, way[w].label);
			ivr_draw_put(p, "\"];\n");
		}
	}
	ivr_draw_put(p, "}\n");
}

size_t ivr_flow_draw(const struct ivr_flow *f, enum ivr_picture kind, char *out, size_t size)
{
	struct draw_page p = {.out = out, .size = size};

	if (kind == IVR_PICTURE_SVG)
		ivr_draw_svg(f, &p);
	else
		dot(f, &p);
	if (size > 0 && p.len >= size)
		out[size - 1] = '\0';
	return p.len;
}
