/* SPDX-License-Identifier: Apache-2.0
 *
 * A model of a device stands in DPDK's place: it keeps rules as they are, may not know ranges or IPv6, may be
 * full, and can be asked where a packet would go. */
#include "port/port_steer.h"

#include <errno.h>

#include <rte_byteorder.h>

#include "check.h"
#include "port/steer.h"

enum { MODEL_RULES = 2048 };

struct model_rule {
	bool used, six, range;
	uint16_t spec, last, mask, queue;
};

static struct {
	struct model_rule rule[MODEL_RULES];
	unsigned used, room, created;
	bool knows_ranges, knows_masks, knows_six;
} model;

static bool read_rule(struct model_rule *r, const struct rte_flow_attr *attr,
		      const struct rte_flow_item item[], const struct rte_flow_action action[])
{
	const struct rte_flow_item_udp *spec = item[2].spec, *last = item[2].last,
				       *mask = item[2].mask;

	check(attr->ingress && !attr->egress && !attr->transfer);
	check_int(item[0].type, RTE_FLOW_ITEM_TYPE_ETH);
	check_int(item[2].type, RTE_FLOW_ITEM_TYPE_UDP);
	check_int(item[3].type, RTE_FLOW_ITEM_TYPE_END);
	check_int(action[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	check_int(action[1].type, RTE_FLOW_ACTION_TYPE_END);
	check_int(mask->hdr.src_port, 0);
	*r = (struct model_rule){
		.used = true,
		.six = item[1].type == RTE_FLOW_ITEM_TYPE_IPV6,
		.range = last != NULL,
		.spec = rte_be_to_cpu_16(spec->hdr.dst_port),
		.last = last != NULL ? rte_be_to_cpu_16(last->hdr.dst_port) : 0,
		.mask = rte_be_to_cpu_16(mask->hdr.dst_port),
		.queue = ((const struct rte_flow_action_queue *)action[0].conf)->index,
	};
	return r->range ? model.knows_ranges
			: (r->mask == UINT16_MAX || model.knows_masks) &&
				  (!r->six || model.knows_six);
}

static int model_validate(uint16_t dev, const struct rte_flow_attr *attr,
			  const struct rte_flow_item item[], const struct rte_flow_action action[],
			  struct rte_flow_error *error)
{
	struct model_rule r;

	(void)error;
	check_int(dev, 3);
	return read_rule(&r, attr, item, action) ? 0 : -ENOTSUP;
}

static struct rte_flow *model_create(uint16_t dev, const struct rte_flow_attr *attr,
				     const struct rte_flow_item item[],
				     const struct rte_flow_action action[],
				     struct rte_flow_error *error)
{
	struct model_rule *r = model.rule;

	(void)dev;
	(void)error;
	if (model.used == model.room)
		return NULL;
	while (r->used)
		r++;
	check(read_rule(r, attr, item, action));
	model.used++;
	model.created++;
	return (struct rte_flow *)r;
}

static int model_destroy(uint16_t dev, struct rte_flow *flow, struct rte_flow_error *error)
{
	struct model_rule *r = (struct model_rule *)flow;

	(void)dev;
	(void)error;
	check(r->used);
	r->used = false;
	model.used--;
	return 0;
}

static const struct port_steer_api api = {model_validate, model_create, model_destroy};

/* The queue that a packet goes to; -1: where RSS says. Never two. */
static int queue_of(bool six, uint16_t port)
{
	int queue = -1;

	for (unsigned i = 0; i < MODEL_RULES; i++) {
		const struct model_rule *r = &model.rule[i];

		if (!r->used || r->six != six ||
		    !(r->range ? port >= r->spec && port <= r->last : (port & r->mask) == r->spec))
			continue;
		check_int(queue, -1);
		queue = r->queue;
	}
	return queue;
}

static const struct port_steer_want three = {.dev = 3,
					     .workers = 3,
					     .rtp_first = 20000,
					     .ports_per_worker = 3332,
					     .ip4 = true,
					     .ip6 = true};

static void check_queues(bool six)
{
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		int owner =
			port < 20000 || port >= 20000 + 3 * 3332 ? -1 : (int)(port - 20000) / 3332;

		if (port % 7 == 0 || (port > 19990 && port < 30010))
			check_int(queue_of(six, (uint16_t)port), owner);
	}
}

static void begin(unsigned room, bool ranges, bool masks, bool six)
{
	memset(&model, 0, sizeof(model));
	model.room = room;
	model.knows_ranges = ranges;
	model.knows_masks = masks;
	model.knows_six = six;
}

static void a_device_that_knows_ranges_gets_few_rules(void)
{
	struct port_steer s;
	char why[100];

	begin(100, true, true, true);
	check_int(port_steer_start(&s, &three, &api, why, sizeof(why)), 0);
	check_int(model.used, 6);
	check_queues(false);
	check_queues(true);
	port_steer_stop(&s);
	check_int(model.used, 0);
}

static void one_that_knows_masks_gets_blocks(void)
{
	struct port_steer s;
	char why[100];

	begin(1000, false, true, true);
	check_int(port_steer_start(&s, &three, &api, why, sizeof(why)), 0);
	check(model.used > 6 && model.used < 100);
	check_queues(false);
	check_queues(true);
	port_steer_stop(&s);
	check_int(model.used, 0);
}

static void all_or_nothing(void)
{
	static const struct {
		unsigned room;
		bool ranges, masks, six;
		const char *says;
	} rows[] = {
		{1000, false, false, true, "no such rule"},
		{1000, false, true, false, "no such rule"},
		{20, false, true, true, "no room"},
		{3, true, true, true, "no room"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct port_steer s;
		char why[100];

		begin(rows[i].room, rows[i].ranges, rows[i].masks, rows[i].six);
		check(port_steer_start(&s, &three, &api, why, sizeof(why)) < 0);
		check(strstr(why, rows[i].says) != NULL);
		check_int(model.used, 0);
		check_int(s.rules, 0);
	}
}

static void blocks_cover_a_range_exactly(void)
{
	static const uint16_t rows[][2] = {{0, 65535},     {1, 65534},  {20000, 29999},
					   {7, 7},         {0, 0},      {65535, 65535},
					   {32767, 32768}, {1024, 2047}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct steer_block b[STEER_BLOCKS_MAX];
		unsigned n = steer_cover(rows[i][0], rows[i][1], b);

		for (uint32_t p = 0; p <= UINT16_MAX; p++) {
			unsigned hits = 0;

			for (unsigned k = 0; k < n; k++)
				hits += (p & b[k].mask) == b[k].port;
			check_int(hits, p >= rows[i][0] && p <= rows[i][1]);
		}
	}
	check_int(steer_cover(1, 65534, (struct steer_block[STEER_BLOCKS_MAX]){{0, 0}}),
		  STEER_BLOCKS_MAX);
}

static const struct check_case cases[] = {
	CHECK_CASE(a_device_that_knows_ranges_gets_few_rules),
	CHECK_CASE(one_that_knows_masks_gets_blocks),
	CHECK_CASE(all_or_nothing),
	CHECK_CASE(blocks_cover_a_range_exactly),
};
CHECK_MAIN(cases)
