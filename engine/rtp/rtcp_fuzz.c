/* SPDX-License-Identifier: Apache-2.0
 *
 * For any bytes rtcp_parse() reads none outside the packet, gives a fate that rtp.h names, and what
 * it accepts is whole words long. A report built from what was read is read back the same.
 */
#include "base/must.h"
#include "base/units.h"
#include "rtp/rtcp.h"
#include "rtp/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp_news n, again;
	uint8_t p[RTCP_BUILD_MAX];
	enum packet_fate fate = rtcp_parse(&n, data, size, size >= 12 ? be32_get(data + 8) : 0);

	must(fate == RTP_OK || fate == FATE_RTCP_BAD);
	if (fate != RTP_OK)
		return 0;
	must(size > 0 && size % 4 == 0);

	struct rtcp_out o = {.ssrc = n.ssrc,
			     .sender = n.has_sender ? &n.sender : NULL,
			     .block = n.has_block ? &n.block : NULL,
			     .cname = "fuzz",
			     .bye = n.bye};
	size_t len = rtcp_build(p, sizeof(p), &o);

	must(len > 0);
	must(rtcp_parse(&again, p, len, n.block.ssrc) == RTP_OK);
	must(again.has_sender == n.has_sender && again.bye == n.bye && again.ssrc == n.ssrc);
	must(again.has_block == n.has_block);
	if (n.has_block) {
		must(again.block.lost == n.block.lost && again.block.dlsr == n.block.dlsr);
		(void)rtcp_rtt_us(&n.block, n.sender.ts);
	}
	return 0;
}
