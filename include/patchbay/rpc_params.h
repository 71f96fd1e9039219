/* The declarative schema of a method's params: a table of members, checked before the handler
 * runs, so that a handler may read its params without looking twice.
 *
 *	static const struct rpc_param dtmf_send[] = {
 *		RPC_PARAM_ID("leg", RPC_REQUIRED),
 *		RPC_PARAM_TEXT("digits", RPC_REQUIRED, 1, 64),
 *		RPC_PARAM_INT("duration_ms", RPC_OPTIONAL, 40, 2000),
 *		RPC_PARAM_END,
 *	};
 *
 * What is not in the table is refused by name. A refusal names the member with its path:
 * "params.hear[3].gain_db: 40 is not in -60..20". The params may come from anybody.
 *
 * Thread: any; pure but for jansson's memory.
 */
#ifndef PATCHBAY_RPC_PARAMS_H
#define PATCHBAY_RPC_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "patchbay/rpc_error.h"

enum { RPC_ID_MAX = 63 }; /* characters in an object's id */

enum rpc_param_kind {
	RPC_KIND_ID, /* 1..63 of A-Z a-z 0-9 . _ : - */
	RPC_KIND_TEXT, /* string of min..max bytes, no control characters; with `members` an object may stand
			* in its place */
	RPC_KIND_WORD, /* one of `words` ("listen|whisper|barge") */
	RPC_KIND_UUID, /* 8-4-4-4-12 hexadecimal digits */
	RPC_KIND_INT,  /* integer in min..max */
	RPC_KIND_REAL, /* integer or real in min..max */
	RPC_KIND_BOOL,
	RPC_KIND_OBJECT, /* by `members`, or any object when members is NULL */
	RPC_KIND_LIST,   /* min..max elements, each an object by `members` */
	RPC_KIND_TEXTS,  /* min..max strings of at most 255 bytes each */
	RPC_KIND_END,
};

enum { RPC_OPTIONAL = 0, RPC_REQUIRED = 1 << 0, RPC_NULLABLE = 1 << 1 /* null is allowed */ };

struct rpc_param {
	const char *name;
	enum rpc_param_kind kind;
	unsigned flags; /* RPC_REQUIRED, RPC_NULLABLE */
	int64_t min, max;
	const char *words;
	const struct rpc_param *members; /* table ending in RPC_PARAM_END */
};

/* clang-format off */
#define RPC_PARAM_ID(n, f)              {.name = (n), .kind = RPC_KIND_ID, .flags = (f)}
#define RPC_PARAM_TEXT(n, f, lo, hi)    {.name = (n), .kind = RPC_KIND_TEXT, .flags = (f), .min = (lo), .max = (hi)}
#define RPC_PARAM_TEXT_OR_OBJECT(n, f, lo, hi, m) {.name = (n), .kind = RPC_KIND_TEXT, .flags = (f), .min = (lo), .max = (hi), .members = (m)}
#define RPC_PARAM_WORD(n, f, w)         {.name = (n), .kind = RPC_KIND_WORD, .flags = (f), .words = (w)}
#define RPC_PARAM_UUID(n, f)            {.name = (n), .kind = RPC_KIND_UUID, .flags = (f)}
#define RPC_PARAM_INT(n, f, lo, hi)     {.name = (n), .kind = RPC_KIND_INT, .flags = (f), .min = (lo), .max = (hi)}
#define RPC_PARAM_REAL(n, f, lo, hi)    {.name = (n), .kind = RPC_KIND_REAL, .flags = (f), .min = (lo), .max = (hi)}
#define RPC_PARAM_BOOL(n, f)            {.name = (n), .kind = RPC_KIND_BOOL, .flags = (f)}
#define RPC_PARAM_OBJECT(n, f, m)       {.name = (n), .kind = RPC_KIND_OBJECT, .flags = (f), .members = (m)}
#define RPC_PARAM_LIST(n, f, lo, hi, m) {.name = (n), .kind = RPC_KIND_LIST, .flags = (f), .min = (lo), .max = (hi), .members = (m)}
#define RPC_PARAM_TEXTS(n, f, lo, hi)   {.name = (n), .kind = RPC_KIND_TEXTS, .flags = (f), .min = (lo), .max = (hi)}
#define RPC_PARAM_END                   {.kind = RPC_KIND_END}
/* clang-format on */

/* The table of a method without params. */
extern const struct rpc_param rpc_params_none[];

/* Check `params` (an object) against `table`. Returns true, or false with `err` set to
 * RPC_INVALID_PARAMS and a message that names the member. */
bool rpc_params_check(const struct rpc_param *table, const json_t *params, struct rpc_error *err);

/* Is `s` an object id? */
bool rpc_id_valid(const char *s);

/* Read a UUID in its textual form (either case). Returns false when it is not one. */
bool rpc_uuid_parse(const char *s, uint8_t uuid[16]);

/* Write a UUID in lower case with its NUL: 37 bytes. */
void rpc_uuid_print(const uint8_t uuid[16], char out[37]);

/* A random UUID (RFC 4122, version 4). */
void rpc_uuid_make(uint8_t uuid[16]);

/* Readers for checked params: the member's value, or `missing` when it is not there (or null). */
const char *rpc_param_text(const json_t *params, const char *name, const char *missing);
int64_t rpc_param_int(const json_t *params, const char *name, int64_t missing);
double rpc_param_real(const json_t *params, const char *name, double missing);
bool rpc_param_bool(const json_t *params, const char *name, bool missing);

/* The place of the member's value among the words "a|b|c" (0, 1, ...), or `missing`. */
int rpc_param_word(const json_t *params, const char *name, const char *words, int missing);

#endif
