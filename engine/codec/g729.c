/* SPDX-License-Identifier: Apache-2.0
 *
 * bcg729 can make a channel and close it, not reset it. Nothing of a stream that ended may be heard
 * in the next, and nothing may be allocated on a worker: so a used channel is washed with frames of
 * silence. What a decoder remembers reaches back 154 samples of excitation, four frames of spectrum
 * and gain, and filters that fade; 20 frames leave of it what silence leaves.
 */
#include "codec/g729.h"

#include <errno.h>
#include <string.h>

#include <bcg729/decoder.h>
#include <bcg729/encoder.h>

#include "base/must.h"
#include "codec/codec.h"

enum {
	FRAME_SAMPLES = 80,
	FRAME_OCTETS = 10,
	NOISE_OCTETS = 2, /* Annex B: at the end of a payload */
	WASH_FRAMES = 20,
};

struct decoder {
	bcg729DecoderChannelContextStruct *channel;
	bool used;
};

struct encoder {
	bcg729EncoderChannelContextStruct *plain, *dtx; /* without and with Annex B */
	bool used, with_dtx;
};

static size_t decoder_bytes(void)
{
	return sizeof(struct decoder);
}

static size_t encoder_bytes(void)
{
	return sizeof(struct encoder);
}

static int decoder_make(void *state)
{
	struct decoder *d = state;

	*d = (struct decoder){.channel = initBcg729DecoderChannel()};
	return d->channel != NULL ? 0 : -ENOMEM;
}

static void decoder_free(void *state)
{
	struct decoder *d = state;

	if (d->channel != NULL)
		closeBcg729DecoderChannel(d->channel);
	d->channel = NULL;
}

static void encoder_free(void *state)
{
	struct encoder *e = state;

	if (e->plain != NULL)
		closeBcg729EncoderChannel(e->plain);
	if (e->dtx != NULL)
		closeBcg729EncoderChannel(e->dtx);
	e->plain = NULL;
	e->dtx = NULL;
}

static int encoder_make(void *state)
{
	struct encoder *e = state;

	*e = (struct encoder){.plain = initBcg729EncoderChannel(0),
			      .dtx = initBcg729EncoderChannel(1)};
	if (e->plain != NULL && e->dtx != NULL)
		return 0;
	encoder_free(state);
	return -ENOMEM;
}

static void decoder_init(void *state, uint32_t rate_hz)
{
	/* One of those that an encoder at rest makes of silence. */
	static const uint8_t silence[FRAME_OCTETS] = {0x78, 0x10, 0x00, 0xa0, 0x00,
						      0xfa, 0xc2, 0x00, 0x07, 0xd6};
	struct decoder *d = state;
	int16_t pcm[FRAME_SAMPLES];

	(void)rate_hz;
	must(d->channel != NULL);
	for (unsigned i = 0; d->used && i < WASH_FRAMES; i++)
		bcg729Decoder(d->channel, silence, FRAME_OCTETS, 0, 0, 0, pcm);
	d->used = true;
}

static void encoder_init(void *state, uint32_t rate_hz)
{
	static const int16_t silence[FRAME_SAMPLES];
	struct encoder *e = state;
	uint8_t out[FRAME_OCTETS], len;

	(void)rate_hz;
	must(e->plain != NULL && e->dtx != NULL);
	for (unsigned i = 0; e->used && i < WASH_FRAMES; i++)
		bcg729Encoder(e->with_dtx ? e->dtx : e->plain, silence, out, &len);
	e->used = true;
	e->with_dtx = false;
}

static void encoder_tune(void *state, const struct codec_tune *t)
{
	struct encoder *e = state;

	e->with_dtx = t->dtx;
}

static size_t decode(void *state, int16_t *pcm, size_t max, const uint8_t *payload, size_t len)
{
	struct decoder *d = state;
	size_t n = 0;

	for (; len >= FRAME_OCTETS && n + FRAME_SAMPLES <= max; n += FRAME_SAMPLES) {
		bcg729Decoder(d->channel, payload, FRAME_OCTETS, 0, 0, 0, pcm + n);
		payload += FRAME_OCTETS;
		len -= FRAME_OCTETS;
	}
	if (len == NOISE_OCTETS && n + FRAME_SAMPLES <= max) {
		bcg729Decoder(d->channel, payload, NOISE_OCTETS, 0, 1, 0, pcm + n);
		n += FRAME_SAMPLES;
	}
	return n;
}

/* An erased frame after noise continues the noise, after speech the speech, fading. */
static void conceal(void *state, int16_t *pcm, size_t n)
{
	struct decoder *d = state;
	int16_t frame[FRAME_SAMPLES];

	while (n > 0) {
		size_t k = n < FRAME_SAMPLES ? n : FRAME_SAMPLES;

		bcg729Decoder(d->channel, NULL, 0, 1, 0, 0, frame);
		memcpy(pcm, frame, k * sizeof(*pcm));
		pcm += k;
		n -= k;
	}
}

/* With Annex B the first frame that is noise ends the payload (RFC 3551, 4.5.6); later noise frames
 * of the same payload are described well enough by it. */
static size_t encode(void *state, uint8_t *payload, size_t room, const int16_t *pcm, size_t n)
{
	struct encoder *e = state;
	size_t len = 0;
	bool noise = false;

	if (n / FRAME_SAMPLES * FRAME_OCTETS > room)
		return 0;
	for (; n >= FRAME_SAMPLES; n -= FRAME_SAMPLES, pcm += FRAME_SAMPLES) {
		uint8_t frame[FRAME_OCTETS], octets = 0;

		bcg729Encoder(e->with_dtx ? e->dtx : e->plain, pcm, frame, &octets);
		if (noise || octets == 0)
			continue;
		memcpy(payload + len, frame, octets);
		len += octets;
		noise = octets == NOISE_OCTETS;
	}
	return len;
}

static uint32_t ticks(const uint8_t *payload, size_t len)
{
	(void)payload;

	size_t rest = len % FRAME_OCTETS;

	if (len > UINT16_MAX || (rest != 0 && rest != NOISE_OCTETS))
		return 0;
	return (uint32_t)(len / FRAME_OCTETS + (rest != 0)) * FRAME_SAMPLES;
}

const struct codec g729_codec = {
	.id = CODEC_G729,
	.name = "G729",
	.pt = 18,
	.channels = 1,
	.quiet = 0,
	.frame_ms = 10,
	.ptime_max_ms = 60,
	.clock_hz = 8000,
	.rate_hz = 8000,
	.octets_per_s = 1000,
	.decoder_bytes = decoder_bytes,
	.encoder_bytes = encoder_bytes,
	.decoder_make = decoder_make,
	.encoder_make = encoder_make,
	.decoder_free = decoder_free,
	.encoder_free = encoder_free,
	.decoder_init = decoder_init,
	.encoder_init = encoder_init,
	.decode = decode,
	.conceal = conceal,
	.encode = encode,
	.encoder_tune = encoder_tune,
	.ticks = ticks,
};
