/* SPDX-License-Identifier: Apache-2.0
 *
 * customer import: rows of a CSV file (RFC 4180, read by libcsv) go to patchbayd some at a time; what it refuses is told
 * with its line, and kept in a file of its own, each row with the reason behind it, to be put right and imported again.
 */
#include <csv.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "patchbay/rpc_client.h"

enum {
	FILE_MAX = 256 << 20,
	COLUMNS_MAX = 64, /* what patchbayd takes, and so the next five */
	TITLE_LONGEST = 63,
	CELL_LONGEST = 1000,
	NAME_LONGEST = 200,
	NUMBER_LONGEST = 255,
	NUMBERS_MAX = 16,
	BATCH_ROWS = 200,
	BATCH_BYTES = 50000, /* of JSON: a request has 65,536 at most */
	TOLD_MAX = 10,
	TELL_ROWS = 10000 /* progress */
};

enum column { COLUMN_FIELD, COLUMN_NAME, COLUMN_NUMBER, COLUMN_CUSTOMER };

struct import {
	struct cli *c;
	struct rpc_client *client;
	const char *duplicates, *map;
	FILE *bad;
	char *title[COLUMNS_MAX];
	enum column column[COLUMNS_MAX];
	unsigned columns;
	bool titled;
	json_t *cells;       /* of the row that is read; null: no UTF-8 */
	json_t *rows, *read; /* of this batch: as they are sent; their cells */
	size_t bytes;        /* of `rows`, as JSON */
	uint64_t row, first; /* row 1 is the titles; first of the batch */
	uint64_t added, updated, refused;
	uint64_t tell; /* progress is told at this row */
	int rc;
};

/* --- what was refused ----------------------------------------------------------------------- */

static void put_cell(FILE *out, const char *text, bool first)
{
	if (!first)
		fputc(',', out);
	csv_fwrite(out, text, strlen(text));
}

static void refuse(struct import *im, uint64_t row, const json_t *cells, const char *why)
{
	const json_t *cell;
	size_t i;

	if (++im->refused <= TOLD_MAX)
		fprintf(im->c->err, "row %" PRIu64 ": %s\n", row, why);
	else if (im->refused == TOLD_MAX + 1)
		fputs("and more\n", im->c->err);
	if (im->bad == NULL)
		return;
	json_array_foreach(cells, i, cell)
		put_cell(im->bad, json_is_string(cell) ? json_string_value(cell) : "?", i == 0);
	put_cell(im->bad, why, false);
	fputs("\r\n", im->bad);
}

/* --- sending -------------------------------------------------------------------------------- */

static void send_batch(struct import *im)
{
	const json_t *answer;
	json_t *r = NULL;
	size_t i;

	if (im->rc != 0 || json_array_size(im->rows) == 0)
		return;
	im->rc = cli_request(im->c, im->client, "customers.write",
			     json_pack("{s:O,s:s}", "rows", im->rows, "duplicates", im->duplicates),
			     &r);
	if (im->rc != 0)
		return;
	im->added += (uint64_t)cli_int(r, "added");
	im->updated += (uint64_t)cli_int(r, "updated");
	json_array_foreach(json_object_get(r, "rows"), i,
			   answer) if (strcmp(cli_text(answer, "done"), "refused") == 0)
	{
		uint64_t row = (uint64_t)cli_int(answer, "line");

		refuse(im, row, json_array_get(im->read, (size_t)(row - im->first)),
		       cli_text(answer, "why"));
	}
	json_decref(r);
	json_array_clear(im->rows);
	json_array_clear(im->read);
	im->bytes = 0;
	if (!im->c->json && im->row > im->tell) {
		fprintf(im->c->err, "%" PRIu64 " rows\n", im->tell);
		im->tell += TELL_ROWS;
	}
}

/* --- reading -------------------------------------------------------------------------------- */

/* Which column `title` is, by --map ("name=Kunde,number=Telefon"), or by its own name. */
static enum column column_of(const char *map, const char *title)
{
	static const struct {
		const char *word;
		enum column column;
	} words[] = {
		{"name", COLUMN_NAME},
		{"number", COLUMN_NUMBER},
		{"customer", COLUMN_CUSTOMER},
	};
	size_t n = strlen(title);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].word);
		bool mapped = false;

		for (const char *p = map; p != NULL && *p != '\0';
		     p += strcspn(p, ","), p += *p == ',') {
			if (strncmp(p, words[i].word, len) != 0 || p[len] != '=')
				continue;
			mapped = true;
			if (strcspn(p + len + 1, ",") == n && strncmp(p + len + 1, title, n) == 0)
				return words[i].column;
		}
		if (!mapped && strcmp(title, words[i].word) == 0)
			return words[i].column;
	}
	return COLUMN_FIELD;
}

static void take_titles(struct import *im)
{
	bool known = false;
	size_t i;
	json_t *cell;

	im->titled = true;
	if (json_array_size(im->cells) > COLUMNS_MAX) {
		im->rc = cli_usage(im->c, "more than %d columns", COLUMNS_MAX);
		return;
	}
	json_array_foreach(im->cells, i, cell)
	{
		const char *title = json_is_string(cell) ? json_string_value(cell) : "?";

		if (title[0] == '\0' || strlen(title) > TITLE_LONGEST) {
			im->rc = cli_usage(im->c,
					   "the title of column %zu has %zu bytes, not 1 to %d",
					   i + 1, strlen(title), TITLE_LONGEST);
			return;
		}
		im->title[im->columns] = strdup(title);
		im->column[im->columns] = column_of(im->map, title);
		known = known || im->column[im->columns] != COLUMN_FIELD;
		im->columns++;
	}
	if (!known)
		im->rc = cli_usage(im->c, "no column is called name, number or customer; say which "
					  "is which by --map name=TITLE,number=TITLE");
}

/* Several numbers in one cell are parted by "|". */
static void put_numbers(json_t *numbers, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "|");

		if (n > strspn(text, " "))
			json_array_append_new(numbers, json_stringn(text, n));
		text += n + (text[n] == '|');
	}
}

static json_t *row_of(struct import *im)
{
	json_t *row = json_object(), *numbers = json_array(), *fields = json_array();

	for (unsigned i = 0; i < im->columns && i < json_array_size(im->cells); i++) {
		const char *text = json_string_value(json_array_get(im->cells, i));

		if (text[0] == '\0')
			continue;
		switch (im->column[i]) {
		case COLUMN_NAME:
			json_object_set_new(row, "name", json_string(text));
			break;
		case COLUMN_CUSTOMER:
			json_object_set_new(row, "customer", json_string(text));
			break;
		case COLUMN_NUMBER:
			put_numbers(numbers, text);
			break;
		case COLUMN_FIELD:
			json_array_append_new(fields, json_pack("{s:s,s:s}", "name", im->title[i],
								"value", text));
			break;
		}
	}
	if (json_array_size(numbers) > 0)
		json_object_set(row, "numbers", numbers);
	json_decref(numbers);
	json_object_set_new(row, "fields", fields);
	json_object_set_new(row, "line", json_integer((json_int_t)im->row));
	return row;
}

static bool few_numbers(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; n++) {
		size_t len = strcspn(text, "|");

		if (len > NUMBER_LONGEST)
			return false;
		text += len + (text[len] == '|');
	}
	return n <= NUMBERS_MAX;
}

/* Why the row cannot be sent at all; NULL: it can. What patchbayd refuses as a request would end the import. */
static const char *broken(const struct import *im)
{
	static const size_t longest[] = {[COLUMN_FIELD] = CELL_LONGEST,
					 [COLUMN_NAME] = NAME_LONGEST,
					 [COLUMN_NUMBER] = SIZE_MAX,
					 [COLUMN_CUSTOMER] = TITLE_LONGEST};
	const json_t *cell;
	size_t i;

	if (json_array_size(im->cells) > im->columns)
		return "more cells than titles";
	json_array_foreach(im->cells, i, cell)
	{
		const char *text = json_string_value(cell);

		if (text == NULL)
			return "not UTF-8";
		if (json_string_length(cell) > longest[im->column[i]])
			return "a cell is too long";
		for (const char *p = text; *p != '\0'; p++)
			if (iscntrl((unsigned char)*p))
				return "a cell with control characters, such as a line end";
		if (im->column[i] == COLUMN_NUMBER && !few_numbers(text))
			return "too many numbers, or one that is too long";
	}
	return NULL;
}

static void on_cell(void *text, size_t len, void *arg)
{
	struct import *im = arg;
	const char *s = text;
	/* The apostrophe with which our export keeps a spreadsheet from taking a cell for a formula. */
	bool quoted = len > 1 && s[0] == '\'' && strchr("=+-@", s[1]) != NULL;
	json_t *cell = json_stringn(s + quoted, len - quoted);

	json_array_append_new(im->cells, cell != NULL ? cell : json_null());
}

static void add_row(struct import *im)
{
	json_t *row = row_of(im);
	size_t bytes = json_dumpb(row, NULL, 0, JSON_COMPACT) + 1;

	if (bytes > BATCH_BYTES) {
		refuse(im, im->row, im->cells, "the row is too long");
		json_decref(row);
		return;
	}
	if (im->bytes + bytes > BATCH_BYTES || json_array_size(im->rows) == BATCH_ROWS)
		send_batch(im);
	if (json_array_size(im->rows) == 0)
		im->first = im->row;
	/* Its place in `read` is its row's, so those between that were refused have one as well. */
	while (json_array_size(im->read) < im->row - im->first)
		json_array_append_new(im->read, json_null());
	json_array_append_new(im->rows, row);
	json_array_append(im->read, im->cells);
	im->bytes += bytes;
}

static void on_row(int end, void *arg)
{
	struct import *im = arg;
	const char *why;

	(void)end;
	im->row++;
	if (im->rc != 0) {
		/* nothing is sent any more */
	} else if (!im->titled) {
		take_titles(im);
	} else if ((why = broken(im)) != NULL) {
		refuse(im, im->row, im->cells, why);
	} else {
		add_row(im);
	}
	json_decref(im->cells);
	im->cells = json_array();
}

static int parse(struct import *im, const char *text, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf";
	size_t skip = len >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;
	struct csv_parser csv;
	int rc = CLI_OK;

	if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
		return CLI_REFUSED;
	if (csv_parse(&csv, text + skip, len - skip, on_cell, on_row, im) != len - skip ||
	    csv_fini(&csv, on_cell, on_row, im) != 0) {
		fprintf(im->c->err,
			"patchbay: row %" PRIu64 ": %s; nothing after it was imported\n",
			im->row + 1, csv_strerror(csv_error(&csv)));
		rc = CLI_REFUSED;
	}
	send_batch(im);
	csv_free(&csv);
	return im->rc != 0 ? im->rc : rc;
}

static int import(struct import *im, const char *file, const char *errors)
{
	struct cli *c = im->c;
	size_t len;
	char *text = cli_file_read(c, file, FILE_MAX, &len);
	int rc = CLI_REFUSED;

	if (text == NULL)
		return rc;
	im->bad = errors != NULL ? fopen(errors, "w") : NULL;
	if (errors != NULL && im->bad == NULL) {
		fprintf(c->err, "patchbay: %s: %s\n", errors, strerror(errno));
		free(text);
		return rc;
	}
	rc = cli_connect(c, CLI_DAEMON, &im->client);
	if (rc == 0)
		rc = parse(im, text, len);
	if (im->bad != NULL && fclose(im->bad) != 0) {
		fprintf(c->err, "patchbay: %s: %s\n", errors, strerror(errno));
		rc = CLI_REFUSED;
	}
	rpc_client_close(im->client);
	free(text);
	return rc;
}

int cli_customer_import(struct cli *c)
{
	struct import im = {.c = c, .duplicates = "refuse", .tell = TELL_ROWS};
	const char *file, *errors, *duplicates;
	json_t *counts;
	int rc;

	if (!cli_option(c, "--map", &im.map) || !cli_option(c, "--duplicates", &duplicates) ||
	    !cli_option(c, "--errors", &errors) || !cli_need(c, "FILE", &file) || !cli_end(c))
		return CLI_USAGE;
	if (duplicates != NULL)
		im.duplicates = duplicates;
	im.cells = json_array();
	im.rows = json_array();
	im.read = json_array();
	rc = import(&im, file, errors);
	counts = json_pack("{s:I,s:I,s:I}", "added", (json_int_t)im.added, "updated",
			   (json_int_t)im.updated, "refused", (json_int_t)im.refused);
	if (im.row > 0 && !cli_json(c, counts))
		cli_say(c, "%llu added, %llu updated, %llu refused\n", (unsigned long long)im.added,
			(unsigned long long)im.updated, (unsigned long long)im.refused);
	for (unsigned i = 0; i < im.columns; i++)
		free(im.title[i]);
	json_decref(counts);
	json_decref(im.cells);
	json_decref(im.rows);
	json_decref(im.read);
	return rc == CLI_OK && im.refused > 0 ? CLI_REFUSED : rc;
}
