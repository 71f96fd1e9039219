/* Packet memory, laid out for what will read it.
 *
 * The buffer that was freed last is given out first, so that what is made here is written to lines
 * that are still in the cache; a pool that goes round through all its buffers makes a played packet
 * half as dear again.
 *
 * Layouts:
 *   PORT_POOL_PAGES  one packet exactly on each 4 KiB. The AF_XDP driver of DPDK 22.11 shows the kernel
 *                    `count x object size` bytes as packet memory, from the first object on. Where
 *                    DPDK leaves gaps so that no object crosses a page, the last objects lie outside of
 *                    what was shown: frames in them are neither received nor sent, without an error.
 *                    Objects that fill their page leave no gaps. (DPDK 24.07 reads the true size.)
 *   PORT_POOL_DENSE  packets side by side, an odd number of cache lines each, whatever pages they
 *                    cross: for drivers that only copy. Packets that begin at the same place of each
 *                    page meet in few sets of the cache.
 *   PORT_POOL_DEVICE as DPDK wants it for devices that read memory by themselves.
 *
 * Thread: main.
 */
#ifndef PORT_PORT_POOL_H
#define PORT_PORT_POOL_H

#include "port/port_spec.h"

struct rte_mempool;

enum port_pool_layout { PORT_POOL_PAGES, PORT_POOL_DENSE, PORT_POOL_DEVICE };

enum {
	PORT_POOL_ROOM_MIN = 2048, /* bytes of a frame that always fit, behind the headroom */
	PORT_POOL_BYTES = 4096,    /* of memory a packet, at most */
};

/* What ports of this driver need. */
enum port_pool_layout port_pool_layout(enum port_driver driver);

/* `packets` buffers called `name`. NULL with rte_errno set when there is no memory. Release with
 * rte_mempool_free(). */
struct rte_mempool *port_pool_create(const char *name, unsigned packets,
				     enum port_pool_layout layout);

#endif
