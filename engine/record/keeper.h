/* The keeper: a thread for everything about volumes that may take long, so that the recorder never
 * waits for anything but its own writes.
 *
 * It makes the next segment before the recorder needs it, seals the full ones, tries failed volumes
 * again, keeps a floor of fresh segments, and frees segments that the archive has finished.
 *
 *   untried ──made──► works ──error──► failed, full ──tried again after retry_ms──► works
 *
 * Thread: the recorder calls everything; keeper_stats() too. Nothing here waits for a disk but
 * keeper_start() and keeper_stop(). With a clock of the test's there is no thread, and keeper_work()
 * does its work.
 */
#ifndef RECORD_KEEPER_H
#define RECORD_KEEPER_H

#include "record/volume.h"

struct keeper;

/* `sealed` is called after each segment that was sealed, in the keeper's thread. */
struct keeper_config {
	const struct record_config *record; /* settled; outlives the keeper */
	const uint8_t
		*dead; /* instance of the engine that died before this one, or NULL; the same */
	void (*sealed)(void *ctx);
	void *ctx;
};

/* Returns 0, -ENOMEM or -EAGAIN. */
int keeper_start(struct keeper **k, const struct keeper_config *cfg);

/* Waits until all that was given to keeper_seal() is done, gives back the segment that nobody took, and
 * ends. */
void keeper_stop(struct keeper *k);

/* Without a thread: do what is to do now. */
void keeper_work(struct keeper *k);

/* Take the segment that is ready; the next one is begun at once. Returns false when there is none
 * (yet). */
bool keeper_take(struct keeper *k, struct segment *s);

/* Is the segment that is ready on a volume better than `volume`? */
bool keeper_better(struct keeper *k, unsigned volume);

/* Takes a segment whose extents are all durable: it gets its index and is closed. */
void keeper_seal(struct keeper *k, const struct segment *s, bool shorten);

/* Takes a segment whose volume has failed with `err`: it is closed as it is. */
void keeper_failed(struct keeper *k, const struct segment *s, int err);

/* 0 as long as the volume of a segment is where it was, else negative errno. As of the last look. */
int keeper_gone(struct keeper *k, unsigned volume);

/* Try all failed volumes at once. */
void keeper_retry_now(struct keeper *k);
/* Has every volume failed since keeper_retry_now(), or since the start? */
bool keeper_hopeless(struct keeper *k);

/* Fills n = cfg->volumes places. Returns whether one works or has not been tried yet. */
bool keeper_stats(struct keeper *k, struct record_volume *v);

#endif
