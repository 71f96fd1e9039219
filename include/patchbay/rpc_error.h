/* Errors of our JSON-RPC sockets: one table that is the code on the wire, the machine's word for
 * it and the protocol document's row.
 *
 * `message` is a sentence for a person and names what is wrong ("params.codecs[1].pt: 200 is not
 * in 0..127"). `data` is an object or NULL; `reason` is put into it when it is sent.
 *
 * Thread: plain data; any.
 * Source: JSON-RPC 2.0, 5.1; include/patchbay/engine-protocol.md, "Errors".
 */
#ifndef PATCHBAY_RPC_ERROR_H
#define PATCHBAY_RPC_ERROR_H

#include <jansson.h>

/* clang-format off */
#define RPC_REASON_TABLE(X) \
	X(PARSE,           -32700, "parse") \
	X(INVALID_REQUEST, -32600, "invalid_request") \
	X(UNKNOWN_METHOD,  -32601, "unknown_method") \
	X(INVALID_PARAMS,  -32602, "invalid_params") \
	X(TOO_LARGE,       -32001, "too_large") \
	X(NO_HELLO,        -32002, "no_hello") \
	X(VERSION,         -32003, "version") \
	X(NOT_FOUND,       -32004, "not_found") \
	X(EXISTS,          -32005, "exists") \
	X(OUT_OF_ORDER,    -32006, "out_of_order") \
	X(OVERLOADED,      -32007, "overloaded") \
	X(NO_RESOURCE,     -32008, "no_resource") \
	X(IO,              -32009, "io") \
	X(EVENTS_LOST,     -32010, "events_lost") \
	X(FORBIDDEN,       -32011, "forbidden") \
	X(REFUSED,         -32012, "refused") \
	X(ENGINE_DOWN,     -32013, "engine_down") \
	X(INVALID_FILE,    -32014, "invalid_file") \
	X(STORE,           -32015, "store") \
	X(NO_VOLUME,       -32016, "no_volume")
/* clang-format on */

enum rpc_reason {
#define RPC_REASON_ENUM(id, code, word) RPC_##id,
	RPC_REASON_TABLE(RPC_REASON_ENUM)
#undef RPC_REASON_ENUM
		RPC_REASON_COUNT,
	RPC_REASON_OTHER = RPC_REASON_COUNT, /* a client met a code that is not in its table */
};

enum { RPC_MESSAGE_MAX = 320 };

struct rpc_error {
	enum rpc_reason reason;
	int code;                      /* as on the wire; follows from reason but for OTHER */
	char message[RPC_MESSAGE_MAX]; /* NUL-terminated UTF-8 */
	json_t *data;                  /* object or NULL; owned by this struct */
};

/* The code and the word of a reason below RPC_REASON_COUNT. */
int rpc_reason_code(enum rpc_reason reason);
const char *rpc_reason_word(enum rpc_reason reason);

/* Fill `e` (whatever was in it is overwritten, so start from {0}); the message is cut to fit, at
 * a character's boundary. `data` is NULL afterwards. */
void rpc_error_set(struct rpc_error *e, enum rpc_reason reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Add one member to `data`; takes `value` (which may be NULL: then nothing happens). */
void rpc_error_add(struct rpc_error *e, const char *name, json_t *value);

/* "no call c-17" with data.kind and data.id: what every registry answers. */
void rpc_error_not_found(struct rpc_error *e, const char *kind, const char *id);

/* Release `data`. */
void rpc_error_clear(struct rpc_error *e);

#endif
