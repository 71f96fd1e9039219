/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a segment. Whatever they are: no read outside the buffers, no endless loop, every
 * frame lies within its extent's size, times stand, and verification and reading agree to end.
 *
 * A checksum stops nearly every mutation at the door, and a segment is mostly zeros. So the
 * first byte says: 1, checksums and tags are put right before the segment is read, and what lies
 * behind the door is reached; 2, the rest is pieces, each a length (two bytes, big endian) and
 * so many bytes, and each goes to the next block of the file, zeros between.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/units.h"
#include "libpatchbay/recording_segment.h"
#include "patchbay/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_BYTES = 1 << 18 };

static void mend_extent(uint8_t *p, size_t left, uint64_t tag)
{
	struct recording_extent_head h;

	if (left < RECORDING_BLOCK)
		return;
	memcpy(&h, p, sizeof(h));
	if (h.magic != RECORDING_EXTENT_MAGIC || h.used < sizeof(h) ||
	    h.used > RECORDING_EXTENT_BYTES || recording_pad(h.used, RECORDING_BLOCK) > left)
		return;
	h.tag = tag;
	memcpy(p, &h, sizeof(h));
	h.crc = recording_extent_crc(p, h.used);
	memcpy(p, &h, sizeof(h));
}

static void mend_index(uint8_t *bytes, size_t size, uint64_t tag)
{
	struct recording_index_tail t;
	struct recording_index_entry *e;

	if (size < sizeof(t))
		return;
	memcpy(&t, bytes + size - sizeof(t), sizeof(t));
	if (t.magic != RECORDING_INDEX_MAGIC || t.offset > size ||
	    t.entries > (size - t.offset) / sizeof(*e))
		return;
	e = calloc(t.entries + 1, sizeof(*e));
	if (e == NULL)
		return;
	memcpy(e, bytes + t.offset, t.entries * sizeof(*e));
	t.tag = tag;
	t.number = 0;
	t.crc = recording_index_crc(e, t.entries, &t);
	memcpy(bytes + size - sizeof(t), &t, sizeof(t));
	free(e);
}

static void mend(uint8_t *bytes, size_t size)
{
	struct recording_segment_head h;

	if (size < RECORDING_BLOCK)
		return;
	memcpy(&h, bytes, sizeof(h));
	h.magic = RECORDING_SEGMENT_MAGIC;
	h.version = RECORDING_VERSION;
	h.number = 0;
	memcpy(bytes, &h, sizeof(h));
	h.crc = recording_segment_head_crc(bytes);
	memcpy(bytes, &h, sizeof(h));
	for (size_t at = RECORDING_BLOCK; at < size; at += RECORDING_BLOCK)
		mend_extent(bytes + at, size - at, h.tag);
	mend_index(bytes, size, h.tag);
}

/* Spread the pieces of `data` over blocks. Returns the length of what is at `to`. */
static size_t spread(uint8_t *to, size_t room, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (size > 2) {
		size_t len = be16_get(data);
		size_t next;

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		next = at + (size_t)recording_pad(len, RECORDING_BLOCK);
		if (next > room)
			break;
		memcpy(to + at, data, len);
		data += len;
		size -= len;
		/* the last piece ends the file: an index tail must */
		at = size > 2 ? next : at + len;
	}
	return at;
}

static int read_all(void *ctx, const struct recording_info *info)
{
	struct recording *r;
	struct recording_frame f;
	uint64_t frames = 0;

	must(strlen(info->metadata) <= RECORDING_METADATA_MAX);
	if (recording_open(ctx, info->id, NULL, NULL, &r) != 0)
		return 0;
	for (int pass = 0; pass < 2; pass++) {
		while (recording_next(r, &f) > 0) {
			uint8_t sum = 0;

			must(f.channel < RECORDING_CHANNELS);
			must(f.len <= RECORDING_EXTENT_BYTES);
			for (uint16_t i = 0; i < f.len; i++)
				sum ^= f.payload[i];
			frames += sum & 1;
			must(++frames < SIZE_MAX_BYTES);
		}
		recording_seek(r, info->duration_ns / 2 + 1);
	}
	recording_close(r);
	return 0;
}

static void say_nothing(void *ctx, const struct recording_damage *d)
{
	(void)ctx;
	must(recording_damage_name(d->kind) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[64], path[128];
	struct recording_store *st;
	struct recording_verdict v;
	const char *dirs[1] = {dir};
	uint8_t *bytes;
	size_t len = size - 1;
	int fd;

	if (size < 1 || size > SIZE_MAX_BYTES)
		return 0;
	if (dir[0] == '\0') {
		snprintf(dir, sizeof(dir), "/dev/shm/fuzz-recording-%d", (int)getpid());
		snprintf(path, sizeof(path), "%s/seg-00000000.pbseg", dir);
		mkdir(dir, 0700);
	}
	bytes = calloc(1, SIZE_MAX_BYTES);
	if (bytes == NULL)
		return 0;
	if (data[0] & 2)
		len = spread(bytes, SIZE_MAX_BYTES, data + 1, size - 1);
	else
		memcpy(bytes, data + 1, len);
	if (data[0] & 1)
		mend(bytes, len);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
	free(bytes);
	must(recording_store_open(&st, dirs, 1) == 0);
	(void)recording_store_list(st, read_all, say_nothing, st);
	(void)recording_verify(st, NULL, say_nothing, st, &v);
	recording_store_close(st);
	unlink(path);
	rmdir(dir);
	dir[0] = '\0';
	return 0;
}
