/* SPDX-License-Identifier: Apache-2.0
 *
 * Housekeeping of a port on the main lcore: who is where, what is asked of us, is the cable in.
 *
 * One table holds every destination that a worker asked for: wanted until its next hop's link
 * address is known, known afterwards, and kept then, because a next hop that moves to another
 * link address (failover of a gateway) must be told to the workers for all destinations behind it.
 * What is known is asked again every REFRESH_NS, once per next hop, at once when routes have changed
 * or the link has come back: a neighbour that was replaced is found out even if it does not
 * announce itself. One that no longer answers keeps its entry: the old way is the best guess.
 * A destination lies within PORT_NEIGHBOUR_PROBES slots of its hash; when those are taken the one
 * asked for longest ago makes room. A worker that still needs it asks again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/log.h"
#include "base/units.h"
#include "net/neigh.h"
#include "port/port_priv.h"

#define HOUSE_EVERY_NS (100 * PB_NS_PER_MS)
#define ASK_EVERY_NS   (500 * PB_NS_PER_MS)
#define LINK_EVERY_NS  (1 * PB_NS_PER_S)
#define REFRESH_NS     (30 * PB_NS_PER_S)

enum { ASK_TRIES = 20, LOCAL_PER_CALL = 64, REFRESHES_PER_CALL = 32, SILENT_REFRESHES = 3 };

static size_t ip_bytes(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

static const char *ip_text(uint8_t family, const uint8_t *ip, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(family == 4 ? AF_INET : AF_INET6, ip, text, INET6_ADDRSTRLEN);
}

static uint32_t hash_of(uint8_t family, const uint8_t *ip)
{
	uint32_t h = 2166136261u ^ family;

	for (size_t i = 0; i < ip_bytes(family); i++)
		h = (h ^ ip[i]) * 16777619u;
	return h ^ h >> 15;
}

static bool is_entry(const struct port_neighbour *e, uint8_t family, const uint8_t *ip)
{
	return e->state != NEIGHBOUR_FREE && e->family == family &&
	       memcmp(e->ip, ip, ip_bytes(family)) == 0;
}

/* The entry of a destination, made when there is none. */
static struct port_neighbour *entry_of(struct port *p, uint8_t family, const uint8_t *ip)
{
	uint32_t h = hash_of(family, ip);
	struct port_neighbour *oldest = NULL;

	for (uint32_t i = 0; i < PORT_NEIGHBOUR_PROBES; i++) {
		struct port_neighbour *e = &p->neighbour[(h + i) % PORT_NEIGHBOURS];

		if (is_entry(e, family, ip))
			return e;
		if (oldest == NULL || e->wanted_ns < oldest->wanted_ns)
			oldest = e;
	}
	*oldest = (struct port_neighbour){.state = NEIGHBOUR_FREE, .family = family};
	memcpy(oldest->ip, ip, ip_bytes(family));
	return oldest;
}

static void tell(struct port *p, struct port_neighbour *e, const uint8_t mac[6])
{
	e->state = NEIGHBOUR_KNOWN;
	memcpy(e->mac, mac, 6);
	if (p->neighbour_fn != NULL)
		p->neighbour_fn(p->neighbour_arg, e->family, e->ip, e->mac);
}

/* A next hop has a link address: finish those who waited for it, correct those who knew another. */
static void learnt(void *arg, uint8_t family, const uint8_t *hop, const uint8_t mac[6])
{
	struct port *p = arg;

	for (uint32_t i = 0; i < PORT_NEIGHBOURS; i++) {
		struct port_neighbour *e = &p->neighbour[i];

		if (e->state == NEIGHBOUR_FREE || e->family != family ||
		    memcmp(e->hop, hop, ip_bytes(family)) != 0)
			continue;
		e->tries = 0;
		if (e->state == NEIGHBOUR_WANTED || memcmp(e->mac, mac, 6) != 0)
			tell(p, e, mac);
	}
}

static void send_frame(struct port *p, struct rte_mbuf *m)
{
	struct port_lane *l = &p->lane[0];

	if (rte_ring_mp_enqueue(l->tx_in, m) == 0)
		bell_ring(l->bell);
	else
		rte_pktmbuf_free(m);
}

static void ask_network(struct port *p, const struct port_neighbour *e)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(p->cfg.pool);
	uint8_t *frame = m != NULL ? (void *)rte_pktmbuf_append(m, NEIGH_FRAME_MIN) : NULL;

	if (frame == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	rte_pktmbuf_trim(
		m, (uint16_t)(NEIGH_FRAME_MIN - neigh_ask(&p->own, e->family, e->hop, frame)));
	send_frame(p, m);
}

/* The next hop of an exclusive port. */
static int find_hop(const struct port *p, struct port_neighbour *e)
{
	if (!(e->family == 4 ? p->own.ip4 : p->own.ip6))
		return -EAFNOSUPPORT;
	return port_spec_hop(&p->spec, e->family, e->ip, e->hop) ? 0 : -ENETUNREACH;
}

static const char *refusal(int err)
{
	switch (err) {
	case -EXDEV:
		return "the route to it leaves by another interface";
	case -EADDRINUSE:
		return "it is an address of this host, which a shared port cannot reach";
	case -ENETUNREACH:
		return "there is no route to it";
	default:
		return strerror(-err);
	}
}

/* One step for a wanted destination. */
static void ask(struct port *p, struct port_neighbour *e, uint64_t now_ns)
{
	uint8_t mac[6];
	int err;

	e->asked_ns = now_ns;
	e->tries++;
	err = p->netlink != NULL ? port_kernel_route(p->netlink, e->family, e->ip, e->hop)
				 : find_hop(p, e);
	if (err == 0) {
		if (p->netlink == NULL) {
			ask_network(p, e);
			err = -EAGAIN;
		} else {
			err = port_kernel_neighbour(p->netlink, e->family, e->hop, mac);
		}
	}
	if (err == 0) {
		tell(p, e, mac);
		return;
	}
	if (err != -EAGAIN || e->tries >= ASK_TRIES) {
		char ip[INET6_ADDRSTRLEN];

		/* Asked again when a worker asks again; said once per round of tries. */
		log_warn("port", "%s: RTP to %s cannot be sent: %s", p->name,
			 ip_text(e->family, e->ip, ip),
			 err == -EAGAIN ? "nobody answers for its next hop" : refusal(err));
		e->tries = 0;
		e->wanted_ns = 0;
		e->asked_ns = now_ns + 10 * PB_NS_PER_S; /* and not before that */
	}
}

/* All destinations behind one next hop are fresh together. */
static void mark_asked(struct port *p, const struct port_neighbour *like, uint64_t now_ns)
{
	for (uint32_t i = 0; i < PORT_NEIGHBOURS; i++) {
		struct port_neighbour *e = &p->neighbour[i];

		if (e->state == NEIGHBOUR_KNOWN && e->family == like->family &&
		    memcmp(e->hop, like->hop, ip_bytes(e->family)) == 0) {
			e->asked_ns = now_ns;
			e->tries = like->tries;
		}
	}
}

/* Is a known way still right? The answer comes as news; only what differs is told. */
static void refresh(struct port *p, struct port_neighbour *e, uint64_t now_ns)
{
	uint8_t hop[16];
	char ip[INET6_ADDRSTRLEN];
	int err;

	if (p->netlink != NULL) {
		e->asked_ns = now_ns;
		err = port_kernel_route(p->netlink, e->family, e->ip, hop);
		if (err == 0 && memcmp(hop, e->hop, ip_bytes(e->family)) != 0) {
			e->state = NEIGHBOUR_WANTED;
			e->tries = 0;
			e->wanted_ns = now_ns;
			ask(p, e, now_ns);
		} else if (err == 0) {
			port_kernel_probe(p->netlink, e->family, e->hop);
			mark_asked(p, e, now_ns);
		}
		return;
	}
	if (++e->tries == SILENT_REFRESHES)
		log_warn("port", "%s: the next hop %s does not answer any more", p->name,
			 ip_text(e->family, e->hop, ip));
	if (e->tries > SILENT_REFRESHES)
		e->tries = SILENT_REFRESHES + 1;
	ask_network(p, e);
	mark_asked(p, e, now_ns);
}

static void refresh_all(struct port *p)
{
	for (uint32_t i = 0; i < PORT_NEIGHBOURS; i++)
		if (p->neighbour[i].state == NEIGHBOUR_KNOWN)
			p->neighbour[i].asked_ns = 0;
}

void port_neighbour_want(struct port *p, uint8_t family, const uint8_t *ip, uint64_t now_ns)
{
	struct port_neighbour *e = entry_of(p, family, ip);

	if (e->state == NEIGHBOUR_FREE) {
		e->state = NEIGHBOUR_WANTED;
		ask(p, e, now_ns);
	} else if (e->state == NEIGHBOUR_KNOWN) {
		tell(p, e, e->mac);
	}
	e->wanted_ns = now_ns;
}

void port_neighbour_used(struct port *p, uint8_t family, const uint8_t *ip, uint64_t now_ns)
{
	struct port_neighbour *e = entry_of(p, family, ip);

	if (e->state == NEIGHBOUR_FREE)
		port_neighbour_want(p, family, ip, now_ns);
	else
		e->wanted_ns = now_ns;
}

static void take_local(struct port *p)
{
	for (unsigned i = 0; i < LOCAL_PER_CALL; i++) {
		struct rte_mbuf *m;
		struct neigh_news news;
		uint16_t room;

		if (rte_ring_sc_dequeue(p->local, (void **)&m) != 0)
			return;
		room = (uint16_t)(rte_pktmbuf_data_len(m) + rte_pktmbuf_tailroom(m));
		neigh_local(&news, &p->own, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m),
			    room);
		if (news.learned)
			learnt(p, news.family, news.ip, news.mac);
		if (news.reply) {
			m->data_len = news.len;
			m->pkt_len = news.len;
			send_frame(p, m);
		} else {
			rte_pktmbuf_free(m);
		}
	}
	bell_ring(&p->house_bell); /* more than one call's worth: come again */
}

static void look_at_link(struct port *p, uint64_t now_ns)
{
	struct rte_eth_link link = {0};
	bool up = true;

	p->link_seen_ns = now_ns;
	if (p->driver == PORT_AF_XDP || p->driver == PORT_AF_PACKET || p->driver == PORT_TAP ||
	    p->driver == PORT_RAW)
		up = port_kernel_link(p->name);
	else if (rte_eth_link_get_nowait(p->dev, &link) == 0)
		up = link.link_status == RTE_ETH_LINK_UP;
	if (up != p->link)
		log_line(up ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "port", "%s: link is %s", p->name,
			 up ? "up" : "DOWN");
	if (up && !p->link)
		refresh_all(p); /* who knows what it was plugged into */
	p->link = up;
}

void port_house(struct port *p, uint64_t now_ns)
{
	bool link = now_ns - p->link_seen_ns >= LINK_EVERY_NS, routes = false;
	unsigned refreshed = 0;

	/* Armed again before looking, so that nothing that comes meanwhile is missed. */
	bell_wake(&p->house_bell);
	bell_drowse(&p->house_bell);
	take_local(p);
	if (p->netlink != NULL)
		port_kernel_read_news(p->netlink, learnt, p, &link, &routes);
	if (routes)
		refresh_all(p);
	if (link)
		look_at_link(p, now_ns);
	if (now_ns - p->housed_ns < HOUSE_EVERY_NS)
		return;
	p->housed_ns = now_ns;
	for (uint32_t i = 0; i < PORT_NEIGHBOURS; i++) {
		struct port_neighbour *e = &p->neighbour[i];

		if (e->state == NEIGHBOUR_WANTED && now_ns > e->asked_ns &&
		    now_ns - e->asked_ns >= ASK_EVERY_NS && e->wanted_ns != 0)
			ask(p, e, now_ns);
		if (e->state == NEIGHBOUR_KNOWN && refreshed < REFRESHES_PER_CALL &&
		    now_ns > e->asked_ns && now_ns - e->asked_ns >= REFRESH_NS) {
			refresh(p, e, now_ns);
			refreshed++;
		}
	}
}

void port_set_neighbour_fn(struct port *port, port_neighbour_fn *fn, void *arg)
{
	port->neighbour_fn = fn;
	port->neighbour_arg = arg;
}

int port_fd(const struct port *port)
{
	return port->epoll_fd;
}

static int watch(struct port *p, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

int port_house_init(struct port *p)
{
	char name[RTE_RING_NAMESIZE];
	int fd = -1, err;

	snprintf(name, sizeof(name), "pb_local_%u", (unsigned)p->dev);
	p->local = rte_ring_create(name, PORT_LOCAL_SLOTS, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (p->local == NULL)
		return -ENOMEM;
	err = bell_init(&p->house_bell);
	if (err < 0)
		return err;
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll_fd < 0)
		return -errno;
	err = watch(p, p->house_bell.fd);
	if (err == 0 && (p->driver == PORT_AF_XDP || p->driver == PORT_AF_PACKET)) {
		err = port_kernel_open(&p->netlink, p->kernel.index, &fd);
		if (err == 0)
			err = watch(p, fd);
	}
	bell_drowse(&p->house_bell);
	return err;
}

void port_house_fini(struct port *p)
{
	struct rte_mbuf *m;

	port_kernel_close(&p->netlink);
	if (p->local != NULL)
		while (rte_ring_dequeue(p->local, (void **)&m) == 0)
			rte_pktmbuf_free(m);
	rte_ring_free(p->local);
	p->local = NULL;
	bell_fini(&p->house_bell);
	if (p->epoll_fd >= 0)
		close(p->epoll_fd);
	p->epoll_fd = -1;
}
