/* SPDX-License-Identifier: Apache-2.0
 *
 * Extents in memory. What decides whether an OPEN extent's copy is good is its tap's word, which
 * names the extent and how much of it is whole; of a CLOSED one, its state, id and number. The
 * account in the head of an open extent is not written yet: it is made here from the frames, as
 * recovery would (recover.c).
 */
#include "libpatchbay/recording_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/shared_layout.h"

void recording_live_close(struct recording_live *live)
{
	if (live->map != NULL)
		munmap(live->map, live->bytes);
	live->map = NULL;
}

static bool readable(const struct shared_head *h, uint64_t bytes)
{
	return h->magic == SHARED_MAGIC && h->version == SHARED_VERSION && h->extents > 0 &&
	       h->taps > 0 && h->extents < 1U << 24 && h->taps < 1U << 24 &&
	       h->tap_bytes >= sizeof(uint64_t) && h->tap_bytes % sizeof(uint64_t) == 0 &&
	       h->tap_bytes < 1U << 16 &&
	       bytes >= shared_file_bytes(h->extents, h->taps, h->tap_bytes);
}

/* The file may have been replaced by that of the next engine. Returns false when there is none. */
static bool look(struct recording_live *live)
{
	int fd = open(live->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct shared_head h;
	struct stat st;
	void *p;

	/* Anybody may make a file there: only root's, our own, or that of who owns the store is an
	 * engine's. */
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != live->owner)) {
		if (fd >= 0)
			close(fd);
		recording_live_close(live);
		return false;
	}
	if (live->map != NULL && live->inode == st.st_ino) {
		close(fd);
		return true;
	}
	recording_live_close(live);
	if (pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    !readable(&h, (uint64_t)st.st_size)) {
		close(fd);
		return false;
	}
	live->bytes = (size_t)st.st_size;
	p = mmap(NULL, live->bytes, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return false;
	live->map = p;
	live->inode = st.st_ino;
	return true;
}

static uint64_t tap_word(const struct recording_live *live, const struct shared_head *h,
			 uint32_t tap)
{
	uint8_t *at = (uint8_t *)live->map + SHARED_HEAD_BYTES + (size_t)tap * h->tap_bytes;

	return atomic_load_explicit((_Atomic uint64_t *)(void *)at, memory_order_acquire);
}

static bool same(const struct recording_extent_head *a, const struct recording_extent_head *b)
{
	return memcmp(a->id, b->id, sizeof(a->id)) == 0 && a->part_ns == b->part_ns &&
	       a->seq == b->seq;
}

/* The account as it is after the frames of this open extent. */
static void account(struct recording_extent_head *h, uint32_t used)
{
	const uint8_t *payload;
	struct recording_frame_head fh;
	struct recording_loss_frame l;
	uint32_t at = sizeof(*h);

	for (int ch = 0; ch < 2; ch++)
		h->channel[ch].written = h->channel[ch].written_before;
	while (recording_frame_next((const uint8_t *)h, used, &at, &fh, &payload) == 1) {
		if (h->first_mono_ns + fh.time_us * UINT64_C(1000) > h->last_mono_ns)
			h->last_mono_ns = h->first_mono_ns + fh.time_us * UINT64_C(1000);
		if (fh.channel > 1)
			continue;
		if (fh.kind == RECORDING_FRAME_AUDIO) {
			struct recording_seq s = {.next = h->seq_next[fh.channel]};

			h->channel[fh.channel].written++;
			h->more[fh.channel].masked += (fh.flags & RECORDING_FRAME_MASKED) != 0;
			recording_seq_see(&s, fh.seq, (fh.flags & RECORDING_FRAME_FRESH) != 0);
			h->more[fh.channel].missing += s.missing;
			h->seq_next[fh.channel] = s.next;
		}
		if (fh.kind == RECORDING_FRAME_LOSS && fh.length == sizeof(l)) {
			memcpy(&l, payload, sizeof(l));
			h->channel[fh.channel].lost += l.frames;
			h->channel[fh.channel].loss = (uint8_t)l.loss;
		}
	}
}

/* Copy extent `index` of the recording. Returns its length, 0 when it is none of it, or -1 when it
 * changed hands meanwhile. */
static int copy(const struct recording_live *live, const struct shared_head *file, uint32_t index,
		const uint8_t id[16], uint8_t *to, bool *open)
{
	uint8_t *base = (uint8_t *)live->map + SHARED_HEAD_BYTES +
			shared_taps_bytes(file->taps, file->tap_bytes);
	struct recording_extent_head *h = shared_extent(base, index);
	struct recording_extent_head *out = (struct recording_extent_head *)(void *)to;
	uint32_t state = atomic_load_explicit(&shared_live(h)->state, memory_order_acquire);
	uint32_t tap = shared_live(h)->tap, used = h->used;
	uint64_t word = 0;

	*open = state == SHARED_OPEN;
	if (state == SHARED_FREE || memcmp(h->id, id, sizeof(h->id)) != 0 || tap >= file->taps)
		return 0;
	if (state == SHARED_OPEN) {
		word = tap_word(live, file, tap);
		if (word >> 32 != (uint64_t)index + 1)
			return -1;
		used = (uint32_t)word;
	}
	if (used < sizeof(*h) || used > RECORDING_EXTENT_BYTES)
		return -1;
	memcpy(to, h, used);
	atomic_thread_fence(memory_order_acquire);
	/* an open extent only grows; a word that names less of it is of its next use */
	if (atomic_load_explicit(&shared_live(h)->state, memory_order_relaxed) != state ||
	    !same(out, h) || out->magic != RECORDING_EXTENT_MAGIC ||
	    memcmp(out->id, id, sizeof(out->id)) != 0 ||
	    (state == SHARED_OPEN && (tap_word(live, file, tap) < word ||
				      tap_word(live, file, tap) >> 32 != (uint64_t)index + 1)) ||
	    (state == SHARED_CLOSED && out->used != used))
		return -1;
	out->used = used;
	out->head_bytes = sizeof(*out);
	memset((uint8_t *)shared_live(out), 0, sizeof(struct shared_live));
	if (state == SHARED_OPEN)
		account(out, used);
	return (int)used;
}

static int add(struct extent_refs *refs, const uint8_t *bytes, uint32_t used, bool open)
{
	struct recording_extent_head h;
	struct extent_ref ref;
	uint8_t *own = malloc(used);
	int err;

	if (own == NULL)
		return -ENOMEM;
	memcpy(own, bytes, used);
	memcpy(&h, bytes, sizeof(h));
	ref = recording_extent_ref(&h, UINT32_MAX, 0, true);
	ref.bytes = own;
	ref.open = open;
	err = recording_extents_add(refs, &ref);
	if (err != 0)
		free(own);
	return err;
}

int recording_live_collect(struct recording_live *live, const uint8_t id[16],
			   struct extent_refs *refs)
{
	uint8_t buf[RECORDING_EXTENT_BYTES];
	struct shared_head file;
	int err = 0;

	if (live->path[0] == '\0' || !look(live))
		return 0;
	memcpy(&file, live->map, sizeof(file));
	if (!readable(&file, live->bytes))
		return 0;
	for (uint32_t i = 0; i < file.extents && err == 0; i++) {
		int used = -1;
		bool open = false;

		for (int again = 0; again < 3 && used < 0; again++)
			used = copy(live, &file, i, id, buf, &open);
		if (used > 0)
			err = add(refs, buf, (uint32_t)used, open);
	}
	return err;
}
