/* What the engine may use again: each directory of a recording store gets a text file `finished`, a
 * line per sealed segment of it whose recordings are all in the archive (or deleted from it), and none of
 * them held: its number in 8 and its tag in 16 hexadecimal digits. The file is replaced as a whole. A
 * segment that is not in it must not be recycled; one that is may be, by the engine's own policy.
 *
 * Thread: the archive's.
 */
#ifndef ARCHIVE_DONE_H
#define ARCHIVE_DONE_H

#include "archive/archive.h"

enum { DONE_SEGMENTS_MAX = 1 << 20 };

/* Write it anew where something changed. Returns 0 or negative errno with archive_why(). */
int done_write(struct archive *a);

#endif
