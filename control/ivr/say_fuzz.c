/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a language's text holds, it is refused or it speaks: every kind, of any text, ends within the
 * items that there are. Input: the YAML, and after a NUL what is said.
 */
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "ivr/say.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	size_t len = nul != NULL ? (size_t)(nul - data) : size;
	struct ivr_say *say = ivr_say_open();
	struct complaints c;
	char text[64] = "95598";

	if (nul != NULL && size - len - 1 < sizeof(text)) {
		memcpy(text, nul + 1, size - len - 1);
		text[size - len - 1] = '\0';
	}
	if (ivr_say_load(say, (const char *)data, len, "fuzz", &c) == 0) {
		for (int k = 0; k < IVR_SAY_KINDS; k++) {
			struct ivr_items items = {.n = 0};

			ivr_say(say, ivr_say_language(say, 0), (enum ivr_say_kind)k, text, &items);
			must(items.n <= IVR_ITEMS_MAX);
		}
	} else {
		must(c.errors > 0);
	}
	ivr_say_close(say);
	return 0;
}
