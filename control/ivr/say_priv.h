/* What a language is made of; for the files of say only. */
#ifndef IVR_SAY_PRIV_H
#define IVR_SAY_PRIV_H

#include "conf/arena.h"
#include "ivr/say.h"

enum {
	SAY_DEPTH_MAX = 24, /* rules that lead to one another */
	SAY_GROUPS_MAX = 8,
	SAY_PHONES_MAX = 16,
	SAY_WORDS_MAX = 1024,
};

enum say_kind {
	SAY_WORD,   /* `word`, with # for the number */
	SAY_HIGH,   /* the number divided by the rule's divisor, by `set` */
	SAY_LOW,    /* the remainder by `set`; of 0 the `word`, or nothing */
	SAY_SAME,   /* the number itself, by `set` */
	SAY_DIGITS, /* its digits */
};

struct say_piece {
	enum say_kind kind;
	unsigned set;
	const char *set_name; /* while reading; NULL: the rule's own set */
	const char *word;
	struct mark at;
};

struct say_rule {
	uint64_t from, to; /* to: of a range "1-9"; else UINT64_MAX, and the next rule ends it */
	uint64_t divisor;
	unsigned n;
	struct say_piece *piece;
};

struct say_set {
	const char *name;
	struct mark at;
	unsigned n;
	struct say_rule *rule; /* by `from`, ascending */
};

/* A step of a date or time: a field by a set, or a word. */
enum say_field { FIELD_YEAR, FIELD_MONTH, FIELD_DAY, FIELD_HOUR, FIELD_MINUTE, FIELD_WORD, FIELDS };

struct say_step {
	enum say_field field;
	unsigned set;
	const char *word;
};

struct say_steps {
	unsigned n;
	struct say_step *step;
};

struct say_phone {
	unsigned length, n;
	uint8_t group[SAY_GROUPS_MAX];
};

/* Sets that kinds and places use, by their names in the text. */
enum say_use {
	USE_NUMBER,
	USE_COUNT,
	USE_ORDINAL,
	USE_DIGIT,
	USE_PHONE_DIGIT,
	USE_YEAR,
	USE_DURATION,
	USE_POSITION,
	USE_WAIT,
	USES
};

struct say_lang {
	const char *name;
	struct conf_arena *arena;
	unsigned n_sets;
	struct say_set *set;
	int use[USES]; /* index of set, -1: has none */
	const char *minus, *point;
	const char *currency; /* of amounts that name none: the set is money-CNY */
	struct say_steps date, short_date, time;
	unsigned phones;
	struct say_phone phone[SAY_PHONES_MAX];
	uint32_t pause_ms; /* between groups of a telephone number */
	unsigned words;
	const char **word;
};

struct ivr_say {
	unsigned n;
	struct say_lang *lang[IVR_SAY_LANGUAGES_MAX];
};

const struct say_lang *say_find(const struct ivr_say *say, const char *lang);

/* Index of a set, -1. */
int say_set_of(const struct say_lang *l, const char *name);

/* Say `n` by a set. False: no rule covers it, or rules lead to one another for ever. */
bool say_by_set(const struct say_lang *l, unsigned set, uint64_t n, struct ivr_items *out);

#endif
