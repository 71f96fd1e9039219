/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommand that stays: events.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "patchbay/rpc_client.h"

/* --- events --- */

struct follower {
	struct cli *c;
	const char *type;
};

static void print_members(struct cli *c, const json_t *params)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)params, key, v)
	{
		if (strcmp(key, "seq") == 0 || strcmp(key, "time_ms") == 0 ||
		    strcmp(key, "type") == 0 || json_is_null(v) ||
		    (json_is_string(v) && json_string_length(v) == 0))
			continue;
		if (json_is_string(v)) {
			cli_say(c, " %s=%s", key, json_string_value(v));
			continue;
		}

		char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

		cli_say(c, " %s=%s", key, text != NULL ? text : "?");
		free(text);
	}
}

static void on_event(void *arg, const json_t *params)
{
	const struct follower *f = arg;
	char buf[32];

	if (f->type != NULL && strcmp(cli_text(params, "type"), f->type) != 0)
		return;
	if (f->c->json) {
		json_dumpf(params, f->c->out, JSON_COMPACT);
	} else {
		cli_say(f->c, "%s %" PRId64 " %s", cli_time(cli_int(params, "time_ms"), buf),
			cli_int(params, "seq"), cli_text(params, "type"));
		print_members(f->c, params);
	}
	fputc('\n', f->c->out);
	fflush(f->c->out);
}

int cli_events(struct cli *c)
{
	enum cli_peer peer = cli_switch(c, "--engine") ? CLI_ENGINE : CLI_DAEMON;
	struct follower f = {.c = c};
	struct rpc_client *client;
	const char *after, *count;
	int64_t seq = 0, left = -1;
	json_t *params = json_object();
	int rc = CLI_USAGE;

	if (!cli_option(c, "--after", &after) || !cli_option(c, "--type", &f.type) ||
	    !cli_option(c, "--seconds", &count) || !cli_end(c) ||
	    (after != NULL && !cli_number(c, "--after", after, 0, INT64_MAX, &seq)) ||
	    (count != NULL && !cli_number(c, "--seconds", count, 0, 86400, &left)))
		goto out;
	if (after != NULL)
		json_object_set_new(params, "after", json_integer(seq));
	rc = cli_connect(c, peer, &client);
	if (rc != 0)
		goto out;
	rpc_client_on_event(client, on_event, &f);
	rc = cli_request(c, client, "subscribe", json_incref(params), NULL);

	time_t until = left >= 0 ? time(NULL) + (time_t)left : 0;

	while (rc == 0 && (until == 0 || time(NULL) < until)) {
		rc = rpc_client_wait(client, until != 0 ? 200 : -1);
		if (rc != 0) {
			fprintf(c->err, "patchbay: %s has gone: %s\n",
				peer == CLI_DAEMON ? "patchbayd" : "patchbay-engine",
				strerror(-rc));
			rc = CLI_UNREACHABLE;
		}
	}
	rpc_client_close(client);
out:
	json_decref(params);
	return rc;
}
