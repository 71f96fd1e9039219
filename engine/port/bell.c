/* SPDX-License-Identifier: Apache-2.0 */
#include "port/bell.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int bell_init(struct bell *b)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	atomic_init(&b->drowsy, false);
	b->fd = fd;
	return 0;
}

void bell_fini(struct bell *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

/* The two fences (here and in bell_ring) pair with each other. */
void bell_drowse(struct bell *b)
{
	atomic_store_explicit(&b->drowsy, true, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

void bell_wake(struct bell *b)
{
	uint64_t rung;

	/* A ringer that saw us drowse may write after this read; the next sleep then ends at once,
	 * and its bell_wake() takes the rest. */
	atomic_store_explicit(&b->drowsy, false, memory_order_relaxed);
	(void)!read(b->fd, &rung, sizeof(rung));
}

void bell_ring(struct bell *b)
{
	const uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&b->drowsy, memory_order_relaxed))
		return;
	if (atomic_exchange_explicit(&b->drowsy, false, memory_order_acq_rel))
		(void)!write(b->fd, &one, sizeof(one)); /* only one of several ringers pays */
}
