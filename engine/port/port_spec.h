/* The port as the operator writes it: `DRIVER:NAME[,option=value...]`.
 *
 *	auto:eth0        AF_XDP, else AF_PACKET, on the kernel interface eth0, else a tap
 *	af_xdp:eth0      AF_XDP or nothing        af_packet:eth0   AF_PACKET or nothing
 *	tap:pb0,ip=10.1.2.3/24[,gw=10.1.2.1][,ip6=fd00::3/64][,gw6=...][,mac=..]
 *	pci:0000:03:00.0,ip=...    a device bound to vfio    ring:,ip=...   tests
 *
 * Options ip, ip6, gw, gw6, mac belong to exclusive ports (tap, pci, ring) and to what `auto` falls
 * back to; shared ones take the kernel's addresses. With several addresses on a kernel interface
 * ip= or ip6= of a shared port chooses one of them.
 *
 * Thread: any; pure.
 */
#ifndef PORT_PORT_SPEC_H
#define PORT_PORT_SPEC_H

#include <stddef.h>

#include "net/net.h"

enum port_driver {
	PORT_AUTO,
	PORT_AF_XDP,
	PORT_AF_PACKET,
	PORT_TAP,
	PORT_PCI,
	PORT_RING,
};

struct port_spec {
	enum port_driver driver;
	char name[32];
	struct net_own own; /* what the options gave; ip4/ip6 false when they did not */
	bool mac_given;
};

/* Read `text`. Returns 0, or -EINVAL with a sentence in `why`; `spec` is then untouched. */
int port_spec_parse(struct port_spec *spec, const char *text, char *why, size_t why_size);

/* "af_xdp" and so on. */
const char *port_driver_name(enum port_driver driver);

#endif
