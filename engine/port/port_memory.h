/* Memory that the packet path reads all over: tables of legs, packets.
 *
 * Beyond some thousand calls a packet's lines are each on another page, and with pages of 4 KiB looking up the page
 * costs as much as the line (a relayed packet of 50,000 legs: 141 ns, on large pages 105). DPDK's hugepages are taken
 * where it has them. Without them its heap is a memory file, of which the kernel makes large pages nowhere by itself; this
 * takes anonymous memory instead and asks for transparent huge pages (2 MiB). Where those are switched off it is
 * ordinary memory as any.
 *
 * Thread: main.
 */
#ifndef PORT_PORT_MEMORY_H
#define PORT_PORT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* `bytes` zeroed bytes, aligned to a cache line, on NUMA node `socket` (or SOCKET_ID_ANY; without hugepages: where
 * they are touched first). NULL: there is not so much. Release with port_memory_put(). */
void *port_memory_take(size_t bytes, int socket);

/* NULL is fine. */
void port_memory_put(void *memory);

/* For packets, without DPDK's hugepages only: `bytes` zeroed bytes that begin a page; NULL as above. Release with
 * port_memory_unmap() and the same `bytes`. */
void *port_memory_map(size_t bytes);
void port_memory_unmap(void *memory, size_t bytes);

#endif
