/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of codecs. A new one is a file with its struct codec and a line here and in codec_id.h.
 */
#include "codec/codec.h"
#include "codec/g711.h"

#include <stddef.h>

static const struct codec *const codecs[CODEC_COUNT] = {
	[CODEC_PCMU] = &g711_codec_pcmu,
	[CODEC_PCMA] = &g711_codec_pcma,
};

const struct codec *codec_of(enum codec_id id)
{
	return (unsigned)id < CODEC_COUNT ? codecs[id] : NULL;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static int same_name(const char *a, const char *b)
{
	while (*a && upper(*a) == upper(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

const struct codec *codec_find(const char *name, uint32_t clock_hz)
{
	for (size_t i = 0; i < CODEC_COUNT; i++)
		if (codecs[i]->clock_hz == clock_hz && same_name(name, codecs[i]->name))
			return codecs[i];
	return NULL;
}
