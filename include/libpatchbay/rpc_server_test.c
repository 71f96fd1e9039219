/* SPDX-License-Identifier: Apache-2.0
 *
 * The server over real sockets, with clients that behave and clients that do not. Everything runs
 * in one thread: pump() gives the server rounds until nothing is ready.
 */
#include "patchbay/rpc_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patchbay/rpc_client.h"
#include "tests/check.h"

#define HELLO "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"hello\",\"params\":{\"protocol\":1}}\n"
#define CALL(id, method)                                                                           \
	"{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\",\"params\":{}}\n"

struct world {
	char dir[32], path[64];
	struct event_log *log;
	struct rpc_server *server;
	struct rpc_ref later[2000];
	unsigned laters;
};

static enum rpc_answer echo(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)err;
	*result = json_pack("{s:s}", "text", rpc_param_text(c->params, "text", "nothing"));
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer big(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	char *text = malloc(300001);

	(void)c, (void)err;
	memset(text, 'b', 300000);
	text[300000] = '\0';
	*result = json_pack("{s:s}", "text", text);
	free(text);
	return RPC_ANSWER_RESULT;
}

static enum rpc_answer refuse(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	(void)c, (void)result;
	rpc_error_not_found(err, "call", "c-9");
	return RPC_ANSWER_ERROR;
}

static enum rpc_answer later(const struct rpc_call *c, json_t **result, struct rpc_error *err)
{
	struct world *w = c->owner;

	(void)result, (void)err;
	w->later[w->laters++] = c->ref;
	return RPC_ANSWER_LATER;
}

static const struct rpc_param echo_params[] = {
	RPC_PARAM_TEXT("text", RPC_OPTIONAL, 0, 60000),
	RPC_PARAM_END,
};

static const struct rpc_method methods[] = {
	{"echo", echo_params, echo},
	{"big", rpc_params_none, big},
	{"refuse", rpc_params_none, refuse},
	{"later", rpc_params_none, later},
	{NULL, NULL, NULL},
};

static int open_at(struct world *w, struct rpc_server **s)
{
	const struct rpc_server_config cfg = {
		.name = "engine",
		.version = "0.1.0",
		.protocol = 1,
		.methods = methods,
		.owner = w,
		.events = w->log,
		.group = -1,
	};

	return rpc_server_open(s, w->path, &cfg);
}

static void setup(struct world *w)
{
	*w = (struct world){.dir = "/tmp/rpc-test-XXXXXX"};
	check(mkdtemp(w->dir) != NULL);
	snprintf(w->path, sizeof(w->path), "%s/s", w->dir);
	w->log = event_log_new(1024, 8 << 20);
	check_int(open_at(w, &w->server), 0);
}

static void teardown(struct world *w)
{
	rpc_server_close(w->server);
	event_log_free(w->log);
	check_int(access(w->path, F_OK), -1);
	rmdir(w->dir);
}

static void pump(struct world *w)
{
	struct pollfd p = {.fd = rpc_server_fd(w->server), .events = POLLIN};

	for (int i = 0; i < 100000 && poll(&p, 1, 0) > 0; i++)
		rpc_server_poll(w->server);
	check_int(poll(&p, 1, 0), 0); /* it comes to rest */
}

static int client(struct world *w)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", w->path);
	check_int(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(struct world *w, int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0) {
			check_int(errno, EAGAIN);
			rpc_server_poll(w->server);
			continue;
		}
		text += n;
		len -= (size_t)n;
	}
	pump(w);
}

/* Everything the server has said to `fd` since; -1 at its end. */
static ssize_t hear(struct world *w, int fd, char *buf, size_t size)
{
	size_t got = 0;

	for (;;) {
		pump(w);
		ssize_t n = recv(fd, buf + got, size - 1 - got, 0);

		if (n <= 0) {
			buf[got] = '\0';
			return n == 0 && got == 0 ? -1 : (ssize_t)got;
		}
		got += (size_t)n;
	}
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void hello_comes_first(void)
{
	struct world w;
	char buf[4096];

	setup(&w);
	int fd = client(&w);

	say(&w, fd, CALL(1, "echo"));
	hear(&w, fd, buf, sizeof(buf));
	check(strstr(buf, "-32002") != NULL && strstr(buf, "no_hello") != NULL);
	say(&w, fd,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"protocol\":2}}\n");
	hear(&w, fd, buf, sizeof(buf));
	check(strstr(buf, "-32003") != NULL && strstr(buf, "\"supported\":[1]") != NULL);
	say(&w, fd, HELLO CALL(2, "echo") CALL(3, "ping") CALL(4, "nonsense"));
	hear(&w, fd, buf, sizeof(buf));
	check(strstr(buf, "\"engine\":\"0.1.0\"") != NULL);
	check(strstr(buf, rpc_server_instance(w.server)) != NULL);
	check(strstr(buf, "\"text\":\"nothing\"") != NULL);
	check(strstr(buf, "\"id\":3,\"result\":{}") != NULL);
	check(strstr(buf, "-32601") != NULL);
	close(fd);
	pump(&w);
	teardown(&w);
}

static void bytes_may_come_one_by_one(void)
{
	static const char text[] = HELLO "\r\n\n" CALL(5, "echo");
	struct world w;
	char buf[4096];

	setup(&w);
	int fd = client(&w);

	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		const char one[2] = {text[i], '\0'};

		say(&w, fd, one);
	}
	hear(&w, fd, buf, sizeof(buf));
	check_int(count(buf, "\n"), 2);
	check(strstr(buf, "\"id\":5,\"result\"") != NULL);
	close(fd);
	teardown(&w);
}

static void a_long_line_is_skipped_and_the_next_is_heard(void)
{
	/* length with newline; RPC_LINE_MAX itself is allowed */
	static const int excess[] = {0, 1, 2, 65536, 300000};

	for (size_t k = 0; k < sizeof(excess) / sizeof(excess[0]); k++) {
		struct world w;
		char buf[8192];
		size_t len = (size_t)(RPC_LINE_MAX + excess[k]);
		char *line = malloc(len + 1);

		setup(&w);
		int fd = client(&w);

		memset(line, ' ', len);
		memcpy(line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", 40);
		line[len - 1] = '\n';
		line[len] = '\0';
		say(&w, fd, HELLO);
		say(&w, fd, line);
		say(&w, fd, CALL(2, "echo"));
		hear(&w, fd, buf, sizeof(buf));
		check_int(count(buf, "-32001"), excess[k] > 0);
		check_int(count(buf, "\"id\":1,\"result\":{}"), excess[k] == 0);
		check_int(count(buf, "\"id\":2,\"result\""), 1);
		free(line);
		close(fd);
		teardown(&w);
	}
}

static void a_notification_gets_no_answer(void)
{
	struct world w;
	char buf[4096];

	setup(&w);
	int fd = client(&w);

	say(&w, fd,
	    HELLO "{\"jsonrpc\":\"2.0\",\"method\":\"refuse\"}\n"
		  "{\"jsonrpc\":\"2.0\",\"method\":\"later\"}\n" CALL(8, "refuse"));
	check_int(w.laters, 1);
	check(rpc_server_answer(w.server, w.later[0], NULL));
	hear(&w, fd, buf, sizeof(buf));
	check_int(count(buf, "\n"), 2);
	check(strstr(buf, "\"kind\":\"call\"") != NULL && strstr(buf, "-32004") != NULL);
	close(fd);
	teardown(&w);
}

static void answers_may_come_later_and_in_any_order(void)
{
	struct world w;
	char buf[4096];
	struct rpc_error err = {0};

	setup(&w);
	int fd = client(&w), other = client(&w);

	say(&w, fd, HELLO CALL(1, "later") CALL(2, "later"));
	say(&w, other, HELLO CALL(3, "later"));
	check_int(w.laters, 3);
	hear(&w, fd, buf, sizeof(buf));
	check(rpc_server_answer(w.server, w.later[1], json_pack("{s:i}", "n", 22)));
	check(!rpc_server_answer(w.server, w.later[1], json_pack("{s:i}", "n", 23)));
	rpc_error_set(&err, RPC_OUT_OF_ORDER, "no");
	check(rpc_server_fail(w.server, w.later[0], &err));
	hear(&w, fd, buf, sizeof(buf));
	check_int(count(buf, "\n"), 2);
	check(strstr(buf, "\"id\":2,\"result\":{\"n\":22}") < strstr(buf, "\"id\":1,\"error\""));
	/* The client goes; the answer finds nobody, also when its place is taken by another. */
	close(other);
	pump(&w);
	other = client(&w);
	say(&w, other, HELLO CALL(4, "later"));
	check(!rpc_server_answer(w.server, w.later[2], NULL));
	check(rpc_server_answer(w.server, w.later[3], NULL));
	check(!rpc_server_answer(w.server, (struct rpc_ref){0}, NULL));
	close(fd);
	close(other);
	teardown(&w);
}

static void a_flood_of_open_requests_pauses_its_sender(void)
{
	struct world w;
	char *buf = malloc(1 << 20);

	setup(&w);
	int fd = client(&w);

	say(&w, fd, HELLO);
	buf[0] = '\0';
	for (int i = 0; i < 1500; i++)
		strcpy(buf + (size_t)i * strlen(CALL(1, "later")), CALL(1, "later"));
	say(&w, fd, buf);
	check_int(w.laters, RPC_PENDING_MAX);
	for (unsigned i = 0; i < w.laters; i++) {
		check(rpc_server_answer(w.server, w.later[i], NULL));
		pump(&w);
	}
	check_int(w.laters, 1500);
	hear(&w, fd, buf, 1 << 20);
	check_int(count(buf, "\n"), 1501);
	close(fd);
	free(buf);
	teardown(&w);
}

static void a_half_closed_client_still_gets_its_answers(void)
{
	struct world w;
	char buf[4096];

	setup(&w);
	int fd = client(&w);

	say(&w, fd, HELLO CALL(1, "later"));
	shutdown(fd, SHUT_WR);
	pump(&w);
	check(rpc_server_answer(w.server, w.later[0], NULL));
	hear(&w, fd, buf, sizeof(buf));
	check_int(count(buf, "\n"), 2);
	check_int(hear(&w, fd, buf, sizeof(buf)), -1);
	close(fd);
	teardown(&w);
}

static void who_never_reads_is_disconnected_and_the_others_do_not_notice(void)
{
	struct world w;
	char *buf = malloc(4 << 20);
	struct rpc_server_stats st;

	setup(&w);
	int deaf = client(&w), fd = client(&w);

	say(&w, deaf, HELLO);
	say(&w, fd, HELLO);
	for (int i = 0; i < 20; i++) {
		if (send(deaf, CALL(1, "big"), strlen(CALL(1, "big")), MSG_NOSIGNAL) < 0)
			break;
		pump(&w);
	}
	rpc_server_stats(w.server, &st);
	check_int(st.disconnected_slow, 1);
	check_int(st.clients, 1);
	say(&w, fd, CALL(2, "big"));
	check(hear(&w, fd, buf, 4 << 20) > 300000);
	close(deaf);
	close(fd);
	free(buf);
	teardown(&w);
}

static void a_subscriber_that_never_reads_is_disconnected_too(void)
{
	struct world w;
	struct rpc_server_stats st;
	char text[10000];

	setup(&w);
	int deaf = client(&w);

	memset(text, 'e', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	say(&w, deaf, HELLO CALL(1, "subscribe"));
	for (int i = 0; i < 500; i++) {
		rpc_server_event(w.server, 1, "dtmf", json_pack("{s:s}", "text", text));
		pump(&w);
	}
	rpc_server_stats(w.server, &st);
	check_int(st.disconnected_slow, 1);
	check_int(st.clients, 0);
	close(deaf);
	teardown(&w);
}

static void events_resume_after_the_last_one_seen(void)
{
	struct world w;
	char *buf = malloc(8 << 20), ask[128];

	setup(&w);
	int fd = client(&w);

	for (int i = 0; i < 1500; i++) /* the log keeps 1,024 */
		rpc_server_event(w.server, 1, "tick", NULL);
	say(&w, fd,
	    HELLO
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"after\":475}}\n");
	hear(&w, fd, buf, 8 << 20);
	check(strstr(buf, "-32010") != NULL && strstr(buf, "\"oldest\":477") != NULL);
	say(&w, fd,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"after\":1501}}"
	    "\n");
	hear(&w, fd, buf, 8 << 20);
	check(strstr(buf, "-32602") != NULL);
	say(&w, fd,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"after\":476}}\n");
	hear(&w, fd, buf, 8 << 20);
	check(strncmp(buf, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"seq\":1500}}\n", 46) == 0);
	check_int(count(buf, "\"method\":\"event\""), 1024);
	check(strstr(buf, "\"seq\":477,") != NULL && strstr(buf, "\"seq\":476,") == NULL);
	rpc_server_event(w.server, 77, "dtmf", json_pack("{s:s}", "digit", "5"));
	hear(&w, fd, buf, 8 << 20);
	snprintf(ask, sizeof(ask),
		 "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":1501,"
		 "\"time_ms\":77,\"type\":\"dtmf\",\"digit\":\"5\"}}\n");
	check_str(buf, ask);
	close(fd);
	free(buf);
	teardown(&w);
}

static void a_long_backlog_is_not_held_against_its_reader(void)
{
	struct world w;
	char *buf = malloc(16 << 20), text[9000];

	setup(&w);
	int fd = client(&w);

	memset(text, 'e', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 800; i++) /* 7 MB: more than may wait for a client */
		rpc_server_event(w.server, 1, "big", json_pack("{s:s}", "text", text));
	say(&w, fd,
	    HELLO
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\",\"params\":{\"after\":0}}\n");
	for (int i = 0; i < 10; i++)
		rpc_server_event(w.server, 1, "big", json_pack("{s:s}", "text", text));
	hear(&w, fd, buf, 16 << 20);
	check_int(count(buf, "\"method\":\"event\""), 810);
	close(fd);
	free(buf);
	teardown(&w);
}

static void many_clients_each_get_their_own(void)
{
	struct world w;
	char buf[4096];
	int fd[RPC_CLIENTS_MAX];

	setup(&w);
	for (int i = 0; i < RPC_CLIENTS_MAX; i++) {
		fd[i] = client(&w);
		say(&w, fd[i], HELLO CALL(1, "subscribe"));
	}

	int extra = client(&w);

	check(hear(&w, extra, buf, sizeof(buf)) > 0);
	check(strstr(buf, "-32007") != NULL);
	rpc_server_event(w.server, 1, "tick", NULL);
	for (int i = 0; i < RPC_CLIENTS_MAX; i++) {
		hear(&w, fd[i], buf, sizeof(buf));
		check_int(count(buf, "\n"), 3);
		close(fd[i]);
	}
	pump(&w);
	close(extra);
	extra = client(&w);
	say(&w, extra, HELLO);
	check(hear(&w, extra, buf, sizeof(buf)) > 0);
	close(extra);
	teardown(&w);
}

static void only_one_listens_and_a_dead_one_is_replaced(void)
{
	struct world w;
	struct rpc_server *second;
	struct stat st;

	setup(&w);
	check_int(stat(w.path, &st), 0);
	check_int(st.st_mode & 07777, 0660);
	check_int(open_at(&w, &second), -EADDRINUSE);

	/* A socket file without a listener, as after SIGKILL. */
	char *stale = w.path;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcat(w.path, "2");
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", stale);
	check_int(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	check_int(open_at(&w, &second), 0);
	rpc_server_close(second);

	/* A file that is not a socket is not ours to delete. */
	fd = open(stale, O_CREAT | O_WRONLY, 0600);
	close(fd);
	check_int(open_at(&w, &second), -EADDRINUSE);
	unlink(stale);
	w.path[strlen(w.path) - 1] = '\0';
	teardown(&w);
}

/* The listener must not stay readable for ever when the process has no descriptor left. */
static void without_descriptors_a_client_is_turned_away(void)
{
	struct world w;
	struct rpc_server_stats st;
	struct rlimit old, few;
	char buf[64];

	setup(&w);
	int fd = client(&w);

	check_int(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)fd + 1;
	check_int(setrlimit(RLIMIT_NOFILE, &few), 0);
	pump(&w); /* accepts nobody, and comes to rest */
	check_int(setrlimit(RLIMIT_NOFILE, &old), 0);
	rpc_server_stats(w.server, &st);
	check_int(st.refused, 1);
	check_int(recv(fd, buf, sizeof(buf), 0), 0);
	close(fd);
	fd = client(&w);
	say(&w, fd, HELLO);
	check(hear(&w, fd, buf, sizeof(buf)) > 0);
	close(fd);
	teardown(&w);
}

/* Needs root to become somebody else; otherwise there is nobody to refuse. */
static void a_stranger_is_refused(void)
{
	struct world w;
	char buf[256];
	struct rpc_server_stats st;

	if (geteuid() != 0)
		return;
	setup(&w);
	check_int(chmod(w.path, 0666), 0); /* so that only the credential check stands in the way */
	check_int(chmod(w.dir, 0755), 0);

	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(9);

		struct sockaddr_un sa = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", w.path);
		if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
			_exit(8);
		_exit(recv(fd, buf, sizeof(buf), 0) == 0 ? 0 : 1);
	}

	int status = -1;

	for (int i = 0; i < 500 && waitpid(pid, &status, WNOHANG) == 0; i++) {
		rpc_server_poll(w.server);
		usleep(10000);
	}
	rpc_server_stats(w.server, &st);
	check_int(st.refused, 1);
	check_int(status, 0);
	teardown(&w);
}

/* --- the client library against this server --- */

static void got(void *arg, const struct rpc_reply *reply)
{
	int *kind = arg;

	*kind = (int)reply->kind + 10 * (*kind + 1);
}

static void event(void *arg, const json_t *params)
{
	*(json_int_t *)arg += json_integer_value(json_object_get(params, "seq"));
}

static void both(struct world *w, struct rpc_client *c)
{
	for (int i = 0; i < 20; i++) {
		pump(w);
		rpc_client_poll(c);
	}
}

static void the_client_answers_every_request_once(void)
{
	struct world w;
	struct rpc_client *c;
	int a = 0, b = 0, late = 0, open = 0;
	json_int_t seqs = 0;

	setup(&w);
	check_int(rpc_client_open(&c, w.path), 0);
	rpc_client_on_event(c, event, &seqs);
	check_int(rpc_client_request(c, "hello", json_pack("{s:i}", "protocol", 1), 0, got, &a), 0);
	check_int(rpc_client_request(c, "refuse", NULL, 0, got, &b), 0);
	check_int(rpc_client_request(c, "later", NULL, 30, got, &late), 0);
	check_int(rpc_client_request(c, "later", NULL, 0, got, &open), 0);
	check_int(rpc_client_request(c, "subscribe", NULL, 0, got, &a), 0);
	both(&w, c);
	check_int(a, 10 * (10 * 1 + RPC_REPLY_RESULT + 1) + RPC_REPLY_RESULT);
	check_int(b, 10 + RPC_REPLY_ERROR);
	check_int(late, 0);
	usleep(40000);

	struct pollfd p = {.fd = rpc_client_fd(c), .events = POLLIN};

	check_int(poll(&p, 1, 1000), 1);
	both(&w, c);
	check_int(late, 10 + RPC_REPLY_TIMEOUT);
	check(rpc_server_answer(w.server, w.later[0], NULL)); /* too late: ignored */
	rpc_server_event(w.server, 1, "tick", NULL);
	rpc_server_event(w.server, 1, "tick", NULL);
	both(&w, c);
	check_int(late, 10 + RPC_REPLY_TIMEOUT);
	check_int(seqs, 3);
	rpc_server_close(w.server);
	check_int(rpc_client_poll(c), -EPIPE);
	check_int(open, 10 + RPC_REPLY_GONE);
	check_int(rpc_client_request(c, "ping", NULL, 0, got, &open), -EPIPE);
	rpc_client_close(c);
	check_int(rpc_client_open(&c, w.path), -ENOENT);
	check_int(open_at(&w, &w.server), 0);
	teardown(&w);
}

/* A server that is not one: whatever it says ends the connection, and no callback is forgotten. */
static void rubbish_from_the_server_ends_the_connection(void)
{
	static const char *const rubbish[] = {"what\n", "{}\n", "[]\n",
					      "{\"id\":1,\"error\":\"x\"}\n"};

	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
		struct sockaddr_un sa = {.sun_family = AF_UNIX};
		struct rpc_client *c;
		char dir[] = "/tmp/rpc-test-XXXXXX";
		int open = 0, l = socket(AF_UNIX, SOCK_STREAM, 0);

		check(mkdtemp(dir) != NULL);
		snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", dir);
		check_int(bind(l, (struct sockaddr *)&sa, sizeof(sa)), 0);
		check_int(listen(l, 1), 0);
		check_int(rpc_client_open(&c, sa.sun_path), 0);
		check_int(rpc_client_request(c, "ping", NULL, 0, got, &open), 0);

		int fd = accept(l, NULL, NULL);

		check(send(fd, rubbish[i], strlen(rubbish[i]), 0) > 0);
		check_int(rpc_client_wait(c, 1000), -EPROTO);
		check_int(open, 10 + RPC_REPLY_GONE);
		rpc_client_close(c);
		close(fd);
		close(l);
		unlink(sa.sun_path);
		rmdir(dir);
	}
}

static void blocking_calls_say_how_they_ended(void)
{
	struct world w;
	struct rpc_client *c;
	json_t *result = NULL;
	struct rpc_error err = {0};

	setup(&w);

	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			struct pollfd p = {.fd = rpc_server_fd(w.server), .events = POLLIN};

			poll(&p, 1, -1);
			rpc_server_poll(w.server);
		}
	}
	check_int(rpc_client_open(&c, w.path), 0);
	check_int(rpc_client_call(c, "ping", NULL, 5000, &result, &err), -EREMOTEIO);
	check_int(err.reason, RPC_NO_HELLO);
	rpc_error_clear(&err);
	check_int(rpc_client_hello(c, 1, "test", 5000, NULL, &err), 0);
	check_int(rpc_client_call(c, "echo", json_pack("{s:s}", "text", "hi"), 5000, &result, &err),
		  0);
	check_str(json_string_value(json_object_get(result, "text")), "hi");
	json_decref(result);
	check_int(rpc_client_call(c, "later", NULL, 50, NULL, NULL), -ETIMEDOUT);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	rpc_server_close(w.server); /* our own copy of the listener */
	check_int(rpc_client_call(c, "ping", NULL, 5000, NULL, NULL), -EPIPE);
	rpc_client_close(c);
	check_int(open_at(&w, &w.server), 0);
	teardown(&w);
}

static const struct check_case cases[] = {
	CHECK_CASE(hello_comes_first),
	CHECK_CASE(bytes_may_come_one_by_one),
	CHECK_CASE(a_long_line_is_skipped_and_the_next_is_heard),
	CHECK_CASE(a_notification_gets_no_answer),
	CHECK_CASE(answers_may_come_later_and_in_any_order),
	CHECK_CASE(a_flood_of_open_requests_pauses_its_sender),
	CHECK_CASE(a_half_closed_client_still_gets_its_answers),
	CHECK_CASE(who_never_reads_is_disconnected_and_the_others_do_not_notice),
	CHECK_CASE(a_subscriber_that_never_reads_is_disconnected_too),
	CHECK_CASE(events_resume_after_the_last_one_seen),
	CHECK_CASE(a_long_backlog_is_not_held_against_its_reader),
	CHECK_CASE(many_clients_each_get_their_own),
	CHECK_CASE(only_one_listens_and_a_dead_one_is_replaced),
	CHECK_CASE(without_descriptors_a_client_is_turned_away),
	CHECK_CASE(a_stranger_is_refused),
	CHECK_CASE(the_client_answers_every_request_once),
	CHECK_CASE(rubbish_from_the_server_ends_the_connection),
	CHECK_CASE(blocking_calls_say_how_they_ended),
};
CHECK_MAIN(cases)
