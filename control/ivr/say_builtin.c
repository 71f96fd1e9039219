/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"
#include "ivr/say.h"
#include "ivr/say_lang.h"

struct ivr_say *ivr_say_builtin(void)
{
	struct ivr_say *say = ivr_say_open();
	struct complaints c;

	must(ivr_say_load(say, ivr_lang_zh, ivr_lang_zh_len, "zh", &c) == 0);
	must(ivr_say_load(say, ivr_lang_en, ivr_lang_en_len, "en", &c) == 0);
	return say;
}
