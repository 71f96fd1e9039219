/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper does one thing at a time, in this order: segments given back by the recorder, the next segment,
 * failed volumes whose time has come, a look around.
 *
 * A delay that a test asks for is slept through; with the test's clock the keeper does nothing until it
 * is over, and then what it was about to do.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/units.h"
#include "record/io.h"
#include "record/keeper_priv.h"

enum {
	LOOK_MS = 1000,
	LOOK_SHARE = 50,  /* a look is followed by so many times its own length of rest */
	STEADY = 10,      /* times retry_ms: then it works as if it had never failed */
	RELAPSES_MAX = 4, /* the time until the next try is doubled so often */
};

uint64_t keeper_now_ns(const struct keeper *k)
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
		k->asked_op = KEEPER_NOBODY;
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
	k->idle_until_ns = keeper_now_ns(k) + (uint64_t)said * PB_NS_PER_MS;
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

void keeper_set_failed(struct keeper *k, unsigned i, int err)
{
	struct keeper_seen *v = &k->seen[i];
	uint64_t now = keeper_now_ns(k), retry_ns = k->rc->retry_ms * PB_NS_PER_MS;

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
	struct keeper_seen *v = &k->seen[i];

	if (v->failed || !v->tried)
		v->works_since_ns = keeper_now_ns(k);
	if (v->failed)
		log_info("record", "volume %s works again", k->rc->volume[i]);
	v->tried = true;
	v->failed = false;
	v->error = 0;
	v->gone = 0;
}

void keeper_offers(const struct keeper *k, struct choice_offer *o)
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

void keeper_give(struct keeper *k, enum keeper_job_kind kind, const struct segment *s, bool shorten)
{
	if (k->jobs == KEEPER_JOBS_MAX) { /* the next start seals it */
		log_warn("record", "segment %08x stays without an index", (unsigned)s->number);
		volume_segment_close(&(struct segment){.fd = s->fd, .index = s->index});
		return;
	}
	k->job[k->jobs++] = (struct keeper_job){.kind = kind, .shorten = shorten, .s = *s};
	pthread_cond_signal(&k->wake);
}

/* The segment that waits is not wanted any more. */
void keeper_give_up_ready(struct keeper *k)
{
	if (k->ready.fd >= 0)
		keeper_give(k, KEEPER_UNMAKE, &k->ready, false);
	k->ready.fd = KEEPER_NOBODY;
	k->wants = true;
}

/* --- the work --- */

bool keeper_work_job(struct keeper *k)
{
	struct keeper_job j;
	int err = 0;

	pthread_mutex_lock(&k->lock);
	if (k->jobs == 0) {
		pthread_mutex_unlock(&k->lock);
		return false;
	}
	j = k->job[0];
	pthread_mutex_unlock(&k->lock);
	if (j.kind == KEEPER_SEAL) {
		err = ask(k, RECORD_OP_SEAL, j.s.volume);
		if (err == -EINPROGRESS)
			return true;
	}
	pthread_mutex_lock(&k->lock);
	memmove(k->job, k->job + 1, --k->jobs * sizeof(k->job[0]));
	pthread_mutex_unlock(&k->lock);
	if (j.kind == KEEPER_UNMAKE) {
		volume_segment_unmake(&j.s, &k->volume[j.s.volume]);
	} else if (j.kind == KEEPER_CLOSE || err != 0) {
		volume_segment_close(&j.s);
	} else {
		err = volume_segment_seal(&j.s, j.shorten, k->scratch);
		tell_done(k, RECORD_OP_SEAL, j.s.volume, err);
	}
	if (err != 0) {
		pthread_mutex_lock(&k->lock);
		keeper_set_failed(k, j.s.volume, err);
		pthread_mutex_unlock(&k->lock);
	} else if (j.kind == KEEPER_SEAL && k->cfg.sealed != NULL) {
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
		err = volume_open(v, k->rc->volume[i], &k->next_number, k->cfg.dead);
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
		keeper_set_failed(k, i, err);
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
	if (wants && (k->chosen == KEEPER_NOBODY || k->seen[k->chosen].failed)) {
		keeper_offers(k, o);
		k->chosen = choice_next(&k->choice, o, k->rc->volumes);
	}
	pthread_mutex_unlock(&k->lock);
	if (!wants || k->chosen == KEEPER_NOBODY)
		return false;
	err = make(k, (unsigned)k->chosen, &s);
	if (err == -EINPROGRESS)
		return true;
	k->chosen = KEEPER_NOBODY;
	if (err != 0)
		return true;
	pthread_mutex_lock(&k->lock);
	if (k->seen[s.volume].failed) { /* the recorder knows better */
		keeper_give(k, KEEPER_UNMAKE, &s, false);
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
	int due = KEEPER_NOBODY, err;

	pthread_mutex_lock(&k->lock);
	for (unsigned i = 0; due == KEEPER_NOBODY && i < k->rc->volumes; i++)
		if (k->seen[i].failed && keeper_now_ns(k) >= k->seen[i].retry_at_ns)
			due = (int)i;
	pthread_mutex_unlock(&k->lock);
	if (due == KEEPER_NOBODY)
		return false;
	err = make(k, (unsigned)due, &s);
	if (err != 0)
		return err == -EINPROGRESS || k->threaded;
	pthread_mutex_lock(&k->lock);
	keeper_offers(k, o);
	if (k->ready.fd < 0 || choice_better(o, (unsigned)due, k->ready.volume)) {
		keeper_give_up_ready(k);
		k->ready = s;
		k->wants = false;
	} else {
		keeper_give(k, KEEPER_UNMAKE, &s, false);
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
		keeper_set_failed(k, i, gone);
		if (k->ready.fd >= 0 && k->ready.volume == i)
			keeper_give_up_ready(k);
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
	uint64_t begin = keeper_now_ns(k), took;

	if (begin < k->look_at_ns)
		return false;
	for (unsigned i = 0; i < k->rc->volumes; i++)
		look_at(k, i);
	took = (keeper_now_ns(k) - begin) * LOOK_SHARE;
	k->look_at_ns = begin + (took > LOOK_MS * PB_NS_PER_MS ? took : LOOK_MS * PB_NS_PER_MS);
	return false;
}

bool keeper_work_once(struct keeper *k)
{
	return keeper_work_job(k) || work_ready(k) || work_retry(k) || work_look(k);
}

void keeper_open_volumes(struct keeper *k)
{
	for (unsigned i = 0; i < k->rc->volumes; i++) {
		int err =
			volume_open(&k->volume[i], k->rc->volume[i], &k->next_number, k->cfg.dead);

		if (err == 0) {
			look_at(k, i);
			continue;
		}
		pthread_mutex_lock(&k->lock);
		keeper_set_failed(k, i, err);
		pthread_mutex_unlock(&k->lock);
	}
}
