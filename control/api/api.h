/* patchbayd's control socket: include/patchbay/control-protocol.md, method by method.
 *
 * A row of the method table is the name, the params' schema and the handler; what a handler may ask
 * of the centre is in call/centre.h. Questions to the database and to the engine are answered
 * later, when their answer comes.
 *
 * Thread: libre's loop.
 */
#ifndef API_API_H
#define API_API_H

#include "call/centre.h"

struct api;

/* Listen at `path` and become the centre's publisher of events. `group` is the gid that the socket
 * is given to, or -1. Returns 0 or the negative errno of rpc_server_open(). */
int api_open(struct api **api, struct centre *c, const char *path, int group);

/* Disconnect everybody. Engine and store must be closed before, so that no answer comes later. NULL
 * is fine. */
void api_close(struct api *api);

#endif
