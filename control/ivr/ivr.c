/* SPDX-License-Identifier: Apache-2.0
 * The interpreter.
 *
 *   arrive(node) -> perform(node): say its prompts, then do its one thing
 *        ^                |  automatic: depart at once       |  otherwise: wait
 *        |                v                                  v
 *        +---------- depart(target) <------------------- an event
 *
 * The loop over automatic nodes is bounded twice: a checked flow has no cycle of them, and
 * STEPS_MAX ends the call if an unchecked one has. Cycles through menus are bounded by
 * IVR_TURNS_MAX things in a row that came to nothing, so a silent caller is not kept for ever.
 */
#include "ivr/ivr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ivr/flow_priv.h"
#include "ivr/ivr_priv.h"

enum { STEPS_MAX = 2 * IVR_NODES_MAX, PATH_HEAD = IVR_PATH_MAX / 2 };

struct run {
	struct ivr_session *s;
	const struct ivr_now *now;
	struct ivr_actions *out;
	struct ivr_items pending; /* said by nodes that let a key through; not yet played */
};

static const struct node *node_of(const struct ivr_session *s)
{
	return &s->flow->node[s->node];
}

const char *ivr_session_language(const struct ivr_session *s)
{
	return s->flow != NULL ? s->flow->language[s->language] : "";
}

bool ivr_session_in_queue(const struct ivr_session *s)
{
	return s->flow != NULL && !s->over && s->waiting == IVR_WAIT_QUEUE;
}

const char *ivr_session_node(const struct ivr_session *s)
{
	return s->flow != NULL ? node_of(s)->name : "";
}

struct ivr_step ivr_session_step(const struct ivr_session *s, unsigned i)
{
	if (s->path_n <= IVR_PATH_MAX || i < PATH_HEAD)
		return s->path[i];
	return s->path[PATH_HEAD + (s->path_n - IVR_PATH_MAX + i - PATH_HEAD) % PATH_HEAD];
}

const char *ivr_value_of(const struct ivr_session *s, int var)
{
	switch (var) {
	case VAR_NONE:
		return "";
	case VAR_CALLER:
		return s->caller;
	case VAR_CALLED:
		return s->called;
	case VAR_LANGUAGE:
		return ivr_session_language(s);
	default:
		return s->value[var];
	}
}

const char *ivr_session_value(const struct ivr_session *s, const char *variable)
{
	if (s->flow == NULL)
		return "";
	if (strcmp(variable, "caller") == 0)
		return s->caller;
	if (strcmp(variable, "called") == 0)
		return s->called;
	for (unsigned i = 0; i < s->flow->n_variables; i++) {
		if (strcmp(s->flow->variable[i].name, variable) != 0)
			continue;
		return s->flow->variable[i].secret && s->value[i][0] != '\0' ? "***" : s->value[i];
	}
	return "";
}

static void set_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

/* --- actions ------------------------------------------------------------------------------- */

static struct ivr_action *act(struct run *r, enum ivr_action_kind kind)
{
	/* The call is accepted before the first thing that the caller is to notice. */
	if (!r->s->answered && kind != IVR_HANGUP) {
		r->s->answered = true;
		memset(&r->out->action[r->out->n], 0, sizeof(r->out->action[0]));
		r->out->action[r->out->n++].kind = IVR_ANSWER;
	}

	struct ivr_action *a = &r->out->action[r->out->n++];

	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

static void hang_up(struct run *r, enum ivr_cause cause)
{
	act(r, IVR_HANGUP)->cause = cause;
	r->s->waiting = IVR_WAIT_NONE;
	r->s->over = true;
}

static void say_pieces(const struct run *r, const struct pieces *p, struct ivr_items *out)
{
	const char *lang = ivr_session_language(r->s);

	for (unsigned i = 0; i < p->n; i++) {
		const struct piece *q = &p->piece[i];
		const char *text = q->var != VAR_NONE ? ivr_value_of(r->s, q->var) : q->text;

		switch (q->kind) {
		case PIECE_PROMPT:
			ivr_say_prompt(lang, q->text, out);
			break;
		case PIECE_SAID:
			ivr_say(r->now->say, lang, q->said, text, out);
			break;
		case PIECE_SILENCE:
			ivr_say_silence((uint16_t)q->ms, out);
			break;
		case PIECE_BEEP:
			ivr_say_beep(out);
			break;
		}
	}
}

/* --- moving -------------------------------------------------------------------------------- */

static void remember(struct run *r)
{
	struct ivr_session *s = r->s;
	unsigned at =
		s->path_n < PATH_HEAD ? s->path_n : PATH_HEAD + (s->path_n - PATH_HEAD) % PATH_HEAD;

	s->path[at] = (struct ivr_step){r->now->now_ms, s->node};
	s->path_n++;
}

/* Menus on the way here, for `back`; coming to one that is among them forgets those after it. */
static void stack_menu(struct ivr_session *s)
{
	for (unsigned i = 0; i < s->back_n; i++) {
		if (s->back[i] == s->node) {
			s->back_n = (uint8_t)(i + 1);
			return;
		}
	}
	if (s->back_n == IVR_BACK_MAX) {
		memmove(&s->back[0], &s->back[1], (IVR_BACK_MAX - 1) * sizeof(s->back[0]));
		s->back_n--;
	}
	s->back[s->back_n++] = s->node;
}

/* Sub-flows on the way here, for `return`. One that was left by another way than `return` and is run
 * again begins anew, so that the stack holds each node once. */
static void stack_run(struct ivr_session *s)
{
	unsigned i = 0;

	while (i < s->run_n && s->run[i] != s->node)
		i++;
	if (i == IVR_RUNS_MAX) {
		memmove(&s->run[0], &s->run[1], (IVR_RUNS_MAX - 1) * sizeof(s->run[0]));
		i--;
	}
	s->run[i] = s->node;
	s->run_n = (uint8_t)(i + 1);
}

/* Once in an event: the last of several nodes. */
static void tell_resolved(struct run *r, const char *node)
{
	struct ivr_action *a = NULL;

	for (unsigned i = 0; i < r->out->n; i++)
		if (r->out->action[i].kind == IVR_RESOLVED)
			a = &r->out->action[i];
	if (a == NULL)
		a = act(r, IVR_RESOLVED);
	set_text(a->name, sizeof(a->name), node);
}

static void arrive(struct run *r, unsigned node)
{
	r->s->node = (uint16_t)node;
	r->s->tries = 0;
	r->s->said = false;
	if (node_of(r->s)->kind == NODE_MENU)
		stack_menu(r->s);
	if (node_of(r->s)->resolved)
		tell_resolved(r, node_of(r->s)->name);
	remember(r);
}

/* The menu before this one; from elsewhere the last menu; without any the start. */
static unsigned menu_before(const struct ivr_session *s)
{
	unsigned n = s->back_n;

	if (n > 0 && s->back[n - 1] == s->node)
		n--;
	if (n > 0)
		return s->back[n - 1];
	return s->back_n > 0 ? s->back[0] : (unsigned)s->flow->start.to;
}

/* Go where `t` leads. `fruitless`: nothing was reached; too many of these end the call. Returns
 * false when the session is over. */
static bool depart(struct run *r, const struct target *t, bool fruitless)
{
	struct ivr_session *s = r->s;

	if (fruitless || t->to == TO_REPEAT) {
		if (++s->turns >= IVR_TURNS_MAX) {
			hang_up(r, IVR_CAUSE_NORMAL);
			return false;
		}
	} else if (!ivr_node_automatic(node_of(s)) && node_of(s)->kind != NODE_LOOKUP) {
		s->turns = 0; /* the caller did something; a lookup needs nobody */
	}
	switch (t->to) {
	case TO_HANGUP:
	case TO_NOWHERE:
		hang_up(r, IVR_CAUSE_NORMAL);
		return false;
	case TO_REPEAT:
		arrive(r, s->node);
		return true;
	case TO_BACK:
		arrive(r, menu_before(s));
		return true;
	case TO_RETURN:
		if (s->run_n == 0) { /* a checked flow has none such */
			hang_up(r, IVR_CAUSE_FAILED);
			return false;
		}
		s->node = s->run[--s->run_n]; /* what `repeat` means there is the sub-flow */
		return depart(r, &node_of(s)->way[WAY_NEXT], false);
	default:
		arrive(r, (unsigned)t->to);
		return true;
	}
}

/* --- nodes --------------------------------------------------------------------------------- */

static void start_collect(struct run *r, const struct node *n, const struct pieces *first)
{
	bool menu = n->kind == NODE_MENU;
	struct ivr_items items = r->pending;

	r->pending.n = 0;
	if (first != NULL)
		say_pieces(r, first, &items);
	say_pieces(r, &n->say, &items);
	if (items.n > 0) {
		struct ivr_action *play = act(r, IVR_PLAY);

		play->interrupt = true;
		play->speech = n->speech;
		play->items = items;
	}

	struct ivr_collect *c = &act(r, IVR_COLLECT)->collect;

	c->max = menu ? 1 : n->max;
	c->min = menu ? 1 : n->min;
	set_text(c->terminators, sizeof(c->terminators), menu ? "" : n->terminators);
	c->first_timeout_ms = n->timeout_s * 1000;
	c->inter_timeout_ms = n->inter_timeout_s * 1000;
	c->secret = n->secret;
	r->s->waiting = IVR_WAIT_COLLECT;
}

static void assign(struct ivr_session *s, const struct assign *a)
{
	switch (a->kind) {
	case SET_LANGUAGE:
		s->language = a->number;
		return;
	case SET_PRIORITY:
		s->priority = a->number;
		return;
	case SET_VARIABLE: {
		char text[IVR_VALUE_MAX];

		set_text(text, sizeof(text),
			 a->from != VAR_NONE ? ivr_value_of(s, a->from) : a->text);
		memcpy(s->value[a->var], text, sizeof(text));
		return;
	}
	}
}

static bool matches(const struct ivr_session *s, const struct node *n)
{
	for (unsigned i = 0; i < n->n_equals; i++)
		if (strcmp(ivr_value_of(s, n->var), n->equals[i]) == 0)
			return true;
	return false;
}

/* RECORD stands before what takes time, one of a kind: of many in a row the last one says what is
 * wanted. */
static void tell_record(struct run *r, enum record_verb verb)
{
	struct ivr_actions *out = r->out;

	for (unsigned i = 0; i < out->n; i++) {
		if (out->action[i].kind != IVR_RECORD || out->action[i].verb != verb)
			continue;
		memmove(&out->action[i], &out->action[i + 1],
			(out->n - i - 1) * sizeof(out->action[0]));
		out->n--;
		break;
	}
	act(r, IVR_RECORD)->verb = verb;
}

/* Play what nodes before this one left to be said. True: wait for it, then do this node. */
static bool say_pending(struct run *r)
{
	if (r->pending.n == 0)
		return false;

	struct ivr_action *play = act(r, IVR_PLAY);

	play->interrupt = true;
	play->items = r->pending;
	r->pending.n = 0;
	r->s->waiting = IVR_WAIT_PLAY;
	return true;
}

/* Prompts first, where the node has some that nothing else accompanies. True: wait for them. */
static bool say_first(struct run *r, const struct node *n)
{
	struct ivr_items items = {0};

	if (r->s->said || n->say.n == 0 || n->kind == NODE_MENU || n->kind == NODE_COLLECT)
		return false;
	if (n->kind == NODE_SAY && n->interrupt) {
		/* A menu that follows plays it, so that a key pressed meanwhile counts there. */
		r->s->said = true;
		say_pieces(r, &n->say, &r->pending);
		return false;
	}
	if (say_pending(r))
		return true;
	r->s->said = true;
	say_pieces(r, &n->say, &items);
	if (items.n == 0)
		return false;
	act(r, IVR_PLAY)->items = items;
	r->s->waiting = IVR_WAIT_PLAY;
	return true;
}

/* Of more notes than fit the newest are kept. */
static void tell_notes(struct run *r, const struct node *n)
{
	for (unsigned i = 0; i < n->n_pairs; i++) {
		struct ivr_actions *out = r->out;
		const struct pair *p = &n->pair[i];
		unsigned notes = 0, first = 0;

		for (unsigned k = out->n; k-- > 0;) {
			if (out->action[k].kind != IVR_NOTE)
				continue;
			notes++;
			first = k;
		}
		if (notes == IVR_NOTES_MAX) {
			memmove(&out->action[first], &out->action[first + 1],
				(out->n - first - 1) * sizeof(out->action[0]));
			out->n--;
		}

		struct ivr_action *a = act(r, IVR_NOTE);

		set_text(a->name, sizeof(a->name), p->key);
		set_text(a->value, sizeof(a->value),
			 p->var != VAR_NONE ? ivr_value_of(r->s, p->var) : p->text);
	}
}

/* The one thing of a node that takes time or ends the call. */
static void begin(struct run *r, const struct node *n)
{
	struct ivr_action *a = NULL;

	switch (n->kind) {
	case NODE_MENU:
	case NODE_COLLECT:
		start_collect(r, n, NULL);
		return;
	case NODE_QUEUE:
		a = act(r, IVR_QUEUE);
		a->priority = n->priority > r->s->priority ? n->priority : r->s->priority;
		r->s->waiting = IVR_WAIT_QUEUE;
		break;
	case NODE_VOICEMAIL:
		a = act(r, IVR_VOICEMAIL);
		a->voicemail.max_s = n->max_s;
		a->voicemail.silence_s = n->silence_s;
		a->voicemail.min_s = n->min_s;
		a->voicemail.beep = n->beep;
		r->s->waiting = IVR_WAIT_VOICEMAIL;
		break;
	case NODE_DIAL:
		a = act(r, IVR_DIAL);
		a->dial.timeout_s = n->timeout_s;
		say_pieces(r, &n->confirm, &a->items);
		r->s->waiting = IVR_WAIT_DIAL;
		break;
	case NODE_CONFERENCE:
		a = act(r, IVR_CONFERENCE);
		r->s->waiting = IVR_WAIT_DIAL;
		break;
	case NODE_CALLBACK:
		a = act(r, IVR_CALLBACK);
		a->priority = n->priority > r->s->priority ? n->priority : r->s->priority;
		set_text(a->value, sizeof(a->value),
			 n->pair[0].var != VAR_NONE ? ivr_value_of(r->s, n->pair[0].var)
						    : n->pair[0].text);
		r->s->waiting = IVR_WAIT_CALLBACK;
		break;
	case NODE_LOOKUP:
		a = act(r, IVR_LOOKUP);
		a->lookup.timeout_ms = n->timeout_s * 1000;
		ivr_lookup_make(r->s, n, a);
		r->s->waiting = IVR_WAIT_LOOKUP;
		return;
	case NODE_RUN:
	case NODE_NOTE:
	case NODE_HANGUP:
	case NODE_SAY:
	case NODE_HOURS:
	case NODE_SET:
	case NODE_IF:
	case NODE_RECORD:
	case NODE_GOTO:
	case NODE_KINDS:
		hang_up(r, (enum ivr_cause)n->cause);
		return;
	}
	snprintf(a->name, sizeof(a->name), "%.63s",
		 n->what_var != VAR_NONE ? ivr_value_of(r->s, n->what_var) : n->what);
}

/* From the node where the session is to the next thing that takes time. */
static void go_on(struct run *r)
{
	for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
		const struct node *n = node_of(r->s);
		const struct target *to = &n->way[WAY_NEXT];

		if (say_first(r, n))
			return;
		if (!ivr_node_automatic(n)) {
			bool collects = n->kind == NODE_MENU || n->kind == NODE_COLLECT;

			if (collects || !say_pending(r))
				begin(r, n);
			return;
		}
		if (n->kind == NODE_RECORD)
			tell_record(r, (enum record_verb)n->verb);
		if (n->kind == NODE_SET)
			for (unsigned i = 0; i < n->n_assigns; i++)
				assign(r->s, &n->assign[i]);
		if (n->kind == NODE_NOTE)
			tell_notes(r, n);
		if (n->kind == NODE_RUN) {
			stack_run(r->s);
			to = &n->way[WAY_RUN];
		}
		if (n->kind == NODE_HOURS &&
		    (r->now->open == NULL || !r->now->open(r->now->arg, n->what)))
			to = &n->way[WAY_CLOSED];
		if (n->kind == NODE_IF && !matches(r->s, n))
			to = &n->way[WAY_CLOSED];
		if (to->to == TO_HANGUP && say_pending(r))
			return;
		if (!depart(r, to, false))
			return;
	}
	hang_up(r, IVR_CAUSE_FAILED);
}

/* --- events -------------------------------------------------------------------------------- */

/* Nothing, or nothing that the node knows: once more, or out. */
static void missed(struct run *r, const struct node *n, bool silence)
{
	r->s->turns++;
	if (++r->s->tries < n->tries && r->s->turns < IVR_TURNS_MAX) {
		start_collect(r, n, silence ? &n->on_timeout : &n->on_invalid);
		return;
	}
	if (depart(r, &n->way[WAY_OTHERWISE], true))
		go_on(r);
}

static void collected(struct run *r, const struct ivr_event *ev)
{
	const struct node *n = node_of(r->s);
	const char *digits = ev->digits != NULL ? ev->digits : "";
	size_t len = strlen(digits);

	if (n->kind == NODE_MENU) {
		int key = len > 0 ? ivr_key_index(digits[0]) : -1;

		if (key < 0 || n->key[key].to == TO_NOWHERE)
			missed(r, n, len == 0);
		else if (depart(r, &n->key[key], false))
			go_on(r);
		return;
	}
	if (len < n->min || len > n->max) {
		missed(r, n, len == 0);
		return;
	}
	if (n->var >= 0)
		set_text(r->s->value[n->var], IVR_VALUE_MAX, digits);
	if (depart(r, &n->way[WAY_NEXT], false))
		go_on(r);
}

static void queue_left(struct run *r, enum ivr_queue_left why)
{
	static const enum way ways[] = {
		[IVR_QUEUE_SERVED] = WAY_NEXT,     [IVR_QUEUE_FULL] = WAY_FULL,
		[IVR_QUEUE_LONG] = WAY_LONG,       [IVR_QUEUE_EMPTY] = WAY_EMPTY,
		[IVR_QUEUE_TIMEOUT] = WAY_TIMEOUT, [IVR_QUEUE_FAILED] = WAY_OTHERWISE,
	};
	const struct node *n = node_of(r->s);
	const struct target *to = &n->way[ways[why]];

	/* A queue that failed, where only full, empty and timeout have ways: treat as timeout. */
	if (to->name == NULL && why == IVR_QUEUE_FAILED)
		to = &n->way[WAY_TIMEOUT];
	if (depart(r, to, why != IVR_QUEUE_SERVED))
		go_on(r);
}

static void dial_done(struct run *r, enum ivr_dial_done how)
{
	static const enum way ways[] = {
		[IVR_DIAL_SERVED] = WAY_NEXT,
		[IVR_DIAL_BUSY] = WAY_BUSY,
		[IVR_DIAL_NO_ANSWER] = WAY_NO_ANSWER,
		[IVR_DIAL_FAILED] = WAY_FAILED,
	};

	if (depart(r, &node_of(r->s)->way[ways[how]], how != IVR_DIAL_SERVED))
		go_on(r);
}

void ivr_start(struct ivr_session *s, struct ivr_flow *flow, const char *caller, const char *called,
	       const char *language, const struct ivr_now *now, struct ivr_actions *out)
{
	struct run r = {.s = s, .now = now, .out = out};

	memset(s, 0, sizeof(*s));
	s->flow = ivr_flow_hold(flow);
	set_text(s->caller, sizeof(s->caller), caller != NULL ? caller : "");
	set_text(s->called, sizeof(s->called), called != NULL ? called : "");
	for (unsigned i = 0; language != NULL && i < flow->n_languages; i++)
		if (strcmp(flow->language[i], language) == 0)
			s->language = (uint8_t)i;
	out->n = 0;
	arrive(&r, (unsigned)flow->start.to);
	go_on(&r);
}

static bool expected(const struct ivr_session *s, enum ivr_event_kind kind)
{
	switch (kind) {
	case IVR_EV_PLAY_DONE:
		return s->waiting == IVR_WAIT_PLAY || s->waiting == IVR_WAIT_COLLECT;
	case IVR_EV_COLLECTED:
		return s->waiting == IVR_WAIT_COLLECT;
	case IVR_EV_QUEUE_LEFT:
		return s->waiting == IVR_WAIT_QUEUE;
	case IVR_EV_VOICEMAIL_DONE:
		return s->waiting == IVR_WAIT_VOICEMAIL;
	case IVR_EV_DIAL_DONE:
		return s->waiting == IVR_WAIT_DIAL;
	case IVR_EV_LOOKUP_DONE:
		return s->waiting == IVR_WAIT_LOOKUP;
	case IVR_EV_CALLBACK_DONE:
		return s->waiting == IVR_WAIT_CALLBACK;
	case IVR_EV_HUNG_UP:
		return true;
	}
	return false;
}

int ivr_event(struct ivr_session *s, const struct ivr_event *ev, const struct ivr_now *now,
	      struct ivr_actions *out)
{
	struct run r = {.s = s, .now = now, .out = out};

	out->n = 0;
	if (s->flow == NULL || s->over || !expected(s, ev->kind))
		return -EPROTO;
	switch (ev->kind) {
	case IVR_EV_PLAY_DONE:
		if (s->waiting == IVR_WAIT_COLLECT)
			return 0;
		s->waiting = IVR_WAIT_NONE;
		go_on(&r);
		break;
	case IVR_EV_COLLECTED:
		s->waiting = IVR_WAIT_NONE;
		collected(&r, ev);
		break;
	case IVR_EV_QUEUE_LEFT:
		s->waiting = IVR_WAIT_NONE;
		queue_left(&r, ev->queue);
		break;
	case IVR_EV_VOICEMAIL_DONE:
		s->waiting = IVR_WAIT_NONE;
		if (depart(&r, &node_of(s)->way[WAY_NEXT], true))
			go_on(&r);
		break;
	case IVR_EV_DIAL_DONE:
		s->waiting = IVR_WAIT_NONE;
		dial_done(&r, ev->dial);
		break;
	case IVR_EV_LOOKUP_DONE:
		s->waiting = IVR_WAIT_NONE;
		if (ev->answer != NULL)
			ivr_lookup_take(s, node_of(s), ev->answer);
		if (depart(&r, &node_of(s)->way[ev->answer != NULL ? WAY_NEXT : WAY_FAILED],
			   ev->answer == NULL))
			go_on(&r);
		break;
	case IVR_EV_CALLBACK_DONE:
		s->waiting = IVR_WAIT_NONE;
		if (depart(&r, &node_of(s)->way[ev->taken ? WAY_NEXT : WAY_FAILED], !ev->taken))
			go_on(&r);
		break;
	case IVR_EV_HUNG_UP:
		s->waiting = IVR_WAIT_NONE;
		s->over = true;
		break;
	}
	return 0;
}

void ivr_end(struct ivr_session *s)
{
	s->over = true;
	ivr_flow_drop(&s->flow);
}
