/* What the kernel knows about an interface, its routes and its neighbours.
 *
 * Thread: main lcore; port_kernel_read() any. Sources: netdevice(7), rtnetlink(7).
 */
#ifndef PORT_PORT_KERNEL_H
#define PORT_PORT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

struct port_kernel_if {
	int index;
	bool up;           /* administratively, and with a carrier */
	uint16_t channels; /* receive queues that it uses; 1 when it does not say */
	struct net_own own;
};

/* Read the interface `name`. Of several addresses that of `wish` is taken where it has one (else
 * -EADDRNOTAVAIL), otherwise the first global one of each family. Returns 0, -ENODEV, or other
 * negative errno; having no address is not an error. */
int port_kernel_read(struct port_kernel_if *k, const char *name, const struct net_own *wish);

/* Whether it has a carrier now. */
bool port_kernel_link(const char *name);

/* Give `name` an IPv4 address and set it up (the kernel's end of a tap). 0 or negative errno. */
int port_kernel_address(const char *name, const uint8_t ip[4], uint8_t prefix);

/* A netlink conversation about one interface. */
struct port_kernel;

/* Returns 0 or negative errno. `*fd` is readable when port_kernel_read_news() has something. */
int port_kernel_open(struct port_kernel **k, int ifindex, int *fd);
void port_kernel_close(struct port_kernel **k);

/* The next hop towards `ip`. 0; -EXDEV when the route leaves by another interface; -EADDRINUSE when
 * it is an address of this host itself; -ENETUNREACH. */
int port_kernel_route(struct port_kernel *k, uint8_t family, const uint8_t *ip, uint8_t hop[16]);

/* The link address of a neighbour: 0, or -EAGAIN when the kernel does not know it yet (it
 * has been asked to find out, and the news will come), or another negative errno. */
int port_kernel_neighbour(struct port_kernel *k, uint8_t family, const uint8_t *hop,
			  uint8_t mac[6]);

/* Make the kernel find out whether a neighbour is still where it was: the news come when it is not. */
void port_kernel_probe(struct port_kernel *k, uint8_t family, const uint8_t *hop);

/* Read what was announced: calls `fn` for each neighbour that became known, sets `*link` when the
 * interface itself changed and `*routes` when a route did. */
typedef void port_kernel_news_fn(void *arg, uint8_t family, const uint8_t *hop,
				 const uint8_t mac[6]);
void port_kernel_read_news(struct port_kernel *k, port_kernel_news_fn *fn, void *arg, bool *link,
			   bool *routes);

#endif
