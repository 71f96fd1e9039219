/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands that change something for a call, and the shell's completion.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "patchbay/rpc_client.h"

int cli_queue(struct cli *c)
{
	const char *queue, *action;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "QUEUE", &queue) || !cli_need(c, "pause or resume", &action) ||
	    !cli_end(c))
		return CLI_USAGE;
	if (strcmp(action, "pause") != 0 && strcmp(action, "resume") != 0)
		return cli_usage(c, "\"%s\" is neither pause nor resume", action);
	rc = cli_ask(c, CLI_DAEMON, "queue.set",
		     json_pack("{s:s, s:b}", "queue", queue, "paused", action[0] == 'p'), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "queue %s %s\n", queue,
			action[0] == 'p' ? "is paused: its callers wait" : "offers calls again");
	json_decref(r);
	return CLI_OK;
}

int cli_move(struct cli *c)
{
	const char *call, *queue;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "CALL", &call) || !cli_need(c, "QUEUE", &queue) || !cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "queue.move",
		     json_pack("{s:s, s:s}", "call", call, "queue", queue), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "call %s waits in queue %s\n", cli_id(c, cli_text(r, "call")), queue);
	json_decref(r);
	return CLI_OK;
}

int cli_monitor(struct cli *c)
{
	static const char *const modes[] = {"listen", "whisper", "coach", "barge", "off"};
	const char *by, *mode, *call;
	json_t *r = NULL;
	size_t i = 0;
	int rc;

	if (!cli_option(c, "--by", &by) || !cli_option(c, "--mode", &mode) ||
	    !cli_need(c, "CALL", &call) || !cli_end(c))
		return CLI_USAGE;
	if (by == NULL)
		return cli_usage(c, "--by SUPERVISOR is missing");
	if (mode == NULL)
		mode = "listen";
	while (i < sizeof(modes) / sizeof(modes[0]) && strcmp(modes[i], mode) != 0)
		i++;
	if (i == sizeof(modes) / sizeof(modes[0]))
		return cli_usage(c, "--mode \"%s\" is none of listen, whisper, coach, barge, off",
				 mode);
	rc = cli_ask(c, CLI_DAEMON, "monitor",
		     json_pack("{s:s, s:s, s:s}", "call", call, "by", by, "mode", mode), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		const char *state = cli_text(r, "state");

		if (strcmp(state, "ringing") == 0)
			cli_say(c, "the phone of %s rings; it joins call %s when it answers (%s)\n",
				by, cli_id(c, cli_text(r, "call")), mode);
		else if (strcmp(state, "off") == 0)
			cli_say(c, "%s has left call %s\n", by, cli_id(c, cli_text(r, "call")));
		else
			cli_say(c, "%s is in call %s: %s\n", by, cli_id(c, cli_text(r, "call")),
				mode);
	}
	json_decref(r);
	return CLI_OK;
}

int cli_record(struct cli *c)
{
	static const char *const actions[] = {"start", "stop",   "pause", "resume",
					      "mask",  "unmask", "refuse"};
	const char *call, *action, *by;
	json_t *r = NULL;
	size_t i = 0;
	int rc;

	if (!cli_option(c, "--by", &by) || !cli_need(c, "CALL", &call) ||
	    !cli_need(c, "ACTION (start, stop, pause, resume, mask, unmask or refuse)", &action) ||
	    !cli_end(c))
		return CLI_USAGE;
	while (i < sizeof(actions) / sizeof(actions[0]) && strcmp(actions[i], action) != 0)
		i++;
	if (i == sizeof(actions) / sizeof(actions[0]))
		return cli_usage(
			c, "\"%s\" is none of start, stop, pause, resume, mask, unmask, refuse",
			action);
	rc = cli_ask(c, CLI_DAEMON, "record",
		     json_pack("{s:s, s:s, s:s}", "call", call, "action", action, "by",
			       by ? by : "operator"),
		     &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "recording of call %s: %s\n", cli_id(c, cli_text(r, "call")),
			cli_text(r, "state"));
	json_decref(r);
	return CLI_OK;
}

int cli_hangup(struct cli *c)
{
	const char *call;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "CALL", &call) || !cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "hangup", json_pack("{s:s}", "call", call), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "call %s is ended\n", cli_id(c, cli_text(r, "call")));
	json_decref(r);
	return CLI_OK;
}

int cli_voicemail(struct cli *c)
{
	bool no = cli_switch(c, "--no");
	const char *verb, *recording;
	json_t *r = NULL;
	int rc;

	if (!cli_need(c, "heard", &verb))
		return CLI_USAGE;
	if (strcmp(verb, "heard") != 0)
		return cli_usage(c, "what is \"%s\" here?", verb);
	if (!cli_need(c, "REC", &recording) || !cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "voicemail.heard",
		     json_pack("{s:s, s:b}", "recording", recording, "heard", !no), &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "%s is marked as %s\n", recording, no ? "not heard" : "heard");
	json_decref(r);
	return CLI_OK;
}

/* --- completion --- */

static int words_of(struct cli *c, const char *method, const char *list, const char *member)
{
	FILE *err = c->err;
	json_t *r = NULL;
	const json_t *row;
	size_t i;

	/* A shell that completes wants words or nothing, and soon. */
	c->timeout_ms = 500;
	c->err = fopen("/dev/null", "w");
	if (c->err == NULL)
		c->err = err;
	int rc = cli_ask(c, CLI_DAEMON, method, NULL, &r);

	if (c->err != err)
		fclose(c->err);
	c->err = err;
	if (rc != 0)
		return CLI_OK;
	json_array_foreach(json_object_get(r, list), i, row)
		cli_say(c, "%s\n", cli_id(c, cli_text(row, member)));
	json_decref(r);
	return CLI_OK;
}

int cli_completion(struct cli *c)
{
	const char *what;

	if (!cli_need(c, "commands, calls, agents or queues", &what) || !cli_end(c))
		return CLI_USAGE;
	if (strcmp(what, "commands") == 0) {
		for (const struct cli_command *k = cli_commands(); k->name != NULL; k++)
			fprintf(c->out, "%s\n", k->name);
		return CLI_OK;
	}
	if (strcmp(what, "calls") == 0)
		return words_of(c, "calls", "calls", "call");
	if (strcmp(what, "agents") == 0)
		return words_of(c, "agents", "agents", "agent");
	if (strcmp(what, "queues") == 0)
		return words_of(c, "queues", "queues", "queue");
	return cli_usage(c, "\"%s\" is none of commands, calls, agents, queues", what);
}
