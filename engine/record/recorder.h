/* The recorder thread's state; private to record.c and recorder.c.
 *
 * An extent that a worker has closed is in exactly one of: its worker's `full` ring, `pending`, the
 * list of one buffer, `written`; and leaves by its worker's `freed` ring.
 */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include <pthread.h>
#include <stdatomic.h>

#include "record/cataloguer.h"
#include "record/io.h"
#include "record/record.h"
#include "record/recover.h"
#include "record/shared.h"
#include "record/volume.h"

enum {
	BUFFER_EXTENTS = REC_IO_BUFFER_BYTES / RECORDING_BLOCK,
	DURABLE_MS_MAX = 4096, /* the last place counts all that took longer */
};

/* A big write on its way: the extents in it. */
struct batch {
	bool busy; /* submitted */
	uint32_t n;
	uint32_t extent[BUFFER_EXTENTS];
};

/* Where a tap's newest extent went, for the link in its next one. */
struct tap_last {
	uint64_t part_ns;
	uint64_t seq;
	uint64_t segment;
	uint64_t offset;
};

struct record {
	/* Set at start; read only after. */
	struct record_config cfg;
	char volume_path[RECORD_VOLUMES_MAX][200];
	struct shared shared;
	struct rec_worker *worker;
	uint16_t *owner; /* of each extent */
	uint32_t recovered;
	struct recovered *recovered_list;
	uint32_t recovered_listed;
	pthread_t thread;
	struct cataloguer *cataloguer; /* NULL: none */

	_Atomic bool stop;

	/* The recorder's own. */
	struct rec_io *io;
	struct volume volume[RECORD_VOLUMES_MAX];
	struct segment seg;
	uint64_t next_number;
	uint32_t *pending; /* ring of all extents */
	uint32_t pending_first, pending_n;
	struct batch batch[REC_IO_BUFFERS];
	uint32_t *written; /* completed, not yet durable; oldest first */
	uint32_t written_n;
	uint32_t covered; /* the first so many are covered by the sync in flight */
	bool syncing;
	int broken; /* the segment's volume has said this; nothing more goes there */
	uint64_t unsynced_since_ns;
	struct tap_last *last;
	uint64_t durable[DURABLE_MS_MAX]; /* extents by the milliseconds until they were durable */
	uint64_t lost_seen, lost_at_ns;
	uint64_t syncs_told;
	enum record_alarm logged;
	struct record_stats stats;
	int result; /* what record_stop() returns */

	/* A copy of `stats`, written by the recorder and read by anyone under the lock. */
	pthread_mutex_t told_lock;
	struct record_stats told;
};

/* The thread. */
void *recorder_run(void *record);

#endif
