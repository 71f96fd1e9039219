/* SPDX-License-Identifier: Apache-2.0
 *
 * Flow and configuration files: checked here with the same code that patchbayd uses, loaded by it.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/flow_try.h"
#include "cli/languages.h"
#include "conf/config.h"
#include "conf/config_show.h"
#include "example/example.h"
#include "ivr/flow.h"

/* The whole file, with a NUL behind it; NULL: complained. */
char *cli_file_read(struct cli *c, const char *path, size_t max, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;

	if (f != NULL) {
		text = malloc(max + 2);
		*len = text != NULL ? fread(text, 1, max + 1, f) : 0;
		if (text != NULL && ferror(f)) {
			free(text);
			text = NULL;
		}
	}
	if (text == NULL) {
		fprintf(c->err, "patchbay: %s cannot be read: %s\n", path, strerror(errno));
	} else {
		text[*len] = '\0';
	}
	if (f != NULL)
		fclose(f);
	return text;
}

/* Say all complaints, or all of them as JSON. Returns the exit code. */
static int verdict(struct cli *c, const char *file, const struct complaints *k)
{
	char line[COMPLAINT_TEXT_MAX + COMPLAINT_NAME_MAX + 64];

	if (c->json) {
		json_t *list = json_array();

		for (unsigned i = 0; i < k->kept; i++)
			json_array_append_new(
				list,
				json_pack("{s:s, s:i, s:i, s:s, s:s}", "file", k->name, "line",
					  (int)k->list[i].at.line, "column",
					  (int)k->list[i].at.column, "severity",
					  k->list[i].level == COMPLAINT_ERROR ? "error" : "warning",
					  "message", k->list[i].text));

		json_t *r = json_pack("{s:s, s:b, s:i, s:i, s:o}", "file", file, "ok",
				      k->errors == 0, "errors", (int)k->errors, "warnings",
				      (int)k->warnings, "problems", list);

		cli_json(c, r);
		json_decref(r);
		return k->errors == 0 ? CLI_OK : CLI_REFUSED;
	}
	for (unsigned i = 0; i < k->kept; i++)
		cli_say(c, "%s\n", complaint_line(k, i, line, sizeof(line)));
	if (k->errors + k->warnings > k->kept)
		cli_say(c, "... and %u more\n", k->errors + k->warnings - k->kept);
	if (k->errors == 0)
		cli_say(c, "%s is good%s\n", file, k->warnings > 0 ? ", see the warnings" : "");
	else
		cli_say(c, "%s has %u error%s\n", file, k->errors, k->errors == 1 ? "" : "s");
	return k->errors == 0 ? CLI_OK : CLI_REFUSED;
}

/* --- the world around a flow --- */

struct around {
	const char *prompts; /* directory, NULL: not checked */
	struct config *config;
};

static bool has_prompt(void *arg, const char *prompt)
{
	const struct around *a = arg;

	return languages_has_prompt(a->prompts, prompt);
}

static bool has_queue(void *arg, const char *queue)
{
	const struct around *a = arg;

	return config_queue_find(a->config, queue) != NULL;
}

static bool has_calendar(void *arg, const char *calendar)
{
	const struct around *a = arg;

	return config_calendar_find(a->config, calendar) != NULL;
}

static bool has_number(void *arg, const char *number)
{
	const struct around *a = arg;

	return config_agent_find(a->config, number) != NULL ||
	       config_hotline_find(a->config, number) != NULL ||
	       config_queue_by_number(a->config, number) != NULL ||
	       config_trunk_for(a->config, number) != NULL;
}

static bool has_conference(void *arg, const char *name)
{
	const struct around *a = arg;

	return config_conference_find(a->config, name) != NULL;
}

static int config_read(struct cli *c, const char *path, struct config **config,
		       struct complaints *k)
{
	size_t len;
	char *text = cli_file_read(c, path, CONFIG_TEXT_MAX, &len);
	int rc;

	if (text == NULL)
		return CLI_REFUSED;
	rc = config_load(text, len, path, config, k);
	free(text);
	return rc == 0 ? CLI_OK : CLI_REFUSED;
}

static int check_with(struct cli *c, const char *file, const char *text, size_t len,
		      struct around *a)
{
	struct ivr_flow *flow = NULL;
	struct complaints k;
	bool good;
	struct ivr_say *say = languages_read(a->prompts, c->err, &good);
	const struct ivr_world world = {
		.say = say,
		.arg = a,
		.has_prompt = a->prompts != NULL ? has_prompt : NULL,
		.has_queue = a->config != NULL ? has_queue : NULL,
		.has_calendar = a->config != NULL ? has_calendar : NULL,
		.has_number = a->config != NULL ? has_number : NULL,
		.has_conference = a->config != NULL ? has_conference : NULL,
	};

	if (ivr_flow_load(text, len, file, &flow, &k) == 0)
		ivr_flow_check(flow, &world, &k);

	int rc = verdict(c, file, &k);

	if (flow != NULL)
		ivr_flow_drop(&flow);
	ivr_say_close(say);
	if (!good)
		rc = CLI_REFUSED;
	if (!c->json && (a->config == NULL || a->prompts == NULL))
		fprintf(c->err, "(not checked: %s%s%s)\n",
			a->config == NULL
				? "queues, calendars and numbers, which --config FILE tells"
				: "",
			a->config == NULL && a->prompts == NULL ? "; " : "",
			a->prompts == NULL ? "sounds, which --prompts DIR tells" : "");
	return rc;
}

static int flow_check_file(struct cli *c, const char *file, const char *config, const char *prompts)
{
	struct around a = {.prompts = prompts};
	struct complaints k;
	size_t len;
	char *text;
	int rc;

	if (config != NULL && config_read(c, config, &a.config, &k) != CLI_OK) {
		fprintf(c->err,
			"patchbay: the configuration itself is not good; try `patchbay config "
			"check %s`\n",
			config);
		return CLI_REFUSED;
	}
	text = cli_file_read(c, file, IVR_TEXT_MAX, &len);
	rc = text != NULL ? check_with(c, file, text, len, &a) : CLI_REFUSED;
	free(text);
	config_free(a.config);
	return rc;
}

/* Without a file: patchbayd checks what it uses. */
static int flow_check_in_use(struct cli *c)
{
	json_t *r = NULL;
	const json_t *p;
	size_t i;
	int rc = cli_ask(c, CLI_DAEMON, "flow.check", NULL, &r);

	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		json_array_foreach(json_object_get(r, "problems"), i, p) cli_say(
			c, "%s:%d:%d: %s: %s\n", cli_text(p, "file"), (int)cli_int(p, "line"),
			(int)cli_int(p, "column"), cli_text(p, "severity"), cli_text(p, "message"));
		cli_say(c, "%s %s\n", cli_text(r, "file"),
			cli_true(r, "ok") ? "is good" : "has errors");
	}
	rc = cli_true(r, "ok") ? CLI_OK : CLI_REFUSED;
	json_decref(r);
	return rc;
}

/* patchbayd may run in another directory: a path that exists here is made absolute. */
static json_t *file_param(const char *file)
{
	char whole[PATH_MAX];

	if (file == NULL)
		return json_object();
	return json_pack("{s:s}", "file", realpath(file, whole) != NULL ? whole : file);
}

static int reload(struct cli *c, const char *method, json_t *params)
{
	static const char *const lists[] = {"warnings", "changed", "ignored"};
	json_t *r = NULL;
	const json_t *v;
	size_t i;
	int rc = cli_ask(c, CLI_DAEMON, method, params, &r);

	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
			json_array_foreach(json_object_get(r, lists[k]), i, v) cli_say(
				c, "%s: %s\n", k == 0 ? "warning" : lists[k],
				json_is_string(v) ? json_string_value(v) : cli_text(v, "message"));
		cli_say(c, "%s is in use now\n",
			cli_text(r, "file")[0] != '\0' ? cli_text(r, "file") : "the built-in one");
	}
	json_decref(r);
	return CLI_OK;
}

/* What is said when a flow cannot be used is a refusal like any other. */
static int refusal(int rc)
{
	return rc == 0 ? CLI_OK : CLI_REFUSED;
}

static int flow_walk(struct cli *c)
{
	struct flow_try_options opt = {.closed = cli_switch(c, "--closed"), .out = c->out};

	if (!cli_option(c, "--caller", &opt.caller) || !cli_option(c, "--language", &opt.language))
		return CLI_USAGE;
	opt.file = cli_word(c);
	return cli_end(c) ? refusal(flow_try(&opt)) : CLI_USAGE;
}

int cli_flow(struct cli *c)
{
	const char *config, *prompts, *verb, *file;
	bool svg = cli_switch(c, "--svg");

	if (!cli_option(c, "--config", &config) || !cli_option(c, "--prompts", &prompts) ||
	    !cli_need(c, "check, reload, draw or try", &verb))
		return CLI_USAGE;
	if (strcmp(verb, "try") == 0)
		return flow_walk(c);
	file = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	if (strcmp(verb, "check") == 0)
		return file != NULL ? flow_check_file(c, file, config, prompts)
				    : flow_check_in_use(c);
	if (strcmp(verb, "reload") == 0)
		return reload(c, "flow.reload", file_param(file));
	if (strcmp(verb, "draw") == 0)
		return refusal(flow_draw(file, svg, c->out));
	return cli_usage(c, "\"%s\" is none of check, reload, draw, try", verb);
}

static void say_value(struct cli *c, const char *file, const json_t *v)
{
	const json_t *value = json_object_get(v, "value");
	const char *from = cli_text(v, "from");
	char *text = json_is_string(value) ? strdup(json_string_value(value))
					   : json_dumps(value, JSON_ENCODE_ANY);

	cli_say(c, "%s: %s   # ", cli_text(v, "path"),
		json_is_null(value) ? "-"
		: text != NULL      ? text
				    : "?");
	if (strcmp(from, "default") == 0 || strcmp(from, "command_line") == 0)
		cli_say(c, "%s\n", strcmp(from, "default") == 0 ? "default" : "command line");
	else
		cli_say(c, "%s:%d%s\n", file, (int)cli_int(v, "line"),
			strcmp(from, "environment") == 0   ? ", in the environment"
			: strcmp(from, "secret_file") == 0 ? ", in this file"
							   : "");
	free(text);
}

static int say_shown(struct cli *c, const json_t *r)
{
	const json_t *v;
	size_t i;

	if (cli_json(c, r))
		return CLI_OK;
	json_array_foreach(json_object_get(r, "values"), i, v) say_value(c, cli_text(r, "file"), v);
	if (cli_true(r, "changed"))
		fprintf(c->err,
			"patchbay: %s was changed since patchbayd read it; `patchbay "
			"config reload` takes it\n",
			cli_text(r, "file"));
	return CLI_OK;
}

/* Of a file, or of what patchbayd runs with. */
static int config_shown(struct cli *c, const char *file)
{
	json_t *values = NULL, *r = NULL;
	struct complaints k;
	size_t len;
	char *text;
	int rc;

	if (file == NULL) {
		rc = cli_ask(c, CLI_DAEMON, "config.show", NULL, &r);
		if (rc != 0)
			return rc;
		rc = say_shown(c, r);
		json_decref(r);
		return rc;
	}
	text = cli_file_read(c, file, CONFIG_TEXT_MAX, &len);
	if (text == NULL)
		return CLI_REFUSED;
	rc = config_show(text, len, file, &values, &k);
	free(text);
	if (rc != 0)
		return verdict(c, file, &k);
	r = json_pack("{s:s,s:o}", "file", file, "values", values);
	rc = say_shown(c, r);
	json_decref(r);
	return rc;
}

int cli_config(struct cli *c)
{
	const char *verb, *file;
	struct config *config = NULL;
	struct complaints k;
	size_t len;
	char *text;

	if (!cli_need(c, "check, show or reload", &verb))
		return CLI_USAGE;
	file = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	if (strcmp(verb, "reload") == 0 && file == NULL)
		return reload(c, "config.reload", NULL);
	if (strcmp(verb, "show") == 0)
		return config_shown(c, file);
	if (strcmp(verb, "check") != 0)
		return cli_usage(c, "\"%s\" is none of check FILE, show, reload", verb);
	if (file == NULL)
		return cli_usage(c, "FILE is missing");
	text = cli_file_read(c, file, CONFIG_TEXT_MAX, &len);
	if (text == NULL)
		return CLI_REFUSED;
	if (config_load(text, len, file, &config, &k) == 0)
		config_free(config);
	free(text);
	return verdict(c, file, &k);
}

int cli_example(struct cli *c)
{
	const char *what;

	if (!cli_need(c, "config or flow", &what) || !cli_end(c))
		return CLI_USAGE;
	if (strcmp(what, "config") == 0)
		fwrite(example_config, 1, example_config_len, c->out);
	else if (strcmp(what, "flow") == 0)
		fwrite(example_flow, 1, example_flow_len, c->out);
	else
		return cli_usage(c, "\"%s\" is none of config, flow", what);
	return CLI_OK;
}
