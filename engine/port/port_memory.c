/* SPDX-License-Identifier: Apache-2.0
 *
 * A mapping is made larger by one large page and cut so that it begins with one: the kernel looks for
 * large pages at their own borders only.
 */
#include "port/port_memory.h"

#include <stdint.h>
#include <sys/mman.h>

#include <rte_eal.h>
#include <rte_malloc.h>

enum { LINE = 64, PAGE = 4096 };
#define LARGE_PAGE ((size_t)2 << 20)

/* In front of what port_memory_take() gives out: how long the mapping is. */
struct front {
	_Alignas(LINE) size_t bytes;
};

static size_t up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

void *port_memory_map(size_t bytes)
{
	size_t len = up(bytes, PAGE), all = len + LARGE_PAGE;
	uint8_t *at = mmap(NULL, all, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return NULL;

	uint8_t *begin = (uint8_t *)up((uintptr_t)at, LARGE_PAGE);

	if (begin > at)
		(void)munmap(at, (size_t)(begin - at));
	(void)munmap(begin + len, (size_t)(at + all - (begin + len)));
	(void)madvise(begin, len, MADV_HUGEPAGE); /* a wish */
	return begin;
}

void port_memory_unmap(void *memory, size_t bytes)
{
	(void)munmap(memory, up(bytes, PAGE));
}

void *port_memory_take(size_t bytes, int socket)
{
	if (rte_eal_has_hugepages())
		return rte_zmalloc_socket("tables", bytes, LINE, socket);

	struct front *f = port_memory_map(sizeof(*f) + bytes);

	if (f == NULL)
		return NULL;
	f->bytes = sizeof(*f) + bytes;
	return f + 1;
}

void port_memory_put(void *memory)
{
	if (rte_eal_has_hugepages())
		rte_free(memory);
	else if (memory != NULL)
		port_memory_unmap((struct front *)memory - 1, ((struct front *)memory - 1)->bytes);
}
