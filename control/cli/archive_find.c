/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking: search, show, waveform, audit.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/audit.h"
#include "archive/overview.h"
#include "cli/archive.h"
#include "cli/table.h"
#include "patchbay/recording.h"

static const char *const columns[] = {
	"recording", "started_ms", "duration_ms", "direction", "caller", "called",  "queue",
	"agent",     "team",       "result",      "kind",      "holds",  "silence", "talk_over",
	"mos",       "lost",       "work_order",  "class",     "call"};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* One field of RFC 4180. What a spreadsheet would take for a formula gets a quote before it. */
static void csv_field(FILE *out, const char *text)
{
	bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;

	if (!formula && strpbrk(text, ",\"\r\n") == NULL) {
		fputs(text, out);
		return;
	}
	fputs(formula ? "\"'" : "\"", out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void csv(struct cli *c, const json_t *list, bool heading)
{
	size_t i;
	json_t *row;

	for (int k = 0; heading && k < COLUMNS; k++)
		fprintf(c->out, "%s%s", columns[k], k + 1 < COLUMNS ? "," : "\r\n");
	json_array_foreach(list, i, row)
	{
		for (int k = 0; k < COLUMNS; k++) {
			json_t *v = json_object_get(row, columns[k]);
			char *text =
				v != NULL && !json_is_string(v)
					? json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4))
					: NULL;

			if (json_is_string(v))
				csv_field(c->out, json_string_value(v));
			else if (text != NULL)
				fputs(text, c->out);
			free(text);
			fputs(k + 1 < COLUMNS ? "," : "\r\n", c->out);
		}
	}
}

static void table(struct cli *c, const json_t *list)
{
	static const char *const titles[] = {"RECORDING", "START", "FROM",   "TO",
					     "QUEUE",     "AGENT", "RESULT", "CLASS"};
	struct table *t = table_new();
	char buf[32];
	size_t i;
	json_t *k;

	for (size_t n = 0; n < sizeof(titles) / sizeof(titles[0]); n++)
		table_column(t, titles[n], TABLE_LEFT);
	table_column(t, "LENGTH", TABLE_RIGHT);
	table_column(t, "SILENCE", TABLE_RIGHT);
	table_column(t, "HELD", TABLE_LEFT);
	json_array_foreach(list, i, k)
	{
		table_cell(t, cli_text(k, "recording"));
		table_cell(t, cli_time(cli_int(k, "started_ms"), buf));
		table_cell(t, cli_text(k, "caller"));
		table_cell(t, cli_text(k, "called"));
		table_cell(t, cli_text(k, "queue"));
		table_cell(t, cli_text(k, "agent"));
		table_cell(t, cli_text(k, "result"));
		table_cell(t, strcmp(cli_text(k, "state"), "deleted") == 0 ? "deleted"
									   : cli_text(k, "class"));
		table_cell(t, cli_duration(cli_int(k, "duration_ms"), buf));
		table_cellf(t, "%.0f %%", cli_real(k, "silence") * 100);
		table_cell(t, cli_true(k, "held") ? "held" : "");
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		fputs("no recordings\n", c->out);
	table_free(t);
}

static int read_filter(struct cli *c, struct shelf_filter *f)
{
	static const char *const names[] = {
		"from",      "to",         "call",        "kind",         "direction",
		"result",    "caller",     "called",      "agent",        "group",
		"queue",     "work_order", "text",        "duration_min", "duration_max",
		"holds_min", "holds_max",  "silence_min", "silence_max",  "talk_over_min",
		"mos_min",   "mos_max",    "after",       "limit"};
	char why[400], option[32];
	const char *value;

	shelf_filter_init(f);
	f->held = cli_switch(c, "--held");
	f->deleted = cli_switch(c, "--deleted");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) + SHELF_TAGS_MAX; i++) {
		const char *name = i < sizeof(names) / sizeof(names[0]) ? names[i] : "tag";

		snprintf(option, sizeof(option), "--%s", name);
		for (char *p = option; *p != '\0'; p++)
			*p = *p == '_' ? '-' : *p;
		if (!cli_option(c, option, &value))
			return CLI_USAGE;
		if (value != NULL &&
		    shelf_filter_set(f, name, value, archive_now_ms(), why, sizeof(why)) != 0)
			return cli_usage(c, "%s", why);
	}
	return cli_end(c) ? 0 : CLI_USAGE;
}

int cli_archive_search(struct cli_archive *x)
{
	struct cli *c = x->c;
	bool as_csv = cli_switch(c, "--csv"), all = cli_switch(c, "--all"), heading = true, more;
	struct shelf_filter f;
	int rc = read_filter(c, &f), err;

	if (rc != 0)
		return rc;
	if (all && !as_csv)
		return cli_usage(c, "--all goes with --csv");
	err = archive_audit(x->a, &x->who, "search", NULL, "ok", "");
	do {
		json_t *page = NULL, *list;

		if (err == 0)
			err = shelf_search(archive_shelf(x->a), &f, &page);
		if (err != 0)
			return cli_archive_refused(x, err);
		list = json_object_get(page, "recordings");
		more = cli_true(page, "more");
		f.after = (uint64_t)cli_int(page, "next");
		if (as_csv)
			csv(c, list, heading);
		else if (!cli_json(c, page)) {
			table(c, list);
			if (more)
				fprintf(c->out, "more: --after %" PRIu64 "\n", f.after);
		}
		heading = false;
		json_decref(page);
	} while (all && more);
	return CLI_OK;
}

int cli_archive_show(struct cli_archive *x)
{
	const char *text;
	uint8_t id[16];
	json_t *row;
	int rc;

	if (!cli_need(x->c, "REC", &text) || !cli_end(x->c))
		return CLI_USAGE;
	rc = cli_archive_find(x, text, id);
	if (rc != 0)
		return rc;
	rc = archive_audit(x->a, &x->who, "show", id, "ok", "");
	if (rc == 0)
		rc = shelf_get(archive_shelf(x->a), id, &row);
	if (rc != 0)
		return cli_archive_refused(x, rc);
	if (!cli_json(x->c, row)) {
		const char *key;
		json_t *v;

		json_object_foreach(row, key, v)
		{
			char *value =
				json_is_string(v)
					? NULL
					: json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));

			cli_say(x->c, "%-18s %s", key,
				value != NULL ? value : json_string_value(v));
			fputc('\n', x->c->out);
			free(value);
		}
	}
	json_decref(row);
	return CLI_OK;
}

int cli_archive_waveform(struct cli_archive *x)
{
	const char *text, *output, *width;
	int64_t columns_max = 0;
	uint8_t id[16], *bytes;
	json_t *row = NULL;
	char *json;
	size_t n;
	int rc;

	if (!cli_option(x->c, "--output", &output) || !cli_option(x->c, "--width", &width) ||
	    (width != NULL && !cli_number(x->c, "--width", width, 1, 100000, &columns_max)) ||
	    !cli_need(x->c, "REC", &text) || !cli_end(x->c))
		return CLI_USAGE;
	rc = cli_archive_find(x, text, id);
	if (rc != 0)
		return rc;
	rc = shelf_get(archive_shelf(x->a), id, &row);
	if (rc == 0)
		rc = archive_overview(x->a, row, &bytes, &n);
	json_decref(row);
	if (rc != 0)
		return cli_archive_refused(x, rc);
	if (output != NULL) {
		FILE *f = fopen(output, "wb");
		bool ok = f != NULL && fwrite(bytes, 1, n, f) == n;

		ok = f != NULL && fclose(f) == 0 && ok;
		free(bytes);
		if (!ok)
			fprintf(x->c->err, "patchbay: %s cannot be written\n", output);
		return ok ? CLI_OK : CLI_REFUSED;
	}
	json = overview_json(bytes, n, (uint32_t)columns_max);
	free(bytes);
	if (json == NULL) {
		fputs("patchbay: the overview is damaged\n", x->c->err);
		return CLI_REFUSED;
	}
	fprintf(x->c->out, "%s\n", json);
	free(json);
	return CLI_OK;
}

static int audit_check(struct cli_archive *x)
{
	uint64_t lines, wrong;
	char head[DIGEST_TEXT];
	int err = audit_verify(archive_shelf(x->a), &lines, &wrong, head);
	json_t *r;

	if (err != 0)
		return cli_archive_refused(x, err);
	r = json_pack("{s:b, s:I, s:s, s:I}", "ok", wrong == 0, "lines", (json_int_t)lines, "head",
		      head, "wrong_line", (json_int_t)wrong);
	if (!cli_json(x->c, r)) {
		if (wrong == 0)
			fprintf(x->c->out, "whole: %" PRIu64 " lines, newest hash %s\n", lines,
				head);
		else
			fprintf(x->c->out, "line %" PRIu64 " is not as it was written\n", wrong);
	}
	json_decref(r);
	return wrong == 0 ? CLI_OK : CLI_REFUSED;
}

int cli_archive_audit(struct cli_archive *x)
{
	struct audit_filter f = {.refused = cli_switch(x->c, "--refused")};
	bool verify = cli_switch(x->c, "--verify");
	const char *rec, *after, *limit;
	int64_t from = 0, n = 50;
	struct table *t;
	uint8_t id[16];
	char buf[32];
	json_t *page, *k;
	size_t i;
	int rc;

	if (!cli_option(x->c, "--actor", &f.actor) || !cli_option(x->c, "--action", &f.action) ||
	    !cli_option(x->c, "--after", &after) || !cli_option(x->c, "--limit", &limit) ||
	    (after != NULL && !cli_number(x->c, "--after", after, 1, INT64_MAX, &from)) ||
	    (limit != NULL && !cli_number(x->c, "--limit", limit, 1, 1000, &n)))
		return CLI_USAGE;
	rec = cli_word(x->c);
	if (!cli_end(x->c))
		return CLI_USAGE;
	if (verify)
		return audit_check(x);
	if (rec != NULL) {
		rc = cli_archive_find(x, rec, id);
		if (rc != 0)
			return rc;
		f.id = id;
	}
	f.after = (uint64_t)from;
	f.limit = (uint32_t)n;
	rc = archive_audit(x->a, &x->who, "audit", f.id, "ok", "");
	if (rc == 0)
		rc = audit_list(archive_shelf(x->a), &f, &page);
	if (rc != 0)
		return cli_archive_refused(x, rc);
	if (!cli_json(x->c, page)) {
		static const char *const titles[] = {"LINE",   "TIME",      "WHO",    "FROM",
						     "ACTION", "RECORDING", "RESULT", "DETAIL"};

		t = table_new();
		for (size_t k2 = 0; k2 < sizeof(titles) / sizeof(titles[0]); k2++)
			table_column(t, titles[k2], TABLE_LEFT);
		json_array_foreach(json_object_get(page, "lines"), i, k)
		{
			table_cellf(t, "%" PRId64, cli_int(k, "n"));
			table_cell(t, cli_time(cli_int(k, "at_ms"), buf));
			table_cell(t, cli_text(k, "actor"));
			table_cell(t, cli_text(k, "source"));
			table_cell(t, cli_text(k, "action"));
			table_cell(t, cli_text(k, "recording"));
			table_cell(t, cli_text(k, "result"));
			table_cell(t, cli_text(k, "detail"));
		}
		table_print(t, x->c->out);
		table_free(t);
		if (cli_true(page, "more"))
			fprintf(x->c->out, "more: --after %" PRId64 "\n", cli_int(page, "next"));
	}
	json_decref(page);
	return CLI_OK;
}
