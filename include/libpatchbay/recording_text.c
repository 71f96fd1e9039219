/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: ids, ends, losses, damages, formats.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "libpatchbay/recording_store.h"

void recording_id_text(const uint8_t id[16], char text[RECORDING_ID_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	char *p = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[id[i] >> 4];
		*p++ = hex[id[i] & 15];
	}
	*p = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int recording_id_parse(const char *text, uint8_t id[16])
{
	uint8_t out[16] = {0};
	int n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		int v = digit(*p);

		if (*p == '-')
			continue;
		if (v < 0 || n == 32)
			return -EINVAL;
		out[n / 2] = (uint8_t)(out[n / 2] << 4 | v);
		n++;
	}
	if (n != 32)
		return -EINVAL;
	memcpy(id, out, sizeof(out));
	return 0;
}

const char *recording_end_name(uint32_t reason)
{
	static const char *const name[] = {"stopped", "call_closed", "failed", "engine_stopped",
					   "engine_died"};

	return reason < sizeof(name) / sizeof(name[0]) ? name[reason] : "unknown";
}

const char *recording_loss_name(uint32_t loss)
{
	static const char *const name[] = {"none", "no_extent", "io", "too_large"};

	return loss < sizeof(name) / sizeof(name[0]) ? name[loss] : "unknown";
}

#define DAMAGE_NAME(id, name, text) name,
#define DAMAGE_TEXT(id, name, text) text,

const char *recording_damage_name(enum recording_damage_kind kind)
{
	static const char *const name[] = {RECORDING_DAMAGE_TABLE(DAMAGE_NAME)};

	return name[kind];
}

const char *recording_damage_text(enum recording_damage_kind kind)
{
	static const char *const text[] = {RECORDING_DAMAGE_TABLE(DAMAGE_TEXT)};

	return text[kind];
}

int recording_format_of(const char *path, enum recording_format *format)
{
	const char *dot = strrchr(path, '.');

	if (dot == NULL)
		return -EINVAL;
	if (strcasecmp(dot, ".wav") == 0)
		*format = RECORDING_FORMAT_WAV;
	else if (strcasecmp(dot, ".opus") == 0 || strcasecmp(dot, ".ogg") == 0)
		*format = RECORDING_FORMAT_OPUS;
	else
		return -EINVAL;
	return 0;
}

void recording_damage_tell(recording_damage_fn *fn, void *ctx, const struct recording_damage *d)
{
	if (fn != NULL)
		fn(ctx, d);
}
