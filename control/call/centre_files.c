/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration and flows: read, checked, exchanged while calls run. A text with an error changes
 * nothing; every complaint is handed back with its line and column.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "call/calls.h"
#include "call/watch.h"
#include "conf/config_show.h"
#include "example/example.h"

static void add_problem(json_t *problems, const char *file, uint32_t line, uint32_t column,
			const char *severity, const char *message)
{
	json_t *o = json_pack("{s:s,s:i,s:i,s:s,s:s}", "file", file, "line", (int)line, "column",
			      (int)column, "severity", severity, "message", message);

	if (o != NULL)
		json_array_append_new(problems, o);
}

static void add_complaints(json_t *problems, const struct complaints *list)
{
	for (unsigned i = 0; i < list->kept; i++) {
		const struct complaint *one = &list->list[i];

		add_problem(problems, list->name, one->at.line, one->at.column,
			    one->level == COMPLAINT_ERROR ? "error" : "warning", one->text);
	}
}

/* The whole file, NUL-terminated; freed by the caller. Returns 0 or negative errno. */
static int read_file(const char *path, size_t max, char **text, size_t *len)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	int err = 0;

	if (f == NULL)
		return -errno;
	if (fstat(fileno(f), &st) != 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if ((size_t)st.st_size > max)
		err = -EFBIG;
	*text = err == 0 ? malloc((size_t)st.st_size + 1) : NULL;
	if (err == 0 && *text == NULL)
		err = -ENOMEM;
	if (err == 0) {
		*len = fread(*text, 1, (size_t)st.st_size, f);
		(*text)[*len] = '\0';
		if (ferror(f))
			err = -EIO;
	}
	fclose(f);
	if (err != 0) {
		free(*text);
		*text = NULL;
	}
	return err;
}

int centre_read_config(const char *file, struct config **out, json_t *problems)
{
	const char *name = file ? file : "embedded example";
	struct complaints list;
	char *text = NULL;
	size_t len;
	int err;

	if (file == NULL) {
		err = config_load(example_config, example_config_len, name, out, &list);
	} else {
		err = read_file(file, CONFIG_TEXT_MAX, &text, &len);
		if (err != 0) {
			add_problem(problems, name, 0, 0, "error", strerror(-err));
			return err;
		}
		err = config_load(text, len, name, out, &list);
		free(text);
	}
	add_complaints(problems, &list);
	return err;
}

/* A value that runs although the file says another: the command line's. */
static void overrule(json_t *values, const char *path, const char *value)
{
	size_t i;
	json_t *v;

	json_array_foreach(values, i, v)
	{
		const char *p = json_string_value(json_object_get(v, "path"));
		const char *told = json_string_value(json_object_get(v, "value"));

		if (strcmp(p, path) != 0 || value[0] == '\0' ||
		    (told != NULL && strcmp(told, value) == 0))
			continue;
		json_object_set_new(v, "value", json_string(value));
		json_object_set_new(v, "from", json_string("command_line"));
		json_object_del(v, "line");
		json_object_del(v, "column");
	}
}

json_t *centre_show_config(struct centre *c, json_t *problems)
{
	const char *file = c->paths.config, *name = file ? file : "embedded example";
	struct complaints list;
	struct engine_view engine;
	json_t *values = NULL;
	char *text = NULL;
	struct stat st;
	size_t len;
	int err;

	if (file == NULL) {
		err = config_show(example_config, example_config_len, name, &values, &list);
	} else {
		err = read_file(file, CONFIG_TEXT_MAX, &text, &len);
		if (err != 0) {
			add_problem(problems, name, 0, 0, "error", strerror(-err));
			return NULL;
		}
		err = config_show(text, len, name, &values, &list);
		free(text);
	}
	if (err != 0) {
		add_complaints(problems, &list);
		return NULL;
	}
	overrule(values, "database", c->database);
	if (c->engine != NULL) {
		engine_view(c->engine, &engine);
		overrule(values, "engine_socket", engine.path);
	}
	return json_pack("{s:s,s:b,s:b,s:o}", "file", name, "embedded", file == NULL, "changed",
			 file != NULL && stat(file, &st) == 0 &&
				 (uint64_t)st.st_mtim.tv_sec * 1000 > c->config_loaded_ms,
			 "values", values);
}

static bool has_prompt(void *arg, const char *prompt)
{
	struct centre *c = arg;

	return c->prompts == NULL || json_object_get(c->prompts, prompt) != NULL;
}

static bool has_queue(void *arg, const char *queue)
{
	struct centre *c = arg;

	return config_queue_find(c->config, queue) != NULL;
}

static bool has_calendar(void *arg, const char *calendar)
{
	struct centre *c = arg;

	return config_calendar_find(c->config, calendar) != NULL;
}

static bool has_number(void *arg, const char *number)
{
	struct centre *c = arg;

	return config_agent_find(c->config, number) != NULL ||
	       config_trunk_for(c->config, number) != NULL;
}

static bool has_conference(void *arg, const char *name)
{
	struct centre *c = arg;

	return config_conference_find(c->config, name) != NULL;
}

/* LANG/say.yaml beside the prompts of each language. What is wrong with one is told, and the language
 * built in, or none, is used in its place. */
static void load_languages(struct centre *c, json_t *problems)
{
	struct ivr_say *say = ivr_say_builtin();
	DIR *dir = c->config->prompts[0] != '\0' ? opendir(c->config->prompts) : NULL;

	for (const struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
		char path[1024], *text = NULL;
		struct complaints list;
		size_t len;
		int err;

		if (d->d_name[0] == '.' ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s/say.yaml", c->config->prompts,
				     d->d_name) >= sizeof(path))
			continue;
		err = read_file(path, IVR_SAY_TEXT_MAX, &text, &len);
		if (err == 0) {
			ivr_say_load(say, text, len, path, &list);
			add_complaints(problems, &list);
		} else if (err != -ENOENT && err != -ENOTDIR) {
			add_problem(problems, path, 0, 0, "error", strerror(-err));
		}
		free(text);
	}
	if (dir != NULL)
		closedir(dir);
	ivr_say_close(c->say);
	c->say = say;
}

/* Load and check one flow. Returns it held once, or NULL; complaints go to `problems`. */
static struct ivr_flow *load_flow(struct centre *c, const char *file, json_t *problems)
{
	struct ivr_world world = {c,          has_prompt,     has_queue, has_calendar,
				  has_number, has_conference, c->say};
	struct ivr_flow *flow = NULL;
	struct complaints list;
	char path[1024], *text = NULL;
	const char *slash = c->paths.config ? strrchr(c->paths.config, '/') : NULL;
	size_t len;
	int err;

	if (strcmp(file, "example") == 0) {
		err = ivr_flow_load(example_flow, example_flow_len, "example", &flow, &list);
	} else {
		/* A file that the configuration names lies beside it. */
		if (file[0] != '/' && slash != NULL && c->paths.flow == NULL)
			snprintf(path, sizeof(path), "%.*s%s", (int)(slash - c->paths.config + 1),
				 c->paths.config, file);
		else
			snprintf(path, sizeof(path), "%s", file);
		err = read_file(path, IVR_TEXT_MAX, &text, &len);
		if (err != 0) {
			add_problem(problems, file, 0, 0, "error", strerror(-err));
			return NULL;
		}
		err = ivr_flow_load(text, len, file, &flow, &list);
		free(text);
	}
	if (err == 0 && ivr_flow_check(flow, &world, &list) != 0)
		ivr_flow_drop(&flow);
	add_complaints(problems, &list);
	return err == 0 ? flow : NULL;
}

void centre_check_prompts(struct centre *c)
{
	enum { SHOWN = 3 };
	struct ivr_world world = {.arg = c, .has_prompt = has_prompt, .say = c->say};
	struct complaints list;
	char line[COMPLAINT_TEXT_MAX + COMPLAINT_NAME_MAX + 32], first[160] = "";

	for (unsigned i = 0; i < c->flow_count; i++) {
		complaints_init(&list, c->flows[i].name);
		if (ivr_flow_check(c->flows[i].flow, &world, &list) == 0)
			continue;
		for (unsigned k = 0; k < list.kept && k < SHOWN; k++)
			log_error("flow", "%s", complaint_line(&list, k, line, sizeof(line)));
		if (list.errors > SHOWN)
			log_error("flow", "%s: and %u more", list.name, list.errors - SHOWN);
		if (first[0] == '\0' && list.kept > 0)
			snprintf(first, sizeof(first), "%.159s", list.list[0].text);
	}
	centre_alarm(c, "prompts", first[0] != '\0', first);
}

static unsigned errors_in(const json_t *problems)
{
	unsigned n = 0;

	for (size_t i = 0; i < json_array_size(problems); i++) {
		const char *severity =
			json_string_value(json_object_get(json_array_get(problems, i), "severity"));

		n += severity != NULL && strcmp(severity, "error") == 0;
	}
	return n;
}

unsigned centre_check_flow(struct centre *c, const char *file, json_t *problems)
{
	unsigned before = errors_in(problems), found;
	struct ivr_flow *flow = load_flow(c, file ? file : "example", problems);

	found = errors_in(problems) - before;
	ivr_flow_drop(&flow);
	return found;
}

static const char *flow_name(const struct centre *c, const struct config_hotline *h)
{
	return c->paths.flow ? c->paths.flow : h->flow;
}

static bool listed(const struct centre_flow *flows, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(flows[i].name, name) == 0)
			return true;
	return false;
}

int centre_load_flows(struct centre *c, json_t **problems)
{
	struct centre_flow fresh[CENTRE_FLOWS_MAX] = {0};
	json_t *list = json_array();
	unsigned n = 0;
	bool failed = false;

	load_languages(c, list);
	for (unsigned i = 0; i < c->config->n_hotlines; i++) {
		const char *name = flow_name(c, &c->config->hotlines[i]);

		if (listed(fresh, n, name))
			continue;
		if (n == CENTRE_FLOWS_MAX) {
			add_problem(list, name, 0, 0, "error", "more flows than can be held");
			failed = true;
			break;
		}
		fresh[n] = (struct centre_flow){.flow = load_flow(c, name, list),
						.loaded_ms = clock_wall_ms()};
		snprintf(fresh[n].name, sizeof(fresh[n].name), "%s", name);
		failed = failed || fresh[n].flow == NULL;
		n++;
	}
	if (failed) {
		for (unsigned i = 0; i < n; i++)
			ivr_flow_drop(&fresh[i].flow);
	} else {
		for (unsigned i = 0; i < c->flow_count; i++)
			ivr_flow_drop(&c->flows[i].flow);
		memcpy(c->flows, fresh, n * sizeof(fresh[0]));
		c->flow_count = n;
		if (c->prompts != NULL) /* then they were checked against them */
			centre_alarm(c, "prompts", false, "");
		for (unsigned i = 0; i < n; i++) {
			log_info("flow", "%s: %u nodes", fresh[i].name,
				 ivr_flow_nodes(fresh[i].flow));
			centre_publish(c, "flow",
				       json_pack("{s:s,s:i}", "file", fresh[i].name, "nodes",
						 (int)ivr_flow_nodes(fresh[i].flow)));
		}
	}
	if (problems != NULL)
		*problems = list;
	else
		json_decref(list);
	return failed ? -EINVAL : 0;
}

int centre_reload_flows(struct centre *c, const char *file, json_t **problems)
{
	const char *before = c->paths.flow;
	char fresh[sizeof(c->flow_file)];
	int err;

	if (file == NULL)
		return centre_load_flows(c, problems);
	snprintf(fresh, sizeof(fresh), "%s", file);
	c->paths.flow = fresh;
	err = centre_load_flows(c, problems);
	if (err == 0) {
		memcpy(c->flow_file, fresh, sizeof(fresh));
		c->paths.flow = c->flow_file;
	} else {
		c->paths.flow = before;
	}
	return err;
}

struct ivr_flow *centre_flow(struct centre *c, const struct config_hotline *hotline)
{
	const char *name = flow_name(c, hotline);

	for (unsigned i = 0; i < c->flow_count; i++)
		if (strcmp(c->flows[i].name, name) == 0)
			return c->flows[i].flow;
	return NULL;
}

static void count_change(json_t *changed, const char *what, unsigned before, unsigned now)
{
	char text[120];

	if (before == now)
		return;
	snprintf(text, sizeof(text), "%s: %u, were %u", what, now, before);
	json_array_append_new(changed, json_string(text));
}

static void needs_restart(json_t *ignored, const char *what, const char *before, const char *now)
{
	char text[300];

	if (strcmp(before, now) == 0)
		return;
	snprintf(text, sizeof(text), "%s: %s instead of %s needs a restart", what, now, before);
	json_array_append_new(ignored, json_string(text));
}

/* Does the running stack listen as the new text says? */
static bool same_listeners(const struct config *a, const struct config *b)
{
	if (a->n_listen != b->n_listen)
		return false;
	for (unsigned i = 0; i < a->n_listen; i++)
		if (a->listen[i].transport != b->listen[i].transport ||
		    a->listen[i].port != b->listen[i].port ||
		    strcmp(a->listen[i].address, b->listen[i].address) != 0)
			return false;
	return true;
}

int centre_reload_config(struct centre *c, json_t *problems, json_t *changed, json_t *ignored)
{
	struct config *old = c->config, *fresh;
	json_t *flow_problems = NULL;
	int err = centre_read_config(c->paths.config, &fresh, problems);

	if (err != 0)
		return err;
	c->config = fresh;
	err = centre_load_flows(c, &flow_problems);
	json_array_extend(problems, flow_problems);
	json_decref(flow_problems);
	if (err == 0) {
		err = acd_configure(c->acd, fresh, clock_mono_ms());
		if (err != 0)
			add_problem(
				problems, c->paths.config ? c->paths.config : "embedded example", 0,
				0, "error",
				"more agents or queues than were planned for at start; restart");
	}
	if (err != 0) {
		c->config = old;
		config_free(fresh);
		return err;
	}
	count_change(changed, "agents", old->n_agents, fresh->n_agents);
	count_change(changed, "queues", old->n_queues, fresh->n_queues);
	count_change(changed, "hotlines", old->n_hotlines, fresh->n_hotlines);
	count_change(changed, "trunks", old->n_trunks, fresh->n_trunks);
	count_change(changed, "calendars", old->n_calendars, fresh->n_calendars);
	needs_restart(ignored, "database", old->database, fresh->database);
	needs_restart(ignored, "engine_socket", old->engine_socket, fresh->engine_socket);
	needs_restart(ignored, "control_socket", old->control_socket, fresh->control_socket);
	needs_restart(ignored, "sip.realm", old->realm, fresh->realm);
	if (!same_listeners(old, fresh))
		json_array_append_new(ignored, json_string("sip.listen needs a restart"));
	if (c->sip != NULL && centre_trunks(c) != 0)
		log_error("config", "no memory for the trunks");
	config_free(old);
	c->config_loaded_ms = clock_wall_ms();
	watch_limits(c);
	queue_drain(c);
	log_info("config", "read again: %u agents, %u queues, %u hotlines", fresh->n_agents,
		 fresh->n_queues, fresh->n_hotlines);
	return 0;
}
