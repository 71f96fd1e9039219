/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading finished files, and their keys.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "archive/archive_priv.h"
#include "base/log.h"
#include "patchbay/recording.h"

enum { AT_ONCE = 256 };

static ssize_t read_file(const char *path, void *p, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, p, n, 0);
	got = got < 0 ? -errno : got;
	close(fd);
	return got;
}

int archive_key(struct archive *a, const uint8_t id[16], const char *path,
		uint8_t key[KEYRING_KEY_BYTES])
{
	uint8_t wrapped[KEYRING_WRAPPED_BYTES];
	char file[ARCHIVE_PATH_MAX], by[KEYRING_ID_MAX];
	ssize_t n;
	int err;

	archive_file(a, file, path, ".key");
	n = read_file(file, wrapped, sizeof(wrapped));
	if (n != (ssize_t)sizeof(wrapped))
		return archive_refuse(a, n < 0 ? (int)n : -EBADMSG, "%s: %s", file,
				      n < 0 ? strerror((int)-n) : "is cut");
	keyring_wrapped_by(wrapped, by);
	if (a->keyring == NULL)
		return archive_refuse(a, -ENOKEY,
				      "%s is wrapped by master key \"%s\", and no master "
				      "key is configured",
				      file, by);
	err = keyring_unwrap(a->keyring, id, wrapped, key);
	if (err == -ENOKEY)
		archive_refuse(a, err,
			       "%s is wrapped by master key \"%s\", which is not configured", file,
			       by);
	else if (err != 0)
		archive_refuse(a, err, "%s is damaged, or not this recording's", file);
	return err;
}

/* One of a recording's two sealed files. */
static int open_one(struct archive *a, const json_t *row, enum seal_stream stream,
		    struct seal **out)
{
	const char *path = json_string_value(json_object_get(row, "path"));
	const char *text = json_string_value(json_object_get(row, "recording"));
	bool sealed = json_is_true(json_object_get(row, "sealed"));
	uint8_t key[KEYRING_KEY_BYTES], id[16];
	char file[ARCHIVE_PATH_MAX];
	int fd, err;

	if (path == NULL)
		return archive_refuse(a, -EKEYREVOKED, "it is deleted");
	if (text == NULL || recording_id_parse(text, id) != 0)
		return -EINVAL;
	err = sealed ? archive_key(a, id, path, key) : 0;
	if (err != 0)
		return err;
	archive_file(a, file, path, stream == SEAL_SOUND ? NULL : sealed ? ".wave.pbx" : ".wave");
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = archive_refuse(a, -errno, "%s: %s", file, strerror(errno));
	} else {
		err = seal_open(out, fd, sealed ? key : NULL, id, stream);
		if (err != 0) {
			close(fd);
			archive_refuse(a, err, "%s is not as it was sealed", file);
		}
	}
	OPENSSL_cleanse(key, sizeof(key));
	return err;
}

int archive_sound(struct archive *a, const json_t *row, struct seal **sound)
{
	return open_one(a, row, SEAL_SOUND, sound);
}

int archive_overview(struct archive *a, const json_t *row, uint8_t **bytes, size_t *n)
{
	struct seal *s;
	ssize_t got;
	int err = open_one(a, row, SEAL_OVERVIEW, &s);

	if (err != 0)
		return err;
	*n = (size_t)seal_bytes(s);
	*bytes = malloc(*n + 1);
	if (*bytes == NULL) {
		seal_close(s);
		return -ENOMEM;
	}
	got = seal_pread(s, *bytes, *n, 0);
	seal_close(s);
	if (got == (ssize_t)*n)
		return 0;
	free(*bytes);
	return got < 0 ? (int)got : -EBADMSG;
}

/* --- wrapping anew --- */

static int rewrap_one(struct archive *a, const uint8_t id[16])
{
	uint8_t wrapped[KEYRING_WRAPPED_BYTES];
	char file[ARCHIVE_PATH_MAX];
	json_t *row;
	ssize_t n;
	int err = shelf_get(a->shelf, id, &row);

	if (err != 0)
		return err;
	if (!json_is_true(json_object_get(row, "sealed")) ||
	    !json_is_string(json_object_get(row, "path"))) {
		json_decref(row);
		return 1;
	}
	archive_file(a, file, json_string_value(json_object_get(row, "path")), ".key");
	json_decref(row);
	n = read_file(file, wrapped, sizeof(wrapped));
	if (n != (ssize_t)sizeof(wrapped))
		return n < 0 ? (int)n : -EBADMSG;
	err = keyring_rewrap(a->keyring, id, wrapped);
	if (err == 0)
		err = archive_put_file(file, wrapped, sizeof(wrapped));
	if (err == 0)
		err = archive_sync_directory(file);
	return err;
}

int archive_rewrap(struct archive *a, const struct archive_actor *who, struct archive_rewrapped *n)
{
	uint8_t id[AT_ONCE][16], last[16];
	int got = AT_ONCE, err;
	bool first = true;

	*n = (struct archive_rewrapped){0};
	if (a->keyring == NULL)
		return archive_refuse(a, -ENOKEY, "no master key is configured");
	err = archive_audit(a, who, "rewrap", NULL, "ok", keyring_active(a->keyring));
	while (err == 0 && got == AT_ONCE) {
		err = archive_turn(a);
		if (err != 0)
			break;
		got = shelf_ids(a->shelf, first ? NULL : last, id, AT_ONCE, 1);
		first = false;
		for (int i = 0; i < got; i++) {
			int one = rewrap_one(a, id[i]);

			n->rewrapped += one == 0;
			n->were += one == 1;
			n->failed += one < 0;
			if (one < 0)
				log_error("rewrap", "%02x%02x%02x%02x...: %s", id[i][0], id[i][1],
					  id[i][2], id[i][3], strerror(-one));
		}
		archive_turn_over(a);
		if (got > 0)
			memcpy(last, id[got - 1], 16);
	}
	if (err != 0 || got < 0)
		return err != 0 ? err : got;
	err = archive_turn(a);
	if (err == 0) {
		err = archive_act(a, "rewrap",
				  json_pack("{s:s, s:I, s:I, s:s}", "key",
					    keyring_active(a->keyring), "rewrapped",
					    (json_int_t)n->rewrapped, "failed",
					    (json_int_t)n->failed, "by", who->name));
		archive_turn_over(a);
	}
	return err;
}
