/* SPDX-License-Identifier: Apache-2.0
 *
 * One epoll holds the socket and a timerfd that stands at the earliest deadline. Open requests
 * live in a hash table by their number, which is the JSON-RPC id; deadlines are looked for by a
 * walk over the table when the timer fires, which is rare, and never per request.
 *
 * The connection's end is sticky: the first reason is kept in `gone` and said by every later call.
 */
#include "patchbay/rpc_client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "rpc_line.h"

enum { BUCKETS = 1024, READ_BYTES = 65536, READS_PER_POLL = 16 };

#define NEVER UINT64_MAX

struct open_request {
	struct open_request *next; /* in its bucket */
	uint64_t number;
	uint64_t deadline_ms;
	rpc_client_reply_fn *fn;
	void *arg;
};

struct rpc_client {
	int fd, epoll, timer;
	int gone; /* 0, or the negative errno of the connection's end */
	uint32_t armed;
	uint64_t numbers;  /* the last request's */
	uint64_t timer_ms; /* what the timer stands at; NEVER */
	uint32_t open;
	struct open_request *bucket[BUCKETS];
	rpc_client_event_fn *event;
	void *event_arg;
	struct rpc_lines in;
	struct rpc_bytes out;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- opening --- */

static int connect_to(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* A Unix socket connects at once, or waits for room in the listener's queue; the send timeout
	 * bounds that wait. */
	struct timeval limit = {.tv_sec = 5};

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 ? 0 : -errno;
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int rpc_client_open(struct rpc_client **client, const char *path)
{
	int fd = connect_to(path);

	if (fd < 0)
		return fd;

	struct rpc_client *c = calloc(1, sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN};

	must(c != NULL);
	*c = (struct rpc_client){
		.fd = fd,
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
		.armed = EPOLLIN,
		.timer_ms = NEVER,
		.in.line_max = RPC_CLIENT_LINE_MAX};
	if (c->epoll < 0 || c->timer < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &ev) != 0 ||
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->timer, &ev) != 0) {
		int rc = -errno;

		rpc_client_close(c);
		return rc;
	}
	*client = c;
	return 0;
}

int rpc_client_fd(const struct rpc_client *c)
{
	return c->epoll;
}

void rpc_client_on_event(struct rpc_client *c, rpc_client_event_fn *fn, void *arg)
{
	c->event = fn;
	c->event_arg = arg;
}

/* --- open requests --- */

static void timer_set(struct rpc_client *c, uint64_t deadline_ms)
{
	struct itimerspec at = {0};

	if (c->timer_ms == deadline_ms)
		return;
	c->timer_ms = deadline_ms;
	if (deadline_ms != NEVER) {
		at.it_value.tv_sec = (time_t)(deadline_ms / 1000);
		at.it_value.tv_nsec = (long)(deadline_ms % 1000) * 1000000;
	}
	timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static struct open_request *request_take(struct rpc_client *c, uint64_t number)
{
	for (struct open_request **at = &c->bucket[number % BUCKETS]; *at != NULL;
	     at = &(*at)->next) {
		struct open_request *r = *at;

		if (r->number == number) {
			*at = r->next;
			c->open--;
			return r;
		}
	}
	return NULL;
}

static void request_end(struct open_request *r, const struct rpc_reply *reply)
{
	r->fn(r->arg, reply);
	free(r);
}

static void end_all(struct rpc_client *c)
{
	const struct rpc_reply gone = {.kind = RPC_REPLY_GONE};

	for (uint32_t b = 0; b < BUCKETS; b++)
		while (c->bucket[b] != NULL) {
			struct open_request *r = c->bucket[b];

			c->bucket[b] = r->next;
			c->open--;
			request_end(r, &gone);
		}
}

static int connection_end(struct rpc_client *c, int why)
{
	if (c->gone == 0) {
		c->gone = why;
		epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->fd, NULL);
		shutdown(c->fd, SHUT_RDWR);
		end_all(c);
	}
	return c->gone;
}

/* End what is overdue and find the next deadline. A callback may change the table, so the walk
 * collects numbers first. */
static void deadlines(struct rpc_client *c)
{
	const struct rpc_reply timeout = {.kind = RPC_REPLY_TIMEOUT};
	uint64_t now = now_ms(), next = NEVER;
	uint64_t *late = NULL;
	uint32_t n = 0;

	if (c->open > 0) {
		late = malloc(c->open * sizeof(*late));
		must(late != NULL);
	}
	for (uint32_t b = 0; b < BUCKETS; b++)
		for (struct open_request *r = c->bucket[b]; r != NULL; r = r->next) {
			if (r->deadline_ms <= now)
				late[n++] = r->number;
			else if (r->deadline_ms < next)
				next = r->deadline_ms;
		}
	timer_set(c, next);
	for (uint32_t i = 0; i < n; i++) {
		struct open_request *r = request_take(c, late[i]);

		if (r != NULL)
			request_end(r, &timeout);
	}
	free(late);
}

void rpc_client_close(struct rpc_client *c)
{
	if (c == NULL)
		return;
	if (c->gone == 0)
		c->gone = -EPIPE;
	end_all(c);
	close(c->fd);
	if (c->timer >= 0)
		close(c->timer);
	if (c->epoll >= 0)
		close(c->epoll);
	rpc_bytes_free(&c->in.in);
	rpc_bytes_free(&c->out);
	free(c);
}

/* --- writing --- */

static void arm(struct rpc_client *c)
{
	struct epoll_event ev = {.events = EPOLLIN};

	if (rpc_bytes_held(&c->out) > 0)
		ev.events |= EPOLLOUT;
	if (c->gone != 0 || ev.events == c->armed)
		return;
	c->armed = ev.events;
	must(epoll_ctl(c->epoll, EPOLL_CTL_MOD, c->fd, &ev) == 0);
}

static int flush(struct rpc_client *c)
{
	while (rpc_bytes_held(&c->out) > 0) {
		ssize_t n = send(c->fd, c->out.data + c->out.head, rpc_bytes_held(&c->out),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		/* EPIPE may hide a last word of the server: let the reader find the end. */
		if (n < 0 && errno == EPIPE) {
			rpc_bytes_drop(&c->out, rpc_bytes_held(&c->out));
			break;
		}
		if (n < 0)
			return -errno;
		rpc_bytes_drop(&c->out, (size_t)n);
	}
	arm(c);
	return 0;
}

int rpc_client_request(struct rpc_client *c, const char *method, json_t *params,
		       uint32_t timeout_ms, rpc_client_reply_fn *fn, void *arg)
{
	if (c->gone != 0 || c->open >= RPC_CLIENT_PENDING_MAX ||
	    rpc_bytes_held(&c->out) >= RPC_CLIENT_OUT_MAX) {
		json_decref(params);
		return c->gone != 0 ? c->gone : -ENOBUFS;
	}

	uint64_t number = ++c->numbers;
	json_t *line =
		json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", (json_int_t)number,
			  "method", method, "params", params != NULL ? params : json_object());

	must(line != NULL);
	rpc_bytes_json(&c->out, line);
	json_decref(line);

	struct open_request *r = malloc(sizeof(*r));

	must(r != NULL);
	*r = (struct open_request){c->bucket[number % BUCKETS], number,
				   timeout_ms != 0 ? now_ms() + timeout_ms : NEVER, fn, arg};
	c->bucket[number % BUCKETS] = r;
	c->open++;
	if (r->deadline_ms < c->timer_ms)
		timer_set(c, r->deadline_ms);
	arm(c);
	return 0;
}

/* --- reading --- */

static enum rpc_reason reason_of(int code)
{
	for (enum rpc_reason r = 0; r < RPC_REASON_COUNT; r++)
		if (rpc_reason_code(r) == code)
			return r;
	return RPC_REASON_OTHER;
}

static void error_read(struct rpc_error *e, const json_t *from)
{
	const char *text = json_string_value(json_object_get(from, "message"));
	json_t *data = json_object_get(from, "data");
	int code = (int)json_integer_value(json_object_get(from, "code"));
	enum rpc_reason reason = reason_of(code);

	rpc_error_set(e, reason < RPC_REASON_COUNT ? reason : RPC_INVALID_REQUEST, "%s",
		      text != NULL ? text : "(no message)");
	e->reason = reason;
	e->code = code;
	e->data = json_is_object(data) ? json_incref(data) : NULL;
}

static int message_take(struct rpc_client *c, json_t *m)
{
	const json_t *id = json_object_get(m, "id"), *result = json_object_get(m, "result"),
		     *error = json_object_get(m, "error");
	const char *method = json_string_value(json_object_get(m, "method"));

	if (method != NULL) {
		const json_t *params = json_object_get(m, "params");

		if (strcmp(method, "event") == 0 && json_is_object(params) && c->event != NULL)
			c->event(c->event_arg, params);
		return 0;
	}
	if (!json_is_object(m) || (result == NULL && !json_is_object(error)))
		return -EPROTO;

	struct open_request *r =
		json_is_integer(id) ? request_take(c, (uint64_t)json_integer_value(id)) : NULL;
	struct rpc_error err = {0};
	struct rpc_reply reply = {.kind = RPC_REPLY_RESULT, .result = result};

	if (r == NULL)
		return 0; /* late: it was timed out; or an error of the connection as a whole */
	if (result == NULL) {
		error_read(&err, error);
		reply = (struct rpc_reply){.kind = RPC_REPLY_ERROR, .error = &err};
	}
	request_end(r, &reply);
	rpc_error_clear(&err);
	return 0;
}

static int lines_take(struct rpc_client *c)
{
	const char *line;
	size_t len;

	for (;;) {
		enum rpc_line got = rpc_lines_next(&c->in, &line, &len);

		if (got == RPC_LINE_NONE)
			return 0;
		if (got == RPC_LINE_LONG)
			return -EPROTO;

		json_t *m = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

		if (m == NULL)
			return -EPROTO;

		int rc = message_take(c, m);

		json_decref(m);
		if (rc != 0)
			return rc;
	}
}

static int read_some(struct rpc_client *c)
{
	for (int i = 0; i < READS_PER_POLL; i++) {
		ssize_t n = recv(c->fd, rpc_bytes_room(&c->in.in, READ_BYTES), READ_BYTES,
				 MSG_DONTWAIT);

		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		c->in.in.tail += (size_t)n;

		int rc = lines_take(c);

		if (rc != 0)
			return rc;
		if (n < READ_BYTES)
			return 0;
	}
	return 0;
}

int rpc_client_poll(struct rpc_client *c)
{
	if (c->gone != 0)
		return c->gone;

	int rc = flush(c);

	if (rc == 0)
		rc = read_some(c);
	if (rc != 0)
		return connection_end(c, rc);
	if (now_ms() >= c->timer_ms)
		deadlines(c);
	return flush(c) == 0 ? 0 : connection_end(c, -EPIPE);
}

int rpc_client_wait(struct rpc_client *c, int timeout_ms)
{
	struct pollfd p = {.fd = c->epoll, .events = POLLIN};

	if (c->gone == 0 && poll(&p, 1, timeout_ms) < 0 && errno != EINTR)
		return -errno;
	return rpc_client_poll(c);
}

/* --- blocking --- */

struct waiter {
	bool done;
	int rc;
	json_t **result;
	struct rpc_error *err;
};

static void waiter_reply(void *arg, const struct rpc_reply *reply)
{
	struct waiter *w = arg;

	w->done = true;
	switch (reply->kind) {
	case RPC_REPLY_RESULT:
		w->rc = 0;
		if (w->result != NULL)
			*w->result = json_incref((json_t *)(uintptr_t)reply->result);
		break;
	case RPC_REPLY_ERROR:
		w->rc = -EREMOTEIO;
		if (w->err != NULL) {
			*w->err = *reply->error;
			json_incref(w->err->data);
		}
		break;
	case RPC_REPLY_TIMEOUT:
		w->rc = -ETIMEDOUT;
		break;
	case RPC_REPLY_GONE:
		w->rc = -EPIPE;
		break;
	}
}

int rpc_client_call(struct rpc_client *c, const char *method, json_t *params, uint32_t timeout_ms,
		    json_t **result, struct rpc_error *err)
{
	struct waiter w = {.result = result, .err = err};
	int rc = rpc_client_request(c, method, params, timeout_ms, waiter_reply, &w);

	if (rc != 0)
		return rc;
	/* Ends: the deadline, or the connection's end, answers every open request. */
	while (!w.done)
		rpc_client_wait(c, -1);
	return w.rc == -EPIPE && c->gone != 0 ? c->gone : w.rc;
}

int rpc_client_hello(struct rpc_client *c, int protocol, const char *name, uint32_t timeout_ms,
		     json_t **result, struct rpc_error *err)
{
	return rpc_client_call(c, "hello",
			       json_pack("{s:i, s:s}", "protocol", protocol, "client", name),
			       timeout_ms, result, err);
}
