/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory, one block: struct | decoder | encoder | G.729's two, which live as long as the block because
 * they are made of heap.
 *
 * Concealment. Opus and G.729 make up their own. For the others spandsp's works on pitch at 8 kHz:
 * the frames that came are remembered at 8 kHz, and what it makes up is brought to the call's rate; the
 * first frame after a loss is blended with its continuation over 5 ms, so that there is no step.
 */
#include "leg/coder.h"

#include <errno.h>
#include <string.h>

#include "base/must.h"
#include "dsp/conceal.h"
#include "dsp/resample.h"
#include "dsp/slip.h"

enum {
	QUEUE_MAX = CODEC_RATE_MAX_HZ / 1000 * CODEC_PACKET_MAX_MS + CODER_FRAME_MAX,
	PACK_MAX = CODEC_RATE_MAX_HZ / 1000 * CODEC_PTIME_MAX_MS + CODER_FRAME_MAX,
	PIECE_MS = 10, /* that is concealed at once */
	BLEND_MS = 5,
};

struct coder {
	struct conceal *conceal;
	void *decoder, *encoder, *g729_decoder, *g729_encoder;

	const struct codec *from; /* whose decoder is prepared; NULL: none */
	uint32_t from_hz;         /* its rate */
	uint32_t rate_hz;         /* of the call */
	struct resample in;       /* from_hz to rate_hz */
	struct resample narrow;   /* rate_hz to 8 kHz, for the frames that are taken */
	struct resample remember; /* rate_hz to 8 kHz, for concealment */
	struct resample widen;    /* 8 kHz to rate_hz, of what was concealed */
	bool conceals;            /* the newest sound was made up at 8 kHz */
	uint32_t queued;
	int16_t queue[QUEUE_MAX];

	const struct codec *to;
	uint32_t to_hz, heard_hz;
	uint16_t ptime_ms;
	struct resample out; /* heard_hz to to_hz */
	struct codec_tune tune;
	uint32_t packed; /* samples at to_hz */
	int32_t at;      /* of the next packet's first sample, from the newest frame's first */
	int16_t pack[PACK_MAX];
};

static size_t line(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

size_t coder_bytes(void)
{
	return line(sizeof(struct coder)) + line(codec_decoder_bytes_max()) +
	       line(codec_encoder_bytes_max()) + line(codec_decoder_bytes(codec_of(CODEC_G729))) +
	       line(codec_encoder_bytes(codec_of(CODEC_G729)));
}

int coder_make(struct coder *c)
{
	uint8_t *at = (uint8_t *)c + line(sizeof(*c));
	const struct codec *g729 = codec_of(CODEC_G729);

	c->decoder = at;
	at += line(codec_decoder_bytes_max());
	c->encoder = at;
	at += line(codec_encoder_bytes_max());
	c->g729_decoder = at;
	at += line(codec_decoder_bytes(g729));
	c->g729_encoder = at;
	if (g729->decoder_make(c->g729_decoder) != 0)
		return -ENOMEM;
	return g729->encoder_make(c->g729_encoder);
}

void coder_free(struct coder *c)
{
	const struct codec *g729 = codec_of(CODEC_G729);

	if (c->decoder == NULL)
		return;
	g729->decoder_free(c->g729_decoder);
	g729->encoder_free(c->g729_encoder);
}

void coder_begin(struct coder *c, struct conceal *conceal)
{
	c->conceal = conceal;
	c->from = NULL;
	c->to = NULL;
	c->rate_hz = 0;
	c->tune = (struct codec_tune){.complexity = 3};
	coder_restart(c);
	coder_speak_anew(c);
}

/* --- what the leg says --- */

static void *decoder_of(const struct coder *c)
{
	return c->from->id == CODEC_G729 ? c->g729_decoder : c->decoder;
}

static void decoder_use(struct coder *c, const struct codec *codec)
{
	if (c->from == codec)
		return;
	c->from = codec;
	c->from_hz = codec_rate_for(codec, c->rate_hz);
	must(resample_init(&c->in, c->from_hz, c->rate_hz));
	if (codec->decoder_init != NULL)
		codec->decoder_init(decoder_of(c), c->from_hz);
}

void coder_listen_at(struct coder *c, uint32_t rate_hz)
{
	if (c->rate_hz == rate_hz)
		return;
	c->rate_hz = rate_hz;
	coder_restart(c);
	must(resample_init(&c->narrow, rate_hz, CODER_NARROW_HZ));
	must(resample_init(&c->remember, rate_hz, CODER_NARROW_HZ));
	must(resample_init(&c->widen, CODER_NARROW_HZ, rate_hz));
}

void coder_restart(struct coder *c)
{
	c->from = NULL; /* prepared anew at the next payload */
	c->queued = 0;
	c->conceals = false;
	if (c->conceal != NULL)
		conceal_init(c->conceal);
}

uint32_t coder_queued(const struct coder *c)
{
	return c->queued;
}

static uint32_t room(const struct coder *c)
{
	return QUEUE_MAX - c->queued;
}

/* From 8 kHz to the end of the queue. */
static uint32_t widen(struct coder *c, const int16_t *narrow, size_t n)
{
	uint32_t k = (uint32_t)resample_len(&c->widen, n);

	if (k > room(c))
		return 0;
	resample_run(&c->widen, c->queue + c->queued, narrow, n);
	return k;
}

/* The first samples that came after a loss, `n` at `pcm`, begin with a blend of what was made up. */
static void blend(struct coder *c, int16_t *pcm, uint32_t n)
{
	int16_t narrow[CODER_NARROW_HZ / 1000 * BLEND_MS];
	int16_t wide[CODEC_RATE_MAX_HZ / 1000 * BLEND_MS];
	int32_t steps = (int32_t)(c->rate_hz / 1000 * BLEND_MS);

	c->conceals = false;
	if ((uint32_t)steps > n)
		return;
	conceal_lost(c->conceal, narrow, sizeof(narrow) / sizeof(narrow[0]));
	resample_run(&c->widen, wide, narrow, sizeof(narrow) / sizeof(narrow[0]));
	for (int32_t i = 0; i < steps; i++)
		pcm[i] = (int16_t)((pcm[i] * i + wide[i] * (steps - i)) / steps);
}

/* What came is remembered at 8 kHz, in case that what follows does not come. */
static void remember(struct coder *c, int16_t *pcm, uint32_t n)
{
	int16_t narrow[QUEUE_MAX];

	if (c->conceals)
		blend(c, pcm, n);
	n -= n % c->remember.down;
	resample_run(&c->remember, narrow, pcm, n);
	conceal_good(c->conceal, narrow, resample_len(&c->remember, n));
}

uint32_t coder_decode(struct coder *c, const struct codec *codec, const uint8_t *payload,
		      size_t len)
{
	int16_t raw[QUEUE_MAX];

	decoder_use(c, codec);

	size_t n = codec->decode(codec->decoder_init != NULL ? decoder_of(c) : NULL, raw, QUEUE_MAX,
				 payload, len);

	n -= n % c->in.down;

	uint32_t k = (uint32_t)resample_len(&c->in, n);

	if (k > room(c))
		return 0;

	int16_t *at = c->queue + c->queued;

	resample_run(&c->in, at, raw, n);
	if (codec->conceal == NULL && c->conceal != NULL)
		remember(c, at, k);
	c->queued += k;
	return k;
}

int32_t coder_slip(struct coder *c, uint32_t n, int32_t wish)
{
	uint32_t most = (uint32_t)(wish < 0 ? -wish : wish);
	int16_t *at;
	uint32_t by;

	if (n > c->queued || (wish > 0 && most > room(c)))
		return 0;
	at = c->queue + c->queued - n;
	if (wish < 0) {
		by = (uint32_t)slip_shorten(at, n, most, c->rate_hz);
		c->queued -= by;
		return -(int32_t)by;
	}
	by = (uint32_t)slip_lengthen(at, n, most, c->rate_hz);
	c->queued += by;
	return (int32_t)by;
}

void coder_queue(struct coder *c, const int16_t *pcm, uint32_t n)
{
	n = n < room(c) ? n : room(c);
	memcpy(c->queue + c->queued, pcm, n * sizeof(*pcm));
	c->queued += n;
}

/* The codec's own concealment: `n` at the call's rate. */
static void conceal_itself(struct coder *c, uint32_t n)
{
	int16_t raw[CODEC_RATE_MAX_HZ / 1000 * PIECE_MS];
	uint32_t piece = c->rate_hz / 1000 * PIECE_MS;

	while (n > 0) {
		uint32_t k = n < piece ? n : piece;
		uint32_t before = (k * c->in.down + c->in.up - 1) / c->in.up;
		uint32_t made;

		c->from->conceal(decoder_of(c), raw, before);
		made = (uint32_t)resample_len(&c->in, before);
		if (made > room(c))
			return;
		resample_run(&c->in, c->queue + c->queued, raw, before);
		c->queued += k < made ? k : made;
		n -= k;
	}
}

static void conceal_narrow(struct coder *c, uint32_t n)
{
	int16_t raw[CODER_NARROW_HZ / 1000 * PIECE_MS];
	uint32_t piece = c->rate_hz / 1000 * PIECE_MS;

	while (n > 0) {
		uint32_t k = n < piece ? n : piece;
		uint32_t before = (k + c->widen.up - 1) / c->widen.up;
		uint32_t made;

		conceal_lost(c->conceal, raw, before);
		made = widen(c, raw, before);
		c->queued += k < made ? k : made;
		n -= k;
	}
	c->conceals = true;
}

static void silence(struct coder *c, uint32_t n)
{
	n = n < room(c) ? n : room(c);
	memset(c->queue + c->queued, 0, n * sizeof(c->queue[0]));
	c->queued += n;
}

bool coder_missing(struct coder *c, uint32_t n, const struct codec *codec, const uint8_t *next,
		   size_t next_len)
{
	int16_t raw[QUEUE_MAX];

	if (c->from == NULL) {
		silence(c, n);
		return false;
	}
	if (next != NULL && codec == c->from && codec->recover != NULL && c->in.up == c->in.down &&
	    n <= room(c) && codec->recover(decoder_of(c), raw, n, next, next_len)) {
		coder_queue(c, raw, n);
		return true;
	}
	if (c->from->conceal != NULL)
		conceal_itself(c, n);
	else if (c->conceal != NULL)
		conceal_narrow(c, n);
	else
		silence(c, n);
	return false;
}

void coder_pause(struct coder *c, uint32_t n)
{
	if (c->from != NULL && c->from->conceal != NULL)
		conceal_itself(c, n);
	else
		silence(c, n);
}

void coder_frame(struct coder *c, int16_t *pcm, int16_t narrow[CODER_NARROW_FRAME])
{
	uint32_t n = c->rate_hz / 1000 * CODER_TICK_MS;

	must(c->queued >= n);
	memcpy(pcm, c->queue, n * sizeof(*pcm));
	c->queued -= n;
	memmove(c->queue, c->queue + n, c->queued * sizeof(c->queue[0]));
	resample_run(&c->narrow, narrow, pcm, n);
}

/* --- what the leg hears --- */

static void *encoder_of(const struct coder *c)
{
	return c->to->id == CODEC_G729 ? c->g729_encoder : c->encoder;
}

void coder_speak(struct coder *c, const struct codec *codec, uint16_t ptime_ms, uint32_t rate_hz)
{
	uint32_t to_hz = codec_rate_for(codec, rate_hz);

	c->ptime_ms = ptime_ms;
	if (c->to == codec && c->to_hz == to_hz && c->heard_hz == rate_hz)
		return;
	if (c->to != codec || c->to_hz != to_hz) {
		c->to = codec;
		c->to_hz = to_hz;
		coder_speak_anew(c);
		if (codec->encoder_init != NULL) {
			codec->encoder_init(encoder_of(c), to_hz);
			if (codec->encoder_tune != NULL)
				codec->encoder_tune(encoder_of(c), &c->tune);
		}
	}
	c->heard_hz = rate_hz;
	must(resample_init(&c->out, rate_hz, to_hz));
}

void coder_tune(struct coder *c, const struct codec_tune *tune)
{
	if (memcmp(&c->tune, tune, sizeof(*tune)) == 0)
		return;
	c->tune = *tune;
	if (c->to != NULL && c->to->encoder_tune != NULL)
		c->to->encoder_tune(encoder_of(c), tune);
}

void coder_speak_anew(struct coder *c)
{
	c->packed = 0;
}

void coder_hear(struct coder *c, const int16_t *pcm)
{
	uint32_t n = c->heard_hz / 1000 * CODER_TICK_MS;
	uint32_t k = (uint32_t)resample_len(&c->out, n);

	if (c->packed + k > PACK_MAX)
		c->packed = 0; /* a shorter ptime than before: what waited is dropped */
	c->at = -(int32_t)c->packed;
	resample_run(&c->out, c->pack + c->packed, pcm, n);
	c->packed += k;
}

bool coder_next(struct coder *c, struct coder_packet *p)
{
	uint32_t n = c->to_hz / 1000 * c->ptime_ms;

	if (c->packed < n)
		return false;
	p->len = (uint16_t)c->to->encode(c->to->encoder_init != NULL ? encoder_of(c) : NULL,
					 p->payload, sizeof(p->payload), c->pack, n);
	/* In RTP ticks, modulo 2^32; both rates are whole kHz. */
	p->ticks =
		(uint32_t)(c->at * (int32_t)(c->to->clock_hz / 1000) / (int32_t)(c->to_hz / 1000));
	c->at += (int32_t)n;
	c->packed -= n;
	memmove(c->pack, c->pack + n, c->packed * sizeof(c->pack[0]));
	return true;
}
