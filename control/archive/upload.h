/* Copies of finished recordings in an S3-compatible store, and their removal when a recording is
 * deleted.
 *
 * Four objects per recording, named as the archive's files: the sound, its wrapped key when it is
 * sealed, the overview, the row. Sound longer than a part goes up in parts; what has arrived is kept in
 * the shelf, so an upload that was cut goes on with the next part, in this process or another.
 * An upload is done when each object is there with the right length and the ETag that its parts make, and,
 * with `verify: read_back`, when the sound that is read back has the hash that the ledger knows.
 *
 * Thread: the archive's.
 */
#ifndef ARCHIVE_UPLOAD_H
#define ARCHIVE_UPLOAD_H

#include <stdbool.h>

#include "archive/archive.h"

struct upload;

struct upload_done {
	uint32_t uploaded, removed, failed;
};

/* Nothing is opened when no store is configured: *u is NULL, which is fine below. */
int upload_open(struct upload **u, struct archive *a, char *why, size_t why_size);
void upload_close(struct upload *u);

/* Upload and remove what is due, until `stop` (may be NULL) or the store cannot be reached. Failures
 * are logged and tried again later. */
void upload_run(struct upload *u, const volatile bool *stop, struct upload_done *done);

/* For tests: give up after so many parts, as a crash would; 0: never. */
void upload_stop_after(struct upload *u, int parts);

#endif
