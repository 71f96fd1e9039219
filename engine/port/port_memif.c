/* SPDX-License-Identifier: Apache-2.0
 *
 * A memif's peer may leave at any moment, and DPDK's driver (22.11, and as far as we read it the
 * newest) then unmaps the shared rings on its interrupt thread while a worker may be reading them: it
 * clears a flag that each burst looks at on entry, but does not wait for a burst that is under
 * way. A worker that was interrupted in the middle of one dies of a bad address.
 *
 * So the driver is made to wait, where it calls munmap(): this program's own munmap() stands before
 * the C library's for all that is linked here. On the interrupt thread it waits until every worker has
 * been seen outside of a burst. Workers pay two plain stores a burst (port_lane.c); the fence that
 * orders them against the driver's flag is made by the slow side for all threads, membarrier(2).
 */
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include "port/port_memif.h"
#include "port/port_priv.h"

/* The memif that is open, if any. One per process: an engine has one port. */
static struct port *_Atomic guarded;

void port_memif_guard(struct port *p)
{
	if (p != NULL)
		(void)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	atomic_store(&guarded, p);
}

static void wait_for_bursts(const struct port *p)
{
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	for (uint16_t i = 0; i < p->cfg.workers; i++)
		while (atomic_load_explicit(&p->lane[i].in_burst, memory_order_acquire))
			(void)sched_yield();
}

int munmap(void *addr, size_t len)
{
	const struct port *p = atomic_load(&guarded);

	if (p != NULL && rte_thread_is_intr())
		wait_for_bursts(p);
	return (int)syscall(SYS_munmap, addr, len);
}
