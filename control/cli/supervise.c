/* SPDX-License-Identifier: Apache-2.0
 *
 * What supervisors look at and do: alarms, the log and the conduct of an agent, taking a call over, the audit.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/table.h"

/* Of "2026-11-26", or of today; [from, to). */
static bool day_of(struct cli *c, const char *day, int64_t *from_ms, int64_t *to_ms)
{
	char text[20];
	time_t at = time(NULL);
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	if (!cli_since(c, "--day", day ? day : text, from_ms))
		return false;
	at = (time_t)(*from_ms / 1000);
	localtime_r(&at, &tm);
	tm.tm_mday++;
	tm.tm_isdst = -1;
	*to_ms = (int64_t)mktime(&tm) * 1000;
	return true;
}

/* All pages of a list of a day, as one {NAME: rows}. */
static int all_of_day(struct cli *c, const char *method, const char *list, const char *day,
		      const char *agent, json_t **rows)
{
	json_t *next = NULL;
	bool more = true;
	int64_t from_ms, to_ms;

	if (!day_of(c, day, &from_ms, &to_ms))
		return CLI_USAGE;
	*rows = json_array();
	while (more) {
		json_t *r = NULL, *p = json_pack("{s:I,s:I,s:i}", "from_ms", (json_int_t)from_ms,
						 "to_ms", (json_int_t)to_ms, "limit", 200);
		int rc;

		if (agent != NULL)
			json_object_set_new(p, "agent", json_string(agent));
		if (next != NULL)
			json_object_set_new(p, "after", next);
		rc = cli_ask(c, CLI_DAEMON, method, p, &r);
		if (rc != 0) {
			json_decref(*rows);
			return rc;
		}
		json_array_extend(*rows, json_object_get(r, list));
		more = cli_true(r, "more");
		next = more ? json_incref(json_object_get(r, "next")) : NULL;
		json_decref(r);
	}
	return 0;
}

/* --- alarms -------------------------------------------------------------------------------- */

/* "2001 2002 https://desk.example/alarms" */
static void told(const json_t *list, char *out, size_t size)
{
	const json_t *v;
	size_t i, len = 0;

	out[0] = '\0';
	json_array_foreach(list, i, v) if (len < size && json_is_string(v)) len += (size_t)snprintf(
		out + len, size - len, "%s%s", len > 0 ? " " : "", json_string_value(v));
}

static void overlong_table(struct cli *c, const json_t *rows, bool past)
{
	static const char *const titles[] = {"BEGAN", "CALL", "QUEUE", "AGENT", "WHAT", "FOR"};
	struct table *t = table_new();
	const json_t *o;
	char buf[32], who[200];
	size_t i;

	for (size_t n = 0; n < sizeof(titles) / sizeof(titles[0]); n++)
		table_column(t, titles[n], TABLE_LEFT);
	table_column(t, "LASTED", TABLE_RIGHT);
	table_column(t, "LIMIT", TABLE_RIGHT);
	if (past) {
		table_column(t, "TOLD", TABLE_LEFT);
		table_column(t, "RECORDING", TABLE_LEFT);
	}
	json_array_foreach(rows, i, o)
	{
		static const char *const roles[] = {"", "leader", "controller", "manager"};
		int64_t level = cli_int(o, "level");

		table_cell(t, cli_time(cli_int(o, past ? "began_ms" : "since_ms"), buf));
		table_cell(t, cli_id(c, cli_text(o, "call")));
		table_cell(t, cli_text(o, "queue"));
		table_cell(t, cli_text(o, "agent"));
		table_cell(t, cli_text(o, "what"));
		table_cell(t, level >= 0 && level <= 3 ? roles[level] : "?");
		table_cell(t, cli_duration(cli_int(o, "lasted_ms"), buf));
		table_cell(t, cli_duration(cli_int(o, "limit_ms"), buf));
		if (past) {
			told(json_object_get(o, "told"), who, sizeof(who));
			table_cell(t, who);
			table_cell(t, cli_text(o, "recording"));
		}
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		fputs(past ? "no call was overlong\n" : "no call is overlong\n", c->out);
	table_free(t);
}

static int overlong_of_day(struct cli *c, const char *day)
{
	json_t *rows = NULL, *all;
	int rc = all_of_day(c, "overlong", "overlong", day, NULL, &rows);

	if (rc != 0)
		return rc;
	all = json_pack("{s:O}", "overlong", rows);
	if (!cli_json(c, all))
		overlong_table(c, rows, true);
	json_decref(all);
	json_decref(rows);
	return CLI_OK;
}

int cli_alarms(struct cli *c)
{
	const json_t *a;
	const char *day;
	json_t *r = NULL;
	char buf[32];
	size_t i;
	int rc;

	if (!cli_option(c, "--day", &day) || !cli_end(c))
		return CLI_USAGE;
	if (day != NULL)
		return overlong_of_day(c, strcmp(day, "today") == 0 ? NULL : day);
	rc = cli_ask(c, CLI_DAEMON, "alarms", NULL, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		json_array_foreach(json_object_get(r, "alarms"), i, a)
			cli_say(c, "%s  %s: %s\n", cli_time(cli_int(a, "since_ms"), buf),
				cli_text(a, "area"), cli_text(a, "text"));
		if (json_array_size(json_object_get(r, "alarms")) == 0)
			fputs("no alarm is raised\n", c->out);
		overlong_table(c, json_object_get(r, "overlong"), false);
	}
	rc = json_array_size(json_object_get(r, "alarms")) > 0 ||
			     json_array_size(json_object_get(r, "overlong")) > 0
		     ? CLI_REFUSED
		     : CLI_OK;
	json_decref(r);
	return rc;
}

/* --- an agent ------------------------------------------------------------------------------ */

int cli_agent_log(struct cli *c)
{
	static const char *const titles[] = {"FROM", "UNTIL", "STATE", "REASON", "CALL"};
	const char *agent, *from, *to, *limit, *after;
	int64_t n;
	json_t *p, *r = NULL;
	int rc;

	if (!cli_option(c, "--from", &from) || !cli_option(c, "--to", &to) ||
	    !cli_option(c, "--limit", &limit) || !cli_option(c, "--after", &after) ||
	    !cli_need(c, "AGENT", &agent) || !cli_end(c))
		return CLI_USAGE;
	p = json_pack("{s:s}", "agent", agent);
	if ((from != NULL && !cli_since(c, "--from", from, &n)) ||
	    (from != NULL && json_object_set_new(p, "from_ms", json_integer(n)) != 0) ||
	    (to != NULL && !cli_since(c, "--to", to, &n)) ||
	    (to != NULL && json_object_set_new(p, "to_ms", json_integer(n)) != 0) ||
	    (limit != NULL && !cli_number(c, "--limit", limit, 1, 200, &n)) ||
	    (limit != NULL && json_object_set_new(p, "limit", json_integer(n)) != 0)) {
		json_decref(p);
		return CLI_USAGE;
	}
	if (after != NULL)
		json_object_set_new(p, "after", json_string(after));
	rc = cli_ask(c, CLI_DAEMON, "agent.log", p, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		struct table *t = table_new();
		const json_t *s;
		char buf[32];
		size_t i;

		for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
			table_column(t, titles[i], TABLE_LEFT);
		table_column(t, "LASTED", TABLE_RIGHT);
		json_array_foreach(json_object_get(r, "states"), i, s)
		{
			int64_t began = cli_int(s, "from_ms"), until = cli_int(s, "until_ms");

			table_cell(t, cli_time(began, buf));
			table_cell(t, until != 0 ? cli_time(until, buf) : "now");
			table_cell(t, cli_text(s, "state"));
			table_cell(t, cli_text(s, "reason"));
			table_cell(t, cli_id(c, cli_text(s, "call")));
			if (until == 0)
				until = (int64_t)time(NULL) * 1000;
			table_cell(t, cli_duration(until > began ? until - began : 0, buf));
		}
		table_print(t, c->out);
		table_free(t);
		if (cli_true(r, "more"))
			cli_say(c, "there are more: --after %s\n", cli_text(r, "next"));
	}
	json_decref(r);
	return CLI_OK;
}

int cli_agent_conduct(struct cli *c)
{
	static const char *const titles[] = {"AGENT", "AT", "RULE", "CALL"};
	const char *day, *agent;
	json_t *rows = NULL, *all;
	const json_t *f;
	char buf[32];
	size_t i;
	int rc;

	if (!cli_option(c, "--day", &day))
		return CLI_USAGE;
	agent = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	rc = all_of_day(c, "agent.conduct", "findings", day, agent, &rows);
	if (rc != 0)
		return rc;
	all = json_pack("{s:O}", "findings", rows);
	if (!cli_json(c, all)) {
		struct table *t = table_new();

		for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
			table_column(t, titles[i], TABLE_LEFT);
		table_column(t, "TIMES", TABLE_RIGHT);
		table_column(t, "LASTED", TABLE_RIGHT);
		table_column(t, "EVIDENCE", TABLE_LEFT);
		json_array_foreach(rows, i, f)
		{
			table_cell(t, cli_text(f, "agent"));
			table_cell(t, cli_time(cli_int(f, "at_ms"), buf));
			table_cell(t, cli_text(f, "rule"));
			table_cell(t, cli_id(c, cli_text(f, "call")));
			table_cellf(t, "%" PRId64, cli_int(f, "count"));
			table_cell(t, cli_duration(cli_int(f, "lasted_ms"), buf));
			table_cell(t, cli_text(f, "evidence"));
		}
		if (table_rows(t) > 0)
			table_print(t, c->out);
		else
			fputs("nothing stands out\n", c->out);
		table_free(t);
	}
	json_decref(all);
	json_decref(rows);
	return CLI_OK;
}

int cli_takeover(struct cli *c)
{
	const char *call, *by;
	json_t *r = NULL;
	int rc;

	if (!cli_option(c, "--by", &by) || !cli_need(c, "CALL", &call) || !cli_end(c))
		return CLI_USAGE;
	if (by == NULL)
		return cli_usage(c, "--by SUPERVISOR is missing");
	rc = cli_ask(c, CLI_DAEMON, "takeover", json_pack("{s:s,s:s}", "call", call, "by", by), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c,
			strcmp(cli_text(r, "state"), "taken") == 0
				? "%s has the conversation\n"
				: "%s is rung; who answers has the conversation\n",
			by);
	json_decref(r);
	return CLI_OK;
}

int cli_audit(struct cli *c)
{
	const char *who, *method, *since, *limit;
	bool refused = cli_switch(c, "--refused");
	int64_t from_ms, n = 50;
	json_t *p, *r = NULL;
	const json_t *act;
	struct table *t;
	char buf[32];
	size_t i;
	int rc;

	if (!cli_option(c, "--who", &who) || !cli_option(c, "--method", &method) ||
	    !cli_option(c, "--since", &since) || !cli_option(c, "--limit", &limit) || !cli_end(c) ||
	    (limit != NULL && !cli_number(c, "--limit", limit, 1, 200, &n)) ||
	    (since != NULL && !cli_since(c, "--since", since, &from_ms)))
		return CLI_USAGE;
	p = json_pack("{s:I,s:b}", "limit", (json_int_t)n, "refused", refused);
	if (who != NULL)
		json_object_set_new(p, "who", json_string(who));
	if (method != NULL)
		json_object_set_new(p, "method", json_string(method));
	if (since != NULL)
		json_object_set_new(p, "from_ms", json_integer(from_ms));
	rc = cli_ask(c, CLI_DAEMON, "audit", p, &r);
	if (rc != 0)
		return rc;
	if (cli_json(c, r)) {
		json_decref(r);
		return CLI_OK;
	}
	t = table_new();
	table_column(t, "TIME", TABLE_LEFT);
	table_column(t, "WHO", TABLE_LEFT);
	table_column(t, "DID", TABLE_LEFT);
	table_column(t, "RESULT", TABLE_LEFT);
	table_column(t, "WITH", TABLE_LEFT);
	json_array_foreach(json_object_get(r, "acts"), i, act)
	{
		table_cell(t, cli_time(cli_int(act, "at_ms"), buf));
		table_cell(t, cli_text(act, "who"));
		table_cell(t, cli_text(act, "method"));
		table_cell(t, cli_text(act, "result"));
		table_cell(t, cli_text(act, "params"));
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		cli_say(c, "nobody did anything\n");
	table_free(t);
	json_decref(r);
	return CLI_OK;
}
