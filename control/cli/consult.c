/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfers, and what comes of a consultation.
 */
#include <string.h>

#include "cli/cli.h"
#include "patchbay/rpc_client.h"

int cli_transfer(struct cli *c)
{
	bool attended = cli_switch(c, "--attended"), blind = cli_switch(c, "--blind");
	const char *to, *call, *by;
	json_t *params, *r = NULL;
	int rc;

	if (!cli_option(c, "--to", &to) || !cli_option(c, "--by", &by) ||
	    !cli_need(c, "CALL", &call))
		return CLI_USAGE;
	if (to == NULL)
		to = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	if (to == NULL)
		return cli_usage(c, "--to NUMBER is missing");
	if (attended && blind)
		return cli_usage(c, "--attended or --blind, not both");
	if (by != NULL && !attended)
		return cli_usage(c, "--by AGENT belongs to --attended");
	params = json_pack("{s:s, s:s, s:s}", "call", call, "to", to, "mode",
			   attended ? "attended" : "blind");
	if (by != NULL)
		json_object_set_new(params, "by", json_string(by));
	rc = cli_ask(c, CLI_DAEMON, "transfer", params, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r) && attended)
		cli_say(c,
			"%s rings, the caller waits; then `patchbay consult %s "
			"complete|cancel|conference`\n",
			cli_text(r, "to"), cli_id(c, cli_text(r, "call")));
	else if (!c->json)
		cli_say(c, "call %s goes to %s\n", cli_id(c, cli_text(r, "call")),
			cli_text(r, "to"));
	json_decref(r);
	return CLI_OK;
}

int cli_consult(struct cli *c)
{
	static const struct {
		const char *action, *done;
	} actions[] = {
		{"complete", "call %s goes on with who was asked\n"},
		{"cancel", "call %s is with its agent again\n"},
		{"conference", "call %s: all three hear each other\n"},
	};
	const char *call, *action;
	json_t *r = NULL;
	size_t i = 0;
	int rc;

	if (!cli_need(c, "CALL", &call) ||
	    !cli_need(c, "complete, cancel or conference", &action) || !cli_end(c))
		return CLI_USAGE;
	while (i < sizeof(actions) / sizeof(actions[0]) && strcmp(actions[i].action, action) != 0)
		i++;
	if (i == sizeof(actions) / sizeof(actions[0]))
		return cli_usage(c, "\"%s\" is none of complete, cancel, conference", action);
	rc = cli_ask(c, CLI_DAEMON, "consult",
		     json_pack("{s:s, s:s}", "call", call, "action", action), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, actions[i].done, cli_id(c, cli_text(r, "call")));
	json_decref(r);
	return CLI_OK;
}
