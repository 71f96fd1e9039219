/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands of parking places.
 */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/table.h"

int cli_park(struct cli *c)
{
	const char *call, *place;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "CALL", &call))
		return CLI_USAGE;
	place = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "park", json_pack("{s:s, s:s*}", "call", call, "slot", place),
		     &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "call %s is parked at %s\n", cli_id(c, cli_text(r, "call")),
			cli_text(r, "slot"));
	json_decref(r);
	return CLI_OK;
}

int cli_unpark(struct cli *c)
{
	const char *place, *to;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "PLACE", &place) || !cli_need(c, "AGENT", &to) || !cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "unpark", json_pack("{s:s, s:s}", "slot", place, "to", to), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "the phone of %s rings for who is parked at %s\n", cli_text(r, "to"),
			cli_text(r, "slot"));
	json_decref(r);
	return CLI_OK;
}

int cli_parked(struct cli *c)
{
	struct table *t;
	json_t *r = NULL;
	const json_t *p;
	char buf[32];
	size_t i;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "parked", NULL, &r);
	if (rc != 0)
		return rc;
	if (cli_json(c, r)) {
		json_decref(r);
		return CLI_OK;
	}
	t = table_new();
	table_column(t, "PLACE", TABLE_LEFT);
	table_column(t, "FROM", TABLE_LEFT);
	table_column(t, "PARKED BY", TABLE_LEFT);
	table_column(t, "SINCE", TABLE_LEFT);
	table_column(t, "RINGS IN", TABLE_RIGHT);
	table_column(t, "CALL", TABLE_LEFT);
	json_array_foreach(json_object_get(r, "parked"), i, p)
	{
		table_cell(t, cli_text(p, "slot"));
		table_cell(t, cli_text(p, "from"));
		table_cell(t, cli_text(p, "by"));
		table_cell(t, cli_time(cli_int(p, "since_ms"), buf));
		table_cell(t, cli_duration(cli_int(p, "timeout_ms"), buf));
		table_cell(t, cli_id(c, cli_text(p, "call")));
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		cli_say(c, "nobody is parked\n");
	table_free(t);
	json_decref(r);
	return CLI_OK;
}
