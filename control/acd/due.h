/* What is due when: a heap of numbered things, each with at most one due time.
 *
 * Setting, moving and clearing a time cost O(log n); equal times come in the order of the
 * numbers, so that the same events always give the same order.
 *
 * Thread: the owner's. Memory: the caller's, due_bytes().
 */
#ifndef ACD_DUE_H
#define ACD_DUE_H

#include <stddef.h>
#include <stdint.h>

#define DUE_NEVER UINT64_MAX

struct due {
	uint32_t n;
	uint32_t *heap;  /* things, the earliest first */
	uint32_t *place; /* of each thing in `heap`, or UINT32_MAX */
	uint64_t *at;    /* of each thing */
};

/* Bytes for `things` of them; due_init() prepares as many in memory aligned for uint64_t. */
size_t due_bytes(uint32_t things);
void due_init(struct due *d, void *memory, uint32_t things);

/* Set the time of `thing`, or clear it with DUE_NEVER. */
void due_set(struct due *d, uint32_t thing, uint64_t at);

/* The earliest time, DUE_NEVER when there is none, and whose it is. */
uint64_t due_first(const struct due *d, uint32_t *thing);

#endif
