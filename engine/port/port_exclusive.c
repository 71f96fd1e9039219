/* SPDX-License-Identifier: Apache-2.0
 *
 * The exclusive ways in: devices that are the engine's alone. Each takes its addresses from the
 * operator's words, makes up a link address where the device has none, and names the arguments by
 * which DPDK makes the device.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "base/log.h"
#include "port/port_priv.h"

/* A locally administered address of our own: on the tap the kernel has the device's. */
static void choose_mac(struct port *p)
{
	struct timespec t;
	uint32_t any;

	if (p->spec.mac_given)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	p->own.mac[0] = 2;
	p->own.mac[1] = 'p';
	any = (uint32_t)t.tv_nsec ^ (uint32_t)getpid() << 12;
	memcpy(p->own.mac + 2, &any, sizeof(any));
}

/* The engine's own addresses, as the operator wrote them. */
static void adopt_spec(struct port *p)
{
	p->own = p->spec.own;
	p->own.exclusive = true;
	p->own.mtu = 1500;
	choose_mac(p);
}

static int open_tap(struct port *p, char *why, size_t size)
{
	char args[100];
	int err;

	adopt_spec(p);
	if (!p->own.ip4 && !p->own.ip6) {
		snprintf(why, size, "a tap needs an address of its own: give ip= or ip6=");
		return -EADDRNOTAVAIL;
	}
	p->queues = 1;
	/* As a fall-back the interface of that name exists already. */
	snprintf(p->name, sizeof(p->name), p->spec.driver == PORT_TAP ? "%s" : "pbtap0",
		 p->spec.name);
	snprintf(p->dev_name, sizeof(p->dev_name), "net_tap_%s", p->name);
	snprintf(args, sizeof(args), "iface=%s", p->name);
	err = port_dev_start(p, args, why, size);
	if (err < 0)
		return err;
	if (p->own.ip4_gw &&
	    (err = port_kernel_address(p->name, p->own.ip4_gateway, p->own.ip4_prefix)) < 0)
		log_warn("port",
			 "%s: the kernel's end could not be given the gateway's address: %s",
			 p->name, strerror(-err));
	p->link = true;
	return 0;
}

/* AF_PACKET on an interface that is ours alone. It keeps its link address, so that it need not be
 * promiscuous; an address of the kernel's on it would answer ARP beside us. */
static int open_raw(struct port *p, char *why, size_t size)
{
	char args[200];
	int err = port_kernel_read(&p->kernel, p->spec.name, &(struct net_own){.ip4 = false});

	snprintf(p->name, sizeof(p->name), "%s", p->spec.name);
	if (err == -ENODEV)
		snprintf(why, size, "there is no interface %s", p->name);
	else if (err < 0)
		snprintf(why, size, "%s: %s", p->name, strerror(-err));
	else if (p->kernel.own.ip4 || p->kernel.own.ip6)
		err = snprintf(why, size,
			       "%s has an address of the kernel's: remove it, or use it shared "
			       "(auto:%s)",
			       p->name, p->name) < 0
			      ? -EIO
			      : -EADDRNOTAVAIL;
	if (err == 0 && p->lock_fd < 0)
		err = port_lock(p, why, size);
	if (err < 0)
		return err;
	adopt_spec(p);
	memcpy(p->own.mac, p->spec.mac_given ? p->spec.own.mac : p->kernel.own.mac, 6);
	p->link = p->kernel.up;
	p->queues = p->cfg.workers;
	snprintf(p->dev_name, sizeof(p->dev_name), "net_af_packet_%s", p->name);
	snprintf(args, sizeof(args), "iface=%s,qpairs=%u,blocksz=65536,framesz=2048,framecnt=1024",
		 p->name, p->queues);
	err = port_dev_start(p, args, why, size);
	/* Neighbour discovery asks by multicast, and a mac= of its own is not the interface's. */
	if (err == 0 && rte_eth_promiscuous_enable(p->dev) != 0)
		log_warn("port", "%s: not promiscuous: IPv6 neighbours may not find us", p->name);
	return err;
}

static unsigned log2_of(uint32_t n)
{
	return 31u - (unsigned)__builtin_clz(n);
}

static int open_memif(struct port *p, char *why, size_t size)
{
	const struct port_spec *s = &p->spec;
	bool abstract = s->socket[0] == '@';
	char args[400];

	adopt_spec(p);
	p->queues = p->cfg.workers;
	snprintf(p->name, sizeof(p->name), "%s", s->name);
	snprintf(p->dev_name, sizeof(p->dev_name), "net_memif_%s", s->name);
	snprintf(args, sizeof(args),
		 "role=%s,id=%u,socket=%s,socket-abstract=%s,rsize=%u,bsize=2048,"
		 "mac=%02x:%02x:%02x:%02x:%02x:%02x",
		 s->server ? "server" : "client", s->id, s->socket + abstract,
		 abstract ? "yes" : "no", log2_of(s->slots), p->own.mac[0], p->own.mac[1],
		 p->own.mac[2], p->own.mac[3], p->own.mac[4], p->own.mac[5]);
	return port_dev_start(p, args, why, size);
}

static int open_vdev(struct port *p, char *why, size_t size)
{
	adopt_spec(p);
	p->queues = p->cfg.workers;
	snprintf(p->name, sizeof(p->name), "%s", p->spec.name);
	snprintf(p->dev_name, sizeof(p->dev_name), "%s", p->spec.name);
	return port_dev_start(p, p->spec.args, why, size);
}

static int open_pci(struct port *p, char *why, size_t size)
{
	struct rte_ether_addr mac;
	int err;

	snprintf(p->name, sizeof(p->name), "%s", p->spec.name);
	err = rte_eth_dev_get_port_by_name(p->name, &p->dev);
	if (err != 0) {
		snprintf(why, size, "no device %s: is it bound to vfio-pci?", p->name);
		return -ENODEV;
	}
	adopt_spec(p);
	p->queues = p->cfg.workers;
	if (!p->spec.mac_given && rte_eth_macaddr_get(p->dev, &mac) == 0)
		memcpy(p->own.mac, mac.addr_bytes, 6);
	err = port_dev_start(p, NULL, why, size);
	if (err == 0 && p->spec.mac_given) {
		memcpy(mac.addr_bytes, p->spec.own.mac, 6);
		(void)rte_eth_dev_default_mac_addr_set(p->dev, &mac);
	}
	return err;
}

static int open_ring(struct port *p, char *why, size_t size)
{
	int dev;

	adopt_spec(p);
	p->queues = 0;
	while (p->queues < p->cfg.workers && p->cfg.to_engine[p->queues] != NULL)
		p->queues++;
	snprintf(p->name, sizeof(p->name), "%s", p->spec.name[0] ? p->spec.name : "ring");
	snprintf(p->dev_name, sizeof(p->dev_name), "net_ring_%s", p->name);
	dev = rte_eth_from_rings(p->name, p->cfg.to_engine, p->queues, p->cfg.from_engine,
				 p->queues, (unsigned)SOCKET_ID_ANY);
	if (dev < 0) {
		snprintf(why, size, "the ring device cannot be made: %s", rte_strerror(rte_errno));
		return -EIO;
	}
	p->dev = (uint16_t)dev;
	p->made = true;
	p->link = true;
	return port_dev_start(p, NULL, why, size);
}

int port_exclusive_open(struct port *p, char *why, size_t size)
{
	switch (p->driver) {
	case PORT_TAP:
		return open_tap(p, why, size);
	case PORT_PCI:
		return open_pci(p, why, size);
	case PORT_RAW:
		return open_raw(p, why, size);
	case PORT_MEMIF:
		return open_memif(p, why, size);
	case PORT_VDEV:
		return open_vdev(p, why, size);
	case PORT_RING:
		return open_ring(p, why, size);
	case PORT_AUTO:
	case PORT_AF_XDP:
	case PORT_AF_PACKET:
		break;
	}
	return -EINVAL;
}
