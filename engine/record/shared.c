/* SPDX-License-Identifier: Apache-2.0
 *
 * The extent file: made, locked, mapped; and the bytes of frames and heads, which taps write while
 * the engine lives and recovery writes after its death.
 *
 * The file is locked, not its name: between open() and flock() the previous owner may have removed
 * it, so a locked file without a link is let go and the name opened again.
 */
#include "record/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"

static int lock(const char *path)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct stat st;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &st) != 0) {
			int err = errno == EWOULDBLOCK ? EBUSY : errno;

			close(fd);
			return -err;
		}
		if (st.st_nlink > 0)
			return fd;
		close(fd);
	}
}

/* What an earlier engine has left, if it can be read by this one. */
static bool readable(int fd, struct shared_head *head)
{
	struct stat st;

	return fstat(fd, &st) == 0 && pread(fd, head, sizeof(*head), 0) == (ssize_t)sizeof(*head) &&
	       head->magic == SHARED_MAGIC && head->version == SHARED_VERSION &&
	       head->tap_bytes == sizeof(struct rec_tap) && head->extents > 0 && head->taps > 0 &&
	       head->extents < 1U << 24 && head->taps < 1U << 24 &&
	       (uint64_t)st.st_size ==
		       shared_file_bytes(head->extents, head->taps, head->tap_bytes);
}

/* Nothing of an unknown layout is thrown away: it is set aside under another name. */
static int set_aside(int fd, const char *path)
{
	char aside[300];
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size == 0)
		return 0;
	snprintf(aside, sizeof(aside), "%s.unknown", path);
	if (rename(path, aside) != 0)
		return -errno;
	log_error("record", "%s is not of a layout this engine reads; kept as %s", path, aside);
	return 1;
}

int shared_open(struct shared *s, const char *dir, const char *name, uint32_t extents,
		uint32_t taps, bool *used)
{
	struct shared_head head = {0};
	struct shared local = {0};
	int err;

	if ((size_t)snprintf(local.path, sizeof(local.path), "%s/patchbay-%s.extents", dir, name) >=
	    sizeof(local.path))
		return -ENAMETOOLONG;
again:
	local.fd = lock(local.path);
	if (local.fd < 0)
		return local.fd;
	*used = readable(local.fd, &head);
	if (*used) {
		extents = head.extents;
		taps = head.taps;
	} else {
		err = set_aside(local.fd, local.path);
		if (err != 0) {
			close(local.fd);
			if (err > 0)
				goto again;
			return err;
		}
	}
	local.bytes = shared_file_bytes(extents, taps, sizeof(struct rec_tap));
	/* Memory now or a clear refusal: a hole in a full tmpfs would be a SIGBUS on a worker. */
	err = -posix_fallocate(local.fd, 0, (off_t)local.bytes);
	if (err != 0)
		goto fail_file;
	void *p = mmap(NULL, local.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       local.fd, 0);

	if (p == MAP_FAILED) {
		err = -errno;
		goto fail_file;
	}
	local.head = p;
	local.tap = (struct rec_tap *)(void *)((uint8_t *)p + SHARED_HEAD_BYTES);
	local.extent_base =
		(uint8_t *)p + SHARED_HEAD_BYTES + shared_taps_bytes(taps, sizeof(struct rec_tap));
	if (!*used)
		*local.head = (struct shared_head){.magic = SHARED_MAGIC,
						   .version = SHARED_VERSION,
						   .tap_bytes = sizeof(struct rec_tap),
						   .extents = extents,
						   .taps = taps};
	*s = local;
	return 0;

fail_file:
	if (!*used)
		unlink(local.path);
	close(local.fd);
	return err;
}

void shared_close(struct shared *s, bool remove)
{
	munmap(s->head, s->bytes);
	if (remove)
		unlink(s->path);
	close(s->fd);
	s->fd = -1;
}

uint32_t shared_put_frame(struct recording_extent_head *h, uint32_t used,
			  const struct recording_frame_head *fh, const void *payload)
{
	uint8_t *p = (uint8_t *)h + used;
	uint32_t length = fh->length;
	uint32_t padded = (uint32_t)recording_pad(length, 8);

	must(used + sizeof(*fh) + padded <= RECORDING_EXTENT_BYTES);
	memcpy(p, fh, sizeof(*fh));
	if (padded != length)
		memset(p + sizeof(*fh) + padded - 8, 0, 8);
	if (length != 0)
		memcpy(p + sizeof(*fh), payload, length);
	return used + (uint32_t)sizeof(*fh) + padded;
}

static uint32_t since_us(const struct recording_extent_head *h, uint64_t now_ns)
{
	return now_ns > h->first_mono_ns ? (uint32_t)((now_ns - h->first_mono_ns) / 1000) : 0;
}

uint32_t shared_put_loss(struct recording_extent_head *h, uint32_t used, const struct rec_tap *tap,
			 uint8_t channel, uint64_t frames, uint64_t now_ns)
{
	struct recording_loss_frame l = {
		.frames = frames,
		.from_mono_ns = tap->hole[channel].from_mono_ns,
		.to_mono_ns = tap->hole[channel].to_mono_ns,
		.loss = tap->loss[channel],
	};
	struct recording_frame_head fh = {
		.length = sizeof(l),
		.kind = RECORDING_FRAME_LOSS,
		.channel = channel,
		.time_us = since_us(h, now_ns),
	};

	return shared_put_frame(h, used, &fh, &l);
}

uint32_t shared_put_end(struct recording_extent_head *h, uint32_t used, const struct rec_tap *tap,
			enum recording_end reason, uint64_t now_ns)
{
	struct recording_end_frame e = {.reason = (uint32_t)reason, .paused_ns = tap->paused_ns};
	struct recording_frame_head fh = {
		.length = sizeof(e),
		.kind = RECORDING_FRAME_END,
		.time_us = since_us(h, now_ns),
	};

	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		e.channel[ch].written = tap->written[ch];
		e.channel[ch].lost = tap->lost[ch];
		e.channel[ch].loss = tap->loss[ch];
	}
	return shared_put_frame(h, used, &fh, &e);
}

void shared_extent_init(struct recording_extent_head *h, const struct rec_tap *tap, uint64_t now_ns,
			uint64_t wall_ns)
{
	struct shared_live *live = shared_live(h);
	uint32_t state = atomic_load_explicit(&live->state, memory_order_relaxed);

	must(state == SHARED_FREE);
	/* memset reaches the state too, as FREE; nobody else looks at a free extent */
	memset(h, 0, sizeof(*h));
	h->magic = RECORDING_EXTENT_MAGIC;
	h->version = RECORDING_VERSION;
	h->head_bytes = sizeof(*h);
	h->used = sizeof(*h);
	memcpy(h->id, tap->id, sizeof(h->id));
	h->part_ns = tap->part_ns;
	h->seq = tap->seq;
	h->first_wall_ns = wall_ns;
	h->first_mono_ns = now_ns;
	h->last_mono_ns = now_ns;
	h->prev_segment = RECORDING_NOWHERE;
	h->prev_offset = RECORDING_NOWHERE;
	h->flags = tap->seq == 0 ? RECORDING_EXTENT_FIRST : 0;
	h->minor = RECORDING_MINOR;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		h->channel[ch].written_before = tap->written[ch];
		/* while it is open: what LOSS frames before it have explained */
		h->channel[ch].lost = tap->explained[ch];
		/* and the counts before it */
		h->more[ch].masked = tap->masked[ch];
		h->more[ch].missing = tap->missing[ch];
		h->seq_next[ch] = tap->seq_next[ch];
		h->masked_now[ch] = (tap->unusual & TAP_MASKED << ch) != 0;
	}
	live->tap = tap->index;
	/* pairs with the death of the process: a head that says OPEN is whole */
	atomic_store_explicit(&live->state, SHARED_OPEN, memory_order_release);
}

void shared_extent_close(struct recording_extent_head *h, const struct rec_tap *tap, uint32_t used,
			 uint32_t flags)
{
	h->used = used;
	h->last_mono_ns =
		tap->last_mono_ns > h->first_mono_ns ? tap->last_mono_ns : h->first_mono_ns;
	h->flags |= flags;
	h->paused_ns = tap->paused_ns;
	for (int ch = 0; ch < RECORDING_CHANNELS; ch++) {
		h->channel[ch].written = tap->written[ch];
		h->channel[ch].lost = tap->lost[ch];
		h->channel[ch].loss = tap->loss[ch];
		h->more[ch].masked = tap->masked[ch];
		h->more[ch].missing = tap->missing[ch];
	}
	/* pairs with the acquire in recover.c and, through the ring, with the recorder */
	atomic_store_explicit(&shared_live(h)->state, SHARED_CLOSED, memory_order_release);
}
