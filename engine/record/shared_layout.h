/* The extent file as a reader in another process sees it; shared.h has the whole of it.
 *
 *   shared_head (SHARED_HEAD_BYTES), taps (tap_bytes each, together padded), extents
 *
 * A tap begins with its `open` word: (extent index + 1) << 32 | bytes used, 0 = no extent is open.
 *
 * Thread: any; what is read of a running engine may change while it is read.
 */
#ifndef RECORD_SHARED_LAYOUT_H
#define RECORD_SHARED_LAYOUT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "patchbay/recording_format.h"

enum shared_state { SHARED_FREE, SHARED_OPEN, SHARED_CLOSED };

/* The last bytes of an extent's head while it is in memory. */
struct shared_live {
	_Atomic uint32_t state;
	uint32_t tap; /* index of the tap that filled it */
	uint64_t unused;
};

#define SHARED_MAGIC UINT64_C(0x314d485343454250) /* "PBECSHM1" */

struct shared_head {
	uint64_t magic;
	uint32_t version; /* of this layout */
	uint32_t tap_bytes;
	uint32_t extents;
	uint32_t taps;
	uint8_t instance[16];
};

enum { SHARED_VERSION = 2, SHARED_HEAD_BYTES = 4096 };

/* Bytes of all taps. */
static inline size_t shared_taps_bytes(uint32_t taps, uint32_t tap_bytes)
{
	return (size_t)recording_pad((uint64_t)taps * tap_bytes, SHARED_HEAD_BYTES);
}

/* Bytes of the file. */
static inline size_t shared_file_bytes(uint32_t extents, uint32_t taps, uint32_t tap_bytes)
{
	return SHARED_HEAD_BYTES + shared_taps_bytes(taps, tap_bytes) +
	       (size_t)extents * RECORDING_EXTENT_BYTES;
}

static inline struct recording_extent_head *shared_extent(uint8_t *extent_base, uint32_t index)
{
	return (struct recording_extent_head *)(void *)(extent_base +
							(size_t)index * RECORDING_EXTENT_BYTES);
}

static inline struct shared_live *shared_live(struct recording_extent_head *h)
{
	return (struct shared_live *)(void *)((uint8_t *)h + sizeof(*h) -
					      sizeof(struct shared_live));
}
static_assert(sizeof(struct shared_live) == 16, "fits the reserved end of the extent head");
static_assert(offsetof(struct recording_extent_head, reserved) <=
		      sizeof(struct recording_extent_head) - sizeof(struct shared_live),
	      "fits the reserved end of the extent head");

#endif
