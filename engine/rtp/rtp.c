/* SPDX-License-Identifier: Apache-2.0
 *
 * The header from front to back, each length checked before the bytes it counts are read:
 *
 *   12 fixed | 4 x CC contributing sources | X: 4 + 4 x n extension | payload | P: n of padding
 *
 * `at` is where the next part begins and never passes `len`.
 */
#include "rtp/rtp.h"

enum packet_fate rtp_parse(struct rtp_view *v, const uint8_t *p, size_t len)
{
	if (len < RTP_HEADER_LEN || len > UINT16_MAX)
		return FATE_RTP_SHORT;
	if (p[0] >> 6 != 2)
		return FATE_RTP_VERSION;

	size_t at = RTP_HEADER_LEN + 4 * (size_t)(p[0] & 0x0f);

	if (at > len)
		return FATE_RTP_SHORT;
	if (p[0] & 0x10) {
		if (len - at < 4)
			return FATE_RTP_SHORT;
		at += 4 + 4 * (size_t)be16_get(p + at + 2);
		if (at > len)
			return FATE_RTP_SHORT;
	}

	size_t padding = 0;

	if (p[0] & 0x20) {
		if (at == len)
			return FATE_RTP_PADDING;
		padding = p[len - 1];
		if (padding == 0 || padding > len - at)
			return FATE_RTP_PADDING;
	}
	if (len - at == padding)
		return FATE_RTP_EMPTY;

	*v = (struct rtp_view){
		.ts = be32_get(p + 4),
		.ssrc = be32_get(p + 8),
		.seq = be16_get(p + 2),
		.payload_at = (uint16_t)at,
		.payload_len = (uint16_t)(len - at - padding),
		.pt = p[1] & 0x7f,
		.marker = (p[1] & 0x80) != 0,
	};
	return RTP_OK;
}
