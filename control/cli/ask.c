/* SPDX-License-Identifier: Apache-2.0
 *
 * The way to patchbayd and the engine, and what is said when it is barred.
 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "patchbay/rpc_client.h"

static const char *peer_name(enum cli_peer peer)
{
	return peer == CLI_DAEMON ? "patchbayd" : "patchbay-engine";
}

static const char *peer_path(const struct cli *c, enum cli_peer peer)
{
	return peer == CLI_DAEMON ? c->control_socket : c->engine_socket;
}

static const char *peer_option(enum cli_peer peer)
{
	return peer == CLI_DAEMON ? "--socket" : "--engine-socket";
}

static int unreachable(struct cli *c, enum cli_peer peer, int err)
{
	const char *name = peer_name(peer), *path = peer_path(c, peer);

	fprintf(c->err, "patchbay: cannot reach %s at %s: %s\n", name, path, strerror(-err));
	if (err == -ENOENT || err == -ECONNREFUSED)
		fprintf(c->err,
			"Is it running? Start it with `systemctl start %s` (or `%s`), or name its "
			"socket "
			"with %s PATH.\n",
			name, name, peer_option(peer));
	else if (err == -EACCES || err == -EPIPE)
		fprintf(c->err,
			"You must be root, its own user or in the group of the socket: ls -l %s\n",
			path);
	else if (err == -ETIMEDOUT)
		fprintf(c->err, "It did not answer within %u ms (--timeout SECONDS allows more).\n",
			c->timeout_ms);
	return CLI_UNREACHABLE;
}

static void print_problems(struct cli *c, const json_t *data)
{
	json_t *list = json_object_get(data, "problems"), *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		char *text = table_clean(cli_text(p, "message")),
		     *file = table_clean(cli_text(p, "file"));

		fprintf(c->err, "%s:%d:%d: %s: %s\n", file, (int)cli_int(p, "line"),
			(int)cli_int(p, "column"), cli_text(p, "severity"), text);
		free(text);
		free(file);
	}
}

/* Put the end of a request into words. */
static int told(struct cli *c, enum cli_peer peer, int rc, struct rpc_error *err)
{
	if (rc == 0)
		return 0;
	if (rc != -EREMOTEIO)
		return unreachable(c, peer, rc);

	char *text = table_clean(err->message);

	fprintf(c->err, "patchbay: %s\n", text);
	free(text);
	print_problems(c, err->data);
	if (c->json) { /* a script finds the reason where it looks for the answer */
		json_t *j = json_pack(
			"{s:{s:i, s:s, s:s, s:O?}}", "error", "code", err->code, "reason",
			err->reason < RPC_REASON_COUNT ? rpc_reason_word(err->reason) : "other",
			"message", err->message, "data", err->data);

		cli_json(c, j);
		json_decref(j);
	}
	rpc_error_clear(err);
	return CLI_REFUSED;
}

int cli_connect(struct cli *c, enum cli_peer peer, struct rpc_client **client)
{
	struct rpc_error err = {0};
	int rc = rpc_client_open(client, peer_path(c, peer));

	if (rc != 0)
		return unreachable(c, peer, rc);
	rc = told(c, peer, rpc_client_hello(*client, 1, "patchbay", c->timeout_ms, NULL, &err),
		  &err);
	if (rc != 0)
		rpc_client_close(*client);
	return rc;
}

int cli_request(struct cli *c, struct rpc_client *client, const char *method, json_t *params,
		json_t **result)
{
	struct rpc_error err = {0};

	return told(c, CLI_DAEMON,
		    rpc_client_call(client, method, params, c->timeout_ms, result, &err), &err);
}

int cli_ask(struct cli *c, enum cli_peer peer, const char *method, json_t *params, json_t **result)
{
	struct rpc_client *client;
	struct rpc_error err = {0};
	int rc = cli_connect(c, peer, &client);

	if (rc != 0) {
		json_decref(params);
		return rc;
	}
	rc = told(c, peer, rpc_client_call(client, method, params, c->timeout_ms, result, &err),
		  &err);
	rpc_client_close(client);
	return rc;
}
