/* Segments that are used again.
 *
 * The archive lists in each volume's file `finished` the sealed segments whose recordings it all has:
 * a line for each, the segment's number in 8 and its tag in 16 hexadecimal digits. The tag is drawn anew
 * at each use of a file, so a line says nothing about a later segment that got the same number.
 *
 *   seg-N.pbseg ──rename, directory made durable──► free-N.pbseg ──head of M durable──► seg-M.pbseg
 *
 * What is named `free-` means nothing to anybody, whatever is in it. Killed between any two of these
 * steps, the file has one name, and under `seg-` always the head that belongs to it; what an earlier use
 * has left behind the head carries another tag.
 *
 * Thread: the keeper's.
 */
#ifndef RECORD_RECYCLE_H
#define RECORD_RECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "patchbay/recording_format.h"

struct finished {
	uint64_t number, tag;
};

/* What is known of one volume's list; all zero at first. */
struct recycle {
	struct finished *line; /* by number */
	uint32_t lines;
	uint64_t look; /* of the file that was read, so that it is read again when it has changed */
};

enum { RECYCLE_LINES_MAX = 1 << 22 };

struct recycle_count {
	uint32_t segments, fresh;
	uint32_t finished; /* of the segments; 0 when the list was not asked for */
};

/* Count what is in the directory; with `list`, read it if it has changed, and free the oldest finished
 * segments until `fresh` files are ready for use. *freed becomes the number of these. Returns 0 or
 * negative errno of the directory; what is wrong with the list or a segment keeps it from being freed,
 * no more. */
int recycle_look(struct recycle *r, const char *dir, bool list, uint32_t fresh,
		 struct recycle_count *count, uint32_t *freed);

void recycle_forget(struct recycle *r);

/* From `free-XXXXXXXX.pbseg`. Returns false for any other name. */
bool recycle_free_number(const char *name, uint64_t *number);

/* Read one line of the list, without its end. Returns false when it is not one. */
bool recycle_parse(const char *line, struct finished *f);

#endif
