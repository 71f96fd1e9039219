/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be asked for, by whom. The table is openapi.yaml in C.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/audit.h"
#include "archive/copy.h"
#include "archive/overview.h"
#include "archive/server_priv.h"
#include "patchbay/recording.h"

struct filtering {
	struct shelf_filter f;
	char why[400];
	int err;
};

static enum MHD_Result take_parameter(void *ctx, enum MHD_ValueKind kind, const char *name,
				      const char *value)
{
	struct filtering *x = ctx;

	(void)kind;
	if (x->err == 0)
		x->err = shelf_filter_set(&x->f, name, value != NULL ? value : "", archive_now_ms(),
					  x->why, sizeof(x->why));
	return x->err == 0 ? MHD_YES : MHD_NO;
}

static enum MHD_Result do_search(struct request *r, const uint8_t *id, const char *rest)
{
	struct filtering x = {.err = 0};
	json_t *page;
	int err;

	(void)id;
	(void)rest;
	shelf_filter_init(&x.f);
	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, take_parameter, &x);
	if (x.err != 0)
		return server_error(r, MHD_HTTP_BAD_REQUEST, "%s", x.why);
	err = archive_audit(r->a, &r->who, "search", NULL, "ok", "");
	if (err == 0)
		err = shelf_search(archive_shelf(r->a), &x.f, &page);
	return err != 0 ? server_failed(r, err) : server_json(r, MHD_HTTP_OK, page);
}

/* The row, with the audit's line written first. NULL: *answer is what was answered instead. */
static json_t *row_for(struct request *r, const uint8_t *id, const char *action,
		       enum MHD_Result *answer)
{
	json_t *row = NULL;
	int err = shelf_get(archive_shelf(r->a), id, &row), audit;

	audit = archive_audit(r->a, &r->who, action, id, err == 0 ? "ok" : "there is none", r->url);
	if (err == 0 && audit == 0)
		return row;
	json_decref(row);
	*answer = err == -ENOENT ? server_error(r, MHD_HTTP_NOT_FOUND, "there is no such recording")
				 : server_failed(r, err != 0 ? err : audit);
	return NULL;
}

static enum MHD_Result do_show(struct request *r, const uint8_t *id, const char *rest)
{
	enum MHD_Result answer = MHD_NO;
	json_t *row = row_for(r, id, "show", &answer);

	(void)rest;
	return row != NULL ? server_json(r, MHD_HTTP_OK, row) : answer;
}

static enum MHD_Result do_audio(struct request *r, const uint8_t *id, const char *rest)
{
	enum MHD_Result answer = MHD_NO;
	json_t *row;
	int err;

	(void)rest;
	if (shelf_has(archive_shelf(r->a), id) == 0) { /* not finished, or none at all */
		err = archive_audit(r->a, &r->who, "listen", id, "ok", "from the store");
		return err != 0 ? server_failed(r, err) : server_live(r, id);
	}
	row = row_for(r, id, "listen", &answer);
	if (row == NULL)
		return answer;
	answer = server_sound(r, row, false);
	json_decref(row);
	return answer;
}

static enum MHD_Result do_file(struct request *r, const uint8_t *id, const char *rest)
{
	enum MHD_Result answer = MHD_NO;
	json_t *row = row_for(r, id, "export", &answer);

	(void)rest;
	if (row == NULL)
		return answer;
	answer = server_sound(r, row, true);
	json_decref(row);
	return answer;
}

static enum MHD_Result do_waveform(struct request *r, const uint8_t *id, const char *rest)
{
	const char *width = server_parameter(r, "width"), *format = server_parameter(r, "format");
	enum MHD_Result answer = MHD_NO;
	json_t *row = row_for(r, id, "waveform", &answer), *doc;
	uint8_t *bytes = NULL;
	char *text;
	size_t n = 0;
	int err, fd;

	(void)rest;
	if (row == NULL)
		return answer;
	err = archive_overview(r->a, row, &bytes, &n);
	json_decref(row);
	if (err != 0)
		return server_failed(r, err);
	if (format != NULL && strcmp(format, "binary") == 0) {
		fd = memfd_create("waveform", MFD_CLOEXEC);
		err = fd >= 0 ? digest_write_all(fd, bytes, n) : -errno;
		free(bytes);
		return err == 0 ? server_file(r, fd, "application/octet-stream")
				: server_failed(r, err);
	}
	text = overview_json(bytes, n, width != NULL ? (uint32_t)strtoul(width, NULL, 10) : 0);
	free(bytes);
	doc = text != NULL ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return doc != NULL ? server_json(r, MHD_HTTP_OK, doc) : server_failed(r, -EBADMSG);
}

/* ?from=12.5&to=20&mask=13-14&anonymous=1&format=wav */
static enum MHD_Result do_excerpt(struct request *r, const uint8_t *id, const char *rest)
{
	const char *span = server_parameter(r, "span"), *mask = server_parameter(r, "mask");
	const char *format = server_parameter(r, "format");
	bool opus = format != NULL && strcmp(format, "opus") == 0;
	enum MHD_Result answer = MHD_NO;
	struct copy_span masks[1];
	struct copy_piece piece = {0};
	struct copy how = {.piece = &piece, .pieces = 1, .mask = masks};
	uint64_t ms;
	json_t *row;
	int err;

	(void)rest;
	if ((span != NULL && !copy_span_parse(span, &piece.span)) ||
	    (mask != NULL && !copy_span_parse(mask, &masks[0])))
		return server_error(r, MHD_HTTP_BAD_REQUEST,
				    "span and mask are FROM-TO in seconds, such as 12.5-20");
	row = row_for(r, id, "export", &answer);
	if (row == NULL)
		return answer;
	how.masks = mask != NULL;
	how.anonymous = server_parameter(r, "anonymous") != NULL;
	how.format = opus ? RECORDING_FORMAT_OPUS : RECORDING_FORMAT_WAV;
	how.fd = memfd_create("excerpt", MFD_CLOEXEC);
	piece.row = row;
	err = how.fd >= 0 ? archive_copy(r->a, &how, &ms) : -errno;
	json_decref(row);
	if (err == 0)
		return server_file(r, how.fd, opus ? "audio/ogg" : "audio/wav");
	if (how.fd >= 0)
		close(how.fd);
	return server_failed(r, err);
}

static enum MHD_Result do_proof(struct request *r, const uint8_t *id, const char *rest)
{
	json_t *verdict;
	int err = archive_audit(r->a, &r->who, "prove", id, "ok", "");

	(void)rest;
	if (err == 0)
		err = archive_prove(r->a, id, NULL, &verdict);
	return err != 0 ? server_failed(r, err) : server_json(r, MHD_HTTP_OK, verdict);
}

static json_t *body_text(struct request *r, const char *member, const char **text)
{
	json_t *o = r->body != NULL ? json_loadb(r->body, r->body_bytes, 0, NULL) : NULL;

	*text = json_string_value(json_object_get(o, member));
	return o;
}

static enum MHD_Result done(struct request *r, int err)
{
	return err != 0 ? server_failed(r, err)
			: server_json(r, MHD_HTTP_OK, json_pack("{s:b}", "done", 1));
}

static enum MHD_Result do_note(struct request *r, const uint8_t *id, const char *rest)
{
	const char *text;
	json_t *body = body_text(r, "text", &text);
	int err = -EINVAL;

	(void)rest;
	if (text != NULL)
		err = archive_audit(r->a, &r->who, "note", id, "ok", "");
	if (err == 0)
		err = shelf_note(archive_shelf(r->a), id, r->who.name, text, archive_now_ms());
	json_decref(body);
	return text == NULL ? server_error(r, MHD_HTTP_BAD_REQUEST, "{\"text\": \"...\"} is needed")
			    : done(r, err);
}

static enum MHD_Result refused(struct request *r, const char *action, const uint8_t *id)
{
	(void)archive_audit(r->a, &r->who, action, id, "the role does not allow it", r->url);
	return server_error(r, MHD_HTTP_FORBIDDEN, "the role of %s does not allow it", r->who.name);
}

/* Whether a rule of retention goes by this tag: then it decides how long a recording lives. */
static bool decides(const struct config_archive *cfg, const char *tag)
{
	for (unsigned i = 0; i < cfg->n_retention; i++)
		if (strcmp(cfg->retention[i].tag, tag) == 0)
			return true;
	return false;
}

static enum MHD_Result do_tag(struct request *r, const uint8_t *id, const char *rest)
{
	bool on = strcmp(r->method, "PUT") == 0;
	int err;

	if (rest[0] == '\0' || strlen(rest) > 64)
		return server_error(r, MHD_HTTP_BAD_REQUEST, "a tag has 1 to 64 bytes");
	if (r->role < CONFIG_ROLE_OFFICER && decides(archive_config(r->a), rest))
		return refused(r, on ? "tag" : "untag", id);
	err = archive_audit(r->a, &r->who, on ? "tag" : "untag", id, "ok", rest);
	if (err == 0)
		err = shelf_tag(archive_shelf(r->a), id, rest, on);
	if (err == 0)
		err = archive_reclassify(r->a, id);
	return done(r, err);
}

static enum MHD_Result with_reason(struct request *r, const uint8_t *id,
				   int (*act)(struct archive *, const struct archive_actor *,
					      const uint8_t[16], const char *))
{
	const char *reason;
	json_t *body = body_text(r, "reason", &reason);
	enum MHD_Result ok;

	if (reason == NULL || reason[0] == '\0')
		ok = server_error(r, MHD_HTTP_BAD_REQUEST, "{\"reason\": \"...\"} is needed");
	else
		ok = done(r, act(r->a, &r->who, id, reason));
	json_decref(body);
	return ok;
}

static enum MHD_Result do_hold(struct request *r, const uint8_t *id, const char *rest)
{
	(void)rest;
	return with_reason(r, id, archive_hold);
}

static enum MHD_Result do_release(struct request *r, const uint8_t *id, const char *rest)
{
	(void)rest;
	return with_reason(r, id, archive_release);
}

static enum MHD_Result do_delete(struct request *r, const uint8_t *id, const char *rest)
{
	(void)rest;
	return with_reason(r, id, archive_delete);
}

static enum MHD_Result do_audit(struct request *r, const uint8_t *id, const char *rest)
{
	const char *after = server_parameter(r, "after"), *limit = server_parameter(r, "limit");
	const char *recording = server_parameter(r, "recording");
	unsigned long n = limit != NULL ? strtoul(limit, NULL, 10) : 0;
	struct audit_filter f = {.actor = server_parameter(r, "actor"),
				 .action = server_parameter(r, "action"),
				 .refused = server_parameter(r, "refused") != NULL,
				 .after = after != NULL ? strtoull(after, NULL, 10) : 0,
				 .limit = n > 1000 ? 1000 : (uint32_t)n};
	uint8_t key[16];
	json_t *page;
	int err;

	(void)id;
	(void)rest;
	if (recording != NULL && recording_id_parse(recording, key) != 0)
		return server_error(r, MHD_HTTP_BAD_REQUEST, "recording is no recording's id");
	f.id = recording != NULL ? key : NULL;
	err = archive_audit(r->a, &r->who, "audit", f.id, "ok", "");
	if (err == 0)
		err = audit_list(archive_shelf(r->a), &f, &page);
	return err != 0 ? server_failed(r, err) : server_json(r, MHD_HTTP_OK, page);
}

static const struct {
	const char *method, *path; /* behind /v1/recordings/ID; NULL: not of one recording */
	enum config_role role;
	route_fn *run;
	const char *action;
} routes[] = {
	{"GET", "", CONFIG_ROLE_READER, do_show, "show"},
	{"GET", "/waveform", CONFIG_ROLE_READER, do_waveform, "waveform"},
	{"GET", "/proof", CONFIG_ROLE_READER, do_proof, "prove"},
	{"GET", "/audio", CONFIG_ROLE_LISTENER, do_audio, "listen"},
	{"POST", "/notes", CONFIG_ROLE_LISTENER, do_note, "note"},
	{"PUT", "/tags/", CONFIG_ROLE_LISTENER, do_tag, "tag"},
	{"DELETE", "/tags/", CONFIG_ROLE_LISTENER, do_tag, "untag"},
	{"GET", "/file", CONFIG_ROLE_EXPORTER, do_file, "export"},
	{"GET", "/excerpt", CONFIG_ROLE_EXPORTER, do_excerpt, "export"},
	{"POST", "/hold", CONFIG_ROLE_OFFICER, do_hold, "hold"},
	{"POST", "/release", CONFIG_ROLE_OFFICER, do_release, "release"},
	{"POST", "/delete", CONFIG_ROLE_OFFICER, do_delete, "delete"},
};

static bool named(const char *path, const char *rest)
{
	size_t n = strlen(path);

	return n > 0 && path[n - 1] == '/' ? strncmp(path, rest, n) == 0 : strcmp(path, rest) == 0;
}

static enum MHD_Result of_one(struct request *r, const char *rest)
{
	bool path_known = false;
	char text[RECORDING_ID_TEXT];
	uint8_t id[16];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(rest, "/"), rest);
	if (strcspn(rest, "/") >= sizeof(text) || recording_id_parse(text, id) != 0)
		return server_error(r, MHD_HTTP_NOT_FOUND, "\"%.60s\" is no recording's id", rest);
	rest += strcspn(rest, "/");
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		bool head = strcmp(r->method, "HEAD") == 0 && strcmp(routes[i].method, "GET") == 0;

		if (!named(routes[i].path, rest))
			continue;
		path_known = true;
		if (!head && strcmp(routes[i].method, r->method) != 0)
			continue;
		if (r->role < routes[i].role)
			return refused(r, routes[i].action, id);
		return routes[i].run(r, id, rest + strlen(routes[i].path));
	}
	return path_known ? server_error(r, MHD_HTTP_METHOD_NOT_ALLOWED, "%s is not for this",
					 r->method)
			  : server_error(r, MHD_HTTP_NOT_FOUND, "there is no %.100s", r->url);
}

enum MHD_Result server_route(struct request *r)
{
	static const char list[] = "/v1/recordings";
	bool get = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;

	if (strcmp(r->url, list) == 0 && get)
		return do_search(r, NULL, "");
	if (strncmp(r->url, list, sizeof(list) - 1) == 0 && r->url[sizeof(list) - 1] == '/')
		return of_one(r, r->url + sizeof(list));
	if (strcmp(r->url, "/v1/audit") == 0 && get)
		return r->role >= CONFIG_ROLE_OFFICER ? do_audit(r, NULL, "")
						      : refused(r, "audit", NULL);
	return server_error(r, MHD_HTTP_NOT_FOUND, "there is no %.100s", r->url);
}
