/* Every answered call has its recording, or a reason: the call records of a time held against the
 * store and, for what is there no more, the archive.
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

/* The same of a row of the archive (shelf_get()): {finished: true, deleted, lost?}. Its bytes are proved by
 * `recordings prove`. */
json_t *reconcile_finished(const json_t *row);

/* `calls` are the call records (protocol: cdr), `recordings` those of the database, both arrays;
 * `stored` an object of reconcile_stored() or reconcile_finished() by id. Returns {ok, answered, recorded, running,
 * archived (in the archive only), deleted (there, with the ledger's proof), unrecorded: {REASON: n}, problems: [{problem,
 * text, call, recording?}]}, the caller's. `problem`: no_recording, not_in_store, account, incomplete. A recording that
 * still runs is none. */
json_t *reconcile(const json_t *calls, const json_t *recordings, const json_t *stored);

#endif
