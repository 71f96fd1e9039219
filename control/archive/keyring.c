/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/keyring.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "archive/digest.h"
#include "base/must.h"

enum { AT_ID = 8, AT_MASTER = 24, AT_NONCE = 40, AT_KEY = 52, AT_TAG = 84, NONCE = 12, TAG = 16 };

static const uint8_t magic[8] = {'P', 'B', 'X', 'K', 'E', 'Y', '0', '1'};

struct master {
	char id[KEYRING_ID_MAX];
	uint8_t key[KEYRING_KEY_BYTES];
};

struct keyring {
	size_t n, active;
	struct master master[KEYRING_KEYS_MAX];
};

static int complain(char *why, size_t size, int err, const char *file, const char *text)
{
	snprintf(why, size, "master key %s: %s", file, text);
	return err;
}

static int read_master(struct master *m, const struct keyring_source *src, char *why, size_t size)
{
	char buf[2 * KEYRING_KEY_BYTES + 3] = "";
	int fd = open(src->file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;
	int err = 0;

	if (strlen(src->id) >= KEYRING_ID_MAX || src->id[0] == '\0')
		err = complain(why, size, -EINVAL, src->file, "its id must have 1 to 15 letters");
	if (fd < 0)
		return complain(why, size, -errno, src->file, strerror(errno));
	if (err == 0 && (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0))
		err = complain(why, size, -EPERM, src->file,
			       "others than its owner can read it; chmod 0400");
	n = err == 0 ? read(fd, buf, sizeof(buf) - 1) : -1;
	close(fd);
	if (err != 0)
		return err;
	if (n == KEYRING_KEY_BYTES) {
		memcpy(m->key, buf, KEYRING_KEY_BYTES);
	} else {
		while (n > 0 && isspace((unsigned char)buf[n - 1]))
			buf[--n] = '\0';
		if (n != 2L * KEYRING_KEY_BYTES || !digest_unhex(buf, m->key, KEYRING_KEY_BYTES))
			err = complain(why, size, -EINVAL, src->file,
				       "holds neither 32 bytes nor 64 hexadecimal digits");
	}
	OPENSSL_cleanse(buf, sizeof(buf));
	snprintf(m->id, sizeof(m->id), "%s", src->id);
	return err;
}

int keyring_open(struct keyring **out, const struct keyring_source *source, size_t n,
		 const char *active, char *why, size_t why_size)
{
	struct keyring *k = calloc(1, sizeof(*k));
	int err = 0;

	if (k == NULL)
		return -ENOMEM;
	if (n == 0 || n > KEYRING_KEYS_MAX) {
		snprintf(why, why_size, "1 to %d master keys are needed", KEYRING_KEYS_MAX);
		err = -EINVAL;
	}
	for (size_t i = 0; err == 0 && i < n; i++) {
		err = read_master(&k->master[i], &source[i], why, why_size);
		for (size_t j = 0; err == 0 && j < i; j++)
			if (strcmp(k->master[i].id, k->master[j].id) == 0)
				err = complain(why, why_size, -EINVAL, source[i].file,
					       "its id is there twice");
	}
	k->n = n;
	k->active = n - 1;
	if (err == 0 && active != NULL) {
		for (k->active = 0; k->active < n; k->active++)
			if (strcmp(k->master[k->active].id, active) == 0)
				break;
		if (k->active == n) {
			snprintf(why, why_size, "no master key has the id %s", active);
			err = -ENOKEY;
		}
	}
	if (err != 0) {
		k->active = 0;
		keyring_close(k);
		return err;
	}
	*out = k;
	return 0;
}

void keyring_close(struct keyring *k)
{
	if (k == NULL)
		return;
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
}

const char *keyring_active(const struct keyring *k)
{
	return k->master[k->active].id;
}

static void wrap(const struct master *m, const uint8_t id[16], const uint8_t *key, uint8_t *w)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	memset(w, 0, KEYRING_WRAPPED_BYTES);
	memcpy(w, magic, sizeof(magic));
	memcpy(w + AT_ID, id, 16);
	memcpy(w + AT_MASTER, m->id, strlen(m->id));
	must(getrandom(w + AT_NONCE, NONCE, 0) == NONCE);
	must(ctx != NULL);
	must(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, m->key, w + AT_NONCE) == 1);
	must(EVP_EncryptUpdate(ctx, NULL, &n, w, AT_NONCE) == 1);
	must(EVP_EncryptUpdate(ctx, w + AT_KEY, &n, key, KEYRING_KEY_BYTES) == 1);
	must(EVP_EncryptFinal_ex(ctx, w + AT_KEY + n, &n) == 1);
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, w + AT_TAG) == 1);
	EVP_CIPHER_CTX_free(ctx);
}

int keyring_new(const struct keyring *k, const uint8_t id[16], uint8_t key[KEYRING_KEY_BYTES],
		uint8_t wrapped[KEYRING_WRAPPED_BYTES])
{
	if (getrandom(key, KEYRING_KEY_BYTES, 0) != KEYRING_KEY_BYTES)
		return -EIO;
	wrap(&k->master[k->active], id, key, wrapped);
	return 0;
}

int keyring_unwrap(const struct keyring *k, const uint8_t id[16],
		   const uint8_t wrapped[KEYRING_WRAPPED_BYTES], uint8_t key[KEYRING_KEY_BYTES])
{
	uint8_t tag[TAG], out[KEYRING_KEY_BYTES];
	char by[KEYRING_ID_MAX];
	const struct master *m = NULL;
	EVP_CIPHER_CTX *ctx;
	int n;
	bool good;

	keyring_wrapped_by(wrapped, by);
	if (by[0] == '\0' || memcmp(wrapped + AT_ID, id, 16) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->master[i].id, by) == 0)
			m = &k->master[i];
	if (m == NULL)
		return -ENOKEY;
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL)
		return -ENOMEM;
	memcpy(tag, wrapped + AT_TAG, TAG);
	good = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, m->key, wrapped + AT_NONCE) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &n, wrapped, AT_NONCE) == 1 &&
	       EVP_DecryptUpdate(ctx, out, &n, wrapped + AT_KEY, KEYRING_KEY_BYTES) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (good)
		memcpy(key, out, KEYRING_KEY_BYTES);
	OPENSSL_cleanse(out, sizeof(out));
	return good ? 0 : -EBADMSG;
}

int keyring_rewrap(const struct keyring *k, const uint8_t id[16],
		   uint8_t wrapped[KEYRING_WRAPPED_BYTES])
{
	uint8_t key[KEYRING_KEY_BYTES];
	char by[KEYRING_ID_MAX];
	int err = keyring_unwrap(k, id, wrapped, key);

	if (err != 0)
		return err;
	keyring_wrapped_by(wrapped, by);
	if (strcmp(by, keyring_active(k)) == 0)
		err = 1;
	else
		wrap(&k->master[k->active], id, key, wrapped);
	OPENSSL_cleanse(key, sizeof(key));
	return err;
}

void keyring_wrapped_by(const uint8_t wrapped[KEYRING_WRAPPED_BYTES], char id[KEYRING_ID_MAX])
{
	memset(id, 0, KEYRING_ID_MAX);
	if (memcmp(wrapped, magic, sizeof(magic)) == 0)
		memcpy(id, wrapped + AT_MASTER, KEYRING_ID_MAX - 1);
}

int keyring_make(const char *file)
{
	uint8_t key[KEYRING_KEY_BYTES];
	char text[2 * KEYRING_KEY_BYTES + 2];
	int fd, err;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -EIO;
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0)
		return -errno;
	digest_hex(key, sizeof(key), text);
	text[sizeof(text) - 2] = '\n';
	err = digest_write_all(fd, text, sizeof(text) - 1);
	if (err == 0 && fsync(fd) != 0)
		err = -errno;
	close(fd);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(text, sizeof(text));
	return err;
}
