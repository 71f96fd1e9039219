/* SPDX-License-Identifier: Apache-2.0 */
#include "patchbay/rpc_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

static const struct {
	int code;
	const char *word;
} reasons[RPC_REASON_COUNT] = {
#define ROW(id, code, word) [RPC_##id] = {code, word},
	RPC_REASON_TABLE(ROW)
#undef ROW
};

int rpc_reason_code(enum rpc_reason reason)
{
	must(reason < RPC_REASON_COUNT);
	return reasons[reason].code;
}

const char *rpc_reason_word(enum rpc_reason reason)
{
	must(reason < RPC_REASON_COUNT);
	return reasons[reason].word;
}

/* Shorten to `len` bytes or a few less, so that no UTF-8 sequence is cut in two. */
static void cut_at_character(char *s, size_t len)
{
	while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	s[len] = '\0';
}

void rpc_error_set(struct rpc_error *e, enum rpc_reason reason, const char *fmt, ...)
{
	char text[RPC_MESSAGE_MAX * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (strlen(text) >= RPC_MESSAGE_MAX)
		cut_at_character(text, RPC_MESSAGE_MAX - 1);

	*e = (struct rpc_error){.reason = reason, .code = rpc_reason_code(reason)};
	memcpy(e->message, text, strlen(text) + 1);
}

void rpc_error_add(struct rpc_error *e, const char *name, json_t *value)
{
	if (value == NULL)
		return;
	if (e->data == NULL)
		e->data = json_object();
	must(e->data != NULL);
	must(json_object_set_new(e->data, name, value) == 0);
}

void rpc_error_not_found(struct rpc_error *e, const char *kind, const char *id)
{
	rpc_error_set(e, RPC_NOT_FOUND, "there is no %s %s", kind, id);
	rpc_error_add(e, "kind", json_string(kind));
	rpc_error_add(e, "id", json_string(id));
}

void rpc_error_clear(struct rpc_error *e)
{
	json_decref(e->data);
	e->data = NULL;
}
