/* Inside the library and the recorder: one segment file, read as recording_format.h tells.
 *
 * Every byte is hostile: nothing is believed before its checksum and its bounds are.
 *
 * Thread: any; a struct belongs to one.
 */
#ifndef LIBPATCHBAY_RECORDING_SEGMENT_H
#define LIBPATCHBAY_RECORDING_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patchbay/recording_format.h"

enum recording_extent_verdict {
	RECORDING_EXTENT_OK,
	RECORDING_EXTENT_NONE,    /* free space: zeros, or of an earlier use of the file */
	RECORDING_EXTENT_BAD,     /* an extent of this segment, but its head is impossible */
	RECORDING_EXTENT_CRC,     /* the checksum does not agree */
	RECORDING_EXTENT_VERSION, /* written by a later version of the format */
	RECORDING_EXTENT_CUT,     /* longer than what is left of the file */
};

/* Look at the `avail` bytes at `p` as an extent of the segment with `tag`. Fills *head unless
 * NONE and avail < its size. */
enum recording_extent_verdict recording_extent_check(const uint8_t *p, size_t avail, uint64_t tag,
						     struct recording_extent_head *head);

/* The checksum of an extent as it should be: `p` holds it padded. */
uint32_t recording_extent_crc(const uint8_t *p, uint32_t used);

/* The checksum of the segment's head block (RECORDING_BLOCK bytes). */
uint32_t recording_segment_head_crc(const uint8_t *block);

/* The checksum of an index. */
uint32_t recording_index_crc(const struct recording_index_entry *entry, uint32_t entries,
			     const struct recording_index_tail *tail);

struct recording_segment {
	int fd;
	uint64_t bytes; /* length of the file now */
	uint64_t made;  /* and when it was made, as its head says; 0: not known */
	uint64_t number;
	uint64_t tag;
	uint16_t version;  /* major, as its head says */
	uint64_t data_end; /* sealed: end of the extents; else the length of the file */
	bool sealed;       /* the index is there and valid */
	bool index_bad;    /* there is something like an index, and it is damaged */
	bool live;         /* a recorder is writing it now */
	uint32_t entries;
	struct recording_index_entry *index; /* sealed: owned by the segment */
};

/* Open a file and read its head and, with `want_index`, its index. Returns 0, -ENODATA (shorter
 * than a head, or an empty head: nothing was ever recorded in it), -EBADMSG (the head is damaged
 * or is not of this number), -EPROTONOSUPPORT (a later version), or what the file system said.
 * `number` is what its name says. */
int recording_segment_open(struct recording_segment *s, const char *path, uint64_t number,
			   bool want_index);
/* With the head gone: go on with the tag that most of its blocks carry. Returns 0 or -ENODATA. */
int recording_segment_guess(struct recording_segment *s, const char *path, uint64_t number);
void recording_segment_close(struct recording_segment *s);

/* Does the file end as a sealed one? Cheap: the index itself is not read, and may be damaged. */
bool recording_segment_has_tail(const struct recording_segment *s);

/* The file's number from its name, `seg-XXXXXXXX.pbseg`. Returns false for any other name. */
bool recording_segment_number(const char *name, uint64_t *number);

/* Called for each extent and each damaged place in file order. `head` and `bytes` (padded) only
 * with OK. A return other than 0 ends the scan. */
typedef int recording_scan_fn(void *ctx, enum recording_extent_verdict verdict, uint64_t offset,
			      const struct recording_extent_head *head, const uint8_t *bytes);

/* Go through the blocks from the head to data_end. Returns 0, what `fn` returned, or negative
 * errno. */
int recording_segment_scan(struct recording_segment *s, recording_scan_fn *fn, void *ctx);
/* The same from the block at `from` on; 0: from the first. */
int recording_segment_scan_from(struct recording_segment *s, uint64_t from, recording_scan_fn *fn,
				void *ctx);

/* Read the extent at `offset` into `buf` (RECORDING_EXTENT_BYTES). Negative errno when the file
 * cannot be read, else a verdict. */
int recording_segment_read(const struct recording_segment *s, uint64_t offset, uint8_t *buf,
			   struct recording_extent_head *head);

/* Is the file another segment now than it was when it was opened? */
bool recording_segment_changed(const struct recording_segment *s);

/* Does the frame at `*at` fit before `used`? Returns 1 with *fh, *payload and *at moved behind
 * it, 0 at the end, or -EBADMSG. */
int recording_frame_next(const uint8_t *extent, uint32_t used, uint32_t *at,
			 struct recording_frame_head *fh, const uint8_t **payload);

#endif
