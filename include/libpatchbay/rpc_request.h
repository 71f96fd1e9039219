/* One line from a client, read as a JSON-RPC 2.0 request.
 *
 * Thread: any; pure but for jansson's memory.
 * Source: JSON-RPC 2.0, 4.
 */
#ifndef LIBPATCHBAY_RPC_REQUEST_H
#define LIBPATCHBAY_RPC_REQUEST_H

#include <stdbool.h>

#include "patchbay/rpc_error.h"

struct rpc_request {
	json_t *whole; /* owns what follows */
	json_t *id;    /* string, integer or null; NULL: a notification, no answer wanted */
	const char *method;
	const json_t *params; /* an object, never NULL */
	json_t *no_params;    /* the empty object when the line had none */
};

/* Read a line. Returns true, or false with `err` set and `id` the one that could be made out (or
 * NULL); rpc_request_clear() is due in both cases. */
bool rpc_request_read(struct rpc_request *rq, const char *line, size_t len, struct rpc_error *err);
void rpc_request_clear(struct rpc_request *rq);

/* The answers, as new references. `id` is borrowed, NULL is sent as null; `result` is taken (NULL
 * means {}), so is err->data. */
json_t *rpc_reply_result(json_t *id, json_t *result);
json_t *rpc_reply_error(json_t *id, struct rpc_error *err);

#endif
