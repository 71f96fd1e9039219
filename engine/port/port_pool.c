/* SPDX-License-Identifier: Apache-2.0
 *
 * What rte_pktmbuf_pool_create() does, with the three choices that it does not offer: the order in
 * which buffers are given out, how objects lie in memory, and which memory.
 */
#include "port/port_pool.h"

#include <errno.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/must.h"
#include "port/port_memory.h"

enum { CACHE = 256, PAGE = 4096 };

enum port_pool_layout port_pool_layout(enum port_driver driver)
{
	switch (driver) {
	case PORT_AUTO:
	case PORT_AF_XDP:
		return PORT_POOL_PAGES;
	case PORT_AF_PACKET:
	case PORT_TAP:
	case PORT_RAW:
	case PORT_MEMIF:
	case PORT_RING:
		return PORT_POOL_DENSE;
	case PORT_PCI:
	case PORT_VDEV: /* whatever it is */
		break;
	}
	return PORT_POOL_DEVICE;
}

/* Bytes of an object besides its head, which the library puts in front. */
static unsigned element_bytes(enum port_pool_layout layout)
{
	struct rte_mempool_objsz size;
	unsigned bytes =
		(unsigned)sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + PORT_POOL_ROOM_MIN;

	if (layout != PORT_POOL_PAGES)
		return bytes;
	rte_mempool_calc_obj_size(bytes, RTE_MEMPOOL_F_NO_SPREAD, &size);
	must(size.total_size <= PAGE);
	return bytes + PAGE - size.total_size;
}

static void unmap(struct rte_mempool_memhdr *chunk, void *arg)
{
	(void)arg;
	port_memory_unmap(chunk->addr, chunk->len);
}

/* Give the pool its memory: one piece of ours, unless a device needs what DPDK knows. */
static int populate(struct rte_mempool *pool, unsigned packets, enum port_pool_layout layout)
{
	size_t bytes = (size_t)packets * (pool->header_size + pool->elt_size + pool->trailer_size);
	void *memory;
	int n;

	if (layout == PORT_POOL_DEVICE || rte_eal_has_hugepages())
		return rte_mempool_populate_default(pool);
	memory = port_memory_map(bytes);
	if (memory == NULL)
		return -ENOMEM;
	n = rte_mempool_populate_iova(pool, memory, (rte_iova_t)memory, bytes, unmap, NULL);
	if (n == (int)packets)
		return n;
	if (n <= 0)
		port_memory_unmap(memory, bytes);
	return n < 0 ? n : -ENOMEM;
}

struct rte_mempool *port_pool_create(const char *name, unsigned packets,
				     enum port_pool_layout layout)
{
	static const unsigned flags[] = {
		[PORT_POOL_PAGES] = RTE_MEMPOOL_F_NO_SPREAD,
		[PORT_POOL_DENSE] = RTE_MEMPOOL_F_NO_IOVA_CONTIG,
		[PORT_POOL_DEVICE] = 0,
	};
	unsigned bytes = element_bytes(layout);
	struct rte_pktmbuf_pool_private priv = {
		.mbuf_data_room_size = (uint16_t)(bytes - sizeof(struct rte_mbuf))};
	struct rte_mempool *pool = rte_mempool_create_empty(
		name, packets, bytes, CACHE, sizeof(priv), SOCKET_ID_ANY, flags[layout]);
	int err;

	if (pool == NULL)
		return NULL;
	err = rte_mempool_set_ops_byname(pool, "stack", NULL);
	if (err == 0) {
		rte_pktmbuf_pool_init(pool, &priv);
		err = populate(pool, packets, layout);
	}
	if (err < 0) {
		rte_mempool_free(pool);
		rte_errno = -err;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}
