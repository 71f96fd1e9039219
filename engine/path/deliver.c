/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage: into the jitter buffer. In: sound of legs that somebody decodes. The mbuf is cut down to its payload and
 * kept by the buffer until the call's tick plays it; the codec travels in the mbuf, because the
 * leg may change it while packets wait.
 */
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "base/must.h"
#include "codec/codec.h"
#include "path/path.h"
#include "worker/worker_priv.h"

static enum packet_fate row_put(struct worker *w, struct burst *b, uint16_t i)
{
	struct rte_mbuf *m = b->pkt[i];
	const struct rtp_view *v = &b->rtp[i];
	struct leg_media *media = worker_leg_media(w, b->leg[i]);
	const struct codec *codec = codec_of((enum codec_id)b->codec[i]);

	rte_pktmbuf_adj(m, v->payload_at);
	rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_data_len(m) - v->payload_len));
	m->hash.usr = b->codec[i];

	uint32_t ticks = codec->ticks(rte_pktmbuf_mtod(m, const uint8_t *), v->payload_len);

	if (ticks == 0 || ticks > UINT16_MAX)
		return FATE_RTP_EMPTY;
	switch (jbuf_put(media->jbuf, m, v->seq, v->ts, ticks, w->now_ns)) {
	case JBUF_PUT_KEPT:
		return FATE_BUFFERED;
	case JBUF_PUT_DUP:
		return FATE_DUPLICATE;
	case JBUF_PUT_LATE:
		return FATE_LATE;
	case JBUF_PUT_FAR:
		return FATE_FAR;
	}
	must(!"a verdict of jbuf_put");
	return FATE_FAR;
}

/* Leg, buffer and slot lead to one another and are misses: fetched for the burst, step by step. */
static void fetch(const struct worker *w, const struct burst *b)
{
	for (uint16_t i = 0; i < b->n; i++)
		rte_prefetch0(worker_leg_media(w, b->leg[i]));
	for (uint16_t i = 0; i < b->n; i++)
		jbuf_fetch(worker_leg_media(w, b->leg[i])->jbuf);
	for (uint16_t i = 0; i < b->n; i++)
		jbuf_fetch_slot(worker_leg_media(w, b->leg[i])->jbuf, b->rtp[i].seq);
}

void deliver_burst(struct worker *w, struct burst *b)
{
	fetch(w, b);
	for (uint16_t i = 0; i < b->n; i++) {
		enum packet_fate fate = row_put(w, b, i);

		if (fate == FATE_BUFFERED)
			worker_fate(w, fate, 1);
		else
			path_end(w, b->leg[i], b->pkt[i], fate);
	}
	b->n = 0;
}
