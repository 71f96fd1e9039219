/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommand prompts: what the engine has to play, what languages need, what tones there are.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/languages.h"
#include "cli/table.h"
#include "dsp/tone_plan.h"

static int prompts_load(struct cli *c)
{
	const char *dir = cli_word(c);
	json_t *r = NULL;
	const json_t *f;
	size_t i;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_ENGINE, "prompt.load", json_pack("{s:s*}", "directory", dir), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		json_array_foreach(json_object_get(r, "failed"), i, f)
			cli_say(c, "%s: %s\n", cli_text(f, "file"), cli_text(f, "message"));
		cli_say(c, "%" PRId64 " prompts loaded, %zu failed\n", cli_int(r, "loaded"),
			json_array_size(json_object_get(r, "failed")));
	}
	rc = json_array_size(json_object_get(r, "failed")) > 0 ? CLI_REFUSED : CLI_OK;
	json_decref(r);
	return rc;
}

static int prompts_list(struct cli *c)
{
	json_t *r = NULL;
	const json_t *p;
	size_t i;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_ENGINE, "prompt.list", NULL, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		struct table *t = table_new();

		table_column(t, "PROMPT", TABLE_LEFT);
		table_column(t, "LENGTH", TABLE_RIGHT);
		json_array_foreach(json_object_get(r, "prompts"), i, p)
		{
			table_cell(t, cli_text(p, "prompt"));
			table_cellf(t, "%.1f s", (double)cli_int(p, "duration_ms") / 1000.0);
		}
		if (table_rows(t) > 0)
			table_print(t, c->out);
		else
			fputs("the engine has no prompts\n", c->out);
		table_free(t);
	}
	json_decref(r);
	return CLI_OK;
}

/* --- what languages need --- */

static bool engine_has(const json_t *list, const char *prompt)
{
	const json_t *p;
	size_t i;

	json_array_foreach(list, i, p) if (strcmp(cli_text(p, "prompt"), prompt) == 0) return true;
	return false;
}

/* One language: its words that are missing, as JSON. */
static json_t *missing_of(const struct ivr_say *say, const char *lang, const char *dir,
			  const json_t *list, unsigned *words)
{
	json_t *missing = json_array();
	const char *word;

	for (*words = 0; (word = ivr_say_word(say, lang, *words)) != NULL; (*words)++) {
		char prompt[IVR_PROMPT_MAX];

		snprintf(prompt, sizeof(prompt), "%.40s/%.50s", lang, word);
		if (!(dir != NULL ? languages_has_prompt(dir, prompt) : engine_has(list, prompt)))
			json_array_append_new(missing, json_string(prompt));
	}
	return missing;
}

static json_t *check_all(const struct ivr_say *say, const char *only, const char *dir,
			 const json_t *list)
{
	json_t *rows = json_array();
	const char *lang;

	for (unsigned i = 0; (lang = ivr_say_language(say, i)) != NULL; i++) {
		unsigned words;
		json_t *missing;

		if (only != NULL && strcmp(only, lang) != 0)
			continue;
		missing = missing_of(say, lang, dir, list, &words);
		json_array_append_new(rows, json_pack("{s:s, s:i, s:o}", "language", lang, "words",
						      (int)words, "missing", missing));
	}
	return rows;
}

static int show_check(struct cli *c, json_t *rows)
{
	const json_t *row, *name;
	size_t i, k;
	int rc = CLI_OK;

	json_array_foreach(rows, i, row)
	{
		const json_t *missing = json_object_get(row, "missing");

		if (json_array_size(missing) > 0)
			rc = CLI_REFUSED;
		if (c->json)
			continue;
		cli_say(c, "%s: %" PRId64 " words, %zu missing\n", cli_text(row, "language"),
			cli_int(row, "words"), json_array_size(missing));
		json_array_foreach(missing, k, name) cli_say(c, "  %s\n", json_string_value(name));
	}
	cli_json(c, rows);
	return rc;
}

/* prompts check [LANG] [--prompts DIR]: of the engine's prompts, or of a directory's. */
static int prompts_check(struct cli *c, const char *dir)
{
	const char *only = cli_word(c);
	json_t *r = NULL, *rows;
	struct ivr_say *say;
	bool good;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	if (dir == NULL && (rc = cli_ask(c, CLI_ENGINE, "prompt.list", NULL, &r)) != 0)
		return rc;
	say = languages_read(dir, c->err, &good);
	rows = check_all(say, only, dir, json_object_get(r, "prompts"));
	if (json_array_size(rows) == 0) {
		fprintf(c->err,
			"patchbay: there are no rules for language \"%s\": LANG/say.yaml in the "
			"directory of the prompts\n",
			only != NULL ? only : "");
		rc = CLI_REFUSED;
	} else {
		rc = show_check(c, rows);
	}
	json_decref(rows);
	json_decref(r);
	ivr_say_close(say);
	return good ? rc : CLI_REFUSED;
}

/* prompts say LANG KIND TEXT [--prompts DIR]: what would be played. */
static int prompts_say(struct cli *c, const char *dir)
{
	struct ivr_items items = {.n = 0};
	const char *lang, *word, *text;
	struct ivr_say *say;
	unsigned kind = 0;
	bool good;

	if (!cli_need(c, "LANG", &lang) || !cli_need(c, "KIND", &word) ||
	    !cli_need(c, "TEXT", &text) || !cli_end(c))
		return CLI_USAGE;
	while (kind < IVR_SAY_KINDS &&
	       strcmp(ivr_say_kind_name((enum ivr_say_kind)kind), word) != 0)
		kind++;
	if (kind == IVR_SAY_KINDS)
		return cli_usage(
			c,
			"\"%s\" is none of number, count, ordinal, digits, phone, money, date, "
			"time, year, duration",
			word);
	say = languages_read(dir, c->err, &good);
	ivr_say(say, lang, (enum ivr_say_kind)kind, text, &items);
	for (unsigned i = 0; i < items.n; i++)
		if (items.item[i].kind == IVR_ITEM_SILENCE)
			cli_say(c, "(%u ms)\n", items.item[i].silence_ms);
		else
			cli_say(c, "%s\n", items.item[i].prompt);
	ivr_say_close(say);
	return good && items.n > 0 ? CLI_OK : CLI_REFUSED;
}

/* --- tones --- */

static int prompts_tones(struct cli *c)
{
	const char *only = cli_word(c), *country;
	json_t *rows = json_array();
	struct table *t = table_new();

	if (!cli_end(c)) {
		json_decref(rows);
		table_free(t);
		return CLI_USAGE;
	}
	table_column(t, "COUNTRY", TABLE_LEFT);
	table_column(t, "TONE", TABLE_LEFT);
	table_column(t, "CADENCE", TABLE_LEFT);
	if (only != NULL && strcmp(only, "uk") == 0)
		only = "gb";
	for (unsigned k = 0; (country = tone_plan_country(k)) != NULL; k++) {
		if (only != NULL && strcmp(only, country) != 0)
			continue;
		for (unsigned i = 0; tone_plan_name(i) != NULL; i++) {
			const char *cadence = tone_plan_find(country, tone_plan_name(i));

			table_cell(t, country);
			table_cell(t, tone_plan_name(i));
			table_cell(t, cadence);
			json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "country", country,
							      "tone", tone_plan_name(i), "cadence",
							      cadence));
		}
	}

	int rc = json_array_size(rows) > 0 ? CLI_OK : CLI_REFUSED;

	if (rc != CLI_OK)
		fprintf(c->err, "patchbay: no tones are known of country \"%s\"\n", only);
	else if (!cli_json(c, rows))
		table_print(t, c->out);
	table_free(t);
	json_decref(rows);
	return rc;
}

int cli_prompts(struct cli *c)
{
	const char *dir, *verb;

	if (!cli_option(c, "--prompts", &dir))
		return CLI_USAGE;
	verb = cli_word(c);
	if (verb == NULL || strcmp(verb, "list") == 0)
		return prompts_list(c);
	if (strcmp(verb, "load") == 0)
		return prompts_load(c);
	if (strcmp(verb, "check") == 0)
		return prompts_check(c, dir);
	if (strcmp(verb, "say") == 0)
		return prompts_say(c, dir);
	if (strcmp(verb, "tones") == 0)
		return prompts_tones(c);
	return cli_usage(c, "what is \"%s\" here?", verb);
}
