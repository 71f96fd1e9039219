/* SPDX-License-Identifier: Apache-2.0
 *
 * What was heard of each leg of a call: a table from the engine's last statistics of it, which are kept in the call's
 * record.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"

static void seconds(struct table *t, const json_t *s, const char *member)
{
	table_cellf(t, "%.1f", (double)cli_int(s, member) / 1000.0);
}

static void number(struct table *t, const json_t *s, const char *member, const char *form)
{
	char text[32];

	if (!json_is_number(json_object_get(s, member))) {
		table_cell(t, NULL);
		return;
	}
	snprintf(text, sizeof(text), strcmp(form, "dB") == 0 ? "%.0f" : "%.1f",
		 cli_real(s, member));
	table_cell(t, text);
}

/* "machine (beep), busy 3, fax"; empty when nothing but speech was heard. */
static void line_cell(struct table *t, const json_t *sound)
{
	const json_t *tones = json_object_get(sound, "tones"), *v;
	const char *answer = cli_text(sound, "answer"), *kind;
	char text[128] = "";
	size_t n = 0;

	if (answer[0] != '\0' && strcmp(answer, "unknown") != 0)
		n += (size_t)snprintf(text, sizeof(text), "%s%s", answer,
				      json_is_true(json_object_get(sound, "beep")) ? " (beep)"
										   : "");
	json_object_foreach((json_t *)(uintptr_t)tones, kind, v)
	{
		if (n >= sizeof(text))
			break;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %" PRId64,
				      n > 0 ? ", " : "", kind, cli_int(v, "count"));
	}
	table_cell(t, text);
}

static void leg_row(struct table *t, const json_t *l, const json_t *stats)
{
	const json_t *sound = json_object_get(stats, "sound");

	table_cell(t, cli_text(l, "role"));
	table_cell(t, cli_text(l, "party"));
	number(t, stats, "mos", "");
	number(t, stats, "remote_mos", "");
	number(t, sound, "speech_dbov", "dB");
	number(t, sound, "noise_dbov", "dB");
	seconds(t, sound, "speech_ms");
	table_cellf(t, "%.0f %%", cli_real(sound, "silence_share") * 100);
	seconds(t, sound, "silence_max_ms");
	seconds(t, sound, "talk_over_ms");
	seconds(t, sound, "clipped_ms");
	seconds(t, sound, "one_way_ms");
	line_cell(t, sound);
}

void cli_heard(struct cli *c, const json_t *legs)
{
	static const char *const right[] = {"MOS",       "MOS THERE", "LEVEL",     "NOISE",
					    "SPOKE s",   "SILENT",    "LONGEST s", "OVER s",
					    "CLIPPED s", "ONE WAY s"};
	struct table *t = table_new();
	const json_t *l;
	size_t i;

	table_column(t, "ROLE", TABLE_LEFT);
	table_column(t, "PARTY", TABLE_LEFT);
	for (size_t k = 0; k < sizeof(right) / sizeof(right[0]); k++)
		table_column(t, right[k], TABLE_RIGHT);
	table_column(t, "LINE", TABLE_LEFT);
	json_array_foreach(legs, i, l)
	{
		const json_t *stats = json_object_get(l, "stats");

		if (json_is_object(json_object_get(stats, "sound")))
			leg_row(t, l, stats);
	}
	if (table_rows(t) > 0) {
		fputc('\n', c->out);
		table_print(t, c->out);
	}
	table_free(t);
}
