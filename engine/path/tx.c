/* SPDX-License-Identifier: Apache-2.0
 *
 * The last stage: headers in front, and out in batches.
 *
 * A packet that was received keeps its fate open until here: RELAYED when the port took it. What the
 * port does not take is offered again as long as it takes anything at all; then the queue was full
 * for the whole turn, and the rest is dropped rather than sent late: the next 20 ms are coming.
 */
#include <rte_mbuf.h>

#include "path/capture.h"
#include "path/path.h"
#include "port/port.h"
#include "worker/worker.h"

void tx_give_up(struct worker *w, struct rte_mbuf *m, enum tx_origin origin, enum packet_fate fate)
{
	if (origin == TX_RECEIVED) {
		/* No leg: it is the listener that is known here, the packet was the speaker's. */
		path_end(w, NULL, m, fate);
		return;
	}
	worker_count(&w->made_lost, 1);
	rte_pktmbuf_free(m);
}

void tx_put(struct worker *w, struct leg *leg, const struct net_head *head, struct rte_mbuf *m,
	    enum tx_origin origin)
{
	uint16_t payload = rte_pktmbuf_data_len(m);

	if (origin == TX_MADE)
		worker_count(&w->made, 1);
	if (head->len == 0) {
		worker_neighbour_want(w, leg);
		tx_give_up(w, m, origin, FATE_NO_NEIGHBOUR);
		return;
	}

	char *at = rte_pktmbuf_prepend(m, head->len);

	if (at == NULL) {
		tx_give_up(w, m, origin, FATE_NO_MBUF);
		return;
	}
	net_head_write(head, (uint8_t *)at, payload);
	if (w->tx.n == WORKER_TX_MAX)
		tx_flush(w);
	w->tx.received[w->tx.n] = (uint8_t)origin;
	w->tx.pkt[w->tx.n++] = m;
}

void tx_flush(struct worker *w)
{
	struct worker_tx *tx = &w->tx;
	uint64_t relayed = 0;
	uint16_t sent = 0, took = 1;

	/* Lost frames of workers without a queue: those have counted them as sent. */
	uint16_t lost = port_send_others(w->cfg.lane);

	if (lost > 0)
		worker_count(&w->made_lost, lost);
	if (tx->n == 0)
		return;
	if (w->capture != NULL)
		capture_frames(w, tx->pkt, tx->n, CAPTURE_OUT);
	while (sent < tx->n && took > 0) {
		took = port_send(w->cfg.lane, tx->pkt + sent, (uint16_t)(tx->n - sent));
		sent = (uint16_t)(sent + took);
	}
	for (uint16_t i = 0; i < sent; i++)
		relayed += tx->received[i] == TX_RECEIVED;
	for (uint16_t i = sent; i < tx->n; i++)
		tx_give_up(w, tx->pkt[i], (enum tx_origin)tx->received[i], FATE_TX_FULL);
	if (relayed > 0)
		worker_fate(w, FATE_RELAYED, relayed);
	worker_count(&w->sent, sent);
	tx->n = 0;
}
