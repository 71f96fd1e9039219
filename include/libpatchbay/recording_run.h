/* Inside the catalogue: one run, mapped. recording_catalogue.c reads runs, recording_run.c makes
 * them.
 *
 * Thread: one owner.
 */
#ifndef LIBPATCHBAY_RECORDING_RUN_H
#define LIBPATCHBAY_RECORDING_RUN_H

#include "libpatchbay/recording_catalogue.h"

struct catalogue_run {
	const uint8_t *map;
	size_t bytes;
	struct catalogue_head head;
	const struct catalogue_segment *table; /* by number */
	const struct catalogue_fence *fence;
};

uint32_t catalogue_head_crc(const uint8_t *block);

/* Map a run and check its head and table. Returns 0, -EBADMSG, or what the file system said. */
int catalogue_run_open(struct catalogue_run *r, const char *path);
void catalogue_run_close(struct catalogue_run *r);

/* A block's entries, or NULL when it is damaged. */
const struct catalogue_entry *catalogue_run_block(const struct catalogue_run *r, uint32_t block,
						  uint32_t *n);

bool catalogue_run_covers(const struct catalogue_run *r, uint64_t number, uint64_t *tag);

#endif
