/* Spoken numbers, dates, amounts and places in a queue, as lists of recorded words.
 *
 * What is said is made of prompts `LANG/num/...` (see example/prompts/): "three hundred and
 * five" is a list of prompts, not speech synthesis, so that a firm can record its own voice.
 * The rules of a language are data (say.c); zh and en are there.
 *
 * Thread: pure functions.
 */
#ifndef IVR_SAY_H
#define IVR_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	IVR_ITEMS_MAX = 48,
	IVR_PROMPT_MAX = 96, /* "zh/num/hundred" with the closing NUL */
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

/* Each of these appends to `out`. A language that has no rules is spoken digit by digit with its
 * own prompts. */
void ivr_say_prompt(const char *lang, const char *name, struct ivr_items *out);
void ivr_say_silence(uint16_t ms, struct ivr_items *out);
void ivr_say_beep(struct ivr_items *out);
/* "three hundred and five", below a million million. */
void ivr_say_number(const char *lang, uint64_t n, struct ivr_items *out);
/* "one zero zero one"; characters other than 0-9, * and # are skipped. */
void ivr_say_digits(const char *lang, const char *digits, struct ivr_items *out);
/* "305 yuan 20 fen"; `cents` of a hundredth. */
void ivr_say_money(const char *lang, uint64_t cents, struct ivr_items *out);
/* "2026 11 22" as a date. Impossible dates say nothing. */
void ivr_say_date(const char *lang, int year, int month, int day, struct ivr_items *out);
/* "There are 3 callers before you. The expected wait is 2 minutes." `position` 1 is the next to
 * be served; `wait_s` < 0 is unknown and left out. */
void ivr_say_position(const char *lang, unsigned position, int wait_s, struct ivr_items *out);

/* Every prompt (without "LANG/") that the rules of `lang` may use, one per call with i = 0, 1,
 * ...; NULL after the last. The checker uses it to prove that none is missing. */
const char *ivr_say_word(const char *lang, unsigned i);

#endif
