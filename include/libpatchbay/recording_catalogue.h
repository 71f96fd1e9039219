/* Where the extents of each recording are, for all sealed segments of a directory: what makes one
 * of a million recordings found without looking at each segment's index.
 *
 * A catalogue is a few files, runs, `catalogue-SSSSSSSS-HHHHHHHH.pbcat` (a serial number and the
 * highest segment number in it, both hexadecimal). Each run covers some segments and holds their
 * extents ordered by recording. Runs of new segments are small; eight runs of a size become one of
 * the next. Nothing in it is true by itself: it is made from the segments' indexes, made anew when
 * lost, and a segment that no run covers is read as ever. What it says of a segment that is gone
 * means nothing.
 *
 *   run := head block, segment table, blocks, fences
 *
 * All is little endian; structs below; table and fences are padded to RECORDING_BLOCK. A block is
 * CATALOGUE_BLOCK_HEAD bytes (CRC-32C of the rest of the block, then the number of entries), then
 * entries, then zeros. fence[i] is the key of block i's first entry.
 *
 * Thread: a struct catalogue belongs to one; recording_run_update() may run beside readers, and takes a
 * lock against another update.
 */
#ifndef LIBPATCHBAY_RECORDING_CATALOGUE_H
#define LIBPATCHBAY_RECORDING_CATALOGUE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "patchbay/recording_format.h"

#define CATALOGUE_MAGIC UINT64_C(0x3154414343424250) /* "PBBCCAT1" */

enum { CATALOGUE_VERSION = 1, CATALOGUE_BLOCK_HEAD = 8, CATALOGUE_RUNS_MAX = 64 };

struct catalogue_head {
	uint64_t magic;
	uint16_t version;
	uint16_t reserved1;
	uint32_t crc;        /* of the head block, this field as zero */
	uint32_t table_crc;  /* of the table without its padding */
	uint32_t fences_crc; /* the same */
	uint32_t segments;
	uint32_t blocks;
	uint64_t entries;
	uint64_t blocks_at, fences_at, bytes; /* from the start of the file; its length */
};
static_assert(sizeof(struct catalogue_head) == 64, "catalogue head layout");

struct catalogue_segment {
	uint64_t number;
	uint64_t tag;
};
static_assert(sizeof(struct catalogue_segment) == 16, "catalogue table layout");

/* One extent. */
struct catalogue_entry {
	uint8_t id[16];
	uint64_t part_ns;
	uint64_t first_wall_ns;
	uint32_t seq;
	uint32_t segment; /* place in the table */
	uint32_t offset;
	uint32_t span_us;
	uint32_t crc;
	uint16_t used;
	uint16_t flags;
};
static_assert(sizeof(struct catalogue_entry) == 56, "catalogue entry layout");

enum {
	CATALOGUE_BLOCK_ENTRIES =
		(RECORDING_BLOCK - CATALOGUE_BLOCK_HEAD) / (int)sizeof(struct catalogue_entry)
};

struct catalogue_fence {
	uint8_t id[16];
	uint64_t part_ns;
	uint32_t seq;
	uint32_t reserved;
};
static_assert(sizeof(struct catalogue_fence) == 32, "catalogue fence layout");

struct catalogue;

/* The runs of `dir` that can be read; *damaged tells how many could not. Returns 0 with *out, which
 * is NULL when there are none, or -ENOMEM. */
int catalogue_open(struct catalogue **out, const char *dir, unsigned *damaged);
void catalogue_close(struct catalogue *c);

/* Does a run cover this segment? *tag (NULL: not wanted) is the one it had then. */
bool catalogue_covers(const struct catalogue *c, uint64_t number, uint64_t *tag);

/* `number` is of the segment; e->segment means nothing. Return other than 0 to end the search. */
typedef int catalogue_fn(void *ctx, const struct catalogue_entry *e, uint64_t number);

/* Tell of each entry whose id begins with the first `digits` hexadecimal digits of `id`; those of a
 * recording and a run in order. Returns 0, what `fn` returned, or -EBADMSG: a run is damaged, and
 * nothing that was told is the whole. */
int catalogue_find(const struct catalogue *c, const uint8_t id[16], unsigned digits,
		   catalogue_fn *fn, void *ctx);

/* Check every byte. Returns the number of damaged runs. */
unsigned catalogue_verify(const struct catalogue *c);

/* Bring the catalogue of `dir` a step nearer to its sealed segments; call until it returns 0. With
 * `least`, only if that many are in no run. When *stop (NULL: never) becomes true it gives up with
 * -ECANCELED, and nothing is lost. Returns the number of segments added, -EAGAIN (another update
 * runs), or negative errno. */
int recording_run_update(const char *dir, unsigned least, const _Atomic bool *stop);

/* From the name of a run. Returns false for any other name. */
bool catalogue_name(const char *name, uint32_t *serial, uint32_t *highest);

#endif
