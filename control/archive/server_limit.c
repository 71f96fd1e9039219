/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/server_limit.h"

#include <stdio.h>
#include <string.h>

void server_limit_init(struct server_limit *l)
{
	memset(l, 0, sizeof(*l));
	pthread_mutex_init(&l->lock, NULL);
}

/* The row of `source`, or the one whose failures are forgotten soonest, made its own. */
static unsigned row_of(struct server_limit *l, const char *source)
{
	unsigned best = 0;

	for (unsigned i = 0; i < LIMIT_SOURCES; i++) {
		if (strcmp(l->row[i].source, source) == 0)
			return i;
		if (l->row[i].free_ms < l->row[best].free_ms)
			best = i;
	}
	snprintf(l->row[best].source, sizeof(l->row[best].source), "%s", source);
	l->row[best].free_ms = 0;
	return best;
}

bool server_limit_failed(struct server_limit *l, const char *source, uint64_t now_ms)
{
	bool good;

	pthread_mutex_lock(&l->lock);

	uint64_t *free_ms = &l->row[row_of(l, source)].free_ms;

	if (*free_ms < now_ms)
		*free_ms = now_ms;
	good = *free_ms + LIMIT_EVERY_MS <= now_ms + (uint64_t)LIMIT_BURST * LIMIT_EVERY_MS;
	if (good)
		*free_ms += LIMIT_EVERY_MS;
	pthread_mutex_unlock(&l->lock);
	return good;
}
