/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands that look at the engine at work: top and graph. Each asks its counters twice and shows the
 * difference (top.h).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "cli/top.h"

struct sample {
	double at_s;
	json_t *engine, *drops;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sample_free(struct sample *s)
{
	json_decref(s->engine);
	json_decref(s->drops);
	*s = (struct sample){.at_s = 0};
}

static int sample_take(struct cli *c, struct sample *s)
{
	int rc = cli_ask(c, CLI_ENGINE, "stat.engine", NULL, &s->engine);

	s->at_s = now_s();
	return rc != 0 ? rc : cli_ask(c, CLI_ENGINE, "stat.drops", NULL, &s->drops);
}

/* --- top --- */

static void head(struct cli *c, const json_t *t)
{
	const json_t *p, *v;
	const char *area;
	char up[32];
	size_t i;

	cli_say(c, "patchbay-engine %s, up %s", cli_text(t, "version"),
		cli_duration(cli_int(t, "uptime_ms"), up));
	json_array_foreach(json_object_get(t, "ports"), i, p)
	{
		cli_say(c, "; %s by %s, link %s", cli_text(p, "name"), cli_text(p, "driver"),
			cli_true(p, "link") ? "up" : "DOWN");
		if (cli_int(p, "rx_missed") + cli_int(p, "rx_nombuf") > 0)
			cli_say(c, ", missed %" PRId64 ", no memory for %" PRId64,
				cli_int(p, "rx_missed"), cli_int(p, "rx_nombuf"));
	}
	fputc('\n', c->out);
	json_object_foreach((json_t *)(uintptr_t)json_object_get(t, "alarms"), area, v)
	{
		cli_say(c, "ALARM %s: %s\n", area, json_string_value(v));
	}
}

static void bar(char text[34], double share)
{
	int full = (int)(share * 32 + 0.5);

	for (int i = 0; i < 32; i++)
		text[i] = i < full ? '#' : '.';
	text[32] = '\0';
}

static void workers(struct cli *c, const json_t *t)
{
	static const struct {
		const char *title;
		enum table_side side;
	} columns[] = {
		{"WORKER", TABLE_RIGHT}, {"BUSY", TABLE_RIGHT},  {"", TABLE_LEFT},
		{"LATE", TABLE_RIGHT},   {"CALLS", TABLE_RIGHT}, {"LEGS", TABLE_RIGHT},
		{"IN/s", TABLE_RIGHT},   {"OUT/s", TABLE_RIGHT}, {"MBUFS FREE", TABLE_RIGHT},
		{"", TABLE_LEFT},
	};
	struct table *out = table_new();
	const json_t *w;
	char buf[34];
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		table_column(out, columns[i].title, columns[i].side);
	json_array_foreach(json_object_get(t, "workers"), i, w)
	{
		table_cellf(out, "%" PRId64, cli_int(w, "worker"));
		table_cellf(out, "%.1f %%", cli_real(w, "busy_share") * 100);
		bar(buf, cli_real(w, "busy_share"));
		table_cell(out, buf);
		table_cellf(out, "%.1f ms", cli_real(w, "late_ms"));
		table_cellf(out, "%" PRId64, cli_int(w, "calls"));
		table_cellf(out, "%" PRId64, cli_int(w, "legs"));
		table_cell(out, cli_amount(cli_real(w, "received_s"), buf));
		table_cell(out, cli_amount(cli_real(w, "sent_s"), buf));
		table_cellf(out, "%" PRId64, cli_int(w, "mbufs_free"));
		table_cell(out, cli_true(w, "refuses") ? "refuses new legs" : " ");
	}
	table_print(out, c->out);
	table_free(out);
}

static void stages(struct cli *c, const json_t *t)
{
	struct table *out = table_new();
	const json_t *w, *s;
	char buf[32];
	size_t i, k;

	table_column(out, "WORKER", TABLE_RIGHT);
	table_column(out, "STAGE", TABLE_LEFT);
	table_column(out, "PACKETS/s", TABLE_RIGHT);
	table_column(out, "CYCLES EACH", TABLE_RIGHT);
	table_column(out, "OF A CORE", TABLE_RIGHT);
	json_array_foreach(json_object_get(t, "workers"), i, w)
	{
		json_array_foreach(json_object_get(w, "stages"), k, s)
		{
			if (cli_real(s, "packets_s") <= 0)
				continue;
			table_cellf(out, "%" PRId64, cli_int(w, "worker"));
			table_cell(out, cli_text(s, "stage"));
			table_cell(out, cli_amount(cli_real(s, "packets_s"), buf));
			table_cellf(out, "%.0f", cli_real(s, "cycles_packet"));
			table_cellf(out, "%.2f %%", cli_real(s, "share") * 100);
		}
	}
	if (table_rows(out) > 0) {
		fputc('\n', c->out);
		table_print(out, c->out);
	}
	table_free(out);
}

static void fates(struct cli *c, const json_t *t)
{
	struct table *out = table_new();
	const json_t *f;
	char buf[32];
	size_t i;

	table_column(out, "FATE", TABLE_LEFT);
	table_column(out, "", TABLE_LEFT);
	table_column(out, "PACKETS/s", TABLE_RIGHT);
	table_column(out, "ALL", TABLE_RIGHT);
	table_column(out, "WHAT IT MEANS", TABLE_LEFT);
	json_array_foreach(json_object_get(t, "fates"), i, f)
	{
		if (cli_int(f, "count") == 0)
			continue;
		table_cell(out, cli_text(f, "name"));
		table_cell(out, cli_true(f, "drop") ? "dropped" : "used");
		table_cell(out, cli_amount(cli_real(f, "packets_s"), buf));
		table_cell(out, cli_amount((double)cli_int(f, "count"), buf));
		table_cell(out, cli_text(f, "text"));
	}
	if (table_rows(out) > 0) {
		fputc('\n', c->out);
		table_print(out, c->out);
	}
	table_free(out);
}

static void recorder(struct cli *c, const json_t *r)
{
	char a[32], b[32];

	if (!json_is_object(r))
		return;
	cli_say(c,
		"\nrecorder: %sB/s in %s writes/s, %" PRId64 " of %" PRId64 " extents free%s%s\n",
		cli_amount(cli_real(r, "bytes_s"), a), cli_amount(cli_real(r, "writes_s"), b),
		cli_int(r, "extents_free"), cli_int(r, "extents"),
		cli_text(r, "alarm")[0] != '\0' ? "; ALARM: " : "", cli_text(r, "alarm"));
}

/* What the centre does, when patchbayd is there; the engine is looked at without it, too. */
static void centre(struct cli *c)
{
	struct cli quiet = *c;
	json_t *status = NULL;

	quiet.err = fopen("/dev/null", "w");
	if (quiet.err == NULL)
		return;
	if (access(c->control_socket, F_OK) == 0 &&
	    cli_ask(&quiet, CLI_DAEMON, "status", NULL, &status) == 0) {
		const json_t *ag = json_object_get(status, "agents");

		cli_say(c,
			"%s; %" PRId64 " calls, %" PRId64 " wait; agents: %" PRId64
			" ready, %" PRId64 " talking, %" PRId64 " wrapping up\n",
			cli_true(status, "healthy") ? "healthy" : "NOT HEALTHY",
			cli_int(json_object_get(status, "calls"), "now"),
			cli_int(json_object_get(status, "queues"), "waiting"), cli_int(ag, "ready"),
			cli_int(ag, "talking"), cli_int(ag, "wrap_up"));
	}
	json_decref(status);
	fclose(quiet.err);
}

static void show(struct cli *c, const json_t *t, bool screen)
{
	if (cli_json(c, t))
		return;
	if (screen)
		fputs("\033[H\033[2J", c->out);
	head(c, t);
	centre(c);
	fputc('\n', c->out);
	workers(c, t);
	stages(c, t);
	fates(c, t);
	recorder(c, json_object_get(t, "recorder"));
	if (!screen)
		fputc('\n', c->out);
}

/* Ask, wait, ask: the difference, with the newer sample left in `s`, which holds an older one or none. */
static int differ(struct cli *c, struct sample *s, unsigned seconds, json_t **t)
{
	struct sample newer = {.at_s = 0};
	int rc = s->engine == NULL ? sample_take(c, s) : 0;

	if (rc == 0) {
		sleep(seconds);
		rc = sample_take(c, &newer);
	}
	if (rc == 0) {
		*t = top_difference(s->engine, s->drops, newer.engine, newer.drops,
				    newer.at_s - s->at_s);
		sample_free(s);
		*s = newer;
	} else {
		sample_free(&newer);
	}
	return rc;
}

int cli_top(struct cli *c)
{
	const char *interval, *count;
	bool once = cli_switch(c, "--once");
	int64_t seconds = 1, left = once ? 1 : -1;
	struct sample s = {.at_s = 0};
	int rc = CLI_OK;

	if (!cli_option(c, "--interval", &interval) || !cli_option(c, "--count", &count) ||
	    !cli_end(c) ||
	    (interval != NULL && !cli_number(c, "--interval", interval, 1, 3600, &seconds)) ||
	    (count != NULL && !cli_number(c, "--count", count, 1, INT32_MAX, &left)))
		return CLI_USAGE;

	bool screen = left < 0 && !c->json && isatty(fileno(c->out));

	while (rc == CLI_OK && left != 0) {
		json_t *t = NULL;

		rc = differ(c, &s, (unsigned)seconds, &t);
		if (rc == CLI_OK)
			show(c, t, screen);
		fflush(c->out);
		json_decref(t);
		if (left > 0)
			left--;
	}
	sample_free(&s);
	return rc;
}

/* --- graph --- */

int cli_graph(struct cli *c)
{
	const char *interval;
	int64_t seconds = 1;
	struct sample s = {.at_s = 0};
	json_t *t = NULL;
	int rc;

	if (!cli_option(c, "--interval", &interval) || !cli_end(c) ||
	    (interval != NULL && !cli_number(c, "--interval", interval, 1, 3600, &seconds)))
		return CLI_USAGE;
	rc = differ(c, &s, (unsigned)seconds, &t);
	if (rc == CLI_OK && !cli_json(c, t)) {
		char *dot = top_graph(t);

		fputs(dot != NULL ? dot : "", c->out);
		free(dot);
	}
	json_decref(t);
	sample_free(&s);
	return rc;
}
