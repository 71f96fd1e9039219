/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper's life, and what the recorder calls; what it does is in keeper_work.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "record/io.h"
#include "record/keeper_priv.h"

enum { NAP_MS = 250 };

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
	keeper_open_volumes(k);
	while (!over) {
		bool busy = keeper_work_once(k);

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
	while (keeper_now_ns(k) >= k->idle_until_ns && keeper_work_once(k))
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
	k->ready.fd = KEEPER_NOBODY;
	k->chosen = KEEPER_NOBODY;
	k->asked_op = KEEPER_NOBODY;
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
		keeper_open_volumes(k);
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
	keeper_give_up_ready(k);
	k->stop = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	if (k->threaded)
		pthread_join(k->thread, NULL);
	/* One that the thread was making meanwhile is ready, and nobody's. */
	pthread_mutex_lock(&k->lock);
	keeper_give_up_ready(k);
	pthread_mutex_unlock(&k->lock);
	while (keeper_work_job(k))
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
		k->ready.fd = KEEPER_NOBODY;
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
	keeper_offers(k, o);
	better = k->ready.fd >= 0 && choice_better(o, k->ready.volume, volume);
	pthread_mutex_unlock(&k->lock);
	return better;
}

void keeper_seal(struct keeper *k, const struct segment *s, bool shorten)
{
	pthread_mutex_lock(&k->lock);
	keeper_give(k, KEEPER_SEAL, s, shorten);
	pthread_mutex_unlock(&k->lock);
}

void keeper_failed(struct keeper *k, const struct segment *s, int err)
{
	pthread_mutex_lock(&k->lock);
	keeper_set_failed(k, s->volume, err);
	keeper_give(k, KEEPER_CLOSE, s, false);
	if (k->ready.fd >= 0 && k->ready.volume == s->volume)
		keeper_give_up_ready(k);
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
	keeper_offers(k, o);
	for (unsigned i = 0; i < k->rc->volumes; i++) {
		const struct keeper_seen *s = &k->seen[i];

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
