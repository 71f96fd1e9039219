/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings over HTTP, asked by libcurl: ranges to the byte, roles, and the trace that each leaves.
 */
#include "archive/server.h"
#include "archive/server_limit.h"

#include <curl/curl.h>

#include "archive/archive_world.h"
#include "archive/audit.h"

static const char tokens[] = "  http:\n    listen: 127.0.0.1:0\n    tokens:\n"
			     "      - {name: reader, role: reader, token: reader-0123456789}\n"
			     "      - {name: qa, role: listener, token: listener-0123456789}\n"
			     "      - {name: trainer, role: exporter, token: exporter-0123456789}\n"
			     "      - {name: law, role: officer, token: officer-0123456789}\n";

struct reply {
	long status;
	char *body;
	size_t n;
	char range[100], type[100];
};

struct place_of_web {
	struct world w;
	struct server *server;
	CURL *curl;
};

static size_t take(char *p, size_t one, size_t n, void *ctx)
{
	struct reply *r = ctx;

	n *= one;
	r->body = realloc(r->body, r->n + n + 1);
	memcpy(r->body + r->n, p, n);
	r->n += n;
	r->body[r->n] = '\0';
	return n;
}

static size_t header(char *p, size_t one, size_t n, void *ctx)
{
	struct reply *r = ctx;

	n *= one;
	if (n > 15 && strncasecmp(p, "Content-Range: ", 15) == 0)
		snprintf(r->range, sizeof(r->range), "%.*s", (int)n - 17, p + 15);
	if (n > 14 && strncasecmp(p, "Content-Type: ", 14) == 0)
		snprintf(r->type, sizeof(r->type), "%.*s", (int)n - 16, p + 14);
	return n;
}

static struct reply ask(struct place_of_web *p, const char *method, const char *who,
			const char *path, const char *range, const char *body)
{
	struct reply r = {0};
	struct curl_slist *list = NULL;
	char url[500], text[200];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server_port(p->server), path);
	if (who != NULL) {
		snprintf(text, sizeof(text), "Authorization: Bearer %s-0123456789", who);
		list = curl_slist_append(list, text);
	}
	if (range != NULL) {
		snprintf(text, sizeof(text), "Range: %s", range);
		list = curl_slist_append(list, text);
	}
	curl_easy_reset(p->curl);
	curl_easy_setopt(p->curl, CURLOPT_URL, url);
	curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, &r);
	curl_easy_setopt(p->curl, CURLOPT_HEADERFUNCTION, header);
	curl_easy_setopt(p->curl, CURLOPT_HEADERDATA, &r);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(p->curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(p->curl, CURLOPT_CUSTOMREQUEST, method);
	if (body != NULL)
		curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, body);

	CURLcode rc = curl_easy_perform(p->curl);

	if (rc != CURLE_OK)
		printf("   %s %s %s: %s\n", method, path, range != NULL ? range : "",
		       curl_easy_strerror(rc));
	check_int(rc, CURLE_OK);
	curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &r.status);
	curl_slist_free_all(list);
	return r;
}

static long status(struct place_of_web *p, const char *method, const char *who, const char *path,
		   const char *body)
{
	struct reply r = ask(p, method, who, path, NULL, body);

	free(r.body);
	return r.status;
}

static void web_make(struct place_of_web *p, bool sealed)
{
	char why[300] = "";

	*p = (struct place_of_web){.w.more = tokens};
	world_make(&p->w, sealed, "wav");
	finish(&p->w, CALLS);
	if (server_open(&p->server, p->w.config, why, sizeof(why)) != 0)
		printf("   %s\n", why);
	check(p->server != NULL);
	p->curl = curl_easy_init();
}

static void web_free(struct place_of_web *p)
{
	curl_easy_cleanup(p->curl);
	server_close(p->server);
	world_free(&p->w);
}

#define ID "0001abab-abab-abab-abab-abababababab"

static void ranges_are_given_to_the_byte(void)
{
	static const struct {
		const char *range;
		long status;
		long from, n; /* n -1: to the end; from < 0: counted from there */
	} rows[] = {
		{NULL, 200, 0, -1},
		{"bytes=0-0", 206, 0, 1},
		{"bytes=100-299", 206, 100, 200},
		{"bytes=65530-65545", 206, 65530, 16},
		{"bytes=90000-", 206, 90000, -1},
		{"bytes=-500", 206, -500, 500},
		{"bytes=-999999999", 206, 0, -1},
		{"bytes=10-999999999", 206, 10, -1},
		{"bytes=999999999-", 416, 0, 0},
		{"bytes=-0", 416, 0, 0},
		{"bytes=5-3", 200, 0, -1},
		{"bytes=0-1,5-6", 200, 0, -1},
		{"bytes=x-", 200, 0, -1},
		{"lines=1-2", 200, 0, -1},
	};

	for (int sealed = 0; sealed < 2; sealed++) {
		struct place_of_web p;
		struct reply whole;

		web_make(&p, sealed);
		whole = ask(&p, "GET", "listener", "/v1/recordings/" ID "/audio", NULL, NULL);
		check_int(whole.status, 200);
		check_str(whole.type, "audio/wav");
		check(whole.n > (size_t)SECONDS * 32000 && memcmp(whole.body, "RIFF", 4) == 0);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct reply r = ask(&p, "GET", "listener", "/v1/recordings/" ID "/audio",
					     rows[i].range, NULL);
			size_t from = rows[i].from < 0 ? whole.n - (size_t)-rows[i].from
						       : (size_t)rows[i].from;
			size_t n = rows[i].n < 0 ? whole.n - from : (size_t)rows[i].n;
			char want[100];

			check_int(r.status, rows[i].status);
			check_int(r.n, n);
			check(n == 0 || memcmp(r.body, whole.body + from, n) == 0);
			snprintf(want, sizeof(want), "bytes %zu-%zu/%zu", from, from + n - 1,
				 whole.n);
			if (r.status == 206)
				check_str(r.range, want);
			free(r.body);
		}
		free(whole.body);
		check_int(status(&p, "HEAD", "listener", "/v1/recordings/" ID "/audio", NULL), 200);
		web_free(&p);
	}
}

static void a_role_may_what_it_says_and_all_is_written_down(void)
{
	static const struct {
		const char *method, *path, *body;
		long status[5]; /* of nobody, reader, listener, exporter, officer */
	} rows[] = {
		{"GET", "/v1/health", NULL, {200, 200, 200, 200, 200}},
		{"GET", "/v1/recordings?agent=1001", NULL, {401, 200, 200, 200, 200}},
		{"GET", "/v1/recordings?agnet=1001", NULL, {401, 400, 400, 400, 400}},
		{"GET", "/v1/recordings/" ID, NULL, {401, 200, 200, 200, 200}},
		{"GET", "/v1/recordings/" ID "/waveform?width=20", NULL, {401, 200, 200, 200, 200}},
		{"GET", "/v1/recordings/" ID "/proof", NULL, {401, 200, 200, 200, 200}},
		{"GET", "/v1/recordings/" ID "/audio", NULL, {401, 403, 200, 200, 200}},
		{"PUT", "/v1/recordings/" ID "/tags/a%20b", NULL, {401, 403, 200, 200, 200}},
		/* a rule of retention goes by this one */
		{"PUT", "/v1/recordings/" ID "/tags/short", NULL, {401, 403, 403, 403, 200}},
		{"DELETE", "/v1/recordings/" ID "/tags/short", NULL, {401, 403, 403, 403, 200}},
		{"POST",
		 "/v1/recordings/" ID "/notes",
		 "{\"text\":\"well done\"}",
		 {401, 403, 200, 200, 200}},
		{"POST", "/v1/recordings/" ID "/notes", "nonsense", {401, 403, 400, 400, 400}},
		{"GET", "/v1/recordings/" ID "/file", NULL, {401, 403, 403, 200, 200}},
		{"GET", "/v1/recordings/" ID "/excerpt?span=1-2", NULL, {401, 403, 403, 200, 200}},
		{"GET", "/v1/recordings/" ID "/excerpt?span=2-1", NULL, {401, 403, 403, 400, 400}},
		{"POST",
		 "/v1/recordings/" ID "/hold",
		 "{\"reason\":\"case\"}",
		 {401, 403, 403, 403, 200}},
		{"POST",
		 "/v1/recordings/" ID "/delete",
		 "{\"reason\":\"x\"}",
		 {401, 403, 403, 403, 423}},
		{"POST",
		 "/v1/recordings/" ID "/release",
		 "{\"reason\":\"x\"}",
		 {401, 403, 403, 403, 200}},
		{"POST", "/v1/recordings/" ID "/delete", "{}", {401, 403, 403, 403, 400}},
		{"GET", "/v1/audit", NULL, {401, 403, 403, 403, 200}},
		{"PATCH", "/v1/recordings/" ID, NULL, {401, 405, 405, 405, 405}},
		{"GET", "/v1/recordings/nobody", NULL, {401, 404, 404, 404, 404}},
		{"GET",
		 "/v1/recordings/ffffffff-0000-0000-0000-000000000000",
		 NULL,
		 {401, 404, 404, 404, 404}},
		{"GET", "/etc/passwd", NULL, {401, 404, 404, 404, 404}},
	};
	static const char *const who[] = {NULL, "reader", "listener", "exporter", "officer"};
	struct audit_filter f = {.refused = true, .limit = 1000};
	struct place_of_web p;
	uint64_t lines, wrong;
	char head[DIGEST_TEXT];
	json_t *page;
	size_t refused = 0;

	web_make(&p, true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int k = 0; k < 5; k++) {
			long got = status(&p, rows[i].method, who[k], rows[i].path, rows[i].body);

			if (got != rows[i].status[k])
				printf("   %s %s as %s\n", rows[i].method, rows[i].path,
				       who[k] != NULL ? who[k] : "nobody");
			check_int(got, rows[i].status[k]);
			refused += got == 401 || got == 403 || got == 423;
		}
	check_int(audit_list(archive_shelf(p.w.a), &f, &page), 0);
	check(json_array_size(json_object_get(page, "lines")) >= refused);
	json_decref(page);
	f = (struct audit_filter){.action = "listen", .limit = 1000};
	check_int(audit_list(archive_shelf(p.w.a), &f, &page), 0);
	check_str(str(json_array_get(json_object_get(page, "lines"), 0), "actor"), "law");
	check_str(str(json_array_get(json_object_get(page, "lines"), 0), "source"), "127.0.0.1");
	json_decref(page);
	check_int(audit_verify(archive_shelf(p.w.a), &lines, &wrong, head), 0);
	check(wrong == 0 && lines > 50);
	web_free(&p);
}

/* Guessing is slowed down and fills no audit; who has a token does not notice. */
static void guessing_is_slow(void)
{
	struct audit_filter f = {.refused = true, .limit = 1000};
	struct place_of_web p;
	unsigned heard = 0;
	json_t *page;

	web_make(&p, false);
	for (int i = 0; i < LIMIT_BURST + 20; i++) {
		long got = status(&p, "GET", i % 2 ? "wrong" : NULL, "/v1/recordings", NULL);

		check(got == 401 || got == 429);
		heard += got == 401;
	}
	check(heard >= LIMIT_BURST && heard < LIMIT_BURST + 5);
	check_int(status(&p, "GET", "reader", "/v1/recordings", NULL), 200);
	check_int(audit_list(archive_shelf(p.w.a), &f, &page), 0);
	check_int(json_array_size(json_object_get(page, "lines")), heard);
	json_decref(page);
	web_free(&p);
}

static void failures_are_counted_by_address(void)
{
	static struct server_limit l;
	uint64_t now = 1000000;
	char source[64];

	server_limit_init(&l);
	for (int i = 0; i < LIMIT_BURST; i++)
		check(server_limit_failed(&l, "10.0.0.1", now));
	check(!server_limit_failed(&l, "10.0.0.1", now));
	check(server_limit_failed(&l, "10.0.0.2", now));
	check(!server_limit_failed(&l, "10.0.0.1", now + LIMIT_EVERY_MS - 1));
	check(server_limit_failed(&l, "10.0.0.1", now + LIMIT_EVERY_MS));
	check(!server_limit_failed(&l, "10.0.0.1", now + LIMIT_EVERY_MS));
	/* many addresses do not make the worst one forgotten */
	for (int i = 0; i < LIMIT_SOURCES * 2; i++) {
		snprintf(source, sizeof(source), "2001:db8::%x", i);
		check(server_limit_failed(&l, source, now + LIMIT_EVERY_MS));
	}
	check(!server_limit_failed(&l, "10.0.0.1", now + LIMIT_EVERY_MS));
}

static void a_call_is_heard_before_it_is_finished(void)
{
	struct place_of_web p;
	struct reply all, part;
	uint8_t id[16];

	web_make(&p, true);
	record_calls(
		&p.w, 0xf009,
		1); /* ended, and not taken into the archive yet; no other test has this one in memory */
	test_id(id, 0xf009);
	all = ask(&p, "GET", "listener",
		  "/v1/recordings/f009abab-abab-abab-abab-abababababab/audio", NULL, NULL);
	check_int(all.status, 200);
	check_str(all.type, "audio/wav");
	check(all.n >= 44 + (size_t)(SECONDS * 1000 - 40) * 32 && memcmp(all.body, "RIFF", 4) == 0);
	part = ask(&p, "GET", "listener",
		   "/v1/recordings/f009abab-abab-abab-abab-abababababab/audio", "bytes=20001-40000",
		   NULL);
	check_int(part.status, 206);
	check_int(part.n, 20000);
	check(memcmp(part.body, all.body + 20001, 20000) == 0);
	check_int(status(&p, "GET", "reader",
			 "/v1/recordings/f009abab-abab-abab-abab-abababababab/audio", NULL),
		  403);
	/* the same sound as when it is finished */
	finish(&p.w, 1);
	free(part.body);
	part = ask(&p, "GET", "listener",
		   "/v1/recordings/f009abab-abab-abab-abab-abababababab/audio", "bytes=-100000",
		   NULL);
	check_int(part.status, 206);
	check(memcmp(part.body + 20000, all.body + all.n - 80000, 16000) == 0);
	free(all.body);
	free(part.body);
	web_free(&p);
}

static void what_was_deleted_is_gone(void)
{
	struct place_of_web p;

	web_make(&p, true);
	check_int(status(&p, "POST", "officer", "/v1/recordings/" ID "/delete",
			 "{\"reason\":\"on request\"}"),
		  200);
	check_int(status(&p, "GET", "officer", "/v1/recordings/" ID "/audio", NULL), 410);
	check_int(status(&p, "GET", "officer", "/v1/recordings/" ID "/waveform", NULL), 410);
	check_int(status(&p, "GET", "officer", "/v1/recordings/" ID "/proof", NULL), 200);
	check_int(status(&p, "POST", "officer", "/v1/recordings/" ID "/delete",
			 "{\"reason\":\"on request\"}"),
		  409);
	web_free(&p);
}

static void what_would_be_open_to_all_is_not_served(void)
{
	static const char *const http[] = {
		"  http: {listen: \"127.0.0.1:0\"}\n",
		"  http: {listen: \"0.0.0.0:0\", tokens: [{name: a, role: reader, token: "
		"0123456789abcdef}]}\n",
		"  http: {listen: \"127.0.0.1:0\", tokens: [{name: a, role: reader, token: "
		"short}]}\n",
		"  http: {listen: \"nowhere\", tokens: [{name: a, role: reader, token: "
		"0123456789abcdef}]}\n",
	};

	for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
		struct world w = {.more = http[i]};
		struct server *s = NULL;
		char why[300] = "";

		world_make(&w, false, "wav");
		check(server_open(&s, w.config, why, sizeof(why)) < 0);
		check(why[0] != '\0');
		world_free(&w);
	}
}

static const struct check_case cases[] = {
	CHECK_CASE(ranges_are_given_to_the_byte),
	CHECK_CASE(a_role_may_what_it_says_and_all_is_written_down),
	CHECK_CASE(guessing_is_slow),
	CHECK_CASE(failures_are_counted_by_address),
	CHECK_CASE(a_call_is_heard_before_it_is_finished),
	CHECK_CASE(what_was_deleted_is_gone),
	CHECK_CASE(what_would_be_open_to_all_is_not_served),
};
CHECK_MAIN(cases)
