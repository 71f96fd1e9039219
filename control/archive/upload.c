/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "archive/archive_priv.h"
#include "archive/config_file.h"
#include "archive/s3.h"
#include "base/log.h"
#include "base/must.h"
#include "patchbay/recording.h"

enum { AT_ONCE = 64, SECRET_MAX = 512, RETRY_FIRST_MS = 10000, RETRY_MAX_MS = 3600000 };

struct upload {
	struct archive *a;
	struct s3 *s3;
	size_t part_bytes;
	uint8_t *part;
	char (*etag)[S3_ETAG_MAX]; /* S3_PARTS_MAX */
	int stop_after, sent;
};

int upload_open(struct upload **out, struct archive *a, char *why, size_t why_size)
{
	const struct config_s3 *cfg = &a->cfg->s3;
	char secret[SECRET_MAX];
	struct upload *u;
	int err;

	*out = NULL;
	if (cfg->endpoint[0] == '\0')
		return 0;
	err = archive_config_secret(&cfg->secret, secret, sizeof(secret), why, why_size);
	if (err != 0)
		return err;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
	u->a = a;
	u->part_bytes = (size_t)cfg->part_mb << 20;
	u->part = malloc(u->part_bytes);
	u->etag = calloc(S3_PARTS_MAX, S3_ETAG_MAX);
	err = u->part == NULL || u->etag == NULL ? -ENOMEM : s3_open(&u->s3, cfg, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (err != 0) {
		upload_close(u);
		return err;
	}
	*out = u;
	return 0;
}

void upload_close(struct upload *u)
{
	if (u == NULL)
		return;
	s3_close(u->s3);
	free(u->part);
	free(u->etag);
	free(u);
}

void upload_stop_after(struct upload *u, int parts)
{
	u->stop_after = parts;
	u->sent = 0;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text != NULL ? text : "";
}

/* --- one object --- */

static ssize_t read_at(int fd, uint8_t *p, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, p + have, n - have, (off_t)(at + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static int verify_object(struct upload *u, const char *name, uint64_t bytes, const char *etag)
{
	char there[S3_ETAG_MAX];
	uint64_t n = 0;
	int err = s3_head(u->s3, name, &n, there);

	if (err != 0)
		return err;
	/* some stores name an object of parts otherwise: then the length must do, or reading back */
	if (strchr(etag, '-') != NULL && strchr(there, '-') == NULL)
		etag = "";
	if (n != bytes || (etag[0] != '\0' && strcasecmp(etag, there) != 0))
		return archive_refuse(
			u->a, -EBADMSG,
			"%.200s: the object that is there is not the one that was sent", name);
	return 0;
}

static int put_small(struct upload *u, const char *name, const char *file)
{
	char etag[S3_ETAG_MAX];
	int fd = open(file, O_RDONLY | O_CLOEXEC), err;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return archive_refuse(u->a, -errno, "%s: %s", file, strerror(errno));
	n = fstat(fd, &st) == 0 ? read_at(fd, u->part, u->part_bytes, 0) : -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	if (n != st.st_size) /* what is left out would never be missed */
		return archive_refuse(u->a, -E2BIG, "%s is longer than a part: raise part_mb",
				      file);
	err = s3_put(u->s3, name, u->part, (size_t)n, etag);
	return err != 0 ? err : verify_object(u, name, (uint64_t)n, etag);
}

/* The ETag of a multipart object: MD5 of its parts' MD5s, and how many. */
static void etag_of_parts(const char (*etag)[S3_ETAG_MAX], int parts, char out[S3_ETAG_MAX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t md[16];
	char hex[33];

	out[0] = '\0';
	must(ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1);
	for (int i = 0; i < parts; i++) {
		if (!digest_unhex(etag[i], md, sizeof(md))) { /* not MD5s: no rule to check by */
			EVP_MD_CTX_free(ctx);
			return;
		}
		must(EVP_DigestUpdate(ctx, md, sizeof(md)) == 1);
	}
	must(EVP_DigestFinal_ex(ctx, md, NULL) == 1);
	EVP_MD_CTX_free(ctx);
	digest_hex(md, sizeof(md), hex);
	snprintf(out, S3_ETAG_MAX, "%s-%d", hex, parts);
}

/* What has arrived of a multipart upload, kept across processes. */
struct progress {
	char upload_id[S3_UPLOAD_ID_MAX];
	int parts;
};

static void recall(struct upload *u, const uint8_t id[16], const char *sha, struct progress *p)
{
	json_t *state = NULL, *list;

	*p = (struct progress){0};
	(void)shelf_upload_get(u->a->shelf, id, &state);
	list = json_object_get(state, "etags");
	if (strcmp(text_of(state, "sha256"), sha) == 0 &&
	    (size_t)json_integer_value(json_object_get(state, "part_bytes")) == u->part_bytes &&
	    strlen(text_of(state, "upload_id")) < sizeof(p->upload_id)) {
		snprintf(p->upload_id, sizeof(p->upload_id), "%s", text_of(state, "upload_id"));
		for (size_t i = 0; i < json_array_size(list) && i < S3_PARTS_MAX; i++) {
			const char *etag = json_string_value(json_array_get(list, i));

			snprintf(u->etag[i], S3_ETAG_MAX, "%s", etag != NULL ? etag : "");
			p->parts++;
		}
	}
	json_decref(state);
}

static int remember(struct upload *u, const uint8_t id[16], const char *sha,
		    const struct progress *p)
{
	json_t *list = json_array(), *state;
	char *text;
	int err = -ENOMEM;

	for (int i = 0; i < p->parts; i++)
		json_array_append_new(list, json_string(u->etag[i]));
	state = json_pack("{s:s, s:s, s:I, s:o}", "upload_id", p->upload_id, "sha256", sha,
			  "part_bytes", (json_int_t)u->part_bytes, "etags", list);
	text = state != NULL ? json_dumps(state, JSON_COMPACT) : NULL;
	json_decref(state);
	if (text != NULL)
		err = shelf_upload_put(u->a->shelf, id, text, "", 0, 0);
	free(text);
	return err;
}

static int put_parts(struct upload *u, const uint8_t id[16], const char *name, int fd,
		     uint64_t bytes, const char *sha)
{
	struct progress p;
	uint64_t want = (bytes + u->part_bytes - 1) / u->part_bytes;
	char whole[S3_ETAG_MAX];
	int err = 0;

	if (want > S3_PARTS_MAX)
		return archive_refuse(u->a, -E2BIG,
				      "%.200s needs more than %d parts: raise part_mb", name,
				      S3_PARTS_MAX);
	recall(u, id, sha, &p);
	if (p.upload_id[0] == '\0')
		err = s3_begin(u->s3, name, p.upload_id);
	else
		log_info("upload", "%s goes on with part %d", name, p.parts + 1);
	while (err == 0 && (uint64_t)p.parts < want) {
		uint64_t at = (uint64_t)p.parts * u->part_bytes;
		ssize_t n = read_at(fd, u->part, u->part_bytes, at);

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		err = s3_put_part(u->s3, name, p.upload_id, p.parts + 1, u->part, (size_t)n,
				  u->etag[p.parts]);
		if (err != 0)
			break;
		p.parts++;
		err = remember(u, id, sha, &p);
		if (u->stop_after != 0 && ++u->sent == u->stop_after)
			return -EINTR;
	}
	if (err == 0)
		err = s3_complete(u->s3, name, p.upload_id, (const char(*)[S3_ETAG_MAX])u->etag,
				  p.parts);
	if (err == -ENOENT) /* the store has forgotten this upload: from the beginning, next time */
		(void)shelf_upload_put(u->a->shelf, id, "", "", 0, 0);
	if (err != 0)
		return err;
	etag_of_parts((const char(*)[S3_ETAG_MAX])u->etag, p.parts, whole);
	return verify_object(u, name, bytes, whole);
}

static int put_sound(struct upload *u, const uint8_t id[16], const json_t *row, const char *file)
{
	const char *name = text_of(row, "path"), *sha = text_of(row, "stored_sha256");
	uint8_t there[DIGEST_BYTES];
	char text[DIGEST_TEXT];
	int fd = open(file, O_RDONLY | O_CLOEXEC), err;
	uint64_t read_bytes = 0;
	int64_t bytes;

	if (fd < 0)
		return archive_refuse(u->a, -errno, "%s: %s", file, strerror(errno));
	bytes = digest_file(fd, there);
	digest_hex(there, sizeof(there), text);
	if (bytes < 0)
		err = (int)bytes;
	else if (strcmp(text, sha) != 0)
		err = archive_refuse(u->a, -EBADMSG, "%s is not the file that the ledger knows",
				     file);
	else if ((uint64_t)bytes <= u->part_bytes)
		err = put_small(u, name, file);
	else
		err = put_parts(u, id, name, fd, (uint64_t)bytes, sha);
	close(fd);
	if (err != 0 || !u->a->cfg->s3.read_back)
		return err;
	err = s3_digest(u->s3, name, &read_bytes, there);
	digest_hex(there, sizeof(there), text);
	if (err == 0 && (read_bytes != (uint64_t)bytes || strcmp(text, sha) != 0))
		err = archive_refuse(u->a, -EBADMSG,
				     "%.200s: what was read back is not what was sent", name);
	return err;
}

/* --- one recording --- */

/* The object named as a file of the recording; "" when it has none with that ending. */
static void name_of(const char *path, const char *ending, char name[S3_NAME_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *dot = strchr(slash != NULL ? slash : path, '.');

	snprintf(name, S3_NAME_MAX, "%.*s%s", dot != NULL ? (int)(dot - path) : 500, path, ending);
}

static int put_all(struct upload *u, const uint8_t id[16], const json_t *row)
{
	char file[ARCHIVE_PATH_MAX], name[S3_NAME_MAX];
	int err = 0;

	for (const char *const *e = archive_endings; err == 0 && *e != NULL; e++) {
		archive_file(u->a, file, text_of(row, "path"), *e);
		name_of(text_of(row, "path"), *e, name);
		if (access(file, F_OK) == 0)
			err = put_small(u, name, file);
	}
	archive_file(u->a, file, text_of(row, "path"), NULL);
	return err != 0 ? err : put_sound(u, id, row, file);
}

static void told(struct upload *u, const uint8_t id[16], const char *what, int err)
{
	char text[RECORDING_ID_TEXT], tries[64];
	const char *why = u->a->why[0] != '\0' ? u->a->why : s3_error(u->s3);
	json_t *state = NULL;
	char *kept;
	uint64_t wait;

	recording_id_text(id, text);
	if (err == 0) {
		log_info("upload", "%s is %s", text, what);
		return;
	}
	/* the waiting doubles; kept beside the parts that have arrived */
	(void)shelf_upload_get(u->a->shelf, id, &state);
	if (state == NULL)
		state = json_object();
	wait = (uint64_t)json_integer_value(json_object_get(state, "wait_ms")) * 2;
	wait = wait < RETRY_FIRST_MS ? RETRY_FIRST_MS : wait > RETRY_MAX_MS ? RETRY_MAX_MS : wait;
	json_object_set_new(state, "wait_ms", json_integer((json_int_t)wait));
	kept = json_dumps(state, JSON_COMPACT);
	json_decref(state);
	snprintf(tries, sizeof(tries), "%d", err);
	log_error("upload", "%s is not %s, will be tried again in %llu s: %s", text, what,
		  (unsigned long long)wait / 1000, why[0] != '\0' ? why : strerror(-err));
	(void)shelf_upload_put(u->a->shelf, id, kept != NULL ? kept : "", why,
			       archive_now_ms() + wait, 0);
	free(kept);
}

static int upload_one(struct upload *u, const uint8_t id[16])
{
	json_t *row;
	int err = shelf_get(u->a->shelf, id, &row);

	if (err != 0)
		return err;
	err = put_all(u, id, row);
	json_decref(row);
	if (err == 0)
		err = shelf_upload_put(u->a->shelf, id, "", "", 0, archive_now_ms());
	return err;
}

static int remove_one(struct upload *u, const uint8_t id[16])
{
	char text[RECORDING_ID_TEXT], name[S3_NAME_MAX];
	json_t *state = NULL;
	const char *path;
	int err = shelf_upload_get(u->a->shelf, id, &state);

	path = text_of(state, "delete");
	recording_id_text(id, text);
	/* the key first: without it the rest is noise */
	for (const char *const *e = archive_endings; err == 0 && path[0] != '\0' && *e != NULL;
	     e++) {
		name_of(path, *e, name);
		err = s3_delete(u->s3, name);
	}
	if (err == 0 && path[0] != '\0')
		err = s3_delete(u->s3, path);
	if (err == 0)
		err = archive_turn(u->a);
	if (err == 0) {
		err = archive_act(u->a, "remote_delete",
				  json_pack("{s:s, s:s}", "recording", text, "path", path));
		archive_turn_over(u->a);
	}
	json_decref(state);
	if (err == 0)
		err = shelf_upload_put(u->a->shelf, id, "", "", 0, 0);
	return err;
}

static bool unreachable(int err)
{
	return err == -ECONNREFUSED || err == -ETIMEDOUT || err == -EACCES || err == -EINTR;
}

void upload_run(struct upload *u, const volatile bool *stop, struct upload_done *done)
{
	uint8_t id[AT_ONCE][16];
	int n, err = 0;

	*done = (struct upload_done){0};
	if (u == NULL)
		return;
	n = shelf_remote_left(u->a->shelf, id, AT_ONCE, archive_now_ms());
	for (int i = 0; i < n && !unreachable(err) && (stop == NULL || !*stop); i++) {
		u->a->why[0] = '\0';
		err = remove_one(u, id[i]);
		told(u, id[i], "removed from the store", err);
		done->removed += err == 0;
		done->failed += err != 0;
	}
	do {
		n = shelf_not_uploaded(u->a->shelf, id, AT_ONCE, archive_now_ms());
		for (int i = 0; i < n && !unreachable(err) && (stop == NULL || !*stop); i++) {
			u->a->why[0] = '\0';
			err = upload_one(u, id[i]);
			told(u, id[i], "uploaded", err);
			done->uploaded += err == 0;
			done->failed += err != 0;
		}
	} while (n == AT_ONCE && !unreachable(err) && (stop == NULL || !*stop));
}
