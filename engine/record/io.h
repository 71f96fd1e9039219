/* Writes and syncs of one file at a time, answered later: io_uring, or plain calls where that is
 * not to be had.
 *
 * The caller fills one of a few big aligned buffers and says where it goes; completions come from
 * rec_io_wait(), which is also the only place where the recorder thread sleeps. With io_uring the
 * buffers and the file are registered; what the kernel or the memory limit refuses is done without,
 * step by step, and rec_io_text() tells what is in use.
 *
 * Thread: the recorder's, which must also have opened it.
 */
#ifndef RECORD_IO_H
#define RECORD_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

enum { REC_IO_BUFFERS = 6, REC_IO_BUFFER_BYTES = 1 << 20, REC_IO_SYNC = REC_IO_BUFFERS };

struct rec_io;

struct rec_io_done {
	unsigned slot; /* the buffer's number, or REC_IO_SYNC */
	int result;    /* 0 or negative errno */
};

/* What of `cfg` concerns it: plain_io, the faults and the clock of a test, which is also what
 * rec_io_wait() then sleeps by. Returns 0 or -ENOMEM. */
int rec_io_open(struct rec_io **io, const struct record_config *cfg);
void rec_io_close(struct rec_io *io);

const char *rec_io_text(const struct rec_io *io);

/* Buffer `slot`: REC_IO_BUFFER_BYTES, aligned to a page. */
uint8_t *rec_io_buffer(struct rec_io *io, unsigned slot);

/* Whatever follows goes to `fd` on `volume` (its index; -1 as fd: to none). Nothing may be in
 * flight. */
void rec_io_target(struct rec_io *io, int fd, unsigned volume);

/* Write `len` bytes of buffer `slot` at `offset`. The buffer belongs to the kernel until done. What a
 * short write leaves is written in turn. */
void rec_io_write(struct rec_io *io, unsigned slot, size_t len, uint64_t offset);

/* Make what has been completed durable (fdatasync). One at a time. */
void rec_io_sync(struct rec_io *io);

/* Sleep until something is done or `timeout_ms` have passed. Returns how many of `done` were
 * filled. */
unsigned rec_io_wait(struct rec_io *io, uint32_t timeout_ms, struct rec_io_done *done,
		     unsigned max);

/* Operations in flight. */
unsigned rec_io_busy(const struct rec_io *io);

#endif
