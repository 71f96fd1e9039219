/* SPDX-License-Identifier: Apache-2.0
 *
 * knowledge, article: what agents look things up in.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"

enum {
	ARTICLE_MAX = 48 << 10, /* a request has 65,536 bytes at most */
	ARTICLE_ID_LONGEST = 63,
	TITLE_LONGEST = 200,
	LINE_LONGEST = 1000, /* longer ones are parted */
	KEYWORDS_MAX = 32
};

/* --- search --------------------------------------------------------------------------------- */

static void print_found(struct cli *c, const json_t *list)
{
	const json_t *article;
	size_t i;

	json_array_foreach(list, i, article)
	{
		cli_say(c, "%s  (%s)\n", cli_text(article, "title"), cli_text(article, "article"));
		if (cli_text(article, "excerpt")[0] != '\0')
			cli_say(c, "    %s\n", cli_text(article, "excerpt"));
	}
}

static void print_newest(struct cli *c, const json_t *list)
{
	struct table *t = table_new();
	const json_t *article;
	char buf[32];
	size_t i;

	table_column(t, "ARTICLE", TABLE_LEFT);
	table_column(t, "TITLE", TABLE_LEFT);
	table_column(t, "CHANGED", TABLE_LEFT);
	json_array_foreach(list, i, article)
	{
		table_cell(t, cli_text(article, "article"));
		table_cell(t, cli_text(article, "title"));
		table_cell(t, cli_time(cli_int(article, "changed_ms"), buf));
	}
	table_print(t, c->out);
	table_free(t);
}

/* The words that are left of the command line, as they would be typed. */
static void rest(struct cli *c, char *text, size_t size)
{
	const char *word;
	size_t len = 0;

	text[0] = '\0';
	while ((word = cli_word(c)) != NULL && len < size)
		len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? " " : "", word);
}

int cli_knowledge(struct cli *c)
{
	const char *limit, *who;
	json_t *p = json_object(), *r = NULL, *list;
	char text[256];
	int64_t n = 10;
	int rc;

	if (!cli_option(c, "--limit", &limit) || !cli_option(c, "--who", &who) ||
	    (limit != NULL && !cli_number(c, "--limit", limit, 1, 50, &n))) {
		json_decref(p);
		return CLI_USAGE;
	}
	rest(c, text, sizeof(text));
	json_object_set_new(p, "limit", json_integer(n));
	if (text[0] != '\0')
		json_object_set_new(p, "text", json_string(text));
	if (who != NULL)
		json_object_set_new(p, "who", json_string(who));
	rc = cli_ask(c, CLI_DAEMON, "knowledge", p, &r);
	if (rc != 0)
		return rc;
	list = json_object_get(r, "articles");
	if (cli_json(c, r))
		rc = CLI_OK;
	else if (json_array_size(list) == 0)
		cli_say(c, text[0] != '\0' ? "nothing is found\n" : "there are no articles\n");
	else if (text[0] != '\0')
		print_found(c, list);
	else
		print_newest(c, list);
	json_decref(r);
	return rc;
}

/* --- one article ---------------------------------------------------------------------------- */

/* "DIR/returns.md" is the article "returns". False: complained. */
static bool article_of(struct cli *c, const char *file, char id[ARTICLE_ID_LONGEST + 1])
{
	const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
	const char *dot = strrchr(name, '.');
	size_t len = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);

	if (len == 0 || len > ARTICLE_ID_LONGEST) {
		cli_usage(c, "%s: the name of an article has 1 to %d bytes; --article NAME", file,
			  ARTICLE_ID_LONGEST);
		return false;
	}
	snprintf(id, ARTICLE_ID_LONGEST + 1, "%.*s", (int)len, name);
	return true;
}

/* Tabs and other control characters are spaces. */
static json_t *clean(const char *text, size_t len)
{
	char line[LINE_LONGEST + 1];

	for (size_t i = 0; i < len; i++)
		line[i] = iscntrl((unsigned char)text[i]) ? ' ' : text[i];
	while (len > 0 && line[len - 1] == ' ')
		len--;
	return json_stringn(line, len);
}

/* How much of a line goes into one of the request's: whole characters. */
static size_t piece(const char *text, size_t len)
{
	if (len <= LINE_LONGEST)
		return len;
	len = LINE_LONGEST;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len > 0 ? len : LINE_LONGEST;
}

static json_t *keywords(const char *text, size_t len)
{
	json_t *list = json_array();
	const char *end = text + len;

	while (text < end && json_array_size(list) < KEYWORDS_MAX) {
		size_t n;

		text += strspn(text, " ,");
		n = strcspn(text, ",\r\n");
		if (text < end && n > 0)
			json_array_append_new(list, clean(text, piece(text, n)));
		text += n;
	}
	return list;
}

/* The first line is the title; a second one "Keywords: A, B" is what it says. NULL: no UTF-8. */
static json_t *row_of(const char *id, const char *text)
{
	static const char marked[] = "Keywords:";
	json_t *row = json_pack("{s:s,s:s}", "do", "put", "article", id), *lines = json_array();
	bool fine = row != NULL;

	text += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	text += strspn(text, "# \t\r\n");
	for (unsigned at = 0; *text != '\0'; at++) {
		size_t len = strcspn(text, "\n");
		const char *next = text + len + (text[len] == '\n');

		if (at == 0) {
			size_t n = len > TITLE_LONGEST ? TITLE_LONGEST : len;

			while (n < len && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
				n--;
			json_object_set_new(row, "title", clean(text, n));
			fine = fine && json_object_get(row, "title") != NULL;
		} else if (at == 1 && strncmp(text, marked, sizeof(marked) - 1) == 0) {
			json_object_set_new(
				row, "keywords",
				keywords(text + sizeof(marked) - 1, len - (sizeof(marked) - 1)));
		} else {
			do {
				size_t n = piece(text, len);
				json_t *line = clean(text, n);

				fine = fine && line != NULL;
				json_array_append_new(lines, json_pack("{s:o?}", "line", line));
				text += n;
				len -= n;
			} while (len > 0);
		}
		text = next;
	}
	json_object_set_new(row, "text", lines);
	if (fine)
		return row;
	json_decref(row);
	return NULL;
}

/* Rows of an answer are told; the exit code. */
static int told(struct cli *c, const json_t *r)
{
	const json_t *row;
	size_t i;

	if (cli_json(c, r))
		return cli_int(r, "refused") > 0 ? CLI_REFUSED : CLI_OK;
	json_array_foreach(json_object_get(r, "rows"), i, row)
	{
		if (strcmp(cli_text(row, "done"), "refused") == 0)
			fprintf(c->err, "patchbay: %s: %s\n", cli_text(row, "article"),
				cli_text(row, "why"));
		else
			cli_say(c, "article %s is %s\n", cli_text(row, "article"),
				cli_text(row, "done"));
	}
	return cli_int(r, "refused") > 0 ? CLI_REFUSED : CLI_OK;
}

static int write_row(struct cli *c, json_t *row)
{
	json_t *r = NULL;
	int rc = cli_ask(c, CLI_DAEMON, "knowledge.write", json_pack("{s:[o]}", "rows", row), &r);

	if (rc == 0)
		rc = told(c, r);
	json_decref(r);
	return rc;
}

static int put_file(struct cli *c, const char *file, const char *article)
{
	char id[ARTICLE_ID_LONGEST + 1];
	char *text;
	json_t *row;
	size_t len;

	if (article == NULL && !article_of(c, file, id))
		return CLI_USAGE;
	text = cli_file_read(c, file, ARTICLE_MAX, &len);
	if (text == NULL)
		return CLI_REFUSED;
	row = row_of(article != NULL ? article : id, text);
	free(text);
	if (row == NULL) {
		fprintf(c->err, "patchbay: %s: not UTF-8\n", file);
		return CLI_REFUSED;
	}
	if (cli_text(row, "title")[0] == '\0') {
		fprintf(c->err, "patchbay: %s: its first line must be the title\n", file);
		json_decref(row);
		return CLI_REFUSED;
	}
	return write_row(c, row);
}

static int put(struct cli *c)
{
	const char *article, *file, *more;
	int rc, worst = CLI_OK;

	if (!cli_option(c, "--article", &article) || !cli_need(c, "FILE", &file))
		return CLI_USAGE;
	for (; file != NULL; file = more) {
		more = cli_word(c);
		if (article != NULL && more != NULL)
			return cli_usage(c, "--article goes with one FILE");
		rc = put_file(c, file, article);
		worst = rc > worst ? rc : worst;
	}
	return worst;
}

static int erase(struct cli *c)
{
	const char *article;

	if (!cli_need(c, "ARTICLE", &article) || !cli_end(c))
		return CLI_USAGE;
	return write_row(c, json_pack("{s:s,s:s}", "do", "delete", "article", article));
}

/* A file that `put` reads. */
static int show(struct cli *c)
{
	const char *article, *text;
	const json_t *found, *keyword;
	json_t *r = NULL;
	size_t i;
	int rc;

	if (!cli_need(c, "ARTICLE", &article) || !cli_end(c))
		return CLI_USAGE;
	rc = cli_ask(c, CLI_DAEMON, "knowledge.read", json_pack("{s:s}", "article", article), &r);
	if (rc != 0)
		return rc;
	found = json_array_get(json_object_get(r, "articles"), 0);
	if (found == NULL) {
		fprintf(c->err, "patchbay: there is no article %s\n", article);
		rc = CLI_REFUSED;
	} else if (!cli_json(c, found)) {
		cli_say(c, "# %s\n", cli_text(found, "title"));
		json_array_foreach(json_object_get(found, "keywords"), i, keyword) cli_say(
			c, "%s%s", i == 0 ? "Keywords: " : ", ", json_string_value(keyword));
		if (i > 0)
			cli_say(c, "\n");
		for (text = cli_text(found, "text"); *text != '\0';) {
			size_t n = strcspn(text, "\n");

			cli_say(c, "%.*s\n", (int)n, text);
			text += n + (text[n] == '\n');
		}
	}
	json_decref(r);
	return rc;
}

static int searches(struct cli *c)
{
	const char *since, *limit;
	bool in_vain = cli_switch(c, "--in-vain");
	int64_t from_ms, n = 50;
	json_t *p, *r = NULL;
	const json_t *s;
	struct table *t;
	char buf[32];
	size_t i;
	int rc;

	if (!cli_option(c, "--since", &since) || !cli_option(c, "--limit", &limit) || !cli_end(c) ||
	    (limit != NULL && !cli_number(c, "--limit", limit, 1, 200, &n)) ||
	    (since != NULL && !cli_since(c, "--since", since, &from_ms)))
		return CLI_USAGE;
	p = json_pack("{s:I,s:b}", "limit", (json_int_t)n, "in_vain", in_vain);
	if (since != NULL)
		json_object_set_new(p, "from_ms", json_integer(from_ms));
	rc = cli_ask(c, CLI_DAEMON, "knowledge.searches", p, &r);
	if (rc != 0)
		return rc;
	if (cli_json(c, r)) {
		json_decref(r);
		return CLI_OK;
	}
	t = table_new();
	table_column(t, "TIME", TABLE_LEFT);
	table_column(t, "WHO", TABLE_LEFT);
	table_column(t, "LOOKED FOR", TABLE_LEFT);
	table_column(t, "FOUND", TABLE_RIGHT);
	table_column(t, "FIRST", TABLE_LEFT);
	table_column(t, "MS", TABLE_RIGHT);
	json_array_foreach(json_object_get(r, "searches"), i, s)
	{
		table_cell(t, cli_time(cli_int(s, "at_ms"), buf));
		table_cell(t, cli_text(s, "who"));
		table_cell(t, cli_text(s, "text"));
		table_cellf(t, "%" PRId64, cli_int(s, "found"));
		table_cell(t, cli_text(s, "first"));
		table_cellf(t, "%" PRId64, cli_int(s, "took_ms"));
	}
	if (table_rows(t) > 0)
		table_print(t, c->out);
	else
		cli_say(c, "nobody looked for anything\n");
	table_free(t);
	json_decref(r);
	return CLI_OK;
}

int cli_article(struct cli *c)
{
	const char *what;

	if (!cli_need(c, "put, show, delete or searches", &what))
		return CLI_USAGE;
	if (strcmp(what, "put") == 0)
		return put(c);
	if (strcmp(what, "show") == 0)
		return show(c);
	if (strcmp(what, "delete") == 0)
		return erase(c);
	if (strcmp(what, "searches") == 0)
		return searches(c);
	return cli_usage(c, "\"%s\" is none of put, show, delete, searches", what);
}
