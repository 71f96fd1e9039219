/* SPDX-License-Identifier: Apache-2.0
 *
 * Conference rooms: who is where, and what a moderator may do.
 */
#include <string.h>

#include "cli/cli.h"
#include "patchbay/rpc_client.h"

static void tell_members(struct cli *c, const json_t *room)
{
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(room, "members"), i, m) cli_say(
		c, "  %-16s call %s%s%s%s\n", cli_text(m, "party"), cli_id(c, cli_text(m, "call")),
		json_is_true(json_object_get(m, "muted")) ? ", muted" : "",
		json_is_true(json_object_get(m, "holds")) ? ", holds" : "",
		json_is_true(json_object_get(m, "leads")) ? ", leads the talk" : "");
}

int cli_conferences(struct cli *c)
{
	const json_t *room;
	json_t *r = NULL;
	size_t i;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "conferences", NULL, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		json_array_foreach(json_object_get(r, "conferences"), i, room)
		{
			cli_say(c, "%-16s %-8s %d of %d members%s\n", cli_text(room, "conference"),
				cli_text(room, "number"),
				(int)json_array_size(json_object_get(room, "members")),
				(int)json_integer_value(json_object_get(room, "members_max")),
				json_is_true(json_object_get(room, "locked")) ? ", locked" : "");
			tell_members(c, room);
		}
	}
	json_decref(r);
	return CLI_OK;
}

int cli_conference(struct cli *c)
{
	static const struct {
		const char *action;
		bool member;
		const char *done;
	} actions[] = {
		{"mute", true, "nobody hears"},
		{"unmute", true, "all hear"},
		{"add", true, "the phone rings:"},
		{"eject", true, "hung up:"},
		{"lock", false, "nobody comes in any more"},
		{"unlock", false, "it is open again"},
		{"end", false, "it is over"},
	};
	const char *room, *action, *member = NULL;
	json_t *r = NULL;
	size_t i = 0;
	int rc;

	if (!cli_need(c, "ROOM", &room) ||
	    !cli_need(c, "ACTION (add, mute, unmute, eject, lock, unlock or end)", &action))
		return CLI_USAGE;
	while (i < sizeof(actions) / sizeof(actions[0]) && strcmp(actions[i].action, action) != 0)
		i++;
	if (i == sizeof(actions) / sizeof(actions[0]))
		return cli_usage(c, "\"%s\" is none of add, mute, unmute, eject, lock, unlock, end",
				 action);
	if (actions[i].member && !cli_need(c, "MEMBER", &member))
		return CLI_USAGE;
	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "conference",
		     member != NULL ? json_pack("{s:s, s:s, s:s}", "conference", room, "action",
						action, "member", member)
				    : json_pack("{s:s, s:s}", "conference", room, "action", action),
		     &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "conference %s: %s%s%s\n", room, actions[i].done, member ? " " : "",
			member ? member : "");
	json_decref(r);
	return CLI_OK;
}
