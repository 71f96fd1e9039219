/* Memory that is let go of all at once: what one configuration or one flow is made of.
 *
 * Thread: the owner's. Running out of memory while a text of bounded length is read is not a
 * case anybody could act on: must().
 */
#ifndef CONF_ARENA_H
#define CONF_ARENA_H

#include <stddef.h>

struct conf_arena;

struct conf_arena *conf_arena_open(void);

/* `size` zeroed bytes, aligned for any type. */
void *conf_arena_get(struct conf_arena *a, size_t size);

/* `n` zeroed things of `size`; an array of none has an address nevertheless. */
void *conf_arena_array(struct conf_arena *a, size_t n, size_t size);

/* A copy of `len` bytes of text with a NUL behind. */
const char *conf_arena_text(struct conf_arena *a, const char *text, size_t len);

/* Free everything. NULL is allowed. */
void conf_arena_close(struct conf_arena *a);

#endif
