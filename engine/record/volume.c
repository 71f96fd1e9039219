/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments on volumes. A segment becomes visible under its `seg-` name only when its head, with the
 * new tag, is on disk: a reused file can therefore never be taken for what it held before.
 */
#include "record/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "libpatchbay/recording_catalogue.h"
#include "libpatchbay/recording_segment.h"
#include "record/io.h"
#include "record/recycle.h"

enum { FILE_MODE = 0640, DIR_MODE = 0750, LOCK_TRIES = 100, LOCK_WAIT_MS = 20 };

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Who writes a segment holds this lock; another engine's repair and readers can tell. */
static int lock_file(int fd)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &l) == 0 ? 0 : -errno;
}

static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return err;
}

struct rebuild {
	struct recording_index_entry *entry;
	uint32_t n, max;
	uint64_t end;
};

static struct recording_index_entry entry_of(const struct recording_extent_head *h, uint64_t offset)
{
	struct recording_index_entry e = {
		.part_ns = h->part_ns,
		.seq = h->seq,
		.first_wall_ns = h->first_wall_ns,
		.span_ns = h->last_mono_ns - h->first_mono_ns,
		.offset = (uint32_t)offset,
		.used = h->used,
		.flags = h->flags,
		.crc = h->crc,
	};

	memcpy(e.id, h->id, sizeof(e.id));
	return e;
}

static int rebuild_entry(void *ctx, enum recording_extent_verdict verdict, uint64_t offset,
			 const struct recording_extent_head *head, const uint8_t *bytes)
{
	struct rebuild *r = ctx;

	(void)bytes;
	if (verdict != RECORDING_EXTENT_OK)
		return 0;
	if (r->n == r->max) {
		uint32_t max = r->max != 0 ? r->max * 2 : 256;
		void *p = realloc(r->entry, max * sizeof(*r->entry));

		if (p == NULL)
			return -ENOMEM;
		r->entry = p;
		r->max = max;
	}
	r->entry[r->n++] = entry_of(head, offset);
	r->end = offset + recording_pad(head->used, RECORDING_BLOCK);
	return 0;
}

static int write_index(int fd, const struct recording_segment *s, const struct rebuild *r)
{
	size_t bytes = (size_t)recording_index_bytes(r->n);
	uint8_t *buf = calloc(1, bytes);
	struct recording_index_tail t = {
		.magic = RECORDING_INDEX_MAGIC,
		.version = RECORDING_VERSION,
		.number = s->number,
		.tag = s->tag,
		.sealed_ns = wall_ns(),
		.offset = r->end,
		.entries = r->n,
		.data_end = r->end,
	};
	int err = 0;

	if (buf == NULL)
		return -ENOMEM;
	t.crc = recording_index_crc(r->entry, r->n, &t);
	if (r->n != 0)
		memcpy(buf, r->entry, (size_t)r->n * sizeof(*r->entry));
	memcpy(buf + bytes - sizeof(t), &t, sizeof(t));
	/* first the length, so that a death in between leaves it unsealed and not half a tail */
	if (ftruncate(fd, (off_t)r->end) != 0 || pwrite(fd, buf, bytes, (off_t)r->end) < 0 ||
	    fsync(fd) != 0)
		err = -errno;
	free(buf);
	return err;
}

/* Of an engine that was killed with writes on their way, the kernel keeps the file, and with it the lock, until
 * they are done, a little longer than the process. */
static bool lock_ends(const char *path, uint64_t number, const uint8_t *dead)
{
	struct recording_segment_head h;
	struct recording_segment s;
	bool live = true;

	for (int i = 0; live && i < LOCK_TRIES; i++) {
		if (recording_segment_open(&s, path, number, false) != 0)
			return false;
		live = s.live;
		/* another engine's segment is none of ours */
		if (live && (pread(s.fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
			     memcmp(h.engine, dead, sizeof(h.engine)) != 0))
			i = LOCK_TRIES;
		recording_segment_close(&s);
		if (live && i < LOCK_TRIES)
			usleep(LOCK_WAIT_MS * 1000);
	}
	return !live;
}

/* Seal what a dead engine left. A segment that another engine is writing stays alone. */
static void repair(const char *path, uint64_t number, const uint8_t *dead)
{
	struct recording_segment s;
	struct rebuild r = {.end = RECORDING_BLOCK};
	int err = recording_segment_open(&s, path, number, false);

	if (err == -ENODATA) {
		unlink(path);
		return;
	}
	if (err != 0) {
		log_warn("record", "%s cannot be used: %s", path, strerror(-err));
		return;
	}
	if (s.live && dead != NULL && lock_ends(path, number, dead)) {
		recording_segment_close(&s);
		repair(path, number, NULL);
		return;
	}
	if (!s.live && !recording_segment_has_tail(&s)) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		err = fd < 0 ? -errno : lock_file(fd);
		if (err == 0)
			err = recording_segment_scan(&s, rebuild_entry, &r);
		if (err == 0)
			err = write_index(fd, &s, &r);
		if (err == 0)
			log_info("record", "sealed %s with %u extents", path, r.n);
		else
			log_warn("record", "cannot seal %s: %s", path, strerror(-err));
		if (fd >= 0)
			close(fd);
		free(r.entry);
	}
	recording_segment_close(&s);
}

/* The directory must be there, and on the file system where it was. */
int volume_check(struct volume *v)
{
	struct stat st;

	if (stat(v->path, &st) != 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (v->seen && st.st_dev != v->dev)
		return -ENODEV;
	v->dev = st.st_dev;
	v->seen = true;
	return 0;
}

int volume_open(struct volume *v, const char *path, uint64_t *next, const uint8_t *dead)
{
	*v = (struct volume){0};
	if ((size_t)snprintf(v->path, sizeof(v->path), "%s", path) >= sizeof(v->path))
		return -ENAMETOOLONG;
	if (mkdir(path, DIR_MODE) != 0 && errno != EEXIST)
		return -errno;

	int err = volume_check(v);
	DIR *dir = err == 0 ? opendir(path) : NULL;

	if (dir == NULL)
		return err != 0 ? err : -errno;
	for (const struct dirent *d; (d = readdir(dir)) != NULL;) {
		uint32_t serial, highest;
		uint64_t number;
		char file[512];

		snprintf(file, sizeof(file), "%s/%s", path, d->d_name);
		if (strncmp(d->d_name, "new-", 4) == 0)
			unlink(file); /* half made when its engine died */
		if (catalogue_name(d->d_name, &serial, &highest) && highest >= *next)
			*next = highest + UINT64_C(1); /* of a segment that is gone */
		if (recycle_free_number(d->d_name, &number) && number >= *next)
			*next = number + 1;
		if (!recording_segment_number(d->d_name, &number))
			continue;
		if (number >= *next)
			*next = number + 1;
		repair(file, number, dead);
	}
	closedir(dir);
	return 0;
}

/* Any one file that may be used again. */
static bool find_free(const struct volume *v, char *file, size_t max)
{
	DIR *dir = opendir(v->path);
	bool found = false;
	uint64_t number;

	if (dir == NULL)
		return false;
	for (const struct dirent *d; !found && (d = readdir(dir)) != NULL;)
		if (recycle_free_number(d->d_name, &number)) {
			snprintf(file, max, "%s/%s", v->path, d->d_name);
			found = true;
		}
	closedir(dir);
	return found;
}

static int open_direct(const char *path, int flags, bool *direct)
{
	int fd = open(path, flags | O_DIRECT, FILE_MODE);

	*direct = fd >= 0;
	if (fd < 0 && errno == EINVAL)
		fd = open(path, flags, FILE_MODE);
	return fd >= 0 ? fd : -errno;
}

static int write_head(const struct segment *s, const uint8_t engine[16], uint8_t *block)
{
	struct recording_segment_head h = {
		.magic = RECORDING_SEGMENT_MAGIC,
		.version = RECORDING_VERSION,
		.minor = RECORDING_MINOR,
		.head_bytes = RECORDING_BLOCK,
		.number = s->number,
		.tag = s->tag,
		.created_ns = wall_ns(),
		.bytes = s->bytes,
	};

	memcpy(h.engine, engine, sizeof(h.engine));
	memset(block, 0, RECORDING_BLOCK);
	memcpy(block, &h, sizeof(h));
	h.crc = recording_segment_head_crc(block);
	memcpy(block, &h, sizeof(h));

	ssize_t n = pwrite(s->fd, block, RECORDING_BLOCK, 0);

	if (n != RECORDING_BLOCK)
		return n < 0 ? -errno : -EIO;
	return fdatasync(s->fd) == 0 ? 0 : -errno;
}

/* All blocks now, so that a full disk is known before a recording is in the segment. */
static int preallocate(int fd, uint64_t bytes)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	if ((uint64_t)st.st_size > bytes && ftruncate(fd, (off_t)bytes) != 0)
		return -errno;
	if (fallocate(fd, 0, 0, (off_t)bytes) == 0)
		return 0;
	if (errno == EOPNOTSUPP)
		return ftruncate(fd, (off_t)bytes) == 0 ? 0 : -errno;
	return -errno;
}

/* Give the file its name; the number moves on when another engine was quicker. */
static int publish(struct segment *s, const struct volume *v, const char *from)
{
	char to[300];

	snprintf(to, sizeof(to), "%s/seg-%08x.pbseg", v->path, (unsigned)s->number);
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
		return -errno;
	return sync_directory(v->path);
}

int volume_segment_create(struct segment *s, struct volume *v, unsigned index, uint64_t *next,
			  uint64_t bytes, const uint8_t engine[16], uint8_t *scratch)
{
	struct segment local = {.fd = -1, .volume = index, .bytes = bytes, .at = RECORDING_BLOCK};
	char file[512], reuse[512];
	int err = volume_check(v);

	if (err != 0)
		return err;
	local.entries_max = (uint32_t)((REC_IO_BUFFER_BYTES - sizeof(struct recording_index_tail)) /
				       sizeof(struct recording_index_entry));
	local.index = malloc(local.entries_max * sizeof(*local.index));
	if (local.index == NULL)
		return -ENOMEM;
again:
	local.number = (*next)++;
	if (getrandom(&local.tag, sizeof(local.tag), 0) != (ssize_t)sizeof(local.tag)) {
		err = -EIO;
		goto fail;
	}
	snprintf(file, sizeof(file), "%s/new-%08x-%016llx.pbseg", v->path, (unsigned)local.number,
		 (unsigned long long)local.tag);
	if (find_free(v, reuse, sizeof(reuse)) && rename(reuse, file) == 0)
		log_debug("record", "using %s again", reuse);
	local.fd = open_direct(file, O_RDWR | O_CREAT | O_CLOEXEC, &local.direct);
	if (local.fd < 0) {
		err = local.fd;
		goto fail;
	}
	err = preallocate(local.fd, bytes);
	if (err == 0)
		err = lock_file(local.fd);
	if (err == 0)
		err = write_head(&local, engine, scratch);
	if (err == 0)
		err = publish(&local, v, file);
	if (err != 0) {
		unlink(file);
		close(local.fd);
		local.fd = -1;
		if (err == -EEXIST)
			goto again;
		goto fail;
	}
	*s = local;
	return 0;

fail:
	free(local.index);
	return err;
}

bool volume_segment_fits(const struct segment *s, uint64_t bytes)
{
	return s->entries < s->entries_max &&
	       s->at + bytes + recording_index_bytes(s->entries + 1) <= s->bytes;
}

int volume_fresh_create(struct volume *v, uint64_t *next, uint64_t bytes)
{
	char file[300], name[300];
	int err = volume_check(v), fd;

	if (err != 0)
		return err;
	snprintf(file, sizeof(file), "%s/new-%08x.pbseg", v->path, (unsigned)*next);
	snprintf(name, sizeof(name), "%s/free-%08x.pbseg", v->path, (unsigned)*next);
	(*next)++;
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -errno;
	err = preallocate(fd, bytes);
	close(fd);
	if (err == 0 && renameat2(AT_FDCWD, file, AT_FDCWD, name, RENAME_NOREPLACE) != 0)
		err = -errno;
	if (err != 0)
		unlink(file);
	return err;
}

/* Put the index and its tail into `buf` (REC_IO_BUFFER_BYTES); returns its length, and in *offset
 * where it belongs: the end of the file, or with `shorten` the end of the extents. */
static size_t put_index(const struct segment *s, uint8_t *buf, bool shorten, uint64_t *offset)
{
	size_t bytes = (size_t)recording_index_bytes(s->entries);
	struct recording_index_tail t = {
		.magic = RECORDING_INDEX_MAGIC,
		.version = RECORDING_VERSION,
		.number = s->number,
		.tag = s->tag,
		.sealed_ns = wall_ns(),
		.offset = shorten ? s->at : s->bytes - bytes,
		.entries = s->entries,
		.data_end = s->at,
	};

	t.crc = recording_index_crc(s->index, s->entries, &t);
	memset(buf, 0, bytes);
	memcpy(buf, s->index, (size_t)s->entries * sizeof(*s->index));
	memcpy(buf + bytes - sizeof(t), &t, sizeof(t));
	*offset = t.offset;
	return bytes;
}

int volume_segment_seal(struct segment *s, bool shorten, uint8_t *scratch)
{
	uint64_t offset;
	size_t len = put_index(s, scratch, shorten, &offset);
	ssize_t n = pwrite(s->fd, scratch, len, (off_t)offset);
	int err = n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;

	if (err == 0 && fdatasync(s->fd) != 0)
		err = -errno;
	if (err == 0 && shorten &&
	    (ftruncate(s->fd, (off_t)(offset + len)) != 0 || fsync(s->fd) != 0))
		err = -errno;
	volume_segment_close(s);
	return err;
}

void volume_segment_unmake(struct segment *s, const struct volume *v)
{
	char from[300], to[300];

	snprintf(from, sizeof(from), "%s/seg-%08x.pbseg", v->path, (unsigned)s->number);
	snprintf(to, sizeof(to), "%s/free-%08x.pbseg", v->path, (unsigned)s->number);
	if (rename(from, to) != 0)
		(void)unlink(from);
	volume_segment_close(s);
}

void volume_segment_close(struct segment *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	free(s->index);
	s->fd = -1;
	s->index = NULL;
}
