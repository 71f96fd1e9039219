/* SPDX-License-Identifier: Apache-2.0
 *
 * Head and tail run freely and wrap at 2^32; an element's place is its number modulo n. The
 * difference tail - head is the number of elements held, whatever the wrap.
 */
#include "base/spsc.h"

#include <string.h>

#include "base/must.h"

void spsc_init(struct spsc *q, void *memory, uint32_t n, uint32_t bytes)
{
	must(n > 0 && (n & (n - 1)) == 0);
	q->slot = memory;
	q->n = n;
	q->bytes = bytes;
	atomic_init(&q->tail, 0);
	atomic_init(&q->head, 0);
	q->head_seen = 0;
	q->tail_seen = 0;
}

static uint8_t *slot_of(const struct spsc *q, uint32_t number)
{
	return q->slot + (size_t)(number & (q->n - 1)) * q->bytes;
}

uint32_t spsc_room(struct spsc *q)
{
	uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
	return q->n - (tail - q->head_seen);
}

uint32_t spsc_held(const struct spsc *q)
{
	uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	return atomic_load_explicit(&q->tail, memory_order_relaxed) - head;
}

bool spsc_put(struct spsc *q, const void *element)
{
	uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	if (tail - q->head_seen == q->n && spsc_room(q) == 0)
		return false;
	memcpy(slot_of(q, tail), element, q->bytes);
	atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
	return true;
}

bool spsc_ready(struct spsc *q)
{
	uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	if (head == q->tail_seen)
		q->tail_seen = atomic_load_explicit(&q->tail, memory_order_acquire);
	return head != q->tail_seen;
}

bool spsc_get(struct spsc *q, void *element)
{
	if (!spsc_ready(q))
		return false;

	uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	memcpy(element, slot_of(q, head), q->bytes);
	atomic_store_explicit(&q->head, head + 1, memory_order_release);
	return true;
}
