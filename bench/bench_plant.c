/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker with a fault in its relay stage, for the test that bench/run would see it: linked with --wrap, so
 * the stage itself is the real one.
 *
 *	PLANT_SLOW_CYCLES=N   each packet costs N cycles more
 *	PLANT_LOSS=N          every Nth packet vanishes
 */
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdlib.h>

#include "path/path.h"
#include "worker/worker.h"

void __real_relay_burst(struct worker *w, struct burst *b);
void __wrap_relay_burst(struct worker *w, struct burst *b);

static uint64_t number(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : 0;
}

void __wrap_relay_burst(struct worker *w, struct burst *b)
{
	static uint64_t seen;
	uint64_t slow = number("PLANT_SLOW_CYCLES"), loss = number("PLANT_LOSS");
	uint64_t end = rte_rdtsc() + slow * b->n;

	for (uint16_t n = b->n; loss > 0 && n > 0; n--)
		if (++seen % loss == 0)
			rte_pktmbuf_free(b->pkt[--b->n]);
	while (rte_rdtsc() < end)
		;
	__real_relay_burst(w, b);
}
