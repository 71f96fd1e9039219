/* Put a backup in the place of the database, while patchbayd does not run.
 *
 * The database that was there is kept beside, as NAME.before-TIME. Until the very last step, a rename, nothing is
 * changed that a later start would see.
 *
 * Thread: any; for the command line.
 */
#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include <stddef.h>

enum { RESTORE_PATH_MAX = 4096 };

struct restore_done {
	int schema; /* version of the backup's tables; older ones are brought up at the next start */
	long long calls; /* call records in it */
	char kept[RESTORE_PATH_MAX +
		  40]; /* what the former database is called now; "" when there was none */
};

/* Returns 0; or negative errno with a sentence in `why`: -ENOENT (no such backup), -EBADMSG (it is no database of
 * patchbayd, or damaged), -EPROTO (from a newer version), -EBUSY (the database is in use), or the file system's. */
int restore_database(const char *backup, const char *database, struct restore_done *done, char *why,
		     size_t why_size);

#endif
