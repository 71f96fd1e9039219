/* The embedded filters, made concrete. */
#ifndef PORT_PORT_XDP_H
#define PORT_PORT_XDP_H

#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

/* A copy of the filter object with the addresses of `own` and the UDP ports first..last in it.
 * The caller frees it; NULL without memory. */
char *port_xdp_patch(const char *object, size_t size, const struct net_own *own, uint16_t first,
		     uint16_t last);

#endif
