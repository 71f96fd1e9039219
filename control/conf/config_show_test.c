/* SPDX-License-Identifier: Apache-2.0
 *
 * What is shown is all there is, it says where it comes from, and read back it is the same configuration.
 */
#include "conf/config_show.h"

#include <stdlib.h>

#include "check.h"
#include "conf/config.h"
#include "example/example.h"

static json_t *show(const char *text)
{
	struct complaints k;
	json_t *values = NULL;
	char line[400];

	if (config_show(text, strlen(text), "t", &values, &k) != 0)
		printf("%s\n", complaint_line(&k, 0, line, sizeof(line)));
	check(values != NULL);
	return values;
}

static const json_t *find(const json_t *values, const char *path)
{
	size_t i;
	json_t *v;

	json_array_foreach(values, i, v) if (strcmp(json_string_value(json_object_get(v, "path")),
						    path) == 0) return v;
	return NULL;
}

static const char *text(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s ? s : "";
}

static const char some[] = "database: /x.db\n"
			   "sip: {listen: [udp:0.0.0.0:5070]}\n"
			   "queues:\n"
			   "  - {name: sales, wrap_up_s: 12, strategy: round_robin}\n"
			   "agents:\n"
			   "  - {number: '1001', password: not-to-be-told, queues: {sales: 2}}\n"
			   "  - {number: '1002', password_env: PW_1002, queues: [sales]}\n"
			   "  - {number: '1003', password_file: /etc/pw, queues: []}\n";

static void each_value_says_where_it_comes_from(void)
{
	static const struct {
		const char *path, *from;
		int line, column;
		const char *value; /* as JSON */
	} want[] = {
		{"database", "file", 1, 11, "\"/x.db\""},
		{"voicemail", "default", 0, 0, "\"/var/lib/patchbay/voicemail\""},
		{"sip.listen", "file", 2, 15, "[\"udp:0.0.0.0:5070\"]"},
		{"sip.realm", "default", 0, 0, "\"patchbay\""},
		{"sip.srtp", "default", 0, 0, "\"off\""},
		{"calls.max", "default", 0, 0, "2000"},
		{"conduct.hold_s", "default", 0, 0, "300"},
		{"feature_codes.barge", "default", 0, 0, "\"*73\""},
		{"queues[0].wrap_up_s", "file", 4, 30, "12"},
		{"queues[0].strategy", "file", 4, 44, "\"round_robin\""},
		{"queues[0].service_level_s", "default", 0, 0, "20"},
		{"queues[0].record", "default", 0, 0, "null"},
		{"agents[0].queues.sales", "file", 6, 64, "\"2\""},
		{"agents[0].password", "file", 6, 32, "\"(hidden)\""},
		{"agents[1].password_env", "environment", 7, 36, "\"PW_1002\""},
		{"agents[2].password_file", "secret_file", 8, 37, "\"/etc/pw\""},
		{"agents[2].name", "default", 0, 0, "null"},
		{"archive.scan_every_s", "default", 0, 0, "5"},
		{"keep_days.steps", "default", 0, 0, "0"},
	};
	json_t *values = show(some);

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const json_t *v = find(values, want[i].path);
		char *value = v ? json_dumps(json_object_get(v, "value"), JSON_ENCODE_ANY) : NULL;

		if (v == NULL)
			printf("%s is not shown\n", want[i].path);
		check(v != NULL);
		check_str(value, want[i].value);
		check_str(text(v, "from"), want[i].from);
		check_int(json_integer_value(json_object_get(v, "line")), want[i].line);
		check_int(json_integer_value(json_object_get(v, "column")), want[i].column);
		free(value);
	}
	check(json_is_true(json_object_get(find(values, "agents[1].password_env"), "secret")));
	json_decref(values);
}

static void no_secret_is_told(void)
{
	json_t *values = show(some);
	char *all = json_dumps(values, 0);

	check(strstr(all, "not-to-be-told") == NULL);
	free(all);
	json_decref(values);
	values = show(example_config);
	all = json_dumps(values, 0);
	check(strstr(all, "patchbay-1001") == NULL);
	free(all);
	json_decref(values);
}

/* Put `value` where "a.b[1].c" says. */
static void put(json_t *root, const char *path, json_t *value)
{
	json_t *at = root;
	char key[100];

	for (;;) {
		size_t n = strcspn(path, ".[");
		json_t *next;

		if (*path == '[') {
			size_t i = (size_t)strtoul(path + 1, NULL, 10);

			path = strchr(path, ']') + 1;
			path += *path == '.';
			while (json_array_size(at) <= i)
				json_array_append_new(at, json_object());
			at = json_array_get(at, i);
			continue;
		}
		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		path += n;
		if (*path == '\0') {
			json_object_set(at, key, value);
			return;
		}
		next = json_object_get(at, key);
		if (next == NULL || json_is_array(next) != (*path == '[')) {
			next = *path == '[' ? json_array() : json_object();
			json_object_set_new(at, key, next);
		}
		at = next;
		path += *path == '.';
	}
}

/* A configuration of what is shown: JSON is YAML. Secrets are made up, null is left out. */
static char *written(const json_t *values)
{
	json_t *root = json_object(), *v;
	char *out;
	size_t i;

	json_array_foreach(values, i, v)
	{
		const json_t *value = json_object_get(v, "value");

		if (!json_is_null(value))
			put(root, text(v, "path"), (json_t *)(uintptr_t)value);
	}
	out = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	return out;
}

/* As text: a number that is shown from the file as "2" and one shown from a struct as 2 are the same. */
static char *as_text(const json_t *value)
{
	return json_is_string(value) ? strdup(json_string_value(value))
				     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void back_and_forth(const char *config)
{
	json_t *first = show(config), *second, *v;
	char *again = written(first);
	size_t i;

	second = show(again);
	json_array_foreach(first, i, v)
	{
		const json_t *w = find(second, text(v, "path"));
		char *a = as_text(json_object_get(v, "value"));
		char *b = w ? as_text(json_object_get(w, "value")) : strdup("(not shown)");

		/* An empty list is no value when it is read back. */
		if (strcmp(a, "[]") != 0 || w != NULL) {
			if (strcmp(a, b) != 0)
				printf("%s:\n", text(v, "path"));
			check_str(b, a);
		}
		if (!json_is_null(json_object_get(v, "value")) && w != NULL && strcmp(a, "[]") != 0)
			check(strcmp(text(w, "from"), "default") != 0);
		free(a);
		free(b);
	}
	free(again);
	json_decref(first);
	json_decref(second);
}

static void what_is_shown_can_be_read_back(void)
{
	back_and_forth("");
	back_and_forth(some);
	back_and_forth(example_config);
}

/* The defaults that stand in a table are those that are used. */
static void shown_defaults_are_the_defaults(void)
{
	json_t *values = show("queues: [{name: q}]\ntrunks: [{name: t, host: h}]\n");
	struct complaints k;
	struct config *a = NULL, *b = NULL;
	char *again = written(values);
	static const char bare[] = "queues: [{name: q}]\ntrunks: [{name: t, host: h}]\n";

	if (config_load(again, strlen(again), "a", &a, &k) != 0)
		printf("%s\n%s\n", k.list[0].text, again);
	check(a != NULL);
	check_int(config_load(bare, strlen(bare), "b", &b, &k), 0);
	check_str(a->log_level, b->log_level);
	check_int(a->record.mode, b->record.mode);
	check_int(a->n_listen, b->n_listen);
	check_int(a->listen[1].transport, b->listen[1].transport);
	check_int(a->listen[1].port, b->listen[1].port);
	check_int(a->phone_codecs.n, b->phone_codecs.n);
	check_str(a->phone_codecs.name[3], b->phone_codecs.name[3]);
	check_int(a->trunk_codecs.n, b->trunk_codecs.n);
	check_int(a->srtp, b->srtp);
	check_int(a->trunks[0].srtp, b->trunks[0].srtp);
	check_int(a->trunks[0].transport, b->trunks[0].transport);
	check_int(a->queues[0].strategy, b->queues[0].strategy);
	check_int(a->queues[0].record.mode, b->queues[0].record.mode);
	check_int(a->queues[0].record.percent, b->queues[0].record.percent);
	check(memcmp(a->queues[0].overlong_s, b->queues[0].overlong_s,
		     sizeof(a->queues[0].overlong_s)) == 0);
	check_int(a->archive->wav, b->archive->wav);
	check_str(a->archive->store[0], b->archive->store[0]);
	config_free(a);
	config_free(b);
	free(again);
	json_decref(values);
}

static void a_bad_text_is_complained_about(void)
{
	struct complaints k;
	json_t *values = NULL;

	check(config_show("quees: []\n", 10, "t", &values, &k) < 0);
	check(values == NULL && k.errors == 1);
}

static const struct check_case cases[] = {
	CHECK_CASE(each_value_says_where_it_comes_from),
	CHECK_CASE(no_secret_is_told),
	CHECK_CASE(what_is_shown_can_be_read_back),
	CHECK_CASE(shown_defaults_are_the_defaults),
	CHECK_CASE(a_bad_text_is_complained_about),
};

CHECK_MAIN(cases)
