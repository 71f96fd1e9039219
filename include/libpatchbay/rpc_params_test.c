/* SPDX-License-Identifier: Apache-2.0
 *
 * What the schema refuses, and with which words; what a line may look like.
 */
#include "patchbay/rpc_params.h"

#include "rpc_request.h"
#include "tests/check.h"

static const struct rpc_param hear[] = {
	RPC_PARAM_ID("speaker", RPC_REQUIRED),
	RPC_PARAM_REAL("gain_db", RPC_OPTIONAL, -60, 20),
	RPC_PARAM_END,
};

static const struct rpc_param table[] = {
	RPC_PARAM_ID("call", RPC_REQUIRED),
	RPC_PARAM_TEXT("name", RPC_OPTIONAL | RPC_NULLABLE, 1, 8),
	RPC_PARAM_WORD("mode", RPC_OPTIONAL, "listen|whisper|barge"),
	RPC_PARAM_UUID("recording", RPC_OPTIONAL),
	RPC_PARAM_INT("pt", RPC_OPTIONAL, 0, 127),
	RPC_PARAM_BOOL("secret", RPC_OPTIONAL),
	RPC_PARAM_OBJECT("metadata", RPC_OPTIONAL, NULL),
	RPC_PARAM_OBJECT("remote", RPC_OPTIONAL, hear),
	RPC_PARAM_LIST("hear", RPC_OPTIONAL, 1, 2, hear),
	RPC_PARAM_TEXTS("skills", RPC_OPTIONAL, 0, 2),
	RPC_PARAM_END,
};

/* NULL: accepted. */
static const struct {
	const char *params, *message;
} stories[] = {
	{"{\"call\":\"c-1\"}", NULL},
	{"{\"call\":\"c-1\",\"name\":null}", NULL},
	{"{\"call\":\"c-1\",\"mode\":\"barge\",\"pt\":127,\"secret\":false}", NULL},
	{"{\"call\":\"c\",\"metadata\":{\"a\":[1,{}]},\"skills\":[\"x\",\"\"]}", NULL},
	{"{\"call\":\"c\",\"hear\":[{\"speaker\":\"a\",\"gain_db\":-6.5},{\"speaker\":\"b\"}]}",
	 NULL},
	{"{\"call\":\"c\",\"recording\":\"01234567-89ab-CDEF-0123-456789abcdef\"}", NULL},
	{"[]", "params must be an object"},
	{"{}", "params.call is missing"},
	{"{\"call\":7}", "params.call must be a string"},
	{"{\"call\":null}", "params.call must be a string"},
	{"{\"call\":\"\"}", "params.call must be 1 to 63 characters of A-Z a-z 0-9 . _ : -"},
	{"{\"call\":\"a b\"}", "params.call must be 1 to 63 characters of A-Z a-z 0-9 . _ : -"},
	{"{\"call\":\"c\",\"cal\":1}", "params.cal is not known here"},
	{"{\"call\":\"c\",\"name\":\"\"}", "params.name has 0 bytes, not 1 to 8"},
	{"{\"call\":\"c\",\"name\":\"a\\tb\"}", "params.name has a control character at byte 1"},
	{"{\"call\":\"c\",\"mode\":\"spy\"}", "params.mode must be one of listen|whisper|barge"},
	{"{\"call\":\"c\",\"mode\":\"listen|whisper\"}",
	 "params.mode must be one of listen|whisper|barge"},
	{"{\"call\":\"c\",\"recording\":\"01234567x89ab-cdef-0123-456789abcdef\"}",
	 "params.recording must be a UUID (8-4-4-4-12 hexadecimal digits)"},
	{"{\"call\":\"c\",\"pt\":128}", "params.pt is 128, not in 0..127"},
	{"{\"call\":\"c\",\"pt\":-1}", "params.pt is -1, not in 0..127"},
	{"{\"call\":\"c\",\"pt\":1.5}", "params.pt must be an integer"},
	{"{\"call\":\"c\",\"secret\":1}", "params.secret must be true or false"},
	{"{\"call\":\"c\",\"metadata\":[]}", "params.metadata must be an object"},
	{"{\"call\":\"c\",\"hear\":[]}", "params.hear has 0 elements, not 1 to 2"},
	{"{\"call\":\"c\",\"hear\":[3]}", "params.hear[0] must be an object"},
	{"{\"call\":\"c\",\"hear\":[{\"speaker\":\"a\"},{}]}", "params.hear[1].speaker is missing"},
	{"{\"call\":\"c\",\"hear\":[{\"speaker\":\"a\",\"gain_db\":20.5}]}",
	 "params.hear[0].gain_db is 20.5, not in -60..20"},
	{"{\"call\":\"c\",\"skills\":[\"a\",5]}", "params.skills[1] must be a string"},
	{"{\"call\":\"c\",\"skills\":[\"a\",\"b\",\"c\"]}",
	 "params.skills has 3 elements, not 0 to 2"},
};

static void each_refusal_names_its_member(void)
{
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		struct rpc_error err = {0};
		json_t *p = json_loads(stories[i].params, JSON_DECODE_ANY, NULL);
		bool ok = rpc_params_check(table, p, &err);

		json_decref(p);
		if (stories[i].message == NULL && !ok)
			printf("%s: %s\n", stories[i].params, err.message);
		check_int(ok, stories[i].message == NULL);
		if (!ok) {
			check_str(err.message, stories[i].message);
			check_int(err.reason, RPC_INVALID_PARAMS);
		}
		rpc_error_clear(&err);
	}
}

static void readers_give_the_default_for_what_is_missing(void)
{
	json_t *p = json_loads("{\"mode\":\"whisper\",\"n\":5,\"b\":true,\"t\":\"x\",\"z\":null}",
			       0, NULL);

	check_int(rpc_param_word(p, "mode", "listen|whisper|barge", 9), 1);
	check_int(rpc_param_word(p, "none", "listen|whisper|barge", 9), 9);
	check_int(rpc_param_int(p, "n", 1), 5);
	check_int(rpc_param_int(p, "z", 1), 1);
	check(rpc_param_real(p, "n", 1.5) == 5.0);
	check(rpc_param_bool(p, "b", false));
	check_str(rpc_param_text(p, "t", "y"), "x");
	check_str(rpc_param_text(p, "z", "y"), "y");
	json_decref(p);
}

static void a_uuid_comes_back_as_it_went(void)
{
	uint8_t u[16], v[16];
	char text[37];

	rpc_uuid_make(u);
	rpc_uuid_print(u, text);
	check(rpc_uuid_parse(text, v));
	check(memcmp(u, v, 16) == 0);
	check(text[14] == '4');
	check(!rpc_uuid_parse("", v));
}

static const struct {
	const char *line;
	enum rpc_reason reason; /* RPC_REASON_COUNT: accepted */
} lines[] = {
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", RPC_REASON_COUNT},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"params\":{}}", RPC_REASON_COUNT},
	{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", RPC_REASON_COUNT},
	{"{", RPC_PARSE},
	{"\xff\xfe", RPC_PARSE},
	{"{\"a\":1,\"a\":2}", RPC_PARSE},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\u0000b\"}", RPC_PARSE},
	{"[]", RPC_INVALID_REQUEST},
	{"7", RPC_INVALID_REQUEST},
	{"{\"id\":1,\"method\":\"ping\"}", RPC_INVALID_REQUEST},
	{"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", RPC_INVALID_REQUEST},
	{"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"ping\"}", RPC_INVALID_REQUEST},
	{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", RPC_INVALID_REQUEST},
	{"{\"jsonrpc\":\"2.0\",\"id\":1}", RPC_INVALID_REQUEST},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":3}", RPC_INVALID_REQUEST},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"parms\":{}}", RPC_INVALID_REQUEST},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", RPC_INVALID_PARAMS},
};

static void a_line_is_a_request_or_says_why_not(void)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct rpc_error err = {0};
		struct rpc_request rq;
		bool ok = rpc_request_read(&rq, lines[i].line, strlen(lines[i].line), &err);

		check_int(ok ? RPC_REASON_COUNT : err.reason, lines[i].reason);
		rpc_request_clear(&rq);
		rpc_error_clear(&err);
	}
}

static void an_error_can_always_be_sent(void)
{
	struct rpc_error err = {0};
	char long_text[1000];

	memset(long_text, 'x', sizeof(long_text));
	long_text[RPC_MESSAGE_MAX - 2] = '\xc3'; /* cut in the middle of a character */
	long_text[RPC_MESSAGE_MAX - 1] = '\xa4';
	long_text[999] = '\0';
	rpc_error_set(&err, RPC_IO, "%s", long_text);

	json_t *reply = rpc_reply_error(NULL, &err);
	char *text = json_dumps(reply, 0);

	check(text != NULL);
	check(strstr(text, "\"reason\": \"io\"") != NULL);
	check(strstr(text, "\"id\": null") != NULL);
	free(text);
	json_decref(reply);
}

static const struct check_case cases[] = {
	CHECK_CASE(each_refusal_names_its_member),
	CHECK_CASE(readers_give_the_default_for_what_is_missing),
	CHECK_CASE(a_uuid_comes_back_as_it_went),
	CHECK_CASE(a_line_is_a_request_or_says_why_not),
	CHECK_CASE(an_error_can_always_be_sent),
};
CHECK_MAIN(cases)
