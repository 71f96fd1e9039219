/* How often an address may come without a valid token: LIMIT_BURST times at once, then one in LIMIT_EVERY_MS.
 * Beyond that it is answered 429 and leaves no line in the audit, so that guessing is slow and fills no disk. A table
 * of fixed size: an address that has been good for long makes room for a new one.
 *
 * Thread: any; it has a lock. Pure but for that: the time is the caller's.
 */
#ifndef ARCHIVE_SERVER_LIMIT_H
#define ARCHIVE_SERVER_LIMIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { LIMIT_BURST = 40, LIMIT_EVERY_MS = 3000, LIMIT_SOURCES = 512 };

struct server_limit {
	pthread_mutex_t lock;
	struct {
		char source[64];
		uint64_t free_ms; /* when all of its failures are forgotten; 0: nobody */
	} row[LIMIT_SOURCES];
};

void server_limit_init(struct server_limit *l);

/* A request without a valid token from `source` at `now_ms`, which does not run backwards. False: too many. */
bool server_limit_failed(struct server_limit *l, const char *source, uint64_t now_ms);

#endif
