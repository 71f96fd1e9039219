/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes, split into lines, read as requests and checked against a schema that uses every kind.
 * What must hold: a line is a request or an error with a sentence; either can be answered with
 * one line of JSON that can be read again; no line longer than the limit is ever handed out.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "patchbay/rpc_params.h"
#include "rpc_line.h"
#include "rpc_request.h"

enum { LINE_MAX_BYTES = 4096 };

static const struct rpc_param inner[] = {
	RPC_PARAM_ID("speaker", RPC_REQUIRED),
	RPC_PARAM_REAL("gain_db", RPC_OPTIONAL, -60, 20),
	RPC_PARAM_END,
};

static const struct rpc_param table[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_TEXT("name", RPC_NULLABLE, 1, 8),
	RPC_PARAM_WORD("mode", RPC_OPTIONAL, "listen|whisper|barge"),
	RPC_PARAM_UUID("recording", RPC_OPTIONAL),
	RPC_PARAM_INT("pt", RPC_OPTIONAL, 0, 127),
	RPC_PARAM_BOOL("secret", RPC_OPTIONAL),
	RPC_PARAM_OBJECT("metadata", RPC_OPTIONAL, NULL),
	RPC_PARAM_OBJECT("remote", RPC_OPTIONAL, inner),
	RPC_PARAM_LIST("hear", RPC_OPTIONAL, 1, 2, inner),
	RPC_PARAM_TEXTS("skills", RPC_OPTIONAL, 0, 2),
	RPC_PARAM_END,
};

static void readable_again(json_t *reply)
{
	struct rpc_bytes out = {0};
	json_t *back;

	rpc_bytes_json(&out, reply);
	must(memchr(out.data, '\n', out.tail) == out.data + out.tail - 1);
	back = json_loadb(out.data, out.tail, JSON_REJECT_DUPLICATES, NULL);
	must(back != NULL && json_equal(back, reply));
	json_decref(back);
	json_decref(reply);
	rpc_bytes_free(&out);
}

static void take(const char *line, size_t len)
{
	struct rpc_request rq;
	struct rpc_error err = {0};
	bool ok =
		rpc_request_read(&rq, line, len, &err) && rpc_params_check(table, rq.params, &err);

	must(ok || err.message[0] != '\0');
	readable_again(ok ? rpc_reply_result(rq.id, json_incref((json_t *)(uintptr_t)rq.params))
			  : rpc_reply_error(rq.id, &err));
	rpc_request_clear(&rq);
	rpc_error_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_lines lines = {.line_max = LINE_MAX_BYTES};
	const char *line;
	size_t len;

	/* The first byte says in which pieces the rest arrives. */
	size_t piece = size > 0 ? (size_t)data[0] * 16 + 1 : 1;

	for (size_t at = 1; at < size; at += piece) {
		rpc_bytes_add(&lines.in, (const char *)data + at,
			      size - at < piece ? size - at : piece);
		for (;;) {
			enum rpc_line got = rpc_lines_next(&lines, &line, &len);

			if (got == RPC_LINE_NONE)
				break;
			if (got == RPC_LINE_READY) {
				must(len < LINE_MAX_BYTES);
				take(line, len);
			}
		}
		must(rpc_bytes_held(&lines.in) < LINE_MAX_BYTES);
	}
	rpc_bytes_free(&lines.in);
	return 0;
}
