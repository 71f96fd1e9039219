/* Inside the library: the segments of a store and a way through their extents.
 *
 * Thread: the store's.
 */
#ifndef LIBPATCHBAY_RECORDING_STORE_H
#define LIBPATCHBAY_RECORDING_STORE_H

#include "libpatchbay/recording_segment.h"
#include "patchbay/recording.h"

struct store_segment {
	char *path;
	uint64_t number;
	uint32_t dir;    /* index of the store's */
	bool catalogued; /* a run of its directory's catalogue covers it */
	bool compared;   /* its tag is the one that the catalogue knows, or was not */
	bool distrusted; /* what that says of it has proved wrong */
	/* What was read of it: kept as long as the memory for all of them is little. */
	struct recording_index_entry *entry;
	uint32_t entries, entries_max;
	uint64_t scanned; /* unsealed: up to there extents follow one another ... */
	uint32_t solid;   /* ... these; what comes behind a hole may not be all */
	uint64_t tag;
	bool whole; /* `entry` is all there is: it is sealed */
	bool live;  /* a recorder writes it */
};

/* The extent file of a running engine; path empty: none. */
struct recording_live {
	char path[256];
	void *map;
	size_t bytes;
	uint64_t inode;
	uint32_t owner; /* of the store; whose extents are trusted beside ours */
};

struct catalogue;

struct recording_store {
	char **dir;
	uint32_t dirs;
	struct catalogue **catalogue;  /* one for each directory; NULL: none */
	unsigned *catalogues_bad;      /* runs that could not be read; 0 after they were told */
	struct store_segment *segment; /* by number; those found by a refresh behind them */
	uint32_t segments, sorted, segments_max;
	uint64_t kept; /* entries that all segments hold in memory */
	struct recording_live live;
	/* the one read last, kept open */
	struct recording_segment open;
	uint32_t open_index; /* UINT32_MAX: none */
};

/* Where an extent is, and what tells its place in its recording. */
struct extent_ref {
	uint8_t id[16];
	uint64_t part_ns;
	uint64_t seq;
	uint64_t first_wall_ns;
	uint64_t span_ns;
	uint32_t segment; /* index in the store */
	uint32_t offset;
	uint32_t used;
	uint32_t flags;
	uint32_t crc;
	bool live;      /* in a segment that is being written, or in memory */
	bool open;      /* in memory, and frames were still being added */
	uint8_t *bytes; /* in memory: `used` bytes, owned by the reference; else NULL */
};

/* Order of a recording: by part, then number; the same extent's places by segment. For qsort(). */
int recording_extent_order(const void *a, const void *b);

typedef int store_extent_fn(void *ctx, const struct extent_ref *ref);

/* Tell of each extent of each segment, from the index where it is good, else from the blocks.
 * With `only`, the other recordings are left out, and the catalogue is asked. Of one recording the
 * same extent may be told twice. Returns 0, what `fn` returned, or negative errno. */
int store_each(struct recording_store *st, const uint8_t *only, store_extent_fn *fn,
	       recording_damage_fn *damage, void *ctx);

/* The same for all recordings whose ids begin with the first `digits` hexadecimal digits of
 * `only`. */
int store_each_prefix(struct recording_store *st, const uint8_t *only, unsigned digits,
		      store_extent_fn *fn, recording_damage_fn *damage, void *ctx);

/* The catalogue was wrong about a segment: from now on its own index or blocks are looked at. Returns false when
 * the catalogue has not been asked about it. */
bool store_distrust(struct recording_store *st, uint32_t segment);

/* The first time it is met: is the segment the one that the catalogue knows? Returns true when it is not, and
 * distrusts it. */
bool store_compare(struct recording_store *st, uint32_t segment);

/* Tell that so many runs of a directory's catalogue are damaged. */
void store_tell_catalogue(const struct recording_store *st, uint32_t dir, uint64_t runs,
			  recording_damage_fn *damage, void *ctx);

/* Open segment `index` for reading, whatever its head says; damage is told. Returns 0 or
 * negative errno. */
int store_open_segment(struct recording_store *st, uint32_t index, bool want_index,
		       struct recording_segment *s, recording_damage_fn *damage, void *ctx);

/* Read an extent into `buf` (RECORDING_EXTENT_BYTES). Returns a verdict or negative errno; -ESTALE: its
 * segment has been used again, or its file is gone. */
int store_read(struct recording_store *st, const struct extent_ref *ref, uint8_t *buf,
	       struct recording_extent_head *head);

/* A growing array of references. */
struct extent_refs {
	struct extent_ref *ref;
	size_t n, max;
};
int recording_extents_add(struct extent_refs *refs, const struct extent_ref *ref);

struct extent_ref recording_extent_ref(const struct recording_extent_head *h, uint32_t segment,
				       uint64_t offset, bool live);

/* What the references of one recording tell; metadata and account are read from the extents. `refs`
 * in order; the metadata goes to `text` (RECORDING_METADATA_MAX + 1). */
void recording_describe(struct recording_store *st, const struct extent_ref *ref, size_t n,
			struct recording_info *info, char *text);

/* Tell the caller's function, if there is one. */
void recording_damage_tell(recording_damage_fn *fn, void *ctx, const struct recording_damage *d);

#endif
