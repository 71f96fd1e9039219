/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening is a table of ways: a spec allows one or several drivers, each is tried whole and undone
 * whole, and the sentence of the one that refused becomes the reason of the fall-back.
 *
 * A shared port holds a lock on its interface for as long as it is open: an abstract socket, whose
 * name is free again the moment the process is gone, however it went, and which is as local to a
 * network namespace as the interface itself.
 */
#include "port/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/log.h"
#include "port/port_memif.h"
#include "port/port_priv.h"

enum { WHY_MAX = 200 };

int port_lock(struct port *p, char *why, size_t size)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int n = snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "patchbay/port/%s", p->name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) != 0) {
		int err = -errno;

		close(fd);
		snprintf(why, size, "an engine is already running on this interface");
		return err;
	}
	p->lock_fd = fd;
	return 0;
}

static int adopt_kernel(struct port *p, char *why, size_t size)
{
	int err = port_kernel_read(&p->kernel, p->spec.name, &p->spec.own);

	if (err == -ENODEV)
		snprintf(why, size, "there is no interface %s", p->spec.name);
	else if (err == -EADDRNOTAVAIL)
		snprintf(why, size, "%s does not have the address that was given", p->spec.name);
	else if (err < 0)
		snprintf(why, size, "%s: %s", p->spec.name, strerror(-err));
	else if (!p->kernel.own.ip4 && !p->kernel.own.ip6)
		err = snprintf(why, size, "%s has no address", p->spec.name) < 0 ? -EIO
										 : -EADDRNOTAVAIL;
	if (err < 0)
		return err;
	p->own = p->kernel.own;
	p->link = p->kernel.up;
	return 0;
}

static uint16_t xdp_queues(uint16_t channels)
{
	return channels < PORT_QUEUES_MAX ? channels : PORT_QUEUES_MAX;
}

uint16_t port_queues(const struct port_spec *spec, uint16_t workers)
{
	struct port_kernel_if k;
	uint16_t queues =
		workers; /* one is enough for tap; what falls back has no more than this */

	if (spec->driver != PORT_AUTO && spec->driver != PORT_AF_XDP)
		return queues;
	if (port_kernel_read(&k, spec->name, &(struct net_own){.ip4 = false}) == 0 &&
	    xdp_queues(k.channels) > queues)
		queues = xdp_queues(k.channels);
	return queues;
}

static int open_af_xdp(struct port *p, char *why, size_t size)
{
	char args[200];
	int err = port_xdp_prepare(p, why, size);

	if (err < 0)
		return err;
	p->queues = xdp_queues(p->kernel.channels);
	snprintf(p->dev_name, sizeof(p->dev_name), "net_af_xdp_%s", p->name);
	snprintf(args, sizeof(args),
		 "iface=%s,start_queue=0,queue_count=%u,xdp_prog=/proc/self/fd/%d", p->name,
		 p->queues, p->object_fd);
	err = port_dev_start(p, args, why, size);
	if (err < 0)
		port_xdp_cleanup(p);
	return err;
}

static int open_af_packet(struct port *p, char *why, size_t size)
{
	char args[200];
	int err;

	p->queues = p->cfg.workers;
	snprintf(p->dev_name, sizeof(p->dev_name), "net_af_packet_%s", p->name);
	snprintf(args, sizeof(args), "iface=%s,qpairs=%u,blocksz=65536,framesz=2048,framecnt=1024",
		 p->name, p->queues);
	err = port_dev_start(p, args, why, size);
	if (err == 0)
		port_packet_filter(p);
	return err;
}

static int open_shared(struct port *p, char *why, size_t size)
{
	int err;

	snprintf(p->name, sizeof(p->name), "%s", p->spec.name);
	err = adopt_kernel(p, why, size);
	if (err == 0 && p->lock_fd < 0)
		err = port_lock(p, why, size);
	if (err < 0)
		return err;
	port_packet_cleanup(p); /* what a killed engine may have left */
	return p->driver == PORT_AF_XDP ? open_af_xdp(p, why, size) : open_af_packet(p, why, size);
}

static int open_driver(struct port *p, enum port_driver driver, char *why, size_t size)
{
	p->driver = driver;
	return port_driver_shared(driver) ? open_shared(p, why, size)
					  : port_exclusive_open(p, why, size);
}

static int open_any(struct port *p)
{
	static const enum port_driver ways[] = {PORT_AF_XDP, PORT_AF_PACKET, PORT_TAP};
	const enum port_driver *way = p->spec.driver == PORT_AUTO ? ways : &p->spec.driver;
	unsigned n = p->spec.driver == PORT_AUTO ? 3 : 1;
	char why[WHY_MAX] = "";
	int err = -EINVAL;

	for (unsigned i = 0; i < n; i++) {
		err = open_driver(p, way[i], why, sizeof(why));
		if (err == 0)
			return 0;
		if (err == -EADDRINUSE) { /* another engine's: no way around it */
			log_error("port", "%s: %s", p->spec.name, why);
			return err;
		}
		log_warn("port", "%s on %s is not possible: %s", port_driver_name(way[i]),
			 p->spec.name, why);
		size_t used = strlen(p->fallback);
		snprintf(p->fallback + used, sizeof(p->fallback) - used, "%s%s: %s",
			 used ? "; " : "", port_driver_name(way[i]), why);
	}
	return err;
}

static struct rte_ring *make_ring(const struct port *p, const char *what, unsigned worker,
				  unsigned slots, unsigned flags)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "pb_%s_%u_%u", what, (unsigned)p->dev, worker);
	return rte_ring_create(name, slots, SOCKET_ID_ANY, flags);
}

static int make_lanes(struct port *p)
{
	uint16_t workers = p->cfg.workers;

	for (uint16_t i = 0; i < workers; i++) {
		struct port_lane *l = &p->lane[i];

		*l = (struct port_lane){
			.port = p,
			.own = &p->own,
			.bell = &p->bell[i],
			.worker = i,
			.workers = workers,
			.dev = p->dev,
			.has_queue = i < p->queues,
			.guarded = p->driver == PORT_MEMIF,
			.queue = i,
			.queues = p->queues,
			.handoff = make_ring(p, "handoff", i, PORT_HANDOFF_SLOTS, RING_F_SC_DEQ),
			.tx_in = make_ring(p, "tx", i, PORT_TX_IN_SLOTS, RING_F_SC_DEQ),
		};
		if (l->handoff == NULL || l->tx_in == NULL)
			return -ENOMEM;
		if (!l->has_queue) {
			l->tx_out = p->lane[i % p->queues].tx_in;
			l->tx_bell = &p->bell[i % p->queues];
		}
		for (uint16_t q = i; q < p->queue_fds && l->fds < PORT_LANE_FDS_MAX;
		     q = (uint16_t)(q + workers))
			l->fd[l->fds++] = p->queue_fd[q];
	}
	return 0;
}

static void free_ring(struct rte_ring **ring)
{
	struct rte_mbuf *m;

	if (*ring == NULL)
		return;
	while (rte_ring_dequeue(*ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(*ring);
	*ring = NULL;
}

static void log_open(const struct port *p)
{
	const uint8_t *a = p->own.ip4_addr, *m = p->own.mac;

	log_info("port",
		 "%s by %s: %u queue%s, address %u.%u.%u.%u/%u%s, "
		 "link address %02x:%02x:%02x:%02x:%02x:%02x, RTP ports %u-%u%s",
		 p->name, port_driver_name(p->driver), p->queues, p->queues == 1 ? "" : "s", a[0],
		 a[1], a[2], a[3], p->own.ip4_prefix, p->own.ip6 ? " and IPv6" : "", m[0], m[1],
		 m[2], m[3], m[4], m[5], p->cfg.rtp_first, p->cfg.rtp_last,
		 p->link ? "" : ", link is DOWN");
	if (p->fallback[0] != '\0')
		log_warn("port", "%s runs by its fall-back %s; %s", p->name,
			 port_driver_name(p->driver), p->fallback);
}

/* Each worker's ports to its own queue, where the device can. */
static void steer(struct port *p)
{
	const struct port_steer_want want = {
		.dev = p->dev,
		.workers = p->cfg.workers,
		.rtp_first = p->cfg.rtp_first,
		.ports_per_worker = p->cfg.ports_per_worker,
		.ip4 = p->own.ip4,
		.ip6 = p->own.ip6,
	};
	char why[WHY_MAX] = "";

	if (p->queues < 2 || p->queues != p->cfg.workers || p->cfg.ports_per_worker == 0)
		return;
	if (port_steer_start(&p->steer, &want, NULL, why, sizeof(why)) == 0)
		log_info("port", "%s steers RTP to the workers' queues by %u rules", p->name,
			 p->steer.rules);
	else
		log_info("port", "%s: %s; packets are handed over between workers", p->name, why);
}

int port_open(struct port **port, const struct port_spec *spec, const struct port_config *cfg)
{
	struct port *p = calloc(1, sizeof(*p));
	int err = 0;

	if (p == NULL)
		return -ENOMEM;
	p->spec = *spec;
	p->cfg = *cfg;
	p->lock_fd = p->object_fd = p->epoll_fd = p->house_bell.fd = -1;
	for (uint16_t i = 0; i < PORT_WORKERS_MAX; i++)
		p->bell[i].fd = -1;
	for (uint16_t i = 0; i < cfg->workers && err == 0; i++)
		err = bell_init(&p->bell[i]);
	if (err == 0)
		err = open_any(p);
	if (err == 0)
		err = make_lanes(p);
	if (err == 0 && (p->driver == PORT_PCI || p->driver == PORT_VDEV))
		steer(p);
	if (err == 0 && p->driver == PORT_MEMIF)
		port_memif_guard(p);
	if (err == 0)
		err = port_house_init(p);
	if (err < 0) {
		port_close(&p);
		return err;
	}
	log_open(p);
	*port = p;
	return 0;
}

void port_close(struct port **port)
{
	struct port *p = *port;

	if (p == NULL)
		return;
	port_house_fini(p);
	for (uint16_t i = 0; i < PORT_WORKERS_MAX; i++) {
		free_ring(&p->lane[i].handoff);
		free_ring(&p->lane[i].tx_in);
	}
	port_steer_stop(&p->steer);
	if (p->driver == PORT_MEMIF)
		port_memif_guard(NULL);
	if (p->driver == PORT_AF_PACKET)
		port_packet_cleanup(p);
	port_dev_stop(p);
	if (p->driver == PORT_AF_XDP)
		port_xdp_cleanup(p);
	for (uint16_t i = 0; i < PORT_WORKERS_MAX; i++)
		bell_fini(&p->bell[i]);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	free(p);
	*port = NULL;
}

struct port_lane *port_lane(struct port *port, uint16_t worker)
{
	return &port->lane[worker];
}

const struct net_own *port_own(const struct port *port)
{
	return &port->own;
}

void port_describe(const struct port *port, struct port_info *info)
{
	struct rte_eth_stats stats = {0};

	(void)rte_eth_stats_get(port->dev, &stats);
	*info = (struct port_info){
		.name = port->name,
		.driver = port_driver_name(port->driver),
		.fallback = port->fallback[0] != '\0' ? port->fallback : NULL,
		.link = port->link,
		.steered = port->steer.rules > 0,
		.queues = port->queues,
		.rx_missed = stats.imissed,
		.rx_nombuf = stats.rx_nombuf,
	};
}
