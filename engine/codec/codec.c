/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of codecs. A new one is a file with its struct codec and a line here and in codec_id.h.
 */
#include "codec/codec.h"
#include "codec/g711.h"
#include "codec/g722.h"
#include "codec/g729.h"
#include "codec/l16.h"
#include "codec/opus.h"

#include <stddef.h>
#include <string.h>

#include "base/must.h"

static const struct codec *const codecs[CODEC_COUNT] = {
	[CODEC_PCMU] = &g711_codec_pcmu,  [CODEC_PCMA] = &g711_codec_pcma,
	[CODEC_G722] = &g722_codec,       [CODEC_OPUS] = &opus_codec,
	[CODEC_G729] = &g729_codec,       [CODEC_L16] = &l16_codec,
	[CODEC_L16_16K] = &l16_codec_16k,
};

const struct codec *codec_of(enum codec_id id)
{
	return (unsigned)id < CODEC_COUNT ? codecs[id] : NULL;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static int same_name(const char *a, const char *b)
{
	while (*a && upper(*a) == upper(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

const struct codec *codec_find(const char *name, uint32_t clock_hz)
{
	for (size_t i = 0; i < CODEC_COUNT; i++)
		if (codecs[i]->clock_hz == clock_hz && same_name(name, codecs[i]->name))
			return codecs[i];
	return NULL;
}

size_t codec_decoder_bytes_max(void)
{
	size_t most = 0;

	for (size_t i = 0; i < CODEC_COUNT; i++)
		if (codec_decoder_bytes(codecs[i]) > most)
			most = codec_decoder_bytes(codecs[i]);
	return most;
}

size_t codec_encoder_bytes_max(void)
{
	size_t most = 0;

	for (size_t i = 0; i < CODEC_COUNT; i++)
		if (codec_encoder_bytes(codecs[i]) > most)
			most = codec_encoder_bytes(codecs[i]);
	return most;
}

uint16_t codec_ptime_ms(const struct codec *c, uint16_t wanted_ms)
{
	static const uint8_t opus_ms[] = {60, 40, 20, 10}; /* a frame is one of these */
	uint16_t ms = wanted_ms == 0 ? 20 : wanted_ms;

	ms = ms > c->ptime_max_ms ? c->ptime_max_ms : ms;
	ms = ms < 10 ? 10 : (uint16_t)(ms / 10 * 10);
	if (c->id != CODEC_OPUS)
		return ms;
	for (size_t i = 0; i < sizeof(opus_ms); i++)
		if (ms >= opus_ms[i])
			return opus_ms[i];
	return 10;
}

size_t codec_encode_fixed(const struct codec *c, void *state, uint8_t *out, size_t room,
			  const int16_t *pcm, size_t n, uint32_t rate_hz)
{
	const struct codec_tune tune = {
		.complexity = 10, .bits_per_s = c->octets_per_s * 8, .fixed = true};
	size_t samples = rate_hz / 50, octets = codec_fixed_octets(c), payloads = 0;
	int16_t last[CODEC_RATE_MAX_HZ / 50];

	if (c->encoder_init != NULL)
		c->encoder_init(state, rate_hz);
	if (c->encoder_tune != NULL)
		c->encoder_tune(state, &tune);
	while (n > 0 && room >= octets) {
		size_t k = n < samples ? n : samples;
		const int16_t *from = pcm;

		if (k < samples) {
			memset(last, 0, sizeof(last));
			memcpy(last, pcm, k * sizeof(*pcm));
			from = last;
		}
		must(c->encode(state, out, octets, from, samples) == octets);
		out += octets;
		room -= octets;
		pcm += k;
		n -= k;
		payloads++;
	}
	return payloads;
}
