/* Copies that leave the archive: the whole, an excerpt, several after one another, with parts
 * silenced and without a name, for training libraries.
 *
 * Nothing is asked here about rights, and nothing is written to the audit: the caller does both
 * before.
 *
 * Thread: the archive's.
 */
#ifndef ARCHIVE_COPY_H
#define ARCHIVE_COPY_H

#include "archive/archive.h"
#include "patchbay/recording.h"

enum { COPY_PIECES_MAX = 1000, COPY_MASKS_MAX = 100 };

struct copy_span {
	uint64_t from_ms, to_ms; /* to_ms 0: to the end */
};

struct copy_piece {
	const json_t *row;
	struct copy_span span; /* of it that is taken */
};

struct copy {
	const struct copy_piece *piece;
	size_t pieces;
	const struct copy_span
		*mask; /* silenced in each piece, counted from the recording's start */
	size_t masks;
	uint32_t gap_ms; /* silence between pieces */
	enum recording_format format;
	bool anonymous; /* no tags but a title */
	int fd;         /* empty, to be sought when WAV */
};

/* Returns 0 with the length, -ENOTSUP when the pieces differ in sample rate, or negative errno
 * with archive_why(). */
int archive_copy(struct archive *a, const struct copy *how, uint64_t *duration_ms);

/* The finished file as it is, byte for byte. */
int archive_copy_file(struct archive *a, const json_t *row, int fd);

/* "12.5-20" or "1:05-1:10", seconds or minutes and seconds; the end may be left out. */
bool copy_span_parse(const char *text, struct copy_span *span);

#endif
