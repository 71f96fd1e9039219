/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands that stay: events and top.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* --- top --- */

struct sample {
	double at_s;
	int64_t received, sent, bytes;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sample sample_of(const json_t *engine)
{
	struct sample s = {.at_s = now_s()};
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(engine, "workers"), i, w)
	{
		s.received += cli_int(w, "received");
		s.sent += cli_int(w, "sent");
	}
	s.bytes = cli_int(json_object_get(engine, "recorder"), "bytes_written");
	return s;
}

static void rates(struct cli *c, const struct sample *a, const struct sample *b)
{
	double s = b->at_s - a->at_s;
	char x[32], y[32], z[32];

	if (s <= 0.0)
		return;
	cli_say(c, "packets in %s/s, out %s/s; recorded %sB/s\n",
		cli_amount((double)(b->received - a->received) / s, x),
		cli_amount((double)(b->sent - a->sent) / s, y),
		cli_amount((double)(b->bytes - a->bytes) / s, z));
}

static void top_workers(struct cli *c, const json_t *engine)
{
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(engine, "workers"), i, w)
	{
		double busy = cli_real(w, "busy_share");

		cli_say(c, "worker %" PRId64 "  %5.1f %% [", cli_int(w, "worker"), busy * 100.0);
		for (int k = 0; k < 40; k++)
			fputc(k < (int)(busy * 40.0 + 0.5) ? '#' : ' ', c->out);
		cli_say(c, "] %" PRId64 " calls, %" PRId64 " legs\n", cli_int(w, "calls"),
			cli_int(w, "legs"));
	}
}

/* Once; `from` and `to` are samples of the engine. */
static int top_once(struct cli *c, struct sample *from, bool first, bool screen)
{
	json_t *engine = NULL, *status = NULL;
	int rc = cli_ask(c, CLI_ENGINE, "stat.engine", NULL, &engine);

	if (rc != 0)
		return rc;

	struct sample now = sample_of(engine);

	if (screen)
		fputs("\033[H\033[2J", c->out);
	if (first)
		cli_say(c, "packets: one moment\n");
	else
		rates(c, from, &now);
	*from = now;
	top_workers(c, engine);
	json_decref(engine);
	rc = cli_ask(c, CLI_DAEMON, "status", NULL, &status);
	if (rc == 0) {
		const json_t *ag = json_object_get(status, "agents");

		cli_say(c,
			"%s; %" PRId64 " calls, %" PRId64 " wait; agents: %" PRId64
			" ready, %" PRId64 " talking, %" PRId64 " wrapping up\n",
			cli_true(status, "healthy") ? "healthy" : "NOT HEALTHY",
			cli_int(json_object_get(status, "calls"), "now"),
			cli_int(json_object_get(status, "queues"), "waiting"), cli_int(ag, "ready"),
			cli_int(ag, "talking"), cli_int(ag, "wrap_up"));
		json_decref(status);
	}
	fputc('\n', c->out);
	fflush(c->out);
	return CLI_OK;
}

int cli_top(struct cli *c)
{
	const char *interval, *count;
	int64_t seconds = 1, left = -1;
	struct sample from = {0};
	bool screen, json = c->json;
	int rc = CLI_OK;

	if (!cli_option(c, "--interval", &interval) || !cli_option(c, "--count", &count) ||
	    !cli_end(c) ||
	    (interval != NULL && !cli_number(c, "--interval", interval, 1, 3600, &seconds)) ||
	    (count != NULL && !cli_number(c, "--count", count, 1, INT32_MAX, &left)))
		return CLI_USAGE;
	if (json)
		return cli_usage(c, "top is for eyes; `patchbay engine --json` has the numbers");
	screen = left < 0 && isatty(fileno(c->out));
	for (bool first = true; rc == CLI_OK && left != 0; first = false) {
		rc = top_once(c, &from, first, screen);
		if (left > 0)
			left--;
		if (rc == CLI_OK && left != 0)
			sleep((unsigned)seconds);
	}
	return rc;
}
