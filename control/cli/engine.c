/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands that ask the engine itself.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"

/* --- drops --- */

int cli_drops(struct cli *c)
{
	bool all = cli_switch(c, "--all");
	json_t *r = NULL;
	const json_t *f;
	int64_t received, dropped = 0;
	size_t i;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_ENGINE, "stat.drops", NULL, &r);
	if (rc != 0)
		return rc;
	if (cli_json(c, r)) {
		json_decref(r);
		return CLI_OK;
	}
	received = cli_int(r, "received");

	struct table *t = table_new();

	table_column(t, "PACKETS", TABLE_RIGHT);
	table_column(t, "SHARE", TABLE_RIGHT);
	table_column(t, "FATE", TABLE_LEFT);
	table_column(t, "", TABLE_LEFT);
	table_column(t, "WHAT IT MEANS", TABLE_LEFT);
	json_array_foreach(json_object_get(r, "fates"), i, f)
	{
		int64_t n = cli_int(f, "count");

		if (cli_true(f, "drop"))
			dropped += n;
		if (n == 0 && !all)
			continue;
		table_cellf(t, "%" PRId64, n);
		table_cellf(t, "%.3f %%",
			    received > 0 ? 100.0 * (double)n / (double)received : 0.0);
		table_cell(t, cli_text(f, "name"));
		table_cell(t, cli_true(f, "drop") ? "dropped" : "used");
		table_cell(t, cli_text(f, "text"));
	}
	if (table_rows(t) > 0) {
		table_print(t, c->out);
		fputc('\n', c->out);
	}
	table_free(t);
	fprintf(c->out, "%" PRId64 " received, %" PRId64 " dropped, %" PRId64 " in flight\n",
		received, dropped, cli_int(r, "in_flight"));
	json_decref(r);
	return CLI_OK;
}

/* --- engine --- */

static void workers(struct cli *c, const json_t *r)
{
	static const char *const titles[] = {"WORKER",     "LCORE",  "PORTS",    "CALLS",
					     "LEGS",       "BUSY",   "RECEIVED", "SENT",
					     "MBUFS FREE", "WAITING"};
	struct table *t = table_new();
	const json_t *w;
	char buf[32];
	size_t i;

	for (size_t k = 0; k < sizeof(titles) / sizeof(titles[0]); k++)
		table_column(t, titles[k], TABLE_RIGHT);
	json_array_foreach(json_object_get(r, "workers"), i, w)
	{
		table_cellf(t, "%" PRId64, cli_int(w, "worker"));
		table_cellf(t, "%" PRId64, cli_int(w, "lcore"));
		table_cellf(t, "%" PRId64 "-%" PRId64, cli_int(w, "port_first"),
			    cli_int(w, "port_last"));
		table_cellf(t, "%" PRId64, cli_int(w, "calls"));
		table_cellf(t, "%" PRId64, cli_int(w, "legs"));
		table_cellf(t, "%.1f %%", cli_real(w, "busy_share") * 100.0);
		table_cell(t, cli_amount((double)cli_int(w, "received"), buf));
		table_cell(t, cli_amount((double)cli_int(w, "sent"), buf));
		table_cellf(t, "%" PRId64, cli_int(w, "mbufs_free"));
		table_cellf(t, "%" PRId64, cli_int(w, "commands_waiting"));
	}
	fputc('\n', c->out);
	table_print(t, c->out);
	table_free(t);
}

static void stages(struct cli *c, const json_t *r)
{
	struct table *t = table_new();
	const json_t *w, *s;
	char buf[32];
	size_t i, k;

	table_column(t, "WORKER", TABLE_RIGHT);
	table_column(t, "STAGE", TABLE_LEFT);
	table_column(t, "PACKETS", TABLE_RIGHT);
	table_column(t, "CYCLES EACH", TABLE_RIGHT);
	json_array_foreach(json_object_get(r, "workers"), i, w)
	{
		json_array_foreach(json_object_get(w, "stages"), k, s)
		{
			int64_t n = cli_int(s, "packets");

			if (n == 0)
				continue;
			table_cellf(t, "%" PRId64, cli_int(w, "worker"));
			table_cell(t, cli_text(s, "stage"));
			table_cell(t, cli_amount((double)n, buf));
			table_cellf(t, "%.0f", (double)cli_int(s, "cycles") / (double)n);
		}
	}
	if (table_rows(t) > 0) {
		fputc('\n', c->out);
		table_print(t, c->out);
	}
	table_free(t);
}

static void volume_text(struct cli *c, const json_t *v)
{
	char a[32], b[32];

	cli_say(c,
		"volume      %s: %s%s%s%s, weight %" PRId64 ", %sB of %sB free, %" PRId64
		" segments (%" PRId64 " finished, %" PRId64 " fresh), %" PRId64 " used again\n",
		cli_text(v, "path"), cli_text(v, "state"),
		cli_text(v, "error")[0] != '\0' ? ": " : "", cli_text(v, "error"),
		cli_true(v, "in_use") ? ", in use" : "", cli_int(v, "weight"),
		cli_amount((double)cli_int(v, "free_bytes"), a),
		cli_amount((double)cli_int(v, "total_bytes"), b), cli_int(v, "segments"),
		cli_int(v, "finished"), cli_int(v, "fresh"), cli_int(v, "recycled"));
}

void cli_recorder(struct cli *c, const json_t *r)
{
	const json_t *f = json_object_get(r, "frames"), *v;
	char a[32], b[32], d[32];
	size_t i;

	if (!json_is_object(r)) {
		cli_say(c, "recorder    none\n");
		return;
	}
	cli_say(c,
		"recorder    %s%" PRId64 " recordings now, %" PRId64 " of %" PRId64
		" extents free, %" PRId64 " ms behind, segment %" PRId64 ", %sB in %s writes%s%s\n",
		cli_true(r, "recording") ? "" : "NO VOLUME, ", cli_int(r, "recordings_now"),
		cli_int(r, "extents_free"), cli_int(r, "extents"), cli_int(r, "lag_ms"),
		cli_int(r, "segment"), cli_amount((double)cli_int(r, "bytes_written"), a),
		cli_amount((double)cli_int(r, "writes"), b),
		cli_text(r, "alarm")[0] != '\0' ? "; ALARM: " : "", cli_text(r, "alarm"));
	cli_say(c,
		"frames      %s accepted, %s durable, %" PRId64 " lost, %" PRId64 " never came, %s "
		"masked; %" PRId64 " recordings refused\n",
		cli_amount((double)cli_int(f, "accepted"), a),
		cli_amount((double)cli_int(f, "durable"), b), cli_int(f, "lost"),
		cli_int(f, "missing"), cli_amount((double)cli_int(f, "masked"), d),
		cli_int(r, "refused"));
	json_array_foreach(json_object_get(r, "volumes"), i, v) volume_text(c, v);
}

static void engine_text(struct cli *c, const json_t *r)
{
	const json_t *p, *v;
	const char *area;
	char a[32];
	size_t i;

	cli_say(c, "patchbay-engine %s, up %s\n", cli_text(r, "version"),
		cli_duration(cli_int(r, "uptime_ms"), a));
	json_array_foreach(json_object_get(r, "ports"), i, p)
	{
		cli_say(c, "port        %s (%s) %s %s %s, link %s\n", cli_text(p, "name"),
			cli_text(p, "driver"), cli_text(p, "mac"), cli_text(p, "ip"),
			cli_text(p, "ip6"), cli_true(p, "link") ? "up" : "DOWN");
		if (cli_text(p, "fallback")[0] != '\0')
			cli_say(c, "            fallback: %s\n", cli_text(p, "fallback"));
	}
	cli_recorder(c, json_object_get(r, "recorder"));
	json_object_foreach((json_t *)(uintptr_t)json_object_get(r, "alarms"), area, v) cli_say(
		c, "ALARM       %s: %s\n", area, json_string_value(v) ? json_string_value(v) : "");
	workers(c, r);
	stages(c, r);
}

int cli_engine(struct cli *c)
{
	json_t *r = NULL;
	int rc;

	if (!cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_ENGINE, "stat.engine", NULL, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		engine_text(c, r);
	json_decref(r);
	return CLI_OK;
}
