/* Recordings over HTTP: what openapi.yaml beside this file says.
 *
 * libmicrohttpd serves with a few threads; each request borrows an archive of its own from a small
 * pool. Sound is read chunk by chunk as fast as the client takes it, so a slow client costs a buffer. Who
 * asks is known by a bearer token and may do what its role says; every request that touches a recording
 * is in the audit before it is answered, refusals too.
 *
 * Without TLS only loopback addresses are taken.
 *
 * Thread: open and close from one.
 */
#ifndef ARCHIVE_SERVER_H
#define ARCHIVE_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/config.h"

enum { SERVER_THREADS = 4, SERVER_BODY_MAX = 65536, SERVER_CONNECTIONS_MAX = 512 };

struct server;

/* Serve at config->archive->listen ("127.0.0.1:8095", "[::1]:0"). `config` must outlive it. Returns 0 or
 * negative errno with a sentence in `why`. */
int server_open(struct server **s, const struct config *config, char *why, size_t why_size);

/* The port that is served, also when 0 was asked for. */
uint16_t server_port(const struct server *s);

/* Ends what is being sent. NULL is fine. */
void server_close(struct server *s);

#endif
