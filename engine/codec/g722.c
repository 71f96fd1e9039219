/* SPDX-License-Identifier: Apache-2.0
 *
 * An octet is two samples and one tick.
 */
#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include "codec/g722.h"

#include <spandsp.h>

#include "base/must.h"
#include "codec/codec.h"

enum { BITS_PER_S = 64000 };

static size_t decoder_bytes(void)
{
	return sizeof(g722_decode_state_t);
}

static size_t encoder_bytes(void)
{
	return sizeof(g722_encode_state_t);
}

static void decoder_init(void *state, uint32_t rate_hz)
{
	(void)rate_hz;
	must(g722_decode_init(state, BITS_PER_S, 0) == state);
}

static void encoder_init(void *state, uint32_t rate_hz)
{
	(void)rate_hz;
	must(g722_encode_init(state, BITS_PER_S, 0) == state);
}

static size_t decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	size_t n = len < max / 2 ? len : max / 2;

	return (size_t)g722_decode(state, pcm, payload, (int)n);
}

static size_t encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	if (n / 2 > room || n % 2 != 0)
		return 0;
	return (size_t)g722_encode(state, payload, pcm, (int)n);
}

static uint32_t ticks(const uint8_t *payload, size_t len)
{
	(void)payload;
	return len > UINT16_MAX ? 0 : (uint32_t)len;
}

const struct codec g722_codec = {
	.id = CODEC_G722,
	.name = "G722",
	.pt = 9,
	.channels = 1,
	.quiet = 0xfa, /* smallest steps of both bands; a decoder at rest stays within 16 of zero */
	.frame_ms = 1,
	.ptime_max_ms = 60,
	.clock_hz = 8000,
	.rate_hz = 16000,
	.octets_per_s = 8000,
	.decoder_bytes = decoder_bytes,
	.encoder_bytes = encoder_bytes,
	.decoder_init = decoder_init,
	.encoder_init = encoder_init,
	.decode = decode,
	.encode = encode,
	.ticks = ticks,
};
