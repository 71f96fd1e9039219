/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding reads a table. Encoding wants the place of the magnitude's leading bit and the four bits
 * below it, which is what a float keeps in its exponent and in front of its mantissa:
 *
 *   float     s eeeeeeee mmmm.................     exponent, biased by 127, is the place of the bit
 *   code      S      sss qqqq                      segment 0 is place 7
 *
 * So the code is the float's bits 19 and up, less 134 << 4 - exact, since a float holds 24 bits, and
 * without a branch, a table or a shift by a variable, so that the compiler makes vectors of it.
 *
 *   u-law   magnitude + 132 is 132 at least: always right
 *   A-law   below 256, in segment 0, steps are as wide as in segment 1: it is segment 1's code of
 *           the magnitude + 256, less one segment
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "codec/g711.h"
#include "codec/codec.h"

#include <stddef.h>
#include <string.h>

enum {
	ULAW_BIAS = 0x84,
	ULAW_CLIP = 0x7fff, /* of magnitude with bias */
	ALAW_TOGGLE = 0x55, /* even bits inverted on the line */
	PLACE_7 = (127 + 7) << 4,
};

/* All ones for a negative sample. */
static inline int sign_of(int sample)
{
	return -(sample < 0);
}

/* Segment and step of a magnitude of at least 128. */
static inline int code_of(int v)
{
	float f = (float)v;
	int32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return (bits >> 19) - PLACE_7;
}

static inline uint8_t ulaw_of(int sample)
{
	int sign = sign_of(sample);
	int v = (sample ^ sign) - sign + ULAW_BIAS;

	v = v < ULAW_CLIP ? v : ULAW_CLIP;
	return (uint8_t) ~(code_of(v) | (sign & 0x80));
}

static inline uint8_t alaw_of(int sample)
{
	int sign = sign_of(sample);
	int v = sample ^ sign;
	int fine = -(v < 256); /* all ones in segment 0 */
	int code = code_of(v + (fine & 256)) - (fine & 16);

	return (uint8_t)((code | (~sign & 0x80)) ^ ALAW_TOGGLE);
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
