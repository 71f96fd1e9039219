/* What a flow is made of; for the files of this module only. */
#ifndef IVR_FLOW_PRIV_H
#define IVR_FLOW_PRIV_H

#include "conf/arena.h"
#include "conf/complaint.h"
#include "ivr/flow.h"
#include "ivr/say.h"

enum node_kind {
	NODE_SAY,
	NODE_MENU,
	NODE_COLLECT,
	NODE_HOURS,
	NODE_SET,
	NODE_IF,
	NODE_QUEUE,
	NODE_VOICEMAIL,
	NODE_DIAL,
	NODE_CONFERENCE,
	NODE_RECORD,
	NODE_RUN,
	NODE_LOOKUP,
	NODE_NOTE,
	NODE_CALLBACK,
	NODE_GOTO,
	NODE_HANGUP,
	NODE_KINDS
};

/* Where a target leads: a node's index, or one of these. */
enum { TO_NOWHERE = -1, TO_REPEAT = -2, TO_BACK = -3, TO_HANGUP = -4, TO_RETURN = -5 };

struct target {
	int to;
	const char *name; /* as written; NULL when it was left out */
	struct mark at;
};

enum { KEYS = 12 }; /* 0-9, *, # */

/* The ways out of a node. Which ones a kind has is in flow_read.c's table. */
enum way {
	WAY_NEXT,      /* done, served, open, then */
	WAY_OTHERWISE, /* whatever has no way of its own */
	WAY_CLOSED,    /* hours, if: else */
	WAY_RUN,       /* run: where the sub-flow begins */
	WAY_FULL,
	WAY_LONG,
	WAY_EMPTY,
	WAY_TIMEOUT,
	WAY_BUSY,
	WAY_NO_ANSWER,
	WAY_FAILED,
	WAYS
};

enum piece_kind {
	PIECE_PROMPT,
	PIECE_SAID, /* `said` by the language's rules */
	PIECE_SILENCE,
	PIECE_BEEP,
};

/* A variable: its index, or one of these. */
enum { VAR_NONE = -1, VAR_CALLER = -2, VAR_CALLED = -3, VAR_LANGUAGE = -4 };

struct piece {
	enum piece_kind kind;
	enum ivr_say_kind said;
	const char *text; /* a prompt's name, or what is spoken when `var` is VAR_NONE */
	int var;
	uint32_t ms;
	struct mark at;
};

struct pieces {
	unsigned n;
	struct piece *piece;
};

enum set_kind { SET_LANGUAGE, SET_PRIORITY, SET_VARIABLE };

struct assign {
	enum set_kind kind;
	int var;
	uint8_t number; /* language's index, or priority */
	const char *text;
	int from; /* variable copied, or VAR_NONE */
};

/* `into` of a lookup: a variable and the member of the answer that fills it. `note`: a key and a value. */
struct pair {
	const char *key;
	int var;          /* into: filled; note: the value's, or VAR_NONE */
	const char *text; /* into: "customer.tier"; note: the value when it is no variable */
};

enum { PAIRS_MAX = 8 };

struct node {
	const char *name;
	struct mark at;
	enum node_kind kind;
	struct pieces say; /* heard first; the prompts of a menu or collect */
	struct pieces on_timeout, on_invalid;
	bool interrupt, speech;
	bool resolved; /* who comes here has got what it wanted */
	struct target way[WAYS];
	struct target key[KEYS];
	/* menu, collect */
	uint8_t tries, min, max;
	uint32_t timeout_s, inter_timeout_s;
	const char *terminators;
	bool secret;
	int var; /* collect into; if: compared */
	/* if */
	unsigned n_equals;
	const char **equals;
	/* set */
	unsigned n_assigns;
	struct assign *assign;
	/* queue, voicemail, dial, hours: whose */
	const char *what;
	struct mark what_at;
	int what_var;
	uint8_t priority;
	uint32_t max_s, silence_s, min_s;
	bool beep;
	uint8_t cause;
	uint8_t verb; /* record: enum record_verb */
	/* lookup, note */
	unsigned n_pairs, n_sends;
	struct pair pair[PAIRS_MAX];
	int send[PAIRS_MAX]; /* lookup: variables that are posted */
	/* dial: who answers must press 1 after this; callback: the number */
	struct pieces confirm;
};

struct variable {
	const char *name;
	bool secret;
};

struct ivr_flow {
	unsigned holders;
	const char *name;
	unsigned n_languages;
	const char **language;
	struct mark *language_at;
	unsigned n_nodes;
	struct node *node;
	struct target start;
	unsigned n_variables;
	struct variable variable[IVR_VARIABLES_MAX];
	struct conf_arena *arena;
};

/* Bytes of the variable's name that `text` begins with: letters, digits, _. */
size_t ivr_variable_len(const char *text);

/* flow_node.c: the keys by which a file names a kind, and a way out of a node of that kind (NULL: it has no such
 * way). */
const char *ivr_node_kind_key(enum node_kind kind);
const char *ivr_way_key(enum node_kind kind, enum way way);

/* '0'..'9', '*', '#' to 0..11; -1 for others. */
int ivr_key_index(char c);

/* Does the node go on by itself, without the caller or anybody else? */
bool ivr_node_automatic(const struct node *n);

#endif
