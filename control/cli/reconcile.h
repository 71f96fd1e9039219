/* Every answered call has its recording, or a reason: the call records of a time held against the
 * store.
 *
 * Thread: any. Pure.
 */
#ifndef CLI_RECONCILE_H
#define CLI_RECONCILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "patchbay/recording.h"

/* What the store knows of a recording, under its id: {complete, ended, written: n, lost: n}. */
json_t *reconcile_stored(const struct recording_info *info);

/* `calls` are the call records (protocol: cdr), `recordings` those of the database, both arrays;
 * `stored` an object of reconcile_stored() by id. Returns {ok, answered, recorded, running,
 * unrecorded: {REASON: n}, problems: [{problem, text, call, recording?}]}, the caller's. `problem`:
 * no_recording, not_in_store, account, incomplete. A recording that still runs is none. */
json_t *reconcile(const json_t *calls, const json_t *recordings, const json_t *stored);

#endif
