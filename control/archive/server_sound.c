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
	struct seal *seal;
	uint64_t from, n;
};

static ssize_t send_some(void *ctx, uint64_t at, char *buf, size_t max)
{
	struct sending *s = ctx;
	uint64_t left = at < s->n ? s->n - at : 0;
	ssize_t n = seal_pread(s->seal, buf, left < max ? (size_t)left : max, s->from + at);

	if (n < 0) {
		log_error("http", "a finished file cannot be read on: %s", strerror((int)-n));
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	return n > 0 ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void sent(void *ctx)
{
	struct sending *s = ctx;

	seal_close(s->seal);
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

static enum MHD_Result reply(struct request *r, const json_t *row, struct sending *s, uint64_t size,
			     const char *etag, bool download)
{
	const char *format = json_string_value(json_object_get(row, "format"));
	const char *id = json_string_value(json_object_get(row, "recording"));
	const char *if_range = header(r, "If-Range");
	bool opus = format != NULL && strcmp(format, "opus") == 0;
	enum range range;
	struct MHD_Response *m;
	char text[160];
	uint64_t n;
	enum MHD_Result ok;

	range = read_range(if_range == NULL || strcmp(if_range, etag) == 0 ? header(r, "Range")
									   : NULL,
			   size, &s->from, &n);
	if (range == RANGE_UNSATISFIABLE)
		n = 0;
	if (range == RANGE_NONE) {
		s->from = 0;
		n = size;
	}
	s->n = n;
	m = MHD_create_response_from_callback(n, 65536, send_some, s, sent);
	if (m == NULL) {
		sent(s);
		return MHD_NO;
	}
	if (range == RANGE_ONE) {
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, s->from,
			 s->from + n - 1, size);
		MHD_add_response_header(m, "Content-Range", text);
	} else if (range == RANGE_UNSATISFIABLE) {
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
		MHD_add_response_header(m, "Content-Range", text);
	}
	MHD_add_response_header(m, "Content-Type", opus ? "audio/ogg" : "audio/wav");
	MHD_add_response_header(m, "Accept-Ranges", "bytes");
	MHD_add_response_header(m, "Cache-Control", "private, no-store");
	MHD_add_response_header(m, "ETag", etag);
	snprintf(text, sizeof(text), "%s; filename=\"%s.%s\"", download ? "attachment" : "inline",
		 id, opus ? "opus" : "wav");
	MHD_add_response_header(m, "Content-Disposition", text);
	ok = MHD_queue_response(r->connection,
				range == RANGE_ONE             ? MHD_HTTP_PARTIAL_CONTENT
				: range == RANGE_UNSATISFIABLE ? MHD_HTTP_RANGE_NOT_SATISFIABLE
							       : MHD_HTTP_OK,
				m);
	MHD_destroy_response(m);
	return ok;
}

enum MHD_Result server_sound(struct request *r, const json_t *row, bool download)
{
	const char *sha = json_string_value(json_object_get(row, "sha256"));
	struct sending *s = calloc(1, sizeof(*s));
	char etag[80], first[1];
	int err;

	if (s == NULL)
		return MHD_NO;
	err = archive_sound(r->a, row, &s->seal);
	/* a damaged beginning is said, not sent */
	if (err == 0 && seal_pread(s->seal, first, 1, 0) < 0) {
		seal_close(s->seal);
		err = -EBADMSG;
	}
	if (err != 0) {
		free(s);
		return server_failed(r, err);
	}
	snprintf(etag, sizeof(etag), "\"%.64s\"", sha != NULL ? sha : "");
	return reply(r, row, s, seal_bytes(s->seal), etag, download);
}
