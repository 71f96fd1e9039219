/* SPDX-License-Identifier: Apache-2.0
 *
 * The edge to libmicrohttpd: addresses, TLS, tokens, bodies, the pool of archives.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "archive/config_file.h"
#include "archive/server_limit.h"
#include "archive/server_priv.h"
#include "base/log.h"

enum { TIMEOUT_S = 60, PEM_MAX = 1 << 20, SECRET_MAX = 512 };

struct server {
	const struct config *config;
	struct MHD_Daemon *daemon;
	uint16_t port;
	char *certificate, *private_key;
	uint8_t (*token)[DIGEST_BYTES]; /* their hashes, as in config->archive->tokens */
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct archive *pool[SERVER_THREADS];
	unsigned free;
	struct server_limit limit;
};

/* --- the pool --- */

static struct archive *borrow(struct server *s)
{
	struct archive *a;

	pthread_mutex_lock(&s->lock);
	while (s->free == 0)
		pthread_cond_wait(&s->returned, &s->lock);
	a = s->pool[--s->free];
	pthread_mutex_unlock(&s->lock);
	return a;
}

static void give_back(struct server *s, struct archive *a)
{
	pthread_mutex_lock(&s->lock);
	s->pool[s->free++] = a;
	pthread_cond_signal(&s->returned);
	pthread_mutex_unlock(&s->lock);
}

/* --- answers --- */

static enum MHD_Result send_text(struct request *r, unsigned status, char *text, const char *type)
{
	struct MHD_Response *m =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result ok;

	if (m == NULL) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(m, "Content-Type", type);
	MHD_add_response_header(m, "Cache-Control", "no-store");
	MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(m, "WWW-Authenticate", "Bearer");
	ok = MHD_queue_response(r->connection, status, m);
	MHD_destroy_response(m);
	return ok;
}

enum MHD_Result server_json(struct request *r, unsigned status, json_t *o)
{
	char *text =
		o != NULL
			? json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6))
			: NULL;

	json_decref(o);
	return text != NULL ? send_text(r, status, text, "application/json") : MHD_NO;
}

enum MHD_Result server_error(struct request *r, unsigned status, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return server_json(r, status, json_pack("{s:s}", "error", text));
}

enum MHD_Result server_failed(struct request *r, int err)
{
	const char *why = archive_why(r->a);
	unsigned status = MHD_HTTP_INTERNAL_SERVER_ERROR;

	if (err == -ENOENT)
		status = MHD_HTTP_NOT_FOUND;
	else if (err == -EPERM)
		status = MHD_HTTP_LOCKED; /* a legal hold */
	else if (err == -EALREADY || err == -EINVAL || err == -ENOTSUP)
		status = MHD_HTTP_CONFLICT;
	else if (err == -EKEYREVOKED)
		status = MHD_HTTP_GONE;
	else if (err == -EBUSY)
		status = MHD_HTTP_SERVICE_UNAVAILABLE;
	return server_error(r, status, "%s", why[0] != '\0' ? why : strerror(-err));
}

const char *server_parameter(struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

enum MHD_Result server_file(struct request *r, int fd, const char *type)
{
	struct MHD_Response *m;
	struct stat st;
	enum MHD_Result ok;

	if (fstat(fd, &st) != 0) {
		close(fd);
		return MHD_NO;
	}
	m = MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
	if (m == NULL) {
		close(fd);
		return MHD_NO;
	}
	MHD_add_response_header(m, "Content-Type", type);
	MHD_add_response_header(m, "Cache-Control", "no-store");
	ok = MHD_queue_response(r->connection, MHD_HTTP_OK, m);
	MHD_destroy_response(m);
	return ok;
}

/* --- requests --- */

static void source_of(struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	snprintf(r->source, sizeof(r->source), "?");
	if (info != NULL)
		(void)getnameinfo(info->client_addr,
				  info->client_addr->sa_family == AF_INET6
					  ? sizeof(struct sockaddr_in6)
					  : sizeof(struct sockaddr_in),
				  r->source, sizeof(r->source), NULL, 0, NI_NUMERICHOST);
	r->who.source = r->source;
}

static const char nobody[] = "unknown";

/* Every token is compared, in the same time whichever it is. */
static bool who_is_it(struct request *r)
{
	const struct config_archive *cfg = r->server->config->archive;
	const char *header =
		MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Authorization");
	uint8_t sha[DIGEST_BYTES];
	bool known = false;

	r->who.name = nobody;
	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
		return false;
	digest_bytes(header + 7, strlen(header + 7), sha);
	for (unsigned i = 0; i < cfg->n_tokens; i++)
		if (CRYPTO_memcmp(sha, r->server->token[i], DIGEST_BYTES) == 0) {
			known = true;
			r->role = cfg->tokens[i].role;
			r->who.name = cfg->tokens[i].name;
		}
	return known;
}

static enum MHD_Result answer(struct request *r)
{
	enum MHD_Result ok;

	source_of(r);
	if (strcmp(r->url, "/v1/health") == 0)
		return server_json(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"));
	r->a = borrow(r->server);
	if (r->body_too_long) {
		ok = server_error(r, MHD_HTTP_CONTENT_TOO_LARGE, "a body has at most %d bytes",
				  SERVER_BODY_MAX);
	} else if (!who_is_it(r) &&
		   !server_limit_failed(&r->server->limit, r->source, archive_now_ms())) {
		ok = server_error(r, MHD_HTTP_TOO_MANY_REQUESTS,
				  "too many requests without a valid token; one is heard each %d s",
				  LIMIT_EVERY_MS / 1000);
	} else if (r->who.name == nobody) {
		(void)archive_audit(r->a, &r->who, "http", NULL, "no valid token", r->url);
		ok = server_error(r, MHD_HTTP_UNAUTHORIZED, "a valid bearer token is needed");
	} else {
		ok = server_route(r);
	}
	give_back(r->server, r->a);
	r->a = NULL;
	return ok;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_bytes, void **state)
{
	struct request *r = *state;

	(void)version;
	if (r == NULL) {
		r = calloc(1, sizeof(*r));
		if (r == NULL)
			return MHD_NO;
		r->server = ctx;
		r->connection = connection;
		*state = r;
		return MHD_YES;
	}
	if (*upload_bytes > 0) {
		char *more = r->body_bytes + *upload_bytes <= SERVER_BODY_MAX
				     ? realloc(r->body, r->body_bytes + *upload_bytes + 1)
				     : NULL;

		if (more == NULL) {
			r->body_too_long = true;
		} else {
			memcpy(more + r->body_bytes, upload, *upload_bytes);
			r->body_bytes += *upload_bytes;
			more[r->body_bytes] = '\0';
			r->body = more;
		}
		*upload_bytes = 0;
		return MHD_YES;
	}
	r->method = method;
	r->url = url;
	return answer(r);
}

static void on_end(void *ctx, struct MHD_Connection *connection, void **state,
		   enum MHD_RequestTerminationCode why)
{
	struct request *r = *state;

	(void)ctx;
	(void)connection;
	(void)why;
	if (r != NULL) {
		free(r->body);
		free(r);
	}
	*state = NULL;
}

static void on_log(void *ctx, const char *fmt, va_list ap)
{
	char text[300];

	(void)ctx;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug("http", "%s", text);
}

/* --- opening --- */

static char *read_pem(const char *path, char *why, size_t size)
{
	char *text = calloc(1, PEM_MAX);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL && text != NULL ? fread(text, 1, PEM_MAX - 1, f) : 0;

	if (n == 0)
		snprintf(why, size, "%s: %s", path, f != NULL ? "is empty" : strerror(errno));
	if (f != NULL)
		fclose(f);
	if (n != 0)
		return text;
	free(text);
	return NULL;
}

/* "127.0.0.1:8095", "[::1]:8095" */
static int read_address(const char *text, struct sockaddr_storage *out, bool *loopback)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	bool v6 = text[0] == '[';
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM},
			*info;

	if (colon == NULL || colon - text >= (long)sizeof(host) || (v6 && colon[-1] != ']'))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text) - 2 * v6, text + v6);
	if (getaddrinfo(host, colon + 1, &hints, &info) != 0)
		return -EINVAL;
	memcpy(out, info->ai_addr, info->ai_addrlen);
	freeaddrinfo(info);
	*loopback = strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
	return 0;
}

static int read_tokens(struct server *s, char *why, size_t size)
{
	const struct config_archive *cfg = s->config->archive;
	char secret[SECRET_MAX];
	int err = 0;

	if (cfg->n_tokens == 0) {
		snprintf(why, size, "archive: http needs tokens, or nobody could use it");
		return -EINVAL;
	}
	s->token = calloc(cfg->n_tokens, DIGEST_BYTES);
	if (s->token == NULL)
		return -ENOMEM;
	for (unsigned i = 0; err == 0 && i < cfg->n_tokens; i++) {
		err = archive_config_secret(&cfg->tokens[i].token, secret, sizeof(secret), why,
					    size);
		if (err == 0 && strlen(secret) < 16) {
			snprintf(why, size, "the token of %s is shorter than 16 letters",
				 cfg->tokens[i].name);
			err = -EINVAL;
		}
		digest_bytes(secret, strlen(secret), s->token[i]);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	return err;
}

static int start(struct server *s, char *why, size_t size)
{
	const struct config_archive *cfg = s->config->archive;
	bool tls = cfg->certificate[0] != '\0', loopback = false;
	unsigned flags =
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0);
	struct sockaddr_storage address = {0};
	const union MHD_DaemonInfo *info;

	if (read_address(cfg->listen, &address, &loopback) != 0) {
		snprintf(why, size, "http: listen: \"%.80s\" is not ADDRESS:PORT", cfg->listen);
		return -EINVAL;
	}
	if (!tls && !loopback) {
		snprintf(why, size,
			 "http: listen: %.80s is no loopback address, so a certificate and a "
			 "private_key are needed",
			 cfg->listen);
		return -EINVAL;
	}
	if (tls) {
		s->certificate = read_pem(cfg->certificate, why, size);
		s->private_key =
			s->certificate != NULL ? read_pem(cfg->private_key, why, size) : NULL;
		if (s->private_key == NULL)
			return -EINVAL;
	}
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	s->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)SERVER_THREADS, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)SERVER_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)TIMEOUT_S, tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END,
		s->certificate, MHD_OPTION_HTTPS_MEM_KEY, s->private_key, MHD_OPTION_END);
	if (s->daemon == NULL) {
		int err = errno != 0 ? errno : EIO;

		snprintf(why, size, "http: %s cannot be served: %s", cfg->listen, strerror(err));
		return -err;
	}
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	s->port = info != NULL ? info->port : 0;
	log_info("http", "serving %s://%s (port %u)", tls ? "https" : "http", cfg->listen, s->port);
	return 0;
}

int server_open(struct server **out, const struct config *config, char *why, size_t why_size)
{
	struct server *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return -ENOMEM;
	s->config = config;
	server_limit_init(&s->limit);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->returned, NULL);
	err = read_tokens(s, why, why_size);
	while (err == 0 && s->free < SERVER_THREADS) {
		err = archive_open(&s->pool[s->free], config, why, why_size);
		s->free += err == 0;
	}
	if (err == 0)
		err = start(s, why, why_size);
	if (err != 0) {
		server_close(s);
		return err;
	}
	*out = s;
	return 0;
}

uint16_t server_port(const struct server *s)
{
	return s->port;
}

void server_close(struct server *s)
{
	if (s == NULL)
		return;
	if (s->daemon != NULL)
		MHD_stop_daemon(s->daemon);
	for (unsigned i = 0; i < s->free; i++)
		archive_close(s->pool[i]);
	free(s->token);
	free(s->certificate);
	if (s->private_key != NULL)
		OPENSSL_cleanse(s->private_key, strlen(s->private_key));
	free(s->private_key);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->returned);
	free(s);
}
