/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear samples in network byte order.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif

#include "codec/l16.h"
#include "codec/codec.h"

static size_t decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	size_t n = len / 2 < max ? len / 2 : max;

	(void)state;
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(uint16_t)(payload[2 * i] << 8 | payload[2 * i + 1]);
	return n;
}

static size_t encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	(void)state;
	if (2 * n > room)
		return 0;
	for (size_t i = 0; i < n; i++) {
		payload[2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
		payload[2 * i + 1] = (uint8_t)pcm[i];
	}
	return 2 * n;
}

/* A sample is a tick; half a sample means nothing. */
static uint32_t ticks(const uint8_t *payload, size_t len)
{
	(void)payload;
	return len % 2 != 0 || len > UINT16_MAX ? 0 : (uint32_t)(len / 2);
}

const struct codec l16_codec = {
	.id = CODEC_L16,
	.name = "L16",
	.pt = CODEC_PT_DYNAMIC,
	.channels = 1,
	.quiet = 0,
	.frame_ms = 1,
	.ptime_max_ms = 60,
	.clock_hz = 8000,
	.rate_hz = 8000,
	.octets_per_s = 16000,
	.decode = decode,
	.encode = encode,
	.ticks = ticks,
};

const struct codec l16_codec_16k = {
	.id = CODEC_L16_16K,
	.name = "L16",
	.pt = CODEC_PT_DYNAMIC,
	.channels = 1,
	.quiet = 0,
	.frame_ms = 1,
	.ptime_max_ms =
		40, /* 1,280 octets: one more and it would not fit into a frame on the wire */
	.clock_hz = 16000,
	.rate_hz = 16000,
	.octets_per_s = 32000,
	.decode = decode,
	.encode = encode,
	.ticks = ticks,
};
