/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include <errno.h>
#include <stdio.h>

enum { HEAP_SLACK = 24 << 20, LINE_MAX_BYTES = 160 };

int plan_make(struct plan *plan, const struct plan_config *cfg, char *why, size_t why_size)
{
	struct plan p = {.cfg = *cfg};
	uint32_t pairs;

	if (cfg->workers == 0 || cfg->workers > PLAN_WORKERS_MAX) {
		snprintf(why, why_size, "%u workers: 1 to %d are possible", cfg->workers,
			 PLAN_WORKERS_MAX);
		return -EINVAL;
	}
	p.rtp_first = (uint16_t)(cfg->rtp_first + (cfg->rtp_first & 1));
	p.rtp_last = (uint16_t)(cfg->rtp_last - !(cfg->rtp_last & 1));
	pairs = p.rtp_last > p.rtp_first && cfg->rtp_first < UINT16_MAX
			? (uint32_t)(p.rtp_last - p.rtp_first + 1) / 2
			: 0;
	p.leg_stride = pairs / cfg->workers;
	if (p.leg_stride < 2) {
		snprintf(why, why_size,
			 "RTP ports %u-%u: %u pairs of ports are too few for %u worker%s",
			 cfg->rtp_first, cfg->rtp_last, pairs, cfg->workers,
			 cfg->workers == 1 ? "" : "s");
		return -EINVAL;
	}
	p.legs = p.leg_stride * cfg->workers;
	p.calls = cfg->calls != 0 ? (cfg->calls + cfg->workers - 1) / cfg->workers
				  : (p.leg_stride + 1) / 2;
	p.packets = cfg->queues * cfg->queue_packets + cfg->workers * cfg->handoff_packets +
		    p.legs * PLAN_PACKETS_PER_LEG;
	p.packets_bytes = (uint64_t)p.packets * cfg->packet_bytes;
	p.workers_bytes = (uint64_t)cfg->workers * cfg->worker_bytes(p.leg_stride, p.calls);
	p.coders = (cfg->coders + cfg->workers - 1) / cfg->workers;
	if (p.coders > p.leg_stride)
		p.coders = p.leg_stride;
	p.coders_bytes = (uint64_t)cfg->workers * p.coders * cfg->coder_bytes;
	p.heap_bytes = p.packets_bytes + p.workers_bytes + p.coders_bytes + HEAP_SLACK +
		       (p.packets_bytes + p.workers_bytes + p.coders_bytes) / 32;
	p.extents_bytes = (uint64_t)cfg->extents * cfg->extent_bytes;
	p.total_bytes = p.heap_bytes + p.extents_bytes + cfg->prompt_bytes;
	*plan = p;
	return 0;
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

void plan_print(const struct plan *p, plan_line_fn *fn, void *arg)
{
	const struct plan_config *c = &p->cfg;
	char line[LINE_MAX_BYTES];

	snprintf(line, sizeof(line), "RTP ports     %u-%u: %u legs, %u on each of %u worker%s",
		 p->rtp_first, p->rtp_last, p->legs, p->leg_stride, c->workers,
		 c->workers == 1 ? "" : "s");
	fn(arg, line);
	snprintf(line, sizeof(line), "legs, calls   %8.1f MiB = %u x (%u legs, %u calls)",
		 mib(p->workers_bytes), c->workers, p->leg_stride, p->calls);
	fn(arg, line);
	snprintf(line, sizeof(line),
		 "packets       %8.1f MiB = %u x %u B: %u queues x %u, %u workers x %u, %u legs x "
		 "%d",
		 mib(p->packets_bytes), p->packets, c->packet_bytes, c->queues, c->queue_packets,
		 c->workers, c->handoff_packets, p->legs, PLAN_PACKETS_PER_LEG);
	fn(arg, line);
	snprintf(line, sizeof(line), "transcoding   %8.1f MiB = %u x %u legs at once x %zu B",
		 mib(p->coders_bytes), c->workers, p->coders, c->coder_bytes);
	fn(arg, line);
	snprintf(line, sizeof(line), "recording     %8.1f MiB = %u extents x %u B in shared memory",
		 mib(p->extents_bytes), c->extents, c->extent_bytes);
	fn(arg, line);
	snprintf(line, sizeof(line), "prompts       %8.1f MiB at most", mib(c->prompt_bytes));
	fn(arg, line);
	snprintf(line, sizeof(line), "total         %8.1f MiB, of which %.1f are DPDK's heap",
		 mib(p->total_bytes), mib(p->heap_bytes));
	fn(arg, line);
}
