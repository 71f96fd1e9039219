/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/must.h"

enum { VERSION = 1, NONCE = 12, AAD = SEAL_HEAD_BYTES + 9 };

static const uint8_t magic[8] = {'P', 'B', 'X', 'S', 'E', 'A', 'L', '1'};

static void put_le(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void make_head(uint8_t head[SEAL_HEAD_BYTES], uint64_t bytes, const uint8_t id[16],
		      enum seal_stream stream)
{
	memset(head, 0, SEAL_HEAD_BYTES);
	memcpy(head, magic, sizeof(magic));
	put_le(head + 8, VERSION, 2);
	put_le(head + 10, SEAL_HEAD_BYTES, 2);
	put_le(head + 12, SEAL_CHUNK_BYTES, 4);
	put_le(head + 16, bytes, 8);
	memcpy(head + 24, id, 16);
	head[40] = (uint8_t)stream;
}

static void place(const uint8_t *head, uint64_t i, bool last, uint8_t nonce[NONCE],
		  uint8_t aad[AAD])
{
	put_le(nonce, head[40], 4);
	put_le(nonce + 4, i, 8);
	memcpy(aad, head, SEAL_HEAD_BYTES);
	put_le(aad + SEAL_HEAD_BYTES, i, 8);
	aad[AAD - 1] = last;
}

static uint64_t chunks_of(uint64_t bytes)
{
	return bytes == 0 ? 1 : (bytes + SEAL_CHUNK_BYTES - 1) / SEAL_CHUNK_BYTES;
}

/* --- writing --- */

struct writer {
	EVP_CIPHER_CTX *aes;
	EVP_MD_CTX *plain, *stored;
	const uint8_t *key;
	int in, out;
	uint8_t head[SEAL_HEAD_BYTES];
	uint64_t bytes;
	uint8_t from[SEAL_CHUNK_BYTES];
	uint8_t to[SEAL_CHUNK_BYTES + SEAL_TAG_BYTES];
};

static int put(struct writer *w, const void *p, size_t n)
{
	must(EVP_DigestUpdate(w->stored, p, n) == 1);
	return digest_write_all(w->out, p, n);
}

static int read_chunk(struct writer *w, uint64_t i, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(w->in, w->from + have, n - have,
				    (off_t)(i * SEAL_CHUNK_BYTES + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		have += (size_t)got;
	}
	must(EVP_DigestUpdate(w->plain, w->from, n) == 1);
	return 0;
}

static int seal_chunk(struct writer *w, uint64_t i, size_t n, bool last)
{
	uint8_t nonce[NONCE], aad[AAD];
	int got;

	place(w->head, i, last, nonce, aad);
	must(EVP_EncryptInit_ex(w->aes, NULL, NULL, w->key, nonce) == 1);
	must(EVP_EncryptUpdate(w->aes, NULL, &got, aad, AAD) == 1);
	must(EVP_EncryptUpdate(w->aes, w->to, &got, w->from, (int)n) == 1);
	must(EVP_EncryptFinal_ex(w->aes, w->to + n, &got) == 1);
	must(EVP_CIPHER_CTX_ctrl(w->aes, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES, w->to + n) == 1);
	return put(w, w->to, n + SEAL_TAG_BYTES);
}

static int write_all(struct writer *w)
{
	uint64_t chunks = chunks_of(w->bytes);
	int err = w->key != NULL ? put(w, w->head, sizeof(w->head)) : 0;

	for (uint64_t i = 0; err == 0 && i < chunks; i++) {
		bool last = i + 1 == chunks;
		size_t n = last ? (size_t)(w->bytes - i * SEAL_CHUNK_BYTES) : SEAL_CHUNK_BYTES;

		err = read_chunk(w, i, n);
		if (err == 0)
			err = w->key != NULL ? seal_chunk(w, i, n, last) : put(w, w->from, n);
	}
	return err;
}

int seal_write(int in, int out, const uint8_t *key, const uint8_t id[16], enum seal_stream stream,
	       struct seal_sums *sums)
{
	struct writer *w = calloc(1, sizeof(*w));
	struct stat st;
	int err = -ENOMEM;

	if (w == NULL)
		return err;
	w->in = in;
	w->out = out;
	w->key = key;
	w->aes = EVP_CIPHER_CTX_new();
	w->plain = EVP_MD_CTX_new();
	w->stored = EVP_MD_CTX_new();
	if (w->aes == NULL || w->plain == NULL || w->stored == NULL)
		goto out;
	if (fstat(in, &st) != 0) {
		err = -errno;
		goto out;
	}
	w->bytes = (uint64_t)st.st_size;
	make_head(w->head, w->bytes, id, stream);
	must(EVP_EncryptInit_ex(w->aes, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1);
	must(EVP_DigestInit_ex(w->plain, EVP_sha256(), NULL) == 1);
	must(EVP_DigestInit_ex(w->stored, EVP_sha256(), NULL) == 1);
	err = write_all(w);
	if (err == 0) {
		sums->plain_bytes = w->bytes;
		sums->stored_bytes = w->bytes;
		if (key != NULL)
			sums->stored_bytes +=
				SEAL_HEAD_BYTES + chunks_of(w->bytes) * SEAL_TAG_BYTES;
		must(EVP_DigestFinal_ex(w->plain, sums->plain_sha256, NULL) == 1);
		must(EVP_DigestFinal_ex(w->stored, sums->stored_sha256, NULL) == 1);
	}
out:
	EVP_CIPHER_CTX_free(w->aes);
	EVP_MD_CTX_free(w->plain);
	EVP_MD_CTX_free(w->stored);
	free(w);
	return err;
}

/* --- reading --- */

struct seal {
	int fd;
	EVP_CIPHER_CTX *aes; /* NULL: a plain file */
	uint8_t head[SEAL_HEAD_BYTES];
	uint8_t key[KEYRING_KEY_BYTES];
	uint64_t bytes;
	uint64_t held; /* chunk in `plain`; UINT64_MAX: none */
	size_t held_bytes;
	uint8_t plain[SEAL_CHUNK_BYTES];
	uint8_t raw[SEAL_CHUNK_BYTES + SEAL_TAG_BYTES];
};

static ssize_t pread_all(int fd, void *buf, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, (uint8_t *)buf + have, n - have, (off_t)(at + have));

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

/* The head must be what this program would have written for what the caller expects. */
static int open_sealed(struct seal *s, const uint8_t *key, const uint8_t id[16],
		       enum seal_stream stream, uint64_t file_bytes)
{
	uint8_t want[SEAL_HEAD_BYTES];

	if (pread_all(s->fd, s->head, SEAL_HEAD_BYTES, 0) != SEAL_HEAD_BYTES)
		return -EBADMSG;
	s->bytes = get_le(s->head + 16, 8);
	make_head(want, s->bytes, id, stream);
	if (memcmp(want, s->head, sizeof(want)) != 0 || s->bytes > file_bytes ||
	    file_bytes != SEAL_HEAD_BYTES + s->bytes + chunks_of(s->bytes) * SEAL_TAG_BYTES)
		return -EBADMSG;
	memcpy(s->key, key, KEYRING_KEY_BYTES);
	s->aes = EVP_CIPHER_CTX_new();
	if (s->aes == NULL)
		return -ENOMEM;
	must(EVP_DecryptInit_ex(s->aes, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1);
	return 0;
}

int seal_open(struct seal **out, int fd, const uint8_t *key, const uint8_t id[16],
	      enum seal_stream stream)
{
	struct seal *s;
	struct stat st;
	int err = 0;

	if (fstat(fd, &st) != 0)
		return -errno;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->fd = fd;
	s->held = UINT64_MAX;
	s->bytes = (uint64_t)st.st_size;
	if (key != NULL)
		err = open_sealed(s, key, id, stream, (uint64_t)st.st_size);
	if (err != 0) {
		s->fd = -1;
		seal_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void seal_close(struct seal *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	EVP_CIPHER_CTX_free(s->aes);
	OPENSSL_cleanse(s->key, sizeof(s->key));
	free(s);
}

uint64_t seal_bytes(const struct seal *s)
{
	return s->bytes;
}

static int hold(struct seal *s, uint64_t i)
{
	uint8_t nonce[NONCE], aad[AAD];
	bool last = i + 1 == chunks_of(s->bytes);
	size_t n = last ? (size_t)(s->bytes - i * SEAL_CHUNK_BYTES) : SEAL_CHUNK_BYTES;
	uint64_t at = SEAL_HEAD_BYTES + i * (SEAL_CHUNK_BYTES + SEAL_TAG_BYTES);
	ssize_t got;
	int len;

	if (s->held == i)
		return 0;
	s->held = UINT64_MAX;
	got = pread_all(s->fd, s->raw, n + SEAL_TAG_BYTES, at);
	if (got != (ssize_t)(n + SEAL_TAG_BYTES))
		return got < 0 ? (int)got : -EBADMSG;
	place(s->head, i, last, nonce, aad);
	must(EVP_DecryptInit_ex(s->aes, NULL, NULL, s->key, nonce) == 1);
	must(EVP_DecryptUpdate(s->aes, NULL, &len, aad, AAD) == 1);
	must(EVP_DecryptUpdate(s->aes, s->plain, &len, s->raw, (int)n) == 1);
	must(EVP_CIPHER_CTX_ctrl(s->aes, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES, s->raw + n) == 1);
	if (EVP_DecryptFinal_ex(s->aes, s->plain + n, &len) != 1) {
		OPENSSL_cleanse(s->plain, sizeof(s->plain));
		return -EBADMSG;
	}
	s->held = i;
	s->held_bytes = n;
	return 0;
}

ssize_t seal_pread(struct seal *s, void *buf, size_t n, uint64_t offset)
{
	size_t done = 0;

	if (s->aes == NULL)
		return pread_all(s->fd, buf, n, offset);
	if (s->bytes == 0) { /* there is nothing to give, but that too must be proved */
		int err = hold(s, 0);

		return err;
	}
	while (done < n && offset < s->bytes) {
		size_t in = (size_t)(offset % SEAL_CHUNK_BYTES), k;
		int err = hold(s, offset / SEAL_CHUNK_BYTES);

		if (err != 0)
			return err;
		k = s->held_bytes - in < n - done ? s->held_bytes - in : n - done;
		memcpy((uint8_t *)buf + done, s->plain + in, k);
		done += k;
		offset += k;
	}
	return (ssize_t)done;
}
