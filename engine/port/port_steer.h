/* Steering: the NIC puts each worker's range of ports into that worker's queue (rte_flow), so that no
 * packet has to be handed over.
 *
 * Asked for on exclusive ports with a queue for each worker. A device that matches ranges gets one rule per
 * worker and family; one that matches by mask gets the range as aligned blocks; one that does neither,
 * or has no room for all rules, gets none, and RSS and hand-off do the work. Validated before
 * anything is made, and all or nothing.
 *
 * Nobody has seen this run on a NIC: no device here takes rules. It was tested against a model of the
 * flow API (port_steer_test.c).
 *
 * Thread: main. Source: DPDK Programmer's Guide, "Generic flow API".
 */
#ifndef PORT_PORT_STEER_H
#define PORT_PORT_STEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_flow.h>

enum { PORT_STEER_RULES_MAX = 1024 };

/* What is called of DPDK, so that a test can stand in its place. */
struct port_steer_api {
	int (*validate)(uint16_t dev, const struct rte_flow_attr *attr,
			const struct rte_flow_item item[], const struct rte_flow_action action[],
			struct rte_flow_error *error);
	struct rte_flow *(*create)(uint16_t dev, const struct rte_flow_attr *attr,
				   const struct rte_flow_item item[],
				   const struct rte_flow_action action[],
				   struct rte_flow_error *error);
	int (*destroy)(uint16_t dev, struct rte_flow *flow, struct rte_flow_error *error);
};

struct port_steer_want {
	uint16_t dev;
	uint16_t workers;          /* worker i receives from queue i */
	uint16_t rtp_first;        /* of worker 0 */
	uint16_t ports_per_worker; /* even */
	bool ip4, ip6;
};

struct port_steer {
	const struct port_steer_api *api;
	uint16_t dev;
	unsigned rules;
	struct rte_flow *rule[PORT_STEER_RULES_MAX];
};

/* Returns 0; negative errno with a sentence, and no rule is left. `api` NULL: DPDK's. */
int port_steer_start(struct port_steer *s, const struct port_steer_want *want,
		     const struct port_steer_api *api, char *why, size_t why_size);

/* Take all rules back. */
void port_steer_stop(struct port_steer *s);

#endif
