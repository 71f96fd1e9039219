/* The free indexes of one worker (its port pairs, its calls): a queue, so that the one longest at rest is
 * used first, and each with a generation that is raised at every use.
 *
 * Thread: the main lcore; pure.
 */
#ifndef RPC_POOL_H
#define RPC_POOL_H

#include <stdbool.h>
#include <stdint.h>

struct pool_entry {
	uint32_t generation; /* of the newest use; 0: never used */
	bool used;
	uint64_t ready_ms; /* when it may be used again */
};

struct pool {
	uint32_t first, count;    /* indexes first .. first + count - 1 */
	struct pool_entry *entry; /* by index - first */
	uint32_t *queue;          /* ring of `count` places: the free ones, longest at rest first */
	uint32_t head, held;
};

void pool_init(struct pool *p, uint32_t first, uint32_t count);
void pool_fini(struct pool *p);

/* Take an index that has rested long enough. Returns false when there is none. */
bool pool_take(struct pool *p, uint64_t now_ms, uint32_t *index, uint32_t *generation);

/* Give it back; it rests until `ready_ms`. */
void pool_give(struct pool *p, uint32_t index, uint64_t ready_ms);

/* Indexes in use, and free ones that still rest at `now_ms`. */
uint32_t pool_used(const struct pool *p);
uint32_t pool_resting(const struct pool *p, uint64_t now_ms);

#endif
