/* SPDX-License-Identifier: Apache-2.0
 *
 * libopus asks for memory of a size that it tells, and keeps no pointer out of it.
 *
 * In-band FEC: an encoder that was told to adds, to a frame, a coarser copy of the frame before. A
 * decoder that misses one asks its successor with decode_fec; when that has no copy, libopus
 * conceals instead. recover() looks first (the LBRR flag of SILK, RFC 6716, 4.2.4), so that the
 * caller may count what was recovered and what was made up.
 *
 * Fixed payloads (prompts): constant bit rate, so that a frame is found by multiplication.
 */
#include "codec/opus.h"

#include <opus/opus.h>
#include <string.h>

#include "base/must.h"
#include "codec/codec.h"

enum {
	CLOCK_HZ = 48000,
	BITS_PER_S = 24000, /* of one channel of speech at 16 kHz; also of fixed payloads */
	COMPLEXITY = 3,
	PACKET_MAX_TICKS = CLOCK_HZ / 1000 * CODEC_PACKET_MAX_MS,
};

static size_t decoder_bytes(void)
{
	return (size_t)opus_decoder_get_size(1);
}

static size_t encoder_bytes(void)
{
	return (size_t)opus_encoder_get_size(1);
}

static opus_int32 rate_of(uint32_t rate_hz)
{
	return rate_hz != 0 ? (opus_int32)rate_hz : CLOCK_HZ;
}

static void decoder_init(void *state, uint32_t rate_hz)
{
	must(opus_decoder_init(state, rate_of(rate_hz), 1) == OPUS_OK);
}

static void encoder_init(void *state, uint32_t rate_hz)
{
	OpusEncoder *e = state;
	opus_int32 rate = rate_of(rate_hz);

	must(opus_encoder_init(e, rate, 1, OPUS_APPLICATION_VOIP) == OPUS_OK);
	must(opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) == OPUS_OK);
	must(opus_encoder_ctl(e, OPUS_SET_BITRATE(rate == 8000 ? BITS_PER_S / 2 : BITS_PER_S)) ==
	     OPUS_OK);
	must(opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(COMPLEXITY)) == OPUS_OK);
}

static void encoder_tune(void *state, const struct codec_tune *t)
{
	OpusEncoder *e = state;

	opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(t->complexity <= 10 ? t->complexity : 10));
	opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(t->fec));
	opus_encoder_ctl(e,
			 OPUS_SET_PACKET_LOSS_PERC(t->loss_percent <= 100 ? t->loss_percent : 100));
	opus_encoder_ctl(e, OPUS_SET_DTX(t->dtx));
	opus_encoder_ctl(e, OPUS_SET_VBR(!t->fixed));
	if (t->bits_per_s != 0)
		opus_encoder_ctl(e, OPUS_SET_BITRATE((opus_int32)t->bits_per_s));
}

static size_t decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	if (len == 0 || len > INT32_MAX)
		return 0;

	int n = opus_decode(state, payload, (opus_int32)len, pcm, (int)max, 0);

	return n > 0 ? (size_t)n : 0;
}

/* libopus makes up multiples of 2.5 ms; the last may be asked for in part. */
static void conceal(void *state, int16_t *pcm, size_t n)
{
	opus_int32 rate = CLOCK_HZ;

	opus_decoder_ctl(state, OPUS_GET_SAMPLE_RATE(&rate));

	size_t step = (size_t)rate / 400;
	size_t whole = n / step * step;
	int16_t rest[CODEC_RATE_MAX_HZ / 400];

	while (whole > 0) {
		size_t most = (size_t)rate / 50; /* 20 ms at once, as frames are */
		int k = opus_decode(state, NULL, 0, pcm, (int)(whole < most ? whole : most), 0);

		if (k <= 0) {
			memset(pcm, 0, whole * sizeof(*pcm));
			k = (int)whole;
		}
		pcm += k;
		whole -= (size_t)k;
		n -= (size_t)k;
	}
	if (n == 0)
		return;
	if (opus_decode(state, NULL, 0, rest, (int)step, 0) != (int)step)
		memset(rest, 0, sizeof(rest));
	memcpy(pcm, rest, n * sizeof(*pcm));
}

/* The payload begins with a SILK frame whose LBRR flag is set. The TOC octet tells mode, frame size
 * and channels; in a payload of one frame (code 0) the SILK header follows it: a VAD bit per 20 ms,
 * then the LBRR bit, most significant first (RFC 6716, 4.2.3 and 4.2.4). */
static bool has_redundancy(const uint8_t *p, size_t len)
{
	if (len < 2)
		return false;

	unsigned config = p[0] >> 3;

	if (config >= 16 || (p[0] & 3) != 0) /* CELT only, or several frames */
		return false;

	/* SILK only: 10, 20, 40, 60 ms; hybrid (12 to 15): 10, 20 ms. */
	unsigned size = config < 12 ? config & 3 : config & 1;
	unsigned vad_bits = size < 2 ? 1 : size;

	return (p[1] >> (7 - vad_bits)) & 1;
}

static bool recover(void *state, int16_t *pcm, size_t n, const uint8_t *next, size_t len)
{
	if (!has_redundancy(next, len) || len > INT32_MAX)
		return false;
	return opus_decode(state, next, (opus_int32)len, pcm, (int)n, 1) == (int)n;
}

static size_t encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	opus_int32 most = room < CODEC_PAYLOAD_MAX ? (opus_int32)room : CODEC_PAYLOAD_MAX;
	opus_int32 len = opus_encode(state, pcm, (int)n, payload, most);

	return len > 2 ? (size_t)len : 0; /* two octets or less: DTX, need not be sent (3.1.3) */
}

static uint32_t ticks(const uint8_t *payload, size_t len)
{
	if (len == 0 || len > INT32_MAX)
		return 0;

	int n = opus_packet_get_nb_samples(payload, (opus_int32)len, CLOCK_HZ);

	return n > 0 && n <= PACKET_MAX_TICKS ? (uint32_t)n : 0;
}

const struct codec opus_codec = {
	.id = CODEC_OPUS,
	.name = "opus",
	.pt = CODEC_PT_DYNAMIC,
	.channels = 1,
	.quiet = 0,
	.frame_ms = 10,
	.ptime_max_ms = 60,
	.any_rate = true,
	.clock_hz = CLOCK_HZ,
	.rate_hz = CLOCK_HZ,
	.octets_per_s = BITS_PER_S / 8,
	.decoder_bytes = decoder_bytes,
	.encoder_bytes = encoder_bytes,
	.decoder_init = decoder_init,
	.encoder_init = encoder_init,
	.decode = decode,
	.conceal = conceal,
	.recover = recover,
	.encode = encode,
	.encoder_tune = encoder_tune,
	.ticks = ticks,
};
