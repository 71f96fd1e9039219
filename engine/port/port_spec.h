/* The port as the operator writes it: `DRIVER:NAME[,option=value...]`.
 *
 *	auto:eth0        AF_XDP, else AF_PACKET, on the kernel interface eth0, else a tap
 *	af_xdp:eth0      AF_XDP or nothing        af_packet:eth0   AF_PACKET or nothing
 *	tap:pb0,ip=10.1.2.3/24[,gw=10.1.2.1][,ip6=fd00::3/64][,gw6=...][,mac=..]
 *	pci:0000:03:00.0,ip=...    a device bound to vfio
 *	raw:eth1,ip=...            AF_PACKET on a kernel interface that has no address of the kernel's
 *	memif:NAME,socket=PATH,role=server|client[,id=0][,slots=1024],ip=...
 *	                           shared memory with a neighbour on this host (libmemif, VPP, DPDK)
 *	vdev:net_pcap0,args=rx_pcap=in.pcap;tx_pcap=out.pcap,ip=...
 *	                           any virtual device of DPDK; `;` stands for its commas
 *	ring:,ip=...               tests
 *
 * An *exclusive* port (all but auto, af_xdp and af_packet) belongs to the engine alone: it needs ip= or
 * ip6=, and may have gw, gw6, mac, vlan and up to PORT_ROUTES_MAX times route=PREFIX@NEXTHOP. With vlan=N it
 * speaks 802.1Q: frames of other VLANs are not ours.
 * What `auto` falls back to takes ip, gw and so on from here as well; shared ports take the kernel's
 * addresses and routes, and a VLAN by the name of the kernel's VLAN interface (af_xdp:eth0.7). With several
 * addresses on a kernel interface ip= or ip6= of a shared port chooses one of them.
 *
 * Thread: any; pure.
 */
#ifndef PORT_PORT_SPEC_H
#define PORT_PORT_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

enum port_driver {
	PORT_AUTO,
	PORT_AF_XDP,
	PORT_AF_PACKET,
	PORT_TAP,
	PORT_PCI,
	PORT_RAW,
	PORT_MEMIF,
	PORT_VDEV,
	PORT_RING,
};

enum { PORT_ROUTES_MAX = 8, PORT_SPEC_WORD_MAX = 160 };

/* Beyond the link: what lies in `net` is sent by way of `hop`, which is on the link. */
struct port_route {
	uint8_t family; /* 4 or 6 */
	uint8_t bits;
	uint8_t net[16];
	uint8_t hop[16];
};

struct port_spec {
	enum port_driver driver;
	char name[32];
	struct net_own own; /* what the options gave; ip4/ip6 false when they did not */
	bool mac_given;
	unsigned routes;
	struct port_route route[PORT_ROUTES_MAX];
	/* memif */
	bool server;
	char socket[PORT_SPEC_WORD_MAX]; /* "@NAME": abstract */
	uint32_t id;
	uint32_t slots; /* of each ring, a power of two */
	/* vdev */
	char args[PORT_SPEC_WORD_MAX]; /* with DPDK's commas */
};

/* Read `text`. Returns 0, or -EINVAL with a sentence in `why`; `spec` is then untouched. */
int port_spec_parse(struct port_spec *spec, const char *text, char *why, size_t why_size);

/* Whether the kernel keeps the interface and we take RTP from it. */
static inline bool port_driver_shared(enum port_driver driver)
{
	return driver == PORT_AUTO || driver == PORT_AF_XDP || driver == PORT_AF_PACKET;
}

/* The next hop towards `ip` by what the spec says: `ip` itself on the link, else by the longest of the
 * routes, else by the gateway. False: there is no way. `hop` has 16 bytes. */
bool port_spec_hop(const struct port_spec *spec, uint8_t family, const uint8_t *ip, uint8_t *hop);

/* "af_xdp" and so on. */
const char *port_driver_name(enum port_driver driver);

#endif
