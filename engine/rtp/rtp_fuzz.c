/* SPDX-License-Identifier: Apache-2.0
 *
 * For any bytes: rtp_parse() reads none outside the packet; what it accepts has its payload inside
 * the packet and not empty; and the header rebuilt in front of the payload reads back the same. For
 * any series of headers: each accepted packet is counted once, never more are received than were
 * expected, and the difference is what is lost.
 */
#include "base/must.h"
#include "rtp/rtp.h"
#include "rtp/rtp_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_packet(const uint8_t *data, size_t size)
{
	struct rtp_view v, again;
	uint8_t copy[RTP_HEADER_LEN + 1];

	(void)rtp_is_rtcp(data, size);
	if (rtp_parse(&v, data, size) != RTP_OK)
		return;
	must(v.payload_len > 0 && (size_t)v.payload_at + v.payload_len <= size);
	must(v.payload_at >= RTP_HEADER_LEN && v.pt <= RTP_PT_MAX);
	rtp_build(copy, v.pt, v.marker, v.seq, v.ts, v.ssrc);
	copy[RTP_HEADER_LEN] = data[v.payload_at];
	must(rtp_parse(&again, copy, sizeof(copy)) == RTP_OK);
	must(again.seq == v.seq && again.ts == v.ts && again.ssrc == v.ssrc && again.pt == v.pt &&
	     again.marker == v.marker);
}

/* Eight bytes a packet: one bit of SSRC, sequence, timestamp, arrival. */
static void many_headers(const uint8_t *data, size_t size)
{
	struct rtp_source s = {0};
	uint64_t accepted = 0;
	uint32_t arrival = 0;
	struct rtcp_block b;

	for (; size >= 8; data += 8, size -= 8) {
		struct rtp_view v = {
			.ssrc = data[0] & 1, .seq = be16_get(data + 1), .ts = be32_get(data + 3)};
		enum rtp_source_heard heard;

		arrival += data[7];
		heard = rtp_source_update(&s, &v, arrival, data[0] & 2);
		accepted += heard == RTP_SOURCE_NEW || heard == RTP_SOURCE_NEXT ||
			    heard == RTP_SOURCE_REORDERED;
		if (data[0] & 4)
			rtp_source_report(&s, &b);
		(void)rtp_source_jitter_us(&s, 8000);
		must((uint64_t)s.received_before + s.received == accepted);
		must(rtp_source_expected(&s) >= accepted);
		must(rtp_source_lost(&s) == rtp_source_expected(&s) - accepted);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one_packet(data, size);
	many_headers(data, size);
	return 0;
}
