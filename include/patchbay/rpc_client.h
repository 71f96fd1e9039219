/* The other end of rpc_server.h: blocking calls for a command line, callbacks for an event loop.
 *
 * Blocking:      rpc_client_open, rpc_client_hello, rpc_client_call ..., rpc_client_close.
 * Event loop:    watch rpc_client_fd() for reading and call rpc_client_poll() when it is; every
 *                rpc_client_request() is answered by its callback exactly once. Both may be mixed:
 *                events and other replies that arrive during a blocking call are delivered.
 *
 * The client does not reconnect by itself: when rpc_client_poll() or a call says that the
 * connection is gone, close it and open another (then `hello`, compare `instance`, `snapshot`,
 * `subscribe`).
 *
 * Bounds: a line from the server of more than RPC_CLIENT_LINE_MAX bytes, or what is not JSON-RPC,
 * ends the connection (-EPROTO); more than RPC_CLIENT_OUT_MAX unsent bytes or
 * RPC_CLIENT_PENDING_MAX open requests refuse a request (-ENOBUFS).
 *
 * Thread: one owner.
 */
#ifndef PATCHBAY_RPC_CLIENT_H
#define PATCHBAY_RPC_CLIENT_H

#include <stdint.h>

#include "patchbay/rpc_error.h"

enum {
	RPC_CLIENT_LINE_MAX = 64 * 1024 * 1024,
	RPC_CLIENT_OUT_MAX = 16 * 1024 * 1024,
	RPC_CLIENT_PENDING_MAX = 65536,
};

struct rpc_client;

enum rpc_reply_kind {
	RPC_REPLY_RESULT,
	RPC_REPLY_ERROR,   /* the server refused: `error` says why */
	RPC_REPLY_TIMEOUT, /* no answer in time; a late one is ignored */
	RPC_REPLY_GONE,    /* the connection ended (or rpc_client_close) before the answer */
};

struct rpc_reply {
	enum rpc_reply_kind kind;
	const json_t *result;          /* RESULT; borrowed */
	const struct rpc_error *error; /* ERROR; borrowed */
};

/* Called from rpc_client_poll(), rpc_client_call() or, with GONE, rpc_client_close(). It may make
 * requests but must not close the client. */
typedef void rpc_client_reply_fn(void *arg, const struct rpc_reply *reply);

/* One event's params: {seq, time_ms, type, ...}; borrowed. Same rules. */
typedef void rpc_client_event_fn(void *arg, const json_t *params);

/* Connect to the socket at `path`. Returns 0 or negative errno (-ENOENT: no such socket,
 * -ECONNREFUSED: nobody listens, -EACCES: no right to). */
int rpc_client_open(struct rpc_client **client, const char *path);

/* Call every open request's callback with GONE, then free. NULL is fine. */
void rpc_client_close(struct rpc_client *client);

/* Where events go; none before this is called. */
void rpc_client_on_event(struct rpc_client *client, rpc_client_event_fn *fn, void *arg);

/* Readable when rpc_client_poll() has something to do (data, room to write, a timeout). */
int rpc_client_fd(const struct rpc_client *client);

/* Do what is ready; never blocks. Returns 0, or negative errno once the connection has ended
 * (-EPIPE: the server closed it; -EPROTO: it sent rubbish); then all callbacks have been called. */
int rpc_client_poll(struct rpc_client *client);

/* Send a request; `fn` gets the answer within `timeout_ms` (0: no limit). Takes `params` (an
 * object, or NULL for {}). Returns 0; or -ENOBUFS, -EPIPE and `fn` is not called. */
int rpc_client_request(struct rpc_client *client, const char *method, json_t *params,
		       uint32_t timeout_ms, rpc_client_reply_fn *fn, void *arg);

/* Send and wait. Takes `params`. Returns 0 and sets *result (the caller's reference);
 * -EREMOTEIO when the server refused and *err says why (clear it with rpc_error_clear);
 * -ETIMEDOUT; -EPIPE or another errno when the connection ended. `result` and `err` may be NULL. */
int rpc_client_call(struct rpc_client *client, const char *method, json_t *params,
		    uint32_t timeout_ms, json_t **result, struct rpc_error *err);

/* The handshake, blocking: hello {protocol, client: name}. As rpc_client_call(). */
int rpc_client_hello(struct rpc_client *client, int protocol, const char *name, uint32_t timeout_ms,
		     json_t **result, struct rpc_error *err);

/* Wait until something happens or `timeout_ms` passed, and poll. For a blocking program that
 * follows events. Returns as rpc_client_poll(). */
int rpc_client_wait(struct rpc_client *client, int timeout_ms);

#endif
