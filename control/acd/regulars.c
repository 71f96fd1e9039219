/* SPDX-License-Identifier: Apache-2.0 */
#include "acd/regulars.h"

#include <string.h>

static uint64_t hash_of(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	h ^= h >> 32;
	return h != 0 ? h : 1;
}

void regulars_put(struct regulars *r, const char *caller, const char *agent, uint64_t now_ms)
{
	size_t len = strlen(agent);
	struct regular *row, *at;
	uint64_t h;

	if (caller[0] == '\0' || len == 0 || len >= REGULARS_NUMBER_MAX)
		return;
	h = hash_of(caller);
	row = at = r->row[h % REGULARS_ROWS];
	for (unsigned i = 0; i < REGULARS_WAYS && at->caller != h; i++)
		if (row[i].caller == h || row[i].at_ms < at->at_ms)
			at = &row[i];
	at->caller = h;
	at->at_ms = now_ms;
	memcpy(at->agent, agent, len + 1);
}

const char *regulars_get(const struct regulars *r, const char *caller, uint64_t now_ms,
			 uint64_t max_age_ms)
{
	uint64_t h = hash_of(caller);
	const struct regular *row = r->row[h % REGULARS_ROWS];

	for (unsigned i = 0; i < REGULARS_WAYS; i++)
		if (row[i].caller == h)
			return now_ms - row[i].at_ms <= max_age_ms ? row[i].agent : NULL;
	return NULL;
}
