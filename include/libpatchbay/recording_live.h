/* Inside the library: what a running engine holds in its extent file, seen from another process.
 *
 * The engine goes on writing while we look. An extent is copied and then looked at again: only when
 * it is still the same one, in the same state, was the copy of one moment.
 *
 * Thread: the store's.
 */
#ifndef LIBPATCHBAY_RECORDING_LIVE_H
#define LIBPATCHBAY_RECORDING_LIVE_H

#include "libpatchbay/recording_store.h"

/* Add the extents of one recording, each with a copy of its bytes that the reference owns. None is
 * added when there is no engine, or one of another version. Returns 0 or -ENOMEM.
 *
 * An extent leaves the file only after it is durable: so look here first, then at the segments, and
 * none is missed. */
int recording_live_collect(struct recording_live *live, const uint8_t id[16],
			   struct extent_refs *refs);

void recording_live_close(struct recording_live *live);

#endif
