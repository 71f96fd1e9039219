/* SPDX-License-Identifier: Apache-2.0
 *
 * report: the interval tables for people, as CSV or as JSON.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/table.h"

static void percent(struct table *t, const json_t *row, const char *member)
{
	if (json_is_number(json_object_get(row, member)))
		table_cellf(t, "%.1f", 100 * cli_real(row, member));
	else
		table_cell(t, NULL);
}

static void count(struct table *t, int64_t n)
{
	table_cellf(t, "%" PRId64, n);
}

static void length(struct table *t, const json_t *row, const char *member)
{
	char buf[32];

	if (json_is_number(json_object_get(row, member)))
		table_cell(t, cli_duration(cli_int(row, member), buf));
	else
		table_cell(t, NULL);
}

static void when(struct table *t, const json_t *row)
{
	time_t at = (time_t)(cli_int(row, "from_ms") / 1000);
	char text[40];
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	table_cell(t, text);
}

static void columns(struct table *t, const char *const *titles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		table_column(t, titles[i], i < 2 ? TABLE_LEFT : TABLE_RIGHT);
}

#define COLUMNS(t, titles) columns(t, titles, sizeof(titles) / sizeof((titles)[0]))

static void queue_row(struct table *t, const json_t *r)
{
	count(t, cli_int(r, "offered"));
	count(t, cli_int(r, "answered"));
	count(t, cli_int(r, "abandoned_short"));
	count(t, cli_int(r, "abandoned_long"));
	count(t, cli_int(r, "overflowed"));
	percent(t, r, "answer_rate");
	percent(t, r, "service_level");
	percent(t, r, "service_level_20s");
	percent(t, r, "service_level_30s");
	length(t, r, "speed_of_answer_ms");
	length(t, r, "handle_time_ms");
	length(t, r, "talk_ms");
	length(t, r, "hold_ms");
	length(t, r, "wrap_up_ms");
}

static void agent_row(struct table *t, const json_t *r)
{
	char reasons[160] = "", buf[32];
	const char *reason;
	size_t len = 0;
	json_t *ms;

	count(t, cli_int(r, "offered"));
	count(t, cli_int(r, "answered"));
	count(t, cli_int(r, "no_answer") + cli_int(r, "rejected") + cli_int(r, "unreachable"));
	length(t, r, "signed_in_ms");
	length(t, r, "ready_ms");
	length(t, r, "talking_ms");
	length(t, r, "hold_ms");
	length(t, r, "wrap_up_ms");
	length(t, r, "other_ms");
	percent(t, r, "occupancy");
	length(t, r, "handle_time_ms");
	length(t, r, "not_ready_ms");
	json_object_foreach(json_object_get(r, "not_ready"), reason, ms) if (len < sizeof(reasons))
		len += (size_t)snprintf(reasons + len, sizeof(reasons) - len, "%s%s %s",
					len > 0 ? ", " : "", reason,
					cli_duration(json_integer_value(ms), buf));
	table_cell(t, reasons);
}

static void flow_row(struct table *t, const json_t *r)
{
	count(t, cli_int(r, "callers"));
	count(t, cli_int(r, "contained"));
	percent(t, r, "containment");
	count(t, cli_int(r, "queued"));
	count(t, cli_int(r, "abandoned"));
	count(t, cli_int(r, "other"));
}

static void note_row(struct table *t, const json_t *r)
{
	char values[160] = "";
	const char *value;
	size_t len = 0;
	json_t *n;

	count(t, cli_int(r, "answers"));
	for (unsigned i = 0; i < 4; i++) {
		static const char *const members[] = {"mean", "change", "lowest", "highest"};

		if (json_is_number(json_object_get(r, members[i])))
			table_cellf(t,
				    i == 1   ? "%+.2f"
				    : i == 0 ? "%.2f"
					     : "%g",
				    cli_real(r, members[i]));
		else
			table_cell(t, NULL);
	}
	json_object_foreach(json_object_get(r, "values"), value, n) if (len < sizeof(values)) len +=
		(size_t)snprintf(values + len, sizeof(values) - len, "%s%s: %lld",
				 len > 0 ? ", " : "", value, (long long)json_integer_value(n));
	table_cell(t, values);
}

static void callback_cells(struct table *t, const json_t *r)
{
	char buf[32];

	count(t, cli_int(r, "calls_back"));
	count(t, cli_int(r, "reached"));
	if (json_is_number(json_object_get(r, "calls_back_per_hour")))
		table_cellf(t, "%.1f", cli_real(r, "calls_back_per_hour"));
	else
		table_cell(t, NULL);
	if (json_is_number(json_object_get(r, "dial_time_ms")))
		table_cell(t, cli_duration(cli_int(r, "dial_time_ms"), buf));
	else
		table_cell(t, NULL);
}

static const char *const note_titles[] = {"FROM",   "OF",     "ANSWERS", "MEAN",
					  "CHANGE", "LOWEST", "HIGHEST", "VALUES"};
static const char *const queue_titles[] = {
	"FROM", "QUEUE", "OFFERED", "ANSWERED", "SHORT",  "LOST", "OVERFLOW", "ANSWER %",
	"SL %", "20S %", "30S %",   "ASA",      "HANDLE", "TALK", "HOLD",     "WRAP-UP"};
static const char *const agent_titles[] = {"FROM",  "AGENT", "OFFERED", "ANSWERED",  "MISSED",
					   "IN",    "READY", "TALK",    "HOLD",      "WRAP-UP",
					   "OTHER", "OCC %", "HANDLE",  "NOT READY", "REASONS"};
static const char *const group_titles[] = {"FROM",  "GROUP", "OFFERED", "ANSWERED",  "MISSED",
					   "IN",    "READY", "TALK",    "HOLD",      "WRAP-UP",
					   "OTHER", "OCC %", "HANDLE",  "NOT READY", "REASONS"};
static const char *const callback_titles[] = {"CALLED BACK", "REACHED", "AN HOUR", "TO DIAL"};
static const char *const flow_titles[] = {"FROM",   "FLOW",   "CALLERS",   "CONTAINED",
					  "CONT %", "QUEUED", "ABANDONED", "OTHER"};

static void target_cell(struct table *t, const json_t *r)
{
	char text[240] = "";
	const json_t *one;
	size_t i, len = 0;

	json_array_foreach(json_object_get(r, "targets"), i, one)
	{
		bool at_most = json_object_get(one, "at_most") != NULL;
		const json_t *met = json_object_get(one, "met");

		if (len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s%s %s %" PRId64 ": %s", len > 0 ? ", " : "",
						cli_text(one, "what"), at_most ? "<=" : ">=",
						cli_int(one, at_most ? "at_most" : "at_least"),
						json_is_null(met)   ? "-"
						: json_is_true(met) ? "met"
								    : "MISSED");
	}
	table_cell(t, text);
}

static bool any_target(const json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (json_array_size(json_object_get(json_array_get(rows, i), "targets")) > 0)
			return true;
	return false;
}

static bool any_called_back(const json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (cli_int(json_array_get(rows, i), "calls_back") > 0)
			return true;
	return false;
}

static void print_table(struct cli *c, const char *of, const json_t *rows, bool ranked)
{
	struct table *t = table_new();
	bool targets = any_target(rows), agents = of[0] == 'a' || of[0] == 'g';
	bool called_back = agents && any_called_back(rows);
	const json_t *r;
	size_t i;

	if (strcmp(of, "queues") == 0)
		COLUMNS(t, queue_titles);
	else if (strcmp(of, "agents") == 0)
		COLUMNS(t, agent_titles);
	else if (strcmp(of, "groups") == 0)
		COLUMNS(t, group_titles);
	else if (strcmp(of, "notes") == 0)
		COLUMNS(t, note_titles);
	else
		COLUMNS(t, flow_titles);
	if (called_back)
		for (size_t k = 0; k < sizeof(callback_titles) / sizeof(callback_titles[0]); k++)
			table_column(t, callback_titles[k], TABLE_RIGHT);
	if (targets)
		table_column(t, "TARGETS", TABLE_LEFT);
	if (ranked)
		table_column(t, "RANK", TABLE_RIGHT);
	json_array_foreach(rows, i, r)
	{
		when(t, r);
		if (strcmp(of, "queues") == 0) {
			table_cell(t, cli_text(r, "queue"));
			queue_row(t, r);
		} else if (strcmp(of, "agents") == 0 || strcmp(of, "groups") == 0) {
			table_cell(t, cli_text(r, of[0] == 'a' ? "agent" : "group"));
			agent_row(t, r);
		} else if (strcmp(of, "notes") == 0) {
			table_cell(t, json_object_get(r, "queue")   ? cli_text(r, "queue")
				      : json_object_get(r, "agent") ? cli_text(r, "agent")
								    : cli_text(r, "note"));
			note_row(t, r);
		} else {
			table_cell(t, cli_text(r, "flow"));
			flow_row(t, r);
		}
		if (called_back)
			callback_cells(t, r);
		if (targets)
			target_cell(t, r);
		if (ranked && json_is_integer(json_object_get(r, "rank")))
			count(t, cli_int(r, "rank"));
		else if (ranked)
			table_cell(t, NULL);
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		fputs("nothing happened in that time\n", c->out);
	table_free(t);
}

/* RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe. */
static void csv_text(FILE *out, const char *text)
{
	fputc('"', out);
	if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL)
		fputc('\'', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void csv_value(FILE *out, const json_t *v)
{
	if (json_is_string(v))
		csv_text(out, json_string_value(v));
	else if (json_is_integer(v))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		fprintf(out, "%.6f", json_real_value(v));
	else if (json_is_boolean(v))
		fputs(json_is_true(v) ? "true" : "false", out);
	else if (json_is_object(v) || json_is_array(v)) {
		char *text = json_dumps(v, JSON_COMPACT);

		csv_text(out, text ? text : "");
		free(text);
	}
}

void cli_csv(struct cli *c, const json_t *rows, bool titles)
{
	const json_t *r, *first = json_array_get(rows, 0);
	const char *name;
	json_t *v;
	size_t i;
	bool begun = false;

	if (!titles)
		first = NULL;
	json_object_foreach((json_t *)(uintptr_t)first, name, v)
	{
		fprintf(c->out, "%s%s", begun ? "," : "", name);
		begun = true;
	}
	if (begun)
		fputs("\r\n", c->out);
	json_array_foreach(rows, i, r)
	{
		begun = false;
		json_object_foreach((json_t *)(uintptr_t)r, name, v)
		{
			if (begun)
				fputc(',', c->out);
			csv_value(c->out, v);
			begun = true;
		}
		fputs("\r\n", c->out);
	}
}

/* The midnight before now. */
static int64_t today_ms(void)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000;
}

int cli_report(struct cli *c)
{
	const char *of, *key, *from, *to, *interval, *zone, *by, *rank;
	bool csv = cli_switch(c, "--csv"), lowest = cli_switch(c, "--lowest");
	int64_t from_ms, to_ms = (int64_t)time(NULL) * 1000;
	json_t *p, *r = NULL;
	int rc;

	if (!cli_option(c, "--from", &from) || !cli_option(c, "--to", &to) ||
	    !cli_option(c, "--interval", &interval) || !cli_option(c, "--zone", &zone) ||
	    !cli_option(c, "--by", &by) || !cli_option(c, "--rank", &rank) ||
	    !cli_need(c, "queues, agents, groups, flows or notes", &of))
		return CLI_USAGE;
	key = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	if (strcmp(of, "queues") != 0 && strcmp(of, "agents") != 0 && strcmp(of, "flows") != 0 &&
	    strcmp(of, "groups") != 0 && strcmp(of, "notes") != 0)
		return cli_usage(c, "\"%s\" is none of queues, agents, groups, flows, notes", of);
	if (strcmp(of, "notes") == 0 && key == NULL)
		return cli_usage(c, "which notes? Name the key under which flows keep them, as in "
				    "\"report notes score\"");
	if (by != NULL &&
	    (strcmp(of, "notes") != 0 || (strcmp(by, "queue") != 0 && strcmp(by, "agent") != 0)))
		return cli_usage(c, "--by is queue or agent, and for notes");
	if (lowest && rank == NULL)
		return cli_usage(c, "--lowest goes with --rank FIGURE");
	if (zone != NULL) { /* times that are given and shown are that place's, too */
		setenv("TZ", zone, 1);
		tzset();
	}
	from_ms = today_ms();
	if ((from != NULL && !cli_since(c, "--from", from, &from_ms)) ||
	    (to != NULL && !cli_since(c, "--to", to, &to_ms)))
		return CLI_USAGE;
	if (to_ms <= from_ms)
		return cli_usage(c, "--to must be after --from");
	p = json_pack("{s:s,s:I,s:I,s:s}", "of", of, "from_ms", (json_int_t)from_ms, "to_ms",
		      (json_int_t)to_ms, "interval", interval ? interval : "all");
	if (key != NULL)
		json_object_set_new(p, "key", json_string(key));
	if (by != NULL)
		json_object_set_new(p, "by", json_string(by));
	if (zone != NULL)
		json_object_set_new(p, "zone", json_string(zone));
	if (rank != NULL) {
		json_object_set_new(p, "rank", json_string(rank));
		json_object_set_new(p, "lowest_first", json_boolean(lowest));
	}
	rc = cli_ask(c, CLI_DAEMON, "report", p, &r);
	if (rc != 0)
		return rc;
	if (csv)
		cli_csv(c, json_object_get(r, "rows"), true);
	else if (!cli_json(c, r))
		print_table(c, of, json_object_get(r, "rows"), rank != NULL);
	json_decref(r);
	return CLI_OK;
}
