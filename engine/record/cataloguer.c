/* SPDX-License-Identifier: Apache-2.0
 *
 * The cataloguer. It looks at the volumes when it starts, and when EAGER segments have been sealed
 * or one was PATIENCE_S ago: a reader has so many indexes to look at in the meantime, no more.
 */
#include "record/cataloguer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "libpatchbay/recording_catalogue.h"

enum { EAGER = 8, PATIENCE_S = 60, LOOK_S = 1, NICENESS = 15 };

struct cataloguer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	_Atomic bool stop;
	_Atomic uint32_t sealed;
	unsigned volumes;
	const char *volume[RECORD_VOLUMES_MAX];
	int told[RECORD_VOLUMES_MAX]; /* newest failure that the log knows */
};

static void catch_up(struct cataloguer *c)
{
	for (unsigned i = 0; i < c->volumes; i++) {
		int added;

		do
			added = recording_run_update(c->volume[i], 1, &c->stop);
		while (added > 0 && !atomic_load(&c->stop));
		if (added < 0 && added != -ECANCELED && added != -EAGAIN && added != c->told[i])
			log_warn("record", "the catalogue of %s is behind: %s", c->volume[i],
				 strerror(-added));
		c->told[i] = added < 0 ? added : 0;
	}
}

static void nap(struct cataloguer *c)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOOK_S;
	pthread_mutex_lock(&c->lock);
	if (!atomic_load(&c->stop))
		pthread_cond_timedwait(&c->wake, &c->lock, &until);
	pthread_mutex_unlock(&c->lock);
}

static void *run(void *arg)
{
	struct cataloguer *c = arg;
	uint32_t done = 0, waited = PATIENCE_S;
	bool first = true;

	pthread_setname_np(pthread_self(), "cataloguer");
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
	while (!atomic_load(&c->stop)) {
		uint32_t sealed = atomic_load(&c->sealed);

		waited = sealed != done ? waited + LOOK_S : 0;
		if (first || sealed - done >= EAGER || waited >= PATIENCE_S) {
			catch_up(c);
			done = sealed;
			waited = 0;
		}
		first = false;
		nap(c);
	}
	return NULL;
}

int cataloguer_start(struct cataloguer **out, const char *const *volume, unsigned volumes)
{
	struct cataloguer *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return -ENOMEM;
	c->volumes = volumes;
	for (unsigned i = 0; i < volumes; i++)
		c->volume[i] = volume[i];
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	err = pthread_create(&c->thread, NULL, run, c);
	if (err != 0) {
		free(c);
		return -err;
	}
	*out = c;
	return 0;
}

void cataloguer_sealed(struct cataloguer *c)
{
	if (c != NULL)
		atomic_fetch_add(&c->sealed, 1);
}

void cataloguer_stop(struct cataloguer *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->stop, true);
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
