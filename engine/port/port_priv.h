/* The inside of a port, for the files of this folder. Main lcore unless it says otherwise. */
#ifndef PORT_PORT_PRIV_H
#define PORT_PORT_PRIV_H

#include "port/port.h"
#include "port/port_kernel.h"
#include "port/port_steer.h"

enum {
	PORT_QUEUES_MAX = 64,
	PORT_TX_IN_SLOTS = 1024,
	PORT_LOCAL_SLOTS = 256,
	PORT_NEIGHBOURS = 4096, /* destinations whose way is known or sought; a power of two */
	PORT_NEIGHBOUR_PROBES = 16,
};

enum neighbour_state { NEIGHBOUR_FREE, NEIGHBOUR_WANTED, NEIGHBOUR_KNOWN };

/* One destination of RTP and the way to it. */
struct port_neighbour {
	enum neighbour_state state;
	uint8_t family;
	uint8_t mac[6];
	uint8_t ip[16];     /* the destination */
	uint8_t hop[16];    /* it, or the gateway before it */
	uint64_t wanted_ns; /* last time a worker asked */
	uint64_t asked_ns;  /* last time the network or the kernel was asked */
	uint16_t tries;
};

struct port {
	struct port_spec spec;
	struct port_config cfg;
	enum port_driver driver; /* the one that runs */
	struct net_own own;
	char name[32];      /* interface or device */
	char dev_name[64];  /* DPDK's name of the virtual device */
	char fallback[256]; /* why a better driver is not used; empty when it is */
	bool made;          /* the DPDK device exists and must be removed */
	bool started;
	uint16_t dev;
	uint16_t queues;

	struct port_steer steer;
	struct port_kernel_if kernel; /* shared ports and tap */
	struct port_kernel *netlink;  /* shared ports */
	int lock_fd;                  /* held while the interface is ours */
	int object_fd;                /* patched XDP object, -1 when none */
	bool tc_made;                 /* the interface had no place for tc filters before us */
	bool link;
	uint64_t link_seen_ns;

	struct rte_ring *local; /* LOCAL frames on their way to port_house() */
	struct bell house_bell;
	int epoll_fd;
	port_neighbour_fn *neighbour_fn;
	void *neighbour_arg;
	uint64_t housed_ns;
	struct port_neighbour neighbour[PORT_NEIGHBOURS];

	struct port_lane lane[PORT_WORKERS_MAX];
	struct bell bell[PORT_WORKERS_MAX];
	uint8_t queue_fds;
	int queue_fd[PORT_QUEUES_MAX]; /* descriptor of each queue, -1 */
};

/* port.c: hold the interface p->name for this process. 0, or -EADDRINUSE and a sentence. */
int port_lock(struct port *p, char *why, size_t size);

/* port_exclusive.c: open p->driver, which is not a shared one. 0, or negative errno and a sentence. */
int port_exclusive_open(struct port *p, char *why, size_t size);

/* port_dev.c: bring up one device with what `args` say under DPDK's name `p->dev_name`, or use the
 * existing p->dev (ring, pci: `args` NULL). Wants p->queues. Returns 0 or negative errno, with a
 * sentence in `why`. port_dev_stop() undoes whatever was reached. */
int port_dev_start(struct port *p, const char *args, char *why, size_t why_size);
void port_dev_stop(struct port *p);

/* port_xdp.c: make the patched object for p->own and leave it in p->object_fd; remove a filter
 * of ours that a killed engine left on the interface. 0, or negative errno and a sentence. */
int port_xdp_prepare(struct port *p, char *why, size_t why_size);
void port_xdp_cleanup(struct port *p);

/* port_packet.c: keep everything but RTP away from the sockets, and RTP away from the kernel.
 * Best effort: what fails is logged. The cleanup also removes what a killed engine left. */
void port_packet_filter(struct port *p);
void port_packet_cleanup(struct port *p);

/* port_house.c */
int port_house_init(struct port *p);
void port_house_fini(struct port *p);

#endif
