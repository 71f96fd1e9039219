/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a recording: what they are called, how they become durable, how they go.
 *
 * One that is finished a second time (it went on) keeps its names. Its new files wait under names that end in
 * `.next` until the ledger has the line that proves them; only then do they take the place of the old ones, key and
 * sound and row together, whoever applies the line. Killed before the line: the old ones are whole. Killed after it:
 * the next who takes the ledger's turn goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_priv.h"
#include "base/log.h"

#define NEXT ".next"

const char *const archive_endings[] = {".key", ".wave.pbx", ".wave", ".json", NULL};

void archive_file(const struct archive *a, char out[ARCHIVE_PATH_MAX], const char *path,
		  const char *ending)
{
	int n = (int)strlen(path);

	if (ending != NULL) {
		const char *slash = strrchr(path, '/');
		const char *dot = strchr(slash != NULL ? slash : path, '.');

		n = dot != NULL ? (int)(dot - path) : n;
	}
	snprintf(out, ARCHIVE_PATH_MAX, "%.400s/%.*s%s", a->dir, n < 500 ? n : 500, path,
		 ending != NULL ? ending : "");
}

int archive_sync_directory(const char *file)
{
	char dir[ARCHIVE_PATH_MAX];
	char *slash;
	int fd, err = 0;

	snprintf(dir, sizeof(dir), "%s", file);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return -EINVAL;
	*slash = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		err = -errno;
	close(fd);
	return err;
}

int archive_make_way(struct archive *a, const char *path)
{
	char whole[ARCHIVE_PATH_MAX];

	archive_file(a, whole, path, NULL);
	for (char *p = whole + strlen(a->dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
		int made;

		*p = '\0';
		made = mkdir(whole, 0750);
		if (made != 0 && errno != EEXIST)
			return -errno;
		if (made == 0 && archive_sync_directory(whole) != 0)
			return -EIO;
		*p = '/';
	}
	return 0;
}

int archive_put_file(const char *path, const void *p, size_t n)
{
	char part[ARCHIVE_PATH_MAX + 8];
	int fd, err;

	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	err = digest_write_all(fd, p, n);
	if (err == 0 && fdatasync(fd) != 0)
		err = -errno;
	close(fd);
	if (err == 0 && rename(part, path) != 0)
		err = -errno;
	if (err != 0)
		unlink(part);
	return err;
}

void archive_file_next(const struct archive *a, char out[ARCHIVE_PATH_MAX], const char *path,
		       const char *ending)
{
	size_t n;

	archive_file(a, out, path, ending);
	n = strlen(out);
	snprintf(out + n, ARCHIVE_PATH_MAX - n, "%s", NEXT);
}

static int rename_next(const struct archive *a, const char *path, const char *ending)
{
	char from[ARCHIVE_PATH_MAX], to[ARCHIVE_PATH_MAX];

	archive_file_next(a, from, path, ending);
	archive_file(a, to, path, ending);
	return rename(from, to) == 0 || errno == ENOENT ? 0 : -errno;
}

int archive_settle(struct archive *a, const char *path, const char *stored_sha256)
{
	char file[ARCHIVE_PATH_MAX], hash[DIGEST_TEXT];
	uint8_t sha[DIGEST_BYTES];
	int err = 0;

	archive_file_next(a, file, path, NULL);
	if (access(file, F_OK) != 0) {
		/* The sound went last: with it gone, nothing else can be waiting. */
		return 0;
	}
	if (digest_path(file, sha) < 0)
		return -EIO;
	digest_hex(sha, sizeof(sha), hash);
	if (strcmp(hash, stored_sha256) != 0)
		return 0; /* of a finishing that has no line */
	for (const char *const *e = archive_endings; *e != NULL && err == 0; e++)
		err = rename_next(a, path, *e);
	if (err == 0)
		err = rename_next(a, path, NULL);
	return err == 0 ? archive_sync_directory(file) : err;
}

/* Overwrite a key before its name goes: the bytes shall not outlive it. */
static void destroy_key(const char *path)
{
	static const uint8_t zeros[KEYRING_WRAPPED_BYTES];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pwrite(fd, zeros, sizeof(zeros), 0) < 0 || fsync(fd) != 0)
		log_warn("delete", "%s could not be overwritten: %s", path, strerror(errno));
	close(fd);
}

static int unlink_it(const char *file)
{
	return unlink(file) == 0 || errno == ENOENT ? 0 : -errno;
}

int archive_remove(struct archive *a, const char *path)
{
	char file[ARCHIVE_PATH_MAX];
	int err;

	archive_file(a, file, path, ".key");
	destroy_key(file);
	archive_file_next(a, file, path, ".key");
	destroy_key(file);
	archive_file_next(a, file, path, NULL);
	err = unlink_it(file);
	archive_file(a, file, path, NULL);
	if (err == 0)
		err = unlink_it(file);
	for (const char *const *e = archive_endings; *e != NULL && err == 0; e++) {
		archive_file_next(a, file, path, *e);
		err = unlink_it(file);
		archive_file(a, file, path, *e);
		if (err == 0)
			err = unlink_it(file);
	}
	if (err == 0)
		(void)archive_sync_directory(file);
	return err;
}
