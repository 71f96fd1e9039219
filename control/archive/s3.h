/* One bucket of an S3-compatible store: the few requests that an upload needs, signed by libcurl (AWS
 * Signature Version 4), path-style addresses. A request ends with the server's answer or -ETIMEDOUT; what
 * the server said is in s3_error().
 *
 * Names of objects are made of A-Z a-z 0-9 / . _ - (archive paths are), so nothing needs quoting.
 *
 * Source: Amazon S3 API Reference 2006-03-01.
 * Thread: one owner.
 */
#ifndef ARCHIVE_S3_H
#define ARCHIVE_S3_H

#include <stddef.h>
#include <stdint.h>

#include "conf/config_archive.h"

enum { S3_ETAG_MAX = 80, S3_UPLOAD_ID_MAX = 1024, S3_NAME_MAX = 600, S3_PARTS_MAX = 10000 };

struct s3;

/* `secret` is copied. Returns 0 or negative errno. */
int s3_open(struct s3 **s, const struct config_s3 *cfg, const char *secret);
void s3_close(struct s3 *s);

const char *s3_error(const struct s3 *s);

/* All return 0; -ECONNREFUSED (cannot be reached), -ETIMEDOUT, -EACCES (403), -ENOENT (404), -EREMOTEIO
 * (another answer), -EBADMSG (what arrived there is not what was sent). */

/* Put `n` bytes as an object, or as part `part` (from 1) of the upload `upload_id`. `etag` gets what the
 * server names it, without quotes, compared with the MD5 of what was sent when it is one. */
int s3_put(struct s3 *s, const char *name, const void *p, size_t n, char etag[S3_ETAG_MAX]);
int s3_put_part(struct s3 *s, const char *name, const char *upload_id, int part, const void *p,
		size_t n, char etag[S3_ETAG_MAX]);

int s3_begin(struct s3 *s, const char *name, char upload_id[S3_UPLOAD_ID_MAX]);
/* `etag`: of all parts in order. */
int s3_complete(struct s3 *s, const char *name, const char *upload_id,
		const char (*etag)[S3_ETAG_MAX], int parts);
int s3_abort(struct s3 *s, const char *name, const char *upload_id);

/* Length and ETag of an object. */
int s3_head(struct s3 *s, const char *name, uint64_t *bytes, char etag[S3_ETAG_MAX]);

/* Read an object again and tell its SHA-256. */
int s3_digest(struct s3 *s, const char *name, uint64_t *bytes, uint8_t sha256[32]);

/* Not there is fine. */
int s3_delete(struct s3 *s, const char *name);

#endif
