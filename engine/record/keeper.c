/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper does one thing at a time, in this order: segments given back by the recorder, failed
 * volumes whose time has come, the next segment, a look around. Disks are only touched without the lock;
 * what others see changes under it.
 *
 * A delay that a test asks for is slept through; with the test's clock the keeper does nothing until it
 * is over, and then what it was about to do.
 */
#include "record/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/units.h"
#include "record/choice.h"
#include "record/io.h"
#include "record/recycle.h"

enum {
	JOBS_MAX = 64,
	LOOK_MS = 1000,
	LOOK_SHARE = 50, /* a look is followed by so many times its own length of rest */
	NAP_MS = 250,
	STEADY = 10,      /* times retry_ms: then it works as if it had never failed */
	RELAPSES_MAX = 4, /* the time until the next try is doubled so often */
	NOBODY = -1,
};

/* A segment that was given back. */
struct job {
	enum { JOB_SEAL, JOB_CLOSE, JOB_UNMAKE } kind;
	bool shorten;
	struct segment s;
};

/* A volume as all see it. */
struct seen {
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
	struct job job[JOBS_MAX];
	unsigned jobs;
	uint64_t round;
	struct seen seen[RECORD_VOLUMES_MAX];

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

static uint64_t now_ns(const struct keeper *k)
{
	struct timespec ts;

	if (!k->threaded)
		return k->rc->clock.now_ns(k->rc->clock.ctx);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Ask the test. Returns 0, what it wants to fail, or -EINPROGRESS: not yet. */
static int ask(struct keeper *k, enum record_op op, unsigned volume)
{
	int said;

	if (k->asked_op == (int)op && k->asked_volume == volume) {
		k->asked_op = NOBODY;
		return 0;
	}
	said = k->rc->fault != NULL ? k->rc->fault(k->rc->fault_ctx, op, volume) : 0;
	if (said == RECORD_FAULT_SHORT || said == RECORD_FAULT_TORN)
		return -EIO;
	if (said <= 0)
		return said;
	if (k->threaded) {
		usleep((useconds_t)said * 1000);
		return 0;
	}
	k->idle_until_ns = now_ns(k) + (uint64_t)said * PB_NS_PER_MS;
	k->asked_op = (int)op;
	k->asked_volume = volume;
	return -EINPROGRESS;
}

static void tell_done(struct keeper *k, enum record_op op, unsigned volume, int result)
{
	if (k->rc->fault_done != NULL)
		k->rc->fault_done(k->rc->fault_ctx, op, volume, result);
}

/* --- what is known of a volume; under the lock --- */

static void set_failed(struct keeper *k, unsigned i, int err)
{
	struct seen *v = &k->seen[i];
	uint64_t now = now_ns(k), retry_ns = k->rc->retry_ms * PB_NS_PER_MS;

	if (!v->failed || v->error != err)
		log_error("record", "volume %s: %s", k->rc->volume[i], strerror(-err));
	/* who works for a moment only, again and again, is trusted less and less */
	if (!v->failed && v->tried)
		v->relapses = now - v->works_since_ns < STEADY * retry_ns ? v->relapses + 1 : 0;
	v->told.failures += !v->failed;
	v->tried = true;
	v->failed = true;
	v->error = err;
	v->failed_round = k->round;
	v->retry_at_ns =
		now + (retry_ns << (v->relapses < RELAPSES_MAX ? v->relapses : RELAPSES_MAX));
}

static void set_works(struct keeper *k, unsigned i)
{
	struct seen *v = &k->seen[i];

	if (v->failed || !v->tried)
		v->works_since_ns = now_ns(k);
	if (v->failed)
		log_info("record", "volume %s works again", k->rc->volume[i]);
	v->tried = true;
	v->failed = false;
	v->error = 0;
	v->gone = 0;
}

static void offers(const struct keeper *k, struct choice_offer *o)
{
	bool any = false;

	for (unsigned i = 0; i < k->rc->volumes; i++)
		any = any || k->rc->weight[i] != 0;
	for (unsigned i = 0; i < k->rc->volumes; i++)
		o[i] = (struct choice_offer){
			.works = !k->seen[i].failed,
			.weight = any ? k->rc->weight[i] : i == 0,
			.free_bytes = k->seen[i].told.free_bytes,
			.total_bytes = k->seen[i].told.total_bytes,
		};
}

static void give(struct keeper *k, int kind, const struct segment *s, bool shorten)
{
	if (k->jobs == JOBS_MAX) { /* the next start seals it */
		log_warn("record", "segment %08x stays without an index", (unsigned)s->number);
		volume_segment_close(&(struct segment){.fd = s->fd, .index = s->index});
		return;
	}
	k->job[k->jobs++] = (struct job){.kind = kind, .shorten = shorten, .s = *s};
	pthread_cond_signal(&k->wake);
}

/* The segment that waits is not wanted any more. */
static void give_up_ready(struct keeper *k)
{
	if (k->ready.fd >= 0)
		give(k, JOB_UNMAKE, &k->ready, false);
	k->ready.fd = NOBODY;
	k->wants = true;
}

/* --- the work --- */

static bool work_job(struct keeper *k)
{
	struct job j;
	int err = 0;

	pthread_mutex_lock(&k->lock);
	if (k->jobs == 0) {
		pthread_mutex_unlock(&k->lock);
		return false;
	}
	j = k->job[0];
	pthread_mutex_unlock(&k->lock);
	if (j.kind == JOB_SEAL) {
		err = ask(k, RECORD_OP_SEAL, j.s.volume);
		if (err == -EINPROGRESS)
			return true;
	}
	pthread_mutex_lock(&k->lock);
	memmove(k->job, k->job + 1, --k->jobs * sizeof(k->job[0]));
	pthread_mutex_unlock(&k->lock);
	if (j.kind == JOB_UNMAKE) {
		volume_segment_unmake(&j.s, &k->volume[j.s.volume]);
	} else if (j.kind == JOB_CLOSE || err != 0) {
		volume_segment_close(&j.s);
	} else {
		err = volume_segment_seal(&j.s, j.shorten, k->scratch);
		tell_done(k, RECORD_OP_SEAL, j.s.volume, err);
	}
	if (err != 0) {
		pthread_mutex_lock(&k->lock);
		set_failed(k, j.s.volume, err);
		pthread_mutex_unlock(&k->lock);
	} else if (j.kind == JOB_SEAL && k->cfg.sealed != NULL) {
		k->cfg.sealed(k->cfg.ctx);
	}
	return true;
}

/* Make a segment on volume `i`. Returns 0, -EINPROGRESS, or negative errno: the volume has failed. */
static int make(struct keeper *k, unsigned i, struct segment *s)
{
	struct volume *v = &k->volume[i];
	int err = ask(k, RECORD_OP_CREATE, i);

	if (err == -EINPROGRESS)
		return err;
	if (err == 0 && !v->seen)
		err = volume_open(v, k->rc->volume[i], &k->next_number);
	if (err == 0)
		err = volume_segment_create(s, v, i, &k->next_number, k->rc->segment_bytes,
					    k->rc->instance, k->scratch);
	tell_done(k, RECORD_OP_CREATE, i, err);
	if (err == 0 && !s->direct && !v->buffered)
		log_info("record", "%s has no direct I/O; writing through the page cache", v->path);
	if (err == 0)
		v->buffered = !s->direct;
	pthread_mutex_lock(&k->lock);
	if (err == 0) {
		set_works(k, i);
		k->seen[i].told.made++;
	} else {
		set_failed(k, i, err);
	}
	pthread_mutex_unlock(&k->lock);
	return err;
}

/* The next segment, where the choice falls. */
static bool work_ready(struct keeper *k)
{
	struct choice_offer o[RECORD_VOLUMES_MAX];
	struct segment s;
	bool wants;
	int err;

	pthread_mutex_lock(&k->lock);
	wants = k->wants && !k->stop;
	if (wants && (k->chosen == NOBODY || k->seen[k->chosen].failed)) {
		offers(k, o);
		k->chosen = choice_next(&k->choice, o, k->rc->volumes);
	}
	pthread_mutex_unlock(&k->lock);
	if (!wants || k->chosen == NOBODY)
		return false;
	err = make(k, (unsigned)k->chosen, &s);
	if (err == -EINPROGRESS)
		return true;
	k->chosen = NOBODY;
	if (err != 0)
		return true;
	pthread_mutex_lock(&k->lock);
	if (k->seen[s.volume].failed) { /* the recorder knows better */
		give(k, JOB_UNMAKE, &s, false);
	} else {
		k->ready = s;
		k->wants = false;
	}
	pthread_mutex_unlock(&k->lock);
	return true;
}

/* A failed volume that is due: a segment made there shows that it works. */
static bool work_retry(struct keeper *k)
{
	struct choice_offer o[RECORD_VOLUMES_MAX];
	struct segment s;
	int due = NOBODY, err;

	pthread_mutex_lock(&k->lock);
	for (unsigned i = 0; due == NOBODY && i < k->rc->volumes; i++)
		if (k->seen[i].failed && now_ns(k) >= k->seen[i].retry_at_ns)
			due = (int)i;
	pthread_mutex_unlock(&k->lock);
	if (due == NOBODY)
		return false;
	err = make(k, (unsigned)due, &s);
	if (err != 0)
		return err == -EINPROGRESS || k->threaded;
	pthread_mutex_lock(&k->lock);
	offers(k, o);
	if (k->ready.fd < 0 || choice_better(o, (unsigned)due, k->ready.volume)) {
		give_up_ready(k);
		k->ready = s;
		k->wants = false;
	} else {
		give(k, JOB_UNMAKE, &s, false);
	}
	pthread_mutex_unlock(&k->lock);
	return true;
}

/* How much of the volume must be free before finished segments are left alone. */
static bool wants_recycling(const struct keeper *k, const struct statvfs *fs)
{
	return k->rc->recycle_below != 0 &&
	       (double)fs->f_bavail * 100 < (double)fs->f_blocks * k->rc->recycle_below;
}

static void look_at(struct keeper *k, unsigned i)
{
	struct volume *v = &k->volume[i];
	struct recycle_count n = {0};
	struct statvfs fs;
	uint32_t freed = 0, floor = k->rc->fresh != 0 ? k->rc->fresh : 1;
	uint64_t bytes = 0, total = 0;
	int gone = v->seen ? volume_check(v) : 0;
	bool listed = false;

	if (gone == 0 && v->seen && statvfs(v->path, &fs) == 0) {
		bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
		total = (uint64_t)fs.f_blocks * fs.f_frsize;
		listed = k->rc->recycle_below != 0;
		(void)recycle_look(&k->recycle[i], v->path, listed,
				   wants_recycling(k, &fs) ? floor : 0, &n, &freed);
		while (n.fresh < k->rc->fresh && bytes > 2 * k->rc->segment_bytes &&
		       volume_fresh_create(v, &k->next_number, k->rc->segment_bytes) == 0) {
			n.fresh++;
			bytes -= k->rc->segment_bytes;
		}
	}
	pthread_mutex_lock(&k->lock);
	k->seen[i].gone = gone;
	if (gone != 0 && !k->seen[i].failed) {
		set_failed(k, i, gone);
		if (k->ready.fd >= 0 && k->ready.volume == i)
			give_up_ready(k);
	}
	k->seen[i].told.free_bytes = bytes;
	k->seen[i].told.total_bytes = total;
	k->seen[i].told.segments = n.segments;
	k->seen[i].told.fresh = n.fresh;
	k->seen[i].told.finished = n.finished;
	k->seen[i].told.recycled += freed;
	pthread_mutex_unlock(&k->lock);
}

static bool work_look(struct keeper *k)
{
	uint64_t begin = now_ns(k), took;

	if (begin < k->look_at_ns)
		return false;
	for (unsigned i = 0; i < k->rc->volumes; i++)
		look_at(k, i);
	took = (now_ns(k) - begin) * LOOK_SHARE;
	k->look_at_ns = begin + (took > LOOK_MS * PB_NS_PER_MS ? took : LOOK_MS * PB_NS_PER_MS);
	return false;
}

static bool work_once(struct keeper *k)
{
	return work_job(k) || work_ready(k) || work_retry(k) || work_look(k);
}

static void open_volumes(struct keeper *k)
{
	for (unsigned i = 0; i < k->rc->volumes; i++) {
		int err = volume_open(&k->volume[i], k->rc->volume[i], &k->next_number);

		if (err == 0) {
			look_at(k, i);
			continue;
		}
		pthread_mutex_lock(&k->lock);
		set_failed(k, i, err);
		pthread_mutex_unlock(&k->lock);
	}
}

static void nap(struct keeper *k)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += NAP_MS * (long)PB_NS_PER_MS;
	until.tv_sec += until.tv_nsec / (long)PB_NS_PER_S;
	until.tv_nsec %= (long)PB_NS_PER_S;
	pthread_cond_timedwait(&k->wake, &k->lock, &until);
}

static void *run(void *arg)
{
	struct keeper *k = arg;
	bool over = false;

	pthread_setname_np(pthread_self(), "keeper");
	open_volumes(k);
	while (!over) {
		bool busy = work_once(k);

		pthread_mutex_lock(&k->lock);
		over = k->stop && k->jobs == 0;
		if (!busy && !over && k->jobs == 0)
			nap(k);
		pthread_mutex_unlock(&k->lock);
	}
	return NULL;
}

void keeper_work(struct keeper *k)
{
	while (now_ns(k) >= k->idle_until_ns && work_once(k))
		;
}

/* --- begin and end --- */

static void release(struct keeper *k)
{
	for (unsigned i = 0; i < k->rc->volumes; i++)
		recycle_forget(&k->recycle[i]);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
	free(k->scratch);
	free(k);
}

int keeper_start(struct keeper **out, const struct keeper_config *cfg)
{
	struct keeper *k = calloc(1, sizeof(*k));
	pthread_condattr_t attr;
	int err = 0;

	if (k == NULL)
		return -ENOMEM;
	k->cfg = *cfg;
	k->rc = cfg->record;
	k->ready.fd = NOBODY;
	k->chosen = NOBODY;
	k->asked_op = NOBODY;
	k->wants = true;
	k->round = 1;
	k->threaded = k->rc->clock.now_ns == NULL;
	k->scratch = aligned_alloc(RECORDING_BLOCK, REC_IO_BUFFER_BYTES);
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (k->scratch == NULL)
		err = -ENOMEM;
	else if (k->threaded)
		err = -pthread_create(&k->thread, NULL, run, k);
	else
		open_volumes(k);
	if (err != 0) {
		release(k);
		return err;
	}
	*out = k;
	return 0;
}

void keeper_stop(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	give_up_ready(k);
	k->stop = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	if (k->threaded)
		pthread_join(k->thread, NULL);
	else
		while (work_job(k))
			;
	release(k);
}

/* --- what the recorder calls --- */

bool keeper_take(struct keeper *k, struct segment *s)
{
	bool got;

	pthread_mutex_lock(&k->lock);
	got = k->ready.fd >= 0;
	if (got) {
		*s = k->ready;
		k->ready.fd = NOBODY;
		k->wants = true;
		pthread_cond_signal(&k->wake);
	}
	pthread_mutex_unlock(&k->lock);
	return got;
}

bool keeper_better(struct keeper *k, unsigned volume)
{
	struct choice_offer o[RECORD_VOLUMES_MAX];
	bool better;

	pthread_mutex_lock(&k->lock);
	offers(k, o);
	better = k->ready.fd >= 0 && choice_better(o, k->ready.volume, volume);
	pthread_mutex_unlock(&k->lock);
	return better;
}

void keeper_seal(struct keeper *k, const struct segment *s, bool shorten)
{
	pthread_mutex_lock(&k->lock);
	give(k, JOB_SEAL, s, shorten);
	pthread_mutex_unlock(&k->lock);
}

void keeper_failed(struct keeper *k, const struct segment *s, int err)
{
	pthread_mutex_lock(&k->lock);
	set_failed(k, s->volume, err);
	give(k, JOB_CLOSE, s, false);
	if (k->ready.fd >= 0 && k->ready.volume == s->volume)
		give_up_ready(k);
	pthread_mutex_unlock(&k->lock);
}

int keeper_gone(struct keeper *k, unsigned volume)
{
	int gone;

	pthread_mutex_lock(&k->lock);
	gone = k->seen[volume].gone;
	pthread_mutex_unlock(&k->lock);
	return gone;
}

void keeper_retry_now(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->round++;
	for (unsigned i = 0; i < k->rc->volumes; i++)
		k->seen[i].retry_at_ns = 0;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
}

bool keeper_hopeless(struct keeper *k)
{
	bool all = true;

	pthread_mutex_lock(&k->lock);
	for (unsigned i = 0; i < k->rc->volumes; i++)
		all = all && k->seen[i].failed && k->seen[i].failed_round == k->round;
	pthread_mutex_unlock(&k->lock);
	return all;
}

bool keeper_stats(struct keeper *k, struct record_volume *v)
{
	struct choice_offer o[RECORD_VOLUMES_MAX];
	bool any = false;

	pthread_mutex_lock(&k->lock);
	offers(k, o);
	for (unsigned i = 0; i < k->rc->volumes; i++) {
		const struct seen *s = &k->seen[i];

		v[i] = s->told;
		snprintf(v[i].path, sizeof(v[i].path), "%s", k->rc->volume[i]);
		v[i].weight = o[i].weight;
		v[i].error = s->error;
		v[i].state = !s->tried                                    ? RECORD_VOLUME_UNTRIED
			     : !s->failed                                 ? RECORD_VOLUME_WORKS
			     : s->error == -ENOSPC || s->error == -EDQUOT ? RECORD_VOLUME_FULL
									  : RECORD_VOLUME_FAILED;
		any = any || !s->failed;
	}
	pthread_mutex_unlock(&k->lock);
	return any;
}
