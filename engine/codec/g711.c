/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding reads a table. Encoding finds the segment of the magnitude from its leading bit: a table
 * of all inputs would be 64 KiB, twice the first-level cache, for a sum of four instructions.
 *
 *   u-law   magnitude + 132: leading bit 7..14 is segment 0..7, the four bits below it the step
 *   A-law   magnitude:       leading bit 8..14 is segment 1..7; below 256 segment 0, step of 16
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "codec/g711.h"
#include "codec/codec.h"

#include <stddef.h>

enum {
	ULAW_BIAS = 0x84,
	ULAW_CLIP = 0x7fff, /* of magnitude with bias */
	ALAW_TOGGLE = 0x55, /* even bits inverted on the line */
};

/* 7..14 as 0..7, for a value with bits 0..14; smaller ones as 0. */
static inline unsigned segment_of(unsigned v)
{
	return 24U - (unsigned)__builtin_clz(v | 0xff);
}

static inline uint8_t ulaw_of(int sample)
{
	unsigned negative = sample < 0;
	unsigned v = (unsigned)(negative ? -sample : sample) + ULAW_BIAS;

	if (v > ULAW_CLIP)
		v = ULAW_CLIP;

	unsigned segment = segment_of(v);
	unsigned step = v >> (segment + 3) & 0x0f;

	return (uint8_t) ~(negative << 7 | segment << 4 | step);
}

static inline uint8_t alaw_of(int sample)
{
	unsigned positive = sample >= 0;
	unsigned v = (unsigned)(positive ? sample : ~sample);
	unsigned segment = segment_of(v);
	unsigned step = v >> (segment + 3 + (segment == 0)) & 0x0f;

	return (uint8_t)((positive << 7 | segment << 4 | step) ^ ALAW_TOGGLE);
}

uint8_t g711_ulaw_encode(int16_t sample)
{
	return ulaw_of(sample);
}

uint8_t g711_alaw_encode(int16_t sample)
{
	return alaw_of(sample);
}

static inline void through(const uint8_t table[256], uint8_t *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = table[in[i]];
}

void g711_ulaw_to_alaw(uint8_t *out, const uint8_t *in, size_t n)
{
	through(g711_ulaw_alaw, out, in, n);
}

void g711_alaw_to_ulaw(uint8_t *out, const uint8_t *in, size_t n)
{
	through(g711_alaw_ulaw, out, in, n);
}

static size_t decode(const int16_t table[256], int16_t *pcm, size_t max, const uint8_t *payload,
		     size_t len)
{
	size_t n = len < max ? len : max;

	for (size_t i = 0; i < n; i++)
		pcm[i] = table[payload[i]];
	return n;
}

static size_t ulaw_decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	(void)state;
	return decode(g711_ulaw_linear, pcm, max, payload, len);
}

static size_t alaw_decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	(void)state;
	return decode(g711_alaw_linear, pcm, max, payload, len);
}

static size_t ulaw_encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	(void)state;
	if (n > room)
		return 0;
	for (size_t i = 0; i < n; i++)
		payload[i] = ulaw_of(pcm[i]);
	return n;
}

static size_t alaw_encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	(void)state;
	if (n > room)
		return 0;
	for (size_t i = 0; i < n; i++)
		payload[i] = alaw_of(pcm[i]);
	return n;
}

/* An octet is a sample is a tick. */
static uint32_t ticks(const uint8_t *payload, size_t len)
{
	(void)payload;
	return len > UINT32_MAX ? 0 : (uint32_t)len;
}

const struct codec g711_codec_pcmu = {
	.id = CODEC_PCMU,
	.name = "PCMU",
	.pt = 0,
	.channels = 1,
	.quiet = 0xff,
	.clock_hz = 8000,
	.rate_hz = 8000,
	.octets_per_s = 8000,
	.decode = ulaw_decode,
	.encode = ulaw_encode,
	.ticks = ticks,
};

const struct codec g711_codec_pcma = {
	.id = CODEC_PCMA,
	.name = "PCMA",
	.pt = 8,
	.channels = 1,
	.quiet = 0xd5,
	.clock_hz = 8000,
	.rate_hz = 8000,
	.octets_per_s = 8000,
	.decode = alaw_decode,
	.encode = alaw_encode,
	.ticks = ticks,
};
