/* Spoken numbers, dates, times, amounts, telephone numbers and places in a queue, as lists of recorded
 * words.
 *
 * What is said is made of prompts `LANG/num/...`: "three hundred and five" is a list of prompts, not
 * speech synthesis, so that a firm can record its own voice. How a language says what is data: a YAML
 * text with sets of rules (ivr/lang/README.md tells the format; zh.yaml and en.yaml lie beside it and are built
 * in; an operator's own is LANG/say.yaml in the directory of the prompts). Reading proves it: sets exist,
 * rules end, everything from nought to the millions says something.
 *
 * Where a language has no rules it is spoken digit by digit with its own prompts.
 *
 * Thread: the loop's; immutable after loading. Source of the idea: rule-based number formats (ICU).
 */
#ifndef IVR_SAY_H
#define IVR_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/complaint.h"

enum {
	IVR_ITEMS_MAX = 48,
	IVR_PROMPT_MAX = 96, /* "zh/num/hundred" with the closing NUL */
	IVR_SAY_LANGUAGES_MAX = 32,
	IVR_SAY_TEXT_MAX = 1 << 18, /* longest text of one language */
};

enum ivr_item_kind { IVR_ITEM_PROMPT, IVR_ITEM_BEEP, IVR_ITEM_SILENCE };

/* One piece of a playlist, as the engine's play.start takes it. */
struct ivr_item {
	enum ivr_item_kind kind;
	uint16_t silence_ms;         /* IVR_ITEM_SILENCE */
	char prompt[IVR_PROMPT_MAX]; /* IVR_ITEM_PROMPT: "zh/welcome" */
};

struct ivr_items {
	unsigned n;
	bool cut; /* there was more than IVR_ITEMS_MAX */
	struct ivr_item item[IVR_ITEMS_MAX];
};

/* What can be said of a text. */
enum ivr_say_kind {
	IVR_SAY_NUMBER,   /* "-305.7" */
	IVR_SAY_COUNT,    /* so many things: 两 for 2 */
	IVR_SAY_ORDINAL,  /* "3": third */
	IVR_SAY_DIGITS,   /* one by one; others than 0-9 * # are skipped */
	IVR_SAY_PHONE,    /* digits in groups */
	IVR_SAY_MONEY,    /* hundredths; "30523" or "USD 30523" */
	IVR_SAY_DATE,     /* YYYYMMDD or YYYY-MM-DD; MMDD without a year */
	IVR_SAY_TIME,     /* HHMM or HH:MM, of 24 hours */
	IVR_SAY_YEAR,     /* "2026" */
	IVR_SAY_DURATION, /* seconds */
	IVR_SAY_KINDS
};

/* "number", "phone": the words that flows use. */
const char *ivr_say_kind_name(enum ivr_say_kind kind);

struct ivr_say;

/* Without languages. Never NULL. */
struct ivr_say *ivr_say_open(void);

/* zh and en as shipped. Never NULL. */
struct ivr_say *ivr_say_builtin(void);

/* NULL is fine. */
void ivr_say_close(struct ivr_say *say);

/* Take in a language; one of the same name is replaced. Returns 0, or -EINVAL with errors in
 * `complaints` (initialised here), -ENOSPC. What was there stays then. */
int ivr_say_load(struct ivr_say *say, const char *text, size_t len, const char *name,
		 struct complaints *complaints);

/* Names of languages that have rules; NULL after the last. */
const char *ivr_say_language(const struct ivr_say *say, unsigned i);

/* Each of these appends to `out`. `say` may be NULL: no rules. */
void ivr_say_prompt(const char *lang, const char *name, struct ivr_items *out);
void ivr_say_silence(uint16_t ms, struct ivr_items *out);
void ivr_say_beep(struct ivr_items *out);

/* A text that is not what `kind` says is spoken digit by digit; an impossible date or time not at all. */
void ivr_say(const struct ivr_say *say, const char *lang, enum ivr_say_kind kind, const char *text,
	     struct ivr_items *out);

/* "There are 3 callers before you. The expected wait is 2 minutes." `position` 1 is the next to
 * be served; `wait_s` < 0 is unknown and left out. */
void ivr_say_position(const struct ivr_say *say, const char *lang, unsigned position, int wait_s,
		      struct ivr_items *out);

/* Every prompt (without "LANG/") that the rules of `lang` may use, one per call with i = 0, 1,
 * ...; NULL after the last. The checker uses it to prove that none is missing. */
const char *ivr_say_word(const struct ivr_say *say, const char *lang, unsigned i);

#endif
