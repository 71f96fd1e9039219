/* SPDX-License-Identifier: Apache-2.0
 * From a map to a node. One table says which keys each kind of node has; a key that is not in the
 * row of a kind is refused there, with a guess from the same row. Targets stay names here. */
#include <string.h>

#include "ivr/flow_read.h"
#include "record/record_policy.h"

#define OF(member)   offsetof(struct node, member)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const kind_keys[NODE_KINDS] = {
	[NODE_SAY] = "say",
	[NODE_MENU] = "menu",
	[NODE_COLLECT] = "collect",
	[NODE_HOURS] = "hours",
	[NODE_SET] = "set",
	[NODE_IF] = "if",
	[NODE_QUEUE] = "queue",
	[NODE_VOICEMAIL] = "voicemail",
	[NODE_CONFERENCE] = "conference",
	[NODE_DIAL] = "dial",
	[NODE_RECORD] = "record",
	[NODE_RUN] = "run",
	[NODE_LOOKUP] = "lookup",
	[NODE_NOTE] = "note",
	[NODE_CALLBACK] = "callback",
	[NODE_GOTO] = "goto",
	[NODE_HANGUP] = "hangup",
};

#define OTHER(key)                                                                                 \
	{                                                                                          \
		key, FIELD_OTHER, 0, 0, 0                                                          \
	}
#define NUM8(key, member, lo, hi)                                                                  \
	{                                                                                          \
		key, FIELD_U8, OF(member), lo, hi                                                  \
	}
#define NUM(key, member, lo, hi)                                                                   \
	{                                                                                          \
		key, FIELD_U32, OF(member), lo, hi                                                 \
	}

#define RESOLVED                                                                                   \
	{                                                                                          \
		"resolved", FIELD_BOOL, OF(resolved), 0, 0                                         \
	}

static const struct field say_keys[] = {
	OTHER("say"), OTHER("next"), {"interrupt", FIELD_BOOL, OF(interrupt), 0, 0}, RESOLVED};
static const struct field menu_keys[] = {OTHER("menu"),
					 OTHER("digits"),
					 OTHER("otherwise"),
					 OTHER("on_timeout"),
					 OTHER("on_invalid"),
					 NUM8("tries", tries, 1, 9),
					 {"speech", FIELD_BOOL, OF(speech), 0, 0},
					 NUM("timeout_s", timeout_s, 1, 60)};
static const struct field collect_keys[] = {OTHER("collect"),
					    OTHER("into"),
					    OTHER("next"),
					    OTHER("otherwise"),
					    OTHER("on_timeout"),
					    OTHER("on_invalid"),
					    NUM8("tries", tries, 1, 9),
					    NUM8("min", min, 1, 64),
					    NUM8("max", max, 1, 64),
					    NUM("timeout_s", timeout_s, 1, 60),
					    NUM("inter_timeout_s", inter_timeout_s, 1, 30),
					    {"terminators", FIELD_NUMBER, OF(terminators), 0, 0},
					    {"speech", FIELD_BOOL, OF(speech), 0, 0},
					    {"secret", FIELD_BOOL, OF(secret), 0, 0}};
static const struct field hours_keys[] = {OTHER("hours"), OTHER("open"), OTHER("closed")};
static const struct field set_keys[] = {OTHER("set"), OTHER("next")};
static const struct field if_keys[] = {OTHER("if"), OTHER("equals"), OTHER("then"), OTHER("else")};
static const struct field queue_keys[] = {
	OTHER("queue"),   OTHER("say"),       OTHER("next"),
	OTHER("full"),    OTHER("long"),      OTHER("empty"),
	OTHER("timeout"), OTHER("otherwise"), NUM8("priority", priority, 0, 9)};
static const struct field voicemail_keys[] = {OTHER("voicemail"),
					      OTHER("say"),
					      OTHER("next"),
					      NUM("max_s", max_s, 5, 3600),
					      NUM("silence_s", silence_s, 0, 60),
					      NUM("min_s", min_s, 0, 60),
					      {"beep", FIELD_BOOL, OF(beep), 0, 0}};
static const struct field dial_keys[] = {
	OTHER("dial"),      OTHER("say"),       OTHER("next"),
	OTHER("busy"),      OTHER("no_answer"), OTHER("failed"),
	OTHER("otherwise"), OTHER("confirm"),   NUM("timeout_s", timeout_s, 3, 300)};
static const struct field conference_keys[] = {OTHER("conference"), OTHER("say"), OTHER("busy"),
					       OTHER("failed"), OTHER("otherwise")};
static const struct field record_keys[] = {OTHER("record"), OTHER("next")};
static const struct field run_keys[] = {OTHER("run"), OTHER("next")};
static const struct field lookup_keys[] = {OTHER("lookup"),
					   OTHER("send"),
					   OTHER("into"),
					   OTHER("say"),
					   OTHER("next"),
					   OTHER("failed"),
					   NUM("timeout_s", timeout_s, 1, 30)};
static const struct field note_keys[] = {OTHER("note"), OTHER("next"), RESOLVED};
static const struct field callback_keys[] = {OTHER("callback"), OTHER("number"), OTHER("next"),
					     OTHER("failed"), NUM8("priority", priority, 0, 9)};
static const struct field goto_keys[] = {OTHER("goto")};
static const struct field hangup_keys[] = {OTHER("hangup"), OTHER("say"), RESOLVED};

static const struct {
	const struct field *field;
	size_t n;
} keys_of[NODE_KINDS] = {
	[NODE_SAY] = {say_keys, COUNT(say_keys)},
	[NODE_MENU] = {menu_keys, COUNT(menu_keys)},
	[NODE_COLLECT] = {collect_keys, COUNT(collect_keys)},
	[NODE_HOURS] = {hours_keys, COUNT(hours_keys)},
	[NODE_SET] = {set_keys, COUNT(set_keys)},
	[NODE_IF] = {if_keys, COUNT(if_keys)},
	[NODE_QUEUE] = {queue_keys, COUNT(queue_keys)},
	[NODE_VOICEMAIL] = {voicemail_keys, COUNT(voicemail_keys)},
	[NODE_DIAL] = {dial_keys, COUNT(dial_keys)},
	[NODE_CONFERENCE] = {conference_keys, COUNT(conference_keys)},
	[NODE_RECORD] = {record_keys, COUNT(record_keys)},
	[NODE_RUN] = {run_keys, COUNT(run_keys)},
	[NODE_LOOKUP] = {lookup_keys, COUNT(lookup_keys)},
	[NODE_NOTE] = {note_keys, COUNT(note_keys)},
	[NODE_CALLBACK] = {callback_keys, COUNT(callback_keys)},
	[NODE_GOTO] = {goto_keys, COUNT(goto_keys)},
	[NODE_HANGUP] = {hangup_keys, COUNT(hangup_keys)},
};

/* The key of each way, by kind where the word differs; and whether a node must have it. */
static const struct {
	enum node_kind kind;
	enum way way;
	const char *key;
	bool needed; /* otherwise the call is hung up there */
} ways[] = {
	{NODE_SAY, WAY_NEXT, "next", true},
	{NODE_MENU, WAY_OTHERWISE, "otherwise", true},
	{NODE_COLLECT, WAY_NEXT, "next", true},
	{NODE_COLLECT, WAY_OTHERWISE, "otherwise", true},
	{NODE_HOURS, WAY_NEXT, "open", true},
	{NODE_HOURS, WAY_CLOSED, "closed", true},
	{NODE_SET, WAY_NEXT, "next", true},
	{NODE_IF, WAY_NEXT, "then", true},
	{NODE_IF, WAY_CLOSED, "else", true},
	{NODE_QUEUE, WAY_NEXT, "next", false},
	{NODE_QUEUE, WAY_OTHERWISE, "otherwise", false},
	{NODE_QUEUE, WAY_FULL, "full", false},
	{NODE_QUEUE, WAY_LONG, "long", false},
	{NODE_QUEUE, WAY_EMPTY, "empty", false},
	{NODE_QUEUE, WAY_TIMEOUT, "timeout", false},
	{NODE_VOICEMAIL, WAY_NEXT, "next", false},
	{NODE_DIAL, WAY_NEXT, "next", false},
	{NODE_DIAL, WAY_OTHERWISE, "otherwise", false},
	{NODE_DIAL, WAY_BUSY, "busy", false},
	{NODE_DIAL, WAY_NO_ANSWER, "no_answer", false},
	{NODE_DIAL, WAY_FAILED, "failed", false},
	{NODE_CONFERENCE, WAY_OTHERWISE, "otherwise", false},
	{NODE_CONFERENCE, WAY_BUSY, "busy", false},
	{NODE_CONFERENCE, WAY_FAILED, "failed", false},
	{NODE_RECORD, WAY_NEXT, "next", true},
	{NODE_RUN, WAY_RUN, "run", true},
	{NODE_RUN, WAY_NEXT, "next", true},
	{NODE_LOOKUP, WAY_NEXT, "next", true},
	{NODE_LOOKUP, WAY_FAILED, "failed", true},
	{NODE_NOTE, WAY_NEXT, "next", true},
	{NODE_CALLBACK, WAY_NEXT, "next", true},
	{NODE_CALLBACK, WAY_FAILED, "failed", true},
	{NODE_GOTO, WAY_NEXT, "goto", true},
};

const char *ivr_node_kind_key(enum node_kind kind)
{
	return kind_keys[kind];
}

const char *ivr_way_key(enum node_kind kind, enum way way)
{
	for (size_t i = 0; i < COUNT(ways); i++)
		if (ways[i].kind == kind && ways[i].way == way)
			return ways[i].key;
	return NULL;
}

int ivr_key_index(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c == '*' ? 10 : c == '#' ? 11 : -1;
}

/* --- nodes --------------------------------------------------------------------------------- */

static void read_digits(struct reading *r, const struct tree *t, struct node *n)
{
	if (t == NULL) {
		complain(r->s.c, COMPLAINT_ERROR, n->at, "a menu needs \"digits\"");
		return;
	}
	if (!schema_kind(&r->s, t, "digits", TREE_MAP))
		return;
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		int i = strlen(m->key) == 1 ? ivr_key_index(m->key[0]) : -1;

		if (i < 0)
			complain(r->s.c, COMPLAINT_ERROR, m->key_at,
				 "\"%.20s\" is no key of a telephone (0-9, *, #)", m->key);
		else
			ivr_read_target(r, m, "where a digit leads", &n->key[i]);
	}
	if (t->n == 0)
		complain(r->s.c, COMPLAINT_ERROR, t->at, "a menu needs at least one digit");
}

int ivr_read_language(const struct ivr_flow *f, const char *name)
{
	for (unsigned i = 0; i < f->n_languages; i++)
		if (strcmp(f->language[i], name) == 0)
			return (int)i;
	return -1;
}

static void read_assign(struct reading *r, const struct tree *m, struct node *n)
{
	struct assign a = {.kind = SET_VARIABLE, .from = VAR_NONE};
	uint32_t number;

	if (strcmp(m->key, "language") == 0) {
		int i;

		a.kind = SET_LANGUAGE;
		if (!schema_name(&r->s, m, "language", &a.text))
			return;
		i = ivr_read_language(r->f, a.text);
		if (i < 0)
			complain(r->s.c, COMPLAINT_ERROR, m->at,
				 "\"%s\" is none of the flow's languages", a.text);
		a.number = (uint8_t)(i < 0 ? 0 : i);
	} else if (strcmp(m->key, "priority") == 0) {
		a.kind = SET_PRIORITY;
		if (!schema_u32(&r->s, m, "priority", 0, 9, &number))
			return;
		a.number = (uint8_t)number;
	} else {
		a.var = ivr_read_variable(r, m->key, m->key_at, true);
		if (a.var < 0 || !ivr_read_value(r, m, "a value", &a.text, &a.from)) {
			if (a.var < VAR_NONE)
				complain(r->s.c, COMPLAINT_ERROR, m->key_at, "%s cannot be set",
					 m->key);
			return;
		}
	}
	n->assign[n->n_assigns++] = a;
}

static void read_set(struct reading *r, const struct tree *t, struct node *n)
{
	if (!schema_kind(&r->s, t, "set", TREE_MAP))
		return;
	n->assign = conf_arena_array(r->s.arena, t->n, sizeof(*n->assign));
	for (const struct tree *m = t->first; m != NULL; m = m->next)
		read_assign(r, m, n);
}

static void read_if(struct reading *r, const struct tree *t, const struct tree *equals,
		    struct node *n)
{
	const char *text;

	if (!schema_text(&r->s, t, "if", 2, 63, &text))
		return;
	if (text[0] != '$')
		complain(r->s.c, COMPLAINT_ERROR, t->at, "if asks a variable such as $caller");
	else
		ivr_read_value(r, t, "if", &text, &n->var);
	if (equals == NULL) {
		complain(r->s.c, COMPLAINT_ERROR, n->at, "\"if\" needs \"equals\"");
		return;
	}
	if (equals->kind != TREE_LIST) {
		n->equals = conf_arena_array(r->s.arena, 1, sizeof(*n->equals));
		n->n_equals = schema_text(&r->s, equals, "equals", 0, 63, &n->equals[0]) ? 1 : 0;
		return;
	}
	n->equals = conf_arena_array(r->s.arena, equals->n, sizeof(*n->equals));
	for (const struct tree *m = equals->first; m != NULL; m = m->next)
		if (schema_text(&r->s, m, "equals", 0, 63, &n->equals[n->n_equals]))
			n->n_equals++;
}

static void read_collect(struct reading *r, const struct tree *t, struct node *n)
{
	const struct tree *into = tree_get(t, "into");
	const char *name;

	if (into == NULL)
		complain(r->s.c, COMPLAINT_ERROR, n->at,
			 "\"collect\" needs \"into\", the variable that keeps the digits");
	else if (schema_name(&r->s, into, "into", &name)) {
		n->var = ivr_read_variable(r, name, into->at, true);
		if (n->var < VAR_NONE)
			complain(r->s.c, COMPLAINT_ERROR, into->at, "%s cannot be collected", name);
		if (n->var >= 0 && n->secret)
			r->f->variable[n->var].secret = true;
	}
	if (n->min > n->max)
		complain(r->s.c, COMPLAINT_ERROR, n->at, "min (%u) is more than max (%u)", n->min,
			 n->max);
	if (strlen(n->terminators) > 3)
		complain(r->s.c, COMPLAINT_ERROR, n->at, "more than 3 terminators");
}

/* `note: {score: $score}` */
static void read_note(struct reading *r, const struct tree *t, struct node *n)
{
	if (!schema_kind(&r->s, t, "note", TREE_MAP))
		return;
	if (t->n == 0 || t->n > PAIRS_MAX) {
		complain(r->s.c, COMPLAINT_ERROR, t->at, "a note has 1 to %d keys", PAIRS_MAX);
		return;
	}
	for (const struct tree *m = t->first; m != NULL; m = m->next) {
		struct pair p = {.key = m->key, .text = "", .var = VAR_NONE};

		if (strlen(m->key) == 0 || strlen(m->key) >= IVR_NAME_MAX)
			complain(r->s.c, COMPLAINT_ERROR, m->key_at,
				 "the key of a note has 1 to %d bytes", IVR_NAME_MAX - 1);
		else if (ivr_read_value(r, m, "a note", &p.text, &p.var))
			n->pair[n->n_pairs++] = p;
	}
}

/* `lookup: URL`, `send: [variables]`, `into: {variable: member}` */
static void read_lookup(struct reading *r, const struct tree *t, const struct tree *url,
			struct node *n)
{
	const struct tree *send = tree_get(t, "send"), *into = tree_get(t, "into");
	const char *name;

	if (schema_text(&r->s, url, "lookup", 8, IVR_URL_MAX / 2, &n->what) &&
	    strncmp(n->what, "http://", 7) != 0 && strncmp(n->what, "https://", 8) != 0)
		complain(r->s.c, COMPLAINT_ERROR, url->at,
			 "a lookup is an address that begins with http:// or https://");
	ivr_url_check(r, url, n->what);
	if (send != NULL && schema_kind(&r->s, send, "send", TREE_LIST)) {
		for (const struct tree *m = send->first; m != NULL && n->n_sends < PAIRS_MAX;
		     m = m->next) {
			int var = VAR_NONE;

			if (!schema_name(&r->s, m, "a variable", &name))
				continue;
			var = ivr_read_variable(r, name, m->at, false);
			if (var == VAR_NONE)
				complain(r->s.c, COMPLAINT_ERROR, m->at,
					 "no node fills the variable \"%s\"", name);
			n->send[n->n_sends++] = var;
		}
		if (send->n > PAIRS_MAX)
			complain(r->s.c, COMPLAINT_ERROR, send->at, "more than %d variables",
				 PAIRS_MAX);
	}
	if (into == NULL || !schema_kind(&r->s, into, "into", TREE_MAP))
		return;
	if (into->n > PAIRS_MAX)
		complain(r->s.c, COMPLAINT_ERROR, into->at, "more than %d variables", PAIRS_MAX);
	for (const struct tree *m = into->first; m != NULL && n->n_pairs < PAIRS_MAX; m = m->next) {
		struct pair p = {.key = m->key};

		p.var = ivr_read_variable(r, m->key, m->key_at, true);
		if (p.var < VAR_NONE)
			complain(r->s.c, COMPLAINT_ERROR, m->key_at, "%s cannot be filled", m->key);
		else if (schema_text(&r->s, m, "a member of the answer", 1, 63, &p.text))
			n->pair[n->n_pairs++] = p;
	}
}

/* Whom to call back: the caller unless it is said otherwise. */
static void read_number(struct reading *r, const struct tree *t, struct node *n)
{
	struct pair p = {.key = "number", .var = VAR_CALLER, .text = ""};

	if (t != NULL && !ivr_read_value(r, t, "number", &p.text, &p.var))
		return;
	n->pair[n->n_pairs++] = p;
}

/* The kind is the one key that names it; "say" counts only when it is alone. */
static bool find_kind(struct reading *r, const struct tree *t, enum node_kind *kind,
		      const struct tree **value)
{
	const struct tree *found = NULL;

	for (unsigned k = 0; k < NODE_KINDS; k++) {
		const struct tree *m = tree_get(t, kind_keys[k]);

		if (m == NULL || (k == NODE_SAY && found != NULL))
			continue;
		if (found != NULL && *kind != NODE_SAY) {
			complain(r->s.c, COMPLAINT_ERROR, m->key_at,
				 "a node does one thing: \"%s\" and \"%s\" do not go together",
				 kind_keys[*kind], m->key);
			return false;
		}
		*kind = (enum node_kind)k;
		found = m;
	}
	*value = found;
	if (found != NULL)
		return true;

	const char *guess = NULL;

	for (const struct tree *m = t->first; m != NULL && guess == NULL; m = m->next)
		guess = complaint_guess(m->key, kind_keys, NODE_KINDS);
	complain(r->s.c, COMPLAINT_ERROR, t->at,
		 "node \"%.40s\" does nothing: give one of say, menu, collect, hours, set, if, "
		 "queue, voicemail, dial, conference, record, run, lookup, note, callback, goto, "
		 "hangup%s%s%s",
		 t->key, guess != NULL ? "; did you mean \"" : "", guess != NULL ? guess : "",
		 guess != NULL ? "\"?" : "");
	return false;
}

static void read_ways(struct reading *r, const struct tree *t, struct node *n)
{
	for (size_t i = 0; i < COUNT(ways); i++) {
		const struct tree *m;

		if (ways[i].kind != n->kind)
			continue;
		m = tree_get(t, ways[i].key);
		if (m != NULL)
			ivr_read_target(r, m, ways[i].key, &n->way[ways[i].way]);
		else if (ways[i].needed)
			complain(r->s.c, COMPLAINT_ERROR, n->at,
				 "\"%s\" of node \"%s\" is missing: where does the call go?",
				 ways[i].key, n->name);
	}

	/* Somebody who is not served must not be hung up on by an omission. */
	bool partly = n->kind == NODE_QUEUE
			      ? n->way[WAY_FULL].name == NULL || n->way[WAY_EMPTY].name == NULL ||
					n->way[WAY_TIMEOUT].name == NULL
		      : n->kind == NODE_DIAL ? n->way[WAY_BUSY].name == NULL ||
						       n->way[WAY_NO_ANSWER].name == NULL ||
						       n->way[WAY_FAILED].name == NULL
		      : n->kind == NODE_CONFERENCE
			      ? n->way[WAY_BUSY].name == NULL || n->way[WAY_FAILED].name == NULL
			      : false;

	if (partly && n->way[WAY_OTHERWISE].name == NULL)
		complain(r->s.c, COMPLAINT_ERROR, n->at,
			 "node \"%s\" needs \"otherwise\", or %s: where do those go who are not "
			 "served?",
			 n->name,
			 n->kind == NODE_QUEUE        ? "all of full, empty and timeout"
			 : n->kind == NODE_CONFERENCE ? "both busy and failed"
						      : "all of busy, no_answer and failed");
}

static void read_own(struct reading *r, const struct tree *t, const struct tree *value,
		     struct node *n)
{
	static const char *const causes[] = {"normal", "busy", "rejected"};
	unsigned i;

	switch (n->kind) {
	case NODE_SAY:
		ivr_read_pieces(r, value, &n->say);
		return;
	case NODE_MENU:
		ivr_read_pieces(r, value, &n->say);
		read_digits(r, tree_get(t, "digits"), n);
		break;
	case NODE_COLLECT:
		ivr_read_pieces(r, value, &n->say);
		read_collect(r, t, n);
		break;
	case NODE_SET:
		read_set(r, value, n);
		return;
	case NODE_IF:
		read_if(r, value, tree_get(t, "equals"), n);
		return;
	case NODE_QUEUE:
	case NODE_CALLBACK:
	case NODE_VOICEMAIL:
	case NODE_HOURS:
	case NODE_CONFERENCE:
		schema_name(&r->s, value, kind_keys[n->kind], &n->what);
		break;
	case NODE_DIAL:
		ivr_read_value(r, value, "dial", &n->what, &n->what_var);
		break;
	case NODE_HANGUP:
		if (schema_word(&r->s, value, "hangup", causes, COUNT(causes), &i))
			n->cause = (uint8_t)i;
		break;
	case NODE_RECORD:
		if (schema_word(&r->s, value, "record", record_verb_names, RECORD_VERBS, &i))
			n->verb = (uint8_t)i;
		return;
	case NODE_RUN:
	case NODE_GOTO:
	case NODE_KINDS:
		return;
	case NODE_NOTE:
		read_note(r, value, n);
		return;
	case NODE_LOOKUP:
		read_lookup(r, t, value, n);
		break;
	}
	n->what_at = value->at;
	ivr_read_pieces(r, tree_get(t, "confirm"), &n->confirm);
	if (n->kind == NODE_CALLBACK)
		read_number(r, tree_get(t, "number"), n);
	ivr_read_pieces(r, tree_get(t, "on_timeout"), &n->on_timeout);
	ivr_read_pieces(r, tree_get(t, "on_invalid"), &n->on_invalid);
	if (n->kind != NODE_MENU && n->kind != NODE_COLLECT)
		ivr_read_pieces(r, tree_get(t, "say"), &n->say);
}

void ivr_read_node(struct reading *r, const struct tree *t, struct node *n)
{
	const struct tree *value;
	struct node fresh = {
		.name = t->key,
		.at = t->key_at,
		.tries = 3,
		.min = 1,
		.max = 20,
		.timeout_s = 5,
		.inter_timeout_s = 3,
		.terminators = "#",
		.var = VAR_NONE,
		.what = "",
		.what_var = VAR_NONE,
		.max_s = 120,
		.silence_s = 5,
		.min_s = 1,
		.beep = true,
	};

	for (unsigned i = 0; i < WAYS; i++)
		fresh.way[i].to = TO_NOWHERE;
	for (unsigned i = 0; i < KEYS; i++)
		fresh.key[i].to = TO_NOWHERE;
	*n = fresh;
	if (!schema_kind(&r->s, t, t->key, TREE_MAP) || !find_kind(r, t, &n->kind, &value))
		return;
	if (n->kind == NODE_DIAL)
		n->timeout_s = 30;
	if (n->kind == NODE_LOOKUP)
		n->timeout_s = 3;
	schema_fill(&r->s, t, keys_of[n->kind].field, keys_of[n->kind].n, n);
	read_own(r, t, value, n);
	read_ways(r, t, n);
}
