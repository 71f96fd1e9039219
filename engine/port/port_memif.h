/* The one thing that a memif needs beyond its driver: that rings are not unmapped under a worker.
 *
 * Thread: port_memif_guard(): main, while the workers do not run.
 */
#ifndef PORT_PORT_MEMIF_H
#define PORT_PORT_MEMIF_H

struct port;

/* From now on (until called with NULL) the driver waits for `p`'s workers before it unmaps. */
void port_memif_guard(struct port *p);

#endif
