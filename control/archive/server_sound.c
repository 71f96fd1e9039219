/* SPDX-License-Identifier: Apache-2.0
 *
 * Sound in answer to GET: whole or one range. The file stays open while it is sent, so a deletion
 * meanwhile ends nobody's hearing in mid-word, and nothing is read ahead of what the client takes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/server_priv.h"
#include "base/log.h"

struct sending {
	struct server_source src;
	uint64_t from, n;
};

static ssize_t send_some(void *ctx, uint64_t at, char *buf, size_t max)
{
	struct sending *s = ctx;
	uint64_t left = at < s->n ? s->n - at : 0;
	ssize_t n = s->src.read(s->src.ctx, buf, left < max ? (size_t)left : max, s->from + at);

	if (n < 0) {
		log_error("http", "a recording cannot be read on: %s", strerror((int)-n));
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	return n > 0 ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void sent(void *ctx)
{
	struct sending *s = ctx;

	s->src.close(s->src.ctx);
	free(s);
}

enum range { RANGE_NONE, RANGE_ONE, RANGE_UNSATISFIABLE };

/* "bytes=0-499", "bytes=500-", "bytes=-500"; what is not one of these is ignored (RFC 9110, 14.2). */
static enum range read_range(const char *text, uint64_t size, uint64_t *from, uint64_t *n)
{
	uint64_t last = size - 1;
	char *end;

	*from = 0;
	*n = size;
	if (text == NULL || strncmp(text, "bytes=", 6) != 0 || strchr(text, ',') != NULL)
		return RANGE_NONE;
	text += 6;
	if (*text == '-') {
		uint64_t suffix = strtoull(text + 1, &end, 10);

		if (end == text + 1 || *end != '\0')
			return RANGE_NONE;
		if (suffix == 0 || size == 0)
			return RANGE_UNSATISFIABLE;
		*from = suffix < size ? size - suffix : 0;
	} else {
		if (*text < '0' || *text > '9')
			return RANGE_NONE;
		*from = strtoull(text, &end, 10);
		if (*end != '-')
			return RANGE_NONE;
		text = end + 1;
		if (*text != '\0') {
			uint64_t to = strtoull(text, &end, 10);

			if (*end != '\0' || *text < '0' || *text > '9' || to < *from)
				return RANGE_NONE;
			last = to < last ? to : last;
		}
		if (*from >= size)
			return RANGE_UNSATISFIABLE;
	}
	*n = last - *from + 1;
	return RANGE_ONE;
}

static const char *header(struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static void describe(struct MHD_Response *m, const struct server_source *src, bool download)
{
	bool opus = strcmp(src->format, "opus") == 0;
	char text[160];

	MHD_add_response_header(m, "Content-Type", opus ? "audio/ogg" : "audio/wav");
	MHD_add_response_header(m, "Accept-Ranges", "bytes");
	MHD_add_response_header(m, "Cache-Control", "private, no-store");
	if (src->etag[0] != '\0')
		MHD_add_response_header(m, "ETag", src->etag);
	snprintf(text, sizeof(text), "%s; filename=\"%.40s.%s\"",
		 download ? "attachment" : "inline", src->id, opus ? "opus" : "wav");
	MHD_add_response_header(m, "Content-Disposition", text);
}

enum MHD_Result server_send(struct request *r, const struct server_source *src, bool download)
{
	const char *if_range = header(r, "If-Range");
	bool may = if_range == NULL || strcmp(if_range, src->etag) == 0;
	struct sending *s = calloc(1, sizeof(*s));
	struct MHD_Response *m;
	unsigned status = MHD_HTTP_OK;
	uint64_t size = src->bytes;
	char text[100];
	enum range range;
	enum MHD_Result ok;

	if (s == NULL) {
		src->close(src->ctx);
		return MHD_NO;
	}
	s->src = *src;
	range = read_range(may ? header(r, "Range") : NULL, size, &s->from, &s->n);
	if (range == RANGE_NONE)
		s->from = 0;
	if (range != RANGE_ONE)
		s->n = range == RANGE_NONE ? size : 0;
	m = MHD_create_response_from_callback(s->n, 65536, send_some, s, sent);
	if (m == NULL) {
		sent(s);
		return MHD_NO;
	}
	if (range == RANGE_ONE) {
		status = MHD_HTTP_PARTIAL_CONTENT;
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, s->from,
			 s->from + s->n - 1, size);
		MHD_add_response_header(m, "Content-Range", text);
	} else if (range == RANGE_UNSATISFIABLE) {
		status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
		MHD_add_response_header(m, "Content-Range", text);
	}
	describe(m, src, download);
	ok = MHD_queue_response(r->connection, status, m);
	MHD_destroy_response(m);
	return ok;
}

static ssize_t read_seal(void *ctx, void *buf, size_t max, uint64_t at)
{
	return seal_pread(ctx, buf, max, at);
}

static void close_seal(void *ctx)
{
	seal_close(ctx);
}

enum MHD_Result server_sound(struct request *r, const json_t *row, bool download)
{
	const char *sha = json_string_value(json_object_get(row, "sha256"));
	const char *format = json_string_value(json_object_get(row, "format"));
	struct seal *seal;
	char etag[80], first[1];
	int err = archive_sound(r->a, row, &seal);

	/* a damaged beginning is said, not sent */
	if (err == 0 && seal_pread(seal, first, 1, 0) < 0) {
		seal_close(seal);
		err = -EBADMSG;
	}
	if (err != 0)
		return server_failed(r, err);
	snprintf(etag, sizeof(etag), "\"%.64s\"", sha != NULL ? sha : "");

	struct server_source src = {
		.read = read_seal,
		.close = close_seal,
		.ctx = seal,
		.bytes = seal_bytes(seal),
		.etag = etag,
		.id = json_string_value(json_object_get(row, "recording")),
		.format = format != NULL ? format : "wav",
	};

	return server_send(r, &src, download);
}
