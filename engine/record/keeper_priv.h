/* The keeper's state; private to keeper.c (its life, and what the recorder calls) and keeper_work.c (what it
 * does). Disks are only touched without the lock; what others see changes under it.
 */
#ifndef RECORD_KEEPER_PRIV_H
#define RECORD_KEEPER_PRIV_H

#include <pthread.h>

#include "record/choice.h"
#include "record/keeper.h"
#include "record/recycle.h"

enum { KEEPER_JOBS_MAX = 64, KEEPER_NOBODY = -1 };

enum keeper_job_kind { KEEPER_SEAL, KEEPER_CLOSE, KEEPER_UNMAKE };

/* A segment that was given back. */
struct keeper_job {
	enum keeper_job_kind kind;
	bool shorten;
	struct segment s;
};

/* A volume as all see it. */
struct keeper_seen {
	bool tried, failed;
	int error, gone;
	uint64_t retry_at_ns;
	uint64_t works_since_ns;
	uint32_t relapses; /* it failed so many times soon after it had worked again */
	uint64_t failed_round;
	struct record_volume told;
};

struct keeper {
	struct keeper_config cfg;
	const struct record_config *rc;
	bool threaded;
	pthread_t thread;
	uint8_t *scratch;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	bool wants; /* a segment is wanted: none is ready */
	struct segment ready;
	struct keeper_job job[KEEPER_JOBS_MAX];
	unsigned jobs;
	uint64_t round;
	struct keeper_seen seen[RECORD_VOLUMES_MAX];

	/* The keeper's own. */
	struct volume volume[RECORD_VOLUMES_MAX];
	struct recycle recycle[RECORD_VOLUMES_MAX];
	struct choice choice;
	int chosen; /* volume that gets the next segment */
	uint64_t next_number;
	uint64_t look_at_ns;
	uint64_t idle_until_ns; /* of a test's delay */
	int asked_op;           /* which was for this ... */
	unsigned asked_volume;  /* ... there */
};

/* The keeper's clock. */
uint64_t keeper_now_ns(const struct keeper *k);

/* Look at all volumes for the first time. Without the lock, as the next two. */
void keeper_open_volumes(struct keeper *k);
/* Do one thing; false: there was nothing to do. */
bool keeper_work_once(struct keeper *k);
/* Of these, only what was given back by the recorder. */
bool keeper_work_job(struct keeper *k);

/* Under the lock: a volume has failed; what the volumes offer; a job; the segment that waits is not wanted any
 * more. */
void keeper_set_failed(struct keeper *k, unsigned volume, int err);
void keeper_offers(const struct keeper *k, struct choice_offer *o);
void keeper_give(struct keeper *k, enum keeper_job_kind kind, const struct segment *s,
		 bool shorten);
void keeper_give_up_ready(struct keeper *k);

#endif
