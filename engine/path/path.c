/* SPDX-License-Identifier: Apache-2.0 */
#include "path/path.h"

#include <rte_mbuf.h>

#include "base/must.h"
#include "worker/worker.h"

void path_end(struct worker *w, struct leg *leg, struct rte_mbuf *m, enum packet_fate fate)
{
	hot_assert(fate < FATE_COUNT);
	rte_pktmbuf_free(m);
	worker_fate(w, fate, 1);
	if (leg != NULL && fate >= FATE_FIRST_DROP)
		leg->dropped++;
}
