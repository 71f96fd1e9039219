/* The recorder thread's state; private to record.c, recorder.c and recorder_stats.c.
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
#include "record/keeper.h"
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
	bool after_death; /* an engine died, and its instance was this */
	uint8_t dead[16];
	struct recovered *recovered_list;
	uint32_t recovered_listed;
	pthread_t thread;
	struct cataloguer *cataloguer; /* NULL: none */

	_Atomic bool stop;

	/* The recorder's own. */
	struct rec_io *io;
	struct keeper *keeper;
	struct segment seg; /* fd -1: none */
	uint32_t *pending;  /* ring of all extents */
	uint32_t pending_first, pending_n;
	struct batch batch[REC_IO_BUFFERS];
	uint32_t *written; /* completed, not yet durable; oldest first */
	uint32_t written_n;
	uint32_t covered; /* the first so many are covered by the sync in flight */
	bool syncing;
	int broken; /* the segment's volume has said this; nothing more goes there */
	uint64_t unsynced_since_ns;
	uint64_t slice_ns; /* this slice of work began; see breathe() */
	struct tap_last *last;
	uint64_t durable[DURABLE_MS_MAX]; /* extents by the milliseconds until they were durable */
	uint64_t lost_seen, lost_at_ns;
	bool no_volume; /* told to the workers */
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

/* What the thread does: begin, one turn, end. begin returns 0 or -ENOMEM. */
int recorder_begin(struct record *rec);
void recorder_turn(struct record *rec);
void recorder_end(struct record *rec);

/* The recorder's clocks: monotonic, and the time of day that belongs to it. */
uint64_t recorder_mono_ns(const struct record *rec);
uint64_t recorder_wall_ns(const struct record *rec);

/* Extents that are not durable. */
uint32_t recorder_waiting(const struct record *rec);

/* --- recorder_stats.c --- */

/* Bring the statistics up to date and tell them: to whoever asks, to the log, to the workers. */
void recorder_tell(struct record *rec);

#endif
