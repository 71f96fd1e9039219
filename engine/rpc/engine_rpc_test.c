/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket with a client at one end and a model of the workers at the other (fake_worker.h).
 * A story is a table of lines: what is asked, and what must stand in the answer.
 */
#include "rpc/engine_rpc.h"

#include <poll.h>
#include <unistd.h>

#include "patchbay/rpc_client.h"
#include "patchbay/rpc_params.h"
#include "path/capture.h"
#include "rpc/fake_worker.h"
#include "tests/check.h"

struct world {
	char dir[32], path[64];
	struct fake_engine *fake;
	struct engine_rpc *rpc;
	struct rpc_client *client;
	uint64_t now_ms;
	char *answer; /* of the newest request: JSON text of result or error */
	json_t *result;
	int kind; /* enum rpc_reply_kind, -1: none yet */
	enum rpc_reason reason;
	int retry_after_s;    /* of the newest error */
	char events[1 << 16]; /* types and members of all events since they were last looked at */
	unsigned answers;
};

static void on_event(void *arg, const json_t *params)
{
	struct world *w = arg;
	char *text = json_dumps(params, JSON_COMPACT);

	if (strlen(w->events) + strlen(text) + 2 < sizeof(w->events)) {
		strcat(w->events, text);
		strcat(w->events, "\n");
	}
	free(text);
}

static void on_reply(void *arg, const struct rpc_reply *r)
{
	struct world *w = arg;

	w->answers++;
	w->kind = (int)r->kind;
	free(w->answer);
	json_decref(w->result);
	w->result = NULL;
	if (r->kind == RPC_REPLY_ERROR) {
		w->answer = strdup(r->error->message);
		w->reason = r->error->reason;
		w->retry_after_s =
			(int)json_integer_value(json_object_get(r->error->data, "retry_after_s"));
	} else {
		w->answer = r->result != NULL ? json_dumps(r->result, JSON_COMPACT) : strdup("");
		w->result = json_incref((json_t *)(uintptr_t)r->result);
	}
}

static void pump(struct world *w)
{
	for (int i = 0; i < 6; i++) {
		rpc_client_poll(w->client);
		engine_rpc_poll(w->rpc, w->now_ms, 1000000 + w->now_ms);
	}
	rpc_client_poll(w->client);
}

static void ask_async(struct world *w, const char *method, const char *params)
{
	json_error_t e;
	json_t *p = json_loads(params, 0, &e);

	check(p != NULL);
	check_int(rpc_client_request(w->client, method, p, 0, on_reply, w), 0);
}

static void ask(struct world *w, const char *method, const char *params)
{
	w->kind = -1;
	ask_async(w, method, params);
	for (int i = 0; i < 1000 && w->kind < 0; i++)
		pump(w);
	check(w->kind >= 0);
}

static void setup(struct world *w)
{
	struct engine_rpc_config cfg = {
		.group = -1,
		.workers = FAKE_WORKERS,
		.slice = {{20000, 20000 + 2 * FAKE_LEGS - 2},
			  {20000 + 2 * FAKE_LEGS, 20000 + 4 * FAKE_LEGS - 2}},
		.rtp_first = 20000,
		.calls_max = FAKE_CALLS,
		.ip4 = "192.0.2.1",
		.reuse_delay_ms = 1000,
		.country = "cn",
		.busy_max = 0.9,
		.late_max_us = 20000,
		.srtp = true,
	};

	*w = (struct world){.dir = "/tmp/rpc-test-XXXXXX", .now_ms = 5000};
	check(mkdtemp(w->dir) != NULL);
	snprintf(w->path, sizeof(w->path), "%s/e", w->dir);
	cfg.path = w->path;
	w->fake = calloc(1, sizeof(*w->fake));

	const struct engine_backend backend = fake_backend(w->fake);

	check_int(engine_rpc_open(&w->rpc, &cfg, &backend), 0);
	check_int(rpc_client_open(&w->client, w->path), 0);
	rpc_client_on_event(w->client, on_event, w);
	ask(w, "hello", "{\"protocol\":1}");
	ask(w, "subscribe", "{}");
	check_int(w->kind, RPC_REPLY_RESULT);
}

static void teardown(struct world *w)
{
	rpc_client_close(w->client);
	engine_rpc_close(w->rpc);
	for (int i = 0; i < FAKE_PROMPTS; i++)
		check_int(w->fake->prompt[i].holds, 0);
	free(w->fake);
	free(w->answer);
	json_decref(w->result);
	rmdir(w->dir);
}

/* params are written with ' for ". */
struct line {
	const char *method, *params;
	const char *answer;     /* must be found in the answer's text */
	enum rpc_reason reason; /* RPC_REASON_OTHER: a result */
};
#define OK RPC_REASON_OTHER

static void quoted(char *out, size_t size, const char *in)
{
	snprintf(out, size, "%s", in);
	for (; *out != '\0'; out++)
		if (*out == '\'')
			*out = '"';
}

static void tell(struct world *w, const struct line *story, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char params[2048], want[512];

		quoted(params, sizeof(params), story[i].params);
		quoted(want, sizeof(want), story[i].answer);
		ask(w, story[i].method, params);

		bool ok = story[i].reason == OK
				  ? w->kind == RPC_REPLY_RESULT
				  : w->kind == RPC_REPLY_ERROR && w->reason == story[i].reason;

		if (!ok || strstr(w->answer, want) == NULL)
			printf("%s %s\n  answered: %s\n  expected: %s\n", story[i].method, params,
			       w->answer, want);
		check(ok);
		check(strstr(w->answer, want) != NULL);
	}
}

#define TELL(w, story) tell(w, story, sizeof(story) / sizeof((story)[0]))

static bool event_seen(struct world *w, const char *text)
{
	char want[512];

	pump(w);
	quoted(want, sizeof(want), text);

	bool seen = strstr(w->events, want) != NULL;

	if (!seen)
		printf("  events: %s  expected: %s\n", w->events, want);
	return seen;
}

static void a_call_from_open_to_close(void)
{
	static const struct line story[] = {
		{"call.open", "{'call':'c1'}", "{'call':'c1','worker':0,'created':true}", OK},
		{"call.open", "{'call':'c1'}", "'created':false", OK},
		{"call.open", "{'call':'c2'}", "'worker':1", OK},
		{"call.open", "{'call':'c3','near':'c2'}", "'worker':1", OK},
		{"call.open", "{'call':'c4','near':'cx'}", "no call cx", RPC_NOT_FOUND},
		{"leg.open", "{'call':'c1','leg':'a','remote':{'ip':'192.0.2.9','port':4000}}",
		 "{'leg':'a','local':{'ip':'192.0.2.1','port':20000},'ssrc':", OK},
		{"leg.open", "{'call':'c1','leg':'a','remote':{'ip':'192.0.2.9','port':4000}}",
		 "'port':20000", OK},
		{"leg.open", "{'call':'c1','leg':'a'}", "other parameters", RPC_EXISTS},
		{"leg.open", "{'call':'c1','leg':'b'}", "'port':20002", OK},
		{"leg.open", "{'call':'c2','leg':'c'}", "'port':20128", OK},
		{"leg.open", "{'call':'cx','leg':'d'}", "no call cx", RPC_NOT_FOUND},
		{"leg.set", "{'leg':'b','direction':'sendonly'}", "{}", OK},
		{"leg.set", "{'leg':'b'}", "{}", OK},
		{"leg.set", "{'leg':'zz'}", "no leg zz", RPC_NOT_FOUND},
		{"call.hear",
		 "{'call':'c1','hear':[{'listener':'a','speaker':'b'},{'listener':'b','speaker':'a'"
		 ",'gain_db':-3.5}]}",
		 "{}", OK},
		{"call.hear", "{'call':'c1','hear':[{'listener':'a','speaker':'c'}]}",
		 "leg c belongs to call c2, not to c1", RPC_INVALID_PARAMS},
		{"call.hear", "{'call':'c1','hear':[{'listener':'a','speaker':'a'}]}",
		 "cannot hear itself", RPC_INVALID_PARAMS},
		{"call.hear",
		 "{'call':'c1','listener':'a','hear':[{'listener':'a','speaker':'b'}]}",
		 "listener stands outside", RPC_INVALID_PARAMS},
		{"snapshot", "{}",
		 "'hear':[{'listener':'a','speaker':'b','gain_db':0.0},{'listener':'b','speaker':'"
		 "a','gain_db':-3.5}]",
		 OK},
		{"call.hear", "{'call':'c1','listener':'a','hear':[]}", "{}", OK},
		{"snapshot", "{}", "'hear':[{'listener':'b','speaker':'a','gain_db':-3.5}]", OK},
		{"snapshot", "{}", "'direction':'sendonly'", OK},
		{"leg.stat", "{'leg':'a'}", "'rtt_ms':null", OK},
		{"stat.legs", "{}", "'leg':'c'", OK},
		{"stat.legs", "{'call':'c1'}", "'leg':'b'", OK},
		{"leg.close", "{'leg':'b'}", "{'closed':true,'stats':{'packets_in':11", OK},
		{"leg.close", "{'leg':'b'}", "{'closed':false}", OK},
		{"snapshot", "{}", "'hear':[]", OK},
		{"leg.open", "{'call':'c1','leg':'b'}", "'port':20004", OK}, /* 20002 rests */
		{"call.close", "{'call':'c1'}", "{'closed':true}", OK},
		{"call.close", "{'call':'c1'}", "{'closed':false}", OK},
		{"leg.stat", "{'leg':'a'}", "no leg a", RPC_NOT_FOUND},
	};
	struct world w;
	struct engine_rpc_counts n;

	setup(&w);
	TELL(&w, story);
	check(event_seen(&w, "'type':'leg.closed','call':'c1','leg':'a','stats':{"));
	engine_rpc_counts(w.rpc, &n);
	check_int(n.calls, 2);
	check_int(n.legs, 1);
	check_int(n.legs_resting, 3);
	check_int(n.commands_open, 0);
	teardown(&w);
}

static void legs_are_checked_before_they_reach_a_worker(void)
{
	static const struct line story[] = {
		{"call.open", "{'call':'c'}", "", OK},
		{"leg.open", "{'call':'c','leg':'a','remote':{'ip':'::1','port':4}}", "not an IPv4",
		 RPC_INVALID_PARAMS},
		{"leg.open", "{'call':'c','leg':'a','remote':{'ip':'239.1.1.1','port':4}}",
		 "not the address of one host", RPC_INVALID_PARAMS},
		{"leg.open", "{'call':'c','leg':'a','remote':{'ip':'10.0.0.1'}}",
		 "params.remote.port is missing", RPC_INVALID_PARAMS},
		{"leg.open",
		 "{'call':'c','leg':'a','codecs':[{'pt':0,'name':'PCMU'},{'pt':0,'name':'PCMA'}]}",
		 "payload type twice", RPC_INVALID_PARAMS},
		{"leg.open", "{'call':'c','leg':'a','codecs':[{'pt':9,'name':'GSM'}]}",
		 "must be one of PCMU|PCMA|G722|opus|G729|L16", RPC_INVALID_PARAMS},
		{"leg.open",
		 "{'call':'c','leg':'a','codecs':[{'pt':111,'name':'opus','clock_hz':16000}]}",
		 "there is no opus with a clock of 16000 Hz here", RPC_INVALID_PARAMS},
		{"leg.open",
		 "{'call':'c','leg':'a','codecs':[{'pt':13,'name':'PCMA'}],'noise':{'pt':13}}",
		 "noise.pt is a codec", RPC_INVALID_PARAMS},
		{"leg.open", "{'call':'c','leg':'a','codecs':[{'pt':72,'name':'PCMU'}]}",
		 "RFC 5761", RPC_INVALID_PARAMS},
		{"leg.open",
		 "{'call':'c','leg':'a','codecs':[{'pt':96,'name':'PCMU'}],'dtmf':{'pt':96}}",
		 "a codec", RPC_INVALID_PARAMS},
		{"leg.open",
		 "{'call':'c','leg':'a','codecs':[{'pt':8,'name':'PCMA','ptime_ms':25}]}",
		 "multiple of 10", RPC_INVALID_PARAMS},
		{"leg.open", "{'call':'c','leg':'a','family':'ip6'}", "no IPv6 address",
		 RPC_NO_RESOURCE},
		{"leg.open", "{'call':'c','leg':'a','codec':[]}", "params.codec is not known here",
		 RPC_INVALID_PARAMS},
		{"leg.open",
		 "{'call':'c','leg':'a','codecs':[{'pt':8,'name':'PCMA'}],'dtmf':{'pt':101},'"
		 "source':'strict','media_timeout_ms':9000,'inband_dtmf':true,'name':'\u5ba2\u6237'"
		 "}",
		 "'leg':'a'", OK},
		{"dtmf.send", "{'leg':'a','digits':'12x'}", "x is not one of", RPC_INVALID_PARAMS},
		{"dtmf.send", "{'leg':'a','digits':'12#A'}", "{}", OK},
		{"leg.set", "{'leg':'a','remote':null,'dtmf':null}", "{}", OK},
	};
	struct world w;

	setup(&w);
	TELL(&w, story);
	check_int(w.fake->last.leg_open.set, LEG_SET_REMOTE | LEG_SET_DTMF);
	check(!w.fake->last.leg_open.dtmf);
	check_int(w.fake->last.leg_open.remote.family, 0);
	check_int(w.fake->last.leg_open.codec[0].id, CODEC_PCMA);
	check_int(w.fake->last.leg_open.media_timeout_ms, 9000);
	teardown(&w);
}

/* Keys reach the worker and are shown to nobody. */
static void keys_go_to_the_worker_and_nowhere_else(void)
{
#define KEY_A "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define KEY_B "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define SRTP(a, b)                                                                                 \
	"'srtp':{'suite':'AES_CM_128_HMAC_SHA1_80','receive':{'key':'" a "','mki':'0a01'},'send':" \
	"{'key':'" b "'}}"
	static const struct line story[] = {
		{"call.open", "{'call':'c'}", "", OK},
		{"leg.open",
		 "{'call':'c','leg':'a','srtp':{'suite':'NULL','receive':{'key':'" KEY_A
		 "'},'send':{'key':'" KEY_A "'}}}",
		 "must be one of AES_CM_128", RPC_INVALID_PARAMS},
		{"leg.open", "{'call':'c','leg':'a'," SRTP("QUJD", KEY_B) "}",
		 "params.srtp.receive.key: AES_CM_128_HMAC_SHA1_80 takes 30 octets",
		 RPC_INVALID_PARAMS},
		{"leg.open", "{'call':'c','leg':'a'," SRTP(KEY_A, KEY_B) "}", "'leg':'a'", OK},
		{"leg.open", "{'call':'c','leg':'a'," SRTP(KEY_A, KEY_B) "}", "'leg':'a'", OK},
		{"leg.open", "{'call':'c','leg':'a'," SRTP(KEY_B, KEY_A) "}", "other parameters",
		 RPC_EXISTS},
		{"leg.set", "{'leg':'a'," SRTP(KEY_B, KEY_A) "}", "{}", OK},
		{"leg.set", "{'leg':'a','srtp':null}", "{}", OK},
		{"leg.set", "{'leg':'a'," SRTP(KEY_A, KEY_B) "}", "{}", OK},
		{"snapshot", "{}", "'suite':'AES_CM_128_HMAC_SHA1_80'", OK},
	};
	struct world w;

	setup(&w);
	TELL(&w, story);
	check(strstr(w.answer, KEY_A) == NULL && strstr(w.answer, KEY_B) == NULL);
	check(strstr(w.answer, "sha256:") != NULL);
	check(strstr(w.events, KEY_A) == NULL);
	check_int(w.fake->last.leg_open.set, LEG_SET_SRTP);
	check_int(w.fake->keys.receive.mki_len, 2);
	check_int(w.fake->keys.receive.mki[0], 10);
	check(memcmp(w.fake->keys.receive.master, "wDfvg&T+", 8) == 0);
	check_int(w.fake->keys.send.master[29], 29);
	check(!w.fake->keys.fresh);
	teardown(&w);
}

static void sound_from_start_to_done(void)
{
	static const struct line story[] = {
		{"call.open", "{'call':'c'}", "", OK},
		{"leg.open", "{'call':'c','leg':'a'}", "", OK},
		{"play.start", "{'leg':'a','play':'p','items':[{'prompt':'nope'}]}",
		 "no prompt nope", RPC_NOT_FOUND},
		{"play.start",
		 "{'leg':'a','play':'p','items':[{'prompt':'moh'},{'prompt':'nope'}]}",
		 "no prompt nope", RPC_NOT_FOUND},
		{"play.start", "{'leg':'a','play':'p','items':[{'prompt':'moh','tone':'beep'}]}",
		 "must be one of prompt, tone", RPC_INVALID_PARAMS},
		{"play.start", "{'leg':'a','play':'p','items':[{'prompt':'moh','country':'cn'}]}",
		 "must be one of prompt, tone", RPC_INVALID_PARAMS},
		{"play.start", "{'leg':'a','play':'p','items':[{'tone':'busy','country':'xx'}]}",
		 "no tone \"busy\" is known of country \"xx\"", RPC_INVALID_PARAMS},
		{"play.start", "{'leg':'a','play':'p','items':[{'cadence':'bad'}]}",
		 "params.items[0]: a frequency is", RPC_INVALID_PARAMS},
		{"play.start",
		 "{'leg':'a','play':'p','items':[{'tone':'busy'}],'interrupt':{'speach':true}}",
		 "speach", RPC_INVALID_PARAMS},
		{"play.set", "{'play':'p','paused':true}", "no play p", RPC_NOT_FOUND},
		{"prompt.tones", "{}",
		 "'country':'cn','tones':[{'country':'cn','ringback':'450/1000,0/4000'", OK},
		{"play.start",
		 "{'leg':'a','play':'s','items':[{'tone':'busy','country':'us'}],'interrupt':{'"
		 "digits':"
		 "'any','speech':true},'paused':true,'position_ms':40}",
		 "{}", OK},
		{"play.set", "{'play':'s','paused':false,'by_ms':-20,'gain_db':-6}", "'set':true",
		 OK},
		{"play.set", "{'play':'s','position_ms':1,'by_ms':2}", "exclude each other",
		 RPC_INVALID_PARAMS},
		{"play.start", "{'leg':'a','play':'p','items':[{}]}", "must be one of",
		 RPC_INVALID_PARAMS},
		{"play.start", "{'leg':'a','play':'p','items':[{'tone':'beep'}],'interrupt':'9-0'}",
		 "params.interrupt", RPC_INVALID_PARAMS},
		{"play.start",
		 "{'leg':'a','play':'p','items':[{'prompt':'moh'},{'tone':'busy'},{'silence_ms':"
		 "500}],'loop':0,'interrupt':'0-3*#'}",
		 "{}", OK},
		{"play.start",
		 "{'leg':'a','play':'p','items':[{'prompt':'moh'},{'tone':'busy'},{'silence_ms':"
		 "500}],'loop':0,'interrupt':'0-3*#'}",
		 "{}", OK},
		{"play.start", "{'leg':'a','play':'p','items':[{'prompt':'moh'}]}",
		 "other parameters", RPC_EXISTS},
		{"snapshot", "{}", "'plays':[{'leg':'a','play':'p'", OK},
		{"play.start", "{'leg':'a','play':'q','items':[{'prompt':'zh/welcome'}]}", "{}",
		 OK},
		{"play.stop", "{'play':'p'}", "{'stopped':false}", OK},
		{"play.stop", "{'play':'q'}", "{'stopped':true}", OK},
		{"play.stop", "{'play':'q'}", "{'stopped':false}", OK},
		{"collect.start", "{'leg':'a','collect':'d','max':4,'min':5}",
		 "params.min is above", RPC_INVALID_PARAMS},
		{"collect.start", "{'leg':'a','collect':'d','max':4,'secret':true}", "{}", OK},
		{"collect.start", "{'leg':'a','collect':'e','max':4}", "collect d runs on leg a",
		 RPC_OUT_OF_ORDER},
		{"collect.stop", "{'collect':'d'}", "{'stopped':true}", OK},
		{"prompt.list", "{}", "{'prompt':'moh','duration_ms':1000}", OK},
		{"prompt.load", "{'directory':'/none'}", "/none: No such file", RPC_IO},
		{"prompt.load", "{}", "'loaded':3,'failed':[{'file':'(not UTF-8)'", OK},
	};
	struct world w;
	struct engine_rpc_counts n;

	setup(&w);
	TELL(&w, story);
	check(event_seen(&w,
			 "'type':'play.done','call':'c','leg':'a','play':'p','reason':'replaced'"));
	check(event_seen(&w, "'play':'q','reason':'stopped','played_ms':40"));
	check(event_seen(&w, "'collect':'d','digits':'9#','reason':'stopped'"));
	engine_rpc_counts(w.rpc, &n);
	check_int(n.plays + n.collects, 0);
	teardown(&w);
}

#define U "0190f3a2-0000-7000-8000-00000000000a"

static void recordings_end_once_and_are_remembered(void)
{
	static const struct line story[] = {
		{"call.open", "{'call':'c'}", "", OK},
		{"leg.open", "{'call':'c','leg':'a'}", "", OK},
		{"record.start", "{'call':'c','recording':'x','customer':'a'}", "must be a UUID",
		 RPC_INVALID_PARAMS},
		{"record.stop", "{'recording':'" U "'}", "no recording", RPC_NOT_FOUND},
		{"record.start",
		 "{'call':'c','recording':'0190F3A2-0000-7000-8000-00000000000A','customer':'a','"
		 "metadata':{'queue':'sales'}}",
		 "{}", OK},
		{"record.pause", "{'recording':'" U "'}", "'account':{'channels':[{'accepted':0",
		 OK},
		{"record.mark", "{'recording':'" U "','text':'card'}", "{}", OK},
		{"record.stop", "{'recording':'" U "'}", "'account'", OK},
		{"record.resume", "{'recording':'" U "'}", "has ended", RPC_OUT_OF_ORDER},
		{"record.start", "{'call':'c','recording':'" U "','customer':'a'}", "has ended",
		 RPC_OUT_OF_ORDER},
		{"record.start",
		 "{'call':'c','recording':'0190f3a2-0000-7000-8000-00000000000b','customer':'a'}",
		 "{}", OK},
		{"call.close", "{'call':'c'}", "true", OK},
	};
	struct world w;

	setup(&w);
	TELL(&w, story);
	check(event_seen(&w, "'recording':'" U "','account':{'channels':[{'accepted':7,"));
	check(event_seen(&w, "'reason':'call_closed'"));
	teardown(&w);
}

static void a_supervisor_comes_and_goes(void)
{
	static const struct line story[] = {
		{"call.open", "{'call':'c'}", "", OK},
		{"leg.open", "{'call':'c','leg':'a'}", "", OK},
		{"leg.open", "{'call':'c','leg':'b'}", "", OK},
		{"leg.open", "{'call':'c','leg':'s'}", "", OK},
		{"monitor.start",
		 "{'call':'c','monitor':'m','supervisor':'s','agent':'a','customer':'a','mode':'"
		 "listen'}",
		 "three legs", RPC_INVALID_PARAMS},
		{"monitor.start",
		 "{'call':'c','monitor':'m','supervisor':'s','agent':'a','customer':'b','mode':'"
		 "listen'}",
		 "{}", OK},
		{"monitor.mode", "{'monitor':'m','mode':'barge'}", "{}", OK},
		{"snapshot", "{}",
		 "'monitors':[{'monitor':'m','supervisor':'s','agent':'a','customer':'b','mode':'"
		 "barge'}]",
		 OK},
		{"monitor.stop", "{'monitor':'m'}", "{'stopped':true}", OK},
		{"monitor.stop", "{'monitor':'m'}", "{'stopped':false}", OK},
		{"monitor.mode", "{'monitor':'m','mode':'barge'}", "no monitor m", RPC_NOT_FOUND},
		{"monitor.start",
		 "{'call':'c','monitor':'n','supervisor':'s','agent':'a','customer':'b','mode':'"
		 "whisper'}",
		 "{}", OK},
	};
	struct world w;

	setup(&w);
	TELL(&w, story);
	check_int(w.fake->last.monitor.mode, MONITOR_WHISPER);
	check(event_seen(&w, "'type':'monitor.done','call':'c','monitor':'m','reason':'stopped'"));

	struct worker_event ev = {.kind = EVENT_MONITOR_DONE};

	ev.monitor.monitor = w.fake->last.monitor.monitor;
	fake_put(w.fake, 0, &ev);
	fake_put(w.fake, 0, &ev);
	check(event_seen(&w, "'monitor':'n','reason':'leg_closed'"));
	teardown(&w);
}

static void news_become_numbered_events(void)
{
	static const struct line story[] = {
		{"call.open", "{'call':'c'}", "", OK},
		{"leg.open", "{'call':'c','leg':'a'}", "", OK},
	};
	struct world w;

	setup(&w);
	TELL(&w, story);

	struct worker_event ev = {.kind = EVENT_DTMF, .leg = w.fake->last.leg};

	ev.dtmf.code = 10;
	ev.dtmf.duration_ms = 40;
	fake_put(w.fake, 0, &ev);
	ev.dtmf.secret = true;
	fake_put(w.fake, 0, &ev);
	ev.kind = EVENT_LEG_MEDIA;
	ev.source = (struct sock_ip){.family = 4, .ip = {10, 0, 0, 7}, .port = 99};
	fake_put(w.fake, 0, &ev);
	ev.kind = EVENT_LEG_TIMEOUT;
	ev.timeout.silent_ms = 9000;
	fake_put(w.fake, 0, &ev);
	ev.kind = EVENT_LEG_BYE;
	fake_put(w.fake, 0, &ev);
	ev.leg.generation++; /* of a leg that is not there: nothing */
	fake_put(w.fake, 0, &ev);
	ev.kind = EVENT_NEIGHBOUR_WANTED;
	fake_put(w.fake, 0, &ev);
	ev.kind = EVENT_REPLY; /* to nobody: logged, nothing else */
	ev.token = 77;
	fake_put(w.fake, 0, &ev);
	check(event_seen(&w, "{'seq':1,'time_ms':1005000,'type':'dtmf','call':'c','leg':'a','digit'"
			     ":'*','secret':false,'source':'rfc4733','duration_ms':40}"));
	check(event_seen(&w, "'digit':null,'secret':true"));
	check(event_seen(
		&w,
		"'type':'leg.media','call':'c','leg':'a','source':{'ip':'10.0.0.7','port':99}"));
	check(event_seen(&w, "'silent_ms':9000"));
	check(event_seen(&w, "'seq':5,'time_ms':1005000,'type':'leg.bye'"));
	check_int(w.fake->neighbours, 1);
	engine_rpc_alarm(w.rpc, "recorder", "disk full", true);
	engine_rpc_alarm(w.rpc, "recorder", "disk full", true);
	engine_rpc_alarm(w.rpc, "recorder", "", false);
	engine_rpc_alarm(w.rpc, "recorder", "", false);
	check(event_seen(&w, "{'seq':6,'time_ms':1005000,'type':'alarm','area':'recorder','text':'"
			     "disk full','raised':true}"));
	check(event_seen(&w, "{'seq':7,'time_ms':1005000,'type':'alarm'"));
	ask(&w, "snapshot", "{}");
	check(strstr(w.answer, "{\"seq\":7,") != NULL);
	teardown(&w);
}

static void numbers_add_up(void)
{
	static const struct line story[] = {
		{"stat.drops", "{}", "{'received':20,'fates':[{'name':'relayed',", OK},
		{"stat.drops", "{}", "'count':6,'drop':true}", OK},
		{"stat.drops", "{}", "'in_flight':2}", OK},
		{"stat.engine", "{}", "'workers':[{'worker':0,'lcore':1,'port_first':20000,", OK},
		{"stat.engine", "{}", "'stages':[{'stage':'rx',", OK},
		{"stat.engine", "{}", "'recorder':{'extents':8", OK},
	};
	struct world w;

	setup(&w);
	TELL(&w, story);
	teardown(&w);
}

static void rooms_have_members_and_announcements(void)
{
	static const struct line story[] = {
		{"call.open", "{'call':'r','room':true}", "'created':true", OK},
		{"call.open", "{'call':'r','room':true}", "'created':false", OK},
		{"call.open", "{'call':'r'}", "call r is a room", RPC_EXISTS},
		{"call.open", "{'call':'c'}", "'created':true", OK},
		{"leg.open", "{'call':'r','leg':'a'}", "'leg':'a'", OK},
		{"leg.open", "{'call':'r','leg':'b'}", "'leg':'b'", OK},
		{"leg.open", "{'call':'c','leg':'x'}", "'leg':'x'", OK},
		{"call.hear", "{'call':'r','hear':[{'listener':'a','speaker':'b'}]}", "room.set",
		 RPC_OUT_OF_ORDER},
		{"room.set", "{'leg':'x','muted':true}", "call c of leg x is no room",
		 RPC_OUT_OF_ORDER},
		{"room.set", "{'leg':'a','muted':true}", "{}", OK},
		{"room.set", "{'leg':'a','deaf':true}", "{}", OK},
		{"room.set", "{'leg':'a','loud':true}", "loud", RPC_INVALID_PARAMS},
		{"snapshot", "{}", "'muted':true,'deaf':true", OK},
		{"play.start", "{'play':'p','items':[{'tone':'beep'}]}", "leg, or call",
		 RPC_INVALID_PARAMS},
		{"play.start", "{'leg':'a','call':'r','play':'p','items':[{'tone':'beep'}]}",
		 "leg, or call", RPC_INVALID_PARAMS},
		{"play.start", "{'call':'c','play':'p','items':[{'tone':'beep'}]}", "no room",
		 RPC_OUT_OF_ORDER},
		{"play.start",
		 "{'call':'r','play':'p','interrupt':'any','items':[{'tone':'beep'}]}", "no digit",
		 RPC_INVALID_PARAMS},
		{"play.start", "{'call':'r','play':'p','items':[{'tone':'beep'}]}", "{}", OK},
		{"snapshot", "{}", "'plays':[{'call':'r','play':'p'", OK},
		{"play.start", "{'call':'r','play':'q','items':[{'tone':'beep'}]}", "{}", OK},
		{"play.stop", "{'play':'q'}", "{'stopped':true}", OK},
		{"play.start", "{'call':'r','play':'z','items':[{'tone':'beep'}]}", "{}", OK},
	};
	struct worker_event ev = {.kind = EVENT_ROOM_FLOOR};
	struct world w;

	setup(&w);
	TELL(&w, story);
	check(event_seen(&w, "'call':'r','leg':null,'play':'p','reason':'replaced'"));
	check(event_seen(&w, "'call':'r','leg':null,'play':'q','reason':'stopped'"));
	ev.call = w.fake->last.call;
	ev.leg = (struct leg_ref){.index = UINT32_MAX};
	fake_put(w.fake, 0, &ev);
	check(event_seen(&w, "'type':'room.floor','call':'r','leg':null"));
	ask(&w, "call.close", "{\"call\":\"r\"}");
	check(event_seen(&w, "'play':'z','reason':'leg_closed'"));
	teardown(&w);
}

static void busy(struct world *w, double share, double late_ms)
{
	w->fake->busy = share;
	w->fake->late_ms = late_ms;
}

static void overload_refuses_newcomers_until_it_is_well_over(void)
{
	static const struct line refused[] = {
		{"call.open", "{'call':'new'}", "worker", RPC_OVERLOADED},
		{"leg.open", "{'call':'c','leg':'new'}", "the limit is", RPC_OVERLOADED},
	};
	static const struct line taken[] = {
		{"call.open", "{'call':'new'}", "'created':true", OK},
		{"leg.open", "{'call':'c','leg':'new'}", "'leg':'new'", OK},
		{"leg.close", "{'leg':'new'}", "'closed':true", OK},
		{"call.close", "{'call':'new'}", "'closed':true", OK},
	};
	static const struct line of_running_calls[] = {
		{"call.open", "{'call':'help','urgent':true}", "'created':true", OK},
		{"leg.open", "{'call':'help','leg':'h','urgent':true}", "'leg':'h'", OK},
		{"call.close", "{'call':'help'}", "'closed':true", OK},
		{"play.start", "{'leg':'a','play':'p','items':[{'tone':'beep'}]}", "{}", OK},
		{"call.open", "{'call':'consult','near':'c'}", "'created':true", OK},
		{"call.close", "{'call':'consult'}", "'closed':true", OK},
		{"record.start",
		 "{'call':'c','customer':'a','recording':'6f9619ff-8b86-4011-b42d-00c04fc964ff'}",
		 "{}", OK},
	};
	struct world w;

	setup(&w);
	ask(&w, "call.open", "{\"call\":\"c\"}");
	ask(&w, "leg.open", "{\"call\":\"c\",\"leg\":\"a\"}");
	busy(&w, 0.93, 0);
	TELL(&w, refused);
	check(strstr(w.answer, "worker 0 would be busy to 93 %; the limit is 90 %") != NULL);
	check_int(w.retry_after_s, 5);
	check(event_seen(&w,
			 "'area':'overload-0','text':'worker 0 refuses new legs','raised':true"));
	TELL(&w, of_running_calls);
	busy(&w, 0.97, 0);
	ask(&w, "play.start", "{\"leg\":\"a\",\"play\":\"q\",\"items\":[{\"tone\":\"beep\"}]}");
	check_int(w.kind, RPC_REPLY_RESULT); /* it replaces one */
	w.now_ms += 200;
	busy(&w, 0.87, 0); /* below the limit, but not by enough */
	TELL(&w, refused);
	w.now_ms += 200;
	busy(&w, 0.84, 0);
	check(event_seen(&w, "'raised':false"));
	TELL(&w, taken);
	w.now_ms += 5000; /* its port has rested */
	busy(&w, 0.87, 0);
	TELL(&w, taken);
	w.now_ms += 5000;
	busy(&w, 0.2, 25); /* late, whatever the reason */
	TELL(&w, refused);
	check(strstr(w.answer, "25 ms late; the limit is 20 ms") != NULL);
	teardown(&w);
}

static void a_call_is_looked_at(void)
{
	static const struct line begin[] = {
		{"call.open", "{'call':'c'}", "'worker':0", OK},
		{"leg.open", "{'call':'c','leg':'a'}", "'leg':'a'", OK},
		{"call.open", "{'call':'other'}", "'worker':1", OK},
		{"call.open", "{'call':'beside','near':'c'}", "'worker':0", OK},
		{"capture.start", "{'capture':'p'}", "one of call and leg", RPC_INVALID_PARAMS},
		{"capture.start", "{'capture':'p','call':'c','leg':'a'}", "one of call and leg",
		 RPC_INVALID_PARAMS},
		{"capture.start", "{'capture':'p','call':'x'}", "no call x", RPC_NOT_FOUND},
		{"capture.read", "{'capture':'p'}", "no capture p", RPC_NOT_FOUND},
		{"capture.start", "{'capture':'p','call':'c'}", "{}", OK},
		{"capture.start", "{'capture':'p','call':'c'}", "capture p runs", RPC_EXISTS},
		{"capture.start", "{'capture':'q','call':'beside'}",
		 "capture p runs on worker 0, which can do one at a time", RPC_NO_RESOURCE},
		{"capture.start", "{'capture':'q','call':'other'}", "{}", OK},
		{"capture.read", "{'capture':'p'}",
		 "{'packets':[],'more':false,'ended':false,'lost':0}", OK},
	};
	static const struct line finish[] = {
		{"call.close", "{'call':'c'}", "'closed':true", OK},
		{"capture.read", "{'capture':'p'}", "'ended':true", OK},
		{"capture.stop", "{'capture':'p'}", "{'stopped':true,'packets':0,'lost':0}", OK},
		{"capture.stop", "{'capture':'p'}", "{'stopped':false}", OK},
		{"capture.start", "{'capture':'p','call':'beside','packets':2}", "{}", OK},
	};
	struct capture_packet p = {.way = CAPTURE_IN, .len = 2000, .kept = 3, .frame = "abc"};
	struct world w;

	setup(&w);
	TELL(&w, begin);
	/* What a worker does. */
	ask(&w, "capture.stop", "{\"capture\":\"q\"}");
	ask(&w, "capture.start", "{\"capture\":\"q\",\"call\":\"other\"}");
	struct capture *theirs = w.fake->last.capture;
	check(theirs != NULL);
	for (unsigned i = 0; i < CAPTURE_SLOTS; i++)
		check(spsc_put(&theirs->ring, &p));
	check(!spsc_put(&theirs->ring, &p));
	p.kept = CAPTURE_BYTES;
	ask(&w, "capture.read", "{\"capture\":\"q\"}");
	check(strstr(w.answer, "\"way\":\"in\",\"length\":2000,\"frame\":\"YWJj\"") != NULL);
	size_t got = json_array_size(json_object_get(w.result, "packets"));
	check(got > 100 && got < CAPTURE_SLOTS);
	check(json_is_true(json_object_get(w.result, "more")));
	for (size_t i = 0; i < got; i++)
		check(spsc_put(&theirs->ring, &p));
	while (json_is_true(json_object_get(w.result, "more"))) {
		ask(&w, "capture.read", "{\"capture\":\"q\"}");
		check(strlen(w.answer) < 65000); /* a line of the socket */
	}
	TELL(&w, finish);
	for (unsigned i = 0; i < 12; i++) { /* nobody reads p any more, q is read */
		w.now_ms += 1000;
		ask(&w, "capture.read", "{\"capture\":\"q\"}");
	}
	check_int(w.kind, RPC_REPLY_RESULT);
	ask(&w, "capture.read", "{\"capture\":\"p\"}");
	check_int(w.reason, RPC_NOT_FOUND);
	teardown(&w);
}

static void limits_refuse_and_give_back(void)
{
	struct world w;
	char p[128];

	setup(&w);
	ask(&w, "call.open", "{\"call\":\"c\"}");
	w.fake->busy = 0.95;
	ask(&w, "leg.open", "{\"call\":\"c\",\"leg\":\"a\"}");
	check_int(w.reason, RPC_OVERLOADED);
	w.fake->busy = 0.1;
	for (int i = 0; i <= CALL_LEGS_MAX; i++) {
		snprintf(p, sizeof(p), "{\"call\":\"c\",\"leg\":\"l%d\"}", i);
		ask(&w, "leg.open", p);
		check_int(w.kind, i < CALL_LEGS_MAX ? RPC_REPLY_RESULT : RPC_REPLY_ERROR);
	}
	check_int(w.reason, RPC_NO_RESOURCE);
	/* all ports of one worker: those that were closed must rest first */
	ask(&w, "call.close", "{\"call\":\"c\"}");
	for (int i = 0; i < 5; i++) {
		snprintf(p, sizeof(p), "{\"call\":\"n%d\"%s}", i, i > 0 ? ",\"near\":\"n0\"" : "");
		ask(&w, "call.open", p);
		check_int(w.kind, RPC_REPLY_RESULT);
	}
	for (int i = 0; i < FAKE_LEGS; i++) {
		snprintf(p, sizeof(p), "{\"call\":\"n%d\",\"leg\":\"m%d\"}", i / 14, i);
		ask(&w, "leg.open", p);
		check_int(w.kind,
			  i < FAKE_LEGS - CALL_LEGS_MAX ? RPC_REPLY_RESULT : RPC_REPLY_ERROR);
	}
	check(strstr(w.answer, "48 in use, 16 resting") != NULL);
	check_int(w.retry_after_s, 1);
	w.now_ms += 1000;
	ask(&w, "leg.open", "{\"call\":\"n4\",\"leg\":\"z\"}");
	check_int(w.kind, RPC_REPLY_RESULT);
	for (int i = 0; i < FAKE_CALLS; i++) {
		snprintf(p, sizeof(p), "{\"call\":\"o%d\",\"near\":\"n0\"}", i);
		ask(&w, "call.open", p);
	}
	check_int(w.reason, RPC_NO_RESOURCE);
	teardown(&w);
}

static void a_worker_that_refuses_leaves_nothing_behind(void)
{
	struct world w;
	struct engine_rpc_counts n;

	setup(&w);
	w.fake->refuse = -ENOMEM;
	ask(&w, "call.open", "{\"call\":\"c\"}");
	check_int(w.reason, RPC_NO_RESOURCE);
	ask(&w, "call.open", "{\"call\":\"c\"}");
	w.fake->refuse = -ENOMEM;
	ask(&w, "leg.open", "{\"call\":\"c\",\"leg\":\"a\"}");
	check_int(w.reason, RPC_NO_RESOURCE);
	ask(&w, "leg.open", "{\"call\":\"c\",\"leg\":\"a\"}");
	w.fake->refuse = -EINVAL;
	ask(&w, "play.start", "{\"leg\":\"a\",\"play\":\"p\",\"items\":[{\"prompt\":\"moh\"}]}");
	check_int(w.reason, RPC_INVALID_PARAMS);
	w.fake->refuse = -EBUSY;
	ask(&w, "collect.start", "{\"leg\":\"a\",\"collect\":\"p\",\"max\":1}");
	check_int(w.reason, RPC_OUT_OF_ORDER);
	w.fake->refuse = -ENODEV;
	ask(&w, "record.start", "{\"call\":\"c\",\"recording\":\"" U "\",\"customer\":\"a\"}");
	check_int(w.reason, RPC_NO_RESOURCE);
	check(strstr(w.answer, "without a recorder") != NULL);
	engine_rpc_counts(w.rpc, &n);
	check_int(n.plays + n.collects + n.recordings + n.commands_open, 0);
	check_int(w.fake->prompt[2].holds, 0);

	/* A whole burst behind a call that the worker refuses. */
	w.fake->refuse = -ENOMEM;
	ask_async(&w, "call.open", "{\"call\":\"d\"}");
	ask_async(&w, "leg.open", "{\"call\":\"d\",\"leg\":\"x\"}");
	ask_async(&w, "play.start",
		  "{\"leg\":\"x\",\"play\":\"1\",\"items\":[{\"prompt\":\"moh\"}]}");
	ask_async(&w, "play.start",
		  "{\"leg\":\"x\",\"play\":\"2\",\"items\":[{\"prompt\":\"moh\"}]}");
	ask_async(&w, "monitor.stop", "{\"monitor\":\"none\"}");
	w.answers = 0;
	pump(&w);
	check_int(w.answers, 5);
	engine_rpc_counts(w.rpc, &n);
	check_int(n.calls, 1);
	check_int(n.legs, 1);
	check_int(n.plays + n.commands_open, 0);
	teardown(&w);
}

static void a_snapshot_shows_what_the_worker_took(void)
{
	static const struct line open[] = {
		{"call.open", "{'call':'c'}", "'call':'c'", OK},
		{"leg.open",
		 "{'call':'c','leg':'a','codecs':[{'pt':8,'name':'PCMA'}],'direction':'sendrecv'}",
		 "'leg':'a'", OK},
	};
	static const struct line no_coder[] = {
		{"leg.set",
		 "{'leg':'a','codecs':[{'pt':9,'name':'G722'}],'inband_dtmf':true,'direction':'"
		 "recvonly'}",
		 "leg a", RPC_NO_RESOURCE},
		{"snapshot", "{}", "'codecs':[{'pt':8,'name':'PCMA'}],'direction':'recvonly'", OK},
		{"snapshot", "{}", "'codec':'PCMA'", OK},
	};
	static const struct line nothing[] = {
		{"leg.set", "{'leg':'a','direction':'inactive'}", "leg a", RPC_INVALID_PARAMS},
		{"snapshot", "{}", "'direction':'recvonly'", OK},
		{"leg.set", "{'leg':'a','codecs':[{'pt':9,'name':'G722'}]}", "{}", OK},
		{"snapshot", "{}", "'codec':'G722'", OK},
	};
	struct world w;

	setup(&w);
	TELL(&w, open);
	w.fake->refuse = -ENOBUFS;
	TELL(&w, no_coder);
	w.fake->refuse = -EINVAL;
	TELL(&w, nothing);
	check_int(w.fake->last.leg_open.inband_dtmf, false); /* not asked for again either */
	teardown(&w);
}

static void a_full_ring_loses_no_command(void)
{
	struct world w;
	char p[128];

	setup(&w);
	w.fake->room = 0;
	w.answers = 0;
	for (int i = 0; i < 10; i++) {
		snprintf(p, sizeof(p), "{\"call\":\"c%d\"}", i);
		ask_async(&w, "call.open", p);
	}
	ask_async(&w, "leg.open", "{\"call\":\"c3\",\"leg\":\"a\"}");
	ask_async(&w, "call.close", "{\"call\":\"c3\"}");
	pump(&w);
	check_int(w.answers, 0);
	check_int(engine_rpc_poll(w.rpc, w.now_ms, 0), 1);
	for (int i = 0; i < 200 && w.answers < 12; i++) {
		w.fake->room = 1;
		pump(&w);
	}
	check_int(w.answers, 12);
	check_int(engine_rpc_poll(w.rpc, w.now_ms, 0), -1);
	w.fake->room = UINT32_MAX;
	ask(&w, "snapshot", "{}");
	check_int(json_array_size(json_object_get(w.result, "calls")), 9);
	teardown(&w);
}

/* --- random operations against what must always hold --- */

static uint32_t dice(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 8) % n;
}

static void random_request(struct world *w, uint32_t *seed)
{
	static const char *const forms[][2] = {
		{"call.open", "{\"call\":\"c%u\"}"},
		{"call.open", "{\"call\":\"c%u\",\"near\":\"c%u\"}"},
		{"call.close", "{\"call\":\"c%u\"}"},
		{"leg.open", "{\"call\":\"c%u\",\"leg\":\"l%u\"}"},
		{"leg.open", "{\"call\":\"c%u\",\"leg\":\"l%u\"}"},
		{"leg.open", "{\"call\":\"c%u\",\"leg\":\"l%u\"}"},
		{"leg.close", "{\"leg\":\"l%u\"}"},
		{"leg.set", "{\"leg\":\"l%u\",\"inband_dtmf\":true}"},
		{"call.hear",
		 "{\"call\":\"c%u\",\"hear\":[{\"listener\":\"l%u\",\"speaker\":\"l%u\"}]}"},
		{"play.start",
		 "{\"leg\":\"l%u\",\"play\":\"p%u\",\"items\":[{\"prompt\":\"moh\"}]}"},
		{"play.start",
		 "{\"leg\":\"l%u\",\"play\":\"p%u\",\"items\":[{\"prompt\":\"moh\"}]}"},
		{"play.stop", "{\"play\":\"p%u\"}"},
		{"collect.start", "{\"leg\":\"l%u\",\"collect\":\"p%u\",\"max\":3}"},
		{"collect.stop", "{\"collect\":\"p%u\"}"},
		{"record.start", "{\"call\":\"c%u\",\"customer\":\"l%u\",\"recording\":\"0190f3a2-"
				 "0000-7000-8000-0000%08x\"}"},
		{"record.stop", "{\"recording\":\"0190f3a2-0000-7000-8000-0000%08x\"}"},
		{"monitor.start", "{\"call\":\"c%u\",\"supervisor\":\"l%u\",\"agent\":\"l%u\","
				  "\"customer\":\"l%u\",\"monitor\":\"m%u\",\"mode\":\"listen\"}"},
		{"monitor.stop", "{\"monitor\":\"m%u\"}"},
		{"leg.stat", "{\"leg\":\"l%u\"}"},
		{"stat.legs", "{}"},
		{"snapshot", "{}"},
	};
	uint32_t k = dice(seed, sizeof(forms) / sizeof(forms[0]));
	char p[256];

	/* Few ids, so that they meet. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(p, sizeof(p), forms[k][1], dice(seed, 6), dice(seed, 12), dice(seed, 12),
		 dice(seed, 12), dice(seed, 3));
#pragma GCC diagnostic pop
	ask_async(w, forms[k][0], p);
}

static void random_end(struct world *w, uint32_t *seed)
{
	uint32_t i = dice(seed, FAKE_WORKERS * FAKE_LEGS);
	struct fake_leg *leg = &w->fake->leg[i];
	struct leg_ref ref = {i, leg->generation};

	if (leg->generation == 0)
		return;
	fake_play_end(w->fake, i / FAKE_LEGS, ref, PLAY_END_DIGIT);
	fake_collect_end(w->fake, i / FAKE_LEGS, ref, COLLECT_END_COMPLETE);
}

static void whatever_is_asked_nothing_leaks(void)
{
	for (uint32_t run = 1; run <= 12; run++) {
		struct world w;
		struct engine_rpc_counts n;
		uint32_t seed = run * 7919, asked = 0;

		setup(&w);
		w.answers = 0;
		w.fake->flaky = run;
		for (int i = 0; i < 1500; i++) {
			random_request(&w, &seed);
			asked++;
			w.fake->room = dice(&seed, 4) == 0 ? 0 : dice(&seed, 30);
			random_end(&w, &seed);
			if (dice(&seed, 3) == 0) {
				w.now_ms += dice(&seed, 100);
				rpc_client_poll(w.client);
				engine_rpc_poll(w.rpc, w.now_ms, w.now_ms);
			}
		}
		w.fake->room = UINT32_MAX;
		for (int i = 0; i < 200 && w.answers < asked; i++)
			pump(&w);
		check_int(w.answers, asked); /* each exactly once */

		/* The model and the registry agree on what is open. */
		uint32_t legs = 0, calls = 0;

		for (int i = 0; i < FAKE_WORKERS * FAKE_LEGS; i++)
			legs += w.fake->leg[i].generation != 0;
		for (int i = 0; i < FAKE_WORKERS * FAKE_CALLS; i++)
			calls += w.fake->call[i].generation != 0;
		engine_rpc_counts(w.rpc, &n);
		check_int(n.legs, legs);
		check_int(n.calls, calls);
		check_int(n.commands_open, 0);

		for (unsigned i = 0; i < 6; i++) {
			char p[32];

			snprintf(p, sizeof(p), "{\"call\":\"c%u\"}", i);
			ask(&w, "call.close", p);
		}
		pump(&w);
		w.now_ms += 100000;
		pump(&w);
		engine_rpc_counts(w.rpc, &n);
		check_int(n.calls + n.legs + n.plays + n.collects + n.recordings + n.monitors, 0);
		check_int(n.legs_resting + n.commands_open, 0);
		for (int i = 0; i < FAKE_PROMPTS; i++)
			check_int(w.fake->prompt[i].holds, 0);
		teardown(&w);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(a_call_from_open_to_close),
	CHECK_CASE(legs_are_checked_before_they_reach_a_worker),
	CHECK_CASE(keys_go_to_the_worker_and_nowhere_else),
	CHECK_CASE(sound_from_start_to_done),
	CHECK_CASE(recordings_end_once_and_are_remembered),
	CHECK_CASE(a_supervisor_comes_and_goes),
	CHECK_CASE(news_become_numbered_events),
	CHECK_CASE(numbers_add_up),
	CHECK_CASE(overload_refuses_newcomers_until_it_is_well_over),
	CHECK_CASE(a_call_is_looked_at),
	CHECK_CASE(limits_refuse_and_give_back),
	CHECK_CASE(a_worker_that_refuses_leaves_nothing_behind),
	CHECK_CASE(a_snapshot_shows_what_the_worker_took),
	CHECK_CASE(a_full_ring_loses_no_command),
	CHECK_CASE(rooms_have_members_and_announcements),
	CHECK_CASE(whatever_is_asked_nothing_leaks),
};
CHECK_MAIN(cases)
