/* Volumes and segments: which file is written now, and what becomes of it.
 *
 * A volume is a directory; it works, or it has failed and rests until its next try. One segment is
 * open at a time, on the first volume that works. Making one reuses a `free-*.pbseg` file where
 * there is one, because writing to blocks that were written before needs no new allocation.
 *
 * Thread: the recorder's.
 */
#ifndef RECORD_VOLUME_H
#define RECORD_VOLUME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/record.h"

struct volume {
	char path[200];
	bool failed;
	bool seen;     /* has worked in this run: `dev` is known */
	bool buffered; /* has no direct I/O, and the log says so */
	dev_t dev;     /* a volume whose file system is gone must not become its mount point */
	uint64_t retry_at_ns; /* monotonic */
	int error;            /* newest, as negative errno */
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
 * a dead engine left unsealed, and raise *next to one above the highest number in use. Returns 0 or
 * negative errno. */
int volume_open(struct volume *v, const char *path, uint64_t *next);

/* Make the segment with the number *next (raised past it) on `v`, `bytes` long. `scratch` is a
 * block-aligned block. Returns 0 or negative errno, then there is no segment. */
int volume_segment_create(struct segment *s, struct volume *v, unsigned index, uint64_t *next,
			  uint64_t bytes, const uint8_t engine[16], uint8_t *scratch);

/* Would an extent of `bytes` (padded) and an index with it still fit? */
bool volume_segment_fits(const struct segment *s, uint64_t bytes);

/* Put the index and its tail into `buf` (REC_IO_BUFFER_BYTES); returns its length, and in *offset
 * where it belongs: the end of the file, which is cut to that with `shorten`. */
size_t volume_segment_index(const struct segment *s, uint8_t *buf, bool shorten, uint64_t *offset);

/* Close the file; `cut_to` not 0 sets its length. */
void volume_segment_close(struct segment *s, uint64_t cut_to);

#endif
