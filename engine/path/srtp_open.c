/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: what came to an encrypted leg is opened, in place: RTP in one burst, the rare RTCP by itself.
 *
 * Everything behind this stage, recordings included, sees plain RTP. A stranger's packet is refused by
 * its address before it costs a hash; who may still be latched onto must have the key. On a leg
 * with keys nothing plain is taken: it has no tag.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "path/path.h"
#include "srtp/srtp.h"
#include "worker/worker_priv.h"

static enum packet_fate fate_of(enum srtp_verdict verdict)
{
	switch (verdict) {
	case SRTP_OK:
		return RTP_OK;
	case SRTP_REPLAY:
		return FATE_SRTP_REPLAY;
	case SRTP_SHORT:
	case SRTP_AUTH:
		break;
	}
	return FATE_SRTP_AUTH;
}

static bool is_rtcp(const struct burst *b, uint16_t i)
{
	return b->from[i].rtcp || rtp_is_rtcp(rte_pktmbuf_mtod(b->pkt[i], const uint8_t *),
					      rte_pktmbuf_data_len(b->pkt[i]));
}

/* RTCP may come from another port; RTP from another source only while the leg may latch. */
static bool is_stranger(const struct leg_in *in, const struct packet_from *from, bool rtcp)
{
	bool same = in->family == from->family && memcmp(in->ip, from->ip, sizeof(in->ip)) == 0;

	if (rtcp)
		return !same;
	return !(same && in->port == from->port) && !(in->flags & LEG_IN_LATCH);
}

static uint32_t place(const struct worker *w, const struct leg *l)
{
	return (uint32_t)(l - w->legs.leg);
}

static void shorten(struct rte_mbuf *m, uint16_t len)
{
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_data_len(m) - len));
}

static enum packet_fate open_rtcp(struct worker *w, struct burst *b, uint16_t i)
{
	struct rte_mbuf *m = b->pkt[i];
	uint16_t len = rte_pktmbuf_data_len(m);
	enum srtp_verdict verdict =
		srtp_rtcp_open(w->srtp, place(w, b->leg[i]), rte_pktmbuf_mtod(m, uint8_t *), &len);

	if (verdict == SRTP_OK)
		shorten(m, len);
	return fate_of(verdict);
}

static bool any_encrypted(const struct burst *b)
{
	uint16_t flags = 0;

	for (uint16_t i = 0; i < b->n; i++)
		flags |= b->leg[i]->in.flags;
	return (flags & LEG_IN_SRTP) != 0;
}

/* The rows of encrypted legs, opened; `fate` RTP_OK: it goes on. */
static void open_rows(struct worker *w, struct burst *b, enum packet_fate fate[BURST_MAX])
{
	struct srtp_row row[BURST_MAX];
	uint16_t of[BURST_MAX], n = 0;

	for (uint16_t i = 0; i < b->n; i++)
		if (b->leg[i]->in.flags & LEG_IN_SRTP)
			srtp_fetch(w->srtp, place(w, b->leg[i]), false);
	for (uint16_t i = 0; i < b->n; i++) {
		struct leg *l = b->leg[i];
		bool rtcp;

		fate[i] = RTP_OK;
		if (!(l->in.flags & LEG_IN_SRTP))
			continue;
		rtcp = is_rtcp(b, i);
		if (is_stranger(&l->in, &b->from[i], rtcp)) {
			fate[i] = FATE_STRANGER;
		} else if (rtcp) {
			fate[i] = open_rtcp(w, b, i);
		} else {
			row[n] = (struct srtp_row){.data = rte_pktmbuf_mtod(b->pkt[i], uint8_t *),
						   .leg = place(w, l),
						   .len = rte_pktmbuf_data_len(b->pkt[i])};
			of[n++] = i;
		}
	}
	srtp_rtp_open(w->srtp, row, n);
	for (uint16_t k = 0; k < n; k++) {
		fate[of[k]] = fate_of((enum srtp_verdict)row[k].verdict);
		if (row[k].verdict == SRTP_OK)
			shorten(b->pkt[of[k]], row[k].len);
	}
}

void srtp_open_burst(struct worker *w, struct burst *b)
{
	enum packet_fate fate[BURST_MAX];
	uint16_t kept = 0;

	if (!any_encrypted(b))
		return;
	open_rows(w, b, fate);
	for (uint16_t i = 0; i < b->n; i++) {
		if (fate[i] == RTP_OK)
			burst_move(b, kept++, i);
		else
			path_end(w, b->leg[i], b->pkt[i], fate[i]);
	}
	b->n = kept;
}
