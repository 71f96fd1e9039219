/* SPDX-License-Identifier: Apache-2.0
 *
 * One segment file. The index is only believed when its checksum and every entry's bounds hold;
 * otherwise, and always for verification, the blocks themselves are gone through:
 *
 *   valid extent         -> told, skip its length
 *   damaged extent       -> told, next block: what follows it must be found again
 *   zeros, foreign tag   -> free space, next block
 */
#include "libpatchbay/recording_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"

enum { SCAN_BYTES = 1 << 20, GUESS_TAGS = 8 };

uint32_t recording_extent_crc(const uint8_t *p, uint32_t used)
{
	static const uint8_t zero[4];
	size_t at = offsetof(struct recording_extent_head, crc);
	uint32_t crc = crc32c(0, p, at);

	crc = crc32c(crc, zero, sizeof(zero));
	at += sizeof(zero);
	return crc32c(crc, p + at, (size_t)recording_pad(used, RECORDING_BLOCK) - at);
}

uint32_t recording_segment_head_crc(const uint8_t *block)
{
	static const uint8_t zero[4];
	size_t at = offsetof(struct recording_segment_head, crc);
	uint32_t crc = crc32c(crc32c(0, block, at), zero, sizeof(zero));

	at += sizeof(zero);
	return crc32c(crc, block + at, RECORDING_BLOCK - at);
}

uint32_t recording_index_crc(const struct recording_index_entry *entry, uint32_t entries,
			     const struct recording_index_tail *tail)
{
	struct recording_index_tail t = *tail;
	uint32_t crc = entries != 0 ? crc32c(0, entry, (size_t)entries * sizeof(*entry)) : 0;

	t.crc = 0;
	return crc32c(crc, &t, sizeof(t));
}

enum recording_extent_verdict recording_extent_check(const uint8_t *p, size_t avail, uint64_t tag,
						     struct recording_extent_head *head)
{
	struct recording_extent_head h;

	if (avail < sizeof(h))
		return RECORDING_EXTENT_NONE;
	memcpy(&h, p, sizeof(h));
	*head = h;
	/* one of magic and tag may be what the damage hit */
	if (h.tag != tag && h.magic != RECORDING_EXTENT_MAGIC)
		return RECORDING_EXTENT_NONE;
	if (h.used < sizeof(h) || h.used > RECORDING_EXTENT_BYTES)
		return h.tag == tag ? RECORDING_EXTENT_BAD : RECORDING_EXTENT_NONE;
	if (recording_pad(h.used, RECORDING_BLOCK) > avail)
		return h.tag == tag ? RECORDING_EXTENT_CUT : RECORDING_EXTENT_NONE;

	bool crc_ok = recording_extent_crc(p, h.used) == h.crc;

	if (h.tag != tag)
		return RECORDING_EXTENT_NONE; /* of an earlier use, or its tag was hit: the index knows */
	if (!crc_ok)
		return RECORDING_EXTENT_CRC;
	if (h.version != RECORDING_VERSION)
		return RECORDING_EXTENT_VERSION;
	if (h.magic != RECORDING_EXTENT_MAGIC || h.head_bytes < sizeof(h) ||
	    h.head_bytes > h.used || h.head_bytes % 8 != 0)
		return RECORDING_EXTENT_BAD;
	return RECORDING_EXTENT_OK;
}

static int read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (uint8_t *)buf + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		got += (size_t)n;
	}
	return 0;
}

bool recording_segment_number(const char *name, uint64_t *number)
{
	unsigned n;
	int used = 0;

	if (strlen(name) != strlen("seg-XXXXXXXX.pbseg") ||
	    sscanf(name, "seg-%8x.pbseg%n", &n, &used) != 1 || (size_t)used != strlen(name))
		return false;
	*number = n;
	return true;
}

/* The recorder holds a write lock on the file it writes; asking does not disturb it. */
static bool being_written(int fd)
{
	struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK;
}

static int read_head(struct recording_segment *s)
{
	uint8_t block[RECORDING_BLOCK];
	struct recording_segment_head h;
	int err = read_at(s->fd, block, sizeof(block), 0);

	if (err != 0)
		return err;
	memcpy(&h, block, sizeof(h));
	if (h.magic == 0 && h.tag == 0 && h.crc == 0)
		return -ENODATA;
	if (h.magic != RECORDING_SEGMENT_MAGIC || recording_segment_head_crc(block) != h.crc)
		return -EBADMSG;
	s->version = h.version;
	if (h.version != RECORDING_VERSION)
		return -EPROTONOSUPPORT;
	if (h.number != s->number)
		return -EBADMSG;
	s->tag = h.tag;
	s->made = h.bytes;
	return 0;
}

static bool entry_sane(const struct recording_index_entry *e, uint64_t data_end)
{
	return e->offset >= RECORDING_BLOCK && e->offset % RECORDING_BLOCK == 0 &&
	       e->used >= sizeof(struct recording_extent_head) &&
	       e->used <= RECORDING_EXTENT_BYTES &&
	       e->offset + recording_pad(e->used, RECORDING_BLOCK) <= data_end;
}

bool recording_segment_has_tail(const struct recording_segment *s)
{
	struct recording_index_tail t;

	return s->bytes >= RECORDING_BLOCK + sizeof(t) &&
	       read_at(s->fd, &t, sizeof(t), s->bytes - sizeof(t)) == 0 &&
	       t.magic == RECORDING_INDEX_MAGIC && t.tag == s->tag;
}

/* Returns 0 with the index, -ENODATA when there is none, -EBADMSG when it is damaged. */
static int read_index(struct recording_segment *s)
{
	struct recording_index_tail t;

	if (s->bytes < RECORDING_BLOCK + sizeof(t) ||
	    read_at(s->fd, &t, sizeof(t), s->bytes - sizeof(t)) != 0)
		return -ENODATA;
	if (t.magic != RECORDING_INDEX_MAGIC && t.tag != s->tag)
		return -ENODATA;
	if (t.magic == RECORDING_INDEX_MAGIC && t.tag != s->tag && t.number != s->number)
		return -ENODATA; /* of an earlier use of the file */
	if (t.magic != RECORDING_INDEX_MAGIC || t.tag != s->tag || t.number != s->number ||
	    t.version != RECORDING_VERSION ||
	    t.entries > s->bytes / sizeof(struct recording_index_entry) ||
	    t.offset % RECORDING_BLOCK != 0 || t.offset > s->bytes ||
	    t.offset + recording_index_bytes(t.entries) != s->bytes || t.data_end > t.offset ||
	    t.data_end < RECORDING_BLOCK)
		return -EBADMSG;

	size_t bytes = (size_t)t.entries * sizeof(struct recording_index_entry);
	struct recording_index_entry *index = malloc(bytes + 1);

	if (index == NULL)
		return -ENOMEM;
	if ((bytes != 0 && read_at(s->fd, index, bytes, t.offset) != 0) ||
	    recording_index_crc(index, t.entries, &t) != t.crc) {
		free(index);
		return -EBADMSG;
	}
	for (uint32_t i = 0; i < t.entries; i++)
		if (!entry_sane(&index[i], t.data_end)) {
			free(index);
			return -EBADMSG;
		}
	s->index = index;
	s->entries = t.entries;
	s->data_end = t.data_end;
	return 0;
}

static int open_file(struct recording_segment *s, const char *path, uint64_t number)
{
	struct stat st;

	*s = (struct recording_segment){.fd = open(path, O_RDONLY | O_CLOEXEC), .number = number};
	if (s->fd < 0)
		return -errno;
	if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		recording_segment_close(s);
		return -EINVAL;
	}
	s->bytes = (uint64_t)st.st_size;
	s->data_end = s->bytes;
	s->live = being_written(s->fd);
	return 0;
}

int recording_segment_open(struct recording_segment *s, const char *path, uint64_t number,
			   bool want_index)
{
	int err = open_file(s, path, number);

	if (err != 0)
		return err;
	err = read_head(s);
	if (err != 0) {
		recording_segment_close(s);
		return err;
	}
	if (want_index) {
		err = read_index(s);
		s->sealed = err == 0;
		s->index_bad = err == -EBADMSG;
	}
	return 0;
}

int recording_segment_guess(struct recording_segment *s, const char *path, uint64_t number)
{
	struct {
		uint64_t tag;
		uint32_t n;
	} seen[GUESS_TAGS] = {0};
	struct recording_extent_head h;
	int best = 0;
	int err = open_file(s, path, number);

	if (err != 0)
		return err;
	for (uint64_t at = RECORDING_BLOCK; at + sizeof(h) <= s->bytes; at += RECORDING_BLOCK) {
		if (read_at(s->fd, &h, sizeof(h), at) != 0 || h.magic != RECORDING_EXTENT_MAGIC)
			continue;
		for (int i = 0; i < GUESS_TAGS; i++) {
			if (seen[i].n != 0 && seen[i].tag != h.tag)
				continue;
			seen[i].tag = h.tag;
			seen[i].n++;
			if (seen[i].n > seen[best].n)
				best = i;
			break;
		}
	}
	if (seen[best].n == 0) {
		recording_segment_close(s);
		return -ENODATA;
	}
	s->tag = seen[best].tag;
	err = read_index(s);
	s->sealed = err == 0;
	s->index_bad = err == -EBADMSG;
	return 0;
}

void recording_segment_close(struct recording_segment *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->index);
	s->fd = -1;
	s->index = NULL;
}

/* Refill the window so that a whole extent at `at` is in it, as far as the file goes. */
static int window_move(const struct recording_segment *s, uint8_t *buf, uint64_t at,
		       uint64_t *start, size_t *len)
{
	uint64_t want = s->data_end - at < SCAN_BYTES ? s->data_end - at : SCAN_BYTES;
	size_t got = 0;

	while (got < want) {
		ssize_t n = pread(s->fd, buf + got, (size_t)want - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break; /* cut while we read */
		got += (size_t)n;
	}
	*start = at;
	*len = got;
	return 0;
}

int recording_segment_scan(struct recording_segment *s, recording_scan_fn *fn, void *ctx)
{
	return recording_segment_scan_from(s, 0, fn, ctx);
}

int recording_segment_scan_from(struct recording_segment *s, uint64_t from, recording_scan_fn *fn,
				void *ctx)
{
	uint8_t *buf = malloc(SCAN_BYTES);
	uint64_t at = from > RECORDING_BLOCK ? from : RECORDING_BLOCK, start = 0;
	size_t len = 0;
	int err = buf != NULL ? 0 : -ENOMEM;

	while (err == 0 && at < s->data_end) {
		struct recording_extent_head h;

		if (at + RECORDING_EXTENT_BYTES > start + len && start + len < s->data_end) {
			err = window_move(s, buf, at, &start, &len);
			if (err != 0 || len == 0)
				break;
		}
		if (at >= start + len)
			break;

		const uint8_t *p = buf + (at - start);
		enum recording_extent_verdict v =
			recording_extent_check(p, (size_t)(start + len - at), s->tag, &h);

		if (v == RECORDING_EXTENT_NONE) {
			at += RECORDING_BLOCK;
			continue;
		}
		err = fn(ctx, v, at, &h, p);
		at += v == RECORDING_EXTENT_OK ? recording_pad(h.used, RECORDING_BLOCK)
					       : RECORDING_BLOCK;
	}
	free(buf);
	return err;
}

int recording_segment_read(const struct recording_segment *s, uint64_t offset, uint8_t *buf,
			   struct recording_extent_head *head)
{
	uint64_t left = offset < s->data_end ? s->data_end - offset : 0;
	size_t want = left < RECORDING_EXTENT_BYTES ? (size_t)left : RECORDING_EXTENT_BYTES;
	size_t got = 0;

	while (got < want) {
		ssize_t n = pread(s->fd, buf + got, want - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (int)recording_extent_check(buf, got, s->tag, head);
}

bool recording_segment_changed(const struct recording_segment *s)
{
	struct recording_segment_head h;

	return read_at(s->fd, &h, sizeof(h), 0) == 0 && h.magic == RECORDING_SEGMENT_MAGIC &&
	       h.tag != s->tag && h.number != s->number;
}

int recording_frame_next(const uint8_t *extent, uint32_t used, uint32_t *at,
			 struct recording_frame_head *fh, const uint8_t **payload)
{
	uint32_t here = *at;

	if (here == used)
		return 0;
	if (here > used || used - here < sizeof(*fh))
		return -EBADMSG;
	memcpy(fh, extent + here, sizeof(*fh));
	here += (uint32_t)sizeof(*fh);

	uint64_t padded = recording_pad(fh->length, 8);

	if (padded > used - here)
		return -EBADMSG;
	*payload = extent + here;
	*at = here + (uint32_t)padded;
	return 1;
}
