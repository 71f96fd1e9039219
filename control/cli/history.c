/* SPDX-License-Identifier: Apache-2.0
 *
 * What was: call records and recordings, the latter from the database (find) or the store itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/archive.h"
#include "cli/cli.h"
#include "cli/reconcile.h"
#include "cli/recordings.h"
#include "cli/table.h"
#include "patchbay/recording.h"
#include "patchbay/rpc_client.h"

bool cli_since(struct cli *c, const char *option, const char *text, int64_t *ms)
{
	struct tm day = {.tm_isdst = -1};
	int64_t now = (int64_t)time(NULL) * 1000, n;
	char *end;

	if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d", &day.tm_year, &day.tm_mon, &day.tm_mday,
		   &day.tm_hour, &day.tm_min) >= 3) {
		day.tm_year -= 1900;
		day.tm_mon -= 1;
		*ms = (int64_t)mktime(&day) * 1000;
		return true;
	}
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno == 0 && end != text && n >= 0 && n < 100000 && end[0] != '\0' && end[1] == '\0') {
		int64_t unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;

		*ms = now - n * unit * 1000;
		if (unit != 0)
			return true;
	}
	cli_usage(c,
		  "%s must be 30m, 2h, 7d or a date such as 2026-11-22 or "
		  "2026-11-22T14:30",
		  option);
	return false;
}

/* The filters of `records` and `recordings find` as params. NULL: complained. */
static json_t *filters(struct cli *c)
{
	static const char *const texts[] = {"call", "agent", "queue", "number", "after"};
	json_t *p = json_object();
	const char *v;
	int64_t n;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char option[16];

		snprintf(option, sizeof(option), "--%s", texts[i]);
		if (!cli_option(c, option, &v))
			goto wrong;
		if (v != NULL)
			json_object_set_new(p, texts[i], json_string(v));
	}
	if (!cli_option(c, "--since", &v) || (v != NULL && !cli_since(c, "--since", v, &n)))
		goto wrong;
	if (v != NULL)
		json_object_set_new(p, "from_ms", json_integer(n));
	if (!cli_option(c, "--until", &v) || (v != NULL && !cli_since(c, "--until", v, &n)))
		goto wrong;
	if (v != NULL)
		json_object_set_new(p, "to_ms", json_integer(n));
	if (!cli_option(c, "--limit", &v) ||
	    (v != NULL && !cli_number(c, "--limit", v, 1, 200, &n)))
		goto wrong;
	if (v != NULL)
		json_object_set_new(p, "limit", json_integer(n));
	return p;
wrong:
	json_decref(p);
	return NULL;
}

static void more(struct cli *c, const json_t *r)
{
	if (cli_true(r, "more"))
		cli_say(c, "there are more: --after %s\n", cli_text(r, "next"));
}

/* All pages of the records that `p` asks for. Takes `p`. */
static int records_csv(struct cli *c, json_t *p)
{
	bool titles = true, more_rows = true;
	int rc = 0;

	while (rc == 0 && more_rows) {
		json_t *r = NULL;

		rc = cli_ask(c, CLI_DAEMON, "cdr", json_incref(p), &r);
		if (rc != 0)
			break;
		cli_csv(c, json_object_get(r, "records"), titles);
		titles = false;
		more_rows = cli_true(r, "more");
		if (more_rows)
			json_object_set(p, "after", json_object_get(r, "next"));
		json_decref(r);
	}
	json_decref(p);
	return rc;
}

int cli_records(struct cli *c)
{
	bool csv = cli_switch(c, "--csv");
	json_t *p = filters(c), *r = NULL;
	const json_t *k;
	char buf[32];
	size_t i;
	int rc;

	if (p == NULL)
		return CLI_USAGE;
	if (!cli_end(c)) {
		json_decref(p);
		return CLI_USAGE;
	}
	if (csv)
		return records_csv(c, p);
	rc = cli_ask(c, CLI_DAEMON, "cdr", p, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r)) {
		static const char *const left[] = {"BEGAN", "CALL", "FROM", "TO", "QUEUE", "AGENT"};
		struct table *t = table_new();

		for (size_t n = 0; n < sizeof(left) / sizeof(left[0]); n++)
			table_column(t, left[n], TABLE_LEFT);
		table_column(t, "WAITED", TABLE_RIGHT);
		table_column(t, "TALKED", TABLE_RIGHT);
		table_column(t, "ENDED BY", TABLE_LEFT);
		table_column(t, "CAUSE", TABLE_LEFT);
		table_column(t, "MOS", TABLE_RIGHT);
		json_array_foreach(json_object_get(r, "records"), i, k)
		{
			table_cell(t, cli_time(cli_int(k, "started_ms"), buf));
			table_cell(t, cli_id(c, cli_text(k, "call")));
			table_cell(t, cli_text(k, "from"));
			table_cell(t, cli_text(k, "to"));
			table_cell(t, cli_text(k, "queue"));
			table_cell(t, cli_text(k, "agent"));
			table_cell(t, cli_duration(cli_int(k, "wait_ms"), buf));
			table_cell(t, cli_duration(cli_int(k, "talk_ms"), buf));
			table_cell(t, cli_text(k, "hung_up_by"));
			table_cell(t, cli_text(k, "cause"));
			if (json_is_number(json_object_get(k, "mos")))
				table_cellf(t, "%.1f", cli_real(k, "mos"));
			else
				table_cell(t, NULL);
		}
		if (table_rows(t) > 0)
			table_print(t, c->out);
		else
			fputs("no call records\n", c->out);
		table_free(t);
		more(c, r);
	}
	json_decref(r);
	return CLI_OK;
}

/* --- recordings --- */

static void find_table(struct cli *c, const json_t *r)
{
	static const char *const left[] = {"RECORDING", "BEGAN", "KIND", "FROM",
					   "TO",        "QUEUE", "AGENT"};
	struct table *t = table_new();
	const json_t *k;
	char buf[32];
	size_t i;

	for (size_t n = 0; n < sizeof(left) / sizeof(left[0]); n++)
		table_column(t, left[n], TABLE_LEFT);
	table_column(t, "LENGTH", TABLE_RIGHT);
	table_column(t, "FRAMES", TABLE_RIGHT);
	table_column(t, "LOST", TABLE_RIGHT);
	table_column(t, "STATE", TABLE_LEFT);
	json_array_foreach(json_object_get(r, "recordings"), i, k)
	{
		table_cell(t, cli_text(k, "recording"));
		table_cell(t, cli_time(cli_int(k, "started_ms"), buf));
		table_cell(t, cli_text(k, "kind"));
		table_cell(t, cli_text(k, "from"));
		table_cell(t, cli_text(k, "to"));
		table_cell(t, cli_text(k, "queue"));
		table_cell(t, cli_text(k, "agent"));
		table_cell(t, cli_duration(cli_int(k, "duration_ms"), buf));
		table_cellf(t, "%" PRId64, cli_int(k, "accepted"));
		table_cellf(t, "%" PRId64, cli_int(k, "lost"));
		table_cell(t, cli_true(k, "complete") ? "complete" : "running");
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		fputs("no recordings\n", c->out);
	table_free(t);
	more(c, r);
}

static int find(struct cli *c)
{
	bool voicemail = cli_switch(c, "--voicemail"), unheard = cli_switch(c, "--unheard");
	json_t *p = filters(c), *r = NULL;
	int rc;

	if (p == NULL)
		return CLI_USAGE;
	if (!cli_end(c)) {
		json_decref(p);
		return CLI_USAGE;
	}
	if (voicemail)
		json_object_set_new(p, "kind", json_string("voicemail"));
	if (unheard)
		json_object_set_new(p, "unheard", json_true());
	rc = cli_ask(c, CLI_DAEMON, "recordings", p, &r);
	if (rc != 0)
		return rc;
	if (!cli_json(c, r))
		find_table(c, r);
	json_decref(r);
	return CLI_OK;
}

static void print_frame(struct cli *c, const struct recording_frame *f)
{
	if (!c->json) {
		fprintf(c->out,
			"%10.3f ms  channel %u  codec %u  seq %5u  timestamp %10u  %u bytes%s\n",
			(double)f->time_ns / 1e6, f->channel, f->codec, f->seq, f->timestamp,
			f->len, f->after_gap ? "  (frames are missing before this)" : "");
		return;
	}
	fprintf(c->out,
		"{\"time_ns\":%" PRIu64 ",\"kind\":%d,\"channel\":%u,\"codec\":%u,\"seq\":%u,"
		"\"timestamp\":%u,\"after_gap\":%s,\"payload\":\"",
		f->time_ns, (int)f->kind, f->channel, f->codec, f->seq, f->timestamp,
		f->after_gap ? "true" : "false");
	for (uint16_t i = 0; i < f->len; i++)
		fprintf(c->out, "%02x", f->payload[i]);
	fputs("\"}\n", c->out);
}

/* Every audio frame as it is stored: what a doubting person compares with a capture. */
static int frames(struct cli *c, const struct recordings_options *opt)
{
	struct recording_store *store;
	struct recording *rec;
	struct recording_frame f;
	const char *id, *channel;
	int64_t only = -1;
	uint8_t key[16];
	int rc;

	if (!cli_option(c, "--channel", &channel) ||
	    (channel != NULL && !cli_number(c, "--channel", channel, 0, 1, &only)) ||
	    !cli_need(c, "REC", &id) || !cli_end(c))
		return CLI_USAGE;
	rc = recording_store_open(&store, opt->store, opt->stores);
	if (rc != 0) {
		fprintf(c->err, "patchbay: the store at %s cannot be read: %s\n", opt->store[0],
			strerror(-rc));
		return CLI_UNREACHABLE;
	}
	rc = recording_find(store, id, key);
	if (rc == 0)
		rc = recording_open(store, key, NULL, NULL, &rec);
	if (rc != 0) {
		fprintf(c->err, "patchbay: recording %s: %s\n", id,
			rc == -ENOTUNIQ ? "several begin so; give more of the id" : strerror(-rc));
		recording_store_close(store);
		return CLI_REFUSED;
	}
	while ((rc = recording_next(rec, &f)) > 0)
		if (f.kind == RECORDING_FRAME_AUDIO && (only < 0 || f.channel == only))
			print_frame(c, &f);
	recording_close(rec);
	recording_store_close(store);
	return rc < 0 ? CLI_REFUSED : CLI_OK;
}

/* --- reconcile --- */

/* All pages of a question about [from, to). */
static int ask_all(struct cli *c, const char *method, const char *list, int64_t from_ms,
		   int64_t to_ms, json_t *all)
{
	json_t *next = NULL;
	bool more = true;

	while (more) {
		json_t *r = NULL, *p = json_pack("{s:I, s:I, s:i}", "from_ms", (json_int_t)from_ms,
						 "to_ms", (json_int_t)to_ms, "limit", 200);
		int rc;

		if (next != NULL)
			json_object_set_new(p, "after", next);
		rc = cli_ask(c, CLI_DAEMON, method, p, &r);
		if (rc != 0)
			return rc;
		json_array_extend(all, json_object_get(r, list));
		more = cli_true(r, "more");
		next = more ? json_incref(json_object_get(r, "next")) : NULL;
		json_decref(r);
	}
	return 0;
}

static int note_stored(void *ctx, const struct recording_info *info)
{
	char id[RECORDING_ID_TEXT];

	recording_id_text(info->id, id);
	json_object_set_new(ctx, id, reconcile_stored(info));
	return 0;
}

static void say_reconciled(struct cli *c, const char *day, const json_t *r)
{
	const json_t *problems = json_object_get(r, "problems"), *n;
	const char *why;

	fprintf(c->out,
		"%s: %" PRId64 " calls answered, %" PRId64 " recorded (%" PRId64 " running)\n", day,
		cli_int(r, "answered"), cli_int(r, "recorded"), cli_int(r, "running"));
	if (cli_int(r, "archived") + cli_int(r, "deleted") > 0)
		fprintf(c->out,
			"in the archive only: %" PRId64 "; deleted by its rules: %" PRId64 "\n",
			cli_int(r, "archived"), cli_int(r, "deleted"));
	json_object_foreach((json_t *)(uintptr_t)json_object_get(r, "unrecorded"), why, n) fprintf(
		c->out, "not recorded: %s: %" PRId64 "\n", why, (int64_t)json_integer_value(n));
	for (size_t i = 0; i < json_array_size(problems); i++) {
		const json_t *p = json_array_get(problems, i);

		cli_say(c, "%s: call %s%s%s: %s\n", cli_text(p, "problem"), cli_text(p, "call"),
			cli_text(p, "recording")[0] != '\0' ? ", recording " : "",
			cli_text(p, "recording"), cli_text(p, "text"));
	}
	fputs(json_array_size(problems) == 0 ? "every answered call has its recording or a reason\n"
					     : "",
	      c->out);
}

/* What the store has no more: the archive may have finished it, and its segment been used again. */
static void look_in_archive(struct cli_archive *x, const json_t *recs, json_t *stored)
{
	const json_t *rec;
	size_t i;

	json_array_foreach(recs, i, rec)
	{
		const char *text = cli_text(rec, "recording");
		json_t *row = NULL;
		uint8_t id[16];

		if (json_object_get(stored, text) == NULL && recording_id_parse(text, id) == 0 &&
		    shelf_get(archive_shelf(x->a), id, &row) == 0) {
			json_object_set_new(stored, text, reconcile_finished(row));
			json_decref(row);
		}
	}
}

static int reconcile_day(struct cli *c, const struct recordings_options *opt)
{
	json_t *calls = json_array(), *recs = json_array(), *stored = json_object(), *r = NULL;
	struct recording_store *st = NULL;
	struct cli_archive x;
	int64_t from_ms, to_ms;
	char day[32];
	const char *given;
	time_t at;
	struct tm tm;
	int rc, err;

	if (!cli_option(c, "--day", &given))
		return CLI_USAGE;
	rc = cli_archive_if_any(c, &x);
	if (rc != 0)
		return rc;
	if (!cli_end(c)) {
		rc = CLI_USAGE;
		goto out;
	}
	at = time(NULL) - 86400;
	localtime_r(&at, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	if (given != NULL)
		snprintf(day, sizeof(day), "%s", given);
	if (!cli_since(c, "--day", day, &from_ms)) {
		rc = CLI_USAGE;
		goto out;
	}
	to_ms = from_ms + INT64_C(86400000);
	rc = ask_all(c, "cdr", "records", from_ms, to_ms, calls);
	if (rc == 0) /* a call of the day may be recorded after its end */
		rc = ask_all(c, "recordings", "recordings", from_ms, to_ms + INT64_C(86400000),
			     recs);
	err = rc == 0 ? recording_store_open(&st, opt->store, opt->stores) : 0;
	if (rc == 0 && err == 0)
		err = recording_store_list(st, note_stored, NULL, stored);
	if (rc == 0 && err != 0) {
		fprintf(c->err, "patchbay: the store cannot be read: %s\n", strerror(-err));
		rc = CLI_UNREACHABLE;
	}
	if (rc == 0) {
		if (x.a != NULL)
			look_in_archive(&x, recs, stored);
		r = reconcile(calls, recs, stored);
		json_object_set_new(r, "day", json_string(day));
		if (!cli_json(c, r))
			say_reconciled(c, day, r);
		rc = cli_true(r, "ok") ? CLI_OK : CLI_REFUSED;
	}
out:
	if (st != NULL)
		recording_store_close(st);
	if (x.a != NULL)
		cli_archive_close(&x);
	json_decref(r);
	json_decref(calls);
	json_decref(recs);
	json_decref(stored);
	return rc;
}

/* The recordings functions say 2 for "could not be done at all". */
static int code(int rc)
{
	return rc == 2 ? CLI_UNREACHABLE : rc;
}

/* The whole id of what `rec` begins, if the store has it. */
static bool whole_id(const struct recordings_options *opt, const char *rec, uint8_t id[16])
{
	struct recording_store *store;
	bool found;

	if (recording_store_open(&store, opt->store, opt->stores) != 0)
		return false;
	found = recording_find(store, rec, id) == 0;
	recording_store_close(store);
	return found;
}

/* Taking sound out of the store leaves its line in the archive's audit, where there is an archive; when the line
 * cannot be written nothing is exported. */
static int export_from_store(struct cli *c, const struct recordings_options *opt)
{
	const char *output, *id;
	struct cli_archive x;
	uint8_t key[16];
	int rc = cli_archive_if_any(c, &x);

	if (rc != 0)
		return rc;
	if (!cli_option(c, "--output", &output) || !cli_need(c, "REC", &id)) {
		rc = CLI_USAGE;
	} else {
		if (output == NULL)
			output = cli_word(c); /* `export REC FILE` is understood, too */
		rc = cli_end(c) ? 0 : CLI_USAGE;
	}
	if (rc == 0 && x.a != NULL &&
	    archive_audit(x.a, &x.who, "export", whole_id(opt, id, key) ? key : NULL, "ok", id) !=
		    0)
		rc = cli_archive_refused(&x, -EIO);
	if (rc == 0)
		rc = code(recordings_export(opt, id, output));
	if (x.a != NULL)
		cli_archive_close(&x);
	return rc;
}

int cli_recordings(struct cli *c)
{
	const struct recordings_options opt = {
		.store = c->store, .stores = c->stores, .json = c->json, .out = c->out};
	const char *verb, *id;
	int rc;

	if (!cli_need(c, "list, find, search, show, play, export, verify, prove or another verb",
		      &verb))
		return CLI_USAGE;
	rc = cli_archive_run(c, verb);
	if (rc >= 0)
		return rc;
	if (strcmp(verb, "list") == 0)
		return cli_end(c) ? code(recordings_list(&opt)) : CLI_USAGE;
	if (strcmp(verb, "find") == 0)
		return find(c);
	if (strcmp(verb, "reconcile") == 0)
		return reconcile_day(c, &opt);
	if (strcmp(verb, "frames") == 0)
		return frames(c, &opt);
	if (strcmp(verb, "export") == 0)
		return export_from_store(c, &opt);
	if (strcmp(verb, "verify") == 0) {
		bool all = cli_switch(c, "--all");

		id = cli_word(c);
		if (all && id != NULL)
			return cli_usage(c, "either REC or --all");
		return cli_end(c) ? code(recordings_verify(&opt, id)) : CLI_USAGE;
	}
	return cli_usage(c, "\"%s\" is none of the verbs of recordings", verb);
}
