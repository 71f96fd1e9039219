/* SPDX-License-Identifier: Apache-2.0
 *
 * One DPDK device, from its arguments to running queues.
 *
 * DPDK has no way to wait for packets on these devices, but each queue of AF_XDP, AF_PACKET and
 * tap is a descriptor of this process. Which one is found by looking: descriptors that are there after
 * a queue was set up and were not before, and are of the right kind. AF_XDP and tap open theirs with
 * the receive queue, AF_PACKET all at once with the device, in queue order.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "base/log.h"
#include "port/port_priv.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

enum { DESCRIPTORS_MAX = 4096 };

#define ANY_SOCKET ((unsigned)SOCKET_ID_ANY)

struct descriptors {
	uint64_t set[DESCRIPTORS_MAX / 64];
};

static void look(struct descriptors *d)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;

	memset(d, 0, sizeof(*d));
	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		unsigned long fd = strtoul(e->d_name, NULL, 10);

		if (e->d_name[0] != '.' && fd < DESCRIPTORS_MAX && (int)fd != dirfd(dir))
			d->set[fd / 64] |= UINT64_C(1) << fd % 64;
	}
	closedir(dir);
}

static bool is_queue_of(enum port_driver driver, int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);
	char path[32], target[32] = "";

	if (driver == PORT_TAP) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		return readlink(path, target, sizeof(target) - 1) > 0 &&
		       strcmp(target, "/dev/net/tun") == 0;
	}
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       domain == (driver == PORT_AF_XDP ? AF_XDP : AF_PACKET);
}

/* Take the new descriptors of queues since `before`, lowest first, at most `most`. */
static void take_queue_fds(struct port *p, const struct descriptors *before, unsigned most)
{
	struct descriptors now;

	look(&now);
	for (int fd = 0; fd < DESCRIPTORS_MAX && most > 0; fd++) {
		uint64_t bit = UINT64_C(1) << fd % 64;

		if (!(now.set[fd / 64] & bit) || (before->set[fd / 64] & bit) ||
		    p->queue_fds == PORT_QUEUES_MAX || !is_queue_of(p->driver, fd))
			continue;
		p->queue_fd[p->queue_fds++] = fd;
		most--;
	}
}

static int say(char *why, size_t size, int err, const char *what)
{
	snprintf(why, size, "%s: %s", what, rte_strerror(-err));
	return err;
}

static int find_dev(struct port *p, const char *args, char *why, size_t size)
{
	int err = rte_vdev_init(p->dev_name, args);

	if (err != 0)
		return say(why, size, err, "the device cannot be made");
	p->made = true;
	err = rte_eth_dev_get_port_by_name(p->dev_name, &p->dev);
	return err != 0 ? say(why, size, err, "the device is not there") : 0;
}

static int setup_queues(struct port *p, char *why, size_t size)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	uint16_t rx = p->cfg.rx_slots, tx = p->cfg.tx_slots;
	int err = rte_eth_dev_info_get(p->dev, &info);

	if (err != 0)
		return say(why, size, err, "the device does not describe itself");
	if (p->queues > info.max_rx_queues)
		p->queues = info.max_rx_queues;
	if (p->queues > info.max_tx_queues)
		p->queues = info.max_tx_queues;
	if (p->queues == 0)
		return say(why, size, -ENODEV, "the device has no queues");
	if (p->queues > 1 && (info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP))) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
	}
	err = rte_eth_dev_configure(p->dev, p->queues, p->queues, &conf);
	if (err == 0)
		err = rte_eth_dev_adjust_nb_rx_tx_desc(p->dev, &rx, &tx);
	if (err != 0)
		return say(why, size, err, "the device cannot be configured");
	for (uint16_t q = 0; q < p->queues; q++) {
		struct descriptors before;

		look(&before);
		err = rte_eth_tx_queue_setup(p->dev, q, tx, ANY_SOCKET, NULL);
		if (err == 0)
			err = rte_eth_rx_queue_setup(p->dev, q, rx, ANY_SOCKET, NULL, p->cfg.pool);
		if (err != 0)
			return say(why, size, err, "a queue cannot be set up");
		if (p->driver == PORT_AF_XDP || p->driver == PORT_TAP)
			take_queue_fds(p, &before, 1);
	}
	return 0;
}

int port_dev_start(struct port *p, const char *args, char *why, size_t why_size)
{
	struct descriptors before;
	int err = 0;

	p->queue_fds = 0;
	look(&before);
	if (args != NULL)
		err = find_dev(p, args, why, why_size);
	if (err == 0 && (p->driver == PORT_AF_PACKET || p->driver == PORT_RAW))
		take_queue_fds(p, &before, p->queues);
	if (err == 0)
		err = setup_queues(p, why, why_size);
	if (err == 0) {
		err = rte_eth_dev_start(p->dev);
		if (err != 0)
			say(why, why_size, err, "the device does not start");
	}
	if (err != 0) {
		port_dev_stop(p);
		return err;
	}
	p->started = true;
	if (p->driver == PORT_PCI)
		(void)rte_eth_promiscuous_disable(p->dev);
	return 0;
}

void port_dev_stop(struct port *p)
{
	if (p->started)
		(void)rte_eth_dev_stop(p->dev);
	p->started = false;
	if (p->made) /* closes the device as well */
		(void)rte_vdev_uninit(p->dev_name);
	p->made = false;
	p->queue_fds = 0;
}
