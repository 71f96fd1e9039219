/* The recorder: memory shared with the workers' taps, and the threads that make it durable.
 *
 * record_start() maps the extent file /dev/shm/patchbay-NAME.extents (with an exclusive lock: two
 * engines of one name cannot run), finishes what an engine that died has left in it, and starts the
 * recorder thread and the keeper (keeper.h). Each worker gets its struct rec_worker with an equal
 * share of extents and taps. The recorder gathers extents into large writes to the segment that the
 * keeper has made ready, makes them durable in groups, and gives them back. New segments are spread
 * over the volumes by weight and free space. When a volume fails or is full the same extents go to
 * the next; when none works they stay in memory, taps find no free extent, and each frame lost then
 * is in its recording's account. A failed volume is tried again after a while.
 *
 * Thread: main. record_stats() may be called from any thread.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "record/tap.h"

enum { RECORD_VOLUMES_MAX = 8, RECORD_WORKERS_MAX = 64 };

/* The layer of faults below the recorder, for tests: asked before each operation on a volume, whether
 * it goes by io_uring or not. Returns 0 (go on), a negative errno (the operation fails with it and does
 * nothing), a number of milliseconds by which its completion is delayed, or one of the below. */
enum record_op {
	RECORD_OP_CREATE, /* make a segment */
	RECORD_OP_WRITE,
	RECORD_OP_SYNC,
	RECORD_OP_SEAL, /* write a full segment's index and make it durable */
	RECORD_OPS,
};
enum {
	RECORD_FAULT_SHORT = -100000, /* of a write only a part is done, and it says so */
	RECORD_FAULT_TORN = -100001,  /* of a write only a part is done, and it fails with EIO */
};
typedef int record_fault_fn(void *ctx, enum record_op op, unsigned volume);
/* Told when an operation has been done, with what came of it (0 or negative errno). */
typedef void record_fault_done_fn(void *ctx, enum record_op op, unsigned volume, int result);

/* Time as a test tells it. With it no thread is started: the test calls record_turn(). */
struct record_clock {
	uint64_t (*now_ns)(void *ctx); /* monotonic */
	/* Let time go by until then, and whatever happens meanwhile happen. */
	void (*sleep_until)(void *ctx, uint64_t ns);
	void *ctx;
};

enum record_policy {
	RECORD_POLICY_CARRY_ON, /* without a volume: record into memory as long as it lasts */
	RECORD_POLICY_REFUSE,   /* without a volume: no new recording is begun */
};

struct recording_extent_head;

struct record_config {
	const char *name;                       /* of the engine: letters, digits, '-' and '_' */
	const char *shm_dir;                    /* NULL = "/dev/shm" */
	const char *volume[RECORD_VOLUMES_MAX]; /* directories, made if missing */
	/* Of each volume: new segments are spread over those with a weight, in proportion to it and to
	 * the share of the volume that is free; 0: a spare, used in this order while no volume with
	 * a weight works. All 0: the first is the main one. */
	uint32_t weight[RECORD_VOLUMES_MAX];
	unsigned volumes; /* 0: nothing can be recorded */
	enum record_policy policy;
	uint16_t workers;
	uint32_t extents;       /* 16 KiB each, over all workers; 0 = 4096 (64 MiB) */
	uint32_t taps;          /* recordings at once, over all workers; 0 = extents / 2 */
	uint32_t window_ms;     /* at most this much is lost in a power cut; 0 = 1000 */
	uint32_t flush_ms;      /* group durability interval; 0 = 250 */
	uint64_t segment_bytes; /* 0 = 64 MiB */
	uint32_t retry_ms;      /* a failed volume is tried again after this; 0 = 5000 */
	uint32_t fresh;         /* segments that each volume keeps ready for use; 0: none */
	uint32_t
		recycle_below; /* finished segments are used again on a volume with less than so many per
				 * cent free; 100: always, 0: never */
	uint8_t instance[16];   /* of this run of the engine */
	bool plain_io;          /* do not use io_uring even where it works */
	bool no_catalogue;      /* leave the volumes' catalogues to others */
	record_fault_fn *fault; /* NULL outside tests, as what follows */
	record_fault_done_fn *fault_done;
	/* An extent is durable from now on. */
	void (*durable)(void *ctx, const struct recording_extent_head *h);
	void *fault_ctx;
	struct record_clock clock; /* all NULL: the machine's */
};

enum record_alarm {
	RECORD_ALARM_NONE,
	RECORD_ALARM_SLOW,      /* more than half of the extents wait for the disk */
	RECORD_ALARM_VOLUME,    /* a volume failed or is full; another one is used */
	RECORD_ALARM_NO_VOLUME, /* none works: memory fills */
	RECORD_ALARM_LOSS,      /* frames are being lost now */
};

enum record_volume_state {
	RECORD_VOLUME_UNTRIED,
	RECORD_VOLUME_WORKS,
	RECORD_VOLUME_FULL, /* failed with ENOSPC or EDQUOT */
	RECORD_VOLUME_FAILED,
};

struct record_volume {
	char path[200];
	uint32_t weight;
	enum record_volume_state state;
	bool in_use;                       /* is written to now */
	int error;                         /* newest, as negative errno; 0 when it works */
	uint64_t free_bytes, total_bytes;  /* of its file system */
	uint32_t segments;                 /* with recordings */
	uint32_t fresh;                    /* ready for use */
	uint32_t finished;                 /* of `segments`, the archive has finished so many */
	uint64_t made, recycled, failures; /* this run: segments begun; freed; times it failed */
};

struct record_stats {
	uint64_t told; /* how often these numbers were brought up to date */
	uint32_t extents, extents_free;
	uint32_t extents_waiting; /* closed by their workers and not durable yet */
	uint32_t taps, taps_open;
	uint64_t bytes_written; /* to segments, this run */
	uint64_t writes;        /* write operations */
	uint64_t syncs;
	uint64_t extents_written; /* made durable */
	uint64_t errors;          /* failed operations */
	uint64_t rewritten;       /* extents that had to be written again elsewhere */
	/* Over all recordings of this run; the first four as of the newest extent that was closed. */
	uint64_t frames_written, frames_masked;
	int64_t frames_missing;  /* not brought by the network */
	uint64_t frames_durable; /* with those that an engine which died had left */
	uint64_t frames_lost;
	uint64_t lost[RECORDING_LOSSES]; /* of these, by enum recording_loss */
	uint64_t recordings, pauses, masks;
	uint64_t refused; /* recordings that were not begun for want of a volume */
	/* Time from the first frame of an extent to its durability, over all extents of this run. */
	uint32_t durable_ms_p50, durable_ms_p99, durable_ms_max;
	uint32_t lag_ms;    /* age of the oldest frame that was handed over and is not durable */
	uint32_t recovered; /* extents found from an engine that died */
	uint64_t segment;   /* number of the current one */
	unsigned volume;    /* index of the current one */
	unsigned volumes;
	struct record_volume volume_of[RECORD_VOLUMES_MAX];
	bool recording; /* a volume takes recordings, or may still do so */
	enum record_policy policy;
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

/* With a clock of the test's: what the threads would do between two naps, and one nap. */
void record_turn(struct record *rec);

/* The recordings that an engine which died had left in memory, and their accounts: ended by it or
 * by this start. Returns how many; *list is valid until record_stop(). */
uint32_t record_recovered(const struct record *rec, const struct recovered **list);

/* After the workers have stopped: end what is still open, make everything durable, seal the
 * segment, remove the extent file, free. Returns 0, or -EIO when no volume took everything: the
 * extent file then stays and the next start recovers it. */
int record_stop(struct record *rec);

#endif
