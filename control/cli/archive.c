/* SPDX-License-Identifier: Apache-2.0
 *
 * Acts on the archive. Each writes the audit before it does anything.
 */
#include "cli/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/config_file.h"
#include "archive/copy.h"

/* Take the options, read the configuration. Returns 0 or the exit code. */
static int read_config(struct cli *c, struct cli_archive *x)
{
	static struct complaints complaints;
	char why[400], line[400];
	const char *file, *dir;
	const struct passwd *pw = getpwuid(getuid());
	int err;

	*x = (struct cli_archive){.c = c, .who = {pw != NULL ? pw->pw_name : "?", "cli"}};
	if (!cli_option(c, "--config", &file) || !cli_option(c, "--archive", &dir) ||
	    !cli_option(c, "--by", &x->who.name))
		return CLI_USAGE;
	if (x->who.name == NULL)
		x->who.name = pw != NULL ? pw->pw_name : "?";
	err = archive_config_read(file, &x->config, &complaints, why, sizeof(why));
	for (unsigned i = 0; err != 0 && i < complaints.kept; i++)
		fprintf(c->err, "%s\n", complaint_line(&complaints, i, line, sizeof(line)));
	if (err != 0) {
		if (why[0] != '\0')
			fprintf(c->err, "patchbay: %s\n", why);
		return CLI_UNREACHABLE;
	}
	if (dir != NULL)
		x->config->archive->directory = dir;
	return 0;
}

static int open_it(struct cli *c, struct cli_archive *x)
{
	char why[400];
	int err = archive_open(&x->a, x->config, why, sizeof(why));

	if (err == 0)
		return 0;
	fprintf(c->err, "patchbay: the archive cannot be opened: %s\n", why);
	config_free(x->config);
	return CLI_UNREACHABLE;
}

int cli_archive_open(struct cli *c, struct cli_archive *x)
{
	int rc = read_config(c, x);

	return rc != 0 ? rc : open_it(c, x);
}

int cli_archive_if_any(struct cli *c, struct cli_archive *x)
{
	char ledger[1100];
	int rc = read_config(c, x);

	if (rc != 0)
		return rc;
	snprintf(ledger, sizeof(ledger), "%.1000s/ledger", x->config->archive->directory);
	if (access(ledger, F_OK) == 0)
		return open_it(c, x);
	config_free(x->config);
	x->config = NULL;
	return 0;
}

void cli_archive_close(struct cli_archive *x)
{
	archive_close(x->a);
	config_free(x->config);
}

int cli_archive_find(struct cli_archive *x, const char *text, uint8_t id[16])
{
	int err = shelf_find(archive_shelf(x->a), text, id);

	if (err == 0)
		return 0;
	if (err == -EINVAL)
		fprintf(x->c->err, "patchbay: \"%s\" is no recording id; give at least 4 digits\n",
			text);
	else if (err == -ENOENT)
		fprintf(x->c->err, "patchbay: no finished recording begins with \"%s\"\n", text);
	else if (err == -ENOTUNIQ)
		fprintf(x->c->err,
			"patchbay: several recordings begin with \"%s\"; give more digits\n", text);
	else
		fprintf(x->c->err, "patchbay: %s\n", shelf_error(archive_shelf(x->a)));
	return CLI_REFUSED;
}

int cli_archive_refused(struct cli_archive *x, int err)
{
	const char *why = archive_why(x->a);

	if (why[0] == '\0')
		why = shelf_error(archive_shelf(x->a));
	fprintf(x->c->err, "patchbay: %s\n", why[0] != '\0' ? why : strerror(-err));
	return CLI_REFUSED;
}

int cli_archive_one(struct cli_archive *x, uint8_t id[16])
{
	const char *text;

	if (!cli_need(x->c, "REC", &text) || !cli_end(x->c))
		return CLI_USAGE;
	return cli_archive_find(x, text, id);
}

static int said(struct cli_archive *x, int err, const uint8_t id[16], const char *what)
{
	char text[RECORDING_ID_TEXT];
	json_t *r;

	if (err != 0)
		return cli_archive_refused(x, err);
	recording_id_text(id, text);
	r = json_pack("{s:s, s:s}", "recording", text, "done", what);
	if (!cli_json(x->c, r))
		fprintf(x->c->out, "%s: %s\n", text, what);
	json_decref(r);
	return CLI_OK;
}

/* --- hold, release, delete --- */

typedef int act_fn(struct archive *a, const struct archive_actor *who, const uint8_t id[16],
		   const char *reason);

static int with_reason(struct cli_archive *x, act_fn *act, const char *what)
{
	const char *reason;
	uint8_t id[16];
	int rc;

	if (!cli_option(x->c, "--reason", &reason))
		return CLI_USAGE;
	if (reason == NULL || reason[0] == '\0')
		return cli_usage(x->c, "it needs a --reason");
	rc = cli_archive_one(x, id);
	return rc != 0 ? rc : said(x, act(x->a, &x->who, id, reason), id, what);
}

static int do_hold(struct cli_archive *x)
{
	return with_reason(x, archive_hold, "held");
}

static int do_release(struct cli_archive *x)
{
	return with_reason(x, archive_release, "released");
}

static int do_delete(struct cli_archive *x)
{
	return with_reason(x, archive_delete, "deleted");
}

/* --- tags and notes --- */

static int tag_or_not(struct cli_archive *x, bool on)
{
	const char *text, *tag;
	uint8_t id[16];
	int rc;

	if (!cli_need(x->c, "REC", &text) || !cli_need(x->c, "TAG", &tag) || !cli_end(x->c))
		return CLI_USAGE;
	if (tag[0] == '\0' || strlen(tag) > 64)
		return cli_usage(x->c, "a tag has 1 to 64 bytes");
	rc = cli_archive_find(x, text, id);
	if (rc != 0)
		return rc;
	rc = archive_audit(x->a, &x->who, on ? "tag" : "untag", id, "ok", tag);
	if (rc == 0)
		rc = shelf_tag(archive_shelf(x->a), id, tag, on);
	if (rc == 0)
		rc = archive_reclassify(x->a, id);
	return said(x, rc, id, on ? "tagged" : "tag taken off");
}

static int do_tag(struct cli_archive *x)
{
	return tag_or_not(x, true);
}

static int do_untag(struct cli_archive *x)
{
	return tag_or_not(x, false);
}

static int do_note(struct cli_archive *x)
{
	const char *text, *note;
	uint8_t id[16];
	int rc;

	if (!cli_need(x->c, "REC", &text) || !cli_need(x->c, "TEXT", &note) || !cli_end(x->c))
		return CLI_USAGE;
	rc = cli_archive_find(x, text, id);
	if (rc != 0)
		return rc;
	rc = archive_audit(x->a, &x->who, "note", id, "ok", "");
	if (rc == 0)
		rc = shelf_note(archive_shelf(x->a), id, x->who.name, note, archive_now_ms());
	return said(x, rc, id, "noted");
}

static int do_work_order(struct cli_archive *x)
{
	const char *text, *order;
	uint8_t id[16];
	int rc;

	if (!cli_need(x->c, "REC", &text) || !cli_need(x->c, "WORK-ORDER", &order) ||
	    !cli_end(x->c))
		return CLI_USAGE;
	rc = cli_archive_find(x, text, id);
	if (rc != 0)
		return rc;
	rc = archive_audit(x->a, &x->who, "work_order", id, "ok", order);
	if (rc == 0)
		rc = shelf_set_work_order(archive_shelf(x->a), id, order);
	return said(x, rc, id, "belongs to the work order");
}

/* --- hearing --- */

static json_t *row_of(struct cli_archive *x, const uint8_t id[16])
{
	json_t *row = NULL;
	int err = shelf_get(archive_shelf(x->a), id, &row);

	if (err != 0)
		(void)cli_archive_refused(x, err);
	return row;
}

static int do_play(struct cli_archive *x)
{
	const char *player;
	uint8_t id[16];
	FILE *to = NULL;
	json_t *row;
	int rc, err;

	if (!cli_option(x->c, "--player", &player))
		return CLI_USAGE;
	rc = cli_archive_one(x, id);
	if (rc != 0)
		return rc;
	if (player == NULL && isatty(STDOUT_FILENO))
		player = "ffplay -nodisp -autoexit -loglevel error -";
	row = row_of(x, id);
	if (row == NULL)
		return CLI_REFUSED;
	err = archive_audit(x->a, &x->who, "listen", id, "ok", "");
	if (err == 0 && player != NULL) {
		to = popen(player, "w");
		err = to == NULL ? -errno : 0;
	}
	fflush(x->c->out);
	if (err == 0)
		err = archive_copy_file(x->a, row, to != NULL ? fileno(to) : fileno(x->c->out));
	if (to != NULL && pclose(to) != 0 && err == 0) {
		fprintf(x->c->err, "patchbay: the player failed: %s\n", player);
		json_decref(row);
		return CLI_REFUSED;
	}
	json_decref(row);
	return err != 0 ? cli_archive_refused(x, err) : CLI_OK;
}

static bool read_masks(struct cli *c, struct copy_span *mask, size_t *n)
{
	const char *value;

	*n = 0;
	do {
		if (!cli_option(c, "--mask", &value))
			return false;
		if (value != NULL && (*n == COPY_MASKS_MAX || !copy_span_parse(value, &mask[*n]))) {
			cli_usage(c, "--mask is FROM-TO in seconds or minutes:seconds, such as "
				     "12.5-20 or 1:05-1:10");
			return false;
		}
		*n += value != NULL;
	} while (value != NULL);
	return true;
}

/* REC, or REC:FROM-TO. */
static int read_piece(struct cli_archive *x, const char *word, struct copy_piece *p)
{
	const char *colon = strchr(word, ':');
	char text[RECORDING_ID_TEXT + 1];
	uint8_t id[16];
	int rc;

	snprintf(text, sizeof(text), "%.*s", colon != NULL ? (int)(colon - word) : 37, word);
	*p = (struct copy_piece){0};
	if (colon != NULL && !copy_span_parse(colon + 1, &p->span))
		return cli_usage(x->c, "%s is not REC:FROM-TO", word);
	rc = cli_archive_find(x, text, id);
	if (rc != 0)
		return rc;
	p->row = row_of(x, id);
	if (p->row == NULL)
		return CLI_REFUSED;
	return archive_audit(x->a, &x->who, "export", id, "ok", word) == 0
		       ? 0
		       : cli_archive_refused(x, -EIO);
}

static int write_copy(struct cli_archive *x, struct copy *how, const char *output)
{
	char part[4096];
	uint64_t ms = 0;
	json_t *r;
	int err;

	if (recording_format_of(output, &how->format) != 0)
		return cli_usage(x->c, "%s: the file's name must end in .wav, .opus or .ogg",
				 output);
	snprintf(part, sizeof(part), "%s.part", output);
	how->fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (how->fd < 0) {
		fprintf(x->c->err, "patchbay: %s: %s\n", part, strerror(errno));
		return CLI_REFUSED;
	}
	err = archive_copy(x->a, how, &ms);
	close(how->fd);
	if (err == 0 && rename(part, output) != 0)
		err = -errno;
	if (err != 0) {
		unlink(part);
		return cli_archive_refused(x, err);
	}
	r = json_pack("{s:s, s:I, s:I}", "path", output, "duration_ms", (json_int_t)ms, "pieces",
		      (json_int_t)how->pieces);
	if (!cli_json(x->c, r))
		fprintf(x->c->out, "%" PRIu64 ".%03" PRIu64 " s  %s\n", ms / 1000, ms % 1000,
			output);
	json_decref(r);
	return CLI_OK;
}

static int copy_pieces(struct cli_archive *x, size_t least)
{
	static struct copy_piece piece[CLI_WORDS_MAX];
	struct copy_span mask[COPY_MASKS_MAX];
	struct copy how = {
		.piece = piece, .mask = mask, .anonymous = cli_switch(x->c, "--anonymous")};
	const char *output, *gap, *word;
	int64_t gap_ms = 0;
	int rc = 0;

	if (!cli_option(x->c, "--output", &output) || !cli_option(x->c, "--gap-ms", &gap) ||
	    (gap != NULL && !cli_number(x->c, "--gap-ms", gap, 0, 60000, &gap_ms)) ||
	    !read_masks(x->c, mask, &how.masks))
		return CLI_USAGE;
	how.gap_ms = (uint32_t)gap_ms;
	if (output == NULL)
		return cli_usage(x->c, "it needs --output FILE.wav or FILE.opus");
	while (rc == 0 && (word = cli_word(x->c)) != NULL) {
		if (word[0] == '-') {
			rc = cli_usage(x->c, "there is no option %s here", word);
			break;
		}
		rc = read_piece(x, word, &piece[how.pieces]);
		how.pieces += piece[how.pieces].row != NULL;
	}
	if (rc == 0 && how.pieces < least)
		rc = cli_usage(x->c, "%s",
			       least > 1 ? "REC[:FROM-TO] REC[:FROM-TO] ... are missing"
					 : "REC:FROM-TO is missing");
	if (rc == 0)
		rc = write_copy(x, &how, output);
	for (size_t i = 0; i < how.pieces; i++)
		json_decref((json_t *)(uintptr_t)piece[i].row);
	return rc;
}

static int do_excerpt(struct cli_archive *x)
{
	return copy_pieces(x, 1);
}

static int do_concat(struct cli_archive *x)
{
	return copy_pieces(x, 2);
}

/* Needs no archive: there may be none before the first key. */
static int make_key(struct cli *c)
{
	const char *file;
	int err;

	if (!cli_need(c, "FILE", &file) || !cli_end(c))
		return CLI_USAGE;
	err = keyring_make(file);
	if (err != 0) {
		fprintf(c->err, "patchbay: %s: %s\n", file, strerror(-err));
		return CLI_REFUSED;
	}
	fprintf(c->out,
		"%s\nKeep a copy where the recordings are not: without it they cannot be heard.\n",
		file);
	return CLI_OK;
}

int cli_archive_run(struct cli *c, const char *verb)
{
	static const struct {
		const char *verb;
		cli_archive_fn *run;
	} verbs[] = {
		{"search", cli_archive_search},
		{"show", cli_archive_show},
		{"play", do_play},
		{"excerpt", do_excerpt},
		{"concat", do_concat},
		{"waveform", cli_archive_waveform},
		{"prove", cli_archive_prove},
		{"prove-all", cli_archive_prove_all},
		{"anchor", cli_archive_anchor},
		{"hold", do_hold},
		{"release", do_release},
		{"delete", do_delete},
		{"import", cli_archive_import},
		{"tag", do_tag},
		{"untag", do_untag},
		{"note", do_note},
		{"work-order", do_work_order},
		{"keys", cli_archive_keys},
		{"audit", cli_archive_audit},
	};
	struct cli_archive x;

	if (strcmp(verb, "keys") == 0 && c->words > 0 && strcmp(c->word[0], "make") == 0) {
		(void)cli_word(c);
		return make_key(c);
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].verb, verb) == 0) {
			int rc = cli_archive_open(c, &x);

			if (rc != 0)
				return rc;
			rc = verbs[i].run(&x);
			cli_archive_close(&x);
			return rc;
		}
	return -1;
}
