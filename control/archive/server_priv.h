/* What the files of the server share: a request on its way.
 *
 * server.c owns the connection, who it is and how answers leave; server_routes.c knows what is asked
 * for; server_sound.c sends sound.
 *
 * Thread: the request's.
 */
#ifndef ARCHIVE_SERVER_PRIV_H
#define ARCHIVE_SERVER_PRIV_H

#include <microhttpd.h>

#include "archive/archive.h"
#include "archive/server.h"

struct request {
	struct server *server;
	struct MHD_Connection *connection;
	const char *method, *url;
	char *body;
	size_t body_bytes;
	bool body_too_long;
	char source[64];
	enum config_role role;
	struct archive_actor who;
	struct archive *a; /* borrowed from the pool while the request is handled */
};

typedef enum MHD_Result route_fn(struct request *r, const uint8_t *id, const char *rest);

/* Find and run what the URL names. */
enum MHD_Result server_route(struct request *r);

/* Answers. `o` is taken. */
enum MHD_Result server_json(struct request *r, unsigned status, json_t *o);
enum MHD_Result server_error(struct request *r, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What an errno of the archive means to a client. */
enum MHD_Result server_failed(struct request *r, int err);

/* A parameter of the URL, or NULL. */
const char *server_parameter(struct request *r, const char *name);

/* `length` bytes of an open file from its beginning, taken. */
enum MHD_Result server_file(struct request *r, int fd, const char *type);

/* Bytes that can be read from any place, for an answer to GET with or without a range. */
struct server_source {
	/* Up to `max` bytes from `at`; 0 at the end, negative errno. */
	ssize_t (*read)(void *ctx, void *buf, size_t max, uint64_t at);
	void (*close)(void *ctx); /* when the answer has been sent, or could not be */
	void *ctx;
	uint64_t bytes;
	const char *etag; /* quoted, or "" when the bytes may still change */
	const char *id, *format;
};

/* Answer with it, whole or one range (RFC 9110, 14). Takes `ctx`. */
enum MHD_Result server_send(struct request *r, const struct server_source *src, bool download);

/* GET sound of a finished recording. */
enum MHD_Result server_sound(struct request *r, const json_t *row, bool download);

/* GET sound of one that is not finished. */
enum MHD_Result server_live(struct request *r, const uint8_t id[16]);

#endif
