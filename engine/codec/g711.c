/* SPDX-License-Identifier: Apache-2.0
 *
 * The plain kernel decodes by table and encodes by arithmetic (g711_loops.h); g711_simd.c has wider
 * ones, of which the best that this CPU can run is taken. Asking the CPU is a load and a test.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* gcc 12 leaves loops of unknown length alone at -O2 */
#endif

#include "codec/g711.h"
#include "codec/codec.h"
#include "codec/g711_loops.h"

uint8_t g711_ulaw_encode(int16_t sample)
{
	return g711_ulaw_of(sample);
}

uint8_t g711_alaw_encode(int16_t sample)
{
	return g711_alaw_of(sample);
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

static void ulaw_decode_plain(int16_t *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = g711_ulaw_linear[in[i]];
}

static void alaw_decode_plain(int16_t *restrict out, const uint8_t *restrict in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = g711_alaw_linear[in[i]];
}

static void ulaw_encode_plain(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	g711_loop_ulaw_encode(out, in, n);
}

static void alaw_encode_plain(uint8_t *restrict out, const int16_t *restrict in, size_t n)
{
	g711_loop_alaw_encode(out, in, n);
}

const struct g711_kernel g711_kernel_plain = {
	"plain", ulaw_decode_plain, alaw_decode_plain, ulaw_encode_plain, alaw_encode_plain,
};

const struct g711_kernel *g711_kernel(void)
{
	const struct g711_kernel *k = g711_kernel_avx512();

	if (k == NULL)
		k = g711_kernel_avx2();
	return k != NULL ? k : &g711_kernel_plain;
}

static size_t ulaw_decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	size_t n = len < max ? len : max;

	(void)state;
	g711_kernel()->ulaw_decode(pcm, payload, n);
	return n;
}

static size_t alaw_decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	size_t n = len < max ? len : max;

	(void)state;
	g711_kernel()->alaw_decode(pcm, payload, n);
	return n;
}

static size_t ulaw_encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	(void)state;
	if (n > room)
		return 0;
	g711_kernel()->ulaw_encode(payload, pcm, n);
	return n;
}

static size_t alaw_encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	(void)state;
	if (n > room)
		return 0;
	g711_kernel()->alaw_encode(payload, pcm, n);
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
	.frame_ms = 1,
	.ptime_max_ms = 60,
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
	.frame_ms = 1,
	.ptime_max_ms = 60,
	.decode = alaw_decode,
	.encode = alaw_encode,
	.ticks = ticks,
};
