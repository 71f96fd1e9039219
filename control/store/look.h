/* A look into patchbayd's database from another process: read only, never in its way.
 *
 * The file may be absent, locked or older than this program: then there is simply nothing known.
 *
 * Thread: one at a time per struct.
 */
#ifndef STORE_LOOK_H
#define STORE_LOOK_H

#include <jansson.h>

struct look;

/* Returns 0 or -ENOENT (no such file yet), or negative errno. */
int look_open(struct look **l, const char *file);
void look_close(struct look *l);

/* What the record of a call knows of it: {call, direction ("in", "out", "internal"), result, caller,
 * called, agent, queue, holds, hold_ms, wait_ms, talk_ms, mos, ended (bool)}; the caller's. Returns
 * 0, -ENOENT, or negative errno. */
int look_call(struct look *l, const char *call, json_t **facts);

#endif
