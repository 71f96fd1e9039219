/* A JSON-RPC 2.0 server on a Unix stream socket, one object per line, for any event loop.
 *
 * rpc_server_fd() is one descriptor (an epoll that holds the listener and all clients) which the
 * owner's loop watches for reading; rpc_server_poll() then does whatever is ready and never
 * blocks. Nothing is written outside of rpc_server_poll(): answers and events are queued and the
 * descriptor becomes ready.
 *
 * Methods are rows of a table: name, params' schema, handler. `hello`, `ping` and `subscribe` are
 * built in; anything but `hello` before `hello` is refused. A handler answers at once or later, by
 * a reference that stays valid until it is answered and becomes harmless when the client goes.
 *
 * What bounds a hostile or broken client:
 *   - a line of more than RPC_LINE_MAX bytes gets the error too_large and is skipped;
 *   - once RPC_OUT_MAX bytes wait for a client that does not read, it is disconnected and this is
 *     logged (one answer may be larger than that: the bound is checked before adding);
 *   - a client with RPC_PENDING_MAX unanswered requests is not read from until one is answered;
 *   - one round handles at most a few lines of one client before the next has its turn;
 *   - at most RPC_CLIENTS_MAX clients; a further one is told `overloaded` and closed;
 *   - a peer that is neither root, nor our own user, nor a member of the socket's group is closed.
 *
 * Thread: one owner; handlers run inside rpc_server_poll().
 * Source: include/patchbay/engine-protocol.md; JSON-RPC 2.0 (batches are refused).
 */
#ifndef PATCHBAY_RPC_SERVER_H
#define PATCHBAY_RPC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "patchbay/event_log.h"
#include "patchbay/rpc_error.h"
#include "patchbay/rpc_params.h"

enum {
	RPC_LINE_MAX = 65536,          /* bytes of one line with its newline */
	RPC_OUT_MAX = 4 * 1024 * 1024, /* bytes that may wait for a client */
	RPC_PENDING_MAX = 1024,        /* requests of one client answered later */
	RPC_CLIENTS_MAX = 256,
};

struct rpc_server;

/* A request to be answered later. Plain value; {0} refers to nothing. */
struct rpc_ref {
	uint32_t index;
	uint32_t generation;
};

/* What a handler is called with. Borrowed for the duration of the call. */
struct rpc_call {
	struct rpc_server *server;
	void *owner; /* rpc_server_config.owner */
	const char *method;
	const json_t *params; /* an object, checked against the method's schema */
	uint32_t client;      /* number of the connection, never reused; for the log */
	struct rpc_ref ref;   /* keep this to answer later */
	uint32_t uid;         /* the user on the other side of the socket, as the kernel says */
};

enum rpc_answer {
	RPC_ANSWER_RESULT, /* *result is the answer; the server takes it (NULL means {}) */
	RPC_ANSWER_ERROR,  /* *err is the answer; the server takes err->data */
	RPC_ANSWER_LATER,  /* exactly one of rpc_server_answer/_fail will be called with ref */
};

typedef enum rpc_answer rpc_method_fn(const struct rpc_call *call, json_t **result,
				      struct rpc_error *err);

struct rpc_method {
	const char *name; /* NULL ends the table */
	const struct rpc_param *params;
	rpc_method_fn *handle;
};

/* Called after each request that its handler was called for; `err` is set when `answer` is RPC_ANSWER_ERROR. */
typedef void rpc_handled_fn(const struct rpc_call *call, enum rpc_answer answer,
			    const struct rpc_error *err);

struct rpc_server_config {
	const char *name;    /* member of hello's reply that carries `version`: "engine" */
	const char *version; /* "0.1.0" */
	int protocol;        /* the only protocol version spoken, 1 */
	const struct rpc_method *methods; /* kept; ends with a NULL name */
	void *owner;                      /* handed to the handlers */
	struct event_log *events;         /* for `subscribe`; NULL: no such method. Not owned */
	int group;                        /* gid that the socket is given to, or -1 */
	rpc_handled_fn *handled;          /* or NULL */
};

/* Listen at `path`. A socket file that nobody listens at is replaced.
 * Returns 0, -EADDRINUSE when another process listens there, -ENAMETOOLONG, or the errno of what
 * the kernel refused. */
int rpc_server_open(struct rpc_server **server, const char *path,
		    const struct rpc_server_config *cfg);

/* Disconnect everybody, forget what is unanswered, remove the socket file. NULL is fine. */
void rpc_server_close(struct rpc_server *server);

/* Readable when rpc_server_poll() has something to do. */
int rpc_server_fd(const struct rpc_server *server);

/* Do what is ready; never blocks. */
void rpc_server_poll(struct rpc_server *server);

/* Answer a request for which the handler said LATER. Takes `result` (NULL means {}) or err->data.
 * Returns false when nobody waits for it any more. */
bool rpc_server_answer(struct rpc_server *server, struct rpc_ref ref, json_t *result);
bool rpc_server_fail(struct rpc_server *server, struct rpc_ref ref, struct rpc_error *err);

/* Append an event to the log and queue it to every subscriber. Takes `members` (object or NULL).
 * Returns its number. */
uint64_t rpc_server_event(struct rpc_server *server, uint64_t time_ms, const char *type,
			  json_t *members);

/* This server's own UUID as text: new with each rpc_server_open(). */
const char *rpc_server_instance(const struct rpc_server *server);

/* Wall clock of rpc_server_open(). */
uint64_t rpc_server_started_ms(const struct rpc_server *server);

struct rpc_server_stats {
	uint32_t clients;
	uint64_t accepted, refused, disconnected_slow, requests, errors;
};

void rpc_server_stats(const struct rpc_server *server, struct rpc_server_stats *stats);

#endif
