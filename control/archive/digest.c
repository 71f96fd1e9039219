/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/must.h"

enum { READ_BYTES = 1 << 18 };

void digest_bytes(const void *p, size_t n, uint8_t out[DIGEST_BYTES])
{
	must(SHA256(p, n, out) != NULL);
}

int64_t digest_file(int fd, uint8_t out[DIGEST_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *buf = malloc(READ_BYTES);
	int64_t at = 0;
	ssize_t got = -1;

	if (ctx == NULL || buf == NULL) {
		at = -ENOMEM;
		goto out;
	}
	must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
	while ((got = pread(fd, buf, READ_BYTES, at)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			at = -errno;
			goto out;
		}
		must(EVP_DigestUpdate(ctx, buf, (size_t)got) == 1);
		at += got;
	}
	must(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
out:
	EVP_MD_CTX_free(ctx);
	free(buf);
	return at;
}

int64_t digest_path(const char *path, uint8_t out[DIGEST_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t n;

	if (fd < 0)
		return -errno;
	n = digest_file(fd, out);
	close(fd);
	return n;
}

void digest_hex(const uint8_t *p, size_t n, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*text++ = digits[p[i] >> 4];
		*text++ = digits[p[i] & 15];
	}
	*text = '\0';
}

static int value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_unhex(const char *text, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++, text += 2) {
		int hi = value(text[0]), lo = hi < 0 ? -1 : value(text[1]);

		if (lo < 0)
			return false;
		p[i] = (uint8_t)(hi << 4 | lo);
	}
	return *text == '\0';
}

void digest_text(const void *p, size_t n, char text[DIGEST_TEXT])
{
	uint8_t out[DIGEST_BYTES];

	digest_bytes(p, n, out);
	digest_hex(out, sizeof(out), text);
}

int digest_write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t put = write(fd, at, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		if (put == 0)
			return -EIO;
		at += put;
		n -= (size_t)put;
	}
	return 0;
}
