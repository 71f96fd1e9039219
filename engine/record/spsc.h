/* A bounded ring of 32-bit numbers from one producer thread to one consumer thread.
 *
 * Sized at spsc_init() for everything that can ever be in it, so that a full ring is a mistake of
 * ours, not a case.
 *
 * Thread: spsc_put() from one, spsc_get() from one other.
 */
#ifndef RECORD_SPSC_H
#define RECORD_SPSC_H

#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct spsc {
	uint32_t *slot;
	uint32_t mask;
	alignas(64) _Atomic uint32_t head; /* written by the producer */
	alignas(64) _Atomic uint32_t tail; /* written by the consumer */
};

/* A ring for `n` numbers at once. Returns 0 or -ENOMEM. */
static inline int spsc_init(struct spsc *r, uint32_t n)
{
	uint32_t size = 2;

	while (size < n)
		size *= 2;
	*r = (struct spsc){.slot = calloc(size, sizeof(uint32_t)), .mask = size - 1};
	return r->slot != NULL ? 0 : -ENOMEM;
}

static inline void spsc_fini(struct spsc *r)
{
	free(r->slot);
	r->slot = NULL;
}

/* Returns false when the ring is full. */
static inline bool spsc_put(struct spsc *r, uint32_t v)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	/* pairs with the release in spsc_get(): the slot has been read */
	if (head - atomic_load_explicit(&r->tail, memory_order_acquire) > r->mask)
		return false;
	r->slot[head & r->mask] = v;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

/* Returns false when the ring is empty. */
static inline bool spsc_get(struct spsc *r, uint32_t *v)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	/* pairs with the release in spsc_put(): the slot has been written */
	if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
		return false;
	*v = r->slot[tail & r->mask];
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

static inline uint32_t spsc_count(const struct spsc *r)
{
	return atomic_load_explicit(&r->head, memory_order_relaxed) -
	       atomic_load_explicit(&r->tail, memory_order_relaxed);
}

#endif
