/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage 1: from the port, and from workers that received what is ours, to rows.
 *
 * Out: whole frames. Their first lines are fetched while the others are still being counted: the
 * next stage reads every header once, and a miss each would cost more than all the rest.
 */
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "path/path.h"
#include "port/port.h"
#include "worker/worker.h"

void rx_burst(struct worker *w, struct burst *b)
{
	uint16_t handed;

	b->n = port_receive(w->cfg.lane, b->pkt, BURST_MAX, &handed);
	if (b->n == 0)
		return;
	w->turn_worked = true;
	for (uint16_t i = 0; i < b->n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(b->pkt[i], const void *));
	/* Handed packets were received where they came in. */
	worker_count(&w->received, (uint64_t)(b->n - handed));
}
