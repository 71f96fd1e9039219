/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/s3.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "archive/digest.h"
#include "base/must.h"

enum { ANSWER_MAX = 65536, CONNECT_S = 10, SLOW_S = 60, SLOW_BYTES = 64 };

struct s3 {
	CURL *curl;
	char base[1600]; /* endpoint/bucket/prefix */
	char sign[200], user[800];
	char error[300];
	/* of the request that runs */
	char answer[ANSWER_MAX + 1];
	size_t answer_bytes;
	char etag[S3_ETAG_MAX];
	EVP_MD_CTX *sha; /* not NULL: the body is digested, not kept */
	uint64_t body_bytes;
};

const char *s3_error(const struct s3 *s)
{
	return s->error;
}

static size_t take_body(char *p, size_t one, size_t n, void *ctx)
{
	struct s3 *s = ctx;
	size_t room = ANSWER_MAX - s->answer_bytes, k;

	n *= one;
	s->body_bytes += n;
	if (s->sha != NULL) {
		must(EVP_DigestUpdate(s->sha, p, n) == 1);
		return n;
	}
	k = n < room ? n : room;
	memcpy(s->answer + s->answer_bytes, p, k);
	s->answer_bytes += k;
	s->answer[s->answer_bytes] = '\0';
	return n;
}

static size_t take_header(char *p, size_t one, size_t n, void *ctx)
{
	struct s3 *s = ctx;
	size_t len = one * n, at = 5, k = 0;

	if (len > 5 && strncasecmp(p, "etag:", 5) == 0)
		for (; at < len && k + 1 < sizeof(s->etag); at++)
			if (isalnum((unsigned char)p[at]) || p[at] == '-') {
				s->etag[k++] = p[at];
				s->etag[k] = '\0';
			}
	return len;
}

static int failed(struct s3 *s, const char *method, const char *name, CURLcode rc, long status)
{
	const char *code = strstr(s->answer, "<Code>"),
		   *end = code != NULL ? strstr(code, "</Code>") : NULL;

	if (rc != CURLE_OK) {
		snprintf(s->error, sizeof(s->error), "%s %.150s: %s", method, name,
			 curl_easy_strerror(rc));
		return rc == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -ECONNREFUSED;
	}
	snprintf(s->error, sizeof(s->error), "%s %.150s: the store answers %ld %.*s", method, name,
		 status, end != NULL && end - code < 66 ? (int)(end - code - 6) : 0,
		 end != NULL ? code + 6 : "");
	return status == 403 ? -EACCES : status == 404 ? -ENOENT : -EREMOTEIO;
}

/* One request. `query` is already in the order that is signed. */
static int request(struct s3 *s, const char *method, const char *name, const char *query,
		   const void *body, size_t n)
{
	struct curl_slist *headers = NULL;
	char url[3400], sha[DIGEST_TEXT], line[DIGEST_TEXT + 32];
	CURLcode rc;
	long status = 0;

	s->answer_bytes = 0;
	s->answer[0] = '\0';
	s->etag[0] = '\0';
	s->body_bytes = 0;
	snprintf(url, sizeof(url), "%s%.600s%s%.1100s", s->base, name, query[0] != '\0' ? "?" : "",
		 query);
	curl_easy_reset(s->curl);
	/* curl before 8 does not name the body's hash by itself; S3 wants it named. It would also sign a
	 * header that is taken away ("Expect:"), so none is. */
	digest_text(body != NULL ? body : "", body != NULL ? n : 0, sha);
	snprintf(line, sizeof(line), "x-amz-content-sha256: %s", sha);
	headers = curl_slist_append(headers, line);
	headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(s->curl, CURLOPT_AWS_SIGV4, s->sign);
	curl_easy_setopt(s->curl, CURLOPT_USERPWD, s->user);
	curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(s->curl, CURLOPT_HEADERDATA, s);
	if (body != NULL) {
		curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
		curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, body);
	}
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(s->curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, method);
	rc = curl_easy_perform(s->curl);
	curl_slist_free_all(headers);
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK || status < 200 || status > 299)
		return failed(s, method, name, rc, status);
	return 0;
}

int s3_open(struct s3 **out, const struct config_s3 *cfg, const char *secret)
{
	struct s3 *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	s->curl = curl_easy_init();
	if (s->curl == NULL) {
		free(s);
		return -ENOMEM;
	}
	snprintf(s->base, sizeof(s->base), "%.500s/%.63s/%.500s", cfg->endpoint, cfg->bucket,
		 cfg->prefix);
	snprintf(s->sign, sizeof(s->sign), "aws:amz:%.60s:s3", cfg->region);
	snprintf(s->user, sizeof(s->user), "%.200s:%.500s", cfg->access_key, secret);
	*out = s;
	return 0;
}

void s3_close(struct s3 *s)
{
	if (s == NULL)
		return;
	curl_easy_cleanup(s->curl);
	OPENSSL_cleanse(s->user, sizeof(s->user));
	free(s);
}

static void md5_hex(const void *p, size_t n, char out[33])
{
	uint8_t md[16];

	must(EVP_Digest(p, n, md, NULL, EVP_md5(), NULL) == 1);
	digest_hex(md, sizeof(md), out);
}

/* An ETag of 32 digits is the MD5 of what arrived, unless the store encrypts by keys of its own. */
static int put(struct s3 *s, const char *name, const char *query, const void *p, size_t n,
	       char etag[S3_ETAG_MAX])
{
	char md5[33];
	int err = request(s, "PUT", name, query, p, n);

	if (err != 0)
		return err;
	md5_hex(p, n, md5);
	if (strlen(s->etag) == 32 && strcasecmp(s->etag, md5) != 0) {
		snprintf(s->error, sizeof(s->error),
			 "PUT %.150s: what arrived is not what was sent", name);
		return -EBADMSG;
	}
	memcpy(etag, s->etag, S3_ETAG_MAX);
	return 0;
}

int s3_put(struct s3 *s, const char *name, const void *p, size_t n, char etag[S3_ETAG_MAX])
{
	return put(s, name, "", p, n, etag);
}

int s3_put_part(struct s3 *s, const char *name, const char *upload_id, int part, const void *p,
		size_t n, char etag[S3_ETAG_MAX])
{
	char query[1200];

	snprintf(query, sizeof(query), "partNumber=%d&uploadId=%s", part, upload_id);
	return put(s, name, query, p, n, etag);
}

int s3_begin(struct s3 *s, const char *name, char upload_id[S3_UPLOAD_ID_MAX])
{
	const char *from, *to;
	int err = request(s, "POST", name, "uploads=", "", 0);

	if (err != 0)
		return err;
	from = strstr(s->answer, "<UploadId>");
	to = from != NULL ? strstr(from, "</UploadId>") : NULL;
	if (to == NULL || to - from - 10 >= 1000 || to - from == 10) {
		snprintf(s->error, sizeof(s->error), "POST %.150s: no UploadId in the answer",
			 name);
		return -EREMOTEIO;
	}
	snprintf(upload_id, S3_UPLOAD_ID_MAX, "%.*s", (int)(to - from - 10), from + 10);
	return 0;
}

int s3_complete(struct s3 *s, const char *name, const char *upload_id,
		const char (*etag)[S3_ETAG_MAX], int parts)
{
	size_t size = 64 + (size_t)parts * (S3_ETAG_MAX + 80);
	char *body = malloc(size), query[1200], *p = body;
	int err;

	if (body == NULL)
		return -ENOMEM;
	p += sprintf(p, "<CompleteMultipartUpload>");
	for (int i = 0; i < parts; i++)
		p += sprintf(p, "<Part><PartNumber>%d</PartNumber><ETag>\"%s\"</ETag></Part>",
			     i + 1, etag[i]);
	p += sprintf(p, "</CompleteMultipartUpload>");
	snprintf(query, sizeof(query), "uploadId=%s", upload_id);
	err = request(s, "POST", name, query, body, (size_t)(p - body));
	free(body);
	if (err == 0 && strstr(s->answer, "<Error>") != NULL) /* 200, and yet */
		err = failed(s, "POST", name, CURLE_OK, 200);
	return err;
}

int s3_abort(struct s3 *s, const char *name, const char *upload_id)
{
	char query[1200];

	snprintf(query, sizeof(query), "uploadId=%s", upload_id);
	return request(s, "DELETE", name, query, NULL, 0);
}

int s3_head(struct s3 *s, const char *name, uint64_t *bytes, char etag[S3_ETAG_MAX])
{
	curl_off_t n = 0;
	int err = request(s, "HEAD", name, "", NULL, 0);

	if (err != 0)
		return err;
	curl_easy_getinfo(s->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
	*bytes = n > 0 ? (uint64_t)n : 0;
	memcpy(etag, s->etag, S3_ETAG_MAX);
	return 0;
}

int s3_digest(struct s3 *s, const char *name, uint64_t *bytes, uint8_t sha256[32])
{
	int err;

	s->sha = EVP_MD_CTX_new();
	if (s->sha == NULL)
		return -ENOMEM;
	must(EVP_DigestInit_ex(s->sha, EVP_sha256(), NULL) == 1);
	err = request(s, "GET", name, "", NULL, 0);
	must(EVP_DigestFinal_ex(s->sha, sha256, NULL) == 1);
	EVP_MD_CTX_free(s->sha);
	s->sha = NULL;
	*bytes = s->body_bytes;
	return err;
}

int s3_delete(struct s3 *s, const char *name)
{
	int err = request(s, "DELETE", name, "", NULL, 0);

	return err == -ENOENT ? 0 : err;
}
