/* SPDX-License-Identifier: Apache-2.0
 * The proof that a caller cannot be lost.
 *
 * The flow is a graph. Reading has made sure that every way leads somewhere. Here: no cycle of
 * automatic nodes alone (a caller would listen for ever and nobody could stop it; `back` leads to a
 * menu, or to the start where none was before), from every node that can be reached an end can be reached
 * (hang-up, or a person), and all names outside the flow exist.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ivr/flow_priv.h"
#include "ivr/say.h"

enum { EDGES = WAYS + KEYS };

struct checking {
	const struct ivr_flow *f;
	const struct ivr_world *world;
	struct complaints *c;
	unsigned char *reached; /* per node */
	unsigned char *ends;
	unsigned char *returns; /* its sub-flow can come to `return` from here ... */
	unsigned char *at_once; /* ... and without an act of the caller */
	unsigned char *colour;  /* 0 new, 1 on the way, 2 done */
	unsigned *order;
};

/* Targets of node `i`, one after the other; NULL past the last. */
static const struct target *edge(const struct ivr_flow *f, unsigned i, unsigned e)
{
	if (e < WAYS)
		return &f->node[i].way[e];
	return &f->node[i].key[e - WAYS];
}

/* Where an edge leads in the graph: a node, or -1. */
static int leads_to(const struct ivr_flow *f, unsigned i, unsigned e)
{
	const struct target *t = edge(f, i, e);

	if (t->name == NULL)
		return -1;
	if (t->to == TO_BACK)
		return f->start.to;
	if (t->to == TO_RETURN)
		return -1; /* goes on where the sub-flow was run; that node has its own way */
	return t->to == TO_REPEAT ? (int)i : t->to;
}

static void mark_reached(struct checking *k)
{
	unsigned n = 0;

	k->reached[k->f->start.to] = 1;
	k->order[n++] = (unsigned)k->f->start.to;
	for (unsigned at = 0; at < n; at++) {
		for (unsigned e = 0; e < EDGES; e++) {
			int to = leads_to(k->f, k->order[at], e);

			if (to < 0 || k->reached[to])
				continue;
			k->reached[to] = 1;
			k->order[n++] = (unsigned)to;
		}
	}
	for (unsigned i = 0; i < k->f->n_nodes; i++)
		if (!k->reached[i])
			complain(k->c, COMPLAINT_WARNING, k->f->node[i].at,
				 "no call ever comes to node \"%s\"", k->f->node[i].name);
}

/* Does a call pass through it without an act of the caller? A promised call back takes no time either: it
 * is kept, or cannot be, and the flow goes on. */
static bool passes(const struct node *n)
{
	return ivr_node_automatic(n) || n->kind == NODE_CALLBACK;
}

/* Does an edge say `return`, or lead to a node of `set`? */
static bool says_return(const struct ivr_flow *f, unsigned i, unsigned e, const unsigned char *set)
{
	const struct target *t = edge(f, i, e);
	int to = leads_to(f, i, e);

	return t->name != NULL && (t->to == TO_RETURN || (to >= 0 && set[to]));
}

/* Mark every node from which the sub-flow that it is in can come to its `return`; with `at_once` only those
 * from which it can before anything waits for the caller. After a `run` it goes on only if that one
 * returns. */
static void mark_returns(const struct ivr_flow *f, bool at_once, unsigned char *set)
{
	bool more = true;

	while (more) {
		more = false;
		for (unsigned i = 0; i < f->n_nodes; i++) {
			const struct node *n = &f->node[i];
			bool can = false;

			if (set[i] || (at_once && !passes(n)))
				continue;
			if (n->kind == NODE_RUN)
				can = set[n->way[WAY_RUN].to] && says_return(f, i, WAY_NEXT, set);
			for (unsigned e = 0; n->kind != NODE_RUN && !can && e < EDGES; e++)
				can = says_return(f, i, e, set);
			set[i] = can;
			more |= can;
		}
	}
}

static bool is_end(const struct ivr_flow *f, unsigned i)
{
	enum node_kind kind = f->node[i].kind;

	if (kind == NODE_HANGUP || kind == NODE_QUEUE || kind == NODE_DIAL ||
	    kind == NODE_CONFERENCE)
		return true;
	/* A way that was left out hangs up. */
	return kind == NODE_VOICEMAIL && f->node[i].way[WAY_NEXT].name == NULL;
}

/* Does this edge lead to an end? A `run` goes on to `next` only if its sub-flow returns. */
static bool edge_ends(const struct checking *k, unsigned i, unsigned e)
{
	const struct node *n = &k->f->node[i];
	const struct target *t = edge(k->f, i, e);
	int to = leads_to(k->f, i, e);

	if (n->kind == NODE_RUN && e == WAY_NEXT && !k->returns[n->way[WAY_RUN].to])
		return false;
	return t->name != NULL && (t->to == TO_HANGUP || (to >= 0 && k->ends[to]));
}

static void check_ends(struct checking *k)
{
	bool more = true;

	for (unsigned i = 0; i < k->f->n_nodes; i++)
		k->ends[i] = is_end(k->f, i);
	while (more) {
		more = false;
		for (unsigned i = 0; i < k->f->n_nodes; i++) {
			for (unsigned e = 0; !k->ends[i] && e < EDGES; e++) {
				k->ends[i] = edge_ends(k, i, e);
				more |= k->ends[i];
			}
		}
	}
	/* Where a sub-flow returns, it is the `run` that must lead to an end. */
	for (unsigned i = 0; i < k->f->n_nodes; i++)
		if (k->reached[i] && !k->ends[i] && !k->returns[i])
			complain(k->c, COMPLAINT_ERROR, k->f->node[i].at,
				 "from node \"%s\" a call can never come to an end or to a person",
				 k->f->node[i].name);
}

/* Every node to which a call comes without a sub-flow being run: `return` must not be there. */
static void check_returns(struct checking *k)
{
	const struct ivr_flow *f = k->f;
	unsigned char *seen = k->colour; /* free until the cycles are looked for */
	unsigned n = 0;

	seen[f->start.to] = 1;
	k->order[n++] = (unsigned)f->start.to;
	for (unsigned at = 0; at < n; at++) {
		for (unsigned e = 0; e < EDGES; e++) {
			const struct target *t = edge(f, k->order[at], e);
			int to = leads_to(f, k->order[at], e);

			if (t->name != NULL && t->to == TO_RETURN)
				complain(k->c, COMPLAINT_ERROR, t->at,
					 "node \"%s\" says return, but a call comes here without a "
					 "\"run\"",
					 f->node[k->order[at]].name);
			if (e == WAY_RUN || to < 0 || seen[to])
				continue;
			seen[to] = 1;
			k->order[n++] = (unsigned)to;
		}
	}
	memset(seen, 0, f->n_nodes);
}

/* Depth first over nodes that a call passes by itself; a node met again on its own way closes a cycle. The flow has
 * at most IVR_NODES_MAX of them, and `order` is the stack of the way. */
static void check_cycles(struct checking *k)
{
	unsigned char *next = calloc(k->f->n_nodes, sizeof(*next));

	must(next != NULL);
	for (unsigned root = 0; root < k->f->n_nodes; root++) {
		unsigned depth = 0;

		if (k->colour[root] != 0 || !passes(&k->f->node[root]))
			continue;
		k->order[depth++] = root;
		k->colour[root] = 1;
		while (depth > 0) {
			unsigned at = k->order[depth - 1];

			if (next[at] == EDGES) {
				k->colour[at] = 2;
				depth--;
				continue;
			}

			int to = leads_to(k->f, at, next[at]++);

			if (to < 0 || !passes(&k->f->node[to]))
				continue;
			if (k->f->node[at].kind == NODE_RUN && next[at] - 1 == WAY_NEXT &&
			    !k->at_once[k->f->node[at].way[WAY_RUN].to])
				continue; /* its sub-flow waits for the caller */
			if (k->colour[to] == 1)
				complain(k->c, COMPLAINT_ERROR, k->f->node[at].at,
					 "\"%s\" leads back to \"%s\" and nothing in between waits "
					 "for the "
					 "caller: an endless loop",
					 k->f->node[at].name, k->f->node[to].name);
			if (k->colour[to] != 0)
				continue;
			k->colour[to] = 1;
			k->order[depth++] = (unsigned)to;
		}
	}
	free(next);
}

static void check_prompt(struct checking *k, const char *name, struct mark at)
{
	char full[IVR_PROMPT_MAX];

	for (unsigned i = 0; i < k->f->n_languages; i++) {
		struct ivr_items one = {0};

		ivr_say_prompt(k->f->language[i], name, &one);
		snprintf(full, sizeof(full), "%s", one.item[0].prompt);
		if (k->world->has_prompt(k->world->arg, full))
			continue;
		complain(k->c, COMPLAINT_ERROR, at, "prompt \"%s\" is missing in \"%s\" (%s.wav)",
			 name, k->f->language[i], full);
		if (strncmp(name, "music/", 6) == 0)
			return;
	}
}

static void check_words(struct checking *k, struct mark at)
{
	for (unsigned i = 0; i < k->f->n_languages; i++) {
		const char *word;
		char full[IVR_PROMPT_MAX];

		for (unsigned w = 0;
		     (word = ivr_say_word(k->world->say, k->f->language[i], w)) != NULL; w++) {
			snprintf(full, sizeof(full), "%.40s/%s", k->f->language[i], word);
			if (!k->world->has_prompt(k->world->arg, full))
				complain(k->c, COMPLAINT_ERROR, at,
					 "numbers are spoken here, and prompt \"%s\" is missing in "
					 "\"%s\" (%s.wav)",
					 word, k->f->language[i], full);
		}
	}
}

static void check_pieces(struct checking *k, const struct pieces *p, bool *words)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct piece *q = &p->piece[i];

		if (q->kind == PIECE_PROMPT) {
			check_prompt(k, q->text, q->at);
		} else if (q->kind != PIECE_SILENCE && q->kind != PIECE_BEEP && !*words) {
			*words = true;
			check_words(k, q->at);
		}
	}
}

static void check_world(struct checking *k)
{
	const struct ivr_world *w = k->world;
	bool words = false;

	for (unsigned i = 0; i < k->f->n_nodes; i++) {
		const struct node *n = &k->f->node[i];

		if (w->has_prompt != NULL) {
			check_pieces(k, &n->say, &words);
			check_pieces(k, &n->on_timeout, &words);
			check_pieces(k, &n->on_invalid, &words);
			check_pieces(k, &n->confirm, &words);
			if (n->kind == NODE_QUEUE && !words) {
				words = true;
				check_words(k, n->at);
			}
		}
		if ((n->kind == NODE_QUEUE || n->kind == NODE_CALLBACK) && w->has_queue != NULL &&
		    !w->has_queue(w->arg, n->what))
			complain(k->c, COMPLAINT_ERROR, n->what_at, "there is no queue \"%s\"",
				 n->what);
		if (n->kind == NODE_HOURS && w->has_calendar != NULL &&
		    !w->has_calendar(w->arg, n->what))
			complain(k->c, COMPLAINT_ERROR, n->what_at, "there is no calendar \"%s\"",
				 n->what);
		if (n->kind == NODE_CONFERENCE && w->has_conference != NULL &&
		    !w->has_conference(w->arg, n->what))
			complain(k->c, COMPLAINT_ERROR, n->what_at, "there is no conference \"%s\"",
				 n->what);
		if (n->kind == NODE_DIAL && n->what_var == VAR_NONE && w->has_number != NULL &&
		    !w->has_number(w->arg, n->what))
			complain(k->c, COMPLAINT_ERROR, n->what_at,
				 "\"%s\" is no agent, and no trunk leads there", n->what);
	}
}

int ivr_flow_check(const struct ivr_flow *f, const struct ivr_world *world,
		   struct complaints *complaints)
{
	unsigned errors = complaints->errors;
	struct checking k = {.f = f, .world = world, .c = complaints};
	unsigned char *bytes = calloc(f->n_nodes, 5);

	k.order = calloc(f->n_nodes, sizeof(*k.order));
	must(bytes != NULL && k.order != NULL);
	k.reached = bytes;
	k.ends = bytes + f->n_nodes;
	k.colour = bytes + 2 * (size_t)f->n_nodes;
	k.returns = bytes + 3 * (size_t)f->n_nodes;
	k.at_once = bytes + 4 * (size_t)f->n_nodes;
	mark_returns(f, false, k.returns);
	mark_returns(f, true, k.at_once);
	mark_reached(&k);
	check_ends(&k);
	check_returns(&k);
	check_cycles(&k);
	check_world(&k);
	free(bytes);
	free(k.order);
	return complaints->errors > errors ? -EINVAL : 0;
}
