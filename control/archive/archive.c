/* SPDX-License-Identifier: Apache-2.0
 *
 * The object: opening, turns, and applying lines of the ledger to the shelf.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "archive/archive_priv.h"
#include "base/log.h"
#include "patchbay/recording.h"

struct shelf *archive_shelf(struct archive *a)
{
	return a->shelf;
}

struct ledger *archive_ledger(struct archive *a)
{
	return a->ledger;
}

const struct config_archive *archive_config(const struct archive *a)
{
	return a->cfg;
}

const char *archive_directory(const struct archive *a)
{
	return a->dir;
}

const char *archive_why(const struct archive *a)
{
	return a->why;
}

int archive_refuse(struct archive *a, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, ap);
	va_end(ap);
	return err;
}

uint64_t archive_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- files --- */

/* --- applying --- */

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL ? text : "";
}

static int64_t int_of(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

/* The row of a line that finished or imported is in the file beside the sound. */
static int apply_finish(struct archive *a, const struct ledger_place *place, const json_t *line)
{
	char path[ARCHIVE_PATH_MAX];
	json_t *row;
	int err;

	if (text_of(line, "path")[0] != '\0') {
		err = archive_settle(a, text_of(line, "path"), text_of(line, "stored_sha256"));
		if (err != 0)
			return err;
	}
	archive_file(a, path, text_of(line, "path"), ".json");
	row = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (row == NULL) {
		/* deleted later, or lost: what the line itself knows */
		row = json_pack("{s:s, s:I, s:I}", "recording", text_of(line, "recording"),
				"started_ms", int_of(line, "started_ms"), "duration_ms",
				int_of(line, "duration_ms"));
		log_warn("ledger", "%s is not there; line %llu is taken without it", path,
			 (unsigned long long)place->n);
	}
	if (row == NULL)
		return -ENOMEM;
	json_object_set(row, "path", json_object_get(line, "path"));
	json_object_set(row, "sha256", json_object_get(line, "sha256"));
	json_object_set(row, "bytes", json_object_get(line, "bytes"));
	json_object_set(row, "stored_sha256", json_object_get(line, "stored_sha256"));
	json_object_set(row, "stored_bytes", json_object_get(line, "stored_bytes"));
	json_object_set_new(row, "ledger_n", json_integer((json_int_t)place->n));
	json_object_set_new(row, "ledger_offset", json_integer((json_int_t)place->offset));
	err = shelf_put(a->shelf, row);
	json_decref(row);
	return err;
}

/* Finished again in another form: the earlier file has no name any more. */
static void forget_file(struct archive *a, const uint8_t id[16], const json_t *line)
{
	char file[ARCHIVE_PATH_MAX];
	json_t *old = NULL;

	if (shelf_get(a->shelf, id, &old) == 0 && text_of(old, "path")[0] != '\0' &&
	    strcmp(text_of(old, "path"), text_of(line, "path")) != 0) {
		archive_file(a, file, text_of(old, "path"), NULL);
		(void)unlink(file);
	}
	json_decref(old);
}

static int apply_delete(struct archive *a, const struct ledger_place *place, const json_t *line,
			const uint8_t id[16])
{
	const char *path = text_of(line, "path");
	json_t *upload = NULL;
	int err = 0;

	if (shelf_held(a->shelf, id) == 1)
		return -EPERM; /* the line should not be there; nothing is touched */
	if (path[0] != '\0')
		err = archive_remove(a, path);
	if (err != 0)
		return err;
	err = shelf_upload_get(a->shelf, id, &upload);
	if (err == 0 && path[0] != '\0' && a->cfg->s3.endpoint[0] != '\0') {
		char state[ARCHIVE_PATH_MAX];

		snprintf(state, sizeof(state), "{\"delete\":\"%.500s\"}", path);
		err = shelf_upload_put(a->shelf, id, state, "", 0, 0);
	}
	json_decref(upload);
	if (err == 0)
		err = shelf_bury(a->shelf, id, (uint64_t)int_of(line, "at_ms"), place->n);
	return err == -ENOENT ? 0 : err;
}

static int apply(struct archive *a, const struct ledger_place *place, const json_t *line)
{
	const char *op = text_of(line, "op");
	uint64_t at_ms = (uint64_t)int_of(line, "at_ms");
	char seen[32];
	uint8_t id[16] = {0};
	int err = 0;

	(void)recording_id_parse(text_of(line, "recording"), id);
	if (strcmp(op, "finish") == 0 || strcmp(op, "import") == 0) {
		forget_file(a, id, line);
		err = apply_finish(a, place, line);
	} else if (strcmp(op, "delete") == 0)
		err = apply_delete(a, place, line, id);
	else if (strcmp(op, "hold") == 0)
		err = shelf_hold(a->shelf, id, text_of(line, "by"), text_of(line, "reason"), at_ms,
				 place->n, NULL);
	else if (strcmp(op, "release") == 0)
		err = shelf_release(a->shelf, id, text_of(line, "by"), text_of(line, "reason"),
				    at_ms, place->n);
	if (err == -ENOENT) /* released without a hold, held without a row: nothing to apply to */
		err = 0;
	if (err != 0)
		return err;
	snprintf(seen, sizeof(seen), "%llu:%llu", (unsigned long long)place->n,
		 (unsigned long long)place->offset);
	return shelf_set_value(a->shelf, "applied", seen);
}

/* One line, as one transaction of the shelf. */
static int apply_one(void *ctx, const struct ledger_place *place, const json_t *line)
{
	struct archive *a = ctx;
	int err;

	if (place->n <= a->applied)
		return 0;
	err = shelf_begin(a->shelf);
	if (err != 0)
		return err;
	err = apply(a, place, line);
	if (err == 0)
		err = shelf_commit(a->shelf);
	else
		shelf_rollback(a->shelf);
	if (err == 0)
		a->applied = place->n;
	else
		log_error("ledger", "line %llu (%s) cannot be applied: %s %s",
			  (unsigned long long)place->n, text_of(line, "op"), strerror(-err),
			  shelf_error(a->shelf));
	return err;
}

/* What other processes appended since, or this one before it was killed. */
static int catch_up(struct archive *a)
{
	unsigned long long n = 0, offset = 0;
	struct ledger_place head, from = {0};
	struct ledger_verdict v;
	char seen[64];
	json_t *line = NULL;
	int err = ledger_head(a->ledger, &head);

	if (err != 0)
		return err;
	err = shelf_value(a->shelf, "applied", seen, sizeof(seen));
	if (err == 0 && sscanf(seen, "%llu:%llu", &n, &offset) == 2)
		a->applied = n;
	if (err != 0 || a->applied == head.n)
		return err;
	if (a->applied > 0) {
		err = ledger_read(a->ledger, offset, &line);
		if (err != 0)
			return err;
		from = (struct ledger_place){.n = n, .offset = offset};
		snprintf(from.hash, sizeof(from.hash), "%s", text_of(line, "hash"));
		json_decref(line);
	}
	err = ledger_verify(a->ledger, a->applied > 0 ? &from : NULL, apply_one, a, &v);
	if (err == 0 && v.wrong_n != 0) {
		log_error("ledger", "%s/ledger is damaged at line %llu: %s", a->dir,
			  (unsigned long long)v.wrong_n, v.why);
		err = -EBADMSG;
	}
	return err;
}

int archive_turn(struct archive *a)
{
	int err = ledger_lock(a->ledger);

	if (err != 0)
		return archive_refuse(a, err, "%s/ledger: %s", a->dir, strerror(-err));
	err = catch_up(a);
	if (err != 0) {
		ledger_unlock(a->ledger);
		return archive_refuse(a, err, "the ledger cannot be applied to the shelf: %s %s",
				      strerror(-err), shelf_error(a->shelf));
	}
	return 0;
}

void archive_turn_over(struct archive *a)
{
	ledger_unlock(a->ledger);
}

int archive_act(struct archive *a, const char *op, json_t *body)
{
	struct ledger_place place;
	json_t *line = NULL;
	int err = ledger_append(a->ledger, archive_now_ms(), op, body, &place);

	if (err != 0)
		return archive_refuse(a, err, "%s/ledger: %s", a->dir, strerror(-err));
	err = ledger_read(a->ledger, place.offset, &line);
	if (err == 0)
		err = apply_one(a, &place, line);
	json_decref(line);
	if (err != 0)
		archive_refuse(a, err, "line %llu of the ledger waits to be applied: %s %s",
			       (unsigned long long)place.n, strerror(-err), shelf_error(a->shelf));
	return err;
}

int archive_audit(struct archive *a, const struct archive_actor *who, const char *action,
		  const uint8_t *id, const char *result, const char *detail)
{
	struct audit_line l = {who->name, who->source, action, id, result, detail};
	int err = audit_add(a->shelf, &l, archive_now_ms());

	if (err != 0)
		archive_refuse(a, err, "the audit cannot be written, so nothing is done: %s",
			       shelf_error(a->shelf));
	return err;
}

int archive_anchor_audit(struct archive *a, uint64_t lines)
{
	char head[DIGEST_TEXT], seen[32];
	uint64_t n;
	int err = audit_head(a->shelf, &n, head);

	if (err == 0)
		err = shelf_value(a->shelf, "audit_anchored", seen, sizeof(seen));
	if (err != 0 || n < strtoull(seen, NULL, 10) + lines || n == 0)
		return err;
	err = archive_turn(a);
	if (err != 0)
		return err;
	err = archive_act(a, "audit",
			  json_pack("{s:I, s:s}", "audit_n", (json_int_t)n, "audit_hash", head));
	archive_turn_over(a);
	snprintf(seen, sizeof(seen), "%llu", (unsigned long long)n);
	return err != 0 ? err : shelf_set_value(a->shelf, "audit_anchored", seen);
}

/* --- opening --- */

static int open_keys(struct archive *a, char *why, size_t size)
{
	struct keyring_source source[CONFIG_MASTER_KEYS_MAX];
	const char *active = a->cfg->active_key[0] != '\0' ? a->cfg->active_key : NULL;

	for (unsigned i = 0; i < a->cfg->n_keys; i++)
		source[i] = (struct keyring_source){a->cfg->keys[i].id, a->cfg->keys[i].file};
	return a->cfg->n_keys == 0
		       ? 0
		       : keyring_open(&a->keyring, source, a->cfg->n_keys, active, why, size);
}

int archive_open(struct archive **out, const struct config *config, char *why, size_t why_size)
{
	struct archive *a = calloc(1, sizeof(*a));
	char path[ARCHIVE_PATH_MAX];
	int err;

	if (a == NULL)
		return -ENOMEM;
	a->config = config;
	a->cfg = config->archive;
	snprintf(a->dir, sizeof(a->dir), "%s", a->cfg->directory);
	if (mkdir(a->dir, 0750) != 0 && errno != EEXIST) {
		err = -errno;
		snprintf(why, why_size, "%s: %s", a->dir, strerror(errno));
		goto fail;
	}
	snprintf(path, sizeof(path), "%.1000s/ledger", a->dir);
	err = ledger_open(&a->ledger, path);
	if (err != 0) {
		snprintf(why, why_size, "%s: %s", path,
			 err == -EBADMSG ? "its last line is damaged; `patchbay recordings verify "
					   "--archive` on a copy tells where"
					 : strerror(-err));
		goto fail;
	}
	snprintf(path, sizeof(path), "%.1000s/archive.db", a->dir);
	err = shelf_open(&a->shelf, path, why, why_size);
	if (err == 0)
		err = open_keys(a, why, why_size);
	if (err != 0)
		goto fail;
	(void)look_open(&a->look, config->database);
	err = archive_turn(a);
	if (err != 0) {
		snprintf(why, why_size, "%s", a->why);
		goto fail;
	}
	archive_turn_over(a);
	*out = a;
	return 0;
fail:
	archive_close(a);
	return err;
}

void archive_close(struct archive *a)
{
	if (a == NULL)
		return;
	look_close(a->look);
	keyring_close(a->keyring);
	shelf_close(a->shelf);
	ledger_close(a->ledger);
	free(a);
}
