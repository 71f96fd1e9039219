/* SPDX-License-Identifier: Apache-2.0
 *
 * Each of the few operations that may be in flight has a slot: one per buffer and one for the
 * sync. A slot is idle, at the kernel (io_uring), or ripe: its result is known and waits for its
 * time. Plain calls are ripe at once; a fault asked for by a test makes its result ripe early
 * (an error) or late (a delay), whatever is below.
 */
#include "record/io.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "base/units.h"

enum { SLOTS = REC_IO_BUFFERS + 1, RING_ENTRIES = 16 };

enum slot_state { SLOT_IDLE, SLOT_KERNEL, SLOT_RIPE };

struct slot {
	enum slot_state state;
	int result;
	size_t at, len;  /* of the buffer: done, and asked for */
	size_t whole;    /* all that is to be written */
	uint64_t offset; /* in the file, of the buffer's start */
	bool torn;       /* a test wants it to fail with a part of it done */
	uint64_t not_before_ns;
};

struct rec_io {
	bool uring;
	bool fixed_buffers;
	bool fixed_file;
	int fd;
	unsigned volume;
	unsigned busy;
	uint8_t *buffers;
	const struct record_config *cfg;
	struct slot slot[SLOTS];
	struct io_uring ring;
};

static uint64_t now_ns(const struct rec_io *io)
{
	struct timespec ts;

	if (io->cfg->clock.now_ns != NULL)
		return io->cfg->clock.now_ns(io->cfg->clock.ctx);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * PB_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static bool ring_open(struct rec_io *io)
{
	struct iovec iov[REC_IO_BUFFERS];
	int none = -1;

	/* newer kernels run completions in our own waiting call: fewer interrupts of this thread */
	if (io_uring_queue_init(RING_ENTRIES, &io->ring,
				IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0 &&
	    io_uring_queue_init(RING_ENTRIES, &io->ring, 0) != 0)
		return false;
	for (unsigned i = 0; i < REC_IO_BUFFERS; i++)
		iov[i] = (struct iovec){rec_io_buffer(io, i), REC_IO_BUFFER_BYTES};
	io->fixed_buffers = io_uring_register_buffers(&io->ring, iov, REC_IO_BUFFERS) == 0;
	io->fixed_file = io_uring_register_files(&io->ring, &none, 1) == 0;
	return true;
}

int rec_io_open(struct rec_io **out, const struct record_config *cfg)
{
	struct rec_io *io = calloc(1, sizeof(*io));

	if (io == NULL)
		return -ENOMEM;
	io->cfg = cfg;
	io->fd = -1;
	io->buffers =
		mmap(NULL, (size_t)REC_IO_BUFFERS * REC_IO_BUFFER_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (io->buffers == MAP_FAILED) {
		free(io);
		return -ENOMEM;
	}
	io->uring = !cfg->plain_io && cfg->clock.now_ns == NULL && ring_open(io);
	*out = io;
	return 0;
}

void rec_io_close(struct rec_io *io)
{
	if (io->uring)
		io_uring_queue_exit(&io->ring);
	munmap(io->buffers, (size_t)REC_IO_BUFFERS * REC_IO_BUFFER_BYTES);
	free(io);
}

const char *rec_io_text(const struct rec_io *io)
{
	if (!io->uring)
		return "plain calls (no io_uring)";
	if (io->fixed_buffers && io->fixed_file)
		return "io_uring with registered buffers and files";
	return io->fixed_file ? "io_uring, buffers not registered (memory lock limit?)"
			      : "io_uring without registered files";
}

uint8_t *rec_io_buffer(struct rec_io *io, unsigned slot)
{
	return io->buffers + (size_t)slot * REC_IO_BUFFER_BYTES;
}

void rec_io_target(struct rec_io *io, int fd, unsigned volume)
{
	must(io->busy == 0);
	io->fd = fd;
	io->volume = volume;
	if (io->uring && io->fixed_file &&
	    io_uring_register_files_update(&io->ring, 0, &fd, 1) < 0) {
		io_uring_unregister_files(&io->ring);
		io->fixed_file = false;
	}
}

static void ripen(struct slot *s, int result)
{
	s->state = SLOT_RIPE;
	s->result = result;
}

static void wrote(struct rec_io *io, unsigned slot, int n);

/* Ask the test, if there is one. Returns true when the operation has been answered already. */
static bool begin(struct rec_io *io, unsigned slot, enum record_op op, size_t len, uint64_t offset)
{
	struct slot *s = &io->slot[slot];
	const struct record_config *c = io->cfg;
	int said = c->fault != NULL ? c->fault(c->fault_ctx, op, io->volume) : 0;

	must(s->state == SLOT_IDLE);
	*s = (struct slot){.state = SLOT_KERNEL, .len = len, .whole = len, .offset = offset};
	io->busy++;
	if (said == RECORD_FAULT_TORN)
		s->torn = true;
	else if (said > 0)
		s->not_before_ns = now_ns(io) + (uint64_t)said * PB_NS_PER_MS;
	else if (said < 0 && said != RECORD_FAULT_SHORT)
		ripen(s, said);
	/* only a part of what is asked for now; the rest follows as after any short write */
	if (said == RECORD_FAULT_SHORT || said == RECORD_FAULT_TORN)
		s->len = recording_pad(len / 2, RECORDING_BLOCK);
	return s->state == SLOT_RIPE;
}

static void submit(struct rec_io *io, struct io_uring_sqe *sqe, unsigned slot)
{
	if (io->fixed_file) {
		sqe->fd = 0;
		sqe->flags |= IOSQE_FIXED_FILE;
	}
	sqe->user_data = slot;

	int n;

	do
		n = io_uring_submit(&io->ring);
	while (n == -EINTR || n == -EAGAIN);
	must(n == 1);
}

/* What is left of the slot's buffer. */
static void write_rest(struct rec_io *io, unsigned slot)
{
	struct slot *s = &io->slot[slot];
	uint8_t *buf = rec_io_buffer(io, slot) + s->at;
	struct io_uring_sqe *sqe;
	size_t len = s->len - s->at;

	if (!io->uring) {
		ssize_t n = pwrite(io->fd, buf, len, (off_t)(s->offset + s->at));

		wrote(io, slot, n < 0 ? -errno : (int)n);
		return;
	}
	sqe = io_uring_get_sqe(&io->ring);
	must(sqe != NULL); /* the ring has more entries than there are slots */
	if (io->fixed_buffers)
		io_uring_prep_write_fixed(sqe, io->fd, buf, (unsigned)len, s->offset + s->at,
					  (int)slot);
	else
		io_uring_prep_write(sqe, io->fd, buf, (unsigned)len, s->offset + s->at);
	submit(io, sqe, slot);
}

/* `n` bytes were written, or that went wrong. A short write is gone on with from a block's start, as
 * direct I/O must; without progress it has failed. */
static void wrote(struct rec_io *io, unsigned slot, int n)
{
	struct slot *s = &io->slot[slot];

	if (n < 0) {
		ripen(s, n);
	} else if (s->torn) {
		ripen(s, -EIO);
	} else if (s->at + (size_t)n == s->whole) {
		ripen(s, 0);
	} else if (n < RECORDING_BLOCK) {
		ripen(s, -EIO);
	} else {
		s->at += (size_t)n - (size_t)n % RECORDING_BLOCK;
		s->len = s->whole;
		write_rest(io, slot);
	}
}

void rec_io_write(struct rec_io *io, unsigned slot, size_t len, uint64_t offset)
{
	must(slot < REC_IO_BUFFERS && len <= REC_IO_BUFFER_BYTES);
	if (!begin(io, slot, RECORD_OP_WRITE, len, offset))
		write_rest(io, slot);
}

void rec_io_sync(struct rec_io *io)
{
	struct io_uring_sqe *sqe;

	if (begin(io, REC_IO_SYNC, RECORD_OP_SYNC, 0, 0))
		return;
	if (!io->uring) {
		ripen(&io->slot[REC_IO_SYNC], fdatasync(io->fd) == 0 ? 0 : -errno);
		return;
	}
	sqe = io_uring_get_sqe(&io->ring);
	must(sqe != NULL);
	io_uring_prep_fsync(sqe, io->fd, IORING_FSYNC_DATASYNC);
	submit(io, sqe, REC_IO_SYNC);
}

static void reap(struct rec_io *io)
{
	struct io_uring_cqe *cqe;

	while (io_uring_peek_cqe(&io->ring, &cqe) == 0) {
		unsigned slot = (unsigned)cqe->user_data;
		int res = cqe->res;

		io_uring_cqe_seen(&io->ring, cqe);
		if (slot == REC_IO_SYNC)
			ripen(&io->slot[slot], res);
		else
			wrote(io, slot, res);
	}
}

/* Take what is ripe; *next_ns becomes the time when the first of the rest will be. */
static unsigned take(struct rec_io *io, struct rec_io_done *done, unsigned max, uint64_t *next_ns)
{
	uint64_t now = now_ns(io);
	unsigned n = 0;

	*next_ns = UINT64_MAX;
	for (unsigned i = 0; i < SLOTS && n < max; i++) {
		struct slot *s = &io->slot[i];

		if (s->state != SLOT_RIPE)
			continue;
		if (s->not_before_ns > now) {
			if (s->not_before_ns < *next_ns)
				*next_ns = s->not_before_ns;
			continue;
		}
		s->state = SLOT_IDLE;
		io->busy--;
		if (io->cfg->fault_done != NULL)
			io->cfg->fault_done(io->cfg->fault_ctx,
					    i == REC_IO_SYNC ? RECORD_OP_SYNC : RECORD_OP_WRITE,
					    io->volume, s->result);
		done[n++] = (struct rec_io_done){.slot = i, .result = s->result};
	}
	return n;
}

static void doze(struct rec_io *io, uint64_t ns)
{
	if (io->cfg->clock.sleep_until != NULL) {
		io->cfg->clock.sleep_until(io->cfg->clock.ctx, now_ns(io) + ns);
		return;
	}
	if (!io->uring) {
		struct timespec ts = {.tv_sec = (time_t)(ns / PB_NS_PER_S),
				      .tv_nsec = (long)(ns % PB_NS_PER_S)};

		nanosleep(&ts, NULL);
		return;
	}

	struct __kernel_timespec ts = {.tv_sec = (long long)(ns / PB_NS_PER_S),
				       .tv_nsec = (long long)(ns % PB_NS_PER_S)};
	struct io_uring_cqe *cqe;

	(void)io_uring_wait_cqe_timeout(&io->ring, &cqe, &ts);
}

unsigned rec_io_wait(struct rec_io *io, uint32_t timeout_ms, struct rec_io_done *done, unsigned max)
{
	uint64_t until_ns = now_ns(io) + timeout_ms * PB_NS_PER_MS;
	uint64_t next_ns;

	for (;;) {
		if (io->uring)
			reap(io);

		unsigned n = take(io, done, max, &next_ns);
		uint64_t now = now_ns(io);

		if (n > 0 || now >= until_ns)
			return n;
		doze(io, (next_ns < until_ns ? next_ns : until_ns) > now
				 ? (next_ns < until_ns ? next_ns : until_ns) - now
				 : 0);
	}
}

unsigned rec_io_busy(const struct rec_io *io)
{
	return io->busy;
}
