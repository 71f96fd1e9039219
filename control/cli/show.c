/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands that look at calls, queues and agents.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"

/* A subcommand without arguments whose whole answer is one request. */
static int ask_plain(struct cli *c, enum cli_peer peer, const char *method, json_t **result)
{
	if (!cli_end(c))
		return CLI_USAGE;
	return cli_ask(c, peer, method, NULL, result);
}

static void done(struct table *t, struct cli *c, const char *nothing)
{
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		fprintf(c->out, "%s\n", nothing);
	table_free(t);
}

/* --- status --- */

static void status_alarms(struct cli *c, const json_t *s)
{
	const json_t *a;
	char buf[32];
	size_t i;

	json_array_foreach(json_object_get(s, "alarms"), i, a)
		cli_say(c, "ALARM       %s: %s (since %s)\n", cli_text(a, "area"),
			cli_text(a, "text"), cli_time(cli_int(a, "since_ms"), buf));
}

static void status_trunks(struct cli *c, const json_t *t)
{
	if (cli_int(t, "total") > 0)
		cli_say(c, "trunks      %" PRId64 ": %" PRId64 " up, %" PRId64 " down\n",
			cli_int(t, "total"), cli_int(t, "up"), cli_int(t, "down"));
}

static void status_acd(struct cli *c, const json_t *a)
{
	if (cli_int(a, "offers") > 0)
		cli_say(c,
			"acd         %" PRId64
			" offers, decided in %.1f ms (half), %.1f ms (99 %%), "
			"%.1f ms (longest)\n",
			cli_int(a, "offers"), (double)cli_int(a, "p50_us") / 1000,
			(double)cli_int(a, "p99_us") / 1000, (double)cli_int(a, "max_us") / 1000);
}

static void status_text(struct cli *c, const json_t *s)
{
	const json_t *e = json_object_get(s, "engine"), *sip = json_object_get(s, "sip"),
		     *calls = json_object_get(s, "calls"), *ag = json_object_get(s, "agents"),
		     *st = json_object_get(s, "store"), *f = json_object_get(s, "flow"),
		     *cf = json_object_get(s, "config"), *l;
	char buf[32];
	size_t i;

	cli_say(c, "patchbayd   %s, %s, up %s\n", cli_text(s, "version"),
		cli_true(s, "healthy") ? "healthy" : "NOT HEALTHY",
		cli_duration(cli_int(s, "uptime_ms"), buf));
	if (cli_true(e, "connected"))
		cli_say(c, "engine      %s, connected since %s\n", cli_text(e, "version"),
			cli_time(cli_int(e, "since_ms"), buf));
	else
		cli_say(c, "engine      NOT CONNECTED (%s)\n", cli_text(e, "socket"));
	if (json_is_object(json_object_get(s, "recorder")))
		cli_recorder(c, json_object_get(s, "recorder"));
	cli_say(c, "sip         %" PRId64 " phones registered;", cli_int(sip, "registered"));
	json_array_foreach(json_object_get(sip, "listen"), i, l)
	{
		cli_say(c, " %s:%s", cli_text(l, "transport"), cli_text(l, "address"));
		if (cli_int(l, "port") > 0)
			cli_say(c, ":%" PRId64, cli_int(l, "port"));
	}
	cli_say(c,
		"\ncalls       %" PRId64 " now, %" PRId64 " since the start, %" PRId64 " refused\n",
		cli_int(calls, "now"), cli_int(calls, "total"), cli_int(calls, "refused"));
	cli_say(c, "queues      %" PRId64 " callers wait\n",
		cli_int(json_object_get(s, "queues"), "waiting"));
	status_trunks(c, json_object_get(s, "trunks"));
	status_acd(c, json_object_get(s, "acd"));
	cli_say(c,
		"agents      %" PRId64 ": %" PRId64 " ready, %" PRId64 " talking, %" PRId64
		" wrapping up, %" PRId64 " not ready, %" PRId64 " signed out\n",
		cli_int(ag, "total"), cli_int(ag, "ready"), cli_int(ag, "talking"),
		cli_int(ag, "wrap_up"), cli_int(ag, "not_ready"), cli_int(ag, "signed_out"));
	if (json_is_object(st))
		cli_say(c,
			"database    %s: %s, %" PRId64 " rows written, %" PRId64
			" waiting, %" PRId64 " lost\n",
			cli_text(st, "file"), cli_text(st, "state"), cli_int(st, "written"),
			cli_int(st, "waiting"), cli_int(st, "dropped"));
	cli_say(c, "config      %s\n",
		cli_true(cf, "embedded") ? "built in" : cli_text(cf, "file"));
	cli_say(c, "flow        %s\n", cli_true(f, "embedded") ? "built in" : cli_text(f, "file"));
	status_alarms(c, s);
}

int cli_status(struct cli *c)
{
	json_t *s = NULL;
	int rc = ask_plain(c, CLI_DAEMON, "status", &s);

	if (rc != 0)
		return rc;
	if (!cli_json(c, s))
		status_text(c, s);
	rc = cli_true(s, "healthy") ? CLI_OK : CLI_REFUSED;
	json_decref(s);
	return rc;
}

/* --- calls --- */

int cli_calls(struct cli *c)
{
	json_t *r = NULL;
	const json_t *k;
	char buf[32];
	size_t i;
	int rc = ask_plain(c, CLI_DAEMON, "calls", &r);

	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		struct table *t = table_new();

		table_column(t, "CALL", TABLE_LEFT);
		table_column(t, "STATE", TABLE_LEFT);
		table_column(t, "FROM", TABLE_LEFT);
		table_column(t, "TO", TABLE_LEFT);
		table_column(t, "QUEUE", TABLE_LEFT);
		table_column(t, "AGENT", TABLE_LEFT);
		table_column(t, "LENGTH", TABLE_RIGHT);
		table_column(t, "RECORDED", TABLE_LEFT);
		table_column(t, "MONITORED", TABLE_LEFT);
		json_array_foreach(json_object_get(r, "calls"), i, k)
		{
			table_cell(t, cli_id(c, cli_text(k, "call")));
			table_cell(t, cli_text(k, "state"));
			table_cell(t, cli_text(k, "from"));
			table_cell(t, cli_text(k, "to"));
			table_cell(t, cli_text(k, "queue"));
			table_cell(t, cli_text(k, "agent"));
			table_cell(t, cli_duration(cli_int(k, "duration_ms"), buf));
			table_cell(t, cli_text(k, "recording_state"));
			table_cell(t, cli_text(k, "monitored"));
		}
		done(t, c, "no calls");
	}
	json_decref(r);
	return CLI_OK;
}

static void call_head(struct cli *c, const json_t *k)
{
	char a[32], b[32];
	const json_t *q = json_object_get(k, "quality"), *v;
	size_t i;

	cli_say(c, "call       %s (%s)\n", cli_text(k, "call"), cli_text(k, "kind"));
	cli_say(c, "from, to   %s -> %s\n", cli_text(k, "from"), cli_text(k, "to"));
	if (cli_text(k, "state")[0] != '\0')
		cli_say(c, "state      %s\n", cli_text(k, "state"));
	cli_say(c, "began      %s, %s long\n", cli_time(cli_int(k, "started_ms"), a),
		cli_duration(cli_int(k, "duration_ms"), b));
	if (cli_int(k, "ended_ms") > 0)
		cli_say(c, "ended      %s by %s: %s\n", cli_time(cli_int(k, "ended_ms"), a),
			cli_text(k, "hung_up_by"),
			cli_text(k, "cause_text")[0] != '\0' ? cli_text(k, "cause_text")
							     : cli_text(k, "cause"));
	if (cli_text(k, "queue")[0] != '\0')
		cli_say(c, "queue      %s\n", cli_text(k, "queue"));
	if (cli_text(k, "agent")[0] != '\0')
		cli_say(c, "agent      %s\n", cli_text(k, "agent"));
	cli_say(c, "waited     %s", cli_duration(cli_int(k, "wait_ms"), a));
	cli_say(c, ", talked %s", cli_duration(cli_int(k, "talk_ms"), a));
	cli_say(c, ", held %s\n", cli_duration(cli_int(k, "hold_ms"), a));
	if (json_array_size(json_object_get(k, "path")) > 0) {
		cli_say(c, "flow       %s%s", cli_text(k, "flow"),
			cli_text(k, "flow")[0] != '\0' ? ":" : "");
		json_array_foreach(json_object_get(k, "path"), i, v)
			cli_say(c, " %s", json_string_value(v) ? json_string_value(v) : "?");
		cli_say(c, "\n");
	}
	json_array_foreach(json_object_get(k, "recordings"), i, v)
		cli_say(c, "recording  %s\n", json_string_value(v) ? json_string_value(v) : "?");
	json_array_foreach(json_object_get(k, "notes"), i, v)
		cli_say(c, "note       %s: %s\n", cli_text(v, "key"), cli_text(v, "value"));
	if (cli_text(k, "not_recorded")[0] != '\0')
		cli_say(c, "recording  none: %s\n", cli_text(k, "not_recorded"));
	if (json_is_object(q))
		cli_say(c,
			"quality    loss %.2f %%, jitter %.1f ms, round trip %.0f ms, MOS %.1f\n",
			cli_real(q, "lost_share") * 100.0, cli_real(q, "jitter_ms"),
			cli_real(q, "rtt_ms"), cli_real(q, "mos"));
}

/* The suite of the media's encryption. */
static const char *encrypted(const json_t *leg)
{
	const char *suite = cli_text(leg, "srtp");

	return suite != NULL && suite[0] != '\0' ? suite : "no";
}

static void call_legs(struct cli *c, const json_t *k)
{
	struct table *t = table_new();
	const json_t *l;
	char buf[32], ended[80];
	size_t i;

	table_column(t, "ROLE", TABLE_LEFT);
	table_column(t, "PARTY", TABLE_LEFT);
	table_column(t, "STATE", TABLE_LEFT);
	table_column(t, "MEDIA", TABLE_LEFT);
	table_column(t, "CODEC", TABLE_LEFT);
	table_column(t, "ENCRYPTED", TABLE_LEFT);
	table_column(t, "REMOTE", TABLE_LEFT);
	table_column(t, "ANSWERED", TABLE_LEFT);
	table_column(t, "ENDED BY", TABLE_LEFT);
	table_column(t, "LEG", TABLE_LEFT);
	json_array_foreach(json_object_get(k, "legs"), i, l)
	{
		table_cell(t, cli_text(l, "role"));
		table_cell(t, cli_text(l, "party"));
		table_cell(t, cli_text(l, "state"));
		table_cell(t, cli_text(l, "direction"));
		table_cell(t, cli_text(l, "codec"));
		table_cell(t, encrypted(l));
		table_cell(t, cli_text(l, "remote"));
		table_cell(t, cli_time(cli_int(l, "answered_ms"), buf));
		snprintf(ended, sizeof(ended), "%s%s%s", cli_text(l, "ended_by"),
			 cli_text(l, "ended_text")[0] != '\0' ? ": " : "",
			 cli_text(l, "ended_text"));
		table_cell(t, ended);
		table_cell(t, cli_id(c, cli_text(l, "leg")));
	}
	if (table_rows(t) > 0) {
		fputc('\n', c->out);
		table_print(t, c->out);
	}
	table_free(t);
}

static void call_steps(struct cli *c, const json_t *k)
{
	struct table *t = table_new();
	const json_t *s;
	char buf[32];
	size_t i;

	table_column(t, "TIME", TABLE_LEFT);
	table_column(t, "AFTER", TABLE_RIGHT);
	table_column(t, "STEP", TABLE_LEFT);
	table_column(t, "DETAIL", TABLE_LEFT);
	json_array_foreach(json_object_get(k, "steps"), i, s)
	{
		table_cell(t, cli_time(cli_int(s, "at_ms"), buf));
		table_cellf(t, "%.1f s",
			    (double)(cli_int(s, "at_ms") - cli_int(k, "started_ms")) / 1000.0);
		table_cell(t, cli_text(s, "step"));
		table_cell(t, cli_text(s, "detail"));
	}
	if (table_rows(t) > 0) {
		fputc('\n', c->out);
		table_print(t, c->out);
	}
	table_free(t);
}

int cli_call(struct cli *c)
{
	const char *id;
	json_t *k = NULL;
	int rc;

	if (!cli_need(c, "CALL", &id) || !cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "call", json_pack("{s:s}", "call", id), &k);
	if (rc != 0)
		return rc;
	if (!cli_json(c, k)) {
		call_head(c, k);
		call_legs(c, k);
		cli_heard(c, json_object_get(k, "legs"));
		call_steps(c, k);
	}
	json_decref(k);
	return CLI_OK;
}

/* --- legs --- */

static const char *address(const json_t *l, const char *member, char *buf, size_t size)
{
	const json_t *a = json_object_get(l, member);

	if (json_is_string(a))
		return json_string_value(a);
	if (!json_is_object(a))
		return "";
	snprintf(buf, size, "%s:%d", cli_text(a, "ip"), (int)cli_int(a, "port"));
	return buf;
}

static void leg_row(struct cli *c, struct table *t, const json_t *l)
{
	const json_t *s = json_object_get(l, "stats");
	char buf[80];

	if (!json_is_object(s))
		s = l; /* the engine puts them into the row itself */
	table_cell(t, cli_id(c, cli_text(l, "leg")));
	table_cell(t, cli_id(c, cli_text(l, "call")));
	table_cell(t, cli_text(l, "role"));
	table_cell(t, cli_text(l, "party"));
	table_cell(t, cli_text(s, "codec"));
	table_cell(t, cli_text(s, "plan"));
	table_cell(t, address(s, "source", buf, sizeof(buf)));
	if (json_object_get(s, "packets_in") == NULL) {
		for (int i = 0; i < 6; i++)
			table_cell(t, NULL);
		return;
	}
	table_cellf(t, "%" PRId64, cli_int(s, "packets_in"));
	table_cellf(t, "%" PRId64, cli_int(s, "packets_out"));
	table_cellf(t, "%.2f %%", cli_real(s, "lost_share") * 100.0);
	table_cellf(t, "%.1f", cli_real(s, "jitter_ms"));
	if (json_is_number(json_object_get(s, "rtt_ms")))
		table_cellf(t, "%.1f", cli_real(s, "rtt_ms"));
	else
		table_cell(t, NULL);
	table_cellf(t, "%" PRId64, cli_int(s, "dropped"));
}

int cli_legs(struct cli *c)
{
	bool engine = cli_switch(c, "--engine");
	json_t *r = NULL;
	const json_t *l;
	size_t i;
	int rc = ask_plain(c, engine ? CLI_ENGINE : CLI_DAEMON, engine ? "stat.legs" : "legs", &r);

	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		static const char *const left[] = {"LEG",   "CALL", "ROLE",  "PARTY",
						   "CODEC", "PLAN", "SOURCE"};
		static const char *const right[] = {"IN",        "OUT",    "LOST",
						    "JITTER ms", "RTT ms", "DROPPED"};
		struct table *t = table_new();

		for (size_t k = 0; k < sizeof(left) / sizeof(left[0]); k++)
			table_column(t, left[k], TABLE_LEFT);
		for (size_t k = 0; k < sizeof(right) / sizeof(right[0]); k++)
			table_column(t, right[k], TABLE_RIGHT);
		json_array_foreach(json_object_get(r, "legs"), i, l) leg_row(c, t, l);
		done(t, c, "no legs");
	}
	json_decref(r);
	return CLI_OK;
}

/* --- queues, agents --- */

static void queue_callers(struct cli *c, const json_t *r)
{
	struct table *t = table_new();
	const json_t *q, *k;
	char buf[32];
	size_t i, n;

	table_column(t, "QUEUE", TABLE_LEFT);
	table_column(t, "POSITION", TABLE_RIGHT);
	table_column(t, "FROM", TABLE_LEFT);
	table_column(t, "WAITS", TABLE_RIGHT);
	table_column(t, "CALL", TABLE_LEFT);
	json_array_foreach(json_object_get(r, "queues"), i, q)
	{
		json_array_foreach(json_object_get(q, "callers"), n, k)
		{
			table_cell(t, cli_text(q, "queue"));
			table_cellf(t, "%" PRId64, cli_int(k, "position"));
			table_cell(t, cli_text(k, "from"));
			table_cell(t, cli_duration(cli_int(k, "wait_ms"), buf));
			table_cell(t, cli_id(c, cli_text(k, "call")));
		}
	}
	if (table_rows(t) > 0) {
		fputc('\n', c->out);
		table_print(t, c->out);
	}
	table_free(t);
}

/* "registered 0:59", or why it is down and when it is tried again. */
static void trunk_state(struct cli *c, struct table *t, const json_t *k)
{
	bool down = strcmp(cli_text(k, "state"), "down") == 0;
	char buf[32], again[32];

	(void)c;
	if (down)
		table_cellf(t, "DOWN: %s, again in %s", cli_text(k, "why"),
			    cli_duration(cli_int(k, "retry_s") * 1000, again));
	else if (cli_int(k, "registered_s") > 0)
		table_cellf(t, "up, registered for %s",
			    cli_duration(cli_int(k, "registered_s") * 1000, buf));
	else
		table_cell(t, cli_text(k, "state"));
}

int cli_trunks(struct cli *c)
{
	json_t *r = NULL;
	const json_t *k;
	size_t i;
	int rc = ask_plain(c, CLI_DAEMON, "trunks", &r);
	bool down = false;

	if (rc != 0)
		return rc;
	json_array_foreach(json_object_get(r, "trunks"), i, k) down =
		down || strcmp(cli_text(k, "state"), "down") == 0;
	if (!cli_json(c, r)) {
		struct table *t = table_new();

		table_column(t, "TRUNK", TABLE_LEFT);
		table_column(t, "HOST", TABLE_LEFT);
		table_column(t, "CALLS IN", TABLE_RIGHT);
		table_column(t, "CALLS OUT", TABLE_RIGHT);
		table_column(t, "FAILED", TABLE_RIGHT);
		table_column(t, "STATE", TABLE_LEFT);
		json_array_foreach(json_object_get(r, "trunks"), i, k)
		{
			table_cell(t, cli_text(k, "trunk"));
			table_cellf(t, "%s:%s:%" PRId64, cli_text(k, "transport"),
				    cli_text(k, "host"), cli_int(k, "port"));
			table_cellf(t, "%" PRId64, cli_int(k, "calls_in"));
			table_cellf(t, "%" PRId64, cli_int(k, "calls_out"));
			table_cellf(t, "%" PRId64, cli_int(k, "failures"));
			trunk_state(c, t, k);
		}
		done(t, c, "No trunks.");
	}
	json_decref(r);
	return down ? CLI_REFUSED : CLI_OK;
}

int cli_queues(struct cli *c)
{
	json_t *r = NULL;
	const json_t *q;
	char buf[32];
	size_t i;
	int rc = ask_plain(c, CLI_DAEMON, "queues", &r);

	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		static const char *const right[] = {
			"WAITING", "LONGEST",  "READY",     "TALKING", "ASSIGNED",
			"OFFERED", "ANSWERED", "ABANDONED", "IN TIME", "AVERAGE WAIT"};
		struct table *t = table_new();

		table_column(t, "QUEUE", TABLE_LEFT);
		for (size_t k = 0; k < sizeof(right) / sizeof(right[0]); k++)
			table_column(t, right[k], TABLE_RIGHT);
		json_array_foreach(json_object_get(r, "queues"), i, q)
		{
			const json_t *a = json_object_get(q, "agents");

			table_cellf(t, "%s%s", cli_text(q, "queue"),
				    json_is_true(json_object_get(q, "paused")) ? " (paused)" : "");
			table_cellf(t, "%" PRId64, cli_int(q, "waiting"));
			table_cell(t, cli_int(q, "waiting") > 0
					      ? cli_duration(cli_int(q, "longest_wait_ms"), buf)
					      : NULL);
			table_cellf(t, "%" PRId64, cli_int(a, "ready"));
			table_cellf(t, "%" PRId64, cli_int(a, "talking"));
			table_cellf(t, "%" PRId64, cli_int(a, "assigned"));
			table_cellf(t, "%" PRId64, cli_int(q, "offered"));
			table_cellf(t, "%" PRId64, cli_int(q, "answered"));
			table_cellf(t, "%" PRId64, cli_int(q, "abandoned"));
			if (cli_int(q, "answered") > 0)
				table_cellf(t, "%.0f %%",
					    cli_real(q, "answered_in_time_share") * 100.0);
			else
				table_cell(t, NULL);
			table_cell(t, cli_duration(cli_int(q, "average_wait_ms"), buf));
		}
		done(t, c, "no queues are configured");
		queue_callers(c, r);
	}
	json_decref(r);
	return CLI_OK;
}

static void joined(const json_t *list, char *out, size_t size)
{
	const json_t *v;
	size_t i, n = 0;

	out[0] = '\0';
	json_array_foreach(list, i, v)
	{
		const char *s = json_string_value(v);

		if (s != NULL && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", i > 0 ? " " : "", s);
	}
}

/* How long not ready today, and how long it may be. */
static const char *away_text(const json_t *line, char *out, size_t size)
{
	char used[32], budget[32];

	if (json_is_integer(json_object_get(line, "budget_ms")))
		snprintf(out, size, "%s/%s", cli_duration(cli_int(line, "used_ms"), used),
			 cli_duration(cli_int(line, "budget_ms"), budget));
	else
		snprintf(out, size, "%s", cli_duration(cli_int(line, "used_ms"), used));
	return out;
}

static const char *away_total(const json_t *a, char *out, size_t size)
{
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(a, "away"), i, line)
	{
		if (strcmp(cli_text(line, "reason"), "total") == 0)
			return away_text(line, out, size);
	}
	return "";
}

static void away_lines(struct cli *c, const json_t *a)
{
	const json_t *line;
	char text[80];
	size_t i;

	json_array_foreach(json_object_get(a, "away"), i, line)
	{
		const char *reason = cli_text(line, "reason");

		cli_say(c, "not ready today: %s %s\n", reason[0] != '\0' ? reason : "(no reason)",
			away_text(line, text, sizeof(text)));
	}
}

static void agent_row(struct cli *c, struct table *t, const json_t *a)
{
	char buf[256], since[80];
	int64_t since_ms = cli_int(a, "since_ms");

	table_cell(t, cli_text(a, "agent"));
	table_cell(t, cli_text(a, "name"));
	table_cell(t, cli_text(a, "state"));
	table_cell(t, cli_text(a, "reason"));
	table_cell(t, cli_time(since_ms, since));
	table_cell(t, cli_text(a, "remote")[0] != '\0' ? cli_text(a, "remote")
		      : cli_true(a, "registered")      ? "yes"
						       : "no");
	table_cell(t, cli_id(c, cli_text(a, "call")));
	table_cellf(t, "%" PRId64, cli_int(a, "answered"));
	table_cellf(t, "%" PRId64, cli_int(a, "missed"));
	table_cell(t, away_total(a, since, sizeof(since)));
	joined(json_object_get(a, "queues"), buf, sizeof(buf));
	table_cell(t, strcmp(cli_text(a, "role"), "supervisor") == 0 && buf[0] == '\0'
			      ? "(supervisor)"
			      : buf);
}

/* All agents, or the one. Returns how many there were. */
static size_t agent_table(struct cli *c, const json_t *r, const char *only)
{
	static const char *const left[] = {"AGENT", "NAME",  "STATE", "REASON",
					   "SINCE", "PHONE", "CALL"};
	struct table *t = table_new();
	const json_t *a;
	size_t i, n;

	for (size_t k = 0; k < sizeof(left) / sizeof(left[0]); k++)
		table_column(t, left[k], TABLE_LEFT);
	table_column(t, "ANSWERED", TABLE_RIGHT);
	table_column(t, "MISSED", TABLE_RIGHT);
	table_column(t, "AWAY TODAY", TABLE_RIGHT);
	table_column(t, "QUEUES", TABLE_LEFT);
	json_array_foreach(json_object_get(r, "agents"), i,
			   a) if (only == NULL || strcmp(cli_text(a, "agent"), only) == 0)
		agent_row(c, t, a);
	n = table_rows(t);
	if (n > 0 || only == NULL)
		done(t, c, "no agents are configured");
	else
		table_free(t);
	return n;
}

static const char *const states[] = {"sign-in",      "sign-out", "ready",  "not-ready",
				     "wrap-up-done", "dnd-on",   "dnd-off"};

/* AGENT STATE [REASON] */
static int agent_queue(struct cli *c, const char *agent)
{
	const char *queue, *text;
	json_t *r = NULL;
	int level, rc;

	if (!cli_need(c, "QUEUE", &queue) || !cli_need(c, "LEVEL or off", &text) || !cli_end(c))
		return CLI_USAGE;
	level = strcmp(text, "off") == 0 ? 0 : text[1] == '\0' ? text[0] - '0' : -1;
	if (level < 0 || level > 9 || (level == 0 && text[0] == '0'))
		return cli_usage(c, "\"%s\" is not a level from 1 to 9, or off", text);
	rc = cli_ask(c, CLI_DAEMON, "agent.queue",
		     json_pack("{s:s, s:s, s:i}", "agent", agent, "queue", queue, "level", level),
		     &r);
	if (rc != 0)
		return rc;
	if (cli_json(c, r))
		;
	else if (level > 0)
		cli_say(c, "agent %s serves %s at level %d\n", agent, queue, level);
	else
		cli_say(c, "agent %s does not serve %s\n", agent, queue);
	json_decref(r);
	return CLI_OK;
}

static int agent_set(struct cli *c, const char *agent)
{
	const char *state, *reason, *phone;
	char word[32];
	json_t *r = NULL;
	size_t i = 0;
	int rc;

	if (!cli_option(c, "--at", &phone) || !cli_need(c, "STATE", &state))
		return CLI_USAGE;
	if (strcmp(state, "queue") == 0)
		return agent_queue(c, agent);
	reason = cli_word(c);
	if (!cli_end(c))
		return CLI_USAGE;
	snprintf(word, sizeof(word), "%.31s", state);
	for (char *p = word; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	while (i < sizeof(states) / sizeof(states[0]) && strcmp(states[i], word) != 0)
		i++;
	if (i == sizeof(states) / sizeof(states[0]))
		return cli_usage(
			c,
			"\"%s\" is none of sign-in, sign-out, ready, not-ready, wrap-up-done, "
			"dnd-on, dnd-off",
			state);
	for (char *p = word; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	rc = cli_ask(c, CLI_DAEMON, "agent.set",
		     json_pack("{s:s, s:s, s:s*, s:s*}", "agent", agent, "state", word, "reason",
			       reason, "phone", phone),
		     &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		cli_say(c, "agent %s is %s%s%s\n", cli_text(r, "agent"), cli_text(r, "state"),
			cli_text(r, "reason")[0] != '\0' ? ": " : "", cli_text(r, "reason"));
	json_decref(r);
	return CLI_OK;
}

int cli_agents(struct cli *c)
{
	const char *verb = cli_word(c), *agent;
	json_t *r = NULL;
	int rc;

	if (verb != NULL && strcmp(verb, "set") == 0)
		return cli_need(c, "AGENT", &agent) ? agent_set(c, agent) : CLI_USAGE;
	if (verb != NULL)
		return cli_usage(c, "what is \"%s\" here?", verb);
	rc = ask_plain(c, CLI_DAEMON, "agents", &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		agent_table(c, r, NULL);
	json_decref(r);
	return CLI_OK;
}

int cli_agent(struct cli *c)
{
	const char *agent;
	json_t *r = NULL;
	const json_t *a;
	size_t i;
	int rc;

	if (!cli_need(c, "AGENT, log or conduct", &agent))
		return CLI_USAGE;
	if (strcmp(agent, "log") == 0)
		return cli_agent_log(c);
	if (strcmp(agent, "conduct") == 0)
		return cli_agent_conduct(c);
	if (c->words > 0)
		return agent_set(c, agent);
	rc = cli_ask(c, CLI_DAEMON, "agents", NULL, &r);
	if (rc != 0)
		return rc;
	rc = CLI_REFUSED;
	json_array_foreach(json_object_get(r, "agents"), i,
			   a) if (strcmp(cli_text(a, "agent"), agent) == 0)
	{
		rc = CLI_OK;
		if (cli_json(c, a))
			break;
		agent_table(c, r, agent);
		cli_say(c, "phone: %s\n", cli_text(a, "contact"));
		away_lines(c, a);
	}
	if (rc != CLI_OK)
		fprintf(c->err, "patchbay: there is no agent %s; `patchbay agents` lists them\n",
			agent);
	json_decref(r);
	return rc;
}
