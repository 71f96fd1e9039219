/* SPDX-License-Identifier: Apache-2.0
 *
 * callbacks, callback: who is to be called back.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/table.h"

static const char *when(int64_t ms, char buf[32])
{
	return ms != 0 ? cli_time(ms, buf) : NULL;
}

int cli_callbacks(struct cli *c)
{
	struct table *t;
	json_t *r = NULL;
	const json_t *p;
	char buf[32];
	size_t i;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "callbacks", NULL, &r);
	if (rc != 0)
		return rc;
	if (cli_json(c, r)) {
		json_decref(r);
		return CLI_OK;
	}
	t = table_new();
	table_column(t, "NUMBER", TABLE_LEFT);
	table_column(t, "QUEUE", TABLE_LEFT);
	table_column(t, "STATE", TABLE_LEFT);
	table_column(t, "AGENT", TABLE_LEFT);
	table_column(t, "TRIES", TABLE_RIGHT);
	table_column(t, "PROMISED", TABLE_LEFT);
	table_column(t, "NOT BEFORE", TABLE_LEFT);
	table_column(t, "CALL", TABLE_LEFT);
	json_array_foreach(json_object_get(r, "callbacks"), i, p)
	{
		table_cell(t, cli_text(p, "number"));
		table_cell(t, cli_text(p, "queue"));
		table_cell(t, cli_text(p, "state"));
		table_cell(t, cli_text(p, "agent"));
		table_cellf(t, "%" PRId64 " of %" PRId64, cli_int(p, "tries"),
			    cli_int(p, "tries_max"));
		table_cell(t, cli_time(cli_int(p, "promised_ms"), buf));
		table_cell(t, when(cli_int(p, "due_ms"), buf));
		table_cell(t, cli_id(c, cli_text(p, "call")));
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		cli_say(c, "nobody is to be called back\n");
	table_free(t);
	json_decref(r);
	return CLI_OK;
}

static int add(struct cli *c)
{
	const char *queue, *number, *at;
	int64_t at_ms = 0, now_ms = (int64_t)time(NULL) * 1000;
	json_t *p, *r = NULL;
	int rc;

	if (!cli_option(c, "--at", &at) || !cli_need(c, "QUEUE", &queue) ||
	    !cli_need(c, "NUMBER", &number) || !cli_end(c) ||
	    (at != NULL && !cli_since(c, "--at", at, &at_ms)))
		return CLI_USAGE;
	if (at != NULL && strchr(at, '-') == NULL)
		at_ms = 2 * now_ms - at_ms; /* in so long, not ago */
	if (at != NULL && at_ms < now_ms - 60000)
		return cli_usage(c, "--at %s is over", at);
	p = json_pack("{s:s,s:s}", "queue", queue, "number", number);
	if (at != NULL)
		json_object_set_new(p, "at_ms", json_integer(at_ms));
	rc = cli_ask(c, CLI_DAEMON, "callback.add", p, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "%s is called back by %s (call %s)\n", cli_text(r, "number"),
			cli_text(r, "queue"), cli_id(c, cli_text(r, "call")));
	json_decref(r);
	return CLI_OK;
}

static int dial(struct cli *c)
{
	const char *call;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "CALL", &call) || !cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "callback.dial", json_pack("{s:s}", "call", call), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "call %s is dialled\n", cli_id(c, cli_text(r, "call")));
	json_decref(r);
	return CLI_OK;
}

int cli_callback(struct cli *c)
{
	const char *what;

	if (!cli_need(c, "add or dial", &what))
		return CLI_USAGE;
	if (strcmp(what, "add") == 0)
		return add(c);
	if (strcmp(what, "dial") == 0)
		return dial(c);
	return cli_usage(c, "\"%s\" is none of add, dial", what);
}
