/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof, import and keys.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/archive.h"

/* --- proof --- */

static json_t *read_anchor(struct cli_archive *x, int *rc)
{
	const char *file;
	json_t *anchor = NULL;
	json_error_t e;

	*rc = 0;
	if (!cli_option(x->c, "--anchor", &file)) {
		*rc = CLI_USAGE;
	} else if (file != NULL) {
		anchor = json_load_file(file, 0, &e);
		if (anchor == NULL) {
			fprintf(x->c->err, "patchbay: %s: %s\n", file, e.text);
			*rc = CLI_REFUSED;
		}
	}
	return anchor;
}

static void tell_part(struct cli *c, const json_t *v, const char *part)
{
	const json_t *p = json_object_get(v, part);

	if (p != NULL)
		fprintf(c->out, "  %-7s %s %s\n", part, cli_true(p, "ok") ? "ok" : "WRONG:",
			cli_true(p, "ok") ? "" : cli_text(p, "wrong"));
}

static void tell_proof(struct cli *c, const json_t *v)
{
	const json_t *entry = json_object_get(v, "entry"), *chain = json_object_get(v, "chain"), *h;
	char buf[32];
	size_t i;

	fprintf(c->out, "%s: %s\n", cli_text(v, "recording"),
		!cli_true(v, "ok")       ? "NOT PROVED"
		: cli_true(v, "deleted") ? "deleted, and proved to be"
					 : "proved");
	tell_part(c, v, "file");
	tell_part(c, v, "row");
	tell_part(c, v, "chain");
	tell_part(c, v, "anchor");
	fprintf(c->out, "  sha256  %s\n  chain of %" PRId64 " lines, newest %s\n",
		cli_text(entry, "sha256"), cli_int(chain, "lines"),
		cli_text(json_object_get(chain, "head"), "hash"));
	json_array_foreach(json_object_get(v, "history"), i, h)
	{
		fprintf(c->out, "  line %-6" PRId64 " %s  ", cli_int(h, "n"),
			cli_time(cli_int(h, "at_ms"), buf));
		cli_say(c, "%s  %s  %s", cli_text(h, "op"), cli_text(h, "by"),
			cli_text(h, "reason"));
		fputc('\n', c->out);
	}
}

int cli_archive_prove(struct cli_archive *x)
{
	uint8_t id[16];
	json_t *v = NULL, *anchor;
	int rc, err;
	bool ok;

	anchor = read_anchor(x, &rc);
	if (rc == 0)
		rc = cli_archive_one(x, id);
	if (rc == 0) {
		err = archive_prove(x->a, id, anchor, &v);
		rc = err != 0 ? cli_archive_refused(x, err) : 0;
	}
	json_decref(anchor);
	if (rc != 0)
		return rc;
	ok = cli_true(v, "ok");
	if (!cli_json(x->c, v))
		tell_proof(x->c, v);
	json_decref(v);
	return ok ? CLI_OK : CLI_REFUSED;
}

static void tell_wrong(void *ctx, const char *recording, const char *what)
{
	struct cli *c = ctx;

	fprintf(c->err, "patchbay: %s: its file %s\n", recording, what);
}

int cli_archive_prove_all(struct cli_archive *x)
{
	json_t *v = NULL, *anchor;
	bool ok;
	int rc;

	anchor = read_anchor(x, &rc);
	if (rc == 0)
		rc = cli_end(x->c) ? 0 : CLI_USAGE;
	if (rc == 0) {
		int err = archive_verify(x->a, anchor, tell_wrong, x->c, &v);

		rc = err != 0 ? cli_archive_refused(x, err) : 0;
	}
	json_decref(anchor);
	if (rc != 0)
		return rc;
	ok = cli_true(v, "ok");
	if (!cli_json(x->c, v)) {
		const json_t *r = json_object_get(v, "recordings");

		fprintf(x->c->out, "%s: %" PRId64 " recordings, %" PRId64 " wrong\n",
			ok ? "whole" : "NOT WHOLE", cli_int(r, "checked"), cli_int(r, "wrong"));
		tell_part(x->c, v, "chain");
		tell_part(x->c, v, "anchor");
		tell_part(x->c, v, "audit");
	}
	json_decref(v);
	return ok ? CLI_OK : CLI_REFUSED;
}

int cli_archive_anchor(struct cli_archive *x)
{
	json_t *anchor;
	int err;

	if (!cli_end(x->c))
		return CLI_USAGE;
	err = archive_anchor(x->a, &anchor);
	if (err != 0)
		return cli_archive_refused(x, err);
	json_dumpf(anchor, x->c->out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', x->c->out);
	json_decref(anchor);
	return CLI_OK;
}

static json_t *sidecar(const char *path)
{
	char file[4096];
	const char *dot = strrchr(path, '.');

	snprintf(file, sizeof(file), "%.*s.json", dot != NULL ? (int)(dot - path) : 4000, path);
	return json_load_file(file, 0, NULL);
}

static int import_one(struct cli_archive *x, const char *path, const json_t *facts)
{
	json_t *row = NULL, *own = facts == NULL ? sidecar(path) : NULL;
	int err = archive_import(x->a, &x->who, path, facts != NULL ? facts : own, &row);

	json_decref(own);
	if (err < 0)
		return cli_archive_refused(x, err);
	if (!cli_json(x->c, row))
		fprintf(x->c->out, "%s  %s%s\n", cli_text(row, "recording"), path,
			err == 1 ? "  (was there already)" : "");
	json_decref(row);
	return CLI_OK;
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t n = 0;
	ssize_t got = f != NULL ? getdelim(&text, &n, '\0', f) : -1;

	if (f != NULL)
		fclose(f);
	if (got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int import_list(struct cli_archive *x, const char *csv)
{
	const char *slash = strrchr(csv, '/');
	char *text = slurp(csv), path[4096];
	size_t line = 0, i;
	json_t *rows, *row;
	int worst = CLI_OK;

	if (text == NULL || archive_csv(text, &rows, &line) != 0) {
		free(text);
		fprintf(x->c->err,
			"patchbay: %s:%zu: is no list of files; it begins with a line of "
			"names, of which one is \"file\"\n",
			csv, line);
		return CLI_REFUSED;
	}
	free(text);
	json_array_foreach(rows, i, row)
	{
		const char *file = cli_text(row, "file");
		int rc;

		snprintf(path, sizeof(path), "%.*s%s",
			 slash != NULL && file[0] != '/' ? (int)(slash - csv) + 1 : 0, csv, file);
		rc = import_one(x, path, row);
		worst = rc > worst ? rc : worst;
	}
	json_decref(rows);
	return worst;
}

int cli_archive_import(struct cli_archive *x)
{
	const char *csv, *path;
	int worst = CLI_OK;

	if (!cli_option(x->c, "--csv", &csv))
		return CLI_USAGE;
	if (csv != NULL)
		return cli_end(x->c) ? import_list(x, csv) : CLI_USAGE;
	if (!cli_need(x->c, "FILE", &path))
		return CLI_USAGE;
	for (; path != NULL; path = cli_word(x->c)) {
		int rc = import_one(x, path, NULL);

		worst = rc > worst ? rc : worst;
	}
	return worst;
}

int cli_archive_keys(struct cli_archive *x)
{
	const struct config_archive *cfg = archive_config(x->a);
	struct archive_rewrapped n;
	const char *verb = cli_word(x->c);
	json_t *r;
	int err;

	if (!cli_end(x->c))
		return CLI_USAGE;
	if (verb != NULL && strcmp(verb, "rewrap") == 0) {
		err = archive_rewrap(x->a, &x->who, &n);
		if (err != 0)
			return cli_archive_refused(x, err);
		r = json_pack("{s:I, s:I, s:I}", "rewrapped", (json_int_t)n.rewrapped, "were",
			      (json_int_t)n.were, "failed", (json_int_t)n.failed);
		if (!cli_json(x->c, r))
			fprintf(x->c->out,
				"%" PRIu64 " wrapped anew, %" PRIu64 " needed nothing, %" PRIu64
				" failed\n",
				n.rewrapped, n.were, n.failed);
		json_decref(r);
		return n.failed == 0 ? CLI_OK : CLI_REFUSED;
	}
	if (verb != NULL && strcmp(verb, "list") != 0)
		return cli_usage(x->c, "keys: \"%s\" is none of list, make FILE, rewrap", verb);
	for (unsigned i = 0; i < cfg->n_keys; i++) {
		bool active = cfg->active_key[0] != '\0'
				      ? strcmp(cfg->keys[i].id, cfg->active_key) == 0
				      : i + 1U == cfg->n_keys;

		fprintf(x->c->out, "%-16s %s%s\n", cfg->keys[i].id, cfg->keys[i].file,
			active ? "  (active)" : "");
	}
	if (cfg->n_keys == 0)
		fputs("no master key is configured: recordings are not sealed\n", x->c->out);
	return CLI_OK;
}
