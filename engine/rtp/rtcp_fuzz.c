/* SPDX-License-Identifier: Apache-2.0
 *
 * For any bytes rtcp_parse() reads none outside the packet, gives a fate that rtp.h names, and what
 * it accepts is whole words long. A report built from what was read is read back the same, extended
 * reports and feedback with it.
 */
#include <string.h>

#include "base/must.h"
#include "base/units.h"
#include "rtp/rtcp.h"
#include "rtp/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_feedback(const struct rtcp_feedback *a, const struct rtcp_feedback *b)
{
	must(a->nacks == b->nacks && a->pli == b->pli && a->fir == b->fir);
	must(!a->fir || a->fir_seq == b->fir_seq);
	must(memcmp(a->nack, b->nack, a->nacks * sizeof(a->nack[0])) == 0);
}

static void moved(const struct rtcp_feedback *f, const uint8_t *data, size_t size)
{
	struct rtcp_feedback m = *f;

	if (size < 4)
		return;
	rtcp_feedback_move(&m, be16_get(data), be16_get(data + 2));
	must(m.nacks <= f->nacks && m.pli == f->pli && m.fir == f->fir);
	for (unsigned i = 0; i < m.nacks; i++) /* none is before the first */
		must((int16_t)(uint16_t)(m.nack[i].pid - be16_get(data) - be16_get(data + 2)) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp_news n, again;
	uint8_t p[RTCP_BUILD_MAX];
	uint32_t ours = size >= 12 ? be32_get(data + 8) : 0;
	const uint32_t theirs = size >= 8 ? be32_get(data + 4) : 0;
	enum packet_fate fate = rtcp_parse(&n, data, size, ours, size % 8 == 0 ? &theirs : NULL);

	must(fate == RTP_OK || fate == FATE_RTCP_BAD);
	if (fate != RTP_OK)
		return 0;
	must(size > 0 && size % 4 == 0);

	struct rtcp_xr_out xr = {.ssrc = n.ssrc,
				 .ntp = n.xr.has_rrtr ? n.xr.rrtr_ntp : 0,
				 .dlrr_ssrc = n.xr.has_dlrr ? ours : 0,
				 .lrr = n.xr.lrr,
				 .dlrr = n.xr.dlrr,
				 .voip = n.xr.has_voip ? &n.xr.voip : NULL};
	struct rtcp_out o = {.ssrc = n.ssrc,
			     .sender = n.has_sender ? &n.sender : NULL,
			     .block = n.has_block ? &n.block : NULL,
			     .cname = "fuzz",
			     .xr = &xr,
			     .feedback = &n.feedback,
			     .media = ours,
			     .bye = n.bye};
	size_t len = rtcp_build(p, sizeof(p), &o);

	must(len > 0);
	must(rtcp_parse(&again, p, len, ours, NULL) == RTP_OK);
	must(again.has_sender == n.has_sender && again.bye == n.bye && again.ssrc == n.ssrc);
	must(again.has_block == n.has_block);
	if (n.has_block) {
		must(again.block.lost == n.block.lost && again.block.dlsr == n.block.dlsr);
		(void)rtcp_rtt_us(&n.block, n.sender.ts);
	}
	must(again.xr.has_voip == n.xr.has_voip);
	if (n.xr.has_voip)
		must(again.xr.voip.mos_lq == n.xr.voip.mos_lq &&
		     again.xr.voip.jb_abs_max_ms == n.xr.voip.jb_abs_max_ms);
	if (xr.ntp != 0)
		must(again.xr.has_rrtr && again.xr.rrtr_ntp == n.xr.rrtr_ntp);
	if (xr.dlrr_ssrc != 0)
		must(again.xr.has_dlrr && again.xr.lrr == n.xr.lrr && again.xr.dlrr == n.xr.dlrr);
	same_feedback(&n.feedback, &again.feedback);
	moved(&n.feedback, data, size);
	return 0;
}
