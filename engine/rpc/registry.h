/* Everything that has an id: calls, legs, plays, collects, recordings, monitors.
 *
 * An object is found by (kind, id) for clients and, where the worker speaks of it by a number, by that
 * number. Legs and calls are spoken of by index and generation: engine_rpc keeps arrays for them.
 *
 * Thread: the main lcore; pure but for memory.
 */
#ifndef RPC_REGISTRY_H
#define RPC_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "patchbay/rpc_params.h"

enum object_kind {
	OBJECT_CALL,
	OBJECT_LEG,
	OBJECT_PLAY,
	OBJECT_COLLECT,
	OBJECT_RECORDING,
	OBJECT_MONITOR,
	OBJECT_KINDS
};

/* The head of every object's struct. */
struct object {
	enum object_kind kind;
	char id[RPC_ID_MAX + 1];
	uint64_t number; /* never reused; 0 until added */
	struct object *next_by_id, *next_by_number;
};

struct registry {
	struct object **by_id, **by_number;
	uint32_t buckets; /* a power of two */
	uint32_t count[OBJECT_KINDS];
	uint64_t numbers;
};

/* "call", "leg", ... as errors and events say it. */
const char *registry_kind_name(enum object_kind kind);

void registry_init(struct registry *r, uint32_t buckets);
void registry_fini(struct registry *r);

/* Add an object whose kind is set; no other of this kind may have the id. Gives it its number. */
void registry_add(struct registry *r, struct object *o, const char *id);

/* Take it out; the caller frees it. */
void registry_remove(struct registry *r, struct object *o);

struct object *registry_find(const struct registry *r, enum object_kind kind, const char *id);
struct object *registry_number(const struct registry *r, enum object_kind kind, uint64_t number);

/* Walk over all objects of a kind, in no order: start with NULL. The current one may not be removed
 * before the walk goes on. */
struct object *registry_next(const struct registry *r, enum object_kind kind,
			     const struct object *after);

#endif
