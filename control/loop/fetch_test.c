/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP server that answers as each story wants, in the same loop.
 */
#include "loop/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/re.h"

#include "check.h"

static struct server {
	int listen, conn;
	uint16_t port;
	const char *says; /* NULL: nothing, ever */
	char heard[4096];
} server;

static struct result {
	unsigned told;
	char answer[128], error[300];
} result;

static void on_request(int flags, void *arg)
{
	ssize_t n = recv(server.conn, server.heard, sizeof(server.heard) - 1, 0);

	(void)flags;
	(void)arg;
	if (n > 0 && server.says != NULL) {
		server.heard[n] = '\0';
		check(send(server.conn, server.says, strlen(server.says), MSG_NOSIGNAL) > 0);
	}
	if (n <= 0 || server.says != NULL) {
		fd_close(server.conn);
		close(server.conn);
		server.conn = -1;
	}
}

static void on_connect(int flags, void *arg)
{
	(void)flags;
	(void)arg;
	server.conn = accept(server.listen, NULL, NULL);
	fd_listen(server.conn, FD_READ, on_request, NULL);
}

static void serve(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	server = (struct server){.listen = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
				 .conn = -1};
	check_int(bind(server.listen, (struct sockaddr *)&at, sizeof(at)), 0);
	check_int(listen(server.listen, 8), 0);
	check_int(getsockname(server.listen, (struct sockaddr *)&at, &len), 0);
	server.port = ntohs(at.sin_port);
	check_int(fd_listen(server.listen, FD_READ, on_connect, NULL), 0);
}

static void unserve(void)
{
	fd_close(server.listen);
	close(server.listen);
	if (server.conn >= 0) {
		fd_close(server.conn);
		close(server.conn);
	}
}

static void told(void *arg, const json_t *answer, const char *error)
{
	(void)arg;
	result.told++;
	snprintf(result.answer, sizeof(result.answer), "%s",
		 json_string_value(json_object_get(answer, "tier"))
			 ? json_string_value(json_object_get(answer, "tier"))
			 : "");
	snprintf(result.error, sizeof(result.error), "%s", error ? error : "");
	re_cancel();
}

static void too_late(void *arg)
{
	(void)arg;
	re_cancel();
}

static void ask(const char *says, const char *body, uint32_t timeout_ms)
{
	struct fetcher *f;
	struct tmr limit;
	char url[80];

	serve();
	server.says = says;
	result = (struct result){0};
	check_int(fetcher_open(&f), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/customer?number=139", server.port);
	check_int(fetch_start(f, url, body, timeout_ms, told, NULL), 0);
	check_int(result.told, 0);
	tmr_init(&limit);
	tmr_start(&limit, 5000, too_late, NULL);
	re_main(NULL);
	tmr_cancel(&limit);
	check_int(result.told, 1);
	fetcher_close(f);
	unserve();
}

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"

static void an_answer_is_asked_for_and_told(void)
{
	ask(OK "{\"tier\":\"gold\"}", NULL, 2000);
	check_str(result.answer, "gold");
	check_str(result.error, "");
	check(strncmp(server.heard, "GET /customer?number=139 HTTP/", 30) == 0);
	ask(OK "{\"tier\":\"silver\"}", "{\"pin\":\"1\"}", 2000);
	check_str(result.answer, "silver");
	check(strncmp(server.heard, "POST ", 5) == 0);
	check(strstr(server.heard, "\r\n\r\n{\"pin\":\"1\"}") != NULL);
}

static void what_is_no_answer_is_told_in_a_sentence(void)
{
	static char long_answer[FETCH_ANSWER_MAX + 200];

	ask(OK "<html>", NULL, 2000);
	check(strstr(result.error, "not JSON") != NULL);
	ask(OK "", NULL, 2000);
	check(strstr(result.error, "not JSON") != NULL);
	ask("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", NULL, 2000);
	check_str(result.error, "status 404");
	ask("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
	    NULL, 2000);
	check_str(result.error, "status 302");
	ask("rubbish\r\n\r\n", NULL, 2000);
	check(result.error[0] != '\0');
	ask(NULL, NULL, 100);
	check(strstr(result.error, "timed out") != NULL);
	snprintf(long_answer, sizeof(long_answer), OK "%0*d", FETCH_ANSWER_MAX + 1, 0);
	ask(long_answer, NULL, 2000);
	check(strstr(result.error, "longer than") != NULL);
}

static void nobody_listens_there(void)
{
	struct fetcher *f;
	struct tmr limit;

	result = (struct result){0};
	check_int(fetcher_open(&f), 0);
	check_int(fetch_start(f, "http://127.0.0.1:1/", NULL, 2000, told, NULL), 0);
	tmr_init(&limit);
	tmr_start(&limit, 5000, too_late, NULL);
	re_main(NULL);
	tmr_cancel(&limit);
	check_int(result.told, 1);
	check(strstr(result.error, "connect") != NULL);
	/* What still runs is given up in silence. */
	check_int(fetch_start(f, "http://127.0.0.1:1/", NULL, 2000, told, NULL), 0);
	fetcher_close(f);
	check_int(result.told, 1);
	fetcher_close(NULL);
}

static const struct check_case cases[] = {
	CHECK_CASE(an_answer_is_asked_for_and_told),
	CHECK_CASE(what_is_no_answer_is_told_in_a_sentence),
	CHECK_CASE(nobody_listens_there),
};

int main(void)
{
	int failed;

	if (libre_init() != 0)
		return 1;
	failed = check_run(cases, sizeof(cases) / sizeof(cases[0]));
	libre_close();
	return failed;
}
