/* The extent file: the memory that workers and recorder share and that outlives both.
 *
 *   patchbay-NAME.extents := shared_head (one page), taps, extents
 *
 * An extent is 16 KiB in the layout of the disk (recording_format.h); while it is here the last
 * bytes of its head hold `struct shared_live`, zero on disk. Who may write is told by the state:
 *
 *   FREE ──worker──► OPEN ──worker──► CLOSED ──recorder, once durable──► FREE
 *
 * Ordering note: shared. The engine may be killed between any two stores, and the next one must
 * find a truth. A frame exists once `tap->open` covers it: that one 64-bit word names the open
 * extent and the bytes used in it, and is stored (release) after the bytes. The steps:
 *   open an extent:  its head; state OPEN; tap->open; tap->seq + 1
 *   append:          bytes; tap->open; then the counts
 *   close it:        head (used, account, flags); state CLOSED; tap->open = 0;
 *                    with END also tap FREE; then the ring
 * What recovery makes of each place is in recover.c. A count in a tap may therefore be behind the
 * extent by one frame; recovery counts the extent's frames and needs the tap's only when it has
 * no extent open.
 *
 * Thread: see each part.
 */
#ifndef RECORD_SHARED_H
#define RECORD_SHARED_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/spsc.h"
#include "patchbay/recording_account.h"
#include "patchbay/recording_format.h"
#include "record/shared_layout.h"
#include "record/tap.h"

enum tap_state { TAP_FREE, TAP_OPEN, TAP_CLOSING };

/* When the lost frames were lost that no LOSS frame in an extent tells of yet; they are
 * lost - explained. */
struct tap_hole {
	uint64_t from_mono_ns;
	uint64_t to_mono_ns;
};

/* What keeps a frame from the short way through rec_tap_frame(). */
enum {
	TAP_PAUSED = 1 << 0,
	TAP_HOLES = 1 << 1,  /* lost frames that no LOSS frame tells of yet */
	TAP_MASKED = 1 << 2, /* << channel: its frames are silence */
	TAP_FRESH = 1 << 4,  /* << channel: its next frame is RECORDING_FRAME_FRESH */
};

/* Lies in the shared memory. Pointers are of the engine that runs; recovery reads none. */
struct rec_tap {
	/* Touched by every frame: this line and no other. */
	alignas(64) _Atomic uint64_t open; /* (extent index + 1) << 32 | used; 0 = none */
	uint8_t *base;                     /* of the open extent */
	uint64_t first_mono_ns;            /* of the open extent */
	uint64_t last_mono_ns;
	uint64_t written[RECORDING_CHANNELS];
	struct rec_worker *worker;
	uint16_t seq_next[RECORDING_CHANNELS]; /* RTP sequence number expected */
	uint8_t unusual;                       /* TAP_PAUSED ...; 0 nearly always */
	uint8_t unused[3];

	/* Touched by losses, gaps, pauses, masks and changes of extent. */
	_Atomic uint32_t state; /* enum tap_state */
	uint32_t index;
	uint64_t lost[RECORDING_CHANNELS];
	uint64_t explained[RECORDING_CHANNELS]; /* of these, told by LOSS frames */
	uint64_t masked[RECORDING_CHANNELS];
	int64_t missing[RECORDING_CHANNELS];
	uint8_t loss[RECORDING_CHANNELS]; /* newest enum recording_loss */
	uint8_t mask_by[REC_MASKS];       /* which channels each of enum rec_mask wants masked */
	uint8_t lingering;                /* channels whose mask has ended, but not quite yet */
	uint8_t end_reason;               /* TAP_CLOSING */
	uint32_t prev, next; /* in the worker's age list or its closing list; index + 1 */
	uint64_t paused_ns;  /* finished pauses */
	uint64_t pause_from_ns;
	uint64_t unmask_ns; /* `lingering` lasts until then; 0 = it is none */
	struct tap_hole hole[RECORDING_CHANNELS];
	uint8_t id[16];
	uint64_t part_ns;
	uint64_t part_mono_ns; /* the same moment on the engine's clock */
	uint64_t seq;          /* of the next extent */
};
static_assert(offsetof(struct rec_tap, state) == 64, "a frame touches one line of its tap");
static_assert(offsetof(struct rec_tap, open) == 0, "shared_layout.h");

struct tap_list {
	uint32_t first, last; /* index + 1; 0 = empty */
};

/* What a worker has counted over all its recordings; frames when their extent was closed. */
struct rec_counts {
	_Atomic uint64_t written, masked;
	_Atomic uint64_t missing; /* of a signed number */
	_Atomic uint64_t lost[RECORDING_LOSSES];
	_Atomic uint64_t recordings, pauses, masks;
	_Atomic uint64_t refused;
};

struct rec_worker {
	/* Set before the worker starts; read only after. */
	uint8_t *extent_base;     /* of the whole file */
	struct rec_tap *tap_base; /* the same */
	uint64_t age_ns;          /* hand-over age */
	bool refuses;             /* RECORD_POLICY_REFUSE */
	bool wall_fixed;          /* the time of day is a test's */

	/* The worker's own. */
	alignas(64) uint32_t *free_extent; /* stack */
	uint32_t *free_tap;                /* stack */
	uint32_t free_taps;
	struct tap_list aging;   /* taps with an open extent, oldest extent first */
	struct tap_list closing; /* taps that want an extent for their END */
	int64_t wall_minus_mono_ns;
	uint64_t wall_read_ns; /* when that was read */
	uint64_t now_ns;       /* newest seen */

	/* Written by the worker, read by anyone. */
	alignas(64) _Atomic uint32_t free_extents; /* height of the stack */
	_Atomic uint32_t taps_open;
	struct rec_counts counts;

	/* Written by the recorder, read by the worker. */
	alignas(64) _Atomic bool no_volume; /* none takes recordings */

	struct spsc full;  /* of extent numbers, worker -> recorder: CLOSED */
	struct spsc freed; /* of extent numbers, recorder -> worker: FREE */
};

/* Bytes that stay free in an open extent for what closes it: two LOSS frames and an END. */
#define TAP_RESERVE_BYTES                                                                          \
	(3 * sizeof(struct recording_frame_head) + 2 * sizeof(struct recording_loss_frame) +       \
	 sizeof(struct recording_end_frame))

static inline uint64_t tap_word(uint32_t extent, uint32_t used)
{
	return (uint64_t)(extent + 1) << 32 | used;
}

/* Let `rw` end a recording whose engine died, as soon as an extent is free for its END. Before
 * the worker runs. */
void rec_tap_adopt(struct rec_worker *rw, struct rec_tap *tap);

/* The mapped file. */
struct shared {
	int fd;
	size_t bytes;
	char path[256];
	struct shared_head *head;
	struct rec_tap *tap;
	uint8_t *extent_base;
};

/* Open or make the file in `dir`, lock it, map it. *used tells whether an engine has left
 * something in it that recover_all() must see; then head->extents and head->taps are as that
 * engine had them. Returns 0, -EBUSY (locked), or what the file system said. */
int shared_open(struct shared *s, const char *dir, const char *name, uint32_t extents,
		uint32_t taps, bool *used);

/* Unmap and close; with `remove`, also delete the file. */
void shared_close(struct shared *s, bool remove);

/* Frames at the end of a tap's extent, shared by tap.c and recover.c. Each returns the new
 * `used`. */
uint32_t shared_put_frame(struct recording_extent_head *h, uint32_t used,
			  const struct recording_frame_head *fh, const void *payload);
uint32_t shared_put_loss(struct recording_extent_head *h, uint32_t used, const struct rec_tap *tap,
			 uint8_t channel, uint64_t frames, uint64_t now_ns);
uint32_t shared_put_end(struct recording_extent_head *h, uint32_t used, const struct rec_tap *tap,
			enum recording_end reason, uint64_t now_ns);

/* Write the head of a fresh extent of the tap; state OPEN. */
void shared_extent_init(struct recording_extent_head *h, const struct rec_tap *tap, uint64_t now_ns,
			uint64_t wall_ns);

/* Write the tap's account into the extent's head, its length and flags; state CLOSED. */
void shared_extent_close(struct recording_extent_head *h, const struct rec_tap *tap, uint32_t used,
			 uint32_t flags);

#endif
