/* SPDX-License-Identifier: Apache-2.0 */
#include "port/port_steer.h"

#include <errno.h>
#include <stdio.h>

#include <rte_byteorder.h>

#include "port/steer.h"

static const struct port_steer_api dpdk = {
	.validate = rte_flow_validate,
	.create = rte_flow_create,
	.destroy = rte_flow_destroy,
};

/* One rule's words; they point to each other and so stay where they are made. */
struct rule {
	struct rte_flow_attr attr;
	struct rte_flow_item_udp spec, last, mask;
	struct rte_flow_item item[4];
	struct rte_flow_action_queue queue;
	struct rte_flow_action action[2];
};

/* eth / ipv4|ipv6 / udp dst -> queue. `last` 0: by mask. */
static void rule_make(struct rule *r, uint8_t family, uint16_t port, uint16_t mask, uint16_t last,
		      uint16_t queue)
{
	*r = (struct rule){
		.attr = {.ingress = 1},
		.spec.hdr.dst_port = rte_cpu_to_be_16(port),
		.last.hdr.dst_port = rte_cpu_to_be_16(last),
		.mask.hdr.dst_port = rte_cpu_to_be_16(mask),
		.queue = {.index = queue},
	};
	r->item[0] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_ETH};
	r->item[1] = (struct rte_flow_item){.type = family == 4 ? RTE_FLOW_ITEM_TYPE_IPV4
								: RTE_FLOW_ITEM_TYPE_IPV6};
	r->item[2] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_UDP,
					    .spec = &r->spec,
					    .last = last != 0 ? &r->last : NULL,
					    .mask = &r->mask};
	r->item[3] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_END};
	r->action[0] =
		(struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &r->queue};
	r->action[1] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_END};
}

static int rule_add(struct port_steer *s, const struct rule *r)
{
	struct rte_flow_error error = {0};
	int err = s->api->validate(s->dev, &r->attr, r->item, r->action, &error);

	if (err != 0)
		return err < 0 ? err : -EIO;
	if (s->rules == PORT_STEER_RULES_MAX)
		return -ENOSPC;
	s->rule[s->rules] = s->api->create(s->dev, &r->attr, r->item, r->action, &error);
	if (s->rule[s->rules] == NULL)
		return -ENOSPC;
	s->rules++;
	return 0;
}

/* The rules of one worker and family. */
static int steer_worker(struct port_steer *s, const struct port_steer_want *want, uint16_t worker,
			uint8_t family, bool ranges)
{
	uint16_t first = (uint16_t)(want->rtp_first + worker * want->ports_per_worker);
	uint16_t last = (uint16_t)(first + want->ports_per_worker - 1);
	struct steer_block block[STEER_BLOCKS_MAX];
	unsigned blocks = ranges ? 1 : steer_cover(first, last, block);
	struct rule r;
	int err = 0;

	for (unsigned i = 0; i < blocks && err == 0; i++) {
		if (ranges)
			rule_make(&r, family, first, UINT16_MAX, last, worker);
		else
			rule_make(&r, family, block[i].port, block[i].mask, 0, worker);
		err = rule_add(s, &r);
	}
	return err;
}

static int steer_all(struct port_steer *s, const struct port_steer_want *want, bool ranges)
{
	int err = 0;

	for (uint16_t i = 0; i < want->workers && err == 0; i++) {
		if (want->ip4)
			err = steer_worker(s, want, i, 4, ranges);
		if (err == 0 && want->ip6)
			err = steer_worker(s, want, i, 6, ranges);
	}
	if (err != 0)
		port_steer_stop(s);
	return err;
}

int port_steer_start(struct port_steer *s, const struct port_steer_want *want,
		     const struct port_steer_api *api, char *why, size_t why_size)
{
	int err;

	s->api = api != NULL ? api : &dpdk;
	s->dev = want->dev;
	s->rules = 0;
	err = steer_all(s, want, true);
	if (err != 0)
		err = steer_all(s, want, false);
	if (err != 0)
		snprintf(why, why_size, "the device does not steer by port (%s)",
			 err == -ENOSPC ? "no room for all rules" : "no such rule");
	return err;
}

void port_steer_stop(struct port_steer *s)
{
	struct rte_flow_error error;

	while (s->rules > 0)
		(void)s->api->destroy(s->dev, s->rule[--s->rules], &error);
}
