/* Languages and sounds of a directory of prompts, as patchbayd and the engine see them.
 *
 * Thread: main.
 */
#ifndef CLI_LANGUAGES_H
#define CLI_LANGUAGES_H

#include <stdbool.h>
#include <stdio.h>

#include "ivr/say.h"

/* The languages built in, and LANG/say.yaml of `dir` (may be NULL) in their place; complaints go to
 * `err` and make `*good` false. Never NULL; ivr_say_close() it. */
struct ivr_say *languages_read(const char *dir, FILE *err, bool *good);

/* Is there a sound file for "zh/welcome"? */
bool languages_has_prompt(const char *dir, const char *prompt);

#endif
