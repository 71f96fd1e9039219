/* SPDX-License-Identifier: Apache-2.0
 *
 * Two netlink sockets: one for questions, whose answers are read at once, and one that listens to
 * announcements. So an answer never has to be picked out of the news.
 *
 * The kernel is made to look for a neighbour by NTF_USE, which does what sending a packet would do
 * without sending one; its announcement (RTM_NEWNEIGH) then brings the answer.
 */
#include "port/port_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NETLINK_BYTES = 16384 };

struct port_kernel {
	int ifindex;
	int ask;  /* socket for questions */
	int news; /* socket for announcements */
	uint32_t seq;
};

static uint8_t prefix_bits(const uint8_t *mask, unsigned bytes)
{
	uint8_t bits = 0;

	for (unsigned i = 0; i < bytes * 8 && (mask[i / 8] & 0x80 >> i % 8); i++)
		bits++;
	return bits;
}

static void take_ip4(struct net_own *own, const struct ifaddrs *a, const struct net_own *wish)
{
	const struct sockaddr_in *sa = (const void *)a->ifa_addr,
				 *mask = (const void *)a->ifa_netmask;
	uint8_t ip[4];

	memcpy(ip, &sa->sin_addr, 4);
	if (own->ip4 || (wish->ip4 && memcmp(ip, wish->ip4_addr, 4) != 0))
		return;
	own->ip4 = true;
	memcpy(own->ip4_addr, ip, 4);
	own->ip4_prefix = mask ? prefix_bits((const uint8_t *)&mask->sin_addr, 4) : 32;
}

static void take_ip6(struct net_own *own, const struct ifaddrs *a, const struct net_own *wish)
{
	const struct sockaddr_in6 *sa = (const void *)a->ifa_addr,
				  *mask = (const void *)a->ifa_netmask;
	const uint8_t *ip = sa->sin6_addr.s6_addr;

	if (own->ip6 || IN6_IS_ADDR_LINKLOCAL(&sa->sin6_addr) ||
	    (wish->ip6 && memcmp(ip, wish->ip6_addr, 16) != 0))
		return;
	own->ip6 = true;
	memcpy(own->ip6_addr, ip, 16);
	own->ip6_prefix = mask ? prefix_bits(mask->sin6_addr.s6_addr, 16) : 128;
}

static int read_addresses(struct net_own *own, const char *name, const struct net_own *wish)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) != 0)
		return -errno;
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		if (strcmp(a->ifa_name, name) != 0 || a->ifa_addr == NULL)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			take_ip4(own, a, wish);
		else if (a->ifa_addr->sa_family == AF_INET6)
			take_ip6(own, a, wish);
	}
	freeifaddrs(all);
	return (wish->ip4 && !own->ip4) || (wish->ip6 && !own->ip6) ? -EADDRNOTAVAIL : 0;
}

static int request(int fd, unsigned long what, const char *name, struct ifreq *r)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", name);
	return ioctl(fd, what, r) == 0 ? 0 : -errno;
}

static uint16_t read_channels(int fd, const char *name)
{
	struct ethtool_channels c = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq r = {0};
	uint32_t n;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	r.ifr_data = (void *)&c;
	if (ioctl(fd, SIOCETHTOOL, &r) != 0)
		return 1;
	n = c.combined_count > 0 ? c.combined_count : c.rx_count;
	return n == 0 ? 1 : (uint16_t)(n > 1024 ? 1024 : n);
}

int port_kernel_read(struct port_kernel_if *k, const char *name, const struct net_own *wish)
{
	struct port_kernel_if got = {.index = (int)if_nametoindex(name)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r;
	int err;

	if (fd < 0)
		return -errno;
	err = got.index == 0 ? -ENODEV : request(fd, SIOCGIFHWADDR, name, &r);
	if (err == 0) {
		memcpy(got.own.mac, r.ifr_hwaddr.sa_data, 6);
		err = request(fd, SIOCGIFMTU, name, &r);
	}
	if (err == 0) {
		got.own.mtu = (uint16_t)(r.ifr_mtu > UINT16_MAX ? UINT16_MAX : r.ifr_mtu);
		err = request(fd, SIOCGIFFLAGS, name, &r);
	}
	if (err == 0) {
		got.up = (r.ifr_flags & IFF_UP) != 0 && (r.ifr_flags & IFF_RUNNING) != 0;
		got.channels = read_channels(fd, name);
		err = read_addresses(&got.own, name, wish);
	}
	close(fd);
	if (err == 0)
		*k = got;
	return err;
}

bool port_kernel_link(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r;
	bool up = false;

	if (fd < 0)
		return false;
	if (request(fd, SIOCGIFFLAGS, name, &r) == 0)
		up = (r.ifr_flags & IFF_UP) != 0 && (r.ifr_flags & IFF_RUNNING) != 0;
	close(fd);
	return up;
}

int port_kernel_address(const char *name, const uint8_t ip[4], uint8_t prefix)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = {.sin_family = AF_INET};
	struct ifreq r = {0};
	int err = 0;

	if (fd < 0)
		return -errno;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	memcpy(&sa.sin_addr, ip, 4);
	memcpy(&r.ifr_addr, &sa, sizeof(sa));
	if (ioctl(fd, SIOCSIFADDR, &r) != 0)
		err = -errno;
	sa.sin_addr.s_addr = prefix == 0 ? 0 : htonl(UINT32_MAX << (32 - prefix));
	memcpy(&r.ifr_netmask, &sa, sizeof(sa));
	if (err == 0 && ioctl(fd, SIOCSIFNETMASK, &r) != 0)
		err = -errno;
	close(fd);
	return err;
}

/* ---- netlink ---- */

struct question {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	};
	uint8_t attributes[64];
};

static void put_attribute(struct question *q, uint16_t type, const void *data, uint16_t len)
{
	struct rtattr *a = (void *)((uint8_t *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static int socket_open(uint32_t groups)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd < 0 ? -errno : fd;
}

int port_kernel_open(struct port_kernel **k, int ifindex, int *fd)
{
	struct port_kernel *made = calloc(1, sizeof(*made));
	const struct timeval patience = {.tv_sec = 0, .tv_usec = 100000};

	if (made == NULL)
		return -ENOMEM;
	made->ifindex = ifindex;
	made->ask = socket_open(0);
	made->news =
		socket_open(RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
	if (made->ask < 0 || made->news < 0) {
		int err = made->ask < 0 ? made->ask : made->news;

		port_kernel_close(&made);
		return err;
	}
	setsockopt(made->ask, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*fd = made->news;
	*k = made;
	return 0;
}

void port_kernel_close(struct port_kernel **k)
{
	if (*k == NULL)
		return;
	if ((*k)->ask >= 0)
		close((*k)->ask);
	if ((*k)->news >= 0)
		close((*k)->news);
	free(*k);
	*k = NULL;
}

/* Ask and read the one message that answers. The kernel answers before sendto() returns. Returns the
 * answer's length, or negative errno, the kernel's own included. */
static ssize_t ask(struct port_kernel *k, struct question *q, uint8_t *answer, size_t size)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK};

	q->head.nlmsg_seq = ++k->seq;
	if (sendto(k->ask, q, q->head.nlmsg_len, 0, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(k->ask, answer, size, 0);
		const struct nlmsghdr *h = (const void *)answer;

		if (n < 0)
			return -errno;
		if (!NLMSG_OK(h, (size_t)n))
			return -EBADMSG;
		if (h->nlmsg_seq != k->seq)
			continue; /* late answer to a question that was given up */
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			return h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EBADMSG : e->error;
		}
		return (ssize_t)h->nlmsg_len;
	}
}

/* The attribute `type` with at least `len` bytes among the `left` bytes at `at`, or NULL. */
static const void *attribute(const void *at, int left, uint16_t type, uint16_t len)
{
	const uint8_t *p = at;

	while (left >= (int)sizeof(struct rtattr)) {
		const struct rtattr *a = (const void *)p;
		int step = (int)RTA_ALIGN(a->rta_len);

		if (a->rta_len < sizeof(*a) || a->rta_len > left)
			return NULL;
		if (a->rta_type == type)
			return a->rta_len - sizeof(*a) >= len ? p + sizeof(*a) : NULL;
		p += step;
		left -= step;
	}
	return NULL;
}

int port_kernel_route(struct port_kernel *k, uint8_t family, const uint8_t *ip, uint8_t hop[16])
{
	uint16_t len = family == 4 ? 4 : 16;
	uint8_t answer[NETLINK_BYTES];
	struct question q = {
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.route)),
			 .nlmsg_type = RTM_GETROUTE,
			 .nlmsg_flags = NLM_F_REQUEST},
		.route = {.rtm_family = family == 4 ? AF_INET : AF_INET6,
			  .rtm_dst_len = (uint8_t)(len * 8)},
	};

	put_attribute(&q, RTA_DST, ip, len);

	ssize_t n = ask(k, &q, answer, sizeof(answer));

	if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct rtmsg)))
		return n < 0 ? (int)n : -ENETUNREACH;

	const struct nlmsghdr *h = (const void *)answer;
	const struct rtmsg *r = NLMSG_DATA(h);
	int left = (int)RTM_PAYLOAD(h);
	const uint32_t *oif = attribute(RTM_RTA(r), left, RTA_OIF, 4);
	const uint8_t *gateway = attribute(RTM_RTA(r), left, RTA_GATEWAY, len);

	if (r->rtm_type == RTN_LOCAL)
		return -EADDRINUSE;
	if (r->rtm_type != RTN_UNICAST)
		return -ENETUNREACH;
	if (oif == NULL || *oif != (uint32_t)k->ifindex)
		return -EXDEV;
	memset(hop, 0, 16);
	memcpy(hop, gateway != NULL ? gateway : ip, len);
	return 0;
}

static struct question neighbour_question(const struct port_kernel *k, uint16_t type,
					  uint8_t family, const uint8_t *hop)
{
	struct question q = {
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.neighbour)),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST},
		.neighbour = {.ndm_family = family == 4 ? AF_INET : AF_INET6,
			      .ndm_ifindex = k->ifindex},
	};

	put_attribute(&q, NDA_DST, hop, family == 4 ? 4 : 16);
	return q;
}

/* The link address in a neighbour message, when it is one that can be used. */
static const uint8_t *neighbour_mac(const struct nlmsghdr *h)
{
	const struct ndmsg *nd = NLMSG_DATA(h);
	const uint8_t usable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*nd)) || !(nd->ndm_state & usable))
		return NULL;
	return attribute((const uint8_t *)nd + NLMSG_ALIGN(sizeof(*nd)),
			 (int)NLMSG_PAYLOAD(h, sizeof(*nd)), NDA_LLADDR, 6);
}

/* What sending a packet to it would do to a neighbour, without one: look for it, or if it has been
 * known for long, ask whether it is still there. */
static ssize_t use(struct port_kernel *k, uint8_t family, const uint8_t *hop)
{
	uint8_t answer[NETLINK_BYTES];
	struct question q = neighbour_question(k, RTM_NEWNEIGH, family, hop);

	q.head.nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK;
	q.neighbour.ndm_flags = NTF_USE;
	return ask(k, &q, answer, sizeof(answer));
}

int port_kernel_neighbour(struct port_kernel *k, uint8_t family, const uint8_t *hop, uint8_t mac[6])
{
	uint8_t answer[NETLINK_BYTES];
	struct question q = neighbour_question(k, RTM_GETNEIGH, family, hop);
	ssize_t n = ask(k, &q, answer, sizeof(answer));

	if (n > 0) {
		const uint8_t *known = neighbour_mac((const void *)answer);

		if (known != NULL) {
			memcpy(mac, known, 6);
			return 0;
		}
	} else if (n < 0 && n != -ENOENT && n != -EAGAIN) {
		return (int)n;
	}

	n = use(k, family, hop);
	return n < 0 && n != -EAGAIN ? (int)n : -EAGAIN;
}

void port_kernel_probe(struct port_kernel *k, uint8_t family, const uint8_t *hop)
{
	(void)use(k, family, hop);
}

static void read_one(struct port_kernel *k, const struct nlmsghdr *h, port_kernel_news_fn *fn,
		     void *arg, bool *link, bool *routes)
{
	if (h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE) {
		*routes = true;
		return;
	}
	if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK) {
		const struct ifinfomsg *i = NLMSG_DATA(h);

		if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(*i)) && i->ifi_index == k->ifindex)
			*link = true;
		return;
	}
	if (h->nlmsg_type != RTM_NEWNEIGH || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct ndmsg)))
		return;

	const struct ndmsg *nd = NLMSG_DATA(h);
	const uint8_t *mac = neighbour_mac(h);
	uint8_t family = nd->ndm_family == AF_INET ? 4 : 6;
	const uint8_t *hop =
		attribute((const uint8_t *)nd + NLMSG_ALIGN(sizeof(*nd)),
			  (int)NLMSG_PAYLOAD(h, sizeof(*nd)), NDA_DST, family == 4 ? 4 : 16);

	if ((nd->ndm_family == AF_INET || nd->ndm_family == AF_INET6) && mac != NULL &&
	    hop != NULL && nd->ndm_ifindex == k->ifindex)
		fn(arg, family, hop, mac);
}

void port_kernel_read_news(struct port_kernel *k, port_kernel_news_fn *fn, void *arg, bool *link,
			   bool *routes)
{
	uint8_t text[NETLINK_BYTES];
	ssize_t n;

	/* ENOBUFS (news were lost) reads as an error and ends the loop: the port's own repeated
	 * questions make up for it. */
	while ((n = recv(k->news, text, sizeof(text), MSG_DONTWAIT)) > 0) {
		size_t left = (size_t)n;

		for (const struct nlmsghdr *h = (const void *)text; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left))
			read_one(k, h, fn, arg, link, routes);
	}
}
