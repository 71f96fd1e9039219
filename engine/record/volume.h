/* Volumes and segments: files that are made, sealed, and used again.
 *
 * A volume is a directory. Making a segment reuses a `free-*.pbseg` file where there is one, because
 * writing to blocks that were written before needs no new allocation.
 *
 * Thread: the keeper's; volume_segment_fits() and volume_segment_entry() the recorder's.
 */
#ifndef RECORD_VOLUME_H
#define RECORD_VOLUME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/record.h"

struct volume {
	char path[200];
	bool seen;     /* has worked in this run: `dev` is known */
	bool buffered; /* has no direct I/O, and the log says so */
	dev_t dev;     /* a volume whose file system is gone must not become its mount point */
};

struct segment {
	int fd; /* -1: none is open */
	unsigned volume;
	uint64_t number;
	uint64_t tag;
	uint64_t bytes;
	uint64_t at; /* end of the data */
	bool direct; /* O_DIRECT */
	uint32_t entries, entries_max;
	struct recording_index_entry *index;
};

/* Look at a volume at start: make the directory if only its last part is missing, seal what
 * a dead engine left unsealed, and raise *next to one above the highest number in use. `dead`: the instance of
 * an engine that is known to be dead, whose lock is waited for (NULL: none). Returns 0 or negative errno. */
int volume_open(struct volume *v, const char *path, uint64_t *next, const uint8_t *dead);

/* Is the directory there, and on the file system where it was? Returns 0 or negative errno. */
int volume_check(struct volume *v);

/* Make the segment with the number *next (raised past it) on `v`, `bytes` long. `scratch` is a
 * block-aligned block. Returns 0 or negative errno, then there is no segment. */
int volume_segment_create(struct segment *s, struct volume *v, unsigned index, uint64_t *next,
			  uint64_t bytes, const uint8_t engine[16], uint8_t *scratch);

/* Make one more file that a segment can be made from, `bytes` long. Returns 0 or negative errno. */
int volume_fresh_create(struct volume *v, uint64_t *next, uint64_t bytes);

/* Would an extent of `bytes` (padded) and an index with it still fit? */
bool volume_segment_fits(const struct segment *s, uint64_t bytes);

/* Write the index of a segment whose extents are durable, make it durable, and close the file, which is
 * cut to what is in it with `shorten`. `scratch`: REC_IO_BUFFER_BYTES, block-aligned. Returns 0 or
 * negative errno; the segment is closed in any case. */
int volume_segment_seal(struct segment *s, bool shorten, uint8_t *scratch);

/* Close a segment in which nothing was written; its file may be used again. */
void volume_segment_unmake(struct segment *s, const struct volume *v);

/* Close the file as it is. */
void volume_segment_close(struct segment *s);

#endif
