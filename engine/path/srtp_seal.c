/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: what leaves by an encrypted leg is sealed, whoever made it: relay, play, mix, key events.
 *
 * Packets wait here until a burst is full or the turn's work is done, and then go to tx.c in the order
 * in which they came. Recordings have had their copy by then. RTCP is sealed where it is
 * built (rtcp_out.c), because a leg says BYE when it is closed and its keys go with it.
 */
#include <rte_mbuf.h>

#include "path/path.h"
#include "srtp/srtp.h"
#include "worker/worker_priv.h"

_Static_assert((int)WORKER_SEAL_MAX == (int)SRTP_BURST, "a full queue is one burst");

static uint32_t place(const struct worker *w, const struct leg *l)
{
	return (uint32_t)(l - w->legs.leg);
}

/* What is lost here was made all the same: tx_put() counts only what comes to it. */
static void give_up(struct worker *w, struct rte_mbuf *m, enum tx_origin origin,
		    enum packet_fate fate)
{
	if (origin == TX_MADE)
		worker_count(&w->made, 1);
	tx_give_up(w, m, origin, fate);
}

void srtp_seal_put(struct worker *w, struct leg *leg, struct rte_mbuf *m, enum tx_origin origin)
{
	struct worker_seal *q = &w->seal;

	/* It cannot leave: it must not use up its number either. */
	if (leg->head.len == 0) {
		tx_put(w, leg, &leg->head, m, origin);
		return;
	}
	if (rte_pktmbuf_tailroom(m) < SRTP_RTP_TRAILER_MAX) {
		give_up(w, m, origin, FATE_NO_MBUF);
		return;
	}
	srtp_fetch(w->srtp, place(w, leg), true);
	q->leg[q->n] = leg;
	q->origin[q->n] = (uint8_t)origin;
	q->pkt[q->n++] = m;
	if (q->n == WORKER_SEAL_MAX)
		srtp_seal_burst(w);
}

void srtp_seal_burst(struct worker *w)
{
	struct worker_seal *q = &w->seal;
	struct srtp_row row[SRTP_BURST];

	if (q->n == 0)
		return;
	for (uint16_t i = 0; i < q->n; i++)
		row[i] = (struct srtp_row){.data = rte_pktmbuf_mtod(q->pkt[i], uint8_t *),
					   .leg = place(w, q->leg[i]),
					   .len = rte_pktmbuf_data_len(q->pkt[i])};
	srtp_rtp_seal(w->srtp, row, q->n);
	for (uint16_t i = 0; i < q->n; i++) {
		struct rte_mbuf *m = q->pkt[i];
		enum tx_origin origin = (enum tx_origin)q->origin[i];

		if (row[i].verdict != SRTP_OK) {
			give_up(w, m, origin, FATE_SRTP_AGAIN);
			continue;
		}
		(void)rte_pktmbuf_append(m, (uint16_t)(row[i].len - rte_pktmbuf_data_len(m)));
		tx_put(w, q->leg[i], &q->leg[i]->head, m, origin);
	}
	q->n = 0;
}
