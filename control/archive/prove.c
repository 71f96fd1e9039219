/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof: the file's bytes against the ledger's line, the line against the chain, the chain against
 * an anchor that was kept elsewhere. Nothing here believes the shelf: it only says where the
 * line is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive_priv.h"
#include "patchbay/recording.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL ? text : "";
}

/* What the ledger says of one recording, gathered while the chain is followed. */
struct story {
	const char *id; /* NULL: of all, see `last` */
	json_t *finish; /* newest line that finished or imported it */
	json_t *deleted;
	json_t *history;
	/* the anchor, when its line has been passed */
	uint64_t anchor_n;
	char anchor_hash[DIGEST_TEXT];
	bool anchored;
};

static int gather(void *ctx, const struct ledger_place *place, const json_t *line)
{
	struct story *s = ctx;
	const char *op = text_of(line, "op");

	if (place->n == s->anchor_n)
		s->anchored = strcmp(place->hash, s->anchor_hash) == 0;
	if (s->id == NULL || strcmp(text_of(line, "recording"), s->id) != 0)
		return 0;
	json_array_append_new(s->history,
			      json_pack("{s:I, s:I, s:s, s:s, s:s}", "n", (json_int_t)place->n,
					"at_ms", json_integer_value(json_object_get(line, "at_ms")),
					"op", op, "by", text_of(line, "by"), "reason",
					text_of(line, "reason")));
	if (strcmp(op, "finish") == 0 || strcmp(op, "import") == 0) {
		json_decref(s->finish);
		s->finish = json_deep_copy(line);
	} else if (strcmp(op, "delete") == 0) {
		json_decref(s->deleted);
		s->deleted = json_deep_copy(line);
	}
	return 0;
}

/* A file against a hash of the ledger. NULL: as it should be. */
static const char *check_file(struct archive *a, const char *path, const char *ending,
			      const char *want)
{
	uint8_t sha[DIGEST_BYTES];
	char file[ARCHIVE_PATH_MAX], text[DIGEST_TEXT];

	archive_file(a, file, path, ending);
	if (digest_path(file, sha) < 0)
		return "is not there";
	digest_hex(sha, sizeof(sha), text);
	return strcmp(text, want) == 0 ? NULL : "is not the one that was put into the ledger";
}

/* Also what is inside: every chunk's seal, and the sound's own hash. */
static const char *check_inside(struct archive *a, const json_t *line)
{
	const char *path = text_of(line, "path");
	json_t *row = json_pack("{s:s, s:s, s:b}", "recording", text_of(line, "recording"), "path",
				path, "sealed", strstr(path, ".pbx") != NULL);
	uint8_t *buf = malloc(SEAL_CHUNK_BYTES);
	struct seal *s;
	uint64_t at = 0;
	ssize_t n = -1;
	int err = buf == NULL ? -ENOMEM : archive_sound(a, row, &s);

	json_decref(row);
	if (err == 0) {
		while ((n = seal_pread(s, buf, SEAL_CHUNK_BYTES, at)) > 0)
			at += (uint64_t)n;
		seal_close(s);
	}
	free(buf);
	if (err == -ENOKEY)
		return NULL; /* sealed by a key that is not here: the bytes are proved, that is all */
	if (err != 0)
		return "cannot be opened";
	if (n < 0)
		return "does not open with its key";
	return at == (uint64_t)json_integer_value(json_object_get(line, "bytes"))
		       ? NULL
		       : "has another length inside";
}

static const char *check_deleted(struct archive *a, const json_t *line)
{
	char file[ARCHIVE_PATH_MAX];
	const char *path = text_of(line, "path");

	archive_file(a, file, path, NULL);
	if (path[0] != '\0' && access(file, F_OK) == 0)
		return "is still there";
	archive_file(a, file, path, ".key");
	return path[0] != '\0' && access(file, F_OK) == 0 ? "its key is still there" : NULL;
}

static json_t *part(const char *wrong)
{
	return wrong == NULL ? json_pack("{s:b}", "ok", 1)
			     : json_pack("{s:b, s:s}", "ok", 0, "wrong", wrong);
}

static void read_anchor(struct story *s, const json_t *anchor)
{
	s->anchor_n = (uint64_t)json_integer_value(json_object_get(anchor, "n"));
	snprintf(s->anchor_hash, sizeof(s->anchor_hash), "%s", text_of(anchor, "hash"));
}

static json_t *chain_part(const struct ledger_verdict *v)
{
	json_t *o = json_pack("{s:b, s:I, s:{s:I, s:s}}", "ok", v->wrong_n == 0, "lines",
			      (json_int_t)v->lines, "head", "n", (json_int_t)v->head.n, "hash",
			      v->head.hash);

	if (v->wrong_n != 0) {
		json_object_set_new(o, "wrong_line", json_integer((json_int_t)v->wrong_n));
		json_object_set_new(o, "wrong", json_string(v->why));
	}
	return o;
}

int archive_prove(struct archive *a, const uint8_t id[16], const json_t *anchor, json_t **verdict)
{
	char text[RECORDING_ID_TEXT];
	struct story s = {.id = text, .history = json_array()};
	struct ledger_verdict v;
	const char *file = NULL, *row = NULL;
	bool ok;
	int err;

	recording_id_text(id, text);
	if (anchor != NULL)
		read_anchor(&s, anchor);
	err = ledger_verify(a->ledger, NULL, gather, &s, &v);
	if (err == 0 && s.finish == NULL && s.deleted == NULL)
		err = v.wrong_n != 0 ? archive_refuse(a, -EBADMSG,
						      "the ledger is damaged at line %llu: %s",
						      (unsigned long long)v.wrong_n, v.why)
				     : archive_refuse(a, -ENOENT,
						      "the ledger knows no such "
						      "recording");
	if (err != 0)
		goto out;
	if (s.deleted != NULL) {
		file = check_deleted(a, s.deleted);
	} else {
		file = check_file(a, text_of(s.finish, "path"), NULL,
				  text_of(s.finish, "stored_sha256"));
		if (file == NULL)
			file = check_inside(a, s.finish);
		row = check_file(a, text_of(s.finish, "path"), ".json",
				 text_of(s.finish, "row_sha256"));
	}
	ok = v.wrong_n == 0 && file == NULL && row == NULL && (anchor == NULL || s.anchored);
	*verdict = json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:O}", "recording", text, "ok", ok,
			     "deleted", s.deleted != NULL, "file", part(file), "row", part(row),
			     "chain", chain_part(&v), "history", s.history);
	if (anchor != NULL)
		json_object_set_new(*verdict, "anchor",
				    part(s.anchored ? NULL
						    : "the chain does not contain the anchor: the "
						      "ledger was exchanged or rewritten"));
	if (s.finish != NULL)
		json_object_set(*verdict, "entry", s.finish);
out:
	json_decref(s.finish);
	json_decref(s.deleted);
	json_decref(s.history);
	return err;
}

/* --- all of it --- */

struct sweep {
	struct archive *a;
	struct story story;
	archive_wrong_fn *fn;
	void *ctx;
	json_t *newest; /* recording -> its newest line's path and hashes; deleted: null */
	uint64_t wrong;
};

static int remember(void *ctx, const struct ledger_place *place, const json_t *line)
{
	struct sweep *w = ctx;
	const char *op = text_of(line, "op"), *id = text_of(line, "recording");

	(void)gather(&w->story, place, line);
	if (strcmp(op, "finish") == 0 || strcmp(op, "import") == 0)
		json_object_set(w->newest, id, (json_t *)(uintptr_t)line);
	else if (strcmp(op, "delete") == 0)
		json_object_set(w->newest, id, (json_t *)(uintptr_t)line);
	return 0;
}

static void check_all(struct sweep *w)
{
	const char *id;
	json_t *line;

	json_object_foreach(w->newest, id, line)
	{
		bool gone = strcmp(text_of(line, "op"), "delete") == 0;
		const char *wrong = gone ? check_deleted(w->a, line)
					 : check_file(w->a, text_of(line, "path"), NULL,
						      text_of(line, "stored_sha256"));

		if (wrong == NULL && !gone)
			wrong = check_file(w->a, text_of(line, "path"), ".json",
					   text_of(line, "row_sha256"));
		if (wrong == NULL)
			continue;
		w->wrong++;
		if (w->fn != NULL)
			w->fn(w->ctx, id, wrong);
	}
}

int archive_verify(struct archive *a, const json_t *anchor, archive_wrong_fn *fn, void *ctx,
		   json_t **verdict)
{
	struct sweep w = {.a = a, .fn = fn, .ctx = ctx, .newest = json_object()};
	struct ledger_verdict v;
	char head[DIGEST_TEXT];
	uint64_t lines, wrong_line;
	int err;

	if (anchor != NULL)
		read_anchor(&w.story, anchor);
	err = ledger_verify(a->ledger, NULL, remember, &w, &v);
	if (err == 0)
		err = audit_verify(a->shelf, &lines, &wrong_line, head);
	if (err == 0) {
		json_t *audit;

		check_all(&w);
		audit = json_pack("{s:b, s:I, s:s}", "ok", wrong_line == 0, "lines",
				  (json_int_t)lines, "head", head);
		if (wrong_line != 0)
			json_object_set_new(audit, "wrong_line",
					    json_integer((json_int_t)wrong_line));
		*verdict = json_pack("{s:b, s:o, s:{s:I, s:I}, s:o}", "ok",
				     v.wrong_n == 0 && w.wrong == 0 && wrong_line == 0 &&
					     (anchor == NULL || w.story.anchored),
				     "chain", chain_part(&v), "recordings", "checked",
				     (json_int_t)json_object_size(w.newest), "wrong",
				     (json_int_t)w.wrong, "audit", audit);
		if (anchor != NULL)
			json_object_set_new(
				*verdict, "anchor",
				part(w.story.anchored ? NULL : "the chain does not contain it"));
	}
	json_decref(w.newest);
	return err;
}

int archive_anchor(struct archive *a, json_t **anchor)
{
	struct ledger_place head;
	char audit[DIGEST_TEXT];
	json_t *first = NULL;
	uint64_t n = 0;
	int err = archive_anchor_audit(a, 1);

	if (err == 0)
		err = ledger_head(a->ledger, &head);
	if (err == 0)
		err = ledger_read(a->ledger, 0, &first);
	if (err == 0)
		err = audit_head(a->shelf, &n, audit);
	if (err == 0)
		*anchor = json_pack("{s:s, s:I, s:s, s:I, s:I, s:s}", "ledger",
				    text_of(first, "ledger"), "n", (json_int_t)head.n, "hash",
				    head.hash, "at_ms", (json_int_t)archive_now_ms(), "audit_n",
				    (json_int_t)n, "audit_hash", audit);
	json_decref(first);
	return err;
}

static int count_rows(void *ctx, const struct ledger_place *place, const json_t *line)
{
	(void)place;
	*(uint64_t *)ctx += strcmp(text_of(line, "op"), "finish") == 0 ||
			    strcmp(text_of(line, "op"), "import") == 0;
	return 0;
}

int archive_rebuild(struct archive *a, uint64_t *rows)
{
	struct ledger_verdict v;
	int err;

	*rows = 0;
	err = shelf_set_value(a->shelf, "applied", "");
	a->applied = 0;
	if (err == 0)
		err = archive_turn(a); /* applies every line */
	if (err != 0)
		return err;
	err = ledger_verify(a->ledger, NULL, count_rows, rows, &v);
	archive_turn_over(a);
	return err;
}
