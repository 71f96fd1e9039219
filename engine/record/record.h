/* The recorder: memory shared with the workers' taps, and the thread that makes it durable.
 *
 * record_start() maps the extent file /dev/shm/patchbay-NAME.extents (with an exclusive lock: two
 * engines of one name cannot run), finishes what an engine that died has left in it, and starts the
 * recorder thread. Each worker gets its struct rec_worker with an equal share of extents and taps.
 * The thread gathers extents into large writes to the current segment of the first volume that
 * works, makes them durable in groups, and gives them back. When a volume fails or is full the same
 * extents go to the next; when none works they stay in memory, taps find no free extent, and each
 * frame lost then is in its recording's account. A failed volume is tried again after a while.
 *
 * Thread: main. record_stats() may be called from any thread.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "record/tap.h"

enum { RECORD_VOLUMES_MAX = 8, RECORD_WORKERS_MAX = 64 };

/* For tests: asked before each operation on a volume. Returns 0 (go on), a negative errno (the
 * operation fails with it), or a number of milliseconds by which its completion is delayed. */
enum record_op { RECORD_OP_CREATE, RECORD_OP_WRITE, RECORD_OP_SYNC };
typedef int record_fault_fn(void *ctx, enum record_op op, unsigned volume);

struct record_config {
	const char *name;                       /* of the engine: letters, digits, '-' and '_' */
	const char *shm_dir;                    /* NULL = "/dev/shm" */
	const char *volume[RECORD_VOLUMES_MAX]; /* directories, made if missing; best first */
	unsigned volumes;                       /* 0: nothing can be recorded */
	uint16_t workers;
	uint32_t extents;       /* 16 KiB each, over all workers; 0 = 4096 (64 MiB) */
	uint32_t taps;          /* recordings at once, over all workers; 0 = extents / 2 */
	uint32_t window_ms;     /* at most this much is lost in a power cut; 0 = 1000 */
	uint32_t flush_ms;      /* group durability interval; 0 = 250 */
	uint64_t segment_bytes; /* 0 = 64 MiB */
	uint32_t retry_ms;      /* a failed volume is tried again after this; 0 = 5000 */
	uint8_t instance[16];   /* of this run of the engine */
	bool plain_io;          /* do not use io_uring even where it works */
	bool no_catalogue;      /* leave the volumes' catalogues to others */
	record_fault_fn *fault; /* NULL outside tests */
	void *fault_ctx;
};

enum record_alarm {
	RECORD_ALARM_NONE,
	RECORD_ALARM_SLOW,      /* more than half of the extents wait for the disk */
	RECORD_ALARM_VOLUME,    /* a volume failed or is full; another one is used */
	RECORD_ALARM_NO_VOLUME, /* none works: memory fills */
	RECORD_ALARM_LOSS,      /* frames are being lost now */
};

struct record_stats {
	uint32_t extents, extents_free;
	uint32_t taps, taps_open;
	uint64_t bytes_written; /* to segments, this run */
	uint64_t writes;        /* write operations */
	uint64_t syncs;
	uint64_t extents_written; /* made durable */
	uint64_t errors;          /* failed operations */
	uint64_t frames_lost;     /* over all recordings, this run */
	/* Time from the first frame of an extent to its durability, over all extents of this run. */
	uint32_t durable_ms_p50, durable_ms_p99, durable_ms_max;
	uint32_t recovered; /* extents found from an engine that died */
	uint64_t segment;   /* number of the current one */
	unsigned volume;    /* index of the current one */
	enum record_alarm alarm;
	char alarm_text[160]; /* sentence for the operator; empty without an alarm */
};

struct record;
struct recovered; /* recover.h */

/* Returns 0 and sets *rec, or -EBUSY (an engine of this name runs), -EINVAL (configuration), or
 * what the shared memory said (-ENOMEM, -ENOSPC, -EACCES). Volumes that do not work are an
 * alarm, not a failure. */
int record_start(const struct record_config *cfg, struct record **rec);

/* The handle of worker `index`, valid until record_stop(). */
struct rec_worker *record_worker(struct record *rec, uint16_t index);

void record_stats(const struct record *rec, struct record_stats *st);

/* The recordings that an engine which died had left in memory, and their accounts: ended by it or
 * by this start. Returns how many; *list is valid until record_stop(). */
uint32_t record_recovered(const struct record *rec, const struct recovered **list);

/* After the workers have stopped: end what is still open, make everything durable, seal the
 * segment, remove the extent file, free. Returns 0, or -EIO when no volume took everything: the
 * extent file then stays and the next start recovers it. */
int record_stop(struct record *rec);

#endif
