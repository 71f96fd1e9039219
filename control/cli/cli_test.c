/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line against sockets that answer from a table: what is asked, what is printed, how it ends.
 */
#include "cli/cli.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patchbay/rpc_server.h"
#include "tests/check.h"

/* Any object: the protocol's own checks are tested where it is implemented. */
static const struct rpc_param anything_field[] = {
	RPC_PARAM_TEXT("name", RPC_REQUIRED, 1, 63),
	RPC_PARAM_TEXT("value", RPC_REQUIRED | RPC_NULLABLE, 0, 63),
	RPC_PARAM_END,
};
static const struct rpc_param anything_line[] = {
	RPC_PARAM_TEXT("line", RPC_REQUIRED, 0, 1000),
	RPC_PARAM_END,
};
static const struct rpc_param anything_rows[] = {
	RPC_PARAM_TEXT("article", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("title", RPC_OPTIONAL, 1, 200),
	RPC_PARAM_TEXTS("keywords", RPC_OPTIONAL, 0, 32),
	RPC_PARAM_LIST("text", RPC_OPTIONAL, 0, 10000, anything_line),
	RPC_PARAM_TEXT("do", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("customer", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("name", RPC_OPTIONAL, 0, 63),
	RPC_PARAM_TEXTS("numbers", RPC_OPTIONAL, 0, 16),
	RPC_PARAM_LIST("fields", RPC_OPTIONAL, 0, 64, anything_field),
	RPC_PARAM_INT("line", RPC_OPTIONAL, 0, 1000000),
	RPC_PARAM_END,
};
static const struct rpc_param anything[] = {
	RPC_PARAM_TEXT("action", RPC_OPTIONAL, 0, 63),
	RPC_PARAM_BOOL("paused", RPC_OPTIONAL),
	RPC_PARAM_INT("level", RPC_OPTIONAL, 0, 9),
	RPC_PARAM_TEXT("call", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("agent", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("by", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("mode", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("state", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("reason", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("to", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("slot", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("phone", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_BOOL("nailed_up", RPC_OPTIONAL),
	RPC_PARAM_TEXT("file", RPC_OPTIONAL, 1, 4000),
	RPC_PARAM_TEXT("queue", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_INT("limit", RPC_OPTIONAL, 1, 200),
	RPC_PARAM_INT("from_ms", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_INT("to_ms", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_TEXT("of", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("key", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("interval", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("zone", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("number", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_INT("at_ms", RPC_OPTIONAL, 0, INT64_MAX),
	RPC_PARAM_TEXT("rank", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_BOOL("lowest_first", RPC_OPTIONAL),
	RPC_PARAM_TEXT("field", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("value", RPC_OPTIONAL, 0, 63),
	RPC_PARAM_TEXT("text", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXTS("sort", RPC_OPTIONAL, 0, 2),
	RPC_PARAM_TEXT("after", RPC_OPTIONAL, 0, 63),
	RPC_PARAM_TEXT("duplicates", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_LIST("rows", RPC_OPTIONAL, 1, 500, anything_rows),
	RPC_PARAM_TEXT("article", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_TEXT("who", RPC_OPTIONAL, 0, 63),
	RPC_PARAM_TEXT("method", RPC_OPTIONAL, 1, 63),
	RPC_PARAM_BOOL("refused", RPC_OPTIONAL),
	RPC_PARAM_BOOL("in_vain", RPC_OPTIONAL),
	RPC_PARAM_END,
};

/* ' stands for ". */
static const struct {
	const char *method, *answer;
} answers[] = {
	{"status",
	 "{'version':'9','healthy':true,'uptime_ms':65000,'engine':{'connected':true,'version':'8',"
	 "'since_ms':0},"
	 "'sip':{'listen':[{'transport':'udp','address':'0.0.0.0'}],'registered':3},'calls':{'now':"
	 "1,'total':7,'refused':0},"
	 "'agents':{'total':4,'ready':2,'not_ready':1,'talking':1,'wrap_up':0,'signed_out':0},'"
	 "queues':{'waiting':5},'trunks':{'total':2,'up':1,'down':1},'acd':{'offers':7,'p50_us':40,"
	 "'p99_us':768,'max_us':5339},"
	 "'store':{'file':'/"
	 "x.db','state':'ok','written':9,'waiting':0,'dropped':0},'config':{'embedded':true},"
	 "'flow':{'file':'/"
	 "h.yaml','embedded':false},'alarms':[{'area':'disk','text':'full\\u001b[2J','since_ms':1}]"
	 "}"},
	{"calls",
	 "{'calls':[{'call':'0190f3a2-0000-7000-8000-00003f9a21bc','state':'talking','from':'"
	 "\\u5ba2\\u6237','to':'95598',"
	 "'queue':'sales','agent':'1001','duration_ms':65000,'recording':'r','recording_state':'"
	 "running','monitored':null}]}"},
	{"call", "{'call':'c-1','kind':'in','from':'1','to':'2','state':'ended','started_ms':1000,'"
		 "ended_ms':9000,'duration_ms':8000,"
		 "'hung_up_by':'customer','cause':'normal','path':['a','b'],'flow':'hotline','"
		 "recordings':['u-1'],"
		 "'legs':[{'leg':'l','role':'customer','party':'1','stats':{'mos':4.21,'remote_mos'"
		 ":null,'sound':{'speech_dbov':-24,'"
		 "noise_dbov':null,'speech_ms':61500,'silence_share':0.25,'silence_max_ms':9000,'"
		 "talk_over_ms':1500,'"
		 "clipped_ms':0,'one_way_ms':0,'answer':'machine','beep':true,'tones':{'busy':{'"
		 "count':3,'first_ms':9}}}}}],'steps':[{'at_ms':2500,'step':"
		 "'queue','detail':'sales'}],"
		 "'quality':{'lost_share':0.01,'jitter_ms':2.5,'rtt_ms':10,'mos':4.3}}"},
	{"queues", "{'queues':[{'queue':'sales','waiting':1,'longest_wait_ms':61000,'agents':{'"
		   "ready':0},'answered':4,"
		   "'answered_in_time_share':0.75,'callers':[{'call':'c','from':'139','position':1,"
		   "'wait_ms':61000}]}]}"},
	{"trunks",
	 "{'trunks':[{'trunk':'carrier','host':'sip.example','port':5060,'transport':'udp','"
	 "state':'up','registered_s':65,'calls_in':3},{'trunk':'spare','host':'192.0.2.1','"
	 "port':5061,'transport':'tls','state':'down','why':'OPTIONS not "
	 "answered','retry_s':20}]}"},
	{"agents",
	 "{'agents':[{'agent':'1001','name':'Li','state':'ready','reason':null,'"
	 "registered':true,'remote':'0138','away':[{'reason':'break','used_ms':61000,'budget_ms':"
	 "null},{'reason':'"
	 "total','used_ms':61000,'budget_ms':1066000}],'queues':['sales','x'],'contact':'sip:1'}]"
	 "}"},
	{"agent.set", "{'agent':'1001','state':'not_ready','reason':'lunch'}"},
	{"monitor", "{'call':'c-1','by':'2001','mode':'listen','state':'ringing'}"},
	{"queue.set", "{'queue':'sales','paused':true}"},
	{"queue.move", "{'call':'c-1','queue':'sales'}"},
	{"agent.queue", "{'agent':'1001','queue':'sales','level':2}"},
	{"record", "{'call':'c-1','action':'pause','state':'paused'}"},
	{"transfer", "{'call':'c-1','to':'1002'}"},
	{"park", "{'call':'c-1','slot':'705'}"},
	{"unpark", "{'slot':'705','to':'1002'}"},
	{"callbacks", "{'callbacks':[{'call':'c-1','queue':'sales','number':'139','state':'task','"
		      "agent':'1001','"
		      "tries':1,'tries_max':3,'promised_ms':1000,'due_ms':null,'task_ms':4000}]}"},
	{"callback.add", "{'call':'c-1','queue':'sales','number':'139'}"},
	{"callback.dial", "{'call':'c-1'}"},
	{"customers", "{'customers':[{'customer':'k-1','name':'Wang','numbers':['+861','+862'],'"
		      "fields':{'city':'"
		      "=Beijing','tier':'2'},'created_ms':1,'changed_ms':2}],'more':false}"},
	{"customers.write", "{'added':1,'updated':0,'deleted':0,'refused':0,'rows':[{'customer':'k-"
			    "1','done':'added'}]}"},
	{"knowledge", "{'articles':[{'article':'refunds','title':'Refund "
		      "policy','keywords':[],'excerpt':'A refund "
		      "takes 14 days.','points':8.5,'created_ms':1,'changed_ms':2}],'took_ms':3}"},
	{"knowledge.read",
	 "{'articles':[{'article':'refunds','title':'Refund policy','keywords':['money "
	 "back','ticket'],'text':'One.\\nTwo.\\n'}]}"},
	{"knowledge.write", "{'added':1,'updated':0,'deleted':0,'refused':0,'rows':[{'article':'"
			    "refunds','done':'added'}]}"},
	{"knowledge.searches", "{'searches':[{'at_ms':1,'who':'1001','text':'refnud','found':2,'"
			       "first':'refunds','took_ms':3}]}"},
	{"audit", "{'acts':[{'at_ms':1,'who':'qa','method':'hangup','params':'{}','result':'not_"
		  "found'}]}"},
	{"parked",
	 "{'parked':[{'slot':'705','call':'c-1','from':'139','by':'1001','since_ms':1000,'"
	 "timeout_ms':61000}]}"},
	{"legs", "{'legs':[{'leg':'0190f3a2-0000-7000-8000-00003f9a21bc.l1','call':'c','stats':"
		 "null},{'leg':'m','call':'c','stats':{'"
		 "packets_in':5,'lost_share':0.5,'codec':'PCMU'}}]}"},
	{"flow.check", "{'file':'h.yaml','ok':false,'problems':[{'file':'h.yaml','line':3,'column':"
		       "7,'severity':'error','message':'no'}]}"},
	{"stat.drops",
	 "{'received':10,'in_flight':1,'fates':[{'name':'relayed','text':'sent "
	 "on','count':8,'drop':false},"
	 "{'name':'late','text':'too "
	 "late','count':1,'drop':true},{'name':'far','text':'jump','count':0,'drop':true}]}"},
	{"stat.engine", "{'version':'8','uptime_ms':5000,'workers':[{'worker':0,'busy_share':0.25,'"
			"received':10,'stages':[{'stage':'rx','packets':10,'cycles':500}]}],"
			"'ports':[{'name':'p','driver':'d','mac':'m','ip':'i','link':true,'"
			"fallback':'no AF_XDP'}],'recorder':null,'alarms':{'disk':'full'}}"},
	{"cdr",
	 "{'records':[{'call':'c-1','from':'139','agents':['1001','1002'],'abandoned':false,'"
	 "mos':4.25,'recording':null}],'more':false}"},
	{"report",
	 "{'of':'queues','rows':[{'from_ms':1761429600000,'to_ms':1761433200000,'queue':'=sales','"
	 "offered':10,'answered':8,'answer_rate':0.8,'service_level':0.875,'speed_of_answer_ms':"
	 "9000,'handle_time_ms':null,'not_ready':{'lunch':61000},'answers':3,'mean':3.5,'change':-"
	 "0.25,'"
	 "lowest':1,'highest':5,'calls_back':6,'reached':4,'calls_back_per_hour':7.5,'dial_time_ms'"
	 ":4000,'rank':1,'values':{'5':2,'1':1},'targets':[{'what':'service_level','at_"
	 "least':"
	 "90,'from':null,'met':false},{'what':'handle_time_s','at_most':240,'from':null,'met':null}"
	 "]}]}"},
	{"alarms",
	 "{'alarms':[{'area':'disk','text':'full','since_ms':1}],'overlong':[{'agent':'"
	 "1001','call':'c-1','queue':'sales','what':'talk','level':2,'role':'controller','"
	 "since_ms':1,'lasted_ms':700000,'limit_ms':600000}]}"},
	{"overlong", "{'overlong':[{'call':'c-1','agent':'1001','queue':'sales','what':'wrap_up','"
		     "level':3,'began_ms':1,'lasted_ms':200000,'limit_ms':180000,'told':['2001','h'"
		     "],'recording':'"
		     "r-7'}],'more':false}"},
	{"agent.log", "{'states':[{'agent':'1001','state':'not_ready','reason':'lunch','from_ms':"
		      "1000,'until_ms':"
		      "62000,'call':null,'id':'7'}],'more':true,'next':'7'}"},
	{"agent.conduct",
	 "{'findings':[{'agent':'1001','at_ms':1,'rule':'rejected_ring','call':'c-1','count':2,'"
	 "lasted_ms':4000,'evidence':'SIP 486 after 4000 ms'}],'more':false}"},
	{"takeover", "{'call':'c-1','by':'2001','state':'ringing'}"},
	{"backup", "{'file':'/b.db','pages':10,'bytes':40960,'ms':1500}"},
};

static enum rpc_answer canned(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)err;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(answers[i].method, call->method) == 0) {
			char *text = strdup(answers[i].answer);

			for (char *p = text; *p != '\0'; p++)
				if (*p == '\'')
					*p = '"';
			*result = json_loads(text, 0, NULL);
			free(text);
		}
	if (*result == NULL)
		abort();
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer refuse(const struct rpc_call *call, json_t **result, struct rpc_error *err)
{
	(void)result;
	rpc_error_not_found(err, "call", rpc_param_text(call->params, "call", "?"));
	return RPC_ANSWER_ERROR;
}

static const struct rpc_method methods[] = {
	{"status", anything, canned},
	{"calls", anything, canned},
	{"call", anything, canned},
	{"queues", anything, canned},
	{"trunks", anything, canned},
	{"agents", anything, canned},
	{"agent.set", anything, canned},
	{"queue.set", anything, canned},
	{"queue.move", anything, canned},
	{"agent.queue", anything, canned},
	{"monitor", anything, canned},
	{"record", anything, canned},
	{"transfer", anything, canned},
	{"park", anything, canned},
	{"unpark", anything, canned},
	{"parked", anything, canned},
	{"callbacks", anything, canned},
	{"callback.add", anything, canned},
	{"callback.dial", anything, canned},
	{"customers", anything, canned},
	{"customers.write", anything, canned},
	{"knowledge", anything, canned},
	{"knowledge.read", anything, canned},
	{"knowledge.write", anything, canned},
	{"knowledge.searches", anything, canned},
	{"audit", anything, canned},
	{"hangup", anything, refuse},
	{"legs", anything, canned},
	{"flow.check", anything, canned},
	{"stat.drops", anything, canned},
	{"stat.engine", anything, canned},
	{"cdr", anything, canned},
	{"report", anything, canned},
	{"alarms", anything, canned},
	{"overlong", anything, canned},
	{"agent.log", anything, canned},
	{"agent.conduct", anything, canned},
	{"takeover", anything, canned},
	{"backup", anything, canned},
	{NULL, NULL, NULL},
};

struct world {
	char dir[32], path[64];
	pid_t server;
	char *out, *err;
	int code;
};

static void serve(const char *path)
{
	struct event_log *log = event_log_new(64, 1 << 16);
	const struct rpc_server_config cfg = {.name = "daemon",
					      .version = "0",
					      .protocol = 1,
					      .methods = methods,
					      .events = log,
					      .group = -1};
	struct rpc_server *s;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlive the test */
	if (rpc_server_open(&s, path, &cfg) != 0)
		_exit(1);
	rpc_server_event(s, 1000, "agent",
			 json_pack("{s:s, s:n, s:i}", "agent", "1001", "call", "n", 5));
	rpc_server_event(s, 1000, "call", json_pack("{s:s}", "call", "c-1"));
	for (;;) {
		struct pollfd p = {.fd = rpc_server_fd(s), .events = POLLIN};

		poll(&p, 1, -1);
		rpc_server_poll(s);
	}
}

static void setup(struct world *w)
{
	*w = (struct world){.dir = "/tmp/cli-test-XXXXXX"};
	check(mkdtemp(w->dir) != NULL);
	snprintf(w->path, sizeof(w->path), "%s/s", w->dir);
	fflush(stdout);
	w->server = fork();
	if (w->server == 0)
		serve(w->path);
	for (int i = 0; i < 500 && access(w->path, F_OK) != 0; i++)
		usleep(10000);
}

static void teardown(struct world *w)
{
	kill(w->server, SIGKILL);
	waitpid(w->server, NULL, 0);
	unlink(w->path);
	rmdir(w->dir);
	free(w->out);
	free(w->err);
}

/* Run `patchbay --socket ... LINE`; blanks separate words. */
static void run(struct world *w, const char *line)
{
	const char *argv[CLI_WORDS_MAX] = {"patchbay", "--socket", w->path, "--engine-socket",
					   w->path};
	int argc = 5;
	size_t out_len, err_len;
	char *copy = strdup(line);
	FILE *out, *err;

	free(w->out);
	free(w->err);
	out = open_memstream(&w->out, &out_len);
	err = open_memstream(&w->err, &err_len);
	for (char *p = strtok(copy, " "); p != NULL; p = strtok(NULL, " "))
		argv[argc++] = p;
	w->code = cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	free(copy);
}

static const struct {
	const char *line;
	int code;
	const char *out, *err; /* must stand there; NULL: nothing may stand there at all */
} stories[] = {
	{"status", 0, "healthy, up 1:05", NULL},
	{"status", 0, "ALARM       disk: full?[2J (since ", NULL},
	{"status --json", 0, "\"registered\": 3", NULL},
	{"calls", 0,
	 "3f9a21bc  talking  \xe5\xae\xa2\xe6\x88\xb7  95598  sales  1001     1:05  running   -\n",
	 NULL},
	{"calls --wide", 0, "0190f3a2-0000-7000-8000-00003f9a21bc", NULL},
	{"call c-1", 0, "ended      ", NULL},
	{"call c-1", 0, "1.5 s  queue  sales\n", NULL},
	{"call c-1", 0, "loss 1.00 %, jitter 2.5 ms", NULL},
	{"report queues --zone Europe/Berlin --from 2025-10-26", 0, "2025-10-26 00:00  =sales",
	 NULL},
	{"report queues", 0, "80.0", NULL},
	{"report queues", 0, "0:09", NULL},
	{"report queues --csv", 0, "queue,offered,answered", NULL},
	{"report queues --csv", 0, ",\"'=sales\",10,8,0.800000,", NULL}, /* no formula */
	{"report queues --json", 0, "\"service_level\": 0.875", NULL},
	{"report agents", 0, "lunch 1:01", NULL},
	{"records --csv", 0,
	 "call,from,agents,abandoned,mos,recording\r\n\"c-1\",\"139\",\"[\"\"1001\"\",\"\"1002\"\"]"
	 "\",false,4.250000,\r\n",
	 NULL},
	{"plan seats --users 130000 --elsewhere 3", 0,
	 "one seat for each full 20000: 6.50\nseats            6\n", NULL},
	{"plan seats --users 130000 --elsewhere 3", 0,
	 "14.00 h x 30.00 days / 166.64 h = 2.52, rounded up: 3\n", NULL},
	{"plan seats --users 130000 --json", 0, "\"people\": 18", NULL},
	{"plan seats", 2, NULL, "--users is missing"},
	{"plan seats --users 5 --hours 25", 2, NULL, "--hours must be a number from 0 to 24"},
	{"plan tables", 2, NULL, "\"tables\" is none of seats, weeks"},
	{"plan weeks sales", 0,
	 "no alert: it takes 3 weeks, each 5 points or more below the week before", NULL},
	{"plan weeks --calls --weeks 27", 2, NULL, "--weeks must be"},
	{"report queues", 0, "service_level >= 90: MISSED, handle_time_s <= 240: -\n", NULL},
	{"report notes score", 0, "3  3.50   -0.25       1        5  5: 2, 1: 1", NULL},
	{"report notes", 2, NULL, "which notes? Name the key"},
	{"report queues --by agent", 2, NULL, "--by is queue or agent, and for notes"},
	{"report lunches", 2, NULL, "\"lunches\" is none of queues, agents, groups, flows, notes"},
	{"report queues --from yesterday", 2, NULL, "--from must be 30m, 2h, 7d or a date"},
	{"report queues --from 2026-11-22 --to 2026-11-21", 2, NULL, "--to must be after --from"},
	{"alarms", 1, "disk: full\n", NULL},
	{"alarms", 1, "sales  1001   talk  controller   11:40  10:00\n", NULL},
	{"alarms --day 2026-11-22", 0, "wrap_up  manager    3:20   3:00  2001 h  r-7\n", NULL},
	{"agent log 1001", 0, "not_ready  lunch   -       1:01\n", NULL},
	{"agent log 1001", 0, "there are more: --after 7", NULL},
	{"agent conduct", 0, "rejected_ring  c-1       2    0:04  SIP 486 after 4000 ms\n", NULL},
	{"agent log", 2, NULL, "AGENT is missing"},
	{"takeover c-1 --by 2001", 0, "2001 is rung; who answers has the conversation\n", NULL},
	{"takeover c-1", 2, NULL, "--by SUPERVISOR is missing"},
	{"backup b.db", 0, "/b.db: 41.0 kB, copied and verified in 1.5 s\n", NULL},
	{"restore /nonexistent.db --database /tmp/none.db", 1, NULL, "patchbayd runs"},
	{"call", 2, NULL, "CALL is missing\nusage: patchbay call CALL"},
	{"call a b", 2, NULL, "what is \"b\" here?"},
	{"status", 0, "trunks      2: 1 up, 1 down\n", NULL},
	{"status", 0, "7 offers, decided in 0.0 ms (half), 0.8 ms (99 %), 5.3 ms (longest)\n",
	 NULL},
	{"trunks", 1, "udp:sip.example:5060", NULL},
	{"trunks", 1, "up, registered for 1:05", NULL},
	{"trunks", 1, "DOWN: OPTIONS not answered, again in 0:20", NULL},
	{"queues", 0, "75 %", NULL},
	{"queues", 0, "sales         1  139    1:01  c\n", NULL},
	{"agents", 0,
	 "1001   Li    ready  -       -      0138   -            0       0  1:01/17:46  sales x\n",
	 NULL},
	{"agent 1001", 0, "phone: sip:1", NULL},
	{"agent 1001", 0, "not ready today: break 1:01\nnot ready today: total 1:01/17:46\n", NULL},
	{"agent 1009", 1, NULL, "there is no agent 1009"},
	{"agents set 1001 not-ready lunch", 0, "agent 1001 is not_ready: lunch\n", NULL},
	{"agent 1001 sign-in --at 13812345678", 0, "agent 1001 is", NULL},
	{"agent 1001 not_ready lunch", 0, "agent 1001 is not_ready: lunch\n", NULL},
	{"agents set 1001 asleep", 2, NULL, "\"asleep\" is none of sign-in"},
	{"agents set 1001", 2, NULL, "STATE is missing"},
	{"monitor c-1 --by 2001 --mode listen", 0, "the phone of 2001 rings", NULL},
	{"monitor --by=2001 c-1", 0, "(listen)", NULL},
	{"monitor c-1", 2, NULL, "--by SUPERVISOR is missing"},
	{"monitor c-1 --by", 2, NULL, "--by needs a value"},
	{"monitor c-1 --by 2001 --mode spy", 2, NULL, "\"spy\" is none of"},
	{"queue sales pause", 0, "queue sales is paused", NULL},
	{"queue sales stop", 2, NULL, "neither pause nor resume"},
	{"move c-1 sales", 0, "call c-1 waits in queue sales\n", NULL},
	{"agent 1001 queue sales 2", 0, "agent 1001 serves sales at level 2\n", NULL},
	{"agent 1001 queue sales off", 0, "agent 1001 does not serve sales\n", NULL},
	{"agent 1001 queue sales 10", 2, NULL, "a level from 1 to 9, or off"},
	{"record c-1 pause --by ann", 0, "recording of call c-1: paused\n", NULL},
	{"record c-1 erase", 2, NULL, "is none of start, stop"},
	{"record c-1", 2, NULL, "ACTION"},
	{"park c-1", 0, "call c-1 is parked at 705\n", NULL},
	{"park", 2, NULL, "CALL is missing"},
	{"unpark 705 1002", 0, "the phone of 1002 rings for who is parked at 705\n", NULL},
	{"unpark 705", 2, NULL, "AGENT is missing"},
	{"parked", 0, "705    139   1001", NULL},
	{"callbacks", 0, "139     sales  task   1001   1 of 3", NULL},
	{"callback add sales 139", 0, "139 is called back by sales (call c-1)\n", NULL},
	{"callback add sales 139 --at 2h", 0, "139 is called back by sales", NULL},
	{"callback add sales 139 --at 2020-01-01", 2, NULL, "--at 2020-01-01 is over"},
	{"callback add sales", 2, NULL, "NUMBER is missing"},
	{"callback dial c-1", 0, "call c-1 is dialled\n", NULL},
	{"callback drop c-1", 2, NULL, "\"drop\" is none of add, dial"},
	{"customers wang", 0, "Wang  +861, +862  city==Beijing, tier=2  k-1", NULL},
	{"customers --field city", 2, NULL, "\"city\" must be NAME=VALUE"},
	{"customer put --name Wang --number 1 --number 2 --field a=b --field c=", 0,
	 "customer k-1 is added\n", NULL},
	{"customer delete", 2, NULL, "CUSTOMER is missing"},
	{"customer put --number", 2, NULL, "--number needs a value"},
	{"customer export --sort name", 2, NULL, "an export is in the order of"},
	{"customer export", 0,
	 "customer,name,number,city,tier\r\n\"k-1\",\"Wang\",\"'+861|+862\",\"'=Beijing\",", NULL},
	{"customer import /nonexistent.csv", 1, NULL, "/nonexistent.csv"},
	{"knowledge refnud polcy", 0, "Refund policy  (refunds)\n    A refund takes 14 days.\n",
	 NULL},
	{"knowledge", 0, "refunds  Refund policy", NULL},
	{"knowledge --limit 0", 2, NULL, "--limit"},
	{"article show refunds", 0, "# Refund policy\nKeywords: money back, ticket\nOne.\nTwo.\n",
	 NULL},
	{"article put /nonexistent.md", 1, NULL, "/nonexistent.md"},
	{"article put", 2, NULL, "FILE is missing"},
	{"article put a.md b.md --article x", 2, NULL, "--article goes with one FILE"},
	{"article delete refunds", 0, "article refunds is added\n", NULL}, /* as the answer says */
	{"article searches --in-vain", 0, "refnud", NULL},
	{"article burn x", 2, NULL, "\"burn\" is none of put, show, delete, searches"},
	{"audit --who qa", 0, "qa   hangup  not_found", NULL},
	{"customer drop k-1", 2, NULL, "\"drop\" is none of put, delete, import, export"},
	{"report agents --lowest", 2, NULL, "--lowest goes with --rank FIGURE"},
	{"report agents --rank calls_back_per_hour", 0, "AN HOUR", NULL},
	{"report agents --rank calls_back_per_hour", 0, "RANK", NULL},
	{"transfer c-1 --to 1002", 0, "call c-1 goes to 1002\n", NULL},
	{"hangup c-9", 1, NULL, "patchbay: there is no call c-9\n"},
	{"hangup c-9 --json", 1, "\"reason\": \"not_found\"", "there is no call c-9"},
	{"prompts say zh money 30523", 0, "zh/num/yuan\nzh/num/2\nzh/num/jiao\n", NULL},
	{"prompts say zh colour 5", 2, NULL, "\"colour\" is none of number"},
	{"prompts tones us", 0, "480+620/500,0/500", NULL},
	{"prompts tones zz", 1, NULL, "no tones are known of country \"zz\""},
	{"prompts check xx --prompts /nowhere", 1, NULL, "no rules for language \"xx\""},
	{"prompts check en --prompts /nowhere", 1, "en/num/thousand\n", NULL},
	{"legs", 0, "50.00 %", NULL},
	{"legs", 0, "\n3f9a21bc.l1  c ", NULL},
	{"drops", 0, "8  80.000 %  relayed  used     sent on\n", NULL},
	{"drops", 0, "\n10 received, 1 dropped, 1 in flight\n", NULL},
	{"drops --all", 0, "far ", NULL},
	{"engine", 0, "fallback: no AF_XDP", NULL},
	{"engine", 0, "rx", NULL},
	{"records --since 2h", 0,
	 "c-1   139   -   -      -        0:00    0:00  -         -      4.2\n", NULL},
	{"records --since yesterday", 2, NULL, "--since must be"},
	{"records --limit 0", 2, NULL, "--limit must be a number from 1 to 200"},
	{"flow check", 1, "h.yaml:3:7: error: no\nh.yaml has errors\n", NULL},
	{"flow check /none.yaml", 1, NULL, "/none.yaml cannot be read: No such file"},
	{"flow chek", 2, NULL, "\"chek\" is none of check, reload, draw, try"},
	{"example flow", 0, "nodes:", NULL},
	{"events --seconds 1 --after 0", 0, " 1 agent agent=1001 n=5\n", NULL},
	{"events --seconds 1 --after 0 --type call --json", 0,
	 "{\"seq\":2,\"time_ms\":1000,\"type\":\"call\",\"call\":\"c-1\"}\n", NULL},
	{"events --after 9", 1, NULL, "event 9 has not happened"},
	{"top --once", 0, "     0  25.0 %  ########....", NULL},
	{"top --once --json", 0, "\"cycles_packet\": null", NULL},
	{"graph", 0, "digraph patchbay {", NULL},
	{"completion calls", 0, "3f9a21bc\n", NULL},
	{"completion commands", 0, "monitor\n", NULL},
	{"mointor c-1", 2, NULL, "did you mean `patchbay monitor`?"},
	{"zzzzzzzz", 2, NULL, "`patchbay --help` lists them"},
	{"--help", 0, "Exit codes:", NULL},
	{"monitor --help", 0, "usage: patchbay monitor CALL --by", NULL},
	{"help monitor", 0, "usage: patchbay monitor CALL --by", NULL},
	{"--version", 0, "patchbay 0", NULL},
	{"--colour", 2, NULL, "unknown option --colour"},
	{"calls --colour", 2, NULL, "unknown option --colour"},
	{"recordings", 2, NULL, "list, find, search"},
	{"recordings frames abcd --store /none", 3, NULL, "/none"},
	{"--socket /none/s calls", 3, NULL,
	 "cannot reach patchbayd at /none/s: No such file or directory\nIs it running?"},
	{"completion calls --socket /none/s", 0, NULL, NULL},
};

static void every_line_is_answered_and_ends_as_it_says(void)
{
	struct world w;

	setup(&w);
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		run(&w, stories[i].line);

		bool out = stories[i].out != NULL ? strstr(w.out, stories[i].out) != NULL
						  : w.out[0] == '\0';
		bool err = stories[i].err != NULL ? strstr(w.err, stories[i].err) != NULL
						  : w.err[0] == '\0';

		if (w.code != stories[i].code || !out || !err)
			printf("patchbay %s: exit code %d\n--- out\n%s--- err\n%s---\n",
			       stories[i].line, w.code, w.out, w.err);
		check_int(w.code, stories[i].code);
		check(out);
		check(err);
	}
	teardown(&w);
}

/* The built-in flow and configuration are good, and a broken one is told with its line. */
static void files_are_checked_without_a_daemon(void)
{
	struct world w;
	char flow[80], config[80], bad[80], line[300];
	FILE *f;

	setup(&w);
	snprintf(flow, sizeof(flow), "%s/hotline.yaml", w.dir);
	snprintf(config, sizeof(config), "%s/patchbay.yaml", w.dir);
	snprintf(bad, sizeof(bad), "%s/bad.yaml", w.dir);
	run(&w, "example flow");
	f = fopen(flow, "w");
	fputs(w.out, f);
	fclose(f);
	run(&w, "example config");
	f = fopen(config, "w");
	fputs(w.out, f);
	fclose(f);
	f = fopen(bad, "w");
	fputs("flow: bad\nlanguages: [zh]\nstart: a\nnodes:\n  a:\n    goto: b\n  b:\n    goto: "
	      "a\n",
	      f);
	fclose(f);

	snprintf(line, sizeof(line), "flow check %s --config %s", flow, config);
	run(&w, line);
	if (w.code != 0)
		printf("%s%s", w.out, w.err);
	check_int(w.code, 0);
	check(strstr(w.out, "hotline.yaml is good") != NULL);
	snprintf(line, sizeof(line), "config check %s", config);
	run(&w, line);
	check_int(w.code, 0);
	snprintf(line, sizeof(line), "config show %s", config);
	run(&w, line);
	check_int(w.code, 0);
	check(strstr(w.out, "agents[0].password: (hidden)   # ") != NULL);
	check(strstr(w.out, "sip.failed_logins_max: 20   # ") != NULL);
	snprintf(line, sizeof(line), "config show %s", bad);
	run(&w, line);
	check_int(w.code, 1);
	snprintf(line, sizeof(line), "flow draw %s", flow);
	run(&w, line);
	check(strstr(w.out, "digraph") != NULL);
	snprintf(line, sizeof(line), "flow draw %s --svg", flow);
	run(&w, line);
	check(strncmp(w.out, "<svg ", 5) == 0);
	snprintf(line, sizeof(line), "flow check %s", bad);
	run(&w, line);
	check_int(w.code, 1);
	check(strstr(w.out, "bad.yaml:") != NULL);
	snprintf(line, sizeof(line), "flow check %s --json", bad);
	run(&w, line);
	check_int(w.code, 1);
	check(strstr(w.out, "\"ok\": false") != NULL);
	unlink(flow);
	unlink(config);
	unlink(bad);
	teardown(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(every_line_is_answered_and_ends_as_it_says),
	CHECK_CASE(files_are_checked_without_a_daemon),
};
CHECK_MAIN(cases)
