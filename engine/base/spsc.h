/* A bounded queue of fixed-size structs between one producer thread and one consumer thread.
 *
 * The producer owns `tail`, the consumer owns `head`; each keeps a copy of the other's counter and
 * looks at the real one only when the copy says full or empty. Elements are copied in and out.
 *
 * Ordering: the release store of `tail` in spsc_put() pairs with the acquire load in spsc_get();
 * that of `head` in spsc_get() with the load in spsc_room().
 *
 * Thread: put and room by the producer, get and ready by the consumer, held by anyone.
 */
#ifndef BASE_SPSC_H
#define BASE_SPSC_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct spsc {
	uint8_t *slot;
	uint32_t n; /* a power of two */
	uint32_t bytes;
	alignas(64) _Atomic uint32_t tail;
	uint32_t head_seen;
	alignas(64) _Atomic uint32_t head;
	uint32_t tail_seen;
};

/* Prepare a queue of `n` elements (a power of two) of `bytes` each in the caller's n * bytes bytes of
 * memory, which must outlive it. */
void spsc_init(struct spsc *q, void *memory, uint32_t n, uint32_t bytes);

/* Free places. */
uint32_t spsc_room(struct spsc *q);

/* Append a copy of *element. False when the queue is full. */
bool spsc_put(struct spsc *q, const void *element);

/* Take the oldest element into *element. False when the queue is empty. */
bool spsc_get(struct spsc *q, void *element);

/* Elements held, as either side or a bystander sees it: a moment old. */
uint32_t spsc_held(const struct spsc *q);

/* Whether spsc_get() would find something. */
bool spsc_ready(struct spsc *q);

#endif
