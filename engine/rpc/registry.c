/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

const char *registry_kind_name(enum object_kind kind)
{
	static const char *const names[OBJECT_KINDS] = {"call",    "leg",       "play",
							"collect", "recording", "monitor"};

	must(kind < OBJECT_KINDS);
	return names[kind];
}

void registry_init(struct registry *r, uint32_t buckets)
{
	must(buckets > 0 && (buckets & (buckets - 1)) == 0);
	*r = (struct registry){.buckets = buckets};
	r->by_id = calloc(buckets, sizeof(*r->by_id));
	r->by_number = calloc(buckets, sizeof(*r->by_number));
	must(r->by_id != NULL && r->by_number != NULL);
}

void registry_fini(struct registry *r)
{
	free(r->by_id);
	free(r->by_number);
	*r = (struct registry){0};
}

/* FNV-1a. Ids come from the controlling process, which is trusted not to attack its own engine. */
static struct object **id_bucket(const struct registry *r, enum object_kind kind, const char *id)
{
	uint32_t h = 2166136261U ^ (uint32_t)kind;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 16777619U;
	h ^= h >> 15;
	return &r->by_id[h & (r->buckets - 1)];
}

static struct object **number_bucket(const struct registry *r, uint64_t number)
{
	return &r->by_number[number & (r->buckets - 1)];
}

void registry_add(struct registry *r, struct object *o, const char *id)
{
	must(strlen(id) <= RPC_ID_MAX && registry_find(r, o->kind, id) == NULL);
	snprintf(o->id, sizeof(o->id), "%s", id);
	o->number = ++r->numbers;

	struct object **b = id_bucket(r, o->kind, id), **n = number_bucket(r, o->number);

	o->next_by_id = *b;
	*b = o;
	o->next_by_number = *n;
	*n = o;
	r->count[o->kind]++;
}

void registry_remove(struct registry *r, struct object *o)
{
	struct object **at = id_bucket(r, o->kind, o->id);

	while (*at != o) {
		must(*at != NULL);
		at = &(*at)->next_by_id;
	}
	*at = o->next_by_id;
	at = number_bucket(r, o->number);
	while (*at != o) {
		must(*at != NULL);
		at = &(*at)->next_by_number;
	}
	*at = o->next_by_number;
	r->count[o->kind]--;
}

struct object *registry_find(const struct registry *r, enum object_kind kind, const char *id)
{
	struct object *o = *id_bucket(r, kind, id);

	while (o != NULL && (o->kind != kind || strcmp(o->id, id) != 0))
		o = o->next_by_id;
	return o;
}

struct object *registry_number(const struct registry *r, enum object_kind kind, uint64_t number)
{
	struct object *o = *number_bucket(r, number);

	while (o != NULL && (o->number != number || o->kind != kind))
		o = o->next_by_number;
	return o;
}

struct object *registry_next(const struct registry *r, enum object_kind kind,
			     const struct object *after)
{
	struct object *o = after != NULL ? after->next_by_number : NULL;
	uint32_t bucket = after != NULL ? (uint32_t)(after->number & (r->buckets - 1)) + 1 : 0;

	for (;;) {
		while (o != NULL && o->kind != kind)
			o = o->next_by_number;
		if (o != NULL || bucket == r->buckets)
			return o;
		o = r->by_number[bucket++];
	}
}
