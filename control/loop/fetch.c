/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl tells which sockets to watch and when to be woken; libre's loop does both. What has finished is
 * told from the fetcher's timer, so that no answer comes out of the call that asked.
 */
#include "loop/fetch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "loop/re.h"

struct fetch {
	struct le le;
	struct fetcher *f;
	CURL *curl;
	struct curl_slist *headers;
	char *body;
	char *answer;
	size_t len;
	char error[CURL_ERROR_SIZE];
	bool too_long;
	fetch_fn *fn;
	void *arg;
};

/* A socket of curl's. */
struct watch {
	struct fetcher *f;
	curl_socket_t fd;
};

struct fetcher {
	CURLM *multi;
	struct list running;
	struct tmr timer;
};

static void drop(struct fetch *q)
{
	list_unlink(&q->le);
	if (q->curl != NULL) {
		curl_multi_remove_handle(q->f->multi, q->curl);
		curl_easy_cleanup(q->curl);
	}
	curl_slist_free_all(q->headers);
	free(q->body);
	free(q->answer);
	free(q);
}

static void tell(struct fetch *q, CURLcode code)
{
	json_error_t at;
	json_t *answer = NULL;
	char error[CURL_ERROR_SIZE + 32] = "";
	long status = 0;

	curl_easy_getinfo(q->curl, CURLINFO_RESPONSE_CODE, &status);
	if (q->too_long)
		snprintf(error, sizeof(error), "the answer is longer than %d bytes",
			 FETCH_ANSWER_MAX);
	else if (code != CURLE_OK)
		snprintf(error, sizeof(error), "%s",
			 q->error[0] != '\0' ? q->error : curl_easy_strerror(code));
	else if (status < 200 || status > 299)
		snprintf(error, sizeof(error), "status %ld", status);
	else if ((answer = json_loadb(q->answer ? q->answer : "", q->len, JSON_REJECT_DUPLICATES,
				      &at)) == NULL)
		snprintf(error, sizeof(error), "the answer is not JSON: %s", at.text);

	fetch_fn *fn = q->fn;
	void *arg = q->arg;

	drop(q);
	fn(arg, answer, answer != NULL ? NULL : error);
	json_decref(answer);
}

static void tell_finished(struct fetcher *f)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left)) != NULL) {
		struct fetch *q = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&q);
		tell(q, code);
	}
}

static void act(struct fetcher *f, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(f->multi, fd, what, &running);
	tell_finished(f);
}

static void on_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_ready(int flags, void *arg)
{
	struct watch w = *(struct watch *)arg; /* it may go away in between */

	act(w.f, w.fd,
	    ((flags & FD_READ) ? CURL_CSELECT_IN : 0) |
		    ((flags & FD_WRITE) ? CURL_CSELECT_OUT : 0) |
		    ((flags & FD_EXCEPT) ? CURL_CSELECT_ERR : 0));
}

static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct fetcher *f = arg;
	struct watch *w = assigned;
	int flags = (what & CURL_POLL_IN ? FD_READ : 0) | (what & CURL_POLL_OUT ? FD_WRITE : 0);

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		fd_close(fd);
		free(w);
		return 0;
	}
	if (w == NULL) {
		w = malloc(sizeof(*w));
		if (w == NULL)
			return -1;
		*w = (struct watch){f, fd};
		curl_multi_assign(f->multi, fd, w);
	}
	return fd_listen(fd, flags, on_ready, w) == 0 ? 0 : -1;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct fetcher *f = arg;

	(void)multi;
	if (ms < 0)
		tmr_cancel(&f->timer);
	else
		tmr_start(&f->timer, (uint64_t)ms, on_timer, f);
	return 0;
}

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *q = arg;
	size_t bytes = size * n;
	char *more;

	if (bytes > FETCH_ANSWER_MAX - q->len) {
		q->too_long = true;
		return 0;
	}
	more = realloc(q->answer, q->len + bytes + 1);
	if (more == NULL)
		return 0;
	q->answer = more;
	memcpy(q->answer + q->len, data, bytes);
	q->len += bytes;
	return bytes;
}

int fetcher_open(struct fetcher **out)
{
	struct fetcher *f = calloc(1, sizeof(*f));

	if (f == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (f->multi = curl_multi_init()) == NULL) {
		free(f);
		return -ENOMEM;
	}
	list_init(&f->running);
	tmr_init(&f->timer);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)FETCH_MAX);
	*out = f;
	return 0;
}

void fetcher_close(struct fetcher *f)
{
	if (f == NULL)
		return;
	while (f->running.head != NULL)
		drop(f->running.head->data);
	curl_multi_cleanup(f->multi);
	tmr_cancel(&f->timer);
	free(f);
}

static void set_options(struct fetch *q, const char *url, uint32_t timeout_ms)
{
	CURL *c = q->curl;

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "patchbay/" PATCHBAY_VERSION);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, q);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, q->error);
	curl_easy_setopt(c, CURLOPT_PRIVATE, q);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, q->headers);
	if (q->body != NULL)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body);
}

int fetch_start(struct fetcher *f, const char *url, const char *body, uint32_t timeout_ms,
		fetch_fn *fn, void *arg)
{
	struct fetch *q;

	if (list_count(&f->running) >= FETCH_MAX)
		return -EBUSY;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return -ENOMEM;
	*q = (struct fetch){.f = f, .curl = curl_easy_init(), .fn = fn, .arg = arg};
	q->headers = curl_slist_append(NULL, "Accept: application/json");
	if (body != NULL && body[0] != '\0') {
		q->body = strdup(body);
		q->headers = curl_slist_append(q->headers, "Content-Type: application/json");
	}
	list_append(&f->running, &q->le, q);
	if (q->curl == NULL || q->headers == NULL || (body != NULL && body[0] && q->body == NULL)) {
		drop(q);
		return -ENOMEM;
	}
	set_options(q, url, timeout_ms);
	curl_multi_add_handle(f->multi, q->curl);
	return 0;
}
