/* A timer wheel: items that are due every `slots` milliseconds, each at its own phase.
 *
 * Items are small indices; the links between those of one slot live in the caller's array, so that
 * adding and removing touch two neighbours and allocate nothing. A bit map of occupied slots finds
 * the next one with work, which is how long an idle worker may sleep.
 *
 * Thread: the worker that owns it. Pure.
 */
#ifndef WORKER_WHEEL_H
#define WORKER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_SLOTS_MAX = 256 };
#define WHEEL_NONE UINT32_MAX

struct wheel_link {
	uint32_t next, prev; /* WHEEL_NONE at the ends */
	uint16_t slot;
	bool inside;
};

struct wheel {
	uint32_t slots; /* at most WHEEL_SLOTS_MAX */
	uint32_t items;
	uint32_t head[WHEEL_SLOTS_MAX];
	uint16_t held[WHEEL_SLOTS_MAX]; /* items per slot */
	uint64_t occupied[WHEEL_SLOTS_MAX / 64];
	struct wheel_link *link; /* by item, all zero at first */
};

/* `link` has a zeroed entry for each index that will be added. */
void wheel_init(struct wheel *wh, uint32_t slots, struct wheel_link *link);

/* Put `item` into slot `slot`; it must not be inside. */
void wheel_add(struct wheel *wh, uint32_t item, uint32_t slot);

/* Take it out; nothing happens when it is not inside. */
void wheel_remove(struct wheel *wh, uint32_t item);

/* The least occupied of the slots, the first one after `near` among equals: where a newcomer
 * disturbs least. */
uint32_t wheel_quiet(const struct wheel *wh, uint32_t near);

/* Milliseconds from `ms` (inclusive) until a slot with items; UINT32_MAX when there are none. */
uint32_t wheel_ahead(const struct wheel *wh, uint64_t ms);

#endif
