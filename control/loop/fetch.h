/* Asking systems of the firm over HTTP, on the daemon's loop.
 *
 * One fetch is one request and one JSON answer, bounded in time (`timeout_ms`), size (FETCH_ANSWER_MAX)
 * and number (FETCH_MAX at once). No redirects are followed, no cookies kept; certificates are
 * checked. libcurl's multi interface waits on the loop, so nothing blocks, names included (its resolver
 * has threads of its own).
 *
 * Thread: the loop's.
 */
#ifndef LOOP_FETCH_H
#define LOOP_FETCH_H

#include <stdint.h>

#include <jansson.h>

enum { FETCH_ANSWER_MAX = 65536, FETCH_MAX = 256 };

struct fetcher;

/* Called once, from the loop, never from inside fetch_start(): the answer (borrowed), or NULL and a
 * sentence: no connection, time out, a status other than 2xx, not JSON, too long. */
typedef void fetch_fn(void *arg, const json_t *answer, const char *error);

/* Returns 0 or -ENOMEM. */
int fetcher_open(struct fetcher **out);

/* Give up all that runs; their functions are not called any more. NULL is fine. */
void fetcher_close(struct fetcher *f);

/* Ask `url`; with `body` (not NULL, not "") it is posted as JSON. Returns 0, then `fn` is called; -EBUSY
 * when FETCH_MAX run, -ENOMEM. */
int fetch_start(struct fetcher *f, const char *url, const char *body, uint32_t timeout_ms,
		fetch_fn *fn, void *arg);

#endif
